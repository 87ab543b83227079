/* A boot entry's content with one partition put in another's place. */
#ifndef SHADOWBOOT_PLAN_RETARGET_H
#define SHADOWBOOT_PLAN_RETARGET_H

#include "base/arena.h"
#include "base/status.h"
#include "format/devpath.h"
#include "format/load_option.h"
#include "model/machine.h"

enum path_form {
    /* Each is PATH_SHORT for a disk of which firmware's path is not known. */
    PATH_KEEP,  /* a full path stays full, a short one short */
    PATH_SHORT, /* starts with the hard drive node: found wherever the disk is plugged in */
    PATH_FULL,  /* starts with the disk's hardware path */
};

/* How `source` is replaced by the partition with index `target`. */
struct devpath_retarget retarget_to(const struct machine *machine, const struct guid *source,
                                    size_t target, enum path_form form);

/*
 * Makes `*ret_option` from `from`: every path of the list and the OS path of Windows' optional data
 * retargeted, everything else as it was. Entries of firmware's own are not for this: it would take
 * the copy for its own and delete it. Optional data that is not Windows', or malformed, is kept
 * verbatim. Spans point into `from` or the arena. Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status retarget_option(struct arena *arena, const struct load_option *from,
                                       const struct devpath_retarget *how,
                                       struct load_option *ret_option);

#endif
