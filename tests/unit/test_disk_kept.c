/* Boot files that Windows itself keeps, read from its volume while they are written to an ESP: memory did not do
 * for what the scan had read. And sources that cannot be read any more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "format/ntfs/ntfs.h"
#include "model/scan_source.h"
#include "unit/disk_work_fixture.h"
#include "unit/fat_fixture.h"
#include "unit/windows_fixture.h"

#define LARGE (3u << 19) /* bytes, more than what is written at once */

#define MANAGER "\\EFI\\Microsoft\\Boot\\bootmgfw.efi"

static size_t copy_on(const struct planning *p, size_t disk)
{
    for (size_t i = 0; i < p->machine.copy_count; i++) {
        if (p->machine.copies[i].disk == disk)
            return i;
    }
    fail_msg("Disk %zu has no copy of Windows", disk);
    return NO_INDEX;
}

/* The boot manager is to come from the Windows of Disk 0 to the ESP of Disk 1. */
static void plan_manager_of_windows(struct planning *p)
{
    const struct source_request request = {.copy = copy_on(p, 0)};
    struct file_copy *item = arena_alloc(&p->arena, 1, sizeof(*item));

    assert_int_equal(scan_source(&p->arena, host_ports(p->host), &request, &p->machine), ST_OK);
    *item = item_of(p, machine_find_source(&p->machine, request.copy), MANAGER);
    struct disk_change change = change_of_esp(p, DISK_CHANGE_FILES, item, 1);
    plan_change_disk(&p->plan, &change, "bring the boot manager of Windows");
    assert_int_equal(p->plan.status, ST_OK);
    scan_let_contents_go(&p->machine);
}

static int set_up(void **state)
{
    struct disk_machine_shape shape = disk_machine_usual();

    shape.windows_is_whole = true;
    struct planning *p = disk_work_planning(shape);
    disk_machine_zero_file(p->host, 1, MANAGER);
    planning_rescan_to(p, SCAN_FULL);
    plan_manager_of_windows(p);
    *state = p;
    return 0;
}

/* Where on Disk 0 the manager of its Windows begins. */
static uint64_t place_of_manager(const struct planning *p)
{
    struct host_partition place = disk_machine_place(p->host, 0, PART_DATA);
    struct span manager = windows_manager();
    uint8_t start[512];

    for (uint64_t i = 0; i < place.size; i++) {
        mem_block_peek(p->host->disks[0], (place.start + i) * 512, start, sizeof(start));
        if (memcmp(start, manager.at, sizeof(start)) == 0)
            return (place.start + i) * 512;
    }
    fail_msg("Windows has no boot manager");
    return 0;
}

/* Something that happens to the file that is copied, once the first bytes of it are written. */
struct happening {
    void (*happens)(struct ntfs_file *file);
    struct ntfs_file *file;
};

static bool let_happen(void *ctx, uint64_t done, uint64_t total)
{
    struct happening *happening = ctx;

    (void)total;
    if (done > 0 && happening->happens != NULL) {
        happening->happens(happening->file);
        happening->happens = NULL;
    }
    return false;
}

/* Applies the plan; fails the test unless it comes to nothing, with words that say so. */
static void expect_nothing_done(struct planning *p, struct happening *happening, enum status wanted,
                                const char *words)
{
    struct mem_block *source = mem_block_clone(p->host->disks[0]);
    size_t size = 0;
    size_t now_size = 0;
    uint8_t *before = disk_machine_file(p->host, 1, MANAGER, &size);
    struct apply_result result;

    assert_int_equal(disk_work_apply_told(p, host_ports(p->host), let_happen, happening, &result),
                     wanted);
    assert_says(result.problem, words);
    uint8_t *now = disk_machine_file(p->host, 1, MANAGER, &now_size);
    assert_int_equal(now_size, size);
    assert_memory_equal(now, before, size);
    assert_disk_unchanged(p, source, 0); /* I3 */
    free(before);
    free(now);
    mem_block_free(source);
}

/* --- Windows as the source -------------------------------------------------------------------- */

static void manager_comes_from_windows_byte_for_byte(void **state)
{
    struct planning *p = *state;
    struct mem_block *source = mem_block_clone(p->host->disks[0]);
    struct span wanted = windows_manager();
    struct apply_result result;
    size_t size = 0;

    assert_int_equal(disk_work_apply(p, &result), ST_OK);
    uint8_t *now = disk_machine_file(p->host, 1, MANAGER, &size);
    assert_int_equal(size, wanted.size);
    assert_memory_equal(now, wanted.at, size);
    assert_disk_unchanged(p, source, 0); /* I3 */
    free(now);
    mem_block_free(source);
}

/* Puts a file of that many clusters beside the manager. */
static void fill(struct fat_fixture *fat, uint32_t folder, const char *name, uint32_t clusters)
{
    uint8_t *content = calloc(clusters, fat->cluster_size);

    fat_fixture_add_file(fat, folder, name, content, clusters * fat->cluster_size);
    free(content);
}

