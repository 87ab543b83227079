#include "base/sort.h"

#include <stdbool.h>

struct sorting {
    size_t *items;
    sort_compare *compare;
    const void *ctx;
};

static bool before(const struct sorting *s, size_t a, size_t b)
{
    int order = s->compare(s->ctx, s->items[a], s->items[b]);

    return order < 0 || (order == 0 && s->items[a] < s->items[b]);
}

static void swap(size_t *a, size_t *b)
{
    size_t kept = *a;

    *a = *b;
    *b = kept;
}

/* Lets the item at `root` sink in the heap of `count` items until no child comes after it. */
static void sink_item(const struct sorting *s, size_t root, size_t count)
{
    while (root * 2 + 1 < count) {
        size_t child = root * 2 + 1;
        if (child + 1 < count && before(s, child, child + 1))
            child++;
        if (!before(s, root, child))
            return;
        swap(&s->items[root], &s->items[child]);
        root = child;
    }
}

/* As most lists of files are when they come. */
static bool is_in_order(const struct sorting *s, size_t count)
{
    size_t i = 1;

    while (i < count && !before(s, i, i - 1))
        i++;
    return i >= count;
}

void sort_items(size_t *items, size_t count, sort_compare *compare, const void *ctx)
{
    struct sorting s = {items, compare, ctx};

    if (is_in_order(&s, count))
        return;
    for (size_t root = count / 2; root > 0; root--)
        sink_item(&s, root - 1, count);
    for (size_t end = count; end > 1; end--) {
        swap(&items[0], &items[end - 1]);
        sink_item(&s, 0, end - 1);
    }
}

void sort_range(size_t *ret_items, size_t first, size_t count, sort_compare *compare,
                const void *ctx)
{
    for (size_t i = 0; i < count; i++)
        ret_items[i] = first + i;
    sort_items(ret_items, count, compare, ctx);
}

size_t *sort_order(struct arena *arena, size_t count, sort_compare *compare, const void *ctx)
{
    size_t *order = arena_alloc(arena, count, sizeof(*order));

    if (order != NULL)
        sort_range(order, 0, count, compare, ctx);
    return order;
}
