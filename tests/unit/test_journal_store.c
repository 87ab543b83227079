/*
 * Where a journal goes, and which one is whose: the volume the program came from, else an ESP of a
 * fixed disk, never a disk that is about to change and never a stick that only happens to be there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "apply/journal_store.h"
#include "host/fault.h"
#include "host/host_alloc.h"
#include "host/host_ports.h"
#include "unit/disk_machine_fixture.h"

#define MIB             (1ull << 20)
#define ARENA_SIZE      (32u << 20)
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* A volume on each, by the same number: the disks, and what the scan has found there. */
enum { SHADOW, PRIMARY_ESP, DATA, OWN_STICK, FOREIGN_STICK, VOLUMES };

/* Ports with these files, and a store of variables that takes none. */
static const struct ports *over(const struct files_port *files)
{
    static struct ports ports;

    ports.files = *files;
    ports.vars = mem_vars_none();
    return &ports;
}

static const struct {
    enum partition_type kind;
    bool removable;
    size_t disk;
} places[VOLUMES] = {
    [SHADOW] = {PT_ESP, false, 1},       [PRIMARY_ESP] = {PT_ESP, false, 0},
    [DATA] = {PT_BASIC_DATA, false, 4},  [OWN_STICK] = {PT_BASIC_DATA, true, 2},
    [FOREIGN_STICK] = {PT_ESP, true, 3},
};

struct bench {
    struct host *host;
    uint8_t *memory;
    struct arena arena;
    struct machine machine;
    struct disk disks[VOLUMES];
    struct partition partitions[VOLUMES];
    struct journal_disk about[VOLUMES];
    struct journal_record record;
    struct journal journal;
};

static int set_up(void **state)
{
    struct bench *bench = host_alloc(1, sizeof(*bench));

    bench->host = host_new();
    bench->memory = host_alloc(1, ARENA_SIZE);
    arena_init(&bench->arena, bench->memory, ARENA_SIZE);
    for (size_t i = 0; i < VOLUMES; i++)
        host_add_disk(bench->host, DISK_AHCI, 512, 1 << 20);
    for (size_t i = 0; i < VOLUMES; i++) {
        struct host_partition place = {
            .disk = places[i].disk, .number = 1, .start = 2048, .size = 65536};
        place.guid.bytes[0] = (uint8_t)(i + 1);
        assert_int_equal(host_add_volume(bench->host, &place, 8 * MIB), i);
        bench->partitions[i] = (struct partition){.disk = places[i].disk,
                                                  .kind = places[i].kind,
                                                  .volume = i,
                                                  .first_lba = place.start,
                                                  .block_count = place.size};
        bench->disks[places[i].disk] =
            (struct disk){.removable = places[i].removable, .port = places[i].disk};
    }
    mem_files_set_self(bench->host->files, OWN_STICK);
    bench->machine = (struct machine){.disks = bench->disks,
                                      .disk_count = VOLUMES,
                                      .partitions = bench->partitions,
                                      .partition_count = VOLUMES};
    bench->record = (struct journal_record){.kind = JOURNAL_VARIABLE,
                                            .name = "Timeout",
                                            .old_present = true,
                                            .old_attributes = 7,
                                            .old_data = span_of("\5\0", 2)};
    bench->journal = (struct journal){
        .command = "shadowboot test", .records = &bench->record, .count = 1, .disks = bench->about};
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;

    host_free(bench->host);
    free(bench->memory);
    free(bench);
    return 0;
}

/* The journal is about this disk too. */
static void change_disk(struct bench *bench, size_t disk)
{
    const struct block_port *port = &host_ports(bench->host)->disks[disk];

    bench->about[bench->journal.disk_count++] = (struct journal_disk){
        .block_count = port->block_count, .block_size = port->block_size, .path = port->path};
}

static enum status save_over(struct bench *bench, const struct files_port *files,
                             struct journal_file *ret_file)
{
    struct ports ports = *over(files);

    ports.disks = host_ports(bench->host)->disks;
    return journal_store_save(&bench->arena, &ports, &bench->machine, &bench->journal, ret_file);
}

static enum status save(struct bench *bench, struct journal_file *ret_file)
{
    return save_over(bench, &host_ports(bench->host)->files, ret_file);
}

static void expect_on(struct bench *bench, size_t volume)
{
    struct journal_file file;

    assert_int_equal(save(bench, &file), ST_OK);
    assert_int_equal(file.volume, volume);
    assert_non_null(mem_files_find(bench->host->files, volume, file.path).at);
    mem_files_drop(bench->host->files, volume, file.path);
}

