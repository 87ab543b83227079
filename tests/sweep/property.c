#include "sweep/property.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "host/host_alloc.h"
#include "sweep/places.h"
#include "sweep/truth.h"
#include "unit/machine_fixture.h"

#define ARENA      (64u << 20)
#define TEXT_MAX   1200u
#define KIND_MAX   120u
#define CHANGED    0x1bu /* exit statuses that the manual names beside those of `status` */
#define ENTRY_NAME 8u

struct trial {
    const struct property_task *task;
    struct host *before;
    size_t disk_count; /* without the stick */
    struct truth starts[HOST_MAX_DISKS];
    struct truth whole;  /* with all disks */
    struct truth system; /* that it starts with them */
};

/* --- Running -------------------------------------------------------------------------------- */

static void broken(const struct trial *trial, enum property property, const char *kind,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));

static void broken(const struct trial *trial, enum property property, const char *kind,
                   const char *format, ...)
{
    char text[TEXT_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    trial->task->broken(trial->task->ctx, property, kind, text);
}

static unsigned run(const struct trial *trial, struct host *host, const char *line)
{
    static uint8_t *memory;
    struct arena arena;

    if (memory == NULL)
        memory = host_alloc(1, ARENA);
    arena_init(&arena, memory, ARENA);
    host_console_clear(host->console);
    unsigned code = fixture_run_arena(host_ports(host), line, &arena);
    if (trial->task->shows_all)
        printf("--- %s\n%s--- exit status %u\n", line, host_console_text(host->console), code);
    return code;
}

/* What the manual names: success, the verdicts of `status`, and what errors there are. */
static bool is_documented(unsigned code)
{
    static const uint8_t errors[] = {0, 2, 3, 5, 7, 8, 9, 10, 14, 15, 20, 21, CHANGED};

    for (size_t i = 0; i < sizeof(errors); i++) {
        if (code == errors[i])
            return true;
    }
    return code >= 64 && code <= 69;
}

/* --- Starting ------------------------------------------------------------------------------- */

static void describe(const struct truth *truth, char ret_text[TEXT_MAX / 2])
{
    char entry[16] = "no entry";

    if (truth->entry != TRUTH_NO_ENTRY)
        snprintf(entry, sizeof(entry), "Boot%04X", (unsigned)truth->entry);
    snprintf(ret_text, TEXT_MAX / 2, "%s by %s%s%s on disk %zu: %s%s%s",
             truth_verdict_name(truth->verdict), entry, truth->file[0] != 0 ? ", " : "",
             truth->file, truth->disk, truth->run.why, truth->run.system[0] != 0 ? ", system " : "",
             truth->run.system);
}

static bool starts(const struct truth *truth)
{
    return truth->verdict >= TRUTH_FALLBACK;
}

/* True for a system that whoever looks after the machine calls its own: the first that it starts
 * with all its disks, mirrored or not, or one that is mirrored, as far as that is known. */
static bool is_machines(const struct trial *trial, const struct truth *truth)
{
    const char *mirrored = trial->task->mirrored;

    if (starts(&trial->system) && strcmp(trial->system.run.system, truth->run.system) == 0)
        return true;
    return mirrored == NULL || strstr(mirrored, truth->run.system) != NULL;
}

static bool is_mirrored(const struct trial *trial, const struct truth *truth)
{
    return trial->task->mirrored != NULL && truth->run.system[0] != 0 &&
           strstr(trial->task->mirrored, truth->run.system) != NULL;
}

/* True when the machine, with all its disks, stops in Windows' boot manager: that it starts first,
 * and whatever stands behind it in BootOrder came up only with a disk taken out. */
static bool stops_in_windows(const struct trial *trial)
{
    return !starts(&trial->whole) && strstr(trial->whole.run.program, "bootmgfw") != NULL;
}

/* True when what comes up is what came up, or, in the place of another system, the machine's, which
 * is mirrored Windows where the machine stops on its way to it: that is what a repair is for. */
static bool is_kept(const struct trial *trial, const struct truth *old, const struct truth *new)
{
    return strcmp(old->run.system, new->run.system) == 0 ||
           (!is_machines(trial, old) && is_machines(trial, new)) ||
           (stops_in_windows(trial) && !is_mirrored(trial, old) && is_mirrored(trial, new));
}

static void compare_start(const struct trial *trial, const char *where, bool same_system,
                          const struct truth *old, const struct truth *new)
{
    char was[TEXT_MAX / 2];
    char is[TEXT_MAX / 2];
    char kind[KIND_MAX];

    if (!starts(old) || (starts(new) && (!same_system || is_kept(trial, old, new))))
        return;
    describe(old, was);
    describe(new, is);
    snprintf(kind, sizeof(kind), "%s: %s%s, then %s%s", same_system ? "alone" : "all disks",
             truth_verdict_name(old->verdict),
             is_machines(trial, old) ? "" : " (not the machine's)",
             starts(new) ? "another system" : truth_verdict_name(new->verdict),
             starts(new) || new->file[0] != 0 ? "" : ", nothing found");
    broken(trial, PROPERTY_START, kind, "%s: %s; then %s", where, was, is);
}

static uint64_t all_of(const struct trial *trial)
{
    return ((uint64_t)1 << trial->disk_count) - 1;
}

static void look_at_starts(struct trial *trial)
{
    for (size_t i = 0; i < trial->disk_count; i++)
        truth_of(trial->before, (uint64_t)1 << i, &trial->starts[i]);
    truth_of(trial->before, all_of(trial), &trial->whole);
    truth_of_system(trial->before, all_of(trial), &trial->system);
}

static void check_starts(const struct trial *trial, struct host *host)
{
    struct truth now;
    char where[32];

    for (size_t i = 0; i < trial->disk_count; i++) {
        truth_of(host, (uint64_t)1 << i, &now);
        snprintf(where, sizeof(where), "disk %zu alone", i);
        compare_start(trial, where, true, &trial->starts[i], &now);
    }
    truth_of(host, all_of(trial), &now);
    compare_start(trial, "all disks", false, &trial->whole, &now);
}

/* --- Entries -------------------------------------------------------------------------------- */

static bool is_entry(const struct mem_var *var)
{
    return strlen(var->name) == ENTRY_NAME && strncmp(var->name, "Boot", 4) == 0 &&
           strspn(var->name + 4, "0123456789ABCDEF") == 4;
}

static bool is_in_order(const struct mem_vars *vars, unsigned number)
{
    const struct mem_var *order = mem_vars_find(vars, NULL, "BootOrder");

    for (size_t i = 0; order != NULL && i + 1 < order->size; i += 2) {
        if (ld_le16(order->data + i) == number)
            return true;
    }
    return false;
}

static void check_own(const struct trial *trial, const struct host *host)
{
    for (size_t i = 0; i < mem_vars_count(trial->before->vars); i++) {
        const struct mem_var *old = mem_vars_at(trial->before->vars, i);
        if (!is_entry(old) || !truth_is_firmwares_own(span_of(old->data, old->size)))
            continue;
        unsigned number = (unsigned)strtoul(old->name + 4, NULL, 16);
        const struct mem_var *new = mem_vars_find(host->vars, NULL, old->name);
        if (new == NULL)
            broken(trial, PROPERTY_OWN, "deleted", "%s is gone", old->name);
        else if (!span_equal(span_of(old->data, old->size), span_of(new->data, new->size)))
            broken(trial, PROPERTY_OWN, "changed", "%s is another", old->name);
        else if (is_in_order(trial->before->vars, number) && !is_in_order(host->vars, number))
            broken(trial, PROPERTY_OWN, "out of BootOrder", "%s is not in BootOrder", old->name);
    }
}

/* --- Blocks --------------------------------------------------------------------------------- */

/* Zeros, or what nobody can read: there is nothing to bring back. */
static bool holds_nothing(const struct block_port *port, uint64_t lba)
{
    uint8_t block[4096] = {0};

    return port->read(port->ctx, lba, 1, block) != ST_OK ||
           span_is_zero(span_of(block, port->block_size));
}

/* Tells the first block of a disk that `wrong` does not want to differ. */
static void check_blocks(const struct trial *trial, const struct host *host, enum property property,
                         bool (*wrong)(enum region region, bool was_nothing))
{
    static const char *const names[] = {"free space", "an ESP", "an ESP without files", "an MSR",
                                        "a partition"};
    struct places places;

    for (size_t i = 0; i < trial->disk_count; i++) {
        const struct block_port *port = &trial->before->blocks[i];
        const struct mem_block *old = trial->before->disks[i];
        uint64_t lba = mem_block_difference(host->disks[i], old, 0);
        places_find(&trial->before->blocks[i], &places);
        for (; lba != UINT64_MAX; lba = mem_block_difference(host->disks[i], old, lba)) {
            enum region region = places_at(&places, lba);
            if (wrong(region, holds_nothing(port, lba))) {
                broken(trial, property, names[region], "block %llu of disk %zu, in %s",
                       (unsigned long long)lba, i, names[region]);
                break;
            }
            if (++lba >= port->block_count)
                break;
        }
    }
}

static bool is_foreign(enum region region, bool was_nothing)
{
    (void)was_nothing;
    return region == REGION_OTHER;
}

/* What an undo has to bring back, block by block. */
static bool is_lost(enum region region, bool was_nothing)
{
    return region == REGION_OTHER || (region != REGION_FILES && !was_nothing);
}

static void check_foreign(const struct trial *trial, const struct host *host)
{
    check_blocks(trial, host, PROPERTY_FOREIGN, is_foreign);
}

/* --- Again, and back -------------------------------------------------------------------------- */

/* What is another on one of them than on the other; NULL: nothing. */
static const char *difference(const struct trial *trial, const struct host *host,
                              const struct host *other)
{
    if (!mem_vars_equal(host->vars, other->vars))
        return "variables";
    for (size_t i = 0; i < trial->disk_count; i++) {
        uint64_t lba = mem_block_difference(host->disks[i], other->disks[i], 0);
        struct places places;
        if (lba == UINT64_MAX)
            continue;
        places_find(&trial->before->blocks[i], &places);
        return places_at(&places, lba) == REGION_FREE ? "a table or free space"
                                                      : "blocks of a partition";
    }
    return NULL;
}

static void check_again(const struct trial *trial, struct host *host)
{
    struct host *once = host_clone(host);
    unsigned code = run(trial, host, trial->task->line);
    const char *changed = difference(trial, host, once);

    if (changed != NULL)
        broken(trial, PROPERTY_AGAIN, changed, "the second run changes %s", changed);
    if (!is_documented(code))
        broken(trial, PROPERTY_EXIT, "again", "exit status %u of the second run", code);
    host_free(once);
}

/* Compares the files on the ESPs that had a file system. */
static void check_files(const struct trial *trial, struct host *host)
{
    struct truth_parts parts;
    struct truth_fat old;
    struct truth_fat new;

    for (size_t i = 0; i < trial->disk_count; i++) {
        truth_disk_table(&trial->before->blocks[i], &parts);
        for (size_t j = 0; j < parts.count; j++) {
            if (!truth_fat_open(&trial->before->blocks[i], &parts.items[j], &old))
                continue;
            bool opened = truth_fat_open(&host->blocks[i], &parts.items[j], &new);
            if (!opened || truth_fat_digest(&old) != truth_fat_digest(&new))
                broken(trial, PROPERTY_UNDO, "files", "files of disk %zu partition %u", i,
                       parts.items[j].number);
            truth_fat_close(&old);
            truth_fat_close(&new);
        }
    }
}

static void check_undo(const struct trial *trial, struct host *host)
{
    unsigned code = run(trial, host, "undo -y -bitlocker");

    (void)host_ports(host);
    if (!is_documented(code))
        broken(trial, PROPERTY_EXIT, "undo", "exit status %u of undo", code);
    if (!mem_vars_equal(host->vars, trial->before->vars))
        broken(trial, PROPERTY_UNDO, "variables", "variables are not as they were");
    check_blocks(trial, host, PROPERTY_UNDO, is_lost);
    check_files(trial, host);
}

/* --- The whole ------------------------------------------------------------------------------ */

/* True where all hangs on which system a store belongs to: the program does not read that. */
static bool store_decides(const struct trial *trial, size_t disk)
{
    const struct truth_scene scene = {.disks = {&trial->before->blocks[disk]}, .count = 1};
    const struct truth *truth = &trial->starts[disk];

    return strstr(truth->run.program, "bootmgfw") != NULL && truth->run.system[0] != 0 &&
           !starts(truth) && truth_windows(&scene, "") == TRUTH_STARTS;
}

/* What a line of `status -sfo` promises for a disk; all promises are to be of one system. */
static void check_promise(const struct trial *trial, const char *line,
                          const struct truth **io_first)
{
    char text[TEXT_MAX / 2];
    char verdict[16];
    unsigned disk = 0;

    if (sscanf(line, "VerdictInfo,\"%u\",\"%15[a-z]", &disk, verdict) != 2 ||
        disk >= trial->disk_count ||
        (strcmp(verdict, "starts") != 0 && strcmp(verdict, "fallback") != 0))
        return;
    const struct truth *truth = &trial->starts[disk];
    describe(truth, text);
    if (store_decides(trial, disk))
        return;
    if (!starts(truth))
        broken(trial, PROPERTY_PROMISE, truth->run.why, "disk %u: %s, and not %s", disk, text,
               verdict);
    else if (!is_machines(trial, truth))
        broken(trial, PROPERTY_PROMISE, "not the machine's system", "disk %u: %s", disk, text);
    else if (*io_first != NULL && strcmp((*io_first)->run.system, truth->run.system) != 0)
        broken(trial, PROPERTY_PROMISE, "two systems", "disk %u: %s", disk, text);
    else
        *io_first = truth;
}

static void check_look(const struct trial *trial)
{
    struct host *host = host_clone(trial->before);
    unsigned code = run(trial, host, "status -sfo");
    const char *line = host_console_text(host->console);
    const struct truth *first = NULL; /* of the disks that are to start */

    for (; *line != 0; line += strcspn(line, "\n"), line += *line != 0)
        check_promise(trial, line, &first);
    const char *changed = difference(trial, host, trial->before);
    if (changed != NULL)
        broken(trial, PROPERTY_LOOK, changed, "status changes %s", changed);
    if (!is_documented(code))
        broken(trial, PROPERTY_EXIT, "status", "exit status %u of status", code);
    host_free(host);
}

struct property_result property_try(const struct property_task *task)
{
    struct property_result result = {.starts = 0};
    struct trial trial = {.task = task, .before = host_clone(task->before)};

    (void)host_ports(trial.before);
    trial.disk_count = trial.before->disk_count;
    while (trial.disk_count > 0 && trial.before->blocks[trial.disk_count - 1].removable)
        trial.disk_count--;
    look_at_starts(&trial);
    check_look(&trial);
    struct host *host = host_clone(task->before);
    unsigned code = run(&trial, host, task->line);
    (void)host_ports(host);
    result.changed = difference(&trial, host, trial.before) != NULL;
    for (size_t i = 0; i < trial.disk_count; i++)
        result.starts += starts(&trial.starts[i]);
    if (!is_documented(code))
        broken(&trial, PROPERTY_EXIT, "repair", "exit status %u", code);
    check_starts(&trial, host);
    check_own(&trial, host);
    check_foreign(&trial, host);
    struct host *back = host_clone(host);
    check_again(&trial, host);
    if (result.changed)
        check_undo(&trial, back);
    host_free(back);
    host_free(host);
    host_free(trial.before);
    return result;
}
