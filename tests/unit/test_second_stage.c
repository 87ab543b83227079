/* Programs that start others from their ESP: shim, its fallback, GRUB, systemd-boot; and tools. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/bytes_fixture.h"
#include "unit/mirror_fixture.h"
#include "unit/secure_fixture.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#define SHIM_SIZE 900000
#define FB        "\\EFI\\BOOT\\fbx64.efi"
#define BOOT_GRUB "\\EFI\\BOOT\\grubx64.efi"
#define LIST      MIRROR_DEBIAN "\\BOOTX64.CSV"
#define UPDATER   MIRROR_DEBIAN "\\fwupdx64.efi"

#define BY_FALLBACK                                                                          \
    "No boot entry starts it: only the removable-media path does, which not every firmware " \
    "tries on a fixed disk."

/* What becomes of Disk 1 of a Linux mirror alone. */
struct stage_case {
    const char *what;
    void (*inflict)(struct mirror *mirror);
    enum verdict verdict;
    const char *reason;
};

static void assert_stage(struct mirror *mirror, const struct stage_case *wanted)
{
    wanted->inflict(mirror);
    struct forecast forecast = mirror_forecast(mirror, 1);
    if (forecast.verdict != wanted->verdict || strcmp(forecast.reason, wanted->reason) != 0)
        print_error("%s: %s \"%s\"\n", wanted->what, verdict_name(forecast.verdict),
                    forecast.reason);
    assert_int_equal(forecast.verdict, wanted->verdict);
    assert_string_equal(forecast.reason, wanted->reason);
}

static void assert_stages(const struct stage_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct mirror *mirror = mirror_new();
        mirror_make_linux(mirror);
        assert_stage(mirror, &cases[i]);
        mirror_free(mirror);
    }
}

/* --- Shim in its own folder ----------------------------------------------------------------- */

static void leave_it(struct mirror *mirror)
{
    (void)mirror;
}

static void drop_grub(struct mirror *mirror)
{
    mirror_drop_file(mirror, 1, MIRROR_GRUB);
}

static void drop_grub_unseen(struct mirror *mirror)
{
    drop_grub(mirror);
    mirror->esps[1].report.complete = false;
    mirror->esps[1].report.listed = false;
}

/* As older distributions call it. */
static void rename_grub(struct mirror *mirror)
{
    mirror->files[1][mirror_file(mirror, 1, MIRROR_GRUB)].path = MIRROR_DEBIAN "\\grub.efi";
}

static void add_fb_beside(struct mirror *mirror)
{
    (void)mirror_add_file(mirror, 1, MIRROR_DEBIAN "\\fbx64.efi", 100000, 'f');
}

/* Firmware does not go on to the next entry: shim was started. */
static void empty_grub_unread(struct mirror *mirror)
{
    mirror->files[1][mirror_file(mirror, 1, MIRROR_GRUB)].size = 0;
    (void)mirror_add_file(mirror, 1, MIRROR_FALLBACK, 1500000, 'g'); /* the other ESP's GRUB */
    mirror_make_quick(mirror);
}

static void break_grub(struct mirror *mirror)
{
    mirror_content(mirror, 1, MIRROR_GRUB)->program = PE_ZERO_FILLED;
}

static void make_grub_stale(struct mirror *mirror)
{
    mirror_content(mirror, 1, MIRROR_GRUB)->program = PE_BAD_CHECKSUM;
}

static void make_grub_a_folder(struct mirror *mirror)
{
    mirror->files[1][mirror_file(mirror, 1, MIRROR_GRUB)].is_directory = true;
}

static void drop_settings(struct mirror *mirror)
{
    mirror_drop_file(mirror, 1, MIRROR_SETTINGS);
}

static void put_settings_elsewhere(struct mirror *mirror)
{
    drop_settings(mirror);
    (void)mirror_add_file(mirror, 1, "\\EFI\\ubuntu\\grub.cfg", 100, 'c');
}

