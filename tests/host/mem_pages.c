#include "host/mem_pages.h"

#include <stdlib.h>
#include <string.h>

#include "host/host_alloc.h"

#define PAGE_SIZE    4096u
#define BUCKET_COUNT 1024u

struct page {
    struct page *next;
    uint64_t index;
    uint8_t bytes[PAGE_SIZE];
};

/* Pages over those of the layer below. Only a layer that nobody else refers to may change. */
struct layer {
    unsigned references;
    struct layer *below;   /* or NULL */
    struct page **buckets; /* NULL as long as there are no pages */
    uint64_t page_count;
};

struct mem_pages {
    struct layer *top; /* this one's alone */
};

static struct layer *new_layer(struct layer *below)
{
    struct layer *layer = host_alloc(1, sizeof(*layer));

    layer->references = 1;
    layer->below = below;
    if (below != NULL)
        below->references++;
    return layer;
}

static void free_pages(struct layer *layer)
{
    for (size_t i = 0; layer->buckets != NULL && i < BUCKET_COUNT; i++) {
        struct page *page = layer->buckets[i];
        while (page != NULL) {
            struct page *next = page->next;
            free(page);
            page = next;
        }
    }
    free(layer->buckets);
}

static void drop_layer(struct layer *layer)
{
    while (layer != NULL && --layer->references == 0) {
        struct layer *below = layer->below;
        free_pages(layer);
        free(layer);
        layer = below;
    }
}

struct mem_pages *mem_pages_new(void)
{
    struct mem_pages *pages = host_alloc(1, sizeof(*pages));

    pages->top = new_layer(NULL);
    return pages;
}

/* What was the top so far becomes a layer that both stand on. */
struct mem_pages *mem_pages_clone(struct mem_pages *pages)
{
    struct mem_pages *clone = host_alloc(1, sizeof(*clone));

    if (pages->top->page_count > 0) {
        struct layer *shared = pages->top;
        pages->top = new_layer(shared);
        shared->references--;
    }
    clone->top = new_layer(pages->top->below);
    return clone;
}

void mem_pages_free(struct mem_pages *pages)
{
    if (pages == NULL)
        return;
    drop_layer(pages->top);
    free(pages);
}

static struct page *page_of_layer(const struct layer *layer, uint64_t index)
{
    struct page *page = layer->buckets == NULL ? NULL : layer->buckets[index % BUCKET_COUNT];

    while (page != NULL && page->index != index)
        page = page->next;
    return page;
}

/* The bytes of a page, or NULL when it was never written. */
static const uint8_t *find_page(const struct mem_pages *pages, uint64_t index)
{
    for (const struct layer *layer = pages->top; layer != NULL; layer = layer->below) {
        const struct page *page = page_of_layer(layer, index);
        if (page != NULL)
            return page->bytes;
    }
    return NULL;
}

/* The bytes of a page that may be changed. */
static uint8_t *own_page(struct mem_pages *pages, uint64_t index)
{
    struct layer *top = pages->top;
    struct page *page = page_of_layer(top, index);

    if (page != NULL)
        return page->bytes;
    const uint8_t *old = find_page(pages, index);
    page = host_alloc(1, sizeof(*page));
    if (old != NULL)
        memcpy(page->bytes, old, PAGE_SIZE);
    if (top->buckets == NULL)
        top->buckets = host_alloc(BUCKET_COUNT, sizeof(*top->buckets));
    page->index = index;
    page->next = top->buckets[index % BUCKET_COUNT];
    top->buckets[index % BUCKET_COUNT] = page;
    top->page_count++;
    return page->bytes;
}

static const uint8_t zeros[PAGE_SIZE];

/* How many of `size` bytes from `offset` lie on the page of `offset`. */
static size_t piece_size(uint64_t offset, size_t size)
{
    size_t room = PAGE_SIZE - (size_t)(offset % PAGE_SIZE);

    return size < room ? size : room;
}

void mem_pages_write(struct mem_pages *pages, uint64_t offset, const void *data, size_t size)
{
    const uint8_t *from = data;

    while (size > 0) {
        size_t piece = piece_size(offset, size);
        bool is_zero = piece == PAGE_SIZE && memcmp(from, zeros, PAGE_SIZE) == 0;
        /* A page that nobody has written to is zero. */
        if (!is_zero || find_page(pages, offset / PAGE_SIZE) != NULL)
            memcpy(own_page(pages, offset / PAGE_SIZE) + offset % PAGE_SIZE, from, piece);
        offset += piece;
        from += piece;
        size -= piece;
    }
}

