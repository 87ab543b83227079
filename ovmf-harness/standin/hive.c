#include "hive.h"

#define BINS  4096u
#define DEPTH 2 /* of lists in each other */

#define NO_SUCH_FILE  0xc000000fu
#define NOT_FOUND     0xc0000034u
#define HIVE_CORRUPT  0xc000014cu
#define RESIDENT_DATA 0x80000000u

/* The content of a cell in use with at least `need` bytes; NULL when there is none. */
static const UINT8 *cell(const struct hive *hive, UINT32 at, UINTN need)
{
    if (at == HIVE_NONE || hive->size < BINS + 4 || at > hive->size - BINS - 4)
        return NULL;
    UINT32 size = 0u - le32(hive->data + BINS + at);
    if (size > hive->size - BINS - at || size < need + 4)
        return NULL;
    return hive->data + BINS + at + 4;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* True when `size` bytes, Latin-1 or UTF-16, are that name. */
static BOOLEAN is_name(const UINT8 *bytes, UINTN size, BOOLEAN narrow, const char *name)
{
    UINTN step = narrow ? 1 : 2;
    UINTN at = 0;

    for (; *name && at + step <= size; at += step, name++) {
        if (lower((char)bytes[at]) != lower(*name) || (!narrow && bytes[at + 1]))
            return FALSE;
    }
    return !*name && at == size;
}

static BOOLEAN is_key(const struct hive *hive, UINT32 at, const char *name)
{
    const UINT8 *key = cell(hive, at, 76);

    if (key == NULL || key[0] != 'n' || key[1] != 'k' ||
        cell(hive, at, 76 + (UINTN)le16(key + 72)) == NULL)
        return FALSE;
    return is_name(key + 76, le16(key + 72), (le16(key + 2) & 0x20) != 0, name);
}

static UINT32 child_in(const struct hive *hive, UINT32 at, const char *name, int depth)
{
    const UINT8 *list = cell(hive, at, 4);

    if (list == NULL || depth == DEPTH)
        return HIVE_NONE;
    BOOLEAN lists = list[0] == 'r';
    UINTN step = list[1] == 'i' ? 4 : 8;
    UINTN count = le16(list + 2);
    if (cell(hive, at, 4 + step * count) == NULL)
        return HIVE_NONE;
    for (UINTN i = 0; i < count; i++) {
        UINT32 entry = le32(list + 4 + step * i);
        UINT32 found = lists                       ? child_in(hive, entry, name, depth + 1)
                       : is_key(hive, entry, name) ? entry
                                                   : HIVE_NONE;
        if (found != HIVE_NONE)
            return found;
    }
    return HIVE_NONE;
}

UINT32 hive_root(const struct hive *hive)
{
    return le32(hive->data + 36);
}

UINTN hive_child_count(const struct hive *hive, UINT32 key)
{
    const UINT8 *own = cell(hive, key, 76);

    return own == NULL ? 0 : le32(own + 20);
}

UINT32 hive_child(const struct hive *hive, UINT32 key, const char *name)
{
    const UINT8 *own = cell(hive, key, 76);

    return own == NULL || le32(own + 20) == 0 ? HIVE_NONE : child_in(hive, le32(own + 28), name, 0);
}

static const UINT8 *data_of(const struct hive *hive, const UINT8 *value, UINTN *ret_size)
{
    UINT32 size = le32(value + 4);

    if (size & RESIDENT_DATA) {
        *ret_size = size & ~RESIDENT_DATA;
        return *ret_size <= 4 ? value + 8 : NULL;
    }
    *ret_size = size;
    return cell(hive, le32(value + 8), size);
}

const UINT8 *hive_value(const struct hive *hive, UINT32 key, const char *name, UINTN *ret_size)
{
    const UINT8 *own = cell(hive, key, 76);
    UINTN count = own == NULL ? 0 : le32(own + 36);
    const UINT8 *list = count == 0 ? NULL : cell(hive, le32(own + 40), 4 * count);

    for (UINTN i = 0; list != NULL && i < count; i++) {
        const UINT8 *value = cell(hive, le32(list + 4 * i), 20);
        if (value == NULL || cell(hive, le32(list + 4 * i), 20 + (UINTN)le16(value + 2)) == NULL)
            return NULL;
        if (is_name(value + 20, le16(value + 2), (le16(value + 16) & 1) != 0, name))
            return data_of(hive, value, ret_size);
    }
    return NULL;
}

/* --- Is it whole? --------------------------------------------------------------------------- */

UINT32 hive_checksum(const UINT8 *block)
{
    UINT32 sum = 0;

    for (int i = 0; i < 127; i++)
        sum ^= le32(block + 4 * i);
    return sum == 0 ? 1 : sum == 0xffffffffu ? 0xfffffffeu : sum;
}

/* True when the cells of a bin fill it. */
static BOOLEAN cells_fill(const UINT8 *bin, UINTN size)
{
    UINTN at = 32;

    while (at + 8 <= size) {
        UINT32 length = le32(bin + at);
        length = length & 0x80000000u ? 0u - length : length;
        if (length < 8 || length % 8 || length > size - at)
            return FALSE;
        at += length;
    }
    return at == size;
}

static BOOLEAN bins_fill(const UINT8 *bins, UINTN size)
{
    UINTN at = 0;

    while (at < size) {
        UINT32 length = le32(bins + at + 8);
        if (le32(bins + at) != 0x6e696268u || le32(bins + at + 4) != at || length == 0 ||
            length % 4096 || length > size - at || !cells_fill(bins + at, length))
            return FALSE;
        at += length;
    }
    return TRUE;
}

UINT32 hive_open(struct hive *hive, const UINT8 *log, UINTN log_size)
{
    UINT8 *data = hive->data;

    if (hive->size < 512 || le32(data) != 0x66676572u)
        return HIVE_CORRUPT;
    if (le32(data + 508) != hive_checksum(data))
        return NO_SUCH_FILE;
    if (le32(data + 4) != le32(data + 8)) {
        if (log == NULL || !hive_replay(hive, log, log_size))
            return NO_SUCH_FILE;
        hive->mended = TRUE;
    }
    UINTN bins = le32(data + 40);
    if (bins == 0 || bins % 4096)
        return HIVE_CORRUPT;
    if (hive->size < BINS || bins > hive->size - BINS)
        return NOT_FOUND;
    return bins_fill(data + BINS, bins) ? 0 : HIVE_CORRUPT;
}
