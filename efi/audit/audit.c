#include "audit/audit.h"

#include "audit/collector.h"
#include "audit/installed.h"
#include "audit/secure.h"
#include "base/print.h"
#include "base/text.h"
#include "model/boot_paths.h"
#include "model/firmware_entry.h"

/* A copy of the table in whose place somebody's mark lies is not there for a good reason, and is
 * not written there: that is said instead. */
static void audit_gpt_copies(struct collector *to, const struct disk *disk, size_t index)
{
    bool primary_bad = disk->primary.problem != GPT_FINE;
    bool backup_bad = disk->backup.problem != GPT_FINE;

    if (disk->primary.problem == GPT_OF_LARGER_DISK) {
        collect_at_disk(to, FINDING_GPT_OF_LARGER_DISK, index, "");
        return;
    }
    if (primary_bad && backup_bad) {
        const char *detail = arena_printf(to->arena, ": primary: %s; backup: %s.",
                                          gpt_problem_text(disk->primary.problem),
                                          gpt_problem_text(disk->backup.problem));
        collect_at_disk(to, FINDING_GPT_BOTH_DAMAGED, index, detail);
        return;
    }
    if (primary_bad && !disk_is_marked_at(disk, false))
        collect_at_disk(to, FINDING_GPT_PRIMARY_DAMAGED, index,
                        collect_because(to, gpt_problem_text(disk->primary.problem)));
    if (backup_bad && !disk_is_marked_at(disk, true))
        collect_at_disk(to, FINDING_GPT_BACKUP_DAMAGED, index,
                        collect_because(to, gpt_problem_text(disk->backup.problem)));
    if (disk->copies_differ)
        collect_at_disk(to, FINDING_GPT_COPIES_DIFFER, index, "");
    if (!primary_bad && disk->primary.header.alternate_lba != disk->block_count - 1 &&
        !disk_is_marked_at(disk, true))
        collect_at_disk(to, FINDING_GPT_BACKUP_NOT_AT_END, index, "");
}

/* Says who else claims the disk, or the space behind its table. */
static void audit_owner(struct collector *to, const struct disk *disk, size_t index)
{
    enum owner owner = disk->owner.owner;
    char offset[THOUSANDS_SIZE];

    if (owner_is_raid(owner))
        collect_at_disk(to, FINDING_DISK_RAID_MEMBER, index,
                        arena_printf(to->arena, " %s. What to use instead: %s.", owner_name(owner),
                                     owner_tool(owner)));
    else if (owner != OWNER_NOBODY && disk->style == DISK_GPT)
        collect_at_disk(
            to, FINDING_SPACE_TAKEN, index,
            arena_printf(to->arena, " %s, at byte %s. What to use instead: %s.", owner_name(owner),
                         format_thousands(disk->owner.offset, offset), owner_tool(owner)));
}

static void audit_disk(struct collector *to, const struct machine *machine, size_t index)
{
    const struct disk *disk = &machine->disks[index];

    if (disk->status != ST_OK) {
        collect_at_disk(to, FINDING_DISK_UNREADABLE, index, "");
        return;
    }
    if (disk->table_block_size != 0) {
        collect_at_disk(to, FINDING_GPT_OTHER_BLOCK_SIZE, index,
                        arena_printf(to->arena, " %u bytes, and here the disk has %u.",
                                     disk->table_block_size, disk->block_size));
        return;
    }
    if (disk->style == DISK_GPT) {
        audit_gpt_copies(to, disk, index);
        if (disk->mbr_unreadable)
            collect_at_disk(to, FINDING_GPT_MBR_UNREADABLE, index, "");
        else if (!disk->mbr.protective_at_lba_1 && !disk_is_marked_at(disk, false))
            collect_at_disk(to, FINDING_GPT_NO_PROTECTIVE_MBR, index, "");
        if (disk->mbr.kind == MBR_HYBRID)
            collect_at_disk(to, FINDING_GPT_HYBRID_MBR, index, "");
    }
    audit_owner(to, disk, index);
    if (disk->guid_repeated)
        collect_at_disk(to, FINDING_DISK_GUID_REPEATED, index, "");
}

/* Free space that is not free, where it was looked at. */
static void audit_claims(struct collector *to, const struct machine *machine)
{
    for (size_t i = 0; i < machine->claim_count; i++) {
        const struct claim *claim = &machine->claims[i];
        enum owner owner = claim->mark.owner;
        char offset[THOUSANDS_SIZE];
        collect_at_disk(
            to, FINDING_SPACE_TAKEN, claim->disk,
            arena_printf(to->arena, " %s, at byte %s. What to use instead: %s.", owner_name(owner),
                         format_thousands(claim->mark.offset, offset), owner_tool(owner)));
    }
}

