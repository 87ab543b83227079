/* What `repair` plans, and what a plan is told to make of the machine before it is carried out
 * (I9). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "plan/project.h"
#include "plan/prospect.h"
#include "plan/repair.h"
#include "unit/mirror_fixture.h"

#define GONE "dead0000-0000-4000-8000-000000000001"

static struct plan empty_plan(struct mirror *m)
{
    struct plan plan;

    plan_init(&plan, &m->arena, &m->machine);
    return plan;
}

static struct plan repair(struct mirror *m)
{
    const struct repair_request request = {.allow_msr = true, .allow_format = true};
    struct judgement now = mirror_judge(m);
    struct plan plan = empty_plan(m);

    assert_int_equal(plan_repair(&plan, &now, &request), ST_OK);
    assert_int_equal(plan.status, ST_OK);
    return plan;
}

static bool has_action(const struct plan *plan, const char *text)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (strstr(plan->actions[i].text, text) != NULL)
            return true;
    }
    return false;
}

static void assert_action(const struct plan *plan, const char *text)
{
    if (!has_action(plan, text))
        fail_msg("no action says \"%s\"", text);
}

static void assert_warned(const struct plan *plan, const char *text)
{
    for (size_t i = 0; i < plan->warning_count; i++) {
        if (strstr(plan->warnings[i], text) != NULL)
            return;
    }
    fail_msg("no warning says \"%s\"", text);
}

/* --- The prospect --------------------------------------------------------------------------- */

static void plan_that_takes_an_entry_away_makes_its_disk_worse(void **state)
{
    struct mirror *m = *state;
    struct judgement now = mirror_judge(m);
    struct plan plan = empty_plan(m);
    struct prospect prospect;
    static uint8_t order[] = {0, 0};

    plan_set_variable(&plan, "BootOrder", 7, span_of(order, 2), "order");
    plan_delete_variable(&plan, "Boot0001", "delete");
    assert_int_equal(prospect_find(&plan, &now, &prospect), ST_OK);
    assert_int_equal(prospect.worse, 1);
    assert_string_equal(prospect.text, "yes");
    assert_string_equal(prospect.then, "perhaps");
    assert_int_equal(prospect.hopeful, 2);
    assert_true(prospect_deletes_entries(&plan));
    assert_int_equal(plan.promise_count, 2);
    assert_string_equal(plan.promises[0].text, "yes, by Boot0000");
    assert_string_equal(plan.promises[1].verdict, "fallback");
}

static void plan_that_brings_files_and_entry_makes_a_disk_start(void **state)
{
    struct mirror *m = *state;

    mirror_drop_entry(m, 1);
    mirror_set_order(m, (const uint16_t[]){0}, 1);
    mirror_drop_file(m, 1, "\\EFI");
    struct plan plan = repair(m);
    assert_action(&plan, "bring ");
    assert_action(&plan, "create Boot0001");
    assert_int_equal(plan.promise_count, 2);
    assert_int_equal(plan.promises[1].disk, 1);
    assert_string_equal(plan.promises[1].verdict, "starts");
    assert_string_equal(plan.promises[1].text, "yes, by the new Boot0001");
}

static void put_first(struct mirror *m, const struct fixture_entry *entry)
{
    mirror_put_entry(m, entry);
    mirror_set_order(m, (const uint16_t[]){entry->number, 0, 1}, 3);
}

static struct prospect prospect_of_order(struct mirror *m, uint8_t *order, size_t count)
{
    struct judgement now = mirror_judge(m);
    struct plan plan = empty_plan(m);
    struct prospect prospect;

    plan_set_variable(&plan, "BootOrder", 7, span_of(order, 2 * count), "order");
    assert_int_equal(prospect_find(&plan, &now, &prospect), ST_OK);
    return prospect;
}

static void lose_store(struct mirror *m, size_t esp)
{
    mirror_drop_file(m, esp, MIRROR_STORE);
    m->esps[esp].store_status = ST_ABSENT;
}

