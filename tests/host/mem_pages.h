/*
 * Sparse bytes in memory: only pages that were written take any, everything else reads as zeros.
 * A clone costs next to nothing: both share what there is, and each keeps its own changes.
 */
#ifndef SHADOWBOOT_HOST_MEM_PAGES_H
#define SHADOWBOOT_HOST_MEM_PAGES_H

#include <stddef.h>
#include <stdint.h>

struct mem_pages;

struct mem_pages *mem_pages_new(void);
struct mem_pages *mem_pages_clone(struct mem_pages *pages);
void mem_pages_free(struct mem_pages *pages);

void mem_pages_write(struct mem_pages *pages, uint64_t offset, const void *data, size_t size);
void mem_pages_read(const struct mem_pages *pages, uint64_t offset, void *ret_data, size_t size);

/* The first byte from `offset` on that differs between the two, or UINT64_MAX. */
uint64_t mem_pages_difference(const struct mem_pages *a, const struct mem_pages *b,
                              uint64_t offset);

/* A number for all that is in `pages` and not in `base`, of which it is a clone or a clone's clone:
 * the same for the same content, another for another. */
uint64_t mem_pages_change(const struct mem_pages *pages, const struct mem_pages *base);

/* Bytes of memory that hold the content, what is shared with clones included. */
uint64_t mem_pages_footprint(const struct mem_pages *pages);

#endif
