/*
 * Who is who on this machine: the boot volume, the disks that carry a copy of it (the members of
 * the mirror), and which of them is primary and which shadow.
 *
 * The boot volume is that of the system which the entries start now (audit/system.h). Where nobody
 * can look into that, the members are the fixed disks whose ESPs boot entries use or programs are
 * on; without any ESP, those that are started by their MBR.
 */
#ifndef SHADOWBOOT_AUDIT_ROLES_H
#define SHADOWBOOT_AUDIT_ROLES_H

#include "base/arena.h"
#include "base/status.h"
#include "model/machine.h"

enum boot_kind {
    BOOT_NONE,  /* no boot volume was found */
    BOOT_LDM,   /* a volume on dynamic disks */
    BOOT_MD,    /* a Linux md array */
    BOOT_PLAIN, /* a volume that nothing mirrors, or whose mirror cannot be seen from here */
};

struct member {
    size_t disk;
    size_t esp;  /* index into machine.esps of the ESP that counts, NO_INDEX when there is none */
    size_t copy; /* index into machine.copies of its copy of the boot volume, or NO_INDEX */
    size_t md;   /* index into machine.md_members of its part of the md array, or NO_INDEX */
};

struct roles {
    enum boot_kind kind;
    size_t volume;          /* BOOT_LDM: index into machine.volumes.volumes */
    const char *name;       /* what people call the boot volume, "" when there is none */
    struct member *members; /* by disk */
    size_t member_count;
    bool raid;        /* the members are disks of one RAID of whole disks: it is the mirror */
    size_t missing;   /* disks that ought to carry a copy and are not here */
    size_t primary;   /* index into members: the one that the boot entries lead to; where they lead
                       * to none, the first with a loader on its ESP, with an ESP, or at all.
                       * NO_INDEX without members only */
    size_t shadow;    /* the first other member, or NO_INDEX */
    size_t start_esp; /* index into machine.esps of the ESP that the entries start the system from
                       * now: a member's, or one on a disk that has room for no system of its own.
                       * NO_INDEX without any */
    bool windows;     /* the system is Windows, as far as can be told */
};

/* Statuses: ST_OK, whatever was found; ST_NO_MEMORY. */
MUST_CHECK enum status roles_find(struct arena *arena, const struct machine *machine,
                                  struct roles *ret_roles);

/* True when the member's part of the md array is in use and as new as any. */
bool roles_md_is_current(const struct machine *machine, const struct md_member *member);

/* The member on that disk, NO_INDEX when it is none. */
size_t roles_member_on(const struct roles *roles, size_t disk);

/* The ESP of the disk that counts: the one that entries start from now, that one names, or that has
 * a system's own loader; else the first. NO_INDEX without any. */
size_t roles_esp_of(const struct machine *machine, size_t disk);

#endif
