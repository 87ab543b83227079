/*
 * Carries out a plan. Decides nothing: every action already says what must be there now and what is
 * to be there afterwards.
 *
 *   1. Everything that can be refused is refused: a disk or contents that changed since the scan, a
 *      full or read-only store, files that exist.
 *   2. The journal with the old contents is on the medium, and read back.
 *   3. Each action: compare the digest once more, write, read back, compare.
 *   4. If one fails, those before it are taken back, last first, and checked (I4).
 *   5. The journal gets its mark.
 */
#ifndef SHADOWBOOT_APPLY_APPLY_H
#define SHADOWBOOT_APPLY_APPLY_H

#include "apply/journal_store.h"
#include "base/arena.h"
#include "base/status.h"
#include "plan/plan.h"
#include "port/ports.h"

/* Bytes that must stay free in the variable store: firmware with a full one may not start. */
#define STORE_MARGIN 5120u

struct apply_result {
    size_t done; /* actions carried out, and not taken back */
    bool has_journal;
    struct journal_file journal; /* when has_journal */
    const char *problem;         /* on failure: what, where, and in which state the machine is */
};

/*
 * Applies the plan made by `command` (for the journal). Statuses: ST_OK; ST_CHANGED, ST_NO_SPACE,
 * ST_READ_ONLY, ST_EXISTS, ST_REFUSED, ST_IO: nothing, or after step 4 nothing any more, is changed
 * unless ret_result->problem says otherwise; ST_ABSENT when there is no volume to keep the journal
 * on, and ST_NO_MEMORY, both before anything is written.
 * `*ret_result` is always set.
 */
MUST_CHECK enum status apply_plan(struct arena *arena, const struct ports *ports,
                                  const struct plan *plan, const char *command,
                                  struct apply_result *ret_result);

/*
 * Compares a machine scanned afterwards with what the plan wanted. Statuses: ST_OK; ST_CHANGED with
 * the name of the first variable that is not so in `*ret_name`.
 */
MUST_CHECK enum status apply_confirm(const struct plan *plan, const struct machine *machine,
                                     const char **ret_name);

#endif
