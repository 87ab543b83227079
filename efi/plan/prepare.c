#include "plan/prepare.h"

#include "audit/compare_esps.h"
#include "base/print.h"
#include "plan/boot_stores.h"
#include "plan/esp_files.h"
#include "plan/esp_guard.h"
#include "gpt_state.h"
#include "plan/mend_fat.h"
#include "plan/owner_guard.h"
#include "plan/place.h"
#include "prepare_parts.h"

#define MIB         (1u << 20)
#define ALIGN_LEAST 4096u       /* a block of any disk that FAT is made on */
#define ALIGN_MOST  (16u * MIB) /* more than this is chance, not intention */
#define MSR_BYTES   (16u * MIB) /* what Windows makes on a disk of today */
#define ESP_SLOT    0u
#define MSR_SLOT    1u
#define ESP_NAME    "EFI system partition"
#define MSR_NAME    "Microsoft reserved partition"

/* --- Refusals --------------------------------------------------------------------------------- */

/* What keeps this program's hands off the disk, whatever is on it; NULL when nothing does. */
static const char *disk_obstacle(const struct disk *disk)
{
    if (disk->removable)
        return "is removable or on USB, and only fixed disks are prepared";
    if (disk->has_self)
        return "carries the volume shadowboot was started from. Start shadowboot from a stick or "
               "from another disk";
    if (disk->status != ST_OK)
        return "cannot be read. Check cables and power; if it stays so, replace it";
    if (disk->read_only)
        return "is write-protected";
    if (disk->block_size != 512 && disk->block_size != 4096)
        return "has blocks of a size that firmware does not read FAT on";
    if (disk->style == DISK_MBR)
        return "has an MBR partition table, as disks have that BIOS starts, and is left as it is. "
               "Take another disk";
    if (disk->style == DISK_RAW && !disk->blank)
        return "has no partition table, but it is not blank: it may be part of an array, or hold a "
               "file system of its own. If nothing on it is wanted, wipe it (diskpart: clean all), "
               "or take another disk";
    return NULL;
}

static enum status check_disk(struct plan *plan, size_t disk)
{
    if (disk >= plan->machine->disk_count)
        return plan_refuse(plan, ST_ABSENT,
                           "There is no Disk %zu. \"shadowboot disks\" lists them. Nothing was "
                           "changed.",
                           disk);
    const struct disk *on = &plan->machine->disks[disk];
    const char *obstacle = NULL;
    enum status status = owner_guard_disk(plan, disk);
    if (status == ST_OK)
        obstacle = disk_obstacle(on);
    if (obstacle == NULL)
        return status;
    bool is_protection = on->read_only && !on->removable && !on->has_self && on->status == ST_OK;
    return plan_refuse(plan, is_protection ? ST_READ_ONLY : ST_REFUSED,
                       "Disk %zu %s. Nothing was changed.", disk, obstacle);
}

/* --- Mending the table ------------------------------------------------------------------------ */

enum status plan_mend_gpt(struct plan *plan, size_t disk)
{
    enum status status = check_disk(plan, disk);

    if (status != ST_OK)
        return status;
    const struct disk *on = &plan->machine->disks[disk];
    if (on->style != DISK_GPT)
        return plan_refuse(plan, ST_REFUSED,
                           "Disk %zu has no partition table to mend. \"shadowboot prepare %zu\" "
                           "makes one. Nothing was changed.",
                           disk, disk);
    gpt_state_warn_of_mbr(plan, disk);
    status = gpt_state_check(plan, disk);
    const char *trouble = status == ST_OK ? gpt_state_trouble(on) : NULL;
    if (trouble != NULL)
        status = owner_guard_table(plan, disk, trouble);
    if (trouble == NULL || status != ST_OK)
        return status;
    struct disk_change change = {
        .kind = DISK_CHANGE_GPT,
        .disk = disk,
        .gpt = {.write_mbr = gpt_state_needs_mbr(on)},
        .esp = NO_INDEX,
    };
    plan_change_disk(plan, &change,
                     arena_printf(plan->arena,
                                  "write the partition table (GPT) of Disk %zu anew from its good "
                                  "copy: %s",
                                  disk, trouble));
    return plan->status;
}

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
        .attributes = prepare_source_partition(prepare)->attributes,
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

/* The boundary, in bytes, that the source begins at, within reason. */
static uint64_t source_alignment(const struct prepare *prepare)
{
    uint64_t offset = partition_offset(prepare->machine, prepare_source_partition(prepare));
    uint64_t alignment = MIB;

    while (alignment < ALIGN_MOST && offset != 0 && offset % (alignment * 2) == 0)
        alignment *= 2;
    return alignment;
}

