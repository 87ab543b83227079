#include "model/scan_source.h"

#include "base/mem.h"
#include "base/print.h"
#include "base/text.h"
#include "format/ntfs/ntfs_data.h"
#include "format/ntfs/ntfs_folder.h"
#include "model/boot_paths.h"
#include "model/contents.h"
#include "model/copy_blocks.h"
#include "model/scan_esp.h"
#include "program_version.h"

#define BOOT_FOLDER     MICROSOFT_FOLDER "\\Boot"
#define SYSTEM_FOLDER   "\\Windows\\System32"
#define POLICY_NAME     "SkuSiPolicy.p7b"
#define POLICY_PATH     SYSTEM_FOLDER "\\SecureBootUpdates\\" POLICY_NAME
#define TEMPLATE_PATH   SYSTEM_FOLDER "\\config\\BCD-Template"
#define DEBUGGER_PREFIX BOOT_FOLDER "\\kd"
#define LIBRARY_ENDING  ".dll"
#define TWIN_ENDING     "_EX"
#define TEMPLATE_MOST   (1u << 20) /* bytes */
#define FILES_MOST      2048u
#define DEPTH_MOST      2u
#define ARCHIVE         0x20u

/* Folders that are copied with all in them. */
static const struct {
    const char *from;
    const char *to;
    bool twins; /* only what has a twin's name, without the ending */
} folders[] = {
    {"\\Windows\\Boot\\EFI", BOOT_FOLDER, false},
    {"\\Windows\\Boot\\Fonts", BOOT_FOLDER "\\Fonts", false},
    {"\\Windows\\Boot\\Resources", BOOT_FOLDER "\\Resources", false},
    {"\\Windows\\Boot\\EFI_EX", BOOT_FOLDER, true},
    {"\\Windows\\Boot\\FONTS_EX", BOOT_FOLDER "\\Fonts", true},
};

static const char *const made_folders[] = {"\\EFI", MICROSOFT_FOLDER, BOOT_FOLDER,
                                           MICROSOFT_FOLDER "\\Recovery"};

/* What Windows for servers has and others do not: one of them with a desktop, one without. */
static const char *const server_files[] = {SYSTEM_FOLDER "\\ServerManager.exe",
                                           SYSTEM_FOLDER "\\SConfig.ps1",
                                           SYSTEM_FOLDER "\\sconfig.cmd"};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

struct source_scan {
    struct arena *arena;
    const struct machine *machine;
    struct ntfs_volume volume;
    struct fat_file *files;
    struct ntfs_file *origins;
    size_t *lengths; /* of their paths */
    size_t count;
    bool has_twins;             /* some were listed */
    struct pe_signers *signers; /* room for those of the next program */
};

/* True for what is wrong with one file or folder alone. */
static bool is_of_one(enum status status)
{
    return status == ST_DAMAGED || status == ST_IO || status == ST_UNSUPPORTED;
}

/* --- Lists ------------------------------------------------------------------------------------ */

/* The name of an item in ASCII; NULL for one that an ESP cannot have as it is, and without memory. */
static const char *item_name(struct arena *arena, struct span ucs2)
{
    char *name = arena_alloc(arena, 1, ucs2.size / 2 + 1);

    for (size_t i = 0; name != NULL && i < ucs2.size / 2; i++) {
        uint16_t unit = ld_le16(ucs2.at + 2 * i);
        if (unit < ' ' || unit > '~' || unit == '\\' || unit == '/')
            return NULL;
        name[i] = (char)unit;
    }
    return name;
}

/* Lists a file or folder, in the place of one that is listed by that name already. `found`: ST_OK, or
 * why it cannot be read. */
