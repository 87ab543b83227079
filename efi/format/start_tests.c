#include "format/start_tests.h"

#include "base/mem.h"

#define MARK    'T'
#define VERSION 1u

static struct start_test read_record(const uint8_t *at)
{
    struct start_test test = {.esp = guid_load(at), .entry = ld_le16(at + 16)};

    test.asked = (struct date_time){ld_le16(at + 18), at[20], at[21], at[22], at[23], at[24]};
    return test;
}

enum status start_tests_read(struct span bytes, struct start_tests *ret_tests)
{
    const uint8_t *at = bytes.at;

    if (bytes.size < START_TESTS_HEADER || at[0] != MARK || at[1] != VERSION ||
        at[2] > START_TESTS_MOST || at[3] > 1 ||
        bytes.size != START_TESTS_HEADER + at[2] * START_TEST_SIZE)
        return ST_DAMAGED;
    ret_tests->count = at[2];
    ret_tests->walk = at[3] == 1;
    for (size_t i = 0; i < ret_tests->count; i++)
        ret_tests->items[i] = read_record(at + START_TESTS_HEADER + i * START_TEST_SIZE);
    return ST_OK;
}

size_t start_tests_write(const struct start_tests *tests, uint8_t ret_bytes[START_TESTS_BYTES])
{
    uint8_t *to = ret_bytes + START_TESTS_HEADER;

    memset(ret_bytes, 0, START_TESTS_BYTES);
    ret_bytes[0] = MARK;
    ret_bytes[1] = VERSION;
    ret_bytes[2] = (uint8_t)tests->count;
    ret_bytes[3] = tests->walk ? 1 : 0;
    for (size_t i = 0; i < tests->count; i++, to += START_TEST_SIZE) {
        const struct start_test *test = &tests->items[i];
        memcpy(to, test->esp.bytes, sizeof(test->esp.bytes));
        st_le16(to + 16, test->entry);
        st_le16(to + 18, test->asked.year);
        to[20] = test->asked.month;
        to[21] = test->asked.day;
        to[22] = test->asked.hour;
        to[23] = test->asked.minute;
        to[24] = test->asked.second;
    }
    return START_TESTS_HEADER + tests->count * START_TEST_SIZE;
}

void start_tests_add(struct start_tests *tests, const struct start_test *test)
{
    size_t gone = 0;

    while (gone < tests->count && !guid_equal(&tests->items[gone].esp, &test->esp))
        gone++;
    if (gone == tests->count && tests->count == START_TESTS_MOST)
        gone = 0;
    if (gone < tests->count) {
        for (size_t i = gone; i + 1 < tests->count; i++)
            tests->items[i] = tests->items[i + 1];
        tests->count--;
    }
    tests->items[tests->count++] = *test;
}
