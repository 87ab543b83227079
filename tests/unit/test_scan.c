/* Reading disks: partition tables in every state, the order of disks, and what it costs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/scan_fixture.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#define DISK_GUID  "d15cd15c-0000-4d00-8000-000000000001"
#define GUID_A     "aaaaaaaa-0001-4000-8000-000000000001"
#define GUID_B     "aaaaaaaa-0002-4000-8000-000000000001"
#define GUID_C     "aaaaaaaa-0003-4000-8000-000000000001"
#define BLOCKS     100000u
#define LAST_BLOCK (BLOCKS - 1)

/* The slots are not in the order of the places. */
static const struct fixture_partition three[] = {
    {1, TYPE_BASIC_DATA, GUID_B, 20000, 10000, "data"},
    {2, TYPE_ESP, GUID_A, 2048, 4096, "system"},
    {7, TYPE_LDM_DATA, GUID_C, 40000, 500, "dynamic"},
};

static struct host *one_disk(void)
{
    struct host *host = host_new();

    fixture_add_disk(host, DISK_AHCI, 512, BLOCKS, DISK_GUID, three, COUNT_OF(three));
    return host;
}

static bool has_guid(const struct guid *guid, const char *text)
{
    struct guid wanted = fixture_guid(text);

    return guid_equal(guid, &wanted);
}

static void assert_three_partitions(const struct machine *machine)
{
    const struct partition *list = machine->partitions;

    assert_int_equal(machine->disks[0].style, DISK_GPT);
    assert_true(has_guid(&machine->disks[0].guid, DISK_GUID));
    assert_int_equal(machine->partition_count, 3);
    assert_true(has_guid(&list[0].unique, GUID_A));
    assert_true(has_guid(&list[1].unique, GUID_B));
    assert_true(has_guid(&list[2].unique, GUID_C));
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(list[i].number, i + 1);
    assert_int_equal(list[0].hd_number, 2);
    assert_int_equal(list[1].hd_number, 1);
    assert_int_equal(list[2].hd_number, 7);
    assert_int_equal(list[1].first_lba, 20000);
    assert_int_equal(list[1].block_count, 10000);
    assert_string_equal(list[0].name, "system");
    assert_int_equal(list[0].kind, PT_ESP);
}

static void healthy_gpt_has_both_copies_and_no_findings(void **state)
{
    (void)state;
    struct host *host = one_disk();
    struct scanned *scanned = scan_host(host, SCAN_DISKS);
    const struct disk *disk = &scanned->machine.disks[0];

    assert_three_partitions(&scanned->machine);
    assert_int_equal(disk->status, ST_OK);
    assert_int_equal(disk->primary.problem, GPT_FINE);
    assert_int_equal(disk->backup.problem, GPT_FINE);
    assert_int_equal(disk->primary.lba, 1);
    assert_int_equal(disk->backup.lba, LAST_BLOCK);
    assert_false(disk->copies_differ);
    assert_int_equal(count_findings(scanned), 0);
    assert_string_equal(disk->model, "Memory disk");
    scanned_free(scanned);
    host_free(host);
}

/* --- Tables that were made for another disk -------------------------------------------------- */

/* Firmware goes by the primary copy however long the disk is, so what lies in front is shown. */
static void table_of_a_larger_disk_shows_what_is_here(void **state)
{
    (void)state;
    struct host *host = one_disk();
    patch_header(host, 0, PRIMARY, 32, 2 * BLOCKS - 1, 8);
    patch_header(host, 0, PRIMARY, 48, 2 * BLOCKS - 34, 8);
    zero_block(host, 0, LAST_BLOCK);
    struct scanned *scanned = scan_host(host, SCAN_DISKS);

    assert_three_partitions(&scanned->machine);
    assert_int_equal(scanned->machine.disks[0].primary.problem, GPT_OF_LARGER_DISK);
    assert_false(disk_hides_partitions(&scanned->machine.disks[0]));
    for (size_t i = 0; i < 3; i++)
        assert_false(scanned->machine.partitions[i].out_of_range);
    assert_non_null(find_finding(scanned, FINDING_GPT_OF_LARGER_DISK));
    assert_int_equal(count_findings(scanned), 1);
    scanned_free(scanned);
    host_free(host);
}

#define BRIDGE_END   (64u * 1024) /* bytes at each end that hold a copy of the table */
#define BRIDGE_BYTES (16u << 20)

/* A disk partitioned with blocks of one size that shows the other; its primary may be wiped. */
static struct host *behind_a_bridge(uint32_t made, uint32_t shown, bool wiped)
{
    static const struct fixture_partition one[] = {{1, TYPE_ESP, GUID_A, 256, 512, "system"}};
    struct host *before = host_new();
    struct host *host = host_new();
    uint8_t *data = calloc(1, BRIDGE_END);

    fixture_add_disk(before, DISK_AHCI, made, BRIDGE_BYTES / made, DISK_GUID, one, COUNT_OF(one));
    host_add_disk(host, DISK_AHCI, shown, BRIDGE_BYTES / shown);
    for (uint64_t i = wiped ? 1 : 0; i < 2; i++) {
        uint64_t at = i * (BRIDGE_BYTES - BRIDGE_END);
        mem_block_peek(before->disks[0], at, data, BRIDGE_END);
        mem_block_write(host->disks[0], at, data, BRIDGE_END);
    }
    free(data);
    host_free(before);
    return host;
}

