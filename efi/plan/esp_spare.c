#include "esp_spare.h"

#include "base/text.h"
#include "model/boot_paths.h"

#define BOOT_FOLDER      MICROSOFT_FOLDER "\\Boot\\"
#define RESOURCES_FOLDER BOOT_FOLDER "Resources\\"
#define FONTS_FOLDER     BOOT_FOLDER "Fonts\\"
#define TESTER           "memtest.efi"

static const char *const east_asian[] = {"ja-JP", "ko-KR", "zh-CN", "zh-TW", "zh-HK"};
static const char *const east_asian_fonts[] = {"chs_",   "cht_",   "jpn_", "kor_",
                                               "malgun", "meiryo", "msjh", "msyh"};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* True for a language that Windows is installed in: of these alone it keeps the resources. Without
 * any the boot manager speaks English. */
static bool is_installed(const struct plan *plan, const struct files_change *files,
                         const char *language)
{
    const char *path = arena_printf(plan->arena, RESOURCES_FOLDER "%s", language);
    size_t last = NO_INDEX;

    if (path == NULL || text_equal_nocase(language, "en-US"))
        return true;
    for (size_t i = 0; i < files->count; i++) {
        size_t esp = files->items[i].esp;
        if (esp == NO_INDEX || esp == last)
            continue;
        if (fat_find(&plan->machine->esps[esp].report, path) != FAT_NO_FILE)
            return true;
        last = esp;
    }
    return false;
}

/* The folder of a language at the path, or that the path leads into: "de-DE"; NULL for another
 * path. */
static const char *language_in(struct arena *arena, const char *path)
{
    size_t length = 0;

    if (!text_has_prefix_nocase(path, BOOT_FOLDER))
        return NULL;
    path += sizeof(BOOT_FOLDER) - 1;
    while (path[length] != '\0' && path[length] != '\\')
        length++;
    bool is_name = length >= 5 && (path[2] == '-' || path[3] == '-');
    return is_name ? arena_printf(arena, "%.*s", (int)length, path) : NULL;
}

static bool is_font_of_east_asia(const char *path)
{
    if (!text_has_prefix_nocase(path, FONTS_FOLDER))
        return false;
    for (size_t i = 0; i < COUNT_OF(east_asian_fonts); i++) {
        if (text_has_prefix_nocase(path + sizeof(FONTS_FOLDER) - 1, east_asian_fonts[i]))
            return true;
    }
    return false;
}

static bool reads_east_asian(const struct plan *plan, const struct files_change *files)
{
    for (size_t i = 0; i < COUNT_OF(east_asian); i++) {
        if (is_installed(plan, files, east_asian[i]))
            return true;
    }
    return false;
}

static bool can_be_spared(const struct plan *plan, const struct files_change *files,
                          const char *path, bool fonts)
{
    const char *language = language_in(plan->arena, path);
    const char *name = path;

    for (const char *at = path; *at != '\0'; at++)
        name = *at == '\\' ? at + 1 : name;
    if (language != NULL && !is_installed(plan, files, language))
        return true;
    if (text_has_prefix_nocase(path, BOOT_FOLDER) && text_has_prefix_nocase(name, TESTER))
        return true;
    return fonts && is_font_of_east_asia(path);
}

enum status esp_spare(struct plan *plan, const struct files_change *files, enum spare spare,
                      struct files_change *ret_files)
{
    struct file_copy *items = arena_alloc(plan->arena, files->count, sizeof(*items));
    bool fonts = spare == SPARE_FONTS && !reads_east_asian(plan, files);
    size_t count = 0;

    if (items == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < files->count; i++) {
        if (spare == SPARE_NOTHING || !can_be_spared(plan, files, files->items[i].path, fonts))
            items[count++] = files->items[i];
    }
    *ret_files = (struct files_change){items, count};
    return ST_OK;
}

void esp_spare_tell(struct plan *plan, const struct files_change *all,
                    const struct files_change *left, enum spare spare, const char *where)
{
    size_t out = 0;

    for (size_t i = 0; i < all->count; i++)
        out += !all->items[i].is_directory;
    for (size_t i = 0; i < left->count; i++)
        out -= !left->items[i].is_directory;
    if (spare != SPARE_NOTHING && out > 0)
        plan_warn(
            plan,
            "There is not room for all on %s: %zu %s that Windows starts without %s left out, "
            "the memory tester and languages that it is not installed in%s.",
            where, out, out == 1 ? "file" : "files", out == 1 ? "is" : "are",
            spare == SPARE_FONTS ? ", and fonts of East Asia" : "");
}
