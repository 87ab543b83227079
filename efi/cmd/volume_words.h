/* Words for dynamic disks and volumes that the screen and the tables share. In the arena, or of
 * static lifetime. */
#ifndef SHADOWBOOT_CMD_VOLUME_WORDS_H
#define SHADOWBOOT_CMD_VOLUME_WORDS_H

#include "cmd/context.h"
#include "model/volumes.h"

#define SECTOR_BYTES 512u

/* What the file system on the volume is called; "" where nobody looked. */
const char *volume_file_system(struct context *context, const struct dynamic_volume *volume);

/* What diskpart writes in its column Info. */
const char *volume_info(const struct dynamic_volume *volume);

/* The name that Windows Server 2003 has for it. */
const char *volume_nt_name(struct context *context, const struct dynamic_volume *volume);

/* How far the databases of the group agree, in a word. */
const char *group_agreement(const struct dynamic_group *group);

const char *volume_log_text(enum volume_log log);

/* As diskpart has it: of a disk with a record, and of one that no record stands for. */
const char *member_disk_status(const struct context *context, const struct dynamic_disk *disk);
bool is_strange_disk(const struct volume_disk_note *note);
const char *strange_disk_status(const struct volume_map *map, const struct volume_disk_note *note);

/* How many pieces of the plex are here, and that in a word. */
size_t plex_pieces_here(const struct volume_map *map, const struct dynamic_plex *plex);
const char *plex_presence(const struct volume_map *map, const struct dynamic_plex *plex);

#endif
