#include "format/smbios.h"

#include "base/mem.h"
#include "base/text.h"

#define HEADER_SIZE 4u
#define TYPE_SYSTEM 1u
#define TYPE_END    127u
#define TEXT_MOST   64u /* bytes that the specification wants no text to be longer than */

enum system_at { AT_MANUFACTURER = 4, AT_PRODUCT = 5, AT_SERIAL = 7, AT_UUID = 8 };

/* One structure: its fields, and the texts behind them with the zero that closes each. */
struct structure {
    struct span fields;
    struct span texts;
};

/* Cuts the structure at `*io_rest` off. Statuses: ST_OK; ST_ABSENT at the end; ST_DAMAGED. */
static enum status next_structure(struct span *io_rest, struct structure *ret_structure)
{
    struct span rest = *io_rest;
    size_t end = 0;

    if (rest.size < HEADER_SIZE || rest.at[0] == TYPE_END)
        return rest.size == 0 || rest.at[0] == TYPE_END ? ST_ABSENT : ST_DAMAGED;
    size_t length = rest.at[1];
    if (length < HEADER_SIZE || length > rest.size)
        return ST_DAMAGED;
    for (end = length; end + 2 <= rest.size; end++) {
        if (rest.at[end] == 0 && rest.at[end + 1] == 0)
            break;
    }
    if (end + 2 > rest.size)
        return ST_DAMAGED;
    *ret_structure =
        (struct structure){span_part(rest, 0, length), span_part(rest, length, end + 1 - length)};
    *io_rest = span_part(rest, end + 2, rest.size - end - 2);
    return ST_OK;
}

/* The text that the field at `at` numbers, "" for none; NULL without memory. */
static const char *text_of(struct arena *arena, const struct structure *structure, size_t at)
{
    char text[TEXT_MOST + 1];
    size_t used = 0;
    unsigned number = at < structure->fields.size ? structure->fields.at[at] : 0;
    struct span texts = structure->texts;

    for (size_t i = 0; i < texts.size && number > 0; i++) {
        if (texts.at[i] == 0)
            number--;
        else if (number == 1 && used < TEXT_MOST)
            text[used++] = (char)texts.at[i];
    }
    while (used > 0 && text[used - 1] == ' ') /* some makers fill up with blanks */
        used--;
    text[used] = '\0';
    return text_printable(arena, text);
}

static struct guid uuid_of(struct span fields)
{
    struct guid uuid = {0};
    uint8_t differ = 0;

    if (fields.size < AT_UUID + sizeof(uuid.bytes))
        return uuid;
    for (size_t i = 1; i < sizeof(uuid.bytes); i++)
        differ |= fields.at[AT_UUID + i] ^ fields.at[AT_UUID];
    if (differ != 0 || (fields.at[AT_UUID] != 0 && fields.at[AT_UUID] != 0xff))
        memcpy(uuid.bytes, fields.at + AT_UUID, sizeof(uuid.bytes));
    return uuid;
}

enum status smbios_read_system(struct arena *arena, struct span table,
                               struct smbios_system *ret_system)
{
    struct structure structure = {0};
    enum status status = ST_OK;

    do {
        status = next_structure(&table, &structure);
    } while (status == ST_OK && structure.fields.at[0] != TYPE_SYSTEM);
    if (status != ST_OK)
        return status;
    struct smbios_system system = {
        .manufacturer = text_of(arena, &structure, AT_MANUFACTURER),
        .product = text_of(arena, &structure, AT_PRODUCT),
        .serial = text_of(arena, &structure, AT_SERIAL),
        .uuid = uuid_of(structure.fields),
    };
    if (system.manufacturer == NULL || system.product == NULL || system.serial == NULL)
        return ST_NO_MEMORY;
    *ret_system = system;
    return ST_OK;
}
