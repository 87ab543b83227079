/*
 * The arena's memory as it comes from firmware, against a firmware of 20 MiB that notes each page:
 * nothing is touched that was not given, little is taken at once, and all is given back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <sanitizer/asan_interface.h>

#include "../../efi/firmware/memory.c"

#define PAGE        EFI_PAGE_SIZE
#define PAGES       (20u << 20 >> EFI_PAGE_SHIFT)
#define FREE_FROM   10u /* pages before it are others', but for a small piece */
#define ODD_SIZE    (sizeof(EFI_MEMORY_DESCRIPTOR) + 8) /* of a descriptor: firmware's own choice */
#define POOL_SIZE   4096u
#define ARENA_LEAST (4u << 20)

/* The firmware. */
static struct {
    EFI_BOOT_SERVICES boot;
    uint8_t *memory;
    bool given[PAGES];
    size_t free_pages; /* of the largest piece, which begins at FREE_FROM */
    size_t calls;      /* of AllocatePages */
    size_t fail_at;    /* the call that fails, from 1 */
    size_t most_pages; /* that one call gave */
    size_t pools;      /* that are not given back */
    bool grows;        /* the map, with each piece of pool */
} firmware;

static EFI_PHYSICAL_ADDRESS address_of(size_t page)
{
    return (EFI_PHYSICAL_ADDRESS)(uintptr_t)(firmware.memory + page * PAGE);
}

static size_t page_at(EFI_PHYSICAL_ADDRESS address)
{
    assert_int_equal((address - address_of(0)) % PAGE, 0);
    return (size_t)(address - address_of(0)) / PAGE;
}

