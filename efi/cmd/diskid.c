#include "diskid.h"

#include "audit/audit_machine.h"
#include "base/text.h"
#include "cmd/command.h"
#include "disk_word.h"
#include "mend.h"
#include "model/boot_store.h"
#include "plan/disk_ids.h"
#include "plan/new_guids.h"
#include "plan/place.h"
#include "plan/prospect.h"
#include "run.h"
#include "show.h"

#define SIGNATURE_DIGITS 8

/* --- Showing -------------------------------------------------------------------------------- */

static const char *guid_words(struct context *context, const struct guid *guid)
{
    char text[GUID_TEXT_SIZE];

    guid_format(guid, text);
    return arena_printf(context->arena, "%s", text);
}

const char *diskid_text(struct context *context, size_t disk)
{
    const struct disk *own = &context->machine.disks[disk];

    if (own->style == DISK_GPT)
        return guid_words(context, &own->guid);
    return own->style == DISK_MBR && !own->mbr_unreadable
               ? arena_printf(context->arena, "%08X", own->mbr.signature)
               : "none";
}

/* Who else has the disk's identity: ", which Disk 1 has too"; "" for nobody. */
static const char *twin_of_disk(struct context *context, size_t disk)
{
    const struct machine *machine = &context->machine;

    for (size_t i = 0; i < machine->disk_count; i++) {
        if (i != disk && disks_have_same_identity(&machine->disks[i], &machine->disks[disk]))
            return arena_printf(context->arena, ", which Disk %zu has too", i);
    }
    return "";
}

static const char *twin_of_partition(struct context *context, size_t partition)
{
    const struct machine *machine = &context->machine;
    const struct guid *unique = &machine->partitions[partition].unique;

    for (size_t i = 0; i < machine->partition_count; i++) {
        const struct partition *other = &machine->partitions[i];
        if (i != partition && guid_equal(&other->unique, unique))
            return arena_printf(context->arena, ", which Disk %zu Partition %u has too",
                                other->disk, other->number);
    }
    return "";
}

static void show_partitions(struct context *context, const struct disk *disk)
{
    for (size_t i = 0; i < disk->partition_count; i++) {
        size_t index = disk->first_partition + i;
        const struct partition *own = &context->machine.partitions[index];
        say(context, "  Partition %u:      %s %s%s\n", own->number,
            guid_words(context, &own->unique), partition_type_name(own->kind),
            twin_of_partition(context, index));
    }
}

/* What a store's descriptor names: "Disk 0 Partition 4", or what is nowhere. */
static const char *named_text(struct context *context, const struct bcd_partition *named)
{
    const struct machine *machine = &context->machine;
    size_t partition = boot_store_partition(machine, named, 0);

    if (partition != NO_INDEX)
        return arena_printf(context->arena, "%s", place_text(context->arena, machine, partition));
    if (named->is_gpt)
        return arena_printf(
            context->arena, "the partition %s of the disk %s, and no disk here has that partition",
            guid_words(context, &named->partition), guid_words(context, &named->disk));
    return arena_printf(context->arena,
                        "the partition at byte %llu of the disk with the signature %08X, which is "
                        "not here",
                        (unsigned long long)named->offset, named->signature);
}

static void show_stores(struct context *context, size_t disk)
{
    const struct machine *machine = &context->machine;
    struct bcd_choice choice;
    struct boot_store store;

    for (size_t i = 0; i < boot_store_count(machine); i++) {
        if (!boot_store_at(machine, i, &store) ||
            machine->partitions[store.partition].disk != disk ||
            boot_store_choose_by(context->arena, &store, &bcd_manager, &choice) != BCD_STARTS ||
            choice.device.kind != BCD_DEVICE_PARTITION)
            continue;
        say(context, "  Its boot store on Partition %u%s starts Windows from %s.\n",
            machine->partitions[store.partition].number, store.is_bios ? ", for BIOS," : "",
            named_text(context, &choice.device.partition));
    }
}

