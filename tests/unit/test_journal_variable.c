/* The journal in a variable of the firmware: how old blocks are told by differences, and when the
 * variable takes one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "apply/apply.h"
#include "host/host_alloc.h"
#include "host/host_ports.h"

#define ARENA_SIZE (4u << 20)
#define BLOCK      512u
#define BLOCKS     80u /* more than a difference is long, or what is skipped */
#define SIZE       (BLOCKS * BLOCK)

static const struct guid own_vendor = VAR_OWN_VENDOR;
static const uint8_t disk_path[] = {1, 4, 20, 0, 8, 7, 6, 5, 4,    3,    2, 1,
                                    8, 7, 6,  5, 4, 3, 2, 1, 0x7f, 0xff, 4, 0};

/* One record of blocks, as a change makes it. */
struct bench {
    void *memory;
    struct arena arena;
    struct host *host;
    struct machine machine;
    uint8_t old[SIZE];
    uint8_t new[SIZE];
    uint8_t digests[BLOCKS * JOURNAL_DIGEST_SIZE];
    struct journal_disk disk;
    struct journal_record record;
    struct journal journal;
};

static int set_up(void **state)
{
    struct bench *bench = host_alloc(1, sizeof(*bench));

    bench->memory = host_alloc(1, ARENA_SIZE);
    arena_init(&bench->arena, bench->memory, ARENA_SIZE);
    bench->host = host_new();
    bench->disk = (struct journal_disk){
        .block_count = 1000, .block_size = BLOCK, .path = span_of(disk_path, sizeof(disk_path))};
    bench->record = (struct journal_record){.kind = JOURNAL_BLOCKS, .lba = 7};
    bench->journal = (struct journal){.command = "test",
                                      .disks = &bench->disk,
                                      .disk_count = 1,
                                      .records = &bench->record,
                                      .count = 1};
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;

    host_free(bench->host);
    free(bench->memory);
    free(bench);
    return 0;
}

static void record_blocks(struct bench *bench, uint32_t count)
{
    bench->record.block_count = count;
    bench->record.old_data = span_of(bench->old, (size_t)count * BLOCK);
    bench->record.new_data = span_of(bench->new, (size_t)count * BLOCK);
    bench->record.new_digests = span_of(bench->digests, (size_t)count * JOURNAL_DIGEST_SIZE);
    for (uint32_t i = 0; i < count; i++)
        journal_digest(span_of(bench->new + (size_t)i *BLOCK, BLOCK),
                       bench->digests + (size_t)i * JOURNAL_DIGEST_SIZE);
}

/* Builds, takes apart, and brings every block back, from the new content and from the old. Gives the
 * bytes of the file. */
static size_t expect_back(struct bench *bench, uint32_t count)
{
    struct journal parsed;
    struct span file;
    uint8_t block[BLOCK];

    arena_init(&bench->arena, bench->memory, ARENA_SIZE);
    record_blocks(bench, count);
    assert_int_equal(journal_build_small(&bench->arena, &bench->journal, 2 * SIZE, &file), ST_OK);
    assert_int_equal(journal_parse(&bench->arena, file, &parsed), ST_OK);
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *old = bench->old + (size_t)i * BLOCK;
        const uint8_t *new = bench->new + (size_t)i *BLOCK;
        assert_true(journal_old_block(&parsed.records[0], i, span_of(new, BLOCK), block));
        assert_memory_equal(block, old, BLOCK);
        assert_true(journal_old_block(&parsed.records[0], i, span_of(old, BLOCK), block));
        assert_memory_equal(block, old, BLOCK);
    }
    return file.size;
}

static void fill_randomly(uint8_t *at, size_t size)
{
    for (size_t i = 0; i < size; i++)
        at[i] = (uint8_t)rand();
}

/* Numbers of `unit` bytes from `first` on, as a chain has them. */
static void count_up(uint8_t *at, size_t size, uint32_t first, size_t unit)
{
    for (size_t i = 0; i < size / unit; i++) {
        uint8_t number[4];
        st_le32(number, first + (uint32_t)i);
        memcpy(at + i * unit, number, unit);
    }
}

