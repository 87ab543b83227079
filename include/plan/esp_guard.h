/*
 * Volumes that firmware starts from and that this program does not write to: members of md arrays,
 * whose other members would then differ behind md's back, and partitions that are no ESP by their
 * type.
 */
#ifndef SHADOWBOOT_PLAN_ESP_GUARD_H
#define SHADOWBOOT_PLAN_ESP_GUARD_H

#include "plan/plan.h"

/* Refuses a change to the partition when it is one of these; says what to do instead. Statuses:
 * ST_OK; ST_REFUSED; ST_NO_MEMORY. */
MUST_CHECK enum status esp_guard_check(struct plan *plan, size_t partition);

#endif
