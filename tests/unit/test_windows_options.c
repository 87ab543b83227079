#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "format/windows_options.h"
#include "unit/bytes_fixture.h"

/* Itanium-style data: "/redirect", partition 4 of KB 814070's target disk, \WINDOWS. */
static const uint8_t itanium[120] = {
    0x57, 0x49, 0x4e, 0x44, 0x4f, 0x57, 0x53, 0x00, 0x01, 0x00, 0x00, 0x00, 0x78, 0x00, 0x00,
    0x00, 0x28, 0x00, 0x00, 0x00, 0x2f, 0x00, 0x72, 0x00, 0x65, 0x00, 0x64, 0x00, 0x69, 0x00,
    0x72, 0x00, 0x65, 0x00, 0x63, 0x00, 0x74, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x50,
    0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x04, 0x01, 0x2a, 0x00, 0x04, 0x00, 0x00, 0x00,
    0x22, 0x60, 0x07, 0x00, 0x00, 0x00, 0x00, 0x00, 0xc8, 0x3e, 0x99, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x86, 0x12, 0xd1, 0xf3, 0x82, 0x25, 0x76, 0x4d, 0x88, 0x9c, 0xb8, 0x2c, 0x34, 0x6b,
    0xe4, 0x4e, 0x02, 0x02, 0x04, 0x04, 0x16, 0x00, 0x5c, 0x00, 0x57, 0x00, 0x49, 0x00, 0x4e,
    0x00, 0x44, 0x00, 0x4f, 0x00, 0x57, 0x00, 0x53, 0x00, 0x00, 0x00, 0x7f, 0xff, 0x04, 0x00,
};

#define VERSION_AT   0x08
#define LENGTH_AT    0x0c
#define OFFSET_AT    0x10
#define PATH_AT      0x28
#define PATH_DATA_AT 0x34
#define HD_END       (PATH_DATA_AT + 42)

static const struct guid system_guid =
    GUID_INIT(0xf3d11286, 0x2582, 0x4d76, 0x889c, 0xb82c346be44e);
static const struct guid other_guid = GUID_INIT(0x476688c5, 0x8ebf, 0x47d2, 0x80e7, 0xcf9d065edb81);
static const struct guid bootmgr_guid =
    GUID_INIT(0x9dea862c, 0x5cdd, 0x4e70, 0xacc1, 0xf32b344d4795);

static struct arena arena;

static int start_arena(void **state)
{
    (void)state;
    arena = fixture_scratch();
    return 0;
}

static struct span ucs2(const char *text)
{
    struct span bytes;

    assert_int_equal(text_to_ucs2(&arena, text, &bytes), ST_OK);
    return bytes;
}

/* Data with an OS path of any type, put together by the offsets of the format. */
static struct span make(const char *load_options, size_t pad, uint32_t type, const void *data,
                        size_t size)
{
    static uint8_t bytes[1024];
    struct span text = ucs2(load_options);
    size_t offset = 0x14 + text.size + pad;

    memset(bytes, 0, sizeof(bytes));
    memcpy(bytes, "WINDOWS", 8);
    st_le32(bytes + VERSION_AT, 1);
    st_le32(bytes + LENGTH_AT, (uint32_t)(offset + 12 + size));
    st_le32(bytes + OFFSET_AT, (uint32_t)offset);
    memcpy(bytes + 0x14, text.at, text.size);
    st_le32(bytes + offset, 1);
    st_le32(bytes + offset + 4, (uint32_t)(12 + size));
    st_le32(bytes + offset + 8, type);
    memcpy(bytes + offset + 12, data, size);
    return span_of(bytes, offset + 12 + size);
}

/* The entry that Windows makes today: 136 bytes, an OS path of an end node alone. */
static struct span modern(void)
{
    struct span data =
        make("BCDOBJECT={9dea862c-5cdd-4e70-acc1-f32b344d4795}", 2, 4, "\x7f\xff\x04\x00", 4);

    assert_int_equal(data.size, 0x88);
    assert_int_equal(ld_le32(data.at + OFFSET_AT), 0x78);
    return data;
}

static enum status parse_status(struct span data)
{
    struct windows_options options = {.path_type = 0xabcd};
    struct span copy = fixture_exact(data.at, data.size);
    enum status status = windows_options_parse(copy, &options);

