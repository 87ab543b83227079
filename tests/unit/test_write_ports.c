/* Disks that are written: what is on the medium when the power goes, what wrapped ports make of
 * writes, and how volumes are let go of and found again. */
#define _POSIX_C_SOURCE 200809L

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/fault.h"
#include "host/host_alloc.h"
#include "host/host_ports.h"
#include "host/host_run.h"
#include "host/image_block.h"
#include "host/image_files.h"
#include "port/count.h"

#define BLOCK    512u
#define BLOCKS   64u
#define NV_BS_RT 7u

/* Any bytes will do: nothing here looks into a device path. */
static const uint8_t some_path[] = {0x01, 0x01, 0x06, 0x00, 0x00, 0x02, 0x7f, 0xff, 0x04, 0x00};

static struct mem_block *make_disk(void)
{
    return mem_block_new(BLOCK, BLOCKS, span_of(some_path, sizeof(some_path)), "Memory");
}

/* Writes `count` blocks, each full of the letter for it in `letters`. */
static enum status write_letters(const struct block_port *port, uint64_t lba, const char *letters)
{
    size_t count = strlen(letters);
    uint8_t data[8 * BLOCK]; /* not on the heap: the power may go */

    assert_in_range(count, 1, 8);
    for (size_t i = 0; i < count; i++)
        memset(data + i * BLOCK, letters[i], BLOCK);
    return port->write(port->ctx, lba, (uint32_t)count, data);
}

/* The first byte of each of `count` blocks from `lba` on; '.' for zeros, '?' for mixed blocks. */
static const char *letters_of(const struct mem_block *disk, uint64_t lba, size_t count)
{
    static char text[BLOCKS + 1];

    for (size_t i = 0; i < count; i++) {
        uint8_t block[BLOCK];
        mem_block_peek(disk, (lba + i) * BLOCK, block, BLOCK);
        text[i] = block[0] == 0 ? '.' : (char)block[0];
        for (size_t j = 1; j < BLOCK; j++) {
            if (block[j] != block[0])
                text[i] = '?';
        }
    }
    text[count] = 0;
    return text;
}

/* ---- disks in memory ---- */

static void a_write_is_read_back_at_once_and_logged(void **state)
{
    struct mem_block *disk = make_disk();
    struct block_port port = mem_block_port(disk);
    uint8_t block[BLOCK];

    (void)state;
    assert_int_equal(write_letters(&port, 3, "ab"), ST_OK);
    assert_int_equal(port.read(port.ctx, 4, 1, block), ST_OK);
    assert_int_equal(block[BLOCK - 1], 'b');
    assert_int_equal(mem_block_unflushed(disk), 1);
    assert_int_equal(port.flush(port.ctx), ST_OK);
    assert_int_equal(mem_block_unflushed(disk), 0);
    assert_int_equal(write_letters(&port, 9, "c"), ST_OK);
    assert_int_equal(mem_block_log_count(disk), 3);
    const struct mem_block_entry *first = mem_block_log_at(disk, 0);
    assert_false(first->is_flush);
    assert_int_equal(first->lba, 3);
    assert_int_equal(first->count, 2);
    assert_int_equal(first->data[BLOCK], 'b');
    assert_true(mem_block_log_at(disk, 1)->is_flush);
    assert_true(mem_block_log_at(disk, 2)->order > first->order);
    mem_block_free(disk);
}

static void writes_that_cannot_be_change_nothing(void **state)
{
    struct mem_block *disk = make_disk();
    struct block_port port = mem_block_port(disk);

    (void)state;
    assert_int_equal(write_letters(&port, BLOCKS - 1, "ab"), ST_IO);
    assert_int_equal(write_letters(&port, UINT64_MAX, "ab"), ST_IO);
    mem_block_set_read_only(disk, true);
    assert_true(mem_block_port(disk).read_only);
    assert_int_equal(write_letters(&port, 0, "a"), ST_READ_ONLY);
    mem_block_set_read_only(disk, false);
    mem_block_set_gone(disk, true);
    assert_int_equal(write_letters(&port, 0, "a"), ST_IO);
    assert_int_equal(port.flush(port.ctx), ST_IO);
    assert_int_equal(mem_block_log_count(disk), 0);
    assert_string_equal(letters_of(disk, BLOCKS - 1, 1), ".");
    assert_string_equal(letters_of(disk, 0, 1), ".");
    mem_block_free(disk);
}

