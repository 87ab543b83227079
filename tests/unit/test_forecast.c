/* What happens when of all members only one is left: each rule, and each reason in its words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/mirror_fixture.h"
#include "unit/secure_fixture.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#define STOPS_WITHOUT " Windows' boot manager stops with 0xc000000f."
#define NO_STORE      "Its ESP has no boot store " MIRROR_STORE ":" STOPS_WITHOUT
#define NOT_WINDOWS   "Its copy of the boot volume does not carry Windows."
#define NO_LOADER     "Its copy of the boot volume does not carry Windows:" STOPS_WITHOUT

#define NONE (-1) /* no entry */

#define BY_FILE                                                                                  \
    "Boot0000 \"Windows Boot Manager\" names a file and no disk: some firmware looks for it on " \
    "all disks, removable ones first, other firmware starts nothing by it."
#define BY_FALLBACK                                                                          \
    "No boot entry starts it: only the removable-media path does, which not every firmware " \
    "tries on a fixed disk."

struct start_case {
    const char *what;
    void (*inflict)(struct mirror *mirror);
    size_t member;
    enum verdict verdict;
    int entry; /* number of the variable */
    const char *reason;
};

static void assert_start(struct mirror *mirror, const struct start_case *wanted)
{
    struct forecast forecast = mirror_forecast(mirror, wanted->member);
    int entry = forecast.entry == NO_INDEX ? NONE : mirror->machine.entries[forecast.entry].number;

    if (forecast.verdict != wanted->verdict || entry != wanted->entry ||
        strcmp(forecast.reason, wanted->reason) != 0)
        print_error("%s: %s by %d: \"%s\"\n", wanted->what, verdict_name(forecast.verdict), entry,
                    forecast.reason);
    assert_int_equal(forecast.verdict, wanted->verdict);
    assert_int_equal(entry, wanted->entry);
    assert_string_equal(forecast.reason, wanted->reason);
}

static void assert_starts(const struct start_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct mirror *mirror = mirror_new();
        if (cases[i].inflict != NULL)
            cases[i].inflict(mirror);
        assert_start(mirror, &cases[i]);
        mirror_free(mirror);
    }
}

/* --- Which entries are tried ---------------------------------------------------------------- */

static void make_inactive(struct mirror *mirror)
{
    struct fixture_entry entry = mirror_windows_entry(mirror, 1, 1);

    entry.inactive = true;
    mirror_put_entry(mirror, &entry);
}

static void make_application(struct mirror *mirror)
{
    mirror->machine.entries[1].option.attributes |= LOAD_OPTION_CATEGORY_APP;
}

static void make_unknown_category(struct mirror *mirror)
{
    mirror->machine.entries[1].option.attributes |= 0x1000;
}

static void hide(struct mirror *mirror)
{
    mirror->machine.entries[1].option.attributes |=
        LOAD_OPTION_HIDDEN | LOAD_OPTION_FORCE_RECONNECT;
}

static void leave_out_of_order(struct mirror *mirror)
{
    mirror_set_order(mirror, (uint16_t[]){0}, 1);
}

static void damage_entry(struct mirror *mirror)
{
    mem_vars_put(mirror->host->vars, NULL, "Boot0001", 7, "bad", 3);
    mirror_read_entries(mirror);
}

static void drop_all_entries(struct mirror *mirror)
{
    mirror_drop_entry(mirror, 0);
    mirror_drop_entry(mirror, 1);
}

static void point_next_elsewhere(struct mirror *mirror)
{
    struct fixture_entry shell = {.number = 2, .description = "Shell", .form = FIXTURE_FV};

    mirror_put_entry(mirror, &shell);
    fixture_set_u16(mirror->host, "BootNext", 2);
    mirror_read_entries(mirror);
}

static void only_active_boot_entries_in_order_are_tried(void **state)
{
    static const struct start_case cases[] = {
        {"healthy primary", NULL, 0, VERDICT_STARTS, 0, ""},
        {"healthy shadow", NULL, 1, VERDICT_STARTS, 1, ""},
        {"inactive", make_inactive, 1, VERDICT_FALLBACK, NONE, BY_FALLBACK},
        {"application", make_application, 1, VERDICT_FALLBACK, NONE, BY_FALLBACK},
        {"category", make_unknown_category, 1, VERDICT_FALLBACK, NONE, BY_FALLBACK},
        {"hidden", hide, 1, VERDICT_STARTS, 1, ""},
        {"not in order", leave_out_of_order, 1, VERDICT_FALLBACK, NONE, BY_FALLBACK},
        {"damaged", damage_entry, 1, VERDICT_FALLBACK, NONE, BY_FALLBACK},
        {"no entries", drop_all_entries, 0, VERDICT_FALLBACK, NONE, BY_FALLBACK},
        {"BootNext", point_next_elsewhere, 0, VERDICT_STARTS, 0, ""},
    };

    (void)state;
    assert_starts(cases, COUNT_OF(cases));
}

/* --- Where their paths lead ----------------------------------------------------------------- */

static void put_shadow_entry(struct mirror *mirror, enum fixture_path form,
                             struct host_partition place)
{
    struct fixture_entry entry = mirror_windows_entry(mirror, 1, 1);

    entry.form = form;
    entry.partition = place;
    mirror_put_entry(mirror, &entry);
}

static void use_full_path(struct mirror *mirror)
{
    put_shadow_entry(mirror, FIXTURE_FULL, mirror_place(mirror, MIRROR_ESP(1)));
}

static void use_full_path_of_disk_0(struct mirror *mirror)
{
    struct host_partition place = mirror_place(mirror, MIRROR_ESP(1));

    place.disk = 0;
    put_shadow_entry(mirror, FIXTURE_FULL, place);
}

/* The hardware in the path is none that is here. */
static void move_disk_1(struct mirror *mirror)
{
    size_t other = host_add_disk(mirror->host, DISK_NVME, 512, 1000);

    use_full_path(mirror);
    mirror->disks[1].path = mirror->host->blocks[other].path;
    mirror_read_entries(mirror);
}

static void change_hd(struct mirror *mirror, enum fixture_path form, int number, int start,
                      int size)
{
    struct host_partition place = mirror_place(mirror, MIRROR_ESP(1));

    place.number += (uint32_t)number;
    place.start += (uint64_t)start;
    place.size += (uint64_t)size;
    put_shadow_entry(mirror, form, place);
}

static void short_with_other_number(struct mirror *mirror)
{
    change_hd(mirror, FIXTURE_SHORT, 1, 0, 0);
}

static void short_with_other_start(struct mirror *mirror)
{
    change_hd(mirror, FIXTURE_SHORT, 0, 8, 0);
}

static void short_with_other_size(struct mirror *mirror)
{
    change_hd(mirror, FIXTURE_SHORT, 0, 0, 7);
}

static void full_with_other_number(struct mirror *mirror)
{
    change_hd(mirror, FIXTURE_FULL, 1, 0, 0);
}

static void full_with_other_start(struct mirror *mirror)
{
    change_hd(mirror, FIXTURE_FULL, 0, 8, 0);
}

static void full_with_other_size(struct mirror *mirror)
{
    change_hd(mirror, FIXTURE_FULL, 0, 0, 7);
}

static void name_absent_partition(struct mirror *mirror)
{
    put_shadow_entry(mirror, FIXTURE_SHORT, fixture_partition_named(ARTICLE_ESP_0));
}

static void name_file_only(struct mirror *mirror, const char *file)
{
    struct fixture_entry entry = mirror_windows_entry(mirror, 0, 0);

    entry.form = FIXTURE_FILE;
    entry.file = file;
    mirror_put_entry(mirror, &entry);
    mirror_set_order(mirror, (uint16_t[]){0}, 1);
}

static void name_manager_only(struct mirror *mirror)
{
    name_file_only(mirror, MIRROR_MANAGER);
}

static void name_absent_file_only(struct mirror *mirror)
{
    name_file_only(mirror, "\\EFI\\rescue.efi");
}

/* Firmware finds it on another ESP, whose disk is no member. */
static void name_file_of_stick_only(struct mirror *mirror)
{
    size_t disk = mirror_add_disk(mirror, DISK_USB);

    mirror_add_file(mirror, disk, "\\EFI\\rescue.efi", 100, 'r');
    name_absent_file_only(mirror);
}

static void name_file_of_stick_beside_a_third_disk(struct mirror *mirror)
{
    name_file_of_stick_only(mirror);
    (void)mirror_add_disk(mirror, DISK_AHCI);
}

/* Both ESPs have one GUID: with the primary gone the primary's entry leads to the shadow. */
static void make_guid_twins(struct mirror *mirror)
{
    mirror->partitions[MIRROR_ESP(1)].unique = mirror->partitions[MIRROR_ESP(0)].unique;
    mirror_read_entries(mirror);
}

static void leave_out_the_file(struct mirror *mirror)
{
    struct fixture_entry entry = mirror_windows_entry(mirror, 1, 1);

    entry.file = NULL;
    mirror_put_entry(mirror, &entry);
}

static void point_to_data_partition(struct mirror *mirror)
{
    put_shadow_entry(mirror, FIXTURE_SHORT, mirror_place(mirror, MIRROR_DATA(1)));
}

static void no_esp_type(struct mirror *mirror)
{
    mirror_drop_esp(mirror, 1);
}

