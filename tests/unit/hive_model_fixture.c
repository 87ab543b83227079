#include "unit/hive_model_fixture.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "format/regf/regf.h"
#include "format/regf/regf_edit.h"
#include "format/regf/regf_verify.h"

#define KEYS_MAX   1024u
#define VALUES_MAX 2048u
#define DATA_MAX   24000u
#define NAME_MAX   24u
#define FILE_MAX   (256u << 10)
#define ARENA_SIZE (1u << 20)
#define NOW        0x01dc000000000000u

struct model_key {
    bool there;
    uint32_t cell;
    size_t parent; /* its own number: the root */
    uint32_t subkeys, values;
};

struct model_value {
    bool there;
    size_t key;
    uint16_t name[NAME_MAX];
    size_t length;
    uint32_t type;
    uint32_t size;
    uint8_t *data;
};

struct model {
    struct model_key keys[KEYS_MAX];
    struct model_value values[VALUES_MAX];
    size_t key_count, value_count;
};

struct run {
    struct regf_edit edit;
    struct arena arena;
    struct model *model;
    uint64_t random;
    struct hive_model_counts *counts;
    uint8_t *before; /* the hive's bins */
};

static uint32_t draw(struct run *run, uint32_t below)
{
    /* xorshift64* */
    run->random ^= run->random >> 12;
    run->random ^= run->random << 25;
    run->random ^= run->random >> 27;
    return (uint32_t)((run->random * 0x2545f4914f6cdd1du) >> 33) % below;
}

/* --- The model ---------------------------------------------------------------------------------*/

static size_t copy_name(uint16_t to[NAME_MAX], struct regf_name name)
{
    size_t length = regf_name_length(name);

    if (length > NAME_MAX)
        abort();
    for (size_t i = 0; i < length; i++)
        to[i] = regf_name_unit(name, i);
    return length;
}

static struct regf_name name_of(const struct model_value *value)
{
    return (struct regf_name){span_of(value->name, 2 * value->length), true};
}

static struct model_value *find_value(struct model *model, size_t key, struct regf_name name)
{
    for (size_t i = 0; i < model->value_count; i++) {
        struct model_value *value = &model->values[i];
        if (value->there && value->key == key && regf_name_compare(name_of(value), name) == 0)
            return value;
    }
    return NULL;
}

static void set_value(struct model *model, size_t key, struct regf_name name, uint32_t type,
                      const uint8_t *data, uint32_t size)
{
    struct model_value *value = find_value(model, key, name);

    if (value == NULL) {
        if (model->value_count == VALUES_MAX)
            abort();
        value = &model->values[model->value_count++];
        *value = (struct model_value){.there = true, .key = key};
        value->length = copy_name(value->name, name);
        model->keys[key].values++;
    }
    free(value->data);
    value->data = malloc(size + 1);
    if (value->data == NULL)
        abort();
    memcpy(value->data, data, size);
    value->type = type;
    value->size = size;
}

static void drop_value(struct model *model, struct model_value *value)
{
    value->there = false;
    model->keys[value->key].values--;
    free(value->data);
    value->data = NULL;
}

static size_t add_key(struct model *model, size_t parent, uint32_t cell)
{
    if (model->key_count == KEYS_MAX)
        abort();
    size_t number = model->key_count++;
    model->keys[number] = (struct model_key){.there = true, .cell = cell, .parent = parent};
    if (parent != number)
        model->keys[parent].subkeys++;
    return number;
}

static bool is_below(const struct model *model, size_t key, size_t top)
{
    while (key != top && model->keys[key].parent != key)
        key = model->keys[key].parent;
    return key == top;
}

static void drop_key(struct model *model, size_t key)
{
    for (size_t i = 0; i < model->value_count; i++) {
        if (model->values[i].there && is_below(model, model->values[i].key, key))
            drop_value(model, &model->values[i]);
    }
    model->keys[model->keys[key].parent].subkeys--;
    for (size_t i = 0; i < model->key_count; i++)
        model->keys[i].there = model->keys[i].there && !is_below(model, i, key);
}

static void load(struct run *run, size_t number)
{
    const struct regf_hive *hive = &run->edit.hive;
    struct model *model = run->model;
    uint32_t cell = model->keys[number].cell;
    static uint8_t data[DATA_MAX];
    struct regf_value value;
    uint32_t subkey;

    for (uint32_t i = 0; regf_value_at(hive, cell, i, &value) == ST_OK; i++) {
        if (regf_copy_data(hive, &value, data, sizeof(data)) != ST_OK)
            abort();
        set_value(model, number, value.name, value.type, data, value.size);
    }
    for (uint32_t i = 0; regf_subkey_at(hive, cell, i, &subkey) == ST_OK; i++)
        load(run, add_key(model, number, subkey));
}

