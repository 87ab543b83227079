/* Who is who: the boot volume, the members of the mirror, primary and shadow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/mirror_fixture.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Members as text: "0:esp0:copy0 1:esp1:-", where the last is a copy or a part of an md array. */
static void assert_members(const struct roles *roles, const char *expected)
{
    char text[256] = "";
    size_t used = 0;

    for (size_t i = 0; i < roles->member_count; i++) {
        const struct member *member = &roles->members[i];
        char esp[32] = "-";
        char copy[32] = "-";
        if (member->esp != NO_INDEX)
            snprintf(esp, sizeof(esp), "esp%zu", member->esp);
        if (member->copy != NO_INDEX)
            snprintf(copy, sizeof(copy), "copy%zu", member->copy);
        if (member->md != NO_INDEX)
            snprintf(copy, sizeof(copy), "md%zu", member->md);
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%zu:%s:%s", i == 0 ? "" : " ",
                                 member->disk, esp, copy);
        assert_int_equal(roles_member_on(roles, member->disk), i);
    }
    assert_string_equal(text, expected);
}

static void nobody_could_look_for_windows(struct mirror *mirror)
{
    for (size_t i = 0; i < mirror->machine.copy_count; i++) {
        for (int j = 0; j < SYSTEM_FILE_COUNT; j++)
            mirror->copies[i].files[j] = ST_UNSUPPORTED;
    }
}

/* --- The boot volume ------------------------------------------------------------------------ */

static void volume_whose_copies_carry_windows_is_the_boot_volume(void **state)
{
    struct roles roles = mirror_roles(*state);

    assert_int_equal(roles.kind, BOOT_LDM);
    assert_int_equal(roles.volume, 0);
    assert_string_equal(roles.name, "Volume1 (C:)");
    assert_members(&roles, "0:esp0:copy0 1:esp1:copy1");
    assert_int_equal(roles.missing, 0);
    assert_int_equal(roles.primary, 0);
    assert_int_equal(roles.shadow, 1);
}

static void windows_on_one_copy_is_enough(void **state)
{
    struct mirror *mirror = *state;

    mirror->copies[0].files[SYSTEM_KERNEL] = ST_ABSENT;
    struct roles roles = mirror_roles(mirror);
    assert_int_equal(roles.kind, BOOT_LDM);
    assert_members(&roles, "0:esp0:copy0 1:esp1:copy1");
}

static void windows_says_more_than_the_boot_flag(void **state)
{
    struct mirror *mirror = *state;
    size_t other = mirror_add_data_volume(mirror, "C:");

    mirror->volumes[other].boot = true;
    mirror->volumes[0].drive_hint = "";
    struct roles roles = mirror_roles(mirror);
    assert_int_equal(roles.volume, 0);
    assert_string_equal(roles.name, "Volume1");
}

static void boot_flag_says_more_than_the_letter(void **state)
{
    struct mirror *mirror = *state;
    size_t other = mirror_add_data_volume(mirror, "");

    nobody_could_look_for_windows(mirror);
    assert_int_equal(mirror_roles(mirror).volume, 0);
    mirror->volumes[other].boot = true;
    assert_int_equal(mirror_roles(mirror).volume, other);
    mirror->volumes[other].type = DYNAMIC_SIMPLE;
    assert_int_equal(mirror_roles(mirror).volume, other);
}

static void letter_c_tells_among_mirrors(void **state)
{
    struct mirror *mirror = *state;
    size_t other = mirror_add_data_volume(mirror, "c:");

    nobody_could_look_for_windows(mirror);
    mirror->volumes[0].drive_hint = "D:";
    struct roles roles = mirror_roles(mirror);
    assert_int_equal(roles.volume, other);
    assert_string_equal(roles.name, "Volume2 (c:)");
    /* Its pieces are no copies that were looked into. */
    assert_members(&roles, "0:esp0:- 1:esp1:-");
}

static void only_mirror_is_taken_without_any_mark(void **state)
{
    struct mirror *mirror = *state;

    nobody_could_look_for_windows(mirror);
    mirror->volumes[0].drive_hint = "";
    struct roles roles = mirror_roles(mirror);
    assert_int_equal(roles.kind, BOOT_LDM);
    assert_int_equal(roles.volume, 0);
}

static void simple_volume_without_any_mark_is_no_boot_volume(void **state)
{
    struct mirror *mirror = *state;

    nobody_could_look_for_windows(mirror);
    mirror->volumes[0].type = DYNAMIC_SIMPLE;
    struct roles roles = mirror_roles(mirror);
    assert_int_equal(roles.kind, BOOT_NONE);
    assert_int_equal(roles.volume, NO_INDEX);
    assert_string_equal(roles.name, "");
    assert_members(&roles, "0:esp0:- 1:esp1:-");
}

/* Windows on a basic disk, and dynamic disks with data beside it. */
static void plain_windows_says_more_than_a_mirror_without_marks(void **state)
{
    struct mirror *mirror = *state;
    size_t disk = mirror_add_disk(mirror, DISK_AHCI);

    nobody_could_look_for_windows(mirror);
    mirror->volumes[0].drive_hint = "D:";
    mirror->copies[2] = mirror->copies[0];
    mirror->copies[2].disk = disk;
    mirror->copies[2].partition = MIRROR_MSR(disk);
    mirror->copies[2].plex = NO_INDEX;
    memset(mirror->copies[2].files, 0, sizeof(mirror->copies[2].files));
    mirror->machine.copy_count = 3;
    struct roles roles = mirror_roles(mirror);
    assert_int_equal(roles.kind, BOOT_PLAIN);
    assert_string_equal(roles.name, "Disk 2 Partition 3");
    mirror->volumes[0].boot = true;
    assert_int_equal(mirror_roles(mirror).kind, BOOT_LDM);
}

static void plain_windows_is_found_where_it_is(void **state)
{
    struct mirror *mirror = *state;

    mirror_make_plain(mirror);
    struct roles roles = mirror_roles(mirror);
    assert_int_equal(roles.kind, BOOT_PLAIN);
    assert_string_equal(roles.name, "Disk 0 Partition 4");
    assert_members(&roles, "0:esp0:copy0 1:esp1:-");
    assert_int_equal(roles.missing, 0);
}

