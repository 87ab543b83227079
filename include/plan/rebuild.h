/*
 * Boot files and a boot store from Windows itself, where no ESP is left that is worth copying: what
 * Windows' bcdboot does from a running Windows.
 */
#ifndef SHADOWBOOT_PLAN_REBUILD_H
#define SHADOWBOOT_PLAN_REBUILD_H

#include "audit/audit_machine.h"
#include "plan/prepare.h"

/* What of it is asked for. */
enum rebuild_parts {
    REBUILD_ALL,   /* files, a store where there is none that can be used, boot entries */
    REBUILD_FILES, /* the files alone */
    REBUILD_STORE, /* the store alone, made anew whatever is there */
};

struct rebuild_request {
    size_t disk; /* index into machine.disks */
    enum rebuild_parts parts;
    struct store_wishes stores; /* as in prepare_request, like all below */
    bool no_entries;
    bool entries_last;
    bool allow_msr;
    bool disk_in_name;
    struct date_time now;
};

/*
 * The copy of Windows that the boot files of the disk (NO_INDEX: of any) are to come from: its own
 * where that can be relied on, else another one, as also where its boot manager was found to be
 * damaged or cannot be read (machine_find_source knows it then); boot manager and Windows' loader are to be of one
 * day. An index into machine.copies; NO_INDEX when no member has one that can be looked into.
 */
size_t rebuild_copy(const struct machine *machine, const struct roles *roles, size_t disk);

/* True when the machine's own ESPs are not enough for a repair: none has boot files that could be
 * brought to others, or none has a store that starts Windows. */
bool rebuild_is_needed(const struct machine *machine, const struct roles *roles);

/*
 * Plans it for one disk. The machine has what Windows keeps for ESPs (model/scan_source.h) but for
 * REBUILD_STORE. With REBUILD_ALL the ESP is made first where there is none or it is damaged, as by
 * plan_make_ready. Refuses what would leave a disk starting less well than now (I9). Statuses:
 * ST_OK, without actions when all is there; those of plan_make_ready; ST_ABSENT and ST_REFUSED, with
 * plan->refusal, when the disk has no copy of Windows that its store could name.
 */
MUST_CHECK enum status plan_rebuild(struct plan *plan, const struct judgement *now,
                                    const struct rebuild_request *request);

#endif
