/* Reading keys and values of registry hives: byte-made ones, and the stores of real machines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wctype.h>
#include <locale.h>
#include <cmocka.h>

#include "format/regf/regf.h"
#include "format/regf/regf_read.h"
#include "unit/bytes_fixture.h"
#include "unit/hive_fixture.h"
#include "unit/shared_fixture.h"
#include "unit/skip_fixture.h"

static struct hive_sample sample;

/* Opens the hive that the sample now is, in a copy of just its size. */
static struct regf_hive open_sample(void)
{
    static struct span copy;
    static struct arena arena;
    struct regf_hive hive;

    if (copy.at != NULL)
        fixture_drop(copy);
    copy = fixture_exact(sample.file.at, sample.file.size);
    arena = fixture_scratch();
    assert_int_equal(regf_open(&arena, copy, &hive), ST_OK);
    return hive;
}

static uint32_t subkey(const struct regf_hive *hive, uint32_t key, const char *name)
{
    uint32_t found = 0;

    assert_int_equal(regf_find_subkey(hive, key, regf_name_of(name), &found), ST_OK);
    return found;
}

static void store(uint32_t cell, size_t at, uint32_t value)
{
    fixture_store_le(hive_at(&sample.hive, cell) + at, value, 4);
}

static void only_whole_clean_hives_open(void **state)
{
    struct arena arena = fixture_scratch();
    struct regf_hive hive;

    (void)state;
    hive_make_sample(&sample, 3, "lf");
    assert_int_equal(regf_open(&arena, sample.file, &hive), ST_OK);
    assert_int_equal(hive.root, sample.root);
    assert_int_equal(hive.minor, 3);
    assert_int_equal(hive.bins.size, sample.file.size - 0x1000);
    assert_int_equal(regf_open(&arena, span_of(sample.file.at, 100), &hive), ST_DAMAGED);
    fixture_store_le(sample.hive.file + 4, 8, 4);
    assert_int_equal(regf_open(&arena, sample.file, &hive), ST_DAMAGED);
    hive_sign(sample.hive.file);
    assert_int_equal(regf_open(&arena, sample.file, &hive), ST_REFUSED);
    fixture_store_le(sample.hive.file + 24, 2, 4);
    hive_sign(sample.hive.file);
    assert_int_equal(regf_open(&arena, sample.file, &hive), ST_UNSUPPORTED);
    sample.hive.file[0] = 'R';
    assert_int_equal(regf_open(&arena, sample.file, &hive), ST_ABSENT);
}

static void open_takes_little_memory_and_says_when_there_is_none(void **state)
{
    struct regf_hive hive;

    (void)state;
    hive_make_sample(&sample, 3, "lf");
    size_t need = (sample.file.size - 0x1000) / 64;
    struct arena arena = fixture_scratch_of(need - 1);
    assert_int_equal(regf_open(&arena, sample.file, &hive), ST_NO_MEMORY);
    arena = fixture_scratch_of(need + 16);
    assert_int_equal(regf_open(&arena, sample.file, &hive), ST_OK);
    sample.hive.file[0x1000] = 0;
    arena = fixture_scratch();
    assert_int_equal(regf_open(&arena, sample.file, &hive), ST_DAMAGED);
    assert_int_equal(arena.used, 0);
}

static void keys_are_found_whatever_their_case(void **state)
{
    static const uint8_t small_omega[] = {0xc9, 3, 'M', 0};
    static const uint8_t wide_apple[] = {'A', 0, 'p', 0, 'P', 0, 'l', 0, 'E', 0};
    const struct regf_name omega = {span_of(small_omega, 4), true};
    const struct regf_name apple = {span_of(wide_apple, 10), true};
    uint32_t found = 0;

    (void)state;
    hive_make_sample(&sample, 3, "lf");
    struct regf_hive hive = open_sample();
    assert_int_equal(subkey(&hive, hive.root, "apple"), sample.apple);
    assert_int_equal(subkey(&hive, hive.root, "APPLE"), sample.apple);
    assert_int_equal(subkey(&hive, hive.root, "b\xc4R"), sample.bear);
    assert_int_equal(regf_find_subkey(&hive, hive.root, omega, &found), ST_OK);
    assert_int_equal(found, sample.omega);
    assert_int_equal(regf_find_subkey(&hive, hive.root, apple, &found), ST_OK);
    assert_int_equal(found, sample.apple);
    static const char *const absent[] = {"appl", "apples", "", "bar"};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(regf_find_subkey(&hive, hive.root, regf_name_of(absent[i]), &found),
                         ST_ABSENT);
    assert_int_equal(regf_find_subkey(&hive, sample.bear, regf_name_of("x"), &found), ST_ABSENT);
}

