/* The audit as a whole: the mirror, the ways to its disks, and the order of what was found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/host_alloc.h"
#include "unit/finding_fixture.h"
#include "unit/mirror_store_fixture.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

struct machine_case {
    void (*inflict)(struct mirror *mirror);
    const char *findings;
    enum machine_state state;
};

static void assert_judged(struct mirror *mirror, const char *findings, enum machine_state state)
{
    struct judgement judgement = mirror_judge(mirror);

    findings_assert(&mirror->machine, &judgement.findings, findings);
    assert_int_equal(judgement.state, state);
}

static void assert_cases(const struct machine_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct mirror *mirror = mirror_new();
        cases[i].inflict(mirror);
        assert_judged(mirror, cases[i].findings, cases[i].state);
        mirror_free(mirror);
    }
}

static void healthy_machine_is_safe(void **state)
{
    struct mirror *mirror = *state;
    struct judgement judgement = mirror_judge(mirror);

    assert_judged(mirror, "", MACHINE_SAFE);
    assert_int_equal(judgement.roles.kind, BOOT_LDM);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(judgement.forecasts[i].verdict, VERDICT_STARTS);
        assert_int_equal(judgement.forecasts[i].entry, i);
        assert_string_equal(judgement.forecasts[i].reason, "");
    }
}

/* --- The mirror as a whole ------------------------------------------------------------------ */

static void make_simple(struct mirror *mirror)
{
    mirror->volumes[0].type = DYNAMIC_SIMPLE;
    mirror->volumes[0].plex_count = 1;
    mirror->machine.volumes.plex_count = 1;
    mirror->machine.volumes.extent_count = 1;
    mirror->machine.copy_count = 1;
}

static void lose_entry_of_gone_disk(struct mirror *mirror)
{
    mirror_drop_entry(mirror, 1);
    mirror_set_order(mirror, (uint16_t[]){0}, 1);
    mirror_lose_disk_1(mirror);
}

static void lose_database_on_both(struct mirror *mirror)
{
    mirror->machine.copy_count = 0;
    mirror->machine.volumes.volume_count = 0;
    mirror->machine.volumes.plex_count = 0;
    mirror->machine.volumes.extent_count = 0;
}

static void lose_everything(struct mirror *mirror)
{
    lose_database_on_both(mirror);
    mirror_drop_entry(mirror, 0);
    mirror_drop_entry(mirror, 1);
    mirror_set_order(mirror, NULL, 0);
    mirror->machine.esp_count = 0;
}

static void lose_md_disk(struct mirror *mirror)
{
    mirror_make_linux(mirror);
    mirror->machine.md_count = 1;
}

static void fail_md_disk(struct mirror *mirror)
{
    mirror_make_linux(mirror);
    mirror->md[1].member.role = MD_ROLE_FAULTY;
}

/* Linux wrote on while the disk was away. */
static void leave_md_disk_behind(struct mirror *mirror)
{
    mirror_make_linux(mirror);
    mirror->md[0].member.events = 12;
    mirror->md[1].member.events = 10;
}

/* What a power cut leaves. */
static void leave_md_disk_one_event_behind(struct mirror *mirror)
{
    leave_md_disk_behind(mirror);
    mirror->md[1].member.events = 11;
}

/* A mirror that cannot be seen from here, such as one that a driver makes. */
static void make_plain_on_both(struct mirror *mirror)
{
    mirror_make_plain(mirror);
    memset(mirror->copies[1].files, 0, sizeof(mirror->copies[1].files));
    mirror->copies[1].ntfs.serial = mirror->copies[0].ntfs.serial;
}

static void make_mbr(struct mirror *mirror, size_t disk)
{
    mirror_drop_esp(mirror, disk);
    mirror->disks[disk].style = DISK_MBR;
    mirror->disks[disk].mbr = (struct mbr){.kind = MBR_PLAIN, .has_code = true};
}

