#include "prepare_parts.h"

#include "base/print.h"
#include "gpt_state.h"
#include "plan/owner_guard.h"
#include "plan/place.h"

#define MSR_BYTES (16u * MIB) /* what Windows makes on a disk of today */
#define ESP_SLOT  0u
#define MSR_SLOT  1u
#define ESP_NAME  "EFI system partition"
#define MSR_NAME  "Microsoft reserved partition"

/* --- Partitions ------------------------------------------------------------------------------- */

static void put_name(struct gpt_entry *entry, const char *name)
{
    for (size_t i = 0; name[i] != '\0' && 2 * i + 1 < GPT_NAME_BYTES; i++)
        st_le16(entry->name + 2 * i, (uint8_t)name[i]);
}

static struct gpt_entry esp_entry(struct prepare *prepare, const struct free_area *area)
{
    struct gpt_entry entry = {
        .type = partition_type_guid(PT_ESP),
        .unique = identity_guid(&prepare->identity),
        .first_lba = area->first_lba,
        .last_lba = area->first_lba + area->block_count - 1,
        .attributes =
            prepare_source_is_esp(prepare) ? prepare_source_partition(prepare)->attributes : 0,
    };

    put_name(&entry, ESP_NAME);
    return entry;
}

/* Adds the change that puts `slots` into the table; they are copied. */
static void add_slots(struct prepare *prepare, const struct gpt_slot *slots, size_t count,
                      struct gpt_change gpt, const char *text)
{
    gpt.slots = arena_copy(prepare->plan->arena, slots, count * sizeof(*slots));
    gpt.slot_count = count;
    struct disk_change change = {
        .kind = DISK_CHANGE_GPT, .disk = prepare->disk, .gpt = gpt, .esp = NO_INDEX};
    prepare->plan->formats = true;
    plan_change_disk(prepare->plan, &change, gpt.slots == NULL ? NULL : text);
}

/* --- Blank disk ------------------------------------------------------------------------------- */

/* The size of the reserved partition on the source's disk. */
static uint64_t msr_bytes(const struct prepare *prepare)
{
    const struct disk *disk = &prepare->machine->disks[prepare_source_partition(prepare)->disk];

    for (size_t i = 0; i < disk->partition_count; i++) {
        const struct partition *own = &prepare->machine->partitions[disk->first_partition + i];
        if (own->kind == PT_MSR)
            return partition_bytes(prepare->machine, own);
    }
    return MSR_BYTES;
}

/* Behind the ESP, as KB 814070 makes them; false when the disk has no room for it. */
static bool make_msr(struct prepare *prepare, const struct free_space *space,
                     const struct free_area *esp, struct gpt_slot *ret_slot)
{
    uint64_t end = esp->first_lba + esp->block_count;
    uint64_t blocks = prepare_blocks_of(prepare, msr_bytes(prepare));
    struct free_space rest = {.count = 0};
    struct free_area behind;
    struct free_area area;

    for (size_t i = 0; i < space->count; i++) {
        const struct free_area *own = &space->areas[i];
        if (esp->first_lba < own->first_lba || end >= own->first_lba + own->block_count)
            continue;
        behind = (struct free_area){end, own->first_lba + own->block_count - end};
        rest = (struct free_space){.areas = &behind, .count = 1};
    }
    if (!free_space_best(&rest, blocks, prepare_blocks_of(prepare, MIB), &area))
        return false;
    *ret_slot = (struct gpt_slot){
        .slot = MSR_SLOT,
        .entry = {.type = partition_type_guid(PT_MSR),
                  .unique = identity_guid(&prepare->identity),
                  .first_lba = area.first_lba,
                  .last_lba = area.first_lba + area.block_count - 1},
    };
    put_name(&ret_slot->entry, MSR_NAME);
    return true;
}

/* Bytes of the boot volume, or of its part of an array, on the disk that has most; 0: not known. */
static uint64_t volume_bytes(const struct prepare *prepare)
{
    const struct machine *machine = prepare->machine;
    uint64_t most = 0;

    for (size_t i = 0; i < prepare->roles->member_count; i++) {
        const struct member *member = &prepare->roles->members[i];
        uint64_t blocks = 0;
        if (member->copy != NO_INDEX)
            blocks = machine->copies[member->copy].block_count;
        else if (member->md != NO_INDEX)
            blocks = machine->partitions[machine->md_members[member->md].partition].block_count;
        uint64_t bytes = blocks * machine->disks[member->disk].block_size;
        most = bytes > most ? bytes : most;
    }
    return most;
}

