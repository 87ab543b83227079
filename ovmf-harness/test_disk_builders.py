"""The disk, FAT and variable builders judged by other people's tools, without a machine."""
import re
import shutil
import struct

import pytest

import devicepath
import gpt
import mbr
from fat import Volume, run
from firmware import FIRMWARE
from gpt import ESP, LDM_METADATA, MSR, Partition, Table
from machine import MIB
from nvram import Nvram

GUID = '68d298c0-1b6a-01c1-507b-9e5f8078f531'
DISK_GUID = '11223344-5566-7788-99aa-bbccddeeff00'


@pytest.fixture
def image(tmp_path):
    path = tmp_path / 'disk.img'
    with open(path, 'wb') as stream:
        stream.truncate(64 * MIB)
    return path


def test_table_with_first_block_63_is_right_for_sgdisk(image):
    Table(image, 512, [Partition(ESP, 63, 40000, GUID, 'EFI system partition'),
                       Partition(MSR, 50000, 1000, name='MSR')], DISK_GUID).write()
    assert gpt.complaints(image) == ''
    info = run('sgdisk', '-i', '1', image).stdout.decode()
    assert f'Partition unique GUID: {GUID.upper()}' in info
    assert 'First sector: 63 ' in info and 'Last sector: 40062 ' in info
    assert "Partition name: 'EFI system partition'" in info
    assert DISK_GUID.upper() in run('sgdisk', '-p', image).stdout.decode()


def test_table_with_first_block_34_is_right_for_sgdisk(image):
    Table(image, 512, [Partition(ESP, 34, 0x6600)]).write()
    assert gpt.complaints(image) == ''
    assert gpt.read(image).first_usable == 34


@pytest.mark.parametrize('count,size', [(128, 128), (16, 128), (256, 128), (128, 256)])
def test_entry_counts_and_sizes(image, count, size):
    table = Table(image, 512, [Partition(ESP, number=count)], entry_count=count, entry_size=size)
    table.write()
    for backup in (False, True):
        copy = gpt.read(image, backup=backup)
        assert (copy.entry_count, copy.entry_size) == (count, size)
        assert [part.number for part in copy.partitions] == [count]
    if size == 128:
        assert gpt.complaints(image) == ''


def test_table_of_4096_byte_blocks_is_read_back(image):
    table = Table(image, 4096, [Partition(ESP, 63, 1000, GUID), Partition(LDM_METADATA, 2000, 256)])
    table.write()
    assert table.first_usable == 6 and table.primary_entries == 8192
    assert gpt.peek(image, 4096, 8) == b'EFI PART'
    for backup in (False, True):
        assert gpt.read(image, 4096, backup).partitions == table.partitions


def test_numbers_asked_for_are_kept_and_others_fill_the_gaps(image):
    table = Table(image, 512, [Partition(ESP, 63, 1000, number=2), Partition(MSR, 2000, 100),
                               Partition(LDM_METADATA, 3000, 10)]).write()
    assert [part.number for part in table.partitions] == [2, 1, 3]
    assert table.entry_offset(2) == 1024 + 128
    assert gpt.complaints(image) == ''


@pytest.mark.parametrize('where,backup,what', [
    ('primary_header', False, 'checksum'), ('primary_entries', False, 'entries'),
    ('backup_header', True, 'checksum'), ('backup_entries', True, 'entries')])
def test_one_flipped_bit_is_damage(image, where, backup, what):
    table = Table(image, 512, [Partition(ESP)]).write()
    gpt.flip(image, getattr(table, where) + 40)
    with pytest.raises(ValueError, match=what):
        gpt.read(image, backup=backup)
    gpt.read(image, backup=not backup)
    assert gpt.complaints(image)


