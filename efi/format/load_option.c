#include "format/load_option.h"

#include "base/builder.h"
#include "base/guid.h"
#include "base/mem.h"
#include "format/devpath.h"

#define FIXED_SIZE 6u /* attributes and list length */

/* Bytes of the UCS-2 text at the start of `bytes`, its NUL included; 0 when it has no end. */
static size_t description_size(struct span bytes)
{
    for (size_t at = 0; at + 2 <= bytes.size; at += 2) {
        if (ld_le16(bytes.at + at) == 0)
            return at + 2;
    }
    return 0;
}

/* Checks that `paths` is whole device paths from end to end and gives the first. */
static enum status check_paths(struct span paths, struct span *ret_first)
{
    struct span rest = paths;
    struct span path;

    do {
        if (devpath_take(rest, &path) != ST_OK)
            return ST_DAMAGED;
        rest = span_part(rest, path.size, rest.size - path.size);
    } while (rest.size > 0);
    return devpath_take(paths, ret_first);
}

enum status load_option_parse(struct span value, struct load_option *ret_option)
{
    struct load_option option;

    if (value.size < FIXED_SIZE)
        return ST_DAMAGED;
    option.attributes = ld_le32(value.at);
    size_t list_size = ld_le16(value.at + 4);
    struct span rest = span_part(value, FIXED_SIZE, value.size - FIXED_SIZE);
    size_t text_size = description_size(rest);
    if (text_size == 0)
        return ST_DAMAGED;
    option.description = span_part(rest, 0, text_size);
    rest = span_part(rest, text_size, rest.size - text_size);
    if (list_size > rest.size)
        return ST_DAMAGED;
    option.paths = span_part(rest, 0, list_size);
    option.optional = span_part(rest, list_size, rest.size - list_size);
    if (check_paths(option.paths, &option.path) != ST_OK)
        return ST_DAMAGED;
    *ret_option = option;
    return ST_OK;
}

/* True when firmware will take `value` apart into the pieces of `option`. */
static bool reads_back(struct span value, const struct load_option *option)
{
    struct load_option again;

    return load_option_parse(value, &again) == ST_OK &&
           span_equal(again.description, option->description) &&
           span_equal(again.paths, option->paths) && span_equal(again.optional, option->optional);
}

enum status load_option_build(struct arena *arena, const struct load_option *option,
                              struct span *ret_value)
{
    struct builder builder;
    size_t mark = arena_mark(arena);

    if (option->paths.size > UINT16_MAX)
        return ST_REFUSED;
    builder_in_arena(&builder, arena,
                     FIXED_SIZE + option->description.size + option->paths.size +
                         option->optional.size);
    if (builder.failed)
        return ST_NO_MEMORY;
    builder_le32(&builder, option->attributes);
    builder_le16(&builder, (uint16_t)option->paths.size);
    builder_bytes(&builder, option->description);
    builder_bytes(&builder, option->paths);
    builder_bytes(&builder, option->optional);
    if (!reads_back(builder_span(&builder), option)) {
        arena_release(arena, mark);
        return ST_REFUSED;
    }
    *ret_value = builder_span(&builder);
    return ST_OK;
}

bool load_option_is_auto_created(const struct load_option *option)
{
    static const struct guid marker = GUID_INIT(0x8108ac4e, 0x9f11, 0x4d59, 0x850e, 0xe21a522c59b2);

    return span_equal(option->optional, span_of(marker.bytes, sizeof(marker.bytes)));
}