/* Four blocks "aaaa" on the medium; "bbb" over the first three and "cc" over the last two in the
 * cache. */
static struct mem_block *make_cached(void)
{
    struct mem_block *disk = make_disk();
    struct block_port port = mem_block_port(disk);

    assert_int_equal(write_letters(&port, 0, "aaaa"), ST_OK);
    assert_int_equal(port.flush(port.ctx), ST_OK);
    assert_int_equal(write_letters(&port, 0, "bbb"), ST_OK);
    assert_int_equal(write_letters(&port, 2, "cc"), ST_OK);
    return disk;
}

static void a_power_cut_loses_the_cache_or_keeps_it(void **state)
{
    struct mem_block *lost = make_cached();
    struct mem_block *kept = make_cached();

    (void)state;
    mem_block_cut(lost, MEM_BLOCK_LOSE_ALL);
    assert_string_equal(letters_of(lost, 0, 4), "aaaa");
    mem_block_cut(kept, MEM_BLOCK_KEEP_ALL);
    assert_string_equal(letters_of(kept, 0, 4), "bbcc");
    assert_int_equal(mem_block_unflushed(kept), 0);
    assert_int_equal(mem_block_log_count(kept), 0);
    mem_block_cut(kept, MEM_BLOCK_LOSE_ALL); /* what survived a cut is on the medium */
    assert_string_equal(letters_of(kept, 0, 4), "bbcc");
    mem_block_free(lost);
    mem_block_free(kept);
}

static void what_was_flushed_survives_every_power_cut(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct mem_block *disk = make_cached();
        struct block_port port = mem_block_port(disk);
        assert_int_equal(port.flush(port.ctx), ST_OK);
        mem_block_cut(disk, seed);
        assert_string_equal(letters_of(disk, 0, 4), "bbcc");
        mem_block_free(disk);
    }
}

/* All that may be there: 2 * 2 * 3 * 2 states. */
static void power_cuts_leave_every_mixture_and_nothing_else(void **state)
{
    static const char *const may_be[4] = {"ab", "ab", "abc", "ac"};
    bool seen[256] = {false};
    size_t count = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 2000; seed++) {
        struct mem_block *disk = make_cached();
        unsigned number = 0;
        mem_block_cut(disk, seed);
        const char *letters = letters_of(disk, 0, 4);
        for (size_t i = 0; i < 4; i++) {
            const char *at = strchr(may_be[i], letters[i]);
            assert_non_null(at);
            number = number * 4 + (unsigned)(at - may_be[i]);
        }
        count += seen[number] ? 0 : 1;
        seen[number] = true;
        mem_block_free(disk);
    }
    assert_int_equal(count, 2 * 2 * 3 * 2);
}

static void the_same_seed_leaves_the_same(void **state)
{
    (void)state;
    for (uint64_t seed = 2; seed < 20; seed++) {
        struct mem_block *one = make_cached();
        struct mem_block *other = make_cached();
        mem_block_cut(one, seed);
        mem_block_cut(other, seed);
        assert_int_equal(mem_block_difference(one, other, 0), UINT64_MAX);
        mem_block_free(one);
        mem_block_free(other);
    }
}

