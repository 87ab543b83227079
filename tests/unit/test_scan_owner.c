/*
 * Who else claims a disk, or what its table calls free. Where the marks lie is what libblkid and
 * the formats themselves say (format/owner_rows.h); here are the rules of where they are looked
 * for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/host_alloc.h"
#include "model/scan.h"
#include "model/scan_owner.h"
#include "port/count.h"
#include "unit/fat_fixture.h"
#include "unit/machine_fixture.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#define BLOCKS 131072u /* of each disk: 64 MiB */
#define BYTES  (BLOCKS * 512ull)
#define ARENA  (16u << 20)
#define GUID   "11111111-0000-4000-8000-000000000001"

#define LVM   "LABELONE"                 /* in one of the first four sectors */
#define DDF   "\xde\x11\xde\x11"         /* in the 257th sector from the end */
#define INTEL "Intel Raid ISM Cfg Sig. " /* in the last but one */
#define VMFS  "\x5e\xf1\xab\x2f"         /* at 2 MiB */

struct owned {
    struct host *host;
    void *memory;
    struct arena arena;
    struct machine machine;
};

static int set_up(void **state)
{
    struct owned *owned = host_alloc(1, sizeof(*owned));

    owned->host = host_new();
    owned->memory = malloc(ARENA);
    assert_non_null(owned->memory);
    *state = owned;
    return 0;
}

static int tear_down(void **state)
{
    struct owned *owned = *state;

    host_free(owned->host);
    free(owned->memory);
    free(owned);
    return 0;
}

static const struct disk *scan(struct owned *owned)
{
    arena_init(&owned->arena, owned->memory, ARENA);
    assert_int_equal(
        scan_machine(&owned->arena, host_ports(owned->host), SCAN_LISTED, &owned->machine), ST_OK);
    return &owned->machine.disks[0];
}

static void put(struct owned *owned, uint64_t offset, const char *mark)
{
    mem_block_write(owned->host->disks[0], offset, mark, strlen(mark));
}

static void wipe(struct owned *owned, uint64_t offset)
{
    static const uint8_t zeros[512];

    mem_block_write(owned->host->disks[0], offset, zeros, sizeof(zeros));
}

static void assert_owner(struct owned *owned, enum owner owner, uint64_t offset)
{
    const struct disk *disk = scan(owned);

    assert_int_equal(disk->owner.owner, owner);
    assert_int_equal(disk->owner.offset, offset);
}

/* --- Disks without a table ------------------------------------------------------------------ */

static void disk_of_zeros_is_blank(void **state)
{
    struct owned *owned = *state;

    (void)host_add_disk(owned->host, DISK_AHCI, 512, BLOCKS);
    assert_true(scan(owned)->blank);
    put(owned, BYTES - 1, "x");
    assert_false(scan(owned)->blank);
    wipe(owned, BYTES - 512);
    put(owned, 2u << 20, VMFS); /* between the ends */
    assert_false(scan(owned)->blank);
    assert_owner(owned, OWNER_VMFS, 2u << 20);
}

static void disk_that_cannot_be_read_is_not_blank(void **state)
{
    struct owned *owned = *state;

    (void)host_add_disk(owned->host, DISK_AHCI, 512, BLOCKS);
    mem_block_spoil(owned->host->disks[0], 100, 1);
    assert_false(scan(owned)->blank);
}

static void mark_on_a_disk_without_a_table_is_its_owners(void **state)
{
    struct owned *owned = *state;

    (void)host_add_disk(owned->host, DISK_AHCI, 512, BLOCKS);
    put(owned, 512, LVM);
    assert_owner(owned, OWNER_LVM2, 512);
    mem_block_set_removable(owned->host->disks[0], true);
    owned->host->blocks[0] = mem_block_port(owned->host->disks[0]);
    assert_owner(owned, OWNER_NOBODY, 0); /* nothing is written to sticks */
}

/* --- Disks with an MBR ---------------------------------------------------------------------- */

