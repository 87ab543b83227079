#include "memory.h"

#define STEP_PAGES (ARENA_STEP / EFI_PAGE_SIZE)
#define MAP_SLACK \
    (8 * sizeof(EFI_MEMORY_DESCRIPTOR)) /* bytes: asking for memory lengthens the map */
#define MAP_TRIES 4

struct piece {
    EFI_PHYSICAL_ADDRESS start;
    uint64_t size; /* bytes */
};

/* Without the page at address 0, to which no pointer can lead. */
static struct piece piece_of(const EFI_MEMORY_DESCRIPTOR *found)
{
    struct piece piece = {found->PhysicalStart, found->NumberOfPages * EFI_PAGE_SIZE};

    if (piece.start == 0 && piece.size > 0)
        piece = (struct piece){EFI_PAGE_SIZE, piece.size - EFI_PAGE_SIZE};
    return piece;
}

/* The largest free piece in a map; one of no bytes when nothing is free. */
static struct piece largest_piece(const void *map, size_t size, size_t descriptor_size)
{
    struct piece largest = {0, 0};

    for (size_t at = 0; at + descriptor_size <= size; at += descriptor_size) {
        const EFI_MEMORY_DESCRIPTOR *found = (const void *)((const uint8_t *)map + at);
        struct piece piece = piece_of(found);
        if (found->Type == EfiConventionalMemory && piece.size > largest.size &&
            piece.start <= UINTPTR_MAX - piece.size)
            largest = piece;
    }
    return largest;
}

/* The same in the map as it is now. Statuses: ST_OK; ST_NO_MEMORY. */
static enum status find_piece(EFI_BOOT_SERVICES *boot, struct piece *ret_piece)
{
    UINTN size = 0;
    UINTN key = 0;
    UINTN descriptor_size = 0;
    UINT32 version = 0;
    EFI_STATUS efi = EFI_BUFFER_TOO_SMALL;
    void *map = NULL;

    boot->GetMemoryMap(&size, NULL, &key, &descriptor_size, &version);
    for (int i = 0; i < MAP_TRIES && efi == EFI_BUFFER_TOO_SMALL; i++) {
        size += MAP_SLACK;
        if (boot->AllocatePool(EfiLoaderData, size, &map) != EFI_SUCCESS)
            return ST_NO_MEMORY;
        efi = boot->GetMemoryMap(&size, map, &key, &descriptor_size, &version);
        if (efi == EFI_SUCCESS)
            *ret_piece = largest_piece(map, size, descriptor_size);
        boot->FreePool(map);
    }
    return efi == EFI_SUCCESS ? ST_OK : ST_NO_MEMORY;
}

/* Takes one step. False when somebody else has it. */
static bool take_step(struct uefi_memory *memory, size_t step)
{
    EFI_PHYSICAL_ADDRESS at = memory->base + step * ARENA_STEP;

    if (!memory->taken[step])
        memory->taken[step] = memory->boot->AllocatePages(AllocateAddress, EfiLoaderData,
                                                          STEP_PAGES, &at) == EFI_SUCCESS;
    return memory->taken[step];
}

static bool put_memory(void *ctx, const void *at, size_t size)
{
    struct uefi_memory *memory = ctx;
    size_t first = (uintptr_t)at - (uintptr_t)memory->base;

    for (size_t i = first / ARENA_STEP; i <= (first + size - 1) / ARENA_STEP; i++) {
        if (!take_step(memory, i))
            return false;
    }
    return true;
}

enum status uefi_memory_open(EFI_BOOT_SERVICES *boot, struct uefi_memory *ret_memory,
                             struct arena *ret_arena)
{
    struct piece piece;
    enum status status = find_piece(boot, &piece);

    if (status != ST_OK)
        return status;
    uint64_t size = piece.size / 2 < MEMORY_MOST ? piece.size / 2 : MEMORY_MOST;
    if (size < MEMORY_LEAST)
        return ST_NO_MEMORY;
    *ret_memory =
        (struct uefi_memory){.boot = boot, .base = piece.start, .source = {ret_memory, put_memory}};
    arena_init_from(ret_arena, &ret_memory->source, (void *)(uintptr_t)piece.start,
                    (size_t)size / ARENA_STEP * ARENA_STEP);
    return ST_OK;
}

void uefi_memory_close(struct uefi_memory *memory)
{
    for (size_t i = 0; i < COUNT_OF(memory->taken); i++) {
        if (memory->taken[i])
            memory->boot->FreePages(memory->base + i * ARENA_STEP, STEP_PAGES);
        memory->taken[i] = false;
    }
}
