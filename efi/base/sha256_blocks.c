#include "base/sha256_blocks.h"

#include "base/bytes.h"
#include "base/mem.h"

const uint32_t sha256_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

const uint32_t sha256_first[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                  0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

/* To the right by 1 to 31 bits. */
static inline uint32_t rotated(uint32_t value, int bits)
{
    return value >> bits | value << (32 - bits);
}

/* The functions of FIPS 180-4 section 4.1.2, rotations that are shared are done once. */
static inline __attribute__((always_inline)) uint32_t big_sigma0(uint32_t x)
{
    return rotated(rotated(rotated(x, 9) ^ x, 11) ^ x, 2); /* 2, 13, 22 */
}

static inline __attribute__((always_inline)) uint32_t big_sigma1(uint32_t x)
{
    return rotated(rotated(rotated(x, 14) ^ x, 5) ^ x, 6); /* 6, 11, 25 */
}

static inline __attribute__((always_inline)) uint32_t small_sigma0(uint32_t x)
{
    return rotated(rotated(x, 11) ^ x, 7) ^ x >> 3; /* 7, 18 */
}

static inline __attribute__((always_inline)) uint32_t small_sigma1(uint32_t x)
{
    return rotated(rotated(x, 2) ^ x, 17) ^ x >> 10; /* 17, 19 */
}

static void expand(const uint8_t *block, uint32_t w[64])
{
    for (int i = 0; i < 16; i++)
        w[i] = ld_be32(block + i * 4);
    for (int i = 16; i < 64; i++)
        w[i] = w[i - 16] + small_sigma0(w[i - 15]) + w[i - 7] + small_sigma1(w[i - 2]);
}

/*
 * A round. Instead of moving the eight words on, the next round has their names turned by one. The
 * majority of a, b and c is b but where both others differ from it; in the next round a ^ b is b ^ c.
 */
#define ROUND(a, b, c, d, e, f, g, h, i)                                       \
    do {                                                                       \
        h += big_sigma1(e) + (g ^ (e & (f ^ g))) + sha256_constants[i] + w[i]; \
        d += h;                                                                \
        uint32_t differs = a ^ b;                                              \
        h += big_sigma0(a) + (b ^ (differs & differed));                       \
        differed = differs;                                                    \
    } while (0)

static void take_block(uint32_t state[8], const uint8_t *block)
{
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    uint32_t differed = b ^ c;
    uint32_t w[64];

    expand(block, w);
    for (int i = 0; i < 64; i += 8) {
        ROUND(a, b, c, d, e, f, g, h, i);
        ROUND(h, a, b, c, d, e, f, g, i + 1);
        ROUND(g, h, a, b, c, d, e, f, i + 2);
        ROUND(f, g, h, a, b, c, d, e, i + 3);
        ROUND(e, f, g, h, a, b, c, d, i + 4);
        ROUND(d, e, f, g, h, a, b, c, i + 5);
        ROUND(c, d, e, f, g, h, a, b, i + 6);
        ROUND(b, c, d, e, f, g, h, a, i + 7);
    }
    const uint32_t after[8] = {a, b, c, d, e, f, g, h};
    for (int i = 0; i < 8; i++)
        state[i] += after[i];
}

void sha256_blocks_plain(uint32_t words[8], const uint8_t *at, size_t count)
{
    for (; count > 0; count--, at += SHA256_BLOCK)
        take_block(words, at);
}

/* "abc", padded, and what FIPS 180-4 (its examples, SHA-256 of one block) says of it. */
static bool is_right(sha256_blocks *own)
{
    static const uint8_t text[SHA256_BLOCK] = {'a', 'b', 'c', 0x80, [SHA256_BLOCK - 1] = 24};
    static const uint32_t published[8] = {0xba7816bf, 0x8f01cfea, 0x414140de, 0x5dae2223,
                                          0xb00361a3, 0x96177a9c, 0xb410ff61, 0xf20015ad};
    uint32_t words[8];

    memcpy(words, sha256_first, sizeof(words));
    own(words, text, 1);
    return memcmp(words, published, sizeof(words)) == 0;
}

sha256_blocks *sha256_blocks_choose(sha256_blocks *own)
{
    return own != NULL && is_right(own) ? own : sha256_blocks_plain;
}
