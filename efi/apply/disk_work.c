#include "apply/disk_work.h"

#include "apply/disk_guard.h"
#include "disk_restore.h"
#include "disk_source.h"
#include "table_read.h"
#include "base/mem.h"
#include "base/sort.h"
#include "format/fat/fat_edit.h"
#include "format/fat/fat_layout.h"
#include "format/fat/fat_mend.h"
#include "format/gpt_edit.h"
#include "plan/free_space.h"

/* --- Sources of files ------------------------------------------------------------------------- */

const struct file_content *disk_work_kept(const struct disk_work *work,
                                          const struct file_copy *item)
{
    if (item->esp == NO_INDEX)
        return NULL;
    const struct file_content *content = &work->machine->esps[item->esp].contents[item->file];
    return content->status == ST_OK && content->kept != NULL ? content : NULL;
}

static enum status add_source(struct disk_work *work, size_t esp)
{
    if (esp == NO_INDEX || disk_source_find(work->sources, work->source_count, esp) != NULL)
        return ST_OK;
    enum status status = disk_source_open(work->arena, work->ports, work->machine, esp,
                                          &work->sources[work->source_count]);
    if (status == ST_OK)
        work->source_count++;
    return status;
}

/* Opens every ESP that files are read from, and the one that is changed. */
static enum status open_sources(struct disk_work *work)
{
    const struct files_change *files = &work->change->files;

    work->sources = arena_alloc(work->arena, work->machine->esp_count + work->machine->source_count,
                                sizeof(*work->sources));
    if (work->sources == NULL)
        return ST_NO_MEMORY;
    enum status status = add_source(work, work->change->esp);
    for (size_t i = 0; i < files->count && status == ST_OK; i++) {
        if (disk_work_kept(work, &files->items[i]) == NULL)
            status = add_source(work, files->items[i].esp);
    }
    return status;
}

static enum status read_whole(struct disk_work *work, const struct file_copy *item,
                              struct span *ret_content)
{
    const struct esp *esp = &work->machine->esps[item->esp];
    uint8_t *at = arena_alloc(work->arena, 1, (size_t)item->size + DISK_WORK_SECTOR);
    struct disk_stream stream;

    if (at == NULL)
        return ST_NO_MEMORY;
    enum status status =
        disk_stream_start(&stream, disk_source_find(work->sources, work->source_count, item->esp),
                          item->file, &esp->contents[item->file], work->buffer, DISK_WORK_BUFFER);
    if (status == ST_OK)
        status = disk_stream_take(&stream, at, (size_t)item->size);
    if (status == ST_OK)
        status = disk_stream_end(&stream);
    if (status == ST_OK)
        *ret_content = span_of(at, (size_t)item->size);
    return status;
}

/* What comes from the very partition that is formatted has to be read before it is gone. */
static enum status keep_contents(struct disk_work *work)
{
    const struct files_change *files = &work->change->files;
    struct span *contents = arena_alloc(work->arena, files->count, sizeof(*contents));

    if (contents == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < files->count; i++) {
        const struct file_copy *item = &files->items[i];
        if (item->is_directory || item->size == 0 || item->esp == NO_INDEX ||
            item->esp != work->change->esp || disk_work_kept(work, item) != NULL)
            continue;
        work->where = item->path;
        enum status status = read_whole(work, item, &contents[i]);
        if (status != ST_OK)
            return status;
    }
    work->where = "";
    work->contents = contents;
    return ST_OK;
}

/* Where an item's content begins on its source; what has none comes first. */
static uint32_t first_cluster(const struct disk_work *work, size_t item)
{
    const struct file_copy *own = &work->change->files.items[item];
    bool has_content = !own->is_directory && own->size > 0 && own->esp != NO_INDEX;

    return has_content ? work->machine->esps[own->esp].report.files[own->file].first_cluster : 0;
}

static int by_cluster(const void *ctx, size_t a, size_t b)
{
    const struct disk_work *work = ctx;
    uint32_t x = first_cluster(work, a);
    uint32_t y = first_cluster(work, b);

    return x < y ? -1 : x > y;
}

/* In the order in which they lie on the source: a new file system keeps it, so that both disks are
 * gone through from start to end. */
static struct fat_entry_request *entry_requests(const struct disk_work *work)
{
    const struct files_change *files = &work->change->files;
    struct fat_entry_request *entries = arena_alloc(work->arena, files->count, sizeof(*entries));
    const size_t *order = sort_order(work->arena, files->count, by_cluster, work);

    if (entries == NULL || order == NULL)
        return NULL;
    for (size_t i = 0; i < files->count; i++) {
        const struct file_copy *item = &files->items[order[i]];
        entries[i] = (struct fat_entry_request){.path = item->path,
                                                .is_directory = item->is_directory,
                                                .attributes = item->attributes,
                                                .written = item->written,
                                                .size = item->size,
                                                .source = order[i],
                                                .goes = item->goes,
                                                .before = item->before,
                                                .after = item->before.size > 0 ? item->content
                                                                               : span_of(NULL, 0)};
    }
    return entries;
}

