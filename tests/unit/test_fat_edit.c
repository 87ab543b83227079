/*
 * Changes to FAT file systems: power is cut at every phase, after single blocks of it and after
 * random sets of them. What is then on the disk is looked at twice: by the checker, which stops at
 * the end marker of a directory as Windows does, and by a walk of this file's own that does not, as
 * Linux' driver does not. Then the change is made a second time, and has to come to its end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"
#include "format/fat/fat_directory.h"
#include "format/fat/fat_edit.h"
#include "format/fat/fat_table.h"
#include "host/host_alloc.h"
#include "unit/image_fixture.h"
#include "unit/sample.h"

#define MIB        (1u << 20)
#define ARENA_SIZE (24u * MIB)
#define DOCS_MAX   700
#define STATES_MAX 24 /* of a kind and phase */
#define FIRST_LBA  64u
#define ABSENT     0u /* a content */

static const struct date_time old_date = {2009, 7, 14, 1, 2, 4};
static const struct date_time new_date = {2024, 2, 29, 23, 58, 58};

/* A file or directory of the test: content `before` and `after` the change, as seeds. */
struct doc {
    char path[300];
    bool is_directory;
    unsigned before; /* ABSENT: not there */
    unsigned after;  /* the same as before: not touched; ABSENT: it goes */
    size_t before_size;
    size_t after_size;
};

struct world {
    struct image image;
    void *memory;
    struct arena arena;
    struct doc docs[DOCS_MAX];
    size_t count;
    bool after;      /* which contents are asked for */
    bool is_unusual; /* one FAT only counts */
    bool skip_done;  /* what has its new content already is not asked for again */
    bool crosses;    /* a name that goes lies in two blocks: a cut may leave a part of it */
    size_t states;
};

/* --- Contents --------------------------------------------------------------------------------- */

static uint8_t content_byte(unsigned seed, size_t at)
{
    return (uint8_t)((seed * 2654435761u + at * 40503u + (at >> 9) * 77u) >> 7);
}

static struct span made_content(unsigned seed, size_t size)
{
    static uint8_t bytes[2 * MIB];

    for (size_t i = 0; i < size; i++)
        bytes[i] = content_byte(seed, i);
    return span_of(bytes, size);
}

static struct span content_of(void *ctx, size_t source)
{
    const struct world *world = ctx;
    const struct doc *doc = &world->docs[source];

    return world->after ? made_content(doc->after, doc->after_size)
                        : made_content(doc->before, doc->before_size);
}

static struct doc *add_doc(struct world *world, const char *path, unsigned before,
                           size_t before_size, unsigned after, size_t after_size)
{
    assert_true(world->count < DOCS_MAX);
    struct doc *doc = &world->docs[world->count++];
    *doc = (struct doc){
        .before = before, .before_size = before_size, .after = after, .after_size = after_size};
    snprintf(doc->path, sizeof(doc->path), "%s", path);
    return doc;
}

static void add_kept(struct world *world, const char *path, size_t size)
{
    unsigned seed = (unsigned)world->count + 1;

    (void)add_doc(world, path, seed, size, seed, size);
}

static void add_changed(struct world *world, const char *path, size_t before, size_t after)
{
    unsigned seed = (unsigned)world->count + 1;

    (void)add_doc(world, path, seed, before, seed + 1000, after);
}

static void add_new(struct world *world, const char *path, size_t size)
{
    (void)add_doc(world, path, ABSENT, 0, (unsigned)world->count + 1000, size);
}

static void add_going(struct world *world, const char *path, size_t size)
{
    (void)add_doc(world, path, (unsigned)world->count + 1, size, ABSENT, 0);
}

static void add_directory(struct world *world, const char *path, bool is_new)
{
    struct doc *doc = add_doc(world, path, is_new ? ABSENT : 1, 0, 1, 0);

    doc->is_directory = true;
}

static struct doc *find_doc(struct world *world, const char *path)
{
    for (size_t i = 0; i < world->count; i++) {
        if (strcasecmp(world->docs[i].path, path) == 0)
            return &world->docs[i];
    }
    return NULL;
}

static bool doc_is(struct fat_volume *volume, const struct doc *doc, uint32_t cluster, size_t size,
                   bool after);

static bool is_done(const struct world *world, struct fat_volume *volume,
                    const struct fat_report *report, const struct doc *doc)
{
    size_t file = fat_find(report, doc->path);

    if (doc->after == ABSENT)
        return file == FAT_NO_FILE;
    return world->skip_done && file != FAT_NO_FILE &&
           doc_is(volume, doc, report->files[file].first_cluster, report->files[file].size, true);
}

/* Requests for what is there before, or for what the change is. */
static size_t make_requests(struct world *world, struct fat_volume *volume,
                            const struct fat_report *report, struct fat_entry_request *requests,
                            bool after)
{
    size_t count = 0;

    for (size_t i = 0; i < world->count; i++) {
        const struct doc *doc = &world->docs[i];
        if (after ? doc->before == doc->after : doc->before == ABSENT)
            continue;
        if (after && is_done(world, volume, report, doc))
            continue;
        requests[count++] = (struct fat_entry_request){
            .path = doc->path,
            .is_directory = doc->is_directory,
            .attributes = doc->is_directory ? 0 : 0x20,
            .written = after ? new_date : old_date,
            .size = after ? doc->after_size : doc->before_size,
            .source = i,
            .goes = after && doc->after == ABSENT,
        };
    }
    return count;
}

/* --- Volumes ---------------------------------------------------------------------------------- */

enum kind { FAT12_512, FAT16_512, FAT16_4096, FAT16_4096_ON_512, FAT32_512, KIND_COUNT };

