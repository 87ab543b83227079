#include "trial.h"

#include "base/print.h"
#include "base/text.h"
#include "format/bcd/bcd_name.h"
#include "model/boot_store.h"

#define USUAL_ROOT   "\\Windows"
#define USUAL_LOADER "\\Windows\\System32\\winload.efi"

/* What the boot manager stops with, as its own screen says: seen with that of 10.0.19041. */
#define NO_SUCH_DEVICE "0xc000000e"
#define NOT_FOUND      "0xc0000225"
#define NO_SUCH_FILE   "0xc000000f"
#define NOT_THERE      "0xc0000034" /* of a name in the store */

#define ON_ESP "starts Windows from the ESP, where it is not"

static enum outcome stops(struct trial *trial, const char *what, const char *code)
{
    return trial_because(trial, FAILS,
                         arena_printf(trial->arena,
                                      "Its boot store %s: Windows' boot manager stops with %s.",
                                      what, code));
}

static enum outcome not_followed(struct trial *trial, const char *what)
{
    return trial_because(
        trial, UNKNOWN,
        arena_printf(trial->arena, "Its boot store starts %s, which is not followed.", what));
}

/* --- Volumes -------------------------------------------------------------------------------- */

/* A partition of that name that is there in this trial, on the member's own disk if it can be. */
static size_t find_present(const struct trial *trial, const struct bcd_partition *named)
{
    const struct machine *machine = trial->machine;
    size_t found = NO_INDEX;

    for (size_t i = boot_store_partition(machine, named, 0); i != NO_INDEX;
         i = boot_store_partition(machine, named, i + 1)) {
        size_t disk = machine->partitions[i].disk;
        if (disk == trial->member->disk)
            return i;
        if (found == NO_INDEX && !trial_disk_is_gone(trial, disk))
            found = i;
    }
    return found;
}

/* The partition is on no disk that is left. */
static enum outcome stop_without(struct trial *trial, const struct bcd_partition *named)
{
    const struct machine *machine = trial->machine;
    size_t elsewhere = boot_store_partition(machine, named, 0);
    char guid[GUID_TEXT_SIZE];

    if (elsewhere != NO_INDEX) {
        const struct partition *own = &machine->partitions[elsewhere];
        return stops(trial,
                     arena_printf(trial->arena, "starts Windows from Disk %zu Partition %u",
                                  own->disk, own->number),
                     NO_SUCH_DEVICE);
    }
    guid_format(&named->partition, guid);
    return stops(trial,
                 named->is_gpt
                     ? arena_printf(trial->arena,
                                    "starts Windows from a partition that is on no disk here, %s",
                                    guid)
                     : "starts Windows from a partition that is on no disk here",
                 boot_store_disk_is_here(machine, named) ? NOT_FOUND : NO_SUCH_DEVICE);
}

static size_t copy_on(const struct machine *machine, size_t partition)
{
    for (size_t i = 0; i < machine->copy_count; i++) {
        if (machine->copies[i].partition == partition)
            return i;
    }
    return NO_INDEX;
}

/* Windows on a copy that the member's is not. */
static enum outcome try_other_copy(struct trial *trial, const struct system_copy *copy)
{
    const struct partition *own = &trial->machine->partitions[copy->partition];
    const char *place = arena_printf(trial->arena, "Disk %zu Partition %u", own->disk, own->number);
    enum status windows = system_copy_windows(copy);

    if (place == NULL)
        return trial_because(trial, FAILS, NULL);
    if (windows == ST_ABSENT)
        return stops(trial,
                     arena_printf(trial->arena, "starts Windows from %s, which has none", place),
                     NO_SUCH_FILE);
    if (windows != ST_OK)
        return not_followed(trial, place);
    return trial_because(
        trial, FAILS,
        arena_printf(trial->arena,
                     "Its boot store starts the Windows on %s, which is no copy of "
                     "this system.",
                     place));
}

/* The system of one member, which is there. */
static enum outcome try_volume_member(struct trial *trial, size_t index)
{
    const struct member *own = trial->member;
    bool together = trial->together;

    trial->member = &trial->roles->members[index];
    trial->together = false;
    enum outcome outcome = trial_system(trial);
    trial->member = own;
    trial->together = together;
    return outcome;
}

static enum outcome try_copy(struct trial *trial, size_t index)
{
    const struct system_copy *copy = &trial->machine->copies[index];
    size_t member = roles_member_on(trial->roles, copy->disk);

    if (member == NO_INDEX)
        return try_other_copy(trial, copy);
    if (trial->roles->kind != BOOT_LDM)
        return trial_windows(trial, copy);
    return trial->roles->members[member].copy == index ? try_volume_member(trial, member)
                                                       : try_other_copy(trial, copy);
}

static enum outcome try_partition(struct trial *trial, const struct bcd_partition *named)
{
    size_t partition = find_present(trial, named);

    if (partition == NO_INDEX)
        return stop_without(trial, named);
    const struct partition *own = &trial->machine->partitions[partition];
    size_t member = roles_member_on(trial->roles, own->disk);
    size_t index = copy_on(trial->machine, partition);
    if (machine_find_esp(trial->machine, partition) != NO_INDEX)
        return stops(trial, ON_ESP, NO_SUCH_FILE);
    if (index != NO_INDEX)
        return try_copy(trial, index);
    /* What the database of that disk does not tell of it is its own matter. */
    if (own->kind == PT_LDM_DATA && member != NO_INDEX)
        return try_volume_member(trial, member);
    return not_followed(trial, "a partition that is not looked into");
}

