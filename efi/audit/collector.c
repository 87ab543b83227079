#include "audit/collector.h"

#define FIRST_ROOM 32

static bool make_room(struct collector *to)
{
    size_t room = to->room == 0 ? FIRST_ROOM : to->room * 2;
    struct finding *items = arena_alloc(to->arena, room, sizeof(*items));

    if (items == NULL)
        return false;
    for (size_t i = 0; i < to->count; i++)
        items[i] = to->items[i];
    to->items = items;
    to->room = room;
    return true;
}

void collect_finding(struct collector *to, struct finding finding)
{
    if (to->status != ST_OK)
        return;
    if (finding.detail == NULL || (to->count == to->room && !make_room(to))) {
        to->status = ST_NO_MEMORY;
        return;
    }
    to->items[to->count++] = finding;
}

static struct finding finding_of(enum finding_code code, const char *detail)
{
    return (struct finding){.code = code,
                            .disk = NO_INDEX,
                            .partition = NO_INDEX,
                            .entry = NO_INDEX,
                            .volume = NO_INDEX,
                            .detail = detail};
}

void collect_at_disk(struct collector *to, enum finding_code code, size_t disk, const char *detail)
{
    struct finding finding = finding_of(code, detail);

    finding.disk = disk;
    collect_finding(to, finding);
}

void collect_at_partition(struct collector *to, enum finding_code code, size_t partition,
                          const char *detail)
{
    struct finding finding = finding_of(code, detail);

    finding.partition = partition;
    collect_finding(to, finding);
}

void collect_at_entry(struct collector *to, enum finding_code code, size_t entry,
                      const char *detail)
{
    struct finding finding = finding_of(code, detail);

    finding.entry = entry;
    collect_finding(to, finding);
}

void collect_at_volume(struct collector *to, enum finding_code code, size_t volume,
                       const char *detail)
{
    struct finding finding = finding_of(code, detail);

    finding.volume = volume;
    collect_finding(to, finding);
}

void collect_at_machine(struct collector *to, enum finding_code code, const char *detail)
{
    collect_finding(to, finding_of(code, detail));
}

const char *collect_because(struct collector *to, const char *why)
{
    return arena_printf(to->arena, ": %s.", why);
}

enum status collect_finish(const struct collector *from, struct findings *ret_findings)
{
    if (from->status != ST_OK)
        return from->status;
    *ret_findings = (struct findings){.items = from->items, .count = from->count};
    return ST_OK;
}
