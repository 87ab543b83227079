#include "unit/ldm_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/host_alloc.h"

struct ldm_fixture ldm_fixture_default(void)
{
    struct ldm_fixture fixture = {
        .group_guid = "a1b2c3d4-0001-11e1-8000-000102030405",
        .group_name = "Test-Dg0",
        .volume_guid = "a1b2c3d4-0002-11e1-8000-000102030405",
        .volume_name = "Volume1",
        .size = 4096,
        .transaction = 12,
        .disks =
            {
                {.guid = "a1b2c3d4-0003-11e1-8000-000102030405",
                 .name = "Disk1",
                 .public_start = 4096,
                 .public_size = 8192,
                 .private_start = 64,
                 .start = 0},
                {.guid = "a1b2c3d4-0004-11e1-8000-000102030405",
                 .name = "Disk2",
                 .public_start = 2048,
                 .public_size = 8192,
                 .private_start = 12000,
                 .start = 16},
            },
    };

    return fixture;
}

static void put(uint8_t *at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        at[i] = (uint8_t)(value >> 8 * (size - 1 - i));
}

void ldm_fixture_seal(uint8_t *block)
{
    uint32_t sum = 0;

    put(block + 8, 0, 4);
    for (size_t i = 0; i < 512; i++)
        sum += block[i];
    put(block + 8, sum, 4);
}

/* Where things are in a private region, in blocks of the disk. */
struct layout {
    uint64_t blocks, primary, secondary, toc[2], config, config_size, log, log_size;
};

static const struct layout *layout_of(const struct ldm_disk_spec *disk)
{
    static const struct layout small = {2048, 2047, 1856, {2, 2045}, 17, 1481, 1498, 224};
    static const struct layout large = {256, 255, 232, {1, 254}, 2, 186, 188, 28};

    return disk->block_size == 4096 ? &large : &small;
}

static uint32_t block_size_of(const struct ldm_disk_spec *disk)
{
    return disk->block_size != 0 ? disk->block_size : 512;
}

void ldm_group_build_head(const struct ldm_group_spec *group, size_t disk, uint8_t *at)
{
    const struct ldm_disk_spec *own = &group->disks[disk];
    const struct layout *layout = layout_of(own);

    memset(at, 0, 512);
    memcpy(at, "PRIVHEAD", 8);
    put(at + 0x0c, 2, 2);
    put(at + 0x0e, 12, 2);
    put(at + 0x18, 1, 8);
    put(at + 0x20, layout->primary, 8);
    put(at + 0x28, layout->secondary, 8);
    memcpy(at + 0x30, own->guid, 36);
    memcpy(at + 0xb0, group->guid, 36);
    strncpy((char *)at + 0xf0, group->name, 31);
    put(at + 0x10f, block_size_of(own), 4);
    put(at + 0x11b, own->public_start, 8);
    put(at + 0x123, own->public_size, 8);
    put(at + 0x12b, own->private_start, 8);
    put(at + 0x133, layout->blocks, 8);
    put(at + 0x13b, layout->toc[0], 8);
    put(at + 0x143, layout->toc[1], 8);
    put(at + 0x14b, 1, 4);
    put(at + 0x14f, 1, 4);
    put(at + 0x153, layout->config_size, 8);
    put(at + 0x15b, layout->log_size, 8);
    ldm_fixture_seal(at);
}

static void build_toc_region(uint8_t *at, const char *name, uint64_t start, uint64_t size)
{
    strncpy((char *)at, name, 8);
    put(at + 0x0a, start, 8);
    put(at + 0x12, size, 8);
    put(at + 0x1a, 6, 2);
    put(at + 0x1c, 1, 2);
}

static void build_toc(const struct layout *layout, uint8_t *at)
{
    memcpy(at, "TOCBLOCK", 8);
    put(at + 0x0c, 1, 8);
    build_toc_region(at + 0x24, "config", layout->config, layout->config_size);
    build_toc_region(at + 0x46, "log", layout->log, layout->log_size);
    ldm_fixture_seal(at);
}

static void count_records(const struct ldm_group_spec *group, uint32_t ret_counts[4])
{
    memset(ret_counts, 0, 4 * sizeof ret_counts[0]);
    ret_counts[0] = (uint32_t)group->volume_count;
    ret_counts[3] = (uint32_t)group->disk_count;
    for (size_t i = 0; i < group->volume_count; i++) {
        ret_counts[1] += (uint32_t)group->volumes[i].plex_count;
        for (size_t j = 0; j < group->volumes[i].plex_count; j++)
            ret_counts[2] += (uint32_t)group->volumes[i].plexes[j].extent_count;
    }
}

