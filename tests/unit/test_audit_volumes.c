/* What there is to say about LDM databases, plexes and the file systems in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/finding_fixture.h"
#include "unit/mirror_fixture.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#define DATA_1 " @ Disk 1 Partition 4"

static void healthy_machine_has_no_findings(void **state)
{
    mirror_assert_findings(*state, "");
}

/* --- Databases ------------------------------------------------------------------------------ */

static void states_of_the_database_are_told_with_their_reason(void **state)
{
    static const struct {
        enum volume_disk_state database;
        const char *name;
    } cases[] = {{VOLUME_DISK_ABSENT, "ldm-absent"},   {VOLUME_DISK_UNREADABLE, "ldm-unreadable"},
                 {VOLUME_DISK_DAMAGED, "ldm-damaged"}, {VOLUME_DISK_UNSUPPORTED, "ldm-damaged"},
                 {VOLUME_DISK_BEHIND, "ldm-behind"},   {VOLUME_DISK_CONFLICT, "ldm-conflict"}};
    static const char *const reasons[] = {"", "so it is"};
    struct mirror *mirror = *state;
    char expected[128];

    for (size_t i = 0; i < COUNT_OF(cases) * 2; i++) {
        const char *reason = reasons[i % 2];
        mirror->notes[1].state = cases[i / 2].database;
        mirror->notes[1].reason = reason;
        snprintf(expected, sizeof(expected), "%s @ Disk 1%s%s.\n", cases[i / 2].name,
                 reason[0] == '\0' ? "" : ": ", reason);
        mirror_assert_findings(mirror, expected);
    }
}

static void make_clone(struct mirror *mirror)
{
    mirror->notes[1].is_clone = true;
    mirror->notes[1].state = VOLUME_DISK_CONFLICT;
}

static void cut_transaction_off(struct mirror *mirror)
{
    mirror->notes[1].unfinished = true;
}

static void dirty_log(struct mirror *mirror)
{
    mirror->notes[1].log = VOLUME_LOG_DIRTY;
}

static void damage_log(struct mirror *mirror)
{
    mirror->notes[1].log = VOLUME_LOG_DAMAGED;
}

static void damage_copy(struct mirror *mirror)
{
    mirror->notes[1].copy_damaged = true;
}

/* What is worse is told alone. */
static void damage_copy_and_more(struct mirror *mirror)
{
    damage_copy(mirror);
    mirror->notes[1].state = VOLUME_DISK_DAMAGED;
}

static void damage_both(struct mirror *mirror)
{
    for (size_t i = 0; i < 2; i++) {
        mirror->notes[i].state = VOLUME_DISK_DAMAGED;
        mirror->notes[i].unfinished = true;
    }
}

static void notes_on_databases_are_told(void **state)
{
    static const struct mirror_case cases[] = {
        {make_clone, "ldm-clone @ Disk 1\n"},
        {cut_transaction_off, "ldm-transaction-pending @ Disk 1\n"},
        {dirty_log, "ldm-log-dirty @ Disk 1\n"},
        {damage_log, ""},
        {damage_copy, "ldm-copy-damaged @ Disk 1\n"},
        {damage_copy_and_more, "ldm-damaged @ Disk 1.\n"},
        {damage_both, "ldm-damaged @ Disk 0.\nldm-damaged @ Disk 1.\n"
                      "ldm-transaction-pending @ Disk 0\nldm-transaction-pending @ Disk 1\n"},
    };

    (void)state;
    mirror_assert_cases(cases, COUNT_OF(cases));
}

/* --- Plexes --------------------------------------------------------------------------------- */

static void states_of_a_plex_are_told_with_their_reason(void **state)
{
    static const struct {
        enum plex_state plex;
        const char *findings;
    } cases[] = {
        {PLEX_GOOD, ""},
        {PLEX_DOUBTFUL, "plex-doubtful" DATA_1 " (Volume1-02 of Volume1): so it is.\n"},
        {PLEX_REBUILDING, "plex-rebuilding" DATA_1 " (Volume1-02 of Volume1): so it is.\n"},
        {PLEX_STALE, "plex-stale" DATA_1 " (Volume1-02 of Volume1): so it is.\n"},
        {PLEX_FAILED, "plex-failed" DATA_1 " (Volume1-02 of Volume1): so it is.\n"},
        {PLEX_MISSING, ""},
    };
    struct mirror *mirror = *state;

    mirror->plexes[1].reason = "so it is";
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        mirror->plexes[1].state = cases[i].plex;
        mirror_assert_findings(mirror, cases[i].findings);
    }
}

static void make_doubtful(struct mirror *mirror)
{
    mirror->plexes[1].state = PLEX_DOUBTFUL;
    mirror->plexes[1].reason = "why";
}

static void doubt_by_behind(struct mirror *mirror)
{
    make_doubtful(mirror);
    mirror->notes[1].state = VOLUME_DISK_BEHIND;
}

