/* rebuild, and what repair and bcdboot do alike: ESPs are filled from Windows itself, byte for byte, and taken back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "unit/line_fixture.h"
#include "unit/windows_fixture.h"

#define MANAGER "\\EFI\\Microsoft\\Boot\\bootmgfw.efi"
#define STORE   "\\EFI\\Microsoft\\Boot\\BCD"

/* Windows on both disks is whole, and so are the ESPs. */
static int set_up(void **state)
{
    struct disk_machine_shape shape = disk_machine_usual();

    shape.windows_is_whole = true;
    *state = disk_machine_new(&shape);
    return 0;
}

static void lose(struct host *host, size_t disk)
{
    disk_machine_delete(host, disk, MANAGER);
    disk_machine_delete(host, disk, STORE);
}

static bool has(struct host *host, size_t disk, const char *path)
{
    size_t size = 0;
    uint8_t *content = disk_machine_file(host, disk, path, &size);

    free(content);
    return content != NULL;
}

static void assert_manager_of_windows(struct host *host, size_t disk)
{
    struct span wanted = windows_manager();
    size_t size = 0;
    uint8_t *content = disk_machine_file(host, disk, MANAGER, &size);

    assert_non_null(content);
    assert_int_equal(size, wanted.size);
    assert_memory_equal(content, wanted.at, size);
    free(content);
}

static void assert_same(struct host *host, struct host *before)
{
    for (size_t disk = 0; disk < 2; disk++)
        assert_int_equal(mem_block_difference(host->disks[disk], before->disks[disk], 0),
                         UINT64_MAX);
    assert_true(mem_vars_equal(host->vars, before->vars));
}

/* --- rebuild -------------------------------------------------------------------------------- */

static void esp_gets_manager_and_store_of_its_own_windows(void **state)
{
    struct host *host = *state;

    lose(host, 1);
    struct host *before = host_clone(host);
    run_to_say(
        host, "rebuild -n", DONE,
        "bring 2 files|from Disk 1 Partition 4 {|to Disk 1 Partition 1 {|Disk 1 alone: yes, by "
        "Boot0001|Nothing was changed (-n).");
    assert_same(host, before);
    run_to_say(host, "rebuild -y", DONE,
               "The boot store of Disk 1 is made to start Windows from Disk 1 Partition 4|Done: |"
               "This machine starts from each of its boot disks alone.");
    assert_manager_of_windows(host, 1);
    assert_int_equal(mem_block_difference(host->disks[0], before->disks[0], 0), UINT64_MAX);
    run_to_say(host, "diskid 1", DONE, "starts Windows from Disk 1 Partition 4 {");
    run_to_say(host, "rebuild 1 -y", DONE, "Nothing to do");
    run_to_say(host, "undo -y", DONE, "Done"); /* what free clusters hold does not count */
    assert_false(has(host, 1, MANAGER) || has(host, 1, STORE));
    assert_true(mem_vars_equal(host->vars, before->vars));
    host_free(before);
}

static void one_half_is_brought_where_it_is_asked_for(void **state)
{
    struct host *host = *state;

    disk_machine_delete(host, 1, STORE);
    run_to_say(host, "rebuild 1 -store -y", DONE, "make the boot store of Disk 1|Done: ");
    assert_true(has(host, 1, STORE));
    lose(host, 1);
    run_to_say(host, "rebuild 1 -files -y", DONE, "Done: ");
    assert_manager_of_windows(host, 1);
    assert_false(has(host, 1, STORE));
    run_to_say(host, "rebuild 1 -files -store -y", USAGE,
               "without either both|Nothing was changed.");
}

static void lose_boot_files(struct host *host)
{
    lose(host, 1);
}

/* The store may be what was left. */
static void lose_manager(struct host *host)
{
    disk_machine_delete(host, 1, MANAGER);
}

static void unformat(struct host *host)
{
    disk_machine_zero(host, 1, PART_ESP);
}

static void damage_fats(struct host *host)
{
    disk_machine_zero_fats(host, 1);
}

static void drop_partition(struct host *host)
{
    disk_machine_drop_partition(host, 1, PART_ESP);
}

