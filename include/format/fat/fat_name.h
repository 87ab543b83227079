/*
 * Names in FAT directories, for those who write them: which entries a name takes, and the short
 * name that goes with a long one (Microsoft FAT Specification, sections 6 and 7;
 * format/fat/fat_directory.h has the layout of entries).
 *
 * Chosen as Windows does: a name that fits 8.3 in one case for each part needs no long entries, the
 * case stands in two bits of the short one. Other names get long entries, and a short name that is
 * the same in upper case where it fits 8.3, else one that ends in ~1, ~2 and so on.
 */
#ifndef SHADOWBOOT_FORMAT_FAT_NAME_H
#define SHADOWBOOT_FORMAT_FAT_NAME_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/date.h"
#include "base/status.h"
#include "format/fat/fat_directory.h"

#define FAT_NAME_SLOTS_MAX (FAT_LONG_PIECES + 1) /* entries of a name */

/* Entries of a directory, at most. */
#define FAT_DIRECTORY_SLOTS_MAX 65536u

/* Attributes that are given to files and directories: read-only, hidden, system, archive. */
#define FAT_ATTRIBUTES_GIVEN    0x27u
#define FAT_ATTRIBUTE_DIRECTORY 0x10u

/* The short name and whether there is more to the name than it. */
struct fat_short {
    uint8_t name[FAT_SHORT_NAME];
    uint8_t case_bits; /* byte 12 of the entry */
    bool has_long;     /* long entries stand before it */
};

/* What else an entry says. */
struct fat_dirent {
    uint8_t attributes;
    uint32_t cluster;
    uint32_t size;
    struct date_time written; /* what FAT cannot hold becomes 1980-01-01 */
};

/* Names are UTF-16, little-endian, in spans without a closing NUL. */

/* True for a name FAT can hold: 1 to 255 units, none forbidden, no dot or blank at the end. */
bool fat_name_is_legal(struct span name);

/* < 0, 0 or > 0 as `a` comes before, with or after `b`, without regard to case (Latin, Greek and
 * Cyrillic letters). A backslash comes before all else. */
int fat_name_compare(struct span a, struct span b);

/* True when it fits 8.3; then `*ret_short` is complete. */
bool fat_name_fits_short(struct span name, struct fat_short *ret_short);

/* Short names that are taken in a directory. */
struct fat_short_names {
    uint8_t (*slots)[FAT_SHORT_NAME]; /* all zero: empty */
    size_t mask;
};

/* Room for `most` names. Statuses: ST_OK; ST_NO_MEMORY. */
MUST_CHECK enum status fat_short_names_init(struct arena *arena, size_t most,
                                            struct fat_short_names *ret_names);
void fat_short_names_add(struct fat_short_names *names, const uint8_t *name);
bool fat_short_names_have(const struct fat_short_names *names, const uint8_t *name);

/* Makes a short name that is not taken for a name that does not fit 8.3. Statuses: ST_OK;
 * ST_NO_SPACE when there is none left. */
MUST_CHECK enum status fat_name_make_short(struct span name, const struct fat_short_names *taken,
                                           struct fat_short *ret_short);

/* Entries the name takes: 1 to FAT_NAME_SLOTS_MAX. */
size_t fat_name_slots(struct span name, const struct fat_short *short_name);

/* Writes them, FAT_DIRENT_SIZE bytes each. */
void fat_name_put(struct span name, const struct fat_short *short_name,
                  const struct fat_dirent *dirent, uint8_t *ret_entries);

/* Gives the entry at `entry` new attributes, content and date, under the name and with the date of
 * making that it has. */
void fat_dirent_update(uint8_t *entry, const struct fat_dirent *dirent);

/* Writes "." and "..", two entries, for a directory at `cluster`; `parent` is 0 in the root. */
void fat_dirent_put_dots(uint32_t cluster, uint32_t parent, struct date_time written,
                         uint8_t *ret_entries);

/* Writes the entry of a volume label, 11 characters. */
void fat_dirent_put_label(const uint8_t *label, struct date_time written, uint8_t *ret_entry);

#endif
