#include "base/bytes.h"

#include "base/mem.h"

bool span_equal(struct span a, struct span b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.at, b.at, a.size) == 0);
}

bool span_is_zero(struct span span)
{
    size_t i = 0;

    for (; span.size - i >= sizeof(uint64_t); i += sizeof(uint64_t)) {
        if (ld_le64(span.at + i) != 0)
            return false;
    }
    while (i < span.size && span.at[i] == 0)
        i++;
    return i == span.size;
}
