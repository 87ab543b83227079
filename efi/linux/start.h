/* Without firmware nothing is loaded, started or switched off. */
#ifndef SHADOWBOOT_LINUX_START_H
#define SHADOWBOOT_LINUX_START_H

#include "port/start.h"

/* Every call says ST_UNSUPPORTED. */
struct start_port linux_start(void);

#endif
