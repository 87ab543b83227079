/* This program on the machine's own ESPs, as what is started when nothing else is. */
#ifndef SHADOWBOOT_PLAN_INSTALL_H
#define SHADOWBOOT_PLAN_INSTALL_H

#include "audit/roles.h"
#include "plan/plan.h"

struct install_request {
    struct span image;    /* the program's own file */
    uint32_t version;     /* of it (format/pe_mark.h) */
    const size_t *esps;   /* indexes into machine.esps; NULL: those of all members */
    size_t esp_count;     /* of `esps` */
    bool disk_in_name;    /* the disk goes behind the names of entries */
    struct date_time now; /* of new files */
};

/*
 * For each ESP: the program as \EFI\shadowboot\shadowboot<arch>.efi, unless a newer one is there;
 * under the removable-media path where that is free, or an older one of it lies there; an entry for
 * the first. The entries stand behind all others that start something, but before a program of the
 * firmware's own that would not give way; that of the primary last, so that a machine of which the
 * primary is damaged is mended from another disk. One that stands elsewhere is moved there. An ESP
 * that cannot be written is left out with a warning. Statuses: ST_OK, without actions when all is
 * that way; ST_ABSENT with plan->refusal when there is no ESP; when all were left out, the status of
 * the first;
 * those of edit_begin_mending.
 */
MUST_CHECK enum status plan_install(struct plan *plan, const struct roles *roles,
                                    const struct install_request *request);

/*
 * Takes all of it back, from every fixed disk: entries, also those whose partition is gone, and the
 * files, under the removable-media path only where it is this program, with the folders that hold
 * nothing else. Journals, settings and reports beside it stay. An ESP that cannot be written is left
 * out with a warning. Statuses: ST_OK; those of edit_begin_mending.
 */
MUST_CHECK enum status plan_uninstall(struct plan *plan);

#endif
