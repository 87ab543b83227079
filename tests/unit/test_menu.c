/*
 * The menu without a console: what keys make of its state, what it looks like in cells, and what of them
 * goes to a screen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../efi/cmd/cells.h"
#include "../../efi/cmd/menu_state.h"
#include "../../efi/cmd/menu_view.h"
#include "host/host_console.h"

#define COUNT      12u
#define ARENA_SIZE (1u << 20)

/* ---- keys ---- */

static enum menu_answer press(struct menu_state *state, uint32_t key)
{
    return menu_key(state, COUNT, key);
}

/* Esc by itself: nothing follows it in time. */
static enum menu_answer press_esc(struct menu_state *state)
{
    assert_int_equal(press(state, KEY_ESC), MENU_STAYS);
    return press(state, KEY_NONE);
}

/* What people see of the state. */
static void assert_state(const struct menu_state *state, size_t depth, size_t chosen, bool leaving)
{
    assert_int_equal(state->depth, depth);
    assert_int_equal(state->places[depth - 1].chosen, chosen);
    assert_int_equal(state->leaving, leaving);
}

static void arrows_go_round_and_the_others_stop_at_the_ends(void **state)
{
    static const struct {
        size_t from;
        uint32_t key;
        size_t to;
    } moves[] = {{0, KEY_DOWN, 1},       {COUNT - 1, KEY_DOWN, 0},
                 {0, KEY_UP, COUNT - 1}, {5, KEY_UP, 4},
                 {5, KEY_HOME, 0},       {5, KEY_END, COUNT - 1},
                 {0, KEY_PAGE_DOWN, 8},  {8, KEY_PAGE_DOWN, COUNT - 1},
                 {11, KEY_PAGE_UP, 3},   {3, KEY_PAGE_UP, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
        struct menu_state menu = menu_start();
        menu_shown(&menu)->chosen = moves[i].from;
        assert_int_equal(press(&menu, moves[i].key), MENU_STAYS);
        assert_state(&menu, 1, moves[i].to, false);
    }
}

static void digits_make_numbers(void **state)
{
    static const struct {
        const char *typed;
        size_t chosen;
    } numbers[] = {{"3", 2},   {"12", 11}, {"13", 2}, {"0", 5},   {"10", 9},
                   {"112", 1}, {"9", 8},   {"99", 8}, {"1a2", 1}, {"", 5}};

    (void)state;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct menu_state menu = menu_start();
        menu_shown(&menu)->chosen = 5;
        for (const char *at = numbers[i].typed; *at != '\0'; at++)
            assert_int_equal(press(&menu, (uint8_t)*at), MENU_STAYS);
        assert_state(&menu, 1, numbers[i].chosen, false);
    }
}

static void enter_chooses_what_there_is(void **state)
{
    struct menu_state menu = menu_start();

    (void)state;
    assert_int_equal(press(&menu, KEY_ENTER), MENU_CHOSEN);
    assert_int_equal(menu_key(&menu, 0, KEY_ENTER), MENU_STAYS);
    assert_int_equal(menu_key(&menu, 0, KEY_UP), MENU_STAYS);
    assert_state(&menu, 1, 0, false);
}

static void esc_goes_back_and_then_asks(void **state)
{
    struct menu_state menu = menu_start();

    (void)state;
    press(&menu, KEY_DOWN);
    menu_open(&menu, MENU_ENTRIES, 0);
    press(&menu, KEY_END);
    menu_open(&menu, MENU_ENTRY, 3);
    menu_open(&menu, MENU_ENDS, 0); /* one too many */
    assert_int_equal(menu_shown(&menu)->list, MENU_ENTRY);
    assert_int_equal(menu_shown(&menu)->argument, 3);
    assert_int_equal(press_esc(&menu), MENU_STAYS);
    assert_state(&menu, 2, COUNT - 1, false);
    press(&menu, KEY_LEFT);
    assert_state(&menu, 1, 1, false);
    press(&menu, KEY_LEFT);
    press(&menu, KEY_BACKSPACE);
    assert_state(&menu, 1, 1, false);
    assert_int_equal(press_esc(&menu), MENU_STAYS);
    assert_state(&menu, 1, 1, true);
}

