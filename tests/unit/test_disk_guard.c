/* The last look before a disk is written: marks that were not there when the plan was made (I8). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "apply/disk_guard.h"
#include "unit/disk_machine_fixture.h"
#include "unit/plan_fixture.h"

#define INTEL "Intel Raid ISM Cfg Sig. "
#define MIB   (1u << 20)

static int set_up(void **state)
{
    struct disk_machine_shape shape = disk_machine_usual();

    *state = planning_begin(disk_machine_new(&shape));
    planning_rescan_to(*state, SCAN_FULL);
    return 0;
}

static uint64_t disk_bytes(const struct planning *p)
{
    return p->machine.disks[1].block_count * p->machine.disks[1].block_size;
}

static void put(struct planning *p, uint64_t offset, const char *mark)
{
    mem_block_write(p->host->disks[1], offset, mark, strlen(mark));
}

static enum status check(struct planning *p, const struct disk_change *change)
{
    size_t mark = arena_mark(&p->arena);
    enum status status = disk_guard_check(&p->arena, host_ports(p->host), &p->machine, change);

    arena_release(&p->arena, mark);
    return status;
}

static struct disk_change gpt_change(bool fresh)
{
    return (struct disk_change){
        .kind = DISK_CHANGE_GPT, .disk = 1, .gpt = {.fresh = fresh}, .esp = NO_INDEX};
}

static void table_is_not_written_over_a_raid_that_came_since(void **state)
{
    struct planning *p = *state;
    struct disk_change change = gpt_change(false);

    disk_machine_break_gpt(p->host, 1, BACKUP);
    planning_rescan_to(p, SCAN_FULL);
    assert_int_equal(check(p, &change), ST_OK);
    put(p, disk_bytes(p) - 1024, INTEL);
    assert_int_equal(check(p, &change), ST_CHANGED);
    planning_rescan_to(p, SCAN_FULL);
    assert_int_equal(p->machine.disks[1].owner.owner, OWNER_IMSM);
    assert_int_equal(check(p, &change), ST_REFUSED);
}

/* Whatever the change: files, a restore. */
static void member_of_a_raid_is_not_written_at_all(void **state)
{
    struct planning *p = *state;

    disk_machine_break_gpt(p->host, 1, BACKUP);
    put(p, disk_bytes(p) - 1024, INTEL);
    planning_rescan_to(p, SCAN_FULL);
    for (enum disk_change_kind kind = DISK_CHANGE_GPT; kind <= DISK_CHANGE_RESTORE; kind++) {
        struct disk_change change = gpt_change(false);
        change.kind = kind;
        assert_int_equal(check(p, &change), ST_REFUSED);
        change.disk = 0;
        assert_int_equal(check(p, &change), ST_OK);
    }
}

/* Where the primary was lies LVM: the partitions of the backup are what is left of an earlier use,
 * and a file written into one would be written into somebody's volume. */
static void nothing_is_written_to_a_disk_that_somebody_took_as_a_whole(void **state)
{
    struct planning *p = *state;

    disk_machine_break_gpt(p->host, 1, PRIMARY);
    put(p, 1024, "LABELONE");
    planning_rescan_to(p, SCAN_FULL);
    assert_int_equal(p->machine.disks[1].owner.owner, OWNER_LVM2);
    for (enum disk_change_kind kind = DISK_CHANGE_GPT; kind <= DISK_CHANGE_RESTORE; kind++) {
        struct disk_change change = gpt_change(false);
        change.kind = kind;
        assert_int_equal(check(p, &change), ST_REFUSED);
    }
}

/* At the end a mark takes nothing but the place of the backup. */
static void mark_behind_the_table_leaves_the_partitions_alone(void **state)
{
    struct planning *p = *state;
    struct disk_change change = gpt_change(false);

    disk_machine_break_gpt(p->host, 1, BACKUP);
    put(p, disk_bytes(p) - 240 * 1024 + 24, "version");
    planning_rescan_to(p, SCAN_FULL);
    assert_int_equal(p->machine.disks[1].owner.owner, OWNER_ZFS);
    assert_int_equal(check(p, &change), ST_REFUSED);
    change.kind = DISK_CHANGE_FILES;
    assert_int_equal(check(p, &change), ST_OK);
}

/* A mark within a partition is that partition's. */
static void mark_in_a_partition_is_no_owner_of_the_disk(void **state)
{
    struct planning *p = *state;
    struct disk_change change = gpt_change(false);
    struct host_partition esp = disk_machine_place(p->host, 1, PART_ESP);

    disk_machine_break_gpt(p->host, 1, PRIMARY);
    planning_rescan_to(p, SCAN_FULL);
    assert_true(esp.start * 512 <= MIB);
    put(p, MIB, "\x0d\xd0\x01\xc0");
    planning_rescan_to(p, SCAN_FULL);
    assert_int_equal(p->machine.disks[1].owner.owner, OWNER_NOBODY);
    assert_int_equal(check(p, &change), ST_OK);
}

