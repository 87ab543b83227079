#include "format/fat/fat_table.h"

#include "base/mem.h"

#define FAILURES_MAX 16u /* after so many only large reads are tried */

static const uint32_t value_bits[] = {[FAT_12] = 0xfff, [FAT_16] = 0xffff, [FAT_32] = 0x0fffffff};
static const uint8_t half_bytes[] = {[FAT_12] = 3, [FAT_16] = 4, [FAT_32] = 8};

size_t fat_entry_offset(enum fat_type type, uint32_t entry)
{
    return (size_t)((uint64_t)entry * half_bytes[type] / 2);
}

uint64_t fat_entries_bytes(enum fat_type type, uint64_t count)
{
    return (count * half_bytes[type] + 1) / 2;
}

uint32_t fat_entry_load(enum fat_type type, const uint8_t *bytes, uint32_t entry)
{
    const uint8_t *at = bytes + fat_entry_offset(type, entry);

    if (type == FAT_32)
        return ld_le32(at) & value_bits[FAT_32];
    if (type == FAT_16)
        return ld_le16(at);
    return entry % 2 != 0 ? ld_le16(at) >> 4 : ld_le16(at) & value_bits[FAT_12];
}

void fat_entry_store(enum fat_type type, uint8_t *bytes, uint32_t entry, uint32_t value)
{
    uint8_t *at = bytes + fat_entry_offset(type, entry);

    value &= value_bits[type];
    if (type == FAT_32)
        st_le32(at, (ld_le32(at) & ~value_bits[FAT_32]) | value);
    else if (type == FAT_16)
        st_le16(at, (uint16_t)value);
    else if (entry % 2 != 0)
        st_le16(at, (uint16_t)((ld_le16(at) & 0x000f) | value << 4));
    else
        st_le16(at, (uint16_t)((ld_le16(at) & 0xf000) | value));
}

bool fat_entry_is_end(enum fat_type type, uint32_t value)
{
    return value >= (value_bits[type] & ~7u);
}

enum status fat_read(struct fat_volume *volume, uint64_t offset, uint64_t size, void *ret_data)
{
    const struct block_port *port = volume->port;
    uint64_t room = volume->block_count * port->block_size;

    if (offset > room || size > room - offset)
        return ST_IO;
    if (offset % port->block_size != 0 || size % port->block_size != 0)
        return ST_IO;
    if (volume->read_bytes > volume->read_limit || size > volume->read_limit - volume->read_bytes)
        return ST_REFUSED;
    volume->read_bytes += size;
    enum status status = port->read(port->ctx, volume->first_lba + offset / port->block_size,
                                    (uint32_t)(size / port->block_size), ret_data);
    if (status == ST_OK || status == ST_NO_MEMORY)
        return status;
    volume->reads_failed++;
    return ST_IO;
}

bool fat_gives_up(const struct fat_volume *volume)
{
    return volume->reads_failed >= FAILURES_MAX;
}

static size_t sector_count(const struct fat_volume *volume)
{
    return (size_t)((volume->table_bytes + volume->sector_size - 1) / volume->sector_size);
}

void fat_limit_reads(struct fat_volume *volume, uint64_t bytes)
{
    uint64_t left = UINT64_MAX - volume->read_bytes;

    volume->read_limit = volume->read_bytes + (bytes < left ? bytes : left);
}

enum status fat_table_init(struct fat_volume *volume)
{
    uint32_t unit = FAT_PIECE / volume->sector_size;

    volume->table_unit = unit > 0 ? unit : 1;
    volume->table_ahead = volume->read_size;
    volume->table = arena_alloc(volume->arena, sector_count(volume), volume->sector_size);
    volume->table_loaded = arena_alloc(volume->arena, sector_count(volume), 1);
    return volume->table != NULL && volume->table_loaded != NULL ? ST_OK : ST_NO_MEMORY;
}

void fat_table_be_sparing(struct fat_volume *volume, uint32_t ahead)
{
    volume->table_unit = 1;
    volume->table_ahead = ahead;
}

/* Reads `count` sectors from the FAT number `fat`: whole blocks, of that FAT only. */
static enum status read_sectors(struct fat_volume *volume, uint32_t fat, size_t first, size_t count)
{
    uint32_t block_size = volume->port->block_size;
    uint64_t start = (uint64_t)first * volume->sector_size;
    uint64_t end = (uint64_t)(first + count) * volume->sector_size;
    uint64_t last = (volume->table_bytes + block_size - 1) / block_size * block_size;

    return fat_read(volume, volume->fat_offset + fat * volume->fat_bytes + start,
                    (end < last ? end : last) - start, volume->table + start);
}

/* As many of `most` sectors from `first` on as the table has and are missing behind the first unit.
 */
