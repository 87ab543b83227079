/* Where a new journal is put, and how it gets there. */
#include "journal_save.h"

#include "base/print.h"
#include "format/devpath.h"
#include "format/fat/fat_edit.h"
#include "journal_variable.h"
#include "variables_room.h"

#define FREE_MARGIN   (64u * 1024) /* bytes to leave free on a volume besides the journal */
#define COMPARE_PIECE (1u << 20)   /* bytes read back at a time */

/* True when the volume lies on a disk that the journal is about. */
static bool is_on_changed_disk(const struct journal *journal, const struct file_volume *volume)
{
    size_t offset = 0;

    for (size_t i = 0; i < journal->disk_count; i++) {
        if (devpath_has_prefix(volume->path, journal->disks[i].path, &offset))
            return true;
    }
    return false;
}

/* The partition that is mounted as this volume; NULL for what is none of a disk seen from here. */
static const struct partition *partition_mounted_as(const struct machine *machine, size_t volume)
{
    for (size_t i = 0; i < machine->partition_count; i++) {
        if (machine->partitions[i].volume == volume)
            return &machine->partitions[i];
    }
    return NULL;
}

/* A journal on its way to a volume. */
struct saving {
    struct arena *arena; /* scratch */
    const struct ports *ports;
    const struct files_port *files;
    const struct machine *machine;
    const struct journal *journal;
    struct span data;
    const char *path;
    uint8_t *piece; /* for reading back */
    size_t piece_size;
};

/* Reads the file piece by piece; ST_IO when it is not what was to be saved. */
static enum status compare_journal(const struct saving *saving, size_t volume)
{
    const struct files_port *files = saving->files;
    struct span data = saving->data;
    struct file_info info;

    enum status status = files->stat(files->ctx, volume, saving->path, &info);
    if (status == ST_OK && info.size != data.size)
        status = ST_IO;
    for (size_t at = 0; at < data.size && status == ST_OK; at += saving->piece_size) {
        size_t left = data.size - at;
        size_t size = left < saving->piece_size ? left : saving->piece_size;
        size_t got = 0;
        status = files->read(files->ctx, volume, saving->path, at, saving->piece, size, &got);
        if (status == ST_OK && !span_equal(span_of(saving->piece, got), span_part(data, at, size)))
            status = ST_IO;
    }
    return status;
}

/* Writes the file and compares what can be read back; takes a bad one away again. */
static enum status write_journal(const struct saving *saving, size_t volume)
{
    const struct files_port *files = saving->files;
    struct span data = saving->data;

    enum status status =
        files->write(files->ctx, volume, saving->path, FILE_CREATE, data.at, data.size);
    if (status == ST_OK)
        status = compare_journal(saving, volume);
    if (status != ST_OK && status != ST_EXISTS)
        (void)files->remove(files->ctx, volume, saving->path);
    return status;
}

uint64_t journal_store_needs(const struct journal *journal)
{
    return journal_size(journal) + FREE_MARGIN;
}

/* Why no volume takes a journal. What people can do most about counts. */
static unsigned weight_of(enum status status)
{
    switch (status) {
    case ST_NO_SPACE:
        return 4;
    case ST_READ_ONLY:
        return 3;
    case ST_REFUSED:
        return 1;
    case ST_ABSENT:
        return 0;
    default:
        return 2;
    }
}

/* Looks at the file system of an ESP: where chains are crossed or broken, the next file that a driver writes
 * may be put over another one. Statuses: ST_OK, also for what is no FAT; ST_DAMAGED; ST_IO; ST_NO_MEMORY. */
static enum status check_esp_files(const struct saving *saving, const struct partition *esp)
{
    const struct block_port *port = &saving->ports->disks[saving->machine->disks[esp->disk].port];
    size_t mark = arena_mark(saving->arena);
    struct fat_volume fat;
    struct fat_report report;

    enum status status = fat_open(saving->arena, port, esp->first_lba, esp->block_count, &fat);
    if (status == ST_OK)
        status = fat_check(saving->arena, &fat, UINT64_MAX, &report);
    if (status == ST_OK && !fat_edit_is_possible(&report))
        status = ST_DAMAGED;
    arena_release(saving->arena, mark);
    return status == ST_ABSENT || status == ST_UNSUPPORTED ? ST_OK : status;
}

