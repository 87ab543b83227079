/* The frame of registry hives: byte-made ones, and the store of a real machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "format/regf/regf.h"
#include "unit/bytes_fixture.h"
#include "unit/shared_fixture.h"
#include "unit/skip_fixture.h"

#define BINS      0x1000u /* offset of the first bin in the file */
#define HIVE_SIZE 0x4000u /* two bins, of 4096 and 8192 bytes */

static void set_checksum(uint8_t *hive)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < 508; i++)
        sum ^= (uint32_t)hive[i] << 8 * (i % 4);
    if (sum == 0)
        sum = 1;
    if (sum == 0xffffffff)
        sum = 0xfffffffe;
    fixture_store_le(hive + 508, sum, 4);
}

static void put_bin(uint8_t *hive, uint32_t offset, uint32_t size)
{
    uint8_t *at = hive + BINS + offset;

    memcpy(at, "hbin", 4);
    fixture_store_le(at + 4, offset, 4);
    fixture_store_le(at + 8, size, 4);
    /* One free cell to the end. */
    fixture_store_le(at + 32, size - 32, 4);
}

static void put_cell(uint8_t *hive, uint32_t offset, int32_t size)
{
    fixture_store_le(hive + BINS + offset, (uint32_t)size, 4);
}

/* A hive with a root key in use and some other cells. */
static void build(uint8_t ret_hive[HIVE_SIZE])
{
    memset(ret_hive, 0, HIVE_SIZE);
    memcpy(ret_hive, "regf", 4);
    fixture_store_le(ret_hive + 4, 7, 4);
    fixture_store_le(ret_hive + 8, 7, 4);
    fixture_store_le(ret_hive + 20, 1, 4);
    fixture_store_le(ret_hive + 24, 3, 4);
    fixture_store_le(ret_hive + 32, 1, 4);
    fixture_store_le(ret_hive + 36, 0x20, 4);
    fixture_store_le(ret_hive + 40, 0x3000, 4);
    put_bin(ret_hive, 0, 0x1000);
    put_cell(ret_hive, 0x20, -96);
    memcpy(ret_hive + BINS + 0x24, "nk", 2);
    put_cell(ret_hive, 0x80, -8);
    put_cell(ret_hive, 0x88, 0xf78);
    put_bin(ret_hive, 0x1000, 0x2000);
    set_checksum(ret_hive);
}

static enum regf_state check_bytes(const uint8_t *bytes, size_t size)
{
    struct span copy = fixture_exact(bytes, size);
    enum regf_state state = regf_check(copy);

    fixture_drop(copy);
    return state;
}

/* The state of the hive after a 32-bit number in it was replaced and its checksum made anew. */
static enum regf_state check_changed(size_t at, uint32_t value)
{
    uint8_t hive[HIVE_SIZE];

    build(hive);
    fixture_store_le(hive + at, value, 4);
    set_checksum(hive);
    return check_bytes(hive, sizeof(hive));
}

static void whole_hive_is_good(void **state)
{
    uint8_t hive[HIVE_SIZE + 512] = {0};

    (void)state;
    build(hive);
    assert_int_equal(check_bytes(hive, HIVE_SIZE), REGF_GOOD);
    assert_int_equal(check_bytes(hive, HIVE_SIZE + 512), REGF_GOOD);
}

static void versions_from_3_to_6_are_known(void **state)
{
    (void)state;
    assert_int_equal(check_changed(24, 2), REGF_UNSUPPORTED);
    for (uint32_t minor = 3; minor <= 6; minor++)
        assert_int_equal(check_changed(24, minor), REGF_GOOD);
    assert_int_equal(check_changed(24, 7), REGF_UNSUPPORTED);
    assert_int_equal(check_changed(20, 2), REGF_UNSUPPORTED);
    assert_int_equal(check_changed(28, 1), REGF_UNSUPPORTED);
    assert_int_equal(check_changed(32, 0), REGF_UNSUPPORTED);
}

static void file_without_the_signature_is_no_hive(void **state)
{
    uint8_t hive[HIVE_SIZE];

    (void)state;
    build(hive);
    assert_int_equal(check_bytes(hive, 0), REGF_NOT_A_HIVE);
    assert_int_equal(check_bytes(hive, 3), REGF_NOT_A_HIVE);
    hive[0] = 0;
    assert_int_equal(check_bytes(hive, HIVE_SIZE), REGF_NOT_A_HIVE);
    memset(hive, 0, sizeof(hive));
    assert_int_equal(check_bytes(hive, HIVE_SIZE), REGF_NOT_A_HIVE);
}

static void hive_cut_short_is_truncated(void **state)
{
    uint8_t hive[HIVE_SIZE];

    (void)state;
    build(hive);
    for (size_t size = 4; size < HIVE_SIZE; size += 61)
        assert_int_equal(check_bytes(hive, size), REGF_TRUNCATED);
    assert_int_equal(check_bytes(hive, HIVE_SIZE - 1), REGF_TRUNCATED);
    assert_int_equal(check_changed(40, 0xfffff000), REGF_TRUNCATED);
}

