#include "model/machine.h"

#include "base/mem.h"
#include "base/text.h"
#include "model/boot_name.h"

#define LEGACY_BOOTABLE 4u /* partition attribute, bit 2 (UEFI Specification 5.3.3) */

size_t machine_find_esp(const struct machine *machine, size_t partition)
{
    for (size_t i = 0; i < machine->esp_count; i++) {
        if (machine->esps[i].partition == partition)
            return i;
    }
    return NO_INDEX;
}

/* True when firmware comes to the one ESP before the other. */
static bool comes_before(const struct machine *machine, size_t esp, size_t other)
{
    const struct partition *own = &machine->partitions[machine->esps[esp].partition];
    const struct partition *next = &machine->partitions[machine->esps[other].partition];

    return own->disk != next->disk ? own->disk < next->disk : own->hd_number < next->hd_number;
}

size_t machine_next_esp(const struct machine *machine, size_t disk, size_t previous)
{
    size_t found = NO_INDEX;

    for (size_t i = 0; i < machine->esp_count; i++) {
        bool here =
            disk == NO_INDEX || machine->partitions[machine->esps[i].partition].disk == disk;
        if (here && (previous == NO_INDEX || comes_before(machine, previous, i)) &&
            (found == NO_INDEX || comes_before(machine, i, found)))
            found = i;
    }
    return found;
}

bool machine_may_start_from(const struct machine *machine, size_t partition)
{
    const struct partition *own = &machine->partitions[partition];

    if (own->kind == PT_ESP || own->kind == PT_LINUX_RAID)
        return true;
    if (own->kind == PT_LDM_DATA || own->kind == PT_LDM_METADATA)
        return false;
    for (size_t i = 0; i < machine->entry_count; i++) {
        const struct target *boot = &machine->entries[i].boot;
        if (machine->entries[i].status == ST_OK && boot->partition == partition &&
            boot->file != NULL)
            return true;
    }
    return false;
}

const struct md_volume *machine_md_volume(const struct machine *machine, size_t partition)
{
    for (size_t i = 0; i < machine->md_volume_count; i++) {
        if (machine->md_volumes[i].partition == partition)
            return &machine->md_volumes[i];
    }
    return NULL;
}

bool machine_mount_is_in_array(const struct machine *machine, size_t volume)
{
    for (size_t i = 0; i < machine->md_volume_count; i++) {
        if (machine->partitions[machine->md_volumes[i].partition].volume == volume)
            return true;
    }
    return false;
}

bool machine_is_one_volume(const struct machine *machine, size_t a, size_t b)
{
    const struct md_volume *one = machine_md_volume(machine, a);
    const struct md_volume *other = machine_md_volume(machine, b);

    if (machine_raid_original(machine, a) == machine_raid_original(machine, b))
        return true;
    return one != NULL && other != NULL && one->use != MD_PIECE && other->use != MD_PIECE &&
           guid_equal(&one->member.set, &other->member.set);
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
        if (!is_gpt || guid_is_zero(unique) || !guid_equal(&partition->unique, unique) ||
            machine_raid_original(machine, i) != i)
            continue;
        if (count++ == 0)
            found = i;
    }
    if (ret_count != NULL)
        *ret_count = count;
    return found;
}

const struct gpt_copy *disk_table_copy(const struct disk *disk)
{
    if (disk->primary.problem == GPT_FINE || disk->primary.problem == GPT_OF_LARGER_DISK)
        return &disk->primary;
    return disk->backup.problem == GPT_FINE ? &disk->backup : NULL;
}

const struct gpt_copy *disk_good_table(const struct disk *disk)
{
    const struct gpt_copy *copy = disk->style == DISK_GPT ? disk_table_copy(disk) : NULL;

    return copy != NULL && copy->problem == GPT_FINE ? copy : NULL;
}

