#include "audit/forecast.h"

#include "audit/lead.h"
#include "walk.h"
#include "base/print.h"

const char *verdict_name(enum verdict verdict)
{
    static const char *const names[] = {"starts", "fallback", "perhaps", "fails", "unknown"};

    return names[verdict];
}

/* True when the entry starts something that is not the system, whatever disk dies: a program of the
 * firmware's own, a tool but for this one, or what is on a disk that is no member. */
static bool blocks(const struct machine *machine, const struct roles *roles,
                   const struct entry *entry)
{
    struct lead lead;

    if (!entry_is_tried(entry))
        return false;
    if (entry->form == DEVPATH_FORM_FV)
        return true;
    if (walk_names_file_only(entry) || !lead_of(machine, entry, &lead))
        return false;
    if (lead.program.kind == PROGRAM_TOOL)
        return !lead.program.is_own;
    size_t disk = machine->partitions[machine->esps[lead.esp].partition].disk;
    return roles != NULL && roles->member_count > 0 && lead.esp != roles->start_esp &&
           roles_member_on(roles, disk) == NO_INDEX;
}

size_t forecast_blocker(const struct machine *machine, const struct roles *roles, size_t entry)
{
    for (size_t i = 0; i < entry; i++) {
        if (blocks(machine, roles, &machine->entries[i]))
            return i;
    }
    return NO_INDEX;
}

/* How bad a verdict is. */
static int badness(enum verdict verdict)
{
    static const int ranks[] = {[VERDICT_STARTS] = 0,
                                [VERDICT_FALLBACK] = 1,
                                [VERDICT_PERHAPS] = 2,
                                [VERDICT_UNKNOWN] = 3,
                                [VERDICT_FAILS] = 4};

    return ranks[verdict];
}

/* The first entry that is tried and names a file alone; NO_INDEX without any. */
static size_t first_file_only(const struct machine *machine)
{
    for (size_t i = 0; i < machine->entry_count; i++) {
        if (entry_is_tried(&machine->entries[i]) && walk_names_file_only(&machine->entries[i]))
            return i;
    }
    return NO_INDEX;
}

/* Of two kinds of firmware: one that follows the path of a file alone, and one that does not. */
static struct forecast of_both(struct arena *arena, const struct machine *machine,
                               const struct forecast *strict, const struct forecast *lenient)
{
    size_t entry = first_file_only(machine);
    struct forecast forecast = {.verdict = VERDICT_PERHAPS, .entry = entry, .instead = NO_INDEX};

    if (strict->verdict == lenient->verdict)
        return *strict;
    if (!forecast_is_hopeful(strict) && !forecast_is_hopeful(lenient))
        return strict->verdict == VERDICT_UNKNOWN ? *strict : *lenient;
    forecast.reason = arena_printf(
        arena,
        "Boot%04X \"%.40s\" names a file and no disk: some firmware looks for it on all disks, "
        "removable ones first, other firmware starts nothing by it.",
        machine->entries[entry].number, machine->entries[entry].description);
    return forecast;
}

/* With the disks that are no members in it, or not. The ways are the strict and the lenient one. */
static enum status try_member(struct arena *arena, const struct machine *machine,
                              const struct roles *roles, size_t member, bool outsiders,
                              struct forecast *ret_forecast, struct way ret_ways[2])
{
    struct walk walk = {.outsiders = outsiders, .lenient = false};
    struct forecast strict;
    struct forecast lenient;

    enum status status = walk_order(arena, machine, roles, member, &walk, &strict, &ret_ways[0]);
    if (status != ST_OK)
        return status;
    ret_ways[1] = ret_ways[0];
    if (first_file_only(machine) == NO_INDEX) {
        *ret_forecast = strict;
        return ST_OK;
    }
    walk.lenient = true;
    status = walk_order(arena, machine, roles, member, &walk, &lenient, &ret_ways[1]);
    if (status != ST_OK)
        return status;
    struct forecast forecast = of_both(arena, machine, &strict, &lenient);
    if (forecast.reason == NULL)
        return ST_NO_MEMORY;
    *ret_forecast = forecast;
    return ST_OK;
}

static bool has_outsiders(const struct machine *machine, const struct roles *roles)
{
    for (size_t i = 0; i < machine->disk_count; i++) {
        if (!machine->disks[i].removable && roles_member_on(roles, i) == NO_INDEX)
            return true;
    }
    return false;
}

/* Says as well what starts in the member's place while other disks are in. */
static enum status add_instead(struct arena *arena, const struct machine *machine,
                               const struct forecast *among, struct forecast *io_forecast)
{
    const struct entry *entry = &machine->entries[among->instead];
    struct lead lead = {.esp = NO_INDEX};

    if (!lead_of(machine, entry, &lead))
        return ST_OK;
    io_forecast->instead = among->instead;
    io_forecast->reason = arena_printf(
        arena,
        "%s Instead, the firmware starts Boot%04X \"%.40s\" on Disk %zu, which is no copy "
        "of this system.",
        io_forecast->reason, entry->number, entry->description,
        machine->partitions[machine->esps[lead.esp].partition].disk);
    return io_forecast->reason == NULL ? ST_NO_MEMORY : ST_OK;
}