static void plain_windows_on_a_disk_without_esp_makes_it_a_member(void **state)
{
    struct mirror *mirror = *state;

    mirror_make_plain(mirror);
    mirror_drop_esp(mirror, 0);
    struct roles roles = mirror_roles(mirror);
    assert_int_equal(roles.kind, BOOT_PLAIN);
    assert_string_equal(roles.name, "Disk 0 Partition 4");
    assert_members(&roles, "0:-:copy0 1:esp0:-");
}

/* --- md ------------------------------------------------------------------------------------- */

static void md_mirror_is_the_boot_volume_of_linux(void **state)
{
    struct mirror *mirror = *state;

    mirror_make_md(mirror);
    struct roles roles = mirror_roles(mirror);
    assert_int_equal(roles.kind, BOOT_MD);
    assert_string_equal(roles.name, "md array host:0");
    assert_members(&roles, "0:esp0:md0 1:esp1:md1");
    assert_int_equal(roles.missing, 0);
    assert_int_equal(roles.shadow, 1);
}

static void md_members_that_are_not_here_are_counted(void **state)
{
    struct mirror *mirror = *state;

    mirror_make_md(mirror);
    mirror->md[0].member.raid_disks = 3;
    mirror->md[1].member.raid_disks = 3;
    assert_int_equal(mirror_roles(mirror).missing, 1);
    mirror->machine.md_count = 1;
    struct roles roles = mirror_roles(mirror);
    assert_int_equal(roles.missing, 2);
    assert_members(&roles, "0:esp0:md0");
}

static void md_set_of_another_array_is_left_out(void **state)
{
    struct mirror *mirror = *state;

    mirror_make_md(mirror);
    mirror->md[1].member.set.bytes[15] ^= 1;
    struct roles roles = mirror_roles(mirror);
    assert_members(&roles, "0:esp0:md0");
    assert_int_equal(roles.missing, 1);
}

static void md_of_another_level_is_no_mirror(void **state)
{
    struct mirror *mirror = *state;

    mirror_make_md(mirror);
    mirror->md[0].member.level = 0;
    mirror->md[1].member.level = 5;
    assert_int_equal(mirror_roles(mirror).kind, BOOT_NONE);
}

static void md_member_without_esp_is_a_member(void **state)
{
    struct mirror *mirror = *state;

    mirror_make_md(mirror);
    mirror_drop_esp(mirror, 0);
    struct roles roles = mirror_roles(mirror);
    assert_members(&roles, "0:-:md0 1:esp0:md1");
    assert_int_equal(roles.missing, 0);
}

static void md_members_that_are_behind_are_not_current(void **state)
{
    struct mirror *mirror = *state;
    struct md_member *first = &mirror->md[0].member;
    struct md_member *second = &mirror->md[1].member;

    mirror_make_md(mirror);
    first->events = 6;
    second->events = 8;
    assert_false(roles_md_is_current(&mirror->machine, first));
    assert_true(roles_md_is_current(&mirror->machine, second));
    first->events = 7; /* as a power cut leaves it */
    assert_true(roles_md_is_current(&mirror->machine, first));
    /* What is not in use does not say which is the latest. */
    first->events = 6;
    second->role = MD_ROLE_FAULTY;
    assert_true(roles_md_is_current(&mirror->machine, first));
    assert_false(roles_md_is_current(&mirror->machine, second));
}

static void md_spare_is_no_member(void **state)
{
    struct mirror *mirror = *state;

    mirror_make_md(mirror);
    mirror->md[1].member.role = MD_ROLE_SPARE;
    struct roles roles = mirror_roles(mirror);
    assert_members(&roles, "0:esp0:md0");
    assert_int_equal(roles.missing, 1);
}

static void md_on_disks_without_esp_is_data(void **state)
{
    struct mirror *mirror = *state;

    mirror_make_md(mirror);
    mirror_drop_esp(mirror, 1);
    mirror->machine.esp_count = 0;
    assert_int_equal(mirror_roles(mirror).kind, BOOT_NONE);
}

static void plain_windows_says_more_than_md(void **state)
{
    struct mirror *mirror = *state;

    mirror_make_md(mirror);
    mirror_make_plain(mirror);
    assert_int_equal(mirror_roles(mirror).kind, BOOT_PLAIN);
}

/* --- Members -------------------------------------------------------------------------------- */

static void member_without_esp_is_a_member(void **state)
{
    struct mirror *mirror = *state;

    mirror_drop_esp(mirror, 1);
    struct roles roles = mirror_roles(mirror);
    assert_members(&roles, "0:esp0:copy0 1:-:copy1");
}

static void esp_that_an_entry_uses_counts_before_the_first(void **state)
{
    struct mirror *mirror = *state;
    size_t second = mirror_add_second_esp(mirror);
    struct fixture_entry entry = mirror_windows_entry(mirror, 1, 1);

    assert_int_equal(mirror_roles(mirror).members[1].esp, 1);
    entry.partition = mirror_place(mirror, MIRROR_MSR(1));
    mirror_put_entry(mirror, &entry);
    assert_int_equal(mirror_roles(mirror).members[1].esp, second);
    mirror_set_order(mirror, (uint16_t[]){0}, 1);
    assert_int_equal(mirror_roles(mirror).members[1].esp, 1);
}

/* Both ESPs of the disk are used: firmware comes to the second one first. */
static void esp_that_entries_come_to_first_counts(void **state)
{
    struct mirror *mirror = *state;
    size_t second = mirror_add_second_esp(mirror);
    struct fixture_entry entry = mirror_windows_entry(mirror, 2, 1);

    entry.partition = mirror_place(mirror, MIRROR_MSR(1));
    mirror_put_entry(mirror, &entry);
    mirror_set_order(mirror, (uint16_t[]){2, 1, 0}, 3);
    assert_int_equal(mirror_roles(mirror).members[1].esp, second);
    mirror_set_order(mirror, (uint16_t[]){1, 2, 0}, 3);
    assert_int_equal(mirror_roles(mirror).members[1].esp, 1);
}