static const struct {
    const char *name;
    uint32_t block_size;
    uint64_t bytes;
    enum fat_type type;
} kinds[KIND_COUNT] = {
    [FAT12_512] = {"FAT12", 512, 1440u << 10, FAT_12},
    [FAT16_512] = {"FAT16", 512, 5 * MIB, FAT_16},
    [FAT16_4096] = {"FAT16, 4096", 4096, 20 * MIB, FAT_16},
    [FAT16_4096_ON_512] = {"FAT16, 4096 on 512", 4096, 20 * MIB, FAT_16},
    [FAT32_512] = {"FAT32", 512, 34 * MIB, FAT_32},
};

/* A file system without files as on a floppy disk. */
static void make_fat12(struct image *image)
{
    uint8_t *at = image->bytes + FIRST_LBA * 512;

    memcpy(at, "\xeb\x3c\x90MSDOS5.0", 11);
    st_le16(at + 11, 512);
    at[13] = 1;            /* sectors of a cluster */
    st_le16(at + 14, 1);   /* reserved */
    at[16] = 2;            /* FATs */
    st_le16(at + 17, 224); /* root entries */
    st_le16(at + 19, 2880);
    at[21] = 0xf0;
    st_le16(at + 22, 9); /* sectors of a FAT */
    memcpy(at + 54, "FAT12   ", 8);
    st_le16(at + 510, 0xaa55);
    for (size_t fat = 0; fat < 2; fat++)
        memcpy(at + 512 + fat * 9 * 512, "\xf0\xff\xff", 3);
}

static struct fat_layout_request layout_request(enum kind kind)
{
    return (struct fat_layout_request){
        .first_lba = FIRST_LBA,
        .block_count = kinds[kind].bytes / kinds[kind].block_size,
        .block_size = kinds[kind].block_size,
        .type = kinds[kind].type,
        .serial = 0x12345678,
        .label = "TEST",
    };
}

static void open_volume(struct world *world, struct block_port *port, struct fat_volume *volume,
                        struct fat_report *report)
{
    arena_init(&world->arena, world->memory, ARENA_SIZE);
    *port = image_port(&world->image);
    assert_int_equal(
        fat_open(&world->arena, port, FIRST_LBA, port->block_count - FIRST_LBA, volume), ST_OK);
    assert_int_equal(fat_check(&world->arena, volume, UINT64_MAX, report), ST_OK);
}

/* Works out the change on what is on the disk now. */
static enum status work_out(struct world *world, bool after, struct disk_edit *edit)
{
    static struct fat_entry_request requests[DOCS_MAX];
    static struct block_port port;
    struct fat_volume volume;
    struct fat_report report;

    world->after = after;
    open_volume(world, &port, &volume, &report);
    return fat_edit(&world->arena, &volume, &report, requests,
                    make_requests(world, &volume, &report, requests, after), edit);
}

static struct image_units units_of_change(struct world *world, bool after)
{
    struct disk_edit edit;

    assert_int_equal(work_out(world, after, &edit), ST_OK);
    assert_int_equal(edit.phase_count, FAT_EDIT_PHASES);
    return image_units_of(&world->image, &edit, content_of, world);
}

static void make_volume(struct world *world, enum kind kind)
{
    struct disk_edit edit;

    world->memory = host_borrow(ARENA_SIZE);
    arena_init(&world->arena, world->memory, ARENA_SIZE);
    world->image =
        image_make(kinds[kind].block_size, FIRST_LBA + kinds[kind].bytes / kinds[kind].block_size);
    if (kind == FAT12_512) {
        make_fat12(&world->image);
        return;
    }
    struct fat_layout_request request = layout_request(kind);
    if (kind == FAT16_4096_ON_512)
        request.first_lba = FIRST_LBA / 8;
    assert_int_equal(fat_layout(&world->arena, &request, &edit), ST_OK);
    struct image_units units = image_units_of(&world->image, &edit, content_of, world);
    image_apply(&world->image, &units);
    image_units_free(&units);
    if (kind == FAT16_4096_ON_512) {
        world->image.block_size = 512;
        world->image.block_count *= 8;
    }
}

/* A volume with the documents that are there before. */
static void fill_volume(struct world *world)
{
    struct image_units units = units_of_change(world, false);

    image_apply(&world->image, &units);
    image_units_free(&units);
}

static void drop_world(struct world *world)
{
    free(world->image.bytes);
    host_return(world->memory);
    free(world);
}

/* --- What is there ---------------------------------------------------------------------------- */

static bool content_is(struct fat_volume *volume, uint32_t cluster, size_t size, unsigned seed,
                       size_t wanted)
{
    static uint8_t data[MIB];
    struct fat_file file = {.size = size, .first_cluster = cluster};
    struct fat_reader reader;
    size_t at = 0;
    size_t got = 1;

    if (size != wanted)
        return false;
    fat_reader_start(&reader, volume, &file);
    while (got > 0) {
        if (fat_reader_next(&reader, data, sizeof(data), &got) != ST_OK)
            return false;
        for (size_t i = 0; i < got; i++) {
            if (data[i] != content_byte(seed, at + i))
                return false;
        }
        at += got;
    }
    return at == size;
}

static bool doc_is(struct fat_volume *volume, const struct doc *doc, uint32_t cluster, size_t size,
                   bool after)
{
    unsigned seed = after ? doc->after : doc->before;

    return seed != ABSENT &&
           content_is(volume, cluster, size, seed, after ? doc->after_size : doc->before_size);
}

static bool has_to_be_there(const struct doc *doc, bool finished)
{
    return doc->after != ABSENT && (finished || doc->before != ABSENT);
}

