#include "format/bcd/bcd_value.h"

#include "base/builder.h"
#include "base/mem.h"
#include "base/print.h"
#include "base/text.h"

#define ALIAS_SIZE   27  /* more than any name of an object has */
#define OBJECT_UNITS 39u /* "{8-4-4-4-12}" and the closing NUL */

enum { REGISTRY_SZ = 1, REGISTRY_BINARY = 3, REGISTRY_MULTI_SZ = 7 };

const char *bcd_code_text(uint32_t type, uint32_t code, char buffer[BCD_CODE_NAME_SIZE])
{
    struct text_buffer text;
    struct bcd_name name;

    if (bcd_name_of(type, code, &name))
        return name.name;
    text_buffer_init(&text, buffer, BCD_CODE_NAME_SIZE);
    text_buffer_printf(&text, "custom:%08x", code);
    return buffer;
}

uint32_t bcd_value_type(uint32_t code)
{
    switch (bcd_format(code)) {
    case BCD_FORMAT_STRING:
    case BCD_FORMAT_OBJECT:
        return REGISTRY_SZ;
    case BCD_FORMAT_OBJECTS:
        return REGISTRY_MULTI_SZ;
    default:
        return REGISTRY_BINARY;
    }
}

/* --- Objects -------------------------------------------------------------------------------- */

static enum status default_of(const struct bcd_store *store, struct guid *ret_guid)
{
    struct bcd_object manager;
    struct span data;

    if (bcd_find(store, &bcd_manager, &manager) != ST_OK ||
        bcd_element(store, &manager, BCD_DEFAULT, &data) != ST_OK ||
        bcd_guid_at(data, 0, ret_guid) != ST_OK)
        return ST_ABSENT;
    return ST_OK;
}

const char *bcd_object_text(struct arena *arena, const struct bcd_store *store,
                            const struct guid *guid)
{
    const char *alias = store == NULL ? NULL : bcd_alias_of(guid);
    char text[GUID_TEXT_SIZE];
    struct guid standard;

    if (alias == NULL && store != NULL && default_of(store, &standard) == ST_OK &&
        guid_equal(&standard, guid))
        alias = "default";
    if (alias != NULL)
        return arena_printf(arena, "{%s}", alias);
    guid_format(guid, text);
    return arena_copy(arena, text, sizeof(text));
}

/* Without its braces; "" when it is too long for a name. */
static void strip(const char *text, char ret_name[ALIAS_SIZE])
{
    size_t length = text_length(text);
    bool braces = length >= 2 && text[0] == '{' && text[length - 1] == '}';

    if (braces)
        length -= 2;
    if (length >= ALIAS_SIZE)
        length = 0;
    memcpy(ret_name, text + braces, length);
    ret_name[length] = '\0';
}

enum status bcd_object_parse(const struct bcd_store *store, const char *text, struct guid *ret_guid)
{
    char name[ALIAS_SIZE];

    if (guid_parse(text, ret_guid) == ST_OK)
        return ST_OK;
    strip(text, name);
    if (text_equal_nocase(name, "default"))
        return default_of(store, ret_guid);
    if (text_equal_nocase(name, "current"))
        return ST_UNSUPPORTED;
    return bcd_alias_find(name, ret_guid) == ST_OK ? ST_OK : ST_USAGE;
}

enum status bcd_value_objects(struct arena *arena, uint32_t code, const struct guid *guids,
                              size_t count, struct span *ret_data)
{
    struct builder builder;
    char text[GUID_TEXT_SIZE];

    builder_in_arena(&builder, arena, (count * OBJECT_UNITS + 1) * 2);
    for (size_t i = 0; i < count; i++) {
        guid_format(&guids[i], text);
        for (size_t at = 0; at < OBJECT_UNITS; at++)
            builder_le16(&builder, (uint8_t)text[at]);
    }
    if (bcd_format(code) == BCD_FORMAT_OBJECTS)
        builder_le16(&builder, 0);
    if (builder.failed)
        return ST_NO_MEMORY;
    *ret_data = builder_span(&builder);
    return ST_OK;
}

