/*
 * Changes to a registry hive that may be damaged. The input: one byte, bits 0-1 the kind of a list
 * of subkeys in it, bit 2 version 1.5; one byte, pages of 4096 bytes that it may grow by; one byte,
 * the number of patches to the bins, each an offset (2), a size (1) and so many bytes; then changes
 * until the end, each a kind, a key (its number in the order of the tree), a name (its size, bit 7:
 * UTF-16, and the bytes), and to set a value the size of its data (2):
 *
 *   0  create a key    1  delete it    2  set a value    3  delete it
 *
 * What is not damaged stays so, and a change that is refused changes nothing.
 */
#include "format/regf/regf.h"
#include "format/regf/regf_edit.h"
#include "fuzz/fuzz.h"
#include "fuzz/regf_walk.h"
#include "unit/hive_fixture.h"

#define INPUT_MAX  2048u
#define ARENA_SIZE (1u << 18)
#define PAGES_MAX  8u
#define NAME_MAX   40u
#define DATA_MAX   20000u
#define NOW        0x01dc000000000000u

struct input {
    const uint8_t *at;
    size_t left;
};

static uint32_t take(struct input *input, size_t size)
{
    uint32_t value = 0;

    for (size_t i = 0; i < size && input->left > 0; i++) {
        value |= (uint32_t)*input->at++ << 8 * i;
        input->left--;
    }
    return value;
}

static void patch(struct hive_sample *sample, struct input *input)
{
    uint32_t at = take(input, 2);
    uint32_t size = take(input, 1);

    for (uint32_t i = 0; i < size && input->left > 0; i++) {
        uint8_t byte = (uint8_t)take(input, 1);
        if (0x1000 + at + i < sample->file.size)
            sample->hive.file[0x1000 + at + i] = byte;
    }
}

/* Key `*number` below or at `key`, counted in the order of the tree; 0 when there are not so many,
 * which are then taken off. */
static uint32_t key_of(const struct regf_hive *hive, uint32_t key, uint32_t *number)
{
    uint32_t subkey;

    if ((*number)-- == 0)
        return key;
    for (uint32_t i = 0; regf_subkey_at(hive, key, i, &subkey) == ST_OK; i++) {
        uint32_t found = key_of(hive, subkey, number);
        if (found != 0)
            return found;
    }
    return 0;
}

static enum status change(struct regf_edit *edit, struct input *input)
{
    static uint8_t data[DATA_MAX];
    uint8_t bytes[NAME_MAX] = {0};
    uint32_t kind = take(input, 1) % 4;
    uint32_t number = take(input, 1);
    uint32_t size = take(input, 1);
    bool wide = (size & 0x80) != 0;

    size = (size & 0x7f) % NAME_MAX;
    for (uint32_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)take(input, 1);
    struct regf_name name = {span_of(bytes, wide ? size / 2 * 2 : size), wide};
    uint32_t key = key_of(&edit->hive, edit->hive.root, &number);
    if (key == 0)
        key = edit->hive.root;
    if (kind == 0)
        return regf_create_key(edit, key, name, &key);
    if (kind == 1)
        return regf_delete_key(edit, key);
    if (kind == 3)
        return regf_delete_value(edit, key, name);
    uint32_t data_size = take(input, 2) % DATA_MAX;
    memset(data, (int)size + 1, data_size);
    return regf_set_value(edit, key, name, 3, span_of(data, data_size));
}

static void verify(struct arena *arena, const struct regf_hive *hive)
{
    struct regf_report report;

    require(regf_verify(arena, hive, &report) == ST_OK);
    require(report.damage.problem == REGF_NO_PROBLEM);
    regf_walk_all(hive, &report);
}

static void make_changes(struct arena *arena, struct regf_edit *edit, struct input *input)
{
    uint8_t *before = malloc(edit->capacity);

    require(before != NULL);
    while (input->left > 0) {
        size_t size = 0x1000 + edit->hive.bins.size;
        memcpy(before, edit->file, size);
        enum status status = change(edit, input);
        if (status != ST_OK) {
            require(status != ST_DAMAGED && 0x1000 + edit->hive.bins.size == size);
            require(memcmp(before, edit->file, size) == 0);
        }
        verify(arena, &edit->hive);
    }
    free(before);
    struct span file = regf_edit_finish(edit);
    require(regf_check(file) == REGF_GOOD && file.size <= edit->capacity);
}

/* Only reads what must not be changed. */
static void read_hive(struct arena *arena, struct span file)
{
    struct regf_hive hive;
    struct regf_report report;

    if (regf_open(arena, file, &hive) != ST_OK)
        return;
    require(regf_verify(arena, &hive, &report) == ST_OK);
    require(report.damage.problem != REGF_NO_PROBLEM);
    regf_walk_all(&hive, &report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const kinds[] = {"lf", "lh", "li", "ri"};
    static uint8_t memory[ARENA_SIZE];
    static struct hive_sample sample;
    struct input input = {data, size};
    struct regf_edit edit;
    struct arena arena;

    if (size < 3 || size > INPUT_MAX)
        return 0;
    uint32_t form = take(&input, 1);
    hive_make_sample(&sample, (form & 4) != 0 ? 5 : 3, kinds[form % 4]);
    size_t capacity = sample.file.size + take(&input, 1) % PAGES_MAX * 4096;
    uint32_t patches = take(&input, 1);
    for (uint32_t i = 0; i < patches && input.left > 0; i++)
        patch(&sample, &input);
    /* In a block of just its size. */
    uint8_t *file = malloc(capacity);
    require(file != NULL);
    memcpy(file, sample.file.at, sample.file.size);
    arena_init(&arena, memory, sizeof(memory));
    if (regf_edit_open(&arena, file, sample.file.size, capacity, NOW, &edit) == ST_OK)
        make_changes(&arena, &edit, &input);
    else
        read_hive(&arena, span_of(file, sample.file.size));
    free(file);
    return 0;
}