static void table_for_blocks_of_another_size_is_no_empty_disk(void **state)
{
    static const uint32_t sizes[][2] = {{4096, 512}, {512, 4096}};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct host *host = behind_a_bridge(sizes[i / 2][0], sizes[i / 2][1], i % 2 == 1);
        struct scanned *scanned = scan_host(host, SCAN_DISKS);
        const struct disk *disk = &scanned->machine.disks[0];
        assert_int_equal(disk->style, DISK_GPT);
        assert_int_equal(disk->table_block_size, sizes[i / 2][0]);
        assert_true(disk_hides_partitions(disk));
        assert_int_equal(disk->partition_count, 0);
        const struct finding *finding = find_finding(scanned, FINDING_GPT_OTHER_BLOCK_SIZE);
        assert_string_equal(place_of_finding(scanned, finding), "Disk 0");
        assert_int_equal(count_findings(scanned), 1);
        scanned_free(scanned);
        host_free(host);
    }
}

/* --- Damaged copies ------------------------------------------------------------------------- */

enum damage_kind { FLIP, PATCH, ZERO, SPOIL, SPOIL_ARRAY };

/* Offsets are those of a header (UEFI Specification, table "GPT Header"). */
static const struct damage {
    const char *what;
    enum damage_kind kind;
    unsigned offset;
    uint64_t value;
    unsigned size;
    enum gpt_problem problem;
} damages[] = {
    {"header wiped", ZERO, 0, 0, 0, GPT_NO_SIGNATURE},
    {"first letter of the signature", FLIP, 0, 0, 0, GPT_NO_SIGNATURE},
    {"last letter of the signature", FLIP, 7, 0, 0, GPT_NO_SIGNATURE},
    {"a byte of the disk GUID", FLIP, 56, 0, 0, GPT_BAD_HEADER_CRC},
    {"a byte of the checksum", FLIP, 16, 0, 0, GPT_BAD_HEADER_CRC},
    {"revision 2", PATCH, 8, 0x00020000, 4, GPT_BAD_REVISION},
    {"another block's header", PATCH, 24, 7, 8, GPT_WRONG_PLACE},
    {"usable range turned round", PATCH, 40, LAST_BLOCK, 8, GPT_BAD_USABLE_RANGE},
    {"usable range beyond the disk", PATCH, 48, UINT64_MAX, 8, GPT_BAD_USABLE_RANGE},
    {"usable range over the MBR", PATCH, 40, 0, 8, GPT_BAD_USABLE_RANGE},
    {"no entries", PATCH, 80, 0, 4, GPT_BAD_ENTRY_COUNT},
    {"four billion entries", PATCH, 80, UINT32_MAX, 4, GPT_BAD_ENTRY_COUNT},
    {"entries of no size", PATCH, 84, 0, 4, GPT_BAD_ENTRY_SIZE},
    {"entries of 127 bytes", PATCH, 84, 127, 4, GPT_BAD_ENTRY_SIZE},
    {"entries of 2 GiB", PATCH, 84, 0x80000000u, 4, GPT_BAD_ENTRY_COUNT},
    {"entries in the MBR", PATCH, 72, 0, 8, GPT_BAD_ARRAY_PLACE},
    {"entries beyond the disk", PATCH, 72, UINT64_MAX, 8, GPT_BAD_ARRAY_PLACE},
    {"entries among the partitions", PATCH, 72, 20000, 8, GPT_BAD_ARRAY_PLACE},
    {"checksum of the entries", PATCH, 88, 0x12345678, 4, GPT_BAD_ARRAY_CRC},
    {"header cannot be read", SPOIL, 0, 0, 0, GPT_UNREADABLE},
    {"entries cannot be read", SPOIL_ARRAY, 0, 0, 0, GPT_UNREADABLE},
};

static void inflict(struct host *host, const struct damage *damage, enum gpt_side side)
{
    uint64_t header = header_offset(host, 0, side);

    if (damage->kind == FLIP)
        flip_byte(host, 0, header + damage->offset);
    if (damage->kind == PATCH)
        patch_header(host, 0, side, damage->offset, damage->value, damage->size);
    if (damage->kind == ZERO)
        zero_block(host, 0, header / 512);
    if (damage->kind == SPOIL)
        mem_block_spoil(host->disks[0], header / 512, 1);
    if (damage->kind == SPOIL_ARRAY)
        mem_block_spoil(host->disks[0], side == PRIMARY ? 2 : LAST_BLOCK - 32, 1);
}

static void damaged_primary_is_reported_and_backup_used(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(damages); i++) {
        struct host *host = one_disk();
        inflict(host, &damages[i], PRIMARY);
        struct scanned *scanned = scan_host(host, SCAN_DISKS);
        const struct disk *disk = &scanned->machine.disks[0];
        if (disk->primary.problem != damages[i].problem)
            print_error("primary: %s\n", damages[i].what);
        assert_int_equal(disk->primary.problem, damages[i].problem);
        assert_int_equal(disk->backup.problem, GPT_FINE);
        assert_three_partitions(&scanned->machine);
        const struct finding *finding = find_finding(scanned, FINDING_GPT_PRIMARY_DAMAGED);
        assert_string_equal(place_of_finding(scanned, finding), "Disk 0");
        assert_int_equal(count_findings(scanned), 1);
        scanned_free(scanned);
        host_free(host);
    }
}

static void damaged_backup_is_reported_and_primary_used(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(damages); i++) {
        struct host *host = one_disk();
        inflict(host, &damages[i], BACKUP);
        struct scanned *scanned = scan_host(host, SCAN_DISKS);
        const struct disk *disk = &scanned->machine.disks[0];
        if (disk->backup.problem != damages[i].problem)
            print_error("backup: %s\n", damages[i].what);
        assert_int_equal(disk->primary.problem, GPT_FINE);
        assert_int_equal(disk->backup.problem, damages[i].problem);
        assert_three_partitions(&scanned->machine);
        assert_non_null(find_finding(scanned, FINDING_GPT_BACKUP_DAMAGED));
        assert_int_equal(count_findings(scanned), 1);
        scanned_free(scanned);
        host_free(host);
    }
}

