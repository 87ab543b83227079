/*
 * Repairs machines drawn at random and says where a repair breaks what it must keep
 * (sweep/property.h).
 *
 *   sweep [-first N] [-count N]    machines of the seeds from N on; 1 and 1000
 *   sweep -seed N [-v]             one machine, in words; with -v all that the commands print
 *   sweep -images                  machines of image files: standard input has one a line, options
 *                                  of the host program (host/host_options.h) divided by tabs, then
 *                                  "--" and the words of the command. For each a line
 *                                  "STATUS SIZE" comes back, and SIZE bytes of violations.
 *   sweep -truth                   the same input, the words behind "--" being the places of the
 *                                  disks that are there: the answer is what firmware makes of it
 *
 *   -allow KIND                    may be repeated: violations of that kind ("again: blocks", or
 *                                  the beginning of it) are told and count for nothing
 *
 * Exit status: 0; 1 when something was broken; 125 for wrong options.
 */
#define _GNU_SOURCE /* getline */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "host/host_alloc.h"
#include "sweep/draw.h"
#include "sweep/property.h"
#include "sweep/truth.h"
#include "unit/image_machine_fixture.h"

#define EXIT_HOST 125
#define KINDS_MAX 64u
#define SEEDS_MAX 5u
#define WORDS_MAX 256
#define TEXT_ROOM 65536u
#define LINE_ROOM 1024u
#define ALLOW_MAX 32u

static const char *const property_names[PROPERTY_COUNT] = {
    [PROPERTY_START] = "start", [PROPERTY_OWN] = "own entries", [PROPERTY_FOREIGN] = "foreign",
    [PROPERTY_AGAIN] = "again", [PROPERTY_UNDO] = "undo",       [PROPERTY_EXIT] = "exit status",
    [PROPERTY_LOOK] = "look",   [PROPERTY_PROMISE] = "promise"};

/* Violations that are alike. */
struct kind {
    char name[160];
    uint64_t seeds[SEEDS_MAX]; /* the first */
    unsigned count;            /* of machines */
    uint64_t last;             /* seed */
};

struct options {
    uint64_t first, count;
    bool one, shows_all, images, truth;
    const char *allowed[ALLOW_MAX];
    size_t allowed_count;
};

struct sweep {
    const struct options *options;
    uint64_t seed;
    bool tells; /* each violation at once */
    struct kind kinds[KINDS_MAX];
    size_t kind_count;
    unsigned bad, changed; /* machines */
    unsigned starts;       /* disks that started alone */
    uint64_t last_bad;
};

static bool is_allowed(const struct options *options, const char *kind)
{
    for (size_t i = 0; i < options->allowed_count; i++) {
        if (strncmp(kind, options->allowed[i], strlen(options->allowed[i])) == 0)
            return true;
    }
    return false;
}

/* --- Violations ------------------------------------------------------------------------------- */

static struct kind *kind_named(struct sweep *sweep, const char *name)
{
    size_t i = 0;

    while (i < sweep->kind_count && strcmp(sweep->kinds[i].name, name) != 0)
        i++;
    if (i == KINDS_MAX)
        return &sweep->kinds[KINDS_MAX - 1];
    if (i == sweep->kind_count)
        snprintf(sweep->kinds[sweep->kind_count++].name, sizeof(sweep->kinds[i].name), "%s", name);
    return &sweep->kinds[i];
}

static void note(void *ctx, enum property property, const char *kind_name, const char *text)
{
    struct sweep *sweep = ctx;
    char name[160];

    if (sweep->tells)
        printf("broken: %s: %s: %s\n", property_names[property], kind_name, text);
    snprintf(name, sizeof(name), "%s: %s", property_names[property], kind_name);
    if (!is_allowed(sweep->options, name)) {
        sweep->bad += sweep->last_bad != sweep->seed || sweep->bad == 0;
        sweep->last_bad = sweep->seed;
    }
    struct kind *kind = kind_named(sweep, name);
    if (kind->count > 0 && kind->last == sweep->seed)
        return;
    if (kind->count < SEEDS_MAX)
        kind->seeds[kind->count] = sweep->seed;
    kind->last = sweep->seed;
    kind->count++;
}

/* --- Drawn machines --------------------------------------------------------------------------- */

static void try_seed(struct sweep *sweep, uint64_t seed, bool shows_all)
{
    struct draw *draw = draw_new(seed);
    const struct property_task task = {.before = draw->host,
                                       .line = draw->with_msr ? "repair -y -format -msr"
                                                              : "repair -y -format",
                                       .mirrored = draw->mirrored[0] != 0 ? draw->mirrored : NULL,
                                       .shows_all = shows_all,
                                       .broken = note,
                                       .ctx = sweep};

    sweep->seed = seed;
    if (sweep->tells)
        printf("%s%s\n", draw->words, task.line);
    struct property_result result = property_try(&task);
    sweep->changed += result.changed;
    sweep->starts += result.starts;
    draw_free(draw);
}

static int report(const struct sweep *sweep, uint64_t count)
{
    for (size_t i = 0; i < sweep->kind_count; i++) {
        const struct kind *kind = &sweep->kinds[i];
        printf("%6u %s; seeds", kind->count, kind->name);
        for (size_t j = 0; j < SEEDS_MAX && j < kind->count; j++)
            printf(" %llu", (unsigned long long)kind->seeds[j]);
        printf("\n");
    }
    if (sweep->bad > 0)
        printf("build/host/tools/sweep -seed N -v shows one of them\n");
    printf("machines %llu changed %u starts %u bad %u\n", (unsigned long long)count, sweep->changed,
           sweep->starts, sweep->bad);
    return sweep->bad > 0;
}

