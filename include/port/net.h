/*
 * The network, as far as firmware has started the program from a server: by PXE (UEFI Specification
 * 24.3), or by HTTP (24.7). Nothing of it is there otherwise.
 */
#ifndef SHADOWBOOT_PORT_NET_H
#define SHADOWBOOT_PORT_NET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/status.h"
#include "base/net_address.h"

struct net_port {
    void *ctx;
    bool is_source;       /* the program, or the volume that it lies on, came from a server */
    const char *hardware; /* of the network card: "52-54-00-12-34-56"; "" when it is not known */

    /*
     * Reads a file that lies beside the program on its server. Up to `size` bytes of it; zero bytes
     * at its end are left out, since there is firmware that does not tell where a file ends.
     * Statuses: ST_OK; ST_ABSENT when the server does not give it; ST_NO_SPACE when it is larger;
     * ST_UNSUPPORTED where firmware has no way to ask; ST_NO_MEMORY; ST_IO.
     */
    enum status (*fetch)(void *ctx, const char *name, void *ret_data, size_t size,
                         size_t *ret_size);

    /*
     * Sends a whole file: by TFTP a write request for its path (RFC 1350), by HTTP a POST (RFC 9110,
     * 9.3.3) of application/json. Statuses: ST_OK when the server has taken all of it; ST_REFUSED when
     * it does not want it; ST_UNSUPPORTED where firmware has no way; ST_NO_MEMORY; ST_IO, also when
     * there was no answer. Part of it may have been sent then.
     */
    enum status (*send)(void *ctx, const struct net_address *to, struct span data);
};

#endif
