#include "model/machine.h"

#include "base/mem.h"
#include "base/text.h"
#include "model/boot_name.h"

size_t machine_find_esp(const struct machine *machine, size_t partition)
{
    for (size_t i = 0; i < machine->esp_count; i++) {
        if (machine->esps[i].partition == partition)
            return i;
    }
    return NO_INDEX;
}

size_t machine_partition_at(const struct machine *machine, size_t disk, uint64_t lba,
                            uint64_t block_count)
{
    const struct disk *on = &machine->disks[disk];

    for (size_t i = 0; i < on->partition_count; i++) {
        const struct partition *own = &machine->partitions[on->first_partition + i];
        if (lba >= own->first_lba && lba - own->first_lba <= own->block_count &&
            block_count <= own->block_count - (lba - own->first_lba))
            return on->first_partition + i;
    }
    return NO_INDEX;
}

size_t machine_find_partition(const struct machine *machine, const struct guid *unique,
                              size_t *ret_count)
{
    size_t found = NO_INDEX;
    size_t count = 0;

    for (size_t i = 0; i < machine->partition_count; i++) {
        const struct partition *partition = &machine->partitions[i];
        bool is_gpt = machine->disks[partition->disk].style == DISK_GPT;
        if (!is_gpt || guid_is_zero(unique) || !guid_equal(&partition->unique, unique))
            continue;
        if (count++ == 0)
            found = i;
    }
    if (ret_count != NULL)
        *ret_count = count;
    return found;
}

bool disk_hides_partitions(const struct disk *disk)
{
    bool no_copy = disk->primary.problem != GPT_FINE && disk->backup.problem != GPT_FINE;

    return disk->status != ST_OK || (disk->style == DISK_GPT && no_copy);
}

size_t machine_find_entry(const struct machine *machine, uint16_t number)
{
    for (size_t i = 0; i < machine->entry_count; i++) {
        if (machine->entries[i].number == number)
            return i;
    }
    return NO_INDEX;
}

/* A value that could be read counts as there, whatever its structure. */
static struct variable_state state_of(enum status status, uint32_t attributes, struct span value)
{
    bool read = status == ST_OK || (status == ST_DAMAGED && value.at != NULL);
    struct variable_state state = {read ? ST_OK : status, attributes, value};

    return state;
}

static struct variable_state small_state(const struct small_var *var)
{
    return state_of(var->status, var->attributes, var->value);
}

struct variable_state machine_variable(const struct machine *machine, const char *name)
{
    const struct boot_order *order = &machine->order;
    uint16_t number = 0;

    if (boot_variable_number(name, &number)) {
        size_t index = machine_find_entry(machine, number);
        if (index == NO_INDEX)
            return state_of(ST_ABSENT, 0, span_of(NULL, 0));
        const struct entry *entry = &machine->entries[index];
        return state_of(entry->status, entry->attributes, entry->value);
    }
    if (text_equal(name, "BootOrder"))
        return state_of(order->status, order->attributes, order->value);
    if (text_equal(name, "BootNext"))
        return small_state(&machine->next);
    if (text_equal(name, "Timeout"))
        return small_state(&machine->timeout);
    return state_of(ST_UNSUPPORTED, 0, span_of(NULL, 0));
}

bool entry_mentions_guid(const struct entry *entry, const struct guid *guid)
{
    if (entry->status != ST_OK || guid_is_zero(guid))
        return false;
    if (devpath_mentions_guid(entry->option.paths, guid))
        return true;
    return entry->optional_kind == OPTIONAL_WINDOWS &&
           windows_options_mention_guid(&entry->windows, guid);
}

bool entry_is_windows(const struct entry *entry)
{
    return entry->status == ST_OK && (entry->optional_kind == OPTIONAL_WINDOWS ||
                                      entry->optional_kind == OPTIONAL_WINDOWS_BCD ||
                                      entry->optional_kind == OPTIONAL_WINDOWS_BROKEN);
}

bool order_names(const struct boot_order *order, uint16_t number)
{
    for (size_t i = 0; i < order->count; i++) {
        if (order->numbers[i] == number)
            return true;
    }
    return false;
}

bool order_is_missing(const struct machine *machine)
{
    enum status status = machine->order.status;

    if (status != ST_OK && status != ST_ABSENT && status != ST_DAMAGED)
        return false;
    for (size_t i = 0; i < machine->entry_count; i++) {
        if (machine->entries[i].in_order)
            return false;
    }
    return machine->entry_count > 0 && (status != ST_DAMAGED || machine->order.value.at != NULL);
}

uint64_t partition_offset(const struct machine *machine, const struct partition *partition)
{
    return partition->first_lba * machine->disks[partition->disk].block_size;
}

uint64_t partition_bytes(const struct machine *machine, const struct partition *partition)
{
    return partition->block_count * machine->disks[partition->disk].block_size;
}

struct hd_node partition_hd_node(const struct machine *machine, const struct partition *partition)
{
    const struct disk *disk = &machine->disks[partition->disk];
    struct hd_node hd = {
        .number = partition->hd_number,
        .start = partition->first_lba,
        .size = partition->block_count,
    };

    if (disk->style == DISK_GPT) {
        hd.format = HD_FORMAT_GPT;
        hd.signature_type = HD_SIGNATURE_GUID;
        memcpy(hd.signature, partition->unique.bytes, sizeof(hd.signature));
    } else {
        hd.format = HD_FORMAT_MBR;
        hd.signature_type = HD_SIGNATURE_MBR;
        st_le32(hd.signature, disk->mbr.signature);
    }
    return hd;
}
