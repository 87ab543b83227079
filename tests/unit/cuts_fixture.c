#include "unit/cuts_fixture.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "format/fat/fat.h"
#include "host/host_alloc.h"
#include "unit/disk_machine_fixture.h"
#include "unit/disk_volumes_fixture.h"

#define ARENA      (64u << 20)
#define UNDOS_MAX  4u
#define RANGES_MAX (3u * DISK_TABLE_MAX)
#define TEXT_MAX   4000 /* of the output shown with a violation */
#define FILE_PIECE (256u << 10)

/* --- Running commands ----------------------------------------------------------------------- */

/* One arena for all: its pages cost more than most runs. */
static uint8_t *shared_memory(void)
{
    static uint8_t *memory;

    if (memory == NULL)
        memory = malloc(ARENA);
    if (memory == NULL)
        host_fail("no memory to run a command in");
    return memory;
}

static unsigned run_in(const struct ports *ports, const char *line, size_t size)
{
    struct arena arena;

    arena_init(&arena, shared_memory(), size);
    return fixture_run_arena(ports, line, &arena);
}

static unsigned run(struct host *host, const char *line)
{
    host_console_clear(host->console);
    return run_in(host_ports(host), line, ARENA);
}

/* --- What a machine is like ----------------------------------------------------------------- */

enum { RANK_NONE, RANK_FAILS, RANK_FALLBACK, RANK_STARTS };

/* What `status -sfo` says of verdicts and findings. */
struct told {
    char *lines; /* to be freed */
    uint8_t ranks[HOST_MAX_DISKS];
};

static void add_line(struct told *told, const char *line, size_t length)
{
    size_t used = strlen(told->lines);

    told->lines = host_grow(told->lines, used + length + 2);
    memcpy(told->lines + used, line, length);
    strcpy(told->lines + used + length, "\n");
}

static void take_verdict(struct told *told, const char *line)
{
    /* What nobody can tell is no promise. */
    static const struct {
        const char *word;
        uint8_t rank;
    } ranks[] = {{"fails", RANK_FAILS},
                 {"unknown", RANK_FAILS},
                 {"perhaps", RANK_FALLBACK},
                 {"fallback", RANK_FALLBACK},
                 {"starts", RANK_STARTS}};
    char verdict[32];
    unsigned disk = 0;

    if (sscanf(line, "VerdictInfo,\"%u\",\"%31[a-z]", &disk, verdict) != 2 ||
        disk >= HOST_MAX_DISKS)
        return;
    for (size_t i = 0; i < sizeof(ranks) / sizeof(ranks[0]); i++) {
        if (strcmp(verdict, ranks[i].word) == 0)
            told->ranks[disk] = ranks[i].rank;
    }
}

static struct told tell(struct host *host)
{
    struct told told = {.lines = host_copy_text("")};

    (void)run(host, "status -sfo");
    for (const char *line = host_console_text(host->console); *line != 0;) {
        size_t length = strcspn(line, "\n");
        if (strncmp(line, "VerdictInfo,", 12) == 0)
            take_verdict(&told, line);
        if (strncmp(line, "VerdictInfo,", 12) == 0 || strncmp(line, "FindingInfo,", 12) == 0)
            add_line(&told, line, length);
        line += length + (line[length] != 0);
    }
    return told;
}

static void mix_in(uint64_t *io_digest, const void *data, size_t size)
{
    const uint8_t *at = data;

    for (size_t i = 0; i < size; i++)
        *io_digest = (*io_digest ^ at[i]) * 0x100000001b3u;
}

/* An ESP: whether there is a file system, and all its files in one number. */
struct tree {
    size_t disk;
    uint64_t first, count; /* blocks */
    enum status status;    /* of fat_open */
    uint64_t files;        /* of each file a number for all of it, all added up */
};

#define TREES_MAX 64u

struct trees {
    struct tree items[TREES_MAX];
    size_t count;
};

static uint64_t hash_file(struct fat_volume *fat, const struct fat_file *file, uint8_t *piece)
{
    const uint8_t marks[] = {file->attributes,    (uint8_t)file->written.year, file->written.month,
                             file->written.day,   file->written.hour,          file->written.minute,
                             file->written.second};
    uint64_t digest = 0xcbf29ce484222325u;
    struct fat_reader reader;
    size_t got = 1;

    mix_in(&digest, file->path, strlen(file->path));
    mix_in(&digest, &file->size, sizeof(file->size));
    mix_in(&digest, marks, sizeof(marks));
    if (!file->is_directory) {
        fat_reader_start(&reader, fat, file);
        while (got > 0 && fat_reader_next(&reader, piece, FILE_PIECE, &got) == ST_OK)
            mix_in(&digest, piece, got);
    }
    return digest;
}