static void disk_of_no_copy_is_no_member(void **state)
{
    struct mirror *mirror = *state;
    size_t disk = mirror_add_disk(mirror, DISK_AHCI);

    struct roles roles = mirror_roles(mirror);
    assert_members(&roles, "0:esp0:copy0 1:esp1:copy1");
    assert_int_equal(roles_member_on(&roles, disk), NO_INDEX);
}

static void without_a_boot_volume_members_are_disks_that_something_starts_from(void **state)
{
    struct mirror *mirror = *state;
    size_t fixed = mirror_add_disk(mirror, DISK_AHCI);

    mirror->machine.volumes.volume_count = 0;
    mirror->machine.copy_count = 0;
    (void)mirror_add_disk(mirror, DISK_USB);
    struct roles roles = mirror_roles(mirror);
    assert_int_equal(roles.kind, BOOT_NONE);
    assert_members(&roles, "0:esp0:- 1:esp1:- 2:esp2:-");
    /* Without programs only those count that an entry uses. */
    mirror_drop_files(mirror, fixed);
    mirror_drop_files(mirror, 1);
    roles = mirror_roles(mirror);
    assert_members(&roles, "0:esp0:- 1:esp1:-");
}

static void machine_without_anything_has_no_members(void **state)
{
    struct mirror *mirror = *state;

    mirror->machine.volumes = (struct volume_map){.disks = NULL};
    mirror->machine.copy_count = 0;
    mirror->machine.esp_count = 0;
    mirror->machine.entry_count = 0;
    for (int i = 0; i < 2; i++) {
        struct roles roles = mirror_roles(mirror);
        assert_int_equal(roles.kind, BOOT_NONE);
        assert_int_equal(roles.member_count, 0);
        assert_int_equal(roles.missing, 0);
        assert_int_equal(roles.primary, NO_INDEX);
        assert_int_equal(roles.shadow, NO_INDEX);
        assert_int_equal(roles_member_on(&roles, 0), NO_INDEX);
        mirror->machine.disk_count = 0;
        mirror->machine.partition_count = 0;
    }
}

/* --- Primary and shadow --------------------------------------------------------------------- */

static void primary_is_the_member_that_boot_order_comes_to_first(void **state)
{
    struct mirror *mirror = *state;

    mirror_set_order(mirror, (uint16_t[]){1, 0}, 2);
    struct roles roles = mirror_roles(mirror);
    assert_int_equal(roles.primary, 1);
    assert_int_equal(roles.shadow, 0);
}

static void entries_that_lead_elsewhere_do_not_make_a_primary(void **state)
{
    struct mirror *mirror = *state;
    size_t disk = mirror_add_disk(mirror, DISK_AHCI);
    struct fixture_entry third = mirror_windows_entry(mirror, 2, disk);
    struct fixture_entry shell = {.number = 3, .description = "Shell", .form = FIXTURE_FV};

    mirror_put_entry(mirror, &third);
    mirror_put_entry(mirror, &shell);
    mem_vars_put(mirror->host->vars, NULL, "Boot0004", 7, "bad", 3);
    mirror_set_order(mirror, (uint16_t[]){4, 3, 2, 1, 0}, 5);
    assert_int_equal(mirror_roles(mirror).primary, 1);
}

static void entry_outside_boot_order_makes_no_primary(void **state)
{
    struct mirror *mirror = *state;

    mirror_drop_esp(mirror, 0);
    mirror_set_order(mirror, (uint16_t[]){9}, 1);
    /* None in order: the first member that has an ESP. */
    assert_int_equal(mirror_roles(mirror).primary, 1);
    mirror_set_order(mirror, (uint16_t[]){0}, 1);
    assert_int_equal(mirror_roles(mirror).primary, 0);
}

static void without_entries_the_member_with_the_loader_is_primary(void **state)
{
    struct mirror *mirror = *state;

    mirror_set_order(mirror, NULL, 0);
    assert_int_equal(mirror_roles(mirror).primary, 0);
    mirror_drop_file(mirror, 0, MIRROR_MANAGER);
    assert_int_equal(mirror_roles(mirror).primary, 1);
    mirror_drop_file(mirror, 1, MIRROR_MANAGER);
    assert_int_equal(mirror_roles(mirror).primary, 0);
}

static void disks_of_one_raid_are_known(void **state)
{
    struct mirror *mirror = *state;

    mirror->disks[0].owner.owner = OWNER_IMSM;
    mirror->disks[1].owner.owner = OWNER_IMSM;
    assert_false(mirror_roles(mirror).raid); /* two disks that are no copies of each other */
    mirror->disks[1].guid = mirror->disks[0].guid;
    assert_true(mirror_roles(mirror).raid);
    mirror->disks[1].owner.owner = OWNER_DDF;
    assert_false(mirror_roles(mirror).raid);
}

static void without_esps_the_first_member_is_primary(void **state)
{
    struct mirror *mirror = *state;

    mirror->machine.esp_count = 0;
    mirror->machine.entry_count = 0;
    struct roles roles = mirror_roles(mirror);
    assert_members(&roles, "0:-:copy0 1:-:copy1");
    assert_int_equal(roles.primary, 0);
    assert_int_equal(roles.shadow, 1);
}

/* --- Which system --------------------------------------------------------------------------- */

/* A third disk with plain Windows of its own; gives its index. */
static size_t add_plain_windows(struct mirror *mirror, enum disk_controller controller)
{
    size_t disk = mirror_add_disk(mirror, controller);
    struct system_copy *copy = &mirror->copies[mirror->machine.copy_count++];

    *copy = mirror->copies[0];
    copy->disk = disk;
    copy->partition = MIRROR_MSR(disk);
    copy->plex = NO_INDEX;
    copy->ntfs.serial = 0x9999;
    return disk;
}

static void put_entry_for(struct mirror *mirror, uint16_t number, size_t disk)
{
    struct fixture_entry entry = mirror_windows_entry(mirror, number, disk);

    mirror_put_entry(mirror, &entry);
}

