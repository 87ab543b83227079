#include "format/regf/regf_marvin.h"

#define SEED_LOW  0x7a4e55c5u
#define SEED_HIGH 0x82ef4d88u

struct marvin {
    uint32_t low;
    uint32_t high;
};

static uint32_t rotate(uint32_t value, unsigned bits)
{
    return value << bits | value >> (32 - bits);
}

static void mix(struct marvin *state, uint32_t value)
{
    state->low += value;
    state->high ^= state->low;
    state->low = rotate(state->low, 20) + state->high;
    state->high = rotate(state->high, 9) ^ state->low;
    state->low = rotate(state->low, 27) + state->high;
    state->high = rotate(state->high, 19);
}

uint64_t regf_marvin(struct span bytes)
{
    struct marvin state = {SEED_LOW, SEED_HIGH};
    size_t at = 0;
    uint32_t tail = 0x80;

    for (; bytes.size - at >= 4; at += 4)
        mix(&state, ld_le32(bytes.at + at));
    for (size_t i = bytes.size; i > at; i--)
        tail = tail << 8 | bytes.at[i - 1];
    mix(&state, tail);
    mix(&state, 0);
    return (uint64_t)state.high << 32 | state.low;
}
