#include "help.h"

#include "base/text.h"
#include "cmd/command.h"

/* Columns that an option and its argument take. */
static size_t option_width(const struct option_spec *option)
{
    return text_length(option->name) + (option->value == NULL ? 0 : 1 + text_length(option->value));
}

static void show_options(struct context *context, const struct option_spec *options)
{
    size_t width = 0;

    for (size_t i = 0; options != NULL && options[i].name != NULL; i++) {
        if (option_width(&options[i]) > width)
            width = option_width(&options[i]);
    }
    for (; options != NULL && options->name != NULL; options++) {
        const char *value = options->value == NULL ? "" : options->value;
        int rest = (int)(width - text_length(options->name));
        if (rest > 0)
            say(context, "  %s %-*s %s\n", options->name, rest, value, options->help);
        else
            say(context, "  %s  %s\n", options->name, options->help);
    }
}

static void show_exit_statuses(struct context *context)
{
    say(context, "Exit status (%%lasterror%% in the UEFI Shell, there in hexadecimal):\n"
                 "   0  done, or nothing to do          10  something is damaged\n"
                 "   2  wrong command line              14  nothing matches\n"
                 "   3  not possible on this machine    15  refused\n"
                 "   7  device error                    20  exists already\n"
                 "   8  write-protected                 21  you said no\n"
                 "   9  no space, or out of memory      27  changed in the meantime\n");
}

static void show_commands(struct context *context)
{
    for (const struct command *command = context->commands; command->name != NULL; command++)
        say(context, "  %-10s %s\n", command->name, command->summary);
}

static void show_overview(struct context *context)
{
    say(context, "shadowboot " SHADOWBOOT_VERSION
                 " keeps a machine with two mirrored boot disks bootable.\n\n"
                 "shadowboot COMMAND [options]\n\n");
    show_commands(context);
    say(context, "\nOptions of every command:\n");
    show_options(context, context->common);
    say(context, "\n");
    help_wrapped(context, 0,
                 "Nothing is changed before it was shown and you said yes. \"shadowboot help "
                 "COMMAND\" says more, \"help findings\" what it can find, \"help sfo\" and "
                 "\"help json\" what scripts can read, \"help network\" what a server can do.\n");
    show_exit_statuses(context);
}

static void show_command(struct context *context, const struct command *command)
{
    size_t mark = arena_mark(context->arena);
    const char *synopsis =
        arena_printf(context->arena, "shadowboot %s%s%s\n", command->name,
                     command->arguments[0] == '\0' ? "" : " ", command->arguments);

    help_wrapped(context, 0, synopsis == NULL ? "" : synopsis);
    arena_release(context->arena, mark);
    help_wrapped(context, 0, command->help);
    if (command->options != NULL)
        say(context, "\n");
    show_options(context, command->options);
}

/* How many machines are looked at from one server. */
static void help_network(struct context *context)
{
    help_wrapped(
        context, 0,
        "Firmware can start this program from a server: by PXE (\"shadowbootx64.efi\" as the boot "
        "file), or by HTTP, as a program or as the image of a stick. Then it asks that server for "
        "shadowboot.conf, beside the program, and does what that says: \"mode = report\" looks at "
        "the machine, sends the report and goes on with the next boot entry; \"mode = menu\" is the "
        "menu. Other modes are not to be had over a network, nor is a line that allows something, "
        "nor a command that a network loader hands on: anybody may play the server. No disk is "
        "written to. Without such a file, or a clear answer, or with another mode, the next boot "
        "entry comes if no key is pressed. Servers are named by IPv4 address: no names, IPv6 or "
        "HTTPS.\n"
        "\"send = http://10.0.0.1:8080/in/\" posts the report (\"help json\") to a web server, "
        "\"send = tftp:in/\" puts it on the TFTP server that the program came from, "
        "\"tftp://10.0.0.1/in/\" on another. Behind a \"/\" comes the network card's address, as in "
        "in/52-54-00-12-34-56.json. \"timeout = 0\" does not wait for a key.\n"
        "A disk in memory, which the image of a stick becomes, takes no journal: it is gone when the "
        "power is.");
}

/* What is explained besides commands. */
static const struct {
    const char *word;
    void (*show)(struct context *context);
} topics[] = {{"sfo", help_tables},
              {"json", help_report},
              {"findings", help_findings},
              {"network", help_network}};

#define TOPIC_COUNT (sizeof(topics) / sizeof(topics[0]))

/* The manual page that the UEFI Shell's own help command reads (UEFI Shell Specification 3.7). */
static void show_manual(struct context *context)
{
    say(context, ".TH shadowboot 0 \"keeps a machine with two mirrored boot disks bootable.\"\n"
                 ".SH NAME\n\n"
                 "Keeps a machine with two mirrored boot disks bootable.\n\n"
                 ".SH SYNOPSIS\n\n"
                 "SHADOWBOOT command [options]\n\n"
                 ".SH OPTIONS\n\n");
    show_options(context, context->common);
    say(context, "\n.SH DESCRIPTION\n\n");
    for (const struct command *command = context->commands; command->name != NULL; command++) {
        show_command(context, command);
        say(context, "\n");
    }
    for (size_t i = 0; i < TOPIC_COUNT; i++) {
        topics[i].show(context);
        say(context, "\n");
    }
    say(context, ".SH RETURNVALUES\n\n");
    show_exit_statuses(context);
}

static enum status explain(struct context *context, const char *word)
{
    const struct command *command = command_find(context->commands, word);

    for (size_t i = 0; i < TOPIC_COUNT; i++) {
        if (!text_equal_nocase(word, topics[i].word))
            continue;
        topics[i].show(context);
        return ST_OK;
    }
    if (command != NULL) {
        show_command(context, command);
        return ST_OK;
    }
    if (help_finding(context, word))
        return ST_OK;
    const char *shown = text_printable(context->arena, word);
    return report(context, ST_USAGE,
                  "There is no command \"%.40s\". \"shadowboot help\" lists them.",
                  shown == NULL ? "" : shown);
}

enum status cmd_help(struct context *context)
{
    if (option(context, "-man") != NULL) {
        show_manual(context);
        return ST_OK;
    }
    if (context->word_count > 0)
        return explain(context, context->words[0]);
    show_overview(context);
    return ST_OK;
}