static void build_vmdb(const struct ldm_group_spec *group, const struct ldm_disk_spec *disk,
                       uint8_t *at)
{
    uint64_t committed = disk->committed != 0 ? disk->committed : group->transaction;
    const uint32_t *pending_counts = group->pending_counts;
    uint32_t counts[4];

    count_records(group, counts);
    if (pending_counts[3] == 0)
        pending_counts = counts;
    memcpy(at, "VMDB", 4);
    put(at + 0x04, LDM_FIXTURE_CONFIG_BYTES / 128, 4);
    put(at + 0x08, 128, 4);
    put(at + 0x0c, 512, 4);
    put(at + 0x10, disk->update != 0 ? disk->update : 1, 2);
    put(at + 0x12, 4, 2);
    put(at + 0x14, 10, 2);
    strncpy((char *)at + 0x16, group->name, 31);
    memcpy(at + 0x35, group->guid, 36);
    put(at + 0x75, committed, 8);
    put(at + 0x7d, disk->pending != 0 ? disk->pending : committed, 8);
    for (size_t i = 0; i < 4; i++) {
        put(at + 0x85 + 4 * i, counts[i], 4);
        put(at + 0xa1 + 4 * i, pending_counts[i], 4);
    }
    for (uint32_t i = 4; i < LDM_FIXTURE_CONFIG_BYTES / 128; i++) {
        memcpy(at + 128 * i, "VBLK", 4);
        put(at + 128 * i + 4, i, 4);
    }
}

/* A record under construction. */
struct record {
    uint8_t bytes[1024];
    size_t used;
};

static void add(struct record *record, uint64_t value, size_t size)
{
    put(record->bytes + record->used, value, size);
    record->used += size;
}

static void add_vint(struct record *record, uint64_t value)
{
    size_t width = 0;

    while (width < 8 && value >> 8 * width != 0)
        width++;
    add(record, width, 1);
    add(record, value, width);
}

static void add_text(struct record *record, const char *text)
{
    size_t length = strlen(text);

    add(record, length, 1);
    memcpy(record->bytes + record->used, text, length);
    record->used += length;
}

static struct record start_record(uint8_t flags, uint8_t type, uint64_t id, const char *name)
{
    struct record record = {.used = 8};

    record.bytes[2] = flags;
    record.bytes[3] = type;
    add_vint(&record, id);
    add_text(&record, name);
    return record;
}

/* Where the next record goes, and the next object's ID. */
struct store {
    const struct ldm_group_spec *group;
    uint8_t *config;
    uint32_t slot;
    uint64_t id;
    unsigned *pieces; /* for each disk: how many there are on it */
};

/* Puts the record into as many slots as it needs. */
static void store(struct store *to, struct record *record)
{
    size_t count = (record->used + 111) / 112;
    uint32_t group = to->slot + 100;

    put(record->bytes + 4, record->used - 8, 4);
    for (size_t i = 0; i < count; i++) {
        uint8_t *at = to->config + 128 * to->slot++;
        if (to->slot > LDM_FIXTURE_CONFIG_BYTES / 128)
            abort();
        put(at + 0x08, group, 4);
        put(at + 0x0c, i, 2);
        put(at + 0x0e, count, 2);
        memcpy(at + 0x10, record->bytes + 112 * i, 112);
    }
    to->id++;
}

static void store_group(struct store *to)
{
    struct record record = start_record(0, 0x35, to->id, to->group->name);

    add_text(&record, to->group->guid);
    add(&record, 0, 4);
    add(&record, 0, 8);
    store(to, &record);
}

static void store_disk(struct store *to, const struct ldm_disk_spec *disk)
{
    struct record record = start_record(0, 0x34, to->id, disk->name);

    add_text(&record, disk->guid);
    add_text(&record, "");
    add(&record, disk->flags, 4);
    add(&record, 4, 8);
    store(to, &record);
}

static void add_guid(struct record *record, const char *text)
{
    for (size_t i = 0; i < 36; i += 2) {
        unsigned value = 0;
        if (text[i] == '-')
            i++;
        sscanf(text + i, "%2x", &value);
        add(record, value, 1);
    }
}

