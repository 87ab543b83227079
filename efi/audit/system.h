/*
 * Which system this machine starts, of all that are on its disks: a mirrored volume of dynamic
 * disks, a Linux md mirror, a plain volume with Windows, or one that nobody can look into.
 *
 * It is what whoever looks after the machine calls its system: what comes up when it is switched
 * on, mirrored or not.
 *
 * What decides, in this sequence: the kind of program that the boot entries lead to now (Windows'
 * boot manager starts no md array) or, where they lead nowhere, the removable-media path does; the
 * disk that entries lead to; and what speaks for each system by itself. A data mirror is none: a
 * volume that was looked into and carries no Windows, an md array that bears an ESP.
 */
#ifndef SHADOWBOOT_AUDIT_SYSTEM_H
#define SHADOWBOOT_AUDIT_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>

#include "audit/lead.h"
#include "audit/roles.h"
#include "model/machine.h"

struct boot_system {
    enum boot_kind kind; /* BOOT_NONE: none that could be looked into */
    size_t index;        /* BOOT_LDM: of the volume; BOOT_MD: of one of its parts in md_members;
                          * BOOT_PLAIN: of its copy; else NO_INDEX */
    size_t disk;         /* BOOT_NONE: that it is on, as far as can be told; else NO_INDEX */
    bool windows;        /* it is Windows, as far as can be told */
};

/* The system. `lead`: where the entries lead now, NULL when they lead nowhere. */
struct boot_system system_find(const struct machine *machine, const struct lead *lead);

/*
 * True when the disk has something else in the place of the system, which nothing mirrors that can
 * be seen: another Windows, a mirror of Linux, or no partition that could hold it.
 */
bool system_is_not_on(const struct machine *machine, const struct boot_system *system, size_t disk);

/* True when the disk, which is no member, may have a system of another maker than Microsoft: on a
 * partition that nobody can look into, or as a part of another mirror of Linux. */
bool system_may_be_another_on(const struct machine *machine, size_t disk);

/* True when the copy is a plain volume with the same file system as `copy`: a raw copy of it. */
bool system_copies_equal(const struct machine *machine, size_t copy, size_t other);

#endif
