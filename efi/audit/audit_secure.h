/* What Secure Boot makes of the files by which firmware starts an ESP. */
#ifndef SHADOWBOOT_AUDIT_AUDIT_SECURE_H
#define SHADOWBOOT_AUDIT_AUDIT_SECURE_H

#include "audit/collector.h"
#include "model/machine.h"

/* Findings about an ESP whose contents were read. */
void audit_secure(struct collector *to, const struct machine *machine, const struct esp *esp);

#endif
