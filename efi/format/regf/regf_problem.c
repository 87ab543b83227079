#include "format/regf/regf_verify.h"

/* --- Words -------------------------------------------------------------------------------------*/

bool regf_problem_is_damage(enum regf_problem problem)
{
    return problem != REGF_NO_PROBLEM && problem <= REGF_SECURITY_COUNT;
}

const char *regf_problem_text(enum regf_problem problem)
{
    static const char *const texts[REGF_PROBLEM_COUNT] = {
        [REGF_NO_PROBLEM] = "nothing is wrong",
        [REGF_CELL_UNUSED] = "something names a cell that is not in use",
        [REGF_CELL_TWICE] = "two things name the same cell",
        [REGF_KEY_BAD] = "a key is malformed",
        [REGF_KEY_PARENT] = "a key names another parent",
        [REGF_TOO_DEEP] = "keys are too deep",
        [REGF_LIST_BAD] = "a list of subkeys is malformed",
        [REGF_LIST_COUNT] = "a key has more or fewer subkeys than it says",
        [REGF_LIST_ORDER] = "subkeys are not in the order of their names",
        [REGF_LIST_HINT] = "a list of subkeys has a wrong hint or hash",
        [REGF_VALUE_BAD] = "a value is malformed",
        [REGF_VALUE_DATA] = "a value's data is larger than its cells",
        [REGF_SECURITY_BAD] = "a security descriptor is malformed",
        [REGF_SECURITY_RING] = "security descriptors do not name each other",
        [REGF_SECURITY_COUNT] = "a security descriptor has more or fewer users than it says",
        [REGF_MAXIMUM_LOW] = "a key contains longer names or data than it says",
        [REGF_CELL_LOST] = "a cell in use belongs to nothing",
        [REGF_CELLS_APART] = "free cells lie side by side",
    };

    if ((unsigned)problem >= REGF_PROBLEM_COUNT)
        return "something unknown is wrong";
    return texts[problem];
}
