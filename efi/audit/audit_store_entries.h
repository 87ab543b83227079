/* What stands in a boot store beside what it starts: names that lead nowhere, and settings that
 * somebody left behind. */
#ifndef SHADOWBOOT_AUDIT_AUDIT_STORE_ENTRIES_H
#define SHADOWBOOT_AUDIT_AUDIT_STORE_ENTRIES_H

#include "audit/collector.h"
#include "audit/roles.h"

/* Says of the store of a member's ESP, which can be used, what is odd in it. */
void audit_store_entries(struct collector *to, const struct machine *machine,
                         const struct member *member, const struct esp *esp);

/* Says what the boot stores for BIOS on a disk start by default, as far as they can be read. */
void audit_bios_stores(struct collector *to, const struct machine *machine, size_t disk);

#endif
