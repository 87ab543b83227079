/* What diskid and the lines of diskpart have in common. */
#ifndef SHADOWBOOT_CMD_DISKID_H
#define SHADOWBOOT_CMD_DISKID_H

#include "cmd/context.h"

/* The disk's identity as people write it: "42D9DECD", "{guid}", or "none". In the arena. */
const char *diskid_text(struct context *context, size_t disk);

/*
 * Gives the disk the identity that `text` is, a GUID or eight hexadecimal digits by its partition
 * table, or "new" for one that nothing has: shows the plan, asks, applies. The machine was scanned
 * by mend_begin. Returns the command's status, reported.
 */
MUST_CHECK enum status diskid_set(struct context *context, size_t disk, const char *text);

#endif
