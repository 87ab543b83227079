/* Lines of bcdedit as they are typed in Windows; and how Windows is to start, by a word each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cmd/cmd.h"
#include "host/host_alloc.h"
#include "unit/line_fixture.h"
#include "unit/scan_fixture.h"
#include "unit/windows_fixture.h"

#define LOADER  "{4bd4b7f1-9cb2-11e9-8d5c-525400a1b2c3}"
#define SUCCESS "The operation completed successfully.\n"
#define STORE   "/store FS0:\\EFI\\Microsoft\\Boot\\BCD "

/* The store of each disk lists with the text, or without it. */
static void expect_listed(struct host *host, const char *text, bool is_there)
{
    for (int disk = 0; disk < 2; disk++) {
        run_to(host, disk == 0 ? "bcd list 0" : "bcd list 1", DONE);
        if (is_there)
            expect_said(host, text);
        else
            expect_unsaid(host, text);
    }
}

/* --- bcdedit -------------------------------------------------------------------------------- */

static void lines_of_bcdedit_do_what_they_do_in_windows(void **state)
{
    static const struct {
        const char *line;
        const char *listed;
        bool is_there;
    } rows[] = {
        {"bcdedit /set {default} nx AlwaysOn", "nx                      AlwaysOn\n", true},
        {"bcdedit /SET " LOADER " NX optin", "nx                      OptIn\n", true},
        {"bcdedit -set nx optout", "nx                      OptOut\n", true},
        {"bcdedit /deletevalue {default} nx", "nx  ", false},
        {"bcdedit /timeout 12", "timeout                 12\n", true},
        {"bcdedit /displayorder {bootmgr} /addfirst",
         "displayorder            {bootmgr}\n                        {default}\n", true},
        {"bcdedit /displayorder {bootmgr} /addlast",
         "displayorder            {default}\n                        {bootmgr}\n", true},
        {"bcdedit /displayorder {bootmgr} /remove", "                        {", false},
        {"bcdedit /bootsequence {default}", "bootsequence            {default}\n", true},
        {"bcdedit /bootsequence {default} /remove", "bootsequence", false},
        {"bcdedit /toolsdisplayorder {default}", "toolsdisplayorder       {default}\n", true},
        {"bcdedit /default " LOADER, "identifier              {default}\n", true},
    };
    struct host *host = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        run_to(host, rows[i].line, DONE);
        assert_string_equal(host_console_text(host->console), SUCCESS);
        expect_listed(host, rows[i].listed, rows[i].is_there);
    }
}

/* As the article on rescue mode has them, but for the place of the store. */
static void lines_of_the_rescue_article_work(void **state)
{
    struct host *host = *state;

    run_to(host, "bcdedit " STORE "/set {default} osdevice partition=c:", DONE);
    assert_string_equal(host_console_text(host->console), SUCCESS);
    run_to(host, "bcdedit " STORE "/set {default} device partition=c:", DONE);
    run_to(host, "bcdedit " STORE "/set {bootmgr} device partition=c:", DONE);
    run_to(host, "bcdedit " STORE "/set {memdiag} device partition=c:", NOT_FOUND);
    expect_said(host, "ERROR: {memdiag} is not in the boot store");
    run_to(host, "bcdedit " STORE, DONE);
    expect_said(host, "osdevice                Disk 0 Partition 4 (LDM data, plex of C:)\n");
    run_to(host, "bcdedit /store d:\\boot\\bcd", NOT_FOUND);
    expect_said(host, "No volume here is known as d:.");
}

/* Copies {default}, and puts what the copy is called there. */
static void copy_default(struct host *host, char ret_guid[GUID_TEXT_SIZE])
{
    run_to(host, "bcdedit /copy {default} /d Second", DONE);
    const char *copied = strstr(host_console_text(host->console), "copied to {");
    assert_non_null(copied);
    memcpy(ret_guid, copied + 10, GUID_TEXT_SIZE - 1);
    ret_guid[GUID_TEXT_SIZE - 1] = '\0';
}

static void copy_tells_the_new_guid(void **state)
{
    struct host *host = *state;
    char guid[GUID_TEXT_SIZE];
    char line[200];

    copy_default(host, guid);
    snprintf(line, sizeof(line), "bcdedit /set %s nx OptOut", guid);
    run_to(host, line, DONE);
    expect_listed(host, "description             Second\n", true);
    expect_listed(host, "nx                      OptOut\n", true);
    snprintf(line, sizeof(line), "bcdedit /delete %s /f", guid);
    run_to(host, line, DONE);
    expect_listed(host, "Second", false);
}

