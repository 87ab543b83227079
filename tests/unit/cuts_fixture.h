/*
 * A command run again and again on one machine, each time with trouble at another place: power cuts
 * at every write, calls that fail, full stores, no memory. Whatever state is left is judged by the
 * invariants of a repair:
 *
 *   I1  every disk starts at least as well as before the command (but see cuts_allow_gap)
 *   I2  nothing changed but what the undisturbed command changes: the ESPs that are its targets and
 *       the places of the partition tables, of an MBR its block
 *   I3  so no source of a copy did
 *   I4  `undo` gives back the earlier state: verdicts, findings, variables, partition tables byte
 *       for byte, every file of the ESPs, and every block that held anything where no file system
 *       was
 *   I5  the same command once more comes to the end the undisturbed one comes to, and then once
 * more writes nothing
 *
 * The machine's volumes follow its disks (unit/disk_machine_fixture.h).
 */
#ifndef SHADOWBOOT_UNIT_CUTS_FIXTURE_H
#define SHADOWBOOT_UNIT_CUTS_FIXTURE_H

#include "host/fault.h"
#include "host/host_ports.h"

enum cuts_mode {
    CUTS_POWER,    /* at each write, every way it can be torn, every fate of the disks' caches */
    CUTS_CALL,     /* a call gives ST_IO, once or for good */
    CUTS_NO_SPACE, /* a write of a variable or a file gives ST_NO_SPACE, once or for good */
    CUTS_MEMORY,   /* less and less memory */
    CUTS_MODE_COUNT
};

/* Which states are tried. */
struct cuts_range {
    unsigned seeds;  /* power: random fates of the caches beside "all lost" and "all kept" */
    bool garbage;    /* power: also blocks of which half holds neither old nor new */
    uint64_t first;  /* the first n; 0: 1 */
    uint64_t last;   /* 0: until the command completes */
    uint64_t step;   /* 0: 1 */
    unsigned pieces; /* memory: in how many steps */
};

struct cuts;

/*
 * Runs `line` undisturbed, twice, and takes it back; `before` is not changed and must outlive the
 * result. What the machine `name` is like is said when something is wrong. To be freed.
 */
struct cuts *cuts_new(struct host *before, const char *name, const char *line);
void cuts_free(struct cuts *cuts);

/* A disk that gets another identity is not found by the old one when the table has it and what names
 * it has not, or the other way round: until the end it may start less well, the others not. */
void cuts_allow_gap(struct cuts *cuts, size_t disk);

/* From now on it is the taking back of the command that is disturbed: `undo` on the machine that the
 * undisturbed command has left. I1 to I5 are those of the command; what a disturbed undo leaves is gone on with
 * by undo, and by the command. */
void cuts_disturb_undo(struct cuts *cuts);

/* How many violations are printed before no more are looked for: 1 unless set. */
void cuts_set_patience(struct cuts *cuts, unsigned violations);

/* True when the undisturbed command writes, and when it leaves another machine. It may have failed
 * and taken everything back; then the third run need not be without writes. */
bool cuts_has_work(const struct cuts *cuts);
bool cuts_has_changed(const struct cuts *cuts);

/* Its exit status, and so with the writes below: of what is disturbed. */
unsigned cuts_code(const struct cuts *cuts);

/* Tries all states of the mode; false after a violation, which was printed. */
bool cuts_try(struct cuts *cuts, enum cuts_mode mode, const struct cuts_range *range);

/* Violations so far, that of the undisturbed run included. */
unsigned cuts_violations(const struct cuts *cuts);

/* States tried so far, and how many of them were different. */
uint64_t cuts_states(const struct cuts *cuts);
uint64_t cuts_distinct(const struct cuts *cuts);

/* Of these, those after which files may be others than the undisturbed command leaves: an ESP could not be
 * read, and what else there is was gone by; or the clock could not, by which new GUIDs are made. */
uint64_t cuts_blind(const struct cuts *cuts);

/* Writes, undisturbed. */
uint64_t cuts_writes(const struct cuts *cuts);

#endif
