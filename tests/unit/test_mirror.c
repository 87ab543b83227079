/* Plans of `mirror`: an entry that starts the system on a data partition through this machine's own
 * ESP, as the second half of KB 814070 makes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "plan/mirror.h"
#include "unit/plan_fixture.h"

static struct mirror_request mirror_of(const char *guid)
{
    struct mirror_request request = {.partition = fixture_guid(guid),
                                     .description = "Original Shadow drive",
                                     .template_entry = NO_INDEX};

    return request;
}

static struct fixture_entry mirrored(void)
{
    struct fixture_entry entry = {.number = 6,
                                  .description = "Original Shadow drive",
                                  .form = FIXTURE_SHORT,
                                  .partition = fixture_partition_named(RECOVERY_ESP),
                                  .file = IA64LDR,
                                  .optional = FIXTURE_WINDOWS,
                                  .os = fixture_partition_named(RECOVERY_DATA_OLD),
                                  .directory = "\\WINDOWS"};

    return entry;
}

static void expect_refusal(const struct planning *p, const char *text)
{
    if (strstr(p->plan.refusal, text) == NULL)
        fail_msg("\"%s\" is not in: %s", text, p->plan.refusal);
    assert_int_equal(p->plan.count, 0);
}

static void articles_mirror_starts_this_machines_loader(void **state)
{
    struct planning *p = *state;
    struct mirror_request request = mirror_of(RECOVERY_DATA_OLD);
    struct fixture_entry entry = mirrored();

    assert_int_equal(plan_mirror(&p->plan, &request), ST_OK);
    assert_int_equal(p->plan.count, 2);
    planning_apply(p, ST_OK);
    expect_entry(p->host, &entry);
    expect_order(p->host, "0005,0003,0000,0001,0002,0004,0006");
}

/* The running entry is the template; its options, file and directory are taken. */
static void template_is_the_running_entry(void **state)
{
    struct planning *p = *state;
    struct mirror_request request = mirror_of(RECOVERY_DATA_OLD);
    struct fixture_entry running = mirrored();

    running.number = 8;
    running.description = "Running";
    running.file = "\\EFI\\other\\ia64ldr.efi";
    running.options = "/redirect";
    running.os = fixture_partition_named(RECOVERY_DATA_NEW);
    running.directory = "\\WINNT";
    fixture_add_entry(p->host, &running);
    mem_files_put(p->host->files, 0, running.file, "x", 1);
    fixture_set_u16(p->host, "BootCurrent", 8);
    planning_rescan(p);
    assert_int_equal(plan_mirror(&p->plan, &request), ST_OK);
    planning_apply(p, ST_OK);
    running.number = 6;
    running.description = "Original Shadow drive";
    running.os = fixture_partition_named(RECOVERY_DATA_OLD);
    expect_entry(p->host, &running);
}

/* The running entry is the Shell: the first of Windows' whose boot file is here. */
static void else_the_first_windows_entry_that_starts_is_the_template(void **state)
{
    struct planning *p = *state;
    struct mirror_request request = mirror_of(RECOVERY_DATA_OLD);

    fixture_set_u16(p->host, "BootCurrent", 2);
    fixture_set_order(p->host, (const uint16_t[]){3, 4, 0, 1, 2, 5}, 6);
    planning_rescan(p);
    assert_int_equal(plan_mirror(&p->plan, &request), ST_OK);
    assert_int_equal(p->plan.actions[0].source_entry, planning_entry(p, 5));
}

static void template_can_be_named(void **state)
{
    struct planning *p = *state;
    struct mirror_request request = mirror_of(RECOVERY_DATA_OLD);

    request.template_entry = planning_entry(p, 5);
    assert_int_equal(plan_mirror(&p->plan, &request), ST_OK);
    request.template_entry = planning_entry(p, 2);
    planning_rescan(p);
    assert_int_equal(plan_mirror(&p->plan, &request), ST_REFUSED);
    expect_refusal(p, "Boot0002 is no Windows entry whose boot partition is here.");
    request.template_entry = planning_entry(p, 3);
    assert_int_equal(plan_mirror(&p->plan, &request), ST_REFUSED);
    expect_refusal(p, "Boot0003 is no Windows entry whose boot partition is here.");
}

