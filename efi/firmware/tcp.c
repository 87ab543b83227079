#include "tcp.h"

#include "base/mem.h"

#define WAIT_STEP  1000u  /* microseconds between two looks */
#define WAIT_STEPS 10000u /* of them at most */
#define TTL        64

static const EFI_GUID binding_guid = EFI_TCP4_SERVICE_BINDING_PROTOCOL;
static const EFI_GUID tcp_guid = EFI_TCP4_PROTOCOL;

struct connection {
    const struct uefi *uefi;
    EFI_TCP4 *tcp;
    EFI_EVENT event; /* that tells that a step is done */
};

/* Waits for a step that was begun with `begun` as the answer. */
static EFI_STATUS wait_for(const struct connection *connection, EFI_STATUS begun,
                           EFI_TCP4_COMPLETION_TOKEN *token)
{
    EFI_BOOT_SERVICES *boot = connection->uefi->boot;

    if (EFI_ERROR(begun))
        return begun;
    for (unsigned i = 0; i < WAIT_STEPS; i++) {
        if (boot->CheckEvent(connection->event) == EFI_SUCCESS)
            return token->Status;
        connection->tcp->Poll(connection->tcp);
        boot->Stall(WAIT_STEP);
    }
    connection->tcp->Cancel(connection->tcp, token);
    boot->CheckEvent(connection->event); /* a cancelled step has signalled it */
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

static EFI_STATUS transmit(const struct connection *connection, struct span data)
{
    EFI_TCP4_TRANSMIT_DATA packet = {.Push = TRUE,
                                     .DataLength = (UINT32)data.size,
                                     .FragmentCount = 1,
                                     .FragmentTable = {{(UINT32)data.size, (void *)data.at}}};
    EFI_TCP4_IO_TOKEN token = {.CompletionToken = {.Event = connection->event},
                               .Packet = {.TxData = &packet}};

    if (data.size == 0)
        return EFI_SUCCESS;
    return wait_for(connection, connection->tcp->Transmit(connection->tcp, &token),
                    &token.CompletionToken);
}

/* Reads what has come; EFI_CONNECTION_FIN when nothing more will. */
static EFI_STATUS receive(const struct connection *connection, void *to, size_t size,
                          size_t *ret_size)
{
    EFI_TCP4_RECEIVE_DATA packet = {
        .DataLength = (UINT32)size, .FragmentCount = 1, .FragmentTable = {{(UINT32)size, to}}};
    EFI_TCP4_IO_TOKEN token = {.CompletionToken = {.Event = connection->event},
                               .Packet = {.RxData = &packet}};
    EFI_STATUS efi = wait_for(connection, connection->tcp->Receive(connection->tcp, &token),
                              &token.CompletionToken);

    *ret_size = EFI_ERROR(efi) ? 0 : packet.DataLength;
    return efi;
}

/* All of the answer. */
static enum status receive_all(const struct connection *connection, uint8_t *to, size_t size,
                               size_t *ret_size)
{
    size_t used = 0;
    size_t more = 0;
    EFI_STATUS efi = EFI_SUCCESS;

    while (!EFI_ERROR(efi) && used < size) {
        efi = receive(connection, to + used, size - used, &more);
        used += more;
    }
    *ret_size = used;
    if (efi == EFI_CONNECTION_FIN)
        return ST_OK;
    return EFI_ERROR(efi) ? ST_IO : ST_NO_SPACE;
}

static enum status talk(const struct connection *connection, struct span head, struct span body,
                        uint8_t *to, size_t size, size_t *ret_size)
{
    EFI_TCP4_CONNECTION_TOKEN token = {.CompletionToken = {.Event = connection->event}};
    EFI_TCP4_CLOSE_TOKEN close = {.CompletionToken = {.Event = connection->event},
                                  .AbortOnClose = TRUE};
    EFI_STATUS efi = wait_for(connection, connection->tcp->Connect(connection->tcp, &token),
                              &token.CompletionToken);

    if (!EFI_ERROR(efi))
        efi = transmit(connection, head);
    if (!EFI_ERROR(efi))
        efi = transmit(connection, body);
    if (EFI_ERROR(efi))
        return ST_IO;
    enum status status = receive_all(connection, to, size, ret_size);
    (void)wait_for(connection, connection->tcp->Close(connection->tcp, &close),
                   &close.CompletionToken);
    return status;
}

enum status tcp_exchange(const struct uefi *uefi, const struct tcp_station *station,
                         const struct tcp_peer *peer, struct span head, struct span body,
                         void *ret_answer, size_t size, size_t *ret_size)
{
    EFI_SERVICE_BINDING *binding = uefi_protocol(uefi, station->card, &binding_guid);
    struct connection connection = {.uefi = uefi};
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
        status = talk(&connection, head, body, ret_answer, size, ret_size);
    if (connection.tcp != NULL)
        connection.tcp->Configure(connection.tcp, NULL);
    if (has_event)
        uefi->boot->CloseEvent(connection.event);
    binding->DestroyChild(binding, child);
    return status;
}
