/* The journal that is kept in a variable of the firmware: where and when, says apply/journal_store.h. */
#ifndef SHADOWBOOT_APPLY_JOURNAL_VARIABLE_H
#define SHADOWBOOT_APPLY_JOURNAL_VARIABLE_H

#include "apply/journal_store.h"
#include "port/vars.h"

/*
 * What the variable holds: the journal's number, and in `arena` its bytes with the marks. Statuses:
 * ST_OK; ST_ABSENT; ST_DAMAGED when it is none of this program's; ST_IO; ST_NO_MEMORY.
 */
MUST_CHECK enum status journal_variable_read(struct arena *arena, const struct vars_port *vars,
                                             uint32_t *ret_id, struct span *ret_data);

/* The number of the journal there, when it is known to be of an interrupted change, which keeps its place; else 0.
 * Takes no memory for good. */
uint32_t journal_variable_interrupted(struct arena *arena, const struct vars_port *vars);

/*
 * Writes the journal there, and reads it back; what was there gives way, unless it is of an
 * interrupted change or cannot be looked at. Takes no memory for good. Statuses: ST_OK; ST_EXISTS for such; ST_NO_SPACE when
 * it is too large, for the variable or for what has to stay free with all that the journal is about
 * written; those of vars.get and vars.set; ST_IO; ST_NO_MEMORY.
 */
MUST_CHECK enum status journal_variable_write(struct arena *arena, const struct vars_port *vars,
                                              uint32_t id, const struct journal *journal,
                                              uint64_t *ret_size);

/* As journal_store_mark, for the journal of that number. */
MUST_CHECK enum status journal_variable_mark(const struct vars_port *vars, uint32_t id,
                                             enum journal_state state);

#endif
