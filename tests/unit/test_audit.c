/* Findings about disks, tables and variables: when each is there, where it is, and that a healthy
 * machine has none of it. What is common to all findings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/finding_fixture.h"
#include "unit/scan_fixture.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#define FALLBACK "\\EFI\\BOOT\\BOOTX64.EFI"

/* --- Ways to break the modern machine ------------------------------------------------------- */

static void lose_disk_1(struct host *host)
{
    mem_block_set_gone(host->disks[1], true);
}

static void wipe_primary(struct host *host)
{
    zero_block(host, 0, 1);
}

static void wipe_backup(struct host *host)
{
    zero_block(host, 1, 16777215);
}

static void wipe_both(struct host *host)
{
    zero_block(host, 1, 1);
    zero_block(host, 1, 16777215);
}

static void change_backup(struct host *host)
{
    patch_entry(host, 0, BACKUP, 0, 56, "x", 1);
}

/* As after a copy to a disk of half the size. */
static void make_table_of_larger_disk(struct host *host)
{
    patch_header(host, 1, PRIMARY, 32, 2 * 16777216u - 1, 8);
    patch_header(host, 1, PRIMARY, 48, 2 * 16777216u - 34, 8);
    zero_block(host, 1, 16777215);
}

/* The header lies where it is looked for on a disk that shows blocks of 4096 bytes, as Disk 0
 * does. */
static void make_table_of_other_blocks(struct host *host)
{
    uint8_t header[4096];

    wipe_both(host);
    mem_block_peek(host->disks[0], header_offset(host, 0, PRIMARY), header, sizeof(header));
    mem_block_write(host->disks[1], 4096, header, sizeof(header));
}

/* The primary names another block for the backup, and there is one. */
static void move_backup(struct host *host)
{
    uint8_t header[92];
    uint64_t from = header_offset(host, 0, BACKUP);

    mem_block_peek(host->disks[0], from, header, sizeof(header));
    patch_header(host, 0, PRIMARY, 32, from / 4096 - 1, 8);
    zero_block(host, 0, from / 4096);
    mem_block_write(host->disks[0], from - 4096, header, sizeof(header));
}

/* Behind a backup that is not in the last block lies what Intel's RAID puts there. */
static void put_raid_behind(struct host *host)
{
    static const char signature[] = "Intel Raid ISM Cfg Sig. ";
    uint64_t header = header_offset(host, 0, BACKUP);

    move_backup(host);
    mem_block_write(host->disks[0], header + 4096 - 1024, signature, sizeof(signature) - 1);
}

/* LVM2 took the disk and its primary table. */
static void put_lvm_over(struct host *host)
{
    zero_block(host, 0, 1);
    mem_block_write(host->disks[0], 1024, "LABELONE", 8);
}

static void spoil_mbr(struct host *host)
{
    mem_block_spoil(host->disks[0], 0, 1);
}

static void wipe_mbr(struct host *host)
{
    zero_block(host, 0, 0);
}

static void add_mbr_record(struct host *host)
{
    put_mbr_record(host, 1, 0, 1, 0x07, 2048, 100);
}

static void stretch_partition(struct host *host)
{
    patch_entries(host, 1, 4, 40, 16777215, 8);
}

static void overlap_partitions(struct host *host)
{
    patch_entries(host, 1, 0, 40, 239616, 8);
}

static void repeat_disk_guid(struct host *host)
{
    struct guid guid = fixture_guid("b0b0b0b0-0000-4d00-8000-0123456789b0");

    for (unsigned i = 0; i < 2; i++) {
        patch_header(host, 1, PRIMARY, 56 + 8 * i, ld_le64(guid.bytes + 8 * i), 8);
        patch_header(host, 1, BACKUP, 56 + 8 * i, ld_le64(guid.bytes + 8 * i), 8);
    }
}