/* A disk that is to become a member starts nothing where the volume does not fit beside what is made,
 * which takes so many blocks. */
static void warn_of_small_disk(struct prepare *prepare, uint64_t taken)
{
    uint64_t needed = volume_bytes(prepare);
    char size[SIZE_TEXT_SIZE];

    if (roles_member_on(prepare->roles, prepare->disk) == NO_INDEX &&
        prepare_bytes_of(prepare, prepare->on->block_count - taken) < needed)
        plan_warn(prepare->plan,
                  "Disk %zu is too small for a copy of %s, which takes %s: only a larger disk can "
                  "mirror it.",
                  prepare->disk, prepare->roles->name, format_size(needed, size));
}

enum status prepare_blank(struct prepare *prepare, struct guid *ret_esp)
{
    struct plan *plan = prepare->plan;
    struct gpt_change gpt = {.fresh = true, .write_mbr = true};
    struct gpt_slot slots[2] = {{.slot = ESP_SLOT}};
    struct free_space space;
    struct free_area largest;
    struct spot spot;
    char esp_size[SIZE_TEXT_SIZE];
    char msr_size[SIZE_TEXT_SIZE];

    enum status status = prepare_gather(prepare, NO_INDEX);
    if (status == ST_OK)
        status = free_space_find(plan->arena, prepare->machine, prepare->disk, &space);
    if (status != ST_OK)
        return status;
    status = prepare_find_spot(prepare, &space, &spot, &largest);
    if (status == ST_NO_SPACE)
        return prepare_refuse_space(prepare, &largest, "");
    if (status != ST_OK)
        return prepare_refuse_area(prepare, status, &largest, "its free space", "");
    gpt.disk_guid = identity_guid(&prepare->identity);
    slots[0].entry = esp_entry(prepare, &spot.area);
    bool has_msr = make_msr(prepare, &space, &spot.area, &slots[1]);
    prepare_add_format(prepare, &spot, &slots[0].entry.unique);
    uint64_t msr = has_msr ? slots[1].entry.last_lba - slots[1].entry.first_lba + 1 : 0;
    add_slots(prepare, slots, has_msr ? 2 : 1, gpt,
              arena_printf(plan->arena, "make a partition table (GPT) on Disk %zu with ESP %s%s%s",
                           prepare->disk,
                           format_size(prepare_bytes_of(prepare, spot.area.block_count), esp_size),
                           has_msr ? " and MSR " : "",
                           has_msr ? format_size(prepare_bytes_of(prepare, msr), msr_size) : ""));
    warn_of_small_disk(prepare, spot.area.block_count + msr);
    *ret_esp = slots[0].entry.unique;
    return plan->status;
}

/* --- No ESP ----------------------------------------------------------------------------------- */

static struct gpt_change kept_table(const struct prepare *prepare)
{
    return (struct gpt_change){.write_mbr = gpt_state_needs_mbr(prepare->on)};
}

static void use_free_space(struct prepare *prepare, const struct spot *spot, uint32_t number,
                           struct guid *ret_esp)
{
    struct gpt_slot slot = {.slot = number, .entry = esp_entry(prepare, &spot->area)};
    char guid[GUID_TEXT_SIZE];
    char size[SIZE_TEXT_SIZE];

    guid_format(&slot.entry.unique, guid);
    warn_of_small_disk(prepare, spot->area.block_count);
    prepare_add_format(prepare, spot, &slot.entry.unique);
    add_slots(prepare, &slot, 1, kept_table(prepare),
              arena_printf(prepare->plan->arena,
                           "make an EFI system partition of %s on Disk %zu at LBA %llu, Partition "
                           "%u %s",
                           format_size(prepare_bytes_of(prepare, spot->area.block_count), size),
                           prepare->disk, (unsigned long long)spot->area.first_lba,
                           prepare_future_number(prepare, spot->area.first_lba), guid));
    *ret_esp = slot.entry.unique;
}

/* Only what is a reserved partition by its type, and in which no volume is known to lie (I2), nor
 * anything of others (I8). */
