#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "format/devpath.h"
#include "unit/bytes_fixture.h"

/* clang-format off */
#define PCI_ROOT(uid)      0x02, 0x01, 0x0c, 0x00, 0xd0, 0x41, 0x03, 0x0a, uid, 0, 0, 0
#define PCI(dev, fn)       0x01, 0x01, 0x06, 0x00, fn, dev
#define SATA(port)         0x03, 0x12, 0x0a, 0x00, port, 0x00, 0xff, 0xff, 0x00, 0x00
#define NVME(nsid, eui)    0x03, 0x17, 0x10, 0x00, nsid, 0, 0, 0, eui, 1, 2, 3, 4, 5, 6, 7
#define USB(port)          0x03, 0x05, 0x06, 0x00, port, 0x00
#define USB_CLASS          0x03, 0x0f, 0x0b, 0x00, 0xff, 0xff, 0xff, 0xff, 8, 6, 0x50
#define URI                0x03, 0x18, 0x05, 0x00, 'x'
#define FV                 0x04, 0x07, 0x14, 0x00, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
#define RAM_DISK           0x04, 0x09, 0x26, 0x00, 0, 0, 0, 1, 0, 0, 0, 0, 0xff, 0xff, 0xff, 4, 0, 0, 0, 0, 0x5a, 0x53, 0xab, 0x77, 0xfc, 0x45, 0x4b, 0x62, 0x55, 0x60, 0xf7, 0xb2, 0x81, 0xd1, 0xf9, 0x6e, 0, 0
#define MAC                0x03, 0x0b, 0x25, 0x00, 0x52, 0x54, 0, 0x12, 0x34, 0x56, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1
#define FV_FILE            0x04, 0x06, 0x14, 0x00, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
#define MEMORY_MAPPED      0x01, 0x03, 0x18, 0x00, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
#define BBS                0x05, 0x01, 0x09, 0x00, 2, 0, 0, 0, 0
#define FILE_LOADER        0x04, 0x04, 0x0a, 0x00, '\\', 0, 'a', 0, 0, 0
#define END                0x7f, 0xff, 0x04, 0x00
#define END_INSTANCE       0x7f, 0x01, 0x04, 0x00

/* The ESP of the shadow disk in KB 814070: partition 1, block 0x22, 0x66000 blocks. */
#define HD_SHADOW          0x04, 0x01, 0x2a, 0x00, 0x01, 0x00, 0x00, 0x00, 0x22, 0x00, 0x00, 0x00,    \
                           0x00, 0x00, 0x00, 0x00, 0x00, 0x60, 0x06, 0x00, 0x00, 0x00, 0x00, 0x00,    \
                           0xc5, 0x88, 0x66, 0x47, 0xbf, 0x8e, 0xd2, 0x47, 0x80, 0xe7, 0xcf, 0x9d,    \
                           0x06, 0x5e, 0xdb, 0x81, 0x02, 0x02
/* The ESP of the primary disk there, with numbers that differ from the shadow's in every field. */
#define HD_PRIMARY         0x04, 0x01, 0x2a, 0x00, 0x02, 0x00, 0x00, 0x00, 0x3f, 0x00, 0x00, 0x00,    \
                           0x00, 0x00, 0x00, 0x00, 0x01, 0x5f, 0x06, 0x00, 0x00, 0x00, 0x00, 0x00,    \
                           0xc0, 0x98, 0xd2, 0x68, 0x6a, 0x1b, 0xc1, 0x01, 0x50, 0x7b, 0x9e, 0x5f,    \
                           0x80, 0x78, 0xf5, 0x31, 0x02, 0x02
#define HD_MBR             0x04, 0x01, 0x2a, 0x00, 0x01, 0x00, 0x00, 0x00, 0x3f, 0x00, 0x00, 0x00,    \
                           0x00, 0x00, 0x00, 0x00, 0x00, 0x60, 0x06, 0x00, 0x00, 0x00, 0x00, 0x00,    \
                           0xc0, 0x98, 0xd2, 0x68, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0x01
/* clang-format on */

static const struct guid shadow = GUID_INIT(0x476688c5, 0x8ebf, 0x47d2, 0x80e7, 0xcf9d065edb81);
static const struct guid primary = GUID_INIT(0x68d298c0, 0x1b6a, 0x01c1, 0x507b, 0x9e5f8078f531);

