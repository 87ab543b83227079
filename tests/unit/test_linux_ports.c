/* Folders and variables of Linux as ports: over folders that a test makes. */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "host/mem_files.h"
#include "linux/console.h"
#include "linux/efivars.h"
#include "linux/folders.h"
#include "unit/skip_fixture.h"

#define GLOBAL "8be4df61-93ca-11d2-aa0d-00e098032b8c"

static const uint8_t disk_path[] = {0x01, 0x01, 0x06, 0x00, 0x00, 0x02, 0x7f, 0xff, 0x04, 0x00};

struct bench {
    char folder[64];
    struct mem_files *disks;
    struct linux_folders folders;
    struct files_port port;
};

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));

    snprintf(bench->folder, sizeof(bench->folder), "/tmp/shadowboot-ports-XXXXXX");
    assert_non_null(mkdtemp(bench->folder));
    bench->disks = mem_files_new();
    mem_files_add_volume(bench->disks, span_of(disk_path, sizeof(disk_path)), "FS0:", 0);
    mem_files_put(bench->disks, 0, "\\on-disk", "abc", 3);
    struct files_port behind = mem_files_port(bench->disks);
    linux_folders_open(&behind, bench->folder, &bench->folders);
    bench->port = bench->folders.port;
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    char command[128];

    snprintf(command, sizeof(command), "rm -rf %s", bench->folder);
    assert_int_equal(system(command), 0);
    mem_files_free(bench->disks);
    free(bench);
    return 0;
}

/* The content of a file below the folder; "" when it is not there. */
static const char *content(const struct bench *bench, const char *name)
{
    static char text[256];
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", bench->folder, name);
    text[0] = 0;
    FILE *from = fopen(path, "r");
    if (from == NULL)
        return text;
    text[fread(text, 1, sizeof(text) - 1, from)] = 0;
    fclose(from);
    return text;
}

static void the_journal_is_the_volume_the_program_comes_from(void **state)
{
    struct bench *bench = *state;
    const struct files_port *port = &bench->port;

    assert_int_equal(port->volume_count, 3);
    assert_string_equal(port->volumes[port->self].alias, "JOURNAL:");
    assert_string_equal(port->volumes[port->current].alias, "");
    assert_string_equal(port->volumes[2].alias, "FS0:");
    assert_false(span_equal(port->volumes[0].path, port->volumes[1].path));
    assert_true(port->volumes[port->self].free > 0);
}

static void without_a_journal_there_is_no_such_volume(void **state)
{
    struct bench *bench = *state;
    struct files_port behind = mem_files_port(bench->disks);

    linux_folders_open(&behind, NULL, &bench->folders);
    assert_int_equal(bench->folders.port.self, FILES_NO_VOLUME);
    assert_int_equal(bench->folders.port.volume_count, 2);
    assert_string_equal(bench->folders.port.volumes[1].alias, "FS0:");
}

static void files_are_written_with_the_folders_on_the_way(void **state)
{
    struct bench *bench = *state;
    struct files_port *port = &bench->port;
    struct file_info info;
    char back[8];
    size_t got = 0;

    assert_int_equal(port->stat(port->ctx, 0, "\\EFI\\a\\b", &info), ST_ABSENT);
    assert_int_equal(port->write(port->ctx, 0, "\\EFI\\a\\b", FILE_APPEND, "x", 1), ST_ABSENT);
    assert_int_equal(port->write(port->ctx, 0, "\\EFI\\a\\b", FILE_CREATE, "first", 5), ST_OK);
    assert_string_equal(content(bench, "EFI/a/b"), "first");
    assert_int_equal(port->write(port->ctx, 0, "\\EFI\\a\\b", FILE_CREATE, "x", 1), ST_EXISTS);
    assert_int_equal(port->write(port->ctx, 0, "\\EFI\\a\\b", FILE_APPEND, "+", 1), ST_OK);
    assert_string_equal(content(bench, "EFI/a/b"), "first+");
    assert_int_equal(port->stat(port->ctx, 0, "\\EFI\\a\\b", &info), ST_OK);
    assert_string_equal(info.name, "b");
    assert_int_equal(info.size, 6);
    assert_int_equal(port->read(port->ctx, 0, "\\EFI\\a\\b", 4, back, sizeof(back), &got), ST_OK);
    assert_int_equal(got, 2);
    assert_memory_equal(back, "t+", 2);
    assert_int_equal(port->write(port->ctx, 0, "\\EFI\\a\\b", FILE_REPLACE, "new", 3), ST_OK);
    assert_string_equal(content(bench, "EFI/a/b"), "new");
    assert_int_equal(port->remove(port->ctx, 0, "\\EFI\\a\\b"), ST_OK);
    assert_int_equal(port->remove(port->ctx, 0, "\\EFI\\a\\b"), ST_ABSENT);
}

