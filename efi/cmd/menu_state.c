#include "menu_state.h"

#include "port/console.h"

#define SEQUENCE_WAIT 200u /* milliseconds between the keys of a sequence at most */
#define PAGE          8u

struct menu_state menu_start(void)
{
    return (struct menu_state){.places = {{MENU_MAIN, 0, 0}}, .depth = 1};
}

struct menu_place *menu_shown(struct menu_state *state)
{
    return &state->places[state->depth - 1];
}

void menu_open(struct menu_state *state, enum menu_list list, size_t argument)
{
    if (state->depth < MENU_DEPTH)
        state->places[state->depth++] = (struct menu_place){list, argument, 0};
}

void menu_fit(struct menu_state *state, size_t count)
{
    struct menu_place *place = menu_shown(state);

    if (place->chosen >= count)
        place->chosen = count == 0 ? 0 : count - 1;
}

uint32_t menu_patience(const struct menu_state *state)
{
    return state->keys == KEYS_PLAIN ? KEY_WAIT_FOREVER : SEQUENCE_WAIT;
}

/* Goes on with the number that is typed, or begins a new one. */
static void take_digit(struct menu_state *state, size_t count, size_t digit)
{
    size_t number = state->typed * 10 + digit;

    if (number == 0 || number > count)
        number = digit;
    if (number == 0 || number > count) {
        state->typed = 0;
        return;
    }
    state->typed = number;
    menu_shown(state)->chosen = number - 1;
}

static void move_to(struct menu_state *state, size_t count, uint32_t key)
{
    struct menu_place *place = menu_shown(state);
    size_t last = count == 0 ? 0 : count - 1;
    size_t at = place->chosen;

    switch (key) {
    case KEY_UP:
        place->chosen = at > 0 ? at - 1 : last;
        break;
    case KEY_DOWN:
        place->chosen = at < last ? at + 1 : 0;
        break;
    case KEY_PAGE_UP:
        place->chosen = at > PAGE ? at - PAGE : 0;
        break;
    case KEY_PAGE_DOWN:
        place->chosen = at + PAGE < last ? at + PAGE : last;
        break;
    case KEY_HOME:
        place->chosen = 0;
        break;
    case KEY_END:
        place->chosen = last;
        break;
    default:
        break;
    }
}

/* Back to the list before; from the first of them it asks. */
static void go_back(struct menu_state *state)
{
    if (state->depth > 1)
        state->depth--;
    else
        state->leaving = true;
}

static enum menu_answer take_plain_key(struct menu_state *state, size_t count, uint32_t key)
{
    if (state->leaving) {
        state->leaving = false;
        return key == 'y' || key == 'Y' ? MENU_LEFT : MENU_STAYS;
    }
    if (key >= '0' && key <= '9') {
        take_digit(state, count, key - '0');
        return MENU_STAYS;
    }
    state->typed = 0;
    if (key == KEY_ENTER)
        return count > 0 ? MENU_CHOSEN : MENU_STAYS;
    if (key == KEY_CTRL_C || ((key == KEY_LEFT || key == KEY_BACKSPACE) && state->depth > 1))
        go_back(state);
    else
        move_to(state, count, key);
    return MENU_STAYS;
}

/* Esc was a key by itself. */
static enum menu_answer take_esc(struct menu_state *state)
{
    state->typed = 0;
    if (state->leaving)
        state->leaving = false;
    else
        go_back(state);
    return MENU_STAYS;
}

/* The key behind Esc: the begin of a sequence, or one that meant what was shown before. */
static enum menu_answer take_behind_esc(struct menu_state *state, uint32_t key)
{
    if (key == '[' || key == 'O') {
        state->keys = key == '[' ? KEYS_IN_SEQUENCE : KEYS_IN_SHIFT;
        return MENU_STAYS;
    }
    if (key != KEY_ESC)
        state->keys = KEYS_PLAIN;
    return take_esc(state);
}

enum menu_answer menu_key(struct menu_state *state, size_t count, uint32_t key)
{
    bool parameter = key >= 0x20 && key <= 0x3f; /* ECMA-48 5.4, and intermediate bytes */

    switch (state->keys) {
    case KEYS_BEHIND_ESC:
        return take_behind_esc(state, key);
    case KEYS_IN_SEQUENCE:
        if (!parameter)
            state->keys = key == KEY_ESC ? KEYS_BEHIND_ESC : KEYS_PLAIN;
        return MENU_STAYS;
    case KEYS_IN_SHIFT:
        state->keys = KEYS_PLAIN;
        return MENU_STAYS;
    default:
        break;
    }
    if (key == KEY_NONE)
        return MENU_STAYS;
    if (key == KEY_ESC) {
        state->keys = KEYS_BEHIND_ESC;
        return MENU_STAYS;
    }
    return take_plain_key(state, count, key);
}
