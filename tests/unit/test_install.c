/* This program on the machine's ESPs: what is found of it, how judges take it, and the plans that put
 * it there and take it back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "audit/installed.h"
#include "plan/clone.h"
#include "plan/install.h"
#include "unit/finding_fixture.h"
#include "unit/mirror_fixture.h"

#define OWN        "\\EFI\\shadowboot\\shadowbootx64.efi"
#define V(a, b, c) ((uint32_t)(a) << 20 | (uint32_t)(b) << 10 | (uint32_t)(c))

static const uint8_t image[] = "the running program";

/* Puts a sound copy of the program at `path`. */
static void put_program(struct mirror *mirror, size_t esp, const char *path, uint32_t version)
{
    if (strcmp(path, OWN) == 0)
        (void)mirror_add_file(mirror, esp, "\\EFI\\shadowboot", 0, 0);
    (void)mirror_add_file(mirror, esp, path, 1000 + version % 100, (uint8_t)(version % 250 + 1));
    struct file_content *content = mirror_content(mirror, esp, path);
    content->mark = PE_MARK_SHADOWBOOT;
    content->version = version;
}

static void put_entry(struct mirror *mirror, uint16_t number, size_t disk)
{
    struct fixture_entry entry = {.number = number,
                                  .description = "shadowboot",
                                  .form = FIXTURE_SHORT,
                                  .partition = mirror_place(mirror, MIRROR_ESP(disk)),
                                  .file = OWN};

    mirror_put_entry(mirror, &entry);
}

/* As `install` leaves it: both ESPs, Boot0002 for Disk 1, Boot0003 for Disk 0. */
static void install_all(struct mirror *mirror)
{
    put_program(mirror, 0, OWN, V(0, 1, 0));
    put_program(mirror, 1, OWN, V(0, 1, 0));
    put_entry(mirror, 2, 1);
    put_entry(mirror, 3, 0);
    mirror_set_order(mirror, (const uint16_t[]){0, 1, 2, 3}, 4);
}

static void lose_file(struct mirror *mirror)
{
    install_all(mirror);
    mirror_drop_entry(mirror, 2);
    mirror_set_order(mirror, (const uint16_t[]){0, 1, 3}, 3);
    mirror_drop_file(mirror, 1, OWN);
}

/* The entry is `install`'s to keep: it is no entry of a system whose files are to be brought. */
static void lose_file_alone(struct mirror *mirror)
{
    install_all(mirror);
    mirror_drop_file(mirror, 1, OWN);
    mirror->machine.entries[2].boot.file_status = ST_ABSENT;
}

static void damage_file(struct mirror *mirror)
{
    install_all(mirror);
    mirror_content(mirror, 1, OWN)->program = PE_TRUNCATED;
}

static void lose_entry(struct mirror *mirror)
{
    install_all(mirror);
    mirror_drop_entry(mirror, 2);
    mirror_set_order(mirror, (const uint16_t[]){0, 1, 3}, 3);
}

/* `order` would put it before all others; install knows its place. */
static void lose_place(struct mirror *mirror)
{
    install_all(mirror);
    mirror_set_order(mirror, (const uint16_t[]){0, 1, 3}, 3);
}

static void be_older(struct mirror *mirror)
{
    install_all(mirror);
    mirror_content(mirror, 0, OWN)->version = V(0, 1, 1);
}

static void what_is_missing_is_found(void **state)
{
    static const struct mirror_case cases[] = {
        {install_all, ""},
        {lose_file, "install-missing @ Disk 1 Partition 1\n"},
        {lose_file_alone, "install-file-gone @ Boot0002 " OWN " on Disk 1 Partition 1.\n"},
        {lose_entry, "install-no-entry @ Disk 1 Partition 1\n"},
        {lose_place, "install-no-entry @ Disk 1 Partition 1\n"},
        {be_older, "install-older @ Disk 1 Partition 1 0.1.0 instead of 0.1.1.\n"},
    };

    (void)state;
    mirror_assert_cases(cases, sizeof(cases) / sizeof(cases[0]));
}

