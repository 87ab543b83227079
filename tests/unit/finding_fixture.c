#include "unit/finding_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/bytes_fixture.h"

static const enum finding_owner owners[FINDING_COUNT] = {
    [FINDING_DISK_UNREADABLE] = OWNER_AUDIT,
    [FINDING_GPT_PRIMARY_DAMAGED] = OWNER_AUDIT,
    [FINDING_GPT_BACKUP_DAMAGED] = OWNER_AUDIT,
    [FINDING_GPT_BOTH_DAMAGED] = OWNER_AUDIT,
    [FINDING_GPT_OF_LARGER_DISK] = OWNER_AUDIT,
    [FINDING_GPT_OTHER_BLOCK_SIZE] = OWNER_AUDIT,
    [FINDING_GPT_COPIES_DIFFER] = OWNER_AUDIT,
    [FINDING_GPT_BACKUP_NOT_AT_END] = OWNER_AUDIT,
    [FINDING_GPT_MBR_UNREADABLE] = OWNER_AUDIT,
    [FINDING_GPT_NO_PROTECTIVE_MBR] = OWNER_AUDIT,
    [FINDING_GPT_HYBRID_MBR] = OWNER_AUDIT,
    [FINDING_PARTITION_OUT_OF_RANGE] = OWNER_AUDIT,
    [FINDING_PARTITION_OVERLAPS] = OWNER_AUDIT,
    [FINDING_DISK_RAID_MEMBER] = OWNER_AUDIT,
    [FINDING_SPACE_TAKEN] = OWNER_AUDIT,
    [FINDING_DISK_GUID_REPEATED] = OWNER_AUDIT,
    [FINDING_PARTITION_GUID_REPEATED] = OWNER_AUDIT,
    [FINDING_FALLBACK_MISSING] = OWNER_AUDIT,
    [FINDING_VARIABLES_UNREADABLE] = OWNER_AUDIT,
    [FINDING_VARIABLES_REPEATED] = OWNER_AUDIT,
    [FINDING_STORE_NEARLY_FULL] = OWNER_AUDIT,
    [FINDING_ORDER_MISSING] = OWNER_AUDIT,
    [FINDING_ORDER_UNREADABLE] = OWNER_AUDIT,
    [FINDING_ORDER_ODD_SIZE] = OWNER_AUDIT,
    [FINDING_ORDER_NAMES_ABSENT] = OWNER_AUDIT,
    [FINDING_ORDER_REPEATS] = OWNER_AUDIT,
    [FINDING_ENTRY_DAMAGED] = OWNER_AUDIT,
    [FINDING_ENTRY_PARTITION_GONE] = OWNER_AUDIT,
    [FINDING_ENTRY_DISK_GONE] = OWNER_AUDIT,
    [FINDING_ENTRY_NAMES_NONE] = OWNER_AUDIT,
    [FINDING_ENTRY_FILE_GONE] = OWNER_AUDIT,
    [FINDING_ENTRY_PLACE_WRONG] = OWNER_AUDIT,
    [FINDING_ENTRY_ELSEWHERE] = OWNER_AUDIT,
    [FINDING_ENTRY_DUPLICATE] = OWNER_AUDIT,
    [FINDING_ENTRY_NOT_IN_ORDER] = OWNER_AUDIT,
    [FINDING_NO_SHADOW] = OWNER_MACHINE,
    [FINDING_MIRROR_DISK_MISSING] = OWNER_MACHINE,
    [FINDING_BOOT_VOLUME_UNKNOWN] = OWNER_MACHINE,
    [FINDING_MD_DEGRADED] = OWNER_MACHINE,
    [FINDING_ESP_MISSING] = OWNER_ESPS,
    [FINDING_NO_ROOM_FOR_ESP] = OWNER_ESPS,
    [FINDING_ESP_UNFORMATTED] = OWNER_ESPS,
    [FINDING_ESP_NOT_FAT] = OWNER_ESPS,
    [FINDING_ESP_DAMAGED] = OWNER_ESPS,
    [FINDING_ESP_UNREADABLE] = OWNER_ESPS,
    [FINDING_ESP_UNUSUAL] = OWNER_ESPS,
    [FINDING_ESP_NOT_CLEAN] = OWNER_ESPS,
    [FINDING_ESP_EMPTY] = OWNER_ESPS,
    [FINDING_ESP_TOO_SMALL] = OWNER_ESPS,
    [FINDING_ESP_NO_BOOT_FILES] = OWNER_ESPS,
    [FINDING_ESP_FILES_MISSING] = OWNER_ESPS,
    [FINDING_ESP_FILES_OLDER] = OWNER_ESPS,
    [FINDING_ESP_FILES_NEWER] = OWNER_ESPS,
    [FINDING_ESP_FILES_DIFFER] = OWNER_ESPS,
    [FINDING_ESP_BOOT_FILE_CORRUPT] = OWNER_ESPS,
    [FINDING_ESP_BOOT_FILE_DOUBTFUL] = OWNER_ESPS,
    [FINDING_ESP_OTHER_ARCHITECTURE] = OWNER_ESPS,
    [FINDING_ESP_FILE_UNREADABLE] = OWNER_ESPS,
    [FINDING_ESP_NO_STORE] = OWNER_ESPS,
    [FINDING_ESP_STORE_DAMAGED] = OWNER_ESPS,
    [FINDING_ESP_STORE_DIRTY] = OWNER_ESPS,
    [FINDING_ESP_REPEATED] = OWNER_ESPS,
    [FINDING_ESP_SERIAL_REPEATED] = OWNER_ESPS,
    [FINDING_ESP_BOOT_SECTOR] = OWNER_ESPS,
    [FINDING_ESP_SECTOR_SIZE] = OWNER_ESPS,
    [FINDING_ESP_PAST_PARTITION] = OWNER_ESPS,
    [FINDING_ESP_IS_MD_MEMBER] = OWNER_ESPS,
    [FINDING_ESP_MD_HALVES_DIFFER] = OWNER_ESPS,
    [FINDING_ESP_MD_OUT_OF_DATE] = OWNER_ESPS,
    [FINDING_ESP_MD_PIECE] = OWNER_ESPS,
    [FINDING_ESP_NO_ENTRY] = OWNER_MACHINE,
    [FINDING_ENTRY_INACTIVE] = OWNER_MACHINE,
    [FINDING_ORDER_NEVER_REACHES] = OWNER_MACHINE,
    [FINDING_STARTS_ANOTHER_DISK] = OWNER_MACHINE,
    [FINDING_ENTRY_FILE_ONLY] = OWNER_MACHINE,
    [FINDING_BIOS_START] = OWNER_MACHINE,
    [FINDING_NVRAM_WIPED] = OWNER_MACHINE,
    [FINDING_PLEX_FAILED] = OWNER_VOLUMES,
    [FINDING_PLEX_STALE] = OWNER_VOLUMES,
    [FINDING_PLEX_REBUILDING] = OWNER_VOLUMES,
    [FINDING_PLEX_DOUBTFUL] = OWNER_VOLUMES,
    [FINDING_LDM_DAMAGED] = OWNER_VOLUMES,
    [FINDING_LDM_COPY_DAMAGED] = OWNER_VOLUMES,
    [FINDING_LDM_UNREADABLE] = OWNER_VOLUMES,
    [FINDING_LDM_ABSENT] = OWNER_VOLUMES,
    [FINDING_LDM_BEHIND] = OWNER_VOLUMES,
    [FINDING_LDM_CONFLICT] = OWNER_VOLUMES,
    [FINDING_LDM_TRANSACTION_PENDING] = OWNER_VOLUMES,
    [FINDING_LDM_LOG_DIRTY] = OWNER_VOLUMES,
    [FINDING_LDM_CLONE] = OWNER_VOLUMES,
    [FINDING_VOLUME_FAILED_REDUNDANCY] = OWNER_VOLUMES,
    [FINDING_NTFS_DIRTY] = OWNER_VOLUMES,
    [FINDING_NTFS_BOOT_DAMAGED] = OWNER_VOLUMES,
    [FINDING_NTFS_BOOT_BACKUP_DAMAGED] = OWNER_VOLUMES,
    [FINDING_NTFS_DAMAGED] = OWNER_VOLUMES,
    [FINDING_BITLOCKER] = OWNER_VOLUMES,
    [FINDING_WINDOWS_NOT_FOUND] = OWNER_VOLUMES,
    [FINDING_VOLUME_IDENTITY_REPEATED] = OWNER_VOLUMES,
};

