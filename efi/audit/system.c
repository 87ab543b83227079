#include "system.h"

#include "base/text.h"

#define MD_MIRROR   1            /* the level of a RAID1 array */
#define SYSTEM_SIZE (4ull << 30) /* bytes: more than a partition that only starts a system has */

/* What speaks for a system by itself; more counts for more. */
enum evidence {
    DATA_ARRAY = 2, /* an md array that is called after what is not the root */
    HIDDEN,         /* something on the disk that entries lead to, and nobody can look into it */
    ARRAY,
    ROOT_ARRAY,
    MIRROR,
    MIRROR_C,
    PLAIN_WINDOWS,
    BOOT_FLAG = 10,
    BOOT_MIRROR,
    LDM_WINDOWS,
    LDM_WINDOWS_MIRROR,
};

enum family { ANY_FAMILY, WINDOWS_FAMILY, OTHER_FAMILY };

struct search {
    const struct machine *machine;
    size_t disk; /* that the entries lead to; NO_INDEX */
    enum family family;
    struct boot_system best;
    int score;
    uint64_t bytes; /* of a part of the best, where that is an array */
};

static bool is_fixed(const struct machine *machine, const struct esp *esp)
{
    return !machine->disks[machine->partitions[esp->partition].disk].removable;
}

/* What is started: by the program that entries lead to, else by what lies on the ESPs. */
static enum family find_family(const struct machine *machine, const struct lead *lead)
{
    bool other = false;

    if (lead != NULL && lead->program.kind == PROGRAM_WINDOWS)
        return WINDOWS_FAMILY;
    if (lead != NULL)
        return lead_is_other_loader(lead->program.kind) ? OTHER_FAMILY : ANY_FAMILY;
    for (size_t i = 0; i < machine->esp_count; i++) {
        const struct esp *esp = &machine->esps[i];
        if (!is_fixed(machine, esp))
            continue;
        if (lead_esp_starts_windows(esp))
            return WINDOWS_FAMILY;
        other |= lead_esp_starts_other(machine, esp);
    }
    return other ? OTHER_FAMILY : ANY_FAMILY;
}

/* What is known of the disks that carry a system. */
struct spread {
    bool led_to;   /* the entries lead to one of them */
    bool starts;   /* one has an ESP, or is started by its MBR */
    bool loader;   /* one has an ESP with a loader of the system's own */
    bool complete; /* none is missing */
};

static void spread_over(const struct search *search, size_t disk, bool windows,
                        struct spread *io_spread)
{
    const struct machine *machine = search->machine;

    io_spread->led_to |= disk == search->disk;
    io_spread->starts |= machine_disk_is_bios(machine, disk);
    for (size_t i = 0; i < machine->esp_count; i++) {
        const struct esp *esp = &machine->esps[i];
        if (machine->partitions[esp->partition].disk != disk)
            continue;
        io_spread->starts = true;
        io_spread->loader |=
            windows ? lead_esp_starts_windows(esp) : lead_esp_starts_other(machine, esp);
    }
}

/* Takes the system when more speaks for it than for the best so far; where nothing else tells them
 * apart, when its part is larger (`bytes`). */
static void consider_volume(struct search *io_search, const struct boot_system *system,
                            int evidence, const struct spread *spread, uint64_t bytes)
{
    enum family own = system->windows ? WINDOWS_FAMILY : OTHER_FAMILY;
    int score = evidence * 4 + (spread->loader ? 2 : 0) + (spread->complete ? 1 : 0);

    score += spread->led_to ? 1000 : 0;
    score += evidence == MIRROR ? 0 : 5000; /* one without any mark may hold data only */
    score += own == io_search->family ? 10000 : 0;
    if (score < io_search->score || (score == io_search->score && bytes <= io_search->bytes))
        return;
    io_search->best = *system;
    io_search->score = score;
    io_search->bytes = bytes;
}

/* --- LDM ------------------------------------------------------------------------------------ */

