/*
 * `menu`: the machine on one screen, and what can be done as choices. Each choice that changes something is a
 * command line: it shows its plan and asks as if it had been typed.
 */
#include "apply/restart.h"
#include "apply/start_guard.h"
#include "auto.h"
#include "base/text.h"
#include "cells.h"
#include "cmd/command.h"
#include "cmd/picture.h"
#include "cmd/screen.h"
#include "judgement.h"
#include "menu_view.h"
#include "program.h"
#include "show.h"
#include "try_start.h"

#define KNOWN_SIZE   8192u /* bytes of what is said about the machine */
#define CON_OUT_SIZE 1024u
#define ROWS_A_DISK  8u /* of the screen, so that all disks are shown */
#define WORDS_MOST   48u
#define SETTLE       200u /* milliseconds without a key: what was typed ahead is over */
#define SHELL_PATH   "\\shellx64.efi"

struct menu {
    struct context *context;
    struct judgement judgement;
    struct menu_state state;
    const char *known;
    struct cells shown;
    bool boxes;
};

/* ---- what is known of the machine, in the words of `status` ---- */

/* A console that keeps what is written. */
struct keeper {
    struct text_buffer text;
    struct screen_size size;
};

static void keep(void *ctx, const char *text, size_t size)
{
    struct sink sink = text_buffer_sink(&((struct keeper *)ctx)->text);

    sink.put(sink.ctx, text, size);
}

static struct screen_size keeper_size(void *ctx)
{
    return ((struct keeper *)ctx)->size;
}

/* `few`: of the disks only those that carry the system, for what follows them matters more. */
static void say_known(struct context *context, const struct judgement *judgement, unsigned width,
                      bool few)
{
    for (size_t i = 0; i < context->machine.disk_count; i++) {
        if (few && roles_member_on(&judgement->roles, i) == NO_INDEX)
            continue;
        show_disk_line(context, &judgement->roles, i);
        show_picture(context, i, &judgement->findings, width);
    }
    if (context->machine.disk_count == 0)
        say(context, "The firmware shows no disk.\n");
    else
        show_verdict(context, judgement);
    show_start_tests(context);
    for (size_t i = 0; i < judgement->findings.count; i++)
        show_finding(context, &judgement->findings.items[i]);
}

/* The lines for the upper part, in the arena; NULL without memory. */
static const char *known_text(struct menu *menu, unsigned width)
{
    struct context *context = menu->context;
    char *bytes = arena_alloc(context->arena, KNOWN_SIZE, 1);
    struct screen *screen = arena_alloc(context->arena, 1, sizeof(*screen));
    struct screen *before = context->screen;
    struct keeper keeper = {.size = {width + 1, 0}};
    const struct console_port port = {.ctx = &keeper, .write = keep, .screen_size = keeper_size};

    if (bytes == NULL || screen == NULL)
        return NULL;
    text_buffer_init(&keeper.text, bytes, KNOWN_SIZE);
    screen_open(screen, &port);
    context->screen = screen;
    say_known(context, &menu->judgement, width,
              context->machine.disk_count * ROWS_A_DISK > menu->shown.rows);
    screen_flush(screen);
    context->screen = before;
    return bytes;
}

/* ---- the screen ---- */

static bool takes_boxes(struct context *context)
{
    const struct vars_port *vars = &context->ports->vars;
    struct settings settings;
    uint8_t *path = arena_alloc(context->arena, CON_OUT_SIZE, 1);
    uint32_t attributes = 0;
    size_t size = 0;

    (void)auto_settings(context, &settings);
    if (settings.serial != SERIAL_AUTO)
        return settings.serial == SERIAL_BOXES;
    if (path == NULL ||
        vars->get(vars->ctx, NULL, "ConOut", &attributes, path, CON_OUT_SIZE, &size) != ST_OK)
        size = 0;
    return menu_has_boxes(span_of(path, size));
}

