#include "cmd/context.h"

#include "base/text.h"
#include "model/boot_name.h"
#include "model/contents.h"
#include "cmd/screen.h"
#include "rows.h"

/* UEFI Specification appendix D; 20 and 21 as the UEFI Shell uses them. */
static const unsigned exit_codes[ST_COUNT] = {
    [ST_OK] = 0,        [ST_ABSENT] = 14,    [ST_DAMAGED] = 10, [ST_UNSUPPORTED] = 3,
    [ST_REFUSED] = 15,  [ST_USAGE] = 2,      [ST_EXISTS] = 20,  [ST_CHANGED] = 27,
    [ST_NO_SPACE] = 9,  [ST_READ_ONLY] = 8,  [ST_IO] = 7,       [ST_NO_MEMORY] = 9,
    [ST_TOO_SMALL] = 5, [ST_CANCELLED] = 21,
};

unsigned exit_code(enum status status)
{
    return (unsigned)status < ST_COUNT ? exit_codes[status] : 7;
}

enum status report(struct context *context, enum status status, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    const char *text = arena_vprintf(context->arena, format, arguments);
    va_end(arguments);
    if (text == NULL)
        text = status_text(status);
    screen_take_stop(context->screen); /* this is to be seen */
    if (context->sfo) {
        struct rows rows = rows_of_tables(context);
        row_open(&rows, ROW_ERROR);
        row_number(&rows, exit_code(status));
        row_text(&rows, text);
        row_close(&rows);
    } else {
        say(context, "%s: %s\n", context->command, text);
    }
    return status;
}

const char *option(const struct context *context, const char *name)
{
    for (size_t i = 0; i < context->option_count; i++) {
        if (text_equal_nocase(context->options[i].name, name))
            return context->options[i].value;
    }
    return NULL;
}

enum status read_guid(struct context *context, const char *text, struct guid *ret_guid)
{
    enum status status = guid_parse(text, ret_guid);

    if (status == ST_OK)
        return ST_OK;
    const char *shown = text_printable(context->arena, text);
    return report(context, status,
                  "\"%.64s\" is not a GUID. It has 32 hexadecimal digits, as in "
                  "{68d298c0-1b6a-01c1-507b-9e5f8078f531}. Nothing was changed.",
                  shown == NULL ? "" : shown);
}

enum status option_guid(struct context *context, const char *name, bool *ret_given,
                        struct guid *ret_guid)
{
    const char *text = option(context, name);

    *ret_given = text != NULL;
    return text == NULL ? ST_OK : read_guid(context, text, ret_guid);
}

void context_forget_contents(struct context *context)
{
    if (context->machine.contents != NULL)
        contents_give_up(context->machine.contents);
    context->machine.contents = NULL;
}

struct date_time context_now(const struct context *context)
{
    return clock_date(&context->ports->clock);
}

enum status context_scan(struct context *context, enum scan_depth depth)
{
    size_t mark = arena_mark(context->arena);

    context_forget_contents(context); /* of an earlier look */
    enum status status = scan_machine(context->arena, context->ports, depth, &context->machine);

    context->depth = depth;
    context->scan_bytes = context->arena->peak - mark;
    if (status == ST_OK)
        return ST_OK;
    return report(context, status, "This machine could not be read: %s. Nothing was changed.",
                  status_text(status));
}

/* The index meant by "Boot0005" or "5"; NO_INDEX when there is no such entry. */
static enum status parse_entry(const struct machine *machine, const char *text, size_t *ret_entry)
{
    uint16_t number = 0;
    uint64_t id = 0;

    if (text_has_prefix_nocase(text, "Boot")) {
        uint64_t value = 0;
        if (text_length(text) != 8 || text_parse_number(text + 4, 16, &value) != ST_OK)
            return ST_USAGE;
        number = (uint16_t)value;
        *ret_entry = machine_find_entry(machine, number);
        return ST_OK;
    }
    /* "0010" would be read as Boot0010 by one user and as the tenth entry by another. */
    bool ambiguous = text[0] == '0' && text[1] != '\0';
    if (ambiguous || text_parse_number(text, 10, &id) != ST_OK)
        return ST_USAGE;
    *ret_entry = id >= 1 && id <= machine->entry_count ? (size_t)id - 1 : NO_INDEX;
    return ST_OK;
}

enum status find_entry(struct context *context, const char *text, size_t *ret_entry)
{
    size_t entry = NO_INDEX;
    enum status status = parse_entry(&context->machine, text, &entry);
    const char *shown = text_printable(context->arena, text);

    if (shown == NULL)
        shown = "";
    if (status != ST_OK)
        return report(
            context, status,
            "\"%.64s\" is no boot entry. Give the id from \"shadowboot entries\" (5) or the "
            "variable's name (Boot0005). Nothing was changed.",
            shown);
    if (entry == NO_INDEX)
        return report(
            context, ST_ABSENT,
            "There is no boot entry %.64s. \"shadowboot entries\" lists them. Nothing was "
            "changed.",
            shown);
    *ret_entry = entry;
    return ST_OK;
}

static bool holds(const size_t *list, size_t count, size_t item)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i] == item)
            return true;
    }
    return false;
}

enum status find_entries(struct context *context, size_t first, size_t **ret_entries,
                         size_t *ret_count)
{
    size_t *entries = arena_alloc(context->arena, context->word_count, sizeof(*entries));
    size_t count = 0;

    if (entries == NULL)
        return report(context, ST_NO_MEMORY, "Out of memory. Nothing was changed.");
    for (size_t i = first; i < context->word_count; i++) {
        size_t entry = NO_INDEX;
        enum status status = find_entry(context, context->words[i], &entry);
        if (status != ST_OK)
            return status;
        if (!holds(entries, count, entry))
            entries[count++] = entry;
    }
    *ret_entries = entries;
    *ret_count = count;
    return ST_OK;
}
