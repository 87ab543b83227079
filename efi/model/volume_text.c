#include "model/volumes.h"

const char *dynamic_type_text(enum dynamic_type type)
{
    static const char *const texts[] = {
        [DYNAMIC_OTHER] = "Other",    [DYNAMIC_SIMPLE] = "Simple", [DYNAMIC_SPANNED] = "Spanned",
        [DYNAMIC_STRIPED] = "Stripe", [DYNAMIC_MIRROR] = "Mirror", [DYNAMIC_RAID5] = "RAID-5",
    };

    return texts[type];
}

const char *dynamic_layout_text(enum dynamic_layout layout)
{
    static const char *const texts[] = {
        [DYNAMIC_LAYOUT_STRIPED] = "striped",
        [DYNAMIC_LAYOUT_CONCATENATED] = "concatenated",
        [DYNAMIC_LAYOUT_RAID5] = "RAID-5",
    };

    return texts[layout];
}

const char *dynamic_status_text(enum dynamic_status status)
{
    static const char *const texts[] = {
        [DYNAMIC_HEALTHY] = "Healthy",    [DYNAMIC_AT_RISK] = "At Risk",
        [DYNAMIC_REBUILDING] = "Rebuild", [DYNAMIC_FAILED_REDUNDANCY] = "Failed Rd",
        [DYNAMIC_FAILED] = "Failed",      [DYNAMIC_UNKNOWN] = "Unknown",
    };

    return texts[status];
}

const char *dynamic_disk_status_text(enum dynamic_disk_status status)
{
    static const char *const texts[] = {
        [DYNAMIC_DISK_ONLINE] = "Online",
        [DYNAMIC_DISK_ERRORS] = "Errors",
        [DYNAMIC_DISK_MISSING] = "Missing",
    };

    return texts[status];
}

const char *plex_state_text(enum plex_state state)
{
    static const char *const texts[] = {
        [PLEX_GOOD] = "good",   [PLEX_DOUBTFUL] = "doubtful", [PLEX_REBUILDING] = "rebuilding",
        [PLEX_STALE] = "stale", [PLEX_FAILED] = "failed",     [PLEX_MISSING] = "missing",
    };

    return texts[state];
}

const char *volume_disk_state_text(enum volume_disk_state state)
{
    static const char *const texts[] = {
        [VOLUME_DISK_OK] = "in order",
        [VOLUME_DISK_ABSENT] = "missing",
        [VOLUME_DISK_UNREADABLE] = "cannot be read",
        [VOLUME_DISK_DAMAGED] = "damaged",
        [VOLUME_DISK_UNSUPPORTED] = "of an unknown form",
        [VOLUME_DISK_BEHIND] = "behind",
        [VOLUME_DISK_CONFLICT] = "in contradiction",
    };

    return texts[state];
}
