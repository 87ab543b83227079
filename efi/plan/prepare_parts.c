#include "prepare_parts.h"

#include "base/mem.h"
#include "base/print.h"
#include "plan/esp_files.h"
#include "plan/fresh_fat.h"
#include "plan/place.h"

const struct partition *prepare_source_partition(const struct prepare *prepare)
{
    return &prepare->machine->partitions[prepare->machine->esps[prepare->source].partition];
}

bool prepare_source_is_esp(const struct prepare *prepare)
{
    return prepare->machine->esps[prepare->source].source == NULL;
}

/* --- Source ----------------------------------------------------------------------------------- */

/* The one on that partition that files can be taken from; NO_INDEX for none. */
static size_t kept_on(const struct machine *machine, size_t partition)
{
    for (size_t i = machine->esp_count; i < machine->esp_count + machine->source_count; i++) {
        if (machine->esps[i].partition == partition)
            return i;
    }
    return NO_INDEX;
}

static enum status check_source(struct prepare *prepare, size_t partition)
{
    struct plan *plan = prepare->plan;
    const char *text = place_text(plan->arena, prepare->machine, partition);

    prepare->source = kept_on(prepare->machine, partition);
    if (prepare->source != NO_INDEX)
        return ST_OK;
    if (prepare->machine->partitions[partition].disk == prepare->disk)
        return plan_refuse(plan, ST_REFUSED,
                           "%s is on the disk that is to be prepared; the source has to be on "
                           "another one.",
                           text);
    size_t esp = machine_find_esp(prepare->machine, partition);
    if (esp == NO_INDEX || prepare->machine->esps[esp].status != ST_OK)
        return plan_refuse(plan, ST_REFUSED,
                           "%s is no EFI system partition whose files can be read, so there is "
                           "nothing to take from it.",
                           text);
    prepare->source = esp;
    return ST_OK;
}

enum status prepare_find_source(struct prepare *prepare)
{
    const struct prepare_request *request = prepare->request;
    size_t partition = NO_INDEX;

    if (!request->has_source) {
        prepare->source = esp_files_source(prepare->machine, prepare->roles, prepare->disk);
        return ST_OK;
    }
    enum status status = place_find_only(prepare->plan, &request->source, &partition);
    return status == ST_OK ? check_source(prepare, partition) : status;
}

enum status prepare_refuse_without_source(struct prepare *prepare)
{
    return plan_refuse(prepare->plan, ST_ABSENT,
                       "No other disk has a sound EFI system partition with boot files to take for "
                       "Disk %zu.",
                       prepare->disk);
}

/* The source's label where a new file system can have it. */
static const char *source_label(const struct prepare *prepare)
{
    const char *label = prepare->machine->esps[prepare->source].volume.label;

    for (const char *at = label; *at != '\0'; at++) {
        bool letter = (*at >= 'A' && *at <= 'Z') || (*at >= 'a' && *at <= 'z');
        bool other = (*at >= '0' && *at <= '9') || *at == '_' || *at == '-';
        if (!letter && !other && (*at != ' ' || at == label))
            return "";
    }
    return memcmp(label, "NO NAME", sizeof("NO NAME")) == 0 ? "" : label;
}

enum status prepare_gather(struct prepare *prepare, size_t old)
{
    enum status status = prepare_find_source(prepare);

    if (status != ST_OK)
        return status;
    if (prepare->source == NO_INDEX)
        return prepare_refuse_without_source(prepare);
    prepare->old = old;
    prepare->label = source_label(prepare);
    identity_begin(&prepare->identity, prepare->machine, prepare->disk, &prepare->request->now);
    status = esp_files_fresh(prepare->plan, prepare->source, old, FILES_OF_START, &prepare->files);
    prepare->whole = prepare->files;
    prepare->spare = SPARE_NOTHING;
    if (status == ST_OK)
        status = esp_files_fresh(prepare->plan, prepare->source, old, FILES_ALL, &prepare->all);
    return status;
}

