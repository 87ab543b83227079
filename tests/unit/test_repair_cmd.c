/* `copy` and `repair` as commands, on a machine whose files lie on its disks: what was broken
 * starts again, and a second run has nothing to do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "host/fault.h"
#include "unit/line_fixture.h"
#include "unit/scan_fixture.h"

#define MANAGER  "\\EFI\\Microsoft\\Boot\\bootmgfw.efi"
#define STORE    "\\EFI\\Microsoft\\Boot\\BCD"
#define FALLBACK "\\EFI\\BOOT\\BOOTX64.EFI"

/* I5, and that all is well. */
static void expect_healthy(struct host *host, const char *line)
{
    uint64_t changes = mem_vars_changes(host->vars);

    run_to(host, line, 0);
    expect_said(host, "Nothing to do");
    assert_int_equal(mem_vars_changes(host->vars), changes);
    run_to(host, "status", 0);
}

static void same_file(struct host *host, const char *path)
{
    size_t sizes[2] = {0, 0};
    uint8_t *own = disk_machine_file(host, 0, path, &sizes[0]);
    uint8_t *other = disk_machine_file(host, 1, path, &sizes[1]);

    assert_non_null(own);
    assert_non_null(other);
    assert_int_equal(sizes[0], sizes[1]);
    assert_memory_equal(own, other, sizes[0]);
    free(own);
    free(other);
}

/* Disk 0 has table, ESP, MSR and files. */
static void expect_prepared(struct host *host)
{
    run_to(host, "disks 0", 0);
    expect_said(host, "EFI system");
    expect_said(host, "Microsoft reserved");
    same_file(host, MANAGER);
    same_file(host, STORE);
    same_file(host, FALLBACK);
}

static void break_nothing(struct host *host)
{
    (void)host;
}

static void drop_folder(struct host *host)
{
    disk_machine_delete(host, 1, "\\EFI\\Microsoft");
}

static void drop_entry(struct host *host)
{
    disk_machine_drop_entry(host, 1);
}

static void truncate_manager(struct host *host)
{
    disk_machine_truncate(host, 1, MANAGER, 5000);
}

static void zero_manager_of_the_primary(struct host *host)
{
    disk_machine_zero_file(host, 0, MANAGER);
}

static void zero_store(struct host *host)
{
    disk_machine_zero_file(host, 1, STORE);
}

static void break_both(struct host *host)
{
    disk_machine_zero_file(host, 0, STORE);
    disk_machine_zero_file(host, 1, FALLBACK);
}

static void break_backup_table(struct host *host)
{
    disk_machine_break_gpt(host, 1, BACKUP);
}

static void zero_boot_sector(struct host *host)
{
    disk_machine_zero_boot_sector(host, 1);
}

static void zero_fats_of_the_primary(struct host *host)
{
    disk_machine_zero_fats(host, 0);
}

static void break_chain(struct host *host)
{
    disk_machine_break_fat(host, 1, MANAGER);
}

static void drop_esp(struct host *host)
{
    disk_machine_drop_partition(host, 1, PART_ESP);
}

static void drop_esp_and_entry(struct host *host)
{
    drop_esp(host);
    drop_entry(host);
}

static void repair_mends_what_can_be_mended(void **state)
{
    static void (*const damages[])(struct host *) = {
        break_nothing,    drop_folder,        drop_entry,
        truncate_manager, zero_store,         zero_manager_of_the_primary,
        break_both,       drop_esp,           break_backup_table,
        zero_boot_sector, drop_esp_and_entry, zero_fats_of_the_primary,
    };

    (void)state;
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        struct disk_machine_shape shape = disk_machine_usual();
        struct host *host = disk_machine_new(&shape);
        damages[i](host);
        run_to(host, "repair -y -format", 0);
        expect_said(host, "starts from each of its boot disks alone");
        expect_healthy(host, "repair -y -format");
        host_free(host);
    }
}

/* Its own boot manager is lost and the removable-media file is not (I1). */
static void esp_in_use_is_formatted_by_prepare_alone(void **state)
{
    struct host *host = *state;

    break_chain(host);
    run_to(host, "repair -y -format", 64);
    expect_said(host, "\"shadowboot prepare 1\" makes the file system anew");
    expect_said(host, "what is to be done cannot be done");
    run_to(host, "prepare 1 -y -format", 0);
    expect_said(host, "While it is formatted Disk 1 does not start");
    expect_healthy(host, "repair -y");
}

