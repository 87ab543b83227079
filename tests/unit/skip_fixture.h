/* Tests that need what is not everywhere: tests/run_programs.sh counts them, and tells why. */
#ifndef SHADOWBOOT_UNIT_SKIP_FIXTURE_H
#define SHADOWBOOT_UNIT_SKIP_FIXTURE_H

/* Leaves the test; `reason` is a sentence's worth on one line. After cmocka.h. */
#define SKIP_BECAUSE(reason) (print_message("skipped: %s\n", reason), skip())

#define NO_SHARED_DATA " is not there (in ../shared, or $SHADOWBOOT_SHARED)"

#endif
