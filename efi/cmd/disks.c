#include "audit/audit.h"
#include "base/text.h"
#include "cmd/command.h"
#include "machine_rows.h"
#include "show.h"
#include "machine_words.h"

static void show_identity(struct context *context, const struct disk *disk)
{
    char text[GUID_TEXT_SIZE];

    if (disk->style == DISK_GPT && !guid_is_zero(&disk->guid)) {
        guid_format(&disk->guid, text);
        say(context, "Disk GUID:        %s\n", text);
    }
    if (disk->style == DISK_MBR)
        say(context, "MBR signature:    0x%08x\n", disk->mbr.signature);
}

static void show_disk(struct context *context, size_t index)
{
    const struct disk *disk = &context->machine.disks[index];
    char bytes[THOUSANDS_SIZE];
    char size[SIZE_TEXT_SIZE];

    say(context, "Disk %zu: %s\n", index, disk->model[0] != '\0' ? disk->model : disk->path_text);
    say(context, "Device path:      %s\n", disk->path_text);
    say(context, "Size:             %s bytes (%s), blocks of %u bytes\n",
        format_thousands(disk->block_count * disk->block_size, bytes),
        format_size(disk->block_count * disk->block_size, size), disk->block_size);
    say(context, "Style:            %s%s%s%s\n", disk_style_text(disk),
        disk->read_only ? ", write-protected" : "", disk->removable ? ", removable" : "",
        disk->has_self ? ", shadowboot was started from it" : "");
    show_identity(context, disk);
    say(context, "\n");
    for (size_t i = 0; i < disk->partition_count; i++)
        show_partition(context, disk->first_partition + i, true);
}

static void print_disk(struct context *context, size_t index)
{
    const struct disk *disk = &context->machine.disks[index];

    if (!context->sfo) {
        show_disk(context, index);
        return;
    }
    struct rows rows = rows_of_tables(context);
    rows_open_disk(&rows, index, "");
    row_close(&rows);
    for (size_t i = 0; i < disk->partition_count; i++) {
        rows_open_partition(&rows, disk->first_partition + i);
        row_close(&rows);
    }
}

/* Leaves only what concerns one disk. */
static void keep_disk(const struct machine *machine, size_t disk, struct findings *io_findings)
{
    size_t kept = 0;

    for (size_t i = 0; i < io_findings->count; i++) {
        struct finding finding = io_findings->items[i];
        size_t place = finding.disk;
        if (finding.partition != NO_INDEX)
            place = machine->partitions[finding.partition].disk;
        if (place == disk)
            io_findings->items[kept++] = finding;
    }
    io_findings->count = kept;
}

/* The disk number among the words; NO_INDEX for all. */
static enum status wanted_disk(struct context *context, size_t *ret_disk)
{
    size_t count = context->machine.disk_count;
    uint64_t number = 0;

    *ret_disk = NO_INDEX;
    if (context->word_count == 0)
        return ST_OK;
    if (text_parse_number(context->words[0], 10, &number) != ST_OK)
        return report(context, ST_USAGE, "A disk is named by its number: shadowboot disks 0");
    if (number >= count)
        return report(
            context, ST_ABSENT,
            "There is no Disk %llu. This machine has %zu: \"shadowboot disks\" lists them.",
            (unsigned long long)number, count);
    *ret_disk = (size_t)number;
    return ST_OK;
}

enum status cmd_disks(struct context *context)
{
    struct findings findings;
    size_t disk = NO_INDEX;

    enum status status = context_scan(context, SCAN_DISKS);
    if (status == ST_OK)
        status = wanted_disk(context, &disk);
    if (status != ST_OK)
        return status;
    for (size_t i = 0; i < context->machine.disk_count; i++) {
        if (disk == NO_INDEX || disk == i)
            print_disk(context, i);
    }
    if (context->machine.disk_count == 0)
        return report(context, ST_ABSENT, "The firmware shows no disk.");
    status = audit_disks(context->arena, &context->machine, &findings);
    if (status != ST_OK)
        return report(context, status, "Out of memory.");
    if (disk != NO_INDEX)
        keep_disk(&context->machine, disk, &findings);
    show_findings(context, &findings);
    return findings_status(&findings);
}
