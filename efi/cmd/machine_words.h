/* What parts of a machine are called, the same in text and in tables. */
#ifndef SHADOWBOOT_CMD_MACHINE_WORDS_H
#define SHADOWBOOT_CMD_MACHINE_WORDS_H

#include "apply/journal_store.h"
#include "audit/finding.h"
#include "audit/roles.h"
#include "cmd/context.h"

/*
 * The NT name of what a target points to: \Device\HarddiskVolumeN\... , for LDM data
 * \Device\HarddiskDmVolumes\PhysicalDmVolumes\BlockVolumeN\... where the volume is known, and
 * "(null)" for everything else, as bootcfg prints it. In the arena; "(null)" also when that is
 * full.
 */
const char *nt_path(struct context *context, const struct target *target);

/* "Disk 1 Partition 1 {guid} (FS0:)", or why there is none. In the arena; NULL when that is full. */
const char *target_place_text(struct context *context, const struct target *target);

/* "Disk 1 Partition 1 {guid} (FS0:)" where the entry starts from, or why there is none. In the
 * arena; NULL when that is full. */
const char *entry_start_text(struct context *context, const struct entry *entry);

/* Whether a file that an entry names is there. Static lifetime. */
const char *entry_file_text(enum status status);

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

/* "done", "interrupted", "taken back", "left", or why the journal cannot be read. Static
 * lifetime. */
const char *journal_state_text(const struct journal_file *file);

/* "2026-11-20 12:00", in the arena; "" when that is full. */
const char *journal_date_text(struct context *context, const struct journal_file *file);

#endif