static void repeat_partition_guid(struct host *host)
{
    struct guid guid = fixture_guid(MODERN_DATA_0);

    patch_entry(host, 1, PRIMARY, 4, 16, guid.bytes, 16);
    patch_entry(host, 1, BACKUP, 4, 16, guid.bytes, 16);
}

static void drop_fallback(struct host *host)
{
    mem_files_drop(host->files, 1, FALLBACK);
}

/* That of the first disk is the one that the firmware comes to first. */
static void keep_variables_in_files(struct host *host)
{
    host->firmware.vendor = "Das U-Boot";
    for (size_t volume = 0; volume < 2; volume++)
        mem_files_put(host->files, volume, "\\ubootefi.var", "x", 1);
}

static void list_twice(struct host *host)
{
    mem_vars_list_twice(host->vars, "Boot0001");
}

static void fill_store(struct host *host)
{
    mem_vars_set_total(host->vars, mem_vars_used(host->vars) * 2 - 100);
}

static void drop_order(struct host *host)
{
    mem_vars_drop(host->vars, NULL, "BootOrder");
}

static void make_order_huge(struct host *host)
{
    mem_vars_make_huge(host->vars, "BootOrder");
}

static void make_order_odd(struct host *host)
{
    static const uint8_t order[] = {0, 0, 1, 0, 2, 0, 3, 0, 10, 0, 11, 0, 7};

    put_var(host, "BootOrder", order, sizeof(order));
}

static void name_absent_entry(struct host *host)
{
    static const uint16_t order[] = {0, 1, 2, 3, 10, 11, 0x2001};

    fixture_set_order(host, order, COUNT_OF(order));
}

static void repeat_in_order(struct host *host)
{
    static const uint16_t order[] = {0, 1, 2, 3, 1, 10, 11};

    fixture_set_order(host, order, COUNT_OF(order));
}

static void cut_entry(struct host *host)
{
    put_var(host, "Boot0001", "abc", 3);
}

static void change_entry(struct host *host, struct host_partition partition, const char *file)
{
    struct fixture_entry entry = {.number = 1,
                                  .description = "debian",
                                  .form = FIXTURE_SHORT,
                                  .partition = partition,
                                  .file = file};

    fixture_add_entry(host, &entry);
}

static void name_absent_partition(struct host *host)
{
    change_entry(host, fixture_partition_named(ARTICLE_ESP_0), SHIMX64);
}

static void name_absent_disk(struct host *host)
{
    struct fixture_entry entry = {.number = 3,
                                  .description = "UEFI Disk 7",
                                  .form = FIXTURE_ATAPI,
                                  .partition.disk = 1,
                                  .optional = FIXTURE_AUTO_CREATED};

    fixture_add_entry(host, &entry);
}

static void name_no_partition(struct host *host)
{
    struct host_partition none = fixture_partition_named(MODERN_ESP_0);

    memset(&none.guid, 0, sizeof(none.guid));
    change_entry(host, none, SHIMX64);
}

static void drop_boot_file(struct host *host)
{
    mem_files_drop(host->files, 0, SHIMX64);
}

static void name_wrong_size(struct host *host)
{
    struct host_partition esp = fixture_partition_named(MODERN_ESP_0);

    esp.size--;
    change_entry(host, esp, SHIMX64);
}

/* The hardware of Disk 1, the partition of Disk 0. */
static void name_wrong_port(struct host *host)
{
    struct fixture_bytes path = {.size = 0};
    struct fixture_bytes none = {.size = 0};
    struct fixture_bytes value = {.size = 0};
    struct host_partition esp = fixture_partition_named(MODERN_ESP_0);

    fixture_put_disk(&path, host, 1);
    fixture_put_hd(&path, &esp);
    fixture_put_file(&path, SHIMX64);
    fixture_put_end(&path);
    fixture_put_load_option(&value, 1, "debian", &path, &none);
    put_var(host, "Boot0001", value.at, value.size);
}