static void lists_of_all_kinds_are_read(void **state)
{
    static const char *const kinds[] = {"lf", "lh", "li", "ri"};
    uint32_t found = 0;

    (void)state;
    for (size_t kind = 0; kind < 4; kind++) {
        hive_make_sample(&sample, 5, kinds[kind]);
        struct regf_hive hive = open_sample();
        for (uint32_t i = 0; i < 5; i++) {
            char name[] = {'P', 'I', 'p', (char)('1' + i), 0};
            assert_int_equal(subkey(&hive, sample.apple, name), sample.pips[i]);
            assert_int_equal(regf_subkey_at(&hive, sample.apple, i, &found), ST_OK);
            assert_int_equal(found, sample.pips[i]);
        }
        assert_int_equal(regf_subkey_at(&hive, sample.apple, 5, &found), ST_ABSENT);
        assert_int_equal(regf_subkey_at(&hive, sample.bear, 0, &found), ST_ABSENT);
    }
}

static void key_tells_what_it_has(void **state)
{
    struct regf_key key;

    (void)state;
    hive_make_sample(&sample, 3, "lf");
    struct regf_hive hive = open_sample();
    assert_int_equal(regf_read_key(&hive, sample.apple, &key), ST_OK);
    assert_int_equal(key.parent, sample.root);
    assert_int_equal(key.subkey_count, 5);
    assert_int_equal(key.subkey_list, sample.pip_list);
    assert_int_equal(key.value_count, 4);
    assert_int_equal(key.security, sample.security);
    assert_int_equal(key.written, HIVE_TIME);
    assert_false(key.name.wide);
    assert_memory_equal(key.name.bytes.at, "apple", 5);
    assert_int_equal(regf_read_key(&hive, sample.omega, &key), ST_OK);
    assert_true(key.name.wide);
    assert_int_equal(regf_name_length(key.name), 2);
    assert_int_equal(regf_name_unit(key.name, 0), 0x3a9);
    assert_int_equal(regf_read_key(&hive, sample.bear, &key), ST_OK);
    assert_int_equal(key.class_size, 4);
    assert_int_equal(key.class_name, sample.class_name);
}

static void values_are_read(void **state)
{
    struct regf_value value;
    struct span data;
    uint8_t copy[16];

    (void)state;
    hive_make_sample(&sample, 3, "lf");
    struct regf_hive hive = open_sample();
    assert_int_equal(regf_find_value(&hive, sample.apple, regf_name_of("NUMBER"), &value), ST_OK);
    assert_int_equal(value.type, 4);
    assert_true(value.resident);
    assert_int_equal(regf_value_data(&hive, &value, &data), ST_OK);
    assert_int_equal(data.size, 4);
    assert_int_equal(ld_le32(data.at), 0x12345678);
    assert_int_equal(regf_find_value(&hive, sample.apple, regf_name_of(""), &value), ST_OK);
    assert_int_equal(value.cell, sample.text);
    assert_int_equal(value.size, 8);
    assert_int_equal(regf_value_at(&hive, sample.apple, 2, &value), ST_OK);
    assert_int_equal(value.cell, sample.blob);
    assert_int_equal(regf_copy_data(&hive, &value, copy, 9), ST_OK);
    assert_memory_equal(copy, "nine byte", 9);
    assert_int_equal(regf_copy_data(&hive, &value, copy, 8), ST_TOO_SMALL);
    assert_int_equal(regf_find_value(&hive, sample.apple, regf_name_of("empty"), &value), ST_OK);
    assert_int_equal(regf_value_data(&hive, &value, &data), ST_OK);
    assert_int_equal(data.size, 0);
    assert_int_equal(regf_value_at(&hive, sample.apple, 4, &value), ST_ABSENT);
    assert_int_equal(regf_find_value(&hive, sample.apple, regf_name_of("blo"), &value), ST_ABSENT);
    assert_int_equal(regf_find_value(&hive, sample.bear, regf_name_of(""), &value), ST_ABSENT);
}

