#include "model/volumes.h"

#include "base/mem.h"
#include "model/volume_disk.h"
#include "volume_map.h"

static enum status find_all(const struct volume_source *sources, struct arena *arena,
                            struct volume_disk *disks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t size = sources[i].port->block_size + 64;
        struct arena scratch;
        if (!arena_part(arena, size, &scratch))
            return ST_NO_MEMORY;
        enum status status = volume_disk_find(&sources[i], &scratch, &disks[i]);
        arena_rejoin(arena, size);
        if (status != ST_OK)
            return status;
    }
    return ST_OK;
}

static enum status read_all(struct arena *arena, struct volume_disk *disks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t size = 3 * volume_disk_config_bytes(&disks[i]) + VOLUME_LOG_SCRATCH;
        struct arena scratch;
        if (!arena_part(arena, size, &scratch))
            return ST_NO_MEMORY;
        enum status status = volume_disk_read(&disks[i], disks, i, arena, &scratch);
        arena_rejoin(arena, size);
        if (status != ST_OK)
            return status;
    }
    return ST_OK;
}

/* A disk's own fault stays; what other disks say about it comes second. */
static void accuse(struct volume_disk *disk, enum volume_disk_state state, const char *reason)
{
    if (disk->state != VOLUME_DISK_OK)
        return;
    disk->state = state;
    disk->reason = reason;
}

static bool in_group(const struct volume_disk *disk, const struct guid *group)
{
    return disk->has_head && guid_equal(&disk->head.group, group);
}

/* Two disks with one identity cannot be told apart: neither is used. */
static void find_clones(struct volume_disk *disks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++) {
            if (i == j || !disks[i].has_head || !in_group(&disks[j], &disks[i].head.group) ||
                !guid_equal(&disks[i].head.disk, &disks[j].head.disk))
                continue;
            disks[i].is_clone = true;
            accuse(&disks[i], VOLUME_DISK_CONFLICT, "another disk has the same LDM identity");
        }
}

/* True when `a` comes before `b` in the right to speak for the group. */
static bool speaks_before(const struct volume_disk *a, const struct volume_disk *b)
{
    if (a->doubtful != b->doubtful)
        return b->doubtful;
    if (a->database.header.effective != b->database.header.effective)
        return a->database.header.effective > b->database.header.effective;
    return a->database.clean && !b->database.clean;
}

static struct volume_disk *find_speaker(struct volume_disk *disks, size_t count,
                                        const struct guid *group)
{
    struct volume_disk *speaker = NULL;

    for (size_t i = 0; i < count; i++)
        if (in_group(&disks[i], group) && disks[i].has_database &&
            (speaker == NULL || speaks_before(&disks[i], speaker)))
            speaker = &disks[i];
    return speaker;
}

/*
 * Whether two databases say the same. Their regions may differ in free slots, in the order of the
 * slots, and in the middle of a change in what does not count yet, or no longer. The counts of each
 * were found to be those of its records.
 */
static bool databases_agree(const struct ldm_database *a, const struct ldm_database *b)
{
    return a->header.effective == b->header.effective &&
           sha256_equal(&a->records_digest, &b->records_digest);
}

/* A disk on which the speaker's change was begun and not decided: old, but not out of date. */
static bool is_on_the_way(const struct volume_disk *disk, const struct volume_disk *speaker)
{
    const struct ldm_vmdb *header = &disk->database.header;

    return header->update == LDM_UPDATE_CHANGE &&
           header->pending == speaker->database.header.effective;
}

/* Compares one disk with the speaker. False when they contradict each other. */
static bool compare_with_speaker(struct volume_disk *disk, const struct volume_disk *speaker,
                                 struct dynamic_group *group)
{
    const struct ldm_database *mine = &disk->database;
    const struct ldm_database *its = &speaker->database;

    if (volume_disk_is_unfinished(disk))
        group->clean = false;
    if (mine->header.pending > group->pending)
        group->pending = mine->header.pending;
    if (disk->log_pending > group->pending)
        group->pending = disk->log_pending;
    group->database_count++;
    if (!sha256_equal(&mine->header.digest, &its->header.digest))
        group->agreed = false;
    if (!databases_agree(mine, its))
        group->differs_unused = false;
    if (disk->doubtful && !speaker->doubtful)
        return true;
    if (mine->header.effective == its->header.effective)
        return databases_agree(mine, its);
    if (!is_on_the_way(disk, speaker))
        accuse(disk, VOLUME_DISK_BEHIND,
               "its database is older than that of another disk of its group");
    return true;
}

static bool speaks_for_group(struct volume_disk *disks, size_t count, struct dynamic_group *group,
                             const struct volume_disk *speaker)
{
    bool agreed = true;

    group->clean = true;
    group->agreed = true;
    group->differs_unused = true;
    for (size_t i = 0; i < count; i++)
        if (in_group(&disks[i], &group->guid) && disks[i].has_database &&
            !compare_with_speaker(&disks[i], speaker, group))
            agreed = false;
    group->differs_unused = group->differs_unused && group->clean && !group->agreed;
    if (agreed)
        return true;
    for (size_t i = 0; i < count; i++)
        if (in_group(&disks[i], &group->guid) && disks[i].has_database &&
            disks[i].database.header.effective == speaker->database.header.effective)
            accuse(&disks[i], VOLUME_DISK_CONFLICT,
                   "disks of its group hold different records of the same transaction");
    return false;
}

