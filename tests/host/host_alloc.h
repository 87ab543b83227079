/* Memory for the host side: zeroed, and never NULL, because a test has no use for going on. */
#ifndef SHADOWBOOT_HOST_ALLOC_H
#define SHADOWBOOT_HOST_ALLOC_H

#include <stddef.h>

#include "base/bytes.h"

/* `count` objects of `size` bytes, zeroed; the program ends when there is no memory. */
void *host_alloc(size_t count, size_t size);

/*
 * `size` bytes to be given back with host_return: memory for an arena, of which a test needs one after
 * the other. Their content is anything. The pages stay, because new ones cost more than most tests; to
 * the sanitizers memory that was given back is memory that was freed, and nothing lies behind the last
 * byte. A test that ends without giving back keeps its memory. The program ends when there is no memory.
 */
void *host_borrow(size_t size);

/* `at` is from host_borrow and still lent, or NULL. */
void host_return(void *at);

/* `old` with room for `size` bytes; what is new is not zeroed. */
void *host_grow(void *old, size_t size);

/* A copy to be freed; of zero bytes, a valid pointer. */
void *host_copy(const void *data, size_t size);
char *host_copy_text(const char *text);

/* Ends the program with `message`: the test itself is wrong. */
_Noreturn void host_fail(const char *message);

#endif
