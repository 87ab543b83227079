#include "volume_rows.h"

#include "volume_words.h"

static void put_group(struct rows *to, const struct dynamic_group *group)
{
    row_open(to, ROW_GROUP);
    row_text(to, group->name);
    row_guid(to, &group->guid);
    row_number(to, group->transaction);
    row_number(to, group->pending);
    row_text(to, group->clean ? "clean" : "unfinished");
    row_text(to, group_agreement(group));
    row_text(to, group->log_dirty ? "dirty" : "clean");
    row_number(to, group->disk_count);
    row_number(to, group->missing_disks);
    row_text(to, group->foreign ? "foreign" : "");
    row_close(to);
}

/* The columns that come from the disk itself; `note` is NULL for a missing one. */
static void put_note(struct rows *to, const struct volume_disk_note *note)
{
    row_text(to, note != NULL ? volume_disk_state_text(note->state) : "");
    row_number_or_none(to, note != NULL ? note->transaction : 0, note != NULL);
    row_text(to, note != NULL ? volume_log_text(note->log) : "");
}

static void put_member(struct rows *to, const struct dynamic_disk *disk)
{
    const struct volume_map *map = &to->context->machine.volumes;
    bool here = disk->disk != VOLUME_NONE;

    row_open(to, ROW_DYNAMIC_DISK);
    row_guid(to, &map->groups[disk->group].guid);
    row_text(to, disk->name);
    row_guid(to, &disk->guid);
    row_number_or_none(to, disk->disk, here);
    row_text(to, member_disk_status(to->context, disk));
    row_text(to, disk->reason);
    row_hex(to, disk->flags, 8);
    put_note(to, here ? volume_map_note(map, disk->disk) : NULL);
    row_close(to);
}

static void put_stranger(struct rows *to, const struct volume_disk_note *note)
{
    const struct volume_map *map = &to->context->machine.volumes;

    row_open(to, ROW_DYNAMIC_DISK);
    if (note->group != VOLUME_NONE)
        row_guid(to, &map->groups[note->group].guid);
    else
        row_nothing(to);
    row_nothing(to);
    row_guid(to, &note->guid);
    row_number(to, note->disk);
    row_text(to, strange_disk_status(map, note));
    row_text(to, note->reason);
    row_nothing(to);
    put_note(to, note);
    row_close(to);
}

void rows_groups(struct rows *to)
{
    const struct volume_map *map = &to->context->machine.volumes;

    for (size_t i = 0; i < map->group_count; i++)
        put_group(to, &map->groups[i]);
    for (size_t i = 0; i < map->dynamic_disk_count; i++)
        put_member(to, &map->dynamic_disks[i]);
    for (size_t i = 0; i < map->disk_count; i++) {
        if (is_strange_disk(&map->disks[i]))
            put_stranger(to, &map->disks[i]);
    }
}

static void put_extent(struct rows *to, size_t volume, const struct dynamic_extent *extent)
{
    const struct machine *machine = &to->context->machine;
    bool here = extent->disk != VOLUME_NONE;
    size_t index =
        here ? machine_partition_at(machine, extent->disk, extent->lba, extent->blocks) : NO_INDEX;
    const struct partition *partition = index == NO_INDEX ? NULL : &machine->partitions[index];

    row_open(to, ROW_EXTENT);
    row_number(to, volume);
    row_text(to, machine->volumes.plexes[extent->plex].name);
    row_text(to, extent->name);
    row_text(to, extent->disk_name);
    row_number_or_none(to, extent->disk, here);
    row_number_or_none(to, partition == NULL ? 0 : partition->number, partition != NULL);
    if (partition != NULL)
        row_guid(to, &partition->unique);
    else
        row_nothing(to);
    row_number(to, extent->lba);
    row_number(to, extent->blocks);
    row_number(to, extent->size * SECTOR_BYTES);
    row_number(to, extent->offset * SECTOR_BYTES);
    row_number(to, extent->column);
    row_text(to, plex_state_text(extent->state));
    row_text(to, extent->reason);
    row_close(to);
}

static void put_plex(struct rows *to, size_t volume, const struct dynamic_plex *plex)
{
    const struct volume_map *map = &to->context->machine.volumes;

    row_open(to, ROW_PLEX);
    row_number(to, volume);
    row_text(to, plex->name);
    row_text(to, dynamic_layout_text(plex->layout));
    row_number(to, plex->columns);
    row_number(to, plex->stripe_size * SECTOR_BYTES);
    row_text(to, plex_presence(map, plex));
    row_text(to, plex_state_text(plex->state));
    row_text(to, plex->reason);
    row_text(to, plex->state_text);
    row_hex(to, plex->flags, 8);
    row_close(to);
    for (size_t i = 0; i < plex->extent_count; i++)
        put_extent(to, volume, &map->extents[plex->first_extent + i]);
}

void rows_plexes(struct rows *to, size_t index)
{
    const struct volume_map *map = &to->context->machine.volumes;
    const struct dynamic_volume *volume = &map->volumes[index];

    for (size_t i = 0; i < volume->plex_count; i++)
        put_plex(to, index, &map->plexes[volume->first_plex + i]);
}

void rows_volume(struct rows *to, size_t index)
{
    struct context *context = to->context;
    const struct volume_map *map = &context->machine.volumes;
    const struct dynamic_volume *volume = &map->volumes[index];
    size_t mark = arena_mark(context->arena);

    row_open(to, ROW_VOLUME);
    row_number(to, index);
    row_text(to, volume->name);
    row_guid(to, &volume->guid);
    row_guid(to, &map->groups[volume->group].guid);
    row_text(to, dynamic_type_text(volume->type));
    row_number(to, volume->size * SECTOR_BYTES);
    row_text(to, volume->drive_hint);
    row_number(to, volume->size);
    row_text(to, volume_file_system(context, volume));
    row_text(to, dynamic_status_text(volume->status));
    row_text(to, volume_info(volume));
    row_text(to, volume->state);
    row_hex(to, volume->flags, 8);
    row_text(to, volume_nt_name(context, volume));
    row_close(to);
    arena_release(context->arena, mark);
}
