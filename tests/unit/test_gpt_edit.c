/*
 * Writing GUID partition tables: power is cut at every phase, and in it after every single block
 * and after random sets of them. The copies are judged by the reader, and by checksums of this
 * file's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "format/gpt_edit.h"
#include "format/mbr.h"
#include "host/host_alloc.h"
#include "unit/bytes_fixture.h"
#include "unit/image_fixture.h"

#define ARENA_SIZE   (8u << 20)
#define DISK_BYTES   (16u << 20)
#define RANDOM_TRIES 20

static const struct guid disk_guid = GUID_INIT(0xc0ffee00, 0x1111, 0x4222, 0x8333, 0x0123456789ab);

/* A disk and the form of its table. */
struct disk {
    struct image image;
    uint32_t entry_count;
    uint32_t entry_size;
    uint8_t *entries;
    uint8_t *memory;
    struct arena arena;
};

static struct disk make_disk(uint32_t block_size, uint32_t entry_count, uint32_t entry_size)
{
    struct disk disk = {.image = image_make(block_size, DISK_BYTES / block_size),
                        .entry_count = entry_count,
                        .entry_size = entry_size,
                        .entries = host_alloc(entry_count, entry_size),
                        .memory = host_alloc(1, ARENA_SIZE)};

    return disk;
}

static void drop_disk(struct disk *disk)
{
    free(disk->image.bytes);
    free(disk->entries);
    free(disk->memory);
}

static void put_entry(struct disk *disk, size_t number, uint64_t first, uint64_t last)
{
    uint8_t *at = disk->entries + number * disk->entry_size;

    memset(at, 0x5a, disk->entry_size); /* also what is behind the fields is kept */
    st_le64(at + 32, first);
    st_le64(at + 40, last);
}

static struct gpt_edit_request make_request(const struct disk *disk, bool primary, bool backup)
{
    return (struct gpt_edit_request){
        .block_size = disk->image.block_size,
        .block_count = disk->image.block_count,
        .disk_guid = disk_guid,
        .entries = span_of(disk->entries, (size_t)disk->entry_count * disk->entry_size),
        .entry_count = disk->entry_count,
        .entry_size = disk->entry_size,
        .primary_good = primary,
        .backup_good = backup,
        .mbr = span_of(disk->image.bytes, disk->image.block_size),
        .write_mbr = true,
    };
}

static enum status work_out(struct disk *disk, const struct gpt_edit_request *request,
                            struct disk_edit *edit)
{
    arena_init(&disk->arena, disk->memory, ARENA_SIZE);
    return gpt_edit(&disk->arena, request, edit);
}

static struct image_units units_of(struct disk *disk, bool primary, bool backup)
{
    struct gpt_edit_request request = make_request(disk, primary, backup);
    struct disk_edit edit;

    assert_int_equal(work_out(disk, &request, &edit), ST_OK);
    assert_int_equal(edit.file_count, 0);
    return image_units_of(&disk->image, &edit, NULL, NULL);
}

static void write_table(struct disk *disk)
{
    struct image_units units = units_of(disk, false, false);

    image_apply(&disk->image, &units);
    image_units_free(&units);
}

/* The checksum of the array of a copy that is good; 0 when it is not. */
static uint32_t copy_crc(const struct disk *disk, uint64_t lba)
{
    uint32_t size = disk->image.block_size;
    struct gpt_header header;

    if (gpt_header_parse(span_of(disk->image.bytes + lba * size, size), lba,
                         disk->image.block_count, &header) != GPT_FINE)
        return 0;
    assert_true(guid_equal(&header.disk_guid, &disk_guid));
    assert_int_equal(header.entry_size, disk->entry_size);
    assert_int_equal(header.entry_count, disk->entry_count);
    uint32_t crc = fixture_crc32(disk->image.bytes + header.entries_lba * size,
                                 (size_t)gpt_array_bytes(&header));
    return crc == header.entries_crc ? crc : 0;
}

struct tables {
    uint32_t old_crc;
    uint32_t new_crc;
};

