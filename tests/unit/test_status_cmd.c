/* The command `status`: what it prints, what it writes, and what it ends with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/sha256.h"
#include "cmd/json.h"
#include "cmd/picture.h"
#include "cmd/screen.h"
#include "host/host_alloc.h"
#include "unit/json_fixture.h"
#include "unit/scan_fixture.h"
#include "unit/windows_fixture.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static int set_up(void **state)
{
    *state = windows_machine();
    return 0;
}

static int tear_down(void **state)
{
    host_free(*state);
    return 0;
}

/* --- Text ----------------------------------------------------------------------------------- */

static void healthy_mirror_is_shown_in_full(void **state)
{
    static const char expected[] =
        "Disk 0  primary  12 MiB  Memory disk\n"
        ".......[ESP                     ][LDM    ][C:                   ]............\n"
        "  Partition 1: ESP, 4 MiB, FS0:, FAT16, 7 files and folders, healthy\n"
        "  Partition 3: Volume1-01 of Mirror Volume1, NTFS with Windows \"T\u00e9st\"\n"
        "\n"
        "Disk 1  shadow  12 MiB  Memory disk\n"
        ".......[ESP                     ][LDM    ][C:                   ]............\n"
        "  Partition 1: ESP, 4 MiB, FS1:, FAT16, 7 files and folders, healthy\n"
        "  Partition 3: Volume1-02 of Mirror Volume1, NTFS with Windows \"T\u00e9st\"\n"
        "\n"
        "Starts from Disk 0 alone: yes, by Boot0000 \"Windows Boot Manager\".\n"
        "Starts from Disk 1 alone: yes, by Boot0001 \"Boot Mirror\".\n";
    static const char sentence[] = "This machine starts from each of its boot disks alone.\n";
    static const char quick[] =
        "The files were not read (-quick): a damaged one would not be seen.\n";
    size_t length = sizeof(expected) - 1;
    const char *text = NULL;

    assert_int_equal(run_line(*state, "status", &text), 0);
    assert_memory_equal(text, expected, length);
    assert_string_equal(text + length, sentence);
    assert_int_equal(run_line(*state, "status -quick", &text), 0);
    assert_memory_equal(text, expected, length);
    assert_memory_equal(text + length, quick, sizeof(quick) - 1);
    assert_string_equal(text + length + sizeof(quick) - 1, sentence);
}

static void what_is_wrong_is_shown_with_advice(void **state)
{
    struct host *host = *state;
    const char *text = NULL;

    windows_break_store(host, 1);
    assert_int_equal(run_line(host, "status", &text), 65);
    assert_says(text,
                "\n\nFindings\n"
                "--------\n"
                "[damage] Disk 1 Partition 1: The boot store \\EFI\\Microsoft\\Boot\\BCD is "
                "damaged: it is not a registry hive.\n"
                "    shadowboot repair brings that of the other disk, made for this one; where no "
                "disk has a good one, it makes one anew, as rebuild 1 -store does.\n|"
                "\n\nStarts from Disk 0 alone: yes, by Boot0000 \"Windows Boot Manager\".\n"
                "Starts from Disk 1 alone: no. Its boot store \\EFI\\Microsoft\\Boot\\BCD: it "
                "is not a registry hive. Windows' boot manager stops with 0xc000014c.\n"
                "If the primary disk dies, this machine does not start.\n"
                "\nWhat to type next: shadowboot repair (with -n it only shows its plan).\n"
                "After it: Disk 0 alone: yes, by Boot0000; Disk 1 alone: yes, by Boot0001.\n");
}

/* Where repair has more to say than the findings, that is where to look. */
static void what_is_in_the_way_of_repair_is_in_its_notes(void **state)
{
    struct host *host = *state;
    const char *text = NULL;

    windows_break_store(host, 1);
    mem_block_set_read_only(host->disks[1], true);
    assert_int_equal(run_line(host, "status", &text), 65);
    assert_says(text, "\nshadowboot repair can do nothing more here; what you can do stands below "
                      "each finding, and in the notes of shadowboot repair -n.\n");
    assert_int_equal(run_line(host, "repair -n", &text), 65);
    assert_says(text, "Note: Disk 1 ");
}

/* Nothing is damaged where a store starts something else: there is a next step all the same. */
static void store_that_starts_something_else_has_a_next_step(void **state)
{
    struct host *host = *state;
    const char *text = NULL;

    windows_move_system(host, 1);
    assert_int_equal(run_line(host, "status", &text), 69);
    assert_says(text,
                "Starts from Disk 1 alone: not known. Its boot store starts a Windows in another "
                "folder than \\Windows, which is not followed.\n"
                "Whether this machine would start cannot be told.\n"
                "\nshadowboot repair can do nothing more here; what keeps a disk from starting "
                "stands behind its verdict. Where that is its boot store, shadowboot bcd list "
                "shows it, and rebuild DISK -store makes it anew.\n");
}

