#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/host_alloc.h"
#include "sweep/content.h"
#include "sweep/draw.h"
#include "unit/fat_fixture.h"
#include "unit/machine_fixture.h"

#define FILES_MAX  48u
#define PATH_TEXT  80u
#define BLANKS_MAX 4u /* more than there are sizes */
#define FAT32_FROM (32u << 20)

/* A file that is to lie on an ESP. */
struct item {
    char path[PATH_TEXT]; /* parts divided by backslashes, one in front */
    struct content content;
    const char *description; /* of an entry for it; NULL: none is made */
    bool is_windows;
    bool is_tool;
};

/* An ESP while it is filled. */
struct filler {
    struct draw *draw;
    struct item items[FILES_MAX];
    size_t count;
};

/* --- Files ---------------------------------------------------------------------------------- */

static struct item *add(struct filler *filler, const char *path, struct content content)
{
    if (filler->count == FILES_MAX)
        host_fail("too many files for an ESP");
    struct item *item = &filler->items[filler->count++];
    *item = (struct item){.content = content};
    snprintf(item->path, sizeof(item->path), "%s", path);
    return item;
}

static struct item *find(struct filler *filler, const char *path)
{
    for (size_t i = 0; i < filler->count; i++) {
        if (strcmp(filler->items[i].path, path) == 0)
            return &filler->items[i];
    }
    return NULL;
}

/* Puts a file, in the place of another of that path. */
static struct item *put(struct filler *filler, const char *path, struct content content)
{
    struct item *old = find(filler, path);

    if (old == NULL)
        return add(filler, path, content);
    free(old->content.at);
    old->content = content;
    return old;
}

static struct item *put_program(struct filler *filler, const char *path, const char *program,
                                const char *system)
{
    char name[32];

    snprintf(name, sizeof(name), "%s%s%s", program, system[0] != 0 ? "@" : "", system);
    return put(filler, path, content_program(name));
}

static void put_windows(struct filler *filler, const struct draw_system *system)
{
    char name[16];

    struct item *manager =
        put_program(filler, "\\EFI\\Microsoft\\Boot\\bootmgfw.efi", "bootmgfw", "");
    manager->description = "Windows Boot Manager";
    manager->is_windows = true;
    snprintf(name, sizeof(name), "BCD@%s", system->name);
    put(filler, "\\EFI\\Microsoft\\Boot\\BCD", content_store(name));
    put_program(filler, "\\EFI\\Microsoft\\Boot\\memtest.efi", "winmemtest", "");
    put(filler, "\\EFI\\Microsoft\\Boot\\Fonts\\wgl4_boot.ttf", content_filler("font", 1500));
    if (chance_percent(&filler->draw->chance, 80))
        put_program(filler, "\\EFI\\BOOT\\BOOTX64.EFI", "bootmgfw", "");
}

static void put_shim(struct filler *filler, const struct draw_system *system)
{
    struct chance *chance = &filler->draw->chance;
    char path[PATH_TEXT];

    snprintf(path, sizeof(path), "\\EFI\\%s\\shimx64.efi", system->folder);
    put_program(filler, path, "shim", system->name)->description = system->folder;
    snprintf(path, sizeof(path), "\\EFI\\%s\\grubx64.efi", system->folder);
    put_program(filler, path, "grub", system->name);
    snprintf(path, sizeof(path), "\\EFI\\%s\\BOOTX64.CSV", system->folder);
    put(filler, path, content_csv(system->folder));
    if (!chance_percent(chance, 80))
        return;
    put_program(filler, "\\EFI\\BOOT\\BOOTX64.EFI", "shim", system->name);
    if (chance_percent(chance, 70))
        put_program(filler, "\\EFI\\BOOT\\fbx64.efi", "fallback", system->name);
    else if (chance_percent(chance, 60))
        put_program(filler, "\\EFI\\BOOT\\grubx64.efi", "grub", system->name);
}

static void put_grub(struct filler *filler, const struct draw_system *system)
{
    char path[PATH_TEXT];

    snprintf(path, sizeof(path), "\\EFI\\%s\\grubx64.efi", system->folder);
    put_program(filler, path, "grub", system->name)->description = system->folder;
    if (chance_percent(&filler->draw->chance, 40))
        put_program(filler, "\\EFI\\BOOT\\BOOTX64.EFI", "grub", system->name);
}

static void put_systemd(struct filler *filler, const struct draw_system *system)
{
    put_program(filler, "\\EFI\\systemd\\systemd-bootx64.efi", "systemd-boot", system->name)
        ->description = "Linux Boot Manager";
    put(filler, "\\loader\\entries\\linux.conf", content_filler("entry", 200));
    put(filler, "\\loader\\loader.conf", content_filler("loader", 80));
    if (chance_percent(&filler->draw->chance, 80))
        put_program(filler, "\\EFI\\BOOT\\BOOTX64.EFI", "systemd-boot", system->name);
}