/* The members start nothing, so it is another disk's system that comes up with it. */
static void plan_that_takes_the_start_from_another_disk_is_worse(void **state)
{
    struct mirror *m = *state;
    size_t disk = mirror_add_disk(m, DISK_AHCI);
    struct fixture_entry other = mirror_windows_entry(m, 2, disk);
    static uint8_t order[] = {0, 0, 2, 0, 1, 0};

    m->partitions[MIRROR_MSR(disk)].kind = PT_LDM_DATA;
    put_first(m, &other);
    assert_int_equal(prospect_of_order(m, order, 3).worse, NO_INDEX);
    for (size_t i = 0; i < 2; i++)
        lose_store(m, i);
    struct prospect prospect = prospect_of_order(m, order, 3);
    assert_int_equal(prospect.worse, 0);
    assert_string_equal(prospect.text, "another system");
    assert_string_equal(prospect.then, "no");
}

/* Disk 1 starts nothing as it is; with all disks it is not to come first. */
static void plan_that_puts_a_disk_first_that_fails_makes_the_machine_worse(void **state)
{
    struct mirror *m = *state;
    static uint8_t order[] = {1, 0, 0, 0};

    lose_store(m, 1);
    mirror_set_order(m, (const uint16_t[]){0}, 1);
    struct prospect prospect = prospect_of_order(m, order, 2);
    assert_int_equal(prospect.worse, EVERY_DISK);
    assert_string_equal(prospect_worse_name(&m->arena, &prospect),
                        "the machine with all its disks");
    assert_string_equal(prospect.text, "yes");
    assert_string_equal(prospect.then, "no");
}

/* Firmware that follows the path of a file alone finds on each disk what is brought there. */
static void file_that_an_entry_names_alone_is_not_brought_before_the_system(void **state)
{
    struct mirror *m = *state;
    struct fixture_entry entry = mirror_windows_entry(m, 2, 0);

    mirror_add_file(m, 0, "\\EFI\\arch", 0, 0);
    mirror_add_file(m, 0, "\\EFI\\arch\\grubx64.efi", 3000, 'g');
    entry.form = FIXTURE_FILE;
    entry.file = "\\EFI\\arch\\grubx64.efi";
    entry.optional = FIXTURE_NONE;
    put_first(m, &entry);
    struct plan plan = repair(m);
    for (size_t i = 0; i < plan.count; i++)
        assert_true(plan.actions[i].change == NULL || plan.actions[i].change->disk != 1);
    assert_warned(&plan, "What is to be done on Disk 1 is left out");
}

/* Where some disk starts the system that is started now, another one is not to come before it. */
static void plan_that_puts_another_system_first_makes_the_machine_worse(void **state)
{
    struct mirror *m = *state;
    size_t disk = mirror_add_disk(m, DISK_AHCI);
    struct fixture_entry other = mirror_windows_entry(m, 2, disk);
    struct system_copy *copy = &m->copies[m->machine.copy_count++];
    static uint8_t order[] = {2, 0, 0, 0, 1, 0};

    *copy = m->copies[0];
    copy->disk = disk;
    copy->partition = MIRROR_MSR(disk);
    copy->plex = NO_INDEX;
    copy->ntfs.serial = 0x9999;
    mirror_put_entry(m, &other);
    mirror_set_order(m, (const uint16_t[]){0, 1, 2}, 3);
    struct prospect prospect = prospect_of_order(m, order, 3);
    assert_int_equal(prospect.worse, EVERY_DISK);
    assert_string_equal(prospect.then, "another");
}

static void memory_of_the_prospect_is_given_back(void **state)
{
    struct mirror *m = *state;
    struct judgement now = mirror_judge(m);
    struct plan plan = empty_plan(m);
    struct prospect prospect;

    plan_delete_variable(&plan, "BootOrder", "delete");
    size_t mark = arena_mark(&m->arena);
    assert_int_equal(prospect_find(&plan, &now, &prospect), ST_OK);
    assert_true(arena_mark(&m->arena) - mark < 512);
    size_t size = m->arena.size;
    m->arena.size = arena_mark(&m->arena) + 64;
    assert_int_equal(prospect_find(&plan, &now, &prospect), ST_NO_MEMORY);
    m->arena.size = size;
}

/* --- Deletions -------------------------------------------------------------------------------- */

