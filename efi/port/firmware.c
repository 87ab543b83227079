#include "port/firmware.h"

#include "base/text.h"

bool firmware_is_uboot(const char *vendor)
{
    return vendor != NULL && text_equal(vendor, "Das U-Boot");
}
