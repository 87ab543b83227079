#include "trial.h"

#include "base/print.h"

enum outcome trial_because(struct trial *trial, enum outcome outcome, const char *why)
{
    trial->why = why;
    return outcome;
}

bool trial_disk_is_gone(const struct trial *trial, size_t disk)
{
    return !trial->together && disk != trial->member->disk &&
           (!trial->outsiders || roles_member_on(trial->roles, disk) != NO_INDEX);
}

enum outcome trial_cut_short(struct trial *trial)
{
    return trial_because(trial, UNKNOWN, "The check of its ESP was cut short.");
}

/* The volume's own state on the member's disk, as its LDM database tells. */
static enum outcome try_plex(struct trial *trial, const struct system_copy *copy)
{
    const struct dynamic_plex *plex = &trial->machine->volumes.plexes[copy->plex];

    if (plex->state == PLEX_GOOD)
        return STARTS;
    return trial_because(trial, plex->state == PLEX_DOUBTFUL ? UNKNOWN : FAILS,
                         arena_printf(trial->arena, "Its copy of %s cannot be relied on: %s.",
                                      trial->roles->name, plex->reason));
}

/* The LDM database of the disk, which is all Windows has to go by when the others are gone. */
static enum outcome try_database(struct trial *trial)
{
    const struct volume_disk_note *note =
        volume_map_note(&trial->machine->volumes, trial->member->disk);

    if (volume_map_is_clone(&trial->machine->volumes, trial->member->disk))
        return trial_because(trial, UNKNOWN, "Another disk claims to be the same LDM disk.");
    if (note == NULL || note->state == VOLUME_DISK_OK || note->state == VOLUME_DISK_BEHIND)
        return STARTS;
    return trial_because(
        trial, note->state == VOLUME_DISK_CONFLICT ? UNKNOWN : FAILS,
        arena_printf(trial->arena, "Its LDM database cannot be used: %s.", note->reason));
}

/* A boot manager is sent to a partition, and does not know of pieces. */
static enum outcome try_pieces(struct trial *trial, const struct system_copy *copy)
{
    const struct volume_map *map = &trial->machine->volumes;

    for (size_t i = 1; i < copy->pieces; i++) {
        const struct dynamic_extent *piece =
            &map->extents[map->plexes[copy->plex].first_extent + i];
        if (piece->disk != copy->disk)
            return trial_because(trial, FAILS,
                                 arena_printf(trial->arena,
                                              "A piece of its copy of %s is on Disk %zu.",
                                              trial->roles->name, piece->disk));
    }
    if (copy->pieces <= 1)
        return STARTS;
    return trial_because(
        trial, UNKNOWN,
        arena_printf(trial->arena,
                     "Its copy of %s lies in %zu pieces, and whether Windows' boot "
                     "manager reads past the first is not known.",
                     trial->roles->name, copy->pieces));
}

enum outcome trial_windows(struct trial *trial, const struct system_copy *copy)
{
    enum status windows = system_copy_windows(copy);

    if (copy->content == CONTENT_BITLOCKER)
        return trial_because(trial, UNKNOWN,
                             "Its copy is encrypted by BitLocker: nobody can look inside.");
    if (copy->status == ST_OK && copy->ntfs.boot != NTFS_BOOT_GOOD)
        return trial_because(trial, FAILS, "The NTFS boot sector of its copy is damaged.");
    if (windows == ST_OK && copy->loader == LOADER_OF_OTHER_MACHINE)
        return trial_because(trial, FAILS,
                             "The winload.efi of its copy is for another kind of machine: Windows' "
                             "boot manager stops with 0xc000007b.");
    if (windows == ST_OK && copy->loader == LOADER_NO_PROGRAM)
        return trial_because(trial, FAILS,
                             "The winload.efi of its copy is damaged: Windows' boot manager stops "
                             "with 0xc000007b.");
    if (windows == ST_OK)
        return STARTS;
    if (windows == ST_ABSENT && copy->status == ST_OK && copy->files[SYSTEM_LOADER] == ST_ABSENT)
        return trial_because(trial, FAILS,
                             "Its copy of the boot volume does not carry Windows: Windows' boot "
                             "manager stops with 0xc000000f.");
    if (windows == ST_ABSENT)
        return trial_because(trial, FAILS, "Its copy of the boot volume does not carry Windows.");
    return trial_because(trial, UNKNOWN,
                         arena_printf(trial->arena,
                                      "Its copy of the boot volume cannot be looked into: %s.",
                                      status_text(windows)));
}

