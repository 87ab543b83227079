/* How a command line names a disk: by its number or by its GUID; and what it is told otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/guid.h"
#include "unit/line_fixture.h"

#define HEADER_DISK_GUID 56u
#define NO_DISK_HAS      "{01234567-89ab-4cde-8f01-23456789abcd}"

/* "prepare GUID -n" with the GUID that the header on that disk has (UEFI specification, table 5-5). */
static void line_with_guid_of(struct host *host, size_t disk, char line[64])
{
    char text[GUID_TEXT_SIZE];
    struct guid guid;

    mem_block_peek(host->disks[disk], header_offset(host, disk, PRIMARY) + HEADER_DISK_GUID,
                   guid.bytes, sizeof(guid.bytes));
    guid_format(&guid, text);
    snprintf(line, 64, "prepare %s -n", text);
}

static void number_and_guid_name_the_same_disk(void **state)
{
    struct host *host = *state;
    char line[64];

    run_to_say(host, "prepare 1 -n", DONE, "Disk 1");
    line_with_guid_of(host, 1, line);
    run_to_say(host, line, DONE, "Disk 1");
    expect_unsaid(host, "No disk has");
}

static void what_no_disk_is_called_is_told_with_where_to_look(void **state)
{
    struct host *host = *state;
    struct host *before = host_clone(host);

    run_to_say(host, "prepare 3 -y", NOT_FOUND,
               "There is no Disk 3. This machine has 3|\"shadowboot disks\"|Nothing was changed.");
    run_to_say(host, "prepare " NO_DISK_HAS " -y", NOT_FOUND,
               "No disk has the GUID " NO_DISK_HAS "|\"shadowboot disks\"|Nothing was changed.");
    run_to_say(host, "prepare one -y", USAGE,
               "A disk is named by its number|\"shadowboot disks\"|Nothing was changed.");
    for (size_t disk = 0; disk < 2; disk++)
        assert_int_equal(mem_block_difference(host->disks[disk], before->disks[disk], 0),
                         UINT64_MAX);
    host_free(before);
}

static void guid_of_two_disks_names_neither(void **state)
{
    struct host *host = *state;
    struct guid guid;
    char line[64];

    mem_block_peek(host->disks[0], header_offset(host, 0, PRIMARY) + HEADER_DISK_GUID, guid.bytes,
                   sizeof(guid.bytes));
    for (int side = PRIMARY; side <= BACKUP; side++) {
        patch_header(host, 1, (enum gpt_side)side, HEADER_DISK_GUID, ld_le64(guid.bytes), 8);
        patch_header(host, 1, (enum gpt_side)side, HEADER_DISK_GUID + 8, ld_le64(guid.bytes + 8),
                     8);
    }
    disk_machine_restart(host);
    line_with_guid_of(host, 0, line);
    run_to_say(host, line, REFUSED, "2 disks have the GUID {|by its number|Nothing was changed.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINE_TEST(number_and_guid_name_the_same_disk),
        LINE_TEST(what_no_disk_is_called_is_told_with_where_to_look),
        LINE_TEST(guid_of_two_disks_names_neither),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
