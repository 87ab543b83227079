"""Marks by which others claim a disk, as they lie on one: samples for the tests of what is left alone.

    for offset, data in MARKS['imsm'].pieces(size): ...       # of a disk of `size` bytes

Built from the formats' own descriptions, with the checksums that their readers ask for; blkid
(util-linux) judges that they are what they are called (`blkid`: the type it prints, '' where it does not
know the kind). LUKS, ext4, NTFS, FAT and swap come from the tools that make them.
"""
import functools
import os
import struct
import subprocess
import tempfile
import zlib
from dataclasses import dataclass
from typing import Callable

import mirror
import sparse

KIB, MIB = 1024, 1024 * 1024
SECTOR = 512
UUID = bytes(range(0x31, 0x41))


@dataclass
class Mark:
    name: str
    words: str                     # part of what the program calls it
    blkid: str
    pieces: Callable               # size of the disk -> [(offset, bytes)]
    raid: bool = False


MARKS = {}


def mark(name, words, blkid='', raid=False):
    """Register what a function builds under a name."""
    def register(function):
        MARKS[name] = Mark(name, words, blkid, function, raid)
        return function
    return register


def raid(name, words, blkid=''):
    return mark(name, words, blkid, True)


def field(size, *parts):
    """Bytes of a structure: (offset, bytes) put into zeros."""
    data = bytearray(size)
    for at, part in parts:
        data[at:at + len(part)] = part
    return data


# RAID of whole disks

def md_1(sector, size, data_offset):
    """The superblock of a format 1.x member of that many bytes."""
    blocks = size // SECTOR
    block = bytearray(mirror.md_superblock(0, blocks, 'box:whole'))
    used = blocks - 2048
    struct.pack_into('<Q', block, 80, used)
    struct.pack_into('<QQQ', block, 128, data_offset, used, sector)
    block[216:220] = bytes(4)
    total = sum(struct.unpack(f'<{len(block) // 4}I', block))
    struct.pack_into('<I', block, 216, ((total & 0xFFFFFFFF) + (total >> 32)) & 0xFFFFFFFF)
    return bytes(block)


