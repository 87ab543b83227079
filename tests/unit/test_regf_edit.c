/* Changing registry hives and making new ones: single changes to byte-made hives, and random ones
 * compared with a model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "format/regf/regf.h"
#include "format/regf/regf_edit.h"
#include "format/regf/regf_make.h"
#include "format/regf/regf_verify.h"
#include "unit/bytes_fixture.h"
#include "unit/hive_fixture.h"
#include "unit/hive_model_fixture.h"
#include "unit/shared_fixture.h"
#include "unit/skip_fixture.h"

#define NOW      0x01dc123456789abcu
#define ROOM_MAX 0x20000u

static struct hive_sample sample;
static struct regf_edit edit;
static struct arena arena;
static uint8_t *buffer; /* of just the capacity */

static void close_edit(void)
{
    free(buffer);
    buffer = NULL;
}

/* Opens a copy of the sample in a buffer with `room` bytes more than it has. */
static void open_sample(size_t room)
{
    close_edit();
    arena = fixture_scratch();
    buffer = malloc(sample.file.size + room);
    assert_non_null(buffer);
    memcpy(buffer, sample.file.at, sample.file.size);
    assert_int_equal(
        regf_edit_open(&arena, buffer, sample.file.size, sample.file.size + room, NOW, &edit),
        ST_OK);
}

static void start(const char *kind, size_t room)
{
    hive_make_sample(&sample, 3, kind);
    open_sample(room);
}

static struct regf_report verify(void)
{
    struct regf_report report;

    assert_int_equal(regf_verify(&arena, &edit.hive, &report), ST_OK);
    assert_string_equal(regf_problem_text(report.damage.problem), "nothing is wrong");
    assert_string_equal(regf_problem_text(report.untidy.problem), "nothing is wrong");
    return report;
}

static uint32_t create(uint32_t parent, const char *name)
{
    uint32_t key = 0;

    assert_int_equal(regf_create_key(&edit, parent, regf_name_of(name), &key), ST_OK);
    return key;
}

static enum status set(uint32_t key, const char *name, const void *data, size_t size)
{
    return regf_set_value(&edit, key, regf_name_of(name), 3, span_of(data, size));
}

static struct regf_key read_key(uint32_t cell)
{
    struct regf_key key;

    assert_int_equal(regf_read_key(&edit.hive, cell, &key), ST_OK);
    return key;
}

static struct regf_value read_value(uint32_t key, const char *name)
{
    struct regf_value value;

    assert_int_equal(regf_find_value(&edit.hive, key, regf_name_of(name), &value), ST_OK);
    return value;
}

static void assert_data(uint32_t key, const char *name, const void *data, size_t size)
{
    struct regf_value value = read_value(key, name);
    struct span found;

    assert_int_equal(regf_value_data(&edit.hive, &value, &found), ST_OK);
    assert_int_equal(found.size, size);
    if (size > 0)
        assert_memory_equal(found.at, data, size);
}

/* A 32-bit number of a cell's content. */
static uint32_t field(uint32_t cell, size_t at)
{
    return ld_le32(buffer + 0x1000 + cell + 4 + at);
}

static void assert_name(uint32_t key, const char *name)
{
    struct regf_key found = read_key(key);

    assert_int_equal(found.name.bytes.size, strlen(name));
    assert_memory_equal(found.name.bytes.at, name, strlen(name));
}

/* --- Keys --------------------------------------------------------------------------------------*/

static void new_key_is_what_the_format_asks_for(void **state)
{
    (void)state;
    start("lf", 0);
    uint32_t cell = create(sample.apple, "{4bd4b7f1-9cb2-11e9-8d5c-525400a1b2c3}");
    struct regf_key key = read_key(cell);
    assert_int_equal(key.flags, 0x20);
    assert_int_equal(key.parent, sample.apple);
    assert_int_equal(key.written, NOW);
    assert_int_equal(key.security, sample.security);
    assert_int_equal(key.subkey_count, 0);
    assert_int_equal(key.value_count, 0);
    assert_int_equal(key.subkey_list, HIVE_NIL);
    assert_int_equal(key.value_list, HIVE_NIL);
    assert_int_equal(key.class_name, HIVE_NIL);
    assert_int_equal(field(cell, 32), HIVE_NIL);
    /* 76 bytes, 38 of the name and 4 of its size are 118, in whole units of 8. */
    assert_int_equal((int32_t)field(cell, 0 - (size_t)4), -120);
    assert_int_equal(field(sample.security, 12), 9);
    assert_int_equal(read_key(sample.apple).written, NOW);
    assert_int_equal(read_key(sample.root).written, HIVE_TIME);
    assert_int_equal(verify().key_count, 10);
    close_edit();
}

