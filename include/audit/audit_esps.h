/* Judges the EFI System Partitions: file systems, boot files, boot stores, and one against the
 * other. */
#ifndef SHADOWBOOT_AUDIT_AUDIT_ESPS_H
#define SHADOWBOOT_AUDIT_AUDIT_ESPS_H

#include "audit/collector.h"
#include "audit/roles.h"
#include "model/machine.h"

/* All findings about ESPs on fixed disks, and about members that have none. */
void audit_esps(struct collector *to, const struct machine *machine, const struct roles *roles);

/*
 * The ESP (index into machine.esps) that those of the members are measured by: the one that the
 * entries start the system from, on whatever disk; the primary's, or another member's, where that
 * has no sound boot program. NO_INDEX when none has.
 */
size_t audit_reference_esp(const struct machine *machine, const struct roles *roles);

/* The folder the ESP starts the system from: that of the program by which it starts, and
 * "\EFI\Microsoft" for Windows' boot manager and its copies. NULL when it has none. In the arena or
 * static. */
const char *audit_boot_folder(struct arena *arena, const struct machine *machine,
                              const struct esp *esp);

#endif
