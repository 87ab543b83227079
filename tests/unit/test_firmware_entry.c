/* Which boot entries are the firmware's own: by path, by mark, and which are anybody's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "format/devpath.h"
#include "model/firmware_entry.h"
#include "unit/machine_fixture.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* --- Paths, node by node (UEFI Specification 10.3) ------------------------------------------- */

/* One node of so many zero bytes of data. */
struct node {
    uint8_t type;
    uint8_t subtype;
    size_t data;
};

#define NODES 6
#define PCI_ROOT \
    {            \
        2, 1, 8  \
    }
#define PCI     \
    {           \
        1, 1, 2 \
    }
#define SATA     \
    {            \
        3, 18, 6 \
    }
#define MAC       \
    {             \
        3, 11, 33 \
    }
#define HD       \
    {            \
        4, 1, 38 \
    }
#define FILE    \
    {           \
        4, 4, 6 \
    }

static struct load_option option_of(struct fixture_bytes *value, const struct node *nodes,
                                    const void *optional, size_t size)
{
    static const uint8_t zeros[64];
    struct fixture_bytes path = {.size = 0};
    struct fixture_bytes data = {.size = 0};
    struct load_option option;

    for (size_t i = 0; i < NODES && nodes[i].type != 0; i++) {
        fixture_put_le(&path, nodes[i].type, 1);
        fixture_put_le(&path, nodes[i].subtype, 1);
        fixture_put_le(&path, nodes[i].data + 4, 2);
        fixture_put(&path, zeros, nodes[i].data);
    }
    fixture_put_end(&path);
    fixture_put(&data, optional, size);
    value->size = 0;
    fixture_put_load_option(value, 1, "Any", &path, &data);
    assert_int_equal(load_option_parse(span_of(value->at, value->size), &option), ST_OK);
    return option;
}

static const char *reason_of(const struct node *nodes, const void *optional, size_t size)
{
    struct fixture_bytes value;
    struct load_option option = option_of(&value, nodes, optional, size);

    return firmware_option_reason(&option);
}

static void paths_of_the_firmware_are_known(void **state)
{
    static const struct {
        struct node nodes[NODES];
        const char *reason;
    } cases[] = {
        {{{0, 0, 0}}, "an empty path"},
        {{{5, 1, 5}}, "a legacy (BIOS) start"},
        {{{5, 1, 5}, HD, FILE}, "a legacy (BIOS) start"},
        {{{4, 7, 16}, {4, 6, 16}}, "a program in the firmware"},
        {{{4, 6, 16}}, "a program in the firmware"},
        {{PCI_ROOT, PCI, {4, 6, 16}}, "a program in the firmware"},
        {{{1, 3, 20}, {4, 6, 16}}, "a program in memory"},
        {{{1, 3, 20}}, "a program in memory"},
        {{{1, 4, 16}}, "a vendor's path"},
        {{{1, 4, 40}, FILE}, "a vendor's path"},
        {{{3, 10, 16}}, "a vendor's path"},
        {{{4, 3, 16}, FILE}, "a vendor's path"},
        {{PCI_ROOT, PCI, MAC}, "a start from network"},
        {{PCI_ROOT, PCI, MAC, {3, 12, 23}}, "a start from network"},
        {{PCI_ROOT, PCI, MAC, {3, 13, 56}}, "a start from network"},
        {{{3, 12, 23}}, "a start from network"},
        {{{3, 13, 56}}, "a start from network"},
        {{{3, 24, 12}}, "a start from network"},
        {{{3, 15, 7}}, "a class of USB devices"},
        {{PCI_ROOT, PCI, SATA}, "a whole device"},
        {{{2, 2, 20}, {1, 4, 32}, {3, 2, 4}}, "a vendor's path"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *reason = reason_of(cases[i].nodes, "", 0);
        if (reason == NULL)
            fail_msg("path %zu is taken for anybody's", i);
        assert_string_equal(reason, cases[i].reason);
    }
}

/* A vendor's bus may lead to a disk: Hyper-V's, or virtio on a board without PCI. */
static void paths_to_a_partition_or_a_file_are_anybodys(void **state)
{
    static const struct node cases[][NODES] = {
        {HD, FILE},
        {HD},
        {FILE},
        {PCI_ROOT, PCI, SATA, HD, FILE},
        {PCI_ROOT, PCI, SATA, HD},
        {PCI_ROOT, PCI, SATA, FILE},
        {{2, 2, 20}, {1, 4, 32}, {3, 2, 4}, HD, FILE},
        {{1, 4, 16}, HD, FILE},
        {PCI_ROOT, PCI, MAC, {3, 12, 23}, HD, FILE}, /* a disk by iSCSI */
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *reason = reason_of(cases[i], "", 0);
        if (reason != NULL)
            fail_msg("path %zu: %s", i, reason);
    }
}

static const uint8_t edk2_mark[16] = {0x4e, 0xac, 0x08, 0x81, 0x11, 0x9f, 0x59, 0x4d,
                                      0x85, 0x0e, 0xe2, 0x1a, 0x52, 0x2c, 0x59, 0xb2};

static void marks_count_whatever_the_path_is(void **state)
{
    static const struct node nodes[NODES] = {HD, FILE};
    static const struct {
        const void *bytes;
        size_t size;
        bool mark;
    } cases[] = {{"RC", 2, true},        {"\0\0BO", 4, true},    {"AMBO", 4, true},
                 {edk2_mark, 16, true},  {"RC ", 3, false},      {"R\0C\0", 4, false},
                 {"\0\0BO\0", 5, false}, {edk2_mark, 15, false}, {"", 0, false}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fixture_bytes value;
        struct load_option option = option_of(&value, nodes, cases[i].bytes, cases[i].size);
        assert_int_equal(firmware_option_reason(&option) != NULL, cases[i].mark);
        assert_int_equal(firmware_option_mark(&option) != NULL, cases[i].mark);
    }
}

/* What somebody saved from such a path can be used again, other than what carries a mark. */
static void path_alone_is_no_mark(void **state)
{
    static const struct node nodes[NODES] = {PCI_ROOT, PCI, MAC};
    struct fixture_bytes value;
    struct load_option option = option_of(&value, nodes, "", 0);

    (void)state;
    assert_null(firmware_option_mark(&option));
    assert_non_null(firmware_option_reason(&option));
}

static void damaged_entry_is_nobodys(void **state)
{
    struct entry entry = {.status = ST_DAMAGED};

    (void)state;
    assert_false(entry_is_firmwares(&entry));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_of_the_firmware_are_known),
        cmocka_unit_test(paths_to_a_partition_or_a_file_are_anybodys),
        cmocka_unit_test(marks_count_whatever_the_path_is),
        cmocka_unit_test(path_alone_is_no_mark),
        cmocka_unit_test(damaged_entry_is_nobodys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
