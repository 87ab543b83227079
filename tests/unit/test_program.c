/* What programs on an ESP are, and which of them are loaders that an entry can be made for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "audit/program.h"
#include "unit/mirror_fixture.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* --- Places --------------------------------------------------------------------------------- */

struct place_case {
    const char *path;
    enum program_kind kind;
    const char *name;
};

static void assert_places(const struct place_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct program program = program_at(cases[i].path);
        if (program.kind != cases[i].kind || strcmp(program.name, cases[i].name) != 0)
            print_error("%s: %d %s\n", cases[i].path, program.kind, program.name);
        assert_int_equal(program.kind, cases[i].kind);
        assert_string_equal(program.name, cases[i].name);
    }
}

static void loaders_are_known_by_their_places(void **state)
{
    static const struct place_case cases[] = {
        {"\\EFI\\Microsoft\\Boot\\bootmgfw.efi", PROGRAM_WINDOWS, "Windows Boot Manager"},
        {"\\efi\\microsoft\\boot\\BOOTMGFW.EFI", PROGRAM_WINDOWS, "Windows Boot Manager"},
        {"\\EFI\\Microsoft\\Boot\\bkpbootmgfw.efi", PROGRAM_WINDOWS, "Windows Boot Manager"},
        {"\\EFI\\HP\\boot\\bootmgfw.efi", PROGRAM_WINDOWS, "Windows Boot Manager"},
        {"\\EFI\\debian\\shimx64.efi", PROGRAM_SHIM, "shim"},
        {"\\EFI\\opensuse\\shim.efi", PROGRAM_SHIM, "shim"},
        {"\\EFI\\BOOT\\fbx64.efi", PROGRAM_SHIM_FALLBACK, "shim's fallback"},
        {"\\EFI\\BOOT\\fbaa64.efi", PROGRAM_SHIM_FALLBACK, "shim's fallback"},
        {"\\EFI\\BOOT\\grubia32.efi", PROGRAM_LOADER, "GRUB"},
        {"\\EFI\\proxmox\\grubx64.efi", PROGRAM_LOADER, "GRUB"},
        {"\\EFI\\systemd\\systemd-bootx64.efi", PROGRAM_LOADER, "systemd-boot"},
        {"\\EFI\\Linux\\6.1.0-rescue.efi", PROGRAM_LOADER, "a Linux kernel"},
        {"\\EFI\\refind\\refind_x64.efi", PROGRAM_LOADER, "rEFInd"},
        {"\\EFI\\freebsd\\loader.efi", PROGRAM_LOADER, "FreeBSD's loader"},
        {"\\EFI\\xen\\xen-4.17.efi", PROGRAM_LOADER, "Xen"},
        {"\\EFI\\sles\\elilo.efi", PROGRAM_LOADER, "elilo"},
        {"\\EFI\\endless\\boot.efi", PROGRAM_LOADER, "a Linux boot loader"},
    };

    (void)state;
    assert_places(cases, COUNT_OF(cases));
}

static void tools_are_known_by_their_places(void **state)
{
    static const struct place_case cases[] = {
        {"\\EFI\\Microsoft\\Boot\\memtest.efi", PROGRAM_TOOL, "Windows Memory Diagnostic"},
        {"\\EFI\\BOOT\\mt86plus.efi", PROGRAM_TOOL, "a memory tester"},
        {"\\EFI\\memtest86\\BOOTX64.efi", PROGRAM_TOOL, "a memory tester"},
        {"\\EFI\\debian\\mmx64.efi", PROGRAM_TOOL, "MokManager"},
        {"\\EFI\\debian\\fwupdx64.efi", PROGRAM_TOOL, "a firmware updater"},
        {"\\shellx64.efi", PROGRAM_TOOL, "a UEFI Shell"},
        {"\\EFI\\HP\\SystemDiags\\SystemDiags.efi", PROGRAM_TOOL, "a diagnostics program"},
        {"\\EFI\\Dell\\SOS\\x.efi", PROGRAM_TOOL, "a program of the machine's maker"},
        {"\\EFI\\shadowboot\\shadowbootx64.efi", PROGRAM_TOOL, "shadowboot"},
        {"\\shadowbootx64.efi", PROGRAM_TOOL, "shadowboot"},
    };

    (void)state;
    assert_places(cases, COUNT_OF(cases));
}

