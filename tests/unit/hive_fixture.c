#include "unit/hive_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "unit/bytes_fixture.h"

#define BINS 0x1000u

static void put(struct hive_fixture *hive, uint32_t cell, size_t at, uint64_t value, size_t size)
{
    fixture_store_le(hive_at(hive, cell) + at, value, size);
}

void hive_start(struct hive_fixture *hive, uint32_t minor)
{
    memset(hive, 0, sizeof(*hive));
    hive->minor = minor;
    hive->used = 32;
}

uint8_t *hive_at(struct hive_fixture *hive, uint32_t cell)
{
    return hive->file + BINS + cell + 4;
}

static uint32_t add_cell(struct hive_fixture *hive, uint32_t size)
{
    uint32_t cell = (uint32_t)hive->used;

    if (BINS + hive->used + size + BINS > HIVE_FIXTURE_SIZE)
        abort();
    fixture_store_le(hive->file + BINS + cell, size, 4);
    hive->used += size;
    return cell;
}

uint32_t hive_cell(struct hive_fixture *hive, const void *content, size_t size)
{
    uint32_t whole = ((uint32_t)size + 4 + 7) / 8 * 8;
    uint32_t cell = add_cell(hive, whole);

    fixture_store_le(hive->file + BINS + cell, 0 - (uint64_t)whole, 4);
    if (content != NULL)
        memcpy(hive_at(hive, cell), content, size);
    return cell;
}

uint32_t hive_free_cell(struct hive_fixture *hive, uint32_t size)
{
    return add_cell(hive, size);
}

static void end_bin(struct hive_fixture *hive)
{
    uint8_t *header = hive->file + BINS + hive->bin;
    uint32_t rest = (uint32_t)(0 - hive->used) % 4096;

    if (rest > 0)
        hive_free_cell(hive, rest);
    memcpy(header, "hbin", 4);
    fixture_store_le(header + 4, hive->bin, 4);
    fixture_store_le(header + 8, hive->used - hive->bin, 4);
    if (hive->bin == 0)
        fixture_store_le(header + 20, HIVE_TIME, 8);
}

void hive_next_bin(struct hive_fixture *hive)
{
    end_bin(hive);
    hive->bin = hive->used;
    hive->used += 32;
}

uint32_t hive_key_of(struct hive_fixture *hive, uint32_t parent, uint32_t security,
                     const void *name, size_t name_size, bool wide)
{
    uint32_t cell = hive_cell(hive, NULL, 76 + name_size);

    memcpy(hive_at(hive, cell), "nk", 2);
    put(hive, cell, 2, wide ? 0 : 0x20, 2);
    put(hive, cell, 4, HIVE_TIME, 8);
    put(hive, cell, 16, parent, 4);
    put(hive, cell, 28, HIVE_NIL, 4);
    put(hive, cell, 32, HIVE_NIL, 4);
    put(hive, cell, 40, HIVE_NIL, 4);
    put(hive, cell, 44, security, 4);
    put(hive, cell, 48, HIVE_NIL, 4);
    put(hive, cell, 72, name_size, 2);
    memcpy(hive_at(hive, cell) + 76, name, name_size);
    return cell;
}

uint32_t hive_key(struct hive_fixture *hive, uint32_t parent, uint32_t security, const char *name)
{
    return hive_key_of(hive, parent, security, name, strlen(name), false);
}

uint32_t hive_value(struct hive_fixture *hive, const char *name, uint32_t type, const void *data,
                    uint32_t size)
{
    uint32_t place = HIVE_NIL;

    if (size > 4)
        place = hive_cell(hive, data, size);
    uint32_t cell = hive_cell(hive, NULL, 20 + strlen(name));
    memcpy(hive_at(hive, cell), "vk", 2);
    put(hive, cell, 2, strlen(name), 2);
    put(hive, cell, 4, size > 0 && size <= 4 ? size | 0x80000000 : size, 4);
    put(hive, cell, 8, place, 4);
    if (size > 0 && size <= 4)
        memcpy(hive_at(hive, cell) + 8, data, size);
    put(hive, cell, 12, type, 4);
    put(hive, cell, 16, 1, 2);
    memcpy(hive_at(hive, cell) + 20, name, strlen(name));
    return cell;
}