/* --- File systems ----------------------------------------------------------------------------- */

uint64_t prepare_bytes_of(const struct prepare *prepare, uint64_t blocks)
{
    return blocks * prepare->on->block_size;
}

uint64_t prepare_blocks_of(const struct prepare *prepare, uint64_t bytes)
{
    return (bytes + prepare->on->block_size - 1) / prepare->on->block_size;
}

unsigned prepare_future_number(const struct prepare *prepare, uint64_t first_lba)
{
    unsigned number = 1;

    for (size_t i = 0; i < prepare->on->partition_count; i++) {
        const struct partition *own =
            &prepare->machine->partitions[prepare->on->first_partition + i];
        number += own->first_lba < first_lba;
    }
    return number;
}

const char *prepare_amount_text(struct plan *plan, const struct files_change *files,
                                const char *between, const char *behind)
{
    char size[SIZE_TEXT_SIZE];
    size_t count = 0;
    uint64_t bytes = 0;

    for (size_t i = 0; i < files->count; i++) {
        count += !files->items[i].is_directory;
        bytes += files->items[i].is_directory ? 0 : files->items[i].size;
    }
    return arena_printf(plan->arena, "%zu %s%s%s%s", count, count == 1 ? "file" : "files", between,
                        format_size(bytes, size), behind);
}

static bool takes_from_old(const struct prepare *prepare, const struct files_change *files)
{
    for (size_t i = 0; prepare->old != NO_INDEX && i < files->count; i++) {
        if (files->items[i].esp == prepare->old)
            return true;
    }
    return false;
}

static void warn_of_rest(struct prepare *prepare, const struct spot *spot)
{
    size_t spared = prepare->whole.count - prepare->files.count;
    bool is_all = spot->files.count == prepare->all.count;
    size_t left = is_all ? 0 : prepare->all.count - spot->files.count - spared;

    if (!is_all)
        esp_spare_tell(prepare->plan, &prepare->whole, &prepare->files, prepare->spare,
                       "the new file system");
    if (left > 0)
        plan_warn(prepare->plan,
                  "%zu files and folders of %s that the system is not started by are left out: the "
                  "new file system would be full.",
                  left,
                  place_text(prepare->plan->arena, prepare->machine,
                             prepare->machine->esps[prepare->source].partition));
}

void prepare_add_format(struct prepare *prepare, const struct spot *spot, const struct guid *unique)
{
    struct plan *plan = prepare->plan;
    struct disk_change change = {
        .kind = DISK_CHANGE_FORMAT,
        .disk = prepare->disk,
        .first_lba = spot->area.first_lba,
        .block_count = spot->area.block_count,
        .format = {.type = spot->type,
                   .serial = identity_serial(&prepare->identity),
                   .label = prepare->label},
        .files = spot->files,
        .esp = takes_from_old(prepare, &spot->files) ? prepare->old : NO_INDEX,
    };
    char guid[GUID_TEXT_SIZE];
    char size[SIZE_TEXT_SIZE];

    warn_of_rest(prepare, spot);
    guid_format(unique, guid);
    const char *amount = prepare_amount_text(plan, &spot->files, ", ", "");
    const char *from = place_text(plan->arena, prepare->machine,
                                  prepare->machine->esps[prepare->source].partition);
    if (amount == NULL || from == NULL) {
        plan_change_disk(plan, &change, NULL);
        return;
    }
    plan->formats = true;
    plan_change_disk(
        plan, &change,
        arena_printf(plan->arena, "format Disk %zu Partition %u %s with FAT%d (%s), %s, from %s",
                     prepare->disk, prepare_future_number(prepare, spot->area.first_lba), guid,
                     spot->type == FAT_32 ? 32 : 16,
                     format_size(prepare_bytes_of(prepare, spot->area.block_count), size), amount,
                     from));
}
