/* What is said over a network, as text and bytes: requests and answers of HTTP, answers of DHCP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "port/dhcp.h"
#include "port/http.h"

/* --- HTTP ----------------------------------------------------------------------------------- */

static const struct net_address server = {
    .scheme = NET_HTTP, .has_server = true, .server = {10, 0, 2, 2}, .port = 8080, .path = "/in/a"};

static void requests_name_method_server_and_length(void **state)
{
    char head[HTTP_HEAD_SIZE];

    (void)state;
    size_t size = http_request_head(&server, 0, head);
    assert_int_equal(size, strlen(head));
    assert_string_equal(head,
                        "GET /in/a HTTP/1.0\r\nHost: 10.0.2.2:8080\r\nConnection: close\r\n\r\n");
    size = http_request_head(&server, 4711, head);
    assert_int_equal(size, strlen(head));
    assert_string_equal(head, "POST /in/a HTTP/1.0\r\nHost: 10.0.2.2:8080\r\nConnection: close\r\n"
                              "Content-Type: application/json\r\nContent-Length: 4711\r\n\r\n");
}

static void longest_request_fits(void **state)
{
    struct net_address address = {.server = {255, 255, 255, 255}, .port = 65535};
    char head[HTTP_HEAD_SIZE];

    (void)state;
    memset(address.path, '/', sizeof(address.path) - 1);
    size_t size = http_request_head(&address, (size_t)-1, head);
    assert_true(size < sizeof(head) - 1);
    assert_string_equal(head + size - 4, "\r\n\r\n");
}

