#include "format/regf/regf_log.h"

#include "base/mem.h"
#include "format/regf/regf.h"
#include "regf_layout.h"
#include "format/regf/regf_marvin.h"

#define LOG_HEAD_SIZE 1024u
#define LOG_BASE_SIZE 512u
#define LOG_UNIT      512u
#define LOG_TYPE_OLD  1u
#define LOG_TYPE_NEW  6u

#define ENTRY_HEAD_SIZE    40u /* up to the references */
#define ENTRY_SIZE_AT      4u
#define ENTRY_FLAGS_AT     8u
#define ENTRY_SEQUENCE_AT  12u
#define ENTRY_BINS_SIZE_AT 16u
#define ENTRY_COUNT_AT     20u
#define ENTRY_HASH_AT      24u
#define ENTRY_HEAD_HASH_AT 32u
#define REFERENCE_SIZE     8u

#define MAP_AT 516u /* of a log of the old type */

#define BASE_FLAGS_AT    144u
#define BASE_FLAG_COPIED 1u

/* The hive that is put together. */
struct recovery {
    uint8_t *buffer;
    size_t capacity;
    uint32_t bins_size;
    uint32_t sequence;          /* of the last write that is in it */
    bool base_is_good;          /* the hive's own is */
    bool applied;               /* something was */
    enum regf_recovery trouble; /* why nothing was; REGF_RECOVERED: no reason yet */
};

static bool base_is_good(struct span file)
{
    return file.size >= LOG_BASE_SIZE && memcmp(file.at, "regf", 4) == 0 &&
           regf_base_checksum(file.at) == ld_le32(file.at + REGF_CHECKSUM_AT);
}

/* A log of that type, whole at its beginning. */
static bool is_log(struct span log, uint32_t type)
{
    return log.size >= LOG_HEAD_SIZE && base_is_good(log) &&
           ld_le32(log.at + REGF_TYPE_AT) == type &&
           memcmp(log.at + LOG_BASE_SIZE, type == LOG_TYPE_NEW ? "HvLE" : "DIRT", 4) == 0;
}

static bool bins_size_is_possible(uint32_t size)
{
    return size > 0 && size % REGF_BIN_UNIT == 0 && size <= REGF_BINS_MAX;
}

/* True when a log of the old type was written completely, for the hive with that base block. */
static bool old_log_fits(const uint8_t *base, struct span log)
{
    return ld_le32(log.at + REGF_PRIMARY_AT) == ld_le32(log.at + REGF_SECONDARY_AT) &&
           memcmp(log.at + REGF_TIME_AT, base + REGF_TIME_AT, 8) == 0;
}

/* --- What both types need ----------------------------------------------------------------------*/

static void note_range(struct recovery *recovery, enum regf_recovery trouble)
{
    if (recovery->trouble == REGF_RECOVERED || trouble == REGF_RECOVERY_TOO_SMALL)
        recovery->trouble = trouble;
}

/* Gives the hive bins of that size, those that are new being zero. False when the buffer is too
 * small. */
static bool resize(struct recovery *recovery, uint32_t bins_size)
{
    uint8_t *bins = recovery->buffer + REGF_BASE_SIZE;

    if (recovery->capacity - REGF_BASE_SIZE < bins_size) {
        note_range(recovery, REGF_RECOVERY_TOO_SMALL);
        return false;
    }
    if (bins_size > recovery->bins_size)
        memset(bins + recovery->bins_size, 0, bins_size - recovery->bins_size);
    recovery->bins_size = bins_size;
    return true;
}

/* The hive's own base block is of no use: the log's takes its place. */
static void take_base(struct recovery *recovery, struct span log)
{
    if (recovery->base_is_good)
        return;
    memcpy(recovery->buffer, log.at, LOG_BASE_SIZE);
    st_le32(recovery->buffer + REGF_TYPE_AT, 0);
}

/* --- Type 6 ------------------------------------------------------------------------------------*/

