/*
 * An undo that meets trouble is gone on with until all is as it was: writes that fail or arrive as something
 * else. And a journal in the variable of the firmware, of which there is one, never keeps its place for good,
 * nor loses it while it can be taken back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "apply/journal_store.h"
#include "host/fault.h"
#include "host/host_alloc.h"
#include "unit/disk_work_fixture.h"
#include "unit/plan_fixture.h"

#define BOOT_MANAGER "\\EFI\\Microsoft\\Boot\\bootmgfw.efi"
#define ARENA        (64u << 20)

static const struct guid own_vendor = VAR_OWN_VENDOR;

/* --- Writes that arrive as something else ------------------------------------------------------ */

/* A disk that makes something else of some of what it is told to write. */
static struct {
    const struct block_port *sound;
    unsigned writes; /* so far */
    unsigned first;  /* of those that arrive garbled, from 1 */
    unsigned count;
} garbling;

static enum status garbling_write(void *ctx, uint64_t lba, uint32_t count, const void *data)
{
    size_t size = (size_t)count * garbling.sound->block_size;

    garbling.writes++;
    if (garbling.writes < garbling.first || garbling.writes - garbling.first >= garbling.count)
        return garbling.sound->write(ctx, lba, count, data);
    uint8_t *copy = host_copy(data, size);
    copy[size / 2] ^= 0x55;
    enum status status = garbling.sound->write(ctx, lba, count, copy);
    free(copy);
    return status;
}

/* Runs a command while `count` writes to Disk 1, from the one of number `first` on, arrive garbled. */
static unsigned run_garbled(struct host *host, const char *line, unsigned first, unsigned count)
{
    struct ports ports = *host_ports(host);
    struct block_port disks[HOST_MAX_DISKS];
    struct arena arena;
    void *memory = host_borrow(ARENA);

    garbling.sound = &ports.disks[1];
    garbling.writes = 0;
    garbling.first = first;
    garbling.count = count;
    memcpy(disks, ports.disks, ports.disk_count * sizeof(*disks));
    disks[1].write = garbling_write;
    ports.disks = disks;
    arena_init(&arena, memory, ARENA);
    host_console_clear(host->console);
    unsigned code = fixture_run_arena(&ports, line, &arena);
    host_return(memory);
    disk_machine_restart(host);
    return code;
}

/* Runs a command in peace. */
static unsigned run(struct host *host, const char *line)
{
    return run_garbled(host, line, 0, 0);
}

static bool disks_equal(const struct host *a, const struct host *b)
{
    for (size_t i = 0; i < 2; i++) {
        if (mem_block_difference(a->disks[i], b->disks[i], 0) != UINT64_MAX)
            return false;
    }
    return true;
}

/* Disk 1 has lost its boot manager, and it was brought back: before and afterwards. */
struct repaired {
    struct host *before;
    struct host *host;
    uint64_t writes; /* of the undo, to Disk 1 */
};

static int set_up(void **state)
{
    struct disk_machine_shape shape = disk_machine_usual();
    struct repaired *repaired = host_alloc(1, sizeof(*repaired));

    repaired->before = disk_machine_new(&shape);
    disk_machine_delete(repaired->before, 1, BOOT_MANAGER);
    repaired->host = host_clone(repaired->before);
    assert_int_equal(run(repaired->host, "repair -y"), 0);
    assert_false(disks_equal(repaired->host, repaired->before));
    struct host *undone = host_clone(repaired->host);
    assert_int_equal(run_garbled(undone, "undo -y", 0, 0), 0);
    assert_int_equal(mem_block_difference(undone->disks[0], repaired->before->disks[0], 0),
                     UINT64_MAX);
    repaired->writes = garbling.writes;
    assert_true(repaired->writes > 2);
    host_free(undone);
    *state = repaired;
    return 0;
}

static int tear_down(void **state)
{
    struct repaired *repaired = *state;

    host_free(repaired->before);
    host_free(repaired->host);
    free(repaired);
    return 0;
}

