/*
 * FAT volumes inside image files, for the host program. A volume is read as a whole by mtools when
 * it is first used; every write goes through mtools into the image at once and is read back.
 *
 * Names with '[' cannot be written (ST_REFUSED) or removed (ST_IO): mtools takes them for patterns.
 */
#ifndef SHADOWBOOT_HOST_IMAGE_FILES_H
#define SHADOWBOOT_HOST_IMAGE_FILES_H

#include "port/files.h"

struct image_files;

struct image_files *image_files_new(void);
void image_files_free(struct image_files *files);

/*
 * Adds the volume that starts at byte `offset` of `image`, with the device path `path` of its
 * partition; all texts and `path` are copied. It is read-only when the image is. Statuses: ST_OK,
 * with its index in `*ret_volume`; ST_UNSUPPORTED when there is no FAT file system; ST_IO.
 */
MUST_CHECK enum status image_files_add_volume(struct image_files *files, const char *image,
                                              uint64_t offset, struct span path, const char *alias,
                                              size_t *ret_volume);

/* Sets `self` and `current` (with its root directory) of ports made from now on. */
void image_files_set_self(struct image_files *files, size_t volume);

/*
 * At renew all volumes are taken away, and `call` is called to add those that the images hold now.
 * One with the device path of an earlier volume gets that one's alias, a new one has none, as under
 * a Shell that has not mapped it yet. Without a call the volumes stay. What `call` returns is what
 * renew returns.
 */
typedef enum status image_files_renewal(void *ctx);
void image_files_set_renewal(struct image_files *files, image_files_renewal *call, void *ctx);

/* The port, valid as long as `files` and until a volume is added. */
struct files_port image_files_port(struct image_files *files);

#endif
