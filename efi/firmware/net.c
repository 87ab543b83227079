#include "net.h"

#include "base/mem.h"
#include "base/print.h"
#include "base/text.h"
#include "port/http.h"

#define MESSAGING    0x03 /* types and subtypes of device path nodes (UEFI Specification 10.3.4) */
#define NODE_MAC     0x0b
#define NODE_IPV4    0x0c
#define NODE_ISCSI   0x13
#define NODE_URI     0x18
#define NODE_NVME_OF 0x22
#define NODE_HEADER  4u
#define MAC_SIZE     6u
#define ANSWER_MOST  65536u /* bytes of the answer to a POST */
#define HEAD_MOST    4096u  /* bytes of the head of the answer to a GET */

static const EFI_GUID path_guid = EFI_DEVICE_PATH_PROTOCOL_GUID;
static const EFI_GUID tcp_binding_guid = EFI_TCP4_SERVICE_BINDING_PROTOCOL;
static const EFI_GUID pxe_guid = EFI_PXE_BASE_CODE_PROTOCOL_GUID;

/* Offsets in an IPv4 node (10.3.4.12): this machine's address; behind ports, protocol and origin, where the node is
 * long enough, gateway and mask. */
enum ipv4_at { IPV4_LOCAL = 4, IPV4_GATEWAY = 19, IPV4_MASK = 23, IPV4_SIZE = 27 };

static const struct status_row pxe_statuses[] = {
    {EFI_BUFFER_TOO_SMALL, ST_NO_SPACE},  {EFI_TFTP_ERROR, ST_ABSENT},
    {EFI_NOT_FOUND, ST_ABSENT},           {EFI_UNSUPPORTED, ST_UNSUPPORTED},
    {EFI_OUT_OF_RESOURCES, ST_NO_MEMORY}, {EFI_ACCESS_DENIED, ST_REFUSED},
};

/* --- Where the program came from ------------------------------------------------------------- */

static void take_mac(struct uefi_net *net, struct span node)
{
    struct text_buffer text;

    if (node.size < NODE_HEADER + MAC_SIZE)
        return;
    text_buffer_init(&text, net->hardware, sizeof(net->hardware));
    for (size_t i = 0; i < MAC_SIZE; i++)
        text_buffer_printf(&text, "%s%02x", i == 0 ? "" : "-", node.at[NODE_HEADER + i]);
}

static void take_ipv4(struct uefi_net *net, struct span node)
{
    if (node.size < IPV4_SIZE)
        return;
    memcpy(net->station.address, node.at + IPV4_LOCAL, 4);
    memcpy(net->station.gateway, node.at + IPV4_GATEWAY, 4);
    memcpy(net->station.mask, node.at + IPV4_MASK, 4);
}

static void take_uri(struct uefi_net *net, struct span node)
{
    char text[NET_PATH_SIZE + 32];
    size_t size = node.size - NODE_HEADER;

    if (size == 0 || size >= sizeof(text))
        return;
    memcpy(text, node.at + NODE_HEADER, size);
    text[size] = '\0';
    net->has_base = net_address_read(text, &net->base) == ST_OK && net->base.scheme == NET_HTTP;
}

/* What the nodes of the path say; true when something has come by a network card: not a disk of the machine's own
 * that hangs on one, by iSCSI or NVMe over fabrics. */
static bool take_nodes(struct uefi_net *net, struct span path)
{
    bool found = false;
    bool own_disk = false;

    for (size_t at = 0; at < path.size;) {
        struct span node = span_part(path, at, ld_le16(path.at + at + 2));
        at += node.size;
        if ((node.at[0] & EFI_DP_TYPE_MASK) != MESSAGING)
            continue;
        found |= node.at[1] == NODE_MAC || node.at[1] == NODE_URI;
        own_disk |= node.at[1] == NODE_ISCSI || node.at[1] == NODE_NVME_OF;
        if (node.at[1] == NODE_MAC)
            take_mac(net, node);
        else if (node.at[1] == NODE_IPV4)
            take_ipv4(net, node);
        else if (node.at[1] == NODE_URI)
            take_uri(net, node);
    }
    return found && !own_disk;
}

