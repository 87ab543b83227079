/*
 * Looks for what a copy of Windows keeps for the EFI System Partitions that are to start it. It is
 * what Windows' bcdboot copies, as the verbose logs of that and ESPs that it made tell:
 *
 *   \Windows\Boot\EFI, with a folder of .mui for each language   \EFI\Microsoft\Boot
 *   \Windows\Boot\Fonts                                          \EFI\Microsoft\Boot\Fonts
 *   \Windows\Boot\Resources, if there is one                     \EFI\Microsoft\Boot\Resources
 *   nothing                                                      \EFI\Microsoft\Recovery
 *   \Windows\System32\kd*.dll, those that an ESP here has        \EFI\Microsoft\Boot
 *   \Windows\System32\SecureBootUpdates\SkuSiPolicy.p7b,         \EFI\Microsoft\Boot
 *   if an ESP here has it
 *
 * \Windows\Boot\EFI_EX and FONTS_EX hold twins that the certificates of 2023 are for, with "_EX"
 * behind their names: they take the places of the others where they are asked for (Microsoft,
 * Make2023BootableMedia.ps1).
 */
#ifndef SHADOWBOOT_MODEL_SCAN_SOURCE_H
#define SHADOWBOOT_MODEL_SCAN_SOURCE_H

#include "base/arena.h"
#include "base/status.h"
#include "model/machine.h"
#include "port/ports.h"

struct source_request {
    size_t copy; /* index into machine.copies, one with a partition of its own */
    bool twins;  /* those of 2023 where they are there */
};

/*
 * Looks for the files on the copy and reads them, and makes them the last of the machine's sources
 * (struct boot_source); what the machine knows otherwise stays, and so does the old list of ESPs
 * for who has it. A file or folder that cannot be read is listed, with its status. Statuses: ST_OK;
 * ST_ABSENT when there is no \Windows\Boot\EFI; those of ntfs_open, ntfs_lookup and ntfs_list, which
 * say why nobody can look; ST_NO_MEMORY. The machine is unchanged then, but for the copy's
 * kept_status.
 */
MUST_CHECK enum status scan_source(struct arena *arena, const struct ports *ports,
                                   const struct source_request *request,
                                   struct machine *io_machine);

/* The source that the copy is, an index into machine.esps; NO_INDEX when it was not looked for. */
size_t machine_find_source(const struct machine *machine, size_t copy);

#endif
