/* Plans for the machines of unit/machine_fixture.h, and what is to be found there afterwards. */
#ifndef SHADOWBOOT_UNIT_PLAN_FIXTURE_H
#define SHADOWBOOT_UNIT_PLAN_FIXTURE_H

#include "apply/apply.h"
#include "model/machine.h"
#include "model/scan.h"
#include "plan/plan.h"
#include "unit/machine_fixture.h"

/* A machine, what a scan sees of it, and an empty plan for it. */
struct planning {
    struct host *host;
    void *memory;
    struct arena arena;
    struct machine machine;
    struct plan plan;
};

/* Scans `host`, which is then freed by planning_end. */
struct planning *planning_begin(struct host *host);
void planning_end(struct planning *planning);

/* For a test's set-up and tear-down: `*state` is a planning for one of the machines. */
int planning_set_up_article(void **state);
int planning_set_up_recovery(void **state);
int planning_set_up_modern(void **state);
int planning_tear_down(void **state);

/* The same for tests that need the machine (a struct host) alone. */
int machine_set_up_article(void **state);
int machine_set_up_modern(void **state);
int machine_tear_down(void **state);

/* Scans again after the machine was changed, and starts an empty plan. */
void planning_rescan(struct planning *planning);

/* The same, as deep as commands that change disks look. */
void planning_rescan_to(struct planning *planning, enum scan_depth depth);

/* Applies `plan` over ports that the call keeps for itself, without telling how far it is. */
enum status fixture_apply(struct arena *arena, const struct ports *ports, const struct plan *plan,
                          struct apply_result *ret_result);

/* Applies the plan; fails the test unless apply says `expected`. */
void planning_apply(struct planning *planning, enum status expected);

/* The index of the entry Boot<number>; fails the test when there is none. */
size_t planning_entry(const struct planning *planning, uint16_t number);

/* The texts of the plan's actions, one per line. Valid until the next call. */
const char *planning_text(const struct planning *planning);

/* Fail the test unless ... BootOrder has these members; */
void expect_order(const struct host *host, const char *expected); /* "0003,0000" */

/* ... the variable has exactly the value of this entry, and an entry's attributes; */
void expect_entry(const struct host *host, const struct fixture_entry *entry);

/* ... there is no such variable; */
void expect_no_variable(const struct host *host, const char *name);

/* ... the console shows `text`; */
void expect_said(struct host *host, const char *text);

/* ... the command line gives `code`, having changed no variable. */
void expect_unchanged(struct host *host, const char *line, unsigned code);

#endif
