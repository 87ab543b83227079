/* The ports over memory and image files keep the contracts of include/port, and faults come when
 * and as they are ordered. */
#define _POSIX_C_SOURCE 200809L

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <cmocka.h>
#include <sanitizer/asan_interface.h>

#include "host/fault.h"
#include "host/host_alloc.h"
#include "host/host_ports.h"
#include "host/host_run.h"
#include "host/image_block.h"
#include "host/image_files.h"
#include "host/var_rules.h"
#include "host/vars_file.h"
#include "linux/clock.h"
#include "port/count.h"

#define NV_BS_RT 7u
#define BS_RT    6u

/* PciRoot(0x0)/Pci(0x2,0x0)/NVMe(0x1,00-25-38-00-00-00-00-01), from the specification's tables. */
static const uint8_t nvme_path[] = {0x02, 0x01, 0x0c, 0x00, 0xd0, 0x41, 0x03, 0x0a, 0x00, 0x00,
                                    0x00, 0x00, 0x01, 0x01, 0x06, 0x00, 0x00, 0x02, 0x03, 0x17,
                                    0x10, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x52, 0x38, 0x00,
                                    0x00, 0x00, 0x00, 0x01, 0x7f, 0xff, 0x04, 0x00};

/* Active, "A", \A (a file node), end; no optional data. */
static const uint8_t option_a[] = {0x01, 0x00, 0x00, 0x00, 0x0e, 0x00, 'A',  0x00,
                                   0x00, 0x00, 0x04, 0x04, 0x0a, 0x00, '\\', 0x00,
                                   'A',  0x00, 0x00, 0x00, 0x7f, 0xff, 0x04, 0x00};

static const uint8_t mark[] = {0x4e, 0xac, 0x08, 0x81, 0x11, 0x9f, 0x59, 0x4d,
                               0x85, 0x0e, 0xe2, 0x1a, 0x52, 0x2c, 0x59, 0xb2};

/* A boot manager's own entry, told apart by `letter`. */
struct auto_option {
    uint8_t bytes[sizeof(option_a) + sizeof(mark)];
};

static struct auto_option auto_option(char letter)
{
    struct auto_option option;

    memcpy(option.bytes, option_a, sizeof(option_a));
    memcpy(option.bytes + sizeof(option_a), mark, sizeof(mark));
    option.bytes[6] = (uint8_t)letter;
    return option;
}

/* ---- disks in memory ---- */

static void nothing_written_reads_as_zeros(void **state)
{
    struct mem_block *disk = mem_block_new(512, 100, span_of(nvme_path, sizeof(nvme_path)), "X");
    struct block_port port = mem_block_port(disk);
    uint8_t *block = malloc(1024);

    (void)state;
    memset(block, 0xff, 1024);
    assert_int_equal(port.read(port.ctx, 98, 2, block), ST_OK);
    assert_true(span_is_zero(span_of(block, 1024)));
    free(block);
    mem_block_free(disk);
}

static void bytes_written_across_pages_read_back_at_the_right_block(void **state)
{
    struct mem_block *disk = mem_block_new(4096, 100, span_of(nvme_path, sizeof(nvme_path)), "X");
    struct block_port port = mem_block_port(disk);
    uint8_t pattern[6000];
    uint8_t *blocks = malloc(3 * 4096);

    (void)state;
    for (size_t i = 0; i < sizeof(pattern); i++)
        pattern[i] = (uint8_t)(i * 7 + 1);
    mem_block_write(disk, 2 * 4096 + 4000, pattern, sizeof(pattern));
    assert_int_equal(port.read(port.ctx, 2, 3, blocks), ST_OK);
    assert_true(span_is_zero(span_of(blocks, 4000)));
    assert_memory_equal(blocks + 4000, pattern, sizeof(pattern));
    assert_true(span_is_zero(span_of(blocks + 10000, 3 * 4096 - 10000)));
    free(blocks);
    mem_block_free(disk);
}

static void reads_beyond_the_end_are_io_errors(void **state)
{
    struct mem_block *disk = mem_block_new(512, 10, span_of(nvme_path, sizeof(nvme_path)), "X");
    struct block_port port = mem_block_port(disk);
    uint8_t block[1024];

    (void)state;
    assert_int_equal(port.read(port.ctx, 9, 1, block), ST_OK);
    assert_int_equal(port.read(port.ctx, 9, 2, block), ST_IO);
    assert_int_equal(port.read(port.ctx, 11, 0, block), ST_IO);
    assert_int_equal(port.read(port.ctx, UINT64_MAX, 2, block), ST_IO);
    mem_block_free(disk);
}

static void a_large_disk_takes_little_memory(void **state)
{
    uint64_t blocks = (uint64_t)9 * 1024 * 1024 * 1024 / 512;
    struct mem_block *disk = mem_block_new(512, blocks, span_of(nvme_path, sizeof(nvme_path)), "X");
    uint8_t back = 0;

    (void)state;
    mem_block_write(disk, 0, "a", 1);
    mem_block_write(disk, blocks * 512 - 1, "z", 1);
    mem_block_peek(disk, blocks * 512 - 1, &back, 1);
    assert_int_equal(back, 'z');
    assert_in_range(mem_block_footprint(disk), 1, 64 * 1024);
    mem_block_free(disk);
}

static void spoiled_blocks_fail_and_their_neighbours_do_not(void **state)
{
    struct mem_block *disk = mem_block_new(512, 100, span_of(nvme_path, sizeof(nvme_path)), "X");
    struct block_port port = mem_block_port(disk);
    uint8_t blocks[4 * 512];

    (void)state;
    mem_block_spoil(disk, 10, 2);
    assert_int_equal(port.read(port.ctx, 6, 4, blocks), ST_OK);
    assert_int_equal(port.read(port.ctx, 7, 4, blocks), ST_IO);
    assert_int_equal(port.read(port.ctx, 11, 1, blocks), ST_IO);
    assert_int_equal(port.read(port.ctx, 12, 4, blocks), ST_OK);
    mem_block_set_gone(disk, true);
    assert_int_equal(port.read(port.ctx, 12, 4, blocks), ST_IO);
    mem_block_free(disk);
}

static void disk_paths_are_those_of_the_specification(void **state)
{
    static const uint8_t sata[] = {0x02, 0x01, 0x0c, 0x00, 0xd0, 0x41, 0x03, 0x0a, 0x00, 0x00, 0x00,
                                   0x00, 0x01, 0x01, 0x06, 0x00, 0x02, 0x1f, 0x03, 0x12, 0x0a, 0x00,
                                   0x03, 0x00, 0xff, 0xff, 0x00, 0x00, 0x7f, 0xff, 0x04, 0x00};
    static const uint8_t usb[] = {0x02, 0x01, 0x0c, 0x00, 0xd0, 0x41, 0x03, 0x0a, 0x00, 0x00,
                                  0x00, 0x00, 0x01, 0x01, 0x06, 0x00, 0x00, 0x14, 0x03, 0x05,
                                  0x06, 0x00, 0x02, 0x00, 0x7f, 0xff, 0x04, 0x00};
    uint8_t path[DISK_PATH_SIZE];

    (void)state;
    assert_int_equal(disk_path_make(DISK_NVME, 0, path), sizeof(nvme_path));
    assert_memory_equal(path, nvme_path, sizeof(nvme_path));
    assert_int_equal(disk_path_make(DISK_AHCI, 3, path), sizeof(sata));
    assert_memory_equal(path, sata, sizeof(sata));
    assert_int_equal(disk_path_make(DISK_USB, 2, path), sizeof(usb));
    assert_memory_equal(path, usb, sizeof(usb));
}

/* ---- disks over image files ---- */

/* A fresh file of `size` zero bytes; its name to be freed. */
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

static void an_image_reads_in_blocks_of_the_chosen_size(void **state)
{
    char *name = make_file(5 * 4096 + 100);
    FILE *to = fopen(name, "r+b");
    struct image_block *disk = NULL;
    uint8_t *block = malloc(2 * 4096);

    (void)state;
    fseek(to, 4096, SEEK_SET);
    fputs("second block", to);
    fclose(to);
    assert_int_equal(
        image_block_open(name, 4096, span_of(nvme_path, sizeof(nvme_path)), "Image", &disk), ST_OK);
    struct block_port port = image_block_port(disk);
    assert_int_equal(port.block_count, 5);
    assert_int_equal(port.block_size, 4096);
    assert_string_equal(port.model, "Image");
    assert_memory_equal(port.path.at, nvme_path, sizeof(nvme_path));
    assert_int_equal(port.read(port.ctx, 1, 2, block), ST_OK);
    assert_memory_equal(block, "second block", 13);
    assert_int_equal(port.read(port.ctx, 4, 2, block), ST_IO);
    image_block_close(disk);
    free(block);
    drop_file(name);
}

static void an_image_that_is_not_there_is_absent(void **state)
{
    struct image_block *disk = NULL;

    (void)state;
    assert_int_equal(image_block_open("/nonexistent/disk", 512,
                                      span_of(nvme_path, sizeof(nvme_path)), "", &disk),
                     ST_ABSENT);
    assert_null(disk);
}

/* ---- variables ---- */

static enum status set_boot(const struct vars_port *port, const char *name)
{
    return port->set(port->ctx, NULL, name, NV_BS_RT, option_a, sizeof(option_a));
}

static void a_variable_reads_back_with_its_attributes(void **state)
{
    struct mem_vars *vars = mem_vars_new(MEM_VARS_TOTAL);
    struct vars_port port = mem_vars_port(vars);
    uint8_t *data = malloc(sizeof(option_a));
    uint32_t attributes = 0;
    size_t size = 0;

    (void)state;
    assert_int_equal(set_boot(&port, "Boot001A"), ST_OK);
    assert_int_equal(port.get(port.ctx, NULL, "Boot001A", &attributes, NULL, 0, &size),
                     ST_TOO_SMALL);
    assert_int_equal(size, sizeof(option_a));
    assert_int_equal(attributes, 0);
    assert_int_equal(
        port.get(port.ctx, NULL, "Boot001A", &attributes, data, sizeof(option_a), &size), ST_OK);
    assert_int_equal(attributes, NV_BS_RT);
    assert_memory_equal(data, option_a, sizeof(option_a));
    assert_int_equal(
        port.get(port.ctx, NULL, "Boot001B", &attributes, data, sizeof(option_a), &size),
        ST_ABSENT);
    free(data);
    mem_vars_free(vars);
}

