/*
 * Parts of plan_prepare (plan/prepare.h): what it works with, where files come from, and a fresh
 * file system in its place.
 */
#ifndef SHADOWBOOT_PLAN_PREPARE_PARTS_H
#define SHADOWBOOT_PLAN_PREPARE_PARTS_H

#include "esp_spare.h"
#include "format/fat/fat.h"
#include "plan/free_space.h"
#include "plan/new_guid.h"
#include "plan/prepare.h"

#define MIB         (1u << 20)
#define ALIGN_LEAST 4096u /* a block of any disk that FAT is made on */

struct prepare {
    struct plan *plan;
    const struct machine *machine;
    const struct roles *roles;
    const struct prepare_request *request;
    size_t disk;
    const struct disk *on;
    size_t source; /* index into machine.esps */
    size_t old;    /* ESP that the fresh file system takes the place of; NO_INDEX for none */
    struct files_change files; /* what the machine is started by, and what `old` has besides */
    struct files_change whole; /* `files` before something was left out of them (esp_spare.h) */
    enum spare spare;
    struct files_change all; /* with what else the source has, which comes along where it fits */
    const char *label;
    struct identity identity;
};

/* A place for a fresh file system. */
struct spot {
    struct free_area area;
    enum fat_type type;
    struct files_change files; /* that it is to hold */
};

/* The partition of the source; there is one. */
const struct partition *prepare_source_partition(const struct prepare *prepare);

/* True when files come from another ESP, not from what a copy of Windows keeps for one. */
bool prepare_source_is_esp(const struct prepare *prepare);

/* Bytes of so many blocks of the disk, and blocks that so many bytes take. */
uint64_t prepare_bytes_of(const struct prepare *prepare, uint64_t blocks);
uint64_t prepare_blocks_of(const struct prepare *prepare, uint64_t bytes);

/* The number people will see for a partition there: by place among those that are there now. */
unsigned prepare_future_number(const struct prepare *prepare, uint64_t first_lba);

/* "3 files, 1.2 MiB" with ", " between and "" behind; NULL when the arena is full. */
const char *prepare_amount_text(struct plan *plan, const struct files_change *files,
                                const char *between, const char *behind);

/* The ESP named with the request, or the best there is; prepare->source stays NO_INDEX when nobody
 * named one and there is none. Statuses: ST_OK; ST_ABSENT, ST_REFUSED with plan->refusal. */
MUST_CHECK enum status prepare_find_source(struct prepare *prepare);
enum status prepare_refuse_without_source(struct prepare *prepare);

/* Everything a fresh file system takes from elsewhere: source, files, label, identity. `old` as
 * prepare->old. Statuses: ST_OK; those of prepare_find_source; ST_NO_MEMORY. */
MUST_CHECK enum status prepare_gather(struct prepare *prepare, size_t old);

/* Whether the gathered files fit there. Statuses as fresh_fat_fits. */
MUST_CHECK enum status prepare_try_area(struct prepare *prepare, const struct free_area *area,
                                        struct spot *ret_spot);

/* Leaves more out of the files that Windows starts without; false when there is no more. */
bool prepare_spare_more(struct prepare *prepare);

/* Refuses because of what prepare_try_area said of an area. `where` is "Disk 1 Partition 2 ..." or
 * a free area; `more` a sentence that follows, "" for none. Gives the status for the caller to
 * return: ST_NO_SPACE, ST_REFUSED or ST_NO_MEMORY. */
enum status prepare_refuse_area(struct prepare *prepare, enum status status,
                                const struct free_area *area, const char *where, const char *more);

/* The source's size if there is room for it, or twice that if the files need it on this disk; else
 * the largest area that the files fit in. `*ret_largest` has no blocks when nothing is free.
 * Statuses as prepare_try_area; ST_NO_SPACE when there is no such area. */
MUST_CHECK enum status prepare_find_spot(struct prepare *prepare, const struct free_space *space,
                                         struct spot *ret_spot, struct free_area *ret_largest);

/* Refuses because no spot was found; `more` as in prepare_refuse_area. Gives the status for the
 * caller to return: ST_NO_SPACE or ST_NO_MEMORY. */
enum status prepare_refuse_space(struct prepare *prepare, const struct free_area *largest,
                                 const char *more);

/* Refuses a disk that this program keeps its hands off, whatever is on it; the one that it was started from, unless
 * `files_only` of an ESP that is whole are to change, with which it goes on. Statuses: ST_OK; ST_ABSENT,
 * ST_READ_ONLY, ST_REFUSED with plan->refusal. */
MUST_CHECK enum status prepare_check_disk(struct plan *plan, size_t disk, bool files_only);

/* The three kinds of disks: a blank one gets a table, one without an ESP gets that, and one that has
 * it has it mended. `*ret_esp` is the GUID of the ESP's partition. Statuses: those of
 * plan_prepare. */
MUST_CHECK enum status prepare_blank(struct prepare *prepare, struct guid *ret_esp);
MUST_CHECK enum status prepare_new_esp(struct prepare *prepare, struct guid *ret_esp);
MUST_CHECK enum status prepare_esp(struct prepare *prepare, size_t esp, struct guid *ret_esp);

/* Adds the format. It goes into its blocks before the table shows them: until then nobody sees it.
 * `unique` is the partition's GUID. */
void prepare_add_format(struct prepare *prepare, const struct spot *spot,
                        const struct guid *unique);

#endif
