#include "block.h"

#include "base/bytes.h"
#include "base/mem.h"
#include "disk_cache.h"
#include "model.h"

#define CHUNK_SIZE       0x100000u /* bytes of one transfer; some drivers fail on much larger ones */
#define LEAST_CHUNK      0x10000u  /* not halved further: a bad sector fails at any size */
#define LEAST_ALIGNMENT  16u       /* what the arena gives */
#define MARK             0x9d3f6c1be85a2471u /* any values without a pattern do, the second odd */
#define MARK_STEP        0xc6a4793d58e1b0f5u
#define BLOCK_SIZE_LEAST 512u
#define BLOCK_SIZE_MOST  65536u

static const EFI_GUID block_io_guid = EFI_BLOCK_IO_PROTOCOL_GUID;

struct disk {
    struct uefi_blocks *blocks;
    EFI_HANDLE handle;
    uint32_t media_id;
    uint32_t block_size;
    uint64_t block_count;
    uint32_t alignment; /* bytes: what the address of a buffer must be a multiple of */
    uint32_t chunk;     /* bytes of the largest transfer that is tried, a power of two */
};

/* Moves `size` bytes between the disk and memory. */
typedef EFI_STATUS piece_call(const struct disk *disk, uint64_t lba, uint32_t size, uint8_t *data);

static const struct status_row statuses[] = {
    {EFI_OUT_OF_RESOURCES, ST_NO_MEMORY},
    {EFI_WRITE_PROTECTED, ST_READ_ONLY},
};

/*
 * The disk's driver as it is now, or NULL when the medium is no longer the one that was there at
 * start. A driver that notices another medium installs its protocol anew, so neither the pointer
 * nor what it points to is kept.
 */
static EFI_BLOCK_IO_PROTOCOL *current_driver(const struct disk *disk)
{
    EFI_BLOCK_IO_PROTOCOL *driver = uefi_protocol(disk->blocks->uefi, disk->handle, &block_io_guid);

    if (driver == NULL || driver->Media == NULL || !driver->Media->MediaPresent ||
        driver->Media->MediaId != disk->media_id || driver->Media->BlockSize != disk->block_size ||
        driver->Media->LastBlock != disk->block_count - 1)
        return NULL;
    return driver;
}

/* A mark of block `lba`: on a disk such a value stands only by a chance of 1 in 2^64. */
static uint64_t mark_of(uint64_t lba)
{
    return MARK ^ (lba + 1) * MARK_STEP;
}

/*
 * Reads into a buffer that suits the driver. Some SATA drivers report success for a read that
 * failed on the disk, and leave the buffer as it was: so each block is marked before, and a mark
 * that is still there is an error.
 */
static EFI_STATUS read_aligned(const struct disk *disk, EFI_BLOCK_IO_PROTOCOL *driver, uint64_t lba,
                               uint32_t size, uint8_t *to)
{
    uint32_t step = disk->block_size;
    uint64_t block = lba;

    for (uint32_t at = 0; at < size; at += step)
        st_le64(to + at, mark_of(block++));
    EFI_STATUS efi = driver->ReadBlocks(driver, disk->media_id, lba, size, to);
    if (EFI_ERROR(efi))
        return efi;
    block = lba;
    for (uint32_t at = 0; at < size; at += step) {
        if (ld_le64(to + at) == mark_of(block++))
            return EFI_DEVICE_ERROR;
    }
    return EFI_SUCCESS;
}

static bool is_aligned(const struct disk *disk, const void *data)
{
    return (uintptr_t)data % disk->alignment == 0;
}

static EFI_STATUS read_piece(const struct disk *disk, uint64_t lba, uint32_t size, uint8_t *to)
{
    EFI_BLOCK_IO_PROTOCOL *driver = current_driver(disk);

    if (driver == NULL)
        return EFI_NO_MEDIA;
    if (is_aligned(disk, to))
        return read_aligned(disk, driver, lba, size, to);

    uint8_t *bounce = disk->blocks->bounce;
    EFI_STATUS efi = read_aligned(disk, driver, lba, size, bounce);
    if (!EFI_ERROR(efi))
        memcpy(to, bounce, size);
    return efi;
}