/* BIOS starts it: no ESP, no entry but one for all hard disks. */
static void make_bios(struct mirror *mirror)
{
    struct fixture_entry entry = {.number = 0, .description = "Hard Drive", .form = FIXTURE_BBS};

    make_mbr(mirror, 0);
    make_mbr(mirror, 1);
    mirror_drop_entry(mirror, 1);
    mirror_put_entry(mirror, &entry);
    mirror_set_order(mirror, (uint16_t[]){0}, 1);
}

static void make_one_bios(struct mirror *mirror)
{
    make_mbr(mirror, 1);
    mirror_drop_entry(mirror, 1);
    mirror_set_order(mirror, (uint16_t[]){0}, 1);
}

/* With a boot store for BIOS on each: one cannot be read, one is none. */
static void make_bios_with_stores(struct mirror *mirror)
{
    static const uint8_t text[] = "This is no store.";

    make_bios(mirror);
    mirror->copies[0].bios_store_status = ST_IO;
    mirror->copies[1].bios_store = span_of(text, sizeof(text));
}

/* Whole ones: that of Disk 0 starts Windows of Disk 0 by default, that of Disk 1 nothing. */
static void make_bios_with_good_stores(struct mirror *mirror)
{
    static uint8_t bytes[2][1 << 14];
    struct store_fixture *stores = host_alloc(2, sizeof(*stores));
    uint8_t device[STORE_DEVICE_SIZE];

    make_bios(mirror);
    mirror->disks[0].mbr.signature = 0xa1b2c3d4;
    /* As MBR has it: the first byte of the partition, the scheme, the disk's signature. */
    memset(device, 0, sizeof(device));
    st_le32(device + 0x10, 6);
    st_le32(device + 0x18, STORE_DEVICE_SIZE - 0x10);
    st_le64(device + 0x20, mirror->partitions[MIRROR_DATA(0)].first_lba * 512);
    st_le32(device + 0x34, 1);
    st_le32(device + 0x38, 0xa1b2c3d4);
    store_fixture_usual(&stores[0], device, sizeof(device));
    store_fixture_start(&stores[1]);
    for (size_t i = 0; i < 2; i++) {
        size_t size = store_fixture_write(&stores[i], bytes[i], sizeof(bytes[i]));
        mirror->copies[i].bios_store = span_of(bytes[i], size);
    }
    free(stores);
}

static void state_of_the_mirror_is_told(void **state)
{
    static const struct machine_case cases[] = {
        {make_simple, "no-shadow @ this machine\n", MACHINE_SINGLE},
        {lose_entry_of_gone_disk, "mirror-disk-missing @ Volume Volume1\n", MACHINE_SINGLE},
        {lose_database_on_both, "boot-volume-unknown @ this machine\n", MACHINE_UNKNOWN},
        {lose_everything, "boot-volume-unknown @ this machine\n", MACHINE_UNKNOWN_DISKS},
        {mirror_make_linux, "", MACHINE_SAFE},
        {lose_md_disk, "md-degraded @ this machine\n", MACHINE_SINGLE},
        {fail_md_disk, "md-degraded @ this machine\n", MACHINE_SINGLE},
        {leave_md_disk_behind, "md-degraded @ this machine\n", MACHINE_PRIMARY_ONLY},
        {leave_md_disk_one_event_behind, "", MACHINE_SAFE},
        {mirror_make_plain, "no-shadow @ this machine\n", MACHINE_PRIMARY_ONLY},
        {make_plain_on_both,
         "no-shadow @ this machine\n"
         "volume-identity-repeated @ Disk 0 Partition 4\n"
         "volume-identity-repeated @ Disk 1 Partition 4\n",
         MACHINE_SINGLE},
        {make_bios, "bios-start @ Disk 0\nbios-start @ Disk 1\n", MACHINE_UNKNOWN},
        {make_bios_with_stores,
         "bios-start @ Disk 0\n"
         "bios-store @ Disk 0 Partition 4 device error.\n"
         "bios-start @ Disk 1\n"
         "bios-store @ Disk 1 Partition 4 it is not a registry hive.\n",
         MACHINE_UNKNOWN},
        {make_bios_with_good_stores,
         "bios-start @ Disk 0\n"
         "bios-store @ Disk 0 Partition 4 \"Windows Server\" by default, from Disk 0 Partition 4 "
         "(LDM data, plex of C:).\n"
         "bios-start @ Disk 1\n"
         "bios-store @ Disk 1 Partition 4 it starts no Windows by default.\n",
         MACHINE_UNKNOWN},
        {make_one_bios, "bios-start @ Disk 1\n", MACHINE_UNKNOWN},
    };

    (void)state;
    assert_cases(cases, COUNT_OF(cases));
}

