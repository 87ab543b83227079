/*
 * The firmware program's own memory functions, held against the C library's at every length and
 * alignment that their word loops can meet. They are compiled in here under other names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define memcpy  firmware_memcpy
#define memmove firmware_memmove
#define memset  firmware_memset
#define memcmp  firmware_memcmp
#include "../../efi/firmware/mem.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp

#define SHORT   35  /* bytes: four words and some bytes more, all sizes up to it */
#define STEP    31  /* beyond, with a row of nothing more among them */
#define LONGEST 283 /* two rows, words and bytes */
#define OFFSETS 9

static size_t next_size(size_t size)
{
    return size + (size < SHORT ? 1 : STEP);
}

/* `size` bytes at an address that is `offset` behind a multiple of 16, nothing behind them: the
 * sanitizer sees each byte that is touched too much. */
struct piece {
    uint8_t *memory;
    uint8_t *at;
};

static struct piece piece_new(size_t size, size_t offset, uint8_t first)
{
    struct piece piece = {.memory = malloc(offset + size + (offset + size == 0))};

    assert_non_null(piece.memory);
    piece.at = piece.memory + offset;
    for (size_t i = 0; i < size; i++)
        piece.at[i] = (uint8_t)(first + i * 3);
    return piece;
}

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

/* Blocks that are equal but for one byte, at every place, greater and less, also as unsigned. */
static void compare_all(size_t size, size_t left, size_t right)
{
    struct piece a = piece_new(size, left, 0x41);
    struct piece b = piece_new(size, right, 0x41);

    assert_int_equal(firmware_memcmp(a.at, b.at, size), 0);
    for (size_t i = 0; i < size; i++) {
        uint8_t kept = b.at[i];
        for (int change = 1; change < 256; change += 50) {
            b.at[i] = (uint8_t)(kept + change);
            assert_int_equal(sign(firmware_memcmp(a.at, b.at, size)),
                             sign(memcmp(a.at, b.at, size)));
            assert_int_equal(firmware_memcmp(a.at, b.at, i), 0);
        }
        b.at[i] = kept;
    }
    free(a.memory);
    free(b.memory);
}

static void comparing_tells_the_first_byte_that_differs(void **state)
{
    (void)state;
    for (size_t size = 0; size <= LONGEST; size = next_size(size)) {
        for (size_t offset = 0; offset < OFFSETS * OFFSETS; offset++)
            compare_all(size, offset / OFFSETS, offset % OFFSETS);
    }
}

/* A difference in a later byte of the same word must not outweigh the first one. */
static void comparing_goes_by_the_first_of_two_differences(void **state)
{
    static const uint8_t a[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    static const uint8_t b[8] = {1, 2, 4, 4, 5, 6, 7, 0};

    (void)state;
    assert_true(firmware_memcmp(a, b, 8) < 0);
    assert_true(firmware_memcmp(b, a, 8) > 0);
}

static void copy_and_fill(size_t size, size_t offset)
{
    struct piece from = piece_new(size, offset, 7);
    struct piece to = piece_new(size, OFFSETS - offset, 99);

    assert_ptr_equal(firmware_memcpy(to.at, from.at, size), to.at);
    assert_memory_equal(to.at, from.at, size);
    assert_ptr_equal(firmware_memset(to.at, 0x1a5, size), to.at);
    for (size_t at = 0; at < size; at++)
        assert_int_equal(to.at[at], 0xa5);
    free(from.memory);
    free(to.memory);
}

static void copying_and_filling_touch_what_they_are_to(void **state)
{
    (void)state;
    for (size_t size = 0; size <= LONGEST; size = next_size(size)) {
        for (size_t offset = 0; offset < OFFSETS; offset++)
            copy_and_fill(size, offset);
    }
}

static void move(size_t size, size_t to, size_t from)
{
    size_t whole = size + 2 * OFFSETS;
    struct piece mine = piece_new(whole, 0, 1);
    struct piece right = piece_new(whole, 0, 1);

    assert_ptr_equal(firmware_memmove(mine.at + to, mine.at + from, size), mine.at + to);
    memmove(right.at + to, right.at + from, size);
    assert_memory_equal(mine.at, right.at, whole);
    free(mine.memory);
    free(right.memory);
}

static void moving_is_right_where_the_areas_overlap(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4 * OFFSETS * OFFSETS; i++) {
        move(SHORT, i % (2 * OFFSETS), i / (2 * OFFSETS));
        move(LONGEST, i % (2 * OFFSETS), i / (2 * OFFSETS));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparing_tells_the_first_byte_that_differs),
        cmocka_unit_test(comparing_goes_by_the_first_of_two_differences),
        cmocka_unit_test(copying_and_filling_touch_what_they_are_to),
        cmocka_unit_test(moving_is_right_where_the_areas_overlap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