static void put_a_tester_for_grub(struct mirror *mirror)
{
    mirror_content(mirror, 1, MIRROR_GRUB)->mark = PE_MARK_MEMORY_TESTER;
}

static void put_systemd_boot_for_grub(struct mirror *mirror)
{
    drop_settings(mirror);
    mirror_content(mirror, 1, MIRROR_GRUB)->mark = PE_MARK_SYSTEMD_BOOT;
    (void)mirror_add_file(mirror, 1, "\\loader\\entries\\a.conf", 100, 'e');
}

static void put_shim_for_grub(struct mirror *mirror)
{
    mirror_content(mirror, 1, MIRROR_GRUB)->mark = PE_MARK_SHIM;
}

/* A second array, of which one disk alone has a part. */
static void add_array_on(struct mirror *mirror, size_t partition)
{
    mirror->md[2] = mirror->md[0];
    mirror->md[2].partition = partition;
    mirror->md[2].member.set.bytes[0] ^= 1;
    snprintf(mirror->md[2].member.name, sizeof(mirror->md[2].member.name), "host:swap");
    mirror->machine.md_count = 3;
}

static void add_array_on_the_other_disk(struct mirror *mirror)
{
    add_array_on(mirror, MIRROR_MSR(0));
}

static void add_array_on_this_disk(struct mirror *mirror)
{
    add_array_on(mirror, MIRROR_MSR(1));
}

static void add_array_on_a_third_disk(struct mirror *mirror)
{
    size_t disk = mirror_add_disk(mirror, DISK_AHCI);

    add_array_on(mirror, MIRROR_MSR(disk));
}

/* Swap and home are on arrays as well: the system may wait for them. */
static void all_arrays_of_the_members_have_to_be_here(void **state)
{
    static const struct stage_case cases[] = {
        {"other disk", add_array_on_the_other_disk, VERDICT_UNKNOWN,
         "md array host:swap is not whole on it, and whether the system needs that one cannot be "
         "told."},
        {"this disk", add_array_on_this_disk, VERDICT_STARTS, ""},
        {"third disk", add_array_on_a_third_disk, VERDICT_STARTS, ""},
    };

    (void)state;
    assert_stages(cases, COUNT_OF(cases));
}

static void shim_starts_grub_beside_it(void **state)
{
    static const struct stage_case cases[] = {
        {"whole", leave_it, VERDICT_STARTS, ""},
        {"no GRUB", drop_grub, VERDICT_FAILS,
         MIRROR_SHIM " starts " MIRROR_GRUB ", which is not there."},
        {"unseen", drop_grub_unseen, VERDICT_UNKNOWN, "The check of its ESP was cut short."},
        {"old name", rename_grub, VERDICT_STARTS, ""},
        {"fallback beside", add_fb_beside, VERDICT_STARTS, ""},
        {"empty", empty_grub_unread, VERDICT_FAILS, MIRROR_GRUB " cannot be read from its ESP."},
        {"broken", break_grub, VERDICT_FAILS,
         MIRROR_SHIM " starts " MIRROR_GRUB ", which is damaged."},
        {"stale", make_grub_stale, VERDICT_PERHAPS,
         MIRROR_GRUB " may be damaged: its content does not match the checksum in its header. "
                     "Most firmware does not look at that, and it starts if nothing else is "
                     "wrong with it."},
        {"folder", make_grub_a_folder, VERDICT_FAILS,
         MIRROR_SHIM " starts " MIRROR_GRUB ", which is damaged."},
        {"no settings", drop_settings, VERDICT_UNKNOWN,
         MIRROR_GRUB " has no grub.cfg beside it, without which it may stop at a prompt."},
        {"settings of another", put_settings_elsewhere, VERDICT_UNKNOWN,
         MIRROR_GRUB " has no grub.cfg beside it, without which it may stop at a prompt."},
        {"tester", put_a_tester_for_grub, VERDICT_FAILS,
         MIRROR_GRUB " is a memory tester, which starts no system."},
        {"systemd-boot", put_systemd_boot_for_grub, VERDICT_STARTS, ""},
        {"shim", put_shim_for_grub, VERDICT_FAILS,
         MIRROR_GRUB " starts " MIRROR_GRUB " again and again."},
    };

    (void)state;
    assert_stages(cases, COUNT_OF(cases));
}

