/* What the parts of fat_check share: the files found so far, and which clusters are whose. */
#ifndef SHADOWBOOT_FORMAT_FAT_WALK_H
#define SHADOWBOOT_FORMAT_FAT_WALK_H

#include "format/fat/fat.h"
#include "format/fat/fat_directory.h"

/* A file or directory that was found. */
struct fat_item {
    struct fat_file file;
    uint32_t parent_cluster; /* of the directory it is in; 0 for the root directory */
    uint32_t chain_length;   /* clusters of its chain that no other chain had before */
    uint16_t name_offset;    /* of its name in its path */
    uint8_t depth;           /* 1 in the root directory */
    bool done;               /* its chain, and the directory it is, were looked at */
    bool repeated;           /* an earlier entry of its directory has its name */
    uint8_t short_name[FAT_SHORT_NAME];
};

#define FAT_URGENT_MAX 16

struct fat_walk {
    struct arena *arena;
    struct fat_volume *volume;
    struct fat_report report; /* without `files` */
    struct fat_item *items;
    size_t count;
    size_t capacity;
    size_t path_bytes;             /* of all their paths */
    size_t urgent[FAT_URGENT_MAX]; /* directories to look at before others */
    size_t urgent_count;
    bool is_limited; /* the disk may not be read at will */
    bool unlisted;   /* something was found that could not be followed or read */
    uint8_t *owned;  /* a bit per cluster: it belongs to a chain */
    uint8_t *shared; /* a bit per cluster: a second chain leads to it */
    uint8_t *buffer; /* of volume->read_size bytes */
    char path[FAT_PATH_MAX];
};

/* Counts a problem; `path` must outlive the walk, "" for none. */
void fat_note(struct fat_walk *walk, enum fat_problem problem, const char *path);

/* A directory as what is in it sees it. */
struct fat_place {
    const char *path; /* "" for the root directory */
    uint32_t cluster; /* 0 for the root directory */
    uint8_t depth;    /* of what is in it */
    bool exact;       /* its path is what is stored */
};

/*
 * Appends the file or directory of an entry to the items, under its long name unless that is empty.
 * `*ret_path` is its path, in the arena, or NULL when that is too long, or too much together with
 * all others: then it is not appended.
 * Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status fat_items_add(struct fat_walk *walk, const struct fat_place *place,
                                     const uint8_t *entry, struct span long_name,
                                     const char **ret_path);

/* Notes names used twice among the items from `first` on, those of one directory. Statuses: ST_OK;
 * ST_NO_MEMORY. */
MUST_CHECK enum status fat_items_check_names(struct fat_walk *walk, size_t first);

enum fat_chain_end {
    FAT_CHAIN_ENDS,
    FAT_CHAIN_MISSES, /* it leads to what is not a cluster in use */
    FAT_CHAIN_CIRCLES,
    FAT_CHAIN_MEETS, /* another chain */
    FAT_CHAIN_UNREADABLE,
    FAT_CHAIN_UNKNOWN, /* the read limit is reached */
};

struct fat_chain {
    uint32_t length; /* clusters up to where it ends or goes wrong */
    enum fat_chain_end end;
};

/*
 * Follows a chain and takes its clusters into possession. Notes what is wrong with it, for the file
 * at `path`. Statuses: ST_OK, whatever state it is in; ST_NO_MEMORY.
 */
MUST_CHECK enum status fat_chain_follow(struct fat_walk *walk, uint32_t first, const char *path,
                                        struct fat_chain *ret_chain);

/* The status of a file with such a chain. */
enum status fat_chain_status(const struct fat_chain *chain);

/* Checks the chain of the file `item`. Statuses: ST_OK; ST_NO_MEMORY. */
MUST_CHECK enum status fat_chain_check_file(struct fat_walk *walk, size_t item);

/* Marks every file damaged whose chain has a cluster that another leads to. Statuses: ST_OK;
 * ST_NO_MEMORY. */
MUST_CHECK enum status fat_chain_mark_shared(struct fat_walk *walk);

/* Counts the clusters by what the FAT says and looks for those without an owner. Statuses: ST_OK;
 * ST_NO_MEMORY. */
MUST_CHECK enum status fat_chain_count_clusters(struct fat_walk *walk);

/*
 * Lists what is in the root directory, or in the directory `item`. Statuses: ST_OK, whatever state
 * it is in; ST_NO_MEMORY.
 */
MUST_CHECK enum status fat_folder_list_root(struct fat_walk *walk);
MUST_CHECK enum status fat_folder_list(struct fat_walk *walk, size_t item);

#endif