/* On the screen as everybody knows it. Written down by hand from the text above. */
static void lines_are_broken_at_words_on_a_screen(void **state)
{
    struct host *host = *state;
    const struct screen_size size = {80, 25};
    const char *text = NULL;

    windows_break_store(host, 1);
    host_console_set_screen(host->console, size, false);
    assert_int_equal(run_line(host, "status", &text), 65);
    assert_says(text,
                "[damage] Disk 1 Partition 1: The boot store "
                "\\EFI\\Microsoft\\Boot\\BCD is damaged:\n"
                "         it is not a registry hive.\n"
                "    shadowboot repair brings that of the other disk, made for this one; where\n"
                "    no disk has a good one, it makes one anew, as rebuild 1 -store does.\n|"
                "Starts from Disk 1 alone: no. Its boot store \\EFI\\Microsoft\\Boot\\BCD: "
                "it is not\n"
                "                          a registry hive. Windows' boot manager stops with\n"
                "                          0xc000014c.\n");
    /* for a program lines are whole */
    assert_int_equal(run_line(host, "status -sfo", &text), 65);
    assert_says(text, "\"The boot store \\EFI\\Microsoft\\Boot\\BCD is damaged: it is not a "
                      "registry hive.\"\n");
}

/* The text without escape sequences, in place. */
static void drop_escapes(char *text)
{
    char *to = text;

    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '\033')
            at += strcspn(at, "m");
        else
            *to++ = *at;
    }
    *to = '\0';
}

/* Severities and verdicts have a colour, and the words are the same without. */
static void colours_are_added_to_words(void **state)
{
    struct host *host = *state;
    const struct screen_size none = {0, 0};
    const char *text = NULL;

    windows_break_store(host, 1);
    assert_int_equal(run_line(host, "status", &text), 65);
    assert_null(strchr(text, '\033'));
    for (const char *at = text; *at != '\0'; at++)
        assert_true(*at == '\n' || (unsigned char)*at >= ' ');
    char *plain = host_copy_text(text);
    host_console_set_screen(host->console, none, true);
    assert_int_equal(run_line(host, "status", &text), 65);
    assert_says(text, "\n\033[1;31m[damage]\033[0m Disk 1 Partition 1: |"
                      "Starts from Disk 0 alone: \033[1;32myes\033[0m, by |"
                      "Starts from Disk 1 alone: \033[1;31mno\033[0m. Its |"
                      "\n\033[1;31mIf the primary disk dies, this machine does not start."
                      "\033[0m\n");
    char *coloured = host_copy_text(text);
    drop_escapes(coloured);
    assert_string_equal(coloured, plain);
    assert_int_equal(run_line(host, "status -sfo", &text), 65);
    assert_null(strchr(text, '\033'));
    free(coloured);
    free(plain);
}

/* Contents are what -quick leaves out, but for the boot stores. */
static void quick_looks_at_no_contents_but_the_stores(void **state)
{
    struct host *host = *state;
    const char *text = NULL;

    windows_break_manager(host, 1);
    assert_int_equal(run_line(host, "status", NULL), 65);
    assert_int_equal(run_line(host, "status -quick", NULL), 0);
    windows_break_store(host, 1);
    assert_int_equal(run_line(host, "status -quick", &text), 65);
    assert_says(text, "Starts from Disk 1 alone: no. Its boot store "
                      "\\EFI\\Microsoft\\Boot\\BCD: it is not a registry hive.");
    windows_unformat(host, 1);
    assert_int_equal(run_line(host, "status -quick", &text), 65);
    assert_says(text, "Its ESP is not formatted.|, not formatted\n");
    assert_null(strstr(text, "What to type next")); /* that would take the files */
}

static void copies_of_a_volume_are_described(void **state)
{
    static const uint8_t zeros[512];
    struct host *host = *state;
    const char *text = NULL;

    windows_encrypt(host, 0);
    (void)run_line(host, "status", &text);
    assert_says(text, "  Partition 3: Volume1-01 of Mirror Volume1, BitLocker\n");
    mem_block_write(host->disks[0], 12288 * 512, zeros, sizeof(zeros));
    (void)run_line(host, "status", &text);
    assert_says(text, "  Partition 3: Volume1-01 of Mirror Volume1, no NTFS\n");
    windows_empty_loader(host, 1);
    (void)run_line(host, "status", &text);
    assert_says(text, "  Partition 3: Volume1-02 of Mirror Volume1, NTFS without Windows \"T|"
                      "winload.efi is missing.\n");
}