static void repeat_entry(struct host *host)
{
    struct fixture_entry entry = {.number = 10,
                                  .description = "The same once more",
                                  .form = FIXTURE_FULL,
                                  .partition = fixture_partition_named(MODERN_ESP_0),
                                  .file = "\\efi\\DEBIAN\\shimx64.efi"};

    fixture_add_entry(host, &entry);
}

static void leave_out_of_order(struct host *host)
{
    static const uint16_t order[] = {0, 2, 3, 10, 11};

    fixture_set_order(host, order, COUNT_OF(order));
}

static const struct finding_case {
    enum finding_code code;
    void (*inflict)(struct host *host); /* NULL: through a port, in a test of its own */
    const char *place;
    const char *detail;
} cases[] = {
    {FINDING_DISK_UNREADABLE, lose_disk_1, "Disk 1", ""},
    {FINDING_GPT_PRIMARY_DAMAGED, wipe_primary, "Disk 0", ": it is not there."},
    {FINDING_GPT_BACKUP_DAMAGED, wipe_backup, "Disk 1", ": it is not there."},
    {FINDING_GPT_BOTH_DAMAGED, wipe_both, "Disk 1",
     ": primary: it is not there; backup: it is not there."},
    {FINDING_GPT_OF_LARGER_DISK, make_table_of_larger_disk, "Disk 1", ""},
    {FINDING_GPT_OTHER_BLOCK_SIZE, make_table_of_other_blocks, "Disk 1",
     " 4096 bytes, and here the disk has 512."},
    {FINDING_GPT_COPIES_DIFFER, change_backup, "Disk 0", ""},
    {FINDING_GPT_BACKUP_NOT_AT_END, move_backup, "Disk 0", ""},
    {FINDING_GPT_MBR_UNREADABLE, spoil_mbr, "Disk 0", ""},
    {FINDING_GPT_NO_PROTECTIVE_MBR, wipe_mbr, "Disk 0", ""},
    {FINDING_GPT_HYBRID_MBR, add_mbr_record, "Disk 1", ""},
    {FINDING_PARTITION_OUT_OF_RANGE, stretch_partition, "Disk 1 Partition 3", ""},
    {FINDING_PARTITION_OVERLAPS, overlap_partitions, "Disk 1 Partition 2", ""},
    {FINDING_DISK_RAID_MEMBER, put_raid_behind, "Disk 0",
     " Intel RAID (IMSM, VROC). What to use instead: the RAID setup of the firmware, or mdadm."},
    {FINDING_SPACE_TAKEN, put_lvm_over, "Disk 0",
     " LVM2, at byte 1,024. What to use instead: vgreduce and pvremove."},
    {FINDING_DISK_GUID_REPEATED, repeat_disk_guid, "Disk 0", ""},
    {FINDING_PARTITION_GUID_REPEATED, repeat_partition_guid, "Disk 0 Partition 3", ""},
    {FINDING_FALLBACK_MISSING, drop_fallback, "Disk 1 Partition 1", " " FALLBACK "."},
    {FINDING_VARIABLES_IN_FILE, keep_variables_in_files, "Disk 0 Partition 1", " \\ubootefi.var."},
    {FINDING_VARIABLES_UNREADABLE, NULL, "this machine", ""},
    {FINDING_ENTRIES_UNKNOWN, NULL, "this machine", ""},
    {FINDING_SECURE_UNKNOWN, NULL, "this machine", ""},
    {FINDING_VARIABLES_REPEATED, list_twice, "this machine", ""},
    {FINDING_STORE_NEARLY_FULL, fill_store, "this machine", "*bytes are left."},
    {FINDING_ORDER_MISSING, drop_order, "this machine", ""},
    {FINDING_ORDER_UNREADABLE, make_order_huge, "this machine", "*."},
    {FINDING_ORDER_ODD_SIZE, make_order_odd, "this machine", ""},
    {FINDING_ORDER_NAMES_ABSENT, name_absent_entry, "this machine", " Boot2001."},
    {FINDING_ORDER_REPEATS, repeat_in_order, "this machine", " Boot0001."},
    {FINDING_ENTRY_DAMAGED, cut_entry, "Boot0001", ": its structure is broken."},
    {FINDING_ENTRY_PARTITION_GONE, name_absent_partition, "Boot0001", ": {" ARTICLE_ESP_0 "}."},
    {FINDING_ENTRY_DISK_GONE, name_absent_disk, "Boot0003", ""},
    {FINDING_ENTRY_NAMES_NONE, name_no_partition, "Boot0001", ""},
    {FINDING_ENTRY_FILE_GONE, drop_boot_file, "Boot0001", " " SHIMX64 " on Disk 0 Partition 1."},
    {FINDING_ENTRY_PLACE_WRONG, name_wrong_size, "Boot0001", ""},
    {FINDING_ENTRY_ELSEWHERE, name_wrong_port, "Boot0001", ""},
    {FINDING_ENTRY_DUPLICATE, repeat_entry, "Boot000A", " Boot0001."},
    {FINDING_ENTRY_NOT_IN_ORDER, leave_out_of_order, "Boot0001", ""},
};

