/* Bodies of LDM records, byte for byte from the description of the format: what flags add to them, both revisions, and
 * what is cut, impossible or unknown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "format/ldm/ldm_records.h"

#define NUMBER(n)  1, (n)
#define U32(n)     0, 0, 0, (n)
#define U64(n)     0, 0, 0, 0, U32(n)
#define NAME       2, 'N', '1'
#define ACTIVE     6, 'A', 'C', 'T', 'I', 'V', 'E'
#define GUID_BYTES 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 1, 2, 3, 4, 5, 6, 7, 8
#define SET_BYTES  9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9

/* The same in the order of a GPT. */
static const uint8_t guid_bytes[] = {0x67, 0x45, 0x23, 0x01, 0xab, 0x89, 0xef, 0xcd,
                                     1,    2,    3,    4,    5,    6,    7,    8};

#define VOLUME_HEAD                                                                                \
    NUMBER(7), NAME, 3, 'g', 'e', 'n', 0, 'A', 'C', 'T', 'I', 'V', 'E', 0, 0, 0, 0, 0, 0, 0, 0, 3, \
        NUMBER(2), U32(0x11), NUMBER(2), U64(5), U64(0)
#define VOLUME_TAIL U32(0), 7, GUID_BYTES

static const uint8_t volume_body[] = {VOLUME_HEAD, NUMBER(64), VOLUME_TAIL};

/* A number of 8 bytes, and all that flags bring: hint 02, IDs 08 and 20, column 80. */
static const uint8_t volume_long[] = {VOLUME_HEAD, 8,          0, 0, 1, 0, 0, 0, 0,   0,
                                      VOLUME_TAIL, NUMBER(90), 3, 1, 2, 3, 0, 2, 'G', ':'};

static const uint8_t component_body[] = {NUMBER(8), NAME,   ACTIVE, 2,         U32(8),
                                         NUMBER(1), U64(6), U64(0), NUMBER(7), 0};
static const uint8_t component_long[] = {NUMBER(8), NAME,   ACTIVE,    1, U32(0),      NUMBER(2),
                                         U64(6),    U64(0), NUMBER(7), 0, NUMBER(128), NUMBER(2)};

#define PARTITION_HEAD \
    NUMBER(9), NAME, U32(8), U64(6), U64(63), U64(5), NUMBER(64), NUMBER(8), NUMBER(3)

static const uint8_t partition_body[] = {PARTITION_HEAD};

/* Column 08, a transaction 20, something 40, a count 02. */
static const uint8_t partition_long[] = {PARTITION_HEAD, NUMBER(1), U64(77), 0, NUMBER(1)};

#define TEXT_GUID                                                                                 \
    36, '6', '7', '4', '5', '2', '3', '0', '1', '-', 'a', 'b', '8', '9', '-', 'e', 'f', 'c', 'd', \
        '-', '0', '1', '0', '2', '-', '0', '3', '0', '4', '0', '5', '0', '6', '0', '7', '0', '8'

static const uint8_t disk_text[] = {NUMBER(3), NAME, TEXT_GUID, 3, 's', 'd', 'a', U32(4), U64(6)};
static const uint8_t disk_bytes[] = {NUMBER(3), NAME, GUID_BYTES, SET_BYTES, 0, U32(4), U64(6)};
static const uint8_t group_bytes[] = {NUMBER(1), NAME, GUID_BYTES, SET_BYTES, U32(0), U64(6)};

/* Numbers of copies 08, of the least minor number 10. */
static const uint8_t group_long[] = {NUMBER(1), NAME, TEXT_GUID, U32(0), U64(6),    4,
                                     0xff,      0xff, 0xff,      0xff,   NUMBER(1), NUMBER(5)};

static uint8_t room[1024];
static struct arena arena;
static bool extended;

/* One of any kind: what was parsed is in the member of its kind. */
static union {
    struct ldm_volume volume;
    struct ldm_component component;
    struct ldm_partition partition;
    struct ldm_disk disk;
    struct ldm_group group;
} parsed;

static enum status parse_in(size_t memory, uint8_t type, uint8_t flags, const uint8_t *body,
                            size_t size)
{
    const struct ldm_record record = {.type = type, .flags = flags, .body = span_of(body, size)};

    arena_init(&arena, room, memory);
    extended = false;
    switch (ldm_record_kind(&record)) {
    case LDM_KIND_VOLUME:
        return ldm_volume_parse(&record, &arena, &extended, &parsed.volume);
    case LDM_KIND_COMPONENT:
        return ldm_component_parse(&record, &arena, &extended, &parsed.component);
    case LDM_KIND_PARTITION:
        return ldm_partition_parse(&record, &arena, &extended, &parsed.partition);
    case LDM_KIND_DISK:
        return ldm_disk_parse(&record, &arena, &extended, &parsed.disk);
    default:
        return ldm_group_parse(&record, &arena, &extended, &parsed.group);
    }
}

