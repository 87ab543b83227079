/* A clock that stands still, or a broken one. The real one is in linux/clock.h. */
#ifndef SHADOWBOOT_HOST_HOST_CLOCK_H
#define SHADOWBOOT_HOST_HOST_CLOCK_H

#include "port/clock.h"

struct host_clock {
    struct date_time time;
    uint64_t microseconds; /* what the next call of microseconds gives */
    uint64_t step;         /* what each such call adds; 0 at the begin */
};

/*
 * Always says the clock's time, and counts on by its step. The clock must outlive the port and may
 * be changed meanwhile.
 */
struct clock_port host_clock_fixed(struct host_clock *clock);

/* Always ST_IO, and 0 microseconds. */
struct clock_port host_clock_broken(void);

#endif
