/* Where an entry leads: to the file on an ESP that firmware starts by it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "audit/lead.h"
#include "unit/mirror_fixture.h"

#define FB "\\EFI\\BOOT\\fbx64.efi"

/* The ESP that Boot0000 leads to; NO_INDEX for none. */
static size_t esp_led_to(struct mirror *mirror, enum program_kind kind)
{
    size_t entry = machine_find_entry(&mirror->machine, 0);
    struct lead lead;

    if (!lead_of(&mirror->machine, &mirror->machine.entries[entry], &lead))
        return NO_INDEX;
    assert_ptr_equal(lead.entry, &mirror->machine.entries[entry]);
    assert_int_equal(lead.program.kind, kind);
    return lead.esp;
}

static void name_file(struct mirror *mirror, size_t disk, const char *file)
{
    struct fixture_entry entry = mirror_windows_entry(mirror, 0, disk);

    entry.file = file;
    mirror_put_entry(mirror, &entry);
}

static void entry_leads_to_the_file_it_names(void **state)
{
    struct mirror *mirror = *state;

    assert_int_equal(esp_led_to(mirror, PROGRAM_WINDOWS), 0);
    name_file(mirror, 1, MIRROR_MEMTEST);
    assert_int_equal(esp_led_to(mirror, PROGRAM_TOOL), 1);
    name_file(mirror, 1, "\\EFI\\gone.efi");
    assert_int_equal(esp_led_to(mirror, PROGRAM_UNKNOWN), NO_INDEX);
    name_file(mirror, 1, NULL); /* the removable-media path */
    assert_int_equal(esp_led_to(mirror, PROGRAM_WINDOWS), 1);
}

/* The file is on the other ESP of the same disk. */
static void entry_leads_to_the_partition_it_names_alone(void **state)
{
    struct mirror *mirror = *state;

    (void)mirror_add_second_esp(mirror);
    name_file(mirror, 1, MIRROR_MANAGER);
    assert_int_equal(esp_led_to(mirror, PROGRAM_WINDOWS), 1);
    mirror_drop_file(mirror, 1, MIRROR_MANAGER);
    assert_int_equal(esp_led_to(mirror, PROGRAM_WINDOWS), NO_INDEX);
}

static void stick_leads_nowhere(void **state)
{
    struct mirror *mirror = *state;

    name_file(mirror, 1, MIRROR_MANAGER);
    mirror->disks[1].removable = true;
    assert_int_equal(esp_led_to(mirror, PROGRAM_WINDOWS), NO_INDEX);
}

static void folder_is_no_program(void **state)
{
    struct mirror *mirror = *state;

    name_file(mirror, 0, "\\EFI\\Microsoft");
    assert_int_equal(esp_led_to(mirror, PROGRAM_UNKNOWN), NO_INDEX);
}

/* Where the walk through the ESP was cut short, the file may have been seen by its name alone. */
static void file_that_was_not_walked_to_is_there_where_it_was_seen(void **state)
{
    struct mirror *mirror = *state;

    mirror_drop_file(mirror, 0, MIRROR_MANAGER);
    mirror->machine.entries[0].boot.file_status = ST_OK;
    assert_int_equal(esp_led_to(mirror, PROGRAM_UNKNOWN), NO_INDEX);
    mirror->esps[0].report.complete = false;
    mirror->esps[0].report.listed = false;
    assert_int_equal(esp_led_to(mirror, PROGRAM_UNKNOWN), 0);
    mirror->machine.entries[0].boot.file_status = ST_UNSUPPORTED;
    assert_int_equal(esp_led_to(mirror, PROGRAM_UNKNOWN), NO_INDEX);
}

static void first_lead_is_that_of_no_tool(void **state)
{
    struct mirror *mirror = *state;
    struct fixture_entry tool = mirror_windows_entry(mirror, 2, 1);
    struct lead lead;

    tool.file = MIRROR_MEMTEST;
    mirror_put_entry(mirror, &tool);
    mirror_set_order(mirror, (uint16_t[]){2, 1, 0}, 3);
    assert_true(lead_is_tool(&mirror->machine, &mirror->machine.entries[0]));
    assert_false(lead_is_tool(&mirror->machine, &mirror->machine.entries[1]));
    assert_true(lead_first(&mirror->machine, &lead));
    assert_int_equal(lead.entry->number, 1);
    /* No entry but that of the tool: the removable-media path leads. */
    mirror_set_order(mirror, (uint16_t[]){2}, 1);
    assert_true(lead_first(&mirror->machine, &lead));
    assert_null(lead.entry);
    assert_int_equal(lead.esp, 0);
    mirror_drop_file(mirror, 0, MIRROR_FALLBACK);
    mirror_drop_file(mirror, 1, MIRROR_FALLBACK);
    assert_false(lead_first(&mirror->machine, &lead));
}

/* Shim's fallback starts what its lists name. */
static void esp_with_any_loader_starts_another_system(void **state)
{
    static const char *const loaders[] = {MIRROR_SHIM, MIRROR_GRUB, FB};
    struct mirror *mirror = *state;

    assert_true(lead_esp_starts_windows(&mirror->esps[0]));
    assert_false(lead_esp_starts_other(&mirror->machine, &mirror->esps[0]));
    for (size_t i = 0; i < sizeof(loaders) / sizeof(loaders[0]); i++) {
        mirror_drop_files(mirror, 1);
        assert_false(lead_esp_starts_other(&mirror->machine, &mirror->esps[1]));
        (void)mirror_add_file(mirror, 1, loaders[i], 100000 + i, (uint8_t)('a' + i));
        assert_true(lead_esp_starts_other(&mirror->machine, &mirror->esps[1]));
        assert_false(lead_esp_starts_windows(&mirror->esps[1]));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mirror_set_up, mirror_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(entry_leads_to_the_file_it_names),
        TEST(entry_leads_to_the_partition_it_names_alone),
        TEST(stick_leads_nowhere),
        TEST(folder_is_no_program),
        TEST(file_that_was_not_walked_to_is_there_where_it_was_seen),
        TEST(first_lead_is_that_of_no_tool),
        TEST(esp_with_any_loader_starts_another_system),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
