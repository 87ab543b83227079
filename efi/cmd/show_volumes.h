/* Dynamic disks and volumes on the screen. */
#ifndef SHADOWBOOT_CMD_SHOW_VOLUMES_H
#define SHADOWBOOT_CMD_SHOW_VOLUMES_H

#include "cmd/context.h"

/* The disk groups, their disks, and the table of volumes, as diskpart lists them. */
void show_volumes(struct context *context);

/* One volume with its plexes and their pieces. */
void show_volume(struct context *context, size_t volume);

#endif
