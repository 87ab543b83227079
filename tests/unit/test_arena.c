/* Memory from an arena: over a block that is all there, and over addresses that memory is put
 * under. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/bytes.h"

#define STEPS 8u

static _Alignas(16) uint8_t memory[65536];
static _Alignas(16) uint8_t addresses[STEPS * ARENA_STEP];

/* An arena over memory that is not zero, so that forgotten zeroing shows. */
static struct arena dirty_arena(size_t size)
{
    struct arena arena;

    memset(memory, 0xa5, sizeof(memory));
    arena_init(&arena, memory, size);
    return arena;
}

/* --- A block ------------------------------------------------------------------------------- */

static void arena_gives_zeroed_aligned_memory(void **state)
{
    struct arena arena = dirty_arena(1024);

    (void)state;
    for (size_t size = 1; size < 40; size++) {
        uint8_t *at = arena_alloc(&arena, 1, size);
        if (at == NULL)
            break;
        assert_int_equal((uintptr_t)at % 16, 0);
        assert_true(span_is_zero(span_of(at, size)));
        memset(at, 0xff, size);
    }
}

static void arena_objects_do_not_overlap(void **state)
{
    struct arena arena = dirty_arena(1024);
    uint8_t *a = arena_alloc(&arena, 3, 7);
    uint8_t *b = arena_alloc(&arena, 1, 1);

    (void)state;
    assert_non_null(a);
    assert_non_null(b);
    assert_true(b >= a + 21);
}

static void arena_over_a_crooked_base_stays_inside_it(void **state)
{
    (void)state;
    for (size_t skip = 0; skip < 16; skip++) {
        for (size_t size = 0; size < 48; size++) {
            uint8_t *block = malloc(skip + size + 1);
            struct arena arena;
            assert_non_null(block);
            arena_init(&arena, block + skip, size);
            for (uint8_t *at = arena_alloc(&arena, 1, 1); at != NULL;
                 at = arena_alloc(&arena, 1, 1)) {
                assert_int_equal((uintptr_t)at % 16, 0);
                assert_true(at >= block + skip && at + 16 <= block + skip + size);
            }
            free(block);
        }
    }
}

static void full_arena_gives_null_and_is_unchanged(void **state)
{
    struct arena arena = dirty_arena(64);

    (void)state;
    assert_non_null(arena_alloc(&arena, 1, 48));
    assert_null(arena_alloc(&arena, 1, 17));
    assert_int_equal(arena.used, 48);
    assert_null(arena_copy(&arena, memory, 17));
    assert_non_null(arena_alloc(&arena, 1, 16));
    assert_null(arena_alloc(&arena, 1, 1));
}

static void arena_request_that_overflows_gives_null(void **state)
{
    struct arena arena = dirty_arena(1024);

    (void)state;
    assert_null(arena_alloc(&arena, SIZE_MAX, 2));
    assert_null(arena_alloc(&arena, SIZE_MAX / 16 + 2, 16));
    assert_null(arena_alloc(&arena, 1, SIZE_MAX));
    assert_null(arena_alloc(&arena, 1, SIZE_MAX - 15));
    assert_int_equal(arena.used, 0);
}

static void arena_request_for_nothing_is_valid(void **state)
{
    struct arena arena = dirty_arena(64);

    (void)state;
    assert_non_null(arena_alloc(&arena, 0, 100));
    assert_non_null(arena_copy(&arena, NULL, 0));
    assert_int_equal(arena.used, 0);
}

static void arena_release_gives_back_to_the_mark_and_keeps_the_peak(void **state)
{
    struct arena arena = dirty_arena(1024);

    (void)state;
    assert_non_null(arena_alloc(&arena, 1, 32));
    size_t mark = arena_mark(&arena);
    uint8_t *first = arena_alloc(&arena, 1, 100);
    assert_non_null(first);
    memset(first, 0xff, 100);
    arena_release(&arena, mark);
    assert_int_equal(arena.used, 32);
    assert_int_equal(arena.peak, 32 + 112);
    uint8_t *second = arena_alloc(&arena, 1, 100);
    assert_ptr_equal(second, first);
    assert_true(span_is_zero(span_of(second, 100)));
    arena_release(&arena, 1000); /* not a mark of this arena: never a way to take memory */
    assert_int_equal(arena.used, 32 + 112);
}

static void arena_copy_is_a_copy(void **state)
{
    struct arena arena = dirty_arena(1024);
    char text[] = "shadow";
    char *copy = arena_copy(&arena, text, sizeof(text));

    (void)state;
    assert_non_null(copy);
    text[0] = 'S';
    assert_string_equal(copy, "shadow");
}