static void redraw(struct menu *menu, const struct menu_page *page)
{
    struct arena *arena = menu->context->arena;
    size_t mark = arena_mark(arena);
    struct cells cells = cells_new(arena, menu->shown.columns, menu->shown.rows);
    const struct menu_view view = {menu->known, page, &menu->state, menu->boxes};

    if (cells.at != NULL) {
        menu_draw(&cells, &view);
        cells_show(&menu->context->ports->console, &cells, &menu->shown);
    }
    arena_release(arena, mark);
}

static void empty_screen(struct menu *menu, bool cursor)
{
    const struct console_port *console = &menu->context->ports->console;

    console->clear(console->ctx, cursor);
    cells_forget(&menu->shown);
}

/* Looks at the machine and judges it. Statuses: ST_OK; ST_NO_MEMORY. */
static enum status look(struct menu *menu)
{
    struct context *context = menu->context;

    say(context, "Looking at the machine ...\n");
    screen_flush(context->screen);
    enum status status = context_scan(context, SCAN_FULL);
    if (status != ST_OK)
        return status;
    status = audit_machine(context->arena, &context->machine, &menu->judgement);
    if (status == ST_OK) {
        menu->known = known_text(menu, menu_inner_width(menu->shown.columns));
        status = menu->known == NULL ? ST_NO_MEMORY : ST_OK;
    }
    return status;
}

/* ---- what is done ---- */

/* Waits for a key after what a command has said; keys typed ahead are none. */
static enum status wait_for_user_key(struct menu *menu)
{
    struct context *context = menu->context;
    const struct console_port *console = &context->ports->console;
    uint32_t key = KEY_NONE;

    say(context, "\nPress a key for the menu. ");
    screen_flush(context->screen);
    enum status status = console->read_key(console->ctx, KEY_WAIT_FOREVER, &key);
    for (uint32_t more = key; status == ST_OK && more != KEY_NONE;)
        status = console->read_key(console->ctx, SETTLE, &more);
    screen_answered(context->screen);
    return status;
}

/* Runs the line as if it had been typed, with a stop after each screen. */
static enum status run_choice_line(struct menu *menu, const char *line)
{
    struct context *context = menu->context;
    char *text = arena_copy(context->arena, line, text_length(line) + 1);
    const char *words[WORDS_MOST] = {"shadowboot"};
    int count = 1;

    if (text == NULL)
        return report(context, ST_NO_MEMORY, "Out of memory. Nothing was changed.");
    for (bool inside = false; *text != '\0'; text++) {
        if (*text == ' ')
            *text = '\0';
        else if (!inside && count < (int)WORDS_MOST - 1)
            words[count++] = text;
        inside = *text != '\0';
    }
    words[count++] = "-b";
    say(context, COLOUR_TITLE "shadowboot %s" COLOUR_PLAIN "\n", line);
    return context->run_line(context, count, words);
}

static enum status reset(struct menu *menu, enum start_reset kind)
{
    const struct start_port *start = &menu->context->ports->start;

    return report(menu->context, start->reset(start->ctx, kind), "This firmware does not do that.");
}

static enum status act(struct menu *menu, const struct menu_choice *choice)
{
    struct context *context = menu->context;

    switch (choice->act) {
    case ACT_RUN:
        return run_choice_line(menu, choice->line);
    case ACT_START:
        auto_start_disk(context, &menu->judgement, choice->argument);
        return ST_OK;
    case ACT_SHELL:
        return program_start(context, SHELL_PATH);
    case ACT_RESTART:
        return reset(menu, START_RESET_COLD);
    case ACT_POWER_OFF:
        return reset(menu, START_POWER_OFF);
    case ACT_SETUP:
        return report(context, restart_into_setup(context->ports),
                      "This firmware does not do that.");
    default:
        return ST_OK;
    }
}

/* Does what is chosen, with the screen to itself. Statuses: ST_OK; ST_IO when there is no keyboard. */
static enum status do_choice(struct menu *menu, const struct menu_choice *choice)
{
    start_guard_clear(menu->context->ports);
    empty_screen(menu, true);
    if (act(menu, choice) == ST_OK && choice->act == ACT_SHELL)
        return ST_OK;
    enum status status = wait_for_user_key(menu);
    /* The entry may be another now. */
    if (menu_shown(&menu->state)->list == MENU_ENTRY)
        menu->state.depth--;
    return status;
}

