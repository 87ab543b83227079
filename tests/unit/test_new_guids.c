/* `prepare N -gpt -new-guids`: what a copied disk is given, what is left alone, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "audit/finding.h"
#include "plan/new_guids.h"
#include "plan/project.h"
#include "unit/line_fixture.h"
#include "unit/mirror_fixture.h"

#define HEADER_DISK_GUID 56u
#define ENTRY_UNIQUE     16u
#define ENTRY_SIZE       128u
#define ENTRIES          4u
#define HEADER_ENTRIES   72u
#define LINE             "prepare 1 -gpt -new-guids -y"

/* --- On disks ------------------------------------------------------------------------------- */

struct table {
    uint8_t header[92];
    uint8_t entries[128 * ENTRY_SIZE];
};

static struct table read_table(struct host *host, size_t disk, enum gpt_side side)
{
    struct table table;

    mem_block_peek(host->disks[disk], header_offset(host, disk, side), table.header,
                   sizeof(table.header));
    mem_block_peek(host->disks[disk], ld_le64(table.header + HEADER_ENTRIES) * 512, table.entries,
                   sizeof(table.entries));
    return table;
}

/* Disk 1 has the GUIDs of Disk 0, its own and those of the partitions in the same slots. */
static struct host *copied_machine(void)
{
    struct disk_machine_shape shape = disk_machine_usual();
    struct host *host = disk_machine_new(&shape);
    struct table from = read_table(host, 0, PRIMARY);

    for (unsigned slot = 0; slot < ENTRIES; slot++) {
        const uint8_t *guid = from.entries + slot * ENTRY_SIZE + ENTRY_UNIQUE;
        patch_entries(host, 1, slot, ENTRY_UNIQUE, ld_le64(guid), 8);
        patch_entries(host, 1, slot, ENTRY_UNIQUE + 8, ld_le64(guid + 8), 8);
    }
    for (int side = PRIMARY; side <= BACKUP; side++) {
        const uint8_t *guid = from.header + HEADER_DISK_GUID;
        patch_header(host, 1, (enum gpt_side)side, HEADER_DISK_GUID, ld_le64(guid), 8);
        patch_header(host, 1, (enum gpt_side)side, HEADER_DISK_GUID + 8, ld_le64(guid + 8), 8);
    }
    disk_machine_restart(host);
    return host;
}

/* Fails the test unless every GUID of `now` is another one of version 4 and all else of the entries
 * is as it was. */
static void assert_renamed(const struct table *before, const struct table *now)
{
    assert_memory_not_equal(now->header + HEADER_DISK_GUID, before->header + HEADER_DISK_GUID, 16);
    for (size_t i = 0; i < 128; i++) {
        const uint8_t *old = before->entries + i * ENTRY_SIZE;
        const uint8_t *entry = now->entries + i * ENTRY_SIZE;
        assert_memory_equal(entry, old, ENTRY_UNIQUE);
        assert_memory_equal(entry + 32, old + 32, ENTRY_SIZE - 32);
        if (i >= ENTRIES) {
            assert_memory_equal(entry, old, 32);
            continue;
        }
        assert_memory_not_equal(entry + ENTRY_UNIQUE, old + ENTRY_UNIQUE, 16);
        assert_int_equal(entry[ENTRY_UNIQUE + 7] >> 4, 4);
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(now->entries + j * ENTRY_SIZE + ENTRY_UNIQUE,
                                    entry + ENTRY_UNIQUE, 16);
    }
}

