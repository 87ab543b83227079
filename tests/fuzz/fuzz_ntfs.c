/*
 * A small NTFS volume (ntfs_fixture.h) with some bytes changed. The input: one byte that chooses
 * the volume, then changes: one byte, the target; two bytes, where in it, from its start; one byte,
 * how many bytes; these bytes. Targets: 0 the boot sector, 1 its backup, 2 to 199 file records from
 * number 0, 200 to 249 KiB of index from the first block of the root directory (even) or System32
 * (odd), 250 to 255 the first 4 KiB of \lznt1.bin's clusters (even) or of \xpress.bin's (odd).
 * An offset from 0x8000 on counts in the record as it is without its update sequence.
 */
#include "format/ntfs/ntfs.h"
#include "format/ntfs/ntfs_boot.h"
#include "format/ntfs/ntfs_data.h"
#include "format/ntfs/ntfs_folder.h"
#include "format/ntfs/ntfs_index.h"
#include "format/ntfs/ntfs_record.h"
#include "fuzz/fuzz.h"
#include "unit/ntfs_fixture.h"

#define ARENA_BYTES (1024u * 1024)
#define CHANGES_MAX 32u
#define UNSEALED    0x8000u
#define READ_LIMIT  (64u << 20)

static struct ntfs_fixture *fixtures[4];

static struct ntfs_fixture *choose_fixture(uint8_t which)
{
    struct ntfs_fixture_shape shape = ntfs_fixture_small();

    which %= 4;
    if (fixtures[which] == NULL) {
        shape.names = 20;
        shape.cluster_size = which == 2 ? 512 : which == 3 ? 8192 : 1024;
        shape.split_mft = shape.split_index = which != 0;
        shape.packed = shape.cluster_size == 1024;
        shape.sectors = which == 3 ? 3071 : 1023;
        fixtures[which] = ntfs_fixture_new(&shape);
    }
    return fixtures[which];
}

/* What a change hits: a record of `size` bytes. */
struct target {
    uint8_t *at;
    uint32_t size;
};

static struct target choose_target(const struct ntfs_fixture *fixture, uint8_t which)
{
    uint64_t cluster = which % 2 == 0 ? fixture->root_index : fixture->system32_index;

    if (which == 0)
        return (struct target){fixture->bytes, 512};
    if (which == 1)
        return (struct target){fixture->bytes + fixture->size - 512, 512};
    if (which < 200) {
        uint64_t records = (fixture->mft_clusters[0] + fixture->mft_clusters[1]) *
                           fixture->shape.cluster_size / fixture->shape.record_size;
        return (struct target){ntfs_fixture_record(fixture, (which - 2u) % records), 1024};
    }
    if (which >= 250 && fixture->shape.packed) {
        cluster = which % 2 == 0 ? fixture->lznt1_cluster : fixture->xpress_cluster;
        return (struct target){ntfs_fixture_cluster(fixture, cluster), 4096};
    }
    size_t offset = (size_t)((which - 200u) / 2 * 1024 + cluster * fixture->shape.cluster_size);
    return (struct target){fixture->bytes + offset, 4096};
}

struct undo {
    uint8_t *at;
    uint32_t size;
    uint8_t saved[4096];
};

static struct undo undos[CHANGES_MAX];

static void change(const struct target *target, uint32_t offset, struct span bytes)
{
    bool unseal = offset >= UNSEALED && target->at[0] != 0xeb;
    uint32_t sequence = ld_le16(target->at + 4);

    offset %= target->size;
    if (bytes.size > target->size - offset)
        bytes.size = target->size - offset;
    unseal = unseal && sequence + 2 * (target->size / 512 + 1) < 510;
    if (unseal)
        ntfs_fixture_unseal(target->at, target->size);
    memcpy(target->at + offset, bytes.at, bytes.size);
    if (unseal && ld_le16(target->at + 4) == sequence)
        ntfs_fixture_seal(target->at, target->size);
}

/* The parsers on blocks of just their size, where the sanitizer sees a byte read too much. */
static void parse_alone(const struct target *target)
{
    static const struct ntfs_key nothing = {.type = 0xffffffff};
    static const struct ntfs_key data = {.type = NTFS_DATA};
    uint8_t *copy = exact_copy(target->at, target->size);
    struct ntfs_attribute attribute;
    struct ntfs_record record;
    struct ntfs_node node;
    struct ntfs_pair pair;

    if (ntfs_record_parse(copy, target->size, ld_le32(copy + 0x2c), &record) == ST_OK) {
        require(!ntfs_record_find(&record, &nothing, 0, &attribute));
        if (ntfs_record_find(&record, &data, 0, &attribute) && !attribute.resident) {
            struct ntfs_pair_cursor cursor = {.pairs = attribute.pairs};
            while (ntfs_pair_next(&cursor, &pair) == ST_OK)
                require(pair.clusters > 0 && pair.lcn <= INT64_MAX);
        }
    }
    memcpy(copy, target->at, target->size);
    if (ntfs_index_block_parse(copy, target->size, ld_le64(copy + 0x10), &node) == ST_OK) {
        struct ntfs_entry entry = {0};
        for (size_t at = 0; !entry.is_last;)
            entry = ntfs_node_entry(&node, &at);
    }
    free(copy);
}

