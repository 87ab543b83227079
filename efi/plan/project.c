#include "plan/project.h"

#include "base/mem.h"
#include "base/sort.h"
#include "base/text.h"
#include "format/gpt_edit.h"
#include "model/resolve.h"
#include "plan/free_space.h"
#include "project_parts.h"

/* The work on the copy. */
struct projection {
    struct arena *arena;
    const struct plan *plan;
    const struct machine *before;
    struct machine after;
    size_t *places; /* of the partitions before: their indices now; NO_INDEX when they are gone or
                     * another partition now */
    bool *changed;  /* of the partitions before: the table says something else of them */
};

/* --- Copies ----------------------------------------------------------------------------------- */

/* How many slots and file systems the plan's changes name: that much there may be more of. */
static size_t count_new(const struct plan *plan)
{
    size_t count = 0;

    for (size_t i = 0; i < plan->count; i++) {
        const struct disk_change *change = plan->actions[i].change;
        if (change != NULL)
            count += change->gpt.slot_count + 1;
    }
    return count;
}

/* A copy of `count` items in the arena, with room for `more`. */
static void *copy_items(struct arena *arena, const void *items, size_t count, size_t more,
                        size_t size)
{
    void *copy = arena_alloc(arena, count + more, size);

    if (copy != NULL && count > 0)
        memcpy(copy, items, count * size);
    return copy;
}

static enum status copy_machine(struct projection *project)
{
    struct machine *after = &project->after;
    struct arena *arena = project->arena;
    size_t more = count_new(project->plan);

    *after = *project->before;
    after->disks = copy_items(arena, after->disks, after->disk_count, 0, sizeof(*after->disks));
    after->partitions = copy_items(arena, after->partitions, after->partition_count, more,
                                   sizeof(*after->partitions));
    after->entries =
        copy_items(arena, after->entries, after->entry_count, 0, sizeof(*after->entries));
    after->esps = copy_items(arena, after->esps, after->esp_count, more + after->source_count,
                             sizeof(*after->esps));
    after->copies = copy_items(arena, after->copies, after->copy_count, 0, sizeof(*after->copies));
    after->md_members =
        copy_items(arena, after->md_members, after->md_count, 0, sizeof(*after->md_members));
    after->md_volumes =
        copy_items(arena, after->md_volumes, after->md_volume_count, 0, sizeof(*after->md_volumes));
    project->places = arena_alloc(arena, after->partition_count, sizeof(*project->places));
    project->changed = arena_alloc(arena, after->partition_count, sizeof(*project->changed));
    if (after->disks == NULL || after->partitions == NULL || after->entries == NULL ||
        after->esps == NULL || after->copies == NULL || after->md_members == NULL ||
        after->md_volumes == NULL || project->places == NULL || project->changed == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < after->partition_count; i++)
        project->places[i] = i;
    return ST_OK;
}

/* --- The partition table ---------------------------------------------------------------------- */

static bool is_change(const struct action *action, enum disk_change_kind kind)
{
    return action_changes_disk(action) && action->change->kind == kind;
}

/* A table that was written anew, both copies and the protective MBR. */
static void project_table(struct disk *disk, const struct gpt_change *gpt)
{
    const struct gpt_copy *table = disk_good_table(disk);
    struct gpt_header header = {.entry_size = GPT_ENTRY_MIN_SIZE};
    uint64_t last = disk->block_count - 1;

    if (table != NULL)
        header = table->header;
    if (header.entry_count < GPT_ENTRIES_MIN)
        header.entry_count = GPT_ENTRIES_MIN;
    if (gpt->fresh || gpt->renames_disk)
        disk->guid = gpt->disk_guid;
    header.disk_guid = disk->guid;
    (void)free_space_usable(disk, &header.first_usable_lba, &header.last_usable_lba);
    header.my_lba = GPT_PRIMARY_LBA;
    header.alternate_lba = last;
    header.entries_lba = GPT_PRIMARY_LBA + 1;
    disk->primary = (struct gpt_copy){GPT_FINE, GPT_PRIMARY_LBA, header};
    header.my_lba = last;
    header.alternate_lba = GPT_PRIMARY_LBA;
    header.entries_lba = header.last_usable_lba + 1;
    disk->backup = (struct gpt_copy){GPT_FINE, last, header};
    disk->style = DISK_GPT;
    disk->blank = false;
    disk->copies_differ = false;
    if (!gpt->write_mbr)
        return;
    disk->mbr.kind = MBR_PROTECTIVE;
    disk->mbr.protective_at_lba_1 = true;
    disk->mbr_unreadable = false;
}

static size_t find_slot(const struct machine *machine, size_t disk, uint32_t slot)
{
    for (size_t i = 0; i < machine->partition_count; i++) {
        const struct partition *own = &machine->partitions[i];
        if (own->disk == disk && own->hd_number == slot + 1)
            return i;
    }
    return NO_INDEX;
}

