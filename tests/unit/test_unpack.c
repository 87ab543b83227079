/*
 * Unpacking: the examples of [MS-XCA], bounds, and what is cut off or says more than it holds. What
 * ntfs-3g and wimlib pack is unpacked in ovmf-harness/test_ntfs_source.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "format/unpack/unpack.h"
#include "unit/bytes_fixture.h"

enum packing { LZNT1, XPRESS, LZX };

/* Unpacks from and to blocks of just their size; what comes of it lies in `output`. */
static enum status unpack(enum packing packing, const void *packed, size_t packed_size,
                          uint8_t *output, size_t size)
{
    struct arena arena = fixture_scratch();
    struct unpack_tables *tables = unpack_tables_new(&arena);
    struct span input = fixture_exact(packed, packed_size);
    uint8_t *exact = malloc(size > 0 ? size : 1);
    size_t there = size;
    enum status status;

    assert_non_null(exact);
    memset(exact, 0xa5, size);
    if (packing == LZNT1)
        status = unpack_lznt1(input, exact, size, &there);
    else if (packing == XPRESS)
        status = unpack_xpress(tables, input, exact, size);
    else
        status = unpack_lzx(tables, input, exact, size);
    assert_true(there <= size);
    memcpy(output, exact, size);
    free(exact);
    fixture_drop(input);
    return status;
}

static uint8_t output[70000];

/* --- LZNT1 ------------------------------------------------------------------------------------ */

/* [MS-XCA] 3.3 */
static const char music[] =
    "F# F# G A A G F# E D D E F# F# E E F# F# G A A G F# E D D E F# E D D E "
    "E F# D E F# G F# D E F# G F# E D E A F# F# G A A G F# E D D E F# E D "
    "D";
static const uint8_t music_packed[] = {
    0x38, 0xb0, 0x88, 0x46, 0x23, 0x20, 0x00, 0x20, 0x47, 0x20, 0x41, 0x00, 0x10, 0xa2, 0x47,
    0x01, 0xa0, 0x45, 0x20, 0x44, 0x00, 0x08, 0x45, 0x01, 0x50, 0x79, 0x00, 0xc0, 0x45, 0x20,
    0x05, 0x24, 0x13, 0x88, 0x05, 0xb4, 0x02, 0x4a, 0x44, 0xef, 0x03, 0x58, 0x02, 0x8c, 0x09,
    0x16, 0x01, 0x48, 0x45, 0x00, 0xbe, 0x00, 0x9e, 0x00, 0x04, 0x01, 0x18, 0x90, 0x00};

static void lznt1_of_the_specification_is_unpacked(void **state)
{
    (void)state;
    assert_int_equal(unpack(LZNT1, music_packed, sizeof music_packed, output, 142), ST_OK);
    assert_memory_equal(output, music, 142);
}

static enum status lznt1(const void *packed, size_t packed_size, size_t size, size_t *ret_there)
{
    return unpack_lznt1(span_of(packed, packed_size), output, size, ret_there);
}

static void lznt1_says_how_much_there_was_and_the_rest_is_zero(void **state)
{
    /* A chunk of 5 bytes as they are, one of 2, the end, and something behind it. */
    static const uint8_t packed[] = {0x04, 0x30, 1, 2, 3, 4, 5, 0x01, 0x30, 6, 7, 0, 0, 0xff, 0xff};
    size_t there = 0;

    (void)state;
    memset(output, 0xa5, sizeof output);
    assert_int_equal(lznt1(packed, sizeof packed, 10000, &there), ST_OK);
    assert_int_equal(there, 4096 + 2);
    assert_memory_equal(output, "\1\2\3\4\5\0", 6);
    assert_int_equal(output[4095], 0);
    assert_memory_equal(output + 4096, "\6\7\0", 3);
    assert_int_equal(output[9999], 0);
    assert_int_equal(output[10000], 0xa5);
    assert_int_equal(lznt1(packed, sizeof packed, 5, &there), ST_OK);
    assert_int_equal(there, 5);
    assert_int_equal(lznt1(packed, 0, 5, &there), ST_OK);
    assert_int_equal(there, 0);
    assert_int_equal(output[4], 0);
}