/* Nothing starts, and nothing will: what an entry knows may be what somebody needs. */
static void nothing_is_deleted_while_no_disk_would_start(void **state)
{
    struct mirror *m = *state;

    for (size_t i = 0; i < 2; i++) {
        mirror_drop_file(m, i, "\\EFI");
        m->partitions[MIRROR_ESP(i)].fallback_status = ST_ABSENT;
    }
    struct fixture_entry twin = mirror_windows_entry(m, 7, 0);
    mirror_put_entry(m, &twin);
    mirror_set_order(m, (const uint16_t[]){0, 7, 1}, 3);
    struct plan plan = repair(m);
    assert_false(prospect_deletes_entries(&plan));
    assert_warned(&plan, "no boot entry is deleted");
}

/* The entry of a disk that is gone knows the one name of the loader: it is cloned, then it may
 * go. */
static void loader_that_only_a_stale_entry_names_gets_entries(void **state)
{
    struct mirror *m = *state;
    struct fixture_entry old = mirror_windows_entry(m, 0, 0);

    for (size_t i = 0; i < 2; i++) {
        mirror_drop_file(m, i, "\\EFI");
        m->partitions[MIRROR_ESP(i)].fallback_status = ST_ABSENT;
        mirror_add_file(m, i, "\\EFI", 0, 0);
        mirror_add_file(m, i, "\\EFI\\own", 0, 0);
        mirror_add_file(m, i, "\\EFI\\own\\loader.efi", 3000, 'l');
    }
    mirror_make_md(m);
    mirror_drop_entry(m, 1);
    old.partition.guid = fixture_guid(GONE);
    old.file = "\\EFI\\own\\loader.efi";
    old.description = "Own";
    old.optional = FIXTURE_NONE;
    mirror_put_entry(m, &old);
    mirror_set_order(m, (const uint16_t[]){0}, 1);
    struct plan plan = repair(m);
    assert_action(&plan, "create Boot0001 \"Own\" from Boot0000, to start from Disk 0");
    assert_action(&plan, "create Boot0002 \"Own\" from Boot0000, to start from Disk 1");
    assert_string_equal(plan.actions[plan.count - 1].text, "delete Boot0000 \"Own\"");
}

/* --- Files ------------------------------------------------------------------------------------ */

/* Neither GRUB has settings, so nobody knows which of the two starts the system. */
static void what_differs_stays_where_neither_disk_is_known_to_start(void **state)
{
    struct mirror *m = *state;

    mirror_make_linux(m);
    mirror_content(m, 1, MIRROR_GRUB)->digest.bytes[0] ^= 1;
    struct plan plan = repair(m);
    assert_action(&plan, "bring 1 file");
    for (size_t i = 0; i < 2; i++)
        mirror_drop_file(m, i, MIRROR_SETTINGS);
    plan = repair(m);
    assert_false(has_action(&plan, "bring "));
}

static void files_of_the_maker_stay_where_they_are(void **state)
{
    struct mirror *m = *state;

    mirror_add_file(m, 1, "\\EFI\\HP", 0, 0);
    mirror_add_file(m, 1, "\\EFI\\HP\\rom.bin", 90000, 'r');
    mirror_add_file(m, 1, "\\FSCK0000.REC", 5000, 'f');
    mirror_add_file(m, 1, MIRROR_STORE ".old", 5000, 'o');
    struct plan plan = repair(m);
    assert_int_equal(plan.count, 0);
    mirror_drop_file(m, 0, MIRROR_MEMTEST);
    plan = repair(m);
    assert_action(&plan, MIRROR_MEMTEST);
    assert_int_equal(plan.count, 1);
    assert_int_equal(plan.actions[0].change->files.count, 1);
}

/* --- Disks that are no members ---------------------------------------------------------------- */

