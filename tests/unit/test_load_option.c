#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "format/load_option.h"
#include "unit/bytes_fixture.h"

/* clang-format off */
/* "WBM", active, {HD of KB 814070's target ESP, \a, end}; offsets: text 6, list 14, end 70. */
#define HD_NODE                                                                                    \
    0x04, 0x01, 0x2a, 0x00, 0x01, 0x00, 0x00, 0x00, 0x22, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,\
    0x00, 0x60, 0x06, 0x00, 0x00, 0x00, 0x00, 0x00, 0xc5, 0x88, 0x66, 0x47, 0xbf, 0x8e, 0xd2, 0x47,\
    0x80, 0xe7, 0xcf, 0x9d, 0x06, 0x5e, 0xdb, 0x81, 0x02, 0x02
#define FILE_NODE 0x04, 0x04, 0x0a, 0x00, '\\', 0, 'a', 0, 0, 0
#define END_NODE  0x7f, 0xff, 0x04, 0x00
#define HEAD(list) 0x01, 0, 0, 0, list, 0, 'W', 0, 'B', 0, 'M', 0, 0, 0
#define LIST      HD_NODE, FILE_NODE, END_NODE /* 56 bytes */
#define MARKER    0x4e, 0xac, 0x08, 0x81, 0x11, 0x9f, 0x59, 0x4d,                                  \
                  0x85, 0x0e, 0xe2, 0x1a, 0x52, 0x2c, 0x59, 0xb2
/* clang-format on */

#define TEXT_AT   6u
#define LIST_AT   14u
#define LIST_SIZE 56u

static const uint8_t plain[] = {HEAD(56), LIST};
static const uint8_t with_data[] = {HEAD(56), LIST, 1, 2, 3};

static enum status parse(const uint8_t *bytes, size_t size)
{
    struct load_option option = {.attributes = 0xabcd};
    struct span value = fixture_exact(bytes, size);
    enum status status = load_option_parse(value, &option);

    fixture_drop(value);
    if (status != ST_OK)
        assert_int_equal(option.attributes, 0xabcd);
    return status;
}

static void option_is_taken_apart_in_place(void **state)
{
    struct span value = fixture_exact(with_data, sizeof(with_data));
    struct load_option option;

    (void)state;
    assert_int_equal(load_option_parse(value, &option), ST_OK);
    assert_int_equal(option.attributes, LOAD_OPTION_ACTIVE);
    assert_ptr_equal(option.description.at, value.at + TEXT_AT);
    assert_int_equal(option.description.size, 8);
    assert_ptr_equal(option.paths.at, value.at + LIST_AT);
    assert_int_equal(option.paths.size, LIST_SIZE);
    assert_ptr_equal(option.path.at, value.at + LIST_AT);
    assert_int_equal(option.path.size, LIST_SIZE);
    assert_ptr_equal(option.optional.at, value.at + LIST_AT + LIST_SIZE);
    assert_int_equal(option.optional.size, 3);
    fixture_drop(value);
}

static void option_cut_before_its_optional_data_is_damaged(void **state)
{
    (void)state;
    for (size_t size = 0; size < sizeof(plain); size++)
        assert_int_equal(parse(plain, size), ST_DAMAGED);
    assert_int_equal(parse(plain, sizeof(plain)), ST_OK);
}

static void option_cut_in_its_optional_data_has_less_of_it(void **state)
{
    (void)state;
    for (size_t size = sizeof(plain); size <= sizeof(with_data); size++) {
        struct span value = fixture_exact(with_data, size);
        struct load_option option;
        assert_int_equal(load_option_parse(value, &option), ST_OK);
        assert_int_equal(option.optional.size, size - sizeof(plain));
        fixture_drop(value);
    }
}

static void list_of_two_paths_gives_the_first(void **state)
{
    static const uint8_t two[] = {HEAD(18), FILE_NODE, END_NODE, END_NODE, 9};
    struct load_option option;

    (void)state;
    assert_int_equal(load_option_parse(span_of(two, sizeof(two)), &option), ST_OK);
    assert_int_equal(option.path.size, 14);
    assert_int_equal(option.paths.size, 18);
    assert_int_equal(option.optional.size, 1);
}

