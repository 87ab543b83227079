#include "plan/boot_stores.h"

#include "base/mem.h"
#include "base/print.h"
#include "base/text.h"
#include "format/fat_edit.h"
#include "model/boot_paths.h"
#include "model/boot_store.h"
#include "plan/esp_files.h"
#include "plan/esp_guard.h"
#include "plan/owner_guard.h"
#include "plan/place.h"
#include "plan/project.h"

/* One ESP whose store is looked at. */
struct store_work {
    struct plan *plan;
    const struct roles *roles;
    const struct machine *later; /* as it will be */
    const struct esp *esp;       /* of it */
    size_t own;                  /* partition of it: the copy on the same disk */
    struct bcd_choice choice;
};

/* --- What has to change --------------------------------------------------------------------- */

/* The partition of the member's copy on the machine as it will be; NO_INDEX for none. */
static size_t copy_partition(const struct plan *plan, const struct machine *later,
                             const struct member *member)
{
    if (member->copy == NO_INDEX)
        return NO_INDEX;
    const struct system_copy *copy = &plan->machine->copies[member->copy];
    for (size_t i = 0; i < later->copy_count; i++) {
        if (later->copies[i].disk == copy->disk && later->copies[i].lba == copy->lba)
            return later->copies[i].partition;
    }
    return NO_INDEX;
}

/* True for a copy of the same volume on another disk, and for what is nowhere. */
static bool may_be_replaced(const struct store_work *work, const struct bcd_partition *named)
{
    size_t partition = boot_store_partition(work->later, named, 0);

    if (partition == NO_INDEX)
        return true;
    for (size_t i = 0; i < work->roles->member_count; i++) {
        if (copy_partition(work->plan, work->later, &work->roles->members[i]) == partition)
            return true;
    }
    return false;
}

/* True when the device is a partition other than the own one that has to give way to it. */
static bool is_elsewhere(const struct store_work *work, const struct bcd_device *device)
{
    struct bcd_partition own = boot_store_name(work->later, work->own);

    return device->kind == BCD_DEVICE_PARTITION && !bcd_partition_equal(&device->partition, &own) &&
           may_be_replaced(work, &device->partition);
}

/* --- The new store -------------------------------------------------------------------------- */

struct exchange {
    const struct bcd_partition *from, *to;
};

/* Carries out the steps on each device of an object. What is not understood stays as it is. */
static void exchange_in(const struct bcd_store *store, const struct bcd_object *object,
                        uint8_t *bytes, const struct exchange *steps, size_t count)
{
    struct bcd_element element;
    size_t changed = 0;

    for (size_t i = 0; bcd_element_at(store, object, i, &element) == ST_OK; i++) {
        uint8_t *data = bytes + (element.data.at - bytes);
        if (bcd_format(element.code) != BCD_FORMAT_DEVICE)
            continue;
        for (size_t j = 0; j < count; j++) {
            if (bcd_device_retarget(data, element.data.size, steps[j].from, steps[j].to,
                                    &changed) != ST_OK)
                break;
        }
    }
}

/* Changes places of two partitions in all devices of a store. */
static enum status swap(struct arena *arena, uint8_t *bytes, size_t size,
                        const struct bcd_partition *a, const struct bcd_partition *b)
{
    const struct bcd_partition nowhere = {
        .is_gpt = true, .partition = GUID_INIT(0x5ad0b007, 0x7e3d, 0x4c1a, 0x9b52, 0x6f0c3a9e41d7)};
    const struct exchange steps[] = {{a, &nowhere}, {b, a}, {&nowhere, b}};
    struct bcd_store store;
    struct bcd_object object;

    enum status status = bcd_open(arena, span_of(bytes, size), &store);
    for (size_t i = 0; status == ST_OK; i++) {
        enum status found = bcd_object_at(&store, i, &object);
        if (found == ST_ABSENT)
            break;
        if (found == ST_OK)
            exchange_in(&store, &object, bytes, steps, sizeof(steps) / sizeof(steps[0]));
    }
    return status;
}

/* Puts `to` in the place of `from` in the chosen loader alone. */
static enum status replace(const struct store_work *work, uint8_t *bytes, size_t size,
                           const struct bcd_partition *from, const struct bcd_partition *to)
{
    const struct exchange step = {from, to};
    struct bcd_store store;
    struct bcd_object loader;

    enum status status = bcd_open(work->plan->arena, span_of(bytes, size), &store);
    if (status == ST_OK)
        status = bcd_find(&store, &work->choice.loader.guid, &loader);
    if (status == ST_OK)
        exchange_in(&store, &loader, bytes, &step, 1);
    return status;
}

/* Where the boot manager says that it lies itself; ST_ABSENT when that is no partition. */
static enum status manager_place(struct arena *arena, struct span file,
                                 struct bcd_partition *ret_place)
{
    struct bcd_store store;
    struct bcd_object manager;
    struct bcd_device device;
    struct span data;