/* All that a system has on its ESP. */
static void put_system(struct filler *filler, const struct draw_system *system)
{
    if (system->kind == DRAW_DATA_MIRROR)
        return;
    if (system->kind == DRAW_WINDOWS_MIRROR || system->kind == DRAW_WINDOWS_PLAIN)
        put_windows(filler, system);
    else if (system->uses_shim)
        put_shim(filler, system);
    else if (system->uses_systemd)
        put_systemd(filler, system);
    else
        put_grub(filler, system);
    if (chance_percent(&filler->draw->chance, 30))
        put(filler, "\\EFI\\Vendor\\settings.dat", content_filler(system->name, 700));
}

static void put_tools(struct filler *filler)
{
    static const struct {
        const char *path, *program, *description;
    } tools[] = {
        {"\\EFI\\memtest86\\memtest86.efi", "memtest86+", "Memory test"},
        {"\\EFI\\tools\\diags.efi", "diags", "Diagnostics"},
        {"\\EFI\\dell\\bios\\recovery.efi", "recovery", "BIOS recovery"},
        {"\\EFI\\tools\\shellx64.efi", "shell", "UEFI Shell"},
        {"\\shellx64.efi", "shell", "Shell"},
        {"\\EFI\\fwupd\\fwupdx64.efi", "fwupd-efi", "Linux Firmware Updater"},
        {"\\EFI\\BOOT\\BOOTX64.EFI", "memtest86+", NULL},
    };

    for (size_t i = 0; i < sizeof(tools) / sizeof(tools[0]); i++) {
        if (!chance_percent(&filler->draw->chance, 4))
            continue;
        struct item *item = put_program(filler, tools[i].path, tools[i].program, "");
        item->description = tools[i].description;
        item->is_tool = true;
    }
    if (chance_percent(&filler->draw->chance, 8))
        put(filler, "\\FSCK0000.REC", content_filler("lost chain", 900));
}

/* --- What happened to them -------------------------------------------------------------------- */

static void drop(struct filler *filler, size_t index)
{
    free(filler->items[index].content.at);
    filler->items[index] = filler->items[--filler->count];
}

static size_t any(struct filler *filler)
{
    return chance_below(&filler->draw->chance, (unsigned)filler->count);
}

/* Some files are gone, broken, cut off or of another version. */
static void damage(struct filler *filler)
{
    struct chance *chance = &filler->draw->chance;
    unsigned count = 1 + chance_below(chance, 2);

    for (unsigned i = 0; i < count && filler->count > 0; i++) {
        struct item *item = &filler->items[any(filler)];
        switch (chance_below(chance, 4)) {
        case 0:
            draw_say(filler->draw, "    broken: %s\n", item->path);
            item->content.at[item->content.size / 2] ^= 0x55;
            break;
        case 1:
            draw_say(filler->draw, "    cut off: %s\n", item->path);
            item->content.size = item->content.size / 3;
            break;
        default:
            draw_say(filler->draw, "    missing: %s\n", item->path);
            drop(filler, (size_t)(item - filler->items));
        }
    }
}

/* --- The volume ------------------------------------------------------------------------------ */

/* The folder of a path, made with those above it. */
static uint32_t folder_of(struct fat_fixture *fat, const char *path, char made[][PATH_TEXT],
                          uint32_t *clusters, size_t *io_count)
{
    uint32_t parent = 0;

    for (const char *end = strchr(path + 1, '\\'); end != NULL; end = strchr(end + 1, '\\')) {
        char name[PATH_TEXT];
        size_t known = 0;
        snprintf(name, sizeof(name), "%.*s", (int)(end - path), path);
        while (known < *io_count && strcmp(made[known], name) != 0)
            known++;
        if (known == *io_count) {
            strcpy(made[known], name);
            clusters[known] = fat_fixture_add_directory(fat, parent, strrchr(name, '\\') + 1);
            (*io_count)++;
        }
        parent = clusters[known];
    }
    return parent;
}

/* Empty volumes of the sizes there are: formatting takes longer than all else. */
struct blank {
    struct fat_fixture fat;
    uint8_t *head; /* all that is not zero */
    size_t head_size;
    size_t used; /* bytes of fat.image that may not be zero any more */
};

static size_t end_of(const struct fat_fixture *fat)
{
    return (size_t)(fat_fixture_cluster(fat, fat->next_cluster) - fat->image);
}

