/* Boot entries for ESPs that have none: cloned, set active or made, in one edit of BootOrder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "plan/esp_entries.h"
#include "unit/mirror_fixture.h"

struct wish {
    struct plan plan;
    struct guid targets[2];
    struct esp_entries_request request;
};

static void set_order(struct mirror *m, const char *numbers)
{
    uint16_t order[8];
    size_t count = 0;
    unsigned number = 0;
    int used = 0;

    while (sscanf(numbers, "%x%n", &number, &used) == 1) {
        order[count++] = (uint16_t)number;
        numbers += used;
    }
    mirror_set_order(m, order, count);
}

/* Both ESPs are targets, the first one's entries are cloned. */
static void plan_for_both(struct mirror *m, bool prune, struct wish *ret_wish)
{
    plan_init(&ret_wish->plan, &m->arena, &m->machine);
    for (size_t i = 0; i < 2; i++)
        ret_wish->targets[i] = m->partitions[MIRROR_ESP(i)].unique;
    ret_wish->request = (struct esp_entries_request){
        .source = ret_wish->targets[0],
        .targets = ret_wish->targets,
        .target_count = 2,
        .prune = prune,
    };
    assert_int_equal(plan_esp_entries(&ret_wish->plan, &ret_wish->request), ST_OK);
    assert_string_equal(ret_wish->plan.refusal, "");
    assert_int_equal(ret_wish->plan.target_disk, NO_INDEX);
}

/* Fails the test unless these are the actions' texts, without the places of partitions. */
static void expect_plan(struct mirror *m, bool prune, const char *expected)
{
    struct wish wish;
    char text[4096] = "";

    plan_for_both(m, prune, &wish);
    for (size_t i = 0; i < wish.plan.count; i++) {
        const char *own = wish.plan.actions[i].text;
        const char *brace = strchr(own, '{');
        int length = brace == NULL ? (int)strlen(own) : (int)(brace - own) - 1;
        size_t used = strlen(text);
        snprintf(text + used, sizeof(text) - used, "%.*s\n", length, own);
    }
    assert_string_equal(text, expected);
}

static void drop_shadow_entry(struct mirror *m)
{
    mirror_drop_entry(m, 1);
    set_order(m, "0");
}

static void put_shell(struct mirror *m)
{
    mirror_put_entry(
        m, &(struct fixture_entry){.number = 7, .description = "EFI Shell", .form = FIXTURE_FV});
}

/* What an action makes of an entry has to be what the fixture would write. */
static void assert_becomes(struct mirror *m, const struct action *action,
                           const struct fixture_entry *entry)
{
    struct fixture_bytes value;

    fixture_entry_value(m->host, entry, &value);
    assert_int_equal(action->data.size, value.size);
    assert_memory_equal(action->data.at, value.at, value.size);
}

/* --- Tests ---------------------------------------------------------------------------------- */

static void targets_with_entries_need_nothing(void **state)
{
    expect_plan(*state, false, "");
    expect_plan(*state, true, "");
}

static void missing_entry_is_cloned_to_the_end(void **state)
{
    struct mirror *m = *state;
    struct wish wish;
    struct fixture_entry clone = mirror_windows_entry(m, 1, 1);

    drop_shadow_entry(m);
    expect_plan(m, false,
                "create Boot0001 \"Windows Boot Manager\" from Boot0000, to start from Disk 1 "
                "Partition 1\nupdate BootOrder to 0000,0001\n");
    plan_for_both(m, false, &wish);
    clone.description = "Windows Boot Manager";
    assert_becomes(m, &wish.plan.actions[0], &clone);
    assert_int_equal(wish.plan.actions[0].source_entry, 0);
}

/* A Shell does not give way: nothing behind it is ever tried. */
static void clone_stands_behind_its_original_before_a_shell(void **state)
{
    struct mirror *m = *state;

    drop_shadow_entry(m);
    put_shell(m);
    set_order(m, "0 7");
    expect_plan(m, false,
                "create Boot0001 \"Windows Boot Manager\" from Boot0000, to start from Disk 1 "
                "Partition 1\nupdate BootOrder to 0000,0001,0007\n");
}

/* Firmware adds an entry for each whole disk at the end, where its Shell keeps it from being
 * tried. */
