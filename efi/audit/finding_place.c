/* The place of a finding, in words and in its advice. */
#include "audit/finding.h"
#include "audit/lead.h"
#include "base/text.h"

/* "Volume Volume1"; where another group of disks has one of that name, with its own group's. */
static const char *volume_place(struct arena *arena, const struct volume_map *map, size_t index)
{
    const struct dynamic_volume *own = &map->volumes[index];

    for (size_t i = 0; i < map->volume_count; i++) {
        const struct dynamic_volume *other = &map->volumes[i];
        if (other->group != own->group && text_equal(other->name, own->name))
            return arena_printf(arena, "Volume %s of %s", own->name, map->groups[own->group].name);
    }
    return arena_printf(arena, "Volume %s", own->name);
}

const char *finding_place(struct arena *arena, const struct machine *machine,
                          const struct finding *finding)
{
    const char *place = "this machine";

    if (finding->entry != NO_INDEX) {
        place = arena_printf(arena, "Boot%04X", machine->entries[finding->entry].number);
    } else if (finding->partition != NO_INDEX) {
        const struct partition *partition = &machine->partitions[finding->partition];
        place = arena_printf(arena, "Disk %zu Partition %u", partition->disk, partition->number);
    } else if (finding->disk != NO_INDEX) {
        place = arena_printf(arena, "Disk %zu", finding->disk);
    } else if (finding->volume != NO_INDEX) {
        place = volume_place(arena, &machine->volumes, finding->volume);
    }
    return place == NULL ? "" : place;
}

static void put_place_disk(struct text_buffer *to, const struct machine *machine,
                           const struct finding *finding)
{
    if (finding->partition != NO_INDEX)
        text_buffer_printf(to, "%zu", machine->partitions[finding->partition].disk);
    else if (finding->disk != NO_INDEX)
        text_buffer_printf(to, "%zu", finding->disk);
    else
        text_buffer_printf(to, "DISK");
}

static void put_place_partition(struct text_buffer *to, const struct machine *machine,
                                const struct finding *finding)
{
    if (finding->partition != NO_INDEX)
        text_buffer_printf(to, "%u", machine->partitions[finding->partition].number);
    else
        text_buffer_printf(to, "PARTITION");
}

static void put_place_guid(struct text_buffer *to, const struct machine *machine,
                           const struct finding *finding)
{
    char text[GUID_TEXT_SIZE] = "GUID";

    if (finding->partition != NO_INDEX)
        guid_format(&machine->partitions[finding->partition].unique, text);
    text_buffer_printf(to, "%s", text);
}

/* The entry that the finding is about; of a disk, the first that is tried and starts a system from it. */
static size_t entry_of_place(const struct machine *machine, const struct finding *finding)
{
    for (size_t i = 0; i < machine->entry_count && finding->entry == NO_INDEX; i++) {
        const struct entry *entry = &machine->entries[i];
        if (entry_is_tried(entry) && entry->boot.partition != NO_INDEX &&
            finding->disk != NO_INDEX &&
            machine->partitions[entry->boot.partition].disk == finding->disk &&
            !lead_is_tool(machine, entry))
            return i;
    }
    return finding->entry;
}

static void put_place_entry(struct text_buffer *to, const struct machine *machine,
                            const struct finding *finding)
{
    size_t entry = entry_of_place(machine, finding);

    if (entry != NO_INDEX)
        text_buffer_printf(to, "Boot%04X", machine->entries[entry].number);
    else
        text_buffer_printf(to, "ENTRY");
}

/* What stands in the advice for a part of the place. */
static const struct {
    const char *name;
    void (*put)(struct text_buffer *to, const struct machine *machine,
                const struct finding *finding);
} parts[] = {{"<disk>", put_place_disk},
             {"<partition>", put_place_partition},
             {"<guid>", put_place_guid},
             {"<entry>", put_place_entry}};

#define MD_COPY                                                                                    \
    "In Linux, take the copy out of its md array first (mdadm --zero-superblock on it); if that "  \
    "is Disk <disk>, shadowboot diskid <disk> -set new then gives it GUIDs of its own, and mdadm " \
    "--add makes it a member anew."

/* True for a missing entry that cannot be made: it would name another partition just as well. */
static bool no_entry_can_name(const struct machine *machine, const struct finding *finding)
{
    return finding->code == FINDING_ESP_NO_ENTRY && finding->partition != NO_INDEX &&
           machine->partitions[finding->partition].guid_repeated;
}

/* What is said of a copy's GUIDs: first where LDM or md would take it for the other one all the same. */
static const char *advice_words(const struct machine *machine, const struct finding *finding,
                                bool linux_only)
{
    enum finding_code code =
        no_entry_can_name(machine, finding) ? FINDING_PARTITION_GUID_REPEATED : finding->code;
    bool at_partition = code == FINDING_PARTITION_GUID_REPEATED;
    size_t disk = at_partition && finding->partition != NO_INDEX
                      ? machine->partitions[finding->partition].disk
                      : finding->disk;
    size_t own = NO_INDEX;

    if (!at_partition && code != FINDING_DISK_GUID_REPEATED)
        return finding_advice_words(code, linux_only);
    if (machine_md_copy(machine, disk, &own) != NO_INDEX)
        return MD_COPY;
    return finding_advice_words(
        volume_map_is_clone(&machine->volumes, disk) ? FINDING_LDM_CLONE : code, linux_only);
}

#define PART_COUNT (sizeof(parts) / sizeof(parts[0]))
#define PARTS_ROOM 128 /* bytes more than the words have, at most: each part once, and to spare */

const char *finding_advice(struct arena *arena, const struct machine *machine,
                           const struct finding *finding, bool linux_only)
{
    const char *words = advice_words(machine, finding, linux_only);
    size_t size = text_length(words) + PARTS_ROOM;
    char *at = words[0] == '\0' ? NULL : arena_alloc(arena, 1, size);
    struct text_buffer text;

    if (at == NULL)
        return "";
    text_buffer_init(&text, at, size);
    while (*words != '\0') {
        size_t part = 0;
        while (part < PART_COUNT && !text_has_prefix_nocase(words, parts[part].name))
            part++;
        if (part < PART_COUNT) {
            parts[part].put(&text, machine, finding);
            words += text_length(parts[part].name);
        } else {
            text_buffer_printf(&text, "%c", *words++);
        }
    }
    return at;
}

const char *finding_copy_advice(struct arena *arena, const struct machine *machine, size_t disk)
{
    const struct finding finding = {
        FINDING_DISK_GUID_REPEATED, disk, NO_INDEX, NO_INDEX, NO_INDEX, ""};

    return finding_advice(arena, machine, &finding, false);
}