static void paths_are_followed_as_firmware_does(void **state)
{
    static const struct start_case cases[] = {
        {"full", use_full_path, 1, VERDICT_STARTS, 1, ""},
        {"other hardware", use_full_path_of_disk_0, 1, VERDICT_FALLBACK, NONE, BY_FALLBACK},
        {"absent hardware", move_disk_1, 1, VERDICT_FALLBACK, NONE, BY_FALLBACK},
        /* edk2 compares identity and number of a short path, and all of a full one. */
        {"short, number", short_with_other_number, 1, VERDICT_FALLBACK, NONE, BY_FALLBACK},
        {"short, start", short_with_other_start, 1, VERDICT_STARTS, 1, ""},
        {"short, size", short_with_other_size, 1, VERDICT_STARTS, 1, ""},
        {"full, number", full_with_other_number, 1, VERDICT_FALLBACK, NONE, BY_FALLBACK},
        {"full, start", full_with_other_start, 1, VERDICT_FALLBACK, NONE, BY_FALLBACK},
        {"full, size", full_with_other_size, 1, VERDICT_FALLBACK, NONE, BY_FALLBACK},
        {"absent partition", name_absent_partition, 1, VERDICT_FALLBACK, NONE, BY_FALLBACK},
        {"GUID twins", make_guid_twins, 1, VERDICT_STARTS, 0, ""},
        {"file only", name_manager_only, 0, VERDICT_PERHAPS, 0, BY_FILE},
        {"file only", name_manager_only, 1, VERDICT_PERHAPS, 0, BY_FILE},
        {"absent file only", name_absent_file_only, 1, VERDICT_FALLBACK, NONE, BY_FALLBACK},
        {"file of stick", name_file_of_stick_only, 1, VERDICT_FALLBACK, NONE, BY_FALLBACK},
        {"file of stick, disk", name_file_of_stick_beside_a_third_disk, 1, VERDICT_FALLBACK, NONE,
         BY_FALLBACK},
        {"no file", leave_out_the_file, 1, VERDICT_STARTS, 1, ""},
        {"retyped", no_esp_type, 1, VERDICT_UNKNOWN, 1,
         "Disk 1 Partition 1, which is no ESP, is not looked into."},
        {"no ESP", point_to_data_partition, 1, VERDICT_UNKNOWN, 1,
         "Disk 1 Partition 4, which is no ESP, is not looked into."},
    };

    (void)state;
    assert_starts(cases, COUNT_OF(cases));
}

/* --- Entries that start something else ------------------------------------------------------ */

static void put_first(struct mirror *mirror, const struct fixture_entry *entry)
{
    mirror_put_entry(mirror, entry);
    mirror_set_order(mirror, (uint16_t[]){entry->number, 0, 1}, 3);
}

static void put_form_first(struct mirror *mirror, enum fixture_path form)
{
    struct fixture_entry entry = {
        .number = 2, .description = "EFI Shell", .form = form, .partition.disk = 7};

    put_first(mirror, &entry);
}

static void put_shell_first(struct mirror *mirror)
{
    put_form_first(mirror, FIXTURE_FV);
}

static void put_shell_between(struct mirror *mirror)
{
    put_form_first(mirror, FIXTURE_FV);
    mirror_set_order(mirror, (uint16_t[]){0, 2, 1}, 3);
}

static void put_shell_last(struct mirror *mirror)
{
    put_form_first(mirror, FIXTURE_FV);
    mirror_set_order(mirror, (uint16_t[]){0, 1, 2}, 3);
}

static void put_inactive_shell_first(struct mirror *mirror)
{
    put_shell_first(mirror);
    mirror->machine.entries[0].option.attributes = 0;
}

static void put_cd_first(struct mirror *mirror)
{
    put_form_first(mirror, FIXTURE_ATAPI);
}

static void put_bbs_first(struct mirror *mirror)
{
    put_form_first(mirror, FIXTURE_BBS);
}

/* An entry for the ESP of a third disk, or for all of that disk. */
static void put_third_disk_first(struct mirror *mirror, enum disk_controller controller,
                                 enum fixture_path form)
{
    size_t disk = mirror_add_disk(mirror, controller);
    struct fixture_entry entry = mirror_windows_entry(mirror, 2, disk);

    entry.form = form;
    entry.partition = mirror_place(mirror, mirror->disks[disk].first_partition);
    if (form == FIXTURE_DISK) {
        entry.file = NULL;
        entry.optional = FIXTURE_AUTO_CREATED;
    }
    put_first(mirror, &entry);
}

static void put_other_esp_first(struct mirror *mirror)
{
    put_third_disk_first(mirror, DISK_AHCI, FIXTURE_SHORT);
}

static void put_other_disk_first(struct mirror *mirror)
{
    put_third_disk_first(mirror, DISK_AHCI, FIXTURE_DISK);
}

static void put_empty_disk_first(struct mirror *mirror)
{
    put_third_disk_first(mirror, DISK_AHCI, FIXTURE_DISK);
    mirror_drop_file(mirror, 2, MIRROR_FALLBACK);
}

static void put_stick_first(struct mirror *mirror)
{
    put_third_disk_first(mirror, DISK_USB, FIXTURE_DISK);
}

/* Disks that are no members are tried along, sticks are not. */
static void put_stick_first_beside_a_third_disk(struct mirror *mirror)
{
    put_stick_first(mirror);
    (void)mirror_add_disk(mirror, DISK_AHCI);
}

static void put_partition_of_stick_first(struct mirror *mirror)
{
    put_third_disk_first(mirror, DISK_USB, FIXTURE_SHORT);
}

static void other_programs_before_the_entry_stop_the_start(void **state)
{
    static const char shell[] = "Before it, the firmware starts Boot0002 \"EFI Shell\".";
    static const struct start_case cases[] = {
        {"Shell first", put_shell_first, 0, VERDICT_FAILS, 2, shell},
        {"Shell first", put_shell_first, 1, VERDICT_FAILS, 2, shell},
        {"Shell between", put_shell_between, 0, VERDICT_STARTS, 0, ""},
        {"Shell between", put_shell_between, 1, VERDICT_FAILS, 2, shell},
        {"Shell last", put_shell_last, 1, VERDICT_STARTS, 1, ""},
        {"inactive Shell", put_inactive_shell_first, 1, VERDICT_STARTS, 1, ""},
        {"CD", put_cd_first, 1, VERDICT_STARTS, 1, ""},
        {"legacy", put_bbs_first, 1, VERDICT_STARTS, 1, ""},
        /* The mirror is started from there now: it is not alone with that disk, and starts by its
         * own entry without. */
        {"third disk's ESP", put_other_esp_first, 1, VERDICT_STARTS, 1, ""},
        {"third disk", put_other_disk_first, 1, VERDICT_STARTS, 1, ""},
        {"third disk, no file", put_empty_disk_first, 1, VERDICT_STARTS, 1, ""},
        {"stick", put_stick_first, 1, VERDICT_STARTS, 1, ""},
        {"stick and disk", put_stick_first_beside_a_third_disk, 1, VERDICT_STARTS, 1, ""},
        {"stick's partition", put_partition_of_stick_first, 1, VERDICT_STARTS, 1, ""},
    };

    (void)state;
    assert_starts(cases, COUNT_OF(cases));
}

/* A disk of another machine in the middle of the order. Its LDM partition may carry a system. */
static void put_foreign_disk(struct mirror *mirror, const uint16_t *order)
{
    size_t disk = mirror_add_disk(mirror, DISK_AHCI);
    struct fixture_entry entry = mirror_windows_entry(mirror, 2, disk);

    mirror->partitions[MIRROR_MSR(disk)].kind = PT_LDM_DATA;
    entry.description = "Old server";
    mirror_put_entry(mirror, &entry);
    mirror_set_order(mirror, order, 3);
}

static void put_foreign_disk_between(struct mirror *mirror)
{
    put_foreign_disk(mirror, (uint16_t[]){0, 2, 1});
}

static void put_foreign_disk_last(struct mirror *mirror)
{
    put_foreign_disk(mirror, (uint16_t[]){0, 1, 2});
}

static void put_foreign_disk_between_without_file(struct mirror *mirror)
{
    put_foreign_disk_between(mirror);
    mirror_drop_file(mirror, 2, MIRROR_MANAGER);
}

static void put_foreign_disk_behind_broken_entry(struct mirror *mirror)
{
    put_foreign_disk_last(mirror);
    mirror_drop_file(mirror, 1, MIRROR_MANAGER);
    mirror_drop_file(mirror, 1, MIRROR_FALLBACK);
}

static void put_tool(struct mirror *mirror, const char *file)
{
    struct fixture_entry entry = mirror_windows_entry(mirror, 2, 1);

    (void)mirror_add_file(mirror, 1, file, 300000, 't');
    entry.file = file;
    entry.description = "Extra";
    entry.optional = FIXTURE_NONE;
    put_first(mirror, &entry);
}

static void put_shell_file_first(struct mirror *mirror)
{
    put_tool(mirror, "\\EFI\\tools\\shellx64.efi");
}

static void put_unknown_first(struct mirror *mirror)
{
    put_tool(mirror, "\\EFI\\vendor\\start.efi");
}

/* The disk with the only ESP is no member: each member hangs on it. */
static void put_only_esp_on_third_disk(struct mirror *mirror)
{
    size_t disk = mirror_add_disk(mirror, DISK_AHCI);
    struct fixture_entry entry = mirror_windows_entry(mirror, 0, disk);

    mirror_drop_esp(mirror, 0);
    mirror_drop_esp(mirror, 1);
    mirror->esps[0] = mirror->esps[2];
    mirror->machine.esp_count = 1;
    mirror_put_entry(mirror, &entry);
    mirror_set_order(mirror, (uint16_t[]){0}, 1);
}

/* What starts has to be the system, and each disk is tried without all others and with those that
 * are no members. */
