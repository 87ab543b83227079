/* Reference data that is not in the tree: it is looked for in $SHADOWBOOT_SHARED, else in
 * ../shared. */
#ifndef SHADOWBOOT_UNIT_SHARED_FIXTURE_H
#define SHADOWBOOT_UNIT_SHARED_FIXTURE_H

#include "base/bytes.h"

/* The bytes of the file, unpacked where its name ends with ".xz", in a block of just their size; at
 * NULL when it is not there. shared_free frees them. */
struct span shared_read(const char *name);
void shared_free(struct span file);

#endif
