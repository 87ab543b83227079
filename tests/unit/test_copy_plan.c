/* Plans of `copy` and `repair`: between which ESPs files go, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "plan/copy.h"
#include "plan/repair.h"
#include "unit/mirror_fixture.h"

static struct plan plan_for(struct mirror *m)
{
    struct plan plan;

    plan_init(&plan, &m->arena, &m->machine);
    return plan;
}

static struct copy_request all(void)
{
    return (struct copy_request){.path = "\\EFI\\Microsoft"};
}

static struct guid esp_guid(const struct mirror *m, size_t disk)
{
    return m->partitions[m->disks[disk].first_partition].unique;
}

/* --- copy ----------------------------------------------------------------------------------- */

static void expect_copy(struct mirror *m, const struct copy_request *request, size_t from,
                        size_t to)
{
    struct plan plan = plan_for(m);
    struct roles roles = mirror_roles(m);

    assert_int_equal(plan_copy(&plan, &roles, request), ST_OK);
    assert_int_equal(plan.count, 1);
    assert_int_equal(plan.actions[0].type, ACTION_CHANGE_DISK);
    const struct disk_change *change = plan.actions[0].change;
    assert_int_equal(change->kind, DISK_CHANGE_FILES);
    assert_int_equal(change->disk, to);
    assert_int_equal(change->esp, to);
    assert_int_equal(change->first_lba, 2048);
    assert_int_equal(change->block_count, 204800);
    assert_int_equal(change->files.count, 1);
    assert_string_equal(change->files.items[0].path, MIRROR_MANAGER);
    assert_int_equal(change->files.items[0].esp, from);
    assert_int_equal(plan.target_disk, to);
    assert_false(plan.formats);
}

static void expect_refusal(struct mirror *m, const struct copy_request *request, enum status status,
                           const char *text)
{
    struct plan plan = plan_for(m);
    struct roles roles = mirror_roles(m);

    assert_int_equal(plan_copy(&plan, &roles, request), status);
    assert_int_equal(plan.count, 0);
    if (strstr(plan.refusal, text) == NULL || strstr(plan.refusal, "Nothing was changed.") == NULL)
        fail_msg("\"%s\" is not in: %s", text, plan.refusal);
}

static void shadow_is_brought_up_to_the_primary(void **state)
{
    struct mirror *m = *state;
    struct copy_request request = all();
    struct plan plan = plan_for(m);
    struct roles roles = mirror_roles(m);

    mirror_drop_file(m, 1, MIRROR_MANAGER);
    expect_copy(m, &request, 0, 1);
    assert_int_equal(plan_copy(&plan, &roles, &request), ST_OK);
    assert_string_equal(
        plan.actions[0].text,
        "bring 1 file, 1.5 MiB, from Disk 0 Partition 1 {5ad00000-0000-4000-8000-000000000001} to "
        "Disk 1 Partition 1 {5ad00000-0001-4000-8000-000000000001}: " MIRROR_MANAGER);
}

static void damaged_primary_is_brought_up_to_the_shadow(void **state)
{
    struct mirror *m = *state;
    struct copy_request request = all();

    mirror_drop_file(m, 0, MIRROR_MANAGER);
    expect_copy(m, &request, 1, 0);
}

static void guids_decide_the_direction(void **state)
{
    struct mirror *m = *state;
    struct copy_request request = all();

    mirror_content(m, 1, MIRROR_MANAGER)->digest.bytes[0] = 'n';
    request.has_source = true;
    request.source = esp_guid(m, 1);
    expect_copy(m, &request, 1, 0);
    request.has_source = false;
    request.has_target = true;
    request.target = esp_guid(m, 0);
    expect_copy(m, &request, 1, 0);
}

static void copy_with_nothing_to_do_has_no_actions(void **state)
{
    struct mirror *m = *state;
    struct copy_request request = all();
    struct plan plan = plan_for(m);
    struct roles roles = mirror_roles(m);

    assert_int_equal(plan_copy(&plan, &roles, &request), ST_OK);
    assert_int_equal(plan.count, 0);
}

static void unknown_partitions_and_paths_are_absent(void **state)
{
    struct mirror *m = *state;
    struct copy_request request = all();

    request.path = "\\EFI\\grub";
    expect_refusal(m, &request, ST_ABSENT, "There is no \\EFI\\grub on Disk 0 Partition 1");
    request = all();
    request.has_source = true;
    expect_refusal(m, &request, ST_ABSENT, "No partition of this machine has the GUID");
    request = all();
    request.has_target = true;
    expect_refusal(m, &request, ST_ABSENT, "No partition of this machine has the GUID");
}