/* What undo leaves behind when nothing goes wrong. */
static struct host *undone_soundly(const struct repaired *repaired)
{
    struct host *sound = host_clone(repaired->host);

    assert_int_equal(run(sound, "undo -y"), 0);
    return sound;
}

static void a_write_that_arrives_garbled_once_is_written_again(void **state)
{
    struct repaired *repaired = *state;
    struct host *sound = undone_soundly(repaired);

    for (unsigned i = 1; i <= repaired->writes; i++) {
        struct host *host = host_clone(repaired->host);
        assert_int_equal(run_garbled(host, "undo -y", i, 1), 0);
        assert_true(disks_equal(host, sound));
        host_free(host);
    }
    host_free(sound);
}

/* A block then holds neither what was there nor what the change wrote: only people know that nobody else has
 * written there. */
static void what_stays_garbled_is_taken_back_by_force(void **state)
{
    struct repaired *repaired = *state;
    struct host *sound = undone_soundly(repaired);

    for (unsigned i = 1; i <= repaired->writes; i++) {
        struct host *host = host_clone(repaired->host);
        assert_int_equal(run_garbled(host, "undo -y", i, 1000), 10);
        expect_said(host, "Not all is as it was before.");
        expect_said(host, "run the same undo again, with -force");
        struct host *stuck = host_clone(host);
        assert_int_equal(run(host, "undo -y"), 27);
        expect_said(host, "undo with -force");
        assert_true(disks_equal(host, stuck));
        assert_int_equal(run(host, "undo -y -force"), 0);
        assert_true(disks_equal(host, sound));
        host_free(stuck);
        host_free(host);
    }
    host_free(sound);
}

/* That is for what was interrupted alone: Windows may have written there. */
static void nothing_forces_a_change_that_was_finished(void **state)
{
    struct repaired *repaired = *state;
    struct host *host = repaired->host;

    disk_machine_truncate(host, 1, BOOT_MANAGER, 100);
    struct host *before = host_clone(host);
    assert_int_equal(run(host, "undo -y -force"), 27);
    expect_said(host, "has been written to since this change");
    assert_true(disks_equal(host, before));
    host_free(before);
}

/* Takes the mark off the journal on the stick. */
static void interrupt_on_stick(struct host *host)
{
    static const char path[] = "\\EFI\\shadowboot\\J0000001.SBJ";
    size_t stick = disk_machine_stick(host);
    struct span file = mem_files_find(host->files, stick, path);
    size_t size = file.size - JOURNAL_MARK_SIZE;
    uint8_t *copy = host_copy(file.at, size);

    mem_files_put(host->files, stick, path, copy, size);
    free(copy);
}

/* Another command's -force is about what that one does. */
static void nor_does_another_command(void **state)
{
    struct repaired *repaired = *state;
    struct host *host = host_clone(repaired->host);
    size_t size = 0;

    interrupt_on_stick(host);
    disk_machine_truncate(host, 1, BOOT_MANAGER, 100);
    struct host *forced = host_clone(host);
    assert_int_equal(run(forced, "undo -y"), 27);
    assert_int_equal(run(forced, "undo -y -force"), 0);
    assert_null(disk_machine_file(forced, 1, BOOT_MANAGER, &size));
    assert_int_equal(run(host, "bcd set {bootmgr} timeout 9 -on 1 -y -force"), 0);
    expect_said(host, "Journal 1 stays as it is.");
    uint8_t *file = disk_machine_file(host, 1, BOOT_MANAGER, &size);
    assert_non_null(file);
    assert_int_equal(size, 100);
    free(file);
    host_free(forced);
    host_free(host);
}

