#include "model/scan.h"

#include "base/mem.h"
#include "base/print.h"
#include "base/sort.h"
#include "base/text.h"
#include "format/devpath_text.h"
#include "disk_meter.h"
#include "model/boot_paths.h"
#include "model/contents.h"
#include "model/resolve.h"
#include "scan_content.h"
#include "scan_disk.h"
#include "model/scan_md.h"
#include "model/scan_owner.h"
#include "model/scan_vars.h"
#include "model/volumes.h"

/* True for what comes and goes: what can be taken out, what hangs on USB, and disks that firmware has in memory. */
static bool is_loose(const struct block_port *port)
{
    return port->removable || devpath_is_usb(port->path) || devpath_is_ram_disk(port->path);
}

/* Fixed disks before those that come and go, so that a rescue stick never shifts their numbers. */
static int by_place_in_machine(const void *ctx, size_t a, size_t b)
{
    const struct block_port *disks = ctx;
    if (disks[a].place_unknown || disks[b].place_unknown)
        return 0; /* as they were named */
    bool loose_a = is_loose(&disks[a]);
    bool loose_b = is_loose(&disks[b]);

    if (loose_a != loose_b)
        return loose_a ? 1 : -1;
    return devpath_compare(disks[a].path, disks[b].path);
}

static enum status describe_disk(struct arena *arena, const struct block_port *port, size_t index,
                                 struct disk *ret_disk)
{
    struct disk disk = {
        .port = index,
        .path = port->path,
        .path_text = devpath_text(arena, port->path),
        .model = text_printable(arena, port->model),
        .block_size = port->block_size,
        .block_count = port->block_count,
        .read_only = port->read_only,
        .removable = is_loose(port),
        .place_unknown = port->place_unknown,
    };

    if (disk.path_text == NULL || disk.model == NULL)
        return ST_NO_MEMORY;
    *ret_disk = disk;
    return ST_OK;
}

/* Reads every disk's tables, in the order people see the disks in. */
static enum status scan_tables(struct arena *arena, const struct ports *ports,
                               struct machine *io_machine, struct disk_table *tables)
{
    const size_t *order = sort_order(arena, ports->disk_count, by_place_in_machine, ports->disks);

    if (order == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < ports->disk_count; i++) {
        const struct block_port *port = &ports->disks[order[i]];
        struct disk *disk = &io_machine->disks[i];
        enum status status = describe_disk(arena, port, order[i], disk);
        if (status == ST_OK)
            status = scan_disk_tables(arena, port, disk, &tables[i]);
        if (status != ST_OK)
            return status;
        io_machine->disk_count = i + 1;
        disk->first_partition = io_machine->partition_count;
        disk->partition_count = tables[i].used;
        io_machine->partition_count += tables[i].used;
    }
    return ST_OK;
}

static enum status scan_partitions(struct arena *arena, const struct disk_table *tables,
                                   struct machine *io_machine)
{
    uint32_t nt_volume = 0;

    io_machine->partitions =
        arena_alloc(arena, io_machine->partition_count, sizeof(*io_machine->partitions));
    if (io_machine->partitions == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < io_machine->disk_count; i++) {
        struct disk *disk = &io_machine->disks[i];
        struct partition *own = io_machine->partitions + disk->first_partition;
        enum status status = scan_disk_partitions(arena, disk, &tables[i], own);
        if (status != ST_OK)
            return status;
        for (size_t j = 0; j < disk->partition_count; j++) {
            own[j].disk = i;
            own[j].fallback_status = ST_UNSUPPORTED;
            if (own[j].kind != PT_LDM_DATA && own[j].kind != PT_LDM_METADATA)
                own[j].nt_volume = ++nt_volume;
        }
    }
    return ST_OK;
}

/* Asks who else claims each disk. */
static enum status scan_owners(struct arena *arena, const struct ports *ports,
                               struct machine *io_machine)
{
    enum status status = ST_OK;

