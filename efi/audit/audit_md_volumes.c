#include "audit_md_volumes.h"

#include "audit/compare_esps.h"

/* "Disk 0 Partition 1" */
static const char *md_place_text(struct collector *to, const struct machine *machine,
                                 size_t partition)
{
    const struct partition *own = &machine->partitions[partition];

    return arena_printf(to->arena, "Disk %zu Partition %u", own->disk, own->number);
}

/* Dates and places are not held against each other: they do no harm to anybody. */
static bool files_are_equal(const struct esp *a, size_t i, const struct esp *b, size_t j)
{
    const struct fat_file *one = &a->report.files[i];
    const struct fat_file *other = &b->report.files[j];

    return one->is_directory == other->is_directory && one->status == other->status &&
           esp_files_equal(a, i, b, j);
}

/* The first file that is not the same on both, in half a sentence; "" when all are, NULL when
 * memory runs out. */
static const char *difference(struct collector *to, const struct esp *esp, const struct esp *other)
{
    const size_t *twins = esp_twins(to->arena, esp, other);
    const size_t *back = esp_twins(to->arena, other, esp);

    if (twins == NULL || back == NULL)
        return NULL;
    for (size_t i = 0; i < esp->report.file_count; i++) {
        const char *path = esp->report.files[i].path;
        if (twins[i] == FAT_NO_FILE && other->report.listed)
            return arena_printf(to->arena, "%s is here, and not", path);
        if (twins[i] != FAT_NO_FILE && !files_are_equal(esp, i, other, twins[i]))
            return arena_printf(to->arena, "%s is another here than", path);
    }
    for (size_t i = 0; i < other->report.file_count; i++) {
        if (back[i] == FAT_NO_FILE && esp->report.listed)
            return arena_printf(to->arena, "%s is not here, but", other->report.files[i].path);
    }
    return "";
}

static void compare_md_copies(struct collector *to, const struct machine *machine, size_t partition,
                              size_t other)
{
    size_t a = machine_find_esp(machine, partition);
    size_t b = machine_find_esp(machine, other);
    const char *how = "";

    if (a == NO_INDEX || b == NO_INDEX)
        return;
    const struct esp *one = &machine->esps[a];
    const struct esp *two = &machine->esps[b];
    if (one->status != ST_OK && two->status != ST_OK)
        return;
    if (one->status == ST_OK && two->status == ST_OK)
        how = difference(to, one, two);
    else if (one->status != ST_OK)
        how = "there is no sound file system here, unlike";
    else
        how = "there is a sound file system here, unlike";
    if (how != NULL && how[0] == '\0')
        return;
    const char *where = md_place_text(to, machine, other);
    collect_at_partition(
        to, FINDING_ESP_MD_HALVES_DIFFER, partition,
        how == NULL || where == NULL ? NULL : arena_printf(to->arena, " %s on %s.", how, where));
}

/* Against the first member of the same array that is up to date. */
static void audit_md_copy(struct collector *to, const struct machine *machine, size_t index)
{
    const struct md_volume *own = &machine->md_volumes[index];

    for (size_t i = 0; i < index; i++) {
        const struct md_volume *other = &machine->md_volumes[i];
        if (other->use != MD_HALF || !guid_equal(&other->member.set, &own->member.set))
            continue;
        compare_md_copies(to, machine, own->partition, other->partition);
        return;
    }
}

/* ": array box:efi." */
static const char *array_text(struct collector *to, const struct md_member *member)
{
    if (member->name[0] == '\0')
        return ".";
    return arena_printf(to->arena, ": array %s.", member->name);
}

static void audit_member(struct collector *to, const struct machine *machine, size_t index)
{
    const struct md_volume *own = &machine->md_volumes[index];
    const struct md_member *member = &own->member;

    if (own->use == MD_PIECE) {
        collect_at_partition(
            to, FINDING_ESP_MD_PIECE, own->partition,
            arena_printf(to->arena, ": level %d, array %s.", (int)member->level, member->name));
        return;
    }
    collect_at_partition(to, FINDING_ESP_IS_MD_MEMBER, own->partition, array_text(to, member));
    if (own->use == MD_OLD)
        collect_at_partition(to, FINDING_ESP_MD_OUT_OF_DATE, own->partition, ".");
    else
        audit_md_copy(to, machine, index);
}

void audit_md_volumes(struct collector *to, const struct machine *machine)
{
    for (size_t i = 0; i < machine->md_volume_count; i++) {
        const struct partition *own = &machine->partitions[machine->md_volumes[i].partition];
        if (!machine->disks[own->disk].removable)
            audit_member(to, machine, i);
    }
}