static void only_yes_leaves(void **state)
{
    (void)state;
    for (uint32_t key = 1; key <= KEY_OTHER; key = key == 0xff ? (uint32_t)KEY_UP : key + 1) {
        struct menu_state menu = menu_start();
        press(&menu, KEY_CTRL_C);
        assert_state(&menu, 1, 0, true);
        if (key == KEY_ESC) {
            assert_int_equal(press_esc(&menu), MENU_STAYS);
            assert_state(&menu, 1, 0, false);
            continue;
        }
        assert_int_equal(press(&menu, key), key == 'y' || key == 'Y' ? MENU_LEFT : MENU_STAYS);
        assert_state(&menu, 1, 0, false);
    }
}

static void other_keys_do_nothing(void **state)
{
    static const uint32_t known[] = {KEY_ENTER, KEY_CTRL_C, KEY_ESC,     KEY_UP,       KEY_DOWN,
                                     KEY_HOME,  KEY_END,    KEY_PAGE_UP, KEY_PAGE_DOWN};

    (void)state;
    for (uint32_t key = 0; key <= KEY_OTHER; key = key == 0xffff ? (uint32_t)KEY_UP : key + 1) {
        struct menu_state menu = menu_start();
        bool meant = key >= '1' && key <= '9';
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
            meant = meant || key == known[i];
        if (meant)
            continue;
        menu_shown(&menu)->chosen = 4;
        assert_int_equal(press(&menu, key), MENU_STAYS);
        assert_state(&menu, 1, 4, false);
        assert_int_equal(menu_patience(&menu), KEY_WAIT_FOREVER);
    }
}

static void keys_that_arrive_as_sequences_do_nothing(void **state)
{
    static const char *const sequences[] = {"[21~",  "[11~",  "[24~", "[5~", "[6~",
                                            "[3~",   "[1;5C", "[[A",  "OP",  "OS",
                                            "[200~", "[M",    "[2",   "O",   "["};

    (void)state;
    for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
        struct menu_state menu = menu_start();
        menu_open(&menu, MENU_ENTRIES, 0);
        menu_shown(&menu)->chosen = 4;
        press(&menu, KEY_ESC);
        for (const char *at = sequences[i]; *at != '\0'; at++) {
            assert_int_equal(press(&menu, (uint8_t)*at), MENU_STAYS);
            assert_state(&menu, 2, 4, false);
        }
        press(&menu, KEY_NONE);
        assert_state(&menu, 2, 4, false);
        assert_int_equal(menu_patience(&menu), KEY_WAIT_FOREVER);
        press(&menu, '3'); /* and the next key counts */
        assert_state(&menu, 2, 2, false);
    }
}

static void a_key_right_behind_esc_is_dropped(void **state)
{
    struct menu_state menu = menu_start();

    (void)state;
    menu_open(&menu, MENU_ENTRIES, 0);
    press(&menu, KEY_ESC);
    assert_true(menu_patience(&menu) < 1000);
    press(&menu, KEY_DOWN);
    assert_state(&menu, 1, 0, false);
    press(&menu, KEY_ESC);
    press(&menu, KEY_ESC); /* the first one counts now, the second when nothing follows it */
    assert_state(&menu, 1, 0, true);
    press(&menu, KEY_NONE);
    assert_state(&menu, 1, 0, false);
}

static void what_is_chosen_stays_in_a_shorter_list(void **state)
{
    struct menu_state menu = menu_start();

    (void)state;
    press(&menu, KEY_END);
    menu_fit(&menu, 3);
    assert_state(&menu, 1, 2, false);
    menu_fit(&menu, 0);
    assert_state(&menu, 1, 0, false);
}

/* ---- looks ---- */

struct scene {
    void *memory;
    struct arena arena;
    struct menu_choice choices[COUNT];
    struct menu_page page;
    struct menu_state state;
    struct cells cells;
    char row[256];
};

static int open_scene(void **state)
{
    struct scene *scene = calloc(1, sizeof(*scene));

    scene->memory = malloc(ARENA_SIZE);
    arena_init(&scene->arena, scene->memory, ARENA_SIZE);
    for (size_t i = 0; i < COUNT; i++)
        scene->choices[i] = (struct menu_choice){.text = "text", .act = ACT_RUN, .line = "undo"};
    scene->page = (struct menu_page){"Title", scene->choices, COUNT};
    scene->state = menu_start();
    *state = scene;
    return 0;
}

static int close_scene(void **state)
{
    struct scene *scene = *state;

    free(scene->memory);
    free(scene);
    return 0;
}

