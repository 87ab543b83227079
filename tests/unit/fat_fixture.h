/*
 * FAT volumes for tests, laid down byte by byte after the specification: nothing of the product is
 * used. The image is the test's own memory and can be changed anywhere.
 */
#ifndef SHADOWBOOT_UNIT_FAT_FIXTURE_H
#define SHADOWBOOT_UNIT_FAT_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fat_fixture {
    uint8_t *image;
    uint64_t size; /* bytes */
    int type;      /* 12, 16, 32 */
    uint32_t sector_size;
    uint32_t cluster_size;
    uint32_t clusters;
    uint32_t fats;
    uint64_t fat_offset;
    uint64_t fat_bytes; /* of one */
    uint64_t root_offset;
    uint32_t root_entries; /* FAT12/16 */
    uint32_t root_cluster; /* FAT32: 2 */
    uint64_t data_offset;
    uint32_t next_cluster; /* free ones are taken from here on, one after the other */
    uint32_t names;        /* short names invented so far */
    uint32_t last_parent;  /* where an entry was put last, so that the next is found quickly */
    size_t last_index;
};

/*
 * Makes an empty file system of `size` bytes (whole sectors) in `image`, which holds zeros: two FATs, 32
 * or one reserved sectors, 512 root entries (FAT12/16), serial 1234ABCD, label "FIXTURE". FAT32 has a
 * backup boot sector in sector 6. Ends the program when `type` and the number of clusters do not go
 * together, except that FAT32 may have too few.
 */
void fat_fixture_format(struct fat_fixture *fat, void *image, uint64_t size, int type,
                        uint32_t sector_size, uint32_t sectors_per_cluster);

/* Where things are. `parent` is the first cluster of a directory, 0 for the root directory. */
uint8_t *fat_fixture_cluster(const struct fat_fixture *fat, uint32_t cluster);
uint32_t fat_fixture_link(const struct fat_fixture *fat, uint32_t cluster);

/* The entry behind a name as it was given, or NULL. Its long name's pieces stand before it. */
uint8_t *fat_fixture_entry(const struct fat_fixture *fat, uint32_t parent, const char *name);

/* Sets a link in all FATs, or in one. */
void fat_fixture_set_link(struct fat_fixture *fat, uint32_t cluster, uint32_t value);
void fat_fixture_set_link_in(struct fat_fixture *fat, uint32_t copy, uint32_t cluster,
                             uint32_t value);

/* The value that ends a chain, the one of a bad cluster. */
uint32_t fat_fixture_end(const struct fat_fixture *fat);
uint32_t fat_fixture_bad(const struct fat_fixture *fat);

/* Takes `count` clusters that lie together and makes a chain of them; gives the first. */
uint32_t fat_fixture_take(struct fat_fixture *fat, uint32_t count);

/* Puts 32 bytes into the next free place of a directory, which grows; gives the place. */
uint8_t *fat_fixture_put_entry(struct fat_fixture *fat, uint32_t parent, const uint8_t *entry);

/*
 * Adds an entry under `name` (ASCII): in capitals and 8.3 it gets a short name only, else a long
 * one too with a short one like "LONG~001". Written 2021-06-15 12:34:56. Gives its place.
 */
uint8_t *fat_fixture_add(struct fat_fixture *fat, uint32_t parent, const char *name,
                         uint8_t attributes, uint32_t first_cluster, uint32_t size);

/* Adds a file with this content, or a directory with its "." and ".."; gives the first cluster. */
uint32_t fat_fixture_add_file(struct fat_fixture *fat, uint32_t parent, const char *name,
                              const void *data, uint32_t size);
uint32_t fat_fixture_add_directory(struct fat_fixture *fat, uint32_t parent, const char *name);

/* Writes the pieces of a long name (`units` of UCS-2, 1 to 255) for a short one to `ret_pieces`,
 * 32 bytes each, in the order they are stored; gives how many. */
size_t fat_fixture_long_pieces(const uint16_t *units, size_t count, const uint8_t short_name[11],
                               uint8_t ret_pieces[20 * 32]);

#endif
