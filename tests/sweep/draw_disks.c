#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/host_alloc.h"
#include "sweep/content.h"
#include "sweep/draw.h"
#include "unit/machine_fixture.h"

#define MIB          (1u << 20)
#define BACKUP_BYTES 65536u

static const char *const kind_names[DRAW_KIND_COUNT] = {
    [DRAW_WINDOWS_MIRROR] = "Windows on an LDM mirror",
    [DRAW_WINDOWS_PLAIN] = "Windows on a plain volume",
    [DRAW_LINUX_MIRROR] = "Linux on an md mirror",
    [DRAW_LINUX_PLAIN] = "Linux on a plain partition",
    [DRAW_DATA_MIRROR] = "an LDM mirror of data",
};

bool draw_is_windows(enum draw_kind kind)
{
    return kind == DRAW_WINDOWS_MIRROR || kind == DRAW_WINDOWS_PLAIN;
}

bool draw_is_ldm(enum draw_kind kind)
{
    return kind == DRAW_WINDOWS_MIRROR || kind == DRAW_DATA_MIRROR;
}

/* --- Systems -------------------------------------------------------------------------------- */

/* What there is on a machine, of which so many are seen. */
static const struct scenario {
    unsigned weight;
    unsigned disks;
    struct {
        enum draw_kind kind;
        unsigned disks; /* a bit for each */
    } systems[DRAW_SYSTEMS];
    size_t system_count;
} scenarios[] = {
    {26, 2, {{DRAW_WINDOWS_MIRROR, 3}}, 1},
    {14, 2, {{DRAW_LINUX_MIRROR, 3}}, 1},
    {8, 3, {{DRAW_WINDOWS_MIRROR, 3}, {DRAW_LINUX_PLAIN, 4}}, 2},
    {6, 3, {{DRAW_WINDOWS_MIRROR, 3}, {DRAW_WINDOWS_PLAIN, 4}}, 2},
    {6, 3, {{DRAW_LINUX_MIRROR, 3}, {DRAW_WINDOWS_PLAIN, 4}}, 2},
    {4, 3, {{DRAW_LINUX_MIRROR, 3}, {DRAW_LINUX_PLAIN, 4}}, 2},
    {5, 3, {{DRAW_WINDOWS_MIRROR, 3}}, 1}, /* the third is blank, or has an ESP alone */
    {4, 3, {{DRAW_LINUX_MIRROR, 7}}, 1},
    {3, 3, {{DRAW_WINDOWS_MIRROR, 7}}, 1},
    {4, 4, {{DRAW_WINDOWS_MIRROR, 3}, {DRAW_DATA_MIRROR, 12}}, 2},
    {3, 4, {{DRAW_WINDOWS_MIRROR, 3}, {DRAW_LINUX_MIRROR, 12}}, 2},
    {3, 4, {{DRAW_WINDOWS_MIRROR, 3}, {DRAW_WINDOWS_MIRROR, 12}}, 2},
    {2, 3, {{DRAW_WINDOWS_MIRROR, 3}, {DRAW_WINDOWS_MIRROR, 4}}, 2}, /* an old shadow left in */
    {2, 2, {{DRAW_WINDOWS_MIRROR, 3}, {DRAW_LINUX_PLAIN, 1}}, 2},
    {3, 2, {{DRAW_LINUX_MIRROR, 3}, {DRAW_WINDOWS_PLAIN, 2}}, 2},
    {4, 2, {{DRAW_WINDOWS_PLAIN, 1}}, 1},
    {2, 2, {{DRAW_LINUX_PLAIN, 1}}, 1},
    {2, 3, {{DRAW_WINDOWS_PLAIN, 1}, {DRAW_DATA_MIRROR, 6}}, 2},
    {2, 1, {{DRAW_WINDOWS_MIRROR, 1}}, 1},
    {1, 1, {{DRAW_LINUX_MIRROR, 1}}, 1},
};

#define SCENARIOS (sizeof(scenarios) / sizeof(scenarios[0]))

/* The bits of `disks` where `places` puts them. */
static unsigned moved(unsigned disks, const uint8_t *places)
{
    unsigned result = 0;

    for (unsigned i = 0; i < DRAW_DISKS; i++) {
        if ((disks >> i & 1) != 0)
            result |= 1u << places[i];
    }
    return result;
}

