/* ESPs that are members of Linux md arrays: what is to be known of them, and whether copies are
 * equal. */
#ifndef SHADOWBOOT_AUDIT_AUDIT_MD_VOLUMES_H
#define SHADOWBOOT_AUDIT_AUDIT_MD_VOLUMES_H

#include "audit/collector.h"
#include "model/machine.h"

void audit_md_volumes(struct collector *to, const struct machine *machine);

#endif
