#include "base/text.h"
#include "cmd/command.h"
#include "show.h"
#include "model/volumes.h"

#define SECTOR_BYTES 512u

/* What the file system on the volume is called; "" where nobody looked. */
static const char *file_system_text(struct context *context, const struct dynamic_volume *volume)
{
    const struct machine *machine = &context->machine;

    for (size_t i = 0; i < machine->copy_count; i++) {
        const struct system_copy *copy = &machine->copies[i];
        bool own = copy->plex != NO_INDEX && copy->plex >= volume->first_plex &&
                   copy->plex - volume->first_plex < volume->plex_count;
        if (own && copy->looked && copy->content != CONTENT_UNKNOWN)
            return volume_content_name(copy->content);
    }
    return "";
}

static const char *guid_text(struct context *context, const struct guid *guid)
{
    char text[GUID_TEXT_SIZE];

    guid_format(guid, text);
    return arena_printf(context->arena, "%s", text);
}

/* "1,048,576 bytes (1 MiB)" */
static const char *size_text(struct context *context, uint64_t bytes)
{
    char thousands[THOUSANDS_SIZE];
    char size[SIZE_TEXT_SIZE];

    return arena_printf(context->arena, "%s bytes (%s)", format_thousands(bytes, thousands),
                        format_size(bytes, size));
}

/* ": reason", or nothing. */
static const char *because(struct context *context, const char *reason)
{
    return reason[0] == '\0' ? "" : arena_printf(context->arena, ": %s", reason);
}

/* What diskpart writes in its column Info. */
static const char *info_text(const struct dynamic_volume *volume)
{
    if (volume->boot)
        return volume->system ? "Boot System" : "Boot";
    return volume->system ? "System" : "";
}

/* --- Disk groups ---------------------------------------------------------------------------- */

static const char *change_text(struct context *context, const struct dynamic_group *group)
{
    if (group->database_count == 0)
        return "not known";
    if (group->clean)
        return arena_printf(context->arena, "%llu, clean", (unsigned long long)group->transaction);
    return arena_printf(context->arena, "%llu, a change was cut off (latest begun: %llu)",
                        (unsigned long long)group->transaction, (unsigned long long)group->pending);
}

static const char *agreement_word(const struct dynamic_group *group)
{
    if (group->database_count == 0)
        return "none";
    if (group->split)
        return "split";
    if (group->may_be_split)
        return "perhaps split";
    if (group->database_count == 1)
        return "single";
    return group->agreed ? "same" : "different";
}

static const char *agreement_text(const struct dynamic_group *group)
{
    if (group->database_count == 0)
        return "no disk has one that can be used";
    if (group->split)
        return "disks hold different ones of the same transaction; none can be believed";
    if (group->may_be_split)
        return "the latest one does not know that another disk is behind: perhaps both disks ran "
               "without each other";
    if (group->database_count == 1)
        return "only one could be read, there is none to compare it with";
    if (group->differs_unused)
        return "different in unused places";
    return group->agreed ? "the same on all disks" : "not the same on all disks";
}

static const char *log_text(enum volume_log log)
{
    static const char *const texts[] = {
        [VOLUME_LOG_UNKNOWN] = "unknown",
        [VOLUME_LOG_EMPTY] = "empty",
        [VOLUME_LOG_DIRTY] = "dirty",
        [VOLUME_LOG_DAMAGED] = "damaged",
    };

    return texts[log];
}

static void show_group(struct context *context, const struct dynamic_group *group)
{
    say(context, "Disk group:       %s%s\n", group->name, group->foreign ? " (foreign)" : "");
    say(context, "Group GUID:       %s\n", guid_text(context, &group->guid));
    say(context, "Transaction:      %s\n", change_text(context, group));
    say(context, "Databases:        %s\n", agreement_text(group));
    if (group->log_dirty)
        say(context, "Log:              notes a detached or dirty plex: plexes may differ\n");
    if (group->known)
        say(context, "Disks:            %zu, of which %zu missing\n", group->disk_count,
            group->missing_disks);
    say(context, "\n");
}

