#include "format/regf/regf.h"

#include "base/mem.h"
#include "regf_layout.h"

#define KEY_MIN_SIZE (REGF_CELL_SIZE_SIZE + REGF_KEY_SIZE)

uint32_t regf_base_checksum(const uint8_t *base)
{
    uint32_t sum = 0;

    for (size_t at = 0; at < REGF_CHECKSUM_AT; at += 4)
        sum ^= ld_le32(base + at);
    if (sum == 0)
        return 1;
    return sum == 0xffffffff ? 0xfffffffe : sum;
}

static bool version_is_known(const uint8_t *base)
{
    uint32_t minor = ld_le32(base + REGF_MINOR_AT);

    return ld_le32(base + REGF_MAJOR_AT) == 1 && minor >= 3 && minor <= 6 &&
           ld_le32(base + REGF_TYPE_AT) == 0 && ld_le32(base + REGF_FORMAT_AT) == 1;
}

uint32_t regf_cell_step(const uint8_t *cell, uint64_t left)
{
    uint32_t value = ld_le32(cell);
    uint32_t size = value > 0x7fffffff ? 0 - value : value;

    return size % REGF_CELL_UNIT == 0 && size <= left ? size : 0;
}

static bool is_key(const uint8_t *cell, uint32_t size)
{
    return regf_cell_is_used(cell) && size >= KEY_MIN_SIZE &&
           memcmp(cell + REGF_CELL_SIZE_SIZE, "nk", 2) == 0;
}

static void mark(uint8_t *in_use, uint64_t cell)
{
    uint64_t unit = cell / REGF_CELL_UNIT;

    if (in_use != NULL)
        in_use[unit / 8] |= (uint8_t)(1u << unit % 8);
}

/* Follows the cells of the bin at `place` to its end. Finds out on the way whether `root` is the
 * cell of a key. */
static bool bin_is_sound(struct span bin, uint64_t place, uint64_t root, uint8_t *in_use,
                         bool *found_root)
{
    uint64_t at = REGF_BIN_HEADER_SIZE;

    while (at < bin.size) {
        uint32_t size = regf_cell_step(bin.at + at, bin.size - at);
        if (size == 0)
            return false;
        if (regf_cell_is_used(bin.at + at))
            mark(in_use, place + at);
        if (place + at == root && is_key(bin.at + at, size))
            *found_root = true;
        at += size;
    }
    return true;
}

struct span regf_bin_at(struct span bins, uint64_t at)
{
    struct span header = span_part(bins, at, REGF_BIN_HEADER_SIZE);

    if (header.at == NULL || memcmp(header.at, "hbin", 4) != 0 || ld_le32(header.at + 4) != at)
        return span_of(NULL, 0);
    uint32_t size = ld_le32(header.at + 8);
    if (size == 0 || size % REGF_BIN_UNIT != 0)
        return span_of(NULL, 0);
    return span_part(bins, at, size);
}

static bool bins_are_sound(struct span bins, uint32_t root, uint8_t *in_use)
{
    bool found_root = false;
    uint64_t at = 0;

    while (at < bins.size) {
        struct span bin = regf_bin_at(bins, at);
        if (bin.size == 0)
            return false;
        if (!bin_is_sound(bin, at, root, in_use, &found_root))
            return false;
        at += bin.size;
    }
    return found_root;
}

enum regf_state regf_check_frame(struct span file, uint8_t *in_use)
{
    if (file.size < 4 || memcmp(file.at, "regf", 4) != 0)
        return REGF_NOT_A_HIVE;
    if (file.size < REGF_BASE_SIZE)
        return REGF_TRUNCATED;
    if (regf_base_checksum(file.at) != ld_le32(file.at + REGF_CHECKSUM_AT))
        return REGF_BAD_CHECKSUM;
    if (!version_is_known(file.at))
        return REGF_UNSUPPORTED;
    uint32_t bins_size = ld_le32(file.at + REGF_BINS_SIZE_AT);
    if (!span_holds(file, REGF_BASE_SIZE, bins_size))
        return REGF_TRUNCATED;
    if (bins_size > REGF_BINS_MAX)
        return REGF_UNSUPPORTED;
    if (bins_size % REGF_BIN_UNIT != 0)
        return REGF_DAMAGED;
    if (!bins_are_sound(span_part(file, REGF_BASE_SIZE, bins_size), ld_le32(file.at + REGF_ROOT_AT),
                        in_use))
        return REGF_DAMAGED;
    return ld_le32(file.at + REGF_PRIMARY_AT) == ld_le32(file.at + REGF_SECONDARY_AT) ? REGF_GOOD
                                                                                      : REGF_DIRTY;
}

enum regf_state regf_check(struct span file)
{
    return regf_check_frame(file, NULL);
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
