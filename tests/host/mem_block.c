#include "host/mem_block.h"

#include <stdlib.h>
#include <string.h>

#include "host/disk_port.h"
#include "host/host_alloc.h"
#include "host/mem_pages.h"

#define MAX_SPOILED 16u

struct run {
    uint64_t lba;
    uint64_t count;
};

struct record {
    struct mem_block_entry entry;
    uint8_t *data; /* the entry's */
    uint8_t *old;  /* what was there before */
};

struct mem_block {
    struct block_port port;
    struct mem_pages *pages; /* what reads see: medium and cache */
    bool gone;
    struct run spoiled[MAX_SPOILED];
    size_t spoiled_count;
    struct record *log;
    size_t log_count;
    size_t log_room;
};

static uint64_t last_order;

/* ---- the log ---- */

/* A new record; its data, if any, is still to come. */
static struct record *add_record(struct mem_block *disk)
{
    if (disk->log_count == disk->log_room) {
        disk->log_room = disk->log_room * 2 + 16;
        disk->log = host_grow(disk->log, disk->log_room * sizeof(*disk->log));
    }
    struct record *record = &disk->log[disk->log_count++];
    *record = (struct record){.entry.order = ++last_order};
    return record;
}

static void clear_log(struct mem_block *disk)
{
    for (size_t i = 0; i < disk->log_count; i++) {
        free(disk->log[i].data);
        free(disk->log[i].old);
    }
    disk->log_count = 0;
}

/* The first entry behind the last flush among the first `entries`. */
static size_t unflushed_from(const struct mem_block *disk, size_t entries)
{
    while (entries > 0 && !disk->log[entries - 1].entry.is_flush)
        entries--;
    return entries;
}

size_t mem_block_log_count(const struct mem_block *disk)
{
    return disk->log_count;
}

const struct mem_block_entry *mem_block_log_at(const struct mem_block *disk, size_t index)
{
    if (index >= disk->log_count)
        host_fail("no such entry in the log of a disk");
    return &disk->log[index].entry;
}

size_t mem_block_unflushed(const struct mem_block *disk)
{
    return disk->log_count - unflushed_from(disk, disk->log_count);
}

/* ---- content ---- */

static void check_range(const struct mem_block *disk, uint64_t offset, size_t size)
{
    uint64_t bytes = disk->port.block_count * disk->port.block_size;

    if (offset > bytes || size > bytes - offset)
        host_fail("access beyond the end of a disk");
}

void mem_block_write(struct mem_block *disk, uint64_t offset, const void *data, size_t size)
{
    check_range(disk, offset, size);
    mem_pages_write(disk->pages, offset, data, size);
}

void mem_block_peek(const struct mem_block *disk, uint64_t offset, void *ret_data, size_t size)
{
    check_range(disk, offset, size);
    mem_pages_read(disk->pages, offset, ret_data, size);
}

uint64_t mem_block_difference(const struct mem_block *a, const struct mem_block *b, uint64_t lba)
{
    uint32_t size = a->port.block_size;
    uint64_t at = mem_pages_difference(a->pages, b->pages, lba * size);

    return at == UINT64_MAX ? at : at / size;
}

uint64_t mem_block_change(const struct mem_block *disk, const struct mem_block *base)
{
    return mem_pages_change(disk->pages, base->pages);
}

/* ---- the port ---- */

static bool is_spoiled(const struct mem_block *disk, uint64_t lba, uint32_t count)
{
    for (size_t i = 0; i < disk->spoiled_count; i++) {
        const struct run *run = &disk->spoiled[i];
        if (lba < run->lba ? count > run->lba - lba : lba - run->lba < run->count)
            return true;
    }
    return false;
}

static bool is_there(const struct mem_block *disk, uint64_t lba, uint32_t count)
{
    return !disk->gone && lba <= disk->port.block_count && count <= disk->port.block_count - lba;
}

static enum status read_blocks(void *ctx, uint64_t lba, uint32_t count, void *ret_data)
{
    struct mem_block *disk = ctx;

    if (!is_there(disk, lba, count) || is_spoiled(disk, lba, count))
        return ST_IO;
    mem_block_peek(disk, lba * disk->port.block_size, ret_data,
                   (size_t)count * disk->port.block_size);
    return ST_OK;
}

static enum status write_blocks(void *ctx, uint64_t lba, uint32_t count, const void *data)
{
    struct mem_block *disk = ctx;
    size_t size = (size_t)count * disk->port.block_size;

    if (!is_there(disk, lba, count))
        return ST_IO;
    if (disk->port.read_only)
        return ST_READ_ONLY;
    struct record *record = add_record(disk);
    record->data = host_copy(data, size);
    record->old = host_alloc(size, 1);
    record->entry.lba = lba;
    record->entry.count = count;
    record->entry.data = record->data;
    mem_block_peek(disk, lba * disk->port.block_size, record->old, size);
    mem_block_write(disk, lba * disk->port.block_size, data, size);
    return ST_OK;
}

static enum status flush_blocks(void *ctx)
{
    struct mem_block *disk = ctx;

    if (disk->gone)
        return ST_IO;
    add_record(disk)->entry.is_flush = true;
    return ST_OK;
}

/* A disk over `pages`, which are its own from now on. */
static struct mem_block *new_disk(const struct block_port *like, struct mem_pages *pages)
{
    struct mem_block *disk = host_alloc(1, sizeof(*disk));