/* --- Levels --------------------------------------------------------------------------------- */

/* Secure Boot is on and takes shim and GRUB by their digests; SbatLevel asks for GRUB's level 4. */
static void set_levels(struct mirror *mirror, const char *shim, const char *grub)
{
    static const struct guid kind = KIND_SHA256;
    static const struct guid owner = OWNER_ANY;
    static struct secure_bytes lists;
    static struct pe_signers signers[2];
    static const char *const paths[] = {MIRROR_SHIM, MIRROR_GRUB};

    lists.size = 0;
    for (size_t i = 0; i < 2; i++) {
        signers[i] = (struct pe_signers){
            .table = ST_ABSENT, .has_digest = true, .mark = i == 0 ? PE_MARK_SHIM : PE_MARK_GRUB};
        strcpy(signers[i].sbat, i == 0 ? shim : grub);
        mirror_content(mirror, 1, paths[i])->signers = &signers[i];
    }
    secure_put_list(&lists, &kind, &owner, span_of(signers[0].digest.bytes, 32));
    mirror->machine.secure = (struct secure_boot){.status = ST_OK, .on = true};
    mirror->machine.secure.lists[SECURE_DB] =
        (struct secure_list){.status = ST_OK, .lists = secure_span(&lists)};
    mirror->machine.secure.levels = span_of("sbat,1,2024\nshim,4\ngrub,4\n", 26);
}

static void be_at_both_levels(struct mirror *mirror)
{
    set_levels(mirror, "sbat,1\nshim,4\n", "sbat,1\ngrub,4\n");
}

static void let_shim_be_below(struct mirror *mirror)
{
    set_levels(mirror, "sbat,1\nshim,3\n", "sbat,1\ngrub,4\n");
}

static void let_grub_be_below(struct mirror *mirror)
{
    set_levels(mirror, "sbat,1\nshim,4\n", "sbat,1\ngrub,3\n");
}

static void let_grub_have_none(struct mirror *mirror)
{
    set_levels(mirror, "sbat,1\nshim,4\n", "");
}

/* Shim has a list of a day of its own, that asks for GRUB's level 5. */
static void bring_levels(struct mirror *mirror, const char *day)
{
    be_at_both_levels(mirror);
    struct pe_signers *shim =
        (struct pe_signers *)(uintptr_t)mirror_content(mirror, 1, MIRROR_SHIM)->signers;
    fixture_store_le(shim->levels + 4, 8, 4);
    fixture_store_le(shim->levels + 8, 40, 4);
    snprintf((char *)shim->levels + 12, 32, "sbat,1,%s\ngrub,5\n", day);
    snprintf((char *)shim->levels + 44, 32, "sbat,1,2099010100\ngrub,4\n");
    mirror->machine.secure.levels = span_of("sbat,1,2024010100\nshim,4\ngrub,4\n", 32);
}

static void let_shim_bring_more(struct mirror *mirror)
{
    bring_levels(mirror, "2025010100");
}

static void let_shim_bring_what_is_old(struct mirror *mirror)
{
    bring_levels(mirror, "2023010100");
}

static void let_the_latest_count(struct mirror *mirror)
{
    bring_levels(mirror, "2025010100");
    mirror->machine.secure.latest_levels = true;
}

static void let_grub_be_below_while_off(struct mirror *mirror)
{
    let_grub_be_below(mirror);
    mirror->machine.secure.on = false;
}