static void behind_the_partitions_of_an_mbr_only_raid_counts(void **state)
{
    static const uint8_t entry[] = {0, 0, 2, 0, 7, 0, 2, 0, 0, 8, 0, 0, 0, 0x10, 0, 0};
    struct owned *owned = *state;

    (void)host_add_disk(owned->host, DISK_AHCI, 512, BLOCKS);
    mem_block_write(owned->host->disks[0], 446, entry, sizeof(entry));
    put(owned, 510, "\x55\xaa");
    put(owned, BYTES - 240 * 1024 + 24, "version"); /* ZFS */
    assert_int_equal(scan(owned)->style, DISK_MBR);
    assert_owner(owned, OWNER_NOBODY, 0);
    put(owned, BYTES - 1024, INTEL);
    assert_owner(owned, OWNER_IMSM, BYTES - 1024);
}

/* --- Disks with a GPT ----------------------------------------------------------------------- */

#define FIRST  8192u  /* partition 1 */
#define MSR    16384u /* right behind it */
#define GAP    24576u /* behind the MSR */
#define SECOND 32768u /* partition 3 */
#define BEHIND 65536u /* what is left */
#define USABLE 131039u

static void add_gpt(struct owned *owned)
{
    static const struct fixture_partition partitions[] = {
        {1, TYPE_BASIC_DATA, "11111111-0000-4000-8000-0000000000a1", FIRST, MSR - FIRST, "a"},
        {2, TYPE_MSR, "11111111-0000-4000-8000-0000000000a2", MSR, GAP - MSR, "b"},
        {3, TYPE_BASIC_DATA, "11111111-0000-4000-8000-0000000000a3", SECOND, BEHIND - SECOND, "c"},
    };

    (void)fixture_add_disk(owned->host, DISK_AHCI, 512, BLOCKS, GUID, partitions, 3);
}

/* Who took the space behind it did not take the table's place. */
static void behind_a_good_table_nobody_is_looked_for(void **state)
{
    struct owned *owned = *state;

    add_gpt(owned);
    put(owned, BYTES - 257 * 512, DDF);
    assert_owner(owned, OWNER_NOBODY, 0);
    wipe(owned, BYTES - 512); /* the header of the backup */
    assert_owner(owned, OWNER_DDF, BYTES - 257 * 512);
}

/* The protective MBR would be written there. */
static void start_without_a_protective_mbr_is_looked_at(void **state)
{
    struct owned *owned = *state;

    add_gpt(owned);
    put(owned, 0, LVM);
    assert_owner(owned, OWNER_NOBODY, 0);
    wipe(owned, 0);
    put(owned, 0, LVM);
    assert_owner(owned, OWNER_LVM2, 0);
}

static void mark_within_a_partition_is_none_of_the_disk(void **state)
{
    static const struct fixture_partition all = {
        1, TYPE_BASIC_DATA, "11111111-0000-4000-8000-0000000000a1", 2048, USABLE - 2048, "a"};
    struct owned *owned = *state;

    (void)fixture_add_disk(owned->host, DISK_AHCI, 512, BLOCKS, GUID, &all, 1);
    put(owned, BYTES - 257 * 512, DDF);
    wipe(owned, BYTES - 512);
    assert_owner(owned, OWNER_NOBODY, 0);
}

/* --- Disks that have grown ------------------------------------------------------------------ */

#define GROWN       262144u
#define GROWN_BYTES (GROWN * 512ull)
#define LAST_USABLE (GROWN - 34)

/* The table of a disk half as long. */
static void add_grown(struct owned *owned)
{
    struct host *small = host_new();
    uint8_t *all = malloc(BYTES);
    static const struct fixture_partition one = {
        1, TYPE_BASIC_DATA, "11111111-0000-4000-8000-0000000000a1", 2048, USABLE - 2048, "a"};

    assert_non_null(all);
    (void)fixture_add_disk(small, DISK_AHCI, 512, BLOCKS, GUID, &one, 1);
    mem_block_peek(small->disks[0], 0, all, BYTES);
    (void)host_add_disk(owned->host, DISK_AHCI, 512, GROWN);
    mem_block_write(owned->host->disks[0], 0, all, BYTES);
    free(all);
    host_free(small);
}

