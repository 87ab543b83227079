#include "program.h"

#include "base/builder.h"
#include "base/text.h"
#include "format/devpath.h"

#define NODE_ROOM \
    (2 * DEVPATH_HEADER_SIZE) /* bytes: a node's header, and the node that ends a path */

/* The device path of the file; empty without memory. */
static struct span path_of_file(struct context *context, const struct file_volume *volume,
                                const char *path)
{
    struct span name = {NULL, 0};
    struct builder builder;

    if (text_to_ucs2(context->arena, path, &name) != ST_OK)
        return span_of(NULL, 0);
    builder_in_arena(&builder, context->arena, volume->path.size + name.size + NODE_ROOM);
    builder_bytes(&builder, span_of(volume->path.at, volume->path.size - DEVPATH_HEADER_SIZE));
    devpath_put_file(&builder, name);
    devpath_put_end(&builder);
    return builder_span(&builder);
}

struct start_answer program_run(struct context *context, const struct file_volume *volume,
                                const char *path, struct span options, bool *ret_started)
{
    const struct start_port *start = &context->ports->start;
    const struct start_source source = {.path = path_of_file(context, volume, path)};
    void *image = NULL;

    *ret_started = false;
    struct start_answer answer = start->load(start->ctx, &source, &image);
    if (answer.status != ST_OK) {
        start->unload(start->ctx, image);
        return answer;
    }
    *ret_started = true;
    return start->start(start->ctx, image, options);
}

struct start_answer program_try_load(struct context *context, size_t volume, const char *path)
{
    const struct start_port *start = &context->ports->start;
    const struct start_source source = {
        .path = path_of_file(context, &context->ports->files.volumes[volume], path)};
    void *image = NULL;

    if (source.path.size == 0)
        return (struct start_answer){.status = ST_NO_MEMORY};
    struct start_answer answer = start->load(start->ctx, &source, &image);
    start->unload(start->ctx, image);
    return answer;
}

enum status program_start(struct context *context, const char *path)
{
    const struct files_port *files = &context->ports->files;
    bool started = false;

    if (files->self >= files->volume_count)
        return report(context, ST_ABSENT,
                      "Nobody knows which volume this program was started from.");
    struct start_answer answer =
        program_run(context, &files->volumes[files->self], path, span_of(NULL, 0), &started);
    if (started)
        return ST_OK;
    if (answer.status == ST_REFUSED)
        return report(context, ST_REFUSED, "Secure Boot refuses %s.", path);
    return report(context, answer.status,
                  "%s is not on the volume that this program was started from, or is no "
                  "program for this machine.",
                  path);
}
