/*
 * GUID Partition Table (UEFI Specification 5.3): one header and one entry array, each twice on the
 * disk. This module judges bytes; where they come from, and which copy to believe, is the scan's
 * business.
 *
 *   header, at LBA 1 and at the last LBA           entry, `entry_size` bytes each
 *     0  8  "EFI PART"                               0 16  type GUID, zero = unused
 *     8  4  revision                                16 16  unique partition GUID
 *    12  4  header size, 92 to the block size       32  8  first LBA
 *    16  4  CRC-32 of the header, this field 0      40  8  last LBA, inclusive
 *    20  4  reserved, 0                             48  8  attributes
 *    24  8  LBA of this header                      56 72  name, UCS-2
 *    32  8  LBA of the other header
 *    40  8  first usable LBA
 *    48  8  last usable LBA
 *    56 16  disk GUID
 *    72  8  LBA of the entry array
 *    80  4  number of entries
 *    84  4  size of an entry: 128 * 2^n
 *    88  4  CRC-32 of the entry array
 */
#ifndef SHADOWBOOT_FORMAT_GPT_H
#define SHADOWBOOT_FORMAT_GPT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/guid.h"

#define GPT_HEADER_MIN_SIZE 92u
#define GPT_ENTRY_MIN_SIZE  128u
#define GPT_NAME_BYTES      72u
#define GPT_PRIMARY_LBA     1u

/* The largest entry array this program reads: 32,768 entries of the usual size on 512-byte blocks,
 * 256 times what any disk in use has. Beyond it, a table is reported, not trusted. */
#define GPT_ARRAY_MAX_BYTES (4u * 1024 * 1024)

/* What is wrong with a copy. The first that applies, in this order. */
enum gpt_problem {
    GPT_FINE = 0,
    GPT_UNREADABLE,      /* the device reported an error (set by the scan) */
    GPT_NO_SIGNATURE,    /* "EFI PART" is not there, or the block is shorter than 512 bytes */
    GPT_BAD_HEADER_SIZE, /* header size below 92 or above the block size */
    GPT_BAD_HEADER_CRC,
    GPT_BAD_REVISION,     /* not 1.x */
    GPT_WRONG_PLACE,      /* the header says it belongs to another LBA */
    GPT_BAD_USABLE_RANGE, /* usable range reversed, beginning beyond the disk, or over a header */
    GPT_BAD_ENTRY_SIZE,   /* not 128 * 2^n */
    GPT_BAD_ENTRY_COUNT,  /* zero, or the array is larger than GPT_ARRAY_MAX_BYTES */
    GPT_BAD_ARRAY_PLACE,  /* the array overlaps header, usable range or the end of the disk */
    GPT_BAD_ARRAY_CRC,
    GPT_OF_LARGER_DISK, /* sound, but its usable range ends beyond the disk: the end was cut off */
    GPT_PROBLEM_COUNT
};

struct gpt_header {
    uint32_t revision;
    uint32_t header_size;
    uint64_t my_lba;
    uint64_t alternate_lba;
    uint64_t first_usable_lba;
    uint64_t last_usable_lba;
    struct guid disk_guid;
    uint64_t entries_lba;
    uint32_t entry_count;
    uint32_t entry_size; /* bytes */
    uint32_t entries_crc;
};

struct gpt_entry {
    struct guid type;
    struct guid unique;
    uint64_t first_lba;
    uint64_t last_lba; /* inclusive */
    uint64_t attributes;
    uint8_t name[GPT_NAME_BYTES]; /* UCS-2, not always NUL-terminated */
};

/*
 * Checks the header in `block` (one logical block of a disk of `disk_blocks` blocks, read from
 * `lba`) and takes it apart. Returns GPT_FINE or GPT_OF_LARGER_DISK and sets `*ret_header`;
 * anything else leaves it alone. The entry array itself is not judged here: the caller compares its
 * CRC with `entries_crc`. Nor is `alternate_lba`, except that it is not a usable block: it may lie
 * beyond the disk.
 */
enum gpt_problem gpt_header_parse(struct span block, uint64_t lba, uint64_t disk_blocks,
                                  struct gpt_header *ret_header);

/* Writes a header of GPT_HEADER_MIN_SIZE bytes with its CRC; revision and size are not taken from
 * `header`. `ret_block` is all zero before. */
void gpt_header_put(const struct gpt_header *header, uint8_t *ret_block);

/* Bytes of the whole entry array; the header has passed gpt_header_parse. */
uint64_t gpt_array_bytes(const struct gpt_header *header);

/* Takes apart the entry at `bytes`, which holds at least GPT_ENTRY_MIN_SIZE bytes. */
struct gpt_entry gpt_entry_parse(struct span bytes);

/* Writes the entry, all of its `size` bytes (at least GPT_ENTRY_MIN_SIZE); zeros for an unused
 * slot.
 */
void gpt_entry_put(const struct gpt_entry *entry, size_t size, uint8_t *ret_bytes);

/* Gives the entry at `bytes` another unique GUID. */
void gpt_entry_set_unique(const struct guid *unique, uint8_t *bytes);

/* False for an unused slot (type GUID zero). */
bool gpt_entry_is_used(const struct gpt_entry *entry);

/* True when the entry's blocks are in order and inside the usable range. */
bool gpt_entry_in_range(const struct gpt_entry *entry, const struct gpt_header *header);

/*
 * True when both copies describe the same disk with the same entries: equal disk GUID, usable
 * range, entry count, size and CRC, and each names the other's LBA as the alternate.
 */
bool gpt_headers_agree(const struct gpt_header *primary, const struct gpt_header *backup);

/* A sentence part such as "its checksum is wrong"; "" for GPT_FINE. Static lifetime. */
const char *gpt_problem_text(enum gpt_problem problem);

#endif
