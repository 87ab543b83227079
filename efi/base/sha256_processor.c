/*
 * SHA-256 by the instructions that processors of the x86 family have for it (Intel SDM volume 2,
 * SHA256RNDS2, SHA256MSG1, SHA256MSG2). They are written out, so that the compiler needs no leave
 * to use them, or anything beyond SSE2, elsewhere.
 */
#include "base/sha256_blocks.h"

#if defined(__x86_64__)

typedef uint32_t four __attribute__((vector_size(16)));
/* The same where it lies in memory: at any address. */
typedef uint32_t four_there __attribute__((vector_size(16), aligned(1), may_alias));

/* What has to be set by CPUID, leaf 1 in ECX and leaf 7 in EBX. */
#define LEAF_1_SSSE3  (1u << 9)
#define LEAF_1_SSE4_1 (1u << 19)
#define LEAF_7_SHA    (1u << 29)

#define ALWAYS static inline __attribute__((always_inline))

/* Two rounds; `to` holds C, D, G, H and gets A, B, E, F behind them. */
ALWAYS four two_rounds(four to, four abef, four message)
{
    register four wanted __asm__("xmm0") = message;

    __asm__("sha256rnds2 %2, %0" : "+x"(to) : "x"(wanted), "x"(abef));
    return to;
}

ALWAYS four first_half(four a, four b)
{
    __asm__("sha256msg1 %1, %0" : "+x"(a) : "x"(b));
    return a;
}

ALWAYS four second_half(four a, four b)
{
    __asm__("sha256msg2 %1, %0" : "+x"(a) : "x"(b));
    return a;
}

/* The last three words of `low` and the first of `high`. */
ALWAYS four one_on(four high, four low)
{
    __asm__("palignr $4, %1, %0" : "+x"(high) : "x"(low));
    return high;
}

ALWAYS four load_words(const void *at)
{
    return *(const four_there *)at;
}

/* Four words of a message, which are big-endian. */
ALWAYS four load_message(const uint8_t *at)
{
    const four order = {0x00010203, 0x04050607, 0x08090a0b, 0x0c0d0e0f};
    four value = load_words(at);

    __asm__("pshufb %1, %0" : "+x"(value) : "x"(order));
    return value;
}

struct halves {
    four abef; /* the last word first */
    four cdgh;
};

/* Four rounds with the message words `w` and the constants from `at` on. */
ALWAYS void four_rounds(struct halves *state, four w, unsigned at)
{
    four sum = w + load_words(sha256_constants + at);
    four last = {sum[2], sum[3], 0, 0};

    state->cdgh = two_rounds(state->cdgh, state->abef, sum);
    state->abef = two_rounds(state->abef, state->cdgh, last);
}

ALWAYS void take_processor_block(struct halves *state, const uint8_t *at)
{
    const struct halves before = *state;
    four w[4];

    /* Unrolled, or the words lie in memory instead of in registers. */
#pragma GCC unroll 4
    for (unsigned i = 0; i < 4; i++) {
        w[i] = load_message(at + 16 * i);
        four_rounds(state, w[i], 4 * i);
    }
    for (unsigned round = 16; round < 64; round += 16) {
#pragma GCC unroll 4
        for (unsigned i = 0; i < 4; i++) {
            four sum = first_half(w[i], w[(i + 1) % 4]) + one_on(w[(i + 3) % 4], w[(i + 2) % 4]);
            w[i] = second_half(sum, w[(i + 3) % 4]);
            four_rounds(state, w[i], round + 4 * i);
        }
    }
    state->abef += before.abef;
    state->cdgh += before.cdgh;
}

/* Of the two ways to call a function this is the one of firmware, where the upper half of the
 * vector registers belongs to the caller: so it does, whoever calls. */
static __attribute__((ms_abi, noinline)) void take_processor_blocks(uint32_t words[8],
                                                                    const uint8_t *at, size_t count)
{
    struct halves state = {.abef = {words[5], words[4], words[1], words[0]},
                           .cdgh = {words[7], words[6], words[3], words[2]}};

    for (; count > 0; count--, at += SHA256_BLOCK)
        take_processor_block(&state, at);
    for (unsigned i = 0; i < 2; i++) {
        words[i] = state.abef[3 - i];
        words[2 + i] = state.cdgh[3 - i];
        words[4 + i] = state.abef[1 - i];
        words[6 + i] = state.cdgh[1 - i];
    }
}

static void blocks_of_processor(uint32_t words[8], const uint8_t *at, size_t count)
{
    take_processor_blocks(words, at, count);
}

struct features {
    uint32_t a, b, c, d;
};

static struct features ask_processor(uint32_t leaf)
{
    struct features f;

    __asm__ volatile("cpuid" : "=a"(f.a), "=b"(f.b), "=c"(f.c), "=d"(f.d) : "a"(leaf), "c"(0));
    return f;
}

sha256_blocks *sha256_blocks_of_processor(void)
{
    const uint32_t vectors = LEAF_1_SSSE3 | LEAF_1_SSE4_1;

    if (ask_processor(0).a < 7 || (ask_processor(1).c & vectors) != vectors ||
        (ask_processor(7).b & LEAF_7_SHA) == 0)
        return NULL;
    return blocks_of_processor;
}

#else

sha256_blocks *sha256_blocks_of_processor(void)
{
    return NULL;
}

#endif
