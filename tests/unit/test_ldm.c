/*
 * The LDM database as bytes. Sound input comes from the fixture beside this file, which follows the
 * description of the format, and from disks that Windows made; damaged input is the fixture with
 * one thing changed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/sha256.h"
#include "base/text.h"
#include "format/ldm/ldm.h"
#include "format/ldm/ldm_log.h"
#include "unit/ldm_fixture.h"
#include "unit/skip_fixture.h"

#define DISK_BLOCKS 16384u
#define ARENA_BYTES (4u << 20)

struct state {
    uint8_t *region; /* the private region of the fixture's first disk */
    uint8_t *config;
    struct arena arena;
    struct arena scratch;
    void *memory[2];
};

static int setup(void **state)
{
    struct state *s = calloc(1, sizeof *s);
    struct ldm_fixture fixture = ldm_fixture_default();

    s->region = malloc(LDM_FIXTURE_BYTES);
    ldm_fixture_build(&fixture, 0, s->region);
    s->config = s->region + LDM_FIXTURE_CONFIG;
    for (size_t i = 0; i < 2; i++)
        s->memory[i] = malloc(ARENA_BYTES);
    arena_init(&s->arena, s->memory[0], ARENA_BYTES);
    arena_init(&s->scratch, s->memory[1], 2 * LDM_FIXTURE_CONFIG_BYTES + 512 + 16);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct state *s = *state;

    free(s->memory[0]);
    free(s->memory[1]);
    free(s->region);
    free(s);
    return 0;
}

static void put(uint8_t *at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        at[i] = (uint8_t)(value >> 8 * (size - 1 - i));
}

static struct guid guid_of(const char *text)
{
    struct guid guid;

    assert_int_equal(guid_parse(text, &guid), ST_OK);
    return guid;
}

static void assert_guid(const struct guid *guid, const char *text)
{
    struct guid expected = guid_of(text);

    assert_memory_equal(guid->bytes, expected.bytes, 16);
}

/* --- PRIVHEAD ------------------------------------------------------------------------------- */

static enum status parse_head(const uint8_t *at, struct ldm_privhead *ret_head)
{
    uint8_t *block = malloc(512);

    memcpy(block, at, 512);
    enum status status = ldm_privhead_parse(span_of(block, 512), 512, DISK_BLOCKS, ret_head);
    free(block);
    return status;
}

static void privhead_gives_identity_and_places(void **state)
{
    struct state *s = *state;
    struct ldm_privhead head;

    assert_int_equal(parse_head(s->region + LDM_FIXTURE_HEAD_1, &head), ST_OK);
    assert_guid(&head.disk, "a1b2c3d4-0003-11e1-8000-000102030405");
    assert_guid(&head.group, "a1b2c3d4-0001-11e1-8000-000102030405");
    assert_string_equal(head.group_name, "Test-Dg0");
    assert_int_equal(head.sequence, 1);
    assert_int_equal(head.public_start, 4096);
    assert_int_equal(head.public_size, 8192);
    assert_int_equal(head.private_start, 64);
    assert_int_equal(head.private_size, 2048);
    assert_int_equal(head.toc[0], 2);
    assert_int_equal(head.toc[1], 2045);
}

struct change {
    const char *what;
    size_t at;
    uint64_t value;
    size_t size;
    enum status expected;
};

static const struct change head_changes[] = {
    {"magic", 0x00, 'X', 1, ST_ABSENT},
    {"version 2.10", 0x0e, 10, 2, ST_UNSUPPORTED},
    {"version 3", 0x0c, 3, 2, ST_UNSUPPORTED},
    {"block size", 0x10f, 4096, 4, ST_UNSUPPORTED},
    {"disk GUID with a bad digit", 0x30, 'x', 1, ST_DAMAGED},
    {"disk GUID longer than one", 0x54, '0', 1, ST_DAMAGED},
    {"group GUID without dash", 0xb8, '0', 1, ST_DAMAGED},
    {"public start at the end", 0x11b, DISK_BLOCKS, 8, ST_DAMAGED},
    {"public start that wraps", 0x11b, UINT64_MAX - 100, 8, ST_DAMAGED},
    {"public size 0", 0x123, 0, 8, ST_DAMAGED},
    {"public size past the disk", 0x123, DISK_BLOCKS - 4095, 8, ST_DAMAGED},
    {"private start past the disk", 0x12b, DISK_BLOCKS - 2047, 8, ST_DAMAGED},
    {"private size that wraps", 0x133, UINT64_MAX, 8, ST_DAMAGED},
    {"primary outside", 0x20, 2048, 8, ST_DAMAGED},
    {"secondary outside", 0x28, 2048, 8, ST_DAMAGED},
    {"first TOC outside", 0x13b, 2048, 8, ST_DAMAGED},
    {"second TOC outside", 0x143, UINT64_MAX, 8, ST_DAMAGED},
};

static void privhead_with_a_bad_field_is_refused(void **state)
{
    struct state *s = *state;
    uint8_t *at = s->region + LDM_FIXTURE_HEAD_1;
    uint8_t good[512];

    memcpy(good, at, 512);
    for (size_t i = 0; i < sizeof head_changes / sizeof head_changes[0]; i++) {
        const struct change *change = &head_changes[i];
        struct ldm_privhead head = {.sequence = 77};
        memcpy(at, good, 512);
        put(at + change->at, change->value, change->size);
        ldm_fixture_seal(at);
        enum status status = parse_head(at, &head);
        if (status != change->expected)
            fail_msg("%s: status %d", change->what, status);
        assert_int_equal(head.sequence, 77);
    }
}

static void privhead_with_wrong_checksum_is_damaged(void **state)
{
    struct state *s = *state;
    struct ldm_privhead head;

    for (size_t i = 8; i < 512; i++) {
        s->region[LDM_FIXTURE_HEAD_1 + i] ^= 1;
        assert_int_equal(parse_head(s->region + LDM_FIXTURE_HEAD_1, &head), ST_DAMAGED);
        s->region[LDM_FIXTURE_HEAD_1 + i] ^= 1;
    }
}

static void privhead_of_version_2_11_is_read(void **state)
{
    struct state *s = *state;
    struct ldm_privhead head;

    put(s->region + LDM_FIXTURE_HEAD_1 + 0x0e, 11, 2);
    ldm_fixture_seal(s->region + LDM_FIXTURE_HEAD_1);
    assert_int_equal(parse_head(s->region + LDM_FIXTURE_HEAD_1, &head), ST_OK);
}

static void private_region_may_touch_the_public_one_and_the_end(void **state)
{
    struct state *s = *state;
    uint8_t *at = s->region + LDM_FIXTURE_HEAD_1;
    struct ldm_privhead head;

    put(at + 0x12b, DISK_BLOCKS - 2048, 8);
    put(at + 0x11b, DISK_BLOCKS - 2048 - 8192, 8);
    ldm_fixture_seal(at);
    assert_int_equal(parse_head(at, &head), ST_OK);
}

static void regions_that_overlap_are_told(void **state)
{
    static const struct {
        uint64_t start, size;
        bool apart;
    } cases[] = {
        {2112, 8192, true}, {2111, 8192, false}, {0, 64, true}, {0, 65, false}, {0, 4096, false},
    };
    struct state *s = *state;
    uint8_t *at = s->region + LDM_FIXTURE_HEAD_1;
    struct ldm_privhead head;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put(at + 0x11b, cases[i].start, 8);
        put(at + 0x123, cases[i].size, 8);
        ldm_fixture_seal(at);
        assert_int_equal(parse_head(at, &head), ST_OK);
        assert_int_equal(ldm_regions_are_apart(&head), cases[i].apart);
    }
}

static void private_region_above_the_limit_is_unsupported(void **state)
{
    struct state *s = *state;
    uint8_t *at = s->region + LDM_FIXTURE_HEAD_1;
    struct ldm_privhead head;

    put(at + 0x12b, DISK_BLOCKS, 8);
    for (uint64_t size = 16384; size <= 16385; size++) {
        put(at + 0x133, size, 8);
        ldm_fixture_seal(at);
        assert_int_equal(ldm_privhead_parse(span_of(at, 512), 512, 4 * DISK_BLOCKS, &head),
                         size == 16384 ? ST_OK : ST_UNSUPPORTED);
    }
}

