/* A boot sector of FAT32 that is dead: written back from its backup, one sector and nothing else, as long as that is all
 * there is to mend. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "plan/mend_fat.h"
#include "unit/disk_work_fixture.h"
#include "unit/fat_fixture.h"

#define MIB      (1u << 20)
#define FIRST    2048u
#define BYTES    (34u * MIB) /* more clusters of a sector than FAT16 has */
#define IN_USE   MIB         /* of these */
#define FALLBACK "\\EFI\\BOOT\\BOOTX64.EFI"

static const struct fixture_partition esp = {1,
                                             "c12a7328-f81f-11d2-ba4b-00a0c93ec93b",
                                             "d15c0000-0000-4000-8000-0123456789ab",
                                             FIRST,
                                             BYTES / 512,
                                             "EFI"};

/* Blocks of Disk 0 as they were made, from the begin of the ESP on. */
static uint8_t whole[IN_USE];

static void make_esp(void)
{
    uint8_t *image = calloc(1, BYTES);
    struct fat_fixture fat;

    fat_fixture_format(&fat, image, BYTES, 32, 512, 1);
    uint32_t efi = fat_fixture_add_directory(&fat, 0, "EFI");
    uint32_t boot = fat_fixture_add_directory(&fat, efi, "BOOT");
    fat_fixture_add_file(&fat, boot, "BOOTX64.EFI", "a program", 9);
    assert_true(fat.data_offset + (uint64_t)fat.next_cluster * 512 < IN_USE);
    memcpy(whole, image, IN_USE);
    free(image);
}

/* The first sector of the ESP on Disk 0 is zero, and writing it back is planned. */
static int set_up(void **state)
{
    static const uint8_t zeros[512];
    struct host *host = host_new();

    make_esp();
    (void)fixture_add_disk(host, DISK_AHCI, 512, 96 * MIB / 512,
                           "d15c0010-0000-4000-8000-0123456789ab", &esp, 1);
    mem_block_write(host->disks[0], FIRST * 512, whole, sizeof(whole));
    mem_block_write(host->disks[0], FIRST * 512, zeros, sizeof(zeros));
    disk_machine_add_stick(host);
    disk_machine_follow(host);
    struct planning *p = planning_begin(host);
    planning_rescan_to(p, SCAN_FULL);
    assert_int_equal(plan_mend_fat(&p->plan, esp_on(p, 0)), ST_OK);
    *state = p;
    return 0;
}

static void assert_esp(const struct planning *p, const uint8_t *wanted)
{
    static uint8_t now[IN_USE];

    mem_block_peek(p->host->disks[0], FIRST * 512, now, sizeof(now));
    assert_memory_equal(now, wanted, sizeof(now));
}

/* Fails the test unless nothing of the plan is carried out. */
static void expect_refused(struct planning *p, enum status status, const char *words)
{
    struct mem_block *before = mem_block_clone(p->host->disks[0]);
    struct apply_result result;

    assert_int_equal(disk_work_apply(p, &result), status);
    assert_non_null(strstr(result.problem, words));
    assert_disk_unchanged(p, before, 0);
    mem_block_free(before);
}

static void one_sector_is_written_and_the_file_system_is_whole(void **state)
{
    struct planning *p = *state;
    struct mem_block *dead = mem_block_clone(p->host->disks[0]);
    struct apply_result result;

    assert_int_equal(disk_work_apply(p, &result), ST_OK);
    assert_int_equal(result.disk_bytes, 512);
    assert_esp(p, whole);
    assert_int_equal(disk_work_undo(p, &result), ST_OK);
    assert_disk_unchanged(p, dead, 0); /* I4 */
    mem_block_free(dead);
}

/* It could be of a file system that something was made over meanwhile. */
static void boot_sector_of_other_files_is_not_written(void **state)
{
    struct planning *p = *state;
    uint8_t *root = NULL;

    for (size_t at = 0; at + 32 < sizeof(whole) && root == NULL; at += 32)
        root = memcmp(whole + at, "EFI        ", 11) == 0 ? whole + at : NULL;
    assert_non_null(root);
    mem_block_write(p->host->disks[0], FIRST * 512 + (uint64_t)(root - whole), "\xe5", 1);
    expect_refused(p, ST_CHANGED, "Run the command again");
}

/* Somebody has written it back already. */
static void boot_sector_that_is_there_again_is_left_alone(void **state)
{
    struct planning *p = *state;

    mem_block_write(p->host->disks[0], FIRST * 512, whole, 512);
    expect_refused(p, ST_CHANGED, "Run the command again");
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, set_up, planning_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(one_sector_is_written_and_the_file_system_is_whole),
        ROW(boot_sector_of_other_files_is_not_written),
        ROW(boot_sector_that_is_there_again_is_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
