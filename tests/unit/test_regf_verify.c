/* Whether a registry hive is sound: a sound one with one thing wrong, and real stores. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "format/regf/regf.h"
#include "format/regf/regf_verify.h"
#include "unit/bytes_fixture.h"
#include "unit/hive_fixture.h"
#include "unit/shared_fixture.h"
#include "unit/skip_fixture.h"

static struct hive_sample sample;

static struct regf_report verify_file(struct span file)
{
    struct span copy = fixture_exact(file.at, file.size);
    struct arena arena = fixture_scratch();
    struct regf_hive hive;
    struct regf_report report;

    assert_int_equal(regf_open(&arena, copy, &hive), ST_OK);
    size_t used = arena.used;
    assert_int_equal(regf_verify(&arena, &hive, &report), ST_OK);
    assert_int_equal(arena.used, used);
    fixture_drop(copy);
    return report;
}

static struct regf_report verify(void)
{
    return verify_file(sample.file);
}

static void make(const char *kind)
{
    hive_make_sample(&sample, 5, kind);
}

static void put(uint32_t cell, size_t at, uint64_t value, size_t size)
{
    fixture_store_le(hive_at(&sample.hive, cell) + at, value, size);
}

static uint32_t get(uint32_t cell, size_t at)
{
    return ld_le32(hive_at(&sample.hive, cell) + at);
}

/* The hive as it now is has this damage, at this cell; then it is made anew. */
static void assert_damage(enum regf_problem problem, uint32_t cell)
{
    struct regf_report report = verify();

    assert_string_equal(regf_problem_text(report.damage.problem), regf_problem_text(problem));
    assert_int_equal(report.damage.cell, cell);
    assert_true(regf_problem_is_damage(problem));
    make("lf");
}

static void assert_untidy(enum regf_problem problem, uint32_t cell)
{
    struct regf_report report = verify();

    assert_int_equal(report.damage.problem, REGF_NO_PROBLEM);
    assert_string_equal(regf_problem_text(report.untidy.problem), regf_problem_text(problem));
    assert_int_equal(report.untidy.cell, cell);
    assert_false(regf_problem_is_damage(problem));
    make("lf");
}

static void sound_hives_have_no_problem(void **state)
{
    static const char *const kinds[] = {"lf", "lh", "li", "ri"};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        make(kinds[i]);
        struct regf_report report = verify();
        assert_string_equal(regf_problem_text(report.damage.problem), "nothing is wrong");
        assert_int_equal(report.untidy.problem, REGF_NO_PROBLEM);
        assert_int_equal(report.key_count, 9);
        assert_int_equal(report.value_count, 4);
    }
}

static void keys_have_to_fit(void **state)
{
    (void)state;
    make("lf");
    put(sample.apple, 16, sample.bear, 4);
    assert_damage(REGF_KEY_PARENT, sample.apple);
    put(sample.apple, 72, 0, 2);
    assert_damage(REGF_KEY_BAD, sample.apple);
    put(sample.apple, 0, 0x6b76, 2);
    assert_damage(REGF_KEY_BAD, sample.apple);
    put(sample.bear, 74, 100, 2);
    assert_damage(REGF_KEY_BAD, sample.bear);
    put(sample.bear, 48, sample.class_name + 4, 4);
    assert_damage(REGF_CELL_UNUSED, sample.class_name + 4);
    put(sample.apple, 36, 9, 4);
    assert_damage(REGF_KEY_BAD, sample.apple);
    /* The root may have no name, and its parent means nothing. */
    put(sample.root, 72, 0, 2);
    put(sample.root, 16, 0x12345678, 4);
    assert_int_equal(verify().damage.problem, REGF_NO_PROBLEM);
}

static void cells_belong_to_one(void **state)
{
    (void)state;
    make("lf");
    put(sample.list, 12, sample.apple, 4);
    assert_damage(REGF_CELL_TWICE, sample.apple);
    put(sample.list, 12, sample.root, 4);
    assert_damage(REGF_CELL_TWICE, sample.root);
    put(sample.apple, 28, sample.list, 4);
    assert_damage(REGF_CELL_TWICE, sample.list);
    put(sample.value_list, 4, sample.text, 4);
    assert_damage(REGF_CELL_TWICE, sample.text);
    put(sample.blob, 8, get(sample.text, 8), 4);
    assert_damage(REGF_CELL_TWICE, get(sample.text, 8));
    put(sample.apple, 40, sample.list, 4);
    assert_damage(REGF_CELL_TWICE, sample.list);
    put(sample.blob, 8, sample.security, 4);
    assert_damage(REGF_CELL_TWICE, sample.security);
    put(sample.pips[2], 44, sample.blob_data, 4);
    assert_damage(REGF_CELL_TWICE, sample.blob_data);
    make("ri");
    put(sample.pip_list, 8, sample.pip_leaf, 4);
    put(sample.apple, 20, 4, 4);
    assert_damage(REGF_CELL_TWICE, sample.pip_leaf);
}

