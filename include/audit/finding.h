/*
 * Findings: what the audit noticed, as data. The words for each code, its severity and the advice
 * stand in one table, so that checks only say what and where.
 *
 * A new finding:
 *   1  its code in the enumeration below, beside those of its subject
 *   2  its row in the table of finding.c, or of finding_system.c: severity, name for scripts,
 *      sentence, advice; the advice names the command that helps, or says that none does
 *   3  the check, in the file of efi/audit that judges its subject: a pure look at the machine that
 *      calls collect_at_... of audit/collector.h with what the sentence leaves open
 *   4  in tests/unit/finding_fixture.c which test owns it, and there a machine that has it and one
 *      that barely has not
 *   5  a case in tests/repair, when a disk can be made to have it; the language is that of
 *      ovmf-harness/damage.py
 *   6  where repair can mend it, the repair in efi/plan: the finding is gone afterwards
 */
#ifndef SHADOWBOOT_AUDIT_FINDING_H
#define SHADOWBOOT_AUDIT_FINDING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/print.h"
#include "base/status.h"
#include "model/machine.h"

enum severity {
    SEVERITY_NOTE,    /* worth knowing */
    SEVERITY_WARNING, /* works now, and may not when it matters */
    SEVERITY_DAMAGE,  /* broken now */
};

enum finding_code {
    FINDING_DISK_UNREADABLE,
    FINDING_GPT_PRIMARY_DAMAGED,
    FINDING_GPT_BACKUP_DAMAGED,
    FINDING_GPT_BOTH_DAMAGED,
    FINDING_GPT_OTHER_BLOCK_SIZE,
    FINDING_GPT_OF_LARGER_DISK,
    FINDING_GPT_COPIES_DIFFER,
    FINDING_GPT_BACKUP_NOT_AT_END,
    FINDING_GPT_MBR_UNREADABLE,
    FINDING_GPT_NO_PROTECTIVE_MBR,
    FINDING_GPT_HYBRID_MBR,
    FINDING_PARTITION_OUT_OF_RANGE,
    FINDING_PARTITION_OVERLAPS,
    FINDING_DISK_RAID_MEMBER,
    FINDING_SPACE_TAKEN,
    FINDING_DISK_GUID_REPEATED,
    FINDING_PARTITION_GUID_REPEATED,
    FINDING_FALLBACK_MISSING,
    FINDING_VARIABLES_IN_FILE,
    FINDING_VARIABLES_UNREADABLE,
    FINDING_ENTRIES_UNKNOWN,
    FINDING_SECURE_UNKNOWN,
    FINDING_VARIABLES_REPEATED,
    FINDING_STORE_NEARLY_FULL,
    FINDING_ORDER_MISSING,
    FINDING_ORDER_UNREADABLE,
    FINDING_ORDER_ODD_SIZE,
    FINDING_ORDER_NAMES_ABSENT,
    FINDING_ORDER_REPEATS,
    FINDING_ENTRY_DAMAGED,
    FINDING_ENTRY_PARTITION_GONE,
    FINDING_ENTRY_DISK_GONE,
    FINDING_ENTRY_NAMES_NONE,
    FINDING_ENTRY_FILE_GONE,
    FINDING_ENTRY_PLACE_WRONG,
    FINDING_ENTRY_ELSEWHERE,
    FINDING_ENTRY_FILE_ONLY,
    FINDING_ENTRY_DUPLICATE,
    FINDING_ENTRY_NOT_IN_ORDER,
    FINDING_NO_SHADOW,
    FINDING_MIRROR_DISK_MISSING,
    FINDING_BOOT_VOLUME_UNKNOWN,
    FINDING_MD_DEGRADED,
    FINDING_ESP_MISSING,
    FINDING_NO_ROOM_FOR_ESP,
    FINDING_ESP_UNFORMATTED,
    FINDING_ESP_NOT_FAT,
    FINDING_ESP_DAMAGED,
    FINDING_ESP_UNREADABLE,
    FINDING_ESP_UNUSUAL,
    FINDING_ESP_BOOT_SECTOR,
    FINDING_ESP_SECTOR_SIZE,
    FINDING_ESP_PAST_PARTITION,
    FINDING_ESP_NOT_CLEAN,
    FINDING_ESP_EMPTY,
    FINDING_ESP_TOO_SMALL,
    FINDING_ESP_NO_BOOT_FILES,
    FINDING_ESP_FILES_MISSING,
    FINDING_ESP_FILES_OLDER,
    FINDING_ESP_FILES_NEWER,
    FINDING_ESP_FILES_DIFFER,
    FINDING_ESP_BOOT_FILE_CORRUPT,
    FINDING_ESP_BOOT_FILE_DOUBTFUL,
    FINDING_ESP_OTHER_ARCHITECTURE,
    FINDING_ESP_FILE_UNREADABLE,
    FINDING_ESP_SECURE_REFUSED,
    FINDING_ESP_SECURE_WOULD_REFUSE,
    FINDING_ESP_SECURE_UNKNOWN,
    FINDING_ESP_SECURE_AT_RISK,
    FINDING_ESP_FALLBACK_DIFFERS,
    FINDING_ESP_OLDER_THAN_WINDOWS,
    FINDING_ESP_NEWER_THAN_WINDOWS,
    FINDING_ESP_NO_STORE,
    FINDING_ESP_STORE_DAMAGED,
    FINDING_ESP_STORE_DIRTY,
    FINDING_ESP_STORE_NO_SYSTEM,
    FINDING_ESP_STORE_GONE,
    FINDING_ESP_STORE_OTHER_DISK,
    FINDING_WINDOWS_OTHER_MACHINE,
    FINDING_WINDOWS_LOADER_DAMAGED,
    FINDING_ESP_STORE_DANGLING,
    FINDING_ESP_STORE_ONE_TIME,
    FINDING_ESP_STORE_SAFE_MODE,
    FINDING_ESP_STORE_TEST_MODE,
    FINDING_ESP_STORE_RECOVERY,
    FINDING_ESP_STORE_RESUME,
    FINDING_ESP_REPEATED,
    FINDING_ESP_SERIAL_REPEATED,
    FINDING_ESP_IS_MD_MEMBER,
    FINDING_ESP_MD_HALVES_DIFFER,
    FINDING_ESP_MD_OUT_OF_DATE,
    FINDING_ESP_MD_PIECE,
    FINDING_ESP_NO_ENTRY,
    FINDING_INSTALL_MISSING,
    FINDING_INSTALL_FILE_GONE,
    FINDING_INSTALL_OLDER,
    FINDING_INSTALL_NO_ENTRY,
    FINDING_ENTRY_INACTIVE,
    FINDING_ORDER_NEVER_REACHES,
    FINDING_STARTS_ANOTHER_DISK,
    FINDING_BIOS_START,
    FINDING_BIOS_STORE,
    FINDING_NVRAM_WIPED,
    FINDING_PLEX_FAILED,
    FINDING_PLEX_STALE,
    FINDING_PLEX_REBUILDING,
    FINDING_PLEX_DOUBTFUL,
    FINDING_LDM_DAMAGED,
    FINDING_LDM_COPY_DAMAGED,
    FINDING_LDM_UNREADABLE,
    FINDING_LDM_ABSENT,
    FINDING_LDM_BEHIND,
    FINDING_LDM_CONFLICT,
    FINDING_LDM_TRANSACTION_PENDING,
    FINDING_LDM_LOG_DIRTY,
    FINDING_LDM_CLONE,
    FINDING_VOLUME_FAILED_REDUNDANCY,
    FINDING_NTFS_DIRTY,
    FINDING_NTFS_BOOT_DAMAGED,
    FINDING_NTFS_BOOT_BACKUP_DAMAGED,
    FINDING_NTFS_DAMAGED,
    FINDING_BITLOCKER,
    FINDING_WINDOWS_NOT_FOUND,
    FINDING_VOLUME_IDENTITY_REPEATED,
    FINDING_COUNT
};

