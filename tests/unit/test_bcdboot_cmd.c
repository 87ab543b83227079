/* Lines of bcdboot as they are typed in Windows: which are understood, and why others are refused. On a machine whose
 * Windows has a damaged boot manager, so that a line that is understood says just that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "unit/line_fixture.h"

#define UNDERSTOOD "cannot be copied: it is damaged. Nothing was changed."
#define OF_DISK_0  "bootmgfw.efi in \\Windows\\Boot\\EFI on Disk 0 Partition 4 {|" UNDERSTOOD
#define OF_DISK_1  "bootmgfw.efi in \\Windows\\Boot\\EFI on Disk 1 Partition 4 {|" UNDERSTOOD

struct row {
    const char *words; /* behind "bcdboot" */
    unsigned code;
    const char *said;
};

/* Each refused, and nothing written; `-y` is given. */
static void assert_rows(struct host *host, const struct row *rows, size_t count)
{
    struct host *before = host_clone(host);
    char line[256];

    for (size_t i = 0; i < count; i++) {
        snprintf(line, sizeof(line), "bcdboot %s -y", rows[i].words);
        run_to_say(host, line, rows[i].code, rows[i].said);
        assert_says(host_console_text(host->console), "Nothing was changed.");
    }
    for (size_t disk = 0; disk < 2; disk++)
        assert_int_equal(mem_block_difference(host->disks[disk], before->disks[disk], 0),
                         UINT64_MAX);
    assert_true(mem_vars_equal(host->vars, before->vars));
    host_free(before);
}

#define ASSERT_ROWS(host, rows) assert_rows(host, rows, sizeof(rows) / sizeof((rows)[0]))

static void switches_are_those_of_windows(void **state)
{
    static const struct row rows[] = {
        {"", USAGE, "It goes like this: bcdboot C:\\Windows /s FS0: /l de-DE."},
        {"C:\\Windows", DAMAGED, OF_DISK_0},
        {"c:\\WINDOWS -V /d /bootex /m", DAMAGED, OF_DISK_0},
        {"C:\\Windows /P", DAMAGED, OF_DISK_0},
        {"/addlast C:\\Windows", DAMAGED, OF_DISK_0},
        {"C:\\Windows /c /f all", DAMAGED, OF_DISK_0},
        {"C:\\Windows /f UEFI", DAMAGED, OF_DISK_0},
        {"C:\\Windows D:\\Windows", USAGE, "\"D:\\Windows\" is not understood here."},
        {"C:\\Windows /x", USAGE, "\"/x\" is not understood here; \"shadowboot help bcdboot\""},
        {"C:\\Windows /offline", USAGE, "\"/offline\" is for images of Windows"},
        {"C:\\Windows /s", USAGE, "\"/s\" needs the EFI system partition behind it"},
        {"C:\\Windows /l /c", USAGE, "\"/l\" needs a language behind it, as in /l de-DE"},
        {"C:\\Windows /f", USAGE, "\"/f\" needs the firmware behind it: /f UEFI"},
        {"C:\\Windows /f BIOS", USAGE, "\"BIOS\" is not made here"},
        {"C:\\Windows /addlast /p", USAGE, "\"/addlast\" and /p contradict each other"},
        {"C:\\Windows /c /m {default}", USAGE, "\"{default}\" behind /m and /c contradict each"},
    };

    ASSERT_ROWS(*state, rows);
}

static void windows_is_looked_for_on_the_boot_volume_alone(void **state)
{
    static const struct row rows[] = {
        {"D:\\Windows", NOT_FOUND, "starts Windows from is C:, not D:."},
        {"C:\\WinNT", USAGE, "\"C:\\WinNT\" is not where Windows is looked for"},
        {"C:\\Windows\\System32", USAGE, "is not where Windows is looked for"},
        {"Windows", USAGE, "\"Windows\" is not where Windows is looked for"},
    };

    ASSERT_ROWS(*state, rows);
}