static const struct form {
    uint8_t type;
    uint8_t flags;
    const uint8_t *body;
    size_t size;
} forms[] = {
    {0x51, 0x00, volume_body, sizeof(volume_body)},
    {0x51, 0xaa, volume_long, sizeof(volume_long)},
    {0x32, 0x00, component_body, sizeof(component_body)},
    {0x32, 0x10, component_long, sizeof(component_long)},
    {0x33, 0x00, partition_body, sizeof(partition_body)},
    {0x33, 0x6a, partition_long, sizeof(partition_long)},
    {0x34, 0x00, disk_text, sizeof(disk_text)},
    {0x44, 0x00, disk_bytes, sizeof(disk_bytes)},
    {0x45, 0x00, group_bytes, sizeof(group_bytes)},
    {0x35, 0x18, group_long, sizeof(group_long)},
};

#define FORMS (sizeof(forms) / sizeof(forms[0]))

static enum status parse_form(const struct form *form, size_t size)
{
    return parse_in(sizeof(room), form->type, form->flags, form->body, size);
}

static enum status parse_body(uint8_t type, uint8_t flags, const uint8_t *body, size_t size)
{
    return parse_in(sizeof(room), type, flags, body, size);
}

/* --- What is read ----------------------------------------------------------------------------- */

static void hint_of_a_volume_stands_behind_all_else_that_flags_bring(void **state)
{
    (void)state;
    assert_int_equal(parse_form(&forms[0], forms[0].size), ST_OK);
    assert_string_equal(parsed.volume.drive_hint, "");
    assert_int_equal(parsed.volume.size, 64);
    assert_int_equal(parse_form(&forms[1], forms[1].size), ST_OK);
    assert_false(extended);
    assert_string_equal(parsed.volume.drive_hint, "G:");
    assert_int_equal(parsed.volume.size, 0x10000000000);
    assert_string_equal(parsed.volume.name, "N1");
    assert_string_equal(parsed.volume.state, "ACTIVE");
    assert_int_equal(parsed.volume.component_count, 2);
    assert_int_equal(parsed.volume.content, 7);
    assert_memory_equal(parsed.volume.guid.bytes, guid_bytes, sizeof(guid_bytes));
}

static void stripes_of_a_component_are_there_by_its_flag(void **state)
{
    (void)state;
    assert_int_equal(parse_form(&forms[2], forms[2].size), ST_OK);
    assert_int_equal(parsed.component.layout, LDM_CONCATENATED);
    assert_int_equal(parsed.component.stripe_size, 0);
    assert_int_equal(parsed.component.volume_id, 7);
    assert_int_equal(parsed.component.flags, 8);
    assert_int_equal(parse_form(&forms[3], forms[3].size), ST_OK);
    assert_int_equal(parsed.component.layout, LDM_STRIPED);
    assert_int_equal(parsed.component.stripe_size, 128);
    assert_int_equal(parsed.component.columns, 2);
    assert_false(extended);
}

static void column_of_a_partition_stands_before_what_nobody_knows(void **state)
{
    (void)state;
    assert_int_equal(parse_form(&forms[4], forms[4].size), ST_OK);
    assert_int_equal(parsed.partition.column, 0);
    assert_int_equal(parse_form(&forms[5], forms[5].size), ST_OK);
    assert_false(extended);
    assert_int_equal(parsed.partition.column, 1);
    assert_int_equal(parsed.partition.start, 63);
    assert_int_equal(parsed.partition.offset, 5);
    assert_int_equal(parsed.partition.size, 64);
    assert_int_equal(parsed.partition.component_id, 8);
    assert_int_equal(parsed.partition.disk_id, 3);
}

/* Revision 3 has its GUID as text, revision 4 as bytes in the order of the text, and another behind it. */
static void both_revisions_name_the_same_disk_and_group(void **state)
{
    (void)state;
    for (size_t i = 6; i < 8; i++) {
        assert_int_equal(parse_form(&forms[i], forms[i].size), ST_OK);
        assert_false(extended);
        assert_int_equal(parsed.disk.id, 3);
        assert_int_equal(parsed.disk.flags, 4);
        assert_int_equal(parsed.disk.transaction, 6);
    }
    assert_memory_equal(parsed.disk.guid.bytes, guid_bytes, sizeof(guid_bytes));
    for (size_t i = 8; i < FORMS; i++) {
        assert_int_equal(parse_form(&forms[i], forms[i].size), ST_OK);
        assert_false(extended);
        assert_int_equal(parsed.group.id, 1);
        assert_int_equal(parsed.group.transaction, 6);
    }
}

/* --- What is not ------------------------------------------------------------------------------ */

static void record_that_is_cut_anywhere_is_damaged(void **state)
{
    (void)state;
    for (size_t i = 0; i < FORMS; i++) {
        for (size_t size = 0; size < forms[i].size; size++)
            assert_int_equal(parse_form(&forms[i], size), ST_DAMAGED);
    }
}