static void an_undo_that_could_not_write_is_gone_on_with(void **state)
{
    struct repaired *repaired = *state;
    struct host *sound = undone_soundly(repaired);

    for (uint64_t i = 1; i <= repaired->writes; i++) {
        struct host *host = host_clone(repaired->host);
        struct fault *fault = fault_new(host_ports(host));
        struct arena arena;
        void *memory = host_borrow(ARENA);
        arena_init(&arena, memory, ARENA);
        fault_fail(fault, FAULT_BLOCK_WRITE, i, ST_IO, true);
        assert_int_equal(fixture_run_arena(fault_ports(fault), "undo -y", &arena), 7);
        fault_free(fault);
        host_return(memory);
        disk_machine_restart(host);
        assert_int_equal(run(host, "undo -y"), 0);
        assert_true(disks_equal(host, sound));
        host_free(host);
    }
    host_free(sound);
}

/* --- Blocks that no file has, and an earlier change needs --------------------------------------- */

/* The ESP of Disk 1 holds what no file system does. */
static void fill_esp(struct host *host)
{
    struct host_partition esp = disk_machine_place(host, 1, PART_ESP);
    size_t size = (size_t)esp.size * 512;
    uint8_t *bytes = host_alloc(1, size);

    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(i * 31 + i / 512 * 7 + 1);
    mem_block_write(host->disks[1], esp.start * 512, bytes, size);
    free(bytes);
    disk_machine_restart(host);
}

/* What a new file system covers is not free space of nobody: the change that made it can be taken back. */
static void what_a_format_covered_comes_back_under_a_later_change(void **state)
{
    struct disk_machine_shape shape = disk_machine_usual();
    struct host *host = disk_machine_new(&shape);

    (void)state;
    fill_esp(host);
    struct host *before = host_clone(host);
    assert_int_equal(run(host, "repair -y -format"), 0);
    assert_int_equal(run(host, "bcd set {bootmgr} timeout 9 -on 1 -y"), 0);
    assert_int_equal(run(host, "undo -y"), 0);
    assert_int_equal(run(host, "undo -y"), 0);
    assert_true(disks_equal(host, before));
    host_free(before);
    host_free(host);
}

/* A journal about a block of Disk `disk` on the stick. */
static void put_claim(struct planning *p, size_t disk, uint64_t lba, enum journal_kind kind,
                      const char *mark)
{
    static const uint8_t old[512] = {1};
    const struct disk *own = &p->machine.disks[disk];
    struct journal_disk about = {
        .guid_before = own->guid, .block_count = own->block_count, .block_size = 512};
    struct journal_record record = {
        .kind = kind, .lba = lba, .block_count = 1, .old_data = span_of(old, 512)};
    struct journal journal = {
        .command = "", .disks = &about, .disk_count = 1, .records = &record, .count = 1};
    uint8_t data[2048];
    struct span file;

    about.path = own->path;
    assert_int_equal(journal_build(&p->arena, &journal, &file), ST_OK);
    memcpy(data, file.at, file.size);
    memcpy(data + file.size, mark, strlen(mark));
    mem_files_put(p->host->files, disk_machine_stick(p->host), "\\EFI\\shadowboot\\J0000007.SBJ",
                  data, file.size + strlen(mark));
}

/* True when what a file is written over is kept by its journal. */
static bool free_space_is_kept(size_t disk, enum journal_kind kind, const char *mark)
{
    struct planning *p = disk_work_planning(disk_machine_usual());
    struct apply_result result;
    struct journal journal;
    bool kept = false;

    plan_boot_manager(p);
    uint64_t lba = work_of(p, host_ports(p->host), 0)->edit.files[0].extents[0].lba;
    put_claim(p, disk, lba + 3, kind, mark);
    assert_int_equal(disk_work_apply(p, &result), ST_OK);
    struct span file = mem_files_find(p->host->files, disk_machine_stick(p->host),
                                      "\\EFI\\shadowboot\\J0000008.SBJ");
    assert_int_equal(journal_parse(&p->arena, file, &journal), ST_OK);
    for (size_t i = 0; i < journal.count; i++)
        kept |= journal.records[i].kind == JOURNAL_BLOCKS && journal.records[i].lba == lba;
    planning_end(p);
    return kept;
}