static void variable_of_another_vendor_is_read_by_it(void **state)
{
    static const struct guid vendor = GUID_INIT(0xd719b2cb, 0x3d3a, 0x4596, 0xa3bc, 0xdad00e67656f);
    struct mem_vars *vars = mem_vars_new(MEM_VARS_TOTAL);
    struct vars_port port = mem_vars_port(vars);
    uint32_t attributes = 0;
    char data[4];
    size_t size = 0;

    (void)state;
    mem_vars_put(vars, &vendor, "db", NV_BS_RT, "abc", 3);
    mem_vars_put(vars, NULL, "dbx", NV_BS_RT, "d", 1);
    assert_int_equal(port.get(port.ctx, &vendor, "db", &attributes, data, 4, &size), ST_OK);
    assert_int_equal(size, 3);
    assert_memory_equal(data, "abc", 3);
    assert_int_equal(port.get(port.ctx, NULL, "db", &attributes, data, 4, &size), ST_ABSENT);
    assert_int_equal(port.get(port.ctx, &vendor, "dbx", &attributes, data, 4, &size), ST_ABSENT);
    mem_vars_free(vars);
}

static void names_that_edk2_does_not_know_are_refused(void **state)
{
    static const char *const names[] = {"Boot001a", "Boot20",     "Boot00200", "Boot",
                                        "boot0001", "ShadowBoot", "bootorder", ""};
    struct mem_vars *vars = mem_vars_new(MEM_VARS_TOTAL);
    struct vars_port port = mem_vars_port(vars);

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_int_equal(set_boot(&port, names[i]), ST_REFUSED);
    assert_int_equal(mem_vars_count(vars), 0);
    mem_vars_free(vars);
}

static void wrong_attributes_are_refused(void **state)
{
    static const uint32_t wrong[] = {6, 3, 1, 0, 0x27};
    struct mem_vars *vars = mem_vars_new(MEM_VARS_TOTAL);
    struct vars_port port = mem_vars_port(vars);

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(port.set(port.ctx, NULL, "Boot0000", wrong[i], option_a, sizeof(option_a)),
                         ST_REFUSED);
    mem_vars_put(vars, NULL, "Timeout", BS_RT, "\5", 2);
    assert_int_equal(port.set(port.ctx, NULL, "Timeout", NV_BS_RT, "\7", 2), ST_REFUSED);
    assert_int_equal(port.set(port.ctx, NULL, "Timeout", 0, NULL, 0), ST_OK);
    assert_int_equal(port.set(port.ctx, NULL, "Timeout", NV_BS_RT, "\7", 2), ST_OK);
    mem_vars_free(vars);
}

static void every_cut_of_a_load_option_is_refused(void **state)
{
    struct mem_vars *vars = mem_vars_new(MEM_VARS_TOTAL);
    struct vars_port port = mem_vars_port(vars);

    (void)state;
    for (size_t size = 1; size < sizeof(option_a); size++) {
        uint8_t *cut = malloc(size);
        memcpy(cut, option_a, size);
        assert_int_equal(port.set(port.ctx, NULL, "Boot0000", NV_BS_RT, cut, size), ST_REFUSED);
        free(cut);
    }
    assert_int_equal(set_boot(&port, "Boot0000"), ST_OK);
    mem_vars_free(vars);
}

static void malformed_load_options_are_refused(void **state)
{
    static const struct {
        size_t offset;
        uint8_t value;
    } damages[] = {
        {4, 0x0f},  /* list longer than the value */
        {4, 0x0d},  /* list ends inside its end node */
        {4, 0x0a},  /* list without an end node */
        {4, 0x00},  /* empty list */
        {12, 0x03}, /* node shorter than its header */
        {12, 0x0b}, /* nodes do not meet the end */
        {20, 0x04}, /* end node is another type */
        {8, 0x01},  /* description not closed in time */
    };
    struct mem_vars *vars = mem_vars_new(MEM_VARS_TOTAL);
    struct vars_port port = mem_vars_port(vars);

    (void)state;
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        uint8_t *bad = malloc(sizeof(option_a));
        memcpy(bad, option_a, sizeof(option_a));
        bad[damages[i].offset] = damages[i].value;
        assert_int_equal(port.set(port.ctx, NULL, "Boot0000", NV_BS_RT, bad, sizeof(option_a)),
                         ST_REFUSED);
        free(bad);
    }
    mem_vars_free(vars);
}

static void a_node_shorter_than_its_header_is_refused(void **state)
{
    /* Taken at its word, the first node of two bytes leads to a path that ends well. */
    static const uint8_t value[] = {0x01, 0x00, 0x00, 0x00, 0x0a, 0x00, 'A',  0x00, 0x00, 0x00,
                                    0x04, 0x04, 0x02, 0x00, 0x04, 0x00, 0x7f, 0xff, 0x04, 0x00};

    (void)state;
    assert_false(var_rules_load_option(span_of(value, sizeof(value))));
}

static void boot_order_takes_any_even_length_only(void **state)
{
    struct mem_vars *vars = mem_vars_new(MEM_VARS_TOTAL);
    struct vars_port port = mem_vars_port(vars);

    (void)state;
    assert_int_equal(port.set(port.ctx, NULL, "BootOrder", NV_BS_RT, "\1\0\377\377\1\0", 6), ST_OK);
    assert_int_equal(port.set(port.ctx, NULL, "BootOrder", NV_BS_RT, "\1\0\2", 3), ST_REFUSED);
    assert_int_equal(port.set(port.ctx, NULL, "BootNext", NV_BS_RT, "\1\0\2\0", 4), ST_REFUSED);
    assert_int_equal(port.set(port.ctx, NULL, "BootNext", NV_BS_RT, "\1\0", 2), ST_OK);
    mem_vars_free(vars);
}

static void variables_of_another_vendor_are_set_apart(void **state)
{
    static const struct guid vendor = GUID_INIT(1, 2, 3, 4, 5);
    struct mem_vars *vars = mem_vars_new(MEM_VARS_TOTAL);
    struct vars_port port = mem_vars_port(vars);

    (void)state;
    assert_int_equal(port.set(port.ctx, &vendor, "Ours", NV_BS_RT, "ab", 2), ST_OK);
    assert_int_equal(port.set(port.ctx, NULL, "Ours", NV_BS_RT, "ab", 2), ST_REFUSED);
    assert_null(mem_vars_find(vars, NULL, "Ours"));
    assert_int_equal(mem_vars_find(vars, &vendor, "Ours")->size, 2);
    assert_int_equal(port.set(port.ctx, NULL, "Ours", NV_BS_RT, NULL, 0), ST_ABSENT);
    assert_int_equal(port.set(port.ctx, &vendor, "Ours", NV_BS_RT, NULL, 0), ST_OK);
    assert_int_equal(mem_vars_count(vars), 0);
    mem_vars_free(vars);
}

static void deleting_takes_the_variable_away_once(void **state)
{
    struct mem_vars *vars = mem_vars_new(MEM_VARS_TOTAL);
    struct vars_port port = mem_vars_port(vars);

    (void)state;
    assert_int_equal(set_boot(&port, "Boot0000"), ST_OK);
    assert_int_equal(port.set(port.ctx, NULL, "Boot0000", NV_BS_RT, NULL, 0), ST_OK);
    assert_int_equal(port.set(port.ctx, NULL, "Boot0000", NV_BS_RT, NULL, 0), ST_ABSENT);
    assert_int_equal(mem_vars_count(vars), 0);
    mem_vars_free(vars);
}

static void the_quota_counts_header_name_and_data(void **state)
{
    /* 60 + 2 * 9 + 24 bytes for Boot0000, and one byte less than that again. */
    uint64_t one = 60 + 18 + sizeof(option_a);
    struct mem_vars *vars = mem_vars_new(2 * one - 1);
    struct vars_port port = mem_vars_port(vars);
    struct var_space space;

    (void)state;
    assert_int_equal(set_boot(&port, "Boot0000"), ST_OK);
    assert_int_equal(port.space(port.ctx, &space), ST_OK);
    assert_int_equal(space.total, 2 * one - 1);
    assert_int_equal(space.remaining, one - 1);
    assert_int_equal(set_boot(&port, "Boot0001"), ST_NO_SPACE);
    assert_int_equal(set_boot(&port, "Boot0000"), ST_OK);
    assert_int_equal(port.set(port.ctx, NULL, "BootCurrent", BS_RT, "\0\0", 2), ST_OK);
    mem_vars_set_total(vars, 2 * one);
    assert_int_equal(set_boot(&port, "Boot0001"), ST_OK);
    mem_vars_set_total(vars, 10);
    assert_int_equal(port.space(port.ctx, &space), ST_OK);
    assert_int_equal(space.remaining, 0);
    mem_vars_set_space_unknown(vars, true);
    assert_int_equal(port.space(port.ctx, &space), ST_UNSUPPORTED);
    mem_vars_free(vars);
}

static void a_read_only_store_changes_nothing(void **state)
{
    struct mem_vars *vars = mem_vars_new(MEM_VARS_TOTAL);
    struct vars_port port = mem_vars_port(vars);

    (void)state;
    assert_int_equal(set_boot(&port, "Boot0000"), ST_OK);
    mem_vars_set_read_only(vars, true);
    assert_int_equal(set_boot(&port, "Boot0001"), ST_READ_ONLY);
    assert_int_equal(port.set(port.ctx, NULL, "Boot0000", NV_BS_RT, NULL, 0), ST_READ_ONLY);
    assert_int_equal(mem_vars_count(vars), 1);
    assert_int_equal(mem_vars_changes(vars), 1);
    mem_vars_free(vars);
}

/* Names joined by blanks as the walk gives them, at most `limit`. */
static const char *walk(const struct vars_port *port, unsigned limit)
{
    static char names[1024];
    struct var_id id;
    bool restart = true;

    names[0] = 0;
    while (limit-- > 0 && port->next(port->ctx, restart, &id) == ST_OK) {
        restart = false;
        strcat(strcat(names, id.name), " ");
    }
    return names;
}

