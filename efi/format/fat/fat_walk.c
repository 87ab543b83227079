#include "fat_walk.h"

void fat_note(struct fat_walk *walk, enum fat_problem problem, const char *path)
{
    if (walk->report.problems[problem] == 0)
        walk->report.first_place[problem] = path;
    if (walk->report.problems[problem] < UINT32_MAX)
        walk->report.problems[problem]++;
}