static void add_files(struct arena *arena, struct tree *tree, struct fat_volume *fat)
{
    uint8_t *piece = arena_alloc(arena, 1, FILE_PIECE);
    struct fat_report report;

    if (piece == NULL || fat_check(arena, fat, UINT64_MAX, &report) != ST_OK)
        host_fail("no memory to look at a file system");
    for (size_t i = 0; i < report.file_count; i++)
        tree->files += hash_file(fat, &report.files[i], piece);
}

static void look_at_esp(struct host *host, struct tree *tree)
{
    struct block_port block = mem_block_port(host->disks[tree->disk]);
    struct fat_volume fat;
    struct arena arena;

    arena_init(&arena, shared_memory(), ARENA);
    tree->files = 0;
    tree->status = fat_open(&arena, &block, tree->first, tree->count, &fat);
    if (tree->status == ST_OK)
        add_files(&arena, tree, &fat);
}

/* --- Where something may change -------------------------------------------------------------- */

struct range {
    uint64_t first, last;
};

struct ranges {
    struct range items[RANGES_MAX];
    size_t count;
};

static void add_range(struct ranges *ranges, uint64_t first, uint64_t last)
{
    if (first <= last && ranges->count < RANGES_MAX)
        ranges->items[ranges->count++] = (struct range){first, last};
}

/* The range that holds `lba`, or NULL. */
static const struct range *range_with(const struct ranges *ranges, uint64_t lba)
{
    for (size_t i = 0; i < ranges->count; i++) {
        if (lba >= ranges->items[i].first && lba <= ranges->items[i].last)
            return &ranges->items[i];
    }
    return NULL;
}

/* The first block of a range at or behind `lba`; UINT64_MAX when there is none. */
static uint64_t next_start(const struct ranges *ranges, uint64_t lba)
{
    uint64_t next = UINT64_MAX;

    for (size_t i = 0; i < ranges->count; i++) {
        if (ranges->items[i].first >= lba && ranges->items[i].first < next)
            next = ranges->items[i].first;
    }
    return next;
}

/* Of one disk. */
struct places {
    struct ranges kept;    /* partitions that are nobody's business */
    struct ranges open;    /* ESPs, and the places of the tables */
    struct ranges targets; /* of these, what the undisturbed command changes */
    struct ranges tables;  /* the places of the tables before */
};

/* --- The state of affairs ------------------------------------------------------------------- */

/* What is said of an ESP that cannot be read, in part or at all. */
#define BLIND       "a part of the FAT or of a directory cannot be read"
#define WHOLE_BLIND "} cannot be read."

struct cuts {
    struct host *before;
    struct host *after; /* the command was run undisturbed */
    const char *name;
    const char *line;
    struct host *start;    /* what is disturbed begins here: `before`, */
    const char *disturbed; /* and is this: `line` */
    struct told told_before, told_after;
    struct trees trees_before, trees_after;
    struct places places[HOST_MAX_DISKS];
    unsigned code, code_again;
    unsigned code_disturbed; /* of what is disturbed, when it is not */
    uint64_t calls[FAULT_KIND_COUNT];
    char where[200];     /* what is tried at the moment */
    char said[TEXT_MAX]; /* the end of what the last command but `status` printed */
    uint64_t *seen;      /* digests of states that were good */
    size_t seen_count, seen_room;
    uint64_t states;
    unsigned violations, patience;
    bool changed; /* the undisturbed command has left another machine */
    bool blind;   /* the disturbed one could not read an ESP, and went by what else there is */
    bool
        timeless; /* ... had no clock for once: GUIDs that it makes, which stores name, are others */
    uint64_t blind_count;
    bool has_gap;
    size_t gap; /* the disk of it */
};

/* Keeps the end of what is on the console. */
static void keep_words(struct cuts *cuts, struct host *host)
{
    const char *text = host_console_text(host->console);
    size_t length = strlen(text);
    size_t skipped = length < TEXT_MAX ? 0 : length - TEXT_MAX + 1;

    strcpy(cuts->said, text + skipped);
}

/* Says what is wrong, with what the program printed last. Gives false. */
static bool violated(struct cuts *cuts, const char *rule, const char *what)
{
    cuts->violations++;
    fprintf(stderr, "\n%s: %s\n  %s\n  violates %s: %s\n--- output\n%s---\n", cuts->name,
            cuts->line, cuts->where, rule, what, cuts->said);
    return false;
}

/* Runs a command, whose words are kept. */
static unsigned order(struct cuts *cuts, struct host *host, const char *line)
{
    unsigned code = run(host, line);

    keep_words(cuts, host);
    return code;
}