static void the_disk_that_entries_lead_to_says_which_system(void **state)
{
    struct mirror *mirror = *state;
    size_t disk = add_plain_windows(mirror, DISK_AHCI);

    put_entry_for(mirror, 2, disk);
    mirror_set_order(mirror, (uint16_t[]){0, 1, 2}, 3);
    assert_int_equal(mirror_roles(mirror).kind, BOOT_LDM);
    mirror_set_order(mirror, (uint16_t[]){2, 0, 1}, 3);
    struct roles roles = mirror_roles(mirror);
    assert_int_equal(roles.kind, BOOT_PLAIN);
    assert_string_equal(roles.name, "Disk 2 Partition 3");
    assert_int_equal(roles.primary, roles_member_on(&roles, disk));
    assert_int_equal(roles.start_esp, disk);
    /* An entry whose file is not there leads nowhere. */
    mirror_drop_file(mirror, disk, MIRROR_MANAGER);
    assert_int_equal(mirror_roles(mirror).kind, BOOT_LDM);
}

/* Windows on a stick starts from it while it is plugged in, and says nothing of the machine. */
static void stick_that_entries_lead_to_says_nothing(void **state)
{
    struct mirror *mirror = *state;
    size_t stick = add_plain_windows(mirror, DISK_USB);

    put_entry_for(mirror, 2, stick);
    mirror_set_order(mirror, (uint16_t[]){2, 0, 1}, 3);
    struct roles roles = mirror_roles(mirror);
    assert_int_equal(roles.kind, BOOT_LDM);
    assert_int_equal(roles.start_esp, 0);
}

/* Older Windows names the partition it is on, wherever the ESP is. */
static void the_disk_that_an_entry_of_older_windows_names_says_which_system(void **state)
{
    struct mirror *mirror = *state;
    size_t disk = add_plain_windows(mirror, DISK_AHCI);
    struct fixture_entry entry = mirror_windows_entry(mirror, 2, disk);

    (void)mirror_add_file(mirror, disk, IA64LDR, 900000, 'i');
    entry.file = IA64LDR;
    entry.optional = FIXTURE_WINDOWS;
    entry.options = "";
    entry.directory = "\\WINDOWS";
    entry.os = mirror_place(mirror, MIRROR_MSR(disk));
    mirror_put_entry(mirror, &entry);
    mirror_set_order(mirror, (uint16_t[]){2}, 1);
    assert_int_equal(mirror_roles(mirror).kind, BOOT_PLAIN);
    entry.os = mirror_place(mirror, MIRROR_DATA(0));
    mirror_put_entry(mirror, &entry);
    assert_int_equal(mirror_roles(mirror).kind, BOOT_LDM);
}

/* Linux on md and Windows on LDM, on the same two disks. */
static void the_program_that_entries_start_says_which_system(void **state)
{
    struct mirror *mirror = *state;
    struct volume_map map = mirror->machine.volumes;

    mirror_make_linux(mirror);
    mirror->machine.volumes = map;
    mirror->machine.copy_count = 2;
    for (size_t i = 0; i < 2; i++) {
        (void)mirror_add_file(mirror, i, MIRROR_MANAGER, 1600000, 'm');
        mirror->md[i].partition = MIRROR_MSR(i);
    }
    assert_int_equal(mirror_roles(mirror).kind, BOOT_MD);
    put_entry_for(mirror, 0, 0);
    assert_int_equal(mirror_roles(mirror).kind, BOOT_LDM);
}

/* Nothing else tells: no entry, and no volume that could be looked into. */
static void what_lies_on_a_stick_does_not_say_which_system(void **state)
{
    struct mirror *mirror = *state;

    mirror_make_linux(mirror);
    mirror->machine.md_count = 0;
    mirror_set_order(mirror, NULL, 0);
    (void)mirror_add_disk(mirror, DISK_USB);
    struct roles roles = mirror_roles(mirror);
    assert_int_equal(roles.kind, BOOT_NONE);
    assert_false(roles.windows);
}

static void disk_with_another_windows_is_no_member(void **state)
{
    struct mirror *mirror = *state;

    mirror_make_plain(mirror);
    mirror->copies[1].files[SYSTEM_LOADER] = ST_OK;
    mirror->copies[1].files[SYSTEM_KERNEL] = ST_OK;
    struct roles roles = mirror_roles(mirror);
    assert_members(&roles, "0:esp0:copy0");
    mirror->copies[1].ntfs.serial = mirror->copies[0].ntfs.serial;
    roles = mirror_roles(mirror);
    assert_members(&roles, "0:esp0:copy0 1:esp1:copy1");
}

static void esp_on_a_third_disk_starts_the_mirror_that_is_there(void **state)
{
    struct mirror *mirror = *state;
    size_t disk = mirror_add_disk(mirror, DISK_AHCI);

    mirror_drop_esp(mirror, 0);
    mirror_drop_esp(mirror, 1);
    mirror->esps[0] = mirror->esps[2];
    mirror->machine.esp_count = 1;
    put_entry_for(mirror, 0, disk);
    mirror_set_order(mirror, (uint16_t[]){0}, 1);
    for (int i = 0; i < 2; i++) {
        struct roles roles = mirror_roles(mirror);
        assert_members(&roles, "0:-:copy0 1:-:copy1");
        assert_int_equal(roles.primary, 0);
        assert_int_equal(roles.start_esp, 0);
        /* Without entries the ESP with the system's own loader counts. */
        mirror_set_order(mirror, NULL, 0);
    }
    /* One whose disk may carry a system of its own starts that. */
    mirror->partitions[MIRROR_MSR(disk)].kind = PT_LINUX_DATA;
    assert_int_equal(mirror_roles(mirror).start_esp, NO_INDEX);
    /* A stick may be gone any time. */
    mirror->partitions[MIRROR_MSR(disk)].kind = PT_BASIC_DATA;
    mirror->disks[disk].removable = true;
    assert_int_equal(mirror_roles(mirror).start_esp, NO_INDEX);
}

/* Its boot manager starts what its own store names. */
static void esp_of_another_system_does_not_start_this_one(void **state)
{
    struct mirror *mirror = *state;
    size_t disk = mirror_add_disk(mirror, DISK_AHCI);

    put_entry_for(mirror, 2, disk);
    mirror_set_order(mirror, (uint16_t[]){2, 1, 0}, 3);
    assert_int_equal(mirror_roles(mirror).start_esp, disk);
    mirror->partitions[MIRROR_MSR(disk)].kind = PT_LDM_DATA;
    assert_int_equal(mirror_roles(mirror).start_esp, 1);
}

