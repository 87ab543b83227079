#include "unit/line_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "host/host_alloc.h"

int line_set_up(void **state)
{
    struct disk_machine_shape shape = disk_machine_usual();

    *state = disk_machine_new(&shape);
    return 0;
}

int line_tear_down(void **state)
{
    host_free(*state);
    return 0;
}

void run_to(struct host *host, const char *line, unsigned code)
{
    host_console_clear(host->console);
    unsigned got = fixture_run_in(host_ports(host), line, LINE_MEMORY);

    if (got != code)
        print_message("%s: %u\n%s\n", line, got, host_console_text(host->console));
    assert_int_equal(got, code);
}

void run_to_say(struct host *host, const char *line, unsigned code, const char *words)
{
    run_to(host, line, code);
    assert_says(host_console_text(host->console), words);
}

void expect_unsaid(struct host *host, const char *text)
{
    assert_null(strstr(host_console_text(host->console), text));
}

void line_leave_no_room(struct host *host)
{
    struct guid type = fixture_guid(TYPE_BASIC_DATA);
    unsigned slot = disk_machine_place(host, 1, PART_ESP).number - 1;

    disk_machine_zero(host, 1, PART_ESP);
    patch_entry(host, 1, PRIMARY, slot, 0, type.bytes, sizeof(type.bytes));
    patch_entry(host, 1, BACKUP, slot, 0, type.bytes, sizeof(type.bytes));
    disk_machine_restart(host);
}

void line_protect(struct host *host, size_t disk)
{
    struct host_partition plex = disk_machine_place(host, disk, PART_DATA);
    uint64_t last = plex.start + plex.size - 1;

    mem_block_write(host->disks[disk], plex.start * 512 + 3, "-FVE-FS-", 8);
    mem_block_write(host->disks[disk], last * 512 + 3, "-FVE-FS-", 8);
}
