#define _POSIX_C_SOURCE 200809L

#include "clock.h"

#include <stddef.h>
#include <time.h>

static enum status clock_now(void *ctx, struct date_time *ret_time)
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

static uint64_t clock_microseconds(void *ctx)
{
    struct timespec now;

    (void)ctx;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
        return 0;
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

struct clock_port linux_clock(void)
{
    struct clock_port port = {.ctx = NULL, .now = clock_now, .microseconds = clock_microseconds};

    return port;
}