/* Leaves no room on the ESP of Disk 1 but for the manager, in two places. */
static void leave_two_holes(struct host *host)
{
    struct host_partition place = disk_machine_place(host, 1, PART_ESP);
    size_t size = place.size * 512;
    uint8_t *image = calloc(1, size);
    struct fat_fixture fat;

    fat_fixture_format(&fat, image, size, 16, 512, 1);
    uint32_t efi = fat_fixture_add_directory(&fat, 0, "EFI");
    uint32_t microsoft = fat_fixture_add_directory(&fat, efi, "Microsoft");
    uint32_t boot = fat_fixture_add_directory(&fat, microsoft, "Boot");
    uint32_t half = (uint32_t)windows_manager().size / fat.cluster_size / 2 + 1;
    fill(&fat, boot, "A.BIN", half);
    fill(&fat, boot, "B.BIN", 1);
    fill(&fat, boot, "C.BIN", half);
    fill(&fat, boot, "D.BIN", fat.clusters + 2 - fat.next_cluster);
    mem_block_write(host->disks[1], place.start * 512, image, size);
    disk_machine_delete(host, 1, "\\EFI\\Microsoft\\Boot\\A.BIN");
    disk_machine_delete(host, 1, "\\EFI\\Microsoft\\Boot\\C.BIN");
    free(image);
}

static void manager_comes_in_as_many_pieces_as_there_is_room_in(void **state)
{
    struct planning *p = *state;
    struct span wanted = windows_manager();
    struct apply_result result;
    size_t size = 0;

    leave_two_holes(p->host);
    planning_rescan_to(p, SCAN_FULL);
    plan_manager_of_windows(p);
    assert_int_equal(disk_work_apply(p, &result), ST_OK);
    uint8_t *now = disk_machine_file(p->host, 1, MANAGER, &size);
    assert_int_equal(size, wanted.size);
    assert_memory_equal(now, wanted.at, size);
    free(now);
}

/* Its records are the same, so only what is read tells. */
static void manager_with_other_content_by_now_is_not_left_there(void **state)
{
    struct planning *p = *state;
    struct happening nothing = {NULL, NULL};

    mem_block_write(p->host->disks[0], place_of_manager(p) + 3000, "update", 6);
    expect_nothing_done(p, &nothing, ST_CHANGED,
                        "changed in the meantime|Everything is again as it was before");
}

static void manager_that_cannot_be_read_any_more_is_not_left_there(void **state)
{
    struct planning *p = *state;
    struct happening nothing = {NULL, NULL};

    mem_block_spoil(p->host->disks[0], place_of_manager(p) / 512 + 2, 1);
    expect_nothing_done(p, &nothing, ST_IO, "device error|Everything is again as it was before");
}

/* What the plan means is then not what is there: as if Windows, or who has the disk, wrote to it. */
static void become_larger(struct ntfs_file *file)
{
    file->size++;
}

static void become_packed(struct ntfs_file *file)
{
    file->form = NTFS_FORM_LZNT1;
}

static void become_written_to(struct ntfs_file *file)
{
    file->written++;
}

static void become_another(struct ntfs_file *file)
{
    file->sequence++;
}

/* What was copied before may be one half of the old and one of the new. */
static void manager_that_changes_while_it_is_copied_is_not_left_there(void **state)
{
    static void (*const ways[])(struct ntfs_file *) = {become_larger, become_packed,
                                                       become_written_to, become_another};

    (void)state;
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        void *fresh = NULL;
        assert_int_equal(set_up(&fresh), 0);
        struct planning *p = fresh;
        const struct file_copy *item = p->plan.actions[0].change->files.items;
        const struct esp *source = &p->machine.esps[item->esp];
        struct happening way = {ways[i], (struct ntfs_file *)&source->source->files[item->file]};
        expect_nothing_done(p, &way, ST_CHANGED, "Everything is again as it was before");
        assert_null(way.happens);
        planning_end(p);
    }
}

static void windows_that_is_gone_is_no_source(void **state)
{
    struct planning *p = *state;
    struct happening nothing = {NULL, NULL};

    disk_machine_zero(p->host, 0, PART_DATA);
    expect_nothing_done(p, &nothing, ST_CHANGED, "Run the command again|Nothing was changed");
}

static void windows_on_a_disk_that_fails_is_no_source(void **state)
{
    struct planning *p = *state;
    struct host_partition place = disk_machine_place(p->host, 0, PART_DATA);
    struct happening nothing = {NULL, NULL};

    mem_block_spoil(p->host->disks[0], place.start, place.size);
    expect_nothing_done(p, &nothing, ST_IO, "the health of the disk|Nothing was changed");
}

/* --- An ESP as the source --------------------------------------------------------------------- */