static void bad_lznt1_is_damaged(void **state)
{
    static const struct {
        const char *packed;
        size_t packed_size;
        size_t size;
    } cases[] = {
        {"\x03\x30\1\2\3", 5, 9},           /* a chunk that is cut off */
        {"\x03\xb0\x02L\xfc", 5, 4096},     /* one that is compressed */
        {"\x02\xb0\x02L\xfc", 5, 4096},     /* half of a match */
        {"\x03\xc0\x02L\xfc\x0f", 6, 4096}, /* another kind of chunk */
        {"\x03\x90\x02L\xfc\x0f", 6, 4096}, /* likewise */
        {"\x03\xb0\x02L\xfd\x0f", 6, 4096}, /* one byte more than a chunk has */
        {"\x03\xb0\x02L\xfc\x0f", 6, 4095}, /* than there is room for */
        {"\x03\xb0\x02L\xfc\x1f", 6, 4096}, /* from before the start */
        {"\x02\xb0\x01\xfc\x0f", 5, 4096},  /* likewise, at once */
        {"\x04\x30\1\2\3\4\5", 7, 4},       /* stored: more than there is room for */
        {"\x04\xb0\0\1\2\3\4", 7, 3},       /* bytes: likewise */
    };
    size_t there = 77;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(
            unpack(LZNT1, cases[i].packed, cases[i].packed_size, output, cases[i].size),
            ST_DAMAGED);
    assert_int_equal(lznt1("\x03\xb0\x02L\xfc\x0f", 6, 4095, &there), ST_DAMAGED);
    assert_int_equal(there, 77);
    assert_int_equal(unpack(LZNT1, "\x03\xb0\x02L\xfc\x0f", 6, output, 4096), ST_OK);
    assert_int_equal(output[4095], 'L');
}

/* The bits of a distance grow behind byte 16, 32, ...: not at it. */
static void lznt1_distances_grow_with_the_chunk(void **state)
{
    /* 16 bytes, a match from 16 back of 3; then at 19 one from 19 back, which takes 5 bits. */
    static const uint8_t packed[] = {0x16, 0xb0, 0,   'a', 'b',  'c', 'd',  'e', 'f',
                                     'g',  'h',  0,   'i', 'j',  'k', 'l',  'm', 'n',
                                     'o',  'p',  0x3, 0,   0xf0, 0,   0x90, 0,   0};

    (void)state;
    assert_int_equal(unpack(LZNT1, packed, sizeof packed, output, 22), ST_OK);
    assert_memory_equal(output, "abcdefghijklmnopabcabc", 22);
}

/* --- XPRESS ----------------------------------------------------------------------------------- */

/* [MS-XCA] 3.2: 100 times "abc". */
static size_t abc_packed(uint8_t *packed)
{
    memset(packed, 0, 256);
    packed[48] = 0x30;
    packed[49] = 0x23;
    packed[128] = 0x02;
    packed[143] = 0x20;
    memcpy(packed + 256, "\xa8\xdc\0\0\xff\x26\x01", 7);
    return 263;
}

/* [MS-XCA] 3.2: the alphabet, in 276 bytes. */
static void letters_packed(uint8_t *packed)
{
    static const uint8_t lengths[] = {0x50, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55,
                                      0x55, 0x55, 0x55, 0x55, 0x45, 0x44, 0x04};

    memset(packed, 0, 256);
    memcpy(packed + 48, lengths, sizeof lengths);
    packed[128] = 0x04;
    memcpy(packed + 256, "\xd8\x52\x3e\xd7\x94\x11\x5b\xe9\x19\x5f\xf9\xd6\x7c\xdf\x8d\x04\0\0\0",
           20);
}

