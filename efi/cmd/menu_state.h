/*
 * The menu as it is between two keys: which list is shown, what is chosen in it. A key makes another state and
 * says what is to be done; nothing here knows a console.
 *
 * Over a serial line a function key may arrive as Esc and characters behind it, ESC [ 2 1 ~ (ECMA-48 5.4, the
 * control sequences of terminals; ESC O P: "single shift three" and one character), digits among them. So Esc
 * counts only when nothing follows it at once, and what follows it so is no key.
 */
#ifndef SHADOWBOOT_CMD_MENU_STATE_H
#define SHADOWBOOT_CMD_MENU_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum menu_list {
    MENU_MAIN,
    MENU_TESTS,
    MENU_ENTRIES,
    MENU_ENTRY, /* what can be done with one of them, `argument` */
    MENU_MODES,
    MENU_ENDS,
};

#define MENU_DEPTH 3u

struct menu_place {
    enum menu_list list;
    size_t argument; /* which thing the list is about */
    size_t chosen;   /* from 0 */
};

enum menu_keys { KEYS_PLAIN, KEYS_BEHIND_ESC, KEYS_IN_SEQUENCE, KEYS_IN_SHIFT };

struct menu_state {
    struct menu_place places[MENU_DEPTH]; /* the lists that were opened; the last is shown */
    size_t depth;                         /* of them, at least 1 */
    size_t typed;                         /* the number that the digits make so far, or 0 */
    enum menu_keys keys;
    bool leaving; /* it asks whether to leave */
};

enum menu_answer {
    MENU_STAYS,
    MENU_CHOSEN, /* what is chosen is to be done */
    MENU_LEFT,   /* the user wants to leave */
};

/* The main list. */
struct menu_state menu_start(void);

/* The list that is shown. */
struct menu_place *menu_shown(struct menu_state *state);

/* Opens another list over the one that is shown; one of MENU_DEPTH is not opened. */
void menu_open(struct menu_state *state, enum menu_list list, size_t argument);

/* The list may have become shorter. */
void menu_fit(struct menu_state *state, size_t count);

/* Takes a key (enum console_key or a character) for a list of `count` choices. */
enum menu_answer menu_key(struct menu_state *state, size_t count, uint32_t key);

/* How long the next key is waited for, in milliseconds: KEY_WAIT_FOREVER unless it may belong to the last. */
uint32_t menu_patience(const struct menu_state *state);

#endif