/* --- To text -------------------------------------------------------------------------------- */

static uint64_t value_number(struct span data)
{
    uint64_t value = 0;

    for (size_t i = 0; i < data.size; i++)
        value |= (uint64_t)data.at[i] << (8 * i);
    return value;
}

/* Word `index` of the list; empty when there is none. */
static struct span word_at(const char *words, uint64_t index)
{
    size_t length = 0;

    for (; index > 0 && *words != '\0'; words++)
        index -= *words == ' ';
    while (words[length] != '\0' && words[length] != ' ')
        length++;
    return span_of(words, length);
}

static const char *number_text(struct arena *arena, enum bcd_words words, uint64_t value)
{
    struct span word = word_at(bcd_words_text(words), value);

    if (word.size > 0)
        return arena_printf(arena, "%.*s", (int)word.size, (const char *)word.at);
    return arena_printf(arena, words == WORDS_HEX ? "0x%llx" : "%llu", (unsigned long long)value);
}

static enum status one_part(struct arena *arena, enum bcd_words words,
                            const struct bcd_element *element, const char **ret_text)
{
    struct span data = element->data;

    switch (bcd_format(element->code)) {
    case BCD_FORMAT_STRING:
        *ret_text = data.size % 2 != 0 ? NULL : text_from_ucs2(arena, data);
        return data.size % 2 != 0 ? ST_DAMAGED : ST_OK;
    case BCD_FORMAT_INTEGER:
        if (data.size == 0 || data.size > 8)
            return ST_DAMAGED;
        *ret_text = number_text(arena, words, value_number(data));
        return ST_OK;
    case BCD_FORMAT_BOOLEAN:
        if (data.size != 1)
            return ST_DAMAGED;
        *ret_text = data.at[0] != 0 ? "Yes" : "No";
        return ST_OK;
    default:
        return ST_UNSUPPORTED;
    }
}

enum status bcd_value_part(struct arena *arena, const struct bcd_store *store, uint32_t type,
                           const struct bcd_element *element, size_t index, const char **ret_text)
{
    struct bcd_name name = {.words = WORDS_NONE};
    const struct span data = element->data;
    const char *text = NULL;
    struct guid guid;
    enum status status = ST_OK;

    (void)bcd_name_of(type, element->code, &name);
    switch (bcd_format(element->code)) {
    case BCD_FORMAT_OBJECT:
    case BCD_FORMAT_OBJECTS:
        status = bcd_guid_at(data, index, &guid);
        if (status == ST_OK)
            text = bcd_object_text(arena, store, &guid);
        break;
    case BCD_FORMAT_INTEGERS:
        if (data.size == 0 || data.size % 8 != 0)
            return ST_DAMAGED;
        if (index * 8 >= data.size)
            return ST_ABSENT;
        text = number_text(arena, name.words, ld_le64(data.at + index * 8));
        break;
    default:
        status = index > 0 ? ST_ABSENT : one_part(arena, name.words, element, &text);
    }
    if (status != ST_OK)
        return status;
    *ret_text = text;
    return text == NULL ? ST_NO_MEMORY : ST_OK;
}

/* --- From text ------------------------------------------------------------------------------ */

/* A number, or the word that stands for one. */
static enum status parse_number(enum bcd_words words, const char *text, uint64_t *ret_value)
{
    const char *list = bcd_words_text(words);
    struct span word = word_at(list, 0);

    for (uint64_t i = 0; word.size > 0; word = word_at(list, ++i)) {
        if (text_length(text) == word.size && text_has_prefix_nocase((const char *)word.at, text)) {
            *ret_value = i;
            return ST_OK;
        }
    }
    if (text_has_prefix_nocase(text, "0x"))
        return text_parse_number(text + 2, 16, ret_value);
    return text_parse_number(text, 10, ret_value);
}