static void shim_starts_nothing_below_its_level(void **state)
{
#define NO_LEVEL ": its level is below that of SbatLevel, or it has none."
    static const struct stage_case cases[] = {
        {"at the levels", be_at_both_levels, VERDICT_STARTS, ""},
        {"shim below", let_shim_be_below, VERDICT_FAILS,
         "Shim does not start " MIRROR_SHIM NO_LEVEL},
        {"GRUB below", let_grub_be_below, VERDICT_FAILS,
         "Shim does not start " MIRROR_GRUB NO_LEVEL},
        {"GRUB without", let_grub_have_none, VERDICT_FAILS,
         "Shim does not start " MIRROR_GRUB NO_LEVEL},
        {"shim's own list is newer", let_shim_bring_more, VERDICT_FAILS,
         "Shim does not start " MIRROR_GRUB
         ": its level is below that of SbatLevel as shim itself makes it, or it has none."},
        {"shim's own list is older", let_shim_bring_what_is_old, VERDICT_STARTS, ""},
        {"the latest list was asked for", let_the_latest_count, VERDICT_STARTS, ""},
        {"off", let_grub_be_below_while_off, VERDICT_STARTS, ""},
    };

    (void)state;
    assert_stages(cases, COUNT_OF(cases));
}

/* --- Load options --------------------------------------------------------------------------- */

static void start_with(struct mirror *mirror, const char *options)
{
    struct fixture_entry entry = mirror_windows_entry(mirror, 1, 1);

    entry.file = MIRROR_SHIM;
    entry.optional = FIXTURE_TEXT;
    entry.options = options;
    mirror_put_entry(mirror, &entry);
    (void)mirror_add_file(mirror, 1, UPDATER, 60000, 'f');
}

static void name_updater(struct mirror *mirror)
{
    start_with(mirror, "\\fwupdx64.efi");
}

static void name_updater_without_backslash(struct mirror *mirror)
{
    start_with(mirror, " FWUPDX64.EFI more words");
}

static void name_updater_in_another_folder(struct mirror *mirror)
{
    start_with(mirror, "\\tools\\fwupdx64.efi"); /* the name alone counts */
}

static void name_updater_by_its_path(struct mirror *mirror)
{
    start_with(mirror, UPDATER);
}

static void name_updater_by_a_wrong_path(struct mirror *mirror)
{
    start_with(mirror, "\\EFI\\fwupdx64.efi"); /* not there: GRUB, as without options */
}

static void name_updater_behind_shim(struct mirror *mirror)
{
    start_with(mirror, MIRROR_SHIM " \\fwupdx64.efi");
}

static void name_shim_alone(struct mirror *mirror)
{
    start_with(mirror, "shimx64.efi");
}

static void name_grub_with_options(struct mirror *mirror)
{
    start_with(mirror, "grubx64.efi \\fwupdx64.efi");
}

static void name_updater_in_half_a_character(struct mirror *mirror)
{
    name_updater(mirror);
    mirror->machine.entries[1].option.optional.size--;
}

static void load_options_name_the_second_stage(void **state)
{
#define IS_UPDATER UPDATER " is a firmware updater, which starts no system."
    static const struct stage_case cases[] = {
        {"name", name_updater, VERDICT_FAILS, IS_UPDATER},
        {"words", name_updater_without_backslash, VERDICT_FAILS, IS_UPDATER},
        {"other folder", name_updater_in_another_folder, VERDICT_FAILS, IS_UPDATER},
        {"path", name_updater_by_its_path, VERDICT_FAILS, IS_UPDATER},
        {"wrong path", name_updater_by_a_wrong_path, VERDICT_STARTS, ""},
        {"behind shim", name_updater_behind_shim, VERDICT_FAILS, IS_UPDATER},
        {"shim alone", name_shim_alone, VERDICT_STARTS, ""},
        {"GRUB", name_grub_with_options, VERDICT_STARTS, ""},
        {"odd size", name_updater_in_half_a_character, VERDICT_STARTS, ""},
    };

    (void)state;
    assert_stages(cases, COUNT_OF(cases));
}

