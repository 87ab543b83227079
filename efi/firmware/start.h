/* The port for starting programs, over the image services (UEFI Specification 7.4). */
#ifndef SHADOWBOOT_FIRMWARE_START_H
#define SHADOWBOOT_FIRMWARE_START_H

#include "files.h"
#include "port/start.h"
#include "uefi.h"

struct uefi_start {
    const struct uefi *uefi;
    struct uefi_files *files; /* in which nothing stays open while another program runs */
};

/* Makes the port, whose ctx is `*ret_start`: that must outlive it, as must `uefi`, `files` and `program`, the path
 * of this program's own file. */
void uefi_start_open(const struct uefi *uefi, struct uefi_files *files, const char *program,
                     struct uefi_start *ret_start, struct start_port *ret_port);

#endif