static void sfo_group(struct context *context, const struct dynamic_group *group)
{
    sfo_row(context, "GroupInfo");
    sfo_text(context, group->name);
    sfo_guid(context, &group->guid);
    sfo_number(context, group->transaction);
    sfo_number(context, group->pending);
    sfo_text(context, group->clean ? "clean" : "unfinished");
    sfo_text(context, agreement_word(group));
    sfo_text(context, group->log_dirty ? "dirty" : "clean");
    sfo_number(context, group->disk_count);
    sfo_number(context, group->missing_disks);
    sfo_text(context, group->foreign ? "foreign" : "");
    sfo_end(context);
}

/* --- Disks ---------------------------------------------------------------------------------- */

static const char *disk_status_text(const struct context *context, const struct dynamic_disk *disk)
{
    if (disk->status == DYNAMIC_DISK_ONLINE && context->machine.volumes.groups[disk->group].foreign)
        return "Foreign";
    return dynamic_disk_status_text(disk->status);
}

static void show_dynamic_disk(struct context *context, const struct dynamic_disk *disk,
                              size_t *io_missing)
{
    const struct machine *machine = &context->machine;
    const char *number = NULL;
    char size[SIZE_TEXT_SIZE] = "";

    if (disk->disk == VOLUME_NONE) {
        number = arena_printf(context->arena, "Disk M%zu", (*io_missing)++);
    } else {
        const struct disk *here = &machine->disks[disk->disk];
        number = arena_printf(context->arena, "Disk %zu", disk->disk);
        format_size(here->block_count * here->block_size, size);
    }
    say(context, "  %-9s %-13s %-8s %-9s %s\n", number, disk->name, disk_status_text(context, disk),
        size, guid_text(context, &disk->guid));
    if (disk->status == DYNAMIC_DISK_ERRORS)
        say(context, "            %s\n", disk->reason);
}

/* A disk that no record of a database stands for. */
static bool is_stranger(const struct volume_disk_note *note)
{
    return note->is_clone || (!note->is_member && note->state != VOLUME_DISK_OK);
}

/* diskpart calls a disk foreign that another machine's group, or no group, counts as its own. */
static const char *stranger_status_text(const struct volume_map *map,
                                        const struct volume_disk_note *note)
{
    bool foreign = note->group != VOLUME_NONE && map->groups[note->group].known &&
                   note->state == VOLUME_DISK_CONFLICT && !note->is_clone;

    return foreign ? "Foreign" : dynamic_disk_status_text(DYNAMIC_DISK_ERRORS);
}

static void show_disks(struct context *context)
{
    const struct volume_map *map = &context->machine.volumes;
    size_t missing = 0;

    say(context, "  Disk ###  Name          Status   Size      GUID\n"
                 "  --------  ------------  -------  --------  ----\n");
    for (size_t i = 0; i < map->dynamic_disk_count; i++)
        show_dynamic_disk(context, &map->dynamic_disks[i], &missing);
    for (size_t i = 0; i < map->disk_count; i++) {
        const struct volume_disk_note *note = &map->disks[i];
        if (!is_stranger(note))
            continue;
        say(context, "  Disk %-4zu %-13s %-8s\n            database %s: %s\n", note->disk, "",
            stranger_status_text(map, note), volume_disk_state_text(note->state), note->reason);
    }
    say(context, "\n");
    for (size_t i = 0; i < map->disk_count; i++)
        if (map->disks[i].copy_damaged)
            say(context, "Disk %zu: a copy of its PRIVHEAD or TOCBLOCK is damaged.\n",
                map->disks[i].disk);
}

/* The columns that come from the disk itself; `note` is NULL for a missing one. */
static void sfo_note(struct context *context, const struct volume_disk_note *note)
{
    sfo_text(context, note != NULL ? volume_disk_state_text(note->state) : "");
    if (note != NULL)
        sfo_number(context, note->transaction);
    else
        sfo_text(context, "");
    sfo_text(context, note != NULL ? log_text(note->log) : "");
}

static void sfo_dynamic_disk(struct context *context, const struct dynamic_disk *disk)
{
    const struct volume_map *map = &context->machine.volumes;

    sfo_row(context, "DynamicDiskInfo");
    sfo_guid(context, &map->groups[disk->group].guid);
    sfo_text(context, disk->name);
    sfo_guid(context, &disk->guid);
    if (disk->disk != VOLUME_NONE)
        sfo_number(context, disk->disk);
    else
        sfo_text(context, "");
    sfo_text(context, disk_status_text(context, disk));
    sfo_text(context, disk->reason);
    sfo_text(context, arena_printf(context->arena, "0x%08x", disk->flags));
    sfo_note(context, disk->disk == VOLUME_NONE ? NULL : volume_map_note(map, disk->disk));
    sfo_end(context);
}

