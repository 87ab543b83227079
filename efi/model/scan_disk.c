#include "scan_disk.h"

#include "base/crc32.h"
#include "base/mem.h"
#include "base/sort.h"
#include "base/text.h"
#include "model/scan_owner.h"

#define READ_CHUNK_BYTES (256u * 1024)
#define BLOCK_SIZE_OLD   512u
#define BLOCK_SIZE_NEW   4096u

/* Reads `bytes` (a multiple of the block size) from `lba` into fresh arena memory. */
static enum status read_blocks(struct arena *arena, const struct block_port *port, uint64_t lba,
                               uint64_t bytes, struct span *ret_data)
{
    uint8_t *data = arena_alloc(arena, 1, (size_t)bytes);
    uint32_t step = READ_CHUNK_BYTES / port->block_size;
    uint64_t left = bytes / port->block_size;
    uint8_t *at = data;

    if (data == NULL)
        return ST_NO_MEMORY;
    while (left > 0) {
        uint32_t count = left < step ? (uint32_t)left : step;
        enum status status = port->read(port->ctx, lba, count, at);
        if (status != ST_OK)
            return status;
        lba += count;
        left -= count;
        at += (size_t)count * port->block_size;
    }
    *ret_data = span_of(data, (size_t)bytes);
    return ST_OK;
}

/* Reads the entry array of a good header and checks its CRC; the problem goes into the copy. */
static enum status read_array(struct arena *arena, const struct block_port *port,
                              struct gpt_copy *io_copy, struct span *ret_array)
{
    uint64_t bytes = gpt_array_bytes(&io_copy->header);
    uint64_t padded = (bytes + port->block_size - 1) / port->block_size * port->block_size;
    struct span data;

    enum status status = read_blocks(arena, port, io_copy->header.entries_lba, padded, &data);
    if (status == ST_NO_MEMORY)
        return status;
    if (status != ST_OK) {
        io_copy->problem = GPT_UNREADABLE;
        return ST_OK;
    }
    *ret_array = span_part(data, 0, bytes);
    if (crc32_update(0, ret_array->at, ret_array->size) != io_copy->header.entries_crc)
        io_copy->problem = GPT_BAD_ARRAY_CRC;
    return ST_OK;
}

/* Judges the copy whose header block is `block`, or unreadable when that is empty. */
static enum status load_copy(struct arena *arena, const struct block_port *port, uint64_t lba,
                             struct span block, struct gpt_copy *ret_copy, struct span *ret_array)
{
    struct gpt_copy copy = {.problem = GPT_UNREADABLE, .lba = lba};
    enum status status = ST_OK;

    *ret_array = span_of(NULL, 0);
    if (block.size > 0)
        copy.problem = gpt_header_parse(block, lba, port->block_count, &copy.header);
    if (copy.problem == GPT_FINE || copy.problem == GPT_OF_LARGER_DISK)
        status = read_array(arena, port, &copy, ret_array);
    *ret_copy = copy;
    return status;
}

/* Where the backup header should be: where a good primary says, else in the last block. */
static uint64_t backup_place(const struct block_port *port, const struct gpt_copy *primary)
{
    bool known = primary->problem == GPT_FINE || primary->problem >= GPT_BAD_ARRAY_CRC;

    if (known && primary->header.alternate_lba < port->block_count)
        return primary->header.alternate_lba;
    return port->block_count - 1;
}

static enum status load_backup(struct arena *arena, const struct block_port *port,
                               struct disk *io_disk, struct span *ret_array)
{
    uint64_t lba = backup_place(port, &io_disk->primary);
    struct span block = {NULL, 0};

    enum status status = read_blocks(arena, port, lba, port->block_size, &block);
    if (status == ST_NO_MEMORY)
        return status;
    return load_copy(arena, port, lba, block, &io_disk->backup, ret_array);
}

/* How many slots of the array are in use. */
static size_t count_used(struct span array, uint32_t entry_size)
{
    size_t used = 0;

    for (size_t at = 0; at + entry_size <= array.size; at += entry_size) {
        struct gpt_entry entry = gpt_entry_parse(span_part(array, at, entry_size));
        used += gpt_entry_is_used(&entry);
    }
    return used;
}

static bool has_header(const struct gpt_copy *copy)
{
    return copy->problem != GPT_NO_SIGNATURE && copy->problem != GPT_UNREADABLE;
}

/* True when something on the disk says that it has, or had, a GPT. */
static bool looks_like_gpt(const struct disk *disk)
{
    bool protective = disk->mbr.kind == MBR_PROTECTIVE || disk->mbr.kind == MBR_HYBRID;

    return protective || has_header(&disk->primary) || has_header(&disk->backup);
}

