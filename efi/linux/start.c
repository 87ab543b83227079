#include "start.h"

#include <stddef.h>

#define EFI_UNSUPPORTED 3u /* UEFI Specification, appendix D */

static struct start_answer load_nothing(void *ctx, const struct start_source *source,
                                        void **ret_image)
{
    (void)ctx;
    (void)source;
    *ret_image = NULL;
    return (struct start_answer){ST_UNSUPPORTED, EFI_UNSUPPORTED};
}

static struct start_answer start_nothing(void *ctx, void *image, struct span options)
{
    (void)ctx;
    (void)image;
    (void)options;
    return (struct start_answer){ST_UNSUPPORTED, EFI_UNSUPPORTED};
}

static void unload_nothing(void *ctx, void *image)
{
    (void)ctx;
    (void)image;
}

static enum status reset_nothing(void *ctx, enum start_reset kind)
{
    (void)ctx;
    (void)kind;
    return ST_UNSUPPORTED;
}

struct start_port linux_start(void)
{
    struct start_port port = {.ctx = NULL,
                              .program = "",
                              .load = load_nothing,
                              .start = start_nothing,
                              .unload = unload_nothing,
                              .reset = reset_nothing};

    return port;
}
