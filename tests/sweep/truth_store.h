/*
 * What Windows' boot manager does by its store, read anew from the hive: the default of {bootmgr},
 * or the first of its order that is there; where that loader and its system are.
 */
#ifndef SHADOWBOOT_SWEEP_TRUTH_STORE_H
#define SHADOWBOOT_SWEEP_TRUTH_STORE_H

#include <stdint.h>

#include "sweep/truth_fat.h"

enum truth_place { PLACE_ANYWHERE, PLACE_PARTITION, PLACE_ESP, PLACE_ODD };

struct truth_store {
    struct {
        enum truth_place place;
        uint8_t guid[16]; /* PLACE_PARTITION */
    } loader, system;
    bool
        odd_file; /* the loader is another one than winload.efi, or the manager is sent elsewhere */
};

/* Why the boot manager stops before it looks for the loader; NULL when it does not. The hive is one
 * of one bin that is sound. */
const char *truth_store_read(const struct truth_file *hive, struct truth_store *ret_store);

#endif
