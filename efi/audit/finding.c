#include "audit/finding.h"

struct finding_words {
    enum severity severity;
    const char *name;
    const char *text;
    const char *advice;
};

static const struct finding_words words[FINDING_COUNT] = {
    [FINDING_DISK_UNREADABLE] = {SEVERITY_DAMAGE, "disk-unreadable", "The disk cannot be read.",
                                 "Check cables and power. If it stays so, replace the disk."},
    [FINDING_GPT_PRIMARY_DAMAGED] =
        {SEVERITY_DAMAGE, "gpt-primary-damaged", "The primary partition table is damaged",
         "The backup at the end of the disk is good and was used. Firmware often restores the "
         "primary from it when the disk is next connected; sgdisk -v shows whether it did."},
    [FINDING_GPT_BACKUP_DAMAGED] =
        {SEVERITY_DAMAGE, "gpt-backup-damaged",
         "The backup partition table at the end of the disk is damaged",
         "The primary is good and was used. Firmware often restores the backup from it when the "
         "disk is next connected; sgdisk -v shows whether it did."},
    [FINDING_GPT_BOTH_DAMAGED] =
        {SEVERITY_DAMAGE, "gpt-both-damaged", "Both copies of the partition table are damaged",
         "Do not write to this disk. Its partitions can be found again with testdisk or from a "
         "saved table (sgdisk --load-backup)."},
    [FINDING_GPT_COPIES_DIFFER] =
        {SEVERITY_WARNING, "gpt-copies-differ",
         "Both copies of the partition table are good by themselves, and they do not agree.",
         "The primary was used. Compare them before changing anything on this disk."},
    [FINDING_GPT_BACKUP_NOT_AT_END] =
        {SEVERITY_WARNING, "gpt-backup-not-at-end",
         "The backup partition table is not in the last block: the disk has grown.",
         "If the primary is lost, firmware will not find the backup. sgdisk -e moves it."},
    [FINDING_GPT_MBR_UNREADABLE] =
        {SEVERITY_DAMAGE, "gpt-mbr-unreadable",
         "The disk's first block cannot be read, and most firmware then ignores the GPT.",
         "Check cables and power. If it stays so, save what is on the disk and replace it."},
    [FINDING_GPT_NO_PROTECTIVE_MBR] =
        {SEVERITY_DAMAGE, "gpt-no-protective-mbr",
         "The protective MBR is missing, and most firmware then ignores the GPT.",
         "Nothing on this disk starts until a protective MBR is written (sgdisk does it)."},
    [FINDING_GPT_HYBRID_MBR] = {SEVERITY_NOTE, "gpt-hybrid-mbr",
                                "The MBR is hybrid: it has partitions beside the protective one.",
                                ""},
    [FINDING_PARTITION_OUT_OF_RANGE] =
        {SEVERITY_DAMAGE, "partition-out-of-range",
         "The partition does not lie inside the usable part of the disk.",
         "Firmware ignores it. Do not write to this disk before the table is understood."},
    [FINDING_PARTITION_OVERLAPS] = {SEVERITY_DAMAGE, "partition-overlaps",
                                    "The partition shares blocks with another one.",
                                    "Do not write to this disk before the table is understood."},
    [FINDING_DISK_GUID_REPEATED] =
        {SEVERITY_WARNING, "disk-guid-repeated",
         "Another disk has the same identity: one of them is a raw copy.",
         "Windows takes one of them offline. Give one a new identity (sgdisk -G)."},
    [FINDING_PARTITION_GUID_REPEATED] =
        {SEVERITY_DAMAGE, "partition-guid-repeated",
         "Another partition of this machine has the same GUID.",
         "Firmware tries only the first one it meets, so entries cannot tell them apart. Give one "
         "a new GUID (sgdisk -u)."},
    [FINDING_FALLBACK_MISSING] =
        {SEVERITY_WARNING, "fallback-missing",
         "The fallback boot file is missing, so nothing here starts without a boot entry:",
         "Copy the boot manager to that name, for firmware that forgets its entries."},
    [FINDING_VARIABLES_UNREADABLE] = {SEVERITY_DAMAGE, "variables-unreadable",
                                      "The firmware's variables cannot be listed",
                                      "Boot entries may be missing from what is shown here."},
    [FINDING_VARIABLES_REPEATED] =
        {SEVERITY_WARNING, "variables-repeated",
         "The firmware lists the same variable twice or does not end its list.",
         "A known firmware fault; each entry was taken once."},
    [FINDING_STORE_NEARLY_FULL] =
        {SEVERITY_WARNING, "store-nearly-full", "The firmware's variable store is over half full:",
         "Some machines fail when it fills up. Delete entries that are not needed."},
    [FINDING_ORDER_MISSING] = {SEVERITY_DAMAGE, "order-missing",
                               "BootOrder is missing, though there are boot entries.",
                               "shadowboot prune puts the entries that lead somewhere in order."},
    [FINDING_ORDER_UNREADABLE] = {SEVERITY_DAMAGE, "order-unreadable", "BootOrder cannot be read",
                                  "Restart the machine and look again. If it stays so, reset the "
                                  "boot order in the firmware's own setup."},
    [FINDING_ORDER_ODD_SIZE] = {SEVERITY_DAMAGE, "order-odd-size",
                                "BootOrder is damaged: its size is odd.",
                                "shadowboot prune cuts off the odd byte."},
    [FINDING_ORDER_NAMES_ABSENT] = {SEVERITY_DAMAGE, "order-names-absent",
                                    "BootOrder names an entry that does not exist:",
                                    "shadowboot prune takes it out."},
    [FINDING_ORDER_REPEATS] = {SEVERITY_DAMAGE, "order-repeats", "BootOrder names an entry twice:",
                               "shadowboot prune keeps the first mention."},
    [FINDING_ENTRY_DAMAGED] = {SEVERITY_DAMAGE, "entry-damaged", "The boot entry is damaged",
                               "It cannot start anything. shadowboot delete removes it."},
    [FINDING_ENTRY_PARTITION_GONE] =
        {SEVERITY_WARNING, "entry-partition-gone",
         "The entry names a partition that is on no disk of this machine",
         "If its disk is dead for good, shadowboot prune removes the entry."},
    [FINDING_ENTRY_DISK_GONE] = {SEVERITY_NOTE, "entry-disk-gone",
                                 "The entry names a device that is not there now.", ""},
    [FINDING_ENTRY_FILE_GONE] = {SEVERITY_DAMAGE, "entry-file-gone",
                                 "The entry's boot file is not on that partition:",
                                 "Copy the boot files there, or delete the entry."},
    [FINDING_ENTRY_PLACE_WRONG] =
        {SEVERITY_WARNING, "entry-place-wrong",
         "The entry has its partition's GUID, but another number, start or size.",
         "Some firmware does not start it. Delete it and clone or add it again."},
    [FINDING_ENTRY_ELSEWHERE] =
        {SEVERITY_WARNING, "entry-elsewhere",
         "The entry's hardware path does not lead to the disk its partition is on now.",
         "The disk was moved to another port. Clone the entry with -short, or delete it."},
    [FINDING_ENTRY_DUPLICATE] = {SEVERITY_WARNING, "entry-duplicate",
                                 "The entry starts the same as an earlier one:",
                                 "shadowboot prune removes it."},
    [FINDING_ENTRY_NOT_IN_ORDER] =
        {SEVERITY_WARNING, "entry-not-in-order",
         "The entry is not in BootOrder: it is never tried, and firmware may overwrite it.",
         "shadowboot order puts it in."},
};

enum severity finding_severity(enum finding_code code)
{
    return words[code].severity;
}

const char *finding_name(enum finding_code code)
{
    return words[code].name;
}

const char *finding_text(enum finding_code code)
{
    return words[code].text;
}

const char *finding_advice(enum finding_code code)
{
    return words[code].advice;
}

const char *finding_place(struct arena *arena, const struct machine *machine,
                          const struct finding *finding)
{
    const char *place = "this machine";

    if (finding->entry != NO_INDEX) {
        place = arena_printf(arena, "Boot%04X", machine->entries[finding->entry].number);
    } else if (finding->partition != NO_INDEX) {
        const struct partition *partition = &machine->partitions[finding->partition];
        place = arena_printf(arena, "Disk %zu Partition %u", partition->disk, partition->number);
    } else if (finding->disk != NO_INDEX) {
        place = arena_printf(arena, "Disk %zu", finding->disk);
    }
    return place == NULL ? "" : place;
}
