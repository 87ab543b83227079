/*
 * Disks without the firmware whose boot entries start them: what is said of them by their files alone,
 * and that no entry is made, or found wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "linux/efivars.h"
#include "unit/disk_machine_fixture.h"
#include "unit/line_fixture.h"

#define FALLBACK "\\EFI\\BOOT\\BOOTX64.EFI"
#define MANAGER  "\\EFI\\Microsoft\\Boot\\bootmgfw.efi"
#define STORE    "\\EFI\\Microsoft\\Boot\\BCD"

static int set_up(void **state)
{
    struct disk_machine_shape shape = disk_machine_usual();

    *state = disk_machine_new(&shape);
    return 0;
}

static int tear_down(void **state)
{
    host_free(*state);
    return 0;
}

/* Runs the line on the machine's disks alone; what is printed is in `*ret_text`. */
static unsigned run_disks(struct host *host, const char *line, const char **ret_text)
{
    struct ports ports = *host_ports(host);

    ports.vars = linux_efivars_none();
    host_console_clear(host->console);
    unsigned code = fixture_run_in(&ports, line, LINE_MEMORY);
    *ret_text = host_console_text(host->console);
    return code;
}

static void entries_are_said_to_be_unknown_and_not_missing(void **state)
{
    const char *text = NULL;

    assert_int_equal(run_disks(*state, "status", &text), 64);
    assert_says(text, "[note] this machine: The boot entries are not known|"
                      "Starts from Disk 0 alone: perhaps. Boot entries are not known. The "
                      "removable-media path starts it");
    assert_null(strstr(text, "No boot entry"));
    assert_null(strstr(text, "[damage]"));
}

static void an_entry_may_start_what_the_fallback_does_not(void **state)
{
    const char *text = NULL;

    disk_machine_delete(*state, 0, FALLBACK);
    run_disks(*state, "status", &text);
    assert_says(text,
                "Starts from Disk 0 alone: not known. Boot entries are not known: one for " MANAGER
                " would start it.|Starts from Disk 1 alone: perhaps.");
}

static void no_entry_starts_what_has_no_sound_loader(void **state)
{
    const char *text = NULL;

    disk_machine_delete(*state, 0, FALLBACK);
    disk_machine_zero_file(*state, 0, MANAGER);
    assert_int_equal(run_disks(*state, "status", &text), 66);
    assert_says(text, "Starts from Disk 0 alone: no. Boot entries are not known.");
}

static void no_loader_starts_without_its_store(void **state)
{
    const char *text = NULL;

    disk_machine_delete(*state, 1, STORE);
    assert_int_equal(run_disks(*state, "status", &text), 65);
    assert_says(text, "Starts from Disk 1 alone: no.");
}

static void repair_changes_disks_and_leaves_entries_out(void **state)
{
    const char *text = NULL;

    disk_machine_delete(*state, 1, "\\EFI\\BOOT");
    disk_machine_delete(*state, 1, "\\EFI\\Microsoft");
    assert_int_equal(run_disks(*state, "repair -n", &text), 65);
    assert_says(text,
                "Note: Boot entries are left out|bring |After this: Disk 0 alone: perhaps; Disk 1 "
                "alone: perhaps.");
    assert_null(strstr(text, "BootOrder"));
    assert_int_equal(run_disks(*state, "repair -y", &text), 64);
    assert_says(text, "Done: 1 change made and checked.");
    assert_int_equal(run_disks(*state, "repair -y", &text), 64);
    assert_null(strstr(text, "Done:"));
}

static void what_changes_entries_is_refused(void **state)
{
    static const char *const lines[] = {"clone", "prune", "order 1"};
    const char *text = NULL;

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        unsigned code = run_disks(*state, lines[i], &text);
        assert_true(code == 3 || code == 14);
        assert_null(strstr(text, "Done:"));
    }
    assert_int_equal(run_disks(*state, "prune", &text), 3);
    assert_says(text, "prune: The boot entries are not known");
}

/* --- Where firmware finds a disk is not known --------------------------------------------------- */

