#include <stdlib.h>
#include <string.h>

#include "host/host_alloc.h"
#include "sweep/content.h"
#include "sweep/draw.h"

#define OWNER_AT 65536u /* from the end, where metadata of a RAID begins at the earliest */

static uint64_t size_of(const struct draw *draw, size_t disk)
{
    const struct block_port *port = &draw->host->blocks[disk];

    return port->block_count * port->block_size;
}

static void flip(struct draw *draw, size_t disk, uint64_t offset)
{
    uint8_t byte = 0;

    mem_block_peek(draw->host->disks[disk], offset, &byte, 1);
    byte ^= 0x55;
    mem_block_write(draw->host->disks[disk], offset, &byte, 1);
}

/* --- Tables --------------------------------------------------------------------------------- */

static void break_primary(struct draw *draw, size_t disk)
{
    draw_say(draw, "disk %zu: the primary table is broken\n", disk);
    flip(draw, disk, draw->block_size + 60);
}

static void break_backup(struct draw *draw, size_t disk)
{
    draw_say(draw, "disk %zu: the second copy of the table is broken\n", disk);
    flip(draw, disk, size_of(draw, disk) - draw->block_size + 60);
}

static void drop_mbr(struct draw *draw, size_t disk)
{
    static const uint8_t zeros[512];

    draw_say(draw, "disk %zu: no protective MBR\n", disk);
    mem_block_write(draw->host->disks[disk], 0, zeros, sizeof(zeros));
}

static void damage_table(struct draw *draw, size_t disk)
{
    static void (*const damages[])(struct draw * draw, size_t disk) = {break_primary, break_backup,
                                                                       drop_mbr};

    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        if (chance_percent(&draw->chance, 3))
            damages[i](draw, disk);
    }
}

/* --- Disks of others -------------------------------------------------------------------------- */

/* Metadata of a RAID of whole disks, by its magic number and its place from the end. */
static void put_owner(struct draw *draw, size_t disk)
{
    static const struct {
        const char *name, *magic;
        uint32_t from_end; /* bytes */
    } owners[] = {{"md 0.90", "\xfc\x4e\x2b\xa9", OWNER_AT},
                  {"md 1.0", "\xfc\x4e\x2b\xa9\x01", 8192},
                  {"Intel", "Intel Raid ISM Cfg Sig. 1.3.00", 1024},
                  {"DDF", "\xde\x11\xde\x11", 512},
                  {"nVidia", "NVIDIA  ", 1024},
                  {"Promise", "Promise Technology, Inc.", 32256}};
    unsigned which = chance_below(&draw->chance, sizeof(owners) / sizeof(owners[0]));
    struct content sector = content_filler(owners[which].name, 512);

    memcpy(sector.at, owners[which].magic, strlen(owners[which].magic));
    mem_block_write(draw->host->disks[disk], size_of(draw, disk) - owners[which].from_end,
                    sector.at, sector.size);
    free(sector.at);
    draw_say(draw, "disk %zu: metadata of a RAID, %s\n", disk, owners[which].name);
}

void draw_damage(struct draw *draw)
{
    for (size_t disk = 0; disk < draw->disk_count; disk++) {
        if (draw->part_counts[disk] > 0)
            damage_table(draw, disk);
        else if (chance_percent(&draw->chance, 40))
            put_owner(draw, disk);
    }
}