#define SPAN(...) span_of((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void assert_bytes(struct span got, struct span want)
{
    assert_int_equal(got.size, want.size);
    assert_memory_equal(got.at, want.at, want.size);
}

static void node_is_taken_with_type_data_and_rest(void **state)
{
    struct span rest = SPAN(PCI(0x1f, 2), END);
    struct devpath_node node;

    (void)state;
    assert_int_equal(devpath_next(&rest, &node), ST_OK);
    assert_int_equal(node.type, DEVPATH_HARDWARE);
    assert_int_equal(node.subtype, 1);
    assert_int_equal(node.whole.size, 6);
    assert_bytes(node.data, SPAN(2, 0x1f));
    assert_bytes(rest, SPAN(END));
    assert_int_equal(devpath_next(&rest, &node), ST_OK);
    assert_int_equal(node.type, DEVPATH_END);
    assert_int_equal(devpath_next(&rest, &node), ST_ABSENT);
}

static void node_with_impossible_length_is_damaged_and_changes_nothing(void **state)
{
    static const uint8_t bad[][5] = {
        {1, 1, 0, 0, 0},       {1, 1, 3, 0, 0},       {1, 1, 6, 0, 0},
        {1, 1, 0xff, 0xff, 0}, {1, 1, 0, 1, 0},       {0x7f, 0xff, 0, 0, 0},
        {0x7f, 0xff, 5, 0, 0}, {0x7f, 0x01, 5, 0, 0}, {0x7f, 0x02, 4, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct span bytes = fixture_exact(bad[i], sizeof(bad[i]));
        struct span rest = bytes;
        struct span path = span_of(NULL, 7);
        struct devpath_node node = {.type = 0xee};
        assert_int_equal(devpath_next(&rest, &node), ST_DAMAGED);
        assert_int_equal(rest.size, sizeof(bad[i]));
        assert_int_equal(node.type, 0xee);
        assert_int_equal(devpath_take(bytes, &path), ST_DAMAGED);
        assert_int_equal(path.size, 7);
        fixture_drop(bytes);
    }
}

static void path_cut_anywhere_is_damaged(void **state)
{
    static const uint8_t path[] = {PCI_ROOT(0), PCI(1, 0), SATA(2), HD_SHADOW, FILE_LOADER, END};
    struct span got;

    (void)state;
    for (size_t size = 0; size < sizeof(path); size++) {
        struct span cut = fixture_exact(path, size);
        assert_int_equal(devpath_take(cut, &got), ST_DAMAGED);
        fixture_drop(cut);
    }
    assert_int_equal(devpath_take(span_of(path, sizeof(path)), &got), ST_OK);
    assert_int_equal(got.size, sizeof(path));
}

static void path_ends_at_its_first_end_entire(void **state)
{
    struct span two = SPAN(PCI(1, 0), END_INSTANCE, PCI(2, 0), END, PCI(3, 0), END);
    struct span path;

    (void)state;
    assert_int_equal(devpath_take(two, &path), ST_OK);
    assert_int_equal(path.size, 6 + 4 + 6 + 4);
}

static void form_is_told_by_the_first_node(void **state)
{
    (void)state;
    assert_int_equal(devpath_form_of(SPAN(END)), DEVPATH_FORM_EMPTY);
    assert_int_equal(devpath_form_of(SPAN(PCI_ROOT(0), PCI(1, 0), SATA(0), HD_SHADOW, END)),
                     DEVPATH_FORM_FULL);
    assert_int_equal(devpath_form_of(SPAN(PCI(1, 0), END)), DEVPATH_FORM_FULL);
    assert_int_equal(devpath_form_of(SPAN(HD_SHADOW, FILE_LOADER, END)), DEVPATH_FORM_HD);
    assert_int_equal(devpath_form_of(SPAN(FILE_LOADER, END)), DEVPATH_FORM_FILE);
    assert_int_equal(devpath_form_of(SPAN(FV, FV_FILE, END)), DEVPATH_FORM_FV);
    assert_int_equal(devpath_form_of(SPAN(MEMORY_MAPPED, FV_FILE, END)), DEVPATH_FORM_FV);
    assert_int_equal(devpath_form_of(SPAN(BBS, END)), DEVPATH_FORM_BBS);
    assert_int_equal(devpath_form_of(SPAN(USB_CLASS, END)), DEVPATH_FORM_OTHER);
    assert_int_equal(devpath_form_of(SPAN(URI, END)), DEVPATH_FORM_OTHER);
}

static void hard_drive_node_gives_every_field(void **state)
{
    struct span path = SPAN(PCI(1, 0), HD_SHADOW, END);
    struct hd_node hd;
    size_t offset = 0;

    (void)state;
    assert_true(devpath_find_hd(path, &hd, &offset));
    assert_int_equal(offset, 6);
    assert_int_equal(hd.number, 1);
    assert_int_equal(hd.start, 0x22);
    assert_int_equal(hd.size, 0x66000);
    assert_memory_equal(hd.signature, shadow.bytes, 16);
    assert_int_equal(hd.format, HD_FORMAT_GPT);
    assert_int_equal(hd.signature_type, HD_SIGNATURE_GUID);
    assert_true(devpath_find_hd(path, &hd, NULL));
}

static void hard_drive_node_of_wrong_length_is_none(void **state)
{
    uint8_t longer[43] = {HD_SHADOW};
    struct devpath_node node;
    struct hd_node hd;

    (void)state;
    for (uint8_t size = 41; size <= 43; size++) {
        longer[2] = size;
        struct span bytes = fixture_exact(longer, size);
        struct span rest = bytes;
        assert_int_equal(devpath_next(&rest, &node), ST_OK);
        assert_int_equal(devpath_node_hd(&node, &hd), size == 42);
        fixture_drop(bytes);
    }
}

static void path_without_hard_drive_or_damaged_has_none(void **state)
{
    struct hd_node hd = {.number = 77};
    size_t offset = 5;

    (void)state;
    assert_false(devpath_find_hd(SPAN(PCI(1, 0), END, HD_SHADOW, END), &hd, &offset));
    assert_false(devpath_find_hd(SPAN(HD_SHADOW), &hd, &offset));
    assert_int_equal(hd.number, 77);
    assert_int_equal(offset, 5);
}

static struct hd_node hd_of(struct span path)
{
    struct hd_node hd;

    assert_true(devpath_find_hd(path, &hd, NULL));
    return hd;
}

static void guid_counts_only_where_the_signature_is_a_guid(void **state)
{
    struct hd_node hd = hd_of(SPAN(HD_SHADOW, END));

    (void)state;
    assert_true(hd_node_has_guid(&hd, &shadow));
    assert_false(hd_node_has_guid(&hd, &primary));
    hd.signature_type = HD_SIGNATURE_MBR;
    assert_false(hd_node_has_guid(&hd, &shadow));
}

static void same_partition_is_number_format_and_signature(void **state)
{
    const struct hd_node hd = hd_of(SPAN(HD_SHADOW, END));
    struct hd_node other = hd;

    (void)state;
    other.start += 8;
    other.size += 7;
    assert_true(hd_node_same_partition(&hd, &other));
    other = hd;
    other.number = 2;
    assert_false(hd_node_same_partition(&hd, &other));
    other = hd;
    other.format = HD_FORMAT_MBR;
    assert_false(hd_node_same_partition(&hd, &other));
    other = hd;
    other.signature_type = HD_SIGNATURE_MBR;
    assert_false(hd_node_same_partition(&hd, &other));
    other = hd;
    other.signature[15] ^= 1;
    assert_false(hd_node_same_partition(&hd, &other));
}

static void guid_is_found_in_every_instance_and_path_of_a_list(void **state)
{
    (void)state;
    assert_true(devpath_mentions_guid(SPAN(HD_SHADOW, END), &shadow));
    assert_true(devpath_mentions_guid(SPAN(PCI(1, 0), END_INSTANCE, HD_SHADOW, END), &shadow));
    assert_true(devpath_mentions_guid(SPAN(PCI(1, 0), END, HD_SHADOW, END), &shadow));
    assert_false(devpath_mentions_guid(SPAN(HD_SHADOW, END), &primary));
    assert_false(devpath_mentions_guid(SPAN(HD_SHADOW), &shadow));
    assert_false(devpath_mentions_guid(SPAN(END), &shadow));
}

static void assert_file(struct span path, const char *want)
{
    struct arena arena = fixture_scratch();
    struct span copy = fixture_exact(path.at, path.size);
    struct span file = span_of(NULL, 0);

    if (want == NULL) {
        assert_int_equal(devpath_file(&arena, copy, &file), ST_ABSENT);
        assert_int_equal(arena_mark(&arena), 0);
    } else {
        assert_int_equal(devpath_file(&arena, copy, &file), ST_OK);
        assert_int_equal(file.size, (strlen(want) + 1) * 2);
        assert_string_equal(text_from_ucs2(&arena, file), want);
        assert_int_equal(ld_le16(file.at + file.size - 2), 0);
    }
    fixture_drop(copy);
}

static void file_nodes_are_joined_by_single_backslashes(void **state)
{
    (void)state;
    assert_file(SPAN(HD_SHADOW, FILE_LOADER, END), "\\a");
    assert_file(SPAN(FILE_LOADER, FILE_LOADER, END), "\\a\\a");
    assert_file(SPAN(4, 4, 6, 0, 'E', 0, 4, 4, 6, 0, 'x', 0, END), "E\\x");
    assert_file(SPAN(4, 4, 8, 0, 'E', 0, '\\', 0, 4, 4, 8, 0, '\\', 0, 'x', 0, END), "E\\x");
    assert_file(SPAN(4, 4, 8, 0, '\\', 0, 0, 0, 4, 4, 6, 0, 'x', 0, END), "\\x");
    assert_file(SPAN(4, 4, 6, 0, 0, 0, 4, 4, 6, 0, 'x', 0, END), "x");
}

static void file_name_stops_at_its_nul_and_drops_half_a_character(void **state)
{
    (void)state;
    assert_file(SPAN(4, 4, 10, 0, 'a', 0, 0, 0, 'b', 0, END), "a");
    assert_file(SPAN(4, 4, 7, 0, 'a', 0, 'b', END), "a");
}

static void path_that_does_not_end_in_a_file_has_none(void **state)
{
    (void)state;
    assert_file(SPAN(HD_SHADOW, END), NULL);
    assert_file(SPAN(END), NULL);
    assert_file(SPAN(4, 4, 4, 0, END), NULL);
    assert_file(SPAN(4, 4, 6, 0, 0, 0, END), NULL);
    assert_file(SPAN(FILE_LOADER, PCI(1, 0), END), NULL);
    assert_file(SPAN(PCI(1, 0), END_INSTANCE, FILE_LOADER, END), NULL);
    assert_file(SPAN(FILE_LOADER), NULL);
}

static void file_without_memory_is_reported(void **state)
{
    struct arena arena = fixture_scratch_of(0);
    struct span file = span_of(NULL, 7);

    (void)state;
    assert_int_equal(devpath_file(&arena, SPAN(FILE_LOADER, END), &file), ST_NO_MEMORY);
    assert_int_equal(file.size, 7);
}

static void prefix_is_whole_nodes_from_the_start(void **state)
{
    struct span path = SPAN(PCI_ROOT(0), PCI(1, 0), SATA(2), HD_SHADOW, END);
    size_t rest = 99;

    (void)state;
    assert_false(devpath_has_prefix(path, SPAN(PCI_ROOT(1), END), &rest));
    assert_false(devpath_has_prefix(path, SPAN(PCI_ROOT(0), PCI(1, 0), SATA(3), END), &rest));
    assert_false(devpath_has_prefix(SPAN(PCI_ROOT(0), END), path, &rest));
    assert_false(devpath_has_prefix(path, SPAN(PCI_ROOT(0)), &rest));
    assert_int_equal(rest, 99);
    assert_true(devpath_has_prefix(path, SPAN(PCI_ROOT(0), PCI(1, 0), SATA(2), END), &rest));
    assert_int_equal(rest, 12 + 6 + 10);
    assert_true(devpath_has_prefix(path, SPAN(END), &rest));
    assert_int_equal(rest, 0);
    assert_true(devpath_has_prefix(path, path, &rest));
    assert_int_equal(rest, path.size - 4);
}

/* Sample paths in the order in which they must sort. */
static const struct {
    uint8_t size;
    uint8_t bytes[96];
} ordered[] = {
#define PATH(...)                               \
    {                                           \
        sizeof((const uint8_t[]){__VA_ARGS__}), \
        {                                       \
            __VA_ARGS__                         \
        }                                       \
    }
    {0, {0}},
    PATH(1, 1, 0, 0),
    PATH(1, 1, 9, 0),
    PATH(END),
    PATH(1, 1, 4, 0), /* no data: device and function count as 0 */
    PATH(1, 1, 5, 0, 9),
    PATH(PCI(1, 0), END),
    PATH(PCI_ROOT(0)), /* cut */
    PATH(PCI_ROOT(0), 1, 1, 0, 0),
    PATH(PCI_ROOT(0), END),
    PATH(PCI_ROOT(0), END_INSTANCE, PCI_ROOT(0), END),
    PATH(PCI_ROOT(0), PCI(1, 7), END),
    PATH(PCI_ROOT(0), PCI(2, 0), END),
    PATH(PCI_ROOT(0), PCI(2, 0), PCI(0, 0), NVME(1, 9), END),
    PATH(PCI_ROOT(0), PCI(2, 0), PCI(0, 0), NVME(2, 0), END),
    PATH(PCI_ROOT(0), PCI(2, 0), SATA(0), END),
    PATH(PCI_ROOT(0), PCI(2, 0), SATA(0), HD_SHADOW, END),
    PATH(PCI_ROOT(0), PCI(2, 0), SATA(0), HD_PRIMARY, END),
    PATH(PCI_ROOT(0), PCI(2, 0), SATA(0), HD_PRIMARY, FILE_LOADER, END),
    PATH(PCI_ROOT(0), PCI(2, 0), SATA(1), END),
    PATH(PCI_ROOT(0), PCI(2, 0), 3, 18, 10, 0, 0, 1, 0xff, 0xff, 0, 0, END), /* port 256 */
    PATH(PCI_ROOT(0), PCI(2, 0), NVME(1, 0), END),
    PATH(PCI_ROOT(0), PCI(2, 0), NVME(1, 1), END),
    PATH(PCI_ROOT(0), PCI(2, 1), END),
    PATH(PCI_ROOT(0), PCI(0x10, 0), END),
    PATH(PCI_ROOT(1), END),
    PATH(PCI_ROOT(1), PCI(1, 0), END),
    PATH(USB(1), END),
    PATH(USB(2), END),
    PATH(4, 1, 41, 0, 1, 0, 0, 0, 0x22, 0, 0, 0, 0, 0, 0, 0, 0, 0x60, 6, 0, 0, 0, 0, 0, 1, 1, 1, 1,
         1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, END), /* 41 bytes */
    PATH(HD_SHADOW, END),
    PATH(FILE_LOADER, END),
    PATH(4, 4, 10, 0, '\\', 0, 'b', 0, 0, 0, END),
#undef PATH
};

#define ORDERED_COUNT (sizeof(ordered) / sizeof(ordered[0]))

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

static void order_is_that_of_the_machine_and_total(void **state)
{
    (void)state;
    for (size_t i = 0; i < ORDERED_COUNT; i++) {
        struct span a = fixture_exact(ordered[i].bytes, ordered[i].size);
        for (size_t j = 0; j < ORDERED_COUNT; j++) {
            struct span b = fixture_exact(ordered[j].bytes, ordered[j].size);
            int want = (i > j) - (i < j);
            if (sign(devpath_compare(a, b)) != want)
                fail_msg("sample paths %zu and %zu compare as %d", i, j, devpath_compare(a, b));
            fixture_drop(b);
        }
        fixture_drop(a);
    }
}

static void order_is_antisymmetric_and_transitive_for_any_bytes(void **state)
{
    enum { COUNT = 90, MOST = 24 };
    static uint8_t samples[COUNT][MOST];
    static struct span spans[COUNT];
    uint32_t seed = 12345;

    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t k = 0; k < MOST; k++) {
            static const uint8_t alphabet[] = {0, 1, 2, 3, 4, 5, 6, 18, 23, 0x7f, 0xff};
            seed = seed * 1103515245u + 12345u;
            samples[i][k] = alphabet[(seed >> 16) % sizeof(alphabet)];
        }
        samples[i][2] = (uint8_t)(4 + (seed >> 20) % 9);
        samples[i][3] = 0;
        spans[i] = span_of(samples[i], (seed >> 24) % (MOST + 1));
    }
    for (size_t a = 0; a < COUNT; a++) {
        for (size_t b = 0; b < COUNT; b++) {
            int ab = sign(devpath_compare(spans[a], spans[b]));
            assert_int_equal(ab, -sign(devpath_compare(spans[b], spans[a])));
            assert_int_equal(ab == 0, span_equal(spans[a], spans[b]));
            for (size_t c = 0; c < COUNT && ab <= 0; c++) {
                if (devpath_compare(spans[b], spans[c]) <= 0)
                    assert_true(devpath_compare(spans[a], spans[c]) <= 0);
            }
        }
    }
}

