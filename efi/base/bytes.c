#include "base/bytes.h"

#include "base/mem.h"

bool span_equal(struct span a, struct span b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.at, b.at, a.size) == 0);
}

bool span_is_zero(struct span span)
{
    for (size_t i = 0; i < span.size; i++) {
        if (span.at[i] != 0)
            return false;
    }
    return true;
}