/*
 * Shows lists until something is to be done with the machine. Statuses: ST_OK, with `*ret_choice`; ST_CANCELLED
 * when the user leaves; ST_IO; ST_NO_MEMORY.
 */
static enum status let_choose(struct menu *menu, struct menu_choice *ret_choice)
{
    const struct console_port *console = &menu->context->ports->console;
    struct menu_page page = {.count = 0};

    for (;;) {
        uint32_t key = KEY_NONE;
        size_t mark = arena_mark(menu->context->arena);
        if (menu_page_make(menu->context, &menu->judgement, menu_shown(&menu->state), &page) !=
            ST_OK)
            return ST_NO_MEMORY;
        menu_fit(&menu->state, page.count);
        redraw(menu, &page);
        if (console->read_key(console->ctx, menu_patience(&menu->state), &key) != ST_OK)
            return ST_IO;
        enum menu_answer answer = menu_key(&menu->state, page.count, key);
        *ret_choice = page.choices[menu_shown(&menu->state)->chosen];
        if (answer == MENU_LEFT)
            return ST_CANCELLED;
        if (answer == MENU_CHOSEN && ret_choice->act != ACT_OPEN)
            return ret_choice->act == ACT_LEAVE ? ST_CANCELLED : ST_OK;
        if (answer == MENU_CHOSEN)
            menu_open(&menu->state, ret_choice->list, ret_choice->argument);
        arena_release(menu->context->arena, mark);
    }
}

/* Takes the screen as it is now, which a Shell may have changed. Statuses: ST_OK; ST_UNSUPPORTED for one that is
 * too small, or a file; ST_NO_MEMORY. */
static enum status take_screen(struct menu *menu)
{
    const struct console_port *console = &menu->context->ports->console;
    struct screen_size size = console->screen_size(console->ctx);

    if (size.columns < MENU_COLUMNS_LEAST || size.rows < MENU_ROWS_LEAST)
        return ST_UNSUPPORTED;
    /* Where the last column is filled, firmware may go to the next row by itself. */
    menu->shown = cells_new(menu->context->arena, size.columns - 1, size.rows);
    return menu->shown.at == NULL ? ST_NO_MEMORY : ST_OK;
}

/* One look at the machine, and what is done then; memory goes back unless it holds the volumes. */
static enum status one_round(struct menu *menu)
{
    struct context *context = menu->context;
    const struct file_volume *volumes = context->ports->files.volumes;
    struct menu_choice choice = {.act = ACT_LEAVE};
    size_t mark = arena_mark(context->arena);

    enum status status = take_screen(menu);
    if (status == ST_OK) {
        empty_screen(menu, false);
        status = look(menu);
    }
    if (status == ST_OK)
        status = let_choose(menu, &choice);
    if (status == ST_OK)
        status = do_choice(menu, &choice);
    context_forget_contents(context);
    if (context->ports->files.volumes == volumes)
        arena_release(context->arena, mark);
    return status;
}

/* How the menu ends; only a user who leaves needs no word. */
static enum status end_menu(struct context *context, enum status status)
{
    const struct console_port *console = &context->ports->console;

    if (status == ST_UNSUPPORTED)
        return report(
            context, status,
            "The menu needs a screen of %u columns and %u rows. \"shadowboot help\" lists the commands "
            "that do the same.",
            MENU_COLUMNS_LEAST, MENU_ROWS_LEAST);
    console->clear(console->ctx, true);
    /* A boot manager that is told of success looks no further. */
    if (status == ST_CANCELLED) {
        start_guard_clear(context->ports);
        return context->ports->start.by_firmware ? ST_CANCELLED : ST_OK;
    }
    return report(context, status, "The menu ends: %s.",
                  status == ST_IO ? "there is no keyboard" : status_text(status));
}

enum status cmd_menu(struct context *context)
{
    struct menu menu = {.context = context, .state = menu_start()};
    enum status status = context->sfo ? ST_UNSUPPORTED : ST_OK;

    menu.boxes = takes_boxes(context);
    while (status == ST_OK)
        status = one_round(&menu);
    return end_menu(context, status);
}