static void hostile_names_cannot_act_on_the_terminal(void **state)
{
    struct host *host = *state;
    struct fixture_entry entry = {
        .number = 2, .description = "\x1b[2J\r\b\x07 \"Shell\"", .form = FIXTURE_FV};
    const char *text = NULL;

    fixture_add_entry(host, &entry);
    fixture_set_order(host, (uint16_t[]){2, 0, 1}, 3);
    assert_int_equal(run_line(host, "status", &text), 67);
    assert_harmless(text);
    assert_says(text, "Before it, the firmware starts Boot0002");
    assert_int_equal(run_line(host, "status -sfo -v", &text), 67);
    assert_harmless(text);
}

/* --- What it ends with ---------------------------------------------------------------------- */

static void break_nothing(struct host *host)
{
    (void)host;
}

static void break_shadow(struct host *host)
{
    windows_break_store(host, 1);
}

static void break_primary(struct host *host)
{
    windows_break_manager(host, 0);
}

static void break_both(struct host *host)
{
    break_shadow(host);
    break_primary(host);
}

static void encrypt_shadow(struct host *host)
{
    windows_encrypt(host, 1);
}

static void lose_order(struct host *host)
{
    mem_vars_drop(host->vars, NULL, "BootOrder");
}

static void lose_shadow(struct host *host)
{
    mem_block_set_gone(host->disks[1], true);
}

static void exit_status_tells_the_state(void **state)
{
    static const struct {
        void (*inflict)(struct host *host);
        unsigned code;
        const char *says;
    } cases[] = {
        {break_nothing, 0, "This machine starts from each of its boot disks alone.\n"},
        {windows_drop_shadow_entry, 64, "perhaps: that hangs on its firmware.\n"},
        {lose_order, 64,
         "but from at least one of them only perhaps: that hangs on its firmware.\n"},
        {break_shadow, 65, "If the primary disk dies, this machine does not start.\n"},
        {lose_shadow, 65, "If the primary disk dies, this machine does not start.\n"},
        {break_primary, 66, "If the shadow disk dies, this machine does not start.\n"},
        {break_both, 67, "This machine does not start from any of its boot disks alone.\n"},
        {encrypt_shadow, 69, "Whether this machine would start cannot be told.\n"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct host *host = windows_machine();
        const char *text = NULL;
        cases[i].inflict(host);
        unsigned code = run_line(host, "status", &text);
        assert_says(text, cases[i].says);
        assert_int_equal(code, cases[i].code);
        /* The options change what is printed, and nothing else. */
        assert_int_equal(run_line(host, "status -sfo -v", NULL), cases[i].code);
        host_free(host);
    }
}

/* The other disk is not here at all. */
static void single_disk_ends_with_68(void **state)
{
    struct host *host = *state;
    struct ports ports = *host_ports(host);

    ports.disk_count = 1;
    assert_int_equal(fixture_run_ports(&ports, "status"), 68);
    assert_says(host_console_text(host->console),
                "A disk with a copy of Volume1 (C:) is not here.\n"
                "This machine starts, and nothing stands in for the disk it starts from: there is "
                "no mirror, or its other disk is missing.\n|[damage] Volume Volume1: A disk with a "
                "copy of the boot volume is not here.\n");
    windows_break_store(host, 0);
    ports = *host_ports(host);
    ports.disk_count = 1;
    assert_int_equal(fixture_run_ports(&ports, "status"), 67);
}

static void machine_without_a_boot_disk_ends_with_10(void **state)
{
    struct host *host = host_new();
    const char *text = NULL;

    (void)state;
    host_add_disk(host, DISK_NVME, 4096, 100000);
    assert_int_equal(run_line(host, "status", &text), 10);
    assert_says(text, "Disk 0  other  390 MiB  Memory disk\n|[no partition table |"
                      "No boot volume and no EFI System Partition with boot files was found.\n");
    host_free(host);
}

static void machine_without_disks_is_a_failure(void **state)
{
    struct host *host = host_new();
    const char *text = NULL;

    (void)state;
    assert_int_equal(run_line(host, "status", &text), 14);
    assert_says(text, "The firmware shows no disk.");
    host_free(host);
}

static void wrong_arguments_are_refused(void **state)
{
    static const char *const lines[] = {"status disk", "status -all", "status -json"};

    for (size_t i = 0; i < COUNT_OF(lines); i++)
        assert_int_equal(run_line(*state, lines[i], NULL), 2);
}

static void other_machines_have_a_status_too(void **state)
{
    struct host *hosts[] = {fixture_modern_machine(), fixture_article_machine(),
                            fixture_recovery_machine(), fixture_modern_machine()};

    (void)state;
    (void)fixture_add_stick(hosts[3]);
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        const char *text = NULL;
        unsigned code = run_line(hosts[i], "status", &text);
        assert_true(code == 10 || (code >= 64 && code <= 69));
        assert_harmless(text);
        host_free(hosts[i]);
    }
}

