#include "scan_copies.h"

#include "base/mem.h"
#include "base/sort.h"
#include "base/text.h"
#include "format/pe_headers.h"
#include "model/boot_paths.h"
#include "model/copy_blocks.h"
#include "model/scan_esp.h"
#include "program_version.h"

#define MBR_NTFS    0x07
#define LIKELIHOODS 3
#define LABEL_MAX   2048u /* bytes; no label comes near it */

#define TWIN_MANAGER_PATH "\\Windows\\Boot\\EFI_EX\\bootmgfw_EX.efi"

const char *system_file_path(enum system_file file)
{
    static const char *const paths[SYSTEM_FILE_COUNT] = {
        [SYSTEM_LOADER] = "\\Windows\\System32\\winload.efi",
        [SYSTEM_KERNEL] = "\\Windows\\System32\\ntoskrnl.exe",
        [SYSTEM_BOOT_MANAGER] = "\\Windows\\Boot\\EFI\\bootmgfw.efi",
    };

    return paths[file];
}

enum status system_copy_windows(const struct system_copy *copy)
{
    if (copy->status != ST_OK)
        return copy->status == ST_ABSENT && copy->content != CONTENT_BITLOCKER ? ST_ABSENT
                                                                               : copy->status;
    for (int i = SYSTEM_LOADER; i <= SYSTEM_KERNEL; i++) {
        if (copy->files[i] != ST_OK)
            return copy->files[i];
    }
    return ST_OK;
}

/* True when the pieces are here, and one behind the other make the plex up. */
static bool has_all_pieces(const struct volume_map *map, const struct dynamic_plex *plex)
{
    uint64_t offset = 0;

    for (size_t i = 0; i < plex->extent_count; i++) {
        const struct dynamic_extent *extent = &map->extents[plex->first_extent + i];
        if (extent->disk == VOLUME_NONE || extent->offset != offset)
            return false;
        offset += extent->size;
    }
    return plex->place_certain && plex->extent_count > 0 &&
           (plex->extent_count == 1 || plex->layout == DYNAMIC_LAYOUT_CONCATENATED);
}

/* Plexes whose place is certain; what is spread in stripes no Windows is started from. */
static void list_plexes(const struct machine *machine, struct system_copy *copies, size_t *io_count)
{
    const struct volume_map *map = &machine->volumes;

    for (size_t i = 0; i < map->plex_count; i++) {
        const struct dynamic_plex *plex = &map->plexes[i];
        const struct dynamic_extent *extent = &map->extents[plex->first_extent];
        if (!has_all_pieces(map, plex))
            continue;
        copies[(*io_count)++] = (struct system_copy){
            .disk = extent->disk,
            .partition = machine_partition_at(machine, extent->disk, extent->lba, extent->blocks),
            .plex = i,
            .lba = extent->lba,
            .block_count = extent->blocks,
            .pieces = plex->extent_count,
        };
    }
}

static void list_plain(const struct machine *machine, struct system_copy *copies, size_t *io_count)
{
    for (size_t i = 0; i < machine->partition_count; i++) {
        const struct partition *own = &machine->partitions[i];
        bool ntfs = own->kind == PT_BASIC_DATA || own->mbr_type == MBR_NTFS;
        if (!ntfs || !scan_can_look(machine, own) || machine->disks[own->disk].removable)
            continue;
        copies[(*io_count)++] = (struct system_copy){
            .disk = own->disk,
            .partition = i,
            .plex = NO_INDEX,
            .lba = own->first_lba,
            .block_count = own->block_count,
            .pieces = 1,
        };
    }
}

static int copy_by_place(const void *ctx, size_t a, size_t b)
{
    const struct system_copy *copies = ctx;

    if (copies[a].disk != copies[b].disk)
        return copies[a].disk < copies[b].disk ? -1 : 1;
    if (copies[a].lba != copies[b].lba)
        return copies[a].lba < copies[b].lba ? -1 : 1;
    return 0;
}

static enum status list_copies(struct arena *arena, struct machine *io_machine)
{
    size_t room = io_machine->volumes.plex_count + io_machine->partition_count;
    size_t count = 0;
    struct system_copy *found = arena_alloc(arena, room, sizeof(*found));