static void show_identity_of(struct context *context, size_t index)
{
    const struct disk *disk = &context->machine.disks[index];
    bool gpt = disk->style == DISK_GPT;

    say(context, "Disk %zu: %s\n", index, disk->model[0] != '\0' ? disk->model : disk->path_text);
    say(context, "  %s %s%s\n",
        gpt ? "Disk GUID:       " : "MBR signature:   ", diskid_text(context, index),
        twin_of_disk(context, index));
    if (gpt)
        show_partitions(context, disk);
    show_stores(context, index);
}

/* What is to be typed where two have one identity. */
static void show_advice(struct context *context, size_t only)
{
    const struct machine *machine = &context->machine;

    for (size_t i = machine->disk_count; i-- > 0;) {
        const struct disk *disk = &machine->disks[i];
        bool repeated = disk->guid_repeated;
        for (size_t j = 0; j < disk->partition_count; j++)
            repeated |= machine->partitions[disk->first_partition + j].guid_repeated;
        if (!repeated || (only != NO_INDEX && only != i))
            continue;
        say(context, "\nTwo with one identity cannot be told apart. %s\n",
            finding_copy_advice(context->arena, machine, i));
        return;
    }
}

static enum status show_identities(struct context *context)
{
    size_t only = NO_INDEX;

    enum status status = context_scan(context, SCAN_LISTED);
    if (status == ST_OK && context->word_count > 0)
        status = disk_word(context, context->words[0], &only);
    if (status != ST_OK)
        return status;
    for (size_t i = 0; i < context->machine.disk_count; i++) {
        if (only == NO_INDEX || only == i)
            show_identity_of(context, i);
    }
    show_advice(context, only);
    return ST_OK;
}

/* --- Setting -------------------------------------------------------------------------------- */

/* Between the table and what names it the disk is not found: the others start meanwhile, if there
 * are any. */
static void warn_of_gap(struct plan *io_plan, const struct judgement *judgement, size_t disk)
{
    bool starts = false;

    for (size_t i = 0; i < judgement->roles.member_count; i++) {
        bool hopeful = forecast_is_hopeful(&judgement->forecasts[i]);
        if (hopeful && judgement->roles.members[i].disk != disk)
            return;
        starts |= hopeful;
    }
    if (starts)
        plan_warn(io_plan,
                  "No other disk starts this machine. Should the power fail on the way, start from "
                  "the stick again and run the same line: it finishes what was begun.");
}

static enum status set_ids(struct context *context, struct plan *plan, const struct disk_ids *ids)
{
    struct judgement judgement;
    bool copy = context->machine.disks[ids->disk].guid_repeated ||
                (ids->sets_partition && context->machine.partitions[ids->partition].guid_repeated);

    /* Of two that are called the same, one loses by getting a name of its own what starts the
     * other. */
    enum status status = plan_disk_ids(plan, ids);
    if (status != ST_OK || plan->count == 0 || copy)
        return status;
    status = audit_machine(context->arena, &context->machine, &judgement);
    if (status != ST_OK)
        return status;
    warn_of_gap(plan, &judgement, ids->disk);
    return prospect_check(plan, &judgement);
}

static enum status set_new(struct context *context, struct plan *plan, size_t disk)
{
    struct date_time now = context_now(context);
    bool gpt = context->machine.disks[disk].style == DISK_GPT;

    /* A copy is to have nothing in common with the other disk. */
    if (gpt) {
        enum status status = plan_new_guids(plan, disk, &now);
        if (status != ST_OK || plan->count > 0)
            return status;
    }
    struct disk_ids ids = disk_ids_fresh(&context->machine, disk, &now);
    return set_ids(context, plan, &ids);
}

/* Reads a GUID or a signature, as the disk's table has it. Statuses: ST_OK; ST_USAGE, reported. */
static enum status read_identity(struct context *context, size_t disk, const char *text,
                                 struct guid *ret_guid, uint32_t *ret_signature)
{
    uint64_t number = 0;