static void partitions_that_are_no_esps_are_refused(void **state)
{
    struct mirror *m = *state;
    struct copy_request request = all();

    request.has_target = true;
    request.target = m->partitions[MIRROR_DATA(1)].unique;
    expect_refusal(m, &request, ST_REFUSED, "not an EFI system partition");
    request.target = esp_guid(m, 0);
    request.has_source = true;
    request.source = esp_guid(m, 0);
    expect_refusal(m, &request, ST_USAGE, "the same partition");
}

static void unfit_targets_are_sent_to_prepare(void **state)
{
    struct mirror *m = *state;
    struct copy_request request = all();

    m->esps[1].report.problems[FAT_CHAIN_CROSSED] = 1;
    expect_refusal(m, &request, ST_REFUSED, "damaged file system. \"shadowboot prepare 1\"");
    m->esps[1].report.problems[FAT_CHAIN_CROSSED] = 0;
    m->esps[1].status = ST_ABSENT;
    expect_refusal(m, &request, ST_REFUSED, "is not formatted. \"shadowboot prepare 1\"");
    m->esps[1].status = ST_OK;
    m->disks[1].read_only = true;
    expect_refusal(m, &request, ST_READ_ONLY, "write-protected");
    mirror_drop_esp(m, 1);
    expect_refusal(m, &request, ST_ABSENT, "\"shadowboot prepare\"");
}

static void two_targets_are_a_choice(void **state)
{
    struct mirror *m = *state;
    struct copy_request request = all();

    mirror_make_plain(m);
    (void)mirror_add_disk(m, DISK_NVME);
    mirror_content(m, 2, MIRROR_MANAGER)->digest.bytes[0] = 'n';
    expect_refusal(m, &request, ST_REFUSED, "{5ad00000-0002-4000-8000-000000000001}");
    request.has_target = true;
    request.target = esp_guid(m, 2);
    struct plan plan = plan_for(m);
    struct roles roles = mirror_roles(m);
    assert_int_equal(plan_copy(&plan, &roles, &request), ST_OK);
    assert_int_equal(plan.actions[0].change->disk, 2);
}

static void target_without_room_is_refused_with_numbers(void **state)
{
    struct mirror *m = *state;
    struct copy_request request = all();

    mirror_drop_file(m, 1, MIRROR_MANAGER);
    m->esps[1].report.free_clusters = 390;
    expect_refusal(m, &request, ST_NO_SPACE, "need 1,601,536 bytes on Disk 1 Partition 1");
    expect_refusal(m, &request, ST_NO_SPACE, "1,597,440 bytes are free");
}

/* --- repair --------------------------------------------------------------------------------- */

static struct plan repair(struct mirror *m, bool allow)
{
    struct judgement judgement = mirror_judge(m);
    struct repair_request request = {.allow_msr = allow, .allow_format = allow};
    struct plan plan = plan_for(m);

    assert_int_equal(plan_repair(&plan, &judgement, &request), ST_OK);
    assert_string_equal(plan.refusal, "");
    return plan;
}

static bool does(const struct plan *plan, const char *text)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (strstr(plan->actions[i].text, text) != NULL)
            return true;
    }
    return false;
}

static bool warns(const struct plan *plan, const char *text)
{
    for (size_t i = 0; i < plan->warning_count; i++) {
        if (strstr(plan->warnings[i], text) != NULL)
            return true;
    }
    return false;
}

static const struct disk_change *change_of(const struct plan *plan, size_t disk)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->actions[i].change != NULL && plan->actions[i].change->disk == disk)
            return plan->actions[i].change;
    }
    return NULL;
}

static void healthy_machine_needs_no_repair(void **state)
{
    struct plan plan = repair(*state, true);

    assert_int_equal(plan.count, 0);
    assert_int_equal(plan.warning_count, 0);
}

static void files_and_entry_of_the_shadow_come_in_one_plan(void **state)
{
    struct mirror *m = *state;

    mirror_drop_file(m, 1, "\\EFI\\Microsoft");
    mirror_drop_entry(m, 1);
    mirror_set_order(m, (const uint16_t[]){0}, 1);
    struct plan plan = repair(m, false);
    assert_int_equal(plan.count, 3);
    assert_int_equal(change_of(&plan, 1)->files.count, 5);
    assert_true(does(&plan, "create Boot0001 \"Windows Boot Manager\" from Boot0000"));
    assert_true(does(&plan, "BootOrder to 0000,0001"));
    assert_int_equal(plan.target_disk, NO_INDEX);
}

/* Neither is copied over the other as a whole: each gets what is bad on it. */
static void two_esps_mend_each_other(void **state)
{
    struct mirror *m = *state;

    mirror_content(m, 0, MIRROR_MEMTEST)->program = PE_TRUNCATED;
    mirror_content(m, 1, MIRROR_FALLBACK)->program = PE_TRUNCATED;
    struct plan plan = repair(m, false);
    assert_int_equal(plan.count, 2);
    assert_int_equal(change_of(&plan, 0)->files.count, 1);
    assert_string_equal(change_of(&plan, 0)->files.items[0].path, MIRROR_MEMTEST);
    assert_int_equal(change_of(&plan, 1)->files.count, 1);
    assert_string_equal(change_of(&plan, 1)->files.items[0].path, MIRROR_FALLBACK);
}

