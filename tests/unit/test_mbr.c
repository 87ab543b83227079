/*
 * Master Boot Records. Tables are built here record by record, as sfdisk and sgdisk write them;
 * boot sectors are the beginnings of what mkfs.fat, mkntfs and mkfs.exfat write.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "format/mbr.h"
#include "unit/skip_fixture.h"

#define DISK_BLOCKS 131072u

struct sector {
    uint8_t bytes[512];
};

static void put32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

/* A sector with 55 AA and zeros. */
static struct sector empty_table(void)
{
    struct sector sector = {{0}};

    sector.bytes[510] = 0x55;
    sector.bytes[511] = 0xaa;
    return sector;
}

/* Sets record `index`; the CHS fields, which nobody reads any more, get nonsense. */
static void put_record(struct sector *sector, int index, uint8_t flag, uint8_t type, uint32_t first,
                       uint32_t count)
{
    uint8_t *at = sector->bytes + 446 + 16 * index;

    memset(at, 0xfe, 16);
    at[0] = flag;
    at[4] = type;
    put32(at + 8, first);
    put32(at + 12, count);
}

/* Parses a copy of the sector in memory of exactly its size. */
static struct mbr parse(const struct sector *sector, uint64_t disk_blocks)
{
    uint8_t *block = malloc(512);

    assert_non_null(block);
    memcpy(block, sector->bytes, 512);
    struct mbr mbr = mbr_parse(span_of(block, 512), disk_blocks);
    free(block);
    return mbr;
}

static void assert_is_none(struct mbr mbr)
{
    static const struct mbr_record unused;

    assert_int_equal(mbr.kind, MBR_NONE);
    assert_false(mbr.protective_at_lba_1);
    assert_int_equal(mbr.signature, 0);
    for (int i = 0; i < MBR_RECORD_COUNT; i++) {
        assert_int_equal(mbr.records[i].active, unused.active);
        assert_int_equal(mbr.records[i].type, 0);
        assert_int_equal(mbr.records[i].first_lba, 0);
        assert_int_equal(mbr.records[i].block_count, 0);
    }
}

/* The table that sfdisk makes of `,10M,7,*  ,10M,42  ,,f` on 64 MiB, its first two records. */
static struct sector sfdisk_table(void)
{
    static const uint8_t tail[] = {
        0x15, 0xce, 0x79, 0x47, 0x00, 0x00, 0x80, 0x20, 0x21, 0x00, 0x07, 0x66, 0x25, 0x01,
        0x00, 0x08, 0x00, 0x00, 0x00, 0x50, 0x00, 0x00, 0x00, 0x66, 0x26, 0x01, 0x42, 0xac,
        0x2a, 0x02, 0x00, 0x58, 0x00, 0x00, 0x00, 0x50, 0x00, 0x00, 0x00, 0xac, 0x2b, 0x02,
        0x0f, 0x28, 0x20, 0x08, 0x00, 0xa8, 0x00, 0x00, 0x00, 0x58, 0x01, 0x00,
    };
    struct sector sector = empty_table();

    memcpy(sector.bytes + 440, tail, sizeof(tail));
    return sector;
}

static void table_written_by_sfdisk_is_taken_apart(void **state)
{
    struct sector sector = sfdisk_table();
    struct mbr mbr = parse(&sector, DISK_BLOCKS);

    (void)state;
    assert_int_equal(mbr.kind, MBR_PLAIN);
    assert_int_equal(mbr.signature, 0x4779ce15);
    assert_true(mbr.records[0].active);
    assert_int_equal(mbr.records[0].type, 0x07);
    assert_int_equal(mbr.records[0].first_lba, 2048);
    assert_int_equal(mbr.records[0].block_count, 20480);
    assert_false(mbr.records[1].active);
    assert_int_equal(mbr.records[1].type, MBR_TYPE_LDM);
    assert_int_equal(mbr.records[1].first_lba, 22528);
    assert_int_equal(mbr.records[2].type, 0x0f);
    assert_int_equal(mbr.records[2].first_lba, 43008);
    assert_int_equal(mbr.records[2].block_count, 88064);
    assert_int_equal(mbr.records[3].type, MBR_TYPE_EMPTY);
}