static void entry_of_the_firmware_for_a_whole_disk_is_not_enough(void **state)
{
    struct mirror *m = *state;
    struct fixture_entry own = {.number = 9,
                                .description = "UEFI disk",
                                .form = FIXTURE_DISK,
                                .partition = mirror_place(m, MIRROR_ESP(1)),
                                .optional = FIXTURE_AUTO_CREATED};

    drop_shadow_entry(m);
    m->partitions[MIRROR_ESP(1)].fallback_status = ST_OK;
    put_shell(m);
    mirror_put_entry(m, &own);
    set_order(m, "0 9 7");
    expect_plan(m, false,
                "create Boot0001 \"Windows Boot Manager\" from Boot0000, to start from Disk 1 "
                "Partition 1\nupdate BootOrder to 0000,0001,0009,0007\n");
    set_order(m, "0 7 9");
    expect_plan(m, false,
                "create Boot0001 \"Windows Boot Manager\" from Boot0000, to start from Disk 1 "
                "Partition 1\nupdate BootOrder to 0000,0001,0007,0009\n");
}

/* Both entries are there, and BootOrder is not. */
static void missing_order_is_written_and_nothing_is_made(void **state)
{
    struct mirror *m = *state;

    put_shell(m);
    mem_vars_drop(m->host->vars, NULL, "BootOrder");
    mirror_read_entries(m);
    expect_plan(m, true, "create BootOrder: 0000,0001,0007\n");
    set_order(m, "42");
    expect_plan(m, true, "update BootOrder to 0000,0001,0007\n");
}

/* A disk that nobody asks about starts by its removable-media path: a Shell in BootOrder would keep
 * it from that. */
static void missing_order_names_no_shell_before_a_disk_without_entry(void **state)
{
    struct mirror *m = *state;

    put_shell(m);
    size_t disk = mirror_add_disk(m, DISK_AHCI);
    mem_vars_drop(m->host->vars, NULL, "BootOrder");
    mirror_read_entries(m);
    expect_plan(m, true, "create BootOrder: 0000,0001\n");
    mirror_drop_file(m, disk, MIRROR_FALLBACK);
    expect_plan(m, true, "create BootOrder: 0000,0001,0007\n");
}

/* The firmware has put its own into BootOrder and left ours out. */
static void entry_outside_boot_order_is_put_in_and_nothing_is_made(void **state)
{
    struct mirror *m = *state;

    put_shell(m);
    set_order(m, "7");
    expect_plan(m, true, "update BootOrder to 0000,0001,0007\n");
    set_order(m, "0");
    expect_plan(m, true, "update BootOrder to 0000,0001\n");
}

static void new_entries_tell_their_disk_when_asked_for(void **state)
{
    struct mirror *m = *state;
    struct wish wish;

    mirror_drop_entry(m, 0);
    mirror_drop_entry(m, 1);
    mirror_set_order(m, NULL, 0);
    plan_for_both(m, false, &wish);
    wish.request.disk_in_name = true;
    plan_init(&wish.plan, &m->arena, &m->machine);
    assert_int_equal(plan_esp_entries(&wish.plan, &wish.request), ST_OK);
    assert_non_null(strstr(wish.plan.actions[0].text, "\"Windows Boot Manager (Disk 0)\""));
    assert_non_null(strstr(wish.plan.actions[1].text, "\"Windows Boot Manager (Disk 1)\""));
}

/* The entry of a partition that is gone goes only because the plan makes one for its loader. */
static void gone_entry_goes_where_its_clone_takes_over(void **state)
{
    struct mirror *m = *state;
    struct wish wish;
    struct fixture_entry gone = mirror_windows_entry(m, 0, 0);

    gone.partition = fixture_partition_named(ARTICLE_ESP_0);
    mirror_drop_entry(m, 1);
    mirror_put_entry(m, &gone);
    set_order(m, "0");
    plan_for_both(m, true, &wish);
    assert_string_equal(wish.plan.actions[wish.plan.count - 1].text,
                        "delete Boot0000 \"Windows Boot Manager\"");
    wish.request.target_count = 0;
    plan_init(&wish.plan, &m->arena, &m->machine);
    assert_int_equal(plan_esp_entries(&wish.plan, &wish.request), ST_OK);
    assert_int_equal(wish.plan.count, 0);
    assert_int_equal(wish.plan.warning_count, 1);
}

static void wiped_nvram_gets_an_entry_for_each_before_a_shell(void **state)
{
    struct mirror *m = *state;
    struct wish wish;
    struct fixture_entry made = mirror_windows_entry(m, 0, 0);

    mirror_drop_entry(m, 0);
    mirror_drop_entry(m, 1);
    put_shell(m);
    set_order(m, "7");
    expect_plan(m, false,
                "create Boot0000 \"Windows Boot Manager\", to start " MIRROR_MANAGER
                " from Disk 0 Partition 1\n"
                "create Boot0001 \"Windows Boot Manager\", to start " MIRROR_MANAGER
                " from Disk 1 Partition 1\nupdate BootOrder to 0000,0001,0007\n");
    plan_for_both(m, false, &wish);
    made.optional = FIXTURE_NONE;
    assert_becomes(m, &wish.plan.actions[0], &made);
}