    for (size_t i = 0; i < io_machine->disk_count && status == ST_OK; i++) {
        struct disk *disk = &io_machine->disks[i];
        status = scan_disk_owner(arena, &ports->disks[disk->port], disk,
                                 io_machine->partitions + disk->first_partition, &disk->owner);
    }
    return status;
}

static int by_unique_guid(const void *ctx, size_t a, size_t b)
{
    const struct partition *partitions = ctx;

    return memcmp(partitions[a].unique.bytes, partitions[b].unique.bytes, 16);
}

/* Marks partitions whose unique GUID occurs more than once on the machine. What is on two halves of
 * a RAID is one partition. */
static enum status mark_repeated_partitions(struct arena *arena, struct machine *io_machine)
{
    struct partition *list = io_machine->partitions;
    size_t *order = arena_alloc(arena, io_machine->partition_count, sizeof(*order));

    size_t count = 0;

    if (order == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < io_machine->partition_count; i++) {
        if (machine_raid_original(io_machine, i) == i)
            order[count++] = i;
    }
    sort_items(order, count, by_unique_guid, list);
    for (size_t i = 1; i < count; i++) {
        struct partition *a = &list[order[i - 1]];
        struct partition *b = &list[order[i]];
        if (!guid_is_zero(&a->unique) && guid_equal(&a->unique, &b->unique)) {
            a->guid_repeated = true;
            b->guid_repeated = true;
        }
    }
    return ST_OK;
}

static void mark_repeated_disks(struct machine *io_machine)
{
    for (size_t i = 0; i < io_machine->disk_count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (!disks_have_same_identity(&io_machine->disks[i], &io_machine->disks[j]) ||
                machine_are_raid_twins(io_machine, i, j))
                continue;
            io_machine->disks[i].guid_repeated = true;
            io_machine->disks[j].guid_repeated = true;
        }
    }
}

/* Finds the partition, or bare disk, under each mounted volume. */
static void attach_volumes(const struct files_port *files, struct machine *io_machine)
{
    for (size_t i = 0; i < files->volume_count; i++) {
        struct span path = files->volumes[i].path;
        struct hd_node hd;
        size_t rest = 0;
        size_t disk = resolve_disk(io_machine, path, &rest);
        if (disk == NO_INDEX)
            continue;
        if (i == files->self)
            io_machine->disks[disk].has_self = true;
        if (!devpath_find_hd(span_part(path, rest, path.size - rest), &hd, NULL))
            continue;
        size_t partition = resolve_hd(io_machine, disk, &hd);
        if (partition != NO_INDEX)
            io_machine->partitions[partition].volume = i;
    }
}

static enum status scan_disks(struct arena *arena, const struct ports *ports,
                              struct machine *io_machine)
{
    struct disk_table *tables = arena_alloc(arena, ports->disk_count, sizeof(*tables));

    io_machine->disks = arena_alloc(arena, ports->disk_count, sizeof(*io_machine->disks));
    if (tables == NULL || io_machine->disks == NULL)
        return ST_NO_MEMORY;
    enum status status = scan_tables(arena, ports, io_machine, tables);
    if (status == ST_OK)
        status = scan_partitions(arena, tables, io_machine);
    if (status == ST_OK)
        status = scan_owners(arena, ports, io_machine);
    if (status == ST_OK)
        status = mark_repeated_partitions(arena, io_machine);
    mark_repeated_disks(io_machine);
    return status;
}

/* Adds one partition to what is known of its disk's LDM; true when it belongs to LDM. */
static bool add_dynamic_partition(const struct partition *own, struct volume_source *io_source,
                                  struct volume_area *areas)
{
    if (own->kind == PT_LDM_METADATA && !own->out_of_range) {
        io_source->metadata_lba = own->first_lba;
        io_source->metadata_blocks = own->block_count;
    }
    if (own->kind == PT_LDM_DATA)
        areas[io_source->area_count++] = (struct volume_area){own->first_lba, own->block_count};
    return own->kind == PT_LDM_DATA || own->kind == PT_LDM_METADATA;
}

/* True for a disk of a RAID whose content an earlier disk shows already. */
static bool is_raid_copy(const struct machine *machine, size_t disk)
{
    for (size_t i = 0; i < disk; i++) {
        if (machine_are_raid_twins(machine, i, disk))
            return true;
    }
    return false;
}

