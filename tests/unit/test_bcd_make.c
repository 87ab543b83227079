/* Boot stores made anew; ovmf-harness/test_new_store.py has them judged by programs of others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"
#include "format/bcd/bcd_edit.h"
#include "format/bcd/bcd_make.h"
#include "format/bcd/bcd_value.h"

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

/* --- What an older store hands on ----------------------------------------------------------- */

#define MESSAGE     0x15000066u /* displaymessageoverride */
#define SDI_DEVICE  0x31000003u /* ramdisksdidevice */
#define WIN_PE      0x26000022u
#define DEVICE_TYPE 0x30000000u /* of objects with options for a device */

static const struct guid recovery = GUID_INIT(0x11111111, 0x2222, 0x4333, 0x8444, 0x0000000000e1);
static const struct guid options = GUID_INIT(0x11111111, 0x2222, 0x4333, 0x8444, 0x0000000000e2);
static const struct guid tools = GUID_INIT(0x11111111, 0x2222, 0x4333, 0x8444, 0x000000000004);

static void put_in(struct bcd_edit *edit, const struct guid *object, uint32_t code,
                   const void *data, size_t size)
{
    assert_int_equal(bcd_edit_set(edit, object, code, span_of(data, size)), ST_OK);
}

/* The tools partition; the first 16 bytes of a device name the object with its options. */
static void put_device(struct bcd_edit *edit, const struct guid *object, uint32_t code,
                       const struct guid *with)
{
    const struct bcd_device device = {.kind = BCD_DEVICE_PARTITION,
                                      .partition = {.is_gpt = true, .partition = tools}};
    uint8_t data[BCD_DEVICE_SIZE_MAX];
    size_t size = bcd_device_write(&device, data);

    if (with != NULL)
        memcpy(data, with->bytes, sizeof(with->bytes));
    put_in(edit, object, code, data, size);
}

static void put_object(struct arena *arena, struct bcd_edit *edit, const struct guid *object,
                       uint32_t code, const struct guid *named)
{
    struct span data;

    assert_int_equal(bcd_value_objects(arena, code, named, 1, &data), ST_OK);
    put_in(edit, object, code, data.at, data.size);
}

/* An older store in `second`, open for changes: with what recovers Windows from the tools partition,
 * by a RAM disk whose options are an object of that type. */
static struct bcd_edit old_store(struct arena *arena, uint32_t type)
{
    const struct bcd_new wanted = usual();
    const uint64_t message = 3;
    struct bcd_edit edit;
    struct span file;

    assert_int_equal(bcd_make(arena, &wanted, second, sizeof(second), &file), ST_OK);
    assert_int_equal(bcd_edit_open(arena, second, file.size, sizeof(second), wanted.now, &edit),
                     ST_OK);
    assert_int_equal(bcd_edit_create(&edit, &recovery, BCD_TYPE_LOADER), ST_OK);
    put_device(&edit, &recovery, BCD_OS_DEVICE, &options);
    assert_int_equal(bcd_edit_create(&edit, &options, type), ST_OK);
    put_device(&edit, &options, SDI_DEVICE, NULL);
    put_object(arena, &edit, &names[0], BCD_RECOVERY_SEQUENCE, &recovery);
    put_in(&edit, &names[0], MESSAGE, &message, sizeof(message));
    return edit;
}

static bool tools_are_here(void *ctx, const struct bcd_partition *partition)
{
    return *(bool *)ctx && guid_equal(&partition->partition, &tools);
}

static bool has_object(const struct bcd_store *store, const struct guid *guid)
{
    struct bcd_object object;

    return bcd_find(store, guid, &object) == ST_OK;
}

static bool has_element(const struct bcd_store *store, const struct guid *guid, uint32_t code)
{
    struct bcd_object object;
    struct span data;

    return bcd_find(store, guid, &object) == ST_OK &&
           bcd_element(store, &object, code, &data) == ST_OK;
}

/* A store made with the old one to take from, the tools partition being here or not. */
static struct bcd_store made_after(struct arena *arena, struct bcd_edit *edit, bool is_here)
{
    struct bcd_new wanted = usual();

    wanted.old_file = regf_edit_finish(&edit->hive);
    wanted.is_here = tools_are_here;
    wanted.ctx = &is_here;
    return made(arena, &wanted, buffer);
}

static void what_recovers_windows_is_handed_on(void **state)
{
    struct arena arena;

    (void)state;
    arena_init(&arena, memory, sizeof(memory));
    struct bcd_edit edit = old_store(&arena, DEVICE_TYPE);
    struct bcd_store store = made_after(&arena, &edit, true);
    struct bcd_device device = device_in(&store, &recovery, BCD_OS_DEVICE);
    assert_true(guid_equal(&device.partition.partition, &tools));
    assert_true(guid_equal(&device.options, &options));
    device = device_in(&store, &options, SDI_DEVICE);
    assert_true(guid_equal(&device.partition.partition, &tools));
    assert_int_equal(number_in(&store, &names[0], MESSAGE), 3);
    for (int i = 0; i < 2; i++) {
        struct bcd_object object;
        struct guid named;
        struct span data;
        assert_int_equal(bcd_find(&store, &names[i], &object), ST_OK);
        assert_int_equal(bcd_element(&store, &object, BCD_RECOVERY_SEQUENCE, &data), ST_OK);
        assert_int_equal(bcd_guid_at(data, 0, &named), ST_OK);
        assert_true(guid_equal(&named, &recovery));
    }
}

