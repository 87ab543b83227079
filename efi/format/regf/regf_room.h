/* Room for cells in a registry hive that is changed; for efi/format alone. */
#ifndef SHADOWBOOT_FORMAT_REGF_ROOM_H
#define SHADOWBOOT_FORMAT_REGF_ROOM_H

#include "format/regf/regf_edit.h"

#define REGF_ROOM_MAX 3u

/* Cells that a change needs: all of them are taken before anything else is written. */
struct regf_room {
    struct regf_edit *edit;
    size_t old_size; /* of the bins */
    size_t count;
    struct regf_taken {
        uint32_t cell;
        uint32_t size;     /* of the cell, with its own field */
        uint32_t old_size; /* of the free cell that it was cut from */
        uint32_t rest;     /* what was where the rest of that begins now */
    } taken[REGF_ROOM_MAX];
};

/* Notes the bins that the hive has, when a change of it begins. */
void regf_room_note_bins(struct regf_edit *edit);

/* Begins with nothing taken. */
struct regf_room regf_room_begin(struct regf_edit *edit);

/*
 * Takes a cell for `size` bytes of content, which it then has or some more. At most REGF_ROOM_MAX
 * calls. Statuses: ST_OK; ST_NO_SPACE, and then all that was taken is given back, byte for byte.
 */
MUST_CHECK enum status regf_room_take(struct regf_room *room, size_t size, uint32_t *ret_cell);

/* Keeps what was taken, with zeros as content. */
void regf_room_keep(struct regf_room *room);

/* Frees a cell in use, and joins it with the free ones beside it. */
void regf_release(struct regf_edit *edit, uint32_t cell);

/* The content of a cell in use, to be written. */
static inline uint8_t *regf_content(struct regf_edit *edit, uint32_t cell)
{
    return edit->file + 4096 + cell + 4;
}

#endif
