/*
 * Commands on a machine whose firmware keeps variables in a file of the ESP that is changed, where setting one of
 * them fails: the file is as the firmware has to find it, and either all is changed or nothing. That the model of
 * the firmware writes what others read, and what commands without trouble leave, the harness tries
 * (test_uboot_store.py).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/crc32.h"
#include "host/fault.h"
#include "host/uboot_vars.h"
#include "unit/line_fixture.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define FILE_PATH       "\\ubootefi.var"
#define FALLBACK        "\\EFI\\BOOT\\BOOTX64.EFI"
#define HEADER          24u
#define CALLS           40u

/* What a variable takes of a cluster is anything. */
static const size_t pads[] = {0, 200, 400, 700, 1000, 1500};

struct keeper {
    struct host *host;
    struct uboot_vars *vars;
    struct ports ports;
};

static struct keeper *keeper_new(size_t pad)
{
    struct disk_machine_shape shape = disk_machine_usual();
    struct keeper *keeper = calloc(1, sizeof(*keeper));
    struct guid vendor = fixture_guid("12345678-1234-5678-9abc-def012345678");
    static const uint8_t zeros[1500];

    assert_non_null(keeper);
    shape.languages = 1;
    keeper->host = disk_machine_new(&shape);
    keeper->host->firmware.vendor = "Das U-Boot";
    disk_machine_drop_entry(keeper->host, 1);
    disk_machine_delete(keeper->host, 0, FALLBACK);
    keeper->ports = *host_ports(keeper->host);
    keeper->vars =
        uboot_vars_new(keeper->host->vars, keeper->ports.disks, keeper->ports.disk_count);
    keeper->ports.vars = uboot_vars_port(keeper->vars);
    mem_vars_put(keeper->host->vars, &vendor, "Pad", 7, zeros, pad);
    assert_int_equal(keeper->ports.vars.set(keeper->ports.vars.ctx, NULL, "Timeout", 7, "\3", 2),
                     ST_OK);
    disk_machine_restart(keeper->host);
    return keeper;
}

static void keeper_free(struct keeper *keeper)
{
    uboot_vars_free(keeper->vars);
    host_free(keeper->host);
    free(keeper);
}

/* The checksum of the file, which the firmware goes by; its size in `*ret_size`. */
static bool file_is_whole(const struct keeper *keeper, size_t *ret_size)
{
    uint8_t *file = disk_machine_file(keeper->host, 0, FILE_PATH, ret_size);
    bool whole = file != NULL && *ret_size > HEADER && ld_le32(file + 16) == *ret_size &&
                 crc32_update(0, file + HEADER, *ret_size - HEADER) == ld_le32(file + 20);

    free(file);
    return whole;
}

static bool has_fallback(const struct keeper *keeper)
{
    size_t size = 0;
    uint8_t *file = disk_machine_file(keeper->host, 0, FALLBACK, &size);

    free(file);
    return file != NULL;
}

/* Nobody finds anything wrong with the file system. */
static void assert_sound(struct keeper *keeper)
{
    const char *said = NULL;
    size_t size = 0;

    if (!file_is_whole(keeper, &size))
        fail_msg("the firmware's file is damaged:\n%s", host_console_text(keeper->host->console));
    host_console_clear(keeper->host->console);
    (void)fixture_run_in(&keeper->ports, "status", LINE_MEMORY);
    said = host_console_text(keeper->host->console);
    if (strstr(said, "file system") != NULL)
        fail_msg("%s", said);
}

/* The `nth` setting of a variable fails, once or from then on; true when there was one. */
static bool fail_once(size_t pad, uint64_t nth, bool for_good, bool undoes)
{
    struct keeper *keeper = keeper_new(pad);
    struct fault *fault = NULL;
    size_t before = 0;
    size_t after = 0;

    if (undoes)
        assert_int_equal(fixture_run_in(&keeper->ports, "repair -y", LINE_MEMORY), DONE);
    fault = fault_new(&keeper->ports);
    assert_true(file_is_whole(keeper, &before));
    fault_fail(fault, FAULT_VAR_SET, nth, ST_IO, for_good);
    host_console_clear(keeper->host->console);
    unsigned code =
        fixture_run_in(fault_ports(fault), undoes ? "undo -y" : "repair -y", LINE_MEMORY);
    bool tripped = fault_tripped(fault);
    assert_int_equal(code == DONE, !tripped);
    assert_sound(keeper);
    if (tripped && !for_good) {
        assert_true(file_is_whole(keeper, &after));
        assert_int_equal(after, before);
        assert_int_equal(has_fallback(keeper), undoes);
    }
    fault_free(fault);
    keeper_free(keeper);
    return tripped;
}

static void variable_that_cannot_be_set_leaves_the_file_whole(void **state)
{
    unsigned tried = 0;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(pads); i++) {
        for (unsigned how = 0; how < 4; how++) {
            uint64_t nth = 1;
            while (nth < CALLS && fail_once(pads[i], nth, how % 2 == 1, how >= 2))
                nth++;
            assert_true(nth > 2 && nth < CALLS);
            tried += (unsigned)nth;
        }
    }
    print_message("%u calls failed\n", tried);
}

/* Disk 1 is formatted first, the entries are for what that makes, and then Disk 0 gets its file. */
static void repair_in_two_rounds_leaves_the_file_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(pads); i++) {
        struct keeper *keeper = keeper_new(pads[i]);
        disk_machine_zero_fats(keeper->host, 1);
        unsigned code = fixture_run_in(&keeper->ports, "repair -y -format", LINE_MEMORY);
        assert_sound(keeper);
        assert_int_equal(code, DONE);
        assert_true(has_fallback(keeper));
        keeper_free(keeper);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variable_that_cannot_be_set_leaves_the_file_whole),
        cmocka_unit_test(repair_in_two_rounds_leaves_the_file_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
