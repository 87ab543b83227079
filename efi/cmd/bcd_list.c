/* `bcd list`: boot stores as bcdedit prints them, with devices in words. */
#include "base/text.h"
#include "bcd.h"
#include "format/bcd/bcd_value.h"
#include "model/boot_store_text.h"
#include "rows.h"

/* A store being printed. */
struct listing {
    struct context *context;
    const struct bcd_source *source;
    struct bcd_store store;
    unsigned flags; /* BCD_LIST_... */
};

/* What objects are named after; NULL where they are given by their GUIDs. */
static const struct bcd_store *namer(const struct listing *listing)
{
    return (listing->flags & BCD_LIST_GUIDS) != 0 ? NULL : &listing->store;
}

/* --- Elements ------------------------------------------------------------------------------- */

static void show_line(struct context *context, const char *name, const char *value)
{
    say(context, "%-23s %s\n", name, value);
}

/* Part `index` of a value. Statuses as bcd_value_part. */
static enum status part_of(const struct listing *listing, uint32_t type,
                           const struct bcd_element *element, size_t index, const char **ret_text)
{
    struct context *context = listing->context;

    if (bcd_format(element->code) != BCD_FORMAT_DEVICE)
        return bcd_value_part(context->arena, namer(listing), type, element, index, ret_text);
    *ret_text = index > 0 ? NULL
                          : boot_store_device_text(context->arena, &context->machine,
                                                   namer(listing), type, element->data);
    return index > 0 ? ST_ABSENT : *ret_text == NULL ? ST_NO_MEMORY : ST_OK;
}

static void value_row(const struct listing *listing, const struct bcd_object *object, uint32_t code,
                      const char *value)
{
    struct rows rows = rows_of_tables(listing->context);
    char name[BCD_CODE_NAME_SIZE];
    char number[9];
    struct text_buffer text;

    text_buffer_init(&text, number, sizeof(number));
    text_buffer_printf(&text, "%08x", code);
    row_open(&rows, ROW_BCD);
    row_text(&rows, listing->source->name);
    row_guid(&rows, &object->guid);
    row_text(&rows, number);
    row_text(&rows, bcd_code_text(object->type, code, name));
    row_text(&rows, value);
    row_close(&rows);
}

static void show_element(const struct listing *listing, const struct bcd_object *object,
                         const struct bcd_element *element)
{
    struct context *context = listing->context;
    char buffer[BCD_CODE_NAME_SIZE];
    const char *name = bcd_code_text(object->type, element->code, buffer);
    const char *text = NULL;
    enum status status = part_of(listing, object->type, element, 0, &text);

    for (size_t i = 0; i == 0 || status == ST_OK; i++) {
        if (i == 0 && status != ST_OK)
            text = status == ST_ABSENT ? "" : status_text(status);
        if (context->sfo)
            value_row(listing, object, element->code, text);
        else
            show_line(context, i == 0 ? name : "", text);
        if (status == ST_OK)
            status = part_of(listing, object->type, element, i + 1, &text);
    }
}

/* --- Objects -------------------------------------------------------------------------------- */

static void show_heading(struct context *context, const char *text)
{
    say(context, "\n%s\n", text);
    for (; *text != '\0'; text++)
        say(context, "-");
    say(context, "\n");
}

static enum status show_object(const struct listing *listing, const struct bcd_object *object)
{
    struct context *context = listing->context;
    size_t mark = arena_mark(context->arena);
    struct bcd_element element;
    enum status status = ST_OK;

    if (!context->sfo) {
        const char *name = bcd_object_text(context->arena, namer(listing), &object->guid);
        show_heading(context, bcd_heading(object->type, &object->guid));
        show_line(context, "identifier", name == NULL ? "" : name);
    }
    for (size_t i = 0; status == ST_OK; i++) {
        status = bcd_element_at(&listing->store, object, i, &element);
        if (status == ST_OK)
            show_element(listing, object, &element);
        arena_release(context->arena, mark);
    }
    return status == ST_ABSENT ? ST_OK : status;
}

/* --- The active ones ------------------------------------------------------------------------ */

/* The boot manager, and what its menu has in that order. */
static enum status show_menu(const struct listing *listing)
{
    struct bcd_object manager;
    struct bcd_object object;
    struct span order = {NULL, 0};
    struct guid guid;

