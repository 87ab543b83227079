/* What of Windows' boot files an ESP can do without where there is no room for all. */
#ifndef SHADOWBOOT_PLAN_ESP_SPARE_H
#define SHADOWBOOT_PLAN_ESP_SPARE_H

#include "plan/plan.h"

/* How much is left out. */
enum spare {
    SPARE_NOTHING,
    SPARE_LANGUAGES, /* that Windows is not installed in, and the memory tester */
    SPARE_FONTS,     /* of languages of East Asia besides, where it is installed in none of them */
    SPARE_COUNT
};

/* The files without these; `*ret_files` lies in the plan's arena. Statuses: ST_OK; ST_NO_MEMORY. */
MUST_CHECK enum status esp_spare(struct plan *plan, const struct files_change *files,
                                 enum spare spare, struct files_change *ret_files);

/* Says what is left out, of `all`, on a partition that is called `where`. */
void esp_spare_tell(struct plan *plan, const struct files_change *all,
                    const struct files_change *left, enum spare spare, const char *where);

#endif
