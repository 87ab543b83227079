/* Boot managers under Secure Boot: of what Windows keeps, the one that the firmware's lists take is brought,
 * and where there is none, what mends that is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "unit/line_fixture.h"
#include "unit/pe_fixture.h"
#include "unit/secure_fixture.h"

#define MANAGER "\\EFI\\Microsoft\\Boot\\bootmgfw.efi"
#define STORE   "\\EFI\\Microsoft\\Boot\\BCD"
#define OF_2011 "Microsoft Windows Production PCA 2011"
#define OF_2023 "Windows UEFI CA 2023"

#define FINDINGS 69 /* exit status of status: damage was found */

/* A boot manager that an authority's certificate has signed, as far as anybody without keys can see. */
static struct pe_image signed_by(const char *authority)
{
    static struct secure_bytes chain;
    static struct secure_bytes info;
    struct pe_recipe recipe = pe_recipe_usual();

    chain.size = 0;
    info.size = 0;
    secure_put_certificate(&chain, "Windows", authority, 9);
    secure_put_signer(&info, authority, 9);
    recipe.signature = SIGNED_SHA256;
    recipe.checksum = true;
    recipe.chain = secure_span(&chain);
    recipe.signers = secure_span(&info);
    return pe_image_build(&recipe);
}

/* Secure Boot is on, and db has that authority's certificate. */
static void trust(struct host *host, const char *authority)
{
    static const struct guid security =
        GUID_INIT(0xd719b2cb, 0x3d3a, 0x4596, 0xa3bc, 0xdad00e67656f);
    static const struct guid kind = KIND_CERTIFICATE;
    static const struct guid owner = OWNER_ANY;
    struct secure_bytes certificate = {.size = 0};
    struct secure_bytes list = {.size = 0};

    secure_put_certificate(&certificate, authority, "Root", 1);
    secure_put_list(&list, &kind, &owner, secure_span(&certificate));
    mem_vars_put(host->vars, NULL, "SecureBoot", 6, "\1", 1);
    mem_vars_put(host->vars, NULL, "SetupMode", 6, "\0", 1);
    mem_vars_put(host->vars, &security, "db", 0x27, list.at, list.size);
}

/* Windows keeps boot managers of these authorities (`twin`: NULL for none; with `spoilt`, the twin is not
 * whole), db trusts one, and the ESP of Disk 1 has lost its own. */
static struct host *machine_with(const char *manager, const char *twin, bool spoilt,
                                 const char *trusted)
{
    struct disk_machine_shape shape = disk_machine_usual();
    struct pe_image own = signed_by(manager);
    struct pe_image other = signed_by(twin == NULL ? manager : twin);

    shape.windows_is_whole = true;
    shape.windows_manager = span_of(own.bytes, own.size);
    if (twin != NULL)
        shape.windows_twin = span_of(other.bytes, spoilt ? other.size / 2 : other.size);
    struct host *host = disk_machine_new(&shape);
    pe_image_free(&own);
    pe_image_free(&other);
    disk_machine_delete(host, 1, MANAGER);
    disk_machine_delete(host, 1, STORE);
    trust(host, trusted);
    return host;
}

/* Fails the test unless the ESP of Disk 1 has the boot manager of that authority. */
static void expect_manager(struct host *host, const char *authority)
{
    struct pe_image image = signed_by(authority);
    size_t size = 0;
    uint8_t *content = disk_machine_file(host, 1, MANAGER, &size);

    assert_non_null(content);
    assert_int_equal(size, image.size);
    assert_memory_equal(content, image.bytes, size);
    free(content);
    pe_image_free(&image);
}

static void the_one_that_the_lists_take_is_brought(void **state)
{
    static const struct {
        const char *trusted;
        const char *brought;
    } cases[] = {{OF_2023, OF_2023}, {OF_2011, OF_2011}};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct host *host = machine_with(OF_2011, OF_2023, false, cases[i].trusted);
        run_to_say(host, "rebuild 1 -y", DONE, "Disk 1 alone: yes, by Boot0001.|Done: ");
        expect_manager(host, cases[i].brought);
        host_free(host);
    }
}

/* What mends it is in what Windows lacks: an update, its own files, or another list of the firmware. */
static void refusal_says_what_mends_it(void **state)
{
    static const struct {
        const char *twin;
        bool spoilt;
        const char *words;
    } cases[] = {
        {NULL, false,
         "Secure Boot is on and refuses bootmgfw.efi|its signer is not in db (" OF_2011
         ").|Windows has no twin of 2023. Windows Update (KB5025885) mends that; then type shadowboot rebuild.|Nothing was changed."},
        {OF_2023, true,
         "Its twin of 2023 is damaged. sfc /scannow mends that; then type shadowboot rebuild.|Nothing was changed."},
        {"Another CA", false,
         "Its twin of 2023 is not taken: its signer is not in db (Another CA)|Windows Update (KB5025885) mends that|Nothing was changed."},
    };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct host *host = machine_with(OF_2011, cases[i].twin, cases[i].spoilt, OF_2023);
        run_to_say(host, "rebuild 1 -y", REFUSED, cases[i].words);
        host_free(host);
    }
}

/* As when the firmware no longer trusts the authority of 2011: what starts today is refused then. */
static void rebuild_brings_the_twin_once_the_lists_have_changed(void **state)
{
    struct host *host = machine_with(OF_2011, OF_2023, false, OF_2011);

    (void)state;
    run_to(host, "rebuild 1 -y", DONE);
    run_to_say(host, "rebuild 1 -y", DONE, "Nothing to do");
    trust(host, OF_2023);
    run_to_say(host, "status", FINDINGS,
               "Secure Boot is on and refuses a boot file: " MANAGER
               ": its signer is not in db (" OF_2011 ").|Starts from Disk 1 alone: no");
    run_to_say(host, "rebuild 1 -y", DONE, "Disk 1 alone: yes, by Boot0001.|Done: ");
    expect_manager(host, OF_2023);
    run_to(host, "undo -y", DONE);
    expect_manager(host, OF_2011);
    host_free(host);
}

/* Nobody is kept from starting today: what becomes of it when somebody switches it on is said. */
static void switched_off_it_is_told_what_it_would_refuse(void **state)
{
    struct host *host = machine_with(OF_2011, NULL, false, OF_2023);

    (void)state;
    mem_vars_put(host->vars, NULL, "SecureBoot", 6, "\0", 1);
    run_to_say(host, "rebuild 1 -y", DONE,
               "Secure Boot is off; switched on, it would refuse the boot manager that comes from "
               "Disk 1 Partition 4|its signer is not in db (" OF_2011 ").|Done: ");
    expect_manager(host, OF_2011);
    host_free(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_one_that_the_lists_take_is_brought),
        cmocka_unit_test(refusal_says_what_mends_it),
        cmocka_unit_test(switched_off_it_is_told_what_it_would_refuse),
        cmocka_unit_test(rebuild_brings_the_twin_once_the_lists_have_changed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
