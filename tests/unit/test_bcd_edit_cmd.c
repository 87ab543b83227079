/* Verbs of the bcd command that change boot stores, on a machine whose files lie on its disks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "format/bcd/bcd.h"
#include "format/regf/regf_verify.h"
#include "host/host_alloc.h"
#include "unit/cuts_fixture.h"
#include "unit/line_fixture.h"
#include "unit/scan_fixture.h"

#define SCRATCH (1u << 20)
#define STORE   "\\EFI\\Microsoft\\Boot\\BCD"
#define LOADER  "{4bd4b7f1-9cb2-11e9-8d5c-525400a1b2c3}"
#define NOBODY  "{11111111-2222-3333-4444-555555555555}"

/* --- What is in a store --------------------------------------------------------------------- */

/* All elements, a line for each: "object code bytes". To be freed. */
static char *content_of(struct host *host, size_t disk)
{
    static uint8_t memory[SCRATCH];
    struct arena arena;
    struct bcd_store store;
    struct bcd_object object;
    struct bcd_element element;
    struct regf_report report;
    char guid[GUID_TEXT_SIZE];
    size_t size = 0;
    size_t used = 0;
    uint8_t *file = disk_machine_file(host, disk, STORE, &size);
    char *text = host_alloc(1, SCRATCH);

    assert_non_null(file);
    arena_init(&arena, memory, sizeof(memory));
    assert_int_equal(bcd_open(&arena, span_of(file, size), &store), ST_OK);
    assert_int_equal(regf_verify(&arena, &store.hive, &report), ST_OK);
    assert_int_equal(report.damage.problem, REGF_NO_PROBLEM);
    assert_int_equal(report.untidy.problem, REGF_NO_PROBLEM);
    for (size_t i = 0; bcd_object_at(&store, i, &object) == ST_OK; i++) {
        guid_format(&object.guid, guid);
        used += (size_t)sprintf(text + used, "%s %08x\n", guid, object.type);
        for (size_t j = 0; bcd_element_at(&store, &object, j, &element) == ST_OK; j++) {
            used += (size_t)sprintf(text + used, "%s %08x ", guid, element.code);
            for (size_t k = 0; k < element.data.size; k++)
                used += (size_t)sprintf(text + used, "%02x", element.data.at[k]);
            used += (size_t)sprintf(text + used, "\n");
        }
    }
    free(file);
    return text;
}

static bool has_line(const char *text, const char *line, size_t length)
{
    for (const char *at = text; (at = strstr(at, line)) != NULL; at++) {
        if ((at == text || at[-1] == '\n') && at[length] == '\n')
            return true;
    }
    return false;
}

/* Lines of `a` that are not in `b`, each behind the mark. */
static void append_lines(const char *a, const char *b, char mark, char *io_text)
{
    char line[4096];

    while (*a != '\0') {
        size_t length = strcspn(a, "\n");
        memcpy(line, a, length);
        line[length] = '\0';
        if (!has_line(b, line, length))
            sprintf(io_text + strlen(io_text), "%c%s\n", mark, line);
        a += length + 1;
    }
}

/* The line makes the difference in the store of both disks and none else, `undo` takes it back to
 * the first byte, and done twice it has nothing to do. */
static void expect_change(struct host *host, const char *line, const char *difference)
{
    char *found = host_alloc(1, SCRATCH);
    char *before = content_of(host, 1);
    size_t sizes[2] = {0, 0};
    uint8_t *old = disk_machine_file(host, 0, STORE, &sizes[0]);

    run_to(host, line, DONE);
    for (size_t disk = 0; disk < 2; disk++) {
        char *after = content_of(host, disk);
        found[0] = '\0';
        append_lines(before, after, '-', found);
        append_lines(after, before, '+', found);
        assert_string_equal(found, difference);
        free(after);
    }
    run_to(host, line, DONE);
    expect_said(host, "Nothing to do");
    run_to(host, "undo -y", DONE);
    uint8_t *now = disk_machine_file(host, 0, STORE, &sizes[1]);
    assert_int_equal(sizes[0], sizes[1]);
    assert_memory_equal(old, now, sizes[0]);
    free(old);
    free(now);
    free(before);
    free(found);
}

/* The bytes of both stores, and nothing else on them, decide whether something was changed. */
static void expect_refusal(struct host *host, const char *line, unsigned code, const char *said)
{
    size_t sizes[2] = {0, 0};
    uint8_t *old = disk_machine_file(host, 0, STORE, &sizes[0]);

    run_to(host, line, code);
    expect_said(host, said);
    expect_said(host, "Nothing was changed.");
    uint8_t *now = disk_machine_file(host, 0, STORE, &sizes[1]);
    assert_int_equal(sizes[0], sizes[1]);
    assert_memory_equal(old, now, sizes[0]);
    free(old);
    free(now);
}

