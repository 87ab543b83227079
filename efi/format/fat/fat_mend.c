#include "format/fat/fat_mend.h"

#include "format/fat/fat_boot.h"
#include "format/fat/fat_edit.h"
#include "format/fat/fat_table.h"

bool fat_mend_is_possible(const struct fat_volume *volume, const struct fat_report *report)
{
    return volume->from_backup && !volume->is_narrow && fat_edit_is_possible(report) &&
           report->problems[FAT_COPIES_DIFFER] == 0 && report->problems[FAT_MEDIA_ENTRY] == 0 &&
           report->problems[FAT_FORM_UNUSUAL] == 0 && report->file_count > 0;
}

/* True when the sector is the backup that the volume is known from. */
static bool is_backup_of(struct span sector, const struct fat_volume *volume)
{
    struct fat_volume found = *volume;

    return fat_boot_parse(sector, &found) == ST_OK && found.type == volume->type &&
           found.sectors == volume->sectors && found.data_offset == volume->data_offset &&
           found.cluster_size == volume->cluster_size && found.serial == volume->serial &&
           found.backup_sector == volume->backup_sector && found.has_signature;
}

enum status fat_mend(struct arena *arena, struct fat_volume *volume, struct disk_edit *ret_edit)
{
    uint32_t size = volume->sector_size;
    struct disk_edit_builder builder;

    if (!volume->from_backup || volume->is_narrow)
        return ST_REFUSED;
    uint8_t *sector = arena_alloc(arena, 1, size);
    if (sector == NULL)
        return ST_NO_MEMORY;
    enum status status = fat_read(volume, (uint64_t)volume->backup_sector * size, size, sector);
    if (status != ST_OK)
        return status;
    if (!is_backup_of(span_of(sector, size), volume))
        return ST_CHANGED;
    disk_edit_start(&builder, arena, volume->port->block_size);
    disk_edit_write(&builder, 0, volume->first_lba, span_of(sector, size), false);
    return disk_edit_finish(&builder, 1, ret_edit);
}
