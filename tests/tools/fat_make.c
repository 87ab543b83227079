/*
 * Writes FAT file systems into images, for programs of others to judge:
 *
 *   fat_make format IMAGE BLOCK_SIZE FIRST_LBA BLOCKS auto|fat16|fat32 LABEL FOLDER
 *   fat_make edit IMAGE BLOCK_SIZE FIRST_LBA BLOCKS FOLDER [PHASE SEED]
 *
 * FOLDER is a tree of the host. `edit` brings all its files and directories onto the file system
 * that is there. With PHASE and SEED power is cut: of that phase only some blocks are written, of
 * later ones none. Prints what it did, or "status TEXT" when it cannot be done.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "format/fat/fat_edit.h"
#include "host/host_alloc.h"
#include "unit/image_fixture.h"

#define ARENA_SIZE   (256u << 20)
#define ENTRIES_MAX  70000u
#define ATTR_ARCHIVE 0x20u

struct tree {
    struct fat_entry_request entries[ENTRIES_MAX];
    char *host_paths[ENTRIES_MAX];
    size_t count;
};

static char *join(const char *folder, char separator, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = host_alloc(1, size);

    snprintf(path, size, "%s%c%s", folder, separator, name);
    return path;
}

static void add_folder(struct tree *tree, const char *host_path, const char *path)
{
    DIR *folder = opendir(host_path);
    struct dirent *entry;

    if (folder == NULL)
        host_fail("no such folder");
    while ((entry = readdir(folder)) != NULL) {
        struct stat found;
        struct tm at;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (tree->count == ENTRIES_MAX)
            host_fail("too many files");
        size_t number = tree->count++;
        tree->host_paths[number] = join(host_path, '/', entry->d_name);
        if (stat(tree->host_paths[number], &found) != 0 || gmtime_r(&found.st_mtime, &at) == NULL)
            host_fail("a file cannot be looked at");
        struct fat_entry_request *request = &tree->entries[number];
        *request = (struct fat_entry_request){
            .path = join(path, '\\', entry->d_name),
            .is_directory = S_ISDIR(found.st_mode),
            .attributes = S_ISDIR(found.st_mode) ? 0 : ATTR_ARCHIVE,
            .written = {(uint16_t)(at.tm_year + 1900), (uint8_t)(at.tm_mon + 1),
                        (uint8_t)at.tm_mday, (uint8_t)at.tm_hour, (uint8_t)at.tm_min,
                        (uint8_t)at.tm_sec},
            .size = S_ISDIR(found.st_mode) ? 0 : (uint64_t)found.st_size,
            .source = number,
        };
        if (request->is_directory)
            add_folder(tree, tree->host_paths[number], request->path);
    }
    closedir(folder);
}

static struct span read_file(void *ctx, size_t source)
{
    const struct tree *tree = ctx;
    size_t size = (size_t)tree->entries[source].size;
    uint8_t *data = host_alloc(1, size + 1);
    FILE *file = fopen(tree->host_paths[source], "rb");

    if (file == NULL || fread(data, 1, size, file) != size)
        host_fail("a file cannot be read");
    fclose(file);
    return span_of(data, size); /* not freed: the program ends soon */
}

static struct image map_image(const char *file, uint32_t block_size)
{
    int number = open(file, O_RDWR);
    struct stat found;

    if (number < 0 || fstat(number, &found) != 0)
        host_fail("no such image");
    void *bytes = mmap(NULL, (size_t)found.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, number, 0);
    if (bytes == MAP_FAILED)
        host_fail("the image cannot be mapped");
    close(number);
    return (struct image){.bytes = bytes,
                          .block_size = block_size,
                          .block_count = (uint64_t)found.st_size / block_size};
}

/* All blocks before the phase, of the phase some. */
static size_t apply_cut(struct image *image, const struct image_units *units, unsigned phase,
                        unsigned seed)
{
    size_t done = 0;

    srand(seed);
    for (size_t i = 0; i < units->count; i++) {
        bool lucky = rand() % 2 == 0;
        if (units->at[i].phase > phase || (units->at[i].phase == phase && !lucky))
            continue;
        image_swap(image, &units->at[i]);
        done++;
    }
    return done;
}

static void carry_out(struct image *image, struct tree *tree, const struct disk_edit *edit,
                      unsigned phase, unsigned seed)
{
    struct image_units units = image_units_of(image, edit, read_file, tree);

    printf("phases %u writes %zu files %zu blocks %zu written %zu\n", edit->phase_count,
           edit->write_count, edit->file_count, units.count, apply_cut(image, &units, phase, seed));
    image_units_free(&units);
}

static enum status format_volume(struct arena *arena, struct tree *tree, uint32_t block_size,
                                 char **words, struct disk_edit *ret_edit)
{
    struct fat_layout_request request = {
        .first_lba = strtoull(words[0], NULL, 0),
        .block_count = strtoull(words[1], NULL, 0),
        .block_size = block_size,
        .type = strcmp(words[2], "fat16") == 0 ? FAT_16 : FAT_32,
        .serial = 0x1234abcd,
        .label = words[3],
        .entries = tree->entries,
        .entry_count = tree->count,
    };
    uint32_t cluster = 0;

    if (strcmp(words[2], "auto") == 0)
        request.type = fat_type_for(request.block_count * block_size, block_size, &cluster);
    return fat_layout(arena, &request, ret_edit);
}

static enum status edit_volume(struct arena *arena, struct tree *tree,
                               const struct block_port *port, char **words,
                               struct disk_edit *ret_edit)
{
    struct fat_volume volume;
    struct fat_report report;
    enum status status =
        fat_open(arena, port, strtoull(words[0], NULL, 0), strtoull(words[1], NULL, 0), &volume);

    if (status == ST_OK)
        status = fat_check(arena, &volume, UINT64_MAX, &report);
    if (status == ST_OK)
        status = fat_edit(arena, &volume, &report, tree->entries, tree->count, ret_edit);
    return status;
}

int main(int argc, char **argv)
{
    static struct tree tree;
    static uint8_t memory[ARENA_SIZE];
    bool format = argc == 9 && strcmp(argv[1], "format") == 0;
    bool edit = (argc == 7 || argc == 9) && strcmp(argv[1], "edit") == 0;
    struct disk_edit result = {0};
    struct arena arena;

    if (!format && !edit)
        host_fail("usage: fat_make format|edit IMAGE BLOCK_SIZE FIRST_LBA BLOCKS ...");
    uint32_t block_size = (uint32_t)atoi(argv[3]);
    struct image image = map_image(argv[2], block_size);
    struct block_port port = image_port(&image);
    arena_init(&arena, memory, sizeof(memory));
    add_folder(&tree, argv[format ? 8 : 6], "");
    enum status status = format ? format_volume(&arena, &tree, block_size, argv + 4, &result)
                                : edit_volume(&arena, &tree, &port, argv + 4, &result);
    if (status == ST_OK) {
        bool cut = edit && argc == 9;
        carry_out(&image, &tree, &result, cut ? (unsigned)atoi(argv[7]) : 99,
                  cut ? (unsigned)atoi(argv[8]) : 0);
    } else {
        printf("status %s\n", status_text(status));
    }
    _exit(fflush(stdout) == 0 ? 0 : 1); /* what the tree took is not given back */
}