/* --- Big data ----------------------------------------------------------------------------------*/

#define BIG_SIZE (2 * 16344 + 100)

static uint8_t big_byte(size_t at)
{
    return (uint8_t)(at * 7 + at / 251);
}

/* Gives apple one value of three segments; `*ret_segments` is their list. */
static void make_big(uint32_t minor, uint32_t *ret_segments)
{
    static const uint32_t sizes[] = {16344, 16344, 100};
    struct hive_fixture *hive = &sample.hive;
    uint8_t big[8] = {'d', 'b', 3};
    uint8_t list[12];
    size_t done = 0;

    hive_make_sample(&sample, minor, "lf");
    for (size_t i = 0; i < 3; i++) {
        hive_next_bin(hive);
        uint32_t segment = hive_cell(hive, NULL, sizes[i] + 4);
        for (size_t k = 0; k < sizes[i]; k++)
            hive_at(hive, segment)[k] = big_byte(done + k);
        done += sizes[i];
        fixture_store_le(list + 4 * i, segment, 4);
    }
    *ret_segments = hive_cell(hive, list, 12);
    fixture_store_le(big + 4, *ret_segments, 4);
    store(sample.blob, 8, hive_cell(hive, big, 8));
    store(sample.blob, 4, BIG_SIZE);
    sample.file = hive_finish(hive, sample.root);
}

static void big_data_is_put_together(void **state)
{
    static uint8_t copy[BIG_SIZE];
    struct regf_value value;
    struct span data;
    uint32_t list;

    (void)state;
    make_big(4, &list);
    struct regf_hive hive = open_sample();
    assert_int_equal(regf_find_value(&hive, sample.apple, regf_name_of("Blob"), &value), ST_OK);
    assert_true(value.big);
    assert_int_equal(regf_value_data(&hive, &value, &data), ST_UNSUPPORTED);
    assert_int_equal(regf_copy_data(&hive, &value, copy, BIG_SIZE), ST_OK);
    for (size_t i = 0; i < BIG_SIZE; i++)
        assert_int_equal(copy[i], big_byte(i));
}

static void big_data_that_is_none_is_damage(void **state)
{
    static uint8_t copy[BIG_SIZE + 65536];
    static const struct {
        uint32_t size, first_segment, count;
    } wrong[] = {{3 * 16344 + 1, 0, 0}, {BIG_SIZE, 0x24, 0}, {BIG_SIZE, 0, 2}, {BIG_SIZE, 0, 4}};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct regf_value value;
        uint32_t list;
        make_big(4, &list);
        store(sample.blob, 4, wrong[i].size);
        if (wrong[i].first_segment != 0)
            store(list, 0, wrong[i].first_segment);
        if (wrong[i].count != 0)
            hive_at(&sample.hive, ld_le32(hive_at(&sample.hive, sample.blob) + 8))[2] =
                (uint8_t)wrong[i].count;
        struct regf_hive hive = open_sample();
        assert_int_equal(regf_find_value(&hive, sample.apple, regf_name_of("Blob"), &value), ST_OK);
        assert_int_equal(regf_copy_data(&hive, &value, copy, sizeof(copy)), ST_DAMAGED);
    }
}

static void version_3_has_no_big_data(void **state)
{
    struct regf_value value;
    struct span data;
    uint32_t list;

    (void)state;
    make_big(3, &list);
    struct regf_hive hive = open_sample();
    assert_int_equal(regf_find_value(&hive, sample.apple, regf_name_of("Blob"), &value), ST_OK);
    assert_false(value.big);
    /* What it names is then the data, and too short. */
    assert_int_equal(regf_value_data(&hive, &value, &data), ST_DAMAGED);
}

/* --- Deceit ------------------------------------------------------------------------------------*/

static void what_names_no_cell_is_damage(void **state)
{
    static const uint32_t places[] = {0, 4, 0x20 + 8, 0x24, 0xfffffff8, HIVE_NIL, 0x7ffffff8};
    struct regf_key key;
    struct regf_value value;
    uint32_t found;

    (void)state;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        hive_make_sample(&sample, 3, "lf");
        store(sample.apple, 28, places[i]);
        store(sample.apple, 40, places[i]);
        store(sample.list, 4 + 8, places[i]);
        struct regf_hive hive = open_sample();
        assert_int_equal(regf_read_key(&hive, places[i], &key), ST_DAMAGED);
        assert_int_equal(regf_subkey_at(&hive, sample.apple, 0, &found), ST_DAMAGED);
        assert_int_equal(regf_value_at(&hive, sample.apple, 0, &value), ST_DAMAGED);
        assert_int_equal(regf_find_subkey(&hive, sample.root, regf_name_of("zz"), &found),
                         ST_DAMAGED);
    }
}