static void sfo_stranger(struct context *context, const struct volume_disk_note *note)
{
    const struct volume_map *map = &context->machine.volumes;

    sfo_row(context, "DynamicDiskInfo");
    if (note->group != VOLUME_NONE)
        sfo_guid(context, &map->groups[note->group].guid);
    else
        sfo_text(context, "");
    sfo_text(context, "");
    sfo_guid(context, &note->guid);
    sfo_number(context, note->disk);
    sfo_text(context, stranger_status_text(map, note));
    sfo_text(context, note->reason);
    sfo_text(context, "");
    sfo_note(context, note);
    sfo_end(context);
}

/* --- Volumes -------------------------------------------------------------------------------- */

static void show_table(struct context *context)
{
    const struct volume_map *map = &context->machine.volumes;

    say(context, "  Volume ###  Ltr  Name             Fs     Type     Size      Status     Info\n"
                 "  ----------  ---  ---------------  -----  -------  --------  ---------  ----\n");
    for (size_t i = 0; i < map->volume_count; i++) {
        const struct dynamic_volume *volume = &map->volumes[i];
        const char *info = info_text(volume);
        char size[SIZE_TEXT_SIZE];
        say(context, "  Volume %-5zu%-4.1s %-16s %-6s %-8s %-9s %-9s%s%s\n", i, volume->drive_hint,
            volume->name, file_system_text(context, volume), dynamic_type_text(volume->type),
            format_size(volume->size * SECTOR_BYTES, size), dynamic_status_text(volume->status),
            info[0] != '\0' ? "  " : "", info);
    }
    say(context, "\n");
}

/* "Disk 1 Partition 4 {guid}" for an extent that is here. */
static const char *place_text(struct context *context, const struct dynamic_extent *extent)
{
    const struct machine *machine = &context->machine;
    size_t index = machine_partition_at(machine, extent->disk, extent->lba, extent->blocks);

    if (index == NO_INDEX)
        return arena_printf(context->arena, "Disk %zu, in no partition", extent->disk);
    const struct partition *partition = &machine->partitions[index];
    return arena_printf(context->arena, "Disk %zu Partition %u%s%s", extent->disk,
                        partition->number, guid_is_zero(&partition->unique) ? "" : " ",
                        guid_is_zero(&partition->unique) ? ""
                                                         : guid_text(context, &partition->unique));
}

static void show_extent(struct context *context, const struct dynamic_extent *extent)
{
    if (extent->disk == VOLUME_NONE)
        say(context, "    %s: on \"%s\" %s\n", extent->name, extent->disk_name,
            guid_text(context, &extent->disk_guid));
    else
        say(context, "    %s: on \"%s\", %s\n        LBA %llu to %llu\n", extent->name,
            extent->disk_name, place_text(context, extent), (unsigned long long)extent->lba,
            (unsigned long long)(extent->lba + extent->blocks - 1));
    say(context, "        %s, %s%s\n", size_text(context, extent->size * SECTOR_BYTES),
        plex_state_text(extent->state), because(context, extent->reason));
}

/* How many of its pieces are here. */
static size_t count_here(const struct volume_map *map, const struct dynamic_plex *plex)
{
    size_t count = 0;

    for (size_t i = 0; i < plex->extent_count; i++)
        count += map->extents[plex->first_extent + i].disk != VOLUME_NONE;
    return count;
}

static const char *presence_word(const struct volume_map *map, const struct dynamic_plex *plex)
{
    if (plex->complete)
        return "complete";
    return count_here(map, plex) > 0 ? "partly" : "nothing";
}

static void show_plex(struct context *context, const struct dynamic_plex *plex)
{
    const struct volume_map *map = &context->machine.volumes;

    say(context, "  Plex %s: %s", plex->name, dynamic_layout_text(plex->layout));
    if (plex->columns > 0)
        say(context, ", %llu columns, stripes of %llu bytes", (unsigned long long)plex->columns,
            (unsigned long long)(plex->stripe_size * SECTOR_BYTES));
    if (!plex->complete)
        say(context, ", %zu of %zu pieces here", count_here(map, plex), plex->extent_count);
    say(context, ", %s%s\n", plex_state_text(plex->state), because(context, plex->reason));
    if (!plex->place_certain)
        say(context, "    The change that was cut off may have moved it.\n");
    for (size_t i = 0; i < plex->extent_count; i++)
        show_extent(context, &map->extents[plex->first_extent + i]);
}