static void draw_systems(struct draw *draw)
{
    static const char *const vendors[] = {"debian", "ubuntu", "redhat", "fedora", "sles", "arch"};
    unsigned weights[SCENARIOS];
    uint8_t places[DRAW_DISKS] = {0, 1, 2, 3};

    for (size_t i = 0; i < SCENARIOS; i++)
        weights[i] = scenarios[i].weight;
    const struct scenario *scenario =
        &scenarios[chance_weighted(&draw->chance, weights, SCENARIOS)];
    draw->disk_count = scenario->disks;
    chance_shuffle(&draw->chance, places, draw->disk_count, 1);
    for (size_t i = 0; i < scenario->system_count; i++) {
        struct draw_system *system = &draw->systems[draw->system_count++];
        *system = (struct draw_system){.kind = scenario->systems[i].kind,
                                       .name = {(char)('A' + i), 0},
                                       .disks = moved(scenario->systems[i].disks, places),
                                       .folder = "Microsoft"};
        if (!draw_is_windows(system->kind) && !draw_is_ldm(system->kind)) {
            system->folder = vendors[chance_below(&draw->chance, 6)];
            system->uses_shim = chance_percent(&draw->chance, 65);
            system->uses_systemd = !system->uses_shim && chance_percent(&draw->chance, 40);
        }
        if (system->kind == DRAW_WINDOWS_MIRROR || system->kind == DRAW_LINUX_MIRROR)
            draw->mirrored[strlen(draw->mirrored)] = system->name[0];
        draw_say(draw, "system %s: %s, disks", system->name, kind_names[system->kind]);
        for (unsigned disk = 0; disk < DRAW_DISKS; disk++) {
            if ((system->disks >> disk & 1) != 0)
                draw_say(draw, " %u", disk);
        }
        draw_say(draw, "\n");
    }
}

/* --- Tables --------------------------------------------------------------------------------- */

void draw_guid(struct draw *draw, char ret_guid[DRAW_GUID])
{
    uint64_t high = chance_next(&draw->chance);
    uint64_t low = chance_next(&draw->chance);

    snprintf(ret_guid, DRAW_GUID, "%08x-%04x-4%03x-8%03x-%012llx", (unsigned)(high >> 32),
             (unsigned)(high >> 16) & 0xffff, (unsigned)high & 0xfff, (unsigned)(low >> 52),
             (unsigned long long)(low & 0xffffffffffffu));
}

static uint64_t bytes_of(const struct draw *draw, const char *type, bool large)
{
    if (strcmp(type, TYPE_ESP) == 0)
        return draw->block_size == 4096 ? 18 * MIB : large ? 36 * MIB : 4 * MIB;
    if (strcmp(type, TYPE_MSR) == 0)
        return (draw->block_size == 4096 ? 22 : 8) * MIB;
    return strcmp(type, TYPE_LDM_METADATA) == 0 ? MIB : 2 * MIB;
}

static void add_part(struct draw *draw, size_t disk, const char *type, bool large)
{
    size_t count = draw->part_counts[disk]++;
    struct draw_part *part = &draw->parts[disk][count];
    const struct draw_part *before = count > 0 ? part - 1 : NULL;

    part->type = type;
    part->number = (uint32_t)count + 1;
    draw_guid(draw, part->guid);
    part->first = before != NULL ? before->first + before->blocks : MIB / draw->block_size;
    part->blocks = bytes_of(draw, type, large) / draw->block_size;
}

/* Partitions for the copies that lie on the disk. */
static void add_system_parts(struct draw *draw, size_t disk)
{
    bool has_msr = false;

    for (size_t i = 0; i < draw->system_count; i++) {
        const struct draw_system *system = &draw->systems[i];
        if ((system->disks >> disk & 1) == 0)
            continue;
        if (draw_is_ldm(system->kind))
            add_part(draw, disk, TYPE_LDM_METADATA, false);
        if ((draw_is_windows(system->kind) || draw_is_ldm(system->kind)) && !has_msr &&
            chance_percent(&draw->chance, 60)) {
            add_part(draw, disk, TYPE_MSR, false);
            has_msr = true;
        }
        add_part(draw, disk,
                 draw_is_ldm(system->kind)            ? TYPE_LDM_DATA
                 : system->kind == DRAW_WINDOWS_PLAIN ? TYPE_BASIC_DATA
                 : system->kind == DRAW_LINUX_MIRROR  ? TYPE_RAID
                                                      : TYPE_LINUX,
                 false);
    }
}