static enum status note_kept(struct source_scan *scan, const char *path,
                             const struct ntfs_file *origin, enum status found)
{
    size_t at = 0;

    if (path == NULL)
        return ST_NO_MEMORY;
    size_t length = text_length(path);
    while (at < scan->count && (scan->lengths[at] != length || /* most begin alike */
                                !text_equal_nocase(scan->files[at].path, path)))
        at++;
    if (at == FILES_MOST)
        return ST_UNSUPPORTED;
    scan->count += at == scan->count;
    scan->origins[at] = *origin;
    scan->lengths[at] = length;
    scan->files[at] = (struct fat_file){.path = path,
                                        .exact_name = true,
                                        .status = found,
                                        .is_directory = origin->is_directory,
                                        .attributes = origin->is_directory ? 0 : ARCHIVE,
                                        .size = origin->size,
                                        .written = date_of_filetime(origin->written)};
    return ST_OK;
}

/* The name on the ESP of what is a twin; NULL for another name. */
static const char *twin_name(struct arena *arena, const char *name)
{
    size_t length = text_length(name);
    size_t dot = length;

    while (dot > 0 && name[dot] != '.')
        dot--;
    if (dot < sizeof(TWIN_ENDING) ||
        !text_has_prefix_nocase(name + dot - (sizeof(TWIN_ENDING) - 1), TWIN_ENDING))
        return NULL;
    return arena_printf(arena, "%.*s%s", (int)(dot - (sizeof(TWIN_ENDING) - 1)), name, name + dot);
}

static enum status list_kept_folder(struct source_scan *scan, uint64_t reference, const char *to,
                                    bool twins, unsigned depth);

/* Lists what a folder has, and what is in it. What cannot be read is listed as such: the next may
 * be. */
static enum status list_item(struct source_scan *scan, const struct ntfs_item *item,
                             const char *path, bool twins, unsigned depth)
{
    struct ntfs_file origin = {.is_directory = item->is_directory, .size = item->size};
    enum status found = ntfs_describe(&scan->volume, item->reference, &origin);
    enum status status = found == ST_OK || is_of_one(found) ? ST_OK : found;

    scan->has_twins |= twins;
    if (status == ST_OK)
        status = note_kept(scan, path, &origin, found);
    if (status != ST_OK || found != ST_OK || !origin.is_directory || origin.reparse)
        return status;
    status = list_kept_folder(scan, item->reference, path, twins, depth + 1);
    return is_of_one(status) ? note_kept(scan, path, &origin, status) : status;
}

static enum status list_kept_folder(struct source_scan *scan, uint64_t reference, const char *to,
                                    bool twins, unsigned depth)
{
    struct ntfs_item *item = NULL;
    enum status status = ntfs_list(&scan->volume, reference, &item);

    for (; status == ST_OK && item != NULL; item = item->next) {
        const char *name = item_name(scan->arena, item->name);
        if (name != NULL && twins)
            name = twin_name(scan->arena, name);
        if (name == NULL || (item->is_directory && (twins || depth == DEPTH_MOST)))
            continue;
        status = list_item(scan, item, arena_printf(scan->arena, "%s\\%s", to, name), twins, depth);
    }
    return status;
}

/* Lists a file of the volume by itself, if it is there. */
static enum status list_single(struct source_scan *scan, const char *from, const char *to)
{
    struct ntfs_file origin;

    if (from == NULL || to == NULL)
        return ST_NO_MEMORY;
    enum status status = ntfs_lookup(&scan->volume, from, &origin);
    if (status == ST_OK && !origin.is_directory)
        return note_kept(scan, to, &origin, ST_OK);
    if (is_of_one(status))
        return note_kept(scan, to, &(struct ntfs_file){.size = 0}, status);
    return status == ST_OK || status == ST_ABSENT ? ST_OK : status;
}

/* What is on the ESP only where it was asked for once: debuggers, a policy that is locked to the
 * firmware. */
static enum status list_as_before(struct source_scan *scan, const struct esp *esp)
{
    enum status status = ST_OK;

    for (size_t i = 0; i < esp->report.file_count && status == ST_OK; i++) {
        const char *path = esp->report.files[i].path;
        size_t length = text_length(path);
        const char *name = path + sizeof(BOOT_FOLDER);
        if (text_has_prefix_nocase(path, DEBUGGER_PREFIX) &&
            text_equal_nocase(path + length - (sizeof(LIBRARY_ENDING) - 1), LIBRARY_ENDING))
            status = list_single(scan, arena_printf(scan->arena, SYSTEM_FOLDER "\\%s", name), path);
        if (text_equal_nocase(path, BOOT_FOLDER "\\" POLICY_NAME))
            status = list_single(scan, POLICY_PATH, path);
    }
    return status;
}

