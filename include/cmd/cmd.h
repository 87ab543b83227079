/* The program behind its ports: what main.c and the host program call. */
#ifndef SHADOWBOOT_CMD_CMD_H
#define SHADOWBOOT_CMD_CMD_H

#include "base/arena.h"
#include "port/ports.h"

/*
 * Runs one command line. argv[0] is the name the program was started by: as "bootcfg" or
 * "bootcfg.efi" it takes the arguments of the bootcfg command, and likewise as "bcdedit". Texts are UTF-8. Returns the exit
 * status: 0, or the number of a UEFI error without its top bit (see exit_code in
 * cmd/context.h).
 */
unsigned cmd_main(const struct ports *ports, struct arena *arena, int argc,
                  const char *const argv[]);

#endif