/* An MBR that divides the disk by itself: then a GPT found beside it is a leftover. */
static bool mbr_rules(const struct mbr *mbr)
{
    if (mbr->kind != MBR_PLAIN)
        return false;
    for (int i = 0; i < MBR_RECORD_COUNT; i++) {
        if (mbr->records[i].type != MBR_TYPE_EMPTY)
            return true;
    }
    return false;
}

/* --- A table for blocks of another size ------------------------------------------------------ */

/* The other size that disks of today are divided by; 0 when there is none. */
static uint32_t other_block_size(uint32_t size)
{
    if (size == BLOCK_SIZE_OLD)
        return BLOCK_SIZE_NEW;
    return size == BLOCK_SIZE_NEW ? BLOCK_SIZE_OLD : 0;
}

/* True in `*ret_found` when block `lba`, counted in blocks of `size` bytes, holds a sound
 * header. */
static enum status has_header_at(struct arena *arena, const struct block_port *port, uint32_t size,
                                 uint64_t lba, bool *ret_found)
{
    uint64_t blocks = port->block_count * port->block_size / size;
    uint64_t at = lba * size;
    uint32_t bytes = size > port->block_size ? size : port->block_size;
    size_t mark = arena_mark(arena);
    struct gpt_header header;
    struct span data = {NULL, 0};

    enum status status = read_blocks(arena, port, at / port->block_size, bytes, &data);
    enum gpt_problem problem = GPT_UNREADABLE;
    if (status == ST_OK)
        problem =
            gpt_header_parse(span_part(data, at % port->block_size, size), lba, blocks, &header);
    *ret_found = problem == GPT_FINE || problem == GPT_OF_LARGER_DISK;
    arena_release(arena, mark);
    return status == ST_NO_MEMORY ? status : ST_OK;
}

/*
 * A disk that was partitioned behind a bridge or controller that shows blocks of another size has
 * its headers where nobody looks for them here. Only where no header is in the usual places.
 */
static enum status look_for_other_table(struct arena *arena, const struct block_port *port,
                                        struct disk *io_disk)
{
    uint32_t size = other_block_size(port->block_size);
    bool found = false;

    if (size == 0 || port->block_count < 2 * (uint64_t)BLOCK_SIZE_NEW / port->block_size ||
        has_header(&io_disk->primary) || has_header(&io_disk->backup))
        return ST_OK;
    uint64_t blocks = port->block_count * port->block_size / size;
    enum status status = has_header_at(arena, port, size, GPT_PRIMARY_LBA, &found);
    if (status == ST_OK && !found)
        status = has_header_at(arena, port, size, blocks - 1, &found);
    if (found) {
        io_disk->style = DISK_GPT;
        io_disk->table_block_size = size;
    }
    return status;
}

static enum status load_gpt(struct arena *arena, const struct block_port *port, struct span header,
                            struct disk *io_disk, struct disk_table *io_table)
{
    struct span primary_array;
    struct span backup_array;

    enum status status =
        load_copy(arena, port, GPT_PRIMARY_LBA, header, &io_disk->primary, &primary_array);
    if (status == ST_OK)
        status = load_backup(arena, port, io_disk, &backup_array);
    if (status != ST_OK)
        return status;
    const struct gpt_copy *used = disk_table_copy(io_disk);
    if (mbr_rules(&io_disk->mbr))
        return ST_OK;
    if (!looks_like_gpt(io_disk) || used == NULL)
        status = look_for_other_table(arena, port, io_disk);
    if (status != ST_OK || !looks_like_gpt(io_disk))
        return status;
    io_disk->style = DISK_GPT;
    if (used == NULL)
        return ST_OK;
    io_disk->guid = used->header.disk_guid;
    io_disk->copies_differ = io_disk->primary.problem == GPT_FINE &&
                             io_disk->backup.problem == GPT_FINE &&
                             !gpt_headers_agree(&io_disk->primary.header, &io_disk->backup.header);
    io_table->gpt_entries = used == &io_disk->primary ? primary_array : backup_array;
    io_table->used = count_used(io_table->gpt_entries, used->header.entry_size);
    return ST_OK;
}

/*
 * Follows the chain of extended boot records. Each must lie behind the one before, which every
 * partitioning tool keeps to, so that a chain in a circle ends.
 */
