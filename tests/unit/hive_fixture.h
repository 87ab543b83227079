/*
 * Registry hives made byte by byte, without the code that reads them. Cells are named by their
 * offsets from the first bin.
 */
#ifndef SHADOWBOOT_UNIT_HIVE_FIXTURE_H
#define SHADOWBOOT_UNIT_HIVE_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

#define HIVE_FIXTURE_SIZE 0x40000u
#define HIVE_NIL          0xffffffffu
#define HIVE_TIME         0x01d5000000000000u /* of all keys and of the hive */

struct hive_fixture {
    uint8_t file[HIVE_FIXTURE_SIZE]; /* base block and bins */
    size_t used;                     /* of the bins */
    size_t bin;                      /* offset of the one that is being filled */
    uint32_t minor;
};

/* Begins a hive of version 1.`minor`, whose first cell is at 0x20. */
void hive_start(struct hive_fixture *hive, uint32_t minor);

/* Adds a cell in use with a copy of `size` bytes; zeros where `content` is NULL. */
uint32_t hive_cell(struct hive_fixture *hive, const void *content, size_t size);

/* Adds a free cell of `size` bytes with its size. */
uint32_t hive_free_cell(struct hive_fixture *hive, uint32_t size);

/* The content of a cell. */
uint8_t *hive_at(struct hive_fixture *hive, uint32_t cell);

/* Ends the present bin by a free cell, and begins another one. */
void hive_next_bin(struct hive_fixture *hive);

/* Adds a key without subkeys and values. The name is Latin-1, or, where `wide`, UTF-16 in
 * `name_size` bytes. */
uint32_t hive_key_of(struct hive_fixture *hive, uint32_t parent, uint32_t security,
                     const void *name, size_t name_size, bool wide);
uint32_t hive_key(struct hive_fixture *hive, uint32_t parent, uint32_t security, const char *name);

/* Adds a value; data of up to four bytes goes into its cell. */
uint32_t hive_value(struct hive_fixture *hive, const char *name, uint32_t type, const void *data,
                    uint32_t size);

/* Gives a key these values, with the maxima of `name_max` and `data_max` bytes. */
void hive_set_values(struct hive_fixture *hive, uint32_t key, const uint32_t *values,
                     uint32_t count, uint32_t name_max, uint32_t data_max);

/* Adds a list "lf", "lh" or "li" of keys, or "ri" of lists. */
uint32_t hive_list(struct hive_fixture *hive, const char *kind, const uint32_t *cells,
                   uint16_t count);

/* Gives a key this list of `count` subkeys with names of up to 40 characters. */
void hive_set_subkeys(struct hive_fixture *hive, uint32_t key, uint32_t list, uint32_t count);

/* Adds a security cell that is alone in its ring. */
uint32_t hive_security(struct hive_fixture *hive, uint32_t users);

/* Puts the second security cell into the ring of the first, which is alone in it. */
void hive_join_security(struct hive_fixture *hive, uint32_t first, uint32_t second);

/* Fills the last bin and writes the base block. The result is borrowed from the fixture. */
struct span hive_finish(struct hive_fixture *hive, uint32_t root);

/* Makes the checksum of a base block right. */
void hive_sign(uint8_t *file);

/* A hive with what hives of boot stores have and what they do not; tests change it. */
struct hive_sample {
    struct hive_fixture hive;
    struct span file;
    uint32_t root, security, security2;
    uint32_t apple, bear, omega;        /* subkeys of the root, of which `bear` has security2 */
    uint32_t list;                      /* of the root's subkeys, "lf" */
    uint32_t pips[5];                   /* subkeys "pip1" to "pip5" of apple */
    uint32_t pip_list;                  /* theirs: of the kind asked for */
    uint32_t pip_leaf;                  /* the same, or the first list in it */
    uint32_t text, number, blob, empty; /* values of apple: "", "Number", "Blob", "Empty" */
    uint32_t value_list;
    uint32_t blob_data;
    uint32_t class_name; /* of bear */
};

/* `kind` is "lf", "lh", "li" or "ri" (of two "li"). */
void hive_make_sample(struct hive_sample *sample, uint32_t minor, const char *kind);

#endif
