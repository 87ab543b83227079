/*
 * Where journals are kept: \EFI\shadowboot\J0000001.SBJ and so on, on the volume the program was
 * started from, else on an ESP of a fixed disk that has room, but never on a disk that the journal
 * is about. A new number is higher than those on all volumes that are there at the time, so a stick
 * that was not may bring the same number once more; on one volume the higher number is always the
 * later change.
 */
#ifndef SHADOWBOOT_APPLY_JOURNAL_STORE_H
#define SHADOWBOOT_APPLY_JOURNAL_STORE_H

#include <stdbool.h>
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
    uint32_t id;             /* 1 and up */
    size_t volume;           /* index into ports->files.volumes, until those are renewed */
    struct span volume_path; /* device path of that volume, by which it is found again */
    const char *path;        /* on that volume */
    uint64_t size;           /* bytes */
    enum status status;      /* ST_OK, or why `journal` is empty: ST_DAMAGED, ST_IO, or ST_NO_MEMORY
                              * for one that does not fit into memory */
    bool has_blocks;         /* it changes blocks of disks */
    struct journal journal;  /* listed: without disks and records */
};

struct journal_files {
    struct journal_file *items; /* by id, then by volume */
    size_t count;
};

/*
 * All journals on all volumes, in `arena`; of those with old content of disks only as much is kept
 * as the list tells. A file that cannot be read, is damaged or too large is listed with its status.
 * Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status journal_store_list(struct arena *arena, const struct files_port *files,
                                          struct journal_files *ret_files);

/* The same, but only journals without a mark: those of interrupted changes. Of the others no more
 * than their first and last bytes is read. */
MUST_CHECK enum status journal_store_list_interrupted(struct arena *arena,
                                                      const struct files_port *files,
                                                      struct journal_files *ret_files);

/*
 * Reads a journal that was listed with ST_OK in full. Statuses: ST_OK; ST_ABSENT when its volume or
 * the file is gone; ST_DAMAGED; ST_IO; ST_NO_MEMORY.
 */
MUST_CHECK enum status journal_store_load(struct arena *arena, const struct files_port *files,
                                          const struct journal_file *file,
                                          struct journal *ret_journal);

/*
 * True when `a` is of a later change than `b`. Of two volumes' journals the numbers say nothing
 * when one volume was away while the other got its own, so the date counts there, if both have one.
 */
bool journal_file_is_later(const struct journal_file *a, const struct journal_file *b);

/* Bytes that must be free on a volume that is to take the journal. */
uint64_t journal_store_needs(const struct journal *journal);

/*
 * Writes a new journal and reads it back. `*ret_file` has id, volume and path; its journal is the
 * one given. No volume on one of journal->disks takes it, and no member of an md array. Statuses:
 * ST_OK; when no volume takes it, the first of these that is true of one of them: ST_NO_SPACE
 * (journal_store_needs says how much it takes); ST_READ_ONLY; another status of files.write or
 * files.read; ST_REFUSED when the only volumes are such; ST_ABSENT when there is none to try.
 * ST_NO_MEMORY.
 */
MUST_CHECK enum status journal_store_save(struct arena *arena, const struct files_port *files,
                                          const struct machine *machine,
                                          const struct journal *journal,
                                          struct journal_file *ret_file);

/* The index of the volume that the journal is on, also after volumes were renewed; FILES_NO_VOLUME
 * when it is gone. */
size_t journal_store_volume(const struct files_port *files, const struct journal_file *file);

/* The name the user knows that volume by; "" when there is none. */
const char *journal_store_alias(const struct files_port *files, const struct journal_file *file);

/* Appends the mark for `state`, any but JOURNAL_PENDING. Statuses: those of files.write; ST_ABSENT
 * when the volume is gone. */
MUST_CHECK enum status journal_store_mark(const struct files_port *files,
                                          const struct journal_file *file,
                                          enum journal_state state);

#endif