static bool is_warned(const struct plan *plan, const char *text)
{
    for (size_t i = 0; i < plan->warning_count; i++) {
        if (strstr(plan->warnings[i], text) != NULL)
            return true;
    }
    return false;
}

static bool makes_entries(const struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (strstr(plan->actions[i].text, "create Boot0") != NULL)
            return true;
    }
    return false;
}

static void wipe_all(struct mirror *m)
{
    for (uint16_t i = 0; i < 2; i++) {
        mirror_drop_entry(m, i);
        mirror_drop_file(m, i, "\\EFI\\Microsoft");
    }
    mirror_set_order(m, NULL, 0);
}

/* It may be anything: an entry for it would only make it look like the system's own. */
static void removable_media_file_alone_is_offered(void **state)
{
    struct mirror *m = *state;
    struct wish wish;

    wipe_all(m);
    plan_for_both(m, false, &wish);
    assert_false(makes_entries(&wish.plan));
    assert_true(wish.plan.left_out);
    assert_true(is_warned(&wish.plan, "\" -d \"UEFI OS\""));
    assert_true(is_warned(&wish.plan, MIRROR_FALLBACK));
}

static void one_boot_manager_gets_an_entry(void **state)
{
    struct mirror *m = *state;

    wipe_all(m);
    mirror_add_file(m, 0, "\\EFI\\debian", 0, 0);
    mirror_add_file(m, 0, MIRROR_SHIM, 10, 's');
    mirror_add_file(m, 0, "\\EFI\\debian\\grubx64.efi", 10, 'g');
    mirror_drop_file(m, 1, MIRROR_FALLBACK);
    m->partitions[MIRROR_ESP(1)].fallback_status = ST_ABSENT;
    expect_plan(m, false,
                "create Boot0000 \"debian\", to start " MIRROR_SHIM
                " from Disk 0 Partition 1\nupdate BootOrder to 0000\n");
}

/* Which one is meant nobody can tell: none is made, and the lines for both are there to type. */
static void several_boot_managers_are_offered(void **state)
{
    struct mirror *m = *state;
    struct wish wish;

    wipe_all(m);
    for (size_t i = 0; i < 2; i++) {
        mirror_add_file(m, i, "\\EFI\\debian", 0, 0);
        mirror_add_file(m, i, MIRROR_SHIM, 10, 's');
        mirror_add_file(m, i, "\\EFI\\debian\\grubx64.efi", 10, 'g');
        mirror_add_file(m, i, "\\EFI\\fedora", 0, 0);
        mirror_add_file(m, i, "\\EFI\\fedora\\grubx64.efi", 11, 'h');
    }
    plan_for_both(m, false, &wish);
    assert_false(makes_entries(&wish.plan));
    assert_true(is_warned(&wish.plan, "\"" MIRROR_SHIM "\" -d \"debian\""));
    assert_true(is_warned(&wish.plan, "\"\\EFI\\fedora\\grubx64.efi\" -d \"fedora\""));
}

/* A tester on the target's ESP starts no system, so its entry serves nobody. */
static void entry_for_a_tool_does_not_count(void **state)
{
    struct mirror *m = *state;
    struct fixture_entry tool = mirror_windows_entry(m, 1, 1);

    mirror_add_file(m, 1, "\\EFI\\memtest86.efi", 10, 'x');
    tool.file = "\\EFI\\memtest86.efi";
    tool.optional = FIXTURE_NONE;
    mirror_put_entry(m, &tool);
    expect_plan(m, false,
                "create Boot0002 \"Windows Boot Manager\" from Boot0000, to start from Disk 1 "
                "Partition 1\nupdate BootOrder to 0000,0002,0001\n");
}

static void inactive_entry_is_set_active(void **state)
{
    struct mirror *m = *state;
    struct wish wish;
    struct fixture_entry entry = mirror_windows_entry(m, 1, 1);

    entry.inactive = true;
    mirror_put_entry(m, &entry);
    expect_plan(m, false,
                "set Boot0001 \"Boot Mirror\" active, to start from Disk 1 Partition 1\n");
    plan_for_both(m, false, &wish);
    entry.inactive = false;
    assert_becomes(m, &wish.plan.actions[0], &entry);
    assert_true(wish.plan.actions[0].expect_present);
}

