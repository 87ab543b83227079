/* Into the firmware's own setup. */
#ifndef SHADOWBOOT_APPLY_RESTART_H
#define SHADOWBOOT_APPLY_RESTART_H

#include <stdbool.h>

#include "port/ports.h"

/* True when this firmware can be asked for its setup (OsIndicationsSupported, UEFI Specification
 * 8.5.4). */
bool restart_knows_setup(const struct ports *ports);

/*
 * Asks for the setup at the next start (OsIndications, the other bits kept) and restarts the
 * machine. Does not return when that works. Statuses: ST_UNSUPPORTED where firmware has no such
 * wish, or cannot reset (OsIndications is as before then); else what setting the variable gave,
 * without a reset.
 */
MUST_CHECK enum status restart_into_setup(const struct ports *ports);

#endif
