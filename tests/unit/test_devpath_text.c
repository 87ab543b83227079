#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "format/devpath_text.h"
#include "unit/bytes_fixture.h"

#define END 0x7f, 0xff, 0x04, 0x00
/* clang-format off */
#define HD_SHADOW                                                                                  \
    0x04, 0x01, 0x2a, 0x00, 0x01, 0x00, 0x00, 0x00, 0x22, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,\
    0x00, 0x60, 0x06, 0x00, 0x00, 0x00, 0x00, 0x00, 0xc5, 0x88, 0x66, 0x47, 0xbf, 0x8e, 0xd2, 0x47,\
    0x80, 0xe7, 0xcf, 0x9d, 0x06, 0x5e, 0xdb, 0x81, 0x02, 0x02
#define GUID_BYTES                                                                                 \
    0xc5, 0x88, 0x66, 0x47, 0xbf, 0x8e, 0xd2, 0x47, 0x80, 0xe7, 0xcf, 0x9d, 0x06, 0x5e, 0xdb, 0x81
#define GUID_TEXT "476688c5-8ebf-47d2-80e7-cf9d065edb81"
#define SAS_GUID                                                                                   \
    0xb4, 0xdd, 0x87, 0xd4, 0x8b, 0x00, 0xd9, 0x11, 0xaf, 0xdc, 0x00, 0x10, 0x83, 0xff, 0xca, 0x4d
/* clang-format on */

/* Prints the bytes from a block of just their size. */
static void assert_text(const uint8_t *bytes, size_t size, const char *want)
{
    struct span copy = fixture_exact(bytes, size);
    struct arena arena = fixture_scratch();

    const char *text = devpath_text(&arena, copy);
    assert_non_null(text);
    assert_string_equal(text, want);
    fixture_drop(copy);
}

#define TEXT(want, ...) \
    assert_text((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), want)

static void hard_drive_and_file_print_as_firmware_does(void **state)
{
    (void)state;
    TEXT("HD(1,GPT," GUID_TEXT ",0x22,0x66000)/\\a", HD_SHADOW, 4, 4, 10, 0, '\\', 0, 'a', 0, 0, 0,
         END);
    TEXT("HD(5,MBR,0x68d298c0,0x3f,0x100000000)", 4, 1, 42, 0, 5, 0, 0, 0, 0x3f, 0, 0, 0, 0, 0, 0,
         0, 0, 0, 0, 0, 1, 0, 0, 0, 0xc0, 0x98, 0xd2, 0x68, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
         1, END);
    TEXT("HD(1,0,0,0x0,0x1)", 4, 1, 42, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0,
         0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 1, 0, END);
    TEXT("MediaPath(1,0102)", 4, 1, 6, 0, 1, 2, END);
    TEXT("CDROM(0x1,0x29,0x10)", 4, 2, 24, 0, 1, 0, 0, 0, 0x29, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0,
         0, 0, 0, 0, END);
    TEXT("Offset(0x10,0x20)", 4, 8, 24, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0, 0x20, 0, 0, 0, 0,
         0, 0, 0, END);
}

static void hardware_and_acpi_nodes_have_their_names(void **state)
{
    (void)state;
    TEXT("PciRoot(0x0)/Pci(0x1f,0x2)", 2, 1, 12, 0, 0xd0, 0x41, 3, 0x0a, 0, 0, 0, 0, 1, 1, 6, 0, 2,
         0x1f, END);
    TEXT("PcieRoot(0x1)", 2, 1, 12, 0, 0xd0, 0x41, 8, 0x0a, 1, 0, 0, 0, END);
    TEXT("Floppy(0x0)", 2, 1, 12, 0, 0xd0, 0x41, 4, 6, 0, 0, 0, 0, END);
    TEXT("Acpi(PNP0c0e,0x2)", 2, 1, 12, 0, 0xd0, 0x41, 0x0e, 0x0c, 2, 0, 0, 0, END);
    TEXT("Acpi(0x0a0341d1,0x0)", 2, 1, 12, 0, 0xd1, 0x41, 3, 0x0a, 0, 0, 0, 0, END);
    TEXT("AcpiEx(VMBus,,)", 2, 2, 24, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'V', 'M', 'B', 'u',
         's', 0, 0, 0, END);
    TEXT("AcpiEx(PNP0A08,PNP0A03,0x7)", 2, 2, 19, 0, 0xd0, 0x41, 8, 0x0a, 7, 0, 0, 0, 0xd0, 0x41, 3,
         0x0a, 0, 0, 0, END);
    TEXT("AcpiPath(2,000000000000000000000000)", 2, 2, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
         END);
    TEXT("AcpiAdr(0x80010100)", 2, 3, 8, 0, 0, 1, 1, 0x80, END);
    TEXT("Ctrl(0x3)", 1, 5, 8, 0, 3, 0, 0, 0, END);
    TEXT("MemoryMapped(0xb,0x1000,0x1fff)", 1, 3, 24, 0, 11, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0,
         0xff, 0x1f, 0, 0, 0, 0, 0, 0, END);
    TEXT("HardwarePath(1,00)", 1, 1, 5, 0, 0, END);
}