/* An empty volume; its image is the same memory at each call for that size. */
static struct blank *blank_volume(size_t size, uint32_t block_size)
{
    static struct blank blanks[BLANKS_MAX];
    size_t i = 0;

    while (blanks[i].fat.image != NULL &&
           (blanks[i].fat.size != size || blanks[i].fat.sector_size != block_size))
        i++;
    struct blank *blank = &blanks[i];
    if (blank->fat.image == NULL) {
        fat_fixture_format(&blank->fat, host_alloc(1, size), size, size > FAT32_FROM ? 32 : 16,
                           block_size, 1);
        blank->head_size = end_of(&blank->fat);
        blank->head = host_copy(blank->fat.image, blank->head_size);
        return blank;
    }
    memset(blank->fat.image, 0, blank->used);
    memcpy(blank->fat.image, blank->head, blank->head_size);
    return blank;
}

static void write_volume(struct filler *filler, size_t disk, const struct draw_part *part)
{
    static char made[FILES_MAX][PATH_TEXT];
    struct draw *draw = filler->draw;
    struct blank *blank = blank_volume((size_t)(part->blocks * draw->block_size), draw->block_size);
    struct fat_fixture fat = blank->fat;
    uint32_t clusters[FILES_MAX];
    size_t folders = 0;

    st_le32(fat.image + (fat.type == 32 ? 67 : 39), (uint32_t)chance_next(&draw->chance));
    for (size_t i = 0; i < filler->count; i++) {
        const struct item *item = &filler->items[i];
        uint32_t parent = folder_of(&fat, item->path, made, clusters, &folders);
        fat_fixture_add_file(&fat, parent, strrchr(item->path, '\\') + 1, item->content.at,
                             (uint32_t)item->content.size);
    }
    blank->used = end_of(&fat);
    draw_write(draw, disk, part->first * draw->block_size, fat.image, blank->used);
}

static void note_loaders(struct filler *filler, size_t disk, size_t part)
{
    struct draw *draw = filler->draw;

    for (size_t i = 0; i < filler->count && draw->loader_count < DRAW_LOADERS; i++) {
        const struct item *item = &filler->items[i];
        if (item->description == NULL)
            continue;
        struct draw_loader *loader = &draw->loaders[draw->loader_count++];
        *loader = (struct draw_loader){.disk = disk,
                                       .part = part,
                                       .description = item->description,
                                       .is_windows = item->is_windows,
                                       .is_tool = item->is_tool};
        snprintf(loader->path, sizeof(loader->path), "%s", item->path);
    }
}

static void say_files(struct filler *filler)
{
    for (size_t i = 0; i < filler->count; i++)
        draw_say(filler->draw, "    %s\n", filler->items[i].path);
}

/* --- The state of an ESP ---------------------------------------------------------------------- */

enum state { STATE_WHOLE, STATE_DAMAGED, STATE_EMPTY, STATE_UNFORMATTED, STATE_OTHER };

static const char *const state_names[] = {[STATE_WHOLE] = "whole",
                                          [STATE_DAMAGED] = "damaged",
                                          [STATE_EMPTY] = "empty",
                                          [STATE_UNFORMATTED] = "not formatted",
                                          [STATE_OTHER] = "with other files"};

/* Files of the systems on the disk, or of any system. */
static void put_systems(struct filler *filler, size_t disk, bool any_system)
{
    struct draw *draw = filler->draw;

    for (size_t i = 0; i < draw->system_count; i++) {
        const struct draw_system *system = &draw->systems[i];
        bool own = (system->disks >> disk & 1) != 0;
        if (any_system ? chance_percent(&draw->chance, 40) : own)
            put_system(filler, system);
    }
}

void draw_esp(struct draw *draw, size_t disk, size_t part)
{
    static const unsigned weights[] = {46, 22, 11, 11, 10};
    enum state state = (enum state)chance_weighted(&draw->chance, weights, 5);
    struct filler filler = {.draw = draw};

    draw_say(draw, "disk %zu partition %u: ESP, %s%s\n", disk, draw->parts[disk][part].number,
             state_names[state],
             draw->parts[disk][part].blocks * draw->block_size > FAT32_FROM ? ", FAT32" : "");
    if (state == STATE_UNFORMATTED)
        return;
    if (state == STATE_WHOLE || state == STATE_DAMAGED)
        put_systems(&filler, disk, false);
    if (state == STATE_OTHER)
        put_systems(&filler, disk, true);
    if (state != STATE_EMPTY)
        put_tools(&filler);
    say_files(&filler);
    note_loaders(&filler, disk, part);
    if (state == STATE_DAMAGED)
        damage(&filler);
    write_volume(&filler, disk, &draw->parts[disk][part]);
    while (filler.count > 0)
        drop(&filler, 0);
}
