#include "model/resolve.h"

#include "base/mem.h"
#include "base/print.h"
#include "base/text.h"
#include "format/devpath_text.h"

size_t resolve_disk(const struct machine *machine, struct span path, size_t *ret_rest)
{
    for (size_t i = 0; i < machine->disk_count; i++) {
        if (devpath_has_prefix(path, machine->disks[i].path, ret_rest))
            return i;
    }
    return NO_INDEX;
}

/* The identity of a partition is its GUID, or with MBR the disk's signature and the number. */
static bool hd_names_partition(const struct machine *machine, const struct partition *partition,
                               const struct hd_node *hd)
{
    struct hd_node own = partition_hd_node(machine, partition);

    if (own.signature_type != hd->signature_type)
        return false;
    if (memcmp(own.signature, hd->signature, sizeof(own.signature)) != 0)
        return false;
    return own.signature_type == HD_SIGNATURE_GUID || own.number == hd->number;
}

size_t resolve_hd(const struct machine *machine, size_t disk, const struct hd_node *hd)
{
    for (size_t i = 0; i < machine->partition_count && !hd_node_names_none(hd); i++) {
        const struct partition *partition = &machine->partitions[i];
        if (disk != NO_INDEX && partition->disk != disk)
            continue;
        if (hd_names_partition(machine, partition, hd))
            return i;
    }
    return NO_INDEX;
}

static bool hd_place_differs(const struct machine *machine, size_t partition,
                             const struct hd_node *hd)
{
    struct hd_node own = partition_hd_node(machine, &machine->partitions[partition]);

    return own.number != hd->number || own.start != hd->start || own.size != hd->size;
}

/* Looks for the named partition, first on the disk that the path leads to. */
static void find_partition(const struct machine *machine, struct span path,
                           struct target *io_target)
{
    size_t rest = 0;
    size_t disk = resolve_disk(machine, path, &rest);

    io_target->disk = disk;
    if (!io_target->has_hd)
        return;
    if (disk != NO_INDEX)
        io_target->partition = resolve_hd(machine, disk, &io_target->hd);
    if (io_target->partition == NO_INDEX) {
        io_target->partition = resolve_hd(machine, NO_INDEX, &io_target->hd);
        bool full = devpath_form_of(path) == DEVPATH_FORM_FULL;
        io_target->elsewhere =
            full && io_target->partition != NO_INDEX &&
            !machine->disks[machine->partitions[io_target->partition].disk].place_unknown;
    }
    if (io_target->partition == NO_INDEX)
        return;
    io_target->disk = machine->partitions[io_target->partition].disk;
    io_target->moved = hd_place_differs(machine, io_target->partition, &io_target->hd);
}

/* The path's file as text with a leading backslash. */
static enum status file_path_text(struct arena *arena, struct span path, const char **ret_file)
{
    struct span ucs2;
    enum status status = devpath_file(arena, path, &ucs2);

    if (status != ST_OK)
        return status == ST_ABSENT ? ST_OK : status;
    const char *text = text_from_ucs2(arena, ucs2);
    if (text != NULL && text[0] != '\\')
        text = arena_printf(arena, "\\%s", text);
    if (text == NULL)
        return ST_NO_MEMORY;
    *ret_file = text;
    return ST_OK;
}

enum status resolve_path(struct arena *arena, const struct machine *machine,
                         const struct files_port *files, struct span path,
                         struct target *ret_target)
{
    struct target target = {.partition = NO_INDEX, .disk = NO_INDEX, .file_status = ST_UNSUPPORTED};

    target.has_hd = devpath_find_hd(path, &target.hd, NULL);
    find_partition(machine, path, &target);
    enum status status = file_path_text(arena, path, &target.file);
    if (status != ST_OK)
        return status;
    if (files != NULL && target.file != NULL && target.partition != NO_INDEX) {
        size_t volume = machine->partitions[target.partition].volume;
        struct file_info info;
        if (volume != NO_INDEX)
            target.file_status = files->stat(files->ctx, volume, target.file, &info);
    }
    *ret_target = target;
    return ST_OK;
}

enum status resolve_entry(struct arena *arena, const struct machine *machine,
                          const struct files_port *files, struct entry *io_entry)
{
    const struct target nowhere = {
        .partition = NO_INDEX, .disk = NO_INDEX, .file_status = ST_UNSUPPORTED};

    io_entry->boot = nowhere;
    io_entry->os = nowhere;
    if (io_entry->status != ST_OK)
        return ST_OK;
    io_entry->path_text = devpath_text(arena, io_entry->option.path);
    if (io_entry->path_text == NULL)
        return ST_NO_MEMORY;
    enum status status =
        resolve_path(arena, machine, files, io_entry->option.path, &io_entry->boot);
    if (status != ST_OK || io_entry->optional_kind != OPTIONAL_WINDOWS)
        return status;
    if (io_entry->windows.path_type != WINDOWS_PATH_EFI)
        return ST_OK;
    return resolve_path(arena, machine, NULL, io_entry->windows.path_data, &io_entry->os);
}

enum status resolve_entries(struct arena *arena, const struct files_port *files,
                            struct machine *io_machine)
{
    enum status status = ST_OK;

    for (size_t i = 0; i < io_machine->entry_count && status == ST_OK; i++)
        status = resolve_entry(arena, io_machine, files, &io_machine->entries[i]);
    return status;
}
