/*
 * Boot stores (BCD): what Windows' boot manager reads to know what to start.
 *
 *   <root>            a registry hive (format/regf/regf_read.h)
 *     Objects
 *       {guid}        one for each program that can be started, and for settings
 *         Description Type, a DWORD
 *         Elements
 *           xxxxxxxx  eight hexadecimal digits; its value Element is the data
 *
 * The second digit of an element's number is its format: 1 device (format/bcd/bcd_device.h), 2
 * string, 3 object, 4 list of objects, 5 integer, 6 boolean, 7 list of integers. Names are compared
 * without regard to case. Objects and lists of them are text: "{guid}", each with a closing NUL.
 *
 * What the boot manager does with a store was measured on that of Windows 10 (10.0.19041): see
 * enum bcd_end.
 */
#ifndef SHADOWBOOT_FORMAT_BCD_H
#define SHADOWBOOT_FORMAT_BCD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/guid.h"
#include "base/status.h"
#include "format/bcd/bcd_device.h"
#include "format/regf/regf_read.h"

#define BCD_DEVICE        0x11000001u /* of any application: where its file is */
#define BCD_PATH          0x12000002u
#define BCD_DESCRIPTION   0x12000004u
#define BCD_LOCALE        0x12000005u
#define BCD_INHERIT       0x14000006u
#define BCD_OS_DEVICE     0x21000001u /* of a loader: the volume with \Windows */
#define BCD_SYSTEM_ROOT   0x22000002u /* of a loader: \Windows */
#define BCD_DEFAULT       0x23000003u /* of a boot manager */
#define BCD_DISPLAY_ORDER 0x24000001u /* of a boot manager */
#define BCD_BOOT_SEQUENCE 0x24000002u /* the same, for the next start only */
#define BCD_TOOLS_ORDER   0x24000010u /* the same, below the menu */

/* Of a boot manager (Microsoft's BcdBootMgrElementTypes): what has it not start an entry of this store. */
#define BCD_STORE_DEVICE   0x21000022u /* bcddevice: where another store is */
#define BCD_STORE_PATH     0x22000023u /* bcdfilepath: what it is called */
#define BCD_ATTEMPT_RESUME 0x26000005u /* resume: by the next, first */
#define BCD_RESUMES_BY     0x23000006u /* resumeobject */

#define BCD_RECOVERY_SEQUENCE 0x14000008u
#define BCD_RECOVERY_ENABLED  0x16000009u
#define BCD_NO_INTEGRITY      0x16000048u /* nointegritychecks */
#define BCD_TEST_SIGNING      0x16000049u
#define BCD_RESUME_OBJECT     0x23000003u /* of a loader: what starts Windows after hibernation */
#define BCD_SAFE_BOOT         0x25000080u /* of a loader, as all below */
#define BCD_OLD_NO_INTEGRITY  0x26000026u
#define BCD_OLD_TEST_SIGNING  0x26000027u
#define BCD_STATUS_POLICY     0x250000e0u /* bootstatuspolicy: 1 or 3: no recovery by itself */

#define BCD_FORMAT_DEVICE 1u
#define BCD_FORMAT_OBJECT 3u
#define BCD_FORMAT_LIST   4u

#define BCD_TYPE_MANAGER 0x10100002u
#define BCD_TYPE_LOADER  0x10200003u

/* The boot manager's own object where its entry names no other. */
extern const struct guid bcd_manager;

struct bcd_store {
    struct regf_hive hive;
    uint32_t objects; /* key */
};

struct bcd_object {
    struct guid guid;
    uint32_t type;
    uint32_t elements; /* key */
    bool has_elements; /* it is there */
};

struct bcd_element {
    uint32_t code;
    struct span data; /* into the file */
};

/*
 * Opens the store that `file` is, which has to stay as it is while the store is used; so has the
 * arena's memory (regf_open). Statuses: ST_OK; ST_ABSENT when there is no key Objects, or it is no
 * hive; ST_DAMAGED, ST_UNSUPPORTED, ST_REFUSED and ST_NO_MEMORY as regf_open.
 */
MUST_CHECK enum status bcd_open(struct arena *arena, struct span file, struct bcd_store *ret_store);

/* How many keys Objects has, whatever they are called; 0 also where that cannot be read. */
size_t bcd_object_count(const struct bcd_store *store);