/* Windows under BitLocker on a basic disk, and dynamic disks with data beside it. */
static void encrypted_volume_on_the_disk_that_starts_hides_the_system(void **state)
{
    struct mirror *mirror = *state;
    size_t disk = add_plain_windows(mirror, DISK_AHCI);

    mirror->copies[2].content = CONTENT_BITLOCKER;
    mirror->copies[2].status = ST_UNSUPPORTED;
    nobody_could_look_for_windows(mirror);
    mirror->volumes[0].drive_hint = "D:";
    put_entry_for(mirror, 2, disk);
    mirror_set_order(mirror, (uint16_t[]){2}, 1);
    struct roles roles = mirror_roles(mirror);
    assert_int_equal(roles.kind, BOOT_NONE);
    assert_true(roles.windows);
    assert_int_equal(roles.members[roles.primary].disk, disk);
    /* It is no system of this machine where nothing starts from its disk. */
    mirror_set_order(mirror, (uint16_t[]){0, 1}, 2);
    assert_int_equal(mirror_roles(mirror).kind, BOOT_LDM);
}

static void mirror_that_was_seen_to_carry_no_windows_is_data(void **state)
{
    struct mirror *mirror = *state;

    for (size_t i = 0; i < 2; i++)
        mirror->copies[i].files[SYSTEM_KERNEL] = ST_ABSENT;
    assert_int_equal(mirror_roles(mirror).kind, BOOT_LDM);
    mirror->volumes[0].drive_hint = "D:";
    assert_int_equal(mirror_roles(mirror).kind, BOOT_NONE);
}

static void call_array(struct md_member *member, const char *name)
{
    snprintf(member->name, sizeof(member->name), "%s", name);
}

/* Names as mdadm gives them; the ESPs' own array is none that a system is on. */
static void root_array_counts_before_swap_home_and_the_esps_own(void **state)
{
    static const struct {
        const char *first;
        const char *second;
        bool second_counts;
    } cases[] = {
        {"host:swap", "host:root", true},  {"host:root", "host:home", false},
        {"host:home", "host:0", true},     {"any:efi", "any:swap", true},
        {"host:md_root", "host:1", false},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mirror *mirror = mirror_new();
        mirror_make_linux(mirror);
        for (size_t j = 0; j < 2; j++) {
            mirror->md[2 + j] = mirror->md[j];
            mirror->md[2 + j].partition = MIRROR_MSR(j);
            mirror->md[2 + j].member.set.bytes[0] ^= 1;
            call_array(&mirror->md[j].member, cases[i].first);
            call_array(&mirror->md[2 + j].member, cases[i].second);
        }
        mirror->machine.md_count = 4;
        struct roles roles = mirror_roles(mirror);
        assert_members(&roles,
                       cases[i].second_counts ? "0:esp0:md2 1:esp1:md3" : "0:esp0:md0 1:esp1:md1");
        assert_false(roles.windows);
        mirror_free(mirror);
    }
    (void)state;
}

/* A second array on both disks, on these partitions. */
static void add_array(struct mirror *mirror, size_t first, size_t second)
{
    for (size_t i = 0; i < 2; i++) {
        mirror->md[2 + i] = mirror->md[i];
        mirror->md[2 + i].partition = i == 0 ? first : second;
        mirror->md[2 + i].member.set.bytes[0] ^= 1;
    }
    mirror->machine.md_count = 4;
}

static void of_two_arrays_the_larger_one_counts(void **state)
{
    struct mirror *mirror = *state;

    mirror_make_linux(mirror);
    add_array(mirror, MIRROR_MSR(0), MIRROR_MSR(1));
    struct roles roles = mirror_roles(mirror);
    assert_members(&roles, "0:esp0:md0 1:esp1:md1");
    for (size_t i = 0; i < 2; i++) {
        mirror->md[i].partition = MIRROR_MSR(i);
        mirror->md[2 + i].partition = MIRROR_DATA(i);
    }
    roles = mirror_roles(mirror);
    assert_members(&roles, "0:esp0:md2 1:esp1:md3");
}

/* The larger one has a spare in the place of a member. */
static void of_two_arrays_the_whole_one_counts(void **state)
{
    struct mirror *mirror = *state;

    mirror_make_linux(mirror);
    add_array(mirror, MIRROR_MSR(0), MIRROR_MSR(1));
    mirror->md[1].member.role = MD_ROLE_SPARE;
    struct roles roles = mirror_roles(mirror);
    assert_members(&roles, "0:esp0:md2 1:esp1:md3");
}

/* Whatever it is called: nobody has the system on what firmware starts from. */
static void array_that_bears_the_esps_is_not_the_system(void **state)
{
    struct mirror *mirror = *state;

    mirror_make_linux(mirror);
    add_array(mirror, MIRROR_ESP(0), MIRROR_ESP(1));
    for (size_t i = 0; i < 2; i++)
        call_array(&mirror->md[i].member, "host:home");
    struct roles roles = mirror_roles(mirror);
    assert_members(&roles, "0:esp0:md0 1:esp1:md1");
}

/* Some give the parts of an array the type of Linux' own data. */
static void part_of_an_array_hides_no_system(void **state)
{
    struct mirror *mirror = *state;

    mirror_make_linux(mirror);
    for (size_t i = 0; i < 2; i++) {
        mirror->partitions[MIRROR_DATA(i)].kind = PT_LINUX_DATA;
        call_array(&mirror->md[i].member, "host:home");
    }
    assert_int_equal(mirror_roles(mirror).kind, BOOT_MD);
}

/* Of other systems nobody can look inside here: a large partition on the disk that starts may hold
 * one, a small one only starts it. */
