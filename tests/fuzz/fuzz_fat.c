/*
 * A small FAT volume with changes. The input: one byte, bits 0-1 the type, bit 2 clusters of four
 * sectors, bit 3 sectors of 2048 bytes; one byte, the read limit of a second check in units of
 * 1 KiB; then changes until the end, each of them a kind and what it needs (little-endian):
 *
 *   0  offset 2, size 1, bytes   boot sector
 *   1  offset 4, size 1, bytes   anywhere, modulo the size of the volume
 *   2  offset 2, size 1, bytes   root directory
 *   3  offset 2, size 1, bytes   data from cluster 2 on
 *   4  cluster 2, value 4        link in all FATs
 *   5  cluster 2, value 4        link in the second FAT
 *   6  sector 2, count 1         blocks that cannot be read
 *   7  cluster 2, offset 1, size 1, bytes   in the cluster
 */
#include "format/fat/fat.h"
#include "fuzz/fuzz.h"
#include "unit/fat_fixture.h"

#define INPUT_MAX  8192u
#define ARENA_SIZE (64u << 20)
#define READ_MAX   (4u << 20) /* of files, in all */
#define PIECE      (64u << 10)
#define FIRST_LBA  7u
#define SPOILED    8u

struct disk {
    struct fat_fixture fat;
    uint64_t spoiled[SPOILED];
    uint64_t spoiled_count[SPOILED];
    size_t spoils;
};

/* The input while it is taken apart. */
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

static enum status read_blocks(void *ctx, uint64_t lba, uint32_t count, void *ret_data)
{
    struct disk *disk = ctx;
    uint64_t blocks = disk->fat.size / 512;

    require(lba >= FIRST_LBA && lba - FIRST_LBA <= blocks && count <= blocks - (lba - FIRST_LBA));
    lba -= FIRST_LBA;
    for (size_t i = 0; i < disk->spoils; i++) {
        if (lba < disk->spoiled[i] + disk->spoiled_count[i] && disk->spoiled[i] < lba + count)
            return ST_IO;
    }
    memcpy(ret_data, disk->fat.image + lba * 512, (size_t)count * 512);
    return ST_OK;
}

/* Changes `size` bytes at `offset` of the image, as far as they are in it. */
static void patch(struct disk *disk, uint64_t offset, uint32_t size, struct input *input)
{
    for (uint32_t i = 0; i < size && input->left > 0; i++) {
        uint8_t byte = (uint8_t)take(input, 1);
        if (offset + i < disk->fat.size)
            disk->fat.image[offset + i] = byte;
    }
}

static void change_link(struct disk *disk, bool both, struct input *input)
{
    uint32_t cluster = take(input, 2) % (disk->fat.clusters + 2);
    uint32_t value = take(input, 4);

    if (disk->fat.type != 32)
        value &= fat_fixture_end(&disk->fat);
    if (both)
        fat_fixture_set_link(&disk->fat, cluster, value);
    else
        fat_fixture_set_link_in(&disk->fat, 1, cluster, value);
}

static void spoil(struct disk *disk, struct input *input)
{
    uint32_t sector = take(input, 2);
    uint32_t count = take(input, 1);

    if (disk->spoils == SPOILED)
        return;
    disk->spoiled[disk->spoils] = sector;
    disk->spoiled_count[disk->spoils++] = count;
}

static void change(struct disk *disk, struct input *input)
{
    struct fat_fixture *fat = &disk->fat;
    uint32_t kind = take(input, 1) % 8;

    if (kind == 4 || kind == 5) {
        change_link(disk, kind == 4, input);
    } else if (kind == 6) {
        spoil(disk, input);
    } else if (kind == 7) {
        uint64_t cluster = take(input, 2) % fat->clusters;
        uint64_t offset = fat->data_offset + cluster * fat->cluster_size + take(input, 1);
        patch(disk, offset, take(input, 1), input);
    } else {
        uint64_t offset = take(input, kind == 1 ? 4 : 2);
        const uint64_t starts[] = {0, 0, fat->root_offset, fat->data_offset};
        patch(disk, starts[kind] + (kind == 0 ? offset % 512 : offset % fat->size), take(input, 1),
              input);
    }
}

/* What every volume has before it is changed. */
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
    uint32_t first = fat_fixture_add_file(fat, 0, "A long name of a file.txt", data, 5000);
    uint32_t second = fat_fixture_take(fat, 1);
    fat_fixture_set_link(fat, second, fat_fixture_link(fat, first));
    fat_fixture_set_link(fat, first, second);
    fat_fixture_entry(fat, 0, "A long name of a file.txt")[28] = 0x89;
    fat_fixture_add_file(fat, 0, "EMPTY", NULL, 0);
}

