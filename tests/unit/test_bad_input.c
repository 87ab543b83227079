/*
 * Bad input of every kind: the message says what and where, variables and files stay as they are
 * byte for byte, and the exit status is not 0.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apply/apply.h"
#include "host/fault.h"
#include "host/var_rules.h"
#include "unit/bytes_fixture.h"
#include "unit/scan_fixture.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#define UNKNOWN "deadbeef-0000-4000-8000-000000000000"
#define CLONE   "clone -y -sg " MODERN_ESP_0 " -tg " MODERN_ESP_1

/* --- Ways to spoil the modern machine ------------------------------------------------------- */

static void leave(struct host *host)
{
    (void)host;
}

static void repeat_esp(struct host *host)
{
    struct guid guid = fixture_guid(MODERN_ESP_1);

    patch_entry(host, 0, PRIMARY, 2, 16, guid.bytes, 16);
    patch_entry(host, 0, BACKUP, 2, 16, guid.bytes, 16);
}

static void wipe_primary(struct host *host)
{
    zero_block(host, 1, 1);
}

static void wipe_backup(struct host *host)
{
    zero_block(host, 1, 16777215);
}

static void wipe_both(struct host *host)
{
    wipe_primary(host);
    wipe_backup(host);
}

static void overlap(struct host *host)
{
    patch_entries(host, 1, 1, 40, 206900, 8);
}

static void reach_beyond(struct host *host)
{
    patch_entries(host, 1, 1, 40, 1ull << 40, 8);
}

static void absurd_count(struct host *host)
{
    patch_header(host, 1, PRIMARY, 80, UINT32_MAX, 4);
    patch_header(host, 1, BACKUP, 80, UINT32_MAX, 4);
}

static void absurd_size(struct host *host)
{
    patch_header(host, 1, PRIMARY, 84, 0x40000000, 4);
    patch_header(host, 1, BACKUP, 84, 3, 4);
}

static void fail_reads(struct host *host)
{
    mem_block_set_gone(host->disks[1], true);
}

static void odd_order(struct host *host)
{
    put_var(host, "BootOrder", "\0\0\1\0\2", 5);
}

static void repeated_order(struct host *host)
{
    put_var(host, "BootOrder", "\0\0\1\0\0\0", 6);
}

static void missing_order(struct host *host)
{
    mem_vars_drop(host->vars, NULL, "BootOrder");
}

static void absent_in_order(struct host *host)
{
    put_var(host, "BootOrder", "\0\0\1\0\x99\0", 6);
}

static void huge_order(struct host *host)
{
    mem_vars_make_huge(host->vars, "BootOrder");
}

static void huge_entry(struct host *host)
{
    mem_vars_make_huge(host->vars, "Boot0001");
}

/* The firmware does not say what is free, or says so. */
static void full_store(struct host *host)
{
    mem_vars_set_total(host->vars, mem_vars_used(host->vars) + 100);
}

static void full_store_that_does_not_say(struct host *host)
{
    full_store(host);
    mem_vars_set_space_unknown(host->vars, true);
}

static void read_only_store(struct host *host)
{
    mem_vars_set_read_only(host->vars, true);
}

static void damaged_entry(struct host *host)
{
    put_var(host, "Boot0001", "\1\0\0\0\4\0x", 7);
}

/* Room for what is changed, and not for a journal of it in a variable. */
static void leave_little_room(struct host *host)
{
    mem_vars_set_total(host->vars, mem_vars_used(host->vars) + STORE_MARGIN + 1000);
}

static void read_only_volumes(struct host *host)
{
    mem_files_set_read_only(host->files, 0, true);
    mem_files_set_read_only(host->files, 1, true);
    leave_little_room(host);
}

static void full_volumes(struct host *host)
{
    mem_files_set_free(host->files, 0, 1000);
    mem_files_set_free(host->files, 1, 1000);
    leave_little_room(host);
}