/* Which disks of the group its database knows. */
static void find_members(struct volume_disk *disks, size_t count, const struct dynamic_group *group,
                         const struct ldm_database *db)
{
    for (size_t i = 0; i < count; i++) {
        struct volume_disk *disk = &disks[i];
        if (!in_group(disk, &group->guid))
            continue;
        for (size_t j = 0; j < db->disk_count && !disk->is_member; j++)
            disk->is_member = guid_equal(&db->disks[j].guid, &disk->head.disk);
        if (!disk->is_member)
            accuse(disk, VOLUME_DISK_CONFLICT, "its group does not count it as a member");
    }
}

/* Decides which database holds for a group whose GUID is set, and judges its disks by it. */
static const struct volume_disk *settle_group(struct volume_disk *disks, size_t count,
                                              struct dynamic_group *group)
{
    struct volume_disk *speaker = find_speaker(disks, count, &group->guid);

    for (size_t i = 0; i < count; i++)
        if (in_group(&disks[i], &group->guid) && disks[i].log == VOLUME_LOG_DIRTY)
            group->log_dirty = true;
    if (speaker == NULL)
        return NULL;
    group->split = !speaks_for_group(disks, count, group, speaker);
    group->transaction = speaker->database.header.effective;
    if (group->split)
        return NULL;
    const struct ldm_database *db = &speaker->database;
    group->known = true;
    group->name = db->group.name;
    group->disk_count = db->disk_count;
    find_members(disks, count, group, db);
    return speaker;
}

static size_t find_group(const struct dynamic_group *groups, size_t count, const struct guid *guid)
{
    for (size_t i = 0; i < count; i++)
        if (guid_equal(&groups[i].guid, guid))
            return i;
    return VOLUME_NONE;
}

/* Every group that a disk names, in the order of the disks. */
static size_t list_groups(struct volume_disk *disks, size_t count, struct dynamic_group *groups)
{
    size_t group_count = 0;

    for (size_t i = 0; i < count; i++) {
        disks[i].group = VOLUME_NONE;
        if (!disks[i].has_head)
            continue;
        disks[i].group = find_group(groups, group_count, &disks[i].head.group);
        if (disks[i].group != VOLUME_NONE)
            continue;
        disks[i].group = group_count;
        groups[group_count++] =
            (struct dynamic_group){.guid = disks[i].head.group, .name = disks[i].head.group_name};
    }
    return group_count;
}

static struct volume_disk_note *note_disks(const struct volume_disk *disks, size_t count,
                                           struct arena *arena)
{
    struct volume_disk_note *notes = arena_alloc(arena, count, sizeof *notes);

    for (size_t i = 0; notes != NULL && i < count; i++) {
        const struct volume_disk *disk = &disks[i];
        notes[i] = (struct volume_disk_note){
            .disk = disk->source->disk,
            .state = disk->state,
            .reason = disk->reason,
            .group = disk->group,
            .transaction = disk->has_database ? disk->database.header.effective : 0,
            .read_bytes = disk->read_bytes,
            .is_clone = disk->is_clone,
            .is_member = disk->is_member,
            .unfinished = volume_disk_is_unfinished(disk),
            .copy_damaged = disk->copy_damaged,
            .log = disk->log,
        };
        if (disk->has_head)
            notes[i].guid = disk->head.disk;
    }
    return notes;
}

/* Puts the disks' databases together. The disks have been read. */
static enum status merge(struct volume_disk *disks, size_t count, struct arena *arena,
                         struct volume_map *map)
{
    struct dynamic_group *groups = arena_alloc(arena, count, sizeof *groups);
    const struct volume_disk **speakers = arena_alloc(arena, count, sizeof *speakers);

    if (groups == NULL || speakers == NULL)
        return ST_NO_MEMORY;
    find_clones(disks, count);
    map->groups = groups;
    map->group_count = list_groups(disks, count, groups);
    for (size_t i = 0; i < map->group_count; i++)
        speakers[i] = settle_group(disks, count, &groups[i]);
    enum status status = volume_map_fill(disks, count, speakers, groups, arena, map);
    if (status != ST_OK)
        return status;
    map->disks = note_disks(disks, count, arena);
    map->disk_count = count;
    return map->disks != NULL ? ST_OK : ST_NO_MEMORY;
}

enum status volumes_read(const struct volume_source *sources, size_t count, struct arena *arena,
                         struct volume_map *ret_map)
{
    struct volume_map map = {.disk_count = 0};

    if (count == 0) {
        *ret_map = map;
        return ST_OK;
    }
    struct volume_disk *disks = arena_alloc(arena, count, sizeof *disks);
    if (disks == NULL)
        return ST_NO_MEMORY;
    enum status status = find_all(sources, arena, disks, count);
    if (status != ST_OK)
        return status;
    status = read_all(arena, disks, count);
    if (status != ST_OK)
        return status;
    status = merge(disks, count, arena, &map);
    if (status != ST_OK)
        return status;
    *ret_map = map;
    return ST_OK;
}

bool volume_map_is_sound(const struct volume_map *map)
{
    for (size_t i = 0; i < map->disk_count; i++)
        if (map->disks[i].state != VOLUME_DISK_OK)
            return false;
    for (size_t i = 0; i < map->group_count; i++)
        if (!map->groups[i].known || !map->groups[i].clean || map->groups[i].log_dirty)
            return false;
    for (size_t i = 0; i < map->volume_count; i++)
        if (map->volumes[i].status != DYNAMIC_HEALTHY)
            return false;
    return true;
}
