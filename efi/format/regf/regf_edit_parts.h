/* What the parts of the editor of registry hives share; for efi/format alone. */
#ifndef SHADOWBOOT_FORMAT_REGF_EDIT_PARTS_H
#define SHADOWBOOT_FORMAT_REGF_EDIT_PARTS_H

#include "regf_cell.h"
#include "format/regf/regf_edit.h"

/* Sets a key's time of the last write. */
void regf_touch(struct regf_edit *edit, uint32_t key);

/* Makes a 32-bit number at least so great. */
void regf_raise(uint8_t *field, uint32_t least);

/* Bytes that a name takes when it is stored: as Latin-1 where that is possible, else as UTF-16. */
size_t regf_name_size(struct regf_name name);

/* Stores a name in so many bytes. */
void regf_put_name(uint8_t *to, struct regf_name name);

/* Writes a key without subkeys and values into zeros. */
void regf_put_key(uint8_t *record, uint32_t parent, uint32_t security, struct regf_name name,
                  uint64_t now);

/* Frees the cells that hold a value's data. */
void regf_release_data(struct regf_edit *edit, const struct regf_value *value);

/* Where in a key's list a subkey goes. */
struct regf_slot {
    bool none;             /* the key has no list */
    uint32_t number;       /* of the leaf in the list */
    struct regf_leaf leaf; /* where `none`, only its kind and step: those of a new one */
    uint32_t entry;        /* the new one goes before it */
    bool has_room;         /* the leaf's cell is large enough for one more */
};

/* Finds where a subkey of that name goes. Statuses: ST_OK; ST_EXISTS; ST_UNSUPPORTED when the list
 * has REGF_LIST_MAX; ST_DAMAGED. */
MUST_CHECK enum status regf_find_slot(const struct regf_edit *edit, uint32_t parent,
                                      struct regf_name name, struct regf_slot *ret_slot);

/* Bytes of a new leaf for the slot: with one entry more, and spare room where it is long. */
size_t regf_slot_size(const struct regf_slot *slot);

/* Enters a subkey at its slot; `new_leaf` is a cell for the leaf where it has no room. */
void regf_insert(struct regf_edit *edit, uint32_t parent, const struct regf_slot *slot,
                 uint32_t new_leaf, uint32_t key, struct regf_name name);

/* Takes a subkey out of its parent's list, and frees lists that become empty. */
void regf_remove(struct regf_edit *edit, uint32_t parent, uint32_t key);

#endif