/* --- The removable-media path --------------------------------------------------------------- */

static struct boot_csv lists[2];

static void put_text(struct mirror *mirror, size_t number, const char *path, const char *text)
{
    static uint8_t texts[2][64];
    size_t used = 0;

    for (const char *at = text; *at != '\0'; at++, used += 2)
        texts[number][used] = (uint8_t)*at;
    lists[number] = (struct boot_csv){mirror_add_file(mirror, 1, path, used, 'l'),
                                      span_of(texts[number], used)};
    mirror->esps[1].csvs = lists;
    mirror->esps[1].csv_count = number + 1;
}

/* Puts a list of one line, "`file`,debian". */
static void put_list(struct mirror *mirror, size_t number, const char *path, const char *file)
{
    char line[32];

    snprintf(line, sizeof(line), "%s,d", file);
    put_text(mirror, number, path, line);
}

static void start_by_fallback(struct mirror *mirror)
{
    mirror_drop_entry(mirror, 1);
    (void)mirror_add_file(mirror, 1, MIRROR_FALLBACK, SHIM_SIZE, 's'); /* a copy of shim */
}

static void add_boot_grub(struct mirror *mirror)
{
    start_by_fallback(mirror);
    (void)mirror_add_file(mirror, 1, BOOT_GRUB, 1500000, 'g');
}

static void add_boot_grub_without_settings(struct mirror *mirror)
{
    add_boot_grub(mirror);
    drop_settings(mirror);
}

static void add_fb(struct mirror *mirror)
{
    add_boot_grub(mirror); /* which is not reached any more */
    (void)mirror_add_file(mirror, 1, FB, 100000, 'f');
}

static void add_list(struct mirror *mirror)
{
    add_fb(mirror);
    put_list(mirror, 0, LIST, "shimx64.efi");
}

static void add_list_of_another_name(struct mirror *mirror)
{
    add_fb(mirror);
    put_list(mirror, 0, MIRROR_DEBIAN "\\boot.csv", "shimx64.efi");
}

static void add_list_of_another_machine(struct mirror *mirror)
{
    add_fb(mirror);
    put_list(mirror, 0, MIRROR_DEBIAN "\\BOOTAA64.CSV", "shimx64.efi");
}

static void add_list_beside_fb(struct mirror *mirror)
{
    add_fb(mirror);
    put_list(mirror, 0, "\\EFI\\BOOT\\BOOTX64.CSV", "grubx64.efi");
}

static void add_list_too_deep(struct mirror *mirror)
{
    add_fb(mirror);
    put_list(mirror, 0, MIRROR_DEBIAN "\\x\\BOOTX64.CSV", "grubx64.efi");
}

static void add_list_astray(struct mirror *mirror)
{
    add_fb(mirror);
    put_list(mirror, 0, LIST, "gone.efi");
}

static void add_both_lists_of_a_folder(struct mirror *mirror)
{
    add_list(mirror);
    put_list(mirror, 1, MIRROR_DEBIAN "\\BOOT.CSV", "gone.efi"); /* does not count */
}

static void add_list_of_a_second_folder(struct mirror *mirror)
{
    add_list(mirror);
    put_list(mirror, 1, "\\EFI\\ubuntu\\BOOTX64.CSV", "gone.efi");
}

/* Shim's fallback goes past what is not whole. */
static void add_list_with_a_line_without_label(struct mirror *mirror)
{
    add_fb(mirror);
    put_text(mirror, 0, LIST, "gone.efi,\nshimx64.efi,d");
}

static void add_list_and_break_shim(struct mirror *mirror)
{
    add_list(mirror);
    drop_grub(mirror);
}

