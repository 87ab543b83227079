/*
 * The FAT of a volume while a change to it is worked out: which clusters can be had, and what its
 * blocks hold phase by phase.
 */
#ifndef SHADOWBOOT_FORMAT_FAT_EDIT_TABLE_H
#define SHADOWBOOT_FORMAT_FAT_EDIT_TABLE_H

#include "format/disk_edit.h"
#include "format/fat/fat.h"

/* What a cluster is. */
enum fat_use {
    FAT_USE_FREE, /* 0 */
    FAT_USE_LOST, /* in use by the FAT, and belongs to nothing */
    FAT_USE_BAD,
    FAT_USE_FILE,
    FAT_USE_DIRECTORY,
    FAT_USE_TAKEN, /* by this change */
};

struct fat_table_edit {
    struct fat_volume *volume;
    struct arena *arena;
    uint8_t *bytes; /* the table as it is to be */
    uint8_t *dirty; /* a byte per block: it has changed since the last phase */
    size_t block_count;
    uint32_t block_size;
    uint8_t *uses;   /* of the clusters, by number */
    uint32_t cursor; /* where to look for the next one */
    bool takes_lost; /* free ones did not do */
    bool changed;    /* something was put into the edit */
};

/* Clusters of one chain, in its order. */
struct fat_run {
    uint32_t first;
    uint32_t count;
};

struct fat_runs {
    struct fat_run *at;
    size_t count;
    bool lost; /* some were lost before */
};

/*
 * Reads the FATs and finds out what is whose. All lies in `arena`. Statuses: ST_OK; ST_REFUSED when
 * the FATs differ elsewhere than in lost clusters and at ends of directories; ST_IO; ST_NO_MEMORY.
 */
MUST_CHECK enum status fat_table_edit_start(struct arena *arena, struct fat_volume *volume,
                                            const struct fat_report *report,
                                            struct fat_table_edit *ret_edit);

/* Takes `count` (> 0) clusters, together where that can be. Statuses: ST_OK; ST_NO_SPACE;
 * ST_NO_MEMORY. */
MUST_CHECK enum status fat_take_clusters(struct fat_table_edit *edit, uint32_t count,
                                         struct fat_runs *ret_runs);

/* The same for clusters that a chain which ends at `last` grows by: the link to the first of them
 * is then one block to write, also where an entry of FAT12 crosses two. */
MUST_CHECK enum status fat_take_clusters_after(struct fat_table_edit *edit, uint32_t last,
                                               uint32_t count, struct fat_runs *ret_runs);

/* Makes a chain of them. */
void fat_put_chain(struct fat_table_edit *edit, const struct fat_runs *runs);

/* Sets one link. */
void fat_put_link(struct fat_table_edit *edit, uint32_t cluster, uint32_t next);

/* Sets a chain free that was on the volume before, and notes where its content lies. Statuses:
 * ST_OK; ST_IO; ST_NO_MEMORY. */
MUST_CHECK enum status fat_free_chain(struct fat_table_edit *edit,
                                      struct disk_edit_builder *builder, uint32_t first);

/* Sets lost clusters free when some were taken. */
void fat_free_lost(struct fat_table_edit *edit);

/* Adds writes of what changed since the last call, to all FATs. */
void fat_table_edit_emit(struct fat_table_edit *edit, struct disk_edit_builder *builder,
                         unsigned phase);

/* Clusters that are free now. */
uint32_t fat_count_free(const struct fat_table_edit *edit);

/* Block of the disk at a byte of the partition. */
uint64_t fat_block_at(const struct fat_volume *volume, uint64_t offset);

#endif
