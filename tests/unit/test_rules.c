/*
 * The rules for writing boot entries, learnt from real firmware: one test for each at least, on the
 * whole program over machines in memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "host/fault.h"
#include "unit/plan_fixture.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* --- R1 ------------------------------------------------------------------------------------- */

static void r01_new_entry_is_in_boot_order(void **state)
{
    assert_int_equal(fixture_run(*state, "clone -y"), 0);
    expect_order(*state, "0003,0000,0001,0002,0004,0005,0006");
}

/* Also one that is not active: the source of this clone is not. */
static void r01_inactive_clone_is_in_boot_order(void **state)
{
    struct host *host = *state;
    struct fixture_entry entry = {.number = 0x20,
                                  .description = "Spare",
                                  .form = FIXTURE_SHORT,
                                  .partition = fixture_partition_named(MODERN_ESP_0),
                                  .file = "\\EFI\\spare.efi",
                                  .inactive = true};
    static const uint16_t order[] = {0, 1, 2, 3, 10, 11, 0x20};

    fixture_add_entry(host, &entry);
    fixture_set_order(host, order, COUNT_OF(order));
    assert_int_equal(fixture_run(host, "clone -y"), 0);
    expect_order(host, "0000,0001,0002,0003,000A,000B,0020,0004,0005,0006");
    entry.number = 6;
    entry.partition = fixture_partition_named(MODERN_ESP_1);
    expect_entry(host, &entry);
}

/* --- R2 ------------------------------------------------------------------------------------- */

/* Boot0005 exists outside BootOrder, BootNext names 0006, BootCurrent 0007. */
static void r02_new_number_is_used_and_named_by_nothing(void **state)
{
    struct host *host = *state;
    const struct fixture_entry stray = {
        .number = 5, .description = "Stray", .form = FIXTURE_FILE, .file = "\\stray.efi"};

    fixture_add_entry(host, &stray);
    fixture_set_u16(host, "BootNext", 6);
    fixture_set_u16(host, "BootCurrent", 7);
    assert_int_equal(fixture_run(host, "clone -y"), 0);
    expect_order(host, "0003,0000,0001,0002,0004,0008,0009");
    expect_entry(host, &stray);
    expect_no_variable(host, "Boot0006");
    expect_no_variable(host, "Boot0007");
}

/* BootOrder names 0005, which does not exist: prune keeps the order as long as it can. */
static void r02_number_that_boot_order_names_is_not_taken(void **state)
{
    static const uint16_t order[] = {3, 0, 1, 2, 4, 5};

    fixture_set_order(*state, order, COUNT_OF(order));
    expect_unchanged(*state, "clone -y", 10);
    expect_no_variable(*state, "Boot0005");
}

/* --- R3 ------------------------------------------------------------------------------------- */

/* The store in memory refuses other names and attributes, as edk2 does. */
static void r03_names_have_four_upper_case_digits_and_attributes_are_seven(void **state)
{
    struct host *host = *state;
    char name[16];

    for (unsigned number = 5; number < 0x1a; number++) {
        const struct fixture_entry filler = {.number = (uint16_t)number,
                                             .description = "Filler",
                                             .form = FIXTURE_FILE,
                                             .file = "\\filler.efi"};
        fixture_add_entry(host, &filler);
    }
    assert_int_equal(fixture_run(host, "clone -y"), 0);
    for (unsigned number = 0x1a; number < 0x1c; number++) {
        snprintf(name, sizeof(name), "Boot%04X", number);
        const struct mem_var *var = mem_vars_find(host->vars, NULL, name);
        assert_non_null(var);
        assert_int_equal(var->attributes, 7);
    }
}

/* Every variable that is set is read afterwards, BootOrder last. */
static void r03_entries_are_written_before_boot_order(void **state)
{
    struct host *host = *state;

    assert_int_equal(fixture_run(host, "clone -y"), 0);
    assert_int_equal(mem_vars_log_count(host->vars), 3);
    assert_string_equal(mem_vars_log_at(host->vars, 0)->name, "Boot0005");
    assert_string_equal(mem_vars_log_at(host->vars, 1)->name, "Boot0006");
    assert_string_equal(mem_vars_log_at(host->vars, 2)->name, "BootOrder");
}

