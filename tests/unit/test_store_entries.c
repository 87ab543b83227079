/*
 * What stands in a boot store beside the loader that it starts: names that lead nowhere, an order
 * for one start, settings that were left behind, recovery and resumption; what is said of it, and
 * what a repair makes of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "format/regf/regf_verify.h"
#include "host/host_alloc.h"
#include "model/boot_store.h"
#include "plan/boot_stores.h"
#include "unit/finding_fixture.h"
#include "unit/mirror_store_fixture.h"

#define SECOND  "{11111111-9cb2-11e9-8d5c-525400a1b2c3}"
#define GONE    "{22222222-9cb2-11e9-8d5c-525400a1b2c3}"
#define ASIDE   "{33333333-9cb2-11e9-8d5c-525400a1b2c3}" /* recovery, or what resumes */
#define NOWHERE MIRROR_NOWHERE
#define LOADER  0x10200003u
#define RESUME  0x10200004u

/* The store of Disk 1 while it is made: the usual one of a mirror, with two loaders. */
struct bed {
    struct mirror *m;
    struct store_fixture *store;
    size_t manager, loader, aside; /* keys of elements */
};

static size_t add_loader(struct bed *bed, const char *guid, uint32_t type, size_t partition)
{
    uint8_t device[STORE_DEVICE_SIZE];
    size_t elements = store_fixture_object(bed->store, guid, type);

    mirror_device(bed->m, partition, device);
    store_fixture_string(bed->store, elements, "12000004", "Windows Server");
    store_fixture_device(bed->store, elements, "11000001", device, sizeof(device));
    store_fixture_device(bed->store, elements, "21000001", device, sizeof(device));
    store_fixture_string(bed->store, elements, "22000002", "\\Windows");
    return elements;
}

/* Without `order` the display order is left out, without `start` the default. */
static struct bed begin(struct mirror *m, const char *start, bool order)
{
    static const char *const both[] = {STORE_LOADER, SECOND};
    struct bed bed = {.m = m, .store = host_alloc(1, sizeof(*bed.store))};

    store_fixture_start(bed.store);
    bed.manager = store_fixture_object(bed.store, STORE_MANAGER, STORE_TYPE_MANAGER);
    if (start != NULL)
        store_fixture_string(bed.store, bed.manager, "23000003", start);
    if (order)
        store_fixture_objects(bed.store, bed.manager, "24000001", both, 2);
    bed.loader = add_loader(&bed, STORE_LOADER, LOADER, MIRROR_DATA(1));
    (void)add_loader(&bed, SECOND, LOADER, MIRROR_DATA(0));
    return bed;
}

static void add_number(struct bed *bed, const char *code, uint64_t number, size_t size)
{
    uint8_t data[8];
    size_t key = store_fixture_key(bed->store, bed->loader, code);

    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(number >> (8 * i));
    store_fixture_value(bed->store, key, "Element", STORE_BINARY, data, size);
}

static void take(struct bed *bed)
{
    mirror_take_store(bed->m, 1, bed->store);
    free(bed->store);
}

/* --- What is said --------------------------------------------------------------------------- */

/* What is said of the store of Disk 1, one line each. */
static void expect_told(struct bed *bed, const char *expected)
{
    char text[1024] = "";
    size_t used = 0;

    take(bed);
    struct judgement judgement = mirror_judge(bed->m);
    findings_met(&judgement.findings);
    for (size_t i = 0; i < judgement.findings.count; i++) {
        const struct finding *finding = &judgement.findings.items[i];
        if (strncmp(finding_name(finding->code), "esp-store", 9) != 0)
            continue;
        assert_int_equal(finding->partition, bed->m->esps[1].partition);
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s\n",
                                 finding_name(finding->code), finding->detail);
    }
    assert_string_equal(text, expected);
}

static void store_as_windows_makes_it_has_nothing_odd(void **state)
{
    struct bed bed = begin(*state, STORE_LOADER, true);

    expect_told(&bed, "");
}

static void names_that_lead_nowhere_are_told_of(void **state)
{
    static const char *const gone[] = {GONE};
    struct bed bed = begin(*state, GONE, true);

    expect_told(&bed, "esp-store-dangling default.\n");
    bed = begin(*state, STORE_LOADER, true);
    store_fixture_objects(bed.store, bed.manager, "24000010", gone, 1);
    store_fixture_string(bed.store, bed.loader, "23000003", GONE);
    expect_told(&bed, "esp-store-dangling resumeobject, toolsdisplayorder.\n");
    bed = begin(*state, STORE_LOADER, true);
    store_fixture_objects(bed.store, bed.loader, "14000006", gone, 1); /* inherit: no matter */
    expect_told(&bed, "");
}

