/* The whole audit: roles, the verdict for each disk, and everything there is to find. */
#ifndef SHADOWBOOT_AUDIT_AUDIT_MACHINE_H
#define SHADOWBOOT_AUDIT_AUDIT_MACHINE_H

#include "audit/audit.h"
#include "audit/roles.h"
#include "audit/forecast.h"

struct judgement {
    struct roles roles;
    const struct forecast *forecasts; /* one for each member */
    struct way together[2];           /* what it starts with all its disks (forecast_together) */
    enum machine_state state;
    struct findings findings; /* worst first; within a severity by the order of the audits */
};

/*
 * Judges a machine scanned with SCAN_QUICK or SCAN_FULL. The result lies in `arena`. Statuses:
 * ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status audit_machine(struct arena *arena, const struct machine *machine,
                                     struct judgement *ret_judgement);

/* True when the entry starts a system from that partition, be it active or
 * not: it names it, or is the firmware's own for the whole disk, where the removable-media path is
 * on that ESP. An entry for a tool there starts none. */
bool audit_entry_leads_to(const struct machine *machine, const struct entry *entry,
                          size_t partition);

#endif
