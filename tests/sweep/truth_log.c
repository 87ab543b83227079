#include "sweep/truth_log.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define BINS   4096u
#define SECTOR 512u

static uint32_t turn(uint32_t value, int by)
{
    return value << by | value >> (32 - by);
}

/* Whole words only: all that a log hashes has them. */
static bool is_hash(const uint8_t *stored, const uint8_t *data, size_t size)
{
    uint32_t low = 0x7a4e55c5u;
    uint32_t high = 0x82ef4d88u;

    for (size_t at = 0; at <= size + 4; at += 4) {
        low += at < size ? ld_le32(data + at) : at == size ? 0x80u : 0;
        high ^= low;
        low = turn(low, 20) + high;
        high = turn(high, 9) ^ low;
        low = turn(low, 27) + high;
        high = turn(high, 19);
    }
    return ld_le32(stored) == low && ld_le32(stored + 4) == high;
}

static uint32_t sum_of(const uint8_t *block)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < 508; i += 4)
        sum ^= ld_le32(block + i);
    return sum;
}

/* The size of a whole entry; 0 for none. */
static size_t entry_size(const struct truth_file *log, size_t at, uint32_t sequence)
{
    const uint8_t *entry = log->data + at;

    if (at + SECTOR > log->size || memcmp(entry, "HvLE", 4) != 0 || ld_le32(entry + 12) != sequence)
        return 0;
    size_t size = ld_le32(entry + 4);
    uint64_t used = 40 + 8 * (uint64_t)ld_le32(entry + 20);
    if (size == 0 || size > log->size - at || used > size ||
        !is_hash(entry + 24, entry + 40, size - 40) || !is_hash(entry + 32, entry, 32))
        return 0;
    for (size_t i = 0; i < ld_le32(entry + 20); i++) {
        const uint8_t *page = entry + 40 + 8 * i;
        used += ld_le32(page + 4);
        if (ld_le32(page) + (uint64_t)ld_le32(page + 4) > ld_le32(entry + 16) || used > size)
            return 0;
    }
    return size;
}

static bool apply(struct truth_file *hive, const uint8_t *entry)
{
    size_t size = BINS + ld_le32(entry + 16);
    const uint8_t *content = entry + 40 + 8 * (size_t)ld_le32(entry + 20);
    uint8_t *data = size > hive->size ? realloc(hive->data, size) : hive->data;

    if (data == NULL)
        return false;
    hive->data = data;
    if (size > hive->size) {
        memset(data + hive->size, 0, size - hive->size);
        hive->size = size;
    }
    for (size_t i = 0; i < ld_le32(entry + 20); i++) {
        const uint8_t *page = entry + 40 + 8 * i;
        memcpy(data + BINS + ld_le32(page), content, ld_le32(page + 4));
        content += ld_le32(page + 4);
    }
    st_le32(data + 4, ld_le32(entry + 12));
    st_le32(data + 8, ld_le32(entry + 12));
    st_le32(data + 40, ld_le32(entry + 16));
    st_le32(data + 508, sum_of(data));
    return true;
}

bool truth_log_replay(struct truth_file *hive, const struct truth_file *log)
{
    size_t at = SECTOR;

    if (hive->data == NULL || hive->size < BINS ||
        ld_le32(hive->data + 4) == ld_le32(hive->data + 8))
        return true;
    if (log->data == NULL || log->size < 2 * SECTOR || memcmp(log->data, "regf", 4) != 0 ||
        ld_le32(log->data + 28) != 6 || sum_of(log->data) != ld_le32(log->data + 508) ||
        ld_le32(log->data + 4) < ld_le32(hive->data + 8))
        return false;
    uint32_t sequence = ld_le32(log->data + 4);
    for (size_t size = 0; (size = entry_size(log, at, sequence)) != 0; sequence++) {
        if (!apply(hive, log->data + at))
            return false;
        at += size;
    }
    return at > SECTOR;
}