static void named_cells_are_in_use(void **state)
{
    uint32_t nowhere = 0x24;

    (void)state;
    make("lf");
    put(sample.list, 12, nowhere, 4);
    assert_damage(REGF_CELL_UNUSED, nowhere);
    put(sample.apple, 28, HIVE_NIL, 4);
    assert_damage(REGF_CELL_UNUSED, HIVE_NIL);
    put(sample.apple, 40, nowhere, 4);
    assert_damage(REGF_CELL_UNUSED, nowhere);
    put(sample.apple, 44, nowhere, 4);
    assert_damage(REGF_CELL_UNUSED, nowhere);
    put(sample.blob, 8, nowhere, 4);
    assert_damage(REGF_CELL_UNUSED, nowhere);
    put(sample.value_list, 0, nowhere, 4);
    assert_damage(REGF_CELL_UNUSED, nowhere);
    uint8_t *blob = hive_at(&sample.hive, sample.blob_data) - 4;
    fixture_store_le(blob, 0 - ld_le32(blob), 4);
    assert_damage(REGF_CELL_UNUSED, sample.blob_data);
}

static void lists_have_to_fit(void **state)
{
    (void)state;
    make("lf");
    put(sample.list, 0, 'x', 1);
    assert_damage(REGF_LIST_BAD, sample.list);
    put(sample.list, 2, 2, 2);
    assert_damage(REGF_LIST_COUNT, sample.root);
    put(sample.root, 20, 4, 4);
    assert_damage(REGF_LIST_COUNT, sample.root);
    put(sample.list, 2, 0x1000, 2);
    assert_damage(REGF_LIST_BAD, sample.list);
    make("ri");
    put(sample.pip_list, 8, sample.pip_list, 4);
    assert_damage(REGF_LIST_BAD, sample.pip_list);
}

static void subkeys_are_in_order(void **state)
{
    (void)state;
    make("lf");
    /* "pip2" before "pip1", with right hints. */
    put(sample.pip_list, 4, sample.pips[1], 4);
    put(sample.pip_list, 12, sample.pips[0], 4);
    put(sample.pip_list, 8 + 3, '2', 1);
    put(sample.pip_list, 16 + 3, '1', 1);
    assert_damage(REGF_LIST_ORDER, sample.pips[0]);
    put(sample.pips[1], 76 + 3, '1', 1);
    assert_damage(REGF_LIST_ORDER, sample.pips[1]);
    /* Across two lists in one. */
    make("ri");
    uint32_t first = get(sample.pip_list, 4);
    put(sample.pip_list, 4, get(sample.pip_list, 8), 4);
    put(sample.pip_list, 8, first, 4);
    assert_damage(REGF_LIST_ORDER, sample.pips[0]);
}

static void hints_are_those_of_the_names(void **state)
{
    (void)state;
    make("lf");
    put(sample.list, 4 + 8 + 4, 'b', 1); /* of "Bär" */
    assert_int_equal(verify().damage.problem, REGF_NO_PROBLEM);
    put(sample.list, 4 + 8 + 4, 'c', 1);
    assert_damage(REGF_LIST_HINT, sample.bear);
    put(sample.list, 4 + 8 + 7, 'c', 1);
    assert_damage(REGF_LIST_HINT, sample.bear);
    make("lh");
    put(sample.pip_list, 8, get(sample.pip_list, 8) + 1, 4);
    assert_damage(REGF_LIST_HINT, sample.pips[0]);
}

static void values_have_to_fit(void **state)
{
    (void)state;
    make("lf");
    put(sample.blob, 0, 'x', 1);
    assert_damage(REGF_VALUE_BAD, sample.blob);
    put(sample.number, 4, 0x80000005, 4);
    assert_damage(REGF_VALUE_BAD, sample.number);
    put(sample.blob, 4, 13, 4);
    assert_damage(REGF_VALUE_DATA, sample.blob);
    /* Big data in version 1.5: "nine byte" is none. */
    put(sample.blob, 4, 16345, 4);
    assert_damage(REGF_VALUE_DATA, sample.blob);
}

