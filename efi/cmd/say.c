#include "cmd/context.h"
#include "cmd/screen.h"

static void say_put(void *ctx, const char *bytes, size_t size)
{
    screen_put(ctx, bytes, size);
}

void say(struct context *context, const char *format, ...)
{
    struct sink sink = {say_put, context->screen};
    va_list arguments;

    va_start(arguments, format);
    sink_vprintf(&sink, format, arguments);
    va_end(arguments);
}

void sfo_begin(struct context *context)
{
    if (!context->sfo_started)
        say(context, "ShellCommand,\"shadowboot\"\n");
    context->sfo_started = true;
}