static void bytes_behind_the_last_field_are_told_of(void **state)
{
    uint8_t body[256];

    (void)state;
    for (size_t i = 0; i < FORMS; i++) {
        memcpy(body, forms[i].body, forms[i].size);
        body[forms[i].size] = 0;
        assert_int_equal(parse_body(forms[i].type, forms[i].flags, body, forms[i].size + 1), ST_OK);
        assert_true(extended);
    }
}

/* Fields nobody knows of stand among the others: what follows could be anything. */
static void unknown_flag_or_revision_is_not_guessed_at(void **state)
{
    static const uint8_t known[] = {0xaa, 0x10, 0x6a, 0x00, 0x18}; /* by kind, from 1 */

    (void)state;
    for (size_t i = 0; i < FORMS; i++) {
        const struct form *form = &forms[i];
        for (unsigned flag = 1; flag < 0x100; flag <<= 1) {
            if ((known[(form->type & 0x0f) - 1] & flag) != 0)
                continue;
            assert_int_equal(
                parse_body(form->type, form->flags | (uint8_t)flag, form->body, form->size),
                ST_UNSUPPORTED);
        }
        assert_int_equal(
            parse_body((form->type & 0x0f) | 0x20 | 0x40, form->flags, form->body, form->size),
            ST_UNSUPPORTED);
    }
}

static void number_wider_than_8_bytes_is_damaged(void **state)
{
    uint8_t body[sizeof(group_bytes) + 8] = {9, 0, 0, 0, 0, 0, 0, 0, 0, 1};

    (void)state;
    memcpy(body + 10, group_bytes + 2, sizeof(group_bytes) - 2);
    assert_int_equal(parse_body(0x45, 0, body, sizeof(body)), ST_DAMAGED);
    body[1] = 8;
    assert_int_equal(parse_body(0x45, 0, body + 1, sizeof(body) - 1), ST_OK);
    assert_int_equal(parsed.group.id, 1);
}

/* Longer than any that Windows has: cut, it could come to be one of them. */
static void state_that_is_too_long_is_damaged(void **state)
{
    uint8_t body[sizeof(component_body) + 10];

    (void)state;
    for (uint8_t longer = 9; longer <= 10; longer++) { /* 15 characters, and 16 */
        memcpy(body, component_body, 5);
        body[5] = 6 + longer;
        memset(body + 6, 'A', 6 + longer);
        memcpy(body + 12 + longer, component_body + 12, sizeof(component_body) - 12);
        assert_int_equal(parse_body(0x32, 0, body, sizeof(component_body) + longer),
                         longer == 9 ? ST_OK : ST_DAMAGED);
    }
}

static void impossible_values_are_damaged(void **state)
{
    static const struct {
        size_t form;
        size_t at;
        uint8_t value;
        enum status status;
    } cases[] = {
        {0, 6, 'G', ST_DAMAGED},                        /* neither "gen" nor "raid5" */
        {0, sizeof(volume_body) - 22, 0, ST_DAMAGED},   /* of no sector */
        {2, 12, 0, ST_UNSUPPORTED},                     /* no layout */
        {2, 12, 4, ST_UNSUPPORTED},                     /* or one too many */
        {2, 12, 3, ST_DAMAGED},                         /* RAID-5 without columns */
        {3, sizeof(component_long) - 3, 0, ST_DAMAGED}, /* stripes of nothing */
        {3, sizeof(component_long) - 1, 0, ST_DAMAGED}, /* no column */
        {4, sizeof(partition_body) - 5, 0, ST_DAMAGED}, /* of no sector */
        {6, 5, 35, ST_DAMAGED},                         /* a GUID of 35 characters */
        {6, 6, 'g', ST_DAMAGED},                        /* or with one that is no digit */
    };
    uint8_t body[256];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct form *form = &forms[cases[i].form];
        memcpy(body, form->body, form->size);
        body[cases[i].at] = cases[i].value;
        assert_int_equal(parse_body(form->type, form->flags, body, form->size), cases[i].status);
    }
}

static void lack_of_memory_is_no_damage(void **state)
{
    (void)state;
    for (size_t i = 0; i < FORMS; i++)
        assert_int_equal(parse_in(0, forms[i].type, forms[i].flags, forms[i].body, forms[i].size),
                         ST_NO_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hint_of_a_volume_stands_behind_all_else_that_flags_bring),
        cmocka_unit_test(stripes_of_a_component_are_there_by_its_flag),
        cmocka_unit_test(column_of_a_partition_stands_before_what_nobody_knows),
        cmocka_unit_test(both_revisions_name_the_same_disk_and_group),
        cmocka_unit_test(record_that_is_cut_anywhere_is_damaged),
        cmocka_unit_test(bytes_behind_the_last_field_are_told_of),
        cmocka_unit_test(unknown_flag_or_revision_is_not_guessed_at),
        cmocka_unit_test(number_wider_than_8_bytes_is_damaged),
        cmocka_unit_test(state_that_is_too_long_is_damaged),
        cmocka_unit_test(impossible_values_are_damaged),
        cmocka_unit_test(lack_of_memory_is_no_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
