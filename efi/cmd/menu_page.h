/* What the menu offers on this machine: its lists, as words and as the command line of each choice. */
#ifndef SHADOWBOOT_CMD_MENU_PAGE_H
#define SHADOWBOOT_CMD_MENU_PAGE_H

#include "audit/audit_machine.h"
#include "cmd/context.h"
#include "menu_state.h"

enum menu_act {
    ACT_RUN,   /* the command in `line` */
    ACT_OPEN,  /* the list `argument` is about */
    ACT_START, /* the system, from the disk `argument` */
    ACT_SHELL, /* the Shell beside this program */
    ACT_RESTART,
    ACT_SETUP, /* the firmware's own */
    ACT_POWER_OFF,
    ACT_LEAVE,
};

struct menu_choice {
    const char *text;
    enum menu_act act;
    const char
        *line; /* ACT_RUN: words with single blanks between them, the program's name left out */
    enum menu_list list; /* ACT_OPEN */
    size_t argument;     /* ACT_OPEN, ACT_START */
};

struct menu_page {
    const char *title;
    struct menu_choice *choices;
    size_t count;
};

/* The list for the machine that was scanned, in the arena. Statuses: ST_OK; ST_NO_MEMORY. */
MUST_CHECK enum status menu_page_make(struct context *context, const struct judgement *judgement,
                                      const struct menu_place *place, struct menu_page *ret_page);

#endif
