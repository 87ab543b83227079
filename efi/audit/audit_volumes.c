#include "audit_volumes.h"

#include "base/text.h"

static const char *reason_of(struct collector *to, const char *reason)
{
    return reason[0] == '\0' ? "." : collect_because(to, reason);
}

static void audit_database(struct collector *to, const struct volume_disk_note *note)
{
    static const enum finding_code codes[] = {
        [VOLUME_DISK_ABSENT] = FINDING_LDM_ABSENT,
        [VOLUME_DISK_UNREADABLE] = FINDING_LDM_UNREADABLE,
        [VOLUME_DISK_DAMAGED] = FINDING_LDM_DAMAGED,
        [VOLUME_DISK_UNSUPPORTED] = FINDING_LDM_DAMAGED,
        [VOLUME_DISK_BEHIND] = FINDING_LDM_BEHIND,
        [VOLUME_DISK_CONFLICT] = FINDING_LDM_CONFLICT,
    };

    if (note->is_clone)
        collect_at_disk(to, FINDING_LDM_CLONE, note->disk, "");
    else if (note->state != VOLUME_DISK_OK)
        collect_at_disk(to, codes[note->state], note->disk, reason_of(to, note->reason));
    if (note->state == VOLUME_DISK_OK && note->copy_damaged)
        collect_at_disk(to, FINDING_LDM_COPY_DAMAGED, note->disk, "");
    if (note->unfinished)
        collect_at_disk(to, FINDING_LDM_TRANSACTION_PENDING, note->disk, "");
    if (note->log == VOLUME_LOG_DIRTY)
        collect_at_disk(to, FINDING_LDM_LOG_DIRTY, note->disk, "");
}

/* True when the disk has a finding that says why its plexes are in doubt. */
static bool database_explains(const struct volume_map *map, const struct dynamic_extent *extent)
{
    const struct volume_disk_note *note = volume_map_note(map, extent->disk);

    return note != NULL &&
           (note->state != VOLUME_DISK_OK || note->unfinished || note->log == VOLUME_LOG_DIRTY);
}

/* The first extent of a plex that lies on a disk that is here; NULL when none does. */
static const struct dynamic_extent *first_here(const struct volume_map *map,
                                               const struct dynamic_plex *plex)
{
    for (size_t i = 0; i < plex->extent_count; i++) {
        const struct dynamic_extent *extent = &map->extents[plex->first_extent + i];
        if (extent->disk != VOLUME_NONE)
            return extent;
    }
    return NULL;
}

static void audit_plex(struct collector *to, const struct machine *machine,
                       const struct dynamic_plex *plex)
{
    static const enum finding_code codes[] = {
        [PLEX_DOUBTFUL] = FINDING_PLEX_DOUBTFUL,
        [PLEX_REBUILDING] = FINDING_PLEX_REBUILDING,
        [PLEX_STALE] = FINDING_PLEX_STALE,
        [PLEX_FAILED] = FINDING_PLEX_FAILED,
    };
    const struct volume_map *map = &machine->volumes;
    const struct dynamic_extent *extent = first_here(map, plex);

    if (plex->state == PLEX_GOOD || plex->state == PLEX_MISSING || extent == NULL)
        return;
    if (plex->state == PLEX_DOUBTFUL && database_explains(map, extent))
        return;
    size_t partition = machine_partition_at(machine, extent->disk, extent->lba, extent->blocks);
    const char *detail = arena_printf(to->arena, " (%s of %s): %s.", plex->name,
                                      map->volumes[plex->volume].name, plex->reason);
    if (partition == NO_INDEX)
        collect_at_disk(to, codes[plex->state], extent->disk, detail);
    else
        collect_at_partition(to, codes[plex->state], partition, detail);
}

void audit_volumes(struct collector *to, const struct machine *machine, const struct roles *roles)
{
    const struct volume_map *map = &machine->volumes;

    for (size_t i = 0; i < map->disk_count; i++)
        audit_database(to, &map->disks[i]);
    for (size_t i = 0; i < map->plex_count; i++)
        audit_plex(to, machine, &map->plexes[i]);
    for (size_t i = 0; i < map->volume_count; i++) {
        bool boot = roles->kind == BOOT_LDM && roles->volume == i;
        if (map->volumes[i].status == DYNAMIC_FAILED_REDUNDANCY && !boot)
            collect_at_volume(to, FINDING_VOLUME_FAILED_REDUNDANCY, i, "");
    }
}

