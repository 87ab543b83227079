/*
 * Keys and values of a registry hive. A key is named by its cell, an offset from the first bin. All
 * that is read is checked before: a hive made to deceive gives ST_DAMAGED, never a read outside of
 * it, and each call ends. Who walks a tree whose soundness (regf_verify.h) is not known has to end
 * that walk for himself.
 *
 *   key "nk"                                   value "vk"
 *     2  2  flags, 20: name is Latin-1           2  2  size of the name
 *     4  8  time of the last write               4  4  size of the data; bit 31: in the next
 *    16  4  parent key                                 field, at most 4 bytes
 *    20  4  number of subkeys                    8  4  cell of the data
 *    28  4  list of subkeys                     12  4  type
 *    36  4  number of values                    16  2  flags, 1: name is Latin-1
 *    40  4  list of values: a cell of each      20     name
 *    44  4  security
 *    48  4  class name                         lists of subkeys
 *    72  2  size of the name                     0  2  "lf", "lh", "li"; "ri": of such lists
 *    74  2  size of the class name               2  2  number of entries
 *    76     name                                 4     entries: a cell, with lf and lh a hint
 *
 * Data of more than 16344 bytes, from version 1.4 on, is in segments: "db", at 2 their number (2
 * bytes), at 4 the cell of a list of them.
 */
#ifndef SHADOWBOOT_FORMAT_REGF_READ_H
#define SHADOWBOOT_FORMAT_REGF_READ_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/status.h"
#include "format/regf/regf_name.h"

struct regf_hive {
    struct span bins;      /* borrowed from the file */
    const uint8_t *in_use; /* a bit for each 8 bytes of the bins: a cell in use begins there */
    uint32_t root;         /* key */
    uint32_t minor;        /* version */
};

struct regf_key {
    struct regf_name name; /* borrowed from the hive, as all names and data below */
    uint64_t written;      /* FILETIME */
    uint32_t parent;       /* key; means nothing for the root */
    uint32_t subkey_count;
    uint32_t subkey_list; /* cell */
    uint32_t value_count;
    uint32_t value_list; /* cell; means nothing when there are no values */
    uint32_t security;   /* cell */
    uint32_t class_name; /* cell, or 0xffffffff */
    uint32_t class_size; /* bytes */
    uint16_t flags;
};

struct regf_value {
    struct regf_name name; /* empty: the key's default value */
    uint32_t cell;
    uint32_t type; /* 1 text, 3 bytes, 4 number, 7 texts, ... */
    uint32_t size; /* of the data, bytes */
    uint32_t data; /* its cell; means nothing when resident or of size 0 */
    bool resident; /* the data lies in the value's own cell */
    bool big;      /* the data lies in segments */
};

/* A place in a key's list of subkeys. */
struct regf_subkeys {
    uint32_t list;   /* cell, or 0xffffffff */
    uint32_t number; /* of the list in an "ri" */
    uint32_t entry;  /* of that list, the next one */
};

/*
 * Opens the hive that `file` is; bytes behind its last bin are not looked at. The file must stay as
 * it is while the hive is used; so must the arena's memory, a 64th of the hive's size. Statuses:
 * ST_OK; ST_ABSENT when it is not a hive; ST_DAMAGED, ST_UNSUPPORTED as regf_check says; ST_REFUSED
 * when it is dirty (regf_log.h); ST_NO_MEMORY.
 */
MUST_CHECK enum status regf_open(struct arena *arena, struct span file, struct regf_hive *ret_hive);

/* Statuses: ST_OK; ST_DAMAGED when there is no sound key at `key`. */
MUST_CHECK enum status regf_read_key(const struct regf_hive *hive, uint32_t key,
                                     struct regf_key *ret_key);

/*
 * The start of a key's list of subkeys. Statuses: ST_OK, also when there are none; ST_DAMAGED, also
 * when the list has more or fewer of them than the key says, or more than the hive has room for.
 */
MUST_CHECK enum status regf_list_subkeys(const struct regf_hive *hive, uint32_t key,
                                         struct regf_subkeys *ret_place);

/* The next subkey. Statuses: ST_OK; ST_ABSENT behind the last one; ST_DAMAGED. The key itself is
 * not looked at. */
MUST_CHECK enum status regf_next_subkey(const struct regf_hive *hive, struct regf_subkeys *place,
                                        uint32_t *ret_key);

/* Subkey `index` in the order of the list. Statuses: ST_OK; ST_ABSENT when there are not so many;
 * ST_DAMAGED. */
MUST_CHECK enum status regf_subkey_at(const struct regf_hive *hive, uint32_t key, uint32_t index,
                                      uint32_t *ret_key);

/* The subkey of that name, wherever it is in the list. Statuses: ST_OK; ST_ABSENT; ST_DAMAGED when
 * the list or a subkey before it is. */
MUST_CHECK enum status regf_find_subkey(const struct regf_hive *hive, uint32_t key,
                                        struct regf_name name, uint32_t *ret_key);

/* Value `index` in the order of the list. Statuses: ST_OK; ST_ABSENT when there are not so many;
 * ST_DAMAGED. The data is not looked at, but for its size when it is resident. */
MUST_CHECK enum status regf_value_at(const struct regf_hive *hive, uint32_t key, uint32_t index,
                                     struct regf_value *ret_value);

/* The value of that name; the empty one is the default value. Statuses: ST_OK; ST_ABSENT;
 * ST_DAMAGED when the list or a value before it is. */
MUST_CHECK enum status regf_find_value(const struct regf_hive *hive, uint32_t key,
                                       struct regf_name name, struct regf_value *ret_value);

/* The data of a value. Statuses: ST_OK; ST_DAMAGED; ST_UNSUPPORTED when it is in segments, which
 * regf_copy_data reads. */
MUST_CHECK enum status regf_value_data(const struct regf_hive *hive, const struct regf_value *value,
                                       struct span *ret_data);

/*
 * Copies the value->size bytes of a value to `to`, of `capacity` bytes. Statuses: ST_OK;
 * ST_TOO_SMALL; ST_DAMAGED: `to` may then hold a part.
 */
MUST_CHECK enum status regf_copy_data(const struct regf_hive *hive, const struct regf_value *value,
                                      uint8_t *to, size_t capacity);

#endif
