/* Rows of dynamic disks and volumes, as tables and in the report. */
#ifndef SHADOWBOOT_CMD_VOLUME_ROWS_H
#define SHADOWBOOT_CMD_VOLUME_ROWS_H

#include "rows.h"

/* The disk groups, and all disks that belong to one or look as if. */
void rows_groups(struct rows *to);

void rows_volume(struct rows *to, size_t volume);

/* The volume's plexes with their extents. */
void rows_plexes(struct rows *to, size_t volume);

#endif