static void look(struct scene *scene, unsigned columns, unsigned rows, const char *known,
                 bool boxes)
{
    const struct menu_view view = {known, &scene->page, &scene->state, boxes};

    scene->cells = cells_new(&scene->arena, columns, rows);
    assert_non_null(scene->cells.at);
    menu_draw(&scene->cells, &view);
}

/* The row as ASCII; what is none as '#'. Blanks at its end are left out. */
static const char *row_of(struct scene *scene, unsigned row)
{
    size_t used = 0;

    for (unsigned i = 0; i < scene->cells.columns; i++) {
        struct cell cell = scene->cells.at[row * scene->cells.columns + i];
        scene->row[i] = cell.rune < 0x80 ? (char)cell.rune : '#';
        if (cell.rune != ' ')
            used = i + 1;
    }
    scene->row[used] = '\0';
    return scene->row;
}

static void the_frame_holds_what_is_known_and_the_choices(void **state)
{
    struct scene *scene = *state;

    scene->page.count = 2;
    look(scene, 70, 20, "one\ntwo " COLOUR_BAD "red" COLOUR_PLAIN "\n", false);
    assert_memory_equal(row_of(scene, 0), "+- shadowboot ", 14);
    assert_int_equal(strlen(scene->row), 70);
    assert_string_equal(row_of(scene, 1),
                        "| one                                                                |");
    assert_string_equal(row_of(scene, 2),
                        "| two red                                                            |");
    assert_memory_equal(row_of(scene, 3), "+- Title ---", 12);
    assert_string_equal(row_of(scene, 4),
                        "| >  1  text                                                         |");
    assert_string_equal(row_of(scene, 5),
                        "|    2  text                                                         |");
    assert_memory_equal(row_of(scene, 6), "+- Arrows or", 12);
    assert_string_equal(row_of(scene, 7), "  That is: shadowboot undo");
    assert_string_equal(row_of(scene, 8), "");
    assert_int_equal(scene->cells.at[4 * 70 + 8].mark, COLOUR_CHOSEN[0]);
    assert_int_equal(scene->cells.at[5 * 70 + 8].mark, COLOUR_PLAIN[0]);
    assert_int_equal(scene->cells.at[2 * 70 + 6].mark, COLOUR_BAD[0]);
    press(&scene->state, KEY_CTRL_C);
    look(scene, 70, 20, "one\n", false);
    assert_string_equal(row_of(scene, 6), "  Leave the menu? [y/N]");
}

static void boxes_are_drawn_where_they_can_be_seen(void **state)
{
    struct scene *scene = *state;

    look(scene, 79, 25, "one\n", true);
    assert_int_equal(scene->cells.at[0].rune, 0x250c);
    assert_int_equal(scene->cells.at[78].rune, 0x2510);
    assert_int_equal(scene->cells.at[79].rune, 0x2502);
    assert_int_equal(scene->cells.at[2 * 79].rune, 0x251c);
}

static void too_much_is_cut_and_what_is_chosen_is_seen(void **state)
{
    struct scene *scene = *state;
    char known[400] = "";

    for (int i = 0; i < 40; i++)
        strcat(known, "line\n");
    for (size_t chosen = 0; chosen < COUNT; chosen++) {
        unsigned seen = 0;
        menu_shown(&scene->state)->chosen = chosen;
        look(scene, 70, 20, known, false);
        for (unsigned row = 0; row < 20; row++)
            seen += strchr(row_of(scene, row), '>') != NULL;
        assert_int_equal(seen, 1);
        assert_string_equal(
            row_of(scene, 10),
            "| ... more: choose \"Everything that is known\"                        |");
        assert_memory_equal(row_of(scene, 18), "+- Arrows or", 12);
        assert_string_equal(row_of(scene, 19), "  That is: shadowboot undo");
        arena_release(&scene->arena, 0);
    }
}