static void every_old_block_comes_back(void **state)
{
    struct bench *bench = *state;

    srand(17);
    fill_randomly(bench->new, SIZE);
    (void)expect_back(bench, BLOCKS); /* all zeros before */
    fill_randomly(bench->old, SIZE);
    (void)expect_back(bench, BLOCKS);
    memcpy(bench->old, bench->new, SIZE);
    (void)expect_back(bench, BLOCKS);
    bench->old[0] ^= 1;
    bench->old[SIZE - 1] ^= 1;
    (void)expect_back(bench, BLOCKS);
    for (int trial = 0; trial < 300; trial++) {
        memcpy(bench->old, bench->new, SIZE);
        for (int i = 0; i < trial % 40; i++) {
            size_t length = 1 + (size_t)rand() % (trial % 3 == 0 ? 3000 : 9);
            size_t at = (size_t)rand() % (SIZE - length - 8);
            size_t aligned = at / 4 * 4 + (size_t)rand() % 2 * 2;
            if (rand() % 3 == 0)
                memset(bench->old + at, 0, length);
            else if (rand() % 2 == 0)
                count_up(bench->old + aligned, length, (uint32_t)rand() % 70000,
                         rand() % 2 == 0 ? 2 : 4);
            else
                fill_randomly(bench->old + at, length);
        }
        (void)expect_back(bench, BLOCKS);
    }
}

/* What the program's own changes come to: the chain of 600 KiB that goes from a FAT16 or a FAT32, or
 * comes into it. */
static void a_chain_takes_next_to_nothing(void **state)
{
    struct bench *bench = *state;

    for (size_t unit = 2; unit <= 4; unit += 2) {
        size_t size = 1200 * unit;
        uint32_t blocks = (uint32_t)(size / BLOCK + 1);
        memset(bench->new, 0, SIZE);
        memset(bench->old, 0, SIZE);
        count_up(bench->old + 6 * unit, size - 6 * unit, 0x1234, unit);
        size_t bytes = expect_back(bench, blocks);
        assert_in_range(bytes, 100, 200 + blocks * 2 * JOURNAL_DIGEST_SIZE);
        memcpy(bench->new, bench->old, SIZE);
        memset(bench->old, 0, SIZE);
        assert_in_range(expect_back(bench, blocks), 100, 200 + blocks * 2 * JOURNAL_DIGEST_SIZE);
    }
}

static void a_block_of_somebody_else_is_not_made_old(void **state)
{
    struct bench *bench = *state;
    struct journal parsed;
    struct span file;
    uint8_t block[BLOCK] = {77};

    bench->new[3] = 1;
    record_blocks(bench, 1);
    assert_int_equal(journal_build_small(&bench->arena, &bench->journal, 4096, &file), ST_OK);
    assert_int_equal(journal_parse(&bench->arena, file, &parsed), ST_OK);
    bench->new[200] = 9;
    assert_false(journal_old_block(&parsed.records[0], 0, span_of(bench->new, BLOCK), block));
    assert_int_equal(block[0], 77);
}

static void differences_that_lead_outside_are_damage(void **state)
{
    struct bench *bench = *state;
    struct journal parsed;
    struct span file;

    bench->old[0] = 1;
    record_blocks(bench, 1);
    bench->record.differences = span_of("\0\2\1\0x", 5); /* 512 bytes are equal, then one is not */
    bench->record.old_digests = bench->record.new_digests;
    bench->record.old_data = span_of(NULL, 0);
    assert_int_equal(journal_build(&bench->arena, &bench->journal, &file), ST_OK);
    assert_int_equal(journal_parse(&bench->arena, file, &parsed), ST_DAMAGED);
    bench->record.differences = span_of("\xff\1\1\0x", 5);
    assert_int_equal(journal_build(&bench->arena, &bench->journal, &file), ST_OK);
    assert_int_equal(journal_parse(&bench->arena, file, &parsed), ST_OK);
    bench->record.differences = span_of("\xfe\1\1\0", 4); /* and its byte is missing */
    assert_int_equal(journal_build(&bench->arena, &bench->journal, &file), ST_OK);
    assert_int_equal(journal_parse(&bench->arena, file, &parsed), ST_DAMAGED);
    bench->record.differences = span_of("\0\0\3\x80xy", 6); /* three bytes of numbers of two */
    assert_int_equal(journal_build(&bench->arena, &bench->journal, &file), ST_OK);
    assert_int_equal(journal_parse(&bench->arena, file, &parsed), ST_DAMAGED);
}