static void disks_print_by_their_bus(void **state)
{
    (void)state;
    TEXT("Sata(0x2,0xffff,0x0)", 3, 18, 10, 0, 2, 0, 0xff, 0xff, 0, 0, END);
    TEXT("NVMe(0x1,00-25-38-5a-91-b0-0c-1f)", 3, 23, 16, 0, 1, 0, 0, 0, 0x1f, 0x0c, 0xb0, 0x91,
         0x5a, 0x38, 0x25, 0x00, END);
    TEXT("USB(0x1,0x0)", 3, 5, 6, 0, 1, 0, END);
    TEXT("Scsi(0x1,0x200)", 3, 2, 8, 0, 1, 0, 0, 2, END);
    TEXT("Ata(Secondary,Master,0x0)", 3, 1, 8, 0, 1, 0, 0, 0, END);
    TEXT("Ata(Primary,Slave,0x1)", 3, 1, 8, 0, 0, 1, 1, 0, END);
    TEXT("eMMC(0x0)", 3, 29, 5, 0, 0, END);
    TEXT("SD(0x1)", 3, 26, 5, 0, 1, END);
    TEXT("UFS(0x0,0x2)", 3, 25, 6, 0, 0, 2, END);
    TEXT("Unit(0x4)", 3, 17, 5, 0, 4, END);
    TEXT("Fibre(0x1,0x2)", 3, 3, 24, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0,
         END);
    TEXT("UsbClass(0xffff,0x1234,0x8,0x6,0x50)", 3, 15, 11, 0, 0xff, 0xff, 0x34, 0x12, 8, 6, 0x50,
         END);
    TEXT("UsbWwid(0x1,0x2,0x3,\"S1\")", 3, 16, 14, 0, 3, 0, 1, 0, 2, 0, 'S', 0, '1', 0, END);
}

static void sas_prints_address_unit_and_topology(void **state)
{
    (void)state;
    TEXT("SasEx(0x5000c50000000001,0x0002000000000000,0x3,SATA,External,Expanded,0x6)", 3, 22, 24,
         0, 0x50, 0, 0xc5, 0, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0x72, 5, 3, 0, END);
    TEXT("SasEx(0x5000c50000000001,0x0000000000000000,0x0,NoTopology,0,0,0)", 3, 22, 24, 0, 0x50, 0,
         0xc5, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, END);
    TEXT("SAS(0x1,0x2,0x4,SAS,Internal,Direct,0,0x9)", 3, 10, 44, 0, SAS_GUID, 9, 0, 0, 0, 1, 0, 0,
         0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 4, 0, END);
    TEXT("SAS(0x1,0x2,0x4,0x83,0,0,0,0x0)", 3, 10, 44, 0, SAS_GUID, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0,
         0, 2, 0, 0, 0, 0, 0, 0, 0, 0x83, 0, 4, 0, END);
    TEXT("VenMsg(d487ddb4-008b-11d9-afdc-001083ffca4d)", 3, 10, 20, 0, SAS_GUID, END);
}

