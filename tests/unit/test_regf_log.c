/* Hives whose last write was cut short, and their logs of both types. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "format/regf/regf.h"
#include "format/regf/regf_log.h"
#include "format/regf/regf_marvin.h"
#include "unit/bytes_fixture.h"
#include "unit/hive_fixture.h"
#include "unit/shared_fixture.h"
#include "unit/skip_fixture.h"

#define SIZE    0x4000u /* of the hive: three bins */
#define LOG_MAX 0x8000u
#define SECOND  7u /* the hive's sequence numbers are 8 and this */
#define RESULT  0x8000u

struct log {
    uint8_t bytes[LOG_MAX];
    size_t size;
    uint32_t sequence; /* of the next entry */
};

/* A clean hive of three bins, and what is left of it after a cut: the second bin is of before. */
static struct hive_sample sample;
static uint8_t whole[SIZE];
static uint8_t torn[SIZE];
static struct log logs[3];

static void set_sequences(uint8_t *file, uint32_t primary, uint32_t secondary)
{
    fixture_store_le(file + 4, primary, 4);
    fixture_store_le(file + 8, secondary, 4);
    hive_sign(file);
}

static void make(void)
{
    hive_make_sample(&sample, 3, "lf");
    hive_next_bin(&sample.hive);
    hive_cell(&sample.hive, "the third", 9);
    sample.file = hive_finish(&sample.hive, sample.root);
    assert_int_equal(sample.file.size, SIZE);
    memcpy(whole, sample.file.at, SIZE);
    memcpy(torn, whole, SIZE);
    /* Neither a bin nor cells: no good hive without the log. */
    memset(torn + 0x2000, 0xee, 0x1000);
    set_sequences(torn, SECOND + 1, SECOND);
}

static void start_log(struct log *log, uint32_t type, uint32_t sequence)
{
    memset(log, 0, sizeof(*log));
    memcpy(log->bytes, whole, 512);
    fixture_store_le(log->bytes + 28, type, 4);
    set_sequences(log->bytes, sequence, sequence);
    log->size = 512;
    log->sequence = sequence;
}

/* Makes an entry's hashes right. */
static void hash_entry(uint8_t *entry)
{
    size_t size = ld_le32(entry + 4);

    fixture_store_le(entry + 24, regf_marvin(span_of(entry + 40, size - 40)), 8);
    fixture_store_le(entry + 32, regf_marvin(span_of(entry, 32)), 8);
}

/* Adds an entry with one part of the whole hive, and one byte of it changed at `mark`. */
static uint8_t *add_entry(struct log *log, uint32_t offset, uint32_t size, uint8_t mark)
{
    uint8_t *entry = log->bytes + log->size;
    uint32_t entry_size = (40 + 8 + size + 511) / 512 * 512;

    memcpy(entry, "HvLE", 4);
    fixture_store_le(entry + 4, entry_size, 4);
    fixture_store_le(entry + 12, log->sequence++, 4);
    fixture_store_le(entry + 16, SIZE - 0x1000, 4);
    fixture_store_le(entry + 20, 1, 4);
    fixture_store_le(entry + 40, offset, 4);
    fixture_store_le(entry + 44, size, 4);
    memcpy(entry + 48, whole + 0x1000 + offset, size);
    entry[48 + 24] = mark; /* in the reserved part of a bin's header */
    hash_entry(entry);
    log->size += entry_size;
    return entry;
}

static uint8_t result[RESULT];

static enum regf_recovery recover_in(size_t count, size_t capacity, struct span *ret_file)
{
    struct span hive = fixture_exact(torn, sizeof(torn));
    struct span spans[3];

    for (size_t i = 0; i < count; i++)
        spans[i] = fixture_exact(logs[i].bytes, logs[i].size);
    memset(result, 0xdd, sizeof(result));
    enum regf_recovery recovery = regf_recover(hive, spans, count, result, capacity, ret_file);
    for (size_t i = 0; i < count; i++)
        fixture_drop(spans[i]);
    fixture_drop(hive);
    return recovery;
}