    fixture_drop(copy);
    if (status != ST_OK)
        assert_int_equal(options.path_type, 0xabcd);
    return status;
}

static void itanium_data_is_taken_apart(void **state)
{
    struct windows_options options;

    (void)state;
    assert_int_equal(windows_options_parse(span_of(itanium, sizeof(itanium)), &options), ST_OK);
    assert_string_equal(text_from_ucs2(&arena, options.load_options), "/redirect");
    assert_int_equal(options.load_options.size, 20);
    assert_int_equal(options.path_type, WINDOWS_PATH_EFI);
    assert_int_equal(options.path_data_offset, PATH_DATA_AT);
    assert_ptr_equal(options.path_data.at, itanium + PATH_DATA_AT);
    assert_int_equal(options.path_data.size, 42 + 22 + 4);
    assert_true(windows_options_mention_guid(&options, &system_guid));
    assert_false(windows_options_mention_guid(&options, &other_guid));
}

static void modern_data_has_an_empty_path_and_an_object(void **state)
{
    struct windows_options options;
    struct guid object;

    (void)state;
    assert_int_equal(windows_options_parse(modern(), &options), ST_OK);
    assert_int_equal(options.load_options.size, 98);
    assert_int_equal(options.path_data.size, 4);
    assert_int_equal(options.path_data_offset, 0x84);
    assert_false(windows_options_mention_guid(&options, &system_guid));
    assert_true(windows_options_bcd_object(&options, &object));
    assert_true(guid_equal(&object, &bootmgr_guid));
    /* The object is not a partition, even when the numbers are the same. */
    assert_false(windows_options_mention_guid(&options, &bootmgr_guid));
}

static bool object_in(const char *load_options)
{
    struct windows_options options;
    struct guid object = {{0}};
    struct span data = make(load_options, 0, 4, "\x7f\xff\x04\x00", 4);
    struct span copy = fixture_exact(data.at, data.size);

    assert_int_equal(windows_options_parse(copy, &options), ST_OK);
    bool found = windows_options_bcd_object(&options, &object);
    assert_int_equal(found, guid_equal(&object, &bootmgr_guid));
    fixture_drop(copy);
    return found;
}

static void object_is_found_anywhere_but_must_be_whole(void **state)
{
    (void)state;
    assert_true(object_in("/x bcdobject={9DEA862C-5CDD-4E70-ACC1-F32B344D4795} /y"));
    assert_true(object_in("BCDOBJECT=BCDOBJECT={9dea862c-5cdd-4e70-acc1-f32b344d4795}"));
    assert_false(object_in("BCDOBJECT=9dea862c-5cdd-4e70-acc1-f32b344d4795"));
    assert_false(object_in("BCDOBJECT={9dea862c-5cdd-4e70-acc1-f32b344d4795"));
    assert_false(object_in("BCDOBJECT={9dea862c-5cdd-4e70-acc1-f32b344d479}}"));
    assert_false(object_in("{9dea862c-5cdd-4e70-acc1-f32b344d4795}"));
    assert_false(object_in(""));
}

static void data_that_is_not_of_windows_is_absent(void **state)
{
    uint8_t bytes[120];

    (void)state;
    for (size_t size = 0; size < 8; size++) {
        assert_int_equal(parse_status(span_of(itanium, size)), ST_ABSENT);
        assert_false(windows_options_present(span_of(itanium, size)));
    }
    assert_true(windows_options_present(span_of(itanium, 8)));
    memcpy(bytes, itanium, sizeof(bytes));
    bytes[7] = ' ';
    assert_int_equal(parse_status(span_of(bytes, sizeof(bytes))), ST_ABSENT);
}

static void data_cut_anywhere_is_damaged(void **state)
{
    (void)state;
    for (size_t size = 8; size < sizeof(itanium); size++)
        assert_int_equal(parse_status(span_of(itanium, size)), ST_DAMAGED);
    assert_int_equal(parse_status(span_of(itanium, sizeof(itanium))), ST_OK);
}

/* The Itanium data with one 32-bit field changed. */
static enum status status_with(size_t at, uint32_t value)
{
    uint8_t bytes[120];

