/* The disk changes of a plan together: worked out, journaled and carried out with all volumes of
 * their disks let go of. */
#ifndef SHADOWBOOT_APPLY_DISK_BATCH_H
#define SHADOWBOOT_APPLY_DISK_BATCH_H

#include "apply/disk_work.h"
#include "plan/plan.h"

struct disk_batch {
    struct arena *arena;
    struct ports *ports;
    const struct plan *plan;
    struct disk_work *works; /* by action; meaningful for disk changes that were worked out */
    uint64_t bytes;          /* that all of them write */
    bool released;
    bool is_final;                /* what has waited is worked out */
    const struct action *refused; /* what of that could not be; else NULL */
    disk_work_progress *progress;
    void *progress_ctx;
    uint64_t done; /* by the works that are finished */
};

/*
 * Works out every disk change of the plan. What comes back on a disk to which the firmware itself writes with
 * variables that are taken back before is worked out when those are: till then nobody can say whether somebody
 * else has written there. `ports`, plan and arena must outlive it. `*ret_action`
 * is the action that failed, `ret_batch->works[*ret_action].where` what of it. Statuses: those of
 * disk_work_begin.
 */
MUST_CHECK enum status disk_batch_begin(struct arena *arena, struct ports *ports,
                                        const struct plan *plan, struct disk_batch *ret_batch,
                                        size_t *ret_action);

/* How many records the journal needs room for. */
size_t disk_batch_record_room(const struct disk_batch *batch);

/*
 * Lets go of all volumes on the disks that are written. Statuses: ST_OK, also when there are none;
 * ST_REFUSED and ST_IO of files_port.release, `*ret_disk` is the machine's number of the disk: what
 * was let go of before is renewed.
 */
MUST_CHECK enum status disk_batch_release(struct disk_batch *batch, size_t *ret_disk);

/* Carries out one of them; the progress is that of all together. Statuses: those of
 * disk_work_run; those of disk_work_begin, with nothing written. */
MUST_CHECK enum status disk_batch_run(struct disk_batch *batch, size_t action);

/* After release: the volumes of ports->files are those that are there now. Statuses: those of
 * files_port.renew. */
MUST_CHECK enum status disk_batch_renew(struct disk_batch *batch);

/*
 * Compares a machine that was scanned afterwards with what one change wanted: the file system is
 * there and sound, the files have their sizes and, where both are known, their contents; the
 * partition table is sound. Statuses: ST_OK; ST_CHANGED.
 */
MUST_CHECK enum status disk_batch_confirm(const struct plan *plan, size_t action,
                                          const struct machine *machine);

#endif