/* True when all that an entry refers to lies in the bins, and its content in the entry. */
static bool references_are_sound(struct span entry)
{
    uint64_t bins_size = ld_le32(entry.at + ENTRY_BINS_SIZE_AT);
    uint64_t count = ld_le32(entry.at + ENTRY_COUNT_AT);
    uint64_t content = ENTRY_HEAD_SIZE + count * REFERENCE_SIZE;

    if (content > entry.size)
        return false;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *reference = entry.at + ENTRY_HEAD_SIZE + i * REFERENCE_SIZE;
        uint64_t size = ld_le32(reference + 4);
        if (ld_le32(reference) + size > bins_size)
            return false;
        content += size;
    }
    return content <= entry.size;
}

/* The entry at `at` with that sequence number; an empty span when it is none or not whole. */
static struct span log_entry_at(struct span log, uint64_t at, uint32_t sequence)
{
    struct span entry = span_part(log, at, ENTRY_HEAD_SIZE);

    if (entry.at == NULL || memcmp(entry.at, "HvLE", 4) != 0)
        return span_of(NULL, 0);
    uint32_t size = ld_le32(entry.at + ENTRY_SIZE_AT);
    entry = span_part(log, at, size);
    if (entry.size < ENTRY_HEAD_SIZE || size % LOG_UNIT != 0 ||
        ld_le32(entry.at + ENTRY_SEQUENCE_AT) != sequence ||
        !bins_size_is_possible(ld_le32(entry.at + ENTRY_BINS_SIZE_AT)))
        return span_of(NULL, 0);
    if (regf_marvin(span_of(entry.at, ENTRY_HEAD_HASH_AT)) !=
            ld_le64(entry.at + ENTRY_HEAD_HASH_AT) ||
        regf_marvin(span_part(entry, ENTRY_HEAD_SIZE, size - ENTRY_HEAD_SIZE)) !=
            ld_le64(entry.at + ENTRY_HASH_AT))
        return span_of(NULL, 0);
    return references_are_sound(entry) ? entry : span_of(NULL, 0);
}

static bool apply_entry(struct recovery *recovery, struct span entry)
{
    uint32_t count = ld_le32(entry.at + ENTRY_COUNT_AT);
    const uint8_t *content = entry.at + ENTRY_HEAD_SIZE + (size_t)count * REFERENCE_SIZE;
    uint8_t *flags = recovery->buffer + BASE_FLAGS_AT;

    if (!resize(recovery, ld_le32(entry.at + ENTRY_BINS_SIZE_AT)))
        return false;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *reference = entry.at + ENTRY_HEAD_SIZE + i * REFERENCE_SIZE;
        memcpy(recovery->buffer + REGF_BASE_SIZE + ld_le32(reference), content,
               ld_le32(reference + 4));
        content += ld_le32(reference + 4);
    }
    st_le32(flags, (ld_le32(flags) & ~BASE_FLAG_COPIED) |
                       (ld_le32(entry.at + ENTRY_FLAGS_AT) & BASE_FLAG_COPIED));
    recovery->sequence = ld_le32(entry.at + ENTRY_SEQUENCE_AT);
    recovery->applied = true;
    return true;
}

/* Applies the entries of a log up to the first that is damaged. */
static void apply_new_log(struct recovery *recovery, struct span log)
{
    uint32_t sequence = ld_le32(log.at + REGF_PRIMARY_AT);
    struct span entry = log_entry_at(log, LOG_BASE_SIZE, sequence);

    if (entry.at == NULL) {
        note_range(recovery, REGF_RECOVERY_LOG_DAMAGED);
        return;
    }
    take_base(recovery, log);
    for (uint64_t at = LOG_BASE_SIZE; entry.at != NULL; entry = log_entry_at(log, at, ++sequence)) {
        if (!apply_entry(recovery, entry))
            return;
        at += entry.size;
    }
}

/* The log of type 6 with the lowest sequence number from `least` on, or with the highest; an empty
 * span when there is none. */
static struct span choose_log(const struct span *logs, size_t count, uint64_t least, bool highest)
{
    struct span chosen = span_of(NULL, 0);
    uint32_t best = 0;

