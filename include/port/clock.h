/* The machine's clock, for names and dates of journals. */
#ifndef SHADOWBOOT_PORT_CLOCK_H
#define SHADOWBOOT_PORT_CLOCK_H

#include "base/date.h"
#include "base/status.h"

struct clock_port {
    void *ctx;

    /* The local time as the machine keeps it. Statuses: ST_OK; ST_IO when the clock is broken. */
    enum status (*now)(void *ctx, struct date_time *ret_time);
};

#endif