/* No volume has any file. */
static void expect_none(struct bench *bench)
{
    struct file_info info;
    struct files_port files = host_ports(bench->host)->files;

    for (size_t i = 0; i < VOLUMES; i++)
        assert_int_not_equal(files.list(files.ctx, i, JOURNAL_DIRECTORY, 0, &info), ST_OK);
}

static const uint8_t ram_disk[] = {4,    9,    38,   0,    0,    0,    0,    1,    0,    0,    0,
                                   0,    0xff, 0xff, 0xff, 4,    0,    0,    0,    0,    0x5a, 0x53,
                                   0xab, 0x77, 0xfc, 0x45, 0x4b, 0x62, 0x55, 0x60, 0xf7, 0xb2, 0x81,
                                   0xd1, 0xf9, 0x6e, 0,    0,    0x7f, 0xff, 4,    0};

/* What firmware has loaded over a network lies in memory, and is gone with the power. */
static void a_disk_in_memory_takes_no_journal(void **state)
{
    struct bench *bench = *state;
    struct journal_file file;
    size_t own = mem_files_add_volume(bench->host->files, span_of(ram_disk, sizeof(ram_disk)),
                                      "FS9:", 8 * MIB);

    mem_files_set_self(bench->host->files, own);
    expect_on(bench, SHADOW);
    change_disk(bench, 0);
    change_disk(bench, 1);
    assert_int_not_equal(save(bench, &file), ST_OK);
    expect_none(bench);
}

/* One in it came with the image: of the machine that the image was made on. */
static void a_journal_in_a_disk_in_memory_is_not_of_this_machine(void **state)
{
    struct bench *bench = *state;
    struct files_port files = host_ports(bench->host)->files;
    struct journal_files found;
    struct journal_file file;

    assert_int_equal(save(bench, &file), ST_OK);
    struct span saved = mem_files_find(bench->host->files, file.volume, file.path);
    uint8_t *copy = host_copy(saved.at, saved.size);
    size_t own = mem_files_add_volume(bench->host->files, span_of(ram_disk, sizeof(ram_disk)),
                                      "FS9:", 8 * MIB);
    mem_files_put(bench->host->files, own, file.path, copy, saved.size);
    mem_files_drop(bench->host->files, file.volume, file.path);
    free(copy);
    files = host_ports(bench->host)->files;
    assert_int_equal(journal_store_list(&bench->arena, over(&files), &found), ST_OK);
    assert_int_equal(found.count, 0);
}

/* --- Which volume --------------------------------------------------------------------------- */

/* Whatever it is, and wherever it stands among the others. */
static void the_volume_we_came_from_is_the_first_choice(void **state)
{
    struct bench *bench = *state;

    for (size_t i = 0; i < VOLUMES; i++) {
        mem_files_set_self(bench->host->files, i);
        expect_on(bench, i);
    }
}

/* Only ESPs of fixed disks take its place, in their order. */
static void else_it_is_an_esp_of_a_fixed_disk(void **state)
{
    struct bench *bench = *state;
    struct journal_file file;

    mem_files_set_read_only(bench->host->files, OWN_STICK, true);
    expect_on(bench, SHADOW);
    mem_files_set_read_only(bench->host->files, SHADOW, true);
    expect_on(bench, PRIMARY_ESP);
    mem_files_set_read_only(bench->host->files, PRIMARY_ESP, true);
    assert_int_equal(save(bench, &file), ST_READ_ONLY);
    expect_none(bench);
}

static void a_stick_that_happens_to_be_there_gets_no_journal(void **state)
{
    struct bench *bench = *state;
    struct journal_file file;

    mem_files_set_self(bench->host->files, FILES_NO_VOLUME);
    change_disk(bench, places[SHADOW].disk);
    change_disk(bench, places[PRIMARY_ESP].disk);
    assert_int_equal(save(bench, &file), ST_REFUSED);
    expect_none(bench);
}

static void nor_does_a_disk_that_changes(void **state)
{
    struct bench *bench = *state;
    struct journal_file file;

    change_disk(bench, places[SHADOW].disk);
    mem_files_set_read_only(bench->host->files, OWN_STICK, true);
    expect_on(bench, PRIMARY_ESP);
    /* Not the first of the changed disks alone: any of them. */
    change_disk(bench, places[PRIMARY_ESP].disk);
    assert_int_equal(save(bench, &file), ST_READ_ONLY);
    /* Not even when the program came from there. */
    for (size_t i = SHADOW; i <= PRIMARY_ESP; i++) {
        mem_files_set_self(bench->host->files, i);
        assert_int_equal(save(bench, &file), ST_REFUSED);
    }
    expect_none(bench);
}

