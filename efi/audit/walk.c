#include "walk.h"

#include "audit/lead.h"
#include "audit/program.h"
#include "trial.h"
#include "base/print.h"
#include "base/text.h"
#include "model/resolve.h"
#include "model/boot_store.h"
#include "model/contents.h"

/* True when the entry may lead to the disk, by the hardware that its path names: a short one names
 * none, and of a disk whose place is not known any may be it. */
static bool may_lead_to(const struct entry *entry, const struct machine *machine, size_t on,
                        size_t disk)
{
    return entry->form != DEVPATH_FORM_FULL || on == disk ||
           (on == NO_INDEX && machine->disks[disk].place_unknown);
}

/*
 * The partition that an entry's path leads to when the other members are gone; NO_INDEX for none. A
 * full path has to name it byte for byte; of a short one edk2 compares identity and number only.
 */
static size_t find_named_partition(const struct trial *trial, const struct entry *entry)
{
    const struct machine *machine = trial->machine;
    size_t rest = 0;
    size_t on = entry->form == DEVPATH_FORM_FULL ? resolve_disk(machine, entry->option.path, &rest)
                                                 : NO_INDEX;

    for (size_t i = 0; i < machine->disk_count; i++) {
        if (trial_disk_is_gone(trial, i) || !may_lead_to(entry, machine, on, i))
            continue;
        size_t partition = resolve_hd(machine, i, &entry->boot.hd);
        if (partition == NO_INDEX)
            continue;
        struct hd_node hd = partition_hd_node(machine, &machine->partitions[partition]);
        bool same_place = hd.start == entry->boot.hd.start && hd.size == entry->boot.hd.size;
        if (hd.number == entry->boot.hd.number && (entry->form != DEVPATH_FORM_FULL || same_place))
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
    size_t partition = find_named_partition(trial, entry);

    if (system_is_gone(trial, entry))
        return trial_because(trial, GOES_ON,
                             "The system its entry names is on a disk that is gone.");
    if (entry->boot.file == NULL)
        return trial_file(trial, partition, trial->machine->fallback, false);
    return trial_file(trial, partition, entry->boot.file,
                      entry->optional_kind == OPTIONAL_WINDOWS_BCD);
}

/* The disk that an entry leads to when the other members are gone; NO_INDEX for none. */
static size_t find_whole_disk(const struct trial *trial, const struct entry *entry)
{
    size_t disk = entry->boot.disk;

    if (entry->boot.has_hd) {
        size_t partition = find_named_partition(trial, entry);
        return partition == NO_INDEX ? NO_INDEX : trial->machine->partitions[partition].disk;
    }
    return disk == NO_INDEX || trial_disk_is_gone(trial, disk) ? NO_INDEX : disk;
}

/* An entry that names a file alone: firmware looks for it on all volumes. */
static enum outcome try_everywhere(struct trial *trial, const struct entry *entry)
{
    const struct machine *machine = trial->machine;
    enum outcome outcome = GOES_ON;

    for (size_t i = machine_next_esp(machine, NO_INDEX, NO_INDEX);
         i != NO_INDEX && outcome == GOES_ON; i = machine_next_esp(machine, NO_INDEX, i)) {
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
    size_t disk = find_whole_disk(trial, entry);

    if (walk_names_file_only(entry))
        return try_everywhere(trial, entry);
    if (disk == NO_INDEX || trial->machine->disks[disk].removable)
        return GOES_ON; /* what is removable now need not be there when it counts */
    return entry->boot.has_hd ? try_partition_entry(trial, entry) : trial_fallback(trial, disk);
}

/* "Before it, the firmware starts Boot0002 "EFI Shell"`more`." What is wrong with the member's own
 * entry counts for more than what comes after it. */
static const char *say_other(struct trial *trial, const struct entry *entry, const char *more)
{
    bool own_fault = trial->first_why[0] != '\0';

    return arena_printf(trial->arena, "%s%sthe firmware starts Boot%04X \"%.40s\"%s.",
                        trial->first_why, own_fault ? " Instead, " : "Before it, ", entry->number,
                        entry->description, more);
}

/* The entry starts a program that starts no system. */
static enum outcome stop_at_tool(struct trial *trial, size_t entry, const char *more,
                                 struct forecast *io_forecast)
{
    bool own_fault = trial->first_why[0] != '\0';

    io_forecast->other = !own_fault;
    return trial_because(trial, FAILS,
                         own_fault ? trial->first_why
                                   : say_other(trial, &trial->machine->entries[entry], more));
}

/* The entry starts what is on a disk that carries no copy: a boot manager there starts the system
 * that its own store names. */
static enum outcome stop_at_outsider(struct trial *trial, size_t entry, enum outcome outcome,
                                     struct forecast *io_forecast)
{
    size_t disk = trial->machine->partitions[trial->machine->esps[trial->esp].partition].disk;
    const char *more =
        arena_printf(trial->arena, " on Disk %zu, which is no copy of this system", disk);

    io_forecast->instead = entry;
    return trial_because(trial, outcome,
                         more == NULL ? NULL
                                      : say_other(trial, &trial->machine->entries[entry], more));
}

/* True when an entry of Windows' own says that Windows, which the machine has, is started from the
 * ESP by that entry's file, whether or not that is still there. */
static bool windows_starts_otherwise(const struct trial *trial, const struct esp *esp)
{
    const struct machine *machine = trial->machine;
    bool found = false;

    for (size_t i = 0; trial->roles->windows && i < machine->entry_count && !found; i++) {
        const struct entry *entry = &machine->entries[i];
        found = entry->status == ST_OK && entry_is_windows(entry) &&
                entry->boot.partition == esp->partition;
    }
    return found;
}

/* True for a file of which nothing tells what it starts, on an ESP that has a loader that is known,
 * or that Windows is known to be started from by another one. The removable-media path is where a
 * loader is looked for anyway, and Windows' entries lead to Windows' own. */
static bool is_riddle(struct trial *trial, const struct entry *entry, const struct esp *esp,
                      const struct program *program)
{
    return program->kind == PROGRAM_UNKNOWN && !entry_is_windows(entry) &&
           !text_equal_nocase(esp->report.files[trial->file].path, trial->machine->fallback) &&
           (lead_esp_starts_windows(esp) || lead_esp_starts_other(trial->machine, esp) ||
            windows_starts_otherwise(trial, esp));
}

/* What may come of a program on a disk that is no member, when it is not in anybody's place: it may
 * well start a system of its own. */
static enum outcome weigh_outsider(const struct esp *esp, const struct program *program)
{
    bool no_store = program->kind == PROGRAM_WINDOWS && esp->store_status != ST_UNSUPPORTED &&
                    !boot_store_is_usable(esp);

    return program->kind == PROGRAM_TOOL || no_store ? FAILS : ELSEWHERE;
}

static bool is_outside(const struct trial *trial)
{
    size_t partition = trial->machine->esps[trial->esp].partition;

    return trial->esp != trial->roles->start_esp &&
           roles_member_on(trial->roles, trial->machine->partitions[partition].disk) == NO_INDEX;
}

/* What the program is that the entry has come to: the system's, another one's, or none's. */
static enum outcome weigh(struct trial *trial, size_t index, enum outcome outcome,
                          struct forecast *io_forecast)
{
    const struct machine *machine = trial->machine;
    const struct entry *entry = &machine->entries[index];
    const struct esp *esp = &machine->esps[trial->esp];
    struct program program = program_of(machine, esp, trial->file);
    if (is_outside(trial)) {
        enum outcome other = weigh_outsider(esp, &program);
        return trial->together ? other : stop_at_outsider(trial, index, other, io_forecast);
    }
    if (program.kind == PROGRAM_TOOL) {
        const char *more = arena_printf(trial->arena, ", %s, which starts no system", program.name);
        return more == NULL ? trial_because(trial, FAILS, NULL)
                            : stop_at_tool(trial, index, more, io_forecast);
    }
    if (outcome != STARTS || !is_riddle(trial, entry, esp, &program))
        return outcome;
    return trial_because(trial, UNKNOWN,
                         arena_printf(trial->arena,
                                      "Boot%04X \"%.40s\" starts %s, and what that is cannot be "
                                      "told.",
                                      entry->number, entry->description,
                                      esp->report.files[trial->file].path));
}

static enum outcome try_entry(struct trial *trial, size_t index, struct forecast *io_forecast)
{
    const struct entry *entry = &trial->machine->entries[index];

    if (entry->form == DEVPATH_FORM_FV)
        return stop_at_tool(trial, index, "", io_forecast);
    trial->file = FAT_NO_FILE;
    trial->entry = entry;
    enum outcome outcome = try_disk(trial, entry);
    if (outcome == GOES_ON || trial->file == FAT_NO_FILE)
        return outcome;
    return weigh(trial, index, outcome, io_forecast);
}

/* True when the entry was made for the member's own ESP. */
static bool is_for_member(const struct trial *trial, const struct entry *entry)
{
    size_t partition = entry->boot.partition;

    return partition != NO_INDEX &&
           trial->machine->partitions[partition].disk == trial->member->disk;
}

bool walk_names_file_only(const struct entry *entry)
{
    return entry->form == DEVPATH_FORM_FILE && entry->boot.file != NULL;
}

static bool is_tried(const struct walk *walk, const struct entry *entry)
{
    return entry_is_tried(entry) && (walk->lenient || !walk_names_file_only(entry));
}

/* True when the firmware has no entries left: they were in a file on a disk that is gone. */
static bool entries_are_gone(const struct trial *trial)
{
    const struct machine *machine = trial->machine;

    return machine->variables_in_file &&
           trial_disk_is_gone(trial, machine->partitions[machine->variables_place].disk);
}

/* True when the entry came to shadowboot: that it starts no system keeps none from starting. */
static bool came_to_this_program(const struct trial *trial)
{
    return trial->file != FAT_NO_FILE &&
           program_of(trial->machine, &trial->machine->esps[trial->esp], trial->file).is_own;
}

/* Goes through BootOrder; GOES_ON when nothing in it starts. */
static enum outcome try_entries(struct trial *trial, const struct walk *walk,
                                struct forecast *io_forecast)
{
    const struct machine *machine = trial->machine;
    size_t count = entries_are_gone(trial) ? 0 : machine->entry_count;

    for (size_t i = 0; i < count; i++) {
        const struct entry *entry = &machine->entries[i];
        trial->why = "";
        enum outcome outcome = is_tried(walk, entry) ? try_entry(trial, i, io_forecast) : GOES_ON;
        if (outcome != GOES_ON) {
            io_forecast->entry = i;
            return outcome;
        }
        if (trial->first_why[0] == '\0' && trial->why != NULL && is_for_member(trial, entry) &&
            !came_to_this_program(trial))
            trial->first_why = trial->why;
    }
    return GOES_ON;
}

/* Why a disk without ESP does not start: it may hang on that of another one. */
static const char *say_no_esp(const struct trial *trial)
{
    const struct machine *machine = trial->machine;
    size_t esp = trial->roles->start_esp;

    if (machine->disks[trial->member->disk].status != ST_OK)
        return "The disk cannot be read.";
    if (disk_hides_partitions(&machine->disks[trial->member->disk]))
        return "Its partitions cannot be seen: its partition table cannot be used.";
    if (esp == NO_INDEX)
        return "It has no EFI System Partition.";
    size_t disk = machine->partitions[machine->esps[esp].partition].disk;
    if (roles_member_on(trial->roles, disk) != NO_INDEX)
        return "It has no EFI System Partition.";
    return arena_printf(trial->arena,
                        "It has no EFI System Partition: it is started from that of Disk %zu, and "
                        "not without that disk.",
                        disk);
}

/* Why nothing starts: what stopped the entries, and what the fallback. */
static const char *say_nothing_starts(struct trial *trial)
{
    if (trial->member->esp == NO_INDEX)
        return say_no_esp(trial);
    if (trial->first_why[0] != '\0')
        return trial->first_why;
    if (trial->why == NULL)
        return NULL;
    if (entries_are_gone(trial))
        return arena_printf(trial->arena, "The boot entries are on Disk %zu, and gone with it. %s",
                            trial->machine->partitions[trial->machine->variables_place].disk,
                            trial->why);
    return arena_printf(trial->arena, "%s %s",
                        machine_knows_entries(trial->machine) ? "No boot entry starts from its ESP."
                                                              : "Boot entries are not known.",
                        trial->why);
}

static enum verdict verdict_of(enum outcome outcome)
{
    if (outcome == STARTS)
        return VERDICT_STARTS;
    if (outcome == PERHAPS)
        return VERDICT_PERHAPS;
    return outcome == UNKNOWN ? VERDICT_UNKNOWN : VERDICT_FAILS;
}

/* The removable-media path of all disks, for there is none that counts. */
static enum outcome fall_back_anywhere(struct trial *trial)
{
    const struct machine *machine = trial->machine;
    enum outcome outcome = GOES_ON;

    for (size_t i = machine_next_esp(machine, NO_INDEX, NO_INDEX);
         i != NO_INDEX && outcome == GOES_ON; i = machine_next_esp(machine, NO_INDEX, i)) {
        size_t partition = machine->esps[i].partition;
        if (machine->disks[machine->partitions[partition].disk].removable)
            continue;
        outcome = trial_file(trial, partition, trial->machine->fallback, false);
        if (outcome == GOES_ON || trial->file == FAT_NO_FILE || !is_outside(trial))
            continue;
        struct program program = program_of(machine, &machine->esps[i], trial->file);
        outcome = weigh_outsider(&machine->esps[i], &program);
    }
    return outcome;
}

/* What it means that the removable-media path alone starts the disk. */
static const char *say_fallback(const struct machine *machine)
{
    return machine_knows_entries(machine)
               ? "No boot entry starts it: only the removable-media path does, which not every "
                 "firmware tries on a fixed disk."
               : "Boot entries are not known. The removable-media path starts it, which not every "
                 "firmware tries on a fixed disk.";
}

/* Whether a boot entry may start the disk, where nobody knows them: UNKNOWN when a loader on one of
 * its ESPs would; else `outcome`, with what is said of it. */
static enum outcome try_loaders(struct trial *trial, size_t disk, enum outcome outcome)
{
    const struct machine *machine = trial->machine;

    for (size_t i = machine_next_esp(machine, disk, NO_INDEX); i != NO_INDEX;
         i = machine_next_esp(machine, disk, i)) {
        const struct esp *esp = &machine->esps[i];
        for (size_t file = 0; esp->status == ST_OK && file < esp->report.file_count; file++) {
            struct trial own = *trial;
            enum program_kind kind = PROGRAM_UNKNOWN;
            if (!esp->report.files[file].is_directory)
                kind = program_of(machine, esp, file).kind;
            if (kind != PROGRAM_WINDOWS && !lead_is_other_loader(kind))
                continue;
            enum outcome by_entry =
                trial_file(&own, esp->partition, trial_path_of(esp, file), kind == PROGRAM_WINDOWS);
            if (by_entry == STARTS || by_entry == PERHAPS)
                return trial_because(trial, UNKNOWN,
                                     arena_printf(trial->arena,
                                                  "Boot entries are not known: one for %s would "
                                                  "start it.",
                                                  trial_path_of(esp, file)));
        }
    }
    return outcome;
}

/* What becomes of the member when no entry starts it. */
static enum outcome fall_back(struct trial *trial, struct forecast *io_forecast)
{
    size_t disk = trial->member->disk;

    if (!trial->together && machine_disk_is_bios(trial->machine, disk)) {
        io_forecast->verdict = VERDICT_UNKNOWN;
        io_forecast->reason = "It is started by the code in its MBR, which is not judged.";
        return UNKNOWN;
    }
    trial->entry = NULL;
    enum outcome outcome =
        trial->together ? fall_back_anywhere(trial) : trial_fallback(trial, disk);
    if (outcome != STARTS && outcome != PERHAPS && !machine_knows_entries(trial->machine))
        outcome = try_loaders(trial, disk, outcome);
    bool is_perhaps = outcome == STARTS && !trial->machine->tries_fallback;
    io_forecast->verdict = is_perhaps ? VERDICT_FALLBACK : verdict_of(outcome);
    if (is_perhaps)
        io_forecast->reason = say_fallback(trial->machine);
    else if (outcome == STARTS)
        io_forecast->reason = "";
    else if (outcome == GOES_ON)
        io_forecast->reason = say_nothing_starts(trial);
    else
        io_forecast->reason = trial->first_why[0] != '\0' ? trial->first_why : trial->why;
    return outcome;
}

/* What the outcome is worth where nobody asks for reasons. */
static enum outlook outlook_of(const struct trial *trial, enum outcome outcome,
                               enum verdict verdict)
{
    static const enum outlook outlooks[] = {[VERDICT_STARTS] = OUTLOOK_STARTS,
                                            [VERDICT_FALLBACK] = OUTLOOK_FALLBACK,
                                            [VERDICT_PERHAPS] = OUTLOOK_PERHAPS,
                                            [VERDICT_FAILS] = OUTLOOK_NOTHING,
                                            [VERDICT_UNKNOWN] = OUTLOOK_UNKNOWN};

    if (outcome == ELSEWHERE)
        return OUTLOOK_ELSEWHERE;
    return outcome == UNKNOWN && trial->doubtful ? OUTLOOK_DOUBTFUL : outlooks[verdict];
}

static void note_program(const struct trial *trial, enum outcome outcome, struct way *io_way)
{
    if (outcome == GOES_ON || trial->file == FAT_NO_FILE)
        return;
    const struct file_content *content = &trial->machine->esps[trial->esp].contents[trial->file];
    io_way->has_program = content->status == ST_OK && io_way->outlook == OUTLOOK_UNKNOWN;
    if (io_way->has_program)
        io_way->program = content_digest(content);
}

enum status walk_order(struct arena *arena, const struct machine *machine,
                       const struct roles *roles, size_t member, const struct walk *walk,
                       struct forecast *ret_forecast, struct way *ret_way)
{
    struct trial trial = {.arena = arena,
                          .machine = machine,
                          .roles = roles,
                          .member = &roles->members[member],
                          .together = walk->together,
                          .file = FAT_NO_FILE,
                          .outsiders = walk->outsiders,
                          .why = "",
                          .first_why = ""};
    struct forecast forecast = {.entry = NO_INDEX, .instead = NO_INDEX};

    enum outcome outcome = try_entries(&trial, walk, &forecast);
    if (outcome == GOES_ON) {
        outcome = fall_back(&trial, &forecast);
    } else {
        forecast.verdict = verdict_of(outcome);
        forecast.reason = outcome == STARTS ? "" : trial.why;
    }
    if (forecast.reason == NULL)
        return ST_NO_MEMORY;
    *ret_way = (struct way){.outlook = outlook_of(&trial, outcome, forecast.verdict)};
    note_program(&trial, outcome, ret_way);
    *ret_forecast = forecast;
    return ST_OK;
}

enum status walk_program(struct arena *arena, const struct machine *machine,
                         const struct roles *roles, size_t member, size_t file,
                         const struct entry *entry, struct forecast *ret_forecast)
{
    struct trial trial = {.arena = arena,
                          .machine = machine,
                          .roles = roles,
                          .member = &roles->members[member],
                          .entry = entry,
                          .file = FAT_NO_FILE,
                          .why = "",
                          .first_why = ""};
    bool needs_store = entry != NULL && entry->optional_kind == OPTIONAL_WINDOWS_BCD;

    enum outcome outcome =
        trial_program(&trial, &machine->esps[trial.member->esp], file, needs_store);
    *ret_forecast = (struct forecast){.verdict = verdict_of(outcome),
                                      .entry = NO_INDEX,
                                      .instead = NO_INDEX,
                                      .reason = outcome == STARTS ? "" : trial.why};
    return ret_forecast->reason == NULL ? ST_NO_MEMORY : ST_OK;
}
