#include "base/net_address.h"

#include "base/print.h"
#include "base/text.h"

#define TFTP_PORT 69u
#define HTTP_PORT 80u

/* A number in decimal digits up to `most`, which `*io_text` moves past. */
static bool take_number(const char **io_text, unsigned most, unsigned *ret_number)
{
    const char *text = *io_text;
    unsigned value = 0;

    if (*text < '0' || *text > '9')
        return false;
    for (; *text >= '0' && *text <= '9' && value <= most; text++)
        value = value * 10 + (unsigned)(*text - '0');
    *io_text = text;
    *ret_number = value;
    return value <= most;
}

/* "10.0.0.1", and for HTTP ":8080". */
static bool take_server(const char **io_text, struct net_address *address)
{
    unsigned number = 0;

    for (int i = 0; i < 4; i++) {
        if (i > 0 && *(*io_text)++ != '.')
            return false;
        if (!take_number(io_text, 255, &number))
            return false;
        address->server[i] = (uint8_t)number;
    }
    address->has_server = true;
    if (address->scheme != NET_HTTP || **io_text != ':')
        return true;
    ++*io_text;
    if (!take_number(io_text, 65535, &number) || number == 0)
        return false;
    address->port = (uint16_t)number;
    return true;
}

static bool take_place(const char *text, struct net_address *address)
{
    size_t length = text_length(text);

    if (length >= sizeof(address->path))
        return false;
    for (size_t i = 0; i <= length; i++) {
        if (text[i] != '\0' && (text[i] <= ' ' || text[i] > '~'))
            return false;
        address->path[i] = text[i];
    }
    return true;
}

/* What follows "tftp:": a name on the program's own server, or a server and a name on it. */
static bool read_tftp(const char *text, struct net_address *address)
{
    address->port = TFTP_PORT;
    if (text[0] != '/' || text[1] != '/')
        return take_place(text, address);
    text += 2;
    return take_server(&text, address) && *text++ == '/' && take_place(text, address);
}

static bool read_http(const char *text, struct net_address *address)
{
    address->scheme = NET_HTTP;
    address->port = HTTP_PORT;
    if (!take_server(&text, address) || (*text != '\0' && *text != '/'))
        return false;
    return take_place(*text == '\0' ? "/" : text, address);
}

enum status net_address_read(const char *text, struct net_address *ret_address)
{
    struct net_address address = {.scheme = NET_TFTP};
    bool understood = false;

    if (text_has_prefix_nocase(text, "tftp:"))
        understood = read_tftp(text + 5, &address);
    else if (text_has_prefix_nocase(text, "http://"))
        understood = read_http(text + 7, &address);
    if (!understood)
        return ST_USAGE;
    *ret_address = address;
    return ST_OK;
}

enum status net_address_name(struct net_address *io_address, const char *name, const char *ending)
{
    size_t length = text_length(io_address->path);
    struct text_buffer text;

    if (length > 0 && io_address->path[length - 1] != '/')
        return ST_OK;
    if (length + text_length(name) + text_length(ending) + 1 > sizeof(io_address->path))
        return ST_NO_SPACE;
    text_buffer_init(&text, io_address->path + length, sizeof(io_address->path) - length);
    text_buffer_printf(&text, "%s%s", name, ending);
    return ST_OK;
}