/* --- Tables for scripts --------------------------------------------------------------------- */

static void tables_have_a_row_for_everything(void **state)
{
    struct host *host = *state;
    const char *text = NULL;

    windows_break_store(host, 1);
    assert_int_equal(run_line(host, "status -sfo", &text), 65);
    assert_string_equal(
        text,
        "ShellCommand,\"shadowboot\"\n"
        "RoleInfo,\"0\",\"primary\",\"1\",\"3\"\n"
        "VerdictInfo,\"0\",\"starts\",\"Boot0000\",\"\"\n"
        "RoleInfo,\"1\",\"shadow\",\"1\",\"3\"\n"
        "VerdictInfo,\"1\",\"fails\",\"Boot0001\",\"Its boot store \\EFI\\Microsoft\\Boot\\BCD: it "
        "is not a registry hive. Windows' boot manager stops with 0xc000014c.\"\n"
        "StatusInfo,\"65\",\"If the primary disk dies, this machine does not start.\"\n"
        "FindingInfo,\"esp-store-damaged\",\"damage\",\"Disk 1 Partition 1\",\"The boot store "
        "\\EFI\\Microsoft\\Boot\\BCD is damaged: it is not a registry hive.\"\n");
}

static void columns_without_a_value_are_empty(void **state)
{
    struct host *host = *state;
    const char *text = NULL;

    lose_shadow(host);
    (void)run_line(host, "status -sfo", &text);
    assert_says(text, "RoleInfo,\"1\",\"shadow\",\"\",\"\"\n|"
                      "VerdictInfo,\"1\",\"fails\",\"\",\"The disk cannot be read.\"\n");
}

/* The digest as other tools print it. */
static void print_digest(struct span data, char ret_text[65])
{
    struct sha256 digest = sha256_of(data);

    for (size_t i = 0; i < sizeof(digest.bytes); i++)
        snprintf(ret_text + 2 * i, 3, "%02x", digest.bytes[i]);
}

static void files_of_the_esps_are_listed_with_their_digests(void **state)
{
    struct host *host = *state;
    const char *text = NULL;
    char digest[65];
    char row[256];

    print_digest(windows_manager(), digest);
    assert_int_equal(run_line(host, "status -sfo -v", &text), 0);
    for (int disk = 0; disk < 2; disk++) {
        snprintf(row, sizeof(row),
                 "\nFileInfo,\"%d\",\"1\",\"" BOOTMGFW "\",\"%zu\",\"%s\",\"ok\"\n", disk,
                 windows_manager().size, digest);
        assert_non_null(strstr(text, row));
    }
    assert_int_equal(run_line(host, "status -sfo -v -quick", &text), 0);
    snprintf(row, sizeof(row),
             "\nFileInfo,\"1\",\"1\",\"" BOOTMGFW "\",\"%zu\",\"\",\"not read\"\n",
             windows_manager().size);
    assert_non_null(strstr(text, row));
    assert_int_equal(run_line(host, "status -sfo", &text), 0);
    assert_null(strstr(text, "FileInfo"));
}

static void broken_files_are_listed_as_such(void **state)
{
    struct host *host = *state;
    const char *text = NULL;

    windows_break_manager(host, 0);
    (void)run_line(host, "status -sfo -v", &text);
    assert_says(text, "\"parts of it have been overwritten with zeros\"\n");
}

/* --- The report ----------------------------------------------------------------------------- */

#define REPORT "\\report.json"

static struct span report_of(struct host *host)
{
    struct span report = mem_files_find(host->files, 0, REPORT);

    assert_non_null(report.at);
    if (!json_is_valid((const char *)report.at, report.size))
        print_error("%.*s\n", (int)report.size, (const char *)report.at);
    assert_true(json_is_valid((const char *)report.at, report.size));
    return report;
}

static void assert_json(struct span report, const char *place, const char *value)
{
    const char *found = json_at((const char *)report.at, report.size, place);

    if (strcmp(found, value) != 0)
        print_error("%s\n", place);
    assert_string_equal(found, value);
}