static void many_names_are_cut_short(void **state)
{
    static const char *const codes[] = {"24000002", "24000007", "24000010"};
    static const char *const gone[] = {GONE};
    struct bed bed = begin(*state, GONE, true);

    for (size_t i = 0; i < 3; i++)
        store_fixture_objects(bed.store, bed.manager, codes[i], gone, 1);
    store_fixture_string(bed.store, bed.loader, "23000003", GONE);
    expect_told(&bed, "esp-store-dangling resumeobject, default, bootsequence, startupsequence, "
                      "....\n");
}

static void settings_that_were_left_behind_are_told_of(void **state)
{
    static const struct {
        const char *code;
        uint64_t number;
        size_t size;
        const char *told;
    } cases[] = {
        {"25000080", 0, 8, "esp-store-safe-mode.\n"},
        {"25000080", 1, 8, "esp-store-safe-mode, with network.\n"},
        {"25000080", 2, 8, "esp-store-safe-mode, to restore a directory.\n"},
        {"25000080", 77, 8, "esp-store-safe-mode.\n"},
        {"16000049", 1, 1,
         "esp-store-test-mode testsigning. shadowboot bcd set {default} testsigning no ends that.\n"},
        {"16000049", 0, 1, ""},
        {"16000048", 1, 1,
         "esp-store-test-mode nointegritychecks. shadowboot bcd set {default} nointegritychecks no ends that.\n"},
        {"26000027", 1, 1,
         "esp-store-test-mode osltestsigning. shadowboot bcd set {default} osltestsigning no ends that.\n"},
        {"26000026", 1, 1,
         "esp-store-test-mode oslnointegritychecks. shadowboot bcd set {default} oslnointegritychecks no ends that.\n"},
        {"250000e0", 1, 8, ""},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bed bed = begin(*state, STORE_LOADER, true);
        add_number(&bed, cases[i].code, cases[i].number, cases[i].size);
        expect_told(&bed, cases[i].told);
    }
}

static void recovery(struct bed *bed, size_t partition)
{
    static const char *const aside[] = {ASIDE};

    (void)add_loader(bed, ASIDE, LOADER, partition);
    store_fixture_objects(bed->store, bed->loader, "14000008", aside, 1);
}

#define ON_DISK_0 " it is on Disk 0 Partition 4.\n"
#define NO_DISK   " its partition is on no disk of this machine.\n"

static void recovery_that_cannot_start_is_told_of(void **state)
{
    static const struct {
        size_t partition;
        const char *code;
        uint64_t number;
        const char *told;
    } cases[] = {
        {MIRROR_DATA(1), "16000009", 1, ""},
        {MIRROR_DATA(0), "16000009", 1, "esp-store-recovery" ON_DISK_0},
        {NO_INDEX, "16000009", 1, "esp-store-recovery" NO_DISK},
        {NO_INDEX, "16000009", 0, ""}, /* never tried */
        {NO_INDEX, "250000e0", 0, "esp-store-recovery" NO_DISK},
        {NO_INDEX, "250000e0", 1, ""}, /* failures do not count */
        {NO_INDEX, "250000e0", 2, "esp-store-recovery" NO_DISK},
        {NO_INDEX, "250000e0", 3, ""},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bed bed = begin(*state, STORE_LOADER, true);
        recovery(&bed, cases[i].partition);
        add_number(&bed, cases[i].code, cases[i].number, cases[i].code[1] == '6' ? 1 : 8);
        expect_told(&bed, cases[i].told);
    }
}

static void resume_from(struct bed *bed, size_t partition)
{
    (void)add_loader(bed, ASIDE, RESUME, partition);
    store_fixture_string(bed->store, bed->loader, "23000003", ASIDE);
}

static void resumption_from_elsewhere_is_told_of(void **state)
{
    struct bed bed = begin(*state, STORE_LOADER, true);

    resume_from(&bed, MIRROR_DATA(1));
    expect_told(&bed, "");
    bed = begin(*state, STORE_LOADER, true);
    resume_from(&bed, MIRROR_DATA(0));
    expect_told(&bed, "esp-store-resume" ON_DISK_0);
    bed = begin(*state, STORE_LOADER, true);
    resume_from(&bed, NO_INDEX);
    expect_told(&bed, "esp-store-resume" NO_DISK);
}

static void order_for_one_start(struct bed *bed, const char *first, const char *second)
{
    const char *const order[] = {first, second};

    store_fixture_objects(bed->store, bed->manager, "24000002", order, second == NULL ? 1 : 2);
}

