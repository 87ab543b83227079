#include "model/scan_esp.h"

#include "base/mem.h"
#include "base/text.h"
#include "model/boot_paths.h"
#include "model/contents.h"
#include "port/read_ahead.h"
#include "scan_files.h"

#define START_BYTES   (64u << 10)
#define FOLDERS_BYTES (16u << 10) /* of folders that are read at once */

static bool is_program(const char *path)
{
    size_t length = text_length(path);

    return length >= 4 && text_equal_nocase(path + length - 4, ".efi");
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
    uint64_t left = scan_files_left(scan, esp);

    if (scan->read_limit == UINT64_MAX)
        return UINT64_MAX;
    if (left <= ESP_LIST_BYTES)
        return left;
    return left - ESP_LIST_BYTES < ESP_STORE_BYTES ? ESP_LIST_BYTES : left - ESP_STORE_BYTES;
}

/* Checks the file system. Where it may be read through, folders that lie together are read at once,
 * as those of a file system that was made in one go do. */
static enum status check_file_system(const struct esp_scan *scan, struct esp *esp)
{
    struct read_ahead ahead;

    if (scan->read_limit == UINT64_MAX) {
        read_ahead_start(&ahead, esp->volume.port, scan->buffer, FOLDERS_BYTES);
        esp->volume.port = &ahead.port;
    }
    enum status status = fat_check(scan->arena, &esp->volume, list_limit(scan, esp), &esp->report);
    if (scan->read_limit == UINT64_MAX)
        esp->volume.port = ahead.disk;
    return status;
}

static enum status list_files(const struct esp_scan *scan, struct esp *esp)
{
    enum status status = check_file_system(scan, esp);

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
    return scan->contents ? scan_files_contents(scan, esp) : scan_files_store(scan, esp);
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
