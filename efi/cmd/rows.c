#include "rows.h"

#define DIGEST_TEXT_SIZE (2 * sizeof(((struct sha256 *)0)->bytes) + 1)

struct rows rows_of_tables(struct context *context)
{
    return (struct rows){.context = context};
}

void rows_open_list(struct rows *to, enum row row)
{
    if (to->json != NULL)
        json_open_array(to->json, row_kind(row)->member);
}

void rows_close_list(struct rows *to)
{
    if (to->json != NULL)
        json_close_array(to->json);
}

void row_open(struct rows *to, enum row row)
{
    const struct row_kind *kind = row_kind(row);
    bool has_key = !kind->is_list && kind->member != NULL && kind->member[0] != '\0';

    to->next = kind->fields;
    if (to->json != NULL) {
        json_open_object(to->json, has_key ? kind->member : NULL);
        return;
    }
    sfo_begin(to->context);
    say(to->context, "%s", kind->table);
}

void row_close(struct rows *to)
{
    if (to->json != NULL)
        json_close_object(to->json);
    else
        say(to->context, "\n");
}

/* The key that the next value has in JSON, which is moved past; NULL when it is not there. */
static const char *next_member(struct rows *to)
{
    const struct row_field *field = to->next++;

    return to->json == NULL ? NULL : field->member;
}

/* Inside a column, '"' and '^' are written with a '^' before them, and a line stays one line. */
static void put_column(struct context *context, const char *value)
{
    say(context, ",\"");
    for (; value != NULL && *value != '\0'; value++) {
        if (*value == '"' || *value == '^')
            say(context, "^");
        say(context, "%c", *value == '\n' ? ' ' : *value);
    }
    say(context, "\"");
}

static bool is_column(const struct rows *to)
{
    return to->json == NULL && to->next->column != NULL;
}

void row_text(struct rows *to, const char *value)
{
    if (is_column(to))
        put_column(to->context, value);
    const char *member = next_member(to);
    if (member != NULL)
        json_text(to->json, member, value);
}

void row_number(struct rows *to, uint64_t value)
{
    row_number_or_none(to, value, true);
}

void row_number_or_none(struct rows *to, uint64_t value, bool is_known)
{
    if (!is_known) {
        row_text(to, NULL);
        return;
    }
    if (is_column(to))
        say(to->context, ",\"%llu\"", (unsigned long long)value);
    const char *member = next_member(to);
    if (member != NULL)
        json_number(to->json, member, value);
}

void row_hex(struct rows *to, uint64_t value, unsigned digits)
{
    char text[2 + 16 + 1];
    struct text_buffer buffer;

    text_buffer_init(&buffer, text, sizeof(text));
    text_buffer_printf(&buffer, "0x%0*llx", (int)digits, (unsigned long long)value);
    row_text(to, text);
}

void row_bool(struct rows *to, bool value)
{
    if (is_column(to))
        put_column(to->context, value ? "true" : "false");
    const char *member = next_member(to);
    if (member != NULL)
        json_bool(to->json, member, value);
}

void row_guid(struct rows *to, const struct guid *guid)
{
    char text[GUID_TEXT_SIZE];

    guid_format(guid, text);
    if (is_column(to))
        put_column(to->context, text);
    const char *member = next_member(to);
    if (member != NULL)
        json_guid(to->json, member, guid);
}

void row_digest(struct rows *to, struct sha256 digest)
{
    char text[DIGEST_TEXT_SIZE];
    struct text_buffer buffer;

    text_buffer_init(&buffer, text, sizeof(text));
    for (size_t i = 0; i < sizeof(digest.bytes); i++)
        text_buffer_printf(&buffer, "%02x", digest.bytes[i]);
    row_text(to, text);
}

void row_nothing(struct rows *to)
{
    if (is_column(to))
        put_column(to->context, NULL);
    (void)next_member(to);
}
