/*
 * Files and directories that are to be on a FAT volume, as a tree: every directory on the way has a
 * node of its own, and what is asked for twice or cannot be is found out.
 */
#ifndef SHADOWBOOT_FORMAT_FAT_TREE_H
#define SHADOWBOOT_FORMAT_FAT_TREE_H

#include "format/fat/fat_layout.h"
#include "format/fat/fat_name.h"

#define FAT_NO_NODE ((size_t)-1)

struct fat_node {
    struct span name; /* UTF-16 */
    /* What asks for it; for a directory that is made by itself the first thing in it. */
    const struct fat_entry_request *request;
    bool is_directory;
    uint8_t attributes; /* as in its entry */
    size_t parent;      /* FAT_NO_NODE for the root */
    size_t first_child;
    size_t last_child;
    size_t next; /* of the same directory */
    size_t child_count;
    /* For those who find a place for it. */
    struct fat_short short_name;
    uint32_t cluster; /* where it begins; 0 for an empty file, and for the root in ".." */
    bool is_there;    /* the volume has it already: it needs no name */
    bool goes;        /* it is to be gone */
    size_t pieces;    /* of one that is there: entries of its long name, before its own */
    size_t slot;      /* in a directory that is there: of its entry, or where its entries begin */
};

struct fat_tree {
    struct fat_node *nodes; /* 0 is the root; a directory comes before what is in it */
    size_t count;
};

/*
 * Makes the tree. It lies in `arena` and points to the entries. Children are in the order of names.
 * Statuses: ST_OK; ST_USAGE for a path or name FAT cannot hold, more than FAT_DEPTH_MAX directories
 * deep, a file of 4 GiB or more, or two entries of one name; ST_NO_MEMORY.
 */
MUST_CHECK enum status fat_tree_build(struct arena *arena, const struct fat_entry_request *entries,
                                      size_t count, struct fat_tree *ret_tree);

/* Gives every child of a directory that is not there a short name that is not in `taken`, and adds
 * it. Statuses: ST_OK; ST_NO_SPACE when there are none left. */
MUST_CHECK enum status fat_tree_name_children(struct fat_tree *tree, size_t directory,
                                              struct fat_short_names *taken);

/* The same for a directory that is new. Statuses: as above; ST_NO_MEMORY. */
MUST_CHECK enum status fat_tree_name_new(struct arena *arena, struct fat_tree *tree,
                                         size_t directory);

/* Entries a new directory takes, "." and ".." included for all but the root. Its children have
 * names. */
size_t fat_tree_slots(const struct fat_tree *tree, size_t directory);

/* Writes the entries of one node. It has a name and a cluster. */
void fat_tree_put_node(const struct fat_tree *tree, size_t node, uint8_t *ret_entries);

/* Writes all entries of a new directory. Its children have clusters. */
void fat_tree_put_directory(const struct fat_tree *tree, size_t directory, uint8_t *ret_entries);

/* Clusters of `cluster_bytes` that a node takes; slots are its fat_tree_slots when it is a
 * directory (which takes one at least). */
uint64_t fat_tree_clusters(const struct fat_node *node, size_t slots, uint32_t cluster_bytes);

#endif