static void keys_are_entered_in_their_order(void **state)
{
    static const char *const kinds[] = {"lf", "lh", "li", "ri"};
    static const char *const names[] = {"PIP3x", "zz", "0", "pip11", "pip", "p_", "PIPA"};
    static const char *const sorted[] = {"0",     "pip",  "pip1", "pip11", "pip2", "pip3",
                                         "PIP3x", "pip4", "pip5", "PIPA",  "p_",   "zz"};

    (void)state;
    for (size_t kind = 0; kind < 4; kind++) {
        start(kinds[kind], 0);
        for (size_t i = 0; i < 7; i++) {
            (void)create(sample.apple, names[i]);
            (void)verify();
        }
        for (uint32_t i = 0; i < 12; i++) {
            uint32_t key;
            assert_int_equal(regf_subkey_at(&edit.hive, sample.apple, i, &key), ST_OK);
            assert_name(key, sorted[i]);
        }
        /* The lists have stayed what they were. */
        uint32_t list = read_key(sample.apple).subkey_list;
        assert_memory_equal(buffer + 0x1000 + list + 4, kinds[kind], 2);
    }
    close_edit();
}

static void first_list_of_a_key_is_of_the_kind_around_it(void **state)
{
    static const char *const kinds[] = {"lf", "lh", "li"};

    (void)state;
    for (size_t kind = 0; kind < 3; kind++) {
        start(kinds[kind], 0);
        (void)create(sample.pips[1], "below");
        uint32_t list = read_key(sample.pips[1]).subkey_list;
        assert_memory_equal(buffer + 0x1000 + list + 4, kinds[kind], 2);
        assert_int_equal(field(sample.pips[1], 52) & 0xffff, 10);
        (void)verify();
    }
    close_edit();
}

static void names_that_are_there_or_not_allowed_are_refused(void **state)
{
    static char long_name[257];
    static const uint8_t wide[] = {'P', 0, 'i', 0, 'p', 0, '1', 0};
    const struct regf_name there = {span_of(wide, sizeof(wide)), true};
    uint32_t key;

    (void)state;
    start("lf", 0);
    memset(long_name, 'n', 256);
    assert_int_equal(regf_create_key(&edit, sample.apple, there, &key), ST_EXISTS);
    assert_int_equal(regf_create_key(&edit, sample.apple, regf_name_of(""), &key), ST_USAGE);
    assert_int_equal(regf_create_key(&edit, sample.apple, regf_name_of("a\\b"), &key), ST_USAGE);
    assert_int_equal(regf_create_key(&edit, sample.apple, regf_name_of(long_name), &key), ST_USAGE);
    assert_int_equal(regf_create_key(&edit, sample.list, regf_name_of("x"), &key), ST_DAMAGED);
    assert_memory_equal(buffer, sample.file.at, sample.file.size);
    long_name[255] = 0;
    (void)create(sample.apple, long_name);
    (void)verify();
    close_edit();
}

static void wide_names_are_stored_narrow_where_they_can(void **state)
{
    static const uint8_t narrow[] = {'B', 0, 0xe4, 0, 'x', 0};
    static const uint8_t wide[] = {'B', 0, 0x91, 3};
    uint32_t key;

    (void)state;
    start("lf", 0);
    struct regf_name name = {span_of(narrow, sizeof(narrow)), true};
    assert_int_equal(regf_create_key(&edit, sample.root, name, &key), ST_OK);
    assert_name(key, "B\xe4x");
    name = (struct regf_name){span_of(wide, sizeof(wide)), true};
    assert_int_equal(regf_create_key(&edit, sample.root, name, &key), ST_OK);
    assert_true(read_key(key).name.wide);
    (void)verify();
    close_edit();
}

static void tree_has_a_deepest_key(void **state)
{
    uint32_t key;
    uint32_t made;

    (void)state;
    start("lf", ROOM_MAX);
    key = sample.root;
    for (int depth = 2; depth <= 64; depth++)
        key = create(key, "deep");
    (void)verify();
    assert_int_equal(regf_create_key(&edit, key, regf_name_of("deep"), &made), ST_UNSUPPORTED);
    assert_int_equal(regf_delete_key(&edit, read_key(key).parent), ST_OK);
    (void)verify();
    close_edit();
}

