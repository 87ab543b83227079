#include "plan/free_space.h"

#include "base/sort.h"
#include "format/gpt_edit.h"

/* Runs of blocks that are taken, in any order. */
struct taken {
    struct free_area *runs;
    size_t count;
};

bool free_space_usable(const struct disk *disk, uint64_t *ret_first, uint64_t *ret_last)
{
    const struct gpt_copy *table = disk_good_table(disk);
    struct gpt_edit_request request = {
        .block_size = disk->block_size,
        .block_count = disk->block_count,
        .entry_count = GPT_ENTRIES_MIN,
        .entry_size = GPT_ENTRY_MIN_SIZE,
    };

    if (table != NULL) {
        request.entry_size = table->header.entry_size;
        if (table->header.entry_count > GPT_ENTRIES_MIN)
            request.entry_count = table->header.entry_count;
    }
    return gpt_edit_usable(&request, ret_first, ret_last);
}

/* --- What is taken -------------------------------------------------------------------------- */

static void take_run(struct taken *taken, uint64_t first_lba, uint64_t block_count)
{
    if (block_count > 0)
        taken->runs[taken->count++] = (struct free_area){first_lba, block_count};
}

/* The copies of the table as they lie now: on a disk that has grown the backup is in the middle,
 * and may be all there is until the new one is written. */
static void take_table(struct taken *taken, const struct disk *disk, const struct gpt_copy *copy)
{
    if (copy->problem != GPT_FINE)
        return;
    uint64_t bytes = gpt_array_bytes(&copy->header);
    take_run(taken, copy->lba, 1);
    take_run(taken, copy->header.entries_lba, (bytes + disk->block_size - 1) / disk->block_size);
}

static void take_used_runs(struct taken *taken, const struct machine *machine, size_t index)
{
    const struct disk *disk = &machine->disks[index];
    const struct volume_map *map = &machine->volumes;

    if (disk->style == DISK_GPT) {
        take_table(taken, disk, &disk->primary);
        take_table(taken, disk, &disk->backup);
    }
    for (size_t i = 0; i < disk->partition_count; i++) {
        const struct partition *own = &machine->partitions[disk->first_partition + i];
        take_run(taken, own->first_lba, own->block_count);
    }
    for (size_t i = 0; i < map->extent_count; i++) {
        if (map->extents[i].disk == index)
            take_run(taken, map->extents[i].lba, map->extents[i].blocks);
    }
    for (size_t i = 0; i < machine->copy_count; i++) {
        if (machine->copies[i].disk == index)
            take_run(taken, machine->copies[i].lba, machine->copies[i].block_count);
    }
    for (size_t i = 0; i < machine->claim_count; i++) {
        if (machine->claims[i].disk == index)
            take_run(taken, machine->claims[i].first_lba, machine->claims[i].block_count);
    }
}

static bool shares_blocks(uint64_t a_first, uint64_t a_count, uint64_t b_first, uint64_t b_count)
{
    if (a_count == 0 || b_count == 0)
        return false;
    return a_first < b_first ? b_first - a_first < a_count : a_first - b_first < b_count;
}

bool free_space_is_volume(const struct machine *machine, size_t disk, uint64_t first_lba,
                          uint64_t block_count)
{
    const struct volume_map *map = &machine->volumes;

    for (size_t i = 0; i < map->extent_count; i++) {
        const struct dynamic_extent *own = &map->extents[i];
        if (own->disk == disk && shares_blocks(first_lba, block_count, own->lba, own->blocks))
            return true;
    }
    for (size_t i = 0; i < machine->copy_count; i++) {
        const struct system_copy *own = &machine->copies[i];
        if (own->disk == disk && shares_blocks(first_lba, block_count, own->lba, own->block_count))
            return true;
    }
    return false;
}

/* --- What is left --------------------------------------------------------------------------- */

static int run_by_place(const void *ctx, size_t a, size_t b)
{
    const struct free_area *runs = ctx;

    if (runs[a].first_lba != runs[b].first_lba)
        return runs[a].first_lba < runs[b].first_lba ? -1 : 1;
    return 0;
}

/* Writes the areas between the taken runs, within [first, last]; `order` is by place. */
static size_t list_areas(const struct taken *taken, const size_t *order, uint64_t first,
                         uint64_t last, struct free_area *ret_areas)
{
    uint64_t next = first;
    size_t count = 0;

    for (size_t i = 0; i < taken->count && next <= last; i++) {
        const struct free_area *run = &taken->runs[order[i]];
        uint64_t until = run->first_lba > last ? last + 1 : run->first_lba;
        if (until > next)
            ret_areas[count++] = (struct free_area){next, until - next};
        uint64_t end = run->first_lba + run->block_count;
        if (end < run->first_lba) /* beyond all numbers: nothing is behind it */
            return count;
        next = end > next ? end : next;
    }
    if (next <= last)
        ret_areas[count++] = (struct free_area){next, last - next + 1};
    return count;
}

enum status free_space_find(struct arena *arena, const struct machine *machine, size_t disk,
                            struct free_space *ret_space)
{
    /* Header and array of two copies, and an area behind the last run. */
    size_t room = machine->disks[disk].partition_count + machine->volumes.extent_count +
                  machine->copy_count + machine->claim_count + 5;
    struct free_area *areas = arena_alloc(arena, room, sizeof(*areas));
    size_t mark = arena_mark(arena);
    struct taken taken = {.runs = arena_alloc(arena, room, sizeof(*taken.runs))};
    size_t *order = arena_alloc(arena, room, sizeof(*order));
    struct free_space space = {.areas = areas};
    uint64_t first = 0;
    uint64_t last = 0;

    if (areas == NULL || taken.runs == NULL || order == NULL)
        return ST_NO_MEMORY;
    if (free_space_usable(&machine->disks[disk], &first, &last)) {
        take_used_runs(&taken, machine, disk);
        sort_range(order, 0, taken.count, run_by_place, taken.runs);
        space.count = list_areas(&taken, order, first, last, areas);
    }
    arena_release(arena, mark);
    *ret_space = space;
    return ST_OK;
}

/* --- Choosing ------------------------------------------------------------------------------- */

/* The part of the area from the first multiple of `alignment` on; false when nothing is left. */
static bool align_start(const struct free_area *area, uint64_t alignment,
                        struct free_area *ret_area)
{
    uint64_t off = area->first_lba % alignment;
    uint64_t skip = off == 0 ? 0 : alignment - off;

    if (skip >= area->block_count)
        return false;
    *ret_area = (struct free_area){area->first_lba + skip, area->block_count - skip};
    return true;
}

bool free_space_best(const struct free_space *space, uint64_t blocks, uint64_t alignment,
                     struct free_area *ret_area)
{
    struct free_area best = {0, 0};

    for (size_t i = 0; i < space->count; i++) {
        struct free_area area;
        if (!align_start(&space->areas[i], alignment, &area) || area.block_count < blocks)
            continue;
        if (best.block_count == 0 || area.block_count < best.block_count)
            best = area;
    }
    if (best.block_count == 0)
        return false;
    *ret_area = (struct free_area){best.first_lba, blocks};
    return true;
}

bool free_space_largest(const struct free_space *space, uint64_t alignment,
                        struct free_area *ret_area)
{
    struct free_area largest = {0, 0};

    for (size_t i = 0; i < space->count; i++) {
        struct free_area area;
        if (!align_start(&space->areas[i], alignment, &area))
            continue;
        area.block_count -= area.block_count % alignment;
        if (area.block_count > largest.block_count)
            largest = area;
    }
    if (largest.block_count == 0)
        return false;
    *ret_area = largest;
    return true;
}
