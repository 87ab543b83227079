#include "disk_batch.h"
#include "model/contents.h"

#define PAGE_SIZE 4096u

/* Drivers are fastest with whole pages. NULL without memory. */
static uint8_t *page_aligned(struct arena *arena, size_t size)
{
    uint8_t *at = arena_alloc(arena, 1, size + PAGE_SIZE - 1);

    return at == NULL ? NULL : at + (PAGE_SIZE - (uintptr_t)at % PAGE_SIZE) % PAGE_SIZE;
}

/* True for blocks that come back behind variables, with which the firmware takes back what it has
 * written there itself. */
static bool waits(const struct plan *plan, size_t action)
{
    const struct disk_change *change = plan->actions[action].change;

    return change->kind == DISK_CHANGE_RESTORE && action > 0 &&
           !action_changes_disk(&plan->actions[0]) &&
           machine_variables_write_to(plan->machine, change->disk);
}

enum status disk_batch_begin(struct arena *arena, struct ports *ports, const struct plan *plan,
                             struct disk_batch *ret_batch, size_t *ret_action)
{
    struct disk_batch *batch = ret_batch;
    uint8_t *buffer = NULL;

    *batch = (struct disk_batch){.arena = arena, .ports = ports, .plan = plan};
    batch->works = arena_alloc(arena, plan->count, sizeof(*batch->works));
    if (batch->works == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < plan->count; i++) {
        if (!action_changes_disk(&batch->plan->actions[i]))
            continue;
        *ret_action = i;
        if (buffer == NULL)
            buffer = page_aligned(arena, DISK_WORK_MEMORY);
        if (buffer == NULL)
            return ST_NO_MEMORY;
        enum status status = disk_work_begin(arena, ports, plan->machine, plan->actions[i].change,
                                             buffer, &batch->works[i]);
        if (status != ST_OK && (status != ST_CHANGED || !waits(plan, i)))
            return status;
        batch->bytes += batch->works[i].bytes;
    }
    return ST_OK;
}

size_t disk_batch_record_room(const struct disk_batch *batch)
{
    size_t room = 0;

    for (size_t i = 0; i < batch->plan->count; i++)
        room += action_changes_disk(&batch->plan->actions[i])
                    ? disk_work_record_room(&batch->works[i])
                    : 0;
    return room;
}

enum status disk_batch_release(struct disk_batch *batch, size_t *ret_disk)
{
    const struct files_port *files = &batch->ports->files;

    for (size_t i = 0; i < batch->plan->count; i++) {
        if (!action_changes_disk(&batch->plan->actions[i]) ||
            (batch->works[i].bytes == 0 && !waits(batch->plan, i)))
            continue;
        *ret_disk = batch->plan->actions[i].change->disk;
        enum status status = files->release(files->ctx, batch->works[i].port->path);
        if (status != ST_OK) {
            if (batch->released)
                (void)!disk_batch_renew(batch);
            return status;
        }
        batch->released = true;
    }
    return ST_OK;
}

static bool pass_on(void *ctx, uint64_t done, uint64_t total)
{
    struct disk_batch *batch = ctx;

    (void)total;
    bool stop = batch->progress != NULL &&
                batch->progress(batch->progress_ctx, batch->done + done, batch->bytes);
    return stop && !batch->plan->is_undo; /* half taken back is the worst place to stop */
}

/* Works out what has waited, before the first of them writes anything. */
static enum status look_again(struct disk_batch *batch)
{
    enum status status = ST_OK;

    batch->is_final = true;
    for (size_t i = 0; i < batch->plan->count && status == ST_OK; i++) {
        struct disk_work *work = &batch->works[i];
        if (!action_changes_disk(&batch->plan->actions[i]) || !waits(batch->plan, i))
            continue;
        batch->bytes -= work->bytes;
        status = disk_work_begin(batch->arena, batch->ports, batch->plan->machine,
                                 batch->plan->actions[i].change, work->buffer, work);
        batch->bytes += work->bytes;
        if (status != ST_OK)
            batch->refused = &batch->plan->actions[i];
    }
    return status;
}

enum status disk_batch_run(struct disk_batch *batch, size_t action)
{
    struct disk_work *work = &batch->works[action];
    enum status status = ST_OK;

    if (!batch->is_final)
        status = look_again(batch);
    if (status == ST_OK)
        status = disk_work_run(work, pass_on, batch);
    if (status == ST_OK)
        batch->done += work->bytes;
    return status;
}