static void what_is_kept_is_not_given_out(void **state)
{
    struct arena arena = dirty_arena(1024);

    (void)state;
    assert_non_null(arena_alloc(&arena, 1, 24));
    assert_false(arena_keep(&arena, 1024 - 32 + 1));
    assert_int_equal(arena_room(&arena), 1024 - 32);
    assert_true(arena_keep(&arena, 500));
    assert_int_equal(arena_room(&arena), 1024 - 32 - 500);
    assert_null(arena_alloc(&arena, 1, 1024 - 32 - 500 + 1));
    assert_non_null(arena_alloc(&arena, 1, 480));
    assert_true(arena_keep(&arena, 0));
    assert_non_null(arena_alloc(&arena, 1, 512));
    assert_int_equal(arena_room(&arena), 0);
}

static void a_part_is_cut_off_the_far_end(void **state)
{
    struct arena arena = dirty_arena(1024);
    struct arena part = {.size = 77};

    (void)state;
    assert_non_null(arena_alloc(&arena, 1, 32));
    assert_false(arena_part(&arena, 1024 - 32 + 1, &part));
    assert_int_equal(part.size, 77);
    assert_int_equal(arena.peak, 32);
    assert_true(arena_part(&arena, 256, &part));
    assert_int_equal(arena.peak, 32 + 256);
    assert_ptr_equal(arena_alloc(&part, 1, 256), memory + 1024 - 256);
    assert_null(arena_alloc(&part, 1, 1));
    assert_null(arena_alloc(&arena, 1, 1024 - 32 - 256 + 1));
    assert_non_null(arena_alloc(&arena, 1, 1024 - 32 - 256));
    arena_rejoin(&arena, 256);
    assert_ptr_equal(arena_alloc(&arena, 1, 256), memory + 1024 - 256);
}

static void what_is_left_is_used_and_counts_nowhere(void **state)
{
    struct arena arena = dirty_arena(1024);

    (void)state;
    assert_non_null(arena_alloc(&arena, 1, 32));
    assert_true(arena_keep(&arena, 64));
    struct arena rest = arena_rest(&arena);
    assert_int_equal(arena_room(&rest), 1024 - 32 - 64);
    assert_non_null(arena_alloc(&rest, 1, 1024 - 32 - 64));
    assert_int_equal(arena.used, 32);
    assert_int_equal(arena.peak, 32);
    assert_int_equal(arena_room(&arena), 1024 - 32 - 64);
}

/* --- Addresses ----------------------------------------------------------------------------- */

/* Memory for `left` steps of `addresses`. */
struct steps {
    struct arena_source source;
    size_t left;
    bool there[STEPS];
};

static bool put_steps(void *ctx, const void *at, size_t size)
{
    struct steps *steps = ctx;
    size_t first = (size_t)((const uint8_t *)at - addresses);

    assert_true(size > 0 && first < sizeof(addresses) && size <= sizeof(addresses) - first);
    for (size_t i = first / ARENA_STEP; i <= (first + size - 1) / ARENA_STEP; i++) {
        if (!steps->there[i] && steps->left == 0)
            return false;
        steps->left -= !steps->there[i];
        steps->there[i] = true;
    }
    return true;
}

static size_t steps_there(const struct steps *steps)
{
    size_t count = 0;

    for (size_t i = 0; i < STEPS; i++)
        count += steps->there[i];
    return count;
}

/* An arena over all addresses, and memory for `left` steps of it. */
static struct arena stepwise(struct steps *steps, size_t left)
{
    struct arena arena;

    *steps = (struct steps){.source = {steps, put_steps}, .left = left};
    memset(addresses, 0xa5, sizeof(addresses));
    arena_init_from(&arena, &steps->source, addresses, sizeof(addresses));
    return arena;
}

static void memory_is_taken_when_it_is_reached(void **state)
{
    struct steps steps;
    struct arena arena = stepwise(&steps, STEPS);

    (void)state;
    assert_int_equal(steps_there(&steps), 0);
    assert_int_equal(arena_room(&arena), sizeof(addresses));
    uint8_t *first = arena_alloc(&arena, 1, 16);
    assert_ptr_equal(first, addresses);
    assert_true(span_is_zero(span_of(first, 16)));
    assert_int_equal(steps_there(&steps), 1);
    assert_non_null(arena_alloc(&arena, 1, ARENA_STEP - 16));
    assert_int_equal(steps_there(&steps), 1);
    assert_non_null(arena_alloc(&arena, 1, 1));
    assert_int_equal(steps_there(&steps), 2);
    assert_non_null(arena_alloc(&arena, 3, ARENA_STEP));
    assert_int_equal(steps_there(&steps), 5);
    arena_release(&arena, 0);
    assert_non_null(arena_alloc(&arena, 5, ARENA_STEP));
    assert_int_equal(steps_there(&steps), 5);
}