static void expect_a_good_copy(const struct disk *disk, const struct tables *tables)
{
    uint64_t lbas[2] = {1, disk->image.block_count - 1};
    size_t good = 0;

    for (size_t i = 0; i < 2; i++) {
        uint32_t crc = copy_crc(disk, lbas[i]);
        good += crc != 0;
        assert_true(crc == 0 || crc == tables->old_crc || crc == tables->new_crc);
    }
    assert_true(good > 0);
}

static void swap_some(struct disk *disk, struct image_units *units, const bool *chosen)
{
    for (size_t i = 0; i < units->count; i++) {
        if (chosen[i])
            image_swap(&disk->image, &units->at[i]);
    }
}

static void try_cut(struct disk *disk, struct image_units *units, const bool *chosen,
                    const struct tables *tables)
{
    swap_some(disk, units, chosen);
    expect_a_good_copy(disk, tables);
    swap_some(disk, units, chosen); /* no block is written twice */
}

static void try_phase(struct disk *disk, struct image_units *units, size_t first, size_t end,
                      const struct tables *tables)
{
    bool *chosen = host_alloc(units->count + 1, sizeof(*chosen));

    for (size_t i = 0; i < first; i++)
        chosen[i] = true;
    try_cut(disk, units, chosen, tables);
    for (size_t one = first; one < end; one++) {
        chosen[one] = true;
        try_cut(disk, units, chosen, tables);
        chosen[one] = false;
    }
    for (size_t n = 0; n < RANDOM_TRIES; n++) {
        for (size_t i = first; i < end; i++)
            chosen[i] = rand() % 2 == 0;
        try_cut(disk, units, chosen, tables);
    }
    free(chosen);
}

static void try_all_cuts(struct disk *disk, struct image_units *units, const struct tables *tables)
{
    size_t first = 0;

    srand(4711);
    for (unsigned phase = 0; phase < units->phase_count; phase++) {
        size_t end = first;
        while (end < units->count && units->at[end].phase == phase)
            end++;
        try_phase(disk, units, first, end, tables);
        first = end;
    }
    assert_int_equal(first, units->count);
}

/* An old table, of which a copy may be damaged, and a new one with an entry more. */
static void change_table(uint32_t block_size, uint32_t entry_count, uint32_t entry_size,
                         bool primary, bool backup)
{
    struct disk disk = make_disk(block_size, entry_count, entry_size);
    uint64_t last = disk.image.block_count - 1;
    struct tables tables;

    put_entry(&disk, 0, 512, 1023);
    write_table(&disk);
    tables.old_crc = copy_crc(&disk, 1);
    assert_int_not_equal(tables.old_crc, 0);
    assert_int_equal(copy_crc(&disk, last), tables.old_crc);
    if (!primary)
        disk.image.bytes[block_size + 60] ^= 1;
    if (!backup)
        disk.image.bytes[last * block_size + 60] ^= 1;
    put_entry(&disk, entry_count - 1, 1024, 2047);
    tables.new_crc = fixture_crc32(disk.entries, (size_t)entry_count * entry_size);
    struct image_units units = units_of(&disk, primary, backup);
    try_all_cuts(&disk, &units, &tables);
    image_apply(&disk.image, &units);
    assert_int_equal(copy_crc(&disk, 1), tables.new_crc);
    assert_int_equal(copy_crc(&disk, last), tables.new_crc);
    image_units_free(&units);
    drop_disk(&disk);
}

static void every_cut_leaves_a_good_copy(void **state)
{
    static const uint32_t forms[][3] = {
        {512, 128, 128},  {4096, 128, 128}, {512, 128, 256},
        {4096, 130, 512}, {512, 200, 128},  {512, 129, 128},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        change_table(forms[i][0], forms[i][1], forms[i][2], true, true);
        change_table(forms[i][0], forms[i][1], forms[i][2], true, false);
        change_table(forms[i][0], forms[i][1], forms[i][2], false, true);
    }
}

static void both_copies_agree_and_stand_where_they_belong(void **state)
{
    (void)state;
    struct disk disk = make_disk(512, 128, 128);
    struct gpt_header headers[2];
    uint64_t last = disk.image.block_count - 1;

    write_table(&disk);
    assert_int_equal(gpt_header_parse(span_of(disk.image.bytes + 512, 512), 1,
                                      disk.image.block_count, &headers[0]),
                     GPT_FINE);
    assert_int_equal(gpt_header_parse(span_of(disk.image.bytes + last * 512, 512), last,
                                      disk.image.block_count, &headers[1]),
                     GPT_FINE);
    assert_true(gpt_headers_agree(&headers[0], &headers[1]));
    assert_int_equal(headers[0].first_usable_lba, 34);
    assert_int_equal(headers[0].last_usable_lba, last - 33);
    assert_int_equal(headers[0].entries_lba, 2);
    assert_int_equal(headers[1].entries_lba, last - 32);
    drop_disk(&disk);
}