static void what_is_no_copy_starts_something_else(void **state)
{
#define OLD \
    "the firmware starts Boot0002 \"Old server\" on Disk 2, which is no copy of this system."
    static const struct start_case cases[] = {
        {"before, first", put_foreign_disk_between, 0, VERDICT_STARTS, 0, ""},
        {"before", put_foreign_disk_between, 1, VERDICT_FAILS, 2, "Before it, " OLD},
        {"behind", put_foreign_disk_last, 1, VERDICT_STARTS, 1, ""},
        {"no file", put_foreign_disk_between_without_file, 1, VERDICT_STARTS, 1, ""},
        {"instead", put_foreign_disk_behind_broken_entry, 1, VERDICT_FAILS, NONE,
         "Its ESP has no " MIRROR_MANAGER ". Instead, " OLD},
        {"only ESP", put_only_esp_on_third_disk, 0, VERDICT_FAILS, NONE,
         "It has no EFI System Partition: it is started from that of Disk 2, and not without that "
         "disk."},
        {"Shell in a file", put_shell_file_first, 1, VERDICT_FAILS, 2,
         "Before it, the firmware starts Boot0002 \"Extra\", a UEFI Shell, which starts no "
         "system."},
        {"Shell of the other disk", put_shell_file_first, 0, VERDICT_STARTS, 0, ""},
        {"unknown", put_unknown_first, 1, VERDICT_UNKNOWN, 2,
         "Boot0002 \"Extra\" starts \\EFI\\vendor\\start.efi, and what that is cannot be told."},
    };

    (void)state;
    assert_starts(cases, COUNT_OF(cases));
}

static void disk_that_starts_in_a_members_place_is_named(void **state)
{
    struct mirror *mirror = *state;

    put_foreign_disk_between(mirror);
    struct forecast forecast = mirror_forecast(mirror, 1);
    assert_int_equal(mirror->machine.entries[forecast.instead].number, 2);
    assert_false(forecast.other);
    assert_int_equal(mirror_forecast(mirror, 0).instead, NO_INDEX);
}

static void starting_something_else_is_marked(void **state)
{
    static const struct {
        void (*inflict)(struct mirror *mirror);
        bool other;
    } cases[] = {{put_shell_first, true},
                 {put_other_esp_first, false},
                 {put_other_disk_first, false},
                 {put_stick_first, false},
                 {put_shell_last, false}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mirror *mirror = mirror_new();
        cases[i].inflict(mirror);
        assert_int_equal(mirror_forecast(mirror, 1).other, cases[i].other);
        mirror_free(mirror);
    }
}

static void disk_that_is_no_member_blocks_what_comes_behind(void **state)
{
    struct mirror *mirror = *state;

    put_foreign_disk_between(mirror);
    struct roles roles = mirror_roles(mirror);
    assert_int_equal(forecast_blocker(&mirror->machine, &roles, 3), 1);
    assert_int_equal(forecast_blocker(&mirror->machine, &roles, 1), NO_INDEX);
    assert_int_equal(forecast_blocker(&mirror->machine, NULL, 3), NO_INDEX);
}

static void the_first_shell_before_an_entry_blocks_it(void **state)
{
    struct mirror *mirror = *state;

    assert_int_equal(forecast_blocker(&mirror->machine, NULL, 1), NO_INDEX);
    put_shell_between(mirror);
    assert_int_equal(forecast_blocker(&mirror->machine, NULL, 1), NO_INDEX);
    assert_int_equal(forecast_blocker(&mirror->machine, NULL, 2), 1);
    mirror->machine.entries[1].option.attributes = 0;
    assert_int_equal(forecast_blocker(&mirror->machine, NULL, 2), NO_INDEX);
}

/* --- Whole disks and the removable-media path ----------------------------------------------- */

static void put_whole_disk(struct mirror *mirror, size_t disk)
{
    struct fixture_entry entry = {.number = (uint16_t)disk,
                                  .description = "UEFI Disk",
                                  .form = FIXTURE_DISK,
                                  .partition.disk = disk,
                                  .optional = FIXTURE_AUTO_CREATED};

    mirror_put_entry(mirror, &entry);
}

static void use_whole_disks(struct mirror *mirror)
{
    put_whole_disk(mirror, 0);
    put_whole_disk(mirror, 1);
}

static void use_whole_disks_without_fallback(struct mirror *mirror)
{
    use_whole_disks(mirror);
    mirror_drop_file(mirror, 1, MIRROR_FALLBACK);
}

static void use_whole_disks_without_esp(struct mirror *mirror)
{
    use_whole_disks(mirror);
    mirror_drop_esp(mirror, 1);
}

static void fallback_on_second_esp_only(struct mirror *mirror)
{
    use_whole_disks(mirror);
    (void)mirror_add_second_esp(mirror);
    mirror_drop_file(mirror, 1, MIRROR_FALLBACK);
}

/* The first file that starts is final, also when another ESP has a better one. */
static void broken_fallback_before_a_good_one(struct mirror *mirror)
{
    use_whole_disks(mirror);
    (void)mirror_add_second_esp(mirror);
    mirror_content(mirror, 1, MIRROR_FALLBACK)->program = PE_BAD_DIGEST;
}

static void no_entry_no_fallback(struct mirror *mirror)
{
    leave_out_of_order(mirror);
    mirror_drop_file(mirror, 1, MIRROR_FALLBACK);
}

static void no_entry_no_fallback_folder(struct mirror *mirror)
{
    leave_out_of_order(mirror);
    mirror_drop_file(mirror, 1, "\\EFI\\BOOT");
}

static void no_entry_no_files(struct mirror *mirror)
{
    leave_out_of_order(mirror);
    mirror_drop_files(mirror, 1);
}

static void no_entry_broken_fallback(struct mirror *mirror)
{
    leave_out_of_order(mirror);
    mirror_content(mirror, 1, MIRROR_FALLBACK)->program = PE_ZERO_FILLED;
}

static void no_entry_refused_fallback(struct mirror *mirror)
{
    leave_out_of_order(mirror);
    mirror_content(mirror, 1, MIRROR_FALLBACK)->program = PE_ZERO;
}

/* Another partition is in its place now. */
static void no_esp(struct mirror *mirror)
{
    mirror_drop_esp(mirror, 1);
    mirror->partitions[MIRROR_ESP(1)].unique.bytes[0] ^= 0xff;
    mirror_read_entries(mirror);
}

static void other_architecture(struct mirror *mirror)
{
    leave_out_of_order(mirror);
    mirror->machine.architecture = "AA64";
    mirror->machine.fallback = "\\EFI\\BOOT\\BOOTAA64.EFI";
}

/* As U-Boot is: its variables are a file on Disk 0, and it tries each disk's fallback. */
static void keep_entries_on_disk_0(struct mirror *mirror)
{
    mirror->machine.tries_fallback = true;
    mirror->machine.variables_in_file = true;
    mirror->machine.variables_place = MIRROR_ESP(0);
}

static void keep_entries_on_disk_0_without_fallbacks(struct mirror *mirror)
{
    keep_entries_on_disk_0(mirror);
    mirror_drop_file(mirror, 0, MIRROR_FALLBACK);
    mirror_drop_file(mirror, 1, MIRROR_FALLBACK);
}

static void keep_no_entries(struct mirror *mirror)
{
    leave_out_of_order(mirror);
    keep_entries_on_disk_0(mirror);
}

static void entries_in_a_file_are_gone_with_its_disk(void **state)
{
    static const struct start_case cases[] = {
        {"disk with the file", keep_entries_on_disk_0, 0, VERDICT_STARTS, 0, ""},
        {"the other disk", keep_entries_on_disk_0, 1, VERDICT_STARTS, NONE, ""},
        {"disk with the file", keep_entries_on_disk_0_without_fallbacks, 0, VERDICT_STARTS, 0, ""},
        {"no fallback", keep_entries_on_disk_0_without_fallbacks, 1, VERDICT_FAILS, NONE,
         "The boot entries are on Disk 0, and gone with it. Its ESP has no "
         "\\EFI\\BOOT\\BOOTX64.EFI."},
        {"no entries", keep_no_entries, 1, VERDICT_STARTS, NONE, ""},
    };

    (void)state;
    assert_starts(cases, COUNT_OF(cases));
}

static void fallback_is_the_way_of_whole_disks_and_the_last_resort(void **state)
{
    static const struct start_case cases[] = {
        {"whole disks", use_whole_disks, 0, VERDICT_STARTS, 0, ""},
        {"whole disks", use_whole_disks, 1, VERDICT_STARTS, 1, ""},
        {"no fallback", use_whole_disks_without_fallback, 1, VERDICT_FAILS, NONE,
         "No boot entry starts from its ESP. Its ESP has no \\EFI\\BOOT\\BOOTX64.EFI."},
        {"no ESP", use_whole_disks_without_esp, 1, VERDICT_FAILS, NONE,
         "It has no EFI System Partition."},
        {"second ESP", fallback_on_second_esp_only, 1, VERDICT_STARTS, 1, ""},
        {"broken first", broken_fallback_before_a_good_one, 1, VERDICT_FAILS, 1,
         "\\EFI\\BOOT\\BOOTX64.EFI is damaged: its content is not what was signed."},
        {"nothing", no_entry_no_fallback, 1, VERDICT_FAILS, NONE,
         "No boot entry starts from its ESP. Its ESP has no \\EFI\\BOOT\\BOOTX64.EFI."},
        {"no folder", no_entry_no_fallback_folder, 1, VERDICT_FAILS, NONE,
         "No boot entry starts from its ESP. Its ESP has no \\EFI\\BOOT."},
        {"no files", no_entry_no_files, 1, VERDICT_FAILS, NONE,
         "No boot entry starts from its ESP. Its ESP has no \\EFI."},
        {"broken", no_entry_broken_fallback, 1, VERDICT_FAILS, NONE,
         "\\EFI\\BOOT\\BOOTX64.EFI is damaged: parts of it have been overwritten with zeros."},
        {"refused", no_entry_refused_fallback, 1, VERDICT_FAILS, NONE,
         "No boot entry starts from its ESP. \\EFI\\BOOT\\BOOTX64.EFI is damaged: it holds nothing "
         "but zeros."},
        {"no ESP at all", no_esp, 1, VERDICT_FAILS, NONE, "It has no EFI System Partition."},
        {"architecture", other_architecture, 1, VERDICT_FAILS, NONE,
         "No boot entry starts from its ESP. Its ESP has no \\EFI\\BOOT\\BOOTAA64.EFI."},
    };

    (void)state;
    assert_starts(cases, COUNT_OF(cases));
}

