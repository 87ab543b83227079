/* The machine on which the fuzz targets have boot stores: a mirror whose ESPs get any store. */
#ifndef SHADOWBOOT_FUZZ_STORE_MACHINE_H
#define SHADOWBOOT_FUZZ_STORE_MACHINE_H

#include "format/bcd/bcd.h"
#include "format/regf/regf_verify.h"
#include "fuzz/fuzz.h"
#include "model/boot_store.h"
#include "plan/plan.h"
#include "unit/mirror_fixture.h"

#define STORE_MEMORY (4u << 20)

/* Made once; what a target puts onto it is taken off by the next input. */
static struct mirror *store_machine(void)
{
    static struct mirror *mirror;

    if (mirror == NULL)
        mirror = mirror_new();
    return mirror;
}

static struct arena *store_arena(void)
{
    static uint8_t memory[STORE_MEMORY];
    static struct arena arena;

    arena_init(&arena, memory, sizeof(memory));
    return &arena;
}

/* The store that the plan writes to the partition; empty when it writes none. */
static struct span store_planned(const struct plan *plan, size_t esp)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct disk_change *change = plan->actions[i].change;
        if (change == NULL || change->kind != DISK_CHANGE_FILES || change->esp != esp)
            continue;
        require(strcmp(change->files.items[0].path, MIRROR_STORE) == 0);
        return change->files.items[0].content;
    }
    return span_of(NULL, 0);
}

/* What is damaged in a store that Windows' boot manager reads all the same. */
static enum regf_problem store_damage(struct arena *arena, struct span file)
{
    struct bcd_store store;
    struct regf_report report;

    require(regf_check(file) == REGF_GOOD);
    require(bcd_open(arena, file, &store) == ST_OK);
    require(regf_verify(arena, &store.hive, &report) == ST_OK);
    return report.damage.problem;
}

#endif