static void put_files(struct host *host)
{
    uint8_t *large = calloc(1, 300000);

    assert_non_null(large);
    mem_files_put(host->files, 0, "\\large", large, 300000);
    mem_files_put(host->files, 0, "\\empty", "", 0);
    mem_files_put(host->files, 0, "\\text", "This is a text, no boot entry.", 30);
    mem_files_put(host->files, 0, "\\bad", "x", 1);
    mem_files_spoil(host->files, 0, "\\bad");
    mem_files_put(host->files, 0, "\\saved\\Boot0001", "short", 5);
    free(large);
}

/* The name of Boot0001 fills the variable: a clone with more behind it is longer than firmware
 * takes. */
static void endless_name(struct host *host)
{
    struct fixture_bytes path = {.size = 0};
    struct host_partition esp = fixture_partition_named(MODERN_ESP_0);

    fixture_put_hd(&path, &esp);
    fixture_put_file(&path, SHIMX64);
    fixture_put_end(&path);
    size_t text = (1u << 20) - 6 - path.size;
    uint8_t *value = malloc(6 + text + path.size);
    assert_non_null(value);
    memset(value, 'n', 6 + text);
    st_le32(value, 1);
    st_le16(value + 4, (uint16_t)path.size);
    st_le16(value + 6 + text - 2, 0);
    memcpy(value + 6 + text, path.at, path.size);
    put_var(host, "Boot0001", value, 6 + text + path.size);
    free(value);
}

