#include "format/pe_levels.h"

#include "base/mem.h"
#include "pe_piece.h"

#define NUMBER_SIZE 4u
#define PREFIX      "sbat,1,"
#define PREFIX_SIZE (sizeof(PREFIX) - 1)
#define DAY_SIZE    10u /* year, month, day, number of the list on that day */

void pe_levels_start(struct pe_levels *levels, struct span start, const struct pe_headers *headers)
{
    levels->count = 0;
    levels->next = 0;
    levels->used = 0;
    memset(levels->bytes, 0, sizeof(levels->bytes));
    for (size_t i = 0; i < headers->section_count && levels->count < PE_LEVELS_SECTIONS; i++) {
        struct pe_section section = pe_headers_section(start, headers, i);
        if (section.name.at[0] != '/')
            continue;
        levels->places[levels->count] = section.offset;
        levels->sizes[levels->count++] =
            section.size < PE_LEVELS_SIZE ? (size_t)section.size : PE_LEVELS_SIZE;
    }
}

/* The day in the first line; empty where that is of another form. */
static struct span day_of(struct span levels)
{
    struct span prefix = span_of(PREFIX, PREFIX_SIZE);

    if (levels.size < PREFIX_SIZE + DAY_SIZE ||
        !span_equal(span_part(levels, 0, PREFIX_SIZE), prefix))
        return span_of(NULL, 0);
    return span_part(levels, PREFIX_SIZE, DAY_SIZE);
}

void pe_levels_feed(struct pe_levels *levels, struct span piece, uint64_t at)
{
    while (levels->next < levels->count) {
        size_t wanted = levels->sizes[levels->next];
        piece_capture(piece, at, levels->places[levels->next], levels->bytes, wanted,
                      &levels->used);
        if (levels->used < wanted || day_of(pe_levels_text(levels->bytes, false)).size > 0)
            return;
        levels->next++;
        levels->used = 0;
        memset(levels->bytes, 0, sizeof(levels->bytes));
    }
}

struct span pe_levels_text(const uint8_t *bytes, bool latest)
{
    uint32_t place = ld_le32(bytes + (latest ? 2 : 1) * NUMBER_SIZE);
    struct span all = span_of(bytes + NUMBER_SIZE, PE_LEVELS_SIZE - NUMBER_SIZE);
    size_t end = place;

    if (ld_le32(bytes) != 0 || place < 2 * NUMBER_SIZE || place >= all.size)
        return span_of(NULL, 0);
    while (end < all.size && all.at[end] != '\0')
        end++;
    return end < all.size ? span_part(all, place, end - place) : span_of(NULL, 0);
}

bool pe_levels_are_newer(struct span own, struct span now)
{
    struct span day = day_of(own);
    struct span before = day_of(now);

    return day.size > 0 && (before.size == 0 || memcmp(day.at, before.at, DAY_SIZE) > 0);
}