/* Takes the partition out of the list. */
static void remove_partition(struct projection *project, size_t index)
{
    struct machine *after = &project->after;

    for (size_t i = index + 1; i < after->partition_count; i++)
        after->partitions[i - 1] = after->partitions[i];
    after->partition_count--;
    for (size_t i = 0; i < project->before->partition_count; i++) {
        size_t *place = &project->places[i];
        if (*place == index) {
            *place = NO_INDEX;
            project->changed[i] = true;
        } else if (*place != NO_INDEX && *place > index) {
            (*place)--;
        }
    }
}

/* Makes room behind all partitions of earlier disks, and of this disk those that begin earlier. */
static size_t insert_partition(struct projection *project, size_t disk, uint64_t first_lba)
{
    struct machine *after = &project->after;
    size_t at = 0;

    while (at < after->partition_count &&
           (after->partitions[at].disk < disk ||
            (after->partitions[at].disk == disk && after->partitions[at].first_lba < first_lba)))
        at++;
    for (size_t i = after->partition_count; i > at; i--)
        after->partitions[i] = after->partitions[i - 1];
    after->partition_count++;
    for (size_t i = 0; i < project->before->partition_count; i++) {
        size_t *place = &project->places[i];
        if (*place != NO_INDEX && *place >= at)
            (*place)++;
    }
    return at;
}

static void note_changed(struct projection *project, size_t index)
{
    for (size_t i = 0; i < project->before->partition_count; i++)
        project->changed[i] |= project->places[i] == index;
}

/* A partition as the entry says; what only the firmware's mounted volumes tell is kept when it was
 * there before. */
static enum status project_partition(struct projection *project, size_t disk,
                                     const struct gpt_slot *slot)
{
    const struct gpt_entry *entry = &slot->entry;
    struct partition *own = NULL;
    size_t index = find_slot(&project->after, disk, slot->slot);
    const char *name = text_from_ucs2(project->arena, span_of(entry->name, sizeof(entry->name)));

    if (name == NULL)
        return ST_NO_MEMORY;
    if (index != NO_INDEX && project->after.partitions[index].first_lba != entry->first_lba) {
        remove_partition(project, index);
        index = NO_INDEX;
    }
    if (index == NO_INDEX) {
        index = insert_partition(project, disk, entry->first_lba);
        own = &project->after.partitions[index];
        *own = (struct partition){.fallback_status = ST_UNSUPPORTED, .volume = NO_INDEX};
    } else {
        own = &project->after.partitions[index];
        note_changed(project, index);
    }
    own->disk = disk;
    own->hd_number = slot->slot + 1;
    own->first_lba = entry->first_lba;
    own->block_count = entry->last_lba - entry->first_lba + 1;
    own->kind = partition_type_of(&entry->type);
    own->type = entry->type;
    own->unique = entry->unique;
    own->attributes = entry->attributes;
    own->name = name;
    own->out_of_range = false;
    own->overlaps = false;
    own->guid_repeated = false;
    return ST_OK;
}

static enum status change_table(struct projection *project, const struct disk_change *change)
{
    project_table(&project->after.disks[change->disk], &change->gpt);
    for (size_t i = 0; i < change->gpt.identity_count; i++) {
        const struct gpt_identity *identity = &change->gpt.identities[i];
        size_t index = find_slot(&project->after, change->disk, identity->slot);
        if (index == NO_INDEX)
            continue;
        project->after.partitions[index].unique = identity->unique;
        project->after.partitions[index].guid_repeated = false;
        note_changed(project, index);
    }
    for (size_t i = 0; i < change->gpt.slot_count; i++) {
        const struct gpt_slot *slot = &change->gpt.slots[i];
        if (gpt_entry_is_used(&slot->entry)) {
            enum status status = project_partition(project, change->disk, slot);
            if (status != ST_OK)
                return status;
            continue;
        }
        size_t index = find_slot(&project->after, change->disk, slot->slot);
        if (index != NO_INDEX)
            remove_partition(project, index);
    }
    return ST_OK;
}

/* Numbers as people see them, and where the partitions of each disk stand. */
static void number_partitions(struct machine *after)
{
    size_t next = 0;

    for (size_t i = 0; i < after->disk_count; i++) {
        struct disk *disk = &after->disks[i];
        disk->first_partition = next;
        while (next < after->partition_count && after->partitions[next].disk == i) {
            after->partitions[next].number = (uint32_t)(next - disk->first_partition + 1);
            next++;
        }
        disk->partition_count = next - disk->first_partition;
    }
}

/* --- What refers to partitions ---------------------------------------------------------------- */

static size_t place_after(const struct projection *project, size_t partition)
{
    return partition == NO_INDEX ? NO_INDEX : project->places[partition];
}

static void move_esps(const struct projection *project, struct machine *after)
{
    size_t kept = 0;

    for (size_t i = 0; i < after->esp_count; i++) {
        size_t place = place_after(project, after->esps[i].partition);
        bool was_esp = project->before->partitions[after->esps[i].partition].kind == PT_ESP;
        if (place == NO_INDEX || (was_esp && after->partitions[place].kind != PT_ESP))
            continue;
        after->esps[kept] = after->esps[i];
        after->esps[kept++].partition = place;
    }
    after->esp_count = kept;
}