    enum status status = bcd_open(arena, file, &store);
    if (status == ST_OK)
        status = bcd_find(&store, &bcd_manager, &manager);
    if (status == ST_OK)
        status = bcd_element(&store, &manager, BCD_DEVICE, &data);
    if (status == ST_OK)
        status = bcd_device_read(data, &device);
    if (status != ST_OK || device.kind != BCD_DEVICE_PARTITION)
        return status == ST_NO_MEMORY ? status : ST_ABSENT;
    *ret_place = device.partition;
    return ST_OK;
}

static bool is_esp_or_nowhere(const struct machine *machine, const struct bcd_partition *named)
{
    size_t partition = boot_store_partition(machine, named, 0);

    return partition == NO_INDEX || machine->partitions[partition].kind == PT_ESP;
}

/* The loader's volume is swapped with the own one, so that a second loader keeps the other; a
 * system that is elsewhere all the same comes home. */
static enum status retarget(const struct store_work *work, uint8_t *bytes, size_t size)
{
    const struct bcd_device *device = &work->choice.device;
    const struct bcd_device *os = &work->choice.os_device;
    struct bcd_partition own = boot_store_name(work->later, work->own);
    bool moves = is_elsewhere(work, device);
    enum status status = ST_OK;

    if (moves)
        status = swap(work->plan->arena, bytes, size, &device->partition, &own);
    if (status != ST_OK || !work->choice.has_os_device ||
        (moves && bcd_partition_equal(&device->partition, &os->partition)))
        return status;
    /* What was the own one has been swapped away. */
    if (moves && bcd_partition_equal(&own, &os->partition))
        return replace(work, bytes, size, &device->partition, &own);
    return is_elsewhere(work, os) ? replace(work, bytes, size, &os->partition, &own) : ST_OK;
}

/* The store for the own disk, in the arena. */
static enum status make_store(const struct store_work *work, struct span *ret_file)
{
    struct arena *arena = work->plan->arena;
    const struct span old = work->esp->store_file;
    uint8_t *bytes = arena_copy(arena, old.at, old.size);
    struct bcd_partition esp = boot_store_name(work->later, work->esp->partition);
    struct bcd_partition manager;

    if (bytes == NULL)
        return ST_NO_MEMORY;
    enum status status = retarget(work, bytes, old.size);
    if (status == ST_OK)
        status = manager_place(arena, old, &manager);
    if (status == ST_OK && !bcd_partition_equal(&manager, &esp) &&
        is_esp_or_nowhere(work->later, &manager))
        status = swap(arena, bytes, old.size, &manager, &esp);
    if (status != ST_OK && status != ST_ABSENT)
        return status;
    *ret_file = span_of(bytes, old.size);
    return ST_OK;
}

/* --- Into the plan -------------------------------------------------------------------------- */

static size_t find_store(const struct files_change *files)
{
    for (size_t i = 0; i < files->count; i++) {
        if (text_equal_nocase(files->items[i].path, BOOT_STORE_PATH))
            return i;
    }
    return NO_INDEX;
}

/* The store as it lies on the ESP now, with another content. */
static struct file_copy item_of(const struct esp *esp, struct span file)
{
    const struct fat_file *old = &esp->report.files[fat_find(&esp->report, BOOT_STORE_PATH)];

    return (struct file_copy){.path = old->path,
                              .attributes = old->attributes & ESP_FILES_ATTRIBUTES,
                              .written = old->written,
                              .size = file.size,
                              .esp = NO_INDEX,
                              .content = file};
}

/* Puts the store into a change that the plan has for the ESP already. */
static enum status put_into(struct store_work *work, struct action *action, struct span file)
{
    struct arena *arena = work->plan->arena;
    struct disk_change *change = arena_copy(arena, action->change, sizeof(*change));
    size_t store = find_store(&action->change->files);
    size_t count = action->change->files.count;
    struct file_copy *items = arena_alloc(arena, count + 1, sizeof(*items));

    if (change == NULL || items == NULL)
        return ST_NO_MEMORY;
    memcpy(items, change->files.items, count * sizeof(*items));
    if (store == NO_INDEX)
        items[count++] = item_of(work->esp, file);
    else
        items[store] = (struct file_copy){.path = items[store].path,
                                          .attributes = items[store].attributes,
                                          .written = items[store].written,
                                          .size = file.size,
                                          .esp = NO_INDEX,
                                          .content = file};
    change->files = (struct files_change){items, count};
    action->change = change;
    plan_warn(work->plan, "The boot store of Disk %zu is made to start Windows from %s.",
              action->change->disk, place_text(arena, work->later, work->own));
    return work->plan->status;
}

/* Why the store cannot be written where it lies: ST_OK when it can. */
static enum status check_target(struct plan *plan, const struct esp *esp)
{
    size_t disk = plan->machine->partitions[esp->partition].disk;

