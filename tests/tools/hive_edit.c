/*
 * Registry hives in files, made, changed and judged, for programs of others to look at:
 *
 *   hive_edit make OUT NAME          a new hive whose root has that name, then changes
 *   hive_edit edit IN OUT [ROOM]     changes; the hive may grow by ROOM bytes, at most 1 MiB
 *   hive_edit check IN               what is wrong with it
 *   hive_edit recover IN OUT LOG...  an unfinished write completed from its logs
 *
 * Changes come from standard input, one a line, their words divided by tabs:
 *
 *   create PATH                with all keys on the way that are not there
 *   delete PATH
 *   set PATH NAME TYPE HEX     type a number; NAME may be empty
 *   unset PATH NAME
 *
 * A path is "\KEY\KEY" in UTF-8, the root "\". Prints "ok", for `check` "sound keys N values N" or
 * "damage WORDS" or "untidy WORDS". Exit status: 0; 1 when it cannot be done, with "LINE: STATUS"
 * or why, and then nothing is written; 125 for wrong options or files.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "format/regf/regf.h"
#include "format/regf/regf_edit.h"
#include "format/regf/regf_log.h"
#include "format/regf/regf_make.h"
#include "format/regf/regf_verify.h"
#include "host/host_alloc.h"

#define FILE_MAX   (4u << 20)
#define ARENA_SIZE (16u << 20)
#define ROOM       (1u << 20)
#define LINE_SIZE  (1u << 20)
#define WORDS_MAX  5
#define LOGS_MAX   3
#define NOW        0x01dc600000000000u /* 2025-11-28 */

/* Full access for the system and for administrators, who own it. */
static const uint8_t security[] = {
    0x01, 0x00, 0x04, 0x80, 0x48, 0x00, 0x00, 0x00, 0x58, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x14, 0x00, 0x00, 0x00, 0x02, 0x00, 0x34, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x18, 0x00, 0x3f, 0x00, 0x0f, 0x00, 0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x05, 0x20,
    0x00, 0x00, 0x00, 0x20, 0x02, 0x00, 0x00, 0x00, 0x00, 0x14, 0x00, 0x3f, 0x00, 0x0f, 0x00,
    0x01, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x05, 0x12, 0x00, 0x00, 0x00, 0x01, 0x02, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x05, 0x20, 0x00, 0x00, 0x00, 0x20, 0x02, 0x00, 0x00, 0x01, 0x01,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x05, 0x12, 0x00, 0x00, 0x00};

static uint8_t buffer[FILE_MAX + ROOM]; /* of the hive that is made or changed */
static uint8_t files[LOGS_MAX + 1][FILE_MAX];

static struct span read_whole(const char *path, uint8_t bytes[FILE_MAX])
{
    FILE *file = fopen(path, "rb");

    if (file == NULL)
        host_fail("a file cannot be read");
    size_t size = fread(bytes, 1, FILE_MAX, file);
    fclose(file);
    return span_of(bytes, size);
}

static void write_whole(const char *path, struct span bytes)
{
    FILE *file = fopen(path, "wb");

    if (file == NULL || fwrite(bytes.at, 1, bytes.size, file) != bytes.size || fclose(file) != 0)
        host_fail("a file cannot be written");
}

/* --- Words -------------------------------------------------------------------------------------*/

/* UTF-16 of `size` bytes of UTF-8, in new memory of the arena. */
static struct regf_name name_of(struct arena *arena, const char *text, size_t size)
{
    char *copy = arena_alloc(arena, size + 1, 1);
    struct span units;

    if (copy == NULL)
        host_fail("out of memory");
    memcpy(copy, text, size);
    if (text_to_ucs2(arena, copy, &units) != ST_OK)
        host_fail("malformed UTF-8");
    return (struct regf_name){span_of(units.at, units.size - 2), true};
}

/* Follows a path, making keys where `make`. */
static enum status find_key(struct regf_edit *edit, struct arena *arena, const char *path,
                            bool make, uint32_t *ret_key)
{
    uint32_t key = edit->hive.root;

    while (*path == '\\' && path[1] != 0) {
        size_t length = strcspn(path + 1, "\\");
        struct regf_name name = name_of(arena, path + 1, length);
        enum status status = regf_find_subkey(&edit->hive, key, name, &key);
        if (status == ST_ABSENT && make)
            status = regf_create_key(edit, key, name, &key);
        if (status != ST_OK)
            return status;
        path += 1 + length;
    }
    *ret_key = key;
    return ST_OK;
}

static struct span hex_of(struct arena *arena, const char *hex)
{
    size_t size = strlen(hex) / 2;
    uint8_t *bytes = arena_alloc(arena, size + 1, 1);

    if (bytes == NULL)
        host_fail("out of memory");
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(text_hex_digit(hex[2 * i]) << 4 | text_hex_digit(hex[2 * i + 1]));
    return span_of(bytes, size);
}

/* --- Changes -----------------------------------------------------------------------------------*/