/* --- The ESP -------------------------------------------------------------------------------- */

static void set_esp(struct mirror *mirror, enum status status, enum volume_content content)
{
    mirror->esps[1].status = status;
    mirror->esps[1].content = content;
    mirror_drop_files(mirror, 1);
}

static void make_esp_unformatted(struct mirror *mirror)
{
    set_esp(mirror, ST_ABSENT, CONTENT_EMPTY);
}

static void make_esp_ntfs(struct mirror *mirror)
{
    set_esp(mirror, ST_ABSENT, CONTENT_NTFS);
}

static void make_esp_damaged(struct mirror *mirror)
{
    set_esp(mirror, ST_DAMAGED, CONTENT_FAT);
}

static void make_esp_unreadable(struct mirror *mirror)
{
    set_esp(mirror, ST_IO, CONTENT_UNKNOWN);
}

static void make_boot_sector_bad(struct mirror *mirror)
{
    mirror->esps[1].volume.from_backup = true;
}

static void make_sectors_larger(struct mirror *mirror)
{
    mirror->esps[1].report.problems[FAT_SECTOR_SIZE] = 1;
}

static void make_esp_a_piece_of_an_array(struct mirror *mirror)
{
    static struct md_volume volume;

    volume = (struct md_volume){.partition = MIRROR_ESP(1), .use = MD_PIECE};
    mirror->machine.md_volumes = &volume;
    mirror->machine.md_volume_count = 1;
}

static void drop_protective_mbr(struct mirror *mirror)
{
    mirror->disks[1].mbr.protective_at_lba_1 = false;
}

static void make_mbr_unreadable(struct mirror *mirror)
{
    mirror->disks[1].mbr_unreadable = true;
}

/* A disk with an MBR has no protective one. */
static void make_mbr_disk(struct mirror *mirror)
{
    struct fixture_entry entry = mirror_windows_entry(mirror, 1, 1);

    mirror->disks[1].style = DISK_MBR;
    mirror->disks[1].mbr.protective_at_lba_1 = false;
    mirror_put_entry(mirror, &entry);
}

static void drop_manager_folder(struct mirror *mirror)
{
    mirror_drop_file(mirror, 1, "\\EFI\\Microsoft");
    mirror_drop_file(mirror, 1, MIRROR_FALLBACK);
}

static void drop_manager(struct mirror *mirror)
{
    mirror_drop_file(mirror, 1, MIRROR_MANAGER);
    mirror_drop_file(mirror, 1, MIRROR_FALLBACK);
}

static void cut_check_short(struct mirror *mirror)
{
    mirror_drop_file(mirror, 1, MIRROR_MANAGER);
    mirror->esps[1].report.complete = false;
    mirror->esps[1].report.listed = false;
}

static void state_of_the_esp_decides(void **state)
{
    static const struct start_case cases[] = {
        {"unformatted", make_esp_unformatted, 1, VERDICT_FAILS, NONE, "Its ESP is not formatted."},
        {"NTFS", make_esp_ntfs, 1, VERDICT_FAILS, NONE,
         "Its ESP cannot be used: it has no FAT file system."},
        {"damaged", make_esp_damaged, 1, VERDICT_FAILS, NONE, "Its ESP cannot be used: damaged."},
        {"unreadable", make_esp_unreadable, 1, VERDICT_FAILS, NONE,
         "Its ESP cannot be used: device error."},
        {"boot sector", make_boot_sector_bad, 1, VERDICT_FAILS, NONE,
         "The boot sector of its ESP is damaged."},
        {"sectors", make_sectors_larger, 1, VERDICT_UNKNOWN, 1,
         "The file system of its ESP has sectors of another size than the disk, which not every "
         "firmware reads."},
        {"piece of an array", make_esp_a_piece_of_an_array, 1, VERDICT_FAILS, NONE,
         "Its ESP is a part of a Linux RAID that firmware cannot put together."},
        {"no protective MBR", drop_protective_mbr, 1, VERDICT_FAILS, NONE,
         "Its protective MBR is missing, so firmware does not look at its partitions."},
        {"unreadable MBR", make_mbr_unreadable, 1, VERDICT_FAILS, NONE,
         "Its protective MBR is missing, so firmware does not look at its partitions."},
        {"no protective MBR on the other", drop_protective_mbr, 0, VERDICT_STARTS, 0, ""},
        {"MBR", make_mbr_disk, 1, VERDICT_FALLBACK, NONE, BY_FALLBACK},
        {"no folder", drop_manager_folder, 1, VERDICT_FAILS, NONE,
         "Its ESP has no \\EFI\\Microsoft."},
        {"no file", drop_manager, 1, VERDICT_FAILS, NONE, "Its ESP has no " MIRROR_MANAGER "."},
        {"cut short", cut_check_short, 1, VERDICT_UNKNOWN, 1,
         "The check of its ESP was cut short."},
    };

    (void)state;
    assert_starts(cases, COUNT_OF(cases));
}

/* --- Secure Boot ------------------------------------------------------------------------------ */

/* Secure Boot is on, with this digest in dbx; db is empty. The manager of ESP 1 gets signers. */
static struct pe_signers *judge_shadow(struct mirror *mirror, const char *path,
                                       const struct sha256 *forbidden)
{
    static const struct guid kind = KIND_SHA256;
    static const struct guid owner = OWNER_ANY;
    static struct secure_bytes lists;
    static struct pe_signers signers;

    lists.size = 0;
    secure_put_list(&lists, &kind, &owner, span_of(forbidden->bytes, sizeof(forbidden->bytes)));
    signers = (struct pe_signers){.table = ST_ABSENT, .has_digest = true};
    mirror_content(mirror, 1, path)->signers = &signers;
    mirror->machine.secure = (struct secure_boot){.status = ST_OK, .on = true};
    mirror->machine.secure.lists[SECURE_DBX] = (struct secure_list){
        .status = ST_OK, .lists = secure_span(&lists), .counts = {[SIGNATURE_SHA256] = 1}};
    return &signers;
}

static void refuse_manager(struct mirror *mirror)
{
    const struct sha256 other = {{1}};

    judge_shadow(mirror, MIRROR_MANAGER, &other);
}

static void refuse_manager_while_off(struct mirror *mirror)
{
    refuse_manager(mirror);
    mirror->machine.secure.on = false;
}

static void refuse_manager_and_copy(struct mirror *mirror)
{
    refuse_manager(mirror);
    mirror_content(mirror, 1, MIRROR_FALLBACK)->signers =
        mirror_content(mirror, 1, MIRROR_MANAGER)->signers;
}

static void have_manager_of_a_form_that_is_not_known(struct mirror *mirror)
{
    const struct sha256 other = {{1}};

    judge_shadow(mirror, MIRROR_MANAGER, &other)->has_digest = false;
}

static void alter_manager(struct mirror *mirror)
{
    refuse_manager(mirror);
    mirror_content(mirror, 1, MIRROR_MANAGER)->program = PE_BAD_DIGEST;
}

/* Its digest is in db, and its number below that in dbx, which it looks at from 2.0 on. */
static void lag_behind(struct mirror *mirror, uint32_t svn)
{
    const struct sha256 none = {{0}};
    struct pe_signers *signers = judge_shadow(mirror, MIRROR_MANAGER, &none);

    mirror->machine.secure.lists[SECURE_DB] = mirror->machine.secure.lists[SECURE_DBX];
    mirror->machine.secure.lists[SECURE_DBX] = (struct secure_list){.status = ST_ABSENT};
    mirror->machine.secure.lists[SECURE_DBX].svns[SVN_BOOT_MANAGER] = 9u << 16;
    signers->mark = PE_MARK_WINDOWS_MANAGER;
    signers->has_svn = true;
    signers->svn = svn;
}

static void lag_behind_by_a_number(struct mirror *mirror)
{
    lag_behind(mirror, 2u << 16);
}

static void lag_behind_and_not_look(struct mirror *mirror)
{
    lag_behind(mirror, (2u << 16) - 1);
}

static void what_secure_boot_refuses_gives_way(void **state)
{
    static const struct start_case cases[] = {
        {"refused", refuse_manager, 1, VERDICT_FALLBACK, NONE, BY_FALLBACK},
        {"refused while off", refuse_manager_while_off, 1, VERDICT_STARTS, 1, ""},
        {"refused with its copy", refuse_manager_and_copy, 1, VERDICT_FAILS, NONE,
         "Secure Boot refuses " MIRROR_MANAGER ": it is not signed, and its digest is not in db."},
        {"of the other disk", refuse_manager_and_copy, 0, VERDICT_STARTS, 0, ""},
        {"not known", have_manager_of_a_form_that_is_not_known, 1, VERDICT_UNKNOWN, 1,
         "Whether Secure Boot takes it is not known of " MIRROR_MANAGER
         ": it hangs on an unusual form, or a digest other than SHA-256."},
        {"altered", alter_manager, 1, VERDICT_FALLBACK, NONE, BY_FALLBACK},
        {"number", lag_behind_by_a_number, 1, VERDICT_PERHAPS, 1,
         MIRROR_MANAGER " may refuse to go on: its security version number is below that in dbx."},
        {"number of an old one", lag_behind_and_not_look, 1, VERDICT_STARTS, 1, ""},
    };

    (void)state;
    assert_starts(cases, COUNT_OF(cases));
}