/* --- The variable ----------------------------------------------------------------------------- */

static enum status save(struct bench *bench, struct journal_file *ret_file)
{
    return journal_store_save(&bench->arena, host_ports(bench->host), &bench->machine,
                              &bench->journal, ret_file);
}

static size_t variable_size(const struct bench *bench)
{
    const struct mem_var *var =
        mem_vars_find(bench->host->vars, &own_vendor, JOURNAL_VARIABLE_NAME);

    return var == NULL ? 0 : var->size;
}

static void without_a_volume_the_variable_takes_it(void **state)
{
    struct bench *bench = *state;
    struct journal_files list;
    struct journal_file file;
    struct journal parsed;

    bench->old[5] = 5;
    record_blocks(bench, 2);
    assert_int_equal(save(bench, &file), ST_OK);
    assert_true(file.in_variable);
    assert_int_equal(file.id, 1);
    assert_string_equal(journal_store_alias(host_ports(bench->host), &file), "NVRAM:");
    assert_int_equal(journal_store_list_interrupted(&bench->arena, host_ports(bench->host), &list),
                     ST_OK);
    assert_int_equal(list.count, 1);
    assert_true(list.items[0].has_blocks);
    assert_int_equal(
        journal_store_load(&bench->arena, host_ports(bench->host), &list.items[0], &parsed), ST_OK);
    assert_int_equal(parsed.state, JOURNAL_PENDING);
    assert_int_equal(parsed.records[0].lba, 7);
}

/* It is the only way back of what was cut off. */
static void journal_of_an_interrupted_change_does_not_give_way(void **state)
{
    static const struct {
        enum journal_state mark;
        enum status next;
    } cases[] = {{JOURNAL_PENDING, ST_ABSENT},
                 {JOURNAL_UNDOING, ST_ABSENT},
                 {JOURNAL_DONE, ST_OK},
                 {JOURNAL_LEFT, ST_OK},
                 {JOURNAL_UNDONE, ST_OK}};
    struct bench *bench = *state;
    struct journal_file file;
    struct journal_file next;

    record_blocks(bench, 1);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        mem_vars_drop(bench->host->vars, &own_vendor, JOURNAL_VARIABLE_NAME);
        assert_int_equal(save(bench, &file), ST_OK);
        if (cases[i].mark != JOURNAL_PENDING)
            assert_int_equal(journal_store_mark(host_ports(bench->host), &file, cases[i].mark),
                             ST_OK);
        assert_int_equal(variable_size(bench) == 0, cases[i].mark == JOURNAL_UNDONE);
        assert_int_equal(save(bench, &next), cases[i].next);
        if (cases[i].next == ST_OK && cases[i].mark != JOURNAL_UNDONE)
            assert_int_equal(next.id, file.id + 1);
    }
}

static void too_large_a_journal_is_not_put_there(void **state)
{
    struct bench *bench = *state;
    struct journal_file file;

    srand(18);
    fill_randomly(bench->old, SIZE);
    record_blocks(bench, 8);
    assert_int_equal(save(bench, &file), ST_ABSENT);
    assert_int_equal(variable_size(bench), 0);
    record_blocks(bench, 6);
    assert_int_equal(save(bench, &file), ST_OK);
}

/* The margin stays free, with what the change itself writes. */
static void the_store_keeps_its_margin(void **state)
{
    struct bench *bench = *state;
    struct journal_file file;
    uint64_t total = mem_vars_used(bench->host->vars) + STORE_MARGIN;
    uint64_t least = 0;

    record_blocks(bench, 1);
    mem_vars_set_total(bench->host->vars, total);
    while (save(bench, &file) != ST_OK) {
        least += 16;
        mem_vars_set_total(bench->host->vars, total + least);
    }
    assert_true(least >= variable_size(bench));
    assert_true(mem_vars_used(bench->host->vars) + STORE_MARGIN <= total + least);
    assert_in_range(least, variable_size(bench), variable_size(bench) + 200);
}