static void report_holds_what_is_known(void **state)
{
    static const struct {
        const char *place;
        const char *value;
    } values[] = {
        {"program", "\"shadowboot\""},
        {"reportVersion", "1"},
        {"date", "\"2026-01-02T03:04:05\""},
        {"architecture", "\"X64\""},
        {"firmware.version", "\"" SHADOWBOOT_VERSION "\""},
        {"firmware.vendor", "\"not said\""},
        {"firmware.secureBoot", "\"not there\""},
        {"state.exitStatus", "65"},
        {"state.text", "\"If the primary disk dies, this machine does not start.\""},
        {"bootVolume.kind", "\"ldm\""},
        {"bootVolume.name", "\"Volume1 (C:)\""},
        {"bootVolume.missingDisks", "0"},
        {"disks.0.number", "0"},
        {"disks.0.blocks", "24576"},
        {"disks.0.blockBytes", "512"},
        {"disks.0.guid", "\"77777777-0000-4d00-8000-0123456789a0\""},
        {"disks.0.removable", "false"},
        {"disks.0.role", "\"primary\""},
        {"disks.0.alone.verdict", "\"starts\""},
        {"disks.0.alone.entry", "0"},
        {"disks.1.role", "\"shadow\""},
        {"disks.1.alone.verdict", "\"fails\""},
        {"disks.1.alone.entry", "1"},
        {"disks.1.alone.reason",
         "\"Its boot store \\\\EFI\\\\Microsoft\\\\Boot\\\\BCD: it is not a "
         "registry hive. Windows' boot manager stops with 0xc000014c.\""},
        {"disks.2", ""},
        {"disks.1.partitions.0.guid", "\"" WINDOWS_ESP_1 "\""},
        {"disks.1.partitions.0.type", "\"EFI system partition\""},
        {"disks.1.partitions.0.firstLba", "2048"},
        {"disks.1.partitions.0.esp.state", "\"healthy\""},
        {"disks.1.partitions.0.esp.fileSystem", "\"FAT16\""},
        {"disks.1.partitions.0.esp.clusterBytes", "512"},
        {"disks.1.partitions.0.esp.files.1.path",
         "\"\\\\EFI\\\\Microsoft\\\\Boot\\\\bootmgfw.efi\""},
        {"disks.1.partitions.0.esp.files.2.bytes", "14"},
        {"disks.1.partitions.0.esp.files.2.state", "\"ok\""},
        {"disks.1.partitions.0.esp.files.3", ""},
        {"disks.0.partitions.2.copies.0.plex", "\"Volume1-01\""},
        {"disks.0.partitions.2.copies.0.plexState", "\"good\""},
        {"disks.0.partitions.2.copies.0.label", "\"T\u00e9st\""},
        {"volumes.0.name", "\"Volume1\""},
        {"volumes.0.letter", "\"C:\""},
        {"volumes.0.status", "\"Healthy\""},
        {"entries.1.number", "1"},
        {"entries.1.name", "\"Boot Mirror\""},
        {"entries.1.inOrder", "true"},
        {"findings.0.name", "\"esp-store-damaged\""},
        {"findings.0.severity", "\"damage\""},
        {"findings.0.place", "\"Disk 1 Partition 1\""},
        {"findings.1", ""},
    };
    struct host *host = *state;
    const char *text = NULL;
    char digest[67] = "\"";

    windows_break_store(host, 1);
    assert_int_equal(run_line(host, "status -json FS0:" REPORT, &text), 65);
    assert_says(text, "Starts from Disk 1 alone: no.");
    struct span report = report_of(host);
    for (size_t i = 0; i < COUNT_OF(values); i++)
        assert_json(report, values[i].place, values[i].value);
    print_digest(windows_manager(), digest + 1);
    strcat(digest, "\"");
    assert_json(report, "disks.0.partitions.0.esp.files.1.sha256", digest);
}

/* As firmware has it in its system table, and no more than it has. */
static void version_names_program_and_firmware(void **state)
{
    static const struct {
        struct firmware_info firmware;
        const char *says;
        const char *row;
    } cases[] = {
        {{"EDK II", 0x10000, 2 << 16 | 70},
         "Firmware: EDK II, revision 0x00010000, UEFI 2.7. Secure Boot: not there.",
         "ProgramInfo,\"" SHADOWBOOT_VERSION
         "\",\"X64\",\"EDK II\",\"0x00010000\",\"2.7\",\"not there\""},
        {{"Somebody", 7, 2 << 16 | 31}, "revision 0x00000007, UEFI 2.3.1.", "\"2.3.1\""},
        {{NULL, 0, 0}, "Firmware: not said, revision 0x00000000, UEFI not said.", "\"not said\""},
    };
    struct host *host = *state;
    const char *text = NULL;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        host->firmware = cases[i].firmware;
        assert_int_equal(run_line(host, "version", &text), 0);
        assert_says(text, "shadowboot " SHADOWBOOT_VERSION " (X64)");
        assert_says(text, cases[i].says);
        assert_int_equal(run_line(host, "version -sfo", &text), 0);
        assert_says(text, cases[i].row);
    }
}

