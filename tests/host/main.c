/*
 * The program on the host: disks are image files, variables a text file, volumes the FAT partitions
 * in the images. Only the ports differ from what runs in firmware.
 *
 *   shadowboot [HOST OPTION ...] COMMAND ...
 *
 * The host's options are in host/host_options.h. Exit status: the command's; 125 when the host's
 * own options or files are wrong; 126 when it has handed the machine over, to what it started or by a
 * reset.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "cmd/cmd.h"
#include "host/fault.h"
#include "host/host_alloc.h"
#include "host/host_clock.h"
#include "host/host_console.h"
#include "host/host_options.h"
#include "host/host_start.h"
#include "host/image_block.h"
#include "host/image_files.h"
#include "host/mem_vars.h"
#include "host/uboot_vars.h"
#include "host/vars_file.h"
#include "linux/clock.h"
#include "port/ports.h"
#include "unit/disk_volumes_fixture.h"

#define EXIT_HOST  125
#define EXIT_AWAY  126
#define ARENA_SIZE (64u << 20)

struct program {
    struct host_options options;
    struct image_block *images[HOST_OPTIONS_DISKS];
    struct block_port blocks[HOST_OPTIONS_DISKS];
    struct ports disk_ports;         /* the disks alone, for `fault` */
    struct fault *fault;             /* makes blocks unreadable */
    const struct block_port *faulty; /* the disks as the program sees them */
    struct mem_vars *vars;
    struct uboot_vars *file_vars; /* as U-Boot, when the firmware is that */
    struct image_files *files;
    struct arena *arena;
    size_t disk; /* whose volumes are looked for */
    size_t volume_count;
    bool self_found;
    struct host_console *console;
    struct host_clock clock;
    struct host_start *start;
    struct ports ports;
};

static bool open_disks(struct program *program)
{
    for (size_t i = 0; i < program->options.disk_count; i++) {
        const struct host_disk_option *disk = &program->options.disks[i];
        uint8_t path[DISK_PATH_SIZE];
        char model[32];
        size_t size = disk_path_make(disk->controller, disk->position, path);
        snprintf(model, sizeof(model), "Image disk %u", disk->position);
        enum status status = image_block_open(disk->file, disk->block_size, span_of(path, size),
                                              model, &program->images[i]);
        if (status != ST_OK)
            return host_options_complain(status_text(status), disk->file);
        program->blocks[i] = image_block_port(program->images[i]);
    }
    return true;
}

/* Puts the bad areas between the disks and the program. */
static bool wrap_disks(struct program *program)
{
    const struct host_options *options = &program->options;

    program->disk_ports.disks = program->blocks;
    program->disk_ports.disk_count = options->disk_count;
    program->fault = fault_new(&program->disk_ports);
    program->faulty = fault_ports(program->fault)->disks;
    for (size_t i = 0; i < options->bad_count; i++) {
        const struct host_bad_option *area = &options->bad[i];
        size_t disk = host_options_disk_at(options, area->position);
        if (disk == options->disk_count)
            return host_options_complain("no disk at this place", "--bad");
        fault_bad_blocks(program->fault, disk, area->lba, area->count);
    }
    return true;
}

/* A volume whose first block cannot be read is not mounted. */
static bool volume_readable(struct arena *arena, const struct block_port *block, uint64_t lba)
{
    size_t mark = arena_mark(arena);
    uint8_t *first = arena_alloc(arena, 1, block->block_size);
    bool good = lba < block->block_count && first != NULL &&
                block->read(block->ctx, lba, 1, first) == ST_OK;

    arena_release(arena, mark);
    return good;
}

/* Makes the partition a volume when there is a FAT file system in it. */
static void add_volume(void *ctx, const struct hd_node *hd)
{
    struct program *program = ctx;
    const struct host_disk_option *disk = &program->options.disks[program->disk];
    const struct block_port *block = &program->faulty[program->disk];
    const struct host_options *options = &program->options;
    uint8_t bytes[DISK_VOLUME_PATH_SIZE];
    char alias[32];
    size_t volume = 0;

    size_t size = disk_volume_path(block, hd, bytes);
    snprintf(alias, sizeof(alias), "FS%zu:", program->volume_count);
    if (!volume_readable(program->arena, block, hd->start) ||
        image_files_add_volume(program->files, disk->file, hd->start * block->block_size,
                               span_of(bytes, size), alias, &volume) != ST_OK)
        return;
    program->volume_count++;
    if (options->has_self && options->self.disk == disk->position &&
        options->self.partition == hd->number) {
        image_files_set_self(program->files, volume);
        program->self_found = true;
    }
}

