/* Parts of plan_esp_entries (plan/esp_entries.h): what serves an ESP, and where a new entry
 * goes. */
#ifndef SHADOWBOOT_PLAN_ESP_ENTRIES_PARTS_H
#define SHADOWBOOT_PLAN_ESP_ENTRIES_PARTS_H

#include "audit/roles.h"
#include "plan/edit.h"
#include "plan/esp_entries.h"

/* One edit of the entries for all targets. */
struct esp_entries_pass {
    struct plan *plan;
    const struct esp_entries_request *request;
    struct roles roles; /* of plan->machine */
    struct boot_edit edit;
};

/* What is known of a file of a partition. */
enum presence { PRESENT, MISSING, NOT_KNOWN };

enum presence esp_entries_presence(const struct machine *machine, size_t partition,
                                   const char *path);

/* True when the file is there and starts no system. */
bool esp_entries_is_tool(const struct machine *machine, size_t partition, const char *path);

bool esp_entries_is_active(const struct entry *entry);

/* The place of an entry (index into the machine) in what BootOrder is going to be; NO_INDEX when it
 * is not in it. */
size_t esp_entries_place(const struct esp_entries_pass *pass, size_t index);

/*
 * True when the entry, be it active or not and in BootOrder or not, starts a system from the
 * partition: it names it by the place where it is, and a file there that is not known to be missing
 * and is no tool. The firmware's own entry for the whole disk does not: it comes and goes, and
 * starts only the removable-media path.
 */
bool esp_entries_serves(const struct esp_entries_pass *pass, size_t index, size_t partition);

/*
 * Where in BootOrder a new entry goes: at the end, unless something there does not give way
 * (forecast_blocker). Then right behind `original` (index into the machine), or behind the first entry
 * that starts a member, and those of further members that follow; without any, before what does not
 * give way. `original` is NO_INDEX for none.
 */
size_t esp_entries_position(const struct esp_entries_pass *pass, size_t original);

#endif