static void sector_without_55aa_is_no_table(void **state)
{
    struct sector sector = sfdisk_table();

    (void)state;
    sector.bytes[510] = 0x54;
    assert_is_none(parse(&sector, DISK_BLOCKS));
    sector = sfdisk_table();
    sector.bytes[511] = 0x55;
    assert_is_none(parse(&sector, DISK_BLOCKS));
}

static void short_block_is_no_table(void **state)
{
    static const size_t sizes[] = {1, 446, 510, 511};
    struct sector sector = sfdisk_table();

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        uint8_t *block = malloc(sizes[i]);
        struct ebr ebr;
        assert_non_null(block);
        memcpy(block, sector.bytes, sizes[i]);
        assert_is_none(mbr_parse(span_of(block, sizes[i]), DISK_BLOCKS));
        assert_false(ebr_parse(span_of(block, sizes[i]), &ebr));
        free(block);
    }
    assert_is_none(mbr_parse(span_of(NULL, 0), DISK_BLOCKS));
}

static void larger_block_is_read_at_the_same_places(void **state)
{
    struct sector sector = sfdisk_table();
    uint8_t *block = calloc(1, 4096);

    (void)state;
    assert_non_null(block);
    memcpy(block, sector.bytes, 512);
    struct mbr mbr = mbr_parse(span_of(block, 4096), DISK_BLOCKS);
    assert_int_equal(mbr.kind, MBR_PLAIN);
    assert_int_equal(mbr.records[1].first_lba, 22528);
    free(block);
}

static void empty_table_is_plain(void **state)
{
    struct sector sector = empty_table();

    (void)state;
    assert_int_equal(parse(&sector, DISK_BLOCKS).kind, MBR_PLAIN);
}

static void boot_flag_other_than_00_and_80_is_no_table(void **state)
{
    static const uint8_t flags[] = {0x01, 0x7f, 0x81, 0x20, 0xff};

    (void)state;
    for (size_t i = 0; i < sizeof(flags); i++) {
        for (int index = 0; index < 4; index++) {
            struct sector sector = sfdisk_table();
            sector.bytes[446 + 16 * index] = flags[i];
            assert_is_none(parse(&sector, DISK_BLOCKS));
        }
    }
}

static void record_that_starts_beyond_the_disk_is_no_table(void **state)
{
    struct sector sector = empty_table();

    (void)state;
    put_record(&sector, 3, 0, 0x07, 5000, 100);
    assert_int_equal(parse(&sector, 5001).kind, MBR_PLAIN);
    assert_is_none(parse(&sector, 5000));
    assert_is_none(parse(&sector, 0));
    put_record(&sector, 3, 0, 0x07, 0xffffffff, 0xffffffff);
    assert_is_none(parse(&sector, 0xffffffff));
    assert_int_equal(parse(&sector, 0x100000000).kind, MBR_PLAIN);
    put_record(&sector, 3, 0, MBR_TYPE_PROTECTIVE, 5000, 1);
    assert_is_none(parse(&sector, 5000));
}

static void record_that_ends_beyond_the_disk_is_kept(void **state)
{
    struct sector sector = empty_table();

    (void)state;
    put_record(&sector, 0, 0, 0x07, 63, 0xffffffff);
    struct mbr mbr = parse(&sector, DISK_BLOCKS);
    assert_int_equal(mbr.kind, MBR_PLAIN);
    assert_int_equal(mbr.records[0].block_count, 0xffffffff);
}

static void record_without_type_or_blocks_comes_back_as_zeros(void **state)
{
    struct sector sector = empty_table();

    (void)state;
    put_record(&sector, 0, 0x80, MBR_TYPE_EMPTY, 0xfffffff0, 17);
    put_record(&sector, 1, 0x80, 0x07, 0xfffffff0, 0);
    put_record(&sector, 2, 0, 0x07, 63, 1);
    struct mbr mbr = parse(&sector, DISK_BLOCKS);
    assert_int_equal(mbr.kind, MBR_PLAIN);
    for (int i = 0; i < 2; i++) {
        assert_false(mbr.records[i].active);
        assert_int_equal(mbr.records[i].type, 0);
        assert_int_equal(mbr.records[i].first_lba, 0);
        assert_int_equal(mbr.records[i].block_count, 0);
    }
    assert_int_equal(mbr.records[2].type, 0x07);
}

