/* A disk that BIOS starts, with its boot store in Windows' own volume: it is listed where it is there, and only
 * read. Windows alone knows the letter of such a volume. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "unit/line_fixture.h"
#include "unit/ntfs_fixture.h"
#include "unit/windows_fixture.h"

#define MBR_NTFS_TYPE 0x07
#define FIRST         2048u
/* A removable disk comes behind all others: the stick is Disk 3. */
#define TITLE          "Boot store of Disk 2 Partition 1, \\Boot\\BCD, for BIOS (read only)"
#define WINDOWS_LOADER "Windows Boot Loader"

/* Adds a disk with an MBR and one NTFS partition, which has that file; gives its index. */
static size_t add_disk(struct host *host, bool active, const char *path, struct span content)
{
    const struct ntfs_fixture_extra extra = {path, content};
    struct ntfs_fixture_shape shape = ntfs_fixture_small();

    shape.extras = &extra;
    shape.extra_count = 1;
    struct ntfs_fixture *ntfs = ntfs_fixture_new(&shape);
    uint32_t blocks = (uint32_t)ntfs_fixture_blocks(ntfs);
    size_t disk = host_add_disk(host, DISK_AHCI, 512, FIRST + blocks + 64);
    put_mbr_record(host, disk, 0, 0, MBR_NTFS_TYPE, FIRST, blocks);
    if (active)
        mem_block_write(host->disks[disk], 446, "\x80", 1);
    mem_block_write(host->disks[disk], FIRST * 512u, ntfs->bytes, ntfs->size);
    ntfs_fixture_free(ntfs);
    disk_machine_restart(host);
    return disk;
}

static void store_for_bios_is_listed_beside_those_of_esps(void **state)
{
    struct host *host = *state;

    add_disk(host, true, "\\Boot\\BCD", windows_store());
    run_to_say(host, "bcd list", DONE,
               "Boot store of Disk 0 Partition 1|Boot store of Disk 1 Partition 1|" TITLE);
    run_to_say(host, "bcd list 2", DONE, WINDOWS_LOADER);
    expect_unsaid(host, "Disk 0");
    run_to(host, "bcd list 0", DONE);
    expect_unsaid(host, "for BIOS");
}

/* BIOS starts from no other than the active partition. */
static void store_on_a_partition_that_is_not_active_is_none(void **state)
{
    struct host *host = *state;

    add_disk(host, false, "\\Boot\\BCD", windows_store());
    run_to(host, "bcd list", DONE);
    expect_unsaid(host, "for BIOS");
    run_to(host, "bcd list 2", NOT_FOUND);
}

static void active_partition_without_a_store_is_not_listed(void **state)
{
    struct host *host = *state;

    add_disk(host, true, "\\Boot\\memtest.exe", windows_store());
    run_to(host, "bcd list", DONE);
    expect_unsaid(host, "for BIOS");
    run_to_say(host, "bcd list 2", NOT_FOUND, "\"2\" has no partition with a boot store.");
}

static void store_for_bios_is_only_read(void **state)
{
    struct host *host = *state;
    size_t disk = add_disk(host, true, "\\Boot\\BCD", windows_store());
    struct mem_block *before = mem_block_clone(host->disks[disk]);

    run_to_say(host, "bcd set {default} nx AlwaysOn -on 2 -y", REFUSED, "only read here");
    assert_int_equal(mem_block_difference(host->disks[disk], before, 0), UINT64_MAX);
    mem_block_free(before);
}

static void store_for_bios_that_is_no_hive_is_said_to_be_none(void **state)
{
    struct host *host = *state;

    add_disk(host, true, "\\Boot\\BCD", span_of("no hive at all", 14));
    run_to_say(host, "bcd list 2", DAMAGED, "for BIOS|it is not a registry hive");
}

static void folder_in_the_place_of_the_store_is_damage(void **state)
{
    struct host *host = *state;

    add_disk(host, true, "\\Boot\\BCD\\inner", windows_store());
    run_to_say(host, "bcd list 2", DAMAGED, "for BIOS|cannot be read in full: damaged");
}

/* --- Letters ---------------------------------------------------------------------------------- */

/* C: is the dynamic volume of the other disks. */
static void letter_of_nobody_is_that_of_the_one_plain_windows(void **state)
{
    struct host *host = *state;

    add_disk(host, true, "\\Boot\\BCD", windows_store());
    run_to_say(host, "bcd list -store d:\\boot\\bcd", DONE, WINDOWS_LOADER);
    run_to_say(host, "bcd list -store d:\\boot\\none", NOT_FOUND, "d:\\boot\\none cannot be read");
    run_to_say(host, "bcd list -store d:\\boot", DAMAGED, "d:\\boot cannot be read: damaged");
    run_to(host, "bcd list -store c:\\boot\\bcd", NOT_FOUND);
}

/* A guess could edit or save another Windows' store. */
static void letter_means_none_where_there_are_two_plain_windows(void **state)
{
    struct host *host = *state;

    add_disk(host, true, "\\Boot\\BCD", windows_store());
    add_disk(host, true, "\\Boot\\BCD", windows_store());
    run_to_say(host, "bcd list -store d:\\boot\\bcd", NOT_FOUND, "No volume here is known as d:.");
}

/* --- Stores in files -------------------------------------------------------------------------- */

static void folder_is_no_store(void **state)
{
    struct host *host = *state;
    size_t stick = disk_machine_stick(host);
    struct span store = windows_store();

    mem_files_put(host->files, stick, "\\saved\\BCD", store.at, store.size);
    mem_files_set_current(host->files, stick, "\\");
    run_to_say(host, "bcd list -store saved", DAMAGED, "saved cannot be read: damaged");
}

/* The ESP's own store by its path is that store, not a file that happens to be there. */
static void path_to_the_store_of_an_esp_means_that_store(void **state)
{
    struct host *host = *state;

    disk_machine_zero_file(host, 0, "\\EFI\\Microsoft\\Boot\\BCD");
    run_to_say(host, "bcd list -store FS0:\\EFI\\Microsoft\\Boot\\BCD", DAMAGED,
               "Disk 0 Partition 1|it is not a registry hive");
    run_to_say(host, "bcd list -store FS0:\\EFI\\Microsoft\\Boot\\bootmgfw.efi", DAMAGED,
               "bootmgfw.efi|it is not a registry hive");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINE_TEST(store_for_bios_is_listed_beside_those_of_esps),
        LINE_TEST(store_on_a_partition_that_is_not_active_is_none),
        LINE_TEST(active_partition_without_a_store_is_not_listed),
        LINE_TEST(store_for_bios_is_only_read),
        LINE_TEST(store_for_bios_that_is_no_hive_is_said_to_be_none),
        LINE_TEST(folder_in_the_place_of_the_store_is_damage),
        LINE_TEST(letter_of_nobody_is_that_of_the_one_plain_windows),
        LINE_TEST(letter_means_none_where_there_are_two_plain_windows),
        LINE_TEST(folder_is_no_store),
        LINE_TEST(path_to_the_store_of_an_esp_means_that_store),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
