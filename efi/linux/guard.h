/*
 * Whether a disk may be written: nothing of it is in use. A device that is opened alone (O_EXCL) is
 * held by nobody as a whole; this says who holds it or one of its partitions, in words.
 */
#ifndef SHADOWBOOT_LINUX_GUARD_H
#define SHADOWBOOT_LINUX_GUARD_H

#include <stdbool.h>
#include <stddef.h>

#include "calls.h"

#define LINUX_GUARD_WHY 512 /* bytes of a reason with its NUL */

/*
 * True when nothing of the disk is mounted, swapped to, or taken by device mapper, md or a loop device.
 * Else `ret_why` is a sentence that says what, and what to type to have it free. `file` is a block
 * device or an image; of a loop device what is under it has to be free as well, but for that one. What
 * cannot be asked about counts as in use.
 */
bool linux_guard_is_free(const struct linux_calls *calls, const char *file,
                         char ret_why[LINUX_GUARD_WHY]);

/* True for a block device that is a partition; `ret_disk` is then its disk's name, as in "/dev/sdb". */
bool linux_guard_is_partition(const struct linux_calls *calls, const char *file, char *ret_disk,
                              size_t size);

/* True for two block devices that the same unit is reached by: both have its name (wwid of SCSI, ATA and
 * NVMe), and one size. Devices without such a name are different ones. */
bool linux_guard_is_same_unit(const struct linux_calls *calls, const char *a, const char *b);

#endif