static void audit_partition(struct collector *to, const struct machine *machine, size_t index)
{
    const struct partition *partition = &machine->partitions[index];

    if (partition->out_of_range)
        collect_at_partition(to, FINDING_PARTITION_OUT_OF_RANGE, index, "");
    if (partition->overlaps)
        collect_at_partition(to, FINDING_PARTITION_OVERLAPS, index, "");
    if (partition->guid_repeated)
        collect_at_partition(to, FINDING_PARTITION_GUID_REPEATED, index, "");
}

enum status audit_disks(struct arena *arena, const struct machine *machine,
                        struct findings *ret_findings)
{
    struct collector to = {.arena = arena};

    audit_claims(&to, machine);
    for (size_t i = 0; i < machine->disk_count; i++) {
        const struct disk *disk = &machine->disks[i];
        audit_disk(&to, machine, i);
        for (size_t j = 0; j < disk->partition_count; j++)
            audit_partition(&to, machine, disk->first_partition + j);
    }
    return collect_finish(&to, ret_findings);
}

static void audit_order(struct collector *to, const struct machine *machine)
{
    const struct boot_order *order = &machine->order;
    size_t here = 0;

    if (order_is_missing(machine))
        collect_at_machine(to, FINDING_ORDER_MISSING, "");
    bool read = order->status == ST_OK || order->value.at != NULL;
    if (!read && order->status != ST_ABSENT)
        collect_at_machine(to, FINDING_ORDER_UNREADABLE,
                           collect_because(to, status_text(order->status)));
    if (read && order->status == ST_DAMAGED)
        collect_at_machine(to, FINDING_ORDER_ODD_SIZE, "");
    for (size_t i = 0; i < order->count; i++) {
        uint16_t number = order->numbers[i];
        for (here = 0; order->numbers[here] != number; here++)
            continue;
        if (here != i) {
            collect_at_machine(to, FINDING_ORDER_REPEATS,
                               arena_printf(to->arena, " Boot%04X.", number));
        } else if (machine_find_entry(machine, number) == NO_INDEX) {
            collect_at_machine(to, FINDING_ORDER_NAMES_ABSENT,
                               arena_printf(to->arena, " Boot%04X.", number));
        }
    }
}

static void audit_variable_store(struct collector *to, const struct machine *machine)
{
    const struct var_space *space = &machine->space;

    if (!machine_knows_entries(machine))
        collect_at_machine(to, FINDING_ENTRIES_UNKNOWN, "");
    else if (machine->entries_status != ST_OK)
        collect_at_machine(to, FINDING_VARIABLES_UNREADABLE,
                           collect_because(to, status_text(machine->entries_status)));
    if (secure_is_unknown(&machine->secure))
        collect_at_machine(to, FINDING_SECURE_UNKNOWN, "");
    if (machine->variables_repeated)
        collect_at_machine(to, FINDING_VARIABLES_REPEATED, "");
    if (machine->space_status == ST_OK && space->remaining < space->total / 2) {
        char total[THOUSANDS_SIZE];
        char left[THOUSANDS_SIZE];
        collect_at_machine(to, FINDING_STORE_NEARLY_FULL,
                           arena_printf(to->arena, " %s of %s bytes are left.",
                                        format_thousands(space->remaining, left),
                                        format_thousands(space->total, total)));
    }
}

static bool targets_equal(const struct target *a, const struct target *b)
{
    if (a->has_hd != b->has_hd)
        return false;
    if (a->has_hd && (!hd_node_same_partition(&a->hd, &b->hd) || hd_node_names_none(&a->hd)))
        return false;
    if ((a->file == NULL) != (b->file == NULL))
        return false;
    return a->file == NULL || text_equal_nocase(a->file, b->file);
}

bool entries_start_the_same(const struct entry *a, const struct entry *b)
{
    if (a->status != ST_OK || b->status != ST_OK)
        return false;
    if (!targets_equal(&a->boot, &b->boot))
        return false;
    if (!span_equal(a->option.optional, b->option.optional))
        return false;
    /* Without a partition the whole path tells what is started. */
    return a->boot.has_hd || span_equal(a->option.path, b->option.path);
}