/* --- The program ---------------------------------------------------------------------------- */

static struct fat_file *manager(struct mirror *mirror)
{
    return &mirror->files[1][mirror_file(mirror, 1, MIRROR_MANAGER)];
}

static void manager_is_directory(struct mirror *mirror)
{
    manager(mirror)->is_directory = true;
    mirror_drop_file(mirror, 1, MIRROR_FALLBACK);
}

static void manager_is_unreadable_by_its_chain(struct mirror *mirror)
{
    manager(mirror)->status = ST_DAMAGED;
    mirror_drop_file(mirror, 1, MIRROR_FALLBACK);
}

static void manager_is_empty(struct mirror *mirror)
{
    manager(mirror)->size = 0;
    mirror_drop_file(mirror, 1, MIRROR_FALLBACK);
}

static void manager_has_bad_blocks(struct mirror *mirror)
{
    mirror_content(mirror, 1, MIRROR_MANAGER)->status = ST_IO;
    mirror_drop_file(mirror, 1, MIRROR_FALLBACK);
}

static void manager_is_empty_with_fallback(struct mirror *mirror)
{
    manager(mirror)->size = 0;
}

static void unread_contents_are_taken_for_good(struct mirror *mirror)
{
    mirror_make_quick(mirror);
}

static void name_is_of_another_case(struct mirror *mirror)
{
    struct fixture_entry entry = mirror_windows_entry(mirror, 1, 1);

    entry.file = "\\efi\\MICROSOFT\\boot\\BootMgfw.EFI";
    mirror_put_entry(mirror, &entry);
}

static void program_has_to_be_read(void **state)
{
    static const struct start_case cases[] = {
        {"directory", manager_is_directory, 1, VERDICT_FAILS, NONE,
         MIRROR_MANAGER " cannot be read from its ESP."},
        {"chain", manager_is_unreadable_by_its_chain, 1, VERDICT_FAILS, NONE,
         MIRROR_MANAGER " cannot be read from its ESP."},
        {"empty", manager_is_empty, 1, VERDICT_FAILS, NONE,
         MIRROR_MANAGER " cannot be read from its ESP."},
        {"bad blocks", manager_has_bad_blocks, 1, VERDICT_FAILS, NONE,
         MIRROR_MANAGER " cannot be read: device error."},
        {"empty, fallback", manager_is_empty_with_fallback, 1, VERDICT_FALLBACK, NONE, BY_FALLBACK},
        {"quick", unread_contents_are_taken_for_good, 1, VERDICT_STARTS, 1, ""},
        {"case", name_is_of_another_case, 1, VERDICT_STARTS, 1, ""},
    };

    (void)state;
    assert_starts(cases, COUNT_OF(cases));
}

/* Refused by firmware (UEFI Specification, LoadImage): the next one gets its turn. */
static const struct {
    enum pe_verdict program;
    bool refused;
    const char *reason;
} programs[] = {
    {PE_NOT_AN_IMAGE, true, "it is not an EFI program"},
    {PE_EMPTY, true, "it is empty"},
    {PE_ZERO, true, "it holds nothing but zeros"},
    {PE_OTHER_MACHINE, true, "it is a program for another architecture"},
    {PE_NOT_EFI, true, "it is a program, but not one that firmware starts"},
    {PE_TRUNCATED, true, "it is shorter than its own headers say"},
    {PE_ZERO_FILLED, false, "parts of it have been overwritten with zeros"},
    {PE_BAD_CHECKSUM, false, "its content does not match the checksum in its header"},
    {PE_BAD_DIGEST, false, "its content is not what was signed"},
};

static void refused_programs_give_way_and_broken_ones_are_final(void **state)
{
    char reason[256];

    (void)state;
    assert_int_equal(COUNT_OF(programs), PE_VERDICT_COUNT - 1);
    for (size_t i = 0; i < COUNT_OF(programs); i++) {
        struct mirror *mirror = mirror_new();
        snprintf(reason, sizeof(reason), MIRROR_MANAGER " is damaged: %s.", programs[i].reason);
        struct start_case with_fallback = {"program", NULL, 1, VERDICT_FALLBACK, NONE, BY_FALLBACK};
        struct start_case final = {"program", NULL, 1, VERDICT_FAILS, 1, reason};
        struct start_case without_fallback = {"program", NULL, 1, VERDICT_FAILS, NONE, reason};
        mirror_content(mirror, 1, MIRROR_MANAGER)->program = programs[i].program;
        mirror_content(mirror, 1, MIRROR_MANAGER)->checksum = 1; /* the other ESP's is another */
        assert_start(mirror, programs[i].refused ? &with_fallback : &final);
        mirror_drop_file(mirror, 1, MIRROR_FALLBACK);
        assert_start(mirror, programs[i].refused ? &without_fallback : &final);
        mirror_free(mirror);
    }
}

static void stale_checksum(struct mirror *mirror)
{
    mirror_content(mirror, 1, MIRROR_MANAGER)->program = PE_BAD_CHECKSUM;
}

static void stale_checksum_of_other_size(struct mirror *mirror)
{
    struct file_content *content = mirror_content(mirror, 1, MIRROR_MANAGER);

    content->program = PE_BAD_CHECKSUM;
    content->checksum = 1;
    manager(mirror)->size++;
}

/* All copies have it: nothing tells that the content was another one. */
static void stale_checksum_everywhere(struct mirror *mirror)
{
    for (size_t i = 0; i < 2; i++) {
        mirror_content(mirror, i, MIRROR_MANAGER)->program = PE_BAD_CHECKSUM;
        mirror_content(mirror, i, MIRROR_MANAGER)->checksum = 1;
        mirror_content(mirror, i, MIRROR_FALLBACK)->program = PE_BAD_CHECKSUM;
    }
}

static void fallback_tells_of_a_change(struct mirror *mirror)
{
    stale_checksum_everywhere(mirror);
    mirror_content(mirror, 1, MIRROR_FALLBACK)->program = PE_GOOD;
}

static void stale_checksum_without_store(struct mirror *mirror)
{
    stale_checksum(mirror);
    mirror_drop_file(mirror, 1, MIRROR_STORE);
}

static void stale_checksum_alone_is_no_damage(void **state)
{
#define WRONG "its content does not match the checksum in its header."
#define STALE                                                                                \
    MIRROR_MANAGER " may be damaged: " WRONG " Most firmware does not look at that, and it " \
                   "starts if nothing else is wrong with it."
    static const struct start_case cases[] = {
        {"stale", stale_checksum, 1, VERDICT_PERHAPS, 1, STALE},
        {"of another size", stale_checksum_of_other_size, 1, VERDICT_PERHAPS, 1, STALE},
        {"everywhere", stale_checksum_everywhere, 1, VERDICT_PERHAPS, 1, STALE},
        {"changed", fallback_tells_of_a_change, 1, VERDICT_FAILS, 1,
         MIRROR_MANAGER " is damaged: " WRONG},
        {"no store", stale_checksum_without_store, 1, VERDICT_FAILS, 1, NO_STORE},
    };

    (void)state;
    assert_starts(cases, COUNT_OF(cases));
}

/* --- The boot store ------------------------------------------------------------------------- */

static void drop_store(struct mirror *mirror)
{
    mirror_drop_file(mirror, 1, MIRROR_STORE);
}

static void drop_store_unseen(struct mirror *mirror)
{
    mirror_drop_file(mirror, 1, MIRROR_STORE);
    mirror->esps[1].report.complete = false;
    mirror->esps[1].report.listed = false;
}

static void spoil_store(struct mirror *mirror)
{
    mirror->esps[1].store_status = ST_IO;
}

static void dirty_store(struct mirror *mirror)
{
    mirror->esps[1].store = REGF_DIRTY;
    mirror->esps[1].store_recovery = REGF_RECOVERY_NO_LOG;
}

static void dirty_store_with_log(struct mirror *mirror)
{
    mirror->esps[1].store = REGF_DIRTY;
    mirror->esps[1].store_recovery = REGF_RECOVERED;
}

static void dirty_store_with_log_without_windows(struct mirror *mirror)
{
    dirty_store_with_log(mirror);
    mirror->copies[1].files[SYSTEM_KERNEL] = ST_ABSENT;
}

static void break_store(struct mirror *mirror)
{
    mirror->esps[1].store = REGF_DAMAGED;
}

static void make_store_no_hive(struct mirror *mirror)
{
    mirror->esps[1].store = REGF_NOT_A_HIVE;
}

/* Any name does: the optional data says that it is Windows' boot manager. */
static void rename_manager(struct mirror *mirror)
{
    struct fixture_entry entry = mirror_windows_entry(mirror, 1, 1);

    mirror_drop_file(mirror, 1, MIRROR_MANAGER);
    (void)mirror_add_file(mirror, 1, "\\EFI\\win.efi", 1600000, 'x');
    entry.file = "\\EFI\\win.efi";
    mirror_put_entry(mirror, &entry);
    dirty_store(mirror);
}

