#include "variables_room.h"

#include "format/fat/fat_table.h"
#include "model/boot_paths.h"

/* The last cluster of a chain; 0 when it has none, or cannot be followed. */
static uint32_t last_cluster(struct fat_volume *fat, uint32_t cluster)
{
    uint32_t next = cluster;
    uint32_t last = 0;

    for (uint32_t i = 0; i < fat->clusters_present && fat_has_cluster(fat, next); i++) {
        last = next;
        if (fat_link(fat, last, &next) != ST_OK)
            return 0;
    }
    return next == FAT_LINK_END ? last : 0;
}

static bool can_grow(struct fat_volume *fat, const struct fat_file *file, uint64_t more)
{
    uint64_t room = (fat->cluster_size - file->size % fat->cluster_size) % fat->cluster_size;
    uint32_t cluster = last_cluster(fat, file->first_cluster);
    uint32_t link = 0;

    if (cluster == 0)
        return true;
    while (room < more && fat_has_cluster(fat, ++cluster)) {
        if (fat_link(fat, cluster, &link) == ST_OK && link == FAT_LINK_FREE)
            room += fat->cluster_size;
    }
    return room >= more;
}

bool variables_have_room(const struct arena *arena, const struct ports *ports,
                         const struct machine *machine, uint64_t more)
{
    struct arena rest = arena_rest(arena);
    struct fat_report report;
    struct fat_volume fat;

    if (!machine->variables_in_file)
        return true;
    const struct partition *place = &machine->partitions[machine->variables_place];
    const struct block_port *port = &ports->disks[machine->disks[place->disk].port];
    if (fat_open(&rest, port, place->first_lba, place->block_count, &fat) != ST_OK ||
        fat_list(&rest, &fat, &report) != ST_OK)
        return true;
    size_t file = fat_find(&report, BOOT_VARIABLES_PATH);
    return file == FAT_NO_FILE || can_grow(&fat, &report.files[file], more);
}