static void usb_is_seen_on_the_way_only(void **state)
{
    (void)state;
    assert_true(devpath_is_usb(SPAN(PCI_ROOT(0), PCI(1, 0), USB(1), HD_SHADOW, END)));
    assert_true(devpath_is_usb(SPAN(USB_CLASS, END)));
    assert_false(devpath_is_usb(SPAN(PCI_ROOT(0), PCI(1, 0), SATA(5), HD_SHADOW, END)));
    assert_false(devpath_is_usb(SPAN(PCI_ROOT(0), USB(1))));
}

static void disks_in_memory_and_network_cards_are_known_by_their_nodes(void **state)
{
    (void)state;
    assert_true(devpath_is_ram_disk(SPAN(RAM_DISK, END)));
    assert_true(devpath_is_ram_disk(SPAN(PCI_ROOT(0), PCI(3, 0), URI, RAM_DISK, HD_SHADOW, END)));
    assert_false(devpath_is_ram_disk(SPAN(PCI_ROOT(0), PCI(1, 0), SATA(5), HD_SHADOW, END)));
    assert_false(devpath_is_ram_disk(SPAN(FV, END)));
    assert_true(
        devpath_is_network(SPAN(PCI_ROOT(0), PCI(3, 0), MAC, URI, RAM_DISK, HD_SHADOW, END)));
    assert_false(devpath_is_network(SPAN(PCI_ROOT(0), PCI(3, 0), USB(1), HD_SHADOW, END)));
}

