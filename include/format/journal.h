/*
 * The journal of one change to boot variables: everything needed to take it back, in a file of its
 * own. Little-endian.
 *
 *    0  8  "SBJOURN1"
 *    8  4  bytes of header and records together
 *   12  4  number of records
 *   16  7  date: year (2), month, day, hour, minute, second
 *   23  1  1 if it took an earlier change back, else 0
 *   24  4  bytes of the command text
 *   28  4  CRC-32 of header and records, this field 0
 *   32  -  command text, UTF-8, for people
 *    -  -  records, each:
 *           0  4  flags: 1 = was there before, 2 = is there afterwards
 *           4  4  attributes before     8  4  bytes before
 *          12  4  attributes after     16  4  bytes after
 *          20 64  name, ASCII, NUL-padded
 *          84  -  content before, then content after
 *    -  8  behind the records: marks. "SBDONE__" when all was carried out, "SBUNDONE" when taken
 * back
 *
 * The whole file is on the medium before the first variable changes; a mark is appended when the
 * work is over. A file without a mark is of a change that was interrupted.
 */
#ifndef SHADOWBOOT_FORMAT_JOURNAL_H
#define SHADOWBOOT_FORMAT_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/date.h"
#include "base/status.h"

#define JOURNAL_MARK_SIZE 8u
#define JOURNAL_NAME_SIZE 64 /* bytes of a variable's name with its NUL */

enum journal_state {
    JOURNAL_PENDING, /* no mark: interrupted, or still running */
    JOURNAL_DONE,
    JOURNAL_UNDONE,
};

struct journal_record {
    char name[JOURNAL_NAME_SIZE];
    bool old_present;
    uint32_t old_attributes;
    struct span old_data;
    bool new_present;
    uint32_t new_attributes;
    struct span new_data;
};

struct journal {
    struct date_time date;
    bool is_undo;        /* the change took another one back */
    const char *command; /* UTF-8, untrusted when parsed */
    struct journal_record *records;
    size_t count;
    enum journal_state state; /* not looked at by journal_build */
};

/* The file's bytes without a mark, in the arena. Statuses: ST_OK; ST_NO_MEMORY. */
MUST_CHECK enum status journal_build(struct arena *arena, const struct journal *journal,
                                     struct span *ret_file);

/*
 * Takes a file apart; spans point into `file`. Statuses: ST_OK; ST_DAMAGED when it is cut short,
 * its CRC is wrong or a record leads outside; ST_NO_MEMORY.
 */
MUST_CHECK enum status journal_parse(struct arena *arena, struct span file,
                                     struct journal *ret_journal);

/* The mark (JOURNAL_MARK_SIZE bytes) of a state other than JOURNAL_PENDING. */
struct span journal_mark(enum journal_state state);

#endif
