/* Folders of Linux as ports, over such as a test makes; and what there is instead of firmware. */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <cmocka.h>

#include "host/mem_files.h"
#include "linux/console.h"
#include "linux/folders.h"
#include "linux/start.h"
#include "unit/skip_fixture.h"

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

/* True where nobody can make files, root included. */
static bool has_sysfs(void)
{
    struct statfs info;

    return statfs("/sys", &info) == 0 && info.f_type == SYSFS_MAGIC;
}

static void a_folder_that_takes_no_files_is_read_only(void **state)
{
    struct bench *bench = *state;
    struct files_port *port = &bench->port;

    if (!has_sysfs())
        SKIP_BECAUSE("/sys is not there");
    assert_int_equal(
        port->write(port->ctx, port->current, "\\sys\\shadowboot", FILE_CREATE, "x", 1),
        ST_READ_ONLY);
    assert_int_equal(
        port->write(port->ctx, port->current, "\\sys\\shadowboot\\a", FILE_CREATE, "x", 1),
        ST_READ_ONLY);
}

/* What cannot be synced is nowhere after a power cut. */
static void a_device_that_keeps_nothing_is_no_place_for_a_file(void **state)
{
    struct bench *bench = *state;
    struct files_port *port = &bench->port;

    assert_int_equal(port->write(port->ctx, port->current, "\\dev\\null", FILE_REPLACE, "x", 1),
                     ST_IO);
}

static void a_name_that_no_folder_can_hold_is_refused_or_not_there(void **state)
{
    struct bench *bench = *state;
    struct files_port *port = &bench->port;
    struct file_info info;
    char path[PATH_MAX + 2] = "\\";
    char back[8];
    size_t got = 0;

    for (size_t length = 256; length <= PATH_MAX; length += PATH_MAX - 256) {
        memset(path + 1, 'n', length);
        path[1 + length] = 0;
        assert_int_equal(port->write(port->ctx, 0, path, FILE_CREATE, "x", 1), ST_REFUSED);
        assert_int_equal(port->remove(port->ctx, 0, path), ST_ABSENT);
    }
    assert_int_equal(port->stat(port->ctx, 0, path, &info), ST_ABSENT);
    assert_int_equal(port->list(port->ctx, 0, path, 0, &info), ST_ABSENT);
    assert_int_equal(port->read(port->ctx, 0, path, 0, back, sizeof(back), &got), ST_ABSENT);
}

static void a_folder_is_no_file(void **state)
{
    struct bench *bench = *state;
    struct files_port *port = &bench->port;
    char back[8];
    size_t got = 0;

    assert_int_equal(port->write(port->ctx, 0, "\\d\\file", FILE_CREATE, "abc", 3), ST_OK);
    assert_int_equal(port->write(port->ctx, 0, "\\d", FILE_REPLACE, "x", 1), ST_REFUSED);
    assert_int_equal(port->read(port->ctx, 0, "\\d", 0, back, sizeof(back), &got), ST_IO);
    assert_int_equal(port->read(port->ctx, 0, "\\e", 0, back, sizeof(back), &got), ST_ABSENT);
    assert_int_equal(port->remove(port->ctx, 0, "\\d"), ST_ABSENT);
    /* Nor is a file a folder. */
    assert_int_not_equal(port->write(port->ctx, 0, "\\d\\file\\a\\b", FILE_CREATE, "x", 1), ST_OK);
    assert_string_equal(content(bench, "d/file"), "abc");
}

/* Something is there, and nobody knows what: that is not the same as nothing. */
static void what_leads_round_in_a_circle_is_trouble(void **state)
{
    struct bench *bench = *state;
    struct files_port *port = &bench->port;
    struct file_info info;
    char name[128];
    char back[8];
    size_t got = 0;

    snprintf(name, sizeof(name), "%s/circle", bench->folder);
    assert_int_equal(symlink("circle", name), 0);
    assert_int_equal(port->stat(port->ctx, 0, "\\circle", &info), ST_IO);
    assert_int_equal(port->list(port->ctx, 0, "\\circle", 0, &info), ST_IO);
    assert_int_equal(port->read(port->ctx, 0, "\\circle", 0, back, sizeof(back), &got), ST_IO);
    assert_int_equal(port->write(port->ctx, 0, "\\circle\\a", FILE_CREATE, "x", 1), ST_IO);
}

