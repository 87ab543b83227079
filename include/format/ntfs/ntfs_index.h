/*
 * Directories of NTFS: nodes of the B+ tree "$I30" of file names, as bytes.
 *
 *   $INDEX_ROOT                                   entry
 *   00  4  type that is indexed: 30               00  8  reference to the file
 *   04  4  collation rule: 1, file names          08  2  bytes of the entry, a multiple of 8
 *   08  4  bytes of an index block                0A  2  bytes of the key
 *   10     node header                            0C  2  flags: 1 has a child, 2 the last one
 *                                                 10     key: $FILE_NAME; none in the last one.
 *                                                        In it:
 *                                                   30  8  bytes of the file
 *                                                   38  4  flags: 400 reparse point,
 *                                                          10000000 directory
 *   index block ("INDX", update sequence)           40  1  characters of the name
 *   10  8  its own number (VCN)                     41  1  name space: 2, for DOS alone
 *   18     node header                              42     name, UCS-2
 *                                                 last 8 bytes: number of the child, whose names
 *   node header                                   come before this entry's
 *   00  4  offset of the first entry, from here   08  4  bytes there are room for
 *   04  4  bytes to the end of the entries        0C  1  flags: 1 the entries have children
 *
 * Blocks are numbered in clusters, or where a cluster is larger than a block, in units of 512
 * bytes.
 */
#ifndef SHADOWBOOT_FORMAT_NTFS_INDEX_H
#define SHADOWBOOT_FORMAT_NTFS_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

struct ntfs_node {
    struct span entries; /* sound, the last one included */
    bool has_children;   /* entries may have a child */
};

struct ntfs_entry {
    uint64_t reference; /* to the file */
    struct span name;   /* UCS-2; empty in the last one */
    uint64_t size;      /* of the file's unnamed data, as of when this name was last used */
    uint64_t child;     /* number of an index block */
    bool has_child;
    bool is_last;
    bool is_directory;
    bool reparse;
    bool is_dos; /* a name beside the one people see */
};

/*
 * Checks the value of $INDEX_ROOT, all entries included. `*ret_block_size` is what index blocks of
 * this directory have. Statuses: ST_OK; ST_DAMAGED; ST_UNSUPPORTED for an index of something else.
 */
MUST_CHECK enum status ntfs_index_root_parse(struct span value, uint32_t *ret_block_size,
                                             struct ntfs_node *ret_node);

/*
 * Applies the update sequence to the index block of `size` bytes at `bytes`, which is to be number
 * `vcn`, and checks it, all entries included. Statuses: ST_OK; ST_DAMAGED.
 */
MUST_CHECK enum status ntfs_index_block_parse(uint8_t *bytes, size_t size, uint64_t vcn,
                                              struct ntfs_node *ret_node);

/* The entry at `*io_at`, from 0 on, which moves behind it. Not to be called after the last. */
struct ntfs_entry ntfs_node_entry(const struct ntfs_node *node, size_t *io_at);

#endif
