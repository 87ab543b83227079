/* Who uses the cells of a registry hive, while it is verified; for efi/format alone. */
#ifndef SHADOWBOOT_FORMAT_REGF_MARKS_H
#define SHADOWBOOT_FORMAT_REGF_MARKS_H

#include "format/regf/regf_verify.h"

struct regf_walk {
    const struct regf_hive *hive;
    struct regf_report *report;
    uint32_t *marks; /* for each 8 bytes of the bins, as below */
    uint32_t key;    /* that is looked at */
};

#define REGF_MARK_OWNED  0x80000000u /* the cell is named, and no security */
#define REGF_MARK_RING   0x40000000u /* it was met in the ring of security cells */
#define REGF_MARK_SHARES 0x3fffffffu /* how many keys name it as their security */

/* Notes a problem, if it is the first of its sort. False when it is damage. */
bool regf_note(struct regf_walk *walk, enum regf_problem problem, uint32_t cell);

/* The cell's mark; the cell is one in use. */
uint32_t *regf_mark_of(struct regf_walk *walk, uint32_t cell);

/* Takes a cell in use for a thing. False, with a note, when it is not in use or is taken. */
bool regf_claim(struct regf_walk *walk, uint32_t cell);

/* Counts that the present key has this security. False, with a note, when the cell is not one in
 * use, or is taken for something else. */
bool regf_claim_security(struct regf_walk *walk, uint32_t cell);

/* The walk's second part, when all keys are counted: the ring of security cells that begins with
 * the root's. False, with a note, when it is damaged. */
bool regf_verify_security(struct regf_walk *walk);

/* The values of the present key, which was read. False, with a note, when they are damaged. */
bool regf_verify_values(struct regf_walk *walk, const struct regf_key *key);

/* The lists of its subkeys; the subkeys are yet to be looked at. False, with a note, when they are
 * damaged. */
bool regf_verify_lists(struct regf_walk *walk, const struct regf_key *key);

#endif
