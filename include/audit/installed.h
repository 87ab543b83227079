/* What of this program stands on the machine's own ESPs: its file, copies, and boot entries. */
#ifndef SHADOWBOOT_AUDIT_INSTALLED_H
#define SHADOWBOOT_AUDIT_INSTALLED_H

#include <stdbool.h>

#include "audit/collector.h"
#include "audit/roles.h"

struct installed {
    size_t file;      /* index into the ESP's report; FAT_NO_FILE when it is not there */
    bool sound;       /* it is this program, whole */
    uint32_t version; /* of a sound one (format/pe_mark.h) */
    size_t entry;     /* the first entry in BootOrder, active, that starts it; NO_INDEX for none */
};

/* Its path on every ESP, \EFI\shadowboot\shadowboot<arch>.efi, in the arena; NULL when that is
 * full. */
const char *installed_path(struct arena *arena, const struct machine *machine);

/* The state of `path` on the ESP: that path, or the removable-media one. */
struct installed installed_at(const struct machine *machine, size_t esp, const char *path);

/* True for an entry that starts this program's file, wherever its partition is by now; `path` is
 * installed_path. */
bool installed_entry_is_own(const struct entry *entry, const char *path);

/* "1.2.3", in the arena; "" when that is full. */
const char *installed_version_text(struct arena *arena, uint32_t version);

/* Notes what members lack of it, where the program is installed on any member's ESP. */
void audit_installed(struct collector *to, const struct machine *machine,
                     const struct roles *roles);

#endif
