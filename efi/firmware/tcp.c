#include "tcp.h"

#include "base/mem.h"

#define WAIT_STEP  1000u  /* microseconds between two looks */
#define WAIT_STEPS 20000u /* of them at most, in all */
#define TTL        64

static const EFI_GUID binding_guid = EFI_TCP4_SERVICE_BINDING_PROTOCOL;
static const EFI_GUID tcp_guid = EFI_TCP4_PROTOCOL;

/* All that the driver may hold on to is here, until the child has gone: not every driver lets go of a step that has
 * taken too long. */
struct connection {
    const struct uefi *uefi;
    EFI_TCP4 *tcp;
    EFI_EVENT event; /* that tells that a step is done */
    unsigned left;   /* looks until the exchange as a whole has taken too long */
    EFI_TCP4_CONNECTION_TOKEN connect;
    EFI_TCP4_CLOSE_TOKEN close;
    EFI_TCP4_IO_TOKEN io;
    EFI_TCP4_TRANSMIT_DATA sent;
    EFI_TCP4_RECEIVE_DATA received;
};

/* Waits for a step that was begun with `begun` as the answer. After EFI_TIMEOUT no further one is begun. */
static EFI_STATUS wait_for(struct connection *connection, EFI_STATUS begun,
                           const EFI_TCP4_COMPLETION_TOKEN *token)
{
    EFI_BOOT_SERVICES *boot = connection->uefi->boot;

    if (EFI_ERROR(begun))
        return begun;
    for (; connection->left > 0; connection->left--) {
        if (boot->CheckEvent(connection->event) == EFI_SUCCESS)
            return token->Status;
        connection->tcp->Poll(connection->tcp);
        boot->Stall(WAIT_STEP);
    }
    return EFI_TIMEOUT;
}

static EFI_IPv4_ADDRESS ipv4(const uint8_t address[4])
{
    EFI_IPv4_ADDRESS result;

    memcpy(&result, address, sizeof(result));
    return result;
}

static bool is_near(const struct tcp_station *station, const uint8_t address[4])
{
    for (size_t i = 0; i < 4; i++) {
        if (((address[i] ^ station->address[i]) & station->mask[i]) != 0)
            return false;
    }
    return true;
}

static EFI_STATUS configure(const struct connection *connection, const struct tcp_station *station,
                            const struct tcp_peer *peer)
{
    EFI_TCP4_CONFIG_DATA config = {
        .TimeToLive = TTL,
        .AccessPoint = {.StationAddress = ipv4(station->address),
                        .SubnetMask = ipv4(station->mask),
                        .RemoteAddress = ipv4(peer->address),
                        .RemotePort = peer->port,
                        .ActiveFlag = TRUE},
    };
    static const uint8_t everything[4] = {0};
    EFI_IPv4_ADDRESS all = ipv4(everything);
    EFI_IPv4_ADDRESS gateway = ipv4(station->gateway);

    EFI_STATUS efi = connection->tcp->Configure(connection->tcp, &config);
    if (EFI_ERROR(efi) || is_near(station, peer->address))
        return efi;
    return connection->tcp->Routes(connection->tcp, FALSE, &all, &all, &gateway);
}

static EFI_STATUS transmit(struct connection *connection, struct span data)
{
    connection->sent =
        (EFI_TCP4_TRANSMIT_DATA){.Push = TRUE,
                                 .DataLength = (UINT32)data.size,
                                 .FragmentCount = 1,
                                 .FragmentTable = {{(UINT32)data.size, (void *)data.at}}};
    connection->io = (EFI_TCP4_IO_TOKEN){.CompletionToken = {.Event = connection->event},
                                         .Packet = {.TxData = &connection->sent}};
    if (data.size == 0)
        return EFI_SUCCESS;
    return wait_for(connection, connection->tcp->Transmit(connection->tcp, &connection->io),
                    &connection->io.CompletionToken);
}