static void group_name_is_made_printable(void **state)
{
    struct state *s = *state;
    uint8_t *at = s->region + LDM_FIXTURE_HEAD_1;
    struct ldm_privhead head;

    memset(at + 0xf0, 'n', 31);
    at[0xf1] = 0x1b;
    at[0xf2] = 0xc3;
    ldm_fixture_seal(at);
    assert_int_equal(parse_head(at, &head), ST_OK);
    assert_string_equal(head.group_name, "n??nnnnnnnnnnnnnnnnnnnnnnnnnnnn");
}

/* --- TOCBLOCK ------------------------------------------------------------------------------- */

static enum status parse_toc(struct state *s, const uint8_t *at, struct ldm_toc *ret_toc)
{
    struct ldm_privhead head;
    uint8_t *block = malloc(512);

    assert_int_equal(parse_head(s->region + LDM_FIXTURE_HEAD_1, &head), ST_OK);
    memcpy(block, at, 512);
    enum status status = ldm_toc_parse(span_of(block, 512), &head, ret_toc);
    free(block);
    return status;
}

static void tocblock_gives_the_config_region(void **state)
{
    struct state *s = *state;
    struct ldm_toc toc;

    assert_int_equal(parse_toc(s, s->region + LDM_FIXTURE_TOC_1, &toc), ST_OK);
    assert_int_equal(toc.sequence, 1);
    assert_int_equal(toc.config.start, 17);
    assert_int_equal(toc.config.size, 1481);
    assert_int_equal(toc.log.start, 1498);
    assert_int_equal(toc.log.size, 224);
}

static void tocblock_without_a_log_has_none(void **state)
{
    struct state *s = *state;
    uint8_t *at = s->region + LDM_FIXTURE_TOC_1;
    struct ldm_toc toc;

    memset(at + 0x46, 0, 34);
    ldm_fixture_seal(at);
    assert_int_equal(parse_toc(s, at, &toc), ST_OK);
    assert_int_equal(toc.config.start, 17);
    assert_int_equal(toc.log.size, 0);
}

static const struct change toc_changes[] = {
    {"magic", 0x07, 'X', 1, ST_ABSENT},
    {"no config", 0x24, 'x', 1, ST_DAMAGED},
    {"no regions", 0x24, 0, 1, ST_DAMAGED},
    {"config not there", 0x2c, 1, 2, ST_DAMAGED},
    {"config disabled", 0x2c, 8, 2, ST_DAMAGED},
    {"config over the first TOC", 0x2e, 2, 8, ST_DAMAGED},
    {"config outside", 0x2e, 2048, 8, ST_DAMAGED},
    {"config start that wraps", 0x2e, UINT64_MAX - 1480, 8, ST_DAMAGED},
    {"config over the log", 0x36, 1482, 8, ST_DAMAGED},
    {"config size 0", 0x36, 0, 8, ST_DAMAGED},
    {"config size past the region", 0x36, 2032, 8, ST_DAMAGED},
    {"log over the secondary header", 0x50, 1700, 8, ST_DAMAGED},
    {"log past the region", 0x58, 600, 8, ST_DAMAGED},
    {"log disabled", 0x4e, 8, 2, ST_DAMAGED},
};

static void tocblock_with_a_bad_field_is_refused(void **state)
{
    struct state *s = *state;
    uint8_t *at = s->region + LDM_FIXTURE_TOC_1;
    uint8_t good[512];

    memcpy(good, at, 512);
    for (size_t i = 0; i < sizeof toc_changes / sizeof toc_changes[0]; i++) {
        const struct change *change = &toc_changes[i];
        struct ldm_toc toc = {.sequence = 77};
        memcpy(at, good, 512);
        put(at + change->at, change->value, change->size);
        ldm_fixture_seal(at);
        enum status status = parse_toc(s, at, &toc);
        if (status != change->expected)
            fail_msg("%s: status %d", change->what, status);
        assert_int_equal(toc.sequence, 77);
    }
}

static void tocblock_with_wrong_checksum_is_damaged(void **state)
{
    struct state *s = *state;
    struct ldm_toc toc;

    s->region[LDM_FIXTURE_TOC_1 + 0x13]++;
    assert_int_equal(parse_toc(s, s->region + LDM_FIXTURE_TOC_1, &toc), ST_DAMAGED);
}

static void tocblock_with_two_regions_of_a_name_is_damaged(void **state)
{
    struct state *s = *state;
    uint8_t *at = s->region + LDM_FIXTURE_TOC_1;
    struct ldm_toc toc;

    memcpy(at + 0x46, at + 0x24, 8);
    ldm_fixture_seal(at);
    assert_int_equal(parse_toc(s, at, &toc), ST_DAMAGED);
}

static void config_region_is_found_by_name(void **state)
{
    struct state *s = *state;
    uint8_t *at = s->region + LDM_FIXTURE_TOC_1;
    uint8_t config[34];
    struct ldm_toc toc;

    memcpy(config, at + 0x24, 34);
    memcpy(at + 0x24, at + 0x46, 34);
    memcpy(at + 0x46, config, 34);
    ldm_fixture_seal(at);
    assert_int_equal(parse_toc(s, at, &toc), ST_OK);
    assert_int_equal(toc.config.start, 17);
}

/* --- VMDB ----------------------------------------------------------------------------------- */

static enum status parse_header(struct state *s, struct ldm_vmdb *ret_vmdb)
{
    return ldm_vmdb_parse(span_of(s->config, LDM_FIXTURE_CONFIG_BYTES), LDM_FIXTURE_CONFIG_BYTES,
                          ret_vmdb);
}

static const struct change vmdb_changes[] = {
    {"magic", 0x00, 'X', 1, ST_ABSENT},
    {"version 4.11", 0x14, 11, 2, ST_UNSUPPORTED},
    {"slot size 256", 0x08, 256, 4, ST_DAMAGED},
    {"slot size 0", 0x08, 0, 4, ST_DAMAGED},
    {"header of 128 bytes", 0x0c, 128, 4, ST_DAMAGED},
    {"header of 0 bytes", 0x0c, 0, 4, ST_DAMAGED},
    {"header of 500 bytes", 0x0c, 500, 4, ST_DAMAGED},
    {"header past the region", 0x0c, 0x80000000, 4, ST_DAMAGED},
    {"more slots than fit", 0x04, 5925, 4, ST_DAMAGED},
    {"no slot behind the header", 0x04, 4, 4, ST_DAMAGED},
    {"update status 0", 0x10, 0, 2, ST_DAMAGED},
    {"update status 4, abort", 0x10, 4, 2, ST_DAMAGED},
    {"update status 5, new", 0x10, 5, 2, ST_DAMAGED},
    {"update status 6, stale", 0x10, 6, 2, ST_DAMAGED},
    {"update status 8, offline", 0x10, 8, 2, ST_DAMAGED},
    {"clean with a pending transaction", 0x7d, 13, 8, ST_DAMAGED},
    {"group GUID", 0x35, '-', 1, ST_DAMAGED},
};

static void vmdb_with_a_bad_field_is_refused(void **state)
{
    struct state *s = *state;
    uint8_t good[512];

    memcpy(good, s->config, 512);
    for (size_t i = 0; i < sizeof vmdb_changes / sizeof vmdb_changes[0]; i++) {
        const struct change *change = &vmdb_changes[i];
        struct ldm_vmdb vmdb = {.committed = 77};
        memcpy(s->config, good, 512);
        put(s->config + change->at, change->value, change->size);
        enum status status = parse_header(s, &vmdb);
        if (status != change->expected)
            fail_msg("%s: status %d", change->what, status);
        assert_int_equal(vmdb.committed, 77);
    }
}