static void list_does_not_grow_without_end(void **state)
{
    uint32_t made;

    (void)state;
    start("lf", ROOM_MAX);
    for (int i = 0; i < 507; i++) {
        char name[] = {'n', (char)('0' + i / 100), (char)('0' + i / 10 % 10), (char)('0' + i % 10),
                       0};
        (void)create(sample.bear, name);
    }
    assert_int_equal(regf_create_key(&edit, sample.bear, regf_name_of("x"), &made), ST_UNSUPPORTED);
    assert_int_equal(verify().key_count, 9 + 507);
    assert_int_equal(regf_delete_key(&edit, sample.bear), ST_OK);
    assert_int_equal(verify().key_count, 8);
    close_edit();
}

static void deleting_a_key_frees_all_of_it(void **state)
{
    (void)state;
    start("ri", 0);
    struct regf_report before = verify();
    assert_int_equal(regf_delete_key(&edit, sample.root), ST_REFUSED);
    assert_int_equal(regf_delete_key(&edit, sample.apple), ST_OK);
    struct regf_report report = verify();
    /* 6 keys, 4 values, 2 cells of data, a list of values, 3 lists of subkeys. */
    assert_int_equal(before.cell_count - report.cell_count, 6 + 4 + 2 + 1 + 3);
    assert_int_equal(report.key_count, 3);
    struct regf_key gone;
    assert_int_equal(regf_read_key(&edit.hive, sample.apple, &gone), ST_DAMAGED);
    assert_int_equal(field(sample.security, 12), 2);
    assert_int_equal(read_key(sample.root).written, NOW);
    assert_int_equal(read_key(sample.root).subkey_count, 2);
    uint32_t key;
    assert_int_equal(regf_subkey_at(&edit.hive, sample.root, 0, &key), ST_OK);
    assert_int_equal(key, sample.bear);
    /* The second bin is one free cell. */
    assert_int_equal(ld_le32(buffer + 0x2000 + 32), 0x1000 - 32);
    close_edit();
}

static void security_that_nobody_uses_goes(void **state)
{
    (void)state;
    start("lf", 0);
    assert_int_equal(regf_delete_key(&edit, sample.bear), ST_OK);
    (void)verify();
    assert_int_equal(field(sample.security, 4), sample.security);
    assert_int_equal(field(sample.security, 8), sample.security);
    close_edit();
}

static void last_subkey_takes_the_list_along(void **state)
{
    static const char *const kinds[] = {"lf", "ri"};

    (void)state;
    for (size_t kind = 0; kind < 2; kind++) {
        start(kinds[kind], 0);
        for (size_t i = 0; i < 5; i++) {
            assert_int_equal(regf_delete_key(&edit, sample.pips[i]), ST_OK);
            (void)verify();
        }
        assert_int_equal(read_key(sample.apple).subkey_list, HIVE_NIL);
        assert_int_equal(read_key(sample.apple).subkey_count, 0);
        (void)create(sample.apple, "again");
        (void)verify();
    }
    close_edit();
}

/* --- Values ------------------------------------------------------------------------------------*/

static void value_of_the_same_size_stays_where_it_is(void **state)
{
    (void)state;
    start("lf", 0);
    assert_int_equal(set(sample.apple, "BLOB", "ABCDEFGHI", 9), ST_OK);
    assert_data(sample.apple, "Blob", "ABCDEFGHI", 9);
    assert_int_equal(read_value(sample.apple, "Blob").data, sample.blob_data);
    /* Nothing else has changed but the key's time. */
    memcpy(hive_at(&sample.hive, sample.blob_data), "ABCDEFGHI", 9);
    fixture_store_le(hive_at(&sample.hive, sample.apple) + 4, NOW, 8);
    assert_memory_equal(buffer, sample.file.at, sample.file.size);
    close_edit();
}

static void value_changes_its_size_and_place(void **state)
{
    static uint8_t data[3000];
    static const size_t sizes[] = {10, 12, 13, 5, 4, 0, 1, 4, 5, 2500, 8, 3000, 3, 100, 0};

    (void)state;
    start("lf", 0);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        memset(data, (int)(i + 1), sizeof(data));
        assert_int_equal(set(sample.apple, "Blob", data, sizes[i]), ST_OK);
        assert_data(sample.apple, "Blob", data, sizes[i]);
        assert_int_equal(read_value(sample.apple, "Blob").resident, sizes[i] <= 4);
        (void)verify();
        assert_true(field(sample.apple, 64) >= sizes[i]);
    }
    /* "longest" is never lowered. */
    assert_int_equal(field(sample.apple, 64), 3000);
    close_edit();
}

