#include "audit/audit_machine.h"

#include "audit/audit_esps.h"
#include "audit_store_entries.h"
#include "audit_stores.h"
#include "audit_volumes.h"
#include "audit/collector.h"
#include "audit/last_record.h"
#include "audit/installed.h"
#include "audit/lead.h"
#include "walk.h"
#include "base/sort.h"
#include "base/text.h"

/* True when a disk of the array is missing, or here and not up to date. */
static bool md_is_degraded(const struct machine *machine, const struct roles *roles)
{
    bool degraded = roles->missing > 0;

    for (size_t i = 0; i < roles->member_count; i++) {
        size_t md = roles->members[i].md;
        degraded |=
            md == NO_INDEX || !roles_md_is_current(machine, &machine->md_members[md].member);
    }
    return degraded;
}

/* Findings about the mirror as a whole. */
static void audit_mirror(struct collector *to, const struct machine *machine,
                         const struct judgement *judgement)
{
    const struct roles *roles = &judgement->roles;

    if (roles->kind == BOOT_NONE)
        collect_at_machine(to, FINDING_BOOT_VOLUME_UNKNOWN, "");
    if (roles->missing > 0 && roles->kind == BOOT_LDM)
        collect_at_volume(to, FINDING_MIRROR_DISK_MISSING, roles->volume, "");
    if (roles->kind == BOOT_MD && md_is_degraded(machine, roles))
        collect_at_machine(to, FINDING_MD_DEGRADED, "");
    if (roles->missing == 0 && !roles->raid &&
        (roles->member_count == 1 || roles->kind == BOOT_PLAIN))
        collect_at_machine(to, FINDING_NO_SHADOW, "");
}

static bool is_active(const struct entry *entry)
{
    return entry->status == ST_OK && (entry->option.attributes & LOAD_OPTION_ACTIVE) != 0;
}

bool audit_entry_leads_to(const struct machine *machine, const struct entry *entry,
                          size_t partition)
{
    if (entry->status != ST_OK || (entry->option.attributes & LOAD_OPTION_CATEGORY) != 0)
        return false; /* applications are never started by themselves */
    if (entry->boot.has_hd)
        return entry->boot.partition != NO_INDEX &&
               machine_raid_original(machine, entry->boot.partition) ==
                   machine_raid_original(machine, partition) &&
               !lead_is_tool(machine, entry);
    return entry->boot.disk == machine->partitions[partition].disk &&
           load_option_is_auto_created(&entry->option) &&
           machine->partitions[partition].fallback_status == ST_OK;
}

struct esp_entries {
    size_t active;   /* in BootOrder, and active */
    size_t inactive; /* the first one in BootOrder that is not; NO_INDEX for none */
};

static struct esp_entries entries_of_member(const struct machine *machine, size_t partition)
{
    struct esp_entries found = {0, NO_INDEX};

    for (size_t i = 0; i < machine->entry_count; i++) {
        const struct entry *entry = &machine->entries[i];
        /* Without a BootOrder the entries are not lost: they only have to be put into one. */
        bool named = entry->in_order || order_is_missing(machine);
        if (!named || !audit_entry_leads_to(machine, entry, partition))
            continue;
        if (is_active(entry))
            found.active++;
        else if (found.inactive == NO_INDEX)
            found.inactive = i;
    }
    return found;
}

/* True when an entry in BootOrder starts the member, or one that is inactive would. */
static bool has_way(const struct machine *machine, const struct judgement *judgement, size_t member)
{
    const struct forecast *forecast = &judgement->forecasts[member];
    size_t esp = judgement->roles.members[member].esp;
    struct esp_entries own = entries_of_member(machine, machine->esps[esp].partition);

    return own.active > 0 || own.inactive != NO_INDEX ||
           (forecast_is_hopeful(forecast) && forecast->entry != NO_INDEX);
}

