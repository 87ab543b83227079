/*
 * Which files an ESP is to get from another one.
 *
 * Left out, wherever files are brought from one ESP to another: journals (\EFI\shadowboot), what
 * Windows keeps about the volume itself (\System Volume Information), files whose name is not exact
 * (with a warning), and files that are damaged or cannot be read (with a warning). A boot store,
 * its logs and BOOTSTAT.DAT belong to each ESP itself: they are brought only where the target has
 * none, or a damaged one.
 */
#ifndef SHADOWBOOT_PLAN_ESP_FILES_H
#define SHADOWBOOT_PLAN_ESP_FILES_H

#include "audit/roles.h"
#include "plan/plan.h"

/*
 * The ESP that files for `disk` are best taken from: of another disk, on a file system that is not
 * damaged, with a boot manager that is not known to be bad; the primary's before others. NO_INDEX
 * when there is none.
 */
size_t esp_files_source(const struct machine *machine, const struct roles *roles, size_t disk);

/*
 * All that a fresh file system is to hold: the source's files and directories, and, of the ESP
 * `old` that it takes the place of (NO_INDEX for none), those that can still be read and the source
 * does not have. \EFI\BOOT\BOOT<ARCH>.EFI is made from the boot manager when neither has it.
 * Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status esp_files_fresh(struct plan *plan, size_t source, size_t old,
                                       struct files_change *ret_files);

/*
 * What the target lacks or has otherwise of what the source has at `path` (a file, or a directory
 * with all in it; "\\" for all). Files that only the target has are left alone, and named in a
 * warning. Statuses: ST_OK, with no items when all is there; ST_ABSENT when the source has no such
 * path; ST_NO_MEMORY.
 */
MUST_CHECK enum status esp_files_update(struct plan *plan, size_t source, size_t target,
                                        const char *path, struct files_change *ret_files);

#endif