/* --- The ways to the disks ------------------------------------------------------------------ */

static void drop_shadow_entry(struct mirror *mirror)
{
    mirror_drop_entry(mirror, 1);
    mirror_set_order(mirror, (uint16_t[]){0}, 1);
}

static void leave_out_of_order(struct mirror *mirror)
{
    mirror_set_order(mirror, (uint16_t[]){0}, 1);
}

static void make_inactive(struct mirror *mirror)
{
    struct fixture_entry entry = mirror_windows_entry(mirror, 1, 1);

    entry.inactive = true;
    mirror_put_entry(mirror, &entry);
}

/* A second one that is active makes up for it. */
static void make_one_of_two_inactive(struct mirror *mirror)
{
    struct fixture_entry entry = mirror_windows_entry(mirror, 2, 1);

    make_inactive(mirror);
    entry.file = MIRROR_FALLBACK;
    mirror_put_entry(mirror, &entry);
    mirror_set_order(mirror, (uint16_t[]){0, 1, 2}, 3);
}

static void make_application(struct mirror *mirror)
{
    mirror->machine.entries[1].option.attributes |= LOAD_OPTION_CATEGORY_APP;
}

static void wipe_variables(struct mirror *mirror)
{
    mirror_drop_entry(mirror, 0);
    mirror_drop_entry(mirror, 1);
    mirror_set_order(mirror, NULL, 0);
}

static void make_both_inactive(struct mirror *mirror)
{
    struct fixture_entry entry = mirror_windows_entry(mirror, 0, 0);

    make_inactive(mirror);
    entry.inactive = true;
    mirror_put_entry(mirror, &entry);
}

/* Firmware's own entries for whole disks start by the fallback file. */
static void use_whole_disks(struct mirror *mirror)
{
    for (uint16_t i = 0; i < 2; i++) {
        struct fixture_entry entry = {.number = i,
                                      .description = "UEFI Disk",
                                      .form = FIXTURE_DISK,
                                      .partition.disk = i,
                                      .optional = FIXTURE_AUTO_CREATED};
        mirror_put_entry(mirror, &entry);
    }
}

static void use_whole_disks_without_fallback(struct mirror *mirror)
{
    use_whole_disks(mirror);
    mirror_drop_file(mirror, 1, MIRROR_FALLBACK);
    mirror->partitions[MIRROR_ESP(1)].fallback_status = ST_ABSENT;
}

static void put_shell(struct mirror *mirror, const uint16_t *order)
{
    struct fixture_entry entry = {.number = 2, .description = "EFI Shell", .form = FIXTURE_FV};

    mirror_put_entry(mirror, &entry);
    mirror_set_order(mirror, order, 3);
}

static void put_shell_first(struct mirror *mirror)
{
    put_shell(mirror, (uint16_t[]){2, 0, 1});
}

static void put_shell_between(struct mirror *mirror)
{
    put_shell(mirror, (uint16_t[]){0, 2, 1});
}

static void put_shell_last(struct mirror *mirror)
{
    put_shell(mirror, (uint16_t[]){0, 1, 2});
}

static void put_third_disk_between(struct mirror *mirror)
{
    size_t disk = mirror_add_disk(mirror, DISK_AHCI);
    struct fixture_entry entry = mirror_windows_entry(mirror, 2, disk);

    entry.description = "Other system, whose name is longer than forty characters";
    mirror_put_entry(mirror, &entry);
    mirror_set_order(mirror, (uint16_t[]){0, 2, 1}, 3);
}

