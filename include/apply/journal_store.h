/*
 * Where journals are kept: \EFI\shadowboot\J0000001.SBJ and so on, on the volume the program was
 * started from, else on an ESP of a fixed disk that has room. A new number is higher than those on
 * all volumes that are there at the time, so a stick that was not may bring the same number once
 * more; on one volume the higher number is always the later change.
 */
#ifndef SHADOWBOOT_APPLY_JOURNAL_STORE_H
#define SHADOWBOOT_APPLY_JOURNAL_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "format/journal.h"
#include "model/boot_paths.h"
#include "model/machine.h"
#include "port/ports.h"

#define JOURNAL_DIRECTORY SHADOWBOOT_FOLDER

struct journal_file {
    uint32_t id;        /* 1 and up */
    size_t volume;      /* index into ports->files.volumes */
    const char *path;   /* on that volume */
    enum status status; /* ST_OK, or why `journal` is empty: ST_DAMAGED, ST_IO */
    struct journal journal;
};

struct journal_files {
    struct journal_file *items; /* by id, then by volume */
    size_t count;
};

/* All journals on all volumes. A file that cannot be read or is damaged is listed with its status.
 * Statuses: ST_OK; ST_NO_MEMORY. */
MUST_CHECK enum status journal_store_list(struct arena *arena, const struct files_port *files,
                                          struct journal_files *ret_files);

/*
 * Writes a new journal and reads it back. `*ret_file` has id, volume and path; its journal is the
 * one given. Statuses: ST_OK; ST_NO_SPACE, ST_READ_ONLY, ST_IO or ST_ABSENT when no volume takes it
 * (of the last one tried; ST_ABSENT when there is none to try); ST_NO_MEMORY.
 */
MUST_CHECK enum status journal_store_save(struct arena *arena, const struct files_port *files,
                                          const struct machine *machine,
                                          const struct journal *journal,
                                          struct journal_file *ret_file);

/* Appends the mark for `state` (JOURNAL_DONE or JOURNAL_UNDONE). Statuses: those of files.write. */
MUST_CHECK enum status journal_store_mark(const struct files_port *files,
                                          const struct journal_file *file,
                                          enum journal_state state);

#endif