static void what_bcdedit_lists(void **state)
{
    struct host *host = *state;

    run_to(host, "bcdedit", DONE);
    expect_said(host, "identifier              {default}\n");
    run_to(host, "bcdedit /v", DONE);
    expect_said(host, "identifier              " LOADER "\n");
    expect_unsaid(host, "Disks: ");
    run_to(host, "bcdedit /enum all /v", DONE);
    expect_said(host, "identifier              " LOADER "\n");
    run_to(host, "bcdedit /?", DONE);
    expect_said(host, "bcdedit /deletevalue [OBJECT] ELEMENT");
}

static void lines_that_are_no_bcdedit_are_refused(void **state)
{
    static const char *const lines[] = {
        "bcdedit /frob",
        "bcdedit nx 1",
        "bcdedit /set nx",
        "bcdedit /set {default}",
        "bcdedit /copy {default}",
        "bcdedit /delete",
        "bcdedit /delete {default} {bootmgr}",
        "bcdedit /displayorder",
        "bcdedit /timeout 1 2",
        "bcdedit /enum all active",
        "bcdedit /set {default} nx 1 /default",
        "bcdedit -sfo",
    };
    struct host *host = *state;

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        run_to(host, lines[i], USAGE);
        expect_said(host, "ERROR: ");
        expect_said(host, "Nothing was changed.");
    }
    run_to(host, "bcdedit /default {bootmgr}", REFUSED);
}

static void program_named_bcdedit_takes_its_lines(void **state)
{
    static const char *const names[] = {"bcdedit", "BCDEDIT.EFI", "FS0:\\EFI\\bcdedit.efi"};
    struct host *host = *state;
    void *memory = host_alloc(1, LINE_MEMORY);

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *const argv[] = {names[i], "/enum", "all"};
        struct arena arena;
        arena_init(&arena, memory, LINE_MEMORY);
        host_console_clear(host->console);
        assert_int_equal(cmd_main(host_ports(host), &arena, 3, argv), DONE);
        expect_said(host, "Windows Boot Loader\n-------------------\n");
    }
    free(memory);
}

/* --- start ---------------------------------------------------------------------------------- */

static void ways_to_start_are_set_and_taken_back(void **state)
{
    static const struct {
        const char *line;
        const char *listed;
        const char *said;
    } rows[] = {
        {"bcd start safe -y", "safeboot                Minimal\n",
         "\"shadowboot bcd start normal\""},
        {"bcd start safe-network -y", "safeboot                Network\n",
         "\"shadowboot bcd start normal\""},
        {"bcd start safe-command -y",
         "safeboot                Minimal\nsafebootalternateshell  Yes\n",
         "\"shadowboot bcd start normal\""},
        {"bcd start last-known-good -y", "lastknowngood           Yes\n",
         "\"shadowboot bcd start normal\""},
        {"bcd start menu -y", "onetimeadvancedoptions  Yes\n", "for the next start only"},
        {"bcd start never-recovery -y", "bootstatuspolicy        IgnoreAllFailures\n",
         "bcd delete {default} bootstatuspolicy"},
    };
    struct host *host = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        run_to(host, rows[i].line, DONE);
        expect_said(host, rows[i].said);
        expect_listed(host, rows[i].listed, true);
    }
    run_to(host, "bcd start safe-network -y", DONE);
    expect_listed(host, "safebootalternateshell", false);
    run_to(host, "bcd start normal -y", DONE);
    expect_listed(host, "safeboot", false);
    expect_listed(host, "onetime", false);
    expect_listed(host, "lastknowngood", false);
    run_to(host, "bcd start normal -y", DONE);
    expect_said(host, "Nothing to do");
    run_to(host, "bcd start backwards -y", USAGE);
    expect_said(host, "There are: normal, safe, safe-network, safe-command, recovery, "
                      "last-known-good, menu, never-recovery.");
}

static void recovery_is_started_once(void **state)
{
    struct host *host = *state;
    char guid[GUID_TEXT_SIZE];
    char line[200];

    run_to(host, "bcd start recovery -y", NOT_FOUND);
    expect_said(host, "names no recovery system");
    copy_default(host, guid);
    snprintf(line, sizeof(line), "bcd set {default} recoverysequence %s -y", guid);
    run_to(host, line, DONE);
    run_to(host, "bcd start recovery -y", DONE);
    expect_said(host, "for the next start only");
    snprintf(line, sizeof(line), "bootsequence            %s\n", guid);
    expect_listed(host, line, true);
    run_to(host, "bcd start normal -y", DONE);
    expect_listed(host, "bootsequence", false);
}

