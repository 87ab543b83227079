#include "show_volumes.h"

#include "base/text.h"
#include "volume_words.h"

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

/* --- Disks ---------------------------------------------------------------------------------- */

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
    say(context, "  %-9s %-13s %-8s %-9s %s\n", number, disk->name,
        member_disk_status(context, disk), size, guid_text(context, &disk->guid));
    if (disk->status == DYNAMIC_DISK_ERRORS)
        say(context, "            %s\n", disk->reason);
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
        if (!is_strange_disk(note))
            continue;
        say(context, "  Disk %-4zu %-13s %-8s\n            database %s: %s\n", note->disk, "",
            strange_disk_status(map, note), volume_disk_state_text(note->state), note->reason);
    }
    say(context, "\n");
    for (size_t i = 0; i < map->disk_count; i++)
        if (map->disks[i].copy_damaged)
            say(context, "Disk %zu: a copy of its PRIVHEAD or TOCBLOCK is damaged.\n",
                map->disks[i].disk);
}

/* --- Volumes -------------------------------------------------------------------------------- */

static void show_volume_table(struct context *context)
{
    const struct volume_map *map = &context->machine.volumes;

    say(context, "  Volume ###  Ltr  Name             Fs     Type     Size      Status     Info\n"
                 "  ----------  ---  ---------------  -----  -------  --------  ---------  ----\n");
    for (size_t i = 0; i < map->volume_count; i++) {
        const struct dynamic_volume *volume = &map->volumes[i];
        const char *info = volume_info(volume);
        char size[SIZE_TEXT_SIZE];
        say(context, "  Volume %-5zu%-4.1s %-16s %-6s %-8s %-9s %-9s%s%s\n", i, volume->drive_hint,
            volume->name, volume_file_system(context, volume), dynamic_type_text(volume->type),
            format_size(volume->size * SECTOR_BYTES, size), dynamic_status_text(volume->status),
            info[0] != '\0' ? "  " : "", info);
    }
    say(context, "\n");
}

/* "Disk 1 Partition 4 {guid}" for an extent that is here. */
static const char *extent_place_text(struct context *context, const struct dynamic_extent *extent)
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
            extent->disk_name, extent_place_text(context, extent), (unsigned long long)extent->lba,
            (unsigned long long)(extent->lba + extent->blocks - 1));
    say(context, "        %s, %s%s\n", size_text(context, extent->size * SECTOR_BYTES),
        plex_state_text(extent->state), because(context, extent->reason));
}

static void show_plex(struct context *context, const struct dynamic_plex *plex)
{
    const struct volume_map *map = &context->machine.volumes;

    say(context, "  Plex %s: %s", plex->name, dynamic_layout_text(plex->layout));
    if (plex->columns > 0)
        say(context, ", %llu columns, stripes of %llu bytes", (unsigned long long)plex->columns,
            (unsigned long long)(plex->stripe_size * SECTOR_BYTES));
    if (!plex->complete)
        say(context, ", %zu of %zu pieces here", plex_pieces_here(map, plex), plex->extent_count);
    say(context, ", %s%s\n", plex_state_text(plex->state), because(context, plex->reason));
    if (!plex->place_certain)
        say(context, "    The change that was cut off may have moved it.\n");
    for (size_t i = 0; i < plex->extent_count; i++)
        show_extent(context, &map->extents[plex->first_extent + i]);
}

void show_volume(struct context *context, size_t index)
{
    const struct volume_map *map = &context->machine.volumes;
    const struct dynamic_volume *volume = &map->volumes[index];
    const char *info = volume_info(volume);

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
    say(context, "NT name:          %s\n", volume_nt_name(context, volume));
    for (size_t i = 0; i < volume->plex_count; i++)
        show_plex(context, &map->plexes[volume->first_plex + i]);
    say(context, "\n");
}

void show_volumes(struct context *context)
{
    const struct volume_map *map = &context->machine.volumes;

    for (size_t i = 0; i < map->group_count; i++)
        show_group(context, &map->groups[i]);
    show_disks(context);
    if (map->volume_count > 0)
        show_volume_table(context);
}
