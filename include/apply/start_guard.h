/*
 * Against a machine that starts over and over: how many unattended starts there were in a row, and
 * when the last one was, in one small variable of the program's own.
 */
#ifndef SHADOWBOOT_APPLY_START_GUARD_H
#define SHADOWBOOT_APPLY_START_GUARD_H

#include <stdbool.h>

#include "port/ports.h"

#define START_GUARD_NAME  "ShadowbootStarts"
#define START_GUARD_SIZE  8u
#define START_GUARD_MOST  3u  /* starts in a row before a person is waited for */
#define START_GUARD_PAUSE 15u /* minutes after which a start counts as one that has lasted */

struct start_guard {
    unsigned starts;  /* in a row, without such a pause; 0 when the last one has lasted */
    bool has_time;    /* the clock can be read */
    uint64_t seconds; /* now, since 1601 */
    /* The clock does not tell how long ago the last start was: it cannot be read, has hardly gone on
     * since, or has gone back (a battery that is empty, a machine without one). */
    bool is_blind;
};

/*
 * What the variable says now. A start long ago, or one in the future of a clock that was set back by
 * more than a pause, has lasted; without a clock none ever has. A damaged variable counts as none.
 */
struct start_guard start_guard_read(const struct ports *ports);

/* True when there were so many that a person is to be waited for. */
bool start_guard_is_shut(const struct start_guard *guard);

/* A pause has passed since the last start, whatever the clock says: one more may be tried. Nothing is written. */
void start_guard_let_one_pass(struct start_guard *io_guard);

/* Counts one more start: one write of START_GUARD_SIZE bytes. Statuses: those of vars_port.set. */
MUST_CHECK enum status start_guard_count(const struct ports *ports, struct start_guard *io_guard);

/* A person has taken over: begins at 0 again, with a write only where a start counts. */
void start_guard_clear(const struct ports *ports);

#endif
