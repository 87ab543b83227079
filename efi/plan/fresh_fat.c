#include "plan/fresh_fat.h"

#include "format/fat/fat_geometry.h"
#include "format/fat/fat_layout.h"

/* The files as fat_layout takes them; NULL when the arena is full. */
static struct fat_entry_request *list_entries(struct arena *arena, const struct files_change *files)
{
    struct fat_entry_request *entries = arena_alloc(arena, files->count, sizeof(*entries));

    for (size_t i = 0; entries != NULL && i < files->count; i++) {
        const struct file_copy *item = &files->items[i];
        entries[i] = (struct fat_entry_request){
            .path = item->path,
            .is_directory = item->is_directory,
            .attributes = item->attributes,
            .written = item->written,
            .size = item->size,
            .source = i,
        };
    }
    return entries;
}

/* The usual type for the size; the other one when it does not come out at this very place. */
static bool choose_geometry(const struct fresh_fat *fresh, struct fat_geometry *ret_geometry)
{
    uint32_t cluster_bytes = 0;
    enum fat_type type =
        fat_type_for(fresh->block_count * fresh->block_size, fresh->block_size, &cluster_bytes);

    return fat_geometry_make(type, fresh->first_lba, fresh->block_count, fresh->block_size,
                             ret_geometry) ||
           fat_geometry_make(FAT_16, fresh->first_lba, fresh->block_count, fresh->block_size,
                             ret_geometry);
}

enum status fresh_fat_fits(struct arena *arena, const struct fresh_fat *fresh,
                           enum fat_type *ret_type)
{
    struct fat_geometry geometry;
    struct disk_edit edit;
    size_t mark = arena_mark(arena);

    if (fresh->block_count > UINT32_MAX)
        return ST_UNSUPPORTED;
    if (!choose_geometry(fresh, &geometry))
        return ST_NO_SPACE;
    struct fat_layout_request request = {
        .first_lba = fresh->first_lba,
        .block_count = fresh->block_count,
        .block_size = fresh->block_size,
        .type = geometry.type,
        .label = fresh->label,
        .entries = list_entries(arena, fresh->files),
        .entry_count = fresh->files->count,
    };
    enum status status =
        request.entries == NULL ? ST_NO_MEMORY : fat_layout(arena, &request, &edit);
    arena_release(arena, mark);
    if (status == ST_OK)
        *ret_type = geometry.type;
    return status;
}

enum status fresh_fat_bytes(struct arena *arena, const struct fresh_fat *fresh,
                            uint64_t *ret_needed, uint64_t *ret_available)
{
    struct fat_geometry geometry = {.cluster_sectors = 1, .sector_size = fresh->block_size};
    uint64_t needed = 0;
    size_t mark = arena_mark(arena);
    bool divided = choose_geometry(fresh, &geometry);
    uint32_t cluster_bytes = geometry.cluster_sectors * geometry.sector_size;
    struct fat_entry_request *entries = list_entries(arena, fresh->files);

    if (entries == NULL)
        return ST_NO_MEMORY;
    enum status status =
        fat_layout_bytes(arena, entries, fresh->files->count, cluster_bytes, &needed);
    arena_release(arena, mark);
    if (status != ST_OK)
        return status;
    *ret_needed = needed;
    *ret_available = divided ? (uint64_t)geometry.cluster_count * cluster_bytes : 0;
    return ST_OK;
}
