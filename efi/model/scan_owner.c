#include "model/scan_owner.h"

#include "format/gpt_edit.h"

#define CHUNK_BYTES     (256u * 1024)
#define GAP_LEAST       (1u << 20)   /* bytes of a gap in which an ESP can be made */
#define NEIGHBOUR_BYTES (32u * 1024) /* between places that are read at once */

/* Ends of an area that are looked at. */
#define AT_START 1u
#define AT_END   2u
#define IN_GAP   4u /* only what is worth reading for every gap */

/* Blocks of a disk in which marks are looked for as if they were a disk by themselves. */
struct area {
    const struct block_port *port;
    uint64_t first_lba;
    uint64_t block_count;
};

/* --- Zeros ----------------------------------------------------------------------------------- */

/* True when the blocks can be read and are zero. */
static bool are_zero(const struct block_port *port, uint64_t lba, uint64_t count, uint8_t *buffer)
{
    uint64_t most = CHUNK_BYTES / port->block_size;

    while (count > 0) {
        uint32_t part = (uint32_t)(count < most ? count : most);
        if (port->read(port->ctx, lba, part, buffer) != ST_OK ||
            !span_is_zero(span_of(buffer, (size_t)part * port->block_size)))
            return false;
        lba += part;
        count -= part;
    }
    return true;
}

/* --- Marks ----------------------------------------------------------------------------------- */

/* Blocks of an area, from its start on. */
struct blocks {
    uint64_t first;
    uint64_t count;
};

/* False for a place that does not lie in the area. */
static bool blocks_of_place(const struct area *area, const struct owner_place *place,
                            struct blocks *ret_blocks)
{
    uint32_t block_size = area->port->block_size;
    uint64_t bytes = area->block_count * block_size;
    uint64_t start = place->distance;

    if (place->distance > bytes || (!place->from_end && place->distance == bytes))
        return false;
    if (place->from_end)
        start = bytes - place->distance;
    uint64_t end = bytes - start < place->bytes ? bytes : start + place->bytes;
    uint64_t first = start / block_size;
    *ret_blocks = (struct blocks){first, (end + block_size - 1) / block_size - first};
    return true;
}

/* Inserts into a list that is sorted by the first block. */
static void insert_blocks(struct blocks *list, size_t *io_count, struct blocks blocks)
{
    size_t at = (*io_count)++;

    for (; at > 0 && list[at - 1].first > blocks.first; at--)
        list[at] = list[at - 1];
    list[at] = blocks;
}

/* The places that are asked for, in the order of the disk. */
static size_t wanted_blocks(const struct area *area, unsigned ends, struct blocks *ret_list)
{
    struct owner_place places[OWNER_PLACES_MAX];
    size_t place_count = owner_places(area->block_count * area->port->block_size, places);
    size_t count = 0;

    for (size_t i = 0; i < place_count; i++) {
        unsigned end = places[i].from_end ? AT_END : AT_START;
        struct blocks blocks;
        if ((ends & end) != 0 && (!places[i].disks_only || (ends & IN_GAP) == 0) &&
            blocks_of_place(area, &places[i], &blocks))
            insert_blocks(ret_list, &count, blocks);
    }
    return count;
}

/* How many of the list lie so near to each other that they are read at once; `*ret_end` is the block
 * behind them. */
static size_t count_neighbours(const struct area *area, const struct blocks *list, size_t count,
                               uint64_t *ret_end)
{
    uint64_t near = NEIGHBOUR_BYTES / area->port->block_size;
    uint64_t end = list[0].first + list[0].count;
    size_t used = 1;

    for (; used < count && list[used].first <= end + near; used++) {
        uint64_t own = list[used].first + list[used].count;
        end = own > end ? own : end;
    }
    *ret_end = end;
    return used;
}

/* Reads those of one list that are neighbours at once, and one by one where that cannot be read.
 * What cannot be read at all says nothing. */
static enum status read_neighbours(struct arena *arena, const struct area *area,
                                   const struct blocks *list, size_t count, uint64_t end,
                                   struct owner_piece *pieces, size_t *io_count)
{
    const struct block_port *port = area->port;
    uint64_t first = list[0].first;
    uint8_t *at = arena_alloc(arena, (size_t)(end - first), port->block_size);
    enum status status = ST_OK;

