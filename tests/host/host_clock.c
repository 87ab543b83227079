#include "host/host_clock.h"

#include <stddef.h>

static enum status fixed_now(void *ctx, struct date_time *ret_time)
{
    const struct host_clock *clock = ctx;

    *ret_time = clock->time;
    return ST_OK;
}

static uint64_t fixed_microseconds(void *ctx)
{
    struct host_clock *clock = ctx;
    uint64_t now = clock->microseconds;

    clock->microseconds += clock->step;
    return now;
}

static enum status broken_now(void *ctx, struct date_time *ret_time)
{
    (void)ctx;
    (void)ret_time;
    return ST_IO;
}

static uint64_t broken_microseconds(void *ctx)
{
    (void)ctx;
    return 0;
}

struct clock_port host_clock_fixed(struct host_clock *clock)
{
    struct clock_port port = {.ctx = clock, .now = fixed_now, .microseconds = fixed_microseconds};

    return port;
}

struct clock_port host_clock_broken(void)
{
    struct clock_port port = {.ctx = NULL, .now = broken_now, .microseconds = broken_microseconds};

    return port;
}