static void copy_gets_new_guids_in_both_copies_and_undo_gives_the_old_back(void **state)
{
    (void)state;
    struct host *host = copied_machine();
    struct host *before = host_clone(host);
    struct table old = read_table(host, 1, PRIMARY);

    run_to_say(host, LINE, 0, "give Disk 1 the new GUID {|each of its 4 partitions|Done: 1 change");
    for (int side = PRIMARY; side <= BACKUP; side++) {
        struct table now = read_table(host, 1, (enum gpt_side)side);
        assert_renamed(&old, &now);
    }
    assert_int_equal(mem_block_difference(host->disks[0], before->disks[0], 0), UINT64_MAX);
    assert_true(mem_vars_equal(host->vars, before->vars));
    disk_machine_restart(host);
    run_to_say(host, LINE, 0, "Nothing to do");
    run_to_say(host, "undo -y", 0, "Done");
    assert_int_equal(mem_block_difference(host->disks[1], before->disks[1], 0), UINT64_MAX);
    host_free(before);
    host_free(host);
}

static void it_is_a_matter_of_the_table_alone(void **state)
{
    (void)state;
    struct host *host = copied_machine();

    run_to_say(host, "prepare 1 -new-guids -y", 2, "prepare 1 -gpt -new-guids");
    host_free(host);
}

/* --- The plan ------------------------------------------------------------------------------- */

static const struct date_time now = {2026, 3, 4, 5, 6, 7};

static enum status plan_for(struct mirror *m, size_t disk, struct plan *ret_plan)
{
    plan_init(ret_plan, &m->arena, &m->machine);
    return plan_new_guids(ret_plan, disk, &now);
}

static void assert_refused(struct mirror *m, const char *why)
{
    struct plan plan;

    assert_int_equal(plan_for(m, 1, &plan), ST_REFUSED);
    assert_int_equal(plan.count, 0);
    if (strstr(plan.refusal, why) == NULL)
        fail_msg("\"%s\" is not in: %s", why, plan.refusal);
}

/* Each partition of the disk has the GUID of another one. */
static void repeat_partitions(struct mirror *m, size_t disk)
{
    for (size_t i = 0; i < 4; i++)
        m->partitions[MIRROR_ESP(disk) + i].guid_repeated = true;
}

static void disk_with_guids_of_its_own_needs_none(void **state)
{
    struct mirror *m = *state;
    struct plan plan;

    assert_int_equal(plan_for(m, 1, &plan), ST_OK);
    assert_int_equal(plan.count, 0);
    repeat_partitions(m, 1);
    assert_int_equal(plan_for(m, 1, &plan), ST_OK);
    assert_int_equal(plan.count, 1);
    assert_int_equal(plan_for(m, 0, &plan), ST_OK);
    assert_int_equal(plan.count, 0);
}

static void plan_shows_in_the_machine_as_it_will_be(void **state)
{
    struct mirror *m = *state;
    struct machine later;
    struct plan plan;

    m->disks[1].guid_repeated = true;
    repeat_partitions(m, 1);
    assert_int_equal(plan_for(m, 1, &plan), ST_OK);
    assert_int_equal(project_machine(&m->arena, &plan, &later), ST_OK);
    assert_false(guid_equal(&later.disks[1].guid, &m->disks[1].guid));
    assert_true(guid_equal(&later.disks[0].guid, &m->disks[0].guid));
    for (size_t i = 0; i < 4; i++) {
        size_t own = MIRROR_ESP(1) + i;
        assert_false(guid_equal(&later.partitions[own].unique, &m->partitions[own].unique));
        assert_true(guid_equal(&later.partitions[i].unique, &m->partitions[i].unique));
    }
    assert_int_equal(later.entries[1].boot.partition, NO_INDEX); /* that of the old GUID */
}

/* An ESP that only this disk has keeps its entry. */
static void entry_for_what_is_not_repeated_follows(void **state)
{
    struct mirror *m = *state;
    struct machine later;
    struct plan plan;

    m->partitions[MIRROR_MSR(1)].guid_repeated = true;
    assert_int_equal(plan_for(m, 1, &plan), ST_OK);
    assert_int_equal(plan.count, 2);
    assert_int_equal(project_machine(&m->arena, &plan, &later), ST_OK);
    assert_int_equal(later.entries[1].boot.partition, MIRROR_ESP(1));
}