static void xpress_of_the_specification_is_unpacked(void **state)
{
    uint8_t packed[300];

    (void)state;
    size_t size = abc_packed(packed);
    assert_int_equal(unpack(XPRESS, packed, size, output, 300), ST_OK);
    for (size_t i = 0; i < 300; i++)
        assert_int_equal(output[i], "abc"[i % 3]);
    letters_packed(packed);
    assert_int_equal(unpack(XPRESS, packed, 276, output, 26), ST_OK);
    assert_memory_equal(output, "abcdefghijklmnopqrstuvwxyz", 26);
}

/* The last bits are not there: they are not taken for zeros. */
static void xpress_bits_behind_the_end_are_missed(void **state)
{
    uint8_t packed[276];

    (void)state;
    letters_packed(packed);
    for (size_t cut = 256; cut <= 270; cut++)
        assert_int_equal(unpack(XPRESS, packed, cut, output, 26), ST_DAMAGED);
    assert_int_equal(unpack(XPRESS, packed, 274, output, 26), ST_OK);
}

/* Cut off anywhere, or asked for more or less than the last match gives. */
static void xpress_is_unpacked_whole_or_not_at_all(void **state)
{
    uint8_t packed[300];

    (void)state;
    size_t size = abc_packed(packed);
    for (size_t cut = 0; cut < size; cut++)
        assert_int_equal(unpack(XPRESS, packed, cut, output, 300), ST_DAMAGED);
    assert_int_equal(unpack(XPRESS, packed, size, output, 299), ST_DAMAGED);
    assert_int_equal(unpack(XPRESS, packed, size, output, 70000), ST_DAMAGED);
    assert_int_equal(unpack(XPRESS, packed, size, output, 3), ST_OK);
    assert_int_equal(unpack(XPRESS, packed, size, output, 0), ST_OK);
    packed[257] ^= 0x80; /* b is a */
    assert_int_equal(unpack(XPRESS, packed, size, output, 65536), ST_DAMAGED);
}

static void codes_that_do_not_add_up_are_damaged(void **state)
{
    uint8_t packed[300];

    (void)state;
    size_t size = abc_packed(packed);
    packed[49] = 0x22;
    assert_int_equal(unpack(XPRESS, packed, size, output, 300), ST_DAMAGED);
    packed[49] = 0x33;
    assert_int_equal(unpack(XPRESS, packed, size, output, 300), ST_DAMAGED);
    memset(packed, 0, 256);
    assert_int_equal(unpack(XPRESS, packed, size, output, 300), ST_DAMAGED);
}

static void xpress_lengths_are_checked(void **state)
{
    /* All codes have 9 bits: "X", a match of 15 and more from 1 back. */
    uint8_t packed[270];
    static const struct {
        uint8_t more[3];
        size_t size;
        enum status status;
    } cases[] = {{{0, 0, 0}, 1 + 18, ST_OK},           {{254, 0, 0}, 1 + 272, ST_OK},
                 {{255, 15, 0}, 1 + 18, ST_OK},        {{255, 14, 0}, 1 + 17, ST_DAMAGED},
                 {{255, 0, 0}, 1 + 3, ST_DAMAGED},     {{255, 0xfc, 0x0f}, 4096, ST_OK},
                 {{255, 0xfd, 0x0f}, 4096, ST_DAMAGED}};

    (void)state;
    memset(packed, 0x99, 256);
    memcpy(packed + 256, "\x43\x2c\0\xc0\0\0", 6);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t size = cases[i].more[0] == 255 ? 3 : 1;
        memcpy(packed + 262, cases[i].more, 3);
        assert_int_equal(unpack(XPRESS, packed, 262 + size, output, cases[i].size),
                         cases[i].status);
        assert_int_equal(unpack(XPRESS, packed, 261 + size, output, cases[i].size), ST_DAMAGED);
    }
}

/* --- LZX -------------------------------------------------------------------------------------- */

/* A block as it is: kind 3, no whole one, `size`; to the next word; three distances. */
static size_t stored_block(uint8_t *packed, uint32_t kind, uint16_t stated, const char *data)
{
    size_t size = strlen(data);
    uint32_t bits = kind << 29 | (uint32_t)stated << 12;

    st_le16(packed, (uint16_t)(bits >> 16));
    st_le16(packed + 2, (uint16_t)bits);
    memcpy(packed + 4, "\1\0\0\0\1\0\0\0\1\0\0\0", 12);
    memcpy(packed + 16, data, size);
    packed[16 + size] = 0;
    return 16 + size + size % 2;
}

