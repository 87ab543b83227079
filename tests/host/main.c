/*
 * The program on the host: disks are image files, variables a text file, volumes the FAT partitions
 * in the images. Only the ports differ from what runs in firmware.
 *
 *   shadowboot [HOST OPTION ...] COMMAND ...
 *
 *   --disk FILE[:BLOCKSIZE][:CONTROLLER]  the next disk; 512 and nvme unless given. CONTROLLER is
 *                                         nvme, ahci, virtio, scsi or usb. --disk none leaves the
 *                                         place of the next disk empty: the others keep theirs.
 *   --bad PLACE:LBA:COUNT
 *                       blocks that cannot be read on the disk at PLACE (from 0, empty places
 *                       counted); may be repeated
 *   --vars FILE         the variable store (see vars_file.h); created when there is something to
 *                       keep. Without it the store is empty and lost at the end.
 *   --self DISK:PART    the volume the program was started from: place of the disk from 0, number
 *                       of the partition from 1
 *   --answer TEXT       the next answer to a question; may be repeated. Without any, standard input
 *                       is asked.
 *   --date Y-M-DTh:m:s  the time, standing still; the host's own otherwise
 *   --arch NAME         X64 unless given
 *   --name NAME         the name the program is called by; the file's own otherwise
 *   --                  the end of the host's options
 *
 * Exit status: the command's; 125 when the host's own options or files are wrong.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/crc32.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "format/devpath.h"
#include "format/gpt.h"
#include "format/mbr.h"
#include "format/partition_type.h"
#include "host/disk_path.h"
#include "host/fault.h"
#include "host/host_alloc.h"
#include "host/host_clock.h"
#include "host/host_console.h"
#include "host/image_block.h"
#include "host/image_files.h"
#include "host/mem_vars.h"
#include "host/vars_file.h"
#include "port/ports.h"

#define EXIT_HOST  125
#define ARENA_SIZE (64u << 20)
#define MAX_DISKS  64
#define MAX_BAD    8
#define MAX_PATH   128 /* bytes of a partition's device path */

struct place {
    unsigned disk;      /* from 0, empty places counted */
    unsigned partition; /* from 1 */
};

struct disk {
    char *file;
    struct image_block *image;
    unsigned position;
};

struct bad_area {
    unsigned position; /* of the disk */
    unsigned long long lba;
    unsigned long long count;
};

struct options {
    const char *vars_file;
    const char *architecture;
    const char *name;
    bool has_self;
    struct place self;
    bool has_date;
    struct host_clock clock;
    struct bad_area bad[MAX_BAD];
    size_t bad_count;
    int first_word; /* where the command starts in argv */
};

struct program {
    struct options options;
    struct disk disks[MAX_DISKS];
    struct block_port blocks[MAX_DISKS];
    size_t disk_count;
    struct ports disk_ports;         /* the disks alone, for `fault` */
    struct fault *fault;             /* makes blocks unreadable */
    const struct block_port *faulty; /* the disks as the program sees them */
    unsigned next_position;
    struct mem_vars *vars;
    struct image_files *files;
    struct arena *arena;
    size_t volume_count;
    bool self_found;
    struct host_console *console;
    struct ports ports;
};

static bool complain(const char *what, const char *which)
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

static bool add_disk(struct program *program, const char *argument)
{
    enum disk_controller controller = DISK_NVME;
    uint64_t block_size = 512;
    uint8_t path[DISK_PATH_SIZE];
    char model[32];
    unsigned position = program->next_position++;
    struct disk *disk = &program->disks[program->disk_count];

    if (strcmp(argument, "none") == 0)
        return true;
    if (program->disk_count == MAX_DISKS)
        return complain("too many disks", argument);
    char *file = host_copy_text(argument);
    cut_disk_fields(file, &controller, &block_size);
    disk->file = file;
    disk->position = position;
    program->disk_count++;
    if (block_size < 512 || block_size > 65536 || (block_size & (block_size - 1)) != 0)
        return complain("block size is not a power of two from 512 to 65536", argument);
    size_t size = disk_path_make(controller, position, path);
    snprintf(model, sizeof(model), "Image disk %u", position);
    enum status status =
        image_block_open(file, (uint32_t)block_size, span_of(path, size), model, &disk->image);
    if (status != ST_OK)
        return complain(status_text(status), file);
    program->blocks[program->disk_count - 1] = image_block_port(disk->image);
    return true;
}

