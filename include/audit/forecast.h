/*
 * Would the machine start? The firmware's start order, followed on paper for each member of the
 * mirror, twice: alone, as if every other disk had been pulled out, and with the disks that are no
 * members still in. The worse of the two counts: a disk that hangs on the ESP of another one does
 * not start alone, and a foreign disk, or an old half of the mirror, may start in its place. Disks
 * that are removable never count.
 *
 * The order is that of edk2's boot manager (UEFI Specification 3.1): active entries in the sequence
 * of BootOrder; an entry whose device or file is not there, or whose file is no image for this
 * machine, gives way to the next; the first image that starts is taken as final: one that returns
 * an error would let firmware go on, but nobody can tell that beforehand. What starts has to be the
 * system: a tool, or what is on a disk that is no member, is something else, but for the ESP that
 * the system is started from now. When no entry starts anything, the removable-media path
 * \EFI\BOOT\BOOT<ARCH>.EFI is tried, which not every firmware does for fixed disks; of one that is
 * known to, such a disk starts. Where entries are kept in a file they are gone with the disk it is on.
 * BootNext counts once only and is left out.
 */
#ifndef SHADOWBOOT_AUDIT_FORECAST_H
#define SHADOWBOOT_AUDIT_FORECAST_H

#include "audit/roles.h"
#include "base/arena.h"
#include "base/sha256.h"
#include "base/status.h"
#include "model/machine.h"

enum verdict {
    VERDICT_STARTS,
    VERDICT_FALLBACK, /* only through the removable-media path */
    VERDICT_PERHAPS,  /* where firmware is lenient: the reason says in what */
    VERDICT_FAILS,
    VERDICT_UNKNOWN, /* something it hangs on cannot be read or understood */
};

/* "starts", "fallback", "perhaps", "fails", "unknown": for scripts. Static lifetime. */
const char *verdict_name(enum verdict verdict);

/* The ways in which firmware can be switched on: without the disks that are no members or with
 * them, and where it starts nothing by the path of a file alone, or looks for that on all disks. */
enum start_way { ALONE_STRICT, ALONE_LENIENT, AMONG_STRICT, AMONG_LENIENT, START_WAYS };

/* What is to be hoped for from one way, from the worst to the best. */
enum outlook {
    OUTLOOK_NOTHING,   /* it stops */
    OUTLOOK_ELSEWHERE, /* another system may come up */
    OUTLOOK_DOUBTFUL,  /* not known, and what is started may be damaged */
    OUTLOOK_UNKNOWN,
    OUTLOOK_PERHAPS,
    OUTLOOK_FALLBACK,
    OUTLOOK_STARTS,
};

/* What one way comes to. */
struct way {
    enum outlook outlook;
    bool has_program;
    struct sha256
        program; /* OUTLOOK_UNKNOWN: the content of what takes hold, where that was read */
};

struct forecast {
    enum verdict verdict;
    struct way ways[START_WAYS]; /* `verdict` is what they say together */
    size_t entry;       /* the entry that starts, or that stops the start; NO_INDEX for none */
    bool other;         /* VERDICT_FAILS because `entry` starts a program that starts no system */
    size_t instead;     /* the entry that starts a disk which is no member in the place of this one,
                         * as long as that disk is in; NO_INDEX for none */
    const char *reason; /* a sentence or two; "" for VERDICT_STARTS; in the arena */
};

/* What happens when of all members only `member` is left. Statuses: ST_OK; ST_NO_MEMORY. */
MUST_CHECK enum status forecast_alone(struct arena *arena, const struct machine *machine,
                                      const struct roles *roles, size_t member,
                                      struct forecast *ret_forecast);

/*
 * What the machine starts with all its fixed disks, by the first of BootOrder that takes hold,
 * where firmware does not follow the path of a file alone ([0]), and where it does ([1]). What is
 * on a disk that is no member is OUTLOOK_ELSEWHERE, unless it is a tool or lacks its boot store.
 * Without members nothing is known. Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status forecast_together(struct arena *arena, const struct machine *machine,
                                         const struct roles *roles, struct way ret_ways[2]);

/*
 * What happens when of all members only `member` is left and the program `file` (index into the
 * report) of its ESP is started, as `entry` would start it (NULL: by nothing but its path). Of the
 * result `verdict` and `reason` are set; it is never VERDICT_FALLBACK. Statuses: ST_OK;
 * ST_NO_MEMORY.
 */
MUST_CHECK enum status forecast_program(struct arena *arena, const struct machine *machine,
                                        const struct roles *roles, size_t member, size_t file,
                                        const struct entry *entry, struct forecast *ret_forecast);

/* True when the disk starts, be it only through the removable-media path or with lenient firmware:
 * what must not be lost. */
bool forecast_is_hopeful(const struct forecast *forecast);

/*
 * The first entry that BootOrder has before `entry` and that starts something else, so that `entry`
 * is never reached: a program of the firmware's own, a tool, or a disk that is no member (`roles`
 * may be NULL: then disks do not count). NO_INDEX when there is none.
 */
size_t forecast_blocker(const struct machine *machine, const struct roles *roles, size_t entry);

/* What `status` ends with; the numbers are its exit statuses. */
enum machine_state {
    MACHINE_SAFE = 0,           /* each member starts alone */
    MACHINE_UNKNOWN_DISKS = 10, /* no boot volume and no ESP was found */
    MACHINE_FALLBACK = 64,      /* each member starts, one only as firmware allows: through the
                                 * removable-media path, or where it is lenient */
    MACHINE_PRIMARY_ONLY = 65,
    MACHINE_SHADOW_ONLY = 66,
    MACHINE_NONE = 67,    /* no member starts alone */
    MACHINE_SINGLE = 68,  /* one disk is here, and starts */
    MACHINE_UNKNOWN = 69, /* it cannot be told */
};

/* The state that follows from all members' starts, of which there are roles->member_count. */
enum machine_state machine_state_of(const struct roles *roles, const struct forecast *forecasts);

/* In a sentence. Static lifetime. */
const char *machine_state_text(enum machine_state state, size_t member_count);

#endif