static void the_walk_is_in_order_of_creation_over_all_vendors(void **state)
{
    static const struct guid other = GUID_INIT(0xfab7e9e1, 0x39dd, 0x4f2b, 0x8408, 0xe20e906cb6de);
    struct mem_vars *vars = mem_vars_new(MEM_VARS_TOTAL);
    struct vars_port port = mem_vars_port(vars);
    struct var_id id;

    (void)state;
    set_boot(&port, "Boot0002");
    mem_vars_put(vars, &other, "HDDP", 3, "x", 1);
    set_boot(&port, "Boot0001");
    set_boot(&port, "Boot0002");
    assert_string_equal(walk(&port, 100), "Boot0002 HDDP Boot0001 ");
    assert_int_equal(port.next(port.ctx, true, &id), ST_OK);
    assert_int_equal(port.next(port.ctx, false, &id), ST_OK);
    assert_true(guid_equal(&id.vendor, &other));
    uint32_t attributes = 0;
    size_t size = 0;
    assert_int_equal(port.get(port.ctx, NULL, "HDDP", &attributes, NULL, 0, &size), ST_ABSENT);
    mem_vars_free(vars);
}

static void a_set_in_the_middle_of_a_walk_ends_it(void **state)
{
    struct mem_vars *vars = mem_vars_new(MEM_VARS_TOTAL);
    struct vars_port port = mem_vars_port(vars);
    struct var_id id;

    (void)state;
    assert_int_equal(port.next(port.ctx, false, &id), ST_IO);
    set_boot(&port, "Boot0000");
    set_boot(&port, "Boot0001");
    assert_int_equal(port.next(port.ctx, true, &id), ST_OK);
    set_boot(&port, "Boot0002");
    assert_int_equal(port.next(port.ctx, false, &id), ST_IO);
    assert_int_equal(port.next(port.ctx, true, &id), ST_OK);
    mem_vars_free(vars);
}

static void the_walk_repeats_names_and_goes_round_when_told(void **state)
{
    struct mem_vars *vars = mem_vars_new(MEM_VARS_TOTAL);
    struct vars_port port = mem_vars_port(vars);

    (void)state;
    mem_vars_set_endless(vars, true);
    assert_string_equal(walk(&port, 3), "");
    set_boot(&port, "Boot0000");
    set_boot(&port, "Boot0001");
    assert_string_equal(walk(&port, 5), "Boot0000 Boot0001 Boot0000 Boot0001 Boot0000 ");
    mem_vars_set_endless(vars, false);
    mem_vars_list_twice(vars, "Boot0000");
    assert_string_equal(walk(&port, 5), "Boot0000 Boot0001 Boot0000 ");
    mem_vars_free(vars);
}

static void long_and_strange_names_are_cut_but_told_apart(void **state)
{
    struct mem_vars *vars = mem_vars_new(MEM_VARS_TOTAL);
    struct vars_port port = mem_vars_port(vars);
    struct guid other = {{1}};
    struct var_id a;
    struct var_id b;
    char name[101];

    (void)state;
    memset(name, 'n', 100);
    name[100] = 0;
    name[0] = '\x01';
    mem_vars_put(vars, &other, name, 7, "x", 1);
    name[99] = 'm';
    mem_vars_put(vars, &other, name, 7, "x", 1);
    assert_int_equal(port.next(port.ctx, true, &a), ST_OK);
    assert_int_equal(port.next(port.ctx, false, &b), ST_OK);
    assert_int_equal(strlen(a.name), VAR_NAME_SIZE - 1);
    assert_int_equal(a.name[0], '?');
    assert_string_equal(a.name, b.name);
    assert_true(a.hash != b.hash);
    mem_vars_free(vars);
}

static void a_huge_variable_never_fits(void **state)
{
    struct mem_vars *vars = mem_vars_new(MEM_VARS_TOTAL);
    struct vars_port port = mem_vars_port(vars);
    uint8_t data[100];
    uint32_t attributes = 0;
    size_t size = 0;

    (void)state;
    set_boot(&port, "Boot0000");
    mem_vars_make_huge(vars, "Boot0000");
    assert_int_equal(port.get(port.ctx, NULL, "Boot0000", &attributes, data, sizeof(data), &size),
                     ST_TOO_SMALL);
    assert_true(size == (size_t)1 << 32);
    mem_vars_free(vars);
}

static void the_log_holds_what_was_tried(void **state)
{
    struct mem_vars *vars = mem_vars_new(MEM_VARS_TOTAL);
    struct vars_port port = mem_vars_port(vars);

    (void)state;
    set_boot(&port, "Boot0000");
    set_boot(&port, "Boot000a");
    assert_int_equal(port.set(port.ctx, NULL, "Boot0000", NV_BS_RT, NULL, 0), ST_OK);
    assert_int_equal(mem_vars_log_count(vars), 3);
    assert_string_equal(mem_vars_log_at(vars, 0)->name, "Boot0000");
    assert_int_equal(mem_vars_log_at(vars, 0)->size, sizeof(option_a));
    assert_string_equal(mem_vars_log_at(vars, 1)->name, "Boot000a");
    assert_int_equal(mem_vars_log_at(vars, 1)->status, ST_REFUSED);
    assert_int_equal(mem_vars_log_at(vars, 2)->size, 0);
    assert_int_equal(mem_vars_changes(vars), 2);
    mem_vars_log_clear(vars);
    assert_int_equal(mem_vars_log_count(vars), 0);
    mem_vars_free(vars);
}

static void a_clone_is_equal_until_it_changes(void **state)
{
    struct mem_vars *vars = mem_vars_new(MEM_VARS_TOTAL);
    struct vars_port port = mem_vars_port(vars);

    (void)state;
    set_boot(&port, "Boot0000");
    struct mem_vars *clone = mem_vars_clone(vars);
    assert_true(mem_vars_equal(vars, clone));
    mem_vars_put(clone, NULL, "Boot0000", NV_BS_RT, option_a, sizeof(option_a) - 1);
    assert_false(mem_vars_equal(vars, clone));
    mem_vars_free(clone);
    mem_vars_free(vars);
}

static void assert_order(const struct mem_vars *vars, const char *bytes, size_t size)
{
    const struct mem_var *order = mem_vars_find(vars, NULL, "BootOrder");

    assert_non_null(order);
    assert_int_equal(order->size, size);
    assert_memory_equal(order->data, bytes, size);
}

static void the_next_start_overwrites_an_unlisted_entry(void **state)
{
    struct mem_vars *vars = mem_vars_new(MEM_VARS_TOTAL);
    struct auto_option disk = auto_option('D');
    struct span auto_entry = span_of(disk.bytes, sizeof(disk.bytes));

    (void)state;
    mem_vars_put(vars, NULL, "Boot0000", NV_BS_RT, option_a, sizeof(option_a));
    mem_vars_put(vars, NULL, "Boot0001", NV_BS_RT, option_a, sizeof(option_a)); /* not listed */
    mem_vars_put(vars, NULL, "Boot0003", NV_BS_RT, option_a, sizeof(option_a));
    mem_vars_put(vars, NULL, "BootOrder", NV_BS_RT, "\3\0\0\0", 4);
    mem_vars_bdsp(vars, &auto_entry, 1);
    assert_order(vars, "\3\0\0\0\1\0", 6);
    assert_memory_equal(mem_vars_find(vars, NULL, "Boot0001")->data, disk.bytes,
                        sizeof(disk.bytes));
    mem_vars_bdsp(vars, &auto_entry, 1);
    assert_order(vars, "\3\0\0\0\1\0", 6);
    mem_vars_free(vars);
}

static void the_next_start_spares_the_number_of_boot_next_and_uses_it_up(void **state)
{
    struct mem_vars *vars = mem_vars_new(MEM_VARS_TOTAL);
    struct auto_option disk = auto_option('D');
    struct span auto_entry = span_of(disk.bytes, sizeof(disk.bytes));

    (void)state;
    mem_vars_put(vars, NULL, "Boot0000", NV_BS_RT, option_a, sizeof(option_a));
    mem_vars_put(vars, NULL, "BootNext", NV_BS_RT, "\0\0", 2);
    mem_vars_bdsp(vars, &auto_entry, 1);
    assert_order(vars, "\1\0", 2);
    assert_int_equal(mem_vars_find(vars, NULL, "Boot0000")->size, sizeof(option_a));
    assert_null(mem_vars_find(vars, NULL, "BootNext"));
    mem_vars_free(vars);
}

static void the_next_start_prunes_missing_and_malformed_entries(void **state)
{
    struct mem_vars *vars = mem_vars_new(MEM_VARS_TOTAL);

    (void)state;
    mem_vars_put(vars, NULL, "Boot0000", NV_BS_RT, option_a, sizeof(option_a));
    mem_vars_put(vars, NULL, "Boot0001", NV_BS_RT, "ab", 2);
    mem_vars_put(vars, NULL, "BootOrder", NV_BS_RT, "\7\0\0\0\1\0\0\0", 8);
    mem_vars_bdsp(vars, NULL, 0);
    assert_order(vars, "\0\0\0\0", 4);
    assert_null(mem_vars_find(vars, NULL, "Boot0001"));
    mem_vars_free(vars);
}

static void the_next_start_deletes_marked_entries_of_absent_disks_only(void **state)
{
    struct mem_vars *vars = mem_vars_new(MEM_VARS_TOTAL);
    struct auto_option gone = auto_option('G');
    struct auto_option here = auto_option('H');
    struct span auto_entry = span_of(here.bytes, sizeof(here.bytes));

    (void)state;
    mem_vars_put(vars, NULL, "Boot0000", NV_BS_RT, gone.bytes, sizeof(gone.bytes));
    mem_vars_put(vars, NULL, "Boot0001", NV_BS_RT, option_a, sizeof(option_a));
    mem_vars_put(vars, NULL, "Boot0002", NV_BS_RT, here.bytes, sizeof(here.bytes));
    mem_vars_put(vars, NULL, "BootOrder", NV_BS_RT, "\0\0\2\0\1\0", 6);
    mem_vars_bdsp(vars, &auto_entry, 1);
    assert_order(vars, "\2\0\1\0", 4);
    assert_null(mem_vars_find(vars, NULL, "Boot0000"));
    mem_vars_free(vars);
}