static bool violated_by_lines(struct cuts *cuts, const char *rule, const char *expected,
                              const char *found)
{
    size_t room = strlen(expected) + strlen(found) + 200;
    char *what = host_alloc(1, room);

    snprintf(what, room, "status says\n%s  and not\n%s", found, expected);
    violated(cuts, rule, what);
    free(what);
    return false;
}

/* I2, I3: no block differs from `before` but those that may. */
static bool check_disk(struct cuts *cuts, struct host *host, size_t disk,
                       const struct ranges *allowed)
{
    const struct places *places = &cuts->places[disk];
    const struct mem_block *old = cuts->before->disks[disk];
    uint64_t lba = mem_block_difference(host->disks[disk], old, 0);
    char what[100];

    while (lba != UINT64_MAX) {
        const struct range *range = range_with(allowed, lba);
        if (range == NULL || range_with(&places->kept, lba) != NULL) {
            snprintf(what, sizeof(what), "block %llu of disk %zu was changed",
                     (unsigned long long)lba, disk);
            return violated(cuts, "I2/I3", what);
        }
        uint64_t next = next_start(&places->kept, lba);
        next = next <= range->last ? next : range->last + 1;
        if (next >= mem_block_port(host->disks[disk]).block_count)
            break;
        lba = mem_block_difference(host->disks[disk], old, next);
    }
    return true;
}

/* Within the targets of the command, or within what any command may change. */
static bool check_places(struct cuts *cuts, struct host *host, bool targets)
{
    for (size_t i = 0; i < host->disk_count; i++) {
        const struct places *places = &cuts->places[i];
        if (!check_disk(cuts, host, i, targets ? &places->targets : &places->open))
            return false;
    }
    return true;
}

/* I1; `midway`: something may be half done. */
static bool check_starts(struct cuts *cuts, struct host *host, bool midway)
{
    struct told told = tell(host);
    bool good = true;

    for (size_t i = 0; i < HOST_MAX_DISKS && good; i++)
        good = told.ranks[i] >= cuts->told_before.ranks[i] ||
               (midway && cuts->has_gap && cuts->gap == i);
    if (!good)
        violated_by_lines(cuts, "I1", cuts->told_before.lines, told.lines);
    free(told.lines);
    return good;
}

/* Equal but for the numbers of entries: what was interrupted may have freed a lower one. */
static bool same_but_numbers(const char *one, const char *other)
{
    while (*one != 0 && *one == *other) {
        bool entry = strncmp(one, "\"Boot", 5) == 0 && strncmp(other, "\"Boot", 5) == 0;
        one += entry ? 5 + strspn(one + 5, "0123456789ABCDEF") : 1;
        other += entry ? 5 + strspn(other + 5, "0123456789ABCDEF") : 1;
    }
    return *one == *other;
}

static bool same_text(const char *one, const char *other)
{
    return strcmp(one, other) == 0;
}

static bool check_told(struct cuts *cuts, struct host *host, const char *rule,
                       bool (*same)(const char *one, const char *other),
                       const struct told *expected)
{
    struct told told = tell(host);
    bool good = same(told.lines, expected->lines);

    if (!good)
        violated_by_lines(cuts, rule, expected->lines, told.lines);
    free(told.lines);
    return good;
}

static bool same_trees(struct host *host, const struct trees *trees)
{
    for (size_t i = 0; i < trees->count; i++) {
        struct tree tree = trees->items[i];
        look_at_esp(host, &tree);
        if (tree.status != trees->items[i].status || tree.files != trees->items[i].files)
            return false;
    }
    return true;
}

/* --- Undo ----------------------------------------------------------------------------------- */

static bool same_in_range(const struct cuts *cuts, struct host *host, size_t disk,
                          const struct range *range)
{
    uint64_t lba = mem_block_difference(host->disks[disk], cuts->before->disks[disk], range->first);

    return lba == UINT64_MAX || lba > range->last;
}

/* Every block of a place without a file system that held anything holds it again. */
static bool same_blocks(const struct cuts *cuts, struct host *host, const struct tree *tree)
{
    const struct mem_block *old = cuts->before->disks[tree->disk];
    struct block_port port = mem_block_port(host->disks[tree->disk]);
    uint8_t *now = host_alloc(2, port.block_size);
    uint8_t *then = now + port.block_size;
    bool same = true;
    uint64_t end = tree->first + tree->count;

    end = end < port.block_count ? end : port.block_count;
    for (uint64_t lba = tree->first; lba < end && same; lba++) {
        mem_block_peek(old, lba * port.block_size, then, port.block_size);
        if (then[0] == 0 && memcmp(then, then + 1, port.block_size - 1) == 0)
            continue;
        mem_block_peek(host->disks[tree->disk], lba * port.block_size, now, port.block_size);
        same = memcmp(now, then, port.block_size) == 0;
    }
    free(now);
    return same;
}

