/*
 * A boot store made anew: the objects and elements that Windows' bcdboot gives the store of a GPT
 * disk, which are the same in every store of Windows 10 and 11 that was looked at. Settings come
 * from Windows' own template \Windows\System32\config\BCD-Template where there is one, and from an
 * older store of the machine where one can still be read.
 *
 * The template is a store whose elements of the class 4 are instructions: 42000002 is a path below
 * \Windows; 45000001 the volume that the devices are (1 of the boot manager, 2 of Windows);
 * 46000004 says that the object is only made together with its loader; 47000005 has pairs of an
 * element and the number of a message that describes the object, which is given here; 47000006
 * lists the elements that an older store's object hands on. None of them stays in the result. What
 * they mean is documented by nobody and was found by comparing the template, as re-created in
 * github.com/mattifestation/BCD, with the stores that bcdboot makes.
 */
#ifndef SHADOWBOOT_FORMAT_BCD_MAKE_H
#define SHADOWBOOT_FORMAT_BCD_MAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/guid.h"
#include "base/status.h"
#include "format/bcd/bcd_device.h"

/* Bytes of a buffer that any store made here fits into, unless the older one has more than a usual
 * recovery system to hand on. */
#define BCD_MAKE_BYTES (128u << 10)

/* A volume with Windows, and the new objects that start it. */
struct bcd_system {
    struct bcd_partition partition;
    struct guid loader;
    struct guid resume;
};

struct bcd_new {
    struct bcd_partition esp;
    struct bcd_system system; /* the default */
    bool has_other;           /* a second entry, for the other copy of the volume: */
    struct bcd_system other;
    const char *description;     /* of the default, where no older store describes it */
    const char *locale;          /* likewise: "en-US" */
    bool keeps_locale;           /* `locale` counts, whatever the older store has */
    bool is_server;              /* nx OptOut, not OptIn; likewise */
    bool names_system_of_resume; /* 21000026, which Windows 11 has; likewise */
    struct span template_file;   /* BCD-Template; empty without one */
    struct span old_file;        /* a store to take settings from, a good hive; empty without one */
    bool takes_loader;           /* not its default, but: */
    struct guid old_loader;
    /* Whether the partition is there: what recovers Windows from one that is gone is left out. NULL:
     * all are gone. */
    bool (*is_here)(void *ctx, const struct bcd_partition *partition);
    void *ctx;
    uint64_t now; /* FILETIME */
};

/*
 * Makes the store in the caller's buffer. A template or an older store that cannot be read is as
 * none. Of the older store count the default's description, locale and settings, but for those that
 * start it otherwise than usual once or from now on (safe mode, a recovery system), the recovery
 * system, and the objects of settings. What is taken of the arena is given back. Statuses: ST_OK;
 * ST_NO_SPACE and ST_TOO_SMALL when the buffer is too small; ST_USAGE for text that is no UTF-8;
 * ST_NO_MEMORY. The buffer's content is undefined on failure.
 */
MUST_CHECK enum status bcd_make(struct arena *arena, const struct bcd_new *wanted, uint8_t *buffer,
                                size_t capacity, struct span *ret_file);

#endif