/* What the entry of Disk 1 names is a file, and no disk. */
static void name_file_only(struct mirror *mirror)
{
    struct fixture_entry entry = mirror_windows_entry(mirror, 1, 1);

    entry.form = FIXTURE_FILE;
    mirror_put_entry(mirror, &entry);
}

/* The maker's diagnostics before the entry, on the primary's ESP. */
static void put_tool_first(struct mirror *mirror)
{
    struct fixture_entry entry = mirror_windows_entry(mirror, 2, 0);

    entry.description = "Diagnostics";
    entry.file = "\\EFI\\HP\\SystemDiags\\SystemDiags.efi";
    entry.optional = FIXTURE_NONE;
    (void)mirror_add_file(mirror, 0, entry.file, 500000, 'd');
    mirror_put_entry(mirror, &entry);
    mirror_set_order(mirror, (uint16_t[]){2, 0, 1}, 3);
}

/* An entry for a tool starts no system: the ESP has none that does. */
static void have_tool_only(struct mirror *mirror)
{
    put_tool_first(mirror);
    mirror_set_order(mirror, (uint16_t[]){1, 2}, 2);
    mirror_drop_entry(mirror, 0);
}

static void lose_order(struct mirror *mirror)
{
    mem_vars_drop(mirror->host->vars, NULL, "BootOrder");
    mirror_read_entries(mirror);
}

static void empty_order(struct mirror *mirror)
{
    mirror_set_order(mirror, NULL, 0);
}

/* Only what the shadow needs is missing beside BootOrder. */
static void lose_order_and_shadow_entry(struct mirror *mirror)
{
    mirror_drop_entry(mirror, 1);
    lose_order(mirror);
}

static void order_without_the_disks(struct mirror *mirror)
{
    put_shell(mirror, (uint16_t[]){2, 0, 1});
    mirror_set_order(mirror, (uint16_t[]){2}, 1);
}

/* The one entry left names an ESP that is gone, and a loader that is on both. */
static void keep_one_stale_entry(struct mirror *mirror)
{
    struct fixture_entry entry = mirror_windows_entry(mirror, 0, 0);

    entry.partition.guid = fixture_guid("0badbeef-0000-4000-8000-000000000001");
    mirror_drop_entry(mirror, 1);
    mirror_put_entry(mirror, &entry);
    mirror_set_order(mirror, (uint16_t[]){0}, 1);
}