static const struct bad_case {
    void (*spoil)(struct host *host);
    const char *line;
    unsigned code;
    const char *words;
} cases[] = {
    /* GUIDs */
    {leave, "clone -y -tg " UNKNOWN, 14, UNKNOWN "|shadowboot disks"},
    {leave, "clone -y -sg " UNKNOWN " -tg " MODERN_ESP_1, 14, "source|" UNKNOWN "|entries"},
    {leave, "clone -y -sg " MODERN_DATA_0 " -tg " MODERN_ESP_1, 14, "No boot entry refers to"},
    {leave, "clone -y -sg " MODERN_ESP_0 " -tg nonsense", 2, "\"nonsense\" is not a GUID"},
    {leave, "clone -y -sg " MODERN_ESP_0 " -tg " MODERN_ESP_0, 2, "same partition|other disk"},
    {leave, "clone -y -sg " MODERN_ESP_0 " -tg " MODERN_DATA_1, 15,
     "Disk 1 Partition 3|Basic data partition|EFI system partition|disks"},
    {leave, "mirror -y " UNKNOWN, 14, UNKNOWN},
    {leave, "mirror -y " MODERN_ESP_1, 15, "Disk 1 Partition 1|EFI system partition"},
    {leave, "add -y " UNKNOWN " \\x.efi -d x", 14, UNKNOWN},
    {repeat_esp, CLONE, 15, "2 partitions|" MODERN_ESP_1 "|diskid 1 -set new"},
    {repeat_esp, "add -y " MODERN_ESP_1 " \\x.efi -d x", 15, "2 partitions|diskid 1 -set new"},
    /* Entries */
    {leave, "delete -y 7", 14, "no boot entry 7|entries"},
    {leave, "delete -y Boot0004", 14, "no boot entry Boot0004"},
    {leave, "next -y 77", 14, "no boot entry 77"},
    {leave, "order -y 1 2 77", 14, "no boot entry 77"},
    {leave, "default -y 0", 14, "no boot entry 0"},
    {leave, "export -y FS1:\\x 77", 14, "no boot entry 77"},
    {leave, "mirror -y " MODERN_DATA_1 " -from 77", 14, "no boot entry 77"},
    {leave, "mirror -y " MODERN_DATA_1 " -from 6", 15, "Boot000B|no Windows entry"},
    {damaged_entry, "mirror -y " MODERN_DATA_1 " -from Boot0001", 15, "Boot0001|no Windows entry"},
    {damaged_entry, "entries", 10, "Boot0001|damaged|shadowboot delete"},
    {leave, "undo -y 3", 14, "no journal 3|undo -l"},
    {leave, "undo -y", 14, "nothing to take back"},
    /* Partition tables: what only looks says damage, what writes refuses the place. */
    {wipe_primary, "disks", 10, "Disk 1|primary partition table is damaged|backup"},
    {wipe_backup, "disks", 10, "Disk 1|backup partition table|damaged"},
    {wipe_both, "disks", 10, "Disk 1|Both copies|Do not write"},
    {wipe_both, CLONE, 14, MODERN_ESP_1 "|partition table of Disk 1 is damaged"},
    {overlap, "disks", 10, "Disk 1 Partition 1: The partition shares blocks|Disk 1 Partition 2"},
    {overlap, CLONE, 15, "Disk 1 Partition 1|overlaps|shadowboot disks 1"},
    {reach_beyond, "disks", 10, "Disk 1 Partition 1|usable part"},
    {reach_beyond, CLONE, 15, "Disk 1 Partition 1|outside the usable part"},
    {reach_beyond, "add -y " MODERN_ESP_1 " \\x.efi -d x", 15, "Disk 1 Partition 1|outside"},
    {absurd_count, "disks", 10, "Disk 1|number of entries is out of range"},
    {absurd_count, CLONE, 14, "partition table of Disk 1 is damaged"},
    {absurd_size, "disks", 10, "Disk 1|number of entries|entry size is wrong"},
    /* Disks */
    {fail_reads, "disks", 10, "Disk 1|cannot be read|cables"},
    {fail_reads, CLONE, 14, MODERN_ESP_1 "|Disk 1 cannot be read"},
    {fail_reads, "bootcfg /list 1", 7, "ERROR|Disk 1|cannot be read"},
    /* BootOrder */
    {odd_order, CLONE, 10, "BootOrder|odd|shadowboot prune"},
    {repeated_order, CLONE, 10, "BootOrder|twice: Boot0000|shadowboot prune"},
    {missing_order, CLONE, 10, "BootOrder is missing|shadowboot prune"},
    {absent_in_order, CLONE, 10, "BootOrder|does not exist: Boot0099|shadowboot prune"},
    {absent_in_order, "add -y " MODERN_ESP_1 " \\x.efi -d x", 10, "Boot0099|shadowboot prune"},
    {odd_order, "bootcfg /clone /sg " MODERN_ESP_0 " /tg " MODERN_ESP_1, 10, "ERROR|BootOrder|odd"},
    {odd_order, "entries", 10, "[damage] this machine: BootOrder is damaged"},
    {huge_order, CLONE, 7, "cannot be read: BootOrder|Nothing was changed"},
    {huge_order, "delete -y 2", 7, "cannot be read: BootOrder|Nothing was changed"},
    {huge_order, "prune -y", 7, "cannot be read: BootOrder|Nothing was changed"},
    {huge_order, "order -y 2", 7, "cannot be read: BootOrder|Nothing was changed"},
    /* The store */
    {full_store, CLONE, 9, "variable store|bytes|Nothing was changed"},
    {full_store, "add -y " MODERN_ESP_1 " \\x.efi -d x", 9, "variable store|Nothing was changed"},
    {huge_entry, "entries", 10, "Boot0001|4,294,967,29"},
    {huge_entry, "delete -y Boot0001", 15, "Boot0001 cannot be read|Nothing was changed"},
    {endless_name, "clone -y -d+ more -sg " MODERN_ESP_0 " -tg " MODERN_ESP_1, 9,
     "Boot0005|Nothing was changed"},
    /* Files */
    {read_only_volumes, CLONE, 8, "no place to save|write-protected|stick"},
    {full_volumes, CLONE, 9, "no place to save|stick"},
    {read_only_volumes, "export -y FS1:\\x", 8, "FS1:|write-protected"},
    {leave, "export -y FS7:\\x", 14, "FS7:|no such volume"},
    {leave, "export -y FS1:\\a*b", 15, "a*b"},
    {leave, "export -y FS1:\\EFI\\Microsoft\\Boot\\BCD", 15, "BCD"},
    {leave, "import -y FS1:\\none", 14, "FS1:\\none"},
    {put_files, "import -y FS0:\\large", 10, "FS0:\\large|too large"},
    {put_files, "import -y FS0:\\empty", 10, "FS0:\\empty|does not hold a boot entry"},
    {put_files, "import -y FS0:\\text", 10, "FS0:\\text|does not hold a boot entry"},
    {put_files, "import -y FS0:\\bad", 7, "FS0:\\bad|cannot be read"},
    {put_files, "import -y FS0:\\saved", 10, "FS0:\\saved\\Boot0001|does not hold"},
    {put_files, "import -y FS0:\\text -sg " MODERN_ESP_0 " -tg " UNKNOWN, 14, UNKNOWN},
};