static void data_that_shrinks_leaves_nothing_behind(void **state)
{
    (void)state;
    start("lf", 0);
    assert_int_equal(set(sample.apple, "Blob", "fives", 5), ST_OK);
    assert_int_equal(read_value(sample.apple, "Blob").data, sample.blob_data);
    assert_memory_equal(buffer + 0x1000 + sample.blob_data + 4, "fives\0\0\0\0", 9);
    assert_int_equal(set(sample.apple, "Number", "\1", 1), ST_OK);
    assert_int_equal(field(sample.number, 4), 0x80000001);
    assert_int_equal(field(sample.number, 8), 1);
    close_edit();
}

static void new_values_are_added_behind(void **state)
{
    static const char *const names[] = {"x", "Element", "y", "z with a longer name", "w"};
    struct regf_value value;

    (void)state;
    start("lf", 0);
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(set(sample.apple, names[i], names[i], strlen(names[i])), ST_OK);
        assert_int_equal(regf_value_at(&edit.hive, sample.apple, 4 + i, &value), ST_OK);
        assert_int_equal(value.name.bytes.size, strlen(names[i]));
        assert_int_equal(value.type, 3);
        assert_data(sample.apple, names[i], names[i], strlen(names[i]));
        (void)verify();
    }
    assert_int_equal(field(sample.apple, 60), 40);
    assert_int_equal(set(sample.bear, "", "first", 5), ST_OK);
    assert_data(sample.bear, "", "first", 5);
    assert_int_equal(verify().value_count, 10);
    close_edit();
}

static void values_are_deleted_from_any_place(void **state)
{
    static const char *const order[][4] = {{"", "number", "blob", "empty"},
                                           {"EMPTY", "BLOB", "", "NUMBER"}};

    (void)state;
    for (size_t k = 0; k < 2; k++) {
        start("lf", 0);
        for (uint32_t i = 0; i < 4; i++) {
            const struct regf_name name = regf_name_of(order[k][i]);
            assert_int_equal(regf_delete_value(&edit, sample.apple, name), ST_OK);
            assert_int_equal(regf_delete_value(&edit, sample.apple, name), ST_ABSENT);
            assert_int_equal(verify().value_count, 3 - i);
            assert_int_equal(read_key(sample.apple).value_count, 3 - i);
        }
        assert_int_equal(read_key(sample.apple).value_list, HIVE_NIL);
        assert_int_equal(read_key(sample.apple).written, NOW);
    }
    close_edit();
}

static void names_and_data_of_the_hive_itself_can_be_given(void **state)
{
    struct span data;

    (void)state;
    start("lf", 0);
    struct regf_value value = read_value(sample.apple, "");
    assert_int_equal(regf_value_data(&edit.hive, &value, &data), ST_OK);
    assert_int_equal(set(sample.apple, "Number", data.at, data.size), ST_OK);
    assert_int_equal(set(sample.apple, "", data.at + 2, 6), ST_OK);
    assert_data(sample.apple, "Number", "o\0n\0e\0\0", 8);
    assert_data(sample.apple, "", "n\0e\0\0", 6);
    value = read_value(sample.apple, "");
    assert_int_equal(regf_value_data(&edit.hive, &value, &data), ST_OK);
    assert_int_equal(set(sample.apple, "", data.at, 2), ST_OK);
    assert_data(sample.apple, "", "n\0", 2);
    /* A key and a value named as others are, which then go. */
    struct regf_name name = read_key(sample.apple).name;
    uint32_t key;
    assert_int_equal(regf_create_key(&edit, sample.bear, name, &key), ST_OK);
    assert_name(key, "apple");
    name = read_value(sample.apple, "Number").name;
    assert_int_equal(regf_set_value(&edit, key, name, 3, span_of("12345", 5)), ST_OK);
    assert_int_equal(regf_delete_value(&edit, sample.apple, name), ST_OK);
    assert_data(key, "Number", "12345", 5);
    (void)verify();
    close_edit();
}

static void big_data_is_not_written(void **state)
{
    static uint8_t data[16345];

    (void)state;
    for (uint32_t minor = 3; minor <= 6; minor++) {
        hive_make_sample(&sample, minor, "lf");
        open_sample(ROOM_MAX);
        assert_int_equal(set(sample.apple, "Blob", data, 16344), ST_OK);
        assert_int_equal(set(sample.apple, "Blob", data, 16345),
                         minor == 3 ? ST_OK : ST_UNSUPPORTED);
        (void)verify();
    }
    close_edit();
}

