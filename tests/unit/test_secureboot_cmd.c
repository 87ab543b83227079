/* `secureboot`: what its lists hold, what becomes of each boot file, and what firmware says itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "host/host_console.h"
#include "host/host_start.h"
#include "unit/line_fixture.h"
#include "unit/secure_fixture.h"

static const struct guid security = GUID_INIT(0xd719b2cb, 0x3d3a, 0x4596, 0xa3bc, 0xdad00e67656f);
static const struct guid kind_certificate = KIND_CERTIFICATE, kind_sha256 = KIND_SHA256;
static const struct guid owner = OWNER_ANY;

static const struct guid shim = GUID_INIT(0x605dab50, 0xe046, 0x4300, 0xabb6, 0x3dd810dd8b23);

#define MANAGER "\\EFI\\Microsoft\\Boot\\bootmgfw.efi"

/* Secure Boot is on; db has one certificate, dbx one digest, and shim a level of its own. */
static void switch_on(struct host *host)
{
    struct secure_bytes certificate = {.size = 0};
    struct secure_bytes trusted = {.size = 0};
    struct secure_bytes forbidden = {.size = 0};
    uint8_t digest[32] = {1};

    secure_put_certificate(&certificate, "Example CA", "Example CA", 1);
    secure_put_list(&trusted, &kind_certificate, &owner, secure_span(&certificate));
    secure_put_list(&forbidden, &kind_sha256, &owner, span_of(digest, sizeof(digest)));
    mem_vars_put(host->vars, NULL, "SecureBoot", 6, "\1", 1);
    mem_vars_put(host->vars, NULL, "SetupMode", 6, "\0", 1);
    mem_vars_put(host->vars, &security, "db", 0x27, trusted.at, trusted.size);
    mem_vars_put(host->vars, &security, "dbx", 0x27, forbidden.at, forbidden.size);
    mem_vars_put(host->vars, &shim, "SbatLevel", 3, "sbat,1,2024\nshim,4\n", 19);
}

static void tell_load(struct host *host, enum status status, uint64_t code)
{
    host_start_tell_load(host->start, (struct start_answer){status, code}, status == ST_OK);
}

static void state_is_told_where_nothing_is_on(void **state)
{
    struct host *host = *state;

    run_to_say(host, "secureboot", DONE, "Secure Boot: not there|\\EFI\\BOOT\\BOOTX64.EFI");
    expect_unsaid(host, "dbx");
    switch_on(host);
    mem_vars_put(host->vars, NULL, "SecureBoot", 6, "\0", 1);
    run_to_say(host, "secureboot", DONE, "Secure Boot: off\n|PK   not there");
    mem_vars_put(host->vars, NULL, "SetupMode", 6, "\1", 1);
    run_to_say(host, "secureboot", DONE, "Secure Boot: off, without keys\n");
}

static void lists_and_files_are_shown(void **state)
{
    struct host *host = *state;

    switch_on(host);
    run_to_say(host, "secureboot", DONE,
               "Secure Boot: on\n|PK   not there\n|KEK  not there\n|db   certificates: 1\n"
               "      Example CA, until 2031-02-03\n|dbx  SHA-256 digests: 1\n|"
               "shim's SbatLevel:\nsbat,1,2024\nshim,4\n|"
               "Disk 0 Partition 1\n|" MANAGER "|Disk 1 Partition 1\n|" MANAGER
               "|shadowboot secureboot -ask");
    expect_unsaid(host, "dbt");
    expect_unsaid(host, "Firmware says");
    run_to_say(host, "secureboot -sfo", DONE,
               "SecureBootInfo,\"on\",|SecureListInfo,\"db\",\"certificates\",\"1\","
               "\"Example CA\",\"2031-02-03\"|SecureListInfo,\"dbx\",\"SHA-256 digests\",\"1\"|"
               "SecureFileInfo,\"0\",\"1\",|SecureFileInfo,\"1\",\"1\",");
}

/* Microsoft's entries of dbx that are no digests: 1, a boot manager's GUID, and the number below which none of
 * that kind is to start. */
static void least_version_of_boot_managers_is_shown(void **state)
{
    static const struct guid svn_owner = OWNER_SVN;
    const uint8_t least[32] = {1,    0x61, 0x2b, 0x13, 0x9d, 0xd5, 0x59, 0x88, 0x43, 0xab,
                               0x1c, 0x18, 0x5c, 0x3c, 0xb2, 0xeb, 0x92, 0,    0,    7};
    struct secure_bytes forbidden = {.size = 0};
    struct host *host = *state;

    switch_on(host);
    secure_put_list(&forbidden, &kind_sha256, &svn_owner, span_of(least, sizeof(least)));
    mem_vars_put(host->vars, &security, "dbx", 0x27, forbidden.at, forbidden.size);
    run_to_say(host, "secureboot", DONE, "dbx  security version numbers: bootmgfw 7.0\n");
    run_to_say(host, "secureboot -sfo", DONE,
               "SecureListInfo,\"dbx\",\"security version number\",\"1\",\"bootmgfw 7.0\"");
}

/* By its lists alone, and with the status for it. */
static void file_that_is_refused_ends_the_command_with_damage(void **state)
{
    struct host *host = *state;

    switch_on(host);
    disk_machine_truncate(host, 0, MANAGER, 5000);
    run_to_say(host, "secureboot", DAMAGED, "refused: its table of signatures is broken.");
    run_to(host, "secureboot -sfo", DAMAGED);
    mem_vars_put(host->vars, NULL, "SecureBoot", 6, "\0", 1);
    run_to(host, "secureboot", DONE);
}

/* Four files are loaded, and let go of. What firmware says counts more than what its lists do. */
static void firmware_is_asked_and_believed(void **state)
{
    struct host *host = *state;

    switch_on(host);
    host_start_set_tpm(host->start, true);
    tell_load(host, ST_OK, 0);
    tell_load(host, ST_REFUSED, 26);
    tell_load(host, ST_IO, 7);
    run_to_say(host, "secureboot -ask", DAMAGED,
               "This machine has a TPM|Firmware says: accepted.\n|Firmware says: refused.\n|"
               "Firmware says: not told (device error).\n|Firmware says: accepted.\n");
    expect_unsaid(host, "believe the firmware");
    expect_unsaid(host, "Secure Boot is off");
    assert_int_equal(host_start_left(host->start), 0);
    disk_machine_truncate(host, 0, MANAGER, 5000);
    run_to_say(host, "secureboot -ask", DONE,
               "refused: its table of signatures is broken.|Firmware says: accepted. That is not "
               "what its lists say: believe the firmware");
}

static void asking_while_it_is_off_is_said_to_prove_nothing(void **state)
{
    struct host *host = *state;

    switch_on(host);
    mem_vars_put(host->vars, NULL, "SecureBoot", 6, "\0", 1);
    tell_load(host, ST_REFUSED, 26);
    run_to_say(host, "secureboot -ask", DONE,
               "Secure Boot is off: what firmware says now|Firmware says: refused.");
    expect_unsaid(host, "TPM");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINE_TEST(state_is_told_where_nothing_is_on),
        LINE_TEST(lists_and_files_are_shown),
        LINE_TEST(least_version_of_boot_managers_is_shown),
        LINE_TEST(file_that_is_refused_ends_the_command_with_damage),
        LINE_TEST(firmware_is_asked_and_believed),
        LINE_TEST(asking_while_it_is_off_is_said_to_prove_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
