/*
 * Changing a boot store in the caller's buffer: what regf_edit.h is to any hive. The hive is sound
 * after each call, and one that fails leaves it as it was.
 */
#ifndef SHADOWBOOT_FORMAT_BCD_EDIT_H
#define SHADOWBOOT_FORMAT_BCD_EDIT_H

#include "format/bcd/bcd.h"
#include "format/regf/regf_edit.h"

struct bcd_edit {
    struct regf_edit hive;
    struct bcd_store
        store;    /* as it is now; what is read through it is good until the next change */
    bool changed; /* something was, since it was opened */
};

/* Begins to change the store, as regf_edit_open. Statuses: those of it and of bcd_open. */
MUST_CHECK enum status bcd_edit_open(struct arena *arena, uint8_t *file, size_t size,
                                     size_t capacity, uint64_t now, struct bcd_edit *ret_edit);

/*
 * Gives the object the element; nothing changes where it has it with the same data. `data` may be
 * borrowed from the store. Statuses: ST_OK; ST_ABSENT when there is no such object; those of
 * regf_create_key and regf_set_value.
 */
MUST_CHECK enum status bcd_edit_set(struct bcd_edit *edit, const struct guid *object, uint32_t code,
                                    struct span data);

/* Statuses: ST_OK; ST_ABSENT when there is no such object or element; ST_DAMAGED. */
MUST_CHECK enum status bcd_edit_unset(struct bcd_edit *edit, const struct guid *object,
                                      uint32_t code);

/* Deletes an object with its elements. Statuses: ST_OK; ST_ABSENT; ST_DAMAGED. */
MUST_CHECK enum status bcd_edit_delete(struct bcd_edit *edit, const struct guid *object);

/* Makes an object of that type, without elements. Statuses: ST_OK; ST_EXISTS when there is one of
 * that GUID; those of regf_create_key and regf_set_value, with a part of it made. */
MUST_CHECK enum status bcd_edit_create(struct bcd_edit *edit, const struct guid *guid,
                                       uint32_t type);

/*
 * Makes an object `to` of the same type and with the same elements. Statuses: ST_OK; ST_ABSENT when
 * there is no `from`; ST_EXISTS when there is a `to`; those of regf_create_key and regf_set_value,
 * with a part of `to` made.
 */
MUST_CHECK enum status bcd_edit_copy(struct bcd_edit *edit, const struct guid *from,
                                     const struct guid *to);

#endif
