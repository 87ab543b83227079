/*
 * JSON (RFC 8259), written piece by piece into a sink. Commas, line ends and indentation come by
 * themselves; texts are escaped. Inside an object every value has a key, inside an array none
 * (NULL).
 */
#ifndef SHADOWBOOT_CMD_JSON_H
#define SHADOWBOOT_CMD_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/guid.h"
#include "base/print.h"

struct json {
    struct sink sink;
    unsigned depth;
    bool first; /* nothing was written yet in the innermost object or array */
};

void json_start(struct json *json, struct sink sink);

void json_open_object(struct json *json, const char *key);
void json_close_object(struct json *json);
void json_open_array(struct json *json, const char *key);
void json_close_array(struct json *json);

/* A text in UTF-8; null for NULL. */
void json_text(struct json *json, const char *key, const char *value);

/* As a number; numbers above 2^53 lose digits in some readers, and stay exact here. */
void json_number(struct json *json, const char *key, uint64_t value);
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);

/* As 8-4-4-4-12 digits without braces; null for the zero GUID. */
void json_guid(struct json *json, const char *key, const struct guid *guid);

/* The last line's end. */
void json_finish(struct json *json);

#endif
