#include "host/mem_block.h"

#include <stdlib.h>
#include <string.h>

#include "host/disk_port.h"
#include "host/host_alloc.h"

#define PAGE_SIZE    4096u
#define BUCKET_COUNT 4096u
#define MAX_SPOILED  16u

struct page {
    struct page *next;
    uint64_t index;
    uint8_t bytes[PAGE_SIZE];
};

struct run {
    uint64_t lba;
    uint64_t count;
};

struct mem_block {
    struct block_port port;
    bool gone;
    struct run spoiled[MAX_SPOILED];
    size_t spoiled_count;
    uint64_t page_count;
    struct page *buckets[BUCKET_COUNT];
};

static struct page *find_page(const struct mem_block *disk, uint64_t index)
{
    struct page *page = disk->buckets[index % BUCKET_COUNT];

    while (page != NULL && page->index != index)
        page = page->next;
    return page;
}

static struct page *make_page(struct mem_block *disk, uint64_t index)
{
    struct page *page = find_page(disk, index);

    if (page != NULL)
        return page;
    page = host_alloc(1, sizeof(*page));
    page->index = index;
    page->next = disk->buckets[index % BUCKET_COUNT];
    disk->buckets[index % BUCKET_COUNT] = page;
    disk->page_count++;
    return page;
}

/* How many of `size` bytes from `offset` lie on the page of `offset`. */
static size_t piece_size(uint64_t offset, size_t size)
{
    size_t room = PAGE_SIZE - (size_t)(offset % PAGE_SIZE);

    return size < room ? size : room;
}

static void check_range(const struct mem_block *disk, uint64_t offset, size_t size)
{
    uint64_t bytes = disk->port.block_count * disk->port.block_size;

    if (offset > bytes || size > bytes - offset)
        host_fail("access beyond the end of a disk");
}

void mem_block_write(struct mem_block *disk, uint64_t offset, const void *data, size_t size)
{
    const uint8_t *from = data;

    check_range(disk, offset, size);
    while (size > 0) {
        size_t piece = piece_size(offset, size);
        memcpy(make_page(disk, offset / PAGE_SIZE)->bytes + offset % PAGE_SIZE, from, piece);
        offset += piece;
        from += piece;
        size -= piece;
    }
}

void mem_block_peek(const struct mem_block *disk, uint64_t offset, void *ret_data, size_t size)
{
    uint8_t *to = ret_data;

    check_range(disk, offset, size);
    while (size > 0) {
        size_t piece = piece_size(offset, size);
        const struct page *page = find_page(disk, offset / PAGE_SIZE);
        if (page != NULL)
            memcpy(to, page->bytes + offset % PAGE_SIZE, piece);
        else
            memset(to, 0, piece);
        offset += piece;
        to += piece;
        size -= piece;
    }
}

static bool is_spoiled(const struct mem_block *disk, uint64_t lba, uint32_t count)
{
    for (size_t i = 0; i < disk->spoiled_count; i++) {
        const struct run *run = &disk->spoiled[i];
        if (lba < run->lba ? count > run->lba - lba : lba - run->lba < run->count)
            return true;
    }
    return false;
}

static enum status read_blocks(void *ctx, uint64_t lba, uint32_t count, void *ret_data)
{
    struct mem_block *disk = ctx;

    if (disk->gone || lba > disk->port.block_count || count > disk->port.block_count - lba)
        return ST_IO;
    if (is_spoiled(disk, lba, count))
        return ST_IO;
    mem_block_peek(disk, lba * disk->port.block_size, ret_data,
                   (size_t)count * disk->port.block_size);
    return ST_OK;
}

struct mem_block *mem_block_new(uint32_t block_size, uint64_t block_count, struct span path,
                                const char *model)
{
    struct mem_block *disk = host_alloc(1, sizeof(*disk));

    if (block_count > UINT64_MAX / block_size)
        host_fail("a disk of more than 2^64 bytes");
    disk->port = disk_port_new(block_size, block_count, path, model);
    disk->port.ctx = disk;
    disk->port.read = read_blocks;
    return disk;
}

void mem_block_free(struct mem_block *disk)
{
    if (disk == NULL)
        return;
    for (size_t i = 0; i < BUCKET_COUNT; i++) {
        struct page *page = disk->buckets[i];
        while (page != NULL) {
            struct page *next = page->next;
            free(page);
            page = next;
        }
    }
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
    return disk->page_count * sizeof(struct page);
}