static void every_prefix_of_the_log_can_be_replayed(void **state)
{
    static const char *const kept[] = {"....", "aaaa", "aaaa", "bbba", "bbcc"};
    static const char *const lost[] = {"....", "....", "aaaa", "aaaa", "aaaa"};
    struct mem_block *disk = make_cached();

    (void)state;
    for (size_t entries = 0; entries <= mem_block_log_count(disk); entries++) {
        struct mem_block *all = mem_block_replay_seed(disk, entries, MEM_BLOCK_KEEP_ALL);
        struct mem_block *none = mem_block_replay_seed(disk, entries, MEM_BLOCK_LOSE_ALL);
        assert_string_equal(letters_of(all, 0, 4), kept[entries]);
        assert_string_equal(letters_of(none, 0, 4), lost[entries]);
        assert_int_equal(mem_block_log_count(all), 0);
        mem_block_free(all);
        mem_block_free(none);
    }
    assert_string_equal(letters_of(disk, 0, 4), "bbcc");
    assert_int_equal(mem_block_log_count(disk), 4);
    mem_block_free(disk);
}

/* Of write 2 its last block, of write 3 its last: the old content may stay in between. */
static bool keeps_last_blocks(void *ctx, size_t index, uint32_t block)
{
    (void)ctx;
    return (index == 2 && block == 2) || (index == 3 && block == 1);
}

static void any_subset_of_the_tail_can_be_replayed(void **state)
{
    struct mem_block *disk = make_cached();
    struct mem_block *left = mem_block_replay(disk, 4, keeps_last_blocks, NULL);

    (void)state;
    assert_string_equal(letters_of(left, 0, 4), "aabc");
    mem_block_free(left);
    mem_block_free(disk);
}

static void clones_of_a_disk_go_their_own_ways(void **state)
{
    struct mem_block *disk = make_cached();
    struct block_port port = mem_block_port(disk);
    struct mem_block *clone = mem_block_clone(disk);
    struct block_port clone_port = mem_block_port(clone);

    (void)state;
    assert_int_equal(mem_block_log_count(clone), 0);
    assert_int_equal(mem_block_difference(disk, clone, 0), UINT64_MAX);
    assert_int_equal(write_letters(&port, 20, "x"), ST_OK);
    assert_int_equal(write_letters(&clone_port, 21, "y"), ST_OK);
    struct mem_block *third = mem_block_clone(clone);
    mem_block_write(clone, 0, "z", 1);
    assert_string_equal(letters_of(disk, 20, 2), "x.");
    assert_string_equal(letters_of(clone, 20, 2), ".y");
    assert_int_equal(mem_block_difference(disk, clone, 1), 20);
    assert_int_equal(mem_block_difference(disk, clone, 21), 21);
    assert_int_equal(mem_block_difference(disk, clone, 22), UINT64_MAX);
    assert_int_equal(mem_block_difference(third, clone, 0), 0);
    mem_block_free(disk);
    assert_string_equal(letters_of(third, 0, 4), "bbcc");
    assert_string_equal(letters_of(clone, 20, 2), ".y");
    mem_block_free(clone);
    mem_block_free(third);
}

/* ---- disks over image files ---- */

static char *make_file(off_t size)
{
    char *name = host_copy_text("/tmp/shadowboot-test-XXXXXX");
    int fd = mkstemp(name);

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, size), 0);
    close(fd);
    return name;
}

static void drop_file(char *name)
{
    unlink(name);
    free(name);
}

static void what_is_written_to_an_image_is_in_the_file(void **state)
{
    char *name = make_file(8 * 4096 + 100);
    struct image_block *disk = NULL;
    uint8_t data[2 * 4096 + 1];
    uint8_t back[sizeof(data)] = {0};
    uint8_t rest[101] = {0};

    (void)state;
    assert_int_equal(
        image_block_open(name, 4096, span_of(some_path, sizeof(some_path)), "Image", &disk), ST_OK);
    struct block_port port = image_block_port(disk);
    memset(data, 'd', sizeof(data));
    assert_int_equal(port.write(port.ctx, 6, 2, data + 1), ST_OK);
    assert_int_equal(port.write(port.ctx, 7, 2, data), ST_IO);
    assert_int_equal(port.flush(port.ctx), ST_OK);
    image_block_close(disk);
    FILE *from = fopen(name, "rb");
    fseek(from, 6 * 4096 - 1, SEEK_SET);
    assert_int_equal(fread(back, 1, sizeof(back), from), sizeof(back));
    assert_int_equal(fread(rest, 1, sizeof(rest), from), 100); /* of a block that is not whole */
    fclose(from);
    assert_int_equal(back[0], 0);
    assert_memory_equal(back + 1, data + 1, sizeof(back) - 1);
    assert_true(span_is_zero(span_of(rest, 100)));
    drop_file(name);
}