static void a_saved_store_loads_as_it_was(void **state)
{
    static const struct guid other = GUID_INIT(0xfab7e9e1, 0x39dd, 0x4f2b, 0x8408, 0xe20e906cb6de);
    char *name = make_file(0);
    struct mem_vars *vars = mem_vars_new(MEM_VARS_TOTAL);
    struct mem_vars *back = NULL;

    (void)state;
    mem_vars_put(vars, NULL, "Boot0000", NV_BS_RT, option_a, sizeof(option_a));
    mem_vars_put(vars, &other, "a b/c%#\n\xc3", 3, "x", 1);
    mem_vars_put(vars, NULL, "Empty", 7, NULL, 0);
    assert_int_equal(vars_file_save(name, vars), ST_OK);
    assert_int_equal(vars_file_load(name, MEM_VARS_TOTAL, &back, NULL), ST_OK);
    assert_true(mem_vars_equal(vars, back));
    assert_string_equal(mem_vars_at(back, 1)->name, "a b/c%#\n\xc3");
    mem_vars_free(back);
    mem_vars_free(vars);
    drop_file(name);
}

static void write_text(const char *name, const char *text)
{
    FILE *to = fopen(name, "w");

    assert_non_null(to);
    fputs(text, to);
    fclose(to);
}

static void a_store_in_plain_text_is_read(void **state)
{
    char *name = make_file(0);
    struct mem_vars *vars = NULL;

    (void)state;
    write_text(name, "# a comment\n\nTimeout 7 0500\n"
                     "{fab7e9e1-39dd-4f2b-8408-e20e906cb6de}/HDDP 00000003 aBcD\n");
    assert_int_equal(vars_file_load(name, 1000, &vars, NULL), ST_OK);
    assert_int_equal(mem_vars_count(vars), 2);
    assert_memory_equal(mem_vars_find(vars, NULL, "Timeout")->data, "\5\0", 2);
    assert_memory_equal(mem_vars_at(vars, 1)->data, "\xab\xcd", 2);
    mem_vars_free(vars);
    drop_file(name);
}

static void a_damaged_store_is_reported_with_its_line(void **state)
{
    static const char *const damages[] = {
        "Timeout 7 0500\nBootNext 7\n",           "Timeout 7 0500\nBootNext 7 010\n",
        "Timeout 7 0500\nBootNext 7 01zz\n",      "Timeout 7 0500\nBootNext x 0100\n",
        "Timeout 7 0500\n{1234}/BootNext 7 01\n", "Timeout 7 0500\nBoot%0 7 01\n",
        "Timeout 7 0500\nTimeout 7 0500\n",       "Timeout 7 0500\nBootNext 7 01 02\n",
    };
    char *name = make_file(0);

    (void)state;
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        struct mem_vars *vars = NULL;
        unsigned line = 0;
        write_text(name, damages[i]);
        assert_int_equal(vars_file_load(name, 1000, &vars, &line), ST_DAMAGED);
        assert_int_equal(line, 2);
        assert_null(vars);
    }
    drop_file(name);
}

static void a_store_that_is_not_there_is_absent(void **state)
{
    struct mem_vars *vars = NULL;

    (void)state;
    assert_int_equal(vars_file_load("/nonexistent/vars", 1000, &vars, NULL), ST_ABSENT);
    assert_null(vars);
}

/* ---- files: the same tests over memory and over an image ---- */

struct volume_case {
    struct files_port port;
    struct mem_files *memory;
    struct image_files *images;
    char *image;
};

static int open_memory(void **state)
{
    struct volume_case *test = host_alloc(1, sizeof(*test));

    test->memory = mem_files_new();
    mem_files_add_volume(test->memory, span_of(nvme_path, sizeof(nvme_path)), "FS0:", 1 << 20);
    test->port = mem_files_port(test->memory);
    *state = test;
    return 0;
}

/* Makes a FAT at 1 MiB into a file; false where there is no mtools. */
static bool format_image(const char *image, const char *sectors)
{
    char where[256];
    char *output = NULL;
    const char *const argv[] = {"mformat", "-i", where, "-T", sectors, "-h", "2",
                                "-s",      "16", "-c",  "1",  "::",    NULL};

    snprintf(where, sizeof(where), "%s@@1048576", image);
    int code = host_run(argv, &output);
    if (code != 0)
        print_message("mformat: %d %s\n", code, output);
    free(output);
    return code == 0;
}

static int open_image(void **state)
{
    struct volume_case *test = host_alloc(1, sizeof(*test));
    size_t volume = 99;

    test->image = make_file(4 << 20);
    test->images = image_files_new();
    if (!format_image(test->image, "4096") ||
        image_files_add_volume(test->images, test->image, 1 << 20,
                               span_of(nvme_path, sizeof(nvme_path)), "FS0:", &volume) != ST_OK ||
        volume != 0)
        return -1;
    test->port = image_files_port(test->images);
    *state = test;
    return 0;
}

static int close_volume(void **state)
{
    struct volume_case *test = *state;

    mem_files_free(test->memory);
    image_files_free(test->images);
    if (test->image != NULL)
        drop_file(test->image);
    free(test);
    return 0;
}

static enum status write_text_to(const struct files_port *port, const char *path,
                                 enum file_write_mode mode, const char *text)
{
    return port->write(port->ctx, 0, path, mode, text, strlen(text));
}

static void assert_holds(const struct files_port *port, const char *path, const char *text)
{
    char buffer[256];
    size_t size = 999;

    assert_int_equal(port->read(port->ctx, 0, path, 0, buffer, sizeof(buffer), &size), ST_OK);
    assert_int_equal(size, strlen(text));
    assert_memory_equal(buffer, text, size);
}

static void a_file_is_found_whatever_the_case_of_its_name(void **state)
{
    const struct files_port *port = &((struct volume_case *)*state)->port;
    struct file_info info;

    assert_int_equal(write_text_to(port, "\\EFI\\Boot\\bootx64.efi", FILE_CREATE, "loader"), ST_OK);
    assert_holds(port, "\\efi\\BOOT\\BOOTX64.EFI", "loader");
    assert_int_equal(port->stat(port->ctx, 0, "\\EFI\\BOOT\\BootX64.efi", &info), ST_OK);
    assert_true(strcasecmp(info.name, "bootx64.efi") == 0);
    assert_int_equal(info.size, 6);
    assert_false(info.is_directory);
    assert_int_equal(port->stat(port->ctx, 0, "\\efi", &info), ST_OK);
    assert_true(info.is_directory);
    assert_int_equal(port->stat(port->ctx, 0, "\\", &info), ST_OK);
    assert_true(info.is_directory);
}

static void what_is_not_there_is_absent(void **state)
{
    const struct files_port *port = &((struct volume_case *)*state)->port;
    struct file_info info;
    char byte = 0;
    size_t size = 77;

    assert_int_equal(write_text_to(port, "\\file", FILE_CREATE, "x"), ST_OK);
    assert_int_equal(port->stat(port->ctx, 0, "\\nowhere\\file", &info), ST_ABSENT);
    assert_int_equal(port->stat(port->ctx, 0, "\\file\\below", &info), ST_ABSENT);
    assert_int_equal(port->read(port->ctx, 0, "\\other", 0, &byte, 1, &size), ST_ABSENT);
    assert_int_equal(port->read(port->ctx, 0, "\\", 0, &byte, 1, &size), ST_ABSENT);
    assert_int_equal(size, 77);
    assert_int_equal(port->remove(port->ctx, 0, "\\other"), ST_ABSENT);
    assert_int_equal(port->list(port->ctx, 0, "\\file", 0, &info), ST_ABSENT);
    assert_int_equal(port->list(port->ctx, 0, "\\other", 0, &info), ST_ABSENT);
}

static void writing_keeps_to_its_mode(void **state)
{
    const struct files_port *port = &((struct volume_case *)*state)->port;

    assert_int_equal(write_text_to(port, "\\a.txt", FILE_APPEND, "no"), ST_ABSENT);
    assert_int_equal(write_text_to(port, "\\a.txt", FILE_CREATE, "first"), ST_OK);
    assert_int_equal(write_text_to(port, "\\A.TXT", FILE_CREATE, "again"), ST_EXISTS);
    assert_holds(port, "\\a.txt", "first");
    assert_int_equal(write_text_to(port, "\\a.txt", FILE_APPEND, "+more"), ST_OK);
    assert_holds(port, "\\a.txt", "first+more");
    assert_int_equal(write_text_to(port, "\\a.txt", FILE_REPLACE, "new"), ST_OK);
    assert_holds(port, "\\a.txt", "new");
    assert_int_equal(write_text_to(port, "\\a.txt", FILE_REPLACE, ""), ST_OK);
    assert_holds(port, "\\a.txt", "");
    assert_int_equal(write_text_to(port, "\\b.txt", FILE_REPLACE, "made"), ST_OK);
    assert_holds(port, "\\b.txt", "made");
}

static void reading_stops_at_the_end_of_the_file(void **state)
{
    const struct files_port *port = &((struct volume_case *)*state)->port;
    char buffer[4] = {0};
    size_t size = 0;

    assert_int_equal(write_text_to(port, "\\f", FILE_CREATE, "0123456789"), ST_OK);
    assert_int_equal(port->read(port->ctx, 0, "\\f", 8, buffer, 4, &size), ST_OK);
    assert_int_equal(size, 2);
    assert_memory_equal(buffer, "89", 2);
    assert_int_equal(port->read(port->ctx, 0, "\\f", 10, buffer, 4, &size), ST_OK);
    assert_int_equal(size, 0);
    assert_int_equal(port->read(port->ctx, 0, "\\f", UINT64_MAX, buffer, 4, &size), ST_OK);
    assert_int_equal(size, 0);
}

