/* Parts of bcd_make (format/bcd/bcd_make.h): the objects of a new store, and what comes into them
 * from other stores. */
#ifndef SHADOWBOOT_FORMAT_BCD_MAKING_H
#define SHADOWBOOT_FORMAT_BCD_MAKING_H

#include "format/bcd/bcd_edit.h"
#include "format/bcd/bcd_make.h"

/* What Windows calls the entry of the other plex besides. */
#define SECOND_ENDING " - secondary plex"

enum made_object {
    MADE_NONE,
    MADE_MANAGER,
    MADE_MEMDIAG,
    MADE_GLOBAL,
    MADE_LOADERS, /* settings of loaders */
    MADE_RESUMES, /* ... of what resumes */
    MADE_EMS,
    MADE_DEBUGGER,
    MADE_BAD_MEMORY,
    MADE_HYPERVISOR,
    MADE_LOADER,
    MADE_RESUME,
    MADE_COUNT
};

struct bcd_making {
    struct arena *arena;
    const struct bcd_new *wanted;
    struct bcd_edit edit;
    struct guid guids[MADE_COUNT];
};

/* Gives the object the element unless it has it. Statuses: ST_OK; those of bcd_edit_set. */
MUST_CHECK enum status making_fill(struct bcd_making *making, enum made_object object,
                                   uint32_t code, struct span data);

/* What the template and the older store have for the objects, before anything else is in them.
 * Statuses: ST_OK; those of bcd_edit_set; ST_NO_MEMORY. */
MUST_CHECK enum status making_take_template(struct bcd_making *making);
MUST_CHECK enum status making_take_old(struct bcd_making *making);

#endif
