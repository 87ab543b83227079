/*
 * Who shows what: each finding belongs to one test program, which has to meet it. A program notes
 * what it met and asks at its end whether that was all it owns; test_audit asks whether each
 * finding has an owner.
 */
#ifndef SHADOWBOOT_UNIT_FINDING_FIXTURE_H
#define SHADOWBOOT_UNIT_FINDING_FIXTURE_H

#include "audit/finding.h"

enum finding_owner {
    OWNER_NONE,
    OWNER_AUDIT, /* tests/unit/test_audit.c */
    OWNER_MACHINE,
    OWNER_INSTALL,       /* tests/unit/test_install.c */
    OWNER_ESPS,          /* tests/unit/test_audit_esps.c */
    OWNER_STORES,        /* tests/unit/test_boot_stores.c */
    OWNER_STORE_ENTRIES, /* tests/unit/test_store_entries.c */
    OWNER_VOLUMES,       /* tests/unit/test_audit_volumes.c */
};

enum finding_owner finding_owner(enum finding_code code);

/* Notes that this program has met a finding as it ought to be. */
void finding_met(enum finding_code code);

/* The same for all of a list. */
void findings_met(const struct findings *findings);

/* Fails the test unless all findings of the owner were met; names the others. */
void findings_assert_met(enum finding_owner owner);

/*
 * Fails the test unless these are all findings, in this order: a line "name @ place" for each, with
 * the detail behind it where there is one. Those that are there are noted as met.
 */
void findings_assert(const struct machine *machine, const struct findings *findings,
                     const char *expected);

#endif