static void put_hd_writes_the_reference_node(void **state)
{
    const struct hd_node hd = {.number = 1,
                               .start = 0x22,
                               .size = 0x66000,
                               .signature = {0xc5, 0x88, 0x66, 0x47, 0xbf, 0x8e, 0xd2, 0x47, 0x80,
                                             0xe7, 0xcf, 0x9d, 0x06, 0x5e, 0xdb, 0x81},
                               .format = HD_FORMAT_GPT,
                               .signature_type = HD_SIGNATURE_GUID};
    uint8_t room[64];
    struct builder builder;

    (void)state;
    builder_init(&builder, room, sizeof(room));
    devpath_put_hd(&builder, &hd);
    devpath_put_file(&builder, SPAN('\\', 0, 'a', 0, 0, 0));
    devpath_put_end(&builder);
    assert_bytes(builder_span(&builder), SPAN(HD_SHADOW, FILE_LOADER, END));
}

static void file_too_long_for_a_node_fails_the_builder(void **state)
{
    static uint8_t name[65536];
    static uint8_t room[70000];
    struct builder builder;

    (void)state;
    builder_init(&builder, room, sizeof(room));
    devpath_put_file(&builder, span_of(name, 65531));
    assert_false(builder.failed);
    assert_int_equal(builder.used, 65535);
    builder_init(&builder, room, sizeof(room));
    devpath_put_file(&builder, span_of(name, 65532));
    assert_true(builder.failed);
}

