#include "menu_page.h"

#include "apply/restart.h"
#include "apply/start_memory.h"
#include "bcd.h"

#define OWN_CHOICES 16u /* beside those for each entry and each member */
#define ORDER_MOST  32u /* entries named in one line */

struct maker {
    struct context *context;
    const struct judgement *judgement;
    struct menu_page *page;
    bool full; /* of the arena */
};

/* Texts may be NULL: then the arena was full. */
static void add(struct maker *maker, const struct menu_choice *choice)
{
    bool whole = choice->text != NULL && (choice->act != ACT_RUN || choice->line != NULL);

    if (!whole)
        maker->full = true;
    else
        maker->page->choices[maker->page->count++] = *choice;
}

static void add_run(struct maker *maker, const char *text, const char *line)
{
    const struct menu_choice choice = {.text = text, .act = ACT_RUN, .line = line};

    add(maker, &choice);
}

static void add_list(struct maker *maker, const char *text, enum menu_list list, size_t argument)
{
    const struct menu_choice choice = {
        .text = text, .act = ACT_OPEN, .list = list, .argument = argument};

    add(maker, &choice);
}

static void add_act(struct maker *maker, const char *text, enum menu_act act)
{
    const struct menu_choice choice = {.text = text, .act = act};

    add(maker, &choice);
}

static void add_start(struct maker *maker, size_t disk, bool hopeful)
{
    const struct menu_choice choice = {
        .text = arena_printf(maker->context->arena, "Start from Disk %zu%s", disk,
                             hopeful ? "" : ": as it is now it may not start"),
        .act = ACT_START,
        .argument = disk};

    add(maker, &choice);
}

static void offer_main(struct maker *maker, const struct menu_place *place)
{
    const struct roles *roles = &maker->judgement->roles;

    (void)place;
    if (start_memory_read(&maker->context->ports->vars).walk)
        add_run(maker, "Go on with the test of all disks", "test -all");
    for (size_t i = 0; i < roles->member_count; i++)
        add_start(maker, roles->members[i].disk,
                  forecast_is_hopeful(&maker->judgement->forecasts[i]));
    add_run(maker, "Repair: make the machine start from each disk", "repair");
    add_list(maker, "Test: restart once from one disk", MENU_TESTS, 0);
    add_list(maker, "Boot entries: order, next start, delete", MENU_ENTRIES, 0);
    if (maker->judgement->roles.windows)
        add_list(maker, "How Windows starts: safe mode, recovery and others", MENU_MODES, 0);
    add_run(maker, "Undo a change", "undo");
    add_run(maker, "Everything that is known, with advice", "status");
    add_list(maker, "Shell, restart, firmware setup, power off", MENU_ENDS, 0);
}

static void offer_tests(struct maker *maker, const struct menu_place *place)
{
    const struct roles *roles = &maker->judgement->roles;
    struct arena *arena = maker->context->arena;

    (void)place;
    for (size_t i = 0; i < roles->member_count; i++)
        add_run(maker, arena_printf(arena, "Restart once from Disk %zu", roles->members[i].disk),
                arena_printf(arena, "test %zu", roles->members[i].disk));
    add_run(maker, "Each disk in turn", "test -all");
}

static void offer_entries(struct maker *maker, const struct menu_place *place)
{
    const struct machine *machine = &maker->context->machine;
    struct arena *arena = maker->context->arena;

    (void)place;
    for (size_t i = 0; i < machine->entry_count; i++) {
        const struct entry *entry = &machine->entries[i];
        size_t disk = entry->status == ST_OK ? entry->boot.disk : NO_INDEX;
        const char *where = disk == NO_INDEX ? "" : arena_printf(arena, ", Disk %zu", disk);
        const char *name = entry->status == ST_OK ? entry->description : "(damaged)";
        const char *text = where == NULL
                               ? NULL
                               : arena_printf(arena, "Boot%04X %s%s%s", entry->number, name, where,
                                              entry->in_order ? "" : ", not in BootOrder");
        add_list(maker, text, MENU_ENTRY, i);
    }
}

