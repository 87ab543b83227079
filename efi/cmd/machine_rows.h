/* Rows of what a machine has, as tables and in the report. Those that other rows lie in are left
 * open in JSON: row_close ends them. */
#ifndef SHADOWBOOT_CMD_MACHINE_ROWS_H
#define SHADOWBOOT_CMD_MACHINE_ROWS_H

#include "audit/audit_machine.h"
#include "apply/journal_store.h"
#include "rows.h"

/* Left open: a disk (`role` as member_role_text has it), and a partition. */
void rows_open_disk(struct rows *to, size_t disk, const char *role);
void rows_open_partition(struct rows *to, size_t partition);

/* The file with that index in the ESP's list. */
void rows_file(struct rows *to, const struct esp *esp, size_t file);

void rows_entry(struct rows *to, const struct entry *entry);

/* The verdict on a member, by its index; and that on the machine. */
void rows_verdict(struct rows *to, const struct judgement *judgement, size_t member);
void rows_status(struct rows *to, const struct judgement *judgement);

void rows_findings(struct rows *to, const struct findings *findings);
void rows_journal(struct rows *to, const struct journal_file *file);

#endif