static void lone_ee_record_is_protective_with_any_size(void **state)
{
    static const uint32_t counts[] = {DISK_BLOCKS - 1, 0xffffffff, 1, 0};

    (void)state;
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        struct sector sector = empty_table();
        put_record(&sector, 0, 0, MBR_TYPE_PROTECTIVE, 1, counts[i]);
        struct mbr mbr = parse(&sector, DISK_BLOCKS);
        assert_int_equal(mbr.kind, MBR_PROTECTIVE);
        assert_true(mbr.protective_at_lba_1);
        assert_int_equal(mbr.records[0].type, MBR_TYPE_PROTECTIVE);
        assert_int_equal(mbr.records[0].block_count, counts[i]);
    }
}

static void ee_record_may_stand_in_any_slot_and_be_active(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct sector sector = empty_table();
        put_record(&sector, i, 0x80, MBR_TYPE_PROTECTIVE, 1, 0xffffffff);
        assert_int_equal(parse(&sector, DISK_BLOCKS).kind, MBR_PROTECTIVE);
    }
}

static void ee_record_elsewhere_than_lba_1_is_told_apart(void **state)
{
    struct sector sector = empty_table();

    (void)state;
    put_record(&sector, 0, 0, MBR_TYPE_PROTECTIVE, 2, 100);
    struct mbr mbr = parse(&sector, DISK_BLOCKS);
    assert_int_equal(mbr.kind, MBR_PROTECTIVE);
    assert_false(mbr.protective_at_lba_1);
}

static void ee_record_beside_others_is_hybrid(void **state)
{
    struct sector sector = empty_table();

    (void)state;
    put_record(&sector, 0, 0x80, 0x07, 2048, 20480); /* as `sgdisk -h 1` lays it out */
    put_record(&sector, 1, 0, MBR_TYPE_PROTECTIVE, 1, 2047);
    struct mbr mbr = parse(&sector, DISK_BLOCKS);
    assert_int_equal(mbr.kind, MBR_HYBRID);
    assert_true(mbr.protective_at_lba_1);

    sector = empty_table();
    put_record(&sector, 0, 0, MBR_TYPE_PROTECTIVE, 1, 2047);
    put_record(&sector, 1, 0, MBR_TYPE_PROTECTIVE, 4096, 100);
    assert_int_equal(parse(&sector, DISK_BLOCKS).kind, MBR_HYBRID);
}

/* Beginnings of boot sectors. In front of 55 AA these tools leave zeros where a table would be. */
static const uint8_t fat12_start[] = {
    0xeb, 0x3c, 0x90, 'm',  'k',  'f',  's',  '.',  'f',  'a',  't',  0x00, 0x02, 0x04, 0x01, 0x00,
    0x02, 0x00, 0x02, 0x00, 0x20, 0xf8, 0x06, 0x00, 0x20, 0x00, 0x20, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x80, 0x00, 0x29, 0x4a, 0xcc, 0xbe, 0x72, 'N',  'O',  ' ',  'N',  'A',
    'M',  'E',  ' ',  ' ',  ' ',  ' ',  'F',  'A',  'T',  '1',  '2',  ' ',  ' ',  ' ',  0x0e, 0x1f,
};
static const uint8_t fat32_start[] = {
    0xeb, 0x58, 0x90, 'm',  'k',  'f',  's',  '.',  'f',  'a',  't',  0x00, 0x02, 0x08, 0x20, 0x00,
    0x02, 0x00, 0x00, 0x00, 0x00, 0xf8, 0x00, 0x00, 0x3f, 0x00, 0x10, 0x00, 0x00, 0x00, 0x00, 0x00,
    0xe8, 0x5f, 0x09, 0x00, 0x58, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00,
    0x01, 0x00, 0x06, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x80, 0x00, 0x29, 0x05, 0x09, 0xbf, 0x72, 'N',  'O',  ' ',  'N',  'A',  'M',  'E',  ' ',  ' ',
    ' ',  ' ',  'F',  'A',  'T',  '3',  '2',  ' ',  ' ',  ' ',  0x0e, 0x1f,
};
static const uint8_t ntfs_start[] = {
    0xeb, 0x52, 0x90, 'N',  'T',  'F',  'S',  ' ',  ' ',  ' ',  ' ',  0x00, 0x02, 0x08, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0xf8, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x80, 0x00, 0x80, 0x00, 0xff, 0x3f, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00,
};
static const uint8_t exfat_start[] = {
    0xeb, 0x76, 0x90, 'E', 'X', 'F', 'A', 'T', ' ', ' ', ' ',
};

