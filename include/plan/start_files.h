/*
 * Which files of an ESP the machine is started by: what is brought to another ESP that lacks it.
 * The rest is other people's: a maker's tools and old BIOS images, what a checker has saved.
 */
#ifndef SHADOWBOOT_PLAN_START_FILES_H
#define SHADOWBOOT_PLAN_START_FILES_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/status.h"
#include "model/machine.h"

struct start_files {
    const char *const *places; /* folders with all in them, and single files */
    size_t count;
};

/*
 * Of this ESP: \EFI\BOOT and, where Windows is started, \EFI\Microsoft; the folder of each boot
 * manager (audit/program.h) and of each program that a boot entry names, on whatever partition,
 * unless it is a tool; of what lies in the root or right in \EFI only the program; what
 * systemd-boot and GRUB keep in the root, and the folders of kernels. The list lies in the arena.
 * Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status start_files_find(struct arena *arena, const struct machine *machine,
                                        const struct esp *esp, bool windows,
                                        struct start_files *ret_files);

/* True for what is at one of the places or in one, and is no copy that somebody saved aside. */
bool start_files_cover(const struct start_files *files, const char *path);

/* True for a folder on the way to one of the places. */
bool start_files_lead_through(const struct start_files *files, const char *folder);

#endif