static EFI_STATUS EFIAPI allocate_pages(EFI_ALLOCATE_TYPE type, EFI_MEMORY_TYPE kind, UINTN count,
                                        EFI_PHYSICAL_ADDRESS *io_address)
{
    size_t first = page_at(*io_address);

    assert_int_equal(type, AllocateAddress);
    assert_int_equal(kind, EfiLoaderData);
    firmware.calls++;
    if (firmware.calls == firmware.fail_at)
        return EFI_NOT_FOUND;
    if (count > firmware.most_pages)
        firmware.most_pages = count;
    for (size_t i = first; i < first + count; i++) {
        assert_in_range(i, FREE_FROM, FREE_FROM + firmware.free_pages - 1);
        assert_false(firmware.given[i]);
        firmware.given[i] = true;
    }
    ASAN_UNPOISON_MEMORY_REGION(firmware.memory + first * PAGE, count * PAGE);
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI free_pages(EFI_PHYSICAL_ADDRESS address, UINTN count)
{
    size_t first = page_at(address);

    for (size_t i = first; i < first + count; i++) {
        assert_true(firmware.given[i]);
        firmware.given[i] = false;
    }
    ASAN_POISON_MEMORY_REGION(firmware.memory + first * PAGE, count * PAGE);
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI allocate_pool(EFI_MEMORY_TYPE kind, UINTN size, void **ret_buffer)
{
    (void)kind;
    *ret_buffer = malloc(size);
    firmware.pools++;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI free_pool(void *buffer)
{
    free(buffer);
    firmware.pools--;
    return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI get_memory_map(UINTN *io_size, EFI_MEMORY_DESCRIPTOR *ret_map,
                                        UINTN *ret_key, UINTN *ret_descriptor_size,
                                        UINT32 *ret_version)
{
    const struct {
        UINT32 type;
        size_t page;
        size_t count;
    } rows[] = {
        {EfiLoaderCode, 0, 1},
        {EfiConventionalMemory, 1, 2},
        {EfiReservedMemoryType, 3, PAGES},
        {EfiConventionalMemory, FREE_FROM, firmware.free_pages},
        {EfiConventionalMemory, 5, 3},
        {EfiRuntimeServicesData, FREE_FROM + firmware.free_pages, PAGES},
    };
    size_t shown = COUNT_OF(rows);
    UINTN room = *io_size;

    *ret_descriptor_size = ODD_SIZE;
    *ret_key = 1;
    *ret_version = 1;
    *io_size = (shown + (firmware.grows ? 20 : 0)) * ODD_SIZE;
    firmware.grows = false;
    if (room < *io_size)
        return EFI_BUFFER_TOO_SMALL;
    for (size_t i = 0; i < shown; i++) {
        EFI_MEMORY_DESCRIPTOR row = {.Type = rows[i].type,
                                     .PhysicalStart = address_of(rows[i].page),
                                     .NumberOfPages = rows[i].count};
        memcpy((uint8_t *)ret_map + i * ODD_SIZE, &row, sizeof(row));
    }
    *io_size = shown * ODD_SIZE;
    return EFI_SUCCESS;
}

static void power_on(size_t free_pages_there)
{
    static uint8_t *memory;

    if (memory == NULL)
        memory = aligned_alloc(PAGE, PAGES * PAGE);
    assert_non_null(memory);
    memset(&firmware, 0, sizeof(firmware));
    firmware.memory = memory;
    firmware.free_pages = free_pages_there;
    firmware.boot.AllocatePages = allocate_pages;
    firmware.boot.FreePages = free_pages;
    firmware.boot.AllocatePool = allocate_pool;
    firmware.boot.FreePool = free_pool;
    firmware.boot.GetMemoryMap = get_memory_map;
    ASAN_POISON_MEMORY_REGION(memory, PAGES * PAGE);
}

static size_t pages_given(void)
{
    size_t count = 0;

    for (size_t i = 0; i < PAGES; i++)
        count += firmware.given[i];
    return count;
}

static void half_of_the_largest_free_piece_is_the_arena(void **state)
{
    static const struct {
        size_t pages;
        size_t size; /* 0: too little */
    } cases[] = {
        {2 * (ARENA_LEAST / PAGE), ARENA_LEAST},
        {2 * (ARENA_LEAST / PAGE) - 1, 0},
        {2 * (ARENA_LEAST / PAGE) + 2 * STEP_PAGES - 1, ARENA_LEAST},
        {2 * (ARENA_LEAST / PAGE) + 2 * STEP_PAGES, ARENA_LEAST + ARENA_STEP},
        {0, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct uefi_memory memory;
        struct arena arena = {.size = 0};
        power_on(cases[i].pages);
        enum status status = uefi_memory_open(&firmware.boot, &memory, &arena);
        assert_int_equal(status, cases[i].size == 0 ? ST_NO_MEMORY : ST_OK);
        assert_int_equal(arena.size, cases[i].size);
        assert_int_equal(firmware.pools, 0);
        assert_int_equal(firmware.calls, 0);
    }
}

static void a_map_that_grows_meanwhile_is_asked_for_again(void **state)
{
    struct uefi_memory memory;
    struct arena arena;

    (void)state;
    power_on(2 * (ARENA_LEAST / PAGE));
    firmware.grows = true;
    assert_int_equal(uefi_memory_open(&firmware.boot, &memory, &arena), ST_OK);
    assert_int_equal(firmware.pools, 0);
}

static void only_what_is_used_is_taken_and_all_is_given_back(void **state)
{
    struct uefi_memory memory;
    struct arena arena;
    struct arena part;

    (void)state;
    power_on(4 * (ARENA_LEAST / PAGE));
    assert_int_equal(uefi_memory_open(&firmware.boot, &memory, &arena), ST_OK);
    memset(arena_alloc(&arena, 1, 1000), 1, 1000);
    assert_int_equal(pages_given(), STEP_PAGES);
    memset(arena_alloc(&arena, 2, ARENA_STEP), 2, 2 * ARENA_STEP);
    assert_int_equal(pages_given(), 3 * STEP_PAGES);
    assert_true(arena_part(&arena, 1000, &part));
    memset(arena_alloc(&part, 1, 1000 - 16), 3, 1000 - 16);
    assert_int_equal(pages_given(), 4 * STEP_PAGES);
    assert_true(firmware.most_pages <= STEP_PAGES);
    uefi_memory_close(&memory);
    assert_int_equal(pages_given(), 0);
}

static void each_refusal_is_a_full_arena_and_loses_nothing(void **state)
{
    (void)state;
    for (size_t fail_at = 1; fail_at <= ARENA_LEAST / ARENA_STEP; fail_at++) {
        struct uefi_memory memory;
        struct arena arena;
        power_on(2 * (ARENA_LEAST / PAGE));
        firmware.fail_at = fail_at;
        assert_int_equal(uefi_memory_open(&firmware.boot, &memory, &arena), ST_OK);
        assert_null(arena_alloc(&arena, 1, ARENA_LEAST));
        assert_int_equal(arena.used, 0);
        assert_int_equal(pages_given(), (fail_at - 1) * STEP_PAGES);
        assert_non_null(arena_alloc(&arena, 1, ARENA_LEAST)); /* it was to be had later */
        assert_int_equal(pages_given(), ARENA_LEAST / PAGE);
        uefi_memory_close(&memory);
        assert_int_equal(pages_given(), 0);
    }
}

static void page_zero_is_left_alone(void **state)
{
    const EFI_MEMORY_DESCRIPTOR first = {
        .Type = EfiConventionalMemory, .PhysicalStart = 0, .NumberOfPages = 3};
    const EFI_MEMORY_DESCRIPTOR only = {
        .Type = EfiConventionalMemory, .PhysicalStart = 0, .NumberOfPages = 1};

    (void)state;
    struct piece piece = largest_piece(&first, sizeof(first), sizeof(first));
    assert_int_equal(piece.start, PAGE);
    assert_int_equal(piece.size, 2 * PAGE);
    assert_int_equal(largest_piece(&only, sizeof(only), sizeof(only)).size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_of_the_largest_free_piece_is_the_arena),
        cmocka_unit_test(a_map_that_grows_meanwhile_is_asked_for_again),
        cmocka_unit_test(only_what_is_used_is_taken_and_all_is_given_back),
        cmocka_unit_test(each_refusal_is_a_full_arena_and_loses_nothing),
        cmocka_unit_test(page_zero_is_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
