/*
 * The logs of a registry hive, such as BCD.LOG beside BCD: what a write that was cut short lacks.
 * The first 512 bytes are a copy of the hive's base block, with a checksum and sequence numbers of
 * its own. Windows 8.1 and later write type 6:
 *
 *   512   entries, each of a multiple of 512 bytes
 *           0  4  "HvLE"                       24  8  hash of the bytes from 40 on
 *           4  4  size                         32  8  hash of the bytes up to 32
 *           8  4  flags, 1: as in the base     40     references: offset from the first bin
 *                 block at 144                        (4), size (4)
 *          12  4  sequence number              ...    what they refer to, one after the other
 *          16  4  size of all bins
 *          20  4  number of references
 *
 * Older Windows writes type 1:
 *
 *   512  4  "DIRT"
 *   516     a bit for each 512 bytes of the bins, which are as many as the base block says
 *   ...     from the next multiple of 512 on: the bytes whose bits are set, one after the other
 */
#ifndef SHADOWBOOT_FORMAT_REGF_LOG_H
#define SHADOWBOOT_FORMAT_REGF_LOG_H

#include "base/bytes.h"
#include "base/status.h"

/* What came of a recovery. */
enum regf_recovery {
    REGF_RECOVERED,
    REGF_RECOVERY_NOT_NEEDED,  /* no write to the hive was cut short */
    REGF_RECOVERY_UNSUPPORTED, /* the hive is of a kind that this program does not know */
    REGF_RECOVERY_NO_LOG,      /* there is no log, or none that is whole at its beginning */
    REGF_RECOVERY_LOG_STALE,   /* the logs are of other writes */
    REGF_RECOVERY_LOG_DAMAGED, /* what the hive lacks is damaged in its log too */
    REGF_RECOVERY_BAD_RESULT,  /* the hive is no whole one with it either */
    REGF_RECOVERY_TOO_SMALL,   /* the buffer is too small for the result */
    REGF_RECOVERY_COUNT
};

/*
 * Makes, in a buffer of `capacity` bytes, what the hive that all of `hive` is would be if the write
 * to it had been completed. `logs` are the whole files BCD.LOG, BCD.LOG1 and BCD.LOG2, those that
 * are there, in any order; Windows' boot manager looks at the first alone. A log fits that is of
 * type 6 and whose sequence number is not below the hive's second, or of type 1 and has the hive's
 * time. A base block that is
 * damaged is made anew from the log that is used. `*ret_file`, when it is REGF_RECOVERED, is a
 * clean hive whose frame is good (regf_check); its keys are not looked at. The inputs must not lie
 * in the buffer, whose bytes are undefined otherwise.
 */
MUST_CHECK enum regf_recovery regf_recover(struct span hive, const struct span *logs, size_t count,
                                           uint8_t *buffer, size_t capacity, struct span *ret_file);

/* Half a sentence, such as "its log is of another write". Never NULL; static lifetime. */
const char *regf_recovery_text(enum regf_recovery recovery);

#endif
