#include "store_write.h"

#include "base/text.h"
#include "format/fat/fat_edit.h"
#include "model/boot_paths.h"
#include "plan/esp_files.h"
#include "plan/esp_guard.h"
#include "plan/owner_guard.h"
#include "plan/place.h"

#define ARCHIVE 0x20u
/* Bytes from one part of a name to the other, at most: 8 between the GUIDs, 16 between an offset and a
 * signature, and as many again that are equal by chance. */
#define NAME_GAP 32u

/* Why the store cannot be written where it lies: ST_OK when it can. */
static enum status check_store_target(struct plan *plan, const struct esp *esp)
{
    size_t disk = plan->machine->partitions[esp->partition].disk;

    enum status status = owner_guard_disk(plan, disk);
    if (status == ST_OK)
        status = esp_guard_check(plan, esp->partition);
    if (status != ST_OK)
        return status;
    if (plan->machine->disks[disk].read_only)
        return plan_refuse_plainly(plan, ST_READ_ONLY,
                                   "Disk %zu is write-protected, so its boot store stays as it is.",
                                   disk);
    if (esp->volume.from_backup || esp->volume.is_narrow || !fat_edit_is_possible(&esp->report))
        return plan_refuse_plainly(
            plan, ST_REFUSED, "%s has a damaged file system, so its boot store stays as it is.",
            place_text(plan->arena, plan->machine, esp->partition));
    return ST_OK;
}

/* The file as it lies on the ESP now, with another content. */
static struct file_copy item_of(const struct fat_file *old, struct span file)
{
    return (struct file_copy){.path = old->path,
                              .attributes = old->attributes & ESP_FILES_ATTRIBUTES,
                              .written = old->written,
                              .size = file.size,
                              .esp = NO_INDEX,
                              .content = file};
}

size_t store_items(struct arena *arena, const struct esp *esp, const char *path, struct span file,
                   struct file_copy ret_items[STORE_ITEMS_MAX])
{
    static const char *const endings[STORE_ITEMS_MAX - 1] = {".LOG", ".LOG1", ".LOG2"};
    const struct fat_report *report = &esp->report;
    size_t count = 1;

    size_t own = fat_find(report, path);
    size_t manager = fat_find(report, BOOT_MANAGER_PATH);

    if (own != FAT_NO_FILE)
        ret_items[0] = item_of(&report->files[own], file);
    else
        ret_items[0] = (struct file_copy){.path = path,
                                          .attributes = ARCHIVE,
                                          .size = file.size,
                                          .esp = NO_INDEX,
                                          .content = file};
    if (own == FAT_NO_FILE && manager != FAT_NO_FILE)
        ret_items[0].written = report->files[manager].written;
    /* Until the new store is there, the old one is worth nothing without its log. */
    for (size_t i = 0; i < STORE_ITEMS_MAX - 1 && esp->store != REGF_DIRTY; i++) {
        const char *name = arena_printf(arena, "%s%s", path, endings[i]);
        if (name == NULL)
            return 0;
        size_t log = fat_find(report, name);
        if (log != FAT_NO_FILE && !report->files[log].is_directory && report->files[log].size > 0)
            ret_items[count++] = item_of(&report->files[log], span_of(NULL, 0));
    }
    return count;
}

/* True when all that differs between two names of a partition lies in one block, and so on for each
 * of them. A name is a GUID of a partition and one of a disk, or an offset and a signature. */
static bool names_are_whole(struct span before, struct span after, uint32_t block_size)
{
    size_t first = 0; /* of the bytes that differ, of one name */
    size_t last = SIZE_MAX;

    for (size_t i = 0; i < after.size; i++) {
        if (before.at[i] == after.at[i])
            continue;
        if (last == SIZE_MAX || i - last > NAME_GAP)
            first = i;
        last = i;
        if (first / block_size != last / block_size)
            return false;
    }
    return true;
}

/* True when the store may stay where it lies. */
static bool may_stay(const struct plan *plan, const struct store_writing *writing)
{
    const struct esp *own = &plan->machine->esps[writing->esp];
    size_t disk = plan->machine->partitions[own->partition].disk;
    uint32_t block_size = plan->machine->disks[disk].block_size;

    return writing->renames && own->store == REGF_GOOD &&
           text_equal(writing->path, BOOT_STORE_PATH) &&
           own->store_file.size == writing->file.size && writing->file.size % block_size == 0 &&
           names_are_whole(own->store_file, writing->file, block_size);
}

static enum status find_items(struct plan *plan, const struct store_writing *writing,
                              struct file_copy *ret_items, size_t *ret_count)
{
    const struct esp *own = &plan->machine->esps[writing->esp];

    *ret_count = store_items(plan->arena, own, writing->path, writing->file, ret_items);
    if (!may_stay(plan, writing))
        return *ret_count > 0 ? ST_OK : ST_NO_MEMORY;
    ret_items->before = own->store_file;
    *ret_count = 1;
    return ST_OK;
}

enum status plan_write_store(struct plan *plan, const struct store_writing *writing)
{
    const struct esp *own = &plan->machine->esps[writing->esp];
    const struct partition *partition = &plan->machine->partitions[own->partition];
    struct file_copy *items = arena_alloc(plan->arena, STORE_ITEMS_MAX, sizeof(*items));
    struct disk_change change = {.kind = DISK_CHANGE_FILES,
                                 .disk = partition->disk,
                                 .first_lba = partition->first_lba,
                                 .block_count = partition->block_count,
                                 .esp = writing->esp};

    if (items == NULL)
        return ST_NO_MEMORY;
    change.files.items = items;
    enum status status = find_items(plan, writing, items, &change.files.count);
    if (status == ST_OK)
        status = check_store_target(plan, own);
    if (status == ST_OK)
        status = esp_files_check_room(plan, writing->esp, &change.files);
    if (status != ST_OK)
        return status;
    plan_change_disk(plan, &change, writing->text);
    return plan->status;
}