/* What PXE was told, last by whom has the say: the server of boot files, a proxy of the DHCP server, that itself. */
static void take_pxe(struct uefi_net *net, EFI_PXE_BASE_CODE_PROTOCOL *pxe)
{
    const EFI_PXE_BASE_CODE_MODE *mode = pxe == NULL ? NULL : pxe->Mode;

    if (mode == NULL || !mode->Started || mode->UsingIpv6 || !mode->DhcpAckReceived)
        return;
    net->pxe = pxe;
    net->dhcp = dhcp_read_answer(span_of(&mode->DhcpAck, sizeof(mode->DhcpAck)));
    memcpy(net->station.gateway, net->dhcp.gateway, 4);
    memcpy(net->station.address, &mode->StationIp, 4);
    memcpy(net->station.mask, &mode->SubnetMask, 4);
    if (mode->PxeReplyReceived)
        net->dhcp = dhcp_read_answer(span_of(&mode->PxeReply, sizeof(mode->PxeReply)));
    else if (mode->ProxyOfferReceived && net->dhcp.file[0] == '\0')
        net->dhcp = dhcp_read_answer(span_of(&mode->ProxyOffer, sizeof(mode->ProxyOffer)));
}

/* The handle nearest to the end of the path that carries `guid`, or NULL. */
static EFI_HANDLE handle_on(const struct uefi *uefi, const EFI_GUID *guid, struct span path)
{
    EFI_GUID copy = *guid;
    EFI_DEVICE_PATH_PROTOCOL *rest = (EFI_DEVICE_PATH_PROTOCOL *)path.at;
    EFI_HANDLE handle = NULL;

    if (uefi->boot->LocateDevicePath(&copy, &rest, &handle) != EFI_SUCCESS)
        return NULL;
    return handle;
}

/* --- TFTP ------------------------------------------------------------------------------------ */

/* `name` in the folder of the boot file, as the server knows that. */
static const char *beside_boot_file(const struct uefi_net *net, const char *name)
{
    size_t folder = text_length(net->dhcp.file);

    while (folder > 0 && net->dhcp.file[folder - 1] != '/' && net->dhcp.file[folder - 1] != '\\')
        folder--;
    return arena_printf(net->arena, "%.*s%s", (int)folder, net->dhcp.file, name);
}

static enum status tftp(const struct uefi_net *net, EFI_PXE_BASE_CODE_TFTP_OPCODE operation,
                        const uint8_t server[4], const char *name, void *data, size_t size,
                        size_t *ret_size)
{
    EFI_IP_ADDRESS address = {.Addr = {0}};
    UINT64 length = size;

    if (name == NULL)
        return ST_NO_MEMORY;
    memcpy(&address, server, 4);
    EFI_STATUS efi = net->pxe->Mtftp(net->pxe, operation, data, TRUE, &length, NULL, &address,
                                     (UINT8 *)name, NULL, FALSE);
    if (!EFI_ERROR(efi))
        *ret_size = length < size ? (size_t)length : size;
    return uefi_status(efi, pxe_statuses, COUNT_OF(pxe_statuses));
}

static enum status fetch_tftp(const struct uefi_net *net, const char *name, void *data, size_t size,
                              size_t *ret_size)
{
    size_t mark = arena_mark(net->arena);
    enum status status = tftp(net, EFI_PXE_BASE_CODE_TFTP_READ_FILE, net->dhcp.server,
                              beside_boot_file(net, name), data, size, ret_size);

    arena_release(net->arena, mark);
    return status;
}

/* A server that does not take a file says so by an error of TFTP. */
static enum status send_tftp(const struct uefi_net *net, const struct net_address *to,
                             struct span data)
{
    const uint8_t *server = to->has_server ? to->server : net->dhcp.server;
    size_t sent = 0;

    enum status status = tftp(net, EFI_PXE_BASE_CODE_TFTP_WRITE_FILE, server, to->path,
                              (void *)data.at, data.size, &sent);
    return status == ST_ABSENT ? ST_REFUSED : status;
}

/* --- HTTP ------------------------------------------------------------------------------------ */

