/*
 * Changes to a FAT volume that may be damaged. The input: one byte, bits 0-1 the type (3: FAT12 of
 * 4000 clusters), bit 2 clusters of four sectors; one byte, bits of the files that are asked for;
 * one byte, the phase in which power is cut; then changes to the volume until the end, each of them
 * a kind and what it needs (little-endian):
 *
 *   0  offset 2, size 1, bytes   root directory
 *   1  offset 2, size 1, bytes   data from cluster 2 on
 *   2  cluster 2, value 4        link in all FATs
 *   3  cluster 2, value 4        link in the second FAT
 *
 * A change that is not refused leaves all other files as they were, at every cut.
 */
#include "format/fat/fat_edit.h"
#include "fuzz/fuzz.h"
#include "unit/fat_fixture.h"
#include "unit/image_fixture.h"

#define INPUT_MAX  4096u
#define ARENA_SIZE (16u << 20)
#define FIRST_LBA  7u
#define PHASES     5u

struct input {
    const uint8_t *at;
    size_t left;
};

static uint32_t take(struct input *input, size_t size)
{
    uint32_t value = 0;

    for (size_t i = 0; i < size && input->left > 0; i++) {
        value |= (uint32_t)*input->at++ << 8 * i;
        input->left--;
    }
    return value;
}

/* What may be asked for; the bits of the input choose. */
static const struct fat_entry_request wishes[] = {
    {.path = "\\EFI\\Microsoft\\Boot\\BCD", .size = 20000},
    {.path = "\\EFI\\BOOT\\BOOTX64.EFI", .size = 100},
    {.path = "\\A long name of a file.txt", .size = 0},
    {.path = "\\EMPTY", .size = 700},
    {.path = "\\EFI\\a new file with quite a long name, of some pieces.efi", .size = 3000},
    {.path = "\\new directory\\with one more\\file", .size = 1},
    {.path = "\\EFI\\BOOT\\1 name of more slots\\x", .size = 1},
    {.path = "\\EFI\\BOOT\\nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
             "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
             "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn",
     .size = 1},
};

#define WISHES (sizeof(wishes) / sizeof(wishes[0]))

static size_t choose(uint32_t bits, struct fat_entry_request *requests)
{
    size_t count = 0;

    for (size_t i = 0; i < WISHES; i++) {
        if ((bits >> i & 1) != 0) {
            requests[count] = wishes[i];
            requests[count++].source = i;
        }
    }
    return count;
}

static struct span content_of(void *ctx, size_t source)
{
    static const uint8_t bytes[32768];

    (void)ctx;
    return span_of(bytes, (size_t)wishes[source].size);
}

static void fill(struct fat_fixture *fat)
{
    static uint8_t data[9000];
    uint32_t efi = fat_fixture_add_directory(fat, 0, "EFI");
    uint32_t microsoft = fat_fixture_add_directory(fat, efi, "Microsoft");
    uint32_t boot = fat_fixture_add_directory(fat, microsoft, "Boot");
    uint32_t other = fat_fixture_add_directory(fat, efi, "BOOT");

    memset(data, 'x', sizeof(data));
    fat_fixture_add_file(fat, boot, "BCD", data, 9000);
    fat_fixture_add_file(fat, other, "BOOTX64.EFI", data, 7777);
    fat_fixture_add_file(fat, 0, "A long name of a file.txt", data, 5000);
    fat_fixture_add_file(fat, 0, "EMPTY", NULL, 0);
    for (char c = 'A'; c < 'H'; c++) {
        char name[] = {c, ' ', 'k', 'e', 'p', 't', '\0'};
        fat_fixture_add_file(fat, c < 'D' ? other : 0, name, data, 600);
    }
}

static void make_volume(struct image *image, struct fat_fixture *fat, uint8_t shape)
{
    static const struct {
        int type;
        uint32_t clusters;
    } types[] = {{12, 450}, {16, 4300}, {32, 500}, {12, 4000}};
    uint32_t per_cluster = (shape & 4) != 0 ? 4 : 1;
    uint64_t sectors = (uint64_t)types[shape & 3].clusters * per_cluster + 50;

    *image = image_make(512, FIRST_LBA + sectors);
    fat_fixture_format(fat, image->bytes + FIRST_LBA * 512, sectors * 512, types[shape & 3].type,
                       512, per_cluster);
    fill(fat);
}

static void patch(struct fat_fixture *fat, uint64_t offset, struct input *input)
{
    uint32_t size = take(input, 1);

    for (uint32_t i = 0; i < size && input->left > 0; i++) {
        uint8_t byte = (uint8_t)take(input, 1);
        if (offset + i < fat->size)
            fat->image[offset + i] = byte;
    }
}