static void only_a_large_partition_hides_a_system(void **state)
{
    struct mirror *mirror = *state;

    mirror_make_linux(mirror);
    size_t disk = mirror_add_disk(mirror, DISK_AHCI);
    struct fixture_entry entry = mirror_windows_entry(mirror, 2, disk);
    struct partition *own = &mirror->partitions[MIRROR_MSR(disk)];
    mirror_drop_files(mirror, disk);
    (void)mirror_add_file(mirror, disk, MIRROR_SHIM, 900000, 's');
    entry.file = MIRROR_SHIM;
    entry.optional = FIXTURE_NONE;
    mirror_put_entry(mirror, &entry);
    mirror_set_order(mirror, (uint16_t[]){2, 0, 1}, 3);
    own->kind = PT_LINUX_DATA;
    own->block_count = mirror->partitions[MIRROR_DATA(0)].block_count;
    assert_int_equal(mirror_roles(mirror).kind, BOOT_NONE);
    own->block_count--;
    assert_int_equal(mirror_roles(mirror).kind, BOOT_MD);
}

static void tool_that_stands_first_says_nothing_of_the_system(void **state)
{
    struct mirror *mirror = *state;
    struct fixture_entry entry = mirror_windows_entry(mirror, 2, 0);

    entry.file = MIRROR_MEMTEST;
    entry.optional = FIXTURE_NONE;
    mirror_put_entry(mirror, &entry);
    mirror_set_order(mirror, (uint16_t[]){2, 1, 0}, 3);
    struct roles roles = mirror_roles(mirror);
    assert_int_equal(roles.primary, 1);
    assert_int_equal(roles.start_esp, 1);
}

/* A mirror of Linux on Disks 0 and 1, and a disk with Windows of its own; gives its index. */
static size_t make_linux_beside_windows(struct mirror *mirror)
{
    size_t disk = add_plain_windows(mirror, DISK_AHCI);
    struct system_copy windows = mirror->copies[mirror->machine.copy_count - 1];

    mirror_make_linux(mirror);
    mirror->copies[mirror->machine.copy_count++] = windows;
    return disk;
}

/* Puts what the ESP has in `from` under the removable-media path as well. */
static void copy_to_fallback(struct mirror *mirror, size_t esp, const char *from)
{
    struct file_content content = *mirror_content(mirror, esp, from);
    uint64_t size = mirror->files[esp][mirror_file(mirror, esp, from)].size;
    size_t file = mirror_add_file(mirror, esp, MIRROR_FALLBACK, size, 0);

    mirror->contents[esp][file] = content;
}

static void without_entries_the_removable_media_path_says_which_kind_of_system(void **state)
{
    struct mirror *mirror = *state;

    (void)make_linux_beside_windows(mirror);
    mirror_set_order(mirror, NULL, 0);
    assert_int_equal(mirror_roles(mirror).kind, BOOT_PLAIN);
    /* Shim without anything to start says nothing. */
    copy_to_fallback(mirror, 0, MIRROR_SHIM);
    assert_int_equal(mirror_roles(mirror).kind, BOOT_PLAIN);
    (void)mirror_add_file(mirror, 0, "\\EFI\\BOOT\\grubx64.efi", 1000, 'g');
    assert_int_equal(mirror_roles(mirror).kind, BOOT_MD);
}

/* Firmware compares the partition's number, and goes on where it is another one. */
static void entry_that_firmware_does_not_follow_does_not_say_which_system(void **state)
{
    struct mirror *mirror = *state;
    size_t disk = make_linux_beside_windows(mirror);
    struct fixture_entry entry = mirror_windows_entry(mirror, 2, disk);

    mirror_put_entry(mirror, &entry);
    mirror_set_order(mirror, (uint16_t[]){2, 0}, 2);
    assert_int_equal(mirror_roles(mirror).kind, BOOT_PLAIN);
    entry.partition.number += 4;
    mirror_put_entry(mirror, &entry);
    assert_int_equal(mirror_roles(mirror).kind, BOOT_MD);
}

static void disk_of_a_linux_mirror_is_no_member_of_plain_windows(void **state)
{
    struct mirror *mirror = *state;
    size_t disk = make_linux_beside_windows(mirror);

    put_entry_for(mirror, 2, disk);
    mirror_set_order(mirror, (uint16_t[]){2, 0, 1}, 3);
    struct roles roles = mirror_roles(mirror);
    assert_int_equal(roles.kind, BOOT_PLAIN);
    assert_int_equal(roles.member_count, 1);
    assert_int_equal(roles.members[0].disk, disk);
}

/* What starts is on a partition that nobody can look into: it may be mirrored to one like it. */
static void hidden_system_is_on_no_disk_without_room_for_it(void **state)
{
    struct mirror *mirror = *state;
    size_t disk = mirror_add_disk(mirror, DISK_AHCI);
    struct fixture_entry entry = mirror_windows_entry(mirror, 2, disk);

    mirror_make_linux(mirror);
    mirror->partitions[MIRROR_MSR(disk)].kind = PT_LINUX_DATA;
    mirror->partitions[MIRROR_MSR(disk)].block_count =
        mirror->partitions[MIRROR_DATA(0)].block_count;
    (void)mirror_add_file(mirror, disk, "\\EFI\\arch", 0, 0);
    (void)mirror_add_file(mirror, disk, "\\EFI\\arch\\grubx64.efi", 1000, 'g');
    entry.file = "\\EFI\\arch\\grubx64.efi";
    entry.optional = FIXTURE_NONE;
    mirror_put_entry(mirror, &entry);
    mirror_set_order(mirror, (uint16_t[]){2, 0, 1}, 3);
    struct roles roles = mirror_roles(mirror);
    assert_int_equal(roles.kind, BOOT_NONE);
    assert_int_equal(roles.member_count, 1);
    assert_int_equal(roles.members[0].disk, disk);
    mirror->partitions[MIRROR_MSR(1)].kind = PT_LINUX_DATA;
    mirror->partitions[MIRROR_MSR(1)].block_count = mirror->partitions[MIRROR_DATA(0)].block_count;
    roles = mirror_roles(mirror);
    assert_int_equal(roles.member_count, 2);
    assert_int_equal(roles.members[0].disk, 1);
}