/* The sample in version 1.4, with 16444 bytes in two segments as Blob. */
static void make_big_sample(void)
{
    struct hive_fixture *hive = &sample.hive;
    uint8_t big[8] = {'d', 'b', 2};
    uint8_t list[8];

    hive_make_sample(&sample, 4, "lf");
    for (uint32_t i = 0; i < 2; i++) {
        hive_next_bin(hive);
        fixture_store_le(list + 4 * i, hive_cell(hive, NULL, i == 0 ? 16344 : 100), 4);
    }
    fixture_store_le(big + 4, hive_cell(hive, list, 8), 4);
    memcpy(hive_at(hive, sample.blob_data), big, 8);
    fixture_store_le(hive_at(hive, sample.blob) + 4, 16344 + 100, 4);
    fixture_store_le(hive_at(hive, sample.apple) + 64, 16344 + 100, 4);
    sample.file = hive_finish(hive, sample.root);
}

static void big_data_is_replaced_and_freed(void **state)
{
    (void)state;
    make_big_sample();
    open_sample(0);
    uint32_t cells = verify().cell_count;
    assert_int_equal(set(sample.apple, "Blob", "small", 5), ST_OK);
    assert_data(sample.apple, "Blob", "small", 5);
    assert_int_equal(cells - verify().cell_count, 3);
    close_edit();
}

/* --- Room --------------------------------------------------------------------------------------*/

static void free_cells_are_joined_and_used_again(void **state)
{
    (void)state;
    start("lf", 0);
    uint32_t free_bytes = verify().free_bytes;
    uint32_t first = create(sample.bear, "a");
    assert_int_equal(set(first, "value", "some data", 9), ST_OK);
    (void)create(first, "b");
    assert_int_equal(regf_delete_key(&edit, first), ST_OK);
    assert_int_equal(verify().free_bytes, free_bytes);
    assert_int_equal(create(sample.bear, "a"), first);
    close_edit();
}

static void smallest_free_cell_that_does_is_taken(void **state)
{
    (void)state;
    start("lf", 0);
    /* Of the two bins' ends and one of 24 bytes a value without a name takes just that. */
    assert_int_equal(set(sample.bear, "", "four", 4), ST_OK);
    assert_int_equal(read_value(sample.bear, "").cell, sample.bear - 24);
    (void)verify();
    /* What Blob leaves in the second bin does for another of its name; the first has more. */
    assert_int_equal(regf_delete_value(&edit, sample.apple, regf_name_of("Blob")), ST_OK);
    assert_int_equal(set(sample.bear, "Blob", "four", 4), ST_OK);
    assert_int_equal(read_value(sample.bear, "Blob").cell, sample.blob_data);
    (void)verify();
    close_edit();
}

static void bin_is_added_when_there_is_no_room(void **state)
{
    static uint8_t data[5000];

    (void)state;
    start("lf", 0x2000);
    memset(data, 0xee, sizeof(data));
    size_t size = sample.file.size;
    assert_int_equal(set(sample.apple, "Blob", data, 4091), ST_OK);
    (void)verify();
    /* 32 of the bin's header, 4 of the cell's size and 4091 do not fit 4096. */
    assert_int_equal(edit.hive.bins.size, size - 0x1000 + 0x2000);
    uint8_t *bin = buffer + size;
    assert_memory_equal(bin, "hbin", 4);
    assert_int_equal(ld_le32(bin + 4), size - 0x1000);
    assert_int_equal(ld_le32(bin + 8), 0x2000);
    assert_true(span_is_zero(span_of(bin + 12, 20)));
    assert_int_equal(regf_edit_finish(&edit).size, size + 0x2000);
    assert_int_equal(regf_check(span_of(buffer, size + 0x2000)), REGF_GOOD);
    assert_data(sample.apple, "Blob", data, 4091);
    close_edit();
}

