/*
 * What an unattended start does: which programs may start the system, best first, and what may be
 * mended before. A pure look at the audited machine; cmd/auto.h carries it out.
 */
#ifndef SHADOWBOOT_PLAN_AUTOSTART_H
#define SHADOWBOOT_PLAN_AUTOSTART_H

#include "audit/audit_machine.h"
#include "plan/plan.h"

struct autostart_request {
    bool has_disk; /* a disk is preferred: */
    size_t disk;
    unsigned
        turn; /* how many starts in a row have come to nothing: each begins with another disk */
    bool by_reset; /* by BootNext and a reset wherever an entry allows it */
    bool has_tpm;  /* firmware measures what is started */
};

/* A program that may start the system. */
struct autostart_choice {
    size_t member;
    size_t esp;           /* index into machine.esps */
    size_t file;          /* index into its report */
    size_t entry;         /* an active entry in BootOrder for it; NO_INDEX for none */
    struct span optional; /* the load options that go with it */
    enum verdict verdict; /* VERDICT_STARTS, VERDICT_PERHAPS or VERDICT_UNKNOWN */
    bool by_reset;        /* BootNext and a reset: the start is measured as it is every day */
};

struct autostart {
    const struct autostart_choice *choices; /* best first */
    size_t count;
    const char **reasons; /* by member: why it does not start; "" where there is a choice */
};

/*
 * The choices: for each member, that of the preferred disk first, then the primary, the program of
 * its entry, the boot managers on its ESP and what lies under the removable-media path, as far as
 * each is not known to come to nothing; what is uncertain behind what is not. Where BitLocker has a
 * volume and firmware measures into a TPM, and where the request says so, a choice with an entry is
 * for a reset. Statuses: ST_OK, also without choices; ST_NO_MEMORY.
 */
MUST_CHECK enum status autostart_plan(struct arena *arena, const struct machine *machine,
                                      const struct judgement *judgement,
                                      const struct autostart_request *request,
                                      struct autostart *ret_autostart);

/* True when a member does not start alone as it is: then it is worth mending. */
bool autostart_wants_repair(const struct judgement *judgement);

/*
 * Whether more members start alone after the plan than now, which `judgement` is of. What does not
 * help that is nothing to change with nobody there: a new entry may start what then stops.
 * Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status autostart_improves(struct arena *arena, const struct plan *plan,
                                          const struct judgement *judgement, bool *ret_improves);

/* True when BitLocker has a volume of this machine: what it measures is nothing to change at night. */
bool autostart_spares_disks(const struct machine *machine);

#endif