static enum status change(struct regf_edit *edit, struct arena *arena,
                          const char *const words[WORDS_MAX])
{
    bool make = strcmp(words[0], "create") == 0;
    uint32_t key;
    enum status status = find_key(edit, arena, words[1], make, &key);

    if (status != ST_OK || make)
        return status;
    if (strcmp(words[0], "delete") == 0)
        return regf_delete_key(edit, key);
    struct regf_name name = name_of(arena, words[2], strlen(words[2]));
    if (strcmp(words[0], "unset") == 0)
        return regf_delete_value(edit, key, name);
    if (strcmp(words[0], "set") == 0)
        return regf_set_value(edit, key, name, (uint32_t)strtoul(words[3], NULL, 0),
                              hex_of(arena, words[4]));
    return ST_USAGE;
}

/* The words of a line, which is taken apart. */
static void split(char *line, const char *words[WORDS_MAX])
{
    line[strcspn(line, "\n")] = 0;
    for (size_t i = 0; i < WORDS_MAX; i++) {
        words[i] = line;
        line += strcspn(line, "\t");
        if (*line != 0)
            *line++ = 0;
    }
}

/* Changes the hive in the first bytes of the buffer. */
static int make_changes(struct arena *arena, size_t size, size_t capacity, const char *out)
{
    static char line[LINE_SIZE];
    const char *words[WORDS_MAX];
    struct regf_edit edit;
    enum status status = regf_edit_open(arena, buffer, size, capacity, NOW, &edit);

    if (status != ST_OK) {
        printf("0: %s\n", status_text(status));
        return 1;
    }
    for (unsigned number = 1; fgets(line, sizeof(line), stdin) != NULL; number++) {
        size_t mark = arena_mark(arena);
        split(line, words);
        status = change(&edit, arena, words);
        arena_release(arena, mark);
        if (status != ST_OK) {
            printf("%u: %s\n", number, status_text(status));
            return 1;
        }
    }
    write_whole(out, regf_edit_finish(&edit));
    printf("ok\n");
    return 0;
}

static int make(struct arena *arena, const char *out, const char *name)
{
    struct span hive;
    enum status status = regf_make(buffer, sizeof(buffer), name_of(arena, name, strlen(name)),
                                   span_of(security, sizeof(security)), NOW, &hive);

    if (status != ST_OK) {
        printf("%s\n", status_text(status));
        return 1;
    }
    return make_changes(arena, hive.size, sizeof(buffer), out);
}

static int edit_file(struct arena *arena, const char *in, const char *out, size_t room)
{
    size_t size = read_whole(in, buffer).size;

    return make_changes(arena, size, room < ROOM ? size + room : size + ROOM, out);
}

/* --- Judging -----------------------------------------------------------------------------------*/

static int check(struct arena *arena, const char *in)
{
    struct span file = read_whole(in, files[0]);
    struct regf_hive hive;
    struct regf_report report;

    if (regf_open(arena, file, &hive) != ST_OK) {
        printf("damage %s\n", regf_state_text(regf_check(file)));
        return 0;
    }
    if (regf_verify(arena, &hive, &report) != ST_OK)
        host_fail("out of memory");
    if (report.damage.problem != REGF_NO_PROBLEM)
        printf("damage %s\n", regf_problem_text(report.damage.problem));
    else if (report.untidy.problem != REGF_NO_PROBLEM)
        printf("untidy %s\n", regf_problem_text(report.untidy.problem));
    else
        printf("sound keys %u values %u\n", report.key_count, report.value_count);
    return 0;
}

static int recover(int argc, char **argv)
{
    struct span logs[LOGS_MAX];
    struct span file;
    int count = 0;

    for (; 4 + count < argc && count < LOGS_MAX; count++)
        logs[count] = read_whole(argv[4 + count], files[count]);
    enum regf_recovery recovery = regf_recover(read_whole(argv[2], files[LOGS_MAX]), logs,
                                               (size_t)count, buffer, sizeof(buffer), &file);
    if (recovery != REGF_RECOVERED) {
        printf("%s\n", regf_recovery_text(recovery));
        return 1;
    }
    write_whole(argv[3], file);
    printf("ok\n");
    return 0;
}

int main(int argc, char **argv)
{
    static uint8_t memory[ARENA_SIZE];
    struct arena arena;

    arena_init(&arena, memory, sizeof(memory));
    if (argc == 4 && strcmp(argv[1], "make") == 0)
        return make(&arena, argv[2], argv[3]);
    if (argc >= 4 && strcmp(argv[1], "edit") == 0)
        return edit_file(&arena, argv[2], argv[3], argc > 4 ? strtoul(argv[4], NULL, 0) : ROOM);
    if (argc == 3 && strcmp(argv[1], "check") == 0)
        return check(&arena, argv[2]);
    if (argc >= 4 && strcmp(argv[1], "recover") == 0)
        return recover(argc, argv);
    fprintf(stderr, "hive_edit: see the head of tests/tools/hive_edit.c\n");
    return 125;
}
