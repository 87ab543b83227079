/* A disk of linux/disk.h over an image file, in memory of its own. */
#ifndef SHADOWBOOT_HOST_IMAGE_BLOCK_H
#define SHADOWBOOT_HOST_IMAGE_BLOCK_H

#include "port/block.h"

struct image_block;

/*
 * Opens `file` as a disk of `block_size`-byte blocks at the device path `path`; `path` and `model`
 * are copied. Bytes behind the last whole block are left out. Statuses: those of linux_disk_open.
 */
MUST_CHECK enum status image_block_open(const char *file, uint32_t block_size, struct span path,
                                        const char *model, struct image_block **ret_disk);
void image_block_close(struct image_block *disk);

/* The port, valid until the disk is closed. It is read-only when the file is. */
struct block_port image_block_port(struct image_block *disk);

#endif
