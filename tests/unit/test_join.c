/* One plan of two, the second of which is for what the first makes of the machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "plan/join.h"
#include "plan/project.h"
#include "unit/mirror_fixture.h"

#define NEW_GUID "0e3a0000-1111-4000-8000-00000000000e"
#define ESP_LBA  2048u
#define ESP_SIZE 204800u
#define SETTINGS "\\EFI\\settings"

struct pair {
    struct mirror *mirror;
    struct plan first;
    struct machine then;
    struct plan later;
};

static struct pair begin(struct mirror *mirror)
{
    struct pair pair = {.mirror = mirror};

    plan_init(&pair.first, &mirror->arena, &mirror->machine);
    return pair;
}

/* The first plan is made. */
static void go_on(struct pair *pair)
{
    assert_int_equal(project_machine(&pair->mirror->arena, &pair->first, &pair->then), ST_OK);
    plan_init(&pair->later, &pair->mirror->arena, &pair->then);
}

static enum status join(struct pair *pair, struct plan *ret_plan)
{
    assert_int_equal(pair->first.status, ST_OK);
    assert_int_equal(pair->later.status, ST_OK);
    return plan_join(&pair->first, &pair->later, ret_plan);
}

static struct plan joined(struct pair *pair)
{
    struct plan plan;

    assert_int_equal(join(pair, &plan), ST_OK);
    assert_ptr_equal(plan.machine, &pair->mirror->machine);
    return plan;
}

