#include "port/dhcp.h"

#include "base/mem.h"

enum dhcp_at {
    AT_NEXT_SERVER = 20,
    AT_NAME = 44,
    AT_FILE = 108,
    AT_COOKIE = 236,
    AT_OPTIONS = 240
};

enum dhcp_option {
    OPTION_PAD = 0,
    OPTION_ROUTER = 3,
    OPTION_OVERLOAD = 52,
    OPTION_SERVER = 54,
    OPTION_FILE = 67,
    OPTION_END = 255
};

#define NAME_FIELD_SIZE 64u
#define FILE_FIELD_SIZE 128u
#define OVERLOAD_FILE   1u /* bits of option 52 */
#define OVERLOAD_NAME   2u

static const uint8_t cookie[] = {0x63, 0x82, 0x53, 0x63};

/* The bytes of the first option of that number in a field; an empty span without one. */
static struct span find_in(struct span field, uint8_t number)
{
    size_t at = 0;

    while (at + 2 <= field.size && field.at[at] != OPTION_END) {
        if (field.at[at] == OPTION_PAD) {
            at++;
            continue;
        }
        if (field.at[at] == number)
            return span_part(field, at + 2, field.at[at + 1]);
        at += 2u + field.at[at + 1];
    }
    return span_of(NULL, 0);
}

/* The options themselves; none in an answer of BOOTP. */
static struct span options_of(struct span packet)
{
    struct span magic = span_part(packet, AT_COOKIE, sizeof(cookie));

    if (!span_equal(magic, span_of(cookie, sizeof(cookie))))
        return span_of(NULL, 0);
    return span_part(packet, AT_OPTIONS, packet.size - AT_OPTIONS);
}

static unsigned overload_of(struct span packet)
{
    struct span option = find_in(options_of(packet), OPTION_OVERLOAD);

    return option.size == 0 ? 0 : option.at[0];
}

/* The same in all fields that hold options. */
static struct span find_option(struct span packet, uint8_t number)
{
    unsigned overload = overload_of(packet);
    struct span option = find_in(options_of(packet), number);

    if (option.size == 0 && (overload & OVERLOAD_FILE) != 0)
        option = find_in(span_part(packet, AT_FILE, FILE_FIELD_SIZE), number);
    if (option.size == 0 && (overload & OVERLOAD_NAME) != 0)
        option = find_in(span_part(packet, AT_NAME, NAME_FIELD_SIZE), number);
    return option;
}

static void take_address(struct span bytes, uint8_t ret_address[4])
{
    static const uint8_t none[4] = {0};

    if (bytes.size >= 4 && memcmp(bytes.at, none, 4) != 0)
        memcpy(ret_address, bytes.at, 4);
}

/* A text up to its end or first zero byte. */
static void take_text(struct span bytes, char ret_text[DHCP_FILE_SIZE])
{
    char text[DHCP_FILE_SIZE];
    size_t used = 0;

    for (; used < bytes.size && used < DHCP_FILE_SIZE - 1 && bytes.at[used] != 0; used++) {
        if (bytes.at[used] < ' ' || bytes.at[used] > '~')
            return;
        text[used] = (char)bytes.at[used];
    }
    if (used == 0)
        return;
    text[used] = '\0';
    memcpy(ret_text, text, used + 1);
}

struct dhcp_answer dhcp_read_answer(struct span packet)
{
    struct dhcp_answer answer = {.file = ""};

    take_address(find_option(packet, OPTION_SERVER), answer.server);
    take_address(span_part(packet, AT_NEXT_SERVER, 4), answer.server);
    take_address(find_option(packet, OPTION_ROUTER), answer.gateway);
    if ((overload_of(packet) & OVERLOAD_FILE) == 0)
        take_text(span_part(packet, AT_FILE, FILE_FIELD_SIZE), answer.file);
    take_text(find_option(packet, OPTION_FILE), answer.file);
    return answer;
}