#define DISK PCI_ROOT(0), PCI(3, 0), NVME(1, 5)

/* Retargets from primary to shadow and checks result and count. */
static void assert_retargeted(struct span path, int form, struct span want, unsigned count)
{
    static uint8_t room[512];
    struct span copy = fixture_exact(path.at, path.size);
    struct devpath_retarget how = {
        .source = primary, .target = hd_of(SPAN(HD_SHADOW, END)), .disk = SPAN(DISK, END)};
    struct builder builder;

    how.form = form;
    builder_init(&builder, room, sizeof(room));
    assert_int_equal(devpath_put_retargeted(&builder, copy, &how), count);
    assert_bytes(builder_span(&builder), want);
    fixture_drop(copy);
}

static void short_path_stays_short_or_becomes_full(void **state)
{
    struct span path = SPAN(HD_PRIMARY, FILE_LOADER, END);

    (void)state;
    assert_retargeted(path, DEVPATH_KEEP_FORM, SPAN(HD_SHADOW, FILE_LOADER, END), 1);
    assert_retargeted(path, DEVPATH_MAKE_SHORT, SPAN(HD_SHADOW, FILE_LOADER, END), 1);
    assert_retargeted(path, DEVPATH_MAKE_FULL, SPAN(DISK, HD_SHADOW, FILE_LOADER, END), 1);
}