static size_t apply_changes(const struct ntfs_fixture *fixture, struct span input)
{
    size_t count = 0;

    while (count < CHANGES_MAX && input.size >= 4) {
        struct target target = choose_target(fixture, input.at[0]);
        size_t size = input.at[3] < input.size - 4 ? input.at[3] : input.size - 4;
        struct undo *undo = &undos[count++];
        undo->at = target.at;
        undo->size = target.size;
        memcpy(undo->saved, target.at, target.size);
        change(&target, ld_le16(input.at + 1), span_of(input.at + 4, size));
        parse_alone(&target);
        input = span_part(input, 4 + size, input.size - 4 - size);
    }
    return count;
}

static void take_back(size_t count)
{
    while (count-- > 0)
        memcpy(undos[count].at, undos[count].saved, undos[count].size);
}

static void check_file(struct ntfs_volume *volume, const struct ntfs_file *file)
{
    static uint8_t data[20000];
    size_t got = sizeof data + 1;
    uint64_t offset = file->size > sizeof data ? file->size - sizeof data / 2 : 0;
    uint64_t left = file->size - offset;

    if (ntfs_read(volume, file, offset, data, sizeof data, &got) != ST_OK) {
        require(got == sizeof data + 1);
        return;
    }
    require(file->is_directory || got == (left < sizeof data ? left : sizeof data));
}

/* All of it, in reads of odd sizes: what is read again is the same. */
static void read_data(struct ntfs_volume *volume, const struct ntfs_file *file)
{
    static uint8_t first[3 * 20000 + 1];
    static uint8_t again[7001];
    size_t mark = arena_mark(volume->arena);
    struct ntfs_data data;
    size_t got = 0;
    enum status status = ntfs_data_open(volume, file, &data);

    require(status == ST_OK || arena_mark(volume->arena) == mark);
    require(status != ST_UNSUPPORTED || !ntfs_form_is_read(file->form));
    if (status != ST_OK)
        return;
    require(data.size == file->size);
    status = ntfs_data_read(&data, 0, first, sizeof first, &got);
    size_t whole = status == ST_OK ? got : 0;
    for (size_t offset = 0; offset < whole; offset += got) {
        require(ntfs_data_read(&data, offset, again, sizeof again, &got) == ST_OK);
        require(got > 0 &&
                memcmp(again, first + offset, got < whole - offset ? got : whole - offset) == 0);
    }
    arena_release(volume->arena, mark);
}

static void list_items(struct ntfs_volume *volume, const struct ntfs_file *file)
{
    size_t mark = arena_mark(volume->arena);
    struct ntfs_item *item = NULL;
    size_t size = volume->arena->size;
    enum status status = ntfs_list(volume, ntfs_reference(file), &item);

    require(status == ST_OK || (item == NULL && arena_mark(volume->arena) == mark));
    require(volume->arena->size == size);
    for (; item != NULL; item = item->next)
        require(item->name.size <= 510);
    arena_release(volume->arena, mark);
}

static void look_up(struct ntfs_volume *volume, const char *path)
{
    struct ntfs_file file;
    struct ntfs_file before;
    size_t used = volume->arena->used;

    memset(&file, 0xa5, sizeof file);
    memcpy(&before, &file, sizeof file);
    enum status status = ntfs_lookup(volume, path, &file);
    require(status == ST_OK || memcmp(&before, &file, sizeof file) == 0);
    require(status == ST_OK || status == ST_ABSENT || status == ST_DAMAGED ||
            status == ST_UNSUPPORTED || status == ST_NO_MEMORY);
    if (status == ST_OK) {
        check_file(volume, &file);
        read_data(volume, &file);
        list_items(volume, &file);
    }
    require(volume->arena->used == used);
}

static void open_and_look(struct ntfs_fixture *fixture, struct arena *arena)
{
    static const char *const paths[] = {
        "\\",
        "\\Windows\\System32\\winload.efi",
        "\\windows\\system32\\file00007name.dll",
        "\\sparse.bin",
        "\\short.bin",
        "\\scattered.bin",
        "\\packed.bin",
        "\\lznt1.bin",
        "\\xpress.bin",
        "\\lzx.bin",
        "\\small.txt",
        "\\Junction\\x",
        "\\\xd0\xb6\xd1\x83\xd0\xba",
        "\\Windows\\nothing",
        "\\$UpCase",
    };
    struct block_port port = ntfs_fixture_port(fixture);
    struct ntfs_volume volume;
    enum status status = ntfs_open(arena, &port, 0, ntfs_fixture_blocks(fixture), &volume);

    if (status != ST_OK) {
        require(arena->used == 0);
        return;
    }
    require(volume.cluster_size != 0 && volume.clusters != 0);
    require(volume.clusters <= fixture->size / volume.cluster_size);
    require(volume.boot == NTFS_BOOT_GOOD || volume.backup == NTFS_BOOT_GOOD);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        look_up(&volume, paths[i]);
    require(volume.read_bytes == fixture->read_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t memory[ARENA_BYTES];
    struct arena arena;

    if (size < 1)
        return 0;
    struct ntfs_fixture *fixture = choose_fixture(data[0]);
    fixture->read_bytes = 0;
    size_t changes = apply_changes(fixture, span_of(data + 1, size - 1));
    arena_init(&arena, memory, sizeof memory);
    open_and_look(fixture, &arena);
    require(fixture->read_bytes < READ_LIMIT);
    take_back(changes);
    return 0;
}
