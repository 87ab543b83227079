/*
 * Division of 64-bit integers, which gcc leaves to a library where the processor has none (names and
 * arguments: GCC Internals, "Routines for integer arithmetic"). The one for -m32 is in no package that
 * can stand beside a compiler for arm64.
 */
#include <stddef.h>
#include <stdint.h>

uint64_t __udivmoddi4(uint64_t number, uint64_t by, uint64_t *ret_rest);
uint64_t __udivdi3(uint64_t number, uint64_t by);
uint64_t __umoddi3(uint64_t number, uint64_t by);
int64_t __divdi3(int64_t number, int64_t by);
int64_t __moddi3(int64_t number, int64_t by);

/* The processor's own: the quotient has to fit 32 bits, so `high` is less than `by`. */
static uint32_t divide_half(uint32_t high, uint32_t low, uint32_t by, uint32_t *ret_rest)
{
    __asm__("divl %4" : "=a"(low), "=d"(*ret_rest) : "0"(low), "1"(high), "r"(by) : "cc");
    return low;
}

/* As on paper, with digits of 32 bits. */
static uint64_t divide_by_digit(uint64_t number, uint32_t by, uint64_t *ret_rest)
{
    uint32_t rest = 0;
    uint32_t high = divide_half(0, (uint32_t)(number >> 32), by, &rest);
    uint32_t low = divide_half(rest, (uint32_t)number, by, &rest);

    *ret_rest = rest;
    return (uint64_t)high << 32 | low;
}

/*
 * `by` has a bit in its upper half, so the quotient is one digit. It is taken from the upper 32 bits of
 * `by` from its first one on, and half of the number so that the processor's division cannot overflow.
 * What is cut off makes it too large by one at most, so one less is too small by one at most.
 */
static uint64_t divide_by_two_digits(uint64_t number, uint64_t by, uint64_t *ret_rest)
{
    unsigned shift = (unsigned)__builtin_clz((uint32_t)(by >> 32));
    uint32_t ignored;
    uint32_t digit = divide_half((uint32_t)(number >> 33), (uint32_t)(number >> 1),
                                 (uint32_t)(by << shift >> 32), &ignored) >>
                     (31 - shift);

    if (digit > 0)
        digit--;
    uint64_t rest = number - digit * by;
    if (rest >= by) {
        digit++;
        rest -= by;
    }
    *ret_rest = rest;
    return digit;
}

uint64_t __udivmoddi4(uint64_t number, uint64_t by, uint64_t *ret_rest)
{
    uint64_t rest;
    uint64_t quotient = by >> 32 == 0 ? divide_by_digit(number, (uint32_t)by, &rest)
                                      : divide_by_two_digits(number, by, &rest);

    if (ret_rest != NULL)
        *ret_rest = rest;
    return quotient;
}

uint64_t __udivdi3(uint64_t number, uint64_t by)
{
    return __udivmoddi4(number, by, NULL);
}

uint64_t __umoddi3(uint64_t number, uint64_t by)
{
    uint64_t rest;

    __udivmoddi4(number, by, &rest);
    return rest;
}

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? -(uint64_t)value : (uint64_t)value;
}

int64_t __divdi3(int64_t number, int64_t by)
{
    uint64_t quotient = __udivdi3(magnitude(number), magnitude(by));

    return (int64_t)((number < 0) != (by < 0) ? -quotient : quotient);
}

int64_t __moddi3(int64_t number, int64_t by)
{
    uint64_t rest = __umoddi3(magnitude(number), magnitude(by));

    return (int64_t)(number < 0 ? -rest : rest);
}