/* Statuses: ST_OK; why the volume does not take it; ST_ABSENT when it is none to try. */
static enum status try_volume(const struct saving *saving, size_t volume)
{
    const struct files_port *files = saving->files;
    const struct file_volume *own = &files->volumes[volume];
    const struct partition *partition = partition_mounted_as(saving->machine, volume);
    const struct disk *disk = partition == NULL ? NULL : &saving->machine->disks[partition->disk];
    bool is_fixed_esp = disk != NULL && partition->kind == PT_ESP && !disk->removable;

    /* A half of a RAID of whole disks is not written by itself. */
    if (disk != NULL && owner_is_raid(disk->owner.owner))
        return ST_READ_ONLY;
    if (devpath_is_ram_disk(own->path) || (volume != files->self && !is_fixed_esp))
        return ST_ABSENT;
    if (is_on_changed_disk(saving->journal, own) ||
        machine_mount_is_in_array(saving->machine, volume))
        return ST_REFUSED;
    if (own->read_only)
        return ST_READ_ONLY;
    /* A volume that does not tell its free space is tried: the write itself will say. */
    if (own->free != 0 && own->free < saving->data.size + (uint64_t)FREE_MARGIN)
        return ST_NO_SPACE;
    enum status status = is_fixed_esp ? check_esp_files(saving, partition) : ST_OK;
    return status == ST_OK ? write_journal(saving, volume) : status;
}

/* The volume we came from first, then the others in their order. */
static enum status save_somewhere(const struct saving *saving, size_t *ret_volume)
{
    const struct files_port *files = saving->files;
    enum status result = ST_ABSENT;

    for (size_t i = 0; i <= files->volume_count; i++) {
        size_t volume = i == 0 ? files->self : i - 1;
        if (volume >= files->volume_count || (i > 0 && volume == files->self))
            continue;
        enum status status = try_volume(saving, volume);
        if (status == ST_OK) {
            *ret_volume = volume;
            return ST_OK;
        }
        if (weight_of(status) > weight_of(result))
            result = status;
    }
    return result;
}

/* A variable takes clusters of a disk that the firmware keeps it on, which what the disk is to become was worked out
 * without. */
static bool is_variable_on_changed_disk(const struct machine *machine,
                                        const struct journal *journal)
{
    for (size_t i = 0; i < journal->disk_count; i++) {
        size_t disk = 0;
        while (disk < machine->disk_count &&
               !span_equal(machine->disks[disk].path, journal->disks[i].path))
            disk++;
        if (machine_variables_write_to(machine, disk))
            return true;
    }
    return false;
}

/* Where no volume takes it, with `status`. */
static enum status save_in_variable(struct arena *arena, const struct ports *ports,
                                    struct journal_file *io_file, enum status status)
{
    if (journal_variable_write(arena, &ports->vars, io_file->id, &io_file->journal,
                               &io_file->size) != ST_OK)
        return status;
    io_file->in_variable = true;
    io_file->volume = FILES_NO_VOLUME;
    io_file->volume_path = span_of(NULL, 0);
    io_file->path = JOURNAL_VARIABLE_NAME;
    return ST_OK;
}

enum status journal_store_save(struct arena *arena, const struct ports *ports,
                               const struct machine *machine, const struct journal *journal,
                               struct journal_file *ret_file)
{
    const struct files_port *files = &ports->files;
    struct journal_file file = {.id = journal_last_id(arena, ports) + 1,
                                .has_blocks = journal_has_blocks(journal),
                                .journal = *journal};
    struct saving saving = {
        .arena = arena, .ports = ports, .files = files, .machine = machine, .journal = journal};

    if (file.id > JOURNAL_LAST_ID)
        return ST_NO_SPACE;
    file.path = arena_printf(arena, "%s\\J%07u.SBJ", JOURNAL_DIRECTORY, file.id);
    if (file.path == NULL)
        return ST_NO_MEMORY;
    enum status status = journal_build(arena, journal, &saving.data);
    if (status != ST_OK)
        return status;
    size_t size = saving.data.size;
    saving.path = file.path;
    saving.piece_size = size < COMPARE_PIECE ? size : COMPARE_PIECE;
    saving.piece = arena_alloc(arena, 1, saving.piece_size);
    if (saving.piece == NULL)
        return ST_NO_MEMORY;
    status = save_somewhere(&saving, &file.volume);
    file.size = size;
    if (status == ST_OK)
        file.volume_path = files->volumes[file.volume].path;
    else if (!is_variable_on_changed_disk(machine, journal) &&
             variables_have_room(arena, ports, machine, 2 * JOURNAL_VARIABLE_MOST))
        status = save_in_variable(arena, ports, &file, status);
    if (status == ST_OK)
        *ret_file = file;
    return status;
}
