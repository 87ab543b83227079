/* What plans refuse to write to because it is somebody else's (I8). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plan/esp_guard.h"
#include "plan/mend_fat.h"
#include "plan/owner_guard.h"
#include "unit/mirror_fixture.h"

static struct plan empty_plan(struct mirror *mirror)
{
    struct plan plan;

    plan_init(&plan, &mirror->arena, &mirror->machine);
    return plan;
}

/* That `status` came of it, and that the refusal says `words`. */
static void assert_refused(const struct plan *plan, enum status status, const char *words)
{
    assert_int_equal(status, ST_REFUSED);
    if (strstr(plan->refusal, words) == NULL)
        fail_msg("\"%s\" is not in: %s", words, plan->refusal);
    assert_non_null(strstr(plan->refusal, "Nothing was changed."));
}

/* --- Disks ---------------------------------------------------------------------------------- */

static void disk_of_a_raid_is_refused_for_everything(void **state)
{
    struct mirror *mirror = *state;
    struct plan plan = empty_plan(mirror);

    assert_int_equal(owner_guard_raid(&plan, 1), ST_OK);
    assert_int_equal(owner_guard_disk(&plan, 1), ST_OK);
    mirror->disks[1].owner = (struct owner_mark){OWNER_IMSM, 1023999488};
    assert_int_equal(owner_guard_raid(&plan, 0), ST_OK);
    assert_refused(&plan, owner_guard_raid(&plan, 1), "Disk 1 is a member of a RAID");
    assert_refused(&plan, owner_guard_disk(&plan, 1), "Intel RAID");
}

/* A file system on the whole disk: no RAID, and somebody's all the same. */
static void disk_that_somebody_has_as_a_whole_is_refused(void **state)
{
    struct mirror *mirror = *state;
    struct plan plan = empty_plan(mirror);

    mirror->disks[1].owner = (struct owner_mark){OWNER_EXT, 1080};
    mirror->disks[1].style = DISK_RAW;
    mirror->disks[1].partition_count = 0;
    assert_int_equal(owner_guard_raid(&plan, 1), ST_OK);
    assert_refused(&plan, owner_guard_disk(&plan, 1), "in use as a whole by somebody else: ext2");
    assert_null(strstr(plan.refusal, "partition table at its end"));
    mirror->disks[1].style = DISK_GPT;
    mirror->disks[1].primary.problem = GPT_NO_SIGNATURE;
    assert_refused(&plan, owner_guard_disk(&plan, 1), "partition table at its end");
    assert_int_equal(owner_guard_disk(&plan, 0), ST_OK);
}

static void table_is_not_written_over_a_mark(void **state)
{
    struct mirror *mirror = *state;
    struct plan plan = empty_plan(mirror);

    assert_int_equal(owner_guard_table(&plan, 1, NULL), ST_OK);
    mirror->disks[1].owner = (struct owner_mark){OWNER_LVM2, 1024};
    assert_refused(&plan, owner_guard_table(&plan, 1, NULL),
                   "table of Disk 1 is not written: at byte 1,024 of the disk");
    assert_refused(&plan, owner_guard_table(&plan, 1, "its backup is damaged"),
                   "is not written, though its backup is damaged: at byte");
    assert_int_equal(owner_guard_table(&plan, 0, NULL), ST_OK);
}

/* --- Free space ----------------------------------------------------------------------------- */

static const struct claim claims[] = {
    {.disk = 0, .first_lba = 5000, .block_count = 100, .mark = {OWNER_SWAP, 2564086}},
    {.disk = 1, .first_lba = 7000, .block_count = 10, .mark = {OWNER_LUKS, 3584000}},
};

static void claim_space(struct mirror *mirror)
{
    mirror->machine.claims = (struct claim *)claims;
    mirror->machine.claim_count = 2;
}

static void claims_on_a_disk_are_said(void **state)
{
    struct mirror *mirror = *state;
    struct plan plan = empty_plan(mirror);

    assert_string_equal(owner_guard_claims(&plan, 0), "");
    claim_space(mirror);
    assert_string_equal(owner_guard_claims(&plan, 1),
                        " The 10 blocks from LBA 7000 on are not taken: at byte 3,584,000 is a "
                        "mark of LUKS. Look at it with cryptsetup; if it is not wanted, wipe it "
                        "(wipefs) first.");
    assert_non_null(strstr(owner_guard_claims(&plan, 0), "2,564,086"));
    assert_string_equal(owner_guard_claims(&plan, 2), "");
}