static void vendor_and_firmware_volume_nodes_print_guids(void **state)
{
    (void)state;
    TEXT("VenHw(" GUID_TEXT ")", 1, 4, 20, 0, GUID_BYTES, END);
    TEXT("VenHw(" GUID_TEXT ",00ff)", 1, 4, 22, 0, GUID_BYTES, 0, 0xff, END);
    TEXT("VenMsg(" GUID_TEXT ",01)", 3, 10, 21, 0, GUID_BYTES, 1, END);
    TEXT("VenMedia(" GUID_TEXT ")", 4, 3, 20, 0, GUID_BYTES, END);
    TEXT("Fv(" GUID_TEXT ")/FvFile(" GUID_TEXT ")", 4, 7, 20, 0, GUID_BYTES, 4, 6, 20, 0,
         GUID_BYTES, END);
    TEXT("HardwarePath(4,0102)", 1, 4, 6, 0, 1, 2, END);
    TEXT("MediaPath(7,010203)", 4, 7, 7, 0, 1, 2, 3, END);
}

static void network_nodes_print_short(void **state)
{
    (void)state;
    TEXT("MAC(525400123456,0x1)/IPv4(10.0.2.15)/Uri(http://x)", 3, 11, 37, 0, 0x52, 0x54, 0, 0x12,
         0x34, 0x56, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
         1, 3, 12, 19, 0, 1, 2, 3, 4, 10, 0, 2, 15, 0, 0, 0, 0, 6, 0, 0, 3, 24, 12, 0, 'h', 't',
         't', 'p', ':', '/', '/', 'x', END);
    TEXT("Uri()", 3, 24, 4, 0, END);
    TEXT("VirtualDisk(0x1000000,0x4ffffff,3)", 4, 9, 38, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0xff, 0xff,
         0xff, 4, 0, 0, 0, 0, 0x5a, 0x53, 0xab, 0x77, 0xfc, 0x45, 0x4b, 0x62, 0x55, 0x60, 0xf7,
         0xb2, 0x81, 0xd1, 0xf9, 0x6e, 3, 0, END);
    TEXT("RamDisk(0x1,0x2,0,3d5abd30-4175-87ce-6d64-d2ade523c4bb)", 4, 9, 38, 0, 1, 0, 0, 0, 0, 0,
         0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0x30, 0xbd, 0x5a, 0x3d, 0x75, 0x41, 0xce, 0x87, 0x6d, 0x64,
         0xd2, 0xad, 0xe5, 0x23, 0xc4, 0xbb, 0, 0, END);
    TEXT("Msg(12,0a)", 3, 12, 5, 0, 10, END);
}

static void bbs_prints_type_and_description(void **state)
{
    (void)state;
    TEXT("BBS(Harddrive,ST1)", 5, 1, 12, 0, 2, 0, 0, 0, 'S', 'T', '1', 0, END);
    TEXT("BBS(Network,)", 5, 1, 9, 0, 6, 0, 0, 0, 0, END);
    TEXT("BBS(0x80,x)", 5, 1, 9, 0, 0x80, 0, 0, 0, 'x', END);
    TEXT("BBS(0x0,)", 5, 1, 8, 0, 0, 0, 0, 0, END);
    TEXT("BbsPath(1,0200)", 5, 1, 6, 0, 2, 0, END);
}

static void unknown_nodes_print_their_bytes_up_to_32(void **state)
{
    (void)state;
    TEXT("HardwarePath(99)", 1, 99, 4, 0, END);
    TEXT("AcpiPath(9,01)", 2, 9, 5, 0, 1, END);
    TEXT("Msg(200,0102)", 3, 200, 6, 0, 1, 2, END);
    TEXT("MediaPath(77,ab)", 4, 77, 5, 0, 0xab, END);
    TEXT("BbsPath(2,01)", 5, 2, 5, 0, 1, END);
    TEXT("Path(6,1,01)", 6, 1, 5, 0, 1, END);
    TEXT("Path(0,0)", 0, 0, 4, 0, END);
    TEXT("Path(255,255,0102)", 255, 255, 6, 0, 1, 2, END);
    TEXT("Path(6,1,000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f)", 6, 1, 36, 0,
         0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
         25, 26, 27, 28, 29, 30, 31, END);
    TEXT("Path(6,1,000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f...)", 6, 1, 37,
         0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23,
         24, 25, 26, 27, 28, 29, 30, 31, 32, END);
}

