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
#include "unit/sample.h"

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

/* Of a machine that goes with it. */
static struct keeper *keeper_of(struct host *host)
{
    struct keeper *keeper = calloc(1, sizeof(*keeper));

    assert_non_null(keeper);
    keeper->host = host;
    keeper->ports = *host_ports(host);
    keeper->vars = uboot_vars_new(host->vars, keeper->ports.disks, keeper->ports.disk_count);
    keeper->ports.vars = uboot_vars_port(keeper->vars);
    return keeper;
}

static struct keeper *keeper_new(size_t pad)
{
    struct disk_machine_shape shape = disk_machine_usual();
    struct host *host = NULL;
    struct keeper *keeper = NULL;
    struct guid vendor = fixture_guid("12345678-1234-5678-9abc-def012345678");
    static const uint8_t zeros[1500];

    shape.languages = 1;
    host = disk_machine_new(&shape);
    host->firmware.vendor = "Das U-Boot";
    disk_machine_drop_entry(host, 1);
    disk_machine_delete(host, 0, FALLBACK);
    keeper = keeper_of(host);
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

/* --- No room --------------------------------------------------------------------------------- */

enum { NO_SPACE = 9, FAT16_BAD = 0xfff7 };

/* All free clusters but the last `left` ones become bad ones, in both FATs. */
static void leave_free(struct host *host, uint32_t left)
{
    struct host_partition place = disk_machine_place(host, 0, PART_ESP);
    struct mem_block *disk = host->disks[0];
    uint64_t start = place.start * 512;
    uint8_t entry[2];
    uint8_t boot[64];

    mem_block_peek(disk, start, boot, sizeof(boot));
    uint32_t reserved = ld_le16(boot + 14) * 512u;
    uint32_t size = ld_le16(boot + 22) * 512u;
    uint64_t data = reserved + 2ull * size + ld_le16(boot + 17) * 32u;
    for (uint32_t cluster = (uint32_t)((place.size * 512 - data) / (boot[13] * 512u)) + 1;
         cluster > 1; cluster--) {
        mem_block_peek(disk, start + reserved + 2ull * cluster, entry, sizeof(entry));
        if (ld_le16(entry) != 0)
            continue;
        if (left > 0) {
            left--;
            continue;
        }
        st_le16(entry, FAT16_BAD);
        mem_block_write(disk, start + reserved + 2ull * cluster, entry, sizeof(entry));
        mem_block_write(disk, start + reserved + size + 2ull * cluster, entry, sizeof(entry));
    }
    disk_machine_restart(host);
}

static unsigned clone_with(size_t pad, uint32_t left)
{
    struct keeper *keeper = keeper_new(pad);
    struct mem_vars *vars = mem_vars_clone(keeper->host->vars);
    size_t before = 0;
    size_t after = 0;

    leave_free(keeper->host, left);
    assert_true(file_is_whole(keeper, &before));
    host_console_clear(keeper->host->console);
    unsigned code = fixture_run_in(&keeper->ports, "clone -y", LINE_MEMORY);
    assert_true(file_is_whole(keeper, &after));
    if (code != DONE) {
        assert_int_equal(code, NO_SPACE);
        assert_int_equal(after, before);
        assert_true(mem_vars_equal(keeper->host->vars, vars));
        assert_says(host_console_text(keeper->host->console),
                    "Nothing was changed. Make room on that ESP.");
    }
    mem_vars_free(vars);
    keeper_free(keeper);
    return code;
}

/* What fits into the file's last cluster is written there, and what does not is refused. */
static void file_without_room_to_grow_is_left_alone(void **state)
{
    unsigned refused = 0;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(pads); i++) {
        refused += clone_with(pads[i], 0) == NO_SPACE;
        assert_int_equal(clone_with(pads[i], 2), DONE);
    }
    assert_true(refused > 0 && refused < COUNT_OF(pads));
}

/* --- Power cuts ------------------------------------------------------------------------------ */

struct cut {
    const char *line;
    uint64_t nth;
    enum fault_cut how;
    uint64_t seed;
    bool
        own; /* writes of the firmware for its file count as well, else such a file is written as a whole */
};