    enum status status = bcd_find(&listing->store, &bcd_manager, &manager);
    if (status == ST_ABSENT && !listing->context->sfo)
        say(listing->context, "It has no {bootmgr}, so nothing starts by it. \"shadowboot bcd list "
                              "-all\" shows what it has.\n");
    if (status == ST_ABSENT)
        return ST_OK;
    if (status == ST_OK)
        status = show_object(listing, &manager);
    if (status == ST_OK &&
        bcd_element(&listing->store, &manager, BCD_DISPLAY_ORDER, &order) != ST_OK)
        return ST_OK;
    for (size_t i = 0; status == ST_OK && bcd_guid_at(order, i, &guid) == ST_OK; i++) {
        status = bcd_find(&listing->store, &guid, &object);
        if (status == ST_OK)
            status = show_object(listing, &object);
        if (status == ST_ABSENT)
            status = ST_OK;
    }
    return status;
}

/* --- All ------------------------------------------------------------------------------------ */

/* The sequence of bcdedit's sections; other applications come before settings. */
static unsigned list_rank(uint32_t type)
{
    static const uint32_t types[] = {0x10100001, 0x10100002, 0x101fffff,
                                     0x10200003, 0x10200004, 0x10200005};
    enum { COUNT = sizeof(types) / sizeof(types[0]) };

    for (unsigned i = 0; i < COUNT; i++) {
        if (types[i] == type)
            return i;
    }
    return COUNT + (type >> 28) % 4;
}

#define RANK_COUNT 10u

static enum status show_all(const struct listing *listing)
{
    size_t count = bcd_object_count(&listing->store);
    struct bcd_object object;
    enum status worst = ST_OK;

    for (unsigned rank = 0; rank < RANK_COUNT; rank++) {
        for (size_t i = 0; i < count; i++) {
            enum status status = bcd_object_at(&listing->store, i, &object);
            if (status == ST_OK && list_rank(object.type) == rank)
                status = show_object(listing, &object);
            if (status != ST_OK)
                worst = status;
        }
    }
    return worst;
}

/* --- Stores --------------------------------------------------------------------------------- */

/* Says that the store, or an object in it, cannot be read. */
static enum status report_bad(struct context *context, const struct bcd_source *source,
                              enum status status, const char *why)
{
    return report(context, status, "The boot store %s cannot be read in full: %s.", source->name,
                  why);
}

static enum status show_store(struct listing *listing)
{
    struct context *context = listing->context;

    if (listing->source->trouble != NULL)
        return report_bad(context, listing->source, ST_DAMAGED, listing->source->trouble);
    enum status status = bcd_open(context->arena, listing->source->file, &listing->store);
    if (status == ST_OK)
        status = (listing->flags & BCD_LIST_ALL) != 0 ? show_all(listing) : show_menu(listing);
    return status == ST_OK ? ST_OK
                           : report_bad(context, listing->source, status, status_text(status));
}

enum status bcd_show_stores(struct context *context, const struct bcd_source *sources, size_t count,
                            unsigned flags)
{
    enum status worst = ST_OK;

    for (size_t i = 0; i < count; i++) {
        struct listing listing = {.context = context, .source = &sources[i], .flags = flags};
        if (!context->sfo && sources[i].trouble == NULL && count > 1)
            say(context, "%sBoot store of %s\n", i == 0 ? "" : "\n", sources[i].name);
        enum status status = show_store(&listing);
        if (status != ST_OK)
            worst = status;
    }
    return worst;
}

enum status bcd_list(struct context *context)
{
    const char *on = option(context, "-on");
    const char *place = context->word_count > 1 ? context->words[1] : on;
    struct bcd_source *sources = NULL;
    size_t count = 0;

    unsigned flags = (option(context, "-all") != NULL ? BCD_LIST_ALL : 0) |
                     (context->verbose ? BCD_LIST_GUIDS : 0);

    if (on != NULL && place != on)
        return report(context, ST_USAGE,
                      "-on and the word behind list name a disk each: leave one "
                      "of them out.");
    enum status status = context_scan(context, SCAN_LISTED);
    if (status == ST_OK)
        status = bcd_find_sources(context, place, &sources, &count);
    return status == ST_OK ? bcd_show_stores(context, sources, count, flags) : status;
}
