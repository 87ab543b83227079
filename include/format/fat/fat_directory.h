/*
 * Entries of FAT directories, 32 bytes each (Microsoft FAT Specification, sections 6 and 7).
 *
 *   offset  size  entry                        offset  size  piece of a long name
 *       0    11   name and extension, padded       0     1   number from 1, 0x40 set in the last
 *                 with blanks; first byte: 0 no    1    10   characters 1 to 5
 *                 more entries, E5 deleted,       11     1   0x0F
 *                 05 stands for E5                13     1   checksum of the short name
 *      11     1   attributes                      14    12   characters 6 to 11
 *      12     1   8 lower-case name, 0x10         26     2   0
 *                 lower-case extension            28     4   characters 12 and 13
 *      20     2   cluster, high half (FAT32)
 *      22     2   time written: hour, minute,  The last piece comes first, number 1 just before its
 *                 seconds / 2 in 5, 6, 5 bits  entry. A name that does not fill its pieces has a
 *      24     2   date written: year - 1980,   closing NUL, then FFFF.
 *                 month, day in 7, 4, 5 bits
 *      26     2   cluster, low half
 *      28     4   size
 */
#ifndef SHADOWBOOT_FORMAT_FAT_DIRECTORY_H
#define SHADOWBOOT_FORMAT_FAT_DIRECTORY_H

#include "base/bytes.h"
#include "base/date.h"
#include "format/fat/fat.h"

#define FAT_DIRENT_SIZE     32u
#define FAT_SHORT_NAME      11u
#define FAT_SHORT_TEXT_SIZE 40 /* every byte may take three */

enum fat_dirent_kind {
    FAT_DIRENT_END,
    FAT_DIRENT_DELETED,
    FAT_DIRENT_LONG, /* a piece of a long name */
    FAT_DIRENT_LABEL,
    FAT_DIRENT_DOT,
    FAT_DIRENT_DOTDOT,
    FAT_DIRENT_DIRECTORY,
    FAT_DIRENT_FILE,
};

/* `entry` is FAT_DIRENT_SIZE bytes, here and below. */
enum fat_dirent_kind fat_dirent_kind(const uint8_t *entry);

/* False when its short name has characters or its attributes have bits that cannot be. */
bool fat_dirent_is_legal(const uint8_t *entry);

/* "BCD.LOG" as harmless text, in the case that the entry asks for. */
void fat_dirent_short_text(const uint8_t *entry, char ret_text[FAT_SHORT_TEXT_SIZE]);

uint32_t fat_dirent_cluster(const uint8_t *entry, enum fat_type type);

/* All zero when the entry has none or an impossible one. */
struct date_time fat_dirent_written(const uint8_t *entry);

#define FAT_LONG_PIECES 20u
#define FAT_LONG_UNITS  13u /* of a piece */

/* A long name while its pieces come. Starts all zero. */
struct fat_long_name {
    uint8_t bytes[FAT_LONG_PIECES * FAT_LONG_UNITS * 2];
    uint8_t pieces; /* of the whole name; 0 = no name is open */
    uint8_t next;   /* number of the piece to come; 0 = all are there */
    uint8_t checksum;
};

/* Takes a piece. False when it does not go with what came before. */
MUST_CHECK bool fat_long_name_add(struct fat_long_name *name, const uint8_t *entry);

/* Forgets a name of which no more can come. False when there was one: its pieces are orphans. */
MUST_CHECK bool fat_long_name_drop(struct fat_long_name *name);

/*
 * The name of `entry` and closes it: UCS-2 in `name`, valid until the next piece; empty when there
 * is none, or one that does not go with the entry or cannot be a name: then `*ret_broken` is set.
 */
struct span fat_long_name_take(struct fat_long_name *name, const uint8_t *entry, bool *ret_broken);

#endif
