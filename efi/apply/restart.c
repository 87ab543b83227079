#include "apply/restart.h"

#include "base/mem.h"

#define WISH_SIZE  8u
#define BOOT_TO_UI 0x01u /* EFI_OS_INDICATIONS_BOOT_TO_FW_UI, in the first byte */

/* A variable of 64 bits, as its bytes; false where there is none. */
static bool read_wishes(const struct ports *ports, const char *name, uint8_t ret_bytes[WISH_SIZE])
{
    size_t size = 0;
    uint32_t attributes = 0;

    return ports->vars.get(ports->vars.ctx, NULL, name, &attributes, ret_bytes, WISH_SIZE, &size) ==
               ST_OK &&
           size == WISH_SIZE;
}

bool restart_knows_setup(const struct ports *ports)
{
    uint8_t known[WISH_SIZE];

    return read_wishes(ports, "OsIndicationsSupported", known) && (known[0] & BOOT_TO_UI) != 0;
}

static enum status set_wishes(const struct ports *ports, const uint8_t wishes[WISH_SIZE],
                              size_t size)
{
    return ports->vars.set(ports->vars.ctx, NULL, "OsIndications", VAR_BOOT_OPTION, wishes, size);
}

enum status restart_into_setup(const struct ports *ports)
{
    uint8_t before[WISH_SIZE] = {0};
    uint8_t wishes[WISH_SIZE];

    if (!restart_knows_setup(ports))
        return ST_UNSUPPORTED;
    bool had_wishes = read_wishes(ports, "OsIndications", before);
    memcpy(wishes, before, sizeof(wishes));
    wishes[0] |= BOOT_TO_UI;
    enum status status = set_wishes(ports, wishes, WISH_SIZE);
    if (status != ST_OK)
        return status;
    status = ports->start.reset(ports->start.ctx, START_RESET_COLD);
    /* It came back: nobody is to be surprised by the setup at some later start. */
    (void)!set_wishes(ports, before, had_wishes ? WISH_SIZE : 0);
    return status;
}
