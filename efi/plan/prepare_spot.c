#include "prepare_parts.h"

#include "base/print.h"
#include "plan/fresh_fat.h"
#include "plan/owner_guard.h"

#define ALIGN_MOST (16u * MIB) /* more than this is chance, not intention */

/* --- One area --------------------------------------------------------------------------------- */

static struct fresh_fat fresh_in(const struct prepare *prepare, const struct free_area *area,
                                 const struct files_change *files)
{
    return (struct fresh_fat){
        .first_lba = area->first_lba,
        .block_count = area->block_count,
        .block_size = prepare->on->block_size,
        .label = prepare->label,
        .files = files,
    };
}

/* Whether all files fit there, and leave an eighth of the room at least: what the system is not
 * started by is not worth a full ESP. */
static enum status all_fit(const struct prepare *prepare, const struct free_area *area,
                           bool *ret_fit)
{
    struct fresh_fat fresh = fresh_in(prepare, area, &prepare->all);
    uint64_t needed = 0;
    uint64_t available = 0;
    enum fat_type type;

    enum status status = fresh_fat_fits(prepare->plan->arena, &fresh, &type);
    *ret_fit = false;
    if (status == ST_OK)
        status = fresh_fat_bytes(prepare->plan->arena, &fresh, &needed, &available);
    if (status == ST_OK)
        *ret_fit = needed <= available - available / 8;
    return status == ST_NO_MEMORY ? status : ST_OK;
}

enum status prepare_try_area(struct prepare *prepare, const struct free_area *area,
                             struct spot *ret_spot)
{
    struct spot spot = {.area = *area};
    bool all = true;
    enum status status = ST_OK;

    if (prepare->all.count > prepare->files.count)
        status = all_fit(prepare, area, &all);
    if (status != ST_OK)
        return status;
    spot.files = all ? prepare->all : prepare->files;
    struct fresh_fat fresh = fresh_in(prepare, area, &spot.files);
    status = fresh_fat_fits(prepare->plan->arena, &fresh, &spot.type);
    if (status == ST_OK)
        *ret_spot = spot;
    return status;
}

bool prepare_spare_more(struct prepare *prepare)
{
    if (prepare->spare + 1 == SPARE_COUNT)
        return false;
    prepare->spare++;
    return esp_spare(prepare->plan, &prepare->whole, prepare->spare, &prepare->files) == ST_OK;
}

enum status prepare_refuse_area(struct prepare *prepare, enum status status,
                                const struct free_area *area, const char *where, const char *more)
{
    struct plan *plan = prepare->plan;
    struct fresh_fat fresh = fresh_in(prepare, area, &prepare->files);
    char need_text[THOUSANDS_SIZE];
    char have_text[THOUSANDS_SIZE];
    uint64_t needed = 0;
    uint64_t available = 0;

    if (status == ST_NO_MEMORY || where == NULL)
        return ST_NO_MEMORY;
    if (status != ST_NO_SPACE)
        return plan_refuse(plan, ST_REFUSED,
                           "No FAT file system with these files can be made in %s: %s.", where,
                           status_text(status));
    status = fresh_fat_bytes(plan->arena, &fresh, &needed, &available);
    if (status == ST_NO_MEMORY)
        return status;
    return plan_refuse(
        plan, ST_NO_SPACE, "The files take %s bytes, and a file system in %s has room for %s.%s",
        format_thousands(needed, need_text), where, format_thousands(available, have_text), more);
}

/* --- The best of all -------------------------------------------------------------------------- */

/* The boundary, in bytes, that the source begins at, within reason. */
static uint64_t source_alignment(const struct prepare *prepare)
{
    uint64_t offset = partition_offset(prepare->machine, prepare_source_partition(prepare));
    uint64_t alignment = MIB;

    if (!prepare_source_is_esp(prepare))
        return alignment;
    while (alignment < ALIGN_MOST && offset != 0 && offset % (alignment * 2) == 0)
        alignment *= 2;
    return alignment;
}

/* Tries the smallest area for so many blocks, on the source's alignment and on coarser terms. */
static enum status try_best(struct prepare *prepare, const struct free_space *space,
                            uint64_t blocks, struct spot *ret_spot)
{
    const uint64_t alignments[] = {source_alignment(prepare), MIB, ALIGN_LEAST};
    struct free_area area;

    for (size_t i = 0; i < sizeof(alignments) / sizeof(alignments[0]); i++) {
        if (free_space_best(space, blocks, prepare_blocks_of(prepare, alignments[i]), &area))
            return prepare_try_area(prepare, &area, ret_spot);
    }
    return ST_NO_SPACE;
}

/* As large as the source is, or as Windows' setup makes one: the least for FAT32 on disks of
 * 4096-byte blocks is more than on others. */
static uint64_t wanted_bytes(const struct prepare *prepare)
{
    if (prepare_source_is_esp(prepare))
        return partition_bytes(prepare->machine, prepare_source_partition(prepare));
    return prepare->on->block_size == 4096 ? 260u * MIB : 100u * MIB;
}

static enum status find_spot(struct prepare *prepare, const struct free_space *space,
                             struct spot *ret_spot, struct free_area *ret_largest)
{
    uint64_t bytes = wanted_bytes(prepare);
    uint64_t blocks =
        prepare_blocks_of(prepare, (bytes + ALIGN_LEAST - 1) / ALIGN_LEAST * ALIGN_LEAST);
    const uint64_t alignments[] = {MIB, ALIGN_LEAST};
    enum status status = ST_NO_SPACE;

    *ret_largest = (struct free_area){0, 0};
    for (unsigned times = 1; status == ST_NO_SPACE && times <= 2; times++)
        status = try_best(prepare, space, blocks * times, ret_spot);
    for (size_t i = 0; status == ST_NO_SPACE && i < 2; i++) {
        bool any =
            free_space_largest(space, prepare_blocks_of(prepare, alignments[i]), ret_largest);
        if (any && ret_largest->block_count < blocks)
            status = prepare_try_area(prepare, ret_largest, ret_spot);
    }
    return status;
}

enum status prepare_find_spot(struct prepare *prepare, const struct free_space *space,
                              struct spot *ret_spot, struct free_area *ret_largest)
{
    enum status status = ST_NO_SPACE;

    do {
        status = find_spot(prepare, space, ret_spot, ret_largest);
    } while (status == ST_NO_SPACE && prepare_spare_more(prepare));
    return status;
}

enum status prepare_refuse_space(struct prepare *prepare, const struct free_area *largest,
                                 const char *more)
{
    struct plan *plan = prepare->plan;
    const char *claims = owner_guard_claims(plan, prepare->disk);

    more = claims == NULL ? NULL : arena_printf(plan->arena, "%s%s", more, claims);
    if (more == NULL)
        return ST_NO_MEMORY;
    if (largest->block_count == 0)
        return plan_refuse(plan, ST_NO_SPACE,
                           "Disk %zu has no free space for an EFI system partition.%s",
                           prepare->disk, more);
    return prepare_refuse_area(
        prepare, ST_NO_SPACE, largest,
        arena_printf(plan->arena, "the largest free area of Disk %zu", prepare->disk), more);
}
