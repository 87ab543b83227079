#include "volume_map.h"

#include "base/sort.h"
#include "base/text.h"
#include "volume_judge.h"
#include "volume_place.h"

#define VOLUME_RETAIN 0x800000u
#define VOLUME_SYSTEM 0x400000u
#define VOLUME_BOOT   0x200000u

struct fill {
    struct volume_disk *disks;
    size_t disk_count;
    struct dynamic_disk *dynamic_disks;
    size_t dynamic_disk_count;
    struct dynamic_volume *volumes;
    size_t volume_count;
    struct dynamic_plex *plexes;
    size_t plex_count;
    struct dynamic_extent *extents;
    size_t extent_count;
};

/* One group's part of the work. */
struct group_fill {
    struct fill *fill;
    const struct ldm_database *db;
    struct dynamic_group *group;
    size_t index; /* of the group */
    size_t first_disk;
    size_t first_volume;
    size_t first_plex;
    size_t first_extent;
    struct volume_disk **here; /* for each disk of the database: what is here of it, or NULL */
    size_t *plex_of;           /* for each component: its plex, counted from first_plex */
    size_t *components;        /* numbers of components in the order of the plexes */
    size_t *partitions;        /* numbers of partitions in the order of the extents */
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

static void add_volumes(struct group_fill *in)
{
    const struct ldm_database *db = in->db;

    for (size_t i = 0; i < db->volume_count; i++) {
        const struct ldm_volume *from = &db->volumes[i];
        in->fill->volumes[in->fill->volume_count++] = (struct dynamic_volume){
            .group = in->index,
            .name = from->name,
            .id = from->id,
            .guid = from->guid,
            .type = type_of(from->shape),
            .size = from->size,
            .drive_hint = from->drive_hint,
            .number = number_in_name(from->name),
            .state = from->state,
            .flags = from->flags,
            .boot = (from->flags & VOLUME_BOOT) != 0,
            .system = (from->flags & VOLUME_SYSTEM) != 0,
            .retain = (from->flags & VOLUME_RETAIN) != 0,
            .content = from->content,
        };
    }
}

/* Components of a volume stand together, in order of ID. */
static int compare_components(const void *ctx, size_t a, size_t b)
{
    const struct ldm_database *db = ctx;

    return compare_numbers(db->components[a].volume, db->components[b].volume);
}

static void add_plexes(struct group_fill *in)
{
    const struct ldm_database *db = in->db;

    sort_range(in->components, 0, db->component_count, compare_components, db);
    for (size_t i = 0; i < db->component_count; i++) {
        const struct ldm_component *from = &db->components[in->components[i]];
        struct dynamic_volume *volume = &in->fill->volumes[in->first_volume + from->volume];
        if (volume->plex_count++ == 0)
            volume->first_plex = in->fill->plex_count;
        in->plex_of[in->components[i]] = i;
        in->fill->plexes[in->fill->plex_count++] = (struct dynamic_plex){
            .volume = in->first_volume + from->volume,
            .id = from->id,
            .name = from->name,
            .state_text = from->state,
            .flags = from->flags,
            .layout = (enum dynamic_layout)from->layout,
            .stripe_size = from->stripe_size,
            .columns = from->columns,
            .complete = true,
            .place_certain = from->certain && db->volumes[from->volume].certain,
        };
    }
}

/* The one disk with this identity; NULL when there is none, or more than one: `*ret_cloned`. */
static struct volume_disk *find_disk(const struct fill *fill, const struct guid *group,
                                     const struct guid *guid, bool *ret_cloned)
{
    *ret_cloned = false;
    for (size_t i = 0; i < fill->disk_count; i++) {
        struct volume_disk *disk = &fill->disks[i];
        if (!disk->has_head || !guid_equal(&disk->head.group, group) ||
            !guid_equal(&disk->head.disk, guid))
            continue;
        *ret_cloned = disk->is_clone;
        return disk->is_clone ? NULL : disk;
    }
    return NULL;
}

/* Every disk of the database, and which of those here it is. */
static void add_disks(struct group_fill *in)
{
    const struct ldm_database *db = in->db;

    for (size_t i = 0; i < db->disk_count; i++) {
        const struct ldm_disk *from = &db->disks[i];
        bool cloned = false;
        struct volume_disk *here = find_disk(in->fill, &in->group->guid, &from->guid, &cloned);
        in->here[i] = here;
        in->group->missing_disks += here == NULL;
        in->fill->dynamic_disks[in->fill->dynamic_disk_count++] = (struct dynamic_disk){
            .group = in->index,
            .id = from->id,
            .name = from->name,
            .guid = from->guid,
            .flags = from->flags,
            .disk = here == NULL ? VOLUME_NONE : here->source->disk,
            .reason = cloned ? "more than one disk claims to be it" : "its disk is not here",
        };
    }
}

static int compare_partitions(const void *ctx, size_t a, size_t b)
{
    const struct group_fill *in = ctx;
    const struct ldm_partition *x = &in->db->partitions[a];
    const struct ldm_partition *y = &in->db->partitions[b];

    if (x->component != y->component)
        return compare_numbers(in->plex_of[x->component], in->plex_of[y->component]);
    if (x->column != y->column)
        return compare_numbers(x->column, y->column);
    return compare_numbers(x->offset, y->offset);
}

static void add_extent(struct group_fill *in, const struct ldm_partition *from)
{
    const struct ldm_disk *owner = &in->db->disks[from->disk];
    struct fill *fill = in->fill;
    size_t plex_index = in->first_plex + in->plex_of[from->component];
    struct dynamic_plex *plex = &fill->plexes[plex_index];
    struct dynamic_extent *extent = &fill->extents[fill->extent_count];

    *extent = (struct dynamic_extent){
        .plex = plex_index,
        .id = from->id,
        .name = from->name,
        .flags = from->flags,
        .dynamic_disk = in->first_disk + from->disk,
        .disk = VOLUME_NONE,
        .disk_guid = owner->guid,
        .disk_name = owner->name,
        .size = from->size,
        .offset = from->offset,
        .column = from->column,
        .reason = "",
    };
    volume_place_find(extent, from, in->here[from->disk]);
    if (plex->extent_count++ == 0)
        plex->first_extent = fill->extent_count;
    fill->extent_count++;
    plex->complete = plex->complete && extent->disk != VOLUME_NONE;
    plex->place_certain = plex->place_certain && from->certain && owner->certain;
}

static void add_extents(struct group_fill *in)
{
    sort_range(in->partitions, 0, in->db->partition_count, compare_partitions, in);
    for (size_t i = 0; i < in->db->partition_count; i++)
        add_extent(in, &in->db->partitions[in->partitions[i]]);
}

static bool is_redundant(const struct dynamic_volume *volume)
{
    return volume->plex_count > 1 || volume->type == DYNAMIC_RAID5;
}

/* The disk with this number in the database. */
static struct trust judge_owner(const struct group_fill *in, size_t disk)
{
    if (in->here[disk] != NULL)
        return trust_by_disk(&in->db->disks[disk], in->here[disk]);
    return (struct trust){PLEX_MISSING, in->fill->dynamic_disks[in->first_disk + disk].reason};
}

/* Every extent has its place, and every disk its state. */
static void judge_extent(struct group_fill *in, const struct ldm_partition *from,
                         struct dynamic_extent *extent)
{
    const struct volume_disk *disk = in->here[from->disk];
    const struct dynamic_volume *volume = &in->fill->volumes[in->fill->plexes[extent->plex].volume];
    struct trust trust = judge_owner(in, from->disk);

