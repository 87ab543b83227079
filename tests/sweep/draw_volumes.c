#include <stdlib.h>
#include <string.h>

#include "host/host_alloc.h"
#include "sweep/content.h"
#include "sweep/draw.h"
#include "sweep/truth_system.h"
#include "unit/ldm_fixture.h"
#include "unit/machine_fixture.h"
#include "unit/ntfs_fixture.h"

#define MIB           (1u << 20)
#define CONFIG_BLOCKS 64u /* of records of an LDM group */

static void put_be32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* --- Volumes -------------------------------------------------------------------------------- */

static size_t part_of(const struct draw *draw, size_t disk, const char *type, unsigned skip)
{
    for (size_t i = 0; i < draw->part_counts[disk]; i++) {
        if (strcmp(draw->parts[disk][i].type, type) == 0 && skip-- == 0)
            return i;
    }
    host_fail("a system without its partition");
}

/* A volume with Windows, the serial number that of the system; with nothing to start for data. */
static void write_ntfs(struct draw *draw, size_t disk, const struct draw_part *part,
                       const struct draw_system *system)
{
    static struct ntfs_fixture *volumes[2];
    struct ntfs_fixture **volume = &volumes[draw->block_size == 4096];
    struct ntfs_fixture_shape shape = ntfs_fixture_small();

    if (*volume == NULL) {
        shape.sector_size = draw->block_size;
        shape.cluster_size = draw->block_size == 4096 ? 4096 : shape.cluster_size;
        shape.sectors = MIB / draw->block_size - 1;
        *volume = ntfs_fixture_new(&shape);
    }
    uint8_t *bytes = host_copy((*volume)->bytes, (*volume)->size);
    st_le64(bytes + 72, truth_serial_of(system->name));
    st_le64(bytes + (*volume)->shape.sectors * draw->block_size + 72,
            truth_serial_of(system->name));
    draw_write(draw, disk, part->first * draw->block_size, bytes, (*volume)->size);
    free(bytes);
}

static void write_data(struct draw *draw, size_t disk, const struct draw_part *part)
{
    struct content data = content_filler("data", 65536);

    draw_write(draw, disk, part->first * draw->block_size, data.at, data.size);
    free(data.at);
}

struct group {
    struct ldm_disk_spec disks[DRAW_DISKS];
    struct ldm_extent_spec extents[DRAW_DISKS];
    struct ldm_plex_spec plexes[DRAW_DISKS];
    char guids[DRAW_DISKS + 2][DRAW_GUID];
    size_t where[DRAW_DISKS];
    size_t count;
};

static void add_member(struct draw *draw, struct group *group, size_t disk, unsigned skip)
{
    static const char *const names[] = {"Disk1", "Disk2", "Disk3", "Disk4"};
    const struct draw_part *data = &draw->parts[disk][part_of(draw, disk, TYPE_LDM_DATA, skip)];
    size_t i = group->count++;

    draw_guid(draw, group->guids[i]);
    group->where[i] = disk;
    group->disks[i] = (struct ldm_disk_spec){
        .guid = group->guids[i],
        .name = names[i],
        .public_start = data->first,
        .public_size = data->blocks,
        .private_start = draw->parts[disk][part_of(draw, disk, TYPE_LDM_METADATA, skip)].first,
        .block_size = draw->block_size};
    group->extents[i] = (struct ldm_extent_spec){.disk = i, .size = MIB / 512};
    group->plexes[i] = (struct ldm_plex_spec){.extents = &group->extents[i], .extent_count = 1};
}

/* Leaves room for few records, where blocks have 512 bytes: all of it is read and hashed at each
 * look at a machine. */
static void shrink_config(uint8_t *region)
{
    static const struct {
        uint32_t place, field;
    } copies[] = {{LDM_FIXTURE_HEAD_1, 0x153},
                  {LDM_FIXTURE_HEAD_2, 0x153},
                  {LDM_FIXTURE_TOC_1, 0x36},
                  {LDM_FIXTURE_TOC_2, 0x36}};

    memset(region + LDM_FIXTURE_CONFIG + CONFIG_BLOCKS * 512, 0,
           LDM_FIXTURE_CONFIG_BYTES - CONFIG_BLOCKS * 512);
    put_be32(region + LDM_FIXTURE_CONFIG + 4, CONFIG_BLOCKS * 512 / 128);
    for (size_t i = 0; i < sizeof(copies) / sizeof(copies[0]); i++) {
        put_be32(region + copies[i].place + copies[i].field + 4, CONFIG_BLOCKS);
        ldm_fixture_seal(region + copies[i].place);
    }
}