/* --- File systems ----------------------------------------------------------------------------- */

static enum status work_out_format(struct disk_work *work)
{
    const struct disk_change *change = work->change;
    struct fat_layout_request request = {
        .first_lba = change->first_lba,
        .block_count = change->block_count,
        .block_size = work->port->block_size,
        .type = change->format.type,
        .serial = change->format.serial,
        .label = change->format.label,
        .entry_count = change->files.count,
    };
    enum status status = open_sources(work);

    if (status == ST_OK && change->esp != NO_INDEX)
        status = keep_contents(work);
    if (status != ST_OK)
        return status;
    request.entries = entry_requests(work);
    if (request.entries == NULL)
        return ST_NO_MEMORY;
    (void)fat_type_for(change->block_count * request.block_size, request.block_size, &work->unit);
    return fat_layout(work->arena, &request, &work->edit);
}

static enum status work_out_files(struct disk_work *work)
{
    const struct disk_change *change = work->change;
    enum status status = open_sources(work);

    if (status != ST_OK)
        return status;
    struct disk_source *target = disk_source_find(work->sources, work->source_count, change->esp);
    const struct fat_entry_request *entries = entry_requests(work);
    if (entries == NULL)
        return ST_NO_MEMORY;
    work->unit = target->volume.cluster_size;
    return fat_edit(work->arena, &target->volume, &target->report, entries, change->files.count,
                    &work->edit);
}

static enum status work_out_boot_sector(struct disk_work *work)
{
    enum status status = open_sources(work);

    if (status != ST_OK)
        return status;
    struct disk_source *target =
        disk_source_find(work->sources, work->source_count, work->change->esp);
    if (!fat_mend_is_possible(&target->volume, &target->report))
        return ST_CHANGED;
    return fat_mend(work->arena, &target->volume, &work->edit);
}

/* --- Partition tables ------------------------------------------------------------------------- */

/* The array as it is to be: what is there, made as long as a table must be, with the slots put
 * in. */
static enum status change_array(struct disk_work *work, const uint8_t *old,
                                struct gpt_edit_request *io_request)
{
    const struct gpt_change *gpt = &work->change->gpt;
    uint32_t count = io_request->entry_count;
    uint32_t least = count < GPT_ENTRIES_MIN ? GPT_ENTRIES_MIN : count;
    uint8_t *array = arena_alloc(work->arena, least, io_request->entry_size);

    if (array == NULL)
        return ST_NO_MEMORY;
    if (old != NULL)
        memcpy(array, old, (size_t)count * io_request->entry_size);
    for (size_t i = 0; i < gpt->slot_count; i++) {
        if (gpt->slots[i].slot >= least)
            return ST_NO_SPACE;
        gpt_entry_put(&gpt->slots[i].entry, io_request->entry_size,
                      array + (size_t)gpt->slots[i].slot * io_request->entry_size);
    }
    for (size_t i = 0; i < gpt->identity_count; i++) {
        if (gpt->identities[i].slot >= count)
            return ST_CHANGED;
        gpt_entry_set_unique(&gpt->identities[i].unique,
                             array + (size_t)gpt->identities[i].slot * io_request->entry_size);
    }
    io_request->entry_count = least;
    io_request->entries = span_of(array, (size_t)least * io_request->entry_size);
    return ST_OK;
}

static enum status work_out_gpt(struct disk_work *work)
{
    const struct gpt_change *gpt = &work->change->gpt;
    const struct disk *disk = &work->machine->disks[work->change->disk];
    struct gpt_edit_request request = {.block_size = work->port->block_size,
                                       .block_count = work->port->block_count,
                                       .disk_guid = gpt->disk_guid,
                                       .entry_size = GPT_ENTRY_MIN_SIZE,
                                       .write_mbr = gpt->write_mbr};
    struct gpt_header header;
    struct gpt_header other;
    uint8_t *mbr = NULL;
    uint8_t *old = NULL;
    uint8_t *unused = NULL;

    enum status status = ST_OK;
    if (!gpt->fresh) {
        request.primary_good = disk->primary.problem == GPT_FINE;
        request.backup_good = disk->backup.problem == GPT_FINE;
        status = table_read(work->arena, work->port, disk_good_table(disk), &header, &old);
        if (status == ST_OK && request.primary_good && request.backup_good)
            status = table_read(work->arena, work->port, &disk->backup, &other, &unused);
    }
    if (status != ST_OK)
        return status;
    if (!gpt->fresh) {
        if (!gpt->renames_disk)
            request.disk_guid = header.disk_guid;
        request.entry_count = header.entry_count;
        request.entry_size = header.entry_size;
    }
    if (gpt->write_mbr && table_read_blocks(work->arena, work->port, 0, 1, &mbr) == ST_OK)
        request.mbr = span_of(mbr, request.block_size);
    status = change_array(work, old, &request);
    return status == ST_OK ? gpt_edit(work->arena, &request, &work->edit) : status;
}