/* The number of ESPs, the numbers of partitions and their places. */
static void add_parts(struct draw *draw, size_t disk, bool has_system)
{
    static const unsigned with_system[] = {12, 80, 8};
    unsigned esps = chance_weighted(&draw->chance, with_system, 3);
    bool large = draw->block_size == 512 && chance_percent(&draw->chance, 6);
    bool behind = chance_percent(&draw->chance, 15);

    if (!has_system)
        esps = chance_below(&draw->chance, 2);
    for (unsigned i = 0; i < esps && !behind; i++)
        add_part(draw, disk, TYPE_ESP, large);
    add_system_parts(draw, disk);
    for (unsigned i = 0; i < esps && behind; i++)
        add_part(draw, disk, TYPE_ESP, large);
    if (!chance_percent(&draw->chance, 25))
        return;
    uint32_t numbers[DRAW_PARTS] = {1, 2, 3, 4, 5, 6, 7, 8};
    chance_shuffle(&draw->chance, numbers, draw->part_counts[disk], sizeof(numbers[0]));
    for (size_t i = 0; i < draw->part_counts[disk]; i++)
        draw->parts[disk][i].number = numbers[i];
}

static void write_table(struct draw *draw, size_t disk)
{
    struct fixture_partition partitions[DRAW_PARTS];
    char guid[DRAW_GUID];

    for (size_t i = 0; i < draw->part_counts[disk]; i++) {
        const struct draw_part *part = &draw->parts[disk][i];
        partitions[i] = (struct fixture_partition){part->number, part->type,   part->guid,
                                                   part->first,  part->blocks, "partition"};
    }
    draw_guid(draw, guid);
    fixture_write_gpt(draw->host, disk, guid, partitions, draw->part_counts[disk]);
}

/* A disk of the old kind: one partition in an MBR, with something that is nobody's business. */
static void write_mbr(struct draw *draw, size_t disk)
{
    struct content data = content_filler("data of another", 65536);
    uint8_t mbr[512] = {0xfa};

    st_le32(mbr + 440, 0x5eed0000u + (uint32_t)disk);
    mbr[446] = 0x80;
    mbr[446 + 4] = 0x83;
    st_le32(mbr + 446 + 8, MIB / draw->block_size);
    st_le32(mbr + 446 + 12, 2 * MIB / draw->block_size);
    st_le16(mbr + 510, 0xaa55);
    mem_block_write(draw->host->disks[disk], 0, mbr, sizeof(mbr));
    draw_write(draw, disk, MIB, data.at, data.size);
    free(data.at);
    draw_say(draw, "disk %zu: MBR with one partition\n", disk);
}

static void add_disk(struct draw *draw)
{
    size_t disk = draw->host->disk_count;
    unsigned systems = 0;
    uint64_t end = MIB;

    for (size_t i = 0; i < draw->system_count; i++)
        systems |= draw->systems[i].disks >> disk & 1;
    unsigned kind = systems != 0 ? 0 : chance_below(&draw->chance, 3);
    if (kind == 0)
        add_parts(draw, disk, systems != 0);
    for (size_t i = 0; i < draw->part_counts[disk]; i++)
        end += draw->parts[disk][i].blocks * draw->block_size;
    uint64_t room = chance_percent(&draw->chance, 60) ? 64 * MIB : 0;
    host_add_disk(draw->host, disk == 0 ? DISK_NVME : DISK_AHCI, draw->block_size,
                  (end + 4 * MIB + room + BACKUP_BYTES) / draw->block_size);
    if (kind == 0)
        write_table(draw, disk);
    else if (kind == 1)
        write_mbr(draw, disk);
    else
        draw_say(draw, "disk %zu: blank\n", disk);
    for (size_t i = 0; kind == 0 && i < draw->part_counts[disk]; i++) {
        if (i == 0)
            draw_say(draw, "disk %zu: %s behind the partitions\n", disk,
                     room > 0 ? "64 MiB free" : "little room");
    }
}

void draw_disks(struct draw *draw)
{
    draw->block_size = chance_percent(&draw->chance, 6) ? 4096 : 512;
    if (draw->block_size != 512)
        draw_say(draw, "blocks of 4096 bytes\n");
    draw_systems(draw);
    while (draw->host->disk_count < draw->disk_count)
        add_disk(draw);
    for (size_t i = 0; i < draw->system_count; i++)
        draw_volumes(draw, &draw->systems[i]);
    for (size_t disk = 0; disk < draw->disk_count; disk++) {
        for (size_t i = 0; i < draw->part_counts[disk]; i++) {
            if (strcmp(draw->parts[disk][i].type, TYPE_ESP) == 0)
                draw_esp(draw, disk, i);
        }
    }
}
