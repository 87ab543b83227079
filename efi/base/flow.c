#include "base/flow.h"

#define LABEL_MOST  32 /* columns that a label takes at most */
#define LABEL_LEAD  4  /* a line indented as far as this is text, and has none */
#define PLAIN_HANG  2  /* of a line that gives nothing to stand under */
#define LEAST_PIECE 3  /* a piece of a long word ends at a separator behind this part of a line */

void flow_new_line(struct flow *flow)
{
    flow->column = 0;
    flow->blanks = 0;
    flow->hang = 0;
    flow->lead = 0;
    flow->begun = false;
    flow->fixed = false;
    flow->labelled = false;
}

void flow_init(struct flow *ret_flow, struct sink to, unsigned width)
{
    ret_flow->to = to;
    ret_flow->width = width < FLOW_WIDTH_MOST ? width : FLOW_WIDTH_MOST;
    ret_flow->missing = 0;
    ret_flow->word_size = 0;
    ret_flow->word_width = 0;
    ret_flow->cut_size = 0;
    ret_flow->cut_width = 0;
    ret_flow->rune = 0;
    ret_flow->rune_bytes = 0;
    flow_new_line(ret_flow);
}

static void put_blanks(struct flow *flow, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        flow->to.put(flow->to.ctx, " ", 1);
    flow->column += count;
}

static void break_line(struct flow *flow)
{
    flow->to.put(flow->to.ctx, "\n", 1);
    flow->column = 0;
    flow->blanks = 0;
    flow->fixed = true;
    put_blanks(flow, flow->hang);
}

/* Columns of a character: two for the wide ones of East Asia (Unicode Standard Annex 11). */
static unsigned rune_width(uint32_t rune)
{
    static const struct {
        uint32_t first, last;
    } wide[] = {{0x1100, 0x115f}, {0x2e80, 0xa4cf},   {0xac00, 0xd7a3},
                {0xf900, 0xfaff}, {0xfe30, 0xfe6f},   {0xff00, 0xff60},
                {0xffe0, 0xffe6}, {0x1f300, 0x1faff}, {0x20000, 0x3fffd}};

    for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++) {
        if (rune >= wide[i].first && rune <= wide[i].last)
            return 2;
    }
    return 1;
}

static bool is_mark(char byte)
{
    return byte > 0 && byte <= FLOW_MARK_LAST;
}

/* The last byte of the word that is to be seen; NUL when there is none. */
static char last_seen(const struct flow *flow)
{
    size_t end = flow->word_size;

    while (end > 0 && is_mark(flow->word[end - 1]))
        end--;
    return end > 0 ? flow->word[end - 1] : '\0';
}

/* "[damage]", "3." */
static bool is_list_mark(const struct flow *flow)
{
    char last = last_seen(flow);
    size_t at = 0;

    while (at < flow->word_size && is_mark(flow->word[at]))
        at++;
    if (at < flow->word_size && flow->word[at] == '[')
        return last == ']';
    while (at < flow->word_size && flow->word[at] >= '0' && flow->word[at] <= '9')
        at++;
    return at > 0 && at + 1 == flow->word_size && last == '.';
}

static void set_hang(struct flow *flow, unsigned hang)
{
    if (hang <= flow->width / 2)
        flow->hang = hang;
}

/* Where further lines would stand, by the first word of a line, which begins in this column. */
static void begin_line(struct flow *flow)
{
    flow->begun = true;
    flow->lead = flow->column;
    set_hang(flow, flow->lead > 0 ? flow->lead : PLAIN_HANG);
    if (!is_list_mark(flow))
        return;
    set_hang(flow, flow->column + flow->word_width + 1);
    flow->fixed = true;
}

/* The same by a further word, which begins in this column, behind so many blanks. */
static void go_on(struct flow *flow, unsigned blanks)
{
    if (flow->fixed)
        return;
    if (flow->labelled || blanks > 1)
        set_hang(flow, flow->column);
    flow->fixed = flow->labelled;
}

static void drop_word(struct flow *flow, size_t size, unsigned width)
{
    flow->word_size -= size;
    flow->word_width -= width;
    for (size_t i = 0; i < flow->word_size; i++)
        flow->word[i] = flow->word[i + size];
    flow->cut_size = 0;
    flow->cut_width = 0;
}

