/* The settings of unattended starts: the file, and the command that shows them. */
#include "auto.h"

#include "cmd/command.h"

#define SETTINGS_NAME "shadowboot.conf"
#define SETTINGS_PATH SHADOWBOOT_FOLDER "\\" SETTINGS_NAME
#define FETCHES_MOST  3 /* of a server that gives no clear answer */

/* True when one of the lines that are not understood may be the one that says how far to go. */
static bool hides_mode(const struct settings *settings)
{
    return settings->problem_count > 0 && settings->lines[SETTING_MODE] == 0;
}

bool auto_asks_server(const struct context *context)
{
    const struct files_port *files = &context->ports->files;

    return context->ports->net.is_source && files->self >= files->volume_count;
}

/* True where nobody knows who has put the program there: it came over a network, or from no volume. */
static bool is_untrusted(const struct context *context)
{
    const struct ports *ports = context->ports;

    return ports->net.is_source || ports->files.self >= ports->files.volume_count;
}

const char *auto_settings_place(const struct context *context)
{
    return auto_asks_server(context) ? "the server's " SETTINGS_NAME : SETTINGS_PATH;
}

/* Asks the server, again where it neither gives the file nor says that there is none. */
static enum status fetch_settings(const struct net_port *net, uint8_t *room, size_t size,
                                  size_t *ret_size)
{
    enum status status = ST_IO;

    for (int i = 0; i < FETCHES_MOST && status == ST_IO; i++)
        status = net->fetch(net->ctx, SETTINGS_NAME, room, size, ret_size);
    return status;
}

/* Reads the file, wherever it lies. Statuses: ST_OK; ST_ABSENT; ST_IO and others where that is not known. */
static enum status read_settings(struct context *context, uint8_t *room, size_t size,
                                 size_t *ret_size)
{
    const struct files_port *files = &context->ports->files;
    const struct net_port *net = &context->ports->net;

    if (auto_asks_server(context))
        return fetch_settings(net, room, size, ret_size);
    if (files->self >= files->volume_count)
        return ST_ABSENT;
    return files->read(files->ctx, files->self, SETTINGS_PATH, 0, room, size, ret_size);
}

enum status auto_settings(struct context *context, struct settings *ret_settings)
{
    size_t mark = arena_mark(context->arena);
    uint8_t *file = arena_alloc(context->arena, 1, SETTINGS_BYTES + 1);
    size_t size = 0;

    *ret_settings = context->has_settings ? context->settings : settings_default();
    if (context->has_settings)
        return context->settings_status;
    if (file == NULL) {
        ret_settings->mode = MODE_NONE;
        return ST_NO_MEMORY;
    }
    enum status status = read_settings(context, file, SETTINGS_BYTES + 1, &size);
    if (status == ST_OK)
        *ret_settings = settings_read(span_of(file, size));
    if ((status != ST_OK && status != ST_ABSENT) || hides_mode(ret_settings))
        ret_settings->mode = MODE_NONE;
    if (is_untrusted(context))
        settings_restrict(ret_settings);
    context->has_settings = auto_asks_server(context);
    context->settings = *ret_settings;
    context->settings_status = status;
    arena_release(context->arena, mark);
    return status;
}

void auto_say_problems(struct context *context, const struct settings *settings)
{
    size_t count = settings->problem_count;
    size_t shown = count < SETTINGS_PROBLEMS ? count : SETTINGS_PROBLEMS;

    for (size_t i = 0; i < shown; i++) {
        const struct settings_problem *problem = &settings->problems[i];
        say(context, "Line %u of %s: %s%s%s%s.\n", problem->line, auto_settings_place(context),
            settings_trouble_text(problem->trouble), problem->word[0] == '\0' ? "" : ": \"",
            problem->word, problem->word[0] == '\0' ? "" : "\"");
    }
    if (count > shown)
        say(context, "%zu more lines of it are wrong.\n", count - shown);
    if (hides_mode(settings))
        say(context,
            "No line of it that can be understood says which mode, so nothing is changed or "
            "started unasked.\n");
}

enum status cmd_config(struct context *context)
{
    char buffer[SETTINGS_WORD];
    struct settings settings;
    enum status status = auto_settings(context, &settings);

    for (size_t i = 0; i < SETTING_COUNT; i++) {
        enum settings_key key = (enum settings_key)i;
        const char *value = settings_value_text(&settings, key, buffer);
        if (settings.lines[i] == 0)
            say(context, "%-12s %-20s by default\n", settings_key_name(key), value);
        else
            say(context, "%-12s %-20s line %u\n", settings_key_name(key), value, settings.lines[i]);
    }
    if (status == ST_ABSENT)
        say(context, "There is no %s %s that shadowboot was started from.\n",
            auto_asks_server(context) ? SETTINGS_NAME : SETTINGS_PATH,
            auto_asks_server(context) ? "on the server" : "on the volume");
    else if (status != ST_OK)
        return report(context, status, AUTO_UNREADABLE, auto_settings_place(context),
                      status_text(status));
    auto_say_problems(context, &settings);
    if (settings.problem_count > 0)
        context->exit_status = exit_code(ST_DAMAGED);
    return ST_OK;
}
