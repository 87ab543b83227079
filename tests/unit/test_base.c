/*
 * The base layer: memory, bytes, GUIDs, checksums, text and printing. Checksums are compared with
 * published values (FIPS 180-4, the CRC catalogue), printing with the C library.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/builder.h"
#include "base/bytes.h"
#include "base/crc32.h"
#include "base/date.h"
#include "base/guid.h"
#include "base/print.h"
#include "base/sha256.h"
#include "base/sort.h"
#include "base/status.h"
#include "base/text.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static _Alignas(16) uint8_t memory[65536];

/* An arena over memory that is not zero, so that forgotten zeroing shows. */
static struct arena dirty_arena(size_t size)
{
    struct arena arena;

    memset(memory, 0xa5, sizeof(memory));
    arena_init(&arena, memory, size);
    return arena;
}

/* --- bytes --------------------------------------------------------------------------------- */

static const uint8_t counted[] = {0x81, 0x92, 0xa3, 0xb4, 0xc5, 0xd6, 0xe7, 0xf8, 0x09};

static void loads_read_either_byte_order_at_any_alignment(void **state)
{
    (void)state;
    assert_int_equal(ld_le16(counted), 0x9281);
    assert_int_equal(ld_be16(counted), 0x8192);
    assert_true(ld_le32(counted) == 0xb4a39281);
    assert_true(ld_be32(counted) == 0x8192a3b4);
    assert_true(ld_le64(counted) == 0xf8e7d6c5b4a39281);
    assert_true(ld_be64(counted) == 0x8192a3b4c5d6e7f8);
    assert_true(ld_le64(counted + 1) == 0x09f8e7d6c5b4a392);
    assert_true(ld_be32(counted + 1) == 0x92a3b4c5);
}

static void stores_write_what_loads_read(void **state)
{
    uint8_t bytes[9] = {0};

    (void)state;
    st_le64(bytes + 1, 0x09f8e7d6c5b4a392);
    assert_memory_equal(bytes + 1, counted + 1, 8);
    assert_int_equal(bytes[0], 0);
    st_le32(bytes, 0xb4a39281);
    assert_memory_equal(bytes, counted, 4);
    st_le16(bytes, 0x1234);
    assert_int_equal(bytes[0], 0x34);
    assert_int_equal(bytes[1], 0x12);
    assert_int_equal(bytes[2], 0xa3);
}

static void span_holds_only_what_is_inside(void **state)
{
    struct span span = span_of(counted, 9);

    (void)state;
    assert_true(span_holds(span, 0, 9));
    assert_true(span_holds(span, 9, 0));
    assert_true(span_holds(span, 4, 5));
    assert_false(span_holds(span, 4, 6));
    assert_false(span_holds(span, 10, 0));
    assert_false(span_holds(span, 1, UINT64_MAX));
    assert_false(span_holds(span, UINT64_MAX, 1));
    assert_false(span_holds(span, UINT64_MAX, UINT64_MAX));
}

static void span_part_is_inside_or_null(void **state)
{
    struct span span = span_of(counted, 9);
    struct span part = span_part(span, 2, 3);

    (void)state;
    assert_ptr_equal(part.at, counted + 2);
    assert_int_equal(part.size, 3);
    part = span_part(span, 9, 0);
    assert_non_null(part.at);
    assert_int_equal(part.size, 0);
    part = span_part(span, 7, 3);
    assert_null(part.at);
    assert_int_equal(part.size, 0);
    part = span_part(span_of(NULL, 0), 0, 0);
    assert_null(part.at);
    assert_int_equal(part.size, 0);
}

static void spans_are_compared_by_content(void **state)
{
    uint8_t copy[9];

    (void)state;
    memcpy(copy, counted, 9);
    assert_true(span_equal(span_of(counted, 9), span_of(copy, 9)));
    assert_false(span_equal(span_of(counted, 9), span_of(copy, 8)));
    copy[8] ^= 1;
    assert_false(span_equal(span_of(counted, 9), span_of(copy, 9)));
    assert_true(span_equal(span_of(NULL, 0), span_of(copy, 0)));
}

#define LOOKED_THROUGH 275 /* bytes: two rows, words and bytes */

static void span_is_zero_looks_at_every_byte(void **state)
{
    uint8_t bytes[LOOKED_THROUGH] = {0};

    (void)state;
    assert_true(span_is_zero(span_of(bytes, sizeof(bytes))));
    assert_true(span_is_zero(span_of(NULL, 0)));
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = 1;
        assert_false(span_is_zero(span_of(bytes, sizeof(bytes))));
        assert_true(span_is_zero(span_of(bytes, i)));
        bytes[i] = 0;
    }
}

static size_t found_pair(const uint8_t *bytes, size_t size)
{
    return span_find_pair(span_of(bytes, size), 0x80, 0x11);
}

/* Also among bytes that differ from them in one bit, at the end of the span and behind it. */
static void two_bytes_are_found_where_they_first_are(void **state)
{
    uint8_t bytes[LOOKED_THROUGH];

    (void)state;
    assert_int_equal(found_pair(NULL, 0), 0);
    for (unsigned bit = 0; bit < 8; bit++) {
        for (size_t i = 0; i < sizeof(bytes); i++)
            bytes[i] = (uint8_t)((i % 2 != 0 ? 0x80 : 0x11) ^ 1u << bit);
        assert_int_equal(found_pair(bytes, sizeof(bytes)), sizeof(bytes));
        for (size_t i = sizeof(bytes) - 1; i-- > 0;) {
            uint8_t before[] = {bytes[i], bytes[i + 1]};
            bytes[i] = 0x80;
            assert_int_equal(found_pair(bytes, sizeof(bytes)), sizeof(bytes)); /* one alone */
            assert_int_equal(found_pair(bytes, i + 1), i);
            bytes[i + 1] = 0x11;
            assert_int_equal(found_pair(bytes, sizeof(bytes)), i);
            assert_int_equal(found_pair(bytes, i), i);
            memcpy(bytes + i, before, sizeof(before));
        }
    }
}