static EFI_STATUS write_piece(const struct disk *disk, uint64_t lba, uint32_t size, uint8_t *from)
{
    EFI_BLOCK_IO_PROTOCOL *driver = current_driver(disk);

    if (driver == NULL)
        return EFI_NO_MEDIA;
    if (driver->Media->ReadOnly)
        return EFI_WRITE_PROTECTED;
    if (is_aligned(disk, from))
        return driver->WriteBlocks(driver, disk->media_id, lba, size, from);
    memcpy(disk->blocks->bounce, from, size);
    return driver->WriteBlocks(driver, disk->media_id, lba, size, disk->blocks->bounce);
}

/* Bytes of the next transfer, of at most `chunk`: what goes another way has to fit in there. */
static uint32_t piece_size(const struct disk *disk, const void *data, uint64_t left, uint32_t chunk)
{
    uint32_t bounce = disk->blocks->bounce_size;
    uint32_t most = is_aligned(disk, data) || chunk < bounce ? chunk : bounce;

    return left < most ? (uint32_t)left : most;
}

/* True for an error that a smaller piece would meet as well. */
static bool is_final(EFI_STATUS efi)
{
    return efi == EFI_NO_MEDIA || efi == EFI_MEDIA_CHANGED || efi == EFI_WRITE_PROTECTED;
}

/*
 * Reads or writes piece by piece. Smaller pieces are tried only where size may be the trouble. They
 * are kept for later calls when the whole then succeeds: one bad sector shall not slow down the
 * rest of the disk.
 */
static enum status transfer(struct disk *disk, piece_call *move, uint64_t lba, uint32_t count,
                            uint8_t *data)
{
    uint32_t chunk = disk->chunk;

    if (lba > disk->block_count || count > disk->block_count - lba)
        return ST_IO;
    for (uint64_t left = (uint64_t)count * disk->block_size; left > 0;) {
        uint32_t size = piece_size(disk, data, left, chunk);
        EFI_STATUS efi = move(disk, lba, size, data);
        if (!EFI_ERROR(efi)) {
            lba += size / disk->block_size;
            data += size;
            left -= size;
            continue;
        }
        if (is_final(efi) || size <= LEAST_CHUNK)
            return uefi_status(efi, statuses, COUNT_OF(statuses));
        while (chunk >= size)
            chunk /= 2;
    }
    disk->chunk = chunk;
    return ST_OK;
}

static enum status disk_read(void *ctx, uint64_t lba, uint32_t count, void *ret_data)
{
    return transfer(ctx, read_piece, lba, count, ret_data);
}

static enum status disk_write(void *ctx, uint64_t lba, uint32_t count, const void *data)
{
    return transfer(ctx, write_piece, lba, count, (uint8_t *)data); /* only read from */
}

static enum status disk_flush(void *ctx)
{
    const struct disk *disk = ctx;
    EFI_BLOCK_IO_PROTOCOL *driver = current_driver(disk);

    if (driver == NULL || EFI_ERROR(driver->FlushBlocks(driver)) ||
        EFI_ERROR(disk_cache_flush(disk->blocks->uefi, disk->handle)))
        return ST_IO;
    return ST_OK;
}

/* Does not look at the revision: some USB drivers leave it 0. */
static bool is_usable_disk(const EFI_BLOCK_IO_PROTOCOL *driver)
{
    const EFI_BLOCK_IO_MEDIA *media = driver == NULL ? NULL : driver->Media;

    return media != NULL && media->MediaPresent && !media->LogicalPartition &&
           is_power_of_two(media->BlockSize) && media->BlockSize >= BLOCK_SIZE_LEAST &&
           media->BlockSize <= BLOCK_SIZE_MOST && media->LastBlock != UINT64_MAX &&
           (media->IoAlign == 0 ||
            (is_power_of_two(media->IoAlign) && media->IoAlign <= CHUNK_SIZE));
}