static void what_lies_where_the_backup_would_go_is_somebodys(void **state)
{
    struct owned *owned = *state;

    add_grown(owned);
    assert_owner(owned, OWNER_NOBODY, 0);
    put(owned, GROWN_BYTES - 512 * 20, "anything");
    assert_owner(owned, OWNER_UNKNOWN, (LAST_USABLE + 1ull) * 512);
}

/* Somebody used the disk as a whole before, under a table of its own. */
static void backup_that_an_earlier_use_has_left_is_nobodys(void **state)
{
    struct owned *owned = *state;
    struct host *earlier = host_new();
    uint8_t backup[33 * 512];

    (void)fixture_add_disk(earlier, DISK_AHCI, 512, GROWN, "22222222-0000-4000-8000-000000000002",
                           NULL, 0);
    mem_block_peek(earlier->disks[0], GROWN_BYTES - sizeof(backup), backup, sizeof(backup));
    host_free(earlier);
    add_grown(owned);
    mem_block_write(owned->host->disks[0], GROWN_BYTES - sizeof(backup), backup, sizeof(backup));
    assert_owner(owned, OWNER_NOBODY, 0);
}

static void space_behind_the_table_is_looked_through(void **state)
{
    struct owned *owned = *state;

    add_grown(owned);
    (void)scan(owned);
    assert_int_equal(owned->machine.claim_count, 0);
    put(owned, BYTES, LVM);
    (void)scan(owned);
    assert_int_equal(owned->machine.claim_count, 1);
    assert_int_equal(owned->machine.claims[0].first_lba, BLOCKS);
    assert_int_equal(owned->machine.claims[0].block_count, GROWN - BLOCKS);
}

/* --- Free space ----------------------------------------------------------------------------- */

static void mark_in_free_space_claims_all_of_it(void **state)
{
    static const struct {
        uint64_t sector;
        const char *mark;
        enum owner owner;
        uint64_t first; /* 0: nothing is claimed */
        uint64_t end;
    } cases[] = {
        {34, LVM, OWNER_LVM2, 34, FIRST},
        {2048 + 3, LVM, OWNER_LVM2, 34, FIRST}, /* as if a partition began at a whole MiB */
        {34 + 5, LVM, OWNER_NOBODY, 0, 0},
        {FIRST, LVM, OWNER_NOBODY, 0, 0}, /* a partition's */
        {MSR + 1, LVM, OWNER_LVM2, MSR, GAP},
        {GAP, LVM, OWNER_LVM2, GAP, SECOND},
        {GAP + 4096, VMFS, OWNER_VMFS, GAP, SECOND},
        {BEHIND, LVM, OWNER_LVM2, BEHIND, USABLE},
        {BLOCKS - 257, DDF, OWNER_DDF, BEHIND, BLOCKS}, /* of the disk as a whole */
    };
    struct owned *owned = *state;

    add_gpt(owned);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        put(owned, cases[i].sector * 512, cases[i].mark);
        (void)scan(owned);
        const struct claim *claim = owned->machine.claims;
        assert_int_equal(owned->machine.claim_count, cases[i].first != 0);
        if (cases[i].first != 0) {
            assert_int_equal(claim->disk, 0);
            assert_int_equal(claim->first_lba, cases[i].first);
            assert_int_equal(claim->first_lba + claim->block_count, cases[i].end);
            assert_int_equal(claim->mark.owner, cases[i].owner);
            assert_int_equal(claim->mark.offset, cases[i].sector * 512);
        }
        wipe(owned, cases[i].sector * 512);
    }
}