static void a_directory_lists_each_entry_once(void **state)
{
    const struct files_port *port = &((struct volume_case *)*state)->port;
    struct file_info info;
    unsigned seen = 0;
    size_t count = 0;

    assert_int_equal(write_text_to(port, "\\d\\one", FILE_CREATE, "1"), ST_OK);
    assert_int_equal(write_text_to(port, "\\d\\A long name, with blanks.txt", FILE_CREATE, "22"),
                     ST_OK);
    assert_int_equal(write_text_to(port, "\\d\\sub\\three", FILE_CREATE, "333"), ST_OK);
    while (port->list(port->ctx, 0, "\\D", count, &info) == ST_OK) {
        count++;
        if (strcasecmp(info.name, "one") == 0 && info.size == 1)
            seen |= 1;
        if (strcmp(info.name, "A long name, with blanks.txt") == 0 && info.size == 2)
            seen |= 2;
        if (strcasecmp(info.name, "sub") == 0 && info.is_directory)
            seen |= 4;
    }
    assert_int_equal(count, 3);
    assert_int_equal(seen, 7);
}

static void a_removed_file_is_gone_and_a_directory_stays(void **state)
{
    const struct files_port *port = &((struct volume_case *)*state)->port;
    struct file_info info;

    assert_int_equal(write_text_to(port, "\\d\\f", FILE_CREATE, "x"), ST_OK);
    assert_int_equal(port->remove(port->ctx, 0, "\\d"), ST_ABSENT);
    assert_int_equal(port->remove(port->ctx, 0, "\\D\\F"), ST_OK);
    assert_int_equal(port->stat(port->ctx, 0, "\\d\\f", &info), ST_ABSENT);
    assert_int_equal(port->stat(port->ctx, 0, "\\d", &info), ST_OK);
}

static void names_that_fat_cannot_hold_are_refused(void **state)
{
    static const char *const names[] = {"\\a*b",  "\\a?b", "\\a:b", "\\a|b",   "\\a\"b",
                                        "\\a<b",  "\\a>b", "\\a/b", "\\dot.",  "\\blank ",
                                        "\\a\tb", "\\..",  "\\.",   "",        "relative",
                                        "\\",     "\\a\\", "\\\\a", "\\a\xff", "\\d.\\f"};
    const struct files_port *port = &((struct volume_case *)*state)->port;
    char longest[300];
    struct file_info info;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_int_equal(write_text_to(port, names[i], FILE_CREATE, "x"), ST_REFUSED);
    memset(longest, 'n', sizeof(longest));
    longest[0] = '\\';
    longest[257] = 0;
    assert_int_equal(write_text_to(port, longest, FILE_CREATE, "x"), ST_REFUSED);
    assert_int_equal(port->list(port->ctx, 0, "\\", 0, &info), ST_ABSENT);
    longest[256] = 0;
    assert_int_equal(write_text_to(port, longest, FILE_CREATE, "x"), ST_OK);
    assert_int_equal(port->stat(port->ctx, 0, longest, &info), ST_OK);
}

static void a_file_in_the_way_of_a_directory_is_refused(void **state)
{
    const struct files_port *port = &((struct volume_case *)*state)->port;

    assert_int_equal(write_text_to(port, "\\f", FILE_CREATE, "x"), ST_OK);
    assert_int_equal(write_text_to(port, "\\f\\g", FILE_CREATE, "x"), ST_REFUSED);
    assert_int_equal(write_text_to(port, "\\d\\g", FILE_CREATE, "x"), ST_OK);
    assert_int_equal(write_text_to(port, "\\d", FILE_REPLACE, "x"), ST_REFUSED);
    assert_int_equal(write_text_to(port, "\\d", FILE_CREATE, "x"), ST_EXISTS);
    assert_holds(port, "\\f", "x");
}

static void a_volume_without_room_says_so(void **state)
{
    const struct files_port *port = &((struct volume_case *)*state)->port;
    size_t size = 8 << 20;
    uint8_t *data = host_alloc(size, 1);
    uint64_t before = port->volumes[0].free;

    assert_in_range(before, 1, 2 << 20);
    assert_int_equal(port->write(port->ctx, 0, "\\big", FILE_CREATE, data, size), ST_NO_SPACE);
    (void)!port->remove(port->ctx, 0, "\\big");
    assert_int_equal(port->volumes[0].free, before);
    assert_int_equal(port->write(port->ctx, 0, "\\fits", FILE_CREATE, data, 100000), ST_OK);
    assert_in_range(port->volumes[0].free, before - 110000, before - 100000);
    free(data);
}

static void a_file_grows_on_a_full_volume_to_the_end_of_its_cluster(void **state)
{
    static char rest[MEM_FILES_CLUSTER];
    struct mem_files *files = mem_files_new();

    (void)state;
    mem_files_add_volume(files, span_of(nvme_path, sizeof(nvme_path)), "", MEM_FILES_CLUSTER);
    struct files_port port = mem_files_port(files);
    assert_int_equal(write_text_to(&port, "\\f", FILE_CREATE, "x"), ST_OK);
    assert_int_equal(port.volumes[0].free, 0);
    assert_int_equal(port.write(port.ctx, 0, "\\f", FILE_APPEND, rest, sizeof(rest) - 1), ST_OK);
    assert_int_equal(write_text_to(&port, "\\f", FILE_APPEND, "x"), ST_NO_SPACE);
    assert_int_equal(mem_files_find(files, 0, "\\f").size, MEM_FILES_CLUSTER);
    mem_files_free(files);
}

static void a_read_only_volume_takes_no_writes(void **state)
{
    struct volume_case *test = *state;
    const struct files_port *port = &test->port;

    mem_files_put(test->memory, 0, "\\f", "x", 1);
    mem_files_set_read_only(test->memory, 0, true);
    assert_true(port->volumes[0].read_only);
    assert_int_equal(write_text_to(port, "\\g", FILE_CREATE, "x"), ST_READ_ONLY);
    assert_int_equal(write_text_to(port, "\\f", FILE_REPLACE, "y"), ST_READ_ONLY);
    assert_int_equal(write_text_to(port, "\\f", FILE_APPEND, "y"), ST_READ_ONLY);
    assert_int_equal(port->remove(port->ctx, 0, "\\f"), ST_READ_ONLY);
    assert_holds(port, "\\f", "x");
}

static void a_spoiled_file_cannot_be_read(void **state)
{
    struct volume_case *test = *state;
    char byte = 0;
    size_t size = 0;

    mem_files_put(test->memory, 0, "\\f", "x", 1);
    mem_files_spoil(test->memory, 0, "\\F");
    assert_int_equal(test->port.read(test->port.ctx, 0, "\\f", 0, &byte, 1, &size), ST_IO);
}

static void a_cloned_tree_is_equal_until_it_changes(void **state)
{
    struct volume_case *test = *state;

    mem_files_put(test->memory, 0, "\\d\\f", "x", 1);
    struct mem_files *clone = mem_files_clone(test->memory);
    assert_true(mem_files_equal(test->memory, clone, 0));
    mem_files_put(clone, 0, "\\D\\F", "y", 1);
    assert_false(mem_files_equal(test->memory, clone, 0));
    mem_files_put(clone, 0, "\\d\\f", "x", 1);
    assert_true(mem_files_equal(test->memory, clone, 0));
    mem_files_put_directory(clone, 0, "\\e");
    assert_false(mem_files_equal(test->memory, clone, 0));
    mem_files_drop(clone, 0, "\\e");
    assert_true(mem_files_equal(test->memory, clone, 0));
    mem_files_free(clone);
}

static void what_is_written_is_in_the_image(void **state)
{
    struct volume_case *test = *state;
    struct image_files *again = image_files_new();
    size_t volume = 0;

    assert_int_equal(write_text_to(&test->port, "\\EFI\\x.txt", FILE_CREATE, "first"), ST_OK);
    assert_int_equal(write_text_to(&test->port, "\\EFI\\x.txt", FILE_APPEND, "+more"), ST_OK);
    assert_int_equal(image_files_add_volume(again, test->image, 1 << 20,
                                            span_of(nvme_path, sizeof(nvme_path)), "", &volume),
                     ST_OK);
    struct files_port port = image_files_port(again);
    assert_holds(&port, "\\EFI\\X.TXT", "first+more");
    image_files_free(again);
}

/* The number in the line of mdir, "  50 094 080 bytes free". */
static uint64_t free_by_mdir(const char *where)
{
    const char *const argv[] = {"mdir", "-i", where, "::/", NULL};
    char *output = NULL;
    uint64_t value = 0;

    assert_int_equal(host_run(argv, &output), 0);
    const char *at = strstr(output, "bytes free");
    assert_non_null(at);
    while (at > output && at[-1] != '\n')
        at--;
    for (; *at == ' ' || (*at >= '0' && *at <= '9'); at++)
        value = *at == ' ' ? value : value * 10 + (uint64_t)(*at - '0');
    free(output);
    return value;
}

/* A FAT of the usual type for its size, with a file that ends inside a cluster. */
static void free_room_of_an_image_is_what_mdir_says(void **state)
{
    static const char *const sectors[] = {"4097", "4111", "30000", "140001"};
    uint64_t last = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(sectors) / sizeof(sectors[0]); i++) {
        char *name = make_file(80 << 20);
        struct image_files *files = image_files_new();
        char where[256];
        size_t volume = 0;
        assert_true(format_image(name, sectors[i]));
        snprintf(where, sizeof(where), "%s@@1048576", name);
        assert_int_equal(image_files_add_volume(files, name, 1 << 20,
                                                span_of(nvme_path, sizeof(nvme_path)), "", &volume),
                         ST_OK);
        struct files_port port = image_files_port(files);
        uint64_t before = port.volumes[0].free;
        assert_int_equal(before, free_by_mdir(where));
        assert_true(before > last);
        assert_int_equal(write_text_to(&port, "\\x.txt", FILE_CREATE, "first"), ST_OK);
        assert_int_equal(port.volumes[0].free, before - 512);
        assert_int_equal(port.volumes[0].free, free_by_mdir(where));
        last = before;
        image_files_free(files);
        drop_file(name);
    }
}