static void doubt_by_transaction(struct mirror *mirror)
{
    make_doubtful(mirror);
    mirror->notes[1].unfinished = true;
}

static void doubt_by_log(struct mirror *mirror)
{
    make_doubtful(mirror);
    mirror->notes[1].log = VOLUME_LOG_DIRTY;
}

/* The other disk's trouble does not explain it. */
static void doubt_with_other_log(struct mirror *mirror)
{
    make_doubtful(mirror);
    mirror->notes[0].log = VOLUME_LOG_DIRTY;
}

/* Its piece is where the partition table has nothing. */
static void put_plex_outside_partitions(struct mirror *mirror)
{
    mirror->plexes[1].state = PLEX_STALE;
    mirror->plexes[1].reason = "why";
    mirror->extents[1].lba = 1500000;
}

/* A plex of two pieces, the first of them gone: the place is that of the other. */
static void lose_first_piece(struct mirror *mirror)
{
    mirror->plexes[1].state = PLEX_FAILED;
    mirror->plexes[1].reason = "why";
    mirror->plexes[1].extent_count = 2;
    mirror->extents[2] = mirror->extents[1];
    mirror->extents[1].disk = VOLUME_NONE;
    mirror->extents[1].dynamic_disk = 2;
    mirror->machine.volumes.extent_count = 3;
}

static void degrade_data_volume(struct mirror *mirror)
{
    size_t volume = mirror_add_data_volume(mirror, "D:");

    mirror->volumes[volume].status = DYNAMIC_FAILED_REDUNDANCY;
}

static void degrade_boot_volume(struct mirror *mirror)
{
    mirror->volumes[0].status = DYNAMIC_FAILED_REDUNDANCY;
}

static void place_and_cause_of_a_plex_are_told_once(void **state)
{
    static const struct mirror_case cases[] = {
        {doubt_by_behind, "ldm-behind @ Disk 1.\n"},
        {doubt_by_transaction, "ldm-transaction-pending @ Disk 1\n"},
        {doubt_by_log, "ldm-log-dirty @ Disk 1\n"},
        {doubt_with_other_log, "ldm-log-dirty @ Disk 0\n"
                               "plex-doubtful" DATA_1 " (Volume1-02 of Volume1): why.\n"},
        {put_plex_outside_partitions, "plex-stale @ Disk 1 (Volume1-02 of Volume1): why.\n"},
        {lose_first_piece, "mirror-disk-missing @ Volume Volume1\n"
                           "plex-failed" DATA_1 " (Volume1-02 of Volume1): why.\n"},
        {degrade_data_volume, "volume-failed-redundancy @ Volume Volume2\n"},
        {degrade_boot_volume, ""},
    };

    (void)state;
    mirror_assert_cases(cases, COUNT_OF(cases));
}

/* --- File systems --------------------------------------------------------------------------- */

static void leave_dirty(struct mirror *mirror)
{
    mirror->copies[1].ntfs.dirty = true;
}

static void break_boot(struct mirror *mirror)
{
    mirror->copies[1].ntfs.boot = NTFS_BOOT_DAMAGED;
}

static void spoil_boot(struct mirror *mirror)
{
    mirror->copies[1].ntfs.boot = NTFS_BOOT_UNREADABLE;
}

static void break_backup(struct mirror *mirror)
{
    mirror->copies[1].ntfs.backup = NTFS_BOOT_DAMAGED;
}

static void change_backup(struct mirror *mirror)
{
    mirror->copies[1].ntfs.backup = NTFS_BOOT_DIFFERS;
}

static void break_facts(struct mirror *mirror)
{
    mirror->copies[1].ntfs.facts_status = ST_DAMAGED;
    mirror->copies[1].ntfs.dirty = true;
}

static void break_mft(struct mirror *mirror)
{
    mirror->copies[1].status = ST_DAMAGED;
}

static void spoil_ntfs(struct mirror *mirror)
{
    mirror->copies[1].status = ST_IO;
}

static void break_index(struct mirror *mirror)
{
    mirror->copies[1].files[SYSTEM_KERNEL] = ST_DAMAGED;
}

static void encrypt(struct mirror *mirror)
{
    mirror->copies[1].content = CONTENT_BITLOCKER;
    mirror->copies[1].status = ST_UNSUPPORTED;
}

static void drop_ntfs(struct mirror *mirror)
{
    mirror->copies[1].status = ST_ABSENT;
    mirror->copies[1].content = CONTENT_FAT;
}

static void drop_windows(struct mirror *mirror)
{
    for (int i = 0; i < SYSTEM_FILE_COUNT; i++)
        mirror->copies[1].files[i] = ST_ABSENT;
}

static void drop_kernel(struct mirror *mirror)
{
    mirror->copies[1].files[SYSTEM_KERNEL] = ST_ABSENT;
}

static void drop_spare_manager(struct mirror *mirror)
{
    mirror->copies[1].files[SYSTEM_BOOT_MANAGER] = ST_ABSENT;
}

