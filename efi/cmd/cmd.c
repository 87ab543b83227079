#include "cmd/cmd.h"

#include "base/mem.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/interrupted.h"
#include "port/count.h"
#include "cmd/screen.h"

static const struct option_spec *find_spec(const struct option_spec *specs, const char *name)
{
    for (; specs != NULL && specs->name != NULL; specs++) {
        if (text_equal_nocase(specs->name, name))
            return specs;
    }
    return NULL;
}

/* The option of that name, of the command itself or of all commands. */
static const struct option_spec *spec_of(const struct command *command, const char *name)
{
    static const struct option_spec manual = {"-man", NULL, "print the manual page"};
    const struct option_spec *spec = find_spec(command->options, name);

    if (spec == NULL)
        spec = find_spec(common_options(), name);
    if (spec == NULL && (command->flags & COMMAND_HELP) != 0 &&
        text_equal_nocase(name, manual.name))
        spec = &manual;
    return spec;
}

static enum status add_option(struct context *context, const struct option_spec *spec,
                              const char *value)
{
    if (option(context, spec->name) != NULL)
        return report(context, ST_USAGE, "%s is given twice. Nothing was changed.", spec->name);
    struct option_value given = {spec->name, value};
    context->options[context->option_count++] = given;
    return ST_OK;
}

/* Sorts the arguments behind the command's name into words and options. */
static enum status parse_arguments(struct context *context, const struct command *command, int argc,
                                   const char *const argv[])
{
    for (int i = 0; i < argc; i++) {
        const struct option_spec *spec = spec_of(command, argv[i]);
        const char *value = "";
        if (argv[i][0] != '-' || argv[i][1] == '\0') {
            context->words[context->word_count++] = argv[i];
            continue;
        }
        if (spec == NULL) {
            const char *shown = text_printable(context->arena, argv[i]);
            return report(context, ST_USAGE,
                          "%.40s is no option of this command. \"shadowboot help %s\" lists them. "
                          "Nothing was changed.",
                          shown == NULL ? "" : shown, command->name);
        }
        if (spec->value != NULL && i + 1 == argc)
            return report(context, ST_USAGE,
                          "%s needs a value behind it: %s %s. Nothing was changed.", spec->name,
                          spec->name, spec->value);
        if (spec->value != NULL)
            value = argv[++i];
        enum status status = add_option(context, spec, value);
        if (status != ST_OK)
            return status;
    }
    if (context->word_count >= command->words_min && context->word_count <= command->words_max)
        return ST_OK;
    return report(context, ST_USAGE, "It goes like this: shadowboot %s%s%s\nNothing was changed.",
                  command->name, command->arguments[0] == '\0' ? "" : " ", command->arguments);
}

/* The same for the lines of Windows' tools: what is not a common option is left to them, "-list"
 * and "-id" as well. */
static enum status parse_foreign(struct context *context, const struct command *command, int argc,
                                 const char *const argv[])
{
    for (int i = 0; i < argc; i++) {
        const struct option_spec *spec = find_spec(common_options(), argv[i]);
        if (spec == NULL) {
            context->words[context->word_count++] = argv[i];
            continue;
        }
        enum status status = add_option(context, spec, "");
        if (status != ST_OK)
            return status;
    }
    if (option(context, "-sfo") == NULL)
        return ST_OK;
    return report(context, ST_USAGE,
                  "%s has no -sfo: it prints what %s prints. The other commands of shadowboot have "
                  "it. Nothing was changed.",
                  command->name, command->name);
}

/* The command that the program is named after, by the last part of its path without its ending;
 * NULL for none. */
static const struct command *named_after(const char *program)
{
    const char *name = program;

    for (const char *at = program; *at != '\0'; at++) {
        if (*at == '\\' || *at == '/' || *at == ':')
            name = at + 1;
    }
    for (const struct command *command = command_table(); command->name != NULL; command++) {
        size_t length = text_length(command->name);
        if ((command->flags & COMMAND_FOREIGN) != 0 &&
            text_has_prefix_nocase(name, command->name) &&
            (name[length] == '\0' || text_equal_nocase(name + length, ".efi")))
            return command;
    }
    return NULL;
}

/* The line as it was typed, with single blanks: what the journal remembers. */
static const char *join_line(struct arena *arena, int argc, const char *const argv[])
{
    const struct command *named = argc > 0 ? named_after(argv[0]) : NULL;
    size_t size = 16;

    for (int i = 1; i < argc; i++)
        size += text_length(argv[i]) + 1;
    char *line = arena_alloc(arena, 1, size);
    struct text_buffer text;
    if (line == NULL)
        return "";
    text_buffer_init(&text, line, size);
    text_buffer_printf(&text, "%s", named == NULL ? "shadowboot" : named->name);
    for (int i = 1; i < argc; i++)
        text_buffer_printf(&text, " %s", argv[i]);
    return line;
}

static void show_counts(struct context *context, const struct port_counts *counts)
{
    say(context,
        "Disks: %llu reads, %llu bytes; %llu writes, %llu bytes; %llu flushes. Variables: %llu "
        "calls, %llu writes, %llu bytes written. Files: %llu calls, %llu bytes read, %llu writes, "
        "%llu bytes written. Memory: %zu bytes.\n",
        (unsigned long long)counts->block_reads, (unsigned long long)counts->block_read_bytes,
        (unsigned long long)counts->block_writes, (unsigned long long)counts->block_written_bytes,
        (unsigned long long)counts->block_flushes, (unsigned long long)counts->var_calls,
        (unsigned long long)counts->var_writes, (unsigned long long)counts->var_written_bytes,
        (unsigned long long)counts->file_calls, (unsigned long long)counts->file_read_bytes,
        (unsigned long long)counts->file_writes, (unsigned long long)counts->file_written_bytes,
        context->arena->peak);
}