    for (size_t i = 0; i < count; i++) {
        if (!is_log(logs[i], LOG_TYPE_NEW))
            continue;
        uint32_t sequence = ld_le32(logs[i].at + REGF_PRIMARY_AT);
        if (sequence < least)
            continue;
        if (chosen.at == NULL || (highest ? sequence > best : sequence < best)) {
            chosen = logs[i];
            best = sequence;
        }
    }
    return chosen;
}

static void apply_new_logs(struct recovery *recovery, const struct span *logs, size_t count)
{
    uint64_t least = recovery->base_is_good ? recovery->sequence : 0;

    for (size_t i = 0; i < count; i++) {
        struct span log = choose_log(logs, count, least, !recovery->base_is_good);
        if (log.at == NULL)
            return;
        uint32_t sequence = ld_le32(log.at + REGF_PRIMARY_AT);
        if (recovery->applied && sequence != recovery->sequence + 1)
            return;
        apply_new_log(recovery, log);
        if (!recovery->base_is_good || recovery->trouble == REGF_RECOVERY_TOO_SMALL)
            return;
        least = (uint64_t)sequence + 1;
    }
}

/* --- Type 1 ------------------------------------------------------------------------------------*/

static bool page_is_in_log(struct span log, size_t page)
{
    return (log.at[MAP_AT + page / 8] >> page % 8 & 1) != 0;
}

/* True when the log's map and all that it says is there are. */
static bool old_log_is_whole(struct span log, size_t pages, uint64_t content)
{
    uint64_t in_log = 0;

    if (content > log.size)
        return false;
    for (size_t page = 0; page < pages; page++)
        in_log += page_is_in_log(log, page);
    return span_holds(log, content, in_log * LOG_UNIT);
}

static void apply_old_log(struct recovery *recovery, struct span log)
{
    uint32_t bins_size = ld_le32(log.at + REGF_BINS_SIZE_AT);
    size_t pages = bins_size / LOG_UNIT;
    size_t content = (MAP_AT + pages / 8 + LOG_UNIT - 1) / LOG_UNIT * LOG_UNIT;

    if (!bins_size_is_possible(bins_size) || !old_log_is_whole(log, pages, content)) {
        note_range(recovery, REGF_RECOVERY_LOG_DAMAGED);
        return;
    }
    if (!resize(recovery, bins_size))
        return;
    take_base(recovery, log);
    for (size_t page = 0; page < pages; page++) {
        if (!page_is_in_log(log, page))
            continue;
        memcpy(recovery->buffer + REGF_BASE_SIZE + page * LOG_UNIT, log.at + content, LOG_UNIT);
        content += LOG_UNIT;
    }
    recovery->sequence = ld_le32(recovery->buffer + REGF_PRIMARY_AT);
    recovery->applied = true;
}

static void apply_old_logs(struct recovery *recovery, const struct span *logs, size_t count)
{
    for (size_t i = 0; i < count && !recovery->applied; i++) {
        if (!is_log(logs[i], LOG_TYPE_OLD))
            continue;
        const uint8_t *base = recovery->base_is_good ? recovery->buffer : logs[i].at;
        if (old_log_fits(base, logs[i]))
            apply_old_log(recovery, logs[i]);
    }
}

/* --- The whole ---------------------------------------------------------------------------------*/

/* Why there is nothing to recover or no way to; REGF_RECOVERED when there is no such reason. */
static enum regf_recovery look_at_hive(struct span hive)
{
    if (!base_is_good(hive))
        return REGF_RECOVERED;
    if (ld_le32(hive.at + REGF_PRIMARY_AT) == ld_le32(hive.at + REGF_SECONDARY_AT))
        return REGF_RECOVERY_NOT_NEEDED;
    if (regf_check(hive) == REGF_UNSUPPORTED)
        return REGF_RECOVERY_UNSUPPORTED;
    return REGF_RECOVERED;
}