/* NULL when the machine is as it was before the command, else what is not. */
static const char *what_is_not_old(const struct cuts *cuts, struct host *host)
{
    if (!mem_vars_equal(host->vars, cuts->before->vars))
        return "variables are not as they were";
    for (size_t i = 0; i < host->disk_count; i++) {
        for (size_t j = 0; j < cuts->places[i].tables.count; j++) {
            if (!same_in_range(cuts, host, i, &cuts->places[i].tables.items[j]))
                return "a partition table is not as it was";
        }
    }
    for (size_t i = 0; i < cuts->trees_before.count; i++) {
        const struct tree *tree = &cuts->trees_before.items[i];
        if (tree->status != ST_OK && !same_blocks(cuts, host, tree))
            return "blocks of an ESP without a file system are not as they were";
    }
    return same_trees(host, &cuts->trees_before) ? NULL : "files are not as they were";
}

/* I4. More than one change may have to be taken back: what a cut left, and what came then. */
static bool check_undo(struct cuts *cuts, struct host *host)
{
    const char *wrong = NULL;

    for (unsigned i = 0; i < UNDOS_MAX; i++) {
        unsigned code = order(cuts, host, "undo -y");
        wrong = what_is_not_old(cuts, host);
        if (getenv("CUTS_SHOW") != NULL)
            fprintf(stderr, "%s: %s\n%s\n", cuts->where, wrong == NULL ? "old" : wrong, cuts->said);
        if (wrong == NULL || code != 0)
            break;
    }
    if (wrong != NULL)
        return violated(cuts, "I4", wrong);
    return check_told(cuts, host, "I4", same_text, &cuts->told_before);
}

/* --- One state ------------------------------------------------------------------------------ */

/* I5: the command again ends as it should, and does nothing then. */
static bool check_again(struct cuts *cuts, struct host *host, bool targets)
{
    unsigned code = order(cuts, host, cuts->line);
    char what[100];

    snprintf(what, sizeof(what), "exit status %u of the second run, not %u", code, cuts->code);
    if (getenv("CUTS_SHOW") != NULL)
        fprintf(stderr, "%s:\n%s\n", cuts->where, cuts->said);
    if (code != cuts->code && code != cuts->code_again)
        return violated(cuts, "I5", what);
    if (!cuts->blind && !cuts->timeless && !same_trees(host, &cuts->trees_after))
        return violated(cuts, "I5", "files are not those of the undisturbed command");
    if (!check_places(cuts, host, targets) ||
        !check_told(cuts, host, "I5", same_but_numbers, &cuts->told_after))
        return false;
    host_console_clear(host->console);
    struct fault *fault = fault_new(host_ports(host));
    code = run_in(fault_ports(fault), cuts->line, ARENA);
    uint64_t writes = fault_calls(fault, FAULT_WRITE);
    keep_words(cuts, host);
    fault_free(fault);
    snprintf(what, sizeof(what), "the third run writes %llu times and ends with %u, not %u",
             (unsigned long long)writes, code, cuts->code_again);
    bool good = code == cuts->code_again && (writes == 0 || !cuts->changed);
    return good || violated(cuts, "I5", what);
}

static bool check_both_ways(struct cuts *cuts, struct host *state, bool targets)
{
    struct host *again = host_clone(state);
    struct host *back = host_clone(state);
    size_t length = strlen(cuts->where);

    snprintf(cuts->where + length, sizeof(cuts->where) - length, ", then the command again");
    bool good = check_again(cuts, again, targets);
    snprintf(cuts->where + length, sizeof(cuts->where) - length,
             ", then the command again, then undo");
    good = good && check_undo(cuts, again);
    snprintf(cuts->where + length, sizeof(cuts->where) - length, ", then undo");
    good = good && check_undo(cuts, back);
    cuts->where[length] = 0;
    host_free(again);
    host_free(back);
    return good;
}

/* Nothing but journals may have been written. */
static bool is_like(const struct host *host, const struct host *other)
{
    bool same = mem_vars_equal(host->vars, other->vars);

    for (size_t i = 0; i < host->disk_count && same; i++)
        same = mem_block_change(host->disks[i], other->disks[i]) == 0;
    return same;
}

static void mix_files(uint64_t *io_digest, const struct mem_files *files, size_t volume)
{
    struct files_port port = mem_files_port((struct mem_files *)(uintptr_t)files);
    struct file_info info;
    char path[FILE_NAME_SIZE + 32];

    for (size_t i = 0; port.list(port.ctx, volume, "\\EFI\\shadowboot", i, &info) == ST_OK; i++) {
        snprintf(path, sizeof(path), "\\EFI\\shadowboot\\%s", info.name);
        struct span data = mem_files_find(files, volume, path);
        mix_in(io_digest, path, strlen(path));
        mix_in(io_digest, data.at, data.size);
    }
}

