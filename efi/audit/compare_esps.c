#include "audit/compare_esps.h"

#include "audit/esp_path.h"
#include "audit/program.h"
#include "audit/secure.h"
#include "model/boot_paths.h"
#include "base/print.h"
#include "base/sort.h"
#include "base/text.h"
#include "model/contents.h"

bool esp_content_is_bad(const struct fat_file *file, const struct file_content *content)
{
    if (file->status != ST_OK)
        return true;
    if (content->status != ST_OK)
        return content->status != ST_UNSUPPORTED;
    return content->is_program && content->program != PE_GOOD &&
           content->program != PE_OTHER_MACHINE && content->program != PE_NOT_EFI;
}

/* True for an entry in BootOrder that names a file on the ESP. */
static bool names_file_on(const struct entry *entry, const struct esp *esp)
{
    return entry->in_order && entry->boot.partition == esp->partition && entry->boot.file != NULL;
}

size_t esp_entry_file(const struct machine *machine, const struct esp *esp, const char *folder)
{
    for (size_t i = 0; i < machine->entry_count; i++) {
        const struct entry *entry = &machine->entries[i];
        if (!names_file_on(entry, esp) ||
            (folder != NULL && !esp_path_is_in(entry->boot.file, folder)))
            continue;
        size_t file = fat_find(&esp->report, entry->boot.file);
        if (file != FAT_NO_FILE && program_of(machine, esp, file).kind != PROGRAM_TOOL)
            return file;
    }
    return FAT_NO_FILE;
}

size_t esp_boot_program(const struct machine *machine, const struct esp *esp)
{
    size_t file = esp_entry_file(machine, esp, MICROSOFT_FOLDER);

    if (file == FAT_NO_FILE)
        file = esp_entry_file(machine, esp, NULL);
    if (file == FAT_NO_FILE)
        file = program_main_loader(machine, esp);
    return file == FAT_NO_FILE ? fat_find(&esp->report, BOOT_MANAGER_PATH) : file;
}

/* Above 0 when the file is the newer one, below when `other` is: by version, by what firmware's lists
 * prefer, by security version number; what tells neither, or is no program that has them, by date. */
static int compare_age(const struct machine *machine, const struct esp *esp, size_t file,
                       const struct esp *other, size_t twin)
{
    const struct file_content *own = &esp->contents[file];
    const struct file_content *others = &other->contents[twin];
    const struct pe_signers *a = own->signers;
    const struct pe_signers *b = others->signers;

    if (a != NULL && b != NULL && a->has_version && b->has_version) {
        if (a->version != b->version)
            return a->version > b->version ? 1 : -1;
        if (secure_prefers(machine, own, others) || secure_prefers(machine, others, own))
            return secure_prefers(machine, own, others) ? 1 : -1;
        if (a->svn != b->svn)
            return a->svn > b->svn ? 1 : -1;
    }
    return date_compare(&esp->report.files[file].written, &other->report.files[twin].written);
}

/* True for what lies where the other ESP has Windows' boot manager, and is none: its date says nothing. */
static bool takes_windows_place(const struct machine *machine, const struct esp *esp, size_t own,
                                const struct esp *other, size_t twin)
{
    return program_of(machine, other, twin).kind == PROGRAM_WINDOWS &&
           program_of(machine, esp, own).kind != PROGRAM_WINDOWS;
}

bool esp_is_newer(const struct machine *machine, const struct esp *esp, const struct esp *other)
{
    size_t own = esp_boot_program(machine, esp);
    size_t twin = esp_boot_program(machine, other);

    return own != FAT_NO_FILE && twin != FAT_NO_FILE && !esp_files_equal(esp, own, other, twin) &&
           !takes_windows_place(machine, esp, own, other, twin) &&
           !esp_content_is_bad(&esp->report.files[own], &esp->contents[own]) &&
           compare_age(machine, esp, own, other, twin) > 0;
}

/* The program at the path, and the second stage of shim there. */
static void mark_started(const struct machine *machine, const struct esp *esp, const char *path,
                         bool *io_started)
{
    size_t file = fat_find(&esp->report, path);

    if (file == FAT_NO_FILE)
        return;
    io_started[file] = true;
    if (program_of(machine, esp, file).kind != PROGRAM_SHIM)
        return;
    file = program_second_stage(machine, esp, path);
    if (file != FAT_NO_FILE)
        io_started[file] = true;
}

