/*
 * The program for Linux: disks are block devices or image files, named on the command line; boot
 * entries are those of efivarfs, or not known; what firmware mounts is read by the core's own FAT
 * reader. Only the ports differ from what runs in firmware.
 */
#define _GNU_SOURCE

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/sha256.h"
#include "advice.h"
#include "clock.h"
#include "cmd/cmd.h"
#include "cmd/command.h"
#include "console.h"
#include "disk.h"
#include "efivars.h"
#include "folders.h"
#include "guard.h"
#include "loop.h"
#include "mounts.h"
#include "model/disk_files.h"
#include "options.h"
#include "start.h"

/* Addresses more than memory: the kernel puts pages under what is used. */
#define ARENA_SIZE   ((size_t)1 << 30)
#define SCRATCH_SIZE ((size_t)256 << 20)
#define KEPT_SIZE    ((size_t)16 << 20)
#define ARENA_LEAST  ((size_t)16 << 20)

struct program {
    struct linux_options options;
    struct linux_disk disks[LINUX_DISKS_MAX];
    size_t opened;
    struct block_port blocks[LINUX_DISKS_MAX];
    struct linux_efivars vars;
    struct linux_folders folders;
    struct linux_console console;
    struct arena arena, kept, scratch;
    struct ports ports;
};

/* What cannot be done without firmware. */
static const char *const commands_of_firmware[] = {"auto", "install", "menu", "test"};

/* A vendor node (UEFI Specification 10.3.2) with a hash of the file's name: where firmware would find
 * the disk nobody knows, but undo finds it again under that name. */
static size_t make_disk_path(const char *file, uint8_t ret_path[LINUX_DISK_PATH_MAX])
{
    static const uint8_t path[] = {0x01, 0x04, 0x1c, 0x00, 0x52, 0x3a, 0x6f, 0x7b, 0x0e, 0x4f, 0x0d,
                                   0x4b, 0x9c, 0x1e, 0x5a, 0xd0, 0xb0, 0x07, 0xd1, 0x5c, 0x00, 0x00,
                                   0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x7f, 0xff, 0x04, 0x00};
    char name[PATH_MAX];

    if (realpath(file, name) == NULL)
        snprintf(name, sizeof(name), "%s", file);
    struct sha256 digest = sha256_of(span_of(name, strlen(name)));
    memcpy(ret_path, path, sizeof(path));
    memcpy(ret_path + 20, digest.bytes, 8);
    return sizeof(path);
}

static const char *opening_text(enum status status)
{
    switch (status) {
    case ST_ABSENT:
        return "there is no such file";
    case ST_UNSUPPORTED:
        return "neither a block device nor an image file with blocks of 512 to 65536 bytes";
    case ST_USAGE:
        return "its blocks have another length than --sector-size says. Leave that out: a device says "
               "it itself; nothing was changed";
    case ST_REFUSED:
        return "another program holds it (fuser -v tells which); nothing was changed";
    case ST_READ_ONLY:
        return "it is write-protected; nothing was changed";
    default:
        return "it cannot be read";
    }
}

/* Refuses what is no whole disk, what is named twice, and for writing what is in use. */
static enum status check_disk_option(const struct linux_options *options, size_t index)
{
    const char *file = options->disks[index].file;
    char why[LINUX_GUARD_WHY];
    char text[LINUX_GUARD_WHY];

    for (size_t i = 0; i < index; i++) {
        if (linux_loop_is_same_disk(linux_calls(), options->disks[i].file, file))
            return linux_complain(ST_USAGE, file, "this disk is named twice");
        if (options->write &&
            linux_guard_is_same_unit(linux_calls(), options->disks[i].file, file)) {
            snprintf(text, sizeof(text),
                     "it and %.200s are two paths to one disk (their wwid in /sys is the same): "
                     "name one of them; nothing was changed",
                     options->disks[i].file);
            return linux_complain(ST_REFUSED, file, text);
        }
    }
    if (linux_guard_is_partition(linux_calls(), file, why, sizeof(why))) {
        snprintf(text, sizeof(text), "it is a partition; its disk is %.100s", why);
        return linux_complain(ST_USAGE, file, text);
    }
    if (options->write && access(file, F_OK) == 0 &&
        !linux_guard_is_free(linux_calls(), file, why)) {
        snprintf(text, sizeof(text), "%.400s; nothing was changed", why);
        return linux_complain(ST_REFUSED, file, text);
    }
    return ST_OK;
}

static void tell_guess(const struct linux_disk *disk, const char *file)
{
    if (disk->guessed)
        fprintf(stderr,
                "shadowboot-linux: %s: no GPT tells how long its blocks are: taken for 512 bytes "
                "(--sector-size behind it says otherwise)\n",
                file);
}

static enum status open_disks(struct program *program)
{
    const struct linux_options *options = &program->options;

    for (size_t i = 0; i < options->disk_count; i++) {
        uint8_t path[LINUX_DISK_PATH_MAX];
        struct linux_disk_request request = {
            .file = options->disks[i].file,
            .block_size = options->disks[i].block_size,
            .write = options->write,
            .alone = options->write,
            .path = span_of(path, make_disk_path(options->disks[i].file, path))};
        enum status status = check_disk_option(options, i);
        if (status != ST_OK)
            return status;
        status = linux_disk_open(linux_calls(), &request, &program->disks[i]);
        if (status != ST_OK)
            return linux_complain(status, request.file, opening_text(status));
        program->opened++;
        program->blocks[i] = program->disks[i].port;
        program->blocks[i].place_unknown = true;
        tell_guess(&program->disks[i], request.file);
    }
    return ST_OK;
}

