/* One unattended start (cmd_auto), and its parts. */
#ifndef SHADOWBOOT_CMD_AUTO_H
#define SHADOWBOOT_CMD_AUTO_H

#include "apply/start_guard.h"
#include "audit/audit_machine.h"
#include "cmd/context.h"
#include "cmd/screen.h"
#include "format/settings.h"
#include "model/boot_paths.h"

#define AUTO_UNREADABLE "%s cannot be read: %s. Nothing is changed or started unasked."

#define AUTO_LOG_RUN 6144u /* bytes that one run may have in the log */

/* What the run has said so far, while it is said. */
struct auto_log {
    struct console_port tee;
    const struct console_port *console;
    struct text_buffer text;
    char room[AUTO_LOG_RUN];
};

struct auto_run {
    struct context *context;
    struct settings settings;
    struct start_guard guard;
    struct judgement judgement;
    bool looked;  /* context->machine is the machine as it is */
    bool judged;  /* ... and judgement what comes of it */
    bool stopped; /* by a person, with Ctrl-C: nothing more is done unasked */
    struct auto_log *log;
};

/* The settings of the volume, or the server, that the program came from; the defaults without a file. From a server
 * there are reports and the menu alone (settings_restrict). Statuses: ST_OK; ST_ABSENT without a file; ST_IO,
 * ST_NO_MEMORY and others of the ports, with the defaults. The mode is MODE_NONE where the file cannot be read, or
 * has problems and no line for it: what it allows is not known. A server is asked once, and again where it gives no
 * clear answer. */
enum status auto_settings(struct context *context, struct settings *ret_settings);

/* True when they are asked of the server that the program came from, and not of a volume. */
bool auto_asks_server(const struct context *context);

/* Where that file is, in words. Static lifetime. */
const char *auto_settings_place(const struct context *context);

/* Says which lines of the file are not understood. */
void auto_say_problems(struct context *context, const struct settings *settings);

/* From now on all that is said is kept for the log as well. Without memory it is not. */
void auto_log_begin(struct auto_run *run);

/* Writes the reports that the settings name, as far as there is a place for them: what was said, and `outcome`.
 * What cannot be written is left out: a start does not wait for a report. */
void auto_report(struct auto_run *run, const char *outcome);

/*
 * Starts one program after the other until one takes the machine over. Comes back when all have given up, or
 * there is none; what became of each has been said.
 */
void auto_start(struct auto_run *run);

/*
 * Starts the system from that disk because a person wants it: what may start there, best first, by the settings'
 * way, without a report. Comes back when nothing has taken the machine over; what became of each has been said.
 */
void auto_start_disk(struct context *context, const struct judgement *judgement, size_t disk);

#endif