static enum outcome try_device(struct trial *trial, const struct bcd_device *device)
{
    switch (device->kind) {
    case BCD_DEVICE_PARTITION:
        return try_partition(trial, &device->partition);
    case BCD_DEVICE_LOCATE: /* wherever the file is found */
        return trial_system(trial);
    case BCD_DEVICE_BOOT:
        return stops(trial, ON_ESP, NO_SUCH_FILE);
    case BCD_DEVICE_RAMDISK:
        return not_followed(trial, "a system in a RAM disk");
    case BCD_DEVICE_VIRTUAL_DISK:
        return not_followed(trial, "a system on a virtual disk");
    default:
        return not_followed(trial, "from a device of another kind");
    }
}

/* --- The loader ----------------------------------------------------------------------------- */

static bool is_usual(struct trial *trial, struct span path, const char *usual)
{
    const char *text = path.size == 0 ? usual : text_from_ucs2(trial->arena, path);

    return text != NULL && text_equal_nocase(text, usual);
}

static enum outcome try_loader(struct trial *trial, const struct bcd_choice *choice)
{
    if (!is_usual(trial, choice->path, USUAL_LOADER))
        return not_followed(trial, "a loader of another name");
    if (!is_usual(trial, choice->root, USUAL_ROOT))
        return not_followed(trial, "a Windows in another folder than " USUAL_ROOT);
    enum outcome outcome = try_device(trial, &choice->device);
    return outcome == STARTS ? try_device(trial, &choice->os_device) : outcome;
}

/* The boot manager may go to what is no entry of its store. */
static enum outcome lead_aside(struct trial *trial, const struct esp *esp,
                               const struct guid *manager, uint32_t element)
{
    size_t disk = trial->machine->partitions[esp->partition].disk;
    char guid[GUID_TEXT_SIZE] = "{bootmgr}";
    struct bcd_name name = {.name = ""};

    if (!guid_equal(manager, &bcd_manager))
        guid_format(manager, guid);
    (void)bcd_name_of(BCD_TYPE_MANAGER, element, &name);
    return trial_because(
        trial, UNKNOWN,
        arena_printf(trial->arena,
                     "Its boot store has the boot manager %s (%s), which is not followed. "
                     "\"shadowboot bcd delete %s %s -on %zu\" gives that up.",
                     element == BCD_ATTEMPT_RESUME ? "resume a hibernated Windows"
                                                   : "go by another store",
                     name.name, guid, name.name, disk));
}

static enum outcome follow_store(struct trial *trial, const struct esp *esp)
{
    const struct entry *entry = trial->entry;
    const struct guid *manager = entry != NULL && entry->optional_kind == OPTIONAL_WINDOWS_BCD
                                     ? &entry->bcd_object
                                     : &bcd_manager;
    struct bcd_choice choice = {.aside = 0};

    enum bcd_end end = boot_store_choose(trial->arena, esp, manager, &choice);
    if (choice.aside != 0)
        return lead_aside(trial, esp, manager, choice.aside);
    switch (end) {
    case BCD_STARTS:
        return try_loader(trial, &choice);
    case BCD_EMPTY:
        return stops(trial, "is empty", NOT_THERE);
    case BCD_NO_ENTRY:
        return stops(trial, "names no system to start", "0xc0000098");
    case BCD_ENTRY_GONE:
        return stops(trial, "names an entry that it does not have", NOT_THERE);
    case BCD_ENTRY_NOT_WHOLE:
        return stops(trial, "has an entry without device or description", "0xc0000001");
    case BCD_SYSTEM_NOT_NAMED:
        return trial_because(trial, FAILS, "Its boot store does not say where \\Windows is.");
    default:
        return trial_because(trial, UNKNOWN, "Its boot store is not understood.");
    }
}

/* --- The store ------------------------------------------------------------------------------ */

#define STORE "Its boot store \\EFI\\Microsoft\\Boot\\BCD"

/* What the boot manager stops with when the hive is not good; NULL: nobody has seen it. */
static const char *code_of(enum regf_state state)
{
    static const char *const codes[REGF_STATE_COUNT] = {
        [REGF_NOT_A_HIVE] = "0xc000014c",
        [REGF_TRUNCATED] = NOT_THERE,
        [REGF_BAD_CHECKSUM] = NO_SUCH_FILE,
        [REGF_DIRTY] = NO_SUCH_FILE,
    };

    return codes[state];
}

/* A hive that the boot manager cannot use. */
static enum outcome stop_at_hive(struct trial *trial, const struct esp *esp)
{
    const char *why = esp->store == REGF_DIRTY ? regf_recovery_text(esp->store_recovery)
                                               : regf_state_text(esp->store);
    const char *dirty = esp->store == REGF_DIRTY ? "it was not written completely, and " : "";
    const char *code = code_of(esp->store);

    if (code == NULL)
        return trial_because(trial, FAILS, arena_printf(trial->arena, STORE ": %s.", why));
    return trial_because(trial, FAILS,
                         arena_printf(trial->arena,
                                      STORE ": %s%s. Windows' boot manager stops with %s.", dirty,
                                      why, code));
}

enum outcome trial_store(struct trial *trial, const struct esp *esp)
{
    if (esp->store_status == ST_UNSUPPORTED)
        return trial_system(trial);
    if (boot_store_is_usable(esp))
        return follow_store(trial, esp);
    if (esp->store_status == ST_ABSENT && esp->report.listed)
        return trial_because(trial, FAILS,
                             "Its ESP has no boot store \\EFI\\Microsoft\\Boot\\BCD: Windows' "
                             "boot manager stops with " NO_SUCH_FILE ".");
    if (esp->store_status == ST_ABSENT)
        return trial_because(trial, UNKNOWN,
                             "Its boot store was not looked for: the check was cut short.");
    if (esp->store_status == ST_OK)
        return stop_at_hive(trial, esp);
    return trial_because(trial, FAILS,
                         arena_printf(trial->arena, STORE ": %s.", status_text(esp->store_status)));
}