/* Where each disk's LDM database would be; `areas` has room for one for each partition. */
static size_t list_dynamic_disks(const struct ports *ports, const struct machine *machine,
                                 enum scan_depth depth, struct volume_area *areas,
                                 struct volume_source *ret_sources)
{
    size_t count = 0;

    for (size_t i = 0; i < machine->disk_count; i++) {
        const struct disk *disk = &machine->disks[i];
        struct volume_area *own = areas + disk->first_partition;
        struct volume_source source = {.disk = i,
                                       .port = &ports->disks[disk->port],
                                       .gpt = disk->style == DISK_GPT,
                                       .areas = own,
                                       .records_only = depth == SCAN_QUICK};
        bool dynamic = false;
        if (is_raid_copy(machine, i))
            continue;
        for (size_t j = 0; j < disk->partition_count; j++)
            dynamic |= add_dynamic_partition(&machine->partitions[disk->first_partition + j],
                                             &source, own);
        if (dynamic)
            ret_sources[count++] = source;
    }
    return count;
}

/* Asks the LDM databases which volume each LDM data partition carries. */
static enum status scan_dynamic_volumes(struct arena *arena, const struct ports *ports,
                                        enum scan_depth depth, struct machine *io_machine)
{
    struct volume_source *sources = arena_alloc(arena, io_machine->disk_count, sizeof(*sources));
    struct volume_area *areas = arena_alloc(arena, io_machine->partition_count, sizeof(*areas));
    struct volume_map *map = &io_machine->volumes;

    if (sources == NULL || areas == NULL)
        return ST_NO_MEMORY;
    size_t count = list_dynamic_disks(ports, io_machine, depth, areas, sources);
    if (count == 0)
        return ST_OK;
    enum status status = volumes_read(sources, count, arena, map);
    if (status != ST_OK)
        return status;
    for (size_t i = 0; i < io_machine->partition_count; i++) {
        struct partition *own = &io_machine->partitions[i];
        size_t volume = VOLUME_NONE;
        if (own->kind == PT_LDM_DATA &&
            volume_map_at(map, own->disk, own->first_lba, own->block_count, &volume))
            own->block_volume = map->volumes[volume].number;
    }
    return ST_OK;
}

/* Looks for the one boot file that is found without any boot entry (3.5.1.1). */
static void look_for_fallback(const struct files_port *files, struct machine *io_machine)
{
    for (size_t i = 0; i < io_machine->partition_count; i++) {
        struct partition *partition = &io_machine->partitions[i];
        struct file_info info;
        if (partition->kind == PT_ESP && partition->volume != NO_INDEX)
            partition->fallback_status =
                files->stat(files->ctx, partition->volume, io_machine->fallback, &info);
    }
}

/* True when firmware comes to the ESP before it comes to the other one. */
static bool is_met_before(const struct machine *machine, size_t partition, size_t other)
{
    const struct partition *a = &machine->partitions[partition];
    const struct partition *b = &machine->partitions[other];
    size_t a_port = machine->disks[a->disk].port;
    size_t b_port = machine->disks[b->disk].port;

    return a_port != b_port ? a_port < b_port : a->hd_number < b->hd_number;
}

/* Finds the ESP with the file in which U-Boot keeps its variables: the first that has one, for that it
 * has read. */
static void look_for_variables(const struct files_port *files, struct machine *io_machine)
{
    if (!firmware_is_uboot(io_machine->firmware.vendor))
        return;
    io_machine->tries_fallback = true;
    for (size_t i = 0; i < io_machine->partition_count; i++) {
        const struct partition *partition = &io_machine->partitions[i];
        struct file_info info;
        if (partition->kind != PT_ESP || partition->volume == NO_INDEX ||
            (io_machine->variables_in_file &&
             !is_met_before(io_machine, i, io_machine->variables_place)) ||
            files->stat(files->ctx, partition->volume, BOOT_VARIABLES_PATH, &info) != ST_OK)
            continue;
        io_machine->variables_in_file = true;
        io_machine->variables_place = i;
    }
}

