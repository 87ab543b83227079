/* Boot stores: whether each starts the copy of Windows that lies on its own disk. */
#ifndef SHADOWBOOT_AUDIT_AUDIT_STORES_H
#define SHADOWBOOT_AUDIT_AUDIT_STORES_H

#include "audit/collector.h"
#include "audit/roles.h"

/* Says of the members' ESPs where the store starts nothing, from a partition that is gone, or from
 * another disk, and what else is odd in it. */
void audit_stores(struct collector *to, const struct machine *machine, const struct roles *roles);

#endif
