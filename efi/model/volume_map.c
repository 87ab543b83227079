#include "model/volume_map.h"

#include "base/text.h"

/* Flags that make a copy one not to be trusted (LDM database, section 10). */
#define VOLUME_TROUBLE    0x3504u /* crashed, bad log, detached, needs recovery, pending */
#define PARTITION_TROUBLE 0x38u   /* stale, detached, moving */

struct fill {
    struct volume_disk *disks;
    size_t disk_count;
    struct dynamic_volume *volumes;
    size_t volume_count;
    struct dynamic_plex *plexes;
    size_t plex_count;
    struct dynamic_extent *extents;
    size_t extent_count;
};

/* The number in a name of the form "Volume12"; 0 when it is not of that form. */
static uint32_t number_in_name(const char *name)
{
    static const char prefix[] = "Volume";
    const size_t length = sizeof prefix - 1;
    uint64_t number = 0;

    for (size_t i = 0; i < length; i++)
        if (name[i] != prefix[i])
            return 0;
    if (name[length] == '0' || text_parse_number(name + length, 10, &number) != ST_OK ||
        number > UINT32_MAX)
        return 0;
    return (uint32_t)number;
}

static enum dynamic_type type_of(enum ldm_shape shape)
{
    switch (shape) {
    case LDM_SHAPE_SIMPLE:
        return DYNAMIC_SIMPLE;
    case LDM_SHAPE_SPANNED:
        return DYNAMIC_SPANNED;
    case LDM_SHAPE_STRIPED:
        return DYNAMIC_STRIPED;
    case LDM_SHAPE_MIRROR:
        return DYNAMIC_MIRROR;
    case LDM_SHAPE_RAID5:
        return DYNAMIC_RAID5;
    case LDM_SHAPE_OTHER:
        break;
    }
    return DYNAMIC_OTHER;
}

static void add_volumes(struct fill *fill, const struct ldm_database *db, size_t group, bool clean)
{
    for (size_t i = 0; i < db->volume_count; i++) {
        const struct ldm_volume *from = &db->volumes[i];
        uint32_t number = number_in_name(from->name);
        fill->volumes[fill->volume_count++] = (struct dynamic_volume){
            .group = group,
            .name = from->name,
            .id = from->id,
            .guid = from->guid,
            .type = type_of(from->shape),
            .size = from->size,
            .drive_hint = from->drive_hint,
            .number = number != 0 ? number : (uint32_t)i + 1,
            .healthy = clean && from->shape != LDM_SHAPE_OTHER &&
                       text_equal(from->state, "ACTIVE") && (from->flags & VOLUME_TROUBLE) == 0,
        };
    }
}

static void add_plexes(struct fill *fill, const struct ldm_database *db, size_t first_volume)
{
    for (size_t i = 0; i < db->component_count; i++) {
        const struct ldm_component *from = &db->components[i];
        fill->plexes[fill->plex_count++] = (struct dynamic_plex){
            .volume = first_volume + from->volume,
            .id = from->id,
            .name = from->name,
            .complete = true,
            .healthy = text_equal(from->state, "ACTIVE") && from->flags == 0,
        };
    }
}

/* The one disk with this identity; NULL when there is none, or more than one. */
static struct volume_disk *find_disk(const struct fill *fill, const struct guid *group,
                                     const struct guid *guid)
{
    for (size_t i = 0; i < fill->disk_count; i++) {
        struct volume_disk *disk = &fill->disks[i];
        if (disk->has_head && !disk->is_clone && guid_equal(&disk->head.group, group) &&
            guid_equal(&disk->head.disk, guid))
            return disk;
    }
    return NULL;
}

/* Sets where on `disk` the extent is. False when it does not fit the public region. */
static bool place_extent(const struct volume_disk *disk, const struct ldm_partition *partition,
                         struct dynamic_extent *extent)
{
    const struct ldm_privhead *head = &disk->head;
    unsigned shift = 0; /* a block is 2^shift sectors */

    while (LDM_SECTOR_BYTES << shift < disk->source->port->block_size)
        shift++;
    uint64_t start = partition->start >> shift;
    uint64_t blocks = partition->size >> shift;
    if (start << shift != partition->start || blocks << shift != partition->size)
        return false;
    if (start > head->public_size || blocks > head->public_size - start)
        return false;
    extent->disk = disk->source->disk;
    extent->lba = head->public_start + start;
    extent->blocks = blocks;
    return true;
}

