#include "host/host_alloc.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)

_Noreturn void host_fail(const char *message)
{
    fprintf(stderr, "tests/host: %s\n", message);
    abort();
}

/* Arenas are large, new for each test, and written from their front: in pages of 4 KiB most of what
 * a short test costs is that the system hands them over one by one. */
static void ask_for_huge_pages(void *at, size_t size)
{
    uintptr_t first = ((uintptr_t)at + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    uintptr_t end = ((uintptr_t)at + size) / HUGE_PAGE * HUGE_PAGE;

    if (first < end)
        (void)madvise((void *)first, end - first, MADV_HUGEPAGE); /* where it can, no more */
}

void *host_alloc(size_t count, size_t size)
{
    void *at = calloc(count > 0 ? count : 1, size > 0 ? size : 1);

    if (at == NULL)
        host_fail("out of memory");
    if (size > 0 && count >= 2 * HUGE_PAGE / size)
        ask_for_huge_pages(at, count * size);
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