static void a_folder_lists_its_files_in_one_sequence(void **state)
{
    struct bench *bench = *state;
    struct files_port *port = &bench->port;
    struct file_info info;

    assert_int_equal(port->write(port->ctx, 0, "\\d\\two", FILE_CREATE, "", 0), ST_OK);
    assert_int_equal(port->write(port->ctx, 0, "\\d\\one\\x", FILE_CREATE, "", 0), ST_OK);
    assert_int_equal(port->list(port->ctx, 0, "\\d", 0, &info), ST_OK);
    assert_string_equal(info.name, "one");
    assert_true(info.is_directory);
    assert_int_equal(port->list(port->ctx, 0, "\\d", 1, &info), ST_OK);
    assert_string_equal(info.name, "two");
    assert_int_equal(port->list(port->ctx, 0, "\\d", 2, &info), ST_ABSENT);
    assert_int_equal(port->list(port->ctx, 0, "\\none", 0, &info), ST_ABSENT);
}

static void a_full_file_system_is_no_space(void **state)
{
    struct bench *bench = *state;
    struct files_port *port = &bench->port;
    struct file_info info;

    if (access("/dev/full", W_OK) != 0)
        SKIP_BECAUSE("/dev/full is not there");
    assert_int_equal(port->write(port->ctx, port->current, "\\dev\\full", FILE_REPLACE, "x", 1),
                     ST_NO_SPACE);
    assert_int_equal(port->stat(port->ctx, port->current, "\\dev", &info), ST_OK);
    assert_true(info.is_directory);
}

static void volumes_behind_are_reached_by_their_places(void **state)
{
    struct bench *bench = *state;
    struct files_port *port = &bench->port;
    struct file_info info;
    char back[8];
    size_t got = 0;

    assert_int_equal(port->read(port->ctx, 2, "\\on-disk", 0, back, sizeof(back), &got), ST_OK);
    assert_int_equal(got, 3);
    assert_int_equal(port->list(port->ctx, 2, "\\", 0, &info), ST_OK);
    assert_string_equal(info.name, "on-disk");
    struct span whole = span_of(disk_path, sizeof(disk_path));
    assert_int_equal(port->release(port->ctx, whole), ST_OK);
    assert_int_equal(port->stat(port->ctx, 2, "\\on-disk", &info), ST_ABSENT);
    assert_int_equal(port->renew(port->ctx, port), ST_OK);
    assert_int_equal(port->volume_count, 3);
    assert_int_equal(port->self, 0);
    assert_int_equal(port->stat(port->ctx, 2, "\\on-disk", &info), ST_OK);
}

/* --- Variables ------------------------------------------------------------------------------- */

static void put_file(const struct bench *bench, const char *name, const void *data, size_t size)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", bench->folder, name);
    FILE *to = fopen(path, "w");
    fwrite(data, 1, size, to);
    fclose(to);
}