static void with_both_copies_damaged_no_partition_is_believed(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(damages); i++) {
        struct host *host = one_disk();
        inflict(host, &damages[i], PRIMARY);
        inflict(host, &damages[(i * 5 + 3) % COUNT_OF(damages)], BACKUP);
        struct scanned *scanned = scan_host(host, SCAN_DISKS);
        const struct disk *disk = &scanned->machine.disks[0];
        assert_int_equal(disk->style, DISK_GPT);
        assert_int_equal(disk->status, ST_OK);
        assert_int_not_equal(disk->primary.problem, GPT_FINE);
        assert_int_not_equal(disk->backup.problem, GPT_FINE);
        assert_int_equal(scanned->machine.partition_count, 0);
        assert_non_null(find_finding(scanned, FINDING_GPT_BOTH_DAMAGED));
        assert_int_equal(count_findings(scanned), 1);
        scanned_free(scanned);
        host_free(host);
    }
}

static void copies_that_differ_are_reported_and_primary_used(void **state)
{
    (void)state;
    struct host *host = one_disk();
    patch_entry(host, 0, BACKUP, 0, 56, "D", 1);
    struct scanned *scanned = scan_host(host, SCAN_DISKS);

    assert_true(scanned->machine.disks[0].copies_differ);
    assert_three_partitions(&scanned->machine);
    assert_string_equal(scanned->machine.partitions[1].name, "data");
    assert_non_null(find_finding(scanned, FINDING_GPT_COPIES_DIFFER));
    scanned_free(scanned);
    host_free(host);
}

/* The same table on a disk that is 1,000 blocks larger than when it was written. */
static struct host *grown_disk(bool with_backup)
{
    struct host *small = one_disk();
    struct host *host = host_new();
    uint8_t *edge = malloc(34 * 512);

    assert_non_null(edge);
    host_add_disk(host, DISK_AHCI, 512, BLOCKS + 1000);
    mem_block_peek(small->disks[0], 0, edge, 34 * 512);
    mem_block_write(host->disks[0], 0, edge, 34 * 512);
    mem_block_peek(small->disks[0], (BLOCKS - 33) * 512, edge, 33 * 512);
    if (with_backup)
        mem_block_write(host->disks[0], (BLOCKS - 33) * 512, edge, 33 * 512);
    free(edge);
    host_free(small);
    return host;
}

static void backup_that_is_not_at_the_end_is_found_where_the_primary_says(void **state)
{
    (void)state;
    struct host *host = grown_disk(true);
    struct scanned *scanned = scan_host(host, SCAN_DISKS);

    assert_three_partitions(&scanned->machine);
    assert_int_equal(scanned->machine.disks[0].backup.problem, GPT_FINE);
    assert_int_equal(scanned->machine.disks[0].backup.lba, LAST_BLOCK);
    assert_non_null(find_finding(scanned, FINDING_GPT_BACKUP_NOT_AT_END));
    assert_int_equal(count_findings(scanned), 1);
    scanned_free(scanned);
    host_free(host);
}

static void backup_cut_off_with_the_end_of_the_disk_is_damage(void **state)
{
    (void)state;
    struct host *host = one_disk();
    patch_header(host, 0, PRIMARY, 32, BLOCKS + 5000, 8);
    zero_block(host, 0, LAST_BLOCK);
    struct scanned *scanned = scan_host(host, SCAN_DISKS);

    assert_three_partitions(&scanned->machine);
    assert_non_null(find_finding(scanned, FINDING_GPT_BACKUP_DAMAGED));
    scanned_free(scanned);
    host_free(host);
}

/* --- MBR ------------------------------------------------------------------------------------ */

static void gpt_without_protective_mbr_is_read_and_reported(void **state)
{
    (void)state;
    struct host *host = one_disk();
    zero_block(host, 0, 0);
    struct scanned *scanned = scan_host(host, SCAN_DISKS);

    assert_three_partitions(&scanned->machine);
    const struct finding *finding = find_finding(scanned, FINDING_GPT_NO_PROTECTIVE_MBR);
    assert_string_equal(place_of_finding(scanned, finding), "Disk 0");
    assert_int_equal(count_findings(scanned), 1);
    scanned_free(scanned);
    host_free(host);
}

static void unreadable_mbr_does_not_hide_the_gpt(void **state)
{
    (void)state;
    struct host *host = one_disk();
    mem_block_spoil(host->disks[0], 0, 1);
    struct scanned *scanned = scan_host(host, SCAN_DISKS);

    assert_three_partitions(&scanned->machine);
    assert_non_null(find_finding(scanned, FINDING_GPT_MBR_UNREADABLE));
    scanned_free(scanned);
    host_free(host);
}

static void disk_with_nothing_to_go_by_but_bad_blocks_is_unreadable(void **state)
{
    (void)state;
    static const uint64_t bad[] = {0, 1, LAST_BLOCK};

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct host *host = host_new();
        host_add_disk(host, DISK_AHCI, 512, BLOCKS);
        mem_block_spoil(host->disks[0], bad[i], 1);
        struct scanned *scanned = scan_host(host, SCAN_DISKS);
        assert_int_equal(scanned->machine.disks[0].status, ST_IO);
        assert_non_null(find_finding(scanned, FINDING_DISK_UNREADABLE));
        assert_int_equal(count_findings(scanned), 1);
        scanned_free(scanned);
        host_free(host);
    }
}

static void hybrid_mbr_is_noted_and_the_gpt_used(void **state)
{
    (void)state;
    struct host *host = one_disk();
    put_mbr_record(host, 0, 0, 1, 0x07, 20000, 10000);
    struct scanned *scanned = scan_host(host, SCAN_DISKS);

    assert_three_partitions(&scanned->machine);
    assert_int_equal(scanned->machine.disks[0].mbr.kind, MBR_HYBRID);
    assert_non_null(find_finding(scanned, FINDING_GPT_HYBRID_MBR));
    assert_int_equal(count_findings(scanned), 1);
    scanned_free(scanned);
    host_free(host);
}

