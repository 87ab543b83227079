/* Boot stores made anew; ovmf-harness/test_new_store.py has them judged by programs of others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "format/bcd/bcd.h"
#include "format/bcd/bcd_make.h"

static const struct guid esp = GUID_INIT(0x11111111, 0x2222, 0x4333, 0x8444, 0x000000000001);
static const struct guid own = GUID_INIT(0x11111111, 0x2222, 0x4333, 0x8444, 0x000000000002);
static const struct guid other = GUID_INIT(0x11111111, 0x2222, 0x4333, 0x8444, 0x000000000003);
static const struct guid names[] = {GUID_INIT(0x11111111, 0x2222, 0x4333, 0x8444, 0x00000000000a),
                                    GUID_INIT(0x11111111, 0x2222, 0x4333, 0x8444, 0x00000000000b),
                                    GUID_INIT(0x11111111, 0x2222, 0x4333, 0x8444, 0x00000000000c),
                                    GUID_INIT(0x11111111, 0x2222, 0x4333, 0x8444, 0x00000000000d)};

static uint8_t memory[2u << 20];
static uint8_t buffer[BCD_MAKE_BYTES];
static uint8_t second[BCD_MAKE_BYTES];

static struct bcd_new usual(void)
{
    struct bcd_new wanted = {.esp = {.is_gpt = true, .partition = esp},
                             .has_other = true,
                             .description = "Windows",
                             .locale = "en-US",
                             .now = 0x01dc600000000000u};

    wanted.system = (struct bcd_system){{.is_gpt = true, .partition = own}, names[0], names[1]};
    wanted.other = (struct bcd_system){{.is_gpt = true, .partition = other}, names[2], names[3]};
    return wanted;
}

static struct bcd_store made(struct arena *arena, const struct bcd_new *wanted, uint8_t *to)
{
    struct bcd_store store;
    struct span file;

    assert_int_equal(bcd_make(arena, wanted, to, BCD_MAKE_BYTES, &file), ST_OK);
    assert_int_equal(bcd_open(arena, file, &store), ST_OK);
    return store;
}

static uint64_t number_in(const struct bcd_store *store, const struct guid *guid, uint32_t code)
{
    struct bcd_object object;
    struct span data;

    assert_int_equal(bcd_find(store, guid, &object), ST_OK);
    assert_int_equal(bcd_element(store, &object, code, &data), ST_OK);
    return bcd_number(data);
}

static struct bcd_device device_in(const struct bcd_store *store, const struct guid *guid,
                                   uint32_t code)
{
    struct bcd_object object;
    struct bcd_device device;
    struct span data;

    assert_int_equal(bcd_find(store, guid, &object), ST_OK);
    assert_int_equal(bcd_element(store, &object, code, &data), ST_OK);
    assert_int_equal(bcd_device_read(data, &device), ST_OK);
    return device;
}

static void store_starts_the_own_system(void **state)
{
    const struct bcd_new wanted = usual();
    struct bcd_choice choice;
    struct arena arena;

    (void)state;
    arena_init(&arena, memory, sizeof(memory));
    struct bcd_store store = made(&arena, &wanted, buffer);
    assert_int_equal(bcd_choose(&store, &bcd_manager, &choice), BCD_STARTS);
    assert_true(guid_equal(&choice.loader.guid, &names[0]));
    assert_true(guid_equal(&choice.device.partition.partition, &own));
    assert_true(guid_equal(&choice.os_device.partition.partition, &own));
    assert_int_equal(bcd_object_count(&store), 13);
    struct bcd_device device = device_in(&store, &names[2], BCD_OS_DEVICE);
    assert_true(guid_equal(&device.partition.partition, &other));
    device = device_in(&store, &bcd_manager, BCD_DEVICE);
    assert_true(guid_equal(&device.partition.partition, &esp));
    assert_int_equal(number_in(&store, &names[0], 0x25000020), 0);
    assert_int_equal(number_in(&store, &names[2], 0x250000c2), 1);
}

static void server_opts_out(void **state)
{
    struct bcd_new wanted = usual();
    struct arena arena;

    (void)state;
    wanted.is_server = true;
    wanted.has_other = false;
    arena_init(&arena, memory, sizeof(memory));
    struct bcd_store store = made(&arena, &wanted, buffer);
    assert_int_equal(number_in(&store, &names[0], 0x25000020), 1);
    assert_int_equal(bcd_object_count(&store), 11);
}

/* What a store says is taken over by the next one, whose names may be the same. */
static void store_made_of_itself_is_the_same(void **state)
{
    struct bcd_new wanted = usual();
    struct arena arena;

    (void)state;
    wanted.is_server = true;
    wanted.names_system_of_resume = true;
    wanted.locale = "de-DE";
    arena_init(&arena, memory, sizeof(memory));
    struct bcd_store store = made(&arena, &wanted, buffer);
    struct bcd_new again = usual();
    again.old_file = span_of(buffer, sizeof(buffer));
    struct bcd_store copy = made(&arena, &again, second);
    assert_true(bcd_equal(&store, &copy));
    again.keeps_locale = true;
    copy = made(&arena, &again, second);
    assert_false(bcd_equal(&store, &copy));
    again.has_other = false;
    copy = made(&arena, &again, second);
    assert_false(bcd_equal(&store, &copy) || bcd_equal(&copy, &store));
}

static void buffer_that_is_too_small_is_refused(void **state)
{
    const struct bcd_new wanted = usual();
    struct arena arena;
    struct span file;

    (void)state;
    arena_init(&arena, memory, sizeof(memory));
    for (size_t room = 0; room <= 20480; room += 4096) {
        enum status status = bcd_make(&arena, &wanted, buffer, room, &file);
        assert_true(status == ST_NO_SPACE || status == ST_TOO_SMALL);
        assert_int_equal(arena_mark(&arena), 0);
    }
    assert_int_equal(bcd_make(&arena, &wanted, buffer, 24576, &file), ST_OK);
    assert_int_equal(file.size, 24576);
}

static void without_memory_there_is_no_store(void **state)
{
    const struct bcd_new wanted = usual();
    enum status status = ST_NO_MEMORY;
    struct arena arena;
    struct span file;

    (void)state;
    for (size_t size = 0; status == ST_NO_MEMORY; size += 128) {
        assert_true(size < sizeof(memory));
        arena_init(&arena, memory, size);
        status = bcd_make(&arena, &wanted, buffer, sizeof(buffer), &file);
    }
    assert_int_equal(status, ST_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(store_starts_the_own_system),
        cmocka_unit_test(server_opts_out),
        cmocka_unit_test(store_made_of_itself_is_the_same),
        cmocka_unit_test(buffer_that_is_too_small_is_refused),
        cmocka_unit_test(without_memory_there_is_no_store),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