static size_t volume_of(const struct machine *machine, const struct system_copy *copy)
{
    return copy->plex == NO_INDEX ? NO_INDEX : machine->volumes.plexes[copy->plex].volume;
}

static bool carries_windows(const struct machine *machine, size_t volume)
{
    for (size_t i = 0; i < machine->copy_count; i++) {
        const struct system_copy *copy = &machine->copies[i];
        if (volume_of(machine, copy) == volume && system_copy_windows(copy) == ST_OK)
            return true;
    }
    return false;
}

/* True when all copies were looked into, and none carries Windows. */
static bool is_data(const struct machine *machine, size_t volume)
{
    size_t seen = 0;

    for (size_t i = 0; i < machine->copy_count; i++) {
        const struct system_copy *copy = &machine->copies[i];
        if (volume_of(machine, copy) != volume)
            continue;
        if (copy->status != ST_OK || system_copy_windows(copy) != ST_ABSENT)
            return false;
        seen++;
    }
    return seen > 0;
}

/* How much speaks for the volume; 0: nothing. */
static int volume_evidence(const struct machine *machine, size_t index)
{
    const struct dynamic_volume *volume = &machine->volumes.volumes[index];
    int mirror = volume->type == DYNAMIC_MIRROR ? 1 : 0;

    if (carries_windows(machine, index))
        return LDM_WINDOWS + mirror;
    if (volume->boot)
        return BOOT_FLAG + mirror;
    if (mirror == 0)
        return 0;
    if (text_equal_nocase(volume->drive_hint, "C:"))
        return MIRROR_C;
    return is_data(machine, index) ? 0 : MIRROR;
}

static void consider_volumes(struct search *io_search)
{
    const struct volume_map *map = &io_search->machine->volumes;

    for (size_t i = 0; i < map->volume_count; i++) {
        struct boot_system system = {BOOT_LDM, i, NO_INDEX, true};
        struct spread spread = {.complete = true};
        int evidence = volume_evidence(io_search->machine, i);
        for (size_t j = 0; j < map->extent_count; j++) {
            if (map->plexes[map->extents[j].plex].volume != i)
                continue;
            if (map->extents[j].disk == VOLUME_NONE)
                spread.complete = false;
            else
                spread_over(io_search, map->extents[j].disk, true, &spread);
        }
        if (evidence > 0)
            consider_volume(io_search, &system, evidence, &spread, 0);
    }
}

/* --- md ------------------------------------------------------------------------------------- */

static bool names_one(const char *name, const char *const *words, size_t count)
{
    const char *own = name;

    for (size_t i = 0; name[i] != '\0'; i++)
        own = name[i] == ':' || name[i] == '_' || name[i] == '-' ? &name[i + 1] : own;
    for (size_t i = 0; i < count; i++) {
        if (text_has_prefix_nocase(own, words[i]))
            return true;
    }
    return false;
}

/* How much speaks for the array being the root, by what it is called; 0: it bears an ESP. */
static int array_evidence(const struct machine *machine, const struct md_partition *part)
{
    static const char *const esps[] = {"efi", "esp"};
    static const char *const roots[] = {"root", "system", "os", "slash"};
    static const char *const others[] = {"swap", "home", "boot",   "data", "var",   "srv",
                                         "tmp",  "opt",  "backup", "nas",  "media", "storage"};
    const char *name = part->member.name;

    if (machine->partitions[part->partition].kind == PT_ESP ||
        machine_find_esp(machine, part->partition) != NO_INDEX ||
        names_one(name, esps, sizeof(esps) / sizeof(esps[0])))
        return 0;
    if (names_one(name, roots, sizeof(roots) / sizeof(roots[0])))
        return ROOT_ARRAY;
    return names_one(name, others, sizeof(others) / sizeof(others[0])) ? DATA_ARRAY : ARRAY;
}