static void last_disk_that_starts_is_not_formatted(void **state)
{
    struct host *host = *state;

    break_chain(host);
    disk_machine_delete(host, 0, "\\EFI\\Microsoft\\Boot\\BCD");
    disk_machine_delete(host, 0, FALLBACK);
    run_to(host, "prepare 1 -y -format", 15);
    expect_said(host, "the only one this machine starts from");
    expect_said(host, "Nothing was changed.");
}

/* A replacement for a primary that has died, as KB 814070 prepares it by hand. */
static void blank_disk_becomes_the_primary_again(void **state)
{
    struct host *host = *state;
    struct host *blank = NULL;

    disk_machine_blank(host, 0);
    blank = host_clone(host);
    run_to(host, "status", 68);
    run_to(host, "prepare 0 -y", 15); /* formatting is agreed to by itself */
    run_to(host, "prepare 0 -y -format", 0);
    expect_said(host, "make a partition table (GPT) on Disk 0 with ESP 4 MiB and MSR 8 MiB");
    expect_said(host, "create Boot0002 \"Boot Mirror\" from Boot0001, to start from Disk 0");
    expect_said(host, "Starts from Disk 1 alone: yes");
    expect_prepared(host);
    uint64_t changes = mem_vars_changes(host->vars);
    run_to(host, "prepare 0 -y -format", 0);
    expect_said(host, "Nothing to do");
    assert_int_equal(mem_vars_changes(host->vars), changes);
    run_to(host, "undo -y", 0);
    /* The blocks of the file system count as free, and nothing shows them any more. */
    assert_true(mem_block_difference(host->disks[0], blank->disks[0], 0) >= 2048);
    assert_int_equal(mem_block_difference(host->disks[0], blank->disks[0], 2048 + 8192),
                     UINT64_MAX);
    assert_int_equal(mem_block_difference(host->disks[1], blank->disks[1], 0), UINT64_MAX);
    assert_true(mem_vars_equal(host->vars, blank->vars));
    run_to(host, "disks 0", 0);
    expect_said(host, "no partition table");
    run_to(host, "prepare 0 -y -format", 0);
    expect_prepared(host);
    host_free(blank);
}

static void msr_is_given_up_where_that_is_agreed_to_by_itself(void **state)
{
    static const char question[] = "Give up the Microsoft reserved partition for this?";
    struct disk_machine_shape shape = disk_machine_usual();

    (void)state;
    shape.free_mib = 0;
    struct host *host = disk_machine_new(&shape);
    line_leave_no_room(host);
    run_to(host, "prepare 1 -y -format", 15);
    expect_said(host, "give -msr to allow that");
    host_console_answer(host->console, "n");
    run_to(host, "prepare 1 -format", 21);
    expect_said(host, question);
    host_console_answer(host->console, "y"); /* to this, and not to the plan as a whole */
    host_console_answer(host->console, "n");
    run_to(host, "prepare 1 -format", 21);
    expect_said(host, question);
    assert_int_equal(host_console_answers_left(host->console), 0);
    run_to(host, "prepare 1 -y -format -msr", 0);
    assert_null(strstr(host_console_text(host->console), question));
    host_free(host);
}

static void repair_without_leave_to_format_does_the_rest(void **state)
{
    struct host *host = *state;

    zero_boot_sector(host);
    break_backup_table(host);
    run_to(host, "repair -y", 65);
    expect_said(host, "give -format");
    expect_said(host, "write the partition table (GPT) of Disk 1 anew");
    run_to(host, "repair -y -format", 0);
    expect_healthy(host, "repair -y");
}

static void repair_shows_the_verdict_and_changes_nothing_under_n(void **state)
{
    struct host *host = *state;
    uint64_t changes = mem_vars_changes(host->vars);
    size_t size = 0;

    drop_folder(host);
    run_to(host, "repair -n", 65);
    expect_said(host, "6 files");
    expect_said(host,
                "After this: Disk 0 alone: yes, by Boot0000; Disk 1 alone: yes, by Boot0001.");
    expect_said(host, "Starts from Disk 1 alone: no");
    assert_int_equal(mem_vars_changes(host->vars), changes);
    assert_null(disk_machine_file(host, 1, MANAGER, &size));
}

