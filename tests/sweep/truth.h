/*
 * What firmware makes of a machine when it is switched on with some of its disks: a second opinion
 * on what repairs do, told from bytes alone. The rules are those of edk2's boot manager: BootOrder
 * first, then \EFI\BOOT\BOOTX64.EFI of every FAT volume; BootNext is left out.
 */
#ifndef SHADOWBOOT_SWEEP_TRUTH_H
#define SHADOWBOOT_SWEEP_TRUTH_H

#include "host/host_ports.h"
#include "sweep/truth_system.h"

#define TRUTH_ALL      UINT64_MAX /* every disk */
#define TRUTH_NO_ENTRY (-1)
#define TRUTH_PATH     300

struct truth {
    enum truth_verdict verdict;
    int entry;             /* number of the entry that decided, or TRUTH_NO_ENTRY */
    size_t disk;           /* of the file that firmware started */
    uint8_t guid[16];      /* of its partition */
    char file[TRUTH_PATH]; /* "" when it started none */
    struct truth_run run;
};

/* `present`: disk i is there where bit i is set. */
void truth_of(struct host *host, uint64_t present, struct truth *ret_truth);

/* Which system the machine starts: as above for somebody who leaves what starts none, a tool or a
 * loader without its system, and goes on to the next. */
void truth_of_system(struct host *host, uint64_t present, struct truth *ret_truth);

/* "starts", "fallback", "unsure", "fails". */
const char *truth_verdict_name(enum truth_verdict verdict);

/* True for the value of an entry that leads into firmware itself, or nowhere that a disk is: an
 * empty path, BBS, FvFile, network, vendor nodes. */
bool truth_is_firmwares_own(struct span value);

#endif
