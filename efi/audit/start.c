#include "audit/start.h"

#include "audit/trial.h"
#include "base/print.h"
#include "model/resolve.h"

const char *verdict_name(enum verdict verdict)
{
    static const char *const names[] = {"starts", "fallback", "perhaps", "fails", "unknown"};

    return names[verdict];
}

/*
 * The partition that an entry's path leads to when the other members are gone; NO_INDEX for none. A
 * full path has to name it byte for byte; of a short one edk2 compares identity and number only.
 */
static size_t find_partition(const struct trial *trial, const struct entry *entry)
{
    const struct machine *machine = trial->machine;
    size_t rest = 0;
    size_t on = entry->form == DEVPATH_FORM_FULL ? resolve_disk(machine, entry->option.path, &rest)
                                                 : NO_INDEX;

    if (entry->form == DEVPATH_FORM_FULL && on == NO_INDEX)
        return NO_INDEX;
    for (size_t i = 0; i < machine->disk_count; i++) {
        if (trial_disk_is_gone(trial, i) || (on != NO_INDEX && on != i))
            continue;
        size_t partition = resolve_hd(machine, i, &entry->boot.hd);
        if (partition == NO_INDEX)
            continue;
        struct hd_node hd = partition_hd_node(machine, &machine->partitions[partition]);
        bool same_place = hd.start == entry->boot.hd.start && hd.size == entry->boot.hd.size;
        if (hd.number == entry->boot.hd.number && (on == NO_INDEX || same_place))
            return partition;
    }
    return NO_INDEX;
}

/* True when the system that an entry of older Windows names is on a disk that is gone. */
static bool system_is_gone(const struct trial *trial, const struct entry *entry)
{
    if (entry->optional_kind != OPTIONAL_WINDOWS || !entry->os.has_hd)
        return false;
    return entry->os.partition == NO_INDEX ||
           trial_disk_is_gone(trial, trial->machine->partitions[entry->os.partition].disk);
}

static enum outcome try_partition_entry(struct trial *trial, const struct entry *entry)
{
    size_t partition = find_partition(trial, entry);

    if (system_is_gone(trial, entry))
        return trial_because(trial, GOES_ON,
                             "The system its entry names is on a disk that is gone.");
    if (entry->boot.file == NULL)
        return trial_file(trial, partition, trial_fallback_path(trial), false);
    return trial_file(trial, partition, entry->boot.file,
                      entry->optional_kind == OPTIONAL_WINDOWS_BCD);
}

/* The disk that an entry leads to when the other members are gone; NO_INDEX for none. */
static size_t find_disk(const struct trial *trial, const struct entry *entry)
{
    size_t disk = entry->boot.disk;

    if (entry->boot.has_hd) {
        size_t partition = find_partition(trial, entry);
        return partition == NO_INDEX ? NO_INDEX : trial->machine->partitions[partition].disk;
    }
    return disk == NO_INDEX || trial_disk_is_gone(trial, disk) ? NO_INDEX : disk;
}

/* True when the entry starts nothing of the mirror: a program of the firmware's own, or one on a
 * disk that is no member. */
static bool leads_outside(const struct trial *trial, const struct entry *entry)
{
    size_t disk = find_disk(trial, entry);

    return entry->form == DEVPATH_FORM_FV ||
           (disk != NO_INDEX && roles_member_on(trial->roles, disk) == NO_INDEX);
}

/* An entry that names a file alone: firmware looks for it on all volumes. */
static enum outcome try_everywhere(struct trial *trial, const struct entry *entry)
{
    const struct machine *machine = trial->machine;
    enum outcome outcome = GOES_ON;

    for (size_t i = 0; i < machine->esp_count && outcome == GOES_ON; i++) {
        size_t partition = machine->esps[i].partition;
        size_t disk = machine->partitions[partition].disk;
        if (!trial_disk_is_gone(trial, disk) && !machine->disks[disk].removable)
            outcome = trial_file(trial, partition, entry->boot.file,
                                 entry->optional_kind == OPTIONAL_WINDOWS_BCD);
    }
    return outcome;
}