/* A number for the whole state: what lies in the volumes beside journals is on the disks. */
static uint64_t digest_of(const struct cuts *cuts, const struct host *host)
{
    uint64_t digest = 0xcbf29ce484222325u;

    for (size_t i = 0; i < host->disk_count; i++) {
        uint64_t change = mem_block_change(host->disks[i], cuts->before->disks[i]);
        mix_in(&digest, &change, sizeof(change));
    }
    for (size_t i = 0; i < mem_vars_count(host->vars); i++) {
        const struct mem_var *var = mem_vars_at(host->vars, i);
        mix_in(&digest, var->name, strlen(var->name) + 1);
        mix_in(&digest, var->data, var->size);
    }
    for (size_t i = 0; i < mem_files_port(host->files).volume_count; i++)
        mix_files(&digest, host->files, i);
    return digest;
}

static bool was_seen(struct cuts *cuts, uint64_t digest)
{
    for (size_t i = 0; i < cuts->seen_count; i++) {
        if (cuts->seen[i] == digest)
            return true;
    }
    if (cuts->seen_count == cuts->seen_room) {
        cuts->seen_room = cuts->seen_room * 2 + 256;
        cuts->seen = host_grow(cuts->seen, cuts->seen_room * sizeof(*cuts->seen));
    }
    cuts->seen[cuts->seen_count++] = digest;
    return false;
}

/* What is left of the machine; `targets`: nothing but the command's own targets may have
 * changed. */
static bool check_state(struct cuts *cuts, struct host *state, bool targets)
{
    cuts->states++;
    if (was_seen(cuts, digest_of(cuts, state)))
        return true;
    disk_machine_restart(state);
    return check_places(cuts, state, targets) && check_starts(cuts, state, true) &&
           check_both_ways(cuts, state, targets);
}

static bool is_over(const struct cuts *cuts)
{
    return cuts->violations >= cuts->patience;
}

/* --- Power cuts ----------------------------------------------------------------------------- */

static const char *const cut_names[FAULT_CUT_COUNT] = {[FAULT_CUT_BEFORE] = "before",
                                                       [FAULT_CUT_EMPTY] = "empty",
                                                       [FAULT_CUT_HALF] = "half",
                                                       [FAULT_CUT_GARBAGE] = "garbage",
                                                       [FAULT_CUT_AFTER] = "after"};

/* Runs the command until the power goes. False when it completes before. `*ret_kind` is what write
 * was hit. */
static bool run_to_cut(const struct cuts *cuts, struct host *host, uint64_t nth, enum fault_cut how,
                       enum fault_kind *ret_kind)
{
    struct fault *fault = fault_new(host_ports(host));
    jmp_buf where;

    fault_power_cut(fault, nth, how, &where);
    if (setjmp(where) == 0)
        (void)run_in(fault_ports(fault), cuts->disturbed, ARENA);
    bool cut = fault_tripped(fault);
    *ret_kind = fault_last_write(fault);
    fault_free(fault);
    return cut;
}

/* Ways to cut a write that leave more than the others do. */
static bool is_worth_trying(enum fault_kind kind, enum fault_cut how, bool garbage)
{
    if (how == FAULT_CUT_BEFORE || how == FAULT_CUT_AFTER || kind == FAULT_FILE_WRITE)
        return true;
    return kind == FAULT_BLOCK_WRITE &&
           (how == FAULT_CUT_HALF || (how == FAULT_CUT_GARBAGE && garbage));
}

/* The n-th write cut in one way, with all fates of the caches. */
static bool try_cut(struct cuts *cuts, const struct host *host, uint64_t nth, enum fault_cut how,
                    const struct cuts_range *range)
{
    for (uint64_t seed = 0; seed < 2u + range->seeds; seed++) {
        snprintf(cuts->where, sizeof(cuts->where),
                 "power cut at write %llu (%s), caches left by seed %llu", (unsigned long long)nth,
                 cut_names[how], (unsigned long long)seed);
        struct host *state = host_after_cut(host, seed);
        bool good = check_state(cuts, state, true);
        host_free(state);
        if (!good && is_over(cuts))
            return false;
    }
    return true;
}

static bool try_cuts_at(struct cuts *cuts, uint64_t nth, const struct cuts_range *range)
{
    enum fault_kind kind = FAULT_BLOCK_WRITE;

    for (int i = 0; i < FAULT_CUT_COUNT; i++) {
        enum fault_cut how = (enum fault_cut)i;
        if (how != FAULT_CUT_BEFORE && !is_worth_trying(kind, how, range->garbage))
            continue;
        struct host *host = host_clone(cuts->start);
        run_to_cut(cuts, host, nth, how, &kind);
        keep_words(cuts, host);
        bool good = try_cut(cuts, host, nth, how, range);
        host_free(host);
        if (!good)
            return false;
    }
    return true;
}