static void consider_array(struct search *io_search, size_t index)
{
    const struct machine *machine = io_search->machine;
    const struct md_partition *part = &machine->md_members[index];
    struct boot_system system = {BOOT_MD, index, NO_INDEX, false};
    struct spread spread = {.complete = true};
    uint64_t bytes = partition_bytes(machine, &machine->partitions[part->partition]);
    int evidence = array_evidence(machine, part);
    size_t here = 0;

    for (size_t i = 0; i < machine->md_count; i++) {
        const struct md_partition *own = &machine->md_members[i];
        if (!guid_equal(&own->member.set, &part->member.set) || own->member.role >= MD_ROLE_JOURNAL)
            continue;
        spread_over(io_search, machine->partitions[own->partition].disk, false, &spread);
        here++;
    }
    spread.complete = here >= part->member.raid_disks;
    /* Where no disk of it is started from, it is data, unless a loader elsewhere wants it. */
    bool wanted =
        spread.starts || (io_search->disk != NO_INDEX && io_search->family == OTHER_FAMILY);
    /* Of arrays that nothing else tells apart the larger one is the root: not swap, not /boot. */
    if (evidence > 0 && wanted)
        consider_volume(io_search, &system, evidence, &spread, bytes);
}

static void consider_arrays(struct search *io_search)
{
    const struct machine *machine = io_search->machine;

    for (size_t i = 0; i < machine->md_count; i++) {
        const struct md_member *own = &machine->md_members[i].member;
        bool seen = own->level != MD_MIRROR || own->role >= MD_ROLE_JOURNAL;
        for (size_t j = 0; j < i && !seen; j++) {
            const struct md_member *earlier = &machine->md_members[j].member;
            seen = guid_equal(&earlier->set, &own->set) && earlier->role < MD_ROLE_JOURNAL &&
                   earlier->level == MD_MIRROR;
        }
        if (!seen)
            consider_array(io_search, i);
    }
}

/* --- Plain volumes -------------------------------------------------------------------------- */

static void consider_copies(struct search *io_search)
{
    const struct machine *machine = io_search->machine;

    for (size_t i = 0; i < machine->copy_count; i++) {
        const struct system_copy *copy = &machine->copies[i];
        struct boot_system system = {BOOT_PLAIN, i, NO_INDEX, true};
        struct boot_system hidden = {BOOT_NONE, NO_INDEX, copy->disk, true};
        struct spread spread = {.complete = true};
        if (copy->plex != NO_INDEX)
            continue;
        spread_over(io_search, copy->disk, true, &spread);
        if (system_copy_windows(copy) == ST_OK)
            consider_volume(io_search, &system, PLAIN_WINDOWS, &spread, 0);
        else if (copy->content == CONTENT_BITLOCKER && spread.led_to &&
                 io_search->family != OTHER_FAMILY)
            consider_volume(io_search, &hidden, HIDDEN, &spread, 0);
    }
}

/* True for partitions that may hold the root of Linux or another system. */
static bool may_hold_system(const struct partition *partition)
{
    switch (partition->kind) {
    case PT_UNKNOWN:
    case PT_LINUX_DATA:
    case PT_LINUX_LVM:
    case PT_LINUX_ROOT_X64:
        return true;
    default:
        return false;
    }
}

/* Bytes of the smallest md part that is here: what holds a system is no smaller than its mirror
 * elsewhere, what only starts one is. */
static uint64_t least_array(const struct machine *machine)
{
    uint64_t least = SYSTEM_SIZE;

    for (size_t i = 0; i < machine->md_count; i++) {
        const struct partition *own = &machine->partitions[machine->md_members[i].partition];
        uint64_t bytes = partition_bytes(machine, own);
        least = bytes < least ? bytes : least;
    }
    return least;
}

