/*
 * Master Boot Record (UEFI Specification 5.2) and extended boot records.
 *
 *     0 440  boot code
 *   440  4  disk signature
 *   446 16  four partition records: 0 boot flag, 4 type, 8 first LBA (4), 12 blocks (4)
 *   510  2  55 AA
 */
#ifndef SHADOWBOOT_FORMAT_MBR_H
#define SHADOWBOOT_FORMAT_MBR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

#define MBR_SIZE            512u
#define MBR_SIGNATURE_AT    440u
#define MBR_RECORD_COUNT    4
#define MBR_TYPE_EMPTY      0x00
#define MBR_TYPE_LDM        0x42
#define MBR_TYPE_PROTECTIVE 0xee
#define MBR_TYPE_ESP        0xef

enum mbr_kind {
    MBR_NONE,       /* no 55 AA, or a file system's boot sector: not a partition table */
    MBR_PLAIN,      /* partitions of its own, none of them protective; also with none at all */
    MBR_PROTECTIVE, /* one 0xEE record, and nothing else */
    MBR_HYBRID,     /* an 0xEE record and others beside it */
};

struct mbr_record {
    bool active; /* boot flag 0x80 */
    uint8_t type;
    uint32_t first_lba; /* logical blocks; in an EBR relative as described at ebr_parse */
    uint32_t block_count;
};

struct mbr {
    enum mbr_kind kind;
    bool protective_at_lba_1; /* kind PROTECTIVE or HYBRID: an 0xEE record starts at LBA 1 */
    bool has_code;            /* something stands where BIOS firmware looks for boot code */
    uint32_t signature;
    struct mbr_record records[MBR_RECORD_COUNT];
};

/*
 * Takes apart the first block of a disk of `disk_blocks` blocks; `block` holds at least MBR_SIZE
 * bytes (fewer give MBR_NONE). Nothing fails: what is no table has kind MBR_NONE and zeros. A table
 * with a record that is neither 0x00 nor 0x80 active, or that starts beyond the disk, is not a
 * table. A record without type or without blocks is unused and comes back as zeros.
 */
struct mbr mbr_parse(struct span block, uint64_t disk_blocks);

/* True for the three types of extended partitions (0x05, 0x0F, 0x85). */
bool mbr_type_is_extended(uint8_t type);

struct ebr {
    struct mbr_record logical; /* first_lba counts from this EBR; type 0 when there is none */
    struct mbr_record next;    /* first_lba counts from the extended partition; type 0 at the end */
};

/* Takes apart an extended boot record; false when `block` has no 55 AA. */
bool ebr_parse(struct span block, struct ebr *ret_ebr);

/* The usual name of an MBR partition type, such as "NTFS/exFAT/HPFS", or "" when unknown. */
const char *mbr_type_name(uint8_t type);

#endif
