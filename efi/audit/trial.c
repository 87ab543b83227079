#include "trial.h"

#include "model/boot_paths.h"
#include "base/print.h"
#include "base/text.h"

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

/* "Disk 0 Partition 1" */
static const char *trial_place_text(const struct trial *trial, size_t partition)
{
    const struct partition *own = &trial->machine->partitions[partition];
    const char *text = arena_printf(trial->arena, "Disk %zu Partition %u", own->disk, own->number);

    return text == NULL ? "" : text;
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

    if (note != NULL && note->is_clone)
        return trial_because(trial, UNKNOWN, "Another disk claims to be the same LDM disk.");
    if (note == NULL || note->state == VOLUME_DISK_OK || note->state == VOLUME_DISK_BEHIND)
        return STARTS;
    return trial_because(
        trial, note->state == VOLUME_DISK_CONFLICT ? UNKNOWN : FAILS,
        arena_printf(trial->arena, "Its LDM database cannot be used: %s.", note->reason));
}

enum outcome trial_windows(struct trial *trial, const struct system_copy *copy)
{
    enum status windows = system_copy_windows(copy);

    if (copy->content == CONTENT_BITLOCKER)
        return trial_because(trial, UNKNOWN,
                             "Its copy is encrypted by BitLocker: nobody can look inside.");
    if (copy->status == ST_OK && copy->ntfs.boot != NTFS_BOOT_GOOD)
        return trial_because(trial, FAILS, "The NTFS boot sector of its copy is damaged.");
    if (windows == ST_OK && copy->other_machine)
        return trial_because(trial, FAILS,
                             "The winload.efi of its copy is for another kind of machine: Windows' "
                             "boot manager stops with 0xc000007b.");
    if (windows == ST_OK)
        return STARTS;
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

/* Why firmware does not get to the files of an ESP; NULL when it does. */
static const char *esp_unusable(struct trial *trial, const struct esp *esp)
{
    const struct partition *partition = &trial->machine->partitions[esp->partition];
    const struct disk *disk = &trial->machine->disks[partition->disk];

    if (disk->style == DISK_GPT && (disk->mbr_unreadable || !disk->mbr.protective_at_lba_1))
        return "Its protective MBR is missing, so firmware does not look at its partitions.";
    if (esp->status == ST_OK && esp->volume.from_backup)
        return "The boot sector of its ESP is damaged.";
    if (esp->status == ST_OK && esp->report.problems[FAT_FORM_UNUSUAL] > 0)
        return "The file system of its ESP is of a form that some firmware does not read.";
    if (esp->status == ST_OK)
        return NULL;
    if (esp->content == CONTENT_EMPTY)
        return "Its ESP is not formatted.";
    return arena_printf(trial->arena, "Its ESP cannot be used: %s.",
                        esp->status == ST_ABSENT ? "it has no FAT file system"
                                                 : status_text(esp->status));
}

/* The deepest folder of `path` that is not there, as in "Its ESP has no \EFI\Microsoft." */
static const char *say_not_there(struct trial *trial, const struct esp *esp, const char *path)
{
    for (size_t i = 1; path[i] != '\0'; i++) {
        if (path[i] != '\\')
            continue;
        const char *folder = arena_printf(trial->arena, "%.*s", (int)i, path);
        if (folder == NULL)
            return NULL;
        if (fat_find(&esp->report, folder) == FAT_NO_FILE)
            return arena_printf(trial->arena, "Its ESP has no %s.", folder);
    }
    return arena_printf(trial->arena, "Its ESP has no %s.", path);
}

enum outcome trial_file(struct trial *trial, size_t partition, const char *path, bool needs_store)
{
    size_t index = machine_find_esp(trial->machine, partition);
    const struct md_volume *md = machine_md_volume(trial->machine, partition);

    trial->file = FAT_NO_FILE;
    if (md != NULL && md->use == MD_PIECE)
        return trial_because(
            trial, GOES_ON, "Its ESP is a part of a Linux RAID that firmware cannot put together.");
    if (index == NO_INDEX)
        return trial_because(trial, UNKNOWN,
                             arena_printf(trial->arena, "%s, which is no ESP, is not looked into.",
                                          trial_place_text(trial, partition)));
    const struct esp *esp = &trial->machine->esps[index];
    if (esp->status == ST_UNSUPPORTED)
        return trial_because(trial, UNKNOWN,
                             "Its ESP is too large, or was left out, to be looked into.");
    const char *unusable = esp_unusable(trial, esp);
    if (unusable != NULL)
        return trial_because(trial, GOES_ON, unusable);
    size_t file = fat_find(&esp->report, path);
    trial->stage = 0;
    trial->doubtful = false;
    if (file != FAT_NO_FILE && esp->report.problems[FAT_SECTOR_SIZE] > 0)
        return trial_because(
            trial, UNKNOWN,
            "The file system of its ESP has sectors of another size than the disk, "
            "which not every firmware reads.");
    if (file != FAT_NO_FILE) {
        trial->esp = index;
        trial->file = file;
        return trial_program(trial, esp, file, needs_store);
    }
    if (!esp->report.listed)
        return trial_because(trial, UNKNOWN, "The check of its ESP was cut short.");
    return trial_because(trial, GOES_ON, say_not_there(trial, esp, path));
}

/* The removable-media path on each ESP of a disk. */
enum outcome trial_fallback(struct trial *trial, size_t disk)
{
    const struct machine *machine = trial->machine;
    enum outcome outcome = trial_because(trial, GOES_ON, "It has no EFI System Partition.");

    for (size_t i = machine_next_esp(machine, disk, NO_INDEX); i != NO_INDEX && outcome == GOES_ON;
         i = machine_next_esp(machine, disk, i))
        outcome = trial_file(trial, machine->esps[i].partition, machine->fallback, false);
    return outcome;
}
