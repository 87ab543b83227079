/* What an ESP is made of once its files are listed: their contents, the boot store, lists of
 * entries. */
#ifndef SHADOWBOOT_MODEL_SCAN_FILES_H
#define SHADOWBOOT_MODEL_SCAN_FILES_H

#include "base/status.h"
#include "model/scan_esp.h"

/* Bytes that the limit leaves. */
uint64_t scan_files_left(const struct esp_scan *scan, const struct esp *esp);

/* Reads the boot store where no other file is read, unless the limit is in the way; of its content
 * nothing else is kept. Statuses: ST_OK, whatever is there; ST_NO_MEMORY. */
MUST_CHECK enum status scan_files_store(const struct esp_scan *scan, struct esp *esp);

/* Reads the contents of all files of `esp`, in the order in which they lie on the disk and those
 * that are neighbours together, but for what is known of them. Statuses: ST_OK, whatever is there;
 * ST_NO_MEMORY. */
MUST_CHECK enum status scan_files_contents(const struct esp_scan *scan, struct esp *esp);

#endif
