/* Reading the files of an ESP. */
#include "scan_files.h"

#include "base/mem.h"
#include "base/sort.h"
#include "base/text.h"
#include "format/fat/fat_table.h"
#include "model/boot_paths.h"
#include "model/boot_store.h"
#include "model/contents.h"
#include "port/read_ahead.h"

#define CSV_MAX   16u   /* files */
#define CSV_BYTES 8192u /* of each */

/* Statuses: ST_OK; ST_NO_MEMORY. */
static enum status take_verdict(const struct esp_scan *scan, struct pe_check *check,
                                struct file_content *io_content)
{
    struct pe_signers *signers = NULL;

    io_content->program = pe_check_finish(check);
    io_content->checksum = pe_check_sum(check);
    io_content->mark = pe_check_mark(check);
    io_content->version = pe_check_version(check);
    if (!io_content->is_program)
        return ST_OK;
    signers = arena_alloc(scan->arena, 1, sizeof(*signers));
    if (signers == NULL)
        return ST_NO_MEMORY;
    pe_signers_read(check, signers);
    io_content->signers = signers;
    return ST_OK;
}

static enum status judge_program(const struct esp_scan *scan, struct pe_check *check,
                                 struct span bytes, struct file_content *io_content)
{
    pe_check_start(check, bytes.size, scan->architecture, scan->looks_up);
    pe_check_feed(check, bytes);
    enum status status = take_verdict(scan, check, io_content);
    if (status == ST_OK)
        content_note_verdict(io_content);
    return status;
}

/* Reads a file from start to end to where it is kept: `size` bytes at `room`. */
static enum status read_to_keep(const struct esp_scan *scan, struct esp *esp,
                                const struct fat_file *file, struct pe_check *check, uint8_t *room,
                                size_t size, struct file_content *io_content)
{
    struct fat_reader reader;
    size_t used = 0;
    size_t piece = 0;

    fat_reader_start(&reader, &esp->volume, file);
    do {
        size_t most = size - used < ESP_PIECE_BYTES ? size - used : ESP_PIECE_BYTES;
        enum status status = fat_reader_next(&reader, room + used, most, &piece);
        if (status != ST_OK) {
            contents_leave(scan->kept, size);
            return status;
        }
        used += piece;
    } while (piece > 0);
    io_content->kept = contents_keep(scan->kept, room, size, used);
    if (io_content->is_program && !content_recall_verdict(io_content))
        return judge_program(scan, check, content_bytes(io_content), io_content);
    return ST_OK;
}

/* Reads a file from start to end for its digest, a program for its verdict as well, and into
 * `whole` unless that is NULL. */
static enum status read_through(const struct esp_scan *scan, struct esp *esp,
                                const struct fat_file *file, struct pe_check *check, uint8_t *whole,
                                struct file_content *io_content)
{
    struct sha256_state digest;
    struct fat_reader reader;
    size_t used = 0;
    size_t size = 0;

    sha256_start(&digest);
    pe_check_start(check, file->size, scan->architecture, scan->looks_up);
    fat_reader_start(&reader, &esp->volume, file);
    do {
        enum status status = fat_reader_next(&reader, scan->buffer, scan->buffer_size, &size);
        if (status != ST_OK)
            return status;
        sha256_feed(&digest, span_of(scan->buffer, size));
        if (io_content->is_program)
            pe_check_feed(check, span_of(scan->buffer, size));
        if (whole != NULL)
            memcpy(whole + used, scan->buffer, size);
        used += size;
    } while (size > 0);
    io_content->digest = sha256_finish(&digest);
    return take_verdict(scan, check, io_content);
}