/* ---- faults ---- */

/* Two disks with a volume each. */
static struct host *make_host(void)
{
    struct host *host = host_new();

    host_add_disk(host, DISK_NVME, BLOCK, 10000);
    host_add_disk(host, DISK_AHCI, BLOCK, 10000);
    for (size_t i = 0; i < 2; i++) {
        struct host_partition esp = {.disk = i, .number = 1, .start = 2048, .size = 4096};
        host_add_volume(host, &esp, 1 << 20);
        mem_files_put(host->files, i, "\\f", "old", 3);
    }
    return host;
}

static enum status write_file(const struct ports *ports, size_t volume)
{
    return ports->files.write(ports->files.ctx, volume, "\\f", FILE_REPLACE, "new", 3);
}

/* A block, a file, a variable, a block on the other disk, a file that goes. */
static void write_five_times(const struct ports *ports)
{
    (void)!write_letters(&ports->disks[0], 5, "a");
    (void)!ports->disks[0].flush(ports->disks[0].ctx);
    (void)!write_file(ports, 0);
    (void)!ports->vars.set(ports->vars.ctx, NULL, "Timeout", NV_BS_RT, "\5", 2);
    (void)!write_letters(&ports->disks[1], 5, "b");
    (void)!ports->disks[1].flush(ports->disks[1].ctx);
    (void)!ports->files.remove(ports->files.ctx, 1, "\\f");
}

static unsigned writes_done(struct host *host)
{
    unsigned done = 0;

    done += letters_of(host->disks[0], 5, 1)[0] == 'a';
    done += span_equal(mem_files_find(host->files, 0, "\\f"), span_of("new", 3));
    done += mem_vars_find(host->vars, NULL, "Timeout") != NULL;
    done += letters_of(host->disks[1], 5, 1)[0] == 'b';
    done += mem_files_find(host->files, 1, "\\f").at == NULL;
    return done;
}

/* Cuts the power at the `nth` write of the five; true when it came to that. */
static bool cut_at(struct host *host, uint64_t nth)
{
    struct fault *fault = fault_new(host_ports(host));
    jmp_buf where;

    fault_power_cut(fault, nth, FAULT_CUT_BEFORE, &where);
    if (setjmp(where) == 0)
        write_five_times(fault_ports(fault));
    bool tripped = fault_tripped(fault);
    fault_free(fault);
    host_power_cut(host, MEM_BLOCK_LOSE_ALL);
    return tripped;
}

static void one_counter_counts_writes_of_every_kind(void **state)
{
    (void)state;
    for (uint64_t nth = 1; nth <= 6; nth++) {
        struct host *host = make_host();
        assert_int_equal(cut_at(host, nth), nth <= 5);
        assert_int_equal(writes_done(host), nth - 1);
        host_free(host);
    }
}

static void a_power_cut_tears_a_write_of_blocks_as_ordered(void **state)
{
    static const char *const left[FAULT_CUT_COUNT] = {
        [FAULT_CUT_BEFORE] = "....",        [FAULT_CUT_EMPTY] = "....", [FAULT_CUT_HALF] = "aa..",
        [FAULT_CUT_GARBAGE] = "aa\xc4\xc4", [FAULT_CUT_AFTER] = "aaaa",
    };

    (void)state;
    for (int cut = 0; cut < FAULT_CUT_COUNT; cut++) {
        struct host *host = make_host();
        struct fault *fault = fault_new(host_ports(host));
        const struct ports *ports = fault_ports(fault);
        fault_power_cut(fault, 1, (enum fault_cut)cut, NULL);
        assert_int_equal(write_letters(&ports->disks[0], 5, "aaaa"), ST_IO);
        assert_int_equal(ports->disks[0].flush(ports->disks[0].ctx), ST_IO);
        host_power_cut(host, MEM_BLOCK_KEEP_ALL);
        assert_string_equal(letters_of(host->disks[0], 5, 4), left[cut]);
        fault_free(fault);
        host_free(host);
    }
}