    memcpy(bytes, itanium, sizeof(bytes));
    st_le32(bytes + at, value);
    return parse_status(span_of(bytes, sizeof(bytes)));
}

static void lengths_and_offsets_that_lead_outside_are_damaged(void **state)
{
    (void)state;
    assert_int_equal(status_with(LENGTH_AT, 121), ST_DAMAGED);
    assert_int_equal(status_with(LENGTH_AT, 119), ST_DAMAGED);
    assert_int_equal(status_with(LENGTH_AT, 0), ST_DAMAGED);
    assert_int_equal(status_with(LENGTH_AT, 0xffffffff), ST_DAMAGED);
    assert_int_equal(status_with(OFFSET_AT, 0), ST_DAMAGED);
    assert_int_equal(status_with(OFFSET_AT, 0x14), ST_DAMAGED);
    assert_int_equal(status_with(OFFSET_AT, 0x16), ST_DAMAGED);
    assert_int_equal(status_with(OFFSET_AT, 120 - 11), ST_DAMAGED);
    assert_int_equal(status_with(OFFSET_AT, 120), ST_DAMAGED);
    assert_int_equal(status_with(OFFSET_AT, 0xfffffff8), ST_DAMAGED);
    assert_int_equal(status_with(PATH_AT + 4, 0), ST_DAMAGED);
    assert_int_equal(status_with(PATH_AT + 4, 11), ST_DAMAGED);
    assert_int_equal(status_with(PATH_AT + 4, 0x51), ST_DAMAGED);
    assert_int_equal(status_with(PATH_AT + 4, 0xffffffff), ST_DAMAGED);
}

static void unknown_version_is_unsupported(void **state)
{
    (void)state;
    assert_int_equal(status_with(VERSION_AT, 2), ST_UNSUPPORTED);
    assert_int_equal(status_with(PATH_AT, 0), ST_UNSUPPORTED);
}

static void malformed_device_path_is_damaged_only_where_it_is_one(void **state)
{
    static const uint8_t bad[] = {1, 1, 0, 0, 0x7f, 0xff, 4, 0};

    (void)state;
    assert_int_equal(parse_status(make("", 0, WINDOWS_PATH_EFI, bad, sizeof(bad))), ST_DAMAGED);
    assert_int_equal(parse_status(make("", 0, WINDOWS_PATH_EFI, bad, 0)), ST_DAMAGED);
    assert_int_equal(parse_status(make("", 0, WINDOWS_PATH_NT, bad, sizeof(bad))), ST_OK);
    assert_int_equal(parse_status(make("", 0, WINDOWS_PATH_ARC, bad, 0)), ST_OK);
    assert_int_equal(parse_status(make("", 0, 99, bad, sizeof(bad))), ST_OK);
}

static void load_options_without_end_are_damaged(void **state)
{
    struct span data = make("abc", 0, WINDOWS_PATH_NT, "1234", 4);
    uint8_t bytes[64];

    (void)state;
    memcpy(bytes, data.at, data.size);
    assert_int_equal(parse_status(span_of(bytes, data.size)), ST_OK);
    st_le16(bytes + 0x14 + 6, 'd');
    assert_int_equal(parse_status(span_of(bytes, data.size)), ST_DAMAGED);
}

static void opaque_path_of_impossible_length_is_damaged(void **state)
{
    static const uint32_t lengths[] = {0, 11, 17, 0xffffffff};
    struct span data = make("abc", 0, WINDOWS_PATH_NT, "1234", 4);
    uint8_t bytes[64];

    (void)state;
    memcpy(bytes, data.at, data.size);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        st_le32(bytes + data.size - 16 + 4, lengths[i]);
        assert_int_equal(parse_status(span_of(bytes, data.size)), ST_DAMAGED);
    }
    st_le32(bytes + data.size - 16 + 4, 12);
    assert_int_equal(parse_status(span_of(bytes, data.size)), ST_OK);
}