static const char *nt_name(struct context *context, const struct dynamic_volume *volume)
{
    return arena_printf(context->arena,
                        "\\Device\\HarddiskDmVolumes\\PhysicalDmVolumes\\BlockVolume%u",
                        volume->number);
}

static void show_volume(struct context *context, size_t index)
{
    const struct volume_map *map = &context->machine.volumes;
    const struct dynamic_volume *volume = &map->volumes[index];
    const char *info = info_text(volume);

    say(context, "Volume %zu: %s\n", index, volume->name);
    say(context, "Type:             %s\n", dynamic_type_text(volume->type));
    say(context, "Size:             %s\n", size_text(context, volume->size * SECTOR_BYTES));
    say(context, "Drive letter:     %s\n",
        volume->drive_hint[0] != '\0' ? volume->drive_hint : "none kept in the database");
    say(context, "Status:           %s\n", dynamic_status_text(volume->status));
    say(context, "In the database:  state %s, flags 0x%08x%s%s\n", volume->state, volume->flags,
        info[0] != '\0' ? ", " : "", info);
    say(context, "Volume GUID:      %s\n", guid_text(context, &volume->guid));
    say(context, "Disk group:       %s\n", map->groups[volume->group].name);
    say(context, "NT name:          %s\n", nt_name(context, volume));
    for (size_t i = 0; i < volume->plex_count; i++)
        show_plex(context, &map->plexes[volume->first_plex + i]);
    say(context, "\n");
}

static void sfo_extent(struct context *context, size_t volume, const struct dynamic_extent *extent)
{
    const struct machine *machine = &context->machine;
    bool here = extent->disk != VOLUME_NONE;
    size_t index =
        here ? machine_partition_at(machine, extent->disk, extent->lba, extent->blocks) : NO_INDEX;
    const struct partition *partition = index == NO_INDEX ? NULL : &machine->partitions[index];

    sfo_row(context, "ExtentInfo");
    sfo_number(context, volume);
    sfo_text(context, machine->volumes.plexes[extent->plex].name);
    sfo_text(context, extent->name);
    sfo_text(context, extent->disk_name);
    sfo_text(context, here ? arena_printf(context->arena, "%zu", extent->disk) : "");
    sfo_text(context,
             partition != NULL ? arena_printf(context->arena, "%u", partition->number) : "");
    if (partition != NULL)
        sfo_guid(context, &partition->unique);
    else
        sfo_text(context, "");
    sfo_number(context, extent->lba);
    sfo_number(context, extent->blocks);
    sfo_number(context, extent->size * SECTOR_BYTES);
    sfo_number(context, extent->offset * SECTOR_BYTES);
    sfo_number(context, extent->column);
    sfo_text(context, plex_state_text(extent->state));
    sfo_text(context, extent->reason);
    sfo_end(context);
}

static void sfo_plex(struct context *context, size_t volume, const struct dynamic_plex *plex)
{
    sfo_row(context, "PlexInfo");
    sfo_number(context, volume);
    sfo_text(context, plex->name);
    sfo_text(context, dynamic_layout_text(plex->layout));
    sfo_number(context, plex->columns);
    sfo_number(context, plex->stripe_size * SECTOR_BYTES);
    sfo_text(context, presence_word(&context->machine.volumes, plex));
    sfo_text(context, plex_state_text(plex->state));
    sfo_text(context, plex->reason);
    sfo_text(context, plex->state_text);
    sfo_text(context, arena_printf(context->arena, "0x%08x", plex->flags));
    sfo_end(context);
    for (size_t i = 0; i < plex->extent_count; i++)
        sfo_extent(context, volume, &context->machine.volumes.extents[plex->first_extent + i]);
}