/* The second of two, and the first again before it, is none of them. */
static void the_first_of_two_pairs_is_found(void **state)
{
    uint8_t bytes[LOOKED_THROUGH] = {0x11, 0x80, 0x80};

    (void)state;
    assert_int_equal(found_pair(bytes, sizeof(bytes)), sizeof(bytes));
    for (size_t i = sizeof(bytes) - 1; i-- > 2;) {
        bytes[i] = 0x80;
        bytes[i + 1] = 0x11;
        assert_int_equal(found_pair(bytes, sizeof(bytes)), i);
    }
}

/* --- builder ------------------------------------------------------------------------------- */

static void builder_appends_little_endian_pieces(void **state)
{
    static const uint8_t expected[] = {0x01, 0x03, 0x02, 0x07, 0x06, 0x05, 0x04, 0x0f, 0x0e, 0x0d,
                                       0x0c, 0x0b, 0x0a, 0x09, 0x08, 'x',  'y',  0,    0,    0};
    uint8_t *room = malloc(sizeof(expected));
    struct builder builder;

    (void)state;
    assert_non_null(room);
    memset(room, 0xa5, sizeof(expected));
    builder_init(&builder, room, sizeof(expected));
    builder_u8(&builder, 0x01);
    builder_le16(&builder, 0x0203);
    builder_le32(&builder, 0x04050607);
    builder_le64(&builder, 0x08090a0b0c0d0e0f);
    builder_bytes(&builder, span_of("xy", 2));
    builder_bytes(&builder, span_of(NULL, 0));
    builder_align(&builder, 4);
    builder_align(&builder, 4);
    assert_false(builder.failed);
    assert_true(span_equal(builder_span(&builder), span_of(expected, sizeof(expected))));
    free(room);
}

static void builder_that_overflows_has_failed_for_good(void **state)
{
    uint8_t *room = malloc(5);
    struct builder builder;

    (void)state;
    assert_non_null(room);
    builder_init(&builder, room, 5);
    builder_le32(&builder, 1);
    builder_le16(&builder, 2);
    assert_true(builder.failed);
    builder_u8(&builder, 3); /* would fit */
    assert_int_equal(builder.used, 4);
    assert_int_equal(builder_span(&builder).size, 0);
    assert_null(builder_span(&builder).at);
    free(room);
}

static void builder_fills_its_room_to_the_last_byte(void **state)
{
    uint8_t *room = malloc(4);
    struct builder builder;

    (void)state;
    assert_non_null(room);
    builder_init(&builder, room, 4);
    builder_le32(&builder, 1);
    builder_align(&builder, 4);
    assert_int_equal(builder_span(&builder).size, 4);
    builder_align(&builder, 8);
    assert_true(builder.failed);
    free(room);
}

static void builder_in_a_full_arena_has_failed(void **state)
{
    struct arena arena = dirty_arena(64);
    struct builder builder;

    (void)state;
    builder_in_arena(&builder, &arena, 65);
    assert_true(builder.failed);
    builder_u8(&builder, 1);
    builder_align(&builder, 16);
    assert_int_equal(builder_span(&builder).size, 0);
    builder_in_arena(&builder, &arena, 64);
    builder_u8(&builder, 1);
    assert_int_equal(builder_span(&builder).size, 1);
}

/* --- guid ---------------------------------------------------------------------------------- */

static const uint8_t esp_bytes[] = {0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11,
                                    0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b};

static void guid_text_becomes_the_bytes_of_the_disk(void **state)
{
    static const char *const texts[] = {
        "c12a7328-f81f-11d2-ba4b-00a0c93ec93b",
        "{c12a7328-f81f-11d2-ba4b-00a0c93ec93b}",
        "{C12A7328-F81F-11D2-BA4B-00A0C93EC93B}",
        "C12a7328-f81F-11d2-Ba4B-00a0C93eC93b",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct guid guid;
        assert_int_equal(guid_parse(texts[i], &guid), ST_OK);
        assert_memory_equal(guid.bytes, esp_bytes, 16);
    }
}

static void text_that_is_no_guid_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "{",
        "{}",
        "c",
        "c12a7328",
        "c12a7328-",
        "c12a7328-f81f-11d2-ba4b-00a0c93ec93",
        "c12a7328-f81f-11d2-ba4b-00a0c93ec93b0",
        "c12a7328-f81f-11d2-ba4b-00a0c93ec93g",
        "c12a7328-f81f-11d2-ba4b-00a0c93ec93b}",
        "{c12a7328-f81f-11d2-ba4b-00a0c93ec93b",
        "{c12a7328-f81f-11d2-ba4b-00a0c93ec93b}}",
        "{{c12a7328-f81f-11d2-ba4b-00a0c93ec93b}}",
        "{c12a7328-f81f-11d2-ba4b-00a0c93ec93b} ",
        " c12a7328-f81f-11d2-ba4b-00a0c93ec93b",
        "476688c5-8ebf-47d2-80e7-cf9d06 5edb81",
        "c12a7328f81f11d2ba4b00a0c93ec93b",
        "c12a73-28f81f-11d2-ba4b-00a0c93ec93b",
        "c12a7328_f81f_11d2_ba4b_00a0c93ec93b",
        "0xc12a7328-f81f-11d2-ba4b-00a0c93ec93b",
        "c12a7328-f81f-11d2-ba4b-00a0c93ec9\xc3\xa4",
    };
    struct guid guid;
    struct guid untouched;

    (void)state;
    memset(&guid, 0xa5, sizeof(guid));
    memset(&untouched, 0xa5, sizeof(untouched));
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        char *exact = strdup(texts[i]);
        assert_non_null(exact);
        assert_int_equal(guid_parse(exact, &guid), ST_USAGE);
        assert_memory_equal(&guid, &untouched, sizeof(guid));
        free(exact);
    }
}