static void audit_way(struct collector *to, const struct machine *machine,
                      const struct judgement *judgement, size_t member)
{
    const struct forecast *forecast = &judgement->forecasts[member];
    size_t partition = machine->esps[judgement->roles.members[member].esp].partition;
    struct esp_entries own = entries_of_member(machine, partition);

    bool by_file = forecast->verdict == VERDICT_PERHAPS && forecast->entry != NO_INDEX &&
                   walk_names_file_only(&machine->entries[forecast->entry]);
    if (own.active > 0 || forecast->verdict == VERDICT_STARTS || by_file)
        return;
    if (own.inactive != NO_INDEX)
        collect_at_entry(to, FINDING_ENTRY_INACTIVE, own.inactive, "");
    else
        collect_at_partition(to, FINDING_ESP_NO_ENTRY, partition, "");
}

/* True when an entry leads to a member's ESP, in BootOrder or outside, or names a loader that is on
 * one: then the entries are not lost, they only are not right. */
static bool entries_exist(const struct machine *machine, const struct roles *roles)
{
    for (size_t i = 0; i < machine->entry_count; i++) {
        const char *file = machine->entries[i].boot.file;
        if (entry_is_last_record(machine, i) && loader_is_here(machine, file))
            return true;
    }
    for (size_t i = 0; i < roles->member_count; i++) {
        size_t esp = roles->members[i].esp;
        for (size_t j = 0; j < machine->entry_count && esp != NO_INDEX; j++) {
            if (audit_entry_leads_to(machine, &machine->entries[j], machine->esps[esp].partition))
                return true;
        }
    }
    return false;
}

/* Whether an entry leads to each member's ESP. */
static void audit_ways(struct collector *to, const struct machine *machine,
                       const struct judgement *judgement)
{
    const struct roles *roles = &judgement->roles;
    size_t esps = 0;
    size_t reached = 0;

    for (size_t i = 0; i < roles->member_count; i++) {
        esps += roles->members[i].esp != NO_INDEX;
        reached += roles->members[i].esp != NO_INDEX && has_way(machine, judgement, i);
    }
    if (!machine_knows_entries(machine))
        return;
    bool wiped = esps > 0 && reached == 0 && !entries_exist(machine, roles);
    if (wiped)
        collect_at_machine(to, FINDING_NVRAM_WIPED, "");
    for (size_t i = 0; i < roles->member_count && !wiped; i++) {
        if (roles->members[i].esp != NO_INDEX)
            audit_way(to, machine, judgement, i);
    }
}

static void audit_start(struct collector *to, const struct machine *machine, size_t disk,
                        const struct forecast *forecast)
{
    struct lead lead;

    if (forecast->other) {
        const struct entry *entry = &machine->entries[forecast->entry];
        collect_at_disk(
            to, FINDING_ORDER_NEVER_REACHES, disk,
            arena_printf(to->arena, " Boot%04X \"%.40s\".", entry->number, entry->description));
    }
    if (forecast->instead == NO_INDEX ||
        !lead_of(machine, &machine->entries[forecast->instead], &lead))
        return;
    collect_at_entry(to, FINDING_STARTS_ANOTHER_DISK, forecast->instead,
                     arena_printf(to->arena, " Disk %zu, in place of Disk %zu.",
                                  machine->partitions[machine->esps[lead.esp].partition].disk,
                                  disk));
}

/* Entries whose path is a file alone, where that may be on a disk of the system. */
static void audit_file_only(struct collector *to, const struct machine *machine)
{
    for (size_t i = 0; i < machine->entry_count; i++) {
        const struct entry *entry = &machine->entries[i];
        struct lead lead;
        if (entry_is_tried(entry) && walk_names_file_only(entry) && lead_of(machine, entry, &lead))
            collect_at_entry(to, FINDING_ENTRY_FILE_ONLY, i, "");
    }
}

