#include "cmd/picture.h"

#include "base/text.h"

#define SEGMENTS_MAX 20 /* more do not fit a line; the smallest are left out */
#define SEGMENT_MOST (UINT64_MAX / SEGMENTS_MAX)
#define FREE_LEAST   (1u << 20) /* bytes of a gap worth showing */
#define BRACKETS     2u
#define LABEL_LEAST  4u /* characters of a label that are shown if they can be */

struct segment {
    uint64_t bytes;
    const char *label; /* NULL: free space */
    const char *mark;  /* of its colour */
    size_t width;      /* characters, brackets included */
};

struct bar {
    struct segment segments[SEGMENTS_MAX];
    size_t count;
    uint64_t bytes; /* of all segments */
    size_t width;   /* characters it may take */
    bool cut;
};

/* The volume of which a piece is in the partition; NULL when none is known. */
static const struct dynamic_volume *volume_in(const struct machine *machine,
                                              const struct partition *partition)
{
    size_t volume = 0;

    if (!volume_map_at(&machine->volumes, partition->disk, partition->first_lba,
                       partition->block_count, &volume))
        return NULL;
    return &machine->volumes.volumes[volume];
}

static const char *label_of(const struct machine *machine, const struct partition *partition)
{
    static const struct {
        enum partition_type kind;
        const char *label;
    } labels[] = {{PT_ESP, "ESP"},
                  {PT_MSR, "MSR"},
                  {PT_LDM_METADATA, "LDM"},
                  {PT_WINDOWS_RE, "Recovery"},
                  {PT_LINUX_RAID, "md"},
                  {PT_LINUX_SWAP, "swap"},
                  {PT_BASIC_DATA, "basic"},
                  {PT_LINUX_DATA, "Linux"},
                  {PT_LINUX_ROOT_X64, "root"}};
    const struct dynamic_volume *volume = volume_in(machine, partition);

    if (volume != NULL)
        return volume->drive_hint[0] != '\0' ? volume->drive_hint : volume->name;
    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
        if (labels[i].kind == partition->kind)
            return labels[i].label;
    }
    return partition->kind == PT_LDM_DATA ? "LDM data" : "?";
}

/* True when `a` gives way to `b`: free space to partitions, and small to large. */
static bool gives_way(const struct segment *a, const struct segment *b)
{
    if ((a->label == NULL) != (b->label == NULL))
        return a->label == NULL;
    return a->bytes < b->bytes;
}

/* Adds a segment; of too many the least gives way. */
static void add_segment(struct bar *bar, uint64_t bytes, const char *label, const char *mark)
{
    /* A table may claim any number of blocks: the sum must not pass 64 bits. */
    struct segment segment = {bytes < SEGMENT_MOST ? bytes : SEGMENT_MOST, label, mark, 0};
    size_t least = 0;

    if (bar->count < SEGMENTS_MAX) {
        bar->segments[bar->count++] = segment;
        bar->bytes += segment.bytes;
        return;
    }
    bar->cut = true;
    for (size_t i = 1; i < bar->count; i++) {
        if (gives_way(&bar->segments[i], &bar->segments[least]))
            least = i;
    }
    if (!gives_way(&bar->segments[least], &segment))
        return;
    bar->bytes += segment.bytes - bar->segments[least].bytes;
    for (size_t i = least; i + 1 < bar->count; i++)
        bar->segments[i] = bar->segments[i + 1];
    bar->segments[bar->count - 1] = segment;
}

static void add_gap(struct bar *bar, const struct disk *disk, uint64_t from, uint64_t until)
{
    if (until > from && (until - from) * disk->block_size >= FREE_LEAST)
        add_segment(bar, (until - from) * disk->block_size, NULL, COLOUR_PLAIN);
}