    if (found == NULL)
        return ST_NO_MEMORY;
    list_plexes(io_machine, found, &count);
    list_plain(io_machine, found, &count);
    for (size_t i = 0; i < count; i++) {
        found[i].status = ST_UNSUPPORTED;
        found[i].bios_store_status = ST_UNSUPPORTED;
        for (int j = 0; j < SYSTEM_FILE_COUNT; j++)
            found[i].files[j] = ST_UNSUPPORTED;
    }
    const size_t *order = sort_order(arena, count, copy_by_place, found);
    io_machine->copies = arena_alloc(arena, count, sizeof(*io_machine->copies));
    if (order == NULL || io_machine->copies == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        io_machine->copies[i] = found[order[i]];
    io_machine->copy_count = count;
    return ST_OK;
}

/* How soon a copy is looked into: a disk with a thousand volumes is not read through. */
static int likelihood(const struct machine *machine, const struct system_copy *copy)
{
    const struct volume_map *map = &machine->volumes;

    if (copy->plex == NO_INDEX)
        return 1;
    const struct dynamic_volume *volume = &map->volumes[map->plexes[copy->plex].volume];
    if (volume->boot || text_equal_nocase(volume->drive_hint, "C:"))
        return 0;
    return volume->type == DYNAMIC_MIRROR ? 1 : 2;
}

static enum status look_at_files(struct system_copy *copy)
{
    for (int i = 0; i < SYSTEM_FILE_COUNT; i++) {
        struct ntfs_file file;
        copy->files[i] = ntfs_lookup(&copy->ntfs, system_file_path((enum system_file)i), &file);
        if (copy->files[i] == ST_OK && (file.is_directory || file.size == 0))
            copy->files[i] = ST_ABSENT;
        if (copy->files[i] == ST_NO_MEMORY)
            return ST_NO_MEMORY;
    }
    return ST_OK;
}

/* What the first block says; CONTENT_UNKNOWN when it cannot be read. */
/* `*ret_known` is false when it can be read and nobody knows what it is. */
static enum status look_at_first_block(struct arena *arena, const struct block_port *port,
                                       struct system_copy *copy, bool *ret_known)
{
    size_t mark = arena_mark(arena);
    uint8_t *block = arena_alloc(arena, 1, port->block_size);

    if (block == NULL)
        return ST_NO_MEMORY;
    *ret_known = true;
    if (port->read(port->ctx, 0, 1, block) == ST_OK) {
        copy->content = volume_content_of(span_of(block, port->block_size));
        *ret_known = copy->content != CONTENT_UNKNOWN;
    }
    arena_release(arena, mark);
    return ST_OK;
}

/* ST_OK where NTFS may be. What says that it is something else is believed, though an old NTFS may
 * have left its backup boot sector behind: a volume formatted anew, or BitLocker at work. */
static enum status status_of_foreign(enum volume_content content, bool known)
{
    switch (content) {
    case CONTENT_BITLOCKER:
        return ST_UNSUPPORTED;
    case CONTENT_REFS:
    case CONTENT_FAT:
    case CONTENT_EXFAT:
        return ST_ABSENT;
    default:
        return known ? ST_OK : ST_ABSENT;
    }
}

static enum status look_into_copy(const struct content_scan *scan, struct system_copy *copy)
{
    struct arena *arena = scan->arena;
    const struct block_port *port = NULL;
    bool known = true;

    enum status status = copy_blocks_open(arena, scan->ports->disks, scan->machine, copy, &port);
    if (status != ST_OK)
        return status == ST_UNSUPPORTED ? ST_OK : status;
    status = look_at_first_block(arena, port, copy, &known);
    if (status != ST_OK)
        return status;
    copy->looked = true;
    copy->status = status_of_foreign(copy->content, known);
    if (copy->status != ST_OK)
        return ST_OK;
    copy->status = ntfs_open(arena, port, 0, port->block_count, &copy->ntfs);
    if (copy->status == ST_NO_MEMORY)
        return ST_NO_MEMORY;
    if (copy->status != ST_OK)
        return ST_OK;
    copy->content = CONTENT_NTFS;
    return look_at_files(copy);
}

static enum system_loader loader_of(const struct content_scan *scan, struct span start,
                                    uint64_t file_size)
{
    struct pe_headers headers;

    if (pe_headers_parse(start, file_size, &headers) != ST_OK ||
        pe_headers_extent(start, &headers) > file_size)
        return LOADER_NO_PROGRAM;
    return pe_machine_fits(headers.machine, scan->machine->architecture) ? LOADER_FITS
                                                                         : LOADER_OF_OTHER_MACHINE;
}

/* A loader whose headers cannot be read counts as right. */
static enum status look_at_loader(const struct content_scan *scan, struct system_copy *copy)
{
    size_t mark = arena_mark(scan->arena);
    uint8_t *start = arena_alloc(scan->arena, 1, PE_HEADER_MAX);
    struct ntfs_file file;
    size_t size = 0;

    if (start == NULL)
        return ST_NO_MEMORY;
    enum status status = ntfs_lookup(&copy->ntfs, system_file_path(SYSTEM_LOADER), &file);
    if (status == ST_OK)
        status = ntfs_read(&copy->ntfs, &file, 0, start, PE_HEADER_MAX, &size);
    if (status == ST_OK)
        copy->loader = loader_of(scan, span_of(start, size), file.size);
    arena_release(scan->arena, mark);
    return status == ST_NO_MEMORY ? status : ST_OK;
}

/* Looks for the versions of the boot managers that Windows keeps. One that cannot be read is not
 * known. */
static enum status look_at_managers(const struct content_scan *scan, struct system_copy *copy)
{
    const char *const paths[] = {system_file_path(SYSTEM_BOOT_MANAGER), TWIN_MANAGER_PATH};
    enum status status = ST_OK;