/* Clusters that an earlier change has set free hold what its way back leads to. */
static void free_space_that_a_change_relies_on_is_kept(void **state)
{
    (void)state;
    assert_true(free_space_is_kept(1, JOURNAL_RELIED, "SBDONE__"));
    assert_true(free_space_is_kept(1, JOURNAL_RELIED, "SBDONE__SBUNDO__"));
    assert_true(free_space_is_kept(1, JOURNAL_BLOCKS, "SBDONE__"));
    assert_false(free_space_is_kept(0, JOURNAL_RELIED, "SBDONE__"));
    assert_false(free_space_is_kept(1, JOURNAL_RELIED, "SBDONE__SBUNDONE"));
    assert_false(free_space_is_kept(1, JOURNAL_RELIED, "SBLEFT__"));
}

/* --- The place in the firmware ----------------------------------------------------------------- */

static const struct mem_var *place_of(const struct host *host)
{
    return mem_vars_find(host->vars, &own_vendor, JOURNAL_VARIABLE_NAME);
}

/* The modern machine, where the variable is all there is. */
static struct host *without_a_volume(void)
{
    struct host *host = fixture_modern_machine();

    mem_files_set_read_only(host->files, 0, true);
    mem_files_set_read_only(host->files, 1, true);
    return host;
}

/* Takes the mark off: power was cut before it was written. */
static void interrupt(struct host *host)
{
    const struct mem_var *place = place_of(host);
    size_t size = place->size - JOURNAL_MARK_SIZE;
    uint8_t *copy = host_copy(place->data, size);

    mem_vars_put(host->vars, &own_vendor, JOURNAL_VARIABLE_NAME,
                 VAR_NON_VOLATILE | VAR_BOOT_SERVICE, copy, size);
    free(copy);
}

static uint8_t timeout_of(const struct host *host)
{
    return mem_vars_find(host->vars, NULL, "Timeout")->data[0];
}

static void an_interrupted_change_needs_no_second_place_to_be_taken_back(void **state)
{
    struct host *host = without_a_volume();

    (void)state;
    assert_int_equal(fixture_run(host, "timeout -y 8"), 0);
    interrupt(host);
    /* It is in the way, which is said with the way out. */
    assert_int_equal(fixture_run(host, "timeout -y 9"), 8);
    expect_said(host, "The place in the firmware is taken by journal 1");
    expect_said(host, "\"shadowboot undo 1\" takes that back");
    assert_int_equal(fixture_run(host, "undo -y"), 0);
    assert_int_equal(timeout_of(host), 1);
    assert_null(place_of(host));
    assert_int_equal(fixture_run(host, "timeout -y 9"), 0);
    host_free(host);
}

/* Whichever reading of a variable fails: what cannot be looked at may be needed. */
static void a_place_that_does_not_read_is_not_free(void **state)
{
    struct host *before = without_a_volume();
    bool tripped = true;

    (void)state;
    assert_int_equal(fixture_run(before, "timeout -y 8"), 0);
    interrupt(before);
    for (uint64_t n = 1; tripped; n++) {
        struct host *host = host_clone(before);
        struct fault *fault = fault_new(host_ports(host));
        struct arena arena;
        void *memory = host_borrow(ARENA);
        arena_init(&arena, memory, ARENA);
        fault_fail(fault, FAULT_VAR_GET, n, ST_IO, false);
        assert_int_not_equal(fixture_run_arena(fault_ports(fault), "timeout -y 9", &arena), 0);
        tripped = fault_tripped(fault);
        fault_free(fault);
        host_return(memory);
        assert_int_equal(ld_le32(place_of(host)->data), 1);
        assert_int_equal(timeout_of(host), 8);
        host_free(host);
        assert_true(n < 200);
    }
    host_free(before);
}