/* A plain volume is on one disk, and nothing stands in for it when that is another one. */
static enum outcome try_plain_windows(struct trial *trial)
{
    const struct machine *machine = trial->machine;
    const struct system_copy *other = NULL;

    for (size_t i = 0; i < machine->copy_count; i++) {
        const struct system_copy *copy = &machine->copies[i];
        if (copy->plex != NO_INDEX || system_copy_windows(copy) != ST_OK)
            continue;
        if (copy->disk == trial->member->disk)
            return trial_windows(trial, copy);
        other = copy;
    }
    if (other == NULL)
        return trial_because(trial, UNKNOWN,
                             "No volume with Windows was found that could be looked into.");
    return trial_because(trial, FAILS,
                         arena_printf(trial->arena,
                                      "Windows itself is on Disk %zu, and not mirrored.",
                                      other->disk));
}

/* Whether the array of `md` is on the member's disk, up to date. */
static bool member_has_array(const struct trial *trial, const struct md_member *md)
{
    const struct machine *machine = trial->machine;

    for (size_t i = 0; i < machine->md_count; i++) {
        const struct md_partition *own = &machine->md_members[i];
        if (machine->partitions[own->partition].disk == trial->member->disk &&
            guid_equal(&own->member.set, &md->set) && own->member.level == 1)
            return roles_md_is_current(machine, &own->member);
    }
    return false;
}

/* The member's part of the md array, and of others that share disks with it: swap, home, root. */
static enum outcome try_md(struct trial *trial)
{
    const struct machine *machine = trial->machine;
    size_t md = trial->member->md;

    if (md == NO_INDEX)
        return trial_because(trial, FAILS, "It holds no part of the md array.");
    if (!roles_md_is_current(machine, &machine->md_members[md].member))
        return trial_because(trial, FAILS, "Its part of the md array is out of date.");
    for (size_t i = 0; i < machine->md_count; i++) {
        const struct md_partition *other = &machine->md_members[i];
        size_t disk = machine->partitions[other->partition].disk;
        if (roles_member_on(trial->roles, disk) == NO_INDEX ||
            member_has_array(trial, &other->member))
            continue;
        return trial_because(trial, UNKNOWN,
                             arena_printf(trial->arena,
                                          "md array %s is not whole on it, and whether the system "
                                          "needs that one cannot be told.",
                                          other->member.name));
    }
    return STARTS;
}

/* Whether the system is there on the member's own disk. */
static enum outcome try_system(struct trial *trial)
{
    const struct member *member = trial->member;
    enum outcome outcome = STARTS;

    if (trial->roles->kind == BOOT_MD)
        return try_md(trial);
    outcome = try_database(trial);
    if (outcome != STARTS)
        return outcome;
    if (trial->roles->kind != BOOT_LDM)
        return try_plain_windows(trial);
    if (member->copy == NO_INDEX)
        return trial_because(
            trial, FAILS,
            arena_printf(trial->arena, "It holds no complete copy of %s.", trial->roles->name));
    const struct system_copy *copy = &trial->machine->copies[member->copy];
    outcome = try_plex(trial, copy);
    if (outcome == STARTS)
        outcome = try_pieces(trial, copy);
    return outcome == STARTS ? trial_windows(trial, copy) : outcome;
}

enum outcome trial_system(struct trial *trial)
{
    const struct member *own = trial->member;
    enum outcome outcome = FAILS;

    if (!trial->together)
        return try_system(trial);
    for (size_t i = 0; i < trial->roles->member_count && outcome != STARTS; i++) {
        trial->member = &trial->roles->members[i];
        enum outcome here = try_system(trial);
        outcome = here != FAILS ? here : outcome;
    }
    trial->member = own;
    return outcome;
}