static void each_case_is_told_and_changes_nothing(void **state)
{
    (void)state;
    bool all = true;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct host *host = fixture_modern_machine();
        const char *text = NULL;
        cases[i].spoil(host);
        struct host *before = host_clone(host);
        unsigned code = run_line(host, cases[i].line, &text);
        bool same = host_equal(host, before);
        if (code != cases[i].code || !same)
            print_error("case %zu, %s: %u%s\n%.500s\n", i, cases[i].line, code,
                        same ? "" : ", changed", text);
        all &= code == cases[i].code && same;
        assert_int_not_equal(cases[i].code, 0);
        assert_harmless(text);
        if (code == cases[i].code)
            assert_says(text, cases[i].words);
        host_free(before);
        host_free(host);
    }
    assert_true(all);
}

/* Refused by the store itself in the middle of the plan: what was written is taken back. */
static void failing_store_is_left_as_it_was(void **state)
{
    (void)state;
    static const struct {
        void (*spoil)(struct host *host);
        unsigned code;
        const char *words;
    } stores[] = {
        {full_store_that_does_not_say, 9, "no space"},
        {read_only_store, 8, "read-only"},
    };
    static const char *const lines[] = {CLONE,
                                        "add -y " MODERN_ESP_1 " \\x.efi -d x -opt \"long text "
                                        "that takes more than what is left in the store\"",
                                        "bootcfg /clone /sg " MODERN_ESP_0 " /tg " MODERN_ESP_1};

    for (size_t i = 0; i < COUNT_OF(stores); i++) {
        for (size_t j = 0; j < COUNT_OF(lines); j++) {
            struct host *host = fixture_modern_machine();
            const char *text = NULL;
            stores[i].spoil(host);
            struct host *before = host_clone(host);
            assert_int_equal(run_line(host, lines[j], &text), stores[i].code);
            assert_says(text, stores[i].words);
            assert_says(text, "Boot0004|as it was before");
            assert_true(mem_vars_equal(host->vars, before->vars));
            assert_int_equal(run_line(host, "undo -y", &text), 14);
            host_free(before);
            host_free(host);
        }
    }
}

static void disk_that_vanishes_at_any_moment_leaves_all_or_nothing(void **state)
{
    (void)state;
    struct host *whole = fixture_modern_machine();
    struct host *plain = host_clone(whole);
    unsigned failures = 0;

    assert_int_equal(fixture_run(plain, CLONE), 0);
    for (uint64_t calls = 0;; calls++) {
        struct host *host = host_clone(whole);
        struct fault *fault = fault_new(host_ports(host));
        fault_vanish(fault, 1, calls);
        unsigned code = fixture_run_ports(fault_ports(fault), CLONE);
        bool tripped = fault_tripped(fault);
        bool unchanged = mem_vars_equal(host->vars, whole->vars);
        if (code != 0)
            failures++;
        if (code != 0 && unchanged)
            assert_true(strlen(host_console_text(host->console)) > 40);
        /* Once the journal is written the disk is not needed: the entries are made as planned. */
        if (!unchanged)
            assert_true(mem_vars_equal(host->vars, plain->vars));
        fault_free(fault);
        host_free(host);
        if (!tripped)
            break;
        assert_true(calls < 1000);
    }
    assert_true(failures > 3);
    host_free(plain);
    host_free(whole);
}