static void a_failed_write_of_blocks_is_not_carried_out_unless_ordered(void **state)
{
    struct host *host = make_host();
    struct fault *fault = fault_new(host_ports(host));
    const struct block_port *port = &fault_ports(fault)->disks[0];

    (void)state;
    fault_fail(fault, FAULT_BLOCK_WRITE, 1, ST_OK, false);
    fault_fail(fault, FAULT_BLOCK_WRITE, 2, ST_IO, false);
    fault_fail_after(fault, FAULT_BLOCK_WRITE, 3, ST_IO);
    fault_fail(fault, FAULT_BLOCK_FLUSH, 2, ST_IO, false);
    assert_int_equal(write_letters(port, 0, "a"), ST_OK); /* a promise only */
    assert_int_equal(write_letters(port, 1, "b"), ST_IO);
    assert_int_equal(write_letters(port, 2, "c"), ST_IO);
    assert_int_equal(write_letters(port, 3, "d"), ST_OK);
    assert_int_equal(port->flush(port->ctx), ST_OK);
    assert_int_equal(port->flush(port->ctx), ST_IO);
    assert_string_equal(letters_of(host->disks[0], 0, 4), "..cd");
    fault_free(fault);
    host_free(host);
}

static void a_flush_that_only_promises_leaves_the_cache_to_the_power_cut(void **state)
{
    struct host *host = make_host();
    struct fault *fault = fault_new(host_ports(host));
    const struct block_port *port = &fault_ports(fault)->disks[0];

    (void)state;
    fault_fail(fault, FAULT_BLOCK_FLUSH, 1, ST_OK, true);
    assert_int_equal(write_letters(port, 0, "a"), ST_OK);
    assert_int_equal(port->flush(port->ctx), ST_OK);
    assert_int_equal(mem_block_unflushed(host->disks[0]), 1);
    host_power_cut(host, MEM_BLOCK_LOSE_ALL);
    assert_string_equal(letters_of(host->disks[0], 0, 1), ".");
    fault_free(fault);
    host_free(host);
}

static void a_vanished_disk_takes_no_writes(void **state)
{
    struct host *host = make_host();
    struct fault *fault = fault_new(host_ports(host));
    const struct ports *ports = fault_ports(fault);
    const struct block_port *disk = &ports->disks[1];

    (void)state;
    fault_vanish(fault, 1, 2);
    assert_int_equal(write_letters(disk, 0, "a"), ST_OK);
    assert_int_equal(disk->flush(disk->ctx), ST_OK);
    assert_int_equal(write_letters(disk, 1, "b"), ST_IO);
    assert_int_equal(disk->flush(disk->ctx), ST_IO);
    assert_int_equal(write_file(ports, 1), ST_IO);
    assert_int_equal(ports->files.release(ports->files.ctx, disk->path), ST_IO);
    assert_int_equal(write_letters(&ports->disks[0], 1, "b"), ST_OK);
    assert_string_equal(letters_of(host->disks[1], 0, 2), "a.");
    fault_free(fault);
    host_free(host);
}

static void a_disk_may_refuse_writes_without_having_said_so(void **state)
{
    struct host *host = make_host();
    struct fault *fault = fault_new(host_ports(host));
    const struct ports *ports = fault_ports(fault);
    struct file_info info;

    (void)state;
    fault_write_protect(fault, 1);
    assert_false(ports->disks[1].read_only);
    assert_int_equal(write_letters(&ports->disks[1], 0, "a"), ST_READ_ONLY);
    assert_true(fault_tripped(fault));
    assert_int_equal(write_file(ports, 1), ST_READ_ONLY);
    assert_int_equal(ports->files.remove(ports->files.ctx, 1, "\\f"), ST_READ_ONLY);
    assert_int_equal(ports->files.stat(ports->files.ctx, 1, "\\f", &info), ST_OK);
    assert_int_equal(write_file(ports, 0), ST_OK);
    assert_string_equal(letters_of(host->disks[1], 0, 1), ".");
    fault_free(fault);
    host_free(host);
}