/* Primaries 1 and 3, an extended partition as 2 with two logical ones. */
static struct host *mbr_disk(void)
{
    static const uint8_t signature[4] = {0x78, 0x56, 0x34, 0x12};
    struct host *host = host_new();

    host_add_disk(host, DISK_AHCI, 512, BLOCKS);
    mem_block_write(host->disks[0], 440, signature, 4);
    put_mbr_record(host, 0, 0, 0, 0xef, 2048, 4096);
    put_mbr_record(host, 0, 0, 1, 0x0f, 20000, 40000);
    put_mbr_record(host, 0, 0, 2, 0x42, 8192, 1000);
    put_mbr_record(host, 0, 20000, 0, 0x83, 63, 5000);
    put_mbr_record(host, 0, 20000, 1, 0x05, 6000, 6000);
    put_mbr_record(host, 0, 26000, 0, 0x07, 63, 3000);
    return host;
}

static void plain_mbr_is_read_with_its_logical_partitions(void **state)
{
    (void)state;
    static const struct {
        uint32_t hd_number;
        uint8_t type;
        uint64_t first;
        uint64_t blocks;
    } wanted[] = {
        {1, 0xef, 2048, 4096},
        {3, 0x42, 8192, 1000},
        {5, 0x83, 20063, 5000},
        {6, 0x07, 26063, 3000},
    };
    struct host *host = mbr_disk();
    struct scanned *scanned = scan_host(host, SCAN_DISKS);
    const struct machine *machine = &scanned->machine;

    assert_int_equal(machine->disks[0].style, DISK_MBR);
    assert_int_equal(machine->disks[0].mbr.signature, 0x12345678);
    assert_int_equal(machine->partition_count, COUNT_OF(wanted));
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        assert_int_equal(machine->partitions[i].number, i + 1);
        assert_int_equal(machine->partitions[i].hd_number, wanted[i].hd_number);
        assert_int_equal(machine->partitions[i].mbr_type, wanted[i].type);
        assert_int_equal(machine->partitions[i].first_lba, wanted[i].first);
        assert_int_equal(machine->partitions[i].block_count, wanted[i].blocks);
    }
    assert_int_equal(machine->partitions[0].kind, PT_ESP);
    assert_int_equal(count_findings(scanned), 0);
    scanned_free(scanned);
    host_free(host);
}

static void chain_of_logical_partitions_in_a_circle_ends(void **state)
{
    (void)state;
    static const uint32_t links[] = {0, 6000, 3000, UINT32_MAX};
    struct host *straight = mbr_disk();
    struct scanned *whole = scan_host(straight, SCAN_DISKS);
    uint64_t reads = whole->counts.block_reads; /* of a chain that ends by itself */

    scanned_free(whole);
    host_free(straight);
    for (size_t i = 0; i < COUNT_OF(links); i++) {
        struct host *host = mbr_disk();
        put_mbr_record(host, 0, 26000, 1, 0x05, links[i], 6000);
        struct scanned *scanned = scan_host(host, SCAN_DISKS);
        assert_int_equal(scanned->machine.partition_count, 4);
        assert_true(scanned->counts.block_reads <= reads);
        scanned_free(scanned);
        host_free(host);
    }
}

static void endless_chain_of_logical_partitions_is_cut(void **state)
{
    (void)state;
    struct host *host = mbr_disk();

    for (uint32_t i = 0; i < 2000; i++) {
        put_mbr_record(host, 0, 20000 + i, 0, 0x83, 1, 1);
        put_mbr_record(host, 0, 20000 + i, 1, 0x05, i + 1, 2);
    }
    struct scanned *scanned = scan_host(host, SCAN_DISKS);
    assert_int_equal(scanned->machine.partition_count, 2 + 124);
    scanned_free(scanned);
    host_free(host);
}

static void unreadable_extended_record_ends_the_chain(void **state)
{
    (void)state;
    struct host *host = mbr_disk();
    mem_block_spoil(host->disks[0], 26000, 1);
    struct scanned *scanned = scan_host(host, SCAN_DISKS);

    assert_int_equal(scanned->machine.partition_count, 3);
    scanned_free(scanned);
    host_free(host);
}

static void disk_without_any_table_is_raw(void **state)
{
    (void)state;
    struct host *host = host_new();
    const char *text = NULL;

    host_add_disk(host, DISK_AHCI, 512, BLOCKS);
    struct scanned *scanned = scan_host(host, SCAN_DISKS);
    assert_int_equal(scanned->machine.disks[0].style, DISK_RAW);
    assert_int_equal(scanned->machine.disks[0].status, ST_OK);
    assert_int_equal(count_findings(scanned), 0);
    scanned_free(scanned);
    assert_int_equal(run_line(host, "disks", &text), 0);
    assert_says(text, "no partition table");
    host_free(host);
}

static bool is_blank(struct host *host)
{
    struct scanned *scanned = scan_host(host, SCAN_DISKS);
    bool blank = scanned->machine.disks[0].blank;

    scanned_free(scanned);
    return blank;
}

/* What lies at the ends of a disk that has no table and is in use: a member of an md array (1.0:
 * 8 KiB from the end, 0.90: up to 128 KiB), LVM, Btrfs (64 KiB from the start). */
static void disk_without_a_table_is_blank_only_when_both_ends_are_zero(void **state)
{
    static const int64_t places[] = {512, 4096, 65536, -8192, -1, -65536 - 512};
    const uint64_t size = (uint64_t)BLOCKS * 512;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        struct host *host = host_new();
        host_add_disk(host, DISK_AHCI, 512, BLOCKS);
        assert_true(is_blank(host));
        flip_byte(host, 0, places[i] < 0 ? size - (uint64_t)-places[i] : (uint64_t)places[i]);
        assert_false(is_blank(host));
        host_free(host);
    }
}

