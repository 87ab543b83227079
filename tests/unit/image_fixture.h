/*
 * A disk in memory, and edits carried out on it block by block, in full or in part: what is on the
 * disk after power was cut.
 */
#ifndef SHADOWBOOT_UNIT_IMAGE_FIXTURE_H
#define SHADOWBOOT_UNIT_IMAGE_FIXTURE_H

#include "format/disk_edit.h"
#include "port/block.h"

struct image {
    uint8_t *bytes;
    uint32_t block_size;
    uint64_t block_count;
};

/* An image of zeros; free its `bytes`. */
struct image image_make(uint32_t block_size, uint64_t block_count);

/* A port over the image, which must outlive it. */
struct block_port image_port(struct image *image);

/* The content of the file with that number. */
typedef struct span image_content(void *ctx, size_t source);

/* One block that an edit writes. */
struct image_unit {
    unsigned phase;
    uint64_t lba;
    uint8_t *data;
};

struct image_units {
    struct image_unit *at; /* by phase */
    size_t count;
    unsigned phase_count;
};

/* An edit in single blocks, contents of files included. What contradicts itself ends the
 * program. */
struct image_units image_units_of(const struct image *image, const struct disk_edit *edit,
                                  image_content *content, void *ctx);
void image_units_free(struct image_units *units);

/* Swaps the block on the disk with that of the unit: a second time undoes it. */
void image_swap(struct image *image, struct image_unit *unit);

/* Carries out all of them. */
void image_apply(struct image *image, const struct image_units *units);

#endif
