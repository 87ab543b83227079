#define _POSIX_C_SOURCE 200809L

#include "host/host_clock.h"

#include <stddef.h>
#include <time.h>

static enum status fixed_now(void *ctx, struct date_time *ret_time)
{
    const struct date_time *time = ctx;

    *ret_time = *time;
    return ST_OK;
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

static enum status broken_now(void *ctx, struct date_time *ret_time)
{
    (void)ctx;
    (void)ret_time;
    return ST_IO;
}

struct clock_port host_clock_fixed(const struct date_time *time)
{
    struct clock_port port = {.ctx = (void *)(uintptr_t)time, .now = fixed_now};

    return port;
}

struct clock_port host_clock_real(void)
{
    struct clock_port port = {.ctx = NULL, .now = real_now};

    return port;
}

struct clock_port host_clock_broken(void)
{
    struct clock_port port = {.ctx = NULL, .now = broken_now};

    return port;
}
