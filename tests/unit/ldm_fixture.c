#include "unit/ldm_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static void build_head(const struct ldm_fixture *fixture, const struct ldm_fixture_disk *disk,
                       uint8_t *at)
{
    memcpy(at, "PRIVHEAD", 8);
    put(at + 0x0c, 2, 2);
    put(at + 0x0e, 12, 2);
    put(at + 0x18, 1, 8);
    put(at + 0x20, 2047, 8);
    put(at + 0x28, 1856, 8);
    memcpy(at + 0x30, disk->guid, 36);
    memcpy(at + 0xb0, fixture->group_guid, 36);
    strncpy((char *)at + 0xf0, fixture->group_name, 31);
    put(at + 0x10f, 512, 4);
    put(at + 0x11b, disk->public_start, 8);
    put(at + 0x123, disk->public_size, 8);
    put(at + 0x12b, disk->private_start, 8);
    put(at + 0x133, LDM_FIXTURE_BLOCKS, 8);
    put(at + 0x13b, 2, 8);
    put(at + 0x143, 2045, 8);
    put(at + 0x14b, 1, 4);
    put(at + 0x14f, 1, 4);
    put(at + 0x153, 1481, 8);
    put(at + 0x15b, 224, 8);
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

static void build_toc(uint8_t *at)
{
    memcpy(at, "TOCBLOCK", 8);
    put(at + 0x0c, 1, 8);
    build_toc_region(at + 0x24, "config", 17, 1481);
    build_toc_region(at + 0x46, "log", 1498, 224);
    ldm_fixture_seal(at);
}

static void build_vmdb(const struct ldm_fixture *fixture, uint8_t *at)
{
    static const uint32_t counts[4] = {1, 2, 2, 2};

    memcpy(at, "VMDB", 4);
    put(at + 0x04, LDM_FIXTURE_CONFIG_BYTES / 128, 4);
    put(at + 0x08, 128, 4);
    put(at + 0x0c, 512, 4);
    put(at + 0x10, 1, 2);
    put(at + 0x12, 4, 2);
    put(at + 0x14, 10, 2);
    strncpy((char *)at + 0x16, fixture->group_name, 31);
    memcpy(at + 0x35, fixture->group_guid, 36);
    put(at + 0x75, fixture->transaction, 8);
    put(at + 0x7d, fixture->transaction, 8);
    for (size_t i = 0; i < 4; i++) {
        put(at + 0x85 + 4 * i, counts[i], 4);
        put(at + 0xa1 + 4 * i, counts[i], 4);
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

/* Puts the record into as many slots from `*io_slot` on as it needs. */
static void store(uint8_t *config, uint32_t *io_slot, struct record *record)
{
    size_t count = (record->used + 111) / 112;
    uint32_t group = *io_slot + 100;

    put(record->bytes + 4, record->used - 8, 4);
    for (size_t i = 0; i < count; i++) {
        uint8_t *at = config + 128 * (*io_slot)++;
        put(at + 0x08, group, 4);
        put(at + 0x0c, i, 2);
        put(at + 0x0e, count, 2);
        memcpy(at + 0x10, record->bytes + 112 * i, 112);
    }
}

static struct record group_record(const struct ldm_fixture *fixture)
{
    struct record record = start_record(0, 0x35, 1, fixture->group_name);

    add_text(&record, fixture->group_guid);
    add(&record, 0, 4);
    add(&record, 0, 8);
    return record;
}

static struct record disk_record(const struct ldm_fixture *fixture, size_t disk)
{
    struct record record = start_record(0, 0x34, 2 + disk, fixture->disks[disk].name);

    add_text(&record, fixture->disks[disk].guid);
    add_text(&record, "");
    add(&record, 0, 4);
    add(&record, 4, 8);
    return record;
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

static struct record volume_record(const struct ldm_fixture *fixture)
{
    uint8_t flags = fixture->drive_hint != NULL ? 0x02 : 0;
    struct record record = start_record(flags, 0x51, 4, fixture->volume_name);

    add_text(&record, "gen");
    add_text(&record, "");
    memcpy(record.bytes + record.used, "ACTIVE", 6);
    record.used += 14;
    add(&record, 3, 1);
    add_vint(&record, 1);
    add(&record, 0x11, 4);
    add_vint(&record, 2);
    add(&record, fixture->transaction, 8);
    add(&record, 0, 8);
    add_vint(&record, fixture->size);
    add(&record, 0, 4);
    add(&record, 7, 1);
    add_guid(&record, fixture->volume_guid);
    if (fixture->drive_hint != NULL)
        add_text(&record, fixture->drive_hint);
    return record;
}

static struct record plex_record(const struct ldm_fixture *fixture, size_t disk)
{
    char name[200];

    snprintf(name, sizeof name, "%s-%02zu", fixture->volume_name, disk + 1);
    struct record record = start_record(0, 0x32, 5 + 2 * disk, name);
    add_text(&record, "ACTIVE");
    add(&record, 2, 1);
    add(&record, 0, 4);
    add_vint(&record, 1);
    add(&record, fixture->transaction, 8);
    add(&record, 0, 8);
    add_vint(&record, 4);
    add_vint(&record, 0);
    return record;
}

static struct record piece_record(const struct ldm_fixture *fixture, size_t disk)
{
    char name[64];

    snprintf(name, sizeof name, "%s-01", fixture->disks[disk].name);
    struct record record = start_record(0x40, 0x33, 6 + 2 * disk, name);
    add(&record, 0, 4);
    add(&record, fixture->transaction, 8);
    add(&record, fixture->disks[disk].start, 8);
    add(&record, 0, 8);
    add_vint(&record, fixture->size);
    add_vint(&record, 5 + 2 * disk);
    add_vint(&record, 2 + disk);
    add_vint(&record, 0);
    return record;
}

static void build_records(const struct ldm_fixture *fixture, uint8_t *config)
{
    struct record records[] = {
        group_record(fixture),   disk_record(fixture, 0),  disk_record(fixture, 1),
        volume_record(fixture),  plex_record(fixture, 0),  piece_record(fixture, 0),
        plex_record(fixture, 1), piece_record(fixture, 1),
    };
    uint32_t slot = 4;

    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++)
        store(config, &slot, &records[i]);
}

static void build_log_page(uint8_t *at, uint32_t index)
{
    memcpy(at, "KLOG", 4);
    put(at + 0x0c, index == 0 ? 4 : 0, 4);
    put(at + 0x10, 2, 4);
    put(at + 0x14, index, 4);
}

void ldm_fixture_build(const struct ldm_fixture *fixture, size_t disk, uint8_t *ret_region)
{
    memset(ret_region, 0, LDM_FIXTURE_BYTES);
    build_head(fixture, &fixture->disks[disk], ret_region + LDM_FIXTURE_HEAD_1);
    build_head(fixture, &fixture->disks[disk], ret_region + LDM_FIXTURE_HEAD_2);
    build_toc(ret_region + LDM_FIXTURE_TOC_1);
    build_toc(ret_region + LDM_FIXTURE_TOC_2);
    build_vmdb(fixture, ret_region + LDM_FIXTURE_CONFIG);
    build_records(fixture, ret_region + LDM_FIXTURE_CONFIG);
    build_log_page(ret_region + 1498 * 512, 0);
    build_log_page(ret_region + 1499 * 512, 1);
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

    snprintf(path, sizeof path, "%s/data/ldm-2008r2.tar.xz", shared != NULL ? shared : "../shared");
    char *archive = realpath(path, NULL);
    if (archive == NULL)
        return NULL;
    strcpy(folder, "/tmp/ldm-images-XXXXXX");
    bool done = mkdtemp(folder) != NULL && unpack(archive, pattern);
    free(archive);
    return done ? folder : NULL;
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