static void change(struct fat_fixture *fat, struct input *input)
{
    uint32_t kind = take(input, 1) % 4;
    uint32_t first = take(input, 2);

    if (kind < 2) {
        patch(fat, (kind == 0 ? fat->root_offset : fat->data_offset) + first, input);
        return;
    }
    uint32_t value = take(input, 4);
    if (fat->type != 32)
        value &= fat_fixture_end(fat);
    if (kind == 2)
        fat_fixture_set_link(fat, first % (fat->clusters + 2), value);
    else
        fat_fixture_set_link_in(fat, 1, first % (fat->clusters + 2), value);
}

struct look {
    struct block_port port;
    struct fat_volume volume;
    struct fat_report report;
};

static bool look(struct arena *arena, struct image *image, struct look *look)
{
    look->port = image_port(image);
    if (fat_open(arena, &look->port, FIRST_LBA, image->block_count - FIRST_LBA, &look->volume) !=
        ST_OK)
        return false;
    return fat_check(arena, &look->volume, UINT64_MAX, &look->report) == ST_OK;
}

static bool is_asked_for(const struct fat_file *file, const struct fat_entry_request *requests,
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(requests[i].path, file->path) == 0)
            return true;
    }
    return false;
}

/* Nothing is damaged that was not, and no other file has changed. */
static void compare(const struct look *before, const struct look *after, bool finished,
                    const struct fat_entry_request *requests, size_t count)
{
    for (enum fat_problem i = 0; i < FAT_PROBLEM_COUNT; i++) {
        bool allowed = i == FAT_CHAIN_LOST || (i == FAT_COPIES_DIFFER && !finished);
        require(allowed || !fat_problem_is_damage(i) || after->report.problems[i] == 0);
    }
    for (size_t i = 0; i < before->report.file_count; i++) {
        const struct fat_file *old = &before->report.files[i];
        size_t number = fat_find(&after->report, old->path);
        require(number != FAT_NO_FILE);
        const struct fat_file *now = &after->report.files[number];
        bool same = old->first_cluster == now->first_cluster && old->size == now->size;
        require(same || is_asked_for(old, requests, count));
        require(now->is_directory == old->is_directory && now->status == ST_OK);
    }
    for (size_t i = 0; finished && i < count; i++) {
        size_t number = fat_find(&after->report, requests[i].path);
        require(number != FAT_NO_FILE && after->report.files[number].size == requests[i].size);
    }
}

/* Carries out the edit, with a look at the disk in the midst of a phase. */
static void carry_out(struct arena *arena, struct image *image, const struct look *before,
                      const struct disk_edit *edit, unsigned phase,
                      const struct fat_entry_request *requests, size_t count)
{
    struct image_units units = image_units_of(image, edit, content_of, NULL);
    struct look after;

    for (size_t i = 0; i < units.count; i++) {
        require(units.at[i].lba >= FIRST_LBA);
        if (units.at[i].phase < phase || (units.at[i].phase == phase && i % 2 == 0))
            image_swap(image, &units.at[i]);
    }
    require(look(arena, image, &after));
    compare(before, &after, false, requests, count);
    for (size_t i = 0; i < units.count; i++) {
        if (units.at[i].phase > phase || (units.at[i].phase == phase && i % 2 != 0))
            image_swap(image, &units.at[i]);
    }
    require(look(arena, image, &after));
    compare(before, &after, true, requests, count);
    image_units_free(&units);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t *memory;
    struct input input = {data, size};
    struct fat_entry_request requests[WISHES];
    struct fat_fixture fat;
    struct image image;
    struct arena arena;
    struct look before;
    struct disk_edit edit;

    if (size < 3 || size > INPUT_MAX)
        return 0;
    if (memory == NULL)
        memory = malloc(ARENA_SIZE);
    require(memory != NULL);
    arena_init(&arena, memory, ARENA_SIZE);
    make_volume(&image, &fat, (uint8_t)take(&input, 1) % 8);
    size_t count = choose(take(&input, 1), requests);
    unsigned phase = take(&input, 1) % PHASES;
    while (input.left > 0)
        change(&fat, &input);
    if (look(&arena, &image, &before) &&
        fat_edit(&arena, &before.volume, &before.report, requests, count, &edit) == ST_OK)
        carry_out(&arena, &image, &before, &edit, phase, requests, count);
    free(image.bytes);
    return 0;
}
