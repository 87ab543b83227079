#include "cmd/json.h"

void json_start(struct json *json, struct sink sink)
{
    *json = (struct json){.sink = sink, .first = true};
}

/* Comma, line end, indentation and key in front of a value. */
static void begin_value(struct json *json, const char *key)
{
    if (json->depth > 0)
        sink_put(&json->sink, json->first ? "\n" : ",\n");
    for (unsigned i = 0; i < json->depth; i++)
        sink_put(&json->sink, "  ");
    if (key != NULL)
        sink_printf(&json->sink, "\"%s\": ", key);
    json->first = false;
}

static void open_group(struct json *json, const char *key, const char *bracket)
{
    begin_value(json, key);
    sink_put(&json->sink, bracket);
    json->depth++;
    json->first = true;
}

static void close_group(struct json *json, const char *bracket)
{
    json->depth--;
    if (!json->first) {
        sink_put(&json->sink, "\n");
        for (unsigned i = 0; i < json->depth; i++)
            sink_put(&json->sink, "  ");
    }
    sink_put(&json->sink, bracket);
    json->first = false;
}

void json_open_object(struct json *json, const char *key)
{
    open_group(json, key, "{");
}

void json_close_object(struct json *json)
{
    close_group(json, "}");
}

void json_open_array(struct json *json, const char *key)
{
    open_group(json, key, "[");
}

void json_close_array(struct json *json)
{
    close_group(json, "]");
}

void json_text(struct json *json, const char *key, const char *value)
{
    if (value == NULL) {
        json_null(json, key);
        return;
    }
    begin_value(json, key);
    sink_put(&json->sink, "\"");
    for (; *value != '\0'; value++) {
        unsigned char c = (unsigned char)*value;
        if (c == '"' || c == '\\')
            sink_printf(&json->sink, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            sink_printf(&json->sink, "\\u%04x", c);
        else
            sink_printf(&json->sink, "%c", c);
    }
    sink_put(&json->sink, "\"");
}

void json_number(struct json *json, const char *key, uint64_t value)
{
    begin_value(json, key);
    sink_printf(&json->sink, "%llu", (unsigned long long)value);
}

void json_bool(struct json *json, const char *key, bool value)
{
    begin_value(json, key);
    sink_put(&json->sink, value ? "true" : "false");
}

void json_null(struct json *json, const char *key)
{
    begin_value(json, key);
    sink_put(&json->sink, "null");
}

void json_guid(struct json *json, const char *key, const struct guid *guid)
{
    char text[GUID_TEXT_SIZE];

    if (guid_is_zero(guid)) {
        json_null(json, key);
        return;
    }
    guid_format(guid, text); /* in braces */
    begin_value(json, key);
    sink_printf(&json->sink, "\"%.36s\"", text + 1);
}

void json_finish(struct json *json)
{
    sink_put(&json->sink, "\n");
}