/* The fallback comes first, and does not take load options on. */
static void start_fallback_with(struct mirror *mirror, const char *options)
{
    struct fixture_entry entry = mirror_windows_entry(mirror, 1, 1);

    add_list(mirror);
    (void)mirror_add_file(mirror, 1, UPDATER, 60000, 'f');
    entry.file = MIRROR_FALLBACK;
    entry.optional = FIXTURE_TEXT;
    entry.options = options;
    mirror_put_entry(mirror, &entry);
}

static void add_list_and_options(struct mirror *mirror)
{
    start_fallback_with(mirror, "\\fwupdx64.efi");
}

static void add_list_and_options_with_a_path(struct mirror *mirror)
{
    start_fallback_with(mirror, UPDATER);
}

static void shim_under_the_removable_media_path_looks_there(void **state)
{
#define NO_LIST FB " finds no list \\EFI\\<folder>\\BOOTX64.CSV to start from."
    static const struct stage_case cases[] = {
        {"alone", start_by_fallback, VERDICT_FAILS,
         MIRROR_FALLBACK " starts " BOOT_GRUB ", which is not there."},
        {"GRUB", add_boot_grub, VERDICT_FALLBACK, BY_FALLBACK},
        {"no settings", add_boot_grub_without_settings, VERDICT_UNKNOWN,
         BOOT_GRUB " has no grub.cfg beside it, without which it may stop at a prompt."},
        {"no list", add_fb, VERDICT_FAILS, NO_LIST},
        {"list", add_list, VERDICT_FALLBACK, BY_FALLBACK},
        {"other name", add_list_of_another_name, VERDICT_FALLBACK, BY_FALLBACK},
        {"other machine", add_list_of_another_machine, VERDICT_FAILS, NO_LIST},
        {"beside", add_list_beside_fb, VERDICT_FAILS, NO_LIST},
        {"too deep", add_list_too_deep, VERDICT_FAILS, NO_LIST},
        {"astray", add_list_astray, VERDICT_FAILS,
         FB " starts " MIRROR_DEBIAN "\\gone.efi, which is not there."},
        {"both names", add_both_lists_of_a_folder, VERDICT_FALLBACK, BY_FALLBACK},
        {"two folders", add_list_of_a_second_folder, VERDICT_UNKNOWN,
         "Which of the lists BOOTX64.CSV " FB " starts from cannot be told."},
        {"no GRUB", add_list_and_break_shim, VERDICT_FAILS,
         MIRROR_SHIM " starts " MIRROR_GRUB ", which is not there."},
        {"no label", add_list_with_a_line_without_label, VERDICT_FALLBACK, BY_FALLBACK},
        {"options", add_list_and_options, VERDICT_STARTS, ""},
        {"options, path", add_list_and_options_with_a_path, VERDICT_STARTS, ""},
    };

    (void)state;
    assert_stages(cases, COUNT_OF(cases));
}

/* --- Other programs ------------------------------------------------------------------------- */

static void start_file(struct mirror *mirror, const char *path)
{
    struct fixture_entry entry = mirror_windows_entry(mirror, 1, 1);

    (void)mirror_add_file(mirror, 1, path, 1000, 'x');
    entry.file = path;
    entry.optional = FIXTURE_NONE;
    mirror_put_entry(mirror, &entry);
}

static void start_shell(struct mirror *mirror)
{
    start_file(mirror, "\\shellx64.efi");
}

static void start_kernel(struct mirror *mirror)
{
    start_file(mirror, "\\EFI\\Linux\\a.efi");
}

static void start_freebsd(struct mirror *mirror)
{
    start_file(mirror, "\\EFI\\freebsd\\loader.efi");
}

#define SYSTEMD_BOOT "\\EFI\\systemd\\systemd-bootx64.efi"

static void start_systemd_boot(struct mirror *mirror)
{
    start_file(mirror, SYSTEMD_BOOT);
}

static void start_systemd_boot_with_kernel(struct mirror *mirror)
{
    start_systemd_boot(mirror);
    (void)mirror_add_file(mirror, 1, "\\EFI\\Linux\\a.efi", 1000, 'a');
}