static void a_variable_is_a_file_with_its_attributes_first(void **state)
{
    struct bench *bench = *state;
    struct linux_efivars vars;
    struct vars_port port = linux_efivars_open(bench->folder, false, &vars);
    uint32_t attributes = 0;
    uint8_t data[8];
    size_t size = 0;

    put_file(bench, "BootOrder-" GLOBAL, "\x07\0\0\0\x01\0\x02\0", 8);
    assert_int_equal(port.get(port.ctx, NULL, "BootOrder", &attributes, NULL, 0, &size),
                     ST_TOO_SMALL);
    assert_int_equal(size, 4);
    assert_int_equal(port.get(port.ctx, NULL, "BootOrder", &attributes, data, sizeof(data), &size),
                     ST_OK);
    assert_int_equal(attributes, VAR_BOOT_OPTION);
    assert_memory_equal(data, "\x01\0\x02\0", 4);
    assert_int_equal(port.get(port.ctx, NULL, "BootNext", &attributes, data, 8, &size), ST_ABSENT);
    put_file(bench, "Timeout-" GLOBAL, "\x07\0\0", 3);
    assert_int_equal(port.get(port.ctx, NULL, "Timeout", &attributes, data, 8, &size), ST_IO);
    assert_int_equal(port.set(port.ctx, NULL, "BootOrder", 7, "\0", 2), ST_READ_ONLY);
    linux_efivars_close(&vars);
}

static void a_walk_names_each_variable_once(void **state)
{
    struct bench *bench = *state;
    struct linux_efivars vars;
    struct vars_port port = linux_efivars_open(bench->folder, false, &vars);
    struct var_id id;
    bool order = false;
    bool dashed = false;

    put_file(bench, "BootOrder-" GLOBAL, "\x07\0\0\0", 4);
    put_file(bench, "a-b-9c0a2b1d-0000-4000-8000-000000000001", "\x07\0\0\0", 4);
    put_file(bench, "no variable", "", 0);
    for (int turn = 0; turn < 2; turn++) { /* from the start again */
        size_t count = 0;
        enum status status = port.next(port.ctx, true, &id);
        for (; status == ST_OK; status = port.next(port.ctx, false, &id)) {
            order = order || strcmp(id.name, "BootOrder") == 0;
            dashed = dashed || strcmp(id.name, "a-b") == 0;
            count++;
        }
        assert_int_equal(status, ST_ABSENT);
        assert_int_equal(count, 2);
    }
    assert_true(order && dashed);
    linux_efivars_close(&vars);
}

static void a_variable_is_set_in_one_piece_and_deleted(void **state)
{
    struct bench *bench = *state;
    struct linux_efivars vars;
    struct vars_port port = linux_efivars_open(bench->folder, true, &vars);

    assert_int_equal(port.set(port.ctx, NULL, "Boot0001", 7, "abcdef", 6), ST_OK);
    assert_int_equal(port.set(port.ctx, NULL, "Boot0001", 7, "AB", 2), ST_OK);
    FILE *from = NULL;
    char path[128];
    char data[16];
    snprintf(path, sizeof(path), "%s/Boot0001-" GLOBAL, bench->folder);
    from = fopen(path, "r");
    assert_int_equal(fread(data, 1, sizeof(data), from), 6); /* nothing of the longer one is left */
    fclose(from);
    assert_memory_equal(data, "\x07\0\0\0AB", 6);
    assert_int_equal(port.set(port.ctx, NULL, "Boot0001", 7, NULL, 0), ST_OK);
    assert_int_equal(port.set(port.ctx, NULL, "Boot0001", 7, NULL, 0), ST_ABSENT);
    linux_efivars_close(&vars);
}

static void disks_without_their_machine_have_no_variables(void **state)
{
    struct vars_port port = linux_efivars_none();
    struct var_id id;
    uint32_t attributes = 0;
    size_t size = 0;

    (void)state;
    assert_int_equal(port.next(port.ctx, true, &id), ST_UNSUPPORTED);
    assert_int_equal(port.get(port.ctx, NULL, "BootOrder", &attributes, NULL, 0, &size), ST_ABSENT);
    assert_int_equal(port.set(port.ctx, NULL, "BootOrder", 7, "\0", 2), ST_READ_ONLY);
    assert_int_equal(port.get(port.ctx, NULL, "SecureBoot", &attributes, NULL, 0, &size),
                     ST_UNSUPPORTED);
}