static void audit_starts(struct collector *to, const struct machine *machine,
                         const struct judgement *judgement)
{
    audit_file_only(to, machine);
    for (size_t i = 0; i < judgement->roles.member_count; i++) {
        size_t disk = judgement->roles.members[i].disk;
        audit_start(to, machine, disk, &judgement->forecasts[i]);
        if (machine_disk_is_bios(machine, disk))
            collect_at_disk(to, FINDING_BIOS_START, disk, "");
        audit_bios_stores(to, machine, disk);
    }
}

/* True when the same is said already. */
static bool is_collected(const struct collector *to, const struct finding *finding)
{
    for (size_t i = 0; i < to->count; i++) {
        const struct finding *earlier = &to->items[i];
        if (earlier->code == finding->code && earlier->disk == finding->disk &&
            earlier->partition == finding->partition && earlier->entry == finding->entry &&
            text_equal(earlier->detail, finding->detail))
            return true;
    }
    return false;
}

/* Adds findings of an audit that makes a list of its own. Two of them may say the same. */
static void collect_all(struct collector *to, enum status status, const struct findings *from)
{
    if (status != ST_OK) {
        to->status = status;
        return;
    }
    for (size_t i = 0; i < from->count; i++)
        if (!is_collected(to, &from->items[i]))
            collect_finding(to, from->items[i]);
}

static int worst_first(const void *ctx, size_t a, size_t b)
{
    const struct finding *items = ctx;
    int difference = (int)finding_severity(items[b].code) - (int)finding_severity(items[a].code);

    if (difference != 0)
        return difference;
    return a < b ? -1 : a > b;
}

static enum status sort_findings(struct arena *arena, struct findings *io_findings)
{
    const size_t *order = sort_order(arena, io_findings->count, worst_first, io_findings->items);
    struct finding *items = arena_alloc(arena, io_findings->count, sizeof(*items));

    if (order == NULL || items == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < io_findings->count; i++)
        items[i] = io_findings->items[order[i]];
    io_findings->items = items;
    return ST_OK;
}

static enum status judge_starts(struct arena *arena, const struct machine *machine,
                                struct judgement *io_judgement)
{
    const struct roles *roles = &io_judgement->roles;
    struct forecast *forecasts = arena_alloc(arena, roles->member_count, sizeof(*forecasts));

    if (forecasts == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < roles->member_count; i++) {
        enum status status = forecast_alone(arena, machine, roles, i, &forecasts[i]);
        if (status != ST_OK)
            return status;
    }
    io_judgement->forecasts = forecasts;
    io_judgement->state = machine_state_of(roles, forecasts);
    return forecast_together(arena, machine, roles, io_judgement->together);
}

enum status audit_machine(struct arena *arena, const struct machine *machine,
                          struct judgement *ret_judgement)
{
    struct collector to = {.arena = arena};
    struct judgement judgement;
    struct findings found = {.items = NULL};

    enum status status = roles_find(arena, machine, &judgement.roles);
    if (status == ST_OK)
        status = judge_starts(arena, machine, &judgement);
    if (status != ST_OK)
        return status;
    audit_mirror(&to, machine, &judgement);
    status = audit_disks(arena, machine, &found);
    collect_all(&to, status, &found);
    audit_volumes(&to, machine, &judgement.roles);
    audit_copies(&to, machine, &judgement.roles);
    audit_esps(&to, machine, &judgement.roles);
    audit_stores(&to, machine, &judgement.roles);
    audit_ways(&to, machine, &judgement);
    audit_starts(&to, machine, &judgement);
    audit_installed(&to, machine, &judgement.roles);
    if (to.status == ST_OK)
        status = audit_entries(arena, machine, &found);
    collect_all(&to, status, &found);
    status = collect_finish(&to, &judgement.findings);
    judgement.findings.linux_only = !judgement.roles.windows;
    if (status == ST_OK)
        status = sort_findings(arena, &judgement.findings);
    if (status == ST_OK)
        *ret_judgement = judgement;
    return status;
}