static void what_is_no_fat_is_no_volume(void **state)
{
    static const uint8_t ntfs[] = {0xeb, 0x52, 0x90, 'N',  'T',  'F',  'S',  ' ',  ' ',
                                   ' ',  ' ',  0x00, 0x02, 0x08, 0x00, 0x00, 0x00, 0x00};
    char *name = make_file(1 << 20);
    struct image_files *files = image_files_new();
    struct span path = span_of(nvme_path, sizeof(nvme_path));
    size_t volume = 99;

    (void)state;
    assert_int_equal(image_files_add_volume(files, name, 0, path, "", &volume), ST_UNSUPPORTED);
    FILE *to = fopen(name, "r+b");
    fwrite(ntfs, 1, sizeof(ntfs), to);
    fseek(to, 510, SEEK_SET);
    fwrite("\x55\xaa", 1, 2, to);
    fclose(to);
    assert_int_equal(image_files_add_volume(files, name, 0, path, "", &volume), ST_UNSUPPORTED);
    to = fopen(name, "r+b");
    fseek(to, 14, SEEK_SET);
    fputc(1, to); /* reserved sectors, but no file allocation table */
    fclose(to);
    assert_int_equal(image_files_add_volume(files, name, 0, path, "", &volume), ST_UNSUPPORTED);
    assert_int_equal(image_files_add_volume(files, name, 4 << 20, path, "", &volume), ST_IO);
    assert_int_equal(volume, 99);
    image_files_free(files);
    drop_file(name);
}

/* ---- console and clock ---- */

static void the_console_keeps_output_and_echoes_answers(void **state)
{
    struct host_console *console = host_console_new();
    struct console_port port = host_console_port(console);
    char line[4];

    (void)state;
    assert_int_equal(port.read_line(port.ctx, line, sizeof(line)), ST_IO);
    host_console_answer(console, "yes please");
    host_console_answer(console, NULL);
    port.write(port.ctx, "Go on? ", 7);
    assert_int_equal(port.read_line(port.ctx, line, sizeof(line)), ST_OK);
    assert_string_equal(line, "yes");
    assert_string_equal(host_console_text(console), "Go on? yes\n");
    assert_int_equal(port.read_line(port.ctx, line, sizeof(line)), ST_CANCELLED);
    assert_int_equal(port.read_line(port.ctx, line, sizeof(line)), ST_IO);
    assert_string_equal(line, "yes");
    host_console_answer(console, "four");
    assert_int_equal(port.read_line(port.ctx, line, sizeof(line)), ST_OK);
    assert_string_equal(line, "fou");
    host_console_clear(console);
    assert_string_equal(host_console_text(console), "");
    for (int i = 0; i < 5000; i++)
        port.write(port.ctx, "ab", 2);
    assert_int_equal(strlen(host_console_text(console)), 10000);
    host_console_free(console);
}

static void a_break_comes_at_the_ordered_poll_once(void **state)
{
    struct host_console *console = host_console_new();
    struct console_port port = host_console_port(console);

    (void)state;
    assert_false(port.break_requested(port.ctx));
    host_console_break_at(console, 2);
    assert_false(port.break_requested(port.ctx));
    assert_true(port.break_requested(port.ctx));
    assert_false(port.break_requested(port.ctx));
    host_console_free(console);
}

static void clocks_stand_still_run_or_fail(void **state)
{
    struct host_clock noon = {.time = {2026, 5, 6, 12, 0, 0}};
    struct date_time now = {0};
    struct clock_port fixed = host_clock_fixed(&noon);
    struct clock_port real = linux_clock();
    struct clock_port broken = host_clock_broken();

    (void)state;
    assert_int_equal(fixed.now(fixed.ctx, &now), ST_OK);
    assert_memory_equal(&now, &noon.time, sizeof(now));
    assert_int_equal(broken.now(broken.ctx, &now), ST_IO);
    assert_memory_equal(&now, &noon.time, sizeof(now));
    assert_int_equal(real.now(real.ctx, &now), ST_OK);
    assert_true(now.year >= 2024);
    assert_in_range(now.month, 1, 12);
}

static void microseconds_stand_still_go_in_steps_or_run(void **state)
{
    struct host_clock settable = {.microseconds = 5};
    struct clock_port fixed = host_clock_fixed(&settable);
    struct clock_port real = linux_clock();
    struct clock_port broken = host_clock_broken();

    (void)state;
    assert_int_equal(fixed.microseconds(fixed.ctx), 5);
    settable.step = 1000;
    assert_int_equal(fixed.microseconds(fixed.ctx), 5);
    assert_int_equal(fixed.microseconds(fixed.ctx), 1005);
    assert_int_equal(broken.microseconds(broken.ctx), 0);

    uint64_t start = real.microseconds(real.ctx);
    uint64_t now = start;
    while (now == start)
        now = real.microseconds(real.ctx);
    assert_true(now > start);
}

/* ---- a whole machine, faults, counts ---- */

/* Two disks with a volume each, an entry, an order, a file. */
static struct host *make_host(void)
{
    struct host *host = host_new();

    host_add_disk(host, DISK_NVME, 512, 100000);
    host_add_disk(host, DISK_AHCI, 512, 100000);
    for (size_t i = 0; i < 2; i++) {
        struct host_partition esp = {.disk = i, .number = 1, .start = 2048, .size = 40960};
        esp.guid.bytes[0] = (uint8_t)(i + 1);
        host_add_volume(host, &esp, 1 << 20);
        mem_files_put(host->files, i, "\\EFI\\BOOT\\BOOTX64.EFI", "loader", 6);
    }
    mem_vars_put(host->vars, NULL, "Boot0000", NV_BS_RT, option_a, sizeof(option_a));
    mem_vars_put(host->vars, NULL, "BootOrder", NV_BS_RT, "\0\0", 2);
    return host;
}

static void a_volume_has_the_path_of_its_partition(void **state)
{
    struct host *host = make_host();
    const struct ports *ports = host_ports(host);
    const struct file_volume *volume = &ports->files.volumes[0];
    /* HD(1,GPT,00000001-0000-0000-0000-000000000000,0x800,0xA000) and the end. */
    static const uint8_t node[46] = {0x04, 0x01, 0x2a, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x08,
                                     0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xa0, 0x00, 0x00,
                                     0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00,
                                     0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                                     0x02, 0x02, 0x7f, 0xff, 0x04, 0x00};

    (void)state;
    assert_string_equal(volume->alias, "FS0:");
    assert_int_equal(volume->path.size, sizeof(nvme_path) - 4 + sizeof(node));
    assert_memory_equal(volume->path.at, nvme_path, sizeof(nvme_path) - 4);
    assert_memory_equal(volume->path.at + sizeof(nvme_path) - 4, node, sizeof(node));
    assert_int_equal(ports->files.self, FILES_NO_VOLUME);
    mem_files_set_self(host->files, 1);
    assert_int_equal(host_ports(host)->files.self, 1);
    host_free(host);
}

/* Measuring goes on where every call fails, and is itself none that can. */
static void microseconds_pass_through_wrappers(void **state)
{
    struct host *host = make_host();
    struct fault *fault = fault_new(host_ports(host));
    const struct ports *faulty = fault_ports(fault);
    struct date_time now;

    (void)state;
    host->clock.step = 7;
    fault_fail(fault, FAULT_ANY, 1, ST_IO, true);
    assert_int_equal(faulty->clock.now(faulty->clock.ctx, &now), ST_IO);
    assert_int_equal(faulty->clock.microseconds(faulty->clock.ctx), 0);
    assert_int_equal(faulty->clock.microseconds(faulty->clock.ctx), 7);
    assert_int_equal(fault_calls(fault, FAULT_ANY), 1);
    fault_free(fault);
    host_free(host);
}

static void a_cloned_machine_leaves_the_first_alone(void **state)
{
    struct host *host = make_host();
    struct host *clone = host_clone(host);
    const struct ports *ports = host_ports(clone);

    (void)state;
    uint8_t block[512];
    mem_block_write(host->disks[0], 0, "Z", 1);
    assert_int_equal(ports->disks[0].read(ports->disks[0].ctx, 0, 1, block), ST_OK);
    assert_int_equal(block[0], 0);
    assert_int_equal(ports->disks[0].write(ports->disks[0].ctx, 1, 1, block), ST_OK);
    assert_int_equal(mem_block_log_count(host->disks[0]), 0);
    assert_int_equal(set_boot(&ports->vars, "Boot0001"), ST_OK);
    assert_int_equal(ports->files.remove(ports->files.ctx, 0, "\\EFI\\BOOT\\BOOTX64.EFI"), ST_OK);
    assert_null(mem_vars_find(host->vars, NULL, "Boot0001"));
    assert_non_null(mem_files_find(host->files, 0, "\\EFI\\BOOT\\BOOTX64.EFI").at);
    host_free(clone);
    host_free(host);
}

/* One call of each kind, in the order of enum fault_kind; the statuses into `results`. */
static void call_everything(const struct ports *ports, enum status results[FAULT_KIND_COUNT])
{
    const struct files_port *files = &ports->files;
    const struct vars_port *vars = &ports->vars;
    uint8_t data[512];
    struct var_id id;
    struct var_space space;
    struct file_info info;
    struct date_time now;
    struct files_port renewed = *files;
    uint32_t attributes = 0;
    size_t size = 0;

    memset(data, 0, sizeof(data));
    results[FAULT_BLOCK_READ] = ports->disks[0].read(ports->disks[0].ctx, 0, 1, data);
    results[FAULT_VAR_NEXT] = vars->next(vars->ctx, true, &id);
    results[FAULT_VAR_GET] = vars->get(vars->ctx, NULL, "Boot0000", &attributes, data, 512, &size);
    results[FAULT_VAR_SET] = set_boot(vars, "Boot0001");
    results[FAULT_VAR_SPACE] = vars->space(vars->ctx, &space);
    results[FAULT_FILE_STAT] = files->stat(files->ctx, 0, "\\EFI", &info);
    results[FAULT_FILE_LIST] = files->list(files->ctx, 0, "\\EFI", 0, &info);
    results[FAULT_FILE_READ] =
        files->read(files->ctx, 0, "\\EFI\\BOOT\\BOOTX64.EFI", 0, data, 512, &size);
    results[FAULT_FILE_WRITE] = files->write(files->ctx, 0, "\\new", FILE_REPLACE, "abcdefgh", 8);
    results[FAULT_FILE_REMOVE] = files->remove(files->ctx, 0, "\\new");
    results[FAULT_CLOCK] = ports->clock.now(ports->clock.ctx, &now);
    results[FAULT_BLOCK_WRITE] = ports->disks[0].write(ports->disks[0].ctx, 7, 1, data);
    results[FAULT_BLOCK_FLUSH] = ports->disks[0].flush(ports->disks[0].ctx);
    results[FAULT_FILE_RELEASE] = files->release(files->ctx, ports->disks[0].path);
    results[FAULT_FILE_RENEW] = files->renew(files->ctx, &renewed);
}

