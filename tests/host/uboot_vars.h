/*
 * Variables as U-Boot keeps them: in a file in the root of the first EFI system partition, which is written
 * with each variable that stays, through a FAT driver of its own that takes and frees clusters as that of
 * U-Boot 2023.01 does (the file is described in ovmf-harness/uboot.py). It trusts the file system, and knows nothing of it from one call to the next.
 * What it writes is on the medium at once.
 */
#ifndef SHADOWBOOT_HOST_UBOOT_VARS_H
#define SHADOWBOOT_HOST_UBOOT_VARS_H

#include "host/mem_vars.h"
#include "port/block.h"

struct uboot_vars;

/* Variables of `vars` that lie in a file on one of the disks too; all must outlive it. To be freed. */
struct uboot_vars *uboot_vars_new(struct mem_vars *vars, const struct block_port *disks,
                                  size_t disk_count);
void uboot_vars_free(struct uboot_vars *vars);

/* What the firmware knows when it starts: what the file says, and nothing where that is not whole. */
void uboot_vars_start(struct uboot_vars *vars);

/* The port, valid as long as `vars`. A variable is set also when the file cannot be written, of which U-Boot
 * says nothing. */
struct vars_port uboot_vars_port(struct uboot_vars *vars);

#endif
