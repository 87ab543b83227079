/*
 * The JSON Schema (draft 2020-12) of the report of `status -json`, from the descriptions of its rows that program
 * and help print by. It is that of this version alone: a member that is not in it, a word that is none of a fixed
 * set and a number out of its range are wrong. No command prints it: the build does (tests/tools/report_schema.c),
 * and the firmware's program is linked without it.
 */
#ifndef SHADOWBOOT_CMD_REPORT_SCHEMA_H
#define SHADOWBOOT_CMD_REPORT_SCHEMA_H

#include "base/arena.h"
#include "base/print.h"
#include "base/status.h"

/*
 * Prints it; texts are made in the arena. Statuses: ST_OK; ST_ABSENT when `help json` leaves out a word that the
 * program has, or a set has no words; ST_NO_MEMORY. What was printed is of no use then.
 */
MUST_CHECK enum status report_schema(struct arena *arena, struct sink sink);

#endif
