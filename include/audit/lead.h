/*
 * Where a boot entry leads as the machine is now: the file it names, on the ESP where that is. What
 * one disk alone makes of it is followed in audit/forecast.h.
 */
#ifndef SHADOWBOOT_AUDIT_LEAD_H
#define SHADOWBOOT_AUDIT_LEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "audit/program.h"
#include "model/machine.h"

struct lead {
    const struct entry *entry; /* NULL: none does, this is the removable-media path */
    size_t esp;                /* index into machine.esps: a file system that can be read */
    struct program program;    /* what the file there is */
};

/*
 * Follows the entry, be it tried or not, to a file that is there: on the partition it names, by the
 * removable-media path where it names no file, or on the first fixed disk that has the file where
 * it names no disk. False when there is none, or on removable disks only: what is removable now
 * need not be there when it counts.
 */
bool lead_of(const struct machine *machine, const struct entry *entry, struct lead *ret_lead);

/* True when the entry starts a program that starts no system: a tester, an updater, a Shell. */
bool lead_is_tool(const struct machine *machine, const struct entry *entry);

/* The first entry that the boot manager tries and that leads to a file, tools left out. Where there
 * is none, the first removable-media path of a fixed disk that starts a program which is known and
 * no tool; without that, an entry whose path is not quite right. False when there is nothing. */
bool lead_first(const struct machine *machine, struct lead *ret_lead);

/* True when the ESP has a program that starts a system of its own: Windows' boot manager, or a
 * loader of other systems. The second names which. */
bool lead_esp_starts_windows(const struct esp *esp);
bool lead_esp_starts_other(const struct machine *machine, const struct esp *esp);

/* True for programs that start systems other than Windows. */
bool lead_is_other_loader(enum program_kind kind);

#endif