/* Windows Setup has put the one ESP onto the first disk it saw, which is none of the mirror. */
static void each_member_gets_an_esp_from_that_on_another_disk(void **state)
{
    struct mirror *m = *state;
    size_t third = mirror_add_disk(m, DISK_AHCI);
    struct fixture_entry entry = mirror_windows_entry(m, 0, third);

    for (size_t i = 0; i < 2; i++)
        mirror_drop_esp(m, i);
    mirror_drop_entry(m, 1);
    mirror_put_entry(m, &entry);
    mirror_set_order(m, (const uint16_t[]){0}, 1);
    struct plan plan = repair(m);
    assert_action(&plan, "make an EFI system partition of 100 MiB on Disk 0");
    assert_action(&plan, "make an EFI system partition of 100 MiB on Disk 1");
    assert_action(&plan, "update BootOrder to 0000,0001,0002");
    for (size_t i = 0; i < plan.count; i++)
        assert_true(plan.actions[i].change == NULL || plan.actions[i].change->disk != third);
    for (size_t i = 0; i < 2; i++)
        assert_string_equal(plan.promises[i].verdict, "starts");
}

/* --- What the next run would do --------------------------------------------------------------- */

static const struct disk_change *change_of(const struct plan *plan, size_t disk)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->actions[i].change != NULL && plan->actions[i].change->disk == disk)
            return plan->actions[i].change;
    }
    fail_msg("nothing is done on Disk %zu", disk);
    return NULL;
}

/* Disk 1 has nothing to give before it is formatted with what Disk 0 has. */
static void leave_one_file_system(struct mirror *m)
{
    mirror_drop_file(m, 0, MIRROR_FALLBACK);
    m->partitions[MIRROR_ESP(0)].fallback_status = ST_ABSENT;
    mirror_drop_files(m, 1);
    m->esps[1].status = ST_ABSENT;
    m->esps[0].volume.cluster_size = 4096;
    m->esps[0].report.free_clusters = 1000;
    for (size_t i = 0; i < 2; i++)
        m->partitions[MIRROR_ESP(i)].volume = i;
}

static void what_the_next_run_would_do_is_done_at_once(void **state)
{
    struct mirror *m = *state;

    leave_one_file_system(m);
    struct plan plan = repair(m);
    assert_action(&plan, "format Disk 1 Partition 1");
    const struct files_change *files = &change_of(&plan, 0)->files;
    const struct file_copy *made = &files->items[files->count - 1];
    assert_string_equal(made->path, MIRROR_FALLBACK);
    assert_int_equal(made->esp, 0);
    assert_int_equal(made->file, mirror_file(m, 0, MIRROR_MANAGER));
    struct machine later;
    assert_int_equal(project_machine(&m->arena, &plan, &later), ST_OK);
    m->machine = later;
    plan = repair(m);
    assert_int_equal(plan.count, 0);
}

/* The journal needs an ESP on a disk that nothing is done on. */
static void last_place_for_a_journal_is_left_to_another_run(void **state)
{
    struct mirror *m = *state;
    const struct repair_request request = {.allow_format = true, .keeps_esp = true};

    leave_one_file_system(m);
    struct judgement now = mirror_judge(m);
    struct plan plan = empty_plan(m);
    assert_int_equal(plan_repair(&plan, &now, &request), ST_OK);
    assert_int_equal(change_of(&plan, 1)->kind, DISK_CHANGE_FORMAT);
    for (size_t i = 0; i < plan.count; i++)
        assert_true(plan.actions[i].change == NULL || plan.actions[i].change->disk == 1);
    assert_warned(&plan, "Run the command again");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, mirror_set_up, mirror_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(plan_that_takes_an_entry_away_makes_its_disk_worse),
        CASE(plan_that_brings_files_and_entry_makes_a_disk_start),
        CASE(plan_that_takes_the_start_from_another_disk_is_worse),
        CASE(plan_that_puts_a_disk_first_that_fails_makes_the_machine_worse),
        CASE(file_that_an_entry_names_alone_is_not_brought_before_the_system),
        CASE(plan_that_puts_another_system_first_makes_the_machine_worse),
        CASE(memory_of_the_prospect_is_given_back),
        CASE(nothing_is_deleted_while_no_disk_would_start),
        CASE(loader_that_only_a_stale_entry_names_gets_entries),
        CASE(what_differs_stays_where_neither_disk_is_known_to_start),
        CASE(files_of_the_maker_stay_where_they_are),
        CASE(each_member_gets_an_esp_from_that_on_another_disk),
        CASE(what_the_next_run_would_do_is_done_at_once),
        CASE(last_place_for_a_journal_is_left_to_another_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