/* The volumes, the boot entries and what they name; from SCAN_LISTED on who claims free space. */
static enum status scan_entries(struct arena *arena, const struct ports *ports,
                                const struct ports *metered, enum scan_depth depth,
                                struct machine *io_machine)
{
    enum status status = scan_dynamic_volumes(arena, metered, depth, io_machine);

    if (status == ST_OK)
        status = scan_vars(arena, &ports->vars, io_machine);
    if (status == ST_OK)
        status = resolve_entries(arena, &ports->files, io_machine);
    if (status == ST_OK)
        look_for_fallback(&ports->files, io_machine);
    if (status == ST_OK)
        look_for_variables(&ports->files, io_machine);
    if (status == ST_OK && depth >= SCAN_LISTED)
        status = scan_claims(arena, ports, io_machine);
    return status;
}

static enum status scan(struct arena *arena, const struct ports *ports, enum scan_depth depth,
                        const struct scan_before *before, struct contents *contents,
                        struct machine *ret_machine)
{
    struct machine machine = {
        .contents = contents,
        .architecture = ports->architecture,
        .firmware = ports->firmware,
        .fallback = arena_printf(arena, FALLBACK_PATH_FORMAT, ports->architecture),
        .secure = {.status = ST_UNSUPPORTED},
    };
    struct disk_meter *meters = NULL;
    struct ports metered;

    if (machine.fallback == NULL)
        return ST_NO_MEMORY;
    enum status status = disk_meters_new(arena, ports, &metered, &meters);
    if (status == ST_OK)
        status = scan_disks(arena, &metered, &machine);
    if (status != ST_OK)
        return status;
    attach_volumes(&ports->files, &machine);
    if (depth >= SCAN_ENTRIES) {
        status = scan_entries(arena, ports, &metered, depth, &machine);
        if (depth >= SCAN_QUICK)
            scan_contents_set_limits(meters, ports->disk_count);
        if (status == ST_OK)
            status = scan_md_volumes(arena, &metered,
                                     depth == SCAN_QUICK ? MD_LOOKS_QUICK : SIZE_MAX, &machine);
        /* Before what is looked up in its lists. */
        if (status == ST_OK && depth >= SCAN_FULL)
            status = secure_boot_read(arena, &ports->vars, &machine.secure);
        if (status == ST_OK && depth >= SCAN_QUICK)
            status = scan_contents(arena, &metered, meters, depth, before, &machine);
        if (status != ST_OK)
            return status;
    }
    *ret_machine = machine;
    return ST_OK;
}

enum status scan_machine(struct arena *arena, const struct ports *ports, enum scan_depth depth,
                         struct machine *ret_machine)
{
    struct contents *contents = NULL;

    if (depth == SCAN_FULL) {
        contents = arena_alloc(arena, 1, sizeof(*contents));
        if (contents == NULL)
            return ST_NO_MEMORY;
        contents_start(contents, arena);
    }
    size_t mark = arena_mark(arena);
    enum status status = scan(arena, ports, depth, NULL, contents, ret_machine);
    if (status != ST_NO_MEMORY || contents == NULL)
        return status;
    contents_give_up(contents);
    arena_release(arena, mark);
    return scan(arena, ports, depth, NULL, contents, ret_machine);
}

enum status scan_machine_again(struct arena *arena, const struct ports *ports,
                               enum scan_depth depth, const struct scan_before *before,
                               struct machine *ret_machine)
{
    return scan(arena, ports, depth, before, before->machine->contents, ret_machine);
}

void scan_let_contents_go(struct machine *io_machine)
{
    size_t count = io_machine->esp_count + io_machine->source_count;

    for (size_t i = 0; i < count && io_machine->contents != NULL; i++) {
        const struct esp *esp = &io_machine->esps[i];
        for (size_t k = 0; k < esp->report.file_count && esp->contents_read; k++)
            content_let_go(&esp->contents[k]);
    }
    if (io_machine->contents != NULL)
        contents_give_up(io_machine->contents);
}