static void disk_whose_ends_cannot_be_read_is_not_blank(void **state)
{
    static const uint64_t bad[] = {100, LAST_BLOCK - 100};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct host *host = host_new();
        host_add_disk(host, DISK_AHCI, 512, BLOCKS);
        mem_block_spoil(host->disks[0], bad[i], 1);
        assert_false(is_blank(host));
        host_free(host);
    }
}

static void tiny_disk_can_be_blank(void **state)
{
    (void)state;
    struct host *host = host_new();

    host_add_disk(host, DISK_AHCI, 4096, 3);
    assert_true(is_blank(host));
    host_free(host);
}

static void disk_with_a_table_is_not_blank(void **state)
{
    (void)state;
    struct host *host = one_disk();

    assert_false(is_blank(host));
    host_free(host);
}

/* --- Partitions ----------------------------------------------------------------------------- */

static void overlapping_partitions_are_all_marked(void **state)
{
    (void)state;
    struct host *host = one_disk();
    patch_entries(host, 0, 6, 32, 29999, 8);
    patch_entries(host, 0, 6, 40, 30010, 8);
    struct scanned *scanned = scan_host(host, SCAN_DISKS);

    assert_false(scanned->machine.partitions[0].overlaps);
    assert_true(scanned->machine.partitions[1].overlaps);
    assert_true(scanned->machine.partitions[2].overlaps);
    assert_int_equal(count_findings(scanned), 2);
    assert_string_equal(
        place_of_finding(scanned, find_finding(scanned, FINDING_PARTITION_OVERLAPS)),
        "Disk 0 Partition 2");
    scanned_free(scanned);
    host_free(host);
}

static void neighbours_do_not_overlap(void **state)
{
    (void)state;
    struct host *host = one_disk();
    patch_entries(host, 0, 6, 32, 30000, 8);
    patch_entries(host, 0, 6, 40, 30000, 8);
    struct scanned *scanned = scan_host(host, SCAN_DISKS);

    assert_int_equal(count_findings(scanned), 0);
    assert_int_equal(scanned->machine.partitions[2].block_count, 1);
    scanned_free(scanned);
    host_free(host);
}

static void partition_inside_another_marks_both_and_not_the_next(void **state)
{
    (void)state;
    struct host *host = one_disk();
    patch_entries(host, 0, 1, 32, 21000, 8); /* the ESP lies inside the data partition */
    patch_entries(host, 0, 1, 40, 21010, 8);
    struct scanned *scanned = scan_host(host, SCAN_DISKS);

    assert_true(scanned->machine.partitions[0].overlaps);
    assert_true(scanned->machine.partitions[1].overlaps);
    assert_false(scanned->machine.partitions[2].overlaps);
    scanned_free(scanned);
    host_free(host);
}

static void partitions_out_of_range_are_marked(void **state)
{
    (void)state;
    static const struct {
        uint64_t first;
        uint64_t last;
    } places[] = {
        {33, 40},                     /* before the first usable block */
        {60000, LAST_BLOCK},          /* over the backup */
        {60000, BLOCKS + 10},         /* beyond the end */
        {UINT64_MAX - 1, UINT64_MAX}, /* far beyond */
        {0, UINT64_MAX},              /* 2^64 blocks */
        {70000, 60000},               /* ends before it starts */
        {LAST_BLOCK + 1, LAST_BLOCK + 1},
    };

    for (size_t i = 0; i < COUNT_OF(places); i++) {
        struct host *host = one_disk();
        const char *text = NULL;
        patch_entries(host, 0, 6, 32, places[i].first, 8);
        patch_entries(host, 0, 6, 40, places[i].last, 8);
        struct scanned *scanned = scan_host(host, SCAN_DISKS);
        const struct machine *machine = &scanned->machine;
        size_t marked = 0;
        for (size_t j = 0; j < machine->partition_count; j++) {
            bool bad = has_guid(&machine->partitions[j].unique, GUID_C);
            assert_int_equal(machine->partitions[j].out_of_range, bad);
            marked += machine->partitions[j].out_of_range;
        }
        assert_int_equal(marked, 1);
        assert_non_null(find_finding(scanned, FINDING_PARTITION_OUT_OF_RANGE));
        scanned_free(scanned);
        assert_int_equal(run_line(host, "disks", &text), 10);
        assert_says(text, "does not lie inside the usable part");
        host_free(host);
    }
}

static void gpt_name_of_36_characters_needs_no_nul(void **state)
{
    (void)state;
    struct host *host = one_disk();
    uint8_t name[72];

    for (size_t i = 0; i < sizeof(name); i += 2) {
        name[i] = (uint8_t)('a' + i / 2 % 26);
        name[i + 1] = 0;
    }
    patch_entry(host, 0, PRIMARY, 0, 56, name, sizeof(name));
    patch_entry(host, 0, BACKUP, 0, 56, name, sizeof(name));
    struct scanned *scanned = scan_host(host, SCAN_DISKS);
    assert_string_equal(scanned->machine.partitions[1].name,
                        "abcdefghijklmnopqrstuvwxyzabcdefghij");
    scanned_free(scanned);
    host_free(host);
}

static void attributes_are_kept_and_shown(void **state)
{
    (void)state;
    struct host *host = one_disk();
    const char *text = NULL;

    patch_entries(host, 0, 0, 48, 0x8000000000000001u, 8);
    struct scanned *scanned = scan_host(host, SCAN_DISKS);
    assert_true(scanned->machine.partitions[1].attributes == 0x8000000000000001u);
    scanned_free(scanned);
    assert_int_equal(run_line(host, "disks 0", &text), 0);
    assert_says(text, "Attributes:       0x8000000000000001");
    host_free(host);
}

