#include "apply/start_memory.h"

#define NAME "ShadowbootTests"

static const struct guid own_vendor = VAR_OWN_VENDOR;

struct start_tests start_memory_read(const struct vars_port *vars)
{
    struct start_tests tests = {.count = 0};
    uint8_t bytes[START_TESTS_BYTES];
    uint32_t attributes = 0;
    size_t size = 0;

    if (vars->get(vars->ctx, &own_vendor, NAME, &attributes, bytes, sizeof(bytes), &size) !=
            ST_OK ||
        start_tests_read(span_of(bytes, size), &tests) != ST_OK)
        tests = (struct start_tests){.count = 0};
    return tests;
}

enum status start_memory_write(const struct vars_port *vars, const struct start_tests *tests)
{
    uint8_t bytes[START_TESTS_BYTES];
    size_t size = tests->count == 0 ? 0 : start_tests_write(tests, bytes);
    enum status status = vars->set(vars->ctx, &own_vendor, NAME, VAR_BOOT_OPTION, bytes, size);

    return status == ST_ABSENT ? ST_OK : status;
}