static void what_the_store_does_not_keep_is_not_counted_on(void **state)
{
    struct bench *bench = *state;
    struct journal_file file;

    record_blocks(bench, 1);
    mem_vars_set_read_only(bench->host->vars, true);
    assert_int_equal(save(bench, &file), ST_ABSENT);
}

static void something_else_in_the_variable_is_no_journal(void **state)
{
    struct bench *bench = *state;
    struct journal_files list;
    struct journal_file file;

    mem_vars_put(bench->host->vars, &own_vendor, JOURNAL_VARIABLE_NAME, VAR_BOOT_OPTION, "xyz", 3);
    assert_int_equal(journal_store_list(&bench->arena, host_ports(bench->host), &list), ST_OK);
    assert_int_equal(list.count, 0);
    record_blocks(bench, 1);
    assert_int_equal(save(bench, &file), ST_OK);
    assert_int_equal(file.id, 1);
}

/* Attributes and numbers of a variable that we have not written tell nothing; nor does a length of ours. */
static void what_only_looks_like_ours_is_no_journal(void **state)
{
    static const char garbage[] = "garbage!";
    struct bench *bench = *state;
    struct journal_files list;
    struct journal_file file;
    uint8_t data[4 + JOURNAL_VARIABLE_MOST + JOURNAL_MARK_SIZE] = {0};

    mem_vars_put(bench->host->vars, &own_vendor, JOURNAL_VARIABLE_NAME,
                 VAR_NON_VOLATILE | VAR_BOOT_SERVICE, garbage, sizeof(garbage) - 1);
    record_blocks(bench, 1);
    assert_int_equal(save(bench, &file), ST_OK);
    assert_int_equal(file.id, 1);

    /* The same journal, in a variable that running systems could have written. */
    const struct mem_var *var =
        mem_vars_find(bench->host->vars, &own_vendor, JOURNAL_VARIABLE_NAME);
    size_t size = var->size;
    memcpy(data, var->data, size);
    mem_vars_put(bench->host->vars, &own_vendor, JOURNAL_VARIABLE_NAME, VAR_BOOT_OPTION, data,
                 size);
    assert_int_equal(journal_store_list(&bench->arena, host_ports(bench->host), &list), ST_OK);
    assert_int_equal(list.count, 0);

    /* A journal longer than any that is put there: the mark would not fit behind it. */
    st_le32(data, 1);
    st_le32(data + 4 + 8, JOURNAL_VARIABLE_MOST + 8);
    mem_vars_put(bench->host->vars, &own_vendor, JOURNAL_VARIABLE_NAME,
                 VAR_NON_VOLATILE | VAR_BOOT_SERVICE, data, sizeof(data));
    file.in_variable = true;
    assert_int_equal(journal_store_mark(host_ports(bench->host), &file, JOURNAL_DONE), ST_DAMAGED);
}

/* There the variable is a file on the very disk. */
static void under_u_boot_no_variable_takes_a_journal_of_its_own_disk(void **state)
{
    struct bench *bench = *state;
    struct journal_file file;

    bench->machine.firmware.vendor = "Das U-Boot";
    record_blocks(bench, 1);
    assert_int_not_equal(save(bench, &file), ST_OK);
    assert_null(mem_vars_find(bench->host->vars, &own_vendor, JOURNAL_VARIABLE_NAME));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(every_old_block_comes_back),
        CASE(what_only_looks_like_ours_is_no_journal),
        CASE(under_u_boot_no_variable_takes_a_journal_of_its_own_disk),
        CASE(a_chain_takes_next_to_nothing),
        CASE(a_block_of_somebody_else_is_not_made_old),
        CASE(differences_that_lead_outside_are_damage),
        CASE(without_a_volume_the_variable_takes_it),
        CASE(journal_of_an_interrupted_change_does_not_give_way),
        CASE(too_large_a_journal_is_not_put_there),
        CASE(the_store_keeps_its_margin),
        CASE(what_the_store_does_not_keep_is_not_counted_on),
        CASE(something_else_in_the_variable_is_no_journal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