/* Zeros in the first and last MiB, and no mark farther in. */
static void disk_is_blank_to_scan_and_apply_alike(void **state)
{
    struct planning *p = *state;
    struct disk_change change = gpt_change(true);
    const uint64_t zeros[] = {0, MIB - 1, disk_bytes(p) - MIB, disk_bytes(p) - 1};
    static const char byte[] = {0};

    disk_machine_blank(p->host, 1);
    planning_rescan_to(p, SCAN_FULL);
    assert_true(p->machine.disks[1].blank);
    assert_int_equal(check(p, &change), ST_OK);
    for (size_t i = 0; i < sizeof(zeros) / sizeof(zeros[0]); i++) {
        put(p, zeros[i], "x");
        assert_int_equal(check(p, &change), ST_CHANGED);
        mem_block_write(p->host->disks[1], zeros[i], byte, 1);
    }
    put(p, MIB, "left over"); /* what diskpart's "clean" leaves */
    assert_int_equal(check(p, &change), ST_OK);
    put(p, MIB, "\x0d\xd0\x01\xc0"); /* VMFS */
    assert_int_equal(check(p, &change), ST_CHANGED);
    planning_rescan_to(p, SCAN_FULL);
    assert_false(p->machine.disks[1].blank);
    assert_int_equal(p->machine.disks[1].owner.owner, OWNER_VMFS);
}

static void file_system_is_not_put_where_somebody_came_since(void **state)
{
    struct planning *p = *state;
    struct host_partition esp = disk_machine_place(p->host, 1, PART_ESP);
    struct disk_change change = {.kind = DISK_CHANGE_FORMAT,
                                 .disk = 1,
                                 .first_lba = esp.start,
                                 .block_count = esp.size,
                                 .esp = NO_INDEX};

    disk_machine_zero(p->host, 1, PART_ESP);
    disk_machine_drop_partition(p->host, 1, PART_ESP);
    planning_rescan_to(p, SCAN_FULL);
    assert_int_equal(p->machine.claim_count, 0);
    assert_int_equal(check(p, &change), ST_OK);
    put(p, esp.start * 512, "LUKS\xba\xbe");
    assert_int_equal(check(p, &change), ST_CHANGED);
    planning_rescan_to(p, SCAN_FULL);
    assert_int_equal(p->machine.claim_count, 1);
    assert_int_equal(p->machine.claims[0].mark.owner, OWNER_LUKS);
    assert_int_equal(p->machine.claims[0].mark.offset, (uint64_t)esp.start * 512);
}

/* In the middle of free space, where no scan of it looks. */
static void file_system_is_not_put_over_a_mark_within_free_space(void **state)
{
    struct planning *p = *state;
    struct host_partition esp = disk_machine_place(p->host, 1, PART_ESP);
    struct disk_change change = {.kind = DISK_CHANGE_FORMAT,
                                 .disk = 1,
                                 .first_lba = esp.start + MIB / 512,
                                 .block_count = esp.size - MIB / 512,
                                 .esp = NO_INDEX};

    disk_machine_zero(p->host, 1, PART_ESP);
    disk_machine_drop_partition(p->host, 1, PART_ESP);
    put(p, change.first_lba * 512, "LUKS\xba\xbe");
    planning_rescan_to(p, SCAN_FULL);
    assert_int_equal(p->machine.claim_count, 0);
    assert_int_equal(check(p, &change), ST_REFUSED);
    change.first_lba++;
    change.block_count--;
    assert_int_equal(check(p, &change), ST_OK);
}

/* Both copies were good; now the backup is somebody's metadata. */
static void table_whose_backup_was_overwritten_since_is_not_written(void **state)
{
    struct planning *p = *state;
    struct disk_change change = gpt_change(false);
    struct apply_result result;

    change.gpt.write_mbr = true;
    plan_change_disk(&p->plan, &change, "write the table");
    mem_block_write(p->host->disks[1], disk_bytes(p) - 512, "$XIDE$", 6);
    struct mem_block *before = mem_block_clone(p->host->disks[1]);
    assert_int_equal(fixture_apply(&p->arena, host_ports(p->host), &p->plan, &result), ST_CHANGED);
    assert_int_equal(mem_block_difference(before, p->host->disks[1], 0), UINT64_MAX);
    mem_block_free(before);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, planning_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(table_is_not_written_over_a_raid_that_came_since),
        CASE(member_of_a_raid_is_not_written_at_all),
        CASE(nothing_is_written_to_a_disk_that_somebody_took_as_a_whole),
        CASE(mark_behind_the_table_leaves_the_partitions_alone),
        CASE(mark_in_a_partition_is_no_owner_of_the_disk),
        CASE(disk_is_blank_to_scan_and_apply_alike),
        CASE(file_system_is_not_put_where_somebody_came_since),
        CASE(file_system_is_not_put_over_a_mark_within_free_space),
        CASE(table_whose_backup_was_overwritten_since_is_not_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
