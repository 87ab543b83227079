#include "model/disk_files.h"

#include "base/builder.h"
#include "base/mem.h"
#include "base/print.h"
#include "base/text.h"
#include "disk_append.h"
#include "format/devpath.h"
#include "format/fat/fat.h"
#include "model/scan.h"
#include "model/scan_md.h"

#define END_SIZE   4u   /* bytes of a device path's end node */
#define PATH_ROOM  512u /* bytes of a volume's device path */
#define PIECE_SIZE (64u * 1024)
#define LIST_BYTES (64u * 1024) /* do for the folders of an ordinary ESP */

struct disk_volume {
    size_t disk;  /* index into the disks */
    bool is_raid; /* the whole disk is one of a RAID's */
    struct fat_volume fat;
    bool listed;
    enum status status; /* of the list */
    struct fat_report report;
};

struct disk_files {
    struct arena *kept;
    struct arena *scratch;
    struct ports ports; /* the disks alone */
    struct disk_volume volumes[DISK_FILES_MAX];
    struct file_volume *shown; /* as many, for the port */
    size_t count;
    bool *released; /* by disk */
};

/* --- Finding them --------------------------------------------------------------------------- */

/* What firmware takes for a file system: not one that its backup alone tells of. */
static bool is_mounted(const struct fat_volume *fat)
{
    return !fat->from_backup && fat->has_signature && !fat_form_is_unusual(fat);
}

/* Firmware goes by a copy of the table that is sound and made for this disk. */
static bool may_have_files(const struct machine *machine, const struct partition *partition)
{
    const struct disk *disk = &machine->disks[partition->disk];

    if (disk->style == DISK_MBR)
        return true;
    return (disk->primary.problem == GPT_FINE || disk->backup.problem == GPT_FINE) &&
           (partition->kind == PT_ESP || partition->kind == PT_BASIC_DATA);
}

static struct hd_node node_of(const struct machine *machine, const struct partition *partition)
{
    const struct disk *disk = &machine->disks[partition->disk];
    struct hd_node hd = {.number = partition->hd_number,
                         .start = partition->first_lba,
                         .size = partition->block_count,
                         .format = HD_FORMAT_GPT,
                         .signature_type = HD_SIGNATURE_GUID};

    if (disk->style == DISK_MBR) {
        hd.format = HD_FORMAT_MBR;
        hd.signature_type = HD_SIGNATURE_MBR;
        st_le32(hd.signature, disk->mbr.signature);
    } else {
        memcpy(hd.signature, partition->unique.bytes, sizeof(hd.signature));
    }
    return hd;
}

/* The device path of the partition; empty when there is no memory. */
static struct span path_of(const struct disk_files *files, const struct machine *machine,
                           const struct partition *partition)
{
    struct span disk = machine->disks[partition->disk].path;
    struct hd_node hd = node_of(machine, partition);
    uint8_t *room = arena_alloc(files->kept, 1, PATH_ROOM);
    struct builder path;

    if (room == NULL || disk.size < END_SIZE)
        return span_of(NULL, 0);
    builder_init(&path, room, PATH_ROOM);
    builder_bytes(&path, span_part(disk, 0, disk.size - END_SIZE));
    devpath_put_hd(&path, &hd);
    devpath_put_end(&path);
    return span_of(room, path.used);
}

static enum status add_volume_of(struct disk_files *files, const struct machine *machine,
                                 const struct partition *partition)
{
    const struct block_port *port = &files->ports.disks[machine->disks[partition->disk].port];
    struct disk_volume *volume = &files->volumes[files->count];

    *volume =
        (struct disk_volume){.disk = machine->disks[partition->disk].port,
                             .is_raid = owner_is_raid(machine->disks[partition->disk].owner.owner)};
    if (fat_open(files->scratch, port, partition->first_lba, partition->block_count,
                 &volume->fat) != ST_OK ||
        !is_mounted(&volume->fat))
        return ST_OK;
    struct file_volume *shown = &files->shown[files->count];
    *shown = (struct file_volume){.path = path_of(files, machine, partition), .read_only = true};
    shown->alias = arena_printf(files->kept, "FS%zu:", files->count);
    if (shown->path.size == 0 || shown->alias == NULL)
        return ST_NO_MEMORY;
    files->count++;
    return ST_OK;
}

/* Looks what the disks hold now. What was shown before stays in `kept`. */
static enum status find_volumes(struct disk_files *files)
{
    struct machine machine;

    arena_release(files->scratch, 0);
    files->count = 0;
    memset(files->released, 0, files->ports.disk_count * sizeof(*files->released));
    files->shown = arena_alloc(files->kept, DISK_FILES_MAX, sizeof(*files->shown));
    enum status status = files->shown == NULL
                             ? ST_NO_MEMORY
                             : scan_machine(files->scratch, &files->ports, SCAN_DISKS, &machine);
    for (size_t i = 0; status == ST_OK && i < machine.partition_count; i++) {
        if (files->count < DISK_FILES_MAX && may_have_files(&machine, &machine.partitions[i]))
            status = add_volume_of(files, &machine, &machine.partitions[i]);
    }
    return status;
}

