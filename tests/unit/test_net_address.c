/* Addresses of a network: which addresses are understood, and as what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/net_address.h"

static void addresses_are_taken_apart(void **state)
{
    static const struct {
        const char *text;
        struct net_address address;
    } cases[] = {
        {"tftp:", {NET_TFTP, false, {0}, 69, ""}},
        {"tftp:in/", {NET_TFTP, false, {0}, 69, "in/"}},
        {"TFTP://10.9.0.1/in/box.json", {NET_TFTP, true, {10, 9, 0, 1}, 69, "in/box.json"}},
        {"tftp://255.255.255.255/", {NET_TFTP, true, {255, 255, 255, 255}, 69, ""}},
        {"http://10.0.2.2", {NET_HTTP, true, {10, 0, 2, 2}, 80, "/"}},
        {"http://10.0.2.2:65535/a?b=c", {NET_HTTP, true, {10, 0, 2, 2}, 65535, "/a?b=c"}},
        {"http://0.0.0.0:1/", {NET_HTTP, true, {0, 0, 0, 0}, 1, "/"}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct net_address address;
        assert_int_equal(net_address_read(cases[i].text, &address), ST_OK);
        assert_int_equal(address.scheme, cases[i].address.scheme);
        assert_int_equal(address.has_server, cases[i].address.has_server);
        assert_memory_equal(address.server, cases[i].address.server, 4);
        assert_int_equal(address.port, cases[i].address.port);
        assert_string_equal(address.path, cases[i].address.path);
    }
}

static void what_is_no_address_is_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "10.0.0.1",
        "https://10.0.0.1/", /* its certificate could not be checked */
        "ftp://10.0.0.1/",
        "http:/10.0.0.1/",
        "http://",
        "http:///in",
        "http://server/in",
        "http://10.0.0/in",
        "http://10.0.0.256/in",
        "http://10.0.0.4294967297/in",
        "http://10.0.0.1.1/in",
        "http://10.0.0.1:/in",
        "http://10.0.0.1:0/in",
        "http://10.0.0.1:65536/in",
        "http://10.0.0.1x/in",
        "http://10.0.0.1/in box",
        "tftp://10.0.0.1",
        "tftp://10.0.0.1:69/in",
        "tftp://10.0.0.1in",
        "tftp:in box",
        "tftp:in\x7f",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct net_address address = {.port = 7};
        assert_int_equal(net_address_read(cases[i], &address), ST_USAGE);
        assert_int_equal(address.port, 7);
    }
}

static void paths_have_a_largest_length(void **state)
{
    char text[5 + NET_PATH_SIZE + 1] = "tftp:";
    struct net_address address;

    (void)state;
    memset(text + 5, 'a', NET_PATH_SIZE - 1);
    assert_int_equal(net_address_read(text, &address), ST_OK);
    text[5 + NET_PATH_SIZE - 1] = 'a';
    assert_int_equal(net_address_read(text, &address), ST_USAGE);
}

static void folders_get_a_name_and_files_keep_theirs(void **state)
{
    static const char *const cases[][2] = {
        {"tftp:", "box.json"},
        {"tftp:in/", "in/box.json"},
        {"tftp:in", "in"},
        {"http://10.0.0.1", "/box.json"},
        {"http://10.0.0.1/in", "/in"},
    };
    struct net_address address;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(net_address_read(cases[i][0], &address), ST_OK);
        assert_int_equal(net_address_name(&address, "box", ".json"), ST_OK);
        assert_string_equal(address.path, cases[i][1]);
    }
}

static void names_that_do_not_fit_change_nothing(void **state)
{
    char text[5 + NET_PATH_SIZE] = "tftp:";
    struct net_address address;

    (void)state;
    memset(text + 5, 'a', NET_PATH_SIZE - sizeof("box.json") - 1);
    strcat(text, "/");
    assert_int_equal(net_address_read(text, &address), ST_OK);
    assert_int_equal(net_address_name(&address, "box", ".json"), ST_OK);
    assert_int_equal(strlen(address.path), NET_PATH_SIZE - 1);
    strcat(text, "/");
    assert_int_equal(net_address_read(text, &address), ST_OK);
    struct net_address before = address;
    assert_int_equal(net_address_name(&address, "box", ".json"), ST_NO_SPACE);
    assert_string_equal(address.path, before.path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_taken_apart),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(paths_have_a_largest_length),
        cmocka_unit_test(folders_get_a_name_and_files_keep_theirs),
        cmocka_unit_test(names_that_do_not_fit_change_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