/* Every file of the report is one of ours, old or new, and no old one is missing. */
static void expect_report(struct world *world, struct fat_volume *volume,
                          const struct fat_report *report, bool finished)
{
    size_t found = 0;
    size_t wanted = 0;

    for (size_t i = 0; i < report->file_count; i++) {
        const struct fat_file *file = &report->files[i];
        const struct doc *doc = find_doc(world, file->path);
        if (doc == NULL)
            fail_msg("%s is not one of ours", file->path);
        assert_int_equal(file->status, ST_OK);
        assert_int_equal(file->is_directory, doc->is_directory);
        if (finished && doc->after == ABSENT)
            fail_msg("%s is still there", file->path);
        if (!doc->is_directory && !doc_is(volume, doc, file->first_cluster, file->size, true) &&
            (finished || !doc_is(volume, doc, file->first_cluster, file->size, false)))
            fail_msg("%s has a wrong content", file->path);
        found += has_to_be_there(doc, finished);
    }
    for (size_t i = 0; i < world->count; i++)
        wanted += has_to_be_there(&world->docs[i], finished);
    assert_int_equal(found, wanted);
}

static void expect_problems(const struct world *world, const struct fat_report *report,
                            bool finished)
{
    assert_true(report->complete);
    for (enum fat_problem i = 0; i < FAT_PROBLEM_COUNT; i++) {
        bool allowed = i == FAT_CHAIN_LOST || (i == FAT_COPIES_DIFFER && !finished) ||
                       (i == FAT_FORM_UNUSUAL && world->is_unusual) || i == FAT_SECTOR_SIZE ||
                       (i == FAT_NAME_BROKEN && world->crosses);
        if (report->problems[i] != 0 && !allowed)
            fail_msg("%s: %s", report->first_place[i], fat_problem_text(i));
    }
}

/* An entry that a driver sees which does not stop at the end marker. */
static void expect_visible(struct world *world, struct fat_volume *volume, const char *folder,
                           const uint8_t *entry, struct span long_name, char *ret_path)
{
    char name[FAT_SHORT_TEXT_SIZE];
    const struct doc *doc;
    uint32_t cluster = fat_dirent_cluster(entry, volume->type);

    fat_dirent_short_text(entry, name);
    snprintf(ret_path, 300, "%s\\%s", folder,
             long_name.size > 0 ? text_from_ucs2(volume->arena, long_name) : name);
    doc = find_doc(world, ret_path);
    if (doc == NULL)
        fail_msg("behind an end marker: %s", ret_path);
    if (!doc->is_directory && !doc_is(volume, doc, cluster, ld_le32(entry + 28), true) &&
        !doc_is(volume, doc, cluster, ld_le32(entry + 28), false))
        fail_msg("%s has a wrong content behind an end marker", ret_path);
}

static void walk_entries(struct world *world, struct fat_volume *volume, uint32_t cluster,
                         const char *folder);

static void walk_block(struct world *world, struct fat_volume *volume, const uint8_t *bytes,
                       size_t size, struct fat_long_name *name, const char *folder)
{
    for (size_t at = 0; at < size; at += FAT_DIRENT_SIZE) {
        const uint8_t *entry = bytes + at;
        enum fat_dirent_kind kind = fat_dirent_kind(entry);
        char path[300];
        bool broken = false;
        if (kind == FAT_DIRENT_LONG) {
            assert_true(fat_long_name_add(name, entry) || world->crosses);
        } else if (kind == FAT_DIRENT_FILE || kind == FAT_DIRENT_DIRECTORY) {
            struct span long_name = fat_long_name_take(name, entry, &broken);
            assert_false(broken);
            expect_visible(world, volume, folder, entry, long_name, path);
            if (kind == FAT_DIRENT_DIRECTORY)
                walk_entries(world, volume, fat_dirent_cluster(entry, volume->type), path);
        } else {
            assert_true(fat_long_name_drop(name) || world->crosses);
        }
    }
}

/* `cluster` 0: the root directory of FAT12 and FAT16. */
static void walk_entries(struct world *world, struct fat_volume *volume, uint32_t cluster,
                         const char *folder)
{
    struct fat_long_name name = {0};
    size_t size = cluster == 0 ? (size_t)volume->root_bytes : volume->cluster_size;
    uint64_t offset = cluster == 0 ? volume->root_offset : fat_cluster_offset(volume, cluster);
    uint8_t *bytes = host_alloc(1, size);

    for (;;) {
        assert_int_equal(fat_read(volume, offset, size, bytes), ST_OK);
        walk_block(world, volume, bytes, size, &name, folder);
        if (cluster == 0)
            break;
        assert_int_equal(fat_link(volume, cluster, &cluster), ST_OK);
        if (cluster == FAT_LINK_END)
            break;
        assert_true(fat_has_cluster(volume, cluster));
        offset = fat_cluster_offset(volume, cluster);
    }
    assert_true(fat_long_name_drop(&name));
    free(bytes);
}

static void expect_state(struct world *world, bool finished)
{
    struct block_port port;
    struct fat_volume volume;
    struct fat_report report;

    open_volume(world, &port, &volume, &report);
    expect_problems(world, &report, finished);
    expect_report(world, &volume, &report, finished);
    walk_entries(world, &volume, volume.type == FAT_32 ? volume.root_cluster : 0, "");
    world->states++;
}

static void swap_all(struct world *world, struct image_units *units, const bool *chosen)
{
    for (size_t i = 0; i < units->count; i++) {
        if (chosen == NULL || chosen[i])
            image_swap(&world->image, &units->at[i]);
    }
}

/* Makes the whole change on what a cut has left, and takes it back. */
static void expect_second_run(struct world *world)
{
    struct image_units units = units_of_change(world, true);

    swap_all(world, &units, NULL);
    expect_state(world, true);
    for (size_t i = units.count; i > 0; i--)
        image_swap(&world->image, &units.at[i - 1]);
    image_units_free(&units);
}

/* --- Cuts ------------------------------------------------------------------------------------- */

/* The state after the units that are chosen. */
static void try_cut(struct world *world, struct image_units *units, const bool *chosen)
{
    swap_all(world, units, chosen);
    expect_state(world, false);
    expect_second_run(world);
    /* No block is chosen twice in different phases here that would have to go back in turn. */
    for (size_t i = units->count; i > 0; i--) {
        if (chosen[i - 1])
            image_swap(&world->image, &units->at[i - 1]);
    }
}