static const char *or_else(const char *text, const char *otherwise)
{
    return text != NULL ? text : otherwise;
}

static void store_volume(struct store *to, const struct ldm_volume_spec *volume, size_t number)
{
    uint8_t flags = volume->hint != NULL ? 0x02 : 0;
    struct record record = start_record(flags, 0x51, to->id, volume->name);
    const char *state = or_else(volume->state, "ACTIVE");

    put(record.bytes, volume->status, 2);
    add_text(&record, or_else(volume->type, "gen"));
    add_text(&record, "");
    strncpy((char *)record.bytes + record.used, state, 14);
    record.used += 14;
    add(&record, volume->type != NULL ? 4 : 3, 1);
    add_vint(&record, number);
    add(&record, volume->flags, 4);
    add_vint(&record, volume->plex_count);
    add(&record, to->group->transaction, 8);
    add(&record, 0, 8);
    add_vint(&record, volume->size);
    add(&record, 0, 4);
    add(&record, 7, 1);
    add_guid(&record, volume->guid);
    if (volume->hint != NULL)
        add_text(&record, volume->hint);
    store(to, &record);
}

static void store_plex(struct store *to, const struct ldm_plex_spec *plex, const char *name,
                       uint64_t volume)
{
    bool columns = plex->layout == 1 || plex->layout == 3;
    struct record record = start_record(columns ? 0x10 : 0, 0x32, to->id, name);

    put(record.bytes, plex->status, 2);
    add_text(&record, or_else(plex->state, "ACTIVE"));
    add(&record, plex->layout != 0 ? plex->layout : 2, 1);
    add(&record, plex->flags, 4);
    add_vint(&record, plex->extent_count);
    add(&record, to->group->transaction, 8);
    add(&record, 0, 8);
    add_vint(&record, volume);
    add_vint(&record, 0);
    if (columns) {
        add_vint(&record, 128);
        add_vint(&record, plex->extent_count);
    }
    store(to, &record);
}

static void store_extent(struct store *to, const struct ldm_extent_spec *extent, uint64_t plex)
{
    char name[64];
    uint8_t flags = extent->column != 0 ? 0x48 : 0x40;

    snprintf(name, sizeof name, "%s-%02u", to->group->disks[extent->disk].name,
             ++to->pieces[extent->disk]);
    struct record record = start_record(flags, 0x33, to->id, name);
    put(record.bytes, extent->status, 2);
    add(&record, extent->flags, 4);
    add(&record, to->group->transaction, 8);
    add(&record, extent->start, 8);
    add(&record, extent->offset, 8);
    add_vint(&record, extent->size);
    add_vint(&record, plex);
    add_vint(&record, 2 + extent->disk);
    if (extent->column != 0)
        add_vint(&record, extent->column);
    add_vint(&record, 0);
    store(to, &record);
}

static void store_volume_whole(struct store *to, const struct ldm_volume_spec *volume,
                               size_t number)
{
    uint64_t volume_id = to->id;

    store_volume(to, volume, number);
    for (size_t i = 0; i < volume->plex_count; i++) {
        uint64_t plex_id = to->id;
        char name[200];
        snprintf(name, sizeof name, "%s-%02zu", volume->name, i + 1);
        store_plex(to, &volume->plexes[i], name, volume_id);
        for (size_t j = 0; j < volume->plexes[i].extent_count; j++)
            store_extent(to, &volume->plexes[i].extents[j], plex_id);
    }
}

static void build_records(const struct ldm_group_spec *group, uint8_t *config)
{
    struct store to = {.group = group, .config = config, .slot = LDM_SLOT_GROUP, .id = 1};

    to.pieces = calloc(group->disk_count, sizeof *to.pieces);
    store_group(&to);
    for (size_t i = 0; i < group->disk_count; i++)
        store_disk(&to, &group->disks[i]);
    for (size_t i = 0; i < group->volume_count; i++)
        store_volume_whole(&to, &group->volumes[i], i + 1);
    free(to.pieces);
}

static void build_log_page(const struct ldm_disk_spec *disk, uint8_t *at, uint32_t index)
{
    const size_t fit = 20;

    memcpy(at, "KLOG", 4);
    put(at + 0x0c, index == 0 ? 4 : 0, 4);
    put(at + 0x10, 2, 4);
    put(at + 0x14, index, 4);
    for (size_t i = 0; i < fit && index * fit + i < disk->log_count; i++) {
        const struct ldm_log_spec *entry = &disk->log[index * fit + i];
        put(at + 0x18 + 24 * i, entry->status, 1);
        put(at + 0x19 + 24 * i, entry->committed, 8);
        put(at + 0x21 + 24 * i, entry->pending, 8);
    }
}