static void list_that_is_not_whole_paths_is_damaged(void **state)
{
    static const uint8_t empty[] = {HEAD(0), END_NODE};
    static const uint8_t no_end[] = {HEAD(10), FILE_NODE, END_NODE};
    static const uint8_t tail[] = {HEAD(16), FILE_NODE, END_NODE, 1, 1};
    static const uint8_t second[] = {HEAD(24), FILE_NODE, END_NODE, FILE_NODE, 1};
    static const uint8_t beyond[] = {HEAD(200), FILE_NODE, END_NODE};
    static const uint8_t zero[] = {HEAD(8), 1, 1, 0, 0, END_NODE};
    static const uint8_t huge[] = {HEAD(8), 1, 1, 0xff, 0xff, END_NODE};

    (void)state;
    assert_int_equal(parse(empty, sizeof(empty)), ST_DAMAGED);
    assert_int_equal(parse(no_end, sizeof(no_end)), ST_DAMAGED);
    assert_int_equal(parse(tail, sizeof(tail)), ST_DAMAGED);
    assert_int_equal(parse(second, sizeof(second)), ST_DAMAGED);
    assert_int_equal(parse(beyond, sizeof(beyond)), ST_DAMAGED);
    assert_int_equal(parse(zero, sizeof(zero)), ST_DAMAGED);
    assert_int_equal(parse(huge, sizeof(huge)), ST_DAMAGED);
}

static void description_without_end_is_damaged(void **state)
{
    static const uint8_t endless[] = {1, 0, 0, 0, 4, 0, 'W', 0, 'B', 0, 0x7f, 0xff, 4, 0};
    /* Two zero bytes that are not one unit are no end. */
    static const uint8_t crooked[] = {1, 0, 0, 0, 4, 0, 'W', 1, 0, 0x31, 0, 2};

    (void)state;
    assert_int_equal(parse(endless, sizeof(endless)), ST_DAMAGED);
    assert_int_equal(parse(crooked, sizeof(crooked)), ST_DAMAGED);
}

static void description_may_be_empty(void **state)
{
    static const uint8_t nameless[] = {1, 0, 0, 0, 4, 0, 0, 0, END_NODE};

    (void)state;
    assert_int_equal(parse(nameless, sizeof(nameless)), ST_OK);
    assert_int_equal(parse(nameless, 6), ST_DAMAGED);
    assert_int_equal(parse(nameless, 7), ST_DAMAGED);
}

static void built_option_is_the_one_that_was_parsed(void **state)
{
    struct arena arena = fixture_scratch();
    struct load_option option;
    struct span value;

    (void)state;
    assert_int_equal(load_option_parse(span_of(with_data, sizeof(with_data)), &option), ST_OK);
    assert_int_equal(load_option_build(&arena, &option, &value), ST_OK);
    assert_int_equal(value.size, sizeof(with_data));
    assert_memory_equal(value.at, with_data, sizeof(with_data));
    option.path = span_of(NULL, 0);
    option.optional = span_of(NULL, 0);
    option.attributes = 0x12345678;
    assert_int_equal(load_option_build(&arena, &option, &value), ST_OK);
    assert_int_equal(value.size, sizeof(plain));
    assert_int_equal(ld_le32(value.at), 0x12345678);
    assert_memory_equal(value.at + 4, plain + 4, sizeof(plain) - 4);
}

/* A path of `size` bytes, end node included: one vendor node fills it. */
static struct span path_of(size_t size)
{
    static uint8_t bytes[65536 + 8];
    size_t left = size - 4;
    uint8_t *at = bytes;

    memset(bytes, 0, sizeof(bytes));
    while (left > 0) {
        size_t node = left > 60000 ? 30000 : left;
        at[0] = 1;
        at[1] = 4;
        st_le16(at + 2, (uint16_t)node);
        at += node;
        left -= node;
    }
    memcpy(at, (const uint8_t[]){END_NODE}, 4);
    return span_of(bytes, size);
}