static enum outcome try_disk(struct trial *trial, const struct entry *entry)
{
    size_t disk = find_disk(trial, entry);

    if (entry->form == DEVPATH_FORM_FILE && entry->boot.file != NULL)
        return try_everywhere(trial, entry);
    if (disk == NO_INDEX || trial->machine->disks[disk].removable)
        return GOES_ON; /* what is removable now need not be there when it counts */
    return entry->boot.has_hd ? try_partition_entry(trial, entry) : trial_fallback(trial, disk);
}

static enum outcome try_entry(struct trial *trial, const struct entry *entry)
{
    trial->is_manager = false;
    trial->entry = entry;
    enum outcome outcome = entry->form == DEVPATH_FORM_FV ? STARTS : try_disk(trial, entry);

    if (outcome == GOES_ON || outcome == UNKNOWN || !leads_outside(trial, entry))
        return outcome;
    /* On a disk that stays Windows' boot manager starts this member's copy as well as its own. */
    if (trial->is_manager)
        return outcome;
    return trial_because(trial, FAILS,
                         arena_printf(trial->arena,
                                      "Before it, the firmware starts Boot%04X \"%.40s\".",
                                      entry->number, entry->description));
}

/* True when the entry was made for the member's own ESP. */
static bool is_for_member(const struct trial *trial, const struct entry *entry)
{
    size_t partition = entry->boot.partition;

    return partition != NO_INDEX &&
           trial->machine->partitions[partition].disk == trial->member->disk;
}

/* Goes through BootOrder; GOES_ON when nothing in it starts. */
static enum outcome try_entries(struct trial *trial, size_t *ret_entry)
{
    const struct machine *machine = trial->machine;

    for (size_t i = 0; i < machine->entry_count; i++) {
        const struct entry *entry = &machine->entries[i];
        trial->why = "";
        enum outcome outcome = roles_entry_is_tried(entry) ? try_entry(trial, entry) : GOES_ON;
        if (outcome != GOES_ON) {
            *ret_entry = i;
            return outcome;
        }
        if (trial->first_why[0] == '\0' && trial->why != NULL && is_for_member(trial, entry))
            trial->first_why = trial->why;
    }
    return GOES_ON;
}

/* Why nothing starts: what stopped the entries, and what the fallback. */
static const char *say_nothing_starts(struct trial *trial)
{
    if (trial->member->esp == NO_INDEX)
        return "It has no EFI System Partition.";
    if (trial->first_why[0] != '\0')
        return trial->first_why;
    if (trial->why == NULL)
        return NULL;
    return arena_printf(trial->arena, "No boot entry starts from its ESP. %s", trial->why);
}

static enum verdict verdict_of(enum outcome outcome)
{
    if (outcome == STARTS)
        return VERDICT_STARTS;
    if (outcome == PERHAPS)
        return VERDICT_PERHAPS;
    return outcome == UNKNOWN ? VERDICT_UNKNOWN : VERDICT_FAILS;
}

size_t start_blocker(const struct machine *machine, size_t entry)
{
    for (size_t i = 0; i < entry; i++) {
        const struct entry *earlier = &machine->entries[i];
        if (roles_entry_is_tried(earlier) && earlier->form == DEVPATH_FORM_FV)
            return i;
    }
    return NO_INDEX;
}