static bool may_give_up(const struct prepare *prepare, const struct partition *own)
{
    return own->kind == PT_MSR &&
           !free_space_is_volume(prepare->machine, prepare->disk, own->first_lba,
                                 own->block_count) &&
           !owner_guard_is_claimed(prepare->machine, prepare->disk, own->first_lba,
                                   own->block_count);
}

/* The first reserved partition that the files fit in. Statuses: ST_OK; ST_ABSENT when there is
 * none; those of prepare_refuse_area when all are too small. */
static enum status find_msr(struct prepare *prepare, size_t *ret_partition, struct spot *ret_spot)
{
    enum status result = ST_ABSENT;

    for (size_t i = 0; i < prepare->on->partition_count; i++) {
        size_t index = prepare->on->first_partition + i;
        const struct partition *own = &prepare->machine->partitions[index];
        struct free_area area = {own->first_lba, own->block_count};
        if (!may_give_up(prepare, own))
            continue;
        enum status status = prepare_try_area(prepare, &area, ret_spot);
        if (status == ST_OK) {
            *ret_partition = index;
            return ST_OK;
        }
        const char *where = place_text(prepare->plan->arena, prepare->machine, index);
        result = prepare_refuse_area(prepare, status, &area, where, "");
        if (result == ST_NO_MEMORY)
            return result;
    }
    return result;
}

static enum status use_msr(struct prepare *prepare, const struct free_area *largest,
                           struct guid *ret_esp)
{
    struct plan *plan = prepare->plan;
    size_t index = NO_INDEX;
    struct spot spot;
    char guid[GUID_TEXT_SIZE];
    char size[SIZE_TEXT_SIZE];

    enum status status = find_msr(prepare, &index, &spot);
    if (status == ST_ABSENT)
        return prepare_refuse_space(prepare, largest,
                                    " It has no Microsoft reserved partition to give up either.");
    if (status != ST_OK)
        return status;
    const char *text = place_text(plan->arena, prepare->machine, index);
    if (!prepare->request->allow_msr)
        return plan_refuse(plan, ST_REFUSED,
                           "Disk %zu has no free space for an EFI system partition. Its Microsoft "
                           "reserved partition, %s, is large enough and could be given up for one, "
                           "as KB 814070 does: give -msr to allow that.",
                           prepare->disk, text);
    struct gpt_slot slot = {.slot = prepare->machine->partitions[index].hd_number - 1,
                            .entry = esp_entry(prepare, &spot.area)};
    guid_format(&slot.entry.unique, guid);
    plan->gives_up_msr = true;
    prepare_add_format(prepare, &spot, &slot.entry.unique);
    add_slots(prepare, &slot, 1, kept_table(prepare),
              arena_printf(
                  plan->arena,
                  "give up %s, a Microsoft reserved partition of %s, for an EFI system "
                  "partition with the GUID %s",
                  text, format_size(prepare_bytes_of(prepare, spot.area.block_count), size), guid));
    *ret_esp = slot.entry.unique;
    return plan->status;
}

/* The change that puts the ESP in is the last one and mends the table as well: two changes of one
 * table would have to know of each other. Until then its good copy lies where nothing is put. */
enum status prepare_new_esp(struct prepare *prepare, struct guid *ret_esp)
{
    struct free_space space;
    struct free_area largest = {0, 0};
    struct spot spot;
    uint32_t slot = 0;

    gpt_state_warn_of_mbr(prepare->plan, prepare->disk);
    enum status status = owner_guard_table(prepare->plan, prepare->disk, NULL);
    if (status == ST_OK)
        status = prepare_gather(prepare, NO_INDEX);
    if (status == ST_OK)
        status = free_space_find(prepare->plan->arena, prepare->machine, prepare->disk, &space);
    if (status != ST_OK)
        return status;
    if (!gpt_state_free_slot(prepare->machine, prepare->disk, &slot))
        return use_msr(prepare, &largest, ret_esp);
    status = prepare_find_spot(prepare, &space, &spot, &largest);
    if (status == ST_NO_SPACE)
        return use_msr(prepare, &largest, ret_esp);
    if (status != ST_OK)
        return prepare_refuse_area(prepare, status, &largest, "its free space", "");
    use_free_space(prepare, &spot, slot, ret_esp);
    return prepare->plan->status;
}
