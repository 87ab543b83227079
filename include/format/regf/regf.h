/*
 * Registry hives, such as the store \EFI\Microsoft\Boot\BCD: is the file one, and is it whole? Keys
 * and values are read in regf_read.h.
 *
 *   base block, 4096 bytes                     bin ("hbin"), a multiple of 4096 bytes
 *     0  4  "regf"                               0  4  "hbin"
 *     4  4  sequence number, at start of write   4  4  offset of this bin, from the first
 *     8  4  the same, when the write was done    8  4  size
 *    12  8  time of the last write              32     cells, one after the other up to the end:
 *    20  4  major version, 1                             0  4  size with this field, a multiple
 *    24  4  minor version, 3 to 6                              of 8; negative: in use
 *    28  4  type, 0: the hive itself                     4     content; of a key: "nk", ...
 *    32  4  format, 1
 *    36  4  cell of the root key, from the first bin
 *    40  4  size of all bins, a multiple of 4096
 *   508  4  XOR of the 127 words before; 0 is stored as 1, ffffffff as fffffffe
 */
#ifndef SHADOWBOOT_FORMAT_REGF_H
#define SHADOWBOOT_FORMAT_REGF_H

#include <stdbool.h>

#include "base/bytes.h"

/* The most that the bins of a hive may take, bytes; those of boot stores take some 40 KiB. */
#define REGF_BINS_MAX (16u << 20)

/* What is wrong with a hive. The first that applies, in this order. */
enum regf_state {
    REGF_GOOD,
    REGF_NOT_A_HIVE,   /* "regf" is not there */
    REGF_TRUNCATED,    /* the base block or the bins pass the end of the file */
    REGF_BAD_CHECKSUM, /* of the base block */
    REGF_UNSUPPORTED,  /* a version, type, format or size that this program does not know */
    REGF_DAMAGED,      /* bins or cells do not follow each other, or there is no root key */
    REGF_DIRTY,        /* a write to it was not finished: the rest may be in its log */
    REGF_STATE_COUNT
};

/* The state of the hive that all of `file` is. Bytes behind the last bin are not looked at. */
enum regf_state regf_check(struct span file);

/* Half a sentence, such as "it is not a registry hive". Never NULL; static lifetime. */
const char *regf_state_text(enum regf_state state);

#endif