/* A journal has to be there after a power cut, and on none of the disks: of those nothing is mounted
 * or lies under another device, which check_disk_option sees to. */
static enum status check_journal(const struct linux_options *options, bool plan_only)
{
    const char *folder = options->journal;
    struct stat info;

    if (folder == NULL)
        return options->write && !plan_only
                   ? linux_complain(ST_USAGE, "--write",
                                    "give --journal DIR as well: a folder on a file system that is "
                                    "on none of the disks; nothing was changed")
                   : ST_OK;
    if (stat(folder, &info) != 0 || !S_ISDIR(info.st_mode))
        return linux_complain(ST_ABSENT, folder, "there is no such folder for journals");
    if (options->write && !options->journal_in_memory &&
        linux_mount_is_in_memory(linux_calls(), folder))
        return linux_complain(
            ST_REFUSED, folder,
            "it is in memory, or what it lies on cannot be seen; there a journal is lost with the power: "
            "name a folder on a stick, or give --journal-in-memory; nothing was changed");
    return ST_OK;
}

/* Memory as large as there are addresses for, of at most `size` bytes. */
static bool take_memory(struct arena *ret_arena, size_t size)
{
    for (; size >= ARENA_LEAST; size /= 2) {
        void *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (at == MAP_FAILED)
            continue;
        arena_init(ret_arena, at, size);
        return true;
    }
    return false;
}

static enum status make_ports(struct program *program)
{
    const struct linux_options *options = &program->options;
    struct ports *ports = &program->ports;
    struct disk_files *files = NULL;

    if (!take_memory(&program->arena, ARENA_SIZE) ||
        !take_memory(&program->scratch, SCRATCH_SIZE) || !take_memory(&program->kept, KEPT_SIZE) ||
        disk_files_open(&program->kept, &program->scratch, program->blocks, options->disk_count,
                        &files) != ST_OK)
        return linux_complain(ST_NO_MEMORY, "memory", "there is too little; nothing was changed");
    struct files_port behind = disk_files_port(files);
    linux_folders_open(&behind, options->journal, &program->folders);
    linux_console_open(&program->console);
    ports->disks = program->blocks;
    ports->disk_count = options->disk_count;
    ports->vars = options->efivars == NULL
                      ? linux_efivars_none()
                      : linux_efivars_open(options->efivars, options->write, &program->vars);
    ports->files = program->folders.port;
    ports->console = linux_console_port(&program->console);
    ports->clock = linux_clock();
    ports->start = linux_start();
    ports->architecture = options->architecture;
    return ST_OK;
}

static bool has_word(int count, char **words, const char *word)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(words[i], word) == 0)
            return true;
    }
    return false;
}

/* Runs the command; where nothing may be written, it only shows its plan. */
static int run_words(struct program *program, char **argv, int count)
{
    char **words = argv + program->options.first_word;
    bool add_plan_only = !program->options.write && count > 0 && !has_word(count, words, "-n");
    const char **arguments = calloc((size_t)count + 3, sizeof(*arguments));
    int used = 0;

    if (arguments == NULL)
        return (int)exit_code(ST_NO_MEMORY);
    arguments[used++] = argv[0];
    for (int i = 0; i < count; i++) {
        arguments[used++] = words[i];
        if (i == 0 && add_plan_only)
            arguments[used++] = "-n";
    }
    int code = (int)(cmd_main(&program->ports, &program->arena, used, arguments) & 0xff);
    fflush(stdout);
    free(arguments);
    if (program->console.has_advice && program->options.disk_count > 0 && count > 0 &&
        !has_word(count, words, "-sfo") && strcmp(words[0], "help") != 0)
        linux_advice_tell(&program->options, argv);
    return code;
}

static enum status check_command(const char *word)
{
    for (size_t i = 0; i < sizeof(commands_of_firmware) / sizeof(commands_of_firmware[0]); i++) {
        if (strcmp(word, commands_of_firmware[i]) == 0)
            return linux_complain(ST_UNSUPPORTED, word,
                                  "this command is the firmware's: it starts programs or the "
                                  "machine, or stands by to. Use shadowboot.efi for it");
    }
    return ST_OK;
}

static enum status check_efivars(const struct linux_options *options)
{
    struct stat info;

    if (options->efivars == NULL || (stat(options->efivars, &info) == 0 && S_ISDIR(info.st_mode)))
        return ST_OK;
    return linux_complain(
        ST_ABSENT, options->efivars,
        "there is no such folder of variables; without --efivars disks are judged "
        "by their files alone");
}

static enum status open_all(struct program *program, int count, char **words)
{
    enum status status = count > 0 ? check_command(words[0]) : ST_OK;

    if (status == ST_OK)
        status = check_journal(&program->options, has_word(count, words, "-n"));
    if (status == ST_OK)
        status = check_efivars(&program->options);
    if (status == ST_OK)
        status = open_disks(program);
    return status == ST_OK ? make_ports(program) : status;
}

int main(int argc, char **argv)
{
    static struct program program;
    enum status status = linux_options_take(argc, argv, &program.options);

    if (status != ST_OK)
        return (int)exit_code(status);
    if (program.options.help || program.options.version) {
        if (program.options.help)
            linux_options_help();
        else
            printf("shadowboot-linux " SHADOWBOOT_VERSION "\n");
        return 0;
    }
    int count = argc - program.options.first_word;
    char **words = argv + program.options.first_word;
    status = open_all(&program, count, words);
    int code = status == ST_OK ? run_words(&program, argv, count) : (int)exit_code(status);
    for (size_t i = 0; i < program.opened; i++)
        linux_disk_close(&program.disks[i]);
    if (program.options.efivars != NULL)
        linux_efivars_close(&program.vars);
    return code;
}
