/* Programs beside this one. */
#ifndef SHADOWBOOT_CMD_PROGRAM_H
#define SHADOWBOOT_CMD_PROGRAM_H

#include "cmd/context.h"

/*
 * Loads and starts the program at `path` of the volume with `options`. Comes back when it has ended or could
 * not be started; `*ret_started` says whether it was. The answer is what firmware or the program said.
 */
struct start_answer program_run(struct context *context, const struct file_volume *volume,
                                const char *path, struct span options, bool *ret_started);

/*
 * Starts the program at `path` on the volume that this one was started from, without load options, and comes
 * back when it has ended, whatever it said. Statuses: ST_OK; else, reported, ST_ABSENT, ST_REFUSED by Secure
 * Boot, or what else loading gave.
 */
MUST_CHECK enum status program_start(struct context *context, const char *path);

/* Has firmware load a file of a volume, as an absolute path, and lets go of it again: what it said.
 * ST_NO_MEMORY when it could not be asked. */
struct start_answer program_try_load(struct context *context, size_t volume, const char *path);

#endif
