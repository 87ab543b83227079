/* One connection of TCP over UEFI (UEFI Specification 28.1): a request, and all of the answer. */
#ifndef SHADOWBOOT_FIRMWARE_TCP_H
#define SHADOWBOOT_FIRMWARE_TCP_H

#include "uefi.h"

#include <efitcp.h>

/* Who this machine is on the network. */
struct tcp_station {
    EFI_HANDLE card; /* with the service binding for TCP; NULL: there is none */
    uint8_t address[4];
    uint8_t mask[4];
    uint8_t gateway[4]; /* zero: there is none */
};

struct tcp_peer {
    uint8_t address[4];
    uint16_t port;
};

/* True when the bytes are a whole answer, behind which nothing is waited for. */
typedef bool (*tcp_whole)(struct span answer);

struct tcp_request {
    struct span head;
    struct span body; /* sent behind it; may be empty */
    tcp_whole is_whole;
};

/*
 * Sends the request, and reads until the answer is whole, the other side ends the connection, or `size` bytes are full.
 * All together waits no longer than some twenty seconds. Statuses: ST_OK; ST_UNSUPPORTED without TCP on that card;
 * ST_NO_SPACE when the answer is larger; ST_IO for everything else.
 */
MUST_CHECK enum status tcp_exchange(const struct uefi *uefi, const struct tcp_station *station,
                                    const struct tcp_peer *peer, const struct tcp_request *request,
                                    void *ret_answer, size_t size, size_t *ret_size);

#endif
