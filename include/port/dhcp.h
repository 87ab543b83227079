/*
 * What a DHCP server's answer says about where the program came from (RFC 2131, figure 1; options: RFC 2132). From 20:
 * the next server's address (siaddr), 4 bytes; from 108: the boot file, 128 bytes; from 236: 63 82 53 63, then options,
 * each a number, a length and so many bytes; 0 stands alone, 255 ends them. Option 52 says that the boot file's field
 * (1), the server's name (2: from 44, 64 bytes) or both (3) hold more options instead, in that order (RFC 2131, 4.1).
 */
#ifndef SHADOWBOOT_PORT_DHCP_H
#define SHADOWBOOT_PORT_DHCP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

#define DHCP_FILE_SIZE 256u /* bytes, NUL included */

struct dhcp_answer {
    uint8_t server[4];  /* the next server, else the one that answered; zero when it says neither */
    uint8_t gateway[4]; /* zero when there is none */
    char file[DHCP_FILE_SIZE]; /* the boot file, "" when it is not named, or not printable ASCII */
};

/* Reads it; what is not there, or behind the end of a damaged one, is zero or empty. */
struct dhcp_answer dhcp_read_answer(struct span packet);

#endif
