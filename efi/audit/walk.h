/* One way that a start can go: BootOrder followed on paper, with some of the disks in. */
#ifndef SHADOWBOOT_AUDIT_WALK_H
#define SHADOWBOOT_AUDIT_WALK_H

#include "audit/forecast.h"

struct walk {
    bool together;  /* every disk stays in, the other members too */
    bool outsiders; /* fixed disks that are no members stay in; else the member is alone */
    bool lenient;   /* firmware looks for a path that is a file alone on all disks; else it starts
                     * nothing by such a path */
};

/*
 * What happens when of all members only `member` is left and firmware is switched on: its `ways`
 * are not set, `ret_way` is this one. Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status walk_order(struct arena *arena, const struct machine *machine,
                                  const struct roles *roles, size_t member, const struct walk *walk,
                                  struct forecast *ret_forecast, struct way *ret_way);

/* As forecast_program (audit/forecast.h). */
MUST_CHECK enum status walk_program(struct arena *arena, const struct machine *machine,
                                    const struct roles *roles, size_t member, size_t file,
                                    const struct entry *entry, struct forecast *ret_forecast);

/* True for an entry whose path is a file alone. */
bool walk_names_file_only(const struct entry *entry);

#endif
