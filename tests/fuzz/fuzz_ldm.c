/*
 * An LDM database. The input is a byte of switches, a PRIVHEAD, a TOCBLOCK and a config region; the
 * config region is read by itself, and then all of it as a disk of one metadata partition. Switch 1
 * makes the checksums right, so that changes behind them are tried too. With switch 2 the last two
 * blocks of the input are the log, which otherwise is empty. With switch 4 there is a second disk,
 * with the same database and another GUID in its PRIVHEAD, and with switch 8 that database is one
 * transaction behind.
 */
#include "format/ldm/ldm.h"
#include "model/volume_disk.h"
#include "model/volumes.h"
#include "fuzz/fuzz.h"

#define MAX_SIZE      (1 + 1024 + 32 * 1024)
#define DISK_BLOCKS   0x100000u
#define METADATA_LBA  64u
#define ARENA_BYTES   (6u << 20)
#define SWITCH_SEAL   1u
#define SWITCH_LOG    2u
#define SWITCH_SECOND 4u
#define SWITCH_BEHIND 8u
#define LOG_REL       1498u
#define LOG_BYTES     1024u
#define CONFIG_REL    17u
#define REGION_BLOCKS 2048u

static uint8_t memory[2][ARENA_BYTES];

struct input {
    uint8_t head[512];
    uint8_t toc[512];
    uint8_t *config; /* exactly as large as it is */
    size_t config_size;
    uint8_t log[LOG_BYTES];
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
    if (ldm_vmdb_parse(config, config.size, &vmdb) != ST_OK)
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
    else if (rel == LOG_REL || rel == LOG_REL + 1)
        memcpy(ret_data, input->log + 512 * (rel - LOG_REL), 512);
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

static void check_places(const struct volume_map *map)
{
    for (size_t i = 0; i < map->extent_count; i++) {
        const struct dynamic_extent *extent = &map->extents[i];
        size_t volume = VOLUME_NONE;
        require(extent->dynamic_disk < map->dynamic_disk_count);
        require(map->dynamic_disks[extent->dynamic_disk].name == extent->disk_name);
        if (extent->disk == VOLUME_NONE)
            continue;
        require(extent->lba < DISK_BLOCKS && extent->blocks <= DISK_BLOCKS - extent->lba);
        require(extent->lba >= METADATA_LBA + REGION_BLOCKS ||
                extent->lba + extent->blocks <= METADATA_LBA);
        require(volume_map_at(map, extent->disk, extent->lba, extent->blocks, &volume));
        require(volume == map->plexes[extent->plex].volume);
    }
}

/* Volumes, plexes and extents are each a run of the next, and nothing is better than its parts. */
static void check_plex(const struct volume_map *map, size_t index, size_t *io_extent)
{
    const struct dynamic_plex *plex = &map->plexes[index];
    bool complete = true;

    require((plex->state == PLEX_GOOD) == (plex->reason[0] == '\0'));
    for (size_t i = 0; i < plex->extent_count; i++) {
        const struct dynamic_extent *extent = &map->extents[plex->first_extent + i];
        require(plex->first_extent + i == (*io_extent)++ && extent->plex == index);
        require(extent->state <= plex->state);
        complete = complete && extent->disk != VOLUME_NONE;
    }
    require(plex->complete == complete && (complete || plex->state == PLEX_MISSING));
}

static void check_map(const struct volume_map *map)
{
    size_t plexes = 0;
    size_t extents = 0;

    for (size_t i = 0; i < map->volume_count; i++) {
        const struct dynamic_volume *volume = &map->volumes[i];
        bool good = true;
        require(volume->group < map->group_count && map->groups[volume->group].known);
        for (size_t j = 0; j < volume->plex_count; j++) {
            require(volume->first_plex + j == plexes && map->plexes[plexes].volume == i);
            good = good && map->plexes[plexes].state == PLEX_GOOD;
            check_plex(map, plexes++, &extents);
        }
        require(volume->status != DYNAMIC_HEALTHY || good);
    }
    require(plexes == map->plex_count && extents == map->extent_count);
    check_places(map);
}

static void check_notes(const struct volume_map *map, size_t count)
{
    require(map->disk_count == count);
    for (size_t i = 0; i < count; i++) {
        const struct volume_disk_note *note = &map->disks[i];
        require(note->read_bytes <= VOLUME_READ_MAX);
        require((note->state == VOLUME_DISK_OK) == (note->reason[0] == '\0'));
        require(volume_map_note(map, note->disk) == note);
        require(!note->is_clone || note->state != VOLUME_DISK_OK);
    }
}

/* The second disk: the last digit of its GUID is another, and its database may be older. */
static void make_second(const struct input *input, bool behind, struct input *ret_second)
{
    *ret_second = *input;
    ret_second->config = exact_copy(input->config, input->config_size);
    ret_second->head[0x30 + 35] ^= 1;
    seal(ret_second->head);
    if (!behind || input->config_size < 512)
        return;
    ret_second->config[0x7c]--;
    ret_second->config[0x84]--;
}

static void try_disks(struct input *inputs, size_t count, bool records_only)
{
    struct block_port ports[2];
    struct volume_source sources[2] = {{0}};
    struct arena arena;
    struct volume_map map;

    for (size_t i = 0; i < count; i++) {
        ports[i] = (struct block_port){
            .ctx = &inputs[i], .block_size = 512, .block_count = DISK_BLOCKS, .read = disk_read};
        sources[i] = (struct volume_source){.disk = 7 + i,
                                            .port = &ports[i],
                                            .gpt = true,
                                            .metadata_lba = METADATA_LBA,
                                            .metadata_blocks = REGION_BLOCKS,
                                            .records_only = records_only};
    }
    arena_init(&arena, memory[0], ARENA_BYTES);
    require(volumes_read(sources, count, &arena, &map) == ST_OK);
    check_notes(&map, count);
    check_map(&map);
}

static void empty_log(uint8_t *log)
{
    memset(log, 0, LOG_BYTES);
    for (size_t i = 0; i < 2; i++) {
        memcpy(log + 512 * i, "KLOG", 4);
        log[512 * i + 0x13] = 2;
        log[512 * i + 0x17] = (uint8_t)i;
    }
}

/* Takes the log off the end of the input, where it is there. */
static size_t take_log(struct input *input, const uint8_t *data, size_t size)
{
    empty_log(input->log);
    if ((data[0] & SWITCH_LOG) == 0 || size < 1 + 1024 + LOG_BYTES)
        return size;
    memcpy(input->log, data + size - LOG_BYTES, LOG_BYTES);
    return size - LOG_BYTES;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input inputs[2];
    struct input *input = &inputs[0];
    bool second = size > 0 && (data[0] & SWITCH_SECOND) != 0;

    if (size < 1 + 1024 || size > MAX_SIZE)
        return 0;
    memset(inputs, 0, sizeof inputs);
    memcpy(input->head, data + 1, 512);
    memcpy(input->toc, data + 513, 512);
    if ((data[0] & SWITCH_SEAL) != 0) {
        seal(input->head);
        seal(input->toc);
    }
    input->config_size = take_log(input, data, size) - 1025;
    input->config = exact_copy(data + 1025, input->config_size);
    try_config(input);
    if (second)
        make_second(input, (data[0] & SWITCH_BEHIND) != 0, &inputs[1]);
    try_disks(inputs, second ? 2 : 1, false);
    try_disks(inputs, second ? 2 : 1, true);
    free(inputs[0].config);
    free(inputs[1].config);
    return 0;
}
