/* Which files of an ESP are of use: what is taken from it, and what it may keep. */
#ifndef SHADOWBOOT_PLAN_ESP_USABLE_H
#define SHADOWBOOT_PLAN_ESP_USABLE_H

#include "model/machine.h"

/* True when Windows' boot manager is there under its own name, and not what somebody has put into its place: shim, for
 * firmware that starts nothing else. */
bool esp_has_manager(const struct machine *machine, const struct esp *esp);

/* True when Secure Boot is on and refuses Windows' boot manager on the ESP. */
bool manager_is_refused(const struct machine *machine, size_t esp);

/* True when Windows' boot manager is there, sound as far as is known, and not refused. */
bool esp_manager_starts(const struct machine *machine, size_t esp);

/* True when the ESP's boot store is known to be unusable. One whose log holds the rest is not. */
bool esp_store_is_bad(const struct esp *esp);

/* True when the file (an index into the ESP's list) is known to be of no use. A whole program for
 * another kind of machine may lie on an ESP, but not where this one is started from; nor may one
 * that Secure Boot refuses there, while one that it takes is at hand. */
bool esp_file_is_bad(const struct machine *machine, const struct esp *esp, size_t file);

/* True for what can be taken: the name is exact, and it is a directory or not bad. */
bool esp_file_is_usable(const struct machine *machine, const struct esp *esp, size_t file);

/* True when firmware of this machine can start the file, as far as is known. */
bool esp_file_can_start(const struct machine *machine, const struct esp *esp, size_t file);

#endif