/* The nodes that lead to the partition: none in a short path. */
static struct span way_to_partition(struct span path)
{
    struct hd_node hd;
    size_t offset = 0;

    if (!devpath_find_hd(path, &hd, &offset))
        return path;
    return span_part(path, 0, offset);
}

/* Only a file on a disk makes a start that can be said twice. */
static bool is_file_on_a_disk(const struct entry *entry)
{
    return entry->boot.file != NULL && (entry->boot.has_hd || entry->form == DEVPATH_FORM_FULL) &&
           !entry_is_firmwares(entry);
}

/* True when both start the same file of a disk, on the same way. */
static bool are_duplicates(const struct entry *a, const struct entry *b)
{
    if (!entries_start_the_same(a, b) || !is_file_on_a_disk(a) || !is_file_on_a_disk(b))
        return false;
    return a->boot.hd.start == b->boot.hd.start && a->boot.hd.size == b->boot.hd.size &&
           span_equal(way_to_partition(a->option.path), way_to_partition(b->option.path));
}

/* True when firmware tries the earlier entry wherever it would have tried the later one. */
static bool stands_in_for(const struct entry *earlier, const struct entry *later)
{
    uint32_t kind = LOAD_OPTION_ACTIVE | LOAD_OPTION_CATEGORY;
    bool tried = earlier->in_order || !later->in_order;
    bool as_good = (earlier->option.attributes & kind) == LOAD_OPTION_ACTIVE ||
                   (earlier->option.attributes & kind) == (later->option.attributes & kind);

    return tried && as_good && are_duplicates(earlier, later);
}

size_t entry_stand_in(const struct machine *machine, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (stands_in_for(&machine->entries[i], &machine->entries[index]))
            return i;
    }
    return NO_INDEX;
}

/* A device or partition that the firmware knows of and that is not there now. Its own entries come
 * and go with what they lead to. */
static bool device_gone(const struct machine *machine, const struct entry *entry)
{
    bool placed = true;

    for (size_t i = 0; i < machine->disk_count; i++)
        placed = placed && !machine->disks[i].place_unknown;
    if (entry->boot.has_hd)
        return entry->boot.partition == NO_INDEX && !hd_node_names_none(&entry->boot.hd);
    return entry->form == DEVPATH_FORM_FULL && load_option_is_auto_created(&entry->option) &&
           entry->boot.disk == NO_INDEX && placed && !devpath_is_network(entry->option.path);
}

static void audit_partition_of(struct collector *to, const struct machine *machine, size_t index)
{
    const struct hd_node *hd = &machine->entries[index].boot.hd;
    struct guid guid = guid_load(hd->signature);
    char text[GUID_TEXT_SIZE];

    if (hd_node_names_none(hd)) {
        collect_at_entry(to, FINDING_ENTRY_NAMES_NONE, index, "");
        return;
    }
    guid_format(&guid, text);
    collect_at_entry(to, FINDING_ENTRY_PARTITION_GONE, index,
                     arena_printf(to->arena, ": %s.", text));
}

/* A piece of a RAID that firmware cannot put together: what is found in it by itself is nothing that
 * anybody has put there. */
static bool is_md_piece(const struct machine *machine, size_t partition)
{
    const struct md_volume *own = machine_md_volume(machine, partition);

    return own != NULL && own->use == MD_PIECE;
}

/* True for an entry of shadowboot's own, which `install` keeps (audit_installed). */
static bool is_own(const struct collector *to, const struct machine *machine, size_t index)
{
    const char *path = installed_path(to->arena, machine);

    return path != NULL && installed_entry_is_own(&machine->entries[index], path);
}

/* Of partitions with one GUID firmware may mean another: that has a finding of its own. */
static void audit_file_gone(struct collector *to, const struct machine *machine, size_t index)
{
    const struct target *boot = &machine->entries[index].boot;
    const struct partition *partition = &machine->partitions[boot->partition];

    if (partition->guid_repeated || is_md_piece(machine, boot->partition))
        return;
    collect_at_entry(
        to, is_own(to, machine, index) ? FINDING_INSTALL_FILE_GONE : FINDING_ENTRY_FILE_GONE, index,
        arena_printf(to->arena, " %s on Disk %zu Partition %u.", boot->file, partition->disk,
                     partition->number));
}

