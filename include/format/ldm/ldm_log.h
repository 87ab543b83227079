/*
 * The log region beside an LDM database: KLOG pages of 512 bytes, in which the system notes between
 * two changes of the database that plexes may differ. (LDM database, section 8.) Every integer is
 * big-endian.
 *
 *   page                                  entry, 24 bytes
 *   00  4  "KLOG"                         00  1  status; 0 ends the page's list
 *   04  8  some transaction               01  8  commit: committed transaction
 *   0C  4  sequence                       09  8  commit: pending transaction
 *   10  4  number of pages                11  4  recovery sequence
 *   14  4  index of this page             15  3  zero
 *   18 24  entries, up to 20
 *
 * There is no checksum. An empty log proves nothing.
 */
#ifndef SHADOWBOOT_FORMAT_LDM_LOG_H
#define SHADOWBOOT_FORMAT_LDM_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

#define LDM_LOG_PAGE_BYTES 512u
#define LDM_LOG_PAGES_MAX  128u /* two on every disk seen */

struct ldm_log {
    uint32_t page_count;
    bool dirty;       /* an entry says that a plex was detached, or that plexes may differ */
    uint64_t pending; /* the latest transaction a commit entry names, 0 without one; such an entry
                         stays when the transaction is done */
};

/*
 * How many pages the log that begins with `page` has: > 0. Statuses: ST_OK; ST_DAMAGED when it is
 * not the first page of a log; ST_UNSUPPORTED for more than LDM_LOG_PAGES_MAX.
 */
MUST_CHECK enum status ldm_log_count_pages(struct span page, uint32_t *ret_count);

/*
 * Reads the log at the start of `pages`, which holds all of it. Statuses: those of
 * ldm_log_count_pages; ST_DAMAGED when a page is missing or not the right one; ST_UNSUPPORTED for
 * an entry of an unknown status.
 */
MUST_CHECK enum status ldm_log_parse(struct span pages, struct ldm_log *ret_log);

#endif
