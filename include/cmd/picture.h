/* A disk as a picture in text: a bar with its partitions to scale. */
#ifndef SHADOWBOOT_CMD_PICTURE_H
#define SHADOWBOOT_CMD_PICTURE_H

#include "cmd/context.h"

#define PICTURE_WIDTH 78 /* characters */

/*
 * Prints a bar of at most PICTURE_WIDTH characters for the disk: partitions in brackets with what
 * is in them as far as it fits, free space as dots. A disk without a partition table is one
 * bracket.
 */
void show_picture(struct context *context, size_t disk);

#endif
