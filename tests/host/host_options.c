#include "host/host_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "host/host_alloc.h"
#include "host/vars_file.h"

bool host_options_complain(const char *what, const char *which)
{
    fprintf(stderr, "shadowboot: %s: %s\n", which, what);
    return false;
}

/* Cuts the last ":FIELD" off `text` and gives the field; NULL when there is no colon. */
static char *cut_field(char *text)
{
    char *colon = strrchr(text, ':');

    if (colon == NULL)
        return NULL;
    *colon = 0;
    return colon + 1;
}

/* Takes ":CONTROLLER" and ":BLOCKSIZE" off the end of `text`, where they are there. */
static void cut_disk_fields(char *text, enum disk_controller *io_controller, uint64_t *io_size)
{
    char *field = cut_field(text);

    if (field != NULL && disk_controller_named(field, io_controller) != ST_OK)
        field[-1] = ':';
    field = cut_field(text);
    if (field != NULL && text_parse_number(field, 10, io_size) != ST_OK)
        field[-1] = ':';
}

static bool add_disk(struct host_options *options, const char *argument)
{
    struct host_disk_option disk = {.controller = DISK_NVME, .position = options->next_position++};
    uint64_t block_size = 512;

    if (strcmp(argument, "none") == 0)
        return true;
    if (options->disk_count == HOST_OPTIONS_DISKS)
        return host_options_complain("too many disks", argument);
    disk.file = host_copy_text(argument);
    cut_disk_fields(disk.file, &disk.controller, &block_size);
    disk.block_size = (uint32_t)block_size;
    options->disks[options->disk_count++] = disk;
    if (block_size < 512 || block_size > 65536 || (block_size & (block_size - 1)) != 0)
        return host_options_complain("block size is not a power of two from 512 to 65536",
                                     argument);
    return true;
}

static bool set_vars(struct host_options *options, const char *argument)
{
    options->vars_file = argument;
    return true;
}

static bool set_self(struct host_options *options, const char *argument)
{
    char rest = 0;

    options->has_self = true;
    if (sscanf(argument, "%u:%u%c", &options->self.disk, &options->self.partition, &rest) != 2)
        return host_options_complain("not DISK:PARTITION", argument);
    return true;
}

static bool add_bad_area(struct host_options *options, const char *argument)
{
    char rest = 0;

    if (options->bad_count == HOST_OPTIONS_BAD)
        return host_options_complain("too many bad areas", argument);
    struct host_bad_option *area = &options->bad[options->bad_count++];
    if (sscanf(argument, "%u:%llu:%llu%c", &area->position, &area->lba, &area->count, &rest) != 3)
        return host_options_complain("not DISK:LBA:COUNT", argument);
    return true;
}

static bool add_answer(struct host_options *options, const char *argument)
{
    if (options->answer_count == HOST_OPTIONS_ANSWERS)
        return host_options_complain("too many answers", argument);
    options->answers[options->answer_count++] = argument;
    return true;
}

static bool set_program(struct host_options *options, const char *argument)
{
    options->program = argument;
    return true;
}

static bool set_tpm(struct host_options *options, const char *argument)
{
    options->has_tpm = strcmp(argument, "yes") == 0;
    return true;
}

static bool add_start(struct host_options *options, const char *argument)
{
    char word[8];
    char rest = 0;
    unsigned code = 0;

    if (options->start_count == HOST_OPTIONS_ANSWERS)
        return host_options_complain("too many answers", argument);
    if (sscanf(argument, "%7[a-z]:%u%c", word, &code, &rest) != 2)
        return host_options_complain("not load:CODE or start:CODE", argument);
    options->starts[options->start_count].is_load = strcmp(word, "load") == 0;
    options->starts[options->start_count++].code = code;
    return true;
}

static bool set_started(struct host_options *options, const char *argument)
{
    options->started_file = argument;
    return true;
}

static bool set_date(struct host_options *options, const char *argument)
{
    unsigned part[6];
    char rest = 0;

    if (sscanf(argument, "%u-%u-%uT%u:%u:%u%c", &part[0], &part[1], &part[2], &part[3], &part[4],
               &part[5], &rest) != 6)
        return host_options_complain("not YYYY-MM-DDThh:mm:ss", argument);
    options->has_date = true;
    options->date = (struct date_time){(uint16_t)part[0], (uint8_t)part[1], (uint8_t)part[2],
                                       (uint8_t)part[3],  (uint8_t)part[4], (uint8_t)part[5]};
    return true;
}

static bool set_screen(struct host_options *options, const char *argument)
{
    char rest = 0;

    if (sscanf(argument, "%ux%u%c", &options->screen.columns, &options->screen.rows, &rest) != 2)
        return host_options_complain("not COLUMNSxROWS", argument);
    return true;
}

static bool set_architecture(struct host_options *options, const char *argument)
{
    options->architecture = argument;
    return true;
}

static bool set_firmware(struct host_options *options, const char *argument)
{
    options->firmware = argument;
    return true;
}

static bool set_name(struct host_options *options, const char *argument)
{
    options->name = argument;
    return true;
}

static const struct host_option {
    const char *name;
    bool (*take)(struct host_options *options, const char *argument);
} taken[] = {
    {"--disk", add_disk},       {"--vars", set_vars},         {"--self", set_self},
    {"--answer", add_answer},   {"--date", set_date},         {"--arch", set_architecture},
    {"--name", set_name},       {"--bad", add_bad_area},      {"--screen", set_screen},
    {"--program", set_program}, {"--tpm", set_tpm},           {"--start", add_start},
    {"--started", set_started}, {"--firmware", set_firmware},
};

static bool take_option(struct host_options *options, const char *name, const char *argument)
{
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        if (strcmp(taken[i].name, name) != 0)
            continue;
        if (argument == NULL)
            return host_options_complain("the option needs an argument", name);
        return taken[i].take(options, argument);
    }
    return host_options_complain("no such option of the host program", name);
}

bool host_options_take(int argc, char **argv, struct host_options *ret_options)
{
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    int i = 1;

    *ret_options = (struct host_options){.architecture = "X64",
                                         .name = slash != NULL ? slash + 1
                                                 : argc > 0    ? argv[0]
                                                               : "shadowboot"};
    while (i < argc && strncmp(argv[i], "--", 2) == 0) {
        if (strcmp(argv[i], "--") == 0) {
            i++;
            break;
        }
        if (!take_option(ret_options, argv[i], i + 1 < argc ? argv[i + 1] : NULL))
            return false;
        i += 2;
    }
    ret_options->first_word = i < argc ? i : argc;
    return true;
}

void host_options_free(struct host_options *options)
{
    for (size_t i = 0; i < options->disk_count; i++)
        free(options->disks[i].file);
}

size_t host_options_disk_at(const struct host_options *options, unsigned position)
{
    size_t disk = 0;

    while (disk < options->disk_count && options->disks[disk].position != position)
        disk++;
    return disk;
}

struct mem_vars *host_options_load_vars(const struct host_options *options)
{
    struct mem_vars *vars = NULL;
    unsigned line = 0;

    if (options->vars_file == NULL)
        return mem_vars_new(MEM_VARS_TOTAL);
    enum status status = vars_file_load(options->vars_file, MEM_VARS_TOTAL, &vars, &line);
    if (status == ST_OK)
        return vars;
    if (status == ST_ABSENT)
        return mem_vars_new(MEM_VARS_TOTAL);
    if (status == ST_DAMAGED)
        fprintf(stderr, "shadowboot: %s:%u: not a variable\n", options->vars_file, line);
    host_options_complain(status_text(status), options->vars_file);
    return NULL;
}
