/* The layout of a journal (format/journal.h), and what those who build one and those who take one apart
 * share. */
#ifndef SHADOWBOOT_FORMAT_JOURNAL_LAYOUT_H
#define SHADOWBOOT_FORMAT_JOURNAL_LAYOUT_H

#include "base/builder.h"
#include "format/journal.h"

#define MAGIC_SIZE       8u
#define HEADER_SIZE      40u
#define UNDO_OFFSET      23u
#define CRC_OFFSET       28u
#define KIND_SIZE        4u
#define BEHIND_CRC       32u
#define DISK_HEADER      48u
#define VARIABLE_HEADER  88u
#define BLOCKS_HEADER    32u
#define RELIED_SIZE      56u
#define SMALLEST_RECORD  BLOCKS_HEADER /* all zero before, and no digests */
#define BLOCK_SIZE_MIN   512u
#define BLOCK_SIZE_MAX   65536u
#define FLAG_OLD         1u /* of variables */
#define FLAG_NEW         2u
#define FLAG_OLD_IS_ZERO 1u /* of blocks */
#define FLAG_DIGESTS     2u
#define FLAG_DIFFERENCES 4u

extern const uint8_t journal_magic[MAGIC_SIZE];

/* The state that the last whole mark in these bytes tells; JOURNAL_PENDING when there is none. */
enum journal_state journal_last_mark(struct span tail);

/* The CRC over header, disks and records, with its own field taken as zero. */
uint32_t journal_crc(struct span file);

/* Appends how the old content of blocks is made from the new one, of the same size. */
void journal_put_differences(struct builder *builder, struct span old, struct span new);

/* True when the differences lie one after another in a content of `size` bytes. */
bool journal_differences_are_sound(struct span differences, uint64_t size);

#endif
