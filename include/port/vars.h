/* The firmware's variables (UEFI Specification 8.2), one store for the whole machine. */
#ifndef SHADOWBOOT_PORT_VARS_H
#define SHADOWBOOT_PORT_VARS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/guid.h"
#include "base/status.h"

#define VAR_NON_VOLATILE 0x00000001u
#define VAR_BOOT_SERVICE 0x00000002u
#define VAR_RUNTIME      0x00000004u
#define VAR_BOOT_OPTION  (VAR_NON_VOLATILE | VAR_BOOT_SERVICE | VAR_RUNTIME)
#define VAR_NAME_SIZE    64 /* bytes of a name with its NUL; every name we handle is shorter */

/* 8BE4DF61-93CA-11D2-AA0D-00E098032B8C, the vendor of Boot#### and its kin (3.3). */
#define VAR_GLOBAL_VENDOR GUID_INIT(0x8be4df61, 0x93ca, 0x11d2, 0xaa0d, 0x00e098032b8c)

/* The vendor of variables that are this program's own. */
#define VAR_OWN_VENDOR GUID_INIT(0x7b6f3a52, 0x4f0e, 0x4d0b, 0x9c1e, 0x5ad0b007c0de)

struct var_id {
    struct guid vendor;
    char name[VAR_NAME_SIZE]; /* ASCII, NUL-terminated, cut when longer; '?' for other characters */
    uint64_t hash;            /* of the whole name, so that cut names stay distinguishable */
};

struct var_space {
    uint64_t total;     /* bytes of the store for non-volatile boot variables */
    uint64_t remaining; /* bytes still free */
    uint64_t largest;   /* bytes the largest single variable may have, its data alone */
};

struct vars_port {
    void *ctx;

    /*
     * The next variable of the store: the first one when `restart`. The order is the firmware's.
     * Nothing may be set or deleted between a restart and the end of the walk. A firmware may
     * name the same variable twice, or go round for ever: the caller guards against it.
     * Statuses: ST_OK; ST_ABSENT after the last; ST_UNSUPPORTED where the disks are without the
     * machine whose variables tell of them; ST_IO; ST_NO_MEMORY.
     */
    enum status (*next)(void *ctx, bool restart, struct var_id *ret_id);

    /*
     * Reads the variable `name` of `vendor`, NULL for the global one. `*ret_size` is set on ST_OK
     * and on ST_TOO_SMALL, where it is the size needed; `size` may be 0 and `ret_data` NULL to ask.
     * Statuses: ST_OK; ST_ABSENT; ST_UNSUPPORTED where nobody can say whether the machine has it;
     * ST_TOO_SMALL; ST_IO; ST_NO_MEMORY.
     */
    enum status (*get)(void *ctx, const struct guid *vendor, const char *name,
                       uint32_t *ret_attributes, void *ret_data, size_t size, size_t *ret_size);

    /*
     * Creates or replaces the variable `name` of `vendor`, NULL for the global one; `size` 0 deletes
     * it.
     * Statuses: ST_OK; ST_ABSENT when there is nothing to delete; ST_NO_SPACE; ST_READ_ONLY;
     * ST_REFUSED when the firmware rejects name, attributes or content; ST_IO.
     */
    enum status (*set)(void *ctx, const struct guid *vendor, const char *name, uint32_t attributes,
                       const void *data, size_t size);

    /* Statuses: ST_OK; ST_UNSUPPORTED where the firmware cannot tell. */
    enum status (*space)(void *ctx, struct var_space *ret_space);
};

#endif