static void blocks_of_4096_bytes_are_read_in_their_own_unit(void **state)
{
    (void)state;
    struct host *host = host_new();
    const char *text = NULL;

    fixture_add_disk(host, DISK_NVME, 4096, BLOCKS, DISK_GUID, three, COUNT_OF(three));
    struct scanned *scanned = scan_host(host, SCAN_DISKS);
    const struct machine *machine = &scanned->machine;
    assert_three_partitions(machine);
    assert_int_equal(machine->disks[0].block_size, 4096);
    assert_int_equal(partition_offset(machine, &machine->partitions[0]), 2048 * 4096);
    assert_int_equal(partition_bytes(machine, &machine->partitions[0]), 4096 * 4096);
    assert_int_equal(count_findings(scanned), 0);
    scanned_free(scanned);
    assert_int_equal(run_line(host, "bootcfg /list 0", &text), 0);
    assert_says(text, "Starting  offset: 8,388,608|Partition length: 16,777,216");
    host_free(host);
}

static void table_written_for_another_block_size_is_not_believed(void **state)
{
    (void)state;
    struct host *host = host_new();
    struct host *other = one_disk();
    uint8_t *edge = malloc(34 * 512);

    assert_non_null(edge);
    host_add_disk(host, DISK_NVME, 4096, BLOCKS / 8);
    mem_block_peek(other->disks[0], 0, edge, 34 * 512);
    mem_block_write(host->disks[0], 0, edge, 34 * 512);
    struct scanned *scanned = scan_host(host, SCAN_DISKS);
    assert_int_equal(scanned->machine.partition_count, 0);
    assert_non_null(find_finding(scanned, FINDING_GPT_OTHER_BLOCK_SIZE));
    scanned_free(scanned);
    free(edge);
    host_free(other);
    host_free(host);
}

/* --- Several disks -------------------------------------------------------------------------- */

static void raw_copy_of_a_disk_is_reported_at_both(void **state)
{
    (void)state;
    struct host *host = one_disk();

    fixture_add_disk(host, DISK_AHCI, 512, BLOCKS, DISK_GUID, three, COUNT_OF(three));
    struct scanned *scanned = scan_host(host, SCAN_DISKS);
    const struct machine *machine = &scanned->machine;
    for (size_t i = 0; i < 2; i++)
        assert_true(machine->disks[i].guid_repeated);
    for (size_t i = 0; i < 6; i++)
        assert_true(machine->partitions[i].guid_repeated);
    assert_int_equal(count_findings(scanned), 2 + 6);
    scanned_free(scanned);
    host_free(host);
}

static void equal_mbr_signatures_are_reported(void **state)
{
    (void)state;
    struct host *host = mbr_disk();
    static const uint8_t signature[4] = {0x78, 0x56, 0x34, 0x12};

    host_add_disk(host, DISK_AHCI, 512, BLOCKS);
    mem_block_write(host->disks[1], 440, signature, 4);
    put_mbr_record(host, 1, 0, 0, 0x07, 2048, 4096);
    struct scanned *scanned = scan_host(host, SCAN_DISKS);
    assert_non_null(find_finding(scanned, FINDING_DISK_GUID_REPEATED));
    scanned_free(scanned);
    host_free(host);
}

static void disk_that_fails_reads_keeps_its_number(void **state)
{
    (void)state;
    struct host *host = fixture_article_machine();
    const char *text = NULL;

    mem_block_set_gone(host->disks[0], true);
    struct scanned *scanned = scan_host(host, SCAN_ENTRIES);
    const struct machine *machine = &scanned->machine;
    assert_int_equal(machine->disk_count, 2);
    assert_int_equal(machine->disks[0].status, ST_IO);
    assert_int_equal(machine->disks[0].partition_count, 0);
    assert_int_equal(machine->disks[1].partition_count, 4);
    assert_string_equal(place_of_finding(scanned, find_finding(scanned, FINDING_DISK_UNREADABLE)),
                        "Disk 0");
    scanned_free(scanned);
    assert_int_equal(run_line(host, "disks 0", &text), 10);
    assert_says(text, "Disk 0|unreadable|cannot be read");
    assert_int_equal(run_line(host, "bootcfg /list 0", &text), 7);
    assert_says(text, "ERROR|Disk 0|cannot be read");
    assert_int_equal(run_line(host, "disks 1", &text), 0);
    host_free(host);
}

static void disk_of_less_than_two_blocks_is_unreadable_and_harmless(void **state)
{
    (void)state;
    struct host *host = host_new();

    host_add_disk(host, DISK_AHCI, 512, 1);
    host_add_disk(host, DISK_AHCI, 4096, 2);
    host_add_disk(host, DISK_AHCI, 65536, 3);
    struct scanned *scanned = scan_host(host, SCAN_DISKS);
    assert_int_equal(scanned->machine.disk_count, 3);
    assert_int_equal(scanned->machine.partition_count, 0);
    scanned_free(scanned);
    host_free(host);
}

static void nt_volumes_are_counted_as_in_the_article(void **state)
{
    (void)state;
    static const struct {
        const char *guid;
        size_t disk;
        uint32_t nt_volume;
        uint32_t block_volume;
    } wanted[] = {
        {ARTICLE_ESP_0, 0, 1, 0}, {ARTICLE_DATA_0, 0, 0, 1}, {ARTICLE_METADATA_0, 0, 0, 0},
        {ARTICLE_MSR_0, 0, 2, 0}, {ARTICLE_ESP_1, 1, 3, 0},  {ARTICLE_METADATA_1, 1, 0, 0},
        {ARTICLE_MSR_1, 1, 4, 0}, {ARTICLE_DATA_1, 1, 0, 1},
    };
    struct host *host = fixture_article_machine();
    struct scanned *scanned = scan_host(host, SCAN_ENTRIES);

    assert_int_equal(scanned->machine.partition_count, COUNT_OF(wanted));
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        const struct partition *partition = &scanned->machine.partitions[i];
        assert_true(has_guid(&partition->unique, wanted[i].guid));
        assert_int_equal(partition->disk, wanted[i].disk);
        assert_int_equal(partition->nt_volume, wanted[i].nt_volume);
        assert_int_equal(partition->block_volume, wanted[i].block_volume);
    }
    scanned_free(scanned);
    host_free(host);
}

