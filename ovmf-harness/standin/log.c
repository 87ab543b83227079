/* The log of a hive as Windows 8.1 and later write it: BCD.LOG, which the boot manager replays. */
#include "hive.h"

#define SECTOR 512u
#define BINS   4096u

static UINT32 rotate(UINT32 value, int by)
{
    return value << by | value >> (32 - by);
}

static void mix(UINT32 word, UINT32 *lo, UINT32 *hi)
{
    *lo += word;
    *hi ^= *lo;
    *lo = rotate(*lo, 20) + *hi;
    *hi = rotate(*hi, 9) ^ *lo;
    *lo = rotate(*lo, 27) + *hi;
    *hi = rotate(*hi, 19);
}

/* Marvin32 with the seed of the registry; all that is hashed here has whole words. */
static BOOLEAN has_hash(const UINT8 *hash, const UINT8 *bytes, UINTN size)
{
    UINT32 lo = 0x7a4e55c5;
    UINT32 hi = 0x82ef4d88;

    for (UINTN at = 0; at + 4 <= size; at += 4)
        mix(le32(bytes + at), &lo, &hi);
    mix(0x80, &lo, &hi);
    mix(0, &lo, &hi);
    return le32(hash) == lo && le32(hash + 4) == hi;
}

/* The size of the entry at `at`; 0 when it is not whole or not the next one. */
static UINTN entry_at(const UINT8 *log, UINTN size, UINTN at, UINT32 sequence)
{
    const UINT8 *entry = log + at;

    if (at + SECTOR > size || le32(entry) != 0x454c7648u || le32(entry + 12) != sequence)
        return 0;
    UINTN length = le32(entry + 4);
    if (length == 0 || length % SECTOR || length > size - at ||
        40 + 8ull * le32(entry + 20) > length)
        return 0;
    return has_hash(entry + 24, entry + 40, length - 40) && has_hash(entry + 32, entry, 32) ? length
                                                                                            : 0;
}

/* TRUE when all that the entry refers to is in it, and has a place in the hive. */
static BOOLEAN entry_fits(const struct hive *hive, const UINT8 *entry, UINTN length)
{
    UINT64 bins = le32(entry + 16);
    UINT64 used = 40 + 8ull * le32(entry + 20);

    for (UINT32 i = 0; i < le32(entry + 20); i++) {
        UINT64 size = le32(entry + 44 + 8 * i);
        used += size;
        if (le32(entry + 40 + 8 * i) + size > bins || used > length)
            return FALSE;
    }
    return BINS + bins <= hive->capacity;
}

static void take_entry(struct hive *hive, const UINT8 *entry)
{
    const UINT8 *page = entry + 40 + 8 * (UINTN)le32(entry + 20);

    put32(hive->data + 40, le32(entry + 16));
    if (hive->size < BINS + (UINTN)le32(entry + 16))
        hive->size = BINS + (UINTN)le32(entry + 16);
    for (UINT32 i = 0; i < le32(entry + 20); i++) {
        UINT8 *to = hive->data + BINS + le32(entry + 40 + 8 * i);
        UINTN size = le32(entry + 44 + 8 * i);
        for (UINTN j = 0; j < size; j++)
            to[j] = page[j];
        page += size;
    }
}

BOOLEAN hive_replay(struct hive *hive, const UINT8 *log, UINTN size)
{
    UINTN at = SECTOR;
    UINTN length;

    if (size < 2 * SECTOR || le32(log) != 0x66676572u || le32(log + 28) != 6 ||
        le32(log + 508) != hive_checksum(log) || le32(log + 4) < le32(hive->data + 8))
        return FALSE;
    UINT32 sequence = le32(log + 4);
    while ((length = entry_at(log, size, at, sequence)) != 0 &&
           entry_fits(hive, log + at, length)) {
        take_entry(hive, log + at);
        at += length;
        sequence++;
    }
    if (at == SECTOR)
        return FALSE;
    put32(hive->data + 4, sequence - 1);
    put32(hive->data + 8, sequence - 1);
    put32(hive->data + 0xffc, 1); /* recovered at boot */
    put32(hive->data + 508, hive_checksum(hive->data));
    return TRUE;
}
