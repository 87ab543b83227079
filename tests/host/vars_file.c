#define _POSIX_C_SOURCE 200809L

#include "host/vars_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "host/host_alloc.h"

static const struct guid global_vendor = VAR_GLOBAL_VENDOR;

/* Two hexadecimal digits at `text`, or -1. */
static int hex_byte(const char *text)
{
    int high = text_hex_digit(text[0]);
    int low = high < 0 ? -1 : text_hex_digit(text[1]);

    return low < 0 ? -1 : high * 16 + low;
}

/* Takes %XX out of `name` in place; false when one is malformed or gives a NUL. */
static bool unescape(char *name)
{
    char *to = name;

    for (const char *from = name; *from != 0; from++, to++) {
        *to = *from;
        if (*from != '%')
            continue;
        int value = hex_byte(from + 1);
        if (value <= 0)
            return false;
        *to = (char)value;
        from += 2;
    }
    *to = 0;
    return true;
}

/* Takes "{VENDOR}/" off `*io_name`. */
static bool take_vendor(char **io_name, struct guid *ret_vendor)
{
    char *slash = strchr(*io_name, '/');

    if (slash == NULL) {
        *ret_vendor = global_vendor;
        return true;
    }
    *slash = 0;
    if (guid_parse(*io_name, ret_vendor) != ST_OK)
        return false;
    *io_name = slash + 1;
    return true;
}

/* Turns hexadecimal digits into bytes in place; -1 when there is anything else. */
static long unhex(char *text)
{
    size_t length = strlen(text);

    if (strcmp(text, "-") == 0)
        return 0;
    if (length % 2 != 0)
        return -1;
    for (size_t i = 0; i < length / 2; i++) {
        int value = hex_byte(text + 2 * i);
        if (value < 0)
            return -1;
        text[i] = (char)value;
    }
    return (long)(length / 2);
}

static bool load_line(struct mem_vars *vars, char *line)
{
    char *rest = NULL;
    char *name = strtok_r(line, " \t\r\n", &rest);
    char *attributes = strtok_r(NULL, " \t\r\n", &rest);
    char *data = strtok_r(NULL, " \t\r\n", &rest);
    struct guid vendor;
    uint64_t bits = 0;

    if (name == NULL || name[0] == '#')
        return true;
    if (attributes == NULL || data == NULL || strtok_r(NULL, " \t\r\n", &rest) != NULL)
        return false;
    if (!take_vendor(&name, &vendor) || !unescape(name) || name[0] == 0)
        return false;
    if (text_parse_number(attributes, 16, &bits) != ST_OK || bits > UINT32_MAX)
        return false;
    long size = unhex(data);
    if (size < 0 || mem_vars_find(vars, &vendor, name) != NULL)
        return false;
    mem_vars_put(vars, &vendor, name, (uint32_t)bits, data, (size_t)size);
    return true;
}

static enum status load_lines(FILE *from, struct mem_vars *vars, unsigned *ret_line)
{
    char *line = NULL;
    size_t room = 0;
    unsigned number = 0;
    bool good = true;

    while (good && getline(&line, &room, from) >= 0) {
        number++;
        good = load_line(vars, line);
    }
    free(line);
    if (good)
        return ferror(from) ? ST_IO : ST_OK;
    if (ret_line != NULL)
        *ret_line = number;
    return ST_DAMAGED;
}

enum status vars_file_load(const char *file, uint64_t total, struct mem_vars **ret_vars,
                           unsigned *ret_line)
{
    FILE *from = fopen(file, "r");

    if (from == NULL)
        return errno == ENOENT ? ST_ABSENT : ST_IO;
    struct mem_vars *vars = mem_vars_new(total);
    enum status status = load_lines(from, vars, ret_line);
    fclose(from);
    if (status != ST_OK) {
        mem_vars_free(vars);
        return status;
    }
    *ret_vars = vars;
    return ST_OK;
}

static void save_var(FILE *to, const struct mem_var *var)
{
    if (!guid_equal(&var->vendor, &global_vendor)) {
        char text[GUID_TEXT_SIZE];
        guid_format(&var->vendor, text);
        fprintf(to, "%s/", text);
    }
    for (const char *c = var->name; *c != 0; c++) {
        bool plain = *c > 0x20 && *c < 0x7f && strchr("%/#", *c) == NULL;
        fprintf(to, plain ? "%c" : "%%%02X", (unsigned char)*c);
    }
    fprintf(to, " %08X %s", (unsigned)var->attributes, var->size > 0 ? "" : "-");
    for (size_t i = 0; i < var->size; i++)
        fprintf(to, "%02x", var->data[i]);
    fputc('\n', to);
}

enum status vars_file_save(const char *file, const struct mem_vars *vars)
{
    size_t size = strlen(file) + sizeof(".new");
    char *fresh = host_alloc(size, 1);

    snprintf(fresh, size, "%s.new", file);
    FILE *to = fopen(fresh, "w");
    if (to == NULL) {
        free(fresh);
        return ST_IO;
    }
    for (size_t i = 0; i < mem_vars_count(vars); i++)
        save_var(to, mem_vars_at(vars, i));
    bool good = ferror(to) == 0;
    good = fclose(to) == 0 && good && rename(fresh, file) == 0;
    if (!good)
        remove(fresh);
    free(fresh);
    return good ? ST_OK : ST_IO;
}