static void guid_is_written_with_braces_in_lower_case(void **state)
{
    struct guid guid = guid_load(esp_bytes);
    char *text = malloc(GUID_TEXT_SIZE);

    (void)state;
    assert_non_null(text);
    guid_format(&guid, text);
    assert_string_equal(text, "{c12a7328-f81f-11d2-ba4b-00a0c93ec93b}");
    free(text);
}

static void guid_constant_has_the_bytes_of_the_disk(void **state)
{
    static const struct guid esp = GUID_INIT(0xc12a7328, 0xf81f, 0x11d2, 0xba4b, 0x00a0c93ec93b);

    (void)state;
    assert_memory_equal(esp.bytes, esp_bytes, 16);
}

static void guids_are_compared_whole(void **state)
{
    struct guid a = guid_load(esp_bytes);
    struct guid zero = {{0}};

    (void)state;
    assert_true(guid_is_zero(&zero));
    for (int i = 0; i < 16; i++) {
        struct guid b = a;
        struct guid c = zero;
        assert_true(guid_equal(&a, &b));
        b.bytes[i] ^= 0x80;
        c.bytes[i] = 1;
        assert_false(guid_equal(&a, &b));
        assert_false(guid_is_zero(&c));
    }
}

/* --- crc32 and sha256 ---------------------------------------------------------------------- */

static void crc_has_the_published_check_value(void **state)
{
    (void)state;
    assert_true(crc32_update(0, "123456789", 9) == 0xcbf43926);
    assert_true(crc32_update(0, "", 0) == 0);
    assert_true(crc32_update(0, NULL, 0) == 0);
    assert_true(crc32_update(0, "a", 1) == 0xe8b7be43);
    assert_true(crc32_update(0, "The quick brown fox jumps over the lazy dog", 43) == 0x414fa339);
}

static void crc_of_every_byte_value_follows_its_definition(void **state)
{
    (void)state;
    for (unsigned value = 0; value < 256; value++) {
        uint8_t byte = (uint8_t)value;
        uint32_t expected = 0xffffffff ^ value;
        for (int bit = 0; bit < 8; bit++)
            expected = (expected & 1) != 0 ? expected >> 1 ^ 0xedb88320 : expected >> 1;
        assert_true(crc32_update(0, &byte, 1) == (expected ^ 0xffffffff));
    }
}

static void crc_may_be_computed_in_pieces(void **state)
{
    static const char digits[] = "123456789";

    (void)state;
    for (size_t cut = 0; cut <= 9; cut++) {
        uint32_t crc = crc32_update(0, digits, cut);
        assert_true(crc32_update(crc, digits + cut, 9 - cut) == 0xcbf43926);
    }
}

static void assert_digest(const void *data, size_t size, const char *expected)
{
    uint8_t *exact = malloc(size > 0 ? size : 1);
    char text[65];

    assert_non_null(exact);
    memcpy(exact, data, size);
    struct sha256 digest = sha256_of(span_of(exact, size));
    for (int i = 0; i < 32; i++)
        snprintf(text + 2 * i, 3, "%02x", digest.bytes[i]);
    assert_string_equal(text, expected);
    free(exact);
}

