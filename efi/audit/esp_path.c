#include "audit/esp_path.h"

#include "base/text.h"

bool esp_path_is_in(const char *path, const char *folder)
{
    size_t length = text_length(folder);

    return text_has_prefix_nocase(path, folder) && path[length] == '\\';
}

static bool ends_in(const char *path, const char *tail)
{
    size_t length = text_length(path);
    size_t tail_length = text_length(tail);

    return length > tail_length && text_equal_nocase(path + length - tail_length, tail);
}

const char *esp_path_name(const char *path)
{
    const char *name = path;

    for (size_t i = 0; path[i] != '\0'; i++)
        name = path[i] == '\\' ? path + i + 1 : name;
    return name;
}

bool esp_path_is_saved(const char *path)
{
    return ends_in(path, ".bak") || ends_in(path, ".old");
}

bool esp_path_is_own_state(const char *path)
{
    const char *name = esp_path_name(path);

    return text_has_prefix_nocase(name, "BCD") || text_equal_nocase(name, "BOOTSTAT.DAT") ||
           esp_path_is_saved(path);
}
