/*
 * Random changes to a registry hive, each of them made to a simple model too: after each the hive
 * is sound and holds what the model holds, and a change that is refused has changed no byte.
 */
#ifndef SHADOWBOOT_UNIT_HIVE_MODEL_FIXTURE_H
#define SHADOWBOOT_UNIT_HIVE_MODEL_FIXTURE_H

#include <stdint.h>

#include "base/bytes.h"

struct hive_model_counts {
    uint64_t made[5];  /* keys created, keys deleted, values set, values deleted, failures */
    uint64_t no_space; /* of the failures */
    uint64_t grown;    /* sequences that made the hive longer */
};

/*
 * Makes `edits` changes to a copy of `file`, drawn from `seed`, and adds to `counts`. NULL when all
 * is well; otherwise what is wrong, static.
 */
const char *hive_model_run(struct span file, uint64_t seed, unsigned edits,
                           struct hive_model_counts *counts);

#endif