/* To have nothing to do would be said of a disk that does not start. */
static void store_alone_is_refused_where_it_would_start_nothing(void **state)
{
    static const struct {
        void (*damage)(struct host *host);
        const char *words;
    } cases[] = {
        {lose_boot_files, "Disk 1 has no boot manager that would read a store: "},
        {lose_manager, "Disk 1 has no boot manager that would read a store: "},
        {unformat, "Disk 1 has no EFI System Partition with a sound file system: "},
        {damage_fats, "Disk 1 has no EFI System Partition with a sound file system: "},
        {drop_partition, "Disk 1 has no EFI System Partition: "},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct host *host = host_clone(*state);
        cases[i].damage(host);
        struct host *before = host_clone(host);
        run_to_say(host, "rebuild 1 -store -y", NOT_FOUND, cases[i].words);
        run_to_say(
            host, "rebuild 1 -store -y", NOT_FOUND,
            "a boot store alone starts nothing there. \"shadowboot rebuild 1\" sees to both. "
            "Nothing was changed.");
        assert_same(host, before);
        run_to_say(host, "rebuild 1 -y -format", DONE, "Done: ");
        run_to(host, "rebuild 1 -store -y", DONE);
        host_free(before);
        host_free(host);
    }
}

static void disk_is_named_where_not_just_one_does_not_start(void **state)
{
    struct host *host = *state;

    run_to_say(host, "rebuild -y", USAGE, "Which disk is meant?|Nothing was changed.");
    lose(host, 0);
    lose(host, 1);
    run_to_say(host, "rebuild -y", USAGE, "Which disk is meant?|Nothing was changed.");
}

static void disk_without_windows_is_refused(void **state)
{
    struct host *host = *state;
    struct host *before = host_clone(host);

    run_to_say(host, "rebuild 2 -y", NOT_FOUND,
               "Disk 2 has no copy of the boot volume|Nothing was changed.");
    run_to_say(host, "rebuild 5 -y", NOT_FOUND, "There is no Disk 5.");
    assert_same(host, before);
    host_free(before);
}

/* As after a disk was replaced, and only Windows came back on it. */
static void esp_that_is_gone_is_made_and_filled(void **state)
{
    struct host *host = *state;

    disk_machine_drop_partition(host, 1, PART_ESP);
    struct host *before = host_clone(host);
    run_to_say(host, "rebuild 1 -y -format", DONE, "make an EFI system partition|Done: ");
    disk_machine_restart(host);
    assert_manager_of_windows(host, 1);
    run_to(host, "status", DONE);
    run_to_say(host, "undo -y", DONE, "Done");
    assert_same(host, before);
    host_free(before);
}

/* --- What does the same --------------------------------------------------------------------- */

static void repair_takes_what_windows_keeps_where_no_esp_has_it(void **state)
{
    struct host *host = *state;

    lose(host, 0);
    lose(host, 1);
    run_to_say(host, "repair -y", DONE,
               "Done: |This machine starts from each of its boot disks alone.");
    assert_manager_of_windows(host, 0);
    assert_manager_of_windows(host, 1);
    run_to(host, "status", DONE);
}

static void bcdboot_brings_them_to_the_place_it_is_told(void **state)
{
    struct host *host = *state;

    lose(host, 1);
    struct host *before = host_clone(host);
    run_to_say(host, "bcdboot C:\\Windows /s 1/1 /l en-us /f ALL /c -y", DONE,
               "Of /f ALL only the half for UEFI is made|Done: ");
    assert_manager_of_windows(host, 1);
    assert_true(mem_vars_equal(host->vars, before->vars));
    run_to_say(host, "bcd list -all", DONE, "en-US");
    run_to(host, "status", DONE);
    host_free(before);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, set_up, line_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(esp_gets_manager_and_store_of_its_own_windows),
        ROW(one_half_is_brought_where_it_is_asked_for),
        ROW(store_alone_is_refused_where_it_would_start_nothing),
        ROW(disk_is_named_where_not_just_one_does_not_start),
        ROW(disk_without_windows_is_refused),
        ROW(esp_that_is_gone_is_made_and_filled),
        ROW(repair_takes_what_windows_keeps_where_no_esp_has_it),
        ROW(bcdboot_brings_them_to_the_place_it_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
