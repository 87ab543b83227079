/*
 * Who made the machine and which one it is: the system information of SMBIOS (DMTF DSP0134, 7.2), type 1 of the
 * structures that firmware keeps in memory.
 *
 * A structure: type 1 byte, length 1 byte (of what follows up to the strings, these four included), handle 2 bytes;
 * then its texts, each closed by a zero byte, and one more zero byte (two when there are none). In type 1 at 4, 5, 7:
 * numbers from 1 of the texts for manufacturer, product and serial number, 0 for none; from 8: 16 bytes of UUID in the
 * byte order of GUIDs, all 0x00 or all 0xff when there is none (7.2.1).
 */
#ifndef SHADOWBOOT_FORMAT_SMBIOS_H
#define SHADOWBOOT_FORMAT_SMBIOS_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/guid.h"
#include "base/status.h"

struct smbios_system {
    const char *manufacturer; /* printable, "" when it is not told, like the next two */
    const char *product;
    const char *serial;
    struct guid uuid; /* zero when there is none */
};

/*
 * Reads the structures up to the system information. The texts lie in the arena. Statuses: ST_OK; ST_ABSENT when there
 * is none; ST_DAMAGED when a structure does not end inside the table; ST_NO_MEMORY. On failure nothing is set.
 */
MUST_CHECK enum status smbios_read_system(struct arena *arena, struct span table,
                                          struct smbios_system *ret_system);

#endif