static enum status http(const struct uefi_net *net, const struct net_address *to, struct span body,
                        struct span room, struct span *ret_body)
{
    struct tcp_peer peer = {.port = to->port};
    char head[HTTP_HEAD_SIZE];
    struct tcp_request request = {.body = body, .is_whole = http_is_whole};
    size_t size = 0;

    memcpy(peer.address, to->server, 4);
    request.head = span_of(head, http_request_head(to, body.size, head));
    enum status status =
        tcp_exchange(net->uefi, &net->station, &peer, &request, (void *)room.at, room.size, &size);
    if (status != ST_OK)
        return status;
    status = http_read_answer(span_of(room.at, size), ret_body);
    return status == ST_DAMAGED ? ST_IO : status;
}

static enum status send_http(const struct uefi_net *net, const struct net_address *to,
                             struct span data)
{
    size_t mark = arena_mark(net->arena);
    uint8_t *room = arena_alloc(net->arena, 1, ANSWER_MOST);
    struct span body;
    enum status status = ST_NO_MEMORY;

    if (room != NULL)
        status = http(net, to, data, span_of(room, ANSWER_MOST), &body);
    arena_release(net->arena, mark);
    if (status == ST_NO_SPACE)
        return ST_IO;
    return status == ST_ABSENT ? ST_REFUSED : status;
}

static enum status fetch_http(const struct uefi_net *net, const char *name, void *data, size_t size,
                              size_t *ret_size)
{
    size_t mark = arena_mark(net->arena);
    uint8_t *room = arena_alloc(net->arena, 1, size + HEAD_MOST);
    struct net_address from = net->base;
    struct span body = span_of(NULL, 0);
    size_t folder = text_length(from.path);

    while (folder > 0 && from.path[folder - 1] != '/')
        folder--;
    from.path[folder] = '\0';
    enum status status = room == NULL ? ST_NO_MEMORY : net_address_name(&from, name, "");
    if (status == ST_OK)
        status = http(net, &from, span_of(NULL, 0), span_of(room, size + HEAD_MOST), &body);
    if (status == ST_OK && body.size > size)
        status = ST_NO_SPACE;
    if (status == ST_OK) {
        memcpy(data, body.at, body.size);
        *ret_size = body.size;
    }
    arena_release(net->arena, mark);
    return status;
}

/* --- The port -------------------------------------------------------------------------------- */

static enum status net_fetch(void *ctx, const char *name, void *ret_data, size_t size,
                             size_t *ret_size)
{
    const struct uefi_net *net = ctx;
    uint8_t *bytes = ret_data;
    size_t length = 0;
    enum status status = ST_UNSUPPORTED;

    memset(bytes, 0, size);
    if (net->pxe != NULL)
        status = fetch_tftp(net, name, bytes, size, &length);
    else if (net->has_base)
        status = fetch_http(net, name, bytes, size, &length);
    /* iPXE's base code gives the size of the room as that of the file. */
    while (length > 0 && bytes[length - 1] == 0)
        length--;
    if (status == ST_OK)
        *ret_size = length;
    return status;
}

static enum status net_send(void *ctx, const struct net_address *to, struct span data)
{
    const struct uefi_net *net = ctx;

    if (to->scheme == NET_HTTP)
        return send_http(net, to, data);
    return net->pxe == NULL ? ST_UNSUPPORTED : send_tftp(net, to, data);
}

void uefi_net_open(const struct uefi *uefi, struct arena *arena, struct uefi_net *ret_net,
                   struct net_port *ret_port)
{
    EFI_HANDLE source = uefi->loaded == NULL ? NULL : uefi->loaded->DeviceHandle;
    struct span path = uefi_path_span(uefi_protocol(uefi, source, &path_guid));

    *ret_net = (struct uefi_net){.uefi = uefi, .arena = arena};
    bool is_source = take_nodes(ret_net, path);
    if (is_source) {
        take_pxe(ret_net, uefi_protocol(uefi, source, &pxe_guid));
        ret_net->station.card = handle_on(uefi, &tcp_binding_guid, path);
    }
    *ret_port = (struct net_port){.ctx = ret_net,
                                  .is_source = is_source,
                                  .hardware = ret_net->hardware,
                                  .fetch = net_fetch,
                                  .send = net_send};
}
