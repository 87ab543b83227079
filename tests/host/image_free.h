/* The room that is free on a FAT volume inside an image file, for the host program. */
#ifndef SHADOWBOOT_HOST_IMAGE_FREE_H
#define SHADOWBOOT_HOST_IMAGE_FREE_H

#include <stdint.h>

/*
 * Bytes of the free clusters, as the first FAT has them (Microsoft FAT Specification, sections 3 and 4), of
 * the volume whose boot sector is at byte `offset` of the open file `fd`. 0 also where that cannot be read
 * or says what cannot be.
 */
uint64_t image_free(int fd, uint64_t offset);

#endif