static void padding_may_stand_anywhere_between(void **state)
{
    static const uint8_t path[] = {0x7f, 0xff, 4, 0, 0, 0, 0, 0};
    struct windows_options options;
    struct span data = make("x", 3, WINDOWS_PATH_EFI, path, sizeof(path));
    uint8_t longer[200] = {0};

    (void)state;
    assert_int_equal(windows_options_parse(data, &options), ST_OK);
    assert_int_equal(options.path_data.size, 4);
    memcpy(longer, data.at, data.size);
    assert_int_equal(windows_options_parse(span_of(longer, sizeof(longer)), &options), ST_OK);
}

static const struct devpath_retarget to_other = {
    .source = GUID_INIT(0xf3d11286, 0x2582, 0x4d76, 0x889c, 0xb82c346be44e),
    .target = {.number = 3,
               .start = 0x11,
               .size = 0x22,
               .signature = {0xc5, 0x88, 0x66, 0x47, 0xbf, 0x8e, 0xd2, 0x47, 0x80, 0xe7, 0xcf, 0x9d,
                             0x06, 0x5e, 0xdb, 0x81},
               .format = HD_FORMAT_GPT,
               .signature_type = HD_SIGNATURE_GUID},
    .form = DEVPATH_MAKE_FULL,
};

static void retargeting_changes_the_hard_drive_node_alone(void **state)
{
    static const uint8_t node[42] = {
        0x04, 0x01, 0x2a, 0x00, 0x03, 0x00, 0x00, 0x00, 0x11, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x22, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xc5, 0x88, 0x66, 0x47,
        0xbf, 0x8e, 0xd2, 0x47, 0x80, 0xe7, 0xcf, 0x9d, 0x06, 0x5e, 0xdb, 0x81, 0x02, 0x02,
    };
    struct span source = fixture_exact(itanium, sizeof(itanium));
    struct span got;

    (void)state;
    assert_int_equal(windows_options_retarget(&arena, source, &to_other, &got), ST_OK);
    assert_memory_equal(source.at, itanium, sizeof(itanium));
    fixture_drop(source);
    assert_int_equal(got.size, sizeof(itanium));
    assert_memory_equal(got.at, itanium, PATH_DATA_AT);
    assert_memory_equal(got.at + PATH_DATA_AT, node, sizeof(node));
    assert_memory_equal(got.at + HD_END, itanium + HD_END, sizeof(itanium) - HD_END);
}

static void other_partition_and_empty_path_are_copied(void **state)
{
    struct devpath_retarget how = to_other;
    struct span data = modern();
    struct span got;

    (void)state;
    how.source = other_guid;
    assert_int_equal(
        windows_options_retarget(&arena, span_of(itanium, sizeof(itanium)), &how, &got), ST_OK);
    assert_int_equal(got.size, sizeof(itanium));
    assert_memory_equal(got.at, itanium, sizeof(itanium));
    how.source = bootmgr_guid;
    assert_int_equal(windows_options_retarget(&arena, data, &how, &got), ST_OK);
    assert_int_equal(got.size, data.size);
    assert_memory_equal(got.at, data.at, data.size);
}

/* Retargets type-2 text and compares; both texts have the same length. */
static void assert_arc(const char *text, const char *want)
{
    struct windows_options options;
    size_t size = strlen(text) + 1;
    struct span data = make("/x", 0, WINDOWS_PATH_ARC_SIGNATURE, text, size);
    struct span copy = fixture_exact(data.at, data.size);
    struct span got;

    assert_int_equal(strlen(want) + 1, size);
    assert_int_equal(windows_options_parse(copy, &options), ST_OK);
    assert_int_equal(windows_options_mention_guid(&options, &system_guid), strcmp(text, want) != 0);
    assert_int_equal(windows_options_retarget(&arena, copy, &to_other, &got), ST_OK);
    fixture_drop(copy);
    assert_int_equal(got.size, data.size);
    assert_memory_equal(got.at, data.at, data.size - size);
    assert_string_equal((const char *)got.at + data.size - size, want);
}

static void arc_signature_changes_its_digits_in_any_case(void **state)
{
    (void)state;
    assert_arc("signature({f3d11286-2582-4d76-889c-b82c346be44e})partition(4)\\WINDOWS",
               "signature({476688c5-8ebf-47d2-80e7-cf9d065edb81})partition(4)\\WINDOWS");
    assert_arc("signature({F3D11286-2582-4D76-889C-B82C346BE44E})\\W",
               "signature({476688c5-8ebf-47d2-80e7-cf9d065edb81})\\W");
    assert_arc("f3d11286-2582-4d76-889c-b82c346be44e f3d11286-2582-4d76-889c-b82c346be44e",
               "476688c5-8ebf-47d2-80e7-cf9d065edb81 476688c5-8ebf-47d2-80e7-cf9d065edb81");
}