static void pending_transaction_before_the_committed_one_is_damaged(void **state)
{
    struct state *s = *state;
    struct ldm_vmdb vmdb;

    put(s->config + 0x10, 2, 2);
    put(s->config + 0x7d, 11, 8);
    assert_int_equal(parse_header(s, &vmdb), ST_DAMAGED);
}

static void vmdb_shorter_than_its_fields_is_absent(void **state)
{
    struct state *s = *state;
    struct ldm_vmdb vmdb;
    uint8_t *part = malloc(0xc4);

    memcpy(part, s->config, 0xc4);
    assert_int_equal(ldm_vmdb_parse(span_of(part, 0xc4), 0xc4, &vmdb), ST_ABSENT);
    free(part);
}

/* --- The whole database --------------------------------------------------------------------- */

static enum status parse(struct state *s, struct ldm_database *ret_database)
{
    struct ldm_vmdb vmdb;
    uint8_t *config = malloc(LDM_FIXTURE_CONFIG_BYTES);

    memcpy(config, s->config, LDM_FIXTURE_CONFIG_BYTES);
    struct span span = span_of(config, LDM_FIXTURE_CONFIG_BYTES);
    arena_release(&s->scratch, 0);
    enum status status = ldm_vmdb_parse(span, span.size, &vmdb);
    if (status == ST_OK)
        status = ldm_database_parse(span, &vmdb, &s->arena, &s->scratch, ret_database);
    /* Nothing in the result may lie in what is given back. */
    memset(s->memory[1], 0xee, ARENA_BYTES);
    free(config);
    return status;
}

static uint8_t *slot(struct state *s, uint32_t number)
{
    return s->region + LDM_FIXTURE_SLOT(number);
}

/* The record in a slot: its 8-byte header begins here. */
static uint8_t *record(struct state *s, uint32_t number)
{
    return slot(s, number) + 0x10;
}

/* Fields behind names of known length, counted from the end of the name. */
#define PLEX_AT(field)  (0x10 + 8 + 2 + 1 + 10 + (field)) /* "Volume1-01" */
#define PIECE_AT(field) (0x10 + 8 + 2 + 1 + 8 + (field))  /* "Disk1-01" */
#define PIECE_START     PIECE_AT(12)
#define PIECE_OFFSET    PIECE_AT(20)
#define PIECE_SIZE      PIECE_AT(29) /* 2 bytes, behind the length byte */
#define PIECE_PARENT    PIECE_AT(32)
#define PIECE_DISK      PIECE_AT(34)
#define PLEX_LAYOUT     PLEX_AT(7)
#define PLEX_PARTS      PLEX_AT(13)
#define PLEX_PARENT     PLEX_AT(31)

static void mirror_is_read(void **state)
{
    struct ldm_database db;

    assert_int_equal(parse(*state, &db), ST_OK);
    assert_true(db.clean);
    assert_false(db.extended);
    assert_int_equal(db.header.effective, 12);
    assert_string_equal(db.group.name, "Test-Dg0");
    assert_guid(&db.group.guid, "a1b2c3d4-0001-11e1-8000-000102030405");
    assert_int_equal(db.volume_count, 1);
    assert_int_equal(db.volumes[0].id, 4);
    assert_string_equal(db.volumes[0].name, "Volume1");
    assert_string_equal(db.volumes[0].state, "ACTIVE");
    assert_int_equal(db.volumes[0].size, 4096);
    assert_int_equal(db.volumes[0].number, 1);
    assert_int_equal(db.volumes[0].flags, 0x11);
    assert_guid(&db.volumes[0].guid, "a1b2c3d4-0002-11e1-8000-000102030405");
    assert_string_equal(db.volumes[0].drive_hint, "");
    assert_int_equal(db.volumes[0].shape, LDM_SHAPE_MIRROR);
    assert_int_equal(db.component_count, 2);
    assert_string_equal(db.components[1].name, "Volume1-02");
    assert_int_equal(db.components[1].volume, 0);
    assert_int_equal(db.partition_count, 2);
    assert_int_equal(db.partitions[1].start, 16);
    assert_int_equal(db.partitions[1].size, 4096);
    assert_int_equal(db.partitions[1].component, 1);
    assert_int_equal(db.partitions[1].disk, 1);
    assert_int_equal(db.disk_count, 2);
    assert_guid(&db.disks[1].guid, "a1b2c3d4-0004-11e1-8000-000102030405");
}

/* A partition record in two slots, with an ID of two bytes and a place of its own. */
static void store_large_piece(struct state *s, uint32_t number, uint16_t id)
{
    for (uint32_t i = 0; i < 2; i++) {
        put(slot(s, number + i) + 0x08, 1000 + number, 4);
        put(slot(s, number + i) + 0x0c, i, 2);
        put(slot(s, number + i) + 0x0e, 2, 2);
    }
    memcpy(record(s, number), record(s, LDM_SLOT_PIECE_2), 112);
    put(record(s, number) + 8, 2, 1);
    put(record(s, number) + 9, id, 2);
    put(record(s, number) + 11, 7, 1); /* the name loses its first letter */
    put(slot(s, number) + PIECE_START, 0x10000u * id, 8);
}

static void scratch_of_twice_the_region_is_enough(void **state)
{
    struct state *s = *state;
    struct ldm_database db;
    uint16_t id = 1000;

    for (uint32_t i = LDM_SLOT_FREE; i + 1 < LDM_FIXTURE_CONFIG_BYTES / 128; i += 2)
        store_large_piece(s, i, id++);
    put(s->config + 0x85 + 8, 2 + (id - 1000), 4);
    /* Only now, with all counts right, does it show that one component has them all. */
    assert_int_equal(parse(s, &db), ST_DAMAGED);
    put(slot(s, LDM_SLOT_PLEX_2) + PLEX_PARTS - 1, 2, 1);
    put(slot(s, LDM_SLOT_PLEX_2) + PLEX_PARTS, 1 + (id - 1000), 2);
    put(slot(s, LDM_SLOT_PLEX_2) + PLEX_PARTS + 2, 0, 8); /* the next field, shifted by a byte */
    put(slot(s, LDM_SLOT_PLEX_2) + PLEX_PARTS + 10, 0, 8);
    put(slot(s, LDM_SLOT_PLEX_2) + PLEX_PARTS + 18, 0x01040000, 4);
    put(record(s, LDM_SLOT_PLEX_2) + 4, ld_be32(record(s, LDM_SLOT_PLEX_2) + 4) + 1, 4);
    assert_int_equal(parse(s, &db), ST_OK);
    assert_int_equal(db.partition_count, 2 + (id - 1000));
    assert_int_equal(db.volumes[0].shape, LDM_SHAPE_OTHER);
}

