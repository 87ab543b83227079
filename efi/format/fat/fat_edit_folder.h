/*
 * A directory that is on the volume while a change to it is worked out: what is in it already, and
 * where new entries come to stand.
 *
 * Whatever subset of its blocks is written, and whether a driver stops at the end marker or looks
 * at all entries: each name is there in whole or not at all. So no entry and its long name cross a
 * block; a block is left early with deleted entries instead. What does not fit any more stands in
 * new clusters, which are linked in one write when they are complete.
 */
#ifndef SHADOWBOOT_FORMAT_FAT_EDIT_FOLDER_H
#define SHADOWBOOT_FORMAT_FAT_EDIT_FOLDER_H

#include "format/disk_edit.h"
#include "fat_edit_table.h"
#include "fat_tree.h"

struct fat_folder_edit {
    struct fat_volume *volume;
    uint32_t cluster;   /* 0: the root directory of FAT12 and FAT16 */
    uint32_t *clusters; /* its chain */
    size_t cluster_count;
    uint8_t *bytes; /* its entries as they are to be */
    size_t slots;   /* entries there is room for */
    size_t end;     /* the end marker, or `slots` */
    size_t old_end;
    uint8_t *touched; /* a byte per block */
    size_t more;      /* entries in new clusters: these have numbers from `slots` on */
    uint8_t *more_bytes;
    struct fat_runs runs; /* the new clusters */
};

/*
 * Reads the directory that begins at `cluster`, 0 for a root directory without clusters. Statuses:
 * ST_OK; ST_IO; ST_DAMAGED; ST_NO_MEMORY.
 */
MUST_CHECK enum status fat_folder_load(struct arena *arena, struct fat_volume *volume,
                                       uint32_t cluster, struct fat_folder_edit *ret_folder);

/*
 * Finds the children of the directory `node` among its entries: `is_there`, `slot` and, of
 * directories, `cluster` are set. The others get short names. Statuses: ST_OK; ST_EXISTS, ST_USAGE
 * as fat_edit; ST_NO_SPACE; ST_NO_MEMORY.
 */
MUST_CHECK enum status fat_folder_match(struct arena *arena, struct fat_folder_edit *folder,
                                        struct fat_tree *tree, size_t node);

/* What is to go is there, and a directory that goes has nothing else in it. Statuses: ST_OK;
 * ST_CHANGED, ST_EXISTS as fat_edit. */
MUST_CHECK enum status fat_folder_check_goes(const struct fat_folder_edit *folder,
                                             const struct fat_tree *tree, size_t node);

/* Finds slots for the children that are not there. Statuses: ST_OK; ST_NO_SPACE, ST_UNSUPPORTED as
 * fat_edit. */
MUST_CHECK enum status fat_folder_place(struct fat_folder_edit *folder, struct fat_tree *tree,
                                        size_t node);

/* Takes clusters for what does not fit. Statuses: ST_OK; ST_NO_SPACE; ST_NO_MEMORY. */
MUST_CHECK enum status fat_folder_grow(struct arena *arena, struct fat_folder_edit *folder,
                                       struct fat_table_edit *table);

/* Writes the entries of the children, which have clusters now, into its bytes, and takes out those
 * that go. */
void fat_folder_put(struct fat_folder_edit *folder, const struct fat_tree *tree, size_t node);

/* Adds the writes of its blocks, its new clusters and the link to them, with the chains set free of
 * phase; see fat_edit for the phases. */
void fat_folder_emit_new(const struct fat_folder_edit *folder, struct disk_edit_builder *builder);
void fat_folder_link(const struct fat_folder_edit *folder, struct fat_table_edit *table);
void fat_folder_emit(const struct fat_folder_edit *folder, struct disk_edit_builder *builder);

/* Adds the writes of what is left of names that have gone: pieces in other blocks than the entry.
 * Statuses: ST_OK; ST_NO_MEMORY. */
MUST_CHECK enum status fat_folder_emit_pieces(const struct fat_folder_edit *folder,
                                              const struct fat_tree *tree, size_t node,
                                              struct disk_edit_builder *builder);

/* Adds `bytes`, whole clusters, in phase 0 to the clusters of `runs`. */
void fat_emit_clusters(const struct fat_volume *volume, const struct fat_runs *runs,
                       const uint8_t *bytes, struct disk_edit_builder *builder);

#endif
