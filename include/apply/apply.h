/*
 * Carries out a plan. Decides nothing: every action already says what must be there now and what is
 * to be there afterwards.
 *
 *   1. Everything that can be refused is refused: a disk or contents that changed since the scan, a
 *      full or read-only store, files that exist. Disk changes are worked out in blocks.
 *   2. The journal with the old contents is on the medium, and read back; it is on none of the
 *      disks that are changed. A plan that takes blocks back has one already: that gets its mark.
 *   3. The firmware's drivers let go of the disks that are changed.
 *   4. Each action: compare what is there with what has to be, write, read back, compare.
 *   5. If one fails, those before it are taken back, last first, and checked (I4); but blocks that
 *      were being taken back are only ever gone on with.
 *   6. The drivers work again, and the journal gets its mark.
 *
 * What the scan keeps of files in memory (model/contents.h) is written as it was read then: it is
 * what the plan means by a content. Where nothing is kept, a source has to have the digest that the
 * scan found, and list the same files before the first write and after the last read. Tables, FATs
 * and folders of what is changed are always read again, here and when the machine is scanned
 * afterwards; contents that were written and read back in step 4 are not, as long as the FAT says
 * that the file lies in just those blocks (apply_written_content).
 */
#ifndef SHADOWBOOT_APPLY_APPLY_H
#define SHADOWBOOT_APPLY_APPLY_H

#include "apply/disk_work.h"
#include "apply/journal_store.h"
#include "base/arena.h"
#include "base/status.h"
#include "plan/plan.h"
#include "port/ports.h"

/* Bytes that must stay free in the variable store: firmware with a full one may not start. */
#define STORE_MARGIN 5120u

/* A file that was written and read back, of a content that the scan knows. */
struct written_file {
    size_t port; /* of its disk, as struct disk has it */
    const struct disk_file *file;
    const struct file_content *content;
};

struct apply_result {
    size_t done; /* actions carried out, and not taken back */
    bool has_journal;
    struct journal_file journal;  /* when has_journal */
    uint64_t disk_bytes;          /* written to disks */
    struct written_file *written; /* on success: in the sequence of writing */
    size_t written_count;
    const char *problem; /* on failure: what, where, and in which state the machine is */
};

/* Told while disks are written. */
struct apply_watch {
    disk_work_progress *progress; /* NULL for none */
    void *ctx;
    const struct journal_file *undone; /* that the plan takes back; NULL for none */
};

/*
 * Applies the plan made by `command` (for the journal). After a disk was changed the volumes of
 * io_ports->files are others than before. Statuses: ST_OK; ST_CHANGED, ST_NO_SPACE, ST_READ_ONLY,
 * ST_EXISTS, ST_REFUSED, ST_UNSUPPORTED, ST_DAMAGED, ST_CANCELLED, ST_IO: nothing, or after step 5
 * nothing any more, is changed unless ret_result->problem says otherwise; ST_ABSENT when there is
 * no volume to keep the journal on, and ST_NO_MEMORY, both before anything is written.
 * `*ret_result` is always set.
 */
MUST_CHECK enum status apply_plan(struct arena *arena, struct ports *io_ports,
                                  const struct plan *plan, const char *command,
                                  const struct apply_watch *watch, struct apply_result *ret_result);

/* Step 1 alone: whether the plan could be carried out. Nothing is written. Statuses as
 * apply_plan. */
MUST_CHECK enum status apply_check(struct arena *arena, struct ports *ports,
                                   const struct plan *plan, struct apply_result *ret_result);

/*
 * True when applying the plan may have written to the file system of the ESP `esp` of its machine:
 * a change of the disk there, a new file, the journal. `volumes` are those that ports->files had
 * before, by the indexes of the machine.
 */
bool apply_may_have_written(const struct plan *plan, const struct file_volume *volumes,
                            const struct apply_result *result, size_t esp);

/* The content of a file that applying has written and read back, when it lies where that was
 * written on the disk ports->disks[port]; NULL for any other. */
const struct file_content *apply_written_content(const struct apply_result *result, size_t port,
                                                 struct fat_volume *volume,
                                                 const struct fat_file *file);

/*
 * Compares a machine scanned afterwards with what the plan wanted. Statuses: ST_OK; ST_CHANGED with
 * the number of the first action that is not so in `*ret_action`.
 */
MUST_CHECK enum status apply_confirm(const struct plan *plan, const struct machine *machine,
                                     size_t *ret_action);

#endif
