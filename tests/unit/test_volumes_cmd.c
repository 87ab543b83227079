/* The volumes command: what it prints of dynamic disks, whole, missing and damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/host_alloc.h"
#include "unit/ldm_fixture.h"
#include "unit/scan_fixture.h"

enum { DONE = 0, USAGE = 2, DAMAGED = 10, NOT_FOUND = 14 };

#define DISK_BLOCKS 65536u
#define GROUP_GUID  "a1b2c3d4-0001-11e1-8000-000102030405"
#define VOLUME_GUID "a1b2c3d4-0002-11e1-8000-000102030405"
#define DISK_GUID_1 "a1b2c3d4-0003-11e1-8000-000102030405"
#define DISK_GUID_2 "a1b2c3d4-0004-11e1-8000-000102030405"

/* Two disks with a mirror, in memory; what is changed before machine_new shows there. */
struct plan {
    struct ldm_disk_spec disks[2];
    struct ldm_extent_spec extents[2];
    struct ldm_plex_spec plexes[2];
    struct ldm_volume_spec volume;
    struct ldm_group_spec group;
};

static struct plan *plan_new(void)
{
    struct plan *plan = host_alloc(1, sizeof *plan);

    *plan = (struct plan){
        .disks = {{.guid = DISK_GUID_1,
                   .name = "Disk1",
                   .public_start = 4096,
                   .public_size = 40960,
                   .private_start = 64},
                  {.guid = DISK_GUID_2,
                   .name = "Disk2",
                   .public_start = 4096,
                   .public_size = 40960,
                   .private_start = 64}},
        .extents = {{.disk = 0, .start = 8, .size = 2048}, {.disk = 1, .start = 16, .size = 2048}},
        .volume = {.name = "Volume1",
                   .guid = VOLUME_GUID,
                   .hint = "C:",
                   .size = 2048,
                   .flags = 0x200011,
                   .plex_count = 2},
        .group = {.guid = GROUP_GUID,
                  .name = "Test-Dg0",
                  .transaction = 12,
                  .disk_count = 2,
                  .volume_count = 1},
    };
    for (size_t i = 0; i < 2; i++) {
        plan->plexes[i].extents = &plan->extents[i];
        plan->plexes[i].extent_count = 1;
    }
    plan->volume.plexes = plan->plexes;
    plan->group.disks = plan->disks;
    plan->group.volumes = &plan->volume;
    return plan;
}

static void add_disk(struct host *host, const struct plan *plan, size_t which)
{
    const struct fixture_partition partitions[] = {
        {1, TYPE_LDM_METADATA,
         which == 0 ? "33333333-0000-4b01-8001-0123456789a0"
                    : "33333333-0001-4b01-8001-0123456789a0",
         64, 2048, "LDM metadata partition"},
        {2, TYPE_LDM_DATA,
         which == 0 ? "33333333-0000-4b02-8001-0123456789a0"
                    : "33333333-0001-4b02-8001-0123456789a0",
         4096, 40960, "LDM data partition"},
    };
    uint8_t *region = host_alloc(1, LDM_FIXTURE_BYTES);
    size_t disk = fixture_add_disk(host, DISK_NVME, 512, DISK_BLOCKS,
                                   which == 0 ? "33333333-0000-4b00-8001-0123456789a0"
                                              : "33333333-0001-4b00-8001-0123456789a0",
                                   partitions, 2);

    ldm_group_build(&plan->group, which, region);
    mem_block_write(host->disks[disk], 64 * 512, region, LDM_FIXTURE_BYTES);
    free(region);
}

/* The machine with both disks, or with one of them. Frees the plan. */
static struct host *machine_new(struct plan *plan, bool first, bool second)
{
    struct host *host = host_new();

    if (first)
        add_disk(host, plan, 0);
    if (second)
        add_disk(host, plan, 1);
    free(plan);
    return host;
}

static void assert_run(struct host *host, const char *line, unsigned wanted, const char *words)
{
    const char *text = NULL;
    unsigned code = run_line(host, line, &text);

    if (code != wanted)
        print_error("%s gave %u:\n%s\n", line, code, text);
    assert_int_equal(code, wanted);
    assert_says(text, words);
    assert_harmless(text);
}

static void assert_output(struct host *host, const char *line, unsigned wanted, const char *output)
{
    const char *text = NULL;

    assert_int_equal(run_line(host, line, &text), wanted);
    assert_string_equal(text, output);
}

