#include "host/host_alloc.h"

#include <sanitizer/asan_interface.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)
#define LOANS_MAX 64u
#define LOAN_STEP ((size_t)1 << 20)

struct loan {
    uint8_t *at; /* or NULL */
    size_t size; /* that of the memory, which may be more than is lent */
    bool lent;
};

static struct loan loans[LOANS_MAX];

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

/* The smallest one that is free and large enough; else one that is to be made anew, or NULL. */
static struct loan *loan_for(size_t size)
{
    struct loan *fits = NULL;
    struct loan *other = NULL;

    for (size_t i = 0; i < LOANS_MAX; i++) {
        struct loan *loan = &loans[i];
        if (loan->lent)
            continue;
        if (loan->size < size)
            other = loan;
        else if (fits == NULL || loan->size < fits->size)
            fits = loan;
    }
    return fits != NULL ? fits : other;
}

static void make_anew(struct loan *loan, size_t wanted)
{
    size_t size = LOAN_STEP;

    while (size < wanted)
        size *= 2;
    free(loan->at);
    *loan = (struct loan){.at = host_alloc(1, size), .size = size};
    ASAN_POISON_MEMORY_REGION(loan->at, size);
}

void *host_borrow(size_t size)
{
    struct loan *loan = loan_for(size > 0 ? size : 1);

    if (loan == NULL)
        host_fail("too much memory was not given back");
    if (loan->size < size || loan->at == NULL)
        make_anew(loan, size);
    loan->lent = true;
    ASAN_UNPOISON_MEMORY_REGION(loan->at, size);
    return loan->at;
}

void host_return(void *at)
{
    if (at == NULL)
        return;
    for (size_t i = 0; i < LOANS_MAX; i++) {
        if (loans[i].at == at && loans[i].lent) {
            loans[i].lent = false;
            ASAN_POISON_MEMORY_REGION(at, loans[i].size);
            return;
        }
    }
    host_fail("memory given back that was not lent");
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
