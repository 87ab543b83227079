#include "sweep/places.h"

#include <string.h>

#include "sweep/truth_fat.h"

static enum region region_of(const struct block_port *disk, const struct truth_part *part)
{
    static const uint8_t esp[16] = {0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11,
                                    0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b};
    static const uint8_t msr[16] = {0x16, 0xe3, 0xc9, 0xe3, 0x5c, 0x0b, 0xb8, 0x4d,
                                    0x81, 0x7d, 0xf9, 0x2d, 0xf0, 0x02, 0x15, 0xae};
    struct truth_fat fat;

    if (memcmp(part->type, msr, 16) == 0)
        return REGION_MSR;
    if (memcmp(part->type, esp, 16) != 0)
        return REGION_OTHER;
    if (!truth_fat_open(disk, part, &fat))
        return REGION_ESP;
    truth_fat_close(&fat);
    return REGION_FILES;
}

void places_find(const struct block_port *port, struct places *ret_places)
{
    struct truth_parts parts;

    truth_disk_table(port, &parts);
    ret_places->count = parts.count;
    if (parts.count == 0 && !truth_disk_is_gpt(port)) {
        ret_places->items[0] = (struct place){0, port->block_count, REGION_OTHER};
        ret_places->count = 1;
        return;
    }
    for (size_t i = 0; i < parts.count; i++)
        ret_places->items[i] = (struct place){parts.items[i].first, parts.items[i].count,
                                              region_of(port, &parts.items[i])};
}

enum region places_at(const struct places *places, uint64_t lba)
{
    for (size_t i = 0; i < places->count; i++) {
        const struct place *place = &places->items[i];
        if (lba >= place->first && lba - place->first < place->count)
            return place->region;
    }
    return REGION_FREE;
}
