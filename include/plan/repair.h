/* One plan for everything about the members of the mirror that can be mended from here. */
#ifndef SHADOWBOOT_PLAN_REPAIR_H
#define SHADOWBOOT_PLAN_REPAIR_H

#include "audit/audit_machine.h"
#include "plan/plan.h"

struct repair_request {
    bool allow_msr;    /* as in prepare_request */
    bool allow_format; /* disks may be partitioned and file systems made; else what needs that is
                        * left out with a warning */
    bool disk_in_name; /* as in esp_entries_request */
    bool keeps_esp;    /* the journal has no place but an ESP, so one is on no disk that changes */
    bool entries_only; /* disks stay as they are */
    /* No disk's file that is whole gives way to another disk's: nobody is there to say which of the two
     * is right. */
    bool missing_only;
    bool keep_entries;    /* no entry is deleted */
    struct date_time now; /* as in prepare_request */
};

/* True when what Windows itself keeps for ESPs is needed to tell which of two files is right. */
bool repair_needs_windows(const struct judgement *judgement);

/*
 * For each member: its partition table, its ESP (as plan_prepare), its files; then entries for all
 * ESPs (plan/esp_entries.h), stale and duplicate ones deleted. One member's ESP is what the others
 * are brought up to (esp_files_source); to it comes only what it lacks or has in a bad state, and
 * what Windows itself keeps (model/scan_source.h) where that was looked for and the ESP lacks it: its
 * boot manager is older or newer than its Windows, or another member has what Windows keeps. An
 * ESP from which its disk starts is not formatted (I1), and entries whose partition is gone stay as
 * long as a member is missing. What cannot be mended is left out with a warning; it does not keep
 * the rest from being done. What would be planned for the machine as the plan makes it is a part of
 * the plan (I5, plan/join.h), unless `keeps_esp` leaves it to another run. Statuses: ST_OK, without
 * actions when nothing is to be mended; ST_ABSENT with plan->refusal when there is nothing to go
 * by; ST_NO_MEMORY.
 */
MUST_CHECK enum status plan_repair(struct plan *plan, const struct judgement *judgement,
                                   const struct repair_request *request);

#endif
