/* What an unattended start may start, and in which sequence: a pure look at machines as values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "plan/autostart.h"
#include "unit/mirror_fixture.h"

#define OWN "\\EFI\\shadowboot\\shadowbootx64.efi"

static const struct autostart_request usual = {.turn = 0};

static struct autostart plan_for(struct mirror *mirror, const struct autostart_request *request)
{
    struct judgement judgement = mirror_judge(mirror);
    struct autostart autostart;

    assert_int_equal(
        autostart_plan(&mirror->arena, &mirror->machine, &judgement, request, &autostart), ST_OK);
    return autostart;
}

/* "0:\path@0001 ..." for each: disk, file, entry; "!" behind those for a reset, "?" behind unsure ones. */
static const char *choices_of(struct mirror *mirror, const struct autostart_request *request)
{
    static char text[1024];
    struct autostart autostart = plan_for(mirror, request);

    text[0] = 0;
    for (size_t i = 0; i < autostart.count; i++) {
        const struct autostart_choice *choice = &autostart.choices[i];
        char entry[8] = "-";
        if (choice->entry != NO_INDEX)
            snprintf(entry, sizeof(entry), "%04X", mirror->machine.entries[choice->entry].number);
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%zu:%s@%s%s%s\n",
                 choice->member, mirror->machine.esps[choice->esp].report.files[choice->file].path,
                 entry, choice->by_reset ? "!" : "", choice->verdict == VERDICT_STARTS ? "" : "?");
    }
    return text;
}

#define BOTH_OF(disk, entry) disk ":" MIRROR_MANAGER "@" entry "\n" disk ":" MIRROR_FALLBACK "@-\n"

static void primary_comes_first_by_its_entry(void **state)
{
    assert_string_equal(choices_of(*state, &usual), BOTH_OF("0", "0000") BOTH_OF("1", "0001"));
}

static void preferred_disk_and_turns_change_the_sequence(void **state)
{
    const struct autostart_request preferred = {.has_disk = true, .disk = 1};
    const struct autostart_request second = {.turn = 1};
    const struct autostart_request absent = {.has_disk = true, .disk = 7};

    assert_string_equal(choices_of(*state, &preferred), BOTH_OF("1", "0001") BOTH_OF("0", "0000"));
    assert_string_equal(choices_of(*state, &second), BOTH_OF("1", "0001") BOTH_OF("0", "0000"));
    assert_string_equal(choices_of(*state, &absent), BOTH_OF("0", "0000") BOTH_OF("1", "0001"));
}

static void without_entries_the_boot_managers_are_started_with_their_options(void **state)
{
    struct mirror *mirror = *state;

    mirror_drop_entry(mirror, 1);
    mirror_set_order(mirror, (const uint16_t[]){0}, 1);
    assert_string_equal(choices_of(mirror, &usual), BOTH_OF("0", "0000") BOTH_OF("1", "-"));
    struct autostart autostart = plan_for(mirror, &usual);
    assert_true(autostart.choices[2].optional.size > 0);
    assert_true(span_equal(autostart.choices[2].optional, autostart.choices[0].optional));
}

static void what_comes_to_nothing_is_not_started(void **state)
{
    struct mirror *mirror = *state;

    mirror->plexes[0].state = PLEX_STALE;
    mirror->plexes[0].reason = "it is out of date";
    assert_string_equal(choices_of(mirror, &usual), BOTH_OF("1", "0001"));
    struct autostart autostart = plan_for(mirror, &usual);
    assert_non_null(strstr(autostart.reasons[0], "out of date"));
    assert_string_equal(autostart.reasons[1], "");
}

static void damaged_boot_manager_gives_way_to_its_copy(void **state)
{
    struct mirror *mirror = *state;

    mirror_content(mirror, 0, MIRROR_MANAGER)->program = PE_TRUNCATED;
    assert_string_equal(choices_of(mirror, &usual),
                        "0:" MIRROR_FALLBACK "@-\n" BOTH_OF("1", "0001"));
}

