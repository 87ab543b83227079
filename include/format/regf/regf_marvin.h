/* The hash that entries of a registry hive's log are protected by: Marvin32, with Windows' seed. */
#ifndef SHADOWBOOT_FORMAT_REGF_MARVIN_H
#define SHADOWBOOT_FORMAT_REGF_MARVIN_H

#include "base/bytes.h"

/* The hash as it is stored: the low half first. */
uint64_t regf_marvin(struct span bytes);

#endif
