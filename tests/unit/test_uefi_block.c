/*
 * Block I/O of a firmware as U-Boot is one: revision 0, no protocol beside it, and buffers that have to
 * be aligned as it says. Media that go, drivers with limits or that promise too much, and what is no disk.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../efi/firmware/block.c"
#define device_path_guid other_device_path_guid /* each file has its own */
#include "../../efi/firmware/uefi.c"
#undef device_path_guid

#define BLOCK  512u
#define BLOCKS 4096u

/* A vendor's node, as U-Boot has them, and the end. */
static const uint8_t disk_path[] = {0x01, 0x04, 0x15, 0x00, 1,  2,  3,  4, 5,    6,    7,    8,   9,
                                    10,   11,   12,   13,   14, 15, 16, 0, 0x7f, 0xff, 0x04, 0x00};

/* The firmware. */
static struct {
    EFI_BOOT_SERVICES boot;
    EFI_BLOCK_IO_PROTOCOL driver;
    EFI_BLOCK_IO_MEDIA media;
    uint8_t *disk;
    size_t refused;
    size_t moves;
    UINTN most;        /* bytes of a transfer that it carries out */
    EFI_STATUS beyond; /* what it says of a larger one, and of a transfer of the bad block */
    EFI_LBA bad;
    bool promises; /* to have read what it has not */
    bool has_path;
    bool has_pages;
    EFI_STATUS flushed;
    EFI_STATUS cache_flushed;
} firmware;

static int disk_place;
static struct uefi uefi;

const char *uefi_disk_model(const struct uefi *of, EFI_HANDLE handle, struct arena *arena)
{
    (void)of;
    (void)handle;
    (void)arena;
    return "";
}

EFI_STATUS disk_cache_flush(const struct uefi *of, EFI_HANDLE handle)
{
    (void)of;
    (void)handle;
    return firmware.cache_flushed;
}