static void text_that_is_not_quite_the_guid_stays(void **state)
{
    (void)state;
    assert_arc("signature({f3d11286-2582-4d76-889c-b82c346be44f})",
               "signature({f3d11286-2582-4d76-889c-b82c346be44f})");
    assert_arc("af3d11286-2582-4d76-889c-b82c346be44e", "af3d11286-2582-4d76-889c-b82c346be44e");
    assert_arc("f3d11286-2582-4d76-889c-b82c346be44e0", "f3d11286-2582-4d76-889c-b82c346be44e0");
    assert_arc("f3d11286-2582-4d76-889c-b82c346be44", "f3d11286-2582-4d76-889c-b82c346be44");
}

static void types_without_guid_mention_none_and_stay(void **state)
{
    static const uint32_t types[] = {WINDOWS_PATH_ARC, WINDOWS_PATH_NT, 5};
    static const char text[] = "{f3d11286-2582-4d76-889c-b82c346be44e}";
    struct windows_options options;
    struct span got;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct span data = make("", 0, types[i], text, sizeof(text));
        assert_int_equal(windows_options_parse(data, &options), ST_OK);
        assert_false(windows_options_mention_guid(&options, &system_guid));
        assert_int_equal(windows_options_retarget(&arena, data, &to_other, &got), ST_OK);
        assert_int_equal(got.size, data.size);
        assert_memory_equal(got.at, data.at, data.size);
    }
}

static void bad_data_is_not_retargeted(void **state)
{
    struct span got = span_of(NULL, 7);

    (void)state;
    assert_int_equal(windows_options_retarget(&arena, span_of(itanium, 4), &to_other, &got),
                     ST_ABSENT);
    assert_int_equal(windows_options_retarget(&arena, span_of(itanium, 100), &to_other, &got),
                     ST_DAMAGED);
    arena = fixture_scratch_of(64);
    assert_int_equal(windows_options_retarget(&arena, span_of(itanium, 120), &to_other, &got),
                     ST_NO_MEMORY);
    assert_int_equal(got.size, 7);
}

static const struct hd_node system_hd = {
    .number = 4,
    .start = 0x76022,
    .size = 0x993ec8,
    .signature = {0x86, 0x12, 0xd1, 0xf3, 0x82, 0x25, 0x76, 0x4d, 0x88, 0x9c, 0xb8, 0x2c, 0x34,
                  0x6b, 0xe4, 0x4e},
    .format = HD_FORMAT_GPT,
    .signature_type = HD_SIGNATURE_GUID,
};

static void built_data_is_the_itanium_example(void **state)
{
    struct span got;

    (void)state;
    assert_int_equal(
        windows_options_build(&arena, ucs2("/redirect"), &system_hd, ucs2("\\WINDOWS"), &got),
        ST_OK);
    assert_int_equal(got.size, sizeof(itanium));
    assert_memory_equal(got.at, itanium, sizeof(itanium));
}

static void built_path_stands_at_a_multiple_of_four(void **state)
{
    struct windows_options options;
    struct span got;

    (void)state;
    assert_int_equal(windows_options_build(&arena, ucs2("ab"), &system_hd, ucs2("\\W"), &got),
                     ST_OK);
    assert_int_equal(ld_le32(got.at + OFFSET_AT), 0x1c);
    assert_int_equal(ld_le32(got.at + LENGTH_AT), got.size);
    assert_int_equal(windows_options_parse(got, &options), ST_OK);
    assert_int_equal(options.path_data_offset, 0x1c + 12);
    assert_int_equal(options.load_options.size, 6);
}

