/* install: the program's own file comes from where it was started, and goes to the ESPs that are meant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "unit/line_fixture.h"
#include "unit/pe_fixture.h"

#define SOURCE   "\\shadowbootx64.efi"
#define OWN      "\\EFI\\shadowboot\\shadowbootx64.efi"
#define FALLBACK "\\EFI\\BOOT\\BOOTX64.EFI"
#define SBAT(name) \
    "sbat,1,list,sbat,1,https://example.org/\n" name ",1,a program,package,0.1.0,url\n"
#define OWN_SBAT      SBAT("shadowboot")
#define OTHER_SBAT    SBAT("grub")
#define ESP_OF_DISK_0 "d15c0000-0000-4000-8000-0123456789ab"

/* What the stick has as the file that the program was started from. */
static void put_source(struct host *host, const char *sbat)
{
    struct pe_image image = pe_image_with_section(".sbat", sbat);
    mem_files_put(host->files, disk_machine_stick(host), SOURCE, image.bytes, image.size);
    pe_image_free(&image);
}

static int set_up(void **state)
{
    int done = line_set_up(state);
    struct host *host = *state;

    (void)host_ports(host);
    put_source(host, OWN_SBAT);
    host_start_set_self(host->start, false, SOURCE);
    return done;
}

/* Fails the test unless the file is what the stick has, or is not there. */
static void expect_file(struct host *host, size_t disk, const char *path, bool is_there)
{
    size_t size = 0;
    uint8_t *content = disk_machine_file(host, disk, path, &size);

    if ((content != NULL) != is_there)
        fail_msg("%s on Disk %zu", path, disk);
    if (is_there) {
        struct pe_image image = pe_image_with_section(".sbat", OWN_SBAT);
        assert_int_equal(size, image.size);
        assert_memory_equal(content, image.bytes, size);
        pe_image_free(&image);
    }
    free(content);
}

static void program_comes_to_every_boot_disk_and_is_taken_off(void **state)
{
    struct host *host = *state;
    struct host *before = host_clone(host);

    run_to_say(host, "install -y", DONE,
               "create Boot0002 \"shadowboot\"|create Boot0003 \"shadowboot\"|Done: |"
               "This machine starts from each of its boot disks alone.");
    expect_order(host, "0000,0001,0002,0003");
    expect_file(host, 0, OWN, true);
    expect_file(host, 1, OWN, true);
    run_to_say(host, "install -y", DONE, "Nothing to do");
    run_to_say(
        host, "install -remove -y", DONE,
        "delete 1 file and 1 folder of Disk 0 Partition 1|delete 1 file and 1 folder of Disk "
        "1 Partition 1|Done: ");
    expect_file(host, 0, OWN, false);
    expect_file(host, 1, OWN, false);
    assert_true(mem_vars_equal(host->vars, before->vars));
    run_to_say(host, "install -remove -y", DONE, "Nothing to do");
    host_free(before);
}

static void only_the_esp_that_is_meant_gets_it(void **state)
{
    struct host *host = *state;

    run_to(host, "install 1 -y", DONE);
    expect_file(host, 0, OWN, false);
    expect_file(host, 1, OWN, true);
    run_to(host, "install -remove -y", DONE);
    run_to_say(host, "install " ESP_OF_DISK_0 " -disk -y", DONE,
               "to Disk 0 Partition 1|create Boot0002 \"shadowboot (Disk 0");
    expect_file(host, 0, OWN, true);
    expect_file(host, 1, OWN, false);
}

static void empty_place_of_the_fallback_is_taken(void **state)
{
    struct host *host = *state;

    disk_machine_delete(host, 1, FALLBACK);
    run_to(host, "install -y", DONE);
    expect_file(host, 1, FALLBACK, true);
    run_to(host, "install -remove -y", DONE);
    expect_file(host, 1, FALLBACK, false);
}

static void disk_without_an_esp_is_refused(void **state)
{
    struct host *host = *state;

    run_to_say(host, "install 7 -y", NOT_FOUND, "There is no Disk 7.");
    run_to_say(host, "install 11111111-2222-3333-4444-555555555555 -y", NOT_FOUND, "");
    disk_machine_drop_partition(host, 1, PART_ESP);
    struct host *before = host_clone(host);
    run_to_say(host, "install 0 1 -y", NOT_FOUND,
               "Disk 1 has no EFI System Partition. On a disk of the mirror \"shadowboot repair\" "
               "makes one.|Nothing was changed.");
    assert_true(host_equal(host, before));
    host_free(before);
}

static void disk_is_not_named_where_all_are_meant(void **state)
{
    run_to_say(*state, "install 1 -remove -y", USAGE,
               "-remove takes it off all disks: shadowboot install -remove.|Nothing was changed.");
}

/* --- The file that it comes from ------------------------------------------------------------ */

static void file_that_is_nowhere_is_told(void **state)
{
    struct host *host = *state;
    struct host *before = host_clone(host);

    host_start_set_self(host->start, false, "");
    run_to_say(
        host, "install -y", NOT_FOUND,
        "is on no file system that is seen from here. Start it from a stick.|Nothing was changed.");
    host_start_set_self(host->start, false, "\\elsewhere.efi");
    run_to_say(
        host, "install -y", NOT_FOUND,
        "\\elsewhere.efi, which shadowboot was started from, cannot be read: |Nothing was changed.");
    assert_true(mem_vars_equal(host->vars, before->vars));
    host_free(before);
}

/* The stick was pulled and another one put in, or its file was written over. */
static void file_that_is_another_by_now_is_refused(void **state)
{
    struct host *host = *state;

    put_source(host, OTHER_SBAT);
    run_to_say(host, "install -y", DAMAGED,
               "is damaged or another program by now.|Nothing was changed.");
    mem_files_put(host->files, disk_machine_stick(host), SOURCE, "MZ", 2);
    run_to_say(host, "install -y", DAMAGED,
               "is damaged or another program by now.|Nothing was changed.");
    expect_file(host, 0, OWN, false);
    put_source(host, OWN_SBAT);
    run_to(host, "install -y", DONE);
}

int main(void)
{
#define ROW(test) cmocka_unit_test_setup_teardown(test, set_up, line_tear_down)
    const struct CMUnitTest tests[] = {
        ROW(program_comes_to_every_boot_disk_and_is_taken_off),
        ROW(only_the_esp_that_is_meant_gets_it),
        ROW(empty_place_of_the_fallback_is_taken),
        ROW(disk_without_an_esp_is_refused),
        ROW(disk_is_not_named_where_all_are_meant),
        ROW(file_that_is_nowhere_is_told),
        ROW(file_that_is_another_by_now_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