static void ways_to_the_disks_are_told(void **state)
{
#define SHELL " Boot0002 \"EFI Shell\".\n"
    static const struct machine_case cases[] = {
        {drop_shadow_entry, "esp-no-entry @ Disk 1 Partition 1\n", MACHINE_FALLBACK},
        {leave_out_of_order, "esp-no-entry @ Disk 1 Partition 1\nentry-not-in-order @ Boot0001\n",
         MACHINE_FALLBACK},
        {make_inactive, "entry-inactive @ Boot0001\n", MACHINE_FALLBACK},
        {make_one_of_two_inactive, "", MACHINE_SAFE},
        {make_application, "esp-no-entry @ Disk 1 Partition 1\n", MACHINE_FALLBACK},
        {wipe_variables, "nvram-wiped @ this machine\n", MACHINE_FALLBACK},
        {lose_order, "order-missing @ this machine\n", MACHINE_FALLBACK},
        {empty_order, "order-missing @ this machine\n", MACHINE_FALLBACK},
        {lose_order_and_shadow_entry,
         "esp-no-entry @ Disk 1 Partition 1\norder-missing @ this machine\n", MACHINE_FALLBACK},
        {order_without_the_disks,
         "esp-no-entry @ Disk 0 Partition 1\nesp-no-entry @ Disk 1 Partition 1\n"
         "order-never-reaches @ Disk 0" SHELL "order-never-reaches @ Disk 1" SHELL
         "entry-not-in-order @ Boot0000\nentry-not-in-order @ Boot0001\n",
         MACHINE_NONE},
        {keep_one_stale_entry,
         "esp-no-entry @ Disk 0 Partition 1\nesp-no-entry @ Disk 1 Partition 1\n"
         "entry-partition-gone @ Boot0000: {0badbeef-0000-4000-8000-000000000001}.\n",
         MACHINE_FALLBACK},
        {make_both_inactive, "entry-inactive @ Boot0000\nentry-inactive @ Boot0001\n",
         MACHINE_FALLBACK},
        {use_whole_disks, "", MACHINE_SAFE},
        {use_whole_disks_without_fallback,
         "esp-no-entry @ Disk 1 Partition 1\n"
         "fallback-missing @ Disk 1 Partition 1 " MIRROR_FALLBACK ".\n",
         MACHINE_PRIMARY_ONLY},
        {put_shell_first, "order-never-reaches @ Disk 0" SHELL "order-never-reaches @ Disk 1" SHELL,
         MACHINE_NONE},
        {put_shell_between, "order-never-reaches @ Disk 1" SHELL, MACHINE_PRIMARY_ONLY},
        {put_shell_last, "", MACHINE_SAFE},
        /* Windows' boot manager on a disk that stays starts what its own store names. */
        {name_file_only, "entry-file-only @ Boot0001\n", MACHINE_FALLBACK},
        {put_tool_first, "order-never-reaches @ Disk 0 Boot0002 \"Diagnostics\".\n",
         MACHINE_SHADOW_ONLY},
        {have_tool_only,
         "esp-no-entry @ Disk 0 Partition 1\n"
         "order-never-reaches @ Disk 0 Boot0002 \"Diagnostics\".\n",
         MACHINE_PRIMARY_ONLY},
        {put_third_disk_between, "starts-another-disk @ Boot0002 Disk 2, in place of Disk 1.\n",
         MACHINE_PRIMARY_ONLY},
    };

    (void)state;
    assert_cases(cases, COUNT_OF(cases));
}

/* What starts no system is not what the advice puts first. */
static void order_advised_begins_with_what_starts_the_disk(void **state)
{
    struct mirror *mirror = *state;
    struct finding finding = {FINDING_ORDER_NEVER_REACHES, 0, NO_INDEX, NO_INDEX, NO_INDEX, ""};

    put_tool_first(mirror);
    assert_string_equal(finding_advice(&mirror->arena, &mirror->machine, &finding, false),
                        "shadowboot order Boot0000 puts the disk's entry before it.");
    mirror_set_order(mirror, (uint16_t[]){2, 1}, 2); /* nor what is never tried */
    assert_string_equal(finding_advice(&mirror->arena, &mirror->machine, &finding, false),
                        "shadowboot order ENTRY puts the disk's entry before it.");
}

/* --- The whole ------------------------------------------------------------------------------ */

/* Of each severity something that is found late, and something that is found early. */
static void inflict_much(struct mirror *mirror)
{
    mirror->esps[1].volume.serial = mirror->esps[0].volume.serial;
    mirror->disks[0].mbr.kind = MBR_HYBRID;
    mirror->copies[0].ntfs.dirty = true;
    mirror->disks[0].copies_differ = true;
    mirror->esps[0].store = REGF_DIRTY;
    mirror->esps[0].store_recovery = REGF_RECOVERED;
    mirror->copies[1].ntfs.boot = NTFS_BOOT_DAMAGED;
    mirror->disks[1].backup.problem = GPT_BAD_ARRAY_CRC;
    mirror_content(mirror, 1, MIRROR_FALLBACK)->program = PE_TRUNCATED;
}

static void worst_comes_first_and_else_the_order_of_the_audits(void **state)
{
    struct mirror *mirror = *state;

    inflict_much(mirror);
    assert_judged(mirror,
                  "gpt-backup-damaged @ Disk 1: the checksum of its partition entries is wrong.\n"
                  "ntfs-boot-damaged @ Disk 1 Partition 4\n"
                  "esp-boot-file-corrupt @ Disk 1 Partition 1 " MIRROR_FALLBACK
                  ": it is shorter than its own headers say.\n"
                  "gpt-copies-differ @ Disk 0\n"
                  "ntfs-dirty @ Disk 0 Partition 4\n"
                  "esp-store-dirty @ Disk 0 Partition 1\n"
                  "gpt-hybrid-mbr @ Disk 0\n"
                  "esp-serial-repeated @ Disk 1 Partition 1\n",
                  MACHINE_PRIMARY_ONLY);
}

