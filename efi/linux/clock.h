/* The clock of the system. */
#ifndef SHADOWBOOT_LINUX_CLOCK_H
#define SHADOWBOOT_LINUX_CLOCK_H

#include "port/clock.h"

/* The local time, and the monotonic clock. */
struct clock_port linux_clock(void);

#endif
