/* Gathers findings while a machine is judged: what the audits share. */
#ifndef SHADOWBOOT_AUDIT_COLLECTOR_H
#define SHADOWBOOT_AUDIT_COLLECTOR_H

#include "audit/finding.h"
#include "base/arena.h"
#include "base/status.h"

/* Starts as {.arena = ...}; the findings lie there. */
struct collector {
    struct arena *arena;
    struct finding *items;
    size_t count;
    size_t room;
    enum status status; /* the first failure sticks */
};

/* Each adds a finding at its place. `detail` goes behind the words; NULL stands for memory that ran
 * out while it was made. */
void collect_at_disk(struct collector *to, enum finding_code code, size_t disk, const char *detail);
void collect_at_partition(struct collector *to, enum finding_code code, size_t partition,
                          const char *detail);
void collect_at_entry(struct collector *to, enum finding_code code, size_t entry,
                      const char *detail);
void collect_at_volume(struct collector *to, enum finding_code code, size_t volume,
                       const char *detail);
void collect_at_machine(struct collector *to, enum finding_code code, const char *detail);

/* Adds one that another audit made. */
void collect_finding(struct collector *to, struct finding finding);

/* ": `why`." */
const char *collect_because(struct collector *to, const char *why);

/* What was gathered. Statuses: ST_OK; ST_NO_MEMORY. */
MUST_CHECK enum status collect_finish(const struct collector *from, struct findings *ret_findings);

#endif