/* Reads what has come; EFI_CONNECTION_FIN when nothing more will. */
static EFI_STATUS receive(struct connection *connection, void *to, size_t size, size_t *ret_size)
{
    connection->received = (EFI_TCP4_RECEIVE_DATA){
        .DataLength = (UINT32)size, .FragmentCount = 1, .FragmentTable = {{(UINT32)size, to}}};
    connection->io = (EFI_TCP4_IO_TOKEN){.CompletionToken = {.Event = connection->event},
                                         .Packet = {.RxData = &connection->received}};
    EFI_STATUS efi =
        wait_for(connection, connection->tcp->Receive(connection->tcp, &connection->io),
                 &connection->io.CompletionToken);

    *ret_size = EFI_ERROR(efi) ? 0 : connection->received.DataLength;
    return !EFI_ERROR(efi) && *ret_size == 0 ? EFI_CONNECTION_FIN : efi;
}

/* All of the answer: up to its end, as `is_whole` sees it, or that of the connection. */
static enum status receive_all(struct connection *connection, tcp_whole is_whole, uint8_t *to,
                               size_t size, size_t *ret_size)
{
    size_t used = 0;
    size_t more = 0;
    EFI_STATUS efi = EFI_SUCCESS;

    while (!EFI_ERROR(efi) && used < size && !is_whole(span_of(to, used))) {
        efi = receive(connection, to + used, size - used, &more);
        used += more;
    }
    *ret_size = used;
    if (efi == EFI_CONNECTION_FIN || is_whole(span_of(to, used)))
        return ST_OK;
    return EFI_ERROR(efi) ? ST_IO : ST_NO_SPACE;
}

static enum status talk(struct connection *connection, const struct tcp_request *request,
                        uint8_t *to, size_t size, size_t *ret_size)
{
    EFI_TCP4_COMPLETION_TOKEN token = {.Event = connection->event};

    connection->connect.CompletionToken = token;
    EFI_STATUS efi =
        wait_for(connection, connection->tcp->Connect(connection->tcp, &connection->connect),
                 &connection->connect.CompletionToken);
    if (!EFI_ERROR(efi))
        efi = transmit(connection, request->head);
    if (!EFI_ERROR(efi))
        efi = transmit(connection, request->body);
    if (EFI_ERROR(efi))
        return ST_IO;
    enum status status = receive_all(connection, request->is_whole, to, size, ret_size);
    connection->close = (EFI_TCP4_CLOSE_TOKEN){.CompletionToken = token, .AbortOnClose = TRUE};
    if (connection->left > 0)
        (void)wait_for(connection, connection->tcp->Close(connection->tcp, &connection->close),
                       &connection->close.CompletionToken);
    return status;
}

enum status tcp_exchange(const struct uefi *uefi, const struct tcp_station *station,
                         const struct tcp_peer *peer, const struct tcp_request *request,
                         void *ret_answer, size_t size, size_t *ret_size)
{
    EFI_SERVICE_BINDING *binding = uefi_protocol(uefi, station->card, &binding_guid);
    struct connection connection = {.uefi = uefi, .left = WAIT_STEPS};
    EFI_HANDLE child = NULL;
    enum status status = ST_IO;

    if (binding == NULL)
        return ST_UNSUPPORTED;
    if (EFI_ERROR(binding->CreateChild(binding, &child)))
        return ST_IO;
    connection.tcp = uefi_protocol(uefi, child, &tcp_guid);
    bool has_event = connection.tcp != NULL &&
                     !EFI_ERROR(uefi->boot->CreateEvent(0, 0, NULL, NULL, &connection.event));
    if (has_event && !EFI_ERROR(configure(&connection, station, peer)))
        status = talk(&connection, request, ret_answer, size, ret_size);
    if (connection.tcp != NULL)
        connection.tcp->Configure(connection.tcp, NULL);
    binding->DestroyChild(binding, child);
    if (has_event)
        uefi->boot->CloseEvent(connection.event);
    return status;
}