/* The boot manager is to come from the ESP of Disk 0, whose blocks are read. */
static int from_esp(void **state)
{
    struct planning *p = disk_work_planning(disk_machine_usual());

    disk_machine_zero_file(p->host, 1, MANAGER);
    planning_rescan_to(p, SCAN_FULL);
    plan_boot_manager(p);
    scan_let_contents_go(&p->machine);
    *state = p;
    return 0;
}

static void esp_on_a_disk_that_fails_is_no_source(void **state)
{
    struct planning *p = *state;
    struct happening nothing = {NULL, NULL};

    mem_block_spoil(p->host->disks[0], disk_machine_place(p->host, 0, PART_ESP).start, 1);
    expect_nothing_done(p, &nothing, ST_IO, "the health of the disk|Nothing was changed");
}

static void file_of_an_esp_that_cannot_be_read_any_more_is_not_left_there(void **state)
{
    struct planning *p = *state;
    struct happening nothing = {NULL, NULL};
    const struct esp *esp = &p->machine.esps[esp_on(p, 0)];
    uint32_t cluster = esp->report.files[fat_find(&esp->report, MANAGER)].first_cluster;
    uint64_t place =
        esp->volume.data_offset + (uint64_t)(cluster - 2) * esp->volume.cluster_size + 1024;

    mem_block_spoil(p->host->disks[0], disk_machine_place(p->host, 0, PART_ESP).start + place / 512,
                    1);
    expect_nothing_done(p, &nothing, ST_IO, "device error|Everything is again as it was before");
}

/* Puts an ESP with sectors of 4096 bytes on Disk 0, whose blocks are shorter: what is written at once ends
 * within a sector then. */
static void put_large_sectors(struct host *host)
{
    struct host_partition place = disk_machine_place(host, 0, PART_ESP);
    size_t size = place.size * 512;
    uint8_t *image = calloc(1, size);
    uint8_t *content = calloc(1, LARGE);
    struct fat_fixture fat;

    fat_fixture_format(&fat, image, size, 12, 4096, 1);
    uint32_t folder = fat_fixture_add_directory(&fat, 0, "EFI");
    for (size_t i = 0; i < LARGE; i++)
        content[i] = (uint8_t)(i * 31 + (i >> 8) * 7 + (i >> 16));
    fat_fixture_add_file(&fat, folder, "ONE.EFI", content + 5, 1300);
    fat_fixture_add_file(&fat, folder, "TWO.EFI", content, LARGE);
    mem_block_write(host->disks[0], place.start * 512, image, size);
    disk_machine_restart(host);
    free(content);
    free(image);
}

static void files_come_whole_from_an_esp_with_larger_sectors(void **state)
{
    struct planning *p = *state;
    struct apply_result result;

    put_large_sectors(p->host);
    planning_rescan_to(p, SCAN_FULL);
    plan_format(p);
    scan_let_contents_go(&p->machine);
    assert_int_equal(disk_work_apply(p, &result), ST_OK);
    assert_same_file(p, "\\EFI\\ONE.EFI");
    assert_same_file(p, "\\EFI\\TWO.EFI");
}

/* What the scan makes of the boot manager in the Windows of Disk 1 where nothing is kept. */
static const struct file_content *read_past(struct planning *p)
{
    const struct source_request request = {.copy = copy_on(p, 1)};

    p->machine.contents = NULL;
    assert_int_equal(scan_source(&p->arena, host_ports(p->host), &request, &p->machine), ST_OK);
    const struct esp *esp = &p->machine.esps[machine_find_source(&p->machine, request.copy)];
    return &esp->contents[fat_find(&esp->report, MANAGER)];
}

static void content_that_is_not_kept_is_judged_all_the_same(void **state)
{
    struct span wanted = windows_manager();
    struct sha256 digest = sha256_of(wanted);
    const struct file_content *content = read_past(*state);

    assert_int_equal(content->status, ST_OK);
    assert_null(content->kept);
    assert_true(sha256_equal(&content->digest, &digest));
    assert_int_equal(content->program, PE_GOOD);
    assert_non_null(content->signers);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, set_up, planning_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(manager_comes_from_windows_byte_for_byte),
        ROW(manager_comes_in_as_many_pieces_as_there_is_room_in),
        ROW(manager_with_other_content_by_now_is_not_left_there),
        ROW(manager_that_cannot_be_read_any_more_is_not_left_there),
        cmocka_unit_test(manager_that_changes_while_it_is_copied_is_not_left_there),
        ROW(content_that_is_not_kept_is_judged_all_the_same),
        ROW(windows_that_is_gone_is_no_source),
        ROW(windows_on_a_disk_that_fails_is_no_source),
        cmocka_unit_test_setup_teardown(esp_on_a_disk_that_fails_is_no_source, from_esp,
                                        planning_tear_down),
        cmocka_unit_test_setup_teardown(
            file_of_an_esp_that_cannot_be_read_any_more_is_not_left_there, from_esp,
            planning_tear_down),
        cmocka_unit_test_setup_teardown(files_come_whole_from_an_esp_with_larger_sectors, from_esp,
                                        planning_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