/* Texts of the disks' paths in the order people see them. */
static void list_paths(struct host *host, char ret_text[1024])
{
    struct scanned *scanned = scan_host(host, SCAN_DISKS);

    ret_text[0] = '\0';
    for (size_t i = 0; i < scanned->machine.disk_count; i++) {
        strncat(ret_text, scanned->machine.disks[i].path_text, 200);
        strncat(ret_text, "\n", 2);
    }
    scanned_free(scanned);
}

static void disks_are_ordered_by_place_with_usb_and_removable_last(void **state)
{
    (void)state;
    struct host *host = host_new();
    char forward[1024];
    char backward[1024];

    host_add_disk(host, DISK_USB, 512, BLOCKS);  /* position 0, listed first by firmware */
    host_add_disk(host, DISK_AHCI, 512, BLOCKS); /* 1 */
    host_add_disk(host, DISK_AHCI, 512, BLOCKS); /* 2, removable */
    host_add_disk(host, DISK_AHCI, 512, BLOCKS); /* 3 */
    host_add_disk(host, DISK_NVME, 512, BLOCKS); /* 4 */
    mem_block_set_removable(host->disks[2], true);
    list_paths(host, forward);
    for (size_t i = 0; i < 2; i++) {
        struct mem_block *disk = host->disks[i];
        host->disks[i] = host->disks[4 - i];
        host->disks[4 - i] = disk;
    }
    list_paths(host, backward);
    assert_string_equal(forward, backward);
    assert_string_equal(forward, "PciRoot(0x0)/Pci(0x6,0x0)/NVMe(0x1,05-00-00-00-00-38-52-00)\n"
                                 "PciRoot(0x0)/Pci(0x1f,0x2)/Sata(0x1,0xffff,0x0)\n"
                                 "PciRoot(0x0)/Pci(0x1f,0x2)/Sata(0x3,0xffff,0x0)\n"
                                 "PciRoot(0x0)/Pci(0x14,0x0)/USB(0x0,0x0)\n"
                                 "PciRoot(0x0)/Pci(0x1f,0x2)/Sata(0x2,0xffff,0x0)\n");
    host_free(host);
}

static void stick_the_program_came_from_is_marked_and_shifts_no_number(void **state)
{
    (void)state;
    struct host *host = fixture_modern_machine();

    fixture_add_stick(host);
    struct scanned *scanned = scan_host(host, SCAN_DISKS);
    assert_int_equal(scanned->machine.disk_count, 3);
    assert_false(scanned->machine.disks[0].has_self);
    assert_false(scanned->machine.disks[1].has_self);
    assert_true(scanned->machine.disks[2].has_self);
    assert_true(scanned->machine.disks[2].removable);
    scanned_free(scanned);
    host_free(host);
}

/* --- Cost ----------------------------------------------------------------------------------- */

#define BLOCKS_EACH 64u

/* A full disk whose ESP is mounted. */
static void add_full_disk(struct host *host, uint32_t block_size)
{
    size_t disk = fixture_add_full_disk(host, block_size, BLOCKS_EACH);
    struct host_partition esp = fixture_full_disk_esp(disk, BLOCKS_EACH);
    size_t volume = host_add_volume(host, &esp, 0);

    mem_files_put(host->files, volume, BOOTMGFW, "x", 1);
    mem_files_put(host->files, volume, "\\EFI\\BOOT\\BOOTX64.EFI", "x", 1);
}

/* Entries that name ESPs of all disks in turn. */
static void add_many_entries(struct host *host, unsigned disks, unsigned count)
{
    uint16_t *order = calloc(count, sizeof(*order));

    assert_non_null(order);
    for (unsigned i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof(name), "Entry %03u", i);
        struct fixture_entry entry = {
            .number = (uint16_t)(i + 1),
            .description = name,
            .form = FIXTURE_SHORT,
            .partition = fixture_full_disk_esp(i % disks, BLOCKS_EACH),
            .file = BOOTMGFW,
        };
        order[i] = entry.number;
        fixture_add_entry(host, &entry);
    }
    fixture_set_order(host, order, count);
    free(order);
}

static void disks_reads_at_most_64_kib_of_a_healthy_disk(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {512, 4096};

    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct host *host = host_new();
        struct port_counts counts = {0};
        struct ports counted;
        struct arena arena;
        uint8_t memory[4096];

        add_full_disk(host, sizes[i]);
        arena_init(&arena, memory, sizeof(memory));
        assert_int_equal(ports_count(&arena, host_ports(host), &counts, &counted), ST_OK);
        assert_int_equal(fixture_run_ports(&counted, "disks"), 0);
        assert_in_range(counts.block_read_bytes, 1, 65536);
        assert_int_equal(counts.var_writes + counts.file_writes, 0);
        host_free(host);
    }
}

/* What a scan of everything costs. */
struct cost {
    double reads;
    double bytes;
    double var_calls;
    double file_calls;
    double memory;
};

static struct cost cost_of(unsigned disks, unsigned entries)
{
    struct host *host = host_new();

