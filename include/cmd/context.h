/* What every command works with: ports, arguments, output, and one way to report failure. */
#ifndef SHADOWBOOT_CMD_CONTEXT_H
#define SHADOWBOOT_CMD_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/guid.h"
#include "base/print.h"
#include "base/status.h"
#include "format/settings.h"
#include "model/machine.h"
#include "model/scan.h"
#include "port/ports.h"

#define ARGS_MAX 64

struct command;
struct option_spec;
struct screen;

struct option_value {
    const char *name;  /* "-sg" */
    const char *value; /* the argument behind it; "" for a flag; NULL: not given */
};

struct context {
    struct ports *ports; /* files are others after a plan has changed a disk */
    struct arena *arena;
    struct screen *screen;            /* that all text goes to */
    const struct command *commands;   /* all there are, as command_table() has them */
    const struct option_spec *common; /* options of all of them, as common_options() has them */
    /*
     * Runs a command line inside another command: as cmd_main does, on the same console, with the
     * memory and the ports of `outer`, whose machine stays as it was scanned. Statuses: those of the
     * command, reported.
     */
    enum status (*run_line)(struct context *outer, int argc, const char *const argv[]);
    struct machine machine;      /* after context_scan */
    enum scan_depth depth;       /* that of the scan */
    size_t scan_bytes;           /* memory that the scan took */
    bool plan_only;              /* -n */
    bool yes;                    /* -y */
    bool verbose;                /* -v */
    bool sfo;                    /* -sfo: tables for scripts, no other text */
    bool sfo_started;            /* the first line of the tables is out */
    const char *command;         /* name of the command: what its messages begin with */
    const char *words[ARGS_MAX]; /* arguments that are no options, the command left out */
    size_t word_count;
    struct option_value options[ARGS_MAX];
    size_t option_count;
    unsigned exit_status; /* what the program ends with when the command's status is ST_OK */
    const char *line;     /* the whole command line, printable, for the journal */
    /* What a server has given, which is asked once; settings on a volume are read anew. */
    struct settings settings;
    enum status settings_status;
    bool has_settings;
};

/* The exit status for a status: 0, else the number of the nearest UEFI error. */
unsigned exit_code(enum status status);

/* Prints, as printf would; not to be used under -sfo. */
void say(struct context *context, const char *format, ...) PRINTF_LIKE(2, 3);

/*
 * Reports a failure on the console, or as an ErrorInfo row under -sfo, and returns `status` for the
 * command to return.
 */
enum status report(struct context *context, enum status status, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* The value of an option that was given, "" for a flag, NULL when it was not. */
const char *option(const struct context *context, const char *name);

/* Reads the GUID behind an option. `*ret_given` says whether it was there. Statuses: ST_OK;
 * ST_USAGE (reported) when it is malformed. */
MUST_CHECK enum status option_guid(struct context *context, const char *name, bool *ret_given,
                                   struct guid *ret_guid);

/* Reads a GUID; ST_USAGE (reported) when it is malformed. */
MUST_CHECK enum status read_guid(struct context *context, const char *text, struct guid *ret_guid);

/* The time by the machine's clock; all zero when that is broken. */
struct date_time context_now(const struct context *context);

/* Scans the machine into context->machine. Statuses: ST_OK; ST_NO_MEMORY (reported). */
MUST_CHECK enum status context_scan(struct context *context, enum scan_depth depth);

/*
 * Gives the memory back that contents of files are kept in since the last look (model/contents.h).
 * It is to be done before the arena is released to a mark from before that look, and at the end of a
 * command whose arena others go on with.
 */
void context_forget_contents(struct context *context);

/*
 * The entry that `text` means: an id from the list ("5") or a variable's name ("Boot0005").
 * Statuses: ST_OK; ST_USAGE or ST_ABSENT, reported.
 */
MUST_CHECK enum status find_entry(struct context *context, const char *text, size_t *ret_entry);

/* The entries that the words from `first` on mean, none twice. Statuses as find_entry. */
MUST_CHECK enum status find_entries(struct context *context, size_t first, size_t **ret_entries,
                                    size_t *ret_count);

/* The first line of standard-format output, which is there even when no row follows. */
void sfo_begin(struct context *context);

#endif