/* A file that both have, each its own: the primary's comes to the shadow, and not the other way. */
static void good_files_of_the_primary_are_never_replaced(void **state)
{
    struct mirror *m = *state;

    mirror_content(m, 1, MIRROR_MEMTEST)->digest.bytes[0] = 'u';
    struct plan plan = repair(m, false);
    assert_int_equal(plan.count, 1);
    assert_non_null(change_of(&plan, 1));
}

/* The shadow's boot manager mends the primary, and what is left of the primary the shadow. */
static void esp_with_a_damaged_boot_manager_still_gives_its_store(void **state)
{
    struct mirror *m = *state;

    mirror_content(m, 0, MIRROR_MANAGER)->program = PE_TRUNCATED;
    m->esps[1].store = REGF_BAD_CHECKSUM;
    struct plan plan = repair(m, false);
    assert_string_equal(change_of(&plan, 0)->files.items[0].path, MIRROR_MANAGER);
    assert_string_equal(change_of(&plan, 1)->files.items[0].path, MIRROR_STORE);
}

static void formatting_is_left_out_where_nobody_can_be_asked(void **state)
{
    struct mirror *m = *state;

    m->esps[1].report.problems[FAT_FORM_UNUSUAL] = 1; /* firmware does not mount it */
    mirror_put_entry(m, &(struct fixture_entry){.number = 5,
                                                .description = "Twin",
                                                .form = FIXTURE_SHORT,
                                                .partition = mirror_place(m, MIRROR_ESP(0)),
                                                .file = MIRROR_MANAGER,
                                                .optional = FIXTURE_BCD,
                                                .options = FIXTURE_BOOTMGR_OBJECT});
    struct plan plan = repair(m, false);
    assert_false(plan.formats);
    assert_true(warns(&plan, "give -format"));
    assert_null(change_of(&plan, 1));
    assert_true(does(&plan, "delete Boot0005"));
    plan = repair(m, true);
    assert_true(plan.formats);
    assert_int_equal(change_of(&plan, 1)->kind, DISK_CHANGE_FORMAT);
}

static void esp_that_is_made_gets_an_entry(void **state)
{
    struct mirror *m = *state;

    mirror_drop_esp(m, 1);
    m->partitions[MIRROR_ESP(1)].kind =
        PT_LINUX_RAID; /* something else now: room has to be found */
    struct plan plan = repair(m, true);
    assert_true(plan.formats);
    assert_true(does(&plan, "delete Boot0001 \"Boot Mirror\"") ||
                does(&plan, "create Boot0002 \"Windows Boot Manager\""));
    assert_int_equal(plan.actions[0].type, ACTION_CHANGE_DISK);
}

static void what_a_disk_refuses_does_not_keep_the_rest_from_being_done(void **state)
{
    struct mirror *m = *state;

    m->disks[1].read_only = true;
    mirror_drop_file(m, 1, MIRROR_MEMTEST);
    mirror_drop_entry(m, 1);
    mirror_set_order(m, (const uint16_t[]){0}, 1);
    struct plan plan = repair(m, true);
    assert_true(warns(&plan, "Disk 1 is write-protected"));
    assert_false(warns(&plan, "Nothing was changed"));
    assert_null(change_of(&plan, 1));
    assert_true(does(&plan, "create Boot0001"));
}

static void disk_that_needs_nothing_is_not_spoken_of(void **state)
{
    struct mirror *m = *state;

    m->disks[0].has_self = true;
    m->disks[1].read_only = true;
    mirror_drop_entry(m, 1);
    mirror_set_order(m, (const uint16_t[]){0}, 1);
    struct plan plan = repair(m, true);
    assert_int_equal(plan.warning_count, 0);
    assert_true(does(&plan, "create Boot0001"));
    mirror_drop_file(m, 1, MIRROR_MEMTEST);
    plan = repair(m, true);
    assert_int_equal(plan.warning_count, 1);
    assert_true(warns(&plan, "Disk 1 is write-protected"));
}