    for (unsigned i = 0; i < disks; i++)
        add_full_disk(host, 512);
    add_many_entries(host, disks, entries);
    struct scanned *scanned = scan_host_in(host, SCAN_ENTRIES, 64u << 20);
    struct cost cost = {(double)scanned->counts.block_reads,
                        (double)scanned->counts.block_read_bytes, (double)scanned->counts.var_calls,
                        (double)scanned->counts.file_calls, (double)scanned->arena.peak};
    assert_int_equal(scanned->machine.partition_count, disks * FIXTURE_FULL_PARTITIONS);
    assert_int_equal(scanned->machine.entry_count, entries);
    assert_int_equal(find_finding(scanned, FINDING_PARTITION_OVERLAPS) != NULL, 0);
    scanned_free(scanned);
    host_free(host);
    return cost;
}

static void assert_within(double value, double wanted, double share)
{
    if (value >= wanted * (1 - share) && value <= wanted * (1 + share))
        return;
    print_error("%f is not within %f of %f\n", value, share, wanted);
    fail();
}

static void cost_grows_linearly_with_disks(void **state)
{
    (void)state;
    struct cost first = cost_of(8, 100);

    for (unsigned disks = 16; disks <= 64; disks *= 2) {
        struct cost cost = cost_of(disks, 100);
        double times = disks / 8.0;
        assert_within(cost.reads, first.reads * times, 0.0001);
        assert_within(cost.bytes, first.bytes * times, 0.0001);
        assert_within(cost.var_calls, first.var_calls, 0.0001);
        /* One look for the fallback file on each disk, one for each entry's own. */
        assert_within(cost.file_calls, 100 + disks, 0.0001);
        assert_true(cost.memory < first.memory * times * 1.03);
    }
}

static void cost_grows_linearly_with_entries(void **state)
{
    (void)state;
    struct cost few = cost_of(2, 62);

    for (unsigned entries = 125; entries <= 500; entries *= 2) {
        struct cost cost = cost_of(2, entries);
        assert_within(cost.reads, few.reads, 0.0001);
        assert_within(cost.bytes, few.bytes, 0.0001);
        /* Per entry: one step of the enumeration, its size, its value. */
        assert_within(cost.var_calls - few.var_calls, 3.0 * (entries - 62), 0.03);
        assert_within(cost.file_calls - few.file_calls, entries - 62, 0.0001);
    }
}

static void largest_machine_is_scanned_in_full(void **state)
{
    (void)state;
    struct cost cost = cost_of(64, 500);

    /* The tables; and of the ESP, which is blank here, whether it is FAT (twice for the backup boot
     * sector), and the places of a superblock of md. */
    assert_within(cost.reads, 64 * (4 + 8), 0.01);
    assert_true(cost.bytes <= 64 * 65536.0);
    assert_true(cost.var_calls <= 3 * 500 + 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(healthy_gpt_has_both_copies_and_no_findings),
        cmocka_unit_test(table_of_a_larger_disk_shows_what_is_here),
        cmocka_unit_test(table_for_blocks_of_another_size_is_no_empty_disk),
        cmocka_unit_test(damaged_primary_is_reported_and_backup_used),
        cmocka_unit_test(damaged_backup_is_reported_and_primary_used),
        cmocka_unit_test(with_both_copies_damaged_no_partition_is_believed),
        cmocka_unit_test(copies_that_differ_are_reported_and_primary_used),
        cmocka_unit_test(backup_that_is_not_at_the_end_is_found_where_the_primary_says),
        cmocka_unit_test(backup_cut_off_with_the_end_of_the_disk_is_damage),
        cmocka_unit_test(gpt_without_protective_mbr_is_read_and_reported),
        cmocka_unit_test(unreadable_mbr_does_not_hide_the_gpt),
        cmocka_unit_test(disk_with_nothing_to_go_by_but_bad_blocks_is_unreadable),
        cmocka_unit_test(hybrid_mbr_is_noted_and_the_gpt_used),
        cmocka_unit_test(plain_mbr_is_read_with_its_logical_partitions),
        cmocka_unit_test(chain_of_logical_partitions_in_a_circle_ends),
        cmocka_unit_test(endless_chain_of_logical_partitions_is_cut),
        cmocka_unit_test(unreadable_extended_record_ends_the_chain),
        cmocka_unit_test(disk_without_a_table_is_blank_only_when_both_ends_are_zero),
        cmocka_unit_test(disk_whose_ends_cannot_be_read_is_not_blank),
        cmocka_unit_test(tiny_disk_can_be_blank),
        cmocka_unit_test(disk_with_a_table_is_not_blank),
        cmocka_unit_test(disk_without_any_table_is_raw),
        cmocka_unit_test(overlapping_partitions_are_all_marked),
        cmocka_unit_test(neighbours_do_not_overlap),
        cmocka_unit_test(partition_inside_another_marks_both_and_not_the_next),
        cmocka_unit_test(partitions_out_of_range_are_marked),
        cmocka_unit_test(gpt_name_of_36_characters_needs_no_nul),
        cmocka_unit_test(attributes_are_kept_and_shown),
        cmocka_unit_test(blocks_of_4096_bytes_are_read_in_their_own_unit),
        cmocka_unit_test(table_written_for_another_block_size_is_not_believed),
        cmocka_unit_test(raw_copy_of_a_disk_is_reported_at_both),
        cmocka_unit_test(equal_mbr_signatures_are_reported),
        cmocka_unit_test(disk_that_fails_reads_keeps_its_number),
        cmocka_unit_test(disk_of_less_than_two_blocks_is_unreadable_and_harmless),
        cmocka_unit_test(nt_volumes_are_counted_as_in_the_article),
        cmocka_unit_test(disks_are_ordered_by_place_with_usb_and_removable_last),
        cmocka_unit_test(stick_the_program_came_from_is_marked_and_shifts_no_number),
        cmocka_unit_test(disks_reads_at_most_64_kib_of_a_healthy_disk),
        cmocka_unit_test(cost_grows_linearly_with_disks),
        cmocka_unit_test(cost_grows_linearly_with_entries),
        cmocka_unit_test(largest_machine_is_scanned_in_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