/* --- Files with damaged entries ------------------------------------------------------------- */

/* Imports `size` bytes, which must be refused unless firmware itself would take them. */
static void assert_import(const struct host *original, const uint8_t *data, size_t size)
{
    struct host *host = host_clone(original);
    struct span exact = fixture_exact(data, size);
    const char *text = NULL;

    bool sound =
        var_rules_load_option(exact) || (size > 4 && ld_le32(exact.at) == 7 &&
                                         var_rules_load_option(span_part(exact, 4, size - 4)));
    mem_files_put(host->files, 0, "\\in", exact.at, size);
    struct host *before = host_clone(host);
    unsigned code = run_line(host, "import FS0:\\in -n", &text);
    assert_int_equal(code, sound ? 0 : 10);
    if (!sound)
        assert_says(text, "FS0:\\in|does not hold a boot entry|Nothing was changed");
    assert_true(host_equal(host, before));
    fixture_drop(exact);
    host_free(before);
    host_free(host);
}

static void import_of_entries_truncated_at_every_byte(void **state)
{
    (void)state;
    static const char *const names[] = {"Boot0000", "Boot0001", "Boot000A", "Boot000B"};
    struct host *host = fixture_modern_machine();

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct mem_var *var = mem_vars_find(host->vars, NULL, names[i]);
        for (size_t size = 0; size < var->size; size++)
            assert_import(host, var->data, size);
    }
    host_free(host);
}

static void import_of_device_paths_with_impossible_lengths(void **state)
{
    (void)state;
    static const uint16_t lengths[] = {0, 1, 2, 3, 5, 43, 0x1000, 0xfffc, 0xffff};
    struct host *host = fixture_modern_machine();
    const struct mem_var *var = mem_vars_find(host->vars, NULL, "Boot0001");
    size_t list = 6 + 2 * sizeof("debian");

    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        /* The length of each node in turn, then that of the whole list. */
        for (size_t at = list; at + 4 <= var->size; at += ld_le16(var->data + at + 2)) {
            uint8_t data[1024];
            memcpy(data, var->data, var->size);
            st_le16(data + at + 2, lengths[i]);
            assert_import(host, data, var->size);
        }
        uint8_t data[1024];
        memcpy(data, var->data, var->size);
        st_le16(data + 4, lengths[i]);
        assert_import(host, data, var->size);
    }
    host_free(host);
}

/* --- Memory --------------------------------------------------------------------------------- */

static void too_little_memory_is_told_and_changes_nothing(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "disks", "disks -sfo", "entries",           "entries -sfo",
        CLONE,   "undo -l",    "export -y FS1:\\x", "prune -y",
        "help",  "bootcfg",    "bootcfg /list 0",   "delete -y 2 -sfo"};

    struct host *whole = fixture_modern_machine();
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        bool enough = false;
        for (size_t size = 0; size < (512u << 10); size += 2500) {
            struct host *host = host_clone(whole);
            unsigned code = fixture_run_in(host_ports(host), lines[i], size);
            if (code != 0 && code != 9)
                print_error("%s in %zu bytes: %u\n%.300s\n", lines[i], size, code,
                            host_console_text(host->console));
            assert_true(code == 0 || code == 9);
            if (code != 0)
                assert_true(host_equal(host, whole));
            if (code != 0)
                assert_says(host_console_text(host->console), "memory");
            assert_true(!enough || code == 0);
            enough = code == 0;
            host_free(host);
        }
        assert_true(enough);
    }
    host_free(whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_case_is_told_and_changes_nothing),
        cmocka_unit_test(failing_store_is_left_as_it_was),
        cmocka_unit_test(disk_that_vanishes_at_any_moment_leaves_all_or_nothing),
        cmocka_unit_test(import_of_entries_truncated_at_every_byte),
        cmocka_unit_test(import_of_device_paths_with_impossible_lengths),
        cmocka_unit_test(too_little_memory_is_told_and_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
