/* Which files of an ESP the machine is started by. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plan/start_files.h"
#include "unit/mirror_fixture.h"

/* Whether the files that start the machine from the ESP of Disk 1 cover the path. */
static bool covers(struct mirror *mirror, bool windows, const char *path)
{
    struct start_files files;

    assert_int_equal(
        start_files_find(&mirror->arena, &mirror->machine, &mirror->esps[1], windows, &files),
        ST_OK);
    return start_files_cover(&files, path);
}

static void add(struct mirror *mirror, const char *path)
{
    static uint8_t digest = 1;

    (void)mirror_add_file(mirror, 1, path, 1000u + digest, digest);
    digest++;
}

static void what_is_usual_is_covered_wherever_it_is(void **state)
{
    struct mirror *mirror = *state;

    assert_true(covers(mirror, false, "\\EFI\\BOOT"));
    assert_true(covers(mirror, false, "\\efi\\boot\\bootx64.efi"));
    assert_true(covers(mirror, false, "\\loader\\entries\\a.conf"));
    assert_false(covers(mirror, false, "\\EFI\\BOOTS\\a.efi"));
    assert_false(covers(mirror, false, "\\EFI\\HP\\a.rom"));
    assert_false(covers(mirror, false, "\\EFI"));
}

/* By its folder alone: that is all an ESP without a boot manager tells. */
static void folder_of_windows_counts_where_windows_is_started(void **state)
{
    struct mirror *mirror = *state;

    assert_false(covers(mirror, false, MIRROR_STORE));
    assert_true(covers(mirror, true, MIRROR_STORE));
    assert_true(covers(mirror, true, "\\EFI\\Microsoft\\Recovery\\BCD"));
}

static void folder_of_a_loader_is_covered(void **state)
{
    struct mirror *mirror = *state;

    add(mirror, MIRROR_GRUB);
    add(mirror, MIRROR_SETTINGS);
    add(mirror, "\\EFI\\HP\\shellx64.efi");
    add(mirror, "\\EFI\\acme\\start.efi");
    assert_true(covers(mirror, true, MIRROR_SETTINGS));
    assert_false(covers(mirror, true, "\\EFI\\HP\\shellx64.efi"));
    assert_false(covers(mirror, true, "\\EFI\\acme\\start.efi"));
}

/* On whatever ESP the entry names it. */
static void program_that_an_entry_names_is_covered(void **state)
{
    struct mirror *mirror = *state;
    struct fixture_entry entry = mirror_windows_entry(mirror, 0, 0);

    add(mirror, "\\EFI\\acme\\start.efi");
    add(mirror, "\\EFI\\acme\\data.bin");
    entry.file = "\\EFI\\acme\\start.efi";
    mirror_put_entry(mirror, &entry);
    assert_true(covers(mirror, true, "\\EFI\\acme\\data.bin"));
}

/* In the root and right in \EFI lies what is other people's. */
static void beside_a_loader_in_the_root_nothing_is_covered(void **state)
{
    struct mirror *mirror = *state;

    add(mirror, "\\grubx64.efi");
    add(mirror, "\\notes.txt");
    add(mirror, "\\EFI\\refind_x64.efi");
    add(mirror, "\\EFI\\notes.txt");
    add(mirror, "\\tools\\limine.efi");
    add(mirror, "\\tools\\limine.conf");
    assert_true(covers(mirror, true, "\\grubx64.efi"));
    assert_false(covers(mirror, true, "\\notes.txt"));
    assert_true(covers(mirror, true, "\\EFI\\refind_x64.efi"));
    assert_false(covers(mirror, true, "\\EFI\\notes.txt"));
    assert_true(covers(mirror, true, "\\tools\\limine.conf"));
}

static void loader_of_windows_does_not_start_linux(void **state)
{
    struct mirror *mirror = *state;

    add(mirror, "\\EFI\\old\\bootmgfw.efi");
    assert_true(covers(mirror, true, "\\EFI\\old\\bootmgfw.efi"));
    assert_false(covers(mirror, false, "\\EFI\\old\\bootmgfw.efi"));
}

static void kernels_outside_efi_are_covered(void **state)
{
    struct mirror *mirror = *state;

    add(mirror, "\\machine\\6.1\\linux");
    add(mirror, "\\machine\\6.1\\initrd.img");
    add(mirror, "\\vmlinuz");
    add(mirror, "\\EFI\\HP\\linux.rom");
    assert_true(covers(mirror, false, "\\machine\\6.1\\linux"));
    assert_true(covers(mirror, false, "\\machine\\6.1\\initrd.img"));
    assert_true(covers(mirror, false, "\\vmlinuz"));
    assert_false(covers(mirror, false, "\\EFI\\HP\\linux.rom"));
}

static void what_somebody_saved_aside_is_not_covered(void **state)
{
    struct mirror *mirror = *state;

    assert_false(covers(mirror, true, MIRROR_MANAGER ".bak"));
    assert_false(covers(mirror, true, "\\EFI\\BOOT\\BOOTX64.OLD"));
    assert_true(covers(mirror, true, MIRROR_MANAGER));
}

static void folders_lead_to_what_is_in_them(void **state)
{
    struct mirror *mirror = *state;
    struct start_files files;

    assert_int_equal(
        start_files_find(&mirror->arena, &mirror->machine, &mirror->esps[1], true, &files), ST_OK);
    assert_true(start_files_lead_through(&files, "\\efi"));
    assert_false(start_files_lead_through(&files, "\\EFI\\Microsoft")); /* it is one itself */
    assert_false(start_files_lead_through(&files, "\\E"));
}

static void too_little_memory_is_told(void **state)
{
    struct mirror *mirror = *state;
    struct start_files files;
    struct arena full = {0};

    assert_int_equal(start_files_find(&full, &mirror->machine, &mirror->esps[1], true, &files),
                     ST_NO_MEMORY);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mirror_set_up, mirror_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_usual_is_covered_wherever_it_is),
        TEST(folder_of_windows_counts_where_windows_is_started),
        TEST(folder_of_a_loader_is_covered),
        TEST(program_that_an_entry_names_is_covered),
        TEST(beside_a_loader_in_the_root_nothing_is_covered),
        TEST(loader_of_windows_does_not_start_linux),
        TEST(kernels_outside_efi_are_covered),
        TEST(what_somebody_saved_aside_is_not_covered),
        TEST(folders_lead_to_what_is_in_them),
        TEST(too_little_memory_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
