/*
 * One member of the mirror left alone: what becomes of a file that firmware is told to start from
 * it. audit/forecast.h follows the boot entries; here is what each of them comes to.
 */
#ifndef SHADOWBOOT_AUDIT_TRIAL_H
#define SHADOWBOOT_AUDIT_TRIAL_H

#include <stdbool.h>
#include <stddef.h>

#include "audit/program.h"
#include "audit/roles.h"
#include "base/arena.h"
#include "model/machine.h"

/* What trying a file comes to. */
enum outcome {
    GOES_ON, /* firmware tries what comes next */
    STARTS,
    PERHAPS,   /* it starts where firmware is lenient: some does, some goes on or stops */
    FAILS,     /* it is started, and the machine stops there */
    ELSEWHERE, /* it is started, and may well bring up another system: a FAILS of a better kind */
    UNKNOWN,
};

struct trial {
    struct arena *arena;
    const struct machine *machine;
    const struct roles *roles;
    const struct member *member;
    const struct entry *entry; /* by which a file is started; NULL without one */
    bool doubtful;             /* a file that is started may be damaged */
    unsigned stage;            /* how many programs started each other so far */
    struct span levels;        /* by which the shim that was started last judges the next */
    bool together;             /* all disks are there: `member` is any of them */
    bool outsiders;            /* disks that are no members are there too */
    size_t esp;                /* the file tried last: of this ESP, */
    size_t file;               /* of its report; FAT_NO_FILE when it is not there */
    const char *why;           /* of the last outcome but STARTS; NULL when memory ran out */
    const char *first_why; /* why the first entry for this member's ESP gave way; "" without any */
};

/* Notes why, and gives `outcome` back. `why` is NULL when memory ran out while it was made. */
enum outcome trial_because(struct trial *trial, enum outcome outcome, const char *why);

/* True when the disk is not there in this trial: that of another member, or any other one. */
bool trial_disk_is_gone(const struct trial *trial, size_t disk);

/* UNKNOWN: what is looked for may be where the check of the ESP did not get to. */
enum outcome trial_cut_short(struct trial *trial);

/* Whether Windows is whole enough on this copy to be started. */
enum outcome trial_windows(struct trial *trial, const struct system_copy *copy);

/* Whether the system is there that a boot manager goes on to start. */
enum outcome trial_system(struct trial *trial);

/*
 * Starts the file `path` of a partition that is there: by what is on the ESP, in the file, in its
 * boot store and in the system volume. With `needs_store` it is Windows' boot manager whatever its
 * name.
 */
enum outcome trial_file(struct trial *trial, size_t partition, const char *path, bool needs_store);

/* Starts the file (index into the ESP's report), which is there; `needs_store` as above. */
typedef enum outcome trial_fn(struct trial *trial, const struct esp *esp, size_t file,
                              bool needs_store);
trial_fn trial_program;

/* What shim, and the program that makes its entries anew, go on to start from their ESP, by
 * `start`. */
enum outcome trial_shim(struct trial *trial, trial_fn *start, const struct esp *esp, size_t file);
enum outcome trial_shim_fallback(struct trial *trial, trial_fn *start, const struct esp *esp,
                                 size_t file);

/*
 * Whether the loader (a file of the ESP, of that kind) starts the system of the mirror, as far as
 * that hangs on other systems: UNKNOWN where a disk that is no member may have one and its ESP has
 * the same loader with the same settings, or where the members' ESPs have different loaders, so
 * that one of them may be that one's. Else STARTS.
 */
enum outcome trial_whose(struct trial *trial, const struct esp *esp, size_t loader,
                         const struct program *program);

/* What Windows' boot manager on the ESP comes to: by its store and the system volume. */
enum outcome trial_store(struct trial *trial, const struct esp *esp);

/* Starts the removable-media path of a disk: on each of its ESPs until one does not give way. */
enum outcome trial_fallback(struct trial *trial, size_t disk);

static inline const char *trial_path_of(const struct esp *esp, size_t file)
{
    return esp->report.files[file].path;
}

#endif
