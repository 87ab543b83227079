#include "audit/roles.h"

#include "audit/lead.h"
#include "system.h"
#include "base/print.h"

size_t roles_member_on(const struct roles *roles, size_t disk)
{
    for (size_t i = 0; i < roles->member_count; i++) {
        if (roles->members[i].disk == disk)
            return i;
    }
    return NO_INDEX;
}

static bool entry_uses(const struct machine *machine, size_t partition)
{
    for (size_t i = 0; i < machine->entry_count; i++) {
        if (machine->entries[i].boot.partition == partition && machine->entries[i].in_order)
            return true;
    }
    return false;
}

static bool esp_has_programs(const struct esp *esp)
{
    for (size_t i = 0; i < esp->report.file_count; i++) {
        if (esp->contents[i].is_program)
            return true;
    }
    return false;
}

/* How much speaks for an ESP being the one that its disk is started from. */
static int esp_rank(const struct machine *machine, const struct esp *esp)
{
    if (entry_uses(machine, esp->partition))
        return 4;
    if (lead_esp_starts_windows(esp))
        return 3;
    if (lead_esp_starts_other(machine, esp))
        return 2;
    return esp_has_programs(esp) ? 1 : 0;
}

/* The ESP of the disk that the entries come to first where there is a file to start. */
static size_t led_esp_of(const struct machine *machine, size_t disk)
{
    for (size_t i = 0; i < machine->entry_count; i++) {
        const struct entry *entry = &machine->entries[i];
        struct lead lead;
        if (!entry_is_tried(entry) || !entry->boot.has_hd || !lead_of(machine, entry, &lead) ||
            lead.program.kind == PROGRAM_TOOL)
            continue;
        if (machine->partitions[machine->esps[lead.esp].partition].disk == disk)
            return lead.esp;
    }
    return NO_INDEX;
}

/* By what the ESPs have; of equals the one that firmware comes to first. */
static size_t best_esp_of(const struct machine *machine, size_t disk)
{
    size_t found = NO_INDEX;
    int best = -1;

    for (size_t i = machine_next_esp(machine, disk, NO_INDEX); i != NO_INDEX;
         i = machine_next_esp(machine, disk, i)) {
        int rank = esp_rank(machine, &machine->esps[i]);
        if (rank <= best)
            continue;
        best = rank;
        found = i;
    }
    return found;
}

size_t roles_esp_of(const struct machine *machine, size_t disk)
{
    size_t led = led_esp_of(machine, disk);

    return led != NO_INDEX ? led : best_esp_of(machine, disk);
}

static void add_member(const struct machine *machine, size_t disk, size_t copy,
                       struct roles *io_roles)
{
    size_t at = roles_member_on(io_roles, disk);

    if (at != NO_INDEX) {
        if (io_roles->members[at].copy == NO_INDEX)
            io_roles->members[at].copy = copy;
        return;
    }
    for (at = io_roles->member_count; at > 0 && io_roles->members[at - 1].disk > disk; at--)
        io_roles->members[at] = io_roles->members[at - 1];
    io_roles->members[at] = (struct member){disk, roles_esp_of(machine, disk), copy, NO_INDEX};
    io_roles->member_count++;
}

static size_t copy_of_plex(const struct machine *machine, size_t plex, size_t disk)
{
    for (size_t i = 0; i < machine->copy_count; i++) {
        if (machine->copies[i].plex == plex && machine->copies[i].disk == disk)
            return i;
    }
    return NO_INDEX;
}

/* True for a disk that does not say which one it is: its LDM database or its partition table cannot
 * be used. */
static bool is_nameless(const struct machine *machine, size_t index)
{
    const struct volume_disk_note *note = volume_map_note(&machine->volumes, index);

    return disk_hides_partitions(&machine->disks[index]) ||
           (note != NULL && note->group == VOLUME_NONE);
}

/* Puts disks in the places of missing ones that may well be those: nameless ones, and all that
 * claim the same name in the `group` of dynamic disks, VOLUME_NONE for none. */