/* A second bin of data in two segments for Blob. */
static uint32_t make_big(uint32_t size_of_second)
{
    struct hive_fixture *hive = &sample.hive;
    uint8_t big[8] = {'d', 'b', 2};
    uint8_t list[8];

    for (uint32_t i = 0; i < 2; i++) {
        hive_next_bin(hive);
        fixture_store_le(list + 4 * i, hive_cell(hive, NULL, i == 0 ? 16344 : size_of_second), 4);
    }
    uint32_t segments = hive_cell(hive, list, 8);
    fixture_store_le(big + 4, segments, 4);
    /* Its old cell has 12 bytes and becomes this. */
    memcpy(hive_at(hive, sample.blob_data), big, 8);
    put(sample.blob, 4, 16344 + 100, 4);
    put(sample.apple, 64, 16344 + 100, 4);
    sample.file = hive_finish(hive, sample.root);
    return segments;
}

static void segments_of_big_data_count_as_cells(void **state)
{
    (void)state;
    make("lf");
    make_big(100);
    struct regf_report report = verify();
    assert_int_equal(report.damage.problem, REGF_NO_PROBLEM);
    assert_int_equal(report.untidy.problem, REGF_NO_PROBLEM);
    make("lf");
    make_big(92);
    assert_damage(REGF_VALUE_DATA, sample.blob);
    uint32_t segments = make_big(100);
    uint32_t second = get(segments, 4);
    put(segments, 0, second, 4);
    assert_damage(REGF_VALUE_DATA, sample.blob);
    segments = make_big(100);
    put(segments, 4, get(segments, 0), 4);
    assert_damage(REGF_CELL_TWICE, get(segments, 0));
}

static void security_is_counted_and_in_a_ring(void **state)
{
    (void)state;
    make("lf");
    put(sample.security, 12, 9, 4);
    assert_damage(REGF_SECURITY_COUNT, sample.security);
    put(sample.pips[4], 44, sample.security2, 4);
    assert_damage(REGF_SECURITY_COUNT, sample.security);
    put(sample.security2, 16, 25, 4);
    assert_damage(REGF_SECURITY_BAD, sample.security2);
    put(sample.security, 0, 'x', 1);
    assert_damage(REGF_SECURITY_BAD, sample.security);
    put(sample.security, 4, sample.security, 4);
    assert_damage(REGF_SECURITY_RING, sample.security);
    put(sample.security2, 4, sample.security2, 4);
    assert_damage(REGF_SECURITY_RING, sample.security2);
    put(sample.security2, 8, sample.security2, 4);
    assert_damage(REGF_SECURITY_RING, sample.security);
    put(sample.security2, 4, HIVE_NIL, 4);
    assert_damage(REGF_SECURITY_RING, sample.security2);
    /* Two rings of one each: the second key's security is not in that of the root. */
    put(sample.security, 4, sample.security, 4);
    put(sample.security, 8, sample.security, 4);
    put(sample.security2, 4, sample.security2, 4);
    put(sample.security2, 8, sample.security2, 4);
    assert_damage(REGF_SECURITY_RING, sample.security);
}

static void tree_has_a_bottom(void **state)
{
    struct hive_fixture *hive = &sample.hive;

    (void)state;
    for (uint32_t depth = 64; depth <= 65; depth++) {
        hive_start(hive, 3);
        sample.root = hive_key(hive, 0, 0, "root");
        sample.security = hive_security(hive, depth);
        put(sample.root, 44, sample.security, 4);
        uint32_t key = sample.root;
        for (uint32_t i = 1; i < depth; i++) {
            if (i % 20 == 0)
                hive_next_bin(hive);
            uint32_t child = hive_key(hive, key, sample.security, "deep");
            hive_set_subkeys(hive, key, hive_list(hive, "lf", &child, 1), 1);
            key = child;
        }
        sample.file = hive_finish(hive, sample.root);
        struct regf_report report = verify();
        assert_int_equal(report.damage.problem, depth > 64 ? REGF_TOO_DEEP : REGF_NO_PROBLEM);
        if (depth > 64)
            assert_int_equal(report.damage.cell, key);
    }
}

static void untidiness_is_no_damage(void **state)
{
    (void)state;
    make("lf");
    put(sample.root, 52, 9, 2); /* "apple" takes 10 */
    assert_untidy(REGF_MAXIMUM_LOW, sample.root);
    put(sample.root, 56, 3, 4);
    assert_untidy(REGF_MAXIMUM_LOW, sample.root);
    put(sample.apple, 60, 11, 4);
    assert_untidy(REGF_MAXIMUM_LOW, sample.apple);
    put(sample.apple, 64, 8, 4);
    assert_untidy(REGF_MAXIMUM_LOW, sample.apple);
    /* The same fields just large enough. */
    put(sample.root, 52, 10, 2);
    put(sample.apple, 60, 12, 4);
    put(sample.apple, 64, 9, 4);
    assert_int_equal(verify().untidy.problem, REGF_NO_PROBLEM);
    make("lf");
    put(sample.bear, 74, 0, 2);
    assert_untidy(REGF_CELL_LOST, sample.class_name);
    put(sample.apple, 36, 3, 4);
    assert_untidy(REGF_CELL_LOST, sample.empty);
}