/* '*' at the start stands for anything. */
static void assert_detail(const char *detail, const char *wanted)
{
    size_t skip = wanted[0] == '*' && strlen(detail) >= strlen(wanted)
                      ? strlen(detail) - strlen(wanted + 1)
                      : 0;

    assert_string_equal(detail + skip, wanted + (wanted[0] == '*'));
}

static void assert_case(struct scanned *scanned, const struct finding_case *wanted)
{
    const struct finding *finding = find_finding(scanned, wanted->code);

    if (finding == NULL)
        print_error("%s\n", finding_name(wanted->code));
    assert_non_null(finding);
    assert_string_equal(place_of_finding(scanned, finding), wanted->place);
    assert_detail(finding->detail, wanted->detail);
    finding_met(wanted->code);
}

static void each_finding_is_made_at_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (cases[i].inflict == NULL)
            continue;
        struct host *host = fixture_modern_machine();
        cases[i].inflict(host);
        struct scanned *scanned = scan_host(host, SCAN_ENTRIES);
        assert_case(scanned, &cases[i]);
        scanned_free(scanned);
        host_free(host);
    }
}

/* UEFI specification 3.1.3: those are not for BootOrder. */
static void an_application_that_no_order_names_is_in_order(void **state)
{
    (void)state;
    struct host *host = fixture_modern_machine();

    leave_out_of_order(host);
    struct scanned *scanned = scan_host(host, SCAN_ENTRIES);
    size_t entry = machine_find_entry(&scanned->machine, 1);
    scanned->machine.entries[entry].option.attributes |= LOAD_OPTION_CATEGORY_APP;
    assert_int_equal(audit_entries(&scanned->arena, &scanned->machine, &scanned->entries), ST_OK);
    assert_null(find_finding(scanned, FINDING_ENTRY_NOT_IN_ORDER));
    scanned_free(scanned);
    host_free(host);
}

static enum status cannot_enumerate(void *ctx, bool restart, struct var_id *ret_id)
{
    (void)ctx;
    (void)restart;
    (void)ret_id;
    return ST_IO;
}

static void variables_that_cannot_be_listed_are_reported(void **state)
{
    (void)state;
    struct host *host = fixture_modern_machine();
    struct ports ports = *host_ports(host);
    struct scanned scanned = {.memory = malloc(FIXTURE_ARENA)};

    assert_non_null(scanned.memory);
    ports.vars.next = cannot_enumerate;
    arena_init(&scanned.arena, scanned.memory, FIXTURE_ARENA);
    assert_int_equal(scan_machine(&scanned.arena, &ports, SCAN_ENTRIES, &scanned.machine), ST_OK);
    assert_int_equal(audit_entries(&scanned.arena, &scanned.machine, &scanned.entries), ST_OK);
    const struct finding *finding = find_finding(&scanned, FINDING_VARIABLES_UNREADABLE);
    assert_non_null(finding);
    assert_string_equal(place_of_finding(&scanned, finding), "this machine");
    assert_int_equal(fixture_run_ports(&ports, "entries"), 10);
    assert_says(host_console_text(host->console), "variables cannot be listed");
    finding_met(FINDING_VARIABLES_UNREADABLE);
    free(scanned.memory);
    host_free(host);
}

