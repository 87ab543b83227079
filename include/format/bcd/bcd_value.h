/* Values of a boot store's elements as text, read and printed as bcdedit does. Devices are left to
 * who knows the machine's disks (model/boot_store_text.h). */
#ifndef SHADOWBOOT_FORMAT_BCD_VALUE_H
#define SHADOWBOOT_FORMAT_BCD_VALUE_H

#include "base/arena.h"
#include "format/bcd/bcd.h"
#include "format/bcd/bcd_name.h"

#define BCD_FORMAT_STRING   2u
#define BCD_FORMAT_OBJECT   3u
#define BCD_FORMAT_OBJECTS  4u
#define BCD_FORMAT_INTEGER  5u
#define BCD_FORMAT_BOOLEAN  6u
#define BCD_FORMAT_INTEGERS 7u

#define BCD_CODE_NAME_SIZE 16 /* "custom:46000010" */

/* What the element is called: its name, or "custom:" and its number. */
const char *bcd_code_text(uint32_t type, uint32_t code, char buffer[BCD_CODE_NAME_SIZE]);

/* "{bootmgr}", "{default}" where the object is the store's default, else its GUID, which it is also
 * where `store` is NULL; in the arena. NULL when that is full. */
const char *bcd_object_text(struct arena *arena, const struct bcd_store *store,
                            const struct guid *guid);

/*
 * The object that a text means: a well-known name, {default}, or a GUID, with or without braces.
 * Whether the store has it is not looked at, but for {default}. Statuses: ST_OK; ST_ABSENT when
 * there is no default; ST_UNSUPPORTED for {current}: the object that the running Windows was
 * started by; ST_USAGE for all else.
 */
MUST_CHECK enum status bcd_object_parse(const struct bcd_store *store, const char *text,
                                        struct guid *ret_guid);

/*
 * Part `index` of the value, from 0: lists have one for each member, all others one. Objects as
 * bcd_object_text gives them. In the arena.
 * Statuses: ST_OK; ST_ABSENT behind the last one; ST_DAMAGED when it is not of the form that the
 * element's number says; ST_UNSUPPORTED for devices and forms that are not known; ST_NO_MEMORY.
 */
MUST_CHECK enum status bcd_value_part(struct arena *arena, const struct bcd_store *store,
                                      uint32_t type, const struct bcd_element *element,
                                      size_t index, const char **ret_text);

/*
 * The data of an element whose value is typed as these words: one, or a list. Yes, on, true and 1
 * are the same to bcdedit, as are their opposites. In the arena. Statuses: ST_OK; ST_USAGE with
 * `*ret_allowed`, half a sentence that says what the element takes; ST_UNSUPPORTED for devices;
 * ST_NO_MEMORY.
 */
MUST_CHECK enum status bcd_value_parse(struct arena *arena, const struct bcd_store *store,
                                       const struct bcd_name *name, const char *const *words,
                                       size_t count, struct span *ret_data,
                                       const char **ret_allowed);

/* The data of an element that names these objects, one or a list by its number; in the arena.
 * Statuses: ST_OK; ST_NO_MEMORY. */
MUST_CHECK enum status bcd_value_objects(struct arena *arena, uint32_t code,
                                         const struct guid *guids, size_t count,
                                         struct span *ret_data);

/* The type of a registry value that holds such an element. */
uint32_t bcd_value_type(uint32_t code);

#endif