static void change_without_room_changes_nothing(void **state)
{
    static uint8_t data[5000];
    uint32_t key;

    (void)state;
    for (size_t room = 0; room < 0x2000; room += 0xfff) {
        start("lf", room);
        assert_int_equal(set(sample.apple, "Blob", data, 4100), ST_NO_SPACE);
        assert_int_equal(set(sample.apple, "New", data, 4100), ST_NO_SPACE);
        assert_memory_equal(buffer, sample.file.at, sample.file.size);
    }
    /* Fill it to the last byte: then the key may have room and the list not, and so on. */
    start("lf", 0);
    uint8_t *before = malloc(sample.file.size);
    assert_non_null(before);
    enum status status = ST_OK;
    int failures = 0;
    for (char name[] = "aaa"; name[0] <= 'z'; name[2]++) {
        if (name[2] > 'z') {
            name[2] = 'a';
            name[1]++;
        }
        if (name[1] > 'z')
            break;
        memcpy(before, buffer, sample.file.size);
        status = regf_create_key(&edit, sample.bear, regf_name_of(name), &key);
        if (status == ST_OK)
            status = set(key, "Element", data, (size_t)(name[2] - 'a'));
        else
            assert_memory_equal(buffer, before, sample.file.size);
        failures += status == ST_NO_SPACE;
        (void)verify();
    }
    assert_true(failures > 100);
    free(before);
    close_edit();
}

static void bin_that_was_added_in_vain_goes_again(void **state)
{
    static const uint8_t data[4060];
    char name[] = "a";

    (void)state;
    start("lf", 0);
    for (size_t size = 2048; size >= 5; size /= 2) {
        while (set(sample.bear, name, data, size) == ST_OK)
            name[0]++;
    }
    while (set(sample.bear, name, data, 0) == ST_OK)
        name[0]++;
    struct span full = regf_edit_finish(&edit);
    assert_int_equal(full.size, sample.file.size);
    memcpy(sample.hive.file, full.at, full.size);
    open_sample(0x1000);
    /* The value's cell gets a new bin; its data would need one more. */
    assert_int_equal(set(sample.bear, name, data, sizeof(data)), ST_NO_SPACE);
    assert_int_equal(edit.hive.bins.size, sample.file.size - 0x1000);
    assert_memory_equal(buffer, sample.hive.file, sample.file.size);
    assert_int_equal(set(sample.bear, name, data, 5), ST_OK);
    assert_int_equal(edit.hive.bins.size, sample.file.size);
    (void)verify();
    close_edit();
}

/* Room that is freed in a full hive is just what the same value needs. */
static void what_is_freed_in_a_full_hive_is_used_again(void **state)
{
    static const uint8_t data[2048];
    char name[] = "a";
    size_t of_a = 0;

    (void)state;
    start("lf", 0);
    for (size_t size = sizeof(data); size >= 5; size /= 2) {
        while (set(sample.bear, name, data, size) == ST_OK) {
            of_a = name[0] == 'a' ? size : of_a;
            name[0]++;
        }
    }
    assert_true(of_a > 0);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(regf_delete_value(&edit, sample.bear, regf_name_of("a")), ST_OK);
        assert_int_equal(set(sample.bear, "a", data, of_a), ST_OK);
    }
    assert_int_equal(edit.hive.bins.size, sample.file.size - 0x1000);
    (void)verify();
    close_edit();
}

/* Bytes of the largest free cell. */
static size_t largest_free(void)
{
    size_t largest = 0;

    for (size_t bin = 0x1000; bin < sample.file.size; bin += ld_le32(buffer + bin + 8)) {
        size_t end = bin + ld_le32(buffer + bin + 8);
        for (size_t at = bin + 32; at < end;) {
            int32_t size = (int32_t)ld_le32(buffer + at);
            if (size > 0 && (size_t)size > largest)
                largest = (size_t)size;
            at += (size_t)(size < 0 ? -size : size);
        }
    }
    return largest;
}

/* Also where it is known how large the largest is, since a larger one was looked for. */
static void largest_free_cell_is_used_to_its_last_byte(void **state)
{
    static const uint8_t data[0x1000] = {1};

    (void)state;
    start("lf", 0);
    size_t largest = largest_free();
    assert_in_range(largest, 100, sizeof(data));
    assert_int_equal(set(sample.apple, "Blob", data, largest - 3), ST_NO_SPACE);
    assert_int_equal(set(sample.apple, "Blob", data, largest - 4), ST_OK);
    assert_true(largest_free() < largest);
    (void)verify();
    close_edit();
}

/* --- Beginning and end -------------------------------------------------------------------------*/