static void recovery_without_options_needs_no_other_object(void **state)
{
    struct arena arena;

    (void)state;
    arena_init(&arena, memory, sizeof(memory));
    struct bcd_edit edit = old_store(&arena, DEVICE_TYPE);
    put_device(&edit, &recovery, BCD_OS_DEVICE, NULL);
    struct bcd_store store = made_after(&arena, &edit, true);
    assert_true(has_object(&store, &recovery) && !has_object(&store, &options));
}

/* The disk with the tools is gone, or what the store says of them cannot be started. */
static void recovery_that_cannot_be_started_is_left_out(void **state)
{
    static const uint32_t types[] = {DEVICE_TYPE, DEVICE_TYPE, BCD_TYPE_LOADER, DEVICE_TYPE,
                                     DEVICE_TYPE};

    (void)state;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        struct arena arena;
        arena_init(&arena, memory, sizeof(memory));
        struct bcd_edit edit = old_store(&arena, types[i]);
        if (i == 1)
            assert_int_equal(bcd_edit_delete(&edit, &options), ST_OK);
        if (i == 3)
            assert_int_equal(bcd_edit_delete(&edit, &recovery), ST_OK);
        if (i == 4)
            put_in(&edit, &options, SDI_DEVICE, "no device", 9);
        struct bcd_store store = made_after(&arena, &edit, i != 0);
        assert_false(has_object(&store, &recovery) || has_object(&store, &options));
        assert_false(has_element(&store, &names[0], BCD_RECOVERY_SEQUENCE));
        assert_false(has_element(&store, &names[0], MESSAGE));
    }
}

static void default_is_not_called_the_secondary_plex(void **state)
{
    static const char *const texts[] = {"Windows Server - secondary plex",
                                        "Windows Server - Secondary Plex - secondary plex"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct arena arena;
        struct bcd_object object;
        struct span data;
        arena_init(&arena, memory, sizeof(memory));
        struct bcd_edit edit = old_store(&arena, DEVICE_TYPE);
        assert_int_equal(text_to_ucs2(&arena, texts[i], &data), ST_OK);
        put_in(&edit, &names[0], BCD_DESCRIPTION, data.at, data.size);
        struct bcd_store store = made_after(&arena, &edit, true);
        assert_int_equal(bcd_find(&store, &names[0], &object), ST_OK);
        assert_int_equal(bcd_element(&store, &object, BCD_DESCRIPTION, &data), ST_OK);
        assert_string_equal(text_from_ucs2(&arena, data), "Windows Server");
        assert_int_equal(bcd_find(&store, &names[2], &object), ST_OK);
        assert_int_equal(bcd_element(&store, &object, BCD_DESCRIPTION, &data), ST_OK);
        assert_string_equal(text_from_ucs2(&arena, data), "Windows Server - secondary plex");
    }
}

/* Safe mode was meant for one machine in trouble, or for once; how it works is for ever. */
static void settings_stay_and_safe_mode_does_not(void **state)
{
    const uint64_t number = 2;
    struct arena arena;

    (void)state;
    arena_init(&arena, memory, sizeof(memory));
    struct bcd_edit edit = old_store(&arena, DEVICE_TYPE);
    put_in(&edit, &names[0], 0x25000020, &number, sizeof(number)); /* nx */
    put_in(&edit, &names[0], BCD_SAFE_BOOT, &number, sizeof(number));
    struct bcd_store store = made_after(&arena, &edit, true);
    assert_int_equal(number_in(&store, &names[0], 0x25000020), 2);
    assert_false(has_element(&store, &names[0], BCD_SAFE_BOOT));
}

/* Windows PE's settings are none for Windows. */
static void loader_of_windows_pe_hands_nothing_on(void **state)
{
    const uint64_t number = 2;
    struct arena arena;

    (void)state;
    arena_init(&arena, memory, sizeof(memory));
    struct bcd_edit edit = old_store(&arena, DEVICE_TYPE);
    put_in(&edit, &names[0], 0x25000020, &number, sizeof(number));
    put_in(&edit, &names[0], WIN_PE, "\x01", 1);
    struct bcd_store store = made_after(&arena, &edit, true);
    assert_int_equal(number_in(&store, &names[0], 0x25000020), 0);
    assert_false(has_object(&store, &recovery));
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
        cmocka_unit_test(what_recovers_windows_is_handed_on),
        cmocka_unit_test(recovery_without_options_needs_no_other_object),
        cmocka_unit_test(recovery_that_cannot_be_started_is_left_out),
        cmocka_unit_test(default_is_not_called_the_secondary_plex),
        cmocka_unit_test(settings_stay_and_safe_mode_does_not),
        cmocka_unit_test(loader_of_windows_pe_hands_nothing_on),
        cmocka_unit_test(without_memory_there_is_no_store),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
