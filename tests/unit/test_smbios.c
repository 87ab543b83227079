/* The system information of SMBIOS: which machine this is, and tables that do not end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "format/smbios.h"

/* A structure of another kind, with two texts, before that of the system (DSP0134, 7.1 and 7.2). */
#define BIOS 0, 18, 0, 0, 1, 2, 0, 0xe8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'E', 'D', 'K', 0, '1', 0, 0
#define UUID 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 1, 2, 3, 4, 5, 6, 7, 8
#define SYSTEM                                                                                 \
    1, 27, 1, 1, 1, 2, 0, 3, UUID, 6, 0, 0, 'A', 'c', 'm', 'e', ' ', ' ', 0, 'B', 'o', 'x', 0, \
        '7', '\n', 0, 0
#define END 127, 4, 2, 1, 0, 0

static enum status read(const uint8_t *bytes, size_t size, struct smbios_system *ret_system)
{
    static uint8_t room[4096];
    struct arena arena;
    uint8_t *copy = malloc(size > 0 ? size : 1);

    assert_non_null(copy);
    memcpy(copy, bytes, size);
    arena_init(&arena, room, sizeof(room));
    enum status status = smbios_read_system(&arena, span_of(copy, size), ret_system);
    free(copy);
    return status;
}

static void system_is_read(void **state)
{
    static const uint8_t table[] = {BIOS, SYSTEM, END};
    static const uint8_t uuid[] = {UUID};
    struct smbios_system system;

    (void)state;
    assert_int_equal(read(table, sizeof(table), &system), ST_OK);
    assert_string_equal(system.manufacturer, "Acme");
    assert_string_equal(system.product, "Box");
    assert_string_equal(system.serial, "7\\u000a");
    assert_memory_equal(system.uuid.bytes, uuid, sizeof(uuid));
}

static void what_is_not_told_is_empty(void **state)
{
    static const uint8_t old[] = {1, 8, 1, 1, 0, 9, 0, 0, 0, 0};
    uint8_t blank[] = {1, 25, 1, 1, 0, 0, 0, 0, [24] = 6, [25] = 0, 0};
    static const uint8_t none[16] = {0};
    struct smbios_system system;

    (void)state;
    assert_int_equal(read(old, sizeof(old), &system), ST_OK);
    assert_string_equal(system.manufacturer, "");
    assert_string_equal(system.product, ""); /* a number of no text */
    assert_memory_equal(system.uuid.bytes, none, sizeof(none));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(read(blank, sizeof(blank), &system), ST_OK);
        assert_memory_equal(system.uuid.bytes, none, sizeof(none));
        memset(blank + 8, 0xff, 16);
    }
}

static void tables_without_a_system_have_none(void **state)
{
    static const uint8_t table[] = {BIOS, END, SYSTEM};
    struct smbios_system system;

    (void)state;
    assert_int_equal(read(table, sizeof(table), &system), ST_ABSENT);
    assert_int_equal(read(table, 0, &system), ST_ABSENT);
}

/* Each length that is too short by something is damage, or ends before the system. */
static void cut_tables_are_damaged(void **state)
{
    static const uint8_t table[] = {BIOS, SYSTEM};
    static const uint8_t bios[] = {BIOS};
    struct smbios_system system;

    (void)state;
    assert_int_equal(read(table, sizeof(table), &system), ST_OK);
    for (size_t size = 1; size < sizeof(table); size++)
        assert_int_equal(read(table, size, &system), size == sizeof(bios) ? ST_ABSENT : ST_DAMAGED);
}

static void structures_without_a_header_are_damaged(void **state)
{
    static const uint8_t table[] = {0, 3, 0, 0, 0, 0, SYSTEM};
    struct smbios_system system;

    (void)state;
    assert_int_equal(read(table, sizeof(table), &system), ST_DAMAGED);
}

static void without_memory_nothing_is_set(void **state)
{
    static const uint8_t table[] = {SYSTEM};
    struct smbios_system system = {.serial = "before"};
    struct arena arena;
    uint8_t room[8];

    (void)state;
    arena_init(&arena, room, sizeof(room));
    assert_int_equal(smbios_read_system(&arena, span_of(table, sizeof(table)), &system),
                     ST_NO_MEMORY);
    assert_string_equal(system.serial, "before");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(system_is_read),
        cmocka_unit_test(what_is_not_told_is_empty),
        cmocka_unit_test(tables_without_a_system_have_none),
        cmocka_unit_test(cut_tables_are_damaged),
        cmocka_unit_test(structures_without_a_header_are_damaged),
        cmocka_unit_test(without_memory_nothing_is_set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