static void damaged_file_counts_as_missing(void **state)
{
    struct mirror *mirror = *state;
    bool found = false;

    damage_file(mirror);
    struct judgement judgement = mirror_judge(mirror);
    for (size_t i = 0; i < judgement.findings.count; i++) {
        found |= judgement.findings.items[i].code == FINDING_INSTALL_MISSING;
        /* For which repair would be advised, which leaves the file to install. */
        assert_int_not_equal(judgement.findings.items[i].code, FINDING_ESP_BOOT_FILE_CORRUPT);
    }
    assert_true(found);
}

/* It gives way to the next entry, wherever it stands, so that it keeps nothing from being started. */
static void own_entry_keeps_nothing_from_starting(void **state)
{
    struct mirror *mirror = *state;

    install_all(mirror);
    mirror_set_order(mirror, (const uint16_t[]){2, 3, 0, 1}, 4);
    struct judgement judgement = mirror_judge(mirror);
    assert_int_equal(judgement.state, MACHINE_SAFE);
    assert_int_equal(forecast_blocker(&mirror->machine, &judgement.roles, 3), NO_INDEX);
}

/* ... and starts no system by itself: that is for the entries to do. */
static void own_entry_alone_starts_nothing(void **state)
{
    struct mirror *mirror = *state;

    install_all(mirror);
    mirror_drop_entry(mirror, 1);
    mirror_set_order(mirror, (const uint16_t[]){0, 2, 3}, 3);
    mirror_drop_file(mirror, 1, MIRROR_FALLBACK);
    put_program(mirror, 1, MIRROR_FALLBACK, V(0, 1, 0));
    assert_int_equal(mirror_forecast(mirror, 1).verdict, VERDICT_FAILS);
    assert_int_equal(mirror_judge(mirror).state, MACHINE_PRIMARY_ONLY);
    mirror_drop_file(mirror, 1, MIRROR_FALLBACK);
    /* What is missing, and not that it is no system. */
    assert_non_null(
        strstr(mirror_forecast(mirror, 1).reason, "No boot entry starts from its ESP."));
}

/* Nor is it what is wrong with a disk where firmware takes the entry to another ESP with the same GUID. */
static void own_entry_of_twin_is_no_fault(void **state)
{
    struct mirror *mirror = *state;
    size_t disk = mirror_add_disk(mirror, DISK_AHCI);
    struct partition *twin = &mirror->partitions[MIRROR_ESP(disk)];

    twin->unique = mirror->partitions[MIRROR_ESP(0)].unique;
    twin->hd_number = 2;
    put_program(mirror, disk, OWN, V(0, 1, 0));
    put_entry(mirror, 2, disk);
    struct fixture_entry test = {.number = 3,
                                 .description = "Test",
                                 .form = FIXTURE_SHORT,
                                 .partition = mirror_place(mirror, MIRROR_ESP(disk)),
                                 .file = MIRROR_MANAGER};
    mirror_put_entry(mirror, &test);
    mirror_set_order(mirror, (const uint16_t[]){2, 3, 0, 1}, 4);
    assert_string_equal(mirror_forecast(mirror, 0).reason,
                        "Before it, the firmware starts Boot0003 \"Test\" on Disk 2, which is no "
                        "copy of this system.");
}

/* --- Plans ---------------------------------------------------------------------------------- */

static struct plan plan_it(struct mirror *mirror, uint32_t version)
{
    struct install_request request = {.image = span_of(image, sizeof(image)), .version = version};
    struct roles roles = mirror_roles(mirror);
    struct plan plan;

    plan_init(&plan, &mirror->arena, &mirror->machine);
    assert_int_equal(plan_install(&plan, &roles, &request), ST_OK);
    assert_int_equal(plan.status, ST_OK);
    return plan;
}

/* BootOrder as the plan makes it, as "0000,0001"; as it is where the plan leaves it. */
static const char *order_after(const struct mirror *mirror, const struct plan *plan)
{
    static char text[64];
    struct span order = mirror->machine.order.value;

    for (size_t i = 0; i < plan->count; i++) {
        if (strcmp(plan->actions[i].name, "BootOrder") == 0)
            order = plan->actions[i].data;
    }
    text[0] = 0;
    for (size_t i = 0; i + 2 <= order.size; i += 2)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%04X", i == 0 ? "" : ",",
                 ld_le16(order.at + i));
    return text;
}