/* By the worst that was found in the partition. What the machine starts from is good without that. */
static const char *mark_of_partition(const struct machine *machine, size_t partition,
                                     const struct findings *findings)
{
    const char *mark = COLOUR_PLAIN;

    if (findings == NULL)
        return mark;
    if (machine_find_esp(machine, partition) != NO_INDEX)
        mark = COLOUR_GOOD;
    for (size_t i = 0; i < machine->copy_count; i++) {
        if (machine->copies[i].partition == partition && machine->copies[i].looked)
            mark = COLOUR_GOOD;
    }
    for (size_t i = 0; i < findings->count; i++) {
        enum severity severity = finding_severity(findings->items[i].code);
        if (findings->items[i].partition != partition || severity == SEVERITY_NOTE)
            continue;
        if (severity == SEVERITY_DAMAGE)
            return COLOUR_BAD;
        mark = COLOUR_WARNING;
    }
    return mark;
}

static void fill_bar(const struct machine *machine, const struct disk *disk,
                     const struct findings *findings, struct bar *bar)
{
    uint64_t next = 0;

    if (disk->status != ST_OK || disk->style == DISK_RAW) {
        add_segment(bar, 1, disk->status != ST_OK ? "unreadable" : "no partition table",
                    disk->status != ST_OK && findings != NULL ? COLOUR_BAD : COLOUR_PLAIN);
        return;
    }
    for (size_t i = 0; i < disk->partition_count; i++) {
        const struct partition *own = &machine->partitions[disk->first_partition + i];
        add_gap(bar, disk, next, own->first_lba);
        add_segment(bar, partition_bytes(machine, own), label_of(machine, own),
                    mark_of_partition(machine, disk->first_partition + i, findings));
        if (own->first_lba + own->block_count > next)
            next = own->first_lba + own->block_count;
    }
    add_gap(bar, disk, next, disk->block_count);
}

/* `part` of `whole` in `units`, without overflow for disks of any size. */
static size_t share(uint64_t part, uint64_t whole, size_t units)
{
    while (whole >> 48 != 0) {
        whole >>= 8;
        part >>= 8;
    }
    return whole == 0 ? 0 : (size_t)(part * units / whole);
}

/* Characters a segment has at least: brackets, and the start of its label where there is room. */
static size_t least_width(const struct segment *segment, size_t label_least)
{
    size_t length = segment->label == NULL ? 1 : text_length(segment->label);

    return BRACKETS + (length < label_least ? length : label_least);
}

static size_t all_least_widths(const struct bar *bar, size_t label_least)
{
    size_t sum = 0;

    for (size_t i = 0; i < bar->count; i++)
        sum += least_width(&bar->segments[i], label_least);
    return sum;
}

/* Each segment gets its least, and its share of what is left. */
static void scale(struct bar *bar)
{
    size_t label_least = LABEL_LEAST;
    size_t used = 0;
    size_t largest = 0;

    while (label_least > 1 && all_least_widths(bar, label_least) > bar->width / 2)
        label_least--;
    size_t room = bar->width - 1 - all_least_widths(bar, label_least);
    for (size_t i = 0; i < bar->count; i++) {
        struct segment *segment = &bar->segments[i];
        segment->width =
            least_width(segment, label_least) + share(segment->bytes, bar->bytes, room);
        used += segment->width;
        if (segment->bytes > bar->segments[largest].bytes)
            largest = i;
    }
    if (bar->count > 0 && used < bar->width - 1)
        bar->segments[largest].width += bar->width - 1 - used;
}

static void draw(struct context *context, const struct segment *segment)
{
    size_t inside = segment->width - BRACKETS;
    size_t length = segment->label == NULL ? 0 : text_length(segment->label);
    char fill = segment->label == NULL ? '.' : ' ';

    if (length > inside)
        length = inside;
    say(context, "%s%c%.*s", segment->mark, segment->label == NULL ? '.' : '[', (int)length,
        segment->label == NULL ? "" : segment->label);
    for (size_t i = length; i < inside; i++)
        say(context, "%c", fill);
    say(context, "%c", segment->label == NULL ? '.' : ']');
}

void show_picture(struct context *context, size_t disk, const struct findings *findings,
                  size_t width)
{
    struct bar bar = {.width = width < PICTURE_WIDTH_LEAST ? PICTURE_WIDTH_LEAST : width};

    fill_bar(&context->machine, &context->machine.disks[disk], findings, &bar);
    scale(&bar);
    for (size_t i = 0; i < bar.count; i++)
        draw(context, &bar.segments[i]);
    say(context, COLOUR_PLAIN "%s\n", bar.cut ? "+" : "");
}