static void of_equal_esps_the_one_with_the_lower_number_counts(void **state)
{
    struct mirror *mirror = *state;
    size_t second = mirror_add_second_esp(mirror);

    mirror_set_order(mirror, NULL, 0);
    assert_int_equal(roles_esp_of(&mirror->machine, 1), 1);
    mirror->partitions[MIRROR_ESP(1)].hd_number = 9;
    assert_int_equal(roles_esp_of(&mirror->machine, 1), second);
}

static void of_two_esps_the_one_with_a_loader_counts(void **state)
{
    struct mirror *mirror = *state;
    size_t second = mirror_add_second_esp(mirror);

    mirror_set_order(mirror, (uint16_t[]){0}, 1);
    assert_int_equal(roles_esp_of(&mirror->machine, 1), 1);
    mirror_drop_file(mirror, 1, MIRROR_MANAGER);
    assert_int_equal(roles_esp_of(&mirror->machine, 1), second);
    assert_int_equal(roles_esp_of(&mirror->machine, 7), NO_INDEX);
}

static void start_by_bios_is_known_by_the_mbr_or_a_bios_boot_partition(void **state)
{
    struct mirror *mirror = *state;
    struct disk *disk = &mirror->disks[1];

    assert_false(machine_disk_is_bios(&mirror->machine, 1));
    mirror_drop_esp(mirror, 1);
    assert_false(machine_disk_is_bios(&mirror->machine, 1));
    mirror->partitions[MIRROR_MSR(1)].kind = PT_BIOS_BOOT;
    assert_true(machine_disk_is_bios(&mirror->machine, 1));
    mirror->partitions[MIRROR_MSR(1)].kind = PT_MSR;
    mirror->partitions[MIRROR_DATA(1)].attributes = 4; /* legacy BIOS bootable */
    assert_true(machine_disk_is_bios(&mirror->machine, 1));
    mirror->partitions[MIRROR_DATA(1)].attributes = 0;
    disk->style = DISK_MBR;
    assert_false(machine_disk_is_bios(&mirror->machine, 1));
    disk->mbr.has_code = true;
    assert_true(machine_disk_is_bios(&mirror->machine, 1));
    disk->mbr.has_code = false;
    mirror->partitions[MIRROR_DATA(1)].active = true;
    assert_true(machine_disk_is_bios(&mirror->machine, 1));
    mirror->partitions[MIRROR_ESP(1)].kind = PT_ESP;
    assert_false(machine_disk_is_bios(&mirror->machine, 1));
}

/* --- Disks that are not here ---------------------------------------------------------------- */

static void disk_of_a_plex_that_is_not_here_is_missing(void **state)
{
    struct mirror *mirror = *state;

    mirror_lose_disk_1(mirror);
    struct roles roles = mirror_roles(mirror);
    assert_members(&roles, "0:esp0:copy0");
    assert_int_equal(roles.missing, 1);
    assert_int_equal(roles.shadow, NO_INDEX);
}

/* A volume that was extended has more than one piece on each disk. */
static void missing_disk_counts_once_however_many_pieces_it_held(void **state)
{
    struct mirror *mirror = *state;

    mirror_lose_disk_1(mirror);
    mirror->extents[2] = mirror->extents[1];
    mirror->plexes[1].extent_count = 2;
    mirror->machine.volumes.extent_count = 3;
    assert_int_equal(mirror_roles(mirror).missing, 1);
    mirror->extents[2].dynamic_disk = 2;
    assert_int_equal(mirror_roles(mirror).missing, 2);
}

/* The database of the other disk does not know which disk it is: nobody can say it is not the
 * one. */
static void forget_disk_1(struct mirror *mirror)
{
    mirror->dynamic_disks[1].disk = VOLUME_NONE;
    mirror->plexes[1].state = PLEX_MISSING;
    mirror->extents[1].disk = VOLUME_NONE;
    mirror->machine.copy_count = 1;
    mirror->notes[1].state = VOLUME_DISK_DAMAGED;
    mirror->notes[1].group = VOLUME_NONE;
    mirror->notes[1].is_member = false;
}

static void disk_with_unreadable_database_takes_the_missing_ones_place(void **state)
{
    struct mirror *mirror = *state;

    forget_disk_1(mirror);
    struct roles roles = mirror_roles(mirror);
    assert_members(&roles, "0:esp0:copy0 1:esp1:-");
    assert_int_equal(roles.missing, 0);
    assert_int_equal(roles.shadow, 1);
}

static void disk_of_another_group_takes_nobodys_place(void **state)
{
    struct mirror *mirror = *state;

    forget_disk_1(mirror);
    mirror->notes[1].group = 1;
    struct roles roles = mirror_roles(mirror);
    assert_members(&roles, "0:esp0:copy0");
    assert_int_equal(roles.missing, 1);
}

static void clone_takes_a_place_in_its_own_group_alone(void **state)
{
    struct mirror *mirror = *state;

    forget_disk_1(mirror);
    mirror->notes[1].group = 0;
    mirror->notes[1].is_clone = true;
    struct roles roles = mirror_roles(mirror);
    assert_members(&roles, "0:esp0:copy0 1:esp1:-");
    mirror->notes[1].group = 1;
    roles = mirror_roles(mirror);
    assert_members(&roles, "0:esp0:copy0");
}

static void removable_disk_takes_nobodys_place(void **state)
{
    struct mirror *mirror = *state;

    forget_disk_1(mirror);
    mirror->disks[1].removable = true;
    assert_int_equal(mirror_roles(mirror).missing, 1);
}

static void disk_without_readable_table_takes_the_missing_ones_place(void **state)
{
    struct mirror *mirror = *state;

    forget_disk_1(mirror);
    mirror->machine.volumes.disk_count = 1;
    assert_int_equal(mirror_roles(mirror).missing, 1);
    mirror->disks[1].primary.problem = GPT_BAD_HEADER_CRC;
    assert_int_equal(mirror_roles(mirror).missing, 1);
    mirror->disks[1].backup.problem = GPT_NO_SIGNATURE;
    assert_int_equal(mirror_roles(mirror).missing, 0);
}

static void unreadable_disk_takes_the_missing_ones_place(void **state)
{
    struct mirror *mirror = *state;

    forget_disk_1(mirror);
    mirror->machine.volumes.disk_count = 1;
    mirror->disks[1].status = ST_IO;
    struct roles roles = mirror_roles(mirror);
    assert_int_equal(roles.missing, 0);
    assert_int_equal(roles.members[1].disk, 1);
}