enum status disk_batch_renew(struct disk_batch *batch)
{
    struct files_port *files = &batch->ports->files;
    enum status status = ST_OK;

    if (batch->released)
        status = files->renew(files->ctx, files);
    if (status == ST_OK)
        batch->released = false;
    return status;
}

/* The ESP of a machine that begins at this block of the disk behind `port`; NULL without one. */
static const struct esp *esp_at(const struct machine *machine, size_t port, uint64_t lba)
{
    for (size_t i = 0; i < machine->esp_count; i++) {
        const struct partition *partition = &machine->partitions[machine->esps[i].partition];
        if (machine->disks[partition->disk].port == port && partition->first_lba == lba)
            return &machine->esps[i];
    }
    return NULL;
}

static bool content_is_same(const struct plan *plan, const struct file_copy *item,
                            const struct file_content *now)
{
    const struct file_content *before =
        item->esp == NO_INDEX ? NULL : &plan->machine->esps[item->esp].contents[item->file];

    if (now->status == ST_UNSUPPORTED)
        return true;
    if (item->content.size > 0)
        return now->status == ST_OK && content_is(now, item->content);
    return before == NULL || before->status != ST_OK ||
           (now->status == ST_OK && content_equal(before, now));
}

static bool files_are_there(const struct plan *plan, const struct files_change *files,
                            const struct esp *esp)
{
    size_t file = 0;

    for (size_t i = 0; i < files->count; i++) {
        const struct file_copy *item = &files->items[i];
        file = fat_find_near(&esp->report, item->path, file);
        if (item->goes && file == FAT_NO_FILE)
            continue;
        if (item->goes || file == FAT_NO_FILE ||
            esp->report.files[file].is_directory != item->is_directory)
            return false;
        if (item->is_directory)
            continue;
        if (esp->report.files[file].status != ST_OK || esp->report.files[file].size != item->size ||
            !content_is_same(plan, item, &esp->contents[file]))
            return false;
    }
    return true;
}

/* A fresh file system has no damage, one that was changed none that it did not have. */
static bool is_as_sound(const struct plan *plan, const struct disk_change *change,
                        const struct esp *esp)
{
    const struct fat_report *before =
        change->kind == DISK_CHANGE_FILES ? &plan->machine->esps[change->esp].report : NULL;

    for (enum fat_problem i = 0; i < FAT_PROBLEM_COUNT; i++) {
        uint32_t allowed = before == NULL ? 0 : before->problems[i];
        if (fat_problem_is_damage(i) && esp->report.problems[i] > allowed)
            return false;
    }
    return true;
}

static bool table_is_sound(const struct machine *machine, size_t port)
{
    for (size_t i = 0; i < machine->disk_count; i++) {
        const struct disk *disk = &machine->disks[i];
        if (disk->port == port)
            return disk->style == DISK_GPT && disk->primary.problem == GPT_FINE &&
                   disk->backup.problem == GPT_FINE && !disk->copies_differ;
    }
    return false;
}

static bool disk_has_signature(const struct machine *machine, size_t port, uint32_t signature)
{
    for (size_t i = 0; i < machine->disk_count; i++) {
        const struct disk *disk = &machine->disks[i];
        if (disk->port == port)
            return disk->style == DISK_MBR && disk->mbr.signature == signature;
    }
    return false;
}

enum status disk_batch_confirm(const struct plan *plan, size_t action,
                               const struct machine *machine)
{
    const struct disk_change *change = plan->actions[action].change;
    size_t port = plan->machine->disks[change->disk].port;
    bool sound = true;

    if (change->kind == DISK_CHANGE_GPT)
        sound = table_is_sound(machine, port);
    if (change->kind == DISK_CHANGE_SIGNATURE)
        sound = disk_has_signature(machine, port, change->signature);
    if (change->kind == DISK_CHANGE_BOOT_SECTOR) {
        const struct esp *esp = esp_at(machine, port, change->first_lba);
        sound = esp != NULL && esp->status == ST_OK && !esp->volume.from_backup;
    }
    if (change->kind == DISK_CHANGE_FORMAT || change->kind == DISK_CHANGE_FILES) {
        const struct esp *esp = esp_at(machine, port, change->first_lba);
        sound = esp != NULL && esp->status == ST_OK && is_as_sound(plan, change, esp) &&
                files_are_there(plan, &change->files, esp);
    }
    return sound ? ST_OK : ST_CHANGED;
}