static void only_sound_hives_are_changed(void **state)
{
    struct arena scratch = fixture_scratch();
    struct regf_edit other;

    (void)state;
    hive_make_sample(&sample, 3, "lf");
    uint8_t *file = sample.hive.file;
    size_t size = sample.file.size;
    assert_int_equal(regf_edit_open(&scratch, file, size, size - 1, NOW, &other), ST_TOO_SMALL);
    fixture_store_le(hive_at(&sample.hive, sample.security) + 12, 9, 4);
    assert_int_equal(regf_edit_open(&scratch, file, size, size, NOW, &other), ST_DAMAGED);
    fixture_store_le(hive_at(&sample.hive, sample.security) + 12, 8, 4);
    fixture_store_le(file + 4, 8, 4);
    hive_sign(file);
    assert_int_equal(regf_edit_open(&scratch, file, size, size, NOW, &other), ST_REFUSED);
    assert_int_equal(scratch.used, 0);
    fixture_store_le(file + 8, 8, 4);
    hive_sign(file);
    scratch = fixture_scratch_of(0x1000);
    assert_int_equal(regf_edit_open(&scratch, file, size, size, NOW, &other), ST_NO_MEMORY);
    /* Untidiness is no reason: too small a "longest data". */
    fixture_store_le(hive_at(&sample.hive, sample.apple) + 64, 1, 4);
    scratch = fixture_scratch();
    assert_int_equal(regf_edit_open(&scratch, file, size, size, NOW, &other), ST_OK);
}

static void end_makes_a_clean_file_that_no_older_log_fits(void **state)
{
    (void)state;
    start("lf", 0);
    assert_int_equal(set(sample.apple, "x", "data", 4), ST_OK);
    struct span file = regf_edit_finish(&edit);
    assert_ptr_equal(file.at, buffer);
    assert_int_equal(file.size, sample.file.size);
    assert_int_equal(regf_check(file), REGF_GOOD);
    assert_int_equal(ld_le32(buffer + 4), 8);
    assert_int_equal(ld_le32(buffer + 8), 8);
    assert_int_equal(ld_le64(buffer + 12), NOW);
    assert_int_equal(ld_le64(buffer + 0x1000 + 20), NOW);
    /* The rest of the base block is as it was. */
    assert_memory_equal(buffer + 20, sample.file.at + 20, 508 - 20);
    assert_memory_equal(buffer + 512, sample.file.at + 512, 4096 - 512);
    hive_sign(sample.hive.file);
    close_edit();
}

/* --- A hive from nothing -----------------------------------------------------------------------*/

static const uint8_t descriptor[20] = {1, 0, 0, 0x80};

static void new_hive_is_whole_and_can_be_changed(void **state)
{
    uint8_t *bytes = malloc(8192);
    struct span file;

    (void)state;
    assert_non_null(bytes);
    memset(bytes, 0xcc, 8192);
    assert_int_equal(regf_make(bytes, 8192, regf_name_of("NewStoreRoot"),
                               span_of(descriptor, sizeof(descriptor)), NOW, &file),
                     ST_OK);
    assert_int_equal(file.size, 8192);
    assert_int_equal(regf_check(file), REGF_GOOD);
    assert_int_equal(ld_le32(bytes + 24), 3);
    assert_int_equal(ld_le32(bytes + 36), 0x20);
    assert_int_equal(ld_le64(bytes + 12), NOW);
    assert_int_equal(ld_le64(bytes + 0x1000 + 20), NOW);
    arena = fixture_scratch();
    close_edit();
    buffer = bytes;
    assert_int_equal(regf_edit_open(&arena, bytes, file.size, 8192, NOW, &edit), ST_OK);
    assert_int_equal(verify().key_count, 1);
    struct regf_key root = read_key(edit.hive.root);
    assert_int_equal(root.flags, 0x2c);
    assert_memory_equal(root.name.bytes.at, "NewStoreRoot", 12);
    assert_memory_equal(bytes + 0x1000 + root.security + 4 + 20, descriptor, sizeof(descriptor));
    uint32_t objects = create(edit.hive.root, "Objects");
    (void)create(objects, "{9dea862c-5cdd-4e70-acc1-f32b344d4795}");
    assert_memory_equal(bytes + 0x1000 + read_key(objects).subkey_list + 4, "lf", 2);
    assert_int_equal(verify().key_count, 3);
    close_edit();
}