static enum status is_without_firmware(void *ctx, bool restart, struct var_id *ret_id)
{
    (void)ctx;
    (void)restart;
    (void)ret_id;
    return ST_UNSUPPORTED;
}

static void disks_without_their_firmware_have_entries_nobody_knows(void **state)
{
    (void)state;
    struct host *host = fixture_modern_machine();
    struct ports ports = *host_ports(host);
    struct scanned scanned = {.memory = malloc(FIXTURE_ARENA)};

    assert_non_null(scanned.memory);
    ports.vars.next = is_without_firmware;
    arena_init(&scanned.arena, scanned.memory, FIXTURE_ARENA);
    assert_int_equal(scan_machine(&scanned.arena, &ports, SCAN_ENTRIES, &scanned.machine), ST_OK);
    assert_false(machine_knows_entries(&scanned.machine));
    assert_int_equal(audit_entries(&scanned.arena, &scanned.machine, &scanned.entries), ST_OK);
    const struct finding *finding = find_finding(&scanned, FINDING_ENTRIES_UNKNOWN);
    assert_non_null(finding);
    assert_string_equal(place_of_finding(&scanned, finding), "this machine");
    assert_null(find_finding(&scanned, FINDING_VARIABLES_UNREADABLE));
    finding_met(FINDING_ENTRIES_UNKNOWN);
    free(scanned.memory);
    host_free(host);
}

static enum status has_no_answer(void *ctx, const struct guid *vendor, const char *name,
                                 uint32_t *ret_attributes, void *ret_data, size_t size,
                                 size_t *ret_size)
{
    (void)ctx, (void)vendor, (void)name, (void)ret_attributes, (void)ret_data, (void)size;
    (void)ret_size;
    return ST_UNSUPPORTED;
}

/* Firmware that does not say, and one with an owner and without what it trusts: not what has no Secure
 * Boot, or no keys, or was not asked. */
static void secure_boot_that_nobody_can_tell_is_said_to_be_unknown(void **state)
{
    static const struct {
        struct secure_boot secure;
        bool unknown;
    } states[] = {{{.status = ST_UNSUPPORTED, .asked = true}, true},
                  {{.status = ST_IO, .asked = true}, true},
                  {{.asked = true, .lists[SECURE_DB].status = ST_ABSENT}, true}, /* PK is there */
                  {{.asked = true, .on = true, .lists[SECURE_DB].status = ST_IO}, true},
                  {{.asked = true, .on = true, .lists[SECURE_DB].status = ST_OK}, false},
                  {{.asked = true,
                    .setup = true,
                    .lists[SECURE_PK].status = ST_ABSENT,
                    .lists[SECURE_DB].status = ST_ABSENT},
                   false},
                  {{.status = ST_ABSENT, .asked = true}, false},
                  {{.status = ST_UNSUPPORTED}, false}};
    struct host *host = fixture_modern_machine();
    struct ports ports = *host_ports(host);
    struct scanned scanned = {.memory = malloc(FIXTURE_ARENA)};

    (void)state;
    assert_non_null(scanned.memory);
    arena_init(&scanned.arena, scanned.memory, FIXTURE_ARENA);
    assert_int_equal(scan_machine(&scanned.arena, &ports, SCAN_ENTRIES, &scanned.machine), ST_OK);
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        scanned.machine.secure = states[i].secure;
        assert_int_equal(audit_entries(&scanned.arena, &scanned.machine, &scanned.entries), ST_OK);
        assert_int_equal(find_finding(&scanned, FINDING_SECURE_UNKNOWN) != NULL, states[i].unknown);
    }
    ports.vars.get = has_no_answer;
    assert_int_equal(secure_boot_read(&scanned.arena, &ports.vars, &scanned.machine.secure), ST_OK);
    assert_int_equal(scanned.machine.secure.status, ST_UNSUPPORTED);
    assert_true(scanned.machine.secure.asked);
    finding_met(FINDING_SECURE_UNKNOWN);
    free(scanned.memory);
    host_free(host);
}

