/*
 * Which files an ESP is to get from another one.
 *
 * Left out, wherever files are brought from one ESP to another: journals (\EFI\shadowboot), what
 * Windows keeps about the volume itself (\System Volume Information), files whose name is not exact
 * (with a warning), and files that are damaged or cannot be read (with a warning). A boot store,
 * its logs and BOOTSTAT.DAT belong to each ESP itself: they are brought only where the target has
 * none, or a damaged one, and the logs only together with their store.
 */
#ifndef SHADOWBOOT_PLAN_ESP_FILES_H
#define SHADOWBOOT_PLAN_ESP_FILES_H

#include "audit/roles.h"
#include "plan/plan.h"

/* What of a file's FAT attributes is brought along: read-only, hidden, system, archive. */
#define ESP_FILES_ATTRIBUTES 0x27u

/*
 * The ESP that files for `disk` (NO_INDEX: for any) are best taken from: of another disk, on a file
 * system that is not damaged, with a boot manager that is not known to be bad. That from which the
 * entries start the system now (roles->start_esp), even where its disk is no member; then the
 * primary's, then any member's. Where there is none, or for Windows none with its boot manager, what
 * a copy of Windows keeps (boot_source), that of the disk itself before others. NO_INDEX without.
 */
size_t esp_files_source(const struct machine *machine, const struct roles *roles, size_t disk);

/* True when files can be taken from the ESP: its file system is there and not damaged. */
bool esp_files_readable(const struct esp *esp);

/* What of an ESP is taken for a fresh file system. */
enum files_wanted {
    FILES_ALL,
    FILES_OF_START, /* what the machine is started by (plan/start_files.h) */
};

/*
 * All that a fresh file system is to hold: the source's files and directories, and, of the ESP
 * `old` that it takes the place of (NO_INDEX for none), those that can still be read and the source
 * does not have. \EFI\BOOT\BOOT<ARCH>.EFI is made from Windows' boot manager when neither has it.
 * Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status esp_files_fresh(struct plan *plan, size_t source, size_t old,
                                       enum files_wanted wanted, struct files_change *ret_files);

/*
 * What the target lacks or has otherwise of what the source has at `path` (a file, or a directory
 * with all in it; "\\" for all; NULL for what the machine is started by, plan/start_files.h). Files
 * that only the target has are left alone (esp_files_tell_others); where one has a file and the
 * other a directory of that name both are left as they are; directories come for what is in them.
 * The removable-media file is made as above when `path` covers it. Statuses: ST_OK, with no items when all is there; ST_ABSENT when the
 * source has no such path; ST_NO_MEMORY.
 */
MUST_CHECK enum status esp_files_update(struct plan *plan, size_t source, size_t target,
                                        const char *path, struct files_change *ret_files);

/*
 * The same without what the target has in a good state, however it differs: what to bring to the
 * ESP that others are measured by. Statuses as above.
 */
MUST_CHECK enum status esp_files_mend(struct plan *plan, size_t source, size_t target,
                                      const char *path, struct files_change *ret_files);

/*
 * What the machine is started by as the Windows of `copy` has it: from `source`, which is what a copy
 * of that keeps, what the target lacks or has otherwise, also where its boot manager is newer than
 * any that this Windows has; nothing where the source's is not to take its place. Where `source` is
 * the target itself, its boot manager for the removable-media path alone, in the place of another
 * one of Windows'. Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status esp_files_of_windows(struct plan *plan, size_t source, size_t target,
                                            const struct system_copy *copy,
                                            struct files_change *ret_files);

/*
 * Names, in a warning, the files at `path` that only the target has: they stay as they are. `files`
 * is what esp_files_update gave. Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status esp_files_tell_others(struct plan *plan, size_t source, size_t target,
                                             const char *path, const struct files_change *files);

/*
 * Whether the files fit beside what the target holds now: nothing old is given up before the new is
 * there. Room that directories which are there may have to grow by does not count. Statuses: ST_OK;
 * ST_NO_SPACE, with numbers in plan->refusal; ST_NO_MEMORY.
 */
MUST_CHECK enum status esp_files_check_room(struct plan *plan, size_t target,
                                            const struct files_change *files);

/*
 * The same, and where not all fit as much as has to be is left out of what Windows starts without:
 * languages that it is not installed in, the memory tester, fonts of other languages. A warning says
 * so. Statuses as above.
 */
MUST_CHECK enum status esp_files_fit(struct plan *plan, size_t target,
                                     struct files_change *io_files);

/*
 * "bring 12 files and 3 folders, 21.6 MiB, from ... to ...: A, B and 13 more"; without the second
 * place when `target` is NO_INDEX. "delete 1 file and 1 folder of ...: A and B" where they go, which
 * is all of them or none. NULL when the arena is full. There is at least one file.
 */
const char *esp_files_text(struct plan *plan, size_t target, const struct files_change *files);

/*
 * Adds the action that brings the files to the target, a healthy ESP, or takes them from it; nothing
 * when there are none, of what fits (esp_files_fit). Statuses as there.
 */
MUST_CHECK enum status esp_files_plan(struct plan *plan, size_t target,
                                      const struct files_change *files);

#endif
