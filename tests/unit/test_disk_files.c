/* FAT file systems on disks as volumes: what is listed and read, and what follows a change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "model/disk_files.h"
#include "host/fault.h"
#include "unit/disk_machine_fixture.h"

#define KEPT_SIZE    (4u << 20)
#define SCRATCH_SIZE (64u << 20)
#define MANAGER      "\\EFI\\Microsoft\\Boot\\bootmgfw.efi"

struct bench {
    struct host *host;
    void *memory[2];
    struct arena kept, scratch;
    struct files_port port;
};

static int set_up(void **state)
{
    struct disk_machine_shape shape = disk_machine_usual();
    struct bench *bench = calloc(1, sizeof(*bench));
    struct disk_files *files = NULL;

    bench->host = disk_machine_new(&shape);
    bench->memory[0] = malloc(KEPT_SIZE);
    bench->memory[1] = malloc(SCRATCH_SIZE);
    arena_init(&bench->kept, bench->memory[0], KEPT_SIZE);
    arena_init(&bench->scratch, bench->memory[1], SCRATCH_SIZE);
    const struct ports *ports = host_ports(bench->host);
    assert_int_equal(
        disk_files_open(&bench->kept, &bench->scratch, ports->disks, ports->disk_count, &files),
        ST_OK);
    bench->port = disk_files_port(files);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;

    host_free(bench->host);
    free(bench->memory[0]);
    free(bench->memory[1]);
    free(bench);
    return 0;
}

static void each_esp_is_a_volume_under_the_path_firmware_gives_it(void **state)
{
    struct bench *bench = *state;
    const struct ports *ports = host_ports(bench->host);

    assert_int_equal(bench->port.volume_count, 2);
    assert_string_equal(bench->port.volumes[1].alias, "FS1:");
    for (size_t i = 0; i < 2; i++) {
        assert_true(bench->port.volumes[i].read_only);
        /* The host's own volumes have theirs from another builder. */
        assert_true(span_equal(bench->port.volumes[i].path, ports->files.volumes[i].path) ||
                    span_equal(bench->port.volumes[i].path, ports->files.volumes[i + 1].path));
    }
}

static void files_read_as_they_lie_on_the_blocks(void **state)
{
    struct bench *bench = *state;
    struct files_port *port = &bench->port;
    struct file_info info;
    size_t size = 0;
    size_t got = 0;
    uint8_t *wanted = disk_machine_file(bench->host, 1, MANAGER, &size);
    uint8_t *data = malloc(size + 100);

    assert_int_equal(port->stat(port->ctx, 1, "\\efi\\MICROSOFT\\boot\\BOOTMGFW.EFI", &info),
                     ST_OK);
    assert_string_equal(info.name, "bootmgfw.efi");
    assert_int_equal(info.size, size);
    assert_int_equal(port->read(port->ctx, 1, MANAGER, 0, data, size + 100, &got), ST_OK);
    assert_int_equal(got, size);
    assert_memory_equal(data, wanted, size);
    assert_int_equal(port->read(port->ctx, 1, MANAGER, 700, data, 1000, &got), ST_OK);
    assert_int_equal(got, 1000);
    assert_memory_equal(data, wanted + 700, 1000);
    assert_int_equal(port->read(port->ctx, 1, MANAGER, size - 3, data, 1000, &got), ST_OK);
    assert_int_equal(got, 3);
    assert_memory_equal(data, wanted + size - 3, 3);
    assert_int_equal(port->read(port->ctx, 1, MANAGER, size + 1, data, 1000, &got), ST_OK);
    assert_int_equal(got, 0);
    assert_int_equal(port->read(port->ctx, 1, "\\EFI", 0, data, 10, &got), ST_ABSENT);
    assert_int_equal(port->read(port->ctx, 2, MANAGER, 0, data, 10, &got), ST_IO);
    free(data);
    free(wanted);
}

static void a_folder_lists_what_is_in_it_and_no_deeper(void **state)
{
    struct bench *bench = *state;
    struct files_port *port = &bench->port;
    struct file_info info;
    size_t count = 0;
    bool folder = false;

    assert_int_equal(port->list(port->ctx, 0, "\\", 0, &info), ST_OK);
    assert_string_equal(info.name, "EFI");
    assert_int_equal(port->list(port->ctx, 0, "\\", 1, &info), ST_ABSENT);
    while (port->list(port->ctx, 0, "\\EFI", count, &info) == ST_OK) {
        folder = folder || strcmp(info.name, "Microsoft") == 0;
        count++;
    }
    assert_int_equal(count, 2);
    assert_true(folder);
    assert_int_equal(port->list(port->ctx, 0, "\\EF", 0, &info), ST_ABSENT);
}

/* What a file holds, by its blocks. */
static void assert_content(struct host *host, const char *path, const uint8_t *wanted, size_t size,
                           const char *mark)
{
    size_t got = 0;
    uint8_t *there = disk_machine_file(host, 1, path, &got);

    assert_non_null(there);
    assert_int_equal(got, size + strlen(mark));
    assert_memory_equal(there, wanted, size);
    assert_memory_equal(there + size, mark, strlen(mark));
    free(there);
}

