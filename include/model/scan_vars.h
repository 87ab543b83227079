/* Reads the boot variables. */
#ifndef SHADOWBOOT_MODEL_SCAN_VARS_H
#define SHADOWBOOT_MODEL_SCAN_VARS_H

#include "base/arena.h"
#include "base/status.h"
#include "model/machine.h"
#include "port/vars.h"

/* The largest value of a variable this program reads; firmware allows some tens of KiB. */
#define VAR_VALUE_MAX (1024u * 1024)

/*
 * Reads a variable of any size, of `vendor` (NULL: the global one), into the arena. `*ret_claimed` is
 * its size as the firmware says, also on failure where that is known. Statuses: ST_OK; ST_ABSENT;
 * ST_DAMAGED when it claims to be larger than VAR_VALUE_MAX; ST_IO; ST_NO_MEMORY.
 */
MUST_CHECK enum status scan_variable(struct arena *arena, const struct vars_port *vars,
                                     const struct guid *vendor, const char *name,
                                     uint32_t *ret_attributes, struct span *ret_value,
                                     uint64_t *ret_claimed);

/*
 * Fills in order, next, current, timeout, space and the entries of `*io_machine`, the entries taken
 * apart but not yet looked up on the disks. A variable that cannot be read is kept with its status.
 * Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status scan_vars(struct arena *arena, const struct vars_port *vars,
                                 struct machine *io_machine);

/*
 * Takes `io_entry->value` apart into all fields but those that the disks tell (path_text, boot,
 * os): for an entry read by scan_vars, or one that is yet to be written. `io_entry->status` says
 * whether it is well formed. Spans point into the value. Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status entry_parse(struct arena *arena, struct entry *io_entry);

#endif
