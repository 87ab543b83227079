/*
 * Wraps ports so that trouble comes at a chosen call. Calls are counted from 1, per kind and in
 * all, whether they fail or not; a first run without trouble tells how many there are, and a loop
 * over n then meets every one of them:
 *
 *   for (uint64_t n = 1;; n++) {
 *       struct fault *fault = fault_new(ports of a fresh machine);
 *       fault_fail(fault, FAULT_ANY, n, ST_IO, false);
 *       ... run over fault_ports(fault), check what is left ...
 *       if (!fault_tripped(fault))
 *           break;
 *   }
 *
 * The console is not counted.
 */
#ifndef SHADOWBOOT_HOST_FAULT_H
#define SHADOWBOOT_HOST_FAULT_H

#include <setjmp.h>

#include "port/ports.h"

enum fault_kind {
    FAULT_ANY,   /* every call below */
    FAULT_WRITE, /* FAULT_VAR_SET, FAULT_FILE_WRITE, FAULT_FILE_REMOVE and FAULT_BLOCK_WRITE */
    FAULT_BLOCK_READ,
    FAULT_VAR_NEXT,
    FAULT_VAR_GET,
    FAULT_VAR_SET,
    FAULT_VAR_SPACE,
    FAULT_FILE_STAT,
    FAULT_FILE_LIST,
    FAULT_FILE_READ,
    FAULT_FILE_WRITE,
    FAULT_FILE_REMOVE,
    FAULT_CLOCK,
    FAULT_BLOCK_WRITE,
    FAULT_BLOCK_FLUSH,
    FAULT_FILE_RELEASE,
    FAULT_FILE_RENEW,
    FAULT_KIND_COUNT
};

/*
 * What a power cut leaves of the write it hits. A variable is set or removed as a whole, and so is
 * a file removed: only FAULT_CUT_AFTER carries those out. Blocks get into the disk's cache, of
 * which nothing need be on the medium yet: that is up to host_power_cut.
 */
enum fault_cut {
    FAULT_CUT_BEFORE,  /* nothing of it happened */
    FAULT_CUT_EMPTY,   /* the file is there (or cut to nothing), without the new data; no block */
    FAULT_CUT_HALF,    /* the first half of the data, or of the blocks (rounded down), is there */
    FAULT_CUT_GARBAGE, /* the length is right, the second half of the data is not */
    FAULT_CUT_AFTER,   /* all of it happened, but the program did not live to know */
    FAULT_CUT_COUNT
};

struct fault;

/* Wraps `ports`, which must outlive it and is not changed. Does nothing else until told. */
struct fault *fault_new(const struct ports *ports);
void fault_free(struct fault *fault);

/* The wrapped ports, valid as long as `fault`. */
const struct ports *fault_ports(const struct fault *fault);

/*
 * The `nth` call of `kind` gives `status` and is not carried out; with `for_good`, so do all later
 * ones. ST_OK makes firmware that promises and does nothing: for writes (the kinds of FAULT_WRITE)
 * and FAULT_BLOCK_FLUSH only. At most 8 such rules; the first that applies counts.
 */
void fault_fail(struct fault *fault, enum fault_kind kind, uint64_t nth, enum status status,
                bool for_good);

/* The same, but the call is carried out before `status` is returned. For the same kinds. */
void fault_fail_after(struct fault *fault, enum fault_kind kind, uint64_t nth, enum status status);

/*
 * After `calls` calls in all, disk `disk` is gone: its calls give ST_IO, and so does everything on
 * volumes whose device path leads through it. 0: it is gone from the start.
 */
void fault_vanish(struct fault *fault, size_t disk, uint64_t calls);

/*
 * From now on reads of disk `disk` that touch one of the `count` blocks from `lba` on give ST_IO
 * and read nothing. At most 8 such areas on all disks together.
 */
void fault_bad_blocks(struct fault *fault, size_t disk, uint64_t lba, uint64_t count);

/*
 * From now on disk `disk` and the volumes on it answer writes with ST_READ_ONLY and do nothing,
 * although they did not say that they are read-only.
 */
void fault_write_protect(struct fault *fault, size_t disk);

/*
 * The power goes at the `nth` write (FAULT_WRITE), of which `how` is left. Control then goes to
 * `*where` by longjmp; or, when that is NULL, the call and everything later gives ST_IO and output
 * is lost.
 */
void fault_power_cut(struct fault *fault, uint64_t nth, enum fault_cut how, jmp_buf *where);

/* Calls of a kind so far. */
uint64_t fault_calls(const struct fault *fault, enum fault_kind kind);

/* True when a rule has failed a call of this kind. */
bool fault_has_failed(const struct fault *fault, enum fault_kind kind);

/* The kind of the last write; FAULT_WRITE when there was none yet. */
enum fault_kind fault_last_write(const struct fault *fault);

/* True when a failure, a vanished disk or a power cut has made itself felt. */
bool fault_tripped(const struct fault *fault);

#endif
