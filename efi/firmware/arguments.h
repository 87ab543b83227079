/* The words of the command line, from whoever started the program. */
#ifndef SHADOWBOOT_FIRMWARE_ARGUMENTS_H
#define SHADOWBOOT_FIRMWARE_ARGUMENTS_H

#include "uefi.h"

struct arguments {
    int count;                /* at least 1 */
    const char *const *words; /* UTF-8; the first is this program as it was called */
    const char *program; /* the path of its file on its volume; "" when firmware does not say */
};

/*
 * From the Shell: its words as they are. From any other loader: the load options, if they are text
 * beyond doubt; most firmware passes an entry's optional data there, which may be anything. Words
 * are separated by blanks; double quotes hold blanks inside a word. A first word that ends in
 * ".efi" is taken for the program's own name. Statuses: ST_OK; ST_NO_MEMORY.
 */
MUST_CHECK enum status uefi_arguments(const struct uefi *uefi, struct arena *arena,
                                      struct arguments *ret_arguments);

#endif