static const char mirror_text[] =
    "Disk group:       Test-Dg0\n"
    "Group GUID:       {a1b2c3d4-0001-11e1-8000-000102030405}\n"
    "Transaction:      12, clean\n"
    "Databases:        the same on all disks\n"
    "Disks:            2, of which 0 missing\n"
    "\n"
    "  Disk ###  Name          Status   Size      GUID\n"
    "  --------  ------------  -------  --------  ----\n"
    "  Disk 0    Disk1         Online   32 MiB    {a1b2c3d4-0003-11e1-8000-000102030405}\n"
    "  Disk 1    Disk2         Online   32 MiB    {a1b2c3d4-0004-11e1-8000-000102030405}\n"
    "\n"
    "  Volume ###  Ltr  Name             Fs     Type     Size      Status     Info\n"
    "  ----------  ---  ---------------  -----  -------  --------  ---------  ----\n"
    "  Volume 0    C    Volume1                 Mirror   1 MiB     Healthy    Boot\n"
    "\n"
    "Volume 0: Volume1\n"
    "Type:             Mirror\n"
    "Size:             1,048,576 bytes (1 MiB)\n"
    "Drive letter:     C:\n"
    "Status:           Healthy\n"
    "In the database:  state ACTIVE, flags 0x00200011, Boot\n"
    "Volume GUID:      {a1b2c3d4-0002-11e1-8000-000102030405}\n"
    "Disk group:       Test-Dg0\n"
    "NT name:          \\Device\\HarddiskDmVolumes\\PhysicalDmVolumes\\BlockVolume1\n"
    "  Plex Volume1-01: concatenated, good\n"
    "    Disk1-01: on \"Disk1\", Disk 0 Partition 2 {33333333-0000-4b02-8001-0123456789a0}\n"
    "        LBA 4104 to 6151\n"
    "        1,048,576 bytes (1 MiB), good\n"
    "  Plex Volume1-02: concatenated, good\n"
    "    Disk2-01: on \"Disk2\", Disk 1 Partition 2 {33333333-0001-4b02-8001-0123456789a0}\n"
    "        LBA 4112 to 6159\n"
    "        1,048,576 bytes (1 MiB), good\n"
    "\n";

static void mirror_is_shown_with_group_disks_and_places(void **state)
{
    struct host *host = machine_new(plan_new(), true, true);
    const char *text = NULL;

    (void)state;
    assert_output(host, "volumes", DONE, mirror_text);
    assert_int_equal(run_line(host, "volumes 0", &text), DONE);
    assert_string_equal(text, strstr(mirror_text, "Volume 0: Volume1"));
    host_free(host);
}

static const char mirror_rows[] =
    "ShellCommand,\"shadowboot\"\n"
    "GroupInfo,\"Test-Dg0\",\"{a1b2c3d4-0001-11e1-8000-000102030405}\",\"12\",\"12\",\"clean\","
    "\"same\",\"clean\",\"2\",\"0\",\"\"\n"
    "DynamicDiskInfo,\"{a1b2c3d4-0001-11e1-8000-000102030405}\",\"Disk1\","
    "\"{a1b2c3d4-0003-11e1-8000-000102030405}\",\"0\",\"Online\",\"\",\"0x00000000\",\"in order\","
    "\"12\",\"empty\"\n"
    "DynamicDiskInfo,\"{a1b2c3d4-0001-11e1-8000-000102030405}\",\"Disk2\","
    "\"{a1b2c3d4-0004-11e1-8000-000102030405}\",\"1\",\"Online\",\"\",\"0x00000000\",\"in order\","
    "\"12\",\"empty\"\n"
    "VolumeInfo,\"0\",\"Volume1\",\"{a1b2c3d4-0002-11e1-8000-000102030405}\","
    "\"{a1b2c3d4-0001-11e1-8000-000102030405}\",\"Mirror\",\"1048576\",\"C:\",\"\",\"Healthy\","
    "\"Boot\",\"ACTIVE\",\"0x00200011\","
    "\"\\Device\\HarddiskDmVolumes\\PhysicalDmVolumes\\BlockVolume1\"\n"
    "PlexInfo,\"0\",\"Volume1-01\",\"concatenated\",\"0\",\"0\",\"complete\",\"good\",\"\","
    "\"ACTIVE\",\"0x00000000\"\n"
    "ExtentInfo,\"0\",\"Volume1-01\",\"Disk1-01\",\"Disk1\",\"0\",\"2\","
    "\"{33333333-0000-4b02-8001-0123456789a0}\",\"4104\",\"2048\",\"1048576\",\"0\",\"0\","
    "\"good\",\"\"\n"
    "PlexInfo,\"0\",\"Volume1-02\",\"concatenated\",\"0\",\"0\",\"complete\",\"good\",\"\","
    "\"ACTIVE\",\"0x00000000\"\n"
    "ExtentInfo,\"0\",\"Volume1-02\",\"Disk2-01\",\"Disk2\",\"1\",\"2\","
    "\"{33333333-0001-4b02-8001-0123456789a0}\",\"4112\",\"2048\",\"1048576\",\"0\",\"0\","
    "\"good\",\"\"\n";

