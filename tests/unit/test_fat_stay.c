/* Files that stay where they lie while blocks of them are changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "format/fat/fat_edit.h"
#include "host/host_alloc.h"
#include "unit/image_fixture.h"

#define BLOCK     512u
#define FIRST_LBA 8u
#define BLOCKS    (5u << 11)
#define FILE_SIZE 8192u /* some clusters */
#define MEMORY    (4u << 20)
#define STORE     "\\EFI\\BCD"

struct disk {
    struct image image;
    struct block_port port;
    struct arena arena;
    struct fat_volume volume;
    struct fat_report report;
    void *memory;
    uint8_t before[FILE_SIZE], after[FILE_SIZE];
};

static struct span content_of(void *ctx, size_t source)
{
    const struct disk *disk = ctx;

    assert_int_equal(source, 0);
    return span_of(disk->before, FILE_SIZE);
}

static void open_disk(struct disk *disk)
{
    arena_init(&disk->arena, disk->memory, MEMORY);
    disk->port = image_port(&disk->image);
    assert_int_equal(fat_open(&disk->arena, &disk->port, FIRST_LBA, BLOCKS, &disk->volume), ST_OK);
    assert_int_equal(fat_check(&disk->arena, &disk->volume, UINT64_MAX, &disk->report), ST_OK);
}

static void apply(struct disk *disk, const struct disk_edit *edit)
{
    struct image_units units = image_units_of(&disk->image, edit, content_of, disk);

    image_apply(&disk->image, &units);
    image_units_free(&units);
}

/* A volume with the file. */
static int set_up(void **state)
{
    struct disk *disk = host_alloc(1, sizeof(*disk));
    struct fat_entry_request file = {.path = STORE, .attributes = 0x20, .size = FILE_SIZE};
    struct fat_layout_request layout = {.first_lba = FIRST_LBA,
                                        .block_count = BLOCKS,
                                        .block_size = BLOCK,
                                        .type = FAT_16,
                                        .label = "",
                                        .entries = &file,
                                        .entry_count = 1};
    struct disk_edit edit;

    disk->memory = host_alloc(1, MEMORY);
    for (size_t i = 0; i < FILE_SIZE; i++)
        disk->before[i] = (uint8_t)(i >> 5);
    memcpy(disk->after, disk->before, FILE_SIZE);
    disk->image = image_make(BLOCK, FIRST_LBA + BLOCKS);
    arena_init(&disk->arena, disk->memory, MEMORY);
    assert_int_equal(fat_layout(&disk->arena, &layout, &edit), ST_OK);
    apply(disk, &edit);
    open_disk(disk);
    *state = disk;
    return 0;
}

static int tear_down(void **state)
{
    struct disk *disk = *state;

    free(disk->image.bytes);
    free(disk->memory);
    free(disk);
    return 0;
}

static struct fat_entry_request request_of(const struct disk *disk)
{
    return (struct fat_entry_request){.path = STORE,
                                      .attributes = 0x22,
                                      .size = FILE_SIZE,
                                      .before = span_of(disk->before, FILE_SIZE),
                                      .after = span_of(disk->after, FILE_SIZE)};
}

static enum status work_out(struct disk *disk, const struct fat_entry_request *request,
                            struct disk_edit *ret_edit)
{
    return fat_edit(&disk->arena, &disk->volume, &disk->report, request, 1, ret_edit);
}

static void blocks_that_differ_are_written_and_nothing_else(void **state)
{
    struct disk *disk = *state;
    static const size_t places[] = {700, 701, 4095, 4096};
    struct fat_entry_request request = request_of(disk);
    struct fat_file was = disk->report.files[fat_find(&disk->report, STORE)];
    struct disk_edit edit;
    size_t blocks = 0;

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        disk->after[places[i]] ^= 0xff;
    assert_int_equal(work_out(disk, &request, &edit), ST_OK);
    assert_int_equal(edit.file_count, 0);
    assert_int_equal(edit.freed_count, 0);
    for (size_t i = 0; i < edit.write_count; i++) {
        blocks += edit.writes[i].data.size / BLOCK;
        assert_int_equal(edit.writes[i].phase, FAT_EDIT_NEW);
        assert_false(edit.writes[i].free_space);
    }
    assert_int_equal(blocks, 3);
    apply(disk, &edit);
    memcpy(disk->before, disk->after, FILE_SIZE);
    open_disk(disk);
    assert_true(fat_file_equal(&was, &disk->report.files[fat_find(&disk->report, STORE)]));
    /* It holds that now, so nothing is left to do. */
    assert_int_equal(work_out(disk, &request, &edit), ST_OK);
    assert_int_equal(edit.write_count, 0);
}

static void file_that_holds_something_else_is_not_touched(void **state)
{
    struct disk *disk = *state;
    struct fat_entry_request request = request_of(disk);
    struct disk_edit edit;

    disk->after[0] ^= 1;
    disk->before[FILE_SIZE - 1] ^= 1; /* in a block that stays as it is */
    disk->after[FILE_SIZE - 1] ^= 1;
    assert_int_equal(work_out(disk, &request, &edit), ST_CHANGED);
    request.path = "\\EFI\\BCD.old";
    assert_int_equal(work_out(disk, &request, &edit), ST_CHANGED);
}

static void chain_that_ends_too_soon_is_found(void **state)
{
    struct disk *disk = *state;
    uint8_t longer[2 * FILE_SIZE] = {0};
    struct fat_entry_request request = request_of(disk);
    struct disk_edit edit;

    memcpy(longer, disk->before, FILE_SIZE);
    request.before = span_of(longer, sizeof(longer));
    request.after = request.before;
    assert_int_equal(work_out(disk, &request, &edit), ST_CHANGED);
}

static void sizes_that_do_not_fit_are_refused(void **state)
{
    struct disk *disk = *state;
    struct fat_entry_request request = request_of(disk);
    struct disk_edit edit;

    request.before.size -= BLOCK;
    assert_int_equal(work_out(disk, &request, &edit), ST_USAGE);
    request.before.size += BLOCK - 1; /* within a block */
    request.after.size--;
    assert_int_equal(work_out(disk, &request, &edit), ST_USAGE);
}

#define WITH_DISK(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DISK(blocks_that_differ_are_written_and_nothing_else),
        WITH_DISK(file_that_holds_something_else_is_not_touched),
        WITH_DISK(chain_that_ends_too_soon_is_found),
        WITH_DISK(sizes_that_do_not_fit_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