/* "order 0001 0000" with entry `from` in the place of `to` and all before as they are; NULL without memory. */
static const char *moved_line(struct maker *maker, size_t from, size_t to)
{
    const struct machine *machine = &maker->context->machine;
    size_t last = from > to ? from : to;
    const char *line = "order";

    for (size_t i = 0; i <= last && line != NULL; i++) {
        size_t entry = i == from ? to : i == to ? from : i;
        line = arena_printf(maker->context->arena, "%s Boot%04X", line,
                            machine->entries[entry].number);
    }
    return line;
}

static bool is_movable(const struct machine *machine, size_t entry)
{
    return entry < machine->entry_count && entry < ORDER_MOST && machine->entries[entry].in_order;
}

static void offer_entry(struct maker *maker, const struct menu_place *place)
{
    const struct machine *machine = &maker->context->machine;
    struct arena *arena = maker->context->arena;
    size_t own = place->argument;

    if (own >= machine->entry_count)
        return;
    unsigned number = machine->entries[own].number;
    maker->page->title = arena_printf(
        arena, "Boot%04X %s", number,
        machine->entries[own].status == ST_OK ? machine->entries[own].description : "");
    add_run(maker, "Start it once, at the next start",
            arena_printf(arena, "next Boot%04X", number));
    add_run(maker, "Make it the first", arena_printf(arena, "default Boot%04X", number));
    if (own > 0 && is_movable(machine, own) && is_movable(machine, own - 1))
        add_run(maker, "Move it up", moved_line(maker, own, own - 1));
    if (is_movable(machine, own) && is_movable(machine, own + 1))
        add_run(maker, "Move it down", moved_line(maker, own, own + 1));
    add_run(maker, "Delete it", arena_printf(arena, "delete Boot%04X", number));
}

static void offer_modes(struct maker *maker, const struct menu_place *place)
{
    struct arena *arena = maker->context->arena;
    const char *meaning = NULL;

    (void)place;
    for (size_t i = 0; bcd_start_mode(i, &meaning) != NULL; i++) {
        const char *name = bcd_start_mode(i, &meaning);
        add_run(maker, meaning, arena_printf(arena, "bcd start %s", name));
    }
}

static void offer_ends(struct maker *maker, const struct menu_place *place)
{
    (void)place;
    add_act(maker, "UEFI Shell", ACT_SHELL);
    add_act(maker, "Restart", ACT_RESTART);
    if (restart_knows_setup(maker->context->ports))
        add_act(maker, "Restart into the firmware's setup", ACT_SETUP);
    add_act(maker, "Power off", ACT_POWER_OFF);
    add_act(maker, "Leave the menu", ACT_LEAVE);
}

static const struct {
    const char *title;
    void (*make)(struct maker *maker, const struct menu_place *place);
} lists[] = {
    [MENU_MAIN] = {"What to do", offer_main},
    [MENU_TESTS] = {"Test", offer_tests},
    [MENU_ENTRIES] = {"Boot entries, as they are tried", offer_entries},
    [MENU_ENTRY] = {"Boot entry", offer_entry},
    [MENU_MODES] = {"How Windows is to start", offer_modes},
    [MENU_ENDS] = {"Leave", offer_ends},
};

enum status menu_page_make(struct context *context, const struct judgement *judgement,
                           const struct menu_place *place, struct menu_page *ret_page)
{
    size_t most = context->machine.entry_count + judgement->roles.member_count + OWN_CHOICES;
    struct menu_page page = {.title = lists[place->list].title};
    struct maker maker = {context, judgement, &page, false};

    page.choices = arena_alloc(context->arena, most, sizeof(*page.choices));
    if (page.choices == NULL)
        return ST_NO_MEMORY;
    lists[place->list].make(&maker, place);
    if (maker.full || page.title == NULL)
        return ST_NO_MEMORY;
    *ret_page = page;
    return ST_OK;
}
