/* Judges the volumes: LDM databases, plexes, and the file systems in them. */
#ifndef SHADOWBOOT_AUDIT_AUDIT_VOLUMES_H
#define SHADOWBOOT_AUDIT_AUDIT_VOLUMES_H

#include "audit/collector.h"
#include "audit/roles.h"
#include "model/machine.h"

/* All findings about LDM databases, in the order of the disks, and about plexes and volumes. */
void audit_volumes(struct collector *to, const struct machine *machine, const struct roles *roles);

/* All findings about the copies of volumes that were looked into. */
void audit_copies(struct collector *to, const struct machine *machine, const struct roles *roles);

#endif
