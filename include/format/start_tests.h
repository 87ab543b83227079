/*
 * What is remembered of starts that were asked for to try them: a small variable of this program's own, since
 * firmware forgets BootNext when it has been used. Numbers are little-endian:
 *
 *   0   1  'T'
 *   1   1  version, 1
 *   2   1  number of records, at most START_TESTS_MOST
 *   3   1  1 while all disks are being tried, one start each; else 0
 *   4  26  each record: the unique GUID of the ESP, 16 bytes; the number of the boot entry, 2; the local time when
 *          it was asked for: year, 2; month, day, hour, minute, second, 1 each; 0
 */
#ifndef SHADOWBOOT_FORMAT_START_TESTS_H
#define SHADOWBOOT_FORMAT_START_TESTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/date.h"
#include "base/guid.h"
#include "base/status.h"

#define START_TESTS_MOST   16u
#define START_TESTS_HEADER 4u
#define START_TEST_SIZE    26u
#define START_TESTS_BYTES  (START_TESTS_HEADER + START_TESTS_MOST * START_TEST_SIZE)

struct start_test {
    struct guid esp;        /* the partition that was to be started from */
    uint16_t entry;         /* the number of the Boot#### that leads there */
    struct date_time asked; /* all zero when the clock was broken */
};

struct start_tests {
    struct start_test items[START_TESTS_MOST]; /* the oldest first */
    size_t count;
    bool walk; /* all disks are being tried, and some are left */
};

/* Reads a variable's content. Statuses: ST_OK; ST_DAMAGED for anything else than the above, with `*ret_tests`
 * unchanged. */
MUST_CHECK enum status start_tests_read(struct span bytes, struct start_tests *ret_tests);

/* The content to write, START_TESTS_BYTES at most; returns how many bytes. */
size_t start_tests_write(const struct start_tests *tests, uint8_t ret_bytes[START_TESTS_BYTES]);

/* Adds one at the end, in the place of an earlier one of the same partition, or of the oldest where there is no room. */
void start_tests_add(struct start_tests *tests, const struct start_test *test);

#endif