/* A cell of numbers. */
static uint32_t add_numbers(struct hive_fixture *hive, const uint32_t *numbers, uint32_t count)
{
    uint32_t cell = hive_cell(hive, NULL, 4 * (size_t)count);

    for (uint32_t i = 0; i < count; i++)
        put(hive, cell, 4 * (size_t)i, numbers[i], 4);
    return cell;
}

void hive_set_values(struct hive_fixture *hive, uint32_t key, const uint32_t *values,
                     uint32_t count, uint32_t name_max, uint32_t data_max)
{
    put(hive, key, 36, count, 4);
    put(hive, key, 40, add_numbers(hive, values, count), 4);
    put(hive, key, 60, name_max, 4);
    put(hive, key, 64, data_max, 4);
}

/* "lf": the first four characters. "lh": H = H * 37 + upper-case character. ASCII only. */
static void put_hint(struct hive_fixture *hive, uint32_t list, size_t at, const char *kind,
                     uint32_t key)
{
    const uint8_t *record = hive_at(hive, key);
    size_t size = ld_le16(record + 72);
    bool wide = (record[2] & 0x20) == 0;
    uint32_t hash = 0;

    if (strcmp(kind, "lf") == 0 && !wide)
        memcpy(hive_at(hive, list) + at, record + 76, size < 4 ? size : 4);
    if (strcmp(kind, "lh") != 0)
        return;
    for (size_t i = 0; i < size; i++) {
        uint32_t c = record[76 + i];
        hash = hash * 37 + (c >= 'a' && c <= 'z' ? c - 32 : c);
    }
    put(hive, list, at, hash, 4);
}

uint32_t hive_list(struct hive_fixture *hive, const char *kind, const uint32_t *cells,
                   uint16_t count)
{
    bool hints = kind[1] == 'f' || kind[1] == 'h';
    size_t step = hints ? 8 : 4;
    uint32_t list = hive_cell(hive, NULL, 4 + step * count);

    memcpy(hive_at(hive, list), kind, 2);
    put(hive, list, 2, count, 2);
    for (size_t i = 0; i < count; i++) {
        put(hive, list, 4 + step * i, cells[i], 4);
        if (hints)
            put_hint(hive, list, 8 + step * i, kind, cells[i]);
    }
    return list;
}

void hive_set_subkeys(struct hive_fixture *hive, uint32_t key, uint32_t list, uint32_t count)
{
    put(hive, key, 20, count, 4);
    put(hive, key, 28, list, 4);
    put(hive, key, 52, 80, 2);
}

uint32_t hive_security(struct hive_fixture *hive, uint32_t users)
{
    /* A self-relative descriptor that says nothing. */
    static const uint8_t descriptor[20] = {1, 0, 0, 0x80};
    uint32_t cell = hive_cell(hive, NULL, 20 + sizeof(descriptor));

    memcpy(hive_at(hive, cell), "sk", 2);
    put(hive, cell, 4, cell, 4);
    put(hive, cell, 8, cell, 4);
    put(hive, cell, 12, users, 4);
    put(hive, cell, 16, sizeof(descriptor), 4);
    memcpy(hive_at(hive, cell) + 20, descriptor, sizeof(descriptor));
    return cell;
}

void hive_join_security(struct hive_fixture *hive, uint32_t first, uint32_t second)
{
    put(hive, first, 4, second, 4);
    put(hive, first, 8, second, 4);
    put(hive, second, 4, first, 4);
    put(hive, second, 8, first, 4);
}

void hive_sign(uint8_t *file)
{
    uint32_t sum = 0;

    for (size_t at = 0; at < 508; at += 4)
        sum ^= ld_le32(file + at);
    if (sum == 0)
        sum = 1;
    fixture_store_le(file + 508, sum == 0xffffffff ? 0xfffffffe : sum, 4);
}

struct span hive_finish(struct hive_fixture *hive, uint32_t root)
{
    uint8_t *file = hive->file;