/* Lists one of the folders that are copied; the first has to be there. */
static enum status list_copied(struct source_scan *scan, size_t index)
{
    struct ntfs_file own = {.is_directory = true};
    enum status status = ntfs_lookup(&scan->volume, folders[index].from, &own);

    if (index == 0)
        return status == ST_OK
                   ? list_kept_folder(scan, ntfs_reference(&own), folders[0].to, false, 0)
                   : status;
    if (status == ST_ABSENT)
        return ST_OK;
    /* The folder of twins is that of the others. */
    enum status noted = folders[index].twins || status != ST_OK
                            ? ST_OK
                            : note_kept(scan, folders[index].to, &own, ST_OK);
    if (status == ST_OK && noted == ST_OK)
        status = list_kept_folder(scan, ntfs_reference(&own), folders[index].to,
                                  folders[index].twins, 0);
    if (noted != ST_OK || !is_of_one(status))
        return noted == ST_OK ? status : noted;
    return note_kept(scan, folders[index].to, &own, status);
}

static enum status list_kept(struct source_scan *scan, bool twins)
{
    static const struct ntfs_file folder = {.is_directory = true};
    enum status status = ST_OK;

    for (size_t i = 0; i < COUNT_OF(made_folders) && status == ST_OK; i++)
        status = note_kept(scan, made_folders[i], &folder, ST_OK);
    for (size_t i = 0; i < COUNT_OF(folders) && status == ST_OK; i++) {
        if (!folders[i].twins || twins)
            status = list_copied(scan, i);
    }
    for (size_t i = 0; i < scan->machine->esp_count && status == ST_OK; i++)
        status = list_as_before(scan, &scan->machine->esps[i]);
    return status;
}

/* --- Contents --------------------------------------------------------------------------------- */

/* What a program is, and who signed it; its signers go to the next place for some. */
static void take_judgement(struct source_scan *scan, struct pe_check *check,
                           struct file_content *io_content)
{
    io_content->program = pe_check_finish(check);
    io_content->checksum = pe_check_sum(check);
    io_content->mark = pe_check_mark(check);
    io_content->version = pe_check_version(check);
    if (!io_content->is_program)
        return;
    pe_signers_read(check, scan->signers);
    io_content->signers = scan->signers++;
}

static void start_check(const struct source_scan *scan, struct pe_check *check, uint64_t size)
{
    pe_check_start(check, size, scan->machine->architecture,
                   secure_boot_looks_up(&scan->machine->secure));
}

/* Reads a file to where it is kept. */
static enum status read_and_keep(struct source_scan *scan, const struct ntfs_data *data,
                                 struct pe_check *check, uint8_t *room,
                                 struct file_content *io_content)
{
    size_t size = (size_t)data->size;
    size_t used = 0;
    enum status status = ntfs_data_read(data, 0, room, size, &used);

    if (status == ST_OK && used != size)
        status = ST_DAMAGED;
    if (status != ST_OK) {
        contents_leave(scan->machine->contents, size);
        return status;
    }
    io_content->kept = contents_keep(scan->machine->contents, room, size, used);
    if (!io_content->is_program || content_recall_verdict(io_content))
        return ST_OK;
    start_check(scan, check, size);
    pe_check_feed(check, content_bytes(io_content));
    take_judgement(scan, check, io_content);
    content_note_verdict(io_content);
    return ST_OK;
}

/* Reads a file for its digest, a program for its verdict as well. */
static enum status read_past(struct source_scan *scan, const struct ntfs_data *data,
                             struct pe_check *check, uint8_t *buffer,
                             struct file_content *io_content)
{
    struct sha256_state digest;
    size_t size = 0;