static void full_path_starts_at_the_target_disk_or_becomes_short(void **state)
{
    struct span path = SPAN(PCI_ROOT(0), PCI(2, 0), SATA(0), HD_PRIMARY, FILE_LOADER, END);

    (void)state;
    assert_retargeted(path, DEVPATH_KEEP_FORM, SPAN(DISK, HD_SHADOW, FILE_LOADER, END), 1);
    assert_retargeted(path, DEVPATH_MAKE_SHORT, SPAN(HD_SHADOW, FILE_LOADER, END), 1);
    assert_retargeted(path, DEVPATH_MAKE_FULL, SPAN(DISK, HD_SHADOW, FILE_LOADER, END), 1);
}

static void other_partitions_and_instances_stay_as_they_are(void **state)
{
    struct span other = SPAN(PCI_ROOT(0), SATA(0), HD_MBR, FILE_LOADER, END);
    struct span many = SPAN(PCI_ROOT(0), SATA(1), HD_SHADOW, END_INSTANCE, PCI_ROOT(0), SATA(0),
                            HD_PRIMARY, FILE_LOADER, END_INSTANCE, HD_MBR, END);

    (void)state;
    assert_retargeted(other, DEVPATH_MAKE_FULL, other, 0);
    assert_retargeted(SPAN(END), DEVPATH_MAKE_FULL, SPAN(END), 0);
    assert_retargeted(many, DEVPATH_KEEP_FORM,
                      SPAN(PCI_ROOT(0), SATA(1), HD_SHADOW, END_INSTANCE, DISK, HD_SHADOW,
                           FILE_LOADER, END_INSTANCE, HD_MBR, END),
                      1);
    assert_retargeted(many, DEVPATH_MAKE_SHORT,
                      SPAN(PCI_ROOT(0), SATA(1), HD_SHADOW, END_INSTANCE, HD_SHADOW, FILE_LOADER,
                           END_INSTANCE, HD_MBR, END),
                      1);
}

