/*
 * Registry hives, such as the store \EFI\Microsoft\Boot\BCD: is the file one, and is it whole? Keys
 * and values are not read here.
 *
 *   base block, 4096 bytes                     bin ("hbin"), a multiple of 4096 bytes
 *     0  4  "regf"                               0  4  "hbin"
 *     4  4  sequence number, at start of write   4  4  offset of this bin, from the first
 *     8  4  the same, when the write was done    8  4  size
 *    20  4  major version, 1                    32     cells, one after the other up to the end:
 *    24  4  minor version, 3 to 6                        0  4  size with this field, a multiple
 *    28  4  type, 0: the hive itself                           of 8; negative: in use
 *    32  4  format, 1                                    4     content; of a key: "nk", ...
 *    36  4  cell of the root key, from the first bin
 *    40  4  size of all bins, a multiple of 4096
 *   508  4  XOR of the 127 words before; 0 is stored as 1, ffffffff as fffffffe
 */
#ifndef SHADOWBOOT_FORMAT_REGF_H
#define SHADOWBOOT_FORMAT_REGF_H

#include <stdbool.h>

#include "base/bytes.h"

/* What is wrong with a hive. The first that applies, in this order. */
enum regf_state {
    REGF_GOOD,
    REGF_NOT_A_HIVE,   /* "regf" is not there */
    REGF_TRUNCATED,    /* the base block or the bins pass the end of the file */
    REGF_BAD_CHECKSUM, /* of the base block */
    REGF_UNSUPPORTED,  /* a version, type or format that this program does not know */
    REGF_DAMAGED,      /* bins or cells do not follow each other, or there is no root key */
    REGF_DIRTY,        /* a write to it was not finished: the rest may be in its log */
    REGF_STATE_COUNT
};

/* The state of the hive that all of `file` is. Bytes behind the last bin are not looked at. */
enum regf_state regf_check(struct span file);

/*
 * True when `log`, the start of the file BCD.LOG of 1024 bytes or more, is the log of the hive that
 * all of `hive` is, and as new as what the hive lacks: Windows' boot manager then mends the hive by
 * it. What the log's entries hold is not looked at.
 *
 *   log     0  512  the start of the hive's base block, with a checksum and sequence numbers of its
 *                   own; type 6, or 1 up to Windows 8
 *         512       type 6: entries, each "HvLE", and at 12 its sequence number; the first has that
 *                   of the log, which is not below the hive's second one
 *                   type 1: "DIRT"; the time at 12 of the base block is that of the hive
 */
bool regf_log_fits(struct span hive, struct span log);

/* Half a sentence, such as "it is not a registry hive". Never NULL; static lifetime. */
const char *regf_state_text(enum regf_state state);

#endif