/* Cuts in the phase that is units [first, end); all before it were written. */
static void try_phase(struct world *world, struct image_units *units, size_t first, size_t end)
{
    bool *chosen = host_alloc(units->count + 1, sizeof(*chosen));
    size_t size = end - first;

    for (size_t i = 0; i < first; i++)
        chosen[i] = true;
    try_cut(world, units, chosen);
    for (size_t n = 0; n < STATES_MAX && n < size; n += ONE_IN(5)) {
        /* one alone; all but one */
        size_t one = first + (size <= STATES_MAX ? n : (size_t)rand() % size);
        chosen[one] = true;
        try_cut(world, units, chosen);
        for (size_t i = first; i < end; i++)
            chosen[i] = i != one;
        try_cut(world, units, chosen);
        for (size_t i = first; i < end; i++)
            chosen[i] = rand() % 2 == 0;
        if (size > 2)
            try_cut(world, units, chosen);
        for (size_t i = first; i < end; i++)
            chosen[i] = false;
    }
    free(chosen);
}

static void try_all_cuts(struct world *world, const char *name, enum kind kind)
{
    struct image_units units = units_of_change(world, true);
    size_t first = 0;

    srand(4711);
    for (unsigned phase = 0; phase < units.phase_count; phase++) {
        size_t end = first;
        while (end < units.count && units.at[end].phase == phase)
            end++;
        try_phase(world, &units, first, end);
        first = end;
    }
    assert_int_equal(first, units.count);
    swap_all(world, &units, NULL);
    world->crosses = false;
    expect_state(world, true);
    image_units_free(&units);
    printf("%s, %s: %zu states\n", name, kinds[kind].name, world->states);
}

/* --- Scenarios -------------------------------------------------------------------------------- */

static void describe_replacing(struct world *world)
{
    add_directory(world, "\\EFI", false);
    add_directory(world, "\\EFI\\BOOT", false);
    add_changed(world, "\\EFI\\BOOT\\BOOTX64.EFI", 5000, 12000);
    add_changed(world, "\\EFI\\BOOT\\smaller.efi", 9000, 700);
    add_changed(world, "\\EFI\\BOOT\\emptied.efi", 3000, 0);
    add_changed(world, "\\EFI\\BOOT\\filled.efi", 0, 3000);
    add_changed(world, "\\EFI\\A file with a long name.dat", 100, 9000);
    add_kept(world, "\\EFI\\kept", 5000);
    add_kept(world, "\\in the root directory", 5000);
}

static void describe_adding(struct world *world)
{
    add_directory(world, "\\EFI", false);
    add_kept(world, "\\EFI\\kept", 3000);
    add_kept(world, "\\kept with a long name", 3000);
    add_new(world, "\\EFI\\new with a long name, of some pieces.efi", 9000);
    add_new(world, "\\EFI\\new.efi", 9000);
    add_new(world, "\\EFI\\empty.efi", 0);
    add_new(world, "\\new in the root.txt", 600);
    add_new(world, "\\NEW.TXT", 600);
}

static void describe_tree(struct world *world)
{
    add_directory(world, "\\EFI", false);
    add_kept(world, "\\EFI\\kept", 3000);
    add_directory(world, "\\EFI\\Microsoft", true);
    add_directory(world, "\\EFI\\Microsoft\\Boot", true);
    add_new(world, "\\EFI\\Microsoft\\Boot\\bootmgfw.efi", 20000);
    for (char c = 'a'; c < 'h'; c++) {
        char path[100];
        snprintf(path, sizeof(path), "\\EFI\\Microsoft\\Boot\\%c%c-XX", c, c);
        add_directory(world, path, true);
        snprintf(path, sizeof(path), "\\EFI\\Microsoft\\Boot\\%c%c-XX\\bootmgfw.efi.mui", c, c);
        add_new(world, path, 1500);
    }
    add_directory(world, "\\empty directory", true);
}

/* The first directory has to grow by more than one cluster, also for what is small enough; the name
 * of 250 characters crosses blocks of 512 bytes wherever it is. */
static void describe_growing(struct world *world)
{
    char path[300] = "\\EFI\\";

    add_directory(world, "\\EFI", false);
    for (int i = 0; i < 6; i++) {
        snprintf(path, sizeof(path), "\\EFI\\there already, number %d", i);
        add_kept(world, path, 600);
    }
    add_changed(world, "\\EFI\\LAST", 700, 1800);
    for (int i = 0; i < 40; i++) {
        snprintf(path, sizeof(path), "\\EFI\\a new file with a long name, number %d", i);
        add_new(world, path, i % 8 == 0 ? 700 : 0);
    }
    strcpy(path, "\\EFI\\");
    memset(path + 5, 'n', 250);
    path[255] = '\0';
    add_new(world, path, 100);
}

/* A folder with all in it, files beside others, and some that come while others go. */
static void describe_removing(struct world *world)
{
    add_directory(world, "\\EFI", false);
    add_directory(world, "\\EFI\\shadowboot", false);
    add_going(world, "\\EFI\\shadowboot\\shadowbootx64.efi", 20000);
    add_going(world, "\\EFI\\shadowboot\\LAST.LOG", 0);
    add_directory(world, "\\EFI\\BOOT", false);
    add_kept(world, "\\EFI\\BOOT\\a file that stays.efi", 3000);
    add_going(world, "\\EFI\\BOOT\\BOOTX64.EFI", 9000);
    add_going(world, "\\EFI\\BOOT\\another file with a long name.efi", 700);
    add_kept(world, "\\EFI\\BOOT\\LAST.EFI", 3000);
    add_new(world, "\\EFI\\BOOT\\a new file with a long name.efi", 1500);
    add_going(world, "\\in the root.txt", 600);
    world->docs[1].after = ABSENT;
}

