/* The command line of the program for Linux, up to the command of the core. */
#ifndef SHADOWBOOT_LINUX_OPTIONS_H
#define SHADOWBOOT_LINUX_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define LINUX_DISKS_MAX 64

struct linux_disk_option {
    const char *file;
    uint32_t block_size; /* of an image; 0: as its GPT tells */
};

struct linux_options {
    struct linux_disk_option disks[LINUX_DISKS_MAX];
    size_t disk_count;
    const char *efivars; /* the folder of the variables, or NULL */
    const char *journal; /* the folder for journals, or NULL */
    const char *architecture;
    bool journal_in_memory;
    bool write;
    bool help;
    bool version;
    int first_word; /* index of the command in argv; argc without one */
};

/*
 * Takes the options, which end before the first word that begins with no "--", or behind a "--".
 * Statuses: ST_OK; ST_USAGE, with a message on standard error. Texts lie in argv.
 */
MUST_CHECK enum status linux_options_take(int argc, char **argv, struct linux_options *ret_options);

/* Prints what `--help` does: all of the manual page but the commands. */
void linux_options_help(void);

/* Says on standard error what is wrong with what; gives `status` back. */
enum status linux_complain(enum status status, const char *which, const char *what);

#endif
