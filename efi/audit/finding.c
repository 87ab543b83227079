#include "audit/finding.h"

#include "finding_words.h"

/* Advice that several findings share. */
#define COPY_BOOT_FILES                                                                   \
    "shadowboot repair brings the boot files from the other disk, shadowboot copy only "  \
    "those in \\EFI\\Microsoft; where no disk has them, repair takes those that Windows " \
    "keeps, as rebuild <disk> does."
#define BRING_STORE                                                                            \
    "shadowboot repair brings that of the other disk, made for this one; where no disk has a " \
    "good one, it makes one anew, as rebuild <disk> -store does."
#define OWN_COPY "the copy on its own disk, where that has a partition."
#define COPY_LINUX_FILES                                                                    \
    "shadowboot repair brings the boot files from the other disk. Or in Linux: mount this " \
    "partition and copy them."
#define LOADER_BACK                                                                            \
    "Windows' boot manager stops there. shadowboot does not write into Windows' own volumes: " \
    "bring the file back from a Windows of the same version (sfc in its recovery)."
#define PREPARE_DISK "shadowboot prepare <disk> "
#define MEND_TABLE   "shadowboot prepare <disk> -gpt writes it anew; so does shadowboot repair."
#define NEW_GUIDS                                                                                \
    "If Disk <disk> is the copy, shadowboot diskid <disk> -set new gives it new ones; the boot " \
    "entries stay with the other."
#define FORMAT_AGAIN                                                                    \
    PREPARE_DISK                                                                        \
    "formats it anew, keeps what can still be read on it and brings the rest from the " \
    "other disk; so does repair where the disk does not start as it is."

#define MEND_ARRAY                                                                               \
    "Something has written to one of them alone. In Linux, write repair to the array's "         \
    "md/sync_action, then look whether the mounted array has the right files, and copy them to " \
    "it if it has not."