static enum regf_recovery recover(size_t count)
{
    struct span file;

    return recover_in(count, sizeof(result), &file);
}

/* The recovered hive is the whole one, but for its sequence numbers and one byte. */
static void assert_recovered(size_t count, uint32_t sequence, uint8_t mark)
{
    struct span file;
    static uint8_t wanted[SIZE];

    assert_int_equal(recover_in(count, sizeof(result), &file), REGF_RECOVERED);
    memcpy(wanted, whole, SIZE);
    set_sequences(wanted, sequence, sequence);
    wanted[0x2000 + 24] = mark;
    assert_int_equal(file.size, SIZE);
    assert_memory_equal(file.at, wanted, SIZE);
    assert_int_equal(regf_check(file), REGF_GOOD);
    assert_int_equal(result[SIZE], 0xdd);
}

/* --- The hash ----------------------------------------------------------------------------------*/

static void hash_is_that_of_the_reference(void **state)
{
    static const uint8_t zeros[32];
    static const struct {
        const void *bytes;
        size_t size;
        uint8_t hash[8];
    } known[] = {
        {zeros, 0, {0x08, 0x6e, 0x96, 0x03, 0xa4, 0xfc, 0x9e, 0xb3}},
        {zeros, 32, {0x23, 0x92, 0x35, 0xc5, 0x6a, 0xa0, 0x91, 0xda}},
        {"abcd", 4, {0x86, 0xd0, 0x6c, 0x1a, 0xb1, 0x4f, 0x09, 0x20}},
    };

    (void)state;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(regf_marvin(span_of(known[i].bytes, known[i].size)),
                         ld_le64(known[i].hash));
    /* Every byte of an incomplete last word counts, and so does how many there are. */
    for (size_t size = 1; size < 8; size++) {
        uint64_t hash = regf_marvin(span_of("abcdefgh", size));
        assert_int_not_equal(hash, regf_marvin(span_of("abcdefgh", size - 1)));
        uint8_t other[8] = "abcdefgh";
        other[size - 1] ^= 1;
        assert_int_not_equal(hash, regf_marvin(span_of(other, size)));
    }
}

/* --- Type 6 ------------------------------------------------------------------------------------*/

static void write_is_completed_from_the_log(void **state)
{
    (void)state;
    make();
    assert_int_equal(regf_check(span_of(torn, SIZE)), REGF_DAMAGED);
    start_log(&logs[0], 6, SECOND);
    add_entry(&logs[0], 0x1000, 0x1000, 1);
    assert_recovered(1, SECOND, 1);
    /* A later entry wins. */
    add_entry(&logs[0], 0x1000, 0x800, 2);
    assert_recovered(1, SECOND + 1, 2);
    /* The log of a later write than the first that the hive lacks. */
    start_log(&logs[0], 6, SECOND + 5);
    add_entry(&logs[0], 0x1000, 0x1000, 3);
    assert_recovered(1, SECOND + 5, 3);
}

static void entry_may_refer_to_many_parts(void **state)
{
    uint8_t *entry = logs[0].bytes + 512;

    (void)state;
    make();
    start_log(&logs[0], 6, SECOND);
    memcpy(entry, "HvLE", 4);
    fixture_store_le(entry + 4, 0x1200, 4);
    fixture_store_le(entry + 8, 1, 4); /* goes into the base block */
    fixture_store_le(entry + 12, SECOND, 4);
    fixture_store_le(entry + 16, SIZE - 0x1000, 4);
    fixture_store_le(entry + 20, 3, 4);
    for (uint32_t i = 0; i < 3; i++) {
        static const uint32_t parts[3][2] = {{0x1c00, 0x400}, {0x1000, 0xa00}, {0x1a00, 0x200}};
        fixture_store_le(entry + 40 + 8 * (size_t)i, parts[i][0], 4);
        fixture_store_le(entry + 44 + 8 * (size_t)i, parts[i][1], 4);
    }
    memcpy(entry + 64, whole + 0x2c00, 0x400);
    memcpy(entry + 64 + 0x400, whole + 0x2000, 0xa00);
    memcpy(entry + 64 + 0xe00, whole + 0x2a00, 0x200);
    hash_entry(entry);
    logs[0].size = 512 + 0x1200;
    fixture_store_le(whole + 144, 1, 4);
    assert_recovered(1, SECOND, 0);
}