/* Wherever power is cut while it is taken back: nothing of it is lost. */
static void taking_back_from_the_variable_survives_power_cuts(void **state)
{
    struct host *before = without_a_volume();
    struct host *changed = host_clone(before);

    (void)state;
    assert_int_equal(fixture_run(changed, "clone -y"), 0);
    assert_non_null(place_of(changed));
    for (uint64_t n = 1;; n++) {
        struct host *host = host_clone(changed);
        struct fault *fault = fault_new(host_ports(host));
        struct arena arena;
        void *memory = host_borrow(ARENA);
        arena_init(&arena, memory, ARENA);
        fault_power_cut(fault, n, FAULT_CUT_BEFORE, NULL);
        (void)fixture_run_arena(fault_ports(fault), "undo -y", &arena);
        bool cut = fault_tripped(fault);
        fault_free(fault);
        host_return(memory);
        if (cut)
            assert_int_equal(fixture_run(host, "undo -y"), 0);
        assert_true(mem_vars_equal(host->vars, before->vars));
        host_free(host);
        if (!cut)
            break;
        assert_true(n < 20);
    }
    host_free(changed);
    host_free(before);
}

static void who_gives_it_up_has_the_place_again(void **state)
{
    struct host *host = without_a_volume();

    (void)state;
    assert_int_equal(fixture_run(host, "timeout -y 8"), 0);
    assert_int_equal(fixture_run(host, "undo -y 1 -drop"), 15); /* it was not interrupted */
    interrupt(host);
    host_console_answer(host->console, "n");
    assert_int_equal(fixture_run(host, "undo 1 -drop"), 21);
    assert_int_equal(fixture_run(host, "undo -n 1 -drop"), 0);
    assert_int_equal(fixture_run(host, "timeout -y 9"), 8);
    assert_int_equal(fixture_run(host, "undo -y 1 -drop"), 0);
    expect_said(host, "Journal 1 is given up.");
    assert_int_equal(timeout_of(host), 8);
    assert_int_equal(fixture_run(host, "timeout -y 9"), 0);
    assert_int_equal(fixture_run(host, "undo -y"), 0);
    assert_int_equal(timeout_of(host), 8);
    host_free(host);
}

/* Disk 1 was mended with no place for a journal but the variable, and power was cut in the end. */
static struct host *mended_and_interrupted(void)
{
    struct disk_machine_shape shape = disk_machine_usual();

    shape.no_stick = true;
    struct host *host = disk_machine_new(&shape);
    disk_machine_delete(host, 1, BOOT_MANAGER);
    mem_files_set_read_only(host->files, 0, true);
    assert_int_equal(run(host, "repair -y"), 0);
    assert_non_null(place_of(host));
    interrupt(host);
    return host;
}

/* The number that the journal has, and that of its state. */
static unsigned expect_place(const struct host *host, enum journal_state state)
{
    const struct mem_var *place = place_of(host);
    struct span file = span_of(place->data + 4, place->size - 4);
    struct journal journal;
    struct arena arena;
    void *memory = host_borrow(ARENA);

    arena_init(&arena, memory, ARENA);
    assert_int_equal(journal_parse(&arena, file, &journal), ST_OK);
    assert_int_equal(journal.state, state);
    host_return(memory);
    return ld_le32(place->data);
}

/* Somebody has written to the disk since: nothing can take that change back any more. */
static void what_cannot_be_taken_back_gives_its_place_away(void **state)
{
    struct host *host = mended_and_interrupted();

    (void)state;
    disk_machine_truncate(host, 1, BOOT_MANAGER, 100);
    mem_files_set_read_only(host->files, 0, true);
    assert_int_equal(run(host, "undo -y"), 27);
    expect_said(host, "the same undo with -force");
    assert_int_equal(run(host, "undo -y -force"), 27);
    expect_said(host, "has been written to since this change");
    mem_files_set_read_only(host->files, 0, true);
    (void)run(host, "repair -n");
    assert_int_equal(expect_place(host, JOURNAL_PENDING), 1);
    mem_files_set_read_only(host->files, 0, true);
    assert_int_equal(run(host, "repair -y"), 0);
    assert_int_equal(expect_place(host, JOURNAL_DONE), 2);
    host_free(host);
}