static void free_cells_side_by_side_are_told(void **state)
{
    (void)state;
    make("lf");
    uint32_t end = (uint32_t)sample.hive.used;
    hive_next_bin(&sample.hive);
    hive_free_cell(&sample.hive, 16);
    sample.file = hive_finish(&sample.hive, sample.root);
    assert_untidy(REGF_CELLS_APART, end + 32 + 16);
}

static void what_is_in_use_and_free_adds_up(void **state)
{
    (void)state;
    make("lf");
    struct regf_report report = verify();
    uint32_t used = 0;
    for (uint32_t bin = 0; bin < 2; bin++) {
        for (uint32_t at = 32; at < 4096;) {
            int32_t size = (int32_t)ld_le32(sample.hive.file + 0x1000 + 4096 * bin + at);
            used += size < 0 ? (uint32_t)-size : 0;
            at += (uint32_t)abs(size);
        }
    }
    assert_int_equal(report.free_bytes, 2 * (4096 - 32) - used);
    assert_int_equal(report.cell_count, 9 + 2 + 1 + 2 + 1 + 4 + 2);
}

static void no_memory_is_said(void **state)
{
    struct regf_hive hive;
    struct regf_report report;

    (void)state;
    make("lf");
    struct arena arena = fixture_scratch_of(0x2000 / 64 + 0x2000 / 2 - 16);
    assert_int_equal(regf_open(&arena, sample.file, &hive), ST_OK);
    assert_int_equal(regf_verify(&arena, &hive, &report), ST_NO_MEMORY);
}

static void problems_have_words(void **state)
{
    (void)state;
    for (int i = 0; i <= REGF_PROBLEM_COUNT; i++) {
        for (int k = 0; k < i; k++)
            assert_string_not_equal(regf_problem_text((enum regf_problem)i),
                                    regf_problem_text((enum regf_problem)k));
    }
}

/* Keys, values and cells in use as other software counts them. */
static void real_stores_are_sound(void **state)
{
    static const struct {
        const char *name;
        uint32_t keys, values, cells, free_bytes; /* 0: not known */
    } stores[] = {
        {"data/bcd-win10-uefi.xz", 132, 103, 443, 4472},
        {"data/bcd/bcd-win10-19041.2965-two-disks", 118, 90, 0, 0},
        {"data/bcd/bcd-uefi-locate-3objects", 32, 27, 0, 0},
        {"data/bcd/bcd-bios-mbr-boot", 78, 55, 0, 0},
        {"data/bcd/bcd-empty-bcdsys", 3, 1, 0, 0},
        {"data/bcd/bcd-synthetic-lh-hivex", 20, 14, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(stores) / sizeof(stores[0]); i++) {
        struct span file = shared_read(stores[i].name);
        if (file.at == NULL)
            SKIP_BECAUSE("data/bcd" NO_SHARED_DATA);
        struct regf_report report = verify_file(file);
        assert_int_equal(report.damage.problem, REGF_NO_PROBLEM);
        assert_int_equal(report.untidy.problem, REGF_NO_PROBLEM);
        assert_int_equal(report.key_count, stores[i].keys);
        assert_int_equal(report.value_count, stores[i].values);
        if (stores[i].cells > 0) {
            assert_int_equal(report.cell_count, stores[i].cells);
            assert_int_equal(report.free_bytes, stores[i].free_bytes);
        }
        shared_free(file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_hives_have_no_problem),
        cmocka_unit_test(keys_have_to_fit),
        cmocka_unit_test(cells_belong_to_one),
        cmocka_unit_test(named_cells_are_in_use),
        cmocka_unit_test(lists_have_to_fit),
        cmocka_unit_test(subkeys_are_in_order),
        cmocka_unit_test(hints_are_those_of_the_names),
        cmocka_unit_test(values_have_to_fit),
        cmocka_unit_test(segments_of_big_data_count_as_cells),
        cmocka_unit_test(security_is_counted_and_in_a_ring),
        cmocka_unit_test(tree_has_a_bottom),
        cmocka_unit_test(untidiness_is_no_damage),
        cmocka_unit_test(free_cells_side_by_side_are_told),
        cmocka_unit_test(what_is_in_use_and_free_adds_up),
        cmocka_unit_test(no_memory_is_said),
        cmocka_unit_test(problems_have_words),
        cmocka_unit_test(real_stores_are_sound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
