#include "host/var_rules.h"

#include <string.h>

#include "port/vars.h"

#define BS_RT (VAR_BOOT_SERVICE | VAR_RUNTIME)

static bool is_device_path_list(struct span list)
{
    size_t at = 0;
    bool closed = false;

    while (at < list.size) {
        if (list.size - at < 4)
            return false;
        size_t length = ld_le16(list.at + at + 2);
        if (length < 4 || length > list.size - at)
            return false;
        closed = list.at[at] == 0x7f && list.at[at + 1] == 0xff;
        if (closed && length != 4)
            return false;
        at += length;
    }
    return closed;
}

/* Where the optional data of a load option starts, or 0 when the option is malformed. */
static size_t optional_data_offset(struct span data)
{
    if (data.size < 6)
        return 0;
    size_t list_size = ld_le16(data.at + 4);
    size_t at = 6;
    while (data.size - at >= 2 && ld_le16(data.at + at) != 0)
        at += 2;
    if (data.size - at < 2)
        return 0;
    at += 2;
    if (list_size > data.size - at || !is_device_path_list(span_of(data.at + at, list_size)))
        return 0;
    return at + list_size;
}

bool var_rules_load_option(struct span data)
{
    return optional_data_offset(data) != 0;
}

bool var_rules_is_auto_created(struct span data)
{
    static const uint8_t mark[16] = {0x4e, 0xac, 0x08, 0x81, 0x11, 0x9f, 0x59, 0x4d,
                                     0x85, 0x0e, 0xe2, 0x1a, 0x52, 0x2c, 0x59, 0xb2};
    size_t at = optional_data_offset(data);

    return at != 0 && data.size - at == sizeof(mark) && memcmp(data.at + at, mark, 16) == 0;
}

static bool is_key_option(struct span data)
{
    return data.size >= 10;
}

static bool is_u16(struct span data)
{
    return data.size == 2;
}

static bool is_u16_list(struct span data)
{
    return data.size % 2 == 0;
}

static bool is_u32(struct span data)
{
    return data.size == 4;
}

static bool is_u64(struct span data)
{
    return data.size == 8;
}

static bool is_flag(struct span data)
{
    return data.size == 1;
}

static bool is_anything(struct span data)
{
    return data.size > 0;
}

/* Names ending in "####" stand for that many numbered variables. */
static const struct rule {
    const char *name;
    uint32_t attributes;
    bool (*check)(struct span data);
} rules[] = {
    {"Boot####", VAR_BOOT_OPTION, var_rules_load_option},
    {"Driver####", VAR_BOOT_OPTION, var_rules_load_option},
    {"SysPrep####", VAR_BOOT_OPTION, var_rules_load_option},
    {"Key####", VAR_BOOT_OPTION, is_key_option},
    {"PlatformRecovery####", BS_RT, var_rules_load_option},
    {"BootOrder", VAR_BOOT_OPTION, is_u16_list},
    {"DriverOrder", VAR_BOOT_OPTION, is_u16_list},
    {"SysPrepOrder", VAR_BOOT_OPTION, is_u16_list},
    {"BootNext", VAR_BOOT_OPTION, is_u16},
    {"Timeout", VAR_BOOT_OPTION, is_u16},
    {"BootCurrent", BS_RT, is_u16},
    {"BootOptionSupport", BS_RT, is_u32},
    {"OsIndications", VAR_BOOT_OPTION, is_u64},
    {"OsIndicationsSupported", BS_RT, is_u64},
    {"SecureBoot", BS_RT, is_flag},
    {"SetupMode", BS_RT, is_flag},
    {"Lang", VAR_BOOT_OPTION, is_anything},
    {"LangCodes", BS_RT, is_anything},
    {"PlatformLang", VAR_BOOT_OPTION, is_anything},
    {"PlatformLangCodes", BS_RT, is_anything},
    {"ConIn", VAR_BOOT_OPTION, is_device_path_list},
    {"ConOut", VAR_BOOT_OPTION, is_device_path_list},
    {"ErrOut", VAR_BOOT_OPTION, is_device_path_list},
};

static bool is_upper_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
}

static bool name_matches(const char *pattern, const char *name)
{
    for (; *pattern != 0; pattern++, name++) {
        if (*pattern == '#' ? !is_upper_hex(*name) : *pattern != *name)
            return false;
    }
    return *name == 0;
}

bool var_rules_accept(const char *name, uint32_t attributes, struct span data)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (name_matches(rules[i].name, name))
            return attributes == rules[i].attributes && rules[i].check(data);
    }
    return false;
}

int var_rules_boot_number(const char *name)
{
    int number = 0;

    if (!name_matches("Boot####", name))
        return -1;
    for (const char *digit = name + 4; *digit != 0; digit++)
        number = number * 16 + (*digit <= '9' ? *digit - '0' : *digit - 'A' + 10);
    return number;
}
