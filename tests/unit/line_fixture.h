/* Command lines on the usual machine of unit/disk_machine_fixture.h. */
#ifndef SHADOWBOOT_UNIT_LINE_FIXTURE_H
#define SHADOWBOOT_UNIT_LINE_FIXTURE_H

#include "unit/disk_machine_fixture.h"
#include "unit/plan_fixture.h"

/* What LDM and file systems take to read, and changes of disks to be worked out. */
#define LINE_MEMORY (64u << 20)

/* Exit statuses. */
enum {
    DONE = 0,
    USAGE = 2,
    UNSUPPORTED = 3,
    DAMAGED = 10,
    NOT_FOUND = 14,
    REFUSED = 15,
    EXISTS = 20,
    CANCELLED = 21,
};

/* For a test's set-up and tear-down: `*state` is the host of a usual machine. */
int line_set_up(void **state);
int line_tear_down(void **state);

#define LINE_TEST(test) cmocka_unit_test_setup_teardown(test, line_set_up, line_tear_down)

/* Runs the line on a clear console; fails the test unless it ends with `code`. */
void run_to(struct host *host, const char *line, unsigned code);

/* The same, and unless all of the words were said (assert_says). */
void run_to_say(struct host *host, const char *line, unsigned code, const char *words);

/* Fails the test when the text is anywhere in what was said. */
void expect_unsaid(struct host *host, const char *text);

/* The ESP of Disk 1 is gone and something else in its place, so that there is no room for one but
 * where the MSR is. */
void line_leave_no_room(struct host *host);

/* Encrypts the plex of a disk by BitLocker, as far as anybody without its key can see. */
void line_protect(struct host *host, size_t disk);

#endif