static void report_says_what_quick_left_out(void **state)
{
    struct host *host = *state;

    assert_int_equal(run_line(host, "status -sfo -quick -json FS0:" REPORT, NULL), 0);
    struct span report = report_of(host);
    assert_json(report, "disks.0.partitions.0.esp.files.1.sha256", "");
    assert_json(report, "disks.0.partitions.0.esp.files.1.state", "\"not read\"");
}

static void report_of_any_machine_is_json(void **state)
{
    struct host *hosts[] = {fixture_modern_machine(), fixture_article_machine(),
                            fixture_recovery_machine(), windows_machine(), windows_machine()};
    struct fixture_entry entry = {
        .number = 2, .description = "\x1b\x7f \"quoted\" back\\slash\t", .form = FIXTURE_FV};

    (void)state;
    fixture_add_entry(hosts[3], &entry);
    fixture_set_order(hosts[3], (uint16_t[]){2, 0, 1, 9}, 4);
    mem_vars_put(hosts[3]->vars, NULL, "Boot0003", 7, "bad", 3);
    lose_shadow(hosts[4]);
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        unsigned code = run_line(hosts[i], "status -sfo -json FS0:" REPORT, NULL);
        char number[16];
        snprintf(number, sizeof(number), "%u", code);
        assert_json(report_of(hosts[i]), "state.exitStatus", number);
        host_free(hosts[i]);
    }
}

static void entry_that_is_damaged_is_in_the_report_as_such(void **state)
{
    struct host *host = *state;

    mem_vars_put(host->vars, NULL, "Boot0001", 7, "bad", 3);
    (void)run_line(host, "status -sfo -json FS0:" REPORT, NULL);
    struct span report = report_of(host);
    assert_json(report, "entries.1.status", "\"damaged\"");
    assert_json(report, "entries.1.name", "null");
    assert_json(report, "entries.1.path", "null");
    assert_json(report, "disks.1.alone.entry", "null");
}

static void report_replaces_no_file(void **state)
{
    struct host *host = *state;
    const char *text = NULL;

    mem_files_put(host->files, 0, REPORT, "mine", 4);
    assert_int_equal(run_line(host, "status -json FS0:" REPORT, &text), 20);
    assert_says(text, "FS0:\\report.json is there already. Name another file.");
    assert_true(span_equal(mem_files_find(host->files, 0, REPORT), span_of("mine", 4)));
}

static void report_that_cannot_be_written_is_a_failure(void **state)
{
    struct host *host = *state;
    const char *text = NULL;

    assert_int_equal(run_line(host, "status -json FS9:\\x.json", &text), 14);
    assert_says(text, "there is no such volume");
    mem_files_set_read_only(host->files, 0, true);
    assert_int_equal(run_line(host, "status -json FS0:" REPORT, &text), 8);
    assert_says(text, "FS0:\\report.json could not be written: read-only.");
}

static void nothing_else_is_written(void **state)
{
    struct host *host = *state;
    struct host *before = host_clone(host);

    (void)run_line(host, "status -json FS1:" REPORT, NULL);
    assert_int_equal(mem_vars_log_count(host->vars), 0);
    assert_true(mem_files_equal(host->files, before->files, 0));
    mem_files_drop(host->files, 1, REPORT);
    assert_true(host_equal(host, before));
    host_free(before);
}

/* Names come here printable already; the report does not rely on it. */
static void any_text_is_written_as_json(void **state)
{
    char all[256];
    struct text_buffer text;
    struct json json;
    char out[2048];

    (void)state;
    for (int i = 1; i < 128; i++)
        all[i - 1] = (char)i;
    all[127] = '\0';
    text_buffer_init(&text, out, sizeof(out));
    json_start(&json, text_buffer_sink(&text));
    json_open_object(&json, NULL);
    json_text(&json, "all", all);
    json_text(&json, "none", NULL);
    json_number(&json, "most", UINT64_MAX);
    json_open_array(&json, "empty");
    json_close_array(&json);
    json_close_object(&json);
    json_finish(&json);
    assert_true(json_is_valid(out, strlen(out)));
    assert_string_equal(json_at(out, strlen(out), "most"), "18446744073709551615");
    assert_string_equal(json_at(out, strlen(out), "none"), "null");
    assert_string_equal(json_at(out, strlen(out), "empty"), "[]");
    assert_says(out, "\\u0001\\u0002|\\u000a|\\u001f !\\\"#|[\\\\]|~\\u007f\"");
}

/* --- The checker itself --------------------------------------------------------------------- */