static void without_a_template_it_is_absent(void **state)
{
    struct planning *p = *state;
    struct mirror_request request = mirror_of(RECOVERY_DATA_OLD);

    mem_files_drop(p->host->files, 0, IA64LDR);
    planning_rescan(p);
    assert_int_equal(plan_mirror(&p->plan, &request), ST_ABSENT);
    expect_refusal(p, "No Windows boot entry of this machine has its boot file here");
}

static void unknown_partition_is_absent(void **state)
{
    struct planning *p = *state;
    struct mirror_request request = mirror_of(ARTICLE_DATA_1);

    assert_int_equal(plan_mirror(&p->plan, &request), ST_ABSENT);
    expect_refusal(p, "No partition of this machine has the GUID {" ARTICLE_DATA_1 "}");
}

static void partition_that_holds_no_system_is_refused(void **state)
{
    static const char *const guids[] = {RECOVERY_ESP, RECOVERY_MSR_OLD, RECOVERY_METADATA};
    struct planning *p = *state;

    for (size_t i = 0; i < 3; i++) {
        struct mirror_request request = mirror_of(guids[i]);
        assert_int_equal(plan_mirror(&p->plan, &request), ST_REFUSED);
        expect_refusal(p, "a system lies on an LDM data or basic data partition");
    }
}

static void basic_data_partition_is_taken(void **state)
{
    struct planning *p = *state;
    struct mirror_request request = mirror_of(RECOVERY_DATA_2);

    assert_int_equal(plan_mirror(&p->plan, &request), ST_OK);
    planning_rescan(p);
    request = mirror_of(RECOVERY_DATA_NEW);
    assert_int_equal(plan_mirror(&p->plan, &request), ST_EXISTS); /* Boot0005 does that */
    expect_refusal(p, "Boot0005");
}

static void second_run_says_that_it_exists(void **state)
{
    struct planning *p = *state;
    struct mirror_request request = mirror_of(RECOVERY_DATA_OLD);

    assert_int_equal(plan_mirror(&p->plan, &request), ST_OK);
    planning_apply(p, ST_OK);
    planning_rescan(p);
    request.description = "Another name";
    assert_int_equal(plan_mirror(&p->plan, &request), ST_EXISTS);
    expect_refusal(p, "Boot0006 \"Original Shadow drive\" does that already.");
}

static void equal_entry_outside_boot_order_is_put_into_it(void **state)
{
    struct planning *p = *state;
    struct mirror_request request = mirror_of(RECOVERY_DATA_OLD);
    struct fixture_entry entry = mirrored();

    fixture_add_entry(p->host, &entry);
    planning_rescan(p);
    assert_int_equal(plan_mirror(&p->plan, &request), ST_OK);
    planning_apply(p, ST_OK);
    expect_order(p->host, "0005,0003,0000,0001,0002,0004,0006");
}

static void system_in_the_boot_store_is_unsupported(void **state)
{
    struct planning *p = planning_begin(fixture_modern_machine());
    struct mirror_request request = mirror_of(MODERN_DATA_1);

    (void)state;
    assert_int_equal(plan_mirror(&p->plan, &request), ST_UNSUPPORTED);
    expect_refusal(p, "Boot0000 takes its system from the boot store (BCD)");
    planning_end(p);
}

static void unsound_boot_order_is_damaged(void **state)
{
    struct planning *p = *state;
    struct mirror_request request = mirror_of(RECOVERY_DATA_OLD);

    mem_vars_put(p->host->vars, NULL, "BootOrder", 7, "\5\0\3", 3);
    planning_rescan(p);
    assert_int_equal(plan_mirror(&p->plan, &request), ST_DAMAGED);
    expect_refusal(p, "Mend it first");
}

#define CASE(test) \
    cmocka_unit_test_setup_teardown(test, planning_set_up_recovery, planning_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(articles_mirror_starts_this_machines_loader),
        CASE(template_is_the_running_entry),
        CASE(else_the_first_windows_entry_that_starts_is_the_template),
        CASE(template_can_be_named),
        CASE(without_a_template_it_is_absent),
        CASE(unknown_partition_is_absent),
        CASE(partition_that_holds_no_system_is_refused),
        CASE(basic_data_partition_is_taken),
        CASE(second_run_says_that_it_exists),
        CASE(equal_entry_outside_boot_order_is_put_into_it),
        cmocka_unit_test(system_in_the_boot_store_is_unsupported),
        CASE(unsound_boot_order_is_damaged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