bool disks_have_same_identity(const struct disk *a, const struct disk *b)
{
    if (a->style != b->style)
        return false;
    if (a->style == DISK_GPT)
        return !guid_is_zero(&a->guid) && guid_equal(&a->guid, &b->guid);
    return a->style == DISK_MBR && a->mbr.signature != 0 && a->mbr.signature == b->mbr.signature;
}

bool disk_is_marked_at(const struct disk *disk, bool end)
{
    bool at_end = disk->owner.offset / disk->block_size > disk->block_count / 2;

    return disk->owner.owner != OWNER_NOBODY && at_end == end;
}

bool disk_is_taken(const struct disk *disk)
{
    if (disk->owner.owner == OWNER_NOBODY || owner_is_raid(disk->owner.owner))
        return disk->owner.owner != OWNER_NOBODY;
    if (disk->style != DISK_GPT)
        return disk->partition_count == 0;
    return disk->primary.problem != GPT_FINE && disk_is_marked_at(disk, false);
}

static bool is_same_part(const struct md_member *a, const struct md_member *b)
{
    return guid_equal(&a->set, &b->set) && a->role == b->role && a->role < MD_ROLE_JOURNAL;
}

size_t machine_md_copy(const struct machine *machine, size_t disk, size_t *ret_own)
{
    const struct md_partition *members = machine->md_members;

    for (size_t i = 0; i < machine->md_count; i++) {
        for (size_t j = 0;
             machine->partitions[members[i].partition].disk == disk && j < machine->md_count; j++) {
            if (machine->partitions[members[j].partition].disk == disk ||
                !is_same_part(&members[i].member, &members[j].member))
                continue;
            *ret_own = i;
            return j;
        }
    }
    return NO_INDEX;
}

bool machine_are_raid_twins(const struct machine *machine, size_t a, size_t b)
{
    const struct disk *one = &machine->disks[a];
    const struct disk *other = &machine->disks[b];

    return a != b && owner_is_raid(one->owner.owner) && one->owner.owner == other->owner.owner &&
           disks_have_same_identity(one, other);
}

size_t machine_raid_original(const struct machine *machine, size_t partition)
{
    const struct partition *own = &machine->partitions[partition];
    bool raid = owner_is_raid(machine->disks[own->disk].owner.owner);

    for (size_t i = 0; raid && i < partition; i++) {
        const struct partition *earlier = &machine->partitions[i];
        if (earlier->hd_number == own->hd_number && earlier->first_lba == own->first_lba &&
            machine_are_raid_twins(machine, earlier->disk, own->disk))
            return i;
    }
    return partition;
}

bool machine_disk_is_bios(const struct machine *machine, size_t index)
{
    const struct disk *disk = &machine->disks[index];
    bool active = false;
    bool boot = false;

    for (size_t i = 0; i < disk->partition_count; i++) {
        const struct partition *own = &machine->partitions[disk->first_partition + i];
        if (own->kind == PT_ESP)
            return false;
        active |= own->active;
        boot |= own->kind == PT_BIOS_BOOT || (own->attributes & LEGACY_BOOTABLE) != 0;
    }
    if (disk->status != ST_OK || disk->mbr_unreadable)
        return false;
    if (disk->style == DISK_MBR)
        return active || disk->mbr.has_code;
    return disk->style == DISK_GPT && boot;
}

bool disk_hides_partitions(const struct disk *disk)
{
    return disk->status != ST_OK || (disk->style == DISK_GPT && disk_table_copy(disk) == NULL);
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

bool entry_is_tried(const struct entry *entry)
{
    return entry->in_order && entry->status == ST_OK &&
           (entry->option.attributes & LOAD_OPTION_ACTIVE) != 0 &&
           (entry->option.attributes & LOAD_OPTION_CATEGORY) == 0;
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

bool machine_variables_write_to(const struct machine *machine, size_t disk)
{
    return firmware_is_uboot(machine->firmware.vendor) &&
           (!machine->variables_in_file ||
            machine->partitions[machine->variables_place].disk == disk);
}