static void a_cloned_machine_has_disks_of_its_own(void **state)
{
    struct host *host = make_host();
    struct host *clone = host_clone(host);
    const struct ports *ports = host_ports(clone);

    (void)state;
    assert_int_equal(write_letters(&ports->disks[0], 0, "a"), ST_OK);
    host_power_cut(host, MEM_BLOCK_LOSE_ALL);
    assert_string_equal(letters_of(host->disks[0], 0, 1), ".");
    host_free(host);
    assert_string_equal(letters_of(clone->disks[0], 0, 1), "a");
    host_free(clone);
}

/* ---- letting go of volumes ---- */

/* Each call on a volume; true when all say ST_ABSENT. */
static bool is_absent(const struct files_port *files, size_t volume)
{
    struct file_info info;
    char byte = 0;
    size_t size = 0;

    return files->stat(files->ctx, volume, "\\f", &info) == ST_ABSENT &&
           files->list(files->ctx, volume, "\\", 0, &info) == ST_ABSENT &&
           files->read(files->ctx, volume, "\\f", 0, &byte, 1, &size) == ST_ABSENT &&
           files->write(files->ctx, volume, "\\f", FILE_REPLACE, "x", 1) == ST_ABSENT &&
           files->write(files->ctx, volume, "\\g", FILE_CREATE, "x", 1) == ST_ABSENT &&
           files->remove(files->ctx, volume, "\\f") == ST_ABSENT;
}

static bool holds(const struct files_port *files, size_t volume, const char *text)
{
    char buffer[64];
    size_t size = 0;

    return files->read(files->ctx, volume, "\\f", 0, buffer, sizeof(buffer), &size) == ST_OK &&
           size == strlen(text) && memcmp(buffer, text, size) == 0;
}

static void released_volumes_are_absent_until_renewed(void **state)
{
    struct host *host = make_host();
    const struct ports *ports = host_ports(host);
    struct files_port files = ports->files;

    (void)state;
    assert_int_equal(files.release(files.ctx, ports->disks[0].path), ST_OK);
    assert_int_equal(files.release(files.ctx, ports->disks[0].path), ST_OK);
    assert_true(is_absent(&files, 0));
    assert_true(holds(&files, 1, "old"));
    assert_int_equal(files.renew(files.ctx, &files), ST_OK);
    assert_int_equal(files.volume_count, 2);
    assert_true(holds(&files, 0, "old"));
    host_free(host);
}

/* What the disks hold now: new volumes on the second one, and that of the first in between. */
static enum status swap_volumes(struct host *host)
{
    struct host_partition added = {.disk = 1, .number = 2, .start = 8192, .size = 1000};
    struct host_partition kept = {.disk = 0, .number = 1, .start = 2048, .size = 4096};

    mem_files_clear(host->files);
    host_add_volume(host, &added, 1 << 20);
    host_add_volume(host, &kept, 1 << 20);
    added.number = 3;
    host_add_volume(host, &added, 1 << 20);
    mem_files_put(host->files, 0, "\\f", "added", 5);
    mem_files_put(host->files, 1, "\\f", "kept", 4);
    mem_files_put(host->files, 2, "\\f", "added", 5);
    mem_files_set_self(host->files, 1);
    return ST_OK;
}