static void audit_target(struct collector *to, const struct machine *machine, size_t index)
{
    const struct entry *entry = &machine->entries[index];
    const struct target *boot = &entry->boot;

    if (entry_is_firmwares(entry)) {
        if (device_gone(machine, entry))
            collect_at_entry(to, FINDING_ENTRY_DISK_GONE, index, "");
        return;
    }
    if (boot->has_hd && boot->partition == NO_INDEX)
        audit_partition_of(to, machine, index);
    if (boot->partition != NO_INDEX && boot->file_status == ST_ABSENT)
        audit_file_gone(to, machine, index);
    if (boot->moved)
        collect_at_entry(to, FINDING_ENTRY_PLACE_WRONG, index, "");
    if (boot->elsewhere)
        collect_at_entry(to, FINDING_ENTRY_ELSEWHERE, index, "");
}

static void audit_duplicate(struct collector *to, const struct machine *machine, size_t index)
{
    size_t earlier = entry_stand_in(machine, index);

    if (earlier != NO_INDEX)
        collect_at_entry(to, FINDING_ENTRY_DUPLICATE, index,
                         arena_printf(to->arena, " Boot%04X.", machine->entries[earlier].number));
}

static void audit_entry(struct collector *to, const struct machine *machine, size_t index)
{
    const struct entry *entry = &machine->entries[index];

    if (entry->status != ST_OK) {
        const char *why =
            entry->status == ST_DAMAGED ? "its structure is broken" : status_text(entry->status);
        collect_at_entry(to, FINDING_ENTRY_DAMAGED, index, collect_because(to, why));
        return;
    }
    audit_target(to, machine, index);
    audit_duplicate(to, machine, index);
    bool is_boot = (entry->option.attributes & LOAD_OPTION_CATEGORY) == 0; /* no application */
    if (is_boot && !entry->in_order && !order_is_missing(machine) && !is_own(to, machine, index))
        collect_at_entry(to, FINDING_ENTRY_NOT_IN_ORDER, index, "");
}

/* Firmware may start such an entry from the wrong disk (of two with one GUID it tries the
 * first). */
static void audit_ambiguous(struct collector *to, const struct machine *machine)
{
    for (size_t i = 0; i < machine->partition_count; i++) {
        bool named = false;
        for (size_t j = 0; j < machine->entry_count && machine->partitions[i].guid_repeated; j++)
            named |= entry_mentions_guid(&machine->entries[j], &machine->partitions[i].unique);
        if (named)
            collect_at_partition(to, FINDING_PARTITION_GUID_REPEATED, i, "");
    }
}

/* True when another ESP of the disk has the file: firmware tries all file systems of a disk. */
static bool disk_has_fallback(const struct machine *machine, size_t disk)
{
    for (size_t i = 0; i < machine->partition_count; i++) {
        const struct partition *own = &machine->partitions[i];
        if (own->disk == disk && own->fallback_status == ST_OK)
            return true;
    }
    return false;
}

static void audit_fallbacks(struct collector *to, const struct machine *machine)
{
    for (size_t i = 0; i < machine->partition_count; i++) {
        const struct partition *partition = &machine->partitions[i];
        if (partition->fallback_status != ST_ABSENT || machine->disks[partition->disk].removable ||
            is_md_piece(machine, i) || disk_has_fallback(machine, partition->disk))
            continue;
        collect_at_partition(to, FINDING_FALLBACK_MISSING, i,
                             arena_printf(to->arena, " %s.", machine->fallback));
    }
}

enum status audit_entries(struct arena *arena, const struct machine *machine,
                          struct findings *ret_findings)
{
    struct collector to = {.arena = arena};

    audit_variable_store(&to, machine);
    if (machine->variables_in_file)
        collect_at_partition(&to, FINDING_VARIABLES_IN_FILE, machine->variables_place,
                             " " BOOT_VARIABLES_PATH ".");
    audit_order(&to, machine);
    for (size_t i = 0; i < machine->entry_count; i++)
        audit_entry(&to, machine, i);
    audit_ambiguous(&to, machine);
    audit_fallbacks(&to, machine);
    return collect_finish(&to, ret_findings);
}

bool findings_have(const struct findings *findings, enum severity severity)
{
    for (size_t i = 0; i < findings->count; i++) {
        if (finding_severity(findings->items[i].code) == severity)
            return true;
    }
    return false;
}

const struct finding *findings_about_order(const struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        enum finding_code code = findings->items[i].code;
        if (code >= FINDING_ORDER_MISSING && code <= FINDING_ORDER_REPEATS)
            return &findings->items[i];
    }
    return NULL;
}
