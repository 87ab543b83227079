/* Files named on the command line. */
#ifndef SHADOWBOOT_CMD_PATH_H
#define SHADOWBOOT_CMD_PATH_H

#include "cmd/context.h"

struct file_place {
    size_t volume;
    const char *path; /* absolute, with backslashes, not ending in one unless it is the root */
};

/*
 * Understands "FS0:\dir\file", "\dir\file" and "dir\file"; without a volume it is the current one,
 * without a leading backslash the current directory. Statuses: ST_OK; ST_ABSENT (no such volume, or
 * no current one) and ST_NO_MEMORY, reported.
 */
MUST_CHECK enum status path_resolve(struct context *context, const char *text,
                                    struct file_place *ret_place);

/*
 * A path from the root of a volume: forward slashes become backslashes, a missing one at the start
 * is put there, one at the end is dropped. In the arena; NULL when that is full.
 */
const char *path_from_root(struct context *context, const char *text);

/* "FS0:\dir\file", fit for a terminal, in the arena; "" when that is full. */
const char *path_text(struct context *context, const struct file_place *place);

#endif