/* The clone of an entry that is set active is active too. */
static void clone_of_an_inactive_original_is_active(void **state)
{
    struct mirror *m = *state;
    struct wish wish;
    struct fixture_entry original = mirror_windows_entry(m, 0, 0);

    drop_shadow_entry(m);
    original.inactive = true;
    mirror_put_entry(m, &original);
    plan_for_both(m, false, &wish);
    assert_int_equal(wish.plan.count, 3);
    assert_int_equal(wish.plan.actions[1].data.at[0] & 1, 1);
}

/* An original that somebody has switched off beside one that works stays the primary's affair. */
static void inactive_entries_beside_active_ones_are_not_cloned(void **state)
{
    struct mirror *m = *state;
    struct fixture_entry off = mirror_windows_entry(m, 2, 0);

    drop_shadow_entry(m);
    off.file = MIRROR_MEMTEST;
    off.inactive = true;
    mirror_put_entry(m, &off);
    set_order(m, "2 0");
    expect_plan(m, false,
                "create Boot0001 \"Windows Boot Manager\" from Boot0000, to start from Disk 1 "
                "Partition 1\nupdate BootOrder to 0002,0000,0001\n");
}

static void entry_outside_boot_order_is_put_there(void **state)
{
    struct mirror *m = *state;

    set_order(m, "0");
    expect_plan(m, false, "update BootOrder to 0000,0001\n");
}

/* I5: what is deleted today because its file is gone is not made again tomorrow. */
static void nothing_is_made_for_a_file_that_is_not_there(void **state)
{
    struct mirror *m = *state;
    struct fixture_entry shim = mirror_windows_entry(m, 2, 0);

    drop_shadow_entry(m);
    shim.file = MIRROR_SHIM;
    shim.description = "debian";
    mirror_add_file(m, 0, MIRROR_SHIM, 10, 's');
    mirror_put_entry(m, &shim);
    set_order(m, "2 0");
    expect_plan(m, false,
                "create Boot0001 \"Windows Boot Manager\" from Boot0000, to start from Disk 1 "
                "Partition 1\nupdate BootOrder to 0002,0000,0001\n");
}

/* It may be the one that is looked for; for an ESP that is only just made it is not. */
static void entry_that_cannot_be_read_may_be_that_of_an_esp(void **state)
{
    struct mirror *m = *state;
    struct entry *entry = (struct entry *)(uintptr_t)&m->machine.entries[1];
    struct machine before = m->machine;
    struct wish wish;

    entry->status = ST_IO;
    entry->option.attributes = 0;
    entry->boot = (struct target){.partition = NO_INDEX, .disk = NO_INDEX};
    expect_plan(m, false, "");
    plan_for_both(m, false, &wish);
    before.partition_count = MIRROR_ESP(1);
    wish.request.now = &before;
    assert_int_equal(plan_esp_entries(&wish.plan, &wish.request), ST_OK);
    assert_int_equal(wish.plan.count, 2);
    assert_non_null(strstr(wish.plan.actions[0].text, "from Boot0000"));
}

static void damaged_esp_gets_no_entry(void **state)
{
    struct mirror *m = *state;

    drop_shadow_entry(m);
    m->esps[1].status = ST_DAMAGED;
    expect_plan(m, false, "");
}

/* The entries of a disk that is dead serve the one that has taken its place, and go. */
static void entries_of_a_partition_that_is_gone_are_cloned_and_deleted(void **state)
{
    struct mirror *m = *state;
    struct wish wish;
    struct fixture_entry dead = mirror_windows_entry(m, 0, 0);

    mirror_drop_entry(m, 1);
    dead.partition.guid = fixture_guid("dead0000-0000-4000-8000-000000000001");
    mirror_put_entry(m, &dead);
    set_order(m, "0");
    plan_init(&wish.plan, &m->arena, &m->machine);
    wish.targets[0] = m->partitions[MIRROR_ESP(1)].unique;
    wish.request = (struct esp_entries_request){
        .source = dead.partition.guid, .targets = wish.targets, .target_count = 1, .prune = true};
    assert_int_equal(plan_esp_entries(&wish.plan, &wish.request), ST_OK);
    assert_int_equal(wish.plan.count, 3);
    assert_non_null(strstr(wish.plan.actions[0].text, "create Boot0001 \"Windows Boot Manager\""));
    assert_string_equal(wish.plan.actions[1].text, "update BootOrder to 0001");
    assert_string_equal(wish.plan.actions[2].text, "delete Boot0000 \"Windows Boot Manager\"");
}

