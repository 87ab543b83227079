#include "format/journal.h"

#include "base/crc32.h"
#include "base/mem.h"
#include "base/text.h"
#include "format/devpath.h"
#include "journal_layout.h"

const uint8_t journal_magic[MAGIC_SIZE] = {'S', 'B', 'J', 'O', 'U', 'R', 'N', '2'};

static const uint8_t marks[][JOURNAL_MARK_SIZE] = {
    [JOURNAL_DONE] = {'S', 'B', 'D', 'O', 'N', 'E', '_', '_'},
    [JOURNAL_UNDOING] = {'S', 'B', 'U', 'N', 'D', 'O', '_', '_'},
    [JOURNAL_UNDONE] = {'S', 'B', 'U', 'N', 'D', 'O', 'N', 'E'},
    [JOURNAL_LEFT] = {'S', 'B', 'L', 'E', 'F', 'T', '_', '_'},
};

struct span journal_mark(enum journal_state state)
{
    return span_of(marks[state], JOURNAL_MARK_SIZE);
}

static bool is_under_way(enum journal_state state)
{
    return state == JOURNAL_PENDING || state == JOURNAL_UNDOING;
}

bool journal_is_interrupted(const struct journal *journal)
{
    return is_under_way(journal->state);
}

size_t journal_find_disk(const struct journal *journal, struct span path)
{
    size_t i = 0;

    while (i < journal->disk_count && !span_equal(journal->disks[i].path, path))
        i++;
    return i;
}

bool journal_has_blocks(const struct journal *journal)
{
    for (size_t i = 0; i < journal->count; i++) {
        if (journal->records[i].kind == JOURNAL_BLOCKS)
            return true;
    }
    return false;
}

uint32_t journal_crc(struct span file)
{
    static const uint8_t zero[4];
    uint32_t crc = crc32_update(0, file.at, CRC_OFFSET);

    crc = crc32_update(crc, zero, sizeof(zero));
    return crc32_update(crc, file.at + BEHIND_CRC, file.size - BEHIND_CRC);
}

/* The last whole mark counts. A mark that a power cut left in part may stand before others, so they
 * are looked for at any offset. */
enum journal_state journal_last_mark(struct span tail)
{
    enum journal_state state = JOURNAL_PENDING;

    for (size_t at = 0; at + JOURNAL_MARK_SIZE <= tail.size; at++) {
        struct span mark = span_part(tail, at, JOURNAL_MARK_SIZE);
        for (enum journal_state i = JOURNAL_DONE; i <= JOURNAL_LEFT; i++) {
            if (span_equal(mark, journal_mark(i)))
                state = i;
        }
    }
    return state;
}

bool journal_is_closed(struct span head, struct span end, uint64_t file_size)
{
    if (head.size < JOURNAL_HEAD_SIZE || memcmp(head.at, journal_magic, MAGIC_SIZE) != 0)
        return false;
    uint64_t total = ld_le32(head.at + 8);
    return total <= file_size && file_size - total >= JOURNAL_MARK_SIZE &&
           !is_under_way(journal_last_mark(end));
}