/* Either of the two; into `whole` as well, unless that is NULL. */
static enum status read_file_content(const struct esp_scan *scan, struct esp *esp,
                                     const struct fat_file *file, struct pe_check *check,
                                     uint8_t *whole, struct file_content *io_content)
{
    uint64_t cluster = esp->volume.cluster_size;
    uint64_t size = (file->size + cluster - 1) / cluster * cluster;
    uint8_t *room = contents_room(scan->kept, size);

    if (room == NULL)
        return read_through(scan, esp, file, check, whole, io_content);
    enum status status = read_to_keep(scan, esp, file, check, room, (size_t)size, io_content);
    if (status == ST_OK && whole != NULL)
        memcpy(whole, content_bytes(io_content).at, (size_t)file->size);
    return status;
}

/* The whole of BCD.LOG beside the store; empty when there is none that can be read. Statuses:
 * ST_OK; ST_REFUSED when the limit does not allow it; ST_NO_MEMORY. */
static enum status read_store_log(const struct esp_scan *scan, struct esp *esp,
                                  struct span *ret_log)
{
    size_t index = fat_find(&esp->report, BOOT_STORE_LOG_PATH);
    const struct fat_file *file = index == FAT_NO_FILE ? NULL : &esp->report.files[index];
    struct fat_reader reader;
    size_t used = 0;
    size_t size = 0;

    *ret_log = span_of(NULL, 0);
    if (file == NULL || file->is_directory || file->status != ST_OK || file->size == 0 ||
        file->size > BOOT_STORE_MAX)
        return ST_OK;
    uint8_t *whole = arena_alloc(scan->arena, 1, (size_t)file->size);
    if (whole == NULL)
        return ST_NO_MEMORY;
    fat_reader_start(&reader, &esp->volume, file);
    do {
        enum status status = fat_reader_next(&reader, scan->buffer, scan->buffer_size, &size);
        if (status != ST_OK)
            return status == ST_REFUSED ? status : ST_OK;
        memcpy(whole + used, scan->buffer, size);
        used += size;
    } while (size > 0);
    *ret_log = span_of(whole, used);
    return ST_OK;
}

static enum status judge_store(const struct esp_scan *scan, struct esp *esp, struct span store)
{
    struct span log = span_of(NULL, 0);
    enum status status = ST_OK;

    if (regf_check(store) != REGF_GOOD)
        status = read_store_log(scan, esp, &log);
    return status == ST_OK ? boot_store_take(scan->arena, store, log, esp) : status;
}

/* Reads the boot store, which is judged as a whole, and kept when it is good. */
static enum status read_store(const struct esp_scan *scan, struct esp *esp,
                              const struct fat_file *file, struct pe_check *check,
                              struct file_content *ret_content)
{
    size_t mark = arena_mark(scan->arena);
    bool fits = file->size <= BOOT_STORE_MAX;
    uint8_t *whole = fits ? arena_alloc(scan->arena, 1, (size_t)file->size) : NULL;

    if (fits && whole == NULL)
        return ST_NO_MEMORY;
    enum status status = read_file_content(scan, esp, file, check, whole, ret_content);
    esp->store_status = fits ? status : ST_DAMAGED;
    if (fits && status == ST_OK)
        status = judge_store(scan, esp, span_of(whole, (size_t)file->size));
    if (esp->store_file.at == NULL)
        arena_release(scan->arena, mark);
    return status;
}

uint64_t scan_files_left(const struct esp_scan *scan, const struct esp *esp)
{
    uint64_t used = esp->volume.read_bytes;

    return scan->read_limit > used ? scan->read_limit - used : 0;
}

enum status scan_files_store(const struct esp_scan *scan, struct esp *esp)
{
    size_t index = fat_find(&esp->report, BOOT_STORE_PATH);
    size_t mark = arena_mark(scan->arena);
    struct pe_check *check = arena_alloc(scan->arena, 1, sizeof(*check));
    struct file_content content = {.is_program = false};

