/*
 * Writes a partition table into an image, for programs of others to judge:
 *
 *   gpt_make IMAGE BLOCK_SIZE ENTRIES ENTRY_SIZE [FIRST LAST]...
 *
 * A partition of basic data for each pair. Prints "phases N writes N", or "status TEXT".
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/gpt_edit.h"
#include "host/host_alloc.h"
#include "unit/image_fixture.h"

#define ARENA_SIZE (16u << 20)

static const struct guid disk_guid = GUID_INIT(0xc0ffee00, 0x1111, 0x4222, 0x8333, 0x0123456789ab);
static const struct guid basic_data = GUID_INIT(0xebd0a0a2, 0xb9e5, 0x4433, 0x87c0, 0x68b6b72699c7);

static struct image map_image(const char *file, uint32_t block_size)
{
    int number = open(file, O_RDWR);
    struct stat found;

    if (number < 0 || fstat(number, &found) != 0)
        host_fail("no such image");
    void *bytes = mmap(NULL, (size_t)found.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, number, 0);
    if (bytes == MAP_FAILED)
        host_fail("the image cannot be mapped");
    close(number);
    return (struct image){.bytes = bytes,
                          .block_size = block_size,
                          .block_count = (uint64_t)found.st_size / block_size};
}

static void put_entry(uint8_t *at, size_t number, uint64_t first, uint64_t last)
{
    for (size_t i = 0; i < sizeof(basic_data.bytes); i++) {
        at[i] = basic_data.bytes[i];
        at[16 + i] = disk_guid.bytes[i];
    }
    at[31] = (uint8_t)(number + 1);
    st_le64(at + 32, first);
    st_le64(at + 40, last);
    st_le16(at + 56, (uint16_t)('A' + number));
}

int main(int argc, char **argv)
{
    static uint8_t memory[ARENA_SIZE];
    struct disk_edit edit;
    struct arena arena;

    if (argc < 5 || argc % 2 == 0)
        host_fail("usage: gpt_make IMAGE BLOCK_SIZE ENTRIES ENTRY_SIZE [FIRST LAST]...");
    struct image image = map_image(argv[1], (uint32_t)atoi(argv[2]));
    struct gpt_edit_request request = {
        .block_size = image.block_size,
        .block_count = image.block_count,
        .disk_guid = disk_guid,
        .entry_count = (uint32_t)atoi(argv[3]),
        .entry_size = (uint32_t)atoi(argv[4]),
        .mbr = span_of(image.bytes, image.block_size),
        .write_mbr = true,
    };
    uint8_t *entries = host_alloc(request.entry_count, request.entry_size);
    for (int i = 5; i + 1 < argc; i += 2) {
        size_t number = (size_t)(i - 5) / 2;
        put_entry(entries + number * request.entry_size, number, strtoull(argv[i], NULL, 0),
                  strtoull(argv[i + 1], NULL, 0));
    }
    request.entries = span_of(entries, (size_t)request.entry_count * request.entry_size);
    arena_init(&arena, memory, sizeof(memory));
    enum status status = gpt_edit(&arena, &request, &edit);
    if (status == ST_OK) {
        struct image_units units = image_units_of(&image, &edit, NULL, NULL);
        image_apply(&image, &units);
        printf("phases %u writes %zu\n", edit.phase_count, edit.write_count);
        image_units_free(&units);
    } else {
        printf("status %s\n", status_text(status));
    }
    free(entries);
    return 0;
}
