#include "format/ntfs/ntfs.h"

#include "base/mem.h"
#include "base/text.h"
#include "format/ntfs/ntfs_boot.h"
#include "ntfs_disk.h"
#include "ntfs_stream.h"
#include "ntfs_upcase.h"

#define MFT_RECORD    0u
#define VOLUME_RECORD 3u
#define INFO_BYTES    12u /* of $VOLUME_INFORMATION */
#define INFO_DIRTY    1u

/* --- Boot sectors ----------------------------------------------------------------------------- */

/* What one of the two boot sectors says. */
struct boot {
    enum status status;
    struct ntfs_geometry geometry; /* with ST_OK */
};

static struct boot read_boot(struct ntfs_volume *volume, uint64_t offset)
{
    uint8_t sector[NTFS_BOOT_BYTES];
    struct boot boot = {.status = ST_ABSENT};

    if (offset + sizeof sector > ntfs_disk_bytes(volume))
        return boot;
    boot.status = ntfs_disk_read(volume, offset, sector, sizeof sector);
    if (boot.status != ST_OK)
        return boot;
    boot.status = ntfs_boot_parse(span_of(sector, sizeof sector), &boot.geometry);
    if (boot.status != ST_OK)
        return boot;
    if (boot.geometry.bytes > ntfs_disk_bytes(volume))
        boot.status = ST_DAMAGED;
    else if (boot.geometry.sector_size < volume->port->block_size)
        boot.status = ST_UNSUPPORTED;
    return boot;
}

/* The backup by itself: in the last sector, whatever size sectors have, where it counts those
 * before it. */
static struct boot find_backup(struct ntfs_volume *volume)
{
    uint64_t bytes = ntfs_disk_bytes(volume);
    struct boot best = {.status = ST_ABSENT};

    for (uint32_t size = NTFS_BOOT_BYTES; size <= NTFS_SECTOR_MAX_BYTES; size *= 2) {
        if (size < volume->port->block_size || bytes / size < 2)
            continue;
        uint64_t offset = (bytes / size - 1) * size;
        struct boot boot = read_boot(volume, offset);
        if (boot.status == ST_OK && boot.geometry.bytes == offset)
            return boot;
        if (boot.status != ST_OK && boot.status != ST_ABSENT)
            best.status = boot.status;
    }
    return best;
}

static struct boot read_backup(struct ntfs_volume *volume, const struct boot *boot)
{
    if (boot->status != ST_OK)
        return find_backup(volume);
    return read_boot(volume, boot->geometry.bytes);
}

static enum ntfs_boot_state stream_state(enum status status)
{
    switch (status) {
    case ST_OK:
        return NTFS_BOOT_GOOD;
    case ST_ABSENT:
    case ST_DAMAGED:
    case ST_UNSUPPORTED:
        return NTFS_BOOT_DAMAGED;
    default:
        return NTFS_BOOT_UNREADABLE;
    }
}

/* Without a good one: what can be said for sure comes first. */
static enum status worst_of(enum status boot, enum status backup)
{
    static const enum status order[] = {ST_UNSUPPORTED, ST_DAMAGED};

    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        if (boot == order[i] || backup == order[i])
            return order[i];
    return boot != ST_ABSENT ? boot : backup;
}

static void take_geometry(struct ntfs_volume *volume, const struct ntfs_geometry *geometry)
{
    volume->sector_size = geometry->sector_size;
    volume->cluster_size = geometry->cluster_size;
    volume->record_size = geometry->record_size;
    volume->index_size = geometry->index_size;
    volume->sectors = geometry->sectors;
    volume->clusters = geometry->clusters;
    volume->serial = geometry->serial;
    volume->mft_cluster = geometry->mft_cluster;
    volume->mirror_cluster = geometry->mirror_cluster;
}

static enum status read_boots(struct ntfs_volume *volume)
{
    struct boot boot = read_boot(volume, 0);
    struct boot backup = read_backup(volume, &boot);

    volume->boot = stream_state(boot.status);
    volume->backup = stream_state(backup.status);
    if (boot.status != ST_OK && backup.status != ST_OK)
        return worst_of(boot.status, backup.status);
    if (boot.status == ST_OK && backup.status == ST_OK &&
        !ntfs_geometry_equal(&boot.geometry, &backup.geometry))
        volume->backup = NTFS_BOOT_DIFFERS;
    take_geometry(volume, boot.status == ST_OK ? &boot.geometry : &backup.geometry);
    return ST_OK;
}