static void move_md(const struct projection *project, struct machine *after)
{
    size_t kept = 0;

    for (size_t i = 0; i < after->md_count; i++) {
        size_t place = place_after(project, after->md_members[i].partition);
        if (place == NO_INDEX)
            continue;
        after->md_members[kept] = after->md_members[i];
        after->md_members[kept++].partition = place;
    }
    after->md_count = kept;
    kept = 0;
    for (size_t i = 0; i < after->md_volume_count; i++) {
        size_t place = place_after(project, after->md_volumes[i].partition);
        if (place == NO_INDEX)
            continue;
        after->md_volumes[kept] = after->md_volumes[i];
        after->md_volumes[kept++].partition = place;
    }
    after->md_volume_count = kept;
}

/* ESPs that are none any more are left out; md members likewise. */
static void move_contents(struct projection *project)
{
    struct machine *after = &project->after;

    move_esps(project, after);
    move_md(project, after);
    for (size_t i = 0; i < after->copy_count; i++)
        after->copies[i].partition = place_after(project, after->copies[i].partition);
}

/* Looks a path up anew where the partition it led to is not what it was, or there was none. */
static enum status move_target(const struct projection *project, struct span path,
                               struct target *io_target)
{
    size_t before = io_target->partition;
    struct target target;

    if (!io_target->has_hd)
        return ST_OK;
    if (before != NO_INDEX && !project->changed[before]) {
        io_target->partition = project->places[before];
        return ST_OK;
    }
    enum status status = resolve_path(project->arena, &project->after, NULL, path, &target);
    if (status != ST_OK)
        return status;
    *io_target = target;
    return ST_OK;
}

static enum status move_entries(const struct projection *project)
{
    for (size_t i = 0; i < project->after.entry_count; i++) {
        struct entry *entry = &project->after.entries[i];
        if (entry->status != ST_OK)
            continue;
        enum status status = move_target(project, entry->option.path, &entry->boot);
        bool has_os = entry->optional_kind == OPTIONAL_WINDOWS &&
                      entry->windows.path_type == WINDOWS_PATH_EFI;
        if (status == ST_OK && has_os)
            status = move_target(project, entry->windows.path_data, &entry->os);
        if (status != ST_OK)
            return status;
    }
    return ST_OK;
}

/* --- File systems ----------------------------------------------------------------------------- */

/* What copies of Windows keep, behind all ESPs again; a partition of theirs that is gone takes it
 * along. */
static void move_sources(const struct projection *project, struct machine *after)
{
    const struct machine *before = project->before;

    after->source_count = 0;
    for (size_t i = 0; i < before->source_count; i++) {
        struct esp source = before->esps[before->esp_count + i];
        source.partition = place_after(project, source.partition);
        if (source.partition != NO_INDEX)
            after->esps[after->esp_count + after->source_count++] = source;
    }
}

/* The file system is what it was, and firmware finds it. */
static void mend_esp(struct machine *after, const struct disk_change *change)
{
    size_t index =
        machine_partition_at(after, change->disk, change->first_lba, change->block_count);
    size_t esp = index == NO_INDEX ? NO_INDEX : machine_find_esp(after, index);

    if (esp == NO_INDEX)
        return;
    after->esps[esp].content = CONTENT_FAT;
    after->esps[esp].volume.from_backup = false;
    after->esps[esp].report.problems[FAT_BOOT_SECTOR_FROM_BACKUP] = 0;
}

/* Tables first: a file system is made in free space before the table shows it. */
enum status project_machine(struct arena *arena, const struct plan *plan,
                            struct machine *ret_machine)
{
    struct projection project = {.arena = arena, .plan = plan, .before = plan->machine};
    enum status status = copy_machine(&project);

    for (size_t i = 0; status == ST_OK && i < plan->count; i++) {
        const struct disk_change *change = plan->actions[i].change;
        if (is_change(&plan->actions[i], DISK_CHANGE_GPT))
            status = change_table(&project, change);
        if (is_change(&plan->actions[i], DISK_CHANGE_SIGNATURE))
            project.after.disks[change->disk].mbr.signature = change->signature;
    }
    if (status != ST_OK)
        return status;
    number_partitions(&project.after);
    move_contents(&project);
    status = move_entries(&project);
    for (size_t i = 0; status == ST_OK && i < plan->count; i++) {
        const struct action *action = &plan->actions[i];
        if (is_change(action, DISK_CHANGE_BOOT_SECTOR))
            mend_esp(&project.after, action->change);
        if (is_change(action, DISK_CHANGE_FORMAT) || is_change(action, DISK_CHANGE_FILES))
            status = project_files(arena, project.before, action->change, &project.after);
    }
    move_sources(&project, &project.after);
    if (status == ST_OK)
        status = project_variables(arena, plan, &project.after);
    if (status == ST_OK)
        *ret_machine = project.after;
    return status;
}