    if (context->machine.disks[disk].style == DISK_GPT) {
        if (guid_parse(text, ret_guid) == ST_OK)
            return ST_OK;
        return report(context, ST_USAGE,
                      "Disk %zu has a GPT, and its identity is a GUID, such as %s. Nothing was "
                      "changed.",
                      disk, diskid_text(context, disk));
    }
    if (text_length(text) == SIGNATURE_DIGITS && text_parse_number(text, 16, &number) == ST_OK) {
        *ret_signature = (uint32_t)number;
        return ST_OK;
    }
    return report(
        context, ST_USAGE,
        "Disk %zu has an MBR, and its identity is a signature of eight hexadecimal digits, "
        "such as 42D9DECD. Nothing was changed.",
        disk);
}

enum status diskid_set(struct context *context, size_t disk, const char *text)
{
    struct disk_ids ids = {.disk = disk, .sets_disk = true, .partition = NO_INDEX};
    struct judgement judgement;
    struct plan plan;

    run_begin(context, &plan);
    if (text_equal_nocase(text, "new"))
        return mend_run(context, &plan, set_new(context, &plan, disk), false, &judgement);
    enum status status = read_identity(context, disk, text, &ids.disk_guid, &ids.signature);
    if (status != ST_OK)
        return status;
    return mend_run(context, &plan, set_ids(context, &plan, &ids), false, &judgement);
}

/* -partition NUMBER -set GUID */
static enum status set_partition(struct context *context, size_t disk, const char *number_text,
                                 const char *text)
{
    const struct machine *machine = &context->machine;
    const struct disk *own = &machine->disks[disk];
    struct disk_ids ids = {.disk = disk, .sets_partition = true};
    struct judgement judgement;
    struct plan plan;
    uint64_t number = 0;

    if (own->style != DISK_GPT)
        return report(context, ST_REFUSED,
                      "Disk %zu has no GPT, and only there partitions have GUIDs. Nothing was "
                      "changed.",
                      disk);
    if (text_parse_number(number_text, 10, &number) != ST_OK || number == 0 ||
        number > own->partition_count)
        return report(context, ST_ABSENT,
                      "Disk %zu has no Partition %.20s. \"shadowboot diskid %zu\" lists them. "
                      "Nothing was changed.",
                      disk, number_text, disk);
    ids.partition = own->first_partition + (size_t)number - 1;
    if (text_equal_nocase(text, "new")) {
        struct date_time now = context_now(context);
        ids.partition_guid = disk_ids_fresh(machine, disk, &now).disk_guid;
    } else {
        enum status status = read_guid(context, text, &ids.partition_guid);
        if (status != ST_OK)
            return status;
    }
    run_begin(context, &plan);
    return mend_run(context, &plan, set_ids(context, &plan, &ids), false, &judgement);
}

static enum status set_expected(struct context *context, size_t disk)
{
    struct judgement judgement;
    struct disk_ids ids;
    struct plan plan;

    run_begin(context, &plan);
    enum status status = plan_disk_ids_expected(&plan, disk, &ids);
    if (status == ST_ABSENT)
        return report(context, status,
                      "No boot store on Disk %zu names a partition that is not here, so nothing is "
                      "to be set. \"shadowboot diskid %zu\" shows what they name. Nothing was "
                      "changed.",
                      disk, disk);
    if (status == ST_OK)
        status = set_ids(context, &plan, &ids);
    return mend_run(context, &plan, status, false, &judgement);
}

enum status cmd_diskid(struct context *context)
{
    const char *set = option(context, "-set");
    const char *partition = option(context, "-partition");
    bool expected = option(context, "-from-store") != NULL;
    size_t disk = NO_INDEX;

    if (set == NULL && !expected && partition == NULL)
        return show_identities(context);
    if (context->word_count == 0 || (set != NULL && expected) || (partition != NULL && set == NULL))
        return report(
            context, ST_USAGE,
            "It goes like this: shadowboot diskid 1 -set new, diskid 1 -set ID, diskid 1 "
            "-partition 2 -set GUID (or new), or diskid 1 -from-store. Nothing was changed.");
    enum status status = mend_begin(context, SCAN_LISTED);
    if (status == ST_OK)
        status = disk_word(context, context->words[0], &disk);
    if (status != ST_OK)
        return status;
    if (expected)
        return set_expected(context, disk);
    return partition != NULL ? set_partition(context, disk, partition, set)
                             : diskid_set(context, disk, set);
}
