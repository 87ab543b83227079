/*
 * The power goes while an unattended start mends a machine: at every write, torn in every way, with
 * what the caches hold lost or kept. Whatever is left, the next unattended start starts a system.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"
#include "cmd/cmd.h"
#include "host/fault.h"
#include "unit/disk_machine_fixture.h"
#include "unit/sample.h"

#define ARENA_SIZE (32u << 20)
#define OWN        "\\EFI\\shadowboot\\shadowbootx64.efi"

static uint8_t *memory;

static int get_memory(void **state)
{
    (void)state;
    memory = malloc(ARENA_SIZE);
    return memory == NULL;
}

static int give_memory(void **state)
{
    (void)state;
    free(memory);
    return 0;
}

/* The program as a boot manager starts it; true when it has handed the machine over. */
static bool run_auto(struct host *host, const struct ports *ports)
{
    const char *const words[] = {"shadowboot"};
    struct arena arena;

    arena_init(&arena, memory, ARENA_SIZE);
    if (setjmp(*host_start_away(host->start)) != 0)
        return true;
    (void)cmd_main(ports, &arena, 1, words);
    return false;
}

/* Started from the ESP of Disk 1, where its journals go too. */
static void stand_by_on_disk_1(struct host *host)
{
    struct host_partition esp = disk_machine_place(host, 1, PART_ESP);
    uint8_t path[HOST_PARTITION_PATH_SIZE];
    size_t size = host_partition_path(host, &esp, path);

    (void)host_ports(host);
    mem_files_set_self(host->files, mem_files_volume_at(host->files, span_of(path, size)));
    host_start_set_self(host->start, true, OWN);
}

/* The next start from what is left: it starts a boot manager. */
static bool starts_again(const struct host *left)
{
    struct host *host = host_clone(left);

    disk_machine_restart(host);
    stand_by_on_disk_1(host);
    bool away = run_auto(host, host_ports(host));
    const struct host_start_event *last =
        host_start_at(host->start, host_start_count(host->start) - 1);
    bool started = away && last != NULL && last->kind == HOST_START_START;
    if (!started)
        printf("%s\n", host_console_text(host->console));
    host_free(host);
    return started;
}

/* Cuts at the n-th write; false when the run ends before. */
static bool cut_at(const struct host *before, uint64_t nth, enum fault_cut how, uint64_t *io_states)
{
    struct host *host = host_clone(before);
    jmp_buf where;

    stand_by_on_disk_1(host);
    struct fault *fault = fault_new(host_ports(host));
    fault_power_cut(fault, nth, how, &where);
    if (setjmp(where) == 0)
        (void)run_auto(host, fault_ports(fault));
    bool cut = fault_tripped(fault);
    fault_free(fault);
    for (uint64_t seed = 0; seed < 2 && cut; seed++) {
        struct host *left =
            host_after_cut(host, seed == 0 ? MEM_BLOCK_LOSE_ALL : MEM_BLOCK_KEEP_ALL);
        ++*io_states;
        if (!starts_again(left))
            fail_msg("after a cut at write %u, way %d, seed %u", (unsigned)nth, (int)how,
                     (unsigned)seed);
        host_free(left);
    }
    host_free(host);
    return cut;
}

static void cut_everywhere(struct host *host)
{
    static const enum fault_cut ways[] = {FAULT_CUT_BEFORE, FAULT_CUT_HALF, FAULT_CUT_AFTER};
    uint64_t states = 0;
    bool more = true;

    assert_true(starts_again(host));
    for (uint64_t nth = 1; more; nth += ONE_IN(7)) {
        for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
            more = cut_at(host, nth, ways[i], &states);
    }
    printf("%u states\n", (unsigned)states);
    assert_true(states > 40 / ONE_IN(7));
    host_free(host);
}

static struct host *machine(void)
{
    struct disk_machine_shape shape = disk_machine_usual();

    shape.no_stick = true;
    return disk_machine_new(&shape);
}

static void files_and_entry_are_mended(void **state)
{
    struct host *host = machine();

    (void)state;
    disk_machine_delete(host, 0, "\\EFI\\Microsoft");
    disk_machine_delete(host, 0, "\\EFI\\BOOT\\BOOTX64.EFI");
    disk_machine_drop_entry(host, 1);
    cut_everywhere(host);
}

static void entries_are_made_anew(void **state)
{
    struct host *host = machine();

    (void)state;
    disk_machine_drop_entry(host, 0);
    disk_machine_drop_entry(host, 1);
    assert_true(starts_again(host));
    uint64_t states = 0;
    for (uint64_t nth = 1; cut_at(host, nth, FAULT_CUT_HALF, &states); nth++)
        (void)cut_at(host, nth, FAULT_CUT_AFTER, &states);
    assert_true(states > 10);
    host_free(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(files_and_entry_are_mended, get_memory, give_memory),
        cmocka_unit_test_setup_teardown(entries_are_made_anew, get_memory, give_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
