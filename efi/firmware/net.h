/*
 * The network port over UEFI: by the PXE base code that has loaded the program (UEFI Specification 24.3), and by TCP
 * (28.1) on the same card, with the address that the card was given to load it.
 */
#ifndef SHADOWBOOT_FIRMWARE_NET_H
#define SHADOWBOOT_FIRMWARE_NET_H

#include "port/dhcp.h"
#include "port/net.h"
#include "tcp.h"
#include "uefi.h"

#define NET_HARDWARE_SIZE 18 /* "52-54-00-12-34-56" and the NUL */

struct uefi_net {
    const struct uefi *uefi;
    struct arena *arena;
    EFI_PXE_BASE_CODE_PROTOCOL *pxe; /* that has loaded the program; NULL: it was not PXE */
    struct dhcp_answer dhcp;         /* what it was told */
    struct tcp_station station;
    bool has_base;           /* loaded by HTTP, from: */
    struct net_address base; /* the program's own address */
    char hardware[NET_HARDWARE_SIZE];
};

/* Makes the port, whose ctx is `ret_net`: that must outlive it, as must both others. Without a server that the program
 * came from there is nothing in it. */
void uefi_net_open(const struct uefi *uefi, struct arena *arena, struct uefi_net *ret_net,
                   struct net_port *ret_port);

#endif
