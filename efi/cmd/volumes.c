#include "base/text.h"
#include "cmd/command.h"
#include "show_volumes.h"
#include "volume_rows.h"

static void print_volume(struct context *context, size_t index)
{
    struct rows rows = rows_of_tables(context);
    size_t mark = arena_mark(context->arena);

    if (context->sfo) {
        rows_volume(&rows, index);
        rows_plexes(&rows, index);
    } else {
        show_volume(context, index);
    }
    arena_release(context->arena, mark);
}

static void print_summary(struct context *context)
{
    struct rows rows = rows_of_tables(context);
    size_t mark = arena_mark(context->arena);

    if (context->sfo)
        rows_groups(&rows);
    else
        show_volumes(context);
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

enum status cmd_volumes(struct context *context)
{
    const struct volume_map *map = &context->machine.volumes;
    size_t volume = VOLUME_NONE;

    enum status status = context_scan(context, SCAN_LISTED);
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
    return volume_map_is_sound(map) ? ST_OK : ST_DAMAGED;
}
