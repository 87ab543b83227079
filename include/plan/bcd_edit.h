/*
 * Changes of boot stores that somebody asks for, in the words of Windows' bcdedit. Each store is
 * changed in memory, looked at as a whole, and written anew as any file is; it stands on its ESP as
 * it was or as it will be, whenever the power fails. Where only partitions are named otherwise, that
 * holds for each name, and what is written are the blocks that differ (plan/store_write.h).
 */
#ifndef SHADOWBOOT_PLAN_BCD_EDIT_H
#define SHADOWBOOT_PLAN_BCD_EDIT_H

#include "base/date.h"
#include "format/bcd/bcd.h"
#include "plan/plan.h"

enum bcd_step_kind {
    BCD_SET,      /* `element` of `object` becomes `words` */
    BCD_UNSET,    /* `object` has no `element` any more, if it has now */
    BCD_DELETE,   /* `object` is no more, nor named in lists */
    BCD_COPY,     /* `object` once more, with the description words[0] */
    BCD_LIST,     /* the list `element` of `object` is `words` */
    BCD_FIRST,    /* ... begins with `words`, then goes on as it was */
    BCD_LAST,     /* ... ends with them */
    BCD_REMOVE,   /* ... is without them */
    BCD_RECOVERY, /* the next start, and no other, is that of the recovery system of `object` */
    BCD_RETARGET, /* what names the partition words[0], anywhere, names words[1] */
};

struct bcd_step {
    enum bcd_step_kind kind;
    const char *object;  /* as typed: "{default}", a GUID */
    const char *element; /* "osdevice", "custom:26000010"; NULL where none is asked for */
    const char *const *words;
    size_t count;
};

/* A store that is to be changed: a file on an ESP. */
struct bcd_target {
    size_t esp;       /* index into machine.esps */
    const char *path; /* on it */
    struct span file; /* what it holds now, a good hive */
};

struct bcd_request {
    const struct bcd_step *steps; /* carried out one after the other */
    size_t step_count;
    const struct bcd_target *targets;
    size_t target_count;
    struct date_time now; /* zeros when not known */
};

/*
 * Plans the steps for each of the stores. One that lacks an object that another one has is left as
 * it is, with a warning. Copies have the same new GUID in all of
 * them, which `*ret_copy` (may be NULL) gets. Statuses: ST_OK, without
 * actions when all is that way already; else, with plan->refusal set: ST_USAGE for names and values
 * that do not fit, ST_ABSENT for an object or element that no store has, ST_REFUSED, ST_READ_ONLY,
 * ST_NO_SPACE, ST_DAMAGED, ST_UNSUPPORTED; ST_NO_MEMORY.
 */
MUST_CHECK enum status plan_bcd_edit(struct plan *plan, const struct bcd_request *request,
                                     struct guid *ret_copy);

#endif
