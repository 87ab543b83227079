/*
 * The four memory functions that a freestanding C program may count on. The firmware build brings
 * its own, the host has the C library's; the core includes this header and never <string.h>.
 */
#ifndef SHADOWBOOT_BASE_MEM_H
#define SHADOWBOOT_BASE_MEM_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *at, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);

#endif