/* --- The comparison ----------------------------------------------------------------------------*/

static const char *compare_values(const struct run *run)
{
    static uint8_t data[DATA_MAX];
    const struct model *model = run->model;
    struct regf_value found;

    for (size_t i = 0; i < model->value_count; i++) {
        const struct model_value *value = &model->values[i];
        if (!value->there)
            continue;
        uint32_t cell = model->keys[value->key].cell;
        if (regf_find_value(&run->edit.hive, cell, name_of(value), &found) != ST_OK)
            return "a value is not there";
        if (found.type != value->type || found.size != value->size ||
            regf_name_length(found.name) != value->length)
            return "a value has another type, size or name";
        if (regf_copy_data(&run->edit.hive, &found, data, sizeof(data)) != ST_OK ||
            memcmp(data, value->data, value->size) != 0)
            return "a value has other data";
    }
    return NULL;
}

static const char *compare(struct run *run)
{
    const struct model *model = run->model;
    struct regf_report report;
    struct regf_key key;
    uint32_t there = 0;

    if (regf_verify(&run->arena, &run->edit.hive, &report) != ST_OK)
        abort();
    if (report.damage.problem != REGF_NO_PROBLEM)
        return regf_problem_text(report.damage.problem);
    if (report.untidy.problem != REGF_NO_PROBLEM)
        return regf_problem_text(report.untidy.problem);
    for (size_t i = 0; i < model->key_count; i++) {
        if (!model->keys[i].there)
            continue;
        there++;
        if (regf_read_key(&run->edit.hive, model->keys[i].cell, &key) != ST_OK)
            return "a key is not there";
        if (i > 0 && key.parent != model->keys[model->keys[i].parent].cell)
            return "a key has another parent";
        if (key.subkey_count != model->keys[i].subkeys || key.value_count != model->keys[i].values)
            return "a key has more or fewer subkeys or values";
    }
    return there != report.key_count ? "there are more or fewer keys" : compare_values(run);
}

/* --- The changes -------------------------------------------------------------------------------*/

static size_t draw_key(struct run *run)
{
    size_t number;

    do
        number = draw(run, (uint32_t)run->model->key_count);
    while (!run->model->keys[number].there);
    return number;
}

/* Names that collide now and then, in any case, and in all scripts that matter. */
static struct regf_name draw_name(struct run *run, uint8_t bytes[2 * NAME_MAX], bool key)
{
    static const uint16_t letters[] = {'a', 'A', 'b', '1', '_', 0xe4, 0xc4, 0x3b1, 0x391, 0x4e00};
    size_t length = draw(run, 8) == 0 ? 8 + draw(run, 14) : draw(run, 3) + (key ? 1 : 0);
    bool narrow = draw(run, 2) == 0;

    for (size_t i = 0; i < length; i++) {
        uint16_t unit = letters[draw(run, draw(run, 4) == 0 ? 10 : 5)];
        if (unit > 0xff)
            narrow = false;
        bytes[2 * i] = (uint8_t)unit;
        bytes[2 * i + 1] = (uint8_t)(unit >> 8);
    }
    for (size_t i = 0; narrow && i < length; i++)
        bytes[i] = bytes[2 * i];
    return (struct regf_name){span_of(bytes, narrow ? length : 2 * length), !narrow};
}

static uint32_t draw_size(struct run *run)
{
    static const uint32_t limits[] = {5, 5, 5, 20, 20, 80, 300, 3000};

    return draw(run, 60) == 0 ? draw(run, DATA_MAX) : draw(run, limits[draw(run, 8)]);
}

static enum status create_key(struct run *run)
{
    uint8_t bytes[2 * NAME_MAX];
    size_t parent = draw_key(run);
    struct regf_name name = draw_name(run, bytes, true);
    uint32_t cell = run->model->keys[parent].cell;
    uint32_t key;

    bool there = regf_find_subkey(&run->edit.hive, cell, name, &key) == ST_OK;
    enum status status = regf_create_key(&run->edit, cell, name, &key);
    if (there != (status == ST_EXISTS))
        abort();
    if (status == ST_OK) {
        uint32_t found;
        (void)add_key(run->model, parent, key);
        if (regf_find_subkey(&run->edit.hive, cell, name, &found) != ST_OK || found != key)
            abort();
    }
    return status;
}

static enum status delete_key(struct run *run)
{
    size_t key = draw_key(run);

    /* Mostly small trees, so that something is left. */
    if (run->model->keys[key].subkeys > 0 && draw(run, 4) != 0)
        key = draw_key(run);
    enum status status = regf_delete_key(&run->edit, run->model->keys[key].cell);
    if ((status == ST_REFUSED) != (key == 0))
        abort();
    if (status == ST_OK)
        drop_key(run->model, key);
    return status;
}