static void a_source_without_memory_is_a_full_arena(void **state)
{
    (void)state;
    for (size_t left = 0; left < STEPS; left++) {
        struct steps steps;
        struct arena arena = stepwise(&steps, left);
        for (size_t i = 0; i < left; i++)
            assert_non_null(arena_alloc(&arena, 1, ARENA_STEP));
        assert_null(arena_alloc(&arena, 1, 1));
        assert_null(arena_copy(&arena, memory, 1));
        assert_int_equal(arena.used, left * ARENA_STEP);
        assert_int_equal(arena.peak, left * ARENA_STEP);
        steps.left = 1;
        assert_non_null(arena_alloc(&arena, 1, 1));
    }
}

static void the_last_step_may_be_a_short_one(void **state)
{
    struct steps steps;
    struct arena arena = stepwise(&steps, STEPS);

    (void)state;
    arena_init_from(&arena, &steps.source, addresses, ARENA_STEP + 64);
    assert_non_null(arena_alloc(&arena, 1, ARENA_STEP + 64));
    assert_int_equal(steps_there(&steps), 2);
    assert_null(arena_alloc(&arena, 1, 1));
}

static void what_is_kept_is_there(void **state)
{
    struct steps steps;
    struct arena arena = stepwise(&steps, 3);

    (void)state;
    assert_non_null(arena_alloc(&arena, 1, 16));
    assert_false(arena_keep(&arena, 3 * ARENA_STEP));
    assert_int_equal(arena_room(&arena), STEPS * ARENA_STEP - 16);
    assert_true(arena_keep(&arena, ARENA_STEP));
    /* There are three steps. What allocations take of them, they must leave as kept. */
    assert_null(arena_alloc(&arena, 1, 2 * ARENA_STEP));
    assert_non_null(arena_alloc(&arena, 1, 2 * ARENA_STEP - 16));
    steps.left = 0;
    assert_null(arena_alloc(&arena, 1, 1));
    assert_true(arena_keep(&arena, 0));
    assert_non_null(arena_alloc(&arena, 1, ARENA_STEP));
}

static void a_part_takes_memory_at_its_own_end(void **state)
{
    struct steps steps;
    struct arena arena = stepwise(&steps, 2);
    struct arena part;

    (void)state;
    assert_non_null(arena_alloc(&arena, 1, 16));
    assert_true(arena_part(&arena, ARENA_STEP, &part));
    assert_int_equal(steps_there(&steps), 1);
    assert_non_null(arena_alloc(&part, 1, 16));
    assert_true(steps.there[0] && steps.there[STEPS - 1]);
    assert_null(arena_alloc(&arena, 1, ARENA_STEP));
    arena_rejoin(&arena, ARENA_STEP);
    steps.left = STEPS;
    assert_non_null(arena_alloc(&arena, 1, STEPS * ARENA_STEP - 16));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_gives_zeroed_aligned_memory),
        cmocka_unit_test(arena_objects_do_not_overlap),
        cmocka_unit_test(arena_over_a_crooked_base_stays_inside_it),
        cmocka_unit_test(full_arena_gives_null_and_is_unchanged),
        cmocka_unit_test(arena_request_that_overflows_gives_null),
        cmocka_unit_test(arena_request_for_nothing_is_valid),
        cmocka_unit_test(arena_release_gives_back_to_the_mark_and_keeps_the_peak),
        cmocka_unit_test(arena_copy_is_a_copy),
        cmocka_unit_test(what_is_kept_is_not_given_out),
        cmocka_unit_test(a_part_is_cut_off_the_far_end),
        cmocka_unit_test(what_is_left_is_used_and_counts_nowhere),
        cmocka_unit_test(memory_is_taken_when_it_is_reached),
        cmocka_unit_test(a_source_without_memory_is_a_full_arena),
        cmocka_unit_test(the_last_step_may_be_a_short_one),
        cmocka_unit_test(what_is_kept_is_there),
        cmocka_unit_test(a_part_takes_memory_at_its_own_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
