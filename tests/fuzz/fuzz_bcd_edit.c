/*
 * Changes of a boot store as they are typed, one after the other, on a mirror whose Disk 1 has the
 * store of Windows. The input: one byte, the number of bytes in it that are changed, each an offset
 * (2) and what is put there (1); then steps until the end: a kind, an object, an element, the
 * number of words (at most 3) and those. Each of these is a byte: a word of the lists below, or
 * behind their end the number of bytes of a text that follow.
 *
 * A store that is written is whole; a step that is refused says why; one that is done has nothing
 * to do once more.
 */
#include "fuzz/store_machine.h"
#include "plan/bcd_edit.h"
#include "unit/store_fixture.h"

#define INPUT_MAX  2048u
#define STORE_SIZE 16384u
#define ESP        1u
#define WORD_MAX   64u
#define SECOND     "{11111111-9cb2-11e9-8d5c-525400a1b2c3}"
#define DATA_0     "5ad00000-0000-4000-8000-000000000004"
#define DATA_1     "5ad00000-0001-4000-8000-000000000004"

static const char *const objects[] = {
    "{default}", "{bootmgr}",   "{current}",        "{memdiag}", STORE_LOADER, SECOND,
    "{ramdisk}", "{fwbootmgr}", "{globalsettings}", "bootmgr",   "all",
};

static const char *const elements[] = {
    "device",
    "osdevice",
    "path",
    "description",
    "displayorder",
    "default",
    "timeout",
    "nx",
    "safeboot",
    "bootsequence",
    "inherit",
    "recoverysequence",
    "recoveryenabled",
    "custom:26000010",
    "custom:45000001",
    "resumeobject",
    "loadoptions",
    "locale",
    "custom:17000077",
    "testsigning",
};

static const char *const values[] = {
    "partition=C:",
    "boot",
    "locate",
    "partition=" DATA_0,
    DATA_1,
    "0/4",
    "1/1",
    "{default}",
    SECOND,
    STORE_LOADER,
    "yes",
    "off",
    "AlwaysOn",
    "Minimal",
    "5",
    "0x10",
    "-1",
    "18446744073709551616",
    "\\a\\b.efi",
    "partition=X:",
    "Windows",
    "hd_partition=C:",
};

struct input {
    const uint8_t *at;
    size_t left;
    char texts[8][WORD_MAX + 1];
    size_t text_count;
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

static const char *take_word(struct input *input, const char *const *list, size_t count)
{
    size_t index = take(input, 1);
    char *text = input->texts[input->text_count];

    if (index < count)
        return list[index];
    input->text_count++;
    size_t size = (index - count) % WORD_MAX;
    memset(text, 0, WORD_MAX + 1);
    for (size_t i = 0; i < size; i++)
        text[i] = (char)take(input, 1);
    return text;
}

#define TAKE_WORD(input, list) take_word(input, list, sizeof(list) / sizeof((list)[0]))

static struct bcd_step take_step(struct input *input, const char **ret_words)
{
    struct bcd_step step = {.words = ret_words};

    input->text_count = 0;
    step.kind = (enum bcd_step_kind)(take(input, 1) % (BCD_RETARGET + 1));
    step.object = TAKE_WORD(input, objects);
    if (step.kind != BCD_DELETE && step.kind != BCD_COPY && step.kind != BCD_RECOVERY)
        step.element = TAKE_WORD(input, elements);
    step.count = take(input, 1) % 4;
    if (step.kind == BCD_COPY || step.kind == BCD_RETARGET)
        step.count = step.kind == BCD_COPY ? 1 : 2;
    for (size_t i = 0; i < step.count; i++)
        ret_words[i] = TAKE_WORD(input, values);
    return step;
}

static struct span usual_store(uint8_t *bytes)
{
    static struct store_fixture store;
    uint8_t device[STORE_DEVICE_SIZE];

    store_fixture_partition(DATA_1, DATA_0, device);
    store_fixture_usual(&store, device, sizeof(device));
    size_t second = store_fixture_object(&store, SECOND, STORE_TYPE_LOADER);
    store_fixture_string(&store, second, "12000004", "Secondary plex");
    store_fixture_device(&store, second, "11000001", device, sizeof(device));
    return span_of(bytes, store_fixture_write(&store, bytes, STORE_SIZE));
}

/* Plans the step for the store; ST_OK with no bytes when there is nothing to do. */
static enum status try_step(struct arena *arena, const struct machine *machine, struct span file,
                            const struct bcd_step *step, struct span *ret_file)
{
    const struct bcd_target target = {ESP, MIRROR_STORE, file};
    const struct bcd_request request = {.steps = step,
                                        .step_count = 1,
                                        .targets = &target,
                                        .target_count = 1,
                                        .now = {.year = 2026, .month = 1, .day = 1}};
    struct plan plan;

    plan_init(&plan, arena, machine);
    enum status status = plan_bcd_edit(&plan, &request, NULL);
    if (status != ST_OK) {
        require(status != ST_NO_MEMORY && plan.count == 0);
        require(strstr(plan.refusal, "Nothing was changed.") != NULL);
        return status;
    }
    *ret_file = store_planned(&plan, ESP);
    require((ret_file->size > 0) == (plan.count > 0));
    return ST_OK;
}

/* Done once more, it is done already. What adds something each time is not asked. */
static bool is_lasting(const struct bcd_step *step)
{
    return step->kind == BCD_SET || step->kind == BCD_UNSET || step->kind == BCD_LIST ||
           step->kind == BCD_REMOVE;
}

static void make_steps(const struct machine *machine, uint8_t *io_bytes, size_t size,
                       struct input *input)
{
    const char *words[4];
    struct span made, again;

    while (input->left > 0) {
        struct arena *arena = store_arena();
        struct bcd_step step = take_step(input, words);
        if (try_step(arena, machine, span_of(io_bytes, size), &step, &made) != ST_OK ||
            made.size == 0 || made.size > 4 * STORE_SIZE)
            continue;
        require(store_damage(arena, made) == REGF_NO_PROBLEM);
        memcpy(io_bytes, made.at, made.size);
        size = made.size;
        if (is_lasting(&step))
            require(try_step(store_arena(), machine, span_of(io_bytes, size), &step, &again) !=
                        ST_OK ||
                    again.size == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t bytes[4 * STORE_SIZE];
    struct input input = {.at = data, .left = size};

    if (size > INPUT_MAX)
        return 0;
    struct span file = usual_store(bytes);
    uint32_t patches = take(&input, 1) % 8;
    for (uint32_t i = 0; i < patches; i++) {
        size_t at = 0x1000 + take(&input, 2) % (file.size - 0x1000);
        bytes[at] = (uint8_t)take(&input, 1);
    }
    make_steps(&store_machine()->machine, bytes, file.size, &input);
    return 0;
}
