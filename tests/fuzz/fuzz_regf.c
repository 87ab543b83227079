/*
 * A registry hive: its frame, its keys and values, and whether it is sound. The input: one byte, 1
 * to correct the checksum first, so that what is behind it is reached; then the file.
 */
#include "format/regf/regf.h"
#include "fuzz/fuzz.h"
#include "fuzz/regf_checksum.h"
#include "fuzz/regf_walk.h"

#define SIZE_LIMIT 65536u
#define ARENA_SIZE (1u << 16)

/* What a full reader will rely on. */
static void check_good(const uint8_t *hive, size_t size)
{
    uint32_t bins = ld_le32(hive + 40);
    uint32_t root = ld_le32(hive + 36);

    require(size >= 8192 && bins >= 4096 && bins % 4096 == 0 && bins <= size - 4096);
    require(memcmp(hive + 4096, "hbin", 4) == 0);
    require(root >= 32 && root % 8 == 0 && root <= bins - 80);
    require(memcmp(hive + 4096 + root + 4, "nk", 2) == 0);
    require(regf_check(span_of(hive, 4096 + bins)) == regf_check(span_of(hive, size)));
    require(regf_check(span_of(hive, 4096 + bins - 1)) == REGF_TRUNCATED);
}

/* Opens and reads it. */
static void read_hive(struct span file, enum regf_state state)
{
    static uint8_t memory[ARENA_SIZE];
    struct arena arena;
    struct regf_hive hive;
    struct regf_report report;

    arena_init(&arena, memory, sizeof(memory));
    enum status status = regf_open(&arena, file, &hive);
    require((status == ST_OK) == (state == REGF_GOOD));
    if (status != ST_OK)
        return;
    require(regf_verify(&arena, &hive, &report) == ST_OK);
    require(regf_problem_is_damage(report.damage.problem) ==
            (report.damage.problem != REGF_NO_PROBLEM));
    regf_walk_all(&hive, &report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > SIZE_LIMIT)
        return 0;
    uint8_t *hive = exact_copy(data + 1, size - 1);

    if (data[0] == 1 && size - 1 >= 512)
        correct_checksum(hive);
    enum regf_state state = regf_check(span_of(hive, size - 1));
    require((unsigned)state < REGF_STATE_COUNT && regf_state_text(state) != NULL);
    if (state == REGF_GOOD || state == REGF_DIRTY)
        check_good(hive, size - 1);
    read_hive(span_of(hive, size - 1), state);
    free(hive);
    return 0;
}