static void without_orders_nothing_fails_and_all_is_counted(void **state)
{
    struct host *host = make_host();
    struct fault *fault = fault_new(host_ports(host));
    enum status results[FAULT_KIND_COUNT];

    (void)state;
    call_everything(fault_ports(fault), results);
    for (int kind = FAULT_BLOCK_READ; kind < FAULT_KIND_COUNT; kind++) {
        assert_int_equal(results[kind], ST_OK);
        assert_int_equal(fault_calls(fault, (enum fault_kind)kind), 1);
    }
    assert_int_equal(fault_calls(fault, FAULT_ANY), 15);
    assert_int_equal(fault_calls(fault, FAULT_WRITE), 4);
    assert_false(fault_tripped(fault));
    fault_free(fault);
    host_free(host);
}

static void a_failure_of_one_kind_leaves_the_others_alone(void **state)
{
    (void)state;
    for (int chosen = FAULT_BLOCK_READ; chosen < FAULT_KIND_COUNT; chosen++) {
        struct host *host = make_host();
        struct fault *fault = fault_new(host_ports(host));
        enum status results[FAULT_KIND_COUNT];
        fault_fail(fault, (enum fault_kind)chosen, 1, ST_NO_MEMORY, false);
        call_everything(fault_ports(fault), results);
        for (int kind = FAULT_BLOCK_READ; kind < FAULT_KIND_COUNT; kind++) {
            enum status expected = kind == chosen ? ST_NO_MEMORY : ST_OK;
            if (chosen == FAULT_FILE_WRITE && kind == FAULT_FILE_REMOVE)
                expected = ST_ABSENT; /* there is nothing to remove then */
            assert_int_equal(results[kind], expected);
        }
        assert_true(fault_tripped(fault));
        fault_free(fault);
        host_free(host);
    }
}

static void the_nth_call_of_any_kind_fails_once_or_for_good(void **state)
{
    struct host *host = make_host();
    struct fault *fault = fault_new(host_ports(host));
    enum status results[FAULT_KIND_COUNT];

    (void)state;
    fault_fail(fault, FAULT_ANY, 3, ST_NO_MEMORY, false);
    fault_fail(fault, FAULT_ANY, 6, ST_IO, true);
    call_everything(fault_ports(fault), results);
    assert_int_equal(results[FAULT_VAR_NEXT], ST_OK);
    assert_int_equal(results[FAULT_VAR_GET], ST_NO_MEMORY);
    assert_int_equal(results[FAULT_VAR_SET], ST_OK);
    assert_int_equal(results[FAULT_VAR_SPACE], ST_OK);
    for (int kind = FAULT_FILE_STAT; kind < FAULT_KIND_COUNT; kind++)
        assert_int_equal(results[kind], ST_IO);
    fault_free(fault);
    host_free(host);
}

static void a_failed_write_is_not_carried_out_unless_ordered(void **state)
{
    struct host *host = make_host();
    struct fault *fault = fault_new(host_ports(host));
    const struct vars_port *vars = &fault_ports(fault)->vars;

    (void)state;
    fault_fail(fault, FAULT_VAR_SET, 1, ST_OK, false);
    fault_fail(fault, FAULT_VAR_SET, 2, ST_IO, false);
    fault_fail_after(fault, FAULT_VAR_SET, 3, ST_IO);
    assert_int_equal(set_boot(vars, "Boot0001"), ST_OK); /* a promise only */
    assert_null(mem_vars_find(host->vars, NULL, "Boot0001"));
    assert_int_equal(set_boot(vars, "Boot0002"), ST_IO);
    assert_null(mem_vars_find(host->vars, NULL, "Boot0002"));
    assert_int_equal(set_boot(vars, "Boot0003"), ST_IO);
    assert_non_null(mem_vars_find(host->vars, NULL, "Boot0003"));
    assert_int_equal(set_boot(vars, "Boot0004"), ST_OK);
    assert_non_null(mem_vars_find(host->vars, NULL, "Boot0004"));
    fault_free(fault);
    host_free(host);
}

static void a_vanished_disk_takes_its_volumes_along(void **state)
{
    struct host *host = make_host();
    struct fault *fault = fault_new(host_ports(host));
    const struct ports *ports = fault_ports(fault);
    struct file_info info;
    uint8_t block[512];

    (void)state;
    fault_vanish(fault, 1, 2);
    assert_int_equal(ports->disks[1].read(ports->disks[1].ctx, 0, 1, block), ST_OK);
    assert_int_equal(ports->files.stat(ports->files.ctx, 1, "\\EFI", &info), ST_OK);
    assert_false(fault_tripped(fault));
    assert_int_equal(ports->disks[1].read(ports->disks[1].ctx, 0, 1, block), ST_IO);
    assert_int_equal(ports->files.stat(ports->files.ctx, 1, "\\EFI", &info), ST_IO);
    assert_int_equal(write_text_to(&ports->files, "\\x", FILE_CREATE, "x"), ST_OK);
    assert_int_equal(ports->files.remove(ports->files.ctx, 1, "\\EFI\\BOOT\\BOOTX64.EFI"), ST_IO);
    assert_non_null(mem_files_find(host->files, 1, "\\EFI\\BOOT\\BOOTX64.EFI").at);
    assert_int_equal(ports->disks[0].read(ports->disks[0].ctx, 0, 1, block), ST_OK);
    assert_int_equal(ports->files.stat(ports->files.ctx, 0, "\\EFI", &info), ST_OK);
    fault_free(fault);
    host_free(host);
}

static void reads_fail_that_touch_a_bad_block(void **state)
{
    static const struct {
        uint64_t lba;
        uint32_t count;
        enum status status;
    } reads[] = {{9, 1, ST_OK},  {9, 2, ST_IO},  {10, 1, ST_IO}, {12, 1, ST_IO},
                 {12, 8, ST_IO}, {13, 4, ST_OK}, {0, 10, ST_OK}, {0, 16, ST_IO}};
    struct host *host = make_host();
    struct fault *fault = fault_new(host_ports(host));
    const struct block_port *disks = fault_ports(fault)->disks;
    uint8_t blocks[16 * 512];

    (void)state;
    fault_bad_blocks(fault, 1, 10, 3);
    for (size_t i = 0; i < sizeof(reads) / sizeof(reads[0]); i++) {
        enum status status = disks[1].read(disks[1].ctx, reads[i].lba, reads[i].count, blocks);
        assert_int_equal(status, reads[i].status);
        status = disks[0].read(disks[0].ctx, reads[i].lba, reads[i].count, blocks);
        assert_int_equal(status, ST_OK);
    }
    fault_free(fault);
    host_free(host);
}

static void after_a_power_cut_nothing_works(void **state)
{
    struct host *host = make_host();
    struct fault *fault = fault_new(host_ports(host));
    const struct ports *ports = fault_ports(fault);
    enum status results[FAULT_KIND_COUNT];
    char line[8];

    (void)state;
    fault_power_cut(fault, 2, FAULT_CUT_BEFORE, NULL);
    assert_int_equal(set_boot(&ports->vars, "Boot0001"), ST_OK);
    assert_int_equal(set_boot(&ports->vars, "Boot0002"), ST_IO);
    call_everything(ports, results);
    for (int kind = FAULT_BLOCK_READ; kind < FAULT_KIND_COUNT; kind++)
        assert_int_equal(results[kind], ST_IO);
    ports->console.write(ports->console.ctx, "x", 1);
    host_console_answer(host->console, "y");
    assert_int_equal(ports->console.read_line(ports->console.ctx, line, sizeof(line)), ST_IO);
    assert_string_equal(host_console_text(host->console), "");
    assert_non_null(mem_vars_find(host->vars, NULL, "Boot0001"));
    assert_null(mem_vars_find(host->vars, NULL, "Boot0002"));
    assert_null(mem_files_find(host->files, 0, "\\new").at);
    fault_free(fault);
    host_free(host);
}

static void a_power_cut_jumps_to_where_it_was_told(void **state)
{
    struct host *host = make_host();
    struct fault *fault = fault_new(host_ports(host));
    jmp_buf where;

    (void)state;
    fault_power_cut(fault, 1, FAULT_CUT_AFTER, &where);
    if (setjmp(where) == 0) {
        (void)!set_boot(&fault_ports(fault)->vars, "Boot0001");
        fail();
    }
    assert_true(fault_tripped(fault));
    assert_non_null(mem_vars_find(host->vars, NULL, "Boot0001"));
    assert_int_equal(set_boot(&fault_ports(fault)->vars, "Boot0002"), ST_IO);
    fault_free(fault);
    host_free(host);
}

static void a_power_cut_leaves_of_a_file_what_was_ordered(void **state)
{
    static const struct {
        const char *created;
        const char *replaced;
        const char *appended;
    } left[FAULT_CUT_COUNT] = {
        [FAULT_CUT_BEFORE] = {NULL, "old", "old"},
        [FAULT_CUT_EMPTY] = {"", "", "old"},
        [FAULT_CUT_HALF] = {"abcd", "abcd", "oldabcd"},
        [FAULT_CUT_GARBAGE] = {"abcd\xc0\xc3\xc2\xcd", "abcd\xc0\xc3\xc2\xcd",
                               "oldabcd\xc0\xc3\xc2\xcd"},
        [FAULT_CUT_AFTER] = {"abcdefgh", "abcdefgh", "oldabcdefgh"},
    };

    (void)state;
    for (int cut = 0; cut < FAULT_CUT_COUNT; cut++) {
        for (int mode = FILE_CREATE; mode <= FILE_APPEND; mode++) {
            struct host *host = make_host();
            struct fault *fault = fault_new(host_ports(host));
            const char *expected = mode == FILE_CREATE    ? left[cut].created
                                   : mode == FILE_REPLACE ? left[cut].replaced
                                                          : left[cut].appended;
            if (mode != FILE_CREATE)
                mem_files_put(host->files, 0, "\\f", "old", 3);
            fault_power_cut(fault, 1, (enum fault_cut)cut, NULL);
            assert_int_equal(write_text_to(&fault_ports(fault)->files, "\\f",
                                           (enum file_write_mode)mode, "abcdefgh"),
                             ST_IO);
            struct span found = mem_files_find(host->files, 0, "\\f");
            assert_int_equal(found.at == NULL, expected == NULL);
            if (expected != NULL)
                assert_true(span_equal(found, span_of(expected, strlen(expected))));
            fault_free(fault);
            host_free(host);
        }
    }
}