void mem_pages_read(const struct mem_pages *pages, uint64_t offset, void *ret_data, size_t size)
{
    uint8_t *to = ret_data;

    while (size > 0) {
        size_t piece = piece_size(offset, size);
        const uint8_t *page = find_page(pages, offset / PAGE_SIZE);
        if (page != NULL)
            memcpy(to, page + offset % PAGE_SIZE, piece);
        else
            memset(to, 0, piece);
        offset += piece;
        to += piece;
        size -= piece;
    }
}

/* The first byte of page `index`, not before `offset`, that differs; UINT64_MAX when none does. */
static uint64_t page_difference(const struct mem_pages *a, const struct mem_pages *b,
                                uint64_t index, uint64_t offset)
{
    const uint8_t *left = find_page(a, index);
    const uint8_t *right = find_page(b, index);
    uint64_t first = index * PAGE_SIZE;

    if (left == right)
        return UINT64_MAX;
    left = left == NULL ? zeros : left;
    right = right == NULL ? zeros : right;
    for (size_t i = offset > first ? (size_t)(offset - first) : 0; i < PAGE_SIZE; i++) {
        if (left[i] != right[i])
            return first + i;
    }
    return UINT64_MAX;
}

static bool stands_on(const struct mem_pages *pages, const struct layer *layer)
{
    for (const struct layer *own = pages->top; own != NULL; own = own->below) {
        if (own == layer)
            return true;
    }
    return false;
}

/* The first difference on pages of `a` that it does not share with `b`. */
static uint64_t walk_pages(const struct mem_pages *a, const struct mem_pages *b, uint64_t offset)
{
    uint64_t found = UINT64_MAX;

    for (const struct layer *layer = a->top; layer != NULL && !stands_on(b, layer);
         layer = layer->below) {
        for (size_t i = 0; layer->buckets != NULL && i < BUCKET_COUNT; i++) {
            for (const struct page *page = layer->buckets[i]; page != NULL; page = page->next) {
                if (page->index < offset / PAGE_SIZE || page->index > found / PAGE_SIZE)
                    continue;
                uint64_t at = page_difference(a, b, page->index, offset);
                found = at < found ? at : found;
            }
        }
    }
    return found;
}

uint64_t mem_pages_difference(const struct mem_pages *a, const struct mem_pages *b, uint64_t offset)
{
    uint64_t left = walk_pages(a, b, offset);
    uint64_t right = walk_pages(b, a, offset);

    return left < right ? left : right;
}

static uint64_t digest_of_page(uint64_t index, const uint8_t *bytes)
{
    uint64_t digest = index * 0x9e3779b97f4a7c15u + 1;

    for (size_t i = 0; i < PAGE_SIZE; i += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, bytes + i, sizeof(word));
        digest = (digest ^ word) * 0xd6e8feb86659fd93u;
        digest ^= digest >> 32;
    }
    return digest;
}

/* What a page of a layer adds to the number: nothing when it is hidden, or as in `base`. */
static uint64_t change_of_page(const struct mem_pages *pages, const struct mem_pages *base,
                               const struct page *page)
{
    const uint8_t *old = find_page(base, page->index);

    if (old == page->bytes || find_page(pages, page->index) != page->bytes)
        return 0;
    if (memcmp(page->bytes, old == NULL ? zeros : old, PAGE_SIZE) == 0)
        return 0;
    return digest_of_page(page->index, page->bytes);
}

uint64_t mem_pages_change(const struct mem_pages *pages, const struct mem_pages *base)
{
    uint64_t change = 0;

    for (const struct layer *layer = pages->top; layer != NULL; layer = layer->below) {
        for (size_t i = 0; layer->buckets != NULL && i < BUCKET_COUNT; i++) {
            for (const struct page *page = layer->buckets[i]; page != NULL; page = page->next)
                change += change_of_page(pages, base, page);
        }
    }
    return change;
}

uint64_t mem_pages_footprint(const struct mem_pages *pages)
{
    uint64_t count = 0;

    for (const struct layer *layer = pages->top; layer != NULL; layer = layer->below)
        count += layer->page_count;
    return count * sizeof(struct page);
}