static void hive_grows_and_shrinks_with_its_log(void **state)
{
    struct span file;

    (void)state;
    make();
    start_log(&logs[0], 6, SECOND);
    add_entry(&logs[0], 0x1000, 0x1000, 0);
    uint8_t *entry = add_entry(&logs[0], 0, 0x200, 0);
    /* A fourth bin: this one is the first once more, with another offset. */
    fixture_store_le(entry + 16, 0x4000, 4);
    fixture_store_le(entry + 40, 0x3000, 4);
    fixture_store_le(entry + 48 + 4, 0x3000, 4);
    memset(entry + 48 + 32, 0, 0x200 - 32);
    fixture_store_le(entry + 48 + 32, 0x1000 - 32, 4);
    hash_entry(entry);
    assert_int_equal(recover_in(1, sizeof(result), &file), REGF_RECOVERED);
    assert_int_equal(file.size, 0x5000);
    assert_int_equal(ld_le32(file.at + 40), 0x4000);
    assert_true(span_is_zero(span_part(file, 0x4200, 0xe00)));
    assert_int_equal(recover_in(1, 0x5000, &file), REGF_RECOVERED);
    assert_int_equal(recover_in(1, 0x4fff, &file), REGF_RECOVERY_TOO_SMALL);
    /* And back: what is behind does not count. */
    entry = add_entry(&logs[0], 0, 0x200, 0);
    fixture_store_le(entry + 16, 0x2000, 4);
    hash_entry(entry);
    assert_int_equal(recover_in(1, sizeof(result), &file), REGF_RECOVERED);
    assert_int_equal(file.size, 0x3000);
}

static void damaged_entry_ends_the_log(void **state)
{
    static const struct {
        size_t at;
        uint32_t value;
        bool hashed; /* the hashes are right */
    } damages[] = {
        {0, 0x454c7649, true},   /* signature */
        {4, 0x1201, true},       /* size: no multiple of 512 */
        {4, 0x4000, false},      /* past the end */
        {4, 0, false},           /* none */
        {8, 1, false},           /* something under the second hash */
        {12, SECOND + 2, true},  /* another sequence number */
        {16, 0x2fff, true},      /* no whole bins */
        {16, 0, true},           /* no bins */
        {16, 0x1000, true},      /* the page is not in it */
        {20, 0x1000, true},      /* more references than it is long */
        {20, 0xffffffff, true},  /* the same */
        {24, 0, false},          /* the first hash */
        {36, 0, false},          /* the second */
        {40, 0x2001, true},      /* past the bins */
        {40, 0xfffffff0, true},  /* far past them */
        {44, 0x2000, true},      /* more than it has */
        {48 + 64, 0xbad, false}, /* content */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        make();
        start_log(&logs[0], 6, SECOND);
        add_entry(&logs[0], 0x1000, 0x1000, 1);
        uint8_t *entry = add_entry(&logs[0], 0x1000, 0x1000, 2);
        fixture_store_le(entry + damages[i].at, damages[i].value, 4);
        if (damages[i].hashed)
            hash_entry(entry);
        assert_recovered(1, SECOND, 1);
        /* As the only one. */
        memmove(logs[0].bytes + 512, entry, 0x1200);
        logs[0].size -= 0x1200;
        if (damages[i].at != 12)
            fixture_store_le(logs[0].bytes + 512 + 12, SECOND, 4);
        if (damages[i].hashed)
            hash_entry(logs[0].bytes + 512);
        assert_int_equal(recover(1), i == 0 ? REGF_RECOVERY_NO_LOG : REGF_RECOVERY_LOG_DAMAGED);
    }
}