/* The change stands, and so does its journal. */
static void change_whose_journal_could_not_be_closed_is_taken_back(void **state)
{
    struct host *host = *state;
    size_t size = 0;

    drop_folder(host);
    struct host *other = host_clone(host);
    struct fault *fault = fault_new(host_ports(other));
    assert_int_equal(fixture_run_in(fault_ports(fault), "repair -y", LINE_MEMORY), 0);
    uint64_t last = fault_calls(fault, FAULT_FILE_WRITE);
    fault_free(fault);
    host_free(other);
    fault = fault_new(host_ports(host));
    fault_fail(fault, FAULT_FILE_WRITE, last, ST_IO, false);
    host_console_clear(host->console);
    assert_int_equal(fixture_run_in(fault_ports(fault), "repair -y", LINE_MEMORY), 0);
    expect_said(host, "The journal could not be closed");
    fault_free(fault);
    disk_machine_restart(host);
    run_to(host, "undo -y", 0);
    assert_null(disk_machine_file(host, 1, MANAGER, &size));
    run_to(host, "status", 65);
}

/* Nothing more is done on a disk that does not keep what is written to it. */
static void disk_that_loses_a_write_while_taking_back_ends_the_command(void **state)
{
    struct host *host = *state;

    drop_folder(host);
    struct host *other = host_clone(host);
    struct fault *fault = fault_new(host_ports(other));
    assert_int_equal(fixture_run_in(fault_ports(fault), "repair -y", LINE_MEMORY), 0);
    uint64_t last = fault_calls(fault, FAULT_BLOCK_WRITE);
    fault_free(fault);
    host_free(other);
    fault = fault_new(host_ports(host));
    fault_fail(fault, FAULT_BLOCK_WRITE, last, ST_IO, true);
    assert_int_not_equal(fixture_run_in(fault_ports(fault), "repair -y", LINE_MEMORY), 0);
    fault_free(fault);
    disk_machine_restart(host);
    fault = fault_new(host_ports(host));
    fault_fail(fault, FAULT_BLOCK_WRITE, 1, ST_OK, true);
    host_console_clear(host->console);
    unsigned code = fixture_run_in(fault_ports(fault), "repair -y", LINE_MEMORY);
    expect_said(host, "This is taken back first.");
    assert_true(fault_tripped(fault));
    fault_free(fault);
    assert_int_not_equal(code, 0);
    run_to(host, "repair -y", 0);
    expect_said(host, "This is taken back first.");
    expect_healthy(host, "repair -y");
}

static void copy_brings_what_is_missing(void **state)
{
    struct host *host = *state;
    size_t size = 0;

    drop_folder(host);
    run_to(host, "copy -y", 0);
    expect_said(host, "bring ");
    uint8_t *manager = disk_machine_file(host, 1, MANAGER, &size);
    size_t own_size = 0;
    uint8_t *own = disk_machine_file(host, 0, MANAGER, &own_size);
    assert_non_null(manager);
    assert_int_equal(size, own_size);
    assert_memory_equal(manager, own, size);
    free(manager);
    free(own);
    expect_healthy(host, "copy -y");
}

static void copy_takes_slashes_and_single_files(void **state)
{
    struct host *host = *state;

    truncate_manager(host);
    disk_machine_delete(host, 1, FALLBACK);
    run_to(host, "copy -y EFI/Microsoft/Boot/bootmgfw.efi", 0);
    expect_said(host, "bring 1 file");
    run_to(host, "copy -y /", 0);
    expect_said(host, FALLBACK);
    expect_healthy(host, "copy -y /");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(repair_mends_what_can_be_mended),
        LINE_TEST(esp_in_use_is_formatted_by_prepare_alone),
        LINE_TEST(last_disk_that_starts_is_not_formatted),
        LINE_TEST(blank_disk_becomes_the_primary_again),
        cmocka_unit_test(msr_is_given_up_where_that_is_agreed_to_by_itself),
        LINE_TEST(repair_without_leave_to_format_does_the_rest),
        LINE_TEST(repair_shows_the_verdict_and_changes_nothing_under_n),
        LINE_TEST(change_whose_journal_could_not_be_closed_is_taken_back),
        LINE_TEST(disk_that_loses_a_write_while_taking_back_ends_the_command),
        LINE_TEST(copy_brings_what_is_missing),
        LINE_TEST(copy_takes_slashes_and_single_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