static void lzx_blocks_that_are_stored_are_copied(void **state)
{
    uint8_t packed[100];

    (void)state;
    size_t size = stored_block(packed, 3, 5, "hello");
    size += stored_block(packed + size, 3, 6, "worlds");
    assert_int_equal(unpack(LZX, packed, size, output, 11), ST_OK);
    assert_memory_equal(output, "helloworlds", 11);
    assert_int_equal(unpack(LZX, packed, size, output, 5), ST_OK);
    assert_int_equal(unpack(LZX, packed, size, output, 10), ST_DAMAGED);
    assert_int_equal(unpack(LZX, packed, size, output, 12), ST_DAMAGED);
    for (size_t cut = 0; cut < size; cut++)
        assert_int_equal(unpack(LZX, packed, cut, output, 11), ST_DAMAGED);
}

static void lzx_blocks_of_no_kind_or_size_are_damaged(void **state)
{
    uint8_t packed[100] = {0};

    (void)state;
    for (uint32_t kind = 0; kind < 8; kind++) {
        size_t size = stored_block(packed, kind, 5, "hello");
        assert_int_equal(unpack(LZX, packed, size, output, 5), kind == 3 ? ST_OK : ST_DAMAGED);
    }
    size_t size = stored_block(packed, 3, 0, "hello");
    assert_int_equal(unpack(LZX, packed, size, output, 5), ST_DAMAGED);
    size = stored_block(packed, 3, 0, "");
    size += stored_block(packed + size, 3, 5, "hello");
    assert_int_equal(unpack(LZX, packed, size, output, 5), ST_DAMAGED);
    size = stored_block(packed, 3, 6, "hello");
    assert_int_equal(unpack(LZX, packed, size, output, 6), ST_OK); /* what pads it is there */
    assert_int_equal(unpack(LZX, packed, size, output, 40000), ST_DAMAGED);
}

/* Call instructions: the address becomes a distance, where there is room for 10 bytes behind. */
static void lzx_calls_are_translated(void **state)
{
    static const struct {
        int32_t stored, back;
    } cases[] = {
        {8, 0},         {0, -8},  {11999999, 11999991},  {12000000, 12000000}, {-8, 12000000 - 8},
        {-1, 11999999}, {-9, -9}, {INT32_MIN, INT32_MIN}};
    uint8_t packed[100];
    uint8_t data[20] = "........\xe8____......";

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t size = 18; size <= 19; size++) {
            st_le32(data + 9, 0x5f5f5f5f);
            size_t packed_size = stored_block(packed, 3, (uint16_t)size, (const char *)data);
            st_le32(packed + 16 + 9, (uint32_t)cases[i].stored);
            assert_int_equal(unpack(LZX, packed, packed_size, output, size), ST_OK);
            assert_int_equal((int32_t)ld_le32(output + 9),
                             size == 19 ? cases[i].back : cases[i].stored);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lznt1_of_the_specification_is_unpacked),
        cmocka_unit_test(lznt1_says_how_much_there_was_and_the_rest_is_zero),
        cmocka_unit_test(bad_lznt1_is_damaged),
        cmocka_unit_test(lznt1_distances_grow_with_the_chunk),
        cmocka_unit_test(xpress_of_the_specification_is_unpacked),
        cmocka_unit_test(xpress_bits_behind_the_end_are_missed),
        cmocka_unit_test(xpress_is_unpacked_whole_or_not_at_all),
        cmocka_unit_test(codes_that_do_not_add_up_are_damaged),
        cmocka_unit_test(xpress_lengths_are_checked),
        cmocka_unit_test(lzx_blocks_that_are_stored_are_copied),
        cmocka_unit_test(lzx_blocks_of_no_kind_or_size_are_damaged),
        cmocka_unit_test(lzx_calls_are_translated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