static bool is_of_boot_volume(const struct roles *roles, size_t copy)
{
    for (size_t i = 0; i < roles->member_count; i++) {
        if (roles->kind == BOOT_LDM && roles->members[i].copy == copy)
            return true;
    }
    return false;
}

static void at_copy(struct collector *to, enum finding_code code, const struct system_copy *copy,
                    const char *detail)
{
    if (copy->partition == NO_INDEX)
        collect_at_disk(to, code, copy->disk, detail);
    else
        collect_at_partition(to, code, copy->partition, detail);
}

static void audit_ntfs(struct collector *to, const struct system_copy *copy)
{
    if (copy->ntfs.boot != NTFS_BOOT_GOOD)
        at_copy(to, FINDING_NTFS_BOOT_DAMAGED, copy, "");
    if (copy->ntfs.backup != NTFS_BOOT_GOOD)
        at_copy(to, FINDING_NTFS_BOOT_BACKUP_DAMAGED, copy, "");
    if (copy->ntfs.facts_status != ST_OK)
        at_copy(to, FINDING_NTFS_DAMAGED, copy,
                collect_because(to, "its own description cannot be read"));
    else if (copy->ntfs.dirty)
        at_copy(to, FINDING_NTFS_DIRTY, copy, "");
}

/* What a copy of the boot volume ought to hold. */
static void audit_system(struct collector *to, const struct system_copy *copy)
{
    enum status windows = system_copy_windows(copy);

    if (windows == ST_ABSENT && copy->status == ST_ABSENT)
        at_copy(to, FINDING_WINDOWS_NOT_FOUND, copy, ": it holds no NTFS file system.");
    for (int i = SYSTEM_LOADER; i <= SYSTEM_KERNEL && copy->status == ST_OK; i++) {
        const char *path = system_file_path((enum system_file)i);
        if (copy->files[i] == ST_ABSENT) {
            at_copy(to, FINDING_WINDOWS_NOT_FOUND, copy,
                    arena_printf(to->arena, ": %s is missing.", path));
            return;
        }
        if (copy->files[i] != ST_OK) {
            at_copy(to, FINDING_NTFS_DAMAGED, copy,
                    arena_printf(to->arena, ": %s cannot be looked up: %s.", path,
                                 status_text(copy->files[i])));
            return;
        }
    }
}

static void audit_copy(struct collector *to, const struct machine *machine,
                       const struct roles *roles, size_t index)
{
    const struct system_copy *copy = &machine->copies[index];

    if (!copy->looked)
        return;
    if (copy->content == CONTENT_BITLOCKER)
        at_copy(to, FINDING_BITLOCKER, copy, "");
    else if (copy->status == ST_OK)
        audit_ntfs(to, copy);
    else if (copy->status == ST_DAMAGED || copy->status == ST_IO)
        at_copy(to, FINDING_NTFS_DAMAGED, copy, collect_because(to, status_text(copy->status)));
    if (copy->content != CONTENT_BITLOCKER && is_of_boot_volume(roles, index))
        audit_system(to, copy);
}

/* True when both are plexes of one volume, or one volume on two disks of a RAID. */
static bool are_twins(const struct machine *machine, const struct system_copy *a,
                      const struct system_copy *b)
{
    const struct dynamic_plex *plexes = machine->volumes.plexes;

    if (machine_are_raid_twins(machine, a->disk, b->disk) && a->lba == b->lba)
        return true;
    return a->plex != NO_INDEX && b->plex != NO_INDEX &&
           plexes[a->plex].volume == plexes[b->plex].volume;
}

static void audit_serial(struct collector *to, const struct machine *machine, size_t index)
{
    const struct system_copy *own = &machine->copies[index];

    for (size_t i = 0; i < machine->copy_count && own->status == ST_OK; i++) {
        const struct system_copy *other = &machine->copies[i];
        if (i == index || other->status != ST_OK || own->ntfs.serial != other->ntfs.serial ||
            are_twins(machine, own, other))
            continue;
        at_copy(to, FINDING_VOLUME_IDENTITY_REPEATED, own, "");
        return;
    }
}

void audit_copies(struct collector *to, const struct machine *machine, const struct roles *roles)
{
    for (size_t i = 0; i < machine->copy_count; i++) {
        audit_copy(to, machine, roles, i);
        audit_serial(to, machine, i);
    }
}
