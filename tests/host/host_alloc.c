#include "host/host_alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void host_fail(const char *message)
{
    fprintf(stderr, "tests/host: %s\n", message);
    abort();
}

void *host_alloc(size_t count, size_t size)
{
    void *at = calloc(count > 0 ? count : 1, size > 0 ? size : 1);

    if (at == NULL)
        host_fail("out of memory");
    return at;
}

void *host_grow(void *old, size_t size)
{
    void *at = realloc(old, size > 0 ? size : 1);

    if (at == NULL)
        host_fail("out of memory");
    return at;
}

void *host_copy(const void *data, size_t size)
{
    void *copy = host_alloc(1, size);

    if (size > 0)
        memcpy(copy, data, size);
    return copy;
}

char *host_copy_text(const char *text)
{
    return host_copy(text, strlen(text) + 1);
}
