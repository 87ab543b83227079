#include "volume_judge.h"

#include "base/text.h"

/* What a flag means for a plex. Flags in no row make it doubtful where `others` says so. */
struct mark {
    uint32_t flag;
    enum plex_state state;
    const char *reason;
};

struct state_name {
    const char *name;
    enum plex_state state;
    const char *reason;
};

static const struct trust good = {PLEX_GOOD, ""};

void trust_add(struct trust *io_trust, struct trust other)
{
    if (other.state > io_trust->state)
        *io_trust = other;
}

static struct trust judge_flags(uint32_t flags, const struct mark *marks, size_t count)
{
    struct trust trust = good;

    for (size_t i = 0; i < count; i++)
        if ((flags & marks[i].flag) != 0)
            trust_add(&trust, (struct trust){marks[i].state, marks[i].reason});
    return trust;
}

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

struct trust trust_by_disk(const struct ldm_disk *record, const struct volume_disk *disk)
{
    static const struct mark marks[] = {
        {DYNAMIC_DISK_FAILING, PLEX_DOUBTFUL, "its disk is marked as failing"},
        {DYNAMIC_DISK_REMOVED, PLEX_STALE, "its disk is marked as removed"},
        {DYNAMIC_DISK_DETACHED, PLEX_STALE, "its disk is marked as detached"},
        {~(DYNAMIC_DISK_FAILING | DYNAMIC_DISK_REMOVED | DYNAMIC_DISK_DETACHED), PLEX_DOUBTFUL,
         "its disk is marked as not in ordinary use"},
    };
    struct trust trust = judge_flags(record->flags, marks, COUNT(marks));

    switch (disk->state) {
    case VOLUME_DISK_OK:
        break;
    case VOLUME_DISK_BEHIND:
        trust_add(&trust,
                  (struct trust){PLEX_STALE, "the database on its disk is behind the group's"});
        break;
    case VOLUME_DISK_CONFLICT:
        trust_add(&trust, (struct trust){PLEX_DOUBTFUL, disk->reason});
        break;
    case VOLUME_DISK_ABSENT:
    case VOLUME_DISK_UNREADABLE:
    case VOLUME_DISK_DAMAGED:
    case VOLUME_DISK_UNSUPPORTED:
        trust_add(&trust, (struct trust){PLEX_DOUBTFUL, "the database on its disk cannot be used"});
        break;
    }
    return trust;
}

struct trust trust_by_partition(const struct ldm_partition *partition)
{
    static const struct mark marks[] = {
        {0x08, PLEX_STALE, "it is marked as in need of recovery"},
        {0x10, PLEX_STALE, "it is marked as detached"},
        {0x20, PLEX_DOUBTFUL, "it is marked as being moved"},
    };

    return judge_flags(partition->flags, marks, COUNT(marks));
}

static struct trust judge_state(const char *state, const struct state_name *names, size_t count,
                                struct trust otherwise)
{
    for (size_t i = 0; i < count; i++)
        if (text_equal(state, names[i].name))
            return (struct trust){names[i].state, names[i].reason};
    return otherwise;
}

struct trust trust_by_component(const struct ldm_component *component)
{
    static const struct state_name states[] = {
        {"ACTIVE", PLEX_GOOD, ""},
        {"STALE", PLEX_STALE, "its state is STALE"},
        {"SYNC", PLEX_REBUILDING, "its state is SYNC"},
        {"TEMP", PLEX_REBUILDING, "its state is TEMP"},
    };
    static const struct mark marks[] = {
        {0x2, PLEX_STALE, "it is marked as in need of recovery"},
        {0x4, PLEX_FAILED, "it is marked as failed"},
        {0x8, PLEX_REBUILDING, "it is marked as being built"},
        {~0xeu, PLEX_DOUBTFUL, "it has a mark that is not known"},
    };
    struct trust trust = judge_flags(component->flags, marks, COUNT(marks));

    trust_add(&trust, judge_state(component->state, states, COUNT(states),
                                  (struct trust){PLEX_FAILED, "its state is not ACTIVE"}));
    return trust;
}

struct trust trust_by_volume(const struct ldm_volume *volume, bool has_target)
{
    static const struct state_name states[] = {
        {"ACTIVE", PLEX_GOOD, ""},
        {"SYNC", PLEX_REBUILDING, "its volume is being regenerated"},
        {"NEEDSYNC", PLEX_REBUILDING, "its volume needs to be regenerated"},
    };
    static const struct mark marks[] = {
        {0x4, PLEX_DOUBTFUL, "its volume is marked as crashed"},
        {0x100, PLEX_DOUBTFUL, "its volume is marked to have a bad log"},
        {0x400, PLEX_DOUBTFUL, "its volume is marked as detached"},
        {0x1000, PLEX_DOUBTFUL, "its volume is marked as in need of recovery"},
        {0x2000, PLEX_DOUBTFUL, "its volume is marked as pending"},
    };
    struct trust trust =
        judge_state(volume->state, states, COUNT(states),
                    (struct trust){PLEX_DOUBTFUL, "the state of its volume is not ACTIVE"});