static bool set_vars(struct program *program, const char *argument)
{
    program->options.vars_file = argument;
    return true;
}

static bool set_self(struct program *program, const char *argument)
{
    struct place *self = &program->options.self;
    char rest = 0;

    program->options.has_self = true;
    if (sscanf(argument, "%u:%u%c", &self->disk, &self->partition, &rest) != 2)
        return complain("not DISK:PARTITION", argument);
    return true;
}

static bool add_bad_area(struct program *program, const char *argument)
{
    struct options *options = &program->options;
    char rest = 0;

    if (options->bad_count == MAX_BAD)
        return complain("too many bad areas", argument);
    struct bad_area *area = &options->bad[options->bad_count++];
    if (sscanf(argument, "%u:%llu:%llu%c", &area->position, &area->lba, &area->count, &rest) != 3)
        return complain("not DISK:LBA:COUNT", argument);
    return true;
}

static bool add_answer(struct program *program, const char *argument)
{
    host_console_answer(program->console, argument);
    return true;
}

static bool set_date(struct program *program, const char *argument)
{
    unsigned part[6];
    char rest = 0;

    if (sscanf(argument, "%u-%u-%uT%u:%u:%u%c", &part[0], &part[1], &part[2], &part[3], &part[4],
               &part[5], &rest) != 6)
        return complain("not YYYY-MM-DDThh:mm:ss", argument);
    program->options.has_date = true;
    program->options.clock.time =
        (struct date_time){(uint16_t)part[0], (uint8_t)part[1], (uint8_t)part[2],
                           (uint8_t)part[3],  (uint8_t)part[4], (uint8_t)part[5]};
    return true;
}

static bool set_architecture(struct program *program, const char *argument)
{
    program->options.architecture = argument;
    return true;
}

static bool set_name(struct program *program, const char *argument)
{
    program->options.name = argument;
    return true;
}

static const struct host_option {
    const char *name;
    bool (*take)(struct program *program, const char *argument);
} host_options[] = {
    {"--disk", add_disk},     {"--vars", set_vars},    {"--self", set_self},
    {"--answer", add_answer}, {"--date", set_date},    {"--arch", set_architecture},
    {"--name", set_name},     {"--bad", add_bad_area},
};

static bool take_option(struct program *program, const char *name, const char *argument)
{
    for (size_t i = 0; i < sizeof(host_options) / sizeof(host_options[0]); i++) {
        if (strcmp(host_options[i].name, name) != 0)
            continue;
        if (argument == NULL)
            return complain("the option needs an argument", name);
        return host_options[i].take(program, argument);
    }
    return complain("no such option of the host program", name);
}

static bool take_options(struct program *program, int argc, char **argv)
{
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    int i = 1;

    program->options.architecture = "X64";
    program->options.name = slash != NULL ? slash + 1 : argc > 0 ? argv[0] : "shadowboot";
    while (i < argc && strncmp(argv[i], "--", 2) == 0) {
        if (strcmp(argv[i], "--") == 0) {
            i++;
            break;
        }
        if (!take_option(program, argv[i], i + 1 < argc ? argv[i + 1] : NULL))
            return false;
        i += 2;
    }
    program->options.first_word = i < argc ? i : argc;
    return true;
}

static bool load_vars(struct program *program)
{
    const char *file = program->options.vars_file;
    unsigned line = 0;

    if (file == NULL) {
        program->vars = mem_vars_new(MEM_VARS_TOTAL);
        return true;
    }
    enum status status = vars_file_load(file, MEM_VARS_TOTAL, &program->vars, &line);
    if (status == ST_ABSENT)
        program->vars = mem_vars_new(MEM_VARS_TOTAL);
    if (status == ST_OK || status == ST_ABSENT)
        return true;
    if (status == ST_DAMAGED)
        fprintf(stderr, "shadowboot: %s:%u: not a variable\n", file, line);
    return complain(status_text(status), file);
}