struct finding {
    enum finding_code code;
    size_t disk; /* place: index into the machine, or NO_INDEX */
    size_t partition;
    size_t entry;
    size_t volume;      /* of dynamic disks */
    const char *detail; /* goes behind the message; "" for none */
};

struct findings {
    struct finding *items;
    size_t count;
    bool linux_only; /* nothing of Windows is started here: advice for Windows helps nobody */
};

enum severity finding_severity(enum finding_code code);

/* A stable short name such as "gpt-primary-damaged", for scripts. */
const char *finding_name(enum finding_code code);

/* "Disk 1 Partition 2", "Boot0003", "Volume Volume1", ... ; "this machine" when the finding has no
 * place. */
const char *finding_place(struct arena *arena, const struct machine *machine,
                          const struct finding *finding);

/* What is the matter, in a sentence without the place; static lifetime. */
const char *finding_text(enum finding_code code);

/* What to do about it, with the numbers and names of its place in the lines to type; "" when there is
 * nothing to do. With `linux_only` nothing that wants a running Windows. In the arena; "" also when
 * that is full. */
const char *finding_advice(struct arena *arena, const struct machine *machine,
                           const struct finding *finding, bool linux_only);

/* What to do about a disk whose GUIDs another one has as well, or some partitions of it: the advice of
 * FINDING_DISK_GUID_REPEATED there. In the arena; "" when that is full. */
const char *finding_copy_advice(struct arena *arena, const struct machine *machine, size_t disk);

/* The same for any place: "<disk>", "<partition>", "<guid>" (of the partition) and "<entry>" stand for
 * its parts, of a disk for the first entry in BootOrder that starts from it. Static lifetime. */
const char *finding_advice_words(enum finding_code code, bool linux_only);

#endif