static void without_a_volume_there_is_none_to_try(void **state)
{
    struct bench *bench = *state;
    struct journal_file file;

    mem_files_set_self(bench->host->files, FILES_NO_VOLUME);
    bench->machine.partition_count = 0;
    assert_int_equal(save(bench, &file), ST_ABSENT);
    expect_none(bench);
}

/* Whatever the command has looked at: entries alone need no file systems. */
static void nor_does_an_esp_whose_chains_are_broken(void **state)
{
    static const char path[] = JOURNAL_DIRECTORY "\\J0000001.SBJ";
    struct disk_machine_shape shape = disk_machine_usual();

    (void)state;
    shape.no_stick = true;
    struct host *host = disk_machine_new(&shape);
    struct host *sound = host_clone(host);
    assert_int_equal(fixture_run(sound, "timeout -y 8"), 0);
    assert_non_null(mem_files_find(sound->files, 0, path).at);
    disk_machine_break_fat(host, 0, "\\EFI\\BOOT\\BOOTX64.EFI");
    assert_int_equal(fixture_run(host, "timeout -y 8"), 0);
    assert_null(mem_files_find(host->files, 0, path).at);
    assert_non_null(mem_files_find(host->files, 1, path).at);
    host_free(sound);
    host_free(host);
}

/* --- Room ----------------------------------------------------------------------------------- */

static void as_much_stays_free_as_is_said(void **state)
{
    struct bench *bench = *state;
    struct journal_file file;
    uint64_t needed = journal_store_needs(&bench->journal);

    assert_true(needed >= journal_size(&bench->journal) + 64 * 1024);
    for (size_t i = 0; i < VOLUMES; i++)
        mem_files_set_free(bench->host->files, i, needed - 1);
    assert_int_equal(save(bench, &file), ST_NO_SPACE);
    expect_none(bench);
    mem_files_set_free(bench->host->files, PRIMARY_ESP, needed);
    expect_on(bench, PRIMARY_ESP);
    mem_files_set_free(bench->host->files, OWN_STICK, needed);
    expect_on(bench, OWN_STICK);
}

/* Of several reasons that which people can do most about is told. */
static void the_reason_that_helps_is_told(void **state)
{
    struct bench *bench = *state;
    struct journal_file file;
    struct mem_files *files = bench->host->files;

    change_disk(bench, places[SHADOW].disk); /* refused */
    mem_files_set_read_only(files, OWN_STICK, true);
    mem_files_set_free(files, PRIMARY_ESP, 1);
    assert_int_equal(save(bench, &file), ST_NO_SPACE);
    mem_files_set_free(files, PRIMARY_ESP, 8 * MIB);
    mem_files_set_read_only(files, PRIMARY_ESP, true);
    mem_files_set_free(files, OWN_STICK, 1);
    mem_files_set_read_only(files, OWN_STICK, false);
    assert_int_equal(save(bench, &file), ST_NO_SPACE);
    mem_files_set_free(files, OWN_STICK, 8 * MIB);
    mem_files_set_read_only(files, OWN_STICK, true);
    assert_int_equal(save(bench, &file), ST_READ_ONLY);
}

/* --- Read back ------------------------------------------------------------------------------ */

/* What a volume makes of a file that is written: the length, and a byte that changes on the way. */
static struct {
    const struct files_port *sound;
    size_t volume;
    size_t cut;    /* bytes that are missing at the end */
    size_t broken; /* the byte that is another; SIZE_MAX: none */
    size_t added;
} flaw;

static enum status flawed_write(void *ctx, size_t volume, const char *path,
                                enum file_write_mode mode, const void *data, size_t size)
{
    if (volume != flaw.volume)
        return flaw.sound->write(ctx, volume, path, mode, data, size);
    uint8_t *copy = host_alloc(1, size + flaw.added + 1);
    memcpy(copy, data, size);
    if (flaw.broken != SIZE_MAX)
        copy[flaw.broken] ^= 1;
    enum status status =
        flaw.sound->write(ctx, volume, path, mode, copy, size - flaw.cut + flaw.added);
    free(copy);
    return status;
}

/* A journal of more than one piece, as one about disks is. */
static void make_large(struct bench *bench)
{
    size_t size = 3u << 20;

    bench->record = (struct journal_record){.kind = JOURNAL_BLOCKS,
                                            .lba = 100,
                                            .block_count = (uint32_t)(size / 512),
                                            .old_data = span_of(host_alloc(1, size), size)};
    memset((void *)bench->record.old_data.at, 0x77, size);
    change_disk(bench, places[DATA].disk);
}