static void healthy_machines_have_no_findings(void **state)
{
    (void)state;
    struct host *hosts[] = {fixture_modern_machine(), fixture_article_machine()};

    /* The article's machine is older than the fallback file. */
    for (size_t volume = 0; volume < 2; volume++)
        mem_files_put(hosts[1]->files, volume, "\\EFI\\BOOT\\BOOTIA64.EFI", "x", 1);
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        struct scanned *scanned = scan_host(hosts[i], SCAN_ENTRIES);
        assert_int_equal(count_findings(scanned), 0);
        scanned_free(scanned);
        assert_int_equal(run_line(hosts[i], "disks", NULL), 0);
        assert_int_equal(run_line(hosts[i], "entries", NULL), 0);
        host_free(hosts[i]);
    }
}

static void audit_changes_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (cases[i].inflict == NULL)
            continue;
        struct host *host = fixture_modern_machine();
        cases[i].inflict(host);
        struct host *before = host_clone(host);
        (void)run_line(host, "disks", NULL);
        (void)run_line(host, "entries", NULL);
        assert_true(host_equal(host, before));
        assert_int_equal(mem_vars_log_count(host->vars), 0);
        host_free(before);
        host_free(host);
    }
}

/* What a command that only looks prints: what, where, and what to do next. */
static void each_finding_is_printed_with_place_and_advice(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (cases[i].inflict == NULL)
            continue;
        struct host *host = fixture_modern_machine();
        const char *text = NULL;
        const char *name = finding_name(cases[i].code);
        cases[i].inflict(host);
        bool about_disks = cases[i].code < FINDING_FALLBACK_MISSING;
        unsigned code = run_line(host, about_disks ? "disks" : "entries", &text);
        bool damage = finding_severity(cases[i].code) == SEVERITY_DAMAGE;
        /* One piece of damage may bring another with it. */
        assert_int_equal(code, strstr(text, "[damage]") != NULL ? 10 : 0);
        if (damage)
            assert_int_equal(code, 10);
        assert_says(text, cases[i].place);
        assert_says(text, finding_text(cases[i].code));
        const char *advice = finding_advice_words(cases[i].code, false);
        char begin[512];
        snprintf(begin, sizeof(begin), "%.*s", (int)strcspn(advice, "<"), advice);
        assert_says(text, begin);
        (void)run_line(host, about_disks ? "disks -sfo" : "entries -sfo", &text);
        assert_says(text, "FindingInfo,");
        assert_says(text, name);
        host_free(host);
    }
}

static void every_code_has_words_and_a_name_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < FINDING_COUNT; i++) {
        const char *name = finding_name((enum finding_code)i);
        assert_non_null(name);
        assert_non_null(finding_text((enum finding_code)i));
        assert_true(strlen(finding_text((enum finding_code)i)) > 20);
        if (finding_severity((enum finding_code)i) != SEVERITY_NOTE)
            assert_true(strlen(finding_advice_words((enum finding_code)i, false)) > 20);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(name, finding_name((enum finding_code)j));
    }
}