static void use_shim(struct mirror *mirror)
{
    struct fixture_entry entry = mirror_windows_entry(mirror, 1, 1);

    (void)mirror_add_file(mirror, 1, MIRROR_SHIM, 900000, 's');
    (void)mirror_add_file(mirror, 1, MIRROR_GRUB, 1500000, 'g');
    (void)mirror_add_file(mirror, 1, MIRROR_SETTINGS, 100, 'c');
    entry.file = MIRROR_SHIM;
    entry.optional = FIXTURE_NONE;
    mirror_put_entry(mirror, &entry);
    dirty_store(mirror);
}

/* The fallback file is known for the boot manager by its content. */
static void fallback_with_bad_store(struct mirror *mirror)
{
    leave_out_of_order(mirror);
    break_store(mirror);
}

/* Also where Windows runs nobody knows what another fallback file is. */
static void other_fallback_with_bad_store(struct mirror *mirror)
{
    leave_out_of_order(mirror);
    break_store(mirror);
    mirror_content(mirror, 1, MIRROR_FALLBACK)->digest.bytes[0] = 's';
}

/* No boot volume is known: only contents tell. */
static void forget_windows(struct mirror *mirror)
{
    mirror_make_plain(mirror);
    mirror->machine.copy_count = 0;
}

static void shim_as_fallback_with_bad_store(struct mirror *mirror)
{
    other_fallback_with_bad_store(mirror);
    forget_windows(mirror);
}

static void fallback_with_bad_store_alone(struct mirror *mirror)
{
    fallback_with_bad_store(mirror);
    forget_windows(mirror);
}

/* Without contents the sizes tell. */
static void quick_fallback_without_store(struct mirror *mirror)
{
    leave_out_of_order(mirror);
    drop_store(mirror);
    forget_windows(mirror);
    mirror_make_quick(mirror);
}

static void quick_shim_as_fallback_without_store(struct mirror *mirror)
{
    leave_out_of_order(mirror);
    drop_store(mirror);
    forget_windows(mirror);
    mirror_make_quick(mirror);
    mirror->files[1][mirror_file(mirror, 1, MIRROR_FALLBACK)].size--;
}

/* It is the same program as the other ESP's boot manager. */
static void fallback_without_manager_and_store(struct mirror *mirror)
{
    leave_out_of_order(mirror);
    mirror_drop_file(mirror, 1, "\\EFI\\Microsoft");
    forget_windows(mirror);
}

static void shim_as_fallback_alone(struct mirror *mirror)
{
    fallback_without_manager_and_store(mirror);
    mirror_content(mirror, 1, MIRROR_FALLBACK)->digest.bytes[0] = 's';
}

static void fallback_without_manager(struct mirror *mirror)
{
    leave_out_of_order(mirror);
    mirror_drop_file(mirror, 1, MIRROR_MANAGER);
}

static void use_shim_without_grub(struct mirror *mirror)
{
    use_shim(mirror);
    mirror_drop_file(mirror, 1, MIRROR_GRUB);
}

static void use_shim_with_broken_grub(struct mirror *mirror)
{
    use_shim(mirror);
    mirror_content(mirror, 1, MIRROR_GRUB)->program = PE_TRUNCATED;
}

static void boot_manager_needs_its_store(void **state)
{
#define STORE "Its boot store " MIRROR_STORE ": "
#define NOT_COMPLETE                                                                             \
    "it was not written completely, and there is no log of the unfinished write. Windows' boot " \
    "manager stops with 0xc000000f."
#define UNSEEN "What " MIRROR_FALLBACK " is, and which system it starts, cannot be told."
    static const struct start_case cases[] = {
        {"absent", drop_store, 1, VERDICT_FAILS, 1, NO_STORE},
        {"unseen", drop_store_unseen, 1, VERDICT_UNKNOWN, 1,
         "Its boot store was not looked for: the check was cut short."},
        {"unreadable", spoil_store, 1, VERDICT_FAILS, 1, STORE "device error."},
        {"dirty", dirty_store, 1, VERDICT_FAILS, 1, STORE NOT_COMPLETE},
        {"broken", break_store, 1, VERDICT_FAILS, 1, STORE "its structure is broken."},
        {"no hive", make_store_no_hive, 1, VERDICT_FAILS, 1,
         STORE "it is not a registry hive. Windows' boot manager stops with 0xc000014c."},
        {"other name", rename_manager, 1, VERDICT_FAILS, 1, STORE NOT_COMPLETE},
        {"dirty, with log", dirty_store_with_log, 1, VERDICT_STARTS, 1, ""},
        {"dirty, with log, no Windows", dirty_store_with_log_without_windows, 1, VERDICT_FAILS, 1,
         NOT_WINDOWS},
        {"shim", use_shim, 1, VERDICT_UNKNOWN, 1,
         MIRROR_GRUB " is GRUB, and whether it goes on to Windows cannot be told."},
        {"shim with broken GRUB", use_shim_with_broken_grub, 1, VERDICT_FAILS, 1,
         MIRROR_SHIM " starts " MIRROR_GRUB ", which is damaged."},
        {"shim without GRUB", use_shim_without_grub, 1, VERDICT_FAILS, 1,
         "\\EFI\\debian\\shimx64.efi starts \\EFI\\debian\\grubx64.efi, which is not there."},
        {"fallback", fallback_with_bad_store, 1, VERDICT_FAILS, NONE,
         STORE "its structure is broken."},
        {"other fallback", other_fallback_with_bad_store, 1, VERDICT_UNKNOWN, NONE, UNSEEN},
        {"fallback, no LDM", fallback_with_bad_store_alone, 1, VERDICT_FAILS, NONE,
         STORE "its structure is broken."},
        {"shim as fallback", shim_as_fallback_with_bad_store, 1, VERDICT_UNKNOWN, NONE, UNSEEN},
        {"quick fallback", quick_fallback_without_store, 1, VERDICT_FAILS, NONE, NO_STORE},
        {"quick shim", quick_shim_as_fallback_without_store, 1, VERDICT_UNKNOWN, NONE, UNSEEN},
        {"fallback alone", fallback_without_manager_and_store, 1, VERDICT_FAILS, NONE, NO_STORE},
        {"shim alone", shim_as_fallback_alone, 1, VERDICT_UNKNOWN, NONE, UNSEEN},
        {"no manager", fallback_without_manager, 1, VERDICT_FALLBACK, NONE, BY_FALLBACK},
    };

    (void)state;
    assert_starts(cases, COUNT_OF(cases));
}

/* --- The system ----------------------------------------------------------------------------- */

static void states_of_the_plex_decide(void **state)
{
    static const struct {
        enum plex_state plex;
        enum verdict verdict;
    } cases[] = {{PLEX_GOOD, VERDICT_STARTS},      {PLEX_DOUBTFUL, VERDICT_UNKNOWN},
                 {PLEX_REBUILDING, VERDICT_FAILS}, {PLEX_STALE, VERDICT_FAILS},
                 {PLEX_FAILED, VERDICT_FAILS},     {PLEX_MISSING, VERDICT_FAILS}};
    struct mirror *mirror = *state;

    mirror->plexes[1].reason = "so it is";
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct start_case wanted = {
            "plex",
            NULL,
            1,
            cases[i].verdict,
            1,
            cases[i].plex == PLEX_GOOD ? ""
                                       : "Its copy of Volume1 (C:) cannot be relied on: so it is."};
        mirror->plexes[1].state = cases[i].plex;
        assert_start(mirror, &wanted);
        assert_int_equal(mirror_forecast(mirror, 0).verdict, VERDICT_STARTS);
    }
}

static void states_of_the_database_decide(void **state)
{
    static const struct {
        enum volume_disk_state database;
        enum verdict verdict;
    } cases[] = {{VOLUME_DISK_OK, VERDICT_STARTS},         {VOLUME_DISK_ABSENT, VERDICT_FAILS},
                 {VOLUME_DISK_UNREADABLE, VERDICT_FAILS},  {VOLUME_DISK_DAMAGED, VERDICT_FAILS},
                 {VOLUME_DISK_UNSUPPORTED, VERDICT_FAILS}, {VOLUME_DISK_BEHIND, VERDICT_STARTS},
                 {VOLUME_DISK_CONFLICT, VERDICT_UNKNOWN}};
    struct mirror *mirror = *state;

    mirror->notes[1].reason = "so it is";
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct start_case wanted = {
            "database",
            NULL,
            1,
            cases[i].verdict,
            1,
            cases[i].verdict == VERDICT_STARTS ? "" : "Its LDM database cannot be used: so it is."};
        mirror->notes[1].state = cases[i].database;
        assert_start(mirror, &wanted);
        assert_int_equal(mirror_forecast(mirror, 0).verdict, VERDICT_STARTS);
    }
}

/* Whichever of the two Windows takes, its database is good. */
static void database_that_two_disks_claim_is_not_relied_on(void **state)
{
    struct mirror *mirror = *state;
    struct start_case wanted = {
        "clone", NULL, 1, VERDICT_UNKNOWN, 1, "Another disk claims to be the same LDM disk."};

    mirror->notes[1].is_clone = true;
    assert_start(mirror, &wanted);
    assert_int_equal(mirror_forecast(mirror, 0).verdict, VERDICT_STARTS);
}

static void encrypt(struct mirror *mirror)
{
    mirror->copies[1].content = CONTENT_BITLOCKER;
    mirror->copies[1].status = ST_UNSUPPORTED;
}

static void break_ntfs_boot(struct mirror *mirror)
{
    mirror->copies[1].ntfs.boot = NTFS_BOOT_DAMAGED;
}

static void break_ntfs_backup(struct mirror *mirror)
{
    mirror->copies[1].ntfs.backup = NTFS_BOOT_DAMAGED;
}

static void drop_loader(struct mirror *mirror)
{
    mirror->copies[1].files[SYSTEM_LOADER] = ST_ABSENT;
}