static void place_is_an_esp_of_the_mirror(void **state)
{
    static const struct row rows[] = {
        {"C:\\Windows /s 0/1", DAMAGED, OF_DISK_0},
        {"C:\\Windows /s 1/1", DAMAGED, OF_DISK_1},
        {"C:\\Windows /s {d15c0000-0001-4000-8000-0123456789ab}", DAMAGED, OF_DISK_1},
        {"C:\\Windows /s 1/2", NOT_FOUND,
         "\"1/2\" is no EFI system partition of the mirror|\n  0/1  Disk 0 Partition 1 {|\n  1/1  "
         "Disk 1 Partition 1 {"},
        {"C:\\Windows /s S:", NOT_FOUND, "\"S:\" is no EFI system partition of the mirror"},
        {"C:\\Windows /s {d15c0000-0009-4000-8000-0123456789ab}", NOT_FOUND,
         "is no EFI system partition of the mirror"},
    };

    ASSERT_ROWS(*state, rows);
}

static void guid_of_two_partitions_names_neither(void **state)
{
    static const struct row rows[] = {
        {"C:\\Windows /s {d15c0000-0000-4000-8000-0123456789ab}", NOT_FOUND,
         "is no EFI system partition of the mirror"},
    };
    struct host *host = *state;

    disk_machine_repeat_esp(host);
    ASSERT_ROWS(host, rows);
}

static void where_no_esp_is_rebuild_is_named(void **state)
{
    static const struct row rows[] = {
        {"C:\\Windows", NOT_FOUND, "The boot entries start no EFI system partition now"},
        {"C:\\Windows /s 0/1", NOT_FOUND,
         "No disk of the mirror has an EFI system partition yet: \"shadowboot rebuild\""},
    };
    struct host *host = *state;

    disk_machine_drop_partition(host, 0, PART_ESP);
    disk_machine_drop_partition(host, 1, PART_ESP);
    ASSERT_ROWS(host, rows);
}

static void language_has_to_be_one_that_windows_has(void **state)
{
    static const struct row rows[] = {
        {"C:\\Windows /l en-US", DAMAGED, OF_DISK_0},
        {"C:\\Windows /s 1/1 /l de-DE", NOT_FOUND,
         "Windows on Disk 1 Partition 4 {|has no messages of the boot manager in \"de-DE\". It has "
         "these: en-US."},
        {"C:\\Windows /l german", USAGE, "\"german\" is no language as de-DE is one"},
        {"C:\\Windows /l d-DE", USAGE, "\"d-DE\" is no language"},
        {"C:\\Windows /l d--DE", USAGE, "\"d--DE\" is no language"},
        {"C:\\Windows /l de-DE\\x", USAGE, "is no language"},
    };

    ASSERT_ROWS(*state, rows);
}

static void loader_that_is_merged_has_to_be_in_a_store(void **state)
{
    static const struct row rows[] = {
        {"C:\\Windows /m {default}", DAMAGED, OF_DISK_0},
        {"C:\\Windows /m {4bd4b7f1-9cb2-11e9-8d5c-525400a1b2c3}", DAMAGED, OF_DISK_0},
        {"C:\\Windows /m {4bd4b7f1-9cb2-11e9-8d5c-525400a1b2c4}", NOT_FOUND,
         "No boot store of this machine has a loader {4bd4b7f1-9cb2-11e9-8d5c-525400a1b2c4}."},
        {"C:\\Windows /m {x}", USAGE, "\"{x}\" is no loader that can be named here"},
    };

    ASSERT_ROWS(*state, rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINE_TEST(switches_are_those_of_windows),
        LINE_TEST(windows_is_looked_for_on_the_boot_volume_alone),
        LINE_TEST(place_is_an_esp_of_the_mirror),
        LINE_TEST(guid_of_two_partitions_names_neither),
        LINE_TEST(where_no_esp_is_rebuild_is_named),
        LINE_TEST(language_has_to_be_one_that_windows_has),
        LINE_TEST(loader_that_is_merged_has_to_be_in_a_store),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