    end_bin(hive);
    memcpy(file, "regf", 4);
    fixture_store_le(file + 4, 7, 4);
    fixture_store_le(file + 8, 7, 4);
    fixture_store_le(file + 12, HIVE_TIME, 8);
    fixture_store_le(file + 20, 1, 4);
    fixture_store_le(file + 24, hive->minor, 4);
    fixture_store_le(file + 32, 1, 4);
    fixture_store_le(file + 36, root, 4);
    fixture_store_le(file + 40, hive->used, 4);
    fixture_store_le(file + 44, 1, 4);
    hive_sign(file);
    return span_of(file, BINS + hive->used);
}

/* --- The sample --------------------------------------------------------------------------------*/

static void add_pips(struct hive_sample *sample, const char *kind)
{
    struct hive_fixture *hive = &sample->hive;

    for (uint32_t i = 0; i < 5; i++) {
        char name[] = {'p', 'i', 'p', (char)('1' + i), 0};
        sample->pips[i] = hive_key(hive, sample->apple, sample->security, name);
    }
    if (strcmp(kind, "ri") == 0) {
        uint32_t leaves[2] = {hive_list(hive, "li", sample->pips, 2),
                              hive_list(hive, "li", sample->pips + 2, 3)};
        sample->pip_leaf = leaves[0];
        sample->pip_list = hive_list(hive, kind, leaves, 2);
    } else {
        sample->pip_leaf = sample->pip_list = hive_list(hive, kind, sample->pips, 5);
    }
    hive_set_subkeys(hive, sample->apple, sample->pip_list, 5);
}

static void add_values(struct hive_sample *sample)
{
    static const uint8_t text[] = {'o', 0, 'n', 0, 'e', 0, 0, 0};
    static const uint8_t number[] = {0x78, 0x56, 0x34, 0x12};
    struct hive_fixture *hive = &sample->hive;
    uint32_t values[4];

    sample->text = values[0] = hive_value(hive, "", 1, text, sizeof(text));
    sample->number = values[1] = hive_value(hive, "Number", 4, number, sizeof(number));
    sample->blob = values[2] = hive_value(hive, "Blob", 3, "nine bytes", 9);
    sample->empty = values[3] = hive_value(hive, "Empty", 3, NULL, 0);
    sample->blob_data = ld_le32(hive_at(hive, sample->blob) + 8);
    hive_set_values(hive, sample->apple, values, 4, 12, 9);
    sample->value_list = ld_le32(hive_at(hive, sample->apple) + 40);
}

void hive_make_sample(struct hive_sample *sample, uint32_t minor, const char *kind)
{
    static const uint8_t omega[] = {0xa9, 3, 'm', 0}; /* capital omega */
    struct hive_fixture *hive = &sample->hive;

    hive_start(hive, minor);
    sample->root = hive_key(hive, 0, 0, "Root");
    put(hive, sample->root, 2, 0x2c, 2);
    sample->security = hive_security(hive, 8);
    sample->security2 = hive_security(hive, 1);
    hive_join_security(hive, sample->security, sample->security2);
    put(hive, sample->root, 44, sample->security, 4);
    sample->apple = hive_key(hive, sample->root, sample->security, "apple");
    hive_free_cell(hive, 24);
    sample->bear = hive_key(hive, sample->root, sample->security2, "B\xe4r");
    sample->omega = hive_key_of(hive, sample->root, sample->security, omega, sizeof(omega), true);
    sample->class_name = hive_cell(hive, "c\0l\0", 4);
    put(hive, sample->bear, 48, sample->class_name, 4);
    put(hive, sample->bear, 74, 4, 2);
    put(hive, sample->root, 56, 4, 4);
    uint32_t keys[3] = {sample->apple, sample->bear, sample->omega};
    sample->list = hive_list(hive, "lf", keys, 3);
    hive_set_subkeys(hive, sample->root, sample->list, 3);
    hive_next_bin(hive);
    add_values(sample);
    add_pips(sample, kind);
    sample->file = hive_finish(hive, sample->root);
}