static bool try_power(struct cuts *cuts, const struct cuts_range *range)
{
    uint64_t last = range->last == 0 ? cuts->calls[FAULT_WRITE] : range->last;
    uint64_t step = range->step == 0 ? 1 : range->step;

    for (uint64_t n = range->first == 0 ? 1 : range->first; n <= last; n += step) {
        if (!try_cuts_at(cuts, n, range))
            return false;
    }
    return true;
}

/* --- Failures ------------------------------------------------------------------------------- */

/* What the program says when it fails has to be true. */
static bool check_words(struct cuts *cuts, struct host *host, unsigned code)
{
    const char *text = host_console_text(host->console);

    if (!is_like(host, cuts->start) && strstr(text, "Nothing was changed.") != NULL)
        return violated(cuts, "truth", "something was changed");
    if (code != cuts->code_disturbed && text[0] == 0)
        return violated(cuts, "truth", "it failed without a word");
    return true;
}

static bool try_failed(struct cuts *cuts, struct host *host, unsigned code)
{
    keep_words(cuts, host);
    if (getenv("CUTS_SHOW") != NULL)
        fprintf(stderr, "%s\n%s\n", cuts->where, cuts->said);
    bool good = check_words(cuts, host, code);

    if (!good && is_over(cuts))
        return false;
    /* Files that come from Windows itself may be others than the twin's: folders that Windows makes. */
    cuts->blind = strstr(cuts->said, BLIND) != NULL || strstr(cuts->said, WHOLE_BLIND) != NULL;
    cuts->blind_count += cuts->blind || cuts->timeless;
    struct host *state = host_clone(host);
    good = check_state(cuts, state, false);
    host_free(state);
    cuts->blind = false;
    return good || !is_over(cuts);
}

static bool try_failure(struct cuts *cuts, enum fault_kind kind, uint64_t nth, enum status status,
                        bool for_good)
{
    struct host *host = host_clone(cuts->start);
    struct fault *fault = fault_new(host_ports(host));

    snprintf(cuts->where, sizeof(cuts->where), "call %llu of kind %d gives \"%s\"%s",
             (unsigned long long)nth, (int)kind, status_text(status), for_good ? " for good" : "");
    fault_fail(fault, kind, nth, status, for_good);
    unsigned code = run_in(fault_ports(fault), cuts->disturbed, ARENA);
    cuts->timeless = fault_has_failed(fault, FAULT_CLOCK);
    fault_free(fault);
    bool good = try_failed(cuts, host, code);
    cuts->timeless = false;
    host_free(host);
    return good;
}

static bool try_failures(struct cuts *cuts, enum fault_kind kind, enum status status,
                         const struct cuts_range *range)
{
    uint64_t last = range->last == 0 ? cuts->calls[kind] : range->last;
    uint64_t step = range->step == 0 ? 1 : range->step;

    for (uint64_t n = range->first == 0 ? 1 : range->first; n <= last; n += step) {
        if (!try_failure(cuts, kind, n, status, false) || !try_failure(cuts, kind, n, status, true))
            return false;
    }
    return true;
}

static bool try_no_space(struct cuts *cuts, const struct cuts_range *range)
{
    return try_failures(cuts, FAULT_FILE_WRITE, ST_NO_SPACE, range) &&
           try_failures(cuts, FAULT_VAR_SET, ST_NO_SPACE, range);
}

/* --- Memory --------------------------------------------------------------------------------- */

/* How much the command needs, bytes. */
static size_t memory_needed(const struct cuts *cuts)
{
    struct host *host = host_clone(cuts->start);
    struct arena arena;

    arena_init(&arena, shared_memory(), ARENA);
    (void)fixture_run_arena(host_ports(host), cuts->disturbed, &arena);
    host_free(host);
    return arena.peak;
}

/* Steps of the arena in use, of those there is memory for. */
struct memory_steps {
    bool there[ARENA / ARENA_STEP];
    size_t left;
};

static bool put_steps(void *ctx, const void *at, size_t size)
{
    struct memory_steps *steps = ctx;
    size_t first = (size_t)((const uint8_t *)at - shared_memory());

    for (size_t i = first / ARENA_STEP; i <= (first + size - 1) / ARENA_STEP; i++) {
        if (!steps->there[i] && steps->left == 0)
            return false;
        steps->left -= !steps->there[i];
        steps->there[i] = true;
    }
    return true;
}

