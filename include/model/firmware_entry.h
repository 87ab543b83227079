/*
 * Boot entries that the firmware makes and looks after itself: its own programs, devices, network
 * and legacy starts. Equal bytes mean nothing there (their number tells them apart), what they lead
 * to comes and goes, and firmware that misses one makes it again or behaves oddly: nothing deletes,
 * copies or saves them unless the user names one.
 */
#ifndef SHADOWBOOT_MODEL_FIRMWARE_ENTRY_H
#define SHADOWBOOT_MODEL_FIRMWARE_ENTRY_H

#include <stdbool.h>

#include "format/load_option.h"
#include "model/machine.h"

/*
 * Why only the firmware that made the option can make use of it, in words that follow "the
 * firmware's own: "; NULL when that is not so: it has edk2's marker, AMI's "\0\0BO", Insyde's "RC"
 * as optional data, or an empty path. Static lifetime.
 */
const char *firmware_option_mark(const struct load_option *option);

/*
 * Why the option is one of firmware's own, as above; NULL when it is not. That mark, or by its path
 * (UEFI Specification 10.3): BBS, a firmware volume or memory, and where it names no partition a
 * class of devices, a vendor's node, the network, or a device without a file. Static lifetime.
 */
const char *firmware_option_reason(const struct load_option *option);

/* True for a well-formed entry with such a reason. */
bool entry_is_firmwares(const struct entry *entry);

#endif
