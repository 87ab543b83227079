/* A date and time of day as the machine's clock keeps it: local, no zone. */
#ifndef SHADOWBOOT_BASE_DATE_H
#define SHADOWBOOT_BASE_DATE_H

#include <stdint.h>

struct date_time {
    uint16_t year;
    uint8_t month; /* 1 to 12 */
    uint8_t day;   /* 1 to 31 */
    uint8_t hour;
    uint8_t minute;
    uint8_t second;
};

#define FILETIME_SECOND 10000000u /* units of a FILETIME */

/* The same as Windows counts it: 100 nanoseconds since the start of 1601 (FILETIME). 0 for a date
 * that is none. */
uint64_t date_filetime(const struct date_time *date);

/* The date that a FILETIME is, without fractions of a second; zeros behind the year 9999. */
struct date_time date_of_filetime(uint64_t filetime);

/* < 0, 0 or > 0 as `a` is before, with or after `b`. */
int date_compare(const struct date_time *a, const struct date_time *b);

#endif