/* What is started then is no Windows: it is what was asked for, and the start after it is. */
static void what_is_started_once_may_be_anything(void **state)
{
    struct host *host = *state;

    run_to(host, "bcd set {bootmgr} bootsequence {bootmgr} -y", DONE);
    expect_said(host, "Disk 1 alone: not known");
    expect_listed(host, "bootsequence            {bootmgr}\n", true);
    run_to(host, "bcd check", DONE);
    expect_said(host, "Disk 1 Partition 1: ");
}

/* --- retarget and check --------------------------------------------------------------------- */

static void retarget_has_each_store_start_its_own_disk(void **state)
{
    struct host *host = *state;

    run_to(host, "bcd retarget -y", DONE);
    expect_said(host, "Nothing to do");
    run_to(host, "bcd set {default} device partition=0/4 -y -force", DONE);
    run_to(host, "bcd set {default} osdevice partition=0/4 -y -force", DONE);
    run_to(host, "bcd check", DAMAGED);
    expect_said(host, "Disk 1 Partition 1: The boot store starts Windows from another disk");
    run_to(host, "bcd check -on 0", DONE);
    expect_said(host, "Nothing is wrong with the boot stores.");
    run_to(host, "bcd check -on first", USAGE);
    run_to(host, "bcd retarget -y", DONE);
    run_to(host, "bcd check", DONE);
    run_to(host, "bcd list 1", DONE);
    expect_said(host, "osdevice                Disk 1 Partition 4 (LDM data, plex of C:)\n");
    run_to(host, "bcd list 0", DONE);
    expect_said(host, "osdevice                Disk 0 Partition 4 (LDM data, plex of C:)\n");
}

static void retarget_of_one_partition_changes_all_that_names_it(void **state)
{
    struct host *host = *state;

    run_to(host, "bcd set {default} device partition=1/4 -y -on 1", DONE);
    run_to(host, "bcd set {default} osdevice partition=1/4 -y -on 1", DONE);
    run_to(host, "bcd set {bootmgr} device partition=1/1 -y -on 1", DONE);
    run_to(host, "bcd retarget -from 1/4 -y -on 1", USAGE);
    run_to(host, "bcd retarget -from 1/4 -to 0/4 -y -on 1", REFUSED);
    run_to(host, "bcd retarget -from 1/4 -to 0/4 -y -on 1 -force", DONE);
    run_to(host, "bcd list 1", DONE);
    expect_said(host, "\ndevice                  Disk 0 Partition 4 (LDM data, plex of C:)\n");
    expect_said(host, "osdevice                Disk 0 Partition 4 (LDM data, plex of C:)\n");
    expect_said(host, "\ndevice                  Disk 1 Partition 1 (EFI system)\n");
    run_to(host, "bcd retarget -from {11111111-2222-3333-4444-555555555555} -to 0/4 -y", DONE);
    expect_said(host, "Nothing to do");
    run_to(host, "bcd retarget -from 1/4 -to {11111111-2222-3333-4444-555555555555}", NOT_FOUND);
}

static void check_says_of_a_store_that_is_damaged(void **state)
{
    struct host *host = *state;

    run_to(host, "bcd check", DONE);
    disk_machine_zero_file(host, 1, "\\EFI\\Microsoft\\Boot\\BCD");
    run_to(host, "bcd check", DAMAGED);
    expect_said(host, "[damage] Disk 1 Partition 1: The boot store");
    run_to(host, "bcd check -sfo", DAMAGED);
    expect_said(host, "FindingInfo,\"esp-store-damaged\",\"damage\",\"Disk 1 Partition 1\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINE_TEST(lines_of_bcdedit_do_what_they_do_in_windows),
        LINE_TEST(lines_of_the_rescue_article_work),
        LINE_TEST(copy_tells_the_new_guid),
        LINE_TEST(what_bcdedit_lists),
        LINE_TEST(lines_that_are_no_bcdedit_are_refused),
        LINE_TEST(program_named_bcdedit_takes_its_lines),
        LINE_TEST(ways_to_start_are_set_and_taken_back),
        LINE_TEST(recovery_is_started_once),
        LINE_TEST(what_is_started_once_may_be_anything),
        LINE_TEST(retarget_has_each_store_start_its_own_disk),
        LINE_TEST(retarget_of_one_partition_changes_all_that_names_it),
        LINE_TEST(check_says_of_a_store_that_is_damaged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
