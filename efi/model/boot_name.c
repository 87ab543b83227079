#include "model/boot_name.h"

#include "base/builder.h"
#include "base/print.h"
#include "base/text.h"

void boot_variable_name(uint16_t number, char ret_name[VAR_NAME_SIZE])
{
    struct text_buffer text;

    text_buffer_init(&text, ret_name, VAR_NAME_SIZE);
    text_buffer_printf(&text, "Boot%04X", number);
}

bool boot_variable_number(const char *name, uint16_t *ret_number)
{
    char canonical[VAR_NAME_SIZE];
    uint64_t number = 0;

    if (text_length(name) != 8 || !text_has_prefix_nocase(name, "Boot"))
        return false;
    if (text_parse_number(name + 4, 16, &number) != ST_OK)
        return false;
    /* Firmware composes the name, so one in other letters is another variable. */
    boot_variable_name((uint16_t)number, canonical);
    if (!text_equal(name, canonical))
        return false;
    *ret_number = (uint16_t)number;
    return true;
}

#define DISK_BEGINS    " (Disk "
#define DISK_TEXT_SIZE 32

static uint16_t unit_at(struct span ucs2, size_t index)
{
    return ld_le16(ucs2.at + index * 2);
}

/* Units of a description before an ending " (Disk N)", or before its NUL. */
static size_t length_without_disk(struct span ucs2)
{
    static const char begins[] = DISK_BEGINS;
    size_t length = ucs2.size / 2 - 1;
    size_t at = length;

    if (at == 0 || unit_at(ucs2, at - 1) != ')')
        return length;
    for (at--; at > 0 && unit_at(ucs2, at - 1) >= '0' && unit_at(ucs2, at - 1) <= '9'; at--)
        continue;
    size_t digits = length - 1 - at;
    if (digits == 0 || at < sizeof(begins) - 1)
        return length;
    at -= sizeof(begins) - 1;
    for (size_t i = 0; i < sizeof(begins) - 1; i++) {
        if (unit_at(ucs2, at + i) != (uint8_t)begins[i])
            return length;
    }
    return at;
}

enum status boot_description_on_disk(struct arena *arena, struct span ucs2, size_t disk,
                                     struct span *ret_ucs2)
{
    char ending[DISK_TEXT_SIZE];
    struct text_buffer text;
    struct builder builder;

    text_buffer_init(&text, ending, sizeof(ending));
    text_buffer_printf(&text, DISK_BEGINS "%zu)", disk);
    builder_in_arena(&builder, arena, ucs2.size + sizeof(ending) * 2);
    builder_bytes(&builder, span_part(ucs2, 0, length_without_disk(ucs2) * 2));
    for (const char *at = ending; *at != '\0'; at++)
        builder_le16(&builder, (uint8_t)*at);
    builder_le16(&builder, 0);
    if (builder.failed)
        return ST_NO_MEMORY;
    *ret_ucs2 = builder_span(&builder);
    return ST_OK;
}