    sha256_start(&digest);
    start_check(scan, check, data->size);
    for (uint64_t at = 0; at < data->size; at += size) {
        enum status status = ntfs_data_read(data, at, buffer, ESP_BUFFER_BYTES, &size);
        if (status == ST_OK && size == 0)
            status = ST_DAMAGED;
        if (status != ST_OK)
            return status;
        sha256_feed(&digest, span_of(buffer, size));
        if (io_content->is_program)
            pe_check_feed(check, span_of(buffer, size));
    }
    io_content->digest = sha256_finish(&digest);
    take_judgement(scan, check, io_content);
    return ST_OK;
}

static enum status read_origin(struct source_scan *scan, const struct ntfs_file *origin,
                               struct pe_check *check, uint8_t *buffer,
                               struct file_content *io_content)
{
    struct ntfs_data data;
    enum status status = ntfs_data_open(&scan->volume, origin, &data);

    if (status != ST_OK)
        return status;
    uint8_t *room = contents_room(scan->machine->contents, data.size);
    return room != NULL ? read_and_keep(scan, &data, check, room, io_content)
                        : read_past(scan, &data, check, buffer, io_content);
}

static bool is_efi_program(const char *path)
{
    size_t length = text_length(path);

    return length > 4 && text_equal_nocase(path + length - 4, ".efi");
}

/* Reads all files, the ones that cannot be read being noted. */
static enum status read_origins(struct source_scan *scan, struct file_content *ret_contents)
{
    size_t programs = 0;

    for (size_t i = 0; i < scan->count; i++)
        programs += is_efi_program(scan->files[i].path);
    scan->signers = arena_alloc(scan->arena, programs, sizeof(*scan->signers));
    size_t start = arena_mark(scan->arena);
    struct pe_check *check = arena_alloc(scan->arena, 1, sizeof(*check));
    uint8_t *buffer = arena_alloc(scan->arena, 1, ESP_BUFFER_BYTES);

    if (check == NULL || buffer == NULL || scan->signers == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < scan->count; i++) {
        struct file_content *content = &ret_contents[i];
        size_t mark = arena_mark(scan->arena);
        *content = (struct file_content){.is_program = is_efi_program(scan->files[i].path)};
        if (scan->files[i].is_directory)
            continue;
        content->status = scan->files[i].status;
        if (content->status == ST_OK)
            content->status = read_origin(scan, &scan->origins[i], check, buffer, content);
        arena_release(scan->arena, mark);
        if (content->status == ST_NO_MEMORY)
            return ST_NO_MEMORY;
        scan->files[i].status = content->status;
    }
    arena_release(scan->arena, start);
    return ST_OK;
}

/* BCD-Template; empty when it is not there, or cannot be read. */
static enum status read_template(struct source_scan *scan, struct span *ret_file)
{
    struct ntfs_file file;
    size_t size = 0;

    *ret_file = span_of(NULL, 0);
    enum status status = ntfs_lookup(&scan->volume, TEMPLATE_PATH, &file);
    if (status != ST_OK || file.is_directory || file.size > TEMPLATE_MOST)
        return status == ST_NO_MEMORY ? status : ST_OK;
    uint8_t *bytes = arena_alloc(scan->arena, 1, (size_t)file.size);
    if (bytes == NULL)
        return ST_NO_MEMORY;
    status = ntfs_read(&scan->volume, &file, 0, bytes, (size_t)file.size, &size);
    if (status == ST_OK)
        *ret_file = span_of(bytes, size);
    return status == ST_NO_MEMORY ? status : ST_OK;
}

/* The build of Windows, by its loader; 0 when it is not known. */
static enum status read_build(struct source_scan *scan, uint32_t *ret_build)
{
    uint64_t version = 0;
    enum status status =
        program_version(scan->arena, &scan->volume, system_file_path(SYSTEM_LOADER), &version);

    *ret_build = (uint32_t)(version >> 16 & 0xffff);
    return status == ST_NO_MEMORY ? status : ST_OK;
}

/* --- The source ------------------------------------------------------------------------------- */

static enum status describe_source(struct source_scan *scan, struct boot_source *io_source)
{
    struct ntfs_file file;
    enum status status = read_template(scan, &io_source->template_file);