static void instances_are_divided_by_commas(void **state)
{
    (void)state;
    TEXT("Pci(0x1,0x0)/USB(0x2,0x0),Pci(0x3,0x0)", 1, 1, 6, 0, 0, 1, 3, 5, 6, 0, 2, 0, 0x7f, 1, 4,
         0, 1, 1, 6, 0, 0, 3, END);
    TEXT("Pci(0x1,0x0)", 1, 1, 6, 0, 0, 1, END, 1, 1, 6, 0, 0, 3, END);
    TEXT("", END);
}

static void malformed_path_ends_in_a_word_for_it(void **state)
{
    (void)state;
    TEXT("Pci(0x1,0x0)/<damaged>", 1, 1, 6, 0, 0, 1);
    TEXT("Pci(0x1,0x0)/<damaged>", 1, 1, 6, 0, 0, 1, 1, 1, 0, 0, END);
    TEXT("Pci(0x1,0x0)/<damaged>", 1, 1, 6, 0, 0, 1, 1, 1, 0xff, 0xff, 1);
    TEXT("Pci(0x1,0x0),<damaged>", 1, 1, 6, 0, 0, 1, 0x7f, 1, 4, 0);
    TEXT("<damaged>", 0x7f);
    assert_text((const uint8_t[]){0}, 0, "<damaged>");
}

static void text_from_outside_cannot_control_the_terminal(void **state)
{
    (void)state;
    TEXT("\\u001b[2J", 4, 4, 14, 0, 0x1b, 0, '[', 0, '2', 0, 'J', 0, 0, 0, END);
    TEXT("a\\u202eb", 4, 4, 12, 0, 'a', 0, 0x2e, 0x20, 'b', 0, 0, 0, END);
    TEXT("Uri(\\u001b[0m\\xff)", 3, 24, 9, 0, 0x1b, '[', '0', 'm', 0xff, END);
    TEXT("BBS(Usb,\\u0007)", 5, 1, 10, 0, 5, 0, 0, 0, 7, 0, END);
    TEXT("AcpiEx(\\u0007,,)", 2, 2, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, END);
}

static void file_name_is_cut_at_its_nul_or_end(void **state)
{
    (void)state;
    TEXT("a", 4, 4, 10, 0, 'a', 0, 0, 0, 'b', 0, END);
    TEXT("a", 4, 4, 7, 0, 'a', 0, 'b', END);
    TEXT("", 4, 4, 4, 0, END);
}

static void text_without_memory_is_null(void **state)
{
    static const uint8_t path[] = {HD_SHADOW, 4, 4, 10, 0, '\\', 0, 'a', 0, 0, 0, END};
    size_t size = 0;

    (void)state;
    for (; size < FIXTURE_SCRATCH; size++) {
        struct arena arena = fixture_scratch_of(size);
        if (devpath_text(&arena, span_of(path, sizeof(path))) != NULL)
            break;
        assert_int_equal(arena_mark(&arena), 0);
    }
    assert_in_range(size, 60, 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hard_drive_and_file_print_as_firmware_does),
        cmocka_unit_test(hardware_and_acpi_nodes_have_their_names),
        cmocka_unit_test(disks_print_by_their_bus),
        cmocka_unit_test(sas_prints_address_unit_and_topology),
        cmocka_unit_test(vendor_and_firmware_volume_nodes_print_guids),
        cmocka_unit_test(network_nodes_print_short),
        cmocka_unit_test(bbs_prints_type_and_description),
        cmocka_unit_test(unknown_nodes_print_their_bytes_up_to_32),
        cmocka_unit_test(instances_are_divided_by_commas),
        cmocka_unit_test(malformed_path_ends_in_a_word_for_it),
        cmocka_unit_test(text_from_outside_cannot_control_the_terminal),
        cmocka_unit_test(file_name_is_cut_at_its_nul_or_end),
        cmocka_unit_test(text_without_memory_is_null),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