static void rows_for_scripts_have_the_documented_columns(void **state)
{
    struct host *host = machine_new(plan_new(), true, true);

    (void)state;
    assert_output(host, "volumes -sfo", DONE, mirror_rows);
    host_free(host);
}

static void number_of_a_volume_must_exist(void **state)
{
    struct host *host = machine_new(plan_new(), true, true);

    (void)state;
    assert_run(host, "volumes 1", NOT_FOUND, "There is no Volume 1. 1 are known");
    assert_run(host, "volumes C:", USAGE, "A volume is named by its number");
    assert_run(host, "volumes 1 -sfo", NOT_FOUND, "ErrorInfo,\"14\"");
    host_free(host);
}

static void machine_without_dynamic_disks_says_so(void **state)
{
    struct host *host = fixture_modern_machine();

    (void)state;
    assert_output(host, "volumes", DONE, "This machine has no dynamic disks.\n");
    assert_output(host, "volumes -sfo", DONE, "ShellCommand,\"shadowboot\"\n");
    assert_run(host, "volumes 0", NOT_FOUND, "There is no Volume 0. 0 are known");
    host_free(host);
}

static void missing_disk_is_listed_and_its_plex_said_to_be_missing(void **state)
{
    struct host *host = machine_new(plan_new(), false, true);

    (void)state;
    assert_run(host, "volumes", DAMAGED,
               "Databases:        only one could be read, there is none to compare it "
               "with|Disks:            2, of which 1 missing|  Disk M0   Disk1         Missing|  "
               "Disk 0    Disk2         Online|Mirror   1 MiB     Failed Rd  Boot|  Plex "
               "Volume1-01: concatenated, 0 of 1 pieces here, missing: its disk is not here|    "
               "Disk1-01: on \"Disk1\" {a1b2c3d4-0003-11e1-8000-000102030405}|  Plex Volume1-02: "
               "concatenated, good");
    assert_run(
        host, "volumes -sfo", DAMAGED,
        "\"single\",\"clean\",\"2\",\"1\"|"
        "\"Disk1\",\"{a1b2c3d4-0003-11e1-8000-000102030405}\",\"\",\"Missing\"|"
        "PlexInfo,\"0\",\"Volume1-01\",\"concatenated\",\"0\",\"0\",\"nothing\",\"missing\"");
    host_free(host);
}

static void stale_disk_is_shown_with_errors(void **state)
{
    struct plan *plan = plan_new();

    (void)state;
    plan->disks[0].committed = 13;
    struct host *host = machine_new(plan, true, true);
    assert_run(host, "volumes", DAMAGED,
               "the latest one does not know that another disk is behind|  Disk 1    Disk2         "
               "Errors|its database is older than that of another disk of its group|Failed Rd|Plex "
               "Volume1-02: concatenated, stale: the database on its disk is behind");
    assert_run(host, "volumes 0", DAMAGED, "Status:           Failed Rd");
    assert_run(host, "volumes -sfo", DAMAGED, "\"behind\",\"12\",\"empty\"|\"perhaps split\"");
    host_free(host);
}

static void cut_off_change_and_dirty_log_are_told(void **state)
{
    const struct ldm_log_spec dirty = {.status = 2};
    struct plan *plan = plan_new();

    (void)state;
    plan->disks[0].update = 2;
    plan->disks[0].pending = 13;
    plan->disks[1].log = &dirty;
    plan->disks[1].log_count = 1;
    struct host *host = machine_new(plan, true, true);
    assert_run(host, "volumes", DAMAGED,
               "Transaction:      12, a change was cut off (latest begun: 13)|Databases:        "
               "not the same on all disks|Log:              notes a detached or dirty plex|At "
               "Risk|doubtful");
    assert_run(host, "volumes -sfo", DAMAGED,
               "\"12\",\"13\",\"unfinished\",\"different\",\"dirty\"|\"dirty\"");
    host_free(host);
}

static void difference_in_unused_places_is_told_and_does_no_harm(void **state)
{
    struct host *host = machine_new(plan_new(), true, true);
    const uint8_t other = 7;

    (void)state;
    mem_block_write(host->disks[1], (64 + 17) * 512 + 128 * 5000 + 0x20, &other, 1);
    assert_run(host, "volumes", DONE,
               "Databases:        different in unused places|Disk1         Online|"
               "Disk2         Online|Healthy");
    assert_run(host, "volumes -sfo", DONE, "\"clean\",\"different\",\"clean\"");
    host_free(host);
}