static void drop_kernel(struct mirror *mirror)
{
    mirror->copies[1].files[SYSTEM_KERNEL] = ST_ABSENT;
}

static void drop_manager_of_windows(struct mirror *mirror)
{
    mirror->copies[1].files[SYSTEM_BOOT_MANAGER] = ST_ABSENT;
}

static void drop_ntfs(struct mirror *mirror)
{
    mirror->copies[1].status = ST_ABSENT;
    mirror->copies[1].content = CONTENT_EMPTY;
}

static void break_index(struct mirror *mirror)
{
    mirror->copies[1].files[SYSTEM_KERNEL] = ST_DAMAGED;
}

static void break_ntfs(struct mirror *mirror)
{
    mirror->copies[1].status = ST_DAMAGED;
}

static void spoil_ntfs(struct mirror *mirror)
{
    mirror->copies[1].status = ST_IO;
}

/* A disk whose table was lost has no copy that can be looked at. */
static void forget_copy(struct mirror *mirror)
{
    mirror->machine.copy_count = 1;
}

static void mark_dirty(struct mirror *mirror)
{
    mirror->copies[1].ntfs.dirty = true;
}

static void copy_on_the_disk_decides(void **state)
{
#define NOT_SEEN "Its copy of the boot volume cannot be looked into: "
    static const struct start_case cases[] = {
        {"BitLocker", encrypt, 1, VERDICT_UNKNOWN, 1,
         "Its copy is encrypted by BitLocker: nobody can look inside."},
        {"boot sector", break_ntfs_boot, 1, VERDICT_FAILS, 1,
         "The NTFS boot sector of its copy is damaged."},
        {"backup", break_ntfs_backup, 1, VERDICT_STARTS, 1, ""},
        {"loader", drop_loader, 1, VERDICT_FAILS, 1, NO_LOADER},
        {"kernel", drop_kernel, 1, VERDICT_FAILS, 1, NOT_WINDOWS},
        {"spare boot manager", drop_manager_of_windows, 1, VERDICT_STARTS, 1, ""},
        {"no NTFS", drop_ntfs, 1, VERDICT_FAILS, 1, NOT_WINDOWS},
        {"index", break_index, 1, VERDICT_UNKNOWN, 1, NOT_SEEN "damaged."},
        {"MFT", break_ntfs, 1, VERDICT_UNKNOWN, 1, NOT_SEEN "damaged."},
        {"bad blocks", spoil_ntfs, 1, VERDICT_UNKNOWN, 1, NOT_SEEN "device error."},
        {"no copy", forget_copy, 1, VERDICT_FAILS, 1, "It holds no complete copy of Volume1 (C:)."},
        {"dirty", mark_dirty, 1, VERDICT_STARTS, 1, ""},
        {"other disk's", drop_kernel, 0, VERDICT_STARTS, 0, ""},
    };

    (void)state;
    assert_starts(cases, COUNT_OF(cases));
}

static void plain_on_disk_without_esp(struct mirror *mirror)
{
    size_t disk = mirror_add_disk(mirror, DISK_AHCI);

    mirror_make_plain(mirror);
    mirror_drop_esp(mirror, disk);
    mirror->copies[0].disk = disk;
    mirror->copies[0].partition = MIRROR_MSR(disk);
}

static void plain_on_both(struct mirror *mirror)
{
    mirror_make_plain(mirror);
    mirror->copies[1].files[SYSTEM_LOADER] = ST_OK;
    mirror->copies[1].files[SYSTEM_KERNEL] = ST_OK;
    mirror->copies[1].ntfs.serial = mirror->copies[0].ntfs.serial;
}

static void plain_with_bad_boot_sector(struct mirror *mirror)
{
    plain_on_both(mirror);
    break_ntfs_boot(mirror);
}

static void nothing_known(struct mirror *mirror)
{
    mirror_make_plain(mirror);
    mirror->machine.copy_count = 0;
}

static void md_member_is_behind(struct mirror *mirror)
{
    mirror_make_linux(mirror);
    mirror->md[0].member.events = 9;
    mirror->md[1].member.events = 7;
}

/* The superblock is lost, and what the disk is otherwise cannot be read either. */
static void md_member_is_doubtful(struct mirror *mirror)
{
    mirror_make_linux(mirror);
    mirror->machine.md_count = 1;
    mirror->notes[1].group = VOLUME_NONE;
    mirror->machine.volumes.disks = mirror->notes;
    mirror->machine.volumes.disk_count = 2;
}

/* What Windows would need is not asked for. */
static void md_with_plain_copies(struct mirror *mirror)
{
    mirror_make_linux(mirror);
    mirror->esps[1].store_status = ST_ABSENT;
}

static void without_ldm_windows_is_where_it_is(void **state)
{
#define MD_OLD "Its part of the md array is out of date."
    static const struct start_case cases[] = {
        {"here", mirror_make_plain, 0, VERDICT_STARTS, 0, ""},
        {"gone", mirror_make_plain, 1, VERDICT_FAILS, 1,
         "Windows itself is on Disk 0, and not mirrored."},
        {"on a third disk", plain_on_disk_without_esp, 1, VERDICT_FAILS, 1,
         "Windows itself is on Disk 2, and not mirrored."},
        {"on both", plain_on_both, 1, VERDICT_STARTS, 1, ""},
        {"boot sector", plain_with_bad_boot_sector, 1, VERDICT_FAILS, 1,
         "The NTFS boot sector of its copy is damaged."},
        {"not known", nothing_known, 1, VERDICT_UNKNOWN, 1,
         "No volume with Windows was found that could be looked into."},
        {"md", md_with_plain_copies, 1, VERDICT_STARTS, 1, ""},
        {"md, Windows' boot manager", mirror_make_md, 1, VERDICT_FAILS, 1,
         MIRROR_MANAGER " is Windows Boot Manager, which does not start the system on the md "
                        "array."},
        {"md, behind", md_member_is_behind, 1, VERDICT_FAILS, 1, MD_OLD},
        {"md, ahead", md_member_is_behind, 0, VERDICT_STARTS, 0, ""},
        {"md, doubtful", md_member_is_doubtful, 1, VERDICT_FAILS, 1,
         "It holds no part of the md array."},
    };

    (void)state;
    assert_starts(cases, COUNT_OF(cases));
}

/* --- Itanium -------------------------------------------------------------------------------- */

/* KB 814070: both entries start from one ESP, and name the system's partition themselves. */
static void put_itanium_entries(struct mirror *mirror, size_t os_of_first, size_t os_of_second)
{
    struct fixture_entry entry = mirror_windows_entry(mirror, 0, 1);

    (void)mirror_add_file(mirror, 1, IA64LDR, 900000, 'i');
    entry.file = IA64LDR;
    entry.optional = FIXTURE_WINDOWS;
    entry.options = "";
    entry.directory = "\\WINDOWS";
    entry.os = mirror_place(mirror, os_of_first);
    mirror_put_entry(mirror, &entry);
    entry.number = 1;
    entry.os = mirror_place(mirror, os_of_second);
    mirror_put_entry(mirror, &entry);
}

static void itanium_pair(struct mirror *mirror)
{
    put_itanium_entries(mirror, MIRROR_DATA(0), MIRROR_DATA(1));
}

/* The primary is started by another program than the shadow's. */
static void itanium_on_the_shadow(struct mirror *mirror)
{
    struct fixture_entry entry = mirror_windows_entry(mirror, 0, 0);

    itanium_pair(mirror);
    mirror_put_entry(mirror, &entry);
}

static void itanium_both_on_disk_0(struct mirror *mirror)
{
    put_itanium_entries(mirror, MIRROR_DATA(0), MIRROR_DATA(0));
    mirror_drop_file(mirror, 1, MIRROR_FALLBACK);
}

static void itanium_system_nowhere(struct mirror *mirror)
{
    put_itanium_entries(mirror, MIRROR_DATA(0), MIRROR_DATA(0));
    mirror_drop_file(mirror, 1, MIRROR_FALLBACK);
    mirror->partitions[MIRROR_DATA(0)].unique.bytes[0] ^= 0xff;
    mirror_read_entries(mirror);
}

static void entry_that_names_a_system_needs_it(void **state)
{
    static const struct start_case cases[] = {
        {"pair", itanium_pair, 1, VERDICT_STARTS, 1, ""},
        {"shadow", itanium_on_the_shadow, 1, VERDICT_STARTS, 1, ""},
        {"gone", itanium_both_on_disk_0, 1, VERDICT_FAILS, NONE,
         "The system its entry names is on a disk that is gone."},
        {"nowhere", itanium_system_nowhere, 1, VERDICT_FAILS, NONE,
         "The system its entry names is on a disk that is gone."},
    };

    (void)state;
    assert_starts(cases, COUNT_OF(cases));
}

/* --- Where the other disk is not here anyway ------------------------------------------------ */

static void single_disk_of_a_mirror_starts(void **state)
{
    struct mirror *mirror = *state;
    struct start_case wanted = {"single", NULL, 0, VERDICT_STARTS, 0, ""};

    mirror_lose_disk_1(mirror);
    assert_start(mirror, &wanted);
}

/* The first thing that was in the way of its own entry is the reason, not the last. */
static void reason_is_that_of_the_members_first_entry(void **state)
{
    struct mirror *mirror = *state;
    struct fixture_entry second = mirror_windows_entry(mirror, 2, 1);
    struct start_case wanted = {"first", NULL,
                                1,       VERDICT_FAILS,
                                NONE,    MIRROR_MANAGER " is damaged: it holds nothing but zeros."};

    mirror_content(mirror, 1, MIRROR_MANAGER)->program = PE_ZERO;
    mirror_drop_file(mirror, 1, MIRROR_FALLBACK);
    second.file = "\\EFI\\other.efi";
    mirror_put_entry(mirror, &second);
    mirror_set_order(mirror, (uint16_t[]){0, 1, 2}, 3);
    assert_start(mirror, &wanted);
}

