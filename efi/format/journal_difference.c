/* How blocks were before a change, told by what differs from how they are afterwards. */
#include "journal_layout.h"

#include "base/mem.h"

#define HEAD         4u
#define LENGTH_MAX   0x3fffu /* bytes that are skipped, or of one difference */
#define KIND_SHIFT   14u
#define COUNTING_MIN 16u /* bytes of numbers that are worth a difference of their own */

enum kind { BYTES, ZEROS, COUNTING_2, COUNTING_4 };

/* --- Telling ---------------------------------------------------------------------------------- */

/* The length of the difference at `at`, up to a run of equal bytes that is worth a new one. */
static size_t difference_length(struct span old, struct span new, size_t at)
{
    size_t end = at;
    size_t equal = 0;

    for (size_t i = at; i < old.size && i - at < LENGTH_MAX && equal <= HEAD; i++) {
        equal = old.at[i] == new.at[i] ? equal + 1 : 0;
        end = equal == 0 ? i + 1 : end;
    }
    return end - at;
}

/* Of `length` bytes at `at`, how many are zero before another is met. */
static size_t zero_length(struct span old, size_t at, size_t length)
{
    size_t zeros = 0;

    while (zeros < length && old.at[at + zeros] == 0)
        zeros++;
    return zeros;
}

static uint32_t number_at(const uint8_t *at, size_t unit)
{
    return unit == 2 ? ld_le16(at) : ld_le32(at);
}

/* Bytes at `at` that are numbers of `unit` bytes, each one more than the one before. */
static size_t counting_length(struct span old, size_t at, size_t unit)
{
    size_t end = at + unit;

    if (at % unit != 0)
        return 0;
    while (end + unit <= old.size && end + unit - at <= LENGTH_MAX &&
           number_at(old.at + end, unit) - number_at(old.at + end - unit, unit) == 1)
        end += unit;
    return end - at;
}

/* How the bytes from `at` on are told best, of which `length` differ at most; what is told by the
 * rest of it comes next. */
static enum kind choose_kind(struct span old, size_t at, size_t *io_length)
{
    size_t zeros = zero_length(old, at, *io_length);

    for (size_t unit = 2; unit <= 4; unit += 2) {
        size_t counting = counting_length(old, at, unit);
        if (counting >= COUNTING_MIN) {
            *io_length = counting;
            return unit == 2 ? COUNTING_2 : COUNTING_4;
        }
    }
    if (zeros <= HEAD && zeros < *io_length)
        return BYTES;
    *io_length = zeros;
    return ZEROS;
}

/* The length of a difference that is told by bytes, up to where numbers begin to count. */
static size_t bytes_before_counting(struct span old, size_t at, size_t length)
{
    for (size_t i = 1; i < length; i++) {
        if (counting_length(old, at + i, 2) >= COUNTING_MIN ||
            counting_length(old, at + i, 4) >= COUNTING_MIN)
            return i;
    }
    return length;
}

static const size_t sizes[] = {[ZEROS] = 0, [COUNTING_2] = 2, [COUNTING_4] = 4};

/* Bytes that stand for a difference of that kind. */
static size_t told_size(enum kind kind, size_t length)
{
    return kind == BYTES ? length : sizes[kind];
}

void journal_put_differences(struct builder *builder, struct span old, struct span new)
{
    size_t from = 0;
    size_t at = 0;

    while (at < old.size) {
        if (old.at[at] == new.at[at] && at - from < LENGTH_MAX) {
            at++;
            continue;
        }
        /* A number may begin with bytes that are equal. */
        size_t start = at - from >= at % 4 ? at - at % 4 : from;
        size_t length = difference_length(old, new, at) + at - start;
        enum kind kind = choose_kind(old, start, &length);
        if (kind == BYTES || kind == ZEROS) {
            start = at;
            length = difference_length(old, new, at);
            kind = choose_kind(old, start, &length);
        }
        if (kind == BYTES)
            length = bytes_before_counting(old, start, length);
        builder_le16(builder, (uint16_t)(start - from));
        builder_le16(builder, (uint16_t)(length | (unsigned)kind << KIND_SHIFT));
        builder_bytes(builder, span_part(old, start, told_size(kind, length)));
        from = at = start + length;
    }
}

/* --- Taking apart ----------------------------------------------------------------------------- */

/* One difference; `rest` is what follows it. */
struct difference {
    size_t skipped;
    size_t length;
    enum kind kind;
    struct span told;
    struct span rest;
};

static bool take_difference(struct span differences, struct difference *ret_difference)
{
    struct difference it;

    if (differences.size < HEAD)
        return false;
    it.skipped = ld_le16(differences.at);
    it.length = ld_le16(differences.at + 2) & LENGTH_MAX;
    it.kind = (enum kind)(ld_le16(differences.at + 2) >> KIND_SHIFT);
    size_t size = told_size(it.kind, it.length);
    it.told = span_part(differences, HEAD, size);
    if (it.told.at == NULL || (it.kind >= COUNTING_2 && it.length % size != 0))
        return false;
    it.rest = span_part(differences, HEAD + size, differences.size - HEAD - size);
    *ret_difference = it;
    return true;
}

bool journal_differences_are_sound(struct span differences, uint64_t size)
{
    struct difference it;
    uint64_t at = 0;

    while (take_difference(differences, &it)) {
        at += (uint64_t)it.skipped + it.length;
        if (at > size)
            return false;
        differences = it.rest;
    }
    return differences.size == 0;
}

/* The byte number `i` of a difference. */
static uint8_t old_byte(const struct difference *it, size_t i)
{
    size_t unit = told_size(it->kind, 0);

    if (it->kind == BYTES)
        return it->told.at[i];
    if (it->kind == ZEROS)
        return 0;
    uint32_t number = number_at(it->told.at, unit) + (uint32_t)(i / unit);
    return (uint8_t)(number >> (8 * (i % unit)));
}

/* Makes the old content of the bytes [first, first + size) from the new one. */
static void apply_differences(struct span differences, uint64_t first, size_t size,
                              uint8_t *io_block)
{
    struct difference it;
    uint64_t at = 0;

    while (take_difference(differences, &it)) {
        at += it.skipped;
        for (size_t i = 0; i < it.length; i++) {
            if (at + i >= first && at + i - first < size)
                io_block[at + i - first] = old_byte(&it, i);
        }
        at += it.length;
        differences = it.rest;
    }
}

void journal_digest(struct span block, uint8_t ret_digest[JOURNAL_DIGEST_SIZE])
{
    struct sha256 digest = sha256_of(block);

    memcpy(ret_digest, digest.bytes, JOURNAL_DIGEST_SIZE);
}

static bool has_digest(struct span digests, uint32_t block, struct span content)
{
    uint8_t digest[JOURNAL_DIGEST_SIZE];

    journal_digest(content, digest);
    return memcmp(digests.at + (size_t)block * JOURNAL_DIGEST_SIZE, digest, sizeof(digest)) == 0;
}

bool journal_old_block(const struct journal_record *record, uint32_t block, struct span now,
                       uint8_t *ret_old)
{
    if (has_digest(record->old_digests, block, now)) {
        memcpy(ret_old, now.at, now.size);
        return true;
    }
    if (!has_digest(record->new_digests, block, now))
        return false;
    memcpy(ret_old, now.at, now.size);
    apply_differences(record->differences, (uint64_t)block * now.size, now.size, ret_old);
    return has_digest(record->old_digests, block, span_of(ret_old, now.size));
}