/* The power goes at a write; false when the line ends before. The disks are as they then are. */
static bool run_to_cut(struct keeper *keeper, const struct cut *cut)
{
    struct fault *fault = fault_new(cut->own ? host_ports(keeper->host) : &keeper->ports);
    struct ports ports = *fault_ports(fault);
    struct uboot_vars *vars = NULL;

    if (cut->own) {
        vars = uboot_vars_new(keeper->host->vars, ports.disks, ports.disk_count);
        ports.vars = uboot_vars_port(vars);
    }
    fault_power_cut(fault, cut->nth, cut->how, NULL);
    (void)fixture_run_in(&ports, cut->line, LINE_MEMORY);
    bool tripped = fault_tripped(fault);
    uboot_vars_free(vars);
    fault_free(fault);
    host_power_cut(keeper->host, cut->seed);
    return tripped;
}

static bool is_as_before(const struct keeper *keeper, const struct host *before)
{
    return !has_fallback(keeper) && mem_vars_equal(keeper->host->vars, before->vars);
}

/* The machine is switched on again. Disk 0 starts: by its entry, or, where the firmware has spoiled its own
 * file, by the fallback. Undo gives all back; where the variables are gone, repair makes them anew. Damage of
 * the file system is the firmware's, if any. */
static void go_on(struct keeper *keeper, const struct host *before, const struct cut *cut)
{
    size_t size = 0;

    uboot_vars_start(keeper->vars);
    disk_machine_restart(keeper->host);
    bool whole = file_is_whole(keeper, &size);
    assert_true(whole || cut->own);
    host_console_clear(keeper->host->console);
    (void)fixture_run_in(&keeper->ports, "status -sfo", LINE_MEMORY);
    const char *said = host_console_text(keeper->host->console);
    bool torn = cut->own && strstr(said, "file system") != NULL;
    if (strstr(said, "VerdictInfo,\"0\",\"starts\"") == NULL)
        fail_msg("%s cut at %llu (%d)\n%s", cut->line, (unsigned long long)cut->nth, (int)cut->how,
                 said);
    host_console_clear(keeper->host->console);
    unsigned code = fixture_run_in(&keeper->ports, "undo -y", LINE_MEMORY);
    if (!cut->own && ((code != DONE && code != NOT_FOUND) || !is_as_before(keeper, before)))
        fail_msg("%s cut at %llu (%d): undo ends with %u\n%s", cut->line,
                 (unsigned long long)cut->nth, (int)cut->how, code,
                 host_console_text(keeper->host->console));
    if (cut->own && !is_as_before(keeper, before)) {
        code = fixture_run_in(&keeper->ports, "repair -y", LINE_MEMORY);
        if (code != DONE)
            fail_msg("%s cut at %llu (%d): repair ends with %u\n%s", cut->line,
                     (unsigned long long)cut->nth, (int)cut->how, code,
                     host_console_text(keeper->host->console));
    }
    assert_true(file_is_whole(keeper, &size));
    if (!torn)
        assert_sound(keeper);
}

/* Every write of the line, and what the disks' caches make of it. Gives how many there are. */
static unsigned cut_everywhere(struct host *start, const struct host *before, const char *line,
                               bool own)
{
    static const enum fault_cut ways[] = {FAULT_CUT_BEFORE, FAULT_CUT_HALF, FAULT_CUT_AFTER};
    unsigned states = 0;

    for (uint64_t nth = 1;; nth += ONE_IN(11)) {
        for (size_t i = 0; i < COUNT_OF(ways); i++) {
            for (uint64_t seed = MEM_BLOCK_LOSE_ALL; seed <= MEM_BLOCK_KEEP_ALL; seed++) {
                struct cut cut = {line, nth, ways[i], seed, own};
                struct keeper *keeper = keeper_of(host_clone(start));
                bool tripped = run_to_cut(keeper, &cut);
                if (tripped)
                    go_on(keeper, before, &cut);
                keeper_free(keeper);
                if (!tripped)
                    return states;
                states++;
            }
        }
    }
}

static void power_cut_leaves_what_undo_and_repair_go_on_with(void **state)
{
    struct keeper *keeper = keeper_new(pads[2]);
    struct host *before = host_clone(keeper->host);
    unsigned states = 0;

    (void)state;
    assert_int_equal(fixture_run_in(&keeper->ports, "repair -y", LINE_MEMORY), DONE);
    for (unsigned own = 0; own < 2; own++) {
        states += cut_everywhere(before, before, "repair -y", own == 1);
        states += cut_everywhere(keeper->host, before, "undo -y", own == 1);
    }
    host_free(before);
    keeper_free(keeper);
    print_message("%u states\n", states);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_without_room_to_grow_is_left_alone),
        cmocka_unit_test(power_cut_leaves_what_undo_and_repair_go_on_with),
        cmocka_unit_test(variable_that_cannot_be_set_leaves_the_file_whole),
        cmocka_unit_test(repair_in_two_rounds_leaves_the_file_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
