#include "regf_room.h"

#include "base/mem.h"
#include "format/regf/regf.h"
#include "regf_cell.h"
#include "regf_layout.h"

#define NO_CELL 0u /* a bin's header is there */

static uint8_t *bins_of(struct regf_edit *edit)
{
    return edit->file + REGF_BASE_SIZE;
}

static void set_bins_size(struct regf_edit *edit, size_t size)
{
    edit->hive.bins = span_of(bins_of(edit), size);
}

static void set_in_use(struct regf_edit *edit, uint32_t cell, bool used)
{
    uint32_t unit = cell / REGF_CELL_UNIT;
    uint8_t bit = (uint8_t)(1u << unit % 8);

    if (used)
        edit->in_use[unit / 8] |= bit;
    else
        edit->in_use[unit / 8] &= (uint8_t)~bit;
}

struct regf_room regf_room_begin(struct regf_edit *edit)
{
    return (struct regf_room){.edit = edit, .old_size = edit->hive.bins.size};
}

/* --- Free cells --------------------------------------------------------------------------------*/

/* The smallest free cell of `need` bytes or more in a bin, if it is smaller than `*best`. */
static void look_in_bin(struct span bin, uint32_t place, uint32_t need, uint32_t *ret_cell,
                        uint32_t *best)
{
    for (uint32_t at = REGF_BIN_HEADER_SIZE; at < bin.size;) {
        uint32_t size = regf_cell_step(bin.at + at, bin.size - at);
        if (!regf_cell_is_used(bin.at + at) && size >= need && size < *best) {
            *best = size;
            *ret_cell = place + at;
        }
        at += size;
    }
}

static uint32_t find_free(const struct regf_edit *edit, uint32_t need)
{
    struct span bins = edit->hive.bins;
    uint32_t best = UINT32_MAX;
    uint32_t cell = NO_CELL;

    for (uint32_t at = 0; at < bins.size && best > need;) {
        struct span bin = regf_bin_at(bins, at);
        look_in_bin(bin, at, need, &cell, &best);
        at += (uint32_t)bin.size;
    }
    return cell;
}

/* Appends a bin with one free cell of `need` bytes or more; NO_CELL when the buffer is too
 * small. */
static uint32_t append_bin(struct regf_edit *edit, uint32_t need)
{
    uint32_t at = (uint32_t)edit->hive.bins.size;
    uint32_t size = (need + REGF_BIN_HEADER_SIZE + REGF_BIN_UNIT - 1) / REGF_BIN_UNIT;

    size *= REGF_BIN_UNIT;
    if (size > REGF_BINS_MAX - at || size > edit->capacity - REGF_BASE_SIZE - at)
        return NO_CELL;
    uint8_t *bin = bins_of(edit) + at;
    memset(bin, 0, size);
    memcpy(bin, "hbin", 4);
    st_le32(bin + 4, at);
    st_le32(bin + 8, size);
    st_le32(bin + REGF_BIN_HEADER_SIZE, size - REGF_BIN_HEADER_SIZE);
    set_bins_size(edit, at + size);
    return at + REGF_BIN_HEADER_SIZE;
}

/* --- Taking ------------------------------------------------------------------------------------*/

static void give_back(struct regf_room *room)
{
    struct regf_edit *edit = room->edit;

    while (room->count > 0) {
        const struct regf_taken *taken = &room->taken[--room->count];
        uint8_t *cell = bins_of(edit) + taken->cell;
        if (taken->size < taken->old_size)
            st_le32(cell + taken->size, taken->rest);
        st_le32(cell, taken->old_size);
        set_in_use(edit, taken->cell, false);
    }
    set_bins_size(edit, room->old_size);
}

enum status regf_room_take(struct regf_room *room, size_t size, uint32_t *ret_cell)
{
    struct regf_edit *edit = room->edit;
    uint32_t found = NO_CELL;
    uint32_t need = 0;

    if (size <= REGF_BINS_MAX && room->count < REGF_ROOM_MAX) {
        need = ((uint32_t)size + REGF_CELL_SIZE_SIZE + REGF_CELL_UNIT - 1) / REGF_CELL_UNIT *
               REGF_CELL_UNIT;
        found = find_free(edit, need);
        if (found == NO_CELL)
            found = append_bin(edit, need);
    }
    if (found == NO_CELL) {
        give_back(room);
        return ST_NO_SPACE;
    }
    uint8_t *cell = bins_of(edit) + found;
    struct regf_taken taken = {.cell = found, .size = need, .old_size = ld_le32(cell)};
    if (need < taken.old_size) {
        taken.rest = ld_le32(cell + need);
        st_le32(cell + need, taken.old_size - need);
    }
    st_le32(cell, 0 - need);
    set_in_use(edit, found, true);
    room->taken[room->count++] = taken;
    *ret_cell = found;
    return ST_OK;
}

void regf_room_keep(struct regf_room *room)
{
    for (size_t i = 0; i < room->count; i++)
        memset(regf_content(room->edit, room->taken[i].cell), 0,
               room->taken[i].size - REGF_CELL_SIZE_SIZE);
}

/* --- Freeing -----------------------------------------------------------------------------------*/

/* The bin that has this cell, and where it begins. */
static struct span bin_of(const struct regf_edit *edit, uint32_t cell, uint32_t *ret_at)
{
    struct span bin = regf_bin_at(edit->hive.bins, 0);
    uint32_t at = 0;

    while (cell - at >= bin.size) {
        at += (uint32_t)bin.size;
        bin = regf_bin_at(edit->hive.bins, at);
    }
    *ret_at = at;
    return bin;
}

void regf_release(struct regf_edit *edit, uint32_t cell)
{
    uint32_t bin_at;
    struct span bin = bin_of(edit, cell, &bin_at);
    uint8_t *bytes = bins_of(edit) + bin_at;
    uint32_t before = NO_CELL;
    uint32_t at = REGF_BIN_HEADER_SIZE;

    while (bin_at + at < cell) {
        before = regf_cell_is_used(bytes + at) ? NO_CELL : at;
        at += regf_cell_step(bytes + at, bin.size - at);
    }
    uint32_t size = regf_cell_step(bytes + at, bin.size - at);
    uint32_t behind = at + size;
    if (behind < bin.size && !regf_cell_is_used(bytes + behind))
        size += ld_le32(bytes + behind);
    if (before != NO_CELL) {
        size += at - before;
        at = before;
    }
    st_le32(bytes + at, size);
    set_in_use(edit, cell, false);
}
