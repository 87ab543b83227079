/*
 * Editing boot entries: collects creations, deletions and moves, and turns them into actions in the
 * sequence that survives a power cut at any point: new entries first, then BootOrder, then
 * deletions.
 */
#ifndef SHADOWBOOT_PLAN_EDIT_H
#define SHADOWBOOT_PLAN_EDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "plan/plan.h"

#define ORDER_END ((size_t)-1)

struct boot_edit {
    struct plan *plan;
    uint16_t *order; /* what BootOrder is going to be */
    size_t count;
    size_t room;
    bool *deleted;      /* by index of the machine's entries */
    bool *moved;        /* the same: its place in BootOrder may be another than before */
    uint32_t next_free; /* no number below is free */
};

/* Refuses with ST_UNSUPPORTED where the boot entries are not those of the disks' own machine, for they
 * are not here; else ST_OK. */
MUST_CHECK enum status edit_need_entries(struct plan *plan);

/*
 * Starts an edit of plan->machine. BootOrder is taken as it is, which must be sound: with an odd
 * size, repeated or absent members, or missing though there are entries, it is refused with advice.
 * Statuses: ST_OK; ST_DAMAGED; ST_IO when boot variables could not be read; ST_NO_MEMORY. `extra`
 * is how many entries may be created at the most.
 */
MUST_CHECK enum status edit_begin(struct plan *plan, size_t extra, struct boot_edit *ret_edit);

/*
 * The same for a BootOrder in any state: keeps the first mention of each entry that exists. When it
 * is missing or names no entry it starts with every entry: first the active ones for a file of a
 * disk, then the others, each by number, which is the sequence in which they were made as a rule.
 * So a program of the firmware's own, which does not give way, comes last.
 */
MUST_CHECK enum status edit_begin_mending(struct plan *plan, size_t extra,
                                          struct boot_edit *ret_edit);

/*
 * Creates an entry under the lowest number that nothing uses or names, and puts it at `position` of
 * BootOrder (from 0; ORDER_END for behind the last). `detail` goes behind "create Boot####" in the
 * action's text. `*ret_number` may be NULL. Statuses: ST_OK;
 * ST_NO_SPACE when all 65,536 numbers are taken; ST_NO_MEMORY.
 */
MUST_CHECK enum status edit_create(struct boot_edit *edit, struct span value, size_t position,
                                   const char *detail, size_t source_entry, uint16_t *ret_number);

/* Deletes the entry with this index in the machine, from BootOrder too. */
void edit_delete(struct boot_edit *edit, size_t entry);

/* Takes edit_delete back: the entry stands where it stood among those that are left. */
void edit_keep(struct boot_edit *edit, size_t entry);

/* True when the BootOrder that is going to be names `number`. */
bool edit_names(const struct boot_edit *edit, uint16_t number);

/* Moves `number` to `position`, or puts it there if BootOrder did not name it. */
void edit_place(struct boot_edit *edit, uint16_t number, size_t position);

/*
 * Puts the entry with this index in the machine at `position` when BootOrder does not name it: what
 * is left to do for an entry that exists already (it may be the remains of an interrupted command).
 * False when BootOrder names it.
 */
bool edit_adopt(struct boot_edit *edit, size_t entry, size_t position);

/*
 * Writes the actions into the plan. Checks I6: every former member that was not deleted is still
 * there, and those that were not moved stand in the sequence they had. Statuses: ST_OK, also when
 * there is nothing to do; ST_REFUSED; ST_NO_MEMORY.
 */
MUST_CHECK enum status edit_finish(struct boot_edit *edit);

#endif