/* --- What is done --------------------------------------------------------------------------- */

static void set_changes_the_element_in_the_stores_of_the_mirror(void **state)
{
    struct host *host = *state;

    expect_change(host, "bcd set {default} nx AlwaysOn -y",
                  "+" LOADER " 25000020 0300000000000000\n");
    expect_change(host, "bcd timeout 5 -y",
                  "+{9dea862c-5cdd-4e70-acc1-f32b344d4795} 25000004 0500000000000000\n");
    expect_change(host, "bcd set " LOADER " recoveryenabled off -y", "+" LOADER " 16000009 00\n");
    expect_change(host, "bcd set {default} custom:26000077 yes -y", "+" LOADER " 26000077 01\n");
    expect_change(host, "bcd set {default} description Ab -y",
                  "-" LOADER " 12000004 570069006e0064006f0077007300200053006500720076006500720000"
                  "00\n+" LOADER " 12000004 410062000000\n");
    expect_change(host, "bcd delete {default} systemroot -force -y",
                  "-" LOADER " 22000002 5c00570069006e0064006f00770073000000\n");
}

static void device_is_made_of_the_partition(void **state)
{
    struct host *host = *state;

    run_to(host, "bcd set {default} device boot -y -force", DONE);
    run_to(host, "bcd list 0", DONE);
    expect_said(host, "device                  boot\n");
    run_to(host, "bcd set {default} device locate -y", DONE);
    run_to(host, "bcd list 0", DONE);
    expect_said(host, "device                  locate=path\n");
    /* Each store gets the plex on its own disk. */
    run_to(host, "bcd set {default} osdevice partition=c: -y", DONE);
    run_to(host, "bcd list 0", DONE);
    expect_said(host, "osdevice                Disk 0 Partition 4 (LDM data, plex of C:)\n");
    run_to(host, "bcd list 1", DONE);
    expect_said(host, "osdevice                Disk 1 Partition 4 (LDM data, plex of C:)\n");
    run_to(host, "bcd set {bootmgr} device partition=1/1 -y -on 1", DONE);
    run_to(host, "bcd list 1", DONE);
    expect_said(host, "device                  Disk 1 Partition 1 (EFI system)\n");
    run_to(host,
           "bcd set {bootmgr} device partition={d15c0000-0001-4000-8000-0123456789ab} -y -on 1",
           DONE);
    expect_said(host, "Nothing to do");
    run_to(host, "bcd set {bootmgr} device partition=FS1: -y -on 1", DONE);
    expect_said(host, "Nothing to do");
    /* Windows counts the partitions that are no LDM's. */
    run_to(host, "bcd set {bootmgr} device partition=\\Device\\HarddiskVolume1 -y -on 0", DONE);
    run_to(host, "bcd list 0", DONE);
    expect_said(host, "device                  Disk 0 Partition 1 (EFI system)\n");
}

static void copy_makes_an_object_with_the_same_elements_behind_the_last(void **state)
{
    struct host *host = *state;

    run_to(host, "bcd copy {default} -d \"Safe mode\" -y", DONE);
    run_to(host, "bcd list 1", DONE);
    const char *text = host_console_text(host->console);
    const char *order =
        strstr(text, "displayorder            {default}\n                        {");
    const char *object = strstr(text, "description             Safe mode\n");
    assert_non_null(order);
    assert_non_null(object);
    char guid[GUID_TEXT_SIZE] = "";
    memcpy(guid, strchr(order + 30, '{'), GUID_TEXT_SIZE - 1);
    char line[100];
    snprintf(line, sizeof(line), "identifier              %s\n", guid);
    expect_said(host, line);
    /* A second copy is another one. */
    run_to(host, "bcd copy {default} -d Other -y", DONE);
    snprintf(line, sizeof(line), "bcd default %s -y", guid);
    run_to(host, line, DONE);
    run_to(host, "bcd list 0", DONE);
    expect_said(host, "description             Other\n");
    expect_said(host, "displayorder            " LOADER "\n                        {default}\n");
    run_to(host, "bcd delete " LOADER " -y", DONE);
    run_to(host, "bcd list 0 -all", DONE);
    assert_null(strstr(host_console_text(host->console), LOADER));
}

static void order_moves_and_takes_out(void **state)
{
    struct host *host = *state;
    static const struct {
        const char *line;
        const char *order;
    } rows[] = {
        {"bcd order {bootmgr} {default} -y", "{bootmgr}\n                        {default}\n"},
        {"bcd order -addfirst {default} -y", "{default}\n                        {bootmgr}\n"},
        {"bcd order -addlast {default} -y", "{bootmgr}\n                        {default}\n"},
        {"bcd order -remove {bootmgr} -y", "{default}\n\n"},
        {"bcd order -remove " NOBODY " -y", "{default}\n\n"},
    };
    char expected[200];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        run_to(host, rows[i].line, DONE);
        snprintf(expected, sizeof(expected), "displayorder            %s", rows[i].order);
        run_to(host, "bcd list 1", DONE);
        expect_said(host, expected);
    }
}

