/*
 * A journal from a stick that anybody may have written on: parsing reads nothing outside, and what
 * was parsed builds the same bytes again.
 */
#include "base/crc32.h"
#include "format/journal.h"
#include "fuzz/fuzz.h"

#define INPUT_MAX 16384u

static uint8_t arena_bytes[1u << 20];

/* Parses and, where that succeeds, builds and parses again. */
static void check(struct span input)
{
    struct arena arena;
    struct journal journal;
    struct journal again;
    struct span built;

    arena_init(&arena, arena_bytes, sizeof(arena_bytes));
    if (journal_parse(&arena, input, &journal) == ST_OK) {
        require(journal_build(&arena, &journal, &built) == ST_OK && built.size <= input.size);
        require(journal_parse(&arena, built, &again) == ST_OK && again.count == journal.count);
        for (size_t i = 0; i < again.count; i++) {
            require(span_equal(again.records[i].old_data, journal.records[i].old_data));
            require(span_equal(again.records[i].new_data, journal.records[i].new_data));
        }
    }
}

/* Makes total and checksum right: no fuzzer guesses a CRC. */
static void seal(uint8_t *input, size_t size)
{
    st_le32(input + 8, (uint32_t)size);
    st_le32(input + 28, 0);
    st_le32(input + 28, crc32_update(0, input, size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > INPUT_MAX)
        return 0;
    uint8_t *input = exact_copy(data, size);
    check(span_of(input, size));
    if (size >= 32) {
        seal(input, size);
        check(span_of(input, size));
    }
    free(input);
    return 0;
}