/* The same journal, about a disk with another GUID. */
static void be_about_another_disk(struct host *host)
{
    const struct mem_var *place = place_of(host);
    struct span file = span_of(place->data + 4, place->size - 4);
    struct journal journal;
    struct arena arena;
    uint8_t *memory = host_borrow(ARENA);

    arena_init(&arena, memory, ARENA);
    assert_int_equal(journal_parse(&arena, file, &journal), ST_OK);
    journal.disks[0].guid_before.bytes[0] ^= 1;
    journal.disks[0].guid_after.bytes[0] ^= 1;
    assert_int_equal(journal_build(&arena, &journal, &file), ST_OK);
    uint8_t *data = host_alloc(1, 4 + file.size);
    data[0] = 1;
    memcpy(data + 4, file.at, file.size);
    mem_vars_put(host->vars, &own_vendor, JOURNAL_VARIABLE_NAME,
                 VAR_NON_VOLATILE | VAR_BOOT_SERVICE, data, 4 + file.size);
    free(data);
    host_return(memory);
}

/* It may come back. */
static void what_a_missing_disk_needs_keeps_its_place(void **state)
{
    struct host *host = mended_and_interrupted();

    (void)state;
    be_about_another_disk(host);
    disk_machine_delete(host, 1, BOOT_MANAGER);
    mem_files_set_read_only(host->files, 0, true);
    assert_int_not_equal(run(host, "repair -y"), 0);
    expect_said(host, "is not here; put it back");
    expect_said(host, "with -drop it is given up");
    assert_int_equal(expect_place(host, JOURNAL_PENDING), 1);
    assert_int_equal(run(host, "undo -y 1 -drop"), 0);
    mem_files_set_read_only(host->files, 0, true);
    assert_int_equal(run(host, "repair -y"), 0);
    assert_int_equal(expect_place(host, JOURNAL_DONE), 2);
    host_free(host);
}

/* A block of Disk 1 that two steps write: what it holds before, between and after them. */
struct two_steps {
    const uint8_t (*blocks)[512];
    bool in_full;                        /* the first one is told so */
    uint8_t data[JOURNAL_VARIABLE_MOST]; /* the variable */
    size_t size;
};

/* The variable of such a change, in the form that takes the least room. */
static void build_two_steps(struct planning *p, struct two_steps *steps)
{
    const struct disk *disk = &p->machine.disks[1];
    struct journal_disk about = {.guid_before = disk->guid,
                                 .guid_after = disk->guid,
                                 .block_count = disk->block_count,
                                 .block_size = 512,
                                 .path = disk->path};
    uint8_t digests[2][JOURNAL_DIGEST_SIZE];
    struct journal_record records[2];
    struct journal journal = {
        .command = "", .disks = &about, .disk_count = 1, .records = records, .count = 2};
    struct span file;

    for (uint32_t i = 0; i < 2; i++) {
        journal_digest(span_of(steps->blocks[i + 1], 512), digests[i]);
        records[i] =
            (struct journal_record){.kind = JOURNAL_BLOCKS,
                                    .step = i,
                                    .lba = 200,
                                    .block_count = 1,
                                    .old_data = span_of(steps->blocks[i], 512),
                                    .new_data = span_of(steps->blocks[i + 1], 512),
                                    .new_digests = span_of(digests[i], sizeof(digests[i]))};
    }
    if (steps->in_full)
        records[0].new_data = span_of(NULL, 0);
    assert_int_equal(journal_build_small(&p->arena, &journal, sizeof(steps->data) - 4, &file),
                     ST_OK);
    memset(steps->data, 0, 4);
    steps->data[0] = 1;
    memcpy(steps->data + 4, file.at, file.size);
    steps->size = 4 + file.size;
}

