/*
 * A plan: what a command is going to do, as a value that can be shown, tested and refused. Making
 * one touches no port. Each action names its target, what must be there now, and the new content;
 * applying it decides nothing.
 *
 * Invariants of every plan (the rest is apply's):
 *   I2  nothing outside an action's stated target changes;
 *   I5  a plan for something that is done already has no actions;
 *   I6  BootOrder keeps every entry it had, in order, unless the request names it;
 *   I9  no disk starts less well afterwards than it does (plan/prospect.h).
 */
#ifndef SHADOWBOOT_PLAN_PLAN_H
#define SHADOWBOOT_PLAN_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/print.h"
#include "base/sha256.h"
#include "base/status.h"
#include "model/machine.h"
#include "plan/disk_change.h"
#include "port/vars.h"

enum action_type {
    ACTION_SET_VARIABLE, /* create or replace */
    ACTION_DELETE_VARIABLE,
    ACTION_WRITE_FILE,  /* a new file; it must not be there */
    ACTION_CHANGE_DISK, /* partitions, file systems, files of an ESP */
};

struct action {
    enum action_type type;
    const char *text;         /* what it does, for people: one line without a full stop */
    char name[VAR_NAME_SIZE]; /* variables: the name */
    uint32_t attributes;      /* variables: of the new content */
    struct span data;         /* the new content; empty for a deletion */
    bool expect_present;      /* variables: it is there now, with ... */
    uint32_t expect_attributes;
    struct sha256 expect_digest; /* ... content of this digest */
    size_t volume;               /* files: index of the volume */
    const char *path;            /* files: path on it */
    size_t source_entry;         /* entry this one was made from, NO_INDEX when none */
    const struct disk_change
        *change; /* disks: what; what must be there now is what the scan found */
};

/* What a plan makes of a disk. */
struct promise {
    size_t disk;
    const char *verdict; /* for scripts, as verdict_name */
    const char *text;    /* "yes, by a new entry" */
};

struct plan {
    struct arena *arena;
    const struct machine *machine;
    struct action *actions;
    size_t count;
    size_t room;
    bool is_undo;            /* takes an earlier change back: the journal remembers that */
    bool forced;             /* is_undo: as in struct disk_change */
    bool formats;            /* partitions or formats: to be agreed to by itself */
    bool gives_up_msr;       /* a Microsoft reserved partition makes room: likewise */
    bool left_out;           /* a part could not be planned: a warning says which and why */
    enum status left_status; /* of the first part that was refused by itself; else ST_OK */
    bool incomplete; /* this program cannot mend all that is wrong: without actions that is not to
                        * be called "that way already" */
    size_t target_disk;    /* disk that must still be there and unchanged, NO_INDEX for none */
    const char **warnings; /* sentences to show with the plan */
    bool *of_rest;         /* by warning: it is about what stays as it is */
    size_t warning_count;
    size_t warning_room;
    const struct promise *promises; /* of the disks that are to start alone, where that was worked
                                     * out (plan/prospect.h) */
    size_t promise_count;
    const char *refusal; /* why no plan could be made: sentences with what, where, and what next */
    enum status status;  /* the first failure of a plan_add_... call sticks here */
};

/* Starts an empty plan for `machine`; both must outlive it. */
void plan_init(struct plan *plan, struct arena *arena, const struct machine *machine);

/*
 * Adds an action on a variable. What must be there now is what the machine's scan found. A variable
 * that could not be read cannot be journaled, so it is refused: plan->status becomes ST_REFUSED.
 * Nothing is added when the variable already has this content. `text` as in struct action.
 */
struct action *plan_set_variable(struct plan *plan, const char *name, uint32_t attributes,
                                 struct span data, const char *text);
struct action *plan_delete_variable(struct plan *plan, const char *name, const char *text);

/* Adds a file to be written. */
void plan_write_file(struct plan *plan, size_t volume, const char *path, struct span data,
                     const char *text);

/* Adds a change of a disk; `change` and all it points to are copied but for the files and slots,
 * which must outlive the plan. */
void plan_change_disk(struct plan *plan, const struct disk_change *change, const char *text);

/* Adds the actions, warnings and wishes of `other`, which was made in the same arena; its promises
 * take the place of the plan's. */
void plan_append(struct plan *plan, const struct plan *other);

/* Makes a warning of why a part of the plan was refused with `status`, for the rest to go on;
 * plan->refusal is empty then. */
void plan_warn_of_refusal(struct plan *plan, enum status status);

/* Adds a sentence that is shown with the plan, once. */
void plan_warn(struct plan *plan, const char *format, ...) PRINTF_LIKE(2, 3);

/* The same about what the plan leaves as it is. */
void plan_warn_of_rest(struct plan *plan, const char *format, ...) PRINTF_LIKE(2, 3);

/* Takes over what `later` says, a plan for the machine as this one makes it: its sentences about
 * what stays as it is, and whether anything is left out, in the place of the plan's own. */
void plan_take_warnings(struct plan *plan, const struct plan *later);

/* Notes why there is no plan, " Nothing was changed." behind it, and returns `status` for the caller to
 * return. */
enum status plan_refuse(struct plan *plan, enum status status, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* The same with these words alone: where they go on behind that, or speak of a part of the plan. */
enum status plan_refuse_plainly(struct plan *plan, enum status status, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* True for an action that changes blocks of a disk. */
static inline bool action_changes_disk(const struct action *action)
{
    return action->type == ACTION_CHANGE_DISK;
}

/* True when the plan changes blocks of disks, not only variables and files. */
bool plan_changes_disks(const struct plan *plan);

/*
 * True when all disks have to come before all variables: a firmware that keeps variables in a file of an ESP writes
 * to that file system whenever one is set, and what is to become of a disk is worked out from what it holds before
 * the first action. Undo goes the other way, to end where the change began.
 */
bool plan_puts_disks_first(const struct plan *plan);

#endif