    if (check == NULL)
        return ST_NO_MEMORY;
    if (esp->store_status != ST_OK)
        return ST_OK;
    if (esp->report.files[index].size > scan_files_left(scan, esp)) {
        esp->store_status = ST_UNSUPPORTED;
        return ST_OK;
    }
    if (scan->read_limit != UINT64_MAX)
        fat_limit_reads(&esp->volume, scan_files_left(scan, esp));
    enum status status = read_store(scan, esp, &esp->report.files[index], check, &content);
    if (status == ST_IO) /* a file is called bad only when that is so twice */
        status = read_store(scan, esp, &esp->report.files[index], check, &content);
    if (status == ST_REFUSED)
        esp->store_status = ST_UNSUPPORTED;
    if (esp->store_file.at == NULL)
        arena_release(scan->arena, mark);
    return status == ST_NO_MEMORY ? status : ST_OK;
}

/* True for a list of entries for shim's fallback, which looks in the folders below \EFI. */
static bool is_csv(const struct fat_file *file)
{
    size_t length = text_length(file->path);
    size_t name = length;

    while (name > 0 && file->path[name - 1] != '\\')
        name--;
    return text_has_prefix_nocase(file->path, "\\EFI\\") &&
           text_has_prefix_nocase(file->path + name, "BOOT") && length - name > 4 &&
           text_equal_nocase(file->path + length - 4, ".csv") && file->size > 0 &&
           file->size <= CSV_BYTES;
}

static enum status read_csv(const struct esp_scan *scan, struct esp *esp, size_t index,
                            struct pe_check *check)
{
    const struct fat_file *file = &esp->report.files[index];
    uint8_t *text = arena_alloc(scan->arena, 1, (size_t)file->size);

    if (text == NULL)
        return ST_NO_MEMORY;
    enum status status = read_file_content(scan, esp, file, check, text, &esp->contents[index]);
    if (status == ST_OK)
        esp->csvs[esp->csv_count++] = (struct boot_csv){index, span_of(text, (size_t)file->size)};
    return status;
}

static enum status read_file(const struct esp_scan *scan, struct esp *esp, size_t index,
                             bool is_store, struct pe_check *check)
{
    const struct fat_file *file = &esp->report.files[index];
    struct file_content *content = &esp->contents[index];

    if (esp->csv_count < CSV_MAX && is_csv(file))
        return read_csv(scan, esp, index, check);
    return is_store ? read_store(scan, esp, file, check, content)
                    : read_file_content(scan, esp, file, check, NULL, content);
}

/* What is known of the content of a file whose entry is what it was; NULL when nothing is. `io_next`
 * is where it is looked for first: lists keep their order. */
static const struct file_content *known_content(const struct esp *before,
                                                const struct fat_file *file, size_t *io_next)
{
    size_t count = before == NULL ? 0 : before->report.file_count;

    for (size_t i = 0; i < count; i++) {
        size_t at = (*io_next + i) % count;
        if (!fat_file_equal(&before->report.files[at], file))
            continue;
        *io_next = at + 1;
        return before->contents[at].status == ST_OK ? &before->contents[at] : NULL;
    }
    return NULL;
}

/* The same of one that was written since. */
static const struct file_content *written_content(const struct esp_scan *scan, struct esp *esp,
                                                  size_t index)
{
    const struct scan_before *since = scan->since;
    const struct file_content *known = NULL;

    if (since != NULL)
        known = since->written(since->ctx, scan->disk, &esp->volume, &esp->report.files[index]);
    return known != NULL && known->is_program == esp->contents[index].is_program ? known : NULL;
}

/* --- All files ------------------------------------------------------------------------------- */

static int by_place(const void *ctx, size_t a, size_t b)
{
    const struct fat_file *files = ctx;

    return compare_numbers(files[a].first_cluster, files[b].first_cluster);
}

/* Puts the lists of entries into the order of the report: files are read as they lie on the disk. */
static void sort_csvs(struct esp *esp)
{
    for (size_t i = 1; i < esp->csv_count; i++) {
        struct boot_csv own = esp->csvs[i];
        size_t at = i;
        for (; at > 0 && esp->csvs[at - 1].file > own.file; at--)
            esp->csvs[at] = esp->csvs[at - 1];
        esp->csvs[at] = own;
    }
}