static void what_is_appended_lies_behind_the_end_on_the_blocks(void **state)
{
    struct bench *bench = *state;
    struct files_port *port = &bench->port;
    struct file_info info;
    uint8_t data[20];
    size_t size = 0;
    size_t got = 0;
    uint8_t *manager = disk_machine_file(bench->host, 1, MANAGER, &size);

    assert_int_equal(port->write(port->ctx, 1, MANAGER, FILE_APPEND, "SBUNDO__", 8), ST_OK);
    assert_int_equal(port->write(port->ctx, 1, MANAGER, FILE_APPEND, "SBUNDONE", 8), ST_OK);
    assert_content(bench->host, MANAGER, manager, size, "SBUNDO__SBUNDONE");
    assert_int_equal(port->stat(port->ctx, 1, MANAGER, &info), ST_OK);
    assert_int_equal(info.size, size + 16);
    assert_int_equal(port->read(port->ctx, 1, MANAGER, size + 6, data, sizeof(data), &got), ST_OK);
    assert_int_equal(got, 10);
    assert_memory_equal(data, "__SBUNDONE", 10);
    assert_int_equal(port->write(port->ctx, 1, "\\x", FILE_APPEND, "x", 1), ST_ABSENT);
    assert_int_equal(port->write(port->ctx, 1, "\\EFI", FILE_APPEND, "x", 1), ST_ABSENT);
    assert_content(bench->host, MANAGER, manager, size, "SBUNDO__SBUNDONE");
    free(manager);
}

/* From the write `nth` on the disk takes nothing. */
static bool append_until(uint64_t nth)
{
    struct bench *bench = NULL;
    size_t size = 0;
    size_t got = 0;
    struct disk_files *files = NULL;

    assert_int_equal(set_up((void **)&bench), 0);
    uint8_t *manager = disk_machine_file(bench->host, 1, MANAGER, &size);
    struct fault *fault = fault_new(host_ports(bench->host));
    const struct ports *ports = fault_ports(fault);
    fault_fail(fault, FAULT_BLOCK_WRITE, nth, ST_IO, true);
    arena_release(&bench->kept, 0);
    assert_int_equal(
        disk_files_open(&bench->kept, &bench->scratch, ports->disks, ports->disk_count, &files),
        ST_OK);
    struct files_port port = disk_files_port(files);
    enum status status = port.write(port.ctx, 1, MANAGER, FILE_APPEND, "SBUNDONE", 8);
    bool tripped = fault_tripped(fault);
    assert_int_equal(status, tripped ? ST_IO : ST_OK);
    uint8_t *there = disk_machine_file(bench->host, 1, MANAGER, &got);
    assert_non_null(there);
    assert_true(got == size || got == size + 8);
    assert_true(tripped || got == size + 8);
    assert_memory_equal(there, manager, size);
    free(there);
    free(manager);
    fault_free(fault);
    tear_down((void **)&bench);
    return tripped;
}

static void an_append_that_ends_anywhere_leaves_the_file_as_it_was_or_whole(void **state)
{
    uint64_t nth = 1;

    (void)state;
    while (append_until(nth))
        nth++;
    assert_true(nth > 4);
}

static void a_damaged_file_system_is_not_appended_to(void **state)
{
    struct bench *bench = *state;
    struct files_port *port = &bench->port;
    size_t size = 0;

    disk_machine_break_fat(bench->host, 1, "\\EFI\\BOOT\\BOOTX64.EFI");
    uint8_t *manager = disk_machine_file(bench->host, 1, MANAGER, &size);
    assert_int_equal(port->write(port->ctx, 1, MANAGER, FILE_APPEND, "SBUNDONE", 8), ST_REFUSED);
    assert_content(bench->host, MANAGER, manager, size, "");
    free(manager);
}

static void nothing_new_is_written(void **state)
{
    struct bench *bench = *state;
    struct files_port *port = &bench->port;

    assert_int_equal(port->write(port->ctx, 0, "\\x", FILE_CREATE, "x", 1), ST_READ_ONLY);
    assert_int_equal(port->write(port->ctx, 0, MANAGER, FILE_REPLACE, "x", 1), ST_READ_ONLY);
    assert_int_equal(port->remove(port->ctx, 0, MANAGER), ST_READ_ONLY);
}

static void volumes_follow_the_disks_when_they_are_renewed(void **state)
{
    struct bench *bench = *state;
    struct files_port *port = &bench->port;
    const struct ports *ports = host_ports(bench->host);
    struct span path = ports->disks[0].path;
    struct span before = port->volumes[1].path;
    struct file_info info;

    assert_int_equal(port->stat(port->ctx, 1, MANAGER, &info), ST_OK);
    assert_int_equal(port->release(port->ctx, path), ST_OK);
    assert_int_equal(port->stat(port->ctx, 0, MANAGER, &info), ST_ABSENT);
    assert_int_equal(port->stat(port->ctx, 1, MANAGER, &info), ST_OK);
    assert_int_equal(port->release(port->ctx, span_of(path.at, path.size - 1)), ST_IO);
    disk_machine_zero_boot_sector(bench->host, 0);
    disk_machine_delete(bench->host, 1, MANAGER);
    assert_int_equal(port->renew(port->ctx, port), ST_OK);
    assert_int_equal(port->volume_count, 1);
    assert_true(span_equal(port->volumes[0].path, before));
    assert_int_equal(port->stat(port->ctx, 0, MANAGER, &info), ST_ABSENT);
}

#define FILES_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILES_TEST(each_esp_is_a_volume_under_the_path_firmware_gives_it),
        FILES_TEST(files_read_as_they_lie_on_the_blocks),
        FILES_TEST(a_folder_lists_what_is_in_it_and_no_deeper),
        FILES_TEST(what_is_appended_lies_behind_the_end_on_the_blocks),
        cmocka_unit_test(an_append_that_ends_anywhere_leaves_the_file_as_it_was_or_whole),
        FILES_TEST(a_damaged_file_system_is_not_appended_to),
        FILES_TEST(nothing_new_is_written),
        FILES_TEST(volumes_follow_the_disks_when_they_are_renewed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
