#include "base/date.h"

#include <stdbool.h>
#include <stddef.h>

#define FIRST_YEAR  1601u /* a cycle of 400 years begins then */
#define DAY_SECONDS 86400u
#define LAST_DAY    3067670u /* 9999-12-31 */

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
    return seconds * FILETIME_SECOND;
}

/* Takes whole years, then whole months off the days since the first year; the first year looked at is
 * that of years which all have 366 days, which is not after the right one. */
struct date_time date_of_filetime(uint64_t filetime)
{
    uint64_t seconds = filetime / FILETIME_SECOND;
    uint64_t days = seconds / DAY_SECONDS;
    struct date_time date = {.month = 1};
    struct date_time next;

    if (days > LAST_DAY)
        return (struct date_time){0};
    date.year = (uint16_t)(FIRST_YEAR + days / 366);
    next = date;
    while (next.year++, date_filetime(&(struct date_time){next.year, 1, 1, 0, 0, 0}) <=
                            days * DAY_SECONDS * FILETIME_SECOND)
        date.year = next.year;
    while (date.month < 12 &&
           date_filetime(&(struct date_time){date.year, (uint8_t)(date.month + 1), 1, 0, 0, 0}) <=
               days * DAY_SECONDS * FILETIME_SECOND)
        date.month++;
    next = (struct date_time){date.year, date.month, 1, 0, 0, 0};
    date.day = (uint8_t)(days - date_filetime(&next) / FILETIME_SECOND / DAY_SECONDS + 1);
    date.hour = (uint8_t)(seconds % DAY_SECONDS / 3600);
    date.minute = (uint8_t)(seconds % 3600 / 60);
    date.second = (uint8_t)(seconds % 60);
    return date;
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
