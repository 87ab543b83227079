#include "base/date.h"

#include <stdbool.h>
#include <stddef.h>

#define FIRST_YEAR  1601u /* a cycle of 400 years begins then */
#define DAY_SECONDS 86400u
#define TICKS       10000000u /* a second */

uint64_t date_filetime(const struct date_time *date)
{
    static const uint16_t before[12] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    bool leap = date->year % 4 == 0 && (date->year % 100 != 0 || date->year % 400 == 0);

    if (date->year < FIRST_YEAR || date->month < 1 || date->month > 12)
        return 0;
    uint64_t years = date->year - FIRST_YEAR;
    uint64_t days = years * 365 + years / 4 - years / 100 + years / 400 + before[date->month - 1] +
                    (leap && date->month > 2) + date->day - 1;
    uint64_t seconds = days * DAY_SECONDS + date->hour * 3600u + date->minute * 60u + date->second;
    return seconds * TICKS;
}

int date_compare(const struct date_time *a, const struct date_time *b)
{
    const int differences[] = {a->year - b->year, a->month - b->month,   a->day - b->day,
                               a->hour - b->hour, a->minute - b->minute, a->second - b->second};

    for (size_t i = 0; i < sizeof(differences) / sizeof(differences[0]); i++) {
        if (differences[i] != 0)
            return differences[i];
    }
    return 0;
}