static void split_group_shows_no_volume_and_says_why(void **state)
{
    struct host *host = machine_new(plan_new(), true, true);
    const uint8_t other = 'v';

    (void)state;
    mem_block_write(host->disks[1], (64 + 17) * 512 + 128 * LDM_SLOT_VOLUME + 0x10 + 8 + 3, &other,
                    1);
    assert_run(host, "volumes", DAMAGED,
               "Databases:        disks hold different ones of the same transaction|"
               "  Disk 0                  Errors|database in contradiction|  Disk 1  ");
    assert_run(host, "volumes 0", NOT_FOUND, "There is no Volume 0. 0 are known");
    assert_run(host, "volumes -sfo", DAMAGED,
               "\"split\"|DynamicDiskInfo,\"{a1b2c3d4-0001-11e1-8000-000102030405}\",\"\","
               "\"{a1b2c3d4-0004-11e1-8000-000102030405}\",\"1\",\"Errors\"");
    host_free(host);
}

static void disk_whose_database_is_gone_is_listed_with_the_reason(void **state)
{
    struct host *host = machine_new(plan_new(), true, true);
    uint8_t *zeros = host_alloc(1, LDM_FIXTURE_BYTES);

    (void)state;
    mem_block_write(host->disks[1], 64 * 512, zeros, LDM_FIXTURE_BYTES);
    free(zeros);
    assert_run(host, "volumes", DAMAGED,
               "  Disk M0   Disk2         Missing|  Disk 1                  Errors|"
               "database missing: there is no PRIVHEAD where one should be|Failed Rd");
    assert_run(host, "volumes -sfo", DAMAGED,
               "DynamicDiskInfo,\"\",\"\",\"{00000000-0000-0000-0000-000000000000}\",\"1\","
               "\"Errors\",\"there is no PRIVHEAD");
    host_free(host);
}

static void damaged_database_is_told_per_disk(void **state)
{
    struct host *host = machine_new(plan_new(), true, true);
    const uint8_t junk[4] = {0};

    (void)state;
    mem_block_write(host->disks[0], (64 + 17) * 512 + 128 * 1000, junk, 4);
    assert_run(host, "volumes", DAMAGED,
               "  Disk 0    Disk1         Errors|its database is damaged or contradicts "
               "itself|Plex Volume1-01: concatenated, doubtful: the database on its disk cannot be "
               "used|At Risk");
    host_free(host);
}

static void disk_of_another_group_is_foreign(void **state)
{
    struct plan *plan = plan_new();
    struct host *host = machine_new(plan_new(), true, false);

    (void)state;
    plan->group.guid = "a1b2c3d4-9999-11e1-8000-000102030405";
    plan->group.name = "Other-Dg0";
    plan->volume.flags = 0x11;
    add_disk(host, plan, 1);
    free(plan);
    assert_run(host, "volumes", DAMAGED,
               "Disk group:       Test-Dg0\n|Disk group:       Other-Dg0 (foreign)|"
               "  Disk 0    Disk1         Online|  Disk 1    Disk2         Foreign");
    host_free(host);
}

static void names_from_the_disk_cannot_act_on_a_terminal(void **state)
{
    struct plan *plan = plan_new();

    (void)state;
    plan->volume.name = "\x1b[31mred";
    plan->volume.hint = "\x1b:";
    plan->volume.state = "AC\nTIVE";
    plan->group.name = "g\x9b";
    plan->disks[0].name = "\"Disk^1\"\x7f";
    struct host *host = machine_new(plan, true, true);
    assert_run(host, "volumes", DAMAGED, "Volume 0: ?[31mred|state AC?TIVE|Disk group:       g?");
    assert_run(host, "volumes -sfo", DAMAGED, "\"^\"Disk^^1^\"?\"");
    host_free(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mirror_is_shown_with_group_disks_and_places),
        cmocka_unit_test(rows_for_scripts_have_the_documented_columns),
        cmocka_unit_test(number_of_a_volume_must_exist),
        cmocka_unit_test(machine_without_dynamic_disks_says_so),
        cmocka_unit_test(missing_disk_is_listed_and_its_plex_said_to_be_missing),
        cmocka_unit_test(stale_disk_is_shown_with_errors),
        cmocka_unit_test(cut_off_change_and_dirty_log_are_told),
        cmocka_unit_test(difference_in_unused_places_is_told_and_does_no_harm),
        cmocka_unit_test(split_group_shows_no_volume_and_says_why),
        cmocka_unit_test(disk_whose_database_is_gone_is_listed_with_the_reason),
        cmocka_unit_test(damaged_database_is_told_per_disk),
        cmocka_unit_test(disk_of_another_group_is_foreign),
        cmocka_unit_test(names_from_the_disk_cannot_act_on_a_terminal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