/* --- Reading them --------------------------------------------------------------------------- */

/* The names are wanted, and not that each chain of clusters is sound, which takes most of the FAT. */
static enum status list_volume_files(struct disk_files *files, struct disk_volume *volume)
{
    size_t mark = arena_mark(files->scratch);
    enum status status = fat_check(files->scratch, &volume->fat, LIST_BYTES, &volume->report);

    if (status != ST_OK || volume->report.listed)
        return status;
    arena_release(files->scratch, mark);
    return fat_list(files->scratch, &volume->fat, &volume->report);
}

/* Statuses: ST_OK with the volume, whose files are known; ST_ABSENT; ST_IO. */
static enum status need_list(struct disk_files *files, size_t index,
                             struct disk_volume **ret_volume)
{
    if (index >= files->count)
        return ST_IO;
    struct disk_volume *volume = &files->volumes[index];
    if (files->released[volume->disk])
        return ST_ABSENT;
    if (!volume->listed) {
        volume->listed = true;
        volume->status = list_volume_files(files, volume);
    }
    *ret_volume = volume;
    return volume->status == ST_OK ? ST_OK : ST_IO;
}

/* A file that is not found may be in a folder that is damaged. */
static enum status status_of_missing(const struct disk_volume *volume)
{
    const uint32_t *problems = volume->report.problems;

    return problems[FAT_DIRECTORY_BROKEN] > 0 || problems[FAT_UNREADABLE] > 0 ? ST_IO : ST_ABSENT;
}

static void tell(const struct fat_file *file, struct file_info *ret_info)
{
    size_t start = 0;
    struct text_buffer name;

    for (size_t i = 0; file->path[i] != '\0'; i++)
        start = file->path[i] == '\\' ? i + 1 : start;
    *ret_info = (struct file_info){.size = file->size, .is_directory = file->is_directory};
    text_buffer_init(&name, ret_info->name, sizeof(ret_info->name));
    struct sink sink = text_buffer_sink(&name);
    sink_printf(&sink, "%s", file->path + start);
}

static bool is_root(const char *path)
{
    return path[0] == '\0' || text_equal(path, "\\");
}

static enum status volume_stat(void *ctx, size_t index, const char *path,
                               struct file_info *ret_info)
{
    struct disk_volume *volume = NULL;
    enum status status = need_list(ctx, index, &volume);

    if (status != ST_OK)
        return status;
    if (is_root(path)) {
        *ret_info = (struct file_info){.is_directory = true};
        return ST_OK;
    }
    size_t file = fat_find(&volume->report, path);
    if (file == FAT_NO_FILE)
        return status_of_missing(volume);
    tell(&volume->report.files[file], ret_info);
    return ST_OK;
}

/* True for what lies in the directory itself. */
static bool lies_in(const struct fat_file *file, const char *directory)
{
    size_t length = is_root(directory) ? 0 : text_length(directory);

    if (length > 0 && !text_has_prefix_nocase(file->path, directory))
        return false;
    if (file->path[length] != '\\')
        return false;
    for (const char *at = file->path + length + 1; *at != '\0'; at++) {
        if (*at == '\\')
            return false;
    }
    return true;
}

static enum status volume_list(void *ctx, size_t index, const char *path, size_t place,
                               struct file_info *ret_info)
{
    struct disk_volume *volume = NULL;
    enum status status = need_list(ctx, index, &volume);

    for (size_t i = 0; status == ST_OK && i < volume->report.file_count; i++) {
        const struct fat_file *file = &volume->report.files[i];
        if (!lies_in(file, path) || place-- > 0)
            continue;
        tell(file, ret_info);
        return ST_OK;
    }
    return status == ST_OK ? ST_ABSENT : status;
}

/* Reads the file from its start, for there is no other way, and takes what is wanted. */
static enum status read_pieces(struct disk_volume *volume, const struct fat_file *file,
                               uint64_t offset, struct builder *to, uint8_t *piece, size_t room)
{
    struct fat_reader reader;
    uint64_t at = 0;
    size_t got = 1;

    fat_reader_start(&reader, &volume->fat, file);
    while (got > 0 && to->used < to->size) {
        if (fat_reader_next(&reader, piece, room, &got) != ST_OK)
            return ST_IO;
        if (at + got > offset) {
            size_t skip = offset > at ? (size_t)(offset - at) : 0;
            size_t size = got - skip;
            size_t left = to->size - to->used;
            builder_bytes(to, span_of(piece + skip, size < left ? size : left));
        }
        at += got;
    }
    return ST_OK;
}

