#include "model/boot_store_text.h"

#include "base/print.h"
#include "base/text.h"
#include "format/bcd/bcd_value.h"
#include "model/boot_store.h"

/* "plex of C:", "volume Volume1"; "" for a partition that no volume lies in. */
static const char *volume_text(struct arena *arena, const struct machine *machine,
                               const struct partition *partition)
{
    size_t index = 0;

    if (!volume_map_at(&machine->volumes, partition->disk, partition->first_lba,
                       partition->block_count, &index))
        return "";
    const struct dynamic_volume *volume = &machine->volumes.volumes[index];
    return arena_printf(arena, ", %s %s", volume->plex_count > 1 ? "plex of" : "volume",
                        volume->drive_hint[0] != '\0' ? volume->drive_hint : volume->name);
}

/* How much of the type's name comes before its last word, "partition". */
static int type_length(const char *name)
{
    static const char last[] = " partition";
    size_t length = text_length(name);
    size_t tail = sizeof(last) - 1;

    return (int)(length > tail && text_equal(name + length - tail, last) ? length - tail : length);
}

const char *boot_store_place_text(struct arena *arena, const struct machine *machine,
                                  size_t partition)
{
    const struct partition *own = &machine->partitions[partition];
    const char *type = partition_type_name(own->kind);
    const char *volume = volume_text(arena, machine, own);

    if (volume == NULL)
        return NULL;
    if (own->kind == PT_UNKNOWN)
        return arena_printf(arena, "Disk %zu Partition %u", own->disk, own->number);
    return arena_printf(arena, "Disk %zu Partition %u (%.*s%s)", own->disk, own->number,
                        type_length(type), type, volume);
}

static const char *gone_text(struct arena *arena, const struct bcd_partition *named)
{
    char guid[GUID_TEXT_SIZE];

    guid_format(&named->partition, guid);
    if (named->is_gpt)
        return arena_printf(arena, "partition %s, on no disk here", guid);
    return arena_printf(arena, "byte %llu of the disk with signature %08x, which is not here",
                        (unsigned long long)named->offset, named->signature);
}

static const char *partition_text(struct arena *arena, const struct machine *machine,
                                  const struct bcd_partition *named)
{
    size_t partition = boot_store_partition(machine, named, 0);
    const char *text = partition == NO_INDEX ? gone_text(arena, named)
                                             : boot_store_place_text(arena, machine, partition);

    while (partition != NO_INDEX && text != NULL) {
        partition = boot_store_partition(machine, named, partition + 1);
        if (partition != NO_INDEX)
            text = arena_printf(arena, "%s or Disk %zu Partition %u", text,
                                machine->partitions[partition].disk,
                                machine->partitions[partition].number);
    }
    return text;
}

/* "name=[where]\path". */
static const char *file_text(struct arena *arena, const struct machine *machine, const char *name,
                             const struct bcd_device *device)
{
    const char *path = text_from_ucs2(arena, device->path);
    const char *place =
        device->has_partition ? partition_text(arena, machine, &device->partition) : "boot";

    return path == NULL || place == NULL ? NULL
                                         : arena_printf(arena, "%s=[%s]%s", name, place, path);
}

static const char *with_options(struct arena *arena, const struct bcd_store *store,
                                const char *text, const struct guid *options)
{
    const char *object =
        text == NULL || guid_is_zero(options) ? NULL : bcd_object_text(arena, store, options);

    return object == NULL ? text : arena_printf(arena, "%s,%s", text, object);
}

static const char *locate_text(struct arena *arena, uint32_t type, const struct bcd_device *device)
{
    char name[BCD_CODE_NAME_SIZE];

    if (device->element != 0)
        return arena_printf(arena, "locate=%s", bcd_code_text(type, device->element, name));
    const char *path = text_from_ucs2(arena, device->path);
    return path == NULL ? NULL : arena_printf(arena, "locate=%s", path);
}

const char *boot_store_device_text(struct arena *arena, const struct machine *machine,
                                   const struct bcd_store *store, uint32_t type, struct span data)
{
    struct bcd_device device;

    if (bcd_device_read(data, &device) != ST_OK)
        return "damaged";
    switch (device.kind) {
    case BCD_DEVICE_PARTITION:
        return partition_text(arena, machine, &device.partition);
    case BCD_DEVICE_BOOT:
        return "boot";
    case BCD_DEVICE_LOCATE:
        return locate_text(arena, type, &device);
    case BCD_DEVICE_RAMDISK:
        return with_options(arena, store, file_text(arena, machine, "ramdisk", &device),
                            &device.options);
    case BCD_DEVICE_FILE:
        return file_text(arena, machine, "file", &device);
    case BCD_DEVICE_VIRTUAL_DISK:
        return file_text(arena, machine, "vhd", &device);
    case BCD_DEVICE_DISK:
        return "a whole disk";
    default:
        return "unknown";
    }
}