    for (size_t i = 0; i < 2 && status != ST_NO_MEMORY; i++)
        status = program_version(scan->arena, &copy->ntfs, paths[i], &copy->managers[i]);
    return status == ST_NO_MEMORY ? status : ST_OK;
}

/* Reads the boot store of Windows' boot manager for BIOS from the volume. */
static enum status read_bios_store(struct arena *arena, struct system_copy *copy)
{
    struct ntfs_file file;
    size_t size = 0;

    enum status status = ntfs_lookup(&copy->ntfs, BIOS_STORE_PATH, &file);
    if (status == ST_OK && (file.is_directory || file.size > BOOT_STORE_MAX))
        status = ST_DAMAGED;
    copy->bios_store_status = status;
    if (status != ST_OK)
        return status == ST_NO_MEMORY ? status : ST_OK;
    uint8_t *store = arena_alloc(arena, 1, (size_t)file.size);
    if (store == NULL)
        return ST_NO_MEMORY;
    status = ntfs_read(&copy->ntfs, &file, 0, store, (size_t)file.size, &size);
    copy->bios_store_status = status;
    copy->bios_store = span_of(store, status == ST_OK ? size : 0);
    return status == ST_NO_MEMORY ? status : ST_OK;
}

static bool may_have_bios_store(const struct content_scan *scan, const struct system_copy *copy)
{
    return scan->depth >= SCAN_LISTED && copy->status == ST_OK && copy->partition != NO_INDEX &&
           scan->machine->partitions[copy->partition].active;
}

/* Nothing can be read through the volume any more. */
static void forget_volume(struct ntfs_volume *ntfs)
{
    ntfs->port = NULL;
    ntfs->cache = NULL;
    ntfs->mft = NULL;
    ntfs->upcase = NULL;
    ntfs->base = NULL;
    ntfs->extension = NULL;
}

/* Gives back what was only needed to look into the copy: all but the label. */
static enum status keep_label(struct arena *arena, size_t mark, struct ntfs_volume *ntfs)
{
    char label[LABEL_MAX];
    size_t size = text_length(ntfs->label) + 1;

    if (size > sizeof(label))
        return ST_OK;
    memcpy(label, ntfs->label, size);
    arena_release(arena, mark);
    ntfs->label = arena_copy(arena, label, size);
    forget_volume(ntfs);
    return ntfs->label != NULL ? ST_OK : ST_NO_MEMORY;
}

/* True when no more may be read of a disk that the copy lies on. */
static bool is_stopped(const struct content_scan *scan, const struct system_copy *copy)
{
    const struct volume_map *map = &scan->machine->volumes;
    bool stopped = scan_meter_of(scan, copy->disk)->stopped;

    for (size_t i = 1; i < copy->pieces && !stopped; i++) {
        const struct dynamic_plex *plex = &map->plexes[copy->plex];
        stopped = scan_meter_of(scan, map->extents[plex->first_extent + i].disk)->stopped;
    }
    return stopped;
}

/* Looks into the copy when its disks' limits allow it; else nobody has looked. */
static enum status scan_copy(const struct content_scan *scan, struct system_copy *copy)
{
    const struct system_copy unknown = *copy;
    size_t mark = arena_mark(scan->arena);

    if (is_stopped(scan, copy))
        return ST_OK;
    enum status status = look_into_copy(scan, copy);
    if (status == ST_OK && copy->status == ST_OK && copy->files[SYSTEM_LOADER] == ST_OK)
        status = look_at_loader(scan, copy);
    if (status == ST_OK && copy->status == ST_OK && scan->depth >= SCAN_FULL)
        status = look_at_managers(scan, copy);
    if (status == ST_OK && may_have_bios_store(scan, copy))
        status = read_bios_store(scan->arena, copy);
    if (status != ST_OK)
        return status;
    if (is_stopped(scan, copy)) {
        *copy = unknown;
        arena_release(scan->arena, mark);
        return ST_OK;
    }
    if (copy->bios_store.size > 0)
        forget_volume(&copy->ntfs);
    else if (copy->status == ST_OK)
        return keep_label(scan->arena, mark, &copy->ntfs);
    return ST_OK;
}

enum status scan_copies(const struct content_scan *scan)
{
    struct machine *machine = scan->machine;

    if (list_copies(scan->arena, machine) != ST_OK)
        return ST_NO_MEMORY;
    for (int turn = 0; turn < LIKELIHOODS; turn++) {
        for (size_t i = 0; i < machine->copy_count; i++) {
            if (likelihood(machine, &machine->copies[i]) == turn &&
                scan_copy(scan, &machine->copies[i]) != ST_OK)
                return ST_NO_MEMORY;
        }
    }
    return ST_OK;
}
