#include "base/sha256.h"

#include "base/mem.h"
#include "base/sha256_blocks.h"

/* Which way is taken: found at the first digest, NULL before. */
static sha256_blocks *way;

static void take_blocks(struct sha256_state *state, const uint8_t *at, size_t count)
{
    if (way == NULL)
        way = sha256_blocks_choose(sha256_blocks_of_processor());
    way(state->words, at, count);
}

void sha256_start(struct sha256_state *state)
{
    state->size = 0;
    memcpy(state->words, sha256_first, sizeof(state->words));
}

/* Puts as much of `piece` as fits into the block that is being filled; gives how much that was. */
static size_t fill_block(struct sha256_state *state, struct span piece)
{
    size_t used = state->size % SHA256_BLOCK;
    size_t taken = piece.size < SHA256_BLOCK - used ? piece.size : SHA256_BLOCK - used;

    memcpy(state->block + used, piece.at, taken);
    state->size += taken;
    if (used + taken == SHA256_BLOCK)
        take_blocks(state, state->block, 1);
    return taken;
}

void sha256_feed(struct sha256_state *state, struct span piece)
{
    while (piece.size > 0) {
        size_t taken = 0;
        if (state->size % SHA256_BLOCK != 0 || piece.size < SHA256_BLOCK) {
            taken = fill_block(state, piece);
        } else {
            taken = piece.size / SHA256_BLOCK * SHA256_BLOCK;
            take_blocks(state, piece.at, taken / SHA256_BLOCK);
            state->size += taken;
        }
        piece = span_part(piece, taken, piece.size - taken);
    }
}

/* The padding is one bit, zeros, and the length in bits. */
struct sha256 sha256_finish(struct sha256_state *state)
{
    uint8_t padding[2 * SHA256_BLOCK] = {0x80};
    size_t used = state->size % SHA256_BLOCK;
    size_t size = (used + 9 > SHA256_BLOCK ? 2 : 1) * SHA256_BLOCK - used;
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