/* --- What is refused ------------------------------------------------------------------------ */

static void what_cannot_be_done_is_refused_with_the_reason(void **state)
{
    static const struct {
        const char *line;
        unsigned code;
        const char *said;
    } rows[] = {
        {"bcd set {default} nx Sometimes -y", USAGE,
         "\"Sometimes\" is no value for nx, which takes one of OptIn OptOut AlwaysOff AlwaysOn."},
        {"bcd set {default} nex 1 -y", USAGE, "\"nex\" is no element that is known."},
        {"bcd set {bootmgr} osdevice boot -y", USAGE,
         "An object of the kind \"Windows Boot Manager\" has no osdevice."},
        {"bcd set {default} custom:2f000010 1 -y", USAGE, "is no element that is known."},
        {"bcd set {current} nx 1 -y", USAGE, "{current} is what a running Windows was started by"},
        {"bcd set {somebody} nx 1 -y", USAGE, "\"{somebody}\" is no object"},
        {"bcd set " NOBODY " nx 1 -y", NOT_FOUND, NOBODY " is not in the boot store"},
        {"bcd set {default} device vhd=[C:]\\a.vhd -y", USAGE,
         "which takes boot, locate or partition"},
        {"bcd set {default} device partition=q: -y", NOT_FOUND,
         "Disk 1 Partition 4 (LDM data, plex of C:)"},
        {"bcd set {default} filedevice locate -y", USAGE, "has no filedevice"},
        {"bcd set {default} recoveryenabled perhaps -y", USAGE, "which takes yes or no."},
        {"bcd timeout soon -y", USAGE, "which takes a number"},
        {"bcd default " NOBODY " -y", NOT_FOUND, "The boot store has no object " NOBODY},
        {"bcd order {default} " NOBODY " -y", NOT_FOUND, "The boot store has no object " NOBODY},
        {"bcd order -addfirst -remove {default} -y", USAGE, "exclude each other"},
        {"bcd copy {default} -y", USAGE, "Give the copy a description"},
        {"bcd delete {default} -y", REFUSED, "{default} is the default."},
        {"bcd delete {bootmgr} -y", REFUSED, "is not deleted"},
        {"bcd set {default} path \\nowhere.efi -y", REFUSED, "-force does it all the same."},
        {"bcd delete {default} device -y", REFUSED, "would start less well"},
        {"bcd timeout 5 -y -on 5", NOT_FOUND, "\"5\" has no partition with a boot store"},
        {"bcd timeout 5 -y -store c:\\Windows\\System32\\winload.efi", DAMAGED,
         "cannot be changed"},
    };
    struct host *host = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        expect_refusal(host, rows[i].line, rows[i].code, rows[i].said);
}

static void store_without_the_object_stays_and_the_other_one_changes(void **state)
{
    struct host *host = *state;
    char *before = content_of(host, 0);

    run_to(host, "bcd copy {default} -d Second -y -on 1", DONE);
    run_to(host, "bcd list 1", DONE);
    const char *at = strstr(host_console_text(host->console), "                        {");
    char line[100] = "bcd set ";
    assert_non_null(at);
    memcpy(line + 8, at + 24, GUID_TEXT_SIZE - 1);
    strcpy(line + 8 + GUID_TEXT_SIZE - 1, " nx OptOut -y");
    run_to(host, line, DONE);
    expect_said(host, "The boot store of Disk 0 Partition 1");
    expect_said(host, "stays as it is.");
    char *after = content_of(host, 0);
    assert_string_equal(before, after);
    free(before);
    free(after);
    run_to(host, "bcd list 1", DONE);
    expect_said(host, "nx                      OptOut\n");
}

static void damaged_store_is_not_changed_nor_passed_over(void **state)
{
    struct host *host = *state;

    disk_machine_zero_file(host, 1, STORE);
    expect_refusal(host, "bcd timeout 5 -y", DAMAGED, "it is not a registry hive");
    run_to(host, "bcd timeout 5 -y -on 0", DONE);
}

/* Without a stick the journal of the one lies on the other. */
static void without_a_stick_one_store_is_changed_after_the_other(void **state)
{
    struct disk_machine_shape shape = disk_machine_usual();

    (void)state;
    shape.no_stick = true;
    struct host *host = disk_machine_new(&shape);
    run_to(host, "bcd timeout 7 -y", DONE);
    for (int disk = 0; disk < 2; disk++) {
        run_to(host, disk == 0 ? "bcd list 0" : "bcd list 1", DONE);
        expect_said(host, "timeout                 7\n");
    }
    host_free(host);
}