/* Alone at night there is no other disk to start it from, and no stick. */
static void files_are_brought_to_where_the_program_was_started_from(void **state)
{
    struct mirror *m = *state;

    m->disks[0].has_self = true;
    mirror_drop_file(m, 0, MIRROR_MEMTEST);
    struct plan plan = repair(m, true);
    assert_int_equal(plan.warning_count, 0);
    assert_int_equal(change_of(&plan, 0)->kind, DISK_CHANGE_FILES);
    /* ... but its partition table stays under it, and its file system. */
    m->disks[0].backup.problem = GPT_BAD_ARRAY_CRC;
    plan = repair(m, true);
    assert_true(warns(&plan, "Disk 0 carries the volume"));
    assert_int_equal(change_of(&plan, 0)->kind, DISK_CHANGE_FILES);
    m->esps[0].status = ST_DAMAGED;
    plan = repair(m, true);
    assert_true(warns(&plan, "Disk 0 carries the volume"));
    assert_null(change_of(&plan, 0));
}

/* I1 */
static void esp_that_its_disk_starts_from_is_not_formatted(void **state)
{
    struct mirror *m = *state;

    m->esps[1].report.problems[FAT_CHAIN_CROSSED] = 1;
    m->disks[1].backup.problem = GPT_BAD_ARRAY_CRC;
    struct plan plan = repair(m, true);
    assert_false(plan.formats);
    assert_true(warns(&plan, "\"shadowboot prepare 1\" makes the file system anew"));
    assert_int_equal(change_of(&plan, 1)->kind, DISK_CHANGE_GPT);
    mirror_drop_file(m, 1, MIRROR_MANAGER); /* the fallback is left to start from */
    plan = repair(m, true);
    assert_false(plan.formats);
    mirror_drop_file(m, 1, MIRROR_FALLBACK);
    plan = repair(m, true);
    assert_true(plan.formats);
}

/* What is a program for another machine is not what the others are to start from. */
static void programs_of_no_use_are_replaced_and_not_brought(void **state)
{
    static const char *const paths[] = {MIRROR_MANAGER, MIRROR_FALLBACK};

    (void)state;
    for (size_t disk = 0; disk < 2; disk++) {
        for (size_t i = 0; i < 2; i++) {
            struct mirror *m = mirror_new();
            mirror_content(m, disk, paths[i])->program = i == 0 ? PE_NOT_EFI : PE_OTHER_MACHINE;
            mirror_content(m, disk, paths[i])->digest.bytes[0] = 'x';
            struct plan plan = repair(m, true);
            assert_null(change_of(&plan, 1 - disk));
            assert_int_equal(change_of(&plan, disk)->files.count, 1);
            assert_string_equal(change_of(&plan, disk)->files.items[0].path, paths[i]);
            mirror_free(m);
        }
    }
}

/* A disk that is only unplugged comes back. */
static void entries_of_a_missing_disk_are_kept(void **state)
{
    struct mirror *m = *state;

    mirror_lose_disk_1(m);
    mirror_read_entries(m);
    struct plan plan = repair(m, true);
    assert_int_equal(plan.count, 0);
    assert_int_equal(plan.warning_count, 1);
    assert_true(warns(&plan, "Entries whose partition may be on it are kept"));
}

static void machine_without_members_has_nothing_to_go_by(void **state)
{
    struct mirror *m = *state;
    struct repair_request request = {.allow_format = true};
    struct plan plan = plan_for(m);
    struct judgement judgement = {.state = MACHINE_UNKNOWN_DISKS};

    assert_int_equal(plan_repair(&plan, &judgement, &request), ST_ABSENT);
    assert_non_null(strstr(plan.refusal, "Nothing was changed."));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, mirror_set_up, mirror_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(shadow_is_brought_up_to_the_primary),
        CASE(damaged_primary_is_brought_up_to_the_shadow),
        CASE(guids_decide_the_direction),
        CASE(copy_with_nothing_to_do_has_no_actions),
        CASE(unknown_partitions_and_paths_are_absent),
        CASE(partitions_that_are_no_esps_are_refused),
        CASE(unfit_targets_are_sent_to_prepare),
        CASE(two_targets_are_a_choice),
        CASE(target_without_room_is_refused_with_numbers),
        CASE(healthy_machine_needs_no_repair),
        CASE(files_and_entry_of_the_shadow_come_in_one_plan),
        CASE(two_esps_mend_each_other),
        CASE(good_files_of_the_primary_are_never_replaced),
        CASE(esp_with_a_damaged_boot_manager_still_gives_its_store),
        CASE(formatting_is_left_out_where_nobody_can_be_asked),
        CASE(esp_that_is_made_gets_an_entry),
        CASE(what_a_disk_refuses_does_not_keep_the_rest_from_being_done),
        CASE(disk_that_needs_nothing_is_not_spoken_of),
        CASE(files_are_brought_to_where_the_program_was_started_from),
        CASE(esp_that_its_disk_starts_from_is_not_formatted),
        CASE(programs_of_no_use_are_replaced_and_not_brought),
        CASE(entries_of_a_missing_disk_are_kept),
        CASE(machine_without_members_has_nothing_to_go_by),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