static void hive_of_more_than_16_mib_is_not_known(void **state)
{
    const size_t size = 0x1001000 + 0x1000;
    uint8_t *hive = calloc(1, size);

    (void)state;
    assert_non_null(hive);
    build(hive);
    for (size_t bins = 0x1000000; bins <= 0x1001000; bins += 0x1000) {
        fixture_store_le(hive + 40, bins, 4);
        set_checksum(hive);
        assert_int_equal(regf_check(span_of(hive, size)),
                         bins > 0x1000000 ? REGF_UNSUPPORTED : REGF_DAMAGED);
    }
    free(hive);
}

static void any_change_to_the_base_block_breaks_its_checksum(void **state)
{
    uint8_t hive[HIVE_SIZE];

    (void)state;
    build(hive);
    for (size_t at = 4; at < 512; at++) {
        hive[at] ^= 0x10;
        assert_int_equal(check_bytes(hive, HIVE_SIZE), REGF_BAD_CHECKSUM);
        hive[at] ^= 0x10;
    }
    hive[512] ^= 0x10;
    assert_int_equal(check_bytes(hive, HIVE_SIZE), REGF_GOOD);
}

static void checksum_is_never_0_or_all_ones(void **state)
{
    uint8_t hive[HIVE_SIZE];

    (void)state;
    for (uint32_t wanted = 0; wanted != 0xfffffffe; wanted--) {
        build(hive);
        /* A field that nobody checks makes the sum what is wanted. */
        fixture_store_le(hive + 48, ld_le32(hive + 508) ^ wanted, 4);
        fixture_store_le(hive + 508, wanted, 4);
        assert_int_equal(check_bytes(hive, HIVE_SIZE), REGF_BAD_CHECKSUM);
        fixture_store_le(hive + 508, wanted == 0 ? 1 : 0xfffffffe, 4);
        assert_int_equal(check_bytes(hive, HIVE_SIZE), REGF_GOOD);
    }
}

static void unfinished_write_makes_it_dirty(void **state)
{
    (void)state;
    assert_int_equal(check_changed(4, 8), REGF_DIRTY);
    assert_int_equal(check_changed(8, 6), REGF_DIRTY);
}

static void damage_counts_more_than_an_unfinished_write(void **state)
{
    uint8_t hive[HIVE_SIZE];

    (void)state;
    build(hive);
    fixture_store_le(hive + 4, 8, 4);
    hive[BINS] = 0;
    set_checksum(hive);
    assert_int_equal(check_bytes(hive, HIVE_SIZE), REGF_DAMAGED);
}

static void bins_follow_each_other_to_the_end(void **state)
{
    (void)state;
    assert_int_equal(check_changed(BINS, 0), REGF_DAMAGED);
    assert_int_equal(check_changed(BINS + 4, 0x1000), REGF_DAMAGED);
    assert_int_equal(check_changed(BINS + 8, 0), REGF_DAMAGED);
    assert_int_equal(check_changed(BINS + 8, 0x800), REGF_DAMAGED);
    assert_int_equal(check_changed(BINS + 8, 0x2000), REGF_DAMAGED);
    assert_int_equal(check_changed(BINS + 0x1000 + 4, 0x2000), REGF_DAMAGED);
    assert_int_equal(check_changed(BINS + 0x1000 + 8, 0x3000), REGF_DAMAGED);
    assert_int_equal(check_changed(BINS + 0x1000 + 8, 0xfffff000), REGF_DAMAGED);
    /* Bytes that no bin explains, and no bins at all. */
    assert_int_equal(check_changed(40, 0x2000), REGF_DAMAGED);
    assert_int_equal(check_changed(40, 0x2ff0), REGF_DAMAGED);
    assert_int_equal(check_changed(40, 0), REGF_DAMAGED);
}

static void cells_fill_their_bin(void **state)
{
    (void)state;
    assert_int_equal(check_changed(BINS + 0x88, 0), REGF_DAMAGED);
    assert_int_equal(check_changed(BINS + 0x88, 0xf70), REGF_DAMAGED);
    assert_int_equal(check_changed(BINS + 0x88, 0xf80), REGF_DAMAGED);
    assert_int_equal(check_changed(BINS + 0x88, 0xf7c), REGF_DAMAGED);
    assert_int_equal(check_changed(BINS + 0x88, 0x80000000), REGF_DAMAGED);
    assert_int_equal(check_changed(BINS + 0x88, 0x7ffffff8), REGF_DAMAGED);
    assert_int_equal(check_changed(BINS + 0x88, 0x80000008), REGF_DAMAGED);
    assert_int_equal(check_changed(BINS + 0x88, (uint32_t)-0xf78), REGF_GOOD);
    assert_int_equal(check_changed(BINS + 0x80, (uint32_t)-4), REGF_DAMAGED);
}

