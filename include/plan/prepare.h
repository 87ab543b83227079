/*
 * Making a disk ready to start the machine: partition table, ESP, file system, files. What KB
 * 814070 does with diskpart and format.
 */
#ifndef SHADOWBOOT_PLAN_PREPARE_H
#define SHADOWBOOT_PLAN_PREPARE_H

#include "audit/roles.h"
#include "base/date.h"
#include "base/guid.h"
#include "plan/boot_stores.h"
#include "plan/plan.h"

/* What hangs on the ESP that the disk has: while it is formatted the disk does not start. */
enum esp_use {
    ESP_UNUSED,   /* the disk does not start as it is, so nothing is lost */
    ESP_IN_USE,   /* it starts, and so does another: formatted with a warning */
    ESP_ONLY_ONE, /* nothing else starts: not formatted */
    ESP_KEPT,     /* it is to start as well as it does at every moment (I1): not formatted */
};

struct prepare_request {
    size_t disk;     /* index into machine.disks */
    bool has_source; /* ESP to take sizes and files from, else esp_files_source */
    struct guid source;
    bool mend_only; /* a healthy ESP gets only what it lacks or has in a bad state (esp_files_mend),
                     * not what the source has otherwise */
    enum esp_use use;
    bool files_only;            /* boot stores are left as they come, and boot entries */
    struct store_wishes stores; /* how a boot store that is made is to be */
    bool no_entries;            /* boot entries are left as they are */
    bool entries_last;          /* new ones go behind all others */
    bool allow_msr; /* the Microsoft reserved partition may be given up when there is no free space
                     */
    bool disk_in_name;    /* of new entries (plan/esp_entries.h) */
    struct date_time now; /* goes into new GUIDs; all zero when the clock is broken */
};

/*
 * Plans the disk changes for one disk; entries are not its business. In the sequence that keeps
 * every cut harmless: files and file system first, then the partition table that shows them. Sets
 * plan->formats and plan->gives_up_msr where the user has to agree.
 *
 *   blank disk                    GPT, ESP and MSR with sizes and alignment of the source's disk
 *   no ESP, free space            ESP of the source's size in it, or of what there is and the files
 *                                 need
 *   no ESP, no free space         in place of the MSR, when allowed and large enough
 *   ESP's boot sector damaged     written back from its backup where nothing else is wrong
 *   ESP damaged, unformatted      fresh file system, with what can still be read and the source has
 *                                 not; as request->use allows
 *   ESP healthy                   the files that differ, unless it is what the others go by and no
 *                                 source was named
 *   copy of the GPT damaged       mended from the good one (plan_mend_gpt), before all else; or by
 *                                 the same change that puts the ESP in, which is the last
 *
 * Free space is what no partition has, no LDM extent or database, inside the usable range.
 * `*ret_esp` is the unique GUID of the ESP that the disk has or will have. Statuses: ST_OK, without
 * actions when nothing is missing; else plan->refusal says why: ST_REFUSED (not blank and no GPT,
 * an ESP with another file system or one that cannot be judged, partitions that overlap,
 * both copies of the table damaged or different, a removable disk or the one the program was
 * started from, no agreement on the MSR, an ESP in use that cannot be spared), ST_READ_ONLY,
 * ST_ABSENT (no source), ST_NO_SPACE, ST_NO_MEMORY.
 */
MUST_CHECK enum status plan_prepare(struct plan *plan, const struct roles *roles,
                                    const struct prepare_request *request, struct guid *ret_esp);

/*
 * Plans to write both copies of the disk's GPT anew where one is damaged, not at the end of the
 * disk or without protective MBR. Statuses: ST_OK, without actions when both are fine; ST_REFUSED
 * with plan->refusal when no copy is good, or both are and differ; ST_NO_MEMORY.
 */
MUST_CHECK enum status plan_mend_gpt(struct plan *plan, size_t disk);

#endif
