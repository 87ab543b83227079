#include "trial.h"

#include "model/boot_paths.h"
#include "base/print.h"
#include "base/text.h"

/* "Disk 0 Partition 1" */
static const char *trial_place_text(const struct trial *trial, size_t partition)
{
    const struct partition *own = &trial->machine->partitions[partition];
    const char *text = arena_printf(trial->arena, "Disk %zu Partition %u", own->disk, own->number);

    return text == NULL ? "" : text;
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