/* --- The state of the machine --------------------------------------------------------------- */

#define S VERDICT_STARTS
#define B VERDICT_FALLBACK
#define F VERDICT_FAILS
#define U VERDICT_UNKNOWN

static const struct {
    size_t count;
    size_t missing;
    size_t primary;
    enum verdict verdicts[3];
    enum machine_state state;
} machines[] = {
    {0, 0, NO_INDEX, {S}, MACHINE_UNKNOWN_DISKS},
    {0, 2, NO_INDEX, {S}, MACHINE_UNKNOWN_DISKS},
    /* one disk */
    {1, 0, 0, {S}, MACHINE_SINGLE},
    {1, 0, 0, {B}, MACHINE_SINGLE},
    {1, 0, 0, {F}, MACHINE_NONE},
    {1, 0, 0, {U}, MACHINE_UNKNOWN},
    {1, 1, 0, {S}, MACHINE_SINGLE},
    {1, 1, 0, {B}, MACHINE_SINGLE},
    {1, 1, 0, {F}, MACHINE_NONE},
    {1, 1, 0, {U}, MACHINE_UNKNOWN},
    /* two disks: primary, shadow */
    {2, 0, 0, {S, S}, MACHINE_SAFE},
    {2, 0, 0, {S, B}, MACHINE_FALLBACK},
    {2, 0, 0, {B, S}, MACHINE_FALLBACK},
    {2, 0, 0, {B, B}, MACHINE_FALLBACK},
    {2, 0, 0, {S, F}, MACHINE_PRIMARY_ONLY},
    {2, 0, 0, {B, F}, MACHINE_PRIMARY_ONLY},
    {2, 0, 0, {F, S}, MACHINE_SHADOW_ONLY},
    {2, 0, 0, {F, B}, MACHINE_SHADOW_ONLY},
    {2, 0, 0, {F, F}, MACHINE_NONE},
    {2, 0, 0, {S, U}, MACHINE_UNKNOWN},
    {2, 0, 0, {U, S}, MACHINE_UNKNOWN},
    {2, 0, 0, {B, U}, MACHINE_UNKNOWN},
    {2, 0, 0, {U, B}, MACHINE_UNKNOWN},
    {2, 0, 0, {F, U}, MACHINE_UNKNOWN},
    {2, 0, 0, {U, F}, MACHINE_UNKNOWN},
    {2, 0, 0, {U, U}, MACHINE_UNKNOWN},
    /* the primary is the second one */
    {2, 0, 1, {S, F}, MACHINE_SHADOW_ONLY},
    {2, 0, 1, {F, S}, MACHINE_PRIMARY_ONLY},
    {2, 0, 1, {F, B}, MACHINE_PRIMARY_ONLY},
    /* a third one is missing */
    {2, 1, 0, {S, S}, MACHINE_SINGLE},
    {2, 1, 0, {S, F}, MACHINE_PRIMARY_ONLY},
    {2, 1, 0, {F, F}, MACHINE_NONE},
    /* three disks */
    {3, 0, 0, {S, S, S}, MACHINE_SAFE},
    {3, 0, 0, {S, S, B}, MACHINE_FALLBACK},
    {3, 0, 0, {S, S, F}, MACHINE_PRIMARY_ONLY},
    {3, 0, 0, {F, S, S}, MACHINE_SHADOW_ONLY},
    {3, 0, 0, {S, F, U}, MACHINE_PRIMARY_ONLY},
    {3, 0, 0, {F, U, S}, MACHINE_SHADOW_ONLY},
    {3, 0, 0, {S, S, U}, MACHINE_UNKNOWN},
    {3, 0, 0, {F, F, U}, MACHINE_UNKNOWN},
    {3, 0, 0, {F, F, F}, MACHINE_NONE},
};

static void state_follows_from_all_verdicts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(machines); i++) {
        struct member members[3] = {{0}};
        struct forecast forecasts[3] = {{.reason = ""}};
        struct roles roles = {.members = members,
                              .member_count = machines[i].count,
                              .missing = machines[i].missing,
                              .primary = machines[i].primary};
        for (size_t j = 0; j < machines[i].count; j++)
            forecasts[j].verdict = machines[i].verdicts[j];
        enum machine_state got = machine_state_of(&roles, forecasts);
        if (got != machines[i].state)
            print_error("machine %zu: %d\n", i, got);
        assert_int_equal(got, machines[i].state);
    }
}

/* Scripts know them. */
static void numbers_and_names_stay_as_they_are(void **state)
{
    (void)state;
    assert_int_equal(MACHINE_SAFE, 0);
    assert_int_equal(MACHINE_UNKNOWN_DISKS, 10);
    assert_int_equal(MACHINE_FALLBACK, 64);
    assert_int_equal(MACHINE_PRIMARY_ONLY, 65);
    assert_int_equal(MACHINE_SHADOW_ONLY, 66);
    assert_int_equal(MACHINE_NONE, 67);
    assert_int_equal(MACHINE_SINGLE, 68);
    assert_int_equal(MACHINE_UNKNOWN, 69);
    assert_string_equal(verdict_name(S), "starts");
    assert_string_equal(verdict_name(B), "fallback");
    assert_string_equal(verdict_name(F), "fails");
    assert_string_equal(verdict_name(U), "unknown");
}

static void each_state_has_a_sentence_of_its_own(void **state)
{
    static const enum machine_state all[] = {
        MACHINE_SAFE,        MACHINE_UNKNOWN_DISKS, MACHINE_FALLBACK, MACHINE_PRIMARY_ONLY,
        MACHINE_SHADOW_ONLY, MACHINE_NONE,          MACHINE_SINGLE,   MACHINE_UNKNOWN};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        const char *text = machine_state_text(all[i], 2);
        assert_true(strlen(text) > 20 && text[strlen(text) - 1] == '.');
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(text, machine_state_text(all[j], 2));
        assert_null(strstr(machine_state_text(all[i], 3), "shadow disk"));
    }
}

/* --- Memory --------------------------------------------------------------------------------- */

static void too_little_memory_is_told(void **state)
{
    static _Alignas(16) uint8_t memory[4096];
    struct mirror *mirror = *state;
    struct roles roles = mirror_roles(mirror);
    size_t size = 0;

    break_store(mirror);
    for (;; size += 16) {
        struct forecast forecast = {.entry = 77};
        struct arena arena;
        assert_true(size < sizeof(memory));
        arena_init(&arena, memory, size);
        enum status status = forecast_alone(&arena, &mirror->machine, &roles, 1, &forecast);
        if (status == ST_OK) {
            assert_string_equal(forecast.reason, STORE "its structure is broken.");
            break;
        }
        assert_int_equal(status, ST_NO_MEMORY);
        assert_int_equal(forecast.entry, 77);
    }
    assert_true(size > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mirror_set_up, mirror_tear_down)

/* Firmware comes to partitions by their numbers in the table, wherever they lie. */
static void removable_media_path_is_that_of_the_esp_with_the_lowest_number(void **state)
{
    struct mirror *mirror = *state;

    (void)mirror_add_second_esp(mirror);
    mirror_set_order(mirror, NULL, 0);
    mirror_content(mirror, 1, MIRROR_FALLBACK)->mark = PE_MARK_MEMORY_TESTER;
    assert_int_equal(mirror_forecast(mirror, 1).verdict, VERDICT_FAILS);
    mirror->partitions[MIRROR_ESP(1)].hd_number = 9;
    assert_int_equal(mirror_forecast(mirror, 1).verdict, VERDICT_FALLBACK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_active_boot_entries_in_order_are_tried),
        cmocka_unit_test(paths_are_followed_as_firmware_does),
        cmocka_unit_test(other_programs_before_the_entry_stop_the_start),
        cmocka_unit_test(what_is_no_copy_starts_something_else),
        TEST(disk_that_starts_in_a_members_place_is_named),
        cmocka_unit_test(starting_something_else_is_marked),
        TEST(disk_that_is_no_member_blocks_what_comes_behind),
        TEST(the_first_shell_before_an_entry_blocks_it),
        cmocka_unit_test(fallback_is_the_way_of_whole_disks_and_the_last_resort),
        cmocka_unit_test(entries_in_a_file_are_gone_with_its_disk),
        TEST(removable_media_path_is_that_of_the_esp_with_the_lowest_number),
        cmocka_unit_test(state_of_the_esp_decides),
        cmocka_unit_test(what_secure_boot_refuses_gives_way),
        cmocka_unit_test(program_has_to_be_read),
        cmocka_unit_test(refused_programs_give_way_and_broken_ones_are_final),
        cmocka_unit_test(stale_checksum_alone_is_no_damage),
        cmocka_unit_test(boot_manager_needs_its_store),
        TEST(states_of_the_plex_decide),
        TEST(states_of_the_database_decide),
        TEST(database_that_two_disks_claim_is_not_relied_on),
        cmocka_unit_test(copy_on_the_disk_decides),
        cmocka_unit_test(without_ldm_windows_is_where_it_is),
        cmocka_unit_test(entry_that_names_a_system_needs_it),
        TEST(single_disk_of_a_mirror_starts),
        TEST(reason_is_that_of_the_members_first_entry),
        cmocka_unit_test(state_follows_from_all_verdicts),
        cmocka_unit_test(numbers_and_names_stay_as_they_are),
        cmocka_unit_test(each_state_has_a_sentence_of_its_own),
        TEST(too_little_memory_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