static void sfo_volume(struct context *context, size_t index)
{
    const struct volume_map *map = &context->machine.volumes;
    const struct dynamic_volume *volume = &map->volumes[index];

    sfo_row(context, "VolumeInfo");
    sfo_number(context, index);
    sfo_text(context, volume->name);
    sfo_guid(context, &volume->guid);
    sfo_guid(context, &map->groups[volume->group].guid);
    sfo_text(context, dynamic_type_text(volume->type));
    sfo_number(context, volume->size * SECTOR_BYTES);
    sfo_text(context, volume->drive_hint);
    sfo_text(context, file_system_text(context, volume));
    sfo_text(context, dynamic_status_text(volume->status));
    sfo_text(context, info_text(volume));
    sfo_text(context, volume->state);
    sfo_text(context, arena_printf(context->arena, "0x%08x", volume->flags));
    sfo_text(context, nt_name(context, volume));
    sfo_end(context);
    for (size_t i = 0; i < volume->plex_count; i++)
        sfo_plex(context, index, &map->plexes[volume->first_plex + i]);
}

/* --- The command ---------------------------------------------------------------------------- */

static void print_volume(struct context *context, size_t index)
{
    size_t mark = arena_mark(context->arena);

    if (context->sfo)
        sfo_volume(context, index);
    else
        show_volume(context, index);
    arena_release(context->arena, mark);
}

static void print_summary(struct context *context)
{
    const struct volume_map *map = &context->machine.volumes;
    size_t mark = arena_mark(context->arena);

    if (!context->sfo) {
        for (size_t i = 0; i < map->group_count; i++)
            show_group(context, &map->groups[i]);
        show_disks(context);
        if (map->volume_count > 0)
            show_table(context);
    } else {
        for (size_t i = 0; i < map->group_count; i++)
            sfo_group(context, &map->groups[i]);
        for (size_t i = 0; i < map->dynamic_disk_count; i++)
            sfo_dynamic_disk(context, &map->dynamic_disks[i]);
        for (size_t i = 0; i < map->disk_count; i++)
            if (is_stranger(&map->disks[i]))
                sfo_stranger(context, &map->disks[i]);
    }
    arena_release(context->arena, mark);
}

/* The volume number among the words; VOLUME_NONE for all. */
static enum status wanted_volume(struct context *context, size_t *ret_volume)
{
    size_t count = context->machine.volumes.volume_count;
    uint64_t number = 0;

    *ret_volume = VOLUME_NONE;
    if (context->word_count == 0)
        return ST_OK;
    if (text_parse_number(context->words[0], 10, &number) != ST_OK)
        return report(context, ST_USAGE, "A volume is named by its number: shadowboot volumes 0");
    if (number >= count)
        return report(context, ST_ABSENT,
                      "There is no Volume %llu. %zu are known: \"shadowboot volumes\" lists them.",
                      (unsigned long long)number, count);
    *ret_volume = (size_t)number;
    return ST_OK;
}

/* ST_DAMAGED when a volume is not healthy or a database is not in order. */
static enum status volumes_status(const struct volume_map *map)
{
    for (size_t i = 0; i < map->disk_count; i++)
        if (map->disks[i].state != VOLUME_DISK_OK)
            return ST_DAMAGED;
    for (size_t i = 0; i < map->group_count; i++)
        if (!map->groups[i].known || !map->groups[i].clean || map->groups[i].log_dirty)
            return ST_DAMAGED;
    for (size_t i = 0; i < map->volume_count; i++)
        if (map->volumes[i].status != DYNAMIC_HEALTHY)
            return ST_DAMAGED;
    return ST_OK;
}

enum status cmd_volumes(struct context *context)
{
    const struct volume_map *map = &context->machine.volumes;
    size_t volume = VOLUME_NONE;

    enum status status = context_scan(context, SCAN_QUICK);
    if (status == ST_OK)
        status = wanted_volume(context, &volume);
    if (status != ST_OK)
        return status;
    if (context->sfo)
        sfo_begin(context);
    if (volume != VOLUME_NONE) {
        print_volume(context, volume);
        return map->volumes[volume].status == DYNAMIC_HEALTHY ? ST_OK : ST_DAMAGED;
    }
    if (map->disk_count == 0) {
        if (!context->sfo)
            say(context, "This machine has no dynamic disks.\n");
        return ST_OK;
    }
    print_summary(context);
    for (size_t i = 0; i < map->volume_count; i++)
        print_volume(context, i);
    return volumes_status(map);
}
