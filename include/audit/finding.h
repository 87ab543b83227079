/*
 * Findings: what the audit noticed, as data. The words for each code, its severity and the advice
 * stand in one table, so that checks only say what and where.
 */
#ifndef SHADOWBOOT_AUDIT_FINDING_H
#define SHADOWBOOT_AUDIT_FINDING_H

#include <stddef.h>

#include "base/arena.h"
#include "base/print.h"
#include "base/status.h"
#include "model/machine.h"

enum severity {
    SEVERITY_NOTE,    /* worth knowing */
    SEVERITY_WARNING, /* works now, and may not when it matters */
    SEVERITY_DAMAGE,  /* broken now */
};

enum finding_code {
    FINDING_DISK_UNREADABLE,
    FINDING_GPT_PRIMARY_DAMAGED,
    FINDING_GPT_BACKUP_DAMAGED,
    FINDING_GPT_BOTH_DAMAGED,
    FINDING_GPT_COPIES_DIFFER,
    FINDING_GPT_BACKUP_NOT_AT_END,
    FINDING_GPT_MBR_UNREADABLE,
    FINDING_GPT_NO_PROTECTIVE_MBR,
    FINDING_GPT_HYBRID_MBR,
    FINDING_PARTITION_OUT_OF_RANGE,
    FINDING_PARTITION_OVERLAPS,
    FINDING_DISK_GUID_REPEATED,
    FINDING_PARTITION_GUID_REPEATED,
    FINDING_FALLBACK_MISSING,
    FINDING_VARIABLES_UNREADABLE,
    FINDING_VARIABLES_REPEATED,
    FINDING_STORE_NEARLY_FULL,
    FINDING_ORDER_MISSING,
    FINDING_ORDER_UNREADABLE,
    FINDING_ORDER_ODD_SIZE,
    FINDING_ORDER_NAMES_ABSENT,
    FINDING_ORDER_REPEATS,
    FINDING_ENTRY_DAMAGED,
    FINDING_ENTRY_PARTITION_GONE,
    FINDING_ENTRY_DISK_GONE,
    FINDING_ENTRY_FILE_GONE,
    FINDING_ENTRY_PLACE_WRONG,
    FINDING_ENTRY_ELSEWHERE,
    FINDING_ENTRY_DUPLICATE,
    FINDING_ENTRY_NOT_IN_ORDER,
    FINDING_COUNT
};

struct finding {
    enum finding_code code;
    size_t disk; /* place: index into the machine, or NO_INDEX */
    size_t partition;
    size_t entry;
    const char *detail; /* goes behind the message; "" for none */
};

struct findings {
    struct finding *items;
    size_t count;
};

enum severity finding_severity(enum finding_code code);

/* A stable short name such as "gpt-primary-damaged", for scripts. */
const char *finding_name(enum finding_code code);

/* "Disk 1 Partition 2", "Boot0003", ... ; "this machine" when the finding has no place. */
const char *finding_place(struct arena *arena, const struct machine *machine,
                          const struct finding *finding);

/* What is the matter, in a sentence without the place; static lifetime. */
const char *finding_text(enum finding_code code);

/* What to do about it; "" when there is nothing to do. Static lifetime. */
const char *finding_advice(enum finding_code code);

#endif