/* A deleted ESP leaves one, and a repair that was cut short has made one in advance. */
static void fat_in_free_space_claims_nothing(void **state)
{
    struct owned *owned = *state;
    size_t size = (size_t)(SECOND - GAP) * 512;
    uint8_t *image = host_alloc(1, size);
    struct fat_fixture fat;

    assert_non_null(image);
    fat_fixture_format(&fat, image, size, 16, 512, 1);
    add_gpt(owned);
    mem_block_write(owned->host->disks[0], GAP * 512ull, image, size);
    free(image);
    (void)scan(owned);
    assert_int_equal(owned->machine.claim_count, 0);
}

/* No ESP fits into less than a MiB. */
static void gaps_of_a_mib_are_looked_at(void **state)
{
    for (uint64_t blocks = 2047; blocks <= 2048; blocks++) {
        struct owned *owned = *state;
        const struct fixture_partition partitions[] = {
            {1, TYPE_BASIC_DATA, "11111111-0000-4000-8000-0000000000a1", 34, 4096 - 34, "a"},
            {2, TYPE_BASIC_DATA, "11111111-0000-4000-8000-0000000000a2", 4096 + blocks,
             USABLE - 4096 - blocks, "b"},
        };
        (void)fixture_add_disk(owned->host, DISK_AHCI, 512, BLOCKS, GUID, partitions, 2);
        put(owned, 4096 * 512, LVM);
        (void)scan(owned);
        assert_int_equal(owned->machine.claim_count, blocks == 2048);
        tear_down(state);
        set_up(state);
    }
}

/* Some 230 KiB for each gap, the disk as a whole among them: what disks alone have is not read.
 * Here that is five, of which the first is looked at twice. */
static void looking_through_free_space_is_cheap(void **state)
{
    struct owned *owned = *state;
    struct port_counts counts = {0};
    struct claim claims[16];
    struct ports counted;
    size_t count = 0;

    add_gpt(owned);
    (void)scan(owned);
    assert_int_equal(ports_count(&owned->arena, host_ports(owned->host), &counts, &counted), ST_OK);
    assert_int_equal(
        scan_gap_claims(&owned->arena, &counted.disks[0], &owned->machine, 0, claims, &count),
        ST_OK);
    assert_int_equal(count, 0);
    assert_in_range(counts.block_read_bytes, 1, 6 * (230u << 10));
    assert_in_range(counts.block_reads, 1, 6 * 16); /* neighbours are read at once */
}

/* It needs no other. */
static void free_space_of_a_disk_with_an_esp_is_not_asked_for(void **state)
{
    static const struct fixture_partition esp = {
        1, TYPE_ESP, "11111111-0000-4000-8000-0000000000a1", 2048, 4096, "a"};
    struct owned *owned = *state;

    (void)fixture_add_disk(owned->host, DISK_AHCI, 512, BLOCKS, GUID, &esp, 1);
    put(owned, 6144 * 512, LVM);
    (void)scan(owned);
    assert_int_equal(owned->machine.claim_count, 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(disk_of_zeros_is_blank),
        CASE(disk_that_cannot_be_read_is_not_blank),
        CASE(mark_on_a_disk_without_a_table_is_its_owners),
        CASE(behind_the_partitions_of_an_mbr_only_raid_counts),
        CASE(behind_a_good_table_nobody_is_looked_for),
        CASE(start_without_a_protective_mbr_is_looked_at),
        CASE(mark_within_a_partition_is_none_of_the_disk),
        CASE(what_lies_where_the_backup_would_go_is_somebodys),
        CASE(backup_that_an_earlier_use_has_left_is_nobodys),
        CASE(space_behind_the_table_is_looked_through),
        CASE(mark_in_free_space_claims_all_of_it),
        CASE(fat_in_free_space_claims_nothing),
        CASE(gaps_of_a_mib_are_looked_at),
        CASE(looking_through_free_space_is_cheap),
        CASE(free_space_of_a_disk_with_an_esp_is_not_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