static struct sector boot_sector(const uint8_t *start, size_t size)
{
    struct sector sector = empty_table();

    memcpy(sector.bytes, start, size);
    return sector;
}

static void boot_sector_of_a_file_system_is_no_table(void **state)
{
    struct sector sectors[] = {
        boot_sector(fat12_start, sizeof(fat12_start)),
        boot_sector(fat32_start, sizeof(fat32_start)),
        boot_sector(ntfs_start, sizeof(ntfs_start)),
        boot_sector(exfat_start, sizeof(exfat_start)),
    };

    (void)state;
    for (size_t i = 0; i < sizeof(sectors) / sizeof(sectors[0]); i++)
        assert_is_none(parse(&sectors[i], DISK_BLOCKS));
}

static void boot_sector_whose_messages_reach_into_the_table_is_no_table(void **state)
{
    struct sector sector = boot_sector(ntfs_start, sizeof(ntfs_start));

    (void)state;
    memset(sector.bytes + 0x180, 'e', 0x70);
    assert_is_none(parse(&sector, DISK_BLOCKS));
}

/* A name alone does not make a file system: boot loaders bring strings of their own. */
static void name_without_a_parameter_block_does_not_hide_a_table(void **state)
{
    struct sector sector = empty_table();

    (void)state;
    memcpy(sector.bytes + 3, "NTFS    ", 8);
    assert_int_equal(parse(&sector, DISK_BLOCKS).kind, MBR_PLAIN);
    sector = boot_sector(fat32_start, sizeof(fat32_start));
    sector.bytes[0] = 0x33;
    assert_int_equal(parse(&sector, DISK_BLOCKS).kind, MBR_PLAIN);
    sector = boot_sector(fat32_start, sizeof(fat32_start));
    sector.bytes[11] = 1; /* sectors of 513 bytes */
    assert_int_equal(parse(&sector, DISK_BLOCKS).kind, MBR_PLAIN);
    sector = boot_sector(fat32_start, sizeof(fat32_start));
    sector.bytes[13] = 0; /* clusters of no sectors */
    assert_int_equal(parse(&sector, DISK_BLOCKS).kind, MBR_PLAIN);
    sector = boot_sector(exfat_start, sizeof(exfat_start));
    sector.bytes[63] = 1;
    assert_int_equal(parse(&sector, DISK_BLOCKS).kind, MBR_PLAIN);
}

/* sfdisk and sgdisk keep the code area of a disk that used to be one FAT file system. */
static void table_written_over_a_boot_sector_is_a_table(void **state)
{
    struct sector sector = boot_sector(fat32_start, sizeof(fat32_start));

    (void)state;
    put_record(&sector, 0, 0x80, 0x0c, 2048, 20480);
    assert_int_equal(parse(&sector, DISK_BLOCKS).kind, MBR_PLAIN);
    assert_is_none(parse(&sector, 2048 + 20480 - 1));
    put_record(&sector, 0, 0x80, 0x0c, 0, 20480);
    assert_is_none(parse(&sector, DISK_BLOCKS));
    put_record(&sector, 0, 0, MBR_TYPE_PROTECTIVE, 1, 0xffffffff);
    assert_int_equal(parse(&sector, DISK_BLOCKS).kind, MBR_PROTECTIVE);
}

