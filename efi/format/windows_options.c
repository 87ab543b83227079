#include "format/windows_options.h"

#include "base/builder.h"
#include "base/mem.h"
#include "base/text.h"

#define VERSION          1u
#define LOAD_OPTIONS_AT  0x14u /* size of the fixed head */
#define PATH_HEADER      12u
#define GUID_DIGITS      36u /* 8-4-4-4-12 with its hyphens */
#define OBJECT_NAME      "BCDOBJECT="
#define OBJECT_NAME_SIZE (sizeof(OBJECT_NAME) - 1)
#define FILE_NODE_EXTRA  4u /* header of a file path node */
#define END_NODE_SIZE    4u

static const uint8_t signature[8] = {'W', 'I', 'N', 'D', 'O', 'W', 'S', 0};

bool windows_options_present(struct span optional)
{
    return span_equal(span_part(optional, 0, sizeof(signature)),
                      span_of(signature, sizeof(signature)));
}

/* The UCS-2 text at the start of `bytes` with its NUL; empty when it has no end. */
static struct span text_with_nul(struct span bytes)
{
    for (size_t at = 0; at + 2 <= bytes.size; at += 2) {
        if (ld_le16(bytes.at + at) == 0)
            return span_part(bytes, 0, at + 2);
    }
    return span_of(NULL, 0);
}

/* The OS path at `offset` of `whole`, which ends where the length field says. */
static enum status parse_os_path(struct span whole, size_t offset,
                                 struct windows_options *io_options)
{
    struct span rest = span_part(whole, offset, whole.size - offset);

    if (rest.size < PATH_HEADER)
        return ST_DAMAGED;
    uint32_t length = ld_le32(rest.at + 4);
    if (length < PATH_HEADER || length > rest.size)
        return ST_DAMAGED;
    if (ld_le32(rest.at) != VERSION)
        return ST_UNSUPPORTED;
    io_options->path_type = ld_le32(rest.at + 8);
    io_options->path_data = span_part(rest, PATH_HEADER, length - PATH_HEADER);
    io_options->path_data_offset = offset + PATH_HEADER;
    if (io_options->path_type != WINDOWS_PATH_EFI)
        return ST_OK;
    return devpath_take(io_options->path_data, &io_options->path_data);
}

enum status windows_options_parse(struct span optional, struct windows_options *ret_options)
{
    struct windows_options options;

    if (!windows_options_present(optional))
        return ST_ABSENT;
    if (optional.size < LOAD_OPTIONS_AT)
        return ST_DAMAGED;
    uint32_t length = ld_le32(optional.at + 0x0c);
    uint32_t offset = ld_le32(optional.at + 0x10);
    if (length > optional.size || offset <= LOAD_OPTIONS_AT || offset > length)
        return ST_DAMAGED;
    if (ld_le32(optional.at + 8) != VERSION)
        return ST_UNSUPPORTED;
    struct span text = span_part(optional, LOAD_OPTIONS_AT, offset - LOAD_OPTIONS_AT);
    options.load_options = text_with_nul(text);
    if (options.load_options.size == 0)
        return ST_DAMAGED;
    enum status status = parse_os_path(span_part(optional, 0, length), offset, &options);
    if (status == ST_OK)
        *ret_options = options;
    return status;
}

/*
 * The character whose bytes stand at `at`, when characters are `width` bytes; '\0' outside the data
 * and for one that is not ASCII.
 */
static char char_at(struct span data, uint64_t at, unsigned width)
{
    if (!span_holds(data, at, width) || data.at[at] >= 0x80)
        return '\0';
    return width == 2 && data.at[at + 1] != 0 ? '\0' : (char)data.at[at];
}

/* True for what could make a run of digits a longer name that only contains the GUID. */
static bool continues_guid(char c)
{
    return c == '-' || text_hex_digit(c) >= 0;
}

/* True when the 36 characters of the GUID, and no more of the kind, stand at `at`. */
static bool guid_text_at(struct span data, size_t at, unsigned width, const char *digits)
{
    for (unsigned i = 0; i < GUID_DIGITS; i++) {
        char c = char_at(data, at + (uint64_t)i * width, width);
        if (text_lower(c) != digits[i])
            return false;
    }
    if (at >= width && continues_guid(char_at(data, at - width, width)))
        return false;
    return !continues_guid(char_at(data, at + (uint64_t)GUID_DIGITS * width, width));
}

/*
 * Finds the text of a GUID at or after `*io_at`, in ASCII or UCS-2. True with its place and the
 * bytes of a character. `digits` is in lower case.
 */
static bool find_guid_text(struct span data, const char *digits, size_t *io_at, unsigned *ret_width)
{
    for (size_t at = *io_at; at < data.size; at++) {
        for (unsigned width = 1; width <= 2; width++) {
            if (guid_text_at(data, at, width, digits)) {
                *io_at = at;
                *ret_width = width;
                return true;
            }
        }
    }
    return false;
}

bool optional_data_mentions_guid_text(struct span data, const struct guid *guid)
{
    char text[GUID_TEXT_SIZE];
    size_t at = 0;
    unsigned width = 0;

    guid_format(guid, text);
    return find_guid_text(data, text + 1, &at, &width);
}

