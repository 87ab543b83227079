/* The bcd command: what it prints of boot stores, and what it saves of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "unit/line_fixture.h"
#include "unit/scan_fixture.h"
#include "unit/shared_fixture.h"
#include "unit/skip_fixture.h"
#include "unit/windows_fixture.h"

#define STORE "\\EFI\\Microsoft\\Boot\\BCD"

/* --- list ----------------------------------------------------------------------------------- */

static void list_prints_the_store_of_each_esp(void **state)
{
    struct host *host = *state;

    run_to(host, "bcd list", DONE);
    expect_said(host, "Boot store of Disk 0 Partition 1");
    expect_said(host, "Boot store of Disk 1 Partition 1");
    run_to(host, "bcd list 1", DONE);
    assert_string_equal(host_console_text(host->console),
                        "\n"
                        "Windows Boot Manager\n"
                        "--------------------\n"
                        "identifier              {bootmgr}\n"
                        "description             Windows Boot Manager\n"
                        "default                 {default}\n"
                        "displayorder            {default}\n"
                        "\n"
                        "Windows Boot Loader\n"
                        "-------------------\n"
                        "identifier              {default}\n"
                        "device                  locate=path\n"
                        "path                    \\Windows\\system32\\winload.efi\n"
                        "description             Windows Server\n"
                        "osdevice                locate=systemroot\n"
                        "systemroot              \\Windows\n");
}

static void list_takes_the_esp_by_guid_and_refuses_what_is_none(void **state)
{
    struct host *host = *state;

    run_to(host, "bcd list 7", NOT_FOUND);
    expect_said(host, "\"7\" has no partition with a boot store.");
    run_to(host, "bcd list {11111111-2222-3333-4444-555555555555}", NOT_FOUND);
    run_to(host, "bcd list somewhere", NOT_FOUND);
    run_to(host, "bcd list 1 2", USAGE);
    expect_said(host, "shadowboot bcd list [-all] [-store FILE | DISK | GUID]");
    run_to(host, "bcd lust", USAGE);
    expect_said(host, "\"lust\" is nothing that bcd does.");
}

/* What is missing or wrong in a line is said, with what there is. */
static void lines_that_say_too_little_are_answered(void **state)
{
    static const struct {
        const char *line;
        unsigned code;
        const char *said;
    } rows[] = {
        {"bcd", USAGE, "Say what to do: list, export, set,"},
        {"bcd start", USAGE, "Which way? There are: normal, safe,"},
        {"bcd set {default}", USAGE,
         "bcd set OBJECT ELEMENT VALUE [VALUE ...]. Nothing was changed."},
        {"bcd list 1 -on 0", USAGE, "leave one of them out"},
        {"bcd check -on 7", NOT_FOUND, "There is no Disk 7"},
        {"bcd retarget -on 7 -y", NOT_FOUND, "There is no Disk 7"},
        {"bcd check -on primary", USAGE, "named by its number, such as 1"},
    };
    struct host *host = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        run_to(host, rows[i].line, rows[i].code);
        expect_said(host, rows[i].said);
    }
}

/* Retargeting leaves it to repair, and does not say that all is well. */
static void store_that_cannot_be_read_is_not_all_well(void **state)
{
    struct host *host = *state;

    run_to(host, "bcd retarget -y", DONE);
    expect_said(host, "Nothing to do");
    disk_machine_zero_file(host, 1, STORE);
    run_to(host, "bcd retarget -y", DONE);
    expect_said(host, "cannot be mended by this command");
    run_to(host, "bcd retarget -y -on 0", DONE);
    expect_said(host, "Nothing to do");
}

static void list_under_v_gives_guids(void **state)
{
    struct host *host = *state;

    run_to(host, "bcd list 0 -v", DONE);
    expect_said(host, "identifier              {9dea862c-5cdd-4e70-acc1-f32b344d4795}");
    expect_unsaid(host, "{default}");
}

static void list_for_scripts_has_a_row_for_each_value(void **state)
{
    struct host *host = *state;

    run_to(host, "bcd list 0 -sfo", DONE);
    expect_said(host, "\"{9dea862c-5cdd-4e70-acc1-f32b344d4795}\",\"23000003\",\"default\","
                      "\"{default}\"\n");
    expect_said(host, "\"12000004\",\"description\",\"Windows Server\"\n");
}