static void extended_types_are_three(void **state)
{
    int count = 0;

    (void)state;
    for (int type = 0; type < 256; type++)
        count += mbr_type_is_extended((uint8_t)type);
    assert_int_equal(count, 3);
    assert_true(mbr_type_is_extended(0x05));
    assert_true(mbr_type_is_extended(0x0f));
    assert_true(mbr_type_is_extended(0x85));
}

static void ebr_names_its_partition_and_the_next_ebr(void **state)
{
    struct sector sector = empty_table();
    struct ebr ebr;

    (void)state;
    put_record(&sector, 0, 0, 0x07, 2048, 10240);
    put_record(&sector, 1, 0, 0x05, 12288, 12288);
    assert_true(ebr_parse(span_of(sector.bytes, 512), &ebr));
    assert_int_equal(ebr.logical.type, 0x07);
    assert_int_equal(ebr.logical.first_lba, 2048);
    assert_int_equal(ebr.logical.block_count, 10240);
    assert_int_equal(ebr.next.type, 0x05);
    assert_int_equal(ebr.next.first_lba, 12288);
}

static void last_ebr_has_no_next(void **state)
{
    struct sector sector = empty_table();
    struct ebr ebr;

    (void)state;
    put_record(&sector, 0, 0x80, 0x83, 63, 100);
    assert_true(ebr_parse(span_of(sector.bytes, 512), &ebr));
    assert_true(ebr.logical.active);
    assert_int_equal(ebr.logical.type, 0x83);
    assert_int_equal(ebr.next.type, MBR_TYPE_EMPTY);
}

static void ebr_may_hold_a_link_alone_in_either_slot(void **state)
{
    (void)state;
    for (int slot = 0; slot < 2; slot++) {
        struct sector sector = empty_table();
        struct ebr ebr;
        put_record(&sector, slot, 0, 0x0f, 4096, 100);
        assert_true(ebr_parse(span_of(sector.bytes, 512), &ebr));
        assert_int_equal(ebr.logical.type, MBR_TYPE_EMPTY);
        assert_int_equal(ebr.next.type, 0x0f);
    }
}

static void slots_three_and_four_of_an_ebr_are_ignored(void **state)
{
    struct sector sector = empty_table();
    struct ebr ebr;

    (void)state;
    put_record(&sector, 2, 0, 0x07, 63, 100);
    put_record(&sector, 3, 0, 0x05, 163, 100);
    assert_true(ebr_parse(span_of(sector.bytes, 512), &ebr));
    assert_int_equal(ebr.logical.type, MBR_TYPE_EMPTY);
    assert_int_equal(ebr.next.type, MBR_TYPE_EMPTY);
}

static void ebr_without_55aa_leaves_the_result_alone(void **state)
{
    struct sector sector = {{0}};
    struct ebr ebr;
    struct ebr untouched;

    (void)state;
    memset(&ebr, 0xa5, sizeof(ebr));
    memset(&untouched, 0xa5, sizeof(untouched));
    assert_false(ebr_parse(span_of(sector.bytes, 512), &ebr));
    assert_memory_equal(&ebr, &untouched, sizeof(ebr));
}

static void types_have_their_usual_names(void **state)
{
    (void)state;
    assert_string_equal(mbr_type_name(0x07), "NTFS/exFAT/HPFS");
    assert_non_null(strstr(mbr_type_name(0x0c), "FAT32"));
    assert_non_null(strstr(mbr_type_name(MBR_TYPE_LDM), "LDM"));
    assert_non_null(strstr(mbr_type_name(MBR_TYPE_PROTECTIVE), "GPT"));
    assert_non_null(strstr(mbr_type_name(MBR_TYPE_ESP), "EFI"));
    assert_non_null(strstr(mbr_type_name(0x83), "Linux"));
    assert_string_equal(mbr_type_name(MBR_TYPE_EMPTY), "");
    assert_string_equal(mbr_type_name(0xdb), "");
}

/* Runs `command` with the path of a fresh image behind it; false when `tool` is not installed. */
static bool first_sector_by(const char *tool, const char *command, const char *rest, off_t bytes,
                            struct sector *ret_sector)
{
    char path[] = "/tmp/test_mbr_XXXXXX";
    char line[256];

