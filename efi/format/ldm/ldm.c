#include "format/ldm/ldm.h"

#include "base/mem.h"
#include "base/sort.h"

#define NOT_FOUND ((size_t)-1)

/* Space for as many objects of each kind as there are records of it. */
static enum status allocate(const struct ldm_record_list *list, struct arena *arena,
                            struct ldm_database *db)
{
    size_t counts[16] = {0};

    for (size_t i = 0; i < list->count; i++)
        counts[ldm_record_kind(&list->at[i])]++;
    db->volumes = arena_alloc(arena, counts[LDM_KIND_VOLUME], sizeof *db->volumes);
    db->components = arena_alloc(arena, counts[LDM_KIND_COMPONENT], sizeof *db->components);
    db->partitions = arena_alloc(arena, counts[LDM_KIND_PARTITION], sizeof *db->partitions);
    db->disks = arena_alloc(arena, counts[LDM_KIND_DISK], sizeof *db->disks);
    if (db->volumes == NULL || db->components == NULL || db->partitions == NULL ||
        db->disks == NULL)
        return ST_NO_MEMORY;
    return counts[LDM_KIND_GROUP] == 1 ? ST_OK : ST_DAMAGED;
}

/* The record whose place must be the same, or NULL: there is none and `*ret_certain` is set. */
static const struct ldm_record *rival_of(const struct ldm_record *record, bool *ret_certain)
{
    *ret_certain = record->settled;
    if (record->settled || record->rival == NULL || record->rival->type != record->type)
        return NULL;
    return record->rival;
}

/*
 * Tries the transactions of the last change of a record and of its rival, 0 for none. A record that
 * holds is of the transaction that holds at the latest. Its rival is of the committed one when it
 * is leaving; when it is arriving, of the pending one, which a header still marked clean does not
 * tell. Statuses: ST_OK; ST_DAMAGED.
 */
static enum status check_changes(const struct ldm_database *db, uint64_t winner, uint64_t rival)
{
    const struct ldm_vmdb *header = &db->header;
    uint64_t limit = UINT64_MAX;

    if (header->update == LDM_UPDATE_CHANGE)
        limit = header->pending;
    else if (header->update == LDM_UPDATE_COMMIT)
        limit = header->committed;
    return winner <= header->effective && rival <= limit ? ST_OK : ST_DAMAGED;
}

static enum status add_volume(const struct ldm_record *record, struct arena *arena,
                              struct ldm_database *db)
{
    struct ldm_volume *volume = &db->volumes[db->volume_count++];
    struct ldm_volume other = {0};
    enum status status = ldm_volume_parse(record, arena, &db->extended, volume);
    const struct ldm_record *rival = rival_of(record, &volume->certain);
    size_t mark = arena_mark(arena);

    if (status == ST_OK && rival != NULL)
        volume->certain = ldm_volume_parse(rival, arena, &db->extended, &other) == ST_OK &&
                          other.size == volume->size;
    arena_release(arena, mark);
    return status == ST_OK ? check_changes(db, volume->transaction, other.transaction) : status;
}

static enum status add_component(const struct ldm_record *record, struct arena *arena,
                                 struct ldm_database *db)
{
    struct ldm_component *component = &db->components[db->component_count++];
    struct ldm_component other = {0};
    enum status status = ldm_component_parse(record, arena, &db->extended, component);
    const struct ldm_record *rival = rival_of(record, &component->certain);
    size_t mark = arena_mark(arena);

    if (status == ST_OK && rival != NULL)
        component->certain =
            ldm_component_parse(rival, arena, &db->extended, &other) == ST_OK &&
            other.layout == component->layout && other.volume_id == component->volume_id &&
            other.partition_count == component->partition_count &&
            other.columns == component->columns && other.stripe_size == component->stripe_size;
    arena_release(arena, mark);
    return status == ST_OK ? check_changes(db, component->transaction, other.transaction) : status;
}

static enum status add_partition(const struct ldm_record *record, struct arena *arena,
                                 struct ldm_database *db)
{
    struct ldm_partition *partition = &db->partitions[db->partition_count++];
    struct ldm_partition other = {0};
    enum status status = ldm_partition_parse(record, arena, &db->extended, partition);
    const struct ldm_record *rival = rival_of(record, &partition->certain);
    size_t mark = arena_mark(arena);