/* Copies what there is of the hive. False when the buffer is too small. */
static bool begin(struct recovery *recovery, struct span hive)
{
    size_t bins_size = 0;
    size_t copied = hive.size;

    if (hive.size > REGF_BASE_SIZE)
        bins_size = (hive.size - REGF_BASE_SIZE) / REGF_BIN_UNIT * REGF_BIN_UNIT;
    if (recovery->base_is_good)
        recovery->sequence = ld_le32(hive.at + REGF_SECONDARY_AT);
    if (bins_size > REGF_BINS_MAX)
        bins_size = REGF_BINS_MAX;
    /* The file may be longer than the hive: what does not fit is not wanted yet. */
    if (recovery->capacity >= REGF_BASE_SIZE && bins_size > recovery->capacity - REGF_BASE_SIZE)
        bins_size = recovery->capacity - REGF_BASE_SIZE;
    if (copied > REGF_BASE_SIZE + bins_size)
        copied = REGF_BASE_SIZE + bins_size;
    if (recovery->capacity < REGF_BASE_SIZE)
        return false;
    memset(recovery->buffer, 0, REGF_BASE_SIZE);
    if (copied > 0)
        memcpy(recovery->buffer, hive.at, copied);
    recovery->bins_size = (uint32_t)bins_size;
    return true;
}

static struct span finish_log(const struct recovery *recovery)
{
    uint8_t *base = recovery->buffer;

    st_le32(base + REGF_PRIMARY_AT, recovery->sequence);
    st_le32(base + REGF_SECONDARY_AT, recovery->sequence);
    st_le32(base + REGF_BINS_SIZE_AT, recovery->bins_size);
    st_le32(base + REGF_CHECKSUM_AT, regf_base_checksum(base));
    return span_of(base, REGF_BASE_SIZE + (size_t)recovery->bins_size);
}

/* Why no log was used, where none was damaged. */
static enum regf_recovery why_not(const struct span *logs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (is_log(logs[i], LOG_TYPE_OLD) || is_log(logs[i], LOG_TYPE_NEW))
            return REGF_RECOVERY_LOG_STALE;
    }
    return REGF_RECOVERY_NO_LOG;
}

enum regf_recovery regf_recover(struct span hive, const struct span *logs, size_t count,
                                uint8_t *buffer, size_t capacity, struct span *ret_file)
{
    enum regf_recovery reason = look_at_hive(hive);
    struct recovery recovery = {
        .buffer = buffer, .capacity = capacity, .base_is_good = base_is_good(hive)};

    if (reason != REGF_RECOVERED)
        return reason;
    if (!begin(&recovery, hive))
        return REGF_RECOVERY_TOO_SMALL;
    apply_new_logs(&recovery, logs, count);
    if (!recovery.applied)
        apply_old_logs(&recovery, logs, count);
    if (recovery.trouble == REGF_RECOVERY_TOO_SMALL)
        return REGF_RECOVERY_TOO_SMALL;
    if (!recovery.applied)
        return recovery.trouble != REGF_RECOVERED ? recovery.trouble : why_not(logs, count);
    struct span file = finish_log(&recovery);
    if (regf_check(file) != REGF_GOOD)
        return REGF_RECOVERY_BAD_RESULT;
    *ret_file = file;
    return REGF_RECOVERED;
}

const char *regf_recovery_text(enum regf_recovery recovery)
{
    static const char *const texts[REGF_RECOVERY_COUNT] = {
        [REGF_RECOVERED] = "the unfinished write was completed from its log",
        [REGF_RECOVERY_NOT_NEEDED] = "no write to it was left unfinished",
        [REGF_RECOVERY_UNSUPPORTED] = "it is a registry hive of a kind that is not known",
        [REGF_RECOVERY_NO_LOG] = "there is no log of the unfinished write",
        [REGF_RECOVERY_LOG_STALE] = "its log is of another write",
        [REGF_RECOVERY_LOG_DAMAGED] = "its log is damaged",
        [REGF_RECOVERY_BAD_RESULT] = "it is not whole with its log either",
        [REGF_RECOVERY_TOO_SMALL] = "it is too large with its log",
    };

    if ((unsigned)recovery >= REGF_RECOVERY_COUNT)
        return "its recovery has an unknown problem";
    return texts[recovery];
}