/* Names of 250 characters lie in two blocks of 512 bytes or in three. */
static void describe_removing_long(struct world *world)
{
    char path[300] = "\\EFI\\";

    add_directory(world, "\\EFI", false);
    for (char c = 'a'; c < 'f'; c++) {
        snprintf(path, sizeof(path), "\\EFI\\%c", c);
        add_kept(world, path, 100);
        memset(path + 5, c, 250);
        path[255] = '\0';
        add_going(world, path, 700);
    }
    world->crosses = true;
}

static const struct {
    const char *name;
    void (*describe)(struct world *world);
} scenarios[] = {
    {"replacing", describe_replacing}, {"adding", describe_adding},
    {"a tree", describe_tree},         {"growing", describe_growing},
    {"removing", describe_removing},   {"removing long names", describe_removing_long},
};

static void run_scenario(size_t number, enum kind kind)
{
    struct world *world = host_alloc(1, sizeof(*world));

    make_volume(world, kind);
    scenarios[number].describe(world);
    fill_volume(world);
    try_all_cuts(world, scenarios[number].name, kind);
    drop_world(world);
}

static void run_on_all(size_t number)
{
    for (enum kind kind = 0; kind < KIND_COUNT; kind++)
        run_scenario(number, kind);
}

static void replaced_files_are_old_or_new_at_every_cut(void **state)
{
    (void)state;
    run_on_all(0);
}

static void added_files_are_absent_or_complete_at_every_cut(void **state)
{
    (void)state;
    run_on_all(1);
}

static void added_trees_are_absent_or_complete_at_every_cut(void **state)
{
    (void)state;
    run_on_all(2);
}

static void directories_grow_at_every_cut(void **state)
{
    (void)state;
    run_on_all(3);
}

static void what_goes_is_there_or_gone_at_every_cut(void **state)
{
    (void)state;
    run_on_all(4);
    run_on_all(5);
}

/* --- Directories in odd states ---------------------------------------------------------------- */

/* The bytes of the directory \EFI, which is one cluster. */
static uint8_t *efi_bytes(struct world *world, uint32_t *ret_size)
{
    struct block_port port;
    struct fat_volume volume;
    struct fat_report report;

    open_volume(world, &port, &volume, &report);
    uint32_t cluster = report.files[fat_find(&report, "\\EFI")].first_cluster;
    *ret_size = volume.cluster_size;
    return world->image.bytes + FIRST_LBA * world->image.block_size +
           fat_cluster_offset(&volume, cluster);
}

static struct world *odd_world(enum kind kind, size_t files)
{
    struct world *world = host_alloc(1, sizeof(*world));
    char path[100];

    make_volume(world, kind);
    add_directory(world, "\\EFI", false);
    for (size_t i = 0; i < files; i++) {
        snprintf(path, sizeof(path), "\\EFI\\FILE%02zu", i);
        add_kept(world, path, 300);
    }
    fill_volume(world);
    return world;
}

static void full_directory_without_end_marker_grows(void **state)
{
    (void)state;
    struct world *world = odd_world(FAT16_512, 14);
    uint32_t size = 0;
    const uint8_t *bytes = efi_bytes(world, &size);

    assert_int_equal(size, 512);
    assert_true(bytes[512 - 32] != 0);
    add_new(world, "\\EFI\\NEW", 300);
    try_all_cuts(world, "full directory", FAT16_512);
    drop_world(world);
}

/* An entry that fits exactly leaves no room for an end marker. */
static void last_slot_of_a_directory_is_used(void **state)
{
    (void)state;
    struct world *world = odd_world(FAT16_512, 13);
    uint32_t size = 0;

    add_new(world, "\\EFI\\NEW", 300);
    try_all_cuts(world, "last slot", FAT16_512);
    assert_true(efi_bytes(world, &size)[512 - 32] == 'N');
    drop_world(world);
}

static void deleted_entries_are_used_again(void **state)
{
    (void)state;
    struct world *world = odd_world(FAT16_512, 14);
    uint32_t size = 0;
    uint8_t *bytes = efi_bytes(world, &size);

    /* FILE01 to FILE04 go, their clusters are lost. */
    for (size_t i = 3; i < 7; i++)
        bytes[i * 32] = 0xe5;
    for (size_t i = 2; i + 4 < world->count; i++)
        world->docs[i] = world->docs[i + 4];
    world->count -= 4;
    add_new(world, "\\EFI\\name of three slots", 300);
    add_new(world, "\\EFI\\SHORT", 300);
    try_all_cuts(world, "deleted entries", FAT16_512);
    bytes = efi_bytes(world, &size);
    assert_int_equal(bytes[3 * 32], 0x42);
    assert_memory_equal(bytes + 6 * 32, "SHORT      ", 11);
    drop_world(world);
}

/* Deleted entries on both sides of a block's end: there is room for the name, but not in one
 * block. */
static void deleted_entries_that_cross_blocks_are_not_used(void **state)
{
    (void)state;
    struct world *world = odd_world(FAT16_4096_ON_512, 18);
    uint32_t size = 0;
    uint8_t *bytes = efi_bytes(world, &size);

    assert_memory_equal(bytes + (size_t)14 * 32, "FILE12  ", 8);
    for (size_t i = 14; i < 18; i++)
        bytes[i * 32] = 0xe5;
    for (size_t i = 13; i + 4 < world->count; i++)
        world->docs[i] = world->docs[i + 4];
    world->count -= 4;
    add_new(world, "\\EFI\\name of three slots", 300);
    try_all_cuts(world, "crossing hole", FAT16_4096_ON_512);
    bytes = efi_bytes(world, &size);
    assert_int_equal(bytes[14 * 32], 0xe5);
    assert_int_equal(bytes[20 * 32], 0x42);
    drop_world(world);
}