    if (status == ST_OK && rival != NULL)
        partition->certain = ldm_partition_parse(rival, arena, &db->extended, &other) == ST_OK &&
                             other.start == partition->start && other.offset == partition->offset &&
                             other.size == partition->size && other.column == partition->column &&
                             other.component_id == partition->component_id &&
                             other.disk_id == partition->disk_id;
    arena_release(arena, mark);
    return status == ST_OK ? check_changes(db, partition->transaction, other.transaction) : status;
}

static enum status add_disk(const struct ldm_record *record, struct arena *arena,
                            struct ldm_database *db)
{
    struct ldm_disk *disk = &db->disks[db->disk_count++];
    struct ldm_disk other = {0};
    enum status status = ldm_disk_parse(record, arena, &db->extended, disk);
    const struct ldm_record *rival = rival_of(record, &disk->certain);
    size_t mark = arena_mark(arena);

    if (status == ST_OK && rival != NULL)
        disk->certain = ldm_disk_parse(rival, arena, &db->extended, &other) == ST_OK &&
                        guid_equal(&other.guid, &disk->guid);
    arena_release(arena, mark);
    return status == ST_OK ? check_changes(db, disk->transaction, other.transaction) : status;
}

static enum status add_group(const struct ldm_record *record, struct arena *arena,
                             struct ldm_database *db)
{
    enum status status = ldm_group_parse(record, arena, &db->extended, &db->group);

    return status == ST_OK ? check_changes(db, db->group.transaction, 0) : status;
}

static enum status add_record(const struct ldm_record *record, struct arena *arena,
                              struct ldm_database *db)
{
    switch (ldm_record_kind(record)) {
    case LDM_KIND_VOLUME:
        return add_volume(record, arena, db);
    case LDM_KIND_COMPONENT:
        return add_component(record, arena, db);
    case LDM_KIND_PARTITION:
        return add_partition(record, arena, db);
    case LDM_KIND_DISK:
        return add_disk(record, arena, db);
    case LDM_KIND_GROUP:
        return add_group(record, arena, db);
    }
    return ST_UNSUPPORTED;
}

static bool counts_hold(const struct ldm_database *db)
{
    const uint32_t *counts = db->header.counts;

    return counts[LDM_VOLUMES] == db->volume_count &&
           counts[LDM_COMPONENTS] == db->component_count &&
           counts[LDM_PARTITIONS] == db->partition_count && counts[LDM_DISKS] == db->disk_count;
}

/*
 * The index of the object with `id` among `count` objects of `size` bytes in order of ID, each of
 * which begins with its ID; NOT_FOUND when there is none.
 */
static size_t find_id(const void *objects, size_t count, size_t size, uint64_t id)
{
    const uint8_t *at = objects;
    size_t low = 0;
    size_t high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        uint64_t found;
        memcpy(&found, at + middle * size, sizeof found);
        if (found == id)
            return middle;
        if (found < id)
            low = middle + 1;
        else
            high = middle;
    }
    return NOT_FOUND;
}

/* Turns parents' IDs into indices. False when a parent is missing or of the wrong kind. */
static bool link_parents(struct ldm_database *db)
{
    for (size_t i = 0; i < db->component_count; i++) {
        struct ldm_component *component = &db->components[i];
        component->volume =
            find_id(db->volumes, db->volume_count, sizeof *db->volumes, component->volume_id);
        if (component->volume == NOT_FOUND)
            return false;
    }
    for (size_t i = 0; i < db->partition_count; i++) {
        struct ldm_partition *partition = &db->partitions[i];
        partition->component = find_id(db->components, db->component_count, sizeof *db->components,
                                       partition->component_id);
        partition->disk = find_id(db->disks, db->disk_count, sizeof *db->disks, partition->disk_id);
        if (partition->component == NOT_FOUND || partition->disk == NOT_FOUND)
            return false;
    }
    return true;
}

static int compare_disk_guids(const void *ctx, size_t a, size_t b)
{
    const struct ldm_database *db = ctx;

    return memcmp(&db->disks[a].guid, &db->disks[b].guid, sizeof db->disks[a].guid);
}

static int compare_places(const void *ctx, size_t a, size_t b)
{
    const struct ldm_partition *x = &((const struct ldm_database *)ctx)->partitions[a];
    const struct ldm_partition *y = &((const struct ldm_database *)ctx)->partitions[b];

    return x->disk != y->disk ? compare_numbers(x->disk, y->disk)
                              : compare_numbers(x->start, y->start);
}