/* Tries the smallest area for so many blocks, on the source's alignment and on coarser terms. */
static enum status try_best(struct prepare *prepare, const struct free_space *space,
                            uint64_t blocks, struct spot *ret_spot)
{
    const uint64_t alignments[] = {source_alignment(prepare), MIB, ALIGN_LEAST};
    struct free_area area;

    for (size_t i = 0; i < sizeof(alignments) / sizeof(alignments[0]); i++) {
        if (free_space_best(space, blocks, prepare_blocks_of(prepare, alignments[i]), &area))
            return prepare_try_area(prepare, &area, ret_spot);
    }
    return ST_NO_SPACE;
}

/* The source's size if there is room for it, or twice that if the files need it on this disk; else
 * the largest area that the files fit in. `*ret_largest` has no blocks when nothing is free. */
static enum status find_spot(struct prepare *prepare, const struct free_space *space,
                             struct spot *ret_spot, struct free_area *ret_largest)
{
    uint64_t bytes = partition_bytes(prepare->machine, prepare_source_partition(prepare));
    uint64_t blocks =
        prepare_blocks_of(prepare, (bytes + ALIGN_LEAST - 1) / ALIGN_LEAST * ALIGN_LEAST);
    const uint64_t alignments[] = {MIB, ALIGN_LEAST};
    enum status status = ST_NO_SPACE;

    *ret_largest = (struct free_area){0, 0};
    for (unsigned times = 1; status == ST_NO_SPACE && times <= 2; times++)
        status = try_best(prepare, space, blocks * times, ret_spot);
    for (size_t i = 0; status == ST_NO_SPACE && i < 2; i++) {
        bool any =
            free_space_largest(space, prepare_blocks_of(prepare, alignments[i]), ret_largest);
        if (any && ret_largest->block_count < blocks)
            status = prepare_try_area(prepare, ret_largest, ret_spot);
    }
    return status;
}