static void take_doubtful(const struct machine *machine, size_t group, struct roles *io_roles)
{
    for (size_t i = 0; i < machine->disk_count; i++) {
        const struct volume_disk_note *note = volume_map_note(&machine->volumes, i);
        bool clone = note != NULL && note->is_clone && note->group == group;
        bool wanted = clone || (io_roles->missing > 0 && is_nameless(machine, i));
        if (!wanted || machine->disks[i].removable || roles_member_on(io_roles, i) != NO_INDEX)
            continue;
        add_member(machine, i, NO_INDEX, io_roles);
        io_roles->missing -= io_roles->missing > 0;
    }
}

/* True for the first extent of the volume on its disk, so that a missing disk counts once. */
static bool is_first_of_its_disk(const struct volume_map *map, size_t index)
{
    const struct dynamic_extent *own = &map->extents[index];

    for (size_t i = 0; i < index; i++) {
        const struct dynamic_extent *earlier = &map->extents[i];
        if (earlier->dynamic_disk == own->dynamic_disk &&
            map->plexes[earlier->plex].volume == map->plexes[own->plex].volume)
            return false;
    }
    return true;
}

static enum status take_ldm(struct arena *arena, const struct machine *machine, size_t volume,
                            struct roles *io_roles)
{
    const struct volume_map *map = &machine->volumes;
    const struct dynamic_volume *boot = &map->volumes[volume];

    io_roles->volume = volume;
    io_roles->name = boot->drive_hint[0] == '\0'
                         ? boot->name
                         : arena_printf(arena, "%s (%s)", boot->name, boot->drive_hint);
    for (size_t i = 0; i < map->extent_count; i++) {
        const struct dynamic_extent *extent = &map->extents[i];
        if (map->plexes[extent->plex].volume != volume)
            continue;
        if (extent->disk == VOLUME_NONE)
            io_roles->missing += is_first_of_its_disk(map, i);
        else
            add_member(machine, extent->disk, copy_of_plex(machine, extent->plex, extent->disk),
                       io_roles);
    }
    take_doubtful(machine, boot->group, io_roles);
    return io_roles->name == NULL ? ST_NO_MEMORY : ST_OK;
}

/* The most events that a part of the array in use has seen. */
static uint64_t latest_events(const struct machine *machine, const struct guid *set)
{
    uint64_t latest = 0;

    for (size_t i = 0; i < machine->md_count; i++) {
        const struct md_member *own = &machine->md_members[i].member;
        if (guid_equal(&own->set, set) && own->role < MD_ROLE_JOURNAL && own->events > latest)
            latest = own->events;
    }
    return latest;
}

bool roles_md_is_current(const struct machine *machine, const struct md_member *member)
{
    /* One event behind is what a power cut leaves, and Linux takes it as up to date. */
    return member->role < MD_ROLE_JOURNAL &&
           member->events + 1 >= latest_events(machine, &member->set);
}

/* A spare, faulty or journal disk carries no copy: it is no member. */
static enum status take_md(struct arena *arena, const struct machine *machine, size_t index,
                           struct roles *io_roles)
{
    const struct md_member *array = &machine->md_members[index].member;
    size_t here = 0;

    for (size_t i = 0; i < machine->md_count; i++) {
        const struct md_partition *own = &machine->md_members[i];
        size_t disk = machine->partitions[own->partition].disk;
        if (!guid_equal(&array->set, &own->member.set) || own->member.role >= MD_ROLE_JOURNAL)
            continue;
        add_member(machine, disk, NO_INDEX, io_roles);
        io_roles->members[roles_member_on(io_roles, disk)].md = i;
        here++;
    }
    io_roles->missing = array->raid_disks > here ? array->raid_disks - here : 0;
    take_doubtful(machine, VOLUME_NONE, io_roles);
    io_roles->name = arena_printf(arena, "md array %s", array->name);
    return io_roles->name == NULL ? ST_NO_MEMORY : ST_OK;
}

