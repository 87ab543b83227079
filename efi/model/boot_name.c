#include "model/boot_name.h"

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