/* Lines to type name the disk, the partition and the entry: nothing is left for the reader to fill in. */
static void advice_names_the_place_it_is_for(void **state)
{
    static const char guid[] = "{814070d1-5c00-4000-8000-000000000007}";
    struct partition partition = {.disk = 7, .number = 3};
    struct entry entry = {.number = 0x1a};
    struct machine machine = {.partitions = &partition, .entries = &entry};
    struct volume_disk_note clone = {.disk = 7, .is_clone = true};
    struct finding finding = {FINDING_ESP_MISSING, 7, NO_INDEX, NO_INDEX, NO_INDEX, ""};
    static uint8_t memory[1 << 16];
    struct arena arena;

    (void)state;
    assert_int_equal(guid_parse(guid, &partition.unique), ST_OK);
    arena_init(&arena, memory, sizeof(memory));
    assert_string_equal(finding_advice(&arena, &machine, &finding, false),
                        "shadowboot prepare 7 makes one in free space, with files and boot entry; "
                        "so does repair. Where no disk has files, rebuild 7 does.");
    finding = (struct finding){FINDING_ESP_FILES_NEWER, NO_INDEX, 0, NO_INDEX, NO_INDEX, ""};
    assert_says(finding_advice(&arena, &machine, &finding, false),
                "shadowboot copy -sg {814070d1-5c00-4000-8000-000000000007} before it.");
    finding.code = FINDING_ESP_EMPTY;
    assert_says(finding_advice(&arena, &machine, &finding, false),
                "repair takes those that Windows keeps, as rebuild 7 does.");
    finding = (struct finding){FINDING_ENTRY_DAMAGED, NO_INDEX, NO_INDEX, 0, NO_INDEX, ""};
    assert_says(finding_advice(&arena, &machine, &finding, false), "shadowboot delete Boot001A");
    /* of a disk, the entry that starts from it */
    entry.boot.partition = 0;
    entry.in_order = true;
    entry.option.attributes = LOAD_OPTION_ACTIVE;
    machine.entry_count = 1;
    finding = (struct finding){FINDING_ORDER_NEVER_REACHES, 7, NO_INDEX, NO_INDEX, NO_INDEX, ""};
    assert_string_equal(finding_advice(&arena, &machine, &finding, false),
                        "shadowboot order Boot001A puts the disk's entry before it.");
    /* new GUIDs make a copy another disk for firmware, and no other one for LDM */
    finding = (struct finding){FINDING_DISK_GUID_REPEATED, 7, NO_INDEX, NO_INDEX, NO_INDEX, ""};
    assert_says(finding_advice(&arena, &machine, &finding, false), "shadowboot diskid 7 -set new");
    machine.volumes = (struct volume_map){.disks = &clone, .disk_count = 1};
    assert_says(finding_advice(&arena, &machine, &finding, false), "Take the copy out");
    finding =
        (struct finding){FINDING_PARTITION_GUID_REPEATED, NO_INDEX, 0, NO_INDEX, NO_INDEX, ""};
    assert_says(finding_advice(&arena, &machine, &finding, false), "Take the copy out");
    for (int i = 0; i < FINDING_COUNT; i++) {
        arena_init(&arena, memory, sizeof(memory));
        finding = (struct finding){(enum finding_code)i, 7, 0, 0, NO_INDEX, ""};
        const char *text = finding_advice(&arena, &machine, &finding, false);
        assert_null(strpbrk(text, "<>"));
        assert_null(strstr(text, " N "));
        assert_null(strstr(text, "the number of"));
        assert_null(strstr(text, "g GUID"));
    }
    /* without a place, or without room, no place is made up */
    finding = (struct finding){FINDING_ESP_MISSING, NO_INDEX, NO_INDEX, NO_INDEX, NO_INDEX, ""};
    assert_says(finding_advice(&arena, &machine, &finding, false), "shadowboot prepare DISK makes");
    arena_init(&arena, memory, 16);
    assert_string_equal(finding_advice(&arena, &machine, &finding, false), "");
}

static void unmounted_esp_is_not_said_to_lack_its_files(void **state)
{
    (void)state;
    struct host *host = fixture_modern_machine();
    struct ports ports = *host_ports(host);

    ports.files.volume_count = 0;
    ports.files.self = FILES_NO_VOLUME;
    ports.files.current = FILES_NO_VOLUME;
    assert_int_equal(fixture_run_ports(&ports, "entries"), 0);
    assert_null(strstr(host_console_text(host->console), "MISSING"));
    assert_says(host_console_text(host->console), "not checked");
    host_free(host);
}