static size_t missing_sectors(const struct fat_volume *volume, size_t first, size_t most)
{
    size_t left = sector_count(volume) - first;
    size_t count = volume->table_unit;

    if (most > left)
        most = left;
    while (count < most && volume->table_loaded[first + count] == FAT_SECTOR_UNKNOWN)
        count++;
    return count < left ? count : left;
}

/* The same from any copy, when the FAT that counts could not be read. */
static enum status read_from_copies(struct fat_volume *volume, size_t first, size_t count)
{
    enum status status = ST_IO;

    volume->table_failed++;
    for (uint32_t fat = 1; volume->fat_mirrored && fat < volume->fat_count && status == ST_IO;
         fat++)
        status = read_sectors(volume, fat, first, count);
    if (status == ST_OK)
        memset(volume->table_loaded + first, FAT_SECTOR_FROM_COPY, count);
    if (status == ST_IO)
        memset(volume->table_loaded + first, FAT_SECTOR_UNREADABLE, count);
    return status;
}

/* Reads the unit that the sector is in, and more behind it. */
static enum status load_sector(struct fat_volume *volume, size_t sector)
{
    size_t first = sector - sector % volume->table_unit;
    size_t unit = missing_sectors(volume, first, 0);
    size_t count = missing_sectors(volume, first, volume->table_ahead / volume->sector_size);
    enum status status = read_sectors(volume, volume->fat_active, first, count);

    if (count > unit && (status == ST_REFUSED || (status == ST_IO && !fat_gives_up(volume)))) {
        count = unit;
        status = read_sectors(volume, volume->fat_active, first, count);
    }
    if (status == ST_IO)
        return read_from_copies(volume, first, count);
    if (status == ST_OK)
        memset(volume->table_loaded + first, FAT_SECTOR_LOADED, count);
    return status;
}

static enum status need_byte(struct fat_volume *volume, size_t at)
{
    size_t sector = at >> __builtin_ctz(volume->sector_size); /* a power of two */
    enum status status = ST_OK;

    if (volume->table_loaded[sector] == FAT_SECTOR_UNKNOWN)
        status = load_sector(volume, sector);
    if (status == ST_OK && volume->table_loaded[sector] == FAT_SECTOR_UNREADABLE)
        status = ST_IO;
    return status;
}

enum status fat_entry(struct fat_volume *volume, uint32_t entry, uint32_t *ret_value)
{
    size_t at = fat_entry_offset(volume->type, entry);
    enum status status = need_byte(volume, at);

    /* One of FAT12 may begin in one sector and end in another. */
    if (status == ST_OK && volume->type == FAT_12)
        status = need_byte(volume, at + 1);
    if (status != ST_OK)
        return status;
    *ret_value = fat_entry_load(volume->type, volume->table, entry);
    return ST_OK;
}

/* True where what one sector of the table holds of whole entries, `at` among them, is in memory. */
static bool can_look(const struct fat_volume *volume, size_t at)
{
    uint8_t loaded = volume->table_loaded[at / volume->sector_size];

    return volume->type != FAT_12 && loaded != FAT_SECTOR_UNKNOWN &&
           loaded != FAT_SECTOR_UNREADABLE;
}

uint32_t fat_free_run(const struct fat_volume *volume, uint32_t cluster)
{
    size_t at = fat_entry_offset(volume->type, cluster);

    if (at % volume->sector_size != 0 || at + volume->sector_size > volume->table_bytes ||
        !can_look(volume, at) || !span_is_zero(span_of(volume->table + at, volume->sector_size)))
        return 0;
    return (uint32_t)(volume->sector_size * 2 / half_bytes[volume->type]);
}

uint32_t fat_straight_run(const struct fat_volume *volume, uint32_t cluster, uint32_t most)
{
    size_t at = fat_entry_offset(volume->type, cluster);
    const uint8_t *bytes = volume->table + at;
    size_t left = volume->sector_size - at % volume->sector_size;
    bool is_wide = volume->type == FAT_32;
    size_t step = is_wide ? 4 : 2;
    uint32_t run = 0;

    if (!can_look(volume, at))
        return 0;
    for (; run < most && left > 0; left -= step, bytes += step, run++) {
        if ((is_wide ? ld_le32(bytes) & value_bits[FAT_32] : ld_le16(bytes)) != cluster + run + 1)
            break;
    }
    return run;
}

enum status fat_link(struct fat_volume *volume, uint32_t cluster, uint32_t *ret_link)
{
    static const uint32_t bad[] = {[FAT_12] = 0xff7, [FAT_16] = 0xfff7, [FAT_32] = 0x0ffffff7};
    uint32_t value = 0;
    enum status status = fat_entry(volume, cluster, &value);

    if (status != ST_OK)
        return status;
    if (value > bad[volume->type])
        value = FAT_LINK_END;
    else if (value == bad[volume->type])
        value = FAT_LINK_BAD;
    *ret_link = value;
    return ST_OK;
}