/* What the journal of the first one relies on is still there when the second is taken back. */
static void changes_are_taken_back_one_after_the_other(void **state)
{
    struct host *host = *state;
    char *before = content_of(host, 1);

    run_to(host, "bcd timeout 5 -y", DONE);
    run_to(host, "bcd timeout 6 -y", DONE);
    run_to(host, "bcd set {default} nx AlwaysOn -y", DONE);
    for (int i = 0; i < 3; i++)
        run_to(host, "undo -y", DONE);
    char *after = content_of(host, 1);
    assert_string_equal(before, after);
    free(before);
    free(after);
}

/* --- Power cuts ----------------------------------------------------------------------------- */

static struct host *small_machine(void)
{
    struct disk_machine_shape shape = disk_machine_usual();

    shape.languages = 1;
    return disk_machine_new(&shape);
}

/* The stores name the plexes; that of Disk 1 the one on Disk 0. */
static struct host *machine_to_retarget(void)
{
    struct host *host = small_machine();

    run_to(host, "bcd set {default} device partition=C: -y", DONE);
    run_to(host, "bcd set {default} osdevice partition=C: -y", DONE);
    run_to(host, "bcd retarget -from 1/4 -to 0/4 -on 1 -y -force", DONE);
    /* That is how it is found, and not to be taken back. */
    mem_files_drop(host->files, host_ports(host)->files.self, "\\EFI\\shadowboot");
    return host;
}

/* Frees the host. */
static void try_cuts(struct host *host, const char *line, enum cuts_mode mode,
                     const struct cuts_range *range)
{
    struct cuts *cuts = cuts_new(host, "healthy", line);
    assert_true(cuts_has_changed(cuts));
    assert_int_equal(cuts_violations(cuts), 0);
    assert_true(cuts_try(cuts, mode, range));
    print_message("%s: %llu states, %llu of them different\n", line,
                  (unsigned long long)cuts_states(cuts), (unsigned long long)cuts_distinct(cuts));
    cuts_free(cuts);
    host_free(host);
}

/* By the counts of -v: the journal lies on the stick, and is none of the disks' writes. */
static void retargeting_writes_the_sectors_that_change(void **state)
{
    struct host *host = machine_to_retarget();
    size_t size = 0;
    size_t blocks = 0;
    uint8_t *before = disk_machine_file(host, 1, STORE, &size);
    unsigned long long writes = 0;
    unsigned long long bytes = 0;

    (void)state;
    run_to(host, "bcd retarget -y -v", DONE);
    const char *counts = strstr(host_console_text(host->console), "Disks: ");
    assert_non_null(counts);
    counts = strstr(counts, " bytes; ");
    assert_int_equal(sscanf(counts, " bytes; %llu writes, %llu bytes", &writes, &bytes), 2);
    uint8_t *after = disk_machine_file(host, 1, STORE, &size);
    for (size_t i = 0; i < size; i += 512)
        blocks += memcmp(before + i, after + i, 512) != 0;
    assert_int_equal(bytes, blocks * 512);
    assert_in_range(blocks, 3, 8);
    assert_in_range(writes, 1, blocks);
    free(before);
    free(after);
    host_free(host);
}

static void power_cut_at_any_write_leaves_a_store_on_each_disk(void **state)
{
    (void)state;
    try_cuts(small_machine(), "bcd set {default} nx AlwaysOn -y -on 1", CUTS_POWER,
             &(struct cuts_range){.step = 1});
    try_cuts(small_machine(), "bcd order {bootmgr} {default} -y", CUTS_POWER,
             &(struct cuts_range){.first = 3, .step = 5});
    try_cuts(machine_to_retarget(), "bcd retarget -y", CUTS_POWER, &(struct cuts_range){.step = 1});
}

static void lack_of_memory_changes_nothing(void **state)
{
    (void)state;
    try_cuts(small_machine(), "bcd timeout 5 -y", CUTS_MEMORY, &(struct cuts_range){.pieces = 6});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINE_TEST(set_changes_the_element_in_the_stores_of_the_mirror),
        LINE_TEST(device_is_made_of_the_partition),
        LINE_TEST(copy_makes_an_object_with_the_same_elements_behind_the_last),
        LINE_TEST(order_moves_and_takes_out),
        LINE_TEST(what_cannot_be_done_is_refused_with_the_reason),
        LINE_TEST(store_without_the_object_stays_and_the_other_one_changes),
        LINE_TEST(damaged_store_is_not_changed_nor_passed_over),
        LINE_TEST(changes_are_taken_back_one_after_the_other),
        cmocka_unit_test(retargeting_writes_the_sectors_that_change),
        cmocka_unit_test(without_a_stick_one_store_is_changed_after_the_other),
        cmocka_unit_test(power_cut_at_any_write_leaves_a_store_on_each_disk),
        cmocka_unit_test(lack_of_memory_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