static void r03_boot_order_is_written_before_an_entry_is_deleted(void **state)
{
    struct host *host = *state;

    assert_int_equal(fixture_run(host, "delete -y Boot0004"), 0);
    assert_int_equal(mem_vars_log_count(host->vars), 2);
    assert_string_equal(mem_vars_log_at(host->vars, 0)->name, "BootOrder");
    assert_string_equal(mem_vars_log_at(host->vars, 1)->name, "Boot0004");
}

/* Firmware that says yes and writes nothing is found out by reading back. */
static void r03_what_was_written_is_read_back(void **state)
{
    for (uint64_t nth = 1; nth <= 3; nth++) {
        struct host *host = host_clone(*state);
        struct fault *fault = fault_new(host_ports(host));
        fault_fail(fault, FAULT_VAR_SET, nth, ST_OK, false);
        assert_int_not_equal(fixture_run_ports(fault_ports(fault), "clone -y"), 0);
        assert_true(mem_vars_equal(host->vars, ((struct host *)*state)->vars));
        fault_free(fault);
        host_free(host);
    }
}

/* --- R4 ------------------------------------------------------------------------------------- */

/* An entry on the source ESP with the firmware's own mark: only the others are cloned. */
static void r04_mark_of_the_firmware_is_not_cloned(void **state)
{
    struct host *host = *state;
    struct fixture_entry entry = {.number = 2,
                                  .description = "UEFI OS",
                                  .form = FIXTURE_FULL,
                                  .partition = fixture_partition_named(MODERN_ESP_0),
                                  .file = "\\EFI\\BOOT\\BOOTX64.EFI",
                                  .optional = FIXTURE_AUTO_CREATED};

    fixture_add_entry(host, &entry);
    assert_int_equal(fixture_run(host, "clone -y"), 0);
    expect_entry(host, &entry);
    expect_no_variable(host, "Boot0006");
    /* The next start: the firmware deletes marked entries of disks that it does not find. */
    mem_vars_bdsp(host->vars, NULL, 0);
    expect_no_variable(host, "Boot0002");
    expect_order(host, "0000,0001,000A,000B,0004,0005");
}

/* --- R5 ------------------------------------------------------------------------------------- */

/* The reference's example: the whole hard drive node of the article's target ESP. */
static void r05_whole_hard_drive_node_is_the_targets(void **state)
{
    static const uint8_t node[42] = {
        0x04, 0x01, 0x2a, 0x00, 0x01, 0x00, 0x00, 0x00, 0x22, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x60, 0x06, 0x00, 0x00, 0x00, 0x00, 0x00, 0xc5, 0x88, 0x66, 0x47,
        0xbf, 0x8e, 0xd2, 0x47, 0x80, 0xe7, 0xcf, 0x9d, 0x06, 0x5e, 0xdb, 0x81, 0x02, 0x02};
    struct host *host = *state;

    assert_int_equal(fixture_run(host, "clone -y"), 0);
    for (int i = 5; i <= 6; i++) {
        const char *name = i == 5 ? "Boot0005" : "Boot0006";
        const struct mem_var *var = mem_vars_find(host->vars, NULL, name);
        assert_non_null(var);
        /* Behind attributes, list length and description. */
        size_t at = 6 + 2 * (strlen("Windows 2003 Server, Enterprise") + 1);
        assert_memory_equal(var->data + at, node, sizeof(node));
    }
}

/* Number 2, other start and size, other block size: all from the target's table. */
static void r05_number_start_and_size_come_from_the_targets_table(void **state)
{
    struct fixture_entry clone = {.number = 4,
                                  .description = "Windows Boot Manager",
                                  .form = FIXTURE_SHORT,
                                  .partition = fixture_partition_named(MODERN_ESP_1),
                                  .file = BOOTMGFW,
                                  .optional = FIXTURE_BCD,
                                  .options = FIXTURE_BOOTMGR_OBJECT};

    assert_int_equal(fixture_run(*state, "clone -y"), 0);
    assert_int_equal(clone.partition.number, 2);
    expect_entry(*state, &clone);
}

/* --- R6 ------------------------------------------------------------------------------------- */