static void checker_takes_json_and_nothing_else(void **state)
{
    static const char *const good[] = {"{}", " [ 1 , -0.5e+3, \"\\u00e9\\n\u00e9\", null ] ",
                                       "{\"a\":{\"a\":true},\"b\":[]}", "0"};
    static const char *const bad[] = {
        "",       "{",       "{\"a\":1,}",   "[1,]",   "[1 2]",       "01",
        "\"\t\"", "\"\\x\"", "\"\xc0\x80\"", "{a:1}",  "{} x",        "tru",
        "'a'",    "[1]]",    "{\"a\" 1}",    "\"\xff", "\"\\u12g4\"", "{\"a\":1,\"a\":2}",
        "+1",     "1."};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++)
        assert_true(json_is_valid(good[i], strlen(good[i])));
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(json_is_valid(bad[i], strlen(bad[i])));
}

/* --- Pictures ------------------------------------------------------------------------------- */

#define PARTITIONS_MAX 130

/* A disk with nothing but what the picture looks at. */
struct canvas {
    struct ports ports;
    struct host *host;
    struct context context;
    struct screen screen;
    struct disk disk;
    struct partition partitions[PARTITIONS_MAX];
};

static struct canvas *canvas_new(uint64_t block_count, uint32_t block_size)
{
    struct canvas *canvas = host_alloc(1, sizeof(*canvas));

    canvas->host = host_new();
    canvas->ports = *host_ports(canvas->host);
    canvas->context.ports = &canvas->ports;
    canvas->context.screen = &canvas->screen;
    screen_open(&canvas->screen, &canvas->ports.console);
    canvas->disk.block_count = block_count;
    canvas->disk.block_size = block_size;
    canvas->disk.style = DISK_GPT;
    canvas->context.machine.disks = &canvas->disk;
    canvas->context.machine.disk_count = 1;
    canvas->context.machine.partitions = canvas->partitions;
    return canvas;
}

static void canvas_free(struct canvas *canvas)
{
    host_free(canvas->host);
    free(canvas);
}

static void put_partition(struct canvas *canvas, enum partition_type kind, uint64_t first,
                          uint64_t blocks)
{
    assert_true(canvas->disk.partition_count < PARTITIONS_MAX);
    canvas->partitions[canvas->disk.partition_count++] =
        (struct partition){.kind = kind, .first_lba = first, .block_count = blocks};
    canvas->context.machine.partition_count = canvas->disk.partition_count;
}

/* The picture, one line that is not too wide and has a bracket to each. */
static const char *draw(struct canvas *canvas)
{
    host_console_clear(canvas->host->console);
    show_picture(&canvas->context, 0, NULL, PICTURE_WIDTH);
    const char *text = host_console_text(canvas->host->console);
    size_t length = strlen(text);
    int open = 0;

    assert_true(length > 0 && text[length - 1] == '\n');
    assert_null(strchr(text, '\n') + 1 == text + length ? NULL : text);
    assert_true(length - 1 <= PICTURE_WIDTH);
    for (size_t i = 0; i < length; i++) {
        open += text[i] == '[' ? 1 : text[i] == ']' ? -1 : 0;
        assert_true(open == 0 || open == 1);
    }
    assert_int_equal(open, 0);
    return text;
}

static size_t count_of(const char *text, char c)
{
    size_t count = 0;

    for (; *text != '\0'; text++)
        count += *text == c;
    return count;
}

static void picture_without_partitions_is_all_free(void **state)
{
    struct canvas *canvas = canvas_new(1u << 20, 512);

    (void)state;
    assert_int_equal(count_of(draw(canvas), '.'), PICTURE_WIDTH - 1);
    canvas->disk.block_count = 100;
    assert_string_equal(draw(canvas), "\n");
    canvas_free(canvas);
}

static void disk_without_a_table_is_one_bracket(void **state)
{
    struct canvas *canvas = canvas_new(1u << 20, 512);

    (void)state;
    canvas->disk.style = DISK_RAW;
    assert_says(draw(canvas), "[no partition table ");
    canvas->disk.status = ST_IO;
    assert_says(draw(canvas), "[unreadable ");
    canvas_free(canvas);
}

static void partitions_are_drawn_to_scale(void **state)
{
    struct canvas *canvas = canvas_new(100u << 20, 512);

    (void)state;
    put_partition(canvas, PT_ESP, 0, 100u << 20);
    const char *text = draw(canvas);
    assert_int_equal(strlen(text), PICTURE_WIDTH); /* with the line's end */
    assert_says(text, "[ESP ");
    canvas->partitions[0].block_count = 25u << 20;
    put_partition(canvas, PT_BASIC_DATA, 25u << 20, 50u << 20);
    text = draw(canvas);
    /* A quarter, a half, and a quarter free: the same again, give or take brackets. */
    const char *second = strchr(text + 1, '[');
    size_t free_space = count_of(text, '.');
    assert_in_range(second - text, 17, 21);
    assert_in_range(free_space, 17, 21);
    assert_in_range(strchr(second, ']') - second + 1, 35, 42);
    canvas_free(canvas);
}