static void space_is_claimed_from_its_first_block_to_its_last(void **state)
{
    static const struct {
        size_t disk;
        uint64_t first;
        uint64_t count;
        bool claimed;
    } cases[] = {
        {0, 4000, 1000, false}, {0, 4000, 1001, true}, {0, 5050, 1, true},
        {0, 5099, 50, true},    {0, 5100, 50, false},  {0, 4000, 9000, true},
        {1, 5050, 1, false},    {1, 7009, 1, true},    {2, 7000, 1, false},
    };
    struct mirror *mirror = *state;

    claim_space(mirror);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(
            owner_guard_is_claimed(&mirror->machine, cases[i].disk, cases[i].first, cases[i].count),
            cases[i].claimed);
}

/* --- ESPs ----------------------------------------------------------------------------------- */

static void member_of_an_array_is_refused_by_its_name(void **state)
{
    struct mirror *mirror = *state;
    struct plan plan = empty_plan(mirror);
    struct md_volume volume = {.partition = MIRROR_ESP(1), .member.name = "box:esp"};

    assert_int_equal(esp_guard_check(&plan, MIRROR_ESP(1)), ST_OK);
    mirror->machine.md_volumes = &volume;
    mirror->machine.md_volume_count = 1;
    assert_refused(&plan, esp_guard_check(&plan, MIRROR_ESP(1)),
                   "is a member of a Linux RAID (box:esp). Written");
    volume.member.name[0] = '\0';
    assert_refused(&plan, esp_guard_check(&plan, MIRROR_ESP(1)),
                   "is a member of a Linux RAID. Written");
    assert_int_equal(esp_guard_check(&plan, MIRROR_ESP(0)), ST_OK);
}

static void partition_of_another_type_is_refused(void **state)
{
    struct mirror *mirror = *state;
    struct plan plan = empty_plan(mirror);

    mirror->partitions[MIRROR_ESP(1)].kind = PT_BASIC_DATA;
    assert_refused(&plan, esp_guard_check(&plan, MIRROR_ESP(1)), "not an EFI system partition");
}

/* --- Boot sectors --------------------------------------------------------------------------- */

static void boot_sector_is_mended_where_it_is_all_that_is_wrong(void **state)
{
    struct mirror *mirror = *state;
    struct plan plan = empty_plan(mirror);
    struct esp *esp = &mirror->esps[1];

    assert_false(mend_fat_is_enough(esp));
    esp->volume.from_backup = true;
    esp->report.problems[FAT_BOOT_SECTOR_FROM_BACKUP] = 1;
    assert_true(mend_fat_is_enough(esp));
    assert_int_equal(plan_mend_fat(&plan, 1), ST_OK);
    assert_int_equal(plan.count, 1);
    const struct disk_change *change = plan.actions[0].change;
    assert_int_equal(change->kind, DISK_CHANGE_BOOT_SECTOR);
    assert_int_equal(change->disk, 1);
    assert_int_equal(change->first_lba, mirror->partitions[MIRROR_ESP(1)].first_lba);
    assert_int_equal(change->block_count, mirror->partitions[MIRROR_ESP(1)].block_count);
    assert_int_equal(change->esp, 1);
    esp->report.problems[FAT_CHAIN_CROSSED] = 1;
    assert_false(mend_fat_is_enough(esp));
    esp->report.problems[FAT_CHAIN_CROSSED] = 0;
    esp->status = ST_IO;
    assert_false(mend_fat_is_enough(esp));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mirror_set_up, mirror_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(disk_of_a_raid_is_refused_for_everything),
        TEST(disk_that_somebody_has_as_a_whole_is_refused),
        TEST(table_is_not_written_over_a_mark),
        TEST(claims_on_a_disk_are_said),
        TEST(space_is_claimed_from_its_first_block_to_its_last),
        TEST(member_of_an_array_is_refused_by_its_name),
        TEST(partition_of_another_type_is_refused),
        TEST(boot_sector_is_mended_where_it_is_all_that_is_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
