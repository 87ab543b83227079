/*
 * What a program on an ESP is: a boot manager of a known system, something that is started by
 * another program, or a tool that starts no system at all.
 */
#ifndef SHADOWBOOT_AUDIT_PROGRAM_H
#define SHADOWBOOT_AUDIT_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/bytes.h"
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

/* The systems that a PROGRAM_LOADER is there for. */
enum program_system {
    PROGRAM_ANY_SYSTEM, /* whichever its settings name: GRUB, rEFInd ... */
    PROGRAM_LINUX,
    PROGRAM_OTHER_SYSTEM, /* FreeBSD, ESXi ... */
};

struct program {
    enum program_kind kind;
    const char *name; /* what people call it: "GRUB", "a memory tester"; "" for PROGRAM_UNKNOWN;
                       * static lifetime */
    enum program_system system;
    bool is_own; /* this program, which gives way to the next entry when it starts nothing */
};

/*
 * What the file (index into the ESP's report) is, by its content (the marks that programs carry,
 * and equality with a file whose place tells), its place and its name.
 */
struct program program_of(const struct machine *machine, const struct esp *esp, size_t file);

/* What a path on an ESP tells by itself of the program there, be it there or not. */
struct program program_at(const char *path);

/* What a mark inside a program tells; PROGRAM_UNKNOWN for PE_MARK_NONE. */
struct program program_by_mark(enum pe_mark mark);

/* The name of the folder below \EFI that the file is in, as in \EFI\debian\grubx64.efi; of `path`.
 * Empty, with no bytes, for a file that lies elsewhere or deeper. */
struct span program_folder(const char *path);

/* The file `name` in the folder of `path`; FAT_NO_FILE when there is none. */
size_t program_beside(const struct esp *esp, const char *path, const char *name);

/*
 * True when the file with a wrong checksum is not what it was: a file of its size is sound under
 * the same path of another ESP, or where a copy lies (Windows puts one of its boot manager under
 * the removable-media path), and has another content. Else the checksum alone may be stale.
 */
bool program_is_changed(const struct machine *machine, const struct esp *esp, size_t file);

/* What shim at `path` starts unless it is told otherwise: GRUB in the same folder; FAT_NO_FILE when
 * it is not there. */
size_t program_second_stage(const struct machine *machine, const struct esp *esp, const char *path);

/* True for shim with neither its fallback nor a second stage beside it: it starts nothing. */
bool program_is_bare_shim(const struct machine *machine, const struct esp *esp, const char *path);

/* A line of a list of entries for shim's fallback (UEFI shim, README.fallback). */
struct program_csv_line {
    const char *file;  /* beside the list */
    const char *label; /* of the entry */
};

/*
 * The next line that is not empty of the UCS-2 `*io_text`, which then begins behind it. False at
 * the end, and when there is no memory. The texts lie in the arena, and are "" where the line ends
 * before them.
 */
bool program_csv_next(struct arena *arena, struct span *io_text, struct program_csv_line *ret_line);

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
 * The sound programs of the ESP that start a system, one for each system: of shim and the GRUB
 * beside it only shim. Also what an entry of this machine names, on whatever ESP, as long as it is
 * no tool. Copies under the removable-media path count only where nothing else is there. The result
 * lies in the arena. Statuses: ST_OK, with none when there are none; ST_NO_MEMORY.
 */
MUST_CHECK enum status program_loaders(struct arena *arena, const struct machine *machine,
                                       const struct esp *esp, struct loaders *ret_loaders);

/* The first one of them, those under the removable-media path left out; FAT_NO_FILE when there is
 * none. */
size_t program_main_loader(const struct machine *machine, const struct esp *esp);

#endif
