/*
 * An LDM database. The input is a byte of switches, a PRIVHEAD, a TOCBLOCK and a config region; the
 * config region is read by itself, and then all of it as a disk of one metadata partition. Switch 1
 * makes the checksums right, so that changes behind them are tried too.
 */
#include "format/ldm.h"
#include "model/volume_disk.h"
#include "model/volumes.h"
#include "fuzz/fuzz.h"

#define MAX_SIZE      (1 + 1024 + 32 * 1024)
#define DISK_BLOCKS   0x100000u
#define METADATA_LBA  64u
#define ARENA_BYTES   (6u << 20)
#define SWITCH_SEAL   1u
#define CONFIG_REL    17u
#define REGION_BLOCKS 2048u

static uint8_t memory[2][ARENA_BYTES];

struct input {
    uint8_t head[512];
    uint8_t toc[512];
    uint8_t *config; /* exactly as large as it is */
    size_t config_size;
};

static void seal(uint8_t *block)
{
    uint32_t sum = 0;

    memset(block + 8, 0, 4);
    for (size_t i = 0; i < 512; i++)
        sum += block[i];
    for (size_t i = 0; i < 4; i++)
        block[8 + i] = (uint8_t)(sum >> 8 * (3 - i));
}

static void check_database(const struct ldm_database *db)
{
    require(db->header.counts[LDM_VOLUMES] == db->volume_count);
    require(db->header.counts[LDM_PARTITIONS] == db->partition_count);
    for (size_t i = 0; i < db->component_count; i++)
        require(db->components[i].volume < db->volume_count);
    for (size_t i = 0; i < db->partition_count; i++) {
        const struct ldm_partition *a = &db->partitions[i];
        require(a->component < db->component_count && a->disk < db->disk_count && a->size > 0);
        for (size_t j = 0; j < i; j++) {
            const struct ldm_partition *b = &db->partitions[j];
            require(a->id != b->id);
            require(a->disk != b->disk || a->start + a->size <= b->start ||
                    b->start + b->size <= a->start);
        }
    }
    for (size_t i = 0; i < db->volume_count; i++)
        for (const char *c = db->volumes[i].name; *c != '\0'; c++)
            require(*c >= 0x20 && *c <= 0x7e);
}

static void try_config(const struct input *input)
{
    struct span config = span_of(input->config, input->config_size);
    struct arena arena;
    struct arena scratch;
    struct ldm_vmdb vmdb;
    struct ldm_database db;

    arena_init(&arena, memory[0], ARENA_BYTES);
    arena_init(&scratch, memory[1], 2 * input->config_size + 512 + 16);
    if (ldm_vmdb_parse(config, &vmdb) != ST_OK)
        return;
    enum status status = ldm_database_parse(config, &vmdb, &arena, &scratch, &db);
    require(status != ST_NO_MEMORY);
    if (status == ST_OK)
        check_database(&db);
}

static void read_block(const struct input *input, uint64_t rel, uint8_t *ret_data)
{
    memset(ret_data, 0, 512);
    if (rel == REGION_BLOCKS - 1 || rel == LDM_SECONDARY_HEAD_REL)
        memcpy(ret_data, input->head, 512);
    else if (rel == 2)
        memcpy(ret_data, input->toc, 512);
    else if (rel >= CONFIG_REL && (rel - CONFIG_REL) * 512 < input->config_size) {
        size_t at = (size_t)(rel - CONFIG_REL) * 512;
        size_t left = input->config_size - at;
        memcpy(ret_data, input->config + at, left < 512 ? left : 512);
    }
}

static enum status disk_read(void *ctx, uint64_t lba, uint32_t count, void *ret_data)
{
    require(lba <= DISK_BLOCKS && count <= DISK_BLOCKS - lba);
    for (uint32_t i = 0; i < count; i++)
        read_block(ctx, lba + i - METADATA_LBA, (uint8_t *)ret_data + 512 * i);
    return ST_OK;
}

static void check_map(const struct volume_map *map)
{
    require(map->disk_count == 1 && map->disks[0].read_bytes <= VOLUME_READ_MAX);
    require((map->disks[0].state == VOLUME_DISK_OK) == (map->disks[0].reason[0] == '\0'));
    for (size_t i = 0; i < map->extent_count; i++) {
        const struct dynamic_extent *extent = &map->extents[i];
        size_t volume = VOLUME_NONE;
        require(extent->plex < map->plex_count);
        require(map->plexes[extent->plex].volume < map->volume_count);
        if (extent->disk == VOLUME_NONE)
            continue;
        require(extent->lba < DISK_BLOCKS && extent->blocks <= DISK_BLOCKS - extent->lba);
        require(extent->lba >= METADATA_LBA + REGION_BLOCKS ||
                extent->lba + extent->blocks <= METADATA_LBA);
        require(volume_map_at(map, 7, extent->lba, extent->blocks, &volume));
        require(volume == map->plexes[extent->plex].volume);
    }
}

static void try_disk(struct input *input)
{
    struct block_port port = {
        .ctx = input, .block_size = 512, .block_count = DISK_BLOCKS, .read = disk_read};
    const struct volume_source source = {.disk = 7,
                                         .port = &port,
                                         .gpt = true,
                                         .metadata_lba = METADATA_LBA,
                                         .metadata_blocks = REGION_BLOCKS};
    struct arena arena;
    struct volume_map map;

    arena_init(&arena, memory[0], ARENA_BYTES);
    require(volumes_read(&source, 1, &arena, &map) == ST_OK);
    check_map(&map);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input;

    if (size < 1 + 1024 || size > MAX_SIZE)
        return 0;
    memcpy(input.head, data + 1, 512);
    memcpy(input.toc, data + 513, 512);
    if ((data[0] & SWITCH_SEAL) != 0) {
        seal(input.head);
        seal(input.toc);
    }
    input.config_size = size - 1025;
    input.config = exact_copy(data + 1025, input.config_size);
    try_config(&input);
    try_disk(&input);
    free(input.config);
    return 0;
}