static enum status load_logical(struct arena *arena, const struct block_port *port,
                                uint64_t extended_lba, struct mbr_partition *list, size_t *io_count)
{
    uint64_t lba = extended_lba;
    uint32_t number = 5;

    for (int i = 0; i < MBR_LOGICAL_MAX && lba < port->block_count; i++) {
        size_t mark = arena_mark(arena);
        struct span block = {NULL, 0};
        struct ebr ebr;
        enum status status = read_blocks(arena, port, lba, port->block_size, &block);
        bool found = status == ST_OK && ebr_parse(block, &ebr);
        arena_release(arena, mark);
        if (status == ST_NO_MEMORY)
            return status;
        if (!found)
            return ST_OK;
        if (ebr.logical.type != MBR_TYPE_EMPTY) {
            struct mbr_partition partition = {number++, ebr.logical.type, ebr.logical.active,
                                              lba + ebr.logical.first_lba, ebr.logical.block_count};
            list[(*io_count)++] = partition;
        }
        uint64_t next = extended_lba + ebr.next.first_lba;
        if (ebr.next.type == MBR_TYPE_EMPTY || next <= lba)
            return ST_OK;
        lba = next;
    }
    return ST_OK;
}

static enum status load_mbr(struct arena *arena, const struct block_port *port,
                            struct disk *io_disk, struct disk_table *io_table)
{
    size_t room = MBR_RECORD_COUNT + MBR_LOGICAL_MAX;
    struct mbr_partition *list = arena_alloc(arena, room, sizeof(*list));
    enum status status = ST_OK;

    if (list == NULL)
        return ST_NO_MEMORY;
    for (uint32_t i = 0; i < MBR_RECORD_COUNT; i++) {
        const struct mbr_record *record = &io_disk->mbr.records[i];
        if (record->type == MBR_TYPE_EMPTY || mbr_type_is_extended(record->type))
            continue;
        struct mbr_partition partition = {i + 1, record->type, record->active, record->first_lba,
                                          record->block_count};
        list[io_table->mbr_count++] = partition;
    }
    for (int i = 0; i < MBR_RECORD_COUNT && status == ST_OK; i++) {
        const struct mbr_record *record = &io_disk->mbr.records[i];
        bool room_left = io_table->mbr_count <= MBR_RECORD_COUNT;
        if (mbr_type_is_extended(record->type) && room_left)
            status = load_logical(arena, port, record->first_lba, list, &io_table->mbr_count);
    }
    io_table->mbr = list;
    io_table->used = io_table->mbr_count;
    return status;
}

/* Reads one of the first two blocks; an empty span when the device cannot. */
static enum status read_first(struct arena *arena, const struct block_port *port, uint64_t lba,
                              struct span *ret_block)
{
    struct span block = {NULL, 0};
    enum status status = read_blocks(arena, port, lba, port->block_size, &block);

    *ret_block = block;
    return status == ST_NO_MEMORY ? status : ST_OK;
}

/*
 * The MBR and the primary header: in one call, or, where a block of the two is bad, one by one,
 * because the backup may still tell what is on the disk. Statuses: ST_OK; ST_IO when neither can be
 * read; ST_NO_MEMORY.
 */
static enum status read_first_blocks(struct arena *arena, const struct block_port *port,
                                     struct span *ret_mbr, struct span *ret_header)
{
    struct span both = {NULL, 0};

    if (port->block_count < 2)
        return ST_IO;
    enum status status = read_blocks(arena, port, 0, (uint64_t)port->block_size * 2, &both);
    *ret_mbr = span_part(both, 0, port->block_size);
    *ret_header = span_part(both, port->block_size, port->block_size);
    if (status == ST_OK || status == ST_NO_MEMORY)
        return status;
    status = read_first(arena, port, 0, ret_mbr);
    if (status == ST_OK)
        status = read_first(arena, port, GPT_PRIMARY_LBA, ret_header);
    return status == ST_OK && ret_mbr->size + ret_header->size == 0 ? ST_IO : status;
}

/* True when no table was found, and a place where one may be could not be read. */
static bool missed_something(const struct disk *disk, struct span mbr)
{
    return disk->style == DISK_RAW && (mbr.size == 0 || disk->primary.problem == GPT_UNREADABLE ||
                                       disk->backup.problem == GPT_UNREADABLE);
}

enum status scan_disk_tables(struct arena *arena, const struct block_port *port,
                             struct disk *io_disk, struct disk_table *ret_table)
{
    struct disk_table table = {.gpt_entries = {NULL, 0}};
    struct span mbr = {NULL, 0};
    struct span header = {NULL, 0};
    enum status status = read_first_blocks(arena, port, &mbr, &header);

    if (status == ST_NO_MEMORY)
        return status;
    io_disk->status = status;
    io_disk->style = DISK_RAW;
    if (status == ST_OK) {
        io_disk->mbr = mbr_parse(mbr, port->block_count);
        io_disk->mbr_unreadable = mbr.size == 0;
        status = load_gpt(arena, port, header, io_disk, &table);
        if (status == ST_OK && io_disk->style == DISK_RAW && io_disk->mbr.kind == MBR_PLAIN) {
            io_disk->style = DISK_MBR;
            status = load_mbr(arena, port, io_disk, &table);
        }
        if (status != ST_OK)
            return status;
        if (missed_something(io_disk, mbr))
            io_disk->status = ST_IO;
        if (io_disk->style == DISK_RAW && io_disk->status == ST_OK)
            status = scan_is_blank(arena, port, &io_disk->blank);
        if (status != ST_OK)
            return status;
    }
    *ret_table = table;
    return ST_OK;
}