/* Number, start and size of a partition belong to an entry: firmware may go by them. */
static void entry_with_another_place_is_joined_by_a_right_one(void **state)
{
    struct mirror *m = *state;
    struct fixture_entry moved = mirror_windows_entry(m, 1, 1);

    moved.partition.start += 8;
    mirror_put_entry(m, &moved);
    expect_plan(m, false,
                "create Boot0002 \"Windows Boot Manager\" from Boot0000, to start from Disk 1 "
                "Partition 1\nupdate BootOrder to 0000,0001,0002\n");
}

static void damaged_boot_order_is_mended_in_the_same_edit(void **state)
{
    struct mirror *m = *state;

    drop_shadow_entry(m);
    set_order(m, "0 0 5");
    expect_plan(m, false,
                "create Boot0001 \"Windows Boot Manager\" from Boot0000, to start from Disk 1 "
                "Partition 1\nupdate BootOrder to 0000,0001\n");
}

static void pruning_is_part_of_the_edit_on_request(void **state)
{
    struct mirror *m = *state;
    struct fixture_entry twin = mirror_windows_entry(m, 5, 0);

    drop_shadow_entry(m);
    mirror_put_entry(m, &twin);
    set_order(m, "0 5");
    expect_plan(m, true,
                "create Boot0001 \"Windows Boot Manager\" from Boot0000, to start from Disk 1 "
                "Partition 1\nupdate BootOrder to 0000,0001\ndelete Boot0005 \"Windows Boot "
                "Manager\"\n");
}

static void target_that_cannot_be_served_is_a_warning(void **state)
{
    struct mirror *m = *state;
    struct wish wish;

    drop_shadow_entry(m);
    m->partitions[MIRROR_ESP(1)].overlaps = true;
    plan_for_both(m, false, &wish);
    assert_int_equal(wish.plan.count, 0);
    assert_int_equal(wish.plan.warning_count, 1);
    assert_non_null(strstr(wish.plan.warnings[0], "overlaps another partition"));
    assert_null(strstr(wish.plan.warnings[0], "Nothing was changed"));
}

/* What is not known to be missing may be there; made without an original is an entry only for what
 * is. */
static void esp_whose_list_is_cut_short_gets_a_clone(void **state)
{
    struct mirror *m = *state;

    drop_shadow_entry(m);
    mirror_drop_files(m, 1);
    m->esps[1].report.complete = false;
    m->esps[1].report.listed = false;
    m->partitions[MIRROR_ESP(1)].fallback_status = ST_ABSENT;
    expect_plan(m, false,
                "create Boot0001 \"Windows Boot Manager\" from Boot0000, to start from Disk 1 "
                "Partition 1\nupdate BootOrder to 0000,0001\n");
    mirror_drop_entry(m, 0);
    mirror_set_order(m, NULL, 0);
    expect_plan(m, false,
                "create Boot0000 \"Windows Boot Manager\", to start " MIRROR_MANAGER
                " from Disk 0 Partition 1\nupdate BootOrder to 0000\n");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, mirror_set_up, mirror_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(targets_with_entries_need_nothing),
        CASE(missing_entry_is_cloned_to_the_end),
        CASE(clone_stands_behind_its_original_before_a_shell),
        CASE(entry_of_the_firmware_for_a_whole_disk_is_not_enough),
        CASE(wiped_nvram_gets_an_entry_for_each_before_a_shell),
        CASE(missing_order_is_written_and_nothing_is_made),
        CASE(missing_order_names_no_shell_before_a_disk_without_entry),
        CASE(entry_outside_boot_order_is_put_in_and_nothing_is_made),
        CASE(new_entries_tell_their_disk_when_asked_for),
        CASE(gone_entry_goes_where_its_clone_takes_over),
        CASE(removable_media_file_alone_is_offered),
        CASE(one_boot_manager_gets_an_entry),
        CASE(several_boot_managers_are_offered),
        CASE(entry_for_a_tool_does_not_count),
        CASE(inactive_entry_is_set_active),
        CASE(clone_of_an_inactive_original_is_active),
        CASE(inactive_entries_beside_active_ones_are_not_cloned),
        CASE(entry_outside_boot_order_is_put_there),
        CASE(nothing_is_made_for_a_file_that_is_not_there),
        CASE(entry_that_cannot_be_read_may_be_that_of_an_esp),
        CASE(damaged_esp_gets_no_entry),
        CASE(entries_of_a_partition_that_is_gone_are_cloned_and_deleted),
        CASE(entry_with_another_place_is_joined_by_a_right_one),
        CASE(damaged_boot_order_is_mended_in_the_same_edit),
        CASE(pruning_is_part_of_the_edit_on_request),
        CASE(target_that_cannot_be_served_is_a_warning),
        CASE(esp_whose_list_is_cut_short_gets_a_clone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