static void r06_new_entries_are_short_unless_full_is_asked_for(void **state)
{
    struct fixture_entry entry = {.number = 4,
                                  .description = "New",
                                  .form = FIXTURE_SHORT,
                                  .partition = fixture_partition_named(MODERN_ESP_1),
                                  .file = "\\EFI\\new.efi"};

    assert_int_equal(fixture_run(*state, "add -y " MODERN_ESP_1 " \\EFI\\new.efi -d New"), 0);
    expect_entry(*state, &entry);
    entry.number = 5;
    entry.form = FIXTURE_FULL;
    entry.file = "\\EFI\\other.efi";
    assert_int_equal(fixture_run(*state, "add -y " MODERN_ESP_1 " \\EFI\\other.efi -d New -full"),
                     0);
    expect_entry(*state, &entry);
}

/* --- R7 ------------------------------------------------------------------------------------- */

static void r07_missing_fallback_file_on_the_targets_esp_is_reported(void **state)
{
    struct host *host = *state;

    assert_int_equal(fixture_run(host, "clone -y"), 0);
    assert_null(strstr(host_console_text(host->console), "BOOTX64.EFI"));
    assert_int_equal(fixture_run(host, "undo -y"), 0);
    mem_files_drop(host->files, 1, "\\EFI\\BOOT\\BOOTX64.EFI");
    host_console_clear(host->console);
    assert_int_equal(fixture_run(host, "clone -y"), 0);
    expect_said(host, "Disk 1 Partition 1: The fallback boot file is missing");
    expect_said(host, "\\EFI\\BOOT\\BOOTX64.EFI");
}

/* --- R8 ------------------------------------------------------------------------------------- */

/* Disk 2 is a raw copy of Disk 1's table. */
static void r08_guid_on_two_disks_is_reported_and_refused(void **state)
{
    static const struct fixture_partition twin[] = {
        {2, TYPE_ESP, MODERN_ESP_1, 2048, 204800, "EFI system partition"}};
    struct host *host = *state;

    fixture_add_disk(host, DISK_AHCI, 512, 16777216, "b0b0b0b0-0001-4d01-8000-0123456789b1", twin,
                     1);
    expect_unchanged(host, "clone -y -sg " MODERN_ESP_0 " -tg " MODERN_ESP_1, 15);
    expect_said(host, "2 partitions of this machine have the GUID {" MODERN_ESP_1 "}");
    expect_unchanged(host, "add -y " MODERN_ESP_1 " \\x.efi -d New", 15);
    host_console_clear(host->console);
    (void)fixture_run(host, "disks");
    expect_said(host, "Disk 1 Partition 1: ");
    expect_said(host, "Disk 2 Partition 1: ");
}

/* --- R9 ------------------------------------------------------------------------------------- */

/*
 * That a slow command outlives the five minutes is shown in a virtual machine. Here: efi_main
 * disarms the watchdog before anything that can take time. Tests run at the top of the tree.
 */
static void r09_watchdog_is_disarmed_first(void **state)
{
    static const char *const later[] = {"uefi_connect_all(", "uefi_memory_open(", "uefi_arguments(",
                                        "with_disks("};
    static char source[65536];
    FILE *file = fopen("efi/main.c", "r");

    (void)state;
    assert_non_null(file);
    size_t size = fread(source, 1, sizeof(source) - 1, file);
    fclose(file);
    source[size] = '\0';
    const char *body = strstr(source, "efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system)\n{");
    assert_non_null(body);
    const char *watchdog = strstr(body, "SetWatchdogTimer(0, 0, 0, NULL)");
    assert_non_null(watchdog);
    for (size_t i = 0; i < COUNT_OF(later); i++) {
        const char *call = strstr(body, later[i]);
        assert_non_null(call);
        assert_true(call > watchdog);
    }
}

/* --- R10 ------------------------------------------------------------------------------------ */

static void r10_equal_entry_is_not_added_again(void **state)
{
    struct host *host = *state;

    expect_unchanged(host, "add -y " MODERN_ESP_0 " " SHIMX64 " -d \"Another name\"", 20);
    expect_said(host, "Boot0001 \"debian\" starts the same file of the same partition already.");
    /* FAT names have no case. */
    expect_unchanged(host, "add -y " MODERN_ESP_0 " \\efi\\DEBIAN\\shimx64.EFI -d New", 20);
}

static void r10_other_optional_data_makes_another_entry(void **state)
{
    struct fixture_entry entry = {.number = 4,
                                  .description = "Single",
                                  .form = FIXTURE_SHORT,
                                  .partition = fixture_partition_named(MODERN_ESP_0),
                                  .file = SHIMX64,
                                  .optional = FIXTURE_TEXT,
                                  .options = "single"};

    assert_int_equal(
        fixture_run(*state, "add -y " MODERN_ESP_0 " " SHIMX64 " -d Single -opt single"), 0);
    expect_entry(*state, &entry);
}