static void add_extent(struct fill *fill, const struct ldm_database *db,
                       const struct ldm_partition *from, struct volume_disk *disk,
                       size_t first_plex)
{
    const struct ldm_disk *owner = &db->disks[from->disk];
    struct dynamic_extent *extent = &fill->extents[fill->extent_count++];

    *extent = (struct dynamic_extent){
        .plex = first_plex + from->component,
        .disk = VOLUME_NONE,
        .disk_guid = owner->guid,
        .disk_name = owner->name,
        .size = from->size,
        .offset = from->offset,
        .column = from->column,
    };
    if (disk != NULL && !place_extent(disk, from, extent) && disk->state == VOLUME_DISK_OK) {
        disk->state = VOLUME_DISK_CONFLICT;
        disk->reason = "a piece of a volume does not fit into its public region";
    }
}

/* Once every extent has its place: what the plex of `from` owes to it. */
static void judge_plex(const struct ldm_database *db, const struct ldm_partition *from,
                       const struct dynamic_extent *extent, const struct volume_disk *disk,
                       struct dynamic_plex *plex)
{
    if (extent->disk == VOLUME_NONE) {
        plex->complete = false;
        plex->healthy = false;
        return;
    }
    if ((from->flags & PARTITION_TROUBLE) != 0 || db->disks[from->disk].flags != 0 ||
        disk->state != VOLUME_DISK_OK)
        plex->healthy = false;
}

/* Adds what one group's database holds. */
static enum status add_group(struct fill *fill, const struct ldm_database *db, size_t index,
                             struct dynamic_group *group, struct arena *arena)
{
    size_t first_volume = fill->volume_count;
    size_t first_plex = fill->plex_count;
    const struct dynamic_extent *extents = fill->extents + fill->extent_count;
    struct volume_disk **disks = arena_alloc(arena, db->disk_count, sizeof(struct volume_disk *));

    if (disks == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < db->disk_count; i++) {
        disks[i] = find_disk(fill, &group->guid, &db->disks[i].guid);
        group->missing_disks += disks[i] == NULL;
    }
    add_volumes(fill, db, index, group->clean);
    add_plexes(fill, db, first_volume);
    for (size_t i = 0; i < db->partition_count; i++)
        add_extent(fill, db, &db->partitions[i], disks[db->partitions[i].disk], first_plex);
    for (size_t i = 0; i < db->partition_count; i++)
        judge_plex(db, &db->partitions[i], &extents[i], disks[db->partitions[i].disk],
                   &fill->plexes[extents[i].plex]);
    for (size_t i = first_plex; i < fill->plex_count; i++)
        if (!fill->plexes[i].healthy)
            fill->volumes[fill->plexes[i].volume].healthy = false;
    return ST_OK;
}

enum status volume_map_fill(struct volume_disk *disks, size_t disk_count,
                            const struct volume_disk *const *speakers, struct dynamic_group *groups,
                            struct arena *arena, struct volume_map *io_map)
{
    struct fill fill = {.disks = disks, .disk_count = disk_count};
    size_t volumes = 0;
    size_t plexes = 0;
    size_t extents = 0;

    for (size_t i = 0; i < io_map->group_count; i++) {
        if (speakers[i] == NULL)
            continue;
        volumes += speakers[i]->database.volume_count;
        plexes += speakers[i]->database.component_count;
        extents += speakers[i]->database.partition_count;
    }
    fill.volumes = arena_alloc(arena, volumes, sizeof *fill.volumes);
    fill.plexes = arena_alloc(arena, plexes, sizeof *fill.plexes);
    fill.extents = arena_alloc(arena, extents, sizeof *fill.extents);
    if (fill.volumes == NULL || fill.plexes == NULL || fill.extents == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < io_map->group_count; i++) {
        if (speakers[i] == NULL)
            continue;
        enum status status = add_group(&fill, &speakers[i]->database, i, &groups[i], arena);
        if (status != ST_OK)
            return status;
    }
    io_map->volumes = fill.volumes;
    io_map->volume_count = fill.volume_count;
    io_map->plexes = fill.plexes;
    io_map->plex_count = fill.plex_count;
    io_map->extents = fill.extents;
    io_map->extent_count = fill.extent_count;
    return ST_OK;
}

bool volume_map_at(const struct volume_map *map, size_t disk, uint64_t first_lba,
                   uint64_t block_count, size_t *ret_volume)
{
    const struct dynamic_extent *lowest = NULL;

    for (size_t i = 0; i < map->extent_count; i++) {
        const struct dynamic_extent *extent = &map->extents[i];
        if (extent->disk == VOLUME_NONE || extent->disk != disk || extent->lba < first_lba)
            continue;
        uint64_t offset = extent->lba - first_lba;
        if (offset > block_count || extent->blocks > block_count - offset)
            continue;
        if (lowest == NULL || extent->lba < lowest->lba)
            lowest = extent;
    }
    if (lowest == NULL)
        return false;
    *ret_volume = map->plexes[lowest->plex].volume;
    return true;
}
