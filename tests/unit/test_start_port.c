/* The stand-in for starting programs, and what is built on the port: the way into the setup. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "apply/restart.h"
#include "host/host_ports.h"

#define BS_RT (VAR_BOOT_SERVICE | VAR_RUNTIME)

static const uint8_t path_bytes[] = {0x04, 0x04, 6, 0, 0, 0, 0x7f, 0xff, 4, 0};

static struct start_source source(void)
{
    return (struct start_source){span_of(path_bytes, sizeof(path_bytes)), span_of(NULL, 0)};
}

static void test_a_started_program_does_not_return(void **state)
{
    struct host *host = host_new();
    const struct start_port *port = &host_ports(host)->start;
    void *image = NULL;

    (void)state;
    if (setjmp(*host_start_away(host->start)) == 0) {
        struct start_source from = source();
        assert_int_equal(port->load(port->ctx, &from, &image).status, ST_OK);
        assert_int_equal(host_start_left(host->start), 1);
        port->start(port->ctx, image, span_of("x", 1));
        fail_msg("the program came back");
    }
    assert_int_equal(host_start_count(host->start), 2);
    const struct host_start_event *event = host_start_at(host->start, 1);
    assert_int_equal(event->kind, HOST_START_START);
    assert_true(event->went_away);
    assert_true(span_equal(event->path, source().path));
    assert_true(span_equal(event->options, span_of("x", 1)));
    assert_int_equal(host_start_left(host->start), 0);
    host_free(host);
}

static void test_answers_are_those_told(void **state)
{
    struct host *host = host_new();
    struct start_source from = source();
    void *image = NULL;

    (void)state;
    host_start_tell_load(host->start, (struct start_answer){ST_REFUSED, 15}, false);
    host_start_tell_load(host->start, (struct start_answer){ST_REFUSED, 26}, true);
    host_start_tell_start(host->start, (struct start_answer){ST_ABSENT, 14});
    const struct start_port *port = &host_ports(host)->start;
    assert_int_equal(port->load(port->ctx, &from, &image).code, 15);
    assert_null(image);
    assert_int_equal(port->load(port->ctx, &from, &image).code, 26);
    assert_non_null(image);
    port->unload(port->ctx, image);
    assert_int_equal(port->load(port->ctx, &from, &image).status, ST_OK);
    assert_int_equal(port->start(port->ctx, image, span_of(NULL, 0)).code, 14);
    assert_int_equal(host_start_left(host->start), 0);
    host_free(host);
}

static enum status into_setup(struct host *host)
{
    const struct ports *ports = host_ports(host);

    if (setjmp(*host_start_away(host->start)) == 0)
        return restart_into_setup(ports);
    return ST_OK;
}

static void test_setup_is_asked_for_where_it_is_known(void **state)
{
    struct host *host = host_new();
    const uint8_t supported[8] = {0x41};
    const uint8_t before[8] = {0x40, 0, 1};
    const uint8_t after[8] = {0x41, 0, 1};

    (void)state;
    assert_false(restart_knows_setup(host_ports(host)));
    assert_int_equal(into_setup(host), ST_UNSUPPORTED);
    assert_int_equal(host_start_count(host->start), 0);

    mem_vars_put(host->vars, NULL, "OsIndicationsSupported", BS_RT, supported, 8);
    mem_vars_put(host->vars, NULL, "OsIndications", VAR_BOOT_OPTION, before, 8);
    assert_true(restart_knows_setup(host_ports(host)));
    assert_int_equal(into_setup(host), ST_OK);
    assert_memory_equal(mem_vars_find(host->vars, NULL, "OsIndications")->data, after, 8);
    assert_int_equal(host_start_at(host->start, 0)->kind, HOST_START_RESET);
    assert_int_equal(host_start_at(host->start, 0)->reset, START_RESET_COLD);
    host_free(host);
}

static void test_setup_without_the_bit_is_not_asked_for(void **state)
{
    struct host *host = host_new();
    const uint8_t supported[8] = {0x40};

    (void)state;
    mem_vars_put(host->vars, NULL, "OsIndicationsSupported", BS_RT, supported, 8);
    assert_int_equal(into_setup(host), ST_UNSUPPORTED);
    assert_null(mem_vars_find(host->vars, NULL, "OsIndications"));
    host_free(host);
}

static void test_no_reset_when_the_wish_was_not_kept(void **state)
{
    struct host *host = host_new();
    const uint8_t supported[8] = {0x01};

    (void)state;
    mem_vars_put(host->vars, NULL, "OsIndicationsSupported", BS_RT, supported, 8);
    mem_vars_set_read_only(host->vars, true);
    assert_int_equal(into_setup(host), ST_READ_ONLY);
    assert_int_equal(host_start_count(host->start), 0);
    host_free(host);
}

/* A firmware that does not restart shows its setup at no later start either. */
static void test_wish_is_taken_back_where_nothing_restarts(void **state)
{
    struct host *host = host_new();
    const uint8_t supported[8] = {0x01};
    const uint8_t before[8] = {0x40, 0, 1};

    (void)state;
    mem_vars_put(host->vars, NULL, "OsIndicationsSupported", BS_RT, supported, 8);
    assert_int_equal(restart_into_setup(host_ports(host)), ST_UNSUPPORTED);
    assert_int_equal(host_start_count(host->start), 1);
    assert_null(mem_vars_find(host->vars, NULL, "OsIndications"));
    mem_vars_put(host->vars, NULL, "OsIndications", VAR_BOOT_OPTION, before, 8);
    assert_int_equal(restart_into_setup(host_ports(host)), ST_UNSUPPORTED);
    assert_memory_equal(mem_vars_find(host->vars, NULL, "OsIndications")->data, before, 8);
    host_free(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_started_program_does_not_return),
        cmocka_unit_test(test_answers_are_those_told),
        cmocka_unit_test(test_setup_is_asked_for_where_it_is_known),
        cmocka_unit_test(test_setup_without_the_bit_is_not_asked_for),
        cmocka_unit_test(test_no_reset_when_the_wish_was_not_kept),
        cmocka_unit_test(test_wish_is_taken_back_where_nothing_restarts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