static void free_cells_are_not_read(void **state)
{
    struct regf_key key;

    (void)state;
    hive_make_sample(&sample, 3, "lf");
    uint8_t *cell = hive_at(&sample.hive, sample.apple) - 4;
    fixture_store_le(cell, 0 - ld_le32(cell), 4);
    struct regf_hive hive = open_sample();
    assert_int_equal(regf_read_key(&hive, sample.apple, &key), ST_DAMAGED);
}

/* The status of reading the key after a number of `size` bytes in it was changed. */
static enum status read_changed(uint32_t cell, size_t at, uint64_t value, size_t size)
{
    struct regf_key key;

    hive_make_sample(&sample, 3, "lf");
    fixture_store_le(hive_at(&sample.hive, cell) + at, value, size);
    struct regf_hive hive = open_sample();
    return regf_read_key(&hive, cell, &key);
}

static void malformed_keys_are_damage(void **state)
{
    (void)state;
    hive_make_sample(&sample, 3, "lf");
    /* 80 bytes of content for "omega", whose name is UTF-16; 84 for "apple". */
    assert_int_equal(read_changed(sample.apple, 72, 5, 2), ST_OK);
    assert_int_equal(read_changed(sample.apple, 72, 8, 2), ST_OK);
    assert_int_equal(read_changed(sample.apple, 72, 9, 2), ST_DAMAGED);
    assert_int_equal(read_changed(sample.apple, 72, 0xffff, 2), ST_DAMAGED);
    assert_int_equal(read_changed(sample.apple, 0, 0x6b76, 2), ST_DAMAGED);
    assert_int_equal(read_changed(sample.omega, 72, 3, 2), ST_DAMAGED);
    assert_int_equal(read_changed(sample.omega, 72, 2, 2), ST_OK);
}

/* The statuses of reading value `index` of apple and its data after a change. */
static enum status value_changed(uint32_t index, uint32_t cell, size_t at, uint64_t number,
                                 size_t size)
{
    struct regf_value value;
    struct span data;

    hive_make_sample(&sample, 3, "lf");
    fixture_store_le(hive_at(&sample.hive, cell) + at, number, size);
    struct regf_hive hive = open_sample();
    enum status status = regf_value_at(&hive, sample.apple, index, &value);
    return status != ST_OK ? status : regf_value_data(&hive, &value, &data);
}

static void malformed_values_are_damage(void **state)
{
    (void)state;
    hive_make_sample(&sample, 3, "lf");
    assert_int_equal(value_changed(1, sample.number, 4, 0x80000003, 4), ST_OK);
    assert_int_equal(value_changed(1, sample.number, 4, 0x80000005, 4), ST_DAMAGED);
    assert_int_equal(value_changed(1, sample.number, 4, 0xffffffff, 4), ST_DAMAGED);
    assert_int_equal(value_changed(1, sample.number, 2, 0x7fff, 2), ST_DAMAGED);
    assert_int_equal(value_changed(1, sample.number, 0, 0x6b6e, 2), ST_DAMAGED);
    assert_int_equal(value_changed(2, sample.blob, 4, 12, 4), ST_OK);
    assert_int_equal(value_changed(2, sample.blob, 4, 13, 4), ST_DAMAGED);
    assert_int_equal(value_changed(2, sample.blob, 4, 0x7fffffff, 4), ST_DAMAGED);
    assert_int_equal(value_changed(2, sample.blob, 8, 0x24, 4), ST_DAMAGED);
    /* "Empty" in UTF-16 would have an odd size. */
    assert_int_equal(value_changed(3, sample.empty, 16, 0, 2), ST_DAMAGED);
    /* More values than the list's cell has room for. */
    assert_int_equal(value_changed(4, sample.apple, 36, 5, 4), ST_DAMAGED);
    assert_int_equal(value_changed(9, sample.apple, 36, 0xffffffff, 4), ST_DAMAGED);
    assert_int_equal(value_changed(2, sample.value_list, 8, 0x24, 4), ST_DAMAGED);
}

