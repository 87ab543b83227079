/* What Secure Boot makes of the files by which firmware starts an ESP, and whether they go with the
 * Windows that they start. */
#ifndef SHADOWBOOT_AUDIT_AUDIT_SECURE_H
#define SHADOWBOOT_AUDIT_AUDIT_SECURE_H

#include "audit/collector.h"
#include "model/machine.h"

/* Findings about an ESP whose contents were read. */
void audit_secure(struct collector *to, const struct machine *machine, const struct esp *esp);

/* Findings about a boot manager of another version than Windows on the same disk keeps for it. */
void audit_level(struct collector *to, const struct esp *esp, const struct system_copy *copy);

#endif