static void give_full_path_to_elsewhere(struct host *host)
{
    struct host_partition esp = disk_machine_place(host, 1, PART_ESP);
    struct fixture_bytes paths = {.size = 0};
    struct fixture_bytes none = {.size = 0};
    struct fixture_bytes value = {.size = 0};

    fixture_put_disk(&paths, host, 0); /* the other disk's */
    fixture_put_hd(&paths, &esp);
    fixture_put_file(&paths, MANAGER);
    fixture_put_end(&paths);
    fixture_put_load_option(&value, 1, "Boot Mirror", &paths, &none);
    mem_vars_put(host->vars, NULL, "Boot0001", VAR_BOOT_OPTION, value.at, value.size);
}

/* Vendor nodes with a letter each. */
static uint8_t made_up[2][24] = {{0x01, 0x04, 0x14, 0x00, 'a', [20] = 0x7f, 0xff, 0x04, 0x00},
                                 {0x01, 0x04, 0x14, 0x00, 'b', [20] = 0x7f, 0xff, 0x04, 0x00}};

static unsigned run_unplaced(struct host *host, const char *line, const char **ret_text)
{
    struct ports ports = *host_ports(host);
    struct block_port disks[HOST_MAX_DISKS];

    memcpy(disks, ports.disks, ports.disk_count * sizeof(*disks));
    for (size_t i = 0; i < 2; i++) {
        disks[i].place_unknown = true;
        disks[i].path = span_of(made_up[i], sizeof(made_up[i]));
    }
    ports.disks = disks;
    host_console_clear(host->console);
    unsigned code = fixture_run_in(&ports, line, LINE_MEMORY);
    *ret_text = host_console_text(host->console);
    return code;
}

static void a_hardware_path_is_not_judged_by_one_that_is_made_up(void **state)
{
    const char *text = NULL;

    give_full_path_to_elsewhere(*state);
    run_line(*state, "status -sfo", &text);
    assert_says(text, "\"entry-elsewhere\"|VerdictInfo,\"1\",\"fallback\"");
    run_unplaced(*state, "status -sfo", &text);
    assert_null(strstr(text, "entry-elsewhere"));
    assert_says(text, "VerdictInfo,\"1\",\"starts\",\"Boot0001\"");
}

static void disks_keep_the_sequence_they_are_named_in(void **state)
{
    uint8_t first = made_up[0][4];
    const char *text = NULL;

    made_up[0][4] = 'z'; /* whatever their paths are */
    run_unplaced(*state, "disks -sfo", &text);
    made_up[0][4] = first;
    const char *one = strstr(text, "d15c0000-0000");
    const char *two = strstr(text, "d15c0000-0001");
    assert_non_null(one);
    assert_non_null(two);
    assert_true(one < two);
}

static void no_entry_gets_a_path_that_is_made_up(void **state)
{
    static const char *const lines[] = {"delete Boot0001 -y", "clone -y -full"};
    struct host *host = *state;
    const char *text = NULL;

    for (size_t i = 0; i < 2; i++)
        assert_int_equal(run_unplaced(host, lines[i], &text), 0);
    const struct mem_var *made = mem_vars_find(host->vars, NULL, "Boot0001");
    assert_non_null(made);
    /* Attributes, length and description, then the path, which begins with the hard drive node. */
    size_t at = 6;
    while (made->data[at] != 0 || made->data[at + 1] != 0)
        at += 2;
    assert_int_equal(made->data[at + 2], 0x04);
    assert_int_equal(made->data[at + 3], 0x01);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(entries_are_said_to_be_unknown_and_not_missing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_entry_may_start_what_the_fallback_does_not, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(no_entry_starts_what_has_no_sound_loader, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(no_loader_starts_without_its_store, set_up, tear_down),
        cmocka_unit_test_setup_teardown(repair_changes_disks_and_leaves_entries_out, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_changes_entries_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_hardware_path_is_not_judged_by_one_that_is_made_up,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(disks_keep_the_sequence_they_are_named_in, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(no_entry_gets_a_path_that_is_made_up, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
