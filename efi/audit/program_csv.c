#include "audit/program.h"

#include "base/text.h"

#define BYTE_ORDER_MARK 0xfeffu

static uint16_t unit_at_byte(struct span text, size_t at)
{
    return ld_le16(text.at + at);
}

/* The bytes before the first unit that is `end`, or one of the two that end lines. */
static size_t length_until(struct span text, uint16_t end)
{
    size_t at = 0;

    while (text.size - at >= 2) {
        uint16_t unit = unit_at_byte(text, at);
        if (unit == end || unit == '\r' || unit == '\n' || unit == 0)
            break;
        at += 2;
    }
    return at;
}

static struct span behind(struct span text, size_t size)
{
    return size >= text.size ? span_of(NULL, 0) : span_part(text, size, text.size - size);
}

bool program_csv_next(struct arena *arena, struct span *io_text, struct program_csv_line *ret_line)
{
    struct span text = *io_text;

    while (text.size >= 2 && (unit_at_byte(text, 0) == BYTE_ORDER_MARK ||
                              unit_at_byte(text, 0) == '\r' || unit_at_byte(text, 0) == '\n'))
        text = behind(text, 2);
    if (text.size < 2 || unit_at_byte(text, 0) == 0)
        return false;
    size_t length = length_until(text, 0);
    struct span line = span_part(text, 0, length);
    struct span file = span_part(line, 0, length_until(line, ','));
    struct span rest = behind(line, file.size + 2);
    ret_line->file = text_shown_from_ucs2(arena, file);
    ret_line->label = text_shown_from_ucs2(arena, span_part(rest, 0, length_until(rest, ',')));
    *io_text = behind(text, length);
    return ret_line->file != NULL && ret_line->label != NULL;
}
