#include "sweep/chance.h"

#include <string.h>

#include "host/host_alloc.h"

#define ITEM_MAX 64u

struct chance chance_of(uint64_t seed)
{
    struct chance chance = {seed * 0x2545f4914f6cdd1du + 0x9e3779b97f4a7c15u};

    (void)chance_next(&chance);
    return chance;
}

/* splitmix64 */
uint64_t chance_next(struct chance *chance)
{
    uint64_t value = chance->state += 0x9e3779b97f4a7c15u;

    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
    value = (value ^ value >> 27) * 0x94d049bb133111ebu;
    return value ^ value >> 31;
}

unsigned chance_below(struct chance *chance, unsigned count)
{
    return count == 0 ? 0 : (unsigned)(chance_next(chance) % count);
}

bool chance_percent(struct chance *chance, unsigned percent)
{
    return chance_below(chance, 100) < percent;
}

unsigned chance_weighted(struct chance *chance, const unsigned *weights, size_t count)
{
    unsigned total = 0;

    for (size_t i = 0; i < count; i++)
        total += weights[i];
    unsigned at = chance_below(chance, total);
    unsigned index = 0;
    while (index + 1 < count && at >= weights[index])
        at -= weights[index++];
    return index;
}

void chance_shuffle(struct chance *chance, void *items, size_t count, size_t size)
{
    uint8_t *at = items;
    uint8_t kept[ITEM_MAX];

    if (size > sizeof(kept))
        host_fail("items that are too large to be shuffled");
    for (size_t i = count; i > 1; i--) {
        size_t other = chance_below(chance, (unsigned)i);
        memcpy(kept, at + (i - 1) * size, size);
        memmove(at + (i - 1) * size, at + other * size, size);
        memcpy(at + other * size, kept, size);
    }
}