static void start_stranger(struct mirror *mirror)
{
    start_file(mirror, "\\EFI\\acme\\x.efi");
}

/* An entry of Disk 0, before all others. */
static void start_first(struct mirror *mirror, uint16_t number, const char *path, bool inactive)
{
    struct fixture_entry entry = mirror_windows_entry(mirror, number, 0);

    (void)mirror_add_file(mirror, 0, path, 1000, (uint8_t)path[1]);
    entry.file = path;
    entry.optional = FIXTURE_NONE;
    entry.inactive = inactive;
    mirror_put_entry(mirror, &entry);
}

/* The other disk's entry, which comes first, names it as well, and there is nothing else. */
static void start_stranger_now(struct mirror *mirror)
{
    mirror_drop_files(mirror, 0);
    mirror_drop_files(mirror, 1);
    start_stranger(mirror);
    start_first(mirror, 0, "\\EFI\\acme\\x.efi", false);
}

/* Under the removable-media path nobody wonders, whatever else the ESP has. */
static void start_strange_fallback_now(struct mirror *mirror)
{
    start_file(mirror, MIRROR_FALLBACK);
    start_first(mirror, 0, MIRROR_FALLBACK, false);
}

/* A Shell before it is not what the machine is started by. */
static void start_stranger_behind_a_shell(struct mirror *mirror)
{
    start_stranger_now(mirror);
    start_first(mirror, 2, "\\shellx64.efi", false);
    mirror_set_order(mirror, (uint16_t[]){2, 0, 1}, 3);
}

/* Shim is what the machine is started by: the entry before it is not tried. */
static void start_stranger_that_is_not_tried(struct mirror *mirror)
{
    start_stranger(mirror);
    start_first(mirror, 2, "\\EFI\\acme\\x.efi", true);
    mirror_set_order(mirror, (uint16_t[]){2, 0, 1}, 3);
}

static void programs_start_the_system_of_the_mirror_or_none(void **state)
{
    static const struct stage_case cases[] = {
        {"Shell", start_shell, VERDICT_FAILS,
         "Before it, the firmware starts Boot0001 \"Boot Mirror\", a UEFI Shell, which starts no "
         "system."},
        {"kernel", start_kernel, VERDICT_STARTS, ""},
        {"FreeBSD", start_freebsd, VERDICT_FAILS,
         "\\EFI\\freebsd\\loader.efi is FreeBSD's loader, which does not start the system of the "
         "mirror."},
        {"systemd-boot", start_systemd_boot, VERDICT_UNKNOWN,
         SYSTEMD_BOOT " is systemd-boot, and its ESP has neither entries in \\loader\\entries nor "
                      "kernels in \\EFI\\Linux for it."},
        {"with kernel", start_systemd_boot_with_kernel, VERDICT_STARTS, ""},
        {"stranger", start_stranger, VERDICT_UNKNOWN,
         "What \\EFI\\acme\\x.efi is, and which system it starts, cannot be told."},
        {"known", start_stranger_now, VERDICT_STARTS, ""},
        {"strange fallback", start_strange_fallback_now, VERDICT_STARTS, ""},
        {"behind a Shell", start_stranger_behind_a_shell, VERDICT_STARTS, ""},
        {"not tried", start_stranger_that_is_not_tried, VERDICT_UNKNOWN,
         "What \\EFI\\acme\\x.efi is, and which system it starts, cannot be told."},
    };

    (void)state;
    assert_stages(cases, COUNT_OF(cases));
}

/* The same where the mirror is Windows'. */
static void programs_start_windows_or_do_not(void **state)
{
    static const struct stage_case cases[] = {
        {"kernel", start_kernel, VERDICT_FAILS,
         "\\EFI\\Linux\\a.efi is a Linux kernel, which does not start Windows."},
        {"systemd-boot", start_systemd_boot, VERDICT_UNKNOWN,
         SYSTEMD_BOOT " is systemd-boot, and whether it goes on to Windows cannot be told."},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct mirror *mirror = mirror_new();
        assert_stage(mirror, &cases[i]);
        mirror_free(mirror);
    }
}