/* The object at a place from 0, in the order of the store. Statuses: ST_OK; ST_ABSENT past the last
 * one; ST_DAMAGED when its name is no GUID, it has no type, or its keys cannot be followed. */
MUST_CHECK enum status bcd_object_at(const struct bcd_store *store, size_t index,
                                     struct bcd_object *ret_object);

/* The object of that GUID. Statuses: ST_OK; ST_ABSENT; ST_DAMAGED as above. */
MUST_CHECK enum status bcd_find(const struct bcd_store *store, const struct guid *guid,
                                struct bcd_object *ret_object);

/* How many elements an object has. */
size_t bcd_element_count(const struct bcd_store *store, const struct bcd_object *object);

/* The element at a place from 0. Statuses: ST_OK; ST_ABSENT past the last one; ST_DAMAGED when its
 * name is no number, it has no value, or its keys cannot be followed. */
MUST_CHECK enum status bcd_element_at(const struct bcd_store *store,
                                      const struct bcd_object *object, size_t index,
                                      struct bcd_element *ret_element);

/* An object's own element of that number. Statuses: ST_OK; ST_ABSENT; ST_DAMAGED as above. */
MUST_CHECK enum status bcd_element(const struct bcd_store *store, const struct bcd_object *object,
                                   uint32_t code, struct span *ret_data);

/* The same, or where the object has none, that of the objects from which it inherits, which go
 * before those behind them in the list, four deep. */
MUST_CHECK enum status bcd_inherited(const struct bcd_store *store, const struct bcd_object *object,
                                     uint32_t code, struct span *ret_data);

/* The GUID at a place from 0 of an object or a list of objects. Statuses: ST_OK; ST_ABSENT past the
 * last one; ST_DAMAGED when it is none. */
MUST_CHECK enum status bcd_guid_at(struct span data, size_t index, struct guid *ret_guid);

/* The element's number's fourth byte: 1 device ... 7 list of integers. */
unsigned bcd_format(uint32_t code);

/* The number in an element of the format integer or boolean, of 1 to 8 bytes; 0 when it has another
 * size. */
uint64_t bcd_number(struct span data);

/* True for an element that names objects of which one that does not exist is passed over; what an
 * object inherits from is none. */
bool bcd_is_reference(uint32_t code);

/* How many of the objects in such an element the store does not have. */
size_t bcd_count_gone(const struct bcd_store *store, struct span data);

/* True when both have the same objects with the same elements. */
bool bcd_equal(const struct bcd_store *a, const struct bcd_store *b);

/* --- What is started ------------------------------------------------------------------------ */

/* What the boot manager comes to, without a menu or anybody at the keyboard. */
enum bcd_end {
    BCD_STARTS,           /* it looks for the loader's file */
    BCD_EMPTY,            /* there is no object at all: 0xc0000034 */
    BCD_NO_ENTRY,         /* neither a default nor an order: 0xc0000098 */
    BCD_ENTRY_GONE,       /* they name only objects that do not exist: 0xc0000034 */
    BCD_ENTRY_NOT_WHOLE,  /* the loader has no description or no device: 0xc0000001 */
    BCD_SYSTEM_NOT_NAMED, /* winload is started without being told where \Windows is */
    BCD_NOT_UNDERSTOOD,   /* by this program */
    BCD_END_COUNT
};

/* The loader that a boot manager starts. */
struct bcd_choice {
    struct bcd_object loader;
    struct bcd_device device;    /* where its file is */
    struct bcd_device os_device; /* where \Windows is */
    bool has_os_device;
    bool once;        /* by the order for the next start alone */
    struct span path; /* its file, UCS-2 without NUL; empty: \Windows\System32\winload.efi */
    struct span root; /* the folder of the system it starts, likewise; empty where none is named */
    /* The manager's element that may lead it to another store or a hibernated Windows instead; what
     * the boot manager does by it was not measured. 0 without one. */
    uint32_t aside;
};

/*
 * What the boot manager of the object `manager` does by this store. It takes the first that exists
 * of the order for the next start, else the default, or what comes first in the display order where
 * the default does not exist; it does not go on to another one when that fails. Of `ret_choice` only
 * `aside` is filled in but for BCD_STARTS; where it is not 0 a bad end is BCD_NOT_UNDERSTOOD.
 */
enum bcd_end bcd_choose(const struct bcd_store *store, const struct guid *manager,
                        struct bcd_choice *ret_choice);

#endif