/* The volume before it is changed, made once for each shape: `*ret_fat` describes `*ret_image`. */
static const uint8_t *made(uint8_t shape, struct fat_fixture *ret_fat)
{
    static const struct {
        int type;
        uint32_t clusters; /* about */
    } types[] = {{12, 450}, {16, 4300}, {32, 500}, {12, 4000}};
    static struct fat_fixture fats[16];
    static uint8_t *images[16];
    uint32_t sector_size = (shape & 8) != 0 ? 2048 : 512;
    uint32_t per_cluster = (shape & 4) != 0 ? 4 : 1;
    uint64_t sectors = (uint64_t)types[shape & 3].clusters * per_cluster + 50;

    if (images[shape] == NULL) {
        images[shape] = calloc(sectors, sector_size);
        require(images[shape] != NULL);
        fat_fixture_format(&fats[shape], images[shape], sectors * sector_size,
                           types[shape & 3].type, sector_size, per_cluster);
        fill(&fats[shape]);
    }
    *ret_fat = fats[shape];
    return images[shape];
}

/* Reads a file to its end; gives the last status and how much was left. */
static enum status read_file(struct fat_volume *volume, const struct fat_file *file,
                             uint64_t *ret_left)
{
    struct fat_reader reader;
    size_t size = volume->cluster_size > PIECE ? volume->cluster_size : PIECE;
    uint8_t *piece = malloc(size);
    enum status status = ST_OK;
    size_t got = 1;

    require(piece != NULL);
    fat_reader_start(&reader, volume, file);
    while (status == ST_OK && got > 0) {
        status = fat_reader_next(&reader, piece, size, &got);
        require(status != ST_OK || got <= size);
    }
    free(piece);
    *ret_left = reader.left;
    return status;
}

static void check_file(struct disk *disk, struct fat_volume *volume, const struct fat_file *file)
{
    uint64_t left = 0;
    enum status status = read_file(volume, file, &left);

    require(status == ST_OK || status == ST_DAMAGED || status == ST_IO);
    require((status == ST_OK) == (left == 0));
    if (file->status == ST_OK)
        require(status == ST_OK || (status == ST_IO && disk->spoils > 0));
}

/* True for problems that show in a file or directory of the list. */
static bool has_bad_file(const struct fat_report *report)
{
    for (size_t i = 0; i < report->file_count; i++) {
        if (report->files[i].status != ST_OK)
            return true;
    }
    return false;
}

static void check_report(const struct fat_report *report)
{
    for (size_t i = 0; i < FAT_PROBLEM_COUNT; i++)
        require(report->first_place[i] != NULL);
    require(!has_bad_file(report) || fat_report_has_damage(report));
    for (size_t i = 0; i < report->file_count; i++) {
        const struct fat_file *file = &report->files[i];
        require(file->path[0] == '\\' && strlen(file->path) < FAT_PATH_MAX);
        require(!file->is_directory || file->size == 0);
        for (const char *at = file->path; *at != '\0'; at++)
            require((uint8_t)*at >= 0x20 && *at != 0x7f);
    }
}

static void check_files(struct disk *disk, struct fat_volume *volume,
                        const struct fat_report *report)
{
    uint64_t total = 0;

    for (size_t i = 0; i < report->file_count && total < READ_MAX; i++) {
        if (report->files[i].is_directory)
            continue;
        check_file(disk, volume, &report->files[i]);
        total += report->files[i].size < READ_MAX ? report->files[i].size : READ_MAX;
    }
}

static void check_disk(struct disk *disk, struct arena *arena, uint64_t limit)
{
    struct block_port port = {.ctx = disk,
                              .model = "",
                              .block_size = 512,
                              .block_count = FIRST_LBA + disk->fat.size / 512,
                              .read = read_blocks};
    struct fat_volume volume;
    struct fat_report report;

    if (fat_open(arena, &port, FIRST_LBA, disk->fat.size / 512, &volume) != ST_OK)
        return;
    uint64_t before = volume.read_bytes;
    enum status status = fat_check(arena, &volume, limit, &report);
    require(status == ST_OK || status == ST_NO_MEMORY);
    require(volume.read_bytes - before <= limit);
    if (status != ST_OK)
        return;
    require(report.complete || limit != UINT64_MAX);
    check_report(&report);
    if (limit == UINT64_MAX)
        check_files(disk, &volume, &report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t *memory;
    struct input input = {data, size};
    struct disk disk = {.spoils = 0};
    struct arena arena;

    if (size < 2 || size > INPUT_MAX)
        return 0;
    if (memory == NULL)
        memory = malloc(ARENA_SIZE);
    require(memory != NULL);
    const uint8_t *image = made(take(&input, 1) % 16, &disk.fat);
    uint64_t limit = (uint64_t)take(&input, 1) << 10;
    disk.fat.image = exact_copy(image, (size_t)disk.fat.size);
    while (input.left > 0)
        change(&disk, &input);
    arena_init(&arena, memory, ARENA_SIZE);
    check_disk(&disk, &arena, UINT64_MAX);
    arena_init(&arena, memory, ARENA_SIZE);
    check_disk(&disk, &arena, limit);
    free(disk.fat.image);
    return 0;
}
