#define _POSIX_C_SOURCE 200809L

#include "host/host_clock.h"

#include <stddef.h>
#include <time.h>

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

static enum status real_now(void *ctx, struct date_time *ret_time)
{
    time_t seconds = time(NULL);
    struct tm parts;

    (void)ctx;
    if (localtime_r(&seconds, &parts) == NULL)
        return ST_IO;
    ret_time->year = (uint16_t)(parts.tm_year + 1900);
    ret_time->month = (uint8_t)(parts.tm_mon + 1);
    ret_time->day = (uint8_t)parts.tm_mday;
    ret_time->hour = (uint8_t)parts.tm_hour;
    ret_time->minute = (uint8_t)parts.tm_min;
    ret_time->second = (uint8_t)(parts.tm_sec < 60 ? parts.tm_sec : 59);
    return ST_OK;
}

static uint64_t real_microseconds(void *ctx)
{
    struct timespec now;

    (void)ctx;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
        return 0;
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
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

struct clock_port host_clock_real(void)
{
    struct clock_port port = {.ctx = NULL, .now = real_now, .microseconds = real_microseconds};

    return port;
}

struct clock_port host_clock_broken(void)
{
    struct clock_port port = {.ctx = NULL, .now = broken_now, .microseconds = broken_microseconds};

    return port;
}
