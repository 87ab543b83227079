#include "volume_words.h"

/* What the file system on the volume is called; "" where nobody looked. */
const char *volume_file_system(struct context *context, const struct dynamic_volume *volume)
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

/* What diskpart writes in its column Info. */
const char *volume_info(const struct dynamic_volume *volume)
{
    if (volume->boot)
        return volume->system ? "Boot System" : "Boot";
    return volume->system ? "System" : "";
}

const char *group_agreement(const struct dynamic_group *group)
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

const char *volume_log_text(enum volume_log log)
{
    static const char *const texts[] = {
        [VOLUME_LOG_UNKNOWN] = "unknown",
        [VOLUME_LOG_EMPTY] = "empty",
        [VOLUME_LOG_DIRTY] = "dirty",
        [VOLUME_LOG_DAMAGED] = "damaged",
    };

    return texts[log];
}

const char *member_disk_status(const struct context *context, const struct dynamic_disk *disk)
{
    if (disk->status == DYNAMIC_DISK_ONLINE && context->machine.volumes.groups[disk->group].foreign)
        return "Foreign";
    return dynamic_disk_status_text(disk->status);
}

/* A disk that no record of a database stands for. */
bool is_strange_disk(const struct volume_disk_note *note)
{
    return note->is_clone || (!note->is_member && note->state != VOLUME_DISK_OK);
}

/* diskpart calls a disk foreign that another machine's group, or no group, counts as its own. */
const char *strange_disk_status(const struct volume_map *map, const struct volume_disk_note *note)
{
    bool foreign = note->group != VOLUME_NONE && map->groups[note->group].known &&
                   note->state == VOLUME_DISK_CONFLICT && !note->is_clone;

    return foreign ? "Foreign" : dynamic_disk_status_text(DYNAMIC_DISK_ERRORS);
}

/* How many of its pieces are here. */
size_t plex_pieces_here(const struct volume_map *map, const struct dynamic_plex *plex)
{
    size_t count = 0;

    for (size_t i = 0; i < plex->extent_count; i++)
        count += map->extents[plex->first_extent + i].disk != VOLUME_NONE;
    return count;
}

const char *plex_presence(const struct volume_map *map, const struct dynamic_plex *plex)
{
    if (plex->complete)
        return "complete";
    return plex_pieces_here(map, plex) > 0 ? "partly" : "nothing";
}

const char *volume_nt_name(struct context *context, const struct dynamic_volume *volume)
{
    return arena_printf(context->arena,
                        "\\Device\\HarddiskDmVolumes\\PhysicalDmVolumes\\BlockVolume%u",
                        volume->number);
}
