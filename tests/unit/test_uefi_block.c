/*
 * Block I/O of a firmware as U-Boot is one: revision 0, no protocol beside it, and buffers that have to
 * be aligned as it says.
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
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI handle_protocol(EFI_HANDLE handle, EFI_GUID *guid, void **ret_interface)
{
    if (handle != &disk_place)
        return EFI_UNSUPPORTED;
    if (memcmp(guid, &block_io_guid, sizeof(*guid)) == 0)
        *ret_interface = &firmware.driver;
    else if (memcmp(guid, &other_device_path_guid, sizeof(*guid)) == 0)
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
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI read_blocks(EFI_BLOCK_IO_PROTOCOL *driver, UINT32 media, EFI_LBA lba,
                                     UINTN size, void *buffer)
{
    (void)driver;
    EFI_STATUS efi = check(media, lba, size, buffer);
    if (!EFI_ERROR(efi))
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
    return EFI_SUCCESS;
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
    const struct block_port *port = &blocks->disks[0];
    const uint32_t counts[] = {1, 3, 2 * 2048 - 1};
    uint8_t *memory = aligned_alloc(4096, BLOCKS * BLOCK + 4096);

    for (size_t offset = 0; offset <= 512; offset += offset < 16 ? 1 : 31) {
        for (size_t i = 0; i < COUNT_OF(counts); i++) {
            size_t size = counts[i] * BLOCK;
            memset(memory, 0xee, BLOCKS * BLOCK + 4096);
            assert_int_equal(port->read(port->ctx, 1, counts[i], memory + offset), ST_OK);
            assert_memory_equal(memory + offset, firmware.disk + BLOCK, size);
            assert_int_equal(memory[offset + size], 0xee);
            memset(memory + offset, (int)offset + 1, size);
            assert_int_equal(port->write(port->ctx, 1, counts[i], memory + offset), ST_OK);
            assert_memory_equal(memory + offset, firmware.disk + BLOCK, size);
            assert_int_equal(port->flush(port->ctx), ST_OK);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(disk_of_uboot_is_read_and_written_as_it_wants, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