static void copy_of_a_dynamic_disk_is_refused(void **state)
{
    struct mirror *m = *state;

    m->disks[1].guid_repeated = true;
    assert_non_null(strstr(finding_copy_advice(&m->arena, &m->machine, 1), "diskid 1 -set new"));
    m->notes[1].is_clone = true;
    assert_refused(m, "says that it is the same as another disk");
    assert_null(strstr(finding_copy_advice(&m->arena, &m->machine, 1), "-set new"));
    m->notes[1].is_clone = false;
    m->notes[1].group = VOLUME_NONE;
    assert_refused(m, "cannot be read");
}

/* Where no entry can tell the ESP from another no command makes one, so the copy gets GUIDs first. */
static void missing_entry_of_a_copy_wants_new_guids_first(void **state)
{
    struct mirror *m = *state;
    const struct finding missing = {
        FINDING_ESP_NO_ENTRY, NO_INDEX, MIRROR_ESP(1), NO_INDEX, NO_INDEX, ""};
    const char *advice = finding_advice(&m->arena, &m->machine, &missing, false);

    assert_non_null(strstr(advice, "shadowboot repair makes one"));
    repeat_partitions(m, 1);
    advice = finding_advice(&m->arena, &m->machine, &missing, false);
    assert_null(strstr(advice, "shadowboot repair makes one"));
    assert_non_null(strstr(advice, "shadowboot diskid 1 -set new"));
    m->notes[1].is_clone = true;
    advice = finding_advice(&m->arena, &m->machine, &missing, false);
    assert_string_equal(advice, finding_copy_advice(&m->arena, &m->machine, 1));
}

static void copy_of_a_part_of_an_array_is_refused(void **state)
{
    struct mirror *m = *state;
    struct plan plan;

    mirror_make_md(m);
    m->partitions[MIRROR_LDM(1)].kind = PT_BASIC_DATA;
    m->disks[1].guid_repeated = true;
    repeat_partitions(m, 1);
    assert_int_equal(plan_for(m, 1, &plan), ST_OK);
    assert_int_equal(plan.count, 1);
    assert_null(strstr(finding_copy_advice(&m->arena, &m->machine, 1), "mdadm"));
    m->md[1].member.role = m->md[0].member.role;
    assert_refused(m, "mdadm --zero-superblock");
    const char *advice = finding_copy_advice(&m->arena, &m->machine, 1);
    const char *first = strstr(advice, "mdadm --zero-superblock");
    assert_non_null(first);
    assert_non_null(strstr(first, "shadowboot diskid 1 -set new"));
}

static void disk_that_an_entry_names_by_its_hardware_is_not_the_copy(void **state)
{
    struct mirror *m = *state;
    struct fixture_entry full = mirror_windows_entry(m, 1, 1);

    m->disks[1].guid_repeated = true;
    full.form = FIXTURE_FULL;
    mirror_put_entry(m, &full);
    assert_refused(m, "Boot0001 \"Boot Mirror\" names Disk 1 by its hardware");
}

static void doubtful_table_is_refused(void **state)
{
    struct mirror *m = *state;

    m->disks[1].guid_repeated = true;
    m->disks[1].copies_differ = true;
    assert_refused(m, "they do not agree");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, mirror_set_up, mirror_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copy_gets_new_guids_in_both_copies_and_undo_gives_the_old_back),
        cmocka_unit_test(it_is_a_matter_of_the_table_alone),
        CASE(disk_with_guids_of_its_own_needs_none),
        CASE(plan_shows_in_the_machine_as_it_will_be),
        CASE(entry_for_what_is_not_repeated_follows),
        CASE(copy_of_a_dynamic_disk_is_refused),
        CASE(missing_entry_of_a_copy_wants_new_guids_first),
        CASE(copy_of_a_part_of_an_array_is_refused),
        CASE(disk_that_an_entry_names_by_its_hardware_is_not_the_copy),
        CASE(doubtful_table_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