bool windows_options_mention_guid(const struct windows_options *options, const struct guid *guid)
{
    if (options->path_type == WINDOWS_PATH_EFI)
        return devpath_mentions_guid(options->path_data, guid);
    if (options->path_type == WINDOWS_PATH_ARC_SIGNATURE)
        return optional_data_mentions_guid_text(options->path_data, guid);
    return false;
}

/* True when `name` stands at `at`, in any case. */
static bool name_at(struct span ucs2, size_t at, const char *name)
{
    for (; *name != '\0'; name++, at += 2) {
        if (text_lower(char_at(ucs2, at, 2)) != text_lower(*name))
            return false;
    }
    return true;
}

/* The "{guid}" at `at`. */
static enum status braced_guid_at(struct span ucs2, size_t at, struct guid *ret_guid)
{
    char text[GUID_TEXT_SIZE];

    for (size_t i = 0; i + 1 < sizeof(text); i++)
        text[i] = char_at(ucs2, at + i * 2, 2);
    text[sizeof(text) - 1] = '\0';
    return text[0] == '{' ? guid_parse(text, ret_guid) : ST_ABSENT;
}

bool windows_options_bcd_object(const struct windows_options *options, struct guid *ret_object)
{
    struct span text = options->load_options;

    for (size_t at = 0; at < text.size; at += 2) {
        if (name_at(text, at, OBJECT_NAME) &&
            braced_guid_at(text, at + 2 * OBJECT_NAME_SIZE, ret_object) == ST_OK)
            return true;
    }
    return false;
}

/* Overwrites the hard drive nodes of the source in the device path at `path`. */
static void rewrite_nodes(uint8_t *path, size_t size, const struct devpath_retarget *how)
{
    struct span rest = span_of(path, size);
    struct devpath_node node;
    struct hd_node hd;

    while (devpath_next(&rest, &node) == ST_OK) {
        if (!devpath_node_hd(&node, &hd) || !hd_node_has_guid(&hd, &how->source))
            continue;
        struct builder builder;
        builder_init(&builder, path + (node.whole.at - path), HD_NODE_SIZE);
        devpath_put_hd(&builder, &how->target);
    }
}

/* Overwrites the source's GUID with the target's where it stands as text. */
static void rewrite_text(uint8_t *data, size_t size, const struct devpath_retarget *how)
{
    struct guid target = guid_load(how->target.signature);
    char from[GUID_TEXT_SIZE];
    char to[GUID_TEXT_SIZE];
    size_t at = 0;
    unsigned width = 0;

    guid_format(&how->source, from);
    guid_format(&target, to);
    while (find_guid_text(span_of(data, size), from + 1, &at, &width)) {
        for (size_t i = 0; i < GUID_DIGITS; i++)
            data[at + i * width] = (uint8_t)to[1 + i];
        at += GUID_DIGITS * width;
    }
}

enum status windows_options_retarget(struct arena *arena, struct span optional,
                                     const struct devpath_retarget *how, struct span *ret_optional)
{
    struct windows_options options;
    enum status status = windows_options_parse(optional, &options);

    if (status != ST_OK)
        return status;
    uint8_t *copy = arena_copy(arena, optional.at, optional.size);
    if (copy == NULL)
        return ST_NO_MEMORY;
    uint8_t *data = copy + options.path_data_offset;
    if (options.path_type == WINDOWS_PATH_EFI)
        rewrite_nodes(data, options.path_data.size, how);
    else if (options.path_type == WINDOWS_PATH_ARC_SIGNATURE &&
             how->target.signature_type == HD_SIGNATURE_GUID)
        rewrite_text(data, options.path_data.size, how);
    *ret_optional = span_of(copy, optional.size);
    return ST_OK;
}

/* True when `ucs2` is one text with its only NUL unit at its end. */
static bool is_whole_text(struct span ucs2)
{
    return ucs2.size > 0 && text_with_nul(ucs2).size == ucs2.size;
}

enum status windows_options_build(struct arena *arena, struct span load_options,
                                  const struct hd_node *hd, struct span directory,
                                  struct span *ret_optional)
{
    struct builder builder;
    size_t path_size =
        PATH_HEADER + HD_NODE_SIZE + FILE_NODE_EXTRA + directory.size + END_NODE_SIZE;
    uint64_t offset = ((uint64_t)LOAD_OPTIONS_AT + load_options.size + 3) / 4 * 4;

    if (!is_whole_text(load_options) || !is_whole_text(directory) ||
        directory.size > UINT16_MAX - FILE_NODE_EXTRA || offset > UINT32_MAX - path_size)
        return ST_REFUSED;
    builder_in_arena(&builder, arena, (size_t)offset + path_size);
    if (builder.failed)
        return ST_NO_MEMORY;
    builder_bytes(&builder, span_of(signature, sizeof(signature)));
    builder_le32(&builder, VERSION);
    builder_le32(&builder, (uint32_t)(offset + path_size));
    builder_le32(&builder, (uint32_t)offset);
    builder_bytes(&builder, load_options);
    builder_align(&builder, 4);
    builder_le32(&builder, VERSION);
    builder_le32(&builder, (uint32_t)path_size);
    builder_le32(&builder, WINDOWS_PATH_EFI);
    devpath_put_hd(&builder, hd);
    devpath_put_file(&builder, directory);
    devpath_put_end(&builder);
    *ret_optional = builder_span(&builder);
    return ST_OK;
}