static void tiny_partitions_are_there_beside_huge_ones(void **state)
{
    struct canvas *canvas = canvas_new((uint64_t)1 << 40, 4096);

    (void)state;
    put_partition(canvas, PT_ESP, 256, 25600);
    put_partition(canvas, PT_MSR, 25856, 4096);
    put_partition(canvas, PT_BASIC_DATA, 29952, ((uint64_t)1 << 40) - 29952 - 6);
    assert_int_equal(count_of(draw(canvas), '['), 3);
    canvas_free(canvas);
}

static void full_table_leaves_the_smallest_out(void **state)
{
    for (size_t count = 1; count <= 128; count++) {
        struct canvas *canvas = canvas_new(200u << 20, 512);
        for (size_t i = 0; i < count; i++)
            put_partition(canvas, PT_BASIC_DATA, (i + 1) << 20, (uint64_t)1 << (i % 21));
        const char *text = draw(canvas);
        assert_true(count_of(text, '[') >= 1);
        if (count > 40)
            assert_true(text[strlen(text) - 2] == '+');
        canvas_free(canvas);
    }
    (void)state;
}

/* Numbers from a table that nobody has checked: sums of bytes pass 64 bits. */
static void sizes_beyond_all_bounds_are_drawn_in_bounds(void **state)
{
    static const uint64_t sizes[] = {UINT64_MAX,
                                     UINT64_MAX / 512,
                                     UINT64_MAX / 4096,
                                     (uint64_t)1 << 63,
                                     (uint64_t)1 << 54,
                                     (uint64_t)3 << 53,
                                     ((uint64_t)1 << 55) - 1,
                                     1,
                                     0};
    static const uint32_t block_sizes[] = {512, 4096, 65536};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(block_sizes) * COUNT_OF(sizes); i++) {
        struct canvas *canvas = canvas_new(sizes[i % COUNT_OF(sizes)], block_sizes[i / 9]);
        for (size_t j = 0; j < 40; j++) {
            (void)draw(canvas);
            put_partition(canvas, PT_UNKNOWN, sizes[j % 7], sizes[(i + j) % COUNT_OF(sizes)]);
        }
        canvas_free(canvas);
    }
}

static void three_halves_of_all_numbers_are_drawn_in_bounds(void **state)
{
    struct canvas *canvas = canvas_new(1u << 30, 512);

    (void)state;
    for (size_t i = 0; i < 3; i++)
        put_partition(canvas, PT_UNKNOWN, 2048, (uint64_t)1 << 54);
    (void)draw(canvas);
    canvas_free(canvas);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(healthy_mirror_is_shown_in_full),
        TEST(what_is_wrong_is_shown_with_advice),
        TEST(what_is_in_the_way_of_repair_is_in_its_notes),
        TEST(store_that_starts_something_else_has_a_next_step),
        TEST(lines_are_broken_at_words_on_a_screen),
        TEST(colours_are_added_to_words),
        TEST(quick_looks_at_no_contents_but_the_stores),
        TEST(copies_of_a_volume_are_described),
        TEST(hostile_names_cannot_act_on_the_terminal),
        cmocka_unit_test(exit_status_tells_the_state),
        TEST(single_disk_ends_with_68),
        cmocka_unit_test(machine_without_a_boot_disk_ends_with_10),
        cmocka_unit_test(machine_without_disks_is_a_failure),
        TEST(wrong_arguments_are_refused),
        cmocka_unit_test(other_machines_have_a_status_too),
        TEST(tables_have_a_row_for_everything),
        TEST(columns_without_a_value_are_empty),
        TEST(files_of_the_esps_are_listed_with_their_digests),
        TEST(broken_files_are_listed_as_such),
        TEST(report_holds_what_is_known),
        TEST(version_names_program_and_firmware),
        TEST(report_says_what_quick_left_out),
        cmocka_unit_test(report_of_any_machine_is_json),
        TEST(entry_that_is_damaged_is_in_the_report_as_such),
        TEST(report_replaces_no_file),
        TEST(report_that_cannot_be_written_is_a_failure),
        TEST(nothing_else_is_written),
        cmocka_unit_test(any_text_is_written_as_json),
        cmocka_unit_test(checker_takes_json_and_nothing_else),
        cmocka_unit_test(picture_without_partitions_is_all_free),
        cmocka_unit_test(disk_without_a_table_is_one_bracket),
        cmocka_unit_test(partitions_are_drawn_to_scale),
        cmocka_unit_test(tiny_partitions_are_there_beside_huge_ones),
        cmocka_unit_test(full_table_leaves_the_smallest_out),
        cmocka_unit_test(sizes_beyond_all_bounds_are_drawn_in_bounds),
        cmocka_unit_test(three_halves_of_all_numbers_are_drawn_in_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
