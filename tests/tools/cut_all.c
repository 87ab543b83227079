/*
 * Runs one command on a machine of image files again and again, interrupted everywhere, and judges
 * what is left (unit/cuts_fixture.h). The images and the variable file are only read: each run is
 * one in memory.
 *
 *   cut_all [OPTION ...] [HOST OPTION ...] COMMAND ...
 *
 *   --case NAME     what the machine is called when something is wrong
 *   --mode NAME     power (unless given), call, space or memory; may be repeated
 *   --seeds N       power: random fates of the disks' caches beside "all lost" and "all kept"; 2
 *   --garbage on    power: also blocks that are half garbage
 *   --first N, --last N, --step N   which writes or calls; all
 *   --pieces N      memory: in how many steps; 64
 *   --patience N    after how many violations to give up; 1
 *   --stick off     no stick to keep journals on
 *   --image FILE    the program's own file: on the stick; without one, where --self and --program say
 *   --undo on       the command is run in peace, and the undo of it interrupted
 *
 * The host's options are in host/host_options.h; answers cannot be given. Prints one line:
 *
 *   states N different N blind N writes N changed N violations N status N
 *
 * where `writes`, `changed` (0: nothing is left of what it did) and `status` are of the undisturbed
 * command; under --undo writes and status are those of its undo.
 *
 * Exit status: 0, also when the command has nothing to do; 1 after a violation, which is told on
 * standard error; 125 for wrong options or files.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "host/host_options.h"
#include "unit/cuts_fixture.h"
#include "unit/image_machine_fixture.h"

#define EXIT_HOST 125
#define LINE_MAX  1024

struct options {
    const char *name;
    bool modes[CUTS_MODE_COUNT];
    struct cuts_range range;
    uint64_t patience;
    const char *image; /* or NULL */
    bool stick;
    bool undo;
};

/* --- Options -------------------------------------------------------------------------------- */

static bool set_mode(struct options *options, const char *value)
{
    static const char *const names[CUTS_MODE_COUNT] = {[CUTS_POWER] = "power",
                                                       [CUTS_CALL] = "call",
                                                       [CUTS_NO_SPACE] = "space",
                                                       [CUTS_MEMORY] = "memory"};

    for (int i = 0; i < CUTS_MODE_COUNT; i++) {
        if (strcmp(value, names[i]) == 0) {
            options->modes[i] = true;
            return true;
        }
    }
    return false;
}

/* True when the option is one of this program's and its value is good. */
static bool take_option(struct options *options, const char *name, const char *value)
{
    uint64_t number = 0;
    const struct {
        const char *name;
        uint64_t *to;
    } numbers[] = {{"--first", &options->range.first},
                   {"--last", &options->range.last},
                   {"--step", &options->range.step},
                   {"--patience", &options->patience}};

    const struct {
        const char *name;
        bool *to;
    } switches[] = {{"--garbage", &options->range.garbage},
                    {"--stick", &options->stick},
                    {"--undo", &options->undo}};
    const struct {
        const char *name;
        const char **to;
    } texts[] = {{"--case", &options->name}, {"--image", &options->image}};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (strcmp(name, texts[i].name) == 0) {
            *texts[i].to = value;
            return true;
        }
    }
    if (strcmp(name, "--mode") == 0)
        return set_mode(options, value);
    for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
        if (strcmp(name, switches[i].name) == 0) {
            *switches[i].to = strcmp(value, "on") == 0;
            return true;
        }
    }
    if (text_parse_number(value, 10, &number) != ST_OK)
        return false;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (strcmp(name, numbers[i].name) == 0) {
            *numbers[i].to = number;
            return true;
        }
    }
    if (strcmp(name, "--seeds") == 0 || strcmp(name, "--pieces") == 0) {
        *(name[2] == 's' ? &options->range.seeds : &options->range.pieces) = (unsigned)number;
        return true;
    }
    return false;
}

/* Takes this program's own options out of argv and leaves the host's. */
static int take_own(struct options *options, int argc, char **argv)
{
    int kept = 1;
    int i = 1;

    *options =
        (struct options){.name = "machine", .range = {.seeds = 2}, .patience = 1, .stick = true};
    for (; i + 1 < argc && strncmp(argv[i], "--", 2) == 0 && argv[i][2] != 0; i += 2) {
        if (take_option(options, argv[i], argv[i + 1]))
            continue;
        argv[kept++] = argv[i];
        argv[kept++] = argv[i + 1];
    }
    while (i < argc)
        argv[kept++] = argv[i++];
    return kept;
}

/* --- The whole ------------------------------------------------------------------------------ */

static int try_modes(struct host *host, const struct options *options, const char *line)
{
    struct cuts *cuts = cuts_new(host, options->name, line);
    bool any = false;

    cuts_set_patience(cuts, (unsigned)options->patience);
    if (options->undo && cuts_violations(cuts) == 0)
        cuts_disturb_undo(cuts);
    for (int i = 0; i < CUTS_MODE_COUNT; i++)
        any = any || options->modes[i];
    for (int i = 0; i < CUTS_MODE_COUNT && cuts_violations(cuts) < options->patience; i++) {
        if (options->modes[i] || (!any && i == CUTS_POWER))
            (void)cuts_try(cuts, (enum cuts_mode)i, &options->range);
    }
    unsigned violations = cuts_violations(cuts);
    printf("states %llu different %llu blind %llu writes %llu changed %d violations %u status %u\n",
           (unsigned long long)cuts_states(cuts), (unsigned long long)cuts_distinct(cuts),
           (unsigned long long)cuts_blind(cuts), (unsigned long long)cuts_writes(cuts),
           cuts_has_changed(cuts), violations, cuts_code(cuts));
    cuts_free(cuts);
    return violations > 0;
}

static int run(const struct host_options *host_options, const struct options *options, int argc,
               char **argv)
{
    char line[LINE_MAX] = "";
    size_t used = 0;

    for (int i = host_options->first_word; i < argc; i++) {
        int size =
            snprintf(line + used, sizeof(line) - used, "%s\"%s\"", used > 0 ? " " : "", argv[i]);
        if (size < 0 || (size_t)size >= sizeof(line) - used)
            return EXIT_HOST;
        used += (size_t)size;
    }
    struct host *host = image_machine_new(host_options, options->stick, options->image);
    if (host == NULL)
        return EXIT_HOST;
    int code = try_modes(host, options, line);
    host_free(host);
    return code;
}

int main(int argc, char **argv)
{
    struct options options;
    struct host_options host_options;

    argc = take_own(&options, argc, argv);
    int code = host_options_take(argc, argv, &host_options)
                   ? run(&host_options, &options, argc, argv)
                   : EXIT_HOST;
    host_options_free(&host_options);
    return code;
}