static void long_record_in_several_slots_is_read(void **state)
{
    struct state *s = *state;
    struct ldm_fixture fixture = ldm_fixture_default();
    char name[180];
    struct ldm_database db;

    memset(name, 'v', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    fixture.volume_name = name;
    ldm_fixture_build(&fixture, 0, s->region);
    assert_int_equal(parse(s, &db), ST_OK);
    assert_string_equal(db.volumes[0].name, name);
    assert_int_equal(db.volumes[0].shape, LDM_SHAPE_MIRROR);
}

static void swap_slots(struct state *s, uint32_t a, uint32_t b)
{
    uint8_t kept[120];

    memcpy(kept, slot(s, a) + 8, 120);
    memcpy(slot(s, a) + 8, slot(s, b) + 8, 120);
    memcpy(slot(s, b) + 8, kept, 120);
}

static void fragments_and_records_may_stand_in_any_order(void **state)
{
    struct state *s = *state;
    struct ldm_fixture fixture = ldm_fixture_default();
    struct ldm_database db;

    fixture.volume_name = "a name that is long enough to need a second slot, of 112 bytes each";
    ldm_fixture_build(&fixture, 0, s->region);
    swap_slots(s, 4, 900);
    swap_slots(s, 7, 5923);
    swap_slots(s, 8, 7);
    assert_int_equal(parse(s, &db), ST_OK);
    assert_string_equal(db.volumes[0].name, fixture.volume_name);
    assert_int_equal(db.disks[0].id, 2);
}

/* A volume whose record takes slots 7 and 8. */
static void build_long_volume(struct state *s)
{
    struct ldm_fixture fixture = ldm_fixture_default();

    fixture.volume_name = "a name that is long enough to need a second slot, of 112 bytes each";
    ldm_fixture_build(&fixture, 0, s->region);
}

static size_t front_of(struct state *s, size_t slots)
{
    return ldm_front_bytes(span_of(s->config, slots * 128), LDM_FIXTURE_CONFIG_BYTES);
}

static void front_ends_with_the_last_record_that_is_counted(void **state)
{
    struct state *s = *state;
    size_t whole = LDM_FIXTURE_CONFIG_BYTES / 128;

    assert_int_equal(front_of(s, LDM_SLOT_FREE), LDM_SLOT_FREE * 128);
    assert_int_equal(front_of(s, whole), LDM_SLOT_FREE * 128);
    assert_int_equal(front_of(s, LDM_SLOT_FREE - 1), 0);
    swap_slots(s, LDM_SLOT_DISK_2, 700);
    assert_int_equal(front_of(s, 700), 0);
    assert_int_equal(front_of(s, whole), 701 * 128);
    build_long_volume(s);
    swap_slots(s, 8, 900);
    assert_int_equal(front_of(s, 900), 0);
    assert_int_equal(front_of(s, whole), 901 * 128);
    swap_slots(s, 7, 900); /* the second fragment first */
    assert_int_equal(front_of(s, whole), 901 * 128);
}

/* In the middle of a change, and where something is wrong, all of it has to be looked at. */
static void front_of_an_unsettled_database_is_all_of_it(void **state)
{
    static const struct {
        uint32_t at; /* in the region */
        uint64_t value;
        size_t size;
    } changes[] = {{0x00, 'X', 1},
                   {0x10, 2, 2},
                   {0x10, 3, 2},
                   {0x85, 2, 4},
                   {128 * LDM_SLOT_VOLUME, 'X', 1},
                   {128 * LDM_SLOT_VOLUME + 0x0e, 2, 2},
                   {128 * LDM_SLOT_VOLUME + 0x10, 1, 2},
                   {128 * LDM_SLOT_VOLUME + 0x10, 2, 2}};
    struct state *s = *state;
    struct ldm_fixture fixture = ldm_fixture_default();

    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        ldm_fixture_build(&fixture, 0, s->region);
        put(s->config + changes[i].at, changes[i].value, changes[i].size);
        if (front_of(s, LDM_FIXTURE_CONFIG_BYTES / 128) != 0)
            fail_msg("change %zu", i);
    }
}

static void missing_fragment_is_damaged(void **state)
{
    struct ldm_database db;

    build_long_volume(*state);
    put(slot(*state, 8) + 0x0e, 0, 2);
    assert_int_equal(parse(*state, &db), ST_DAMAGED);
}

static void repeated_fragment_is_damaged(void **state)
{
    struct ldm_database db;

    build_long_volume(*state);
    memcpy(slot(*state, 100) + 8, slot(*state, 8) + 8, 120);
    assert_int_equal(parse(*state, &db), ST_DAMAGED);
}

static void two_first_fragments_are_damaged(void **state)
{
    struct ldm_database db;

    build_long_volume(*state);
    put(slot(*state, 8) + 0x0c, 0, 2);
    assert_int_equal(parse(*state, &db), ST_DAMAGED);
}

static void fragments_that_disagree_on_their_number_are_damaged(void **state)
{
    struct ldm_database db;

    build_long_volume(*state);
    put(slot(*state, 8) + 0x0e, 3, 2);
    assert_int_equal(parse(*state, &db), ST_DAMAGED);
}

static void record_has_16_fragments_at_most(void **state)
{
    for (uint32_t count = 16; count <= 17; count++) {
        struct ldm_database db;
        for (uint32_t i = 0; i < count; i++) {
            uint8_t *at = slot(*state, i == 0 ? LDM_SLOT_DISK_1 : 50 + i);
            put(at + 0x08, 600, 4);
            put(at + 0x0c, i, 2);
            put(at + 0x0e, count, 2);
        }
        assert_int_equal(parse(*state, &db), count == 16 ? ST_OK : ST_DAMAGED);
    }
}

/* Offsets from the slot for those of the slot's head; the others count from the record. */
static const struct {
    const char *what;
    uint32_t slot;
    size_t at; /* from the start of the slot */
    uint64_t value;
    size_t size;
    enum status expected;
} record_changes[] = {
    {"slot without magic", 5000, 0x00, 'X', 1, ST_DAMAGED},
    {"slot with another number", 5000, 0x04, 4999, 4, ST_DAMAGED},
    {"used slot of group 0", LDM_SLOT_DISK_1, 0x08, 0, 4, ST_DAMAGED},
    {"two records in one group", LDM_SLOT_DISK_1, 0x08, 106, 4, ST_DAMAGED},
    {"fragment beyond the count", LDM_SLOT_DISK_1, 0x0c, 1, 2, ST_DAMAGED},
    {"more fragments than there are", LDM_SLOT_DISK_1, 0x0e, 2, 2, ST_DAMAGED},
    {"17 fragments", LDM_SLOT_DISK_1, 0x0e, 17, 2, ST_DAMAGED},
    {"record status 3", LDM_SLOT_DISK_1, 0x10, 3, 2, ST_DAMAGED},
    {"length past the slot", LDM_SLOT_DISK_1, 0x14, 105, 4, ST_DAMAGED},
    {"length that wraps", LDM_SLOT_DISK_1, 0x14, UINT32_MAX - 3, 4, ST_DAMAGED},
    {"length before the last field", LDM_SLOT_DISK_1, 0x14, 40, 4, ST_DAMAGED},
    {"length 0", LDM_SLOT_DISK_1, 0x14, 0, 4, ST_DAMAGED},
    {"ID of 9 bytes", LDM_SLOT_DISK_1, 0x18, 9, 1, ST_DAMAGED},
    {"ID 0", LDM_SLOT_DISK_1, 0x19, 0, 1, ST_DAMAGED},
    {"ID twice", LDM_SLOT_DISK_1, 0x19, 3, 1, ST_DAMAGED},
    {"ID of another kind's object", LDM_SLOT_DISK_1, 0x19, 4, 1, ST_DAMAGED},
    {"name longer than the record", LDM_SLOT_DISK_1, 0x1a, 200, 1, ST_DAMAGED},
    {"disk GUID text", LDM_SLOT_DISK_1, 0x21, 'g', 1, ST_DAMAGED},
    {"disk GUID of 35 characters", LDM_SLOT_DISK_1, 0x20, 35, 1, ST_DAMAGED},
    {"two disks of one GUID", LDM_SLOT_DISK_2, 0x2d, '3', 1, ST_DAMAGED},
    {"kind 6", LDM_SLOT_DISK_1, 0x13, 0x36, 1, ST_UNSUPPORTED},
    {"disk of revision 5", LDM_SLOT_DISK_1, 0x13, 0x54, 1, ST_UNSUPPORTED},
    {"disk with unknown flags", LDM_SLOT_DISK_1, 0x12, 0x08, 1, ST_UNSUPPORTED},
    {"volume with unknown flags", LDM_SLOT_VOLUME, 0x12, 0x40, 1, ST_UNSUPPORTED},
    {"volume of revision 4", LDM_SLOT_VOLUME, 0x13, 0x41, 1, ST_UNSUPPORTED},
    {"volume of unknown type", LDM_SLOT_VOLUME, 0x23, 'x', 1, ST_DAMAGED},
    {"volume of 3 components", LDM_SLOT_VOLUME, 0x3d, 3, 1, ST_DAMAGED},
    {"volume of size 0", LDM_SLOT_VOLUME, 0x4f, 0, 2, ST_DAMAGED},
    {"disk group with the ID of a disk", LDM_SLOT_GROUP, 0x19, 2, 1, ST_DAMAGED},
    {"no disk group", LDM_SLOT_GROUP, 0x0e, 0, 2, ST_DAMAGED},
    {"group GUID of another group", LDM_SLOT_GROUP, 0x24, '9', 1, ST_DAMAGED},
};

