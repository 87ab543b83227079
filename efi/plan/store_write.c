#include "store_write.h"

#include "format/fat/fat_edit.h"
#include "model/boot_paths.h"
#include "plan/esp_files.h"
#include "plan/esp_guard.h"
#include "plan/owner_guard.h"
#include "plan/place.h"

#define ARCHIVE 0x20u

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
        return plan_refuse(plan, ST_READ_ONLY,
                           "Disk %zu is write-protected, so its boot store stays as it is.", disk);
    if (esp->volume.from_backup || esp->volume.is_narrow || !fat_edit_is_possible(&esp->report))
        return plan_refuse(plan, ST_REFUSED,
                           "%s has a damaged file system, so its boot store stays as it is.",
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

enum status plan_write_store(struct plan *plan, size_t esp, const char *path, struct span file,
                             const char *text)
{
    const struct esp *own = &plan->machine->esps[esp];
    const struct partition *partition = &plan->machine->partitions[own->partition];
    struct file_copy *items = arena_alloc(plan->arena, STORE_ITEMS_MAX, sizeof(*items));
    struct disk_change change = {.kind = DISK_CHANGE_FILES,
                                 .disk = partition->disk,
                                 .first_lba = partition->first_lba,
                                 .block_count = partition->block_count,
                                 .esp = esp};

    if (items == NULL)
        return ST_NO_MEMORY;
    change.files.items = items;
    change.files.count = store_items(plan->arena, own, path, file, items);
    if (change.files.count == 0)
        return ST_NO_MEMORY;
    enum status status = check_store_target(plan, own);
    if (status == ST_OK)
        status = esp_files_check_room(plan, esp, &change.files);
    if (status != ST_OK)
        return status;
    plan_change_disk(plan, &change, text);
    return plan->status;
}
