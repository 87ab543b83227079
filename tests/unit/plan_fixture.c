#include "unit/plan_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "host/host_alloc.h"
#include "model/scan.h"

#define PLANNING_ARENA (32u << 20) /* what changes disks takes buffers of some MiB */

struct planning *planning_begin(struct host *host)
{
    struct planning *planning = host_alloc(1, sizeof(*planning));

    planning->host = host;
    planning->memory = host_borrow(PLANNING_ARENA);
    planning_rescan(planning);
    return planning;
}

void planning_rescan_to(struct planning *planning, enum scan_depth depth)
{
    arena_init(&planning->arena, planning->memory, PLANNING_ARENA);
    assert_int_equal(
        scan_machine(&planning->arena, host_ports(planning->host), depth, &planning->machine),
        ST_OK);
    plan_init(&planning->plan, &planning->arena, &planning->machine);
}

void planning_rescan(struct planning *planning)
{
    planning_rescan_to(planning, SCAN_ENTRIES);
}

void planning_end(struct planning *planning)
{
    host_free(planning->host);
    host_return(planning->memory);
    free(planning);
}

int planning_set_up_article(void **state)
{
    *state = planning_begin(fixture_article_machine());
    return 0;
}

int planning_set_up_recovery(void **state)
{
    *state = planning_begin(fixture_recovery_machine());
    return 0;
}

int planning_set_up_modern(void **state)
{
    *state = planning_begin(fixture_modern_machine());
    return 0;
}

int planning_tear_down(void **state)
{
    planning_end(*state);
    return 0;
}

int machine_set_up_article(void **state)
{
    *state = fixture_article_machine();
    return 0;
}

int machine_set_up_modern(void **state)
{
    *state = fixture_modern_machine();
    return 0;
}

int machine_tear_down(void **state)
{
    host_free(*state);
    return 0;
}

enum status fixture_apply(struct arena *arena, const struct ports *ports, const struct plan *plan,
                          struct apply_result *ret_result)
{
    const struct apply_watch nobody = {.progress = NULL};
    struct ports own = *ports;

    return apply_plan(arena, &own, plan, "shadowboot test", &nobody, ret_result);
}

void planning_apply(struct planning *planning, enum status expected)
{
    struct apply_result result;

    enum status status =
        fixture_apply(&planning->arena, host_ports(planning->host), &planning->plan, &result);
    if (status != expected)
        print_message("%s\n", result.problem);
    assert_int_equal(status, expected);
}

size_t planning_entry(const struct planning *planning, uint16_t number)
{
    size_t index = machine_find_entry(&planning->machine, number);

    assert_true(index != NO_INDEX);
    return index;
}

const char *planning_text(const struct planning *planning)
{
    static char text[8192];

    text[0] = '\0';
    for (size_t i = 0; i < planning->plan.count; i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof(text) - used, "%s\n", planning->plan.actions[i].text);
    }
    return text;
}

void expect_order(const struct host *host, const char *expected)
{
    const struct mem_var *order = mem_vars_find(host->vars, NULL, "BootOrder");
    char text[1024] = "";

    assert_non_null(order);
    assert_int_equal(order->attributes, 7);
    assert_int_equal(order->size % 2, 0);
    for (size_t i = 0; i < order->size; i += 2) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof(text) - used, "%s%02X%02X", i == 0 ? "" : ",",
                 order->data[i + 1], order->data[i]);
    }
    assert_string_equal(text, expected);
}

void expect_entry(const struct host *host, const struct fixture_entry *entry)
{
    struct fixture_bytes value;
    char name[16];

    fixture_entry_value(host, entry, &value);
    snprintf(name, sizeof(name), "Boot%04X", entry->number);
    const struct mem_var *var = mem_vars_find(host->vars, NULL, name);
    assert_non_null(var);
    assert_int_equal(var->attributes, 7);
    assert_int_equal(var->size, value.size);
    assert_memory_equal(var->data, value.at, value.size);
}

void expect_no_variable(const struct host *host, const char *name)
{
    assert_null(mem_vars_find(host->vars, NULL, name));
}

void expect_said(struct host *host, const char *text)
{
    const char *said = host_console_text(host->console);

    if (strstr(said, text) == NULL)
        fail_msg("\"%s\" is not in:\n%s", text, said);
}

void expect_unchanged(struct host *host, const char *line, unsigned code)
{
    uint64_t changes = mem_vars_changes(host->vars);

    host_console_clear(host->console);
    unsigned got = fixture_run(host, line);
    if (got != code)
        print_message("%s\n", host_console_text(host->console));
    assert_int_equal(got, code);
    assert_int_equal(mem_vars_changes(host->vars), changes);
}
