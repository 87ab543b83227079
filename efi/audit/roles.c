#include "audit/roles.h"

#include "base/print.h"
#include "base/text.h"

#define MD_MIRROR 1 /* the level of a RAID1 array */

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

size_t roles_esp_of(const struct machine *machine, size_t disk)
{
    size_t first = NO_INDEX;

    for (size_t i = 0; i < machine->esp_count; i++) {
        size_t partition = machine->esps[i].partition;
        if (machine->partitions[partition].disk != disk)
            continue;
        if (entry_uses(machine, partition))
            return i;
        if (first == NO_INDEX)
            first = i;
    }
    return first;
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

static size_t volume_of(const struct machine *machine, const struct system_copy *copy)
{
    return copy->plex == NO_INDEX ? NO_INDEX : machine->volumes.plexes[copy->plex].volume;
}

/* True when a copy of the LDM volume (of plain volumes for NO_INDEX) is known to carry Windows. */
static bool carries_windows(const struct machine *machine, size_t volume)
{
    for (size_t i = 0; i < machine->copy_count; i++) {
        const struct system_copy *copy = &machine->copies[i];
        if (volume_of(machine, copy) == volume && system_copy_windows(copy) == ST_OK)
            return true;
    }
    return false;
}

/* How much speaks for an LDM volume being the boot volume; 0: nothing. */
static int evidence(const struct machine *machine, size_t volume)
{
    const struct dynamic_volume *candidate = &machine->volumes.volumes[volume];
    int mirror = candidate->type == DYNAMIC_MIRROR ? 1 : 0;

    if (carries_windows(machine, volume))
        return 8 + mirror;
    if (candidate->boot)
        return 6 + mirror;
    if (mirror != 0 && text_equal_nocase(candidate->drive_hint, "C:"))
        return 4;
    return mirror * 2;
}

/* The volume that most speaks for; `*ret_evidence` how much. NO_INDEX when nothing does for any. */
static size_t find_ldm_volume(const struct machine *machine, int *ret_evidence)
{
    size_t found = NO_INDEX;

    *ret_evidence = 0;
    for (size_t i = 0; i < machine->volumes.volume_count; i++) {
        int own = evidence(machine, i);
        if (own <= *ret_evidence)
            continue;
        *ret_evidence = own;
        found = i;
    }
    return found;
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
 * claim the same name. */
static void take_doubtful(const struct machine *machine, struct roles *io_roles)
{
    for (size_t i = 0; i < machine->disk_count; i++) {
        const struct volume_disk_note *note = volume_map_note(&machine->volumes, i);
        bool clone = note != NULL && note->is_clone;
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

    io_roles->kind = BOOT_LDM;
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
    take_doubtful(machine, io_roles);
    return io_roles->name == NULL ? ST_NO_MEMORY : ST_OK;
}

/* The level-1 array on a disk with an ESP; NULL when there is none. */
static const struct md_member *find_array(const struct machine *machine)
{
    for (size_t i = 0; i < machine->md_count; i++) {
        const struct md_partition *own = &machine->md_members[i];
        size_t disk = machine->partitions[own->partition].disk;
        if (own->member.level == MD_MIRROR && roles_esp_of(machine, disk) != NO_INDEX)
            return &own->member;
    }
    return NULL;
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
static enum status take_md(struct arena *arena, const struct machine *machine,
                           struct roles *io_roles)
{
    const struct md_member *array = find_array(machine);
    size_t here = 0;

    if (array == NULL)
        return ST_OK;
    for (size_t i = 0; i < machine->md_count; i++) {
        const struct md_partition *own = &machine->md_members[i];
        size_t disk = machine->partitions[own->partition].disk;
        if (!guid_equal(&array->set, &own->member.set) || own->member.role >= MD_ROLE_JOURNAL)
            continue;
        add_member(machine, disk, NO_INDEX, io_roles);
        io_roles->members[roles_member_on(io_roles, disk)].md = i;
        here++;
    }
    io_roles->kind = BOOT_MD;
    io_roles->missing = array->raid_disks > here ? array->raid_disks - here : 0;
    take_doubtful(machine, io_roles);
    io_roles->name = arena_printf(arena, "md array %s", array->name);
    return io_roles->name == NULL ? ST_NO_MEMORY : ST_OK;
}

static bool esp_has_programs(const struct esp *esp)
{
    for (size_t i = 0; i < esp->report.file_count; i++) {
        if (esp->contents[i].is_program)
            return true;
    }
    return false;
}

/* Without a mirror that can be seen: the fixed disks that something is started from. */
static void take_esps(const struct machine *machine, struct roles *io_roles)
{
    for (size_t i = 0; i < machine->esp_count; i++) {
        const struct esp *esp = &machine->esps[i];
        size_t disk = machine->partitions[esp->partition].disk;
        if (machine->disks[disk].removable)
            continue;
        if (entry_uses(machine, esp->partition) || esp_has_programs(esp))
            add_member(machine, disk, NO_INDEX, io_roles);
    }
}

static enum status take_plain(struct arena *arena, const struct machine *machine,
                              struct roles *io_roles)
{
    take_esps(machine, io_roles);
    for (size_t i = 0; i < machine->copy_count; i++) {
        const struct system_copy *copy = &machine->copies[i];
        if (copy->plex != NO_INDEX || system_copy_windows(copy) != ST_OK)
            continue;
        if (io_roles->kind == BOOT_NONE)
            io_roles->name = arena_printf(
                arena, "Disk %zu Partition %u", copy->disk,
                copy->partition == NO_INDEX ? 0 : machine->partitions[copy->partition].number);
        io_roles->kind = BOOT_PLAIN;
        if (roles_esp_of(machine, copy->disk) != NO_INDEX)
            add_member(machine, copy->disk, i, io_roles);
    }
    return io_roles->name == NULL ? ST_NO_MEMORY : ST_OK;
}

bool roles_entry_is_tried(const struct entry *entry)
{
    return entry->in_order && entry->status == ST_OK &&
           (entry->option.attributes & LOAD_OPTION_ACTIVE) != 0 &&
           (entry->option.attributes & LOAD_OPTION_CATEGORY) == 0;
}

/* The member whose disk an entry starts from; NO_INDEX when it is none. */
static size_t member_of_entry(const struct machine *machine, const struct roles *roles,
                              const struct entry *entry)
{
    size_t disk = entry->boot.disk;

    if (!roles_entry_is_tried(entry))
        return NO_INDEX;
    if (entry->boot.has_hd)
        disk = entry->boot.partition == NO_INDEX ? NO_INDEX
                                                 : machine->partitions[entry->boot.partition].disk;
    return disk == NO_INDEX ? NO_INDEX : roles_member_on(roles, disk);
}

/* The member that the entries start from now: by BootOrder, else the first one with an ESP. */
static size_t find_primary(const struct machine *machine, const struct roles *roles)
{
    for (size_t i = 0; i < machine->entry_count; i++) {
        size_t member = member_of_entry(machine, roles, &machine->entries[i]);
        if (member != NO_INDEX)
            return member;
    }
    for (size_t i = 0; i < roles->member_count; i++) {
        if (roles->members[i].esp != NO_INDEX)
            return i;
    }
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

enum status roles_find(struct arena *arena, const struct machine *machine, struct roles *ret_roles)
{
    struct roles roles = {
        .name = "", .volume = NO_INDEX, .shadow = NO_INDEX, .start_esp = NO_INDEX};
    enum status status = ST_OK;
    int ldm_evidence = 0;

    roles.members = arena_alloc(arena, machine->disk_count, sizeof(*roles.members));
    if (roles.members == NULL)
        return ST_NO_MEMORY;
    size_t volume = find_ldm_volume(machine, &ldm_evidence);
    bool plain = carries_windows(machine, NO_INDEX);
    if (volume != NO_INDEX && (ldm_evidence >= 6 || !plain))
        status = take_ldm(arena, machine, volume, &roles);
    else if (!plain)
        status = take_md(arena, machine, &roles);
    if (status == ST_OK && roles.kind == BOOT_NONE)
        status = take_plain(arena, machine, &roles);
    if (status != ST_OK)
        return status;
    roles.raid = are_of_one_raid(machine, &roles);
    roles.primary = find_primary(machine, &roles);
    if (roles.primary != NO_INDEX)
        roles.start_esp = roles.members[roles.primary].esp;
    for (size_t i = 0; i < roles.member_count && roles.shadow == NO_INDEX; i++) {
        if (i != roles.primary)
            roles.shadow = i;
    }
    *ret_roles = roles;
    return ST_OK;
}
