#include "format/regf/regf_edit.h"

#include "regf_cell.h"
#include "regf_layout.h"
#include "regf_room.h"
#include "format/regf/regf_verify.h"

enum status regf_edit_open(struct arena *arena, uint8_t *file, size_t size, size_t capacity,
                           uint64_t now, struct regf_edit *ret_edit)
{
    size_t mark = arena_mark(arena);
    struct regf_hive hive;
    struct regf_report report;

    if (size > capacity)
        return ST_TOO_SMALL;
    /* Both are for all that the hive may grow to. */
    uint8_t *in_use = arena_alloc(arena, regf_map_size(capacity), 1);
    struct regf_bin *bins = arena_alloc(arena, capacity / REGF_BIN_UNIT + 1, sizeof(*bins));
    enum status status = in_use == NULL || bins == NULL ? ST_NO_MEMORY : ST_OK;
    if (status == ST_OK)
        status = regf_open_in(span_of(file, size), in_use, &hive);
    if (status == ST_OK)
        status = regf_verify(arena, &hive, &report);
    if (status == ST_OK && report.damage.problem != REGF_NO_PROBLEM)
        status = ST_DAMAGED;
    if (status != ST_OK) {
        arena_release(arena, mark);
        return status;
    }
    *ret_edit = (struct regf_edit){.hive = hive,
                                   .file = file,
                                   .capacity = capacity,
                                   .in_use = in_use,
                                   .bins = bins,
                                   .now = now};
    regf_room_note_bins(ret_edit);
    return ST_OK;
}

void regf_stamp(uint8_t *file, uint64_t now)
{
    uint32_t primary = ld_le32(file + REGF_PRIMARY_AT);
    uint32_t secondary = ld_le32(file + REGF_SECONDARY_AT);
    uint32_t sequence = (primary > secondary ? primary : secondary) + 1;

    st_le32(file + REGF_PRIMARY_AT, sequence);
    st_le32(file + REGF_SECONDARY_AT, sequence);
    st_le64(file + REGF_TIME_AT, now);
    st_le64(file + REGF_BASE_SIZE + REGF_BIN_TIME_AT, now);
    st_le32(file + REGF_CHECKSUM_AT, regf_base_checksum(file));
}

struct span regf_edit_finish(struct regf_edit *edit)
{
    st_le32(edit->file + REGF_BINS_SIZE_AT, (uint32_t)edit->hive.bins.size);
    regf_stamp(edit->file, edit->now);
    return span_of(edit->file, REGF_BASE_SIZE + edit->hive.bins.size);
}