static void sha256_has_the_published_digests(void **state)
{
    static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    static const char four[] = "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
                               "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu";
    char *million = malloc(1000000);

    (void)state;
    assert_digest("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_digest("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_digest(two_blocks, 56,
                  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    assert_digest(four, 112, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
    assert_non_null(million);
    memset(million, 'a', 1000000);
    assert_digest(million, 1000000,
                  "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(million);
}

/* Lengths at which the padding takes another form; the digests are those of sha256sum. */
static void sha256_pads_every_length(void **state)
{
    static const struct {
        size_t size;
        const char *digest;
    } cases[] = {
        {1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
        {55, "02779466cdec163811d078815c633f21901413081449002f24aa3e80f0b88ef7"},
        {56, "d4817aa5497628e7c77e6b606107042bbba3130888c5f47a375e6179be789fbb"},
        {63, "c7723fa1e0127975e49e62e753db53924c1bd84b8ac1ac08df78d09270f3d971"},
        {64, "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b"},
        {65, "98ce42deef51d40269d542f5314bef2c7468d401ad5d85168bfab4c0108f75f7"},
        {119, "f616b0d54e78571a9611f343c9f8e022e859e920381ab0e4d3da01e193a7bd7e"},
        {120, "6edd9f6f9cc92cded36e6c4a580933f9c9f1b90562b46903b806f21902a1a54f"},
        {128, "38723a2e5e8a17aa7950dc008209944e898f69a7bd10a23c839d341e935fd5ca"},
    };
    uint8_t zeros[128] = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_digest(zeros, cases[i].size, cases[i].digest);
}

static void sha256_of_an_empty_span_at_null_is_the_empty_digest(void **state)
{
    struct sha256 a = sha256_of(span_of(NULL, 0));
    struct sha256 b = sha256_of(span_of("x", 0));
    struct sha256 c = sha256_of(span_of("x", 1));

    (void)state;
    assert_int_equal(a.bytes[0], 0xe3);
    assert_true(sha256_equal(&a, &b));
    assert_false(sha256_equal(&a, &c));
    b.bytes[31] ^= 1;
    assert_false(sha256_equal(&a, &b));
}

/* --- text ---------------------------------------------------------------------------------- */

static void texts_are_compared_with_and_without_case(void **state)
{
    (void)state;
    assert_int_equal(text_length(""), 0);
    assert_int_equal(text_length("abc"), 3);
    assert_true(text_equal("abc", "abc"));
    assert_false(text_equal("abc", "abd"));
    assert_false(text_equal("abc", "ab"));
    assert_false(text_equal("ab", "abc"));
    assert_true(text_equal("", ""));
    assert_true(text_equal_nocase("BootMgFw.EFI", "bootmgfw.efi"));
    assert_false(text_equal_nocase("boot", "bootmgfw"));
    assert_false(text_equal_nocase("bootmgfw", "boot"));
    assert_false(text_equal_nocase("[", "{")); /* 0x20 apart, but no letters */
    assert_false(text_equal_nocase("@", "`"));
    assert_false(text_equal_nocase("\xc3\x84", "\xc3\xa4"));
    assert_true(text_compare_nocase("\\EFI\\b", "\\efi\\A") > 0);
    assert_true(text_compare_nocase("\\EFI\\a", "\\efi\\B") < 0);
    assert_true(text_compare_nocase("boot", "Bootmgfw") < 0);
    assert_true(text_compare_nocase("Bootmgfw", "boot") > 0);
    assert_true(text_compare_nocase("_", "A") < 0); /* as 'a' is what counts */
    assert_true(text_compare_nocase("\xc3\x84", "z") > 0);
    assert_true(text_has_prefix_nocase("/LIST 1", "/list"));
    assert_true(text_has_prefix_nocase("abc", ""));
    assert_false(text_has_prefix_nocase("/lis", "/list"));
    assert_false(text_has_prefix_nocase("", "a"));
}

static void only_ascii_letters_change_case(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        char expected = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
        assert_int_equal(text_lower((char)c), expected);
    }
}

static void hexadecimal_digits_have_values(void **state)
{
    static const char digits[] = "0123456789abcdef";

    (void)state;
    for (int c = 0; c < 256; c++) {
        const char *at = c == 0 ? NULL : strchr(digits, c >= 'A' && c <= 'Z' ? c + 32 : c);
        assert_int_equal(text_hex_digit((char)c), at == NULL ? -1 : at - digits);
    }
}

static void numbers_are_read_whole(void **state)
{
    static const struct {
        const char *text;
        unsigned base;
        uint64_t value;
    } cases[] = {
        {"0", 10, 0},
        {"007", 10, 7},
        {"18446744073709551615", 10, UINT64_MAX},
        {"00000000000000000000018446744073709551615", 10, UINT64_MAX},
        {"ffffffffffffffff", 16, UINT64_MAX},
        {"BeeF", 16, 0xbeef},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint64_t value = 1;
        assert_int_equal(text_parse_number(cases[i].text, cases[i].base, &value), ST_OK);
        assert_true(value == cases[i].value);
    }
}

static void text_that_is_no_number_is_refused(void **state)
{
    static const struct {
        const char *text;
        unsigned base;
    } cases[] = {
        {"", 10},
        {" 1", 10},
        {"1 ", 10},
        {"-1", 10},
        {"+1", 10},
        {"0x10", 16},
        {"a", 10},
        {"g", 16},
        {"1a", 10},
        {"1.5", 10},
        {"1,0", 10},
        {"18446744073709551616", 10},
        {"18446744073709551620", 10},
        {"99999999999999999999", 10},
        {"10000000000000000", 16},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint64_t value = 4711;
        assert_int_equal(text_parse_number(cases[i].text, cases[i].base, &value), ST_USAGE);
        assert_int_equal(value, 4711);
    }
}

/* UCS-2 units in memory of exactly their size, as printable UTF-8. */
static const char *from_units(const uint16_t *units, size_t count, size_t odd)
{
    static struct arena arena;
    uint8_t *bytes = malloc(count * 2 + odd + 1);
    uint8_t *exact = bytes + 1; /* at an odd address */

    assert_non_null(bytes);
    for (size_t i = 0; i < count; i++)
        st_le16(exact + 2 * i, units[i]);
    if (odd > 0)
        exact[count * 2] = 'z';
    arena = dirty_arena(sizeof(memory));
    const char *text = text_from_ucs2(&arena, span_of(exact, count * 2 + odd));
    free(bytes);
    assert_non_null(text);
    return text;
}

#define FROM_UNITS(...)                         \
    from_units((const uint16_t[]){__VA_ARGS__}, \
               sizeof((const uint16_t[]){__VA_ARGS__}) / sizeof(uint16_t), 0)

static void ucs2_becomes_utf8(void **state)
{
    (void)state;
    assert_string_equal(FROM_UNITS('E', 'S', 'P'), "ESP");
    assert_string_equal(FROM_UNITS(0x00e4, 0x07ff, 0x0800, 0xfffd - 0x10),
                        "\xc3\xa4\xdf\xbf\xe0\xa0\x80\xef\xbf\xad");
    assert_string_equal(FROM_UNITS(0xd83d, 0xde00), "\xf0\x9f\x98\x80");
    assert_string_equal(FROM_UNITS(0xd800, 0xdc00), "\xf0\x90\x80\x80");
    assert_string_equal(FROM_UNITS('a', 0, 'b'), "a");
    assert_string_equal(FROM_UNITS(0), "");
    assert_string_equal(from_units(NULL, 0, 0), "");
    assert_string_equal(from_units(NULL, 0, 1), "");
    assert_string_equal(from_units((const uint16_t[]){'a'}, 1, 1), "a");
}

static void harmful_ucs2_is_escaped(void **state)
{
    (void)state;
    assert_string_equal(FROM_UNITS('a', 0x001b, '[', '2', 'J'), "a\\u001b[2J");
    assert_string_equal(FROM_UNITS('\n', 0x007f, 0x0085), "\\u000a\\u007f\\u0085");
    assert_string_equal(FROM_UNITS(0x202e, 0x2066, 0x200b), "\\u202e\\u2066\\u200b");
    assert_string_equal(FROM_UNITS(0xfeff, 0xffff), "\\ufeff\\uffff");
    assert_string_equal(FROM_UNITS(0x3164, 0xfe0f), "\\u3164\\ufe0f");
    assert_string_equal(FROM_UNITS(0xdb40, 0xdc41), "\\ue0041"); /* an invisible "A" */
}

static void unpaired_surrogates_are_escaped(void **state)
{
    (void)state;
    assert_string_equal(FROM_UNITS(0xd83d), "\\ud83d");
    assert_string_equal(FROM_UNITS(0xd83d, 'x'), "\\ud83dx");
    assert_string_equal(FROM_UNITS(0xde00, 0xd83d), "\\ude00\\ud83d");
    assert_string_equal(FROM_UNITS(0xd83d, 0xd83d, 0xde00), "\\ud83d\xf0\x9f\x98\x80");
    assert_string_equal(FROM_UNITS(0xd83d, 0, 0xde00), "\\ud83d");
}

static void longest_escapes_fit(void **state)
{
    uint16_t units[500];
    char expected[3001] = "";

    (void)state;
    for (size_t i = 0; i < 500; i++) {
        units[i] = 0x202e;
        memcpy(expected + 6 * i, "\\u202e", 7);
    }
    assert_string_equal(from_units(units, 500, 0), expected);
}

static void text_functions_tell_a_full_arena(void **state)
{
    struct arena arena = dirty_arena(16);
    struct span bytes = span_of("untouched", 9);

    (void)state;
    assert_null(text_from_ucs2(&arena, span_of("a\0b\0c\0", 6)));
    assert_null(text_printable(&arena, "abc"));
    assert_int_equal(text_to_ucs2(&arena, "12345678", &bytes), ST_NO_MEMORY);
    assert_int_equal(bytes.size, 9);
    assert_null(arena_printf(&arena, "%s", "1234567890123456"));
}

static const char *printable(const char *text)
{
    static struct arena arena;
    char *exact = strdup(text);

    assert_non_null(exact);
    arena = dirty_arena(sizeof(memory));
    const char *result = text_printable(&arena, exact);
    free(exact);
    assert_non_null(result);
    return result;
}

static void harmless_utf8_stays_as_it_is(void **state)
{
    static const char *const texts[] = {
        "",      "Samsung SSD 970 \xc3\xa4", "\xe6\xb5\x8b\xe8\xaf\x95", "\xf0\x9f\x98\x80",
        "C:\\x", "\xf3\xb0\x80\x80",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        assert_string_equal(printable(texts[i]), texts[i]);
}

static void harmful_utf8_is_escaped(void **state)
{
    (void)state;
    assert_string_equal(printable("a\x1b[2Jb\x7f"), "a\\u001b[2Jb\\u007f");
    assert_string_equal(printable("\xe2\x80\xae"), "\\u202e");
    assert_string_equal(printable("\xc2\x9b"), "\\u009b");
    assert_string_equal(printable("\xf3\xa0\x81\x81"), "\\ue0041");
}

static void malformed_utf8_is_escaped_byte_by_byte(void **state)
{
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {
        {"\x80", "\\x80"},
        {"a\xff", "a\\xff"},
        {"\xc3", "\\xc3"},
        {"\xc3(", "\\xc3("},
        {"\xe2\x82", "\\xe2\\x82"},
        {"\xf0\x9f\x98", "\\xf0\\x9f\\x98"},
        {"\xc0\xaf", "\\xc0\\xaf"},                   /* "/" in two bytes */
        {"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},          /* and in three */
        {"\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf"}, /* and in four */
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},          /* a surrogate */
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"}, /* beyond U+10FFFF */
        {"\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80"},
        {"\xc3\xc3\xa4", "\\xc3\xc3\xa4"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_string_equal(printable(cases[i].text), cases[i].expected);
}

static void utf8_becomes_ucs2_with_a_closing_nul(void **state)
{
    static const struct {
        const char *text;
        const char *bytes;
        size_t size;
    } cases[] = {
        {"", "\0\0", 2},
        {"Ab", "A\0b\0\0\0", 6},
        {"\xc3\xa4", "\xe4\0\0\0", 4},
        {"\xef\xbf\xad", "\xed\xff\0\0", 4},
        {"\xf0\x9f\x98\x80", "\x3d\xd8\x00\xde\0\0", 6},
        {"\xf4\x8f\xbf\xbf", "\xff\xdb\xff\xdf\0\0", 6},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena arena = dirty_arena(sizeof(memory));
        struct span bytes;
        assert_int_equal(text_to_ucs2(&arena, cases[i].text, &bytes), ST_OK);
        assert_int_equal(bytes.size, cases[i].size);
        assert_memory_equal(bytes.at, cases[i].bytes, cases[i].size);
    }
}

static void malformed_utf8_does_not_become_ucs2(void **state)
{
    static const char *const texts[] = {"\xff", "abc\xc3", "\xed\xa0\x80", "\xc0\x80"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct arena arena = dirty_arena(sizeof(memory));
        struct span bytes = span_of("untouched", 9);
        assert_int_equal(text_to_ucs2(&arena, texts[i], &bytes), ST_USAGE);
        assert_int_equal(bytes.size, 9);
    }
}

/* --- print --------------------------------------------------------------------------------- */

/* What our printing makes of a format, in a buffer of its own. */
static const char *ours(const char *format, ...)
{
    static char text[512];
    struct text_buffer buffer;
    va_list arguments;

    text_buffer_init(&buffer, text, sizeof(text));
    struct sink sink = text_buffer_sink(&buffer);
    va_start(arguments, format);
    sink_vprintf(&sink, format, arguments);
    va_end(arguments);
    assert_false(buffer.cut);
    assert_int_equal(buffer.used, strlen(text));
    return text;
}

/* Both printers must agree; the C library is the reference. */
#define PRINTS_AS_C(...)                                   \
    do {                                                   \
        char expected[512];                                \
        snprintf(expected, sizeof(expected), __VA_ARGS__); \
        assert_string_equal(ours(__VA_ARGS__), expected);  \
    } while (0)

static void plain_text_and_percent_signs_are_printed(void **state)
{
    (void)state;
    assert_string_equal(ours(""), "");
    PRINTS_AS_C("plain");
    PRINTS_AS_C("100%%");
    PRINTS_AS_C("%%%s%%", "x");
}

static void numbers_are_printed_as_in_c(void **state)
{
    static const int values[] = {0, 1, -1, 42, -42, INT32_MAX, INT32_MIN};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        PRINTS_AS_C("%d|%u|%x|%X", values[i], (unsigned)values[i], (unsigned)values[i],
                    (unsigned)values[i]);
        PRINTS_AS_C("%5d|%-5d|%05d", values[i], values[i], values[i]);
        PRINTS_AS_C("%1d|%02d|%03d", values[i], values[i], values[i]);
        PRINTS_AS_C("%04x|%8X|%-8x|", (unsigned)values[i], (unsigned)values[i],
                    (unsigned)values[i]);
    }
    PRINTS_AS_C("%zu|%zu", (size_t)0, SIZE_MAX);
    PRINTS_AS_C("%30zu|%-30zu|", SIZE_MAX, SIZE_MAX);
    PRINTS_AS_C("%llu|%llx|%llX", ~0ull, ~0ull, ~0ull);
    PRINTS_AS_C("%016llx|%-20llu|%20llu", 0xbeefull, 5ull, 5ull);
    PRINTS_AS_C("%llu%d%zu%s", 1ull, 2, (size_t)3, "4");
}

static void texts_and_characters_are_printed_as_in_c(void **state)
{
    const char unterminated[] = {'a', 'b', 'c'};
    const char *volatile none = NULL;

    (void)state;
    PRINTS_AS_C("%s|%c", "abc", 'x');
    PRINTS_AS_C("%6s|%-6s|%2s", "abc", "abc", "abc");
    PRINTS_AS_C("%4c|%-4c|", 'x', 'x');
    PRINTS_AS_C("%.*s|%.*s", 2, "abc", 0, "abc");
    PRINTS_AS_C("%.*s", 3, unterminated);
    PRINTS_AS_C("%.*s", -1, "abc");
    PRINTS_AS_C("%.2s|%.0s|%.40s|%5.2s", "abc", "abc", "abc", "abc");
    PRINTS_AS_C("%8.*s|%-8.*s|", 2, "abc", 2, "abc");
    assert_string_equal(ours("%s", none), "(null)");
}

static void width_may_be_an_argument(void **state)
{
    (void)state;
    PRINTS_AS_C("%*d|%-*d|%0*d", 5, 42, 5, 42, 5, 42);
    PRINTS_AS_C("%*s|", 6, "abc");
    PRINTS_AS_C("%*s|", -6, "abc");
    PRINTS_AS_C("%*d|", -6, 42);
    PRINTS_AS_C("%*.*s|", 6, 2, "abc");
}

static void unknown_conversion_stops_with_a_mark(void **state)
{
    static const char *const formats[] = {
        "a%fb%sc", "a%",    "a%5",  "a%lub", "a%ldb",  "a%lldb",  "a%zdb", "a%llsb",
        "a%.b",    "a%hub", "a%pb", "a%nb",  "a%zzub", "a%lllub", "a%ib",  "a%lux",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(formats); i++)
        assert_string_equal(ours(formats[i], 1, 2, 3), "a%?");
}

static void full_text_buffer_is_cut_and_terminated(void **state)
{
    char *room = malloc(6);
    struct text_buffer buffer;

    (void)state;
    assert_non_null(room);
    memset(room, 'z', 6);
    text_buffer_init(&buffer, room, 6);
    assert_string_equal(room, "");
    text_buffer_printf(&buffer, "%s", "12345");
    assert_false(buffer.cut);
    assert_string_equal(room, "12345");
    text_buffer_printf(&buffer, "%s", "");
    assert_false(buffer.cut);
    text_buffer_printf(&buffer, "6%d", 7);
    assert_true(buffer.cut);
    assert_int_equal(buffer.used, 5);
    assert_string_equal(room, "12345");
    free(room);
}

static void text_buffer_of_one_byte_stays_empty(void **state)
{
    char *room = malloc(1);
    struct text_buffer buffer;

    (void)state;
    assert_non_null(room);
    text_buffer_init(&buffer, room, 1);
    text_buffer_printf(&buffer, "x");
    assert_true(buffer.cut);
    assert_string_equal(room, "");
    free(room);
}

static void arena_printf_makes_room_for_the_whole_text(void **state)
{
    struct arena arena = dirty_arena(sizeof(memory));
    const char *text = arena_printf(&arena, "%s-%1000d-%llx", "a", 7, 0x123456789ull);

    (void)state;
    assert_non_null(text);
    assert_int_equal(strlen(text), 1 + 1 + 1000 + 1 + 9);
    assert_string_equal(text + 1001, "7-123456789");
}

static void thousands_are_grouped(void **state)
{
    static const struct {
        uint64_t value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {999, "999"},
        {1000, "1,000"},
        {32256, "32,256"},
        {213825024, "213,825,024"},
        {5142056960, "5,142,056,960"},
        {UINT64_MAX, "18,446,744,073,709,551,615"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *buffer = malloc(THOUSANDS_SIZE);
        assert_non_null(buffer);
        assert_string_equal(format_thousands(cases[i].value, buffer), cases[i].text);
        free(buffer);
    }
}

static void sizes_have_one_to_four_digits(void **state)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {
        {0, "0 B"},
        {1, "1 B"},
        {1023, "1023 B"},
        {1024, "1 KiB"},
        {1536, "1.5 KiB"},
        {213909504, "204 MiB"},
        {0xfffff, "1023 KiB"},
        {0x18000000000, "1.5 TiB"},
        {9ull << 40, "9 TiB"},
        {0xa8000000000, "10 TiB"}, /* 10.5: two digits are enough */
        {1ull << 60, "1 EiB"},
        {UINT64_MAX, "15 EiB"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *buffer = malloc(SIZE_TEXT_SIZE);
        assert_non_null(buffer);
        assert_string_equal(format_size(cases[i].bytes, buffer), cases[i].text);
        free(buffer);
    }
}

/* Each field counts for more than all behind it. */
static void dates_are_compared_from_the_year_on(void **state)
{
    static const struct date_time dates[] = {
        {2025, 12, 31, 23, 59, 59}, {2026, 1, 31, 23, 59, 59}, {2026, 2, 1, 23, 59, 59},
        {2026, 2, 2, 0, 59, 59},    {2026, 2, 2, 1, 0, 59},    {2026, 2, 2, 1, 1, 0},
        {2026, 2, 2, 1, 1, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
        for (size_t j = 0; j < sizeof(dates) / sizeof(dates[0]); j++) {
            int order = date_compare(&dates[i], &dates[j]);
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
    }
}

/* As `date -u +%s` counts, from 11644473600 seconds earlier on. */
static void date_becomes_what_windows_counts(void **state)
{
    static const struct {
        struct date_time date;
        uint64_t expected;
    } rows[] = {
        {{1601, 1, 1, 0, 0, 0}, 0},
        {{1970, 1, 1, 0, 0, 0}, 116444736000000000u},
        {{2000, 2, 29, 23, 59, 59}, 125963423990000000u},
        {{2000, 3, 1, 0, 0, 0}, 125963424000000000u},
        {{2026, 11, 30, 3, 13, 17}, 134404819970000000u},
        {{2100, 3, 1, 0, 0, 0}, 157520160000000000u},
        {{0, 0, 0, 0, 0, 0}, 0},
        {{2026, 0, 1, 0, 0, 0}, 0},
        {{2026, 13, 1, 0, 0, 0}, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(date_filetime(&rows[i].date), rows[i].expected);
}

static void date_comes_back_from_what_windows_counts(void **state)
{
    static const struct date_time dates[] = {
        {1601, 1, 1, 0, 0, 0},  {1970, 1, 1, 0, 0, 0},      {2000, 2, 29, 23, 59, 59},
        {2000, 3, 1, 0, 0, 0},  {2026, 11, 30, 3, 13, 17},  {2100, 2, 28, 23, 59, 59},
        {2100, 3, 1, 12, 0, 0}, {2023, 12, 31, 23, 59, 59}, {9999, 12, 31, 23, 59, 59},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
        uint64_t filetime = date_filetime(&dates[i]);
        struct date_time back = date_of_filetime(filetime + 9999999);
        assert_int_equal(date_compare(&back, &dates[i]), 0);
    }
    assert_int_equal(date_of_filetime(2650467744000000000u).year, 0); /* 10000-01-01 */
    assert_int_equal(date_of_filetime(UINT64_MAX).year, 0);
}

static void every_status_has_words(void **state)
{
    (void)state;
    assert_string_equal(status_text(ST_ABSENT), "not found");
    for (int i = 0; i < ST_COUNT; i++) {
        assert_non_null(status_text((enum status)i));
        for (int j = 0; j < i; j++)
            assert_string_not_equal(status_text((enum status)i), status_text((enum status)j));
    }
    assert_non_null(status_text(ST_COUNT));
    assert_non_null(status_text((enum status) - 1));
}

/* --- Sorting -------------------------------------------------------------------------------- */

#define SORTED_MOST 5u

struct keys {
    int at[SORTED_MOST];
    size_t compares;
};

static int by_key(const void *ctx, size_t a, size_t b)
{
    struct keys *keys = (struct keys *)ctx;

    keys->compares++;
    return keys->at[a] - keys->at[b];
}

/* The keys that stand for a number: each is 0, 1 or 2. Gives how many lists of so many there are. */
static size_t take_keys(size_t number, size_t count, struct keys *ret_keys)
{
    size_t all = 1;

    *ret_keys = (struct keys){.compares = 0};
    for (size_t i = 0; i < count; i++) {
        ret_keys->at[i] = (int)(number / all % 3);
        all *= 3;
    }
    return all;
}

/* Each item once, for they ascend: by key, and where that is the same by number. */
static void assert_sorted(const size_t *items, size_t count, const struct keys *keys)
{
    for (size_t i = 0; i < count; i++) {
        assert_in_range(items[i], 0, count - 1);
        if (i == 0)
            continue;
        int before = keys->at[items[i - 1]];
        int own = keys->at[items[i]];
        assert_true(before < own || (before == own && items[i - 1] < items[i]));
    }
}

static void every_list_is_sorted_whatever_its_order(void **state)
{
    struct keys keys;

    (void)state;
    for (size_t count = 0; count <= SORTED_MOST; count++) {
        for (size_t number = 0; number < take_keys(number, count, &keys); number++) {
            size_t items[SORTED_MOST];
            take_keys(number, count, &keys);
            sort_range(items, 0, count, by_key, &keys);
            assert_sorted(items, count, &keys);
            for (size_t i = 0; i < count; i++)
                items[i] = count - 1 - i;
            sort_items(items, count, by_key, &keys);
            assert_sorted(items, count, &keys);
        }
    }
}

static void a_list_in_order_is_looked_through_once(void **state)
{
    struct keys keys = {.at = {0, 1, 1, 2, 2}};
    size_t items[SORTED_MOST];

    (void)state;
    sort_range(items, 0, SORTED_MOST, by_key, &keys);
    assert_int_equal(keys.compares, SORTED_MOST - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_read_either_byte_order_at_any_alignment),
        cmocka_unit_test(stores_write_what_loads_read),
        cmocka_unit_test(span_holds_only_what_is_inside),
        cmocka_unit_test(span_part_is_inside_or_null),
        cmocka_unit_test(spans_are_compared_by_content),
        cmocka_unit_test(span_is_zero_looks_at_every_byte),
        cmocka_unit_test(two_bytes_are_found_where_they_first_are),
        cmocka_unit_test(the_first_of_two_pairs_is_found),
        cmocka_unit_test(builder_appends_little_endian_pieces),
        cmocka_unit_test(builder_that_overflows_has_failed_for_good),
        cmocka_unit_test(builder_fills_its_room_to_the_last_byte),
        cmocka_unit_test(builder_in_a_full_arena_has_failed),
        cmocka_unit_test(guid_text_becomes_the_bytes_of_the_disk),
        cmocka_unit_test(text_that_is_no_guid_is_refused),
        cmocka_unit_test(guid_is_written_with_braces_in_lower_case),
        cmocka_unit_test(guid_constant_has_the_bytes_of_the_disk),
        cmocka_unit_test(guids_are_compared_whole),
        cmocka_unit_test(crc_has_the_published_check_value),
        cmocka_unit_test(crc_of_every_byte_value_follows_its_definition),
        cmocka_unit_test(crc_may_be_computed_in_pieces),
        cmocka_unit_test(sha256_has_the_published_digests),
        cmocka_unit_test(sha256_pads_every_length),
        cmocka_unit_test(sha256_of_an_empty_span_at_null_is_the_empty_digest),
        cmocka_unit_test(every_list_is_sorted_whatever_its_order),
        cmocka_unit_test(a_list_in_order_is_looked_through_once),
        cmocka_unit_test(texts_are_compared_with_and_without_case),
        cmocka_unit_test(only_ascii_letters_change_case),
        cmocka_unit_test(hexadecimal_digits_have_values),
        cmocka_unit_test(numbers_are_read_whole),
        cmocka_unit_test(text_that_is_no_number_is_refused),
        cmocka_unit_test(ucs2_becomes_utf8),
        cmocka_unit_test(harmful_ucs2_is_escaped),
        cmocka_unit_test(unpaired_surrogates_are_escaped),
        cmocka_unit_test(longest_escapes_fit),
        cmocka_unit_test(text_functions_tell_a_full_arena),
        cmocka_unit_test(harmless_utf8_stays_as_it_is),
        cmocka_unit_test(harmful_utf8_is_escaped),
        cmocka_unit_test(malformed_utf8_is_escaped_byte_by_byte),
        cmocka_unit_test(utf8_becomes_ucs2_with_a_closing_nul),
        cmocka_unit_test(malformed_utf8_does_not_become_ucs2),
        cmocka_unit_test(plain_text_and_percent_signs_are_printed),
        cmocka_unit_test(numbers_are_printed_as_in_c),
        cmocka_unit_test(texts_and_characters_are_printed_as_in_c),
        cmocka_unit_test(width_may_be_an_argument),
        cmocka_unit_test(unknown_conversion_stops_with_a_mark),
        cmocka_unit_test(full_text_buffer_is_cut_and_terminated),
        cmocka_unit_test(text_buffer_of_one_byte_stays_empty),
        cmocka_unit_test(arena_printf_makes_room_for_the_whole_text),
        cmocka_unit_test(thousands_are_grouped),
        cmocka_unit_test(sizes_have_one_to_four_digits),
        cmocka_unit_test(dates_are_compared_from_the_year_on),
        cmocka_unit_test(date_becomes_what_windows_counts),
        cmocka_unit_test(date_comes_back_from_what_windows_counts),
        cmocka_unit_test(every_status_has_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