static void list_beyond_its_length_field_is_refused(void **state)
{
    struct arena arena = fixture_scratch();
    struct span value = span_of(NULL, 7);
    struct load_option option = {.attributes = 1,
                                 .description = span_of((const uint8_t[]){'W', 0, 0, 0}, 4)};

    (void)state;
    option.paths = path_of(65536);
    assert_int_equal(load_option_build(&arena, &option, &value), ST_REFUSED);
    assert_int_equal(value.size, 7);
    option.paths = path_of(65535);
    assert_int_equal(load_option_build(&arena, &option, &value), ST_OK);
    assert_int_equal(value.size, 6 + 4 + 65535);
}

static void pieces_that_firmware_would_read_otherwise_are_refused(void **state)
{
    static const uint8_t name[] = {'W', 0, 0, 0, 'B', 0, 0, 0};
    static const uint8_t end[] = {END_NODE, 1};
    struct arena arena = fixture_scratch();
    struct span value = span_of(NULL, 7);
    struct load_option option = {.attributes = 1, .paths = span_of(end, 4)};

    (void)state;
    option.description = span_of(name, 8); /* a second text inside */
    assert_int_equal(load_option_build(&arena, &option, &value), ST_REFUSED);
    option.description = span_of(name, 2); /* no NUL */
    assert_int_equal(load_option_build(&arena, &option, &value), ST_REFUSED);
    option.description = span_of(NULL, 0);
    assert_int_equal(load_option_build(&arena, &option, &value), ST_REFUSED);
    option.description = span_of(name, 4);
    option.paths = span_of(end, 0);
    assert_int_equal(load_option_build(&arena, &option, &value), ST_REFUSED);
    option.paths = span_of(end, 5);
    assert_int_equal(load_option_build(&arena, &option, &value), ST_REFUSED);
    assert_int_equal(value.size, 7);
    assert_int_equal(arena_mark(&arena), 0);
    option.paths = span_of(end, 4);
    assert_int_equal(load_option_build(&arena, &option, &value), ST_OK);
}

static void build_without_memory_is_reported(void **state)
{
    struct arena arena = fixture_scratch_of(32);
    struct load_option option;
    struct span value = span_of(NULL, 7);

    (void)state;
    assert_int_equal(load_option_parse(span_of(plain, sizeof(plain)), &option), ST_OK);
    assert_int_equal(load_option_build(&arena, &option, &value), ST_NO_MEMORY);
    assert_int_equal(value.size, 7);
}

static void boot_manager_marker_counts_only_alone(void **state)
{
    static const uint8_t marked[] = {HEAD(4), END_NODE, MARKER, 0};
    struct load_option option;

    (void)state;
    assert_int_equal(load_option_parse(span_of(marked, sizeof(marked) - 1), &option), ST_OK);
    assert_true(load_option_is_auto_created(&option));
    assert_int_equal(load_option_parse(span_of(marked, sizeof(marked)), &option), ST_OK);
    assert_false(load_option_is_auto_created(&option));
    assert_int_equal(load_option_parse(span_of(marked, sizeof(marked) - 2), &option), ST_OK);
    assert_false(load_option_is_auto_created(&option));
    assert_int_equal(load_option_parse(span_of(plain, sizeof(plain)), &option), ST_OK);
    assert_false(load_option_is_auto_created(&option));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(option_is_taken_apart_in_place),
        cmocka_unit_test(option_cut_before_its_optional_data_is_damaged),
        cmocka_unit_test(option_cut_in_its_optional_data_has_less_of_it),
        cmocka_unit_test(list_of_two_paths_gives_the_first),
        cmocka_unit_test(list_that_is_not_whole_paths_is_damaged),
        cmocka_unit_test(description_without_end_is_damaged),
        cmocka_unit_test(description_may_be_empty),
        cmocka_unit_test(built_option_is_the_one_that_was_parsed),
        cmocka_unit_test(list_beyond_its_length_field_is_refused),
        cmocka_unit_test(pieces_that_firmware_would_read_otherwise_are_refused),
        cmocka_unit_test(build_without_memory_is_reported),
        cmocka_unit_test(boot_manager_marker_counts_only_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
