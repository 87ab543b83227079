/* The port for starting programs, over the image services (UEFI Specification 7.4). */
#ifndef SHADOWBOOT_FIRMWARE_START_H
#define SHADOWBOOT_FIRMWARE_START_H

#include "port/start.h"
#include "uefi.h"

/* Makes the port, whose ctx is `uefi`: that must outlive it, as must `program`, the path of this
 * program's own file. */
void uefi_start_open(const struct uefi *uefi, const char *program, struct start_port *ret_port);

#endif
