/*
 * Makes a boot store anew, for the harness to have it judged by programs of others:
 *
 *   store_make OUT OPTION...
 *     -esp PARTITION DISK       the volumes, by GUIDs
 *     -system PARTITION DISK
 *     -other PARTITION DISK     with a second entry
 *     -loaders A B C D          the new GUIDs: loader, resume, those of the second entry
 *     -description TEXT -locale xx-XX -keep -server -eleven
 *     -template FILE -old FILE
 *     -here PARTITION           one that is there, beside the volumes; may be given often
 *     -room BYTES               of the buffer
 *
 * Prints what came of it and, when it is "ok", what Windows' boot manager comes to by it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "format/bcd/bcd.h"
#include "format/bcd/bcd_make.h"
#include "host/host_alloc.h"

#define NOW        0x01dc600000000000u
#define HERE_MAX   8
#define ARENA_SIZE (2u << 20)

static uint8_t files[2][BCD_MAKE_BYTES];
static uint8_t buffer[BCD_MAKE_BYTES];

struct here {
    struct guid items[HERE_MAX];
    size_t count;
};

static bool is_here(void *ctx, const struct bcd_partition *partition)
{
    const struct here *here = ctx;

    for (size_t i = 0; i < here->count; i++) {
        if (guid_equal(&here->items[i], &partition->partition))
            return true;
    }
    return false;
}

static struct guid guid_word(const char *text)
{
    struct guid guid;

    if (text == NULL || guid_parse(text, &guid) != ST_OK)
        host_fail("no GUID");
    return guid;
}

static struct span read_file(const char *name, uint8_t *to)
{
    FILE *file = fopen(name, "rb");

    if (file == NULL)
        host_fail("a file cannot be read");
    size_t size = fread(to, 1, BCD_MAKE_BYTES, file);
    fclose(file);
    return span_of(to, size);
}

static void take_partition(char ***io_word, struct bcd_partition *ret_partition)
{
    *ret_partition = (struct bcd_partition){.is_gpt = true};
    ret_partition->partition = guid_word(*++*io_word);
    ret_partition->disk = guid_word(*++*io_word);
}

static void take_ids(char ***io_word, struct bcd_new *io_wanted)
{
    io_wanted->system.loader = guid_word(*++*io_word);
    io_wanted->system.resume = guid_word(*++*io_word);
    io_wanted->other.loader = guid_word(*++*io_word);
    io_wanted->other.resume = guid_word(*++*io_word);
}

static bool take_flag(const char *word, struct bcd_new *io_wanted)
{
    const struct {
        const char *word;
        bool *flag;
    } flags[] = {{"-keep", &io_wanted->keeps_locale},
                 {"-server", &io_wanted->is_server},
                 {"-eleven", &io_wanted->names_system_of_resume}};

    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if (strcmp(word, flags[i].word) == 0) {
            *flags[i].flag = true;
            return true;
        }
    }
    return false;
}

static void take_word(char ***io_word, struct bcd_new *io_wanted, struct here *io_here,
                      size_t *io_room)
{
    const char *word = **io_word;

    if (take_flag(word, io_wanted))
        return;
    if (strcmp(word, "-esp") == 0) {
        take_partition(io_word, &io_wanted->esp);
    } else if (strcmp(word, "-system") == 0) {
        take_partition(io_word, &io_wanted->system.partition);
    } else if (strcmp(word, "-other") == 0) {
        take_partition(io_word, &io_wanted->other.partition);
        io_wanted->has_other = true;
    } else if (strcmp(word, "-loaders") == 0) {
        take_ids(io_word, io_wanted);
    } else if (strcmp(word, "-description") == 0) {
        io_wanted->description = *++*io_word;
    } else if (strcmp(word, "-locale") == 0) {
        io_wanted->locale = *++*io_word;
    } else if (strcmp(word, "-template") == 0) {
        io_wanted->template_file = read_file(*++*io_word, files[0]);
    } else if (strcmp(word, "-old") == 0) {
        io_wanted->old_file = read_file(*++*io_word, files[1]);
    } else if (strcmp(word, "-here") == 0 && io_here->count < HERE_MAX) {
        io_here->items[io_here->count++] = guid_word(*++*io_word);
    } else if (strcmp(word, "-room") == 0) {
        *io_room = strtoul(*++*io_word, NULL, 0);
    } else {
        host_fail("store_make: see the head of tests/tools/store_make.c");
    }
}

int main(int argc, char **argv)
{
    static uint8_t memory[ARENA_SIZE];
    struct here here = {.count = 0};
    struct bcd_new wanted = {.description = "Windows", .locale = "en-US", .now = NOW};
    struct bcd_choice choice;
    struct bcd_store store;
    struct arena arena;
    struct span file;
    size_t room = sizeof(buffer);

    if (argc < 2)
        host_fail("store_make: see the head of tests/tools/store_make.c");
    for (char **word = argv + 2; *word != NULL; word++)
        take_word(&word, &wanted, &here, &room);
    wanted.is_here = is_here;
    wanted.ctx = &here;
    arena_init(&arena, memory, sizeof(memory));
    enum status status = bcd_make(&arena, &wanted, buffer, room, &file);
    if (status != ST_OK) {
        printf("%s\n", status_text(status));
        return 1;
    }
    FILE *out = fopen(argv[1], "wb");
    if (out == NULL || fwrite(file.at, 1, file.size, out) != file.size || fclose(out) != 0)
        host_fail("the store cannot be written");
    if (bcd_open(&arena, file, &store) != ST_OK)
        host_fail("no store");
    printf("ok, %s\n",
           bcd_choose(&store, &bcd_manager, &choice) == BCD_STARTS ? "starts" : "does not start");
    return 0;
}