def test_mbr_with_logical_partitions_is_right_for_sfdisk(image):
    extended = mbr.Partition(mbr.TYPE_EXTENDED_LBA, 40000, 60000)
    mbr.write(image, 0xE22CA1CF, [mbr.Partition(mbr.TYPE_ESP, 63, 20000, True),
                                  mbr.Partition(mbr.TYPE_LDM, 30000, 10000), extended])
    mbr.write_logical(image, extended, [mbr.Partition(7, 40001, 1000),
                                        mbr.Partition(12, 50000, 2000)])
    told = run('sfdisk', '-d', image).stdout.decode()
    rows = re.findall(r'img(\d) : start= *(\d+), size= *(\d+), type=(\w+)(, bootable)?', told)
    assert 'label-id: 0xe22ca1cf' in told
    assert rows == [('1', '63', '20000', 'ef', ', bootable'), ('2', '30000', '10000', '42', ''),
                    ('3', '40000', '60000', 'f', ''), ('5', '40001', '1000', '7', ''),
                    ('6', '50000', '2000', 'c', '')]


@pytest.mark.parametrize('fat', [12, 16, 32])
def test_files_come_back_and_fsck_is_content(image, fat):
    volume = Volume(image, 63 * 512, (8 if fat == 12 else 48) * MIB).format(fat, 'ESP', 0x1234ABCD)
    big = bytes(range(256)) * 5000
    volume.put('\\EFI\\Microsoft\\Boot\\bootmgfw.efi', big)
    volume.put('/EFI/BOOT/BOOTX64.EFI', b'x')
    volume.put('/EFI/BOOT/BOOTX64.EFI', b'replaced')
    volume.put('/a file with a long name.txt', b'')
    assert volume.get('/EFI/Microsoft/Boot/bootmgfw.efi') == big
    assert volume.list() == ['/EFI/', '/EFI/BOOT/', '/EFI/BOOT/BOOTX64.EFI', '/EFI/Microsoft/',
                             '/EFI/Microsoft/Boot/', '/EFI/Microsoft/Boot/bootmgfw.efi',
                             '/a file with a long name.txt']
    volume.fsck()
    volume.delete('/EFI/BOOT')
    assert not volume.exists('/EFI/BOOT/BOOTX64.EFI')
    with pytest.raises(FileNotFoundError):
        volume.get('/EFI/BOOT/BOOTX64.EFI')
    assert gpt.peek(image, 63 * 512 + 28, 4) == struct.pack('<I', 63), 'hidden sectors'
    assert gpt.peek(image, 0, 63 * 512) == bytes(63 * 512), 'nothing before the volume'


def test_volume_of_4096_byte_blocks(image):
    volume = Volume(image, 63 * 4096, 48 * MIB, 4096).format(16)
    volume.put('/EFI/a.bin', b'abc' * 9999)
    assert volume.get('EFI/a.bin') == b'abc' * 9999
    assert gpt.peek(image, 63 * 4096 + 11, 2) == struct.pack('<H', 4096)
    volume.fsck()


def test_fsck_notices_a_damaged_fat(image):
    volume = Volume(image, 63 * 512, 48 * MIB).format(16)
    volume.put('/a.bin', bytes(100000))
    gpt.poke(image, 63 * 512 + 4 * 512 + 8, b'\x12\x34\x56\x78')
    with pytest.raises(RuntimeError, match='fsck'):
        volume.fsck()


def test_trees_are_copied_and_compared(image, tmp_path):
    source = tmp_path / 'source'
    (source / 'EFI' / 'x').mkdir(parents=True)
    (source / 'EFI' / 'x' / 'y.txt').write_bytes(b'why')
    volume = Volume(image, 0, 48 * MIB).format(32).put_tree(source)
    assert volume.tree() == {'/EFI/x/y.txt': b'why'}
    volume.put_tree(source / 'EFI', '/below')
    assert volume.get('below/x/y.txt') == b'why'


@pytest.fixture
def nvram(tmp_path):
    shutil.copyfile(FIRMWARE.variables, tmp_path / 'vars.fd')
    return Nvram(tmp_path / 'vars.fd')


def test_fresh_store_has_no_variables_and_keeps_its_size(nvram):
    size = nvram.path.stat().st_size
    assert nvram.variables() == [] and nvram.order == []
    nvram.set('Timeout', b'\x07\0')
    assert nvram.timeout == 7 and nvram.path.stat().st_size == size