static EFI_STATUS EFIAPI handle_protocol(EFI_HANDLE handle, EFI_GUID *guid, void **ret_interface)
{
    if (handle != &disk_place)
        return EFI_UNSUPPORTED;
    if (memcmp(guid, &block_io_guid, sizeof(*guid)) == 0)
        *ret_interface = &firmware.driver;
    else if (memcmp(guid, &other_device_path_guid, sizeof(*guid)) == 0 && firmware.has_path)
        *ret_interface = (void *)disk_path;
    else
        return EFI_UNSUPPORTED;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI locate_handles(EFI_LOCATE_SEARCH_TYPE type, EFI_GUID *guid, void *key,
                                        UINTN *ret_count, EFI_HANDLE **ret_handles)
{
    (void)type;
    (void)guid;
    (void)key;
    *ret_handles = malloc(sizeof(**ret_handles));
    (*ret_handles)[0] = &disk_place;
    *ret_count = 1;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI allocate_pages(EFI_ALLOCATE_TYPE type, EFI_MEMORY_TYPE kind, UINTN pages,
                                        EFI_PHYSICAL_ADDRESS *ret_at)
{
    (void)type;
    (void)kind;
    if (!firmware.has_pages)
        return EFI_OUT_OF_RESOURCES;
    void *at = aligned_alloc(EFI_PAGE_SIZE, pages * EFI_PAGE_SIZE);
    *ret_at = (uintptr_t)at;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI free_pages(EFI_PHYSICAL_ADDRESS at, UINTN pages)
{
    (void)pages;
    free((void *)(uintptr_t)at);
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI free_pool(void *buffer)
{
    free(buffer);
    return EFI_SUCCESS;
}

/* As firmware that keeps to IoAlign does: U-Boot with 512, OVMF's NVMe driver with 8. */
static EFI_STATUS check(UINT32 media, EFI_LBA lba, UINTN size, void *buffer)
{
    firmware.moves++;
    if (media != firmware.media.MediaId || size % BLOCK != 0 || lba + size / BLOCK > BLOCKS)
        return EFI_INVALID_PARAMETER;
    if (firmware.media.IoAlign > 1 && (uintptr_t)buffer % firmware.media.IoAlign != 0) {
        firmware.refused++;
        return EFI_INVALID_PARAMETER;
    }
    bool is_bad = lba <= firmware.bad && firmware.bad < lba + size / BLOCK;
    return is_bad || size > firmware.most ? firmware.beyond : EFI_SUCCESS;
}

static EFI_STATUS EFIAPI read_blocks(EFI_BLOCK_IO_PROTOCOL *driver, UINT32 media, EFI_LBA lba,
                                     UINTN size, void *buffer)
{
    (void)driver;
    EFI_STATUS efi = check(media, lba, size, buffer);
    if (!EFI_ERROR(efi) && !firmware.promises)
        memcpy(buffer, firmware.disk + lba * BLOCK, size);
    return efi;
}

static EFI_STATUS EFIAPI write_blocks(EFI_BLOCK_IO_PROTOCOL *driver, UINT32 media, EFI_LBA lba,
                                      UINTN size, void *buffer)
{
    (void)driver;
    EFI_STATUS efi = check(media, lba, size, buffer);
    if (!EFI_ERROR(efi))
        memcpy(firmware.disk + lba * BLOCK, buffer, size);
    return efi;
}

static EFI_STATUS EFIAPI flush_blocks(EFI_BLOCK_IO_PROTOCOL *driver)
{
    (void)driver;
    return firmware.flushed;
}

static int start(void **state)
{
    (void)state;
    memset(&firmware, 0, sizeof(firmware));
    firmware.boot.HandleProtocol = handle_protocol;
    firmware.boot.LocateHandleBuffer = locate_handles;
    firmware.boot.AllocatePages = allocate_pages;
    firmware.boot.FreePages = free_pages;
    firmware.boot.FreePool = free_pool;
    firmware.media = (EFI_BLOCK_IO_MEDIA){.MediaId = 1,
                                          .MediaPresent = TRUE,
                                          .BlockSize = BLOCK,
                                          .IoAlign = 512,
                                          .LastBlock = BLOCKS - 1};
    firmware.driver = (EFI_BLOCK_IO_PROTOCOL){.Revision = 0,
                                              .Media = &firmware.media,
                                              .ReadBlocks = read_blocks,
                                              .WriteBlocks = write_blocks,
                                              .FlushBlocks = flush_blocks};
    firmware.most = BLOCKS * BLOCK;
    firmware.beyond = EFI_DEVICE_ERROR;
    firmware.bad = UINT64_MAX;
    firmware.has_path = true;
    firmware.has_pages = true;
    firmware.disk = malloc(BLOCKS * BLOCK);
    for (size_t i = 0; i < BLOCKS * BLOCK; i++)
        firmware.disk[i] = (uint8_t)(i / BLOCK * 7 + i);
    uefi = (struct uefi){.boot = &firmware.boot};
    return 0;
}

static int stop(void **state)
{
    (void)state;
    free(firmware.disk);
    return 0;
}

/* At every address that a caller may have, and in pieces larger than one transfer. */
static void check_moves(struct uefi_blocks *blocks)
{
    const struct block_port *disk = &blocks->disks[0];
    const uint32_t counts[] = {1, 3, 2 * 2048 - 1};
    uint8_t *memory = aligned_alloc(4096, BLOCKS * BLOCK + 4096);

    for (size_t offset = 0; offset <= 512; offset += offset < 16 ? 1 : 31) {
        for (size_t i = 0; i < COUNT_OF(counts); i++) {
            size_t size = counts[i] * BLOCK;
            memset(memory, 0xee, BLOCKS * BLOCK + 4096);
            assert_int_equal(disk->read(disk->ctx, 1, counts[i], memory + offset), ST_OK);
            assert_memory_equal(memory + offset, firmware.disk + BLOCK, size);
            assert_int_equal(memory[offset + size], 0xee);
            memset(memory + offset, (int)offset + 1, size);
            assert_int_equal(disk->write(disk->ctx, 1, counts[i], memory + offset), ST_OK);
            assert_memory_equal(memory + offset, firmware.disk + BLOCK, size);
            assert_int_equal(disk->flush(disk->ctx), ST_OK);
        }
    }
    free(memory);
}

static void disk_of_uboot_is_read_and_written_as_it_wants(void **state)
{
    const uint32_t aligns[] = {0, 1, 8, 512, 4096};
    uint8_t room[4096];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(aligns); i++) {
        struct arena arena;
        struct uefi_blocks blocks;
        firmware.media.IoAlign = aligns[i];
        arena_init(&arena, room, sizeof(room));
        assert_int_equal(uefi_blocks_open(&uefi, &arena, &blocks), ST_OK);
        assert_int_equal(blocks.count, 1);
        assert_int_equal(blocks.disks[0].block_count, BLOCKS);
        assert_int_equal(blocks.disks[0].path.size, sizeof(disk_path));
        check_moves(&blocks);
        assert_int_equal(firmware.refused, 0);
        uefi_blocks_close(&blocks);
    }
}

/* --- An open disk ----------------------------------------------------------------------------- */

static struct uefi_blocks opened;
static const struct block_port *port;
static uint8_t *memory;

static int open_disk_of_uboot(void **state)
{
    static uint8_t room[4096];
    struct arena arena;

    (void)start(state);
    arena_init(&arena, room, sizeof(room));
    memory = aligned_alloc(4096, BLOCKS * BLOCK);
    if (uefi_blocks_open(&uefi, &arena, &opened) != ST_OK || opened.count != 1)
        return -1;
    port = &opened.disks[0];
    return 0;
}

static int close_disk(void **state)
{
    uefi_blocks_close(&opened);
    free(memory);
    return stop(state);
}

/* Fails the test unless a transfer of so many blocks ends like this, after so many calls of the driver. */
static void expect_read(uint32_t count, enum status wanted, size_t moves)
{
    firmware.moves = 0;
    assert_int_equal(port->read(port->ctx, 0, count, memory), wanted);
    assert_int_equal(firmware.moves, moves);
    if (wanted == ST_OK)
        assert_memory_equal(memory, firmware.disk, count * BLOCK);
}

static void expect_no_disk(void)
{
    uint8_t before[BLOCK];

    memcpy(before, firmware.disk, BLOCK);
    memset(memory, 0xee, BLOCK);
    firmware.moves = 0;
    assert_int_equal(port->read(port->ctx, 0, 1, memory), ST_IO);
    assert_int_equal(port->write(port->ctx, 0, 1, memory), ST_IO);
    assert_int_equal(port->flush(port->ctx), ST_IO);
    assert_int_equal(firmware.moves, 0);
    assert_memory_equal(firmware.disk, before, BLOCK);
}

/* What was planned for one medium must not be written to another. */
static void medium_that_is_another_by_now_is_not_touched(void **state)
{
    const EFI_BLOCK_IO_MEDIA known = firmware.media;

    (void)state;
    firmware.media.MediaId++;
    expect_no_disk();
    firmware.media = known;
    firmware.media.MediaPresent = FALSE;
    expect_no_disk();
    firmware.media = known;
    firmware.media.LastBlock--;
    expect_no_disk();
    firmware.media = known;
    firmware.media.BlockSize = 4096;
    expect_no_disk();
    firmware.media = known;
    firmware.driver.Media = NULL;
    expect_no_disk();
    firmware.driver.Media = &firmware.media;
    assert_int_equal(port->read(port->ctx, 0, 1, memory), ST_OK);
}

static void switch_that_was_turned_meanwhile_protects_from_writes(void **state)
{
    (void)state;
    firmware.media.ReadOnly = TRUE;
    assert_int_equal(port->write(port->ctx, 0, 1, memory), ST_READ_ONLY);
    assert_int_equal(firmware.moves, 0);
    firmware.media.ReadOnly = FALSE;
    firmware.most = 0;
    firmware.beyond = EFI_WRITE_PROTECTED;
    assert_int_equal(port->write(port->ctx, 0, 2 * 2048, memory), ST_READ_ONLY);
    assert_int_equal(firmware.moves, 1);
}

static void block_behind_the_end_is_not_asked_for(void **state)
{
    (void)state;
    assert_int_equal(port->read(port->ctx, BLOCKS, 1, memory), ST_IO);
    assert_int_equal(port->read(port->ctx, BLOCKS + 1, 1, memory), ST_IO);
    assert_int_equal(port->write(port->ctx, BLOCKS - 1, 2, memory), ST_IO);
    assert_int_equal(port->read(port->ctx, UINT64_MAX, 2, memory), ST_IO);
    assert_int_equal(firmware.moves, 0);
    assert_int_equal(port->read(port->ctx, BLOCKS - 1, 1, memory), ST_OK);
}

/* Some drivers report success for a read that failed on the disk. */
static void read_that_read_nothing_is_an_error(void **state)
{
    (void)state;
    firmware.promises = true;
    memset(memory, 0, 3 * BLOCK);
    assert_int_equal(port->read(port->ctx, 0, 3, memory), ST_IO);
    assert_int_equal(port->read(port->ctx, 0, 3, memory + 1), ST_IO);
}

/* 2048 blocks are 1 MiB: tried at once, in halves and in quarters; from then on in quarters. */
static void driver_that_takes_little_at_once_is_given_little(void **state)
{
    (void)state;
    expect_read(2048, ST_OK, 1);
    firmware.most = 512 * BLOCK;
    expect_read(2048, ST_OK, 2 + 4);
    expect_read(2048, ST_OK, 4);
}

/* Halves down to 64 KiB are tried, which is where it ends; all else goes on at once. */
static void bad_block_does_not_slow_down_the_rest(void **state)
{
    (void)state;
    firmware.bad = 0;
    expect_read(2048, ST_IO, 5); /* 1024, 512, 256, 128 and 64 KiB */
    firmware.bad = UINT64_MAX;
    expect_read(2048, ST_OK, 1);
}

static void trouble_that_no_size_helps_is_said_at_once(void **state)
{
    (void)state;
    firmware.bad = 0;
    firmware.beyond = EFI_MEDIA_CHANGED;
    expect_read(2048, ST_IO, 1);
    firmware.beyond = EFI_NO_MEDIA;
    expect_read(2048, ST_IO, 1);
    firmware.beyond = EFI_OUT_OF_RESOURCES; /* which smaller ones may not meet */
    expect_read(2048, ST_NO_MEMORY, 5);
}

static void flush_is_done_when_driver_and_disk_have_done_it(void **state)
{
    (void)state;
    assert_int_equal(port->flush(port->ctx), ST_OK);
    firmware.flushed = EFI_DEVICE_ERROR;
    assert_int_equal(port->flush(port->ctx), ST_IO);
    firmware.flushed = EFI_SUCCESS;
    firmware.cache_flushed = EFI_DEVICE_ERROR;
    assert_int_equal(port->flush(port->ctx), ST_IO);
}

/* --- What is a disk --------------------------------------------------------------------------- */

static size_t count_disks(void)
{
    static uint8_t room[4096];
    struct uefi_blocks blocks;
    struct arena arena;

    arena_init(&arena, room, sizeof(room));
    assert_int_equal(uefi_blocks_open(&uefi, &arena, &blocks), ST_OK);
    uefi_blocks_close(&blocks);
    return blocks.count;
}

static void what_is_no_disk_is_left_out(void **state)
{
    const EFI_BLOCK_IO_MEDIA disk = firmware.media;
    EFI_BLOCK_IO_MEDIA others[] = {disk, disk, disk, disk, disk, disk, disk, disk};

    (void)state;
    others[0].LogicalPartition = TRUE;
    others[1].MediaPresent = FALSE;
    others[2].BlockSize = 256;
    others[3].BlockSize = 520;
    others[4].BlockSize = 131072;
    others[5].LastBlock = UINT64_MAX;
    others[6].IoAlign = 24;
    others[7].IoAlign = 2u << 20;
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        firmware.media = others[i];
        assert_int_equal(count_disks(), 0);
    }
    firmware.media = disk;
    assert_int_equal(count_disks(), 1);
    firmware.has_path = false; /* a boot entry could not name it */
    assert_int_equal(count_disks(), 0);
    firmware.has_path = true;
    firmware.driver.Media = NULL;
    assert_int_equal(count_disks(), 0);
}

/* A disk that is left out because of it would be taken for one that is not there. */
static void lack_of_memory_is_said_and_no_disk_left_out(void **state)
{
    static uint8_t room[4096];
    struct uefi_blocks blocks;
    enum status status = ST_NO_MEMORY;
    size_t size = 0;

    (void)state;
    for (; status == ST_NO_MEMORY && size < sizeof(room); size += 8) {
        struct arena arena;
        arena_init(&arena, room, size);
        status = uefi_blocks_open(&uefi, &arena, &blocks);
        uefi_blocks_close(&blocks);
    }
    assert_int_equal(status, ST_OK);
    assert_int_equal(blocks.count, 1);
    assert_true(size > 8 * 8);
    firmware.has_pages = false;
    struct arena arena;
    arena_init(&arena, room, sizeof(room));
    assert_int_equal(uefi_blocks_open(&uefi, &arena, &blocks), ST_NO_MEMORY);
    uefi_blocks_close(&blocks);
}

#define ON_DISK(test) cmocka_unit_test_setup_teardown(test, open_disk_of_uboot, close_disk)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(disk_of_uboot_is_read_and_written_as_it_wants, start, stop),
        ON_DISK(medium_that_is_another_by_now_is_not_touched),
        ON_DISK(switch_that_was_turned_meanwhile_protects_from_writes),
        ON_DISK(block_behind_the_end_is_not_asked_for),
        ON_DISK(read_that_read_nothing_is_an_error),
        ON_DISK(driver_that_takes_little_at_once_is_given_little),
        ON_DISK(bad_block_does_not_slow_down_the_rest),
        ON_DISK(trouble_that_no_size_helps_is_said_at_once),
        ON_DISK(flush_is_done_when_driver_and_disk_have_done_it),
        cmocka_unit_test_setup_teardown(what_is_no_disk_is_left_out, start, stop),
        cmocka_unit_test_setup_teardown(lack_of_memory_is_said_and_no_disk_left_out, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
