/*
 * Which boot entries hold what nothing else on the machine tells: the path of a loader. As long as
 * no other entry starts that loader, the entry is the only record of how the system on the disks is
 * started, even when the partition it names is gone.
 */
#ifndef SHADOWBOOT_AUDIT_LAST_RECORD_H
#define SHADOWBOOT_AUDIT_LAST_RECORD_H

#include <stdbool.h>

#include "model/machine.h"

/* True when an ESP of the machine has the file: known from SCAN_LISTED on, false before. */
bool loader_is_here(const struct machine *machine, const char *file);

/* The same for one ESP, by its index. */
bool loader_is_on(const struct machine *machine, size_t esp, const char *file);

/*
 * True when nothing may delete the entry (by index): it names a file of a partition, and no other
 * entry that firmware tries leads to a file of the same path that is there, and either an ESP here
 * has the file that it alone tells of, or no other entry leads to any file that is there. Entries
 * of firmware's own tell of nothing; the removable-media file needs no entry to be known where a
 * disk has it.
 */
bool entry_is_last_record(const struct machine *machine, size_t entry);

/*
 * The same for another BootOrder than the machine has: `named` says for each entry, by index,
 * whether that names it; NULL for the machine's own.
 */
bool entry_will_be_last_record(const struct machine *machine, const bool *named, size_t entry);

#endif