/* Two disk records with one GUID would make a partition's place ambiguous. */
static bool disks_are_distinct(const struct ldm_database *db, size_t *items)
{
    sort_range(items, 0, db->disk_count, compare_disk_guids, db);
    for (size_t i = 1; i < db->disk_count; i++)
        if (compare_disk_guids(db, items[i], items[i - 1]) == 0)
            return false;
    return true;
}

static bool partitions_are_apart(const struct ldm_database *db, size_t *items)
{
    sort_range(items, 0, db->partition_count, compare_places, db);
    for (size_t i = 1; i < db->partition_count; i++) {
        const struct ldm_partition *before = &db->partitions[items[i - 1]];
        const struct ldm_partition *after = &db->partitions[items[i]];
        if (before->disk == after->disk && after->start - before->start < before->size)
            return false;
    }
    return true;
}

/* What the partitions of a component come to. */
struct component_tally {
    uint64_t partitions;
    uint64_t sectors;
    size_t disk;    /* of its first partition */
    bool in_order;  /* one behind the other from 0 (concatenated), or columns 0, 1, 2 ... */
    bool too_large; /* the sum does not fit */
};

/* What the components of a volume come to. */
struct volume_tally {
    uint64_t components;
    size_t first;      /* component */
    size_t last;       /* component */
    bool adds_up;      /* every component does */
    bool plain_plexes; /* every component is one concatenated partition */
};

/* Where a partition comes in its component: by offset when concatenated, else by column. */
static uint64_t place_in_component(const struct ldm_database *db,
                                   const struct ldm_partition *partition)
{
    return db->components[partition->component].layout == LDM_CONCATENATED ? partition->offset
                                                                           : partition->column;
}

static int compare_members(const void *ctx, size_t a, size_t b)
{
    const struct ldm_database *db = ctx;
    const struct ldm_partition *x = &db->partitions[a];
    const struct ldm_partition *y = &db->partitions[b];

    if (x->component != y->component)
        return compare_numbers(x->component, y->component);
    return compare_numbers(place_in_component(db, x), place_in_component(db, y));
}

static void tally_partition(const struct ldm_database *db, const struct ldm_partition *partition,
                            struct component_tally *tally)
{
    bool concatenated = db->components[partition->component].layout == LDM_CONCATENATED;
    uint64_t expected = concatenated ? tally->sectors : tally->partitions;

    if (tally->partitions == 0) {
        tally->disk = partition->disk;
        tally->in_order = true;
    }
    if (place_in_component(db, partition) != expected)
        tally->in_order = false;
    tally->partitions++;
    if (__builtin_add_overflow(tally->sectors, partition->size, &tally->sectors))
        tally->too_large = true;
}

static void tally_partitions(const struct ldm_database *db, size_t *items,
                             struct component_tally *tallies)
{
    sort_range(items, 0, db->partition_count, compare_members, db);
    for (size_t i = 0; i < db->partition_count; i++) {
        const struct ldm_partition *partition = &db->partitions[items[i]];
        tally_partition(db, partition, &tallies[partition->component]);
    }
}

/* True when a component's partitions are exactly what a volume of `size` sectors takes. */
static bool component_adds_up(const struct ldm_component *component,
                              const struct component_tally *tally, uint64_t size)
{
    uint64_t have = 0;
    uint64_t want = 0;

    if (tally->partitions == 0 || !tally->in_order || tally->too_large)
        return false;
    if (component->layout == LDM_CONCATENATED)
        return tally->sectors == size;
    if (tally->partitions != component->columns)
        return false;
    if (component->layout == LDM_STRIPED)
        return tally->sectors == size;
    /* Of n columns, the parity takes the room of one. */
    return component->columns > 1 &&
           !__builtin_mul_overflow(tally->sectors, component->columns - 1, &have) &&
           !__builtin_mul_overflow(size, component->columns, &want) && have == want;
}

static void tally_component(const struct ldm_database *db, size_t index,
                            const struct component_tally *tallies, struct volume_tally *volumes)
{
    const struct ldm_component *component = &db->components[index];
    struct volume_tally *volume = &volumes[component->volume];

    if (volume->components == 0)
        *volume = (struct volume_tally){.first = index, .adds_up = true, .plain_plexes = true};
    volume->components++;
    volume->last = index;
    if (!component_adds_up(component, &tallies[index], db->volumes[component->volume].size))
        volume->adds_up = false;
    if (component->layout != LDM_CONCATENATED || tallies[index].partitions != 1)
        volume->plain_plexes = false;
}