/* A mark behind the table is met by who looks at the disk, and by who looks for free space. */
static void same_is_told_once(void **state)
{
    struct mirror *mirror = *state;
    struct claim claims[] = {{.disk = 1, .mark = {OWNER_LVM2, 512}},
                             {.disk = 1, .mark = {OWNER_LVM2, 1024}}};

    mirror->disks[1].owner = claims[0].mark;
    mirror->machine.claims = claims;
    mirror->machine.claim_count = COUNT_OF(claims);
    assert_judged(mirror,
                  "space-taken @ Disk 1 LVM2, at byte 512. What to use instead: vgreduce and "
                  "pvremove.\n"
                  "space-taken @ Disk 1 LVM2, at byte 1,024. What to use instead: vgreduce and "
                  "pvremove.\n",
                  MACHINE_SAFE);
}

#define MANY 70u /* more than a list has room for at first, twice over */

static void no_number_of_findings_is_too_large(void **state)
{
    struct mirror *mirror = *state;
    uint16_t order[2 + MANY] = {0, 1};
    char wanted[MANY * 64] = "";
    size_t used = 0;

    for (uint16_t i = 0; i < MANY; i++) {
        order[2 + i] = (uint16_t)(0x100 + i);
        used += (size_t)snprintf(wanted + used, sizeof(wanted) - used,
                                 "order-names-absent @ this machine Boot%04X.\n", order[2 + i]);
    }
    mirror_set_order(mirror, order, COUNT_OF(order));
    assert_judged(mirror, wanted, MACHINE_SAFE);
}

static void machine_without_disks_has_a_judgement(void **state)
{
    struct mirror *mirror = *state;

    mirror->machine = (struct machine){
        .architecture = "X64", .fallback = MIRROR_FALLBACK, .order.status = ST_ABSENT};
    assert_judged(mirror, "boot-volume-unknown @ this machine\n", MACHINE_UNKNOWN_DISKS);
}

#define SMALL (64u << 10)

/* Either all of the judgement is there, or none. */
static void too_little_memory_is_told(void **state)
{
    struct mirror *mirror = *state;
    uint8_t *memory = malloc(SMALL);
    unsigned failed = 0;

    assert_non_null(memory);
    inflict_much(mirror);
    mirror_drop_file(mirror, 1, MIRROR_MEMTEST);
    struct judgement whole = mirror_judge(mirror);
    for (size_t size = 0; size < 16384; size += 16) {
        struct judgement judgement = {.state = MACHINE_SINGLE};
        struct arena arena;
        arena_init(&arena, memory, size);
        enum status status = audit_machine(&arena, &mirror->machine, &judgement);
        failed += status != ST_OK;
        if (status == ST_OK) {
            assert_int_equal(judgement.findings.count, whole.findings.count);
            assert_int_equal(judgement.state, whole.state);
            continue;
        }
        assert_int_equal(status, ST_NO_MEMORY);
        assert_int_equal(judgement.state, MACHINE_SINGLE);
    }
    assert_true(failed > 10 && failed < 1024);
    free(memory);
}

/* Comes last. */
static void every_finding_about_the_machine_was_met(void **state)
{
    (void)state;
    findings_assert_met(OWNER_MACHINE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, mirror_set_up, mirror_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(healthy_machine_is_safe),
        cmocka_unit_test(state_of_the_mirror_is_told),
        cmocka_unit_test(ways_to_the_disks_are_told),
        TEST(worst_comes_first_and_else_the_order_of_the_audits),
        TEST(same_is_told_once),
        TEST(no_number_of_findings_is_too_large),
        TEST(machine_without_disks_has_a_judgement),
        TEST(too_little_memory_is_told),
        TEST(order_advised_begins_with_what_starts_the_disk),
        cmocka_unit_test(every_finding_about_the_machine_was_met),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