static enum status renew_in_vain(void *ctx, struct files_port *io_port)
{
    (void)ctx;
    (void)io_port;
    return ST_NO_MEMORY;
}

static void files_on_volumes_behind_are_written_and_removed_there(void **state)
{
    struct bench *bench = *state;
    struct files_port *port = &bench->port;

    assert_int_equal(port->write(port->ctx, 2, "\\new", FILE_CREATE, "abcd", 4), ST_OK);
    assert_int_equal(mem_files_find(bench->disks, 0, "\\new").size, 4);
    assert_int_equal(port->remove(port->ctx, 2, "\\new"), ST_OK);
    assert_null(mem_files_find(bench->disks, 0, "\\new").at);
    assert_string_equal(content(bench, "new"), "");
    bench->folders.behind.renew = renew_in_vain;
    assert_int_equal(port->renew(port->ctx, port), ST_NO_MEMORY);
}

/* Where the program was started may be gone by then: names are taken from the root. */
static void a_working_folder_that_is_gone_is_the_root(void **state)
{
    struct bench *bench = *state;
    struct files_port behind = mem_files_port(bench->disks);
    char name[128];
    int old = open(".", O_RDONLY | O_DIRECTORY);

    snprintf(name, sizeof(name), "%s/here", bench->folder);
    assert_int_equal(mkdir(name, 0700), 0);
    assert_int_equal(chdir(name), 0);
    linux_folders_open(&behind, NULL, &bench->folders);
    const char *end = strrchr(bench->folders.port.directory, '\\');
    assert_string_equal(end, "\\here");
    assert_null(strchr(bench->folders.port.directory, '/'));
    assert_int_equal(rmdir(name), 0);
    linux_folders_open(&behind, NULL, &bench->folders);
    assert_string_equal(bench->folders.port.directory, "\\");
    assert_int_equal(fchdir(old), 0);
    close(old);
}

/* --- Programs -------------------------------------------------------------------------------- */

static void without_firmware_nothing_is_started(void **state)
{
    const struct start_port port = linux_start();
    const struct start_source source = {.bytes = span_of(disk_path, sizeof(disk_path))};
    void *image = (void *)disk_path;

    (void)state;
    struct start_answer answer = port.load(port.ctx, &source, &image);
    assert_int_equal(answer.status, ST_UNSUPPORTED);
    assert_int_equal(answer.code, 3); /* EFI_UNSUPPORTED (UEFI Specification, appendix D) */
    assert_null(image);
    answer = port.start(port.ctx, image, span_of(NULL, 0));
    assert_int_equal(answer.status, ST_UNSUPPORTED);
    assert_int_equal(answer.code, 3);
    port.unload(port.ctx, image);
    assert_int_equal(port.reset(port.ctx, START_RESET_COLD), ST_UNSUPPORTED);
    assert_string_equal(port.program, "");
    assert_false(port.by_firmware || port.has_tpm);
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
        cmocka_unit_test_setup_teardown(a_folder_that_takes_no_files_is_read_only, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_device_that_keeps_nothing_is_no_place_for_a_file, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_name_that_no_folder_can_hold_is_refused_or_not_there,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_folder_is_no_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_leads_round_in_a_circle_is_trouble, set_up, tear_down),
        cmocka_unit_test_setup_teardown(files_on_volumes_behind_are_written_and_removed_there,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_working_folder_that_is_gone_is_the_root, set_up,
                                        tear_down),
        cmocka_unit_test(without_firmware_nothing_is_started),
        cmocka_unit_test(signals_that_end_programs_are_a_wish_to_stop),
        cmocka_unit_test(output_that_nobody_reads_stops_nothing),
        cmocka_unit_test(a_signal_that_was_ignored_stays_ignored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
