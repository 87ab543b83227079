#include "finding_words.h"

/* Advice that several findings share. */
#define INSTALL_AGAIN "shadowboot install puts it there."
#define RESYNCHRONIZE                                                                           \
    "In Windows, Disk Management: Reactivate Disk or Resynchronize Mirror, and wait until the " \
    "volume is Healthy."

#define AT(code) [(code)-FINDING_SYSTEM_FIRST]

const struct finding_words finding_system_words[FINDING_COUNT - FINDING_SYSTEM_FIRST] = {
    AT(FINDING_INSTALL_MISSING) =
        {SEVERITY_WARNING, "install-missing",
         "shadowboot stands by on another boot disk, and not on this one.", INSTALL_AGAIN},
    AT(FINDING_INSTALL_FILE_GONE) =
        {SEVERITY_WARNING, "install-file-gone",
         "The entry is shadowboot's own, and its file is not on that partition:",
         INSTALL_AGAIN " shadowboot install -remove takes the entry off."},
    AT(FINDING_INSTALL_OLDER) = {SEVERITY_NOTE, "install-older",
                                 "The shadowboot that stands by here is older than another disk's:",
                                 "shadowboot install, run from the newer one, puts that here."},
    AT(FINDING_INSTALL_NO_ENTRY) = {SEVERITY_WARNING, "install-no-entry",
                                    "No boot entry leads to the shadowboot that stands by here.",
                                    "shadowboot install makes it, behind all others."},
    AT(FINDING_ENTRY_INACTIVE) =
        {SEVERITY_WARNING, "entry-inactive",
         "The entry is not active, and no other one starts from its EFI System Partition.",
         "shadowboot repair sets it active."},
    AT(FINDING_ORDER_NEVER_REACHES) =
        {SEVERITY_DAMAGE, "order-never-reaches",
         "With the other disks gone, the firmware starts something else first:",
         "shadowboot order <entry> puts the disk's entry before it."},
    AT(FINDING_STARTS_ANOTHER_DISK) =
        {SEVERITY_DAMAGE, "starts-another-disk",
         "The entry starts a disk that carries no copy of this system:",
         "An old half of the mirror, or a disk of another machine, starts what its own boot store "
         "names. Take it out, or put the entries of this system before it: shadowboot order with their "
         "numbers, which shadowboot entries shows."},
    AT(FINDING_BIOS_START) =
        {SEVERITY_NOTE, "bios-start",
         "The disk is started by the code in its MBR, as BIOS does: whether it starts is not "
         "judged.",
         "shadowboot looks after machines that UEFI starts, and leaves this disk as it is. Where "
         "its start is damaged, bootrec of a Windows recovery medium mends it.",
         "shadowboot looks after machines that UEFI starts, and leaves this disk as it is. Where "
         "its start is damaged, grub-install of a rescue system mends it."},
    AT(FINDING_BIOS_STORE) =
        {SEVERITY_NOTE, "bios-store", "There is a boot store for BIOS, \\Boot\\BCD:",
         "BIOS starts from it and UEFI does not: it is listed and not judged."},
    AT(FINDING_NVRAM_WIPED) =
        {SEVERITY_DAMAGE, "nvram-wiped",
         "No boot entry starts from any EFI System Partition of the system.",
         "shadowboot repair makes them where it is known which boot manager is meant, and else "
         "says what to type; shadowboot import puts saved ones back."},
    AT(FINDING_PLEX_FAILED) = {SEVERITY_DAMAGE, "plex-failed",
                               "This copy of a volume is marked as failed", RESYNCHRONIZE},
    AT(FINDING_PLEX_STALE) = {SEVERITY_DAMAGE, "plex-stale", "This copy of a volume is out of date",
                              RESYNCHRONIZE},
    AT(FINDING_PLEX_REBUILDING) = {SEVERITY_WARNING, "plex-rebuilding",
                                   "This copy of a volume is still being built",
                                   "Let Windows finish before anything else."},
    AT(FINDING_PLEX_DOUBTFUL) = {SEVERITY_WARNING, "plex-doubtful",
                                 "Whether this copy of a volume is up to date is not known",
                                 RESYNCHRONIZE},
    AT(FINDING_LDM_DAMAGED) = {SEVERITY_DAMAGE, "ldm-damaged",
                               "The LDM database of the disk is damaged",
                               "Windows mends it from the other disk when both are in. Alone, the "
                               "disk's volumes are not found."},
    AT(FINDING_LDM_COPY_DAMAGED) =
        {SEVERITY_WARNING, "ldm-copy-damaged",
         "One copy of the LDM database's headers is damaged; another one is good.",
         "Windows writes it anew with the next change of a volume."},
    AT(FINDING_LDM_UNREADABLE) = {SEVERITY_DAMAGE, "ldm-unreadable",
                                  "The LDM database of the disk cannot be read",
                                  "Check cables and power. If it stays so, replace the disk."},
    AT(FINDING_LDM_ABSENT) = {SEVERITY_DAMAGE, "ldm-absent",
                              "The disk has LDM partitions and no LDM database",
                              "Windows does not find its volumes. With the other disk in, Disk "
                              "Management mends it (Reactivate Disk)."},
    AT(FINDING_LDM_BEHIND) = {SEVERITY_DAMAGE, "ldm-behind",
                              "The LDM database is older than that of the other disk",
                              RESYNCHRONIZE},
    AT(FINDING_LDM_CONFLICT) = {SEVERITY_DAMAGE, "ldm-conflict",
                                "The LDM database contradicts that of another disk",
                                "Both claim to be current. Nothing that depends on it is believed. "
                                "Find out which disk Windows ran from last."},
    AT(FINDING_LDM_TRANSACTION_PENDING) =
        {SEVERITY_WARNING, "ldm-transaction-pending", "A change of the LDM database was cut off.",
         "Windows finishes or takes it back when it starts. Until then the copies may differ."},
    AT(FINDING_LDM_LOG_DIRTY) = {SEVERITY_WARNING, "ldm-log-dirty",
                                 "The LDM log says that copies of a volume may differ.",
                                 RESYNCHRONIZE},
    AT(FINDING_LDM_CLONE) = {SEVERITY_DAMAGE, "ldm-clone",
                             "Two disks claim to be the same LDM disk.",
                             "One is a copy of the other. Take the copy out before Windows starts, "
                             "or wipe it (diskpart: clean all) and add it to the mirror anew."},
    AT(FINDING_VOLUME_FAILED_REDUNDANCY) = {SEVERITY_WARNING, "volume-failed-redundancy",
                                            "The volume has lost a copy.", RESYNCHRONIZE},
    AT(FINDING_NTFS_DIRTY) = {SEVERITY_WARNING, "ntfs-dirty",
                              "The NTFS volume was not closed cleanly.",
                              "Windows checks it at its next start."},
    AT(FINDING_NTFS_BOOT_DAMAGED) = {SEVERITY_DAMAGE, "ntfs-boot-damaged",
                                     "The NTFS boot sector is damaged; its backup is good.",
                                     "Windows: chkdsk, or testdisk (Boot, Backup BS)."},
    AT(FINDING_NTFS_BOOT_BACKUP_DAMAGED) = {SEVERITY_WARNING, "ntfs-boot-backup-damaged",
                                            "The backup of the NTFS boot sector is damaged.",
                                            "Windows: chkdsk writes it anew."},
    AT(FINDING_NTFS_DAMAGED) = {SEVERITY_DAMAGE, "ntfs-damaged",
                                "The NTFS volume cannot be understood",
                                "Windows: chkdsk /f, from a recovery medium if it does not start."},
    AT(FINDING_BITLOCKER) = {SEVERITY_NOTE, "bitlocker",
                             "The volume is encrypted by BitLocker: nobody can look inside.",
                             "Have the recovery key at hand before you change what starts it."},
    AT(FINDING_WINDOWS_NOT_FOUND) = {SEVERITY_DAMAGE, "windows-not-found",
                                     "This copy of the boot volume does not carry Windows",
                                     RESYNCHRONIZE},
    AT(FINDING_VOLUME_IDENTITY_REPEATED) =
        {SEVERITY_WARNING, "volume-identity-repeated",
         "Another volume, which is not its mirror, has the same serial number.",
         "One is a copy of the other. Windows may take the wrong one."},
};