void ldm_group_build(const struct ldm_group_spec *group, size_t disk, uint8_t *ret_region)
{
    const struct ldm_disk_spec *own = &group->disks[disk];
    const struct layout *layout = layout_of(own);
    uint32_t size = block_size_of(own);

    memset(ret_region, 0, LDM_FIXTURE_BYTES);
    ldm_group_build_head(group, disk, ret_region + layout->primary * size);
    ldm_group_build_head(group, disk, ret_region + layout->secondary * size);
    build_toc(layout, ret_region + layout->toc[0] * size);
    build_toc(layout, ret_region + layout->toc[1] * size);
    build_vmdb(group, own, ret_region + layout->config * size);
    build_records(group, ret_region + layout->config * size);
    build_log_page(own, ret_region + layout->log * size, 0);
    build_log_page(own, ret_region + layout->log * size + 512, 1);
}

void ldm_fixture_build(const struct ldm_fixture *fixture, size_t disk, uint8_t *ret_region)
{
    struct ldm_disk_spec disks[LDM_FIXTURE_DISKS] = {{0}};
    struct ldm_extent_spec extents[LDM_FIXTURE_DISKS] = {{0}};
    struct ldm_plex_spec plexes[LDM_FIXTURE_DISKS] = {{0}};
    struct ldm_volume_spec volume = {
        .name = fixture->volume_name,
        .guid = fixture->volume_guid,
        .hint = fixture->drive_hint,
        .size = fixture->size,
        .flags = 0x11,
        .plexes = plexes,
        .plex_count = LDM_FIXTURE_DISKS,
    };
    const struct ldm_group_spec group = {
        .guid = fixture->group_guid,
        .name = fixture->group_name,
        .transaction = fixture->transaction,
        .disks = disks,
        .disk_count = LDM_FIXTURE_DISKS,
        .volumes = &volume,
        .volume_count = 1,
    };

    for (size_t i = 0; i < LDM_FIXTURE_DISKS; i++) {
        const struct ldm_fixture_disk *from = &fixture->disks[i];
        disks[i].guid = from->guid;
        disks[i].name = from->name;
        disks[i].public_start = from->public_start;
        disks[i].public_size = from->public_size;
        disks[i].private_start = from->private_start;
        extents[i].disk = i;
        extents[i].start = from->start;
        extents[i].size = fixture->size;
        plexes[i].extents = &extents[i];
        plexes[i].extent_count = 1;
    }
    ldm_group_build(&group, disk, ret_region);
}

static char folder[64];

/* Holes stay holes: the images are mostly zeros. */
static bool unpack(const char *archive, const char *pattern)
{
    char command[1024];

    snprintf(command, sizeof command,
             "cd '%s' && tar -xJf '%s' --wildcards '%s' "
             "--to-command='dd of=\"$TAR_FILENAME\" bs=64k conv=sparse status=none'",
             folder, archive, pattern);
    return system(command) == 0;
}

const char *ldm_images_unpack(const char *pattern)
{
    const char *shared = getenv("SHADOWBOOT_SHARED");
    char path[512];

    snprintf(path, sizeof path, "%s/" LDM_IMAGES, shared != NULL ? shared : "../shared");
    char *archive = realpath(path, NULL);
    if (archive == NULL)
        return NULL;
    strcpy(folder, "/tmp/ldm-images-XXXXXX");
    bool done = mkdtemp(folder) != NULL && unpack(archive, pattern);
    free(archive);
    if (!done)
        host_fail("the disks that Windows made cannot be unpacked");
    return folder;
}

void ldm_images_remove(void)
{
    char command[128];

    if (folder[0] == '\0')
        return;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    if (system(command) != 0)
        fprintf(stderr, "%s: could not be removed\n", folder);
    folder[0] = '\0';
}

void ldm_image_read(const char *name, uint64_t offset, void *ret_data, size_t size)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, (long)offset, SEEK_SET) != 0 ||
        fread(ret_data, 1, size, file) != size) {
        fprintf(stderr, "%s: cannot read %zu bytes at %llu\n", path, size,
                (unsigned long long)offset);
        abort();
    }
    fclose(file);
}
