/* A disk as a picture in text: a bar with its partitions to scale. */
#ifndef SHADOWBOOT_CMD_PICTURE_H
#define SHADOWBOOT_CMD_PICTURE_H

#include "audit/finding.h"
#include "cmd/context.h"

#define PICTURE_WIDTH       78 /* characters of the screens that most have */
#define PICTURE_WIDTH_LEAST 64 /* a narrower one has no room for the most partitions it shows */

/*
 * Prints a bar of at most `width` characters for the disk: partitions in brackets with what is in
 * them as far as it fits, free space as dots. A disk without a partition table is one bracket. With
 * `findings`, partitions are in the colour of the worst that was found there.
 */
void show_picture(struct context *context, size_t disk, const struct findings *findings,
                  size_t width);

#endif