static void every_mention_of_the_source_is_replaced(void **state)
{
    (void)state;
    assert_retargeted(SPAN(HD_PRIMARY, END_INSTANCE, PCI(1, 0), HD_PRIMARY, END), DEVPATH_KEEP_FORM,
                      SPAN(HD_SHADOW, END_INSTANCE, DISK, HD_SHADOW, END), 2);
    assert_retargeted(SPAN(HD_PRIMARY, HD_PRIMARY, END), DEVPATH_KEEP_FORM,
                      SPAN(HD_SHADOW, HD_SHADOW, END), 2);
    assert_retargeted(SPAN(PCI(1, 0), END, HD_PRIMARY, FILE_LOADER, END), DEVPATH_KEEP_FORM,
                      SPAN(PCI(1, 0), END, HD_SHADOW, FILE_LOADER, END), 1);
}

static void damaged_path_is_copied_unchanged(void **state)
{
    struct span cut = SPAN(HD_PRIMARY, FILE_LOADER);
    struct span junk = SPAN(HD_PRIMARY, END, 1, 2, 3);
    struct span zero = SPAN(HD_PRIMARY, 1, 1, 0, 0, END);

    (void)state;
    assert_retargeted(cut, DEVPATH_MAKE_FULL, cut, 0);
    assert_retargeted(junk, DEVPATH_MAKE_FULL, junk, 0);
    assert_retargeted(zero, DEVPATH_MAKE_FULL, zero, 0);
    assert_retargeted(SPAN(0x7f), DEVPATH_MAKE_FULL, SPAN(0x7f), 0);
}