static void doubtful_disks_take_no_more_places_than_there_are(void **state)
{
    struct mirror *mirror = *state;
    size_t other = mirror_add_disk(mirror, DISK_AHCI);

    mirror->disks[other].status = ST_IO;
    struct roles roles = mirror_roles(mirror);
    assert_members(&roles, "0:esp0:copy0 1:esp1:copy1");
    forget_disk_1(mirror);
    roles = mirror_roles(mirror);
    assert_members(&roles, "0:esp0:copy0 1:esp1:-");
    assert_int_equal(roles.missing, 0);
}

static void doubtful_disk_takes_the_place_of_an_md_member(void **state)
{
    struct mirror *mirror = *state;

    mirror_make_md(mirror);
    mirror->machine.md_count = 1;
    mirror->disks[1].status = ST_IO;
    struct roles roles = mirror_roles(mirror);
    assert_members(&roles, "0:esp0:md0 1:esp1:-");
    assert_int_equal(roles.missing, 0);
}

/* -------------------------------------------------------------------------------------------- */

static void too_little_memory_is_told(void **state)
{
    struct mirror *mirror = *state;
    _Alignas(16) uint8_t memory[512];
    size_t size = 0;

    for (;; size++) {
        struct roles roles = {.missing = 77};
        struct arena arena;
        arena_init(&arena, memory, size);
        enum status status = roles_find(&arena, &mirror->machine, &roles);
        if (status == ST_OK)
            break;
        assert_int_equal(status, ST_NO_MEMORY);
        assert_int_equal(roles.missing, 77);
        assert_true(size < sizeof(memory));
    }
    assert_true(size > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mirror_set_up, mirror_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(volume_whose_copies_carry_windows_is_the_boot_volume),
        TEST(windows_on_one_copy_is_enough),
        TEST(windows_says_more_than_the_boot_flag),
        TEST(boot_flag_says_more_than_the_letter),
        TEST(letter_c_tells_among_mirrors),
        TEST(only_mirror_is_taken_without_any_mark),
        TEST(simple_volume_without_any_mark_is_no_boot_volume),
        TEST(plain_windows_says_more_than_a_mirror_without_marks),
        TEST(plain_windows_is_found_where_it_is),
        TEST(plain_windows_on_a_disk_without_esp_makes_it_a_member),
        TEST(md_mirror_is_the_boot_volume_of_linux),
        TEST(md_members_that_are_not_here_are_counted),
        TEST(md_set_of_another_array_is_left_out),
        TEST(md_of_another_level_is_no_mirror),
        TEST(md_member_without_esp_is_a_member),
        TEST(md_members_that_are_behind_are_not_current),
        TEST(md_spare_is_no_member),
        TEST(md_on_disks_without_esp_is_data),
        TEST(plain_windows_says_more_than_md),
        TEST(member_without_esp_is_a_member),
        TEST(esp_that_an_entry_uses_counts_before_the_first),
        TEST(esp_that_entries_come_to_first_counts),
        TEST(disk_of_no_copy_is_no_member),
        TEST(without_a_boot_volume_members_are_disks_that_something_starts_from),
        TEST(machine_without_anything_has_no_members),
        TEST(primary_is_the_member_that_boot_order_comes_to_first),
        TEST(entries_that_lead_elsewhere_do_not_make_a_primary),
        TEST(entry_outside_boot_order_makes_no_primary),
        TEST(without_entries_the_member_with_the_loader_is_primary),
        TEST(disks_of_one_raid_are_known),
        TEST(without_esps_the_first_member_is_primary),
        TEST(the_disk_that_entries_lead_to_says_which_system),
        TEST(stick_that_entries_lead_to_says_nothing),
        TEST(the_disk_that_an_entry_of_older_windows_names_says_which_system),
        TEST(the_program_that_entries_start_says_which_system),
        TEST(what_lies_on_a_stick_does_not_say_which_system),
        TEST(disk_with_another_windows_is_no_member),
        TEST(esp_on_a_third_disk_starts_the_mirror_that_is_there),
        TEST(esp_of_another_system_does_not_start_this_one),
        TEST(encrypted_volume_on_the_disk_that_starts_hides_the_system),
        TEST(mirror_that_was_seen_to_carry_no_windows_is_data),
        cmocka_unit_test(root_array_counts_before_swap_home_and_the_esps_own),
        TEST(of_two_arrays_the_larger_one_counts),
        TEST(of_two_arrays_the_whole_one_counts),
        TEST(array_that_bears_the_esps_is_not_the_system),
        TEST(part_of_an_array_hides_no_system),
        TEST(only_a_large_partition_hides_a_system),
        TEST(tool_that_stands_first_says_nothing_of_the_system),
        TEST(without_entries_the_removable_media_path_says_which_kind_of_system),
        TEST(entry_that_firmware_does_not_follow_does_not_say_which_system),
        TEST(disk_of_a_linux_mirror_is_no_member_of_plain_windows),
        TEST(hidden_system_is_on_no_disk_without_room_for_it),
        TEST(of_equal_esps_the_one_with_the_lower_number_counts),
        TEST(of_two_esps_the_one_with_a_loader_counts),
        TEST(start_by_bios_is_known_by_the_mbr_or_a_bios_boot_partition),
        TEST(disk_of_a_plex_that_is_not_here_is_missing),
        TEST(missing_disk_counts_once_however_many_pieces_it_held),
        TEST(disk_with_unreadable_database_takes_the_missing_ones_place),
        TEST(disk_of_another_group_takes_nobodys_place),
        TEST(clone_takes_a_place_in_its_own_group_alone),
        TEST(removable_disk_takes_nobodys_place),
        TEST(disk_without_readable_table_takes_the_missing_ones_place),
        TEST(unreadable_disk_takes_the_missing_ones_place),
        TEST(doubtful_disks_take_no_more_places_than_there_are),
        TEST(doubtful_disk_takes_the_place_of_an_md_member),
        TEST(too_little_memory_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