/* Finds the volumes that the images hold now. */
static enum status find_volumes(void *ctx)
{
    struct program *program = ctx;

    program->volume_count = 0;
    for (program->disk = 0; program->disk < program->options.disk_count; program->disk++)
        disk_volumes_find(program->arena, &program->faulty[program->disk], add_volume, program);
    return ST_OK;
}

static bool add_all_volumes(struct program *program, struct arena *arena)
{
    program->files = image_files_new();
    program->arena = arena;
    image_files_set_renewal(program->files, find_volumes, program);
    if (find_volumes(program) != ST_OK)
        return false;
    if (program->options.has_self && !program->self_found)
        return host_options_complain("no such volume with a FAT file system", "--self");
    return true;
}

static void make_ports(struct program *program)
{
    const struct host_options *options = &program->options;

    program->ports.disks = program->faulty;
    program->ports.disk_count = options->disk_count;
    program->ports.vars = mem_vars_port(program->vars);
    if (firmware_is_uboot(options->firmware)) {
        program->file_vars = uboot_vars_new(program->vars, program->blocks, options->disk_count);
        program->ports.vars = uboot_vars_port(program->file_vars);
    }
    program->ports.files = image_files_port(program->files);
    program->ports.console = host_console_port(program->console);
    program->clock.time = options->date;
    program->ports.clock = options->has_date ? host_clock_fixed(&program->clock) : linux_clock();
    host_start_take_options(program->start, options);
    program->ports.start = host_start_port(program->start);
    program->ports.architecture = options->architecture;
    program->ports.firmware.vendor = options->firmware;
}

static int run_command(struct program *program, struct arena *arena, int argc, char **argv)
{
    int words = argc - program->options.first_word;
    const char **arguments = host_alloc((size_t)words + 2, sizeof(*arguments));

    arguments[0] = program->options.name;
    for (int i = 0; i < words; i++)
        arguments[i + 1] = argv[program->options.first_word + i];
    volatile int code = EXIT_AWAY; /* kept over longjmp */
    if (setjmp(*host_start_away(program->start)) == 0)
        code = (int)(cmd_main(&program->ports, arena, words + 1, arguments) & 0xff);
    fflush(stdout);
    free(arguments);
    return code;
}

static bool save_vars(const struct program *program)
{
    const char *file = program->options.vars_file;

    if (file == NULL || mem_vars_changes(program->vars) == 0)
        return true;
    enum status status = vars_file_save(file, program->vars);
    return status == ST_OK || host_options_complain(status_text(status), file);
}

/* The arena is static: of memory that is given back the sanitizers mark every byte. */
static int run(struct program *program, int argc, char **argv)
{
    static uint8_t memory[ARENA_SIZE];
    struct arena arena;

    if (!host_options_take(argc, argv, &program->options) || !open_disks(program))
        return EXIT_HOST;
    program->vars = host_options_load_vars(&program->options);
    if (program->vars == NULL)
        return EXIT_HOST;
    if (program->options.screen.columns > 0)
        host_console_set_screen(program->console, program->options.screen, false);
    for (size_t i = 0; i < program->options.answer_count; i++)
        host_console_answer(program->console, program->options.answers[i]);
    arena_init(&arena, memory, sizeof(memory));
    int code = EXIT_HOST;
    if (wrap_disks(program) && add_all_volumes(program, &arena)) {
        make_ports(program);
        code = run_command(program, &arena, argc, argv);
        if (!save_vars(program) || !host_start_save(program->start, &program->options))
            code = EXIT_HOST;
    }
    return code;
}

static void close_program(struct program *program)
{
    for (size_t i = 0; i < program->options.disk_count; i++)
        image_block_close(program->images[i]);
    host_options_free(&program->options);
    fault_free(program->fault);
    image_files_free(program->files);
    uboot_vars_free(program->file_vars);
    mem_vars_free(program->vars);
    host_console_free(program->console);
    host_start_free(program->start);
}

int main(int argc, char **argv)
{
    struct program program = {.console = host_console_new_stdio(), .start = host_start_new()};
    int code = run(&program, argc, argv);

    close_program(&program);
    return code;
}