/* Nobody looks into what was not looked into. */
static void look_away(struct mirror *mirror)
{
    drop_windows(mirror);
    break_boot(mirror);
    mirror->copies[1].status = ST_UNSUPPORTED;
    mirror->copies[1].looked = false;
}

static void put_copy_outside_partitions(struct mirror *mirror)
{
    leave_dirty(mirror);
    mirror->copies[1].partition = NO_INDEX;
}

static void state_of_the_boot_volumes_copies_is_told(void **state)
{
    static const struct mirror_case cases[] = {
        {leave_dirty, "ntfs-dirty" DATA_1 "\n"},
        {break_boot, "ntfs-boot-damaged" DATA_1 "\n"},
        {spoil_boot, "ntfs-boot-damaged" DATA_1 "\n"},
        {break_backup, "ntfs-boot-backup-damaged" DATA_1 "\n"},
        {change_backup, "ntfs-boot-backup-damaged" DATA_1 "\n"},
        {break_facts, "ntfs-damaged" DATA_1 ": its own description cannot be read.\n"},
        {break_mft, "ntfs-damaged" DATA_1 ": damaged.\n"},
        {spoil_ntfs, "ntfs-damaged" DATA_1 ": device error.\n"},
        {break_index, "ntfs-damaged" DATA_1
                      ": \\Windows\\System32\\ntoskrnl.exe cannot be looked up: damaged.\n"},
        {encrypt, "bitlocker" DATA_1 "\n"},
        {drop_ntfs, "windows-not-found" DATA_1 ": it holds no NTFS file system.\n"},
        {drop_windows,
         "windows-not-found" DATA_1 ": \\Windows\\System32\\winload.efi is missing.\n"},
        {drop_kernel,
         "windows-not-found" DATA_1 ": \\Windows\\System32\\ntoskrnl.exe is missing.\n"},
        {drop_spare_manager, ""},
        {look_away, ""},
        {put_copy_outside_partitions, "ntfs-dirty @ Disk 1\n"},
    };

    (void)state;
    mirror_assert_cases(cases, COUNT_OF(cases));
}

/* --- Other volumes -------------------------------------------------------------------------- */

/* Disk 2 has a plain data volume with the serial number `serial`. */
static struct system_copy *add_plain_copy(struct mirror *mirror, uint64_t serial)
{
    size_t disk = mirror_add_disk(mirror, DISK_AHCI);
    struct system_copy *copy = &mirror->copies[mirror->machine.copy_count++];

    *copy = mirror->copies[0];
    copy->disk = disk;
    copy->partition = MIRROR_MSR(disk);
    copy->plex = NO_INDEX;
    copy->ntfs.serial = serial;
    return copy;
}

static void add_data(struct mirror *mirror)
{
    struct system_copy *copy = add_plain_copy(mirror, 77);

    for (int i = 0; i < SYSTEM_FILE_COUNT; i++)
        copy->files[i] = ST_ABSENT;
}

static void add_broken_data(struct mirror *mirror)
{
    add_plain_copy(mirror, 77)->status = ST_DAMAGED;
}

static void add_something_else(struct mirror *mirror)
{
    struct system_copy *copy = add_plain_copy(mirror, 77);

    copy->status = ST_ABSENT;
    copy->content = CONTENT_EXFAT;
}

static void add_raw_copy(struct mirror *mirror)
{
    (void)add_plain_copy(mirror, 0x1234);
}

static void add_raw_copy_that_cannot_be_read(struct mirror *mirror)
{
    add_plain_copy(mirror, 0x1234)->status = ST_IO;
}

static void other_volumes_need_not_carry_windows(void **state)
{
    static const struct mirror_case cases[] = {
        {add_data, ""},
        {add_broken_data, "ntfs-damaged @ Disk 2 Partition 3: damaged.\n"},
        {add_something_else, ""},
        {add_raw_copy, "volume-identity-repeated @ Disk 0 Partition 4\n"
                       "volume-identity-repeated" DATA_1 "\n"
                       "volume-identity-repeated @ Disk 2 Partition 3\n"},
        {add_raw_copy_that_cannot_be_read, "ntfs-damaged @ Disk 2 Partition 3: device error.\n"},
    };

    (void)state;
    mirror_assert_cases(cases, COUNT_OF(cases));
}

/* Comes last. */
static void every_finding_about_volumes_was_met(void **state)
{
    (void)state;
    findings_assert_met(OWNER_VOLUMES);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mirror_set_up, mirror_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(healthy_machine_has_no_findings),
        TEST(states_of_the_database_are_told_with_their_reason),
        cmocka_unit_test(notes_on_databases_are_told),
        TEST(states_of_a_plex_are_told_with_their_reason),
        cmocka_unit_test(place_and_cause_of_a_plex_are_told_once),
        cmocka_unit_test(state_of_the_boot_volumes_copies_is_told),
        cmocka_unit_test(other_volumes_need_not_carry_windows),
        cmocka_unit_test(every_finding_about_volumes_was_met),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