static void broken_record_makes_the_database_refused(void **state)
{
    struct state *s = *state;
    uint8_t good[128];

    for (size_t i = 0; i < sizeof record_changes / sizeof record_changes[0]; i++) {
        uint8_t *at = slot(s, record_changes[i].slot);
        struct ldm_database db = {.volume_count = 77};
        memcpy(good, at, 128);
        put(at + record_changes[i].at, record_changes[i].value, record_changes[i].size);
        enum status status = parse(s, &db);
        if (status != record_changes[i].expected)
            fail_msg("%s: status %d", record_changes[i].what, status);
        assert_int_equal(db.volume_count, 77);
        memcpy(at, good, 128);
        assert_int_equal(parse(s, &db), ST_OK);
    }
}

static enum status parse_changed(struct state *s, uint32_t number, size_t at, uint64_t value,
                                 size_t size, struct ldm_database *ret_database)
{
    put(slot(s, number) + at, value, size);
    return parse(s, ret_database);
}

static void component_of_a_missing_volume_is_damaged(void **state)
{
    struct ldm_database db;

    assert_int_equal(parse_changed(*state, LDM_SLOT_PLEX_1, PLEX_PARENT, 99, 1, &db), ST_DAMAGED);
}

static void component_of_a_disk_is_damaged(void **state)
{
    struct ldm_database db;

    assert_int_equal(parse_changed(*state, LDM_SLOT_PLEX_1, PLEX_PARENT, 2, 1, &db), ST_DAMAGED);
}

static void partition_of_a_volume_is_damaged(void **state)
{
    struct ldm_database db;

    assert_int_equal(parse_changed(*state, LDM_SLOT_PIECE_1, PIECE_PARENT, 4, 1, &db), ST_DAMAGED);
}

static void partition_on_a_component_is_damaged(void **state)
{
    struct ldm_database db;

    assert_int_equal(parse_changed(*state, LDM_SLOT_PIECE_1, PIECE_DISK, 5, 1, &db), ST_DAMAGED);
}

static void component_with_fewer_partitions_than_it_says_is_damaged(void **state)
{
    struct ldm_database db;

    assert_int_equal(parse_changed(*state, LDM_SLOT_PLEX_1, PLEX_PARTS, 2, 1, &db), ST_DAMAGED);
}

static void partitions_that_overlap_are_damaged(void **state)
{
    struct state *s = *state;
    struct ldm_database db;

    /* Both pieces on disk 1, the second behind the first; then one sector too early. */
    put(slot(s, LDM_SLOT_PIECE_2) + PIECE_START, 4096, 8);
    assert_int_equal(parse_changed(s, LDM_SLOT_PIECE_2, PIECE_DISK, 2, 1, &db), ST_OK);
    assert_int_equal(parse_changed(s, LDM_SLOT_PIECE_2, PIECE_START, 4095, 8, &db), ST_DAMAGED);
}

static void partition_end_that_wraps_is_damaged(void **state)
{
    struct ldm_database db;

    assert_int_equal(
        parse_changed(*state, LDM_SLOT_PIECE_1, PIECE_START, UINT64_MAX - 4094, 8, &db),
        ST_DAMAGED);
}

static void mirror_with_both_plexes_on_one_disk_is_no_mirror(void **state)
{
    struct state *s = *state;
    struct ldm_database db;

    put(slot(s, LDM_SLOT_PIECE_2) + PIECE_START, 4096, 8);
    assert_int_equal(parse_changed(s, LDM_SLOT_PIECE_2, PIECE_DISK, 2, 1, &db), ST_OK);
    assert_int_equal(db.volumes[0].shape, LDM_SHAPE_OTHER);
}

static void plex_that_does_not_add_up_makes_no_mirror(void **state)
{
    struct state *s = *state;
    struct ldm_database db;

    assert_int_equal(parse_changed(s, LDM_SLOT_PIECE_2, PIECE_SIZE, 4095, 2, &db), ST_OK);
    assert_int_equal(db.volumes[0].shape, LDM_SHAPE_OTHER);
    put(slot(s, LDM_SLOT_PIECE_2) + PIECE_SIZE, 4096, 2);
    assert_int_equal(parse_changed(s, LDM_SLOT_PIECE_2, PIECE_OFFSET, 1, 8, &db), ST_OK);
    assert_int_equal(db.volumes[0].shape, LDM_SHAPE_OTHER);
}

/* The first plex alone, with the layout given and one column. */
static void make_single(struct state *s, uint8_t layout)
{
    static const uint8_t stripes[] = {1, 128, 1, 1};
    static const uint32_t counts[4] = {1, 1, 1, 2};
    uint8_t *plex = record(s, LDM_SLOT_PLEX_1);

    memset(slot(s, LDM_SLOT_PLEX_2) + 8, 0, 120);
    memset(slot(s, LDM_SLOT_PIECE_2) + 8, 0, 120);
    put(slot(s, LDM_SLOT_VOLUME) + 0x3d, 1, 1);
    for (size_t i = 0; i < 4; i++)
        put(s->config + 0x85 + 4 * i, counts[i], 4);
    put(slot(s, LDM_SLOT_PLEX_1) + PLEX_LAYOUT, layout, 1);
    plex[2] = 0x10;
    memcpy(plex + 8 + ld_be32(plex + 4), stripes, sizeof stripes);
    put(plex + 4, ld_be32(plex + 4) + sizeof stripes, 4);
}

static void single_plexes_have_the_shape_of_their_layout(void **state)
{
    static const enum ldm_shape shapes[] = {
        [LDM_STRIPED] = LDM_SHAPE_STRIPED,
        [LDM_CONCATENATED] = LDM_SHAPE_SIMPLE,
        [LDM_RAID5] = LDM_SHAPE_OTHER, /* its volume's type is "gen" */
    };
    struct state *s = *state;
    struct ldm_fixture fixture = ldm_fixture_default();

    for (uint8_t layout = LDM_STRIPED; layout <= LDM_RAID5; layout++) {
        struct ldm_database db;
        ldm_fixture_build(&fixture, 0, s->region);
        make_single(s, layout);
        assert_int_equal(parse(s, &db), ST_OK);
        assert_int_equal(db.volumes[0].shape, shapes[layout]);
        assert_int_equal(parse_changed(s, LDM_SLOT_PIECE_1, PIECE_SIZE, 4095, 2, &db), ST_OK);
        assert_int_equal(db.volumes[0].shape, LDM_SHAPE_OTHER);
    }
}

static void striped_component_without_columns_is_damaged(void **state)
{
    struct ldm_database db;

    assert_int_equal(parse_changed(*state, LDM_SLOT_PLEX_1, PLEX_LAYOUT, 1, 1, &db), ST_DAMAGED);
}

static void counts_that_differ_are_damaged(void **state)
{
    struct state *s = *state;

    for (size_t i = 0; i < 4; i++) {
        struct ldm_database db;
        s->config[0x88 + 4 * i]++;
        assert_int_equal(parse(s, &db), ST_DAMAGED);
        s->config[0x88 + 4 * i]--;
    }
}

static void bytes_behind_the_known_fields_are_noted(void **state)
{
    struct ldm_database db;

    assert_int_equal(parse_changed(*state, LDM_SLOT_DISK_1, 0x14, 80, 4, &db), ST_OK);
    assert_true(db.extended);
}

static void too_little_memory_is_reported(void **state)
{
    struct state *s = *state;
    struct ldm_vmdb vmdb;
    struct span config = span_of(s->config, LDM_FIXTURE_CONFIG_BYTES);

    assert_int_equal(ldm_vmdb_parse(config, config.size, &vmdb), ST_OK);
    for (size_t room = 0;; room += 16) {
        struct ldm_database db = {.volume_count = 77};
        struct arena small;
        arena_init(&small, s->memory[0], room);
        arena_release(&s->scratch, 0);
        enum status status = ldm_database_parse(config, &vmdb, &small, &s->scratch, &db);
        if (status == ST_OK)
            break;
        assert_int_equal(status, ST_NO_MEMORY);
        assert_int_equal(db.volume_count, 77);
        assert_true(room < ARENA_BYTES);
    }
}