static void a_journal_that_does_not_read_back_is_taken_away(void **state)
{
    struct bench *bench = *state;
    struct files_port files = host_ports(bench->host)->files;
    struct journal_file file;

    make_large(bench);
    size_t size = journal_size(&bench->journal);
    const struct {
        size_t cut;
        size_t broken;
        size_t added;
    } flaws[] = {{1, SIZE_MAX, 0}, {0, SIZE_MAX, 1}, {0, 5, 0}, {0, size / 2, 0}, {0, size - 1, 0}};
    flaw.sound = &host_ports(bench->host)->files;
    flaw.volume = OWN_STICK;
    files.write = flawed_write;
    for (size_t i = 0; i < COUNT_OF(flaws); i++) {
        arena_init(&bench->arena, bench->memory, ARENA_SIZE);
        flaw.cut = flaws[i].cut;
        flaw.broken = flaws[i].broken;
        flaw.added = flaws[i].added;
        assert_int_equal(save_over(bench, &files, &file), ST_OK);
        assert_int_equal(file.volume, SHADOW);
        assert_null(mem_files_find(bench->host->files, OWN_STICK, file.path).at);
        mem_files_drop(bench->host->files, SHADOW, file.path);
    }
    free((void *)bench->record.old_data.at);
}

/* Nowhere does it arrive: then there is none, and nothing may be changed. */
static void without_one_that_reads_back_there_is_no_journal(void **state)
{
    struct bench *bench = *state;
    struct journal_file file;
    struct fault *fault = fault_new(host_ports(bench->host));

    fault_fail(fault, FAULT_FILE_READ, 1, ST_IO, true);
    assert_int_equal(save_over(bench, &fault_ports(fault)->files, &file), ST_IO);
    expect_none(bench);
    fault_free(fault);
}

/* --- Numbers and marks ---------------------------------------------------------------------- */

static void a_number_is_higher_than_those_on_all_volumes(void **state)
{
    struct bench *bench = *state;
    struct journal_file file;

    mem_files_put(bench->host->files, FOREIGN_STICK, JOURNAL_DIRECTORY "\\J0000041.SBJ", "x", 1);
    mem_files_put(bench->host->files, SHADOW, JOURNAL_DIRECTORY "\\J0000007.SBJ", "x", 1);
    mem_files_put(bench->host->files, SHADOW, JOURNAL_DIRECTORY "\\K0000999.SBJ", "x", 1);
    mem_files_put(bench->host->files, SHADOW, JOURNAL_DIRECTORY "\\J000999.SBJ", "x", 1);
    mem_files_put(bench->host->files, SHADOW, JOURNAL_DIRECTORY "\\J0000999.BAK", "x", 1);
    assert_int_equal(save(bench, &file), ST_OK);
    assert_int_equal(file.id, 42);
    assert_string_equal(file.path, JOURNAL_DIRECTORY "\\J0000042.SBJ");
}

/* The volumes have changed places, as they do when drivers take a disk up again. */
static void the_mark_goes_where_the_journal_is(void **state)
{
    struct bench *bench = *state;
    struct files_port files = host_ports(bench->host)->files;
    struct file_volume turned[VOLUMES];
    struct journal_files found;
    struct journal_file file;

    assert_int_equal(save(bench, &file), ST_OK);
    struct journal_file moved = file;
    moved.volume = SHADOW; /* what had that number then */
    assert_int_equal(journal_store_mark(over(&files), &moved, JOURNAL_DONE), ST_OK);
    assert_int_equal(journal_store_list(&bench->arena, over(&files), &found), ST_OK);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.items[0].volume, OWN_STICK);
    assert_int_equal(found.items[0].journal.state, JOURNAL_DONE);
    /* It is gone. */
    for (size_t i = 0; i < VOLUMES; i++)
        turned[i] = files.volumes[SHADOW];
    files.volumes = turned;
    assert_int_equal(journal_store_volume(over(&files), &file), FILES_NO_VOLUME);
    assert_int_equal(journal_store_mark(over(&files), &file, JOURNAL_UNDONE), ST_ABSENT);
}

