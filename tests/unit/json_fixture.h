/* JSON as RFC 8259 has it and no more than that: is a text whole, and what stands where in it. */
#ifndef SHADOWBOOT_UNIT_JSON_FIXTURE_H
#define SHADOWBOOT_UNIT_JSON_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>

/* True when all of `text` is one JSON value in UTF-8, and no object in it has a key twice. */
bool json_is_valid(const char *text, size_t size);

/*
 * The value at a place such as "disks.0.alone.verdict", as it stands there (a string in its
 * quotes); "" where there is none. `text` is valid. Valid until the next call.
 */
const char *json_at(const char *text, size_t size, const char *place);

#endif