static void without_a_disk_path_the_result_is_short(void **state)
{
    struct devpath_retarget how = {.source = primary,
                                   .target = hd_of(SPAN(HD_SHADOW, END)),
                                   .disk = span_of(NULL, 0),
                                   .form = DEVPATH_KEEP_FORM};
    uint8_t room[64];
    struct builder builder;

    (void)state;
    builder_init(&builder, room, sizeof(room));
    assert_int_equal(devpath_put_retargeted(&builder, SPAN(PCI(1, 0), HD_PRIMARY, END), &how), 1);
    assert_bytes(builder_span(&builder), SPAN(HD_SHADOW, END));
    builder_init(&builder, room, 45);
    assert_int_equal(devpath_put_retargeted(&builder, SPAN(PCI(1, 0), HD_PRIMARY, END), &how), 1);
    assert_true(builder.failed);
}

/* A list of two paths; the GUID in the first begins with the same bytes. */
static void signature_of_an_mbr_is_replaced_and_nothing_else(void **state)
{
    static const uint8_t before[] = {HD_PRIMARY, FILE_LOADER, END, HD_MBR, FILE_LOADER, END};
    const size_t at = sizeof((uint8_t[]){HD_PRIMARY, FILE_LOADER, END}) + 24;
    uint8_t bytes[sizeof(before)];
    uint8_t wanted[sizeof(before)];

    (void)state;
    memcpy(bytes, before, sizeof(before));
    memcpy(wanted, before, sizeof(before));
    assert_int_equal(devpath_set_signature(bytes, sizeof(bytes), 0x68d298c1, 0x12345678), 0);
    assert_memory_equal(bytes, before, sizeof(before));
    assert_int_equal(devpath_set_signature(bytes, sizeof(bytes) - 1, 0x68d298c0, 0x12345678), 0);
    assert_memory_equal(bytes, before, sizeof(before));
    wanted[at] = 0x78;
    wanted[at + 1] = 0x56;
    wanted[at + 2] = 0x34;
    wanted[at + 3] = 0x12;
    assert_int_equal(devpath_set_signature(bytes, sizeof(bytes), 0x68d298c0, 0x12345678), 1);
    assert_memory_equal(bytes, wanted, sizeof(wanted));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(node_is_taken_with_type_data_and_rest),
        cmocka_unit_test(signature_of_an_mbr_is_replaced_and_nothing_else),
        cmocka_unit_test(node_with_impossible_length_is_damaged_and_changes_nothing),
        cmocka_unit_test(path_cut_anywhere_is_damaged),
        cmocka_unit_test(path_ends_at_its_first_end_entire),
        cmocka_unit_test(form_is_told_by_the_first_node),
        cmocka_unit_test(hard_drive_node_gives_every_field),
        cmocka_unit_test(hard_drive_node_of_wrong_length_is_none),
        cmocka_unit_test(path_without_hard_drive_or_damaged_has_none),
        cmocka_unit_test(guid_counts_only_where_the_signature_is_a_guid),
        cmocka_unit_test(same_partition_is_number_format_and_signature),
        cmocka_unit_test(guid_is_found_in_every_instance_and_path_of_a_list),
        cmocka_unit_test(file_nodes_are_joined_by_single_backslashes),
        cmocka_unit_test(file_name_stops_at_its_nul_and_drops_half_a_character),
        cmocka_unit_test(path_that_does_not_end_in_a_file_has_none),
        cmocka_unit_test(file_without_memory_is_reported),
        cmocka_unit_test(prefix_is_whole_nodes_from_the_start),
        cmocka_unit_test(order_is_that_of_the_machine_and_total),
        cmocka_unit_test(order_is_antisymmetric_and_transitive_for_any_bytes),
        cmocka_unit_test(usb_is_seen_on_the_way_only),
        cmocka_unit_test(disks_in_memory_and_network_cards_are_known_by_their_nodes),
        cmocka_unit_test(put_hd_writes_the_reference_node),
        cmocka_unit_test(file_too_long_for_a_node_fails_the_builder),
        cmocka_unit_test(short_path_stays_short_or_becomes_full),
        cmocka_unit_test(full_path_starts_at_the_target_disk_or_becomes_short),
        cmocka_unit_test(other_partitions_and_instances_stay_as_they_are),
        cmocka_unit_test(every_mention_of_the_source_is_replaced),
        cmocka_unit_test(damaged_path_is_copied_unchanged),
        cmocka_unit_test(without_a_disk_path_the_result_is_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