static void log_cut_short_counts_up_to_there(void **state)
{
    (void)state;
    make();
    start_log(&logs[0], 6, SECOND);
    add_entry(&logs[0], 0x1000, 0x1000, 1);
    add_entry(&logs[0], 0x1000, 0x1000, 2);
    size_t size = logs[0].size;
    for (size_t cut = 1; cut <= 0x1200; cut += 0x11f) {
        logs[0].size = size - cut;
        assert_recovered(1, SECOND, 1);
    }
    logs[0].size = 512 + 0x1200 - 1;
    assert_int_equal(recover(1), REGF_RECOVERY_LOG_DAMAGED);
    logs[0].size = 1023;
    assert_int_equal(recover(1), REGF_RECOVERY_NO_LOG);
    logs[0].size = 0;
    assert_int_equal(recover(1), REGF_RECOVERY_NO_LOG);
    assert_int_equal(recover(0), REGF_RECOVERY_NO_LOG);
}

static void log_of_older_writes_is_not_used(void **state)
{
    (void)state;
    make();
    start_log(&logs[0], 6, SECOND - 1);
    add_entry(&logs[0], 0x1000, 0x1000, 1);
    add_entry(&logs[0], 0x1000, 0x1000, 2);
    assert_int_equal(recover(1), REGF_RECOVERY_LOG_STALE);
    /* Beside one that fits. */
    start_log(&logs[1], 6, SECOND);
    add_entry(&logs[1], 0x1000, 0x1000, 3);
    assert_recovered(2, SECOND, 3);
}

static void logs_follow_each_other_in_the_order_of_their_writes(void **state)
{
    (void)state;
    for (uint32_t swapped = 0; swapped < 2; swapped++) {
        make();
        start_log(&logs[swapped], 6, SECOND);
        add_entry(&logs[swapped], 0x1000, 0x1000, 1);
        add_entry(&logs[swapped], 0x1000, 0x200, 2);
        start_log(&logs[1 - swapped], 6, SECOND + 2);
        add_entry(&logs[1 - swapped], 0x1000, 0x200, 3);
        start_log(&logs[2], 6, SECOND - 3);
        add_entry(&logs[2], 0x1000, 0x200, 4);
        assert_recovered(3, SECOND + 2, 3);
        /* A write between them is missing: the second is of no use. */
        start_log(&logs[1 - swapped], 6, SECOND + 3);
        add_entry(&logs[1 - swapped], 0x1000, 0x200, 3);
        assert_recovered(3, SECOND + 1, 2);
    }
}

/* --- The base block ----------------------------------------------------------------------------*/

static void base_block_is_made_from_the_newest_log(void **state)
{
    static const size_t damages[] = {0, 0x30, 0x1fc};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        make();
        torn[damages[i]] ^= 0x40;
        start_log(&logs[0], 6, SECOND + 1);
        add_entry(&logs[0], 0x1000, 0x1000, 1);
        start_log(&logs[1], 6, SECOND);
        add_entry(&logs[1], 0, 0x1000, 2);
        assert_recovered(2, SECOND + 1, 1);
    }
    make();
    torn[0x30] ^= 1;
    start_log(&logs[0], 1, 5);
    memcpy(logs[0].bytes + 512, "DIRT", 4);
    logs[0].bytes[516 + 1] = 0xff;
    memcpy(logs[0].bytes + 1024, whole + 0x2000, 0x1000);
    logs[0].size = 1024 + 0x1000;
    assert_recovered(1, 5, 0);
}

