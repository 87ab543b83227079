#include "scan_content.h"

#include "base/mem.h"
#include "base/sort.h"
#include "base/text.h"
#include "model/boot_paths.h"
#include "model/scan_esp.h"
#include "model/scan_md.h"
#include "scan_copies.h"

#define MBR_LINUX_MD 0xfd

static size_t count_esps(const struct machine *machine, size_t from, size_t to)
{
    size_t count = 0;

    for (size_t i = from; i < to; i++)
        count += machine_may_start_from(machine, i);
    return count;
}

/*
 * What the ESP on this partition may cost: ESPs of one disk share what other volumes leave. Where
 * that would be too little for each, the first ones are served.
 */
static uint64_t esp_share(const struct content_scan *scan, const struct disk_meter *meter,
                          size_t partition)
{
    const struct machine *machine = scan->machine;
    const struct disk *disk = &machine->disks[machine->partitions[partition].disk];
    size_t end = disk->first_partition + disk->partition_count;
    uint64_t left = disk_meter_left(meter);
    uint64_t room = left > COPY_BYTES ? left - COPY_BYTES : 0;
    uint64_t share = room / count_esps(machine, partition, end);

    if (share < ESP_LIST_BYTES)
        share = ESP_LIST_BYTES < room ? ESP_LIST_BYTES : room;
    return share;
}

/* The ESP that was found on the same blocks before, as deep as it would be looked into now; NO_INDEX
 * when there is none. */
static size_t esp_before(const struct content_scan *scan, const struct partition *own)
{
    const struct machine *machine = scan->before == NULL ? NULL : scan->before->machine;

    for (size_t i = 0; machine != NULL && i < machine->esp_count; i++) {
        const struct esp *esp = &machine->esps[i];
        const struct partition *then = &machine->partitions[esp->partition];
        if (machine->disks[then->disk].port == scan->machine->disks[own->disk].port &&
            then->first_lba == own->first_lba && then->block_count == own->block_count)
            return esp->status == ST_OK && esp->report.complete &&
                           esp->contents_read == (scan->depth >= SCAN_FULL)
                       ? i
                       : NO_INDEX;
    }
    return NO_INDEX;
}

static enum status look_into_esp(const struct content_scan *scan, size_t partition,
                                 struct esp_scan *esp_scan, struct esp *esp)
{
    const struct partition *own = &scan->machine->partitions[partition];
    size_t known = esp_before(scan, own);
    struct disk_meter *meter = scan_meter_of(scan, own->disk);
    const struct disk_meter before = *meter;

    esp_scan->before = known == NO_INDEX ? NULL : &scan->before->machine->esps[known];
    esp_scan->disk = scan->machine->disks[own->disk].port;
    if (known != NO_INDEX && !scan->before->may_differ(scan->before->ctx, known)) {
        *esp = *esp_scan->before;
        esp->partition = partition;
        return ST_OK;
    }

    esp_scan->port = scan_port_of(scan, own->disk);
    bool whole = scan->depth >= SCAN_LISTED;
    esp_scan->read_limit = whole ? UINT64_MAX : esp_share(scan, meter, partition);
    if (whole)
        meter->read_limit = UINT64_MAX;
    esp->partition = partition;
    enum status status = scan_esp(esp_scan, own->first_lba, own->block_count, esp);
    const struct md_volume *md = machine_md_volume(scan->machine, partition);
    if (meter->stopped || (md != NULL && md->use == MD_PIECE))
        *esp = (struct esp){
            .partition = partition, .status = ST_UNSUPPORTED, .store_status = ST_UNSUPPORTED};
    if (whole)
        *meter = before;
    return status;
}

/* A partition of another type is looked into for its FAT alone: whatever else it holds, firmware
 * starts nothing from it, and it is no ESP to be mended. */
static bool counts_as_esp(const struct machine *machine, const struct esp *esp)
{
    enum partition_type kind = machine->partitions[esp->partition].kind;
    bool is_fat = esp->status == ST_OK && (!esp->volume.from_backup || esp->content == CONTENT_FAT);

    if (kind == PT_LINUX_RAID)
        return is_fat && fat_find(&esp->report, "\\EFI") != FAT_NO_FILE;
    return kind == PT_ESP || is_fat;
}

static enum status scan_esps(const struct content_scan *scan)
{
    struct machine *machine = scan->machine;
    size_t count = count_esps(machine, 0, machine->partition_count);
    struct esp_scan esp_scan = {
        .arena = scan->arena,
        .architecture = machine->architecture,
        .looks_up = secure_boot_looks_up(&machine->secure),
        .since = scan->before,
        .contents = scan->depth >= SCAN_FULL,
        .kept = scan->depth >= SCAN_FULL ? machine->contents : NULL,
        .buffer_size = scan->depth >= SCAN_FULL ? ESP_BUFFER_BYTES : ESP_STORE_BYTES,
    };

    esp_scan.buffer = arena_alloc(scan->arena, 1, esp_scan.buffer_size);
    esp_scan.window = arena_alloc(scan->arena, 1, esp_scan.contents ? ESP_WINDOW_BYTES : 0);
    machine->esps = arena_alloc(scan->arena, count, sizeof(*machine->esps));
    if (esp_scan.buffer == NULL || esp_scan.window == NULL || machine->esps == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < machine->partition_count; i++) {
        struct esp *esp = &machine->esps[machine->esp_count];
        if (!machine_may_start_from(machine, i) || !scan_can_look(machine, &machine->partitions[i]))
            continue;
        if (look_into_esp(scan, i, &esp_scan, esp) != ST_OK)
            return ST_NO_MEMORY;
        machine->esp_count += counts_as_esp(machine, esp);
    }
    return ST_OK;
}

static enum status scan_md(const struct content_scan *scan)
{
    struct machine *machine = scan->machine;

    machine->md_members =
        arena_alloc(scan->arena, machine->partition_count, sizeof(*machine->md_members));
    if (machine->md_members == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < machine->partition_count; i++) {
        const struct partition *own = &machine->partitions[i];
        struct md_partition *member = &machine->md_members[machine->md_count];
        uint64_t offset = 0;
        if ((own->kind != PT_LINUX_RAID && own->mbr_type != MBR_LINUX_MD) ||
            !scan_can_look(machine, own) || machine_find_esp(machine, i) != NO_INDEX)
            continue;
        enum status status = scan_md_find(scan->arena, scan_port_of(scan, own->disk), own, MD_1_2,
                                          &offset, &member->member);
        if (status == ST_NO_MEMORY)
            return status;
        member->partition = i;
        machine->md_count += status == ST_OK;
    }
    return ST_OK;
}

void scan_contents_set_limits(struct disk_meter *meters, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct disk_meter *meter = &meters[i];
        uint64_t least = meter->read_bytes + ESP_QUICK_BYTES + COPY_BYTES;
        meter->read_limit = least < DISK_BYTES ? DISK_BYTES : least;
    }
}

enum status scan_contents(struct arena *arena, const struct ports *ports, struct disk_meter *meters,
                          enum scan_depth depth, const struct scan_before *before,
                          struct machine *io_machine)
{
    const struct content_scan scan = {
        .arena = arena,
        .ports = ports,
        .meters = meters,
        .depth = depth,
        .before = before,
        .machine = io_machine,
    };

    enum status status = scan_esps(&scan);
    if (status == ST_OK)
        status = scan_md(&scan);
    if (status == ST_OK)
        status = scan_copies(&scan);
    return status;
}