static void assert_sequence(const struct plan *plan, const char *const *texts, size_t count)
{
    assert_int_equal(plan->count, count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(plan->actions[i].text, texts[i]);
}

/* --- Variables -------------------------------------------------------------------------------- */

static void set(struct plan *plan, const char *name, uint8_t low, const char *text)
{
    uint8_t *data = arena_alloc(plan->arena, 1, 2);

    assert_non_null(data);
    data[0] = low;
    data[1] = 0;
    plan_set_variable(plan, name, 7, span_of(data, 2), text);
}

static void variable_is_changed_once_and_from_what_it_is_now(void **state)
{
    struct mirror *mirror = *state;
    struct pair pair = begin(mirror);

    set(&pair.first, "BootOrder", 1, "first order");
    go_on(&pair);
    set(&pair.later, "BootOrder", 0, "later order");
    struct plan plan = joined(&pair);
    assert_sequence(&plan, (const char *[]){"later order"}, 1);
    struct variable_state now = machine_variable(&mirror->machine, "BootOrder");
    struct sha256 digest = sha256_of(now.value);
    assert_true(plan.actions[0].expect_present);
    assert_true(sha256_equal(&plan.actions[0].expect_digest, &digest));
    assert_int_equal(plan.actions[0].data.at[0], 0);
}

static void what_is_made_and_deleted_again_is_no_change(void **state)
{
    struct pair pair = begin(*state);

    set(&pair.first, "Boot0007", 1, "create");
    go_on(&pair);
    plan_delete_variable(&pair.later, "Boot0007", "delete");
    assert_int_equal(joined(&pair).count, 0);
}

/* New entries, BootOrder, what only starts by them, and deletions last. */
static void later_disks_come_behind_the_entries_they_may_start_by(void **state)
{
    struct pair pair = begin(*state);
    const struct disk_change table[] = {{.kind = DISK_CHANGE_GPT, .disk = 0, .esp = NO_INDEX},
                                        {.kind = DISK_CHANGE_GPT, .disk = 1, .esp = NO_INDEX}};

    plan_change_disk(&pair.first, &table[0], "table 0");
    set(&pair.first, "Boot0007", 1, "create 7");
    set(&pair.first, "BootOrder", 7, "order");
    plan_delete_variable(&pair.first, "Boot0001", "delete 1");
    go_on(&pair);
    plan_change_disk(&pair.later, &table[1], "table 1");
    set(&pair.later, "Boot0008", 1, "create 8");
    set(&pair.later, "BootOrder", 8, "later order");
    struct plan plan = joined(&pair);
    assert_sequence(
        &plan,
        (const char *[]){"table 0", "create 7", "create 8", "later order", "table 1", "delete 1"},
        6);
}

/* What the firmware writes to its file with each variable was not known when the disks were worked out. */
static void disks_come_first_where_variables_lie_on_one(void **state)
{
    struct mirror *mirror = *state;
    struct pair pair = begin(mirror);
    const struct disk_change tables[] = {{.kind = DISK_CHANGE_GPT, .disk = 0, .esp = NO_INDEX},
                                         {.kind = DISK_CHANGE_GPT, .disk = 1, .esp = NO_INDEX}};

    mirror->machine.firmware.vendor = "Das U-Boot";
    set(&pair.first, "Boot0007", 1, "create 7");
    plan_change_disk(&pair.first, &tables[0], "table 0");
    go_on(&pair);
    plan_change_disk(&pair.later, &tables[1], "table 1");
    set(&pair.later, "BootOrder", 8, "order");
    struct plan plan = joined(&pair);
    assert_sequence(&plan, (const char *[]){"table 0", "table 1", "create 7", "order"}, 4);
}

/* --- Files ------------------------------------------------------------------------------------ */

static struct file_copy copy_of(const struct machine *machine, size_t esp, const char *path)
{
    size_t file = fat_find(&machine->esps[esp].report, path);

    assert_int_not_equal(file, FAT_NO_FILE);
    return (struct file_copy){
        .path = path, .size = machine->esps[esp].report.files[file].size, .esp = esp, .file = file};
}

/* One file from an ESP to another. */
static void bring_as(struct plan *plan, enum disk_change_kind kind, size_t to,
                     const struct file_copy *item)
{
    struct disk_change change = {
        .kind = kind,
        .disk = to,
        .first_lba = ESP_LBA,
        .block_count = ESP_SIZE,
        .format = {.type = FAT_32, .label = ""},
        .files = {arena_copy(plan->arena, item, sizeof(*item)), 1},
        .esp =
            kind == DISK_CHANGE_FILES ? machine_find_esp(plan->machine, MIRROR_ESP(to)) : NO_INDEX,
    };

    plan_change_disk(plan, &change, kind == DISK_CHANGE_FILES ? "bring" : "format");
}

static void bring(struct plan *plan, const char *path, size_t from, size_t to)
{
    struct file_copy item = copy_of(plan->machine, from, path);

    bring_as(plan, DISK_CHANGE_FILES, to, &item);
}

/* Room for some files. */
static void make_room(struct mirror *mirror, size_t esp)
{
    mirror->esps[esp].volume.cluster_size = 4096;
    mirror->esps[esp].report.free_clusters = 1000;
}

static void what_was_brought_is_taken_from_where_it_came_from(void **state)
{
    struct mirror *mirror = *state;
    struct pair pair = begin(mirror);

    mirror_add_disk(mirror, DISK_AHCI);
    mirror_add_file(mirror, 2, SETTINGS, 1000, 's');
    bring(&pair.first, SETTINGS, 2, 0);
    go_on(&pair);
    bring(&pair.later, SETTINGS, 0, 1);
    struct plan plan = joined(&pair);
    assert_int_equal(plan.count, 2);
    const struct disk_change *change = plan.actions[1].change;
    assert_int_equal(change->disk, 1);
    assert_int_equal(change->esp, 1);
    assert_int_equal(change->files.items[0].esp, 2);
    assert_int_equal(change->files.items[0].file, mirror_file(mirror, 2, SETTINGS));
    assert_non_null(strstr(plan.actions[1].text, "from Disk 2 Partition 1"));
}

/* A second change of one file system would not know of the first. */
static void files_of_one_file_system_are_brought_at_once(void **state)
{
    struct mirror *mirror = *state;
    struct pair pair = begin(mirror);

    mirror_add_file(mirror, 0, SETTINGS, 1000, 's');
    make_room(mirror, 1);
    bring(&pair.first, SETTINGS, 0, 1);
    go_on(&pair);
    bring(&pair.later, MIRROR_MEMTEST, 0, 1);
    struct plan plan = joined(&pair);
    assert_int_equal(plan.count, 1);
    assert_int_equal(plan.actions[0].change->files.count, 2);
    assert_non_null(strstr(plan.actions[0].text, "bring 2 files"));
    assert_non_null(strstr(plan.actions[0].text, SETTINGS ", " MIRROR_MEMTEST));
    assert_int_equal(pair.first.actions[0].change->files.count, 1);
}

static void file_that_both_bring_is_the_later_one(void **state)
{
    struct mirror *mirror = *state;
    struct pair pair = begin(mirror);

    mirror_add_disk(mirror, DISK_AHCI);
    make_room(mirror, 1);
    bring(&pair.first, MIRROR_MEMTEST, 0, 1);
    go_on(&pair);
    bring(&pair.later, MIRROR_MEMTEST, 2, 1);
    struct plan plan = joined(&pair);
    assert_int_equal(plan.count, 1);
    assert_int_equal(plan.actions[0].change->files.count, 1);
    assert_int_equal(plan.actions[0].change->files.items[0].esp, 2);
}

/* Blocks of a file are only written where it holds what the plan knows of; a change beside others
 * writes it anew. */
static void file_that_would_stay_is_written_anew_beside_others(void **state)
{
    static const uint8_t before[4096], after[4096] = {1};
    struct mirror *mirror = *state;
    struct pair pair = begin(mirror);
    struct file_copy item = {.path = MIRROR_STORE,
                             .size = sizeof(after),
                             .esp = NO_INDEX,
                             .content = span_of(after, sizeof(after)),
                             .before = span_of(before, sizeof(before))};

    mirror_add_file(mirror, 0, SETTINGS, 1000, 's');
    make_room(mirror, 1);
    bring(&pair.first, SETTINGS, 0, 1);
    go_on(&pair);
    bring_as(&pair.later, DISK_CHANGE_FILES, 1, &item);
    struct plan plan = joined(&pair);
    assert_int_equal(plan.count, 1);
    assert_int_equal(plan.actions[0].change->files.count, 2);
    assert_int_equal(plan.actions[0].change->files.items[1].before.size, 0);
    assert_int_equal(plan.actions[0].change->files.items[1].content.size, sizeof(after));
}

static void files_that_do_not_fit_beside_the_others_are_not_joined(void **state)
{
    struct mirror *mirror = *state;
    struct pair pair = begin(mirror);
    struct plan plan;

    mirror_add_file(mirror, 0, SETTINGS, 4096, 's');
    make_room(mirror, 1);
    mirror->esps[1].report.free_clusters = 1;
    bring(&pair.first, SETTINGS, 0, 1);
    go_on(&pair);
    bring(&pair.later, MIRROR_MEMTEST, 0, 1);
    assert_int_equal(join(&pair, &plan), ST_UNSUPPORTED);
}

static void file_system_is_made_with_the_later_files_in_it(void **state)
{
    struct mirror *mirror = *state;
    struct pair pair = begin(mirror);

    mirror_add_file(mirror, 0, "\\settings", 1000, 's');
    mirror_add_file(mirror, 1, "\\own", 1000, 'o');
    struct file_copy item = copy_of(&mirror->machine, 0, "\\settings");
    bring_as(&pair.first, DISK_CHANGE_FORMAT, 1, &item);
    go_on(&pair);
    item.path = "\\more";
    item.file = fat_find(&pair.then.esps[0].report, "\\settings");
    bring_as(&pair.later, DISK_CHANGE_FILES, 1, &item);
    struct plan plan = joined(&pair);
    assert_int_equal(plan.count, 1);
    assert_int_equal(plan.actions[0].change->kind, DISK_CHANGE_FORMAT);
    assert_int_equal(plan.actions[0].change->files.count, 2);
    assert_int_equal(plan.actions[0].change->esp, NO_INDEX);
    assert_non_null(strstr(plan.actions[0].text, "format; bring 1 file, "));
}

/* It is read before it is gone. */
static void file_system_that_is_made_anew_keeps_what_the_later_plan_wants(void **state)
{
    struct mirror *mirror = *state;
    struct pair pair = begin(mirror);

    mirror_add_disk(mirror, DISK_AHCI);
    mirror_add_file(mirror, 0, "\\settings", 1000, 's');
    mirror_add_file(mirror, 1, "\\own", 1000, 'o');
    make_room(mirror, 2);
    struct file_copy item = copy_of(&mirror->machine, 1, "\\own");
    bring_as(&pair.first, DISK_CHANGE_FILES, 2, &item);
    item = copy_of(&mirror->machine, 0, "\\settings");
    bring_as(&pair.first, DISK_CHANGE_FORMAT, 1, &item);
    go_on(&pair);
    item = copy_of(&pair.then, 2, "\\own");
    bring_as(&pair.later, DISK_CHANGE_FILES, 1, &item);
    struct plan plan = joined(&pair);
    assert_int_equal(plan.count, 2);
    assert_int_equal(plan.actions[1].change->kind, DISK_CHANGE_FORMAT);
    assert_int_equal(plan.actions[1].change->files.items[1].esp, 1);
    assert_int_equal(plan.actions[1].change->esp, 1);
}

static void file_system_that_gets_files_is_not_made_anew(void **state)
{
    struct pair pair = begin(*state);
    struct plan plan;

    bring(&pair.first, MIRROR_MEMTEST, 0, 1);
    go_on(&pair);
    struct file_copy item = copy_of(&pair.then, 0, MIRROR_MEMTEST);
    bring_as(&pair.later, DISK_CHANGE_FORMAT, 1, &item);
    assert_int_equal(join(&pair, &plan), ST_UNSUPPORTED);
}

/* I3: what is taken from Disk 0 has to be there still. */
static void file_is_taken_before_another_takes_its_place(void **state)
{
    struct mirror *mirror = *state;
    struct pair pair = begin(mirror);

    mirror_add_disk(mirror, DISK_AHCI);
    mirror_add_file(mirror, 0, SETTINGS, 1000, 's');
    make_room(mirror, 0);
    bring(&pair.first, MIRROR_MEMTEST, 2, 0);
    bring(&pair.first, SETTINGS, 0, 1);
    go_on(&pair);
    struct file_copy item = copy_of(&pair.then, 2, MIRROR_MEMTEST);
    item.path = SETTINGS;
    bring_as(&pair.later, DISK_CHANGE_FILES, 0, &item);
    struct plan plan = joined(&pair);
    assert_int_equal(plan.count, 2);
    assert_int_equal(plan.actions[0].change->disk, 1);
    assert_int_equal(plan.actions[1].change->disk, 0);
    assert_int_equal(plan.actions[1].change->files.count, 2);
}

static void files_that_change_places_are_not_joined(void **state)
{
    struct mirror *mirror = *state;
    struct pair pair = begin(mirror);
    struct plan plan;

    mirror_add_file(mirror, 0, SETTINGS, 1000, 's');
    mirror_add_file(mirror, 1, "\\own", 1000, 'o');
    make_room(mirror, 0);
    make_room(mirror, 1);
    bring(&pair.first, SETTINGS, 0, 1);
    go_on(&pair);
    struct file_copy item = copy_of(&pair.then, 1, "\\own");
    item.path = SETTINGS;
    bring_as(&pair.later, DISK_CHANGE_FILES, 0, &item);
    item = copy_of(&pair.then, 0, MIRROR_MEMTEST);
    item.path = "\\own";
    bring_as(&pair.later, DISK_CHANGE_FILES, 1, &item);
    assert_int_equal(join(&pair, &plan), ST_UNSUPPORTED);
}

/* --- Tables ----------------------------------------------------------------------------------- */

static struct gpt_slot new_esp(uint32_t slot, uint64_t first_lba)
{
    struct gpt_slot made = {.slot = slot,
                            .entry = {.unique = fixture_guid(NEW_GUID),
                                      .first_lba = first_lba,
                                      .last_lba = first_lba + 999}};

    made.entry.type = fixture_guid(TYPE_ESP);
    return made;
}

static void table_is_mended_and_changed_at_once(void **state)
{
    struct pair pair = begin(*state);
    struct gpt_slot slot = new_esp(9, 1300000);
    struct disk_change table = {
        .kind = DISK_CHANGE_GPT, .disk = 1, .gpt = {.write_mbr = true}, .esp = NO_INDEX};

    plan_change_disk(&pair.first, &table, "mend");
    go_on(&pair);
    table.gpt = (struct gpt_change){.slots = &slot, .slot_count = 1};
    plan_change_disk(&pair.later, &table, "make");
    struct plan plan = joined(&pair);
    assert_sequence(&plan, (const char *[]){"mend; make"}, 1);
    assert_true(plan.actions[0].change->gpt.write_mbr);
    assert_int_equal(plan.actions[0].change->gpt.slot_count, 1);
}

/* The second of three plans: what came behind entries stays there. */
static void tables_that_are_changed_again_leave_the_rest_in_its_turn(void **state)
{
    struct pair pair = begin(*state);
    struct gpt_slot slot = new_esp(9, 1300000);
    struct disk_change table = {.kind = DISK_CHANGE_GPT, .esp = NO_INDEX};

    for (table.disk = 0; table.disk < 2; table.disk++)
        plan_change_disk(&pair.first, &table, "mend");
    set(&pair.first, "Boot0007", 1, "create 7");
    bring(&pair.first, MIRROR_MEMTEST, 0, 1);
    go_on(&pair);
    table.gpt = (struct gpt_change){.slots = &slot, .slot_count = 1};
    for (table.disk = 0; table.disk < 2; table.disk++)
        plan_change_disk(&pair.later, &table, "make");
    struct plan plan = joined(&pair);
    assert_sequence(&plan, (const char *[]){"create 7", "bring", "mend; make", "mend; make"}, 4);
}

static void table_does_not_get_partitions_twice(void **state)
{
    struct pair pair = begin(*state);
    struct gpt_slot slots[] = {new_esp(9, 1300000), new_esp(10, 1400000)};
    struct disk_change table = {.kind = DISK_CHANGE_GPT, .disk = 1, .esp = NO_INDEX};
    struct plan plan;

    table.gpt = (struct gpt_change){.slots = &slots[0], .slot_count = 1};
    plan_change_disk(&pair.first, &table, "make");
    go_on(&pair);
    table.gpt.slots = &slots[1];
    plan_change_disk(&pair.later, &table, "make");
    assert_int_equal(join(&pair, &plan), ST_UNSUPPORTED);
}

/* --- Words ------------------------------------------------------------------------------------ */

static void what_is_left_is_what_the_later_plan_leaves(void **state)
{
    struct pair pair = begin(*state);

    set(&pair.first, "Boot0007", 1, "create 7");
    plan_warn(&pair.first, "done");
    plan_warn_of_rest(&pair.first, "not done");
    pair.first.left_out = true;
    go_on(&pair);
    set(&pair.later, "Boot0008", 1, "create 8");
    plan_warn_of_rest(&pair.later, "still not done");
    pair.later.formats = true;
    struct plan plan = joined(&pair);
    assert_int_equal(plan.warning_count, 2);
    assert_string_equal(plan.warnings[0], "done");
    assert_string_equal(plan.warnings[1], "still not done");
    assert_false(plan.left_out);
    assert_true(plan.formats);
}

static void plans_without_memory_say_so(void **state)
{
    struct mirror *mirror = *state;
    struct pair pair = begin(mirror);
    struct plan plan;

    make_room(mirror, 1);
    bring(&pair.first, MIRROR_MEMTEST, 0, 1);
    go_on(&pair);
    bring(&pair.later, MIRROR_MANAGER, 0, 1);
    size_t size = mirror->arena.size;
    for (size_t room = 0; room < 2000; room += 16) {
        size_t mark = arena_mark(&mirror->arena);
        mirror->arena.size = mark + room;
        enum status status = join(&pair, &plan);
        assert_true(status == ST_NO_MEMORY || status == ST_OK);
        arena_release(&mirror->arena, mark);
    }
    mirror->arena.size = size;
    assert_int_equal(join(&pair, &plan), ST_OK);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, mirror_set_up, mirror_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(variable_is_changed_once_and_from_what_it_is_now),
        CASE(what_is_made_and_deleted_again_is_no_change),
        CASE(later_disks_come_behind_the_entries_they_may_start_by),
        CASE(disks_come_first_where_variables_lie_on_one),
        CASE(what_was_brought_is_taken_from_where_it_came_from),
        CASE(files_of_one_file_system_are_brought_at_once),
        CASE(file_that_both_bring_is_the_later_one),
        CASE(file_that_would_stay_is_written_anew_beside_others),
        CASE(files_that_do_not_fit_beside_the_others_are_not_joined),
        CASE(file_system_is_made_with_the_later_files_in_it),
        CASE(file_system_that_is_made_anew_keeps_what_the_later_plan_wants),
        CASE(file_system_that_gets_files_is_not_made_anew),
        CASE(file_is_taken_before_another_takes_its_place),
        CASE(files_that_change_places_are_not_joined),
        CASE(table_is_mended_and_changed_at_once),
        CASE(tables_that_are_changed_again_leave_the_rest_in_its_turn),
        CASE(table_does_not_get_partitions_twice),
        CASE(what_is_left_is_what_the_later_plan_leaves),
        CASE(plans_without_memory_say_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
