#include "project_parts.h"

#include "audit/compare_esps.h"
#include "base/mem.h"
#include "base/print.h"
#include "base/text.h"
#include "format/fat/fat_geometry.h"
#include "model/boot_paths.h"
#include "model/boot_store.h"

/* --- Lists of files --------------------------------------------------------------------------- */

/* The ESP that the item's content comes from; NULL for an empty file. */
static const struct esp *source_of(const struct machine *before, const struct file_copy *item)
{
    const struct esp *source = item->esp == NO_INDEX ? NULL : &before->esps[item->esp];

    return source != NULL && item->file < source->report.file_count ? source : NULL;
}

static bool is_efi_file(const char *path)
{
    size_t length = text_length(path);

    return length > 4 && text_equal_nocase(path + length - 4, ".efi");
}

/* What is known of the content of what is brought. */
static struct file_content content_of(const struct machine *before, const struct file_copy *item)
{
    const struct esp *source = source_of(before, item);

    if (source != NULL && source->contents != NULL)
        return source->contents[item->file];
    if (source != NULL || item->is_directory)
        return (struct file_content){.status = ST_UNSUPPORTED};
    return (struct file_content){.digest = sha256_of(item->content),
                                 .is_program = is_efi_file(item->path),
                                 .program = PE_EMPTY};
}

static struct fat_file file_of(const struct file_copy *item)
{
    return (struct fat_file){.path = item->path,
                             .exact_name = true,
                             .is_directory = item->is_directory,
                             .attributes = item->attributes,
                             .size = item->size,
                             .written = item->written};
}

/* Notes that file `index` of the new list has the text of what it comes from, where that is a list
 * BOOT<ARCH>.CSV. */
static void take_csv(const struct esp *from, size_t file, size_t index, struct esp *io_esp)
{
    for (size_t i = 0; from != NULL && i < from->csv_count; i++) {
        if (from->csvs[i].file == file)
            io_esp->csvs[io_esp->csv_count++] = (struct boot_csv){index, from->csvs[i].text};
    }
}

static size_t count_csvs(const struct machine *machine)
{
    size_t count = 0;

    for (size_t i = 0; i < machine->esp_count; i++)
        count += machine->esps[i].csv_count;
    return count;
}

/* What stays of the old list, then what is brought: a folder before what is in it, as in a walk. */
static enum status join_lists(struct arena *arena, const struct machine *before,
                              const struct disk_change *change, struct esp *io_esp)
{
    const struct files_change *files = &change->files;
    const struct esp was = *io_esp;
    size_t old = change->kind == DISK_CHANGE_FORMAT ? 0 : io_esp->report.file_count;
    size_t room = old + files->count;
    struct fat_file *list = arena_alloc(arena, room, sizeof(*list));
    struct file_content *contents = arena_alloc(arena, room, sizeof(*contents));
    size_t count = 0;

    io_esp->csvs = arena_alloc(arena, was.csv_count + count_csvs(before), sizeof(*was.csvs));
    io_esp->csv_count = 0;
    if (list == NULL || contents == NULL || io_esp->csvs == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < old; i++) {
        if (files_change_find(files, io_esp->report.files[i].path) != NO_INDEX)
            continue;
        take_csv(&was, i, count, io_esp);
        list[count] = io_esp->report.files[i];
        contents[count++] = io_esp->contents[i];
    }
    for (size_t i = 0; i < files->count; i++) {
        if (files->items[i].goes)
            continue;
        take_csv(source_of(before, &files->items[i]), files->items[i].file, count, io_esp);
        list[count] = file_of(&files->items[i]);
        contents[count++] = content_of(before, &files->items[i]);
    }
    io_esp->report.files = list;
    io_esp->report.file_count = count;
    io_esp->contents = contents;
    return ST_OK;
}

/* --- The file system -------------------------------------------------------------------------- */

static uint64_t clusters_of(const struct fat_volume *volume, uint64_t size)
{
    return volume->cluster_size == 0 ? 0 : (size + volume->cluster_size - 1) / volume->cluster_size;
}

/* The facts of a fresh file system. */
static void project_format(const struct disk *disk, const struct disk_change *change,
                           struct esp *io_esp)
{
    struct fat_geometry geometry = {.cluster_sectors = 0};
    struct fat_report report = {.complete = true, .listed = true};
    struct fat_volume volume = {
        .first_lba = change->first_lba,
        .block_count = change->block_count,
        .type = change->format.type,
        .serial = change->format.serial,
        .has_signature = true,
    };

    (void)fat_geometry_make(change->format.type, change->first_lba, change->block_count,
                            disk->block_size, &geometry);
    volume.sector_size = disk->block_size;
    volume.cluster_size = geometry.cluster_sectors * disk->block_size;
    volume.cluster_count = geometry.cluster_count;
    volume.clusters_present = geometry.cluster_count;
    for (size_t i = 0; i + 1 < FAT_LABEL_SIZE && change->format.label[i] != '\0'; i++)
        volume.label[i] = change->format.label[i];
    for (size_t i = 0; i < FAT_PROBLEM_COUNT; i++)
        report.first_place[i] = "";
    report.free_clusters = volume.cluster_count;
    io_esp->volume = volume;
    io_esp->report = report;
}

/* Folders are counted with a cluster each, and what is replaced as if it stayed: never more free
 * than there will be, but for folders that grow. */