    snprintf(line, sizeof(line), "PATH=$PATH:/usr/sbin:/sbin; command -v %s >/dev/null 2>&1", tool);
    if (system(line) != 0)
        return false;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, bytes), 0);
    snprintf(line, sizeof(line), "PATH=$PATH:/usr/sbin:/sbin; { %s %s %s; } >/dev/null 2>&1",
             command, path, rest);
    int status = system(line);
    ssize_t count = pread(fd, ret_sector->bytes, 512, 0);
    close(fd);
    unlink(path);
    assert_int_equal(status, 0);
    assert_int_equal(count, 512);
    return true;
}

static void what_partitioning_tools_make_now_is_recognised(void **state)
{
    static const struct {
        const char *tool;
        const char *command;
        const char *rest;
        enum mbr_kind expected;
    } cases[] = {
        {"sgdisk", "sgdisk -o -n 1:0:0", "", MBR_PROTECTIVE},
        {"sgdisk", "sgdisk -o -n 1:0:+10M -h 1", "", MBR_HYBRID},
        {"sfdisk", "printf 'label: dos\\n,10M,7,*\\n,,f\\n,10M,6\\n' | sfdisk -q", "", MBR_PLAIN},
        {"sfdisk", "printf 'label: dos\\n' | sfdisk -q", "", MBR_PLAIN},
        {"mkfs.fat", "mkfs.fat -F 12", "4096", MBR_NONE},
        {"mkfs.fat", "mkfs.fat -F 16", "", MBR_NONE},
        {"mkfs.fat", "mkfs.fat -F 32", "", MBR_NONE},
        {"mkntfs", "mkntfs -F -q", "", MBR_NONE},
        {"mkfs.exfat", "mkfs.exfat", "", MBR_NONE},
    };
    size_t compared = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sector sector;
        if (!first_sector_by(cases[i].tool, cases[i].command, cases[i].rest,
                             (off_t)DISK_BLOCKS * 512, &sector)) {
            print_message("%s is not installed: not compared\n", cases[i].tool);
            continue;
        }
        assert_int_equal(parse(&sector, DISK_BLOCKS).kind, cases[i].expected);
        compared++;
    }
    if (compared == 0)
        SKIP_BECAUSE("no tool that makes first sectors is installed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_written_by_sfdisk_is_taken_apart),
        cmocka_unit_test(sector_without_55aa_is_no_table),
        cmocka_unit_test(short_block_is_no_table),
        cmocka_unit_test(larger_block_is_read_at_the_same_places),
        cmocka_unit_test(empty_table_is_plain),
        cmocka_unit_test(boot_flag_other_than_00_and_80_is_no_table),
        cmocka_unit_test(record_that_starts_beyond_the_disk_is_no_table),
        cmocka_unit_test(record_that_ends_beyond_the_disk_is_kept),
        cmocka_unit_test(record_without_type_or_blocks_comes_back_as_zeros),
        cmocka_unit_test(lone_ee_record_is_protective_with_any_size),
        cmocka_unit_test(ee_record_may_stand_in_any_slot_and_be_active),
        cmocka_unit_test(ee_record_elsewhere_than_lba_1_is_told_apart),
        cmocka_unit_test(ee_record_beside_others_is_hybrid),
        cmocka_unit_test(boot_sector_of_a_file_system_is_no_table),
        cmocka_unit_test(boot_sector_whose_messages_reach_into_the_table_is_no_table),
        cmocka_unit_test(name_without_a_parameter_block_does_not_hide_a_table),
        cmocka_unit_test(table_written_over_a_boot_sector_is_a_table),
        cmocka_unit_test(extended_types_are_three),
        cmocka_unit_test(ebr_names_its_partition_and_the_next_ebr),
        cmocka_unit_test(last_ebr_has_no_next),
        cmocka_unit_test(ebr_may_hold_a_link_alone_in_either_slot),
        cmocka_unit_test(slots_three_and_four_of_an_ebr_are_ignored),
        cmocka_unit_test(ebr_without_55aa_leaves_the_result_alone),
        cmocka_unit_test(types_have_their_usual_names),
        cmocka_unit_test(what_partitioning_tools_make_now_is_recognised),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