/* The signature alone, in the block as it is now. */
static enum status work_out_signature(struct disk_work *work)
{
    const struct mbr *before = &work->machine->disks[work->change->disk].mbr;
    struct disk_edit_builder builder;
    uint8_t *block = NULL;

    enum status status = table_read_blocks(work->arena, work->port, 0, 1, &block);
    if (status != ST_OK)
        return status;
    struct mbr now = mbr_parse(span_of(block, work->port->block_size), work->port->block_count);
    if (now.kind != MBR_PLAIN || before->kind != MBR_PLAIN || now.signature != before->signature)
        return ST_CHANGED;
    st_le32(block + MBR_SIGNATURE_AT, work->change->signature);
    disk_edit_start(&builder, work->arena, work->port->block_size);
    disk_edit_write(&builder, 0, 0, span_of(block, work->port->block_size), false);
    return disk_edit_finish(&builder, 1, &work->edit);
}

/* --- All of them ------------------------------------------------------------------------------ */

/* I2: true when blocks are those of a member of an md array, which is written to through the array
 * alone. */
static bool is_in_array(const struct disk_work *work, uint64_t lba, uint64_t count)
{
    const struct machine *machine = work->machine;

    for (size_t i = 0; i < machine->md_volume_count; i++) {
        const struct partition *own = &machine->partitions[machine->md_volumes[i].partition];
        if (own->disk == work->change->disk && lba < own->first_lba + own->block_count &&
            own->first_lba < lba + count)
            return true;
    }
    return false;
}

/* I2: true when the blocks are those the change names. */
static bool is_allowed(const struct disk_work *work, uint64_t lba, uint64_t count)
{
    const struct disk_change *change = work->change;
    const struct disk *disk = &work->machine->disks[change->disk];
    uint64_t first = 0;
    uint64_t last = 0;

    if (lba > work->port->block_count || count > work->port->block_count - lba)
        return false;
    if (is_in_array(work, lba, count))
        return false;
    if (change->kind == DISK_CHANGE_RESTORE)
        return true; /* what a journal names was allowed when it was written */
    if (change->kind != DISK_CHANGE_GPT)
        return lba >= change->first_lba && lba - change->first_lba <= change->block_count &&
               count <= change->block_count - (lba - change->first_lba);
    return free_space_usable(disk, &first, &last) && (lba + count <= first || lba > last);
}

uint64_t disk_work_extent_blocks(const struct disk_work *work, const struct disk_extent *extent)
{
    uint64_t unit = work->unit;

    return (extent->bytes + unit - 1) / unit * unit / work->port->block_size;
}

static bool all_is_allowed(const struct disk_work *work)
{
    const struct disk_edit *edit = &work->edit;

    for (size_t i = 0; i < edit->write_count; i++) {
        if (!is_allowed(work, edit->writes[i].lba,
                        edit->writes[i].data.size / work->port->block_size))
            return false;
    }
    for (size_t i = 0; i < edit->file_count; i++) {
        for (size_t k = 0; k < edit->files[i].extent_count; k++) {
            const struct disk_extent *extent = &edit->files[i].extents[k];
            if (!is_allowed(work, extent->lba, disk_work_extent_blocks(work, extent)))
                return false;
        }
    }
    return true;
}

static uint64_t bytes_to_write(const struct disk_work *work)
{
    const struct disk_edit *edit = &work->edit;
    uint64_t bytes = 0;

    for (size_t i = 0; i < edit->write_count; i++)
        bytes += edit->writes[i].data.size;
    for (size_t i = 0; i < edit->file_count; i++) {
        for (size_t k = 0; k < edit->files[i].extent_count; k++)
            bytes +=
                disk_work_extent_blocks(work, &edit->files[i].extents[k]) * work->port->block_size;
    }
    return bytes;
}

typedef enum status work_out(struct disk_work *work);

static work_out *const kinds[] = {
    [DISK_CHANGE_GPT] = work_out_gpt,
    [DISK_CHANGE_FORMAT] = work_out_format,
    [DISK_CHANGE_FILES] = work_out_files,
    [DISK_CHANGE_BOOT_SECTOR] = work_out_boot_sector,
    [DISK_CHANGE_SIGNATURE] = work_out_signature,
    [DISK_CHANGE_RESTORE] = disk_restore_work_out,
};

enum status disk_work_begin(struct arena *arena, const struct ports *ports,
                            const struct machine *machine, const struct disk_change *change,
                            uint8_t *buffer, struct disk_work *ret_work)
{
    struct disk_work *work = ret_work;

    *work = (struct disk_work){.ports = ports,
                               .machine = machine,
                               .change = change,
                               .port = &ports->disks[machine->disks[change->disk].port],
                               .arena = arena,
                               .buffer = buffer,
                               .where = ""};
    work->unit = work->port->block_size;
    if (work->port->read_only)
        return ST_READ_ONLY;
    enum status status = disk_guard_check(arena, ports, machine, change);
    if (status == ST_OK)
        status = kinds[change->kind](work);
    if (status != ST_OK)
        return status;
    work->bytes = bytes_to_write(work);
    return all_is_allowed(work) ? ST_OK : ST_REFUSED;
}
