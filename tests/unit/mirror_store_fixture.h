/* Boot stores of the machine of unit/mirror_fixture.h. */
#ifndef SHADOWBOOT_UNIT_MIRROR_STORE_FIXTURE_H
#define SHADOWBOOT_UNIT_MIRROR_STORE_FIXTURE_H

#include "unit/mirror_fixture.h"
#include "unit/store_fixture.h"

#define MIRROR_NOWHERE "0badf00d-0000-4000-8000-000000000000"

/* A device element for a partition of the machine; NO_INDEX: for MIRROR_NOWHERE, which no disk
 * has. */
void mirror_device(const struct mirror *mirror, size_t partition,
                   uint8_t ret_data[STORE_DEVICE_SIZE]);

/* Gives the ESP of a disk this store. */
void mirror_take_store(struct mirror *mirror, size_t disk, const struct store_fixture *store);

#endif
