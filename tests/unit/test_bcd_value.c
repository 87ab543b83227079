/* What the elements, objects and values of a boot store are called, and how values are typed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "format/bcd/bcd_value.h"
#include "host/host_alloc.h"
#include "unit/machine_fixture.h"
#include "unit/store_fixture.h"

#define ROOM 65536u

#define MANAGER  0x10100002u
#define LOADER   0x10200003u
#define RESUME   0x10200004u
#define OPTIONS  0x30000000u
#define SETTINGS 0x20200003u /* of loaders */

static uint8_t memory[ROOM];
static uint8_t file[ROOM];

/* The usual store, its default STORE_LOADER. */
static struct bcd_store open_usual(struct arena *arena)
{
    struct store_fixture *tree = host_alloc(1, sizeof(*tree));
    struct bcd_store store;

    store_fixture_usual(tree, NULL, 0);
    size_t size = store_fixture_write(tree, file, sizeof(file));
    free(tree);
    arena_init(arena, memory, sizeof(memory));
    assert_int_equal(bcd_open(arena, span_of(file, size), &store), ST_OK);
    return store;
}

/* --- Names ---------------------------------------------------------------------------------- */

static void expect_name(uint32_t type, uint32_t code, const char *expected)
{
    char buffer[BCD_CODE_NAME_SIZE];
    struct bcd_name found;

    assert_string_equal(bcd_code_text(type, code, buffer), expected);
    if (strncmp(expected, "custom:", 7) == 0)
        return;
    assert_int_equal(bcd_name_find(type, expected, &found), ST_OK);
    assert_int_equal(found.code, code);
    assert_string_equal(found.name, expected);
}

static void number_is_another_element_in_another_object(void **state)
{
    (void)state;
    expect_name(MANAGER, 0x11000001, "device");
    expect_name(OPTIONS, 0x12000004, "description");
    expect_name(LOADER, 0x21000001, "osdevice");
    expect_name(RESUME, 0x21000001, "filedevice");
    expect_name(LOADER, 0x22000002, "systemroot");
    expect_name(RESUME, 0x22000002, "filepath");
    expect_name(MANAGER, 0x23000003, "default");
    expect_name(LOADER, 0x23000003, "resumeobject");
    expect_name(0x10100001, 0x24000001, "displayorder");
    expect_name(SETTINGS, 0x250000f4, "hypervisordebugport");
    expect_name(OPTIONS, 0x31000003, "ramdisksdidevice");
    expect_name(LOADER, 0x25000020, "nx");
    expect_name(0x10200005, 0x25000002, "testmix");
    expect_name(MANAGER, 0x21000001, "custom:21000001");
    expect_name(LOADER, 0x46000010, "custom:46000010");
    expect_name(0x101fffff, 0x21000001, "custom:21000001");
}

static void name_of_another_kind_is_told_from_one_that_is_none(void **state)
{
    struct bcd_name name;

    (void)state;
    assert_int_equal(bcd_name_find(MANAGER, "osdevice", &name), ST_UNSUPPORTED);
    assert_int_equal(bcd_name_find(MANAGER, "ossdevice", &name), ST_ABSENT);
    assert_int_equal(bcd_name_find(LOADER, "OSDevice", &name), ST_OK);
}