/* --- Transactions that were cut off --------------------------------------------------------- */

/* Adds a second record of the volume, arriving, in place of the first, which is leaving. */
static void begin_rename(struct state *s, uint16_t update)
{
    memcpy(slot(s, LDM_SLOT_FREE) + 8, slot(s, LDM_SLOT_VOLUME) + 8, 120);
    put(slot(s, LDM_SLOT_FREE) + 0x08, 500, 4);
    put(record(s, LDM_SLOT_FREE), 2, 2);
    record(s, LDM_SLOT_FREE)[8 + 2 + 1 + 6] = '9'; /* "Volume9" */
    put(record(s, LDM_SLOT_VOLUME), 1, 2);
    put(s->config + 0x10, update, 2);
    if (update != 1)
        put(s->config + 0x7d, 13, 8);
}

static void change_not_yet_decided_counts_as_not_done(void **state)
{
    for (uint16_t update = 1; update <= 2; update++) {
        struct ldm_database db;
        begin_rename(*state, update);
        put(((struct state *)*state)->config + 0xa1, 9, 4); /* pending volumes */
        assert_int_equal(parse(*state, &db), ST_OK);
        assert_false(db.clean);
        assert_int_equal(db.header.effective, 12);
        assert_int_equal(db.volume_count, 1);
        assert_string_equal(db.volumes[0].name, "Volume1");
    }
}

static void decided_change_counts_as_done(void **state)
{
    struct ldm_database db;

    begin_rename(*state, 3);
    put(((struct state *)*state)->config + 0x85, 9, 4); /* committed volumes */
    assert_int_equal(parse(*state, &db), ST_OK);
    assert_false(db.clean);
    assert_int_equal(db.header.effective, 13);
    assert_int_equal(db.volume_count, 1);
    assert_string_equal(db.volumes[0].name, "Volume9");
}

static void two_active_records_of_one_object_are_damaged(void **state)
{
    struct state *s = *state;
    struct ldm_database db;

    begin_rename(s, 1);
    put(record(s, LDM_SLOT_FREE), 0, 2);
    assert_int_equal(parse(s, &db), ST_DAMAGED);
}

static void arriving_record_may_be_incomplete_until_decided(void **state)
{
    struct state *s = *state;
    struct ldm_database db;

    begin_rename(s, 2);
    put(slot(s, LDM_SLOT_FREE) + 0x0e, 2, 2);
    assert_int_equal(parse(s, &db), ST_OK);
    assert_string_equal(db.volumes[0].name, "Volume1");
    put(s->config + 0x10, 3, 2);
    assert_int_equal(parse(s, &db), ST_DAMAGED);
}

static void leftover_of_a_removed_record_counts_only_until_decided(void **state)
{
    struct state *s = *state;
    struct ldm_database db;

    begin_rename(s, 3);
    put(slot(s, 60) + 0x08, 601, 4);
    put(slot(s, 60) + 0x0c, 1, 2);
    put(slot(s, 60) + 0x0e, 2, 2);
    assert_int_equal(parse(s, &db), ST_OK);
    put(s->config + 0x10, 2, 2);
    assert_int_equal(parse(s, &db), ST_DAMAGED);
}

static void rename_leaves_the_volume_where_it_is(void **state)
{
    for (uint16_t update = 1; update <= 3; update++) {
        struct ldm_database db;
        begin_rename(*state, update);
        assert_int_equal(parse(*state, &db), ST_OK);
        assert_true(db.volumes[0].certain);
        assert_true(db.components[0].certain && db.partitions[0].certain && db.disks[0].certain);
    }
}

/* Gives a record a second form that differs from the first at `at`, and begins a transaction. */
static void begin_change(struct state *s, uint32_t number, uint16_t update, size_t at,
                         uint8_t value)
{
    memcpy(slot(s, LDM_SLOT_FREE) + 8, slot(s, number) + 8, 120);
    put(slot(s, LDM_SLOT_FREE) + 0x08, 500, 4);
    put(record(s, LDM_SLOT_FREE), 2, 2);
    slot(s, LDM_SLOT_FREE)[at] = value;
    put(record(s, number), 1, 2);
    put(s->config + 0x10, update, 2);
    put(s->config + 0x7d, 13, 8);
}

static void change_of_place_makes_the_object_uncertain(void **state)
{
    /* Offsets from the slot. */
    static const struct {
        uint32_t slot;
        size_t at;
        uint8_t value;
    } changes[] = {
        {LDM_SLOT_DISK_2, 0x2d, '9'},   /* GUID */
        {LDM_SLOT_VOLUME, 0x50, 0x10},  /* size */
        {LDM_SLOT_PIECE_2, 0x36, 0x40}, /* start */
    };
    struct state *s = *state;
    uint8_t good[128 * 16];

    memcpy(good, s->config, sizeof good);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++)
        for (uint16_t update = 2; update <= 3; update++) {
            struct ldm_database db;
            memcpy(s->config, good, sizeof good);
            begin_change(s, changes[i].slot, update, changes[i].at, changes[i].value);
            assert_int_equal(parse(s, &db), ST_OK);
            assert_int_equal(db.disks[1].certain, i != 0);
            assert_int_equal(db.volumes[0].certain, i != 1);
            assert_int_equal(db.partitions[1].certain, i != 2);
            assert_true(db.disks[0].certain && db.partitions[0].certain);
        }
}

static void arriving_record_alone_is_uncertain(void **state)
{
    struct state *s = *state;
    struct ldm_database db;

    put(record(s, LDM_SLOT_PLEX_2), 2, 2);
    put(s->config + 0x10, 3, 2);
    put(s->config + 0x7d, 13, 8);
    assert_int_equal(parse(s, &db), ST_OK);
    assert_false(db.components[1].certain);
    assert_true(db.components[0].certain);
}

/* Offsets of the transaction of the last change, from the slot. */
static const struct {
    uint32_t slot;
    size_t at;
} changed_at[] = {
    {LDM_SLOT_GROUP, 0x10 + 8 + 2 + 9 + 37 + 4},
    {LDM_SLOT_DISK_1, 0x10 + 8 + 2 + 6 + 37 + 1 + 4},
    {LDM_SLOT_VOLUME, 0x3e},
    {LDM_SLOT_PLEX_1, PLEX_AT(14)},
    {LDM_SLOT_PIECE_1, PIECE_AT(4)},
};

static void record_of_a_later_transaction_is_damaged(void **state)
{
    struct state *s = *state;
    uint8_t good[128 * 16];

    memcpy(good, s->config, sizeof good);
    for (size_t i = 0; i < sizeof changed_at / sizeof changed_at[0]; i++)
        for (uint64_t later = 0; later < 2; later++) {
            struct ldm_database db;
            uint32_t number = changed_at[i].slot;
            memcpy(s->config, good, sizeof good);
            uint64_t expected = later ? ST_DAMAGED : ST_OK;
            assert_int_equal(parse_changed(s, number, changed_at[i].at, 12 + later, 8, &db),
                             expected);
            /* A change that is not decided does not make it right, one that is does. */
            put(s->config + 0x10, 2, 2);
            put(s->config + 0x7d, 13, 8);
            assert_int_equal(parse(s, &db), expected);
            put(s->config + 0x10, 3, 2);
            assert_int_equal(parse(s, &db), ST_OK);
        }
}