/* With many addresses and so much memory to put under them, as firmware gives it. */
static unsigned run_stepwise(const struct ports *ports, const char *line, size_t size)
{
    struct memory_steps steps = {.left = size / ARENA_STEP};
    const struct arena_source source = {&steps, put_steps};
    struct arena arena;

    arena_init_from(&arena, &source, shared_memory(), ARENA);
    return fixture_run_arena(ports, line, &arena);
}

/* Half of the runs have a block of memory, half of them have it put under addresses. */
static bool try_memory(struct cuts *cuts, const struct cuts_range *range)
{
    size_t needed = memory_needed(cuts);
    uint64_t pieces = range->pieces == 0 ? 64 : range->pieces;

    for (uint64_t i = 1; i < pieces; i++) {
        size_t size = (size_t)(needed * i / pieces);
        struct host *host = host_clone(cuts->start);
        snprintf(cuts->where, sizeof(cuts->where), "%zu bytes of memory, of %zu", size, needed);
        unsigned code =
            (i % 2 == 0 ? run_in : run_stepwise)(host_ports(host), cuts->disturbed, size);
        bool good = try_failed(cuts, host, code);
        host_free(host);
        if (!good)
            return false;
    }
    return true;
}

static bool try_calls(struct cuts *cuts, const struct cuts_range *range)
{
    return try_failures(cuts, FAULT_ANY, ST_IO, range);
}

bool cuts_try(struct cuts *cuts, enum cuts_mode mode, const struct cuts_range *range)
{
    static bool (*const modes[CUTS_MODE_COUNT])(struct cuts * cuts,
                                                const struct cuts_range *range) = {
        [CUTS_POWER] = try_power,
        [CUTS_CALL] = try_calls,
        [CUTS_NO_SPACE] = try_no_space,
        [CUTS_MEMORY] = try_memory,
    };
    unsigned before = cuts->violations;

    return modes[mode](cuts, range) && cuts->violations == before;
}

/* --- The undisturbed command ---------------------------------------------------------------- */

static bool read_table(const struct host *host, size_t disk, struct disk_table *ret_table)
{
    struct block_port block = mem_block_port(host->disks[disk]);
    struct arena arena;

    arena_init(&arena, shared_memory(), ARENA);
    return disk_table_read(&arena, &block, ret_table);
}

static void add_table_places(struct ranges *ranges, const struct disk_table *table,
                             uint64_t block_count)
{
    add_range(ranges, 0, table->first_usable - 1);
    add_range(ranges, table->last_usable + 1, block_count - 1);
}

static void add_tree(struct trees *trees, struct tree tree)
{
    for (size_t i = 0; i < trees->count; i++) {
        if (trees->items[i].disk == tree.disk && trees->items[i].first == tree.first &&
            trees->items[i].count == tree.count)
            return;
    }
    if (trees->count == TREES_MAX)
        host_fail("too many ESPs");
    trees->items[trees->count++] = tree;
}

/* The ESPs and the places of the tables on one disk, as `table` has them. */
static void open_places(struct cuts *cuts, size_t disk, const struct disk_table *table)
{
    uint64_t block_count = mem_block_port(cuts->before->disks[disk]).block_count;

    add_table_places(&cuts->places[disk].open, table, block_count);
    for (size_t i = 0; i < table->count; i++) {
        const struct hd_node *hd = &table->entries[i].hd;
        struct tree tree = {.disk = disk, .first = hd->start, .count = hd->size};
        if (table->entries[i].type != PT_ESP)
            continue;
        add_range(&cuts->places[disk].open, hd->start, hd->start + hd->size - 1);
        add_tree(&cuts->trees_after, tree);
    }
}

/* Everything but ESPs, and the MSR where the user gave it up. */
static void keep_places(struct cuts *cuts, size_t disk, const struct disk_table *table)
{
    bool gives_up_msr = strstr(cuts->line, "-msr") != NULL;

    for (size_t i = 0; i < table->count; i++) {
        const struct hd_node *hd = &table->entries[i].hd;
        enum partition_type type = table->entries[i].type;
        struct tree tree = {.disk = disk, .first = hd->start, .count = hd->size};
        if (type == PT_ESP)
            add_tree(&cuts->trees_before, tree);
        else if (type != PT_MSR || !gives_up_msr)
            add_range(&cuts->places[disk].kept, hd->start, hd->start + hd->size - 1);
    }
}

/* Of a disk without a GPT: its first block, where that is an MBR. */
static void add_mbr_place(struct cuts *cuts, size_t disk)
{
    uint8_t mark[2];

    mem_block_peek(cuts->before->disks[disk], 510, mark, sizeof(mark));
    if (mark[0] != 0x55 || mark[1] != 0xaa)
        return;
    add_range(&cuts->places[disk].open, 0, 0);
    add_range(&cuts->places[disk].tables, 0, 0);
}

