#include "model/scan_esp.h"

#include "base/mem.h"
#include "base/text.h"
#include "model/boot_paths.h"
#include "model/boot_store.h"
#include "model/contents.h"

#define START_BYTES (64u << 10)
#define CSV_MAX     16u   /* files */
#define CSV_BYTES   8192u /* of each */

static bool is_program(const char *path)
{
    size_t length = text_length(path);

    return length >= 4 && text_equal_nocase(path + length - 4, ".efi");
}

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
    pe_check_start(check, bytes.size, scan->architecture);
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
        size_t most = size - used < scan->buffer_size ? size - used : scan->buffer_size;
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
    pe_check_start(check, file->size, scan->architecture);
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

/* Bytes that the limit leaves. */
static uint64_t bytes_left(const struct esp_scan *scan, const struct esp *esp)
{
    uint64_t used = esp->volume.read_bytes;

    return scan->read_limit > used ? scan->read_limit - used : 0;
}

/* Reads the boot store where no other file is read, unless the limit is in the way; of its content
 * nothing else is kept. */
static enum status read_store_alone(const struct esp_scan *scan, struct esp *esp)
{
    size_t index = fat_find(&esp->report, BOOT_STORE_PATH);
    size_t mark = arena_mark(scan->arena);
    struct pe_check *check = arena_alloc(scan->arena, 1, sizeof(*check));
    struct file_content content = {.is_program = false};

    if (check == NULL)
        return ST_NO_MEMORY;
    if (esp->store_status != ST_OK)
        return ST_OK;
    if (esp->report.files[index].size > bytes_left(scan, esp)) {
        esp->store_status = ST_UNSUPPORTED;
        return ST_OK;
    }
    if (scan->read_limit != UINT64_MAX)
        fat_limit_reads(&esp->volume, bytes_left(scan, esp));
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

static enum status read_contents(const struct esp_scan *scan, struct esp *esp)
{
    struct pe_check *check = arena_alloc(scan->arena, 1, sizeof(*check));
    struct boot_csv *csvs = arena_alloc(scan->arena, CSV_MAX, sizeof(*csvs));
    size_t store = fat_find(&esp->report, BOOT_STORE_PATH);
    size_t next = 0;

    if (check == NULL || csvs == NULL)
        return ST_NO_MEMORY;
    esp->csvs = csvs;
    for (size_t i = 0; i < esp->report.file_count; i++) {
        const struct fat_file *file = &esp->report.files[i];
        struct file_content *content = &esp->contents[i];
        if (file->is_directory)
            continue;
        content->status = file->status;
        if (file->status != ST_OK)
            continue;
        const struct file_content *known = known_content(scan->before, file, &next);
        if (known == NULL)
            known = written_content(scan, esp, i);
        if (known != NULL && i != store && !is_csv(file)) {
            *content = *known;
            continue;
        }
        content->status = read_file(scan, esp, i, i == store, check);
        if (content->status == ST_IO) /* a file is called bad only when that is so twice */
            content->status = read_file(scan, esp, i, i == store, check);
        if (content->status == ST_NO_MEMORY)
            return ST_NO_MEMORY;
    }
    return ST_OK;
}

/* What is known of the boot store before it is read. */
static enum status store_status_of(const struct fat_report *report)
{
    size_t index = fat_find(report, BOOT_STORE_PATH);

    if (index == FAT_NO_FILE)
        return ST_ABSENT;
    return report->files[index].is_directory ? ST_DAMAGED : report->files[index].status;
}

/* What directories and chains may take: what is there beyond the least is for the store. */
static uint64_t list_limit(const struct esp_scan *scan, const struct esp *esp)
{
    uint64_t left = bytes_left(scan, esp);

    if (scan->read_limit == UINT64_MAX)
        return UINT64_MAX;
    if (left <= ESP_LIST_BYTES)
        return left;
    return left - ESP_LIST_BYTES < ESP_STORE_BYTES ? ESP_LIST_BYTES : left - ESP_STORE_BYTES;
}

static enum status list_files(const struct esp_scan *scan, struct esp *esp)
{
    enum status status = fat_check(scan->arena, &esp->volume, list_limit(scan, esp), &esp->report);