static const struct finding_words words[FINDING_SYSTEM_FIRST] = {
    [FINDING_DISK_UNREADABLE] = {SEVERITY_DAMAGE, "disk-unreadable", "The disk cannot be read.",
                                 "Check cables and power. If it stays so, replace the disk."},
    [FINDING_GPT_PRIMARY_DAMAGED] =
        {SEVERITY_DAMAGE, "gpt-primary-damaged", "The primary partition table is damaged",
         "The backup at the end of the disk is good and was used. " MEND_TABLE},
    [FINDING_GPT_BACKUP_DAMAGED] = {SEVERITY_DAMAGE, "gpt-backup-damaged",
                                    "The backup partition table at the end of the disk is damaged",
                                    "The primary is good and was used. " MEND_TABLE},
    [FINDING_GPT_BOTH_DAMAGED] =
        {SEVERITY_DAMAGE, "gpt-both-damaged", "Both copies of the partition table are damaged",
         "Do not write to this disk. Its partitions can be found again with testdisk or from a "
         "saved table (sgdisk --load-backup)."},
    [FINDING_GPT_OTHER_BLOCK_SIZE] =
        {SEVERITY_DAMAGE, "gpt-other-block-size",
         "The partition table was written for blocks of another size, so firmware sees no "
         "partition:",
         "The disk was partitioned behind another controller, adapter or USB bridge. Connect it "
         "that way again, or copy what is on it from there. Do not write to it here."},
    [FINDING_GPT_OF_LARGER_DISK] =
        {SEVERITY_DAMAGE, "gpt-of-larger-disk",
         "The partition table is that of a larger disk: what lies behind the end is not here.",
         "The disk was copied from a larger one. Copy it to one that is large enough, or save what "
         "is on it and partition it anew. Firmware starts what lies in front all the same."},
    [FINDING_GPT_COPIES_DIFFER] =
        {SEVERITY_WARNING, "gpt-copies-differ",
         "Both copies of the partition table are good by themselves, and they do not agree.",
         "The primary was used. Compare them before changing anything on this disk."},
    [FINDING_GPT_BACKUP_NOT_AT_END] =
        {SEVERITY_WARNING, "gpt-backup-not-at-end",
         "The backup partition table is not in the last block: the disk has grown.",
         "If the primary is lost, firmware will not find the backup. " MEND_TABLE},
    [FINDING_GPT_MBR_UNREADABLE] =
        {SEVERITY_DAMAGE, "gpt-mbr-unreadable",
         "The disk's first block cannot be read, and most firmware then ignores the GPT.",
         "Check cables and power. If it stays so, save what is on the disk and replace it."},
    [FINDING_GPT_NO_PROTECTIVE_MBR] =
        {SEVERITY_DAMAGE, "gpt-no-protective-mbr",
         "The protective MBR is missing, and most firmware then ignores the GPT.",
         "Nothing on this disk starts until a protective MBR is written. " MEND_TABLE},
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
    [FINDING_DISK_RAID_MEMBER] =
        {SEVERITY_NOTE, "disk-raid-member", "The disk is a member of a RAID of whole disks:",
         "Its disks are one volume, so shadowboot writes to none of them. Change files and "
         "partitions from the system that runs on the volume."},
    [FINDING_SPACE_TAKEN] =
        {SEVERITY_WARNING, "space-taken",
         "In space that is in no partition lies a mark of somebody else:",
         "It is left alone, and what would have to be written there is not. If it is not wanted, "
         "wipe it (wipefs)."},
    [FINDING_DISK_GUID_REPEATED] =
        {SEVERITY_WARNING, "disk-guid-repeated",
         "Another disk has the same identity: one of them is a raw copy.",
         "Windows takes one of them offline. " NEW_GUIDS},
    [FINDING_PARTITION_GUID_REPEATED] = {SEVERITY_DAMAGE, "partition-guid-repeated",
                                         "Another partition of this machine has the same GUID.",
                                         "Firmware tries only the first one it meets, so entries "
                                         "cannot tell them apart. " NEW_GUIDS},
    [FINDING_FALLBACK_MISSING] =
        {SEVERITY_WARNING, "fallback-missing",
         "The fallback boot file is missing, so nothing here starts without a boot entry:",
         "shadowboot repair makes it of Windows' boot manager on the disks of a mirror, for "
         "firmware that forgets its entries.",
         "For firmware that forgets its entries: install the loader there too (GRUB: grub-install "
         "--removable)."},
    [FINDING_VARIABLES_IN_FILE] =
        {SEVERITY_NOTE, "variables-in-file",
         "The firmware keeps the boot entries in a file here, and they die with this disk:",
         "Each other disk starts by its fallback boot file alone. shadowboot repair sees to that."},
    [FINDING_VARIABLES_UNREADABLE] = {SEVERITY_DAMAGE, "variables-unreadable",
                                      "The firmware's variables cannot be listed",
                                      "Boot entries may be missing from what is shown here."},
    [FINDING_ENTRIES_UNKNOWN] =
        {SEVERITY_NOTE, "entries-unknown",
         "The boot entries are not known: the disks are here without their machine's firmware.",
         "Entries are left out; in the machine, shadowboot status says whether they are right."},
    [FINDING_SECURE_UNKNOWN] =
        {SEVERITY_NOTE, "secure-boot-unknown",
         "Secure Boot is not known here: it may refuse what is said to start.",
         "shadowboot-linux: give --efivars with all variables of the machine. Until then no whole "
         "boot manager gives way to one of another signer."},
    [FINDING_VARIABLES_REPEATED] =
        {SEVERITY_WARNING, "variables-repeated",
         "The firmware lists the same variable twice or does not end its list.",
         "A known firmware fault; each entry was taken once."},
    [FINDING_STORE_NEARLY_FULL] =
        {SEVERITY_WARNING, "store-nearly-full", "The firmware's variable store is over half full:",
         "Some machines fail when it fills up. Delete entries that are not needed."},
    [FINDING_ORDER_MISSING] =
        {SEVERITY_DAMAGE, "order-missing",
         "BootOrder is missing or names no entry, though there are boot entries.",
         "shadowboot prune writes it from the entries that are there, those "
         "that start from a disk first; so does repair."},
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
                               "It cannot start anything. shadowboot delete <entry> removes it."},
    [FINDING_ENTRY_PARTITION_GONE] =
        {SEVERITY_WARNING, "entry-partition-gone",
         "The entry names a partition that is on no disk of this machine",
         "If its disk is dead for good, shadowboot prune removes the entry, unless nothing else "
         "tells of the loader it names: then it says how to clone it."},
    [FINDING_ENTRY_DISK_GONE] = {SEVERITY_NOTE, "entry-disk-gone",
                                 "The entry names a device that is not there now.", ""},
    [FINDING_ENTRY_NAMES_NONE] =
        {SEVERITY_WARNING, "entry-names-none",
         "The entry names no partition: the GUID in its path is zero.",
         "Firmware starts nothing by it. Which disk was meant nobody can tell: add the entry anew "
         "with shadowboot add, then shadowboot delete <entry>."},
    [FINDING_ENTRY_FILE_GONE] =
        {SEVERITY_DAMAGE, "entry-file-gone", "The entry's boot file is not on that partition:",
         "shadowboot repair brings the boot files of a mirror from the other disk. Or "
         "shadowboot delete <entry>."},
    [FINDING_ENTRY_PLACE_WRONG] =
        {SEVERITY_WARNING, "entry-place-wrong",
         "The entry has its partition's GUID, but another number, start or size.",
         "Some firmware does not start it. shadowboot delete <entry>, then shadowboot clone or add "
         "makes it anew."},
    [FINDING_ENTRY_ELSEWHERE] =
        {SEVERITY_WARNING, "entry-elsewhere",
         "The entry's hardware path does not lead to the disk its partition is on now.",
         "The disk was moved to another port. shadowboot clone -short makes an entry that finds it "
         "anywhere; shadowboot delete <entry> removes this one."},
    [FINDING_ENTRY_FILE_ONLY] =
        {SEVERITY_WARNING, "entry-file-only",
         "The entry names a file and no disk: some firmware looks for it on all disks, removable "
         "ones first, other firmware starts nothing by it.",
         "shadowboot repair makes an entry for each disk of a mirror."},
    [FINDING_ENTRY_DUPLICATE] = {SEVERITY_WARNING, "entry-duplicate",
                                 "The entry starts the same as an earlier one:",
                                 "shadowboot prune removes it."},
    [FINDING_ENTRY_NOT_IN_ORDER] =
        {SEVERITY_WARNING, "entry-not-in-order",
         "The entry is not in BootOrder: it is never tried, and firmware may overwrite it.",
         "shadowboot order <entry> puts it in, in front of all others."},
    [FINDING_NO_SHADOW] = {SEVERITY_WARNING, "no-shadow",
                           "One disk carries the system, and nothing mirrors it.",
                           "Make a new mirror in Windows (Disk Management: Add Mirror) as soon as "
                           "a second disk is in.",
                           "Make a mirror of it (md RAID 1) as soon as a second disk is in."},
    [FINDING_MIRROR_DISK_MISSING] =
        {SEVERITY_DAMAGE, "mirror-disk-missing",
         "A disk with a copy of the boot volume is not here.",
         "If it is only unplugged, put it back. If it died: replace it, and in Windows remove the "
         "old half of the mirror and add a new one."},
    [FINDING_BOOT_VOLUME_UNKNOWN] = {SEVERITY_NOTE, "boot-volume-unknown",
                                     "No volume with Windows was found that could be looked into.",
                                     "What starts is judged by boot entries and ESPs alone."},
    [FINDING_MD_DEGRADED] = {SEVERITY_DAMAGE, "md-degraded",
                             "A disk of the md array is missing or not up to date.",
                             "Replace the disk, then in Linux: mdadm --add."},
    [FINDING_ESP_MISSING] =
        {SEVERITY_DAMAGE, "esp-missing",
         "The disk carries the system and has no EFI System Partition: it cannot start.",
         PREPARE_DISK
         "makes one in free space, with files and boot entry; so does repair. Where no "
         "disk has files, rebuild <disk> does."},
    [FINDING_NO_ROOM_FOR_ESP] =
        {SEVERITY_WARNING, "no-room-for-esp",
         "The disk has no free space for an EFI System Partition.",
         PREPARE_DISK "gives up the Microsoft reserved partition for it if you agree, as KB 814070 "
                      "does."},
    [FINDING_ESP_UNFORMATTED] = {SEVERITY_DAMAGE, "esp-unformatted",
                                 "The EFI System Partition is not formatted.",
                                 PREPARE_DISK
                                 "formats it and brings files and boot entry; so does repair."},
    [FINDING_ESP_NOT_FAT] = {SEVERITY_DAMAGE, "esp-not-fat",
                             "The EFI System Partition holds no FAT file system",
                             "Firmware does not read it. Look what is on it. When its first MiB "
                             "is cleared, shadowboot prepare <disk> formats it."},
    [FINDING_ESP_DAMAGED] = {SEVERITY_DAMAGE, "esp-damaged",
                             "The file system of the EFI System Partition is damaged",
                             FORMAT_AGAIN " What they leave as it is, chkdsk or fsck.fat mends."},
    [FINDING_ESP_UNREADABLE] = {SEVERITY_DAMAGE, "esp-unreadable",
                                "The EFI System Partition cannot be read.",
                                "Check cables and power. If it stays so, replace the disk."},
    [FINDING_ESP_UNUSUAL] = {SEVERITY_DAMAGE, "esp-unusual",
                             "The file system of the EFI System Partition is of a form that "
                             "Windows reads and some firmware does not.",
                             FORMAT_AGAIN},
    [FINDING_ESP_BOOT_SECTOR] =
        {SEVERITY_DAMAGE, "esp-boot-sector",
         "The boot sector of the EFI System Partition is damaged; its backup is good.",
         PREPARE_DISK "writes it back: one sector, and no other. So does repair."},
    [FINDING_ESP_SECTOR_SIZE] =
        {SEVERITY_DAMAGE, "esp-sector-size",
         "The file system of the EFI System Partition has sectors of another size than the disk",
         "It was copied from another kind of disk. Some firmware reads it; Windows does not, and "
         "Linux not where they are smaller. " FORMAT_AGAIN},
    [FINDING_ESP_PAST_PARTITION] =
        {SEVERITY_WARNING, "esp-past-partition", "The file system is longer than its partition:",
         "Firmware starts from it as long as all files lie inside. Make the partition as long "
         "again if there is room behind it, else save the files and format it."},
    [FINDING_ESP_NOT_CLEAN] =
        {SEVERITY_WARNING, "esp-not-clean", "The file system was not closed cleanly.",
         "Nothing else is wrong with it. chkdsk or fsck.fat clears the mark."},
    [FINDING_ESP_EMPTY] = {SEVERITY_DAMAGE, "esp-empty", "The EFI System Partition holds no files.",
                           COPY_BOOT_FILES, COPY_LINUX_FILES},
    [FINDING_ESP_TOO_SMALL] =
        {SEVERITY_DAMAGE, "esp-too-small",
         "The EFI System Partition is too small for the boot files of the other",
         "shadowboot repair brings what Windows is started by, without other languages and the memory "
         "tester. Where that is too much as well: make room on it (in the Shell: rm), or delete the "
         "partition and type shadowboot prepare <disk>, which makes a larger one.",
         "Make room on it (in the Shell: rm), or delete the partition and type shadowboot prepare "
         "<disk>, which makes a larger one."},
    [FINDING_ESP_NO_BOOT_FILES] =
        {SEVERITY_DAMAGE, "esp-no-boot-files",
         "The EFI System Partition lacks the folder that the other one starts from:",
         COPY_BOOT_FILES, COPY_LINUX_FILES},
    [FINDING_ESP_FILES_MISSING] = {SEVERITY_WARNING, "esp-files-missing",
                                   "Boot files of the other EFI System Partition are missing here",
                                   COPY_BOOT_FILES, COPY_LINUX_FILES},
    [FINDING_ESP_FILES_OLDER] =
        {SEVERITY_WARNING, "esp-files-older",
         "The boot files are older than those of the other EFI System Partition", COPY_BOOT_FILES,
         COPY_LINUX_FILES},
    [FINDING_ESP_FILES_NEWER] =
        {SEVERITY_WARNING, "esp-files-newer",
         "The boot files are newer than those of the other EFI System Partition",
         "The entries start the older ones first, and shadowboot repair goes by those, unless "
         "what Windows itself keeps tells which are right. To keep "
         "these: shadowboot copy -sg <guid> before it."},
    [FINDING_ESP_FILES_DIFFER] = {SEVERITY_WARNING, "esp-files-differ",
                                  "Boot files differ from those of the other EFI System Partition",
                                  COPY_BOOT_FILES, COPY_LINUX_FILES},
    [FINDING_ESP_BOOT_FILE_CORRUPT] = {SEVERITY_DAMAGE, "esp-boot-file-corrupt",
                                       "A boot file is damaged:", COPY_BOOT_FILES,
                                       COPY_LINUX_FILES},
    [FINDING_ESP_BOOT_FILE_DOUBTFUL] =
        {SEVERITY_WARNING, "esp-boot-file-doubtful", "A boot file may be damaged:",
         "Most firmware does not look at that. Where the other disk has a sound one, shadowboot "
         "repair brings it."},
    [FINDING_ESP_OTHER_ARCHITECTURE] = {SEVERITY_DAMAGE, "esp-other-architecture",
                                        "The boot manager is for another kind of machine:",
                                        COPY_BOOT_FILES, COPY_LINUX_FILES},
    [FINDING_ESP_FILE_UNREADABLE] = {SEVERITY_DAMAGE, "esp-file-unreadable",
                                     "A file cannot be read:",
                                     "The disk has bad blocks there. shadowboot repair brings the "
                                     "file anew from the other disk. Watch this one."},
    [FINDING_ESP_SECURE_REFUSED] =
        {SEVERITY_DAMAGE, "esp-secure-refused", "Secure Boot is on and refuses a boot file:",
         "shadowboot repair brings one that it takes, from another disk or from what Windows itself "
         "keeps. Where none has one: start Windows with Secure Boot off and let Windows Update bring "
         "the boot manager of 2023 (KB5025885), then shadowboot repair.",
         "shadowboot repair brings one that it takes from another disk. Where none has one: start "
         "with Secure Boot off, and bring shim and GRUB up to date."},
    [FINDING_ESP_SECURE_WOULD_REFUSE] =
        {SEVERITY_WARNING, "esp-secure-would-refuse",
         "Secure Boot is off; switched on, it would refuse a boot file:",
         "Nothing is to be done as long as it stays off. shadowboot secureboot shows what it "
         "trusts; Windows Update brings the boot manager of 2023 (KB5025885).",
         "Nothing is to be done as long as it stays off. shadowboot secureboot shows what it "
         "trusts."},
    [FINDING_ESP_SECURE_UNKNOWN] =
        {SEVERITY_WARNING, "esp-secure-unknown",
         "Whether Secure Boot, which is on, takes a boot file is not known:",
         "shadowboot secureboot -ask has firmware itself look at it."},
    [FINDING_ESP_SECURE_AT_RISK] =
        {SEVERITY_WARNING, "esp-secure-at-risk",
         "A boot file that firmware takes is older than Secure Boot's lists ask for:",
         "Newer ones of its kind refuse themselves then. Bring it up to date: for Windows by "
         "Windows Update (KB5025885), then shadowboot repair on the other disks."},
    [FINDING_ESP_FALLBACK_DIFFERS] =
        {SEVERITY_NOTE, "esp-fallback-differs",
         "The copy of Windows' boot manager under the removable-media path is another one than it.",
         "It is started by firmware that forgets its entries. shadowboot repair makes it anew of the "
         "boot manager beside it, unless it is the newer one of the two."},
    [FINDING_ESP_OLDER_THAN_WINDOWS] =
        {SEVERITY_WARNING, "esp-older-than-windows",
         "The boot manager is older than the one that Windows on this disk keeps:",
         "Windows brings only that ESP up to date which it was started from. shadowboot repair brings "
         "that of Windows itself."},
    [FINDING_ESP_NEWER_THAN_WINDOWS] =
        {SEVERITY_WARNING, "esp-newer-than-windows",
         "The boot manager is newer than the one that Windows on this disk keeps:",
         "With Secure Boot on it may refuse an older Windows (0xc0430001). shadowboot repair brings "
         "the one that goes with it, unless Secure Boot's lists forbid that."},
    [FINDING_ESP_NO_STORE] = {SEVERITY_DAMAGE, "esp-no-store",
                              "There is no boot store \\EFI\\Microsoft\\Boot\\BCD.", BRING_STORE},
    [FINDING_ESP_STORE_DAMAGED] = {SEVERITY_DAMAGE, "esp-store-damaged",
                                   "The boot store \\EFI\\Microsoft\\Boot\\BCD is damaged:",
                                   BRING_STORE},
    [FINDING_ESP_STORE_DIRTY] =
        {SEVERITY_WARNING, "esp-store-dirty",
         "The boot store \\EFI\\Microsoft\\Boot\\BCD was not written completely.",
         "The boot manager completes it from BCD.LOG when it starts from this ESP; shadowboot "
         "repair does so now."},
    [FINDING_ESP_STORE_NO_SYSTEM] = {SEVERITY_DAMAGE, "esp-store-no-system",
                                     "The boot store names no Windows to start:", BRING_STORE},
    [FINDING_ESP_STORE_GONE] =
        {SEVERITY_DAMAGE, "esp-store-gone",
         "The boot store starts Windows from a partition that is on no disk of this machine:",
         "Windows' boot manager stops there, whatever other entries it has. shadowboot repair has "
         "it start " OWN_COPY " In Windows, diskpart's retain gives it one."},
    [FINDING_ESP_STORE_OTHER_DISK] =
        {SEVERITY_DAMAGE, "esp-store-other-disk",
         "The boot store starts Windows from another disk:",
         "When that disk dies, Windows' boot manager stops. shadowboot repair has it start " OWN_COPY},
    [FINDING_WINDOWS_OTHER_MACHINE] =
        {SEVERITY_DAMAGE, "windows-other-machine",
         "The loader \\Windows\\System32\\winload.efi is for another kind of machine.",
         LOADER_BACK},
    [FINDING_WINDOWS_LOADER_DAMAGED] =
        {SEVERITY_DAMAGE, "windows-loader-damaged",
         "The loader \\Windows\\System32\\winload.efi is no program, or cut short.", LOADER_BACK},
    [FINDING_ESP_STORE_DANGLING] =
        {SEVERITY_WARNING, "esp-store-dangling",
         "The boot store names entries that it does not have:",
         "Windows' boot manager passes over them. shadowboot repair takes these names out."},
    [FINDING_ESP_STORE_ONE_TIME] =
        {SEVERITY_NOTE, "esp-store-one-time",
         "The boot store has an order for the next start alone (bootsequence):",
         "Windows' boot manager takes it out when it starts. If it is not meant, shadowboot bcd "
         "delete {bootmgr} bootsequence takes it out now."},
    [FINDING_ESP_STORE_SAFE_MODE] =
        {SEVERITY_WARNING, "esp-store-safe-mode", "The boot store starts Windows in safe mode",
         "It does so at every start until shadowboot bcd start normal ends it, or bcdedit "
         "/deletevalue {default} safeboot in Windows."},
    [FINDING_ESP_STORE_TEST_MODE] = {SEVERITY_WARNING, "esp-store-test-mode",
                                     "The boot store has Windows take drivers that nobody signed:",
                                     "That is for tests, or for a driver that cannot do without."},
    [FINDING_ESP_STORE_RECOVERY] =
        {SEVERITY_NOTE, "esp-store-recovery",
         "From this disk alone the recovery that the boot store has set up does not start:",
         "After two starts that failed the machine stops there, and not at Windows. In Windows: "
         "reagentc /enable. shadowboot bcd set {default} recoveryenabled no has it never tried."},
    [FINDING_ESP_STORE_RESUME] =
        {SEVERITY_WARNING, "esp-store-resume",
         "The boot store resumes a hibernated Windows from another place than it starts it:",
         "shadowboot repair has it resume from " OWN_COPY},
    [FINDING_ESP_REPEATED] =
        {SEVERITY_NOTE, "esp-repeated", "The disk has more than one EFI System Partition.",
         "Firmware may start from either. The one that boot entries name was judged."},
    [FINDING_ESP_SERIAL_REPEATED] =
        {SEVERITY_NOTE, "esp-serial-repeated",
         "Two EFI System Partitions have the same volume serial number.",
         "One is a copy of the other. Entries by partition GUID still tell them apart."},
    [FINDING_ESP_IS_MD_MEMBER] =
        {SEVERITY_NOTE, "esp-is-md-member",
         "The EFI System Partition is a member of a Linux RAID 1",
         "Its copies on the other disks are the same file system. shadowboot makes boot entries "
         "for each of them and writes to none: files are copied in Linux, to the mounted array."},
    [FINDING_ESP_MD_HALVES_DIFFER] =
        {SEVERITY_WARNING, "esp-md-halves-differ",
         "Two members of a Linux RAID 1 ought to be the same, and differ:", MEND_ARRAY},
    [FINDING_ESP_MD_OUT_OF_DATE] =
        {SEVERITY_WARNING, "esp-md-out-of-date",
         "This member of a Linux RAID 1 is not up to date, or out of use",
         "Firmware starts what was on it then. In Linux: mdadm --add puts it back and brings it up "
         "to date."},
    [FINDING_ESP_MD_PIECE] =
        {SEVERITY_DAMAGE, "esp-md-piece",
         "The EFI System Partition is a part of a Linux RAID that firmware cannot put together",
         "Only RAID 1 with metadata of version 1.0 can be started from."},
    [FINDING_ESP_NO_ENTRY] =
        {SEVERITY_DAMAGE, "esp-no-entry", "No boot entry starts from this EFI System Partition.",
         "shadowboot repair makes one; shadowboot clone clones those of the other disk."},
};

static const struct finding_words *finding_words_of(enum finding_code code)
{
    return code < FINDING_SYSTEM_FIRST ? &words[code]
                                       : &finding_system_words[code - FINDING_SYSTEM_FIRST];
}

enum severity finding_severity(enum finding_code code)
{
    return finding_words_of(code)->severity;
}

const char *finding_name(enum finding_code code)
{
    return finding_words_of(code)->name;
}

const char *finding_text(enum finding_code code)
{
    return finding_words_of(code)->text;
}

const char *finding_advice_words(enum finding_code code, bool linux_only)
{
    const struct finding_words *own = finding_words_of(code);

    return linux_only && own->advice_linux != NULL ? own->advice_linux : own->advice;
}
