/* Compares the boot files of one ESP with those of another. */
#ifndef SHADOWBOOT_AUDIT_COMPARE_ESPS_H
#define SHADOWBOOT_AUDIT_COMPARE_ESPS_H

#include "audit/collector.h"
#include "model/machine.h"

/*
 * Findings about files under `folder` of `esp` that are missing or other than on `reference`. Files
 * that every ESP has of its own (boot stores and their logs) do not count, nor do those that are
 * damaged on either.
 */
void compare_esps(struct collector *to, const struct machine *machine, const struct esp *reference,
                  const struct esp *esp, const char *folder);

/* The same for files that are missing only. */
void compare_esps_missing(struct collector *to, const struct machine *machine,
                          const struct esp *reference, const struct esp *esp, const char *folder);

/* The file an entry in BootOrder starts from this ESP, NULL when none does. */
const char *esp_entry_file(const struct machine *machine, const struct esp *esp);

/* True for a file by which the machine is started: the boot manager, what an entry names, the
 * removable-media path. */
bool esp_file_starts(const struct machine *machine, const struct esp *esp, const char *path);

/* True when `path` is in `folder` or deeper. */
bool esp_path_is_in(const char *path, const char *folder);

/* True when the content is known to be damaged or cannot be read. */
bool esp_content_is_bad(const struct fat_file *file, const struct file_content *content);

#endif
