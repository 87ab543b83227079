/*
 * File records of NTFS, their attributes and mapping pairs, as bytes.
 *
 *   Record ("FILE"; the first 8 bytes also of index records, "INDX")
 *   00  4  magic                                  attribute
 *   04  2  offset of the update sequence          00  4  type; FFFFFFFF ends the record
 *   06  2  its words: one more than there are     04  4  bytes, a multiple of 8
 *          pieces of 512 bytes. The first is      08  1  1 = non-resident
 *          the number that ends every piece on    09  1  characters of the name
 *          disk, the others are what belongs      0A  2  offset of the name
 *          there                                  0C  2  flags: 00FF compressed, 4000 encrypted,
 *   10  2  sequence number                               8000 sparse
 *   14  2  offset of the first attribute          resident             non-resident
 *   16  2  flags: 1 in use, 2 directory           10  4  bytes         10  8  first cluster (VCN)
 *   18  4  bytes in use                           14  2  offset        18  8  last cluster
 *   1C  4  bytes                                                       20  2  offset of the
 *   20  8  reference to the base record, or 0                                 mapping pairs
 *   2C  4  number of this record, where the                            22  1  compressed: power of 2
 *          update sequence is at 30 or later                                 of clusters in a unit
 *                                                                      30  8  bytes
 *                                                                      38  8  bytes initialised
 *
 *   Mapping pairs: a byte with the size of a length (low nibble) and of a distance (high nibble),
 *   the length in clusters, the distance from the last run's place, both signed and little-endian;
 *   without a distance the run is a hole. A zero byte ends them.
 *
 * References: the number of a record in the low 48 bits, its sequence number above; 0 there stands
 * for any.
 */
#ifndef SHADOWBOOT_FORMAT_NTFS_RECORD_H
#define SHADOWBOOT_FORMAT_NTFS_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

#define NTFS_STANDARD_INFORMATION 0x10u
#define NTFS_ATTRIBUTE_LIST       0x20u
#define NTFS_FILE_NAME            0x30u
#define NTFS_VOLUME_NAME          0x60u
#define NTFS_VOLUME_INFORMATION   0x70u
#define NTFS_DATA                 0x80u
#define NTFS_INDEX_ROOT           0x90u
#define NTFS_INDEX_ALLOCATION     0xa0u
#define NTFS_REPARSE_POINT        0xc0u

#define NTFS_COMPRESSED       0x00ffu
#define NTFS_COMPRESSED_LZNT1 0x0001u
#define NTFS_ENCRYPTED        0x4000u
#define NTFS_SPARSE           0x8000u

#define NTFS_REFERENCE_NUMBER(reference)   ((reference)&0xffffffffffffu)
#define NTFS_REFERENCE_SEQUENCE(reference) ((uint16_t)((reference) >> 48))

struct ntfs_record {
    struct span bytes; /* those in use, update sequence applied */
    uint64_t number;
    uint64_t base; /* reference; 0 in a base record */
    size_t first;  /* offset of the first attribute */
    uint16_t sequence;
    bool in_use;
    bool is_directory;
};

/* What an attribute is asked for by. */
struct ntfs_key {
    uint32_t type;
    struct span name; /* UCS-2 */
};

struct ntfs_attribute {
    struct ntfs_key key;
    uint16_t flags;
    bool resident;
    struct span value;    /* resident: what it holds */
    struct span pairs;    /* non-resident: the mapping pairs, terminator included */
    uint64_t first_vcn;   /* non-resident: the part of the attribute that the pairs map */
    uint64_t clusters;    /* non-resident: clusters of that part, holes included */
    uint64_t size;        /* bytes of the attribute; only where first_vcn is 0 */
    uint64_t initialised; /* bytes that were ever written, <= size; likewise */
    uint8_t
        unit_shift; /* compressed: 2 to the power of it clusters are packed together; likewise */
};

/*
 * Checks the update sequence of the record in `bytes` (`size`, a multiple of 512) and puts back
 * what it replaced. Statuses: ST_OK; ST_DAMAGED, `bytes` are then unchanged.
 */
MUST_CHECK enum status ntfs_fixup(uint8_t *bytes, size_t size, const char *magic);

/*
 * Applies the update sequence to `bytes` (`size`, as volumes have it) and checks them as file
 * record `number`, all attributes included. The result points into them. Statuses: ST_OK;
 * ST_DAMAGED.
 */
MUST_CHECK enum status ntfs_record_parse(uint8_t *bytes, size_t size, uint64_t number,
                                         struct ntfs_record *ret_record);

/* The attribute, or that part of it, that begins at cluster `first_vcn`; false without. */
bool ntfs_record_find(const struct ntfs_record *record, const struct ntfs_key *key,
                      uint64_t first_vcn, struct ntfs_attribute *ret_attribute);

bool ntfs_key_equal(const struct ntfs_key *a, const struct ntfs_key *b);

struct ntfs_pair_cursor {
    struct span pairs;
    size_t at;
    uint64_t lcn; /* of the last run that was no hole */
};

struct ntfs_pair {
    uint64_t clusters; /* > 0 */
    uint64_t lcn;      /* first cluster on the volume, below 2^63 */
    bool hole;
};

/* The next run. Statuses: ST_OK; ST_ABSENT at the end; ST_DAMAGED. */
MUST_CHECK enum status ntfs_pair_next(struct ntfs_pair_cursor *cursor, struct ntfs_pair *ret_pair);

#endif