static unsigned phase_at(const struct image_units *units, uint64_t lba)
{
    size_t i = 0;

    while (i < units->count && units->at[i].lba != lba)
        i++;
    assert_true(i < units->count);
    return units->at[i].phase;
}

/* A header that is there vouches for its array: the phases of the contract. */
static void header_comes_behind_its_array(void **state)
{
    (void)state;
    for (int only_backup_good = 0; only_backup_good < 2; only_backup_good++) {
        struct disk disk = make_disk(512, 128, 128);
        struct image_units units = units_of(&disk, !only_backup_good, true);
        unsigned primary = only_backup_good ? 0 : 2;
        uint64_t last = disk.image.block_count - 1;
        assert_int_equal(phase_at(&units, 2), primary);
        assert_int_equal(phase_at(&units, 33), primary);
        assert_int_equal(phase_at(&units, 1), primary + 1);
        assert_int_equal(phase_at(&units, last - 32), 2 - primary);
        assert_int_equal(phase_at(&units, last - 1), 2 - primary);
        assert_int_equal(phase_at(&units, last), 3 - primary);
        image_units_free(&units);
        drop_disk(&disk);
    }
}

static void blank_disk_gets_its_mbr_last(void **state)
{
    (void)state;
    struct disk disk = make_disk(512, 128, 128);
    struct image_units units = units_of(&disk, false, false);

    assert_int_equal(units.at[units.count - 1].lba, 0);
    assert_int_equal(units.at[units.count - 1].phase, 4);
    assert_int_not_equal(units.at[units.count - 2].phase, 4);
    image_apply(&disk.image, &units);
    struct mbr mbr = mbr_parse(span_of(disk.image.bytes, 512), disk.image.block_count);
    assert_int_equal(mbr.kind, MBR_PROTECTIVE);
    assert_true(mbr.protective_at_lba_1);
    assert_int_equal(ld_le32(disk.image.bytes + 458), disk.image.block_count - 1);
    image_units_free(&units);
    drop_disk(&disk);
}

static void boot_code_is_kept(void **state)
{
    (void)state;
    struct disk disk = make_disk(4096, 128, 128);

    memset(disk.image.bytes, 0xc3, 4096);
    write_table(&disk);
    for (size_t i = 0; i < 440; i++)
        assert_int_equal(disk.image.bytes[i], 0xc3);
    assert_int_equal(mbr_parse(span_of(disk.image.bytes, 4096), disk.image.block_count).kind,
                     MBR_PROTECTIVE);
    assert_int_equal(disk.image.bytes[4095], 0xc3);
    drop_disk(&disk);
}

static void mbr_is_left_alone_unless_asked_for(void **state)
{
    (void)state;
    struct disk disk = make_disk(512, 128, 128);
    struct gpt_edit_request request = make_request(&disk, false, false);
    struct disk_edit edit;

    request.write_mbr = false;
    assert_int_equal(work_out(&disk, &request, &edit), ST_OK);
    for (size_t i = 0; i < edit.write_count; i++)
        assert_int_not_equal(edit.writes[i].lba, 0);
    drop_disk(&disk);
}

static void size_of_a_large_disk_is_capped_in_the_mbr(void **state)
{
    (void)state;
    struct disk disk = make_disk(512, 128, 128);
    struct gpt_edit_request request = make_request(&disk, false, false);
    struct disk_edit edit;

    request.block_count = 1ull << 33;
    request.mbr = span_of(NULL, 0);
    assert_int_equal(work_out(&disk, &request, &edit), ST_OK);
    assert_int_equal(edit.writes[edit.write_count - 1].lba, 0);
    assert_int_equal(ld_le32(edit.writes[edit.write_count - 1].data.at + 458), 0xffffffff);
    drop_disk(&disk);
}