static void renewed_volumes_are_those_that_are_there_now(void **state)
{
    struct host *host = make_host();
    uint8_t memory[4096];
    struct port_counts counts = {0};
    struct ports counted;
    struct arena arena;

    (void)state;
    host->renewal = swap_volumes;
    struct fault *fault = fault_new(host_ports(host));
    const struct ports *ports = fault_ports(fault);
    struct span old_path = ports->files.volumes[0].path;
    arena_init(&arena, memory, sizeof(memory));
    assert_int_equal(ports_count(&arena, ports, &counts, &counted), ST_OK);
    struct files_port *files = &counted.files;
    assert_int_equal(files->release(files->ctx, ports->disks[1].path), ST_OK);
    assert_int_equal(files->renew(files->ctx, files), ST_OK);
    assert_int_equal(files->volume_count, 3);
    assert_int_equal(files->self, 1);
    assert_true(holds(files, 0, "added"));
    assert_true(holds(files, 1, "kept"));
    assert_true(holds(files, 2, "added"));
    assert_true(span_equal(files->volumes[1].path, old_path)); /* which still may be read */
    fault_vanish(fault, 1, 0);
    assert_false(holds(files, 0, "added"));
    assert_false(holds(files, 2, "added"));
    assert_true(holds(files, 1, "kept"));
    fault_free(fault);
    host_free(host);
}

static void a_failed_renewal_changes_no_port(void **state)
{
    struct host *host = make_host();

    (void)state;
    host->renewal = swap_volumes;
    struct fault *fault = fault_new(host_ports(host));
    struct files_port files = fault_ports(fault)->files;
    fault_fail(fault, FAULT_FILE_RENEW, 1, ST_NO_MEMORY, false);
    fault_fail(fault, FAULT_FILE_RELEASE, 2, ST_REFUSED, false);
    assert_int_equal(files.release(files.ctx, host->blocks[0].path), ST_OK);
    assert_int_equal(files.release(files.ctx, host->blocks[1].path), ST_REFUSED);
    assert_int_equal(files.renew(files.ctx, &files), ST_NO_MEMORY);
    assert_int_equal(files.self, FILES_NO_VOLUME);
    assert_true(is_absent(&files, 0));
    assert_true(holds(&files, 1, "old"));
    fault_free(fault);
    host_free(host);
}

/* ---- volumes in images ---- */

#define FIRST_AT  (1 << 20)
#define SECOND_AT (5 << 20)

struct images {
    char *file;
    struct image_files *files;
    size_t found; /* volumes to find at the next renewal */
};

/* `number` as the last byte but the end node. */
static struct span volume_path(uint8_t number, uint8_t to[sizeof(some_path)])
{
    memcpy(to, some_path, sizeof(some_path));
    to[5] = number;
    return span_of(to, sizeof(some_path));
}

static void run_or_fail(const char *const argv[])
{
    char *output = NULL;
    int code = host_run(argv, &output);

    if (code != 0)
        print_message("%s: %d %s\n", argv[0], code, output);
    free(output);
    assert_int_equal(code, 0);
}

/* Makes a FAT of 2 MiB at `offset` with a file \f, past the port. */
static void format(const char *file, unsigned offset, const char *text)
{
    char where[256];
    char *content = make_file(0);
    const char *const make[] = {"mformat", "-i", where, "-T", "4096", "-h", "2",
                                "-s",      "16", "-c",  "1",  "::",   NULL};
    const char *const copy[] = {"mcopy", "-i", where, content, "::/f", NULL};
    FILE *to = fopen(content, "w");

    fputs(text, to);
    fclose(to);
    snprintf(where, sizeof(where), "%s@@%u", file, offset);
    run_or_fail(make);
    run_or_fail(copy);
    drop_file(content);
}

static enum status find_volumes(void *ctx)
{
    static const unsigned places[] = {SECOND_AT, FIRST_AT};
    struct images *images = ctx;
    uint8_t path[sizeof(some_path)];
    size_t volume = 0;

    for (size_t i = 2 - images->found; i < 2; i++) {
        enum status status = image_files_add_volume(images->files, images->file, places[i],
                                                    volume_path((uint8_t)i, path),
                                                    i == 1 ? "FS7:" : "FS8:", &volume);
        if (status != ST_OK)
            return status;
    }
    image_files_set_self(images->files, volume);
    return ST_OK;
}