static void only_what_differs_is_written(void **state)
{
    struct scene *scene = *state;
    struct host_console *console = host_console_new();
    struct console_port port;

    host_console_set_screen(console, (struct screen_size){20, 3}, false);
    port = host_console_port(console);
    struct cells now = cells_new(&scene->arena, 20, 3);
    struct cells shown = cells_new(&scene->arena, 20, 3);
    cells_put(&now, 2, 1, COLOUR_PLAIN[0],
              "a\xc3\xa4\xe2\x94\x80\xf0\x9f\x98\x80\xff"
              "z");
    cells_show(&port, &now, &shown);
    assert_string_equal(host_console_text(console), "\033[2;3Ha\xc3\xa4\xe2\x94\x80??z");
    host_console_clear(console);
    cells_show(&port, &now, &shown);
    assert_string_equal(host_console_text(console), "");
    cells_put(&now, 3, 1, COLOUR_PLAIN[0], "b");
    cells_fill(&now, 19, 2, 5, 'e', COLOUR_BAD[0]);
    cells_show(&port, &now, &shown);
    assert_string_equal(host_console_text(console), "\033[2;4Hb\033[3;20He");
    host_console_clear(console);
    cells_forget(&shown);
    cells_show(&port, &now, &shown);
    assert_int_equal(strlen(host_console_text(console)), 3 * 6 + 3 * 20 + 2);
    host_console_free(console);
}

/* ---- which console takes boxes ---- */

#define ACPI_NODE 2, 1, 12, 0, 0xd0, 0x41, 3, 10, 0, 0, 0, 0
#define UART_NODE 3, 14, 19, 0, 0, 0, 0, 0, 0, 0xc2, 1, 0, 0, 0, 0, 0, 8, 1, 1
#define PCANSI                                                                                     \
    3, 10, 20, 0, 0x53, 0x47, 0xc1, 0xe0, 0xbe, 0xf9, 0xd2, 0x11, 0x9a, 0x0c, 0, 0x90, 0x27, 0x3f, \
        0xc1, 0x4d
#define VTUTF8                                                                                  \
    3, 10, 20, 0, 0xd6, 0xa0, 0x15, 0xad, 0xec, 0x8b, 0xcf, 0x4a, 0xa0, 0x73, 0xd0, 0x1d, 0xe7, \
        0x7e, 0x2d, 0x88
#define NEXT_PATH 0x7f, 1, 4, 0
#define LAST_PATH 0x7f, 0xff, 4, 0
#define HAS_BOXES(...)                               \
    ({                                               \
        const uint8_t path[] = {__VA_ARGS__};        \
        menu_has_boxes(span_of(path, sizeof(path))); \
    })

static void a_serial_line_gets_ascii_unless_it_takes_utf8(void **state)
{
    (void)state;
    assert_true(menu_has_boxes(span_of(NULL, 0)));
    assert_true(HAS_BOXES(ACPI_NODE, LAST_PATH));
    assert_true(HAS_BOXES(PCANSI, LAST_PATH));
    assert_false(HAS_BOXES(ACPI_NODE, UART_NODE, PCANSI, LAST_PATH));
    assert_false(HAS_BOXES(ACPI_NODE, NEXT_PATH, ACPI_NODE, UART_NODE, PCANSI, LAST_PATH));
    assert_false(HAS_BOXES(UART_NODE, PCANSI, NEXT_PATH, ACPI_NODE, LAST_PATH));
    assert_false(HAS_BOXES(ACPI_NODE, UART_NODE, LAST_PATH));
    assert_true(HAS_BOXES(ACPI_NODE, UART_NODE, VTUTF8, LAST_PATH));
    assert_false(HAS_BOXES(UART_NODE, VTUTF8, NEXT_PATH, UART_NODE, PCANSI, LAST_PATH));
    assert_false(HAS_BOXES(UART_NODE, 3, 10, 4, 0, LAST_PATH));
    assert_false(HAS_BOXES(UART_NODE, 3, 10, 20, 0, 0x53)); /* cut */
    assert_true(HAS_BOXES(0, 0, 0, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrows_go_round_and_the_others_stop_at_the_ends),
        cmocka_unit_test(digits_make_numbers),
        cmocka_unit_test(enter_chooses_what_there_is),
        cmocka_unit_test(esc_goes_back_and_then_asks),
        cmocka_unit_test(only_yes_leaves),
        cmocka_unit_test(other_keys_do_nothing),
        cmocka_unit_test(keys_that_arrive_as_sequences_do_nothing),
        cmocka_unit_test(a_key_right_behind_esc_is_dropped),
        cmocka_unit_test(what_is_chosen_stays_in_a_shorter_list),
        cmocka_unit_test_setup_teardown(the_frame_holds_what_is_known_and_the_choices, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(boxes_are_drawn_where_they_can_be_seen, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(too_much_is_cut_and_what_is_chosen_is_seen, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(only_what_differs_is_written, open_scene, close_scene),
        cmocka_unit_test(a_serial_line_gets_ascii_unless_it_takes_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