static void entries_that_cannot_be_are_refused(void **state)
{
    static const struct {
        uint64_t first[2];
        uint64_t last[2];
        enum status expected;
    } cases[] = {
        {{34, 1000}, {999, 32734}, ST_OK},
        {{33, 1000}, {999, 2000}, ST_REFUSED},    /* on the array */
        {{34, 1000}, {999, 32735}, ST_REFUSED},   /* on the backup array */
        {{34, 1000}, {1000, 2000}, ST_REFUSED},   /* one block is in both */
        {{1000, 34}, {2000, 1500}, ST_REFUSED},   /* the same, in another order */
        {{1000, 1200}, {2000, 1300}, ST_REFUSED}, /* one inside the other */
        {{1000, 3000}, {999, 3000}, ST_REFUSED},  /* the end before the beginning */
        {{1000, 3000}, {UINT64_MAX, 3000}, ST_REFUSED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct disk disk = make_disk(512, 128, 128);
        struct gpt_edit_request request = make_request(&disk, true, true);
        struct disk_edit edit = {.phase_count = 77};
        put_entry(&disk, 3, cases[i].first[0], cases[i].last[0]);
        put_entry(&disk, 100, cases[i].first[1], cases[i].last[1]);
        assert_int_equal(work_out(&disk, &request, &edit), cases[i].expected);
        assert_int_equal(edit.phase_count, cases[i].expected == ST_OK ? GPT_EDIT_PHASES : 77);
        drop_disk(&disk);
    }
}

static void disk_too_small_is_refused(void **state)
{
    (void)state;
    struct disk disk = make_disk(512, 128, 128);
    struct gpt_edit_request request = make_request(&disk, false, false);
    struct disk_edit edit;

    request.block_count = 67;
    assert_int_equal(work_out(&disk, &request, &edit), ST_NO_SPACE);
    request.block_count = 68;
    assert_int_equal(work_out(&disk, &request, &edit), ST_OK);
    drop_disk(&disk);
}

static void other_forms_of_array_are_refused(void **state)
{
    (void)state;
    struct disk disk = make_disk(512, 256, 256);
    struct gpt_edit_request request = make_request(&disk, false, false);
    struct disk_edit edit;

    request.entry_count = 127;
    request.entries.size = (size_t)127 * 256;
    assert_int_equal(work_out(&disk, &request, &edit), ST_UNSUPPORTED);
    request = make_request(&disk, false, false);
    request.entry_size = 192;
    request.entries.size = (size_t)256 * 192;
    assert_int_equal(work_out(&disk, &request, &edit), ST_UNSUPPORTED);
    request = make_request(&disk, false, false);
    request.entries.size--;
    assert_int_equal(work_out(&disk, &request, &edit), ST_UNSUPPORTED);
    drop_disk(&disk);
}

static void small_arena_fails_cleanly(void **state)
{
    (void)state;
    struct disk disk = make_disk(512, 128, 128);
    struct gpt_edit_request request = make_request(&disk, true, true);
    struct disk_edit edit = {.phase_count = 77};
    enum status status = ST_NO_MEMORY;

    for (size_t size = 0; status == ST_NO_MEMORY && size < ARENA_SIZE; size += 256) {
        arena_init(&disk.arena, disk.memory, size);
        status = gpt_edit(&disk.arena, &request, &edit);
        assert_int_equal(edit.phase_count, status == ST_OK ? GPT_EDIT_PHASES : 77);
    }
    assert_int_equal(status, ST_OK);
    drop_disk(&disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cut_leaves_a_good_copy),
        cmocka_unit_test(both_copies_agree_and_stand_where_they_belong),
        cmocka_unit_test(header_comes_behind_its_array),
        cmocka_unit_test(blank_disk_gets_its_mbr_last),
        cmocka_unit_test(boot_code_is_kept),
        cmocka_unit_test(mbr_is_left_alone_unless_asked_for),
        cmocka_unit_test(size_of_a_large_disk_is_capped_in_the_mbr),
        cmocka_unit_test(entries_that_cannot_be_are_refused),
        cmocka_unit_test(disk_too_small_is_refused),
        cmocka_unit_test(other_forms_of_array_are_refused),
        cmocka_unit_test(small_arena_fails_cleanly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