static void other_places_tell_nothing(void **state)
{
    static const struct place_case cases[] = {
        {"\\EFI\\BOOT\\BOOTX64.EFI", PROGRAM_UNKNOWN, ""},
        {"\\EFI\\BOOT\\fbx65.efi", PROGRAM_UNKNOWN, ""},
        {"\\EFI\\BOOT\\mmx64.efi.bak", PROGRAM_UNKNOWN, ""},
        {"\\EFI\\BOOT\\shimx64", PROGRAM_UNKNOWN, ""},
        {"\\EFI\\debian\\deep\\x.efi", PROGRAM_UNKNOWN, ""},
        {"\\EFI\\debian2\\x.efi", PROGRAM_UNKNOWN, ""},
        {"\\debian\\x.efi", PROGRAM_UNKNOWN, ""},
        {"\\EFI\\HPX\\x.efi", PROGRAM_UNKNOWN, ""},
        {"\\EFI\\acme\\x.efi", PROGRAM_UNKNOWN, ""},
        {"\\x.efi", PROGRAM_UNKNOWN, ""},
    };

    (void)state;
    assert_places(cases, COUNT_OF(cases));
}

/* --- Contents ------------------------------------------------------------------------------- */

static struct program program_in(const struct mirror *mirror, size_t esp, const char *path)
{
    return program_of(&mirror->machine, &mirror->esps[esp], mirror_file(mirror, esp, path));
}

static void copy_is_known_by_the_place_of_its_twin(void **state)
{
    struct mirror *mirror = *state;

    assert_int_equal(program_in(mirror, 1, MIRROR_FALLBACK).kind, PROGRAM_WINDOWS);
    mirror_drop_file(mirror, 1, MIRROR_MANAGER); /* the other ESP has one */
    assert_int_equal(program_in(mirror, 1, MIRROR_FALLBACK).kind, PROGRAM_WINDOWS);
    mirror_content(mirror, 1, MIRROR_FALLBACK)->digest.bytes[0] = 't';
    assert_int_equal(program_in(mirror, 1, MIRROR_FALLBACK).kind, PROGRAM_UNKNOWN);
    size_t size = mirror->files[1][mirror_file(mirror, 1, MIRROR_FALLBACK)].size;
    (void)mirror_add_file(mirror, 0, "\\EFI\\memtest86\\memtestx64.efi", size, 't');
    assert_int_equal(program_in(mirror, 1, MIRROR_FALLBACK).kind, PROGRAM_TOOL);
}

static void another_loader_under_the_path_of_windows_is_found_out(void **state)
{
    struct mirror *mirror = *state;
    size_t size = mirror->files[1][mirror_file(mirror, 1, MIRROR_MANAGER)].size;

    mirror_content(mirror, 1, MIRROR_MANAGER)->digest.bytes[0] = 's';
    assert_int_equal(program_in(mirror, 1, MIRROR_MANAGER).kind, PROGRAM_WINDOWS);
    (void)mirror_add_file(mirror, 1, MIRROR_SHIM, size, 's');
    assert_int_equal(program_in(mirror, 1, MIRROR_MANAGER).kind, PROGRAM_SHIM);
}

static void unread_contents_are_told_by_size(void **state)
{
    struct mirror *mirror = *state;

    mirror_make_quick(mirror);
    assert_int_equal(program_in(mirror, 1, MIRROR_FALLBACK).kind, PROGRAM_WINDOWS);
    mirror->files[1][mirror_file(mirror, 1, MIRROR_FALLBACK)].size--;
    assert_int_equal(program_in(mirror, 1, MIRROR_FALLBACK).kind, PROGRAM_UNKNOWN);
}

