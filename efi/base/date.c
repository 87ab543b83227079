#include "base/date.h"

#include <stddef.h>

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
