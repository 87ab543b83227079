/*
 * Where the fields of a registry hive lie; for efi/format alone. Offsets of a cell's fields count
 * from behind its size, and those of other cells from the first bin. All numbers little-endian.
 */
#ifndef SHADOWBOOT_FORMAT_REGF_LAYOUT_H
#define SHADOWBOOT_FORMAT_REGF_LAYOUT_H

#include "base/bytes.h"
#include "format/regf/regf.h"

#define REGF_NIL 0xffffffffu /* no cell */

/* The base block. */
#define REGF_BASE_SIZE      4096u
#define REGF_PRIMARY_AT     4u
#define REGF_SECONDARY_AT   8u
#define REGF_TIME_AT        12u
#define REGF_MAJOR_AT       20u
#define REGF_MINOR_AT       24u
#define REGF_TYPE_AT        28u
#define REGF_FORMAT_AT      32u
#define REGF_ROOT_AT        36u
#define REGF_BINS_SIZE_AT   40u
#define REGF_CLUSTERING_AT  44u
#define REGF_CHECKSUM_AT    508u
#define REGF_MINOR_BIG_DATA 4u /* the first that has big data */
#define REGF_MINOR_HASHES   5u /* the first that has lists with hashes */

/* Bins and cells. */
#define REGF_BIN_UNIT        4096u
#define REGF_BIN_HEADER_SIZE 32u
#define REGF_BIN_TIME_AT     20u
#define REGF_CELL_UNIT       8u
#define REGF_CELL_SIZE_SIZE  4u

/* Key, "nk". */
#define REGF_KEY_SIZE            76u /* up to the name */
#define REGF_KEY_FLAGS_AT        2u
#define REGF_KEY_TIME_AT         4u
#define REGF_KEY_PARENT_AT       16u
#define REGF_KEY_SUBKEYS_AT      20u
#define REGF_KEY_LIST_AT         28u
#define REGF_KEY_VOLATILE_AT     32u
#define REGF_KEY_VALUES_AT       36u
#define REGF_KEY_VALUE_LIST_AT   40u
#define REGF_KEY_SECURITY_AT     44u
#define REGF_KEY_CLASS_AT        48u
#define REGF_KEY_MAX_NAME_AT     52u /* 16 bits; as those below, of what the key contains */
#define REGF_KEY_MAX_CLASS_AT    56u
#define REGF_KEY_MAX_VALUE_AT    60u
#define REGF_KEY_MAX_DATA_AT     64u
#define REGF_KEY_NAME_SIZE_AT    72u
#define REGF_KEY_CLASS_SIZE_AT   74u
#define REGF_KEY_FLAG_ROOT       0x0004u
#define REGF_KEY_FLAG_NO_DELETE  0x0008u
#define REGF_KEY_FLAG_COMPRESSED 0x0020u

/* Value, "vk". */
#define REGF_VALUE_SIZE            20u /* up to the name */
#define REGF_VALUE_NAME_SIZE_AT    2u
#define REGF_VALUE_DATA_SIZE_AT    4u
#define REGF_VALUE_DATA_AT         8u
#define REGF_VALUE_TYPE_AT         12u
#define REGF_VALUE_FLAGS_AT        16u
#define REGF_VALUE_FLAG_COMPRESSED 1u
#define REGF_VALUE_INLINE          0x80000000u /* of the data's size */
#define REGF_INLINE_MAX            4u

/* Security, "sk". */
#define REGF_SECURITY_SIZE          20u /* up to the descriptor */
#define REGF_SECURITY_NEXT_AT       4u
#define REGF_SECURITY_PREVIOUS_AT   8u
#define REGF_SECURITY_COUNT_AT      12u
#define REGF_SECURITY_DESCRIPTOR_AT 16u /* its size */

/* Lists of subkeys, "lf", "lh", "li" and "ri", and big data, "db". */
#define REGF_LIST_HEADER_SIZE 4u
#define REGF_LIST_COUNT_AT    2u
#define REGF_BIG_SIZE         8u
#define REGF_BIG_COUNT_AT     2u
#define REGF_BIG_LIST_AT      4u
#define REGF_BIG_SEGMENT      16344u /* bytes of data in each segment but the last */

/* What the base block's checksum should be; `base` has 508 bytes or more. */
uint32_t regf_base_checksum(const uint8_t *base);

/*
 * The same as regf_check. Where `in_use` is not NULL, and the state then is REGF_GOOD or
 * REGF_DIRTY, it gets a bit for each REGF_CELL_UNIT bytes of the bins: set where a cell in use
 * begins. It must be zero before.
 */
enum regf_state regf_check_frame(struct span file, uint8_t *in_use);

/* Follows a cell's size in `left` bytes: the bytes up to the next cell; 0 when it is none. */
uint32_t regf_cell_step(const uint8_t *cell, uint64_t left);

/* The bin at `at` of all bins; an empty span when it is none. */
struct span regf_bin_at(struct span bins, uint64_t at);

static inline bool regf_cell_is_used(const uint8_t *cell)
{
    return ld_le32(cell) > 0x7fffffff;
}

#endif
