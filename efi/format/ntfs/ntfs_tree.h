/*
 * The B+ tree of a directory's names, node by node.
 */
#ifndef SHADOWBOOT_FORMAT_NTFS_TREE_H
#define SHADOWBOOT_FORMAT_NTFS_TREE_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "format/ntfs/ntfs_index.h"
#include "ntfs_stream.h"

#define NTFS_TREE_DEPTH_MAX 16u /* four levels hold millions of names */

struct ntfs_tree {
    struct ntfs_volume *volume;
    uint32_t block_size;           /* bytes of an index block */
    struct ntfs_node root;         /* in `root_value` */
    struct span root_value;        /* of $INDEX_ROOT, in a record buffer of the volume */
    struct ntfs_stream allocation; /* $INDEX_ALLOCATION, once it is open */
};

/*
 * Reads the root of the tree. It is valid until the next call with a record. Statuses: ST_OK;
 * ST_DAMAGED, also without one; ST_UNSUPPORTED for an index of something else; ST_IO; ST_NO_MEMORY.
 */
MUST_CHECK enum status ntfs_tree_start(struct ntfs_volume *volume,
                                       const struct ntfs_record *directory, struct ntfs_tree *tree);

/* Finds out where the other nodes lie; its runs stay in the volume's arena. Statuses: ST_OK;
 * ST_DAMAGED, also when there are none; ST_IO; ST_NO_MEMORY. */
MUST_CHECK enum status ntfs_tree_open_blocks(struct ntfs_tree *tree,
                                             const struct ntfs_record *directory);

/* Reads the node in index block `vcn` into `buffer` (block_size bytes), to which the result points.
 * Statuses: ST_OK; ST_DAMAGED; ST_IO and others of the port. */
MUST_CHECK enum status ntfs_tree_block(const struct ntfs_tree *tree, uint64_t vcn, uint8_t *buffer,
                                       struct ntfs_node *ret_node);

#endif
