/* Compares the boot files of one ESP with those of another. */
#ifndef SHADOWBOOT_AUDIT_COMPARE_ESPS_H
#define SHADOWBOOT_AUDIT_COMPARE_ESPS_H

#include "audit/collector.h"
#include "model/machine.h"

/*
 * Findings about files under `folder` of `esp` that are missing or other than on `reference`. Files
 * that every ESP has of its own (boot stores, their logs, saved copies) do not count, nor do
 * folders and those that are damaged on either. Whether they are older or newer is told by the
 * program that `reference` starts from, or by the first other file when that is the same.
 */
void compare_esps(struct collector *to, const struct machine *machine, const struct esp *reference,
                  const struct esp *esp, const char *folder);

/* The same for files that are missing only. */
void compare_esps_missing(struct collector *to, const struct machine *machine,
                          const struct esp *reference, const struct esp *esp, const char *folder);

/*
 * The file by which an entry in BootOrder starts a system from this ESP: the first one in `folder`,
 * or the first of all when `folder` is NULL. Tools do not count. FAT_NO_FILE when no entry names a
 * file that is there.
 */
size_t esp_entry_file(const struct machine *machine, const struct esp *esp, const char *folder);

/* True when both ESPs have a boot program, the two differ, and that of `esp` is sound and newer
 * than that of `other`: by version, then by what firmware's lists prefer and by security version
 * number; by date where those tell nothing. What is no boot manager of Windows' is not newer than one. */
bool esp_is_newer(const struct machine *machine, const struct esp *esp, const struct esp *other);

/*
 * The file by which the ESP starts its system: what entries for it name, Windows' own before
 * others; where they name nothing that is there its main loader (audit/program.h), or Windows' boot
 * manager that is not sound. FAT_NO_FILE when there is none.
 */
size_t esp_boot_program(const struct machine *machine, const struct esp *esp);

/*
 * For each file of the ESP, whether the machine is started by it: its boot program, what entries in
 * BootOrder name, the removable-media path, and the second stages of shim among these. In the
 * collector's arena; NULL, with the failure noted, when there is no memory.
 */
const bool *esp_started_files(struct collector *to, const struct machine *machine,
                              const struct esp *esp);

/* True when what is known of the two files does not tell them apart: sizes, and contents where both
 * were read. */
bool esp_files_equal(const struct esp *a, size_t i, const struct esp *b, size_t j);

/* The files of an ESP in the order of their paths, without regard to case; NULL when there is no
 * memory. */
const size_t *esp_sorted_files(struct arena *arena, const struct esp *esp);

/*
 * For each file or directory of `from` the index of the one with the same path in `in`, FAT_NO_FILE
 * where there is none. In the arena; NULL when there is no memory.
 */
const size_t *esp_twins(struct arena *arena, const struct esp *from, const struct esp *in);

/* True when the content is known to be damaged or cannot be read. */
bool esp_content_is_bad(const struct fat_file *file, const struct file_content *content);

#endif
