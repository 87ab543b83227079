/*
 * The table of commands: name, options, help and code of each, in one place.
 *
 * A new command:
 *   1  its row in the table of command.c, where `help` is to list it; options get a list of their
 *      own there. `help` and the .man page are printed from the row
 *   2  its code in a file of efi/cmd: it reads its words and options from the context, and prints
 *   3  what it decides goes into efi/plan: a function that makes a plan, or refuses in a sentence
 *      that says what to do instead and ends with "Nothing was changed."
 *   4  what it finds out goes into efi/audit, so that `status` can say it too
 *   5  it shows the plan, asks and carries it out by the one road of efi/cmd/run.c, which keeps a
 *      journal for `undo`: no command writes by itself
 *   6  tests: of the plan in tests/unit, of the words in a test of ovmf-harness that runs it
 */
#ifndef SHADOWBOOT_CMD_COMMAND_H
#define SHADOWBOOT_CMD_COMMAND_H

#include "cmd/context.h"

struct option_spec {
    const char *name;  /* "-sg" */
    const char *value; /* what the help calls its argument; NULL for a flag */
    const char *help;
};

/* Boot entries are what it changes: it says first when an earlier change was interrupted. bootcfg is
 * none of these, since its output is read by those who know it from elsewhere; commands that change
 * disks see to interrupted changes by themselves. */
#define COMMAND_CHANGES_ENTRIES 1u
/* Its arguments have a syntax of their own: all but the common options are words. */
#define COMMAND_FOREIGN 2u
/* It explains the others: -man, and no tables. */
#define COMMAND_HELP 4u

struct command {
    const char *name;
    const char *arguments;             /* for the synopsis: "[-sg GUID] [-tg GUID]" */
    const char *summary;               /* one line */
    const char *help;                  /* paragraphs */
    const struct option_spec *options; /* closed by a NULL name; NULL for none */
    size_t words_min;
    size_t words_max;
    enum status (*run)(struct context *context);
    unsigned flags; /* COMMAND_... */
};

/* All commands, closed by one with a NULL name. */
const struct command *command_table(void);

/* The options that every command takes, closed by a NULL name. */
const struct option_spec *common_options(void);

/* The command of that name in a table closed as above, NULL when there is none. */
const struct command *command_find(const struct command *table, const char *name);

enum status cmd_status(struct context *context);
enum status cmd_disks(struct context *context);
enum status cmd_volumes(struct context *context);
enum status cmd_entries(struct context *context);
enum status cmd_clone(struct context *context);
enum status cmd_mirror(struct context *context);
enum status cmd_add(struct context *context);
enum status cmd_delete(struct context *context);
enum status cmd_order(struct context *context);
enum status cmd_default(struct context *context);
enum status cmd_next(struct context *context);
enum status cmd_timeout(struct context *context);
enum status cmd_prune(struct context *context);
enum status cmd_export(struct context *context);
enum status cmd_import(struct context *context);
enum status cmd_copy(struct context *context);
enum status cmd_repair(struct context *context);
enum status cmd_rebuild(struct context *context);
enum status cmd_prepare(struct context *context);
enum status cmd_diskid(struct context *context);
enum status cmd_diskpart(struct context *context);
enum status cmd_auto(struct context *context);
enum status cmd_config(struct context *context);
enum status cmd_install(struct context *context);
enum status cmd_secureboot(struct context *context);
enum status cmd_undo(struct context *context);
enum status cmd_bcd(struct context *context);
enum status cmd_test(struct context *context);
enum status cmd_menu(struct context *context);
enum status cmd_version(struct context *context);
enum status cmd_help(struct context *context);

/* Windows' own commands. Their arguments have a syntax of their own: all but the common options are
 * words. */
enum status cmd_bootcfg(struct context *context);
enum status cmd_bcdedit(struct context *context);
enum status cmd_bcdboot(struct context *context);

#endif
