/*
 * GPT partition types. The GUIDs here are in the text form in which sgdisk (gdisk 1.0.9) shows
 * them; the names are those that KB 814070 shows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/guid.h"
#include "format/partition_type.h"

static const struct {
    enum partition_type type;
    const char *text;
} known[] = {
    {PT_ESP, "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"},
    {PT_MSR, "E3C9E316-0B5C-4DB8-817D-F92DF00215AE"},
    {PT_LDM_METADATA, "5808C8AA-7E8F-42E0-85D2-E1E90434CFB3"},
    {PT_LDM_DATA, "AF9B60A0-1431-4F62-BC68-3311714A69AD"},
    {PT_BASIC_DATA, "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"},
    {PT_WINDOWS_RE, "DE94BBA4-06D1-4D40-A16A-BFD50179D6AC"},
    {PT_BIOS_BOOT, "21686148-6449-6E6F-744E-656564454649"},
    {PT_STORAGE_SPACES, "E75CAF8F-F680-4CEE-AFA3-B001E56EFC2D"},
    {PT_LINUX_DATA, "0FC63DAF-8483-4772-8E79-3D69D8477DE4"},
    {PT_LINUX_RAID, "A19D880F-05FC-4D3B-A006-743F0F84911E"},
    {PT_LINUX_LVM, "E6D6D379-F507-44C2-A23C-238F2A3DF928"},
    {PT_LINUX_SWAP, "0657FD6D-A4AB-43C4-84E5-0933C84B4F4F"},
    {PT_LINUX_HOME, "933AC7E1-2EB4-4F13-B844-0E14E2AEF915"},
    {PT_LINUX_ROOT_X64, "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709"},
    {PT_LINUX_XBOOTLDR, "BC13C2FF-59E6-4262-A352-B275FD6F7172"},
};

#define KNOWN_COUNT (sizeof(known) / sizeof(known[0]))

static void each_guid_stands_for_its_type(void **state)
{
    (void)state;
    assert_int_equal(KNOWN_COUNT, PT_COUNT - 1);
    for (size_t i = 0; i < KNOWN_COUNT; i++) {
        struct guid guid;
        assert_int_equal(guid_parse(known[i].text, &guid), ST_OK);
        assert_int_equal(partition_type_of(&guid), known[i].type);
    }
}

/* The ESP's GUID as it stands in a GPT entry: an error in byte order would show here. */
static void guid_is_in_the_byte_order_of_the_disk(void **state)
{
    static const uint8_t on_disk[] = {0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11,
                                      0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b};

    (void)state;
    struct guid guid = guid_load(on_disk);
    assert_int_equal(partition_type_of(&guid), PT_ESP);
}

static void other_guids_are_unknown(void **state)
{
    struct guid guid = {{0}};

    (void)state;
    assert_int_equal(partition_type_of(&guid), PT_UNKNOWN);
    memset(guid.bytes, 0xff, sizeof(guid.bytes));
    assert_int_equal(partition_type_of(&guid), PT_UNKNOWN);
    for (int i = 0; i < 16; i++) {
        assert_int_equal(guid_parse("af9b60a0-1431-4f62-bc68-3311714a69ad", &guid), ST_OK);
        guid.bytes[i] ^= 1;
        assert_int_equal(partition_type_of(&guid), PT_UNKNOWN);
    }
}

static void names_are_those_of_the_article(void **state)
{
    (void)state;
    assert_string_equal(partition_type_name(PT_ESP), "EFI system partition");
    assert_string_equal(partition_type_name(PT_MSR), "Microsoft reserved partition");
    assert_string_equal(partition_type_name(PT_LDM_METADATA), "LDM metadata partition");
    assert_string_equal(partition_type_name(PT_LDM_DATA), "LDM data partition");
    assert_string_equal(partition_type_name(PT_UNKNOWN), "unknown");
}

static void each_type_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < PT_COUNT; i++) {
        const char *name = partition_type_name((enum partition_type)i);
        assert_non_null(name);
        assert_true(strlen(name) > 0);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(name, partition_type_name((enum partition_type)j));
    }
}

static void number_that_is_no_type_is_unknown(void **state)
{
    (void)state;
    assert_string_equal(partition_type_name(PT_COUNT), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_guid_stands_for_its_type),
        cmocka_unit_test(guid_is_in_the_byte_order_of_the_disk),
        cmocka_unit_test(other_guids_are_unknown),
        cmocka_unit_test(names_are_those_of_the_article),
        cmocka_unit_test(each_type_has_a_name_of_its_own),
        cmocka_unit_test(number_that_is_no_type_is_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