/* Puts the word that is held back behind what the line has, or into the next line. */
static void end_word(struct flow *flow)
{
    unsigned blanks = flow->blanks;

    if (flow->word_size == 0)
        return;
    if (flow->begun && flow->column > flow->hang && blanks > 0 &&
        flow->column + blanks + flow->word_width > flow->width)
        break_line(flow);
    else
        put_blanks(flow, blanks);
    flow->blanks = 0;
    if (!flow->begun)
        begin_line(flow);
    else
        go_on(flow, blanks);
    flow->to.put(flow->to.ctx, flow->word, flow->word_size);
    flow->column += flow->word_width;
    flow->labelled = last_seen(flow) == ':' && flow->column < LABEL_MOST && flow->lead < LABEL_LEAD;
    drop_word(flow, flow->word_size, flow->word_width);
}

/* Puts the first bytes of the word that is held back, and ends the line there. */
static void put_words(struct flow *flow, size_t size, unsigned width)
{
    put_blanks(flow, flow->blanks);
    flow->blanks = 0;
    if (!flow->begun)
        begin_line(flow);
    flow->to.put(flow->to.ctx, flow->word, size);
    flow->column += width;
    break_line(flow);
    drop_word(flow, size, width);
}

/* Divides a word that no line has room for, of whose last character these are bytes and columns:
 * behind its last separator, if that leaves no more than a short end of the line empty. */
static void divide_word(struct flow *flow, size_t last_size, unsigned last_width)
{
    unsigned start = flow->begun ? flow->hang : flow->blanks;

    if (flow->word_width <= flow->width - start)
        return;
    if (flow->begun && flow->column > flow->hang)
        break_line(flow);
    if (flow->cut_width > (flow->width - start) / LEAST_PIECE)
        put_words(flow, flow->cut_size, flow->cut_width);
    else
        put_words(flow, flow->word_size - last_size, flow->word_width - last_width);
}

static bool is_separator(uint32_t rune)
{
    return rune == ',' || rune == '/' || rune == '\\';
}

/* A character of the word that is held back has all its bytes. */
static void end_rune(struct flow *flow, size_t size)
{
    unsigned width = rune_width(flow->rune);

    flow->word_width += width;
    divide_word(flow, size, width);
    if (!is_separator(flow->rune))
        return;
    flow->cut_size = flow->word_size;
    flow->cut_width = flow->word_width;
}

/* Bytes of a character in UTF-8 by its first one; a malformed byte stands alone. */
static unsigned rune_size(uint8_t first)
{
    return first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
}

static void put_word_byte(struct flow *flow, uint8_t byte)
{
    if (flow->word_size == FLOW_WORD_SIZE)
        flow_flush(flow); /* marks without end */
    flow->word[flow->word_size++] = (char)byte;
    if (is_mark((char)byte))
        return;
    if (flow->missing > 0 && (byte & 0xc0) == 0x80) {
        flow->rune = flow->rune << 6 | (byte & 0x3f);
        flow->missing--;
    } else {
        flow->missing = rune_size(byte) - 1;
        flow->rune_bytes = flow->missing + 1;
        flow->rune = flow->missing > 0 ? byte & (0x3fu >> flow->missing) : byte;
    }
    if (flow->missing == 0)
        end_rune(flow, flow->rune_bytes);
}

void flow_flush(struct flow *flow)
{
    end_word(flow);
    put_blanks(flow, flow->blanks);
    flow->blanks = 0;
}

static void put_byte(struct flow *flow, uint8_t byte)
{
    if (byte != ' ' && byte != '\n' && byte != '\r') {
        put_word_byte(flow, byte);
        return;
    }
    if (byte == '\r')
        flow_flush(flow); /* blanks may cover what stood there before */
    end_word(flow);
    if (byte == ' ') {
        flow->blanks += flow->begun || flow->blanks < flow->width / 2;
        return;
    }
    flow->to.put(flow->to.ctx, (const char *)&byte, 1);
    flow_new_line(flow);
}

void flow_put(struct flow *flow, const char *bytes, size_t size)
{
    if (flow->width == 0) {
        flow->to.put(flow->to.ctx, bytes, size);
        return;
    }
    for (size_t i = 0; i < size; i++)
        put_byte(flow, (uint8_t)bytes[i]);
}