/* Some old drivers leave what was there before behind the end marker. */
static void garbage_behind_the_end_marker_stays_out_of_sight(void **state)
{
    static const enum kind tried[] = {FAT16_512, FAT16_4096, FAT16_4096_ON_512};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        for (int count = 1; count < 30; count += 14) {
            struct world *world = odd_world(tried[i], 4);
            uint32_t size = 0;
            uint8_t *bytes = efi_bytes(world, &size);
            char path[100];
            /* Entries of a file that cannot be; all but the walk that ignores end markers. */
            for (size_t at = 8 * 32; at < size; at += 32)
                memcpy(bytes + at, "GARBAGE DAT\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\x7f\xff\0\0\0",
                       32);
            for (int n = 0; n < count; n++) {
                snprintf(path, sizeof(path), "\\EFI\\new file with a name, number %d", n);
                add_new(world, path, 100);
            }
            struct image_units units = units_of_change(world, true);
            for (size_t n = 0; n <= units.count; n++) {
                struct block_port port;
                struct fat_volume volume;
                struct fat_report report;
                open_volume(world, &port, &volume, &report);
                expect_problems(world, &report, false);
                expect_report(world, &volume, &report, n == units.count);
                if (n < units.count)
                    image_swap(&world->image, &units.at[n]);
            }
            image_units_free(&units);
            drop_world(world);
        }
    }
}

/* The link that a directory of FAT12 grows by may lie in two blocks: then a cluster is chosen for
 * which one of them is enough. */
static void growing_over_an_entry_that_crosses_blocks_is_one_write(void **state)
{
    static const uint32_t crossing[] = {341, 682, 1365}; /* of the first kilobytes of a FAT12 */

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct world *world = host_alloc(1, sizeof(*world));
        struct block_port port;
        struct fat_volume volume;
        struct fat_report report;
        make_volume(world, FAT12_512);
        /* What comes before the directory fills all clusters up to the one. */
        add_kept(world, "\\A", (crossing[i] - 2) * 512);
        fill_volume(world);
        world->docs[0].after = world->docs[0].before;
        add_directory(world, "\\EFI", true);
        struct image_units units = units_of_change(world, true);
        image_apply(&world->image, &units);
        image_units_free(&units);
        world->docs[1].before = 1;
        open_volume(world, &port, &volume, &report);
        assert_int_equal(report.files[fat_find(&report, "\\EFI")].first_cluster, crossing[i]);
        for (int n = 0; n < 20; n++) {
            char path[50];
            snprintf(path, sizeof(path), "\\EFI\\NEW%d", n);
            add_new(world, path, n == 0 ? 2000 : 0);
        }
        try_all_cuts(world, "crossing entry", FAT12_512);
        drop_world(world);
    }
}

/* --- Room ------------------------------------------------------------------------------------- */

/* A volume on which so many clusters are free. */
static struct world *nearly_full(uint32_t left)
{
    struct world *world = host_alloc(1, sizeof(*world));
    struct block_port port;
    struct fat_volume volume;
    struct fat_report report;

    make_volume(world, FAT12_512);
    world->skip_done = true;
    open_volume(world, &port, &volume, &report);
    add_changed(world, "\\SMALL", 2048, 4096);
    add_kept(world, "\\LARGE", (report.free_clusters - 4 - left) * 512);
    fill_volume(world);
    return world;
}

static void change_that_just_fits_is_made(void **state)
{
    (void)state;
    struct world *world = nearly_full(8);

    try_all_cuts(world, "just fits", FAT12_512);
    drop_world(world);
}

static void change_too_large_by_one_cluster_is_refused(void **state)
{
    (void)state;
    struct world *world = nearly_full(7);
    struct disk_edit edit = {.phase_count = 77};

    assert_int_equal(work_out(world, true, &edit), ST_NO_SPACE);
    assert_int_equal(edit.phase_count, 77);
    drop_world(world);
}

/* What a cut has left is made use of when nothing else is there, and then nothing is left of it. */
static void lost_clusters_are_used_when_others_do_not_do(void **state)
{
    (void)state;
    struct world *world = host_alloc(1, sizeof(*world));
    struct block_port port;
    struct fat_volume volume;
    struct fat_report report;
    struct disk_edit edit;

    make_volume(world, FAT12_512);
    world->skip_done = true;
    open_volume(world, &port, &volume, &report);
    add_changed(world, "\\SMALL", 2048, 4096);
    add_kept(world, "\\LARGE", (report.free_clusters - 4 - 10 - 5) * 512);
    add_kept(world, "\\GONE", 5120);
    fill_volume(world);
    uint8_t *root = world->image.bytes + FIRST_LBA * 512 + volume.root_offset;
    assert_memory_equal(root, "GONE ", 5);
    root[0] = 0xe5;
    world->count--;
    assert_int_equal(work_out(world, true, &edit), ST_OK);
    assert_false(edit.files[0].free_space);
    try_all_cuts(world, "lost clusters", FAT12_512);
    open_volume(world, &port, &volume, &report);
    assert_int_equal(report.problems[FAT_CHAIN_LOST], 0);
    drop_world(world);
}

/* Requests of one entry. */
static enum status edit_one(struct world *world, const char *path, bool is_directory, size_t size)
{
    struct block_port port;
    struct fat_volume volume;
    struct fat_report report;
    struct disk_edit edit;
    struct fat_entry_request request = {
        .path = path, .is_directory = is_directory, .size = size, .written = new_date};

    open_volume(world, &port, &volume, &report);
    return fat_edit(&world->arena, &volume, &report, &request, 1, &edit);
}