static void answers_say_how_it_went(void **state)
{
    static const struct {
        const char *text;
        enum status status;
        const char *body;
    } cases[] = {
        {"HTTP/1.0 200 OK\r\n\r\nbody", ST_OK, "body"},
        {"HTTP/1.1 204 No Content\r\n\r\n", ST_OK, ""},
        {"HTTP/1.1 299\n\n", ST_OK, ""},
        {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nbody", ST_OK, "bo"},
        {"HTTP/1.0 200 OK\r\ncontent-LENGTH:4\r\nX: y\r\n\r\nbody", ST_OK, "body"},
        {"HTTP/1.0 404 Not Found\r\n\r\n", ST_ABSENT, ""},
        {"HTTP/1.0 410 Gone\r\n\r\n", ST_ABSENT, ""},
        {"HTTP/1.0 301 Moved\r\n\r\n", ST_REFUSED, ""},
        {"HTTP/1.0 199 Odd\r\n\r\n", ST_REFUSED, ""},
        {"HTTP/1.0 500 Oh\r\n\r\n", ST_REFUSED, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct span body;
        struct span answer = span_of(cases[i].text, strlen(cases[i].text));
        assert_int_equal(http_read_answer(answer, &body), cases[i].status);
        assert_int_equal(body.size, strlen(cases[i].body));
        assert_memory_equal(body.at, cases[i].body, body.size);
    }
}

/* Some servers keep the connection open although they are asked not to. */
static void answers_are_whole_by_their_length(void **state)
{
    static const struct {
        const char *text;
        bool whole;
    } cases[] = {
        {"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nbod", false},
        {"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nbody", true},
        {"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", true},
        {"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n", false},
        {"HTTP/1.0 204 No Content\r\n\r\n", true},
        {"HTTP/1.0 200 OK\r\n\r\nbody", false},
        {"", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(http_is_whole(span_of(cases[i].text, strlen(cases[i].text))),
                         cases[i].whole);
}

static void what_is_no_answer_is_damaged(void **state)
{
    static const char *const cases[] = {
        "",
        "HTTP/1.0 200 OK",
        "HTTP/1.0 200 OK\r\n",
        "HTTP/1.0 200 OK\r\nX: y\r\n",
        "HTTP/1.0\r\n\r\n",
        "HTTP/1.0 20\r\n\r\n",
        "HTTP/1.0 x00 OK\r\n\r\n",
        "HTTP/2 200\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
        "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nbody",
    };
    struct span body = span_of("x", 1);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *copy = malloc(strlen(cases[i]) + 1); /* without the NUL: what follows is not ours */
        assert_non_null(copy);
        memcpy(copy, cases[i], strlen(cases[i]));
        assert_int_equal(http_read_answer(span_of(copy, strlen(cases[i])), &body), ST_DAMAGED);
        assert_int_equal(body.size, 1);
        free(copy);
    }
}

/* --- DHCP ----------------------------------------------------------------------------------- */

#define PACKET_SIZE 300u

static void put_answer(uint8_t packet[PACKET_SIZE], const void *options, size_t size)
{
    static const uint8_t cookie[] = {0x63, 0x82, 0x53, 0x63};

    memset(packet, 0, PACKET_SIZE);
    memcpy(packet + 236, cookie, sizeof(cookie));
    memcpy(packet + 240, options, size);
}

static void dhcp_names_server_file_and_gateway(void **state)
{
    static const uint8_t options[] = {53,  1,   5, 0,   0,   54, 4, 10, 0,   0,  1, 3,
                                      8,   10,  0, 0,   254, 10, 0, 0,  253, 67, 5, 'a',
                                      '/', 'b', 0, 'c', 255, 54, 4, 9,  9,   9,  9};
    static const uint8_t first[] = {10, 0, 0, 1};
    static const uint8_t next[] = {10, 0, 0, 2};
    static const uint8_t gateway[] = {10, 0, 0, 254};
    uint8_t packet[PACKET_SIZE];

    (void)state;
    put_answer(packet, options, sizeof(options));
    struct dhcp_answer answer = dhcp_read_answer(span_of(packet, sizeof(packet)));
    assert_memory_equal(answer.server, first, 4);
    assert_memory_equal(answer.gateway, gateway, 4);
    assert_string_equal(answer.file, "a/b");

    memcpy(packet + 20, next, sizeof(next));
    strcpy((char *)packet + 108, "field.efi");
    packet[240] = 255; /* no options */
    answer = dhcp_read_answer(span_of(packet, sizeof(packet)));
    assert_memory_equal(answer.server, next, 4);
    assert_string_equal(answer.file, "field.efi");
}

/* RFC 2132, 9.3: 1 the boot file's field, 2 the server's name. */
static void dhcp_options_go_on_where_option_52_says(void **state)
{
    static const uint8_t in_file[] = {67, 3, 'a', '/', 'b', 255};
    static const uint8_t in_name[] = {0, 54, 4, 10, 0, 0, 9, 67, 1, 'n', 255};
    static const struct {
        uint8_t overload;
        const char *file;
        uint8_t server; /* last byte of its address */
    } cases[] = {{0, "C\003a/b", 0}, {1, "a/b", 0}, {2, "n", 9}, {3, "a/b", 9}, {4, "C\003a/b", 0}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const uint8_t options[] = {53, 1, 5, 52, 1, cases[i].overload, 255};
        uint8_t packet[PACKET_SIZE];
        put_answer(packet, options, sizeof(options));
        memcpy(packet + 108, in_file, sizeof(in_file));
        memcpy(packet + 44, in_name, sizeof(in_name));
        struct dhcp_answer answer = dhcp_read_answer(span_of(packet, sizeof(packet)));
        bool is_text = (cases[i].overload & 3) == 0; /* of a control character: not to be named */
        assert_string_equal(answer.file, is_text ? "" : cases[i].file);
        assert_int_equal(answer.server[3], cases[i].server);
    }
}

static void damaged_answers_say_nothing(void **state)
{
    static const uint8_t beyond[] = {54, 59};
    static const uint8_t short_one[] = {54, 3, 1, 2, 3, 255};
    static const uint8_t odd[] = {67, 2, 'a', 7, 255};
    static const uint8_t none[4] = {0};
    uint8_t packet[PACKET_SIZE];
    struct dhcp_answer answer;

    (void)state;
    put_answer(packet, beyond, sizeof(beyond));
    answer = dhcp_read_answer(span_of(packet, sizeof(packet)));
    assert_memory_equal(answer.server, none, 4);
    put_answer(packet, short_one, sizeof(short_one));
    answer = dhcp_read_answer(span_of(packet, sizeof(packet)));
    assert_memory_equal(answer.server, none, 4);
    put_answer(packet, odd, sizeof(odd));
    answer = dhcp_read_answer(span_of(packet, sizeof(packet)));
    assert_string_equal(answer.file, "");
    packet[236] = 0; /* BOOTP without options */
    answer = dhcp_read_answer(span_of(packet, sizeof(packet)));
    assert_string_equal(answer.file, "");
}

/* A packet of every size, in room of just that size. */
static void no_byte_behind_the_packet_is_read(void **state)
{
    static const uint8_t options[] = {67, 3, 'a', '/', 'b', 54, 4, 10, 0, 0, 1};
    uint8_t packet[PACKET_SIZE];

    (void)state;
    put_answer(packet, options, sizeof(options));
    for (size_t size = 1; size <= 240 + sizeof(options); size++) {
        uint8_t *copy = malloc(size);
        assert_non_null(copy);
        memcpy(copy, packet, size);
        struct dhcp_answer answer = dhcp_read_answer(span_of(copy, size));
        assert_int_equal(answer.file[0] != '\0', size >= 245);
        assert_int_equal(answer.server[0] != 0, size >= 251);
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_name_method_server_and_length),
        cmocka_unit_test(longest_request_fits),
        cmocka_unit_test(answers_say_how_it_went),
        cmocka_unit_test(answers_are_whole_by_their_length),
        cmocka_unit_test(what_is_no_answer_is_damaged),
        cmocka_unit_test(dhcp_names_server_file_and_gateway),
        cmocka_unit_test(dhcp_options_go_on_where_option_52_says),
        cmocka_unit_test(damaged_answers_say_nothing),
        cmocka_unit_test(no_byte_behind_the_packet_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