static void r10_entries_that_were_not_named_stay_byte_for_byte(void **state)
{
    static const char *const lines[] = {"clone -y", "delete -y Boot0006", "order -y Boot0004",
                                        "timeout -y 3", "next -y Boot0001"};
    struct host *host = *state;
    struct host *before = host_clone(host);

    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        assert_int_equal(fixture_run(host, lines[i]), 0);
        for (size_t j = 0; j < mem_vars_count(before->vars); j++) {
            const struct mem_var *old = mem_vars_at(before->vars, j);
            const struct mem_var *now = mem_vars_find(host->vars, NULL, old->name);
            if (strcmp(old->name, "BootOrder") == 0 || strcmp(old->name, "Timeout") == 0)
                continue;
            assert_non_null(now);
            assert_int_equal(now->size, old->size);
            assert_memory_equal(now->data, old->data, old->size);
        }
    }
    host_free(before);
}

/* --- R11 ------------------------------------------------------------------------------------ */

static void r11_space_is_asked_for_before_anything_is_written(void **state)
{
    struct host *host = *state;

    mem_vars_set_total(host->vars, mem_vars_used(host->vars) + 5120);
    expect_unchanged(host, "clone -y", 9);
    assert_int_equal(mem_vars_log_count(host->vars), 0);
    expect_said(host, "5,120 bytes left");
    expect_said(host, "Nothing was changed.");
}

/* What frees space is let through even when there is none. */
static void r11_full_store_can_be_relieved(void **state)
{
    struct host *host = *state;

    mem_vars_set_total(host->vars, mem_vars_used(host->vars));
    assert_int_equal(fixture_run(host, "delete -y Boot0004"), 0);
    expect_no_variable(host, "Boot0004");
}

/* --- R12 ------------------------------------------------------------------------------------ */

static bool may_be_written(const char *name)
{
    bool entry = strlen(name) == 8 && strncmp(name, "Boot", 4) == 0 &&
                 strspn(name + 4, "0123456789ABCDEF") == 4;

    return entry || strcmp(name, "BootOrder") == 0 || strcmp(name, "BootNext") == 0 ||
           strcmp(name, "Timeout") == 0;
}

static void r12_no_other_variable_is_touched(void **state)
{
    static const char *const lines[] = {
        "clone -y",          "delete -y Boot0006",
        "order -y Boot0004", "default -y 2",
        "timeout -y 3",      "next -y Boot0001",
        "next -y none",      "prune -y",
        "undo -y",           "add -y " ARTICLE_ESP_1 " \\x.efi -d New"};
    static const struct guid vendor = {{1, 2, 3}};
    struct host *host = *state;

    mem_vars_put(host->vars, &vendor, "Boot0007", 7, "foreign", 7);
    mem_vars_put(host->vars, NULL, "Key0000", 7, "0123456789", 10);
    mem_vars_put(host->vars, NULL, "PlatformLang", 7, "en", 3);
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        assert_int_equal(fixture_run(host, lines[i]), 0);
    assert_true(mem_vars_log_count(host->vars) > 10);
    for (size_t i = 0; i < mem_vars_log_count(host->vars); i++)
        assert_true(may_be_written(mem_vars_log_at(host->vars, i)->name));
    const struct mem_var *foreign = mem_vars_find(host->vars, &vendor, "Boot0007");
    assert_non_null(foreign);
    assert_memory_equal(foreign->data, "foreign", 7);
    assert_int_equal(mem_vars_find(host->vars, NULL, "Key0000")->size, 10);
    assert_int_equal(mem_vars_find(host->vars, NULL, "PlatformLang")->size, 3);
}

/* Timeout and BootNext only on request. */
static void r12_timeout_and_boot_next_stay_unless_asked_for(void **state)
{
    struct host *host = *state;

    fixture_set_u16(host, "BootNext", 1);
    assert_int_equal(fixture_run(host, "clone -y"), 0);
    assert_int_equal(fixture_run(host, "order -y Boot0004"), 0);
    for (size_t i = 0; i < mem_vars_log_count(host->vars); i++) {
        assert_string_not_equal(mem_vars_log_at(host->vars, i)->name, "BootNext");
        assert_string_not_equal(mem_vars_log_at(host->vars, i)->name, "Timeout");
    }
}