/* Without a mirror that can be seen: the fixed disks that something is started from, but for those
 * with another system on them. */
static void take_esps(const struct machine *machine, const struct boot_system *system,
                      struct roles *io_roles)
{
    for (size_t i = 0; i < machine->esp_count; i++) {
        const struct esp *esp = &machine->esps[i];
        size_t disk = machine->partitions[esp->partition].disk;
        if (machine->disks[disk].removable || system_is_not_on(machine, system, disk))
            continue;
        if (entry_uses(machine, esp->partition) || esp_has_programs(esp))
            add_member(machine, disk, NO_INDEX, io_roles);
    }
}

/* A machine without any ESP, which is started as BIOS does. */
static void take_bios_disks(const struct machine *machine, struct roles *io_roles)
{
    for (size_t i = 0; i < machine->disk_count && machine->esp_count == 0; i++) {
        if (!machine->disks[i].removable && machine_disk_is_bios(machine, i))
            add_member(machine, i, NO_INDEX, io_roles);
    }
}

static enum status take_plain(struct arena *arena, const struct machine *machine,
                              const struct boot_system *system, struct roles *io_roles)
{
    const struct system_copy *own = &machine->copies[system->index];

    take_esps(machine, system, io_roles);
    for (size_t i = 0; i < machine->copy_count; i++) {
        if (system_copies_equal(machine, system->index, i))
            add_member(machine, machine->copies[i].disk, i, io_roles);
    }
    io_roles->name =
        arena_printf(arena, "Disk %zu Partition %u", own->disk,
                     own->partition == NO_INDEX ? 0 : machine->partitions[own->partition].number);
    return io_roles->name == NULL ? ST_NO_MEMORY : ST_OK;
}

static enum status take_system(struct arena *arena, const struct machine *machine,
                               const struct boot_system *system, struct roles *io_roles)
{
    io_roles->kind = system->kind;
    io_roles->windows = system->windows;
    switch (system->kind) {
    case BOOT_LDM:
        return take_ldm(arena, machine, system->index, io_roles);
    case BOOT_MD:
        return take_md(arena, machine, system->index, io_roles);
    case BOOT_PLAIN:
        return take_plain(arena, machine, system, io_roles);
    case BOOT_NONE:
        break;
    }
    take_esps(machine, system, io_roles);
    take_bios_disks(machine, io_roles);
    return ST_OK;
}

/* The member whose disk an entry starts from; NO_INDEX when it is none. */
static size_t member_of_entry(const struct machine *machine, const struct roles *roles,
                              const struct entry *entry)
{
    size_t disk = entry->boot.disk;

    if (!entry_is_tried(entry))
        return NO_INDEX;
    if (entry->boot.has_hd)
        disk = entry->boot.partition == NO_INDEX ? NO_INDEX
                                                 : machine->partitions[entry->boot.partition].disk;
    return disk == NO_INDEX ? NO_INDEX : roles_member_on(roles, disk);
}

static bool starts_system(const struct machine *machine, const struct roles *roles, size_t esp)
{
    const struct esp *own = &machine->esps[esp];

    return roles->windows ? lead_esp_starts_windows(own) : lead_esp_starts_other(machine, own);
}

/* The member that the entries lead to; where they lead to none, by what the ESPs have. */
static size_t find_primary(const struct machine *machine, const struct roles *roles)
{
    size_t with_esp = NO_INDEX;

    for (size_t i = 0; i < machine->entry_count; i++) {
        const struct entry *entry = &machine->entries[i];
        size_t member = member_of_entry(machine, roles, entry);
        if (member != NO_INDEX && !lead_is_tool(machine, entry))
            return member;
    }
    for (size_t i = roles->member_count; i-- > 0;) {
        if (roles->members[i].esp != NO_INDEX)
            with_esp = i;
    }
    for (size_t i = 0; i < roles->member_count; i++) {
        size_t esp = roles->members[i].esp;
        if (esp != NO_INDEX && starts_system(machine, roles, esp))
            return i;
    }
    if (with_esp != NO_INDEX)
        return with_esp;
    return roles->member_count > 0 ? 0 : NO_INDEX;
}

