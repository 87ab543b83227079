/*
 * Division of 64-bit integers as the ia32 program does it, against that of the processor here, which
 * has one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#if defined(__x86_64__)

#include "../../efi/firmware/ia32/divide.c"

#define DRAWN 200000

static void check(uint64_t number, uint64_t by)
{
    uint64_t rest = 0;

    assert_int_equal(__udivmoddi4(number, by, &rest), number / by);
    assert_int_equal(rest, number % by);
    assert_int_equal(__udivdi3(number, by), number / by);
    assert_int_equal(__umoddi3(number, by), number % by);
    int64_t a = (int64_t)number, b = (int64_t)by;
    if (a == INT64_MIN && b == -1)
        return; /* has no quotient */
    assert_int_equal(__divdi3(a, b), a / b);
    assert_int_equal(__moddi3(a, b), a % b);
}

/* One bit and its neighbours, and all bits: where digits begin and end. */
static void edges_divide_as_the_processor_does(void **state)
{
    uint64_t values[64 * 3 + 1];
    size_t count = 0;

    (void)state;
    for (unsigned bit = 0; bit < 64; bit++) {
        for (int near = -1; near <= 1; near++)
            values[count++] = ((uint64_t)1 << bit) + (uint64_t)near;
    }
    values[count++] = UINT64_MAX;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            if (values[j] != 0)
                check(values[i], values[j]);
        }
    }
}

/* Numbers of all lengths, and the multiples of `by` with their neighbours. */
static void drawn_numbers_divide_as_the_processor_does(void **state)
{
    uint64_t seed = 0x2545f4914f6cdd1d;

    (void)state;
    for (unsigned i = 0; i < DRAWN; i++) {
        uint64_t drawn[2];
        for (unsigned j = 0; j < 2; j++) {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            drawn[j] = seed >> (seed >> 7) % 64;
        }
        uint64_t by = drawn[1] == 0 ? 1 : drawn[1];
        check(drawn[0], by);
        uint64_t multiple = drawn[0] / by * by;
        check(multiple - 1, by);
        check(multiple, by);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edges_divide_as_the_processor_does),
        cmocka_unit_test(drawn_numbers_divide_as_the_processor_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    return 0;
}

#endif
