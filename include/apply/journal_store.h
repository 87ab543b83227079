/*
 * Where journals are kept: \EFI\shadowboot\J0000001.SBJ and so on, on the volume the program was
 * started from, else on an ESP of a fixed disk that has room, but never on a disk that the journal
 * is about. A new number is higher than those on all volumes that are there at the time, so a stick
 * that was not may bring the same number once more; on one volume the higher number is always the
 * later change.
 *
 * Where no volume takes it, as on a machine with one disk left and no stick, the firmware's variable
 * JOURNAL_VARIABLE_NAME does, if it is small enough: old blocks are told there by what differs from the new
 * ones (journal_build_small). What a boot store is changed by in place takes half a KiB, the program's
 * own files on two ESPs one and a half. That is as safe as a file on another disk, for the same
 * reasons and one more:
 *   - the firmware's store is no disk: one that fails, is torn or reorders its writes does nothing to
 *     it, and writing to it changes nothing on a disk;
 *   - firmware replaces a variable as a whole or not at all (UEFI Specification 8.2.6 and the fault
 *     tolerant write of its stores), and it is in the store when SetVariable returns: it is read back,
 *     and only then the first block is written. So a cut before that has begun nothing;
 *   - a block is brought back only where its digest says that it is the change's or the old one, and
 *     what is made of it has the digest of the old one.
 * There is one such journal: the next takes its place, unless it is of an interrupted change. Of the
 * store so much stays free as with any other change (STORE_MARGIN). Firmware that keeps its variables
 * in a file on an ESP (U-Boot) writes that file with each of them, as it does with a boot entry.
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

#define JOURNAL_VARIABLE_NAME \
    "ShadowbootJournal"             /* of VAR_OWN_VENDOR: its number (4), then as a file */
#define JOURNAL_VARIABLE_MOST 4096u /* bytes */

struct journal_file {
    uint32_t id;      /* 1 and up */
    bool in_variable; /* in JOURNAL_VARIABLE_NAME, which is its path; then without a volume */
    size_t volume;    /* index into ports->files.volumes, until those are renewed */
    struct span volume_path; /* device path of that volume, by which it is found again */
    const char *path;        /* on that volume */
    uint64_t size;           /* bytes */
    enum status status;      /* ST_OK, or why `journal` is empty: ST_DAMAGED, ST_UNSUPPORTED
                              * (journal_read), ST_IO, or ST_NO_MEMORY for one that does not fit
                              * into memory */
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
MUST_CHECK enum status journal_store_list(struct arena *arena, const struct ports *ports,
                                          struct journal_files *ret_files);

/* The same, but only those of interrupted changes, and of such that were being taken back. Of other
 * files no more than their first and last bytes is read. */
MUST_CHECK enum status journal_store_list_interrupted(struct arena *arena,
                                                      const struct ports *ports,
                                                      struct journal_files *ret_files);

typedef void journal_store_visitor(void *ctx, const struct journal *journal);

/* Shows each journal whose change stands, or was interrupted, and that undo takes back; as
 * journal_read_heads reads it. Takes no memory for good. Statuses: ST_OK; ST_NO_MEMORY. */
MUST_CHECK enum status journal_store_visit(struct arena *arena, const struct ports *ports,
                                           journal_store_visitor *visitor, void *visitor_ctx);

/*
 * Reads a journal that was listed with ST_OK; old content of blocks is read where it lies when it is asked for
 * (journal_old), so ports and the file must outlive it. Statuses: ST_OK; ST_ABSENT when its volume or
 * the file is gone; ST_DAMAGED; ST_IO; ST_NO_MEMORY.
 */
MUST_CHECK enum status journal_store_load(struct arena *arena, const struct ports *ports,
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
 * one given. No volume on one of journal->disks takes it, no member of an md array, and no ESP of a
 * fixed disk whose file system is damaged in a way that fat_edit refuses, too (ST_DAMAGED). Statuses:
 * ST_OK; when neither a volume nor the variable takes it, the first of these that is true of a volume:
 * ST_NO_SPACE
 * (journal_store_needs says how much it takes); ST_READ_ONLY; another status of files.write or
 * files.read; ST_REFUSED when the only volumes are such; ST_ABSENT when there is none to try.
 * ST_NO_MEMORY.
 */
MUST_CHECK enum status journal_store_save(struct arena *arena, const struct ports *ports,
                                          const struct machine *machine,
                                          const struct journal *journal,
                                          struct journal_file *ret_file);

/* The index of the volume that the journal is on, also after volumes were renewed; FILES_NO_VOLUME
 * when it is gone, and for one in the variable. */
size_t journal_store_volume(const struct ports *ports, const struct journal_file *file);

/* The name the user knows that volume by; "" when there is none; "NVRAM:" for the variable. */
const char *journal_store_alias(const struct ports *ports, const struct journal_file *file);

/* Appends the mark for `state`, any but JOURNAL_PENDING; JOURNAL_UNDONE deletes the variable, of which
 * nothing is needed any more. Statuses: those of files.write or vars.set; ST_ABSENT when the volume or
 * the variable is gone. */
MUST_CHECK enum status journal_store_mark(const struct ports *ports,
                                          const struct journal_file *file,
                                          enum journal_state state);

#endif
