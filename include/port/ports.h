/* Everything the program sees of the machine it runs on. */
#ifndef SHADOWBOOT_PORT_PORTS_H
#define SHADOWBOOT_PORT_PORTS_H

#include <stddef.h>

#include "port/block.h"
#include "port/clock.h"
#include "port/console.h"
#include "port/files.h"
#include "port/firmware.h"
#include "port/net.h"
#include "port/start.h"
#include "port/vars.h"

struct ports {
    const struct block_port *disks; /* as many as `disk_count`, in the firmware's order */
    size_t disk_count;
    struct vars_port vars;
    struct files_port files;
    struct console_port console;
    struct clock_port clock;
    struct start_port start;
    struct firmware_info firmware;
    struct net_port net;
    /* The structures of SMBIOS (DMTF DSP0134), by which machines are told apart; may be empty. */
    struct span smbios;
    const char *architecture; /* as in BOOT<ARCH>.EFI: "X64", "AA64", "IA32", ... */
};

#endif