def test_entries_order_and_next_are_read_back(nvram):
    path = devicepath.path(devicepath.hd(1, 63, 1000, GUID), devicepath.file('\\a.efi'))
    nvram.set_entry(3, 'Three', path, b'opt')
    nvram.set_entry(0xAB, 'First', path, order='first')
    nvram.set_entry(9, 'Orphan', path, attributes=0, order=None)
    nvram.next = 9
    assert nvram.order == [0xAB, 3] and nvram.next == 9
    assert {n: e.description for n, e in nvram.entries().items()} == {
        3: 'Three', 9: 'Orphan', 0xAB: 'First'}
    assert nvram.entry(3).optional == b'opt' and nvram.entry(9).attributes == 0
    assert nvram.find('First') == [0xAB] and nvram.entry(3).hd.start == 63
    nvram.delete_entry(0xAB)
    nvram.next = None
    assert nvram.order == [3] and nvram.next is None and nvram.entry(0xAB) is None


def test_full_store_is_refused_and_unchanged(nvram):
    before = nvram.path.read_bytes()
    with pytest.raises(ValueError, match='full'):
        nvram.set('Big', bytes(300000))
    assert nvram.path.read_bytes() == before


def test_replaced_and_deleted_variables_of_the_firmware_are_not_seen(nvram):
    nvram.set('A', b'old')
    nvram.set('B', b'gone')
    image = bytearray(nvram.path.read_bytes())
    first = image.index(b'\xaa\x55\x3f')
    image[first + 2] = 0x3C
    nvram.path.write_bytes(image)
    assert [v.name for v in nvram.variables()] == ['B']
    image[first + 2] = 0x3E
    nvram.path.write_bytes(image)
    assert [v.name for v in nvram.variables()] == ['A', 'B']


# Bytes from the UEFI specification's layouts, written out by hand.
ARTICLE_HD = bytes.fromhex(
    '04012a000100000022000000000000000060060000000000c5886647bf8ed24780e7cf9d065edb810202')
ITANIUM = bytes.fromhex(
    '57494e444f575300010000007800000028000000' '2f0072006500640069007200' '6500630074000000'
    '010000005000000004000000' '04012a00040000002260070000000000c83e990000000000'
    '8612d1f38225764d889cb82c346be44e0202' '040416005c00570049004e0044004f00570053000000'
    '7fff0400')


def test_hd_node_has_the_bytes_of_the_specification():
    assert devicepath.hd(1, 0x22, 0x66000, '476688c5-8ebf-47d2-80e7-cf9d065edb81') == ARTICLE_HD


def test_itanium_options_have_the_bytes_of_the_example():
    boot = devicepath.hd(4, 0x76022, 0x993EC8, 'f3d11286-2582-4d76-889c-b82c346be44e')
    packed = devicepath.itanium_options('/redirect', boot)
    assert packed == ITANIUM
    read = devicepath.WindowsOptions.unpack(packed)
    assert read.load_options == '/redirect' and len(packed) == 120
    assert devicepath.find_hd(read.os_device_path).number == 4
    assert devicepath.find_file(read.os_device_path) == '\\WINDOWS'


def test_modern_options_have_the_length_and_offsets_of_a_real_dump():
    packed = devicepath.modern_options()
    assert len(packed) == 136
    assert struct.unpack_from('<III', packed, 8) == (1, 0x88, 0x78)
    assert packed[0x78:] == bytes.fromhex('0100000010000000040000007fff0400')
    assert devicepath.WindowsOptions.unpack(packed).load_options == devicepath.BOOTMGR_OBJECT


@pytest.mark.parametrize('data', [b'', b'\x01\0\0\0\0', b'\x01\0\0\0\x04\0a\0b\0',
                                  b'\x01\0\0\0\x09\0a\0\0\0\x7f\xff\x04\0'])
def test_malformed_load_options_are_refused(data):
    with pytest.raises(ValueError):
        devicepath.LoadOption.unpack(data)


def test_load_option_is_packed_and_unpacked():
    option = devicepath.LoadOption('W\u00e4hle', devicepath.shell_path(), b'\x01\x02\x03', 9)
    packed = option.pack()
    assert packed[:8] == b'\x09\0\0\0\x2c\0W\0' and devicepath.LoadOption.unpack(packed) == option


@pytest.mark.parametrize('data', [b'\x04\x01\x03\0', b'\x04\x01\x2a\0', b'\x04\x04\x04\0'])
def test_malformed_paths_are_refused(data):
    with pytest.raises(ValueError):
        devicepath.split(data)