/* The items of the change of a disk, as "\path" lines; "" without one. */
static const char *files_of(const struct plan *plan, size_t disk)
{
    static char text[512];

    text[0] = 0;
    for (size_t i = 0; i < plan->count; i++) {
        const struct disk_change *change = plan->actions[i].change;
        for (size_t j = 0; change != NULL && change->disk == disk && j < change->files.count; j++)
            snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s\n",
                     change->files.items[j].path);
    }
    return text;
}

static void it_goes_on_every_esp_with_the_primarys_entry_last(void **state)
{
    struct mirror *mirror = *state;
    struct plan plan = plan_it(mirror, V(0, 1, 0));

    assert_string_equal(order_after(mirror, &plan), "0000,0001,0002,0003");
    for (size_t disk = 0; disk < 2; disk++)
        assert_string_equal(files_of(&plan, disk), "\\EFI\\shadowboot\n" OWN "\n");
    for (size_t i = 0; i < plan.count; i++) {
        if (strcmp(plan.actions[i].name, "Boot0002") == 0)
            assert_non_null(strstr(plan.actions[i].text, "Disk 1 Partition 1"));
    }
}

static void free_removable_media_path_is_taken(void **state)
{
    struct mirror *mirror = *state;

    mirror_drop_file(mirror, 1, MIRROR_FALLBACK);
    struct plan plan = plan_it(mirror, V(0, 1, 0));
    assert_string_equal(files_of(&plan, 1), "\\EFI\\shadowboot\n" OWN "\n" MIRROR_FALLBACK "\n");
    assert_string_equal(files_of(&plan, 0), "\\EFI\\shadowboot\n" OWN "\n");
}

static void newer_takes_the_place_of_older_and_never_the_reverse(void **state)
{
    struct mirror *mirror = *state;

    install_all(mirror);
    assert_string_equal(files_of(&(struct plan){.count = 0}, 0), "");
    struct plan plan = plan_it(mirror, V(0, 1, 1));
    assert_string_equal(files_of(&plan, 0), OWN "\n");
    plan = plan_it(mirror, V(0, 0, 9));
    assert_int_equal(plan.count, 0);
    assert_int_equal(plan.warning_count, 2);
}

/* Under the removable-media path too: an own older copy gives way, an own newer one stays. */
static void own_copy_under_the_removable_media_path_follows(void **state)
{
    struct mirror *mirror = *state;

    install_all(mirror);
    mirror_drop_file(mirror, 1, MIRROR_FALLBACK);
    put_program(mirror, 1, MIRROR_FALLBACK, V(0, 1, 0));
    struct plan plan = plan_it(mirror, V(0, 1, 1));
    assert_string_equal(files_of(&plan, 1), OWN "\n" MIRROR_FALLBACK "\n");
    assert_string_equal(files_of(&plan, 0), OWN "\n"); /* there it is Windows' own */
    mirror_content(mirror, 1, MIRROR_FALLBACK)->version = V(0, 2, 0);
    plan = plan_it(mirror, V(0, 1, 1));
    assert_string_equal(files_of(&plan, 1), OWN "\n");
}

static void what_is_there_is_not_done_again(void **state)
{
    struct mirror *mirror = *state;
    struct sha256_state digest;

    install_all(mirror);
    sha256_start(&digest);
    sha256_feed(&digest, span_of(image, sizeof(image)));
    mirror_content(mirror, 0, OWN)->digest = sha256_finish(&digest);
    mirror_content(mirror, 1, OWN)->digest = mirror_content(mirror, 0, OWN)->digest;
    assert_int_equal(plan_it(mirror, V(0, 1, 0)).count, 0);
}

static void what_was_put_behind_it_comes_before_it_again(void **state)
{
    struct mirror *mirror = *state;

    install_all(mirror);
    mirror_set_order(mirror, (const uint16_t[]){0, 2, 3, 1}, 4);
    struct plan plan = plan_it(mirror, V(0, 0, 1));
    assert_string_equal(order_after(mirror, &plan), "0000,0001,0002,0003");
}