static enum status gpt_partition(struct arena *arena, const struct disk *disk,
                                 const struct gpt_header *header, const struct gpt_entry *entry,
                                 uint32_t slot, struct partition *ret_partition)
{
    const char *name = text_from_ucs2(arena, span_of(entry->name, sizeof(entry->name)));
    struct partition partition = {
        .hd_number = slot + 1,
        .first_lba = entry->first_lba,
        .block_count = 0,
        .kind = partition_type_of(&entry->type),
        .type = entry->type,
        .unique = entry->unique,
        .attributes = entry->attributes,
        .name = name,
        .out_of_range = !gpt_entry_in_range(entry, header) || entry->last_lba >= disk->block_count,
        .volume = NO_INDEX,
    };

    if (name == NULL)
        return ST_NO_MEMORY;
    if (entry->last_lba >= entry->first_lba && entry->last_lba - entry->first_lba < UINT64_MAX)
        partition.block_count = entry->last_lba - entry->first_lba + 1;
    *ret_partition = partition;
    return ST_OK;
}

static enum partition_type kind_of_mbr_type(uint8_t type)
{
    if (type == MBR_TYPE_ESP)
        return PT_ESP;
    return type == MBR_TYPE_LDM ? PT_LDM_DATA : PT_UNKNOWN;
}

static struct partition mbr_partition(const struct disk *disk, const struct mbr_partition *from)
{
    struct partition partition = {
        .hd_number = from->number,
        .first_lba = from->first_lba,
        .block_count = from->block_count,
        .kind = kind_of_mbr_type(from->type),
        .mbr_type = from->type,
        .active = from->active,
        .name = "",
        .out_of_range = from->block_count == 0 || from->first_lba >= disk->block_count ||
                        from->block_count > disk->block_count - from->first_lba,
        .volume = NO_INDEX,
    };
    return partition;
}

static enum status unsorted_partitions(struct arena *arena, const struct disk *disk,
                                       const struct disk_table *table, struct partition *list)
{
    size_t used = 0;

    for (size_t i = 0; i < table->mbr_count; i++)
        list[used++] = mbr_partition(disk, &table->mbr[i]);
    if (table->gpt_entries.size == 0)
        return ST_OK;
    const struct gpt_header *header = &disk_table_copy(disk)->header;
    for (uint32_t slot = 0; slot < header->entry_count; slot++) {
        uint64_t at = (uint64_t)slot * header->entry_size;
        struct span bytes = span_part(table->gpt_entries, at, header->entry_size);
        struct gpt_entry entry = gpt_entry_parse(bytes);
        if (!gpt_entry_is_used(&entry))
            continue;
        enum status status = gpt_partition(arena, disk, header, &entry, slot, &list[used++]);
        if (status != ST_OK)
            return status;
    }
    return ST_OK;
}

static int partition_by_place(const void *ctx, size_t a, size_t b)
{
    const struct partition *list = ctx;

    if (list[a].first_lba != list[b].first_lba)
        return list[a].first_lba < list[b].first_lba ? -1 : 1;
    return 0;
}

/* Numbers partitions sorted by place, and marks those that share blocks with an earlier one. */
static void number_and_compare(struct partition *list, size_t count)
{
    uint64_t end = 0; /* first block behind everything so far */
    size_t reaching = 0;

    for (size_t i = 0; i < count; i++) {
        list[i].number = (uint32_t)(i + 1);
        if (i > 0 && list[i].first_lba < end && list[i].block_count > 0) {
            list[i].overlaps = true;
            list[reaching].overlaps = true;
        }
        uint64_t own_end = list[i].first_lba + list[i].block_count;
        if (own_end >= list[i].first_lba && own_end > end) {
            end = own_end;
            reaching = i;
        }
    }
}

enum status scan_disk_partitions(struct arena *arena, const struct disk *disk,
                                 const struct disk_table *table, struct partition *ret_partitions)
{
    struct partition *list = arena_alloc(arena, table->used, sizeof(*list));

    if (list == NULL)
        return ST_NO_MEMORY;
    enum status status = unsorted_partitions(arena, disk, table, list);
    if (status != ST_OK)
        return status;
    const size_t *order = sort_order(arena, table->used, partition_by_place, list);
    if (order == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < table->used; i++)
        ret_partitions[i] = list[order[i]];
    number_and_compare(ret_partitions, table->used);
    return ST_OK;
}