enum status forecast_alone(struct arena *arena, const struct machine *machine,
                           const struct roles *roles, size_t member, struct forecast *ret_forecast)
{
    struct way ways[START_WAYS];
    struct forecast alone;
    struct forecast among;

    enum status status =
        try_member(arena, machine, roles, member, false, &alone, &ways[ALONE_STRICT]);
    ways[AMONG_STRICT] = ways[ALONE_STRICT];
    ways[AMONG_LENIENT] = ways[ALONE_LENIENT];
    if (status == ST_OK && has_outsiders(machine, roles)) {
        status = try_member(arena, machine, roles, member, true, &among, &ways[AMONG_STRICT]);
        if (status == ST_OK && badness(among.verdict) > badness(alone.verdict))
            alone = among;
        else if (status == ST_OK && among.instead != NO_INDEX && !forecast_is_hopeful(&alone))
            status = add_instead(arena, machine, &among, &alone);
    }
    if (status != ST_OK)
        return status;
    for (size_t i = 0; i < START_WAYS; i++)
        alone.ways[i] = ways[i];
    *ret_forecast = alone;
    return ST_OK;
}

enum status forecast_program(struct arena *arena, const struct machine *machine,
                             const struct roles *roles, size_t member, size_t file,
                             const struct entry *entry, struct forecast *ret_forecast)
{
    return walk_program(arena, machine, roles, member, file, entry, ret_forecast);
}

enum status forecast_together(struct arena *arena, const struct machine *machine,
                              const struct roles *roles, struct way ret_ways[2])
{
    struct walk walk = {.together = true, .outsiders = true};
    struct way ways[2] = {{.outlook = OUTLOOK_UNKNOWN}, {.outlook = OUTLOOK_UNKNOWN}};
    enum status status = ST_OK;

    for (size_t i = 0; i < 2 && roles->member_count > 0 && status == ST_OK; i++) {
        struct forecast forecast;
        walk.lenient = i == 1;
        status = walk_order(arena, machine, roles, 0, &walk, &forecast, &ways[i]);
    }
    if (status != ST_OK)
        return status;
    ret_ways[0] = ways[0];
    ret_ways[1] = ways[1];
    return ST_OK;
}

/* How many members have this verdict. */
static size_t count_verdicts(const struct roles *roles, const struct forecast *forecasts,
                             enum verdict verdict)
{
    size_t count = 0;

    for (size_t i = 0; i < roles->member_count; i++)
        count += forecasts[i].verdict == verdict;
    return count;
}

bool forecast_is_hopeful(const struct forecast *forecast)
{
    return forecast->verdict == VERDICT_STARTS || forecast->verdict == VERDICT_FALLBACK ||
           forecast->verdict == VERDICT_PERHAPS;
}

enum machine_state machine_state_of(const struct roles *roles, const struct forecast *forecasts)
{
    size_t count = roles->member_count;
    size_t fallback = count_verdicts(roles, forecasts, VERDICT_FALLBACK) +
                      count_verdicts(roles, forecasts, VERDICT_PERHAPS);
    size_t good = fallback + count_verdicts(roles, forecasts, VERDICT_STARTS);
    size_t fails = count_verdicts(roles, forecasts, VERDICT_FAILS);

    if (count == 0)
        return MACHINE_UNKNOWN_DISKS;
    if (fails == count)
        return MACHINE_NONE;
    if (good + fails < count && (good == 0 || fails == 0))
        return MACHINE_UNKNOWN;
    if (good == count &&
        (count == 1 || roles->missing > 0 || (roles->kind == BOOT_PLAIN && !roles->raid)))
        return MACHINE_SINGLE;
    if (good == count)
        return fallback > 0 ? MACHINE_FALLBACK : MACHINE_SAFE;
    return forecast_is_hopeful(&forecasts[roles->primary]) ? MACHINE_PRIMARY_ONLY
                                                           : MACHINE_SHADOW_ONLY;
}

const char *machine_state_text(enum machine_state state, size_t member_count)
{
    bool pair = member_count == 2;

    switch (state) {
    case MACHINE_SAFE:
        return "This machine starts from each of its boot disks alone.";
    case MACHINE_FALLBACK:
        return "This machine starts from each of its boot disks alone, but from at least one of them "
               "only perhaps: that hangs on its firmware.";
    case MACHINE_PRIMARY_ONLY:
        return pair ? "If the primary disk dies, this machine does not start."
                    : "The primary disk starts alone, and not every other boot disk does.";
    case MACHINE_SHADOW_ONLY:
        return pair ? "If the shadow disk dies, this machine does not start."
                    : "The primary disk does not start alone; another boot disk does.";
    case MACHINE_NONE:
        return "This machine does not start from any of its boot disks alone.";
    case MACHINE_SINGLE:
        return "This machine starts, and nothing stands in for the disk it starts from: there is "
               "no mirror, or its other disk is missing.";
    case MACHINE_UNKNOWN:
        return "Whether this machine would start cannot be told.";
    case MACHINE_UNKNOWN_DISKS:
        break;
    }
    return "No boot volume and no EFI System Partition with boot files was found.";
}