    if (disk != NULL && extent->disk == VOLUME_NONE)
        trust =
            (struct trust){PLEX_MISSING, "its place is not inside the public region of its disk"};
    trust_add(&trust, trust_by_partition(from));
    if (disk != NULL && is_redundant(volume))
        trust_add(&trust, trust_by_log(disk));
    extent->state = trust.state;
    extent->reason = trust.reason;
}

/* Whether a plex of the volume is marked, by itself or by a piece, as worse than the others. */
static bool has_target(const struct group_fill *in, const struct dynamic_volume *volume)
{
    for (size_t i = 0; i < volume->plex_count; i++) {
        size_t plex = volume->first_plex + i - in->first_plex;
        if (trust_by_component(&in->db->components[in->components[plex]]).state >= PLEX_REBUILDING)
            return true;
    }
    return false;
}

static void judge_plex(const struct group_fill *in, struct dynamic_plex *plex, struct trust trust)
{
    if (plex->extent_count == 0)
        trust_add(&trust, (struct trust){PLEX_FAILED, "it has no place on any disk"});
    plex->own_state = trust.state;
    for (size_t i = 0; i < plex->extent_count; i++) {
        const struct dynamic_extent *extent = &in->fill->extents[plex->first_extent + i];
        trust_add(&trust, (struct trust){extent->state, extent->reason});
    }
    plex->state = trust.state;
    plex->reason = trust.reason;
}

static void judge_plexes(const struct group_fill *in, struct dynamic_volume *volume,
                         const struct ldm_volume *from)
{
    struct trust shared = trust_by_volume(from, has_target(in, volume));

    if (volume->type == DYNAMIC_OTHER)
        trust_add(&shared, (struct trust){PLEX_DOUBTFUL,
                                          "its volume has a form that Windows does not make"});
    trust_add(&shared, trust_by_group(in->group, is_redundant(volume)));
    for (size_t i = 0; i < volume->plex_count; i++) {
        struct dynamic_plex *plex = &in->fill->plexes[volume->first_plex + i];
        struct trust trust = trust_by_component(
            &in->db->components[in->components[volume->first_plex + i - in->first_plex]]);
        trust_add(&trust, shared);
        judge_plex(in, plex, trust);
    }
    volume->status = judge_status(volume, in->fill->plexes, in->fill->extents);
}

static void judge_disks(const struct group_fill *in)
{
    for (size_t i = 0; i < in->db->disk_count; i++) {
        const struct volume_disk *here = in->here[i];
        struct dynamic_disk *disk = &in->fill->dynamic_disks[in->first_disk + i];
        struct trust trust = judge_owner(in, i);
        disk->status = here == NULL               ? DYNAMIC_DISK_MISSING
                       : trust.state == PLEX_GOOD ? DYNAMIC_DISK_ONLINE
                                                  : DYNAMIC_DISK_ERRORS;
        disk->reason = trust.reason;
        if (here != NULL && here->state != VOLUME_DISK_OK)
            disk->reason = here->reason;
        if (here != NULL && here->state == VOLUME_DISK_BEHIND && !disk_is_marked(in->db, i))
            in->group->may_be_split = true;
    }
}

/* Scratch of the group. False when there is no memory. */
static bool allocate_group(struct group_fill *in, struct arena *arena)
{
    const struct ldm_database *db = in->db;

    in->here = arena_alloc(arena, db->disk_count, sizeof(struct volume_disk *));
    in->plex_of = arena_alloc(arena, db->component_count, sizeof *in->plex_of);
    in->components = arena_alloc(arena, db->component_count, sizeof *in->components);
    in->partitions = arena_alloc(arena, db->partition_count, sizeof *in->partitions);
    return in->here != NULL && in->plex_of != NULL && in->components != NULL &&
           in->partitions != NULL;
}

/* Adds what one group's database holds. */
static enum status map_group(struct fill *fill, const struct ldm_database *db, size_t index,
                             struct dynamic_group *group, struct arena *arena)
{
    struct group_fill in = {
        .fill = fill,
        .db = db,
        .group = group,
        .index = index,
        .first_disk = fill->dynamic_disk_count,
        .first_volume = fill->volume_count,
        .first_plex = fill->plex_count,
        .first_extent = fill->extent_count,
    };

