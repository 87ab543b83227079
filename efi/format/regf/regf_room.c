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

static struct regf_bin *bin_at(struct regf_edit *edit, uint32_t at)
{
    return &edit->bins[at / REGF_BIN_UNIT];
}

static void note_bin(struct regf_edit *edit, uint32_t at, uint32_t size)
{
    memset(bin_at(edit, at), 0, size / REGF_BIN_UNIT * sizeof(struct regf_bin));
    *bin_at(edit, at) = (struct regf_bin){.size = size, .room = size};
}

void regf_room_note_bins(struct regf_edit *edit)
{
    struct span bins = edit->hive.bins;

    for (uint32_t at = 0; at < bins.size;) {
        uint32_t size = (uint32_t)regf_bin_at(bins, at).size;
        note_bin(edit, at, size);
        at += size;
    }
}

/* The smallest free cell of `need` bytes or more in the bin at `at`, if it is smaller than
 * `*best`. The bin's room is known then. */
static void find_in_bin(struct regf_edit *edit, uint32_t at, uint32_t need, uint32_t *ret_cell,
                        uint32_t *best)
{
    struct regf_bin *bin = bin_at(edit, at);
    const uint8_t *bytes = bins_of(edit) + at;
    uint32_t largest = 0;

    for (uint32_t i = REGF_BIN_HEADER_SIZE; i < bin->size;) {
        uint32_t size = regf_cell_step(bytes + i, bin->size - i);
        bool is_free = !regf_cell_is_used(bytes + i);
        if (is_free && size > largest)
            largest = size;
        if (is_free && size >= need && size < *best) {
            *best = size;
            *ret_cell = at + i;
        }
        i += size;
    }
    bin->room = largest;
}

/* The smallest free cell that does. Only bins that may have one are gone through. */
static uint32_t find_free(struct regf_edit *edit, uint32_t need)
{
    uint32_t best = UINT32_MAX;
    uint32_t cell = NO_CELL;

    for (uint32_t at = 0; at < edit->hive.bins.size && best > need; at += bin_at(edit, at)->size) {
        if (bin_at(edit, at)->room >= need)
            find_in_bin(edit, at, need, &cell, &best);
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
    note_bin(edit, at, size);
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

/* Where the bin begins that has this cell. */
static uint32_t bin_with(struct regf_edit *edit, uint32_t cell)
{
    uint32_t at = cell / REGF_BIN_UNIT * REGF_BIN_UNIT;

    while (bin_at(edit, at)->size == 0)
        at -= REGF_BIN_UNIT;
    return at;
}

void regf_release(struct regf_edit *edit, uint32_t cell)
{
    uint32_t begin = bin_with(edit, cell);
    struct regf_bin *bin = bin_at(edit, begin);
    uint8_t *bytes = bins_of(edit) + begin;
    uint32_t before = NO_CELL;
    uint32_t at = REGF_BIN_HEADER_SIZE;

    while (begin + at < cell) {
        before = regf_cell_is_used(bytes + at) ? NO_CELL : at;
        at += regf_cell_step(bytes + at, bin->size - at);
    }
    uint32_t size = regf_cell_step(bytes + at, bin->size - at);
    uint32_t behind = at + size;
    if (behind < bin->size && !regf_cell_is_used(bytes + behind))
        size += ld_le32(bytes + behind);
    if (before != NO_CELL) {
        size += at - before;
        at = before;
    }
    st_le32(bytes + at, size);
    set_in_use(edit, cell, false);
    if (size > bin->room)
        bin->room = size;
}