static void take_room(const struct disk_change *change, struct esp *io_esp)
{
    struct fat_report *report = &io_esp->report;
    uint64_t taken = 0;

    for (size_t i = 0; i < change->files.count; i++) {
        const struct file_copy *item = &change->files.items[i];
        taken += item->is_directory && !item->goes ? 1 : clusters_of(&io_esp->volume, item->size);
    }
    report->used_clusters += taken;
    report->free_clusters -= taken < report->free_clusters ? taken : report->free_clusters;
}

/* The boot store is what was made for this ESP, or that of the ESP it comes from; its log goes with
 * it when both come along. */
static enum status project_store(struct arena *arena, const struct machine *before,
                                 const struct disk_change *change, struct esp *io_esp)
{
    const struct file_copy *items = change->files.items;
    size_t item = files_change_find(&change->files, BOOT_STORE_PATH);
    size_t log = files_change_find(&change->files, BOOT_STORE_LOG_PATH);

    if (item == NO_INDEX && change->kind != DISK_CHANGE_FORMAT)
        return ST_OK;
    io_esp->store_file = span_of(NULL, 0);
    io_esp->store_recovery = REGF_RECOVERY_NO_LOG;
    io_esp->store_status = ST_ABSENT;
    if (item == NO_INDEX)
        return ST_OK;
    if (items[item].content.size > 0)
        return boot_store_take(arena, items[item].content, span_of(NULL, 0), io_esp);
    const struct esp *source = source_of(before, &items[item]);
    io_esp->store_status = ST_UNSUPPORTED;
    if (source == NULL)
        return ST_OK;
    io_esp->store_status = source->store_status;
    io_esp->store = source->store;
    io_esp->store_file = source->store_file;
    io_esp->store_end = source->store_end;
    if (source->store != REGF_DIRTY || (log != NO_INDEX && items[log].esp == items[item].esp))
        io_esp->store_recovery = source->store_recovery;
    else
        io_esp->store_file = span_of(NULL, 0);
    return ST_OK;
}

/* True when all files that a file system gets come from ESPs whose contents were read. */
static bool contents_are_known(const struct machine *before, const struct files_change *files)
{
    for (size_t i = 0; i < files->count; i++) {
        const struct esp *source = source_of(before, &files->items[i]);
        if (source != NULL && !source->contents_read)
            return false;
    }
    return true;
}

/* The ESP on that partition; a new one, by its place among the others, when there is none. */
static struct esp *projected_esp(struct machine *after, size_t partition)
{
    size_t at = 0;

    while (at < after->esp_count && after->esps[at].partition < partition)
        at++;
    if (at < after->esp_count && after->esps[at].partition == partition)
        return &after->esps[at];
    for (size_t i = after->esp_count; i > at; i--)
        after->esps[i] = after->esps[i - 1];
    after->esp_count++;
    after->esps[at] = (struct esp){.partition = partition, .store_status = ST_ABSENT};
    return &after->esps[at];
}

static enum status change_esp(struct arena *arena, const struct machine *before,
                              const struct disk *disk, const struct disk_change *change,
                              struct esp *io_esp)
{
    bool fresh = change->kind == DISK_CHANGE_FORMAT;

    if (fresh)
        project_format(disk, change, io_esp);
    enum status status = join_lists(arena, before, change, io_esp);
    if (status != ST_OK)
        return status;
    take_room(change, io_esp);
    io_esp->contents_read =
        (fresh || io_esp->contents_read) && contents_are_known(before, &change->files);
    io_esp->content = CONTENT_FAT;
    io_esp->status = ST_OK;
    return project_store(arena, before, change, io_esp);
}

/* --- What refers to files --------------------------------------------------------------------- */

/* What is known of a file once the list of files is; `before` where the list is cut short. */
static enum status file_status(const struct esp *esp, const char *path, enum status before)
{
    if (esp->status == ST_OK && fat_find(&esp->report, path) != FAT_NO_FILE)
        return ST_OK;
    return esp->status == ST_OK && esp->report.listed ? ST_ABSENT : before;
}

void project_boot_file(const struct machine *after, struct entry *io_entry)
{
    struct target *boot = &io_entry->boot;
    size_t esp = boot->partition == NO_INDEX ? NO_INDEX : machine_find_esp(after, boot->partition);

    if (io_entry->status == ST_OK && esp != NO_INDEX && boot->file != NULL)
        boot->file_status = file_status(&after->esps[esp], boot->file, boot->file_status);
}

enum status project_files(struct arena *arena, const struct machine *before,
                          const struct disk_change *change, struct machine *io_after)
{
    size_t index =
        machine_partition_at(io_after, change->disk, change->first_lba, change->block_count);

    if (index == NO_INDEX || io_after->partitions[index].kind != PT_ESP)
        return ST_OK;
    struct partition *partition = &io_after->partitions[index];
    struct esp *esp = projected_esp(io_after, index);
    enum status status = change_esp(arena, before, &io_after->disks[change->disk], change, esp);
    partition->fallback_status = file_status(esp, io_after->fallback, partition->fallback_status);
    for (size_t i = 0; i < io_after->entry_count; i++) {
        if (io_after->entries[i].boot.partition == index)
            project_boot_file(io_after, &io_after->entries[i]);
    }
    return status;
}
