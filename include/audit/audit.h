/* Judges a machine. Changes nothing, touches no port. */
#ifndef SHADOWBOOT_AUDIT_AUDIT_H
#define SHADOWBOOT_AUDIT_AUDIT_H

#include "audit/finding.h"
#include "base/arena.h"
#include "base/status.h"
#include "model/machine.h"

/*
 * All findings about disks and partition tables, in the order of the disks. Statuses: ST_OK;
 * ST_NO_MEMORY.
 */
MUST_CHECK enum status audit_disks(struct arena *arena, const struct machine *machine,
                                   struct findings *ret_findings);

/* All findings about boot variables and entries, in the order of the ids. Statuses as above. */
MUST_CHECK enum status audit_entries(struct arena *arena, const struct machine *machine,
                                     struct findings *ret_findings);

/* True when at least one finding has this severity. */
bool findings_have(const struct findings *findings, enum severity severity);

/*
 * True when both entries start the same file of the same partition with the same optional data,
 * whatever they are called and whatever form their paths have. Never when the partition's GUID is
 * zero.
 */
bool entries_start_the_same(const struct entry *a, const struct entry *b);

/*
 * The first of the earlier entries that stand in for the one at `index`, so that it can go, or
 * NO_INDEX: they start the same file of a disk, on the same way, and firmware tries the earlier one
 * wherever it would have tried the later one. A path of another form, with another start or size, or
 * through other hardware to the same file makes no duplicate, since some firmware starts only one of
 * them; nor does an earlier one that is inactive or an application (UEFI 3.1.3). Entries of firmware's
 * own (model/firmware_entry.h) never are duplicates: their numbers tell them apart.
 */
size_t entry_stand_in(const struct machine *machine, size_t index);

/* The first finding that says BootOrder itself is damaged, or NULL. */
const struct finding *findings_about_order(const struct findings *findings);

#endif
