#include "base/status.h"

static const char *const texts[ST_COUNT] = {
    [ST_OK] = "success",
    [ST_ABSENT] = "not found",
    [ST_DAMAGED] = "damaged",
    [ST_UNSUPPORTED] = "not supported",
    [ST_REFUSED] = "refused",
    [ST_USAGE] = "wrong command line",
    [ST_EXISTS] = "already present",
    [ST_CHANGED] = "changed in the meantime",
    [ST_NO_SPACE] = "no space left",
    [ST_READ_ONLY] = "read-only",
    [ST_IO] = "device error",
    [ST_NO_MEMORY] = "out of memory",
    [ST_TOO_SMALL] = "buffer too small",
    [ST_CANCELLED] = "cancelled",
};

const char *status_text(enum status status)
{
    if ((unsigned)status >= ST_COUNT)
        return "unknown status";
    return texts[status];
}