static void damaged_store_is_said_and_the_other_one_listed(void **state)
{
    struct host *host = *state;

    disk_machine_zero_file(host, 1, STORE);
    run_to(host, "bcd list", DAMAGED);
    expect_said(host, "Windows Boot Loader");
    expect_said(host, "cannot be read in full: it is not a registry hive.");
}

static void store_in_a_file_is_listed(void **state)
{
    struct host *host = *state;
    size_t stick = disk_machine_stick(host);
    struct span store = windows_store();

    mem_files_put(host->files, stick, "\\saved\\BCD", store.at, store.size);
    mem_files_set_current(host->files, stick, "\\saved");
    run_to(host, "bcd list -store BCD", DONE);
    expect_said(host, "Windows Boot Loader");
    run_to(host, "bcd list -store BCD 1", USAGE);
    run_to(host, "bcd list -store BCDX", NOT_FOUND);
    mem_files_put(host->files, stick, "\\saved\\BCD", "regf", 4);
    run_to(host, "bcd list -store BCD", DAMAGED);
}

/* A dynamic volume has its letter in the database. */
static void store_on_a_dynamic_volume_is_found_by_its_letter(void **state)
{
    struct host *host = *state;

    run_to(host, "bcd list -store c:\\boot\\bcd", NOT_FOUND);
    expect_said(host, "c:\\boot\\bcd cannot be read: not found.");
    run_to(host, "bcd list -store q:\\boot\\bcd", NOT_FOUND);
    expect_said(host, "No volume here is known as q:. There are: ");
    expect_said(host, " STICK: C:. The store of an EFI system partition is");
    run_to(host, "bcd list -store FS9:\\bcd", NOT_FOUND);
    expect_said(host, "there is no such volume");
}

/* --- export --------------------------------------------------------------------------------- */

static void export_saves_the_bytes_of_the_store_to_a_new_file(void **state)
{
    struct host *host = *state;
    size_t stick = disk_machine_stick(host);
    struct span store = windows_store();

    mem_files_set_current(host->files, stick, "\\");
    run_to(host, "bcd export BCD.old -y", USAGE);
    expect_said(host, "There are 2 boot stores. Choose one with -on");
    run_to(host, "bcd export BCD.old -on 1 -y", DONE);
    assert_true(span_equal(mem_files_find(host->files, stick, "\\BCD.old"), store));
    run_to(host, "bcd export BCD.old -on 1 -y", EXISTS);
}

/* --- A real one ----------------------------------------------------------------------------- */

