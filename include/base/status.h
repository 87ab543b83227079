/*
 * One status for everything that can go wrong. Calls return it, results go through `ret_...`
 * pointers, and those are left untouched unless the status is ST_OK.
 *
 * The codes keep apart what a repair tool must never confuse: a thing that is not there, a thing
 * that is there and broken, and a thing that could not be read at all.
 */
#ifndef SHADOWBOOT_BASE_STATUS_H
#define SHADOWBOOT_BASE_STATUS_H

#define MUST_CHECK __attribute__((warn_unused_result))

enum status {
    ST_OK = 0,
    ST_ABSENT,      /* what was asked for is not there */
    ST_DAMAGED,     /* it is there, and its structure is broken or its checksum wrong */
    ST_UNSUPPORTED, /* it is well formed, and this program cannot handle it */
    ST_REFUSED,     /* a rule of this program or the user forbids it */
    ST_USAGE,       /* the command line is wrong */
    ST_EXISTS,      /* it is there already */
    ST_CHANGED,     /* it is no longer what it was when it was looked at */
    ST_NO_SPACE,    /* a disk, a file system or the variable store is full */
    ST_READ_ONLY,   /* the medium or the store does not accept writes */
    ST_IO,          /* the device reported an error or has vanished */
    ST_NO_MEMORY,   /* the arena or the firmware has no memory left */
    ST_TOO_SMALL,   /* the buffer given is too small for the result */
    ST_CANCELLED,   /* the user said no or pressed Ctrl-C */
    ST_COUNT
};

/* English words for a status, such as "not found". Never NULL; static lifetime. */
const char *status_text(enum status status);

#endif