    if (at == NULL)
        return ST_NO_MEMORY;
    bool good =
        port->read(port->ctx, area->first_lba + first, (uint32_t)(end - first), at) == ST_OK;
    for (size_t i = 0; i < count && status == ST_OK; i++) {
        struct blocks own = list[i];
        if (!good && count > 1)
            status = read_neighbours(arena, area, &own, 1, own.first + own.count, pieces, io_count);
        if (good)
            pieces[(*io_count)++] = (struct owner_piece){
                own.first * port->block_size,
                span_of(at + (own.first - first) * port->block_size, own.count * port->block_size)};
    }
    return status;
}

/* Looks at the ends of an area; the mark counts from the start of the area. */
static enum status find_mark(struct arena *arena, const struct area *area, unsigned ends,
                             owner_accept *accept, const void *ctx, struct owner_mark *ret_mark)
{
    struct owner_piece pieces[OWNER_PLACES_MAX];
    struct blocks list[OWNER_PLACES_MAX];
    struct owner_view view = {area->block_count * area->port->block_size, pieces, 0};
    size_t mark = arena_mark(arena);
    size_t count = wanted_blocks(area, ends, list);
    enum status status = ST_OK;

    for (size_t i = 0; i < count && status == ST_OK;) {
        uint64_t end = 0;
        size_t used = count_neighbours(area, list + i, count - i, &end);
        status = read_neighbours(arena, area, list + i, used, end, pieces, &view.count);
        i += used;
    }
    if (status == ST_OK)
        owner_find(&view, accept, ctx, ret_mark);
    arena_release(arena, mark);
    return status;
}

enum status scan_is_blank(struct arena *arena, const struct block_port *port, bool *ret_blank)
{
    uint64_t count = (OWNER_BLANK_BYTES + port->block_size - 1) / port->block_size;
    struct area area = {port, 0, port->block_count};
    struct owner_mark found = {OWNER_NOBODY, 0};
    size_t mark = arena_mark(arena);
    uint8_t *buffer = arena_alloc(arena, 1, CHUNK_BYTES);

    if (buffer == NULL)
        return ST_NO_MEMORY;
    if (count > port->block_count)
        count = port->block_count;
    bool blank = are_zero(port, 0, count, buffer) &&
                 are_zero(port, port->block_count - count, count, buffer);
    arena_release(arena, mark);
    enum status status =
        blank ? find_mark(arena, &area, AT_START | AT_END, NULL, NULL, &found) : ST_OK;
    if (status == ST_OK)
        *ret_blank = blank && found.owner == OWNER_NOBODY;
    return status;
}

/* --- The disk as a whole --------------------------------------------------------------------- */

struct disk_search {
    const struct disk *disk;
    const struct partition *own;
    bool raid_only;
};

static bool is_in_partition(const struct disk *disk, const struct partition *own, uint64_t lba)
{
    for (size_t i = 0; i < disk->partition_count; i++) {
        if (lba >= own[i].first_lba && lba - own[i].first_lba < own[i].block_count)
            return true;
    }
    return false;
}

static bool accept_of_disk(const void *ctx, const struct owner_mark *mark)
{
    const struct disk_search *search = ctx;

    if (search->raid_only && !owner_is_raid(mark->owner))
        return false;
    return !is_in_partition(search->disk, search->own, mark->offset / search->disk->block_size);
}

static bool is_last_block(const struct disk *disk, uint64_t lba)
{
    return lba == disk->block_count - 1;
}

/* The ends at which a GPT would be written where no good copy of it lies. */
static unsigned ends_of_gpt(const struct disk *disk)
{
    bool primary = disk->primary.problem == GPT_FINE;
    bool backup = disk->backup.problem == GPT_FINE && is_last_block(disk, disk->backup.lba);

    return (primary && disk->mbr.protective_at_lba_1 ? 0 : AT_START) | (backup ? 0 : AT_END);
}

static unsigned ends_of(const struct disk *disk)
{
    if (disk->removable || disk->status != ST_OK)
        return 0;
    if (disk->style == DISK_GPT)
        return ends_of_gpt(disk);
    if (disk->style == DISK_MBR && disk->partition_count > 0)
        return AT_END;
    return disk->blank ? 0 : AT_START | AT_END;
}

/* Where a GPT was that somebody made for the whole disk, which is now longer in use: its header
 * still has a good checksum. */
static bool is_left_from_gpt(const struct disk *disk, const struct block_port *port,
                             uint8_t *buffer)
{
    uint64_t lba = disk->block_count - 1;
    struct gpt_header header;

    if (port->read(port->ctx, lba, 1, buffer) != ST_OK)
        return false;
    enum gpt_problem problem =
        gpt_header_parse(span_of(buffer, port->block_size), lba, disk->block_count, &header);
    return problem == GPT_FINE || problem >= GPT_BAD_REVISION;
}

