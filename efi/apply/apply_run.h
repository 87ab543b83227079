/* One run of a plan, and the parts of apply_plan (apply/apply.h): what may be refused, boot variables,
 * and the words for what goes wrong. */
#ifndef SHADOWBOOT_APPLY_APPLY_RUN_H
#define SHADOWBOOT_APPLY_APPLY_RUN_H

#include "apply/apply.h"
#include "disk_batch.h"

/* A variable as it is right now. */
struct variable_content {
    bool present;
    uint32_t attributes;
    struct span data;
};

/* Once writing has begun memory must not end: what is needed then is set aside before. */
struct apply_run {
    struct arena *arena;
    struct arena scratch; /* for one content at a time, the old or the new one of any action */
    char *problem;        /* what apply_say writes into */
    struct ports *ports;
    const struct plan *plan;
    struct variable_content *before; /* by action: what it replaces */
    bool *stuck;                     /* by action: a disk change that could not be taken back */
    struct disk_batch disks;
    struct journal saved;
    const struct journal_file *undone; /* where blocks are taken back: the journal they come from */
    struct apply_result *result;
};

static inline bool apply_is_variable(const struct action *action)
{
    return action->type == ACTION_SET_VARIABLE || action->type == ACTION_DELETE_VARIABLE;
}

/* --- Step 1 --------------------------------------------------------------------------------- */

/* Everything that can be refused, with run->result->problem. Statuses: ST_OK, and run->before and
 * run->disks are set; those of apply_check. */
MUST_CHECK enum status apply_check_all(struct apply_run *run);

/* --- Variables ------------------------------------------------------------------------------ */

/* Whether it is what the plan's author saw; its content goes to `*ret_before`. Statuses: ST_OK;
 * ST_CHANGED, ST_IO and ST_NO_MEMORY, said in run->result->problem. */
MUST_CHECK enum status apply_check_variable(struct apply_run *run, const struct action *action,
                                            struct variable_content *ret_before);

/* Whether the store has room for what the plan makes of run->before. Statuses: ST_OK;
 * ST_NO_SPACE, said in run->result->problem. */
MUST_CHECK enum status apply_check_space(struct apply_run *run);

/* Writes or deletes one, if it is still as expected, and reads it back. Statuses: ST_OK;
 * ST_CHANGED, nothing was written; those of vars_port.set; ST_IO when it does not read back. */
MUST_CHECK enum status apply_write_variable(struct apply_run *run, const struct action *action);

/* Brings one back to what it was; true when it reads so afterwards. */
bool apply_restore_variable(struct apply_run *run, const struct action *action,
                            const struct variable_content *before);

/* True when the content is what the action makes. */
bool apply_is_wanted(const struct action *action, const struct variable_content *content);

/* --- Words ---------------------------------------------------------------------------------- */

/* Sets memory aside for what there may be to apply_say; false when there is none. */
bool apply_words_init(struct apply_run *run);

/* A sentence, in memory of the run: it is over when the next one is made. */
const char *apply_say(struct apply_run *run, const char *format, ...) PRINTF_LIKE(2, 3);

/* What to apply_say when run->saved finds no place. */
const char *apply_say_no_place(struct apply_run *run, enum status status);

/* Why a disk change cannot begin. */
const char *apply_say_disk_refused(struct apply_run *run, size_t action, enum status status);

/* What could not be written: a variable, a file, or a place on a disk. Valid as long as `text`. */
const char *apply_target_name(const struct apply_run *run, size_t action, char *text, size_t size);

/* What to apply_say when step 5 has left something behind. */
const char *apply_say_left_over(struct apply_run *run, const char *target, enum status status);

/* What does not displace an earlier word. */
void apply_note(struct apply_result *io_result, const char *problem);

/* For what is refused without a word of its own. */
void apply_say_refused(struct apply_result *io_result, enum status status);

#endif