/* What does not give way would keep it from being reached. */
static void it_stands_before_a_tool(void **state)
{
    struct mirror *mirror = *state;
    struct fixture_entry tool = {.number = 7,
                                 .description = "Memory test",
                                 .form = FIXTURE_SHORT,
                                 .partition = mirror_place(mirror, MIRROR_ESP(0)),
                                 .file = MIRROR_MEMTEST};

    mirror_put_entry(mirror, &tool);
    mirror_set_order(mirror, (const uint16_t[]){0, 1, 7}, 3);
    struct plan plan = plan_it(mirror, V(0, 1, 0));
    assert_string_equal(order_after(mirror, &plan), "0000,0001,0002,0003,0007");
    /* But a tool that is first, is first because somebody wants it so. */
    mirror_set_order(mirror, (const uint16_t[]){7, 0, 1}, 3);
    plan = plan_it(mirror, V(0, 1, 0));
    assert_string_equal(order_after(mirror, &plan), "0007,0000,0001,0002,0003");
}

/* The firmware's Shell does not give way: before it, whichever side the entries come from, and once only. */
static void it_is_moved_to_before_a_shell(void **state)
{
    static const struct {
        uint16_t order[5];
        const char *after;
    } cases[] = {
        {{2, 3, 0, 1, 7}, "0000,0001,0002,0003,0007"},
        {{0, 1, 7, 2, 3}, "0000,0001,0002,0003,0007"},
        {{3, 0, 1, 7, 2}, "0000,0001,0002,0003,0007"},
        {{0, 1, 2, 3, 7}, "0000,0001,0002,0003,0007"},
        {{0, 1, 3, 2, 7}, "0000,0001,0003,0002,0007"},
    };
    struct mirror *mirror = *state;

    install_all(mirror);
    mirror_put_entry(mirror, &(struct fixture_entry){
                                 .number = 7, .description = "EFI Shell", .form = FIXTURE_FV});
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint16_t order[5];
        mirror_set_order(mirror, cases[i].order, 5);
        struct plan plan = plan_it(mirror, V(0, 0, 1));
        assert_string_equal(order_after(mirror, &plan), cases[i].after);
        for (size_t j = 0; j < 5; j++)
            order[j] = (uint16_t)strtoul(cases[i].after + 5 * j, NULL, 16);
        mirror_set_order(mirror, order, 5);
        assert_int_equal(plan_it(mirror, V(0, 0, 1)).count, 0);
    }
}

static void esp_that_cannot_be_written_is_left_out(void **state)
{
    struct mirror *mirror = *state;

    mirror->disks[1].read_only = true;
    struct plan plan = plan_it(mirror, V(0, 1, 0));
    assert_string_equal(files_of(&plan, 1), "");
    assert_string_equal(files_of(&plan, 0), "\\EFI\\shadowboot\n" OWN "\n");
    assert_int_equal(plan.warning_count, 1);
    assert_string_equal(plan.warnings[0],
                        "Disk 1 is write-protected. Take the protection off, and run "
                        "the command again.");
    assert_true(plan.left_out);
    assert_int_equal(plan.left_status, ST_READ_ONLY); /* which the exit status tells */
    assert_string_equal(order_after(mirror, &plan), "0000,0001,0002");
}

static void nothing_to_install_on_is_refused(void **state)
{
    struct mirror *mirror = *state;
    struct install_request request = {.image = span_of(image, sizeof(image))};
    struct plan plan;

    mirror->disks[0].read_only = true;
    mirror->disks[1].read_only = true;
    struct roles roles = mirror_roles(mirror);
    plan_init(&plan, &mirror->arena, &mirror->machine);
    assert_int_equal(plan_install(&plan, &roles, &request), ST_READ_ONLY);
    assert_non_null(strstr(plan.refusal, "Nothing was changed."));
}

static void all_of_it_is_taken_back(void **state)
{
    struct mirror *mirror = *state;
    struct plan plan;

    install_all(mirror);
    put_program(mirror, 1, MIRROR_FALLBACK, V(0, 1, 0));
    (void)mirror_add_file(mirror, 0, "\\EFI\\shadowboot\\J0000001.SBJ", 500, 3);
    plan_init(&plan, &mirror->arena, &mirror->machine);
    assert_int_equal(plan_uninstall(&plan), ST_OK);
    assert_string_equal(order_after(mirror, &plan), "0000,0001");
    assert_int_equal(plan.warning_count, 0);
    /* Windows' removable-media file stays, and a folder with a journal. */
    assert_string_equal(files_of(&plan, 0), OWN "\n");
    assert_string_equal(files_of(&plan, 1), OWN "\n" MIRROR_FALLBACK "\n\\EFI\\shadowboot\n"
                                                "\\EFI\\BOOT\n");
    for (size_t i = 0; i < plan.count; i++) {
        const struct disk_change *change = plan.actions[i].change;
        for (size_t j = 0; change != NULL && j < change->files.count; j++)
            assert_true(change->files.items[j].goes);
    }
    assert_non_null(
        strstr(plan.actions[plan.count - 1].text, "delete 2 files and 2 folders of Disk 1"));
}

