#include "path.h"

#include "base/text.h"

/* Where the part behind the volume's name starts; 0 when there is no name. */
static size_t alias_end(const char *text)
{
    for (size_t i = 0; text[i] != '\0' && text[i] != '\\' && text[i] != '/'; i++) {
        if (text[i] == ':')
            return i + 1;
    }
    return 0;
}

static size_t find_volume(const struct files_port *files, const char *text, size_t length)
{
    for (size_t i = 0; i < files->volume_count; i++) {
        const char *alias = files->volumes[i].alias;
        if (text_length(alias) == length && text_has_prefix_nocase(text, alias))
            return i;
    }
    return FILES_NO_VOLUME;
}

/* Joins directory and rest, with single backslashes and none at the end. */
static const char *join(struct arena *arena, const char *directory, const char *rest)
{
    const char *parts[2] = {directory, rest};
    char *path = arena_alloc(arena, 1, text_length(directory) + text_length(rest) + 3);
    size_t used = 0;

    if (path == NULL)
        return NULL;
    path[used++] = '\\';
    for (int i = 0; i < 2; i++) {
        for (const char *at = parts[i]; *at != '\0'; at++) {
            bool separator = *at == '\\' || *at == '/';
            if (separator && path[used - 1] == '\\')
                continue;
            path[used++] = separator ? '\\' : *at;
        }
        if (path[used - 1] != '\\')
            path[used++] = '\\';
    }
    if (used > 1)
        used--;
    path[used] = '\0';
    return path;
}

enum status path_resolve(struct context *context, const char *text, struct file_place *ret_place)
{
    const struct files_port *files = &context->ports->files;
    size_t named = alias_end(text);
    const char *rest = text + named;
    size_t volume = named > 0 ? find_volume(files, text, named) : files->current;
    bool absolute = rest[0] == '\\' || rest[0] == '/';
    const char *directory = "\\";

    if (volume == FILES_NO_VOLUME) {
        const char *shown = text_printable(context->arena, text);
        return report(
            context, ST_ABSENT, "%.80s: %s. Name one as in %s\\backup. Nothing was changed.",
            shown == NULL ? "" : shown,
            named > 0 ? "there is no such volume"
                      : "it names no volume, and there is no current one",
            files->current == FILES_NO_VOLUME ? "FS0:" : files->volumes[files->current].alias);
    }
    if (!absolute && volume == files->current)
        directory = files->directory;
    struct file_place place = {volume, join(context->arena, directory, rest)};
    if (place.path == NULL)
        return report(context, ST_NO_MEMORY, "Out of memory. Nothing was changed.");
    *ret_place = place;
    return ST_OK;
}

const char *path_text(struct context *context, const struct file_place *place)
{
    const char *alias = context->ports->files.volumes[place->volume].alias;
    const char *path = text_printable(context->arena, place->path);
    const char *text = path == NULL ? NULL : arena_printf(context->arena, "%s%s", alias, path);

    return text == NULL ? "" : text;
}

const char *path_from_root(struct context *context, const char *text)
{
    char *path = arena_alloc(context->arena, 1, text_length(text) + 2);
    size_t used = 0;

    if (path == NULL)
        return NULL;
    if (text[0] != '\\' && text[0] != '/')
        path[used++] = '\\';
    for (; *text != '\0'; text++)
        path[used++] = *text == '/' ? '\\' : *text;
    while (used > 1 && path[used - 1] == '\\')
        used--;
    path[used] = '\0';
    return path;
}