static void order_for_the_next_start_is_followed(void **state)
{
    struct mirror *m = *state;
    struct bed bed = begin(m, SECOND, true);

    order_for_one_start(&bed, STORE_LOADER, NULL);
    expect_told(&bed, "esp-store-one-time \"Windows Server\".\n");
    assert_int_equal(mirror_forecast(m, 1).verdict, VERDICT_STARTS);
    bed = begin(m, STORE_LOADER, true);
    order_for_one_start(&bed, GONE, SECOND);
    expect_told(&bed, "esp-store-other-disk Disk 0 Partition 4.\n"
                      "esp-store-dangling bootsequence.\n"
                      "esp-store-one-time \"Windows Server\".\n");
    assert_int_equal(mirror_forecast(m, 1).verdict, VERDICT_FAILS);
    bed = begin(m, STORE_LOADER, true);
    order_for_one_start(&bed, GONE, NULL);
    expect_told(&bed, "esp-store-dangling bootsequence.\n");
    assert_int_equal(mirror_forecast(m, 1).verdict, VERDICT_STARTS);
}

/* The loader of the second copy does not start, which `code` says. */
static void expect_no_loader(struct mirror *m, enum finding_code code, const char *reason)
{
    size_t told = 0;

    struct judgement judgement = mirror_judge(m);
    findings_met(&judgement.findings);
    for (size_t i = 0; i < judgement.findings.count; i++) {
        const struct finding *finding = &judgement.findings.items[i];
        told += finding->code == code && finding->partition == m->copies[1].partition;
    }
    assert_int_equal(told, 1);
    assert_int_equal(mirror_forecast(m, 0).verdict, VERDICT_STARTS);
    struct forecast forecast = mirror_forecast(m, 1);
    assert_int_equal(forecast.verdict, VERDICT_FAILS);
    assert_string_equal(forecast.reason, reason);
}

static void loader_that_is_no_program_for_the_machine_does_not_start(void **state)
{
    struct mirror *m = *state;

    m->copies[1].loader = LOADER_OF_OTHER_MACHINE;
    expect_no_loader(m, FINDING_WINDOWS_OTHER_MACHINE,
                     "The winload.efi of its copy is for another kind of machine: Windows' boot "
                     "manager stops with 0xc000007b.");
    m->copies[1].loader = LOADER_NO_PROGRAM;
    expect_no_loader(m, FINDING_WINDOWS_LOADER_DAMAGED,
                     "The winload.efi of its copy is damaged: Windows' boot manager stops with "
                     "0xc000007b.");
}

static void every_finding_about_entries_was_met(void **state)
{
    (void)state;
    findings_assert_met(OWNER_STORE_ENTRIES);
}

/* --- What is done --------------------------------------------------------------------------- */

/* The store that a repair writes, which is sound; takes its place. */
static void mend(struct bed *bed, const char *purpose)
{
    struct roles roles = mirror_roles(bed->m);
    struct regf_report report;
    struct regf_hive hive;
    struct plan plan;

    take(bed);
    plan_init(&plan, &bed->m->arena, &bed->m->machine);
    assert_int_equal(
        plan_boot_stores(&plan, &roles,
                         &(struct boot_stores_request){.disk = NO_INDEX, .left_out = NO_INDEX}),
        ST_OK);
    assert_int_equal(plan.count, 1);
    assert_non_null(strstr(plan.actions[0].text, purpose));
    struct span file = plan.actions[0].change->files.items[0].content;
    assert_int_equal(regf_open(&bed->m->arena, file, &hive), ST_OK);
    assert_int_equal(regf_verify(&bed->m->arena, &hive, &report), ST_OK);
    assert_int_equal(report.damage.problem, REGF_NO_PROBLEM);
    assert_int_equal(boot_store_take(&bed->m->arena, file, span_of(NULL, 0), &bed->m->esps[1]),
                     ST_OK);
    plan_init(&plan, &bed->m->arena, &bed->m->machine);
    assert_int_equal(
        plan_boot_stores(&plan, &roles,
                         &(struct boot_stores_request){.disk = NO_INDEX, .left_out = NO_INDEX}),
        ST_OK);
    assert_int_equal(plan.count, 0);
}

/* How many objects an element of the boot manager names; those that it lacks count as well. NO_INDEX
 * when it has no such element. */
static size_t count_named(const struct bed *bed, uint32_t code)
{
    struct bcd_store store;
    struct bcd_object manager;
    struct span data;
    struct guid guid;
    size_t count = 0;

    assert_int_equal(bcd_open(&bed->m->arena, bed->m->esps[1].store_file, &store), ST_OK);
    assert_int_equal(bcd_find(&store, &bcd_manager, &manager), ST_OK);
    if (bcd_element(&store, &manager, code, &data) != ST_OK)
        return NO_INDEX;
    while (bcd_guid_at(data, count, &guid) == ST_OK)
        count++;
    return count;
}

