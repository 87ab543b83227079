/* A disk of large blocks, read in the smaller ones of a file system that was made elsewhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "format/fat/fat_narrow.h"
#include "host/host_ports.h"
#include "unit/bytes_fixture.h"

#define LARGE 4096u
#define SMALL 512u
#define COUNT 16u /* large blocks */

static uint8_t image[COUNT * LARGE];

static int set_up(void **state)
{
    struct host *host = host_new();

    (void)host_add_disk(host, DISK_AHCI, LARGE, COUNT);
    for (size_t i = 0; i < sizeof(image); i++)
        image[i] = (uint8_t)(i / SMALL * 7 + i);
    mem_block_write(host->disks[0], 0, image, sizeof(image));
    *state = host;
    return 0;
}

static int tear_down(void **state)
{
    host_free(*state);
    return 0;
}

static const struct block_port *narrow(struct host *host, struct arena *arena)
{
    const struct block_port *port = NULL;

    assert_int_equal(fat_narrow_new(arena, &host_ports(host)->disks[0], SMALL, &port), ST_OK);
    return port;
}

static void any_run_of_small_blocks_is_read(void **state)
{
    struct arena arena = fixture_scratch();
    const struct block_port *port = narrow(*state, &arena);
    static uint8_t read[COUNT * LARGE];

    assert_int_equal(port->block_size, SMALL);
    assert_int_equal(port->block_count, COUNT * LARGE / SMALL);
    for (uint32_t lba = 0; lba < 24; lba++) {
        for (uint32_t count = 1; count <= 40; count++) {
            memset(read, 0, sizeof(read));
            assert_int_equal(port->read(port->ctx, lba, count, read), ST_OK);
            assert_memory_equal(read, image + lba * SMALL, count * SMALL);
            assert_int_equal(read[count * SMALL], 0);
        }
    }
    assert_int_equal(port->read(port->ctx, port->block_count - 1, 1, read), ST_OK);
    assert_memory_equal(read, image + sizeof(image) - SMALL, SMALL);
}

static void nothing_is_written_in_small_blocks(void **state)
{
    struct arena arena = fixture_scratch();
    const struct block_port *port = narrow(*state, &arena);

    assert_true(port->read_only);
    assert_int_equal(port->write(port->ctx, 0, 1, image + SMALL), ST_READ_ONLY);
    assert_int_equal(port->flush(port->ctx), ST_OK);
}

static void bad_blocks_and_little_memory_are_told(void **state)
{
    struct host *host = *state;
    struct arena arena = fixture_scratch();
    const struct block_port *port = narrow(host, &arena);
    uint8_t read[LARGE * 2];
    struct arena full = {0};

    mem_block_spoil(host->disks[0], 1, 1);
    assert_int_equal(port->read(port->ctx, 7, 1, read), ST_OK);
    assert_int_equal(port->read(port->ctx, 7, 2, read), ST_IO);
    assert_int_equal(port->read(port->ctx, 8, 8, read), ST_IO);
    assert_int_equal(fat_narrow_new(&full, &host_ports(host)->disks[0], SMALL, &port),
                     ST_NO_MEMORY);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(any_run_of_small_blocks_is_read),
        CASE(nothing_is_written_in_small_blocks),
        CASE(bad_blocks_and_little_memory_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