    if (status == ST_OK)
        status = read_build(scan, &io_source->build);
    for (size_t i = 0; i < COUNT_OF(server_files) && status == ST_OK; i++) {
        enum status found = ntfs_lookup(&scan->volume, server_files[i], &file);
        io_source->is_server |= found == ST_OK;
        if (found == ST_NO_MEMORY)
            status = found;
    }
    return status;
}

/* Puts the source behind all ESPs and sources, in a list of its own. */
static enum status append_source(struct arena *arena, const struct esp *source,
                                 struct machine *io_machine)
{
    size_t count = io_machine->esp_count + io_machine->source_count;
    struct esp *esps = arena_alloc(arena, count + 1, sizeof(*esps));

    if (esps == NULL)
        return ST_NO_MEMORY;
    if (count > 0)
        memcpy(esps, io_machine->esps, count * sizeof(*esps));
    esps[count] = *source;
    io_machine->esps = esps;
    io_machine->source_count++;
    return ST_OK;
}

static enum status fill_source(struct source_scan *scan, const struct source_request *request,
                               struct machine *io_machine)
{
    struct arena *arena = scan->arena;
    struct file_content *contents = arena_alloc(arena, FILES_MOST, sizeof(*contents));
    struct boot_source *source = arena_alloc(arena, 1, sizeof(*source));
    struct esp esp = {.partition = io_machine->copies[request->copy].partition,
                      .content = CONTENT_NTFS,
                      .report = {.complete = true, .listed = true},
                      .contents = contents,
                      .contents_read = true,
                      .store_status = ST_ABSENT,
                      .source = source};

    if (contents == NULL || source == NULL)
        return ST_NO_MEMORY;
    *source = (struct boot_source){.copy = request->copy, .files = scan->origins};
    enum status status = list_kept(scan, request->twins);
    if (status == ST_OK)
        status = describe_source(scan, source);
    if (status == ST_OK)
        status = read_origins(scan, contents);
    if (status != ST_OK)
        return status;
    source->has_twins = scan->has_twins;
    esp.report.files = scan->files;
    esp.report.file_count = scan->count;
    for (size_t i = 0; i < FAT_PROBLEM_COUNT; i++)
        esp.report.first_place[i] = "";
    return append_source(arena, &esp, io_machine);
}

/* A disk that is asked twice before something is called bad. */
struct patient_disk {
    struct block_port port;
    const struct block_port *disk;
};

static enum status read_twice(void *ctx, uint64_t lba, uint32_t count, void *ret_data)
{
    const struct patient_disk *patient = ctx;
    const struct block_port *disk = patient->disk;
    enum status status = disk->read(disk->ctx, lba, count, ret_data);

    return status == ST_IO ? disk->read(disk->ctx, lba, count, ret_data) : status;
}

enum status scan_source(struct arena *arena, const struct ports *ports,
                        const struct source_request *request, struct machine *io_machine)
{
    const struct system_copy *copy = &io_machine->copies[request->copy];
    struct source_scan scan = {.arena = arena, .machine = io_machine};

    scan.files = arena_alloc(arena, FILES_MOST, sizeof(*scan.files));
    scan.origins = arena_alloc(arena, FILES_MOST, sizeof(*scan.origins));
    scan.lengths = arena_alloc(arena, FILES_MOST, sizeof(*scan.lengths));
    if (scan.files == NULL || scan.origins == NULL || scan.lengths == NULL)
        return ST_NO_MEMORY;
    struct patient_disk patient;
    enum status status = copy_blocks_open(arena, ports->disks, io_machine, copy, &patient.disk);
    if (status == ST_OK) {
        block_read_only(patient.disk, read_twice, &patient, &patient.port);
        status = ntfs_open(arena, &patient.port, 0, patient.port.block_count, &scan.volume);
    }
    if (status == ST_OK)
        status = fill_source(&scan, request, io_machine);
    io_machine->copies[request->copy].kept_status = status;
    return status;
}

size_t machine_find_source(const struct machine *machine, size_t copy)
{
    for (size_t i = 0; i < machine->source_count; i++) {
        if (machine->esps[machine->esp_count + i].source->copy == copy)
            return machine->esp_count + i;
    }
    return NO_INDEX;
}
