/*
 * The blocks of a FAT volume and its file allocation table, for the files of the FAT reader. The
 * table is read in units of sectors, when an entry of them is first asked for.
 *
 *   FAT12  entry N is the 12 bits from bit 12 * N: the low ones of a little-endian 16-bit number
 *          for even N, the high ones for odd N
 *   FAT16  16 bits
 *   FAT32  28 bits; the upper four are reserved
 *
 * Entry 0 holds the media byte under ones, entry 1 ones and the dirty bits. An entry N from 2 is 0
 * for a free cluster, the next cluster of the chain, ...FF7 for a bad cluster, ...FF8 to ...FFF at
 * the end of a chain. (Microsoft FAT Specification, section 4.)
 */
#ifndef SHADOWBOOT_FORMAT_FAT_TABLE_H
#define SHADOWBOOT_FORMAT_FAT_TABLE_H

#include "base/bytes.h"
#include "format/fat/fat.h"

#define FAT_PIECE 4096u /* bytes: what is read where a large piece cannot be */

/* What fat_link gives beside cluster numbers. */
#define FAT_LINK_FREE 0u
#define FAT_LINK_BAD  0xfffffffeu
#define FAT_LINK_END  0xffffffffu

/* State of a sector of the table, in fat_volume.table_loaded. */
enum { FAT_SECTOR_UNKNOWN, FAT_SECTOR_LOADED, FAT_SECTOR_FROM_COPY, FAT_SECTOR_UNREADABLE };

/*
 * Reads `size` bytes at byte `offset` of the partition, both multiples of the block size. Statuses:
 * ST_OK; ST_REFUSED when the read limit does not allow it; ST_IO, also beyond the end of the
 * partition; ST_NO_MEMORY.
 */
MUST_CHECK enum status fat_read(struct fat_volume *volume, uint64_t offset, uint64_t size,
                                void *ret_data);

/* True when many reads have failed: it would take too long to look for what can be read. */
bool fat_gives_up(const struct fat_volume *volume);

/* How much of the arena one thing may take whose size the volume decides: the rest is for
 * others. */
static inline size_t fat_share_of_room(const struct arena *arena)
{
    return arena_room(arena) / 4;
}

/* Byte of a FAT at which an entry begins; an odd one of FAT12 begins in the middle of it. */
size_t fat_entry_offset(enum fat_type type, uint32_t entry);

/* Bytes of a FAT of so many entries. */
uint64_t fat_entries_bytes(enum fat_type type, uint64_t count);

/* The entry of the FAT at `bytes`, without reserved bits. */
uint32_t fat_entry_load(enum fat_type type, const uint8_t *bytes, uint32_t entry);

/* Stores the bits of `value` that an entry has, and leaves alone what is not of the entry. */
void fat_entry_store(enum fat_type type, uint8_t *bytes, uint32_t entry, uint32_t value);

/* True for a value that ends a chain. */
bool fat_entry_is_end(enum fat_type type, uint32_t value);

/* Takes memory for the table, and has it read in units of FAT_PIECE bytes, many at once. Statuses:
 * ST_OK; ST_NO_MEMORY. */
MUST_CHECK enum status fat_table_init(struct fat_volume *volume);

/* From now on only the sectors of the table are read that are needed, at most `ahead` bytes at
 * once. */
void fat_table_be_sparing(struct fat_volume *volume, uint32_t ahead);

/* True for a cluster that the volume has, in its partition. */
static inline bool fat_has_cluster(const struct fat_volume *volume, uint32_t cluster)
{
    return cluster >= 2 && cluster - 2 < volume->clusters_present;
}

/* Byte of the partition where a cluster of the volume begins. */
static inline uint64_t fat_cluster_offset(const struct fat_volume *volume, uint32_t cluster)
{
    return volume->data_offset + (uint64_t)(cluster - 2) * volume->cluster_size;
}

/*
 * Entry `entry` (< cluster_count + 2) as stored, without reserved bits. Statuses: ST_OK; ST_IO when
 * no copy of the FAT can be read there; ST_REFUSED; ST_NO_MEMORY.
 */
MUST_CHECK enum status fat_entry(struct fat_volume *volume, uint32_t entry, uint32_t *ret_value);

/* How many clusters from `cluster` on are free, as one look tells: all that a sector of the table has
 * entries of where `cluster` is the first of them, it was read before and holds zeros; 0 elsewhere. */
uint32_t fat_free_run(const struct fat_volume *volume, uint32_t cluster);

/* How many clusters come behind `cluster`, each one higher than that before it, as one look tells: at
 * most `most` (what the volume has behind `cluster`), as far as the sector of the table goes that
 * `cluster` has its entry in, if it was read before; 0 elsewhere, and for FAT12. */
uint32_t fat_straight_run(const struct fat_volume *volume, uint32_t cluster, uint32_t most);

/* What follows `cluster`: a number that need not be one of a cluster, or FAT_LINK_... Statuses as
 * fat_entry. */
MUST_CHECK enum status fat_link(struct fat_volume *volume, uint32_t cluster, uint32_t *ret_link);

/* Goes on past the next `size` bytes or less, as fat_reader_next would, without reading them. */
MUST_CHECK enum status fat_reader_skip(struct fat_reader *reader, size_t size);

#endif
