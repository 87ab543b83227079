/*
 * The log of a registry hive, such as BCD.LOG beside BCD.
 *
 *     0  512  the start of the hive's base block, with a checksum and sequence numbers of its own;
 *             type 6, or 1 up to Windows 8
 */
#ifndef SHADOWBOOT_FORMAT_REGF_LOG_H
#define SHADOWBOOT_FORMAT_REGF_LOG_H

#include <stdbool.h>

#include "base/bytes.h"

/*
 * True when `log`, the start of the file BCD.LOG of 1024 bytes or more, is the log of the hive that
 * all of `hive` is, and as new as what the hive lacks: Windows' boot manager then mends the hive by
 * it. What the log's entries hold is not looked at.
 *
 *   512       type 6: entries, each "HvLE", and at 12 its sequence number; the first has that of
 *             the log, which is not below the hive's second one
 *             type 1: "DIRT"; the time at 12 of the base block is that of the hive
 */
bool regf_log_fits(struct span hive, struct span log);

#endif