/* One of the key's values half of the time, where it has any. */
static struct regf_name draw_value(struct run *run, size_t key, uint8_t bytes[2 * NAME_MAX])
{
    struct regf_value value;
    uint32_t count = run->model->keys[key].values;

    if (count > 0 && draw(run, 2) == 0 &&
        regf_value_at(&run->edit.hive, run->model->keys[key].cell, draw(run, count), &value) ==
            ST_OK)
        return value.name;
    return draw_name(run, bytes, false);
}

static enum status change_value(struct run *run, bool set)
{
    static uint8_t data[DATA_MAX];
    uint8_t bytes[2 * NAME_MAX];
    uint16_t units[NAME_MAX];
    size_t key = draw_key(run);
    uint32_t cell = run->model->keys[key].cell;
    struct regf_name name = draw_value(run, key, bytes);
    /* The model's own, as the hive's is gone when it is needed. */
    struct regf_name copy = {span_of(units, 2 * copy_name(units, name)), true};

    if (!set) {
        enum status status = regf_delete_value(&run->edit, cell, name);
        struct model_value *value = find_value(run->model, key, copy);
        if ((status == ST_ABSENT) != (value == NULL))
            abort();
        if (value != NULL)
            drop_value(run->model, value);
        return status;
    }
    uint32_t size = draw_size(run);
    uint32_t type = draw(run, 12);
    memset(data, (int)draw(run, 256), size);
    if (size > 0)
        data[size - 1] = (uint8_t)draw(run, 256);
    enum status status = regf_set_value(&run->edit, cell, name, type, span_of(data, size));
    if (status == ST_OK)
        set_value(run->model, key, copy, type, data, size);
    return status;
}

static const char *change(struct run *run)
{
    static const unsigned kinds[] = {0, 0, 0, 1, 2, 2, 2, 2, 3};
    unsigned kind = kinds[draw(run, 9)];
    size_t size = run->edit.hive.bins.size;

    memcpy(run->before, run->edit.hive.bins.at, size);
    enum status status = kind == 0   ? create_key(run)
                         : kind == 1 ? delete_key(run)
                                     : change_value(run, kind == 2);
    if (status == ST_OK) {
        run->counts->made[kind]++;
        return compare(run);
    }
    run->counts->made[4]++;
    run->counts->no_space += status == ST_NO_SPACE;
    if (status == ST_DAMAGED || (status == ST_UNSUPPORTED && run->edit.hive.minor == 3))
        return "a change was refused without a reason";
    if (run->edit.hive.bins.size != size || memcmp(run->before, run->edit.hive.bins.at, size) != 0)
        return "a change was refused, and the hive is another one";
    return NULL;
}

/* --- The whole ---------------------------------------------------------------------------------*/

static const char *finish(struct run *run, struct span old)
{
    struct span file = regf_edit_finish(&run->edit);
    struct regf_hive hive;

    if (regf_check(file) != REGF_GOOD)
        return "the hive that was changed is not good";
    if (ld_le32(file.at + 4) != ld_le32(old.at + 4) + 1 || ld_le64(file.at + 12) != NOW)
        return "sequence number or time are wrong";
    if (regf_open(&run->arena, file, &hive) != ST_OK)
        return "the hive that was changed does not open";
    run->edit.hive = hive;
    run->counts->grown += file.size > old.size;
    return compare(run);
}

static const char *run_edits(struct run *run, struct span file, unsigned edits)
{
    const char *wrong = compare(run);

    for (unsigned i = 0; wrong == NULL && i < edits; i++)
        wrong = change(run);
    return wrong != NULL ? wrong : finish(run, file);
}

const char *hive_model_run(struct span file, uint64_t seed, unsigned edits,
                           struct hive_model_counts *counts)
{
    static uint8_t memory[ARENA_SIZE];
    static uint8_t before[FILE_MAX];
    static uint8_t copy[FILE_MAX];
    static struct model model;
    struct run run = {.model = &model, .random = seed * 2 + 1, .counts = counts, .before = before};

    arena_init(&run.arena, memory, sizeof(memory));
    for (size_t i = 0; i < 8; i++)
        (void)draw(&run, 2);
    size_t room = draw(&run, 3) == 0 ? draw(&run, 3) * 4096 : sizeof(copy) - file.size;
    model.key_count = model.value_count = 0;
    memcpy(copy, file.at, file.size);
    if (regf_edit_open(&run.arena, copy, file.size, file.size + room, NOW, &run.edit) != ST_OK)
        return "the hive cannot be changed";
    load(&run, add_key(&model, 0, run.edit.hive.root));
    const char *wrong = run_edits(&run, file, edits);
    for (size_t i = 0; i < model.value_count; i++) {
        free(model.values[i].data);
        model.values[i].data = NULL;
    }
    return wrong;
}