static void full_root_directory_of_fat16_takes_no_more(void **state)
{
    (void)state;
    struct world *world = host_alloc(1, sizeof(*world));
    char path[300] = "\\";

    make_volume(world, FAT16_512);
    for (int i = 0; i < 510; i++) { /* with the label 511 */
        snprintf(path, sizeof(path), "\\FILE%d", i);
        add_kept(world, path, 0);
    }
    fill_volume(world);
    assert_int_equal(edit_one(world, "\\two slots", false, 1), ST_NO_SPACE);
    assert_int_equal(edit_one(world, "\\ONE.TXT", false, 1), ST_OK);
    assert_int_equal(edit_one(world, "\\FILE7", false, 1), ST_OK);
    memset(path + 1, 'n', 200);
    path[201] = '\0';
    assert_int_equal(edit_one(world, path, false, 1), ST_UNSUPPORTED);
    drop_world(world);
}

/* --- What is refused, and names --------------------------------------------------------------- */

static struct world *plain_world(enum kind kind)
{
    struct world *world = host_alloc(1, sizeof(*world));

    make_volume(world, kind);
    add_directory(world, "\\EFI", false);
    add_kept(world, "\\EFI\\Long file name.efi", 5000);
    add_kept(world, "\\EFI\\Long file name.txt", 5000);
    fill_volume(world);
    return world;
}

static void file_in_place_of_a_directory_is_refused(void **state)
{
    (void)state;
    struct world *world = plain_world(FAT16_512);

    assert_int_equal(edit_one(world, "\\EFI", false, 1), ST_EXISTS);
    assert_int_equal(edit_one(world, "\\EFI\\long file NAME.efi", true, 0), ST_EXISTS);
    assert_int_equal(edit_one(world, "\\EFI\\LONGFI~1.EFI\\new", false, 1), ST_EXISTS);
    assert_int_equal(edit_one(world, "\\efi", true, 0), ST_OK);
    drop_world(world);
}

static enum status remove_one(struct world *world, const char *path, bool is_directory)
{
    struct block_port port;
    struct fat_volume volume;
    struct fat_report report;
    struct disk_edit edit;
    struct fat_entry_request request = {.path = path, .is_directory = is_directory, .goes = true};

    open_volume(world, &port, &volume, &report);
    return fat_edit(&world->arena, &volume, &report, &request, 1, &edit);
}

static void what_is_not_there_or_not_empty_does_not_go(void **state)
{
    (void)state;
    struct world *world = plain_world(FAT16_512);

    assert_int_equal(remove_one(world, "\\EFI\\long file name.EFI", false), ST_OK);
    assert_int_equal(remove_one(world, "\\EFI\\another.efi", false), ST_CHANGED);
    assert_int_equal(remove_one(world, "\\EFI\\no folder\\another.efi", false), ST_CHANGED);
    assert_int_equal(remove_one(world, "\\EFI\\no folder", true), ST_CHANGED);
    assert_int_equal(remove_one(world, "\\EFI\\long file name.EFI", true), ST_EXISTS);
    assert_int_equal(remove_one(world, "\\EFI", false), ST_EXISTS);
    assert_int_equal(remove_one(world, "\\EFI", true), ST_EXISTS);
    drop_world(world);
}

static void names_fat_cannot_hold_are_refused(void **state)
{
    static const char *const paths[] = {
        "",      "\\",    "\\\\A", "\\A\\",    "\\A:B",      "\\A*",
        "\\A.",  "\\A ",  "\\.",   "\\..\\A",  "\\A\\..\\B", "\\A\x01",
        "\\A|B", "\\A\"", "\\a/b", "\\\xff.x", "\\A\\B \\C", "\\A\\\\B",
    };

    (void)state;
    struct world *world = plain_world(FAT16_512);
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        assert_int_equal(edit_one(world, paths[i], false, 1), ST_USAGE);
    assert_int_equal(edit_one(world, "\\A", false, (size_t)1 << 32), ST_USAGE);
    assert_int_equal(edit_one(world, "\\A", false, ((size_t)1 << 32) - 1), ST_NO_SPACE);
    drop_world(world);
}

static void file_is_found_by_its_short_name(void **state)
{
    (void)state;
    struct world *world = plain_world(FAT32_512);
    struct fat_entry_request requests[2] = {
        {.path = "\\efi\\longfi~1.txt", .size = 3, .source = 1, .written = new_date},
        {.path = "\\EFI\\LONG FILE NAME.TXT", .size = 3, .source = 1, .written = new_date},
    };
    struct block_port port;
    struct fat_volume volume;
    struct fat_report report;
    struct disk_edit edit;

    open_volume(world, &port, &volume, &report);
    assert_int_equal(fat_edit(&world->arena, &volume, &report, requests, 1, &edit), ST_OK);
    assert_int_equal(edit.file_count, 1);
    assert_int_equal(fat_edit(&world->arena, &volume, &report, requests, 2, &edit), ST_USAGE);
    drop_world(world);
}

static void damage_is_refused(void **state)
{
    (void)state;
    struct world *world = plain_world(FAT16_512);
    struct block_port port;
    struct fat_volume volume;
    struct fat_report report;

    open_volume(world, &port, &volume, &report);
    uint8_t *fat = world->image.bytes + FIRST_LBA * 512 + volume.fat_offset;
    uint32_t cluster = report.files[1].first_cluster;
    /* The other FAT differs inside a file. */
    st_le16(fat + volume.fat_bytes + 2 * cluster, 0xffff);
    assert_int_equal(edit_one(world, "\\NEW", false, 1), ST_REFUSED);
    /* A chain leads to a cluster that there is not. */
    st_le16(fat + 2 * cluster, 0xff00);
    assert_int_equal(edit_one(world, "\\NEW", false, 1), ST_REFUSED);
    drop_world(world);
}

/* What was not looked at may use the clusters that seem to be free. */
static void file_system_that_was_not_looked_through_is_refused(void **state)
{
    (void)state;
    struct world *world = plain_world(FAT16_512);
    struct block_port port;
    struct fat_volume volume;
    struct fat_report report;

    open_volume(world, &port, &volume, &report);
    assert_true(fat_edit_is_possible(&report));
    report.problems[FAT_TOO_DEEP] = 1;
    assert_false(fat_edit_is_possible(&report));
    report.problems[FAT_TOO_DEEP] = 0;
    report.complete = false;
    assert_false(fat_edit_is_possible(&report));
    drop_world(world);
}