static void real_store_is_listed_as_it_was_decoded_by_hand(void **state)
{
    static const char *const parts[] = {
        "Firmware Boot Manager\n---------------------\nidentifier              {fwbootmgr}\n"
        "displayorder            {733b62de-f608-11eb-825c-c112f60133ab}\n"
        "                        {733b62e2-f608-11eb-825c-c112f60133ab}\n"
        "                        {bootmgr}\n"
        "                        {733b62e3-f608-11eb-825c-c112f60133ab}\n"
        "timeout                 0\n",
        "identifier              {bootmgr}\n"
        "device                  partition {36be3955-63bf-4068-a6ab-00195cca3a22}, on no disk "
        "here\n"
        "path                    \\EFI\\Microsoft\\Boot\\bootmgfw.efi\n"
        "description             Windows Boot Manager\n"
        "locale                  en-US\n"
        "inherit                 {globalsettings}\n"
        "default                 {default}\n"
        "resumeobject            {733b62e4-f608-11eb-825c-c112f60133ab}\n"
        "displayorder            {default}\n"
        "toolsdisplayorder       {memdiag}\n"
        "timeout                 30\n",
        "Firmware Application (101fffff)\n-------------------------------\n",
        "recoverysequence        {733b62e6-f608-11eb-825c-c112f60133ab}\n"
        "displaymessageoverride  Recovery\n"
        "recoveryenabled         Yes\n"
        "isolatedcontext         Yes\n"
        "allowedinmemorysettings 0x15000075\n"
        "osdevice                partition {8e0f2c38-e4ea-47ba-b7fc-9d8c74dccf0b}, on no disk "
        "here\n"
        "systemroot              \\Windows\n"
        "resumeobject            {733b62e4-f608-11eb-825c-c112f60133ab}\n"
        "nx                      OptIn\n"
        "bootmenupolicy          Standard\n",
        "device                  ramdisk=[partition {6cdfcd69-de75-4490-8f99-5a84bf264917}, on no "
        "disk here]\\Recovery\\WindowsRE\\Winre.wim,{733b62e7-f608-11eb-825c-c112f60133ab}\n",
        "filedevice              partition {8e0f2c38-e4ea-47ba-b7fc-9d8c74dccf0b}, on no disk "
        "here\n"
        "filepath                \\hiberfil.sys\n"
        "bootmenupolicy          Standard\n"
        "debugoptionenabled      No\n",
        "winpe                   Yes\n"
        "custom:46000010         Yes\n",
        "badmemoryaccess         Yes\n",
        "inherit                 {globalsettings}\n                        {hypervisorsettings}\n",
        "debugtype               Local\n",
        "RAM Defects\n-----------\nidentifier              {badmemory}\n\n",
        "ramdisksdipath          \\Recovery\\WindowsRE\\boot.sdi\n",
        "hypervisorbaudrate      115200\n",
    };
    struct host *host = *state;
    struct span store = shared_read("data/bcd-win10-uefi.xz");
    size_t count = 0;

    if (store.at == NULL)
        SKIP_BECAUSE("data/bcd-win10-uefi.xz" NO_SHARED_DATA);
    mem_files_put(host->files, disk_machine_stick(host), "\\BCD", store.at, store.size);
    shared_free(store);
    mem_files_set_current(host->files, disk_machine_stick(host), "\\");
    run_to(host, "bcd list -store BCD -all", DONE);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        expect_said(host, parts[i]);
    const char *at = host_console_text(host->console);
    while ((at = strstr(at, "\nidentifier ")) != NULL) {
        at++;
        count++;
    }
    assert_int_equal(count, 17);
}

/* Stores of other kinds; of each a line that none of the others has. */
static void real_stores_of_other_kinds_are_listed(void **state)
{
    static const struct {
        const char *name;
        const char *said;
    } rows[] = {
        {"data/bcd/bcd-win10-19041.2965-two-disks", "Windows Boot Loader"},
        {"data/bcd/bcd-uefi-locate-3objects", "locate=path"},
        {"data/bcd/bcd-bios-mbr-boot", "device                  boot"},
        {"data/bcd/bcd-empty-bcdsys", ""},
        {"data/bcd/bcd-synthetic-lh-hivex", "Windows Boot Manager"},
    };
    struct host *host = *state;

    mem_files_set_current(host->files, disk_machine_stick(host), "\\");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct span store = shared_read(rows[i].name);
        if (store.at == NULL)
            SKIP_BECAUSE("data/bcd" NO_SHARED_DATA);
        mem_files_put(host->files, disk_machine_stick(host), "\\BCD", store.at, store.size);
        shared_free(store);
        run_to(host, "bcd list -store BCD -all", DONE);
        expect_said(host, rows[i].said);
        expect_unsaid(host, "damaged");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINE_TEST(list_prints_the_store_of_each_esp),
        LINE_TEST(list_takes_the_esp_by_guid_and_refuses_what_is_none),
        LINE_TEST(lines_that_say_too_little_are_answered),
        LINE_TEST(store_that_cannot_be_read_is_not_all_well),
        LINE_TEST(list_under_v_gives_guids),
        LINE_TEST(list_for_scripts_has_a_row_for_each_value),
        LINE_TEST(damaged_store_is_said_and_the_other_one_listed),
        LINE_TEST(store_in_a_file_is_listed),
        LINE_TEST(store_on_a_dynamic_volume_is_found_by_its_letter),
        LINE_TEST(export_saves_the_bytes_of_the_store_to_a_new_file),
        LINE_TEST(real_store_is_listed_as_it_was_decoded_by_hand),
        LINE_TEST(real_stores_of_other_kinds_are_listed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