static void cells_have_sizes_of_whole_units(void **state)
{
    uint8_t hive[HIVE_SIZE];

    (void)state;
    build(hive);
    put_cell(hive, 0x80, -12);
    put_cell(hive, 0x8c, 0xf74);
    assert_int_equal(check_bytes(hive, HIVE_SIZE), REGF_DAMAGED);
}

static void root_is_a_key_in_use(void **state)
{
    (void)state;
    assert_int_equal(check_changed(36, 0x80), REGF_DAMAGED);
    assert_int_equal(check_changed(36, 0x28), REGF_DAMAGED);
    assert_int_equal(check_changed(36, 0), REGF_DAMAGED);
    assert_int_equal(check_changed(36, 0x1020), REGF_DAMAGED);
    assert_int_equal(check_changed(36, 0x3020), REGF_DAMAGED);
    assert_int_equal(check_changed(36, 0xffffffff), REGF_DAMAGED);
    assert_int_equal(check_changed(BINS + 0x20, 96), REGF_DAMAGED);
    assert_int_equal(check_changed(BINS + 0x24, 0x6b76), REGF_DAMAGED);
}

static void root_may_be_in_any_bin(void **state)
{
    uint8_t hive[HIVE_SIZE];

    (void)state;
    build(hive);
    fixture_store_le(hive + 36, 0x1020, 4);
    put_cell(hive, 0x1020, -0x1fe0);
    memcpy(hive + BINS + 0x1024, "nk", 2);
    set_checksum(hive);
    assert_int_equal(check_bytes(hive, HIVE_SIZE), REGF_GOOD);
}

static void root_too_short_for_a_key_is_damage(void **state)
{
    uint8_t hive[HIVE_SIZE];

    (void)state;
    build(hive);
    put_cell(hive, 0x20, -80);
    put_cell(hive, 0x70, 16);
    assert_int_equal(check_bytes(hive, HIVE_SIZE), REGF_GOOD);
    put_cell(hive, 0x20, -72);
    put_cell(hive, 0x68, 24);
    assert_int_equal(check_bytes(hive, HIVE_SIZE), REGF_DAMAGED);
}

static void real_store_is_good_and_no_longer_so_when_cut_or_cleared(void **state)
{
    struct span file = shared_read("data/bcd-win10-uefi.xz");

    (void)state;
    if (file.at == NULL)
        SKIP_BECAUSE("data/bcd-win10-uefi.xz" NO_SHARED_DATA);
    size_t size = file.size;
    uint8_t *store = malloc(size);
    assert_non_null(store);
    memcpy(store, file.at, size);
    shared_free(file);
    assert_int_equal(check_bytes(store, size), REGF_GOOD);
    for (size_t cut = 512; cut < size; cut += 512)
        assert_int_equal(check_bytes(store, cut), REGF_TRUNCATED);
    for (size_t at = 4096; at < size; at += 4096) {
        uint8_t page[4096];
        memcpy(page, store + at, sizeof(page));
        memset(store + at, 0, sizeof(page));
        assert_int_equal(check_bytes(store, size), REGF_DAMAGED);
        memcpy(store + at, page, sizeof(page));
    }
    free(store);
}

static void states_have_words(void **state)
{
    (void)state;
    for (int i = 0; i <= REGF_STATE_COUNT; i++)
        assert_non_null(regf_state_text((enum regf_state)i));
    assert_string_equal(regf_state_text(REGF_NOT_A_HIVE), "it is not a registry hive");
    assert_string_equal(regf_state_text(REGF_DIRTY), "a write to it was not finished");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_hive_is_good),
        cmocka_unit_test(versions_from_3_to_6_are_known),
        cmocka_unit_test(file_without_the_signature_is_no_hive),
        cmocka_unit_test(hive_cut_short_is_truncated),
        cmocka_unit_test(hive_of_more_than_16_mib_is_not_known),
        cmocka_unit_test(any_change_to_the_base_block_breaks_its_checksum),
        cmocka_unit_test(checksum_is_never_0_or_all_ones),
        cmocka_unit_test(unfinished_write_makes_it_dirty),
        cmocka_unit_test(damage_counts_more_than_an_unfinished_write),
        cmocka_unit_test(bins_follow_each_other_to_the_end),
        cmocka_unit_test(cells_fill_their_bin),
        cmocka_unit_test(cells_have_sizes_of_whole_units),
        cmocka_unit_test(root_is_a_key_in_use),
        cmocka_unit_test(root_may_be_in_any_bin),
        cmocka_unit_test(root_too_short_for_a_key_is_damage),
        cmocka_unit_test(real_store_is_good_and_no_longer_so_when_cut_or_cleared),
        cmocka_unit_test(states_have_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