/* Takes the change back from where power was cut; gives what the command ended with. */
static unsigned take_back(struct planning *p, const struct two_steps *steps, const void *now)
{
    mem_block_write(p->host->disks[1], 200 * 512, now, 512);
    mem_vars_put(p->host->vars, &own_vendor, JOURNAL_VARIABLE_NAME,
                 VAR_NON_VOLATILE | VAR_BOOT_SERVICE, steps->data, steps->size);
    return fixture_run(p->host, "undo -y");
}

static void assert_block(const struct planning *p, const void *wanted)
{
    uint8_t block[512];

    mem_block_peek(p->host->disks[1], 200 * 512, block, sizeof(block));
    assert_memory_equal(block, wanted, sizeof(block));
}

/* The first step is told in full, or both by what differs. Power was cut before the first, between them, or
 * behind the second. */
static void a_block_of_two_steps_comes_back(void **state)
{
    static uint8_t blocks[2][3][512];

    (void)state;
    for (size_t i = 0; i < 512; i++)
        blocks[1][0][i] = blocks[1][1][i] = blocks[1][2][i] = (uint8_t)(i * 7 + i / 5);
    for (size_t form = 0; form < 2; form++) {
        blocks[form][1][0] = blocks[form][2][0] = 1;
        blocks[form][2][1] = 2;
        struct planning *p = planning_begin(without_a_volume());
        struct two_steps steps = {.blocks = (const uint8_t(*)[512])blocks[form],
                                  .in_full = form == 0};
        build_two_steps(p, &steps);
        for (size_t cut = 0; cut < 3; cut++) {
            assert_int_equal(take_back(p, &steps, blocks[form][cut]), 0);
            assert_block(p, blocks[form][0]);
            assert_null(place_of(p->host));
        }
        planning_end(p);
    }
}

/* What differs tells the old content only of a block that is known. */
static void a_block_that_somebody_wrote_to_stays_as_it_is(void **state)
{
    static uint8_t blocks[3][512];
    uint8_t others[512] = "somebody else's";
    struct planning *p = planning_begin(without_a_volume());
    struct two_steps steps = {.blocks = (const uint8_t(*)[512])blocks};

    (void)state;
    for (size_t i = 0; i < 512; i++)
        blocks[0][i] = blocks[1][i] = blocks[2][i] = (uint8_t)(i * 7 + i / 5);
    blocks[1][0] = blocks[2][0] = 1;
    blocks[2][1] = 2;
    build_two_steps(p, &steps);
    assert_int_equal(take_back(p, &steps, others), 27);
    assert_block(p, others);
    assert_non_null(place_of(p->host));
    mem_block_spoil(p->host->disks[1], 200, 1);
    assert_int_equal(take_back(p, &steps, blocks[2]), 7);
    assert_block(p, blocks[2]);
    assert_non_null(place_of(p->host));
    planning_end(p);
}

#define CASE(test)  cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define PLACE(test) cmocka_unit_test(test)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_write_that_arrives_garbled_once_is_written_again),
        CASE(what_stays_garbled_is_taken_back_by_force),
        CASE(nothing_forces_a_change_that_was_finished),
        CASE(nor_does_another_command),
        CASE(an_undo_that_could_not_write_is_gone_on_with),
        PLACE(what_a_format_covered_comes_back_under_a_later_change),
        PLACE(free_space_that_a_change_relies_on_is_kept),
        PLACE(an_interrupted_change_needs_no_second_place_to_be_taken_back),
        PLACE(a_place_that_does_not_read_is_not_free),
        PLACE(taking_back_from_the_variable_survives_power_cuts),
        PLACE(who_gives_it_up_has_the_place_again),
        PLACE(what_cannot_be_taken_back_gives_its_place_away),
        PLACE(what_a_missing_disk_needs_keeps_its_place),
        PLACE(a_block_of_two_steps_comes_back),
        PLACE(a_block_that_somebody_wrote_to_stays_as_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
