/* The machine's clock: for names and dates of journals, and for how long something takes. */
#ifndef SHADOWBOOT_PORT_CLOCK_H
#define SHADOWBOOT_PORT_CLOCK_H

#include "base/date.h"
#include "base/status.h"

struct clock_port {
    void *ctx;

    /* The local time as the machine keeps it. Statuses: ST_OK; ST_IO when the clock is broken. */
    enum status (*now)(void *ctx, struct date_time *ret_time);

    /*
     * Microseconds since a moment that stays the same as long as the program runs. Never less than
     * the call before gave; always 0 on a machine that has no counter. Cheap but for the first
     * call, which may take some milliseconds. Good for rates and times left, not for dates.
     */
    uint64_t (*microseconds)(void *ctx);
};

/* What `now` tells; all zero when the clock is broken. */
static inline struct date_time clock_date(const struct clock_port *clock)
{
    struct date_time now;

    return clock->now(clock->ctx, &now) == ST_OK ? now : (struct date_time){0};
}

#endif