static void second_fat_that_differs_in_lost_clusters_is_made_equal(void **state)
{
    (void)state;
    struct world *world = plain_world(FAT16_512);
    struct block_port port;
    struct fat_volume volume;
    struct fat_report report;

    open_volume(world, &port, &volume, &report);
    uint8_t *fat = world->image.bytes + FIRST_LBA * 512 + volume.fat_offset;
    st_le16(fat + volume.fat_bytes + 2 * (volume.cluster_count + 1), 0xffff);
    st_le16(fat + 2 * volume.cluster_count, 0xffff); /* lost */
    open_volume(world, &port, &volume, &report);
    assert_int_equal(report.problems[FAT_COPIES_DIFFER], 1);
    struct image_units units = units_of_change(world, true); /* nothing else is asked for */
    image_apply(&world->image, &units);
    image_units_free(&units);
    assert_memory_equal(fat, fat + volume.fat_bytes, volume.fat_bytes);
    assert_int_equal(ld_le16(fat + 2 * volume.cluster_count), 0xffff);
    drop_world(world);
}

/* A FAT32 volume may say that only one of its FATs counts. */
static void fat_that_does_not_count_is_left_alone(void **state)
{
    (void)state;
    struct world *world = plain_world(FAT32_512);
    struct block_port port;
    struct fat_volume volume;
    struct fat_report report;

    open_volume(world, &port, &volume, &report);
    uint8_t *boot = world->image.bytes + FIRST_LBA * 512;
    uint8_t *fat = boot + volume.fat_offset;
    st_le16(boot + 40, 0x81);
    world->is_unusual = true;
    memset(fat, 0, volume.fat_bytes);
    add_new(world, "\\EFI\\new", 5000);
    struct image_units units = units_of_change(world, true);
    image_apply(&world->image, &units);
    image_units_free(&units);
    expect_state(world, true);
    assert_true(span_is_zero(span_of(fat, volume.fat_bytes)));
    drop_world(world);
}

static void nothing_to_do_writes_nothing(void **state)
{
    (void)state;
    struct world *world = plain_world(FAT32_512);
    struct image_units units = units_of_change(world, true);

    assert_int_equal(units.count, 0);
    drop_world(world);
}

static void fsinfo_counts_free_clusters(void **state)
{
    (void)state;
    struct world *world = plain_world(FAT32_512);
    struct block_port port;
    struct fat_volume volume;
    struct fat_report report;

    add_changed(world, "\\EFI\\new", 5000, 9000);
    world->docs[3].before = ABSENT;
    struct image_units units = units_of_change(world, true);
    image_apply(&world->image, &units);
    image_units_free(&units);
    open_volume(world, &port, &volume, &report);
    const uint8_t *fsinfo = world->image.bytes + (FIRST_LBA + 1) * 512;
    assert_int_equal(ld_le32(fsinfo + 488), report.free_clusters);
    drop_world(world);
}

static void small_arena_fails_cleanly(void **state)
{
    (void)state;
    struct world *world = plain_world(FAT16_512);
    struct fat_entry_request request = {.path = "\\EFI\\a new file", .size = 5000};
    struct block_port port;
    struct fat_volume volume;
    struct fat_report report;
    struct disk_edit edit = {.phase_count = 77};
    enum status status = ST_NO_MEMORY;

    open_volume(world, &port, &volume, &report);
    size_t used = world->arena.used;
    for (size_t size = 0; status == ST_NO_MEMORY && size < MIB; size += 64) {
        world->arena.used = used;
        world->arena.size = used + size;
        status = fat_edit(&world->arena, &volume, &report, &request, 1, &edit);
        assert_int_equal(edit.phase_count, status == ST_OK ? FAT_EDIT_PHASES : 77);
    }
    assert_int_equal(status, ST_OK);
    drop_world(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replaced_files_are_old_or_new_at_every_cut),
        cmocka_unit_test(added_files_are_absent_or_complete_at_every_cut),
        cmocka_unit_test(added_trees_are_absent_or_complete_at_every_cut),
        cmocka_unit_test(what_goes_is_there_or_gone_at_every_cut),
        cmocka_unit_test(directories_grow_at_every_cut),
        cmocka_unit_test(full_directory_without_end_marker_grows),
        cmocka_unit_test(last_slot_of_a_directory_is_used),
        cmocka_unit_test(deleted_entries_are_used_again),
        cmocka_unit_test(deleted_entries_that_cross_blocks_are_not_used),
        cmocka_unit_test(garbage_behind_the_end_marker_stays_out_of_sight),
        cmocka_unit_test(growing_over_an_entry_that_crosses_blocks_is_one_write),
        cmocka_unit_test(change_that_just_fits_is_made),
        cmocka_unit_test(change_too_large_by_one_cluster_is_refused),
        cmocka_unit_test(lost_clusters_are_used_when_others_do_not_do),
        cmocka_unit_test(full_root_directory_of_fat16_takes_no_more),
        cmocka_unit_test(file_in_place_of_a_directory_is_refused),
        cmocka_unit_test(what_is_not_there_or_not_empty_does_not_go),
        cmocka_unit_test(names_fat_cannot_hold_are_refused),
        cmocka_unit_test(file_is_found_by_its_short_name),
        cmocka_unit_test(damage_is_refused),
        cmocka_unit_test(file_system_that_was_not_looked_through_is_refused),
        cmocka_unit_test(second_fat_that_differs_in_lost_clusters_is_made_equal),
        cmocka_unit_test(fat_that_does_not_count_is_left_alone),
        cmocka_unit_test(nothing_to_do_writes_nothing),
        cmocka_unit_test(fsinfo_counts_free_clusters),
        cmocka_unit_test(small_arena_fails_cleanly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