/* A variable that is set before would change the file system under what was worked out. */
static void under_u_boot_disks_come_before_entries(void **state)
{
    struct mirror *mirror = *state;
    struct plan plan;

    install_all(mirror);
    mirror->machine.firmware.vendor = "Das U-Boot";
    plan_init(&plan, &mirror->arena, &mirror->machine);
    assert_int_equal(plan_uninstall(&plan), ST_OK);
    assert_int_equal(plan.count, 5);
    for (size_t i = 0; i < plan.count; i++)
        assert_int_equal(action_changes_disk(&plan.actions[i]), i < 2);
    assert_string_equal(order_after(mirror, &plan), "0000,0001");
    assert_non_null(strstr(plan.actions[0].text, "of Disk 0"));
}

static void what_cannot_be_taken_back_is_told(void **state)
{
    struct mirror *mirror = *state;
    struct plan plan;

    install_all(mirror);
    mirror->disks[1].read_only = true;
    plan_init(&plan, &mirror->arena, &mirror->machine);
    assert_int_equal(plan_uninstall(&plan), ST_OK);
    assert_string_equal(files_of(&plan, 1), "");
    assert_string_equal(files_of(&plan, 0), OWN "\n\\EFI\\shadowboot\n");
    assert_true(plan.left_out);
}

static void path_and_version_are_told(void **state)
{
    struct mirror *mirror = *state;

    assert_string_equal(installed_path(&mirror->arena, &mirror->machine), OWN);
    assert_string_equal(installed_version_text(&mirror->arena, V(1, 20, 300)), "1.20.300");
}

/* A twin would lead to a file that nobody has brought. */
static void its_entries_are_not_cloned(void **state)
{
    struct mirror *mirror = *state;
    struct clone_request request = {
        .has_source = true,
        .has_target = true,
        .source = mirror->machine.partitions[MIRROR_ESP(0)].unique,
        .target = mirror->machine.partitions[MIRROR_ESP(1)].unique,
    };
    struct plan plan;

    install_all(mirror);
    mirror_drop_entry(mirror, 2);
    mirror_set_order(mirror, (const uint16_t[]){0, 1, 3}, 3);
    plan_init(&plan, &mirror->arena, &mirror->machine);
    assert_int_equal(plan_clone(&plan, &request), ST_OK);
    assert_int_equal(plan.count, 0);
}

/* Comes last. */
static void every_finding_was_met(void **state)
{
    (void)state;
    findings_assert_met(OWNER_INSTALL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mirror_set_up, mirror_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_missing_is_found),
        TEST(damaged_file_counts_as_missing),
        TEST(own_entry_keeps_nothing_from_starting),
        TEST(own_entry_alone_starts_nothing),
        TEST(own_entry_of_twin_is_no_fault),
        TEST(it_goes_on_every_esp_with_the_primarys_entry_last),
        TEST(its_entries_are_not_cloned),
        TEST(free_removable_media_path_is_taken),
        TEST(newer_takes_the_place_of_older_and_never_the_reverse),
        TEST(own_copy_under_the_removable_media_path_follows),
        TEST(what_is_there_is_not_done_again),
        TEST(what_was_put_behind_it_comes_before_it_again),
        TEST(it_stands_before_a_tool),
        TEST(it_is_moved_to_before_a_shell),
        TEST(esp_that_cannot_be_written_is_left_out),
        TEST(nothing_to_install_on_is_refused),
        TEST(all_of_it_is_taken_back),
        TEST(under_u_boot_disks_come_before_entries),
        TEST(what_cannot_be_taken_back_is_told),
        TEST(path_and_version_are_told),
        cmocka_unit_test(every_finding_was_met),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