static int try_seeds(const struct options *options)
{
    static struct sweep sweep;

    sweep.options = options;
    sweep.tells = options->one;
    for (uint64_t i = 0; i < options->count; i++)
        try_seed(&sweep, options->first + i, options->shows_all);
    return report(&sweep, options->count);
}

/* --- Machines of image files ------------------------------------------------------------------ */

struct answer {
    const struct options *options;
    char text[TEXT_ROOM];
    size_t used;
    bool bad;
};

static void put_line(struct answer *answer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void put_line(struct answer *answer, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int size = vsnprintf(answer->text + answer->used, TEXT_ROOM - answer->used, format, arguments);
    va_end(arguments);
    answer->used += (size_t)size;
    if (answer->used >= TEXT_ROOM)
        answer->used = TEXT_ROOM - 1;
}

static void note_line(void *ctx, enum property property, const char *kind, const char *text)
{
    struct answer *answer = ctx;
    char name[160];

    snprintf(name, sizeof(name), "%s: %s", property_names[property], kind);
    answer->bad = answer->bad || !is_allowed(answer->options, name);
    put_line(answer, "%s: %s\n", name, text);
}

static void try_images(const struct host_options *options, int argc, char **argv,
                       struct answer *answer)
{
    char line[LINE_ROOM] = "";
    size_t used = 0;
    struct host *host = image_machine_new(options, true, NULL);

    if (host == NULL)
        host_fail("a machine that cannot be read");
    for (int i = options->first_word; i < argc && used < sizeof(line); i++)
        used += (size_t)snprintf(line + used, sizeof(line) - used, "%s%s", used > 0 ? " " : "",
                                 argv[i]);
    const struct property_task task = {
        .before = host, .line = line, .broken = note_line, .ctx = answer};
    (void)property_try(&task);
    host_free(host);
}

static void put_guid(struct answer *answer, const uint8_t *guid)
{
    put_line(answer, "%08x-%04x-%04x-%02x%02x-", ld_le32(guid), ld_le16(guid + 4),
             ld_le16(guid + 6), guid[8], guid[9]);
    for (int i = 10; i < 16; i++)
        put_line(answer, "%02x", guid[i]);
}

static void tell_truth(const struct host_options *options, int argc, char **argv,
                       struct answer *answer)
{
    struct host *host = image_machine_new(options, false, NULL);
    uint64_t present = 0;
    struct truth truth;

    if (host == NULL)
        host_fail("a machine that cannot be read");
    for (int i = options->first_word; i < argc; i++) {
        size_t disk = host_options_disk_at(options, (unsigned)strtoul(argv[i], NULL, 10));
        present |= disk < options->disk_count ? (uint64_t)1 << disk : 0;
    }
    truth_of(host, present, &truth);
    put_line(answer, "%s\n%d\n%s\n", truth_verdict_name(truth.verdict), truth.entry, truth.file);
    if (truth.file[0] != 0)
        put_guid(answer, truth.guid);
    put_line(answer, "\n%s\n%s\n%s\n", truth.run.program, truth.run.system, truth.run.why);
    host_free(host);
}

/* Cuts `line` at its tabs, in place; gives how many words there are, behind the program's name. */
static int split(char *line, char *ret_words[WORDS_MAX + 1])
{
    static char name[] = "shadowboot";
    int count = 0;
    char *rest = NULL;

    line[strcspn(line, "\n")] = 0;
    ret_words[count++] = name;
    for (char *word = strtok_r(line, "\t", &rest); word != NULL;
         word = strtok_r(NULL, "\t", &rest)) {
        if (count == WORDS_MAX)
            host_fail("a request of too many words");
        ret_words[count++] = word;
    }
    ret_words[count] = NULL;
    return count;
}

static int serve(const struct options *options)
{
    static struct answer answer;
    char *words[WORDS_MAX + 1];
    struct host_options machine;
    char *line = NULL;
    size_t room = 0;

    while (getline(&line, &room, stdin) > 0) {
        int count = split(line, words);
        answer = (struct answer){.options = options};
        if (!host_options_take(count, words, &machine))
            return EXIT_HOST;
        if (options->truth)
            tell_truth(&machine, count, words, &answer);
        else
            try_images(&machine, count, words, &answer);
        host_options_free(&machine);
        printf("%d %zu\n%s", answer.bad, answer.used, answer.text);
        fflush(stdout);
    }
    free(line);
    return 0;
}

/* --- Options -------------------------------------------------------------------------------- */

static bool take_options(int argc, char **argv, struct options *options)
{
    for (int i = 1; i < argc; i++) {
        uint64_t *number = strcmp(argv[i], "-first") == 0 || strcmp(argv[i], "-seed") == 0
                               ? &options->first
                           : strcmp(argv[i], "-count") == 0 ? &options->count
                                                            : NULL;
        bool *flag = strcmp(argv[i], "-v") == 0        ? &options->shows_all
                     : strcmp(argv[i], "-images") == 0 ? &options->images
                     : strcmp(argv[i], "-truth") == 0  ? &options->truth
                                                       : NULL;
        if (strcmp(argv[i], "-allow") == 0 && i + 1 < argc && options->allowed_count < ALLOW_MAX) {
            options->allowed[options->allowed_count++] = argv[++i];
        } else if (number != NULL) {
            options->one = options->one || strcmp(argv[i], "-seed") == 0;
            if (++i == argc || text_parse_number(argv[i], 10, number) != ST_OK)
                return false;
        } else if (flag != NULL) {
            *flag = true;
        } else {
            return false;
        }
    }
    if (options->one)
        options->count = 1;
    return true;
}

int main(int argc, char **argv)
{
    struct options options = {.first = 1, .count = 1000};

    if (!take_options(argc, argv, &options))
        return EXIT_HOST;
    return options.images || options.truth ? serve(&options) : try_seeds(&options);
}