static void texts_that_cannot_be_read_back_are_refused(void **state)
{
    static uint8_t longest[65534];
    struct span text = ucs2("x");
    struct span got = span_of(NULL, 7);

    (void)state;
    memset(longest, 'x', sizeof(longest) - 2);
    assert_int_equal(windows_options_build(&arena, span_of(text.at, 2), &system_hd, text, &got),
                     ST_REFUSED);
    assert_int_equal(windows_options_build(&arena, text, &system_hd, span_of(text.at, 3), &got),
                     ST_REFUSED);
    assert_int_equal(windows_options_build(&arena, span_of(NULL, 0), &system_hd, text, &got),
                     ST_REFUSED);
    assert_int_equal(
        windows_options_build(&arena, text, &system_hd, span_of(longest, sizeof(longest)), &got),
        ST_REFUSED);
    arena = fixture_scratch_of(64);
    assert_int_equal(windows_options_build(&arena, span_of(itanium + 0x26, 2), &system_hd,
                                           span_of(itanium + 0x26, 2), &got),
                     ST_NO_MEMORY);
    assert_int_equal(got.size, 7);
}

static void guid_text_is_found_in_both_encodings(void **state)
{
    static const char ascii[] = "root=PARTUUID=F3d11286-2582-4d76-889c-b82c346be44e ro";
    struct span text = ucs2(ascii);
    struct span wide = fixture_exact(text.at, text.size);
    struct span narrow = fixture_exact((const uint8_t *)ascii, sizeof(ascii) - 1);
    struct span crooked = fixture_exact((const uint8_t *)ascii + 1, sizeof(ascii) - 1 - 4);

    (void)state;
    assert_true(optional_data_mentions_guid_text(wide, &system_guid));
    assert_true(optional_data_mentions_guid_text(narrow, &system_guid));
    assert_true(optional_data_mentions_guid_text(crooked, &system_guid));
    assert_true(optional_data_mentions_guid_text(span_of(wide.at + 28, 72), &system_guid));
    assert_false(optional_data_mentions_guid_text(span_of(wide.at + 28, 71), &system_guid));
    assert_false(optional_data_mentions_guid_text(span_of(wide.at + 29, 71), &system_guid));
    assert_false(optional_data_mentions_guid_text(wide, &other_guid));
    assert_false(optional_data_mentions_guid_text(span_of(itanium, 120), &system_guid));
    assert_false(optional_data_mentions_guid_text(span_of(NULL, 0), &system_guid));
    fixture_drop(wide);
    fixture_drop(narrow);
    fixture_drop(crooked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(itanium_data_is_taken_apart, start_arena),
        cmocka_unit_test_setup(modern_data_has_an_empty_path_and_an_object, start_arena),
        cmocka_unit_test_setup(object_is_found_anywhere_but_must_be_whole, start_arena),
        cmocka_unit_test_setup(data_that_is_not_of_windows_is_absent, start_arena),
        cmocka_unit_test_setup(data_cut_anywhere_is_damaged, start_arena),
        cmocka_unit_test_setup(lengths_and_offsets_that_lead_outside_are_damaged, start_arena),
        cmocka_unit_test_setup(unknown_version_is_unsupported, start_arena),
        cmocka_unit_test_setup(malformed_device_path_is_damaged_only_where_it_is_one, start_arena),
        cmocka_unit_test_setup(load_options_without_end_are_damaged, start_arena),
        cmocka_unit_test_setup(opaque_path_of_impossible_length_is_damaged, start_arena),
        cmocka_unit_test_setup(padding_may_stand_anywhere_between, start_arena),
        cmocka_unit_test_setup(retargeting_changes_the_hard_drive_node_alone, start_arena),
        cmocka_unit_test_setup(other_partition_and_empty_path_are_copied, start_arena),
        cmocka_unit_test_setup(arc_signature_changes_its_digits_in_any_case, start_arena),
        cmocka_unit_test_setup(text_that_is_not_quite_the_guid_stays, start_arena),
        cmocka_unit_test_setup(types_without_guid_mention_none_and_stay, start_arena),
        cmocka_unit_test_setup(bad_data_is_not_retargeted, start_arena),
        cmocka_unit_test_setup(built_data_is_the_itanium_example, start_arena),
        cmocka_unit_test_setup(built_path_stands_at_a_multiple_of_four, start_arena),
        cmocka_unit_test_setup(texts_that_cannot_be_read_back_are_refused, start_arena),
        cmocka_unit_test_setup(guid_text_is_found_in_both_encodings, start_arena),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
