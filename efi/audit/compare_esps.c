#include "audit/compare_esps.h"

#include "base/sort.h"
#include "base/text.h"

#define BOOT_MANAGER "\\EFI\\Microsoft\\Boot\\bootmgfw.efi"

bool esp_path_is_in(const char *path, const char *folder)
{
    size_t length = text_length(folder);

    return text_has_prefix_nocase(path, folder) && path[length] == '\\';
}

bool esp_content_is_bad(const struct fat_file *file, const struct file_content *content)
{
    if (file->status != ST_OK)
        return true;
    if (content->status != ST_OK)
        return content->status != ST_UNSUPPORTED;
    return content->is_program && content->program != PE_GOOD &&
           content->program != PE_OTHER_MACHINE && content->program != PE_NOT_EFI;
}

const char *esp_entry_file(const struct machine *machine, const struct esp *esp)
{
    for (size_t i = 0; i < machine->entry_count; i++) {
        const struct entry *entry = &machine->entries[i];
        if (entry->boot.partition == esp->partition && entry->in_order &&
            entry->boot.file != NULL && fat_find(&esp->report, entry->boot.file) != FAT_NO_FILE)
            return entry->boot.file;
    }
    return NULL;
}

bool esp_file_starts(const struct machine *machine, const struct esp *esp, const char *path)
{
    const char *file = esp_entry_file(machine, esp);

    if (text_equal_nocase(path, BOOT_MANAGER) || (file != NULL && text_equal_nocase(path, file)))
        return true;
    static const char fallback[] = "\\EFI\\BOOT\\BOOT";
    size_t start = sizeof(fallback) - 1;
    size_t length = text_length(machine->architecture);
    return text_has_prefix_nocase(path, fallback) &&
           text_has_prefix_nocase(path + start, machine->architecture) &&
           text_equal_nocase(path + start + length, ".EFI");
}

/* Files each boot manager writes for itself. */
static bool is_own_state(const char *path)
{
    static const char *const names[] = {"\\BCD",      "\\BCD.LOG",      "\\BCD.LOG1",
                                        "\\BCD.LOG2", "\\BOOTSTAT.DAT", "\\BCD.BAK"};
    size_t length = text_length(path);

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t tail = text_length(names[i]);
        if (length > tail && text_equal_nocase(path + length - tail, names[i]))
            return true;
    }
    return false;
}

static int compare_names(const char *a, const char *b)
{
    while (*a != '\0' && text_lower(*a) == text_lower(*b)) {
        a++;
        b++;
    }
    return (unsigned char)text_lower(*a) - (unsigned char)text_lower(*b);
}

static int by_path(const void *ctx, size_t a, size_t b)
{
    const struct fat_file *files = ctx;

    return compare_names(files[a].path, files[b].path);
}

/* The files of an ESP in the order of their paths; NULL when there is no memory. */
static const size_t *sorted_files(struct arena *arena, const struct esp *esp)
{
    size_t *order = arena_alloc(arena, esp->report.file_count, sizeof(*order));

    for (size_t i = 0; order != NULL && i < esp->report.file_count; i++)
        order[i] = i;
    if (order != NULL)
        sort_items(order, esp->report.file_count, by_path, esp->report.files);
    return order;
}

struct comparison {
    size_t missing;
    size_t different;
    size_t bytes; /* clusters' worth of what would have to be copied */
    const char *first_missing;
    const char *first_different;
};

static uint64_t round_up(uint64_t bytes, uint32_t unit)
{
    return (bytes + unit - 1) / unit * unit;
}

static bool files_equal(const struct esp *a, size_t i, const struct esp *b, size_t j)
{
    if (a->report.files[i].size != b->report.files[j].size)
        return false;
    if (a->contents[i].status != ST_OK || b->contents[j].status != ST_OK)
        return true;
    return sha256_equal(&a->contents[i].digest, &b->contents[j].digest);
}

/* True when a finding about the file by itself says already what is wrong with it. */
static bool is_told(const struct machine *machine, const struct esp *esp, size_t file)
{
    const struct fat_file *listed = &esp->report.files[file];
    const struct file_content *content = &esp->contents[file];

    if (esp_content_is_bad(listed, content))
        return true;
    return content->status == ST_OK && content->is_program && content->program != PE_GOOD &&
           esp_file_starts(machine, esp, listed->path);
}

