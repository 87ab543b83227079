/* Disks as they are named on the command line. */
#ifndef SHADOWBOOT_CMD_DISK_WORD_H
#define SHADOWBOOT_CMD_DISK_WORD_H

#include "cmd/context.h"

/* The disk that the word names, by its number or its GUID, on the machine that was scanned.
 * Statuses: ST_OK; ST_USAGE, ST_ABSENT, or ST_REFUSED where two have that GUID, reported. */
MUST_CHECK enum status disk_word(struct context *context, const char *word, size_t *ret_disk);

#endif