    if (trust.state == PLEX_REBUILDING && has_target)
        trust = (struct trust){PLEX_DOUBTFUL, "the other plex is being regenerated"};
    trust_add(&trust, judge_flags(volume->flags, marks, COUNT(marks)));
    return trust;
}

struct trust trust_by_group(const struct dynamic_group *group, bool redundant)
{
    if (!group->clean)
        return (struct trust){PLEX_DOUBTFUL, "a change of the database was cut off"};
    if (group->log_dirty && redundant)
        return (struct trust){PLEX_DOUBTFUL, "a log says that the plexes may differ"};
    return good;
}

struct trust trust_by_log(const struct volume_disk *disk)
{
    if (disk->log == VOLUME_LOG_DAMAGED)
        return (struct trust){PLEX_DOUBTFUL, "the log on its disk cannot be read"};
    if (disk->log == VOLUME_LOG_UNKNOWN)
        return (struct trust){PLEX_DOUBTFUL, "there is no log on its disk"};
    return good;
}

bool disk_is_marked(const struct ldm_database *db, size_t disk)
{
    if (db->disks[disk].flags != 0)
        return true;
    for (size_t i = 0; i < db->partition_count; i++) {
        const struct ldm_partition *partition = &db->partitions[i];
        const struct ldm_component *component = &db->components[partition->component];
        if (partition->disk == disk && (trust_by_partition(partition).state != PLEX_GOOD ||
                                        trust_by_component(component).state != PLEX_GOOD))
            return true;
    }
    return false;
}

/* How many of a plex's pieces are of no use. */
static size_t count_lost(const struct dynamic_plex *plex, const struct dynamic_extent *extents)
{
    size_t count = 0;

    for (size_t i = 0; i < plex->extent_count; i++)
        count += extents[plex->first_extent + i].state >= PLEX_STALE;
    return count;
}

/* RAID-5 works without one of its columns, as long as the plex itself is in use. */
static enum dynamic_status judge_raid5(const struct dynamic_plex *plex,
                                       const struct dynamic_extent *extents)
{
    static const enum dynamic_status statuses[] = {
        [PLEX_GOOD] = DYNAMIC_HEALTHY,          [PLEX_DOUBTFUL] = DYNAMIC_AT_RISK,
        [PLEX_REBUILDING] = DYNAMIC_REBUILDING, [PLEX_STALE] = DYNAMIC_FAILED,
        [PLEX_FAILED] = DYNAMIC_FAILED,         [PLEX_MISSING] = DYNAMIC_FAILED,
    };
    size_t lost = count_lost(plex, extents);

    if (lost == 1 && plex->own_state < PLEX_REBUILDING)
        return DYNAMIC_FAILED_REDUNDANCY;
    return statuses[plex->state];
}

enum dynamic_status judge_status(const struct dynamic_volume *volume,
                                 const struct dynamic_plex *plexes,
                                 const struct dynamic_extent *extents)
{
    size_t counts[PLEX_MISSING + 1] = {0};

    if (volume->type == DYNAMIC_RAID5)
        return judge_raid5(&plexes[volume->first_plex], extents);
    for (size_t i = 0; i < volume->plex_count; i++)
        counts[plexes[volume->first_plex + i].state]++;
    size_t usable = counts[PLEX_GOOD] + counts[PLEX_DOUBTFUL];
    size_t lost = counts[PLEX_STALE] + counts[PLEX_FAILED] + counts[PLEX_MISSING];
    if (volume->plex_count == 1 && counts[PLEX_STALE] > 0)
        return DYNAMIC_AT_RISK; /* older than what? There is no other one. */
    if (lost > 0)
        return usable > 0 ? DYNAMIC_FAILED_REDUNDANCY : DYNAMIC_FAILED;
    if (counts[PLEX_REBUILDING] > 0)
        return DYNAMIC_REBUILDING;
    if (volume->type == DYNAMIC_OTHER)
        return DYNAMIC_UNKNOWN;
    return counts[PLEX_DOUBTFUL] > 0 ? DYNAMIC_AT_RISK : DYNAMIC_HEALTHY;
}