static void new_hive_needs_name_security_and_room(void **state)
{
    static uint8_t bytes[16384];
    static uint8_t security[5000];
    static char long_name[257];
    struct span sd = span_of(security, sizeof(security));
    struct span file;

    (void)state;
    memset(long_name, 'n', 256);
    assert_int_equal(regf_make(bytes, 16384, regf_name_of(""), sd, NOW, &file), ST_USAGE);
    assert_int_equal(regf_make(bytes, 16384, regf_name_of(long_name), sd, NOW, &file), ST_USAGE);
    assert_int_equal(regf_make(bytes, 16384, regf_name_of("x"), span_of(NULL, 0), NOW, &file),
                     ST_USAGE);
    assert_int_equal(regf_make(bytes, 12287, regf_name_of("x"), sd, NOW, &file), ST_TOO_SMALL);
    assert_true(span_is_zero(span_of(bytes, sizeof(bytes))));
    assert_int_equal(regf_make(bytes, 12288, regf_name_of("x"), sd, NOW, &file), ST_OK);
    assert_int_equal(file.size, 12288);
    assert_int_equal(regf_check(file), REGF_GOOD);
}

/* --- At random ---------------------------------------------------------------------------------*/

static void run_random(struct span file, uint64_t first, unsigned count, unsigned edits)
{
    struct hive_model_counts counts = {0};

    for (uint64_t seed = first; seed < first + count; seed++) {
        const char *wrong = hive_model_run(file, seed, edits, &counts);
        if (wrong != NULL)
            fail_msg("sequence %llu: %s", (unsigned long long)seed, wrong);
    }
    for (size_t i = 0; i < 5; i++)
        assert_true(counts.made[i] > 0);
    assert_true(counts.no_space > 0 && counts.grown > 0);
}

static void random_changes_are_those_of_a_model(void **state)
{
    static const char *const kinds[] = {"lf", "lh", "li", "ri"};

    (void)state;
    for (uint32_t i = 0; i < 8; i++) {
        hive_make_sample(&sample, i < 4 ? 3 : 5, kinds[i % 4]);
        run_random(sample.file, 1000 * i, 50, 60);
    }
    make_big_sample();
    run_random(sample.file, 9000, 50, 60);
}

static void random_changes_of_a_real_store_are_those_of_a_model(void **state)
{
    struct span file = shared_read("data/bcd-win10-uefi.xz");

    (void)state;
    if (file.at == NULL)
        SKIP_BECAUSE("data/bcd-win10-uefi.xz" NO_SHARED_DATA);
    run_random(file, 100000, 100, 40);
    shared_free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_key_is_what_the_format_asks_for),
        cmocka_unit_test(keys_are_entered_in_their_order),
        cmocka_unit_test(first_list_of_a_key_is_of_the_kind_around_it),
        cmocka_unit_test(names_that_are_there_or_not_allowed_are_refused),
        cmocka_unit_test(wide_names_are_stored_narrow_where_they_can),
        cmocka_unit_test(tree_has_a_deepest_key),
        cmocka_unit_test(list_does_not_grow_without_end),
        cmocka_unit_test(deleting_a_key_frees_all_of_it),
        cmocka_unit_test(security_that_nobody_uses_goes),
        cmocka_unit_test(last_subkey_takes_the_list_along),
        cmocka_unit_test(value_of_the_same_size_stays_where_it_is),
        cmocka_unit_test(value_changes_its_size_and_place),
        cmocka_unit_test(data_that_shrinks_leaves_nothing_behind),
        cmocka_unit_test(new_values_are_added_behind),
        cmocka_unit_test(values_are_deleted_from_any_place),
        cmocka_unit_test(names_and_data_of_the_hive_itself_can_be_given),
        cmocka_unit_test(big_data_is_not_written),
        cmocka_unit_test(big_data_is_replaced_and_freed),
        cmocka_unit_test(free_cells_are_joined_and_used_again),
        cmocka_unit_test(smallest_free_cell_that_does_is_taken),
        cmocka_unit_test(bin_is_added_when_there_is_no_room),
        cmocka_unit_test(change_without_room_changes_nothing),
        cmocka_unit_test(bin_that_was_added_in_vain_goes_again),
        cmocka_unit_test(what_is_freed_in_a_full_hive_is_used_again),
        cmocka_unit_test(largest_free_cell_is_used_to_its_last_byte),
        cmocka_unit_test(only_sound_hives_are_changed),
        cmocka_unit_test(end_makes_a_clean_file_that_no_older_log_fits),
        cmocka_unit_test(new_hive_is_whole_and_can_be_changed),
        cmocka_unit_test(new_hive_needs_name_security_and_room),
        cmocka_unit_test(random_changes_are_those_of_a_model),
        cmocka_unit_test(random_changes_of_a_real_store_are_those_of_a_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