static void find_places_of(struct cuts *cuts, size_t disk)
{
    struct places *places = &cuts->places[disk];
    uint64_t block_count = mem_block_port(cuts->before->disks[disk]).block_count;
    struct disk_table table;

    if (read_table(cuts->after, disk, &table)) {
        open_places(cuts, disk, &table);
        add_table_places(&places->tables, &table, block_count);
    }
    if (read_table(cuts->before, disk, &table)) {
        open_places(cuts, disk, &table);
        keep_places(cuts, disk, &table);
        add_table_places(&places->tables, &table, block_count);
    } else {
        add_mbr_place(cuts, disk);
    }
    for (size_t i = 0; i < places->open.count; i++) {
        if (!same_in_range(cuts, cuts->after, disk, &places->open.items[i]))
            add_range(&places->targets, places->open.items[i].first, places->open.items[i].last);
    }
}

static void look_at_trees(struct host *host, struct trees *trees)
{
    for (size_t i = 0; i < trees->count; i++)
        look_at_esp(host, &trees->items[i]);
}

static unsigned run_counted(struct cuts *cuts, struct host *host)
{
    struct fault *fault = fault_new(host_ports(host));

    host_console_clear(host->console);
    unsigned code = run_in(fault_ports(fault), cuts->disturbed, ARENA);
    keep_words(cuts, host);
    for (int kind = 0; kind < FAULT_KIND_COUNT; kind++)
        cuts->calls[kind] = fault_calls(fault, (enum fault_kind)kind);
    fault_free(fault);
    return code;
}

/* Runs the command, and once more, and takes it back. */
static void run_undisturbed(struct cuts *cuts)
{
    snprintf(cuts->where, sizeof(cuts->where), "undisturbed");
    cuts->code = cuts->code_disturbed = run_counted(cuts, cuts->after);
    if (getenv("CUTS_SHOW") != NULL)
        fprintf(stderr, "%s\n", host_console_text(cuts->after->console));
    for (size_t i = 0; i < cuts->after->disk_count; i++)
        find_places_of(cuts, i);
    look_at_trees(cuts->before, &cuts->trees_before);
    look_at_trees(cuts->after, &cuts->trees_after);
    if (!check_places(cuts, cuts->after, false))
        return;
    cuts->changed = !is_like(cuts->after, cuts->before);
    cuts->told_after = tell(cuts->after);
    struct host *host = host_clone(cuts->after);
    cuts->code_again = order(cuts, host, cuts->line);
    if (check_again(cuts, host, true) && check_starts(cuts, host, false))
        (void)check_undo(cuts, host);
    host_free(host);
}

struct cuts *cuts_new(struct host *before, const char *name, const char *line)
{
    struct cuts *cuts = host_alloc(1, sizeof(*cuts));

    cuts->before = before;
    cuts->name = name;
    cuts->line = cuts->disturbed = line;
    cuts->start = before;
    cuts->patience = 1;
    cuts->told_before = tell(before);
    cuts->after = host_clone(before);
    run_undisturbed(cuts);
    return cuts;
}

void cuts_free(struct cuts *cuts)
{
    if (cuts == NULL)
        return;
    host_free(cuts->after);
    free(cuts->told_before.lines);
    free(cuts->told_after.lines);
    free(cuts->seen);
    free(cuts);
}

void cuts_disturb_undo(struct cuts *cuts)
{
    struct host *host = host_clone(cuts->after);

    cuts->start = cuts->after;
    cuts->disturbed = "undo -y";
    cuts->code_disturbed = run_counted(cuts, host);
    host_free(host);
}

void cuts_allow_gap(struct cuts *cuts, size_t disk)
{
    cuts->has_gap = true;
    cuts->gap = disk;
}

void cuts_set_patience(struct cuts *cuts, unsigned violations)
{
    cuts->patience = violations;
}

bool cuts_has_work(const struct cuts *cuts)
{
    return cuts->calls[FAULT_WRITE] > 0;
}

bool cuts_has_changed(const struct cuts *cuts)
{
    return cuts->changed;
}

unsigned cuts_code(const struct cuts *cuts)
{
    return cuts->code_disturbed;
}

unsigned cuts_violations(const struct cuts *cuts)
{
    return cuts->violations;
}

uint64_t cuts_blind(const struct cuts *cuts)
{
    return cuts->blind_count;
}

uint64_t cuts_states(const struct cuts *cuts)
{
    return cuts->states;
}

uint64_t cuts_distinct(const struct cuts *cuts)
{
    return cuts->seen_count;
}

uint64_t cuts_writes(const struct cuts *cuts)
{
    return cuts->calls[FAULT_WRITE];
}