enum status start_alone(struct arena *arena, const struct machine *machine,
                        const struct roles *roles, size_t member, struct start *ret_start)
{
    struct trial trial = {.arena = arena,
                          .machine = machine,
                          .roles = roles,
                          .member = &roles->members[member],
                          .why = "",
                          .first_why = ""};
    struct start start = {.entry = NO_INDEX};

    enum outcome outcome = try_entries(&trial, &start.entry);
    if (outcome != GOES_ON) {
        start.verdict = verdict_of(outcome);
        bool outside = outcome == FAILS && !trial.is_manager &&
                       leads_outside(&trial, &machine->entries[start.entry]);
        /* What is wrong with the member's own entry counts for more than what comes after it. */
        bool own_fault = outside && trial.first_why[0] != '\0';
        start.other = outside && !own_fault;
        start.reason = outcome == STARTS ? "" : own_fault ? trial.first_why : trial.why;
    } else {
        trial.entry = NULL;
        outcome = trial_fallback(&trial, trial.member->disk);
        start.verdict = outcome == STARTS ? VERDICT_FALLBACK : verdict_of(outcome);
        start.reason =
            outcome == STARTS
                ? "No boot entry starts it: only the removable-media path does, which not "
                  "every firmware tries on a fixed disk."
            : trial.first_why[0] != '\0' ? trial.first_why
                                         : trial.why;
        if (outcome == GOES_ON)
            start.reason = say_nothing_starts(&trial);
    }
    if (start.reason == NULL)
        return ST_NO_MEMORY;
    *ret_start = start;
    return ST_OK;
}

/* How many members have this verdict. */
static size_t count_verdicts(const struct roles *roles, const struct start *starts,
                             enum verdict verdict)
{
    size_t count = 0;

    for (size_t i = 0; i < roles->member_count; i++)
        count += starts[i].verdict == verdict;
    return count;
}

bool start_is_hopeful(const struct start *start)
{
    return start->verdict == VERDICT_STARTS || start->verdict == VERDICT_FALLBACK ||
           start->verdict == VERDICT_PERHAPS;
}

enum machine_state machine_state_of(const struct roles *roles, const struct start *starts)
{
    size_t count = roles->member_count;
    size_t fallback = count_verdicts(roles, starts, VERDICT_FALLBACK) +
                      count_verdicts(roles, starts, VERDICT_PERHAPS);
    size_t good = fallback + count_verdicts(roles, starts, VERDICT_STARTS);
    size_t fails = count_verdicts(roles, starts, VERDICT_FAILS);

    if (count == 0)
        return MACHINE_UNKNOWN_DISKS;
    if (fails == count)
        return MACHINE_NONE;
    if (good + fails < count && (good == 0 || fails == 0))
        return MACHINE_UNKNOWN;
    if (good == count && (count == 1 || roles->missing > 0 || roles->kind == BOOT_PLAIN))
        return MACHINE_SINGLE;
    if (good == count)
        return fallback > 0 ? MACHINE_FALLBACK : MACHINE_SAFE;
    return start_is_hopeful(&starts[roles->primary]) ? MACHINE_PRIMARY_ONLY : MACHINE_SHADOW_ONLY;
}

const char *machine_state_text(enum machine_state state, size_t member_count)
{
    bool pair = member_count == 2;

    switch (state) {
    case MACHINE_SAFE:
        return "This machine starts from each of its boot disks alone.";
    case MACHINE_FALLBACK:
        return "This machine starts from each of its boot disks alone, but from one of them only "
               "perhaps: that hangs on the firmware.";
    case MACHINE_PRIMARY_ONLY:
        return pair ? "If the primary disk dies, this machine does not start."
                    : "The primary disk starts alone, and not every other boot disk does.";
    case MACHINE_SHADOW_ONLY:
        return pair ? "If the shadow disk dies, this machine does not start."
                    : "The primary disk does not start alone; another boot disk does.";
    case MACHINE_NONE:
        return "This machine does not start from any of its boot disks alone.";
    case MACHINE_SINGLE:
        return "This machine starts, and nothing stands in for the disk it starts from: there is "
               "no mirror, or its other disk is missing.";
    case MACHINE_UNKNOWN:
        return "Whether this machine would start cannot be told.";
    case MACHINE_UNKNOWN_DISKS:
        break;
    }
    return "No boot volume and no EFI System Partition with boot files was found.";
}