static void record_is_of_the_transaction_of_its_side_at_the_latest(void **state)
{
    static const struct {
        uint16_t update;
        uint64_t leaving, arriving;
        enum status expected;
    } cases[] = {
        {2, 12, 13, ST_OK}, {2, 12, 14, ST_DAMAGED}, {2, 13, 13, ST_DAMAGED},
        {3, 12, 13, ST_OK}, {3, 12, 14, ST_DAMAGED}, {3, 13, 13, ST_DAMAGED},
        {1, 12, 13, ST_OK}, {1, 13, 13, ST_DAMAGED},
    };
    struct state *s = *state;
    uint8_t good[128 * 16];

    memcpy(good, s->config, sizeof good);
    for (size_t k = 1; k < sizeof changed_at / sizeof changed_at[0]; k++)
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            struct ldm_database db;
            uint32_t number = changed_at[k].slot;
            memcpy(s->config, good, sizeof good);
            begin_change(s, number, cases[i].update, changed_at[k].at, 0);
            if (cases[i].update == 1)
                put(s->config + 0x7d, 12, 8);
            put(slot(s, number) + changed_at[k].at, cases[i].leaving, 8);
            put(slot(s, LDM_SLOT_FREE) + changed_at[k].at, cases[i].arriving, 8);
            enum status status = parse(s, &db);
            if (status != cases[i].expected)
                fail_msg("record %zu, case %zu: status %d", k, i, status);
        }
}

/* --- KLOG ----------------------------------------------------------------------------------- */

#define LOG_AT (1498u * 512)

/* Reads a copy of `size` bytes of the log, exactly as large. */
static enum status parse_log(struct state *s, size_t size, struct ldm_log *ret_log)
{
    uint8_t *pages = malloc(size);

    memcpy(pages, s->region + LOG_AT, size);
    enum status status = ldm_log_parse(span_of(pages, size), ret_log);
    free(pages);
    return status;
}

static void empty_log_has_two_pages(void **state)
{
    struct ldm_log log = {.dirty = true};
    uint32_t count = 0;
    struct state *s = *state;

    assert_int_equal(ldm_log_count_pages(span_of(s->region + LOG_AT, 512), &count), ST_OK);
    assert_int_equal(count, 2);
    assert_int_equal(parse_log(s, 1024, &log), ST_OK);
    assert_int_equal(log.page_count, 2);
    assert_false(log.dirty);
    assert_int_equal(log.pending, 0);
}

static void log_entries_are_read_to_the_first_free_one(void **state)
{
    static const bool dirty[] = {false, true, true, false, true, true};
    struct state *s = *state;
    uint8_t *entries = s->region + LOG_AT + 0x18;
    struct ldm_log log;

    for (uint8_t status = 1; status <= 5; status++) {
        entries[0] = status;
        assert_int_equal(parse_log(s, 1024, &log), ST_OK);
        assert_int_equal(log.dirty, dirty[status]);
    }
    entries[0] = 0;
    entries[24] = 1;
    assert_int_equal(parse_log(s, 1024, &log), ST_OK);
    assert_false(log.dirty);
    entries[24] = 0;
    entries[512] = 2;
    assert_int_equal(parse_log(s, 1024, &log), ST_OK);
    assert_true(log.dirty);
}

static void log_gives_the_latest_commit_of_all_entries(void **state)
{
    struct state *s = *state;
    uint8_t *entries = s->region + LOG_AT + 0x18;
    struct ldm_log log;

    for (size_t i = 0; i < 20; i++) {
        entries[24 * i] = 3;
        put(entries + 24 * i + 1, 99, 8);
        put(entries + 24 * i + 9, i == 10 ? 41 : 20 + i, 8);
    }
    assert_int_equal(parse_log(s, 1024, &log), ST_OK);
    assert_int_equal(log.pending, 41);
    assert_false(log.dirty);
}

static const struct change log_changes[] = {
    {"magic", 0x00, 'X', 1, ST_DAMAGED},
    {"magic of the second page", 0x203, 'X', 1, ST_DAMAGED},
    {"no pages", 0x10, 0, 4, ST_DAMAGED},
    {"one page, but the next one says two", 0x10, 1, 4, ST_OK},
    {"three pages", 0x10, 3, 4, ST_DAMAGED},
    {"129 pages", 0x10, 129, 4, ST_UNSUPPORTED},
    {"as many pages as a number can hold", 0x10, UINT32_MAX, 4, ST_UNSUPPORTED},
    {"index of the first page", 0x14, 1, 4, ST_DAMAGED},
    {"index of the second page", 0x214, 0, 4, ST_DAMAGED},
    {"number of pages on the second page", 0x210, 3, 4, ST_DAMAGED},
    {"unknown entry", 0x18, 6, 1, ST_UNSUPPORTED},
};

static void log_with_a_bad_field_is_refused(void **state)
{
    struct state *s = *state;
    uint8_t good[1024];

    memcpy(good, s->region + LOG_AT, 1024);
    for (size_t i = 0; i < sizeof log_changes / sizeof log_changes[0]; i++) {
        const struct change *change = &log_changes[i];
        struct ldm_log log;
        memcpy(s->region + LOG_AT, good, 1024);
        put(s->region + LOG_AT + change->at, change->value, change->size);
        enum status status = parse_log(s, 1024, &log);
        if (status != change->expected)
            fail_msg("%s: status %d", change->what, status);
    }
}

static void log_that_is_cut_off_is_damaged(void **state)
{
    struct ldm_log log;

    assert_int_equal(parse_log(*state, 511, &log), ST_DAMAGED);
    assert_int_equal(parse_log(*state, 1023, &log), ST_DAMAGED);
    assert_int_equal(ldm_log_parse(span_of(NULL, 0), &log), ST_DAMAGED);
}

/* --- A disk that Windows made --------------------------------------------------------------- */

#define IMAGE "ldm-2008r2-mirrored-2.img"

static uint8_t *image_region; /* NULL when the image is not there */

static int unpack_image(void **state)
{
    (void)state;
    if (ldm_images_unpack(IMAGE) == NULL)
        return 0;
    image_region = malloc(LDM_FIXTURE_BYTES);
    ldm_image_read(IMAGE, 34 * 512, image_region, LDM_FIXTURE_BYTES);
    ldm_images_remove();
    return 0;
}

static int forget_image(void **state)
{
    (void)state;
    free(image_region);
    return 0;
}

static struct state *need_image(void **state)
{
    struct state *s = *state;

    if (image_region == NULL)
        SKIP_BECAUSE(LDM_IMAGES NO_SHARED_DATA);
    memcpy(s->region, image_region, LDM_FIXTURE_BYTES);
    return s;
}

static void windows_disk_leads_to_its_database(void **state)
{
    struct state *s = need_image(state);
    struct ldm_privhead head;
    struct ldm_toc toc;
    struct ldm_vmdb vmdb;

    assert_int_equal(
        ldm_privhead_parse(span_of(s->region + LDM_FIXTURE_HEAD_1, 512), 512, 102400, &head),
        ST_OK);
    assert_guid(&head.disk, "06495aa7-fbfd-11e1-8cf9-52540061f5db");
    assert_guid(&head.group, "06495a84-fbfd-11e1-8cf9-52540061f5db");
    assert_string_equal(head.group_name, "WIN-ERRDJSBDAVF-Dg0");
    assert_int_equal(head.public_start, 65570);
    assert_int_equal(head.public_size, 36797);
    assert_int_equal(head.private_start, 34);
    assert_int_equal(head.private_size, 2048);
    assert_int_equal(ldm_toc_parse(span_of(s->region + LDM_FIXTURE_TOC_2, 512), &head, &toc),
                     ST_OK);
    assert_int_equal(toc.sequence, 1);
    assert_int_equal(toc.config.start, 17);
    assert_int_equal(toc.config.size, 1481);
    assert_int_equal(parse_header(s, &vmdb), ST_OK);
    assert_int_equal(vmdb.slot_count, 5924);
    assert_int_equal(vmdb.first_slot, 4);
    assert_int_equal(vmdb.update, LDM_UPDATE_CLEAN);
    assert_int_equal(vmdb.committed, 39);
    assert_int_equal(vmdb.pending, 39);
    assert_int_equal(vmdb.counts[LDM_PARTITIONS], 12);
}

