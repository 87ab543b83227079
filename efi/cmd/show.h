/* Prints parts of a machine the way all commands do. */
#ifndef SHADOWBOOT_CMD_SHOW_H
#define SHADOWBOOT_CMD_SHOW_H

#include "audit/finding.h"
#include "audit/roles.h"
#include "cmd/context.h"
#include "plan/disk_change.h"

/* The block of lines `bootcfg /list` prints for a partition; `extended` adds what it leaves out. */
void show_partition(struct context *context, size_t partition, bool extended);

/* The block of lines bootcfg prints for an entry. */
void show_entry_as_bootcfg(struct context *context, const struct entry *entry);

/* The options block bootcfg prints above the entries. */
void show_boot_options(struct context *context);

/* "Disk 0  primary  8.5 GiB  Samsung SSD 980" */
void show_disk_line(struct context *context, const struct roles *roles, size_t index);

/* "[damage] Disk 1 Partition 1: The EFI System Partition holds no files." */
void show_finding(struct context *context, const struct finding *finding);

/* The findings with places and advice, or as FindingInfo rows under -sfo. */
void show_findings(struct context *context, const struct findings *findings);

/* A line, or a CopyInfo row under -sfo, for each file and folder that a change brings, with where
 * its content is taken from. */
void show_files_change(struct context *context, const struct files_change *files);

/* ST_DAMAGED when something is broken, ST_OK otherwise: how a command that only looks ends. */
enum status findings_status(const struct findings *findings);

#endif