static bool met[FINDING_COUNT];

enum finding_owner finding_owner(enum finding_code code)
{
    return owners[code];
}

void finding_met(enum finding_code code)
{
    met[code] = true;
}

void findings_met(const struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++)
        finding_met(findings->items[i].code);
}

void findings_assert_met(enum finding_owner owner)
{
    bool all = true;

    for (int i = 0; i < FINDING_COUNT; i++) {
        if (owners[i] != owner || met[i])
            continue;
        print_error("no test for %s\n", finding_name((enum finding_code)i));
        all = false;
    }
    assert_true(all);
}

#define TEXT_MAX 65536

void findings_assert(const struct machine *machine, const struct findings *findings,
                     const char *expected)
{
    struct arena scratch = fixture_scratch();
    char *text = malloc(TEXT_MAX);
    size_t used = 0;

    assert_non_null(text);
    text[0] = '\0';
    for (size_t i = 0; i < findings->count && used < TEXT_MAX; i++) {
        const struct finding *finding = &findings->items[i];
        used += (size_t)snprintf(text + used, TEXT_MAX - used, "%s @ %s%s\n",
                                 finding_name(finding->code),
                                 finding_place(&scratch, machine, finding), finding->detail);
    }
    assert_true(used < TEXT_MAX);
    if (strcmp(text, expected) != 0)
        print_error("found:\n%sexpected:\n%s", text, expected);
    assert_string_equal(text, expected);
    free(text);
    findings_met(findings);
}