static void marks_count_for_more_than_names(void **state)
{
    static const struct {
        const char *path;
        enum pe_mark mark;
        enum program_kind kind;
        const char *name;
    } cases[] = {
        {"\\EFI\\x\\a.efi", PE_MARK_WINDOWS_MANAGER, PROGRAM_WINDOWS, "Windows Boot Manager"},
        {"\\EFI\\x\\b.efi", PE_MARK_SHIM, PROGRAM_SHIM, "shim"},
        {"\\EFI\\x\\fbx64.efi", PE_MARK_SHIM, PROGRAM_SHIM_FALLBACK, "shim's fallback"},
        {"\\EFI\\x\\mmx64.efi", PE_MARK_SHIM, PROGRAM_TOOL, "MokManager"},
        {"\\EFI\\x\\grubx64.efi", PE_MARK_SHIM, PROGRAM_SHIM, "shim"},
        {"\\EFI\\x\\shimx64.efi", PE_MARK_GRUB, PROGRAM_LOADER, "GRUB"},
        {"\\EFI\\x\\c.efi", PE_MARK_SYSTEMD_BOOT, PROGRAM_LOADER, "systemd-boot"},
        {"\\EFI\\x\\d.efi", PE_MARK_KERNEL, PROGRAM_LOADER, "a Linux kernel"},
        {"\\EFI\\debian\\e.efi", PE_MARK_MEMORY_TESTER, PROGRAM_TOOL, "a memory tester"},
        {"\\EFI\\debian\\f.efi", PE_MARK_UPDATER, PROGRAM_TOOL, "a firmware updater"},
        {"\\EFI\\debian\\g.efi", PE_MARK_NETWORK, PROGRAM_TOOL, "a network boot program"},
        {MIRROR_FALLBACK, PE_MARK_SHADOWBOOT, PROGRAM_TOOL, "shadowboot"},
    };
    struct mirror *mirror = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        (void)mirror_add_file(mirror, 1, cases[i].path, 1000 + i, (uint8_t)i);
        mirror_content(mirror, 1, cases[i].path)->mark = cases[i].mark;
        struct program program = program_in(mirror, 1, cases[i].path);
        assert_int_equal(program.kind, cases[i].kind);
        assert_string_equal(program.name, cases[i].name);
    }
}

static uint32_t version_in(const char *own_line)
{
    char text[128];
    int size = snprintf(text, sizeof(text), "sbat,1,SBAT Version,sbat,9,u\n%s", own_line);

    return pe_mark_version(span_of(text, (size_t)size));
}

static void version_is_that_of_the_own_line(void **state)
{
    (void)state;
    assert_int_equal(version_in("x,1,X,x,1.2.3,u\n"), (1 << 20) + (2 << 10) + 3);
    assert_int_equal(version_in("x,1,X,x,1.2,u"), (1 << 20) + (2 << 10));
    assert_int_equal(version_in("x,1,X,x,0.1023.0,u"), 1023 << 10);
    assert_int_equal(version_in("x,1,X,x,0.1024.0,u"), 0);
    assert_int_equal(version_in("x,1,X,x,1.x.0,u"), 0);
    assert_int_equal(version_in("x,1,X,x"), 0);
    assert_int_equal(version_in(""), 0);
    assert_int_equal(pe_mark_of_sbat(span_of("x\nshadowboot,", 13)), PE_MARK_SHADOWBOOT);
    assert_int_equal(pe_mark_of_sbat(span_of("shadowboot", 10)), PE_MARK_NONE);
}

/* --- Loaders -------------------------------------------------------------------------------- */

/* "\path (description)" of each, one behind the other. */
static void assert_loaders(struct mirror *mirror, size_t esp, const char *wanted)
{
    struct loaders loaders;
    char text[512] = "";

    assert_int_equal(
        program_loaders(&mirror->arena, &mirror->machine, &mirror->esps[esp], &loaders), ST_OK);
    for (size_t i = 0; i < loaders.count; i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof(text) - used, "%s%s (%s)", i == 0 ? "" : " ",
                 mirror->files[esp][loaders.items[i].file].path, loaders.items[i].description);
        assert_null(loaders.items[i].optional);
    }
    assert_string_equal(text, wanted);
}

static void forget_entries(struct mirror *mirror)
{
    mirror_drop_entry(mirror, 0);
    mirror_drop_entry(mirror, 1);
}

static void windows_is_one_loader(void **state)
{
    struct mirror *mirror = *state;

    assert_loaders(mirror, 1, MIRROR_MANAGER " (Windows Boot Manager)");
    forget_entries(mirror);
    assert_loaders(mirror, 1, MIRROR_MANAGER " (Windows Boot Manager)");
    assert_int_equal(program_main_loader(&mirror->machine, &mirror->esps[1]),
                     mirror_file(mirror, 1, MIRROR_MANAGER));
}

