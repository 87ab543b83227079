/* The report of `status -json`: everything that is known of the machine, for those who collect from
 * many. The schema is in rows.h. */
#ifndef SHADOWBOOT_CMD_REPORT_JSON_H
#define SHADOWBOOT_CMD_REPORT_JSON_H

#include "audit/audit_machine.h"
#include "cmd/context.h"

#define REPORT_VERSION 1 /* of the schema; it grows when something changes its meaning */

/* The report, in the arena; `in_haste`: without the digests of files that nobody has asked for yet, which take longer
 * than all the rest. Statuses: ST_OK; ST_NO_MEMORY, with nothing set. */
MUST_CHECK enum status report_json_text(struct context *context, const struct judgement *judgement,
                                        bool in_haste, struct span *ret_text);

/*
 * Writes the report to a new file named on the command line. Statuses, reported: ST_OK; ST_EXISTS
 * when the file is there already; those of path_resolve and of files_port.write; ST_NO_MEMORY.
 */
MUST_CHECK enum status report_json_file(struct context *context, const struct judgement *judgement,
                                        const char *name);

#endif
