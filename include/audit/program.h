/*
 * What a program on an ESP is: a boot manager of a known system, something that is started by
 * another program, or a tool that starts no system at all.
 */
#ifndef SHADOWBOOT_AUDIT_PROGRAM_H
#define SHADOWBOOT_AUDIT_PROGRAM_H

#include <stddef.h>

#include "base/arena.h"
#include "base/status.h"
#include "model/machine.h"

enum program_kind {
    PROGRAM_UNKNOWN,       /* nothing tells what it starts */
    PROGRAM_WINDOWS,       /* Windows' boot manager, under its own name or as a copy */
    PROGRAM_SHIM,          /* starts a second stage beside it */
    PROGRAM_SHIM_FALLBACK, /* fb<arch>.efi: makes entries from BOOT<ARCH>.CSV */
    PROGRAM_LOADER,        /* starts a system by itself: GRUB, systemd-boot, a kernel ... */
    PROGRAM_TOOL,          /* starts no system: memory testers, diagnostics, updaters, Shells */
};

struct program {
    enum program_kind kind;
    const char *name; /* what people call it: "GRUB"; "" for PROGRAM_UNKNOWN; static lifetime */
};

/* What the file (index into the ESP's report) is, by its place, its name and its content. */
struct program program_of(const struct machine *machine, const struct esp *esp, size_t file);

/* A file of an ESP that a boot entry can be made for. */
struct loader {
    size_t file;             /* index into the ESP's report */
    const char *description; /* for the entry: "Windows Boot Manager", "debian", ... */
    const char *optional;    /* load options as text, NULL for none */
};

struct loaders {
    const struct loader *items; /* best first */
    size_t count;
};

/*
 * The programs of the ESP that start a system, one for each system: of shim and the GRUB beside it
 * only shim. Copies under the removable-media path count only where nothing else is there. The
 * result lies in the arena. Statuses: ST_OK, with none when there are none; ST_NO_MEMORY.
 */
MUST_CHECK enum status program_loaders(struct arena *arena, const struct machine *machine,
                                       const struct esp *esp, struct loaders *ret_loaders);

#endif