/* Whether anything lies where the backup of a disk that has grown would go. */
static enum status look_behind_table(struct arena *arena, const struct block_port *port,
                                     const struct disk *disk, struct owner_mark *ret_mark)
{
    struct gpt_edit_request request = {port->block_size, port->block_count, .entry_count = 128,
                                       .entry_size = disk->primary.header.entry_size};
    bool grown = disk->style == DISK_GPT && disk->primary.problem == GPT_FINE &&
                 disk->primary.header.alternate_lba < disk->block_count - 1;
    uint64_t first = 0;
    uint64_t last = 0;
    size_t mark = arena_mark(arena);

    if (!grown || !gpt_edit_usable(&request, &first, &last))
        return ST_OK;
    uint8_t *buffer = arena_alloc(arena, 1, CHUNK_BYTES);
    if (buffer == NULL)
        return ST_NO_MEMORY;
    uint64_t lba = disk->primary.header.alternate_lba;
    lba = lba > last ? lba + 1 : last + 1;
    if (!are_zero(port, lba, disk->block_count - lba, buffer) &&
        !is_left_from_gpt(disk, port, buffer))
        *ret_mark = (struct owner_mark){OWNER_UNKNOWN, lba * port->block_size};
    arena_release(arena, mark);
    return ST_OK;
}

enum status scan_disk_owner(struct arena *arena, const struct block_port *port,
                            const struct disk *disk, const struct partition *own,
                            struct owner_mark *ret_mark)
{
    bool raid_only = disk->style == DISK_MBR && disk->partition_count > 0;
    struct disk_search search = {disk, own, raid_only};
    struct area area = {port, 0, port->block_count};
    struct owner_mark mark = {OWNER_NOBODY, 0};
    unsigned ends = ends_of(disk);
    enum status status = ST_OK;

    if (ends != 0)
        status = find_mark(arena, &area, ends, accept_of_disk, &search, &mark);
    if (status == ST_OK && (ends & AT_END) != 0 && mark.owner == OWNER_NOBODY)
        status = look_behind_table(arena, port, disk, &mark);
    if (status == ST_OK)
        *ret_mark = mark;
    return status;
}

/* --- Gaps ------------------------------------------------------------------------------------ */

struct gap_search {
    const struct block_port *port;
    const struct machine *machine;
    const struct disk *disk;
    struct claim *claims;
    size_t count;
};

/* FAT is what a deleted ESP leaves, and what a cut repair has made in advance. */
static bool accept_in_gap(const void *ctx, const struct owner_mark *mark)
{
    (void)ctx;
    return mark->owner != OWNER_FAT;
}

enum status scan_blocks_owner(struct arena *arena, const struct block_port *port,
                              uint64_t first_lba, uint64_t block_count, struct owner_mark *ret_mark)
{
    struct area area = {port, first_lba, block_count};

    return find_mark(arena, &area, AT_START | AT_END | IN_GAP, accept_in_gap, NULL, ret_mark);
}

static void add_claim(struct gap_search *search, uint64_t first_lba, uint64_t block_count,
                      struct owner_mark mark)
{
    mark.offset += first_lba * search->port->block_size;
    search->claims[search->count++] = (struct claim){
        .disk = (size_t)(search->disk - search->machine->disks),
        .first_lba = first_lba,
        .block_count = block_count,
        .mark = mark,
    };
}

/* Looks at the gap from `first` to before `end` as if a partition began `skip` blocks on in it. */
static enum status look_from(struct arena *arena, struct gap_search *search, uint64_t first,
                             uint64_t end, uint64_t skip, unsigned ends)
{
    struct area area = {search->port, first + skip, end - first - skip};
    struct owner_mark mark = {OWNER_NOBODY, 0};
    enum status status = find_mark(arena, &area, ends | IN_GAP, accept_in_gap, NULL, &mark);

    if (status == ST_OK && mark.owner != OWNER_NOBODY) {
        mark.offset += skip * search->port->block_size;
        add_claim(search, first, end - first, mark);
    }
    return status;
}

/* Looks at what lies from `first` to before `end`: partitions have begun, and will, at a whole MiB,
 * or right there. */
