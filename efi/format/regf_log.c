#include "format/regf_log.h"

#include "base/mem.h"
#include "format/regf_layout.h"

#define LOG_HEAD_SIZE 1024u
#define LOG_BASE_SIZE 512u
#define LOG_TYPE_OLD  1u
#define LOG_TYPE_NEW  6u

bool regf_log_fits(struct span hive, struct span log)
{
    if (hive.size < REGF_BASE_SIZE || log.size < LOG_HEAD_SIZE || memcmp(log.at, "regf", 4) != 0 ||
        regf_base_checksum(log.at) != ld_le32(log.at + REGF_CHECKSUM_AT))
        return false;
    const uint8_t *entries = log.at + LOG_BASE_SIZE;
    uint32_t sequence = ld_le32(log.at + REGF_PRIMARY_AT);
    if (ld_le32(log.at + REGF_TYPE_AT) == LOG_TYPE_OLD)
        return memcmp(entries, "DIRT", 4) == 0 && sequence == ld_le32(log.at + REGF_SECONDARY_AT) &&
               memcmp(log.at + REGF_TIME_AT, hive.at + REGF_TIME_AT, 8) == 0;
    return ld_le32(log.at + REGF_TYPE_AT) == LOG_TYPE_NEW && memcmp(entries, "HvLE", 4) == 0 &&
           ld_le32(entries + 12) == sequence && sequence >= ld_le32(hive.at + REGF_SECONDARY_AT);
}