static void counted_ports_do_the_same_and_count_what_succeeded(void **state)
{
    static uint8_t memory[4096];
    struct host *host = make_host();
    const struct ports *plain = host_ports(host);
    struct port_counts counts = {0};
    struct arena arena;
    struct ports ports;
    enum status results[FAULT_KIND_COUNT];
    uint8_t data[2 * 512];

    (void)state;
    arena_init(&arena, memory, sizeof(memory));
    assert_int_equal(ports_count(&arena, plain, &counts, &ports), ST_OK);
    assert_int_equal(ports.disk_count, 2);
    assert_ptr_equal(ports.files.volumes, plain->files.volumes);
    call_everything(&ports, results);
    for (int kind = FAULT_BLOCK_READ; kind < FAULT_KIND_COUNT; kind++)
        assert_int_equal(results[kind], ST_OK);
    assert_int_equal(ports.disks[1].read(ports.disks[1].ctx, 5, 2, data), ST_OK);
    assert_int_equal(ports.disks[1].read(ports.disks[1].ctx, 100000, 1, data), ST_IO);
    assert_int_equal(set_boot(&ports.vars, "Boot000a"), ST_REFUSED);
    assert_int_equal(write_text_to(&ports.files, "\\a*", FILE_CREATE, "x"), ST_REFUSED);
    assert_int_equal(counts.block_reads, 3);
    assert_int_equal(counts.block_read_bytes, 3 * 512);
    assert_int_equal(counts.block_writes, 1);
    assert_int_equal(counts.block_written_bytes, 512);
    assert_int_equal(counts.block_flushes, 1);
    assert_int_equal(counts.var_calls, 3);
    assert_int_equal(counts.var_writes, 2);
    assert_int_equal(counts.var_written_bytes, sizeof(option_a));
    assert_int_equal(counts.file_calls, 3);
    assert_int_equal(counts.file_read_bytes, 6);
    assert_int_equal(counts.file_writes, 3);
    assert_int_equal(counts.file_written_bytes, 8);
    host_free(host);
}

static void counting_without_memory_leaves_everything_alone(void **state)
{
    static uint8_t memory[4096];
    struct host *host = make_host();
    struct port_counts counts = {0};
    struct ports ports = {.architecture = "untouched"};
    size_t size = 0;

    (void)state;
    for (; size < sizeof(memory); size += 16) {
        struct arena arena;
        arena_init(&arena, memory, size);
        if (ports_count(&arena, host_ports(host), &counts, &ports) == ST_OK)
            break;
        assert_int_equal(arena.used, 0);
        assert_string_equal(ports.architecture, "untouched");
    }
    assert_in_range(size, 100, 1000);
    host_free(host);
}

#define OVER_MEMORY(test) cmocka_unit_test_setup_teardown(test, open_memory, close_volume)
#define OVER_IMAGE(test)                                           \
    {                                                              \
#test "_in_an_image", test, open_image, close_volume, NULL \
    }

static bool is_memory(const void *at)
{
#ifdef __SANITIZE_ADDRESS__
    return !__asan_address_is_poisoned(at);
#else
    return at != NULL;
#endif
}

static void what_was_given_back_or_never_lent_is_no_memory(void **state)
{
    (void)state;
    uint8_t *one = host_borrow(100);
    uint8_t *other = host_borrow(3u << 20);

    assert_true(is_memory(one) && is_memory(one + 99));
    assert_true(is_memory(other + (3u << 20) - 1));
#ifdef __SANITIZE_ADDRESS__
    assert_false(is_memory(one + 100));
    assert_false(is_memory(other + (3u << 20)));
    host_return(one);
    assert_false(is_memory(one));
    one = host_borrow(50);
    assert_false(is_memory(one + 50));
#endif
    memset(one, 1, 50);
    host_return(one);
    host_return(other);
    host_return(NULL);
    for (size_t size = 1u << 20; size <= 1u << 27; size *= 2) {
        one = host_borrow(size);
        one[size - 1] = 1;
        host_return(one);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_given_back_or_never_lent_is_no_memory),
        cmocka_unit_test(nothing_written_reads_as_zeros),
        cmocka_unit_test(bytes_written_across_pages_read_back_at_the_right_block),
        cmocka_unit_test(reads_beyond_the_end_are_io_errors),
        cmocka_unit_test(a_large_disk_takes_little_memory),
        cmocka_unit_test(spoiled_blocks_fail_and_their_neighbours_do_not),
        cmocka_unit_test(disk_paths_are_those_of_the_specification),
        cmocka_unit_test(an_image_reads_in_blocks_of_the_chosen_size),
        cmocka_unit_test(an_image_that_is_not_there_is_absent),
        cmocka_unit_test(a_variable_reads_back_with_its_attributes),
        cmocka_unit_test(variable_of_another_vendor_is_read_by_it),
        cmocka_unit_test(names_that_edk2_does_not_know_are_refused),
        cmocka_unit_test(wrong_attributes_are_refused),
        cmocka_unit_test(every_cut_of_a_load_option_is_refused),
        cmocka_unit_test(malformed_load_options_are_refused),
        cmocka_unit_test(a_node_shorter_than_its_header_is_refused),
        cmocka_unit_test(boot_order_takes_any_even_length_only),
        cmocka_unit_test(variables_of_another_vendor_are_set_apart),
        cmocka_unit_test(deleting_takes_the_variable_away_once),
        cmocka_unit_test(the_quota_counts_header_name_and_data),
        cmocka_unit_test(a_read_only_store_changes_nothing),
        cmocka_unit_test(the_walk_is_in_order_of_creation_over_all_vendors),
        cmocka_unit_test(a_set_in_the_middle_of_a_walk_ends_it),
        cmocka_unit_test(the_walk_repeats_names_and_goes_round_when_told),
        cmocka_unit_test(long_and_strange_names_are_cut_but_told_apart),
        cmocka_unit_test(a_huge_variable_never_fits),
        cmocka_unit_test(the_log_holds_what_was_tried),
        cmocka_unit_test(a_clone_is_equal_until_it_changes),
        cmocka_unit_test(the_next_start_overwrites_an_unlisted_entry),
        cmocka_unit_test(the_next_start_spares_the_number_of_boot_next_and_uses_it_up),
        cmocka_unit_test(the_next_start_prunes_missing_and_malformed_entries),
        cmocka_unit_test(the_next_start_deletes_marked_entries_of_absent_disks_only),
        cmocka_unit_test(a_saved_store_loads_as_it_was),
        cmocka_unit_test(a_store_in_plain_text_is_read),
        cmocka_unit_test(a_damaged_store_is_reported_with_its_line),
        cmocka_unit_test(a_store_that_is_not_there_is_absent),
        OVER_MEMORY(a_file_is_found_whatever_the_case_of_its_name),
        OVER_MEMORY(what_is_not_there_is_absent),
        OVER_MEMORY(writing_keeps_to_its_mode),
        OVER_MEMORY(reading_stops_at_the_end_of_the_file),
        OVER_MEMORY(a_directory_lists_each_entry_once),
        OVER_MEMORY(a_removed_file_is_gone_and_a_directory_stays),
        OVER_MEMORY(names_that_fat_cannot_hold_are_refused),
        OVER_MEMORY(a_file_in_the_way_of_a_directory_is_refused),
        OVER_MEMORY(a_volume_without_room_says_so),
        cmocka_unit_test(a_file_grows_on_a_full_volume_to_the_end_of_its_cluster),
        OVER_MEMORY(a_read_only_volume_takes_no_writes),
        OVER_MEMORY(a_spoiled_file_cannot_be_read),
        OVER_MEMORY(a_cloned_tree_is_equal_until_it_changes),
        OVER_IMAGE(a_file_is_found_whatever_the_case_of_its_name),
        OVER_IMAGE(what_is_not_there_is_absent),
        OVER_IMAGE(writing_keeps_to_its_mode),
        OVER_IMAGE(reading_stops_at_the_end_of_the_file),
        OVER_IMAGE(a_directory_lists_each_entry_once),
        OVER_IMAGE(a_removed_file_is_gone_and_a_directory_stays),
        OVER_IMAGE(names_that_fat_cannot_hold_are_refused),
        OVER_IMAGE(a_file_in_the_way_of_a_directory_is_refused),
        OVER_IMAGE(a_volume_without_room_says_so),
        OVER_IMAGE(what_is_written_is_in_the_image),
        cmocka_unit_test(free_room_of_an_image_is_what_mdir_says),
        cmocka_unit_test(what_is_no_fat_is_no_volume),
        cmocka_unit_test(the_console_keeps_output_and_echoes_answers),
        cmocka_unit_test(a_break_comes_at_the_ordered_poll_once),
        cmocka_unit_test(clocks_stand_still_run_or_fail),
        cmocka_unit_test(microseconds_stand_still_go_in_steps_or_run),
        cmocka_unit_test(microseconds_pass_through_wrappers),
        cmocka_unit_test(a_volume_has_the_path_of_its_partition),
        cmocka_unit_test(a_cloned_machine_leaves_the_first_alone),
        cmocka_unit_test(without_orders_nothing_fails_and_all_is_counted),
        cmocka_unit_test(a_failure_of_one_kind_leaves_the_others_alone),
        cmocka_unit_test(the_nth_call_of_any_kind_fails_once_or_for_good),
        cmocka_unit_test(a_failed_write_is_not_carried_out_unless_ordered),
        cmocka_unit_test(a_vanished_disk_takes_its_volumes_along),
        cmocka_unit_test(reads_fail_that_touch_a_bad_block),
        cmocka_unit_test(after_a_power_cut_nothing_works),
        cmocka_unit_test(a_power_cut_jumps_to_where_it_was_told),
        cmocka_unit_test(a_power_cut_leaves_of_a_file_what_was_ordered),
        cmocka_unit_test(counted_ports_do_the_same_and_count_what_succeeded),
        cmocka_unit_test(counting_without_memory_leaves_everything_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