static void objects_are_called_as_bcdedit_calls_them(void **state)
{
    static const struct {
        const char *text;
        const char *guid;
        const char *shown;
    } rows[] = {
        {"{bootmgr}", "9dea862c-5cdd-4e70-acc1-f32b344d4795", "{bootmgr}"},
        {"BOOTMGR", "9dea862c-5cdd-4e70-acc1-f32b344d4795", "{bootmgr}"},
        {"{memdiag}", "b2721d73-1db4-4c62-bf78-c548a880142d", "{memdiag}"},
        {"{legacy}", "466f5a88-0af2-4f76-9038-095b170dc21c", "{ntldr}"},
        {"{resumeloadersettings}", "1afa9c49-16ab-4a5c-901b-212802da9460",
         "{resumeloadersettings}"},
        {"{default}", "4bd4b7f1-9cb2-11e9-8d5c-525400a1b2c3", "{default}"},
        {"{4BD4B7F1-9cb2-11e9-8d5c-525400a1b2c3}", "4bd4b7f1-9cb2-11e9-8d5c-525400a1b2c3",
         "{default}"},
        {"11111111-9cb2-11e9-8d5c-525400a1b2c3", "11111111-9cb2-11e9-8d5c-525400a1b2c3",
         "{11111111-9cb2-11e9-8d5c-525400a1b2c3}"},
    };
    struct arena arena;
    struct bcd_store store = open_usual(&arena);
    struct guid guid;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct guid expected = fixture_guid(rows[i].guid);
        assert_int_equal(bcd_object_parse(&store, rows[i].text, &guid), ST_OK);
        assert_true(guid_equal(&guid, &expected));
        assert_string_equal(bcd_object_text(&arena, &store, &guid), rows[i].shown);
    }
    assert_int_equal(bcd_object_parse(&store, "{current}", &guid), ST_UNSUPPORTED);
    assert_int_equal(bcd_object_parse(&store, "{bootmanager}", &guid), ST_USAGE);
    assert_string_equal(bcd_object_text(&arena, NULL, &bcd_manager),
                        "{9dea862c-5cdd-4e70-acc1-f32b344d4795}");
}

/* --- Values --------------------------------------------------------------------------------- */

/* What is typed, its bytes in hexadecimal ("" where it is refused), and what is printed of it; or
 * what the refusal says. */
struct value_row {
    uint32_t type;
    const char *name;
    const char *typed; /* words with blanks between them */
    const char *bytes;
    const char *text;
};

static size_t split(char *line, const char **ret_words)
{
    size_t count = 0;

    for (char *word = strtok(line, " "); word != NULL; word = strtok(NULL, " "))
        ret_words[count++] = word;
    return count;
}

static void hex_of(struct span data, char *ret_text)
{
    for (size_t i = 0; i < data.size; i++)
        sprintf(ret_text + 2 * i, "%02x", data.at[i]);
    ret_text[2 * data.size] = '\0';
}

static void try_value(struct arena *arena, const struct bcd_store *store,
                      const struct value_row *row)
{
    struct bcd_name name;
    char line[200];
    char hex[400] = "";
    const char *words[8];
    const char *text = NULL;
    struct bcd_element element;

    assert_int_equal(bcd_name_find(row->type, row->name, &name), ST_OK);
    strcpy(line, row->typed);
    size_t count = split(line, words);
    element.code = name.code;
    enum status status = bcd_value_parse(arena, store, &name, words, count, &element.data, &text);
    if (row->bytes[0] == '\0') {
        assert_int_equal(status, ST_USAGE);
        assert_string_equal(text, row->text);
        return;
    }
    assert_int_equal(status, ST_OK);
    hex_of(element.data, hex);
    assert_string_equal(hex, row->bytes);
    assert_int_equal(bcd_value_part(arena, store, row->type, &element, 0, &text), ST_OK);
    assert_string_equal(text, row->text);
}