/* The status of looking for a subkey of apple, with a list of `kind`, after a change. */
static enum status list_changed(const char *kind, uint32_t offset, bool leaf, uint64_t value,
                                size_t size)
{
    uint32_t found;

    hive_make_sample(&sample, 5, kind);
    uint32_t cell = leaf ? sample.pip_leaf : sample.pip_list;
    fixture_store_le(hive_at(&sample.hive, cell) + offset, value, size);
    struct regf_hive hive = open_sample();
    return regf_find_subkey(&hive, sample.apple, regf_name_of("none"), &found);
}

static void malformed_lists_are_damage(void **state)
{
    static const char *const kinds[] = {"lf", "lh", "li", "ri"};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(list_changed(kinds[i], 0, true, 'l', 1), ST_ABSENT);
        assert_int_equal(list_changed(kinds[i], 1, true, 'x', 1), ST_DAMAGED);
        assert_int_equal(list_changed(kinds[i], 2, true, 4, 2), ST_DAMAGED);
        assert_int_equal(list_changed(kinds[i], 2, true, 0xffff, 2), ST_DAMAGED);
        assert_int_equal(list_changed(kinds[i], 4, false, 0x24, 4), ST_DAMAGED);
    }
    /* A list of lists that has itself in it, and one that is longer than its cell. */
    hive_make_sample(&sample, 5, "ri");
    assert_int_equal(list_changed("ri", 4, false, sample.pip_list, 4), ST_DAMAGED);
    assert_int_equal(list_changed("ri", 2, false, 0xffff, 2), ST_DAMAGED);
    assert_int_equal(list_changed("ri", 2, false, 1, 2), ST_DAMAGED);
}

/* The status of looking for a subkey of apple, whose list names one leaf of five keys so often. */
static enum status leaf_listed(uint16_t times)
{
    uint32_t leaves[64];
    uint32_t found;

    hive_make_sample(&sample, 3, "li");
    hive_next_bin(&sample.hive);
    for (uint16_t i = 0; i < times; i++)
        leaves[i] = sample.pip_leaf;
    uint32_t list = hive_list(&sample.hive, "ri", leaves, times);
    hive_set_subkeys(&sample.hive, sample.apple, list, times * 5u);
    sample.file = hive_finish(&sample.hive, sample.root);
    struct regf_hive hive = open_sample();
    assert_int_equal(hive.bins.size, 3 * 4096);
    return regf_find_subkey(&hive, sample.apple, regf_name_of("none"), &found);
}

static void more_subkeys_than_a_hive_has_room_for_are_damage(void **state)
{
    /* 12,288 bytes hold 153 keys of 80 bytes, the least that one takes. */
    (void)state;
    assert_int_equal(leaf_listed(30), ST_ABSENT);
    assert_int_equal(leaf_listed(31), ST_DAMAGED);
}

/* --- Names -------------------------------------------------------------------------------------*/

static void upper_case_is_that_of_unicode_where_it_is_one(void **state)
{
    (void)state;
    assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
    size_t pairs = 0;
    for (uint32_t unit = 0; unit < 0x10000; unit++) {
        uint16_t upper = regf_upcase((uint16_t)unit);
        if (upper == unit)
            continue;
        assert_int_equal(upper, towupper((wint_t)unit));
        pairs++;
    }
    assert_true(pairs > 300);
    for (uint32_t unit = 0; unit < 0x180; unit++) {
        /* Micro, dotless i and long s have capitals elsewhere, and Windows lets them be. */
        if (unit != 0xb5 && unit != 0x131 && unit != 0x17f)
            assert_int_equal(regf_upcase((uint16_t)unit), towupper((wint_t)unit));
    }
    for (uint32_t unit = 0x430; unit < 0x460; unit++)
        assert_int_equal(regf_upcase((uint16_t)unit), towupper((wint_t)unit));
}

static void names_are_in_the_order_of_their_capitals(void **state)
{
    /* "_" lies between capitals and small letters. */
    static const char *const names[] = {"", "0", "A", "aa", "AB", "b", "B0", "_", "{x}"};

    (void)state;
    for (int a = 0; a < 9; a++) {
        for (int b = 0; b < 9; b++) {
            int order = regf_name_compare(regf_name_of(names[a]), regf_name_of(names[b]));
            assert_int_equal((order > 0) - (order < 0), (a > b) - (a < b));
        }
    }
    assert_int_equal(regf_name_compare(regf_name_of("ElemenTS"), regf_name_of("elementS")), 0);
}