static void a_copy_without_secure_boot_does_not_say_there_is_none(void **state)
{
    struct bench *bench = *state;
    struct linux_efivars vars;
    struct vars_port port = linux_efivars_open(bench->folder, true, &vars);
    uint32_t attributes = 0;
    size_t size = 0;

    assert_int_equal(port.get(port.ctx, NULL, "SecureBoot", &attributes, NULL, 0, &size),
                     ST_UNSUPPORTED);
    assert_int_equal(port.get(port.ctx, NULL, "BootNext", &attributes, NULL, 0, &size), ST_ABSENT);
    linux_efivars_close(&vars);
}

static void a_copy_that_lacks_lists_of_secure_boot_does_not_say_there_are_none(void **state)
{
    static const struct guid lists = GUID_INIT(0xd719b2cb, 0x3d3a, 0x4596, 0xa3bc, 0xdad00e67656f);
    struct bench *bench = *state;
    struct linux_efivars vars;
    struct vars_port port = linux_efivars_open(bench->folder, true, &vars);
    uint32_t attributes = 0;
    size_t size = 0;

    for (char on = 0; on <= 1; on++) {
        enum status wanted = on == 1 ? ST_UNSUPPORTED : ST_ABSENT;
        assert_int_equal(port.set(port.ctx, NULL, "SecureBoot", 6, &on, 1), ST_OK);
        assert_int_equal(port.get(port.ctx, &lists, "db", &attributes, NULL, 0, &size), wanted);
        assert_int_equal(port.get(port.ctx, &lists, "dbx", &attributes, NULL, 0, &size), wanted);
        assert_int_equal(port.get(port.ctx, &lists, "dbt", &attributes, NULL, 0, &size), ST_ABSENT);
    }
    linux_efivars_close(&vars);
}

/* ---- the console ---- */

static void set_signals(void (*handler)(int))
{
    static const int all[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        assert_true(signal(all[i], handler) != SIG_ERR);
}

static void signals_that_end_programs_are_a_wish_to_stop(void **state)
{
    static const int wishes[] = {SIGINT, SIGTERM, SIGHUP};
    struct linux_console console;

    (void)state;
    set_signals(SIG_DFL);
    linux_console_open(&console);
    struct console_port port = linux_console_port(&console);
    for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
        assert_false(port.break_requested(port.ctx));
        assert_int_equal(raise(wishes[i]), 0);
        assert_true(port.break_requested(port.ctx));
        assert_false(port.break_requested(port.ctx));
    }
    set_signals(SIG_DFL);
}

static void output_that_nobody_reads_stops_nothing(void **state)
{
    struct linux_console console;

    (void)state;
    set_signals(SIG_DFL);
    linux_console_open(&console);
    struct console_port port = linux_console_port(&console);
    assert_int_equal(raise(SIGPIPE), 0);
    assert_false(port.break_requested(port.ctx));
    set_signals(SIG_DFL);
}

static void a_signal_that_was_ignored_stays_ignored(void **state)
{
    struct linux_console console;

    (void)state;
    set_signals(SIG_IGN);
    linux_console_open(&console);
    struct console_port port = linux_console_port(&console);
    assert_int_equal(raise(SIGHUP), 0);
    assert_false(port.break_requested(port.ctx));
    set_signals(SIG_DFL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_journal_is_the_volume_the_program_comes_from, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(without_a_journal_there_is_no_such_volume, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(files_are_written_with_the_folders_on_the_way, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_folder_lists_its_files_in_one_sequence, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_full_file_system_is_no_space, set_up, tear_down),
        cmocka_unit_test_setup_teardown(volumes_behind_are_reached_by_their_places, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_variable_is_a_file_with_its_attributes_first, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_walk_names_each_variable_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_variable_is_set_in_one_piece_and_deleted, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(disks_without_their_machine_have_no_variables, set_up,
                                        tear_down),
        cmocka_unit_test(signals_that_end_programs_are_a_wish_to_stop),
        cmocka_unit_test(output_that_nobody_reads_stops_nothing),
        cmocka_unit_test(a_signal_that_was_ignored_stays_ignored),
        cmocka_unit_test_setup_teardown(a_copy_without_secure_boot_does_not_say_there_is_none,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_copy_that_lacks_lists_of_secure_boot_does_not_say_there_are_none, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