static const struct {
    uint64_t id;
    const char *name;
    const char *guid;
    enum ldm_shape shape;
    uint64_t size;
    const char *hint;
} windows_volumes[] = {
    {4, "Volume1", "06495a8d-fbfd-11e1-8cf9-52540061f5db", LDM_SHAPE_SPANNED, 129024, "E:"},
    {10, "Volume2", "06495a9c-fbfd-11e1-8cf9-52540061f5db", LDM_SHAPE_STRIPED, 65536, "F:"},
    {16, "Volume3", "06495aab-fbfd-11e1-8cf9-52540061f5db", LDM_SHAPE_MIRROR, 32768, "G:"},
    {24, "Volume4", "06495ac0-fbfd-11e1-8cf9-52540061f5db", LDM_SHAPE_RAID5, 65536, "H:"},
    {29, "Volume5", "06495ac6-fbfd-11e1-8cf9-52540061f5db", LDM_SHAPE_SPANNED, 190464, "I:"},
};

static const struct {
    uint64_t id, component, disk, start, offset, size, column;
} windows_partitions[] = {
    {6, 5, 2, 65, 0, 96256, 0},          {7, 5, 3, 94, 96256, 32768, 0},
    {12, 11, 8, 65, 0, 32768, 0},        {13, 11, 9, 94, 0, 32768, 1},
    {18, 17, 14, 65, 0, 32768, 0},       {20, 19, 15, 94, 0, 32768, 0},
    {26, 25, 21, 65, 0, 32768, 0},       {27, 25, 22, 94, 0, 32768, 1},
    {28, 25, 23, 94, 0, 32768, 2},       {31, 30, 21, 32833, 0, 63488, 0},
    {32, 30, 8, 32833, 63488, 63488, 0}, {33, 30, 14, 32833, 126976, 63488, 0},
};

static void windows_database_gives_every_object(void **state)
{
    struct state *s = need_image(state);
    struct ldm_database db;

    assert_int_equal(parse(s, &db), ST_OK);
    assert_true(db.clean);
    assert_false(db.extended);
    assert_int_equal(db.volume_count, 5);
    assert_int_equal(db.component_count, 6);
    assert_int_equal(db.partition_count, 12);
    assert_int_equal(db.disk_count, 9);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(db.volumes[i].id, windows_volumes[i].id);
        assert_string_equal(db.volumes[i].name, windows_volumes[i].name);
        assert_guid(&db.volumes[i].guid, windows_volumes[i].guid);
        assert_int_equal(db.volumes[i].shape, windows_volumes[i].shape);
        assert_int_equal(db.volumes[i].size, windows_volumes[i].size);
        assert_string_equal(db.volumes[i].drive_hint, windows_volumes[i].hint);
        assert_string_equal(db.volumes[i].state, "ACTIVE");
        assert_int_equal(db.volumes[i].number, i + 1);
        assert_int_equal(db.volumes[i].flags, 0x11);
    }
    for (size_t i = 0; i < 12; i++) {
        const struct ldm_partition *partition = &db.partitions[i];
        assert_int_equal(partition->id, windows_partitions[i].id);
        assert_int_equal(partition->component_id, windows_partitions[i].component);
        assert_int_equal(partition->disk_id, windows_partitions[i].disk);
        assert_int_equal(partition->start, windows_partitions[i].start);
        assert_int_equal(partition->offset, windows_partitions[i].offset);
        assert_int_equal(partition->size, windows_partitions[i].size);
        assert_int_equal(partition->column, windows_partitions[i].column);
        assert_int_equal(partition->flags, 0);
    }
    assert_int_equal(db.components[1].layout, LDM_STRIPED);
    assert_int_equal(db.components[1].stripe_size, 128);
    assert_int_equal(db.components[1].columns, 2);
    assert_int_equal(db.components[4].layout, LDM_RAID5);
    assert_int_equal(db.components[4].columns, 3);
    assert_string_equal(db.disks[5].name, "Disk6");
    assert_guid(&db.disks[5].guid, "06495aa7-fbfd-11e1-8cf9-52540061f5db");
}

static void windows_database_has_the_known_digest(void **state)
{
    static const uint8_t expected[32] = {
        0x59, 0x25, 0x85, 0x8a, 0x69, 0x70, 0x80, 0x3e, 0x22, 0xf8, 0x48,
        0x40, 0xf4, 0x90, 0x24, 0x08, 0x8a, 0x92, 0x9c, 0x48, 0x7e, 0x2c,
        0xf8, 0x03, 0x22, 0x4c, 0xc7, 0x59, 0xe1, 0x67, 0xf2, 0x31,
    };
    struct state *s = need_image(state);
    struct ldm_database db;

    assert_int_equal(parse(s, &db), ST_OK);
    assert_memory_equal(db.header.digest.bytes, expected, 32);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(privhead_gives_identity_and_places),
        CASE(privhead_with_a_bad_field_is_refused),
        CASE(privhead_with_wrong_checksum_is_damaged),
        CASE(privhead_of_version_2_11_is_read),
        CASE(private_region_may_touch_the_public_one_and_the_end),
        CASE(regions_that_overlap_are_told),
        CASE(private_region_above_the_limit_is_unsupported),
        CASE(group_name_is_made_printable),
        CASE(tocblock_gives_the_config_region),
        CASE(tocblock_without_a_log_has_none),
        CASE(tocblock_with_a_bad_field_is_refused),
        CASE(tocblock_with_wrong_checksum_is_damaged),
        CASE(tocblock_with_two_regions_of_a_name_is_damaged),
        CASE(config_region_is_found_by_name),
        CASE(vmdb_with_a_bad_field_is_refused),
        CASE(pending_transaction_before_the_committed_one_is_damaged),
        CASE(vmdb_shorter_than_its_fields_is_absent),
        CASE(mirror_is_read),
        CASE(scratch_of_twice_the_region_is_enough),
        CASE(long_record_in_several_slots_is_read),
        CASE(fragments_and_records_may_stand_in_any_order),
        CASE(front_ends_with_the_last_record_that_is_counted),
        CASE(front_of_an_unsettled_database_is_all_of_it),
        CASE(missing_fragment_is_damaged),
        CASE(repeated_fragment_is_damaged),
        CASE(two_first_fragments_are_damaged),
        CASE(fragments_that_disagree_on_their_number_are_damaged),
        CASE(record_has_16_fragments_at_most),
        CASE(broken_record_makes_the_database_refused),
        CASE(component_of_a_missing_volume_is_damaged),
        CASE(component_of_a_disk_is_damaged),
        CASE(partition_of_a_volume_is_damaged),
        CASE(partition_on_a_component_is_damaged),
        CASE(component_with_fewer_partitions_than_it_says_is_damaged),
        CASE(partitions_that_overlap_are_damaged),
        CASE(partition_end_that_wraps_is_damaged),
        CASE(mirror_with_both_plexes_on_one_disk_is_no_mirror),
        CASE(plex_that_does_not_add_up_makes_no_mirror),
        CASE(single_plexes_have_the_shape_of_their_layout),
        CASE(striped_component_without_columns_is_damaged),
        CASE(counts_that_differ_are_damaged),
        CASE(bytes_behind_the_known_fields_are_noted),
        CASE(too_little_memory_is_reported),
        CASE(change_not_yet_decided_counts_as_not_done),
        CASE(decided_change_counts_as_done),
        CASE(two_active_records_of_one_object_are_damaged),
        CASE(arriving_record_may_be_incomplete_until_decided),
        CASE(leftover_of_a_removed_record_counts_only_until_decided),
        CASE(rename_leaves_the_volume_where_it_is),
        CASE(change_of_place_makes_the_object_uncertain),
        CASE(arriving_record_alone_is_uncertain),
        CASE(record_of_a_later_transaction_is_damaged),
        CASE(record_is_of_the_transaction_of_its_side_at_the_latest),
        CASE(empty_log_has_two_pages),
        CASE(log_entries_are_read_to_the_first_free_one),
        CASE(log_gives_the_latest_commit_of_all_entries),
        CASE(log_with_a_bad_field_is_refused),
        CASE(log_that_is_cut_off_is_damaged),
        CASE(windows_disk_leads_to_its_database),
        CASE(windows_database_gives_every_object),
        CASE(windows_database_has_the_known_digest),
    };

    return cmocka_run_group_tests(tests, unpack_image, forget_image);
}