static void images_are_looked_at_again_when_volumes_are_renewed(void **state)
{
    uint8_t first_path[sizeof(some_path)];
    struct images images = {make_file(8 << 20), image_files_new(), 1};

    (void)state;
    format(images.file, FIRST_AT, "old");
    assert_int_equal(find_volumes(&images), ST_OK);
    image_files_set_renewal(images.files, find_volumes, &images);
    struct files_port files = image_files_port(images.files);
    assert_true(holds(&files, 0, "old"));
    assert_int_equal(files.release(files.ctx, volume_path(1, first_path)), ST_OK);
    assert_true(is_absent(&files, 0));
    format(images.file, FIRST_AT, "new");
    format(images.file, SECOND_AT, "added");
    images.found = 2;
    assert_true(is_absent(&files, 0));
    assert_int_equal(files.renew(files.ctx, &files), ST_OK);
    assert_int_equal(files.volume_count, 2);
    assert_int_equal(files.self, 1);
    assert_true(holds(&files, 0, "added"));
    assert_string_equal(files.volumes[0].alias, "");
    assert_true(holds(&files, 1, "new"));
    assert_string_equal(files.volumes[1].alias, "FS7:");
    assert_int_equal(files.write(files.ctx, 0, "\\f", FILE_REPLACE, "again", 5), ST_OK);
    image_files_free(images.files);
    drop_file(images.file);
}

static void without_a_call_images_are_read_again_all_the_same(void **state)
{
    uint8_t path[sizeof(some_path)];
    struct images images = {make_file(4 << 20), image_files_new(), 1};

    (void)state;
    format(images.file, FIRST_AT, "old");
    assert_int_equal(find_volumes(&images), ST_OK);
    struct files_port files = image_files_port(images.files);
    assert_true(holds(&files, 0, "old"));
    assert_int_equal(files.release(files.ctx, volume_path(1, path)), ST_OK);
    assert_true(is_absent(&files, 0));
    format(images.file, FIRST_AT, "new");
    assert_int_equal(files.renew(files.ctx, &files), ST_OK);
    assert_true(holds(&files, 0, "new"));
    image_files_free(images.files);
    drop_file(images.file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_write_is_read_back_at_once_and_logged),
        cmocka_unit_test(writes_that_cannot_be_change_nothing),
        cmocka_unit_test(a_power_cut_loses_the_cache_or_keeps_it),
        cmocka_unit_test(what_was_flushed_survives_every_power_cut),
        cmocka_unit_test(power_cuts_leave_every_mixture_and_nothing_else),
        cmocka_unit_test(the_same_seed_leaves_the_same),
        cmocka_unit_test(every_prefix_of_the_log_can_be_replayed),
        cmocka_unit_test(any_subset_of_the_tail_can_be_replayed),
        cmocka_unit_test(clones_of_a_disk_go_their_own_ways),
        cmocka_unit_test(what_is_written_to_an_image_is_in_the_file),
        cmocka_unit_test(one_counter_counts_writes_of_every_kind),
        cmocka_unit_test(a_power_cut_tears_a_write_of_blocks_as_ordered),
        cmocka_unit_test(a_failed_write_of_blocks_is_not_carried_out_unless_ordered),
        cmocka_unit_test(a_flush_that_only_promises_leaves_the_cache_to_the_power_cut),
        cmocka_unit_test(a_vanished_disk_takes_no_writes),
        cmocka_unit_test(a_disk_may_refuse_writes_without_having_said_so),
        cmocka_unit_test(a_cloned_machine_has_disks_of_its_own),
        cmocka_unit_test(released_volumes_are_absent_until_renewed),
        cmocka_unit_test(renewed_volumes_are_those_that_are_there_now),
        cmocka_unit_test(a_failed_renewal_changes_no_port),
        cmocka_unit_test(images_are_looked_at_again_when_volumes_are_renewed),
        cmocka_unit_test(without_a_call_images_are_read_again_all_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