static void journals_are_listed_by_number_then_by_volume(void **state)
{
    struct bench *bench = *state;
    struct files_port files = host_ports(bench->host)->files;
    struct journal_files found;
    struct journal_file file;
    static const size_t volumes[] = {SHADOW, OWN_STICK, PRIMARY_ESP};

    for (size_t i = 0; i < 3; i++) { /* 1, 2 and 3 */
        mem_files_set_self(bench->host->files, volumes[2 - i]);
        assert_int_equal(save(bench, &file), ST_OK);
    }
    struct span first =
        mem_files_find(bench->host->files, PRIMARY_ESP, JOURNAL_DIRECTORY "\\J0000001.SBJ");
    uint8_t *copy = host_copy(first.at, first.size);
    mem_files_put(bench->host->files, FOREIGN_STICK, JOURNAL_DIRECTORY "\\J0000001.SBJ", copy,
                  first.size);
    free(copy);
    assert_int_equal(journal_store_list(&bench->arena, over(&files), &found), ST_OK);
    assert_int_equal(found.count, 4);
    static const size_t expected[] = {PRIMARY_ESP, FOREIGN_STICK, OWN_STICK, SHADOW};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(found.items[i].id, i == 0 ? 1 : i);
        assert_int_equal(found.items[i].volume, expected[i]);
    }
}

/* Marked ones are not among them, and so are none that are cut short or of no journal at all. */
static void only_those_without_a_mark_are_interrupted(void **state)
{
    struct bench *bench = *state;
    struct files_port files = host_ports(bench->host)->files;
    struct journal_file saved[4];
    struct journal_files found;

    for (size_t i = 0; i < 4; i++)
        assert_int_equal(save(bench, &saved[i]), ST_OK);
    assert_int_equal(journal_store_mark(over(&files), &saved[0], JOURNAL_DONE), ST_OK);
    assert_int_equal(journal_store_mark(over(&files), &saved[2], JOURNAL_UNDONE), ST_OK);
    mem_files_put(bench->host->files, OWN_STICK, saved[3].path, "SBJ", 3);
    assert_int_equal(journal_store_list_interrupted(&bench->arena, over(&files), &found), ST_OK);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.items[0].id, saved[1].id);
    assert_int_equal(found.items[0].journal.state, JOURNAL_PENDING);
}

/* --- Which is later ------------------------------------------------------------------------- */

static struct journal_file journal_at(size_t volume, uint32_t id, uint16_t year, uint8_t second)
{
    static const char paths[] = "abcdefgh";
    struct journal_file file = {.id = id, .volume_path = span_of(&paths[volume], 1)};

    file.journal.date =
        (struct date_time){.year = year, .month = 2, .day = 3, .hour = 4, .minute = 5};
    file.journal.date.second = second;
    return file;
}

static void dates_count_between_volumes_and_numbers_on_one(void **state)
{
    static const struct {
        size_t volume;
        uint32_t id;
        uint16_t year;
        uint8_t second;
        bool later; /* than volume 0's number 5 of 2026, second 6 */
    } others[] = {
        {0, 6, 2020, 0, true},  {0, 4, 2030, 0, false}, {1, 4, 2027, 0, true},
        {1, 6, 2025, 0, false}, {1, 4, 2026, 7, true},  {1, 6, 2026, 5, false},
        {1, 6, 2026, 6, true},  {1, 4, 2026, 6, false}, {1, 6, 0, 0, true},
        {1, 4, 0, 59, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        struct journal_file own = journal_at(0, 5, 2026, 6);
        struct journal_file other =
            journal_at(others[i].volume, others[i].id, others[i].year, others[i].second);
        assert_int_equal(journal_file_is_later(&other, &own), others[i].later);
        assert_int_equal(journal_file_is_later(&own, &other), !others[i].later);
    }
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_volume_we_came_from_is_the_first_choice),
        CASE(a_disk_in_memory_takes_no_journal),
        CASE(a_journal_in_a_disk_in_memory_is_not_of_this_machine),
        CASE(else_it_is_an_esp_of_a_fixed_disk),
        CASE(a_stick_that_happens_to_be_there_gets_no_journal),
        CASE(nor_does_a_disk_that_changes),
        CASE(nor_does_an_esp_whose_chains_are_broken),
        CASE(without_a_volume_there_is_none_to_try),
        CASE(as_much_stays_free_as_is_said),
        CASE(the_reason_that_helps_is_told),
        CASE(a_journal_that_does_not_read_back_is_taken_away),
        CASE(without_one_that_reads_back_there_is_no_journal),
        CASE(a_number_is_higher_than_those_on_all_volumes),
        CASE(the_mark_goes_where_the_journal_is),
        CASE(journals_are_listed_by_number_then_by_volume),
        CASE(only_those_without_a_mark_are_interrupted),
        CASE(dates_count_between_volumes_and_numbers_on_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
