/* What the values of rows are in JSON Schema. */
#ifndef SHADOWBOOT_CMD_SCHEMA_VALUES_H
#define SHADOWBOOT_CMD_SCHEMA_VALUES_H

#include "rows.h"

#define SCHEMA_WORDS_MAX 256 /* of a set; a word of more is ST_NO_MEMORY */

struct schema_words {
    const char *at[SCHEMA_WORDS_MAX];
    size_t count;
};

enum schema_form {
    SCHEMA_TEXT,   /* with a pattern, or any */
    SCHEMA_WORDS,  /* one of a set */
    SCHEMA_NUMBER, /* a whole one, between two */
    SCHEMA_STATE,  /* an exit status of `status` */
    SCHEMA_BOOL,
};

struct schema_value {
    enum schema_form form;
    const char *pattern; /* of a text (ECMA-262); NULL: any */
    uint64_t least;
    uint64_t most;
};

/* What that value is. */
struct schema_value schema_value_of(enum row_value value);

/* All words of a set, each once; they are static or in the arena. Statuses: as report_schema. */
MUST_CHECK enum status schema_words_of(struct arena *arena, enum row_value value,
                                       struct schema_words *ret_words);

/* The i-th state that `status` can end with; false behind the last. */
bool schema_state_at(unsigned i, unsigned *ret_state);

#endif