static void values_are_typed_and_printed_as_with_bcdedit(void **state)
{
    static const struct value_row rows[] = {
        {MANAGER, "timeout", "30", "1e00000000000000", "30"},
        {MANAGER, "timeout", "0x10", "1000000000000000", "16"},
        {MANAGER, "timeout", "soon", "", "a number, or 0x and one in hexadecimal"},
        {MANAGER, "timeout", "1 2", "", "a number, or 0x and one in hexadecimal"},
        {LOADER, "truncatememory", "0x10000000", "0000001000000000", "0x10000000"},
        {LOADER, "nx", "alwayson", "0300000000000000", "AlwaysOn"},
        {LOADER, "nx", "1", "0100000000000000", "OptOut"},
        {LOADER, "nx", "9", "0900000000000000", "9"},
        {LOADER, "nx", "Opt", "", "one of OptIn OptOut AlwaysOff AlwaysOn"},
        {LOADER, "safeboot", "network", "0100000000000000", "Network"},
        {LOADER, "bootmenupolicy", "Legacy", "0000000000000000", "Legacy"},
        {LOADER, "bootstatuspolicy", "IgnoreAllFailures", "0100000000000000", "IgnoreAllFailures"},
        {LOADER, "recoveryenabled", "no", "00", "No"},
        {LOADER, "recoveryenabled", "ON", "01", "Yes"},
        {LOADER, "recoveryenabled", "1", "01", "Yes"},
        {LOADER, "recoveryenabled", "maybe", "", "yes or no"},
        {LOADER, "description", "Ab", "410062000000", "Ab"},
        {LOADER, "allowedinmemorysettings", "0x15000075", "7500001500000000", "0x15000075"},
        {LOADER, "recoverysequence", "{nobody}", "",
         "objects, such as {default} or GUIDs, with blanks between them"},
        {MANAGER, "default", "{x}", "", "an object, such as {default} or a GUID"},
    };
    struct arena arena;
    struct bcd_store store = open_usual(&arena);

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        try_value(&arena, &store, &rows[i]);
}

static void list_of_objects_is_written_as_windows_does(void **state)
{
    static const char *const words[] = {"{default}", "{bootmgr}"};
    struct arena arena;
    struct bcd_store store = open_usual(&arena);
    struct bcd_element element = {.code = BCD_DISPLAY_ORDER};
    struct bcd_name name;
    const char *text = NULL;

    (void)state;
    assert_int_equal(bcd_name_find(MANAGER, "displayorder", &name), ST_OK);
    assert_int_equal(bcd_value_parse(&arena, &store, &name, words, 2, &element.data, &text), ST_OK);
    assert_int_equal(element.data.size, 2 * 78 + 2);
    assert_int_equal(element.data.at[0], '{');
    assert_int_equal(ld_le16(element.data.at + 76), 0);
    assert_int_equal(ld_le16(element.data.at + 156), 0);
    assert_int_equal(bcd_value_part(&arena, &store, MANAGER, &element, 1, &text), ST_OK);
    assert_string_equal(text, "{bootmgr}");
    assert_int_equal(bcd_value_part(&arena, &store, MANAGER, &element, 2, &text), ST_ABSENT);
    assert_int_equal(bcd_value_type(0x24000001), STORE_MULTI_SZ);
    assert_int_equal(bcd_value_type(0x23000003), STORE_SZ);
    assert_int_equal(bcd_value_type(0x12000004), STORE_SZ);
    assert_int_equal(bcd_value_type(0x26000010), STORE_BINARY);
}

static void malformed_values_are_no_text(void **state)
{
    static const uint8_t bytes[16] = {1};
    static const struct {
        uint32_t code;
        size_t size;
    } rows[] = {
        {0x25000004, 0}, {0x25000004, 9}, {0x26000020, 2}, {0x12000004, 3}, {0x27000030, 12}};
    struct arena arena;
    struct bcd_store store = open_usual(&arena);
    const char *text = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bcd_element element = {rows[i].code, span_of(bytes, rows[i].size)};
        assert_int_equal(bcd_value_part(&arena, &store, MANAGER, &element, 0, &text), ST_DAMAGED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(number_is_another_element_in_another_object),
        cmocka_unit_test(name_of_another_kind_is_told_from_one_that_is_none),
        cmocka_unit_test(objects_are_called_as_bcdedit_calls_them),
        cmocka_unit_test(values_are_typed_and_printed_as_with_bcdedit),
        cmocka_unit_test(list_of_objects_is_written_as_windows_does),
        cmocka_unit_test(malformed_values_are_no_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