const bool *esp_started_files(struct collector *to, const struct machine *machine,
                              const struct esp *esp)
{
    bool *started = arena_alloc(to->arena, esp->report.file_count, sizeof(*started));

    if (started == NULL) {
        to->status = ST_NO_MEMORY;
        return NULL;
    }
    size_t program = esp_boot_program(machine, esp);
    if (program != FAT_NO_FILE)
        mark_started(machine, esp, esp->report.files[program].path, started);
    mark_started(machine, esp, BOOT_MANAGER_PATH, started);
    mark_started(machine, esp, machine->fallback, started);
    for (size_t i = 0; i < machine->entry_count; i++) {
        if (names_file_on(&machine->entries[i], esp))
            mark_started(machine, esp, machine->entries[i].boot.file, started);
    }
    return started;
}

bool esp_files_equal(const struct esp *a, size_t i, const struct esp *b, size_t j)
{
    if (a->report.files[i].size != b->report.files[j].size)
        return false;
    if (a->contents[i].status != ST_OK || b->contents[j].status != ST_OK)
        return true;
    return content_equal(&a->contents[i], &b->contents[j]);
}

static int by_path(const void *ctx, size_t a, size_t b)
{
    const struct fat_file *files = ctx;

    return text_compare_nocase(files[a].path, files[b].path);
}

const size_t *esp_sorted_files(struct arena *arena, const struct esp *esp)
{
    return sort_order(arena, esp->report.file_count, by_path, esp->report.files);
}

const size_t *esp_twins(struct arena *arena, const struct esp *from, const struct esp *in)
{
    const size_t *own = esp_sorted_files(arena, from);
    const size_t *others = esp_sorted_files(arena, in);
    size_t *twins = arena_alloc(arena, from->report.file_count, sizeof(*twins));
    size_t at = 0;

    if (own == NULL || others == NULL || twins == NULL)
        return NULL;
    for (size_t i = 0; i < from->report.file_count; i++) {
        const char *path = from->report.files[own[i]].path;
        int order = 1;
        for (; at < in->report.file_count; at++) {
            order = text_compare_nocase(in->report.files[others[at]].path, path);
            if (order >= 0)
                break;
        }
        twins[own[i]] = order == 0 ? others[at] : FAT_NO_FILE;
    }
    return twins;
}

/* Two ESPs, side by side. */
struct pair {
    const struct esp *reference;
    const struct esp *esp;
    const size_t *own;   /* the reference's files in the order of their paths */
    const size_t *twins; /* of the reference's files on the other */
    const bool *started; /* of `esp` */
    size_t program;      /* by which the reference starts */
    const char *folder;
};

struct comparison {
    size_t missing;
    size_t different;
    uint64_t bytes; /* clusters' worth of what would have to be copied */
    const char *first_missing;
    const char *first_different;
    size_t telling; /* the reference's file whose date tells which ESP is older, and its twin */
    size_t telling_twin;
};

static uint64_t round_to_unit(uint64_t bytes, uint32_t unit)
{
    return (bytes + unit - 1) / unit * unit;
}

/* True when a finding about the file by itself says already what is wrong with it. */
static bool is_told(const struct pair *pair, size_t file)
{
    const struct file_content *content = &pair->esp->contents[file];

    if (esp_content_is_bad(&pair->esp->report.files[file], content))
        return true;
    return content->status == ST_OK && content->is_program && content->program != PE_GOOD &&
           pair->started[file];
}

static void note_missing(const struct pair *pair, size_t file, struct comparison *io_result)
{
    const struct fat_file *own = &pair->reference->report.files[file];

    if (io_result->missing++ == 0)
        io_result->first_missing = own->path;
    io_result->bytes += round_to_unit(own->size, pair->esp->volume.cluster_size);
}

/* One file of the reference against its twin. */
static void compare_file(const struct pair *pair, size_t file, size_t twin,
                         struct comparison *io_result)
{
    const struct fat_file *other = &pair->esp->report.files[twin];

