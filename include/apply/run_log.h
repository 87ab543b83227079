/*
 * What unattended starts leave behind, on the volume that the program was started from: the log of
 * the last runs, in a file of bounded size, and reports that take the place of the one before.
 */
#ifndef SHADOWBOOT_APPLY_RUN_LOG_H
#define SHADOWBOOT_APPLY_RUN_LOG_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/status.h"
#include "model/boot_paths.h"
#include "port/clock.h"
#include "port/files.h"

#define RUN_LOG_FILE     SHADOWBOOT_FOLDER "\\last.log"
#define RUN_LOG_JSON     SHADOWBOOT_FOLDER "\\last.json"
#define RUN_LOG_VARIABLE "ShadowbootReport"
#define RUN_LOG_MOST     16384u /* bytes of the log */

/*
 * Puts a run behind those in the log, with a line that says when it was; the oldest runs go as a
 * whole to make room. What is no log of ours gives way. A cut while it is written may take the log,
 * and nothing else. Statuses: ST_OK; ST_ABSENT when no volume is known to have been started from;
 * those of files_port.write; ST_NO_MEMORY.
 */
MUST_CHECK enum status run_log_append(struct arena *arena, const struct files_port *files,
                                      const struct clock_port *clock, struct span run);

/* Writes a file anew. Statuses as above. */
MUST_CHECK enum status run_log_replace(const struct files_port *files, const char *path,
                                       struct span content);

#endif