    if (status != ST_OK)
        return status;
    esp->contents = arena_alloc(scan->arena, esp->report.file_count, sizeof(*esp->contents));
    if (esp->contents == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < esp->report.file_count; i++) {
        esp->contents[i].status = ST_UNSUPPORTED;
        esp->contents[i].is_program = is_program(esp->report.files[i].path);
    }
    return ST_OK;
}

/* The blocks that have to be zero before a partition counts as empty: some file systems leave the
 * first ones alone. */
static uint32_t start_blocks(const struct esp_scan *scan, uint64_t block_count)
{
    uint64_t bytes = scan->read_limit < START_BYTES ? scan->read_limit : START_BYTES;
    uint64_t count = bytes / scan->port->block_size;

    count = count < block_count ? count : block_count;
    return count == 0 ? 1 : (uint32_t)count;
}

/* What the first block says, or that all of the start is zero; CONTENT_UNKNOWN when it cannot be
 * read. */
static enum status look_at_start(const struct esp_scan *scan, uint64_t first_lba,
                                 uint64_t block_count, struct esp *esp)
{
    const struct block_port *port = scan->port;
    uint32_t count = start_blocks(scan, block_count);
    size_t size = (size_t)count * port->block_size;
    size_t mark = arena_mark(scan->arena);
    uint8_t *start = arena_alloc(scan->arena, count, port->block_size);

    if (start == NULL)
        return ST_NO_MEMORY;
    if (port->read(port->ctx, first_lba, 1, start) == ST_OK)
        esp->content = volume_content_of(span_of(start, port->block_size));
    if (esp->content == CONTENT_EMPTY && count > 1 &&
        (port->read(port->ctx, first_lba, count, start) != ST_OK ||
         !span_is_zero(span_of(start, size))))
        esp->content = CONTENT_UNKNOWN;
    arena_release(scan->arena, mark);
    return ST_OK;
}

static enum status look_into(const struct esp_scan *scan, uint64_t first_lba, uint64_t block_count,
                             struct esp *esp)
{
    esp->status = fat_open(scan->arena, scan->port, first_lba, block_count, &esp->volume);
    if (esp->status == ST_NO_MEMORY)
        return ST_NO_MEMORY;
    if (esp->status != ST_OK || esp->volume.from_backup) {
        enum status status = look_at_start(scan, first_lba, block_count, esp);
        if (status != ST_OK || esp->status != ST_OK)
            return status;
    } else {
        esp->content = CONTENT_FAT;
    }
    enum status status = list_files(scan, esp);
    if (status != ST_OK)
        return status;
    esp->store_status = store_status_of(&esp->report);
    esp->contents_read = scan->contents;
    return scan->contents ? read_contents(scan, esp) : read_store_alone(scan, esp);
}

static const char *copy_text(struct arena *arena, const char *text)
{
    return arena_copy(arena, text, text_length(text) + 1);
}

static enum status copy_signers(struct arena *arena, struct file_content *io_content)
{
    if (io_content->signers == NULL)
        return ST_OK;
    io_content->signers = arena_copy(arena, io_content->signers, sizeof(*io_content->signers));
    return io_content->signers == NULL ? ST_NO_MEMORY : ST_OK;
}

/* Copies what is kept of an ESP, which is not the FAT. */
static enum status copy_esp(struct arena *arena, const struct esp *from, struct esp *ret_esp)
{
    struct esp esp = *from;
    struct fat_report *report = &esp.report;
    size_t count = report->file_count;

    esp.volume.port = NULL;
    esp.volume.arena = NULL;
    esp.volume.table = NULL;
    esp.volume.table_loaded = NULL;
    esp.contents = arena_copy(arena, from->contents, count * sizeof(*esp.contents));
    report->files = arena_copy(arena, from->report.files, count * sizeof(*report->files));
    esp.csvs = arena_alloc(arena, from->csv_count, sizeof(*esp.csvs));
    esp.store_file.at = arena_copy(arena, from->store_file.at, from->store_file.size);
    if (esp.contents == NULL || report->files == NULL || esp.csvs == NULL ||
        esp.store_file.at == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < esp.csv_count; i++) {
        esp.csvs[i] = from->csvs[i];
        esp.csvs[i].text.at = arena_copy(arena, from->csvs[i].text.at, from->csvs[i].text.size);
        if (esp.csvs[i].text.at == NULL)
            return ST_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        if (copy_signers(arena, &esp.contents[i]) != ST_OK)
            return ST_NO_MEMORY;
        report->files[i].path = copy_text(arena, from->report.files[i].path);
        if (report->files[i].path == NULL)
            return ST_NO_MEMORY;
    }
    for (size_t i = 0; i < FAT_PROBLEM_COUNT; i++) {
        report->first_place[i] = copy_text(arena, from->report.first_place[i]);
        if (report->first_place[i] == NULL)
            return ST_NO_MEMORY;
    }
    *ret_esp = esp;
    return ST_OK;
}

/* Gives back what was only needed to look into the ESP, which is more than what is kept: all that
 * was allocated since `mark`. */
static enum status keep_esp(struct arena *arena, size_t mark, const struct esp *esp,
                            struct esp *ret_esp)
{
    struct esp above;
    size_t end = arena_mark(arena);

    enum status status = copy_esp(arena, esp, &above);
    if (status != ST_OK)
        return status;
    if (arena_mark(arena) - end > end - mark) {
        arena_release(arena, end);
        *ret_esp = *esp;
        return ST_OK;
    }
    arena_release(arena, mark);
    return copy_esp(arena, &above, ret_esp);
}

/* Verdicts on contents that are kept point to where their signers lie now. */
static void note_verdicts(const struct esp *esp)
{
    for (size_t i = 0; i < esp->report.file_count; i++) {
        const struct file_content *content = &esp->contents[i];
        if (content->kept != NULL && content->signers != NULL)
            content_note_verdict(content);
    }
}

enum status scan_esp(const struct esp_scan *scan, uint64_t first_lba, uint64_t block_count,
                     struct esp *ret_esp)
{
    struct esp esp = {.partition = ret_esp->partition, .store_status = ST_UNSUPPORTED};
    size_t mark = arena_mark(scan->arena);

    enum status status = look_into(scan, first_lba, block_count, &esp);
    if (status == ST_OK && esp.status == ST_OK) {
        status = keep_esp(scan->arena, mark, &esp, ret_esp);
        if (status == ST_OK)
            note_verdicts(ret_esp);
    } else if (status == ST_OK) {
        *ret_esp = esp;
    }
    return status;
}
