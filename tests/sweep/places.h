/* Whose the blocks of a disk are, as far as a repair may write to them. */
#ifndef SHADOWBOOT_SWEEP_PLACES_H
#define SHADOWBOOT_SWEEP_PLACES_H

#include "sweep/truth_disk.h"

enum region {
    REGION_FREE,  /* in no partition: tables and what is free */
    REGION_FILES, /* an ESP with a file system */
    REGION_ESP,   /* an ESP without */
    REGION_MSR,
    REGION_OTHER /* somebody's */
};

struct place {
    uint64_t first, count;
    enum region region;
};

struct places {
    struct place items[TRUTH_PARTS_MAX];
    size_t count;
};

/* The partitions on a disk. One that never had a GPT is somebody's as a whole. */
void places_find(const struct block_port *port, struct places *ret_places);

enum region places_at(const struct places *places, uint64_t lba);

#endif
