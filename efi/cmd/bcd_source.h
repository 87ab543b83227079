/* Which boot stores a command is about. */
#ifndef SHADOWBOOT_CMD_BCD_SOURCE_H
#define SHADOWBOOT_CMD_BCD_SOURCE_H

#include "cmd/context.h"

struct bcd_source {
    size_t esp;          /* index into machine.esps; NO_INDEX for a file that is on none */
    const char *path;    /* on the ESP `esp` */
    const char *name;    /* "Disk 0 Partition 1 {guid}", "FS0:\BCD" */
    struct span file;    /* the store; empty when it is not good */
    const char *trouble; /* half a sentence; NULL when it is good */
};

/*
 * The stores that are meant, on a machine that was scanned to SCAN_LISTED: the one in the file of
 * -store; that of the ESP on the disk, or of the GUID, that `place` names; without both those of
 * all ESPs. Statuses: ST_OK with one at least; else, reported, ST_ABSENT, ST_USAGE, ST_NO_MEMORY,
 * or what reading the file gave.
 */
MUST_CHECK enum status bcd_find_sources(struct context *context, const char *place,
                                        struct bcd_source **ret_sources, size_t *ret_count);

#endif