    if (!allocate_group(&in, arena))
        return ST_NO_MEMORY;
    add_disks(&in);
    add_volumes(&in);
    add_plexes(&in);
    add_extents(&in);
    for (size_t i = 0; i < db->partition_count; i++)
        judge_extent(&in, &db->partitions[in.partitions[i]], &fill->extents[in.first_extent + i]);
    for (size_t i = 0; i < db->volume_count; i++)
        judge_plexes(&in, &fill->volumes[in.first_volume + i], &db->volumes[i]);
    judge_disks(&in);
    return ST_OK;
}

/* Room for what all databases hold together. False when there is no memory. */
static bool allocate_map(struct fill *fill, const struct volume_disk *const *speakers,
                         size_t group_count, struct arena *arena)
{
    size_t disks = 0;
    size_t volumes = 0;
    size_t plexes = 0;
    size_t extents = 0;

    for (size_t i = 0; i < group_count; i++) {
        if (speakers[i] == NULL)
            continue;
        disks += speakers[i]->database.disk_count;
        volumes += speakers[i]->database.volume_count;
        plexes += speakers[i]->database.component_count;
        extents += speakers[i]->database.partition_count;
    }
    fill->dynamic_disks = arena_alloc(arena, disks, sizeof *fill->dynamic_disks);
    fill->volumes = arena_alloc(arena, volumes, sizeof *fill->volumes);
    fill->plexes = arena_alloc(arena, plexes, sizeof *fill->plexes);
    fill->extents = arena_alloc(arena, extents, sizeof *fill->extents);
    return fill->dynamic_disks != NULL && fill->volumes != NULL && fill->plexes != NULL &&
           fill->extents != NULL;
}

/* Windows has one group in use; where one of several carries the system, the rest came from
 * elsewhere. */
static void find_foreign(const struct fill *fill, struct dynamic_group *groups, size_t group_count)
{
    size_t home = VOLUME_NONE;

    for (size_t i = 0; i < fill->volume_count; i++) {
        const struct dynamic_volume *volume = &fill->volumes[i];
        if (!volume->boot && !volume->system)
            continue;
        if (home != VOLUME_NONE && home != volume->group)
            return;
        home = volume->group;
    }
    for (size_t i = 0; i < group_count; i++)
        groups[i].foreign = home != VOLUME_NONE && i != home;
}

/* True when one of the first `count` volumes has the number. */
static bool number_is_taken(const struct fill *fill, size_t count, uint32_t number)
{
    for (size_t i = 0; i < count; i++) {
        if (fill->volumes[i].number == number)
            return true;
    }
    return false;
}

/* No two volumes have one number: another group may have a volume of the same name, and names may
 * be anybody's. The first keeps its own, the others get the lowest that is free. */
static void number_volumes(struct fill *fill)
{
    uint32_t next = 1;

    for (size_t i = 0; i < fill->volume_count; i++) {
        if (number_is_taken(fill, i, fill->volumes[i].number))
            fill->volumes[i].number = 0;
    }
    for (size_t i = 0; i < fill->volume_count; i++) {
        if (fill->volumes[i].number != 0)
            continue;
        while (number_is_taken(fill, fill->volume_count, next))
            next++;
        fill->volumes[i].number = next;
    }
}

enum status volume_map_fill(struct volume_disk *disks, size_t disk_count,
                            const struct volume_disk *const *speakers, struct dynamic_group *groups,
                            struct arena *arena, struct volume_map *io_map)
{
    struct fill fill = {.disks = disks, .disk_count = disk_count};

    if (!allocate_map(&fill, speakers, io_map->group_count, arena))
        return ST_NO_MEMORY;
    for (size_t i = 0; i < io_map->group_count; i++) {
        if (speakers[i] == NULL)
            continue;
        enum status status = map_group(&fill, &speakers[i]->database, i, &groups[i], arena);
        if (status != ST_OK)
            return status;
    }
    find_foreign(&fill, groups, io_map->group_count);
    number_volumes(&fill);
    io_map->dynamic_disks = fill.dynamic_disks;
    io_map->dynamic_disk_count = fill.dynamic_disk_count;
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

const struct volume_disk_note *volume_map_note(const struct volume_map *map, size_t disk)
{
    for (size_t i = 0; i < map->disk_count; i++)
        if (map->disks[i].disk == disk)
            return &map->disks[i];
    return NULL;
}

bool volume_map_is_clone(const struct volume_map *map, size_t disk)
{
    const struct volume_disk_note *note = volume_map_note(map, disk);

    return note != NULL && note->is_clone;
}