static void of_shim_and_its_grub_only_shim_is_listed(void **state)
{
    struct mirror *mirror = *state;

    mirror_make_linux(mirror);
    forget_entries(mirror);
    (void)mirror_add_file(mirror, 1, "\\EFI\\debian\\mmx64.efi", 1000, 'k');
    assert_loaders(mirror, 1, MIRROR_SHIM " (debian)");
    mirror_content(mirror, 1, MIRROR_GRUB)->program = PE_TRUNCATED;
    assert_loaders(mirror, 1, "");
    mirror_content(mirror, 1, MIRROR_GRUB)->program = PE_GOOD;
    mirror_drop_file(mirror, 1, MIRROR_SHIM);
    assert_loaders(mirror, 1, MIRROR_GRUB " (debian)");
}

/* Also by an entry for an ESP that is not there any more. */
static void what_an_entry_names_comes_first(void **state)
{
    struct mirror *mirror = *state;

    mirror_make_linux(mirror);
    struct fixture_entry entry = mirror_windows_entry(mirror, 0, 0);
    entry.description = "Our system";
    entry.file = MIRROR_GRUB;
    entry.optional = FIXTURE_NONE;
    entry.partition.guid = fixture_guid("99999999-0000-4000-8000-000000000000");
    mirror_put_entry(mirror, &entry);
    mirror_drop_entry(mirror, 1);
    assert_loaders(mirror, 1, MIRROR_GRUB " (Our system)");
    entry.file = "\\EFI\\acme\\start.efi";
    mirror_put_entry(mirror, &entry);
    (void)mirror_add_file(mirror, 1, "\\EFI\\acme\\start.efi", 1000, 'a');
    assert_loaders(mirror, 1, "\\EFI\\acme\\start.efi (Our system) " MIRROR_SHIM " (debian)");
    entry.file = "\\EFI\\tools\\start.efi";
    mirror_put_entry(mirror, &entry);
    (void)mirror_add_file(mirror, 1, "\\EFI\\tools\\start.efi", 1000, 't');
    assert_loaders(mirror, 1, MIRROR_SHIM " (debian)");
}

static void each_system_is_listed_once(void **state)
{
    struct mirror *mirror = *state;

    mirror_make_linux(mirror);
    forget_entries(mirror);
    (void)mirror_add_file(mirror, 1, "\\EFI\\ubuntu\\grubx64.efi", 1000, 'u');
    (void)mirror_add_file(mirror, 1, "\\EFI\\Linux\\a.efi", 1000, 'l');
    (void)mirror_add_file(mirror, 1, MIRROR_MANAGER, 1000, 'w');
    assert_loaders(mirror, 1,
                   MIRROR_MANAGER " (Windows Boot Manager) " MIRROR_SHIM " (debian) "
                                  "\\EFI\\ubuntu\\grubx64.efi (ubuntu)");
}

static void kernels_and_the_fallback_count_where_nothing_else_is(void **state)
{
    struct mirror *mirror = *state;

    mirror_make_linux(mirror);
    forget_entries(mirror);
    mirror_drop_files(mirror, 1);
    (void)mirror_add_file(mirror, 1, MIRROR_FALLBACK, 1500000, 'g'); /* the other ESP's GRUB */
    assert_loaders(mirror, 1, MIRROR_FALLBACK " (UEFI OS)");
    assert_int_equal(program_main_loader(&mirror->machine, &mirror->esps[1]), FAT_NO_FILE);
    (void)mirror_add_file(mirror, 1, "\\EFI\\Linux\\a.efi", 1000, 'a');
    (void)mirror_add_file(mirror, 1, "\\EFI\\Linux\\b.efi", 1000, 'b');
    assert_loaders(mirror, 1, "\\EFI\\Linux\\a.efi (a.efi) \\EFI\\Linux\\b.efi (b.efi)");
    mirror_drop_files(mirror, 1);
    (void)mirror_add_file(mirror, 1, MIRROR_FALLBACK, 900000, 's'); /* shim without GRUB */
    assert_loaders(mirror, 1, "");
    (void)mirror_add_file(mirror, 1, "\\EFI\\BOOT\\grubx64.efi", 1500000, 'g');
    assert_loaders(mirror, 1, MIRROR_FALLBACK " (UEFI OS)");
}

static void what_is_not_sound_is_no_loader(void **state)
{
    struct mirror *mirror = *state;

    mirror_content(mirror, 1, MIRROR_MANAGER)->program = PE_ZERO_FILLED;
    mirror_content(mirror, 1, MIRROR_FALLBACK)->program = PE_ZERO_FILLED;
    assert_loaders(mirror, 1, "");
    mirror_content(mirror, 1, MIRROR_MANAGER)->program = PE_BAD_CHECKSUM; /* may well start */
    assert_loaders(mirror, 1, MIRROR_MANAGER " (Windows Boot Manager)");
    mirror->esps[1].status = ST_DAMAGED;
    assert_loaders(mirror, 1, "");
}