static enum status run_command(struct context *context, const struct command *command, int argc,
                               const char *const argv[])
{
    bool foreign = (command->flags & COMMAND_FOREIGN) != 0;

    context->command = foreign ? "ERROR" : command->name; /* how bootcfg's own messages begin */
    if (argc > ARGS_MAX)
        return report(context, ST_USAGE, "There are more than %d arguments.", ARGS_MAX);
    enum status status = foreign ? parse_foreign(context, command, argc, argv)
                                 : parse_arguments(context, command, argc, argv);
    if (status != ST_OK)
        return status;
    context->plan_only = option(context, "-n") != NULL;
    context->yes = option(context, "-y") != NULL;
    context->verbose = option(context, "-v") != NULL;
    context->sfo = option(context, "-sfo") != NULL && (command->flags & COMMAND_HELP) == 0;
    if (option(context, "-b") != NULL)
        screen_wait_pages(context->screen);
    if (context->sfo) {
        screen_leave_lines(context->screen);
        sfo_begin(context);
    }
    if ((command->flags & COMMAND_CHANGES_ENTRIES) != 0)
        note_interrupted(context);
    return command->run(context);
}

/* The command's name as users of other tools type it. */
static const struct command *find_command(const char *name)
{
    static const char *const help_words[] = {"-h", "-help", "--help", "/?", "/h", "-?"};

    for (size_t i = 0; i < sizeof(help_words) / sizeof(help_words[0]); i++) {
        if (text_equal_nocase(name, help_words[i]))
            return command_find(command_table(), "help");
    }
    return command_find(command_table(), name);
}

static enum status dispatch(struct context *context, int argc, const char *const argv[])
{
    const struct command *named = argc > 0 ? named_after(argv[0]) : NULL;

    if (named != NULL)
        return run_command(context, named, argc - 1, argv + 1);
    if (argc < 2)
        return run_command(
            context, find_command(context->ports->start.by_firmware ? "auto" : "help"), 0, NULL);
    const struct command *command = find_command(argv[1]);
    if (command != NULL)
        return run_command(context, command, argc - 2, argv + 2);
    const char *shown = text_printable(context->arena, argv[1]);
    return report(context, ST_USAGE,
                  "There is no command \"%.40s\". \"shadowboot help\" lists them.",
                  shown == NULL ? "" : shown);
}

static enum status run_inner_line(struct context *outer, int argc, const char *const argv[])
{
    struct context *context = arena_alloc(outer->arena, 1, sizeof(*context));

    if (context == NULL)
        return report(outer, ST_NO_MEMORY, "Out of memory. Nothing was changed.");
    context->ports = outer->ports;
    context->arena = outer->arena;
    context->screen = outer->screen;
    context->commands = outer->commands;
    context->common = outer->common;
    context->run_line = outer->run_line;
    context->command = outer->command;
    context->settings = outer->settings;
    context->settings_status = outer->settings_status;
    context->has_settings = outer->has_settings;
    context->line = join_line(outer->arena, argc, argv);
    unsigned rows = outer->screen->rows;
    enum status status = dispatch(context, argc, argv);
    context_forget_contents(context);
    screen_flush(outer->screen);
    screen_take_stop(outer->screen);
    outer->screen->rows = rows;
    return status;
}

/* Words that firmware did not get from a person: anybody may play the server, and a signed program is not what he
 * could put in its place. */
static int leave_out_words(struct context *context, int argc)
{
    const struct ports *ports = context->ports;

    if (!ports->net.is_source || !ports->start.by_firmware)
        return argc;
    if (argc > 1)
        say(context, "A command that came over the network is not carried out: %.60s\n",
            context->line == NULL ? "" : context->line);
    return 0;
}

unsigned cmd_main(const struct ports *ports, struct arena *arena, int argc,
                  const char *const argv[])
{
    struct context *context = arena_alloc(arena, 1, sizeof(*context));
    struct port_counts counts = {0};
    struct ports counted;

    if (context != NULL)
        context->screen = arena_alloc(arena, 1, sizeof(*context->screen));
    if (context == NULL || context->screen == NULL ||
        ports_count(arena, ports, &counts, &counted) != ST_OK) {
        static const char message[] = "shadowboot: out of memory\n";
        ports->console.write(ports->console.ctx, message, sizeof(message) - 1);
        return exit_code(ST_NO_MEMORY);
    }
    context->ports = &counted;
    context->arena = arena;
    context->commands = command_table();
    context->common = common_options();
    context->run_line = run_inner_line;
    screen_open(context->screen, &counted.console);
    context->command = "shadowboot";
    context->line = join_line(arena, argc, argv);
    enum status status = dispatch(context, leave_out_words(context, argc), argv);
    if (context->verbose && !context->sfo)
        show_counts(context, &counts);
    screen_flush(context->screen);
    return status == ST_OK ? context->exit_status : exit_code(status);
}