static void clean_hive_needs_no_log(void **state)
{
    (void)state;
    make();
    start_log(&logs[0], 6, SECOND);
    add_entry(&logs[0], 0x1000, 0x1000, 1);
    set_sequences(torn, SECOND, SECOND);
    assert_int_equal(recover(1), REGF_RECOVERY_NOT_NEEDED);
    set_sequences(torn, SECOND + 1, SECOND);
    fixture_store_le(torn + 24, 2, 4);
    hive_sign(torn);
    assert_int_equal(recover(1), REGF_RECOVERY_UNSUPPORTED);
}

static void result_is_a_good_hive_or_none(void **state)
{
    (void)state;
    make();
    memset(torn + 0x3000, 0xee, 0x1000);
    start_log(&logs[0], 6, SECOND);
    add_entry(&logs[0], 0x1000, 0x1000, 1);
    assert_int_equal(recover(1), REGF_RECOVERY_BAD_RESULT);
    add_entry(&logs[0], 0x2000, 0x1000, 0);
    assert_recovered(1, SECOND + 1, 1);
    struct span file;
    for (size_t capacity = 0; capacity < SIZE; capacity += 0x555)
        assert_int_equal(recover_in(1, capacity, &file), REGF_RECOVERY_TOO_SMALL);
}

/* --- Type 1 ------------------------------------------------------------------------------------*/

/* A log with these pages of 512 bytes of the whole hive. */
static void make_old_log(const uint8_t *pages, size_t count)
{
    struct log *log = &logs[0];

    make();
    start_log(log, 1, 20);
    memcpy(log->bytes + 512, "DIRT", 4);
    log->size = 1024;
    for (size_t i = 0; i < count; i++) {
        log->bytes[516 + pages[i] / 8] |= (uint8_t)(1 << pages[i] % 8);
        memcpy(log->bytes + log->size, whole + 0x1000 + 512 * (size_t)pages[i], 512);
        log->size += 512;
    }
}

static const uint8_t second_bin[] = {8, 9, 10, 11, 12, 13, 14, 15};

static void old_log_brings_its_pages(void **state)
{
    static const uint8_t scattered[] = {0, 8, 9, 10, 11, 12, 13, 14, 15, 23};

    (void)state;
    make_old_log(second_bin, 8);
    assert_recovered(1, SECOND + 1, 0);
    make_old_log(scattered, 10);
    memset(torn + 0x1000, 0, 0x200);
    memset(torn + 0x3e00, 7, 0x200);
    assert_recovered(1, SECOND + 1, 0);
}

static void old_log_of_another_write_is_not_used(void **state)
{
    (void)state;
    make_old_log(second_bin, 8);
    fixture_store_le(logs[0].bytes + 12, HIVE_TIME + 1, 8);
    hive_sign(logs[0].bytes);
    assert_int_equal(recover(1), REGF_RECOVERY_LOG_STALE);
    make_old_log(second_bin, 8);
    set_sequences(logs[0].bytes, 20, 19);
    assert_int_equal(recover(1), REGF_RECOVERY_LOG_STALE);
}

static void damaged_old_log_is_not_used(void **state)
{
    (void)state;
    make_old_log(second_bin, 8);
    logs[0].size--;
    assert_int_equal(recover(1), REGF_RECOVERY_LOG_DAMAGED);
    make_old_log(second_bin, 8);
    logs[0].bytes[516] |= 1; /* one page more than there is */
    assert_int_equal(recover(1), REGF_RECOVERY_LOG_DAMAGED);
    make_old_log(second_bin, 8);
    fixture_store_le(logs[0].bytes + 40, 0x2ff0, 4);
    hive_sign(logs[0].bytes);
    assert_int_equal(recover(1), REGF_RECOVERY_LOG_DAMAGED);
    make_old_log(second_bin, 8);
    fixture_store_le(logs[0].bytes + 40, 0x1000000, 4);
    hive_sign(logs[0].bytes);
    assert_int_equal(recover(1), REGF_RECOVERY_LOG_DAMAGED);
    make_old_log(second_bin, 8);
    logs[0].bytes[508] ^= 1;
    assert_int_equal(recover(1), REGF_RECOVERY_NO_LOG);
}

