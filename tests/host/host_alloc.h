/* Memory for the host side: zeroed, and never NULL, because a test has no use for going on. */
#ifndef SHADOWBOOT_HOST_ALLOC_H
#define SHADOWBOOT_HOST_ALLOC_H

#include <stddef.h>

#include "base/bytes.h"

/* `count` objects of `size` bytes, zeroed; the program ends when there is no memory. */
void *host_alloc(size_t count, size_t size);

/* `old` with room for `size` bytes; what is new is not zeroed. */
void *host_grow(void *old, size_t size);

/* A copy to be freed; of zero bytes, a valid pointer. */
void *host_copy(const void *data, size_t size);
char *host_copy_text(const char *text);

/* Ends the program with `message`: the test itself is wrong. */
_Noreturn void host_fail(const char *message);

#endif