static void fallback_is_not_asked_of_a_stick(void **state)
{
    (void)state;
    struct host *host = fixture_modern_machine();
    size_t volume = fixture_add_stick(host);

    mem_files_drop(host->files, volume, FALLBACK);
    struct scanned *scanned = scan_host(host, SCAN_ENTRIES);
    assert_int_equal(count_findings(scanned), 0);
    scanned_free(scanned);
    host_free(host);
}

static void entries_that_differ_in_optional_data_are_no_duplicates(void **state)
{
    (void)state;
    struct host *host = fixture_modern_machine();
    struct fixture_entry entry = {.number = 10,
                                  .description = "debian, single user",
                                  .form = FIXTURE_SHORT,
                                  .partition = fixture_partition_named(MODERN_ESP_0),
                                  .file = SHIMX64,
                                  .optional = FIXTURE_TEXT,
                                  .options = "single"};

    fixture_add_entry(host, &entry);
    struct scanned *scanned = scan_host(host, SCAN_ENTRIES);
    assert_int_equal(count_findings(scanned), 0);
    scanned_free(scanned);
    host_free(host);
}

/* Some firmware starts only one of the two forms. */
static void short_and_full_path_to_the_same_file_are_no_duplicates(void **state)
{
    (void)state;
    struct host *host = fixture_modern_machine();
    struct fixture_entry entry = {.number = 10,
                                  .description = "debian, wherever it is",
                                  .form = FIXTURE_SHORT,
                                  .partition = fixture_partition_named(MODERN_ESP_0),
                                  .file = SHIMX64};

    fixture_add_entry(host, &entry);
    struct scanned *scanned = scan_host(host, SCAN_ENTRIES);
    assert_int_equal(count_findings(scanned), 0);
    scanned_free(scanned);
    host_free(host);
}

static void no_order_and_no_entries_is_no_finding(void **state)
{
    (void)state;
    struct host *host = host_new();
    struct scanned *scanned = scan_host(host, SCAN_ENTRIES);

    assert_null(find_finding(scanned, FINDING_ORDER_MISSING));
    scanned_free(scanned);
    host_free(host);
}

static void every_code_belongs_to_a_test(void **state)
{
    (void)state;
    for (int i = 0; i < FINDING_COUNT; i++) {
        if (finding_owner((enum finding_code)i) == OWNER_NONE)
            print_error("nobody tests %s\n", finding_name((enum finding_code)i));
        assert_int_not_equal(finding_owner((enum finding_code)i), OWNER_NONE);
    }
}

/* Comes last. */
static void every_code_of_this_test_was_met(void **state)
{
    (void)state;
    findings_assert_met(OWNER_AUDIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_finding_is_made_at_its_place),
        cmocka_unit_test(an_application_that_no_order_names_is_in_order),
        cmocka_unit_test(variables_that_cannot_be_listed_are_reported),
        cmocka_unit_test(disks_without_their_firmware_have_entries_nobody_knows),
        cmocka_unit_test(secure_boot_that_nobody_can_tell_is_said_to_be_unknown),
        cmocka_unit_test(healthy_machines_have_no_findings),
        cmocka_unit_test(audit_changes_nothing),
        cmocka_unit_test(each_finding_is_printed_with_place_and_advice),
        cmocka_unit_test(every_code_has_words_and_a_name_of_its_own),
        cmocka_unit_test(advice_names_the_place_it_is_for),
        cmocka_unit_test(unmounted_esp_is_not_said_to_lack_its_files),
        cmocka_unit_test(fallback_is_not_asked_of_a_stick),
        cmocka_unit_test(entries_that_differ_in_optional_data_are_no_duplicates),
        cmocka_unit_test(short_and_full_path_to_the_same_file_are_no_duplicates),
        cmocka_unit_test(no_order_and_no_entries_is_no_finding),
        cmocka_unit_test(every_code_belongs_to_a_test),
        cmocka_unit_test(every_code_of_this_test_was_met),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