/* Of contents that were not read the size is all that is known. */
static void empty_file_is_no_loader(void **state)
{
    struct mirror *mirror = *state;

    mirror_make_quick(mirror);
    assert_loaders(mirror, 1, MIRROR_MANAGER " (Windows Boot Manager)");
    mirror->files[1][mirror_file(mirror, 1, MIRROR_MANAGER)].size = 0;
    mirror->files[1][mirror_file(mirror, 1, MIRROR_FALLBACK)].size = 0;
    assert_loaders(mirror, 1, "");
}

static void many_systems_end_the_list(void **state)
{
    struct mirror *mirror = *state;
    struct loaders loaders;
    char paths[40][32];
    struct fat_file files[40];
    struct file_content contents[40];

    for (size_t i = 0; i < 40; i++) {
        snprintf(paths[i], sizeof(paths[i]), "\\EFI\\s%zu\\grubx64.efi", i);
        files[i] = mirror->files[1][mirror_file(mirror, 1, MIRROR_MANAGER)];
        contents[i] = *mirror_content(mirror, 1, MIRROR_MANAGER);
        files[i].path = paths[i];
        contents[i].digest.bytes[0] = (uint8_t)i;
    }
    struct esp esp = mirror->esps[1];
    esp.report.files = files;
    esp.report.file_count = 40;
    esp.contents = contents;
    assert_int_equal(program_loaders(&mirror->arena, &mirror->machine, &esp, &loaders), ST_OK);
    assert_int_equal(loaders.count, 32);
    struct arena full = {0};
    assert_int_equal(program_loaders(&full, &mirror->machine, &esp, &loaders), ST_NO_MEMORY);
}

/* --- Lists of entries ----------------------------------------------------------------------- */

static void assert_lines(const char *units, size_t size, const char *wanted)
{
    static uint8_t memory[4096];
    struct program_csv_line line;
    struct span rest = span_of(units, size);
    struct arena arena;
    char text[256] = "";

    arena_init(&arena, memory, sizeof(memory));
    while (program_csv_next(&arena, &rest, &line)) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof(text) - used, "[%s|%s]", line.file, line.label);
    }
    assert_string_equal(text, wanted);
}

#define ASSERT_LINES(units, wanted) assert_lines(units, sizeof(units), wanted)

static void lists_are_read_line_by_line(void **state)
{
    (void)state;
    ASSERT_LINES("\xff\xfe"
                 "a\0,\0b\0,\0\0",
                 "[a|b]");
    ASSERT_LINES("a\0,\0b\0,\0c\0,\0d\0\r\0\n\0\n\0e\0,\0f\0\n\0", "[a|b][e|f]");
    ASSERT_LINES("a\0\n\0,\0b\0\n\0c\0,\0", "[a|][|b][c|]");
    ASSERT_LINES("a\0,\0b\0\0\0c\0,\0d\0", "[a|b]"); /* it ends at the first NUL */
    assert_lines("a\0,\0b", 5, "[a|]");              /* half a unit */
    assert_lines("a\0b\0", 4, "[ab|]");
    assert_lines("", 0, "");
    assert_lines("a", 1, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mirror_set_up, mirror_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loaders_are_known_by_their_places),
        cmocka_unit_test(tools_are_known_by_their_places),
        cmocka_unit_test(other_places_tell_nothing),
        TEST(copy_is_known_by_the_place_of_its_twin),
        TEST(another_loader_under_the_path_of_windows_is_found_out),
        TEST(unread_contents_are_told_by_size),
        TEST(marks_count_for_more_than_names),
        TEST(version_is_that_of_the_own_line),
        TEST(windows_is_one_loader),
        TEST(of_shim_and_its_grub_only_shim_is_listed),
        TEST(what_an_entry_names_comes_first),
        TEST(each_system_is_listed_once),
        TEST(kernels_and_the_fallback_count_where_nothing_else_is),
        TEST(what_is_not_sound_is_no_loader),
        TEST(empty_file_is_no_loader),
        TEST(many_systems_end_the_list),
        cmocka_unit_test(lists_are_read_line_by_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