static void hints_and_hashes_are_those_of_the_format(void **state)
{
    static const uint8_t wide[] = {'a', 0, 0xa9, 3, 'b', 0};
    uint8_t hint[REGF_HINT_SIZE];

    (void)state;
    regf_name_hint(regf_name_of("Objects"), hint);
    assert_memory_equal(hint, "Obje", 4);
    regf_name_hint(regf_name_of("ab"), hint);
    assert_memory_equal(hint, "ab\0\0", 4);
    regf_name_hint((struct regf_name){span_of(wide, 6), true}, hint);
    assert_memory_equal(hint, "\0\0\0\0", 4);
    /* ((('A' * 37 + 'B') * 37) + 'C') */
    assert_int_equal(regf_name_hash(regf_name_of("aBc")), (65 * 37 + 66) * 37 + 67);
    assert_true(regf_name_is_narrow(regf_name_of("\xe4")));
    assert_false(regf_name_is_narrow((struct regf_name){span_of(wide, 6), true}));
}

/* --- Real stores -------------------------------------------------------------------------------*/

static void real_store_has_what_is_known_of_it(void **state)
{
    struct span file = shared_read("data/bcd-win10-uefi.xz");
    struct arena arena = fixture_scratch();
    struct regf_hive hive;
    struct regf_key key;
    struct regf_value value;
    struct span data;

    (void)state;
    if (file.at == NULL)
        SKIP_BECAUSE("data/bcd-win10-uefi.xz" NO_SHARED_DATA);
    assert_int_equal(regf_open(&arena, file, &hive), ST_OK);
    uint32_t objects = subkey(&hive, hive.root, "objects");
    assert_int_equal(regf_read_key(&hive, objects, &key), ST_OK);
    assert_int_equal(key.subkey_count, 17);
    uint32_t manager = subkey(&hive, objects, "{9dea862c-5cdd-4e70-acc1-f32b344d4795}");
    uint32_t elements = subkey(&hive, manager, "Elements");
    uint32_t device = subkey(&hive, elements, "11000001");
    assert_int_equal(regf_find_value(&hive, device, regf_name_of("Element"), &value), ST_OK);
    assert_int_equal(value.type, 3);
    assert_int_equal(regf_value_data(&hive, &value, &data), ST_OK);
    assert_int_equal(data.size, 0x58);
    assert_int_equal(data.at - file.at, 0x726c);
    uint32_t timeout = subkey(&hive, elements, "25000004");
    assert_int_equal(regf_find_value(&hive, timeout, regf_name_of("Element"), &value), ST_OK);
    assert_int_equal(regf_value_data(&hive, &value, &data), ST_OK);
    assert_int_equal(data.size, 8);
    assert_int_equal(ld_le64(data.at), 30);
    shared_free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_whole_clean_hives_open),
        cmocka_unit_test(open_takes_little_memory_and_says_when_there_is_none),
        cmocka_unit_test(keys_are_found_whatever_their_case),
        cmocka_unit_test(lists_of_all_kinds_are_read),
        cmocka_unit_test(key_tells_what_it_has),
        cmocka_unit_test(values_are_read),
        cmocka_unit_test(big_data_is_put_together),
        cmocka_unit_test(big_data_that_is_none_is_damage),
        cmocka_unit_test(version_3_has_no_big_data),
        cmocka_unit_test(what_names_no_cell_is_damage),
        cmocka_unit_test(free_cells_are_not_read),
        cmocka_unit_test(malformed_keys_are_damage),
        cmocka_unit_test(malformed_values_are_damage),
        cmocka_unit_test(malformed_lists_are_damage),
        cmocka_unit_test(more_subkeys_than_a_hive_has_room_for_are_damage),
        cmocka_unit_test(upper_case_is_that_of_unicode_where_it_is_one),
        cmocka_unit_test(names_are_in_the_order_of_their_capitals),
        cmocka_unit_test(hints_and_hashes_are_those_of_the_format),
        cmocka_unit_test(real_store_has_what_is_known_of_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