    enum status status = owner_guard_disk(plan, disk);
    if (status == ST_OK)
        status = esp_guard_check(plan, esp->partition);
    if (status != ST_OK)
        return status;
    if (plan->machine->disks[disk].read_only)
        return plan_refuse(plan, ST_READ_ONLY,
                           "Disk %zu is write-protected, so its boot store stays as it is.", disk);
    if (esp->volume.from_backup || esp->volume.is_narrow || !fat_edit_is_possible(&esp->report))
        return plan_refuse(plan, ST_REFUSED,
                           "%s has a damaged file system, so its boot store stays as it is.",
                           place_text(plan->arena, plan->machine, esp->partition));
    return ST_OK;
}

/* Writes the store where it lies, by an action of its own. */
static enum status put_alone(struct store_work *work, const struct esp *now, struct span file)
{
    struct plan *plan = work->plan;
    const struct partition *partition = &plan->machine->partitions[now->partition];
    struct file_copy *item = arena_alloc(plan->arena, 1, sizeof(*item));
    struct disk_change change = {.kind = DISK_CHANGE_FILES,
                                 .disk = partition->disk,
                                 .first_lba = partition->first_lba,
                                 .block_count = partition->block_count,
                                 .files = {item, 1},
                                 .esp = (size_t)(now - plan->machine->esps)};

    if (item == NULL)
        return ST_NO_MEMORY;
    *item = item_of(now, file);
    enum status status = check_target(plan, now);
    if (status == ST_NO_MEMORY)
        return status;
    if (status != ST_OK) {
        plan_warn_of_refusal(plan, status);
        return plan->status;
    }
    plan_change_disk(plan, &change,
                     arena_printf(plan->arena,
                                  "write the boot store of %s anew, to start Windows from %s",
                                  place_text(plan->arena, plan->machine, now->partition),
                                  place_text(plan->arena, work->later, work->own)));
    return plan->status;
}

static const struct esp *esp_now(const struct machine *machine, size_t disk, uint64_t first_lba)
{
    for (size_t i = 0; i < machine->esp_count; i++) {
        const struct partition *own = &machine->partitions[machine->esps[i].partition];
        if (own->disk == disk && own->first_lba == first_lba)
            return &machine->esps[i];
    }
    return NULL;
}

static enum status put_store(struct store_work *work, struct span file)
{
    struct plan *plan = work->plan;
    const struct partition *place = &work->later->partitions[work->esp->partition];

    for (size_t i = 0; i < plan->count; i++) {
        const struct disk_change *change = plan->actions[i].change;
        bool brings = change != NULL &&
                      (change->kind == DISK_CHANGE_FORMAT || change->kind == DISK_CHANGE_FILES);
        if (brings && change->disk == place->disk && change->first_lba == place->first_lba)
            return put_into(work, &plan->actions[i], file);
    }
    const struct esp *now = esp_now(plan->machine, place->disk, place->first_lba);
    return now == NULL ? ST_OK : put_alone(work, now, file);
}

/* --- The whole ------------------------------------------------------------------------------ */

static enum status see_to_esp(struct store_work *work)
{
    struct span file;

    if (work->esp->store_status != ST_OK || work->esp->store != REGF_GOOD ||
        boot_store_choose(work->plan->arena, work->esp, &bcd_manager, &work->choice) != BCD_STARTS)
        return ST_OK;
    if (!is_elsewhere(work, &work->choice.device) &&
        !(work->choice.has_os_device && is_elsewhere(work, &work->choice.os_device)))
        return ST_OK;
    enum status status = make_store(work, &file);
    return status == ST_OK ? put_store(work, file) : status;
}

static enum status see_to_member(struct plan *plan, const struct roles *roles,
                                 const struct machine *later, const struct member *member)
{
    struct store_work work = {
        .plan = plan, .roles = roles, .later = later, .own = copy_partition(plan, later, member)};
    enum status status = ST_OK;

    if (work.own == NO_INDEX)
        return ST_OK;
    for (size_t i = 0; i < later->esp_count && status == ST_OK; i++) {
        work.esp = &later->esps[i];
        if (later->partitions[work.esp->partition].disk == member->disk)
            status = see_to_esp(&work);
    }
    return status;
}

enum status plan_boot_stores(struct plan *plan, const struct roles *roles, size_t disk,
                             size_t left_out)
{
    struct machine *later = arena_alloc(plan->arena, 1, sizeof(*later));

    if (later == NULL)
        return ST_NO_MEMORY;
    enum status status = project_machine(plan->arena, plan, later);
    for (size_t i = 0; i < roles->member_count && status == ST_OK; i++) {
        bool meant = disk == NO_INDEX || roles->members[i].disk == disk;
        if (meant && i != left_out)
            status = see_to_member(plan, roles, later, &roles->members[i]);
    }
    return status;
}