/* Puts the bad areas between the disks and the program. */
static bool wrap_disks(struct program *program)
{
    const struct options *options = &program->options;

    program->disk_ports.disks = program->blocks;
    program->disk_ports.disk_count = program->disk_count;
    program->fault = fault_new(&program->disk_ports);
    program->faulty = fault_ports(program->fault)->disks;
    for (size_t i = 0; i < options->bad_count; i++) {
        const struct bad_area *area = &options->bad[i];
        size_t disk = 0;
        while (disk < program->disk_count && program->disks[disk].position != area->position)
            disk++;
        if (disk == program->disk_count)
            return complain("no disk at this place", "--bad");
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
static void add_volume(struct program *program, struct arena *arena, size_t index,
                       const struct hd_node *hd)
{
    const struct disk *disk = &program->disks[index];
    const struct block_port *block = &program->faulty[index];
    const struct options *options = &program->options;
    uint8_t bytes[MAX_PATH];
    char alias[32];
    struct builder path;
    size_t volume = 0;

    builder_init(&path, bytes, sizeof(bytes));
    builder_bytes(&path, span_part(block->path, 0, block->path.size - 4));
    devpath_put_hd(&path, hd);
    devpath_put_end(&path);
    snprintf(alias, sizeof(alias), "FS%zu:", program->volume_count);
    if (!volume_readable(arena, block, hd->start) ||
        image_files_add_volume(program->files, disk->file, hd->start * block->block_size,
                               builder_span(&path), alias, &volume) != ST_OK)
        return;
    program->volume_count++;
    if (options->has_self && options->self.disk == disk->position &&
        options->self.partition == hd->number) {
        image_files_set_self(program->files, volume);
        program->self_found = true;
    }
}

/* The entry array of one copy of the GPT, in the arena; NULL when that copy is not sound. */
static const uint8_t *read_gpt(struct arena *arena, const struct block_port *block, uint64_t lba,
                               struct gpt_header *ret_header)
{
    uint8_t *first = arena_alloc(arena, 1, block->block_size);
    struct gpt_header header;

    if (first == NULL || block->read(block->ctx, lba, 1, first) != ST_OK ||
        gpt_header_parse(span_of(first, block->block_size), lba, block->block_count, &header) !=
            GPT_FINE)
        return NULL;
    uint64_t size = gpt_array_bytes(&header);
    uint32_t blocks = (uint32_t)((size + block->block_size - 1) / block->block_size);
    uint8_t *array = arena_alloc(arena, blocks, block->block_size);
    if (array == NULL || block->read(block->ctx, header.entries_lba, blocks, array) != ST_OK ||
        crc32_update(0, array, (size_t)size) != header.entries_crc)
        return NULL;
    *ret_header = header;
    return array;
}

static void add_gpt_volumes(struct program *program, struct arena *arena, size_t index,
                            const struct gpt_header *header, const uint8_t *array)
{
    for (uint32_t i = 0; i < header->entry_count; i++) {
        const uint8_t *at = array + (size_t)i * header->entry_size;
        struct gpt_entry entry = gpt_entry_parse(span_of(at, header->entry_size));
        enum partition_type type = partition_type_of(&entry.type);
        if ((type != PT_ESP && type != PT_BASIC_DATA) || !gpt_entry_in_range(&entry, header))
            continue;
        struct hd_node hd = {
            .number = i + 1,
            .start = entry.first_lba,
            .size = entry.last_lba - entry.first_lba + 1,
            .format = HD_FORMAT_GPT,
            .signature_type = HD_SIGNATURE_GUID,
        };
        memcpy(hd.signature, entry.unique.bytes, sizeof(hd.signature));
        add_volume(program, arena, index, &hd);
    }
}

static void add_mbr_volumes(struct program *program, size_t index, struct arena *arena)
{
    const struct block_port *block = &program->faulty[index];
    uint8_t *first = arena_alloc(arena, 1, block->block_size);

    if (first == NULL || block->read(block->ctx, 0, 1, first) != ST_OK)
        return;
    struct mbr mbr = mbr_parse(span_of(first, block->block_size), block->block_count);
    for (unsigned i = 0; mbr.kind == MBR_PLAIN && i < MBR_RECORD_COUNT; i++) {
        if (mbr.records[i].type == MBR_TYPE_EMPTY || mbr_type_is_extended(mbr.records[i].type))
            continue;
        struct hd_node hd = {
            .number = i + 1,
            .start = mbr.records[i].first_lba,
            .size = mbr.records[i].block_count,
            .format = HD_FORMAT_MBR,
            .signature_type = HD_SIGNATURE_MBR,
        };
        st_le32(hd.signature, mbr.signature);
        add_volume(program, arena, index, &hd);
    }
}

static void add_volumes(struct program *program, size_t index, struct arena *arena)
{
    const struct block_port *block = &program->faulty[index];
    size_t mark = arena_mark(arena);
    struct gpt_header header;
    const uint8_t *array = read_gpt(arena, block, GPT_PRIMARY_LBA, &header);

    if (array == NULL)
        array = read_gpt(arena, block, block->block_count - 1, &header);
    if (array != NULL)
        add_gpt_volumes(program, arena, index, &header, array);
    else
        add_mbr_volumes(program, index, arena);
    arena_release(arena, mark);
}

/* Finds the volumes that the images hold now. */
static enum status find_volumes(void *ctx)
{
    struct program *program = ctx;

    program->volume_count = 0;
    for (size_t i = 0; i < program->disk_count; i++)
        add_volumes(program, i, program->arena);
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
        return complain("no such volume with a FAT file system", "--self");
    return true;
}

static void make_ports(struct program *program)
{
    struct options *options = &program->options;

    program->ports.disks = program->faulty;
    program->ports.disk_count = program->disk_count;
    program->ports.vars = mem_vars_port(program->vars);
    program->ports.files = image_files_port(program->files);
    program->ports.console = host_console_port(program->console);
    program->ports.clock =
        options->has_date ? host_clock_fixed(&options->clock) : host_clock_real();
    program->ports.architecture = options->architecture;
}

static int run_command(struct program *program, struct arena *arena, int argc, char **argv)
{
    int words = argc - program->options.first_word;
    const char **arguments = host_alloc((size_t)words + 2, sizeof(*arguments));

    arguments[0] = program->options.name;
    for (int i = 0; i < words; i++)
        arguments[i + 1] = argv[program->options.first_word + i];
    unsigned code = cmd_main(&program->ports, arena, words + 1, arguments);
    free(arguments);
    return (int)(code & 0xff);
}

static bool save_vars(const struct program *program)
{
    const char *file = program->options.vars_file;

    if (file == NULL || mem_vars_changes(program->vars) == 0)
        return true;
    enum status status = vars_file_save(file, program->vars);
    return status == ST_OK || complain(status_text(status), file);
}

static int run(struct program *program, int argc, char **argv)
{
    struct arena arena;

    if (!take_options(program, argc, argv) || !load_vars(program))
        return EXIT_HOST;
    void *memory = host_alloc(1, ARENA_SIZE);
    arena_init(&arena, memory, ARENA_SIZE);
    int code = EXIT_HOST;
    if (wrap_disks(program) && add_all_volumes(program, &arena)) {
        make_ports(program);
        code = run_command(program, &arena, argc, argv);
        if (!save_vars(program))
            code = EXIT_HOST;
    }
    free(memory);
    return code;
}

static void close_program(struct program *program)
{
    for (size_t i = 0; i < program->disk_count; i++) {
        image_block_close(program->disks[i].image);
        free(program->disks[i].file);
    }
    fault_free(program->fault);
    image_files_free(program->files);
    mem_vars_free(program->vars);
    host_console_free(program->console);
}

int main(int argc, char **argv)
{
    struct program program = {.console = host_console_new_stdio()};
    int code = run(&program, argc, argv);

    close_program(&program);
    return code;
}