/* One file of the reference against its twin, FAT_NO_FILE when there is none. */
static void compare_file(const struct machine *machine, const struct esp *reference, size_t file,
                         const struct esp *esp, size_t twin, struct comparison *io_result)
{
    const struct fat_file *own = &reference->report.files[file];
    uint64_t need = round_up(own->size, esp->volume.cluster_size);

    if (twin == FAT_NO_FILE) {
        if (io_result->missing++ == 0)
            io_result->first_missing = own->path;
        io_result->bytes += need;
        return;
    }
    const struct fat_file *other = &esp->report.files[twin];
    if (own->is_directory || other->is_directory || is_own_state(own->path) ||
        is_told(machine, esp, twin) || files_equal(reference, file, esp, twin))
        return;
    if (io_result->different++ == 0)
        io_result->first_different = other->path;
    uint64_t had = round_up(other->size, esp->volume.cluster_size);
    io_result->bytes += need > had ? need - had : 0;
}

/* Walks both lists side by side. */
static struct comparison compare_lists(const struct machine *machine, const struct esp *reference,
                                       const size_t *own, const struct esp *esp,
                                       const size_t *others, const char *folder)
{
    struct comparison result = {0};
    size_t at = 0;

    for (size_t i = 0; i < reference->report.file_count; i++) {
        const struct fat_file *file = &reference->report.files[own[i]];
        if (!esp_path_is_in(file->path, folder) ||
            esp_content_is_bad(file, &reference->contents[own[i]]))
            continue;
        while (at < esp->report.file_count &&
               compare_names(esp->report.files[others[at]].path, file->path) < 0)
            at++;
        bool found = at < esp->report.file_count &&
                     compare_names(esp->report.files[others[at]].path, file->path) == 0;
        bool counts = found || !is_own_state(file->path);
        if (counts)
            compare_file(machine, reference, own[i], esp, found ? others[at] : FAT_NO_FILE,
                         &result);
    }
    return result;
}

static int compare_dates(const struct date_time *a, const struct date_time *b)
{
    const int differences[] = {a->year - b->year, a->month - b->month,   a->day - b->day,
                               a->hour - b->hour, a->minute - b->minute, a->second - b->second};

    for (size_t i = 0; i < sizeof(differences) / sizeof(differences[0]); i++) {
        if (differences[i] != 0)
            return differences[i];
    }
    return 0;
}

/* Older or newer, as the first file that differs is. */
static enum finding_code age_of(const struct esp *reference, const struct esp *esp,
                                const char *path)
{
    size_t own = fat_find(&reference->report, path);
    size_t other = fat_find(&esp->report, path);

    if (own == FAT_NO_FILE || other == FAT_NO_FILE)
        return FINDING_ESP_FILES_DIFFER;
    int age =
        compare_dates(&esp->report.files[other].written, &reference->report.files[own].written);
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
    const size_t *own = sorted_files(to->arena, reference);
    const size_t *others = sorted_files(to->arena, esp);

    if (own == NULL || others == NULL) {
        to->status = ST_NO_MEMORY;
        return false;
    }
    *ret_result = compare_lists(machine, reference, own, esp, others, folder);
    return true;
}

static void collect_missing(struct collector *to, const struct esp *esp, const char *folder,
                            const struct comparison *result)
{
    if (result->missing > 0 && esp->report.complete &&
        fat_find(&esp->report, folder) != FAT_NO_FILE)
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
        collect_at_partition(to, age_of(reference, esp, result.first_different), esp->partition,
                             count_and_first(to, result.different, result.first_different));
    uint64_t room = esp->report.free_clusters * esp->volume.cluster_size;
    if (esp->report.complete && result.bytes > room)
        collect_at_partition(to, FINDING_ESP_TOO_SMALL, esp->partition,
                             arena_printf(to->arena, ": %zu bytes more are needed, %llu are free.",
                                          result.bytes, (unsigned long long)room));
}

void compare_esps_missing(struct collector *to, const struct machine *machine,
                          const struct esp *reference, const struct esp *esp, const char *folder)
{
    struct comparison result;

    if (compare(to, machine, reference, esp, folder, &result))
        collect_missing(to, esp, folder, &result);
}