static enum status look_at_gap(struct arena *arena, struct gap_search *search, uint64_t first,
                               uint64_t end)
{
    uint64_t mib = GAP_LEAST / search->port->block_size;
    size_t before = search->count;

    if (end <= first || end - first < mib)
        return ST_OK;
    uint64_t skip = (mib - first % mib) % mib;
    enum status status = look_from(arena, search, first, end, 0, AT_START | AT_END);
    if (status == ST_OK && search->count == before && skip != 0 && skip < end - first)
        status = look_from(arena, search, first, end, skip, AT_START | AT_END);
    return status;
}

/* A mark of the whole disk that lies in a gap takes the gap, up to the next partitions. */
static void claim_around(struct gap_search *search, const struct partition *own,
                         struct owner_mark mark)
{
    uint64_t lba = mark.offset / search->port->block_size;
    uint64_t first = 0;
    uint64_t end = search->disk->block_count;

    for (size_t i = 0; i < search->disk->partition_count; i++) {
        uint64_t own_end = own[i].first_lba + own[i].block_count;
        if (own[i].first_lba > lba && own[i].first_lba < end)
            end = own[i].first_lba;
        if (own[i].first_lba <= lba && own_end > first)
            first = own_end;
    }
    add_claim(search, first, end - first, mark);
    search->claims[search->count - 1].mark = mark;
}

static enum status look_at_whole_disk(struct arena *arena, struct gap_search *search,
                                      const struct partition *own)
{
    struct disk_search of_disk = {search->disk, own, false};
    struct area area = {search->port, 0, search->port->block_count};
    struct owner_mark mark = {OWNER_NOBODY, 0};
    enum status status =
        find_mark(arena, &area, AT_START | AT_END | IN_GAP, accept_of_disk, &of_disk, &mark);

    if (status == ST_OK && mark.owner != OWNER_NOBODY)
        claim_around(search, own, mark);
    return status;
}

enum status scan_gap_claims(struct arena *arena, const struct block_port *port,
                            const struct machine *machine, size_t disk, struct claim *ret_claims,
                            size_t *ret_count)
{
    struct gap_search search = {port, machine, &machine->disks[disk], ret_claims, 0};
    const struct partition *own = machine->partitions + search.disk->first_partition;
    const struct gpt_copy *good = disk_good_table(search.disk);
    const struct gpt_copy *table = good != NULL ? good : &search.disk->backup;
    uint64_t next = table->header.first_usable_lba;
    enum status status = look_at_whole_disk(arena, &search, own);

    for (size_t i = 0; i < search.disk->partition_count && status == ST_OK; i++) {
        uint64_t end = own[i].first_lba + own[i].block_count;
        status = look_at_gap(arena, &search, next, own[i].first_lba);
        if (status == ST_OK && own[i].kind == PT_MSR && !own[i].out_of_range)
            status = look_at_gap(arena, &search, own[i].first_lba, end);
        next = end > next ? end : next;
    }
    if (status == ST_OK)
        status = look_at_gap(arena, &search, next, table->header.last_usable_lba + 1);
    /* What a disk that has grown has behind its table. */
    uint64_t behind = search.disk->backup.lba + 1;
    if (status == ST_OK && behind < search.disk->block_count)
        status = look_at_gap(arena, &search, behind, search.disk->block_count);
    *ret_count = search.count;
    return status;
}

bool scan_wants_claims(const struct machine *machine, size_t disk)
{
    const struct disk *on = &machine->disks[disk];

    if (on->style != DISK_GPT || on->removable || disk_hides_partitions(on))
        return false;
    for (size_t i = 0; i < on->partition_count; i++) {
        if (machine->partitions[on->first_partition + i].kind == PT_ESP)
            return false;
    }
    return true;
}

enum status scan_claims(struct arena *arena, const struct ports *ports, struct machine *io_machine)
{
    size_t room = io_machine->partition_count * 2 + io_machine->disk_count * 4;
    struct claim *claims = arena_alloc(arena, room, sizeof(*claims));
    enum status status = claims == NULL ? ST_NO_MEMORY : ST_OK;

    io_machine->claims = claims;
    for (size_t i = 0; i < io_machine->disk_count && status == ST_OK; i++) {
        size_t count = 0;
        if (!scan_wants_claims(io_machine, i))
            continue;
        status = scan_gap_claims(arena, &ports->disks[io_machine->disks[i].port], io_machine, i,
                                 claims + io_machine->claim_count, &count);
        io_machine->claim_count += count;
    }
    return status;
}
