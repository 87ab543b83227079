/* Prints parts of a machine the way all commands do. */
#ifndef SHADOWBOOT_CMD_SHOW_H
#define SHADOWBOOT_CMD_SHOW_H

#include "audit/finding.h"
#include "audit/roles.h"
#include "cmd/context.h"
#include "plan/disk_change.h"

/*
 * The NT name of what a target points to: \Device\HarddiskVolumeN\... , for LDM data
 * \Device\HarddiskDmVolumes\PhysicalDmVolumes\BlockVolumeN\... where the volume is known, and
 * "(null)" for everything else, as bootcfg prints it. In the arena; "(null)" also when that is
 * full.
 */
const char *nt_path(struct context *context, const struct target *target);

/* The block of lines `bootcfg /list` prints for a partition; `extended` adds what it leaves out. */
void show_partition(struct context *context, size_t partition, bool extended);

/* The block of lines bootcfg prints for an entry. */
void show_entry_as_bootcfg(struct context *context, const struct entry *entry);

/* The options block bootcfg prints above the entries. */
void show_boot_options(struct context *context);

/* "Disk 1 Partition 1 {guid} (FS0:)" where the entry starts from, or why there is none. In the
 * arena; NULL when that is full. */
const char *entry_start_text(struct context *context, const struct entry *entry);

/* Whether a file that an entry names is there. Static lifetime. */
const char *entry_file_text(enum status status);

/* "Disk 0  primary  8.5 GiB  Samsung SSD 980" */
void show_disk_line(struct context *context, const struct roles *roles, size_t index);

/* "[damage] Disk 1 Partition 1: The EFI System Partition holds no files." */
void show_finding(struct context *context, const struct finding *finding);

/* The findings with places and advice, or as FindingInfo rows under -sfo. */
void show_findings(struct context *context, const struct findings *findings);

/* "GPT", "MBR", or why there is no table of partitions. Static lifetime. */
const char *disk_style_text(const struct disk *disk);

/* "note", "warning", "damage". Static lifetime. */
const char *severity_text(enum severity severity);

/* "primary", "shadow"; "" for NO_INDEX. Static lifetime. */
const char *member_role_text(const struct roles *roles, size_t member);

/* In a word or two: "healthy", "damaged", "not formatted"; "FAT32", "" when it is none. */
const char *esp_state_text(const struct esp *esp);
const char *esp_type_text(const struct esp *esp);

/* "ok", or what is the matter with a file. Static lifetime. */
const char *file_state_text(const struct fat_file *file, const struct file_content *content);

/* A line, or a CopyInfo row under -sfo, for each file and folder that a change brings, with where
 * its content is taken from. */
void show_files_change(struct context *context, const struct files_change *files);

/* ST_DAMAGED when something is broken, ST_OK otherwise: how a command that only looks ends. */
enum status findings_status(const struct findings *findings);

#endif