/* --- Loaders of another system ---------------------------------------------------------------- */

#define ENTRY "\\loader\\entries\\a.conf"
#define RIVAL                                                                                    \
    "Disk 2 may have a system of its own, and whether " SYSTEMD_BOOT " starts that one or this " \
    "cannot be told."

/* A third disk that may have a system, without any file on its ESP. */
static void add_rival(struct mirror *mirror)
{
    size_t disk = mirror_add_disk(mirror, DISK_AHCI);

    mirror->partitions[MIRROR_MSR(disk)].kind = PT_LINUX_DATA;
    mirror->partitions[MIRROR_MSR(disk)].block_count =
        mirror->partitions[MIRROR_DATA(0)].block_count;
    mirror_drop_files(mirror, disk);
}

static void start_systemd_boot_beside_rival(struct mirror *mirror)
{
    add_rival(mirror);
    start_systemd_boot(mirror);
    (void)mirror_add_file(mirror, 1, ENTRY, 1000, 'a');
}

static void give_rival_the_loader(struct mirror *mirror)
{
    start_systemd_boot_beside_rival(mirror);
    (void)mirror_add_file(mirror, 2, SYSTEMD_BOOT, 1000, 'x');
}

static void give_rival_the_loader_and_entry(struct mirror *mirror)
{
    give_rival_the_loader(mirror);
    (void)mirror_add_file(mirror, 2, ENTRY, 1000, 'a');
}

static void give_rival_another_entry(struct mirror *mirror)
{
    give_rival_the_loader(mirror);
    (void)mirror_add_file(mirror, 2, ENTRY, 1000, 'b');
}

static void give_data_disk_the_loader_and_entry(struct mirror *mirror)
{
    give_rival_the_loader_and_entry(mirror);
    mirror->partitions[MIRROR_MSR(2)].kind = PT_BASIC_DATA;
}

/* No folder of the two members is the same. */
static void let_loaders_disagree(struct mirror *mirror)
{
    start_systemd_boot_beside_rival(mirror);
    mirror_drop_file(mirror, 1, MIRROR_DEBIAN);
}

static void let_loaders_disagree_without_rival(struct mirror *mirror)
{
    start_systemd_boot(mirror);
    (void)mirror_add_file(mirror, 1, ENTRY, 1000, 'a');
    mirror_drop_file(mirror, 1, MIRROR_DEBIAN);
}

static void loader_that_may_be_another_systems_promises_nothing(void **state)
{
    static const struct stage_case cases[] = {
        {"rival", start_systemd_boot_beside_rival, VERDICT_STARTS, ""},
        {"same loader", give_rival_the_loader, VERDICT_STARTS, ""},
        {"same entry", give_rival_the_loader_and_entry, VERDICT_UNKNOWN, RIVAL},
        {"other entry", give_rival_another_entry, VERDICT_STARTS, ""},
        {"data", give_data_disk_the_loader_and_entry, VERDICT_STARTS, ""},
        {"other loaders", let_loaders_disagree, VERDICT_UNKNOWN, RIVAL},
        {"no rival", let_loaders_disagree_without_rival, VERDICT_STARTS, ""},
    };

    (void)state;
    assert_stages(cases, COUNT_OF(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_arrays_of_the_members_have_to_be_here),
        cmocka_unit_test(shim_starts_grub_beside_it),
        cmocka_unit_test(shim_starts_nothing_below_its_level),
        cmocka_unit_test(load_options_name_the_second_stage),
        cmocka_unit_test(shim_under_the_removable_media_path_looks_there),
        cmocka_unit_test(programs_start_the_system_of_the_mirror_or_none),
        cmocka_unit_test(programs_start_windows_or_do_not),
        cmocka_unit_test(loader_that_may_be_another_systems_promises_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
