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

static size_t piece_count(const struct fat_volume *volume)
{
    return (size_t)((volume->table_bytes + FAT_PIECE - 1) / FAT_PIECE);
}

enum status fat_table_init(struct fat_volume *volume)
{
    volume->table = arena_alloc(volume->arena, piece_count(volume), FAT_PIECE);
    volume->table_loaded = arena_alloc(volume->arena, piece_count(volume), 1);
    return volume->table != NULL && volume->table_loaded != NULL ? ST_OK : ST_NO_MEMORY;
}

/* Reads pieces [first, first + count) from the FAT number `fat`: whole blocks, of that FAT only. */
static enum status read_pieces(struct fat_volume *volume, uint32_t fat, size_t first, size_t count)
{
    uint32_t block_size = volume->port->block_size;
    uint64_t start = (uint64_t)first * FAT_PIECE;
    uint64_t end = (uint64_t)(first + count) * FAT_PIECE;
    uint64_t last = (volume->table_bytes + block_size - 1) / block_size * block_size;

    return fat_read(volume, volume->fat_offset + fat * volume->fat_bytes + start,
                    (end < last ? end : last) - start, volume->table + start);
}

/* The pieces from `first` on that are missing, as many as are read at once. */
static size_t missing_pieces(const struct fat_volume *volume, size_t first)
{
    size_t most = volume->read_size / FAT_PIECE;
    size_t count = 1;

    while (count < most && first + count < piece_count(volume) &&
           volume->table_loaded[first + count] == FAT_PIECE_UNKNOWN)
        count++;
    return count;
}

/* The same from any copy, when the FAT that counts could not be read. */
static enum status read_from_copies(struct fat_volume *volume, size_t first, size_t count)
{
    enum status status = ST_IO;

    volume->table_failed++;
    for (uint32_t fat = 1; volume->fat_mirrored && fat < volume->fat_count && status == ST_IO;
         fat++)
        status = read_pieces(volume, fat, first, count);
    if (status == ST_OK)
        memset(volume->table_loaded + first, FAT_PIECE_FROM_COPY, count);
    if (status == ST_IO)
        memset(volume->table_loaded + first, FAT_PIECE_UNREADABLE, count);
    return status;
}

static enum status load_piece(struct fat_volume *volume, size_t piece)
{
    size_t count = missing_pieces(volume, piece);
    enum status status = read_pieces(volume, volume->fat_active, piece, count);

    if (count > 1 && (status == ST_REFUSED || (status == ST_IO && !fat_gives_up(volume)))) {
        count = 1;
        status = read_pieces(volume, volume->fat_active, piece, count);
    }
    if (status == ST_IO)
        return read_from_copies(volume, piece, count);
    if (status == ST_OK)
        memset(volume->table_loaded + piece, FAT_PIECE_LOADED, count);
    return status;
}

static enum status need_piece(struct fat_volume *volume, size_t piece)
{
    enum status status = ST_OK;

    if (volume->table_loaded[piece] == FAT_PIECE_UNKNOWN)
        status = load_piece(volume, piece);
    if (status == ST_OK && volume->table_loaded[piece] == FAT_PIECE_UNREADABLE)
        status = ST_IO;
    return status;
}

enum status fat_entry(struct fat_volume *volume, uint32_t entry, uint32_t *ret_value)
{
    size_t at = fat_entry_offset(volume->type, entry);
    size_t last = at + (volume->type == FAT_32 ? 3 : 1);
    enum status status = need_piece(volume, at / FAT_PIECE);

    if (status == ST_OK && last / FAT_PIECE != at / FAT_PIECE)
        status = need_piece(volume, last / FAT_PIECE);
    if (status != ST_OK)
        return status;
    *ret_value = fat_entry_load(volume->type, volume->table, entry);
    return ST_OK;
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
