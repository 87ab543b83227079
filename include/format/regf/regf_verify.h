/*
 * Is a registry hive sound, from its root to the last cell? What Windows needs to find its keys and
 * to change the hive further, and what an editor relies on.
 */
#ifndef SHADOWBOOT_FORMAT_REGF_VERIFY_H
#define SHADOWBOOT_FORMAT_REGF_VERIFY_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/status.h"
#include "format/regf/regf_read.h"

/* How deep keys may be, the root being at 1: those of boot stores are 4 to 5 deep. */
#define REGF_DEPTH_MAX 64u

/* What can be wrong. Up to REGF_SECURITY_COUNT the hive is damaged; of the others Windows and this
 * program take no notice. */
enum regf_problem {
    REGF_NO_PROBLEM,
    REGF_CELL_UNUSED,    /* something names a cell that is none, or not in use */
    REGF_CELL_TWICE,     /* two things name the same cell */
    REGF_KEY_BAD,        /* a key's fields contradict each other, or it has no name */
    REGF_KEY_PARENT,     /* a key names another parent than the one that lists it */
    REGF_TOO_DEEP,       /* keys below REGF_DEPTH_MAX */
    REGF_LIST_BAD,       /* a list of subkeys is none, or too short for what it says */
    REGF_LIST_COUNT,     /* a list has more or fewer subkeys than its key says */
    REGF_LIST_ORDER,     /* subkeys are not in the order of their names, or two have the same */
    REGF_LIST_HINT,      /* a list's hint or hash is not that of the subkey's name */
    REGF_VALUE_BAD,      /* a value's fields contradict each other */
    REGF_VALUE_DATA,     /* a value's data is larger than its cells */
    REGF_SECURITY_BAD,   /* a security descriptor does not fit its cell */
    REGF_SECURITY_RING,  /* security cells do not name each other in a ring */
    REGF_SECURITY_COUNT, /* one is used by more or fewer keys than it says */
    REGF_MAXIMUM_LOW,    /* a subkey or value is longer than its key says of all */
    REGF_CELL_LOST,      /* a cell is in use, and nothing names it */
    REGF_CELLS_APART,    /* two free cells lie side by side */
    REGF_PROBLEM_COUNT
};

/* A problem and where it is. */
struct regf_flaw {
    enum regf_problem problem;
    uint32_t cell; /* offset from the first bin */
    uint32_t key;  /* the key that it belongs to; the root where it belongs to none */
};

struct regf_report {
    struct regf_flaw damage; /* the first that is damage; then what follows was not looked at */
    struct regf_flaw untidy; /* the first of the others */
    uint32_t key_count;      /* below: counts of what was found sound */
    uint32_t value_count;
    uint32_t cell_count; /* in use */
    uint32_t free_bytes; /* in free cells, with their sizes */
};

/*
 * Looks at everything in the hive. The arena lends half as many bytes as the hive has, and has them
 * back. Statuses: ST_OK whatever the report says; ST_NO_MEMORY.
 */
MUST_CHECK enum status regf_verify(struct arena *arena, const struct regf_hive *hive,
                                   struct regf_report *ret_report);

/* True for what keeps a hive from being edited. */
bool regf_problem_is_damage(enum regf_problem problem);

/* Half a sentence, such as "two things name the same cell". Never NULL; static lifetime. */
const char *regf_problem_text(enum regf_problem problem);

#endif
