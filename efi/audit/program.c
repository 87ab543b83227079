#include "audit/program.h"

#include "base/text.h"
#include "model/boot_paths.h"

struct program program_of(const struct machine *machine, const struct esp *esp, size_t file)
{
    (void)machine;
    if (text_equal_nocase(esp->report.files[file].path, BOOT_MANAGER_PATH))
        return (struct program){PROGRAM_WINDOWS, "Windows Boot Manager"};
    return (struct program){PROGRAM_UNKNOWN, ""};
}

enum status program_loaders(struct arena *arena, const struct machine *machine,
                            const struct esp *esp, struct loaders *ret_loaders)
{
    size_t file = fat_find(&esp->report, BOOT_MANAGER_PATH);
    struct loader *found = arena_alloc(arena, 1, sizeof(*found));

    (void)machine;
    if (found == NULL)
        return ST_NO_MEMORY;
    found[0] = (struct loader){file, "Windows Boot Manager", NULL};
    *ret_loaders = (struct loaders){found, file == FAT_NO_FILE ? 0 : 1};
    return ST_OK;
}
