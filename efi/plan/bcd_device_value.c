/* Devices as they are typed. */
#include "base/text.h"
#include "bcd_work.h"
#include "model/boot_store.h"
#include "model/boot_store_text.h"

#define PARTITION_PREFIX "partition="
#define VOLUME_PREFIX    "\\Device\\HarddiskVolume"

/* --- Partitions ----------------------------------------------------------------------------- */

/* "0/4": disk and partition. */
static size_t by_numbers(const struct machine *machine, const char *text)
{
    char disk[8] = "";
    size_t length = 0;
    uint64_t numbers[2] = {0, 0};

    while (text[length] != '/' && text[length] != '\0' && length + 1 < sizeof(disk)) {
        disk[length] = text[length];
        length++;
    }
    if (text[length] != '/' || text_parse_number(disk, 10, &numbers[0]) != ST_OK ||
        text_parse_number(text + length + 1, 10, &numbers[1]) != ST_OK)
        return NO_INDEX;
    for (size_t i = 0; i < machine->partition_count; i++) {
        const struct partition *own = &machine->partitions[i];
        if (own->disk == numbers[0] && own->number == numbers[1])
            return i;
    }
    return NO_INDEX;
}

/* \Device\HarddiskVolumeN. */
static size_t by_nt_name(const struct machine *machine, const char *text)
{
    uint64_t number = 0;

    if (!text_has_prefix_nocase(text, VOLUME_PREFIX) ||
        text_parse_number(text + sizeof(VOLUME_PREFIX) - 1, 10, &number) != ST_OK || number == 0)
        return NO_INDEX;
    for (size_t i = 0; i < machine->partition_count; i++) {
        if (machine->partitions[i].nt_volume == number)
            return i;
    }
    return NO_INDEX;
}

/* The partition that a plex of one piece fills. */
static size_t partition_of(const struct machine *machine, const struct dynamic_plex *plex)
{
    const struct dynamic_extent *extent = &machine->volumes.extents[plex->first_extent];

    if (plex->extent_count != 1 || extent->disk == VOLUME_NONE)
        return NO_INDEX;
    return machine_partition_at(machine, extent->disk, extent->lba, extent->blocks);
}

/* The plex on `disk` of the volume with that letter; without one there the only plex. */
static size_t by_letter(const struct machine *machine, size_t disk, const char *text)
{
    size_t other = NO_INDEX;
    size_t others = 0;

    for (size_t i = 0; i < machine->volumes.plex_count; i++) {
        const struct dynamic_plex *plex = &machine->volumes.plexes[i];
        const char *letter = machine->volumes.volumes[plex->volume].drive_hint;
        size_t partition = text_equal_nocase(letter, text) ? partition_of(machine, plex) : NO_INDEX;
        if (partition == NO_INDEX)
            continue;
        if (machine->partitions[partition].disk == disk)
            return partition;
        other = partition;
        others++;
    }
    return others == 1 ? other : NO_INDEX;
}

static const char *choices(struct plan *plan)
{
    const char *text = "";
    char guid[GUID_TEXT_SIZE];

    for (size_t i = 0; i < plan->machine->partition_count && text != NULL; i++) {
        const char *place = boot_store_place_text(plan->arena, plan->machine, i);
        if (place == NULL)
            return NULL;
        guid_format(&plan->machine->partitions[i].unique, guid);
        text = arena_printf(plan->arena, "%s\n  %s  %s", text, guid, place);
    }
    return text;
}

static enum status refuse_partition(struct plan *plan, enum status status, const char *text)
{
    const char *list = choices(plan);
    const char *shown = text_printable(plan->arena, text);

    if (list == NULL || shown == NULL)
        return ST_NO_MEMORY;
    return plan_refuse_plainly(
        plan, status,
        "\"%.64s\" is no partition of this machine, or more than one. Give the letter of a dynamic "
        "volume (partition=C:), disk and partition (partition=1/4), or a GUID:%s\nNothing was "
        "changed.",
        shown, list);
}

static enum status find_device_partition(struct bcd_work *work, const char *text,
                                         size_t *ret_partition)
{
    const struct machine *machine = work->plan->machine;
    size_t esp = machine->esps[work->target->esp].partition;
    size_t count = 0;
    struct guid guid;

    if (guid_parse(text, &guid) == ST_OK) {
        size_t found = machine_find_partition(machine, &guid, &count);
        if (count != 1 || guid_is_zero(&guid))
            return refuse_partition(work->plan, count == 0 ? ST_ABSENT : ST_REFUSED, text);
        *ret_partition = found;
        return ST_OK;
    }
    size_t found = by_letter(machine, machine->partitions[esp].disk, text);
    if (found == NO_INDEX)
        found = by_nt_name(machine, text);
    if (found == NO_INDEX)
        found = by_numbers(machine, text);
    if (found == NO_INDEX)
        return refuse_partition(work->plan, ST_ABSENT, text);
    *ret_partition = found;
    return ST_OK;
}

enum status bcd_work_partition(struct bcd_work *work, const char *text, bool may_be_gone,
                               struct bcd_partition *ret_partition)
{
    struct bcd_partition gone = {.is_gpt = true};
    size_t partition = NO_INDEX;

    if (may_be_gone && guid_parse(text, &gone.partition) == ST_OK) {
        *ret_partition = gone;
        return ST_OK;
    }
    enum status status = find_device_partition(work, text, &partition);
    if (status == ST_OK)
        *ret_partition = boot_store_name(work->plan->machine, partition);
    return status;
}

/* --- Devices -------------------------------------------------------------------------------- */

/* The element that says what a plain "locate" looks for; 0 where none does. */
static uint32_t path_for(uint32_t code)
{
    if (code == BCD_DEVICE)
        return BCD_PATH;
    return code == BCD_OS_DEVICE ? BCD_SYSTEM_ROOT : 0;
}

static enum status refuse_device(struct plan *plan, const struct bcd_name *name, const char *text)
{
    const char *shown = text_printable(plan->arena, text);

    return plan_refuse(
        plan, ST_USAGE,
        "\"%.64s\" is no value for %s, which takes boot, locate or partition=, as in partition=C:. "
        "Devices in files "
        "(ramdisk=, file=, vhd=) are kept as they are, and not made here.",
        shown == NULL ? "" : shown, name->name);
}

static enum status read_device(struct bcd_work *work, const struct bcd_name *name, const char *text,
                               struct bcd_device *io_device)
{
    if (text_has_prefix_nocase(text, PARTITION_PREFIX)) {
        io_device->kind = BCD_DEVICE_PARTITION;
        return bcd_work_partition(work, text + sizeof(PARTITION_PREFIX) - 1, false,
                                  &io_device->partition);
    }
    if (text_equal_nocase(text, "boot")) {
        io_device->kind = BCD_DEVICE_BOOT;
        return ST_OK;
    }
    io_device->kind = BCD_DEVICE_LOCATE;
    io_device->element = path_for(name->code);
    if (text_equal_nocase(text, "locate") && io_device->element != 0)
        return ST_OK;
    return refuse_device(work->plan, name, text);
}

enum status bcd_work_device(struct bcd_work *work, const struct bcd_name *name, const char *text,
                            struct span *ret_data)
{
    uint8_t *data = arena_alloc(work->plan->arena, 1, BCD_DEVICE_SIZE_MAX);
    struct bcd_device device = {.kind = BCD_DEVICE_OTHER};

    if (data == NULL)
        return ST_NO_MEMORY;
    enum status status = read_device(work, name, text, &device);
    if (status == ST_OK)
        *ret_data = span_of(data, bcd_device_write(&device, data));
    return status;
}