/* This program is never a choice of its own. */
static void tools_are_not_started(void **state)
{
    struct mirror *mirror = *state;
    struct fixture_entry own = {.number = 2,
                                .description = "shadowboot",
                                .form = FIXTURE_SHORT,
                                .partition = mirror_place(mirror, MIRROR_ESP(0)),
                                .file = OWN};

    (void)mirror_add_file(mirror, 0, OWN, 1000, 's');
    mirror_content(mirror, 0, OWN)->mark = PE_MARK_SHADOWBOOT;
    mirror_put_entry(mirror, &own);
    mirror_set_order(mirror, (const uint16_t[]){2, 0, 1}, 3);
    assert_string_equal(choices_of(mirror, &usual), BOTH_OF("0", "0000") BOTH_OF("1", "0001"));
}

static void bitlocker_with_a_tpm_is_started_by_reset(void **state)
{
    const struct autostart_request tpm = {.has_tpm = true};
    const struct autostart_request wanted = {.by_reset = true};
    struct mirror *mirror = *state;

    assert_string_equal(choices_of(mirror, &tpm), BOTH_OF("0", "0000") BOTH_OF("1", "0001"));
    assert_string_equal(choices_of(mirror, &wanted),
                        "0:" MIRROR_MANAGER "@0000!\n0:" MIRROR_FALLBACK "@-\n"
                        "1:" MIRROR_MANAGER "@0001!\n1:" MIRROR_FALLBACK "@-\n");
    assert_false(autostart_spares_disks(&mirror->machine));
    for (size_t i = 0; i < mirror->machine.copy_count; i++)
        mirror->copies[i].content = CONTENT_BITLOCKER;
    assert_true(autostart_spares_disks(&mirror->machine));
    assert_string_equal(choices_of(mirror, &tpm),
                        "0:" MIRROR_MANAGER "@0000!?\n0:" MIRROR_FALLBACK "@-?\n"
                        "1:" MIRROR_MANAGER "@0001!?\n1:" MIRROR_FALLBACK "@-?\n");
    assert_string_equal(choices_of(mirror, &usual),
                        "0:" MIRROR_MANAGER "@0000?\n0:" MIRROR_FALLBACK "@-?\n"
                        "1:" MIRROR_MANAGER "@0001?\n1:" MIRROR_FALLBACK "@-?\n");
}

static void repair_is_wanted_where_a_disk_does_not_start(void **state)
{
    struct mirror *mirror = *state;
    struct judgement judgement = mirror_judge(mirror);

    assert_false(autostart_wants_repair(&judgement));
    mirror_drop_entry(mirror, 1);
    mirror_set_order(mirror, (const uint16_t[]){0}, 1);
    judgement = mirror_judge(mirror);
    assert_true(autostart_wants_repair(&judgement));
}

static void machine_without_members_has_no_choice(void **state)
{
    struct mirror *mirror = *state;

    mirror->machine.disk_count = 0;
    mirror->machine.partition_count = 0;
    mirror->machine.esp_count = 0;
    mirror->machine.copy_count = 0;
    mirror->machine.entry_count = 0;
    mirror->machine.volumes = (struct volume_map){.disk_count = 0};
    assert_int_equal(plan_for(mirror, &usual).count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mirror_set_up, mirror_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(primary_comes_first_by_its_entry),
        TEST(preferred_disk_and_turns_change_the_sequence),
        TEST(without_entries_the_boot_managers_are_started_with_their_options),
        TEST(what_comes_to_nothing_is_not_started),
        TEST(damaged_boot_manager_gives_way_to_its_copy),
        TEST(tools_are_not_started),
        TEST(bitlocker_with_a_tpm_is_started_by_reset),
        TEST(repair_is_wanted_where_a_disk_does_not_start),
        TEST(machine_without_members_has_no_choice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