/* --- R13 ------------------------------------------------------------------------------------ */

/* What the commands print with the firmware's disks in the order `order`. */
static char *print_all(struct host *host, const size_t *order)
{
    static const char *const lines[] = {"disks", "entries", "clone -n", "bootcfg", "disks -sfo"};
    struct ports ports = *host_ports(host);
    struct block_port disks[HOST_MAX_DISKS];

    for (size_t i = 0; i < ports.disk_count; i++)
        disks[i] = host->ports.disks[order[i]];
    ports.disks = disks;
    host_console_clear(host->console);
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        (void)fixture_run_ports(&ports, lines[i]);
    return strdup(host_console_text(host->console));
}

static void r13_numbers_do_not_depend_on_the_order_of_handles(void **state)
{
    static const size_t orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                       {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    struct host *host = *state;

    fixture_add_stick(host);
    char *expected = print_all(host, orders[0]);
    assert_non_null(strstr(expected, "Disk 2: "));
    for (size_t i = 1; i < COUNT_OF(orders); i++) {
        char *got = print_all(host, orders[i]);
        assert_string_equal(got, expected);
        free(got);
    }
    free(expected);
}

/* --- R14 ------------------------------------------------------------------------------------ */

/* From the boot manager an error moves on to the next entry, success opens the firmware's menu. */
static void r14_exit_status_is_that_of_a_plain_uefi_status(void **state)
{
    struct host *host = *state;

    expect_unchanged(host, "entries", 0);
    expect_unchanged(host, "clone -n", 0);
    expect_unchanged(host, "clone -sg nonsense", 2);                                /* invalid */
    expect_unchanged(host, "delete -y Boot0077", 14);                               /* not found */
    expect_unchanged(host, "clone -y -sg " ARTICLE_ESP_0 " -tg " ARTICLE_ESP_0, 2); /* invalid */
    expect_unchanged(host, "clone", 15); /* no keyboard: access denied */
    host_console_answer(host->console, "n");
    host_console_clear(host->console);
    assert_int_equal(fixture_run(host, "clone"), 21); /* aborted */
    assert_int_equal(mem_vars_changes(host->vars), 0);
    mem_vars_set_read_only(host->vars, true);
    expect_unchanged(host, "clone -y", 8); /* write protected */
}

#define ARTICLE(test) \
    cmocka_unit_test_setup_teardown(test, machine_set_up_article, machine_tear_down)
#define MODERN(test) cmocka_unit_test_setup_teardown(test, machine_set_up_modern, machine_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARTICLE(r01_new_entry_is_in_boot_order),
        MODERN(r01_inactive_clone_is_in_boot_order),
        ARTICLE(r02_new_number_is_used_and_named_by_nothing),
        ARTICLE(r02_number_that_boot_order_names_is_not_taken),
        ARTICLE(r03_names_have_four_upper_case_digits_and_attributes_are_seven),
        ARTICLE(r03_entries_are_written_before_boot_order),
        ARTICLE(r03_boot_order_is_written_before_an_entry_is_deleted),
        ARTICLE(r03_what_was_written_is_read_back),
        MODERN(r04_mark_of_the_firmware_is_not_cloned),
        ARTICLE(r05_whole_hard_drive_node_is_the_targets),
        MODERN(r05_number_start_and_size_come_from_the_targets_table),
        MODERN(r06_new_entries_are_short_unless_full_is_asked_for),
        MODERN(r07_missing_fallback_file_on_the_targets_esp_is_reported),
        MODERN(r08_guid_on_two_disks_is_reported_and_refused),
        cmocka_unit_test(r09_watchdog_is_disarmed_first),
        MODERN(r10_equal_entry_is_not_added_again),
        MODERN(r10_other_optional_data_makes_another_entry),
        ARTICLE(r10_entries_that_were_not_named_stay_byte_for_byte),
        ARTICLE(r11_space_is_asked_for_before_anything_is_written),
        ARTICLE(r11_full_store_can_be_relieved),
        ARTICLE(r12_no_other_variable_is_touched),
        ARTICLE(r12_timeout_and_boot_next_stay_unless_asked_for),
        MODERN(r13_numbers_do_not_depend_on_the_order_of_handles),
        ARTICLE(r14_exit_status_is_that_of_a_plain_uefi_status),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