/* Statuses: ST_OK; ST_ABSENT when the handle is no disk for us; ST_NO_MEMORY. */
static enum status open_disk(struct uefi_blocks *blocks, EFI_HANDLE handle, struct arena *arena,
                             struct block_port *ret_port)
{
    EFI_BLOCK_IO_PROTOCOL *driver = uefi_protocol(blocks->uefi, handle, &block_io_guid);
    struct span path;

    if (!is_usable_disk(driver))
        return ST_ABSENT;
    enum status status = uefi_handle_path(blocks->uefi, handle, arena, &path);
    if (status != ST_OK)
        return status;
    struct disk *disk = arena_alloc(arena, 1, sizeof(*disk));
    if (disk == NULL)
        return ST_NO_MEMORY;
    *disk = (struct disk){.blocks = blocks,
                          .handle = handle,
                          .media_id = driver->Media->MediaId,
                          .block_size = driver->Media->BlockSize,
                          .block_count = driver->Media->LastBlock + 1,
                          .alignment = driver->Media->IoAlign < LEAST_ALIGNMENT
                                           ? LEAST_ALIGNMENT
                                           : driver->Media->IoAlign,
                          .chunk = CHUNK_SIZE};
    *ret_port = (struct block_port){.ctx = disk,
                                    .path = path,
                                    .model = uefi_disk_model(blocks->uefi, handle, arena),
                                    .block_size = disk->block_size,
                                    .block_count = disk->block_count,
                                    .read_only = driver->Media->ReadOnly,
                                    .removable = driver->Media->RemovableMedia,
                                    .read = disk_read,
                                    .write = disk_write,
                                    .flush = disk_flush};
    return ST_OK;
}

static enum status open_disks(struct uefi_blocks *blocks, struct arena *arena)
{
    struct handle_list handles;
    enum status status = uefi_handles(blocks->uefi, &block_io_guid, arena, &handles);

    if (status != ST_OK)
        return status;
    struct block_port *disks = arena_alloc(arena, handles.count, sizeof(*disks));
    if (disks == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < handles.count; i++) {
        status = open_disk(blocks, handles.at[i], arena, &disks[blocks->count]);
        if (status == ST_OK)
            blocks->count++;
        else if (status != ST_ABSENT)
            return status;
    }
    blocks->disks = disks;
    return ST_OK;
}

/*
 * The way for data that does not lie as a driver wants it. Little does where the arena's own alignment
 * is enough, and firmware may clear all that is given back to it, byte by byte.
 */
static enum status make_bounce(struct uefi_blocks *blocks)
{
    EFI_PHYSICAL_ADDRESS pages = 0;
    uint32_t alignment = LEAST_ALIGNMENT;

    for (size_t i = 0; i < blocks->count; i++) {
        const struct disk *disk = blocks->disks[i].ctx;
        alignment = disk->alignment > alignment ? disk->alignment : alignment;
    }
    blocks->bounce_size = alignment == LEAST_ALIGNMENT ? LEAST_CHUNK : CHUNK_SIZE;
    uint32_t slack = alignment > EFI_PAGE_SIZE ? alignment : 0;
    size_t count = (blocks->bounce_size + slack) / EFI_PAGE_SIZE;
    if (blocks->uefi->boot->AllocatePages(AllocateAnyPages, EfiLoaderData, count, &pages) !=
        EFI_SUCCESS)
        return ST_NO_MEMORY;
    blocks->pages = pages;
    blocks->page_count = count;
    blocks->bounce = (uint8_t *)(((uintptr_t)pages + alignment - 1) & ~(uintptr_t)(alignment - 1));
    return ST_OK;
}

enum status uefi_blocks_open(const struct uefi *uefi, struct arena *arena,
                             struct uefi_blocks *ret_blocks)
{
    *ret_blocks = (struct uefi_blocks){.uefi = uefi}; /* disks point back to it */
    enum status status = open_disks(ret_blocks, arena);

    return status == ST_OK ? make_bounce(ret_blocks) : status;
}

void uefi_blocks_close(struct uefi_blocks *blocks)
{
    if (blocks->pages != 0)
        blocks->uefi->boot->FreePages(blocks->pages, blocks->page_count);
    blocks->pages = 0;
}
