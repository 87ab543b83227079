/*
 * How far a plex can be trusted, mark by mark (LDM database, section 10), and what that makes of
 * its volume. Part of volumes_read (model/volumes.h).
 */
#ifndef SHADOWBOOT_MODEL_VOLUME_JUDGE_H
#define SHADOWBOOT_MODEL_VOLUME_JUDGE_H

#include <stdbool.h>

#include "format/ldm/ldm.h"
#include "model/volume_disk.h"
#include "model/volumes.h"

struct trust {
    enum plex_state state;
    const char *reason; /* "" for PLEX_GOOD; static lifetime */
};

/* Makes `*io_trust` the worse of the two; of equally bad ones the first stays. */
void trust_add(struct trust *io_trust, struct trust other);

/* A disk that is here: `record` as the database that holds has it. */
struct trust trust_by_disk(const struct ldm_disk *record, const struct volume_disk *disk);

/* A piece by its own flags. */
struct trust trust_by_partition(const struct ldm_partition *partition);

/* A plex by its own state and flags. */
struct trust trust_by_component(const struct ldm_component *component);

/*
 * What a volume says of its plexes, none of which is known to be worse. With `has_target` one of
 * them is marked as that which is being written, so the others are not.
 */
struct trust trust_by_volume(const struct ldm_volume *volume, bool has_target);

/* What the group and its logs say of every plex; `redundant` for those of a mirror or RAID-5. */
struct trust trust_by_group(const struct dynamic_group *group, bool redundant);

/* What the log of a disk says of a piece of a mirror or RAID-5 on it. */
struct trust trust_by_log(const struct volume_disk *disk);

/* True when a mark on the disk, or on what lies on it, tells that the group knows of its
 * trouble. */
bool disk_is_marked(const struct ldm_database *db, size_t disk);

/* The status of a volume whose plexes and extents are judged. */
enum dynamic_status judge_status(const struct dynamic_volume *volume,
                                 const struct dynamic_plex *plexes,
                                 const struct dynamic_extent *extents);

#endif