/* True when a partition of the disk may hold a system that nobody can look into here. */
static bool may_hide_system(const struct machine *machine, size_t disk)
{
    for (size_t i = 0; i < machine->partition_count; i++) {
        const struct partition *own = &machine->partitions[i];
        bool held = machine_find_esp(machine, i) != NO_INDEX;
        for (size_t j = 0; j < machine->md_count; j++)
            held |= machine->md_members[j].partition == i;
        if (own->disk == disk && may_hold_system(own) && !held &&
            partition_bytes(machine, own) >= least_array(machine))
            return true;
    }
    return false;
}

/* A system of other makers on the disk that entries lead to. */
static void consider_hidden(struct search *io_search)
{
    const struct machine *machine = io_search->machine;
    struct boot_system hidden = {BOOT_NONE, NO_INDEX, io_search->disk, false};
    struct spread spread = {.led_to = true, .complete = true};

    if (io_search->disk != NO_INDEX && io_search->family == OTHER_FAMILY &&
        may_hide_system(machine, io_search->disk))
        consider_volume(io_search, &hidden, HIDDEN, &spread, 0);
}

/* Where the entry leads: older Windows names the system's own partition. Firmware that finds no
 * entry takes any disk, which says nothing of what is meant. */
static size_t disk_of_lead(const struct machine *machine, const struct lead *lead)
{
    if (lead == NULL || lead->entry == NULL)
        return NO_INDEX;
    const struct entry *entry = lead->entry;
    if (entry->optional_kind == OPTIONAL_WINDOWS && entry->os.has_hd &&
        entry->os.partition != NO_INDEX)
        return machine->partitions[entry->os.partition].disk;
    return machine->partitions[machine->esps[lead->esp].partition].disk;
}

struct boot_system system_find(const struct machine *machine, const struct lead *lead)
{
    struct search search = {.machine = machine,
                            .disk = disk_of_lead(machine, lead),
                            .family = find_family(machine, lead),
                            .best = {BOOT_NONE, NO_INDEX, NO_INDEX, true}};

    search.best.windows = search.family != OTHER_FAMILY;
    consider_volumes(&search);
    consider_copies(&search);
    consider_arrays(&search);
    consider_hidden(&search);
    return search.best;
}

bool system_copies_equal(const struct machine *machine, size_t copy, size_t other)
{
    const struct system_copy *a = &machine->copies[copy];
    const struct system_copy *b = &machine->copies[other];

    return copy == other || (b->plex == NO_INDEX && a->status == ST_OK && b->status == ST_OK &&
                             system_copy_windows(b) == ST_OK && a->ntfs.serial == b->ntfs.serial);
}

/* --- Who has it not ------------------------------------------------------------------------- */

/* True when the disk carries Windows that is no copy of the plain volume. */
static bool has_other_windows(const struct machine *machine, size_t disk, size_t copy)
{
    for (size_t i = 0; i < machine->copy_count; i++) {
        if (machine->copies[i].disk == disk && system_copy_windows(&machine->copies[i]) == ST_OK &&
            !system_copies_equal(machine, copy, i))
            return true;
    }
    return false;
}

static bool has_array(const struct machine *machine, size_t disk)
{
    for (size_t i = 0; i < machine->md_count; i++) {
        const struct md_partition *own = &machine->md_members[i];
        if (machine->partitions[own->partition].disk == disk && own->member.level == MD_MIRROR &&
            own->member.role < MD_ROLE_JOURNAL && array_evidence(machine, own) > 0)
            return true;
    }
    return false;
}

bool system_is_not_on(const struct machine *machine, const struct boot_system *system, size_t disk)
{
    if (system->kind == BOOT_PLAIN)
        return disk != machine->copies[system->index].disk &&
               (has_other_windows(machine, disk, system->index) || has_array(machine, disk));
    return system->kind == BOOT_NONE && !system->windows && system->disk != NO_INDEX &&
           disk != system->disk && !may_hide_system(machine, disk);
}

bool system_may_be_another_on(const struct machine *machine, size_t disk)
{
    return may_hide_system(machine, disk) || has_array(machine, disk);
}
