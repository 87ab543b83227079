/* A clock that stands still, the real one, or a broken one. */
#ifndef SHADOWBOOT_HOST_HOST_CLOCK_H
#define SHADOWBOOT_HOST_HOST_CLOCK_H

#include "port/clock.h"

/* Always says `*time`, which must outlive the port and may be changed meanwhile. */
struct clock_port host_clock_fixed(const struct date_time *time);

/* The host's local time. */
struct clock_port host_clock_real(void);

/* Always ST_IO. */
struct clock_port host_clock_broken(void);

#endif