static struct guid chosen(const struct bed *bed)
{
    struct bcd_choice choice;

    assert_int_equal(boot_store_choose(&bed->m->arena, &bed->m->esps[1], &bcd_manager, &choice),
                     BCD_STARTS);
    return choice.loader.guid;
}

#define NAMES "anew, without names that lead nowhere"

static void lists_lose_what_is_not_there(void **state)
{
    static const char *const tools[] = {GONE};
    static const char *const startup[] = {GONE, SECOND, GONE, STORE_LOADER};
    struct bed bed = begin(*state, STORE_LOADER, true);

    store_fixture_objects(bed.store, bed.manager, "24000010", tools, 1);
    store_fixture_objects(bed.store, bed.manager, "24000007", startup, 4);
    mend(&bed, NAMES);
    assert_int_equal(count_named(&bed, 0x24000010), NO_INDEX);
    assert_int_equal(count_named(&bed, 0x24000007), 2);
    assert_int_equal(count_named(&bed, 0x24000001), 2);
    assert_int_equal(count_named(&bed, 0x23000003), 1);
}

static void default_becomes_what_is_started_without_it(void **state)
{
    struct bed bed = begin(*state, GONE, true);
    struct guid loader = fixture_guid("4bd4b7f1-9cb2-11e9-8d5c-525400a1b2c3");

    mend(&bed, NAMES);
    struct guid found = chosen(&bed);
    assert_true(guid_equal(&found, &loader));
    assert_int_equal(count_named(&bed, BCD_DEFAULT), 1);
}

static void nothing_is_resumed_that_is_not_there(void **state)
{
    struct bed bed = begin(*state, STORE_LOADER, true);

    store_fixture_string(bed.store, bed.loader, "23000003", GONE);
    mend(&bed, NAMES);
}

/* One that starts the own copy may be meant. */
static void order_for_the_next_start_that_leads_elsewhere_goes(void **state)
{
    struct bed bed = begin(*state, STORE_LOADER, true);
    struct guid loader = fixture_guid("4bd4b7f1-9cb2-11e9-8d5c-525400a1b2c3");
    struct roles roles = mirror_roles(*state);
    struct plan plan;

    order_for_one_start(&bed, SECOND, NULL);
    mend(&bed, "anew, without its order for the next start, which leads elsewhere");
    struct guid found = chosen(&bed);
    assert_true(guid_equal(&found, &loader));
    assert_int_equal(count_named(&bed, BCD_BOOT_SEQUENCE), NO_INDEX);
    bed = begin(*state, STORE_LOADER, true);
    order_for_one_start(&bed, STORE_LOADER, NULL);
    take(&bed);
    plan_init(&plan, &bed.m->arena, &bed.m->machine);
    assert_int_equal(
        plan_boot_stores(&plan, &roles,
                         &(struct boot_stores_request){.disk = NO_INDEX, .left_out = NO_INDEX}),
        ST_OK);
    assert_int_equal(plan.count, 0);
}

static void hibernated_windows_is_resumed_from_the_own_disk(void **state)
{
    struct bed bed = begin(*state, STORE_LOADER, true);

    resume_from(&bed, MIRROR_DATA(0));
    mend(&bed, "anew, to resume Windows from Disk 1 Partition 4");
    bed = begin(*state, STORE_LOADER, true);
    resume_from(&bed, NO_INDEX);
    mend(&bed, "anew, to resume Windows from Disk 1 Partition 4");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mirror_set_up, mirror_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(store_as_windows_makes_it_has_nothing_odd),
        TEST(names_that_lead_nowhere_are_told_of),
        TEST(many_names_are_cut_short),
        TEST(settings_that_were_left_behind_are_told_of),
        TEST(recovery_that_cannot_start_is_told_of),
        TEST(resumption_from_elsewhere_is_told_of),
        TEST(order_for_the_next_start_is_followed),
        TEST(loader_that_is_no_program_for_the_machine_does_not_start),
        TEST(lists_lose_what_is_not_there),
        TEST(default_becomes_what_is_started_without_it),
        TEST(nothing_is_resumed_that_is_not_there),
        TEST(order_for_the_next_start_that_leads_elsewhere_goes),
        TEST(hibernated_windows_is_resumed_from_the_own_disk),
        cmocka_unit_test(every_finding_about_entries_was_met),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
