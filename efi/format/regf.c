#include "format/regf.h"

#include "base/mem.h"

#define BASE_SIZE       4096u
#define BIN_UNIT        4096u
#define BIN_HEADER_SIZE 32u
#define CHECKSUM_AT     508u
#define CELL_UNIT       8u
#define KEY_MIN_SIZE    80u /* a cell with the fixed part of a key */

#define LOG_HEAD_SIZE 1024u
#define LOG_BASE_SIZE 512u
#define LOG_TYPE_OLD  1u
#define LOG_TYPE_NEW  6u

static uint32_t base_checksum(const uint8_t *base)
{
    uint32_t sum = 0;

    for (size_t at = 0; at < CHECKSUM_AT; at += 4)
        sum ^= ld_le32(base + at);
    if (sum == 0)
        return 1;
    return sum == 0xffffffff ? 0xfffffffe : sum;
}

static bool version_is_known(const uint8_t *base)
{
    uint32_t minor = ld_le32(base + 24);

    return ld_le32(base + 20) == 1 && minor >= 3 && minor <= 6 && ld_le32(base + 28) == 0 &&
           ld_le32(base + 32) == 1;
}

/* The size of a cell, whether it is in use or not; 0 when it is none that fits into `left`. */
static uint32_t cell_size(const uint8_t *cell, uint64_t left)
{
    uint32_t value = ld_le32(cell);
    uint32_t size = value > 0x7fffffff ? 0 - value : value;

    return size % CELL_UNIT == 0 && size <= left ? size : 0;
}

static bool is_key(const uint8_t *cell, uint32_t size)
{
    return ld_le32(cell) > 0x7fffffff && size >= KEY_MIN_SIZE && memcmp(cell + 4, "nk", 2) == 0;
}

/* Follows the cells of one bin to its end. Finds out on the way whether `root`, the offset of a
 * cell in this bin, is that of a key. */
static bool bin_is_sound(struct span bin, uint64_t root, bool *found_root)
{
    uint64_t at = BIN_HEADER_SIZE;

    while (at < bin.size) {
        uint32_t size = cell_size(bin.at + at, bin.size - at);
        if (size == 0)
            return false;
        if (at == root && is_key(bin.at + at, size))
            *found_root = true;
        at += size;
    }
    return true;
}

/* The bin at `at` of all bins; an empty span when it is none. */
static struct span bin_at(struct span bins, uint64_t at)
{
    struct span header = span_part(bins, at, BIN_HEADER_SIZE);

    if (header.at == NULL || memcmp(header.at, "hbin", 4) != 0 || ld_le32(header.at + 4) != at)
        return span_of(NULL, 0);
    uint32_t size = ld_le32(header.at + 8);
    if (size == 0 || size % BIN_UNIT != 0)
        return span_of(NULL, 0);
    return span_part(bins, at, size);
}

static bool bins_are_sound(struct span bins, uint32_t root)
{
    bool found_root = false;
    uint64_t at = 0;

    while (at < bins.size) {
        struct span bin = bin_at(bins, at);
        if (bin.size == 0)
            return false;
        uint64_t root_in_bin = root >= at ? root - at : 0;
        if (!bin_is_sound(bin, root_in_bin, &found_root))
            return false;
        at += bin.size;
    }
    return found_root;
}

enum regf_state regf_check(struct span file)
{
    if (file.size < 4 || memcmp(file.at, "regf", 4) != 0)
        return REGF_NOT_A_HIVE;
    if (file.size < BASE_SIZE)
        return REGF_TRUNCATED;
    if (base_checksum(file.at) != ld_le32(file.at + CHECKSUM_AT))
        return REGF_BAD_CHECKSUM;
    if (!version_is_known(file.at))
        return REGF_UNSUPPORTED;
    uint32_t bins_size = ld_le32(file.at + 40);
    if (!span_holds(file, BASE_SIZE, bins_size))
        return REGF_TRUNCATED;
    if (bins_size % BIN_UNIT != 0)
        return REGF_DAMAGED;
    if (!bins_are_sound(span_part(file, BASE_SIZE, bins_size), ld_le32(file.at + 36)))
        return REGF_DAMAGED;
    return ld_le32(file.at + 4) == ld_le32(file.at + 8) ? REGF_GOOD : REGF_DIRTY;
}

bool regf_log_fits(struct span hive, struct span log)
{
    if (hive.size < BASE_SIZE || log.size < LOG_HEAD_SIZE || memcmp(log.at, "regf", 4) != 0 ||
        base_checksum(log.at) != ld_le32(log.at + CHECKSUM_AT))
        return false;
    const uint8_t *entries = log.at + LOG_BASE_SIZE;
    uint32_t sequence = ld_le32(log.at + 4);
    if (ld_le32(log.at + 28) == LOG_TYPE_OLD)
        return memcmp(entries, "DIRT", 4) == 0 && sequence == ld_le32(log.at + 8) &&
               memcmp(log.at + 12, hive.at + 12, 8) == 0;
    return ld_le32(log.at + 28) == LOG_TYPE_NEW && memcmp(entries, "HvLE", 4) == 0 &&
           ld_le32(entries + 12) == sequence && sequence >= ld_le32(hive.at + 8);
}

const char *regf_state_text(enum regf_state state)
{
    static const char *const texts[REGF_STATE_COUNT] = {
        [REGF_GOOD] = "it is whole",
        [REGF_NOT_A_HIVE] = "it is not a registry hive",
        [REGF_TRUNCATED] = "it is shorter than its own header says",
        [REGF_BAD_CHECKSUM] = "the checksum of its header is wrong",
        [REGF_UNSUPPORTED] = "it is a registry hive of a kind that is not known",
        [REGF_DAMAGED] = "its structure is broken",
        [REGF_DIRTY] = "a write to it was not finished",
    };

    if ((unsigned)state >= REGF_STATE_COUNT)
        return "it has an unknown problem";
    return texts[state];
}