/* True when all members are disks of one RAID. */
static bool are_of_one_raid(const struct machine *machine, const struct roles *roles)
{
    for (size_t i = 0; i < roles->member_count; i++) {
        size_t disk = roles->members[i].disk;
        if (i == 0 ? !owner_is_raid(machine->disks[disk].owner.owner)
                   : !machine_are_raid_twins(machine, roles->members[0].disk, disk))
            return false;
    }
    return roles->member_count > 0;
}

/* True when the disk may carry a system of its own, which a boot manager on it then starts. */
static bool may_have_system(const struct machine *machine, size_t index)
{
    const struct disk *disk = &machine->disks[index];

    for (size_t i = 0; i < disk->partition_count; i++) {
        enum partition_type kind = machine->partitions[disk->first_partition + i].kind;
        if (kind == PT_LDM_DATA || kind == PT_STORAGE_SPACES || kind == PT_LINUX_DATA ||
            kind == PT_LINUX_RAID || kind == PT_LINUX_LVM || kind == PT_LINUX_ROOT_X64)
            return true;
    }
    for (size_t i = 0; i < machine->copy_count; i++) {
        const struct system_copy *copy = &machine->copies[i];
        if (copy->disk == index &&
            (copy->content == CONTENT_BITLOCKER || system_copy_windows(copy) == ST_OK))
            return true;
    }
    return false;
}

/* The first ESP that entries lead to and that starts no other system. */
static size_t find_led_esp(const struct machine *machine, const struct roles *roles)
{
    for (size_t i = 0; i < machine->entry_count; i++) {
        const struct entry *entry = &machine->entries[i];
        struct lead lead;
        if (!entry_is_tried(entry) || !lead_of(machine, entry, &lead) ||
            lead.program.kind == PROGRAM_TOOL)
            continue;
        size_t disk = machine->partitions[machine->esps[lead.esp].partition].disk;
        if (roles_member_on(roles, disk) != NO_INDEX || !may_have_system(machine, disk))
            return lead.esp;
    }
    return NO_INDEX;
}

/* Where no entry leads anywhere: the primary's ESP, or one on another disk that has what the
 * members' lack. */
static size_t find_start_esp(const struct machine *machine, const struct roles *roles)
{
    size_t own = roles->primary == NO_INDEX ? NO_INDEX : roles->members[roles->primary].esp;

    if (own != NO_INDEX)
        return own;
    for (size_t i = 0; i < machine->esp_count && roles->member_count > 0; i++) {
        const struct partition *partition = &machine->partitions[machine->esps[i].partition];
        if (!machine->disks[partition->disk].removable &&
            !may_have_system(machine, partition->disk) && starts_system(machine, roles, i))
            return i;
    }
    return NO_INDEX;
}

enum status roles_find(struct arena *arena, const struct machine *machine, struct roles *ret_roles)
{
    struct roles roles = {
        .name = "", .volume = NO_INDEX, .shadow = NO_INDEX, .start_esp = NO_INDEX};
    struct lead lead;
    bool leads = lead_first(machine, &lead);
    struct boot_system system = system_find(machine, leads ? &lead : NULL);

    roles.members = arena_alloc(arena, machine->disk_count, sizeof(*roles.members));
    if (roles.members == NULL)
        return ST_NO_MEMORY;
    enum status status = take_system(arena, machine, &system, &roles);
    if (status != ST_OK)
        return status;
    roles.raid = are_of_one_raid(machine, &roles);
    roles.primary = find_primary(machine, &roles);
    roles.start_esp = find_led_esp(machine, &roles);
    if (roles.start_esp == NO_INDEX)
        roles.start_esp = find_start_esp(machine, &roles);
    for (size_t i = 0; i < roles.member_count && roles.shadow == NO_INDEX; i++) {
        if (i != roles.primary)
            roles.shadow = i;
    }
    *ret_roles = roles;
    return ST_OK;
}
