/*
 * Where on a network a file goes, or comes from: URIs (RFC 3986) of two schemes, "http://10.0.0.1:8080/in" and
 * "tftp://10.0.0.1/in/" (RFC 3617), and "tftp:in/" for the server that the program came from. Servers are named by
 * IPv4 address: firmware that was started by PXE need not know a name server.
 */
#ifndef SHADOWBOOT_BASE_NET_ADDRESS_H
#define SHADOWBOOT_BASE_NET_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

#define NET_PATH_SIZE 160u /* bytes, NUL included */

enum net_scheme { NET_TFTP, NET_HTTP };

struct net_address {
    enum net_scheme scheme;
    bool has_server;   /* false: the server that the program came from; TFTP only */
    uint8_t server[4]; /* IPv4 */
    uint16_t port;     /* 69 and 80 unless another is given; TFTP has no other */
    char
        path[NET_PATH_SIZE]; /* TFTP: the file's name, as the server takes it. HTTP: from the "/" */
};

/*
 * Reads an address. Paths have printable ASCII characters only, and no blanks. A path that is empty or ends in "/"
 * is a folder: net_address_name says what follows. Statuses: ST_OK; ST_USAGE, with nothing set, for what is none.
 */
MUST_CHECK enum status net_address_read(const char *text, struct net_address *ret_address);

/*
 * Puts `name` and `ending` behind a path that is a folder; others stay. Statuses: ST_OK; ST_NO_SPACE, with nothing
 * changed, when they do not fit.
 */
MUST_CHECK enum status net_address_name(struct net_address *io_address, const char *name,
                                        const char *ending);

#endif