/* Takes over what is known of a content without reading it. False when it has to be read. */
static bool take_known(const struct esp_scan *scan, struct esp *esp, size_t index, size_t store,
                       size_t *io_next)
{
    const struct fat_file *file = &esp->report.files[index];
    const struct file_content *known = known_content(scan->before, file, io_next);

    if (known == NULL)
        known = written_content(scan, esp, index);
    if (known == NULL || index == store || is_csv(file))
        return false;
    esp->contents[index] = *known;
    return true;
}

/* The files whose contents are to be read; of the others it is known. They come in the order of the
 * report. */
static size_t list_unknown(const struct esp_scan *scan, struct esp *esp, size_t store,
                           size_t *ret_files)
{
    size_t next = 0;
    size_t count = 0;

    for (size_t i = 0; i < esp->report.file_count; i++) {
        const struct fat_file *file = &esp->report.files[i];
        if (file->is_directory)
            continue;
        esp->contents[i].status = file->status;
        if (file->status == ST_OK && !take_known(scan, esp, i, store, &next))
            ret_files[count++] = i;
    }
    return count;
}

/* The block behind the files that lie as near to the first one of the list as if they were one, as
 * many as are read at once. */
static uint64_t end_of_neighbours(const struct esp *esp, const size_t *list, size_t count)
{
    const struct fat_volume *volume = &esp->volume;
    uint64_t cluster = volume->cluster_size;
    uint64_t start = 0;
    uint64_t end = 0;

    for (size_t i = 0; i < count; i++) {
        const struct fat_file *file = &esp->report.files[list[i]];
        if (!fat_has_cluster(volume, file->first_cluster))
            continue; /* it is empty */
        uint64_t own = fat_cluster_offset(volume, file->first_cluster);
        uint64_t own_end = own + (file->size + cluster - 1) / cluster * cluster;
        if (end == 0)
            start = own;
        else if (own > end + READ_AHEAD_GAP || own_end - start > ESP_WINDOW_BYTES)
            break;
        end = own_end;
    }
    return volume->first_lba + end / volume->port->block_size;
}

/* Reads the files of a list, which is in the order of the disk, with the neighbours of each. */
static enum status read_in_order(const struct esp_scan *scan, struct esp *esp, const size_t *list,
                                 size_t count, size_t store)
{
    struct pe_check *check = arena_alloc(scan->arena, 1, sizeof(*check));
    struct read_ahead ahead;

    if (check == NULL)
        return ST_NO_MEMORY;
    read_ahead_start(&ahead, esp->volume.port, scan->window, ESP_WINDOW_BYTES);
    esp->volume.port = &ahead.port;
    enum status status = ST_OK;
    for (size_t i = 0; i < count && status != ST_NO_MEMORY; i++) {
        size_t own = list[i];
        read_ahead_until(&ahead, end_of_neighbours(esp, list + i, count - i));
        status = read_file(scan, esp, own, own == store, check);
        if (status == ST_IO) /* a file is called bad only when that is so twice */
            status = read_file(scan, esp, own, own == store, check);
        esp->contents[own].status = status;
    }
    esp->volume.port = ahead.disk;
    return status == ST_NO_MEMORY ? status : ST_OK;
}

enum status scan_files_contents(const struct esp_scan *scan, struct esp *esp)
{
    size_t *list = arena_alloc(scan->arena, esp->report.file_count, sizeof(*list));
    size_t store = fat_find(&esp->report, BOOT_STORE_PATH);

    esp->csvs = arena_alloc(scan->arena, CSV_MAX, sizeof(*esp->csvs));
    if (list == NULL || esp->csvs == NULL)
        return ST_NO_MEMORY;
    size_t count = list_unknown(scan, esp, store, list);
    sort_items(list, count, by_place, esp->report.files);
    enum status status = read_in_order(scan, esp, list, count, store);
    sort_csvs(esp);
    return status;
}