    if (is_told(pair, twin) || esp_files_equal(pair->reference, file, pair->esp, twin))
        return;
    if (io_result->different == 0)
        io_result->first_different = other->path;
    if (io_result->different++ == 0 || file == pair->program) {
        io_result->telling = file;
        io_result->telling_twin = twin;
    }
    uint32_t unit = pair->esp->volume.cluster_size;
    uint64_t need = round_to_unit(pair->reference->report.files[file].size, unit);
    uint64_t had = round_to_unit(other->size, unit);
    io_result->bytes += need > had ? need - had : 0;
}

/* True for a file that ought to be the same on all ESPs. */
static bool is_shared(const struct pair *pair, size_t file)
{
    const struct fat_file *own = &pair->reference->report.files[file];

    return !own->is_directory && esp_path_is_in(own->path, pair->folder) &&
           !esp_path_is_own_state(own->path) &&
           !esp_content_is_bad(own, &pair->reference->contents[file]);
}

/* Holds each file against its twin. */
static struct comparison compare_lists(const struct pair *pair)
{
    const struct fat_file *files = pair->esp->report.files;
    struct comparison result = {0};

    for (size_t i = 0; i < pair->reference->report.file_count; i++) {
        size_t file = pair->own[i];
        size_t twin = pair->twins[file];
        if (!is_shared(pair, file))
            continue;
        if (twin != FAT_NO_FILE && !files[twin].is_directory)
            compare_file(pair, file, twin, &result);
        else
            note_missing(pair, file, &result);
    }
    return result;
}

/* Older or newer, as the telling file is. */
static enum finding_code age_of(const struct machine *machine, const struct esp *reference,
                                const struct esp *esp, const struct comparison *result)
{
    int age = compare_age(machine, esp, result->telling_twin, reference, result->telling);

    if (age == 0)
        return FINDING_ESP_FILES_DIFFER;
    return age < 0 ? FINDING_ESP_FILES_OLDER : FINDING_ESP_FILES_NEWER;
}

static const char *count_and_first(struct collector *to, size_t count, const char *first)
{
    return arena_printf(to->arena, ": %zu, the first is %s.", count, first);
}

/* Walks both lists; false, with the failure noted, when there is no memory. */
static bool compare(struct collector *to, const struct machine *machine,
                    const struct esp *reference, const struct esp *esp, const char *folder,
                    struct comparison *ret_result)
{
    const struct pair pair = {
        .reference = reference,
        .esp = esp,
        .own = esp_sorted_files(to->arena, reference),
        .twins = esp_twins(to->arena, reference, esp),
        .started = esp_started_files(to, machine, esp),
        .program = esp_boot_program(machine, reference),
        .folder = folder,
    };

    if (pair.own == NULL || pair.twins == NULL || pair.started == NULL) {
        to->status = ST_NO_MEMORY;
        return false;
    }
    *ret_result = compare_lists(&pair);
    return true;
}

static void collect_missing(struct collector *to, const struct esp *esp, const char *folder,
                            const struct comparison *result)
{
    if (result->missing > 0 && esp->report.listed && fat_find(&esp->report, folder) != FAT_NO_FILE)
        collect_at_partition(to, FINDING_ESP_FILES_MISSING, esp->partition,
                             count_and_first(to, result->missing, result->first_missing));
}

void compare_esps(struct collector *to, const struct machine *machine, const struct esp *reference,
                  const struct esp *esp, const char *folder)
{
    struct comparison result;

    if (!compare(to, machine, reference, esp, folder, &result))
        return;
    collect_missing(to, esp, folder, &result);
    if (result.different > 0)
        collect_at_partition(to, age_of(machine, reference, esp, &result), esp->partition,
                             count_and_first(to, result.different, result.first_different));
    uint64_t room = esp->report.free_clusters * esp->volume.cluster_size;
    if (esp->report.complete && result.bytes > room)
        collect_at_partition(to, FINDING_ESP_TOO_SMALL, esp->partition,
                             arena_printf(to->arena, ": %llu bytes more are needed, %llu are free.",
                                          (unsigned long long)result.bytes,
                                          (unsigned long long)room));
}

void compare_esps_missing(struct collector *to, const struct machine *machine,
                          const struct esp *reference, const struct esp *esp, const char *folder)
{
    struct comparison result;

    if (compare(to, machine, reference, esp, folder, &result))
        collect_missing(to, esp, folder, &result);
}