/* The map of so many pages takes more than the rest of its sector. */
static void long_map_moves_the_pages(void **state)
{
    struct log *log = &logs[0];
    struct span file;
    static uint8_t buffer[0x1000 + 0x200000];

    (void)state;
    make_old_log(second_bin, 0);
    fixture_store_le(log->bytes + 40, 0x200000, 4);
    hive_sign(log->bytes);
    log->bytes[516 + 1] = 0xff;
    memcpy(log->bytes + 1536, whole + 0x2000, 0x1000);
    log->size = 1536 + 0x1000;
    struct span span = span_of(log->bytes, log->size);
    /* Zeros behind are no bins, which tells that the pages came to their places before. */
    assert_int_equal(regf_recover(span_of(torn, SIZE), &span, 1, buffer, sizeof(buffer), &file),
                     REGF_RECOVERY_BAD_RESULT);
    assert_memory_equal(buffer + 0x2000, whole + 0x2000, 0x1000);
}

/* --- A real log --------------------------------------------------------------------------------*/

static void real_log_brings_back_the_store(void **state)
{
    struct span hive = shared_read("data/bcd/bcd-win10-19041.2965-two-disks");
    struct span log = shared_read("data/bcd/bcd-win10-19041.2965-two-disks.LOG");
    static uint8_t buffer[0x10000];
    static uint8_t broken[0x10000];
    struct span file;

    (void)state;
    if (hive.at == NULL || log.at == NULL)
        SKIP_BECAUSE("data/bcd" NO_SHARED_DATA);
    assert_int_equal(regf_recover(hive, &log, 1, buffer, sizeof(buffer), &file),
                     REGF_RECOVERY_NOT_NEEDED);
    /* Its one entry holds all the bins as they were at write 0x68. */
    memcpy(broken, hive.at, 4096);
    set_sequences(broken, 0x69, 0x68);
    assert_int_equal(regf_recover(span_of(broken, 0x8000), &log, 1, buffer, sizeof(buffer), &file),
                     REGF_RECOVERED);
    assert_int_equal(file.size, 0x8000);
    assert_memory_equal(file.at + 0x1000, log.at + 512 + 48, 0x7000);
    assert_int_equal(ld_le32(file.at + 4), 0x68);
    set_sequences(broken, 0x6a, 0x69);
    assert_int_equal(regf_recover(span_of(broken, 0x8000), &log, 1, buffer, sizeof(buffer), &file),
                     REGF_RECOVERY_LOG_STALE);
    shared_free(hive);
    shared_free(log);
}

static void recoveries_have_words(void **state)
{
    (void)state;
    for (int i = 0; i <= REGF_RECOVERY_COUNT; i++) {
        for (int k = 0; k < i; k++)
            assert_string_not_equal(regf_recovery_text((enum regf_recovery)i),
                                    regf_recovery_text((enum regf_recovery)k));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hash_is_that_of_the_reference),
        cmocka_unit_test(write_is_completed_from_the_log),
        cmocka_unit_test(entry_may_refer_to_many_parts),
        cmocka_unit_test(hive_grows_and_shrinks_with_its_log),
        cmocka_unit_test(damaged_entry_ends_the_log),
        cmocka_unit_test(log_cut_short_counts_up_to_there),
        cmocka_unit_test(log_of_older_writes_is_not_used),
        cmocka_unit_test(logs_follow_each_other_in_the_order_of_their_writes),
        cmocka_unit_test(base_block_is_made_from_the_newest_log),
        cmocka_unit_test(clean_hive_needs_no_log),
        cmocka_unit_test(result_is_a_good_hive_or_none),
        cmocka_unit_test(old_log_brings_its_pages),
        cmocka_unit_test(old_log_of_another_write_is_not_used),
        cmocka_unit_test(damaged_old_log_is_not_used),
        cmocka_unit_test(long_map_moves_the_pages),
        cmocka_unit_test(real_log_brings_back_the_store),
        cmocka_unit_test(recoveries_have_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