    disk->port = disk_port_new(like->block_size, like->block_count, like->path, like->model);
    disk->port.read_only = like->read_only;
    disk->port.removable = like->removable;
    disk->port.ctx = disk;
    disk->port.read = read_blocks;
    disk->port.write = write_blocks;
    disk->port.flush = flush_blocks;
    disk->pages = pages;
    return disk;
}

struct mem_block *mem_block_new(uint32_t block_size, uint64_t block_count, struct span path,
                                const char *model)
{
    struct block_port like = {
        .block_size = block_size, .block_count = block_count, .path = path, .model = model};

    if (block_count > UINT64_MAX / block_size)
        host_fail("a disk of more than 2^64 bytes");
    return new_disk(&like, mem_pages_new());
}

struct mem_block *mem_block_clone(struct mem_block *disk)
{
    struct mem_block *clone = new_disk(&disk->port, mem_pages_clone(disk->pages));

    clone->gone = disk->gone;
    memcpy(clone->spoiled, disk->spoiled, sizeof(clone->spoiled));
    clone->spoiled_count = disk->spoiled_count;
    return clone;
}

void mem_block_free(struct mem_block *disk)
{
    if (disk == NULL)
        return;
    clear_log(disk);
    free(disk->log);
    mem_pages_free(disk->pages);
    disk_port_free(&disk->port);
    free(disk);
}

struct block_port mem_block_port(struct mem_block *disk)
{
    return disk->port;
}

void mem_block_spoil(struct mem_block *disk, uint64_t lba, uint64_t count)
{
    if (disk->spoiled_count == MAX_SPOILED)
        host_fail("too many bad runs on a disk");
    disk->spoiled[disk->spoiled_count].lba = lba;
    disk->spoiled[disk->spoiled_count].count = count;
    disk->spoiled_count++;
}

void mem_block_set_gone(struct mem_block *disk, bool gone)
{
    disk->gone = gone;
}

void mem_block_set_read_only(struct mem_block *disk, bool read_only)
{
    disk->port.read_only = read_only;
}

void mem_block_set_removable(struct mem_block *disk, bool removable)
{
    disk->port.removable = removable;
}

uint64_t mem_block_footprint(const struct mem_block *disk)
{
    return mem_pages_footprint(disk->pages);
}

/* ---- power cuts ---- */

/* Puts the chosen blocks of a write onto `target`. */
static void apply_write(struct mem_block *target, const struct mem_block *disk, size_t index,
                        mem_block_keeps *keeps, void *ctx)
{
    const struct mem_block_entry *entry = &disk->log[index].entry;
    uint32_t size = disk->port.block_size;

    for (uint32_t i = 0; i < entry->count; i++) {
        if (keeps(ctx, index, i))
            mem_block_write(target, (entry->lba + i) * size, entry->data + (size_t)i * size, size);
    }
}

struct mem_block *mem_block_replay(struct mem_block *disk, size_t entries, mem_block_keeps *keeps,
                                   void *ctx)
{
    struct mem_block *target = mem_block_clone(disk);
    size_t from = unflushed_from(disk, entries);

    if (entries > disk->log_count)
        host_fail("the log of the disk is not that long");
    for (size_t i = disk->log_count; i > from; i--) {
        const struct record *record = &disk->log[i - 1];
        mem_block_write(target, record->entry.lba * disk->port.block_size, record->old,
                        (size_t)record->entry.count * disk->port.block_size);
    }
    for (size_t i = from; i < entries; i++)
        apply_write(target, disk, i, keeps, ctx);
    return target;
}

struct chance {
    const struct mem_block *disk;
    uint64_t seed;
};

/* A number that looks random and depends on nothing but its arguments. */
static uint64_t mix(uint64_t seed, uint64_t a, uint64_t b)
{
    uint64_t value = seed * 0x9e3779b97f4a7c15u + a * 0xd1342543de82ef95u + b * 0xaf251af3b0f025b5u;

    for (int i = 0; i < 3; i++) {
        value ^= value >> 29;
        value *= 0xbf58476d1ce4e5b9u;
        value ^= value >> 32;
    }
    return value;
}

/* The ways of a disk: whole writes in any order, single blocks, beginnings or ends of writes. */
static bool keeps_by_seed(void *ctx, size_t index, uint32_t block)
{
    const struct chance *chance = ctx;
    uint64_t seed = chance->seed;
    uint64_t edge = mix(seed, index, 0) % (chance->disk->log[index].entry.count + 1u);

    if (seed == MEM_BLOCK_LOSE_ALL || seed == MEM_BLOCK_KEEP_ALL)
        return seed == MEM_BLOCK_KEEP_ALL;
    switch (seed % 4) {
    case 0:
        return mix(seed, index, 0) % 2 == 0;
    case 1:
        return mix(seed, index, block + 1u) % 4 <= mix(seed, 0, 0) % 3;
    case 2:
        return block < edge;
    default:
        return block >= edge;
    }
}

struct mem_block *mem_block_replay_seed(struct mem_block *disk, size_t entries, uint64_t seed)
{
    struct chance chance = {disk, seed};

    return mem_block_replay(disk, entries, keeps_by_seed, &chance);
}

void mem_block_cut(struct mem_block *disk, uint64_t seed)
{
    struct mem_block *left = mem_block_replay_seed(disk, disk->log_count, seed);
    struct mem_pages *pages = disk->pages;

    disk->pages = left->pages;
    left->pages = pages;
    mem_block_free(left);
    clear_log(disk);
}
