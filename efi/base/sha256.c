#include "base/sha256.h"

#include "base/mem.h"

#define BLOCK_SIZE 64u

static const uint32_t round_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate(uint32_t value, int bits)
{
    return value >> bits | value << (32 - bits);
}

static void expand(const uint8_t *block, uint32_t w[64])
{
    for (int i = 0; i < 16; i++)
        w[i] = ld_be32(block + i * 4);
    for (int i = 16; i < 64; i++) {
        uint32_t s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
}

static void compress(uint32_t state[8], const uint8_t *block)
{
    uint32_t w[64];
    uint32_t v[8];

    expand(block, w);
    memcpy(v, state, sizeof(v));
    for (int i = 0; i < 64; i++) {
        uint32_t s1 = rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25);
        uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
        uint32_t first = v[7] + s1 + choice + round_constants[i] + w[i];
        uint32_t s0 = rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22);
        uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
        memmove(v + 1, v, 7 * sizeof(v[0]));
        v[4] += first;
        v[0] = first + s0 + majority;
    }
    for (int i = 0; i < 8; i++)
        state[i] += v[i];
}

void sha256_start(struct sha256_state *state)
{
    static const struct sha256_state fresh = {.words = {0x6a09e667, 0xbb67ae85, 0x3c6ef372,
                                                        0xa54ff53a, 0x510e527f, 0x9b05688c,
                                                        0x1f83d9ab, 0x5be0cd19}};

    *state = fresh;
}

/* Puts as much of `piece` as fits into the block that is being filled; gives how much that was. */
static size_t fill_block(struct sha256_state *state, struct span piece)
{
    size_t used = state->size % BLOCK_SIZE;
    size_t taken = piece.size < BLOCK_SIZE - used ? piece.size : BLOCK_SIZE - used;

    memcpy(state->block + used, piece.at, taken);
    state->size += taken;
    if (used + taken == BLOCK_SIZE)
        compress(state->words, state->block);
    return taken;
}

void sha256_feed(struct sha256_state *state, struct span piece)
{
    while (piece.size > 0) {
        size_t taken = 0;
        if (state->size % BLOCK_SIZE != 0 || piece.size < BLOCK_SIZE) {
            taken = fill_block(state, piece);
        } else {
            compress(state->words, piece.at);
            taken = BLOCK_SIZE;
            state->size += BLOCK_SIZE;
        }
        piece = span_part(piece, taken, piece.size - taken);
    }
}

/* The padding is one bit, zeros, and the length in bits. */
struct sha256 sha256_finish(struct sha256_state *state)
{
    uint8_t padding[2 * BLOCK_SIZE] = {0x80};
    size_t used = state->size % BLOCK_SIZE;
    size_t size = (used + 9 > BLOCK_SIZE ? 2 : 1) * BLOCK_SIZE - used;
    uint64_t bits = state->size * 8;
    struct sha256 digest;

    for (int i = 0; i < 8; i++)
        padding[size - 8 + i] = (uint8_t)(bits >> (56 - 8 * i));
    sha256_feed(state, span_of(padding, size));
    for (int i = 0; i < 32; i++)
        digest.bytes[i] = (uint8_t)(state->words[i / 4] >> (24 - 8 * (i % 4)));
    return digest;
}

struct sha256 sha256_of(struct span data)
{
    struct sha256_state state;

    sha256_start(&state);
    sha256_feed(&state, data);
    return sha256_finish(&state);
}

bool sha256_equal(const struct sha256 *a, const struct sha256 *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}