static enum status parse_boolean(const char *text, uint8_t *ret_value)
{
    static const char *const words[2][4] = {{"no", "off", "false", "0"},
                                            {"yes", "on", "true", "1"}};

    for (uint8_t value = 0; value < 2; value++) {
        for (size_t i = 0; i < 4; i++) {
            if (text_equal_nocase(text, words[value][i])) {
                *ret_value = value;
                return ST_OK;
            }
        }
    }
    return ST_USAGE;
}

static enum status parse_objects(struct arena *arena, const struct bcd_store *store, uint32_t code,
                                 const char *const *words, size_t count, struct span *ret_data)
{
    struct guid *guids = arena_alloc(arena, count, sizeof(*guids));

    if (guids == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        if (bcd_object_parse(store, words[i], &guids[i]) != ST_OK)
            return ST_USAGE;
    }
    return bcd_value_objects(arena, code, guids, count, ret_data);
}

static enum status parse_numbers(struct arena *arena, enum bcd_words words,
                                 const char *const *texts, size_t count, struct span *ret_data)
{
    struct builder builder;
    uint64_t value = 0;

    builder_in_arena(&builder, arena, 8 * count);
    for (size_t i = 0; i < count; i++) {
        if (parse_number(words, texts[i], &value) != ST_OK)
            return ST_USAGE;
        builder_le64(&builder, value);
    }
    *ret_data = builder_span(&builder);
    return builder.failed ? ST_NO_MEMORY : ST_OK;
}

static enum status parse_one(struct arena *arena, const char *text, uint32_t code,
                             struct span *ret_data)
{
    uint8_t value = 0;

    if (bcd_format(code) == BCD_FORMAT_STRING)
        return text[0] == '\0' ? ST_USAGE : text_to_ucs2(arena, text, ret_data);
    if (bcd_format(code) != BCD_FORMAT_BOOLEAN)
        return ST_UNSUPPORTED;
    enum status status = parse_boolean(text, &value);
    if (status != ST_OK)
        return status;
    const uint8_t *copy = arena_copy(arena, &value, 1);
    *ret_data = span_of(copy, 1);
    return copy == NULL ? ST_NO_MEMORY : ST_OK;
}

/* What the element takes, for people. */
static const char *allowed_text(struct arena *arena, const struct bcd_name *name)
{
    const char *words = bcd_words_text(name->words);

    if (words[0] != '\0')
        return arena_printf(arena, "one of %s", words);
    switch (bcd_format(name->code)) {
    case BCD_FORMAT_STRING:
        return "a text";
    case BCD_FORMAT_OBJECT:
        return "an object, such as {default} or a GUID";
    case BCD_FORMAT_OBJECTS:
        return "objects, such as {default} or GUIDs, with blanks between them";
    case BCD_FORMAT_BOOLEAN:
        return "yes or no";
    default:
        return "a number, or 0x and one in hexadecimal";
    }
}

enum status bcd_value_parse(struct arena *arena, const struct bcd_store *store,
                            const struct bcd_name *name, const char *const *words, size_t count,
                            struct span *ret_data, const char **ret_allowed)
{
    unsigned format = bcd_format(name->code);
    bool is_list = format == BCD_FORMAT_OBJECTS || format == BCD_FORMAT_INTEGERS;
    enum status status = ST_USAGE;

    if (count == 1 || (is_list && count > 0)) {
        if (format == BCD_FORMAT_OBJECT || format == BCD_FORMAT_OBJECTS)
            status = parse_objects(arena, store, name->code, words, count, ret_data);
        else if (format == BCD_FORMAT_INTEGER || format == BCD_FORMAT_INTEGERS)
            status = parse_numbers(arena, name->words, words, count, ret_data);
        else
            status = parse_one(arena, words[0], name->code, ret_data);
    }
    if (status != ST_USAGE)
        return status;
    const char *allowed = allowed_text(arena, name);
    *ret_allowed = allowed == NULL ? "" : allowed;
    return status;
}