@raid('md-1.0', 'Linux md 1.0', 'linux_raid_member')
def md_1_0(size):
    sector = (size // SECTOR - 16) & ~7
    return [(sector * SECTOR, md_1(sector, size, 0))]


@raid('md-1.1', 'Linux md 1.1', 'linux_raid_member')
def md_1_1(size):
    return [(0, md_1(0, size, 2048))]


@raid('md-1.2', 'Linux md 1.2', 'linux_raid_member')
def md_1_2(size):
    return [(4096, md_1(8, size, 2048))]


@raid('md-0.90', 'Linux md 0.90', 'linux_raid_member')
def md_0_90(size):
    offset = size // (64 * KIB) * 64 * KIB - 64 * KIB
    words = [0] * 1024
    words[0:11] = [0xA92B4EFC, 0, 90, 0, 0, 0x11111111, 1, 1, offset // KIB, 2, 2]
    words[13:16] = [0x22222222, 0x33333333, 0x44444444]
    words[992:997] = [0, 8, 0, 0, 6]
    total = sum(words)
    words[38] = ((total & 0xFFFFFFFF) + (total >> 32)) & 0xFFFFFFFF
    return [(offset, struct.pack('<1024I', *words))]


@raid('imsm', 'Intel RAID', 'isw_raid_member')
def imsm(size):
    return [(size - 1024, field(512, (0, b'Intel Raid ISM Cfg Sig. 1.1.00'), (36, struct.pack('<I', 480))))]


@raid('imsm-4k', 'Intel RAID')
def imsm_4k(size):
    return [(size - 8192, field(512, (0, b'Intel Raid ISM Cfg Sig. 1.3.00')))]


@raid('ddf', 'DDF RAID', 'ddf_raid_member')
def ddf(size):
    primary = size // SECTOR - 65536
    data = bytearray(b'\xff' * 512)
    data[:4] = b'\xde\x11\xde\x11'
    data[8:32] = b'Linux-MD\xde\xad\xbe\xef\0\0\0\x009#\xf6\xe3 \x9as\xe6'
    data[32:40] = b'01.02.00'
    struct.pack_into('>QQ', data, 96, primary, primary + 1)
    data[4:8] = b'\xff' * 4
    struct.pack_into('>I', data, 4, zlib.crc32(bytes(data)))
    return [(primary * SECTOR, bytes(data)), (size - SECTOR, bytes(data))]


def promise_at(sectors):
    return lambda size: [(size - sectors * SECTOR, field(512, (0, b'Promise Technology, Inc.')))]


for _sectors in (63, 255, 256, 16, 399, 591, 675, 735, 911, 974, 991, 951, 3087):
    raid(f'promise-{_sectors}', 'Promise', 'promise_fasttrack_raid_member')(promise_at(_sectors))


@raid('nvidia', 'nVidia', 'nvidia_raid_member')
def nvidia(size):
    data = field(120, (0, b'NVIDIA  '), (8, struct.pack('<I', 30)), (16, struct.pack('<H', 100)))
    total = sum(struct.unpack('<30I', data)) & 0xFFFFFFFF
    struct.pack_into('<I', data, 12, -total & 0xFFFFFFFF)
    return [(size - 1024, bytes(data))]


@raid('via', 'VIA', 'via_raid_member')
def via(size):
    data = field(51, (0, b'\x55\xaa\x01'), (3, struct.pack('<HBII', 3, 0, 100, 0)))
    data[50] = sum(data[:50]) & 0xFF
    return [(size - SECTOR, bytes(data))]


@raid('silicon', 'Silicon Image', 'silicon_medley_raid_member')
def silicon(size):
    data = field(512, (0x60, struct.pack('<I', 0x2F000000)), (0x108, struct.pack('<HH', 1, 2)),
                 (0x116, b'\0\1'))
    struct.pack_into('<H', data, 0x13E, -sum(struct.unpack('<159H', data[:0x13E])) & 0xFFFF)
    return [(size - SECTOR, bytes(data))]


@raid('lsi', 'LSI', 'lsi_mega_raid_member')
def lsi(size):
    return [(size - SECTOR, b'$XIDE$\1\0'.ljust(512, b'\1'))]


@raid('lsi-v3', 'LSI')
def lsi_v3(size):
    return [(size - SECTOR, b'$_IDE$\xde\x33\x31\1'.ljust(512, b'\1'))]


@raid('adaptec', 'Adaptec', 'adaptec_raid_member')
def adaptec(size):
    return [(size - SECTOR, field(512, (0, b'\x37\xfc\x4d\x1e'), (63, b'\1'), (256, b'DPTM')))]


@raid('adaptec-host', 'Adaptec')
def adaptec_host(size):
    return [(size - 17 * SECTOR, field(512, (0, b'\xc4\x65\x07\x90\0\0\0\1')))]


@raid('hpt45x', 'HighPoint 45x', 'hpt45x_raid_member')
def hpt45x(size):
    return [(size - 11 * SECTOR, field(512, (0, b'\xf3\x16\x78\x5a')))]


@raid('hpt37x', 'HighPoint 37x', 'hpt37x_raid_member')
def hpt37x(_size):
    return [(9 * SECTOR, field(512, (32, b'\xf0\x16\x78\x5a')))]


@raid('jmicron', 'JMicron', 'jmicron_raid_member')
def jmicron(size):
    data = field(128, (0, b'JM\1\0'), (16, b'\x12\x34\x56\x78'), (48, b'\1'))
    struct.pack_into('<H', data, 4, -sum(struct.unpack('<64H', data)) & 0xFFFF)
    return [(size - SECTOR, bytes(data))]


@raid('ite', 'ITE')
def ite(size):
    return [(size - 1024, field(512, (54, b'Integrated Technology Express Inc      ')))]


@raid('gmirror', 'GEOM')
def gmirror(size):
    return [(size - SECTOR, field(512, (0, b'GEOM::MIRROR\0\0\0\0\4'), (24, b'gm0')))]


@raid('drbd', 'DRBD', 'drbd')
def drbd(size):
    head = struct.pack('>Q4QQQI', 4, 0, 0, 0, 0, 0x4242424242424242, 0, 0)
    head = head[:60].ljust(60, b'\0') + b'\x83\x74\x02\x6b'
    return [(size - 4096, head + struct.pack('>IiIiI', 80, -64, 257, -72, 4096))]


# Volume managers, encryption

def lvm_crc(data):
    crc = 0xF597A6CF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xEDB88320 if crc & 1 else 0)
    return crc


@mark('lvm2', 'LVM2', 'LVM2_member')
def lvm2(_size):
    label = field(512, (0, b'LABELONE'), (8, struct.pack('<QII8s', 1, 0, 32, b'LVM2 001')),
                  (32, b'0123456789abcdefghijklmnopqrstuv'))
    struct.pack_into('<I', label, 16, lvm_crc(label[20:]))
    return [(512, bytes(label))]


@mark('lvm1', 'LVM1', 'LVM1_member')
def lvm1(_size):
    return [(0, field(512, (0, b'HM\1\0'), (4, struct.pack('<II', 0, 1024)),
                      (44, b'0123456789abcdefghijklmnopqrstuv')))]


def made(size, *command, option=(), first=None):
    """What a tool puts on a file of so many bytes, or on the `first` of them, as pieces."""
    with tempfile.TemporaryDirectory() as folder:
        name = f'{folder}/image'
        with open(name, 'wb') as stream:
            stream.truncate(size)
        subprocess.run([*command, name, *option], check=True, capture_output=True, input=b'secret')
        return list(sparse.pieces(name, 0, first))


@functools.cache
def luks(version):
    return made(32 * MIB, 'cryptsetup', 'luksFormat', '--batch-mode', '--type', f'luks{version}',
                '--pbkdf', 'pbkdf2', '--pbkdf-force-iterations', '1000')


@mark('luks1', 'LUKS', 'crypto_LUKS')
def luks1(_size):
    return [(at, data) for at, data in luks(1) if at < 4096][:1]


@mark('luks2', 'LUKS', 'crypto_LUKS')
def luks2(_size):
    return [(at, data[:64 * KIB]) for at, data in luks(2) if at < 64 * KIB]


def zfs_label(txg):
    """The names of a pool in XDR, and uberblocks, of one label of 256 KiB."""
    def pair(name, kind, value):
        text = struct.pack('>I', len(name)) + name.encode().ljust(-(-len(name) // 4) * 4, b'\0')
        body = text + struct.pack('>II', kind, 1) + value
        return struct.pack('>II', len(body) + 8, len(body) + 16) + body
    names = pair('version', 8, struct.pack('>Q', 5000)) + pair('guid', 8, struct.pack('>Q', 77))
    names += pair('name', 9, struct.pack('>I', 4) + b'tank')
    label = field(256 * KIB, (16 * KIB, b'\1\1\0\0' + struct.pack('>II', 0, 1) + names + bytes(8)))
    for number in range(8):
        struct.pack_into('<QQQQQ', label, 128 * KIB + number * KIB, 0x00BAB10C, 5000, txg + number, 99, 1)
    return bytes(label)


@mark('zfs', 'ZFS', 'zfs_member')
def zfs(size):
    end = size // (256 * KIB) * 256 * KIB
    places = (0, 256 * KIB, end - 512 * KIB, end - 256 * KIB)
    return [(place, zfs_label(100)) for place in places]


@mark('bcache', 'bcache', 'bcache')
def bcache(_size):
    magic = bytes.fromhex('c68573f64e1a45ca8265f57f48ba6d81')
    return [(4096, field(512, (8, struct.pack('<QQ', 8, 1)), (24, magic + UUID)))]


@mark('bcachefs-end', 'bcachefs')
def bcachefs_end(size):
    magic = bytes.fromhex('c68573f666ce90a9d96a60cf803df7ef')
    return [(size - MIB, field(512, (24, magic + UUID)))]


@mark('bluestore', 'BlueStore', 'ceph_bluestore')
def bluestore(_size):
    return [(0, b'bluestore block device\n' + b'01234567-89ab-cdef-0123-456789abcdef\n')]


@mark('vmfs-volume', 'VMFS', 'VMFS_volume_member')
def vmfs_volume(_size):
    return [(MIB, field(1024, (0, b'\x0d\xd0\x01\xc0\3'), (0x82, UUID), (0x200, b'\0\0\0\x40')))]


@mark('vmfs', 'VMFS', 'VMFS')
def vmfs(_size):
    return [(2 * MIB, field(512, (0, b'\x5e\xf1\xab\x2f\x0e'), (9, UUID)))]


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


@mark('stratis', 'Stratis', 'stratis')
def stratis(size):
    block = field(512, (4, b'!Stra0tis\x86\xff\x02^\x41rh'), (20, struct.pack('<Q', size // SECTOR)),
                  (32, b'0123456789abcdef0123456789abcdef' * 2))
    struct.pack_into('<I', block, 0, crc32c(block[4:]))
    return [(512, bytes(block)), (9 * 512, bytes(block))]


@mark('vdo', 'VDO', 'vdo')
def vdo(_size):
    return [(0, field(1024, (0, b'dmvdo001'), (8, struct.pack('<I', 5)), (44, UUID)))]


@mark('storage-spaces', 'Storage Spaces')
def storage_spaces(_size):
    return [(0, field(512, (0, b'SPACEDB '), (16, UUID)))]


@mark('bitlocker', 'BitLocker', 'BitLocker')
def bitlocker(_size):
    return [(0, field(512, (0, b'\xeb\x52\x90-FVE-FS-\0\2\x08'), (510, b'\x55\xaa')))]


@mark('apfs', 'APFS', 'apfs')
def apfs(size):
    block = field(4096, (8, struct.pack('<QQHHHH', 1, 1, 1, 0, 0, 0)), (32, b'NXSB'),
                  (36, struct.pack('<IQ', 4096, size // 4096)), (72, UUID))
    low = high = 0
    for word in struct.unpack('<1022I', block[8:]):
        low += word
        high += low
    first = ~((low + high) % 0xFFFFFFFF) & 0xFFFFFFFF
    second = ~((low + first) % 0xFFFFFFFF) & 0xFFFFFFFF
    struct.pack_into('<II', block, 0, first, second)
    return [(0, bytes(block))]


# File systems on a whole disk

@mark('btrfs', 'btrfs', 'btrfs')
def btrfs(size):
    block = field(4096, (32, UUID), (48, struct.pack('<QQ8s', 65536, 1, b'_BHRfS_M')),
                  (112, struct.pack('<Q', size)), (144, struct.pack('<II', 4096, 16384)))
    struct.pack_into('<I', block, 0, crc32c(block[32:]))
    return [(65536, bytes(block))]


@mark('xfs', 'XFS', 'xfs')
def xfs(size):
    # Block size 4096, four groups; what blkid compares with each other.
    blocks = size // 4096
    head = struct.pack('>4sIQQQ16sQQQQIIIIIHHHH12s', b'XFSB', 4096, blocks, 0, 0, UUID, 4, 64, 65, 66, 1,
                       blocks // 4, 4, 0, 16 * MIB // 4096, 0xB4A4, 512, 512, 8, b'')
    head += bytes([12, 9, 9, 3, (blocks // 4 - 1).bit_length(), 0, 0, 25])
    return [(0, field(512, (0, head)))]


@mark('ext4', 'ext', 'ext4')
def ext4(_size):
    return made(8 * MIB, 'mkfs.ext4', '-q', '-F', first=4096)


@mark('ntfs', 'NTFS', 'ntfs')
def ntfs(_size):
    return made(8 * MIB, 'mkfs.ntfs', '-q', '-F', first=64 * KIB)


@mark('fat', 'FAT', 'vfat')
def fat(_size):
    return made(8 * MIB, 'mkfs.fat', first=4096)


@mark('swap', 'swap', 'swap')
def swap(_size):
    return made(8 * MIB, 'mkswap', first=4096)


@mark('exfat', 'exFAT', 'exfat')
def exfat(size):
    sector = field(512, (0, b'\xeb\x76\x90EXFAT   '), (72, struct.pack('<QIIIII', size // 512, 128, 128,
                                                                      256, 1000, 4)),
                   (100, struct.pack('<IHHBBBB', 1, 0x100, 0, 9, 3, 1, 0x80)), (510, b'\x55\xaa'))
    boot = bytes(sector) + (field(512, (508, b'\0\0\x55\xaa')) * 8) + bytes(1024)
    total = 0
    for at, byte in enumerate(boot):
        if at not in (106, 107, 112):
            total = ((total << 31 | total >> 1) + byte) & 0xFFFFFFFF
    return [(0, boot + struct.pack('<I', total) * 128)]


@mark('refs', 'ReFS', 'ReFS')
def refs(_size):
    return [(0, field(512, (3, b'ReFS\0\0\0\0')))]


@mark('iso9660', 'ISO 9660', 'iso9660')
def iso9660(_size):
    return [(32 * KIB, field(2048, (0, b'\1CD001\1'), (40, b'DISC'.ljust(32)), (128, struct.pack('<H', 2048)))),
            (34 * KIB, field(2048, (0, b'\xffCD001\1')))]


@mark('udf', 'UDF')
def udf(_size):
    return [(32 * KIB, field(2048, (0, b'\0BEA01\1'))), (34 * KIB, field(2048, (0, b'\0NSR03\1')))]


@mark('squashfs', 'a file system', 'squashfs')
def squashfs(_size):
    return [(0, field(512, (0, b'hsqs'), (28, struct.pack('<HH', 4, 0))))]


@mark('unknown', 'not known')
def unknown(size):
    """What a controller nobody has heard of might leave in the last blocks."""
    return [(size - 4096, mirror.filler('unknown controller', 512))]


def put(image, name, start=0, size=None, end=None):
    """Write a mark onto an image, of all of it or of an area in it; only what lies at one `end` of it
    ('start' or 'end') where that is given."""
    size = size or os.path.getsize(image) - start
    with open(image, 'r+b') as stream:
        for offset, data in MARKS[name].pieces(size):
            if end in (None, 'end' if offset >= size // 2 else 'start'):
                os.pwrite(stream.fileno(), bytes(data), start + offset)