static enum status volume_read(void *ctx, size_t index, const char *path, uint64_t offset,
                               void *ret_data, size_t size, size_t *ret_size)
{
    struct disk_files *files = ctx;
    struct disk_volume *volume = NULL;
    enum status status = need_list(files, index, &volume);

    if (status != ST_OK)
        return status;
    size_t file = fat_find(&volume->report, path);
    if (file == FAT_NO_FILE)
        return status_of_missing(volume);
    if (volume->report.files[file].is_directory)
        return ST_ABSENT;
    size_t mark = arena_mark(files->scratch);
    size_t room = volume->fat.cluster_size > PIECE_SIZE ? volume->fat.cluster_size : PIECE_SIZE;
    uint8_t *piece = arena_alloc(files->scratch, 1, room);
    struct builder to;
    builder_init(&to, ret_data, size);
    status = piece == NULL
                 ? ST_IO
                 : read_pieces(volume, &volume->report.files[file], offset, &to, piece, room);
    arena_release(files->scratch, mark);
    if (status == ST_OK)
        *ret_size = to.used;
    return status;
}

/* --- The rest of the port ------------------------------------------------------------------- */

/* True where other disks have copies that would differ then. */
static bool is_of_raid(struct disk_files *files, const struct disk_volume *volume)
{
    const struct fat_volume *fat = &volume->fat;
    struct partition partition = {.first_lba = fat->first_lba, .block_count = fat->block_count};
    struct md_member member;
    uint64_t offset = 0;

    return volume->is_raid || (scan_md_find(files->scratch, fat->port, &partition, MD_1_0, &offset,
                                            &member) == ST_OK &&
                               md_begins_with(&member, offset, fat->sectors * fat->sector_size));
}

/* Only appends. The file system is looked at anew before and after. */
static enum status append_to_file(void *ctx, size_t index, const char *path,
                                  enum file_write_mode mode, const void *data, size_t size)
{
    struct disk_files *files = ctx;
    struct disk_volume *volume = NULL;
    enum status status = mode == FILE_APPEND ? need_list(files, index, &volume) : ST_READ_ONLY;

    if (status != ST_OK)
        return status;
    if (is_of_raid(files, volume))
        return ST_REFUSED;
    struct fat_volume fat = volume->fat;
    size_t mark = arena_mark(files->scratch);
    status = fat_open(files->scratch, fat.port, fat.first_lba, fat.block_count, &fat);
    if (status == ST_OK && is_mounted(&fat))
        status = disk_append(files->scratch, &fat, path, span_of(data, size));
    else
        status = ST_IO;
    arena_release(files->scratch, mark);
    volume->status =
        fat_open(files->scratch, fat.port, fat.first_lba, fat.block_count, &volume->fat);
    volume->listed = volume->status != ST_OK;
    return status == ST_NO_MEMORY ? ST_IO : status;
}

static enum status remove_no_file(void *ctx, size_t volume, const char *path)
{
    (void)ctx;
    (void)volume;
    (void)path;
    return ST_READ_ONLY;
}

static enum status release_disk(void *ctx, struct span disk_path)
{
    struct disk_files *files = ctx;

    for (size_t i = 0; i < files->ports.disk_count; i++) {
        if (!span_equal(files->ports.disks[i].path, disk_path))
            continue;
        files->released[i] = true;
        return ST_OK;
    }
    return ST_IO;
}

static enum status renew_volumes(void *ctx, struct files_port *io_port)
{
    enum status status = find_volumes(ctx);

    if (status == ST_OK)
        *io_port = disk_files_port(ctx);
    return status;
}

struct files_port disk_files_port(struct disk_files *files)
{
    struct files_port port = {
        .ctx = files,
        .volumes = files->shown,
        .volume_count = files->count,
        .self = FILES_NO_VOLUME,
        .current = FILES_NO_VOLUME,
        .directory = "\\",
        .stat = volume_stat,
        .list = volume_list,
        .read = volume_read,
        .write = append_to_file,
        .remove = remove_no_file,
        .release = release_disk,
        .renew = renew_volumes,
    };
    return port;
}

enum status disk_files_open(struct arena *kept, struct arena *scratch,
                            const struct block_port *disks, size_t disk_count,
                            struct disk_files **ret_files)
{
    struct disk_files *files = arena_alloc(kept, 1, sizeof(*files));
    bool *released = arena_alloc(kept, disk_count, sizeof(*released));

    if (files == NULL || released == NULL)
        return ST_NO_MEMORY;
    *files = (struct disk_files){.kept = kept, .scratch = scratch, .released = released};
    files->ports.disks = disks;
    files->ports.disk_count = disk_count;
    enum status status = find_volumes(files);
    if (status == ST_OK)
        *ret_files = files;
    return status;
}