static void write_group(struct draw *draw, struct group *group, const struct draw_system *system)
{
    uint8_t *region = host_alloc(1, LDM_FIXTURE_BYTES);

    draw_guid(draw, group->guids[DRAW_DISKS]);
    draw_guid(draw, group->guids[DRAW_DISKS + 1]);
    const struct ldm_volume_spec volume = {.name = "Volume1",
                                           .guid = group->guids[DRAW_DISKS],
                                           .hint = system->kind == DRAW_DATA_MIRROR ? "D:" : "C:",
                                           .size = MIB / 512,
                                           .flags = 0x11,
                                           .plexes = group->plexes,
                                           .plex_count = group->count};
    const struct ldm_group_spec spec = {.guid = group->guids[DRAW_DISKS + 1],
                                        .name = system->kind == DRAW_DATA_MIRROR ? "Data-Dg0"
                                                                                 : "Machine-Dg0",
                                        .transaction = 12,
                                        .disks = group->disks,
                                        .disk_count = group->count,
                                        .volumes = &volume,
                                        .volume_count = 1};
    for (size_t i = 0; i < group->count; i++) {
        ldm_group_build(&spec, i, region);
        if (draw->block_size == 512)
            shrink_config(region);
        draw_write(draw, group->where[i], group->disks[i].private_start * draw->block_size, region,
                   LDM_FIXTURE_BYTES);
    }
    free(region);
}

static void write_ldm(struct draw *draw, const struct draw_system *system)
{
    struct group group = {.count = 0};

    for (size_t disk = 0; disk < draw->disk_count; disk++) {
        if ((system->disks >> disk & 1) == 0)
            continue;
        add_member(draw, &group, disk, 0);
        const struct draw_part *data = &draw->parts[disk][part_of(draw, disk, TYPE_LDM_DATA, 0)];
        if (system->kind == DRAW_DATA_MIRROR)
            write_data(draw, disk, data);
        else
            write_ntfs(draw, disk, data, system);
    }
    write_group(draw, &group, system);
}

static unsigned members_of(const struct draw_system *system)
{
    unsigned count = 0;

    for (unsigned disk = 0; disk < DRAW_DISKS; disk++)
        count += system->disks >> disk & 1;
    return count;
}

static void write_linux(struct draw *draw, const struct draw_system *system)
{
    bool mirror = system->kind == DRAW_LINUX_MIRROR;
    uint8_t block[CONTENT_MD_SIZE];
    unsigned index = 0;

    for (size_t disk = 0; disk < draw->disk_count; disk++) {
        if ((system->disks >> disk & 1) == 0)
            continue;
        const struct draw_part *part =
            &draw->parts[disk][part_of(draw, disk, mirror ? TYPE_RAID : TYPE_LINUX, 0)];
        uint64_t offset = part->first * draw->block_size;
        unsigned members = members_of(system);
        if (mirror) {
            content_md(system->name, index++, members < 2 ? 2 : members, 2 * MIB / 512, block);
            mem_block_write(draw->host->disks[disk], offset + 4096, block, CONTENT_MD_SIZE);
        } else {
            content_ext(system->name, block);
            mem_block_write(draw->host->disks[disk], offset + 1024, block, CONTENT_EXT_SIZE);
        }
    }
}

void draw_volumes(struct draw *draw, const struct draw_system *system)
{
    if (draw_is_ldm(system->kind)) {
        write_ldm(draw, system);
        return;
    }
    if (!draw_is_windows(system->kind)) {
        write_linux(draw, system);
        return;
    }
    for (size_t disk = 0; disk < draw->disk_count; disk++) {
        if ((system->disks >> disk & 1) != 0)
            write_ntfs(draw, disk, &draw->parts[disk][part_of(draw, disk, TYPE_BASIC_DATA, 0)],
                       system);
    }
}