/* --- $MFT and $Volume ------------------------------------------------------------------------- */

/* Enough of $MFT to read its own record: where the boot sector says that it begins. */
static void begin_mft(const struct ntfs_volume *volume, struct ntfs_run *run,
                      struct ntfs_stream *stream)
{
    uint64_t clusters = (volume->record_size - 1) / volume->cluster_size + 1;

    *run = (struct ntfs_run){.clusters = clusters, .lcn = volume->mft_cluster};
    *stream = (struct ntfs_stream){
        .size = volume->record_size,
        .initialised = volume->record_size,
        .clusters = clusters,
        .runs = run,
    };
}

/* The records that tell where the later parts of $MFT lie are in the parts before them. */
static enum status open_mft(struct ntfs_volume *volume)
{
    static const struct ntfs_key data = {.type = NTFS_DATA};
    struct ntfs_run first_run;
    struct ntfs_stream first;
    struct ntfs_record record;

    begin_mft(volume, &first_run, &first);
    volume->mft = &first;
    enum status status = ntfs_file_load(volume, MFT_RECORD, &record);
    volume->mft = arena_alloc(volume->arena, 1, sizeof *volume->mft);
    if (volume->mft == NULL)
        return ST_NO_MEMORY;
    if (status != ST_OK)
        return status;
    status = ntfs_stream_open(volume, &record, &data, volume->mft);
    if (status == ST_OK && volume->mft->resident)
        return ST_DAMAGED;
    return status == ST_ABSENT ? ST_DAMAGED : status;
}

static enum status read_label(struct ntfs_volume *volume, const struct ntfs_record *record,
                              const char **ret_label)
{
    static const struct ntfs_key key = {.type = NTFS_VOLUME_NAME};
    struct ntfs_attribute name;
    enum status status = ntfs_attribute_head(volume, record, &key, &name);

    *ret_label = "";
    if (status == ST_ABSENT)
        return ST_OK;
    if (status != ST_OK)
        return status;
    if (!name.resident)
        return ST_DAMAGED;
    *ret_label = text_shown_from_ucs2(volume->arena, name.value);
    return *ret_label == NULL ? ST_NO_MEMORY : ST_OK;
}

static enum status read_facts(struct ntfs_volume *volume)
{
    static const struct ntfs_key key = {.type = NTFS_VOLUME_INFORMATION};
    const char *label = NULL;
    struct ntfs_attribute info;
    struct ntfs_record record;
    enum status status = ntfs_file_load(volume, VOLUME_RECORD, &record);

    if (status == ST_OK)
        status = read_label(volume, &record, &label);
    if (status == ST_OK)
        status = ntfs_attribute_head(volume, &record, &key, &info);
    if (status != ST_OK)
        return status == ST_ABSENT ? ST_DAMAGED : status;
    if (!info.resident || info.value.size < INFO_BYTES)
        return ST_DAMAGED;
    volume->version_major = info.value.at[8];
    volume->version_minor = info.value.at[9];
    volume->dirty = (ld_le16(info.value.at + 10) & INFO_DIRTY) != 0;
    volume->label = label;
    return ST_OK;
}

/* --- The volume ------------------------------------------------------------------------------- */

static enum status open_volume(struct ntfs_volume *volume)
{
    enum status status = ntfs_disk_init(volume);

    if (status == ST_OK)
        status = read_boots(volume);
    if (status != ST_OK)
        return status;
    volume->base = arena_alloc(volume->arena, 1, volume->record_size);
    volume->extension = arena_alloc(volume->arena, 1, volume->record_size);
    if (volume->base == NULL || volume->extension == NULL)
        return ST_NO_MEMORY;
    status = open_mft(volume);
    if (status == ST_OK)
        status = ntfs_upcase_open(volume);
    if (status != ST_OK)
        return status;
    volume->facts_status = read_facts(volume);
    return volume->facts_status == ST_NO_MEMORY ? ST_NO_MEMORY : ST_OK;
}

enum status ntfs_open(struct arena *arena, const struct block_port *port, uint64_t first_lba,
                      uint64_t block_count, struct ntfs_volume *ret_volume)
{
    size_t mark = arena_mark(arena);
    struct ntfs_volume volume = {
        .port = port,
        .first_lba = first_lba,
        .block_count = block_count,
        .label = "",
        .arena = arena,
    };
    enum status status = open_volume(&volume);

    if (status != ST_OK) {
        arena_release(arena, mark);
        return status;
    }
    *ret_volume = volume;
    return ST_OK;
}