/* `more` as in refuse_area. */
static enum status refuse_space(struct prepare *prepare, const struct free_area *largest,
                                const char *more)
{
    struct plan *plan = prepare->plan;
    const char *claims = owner_guard_claims(plan, prepare->disk);

    more = claims == NULL ? NULL : arena_printf(plan->arena, "%s%s", more, claims);
    if (more == NULL)
        return ST_NO_MEMORY;
    if (largest->block_count == 0)
        return plan_refuse(plan, ST_NO_SPACE,
                           "Disk %zu has no free space for an EFI system partition.%s Nothing was "
                           "changed.",
                           prepare->disk, more);
    return prepare_refuse_area(
        prepare, ST_NO_SPACE, largest,
        arena_printf(plan->arena, "the largest free area of Disk %zu", prepare->disk), more);
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

static enum status prepare_blank(struct prepare *prepare, struct guid *ret_esp)
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
    status = find_spot(prepare, &space, &spot, &largest);
    if (status == ST_NO_SPACE)
        return refuse_space(prepare, &largest, "");
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
 * none; those of refuse_area when all are too small. */
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
        return refuse_space(prepare, largest,
                            " It has no Microsoft reserved partition to give up either.");
    if (status != ST_OK)
        return status;
    const char *text = place_text(plan->arena, prepare->machine, index);
    if (!prepare->request->allow_msr)
        return plan_refuse(plan, ST_REFUSED,
                           "Disk %zu has no free space for an EFI system partition. Its Microsoft "
                           "reserved partition, %s, is large enough and could be given up for one, "
                           "as KB 814070 does: give -msr to allow that. Nothing was changed.",
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
static enum status prepare_new_esp(struct prepare *prepare, struct guid *ret_esp)
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
    status = find_spot(prepare, &space, &spot, &largest);
    if (status == ST_NO_SPACE)
        return use_msr(prepare, &largest, ret_esp);
    if (status != ST_OK)
        return prepare_refuse_area(prepare, status, &largest, "its free space", "");
    use_free_space(prepare, &spot, slot, ret_esp);
    return prepare->plan->status;
}

/* --- ESP that is there ------------------------------------------------------------------------ */

/* Another file system is somebody's data, whatever the partition's type says. One that was made
 * over FAT32 may have left FAT's backup boot sector: then the first sector decides. */
static bool holds_other_data(const struct esp *esp)
{
    bool fat_speaks = esp->status == ST_OK && !esp->volume.from_backup;

    return !fat_speaks && esp->content != CONTENT_FAT && volume_content_name(esp->content)[0] != 0;
}

/* True for what firmware cannot be relied on to read, or fat_edit cannot change. */
static bool problem_counts(const struct fat_report *report, enum fat_problem problem)
{
    bool counts =
        fat_problem_is_damage(problem) || problem == FAT_FORM_UNUSUAL || problem == FAT_SECTOR_SIZE;

    return report->problems[problem] != 0 && counts && !fat_problem_is_minor(problem);
}

static bool is_damaged(const struct fat_report *report)
{
    for (int i = 0; i < FAT_PROBLEM_COUNT; i++) {
        if (problem_counts(report, (enum fat_problem)i))
            return true;
    }
    return false;
}

/* What keeps the ESP from being formatted or changed; NULL when nothing does. */
static const char *esp_obstacle(const struct esp *esp)
{
    const struct fat_report *report = &esp->report;

    if (holds_other_data(esp))
        return "holds another file system, which may be wanted. If it is not, clear its first "
               "sectors or give it another type";
    if (esp->status == ST_IO)
        return "cannot be read. Check cables and power; if it stays so, replace the disk";
    if (esp->status == ST_UNSUPPORTED)
        return "could not be looked into, or is of a kind that is not known here";
    if (esp->status != ST_OK || is_damaged(report))
        return NULL;
    if (!report->complete || report->problems[FAT_TOO_DEEP] != 0)
        return "is too large to be checked in full, so nothing on it is changed";
    return NULL;
}

/* A first sector that says nothing may be damage, or a file system that is not known here: it is
 * formatted, because it has the type of an ESP, but not without a word. */
static void warn_of_unknown(struct plan *plan, const struct esp *esp)
{
    if (esp->status == ST_ABSENT && esp->content == CONTENT_UNKNOWN)
        plan_warn(plan,
                  "What is on %s is not recognised. If it may be more than a damaged FAT file "
                  "system, save it before it is formatted.",
                  place_text(plan->arena, plan->machine, esp->partition));
}

/* What is wrong with a file system that is_damaged. */
static const char *damage_text(const struct fat_report *report)
{
    for (int i = 0; i < FAT_PROBLEM_COUNT; i++) {
        if (problem_counts(report, (enum fat_problem)i))
            return fat_problem_text((enum fat_problem)i);
    }
    return "";
}

/* A disk that starts does not do so between the first write of a format and the last. What cannot
 * be opened starts nothing. */
static enum status check_use(struct prepare *prepare, const struct esp *esp)
{
    struct plan *plan = prepare->plan;
    enum esp_use use = esp->status == ST_OK ? prepare->request->use : ESP_UNUSED;
    const char *place = place_text(plan->arena, prepare->machine, esp->partition);
    const char *why = damage_text(&esp->report);
    size_t disk = prepare->disk;

    if (use == ESP_KEPT)
        return plan_refuse(plan, ST_REFUSED,
                           "%s has a damaged file system (%s), and the disk starts from it all the "
                           "same, so it is not formatted here: until that is done the disk would "
                           "not start. \"shadowboot prepare %zu\" makes the file system anew. "
                           "Nothing was changed.",
                           place, why, disk);
    if (use == ESP_ONLY_ONE)
        return plan_refuse(plan, ST_REFUSED,
                           "%s has a damaged file system (%s), and it is the only one this machine "
                           "starts from: if its formatting were interrupted, nothing would. Have "
                           "another disk start first (\"shadowboot repair\"). Nothing was changed.",
                           place, why);
    if (use == ESP_IN_USE)
        plan_warn(plan,
                  "%s has a damaged file system (%s), and Disk %zu starts from it all the same. "
                  "While it is formatted Disk %zu does not start; another disk does.",
                  place, why, disk, disk);
    return ST_OK;
}

static enum status format_esp(struct prepare *prepare, size_t index)
{
    struct plan *plan = prepare->plan;
    const struct esp *esp = &prepare->machine->esps[index];
    const struct partition *own = &prepare->machine->partitions[esp->partition];
    struct free_area area = {own->first_lba, own->block_count};
    struct spot spot;

    enum status status = esp_guard_check(plan, esp->partition);
    if (status == ST_OK)
        status = check_use(prepare, esp);
    if (status == ST_OK)
        status = prepare_gather(prepare, esp->status == ST_OK ? index : NO_INDEX);
    if (status != ST_OK)
        return status;
    status = prepare_try_area(prepare, &area, &spot);
    if (status != ST_OK)
        return prepare_refuse_area(prepare, status, &area,
                                   place_text(plan->arena, prepare->machine, esp->partition), "");
    warn_of_unknown(plan, esp);
    prepare_add_format(prepare, &spot, &own->unique);
    return plan->status;
}

/* True for the ESP that others are brought up to: it lacks nothing that anybody knows of. */
static bool is_reference(const struct prepare *prepare, size_t index)
{
    return !prepare->request->has_source &&
           esp_files_source(prepare->machine, prepare->roles, NO_INDEX) == index;
}

static enum status update_esp(struct prepare *prepare, size_t index)
{
    struct plan *plan = prepare->plan;
    const struct esp *esp = &prepare->machine->esps[index];
    struct files_change files = {.count = 0};

    if (is_reference(prepare, index))
        return ST_OK;
    enum status status = prepare_find_source(prepare);
    if (status != ST_OK)
        return status;
    if (prepare->source == NO_INDEX) {
        bool starts = esp_boot_program(prepare->machine, esp) != FAT_NO_FILE;
        return starts ? ST_OK : prepare_refuse_without_source(prepare);
    }
    status = prepare->request->mend_only
                 ? esp_files_mend(plan, prepare->source, index, NULL, &files)
                 : esp_files_update(plan, prepare->source, index, NULL, &files);
    if (status == ST_OK && files.count > 0 && !prepare->request->mend_only)
        status = esp_files_tell_others(plan, prepare->source, index, "\\", &files);
    return status == ST_OK ? esp_files_plan(plan, index, &files) : status;
}

/* Mends the table; where somebody's mark is in its way that is said, and the ESP is seen to all the
 * same: it is where it was. */
static enum status mend_around(struct plan *plan, size_t disk)
{
    enum status status = plan_mend_gpt(plan, disk);

    if (status != ST_REFUSED || plan->machine->disks[disk].owner.owner == OWNER_NOBODY)
        return status;
    plan_warn_of_refusal(plan, status);
    return plan->status;
}

static enum status prepare_esp(struct prepare *prepare, size_t index, struct guid *ret_esp)
{
    struct plan *plan = prepare->plan;
    const struct esp *esp = &prepare->machine->esps[index];
    const char *obstacle = esp_obstacle(esp);

    if (obstacle != NULL && esp_guard_check(plan, esp->partition) != ST_OK)
        return ST_REFUSED;
    if (obstacle != NULL)
        return plan_refuse(plan, ST_REFUSED, "%s %s. Nothing was changed.",
                           place_text(plan->arena, prepare->machine, esp->partition), obstacle);
    enum status status = mend_around(plan, prepare->disk);
    bool mends = mend_fat_is_enough(esp);
    bool formats = esp->status != ST_OK || (is_damaged(&esp->report) && !mends);
    if (status == ST_OK && mends)
        status = plan_mend_fat(plan, index);
    if (status == ST_OK)
        status = formats ? format_esp(prepare, index) : update_esp(prepare, index);
    if (status == ST_OK)
        *ret_esp = prepare->machine->partitions[esp->partition].unique;
    return status;
}

/* --- The disk --------------------------------------------------------------------------------- */

/* True for a disk with a start of its own on a machine that has no ESP: that is no machine of
 * UEFI. */
static bool is_started_by_bios(const struct machine *machine, size_t disk)
{
    for (size_t i = 0; i < machine->esp_count; i++) {
        if (!machine->disks[machine->partitions[machine->esps[i].partition].disk].removable)
            return false;
    }
    return roles_disk_is_bios(machine, disk);
}

static enum status prepare_disk(struct plan *plan, const struct roles *roles,
                                const struct prepare_request *request, struct guid *ret_esp)
{
    enum status status = check_disk(plan, request->disk);

    if (status != ST_OK)
        return status;
    if (is_started_by_bios(plan->machine, request->disk))
        return plan_refuse(plan, ST_REFUSED,
                           "Disk %zu is started by the code in its MBR, as BIOS does, and no disk "
                           "of this machine by UEFI: it is left as it is. Nothing was changed.",
                           request->disk);
    struct prepare prepare = {
        .plan = plan,
        .machine = plan->machine,
        .roles = roles,
        .request = request,
        .disk = request->disk,
        .on = &plan->machine->disks[request->disk],
        .source = NO_INDEX,
        .old = NO_INDEX,
        .label = "",
    };
    if (prepare.on->style == DISK_RAW)
        return prepare_blank(&prepare, ret_esp);
    status = gpt_state_check(plan, request->disk);
    if (status != ST_OK)
        return status;
    size_t esp = roles_esp_of(plan->machine, request->disk);
    if (esp != NO_INDEX)
        return prepare_esp(&prepare, esp, ret_esp);
    return prepare_new_esp(&prepare, ret_esp);
}

enum status plan_prepare(struct plan *plan, const struct roles *roles,
                         const struct prepare_request *request, struct guid *ret_esp)
{
    struct guid esp = *ret_esp;

    enum status status = prepare_disk(plan, roles, request, &esp);
    if (status == ST_OK)
        status = plan_boot_stores(plan, roles, request->disk, NO_INDEX);
    if (status == ST_OK)
        *ret_esp = esp;
    return status;
}