static enum ldm_shape shape_of(const struct ldm_database *db, const struct ldm_volume *volume,
                               const struct volume_tally *tally,
                               const struct component_tally *components)
{
    if (!tally->adds_up)
        return LDM_SHAPE_OTHER;

    const struct ldm_component *first = &db->components[tally->first];
    if (volume->raid5)
        return tally->components == 1 && first->layout == LDM_RAID5 ? LDM_SHAPE_RAID5
                                                                    : LDM_SHAPE_OTHER;
    if (tally->components == 2 && tally->plain_plexes &&
        components[tally->first].disk != components[tally->last].disk)
        return LDM_SHAPE_MIRROR;
    if (tally->components != 1 || first->layout == LDM_RAID5)
        return LDM_SHAPE_OTHER;
    if (first->layout == LDM_STRIPED)
        return LDM_SHAPE_STRIPED;
    return tally->plain_plexes ? LDM_SHAPE_SIMPLE : LDM_SHAPE_SPANNED;
}

/* Compares every number of parts with what was found, and gives each volume its shape. */
static enum status shape_volumes(struct ldm_database *db, size_t *items, struct arena *scratch)
{
    struct component_tally *components =
        arena_alloc(scratch, db->component_count, sizeof *components);
    struct volume_tally *volumes = arena_alloc(scratch, db->volume_count, sizeof *volumes);

    if (components == NULL || volumes == NULL)
        return ST_NO_MEMORY;
    tally_partitions(db, items, components);
    for (size_t i = 0; i < db->component_count; i++) {
        if (components[i].partitions != db->components[i].partition_count)
            return ST_DAMAGED;
        tally_component(db, i, components, volumes);
    }
    for (size_t i = 0; i < db->volume_count; i++) {
        if (volumes[i].components != db->volumes[i].component_count)
            return ST_DAMAGED;
        db->volumes[i].shape = shape_of(db, &db->volumes[i], &volumes[i], components);
    }
    return ST_OK;
}

static enum status cross_check(struct ldm_database *db, struct arena *scratch)
{
    size_t most = db->partition_count > db->disk_count ? db->partition_count : db->disk_count;
    size_t *items = arena_alloc(scratch, most, sizeof *items);

    if (items == NULL)
        return ST_NO_MEMORY;
    if (!counts_hold(db) || !guid_equal(&db->group.guid, &db->header.group))
        return ST_DAMAGED;
    if (!link_parents(db) || !disks_are_distinct(db, items) || !partitions_are_apart(db, items))
        return ST_DAMAGED;
    return shape_volumes(db, items, scratch);
}

/* One digest over the records in order, each with its flags and type and without its status. */
static struct sha256 digest_records(const struct ldm_record_list *list)
{
    uint8_t chain[2 * sizeof(struct sha256) + 2] = {0};
    struct sha256 digest = {{0}};

    for (size_t i = 0; i < list->count; i++) {
        struct sha256 body = sha256_of(list->at[i].body);
        memcpy(chain, digest.bytes, sizeof digest.bytes);
        memcpy(chain + sizeof digest.bytes, body.bytes, sizeof body.bytes);
        chain[2 * sizeof body.bytes] = list->at[i].flags;
        chain[2 * sizeof body.bytes + 1] = list->at[i].type;
        digest = sha256_of(span_of(chain, sizeof chain));
    }
    return digest;
}

enum status ldm_database_parse(struct span config, const struct ldm_vmdb *vmdb, struct arena *arena,
                               struct arena *scratch, struct ldm_database *ret_database)
{
    struct ldm_database db = {.header = *vmdb};
    struct ldm_record_list list;
    enum status status = ldm_records_gather(config, vmdb, scratch, &list);

    if (status != ST_OK)
        return status;
    status = allocate(&list, arena, &db);
    if (status != ST_OK)
        return status;
    for (size_t i = 0; i < list.count; i++) {
        status = add_record(&list.at[i], arena, &db);
        if (status != ST_OK)
            return status;
    }
    status = cross_check(&db, scratch);
    if (status != ST_OK)
        return status;
    db.clean = list.clean;
    db.records_digest = digest_records(&list);
    *ret_database = db;
    return ST_OK;
}
