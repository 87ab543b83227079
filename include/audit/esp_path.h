/* What the paths of files on an ESP tell by themselves. */
#ifndef SHADOWBOOT_AUDIT_ESP_PATH_H
#define SHADOWBOOT_AUDIT_ESP_PATH_H

#include <stdbool.h>

/* True when `path` is in `folder` or deeper. */
bool esp_path_is_in(const char *path, const char *folder);

/* What follows the last backslash of a path. */
const char *esp_path_name(const char *path);

/* True for a copy that somebody saved aside: its name ends with ".bak" or ".old". */
bool esp_path_is_saved(const char *path);

/* True for files each boot manager writes for itself: the store with its logs and transactions, the
 * record of the last start; and for what somebody saved aside. */
bool esp_path_is_own_state(const char *path);

#endif
