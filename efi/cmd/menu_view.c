#include "menu_view.h"

#include "base/guid.h"
#include "format/devpath.h"

#define FRAME_ROWS   4u /* edges, the line between, and the one below with the command */
#define CHOICES_WANT 9u /* rows for choices, if there are as many */
#define ROWS_USUAL   25u
#define CHOICES_PART 3u  /* of fewer rows, one in so many */
#define UART         14u /* messaging device path nodes (10.3.4) */
#define VENDOR       10u

struct frame {
    uint16_t across;
    uint16_t down;
    uint16_t corners[2][2]; /* above and below, left and right */
    uint16_t tees[2];
};

static const struct frame ascii = {'-', '|', {{'+', '+'}, {'+', '+'}}, {'+', '+'}};
/* Unicode 2500 to 257F; UEFI Specification 12.4 asks every console for them. */
static const struct frame boxes = {
    0x2500, 0x2502, {{0x250c, 0x2510}, {0x2514, 0x2518}}, {0x251c, 0x2524}};

unsigned menu_inner_width(unsigned columns)
{
    return columns - 4;
}

static void draw_edge(struct cells *cells, unsigned row, const struct frame *frame,
                      const uint16_t ends[2], const char *title)
{
    unsigned width = cells->columns;

    cells_fill(cells, 0, row, width, frame->across, COLOUR_PLAIN[0]);
    cells_fill(cells, 0, row, 1, ends[0], COLOUR_PLAIN[0]);
    if (title[0] != '\0') {
        unsigned end = cells_put(cells, 3, row, COLOUR_TITLE[0], title);
        cells_fill(cells, 2, row, 1, ' ', COLOUR_PLAIN[0]);
        cells_fill(cells, end, row, 1, ' ', COLOUR_PLAIN[0]);
    }
    cells_fill(cells, width - 1, row, 1, ends[1], COLOUR_PLAIN[0]);
}

static void draw_sides(struct cells *cells, unsigned row, const struct frame *frame)
{
    unsigned width = cells->columns;

    cells_fill(cells, 0, row, 1, frame->down, COLOUR_PLAIN[0]);
    cells_fill(cells, width - 1, row, 1, frame->down, COLOUR_PLAIN[0]);
}

static unsigned count_rows(const char *text)
{
    unsigned rows = 0;

    for (; *text != '\0'; text++)
        rows += *text == '\n';
    return rows;
}

static const char *next_line(const char *text)
{
    while (*text != '\0' && *text != '\n')
        text++;
    return *text == '\n' ? text + 1 : text;
}

/* As much as there is room for; what is left out is said. */
static void draw_known(struct cells *cells, const struct frame *frame, const char *known,
                       unsigned rows)
{
    unsigned all = count_rows(known);

    for (unsigned i = 0; i < rows; i++) {
        bool cut = i + 1 == rows && all > rows;
        cells_put(cells, 2, 1 + i, COLOUR_PLAIN[0],
                  cut ? "... more: choose \"Everything that is known\"" : known);
        draw_sides(cells, 1 + i, frame);
        known = next_line(known);
    }
}

static void draw_choice(struct cells *cells, const struct menu_view *view, unsigned row,
                        size_t index)
{
    const struct menu_place *place = &view->state->places[view->state->depth - 1];
    const struct menu_choice *choice = &view->page->choices[index];
    bool chosen = index == place->chosen;
    char mark = chosen ? COLOUR_CHOSEN[0] : COLOUR_PLAIN[0];
    char number[16];
    struct text_buffer text;

    text_buffer_init(&text, number, sizeof(number));
    text_buffer_printf(&text, "%s%3zu  ", chosen ? ">" : " ", index + 1);
    if (chosen)
        cells_fill(cells, 1, row, cells->columns - 2, ' ', mark);
    cells_put(cells, cells_put(cells, 2, row, mark, number), row, mark, choice->text);
}

static void draw_choices(struct cells *cells, const struct menu_view *view,
                         const struct frame *frame, unsigned top, unsigned rows)
{
    size_t chosen = view->state->places[view->state->depth - 1].chosen;
    size_t first = chosen < rows ? 0 : chosen - rows + 1;

    for (unsigned i = 0; i < rows; i++) {
        if (first + i < view->page->count)
            draw_choice(cells, view, top + i, first + i);
        draw_sides(cells, top + i, frame);
    }
}

/* Which command it is, or the question. */
static void draw_below(struct cells *cells, const struct menu_view *view, unsigned row)
{
    size_t chosen = view->state->places[view->state->depth - 1].chosen;

    if (view->state->leaving) {
        cells_put(cells, 2, row, COLOUR_WARNING[0], "Leave the menu? [y/N]");
        return;
    }
    if (chosen < view->page->count && view->page->choices[chosen].act == ACT_RUN) {
        unsigned end = cells_put(cells, 2, row, COLOUR_PLAIN[0], "That is: shadowboot ");
        cells_put(cells, end, row, COLOUR_PLAIN[0], view->page->choices[chosen].line);
    }
}

void menu_draw(struct cells *cells, const struct menu_view *view)
{
    const struct frame *frame = view->boxes ? &boxes : &ascii;
    unsigned room = cells->rows - FRAME_ROWS;
    unsigned want = cells->rows < ROWS_USUAL ? cells->rows / CHOICES_PART : CHOICES_WANT;
    unsigned known = count_rows(view->known);

    if (view->page->count < want)
        want = (unsigned)view->page->count;
    if (known > room - want)
        known = room - want;
    unsigned choices = room - known;
    if (view->page->count < choices)
        choices = (unsigned)view->page->count;
    draw_edge(cells, 0, frame, frame->corners[0], "shadowboot " SHADOWBOOT_VERSION);
    draw_known(cells, frame, view->known, known);
    draw_edge(cells, 1 + known, frame, frame->tees, view->page->title);
    draw_choices(cells, view, frame, 2 + known, choices);
    draw_edge(cells, 2 + known + choices, frame, frame->corners[1],
              "Arrows or digits choose, Enter does it, Esc goes back");
    draw_below(cells, view, 3 + known + choices);
}

bool menu_has_boxes(struct span con_out)
{
    /* EFI_VT_UTF8, the only one that has no code page. */
    static const struct guid utf8 = GUID_INIT(0xad15a0d6, 0x8bec, 0x4acf, 0xa073, 0xd01de77e2d88);
    struct devpath_node node;
    bool serial = false;

    while (devpath_next(&con_out, &node) == ST_OK) {
        if (node.type == DEVPATH_MESSAGING && node.subtype == UART)
            serial = true;
        if (node.type != DEVPATH_MESSAGING || node.subtype != VENDOR || !serial)
            continue;
        struct guid kind =
            node.data.size < sizeof(kind) ? (struct guid){0} : guid_load(node.data.at);
        if (!guid_equal(&kind, &utf8))
            return false;
        serial = false;
    }
    return !serial;
}
