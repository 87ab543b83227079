"""Disks as edk2 sees them: partitions of a GPT, FAT volumes and their files. Part of `firmware_model`.

    for partition in partitions(disk):               # disk: mirror.DiskFile
        volume = FatVolume(disk, partition)          # ValueError: no file system for the firmware
        data = volume.read('/EFI/BOOT/BOOTX64.EFI')  # ValueError: not there, or not to be read

Tables are read here, by the rules of edk2's partition driver; of a FAT volume only the boot sector,
files come from mtools. Blocks that cannot be read take with them what lies in them.
"""
import re
import struct
import uuid
import zlib
from dataclasses import dataclass

import fat
import gpt
import sparse
from devicepath import nvme, pci, sata, scsi, usb

HEADER = struct.Struct('<8sIIIIQQQQ16sQIII')
OS_SPECIFIC = 2                      # GPT attribute bit 1: no block device is made


def disk_nodes(disk):
    """The device path of a disk as the host program gives it (tests/host/disk_path.h)."""
    place = disk.position
    eui = bytes([0, 0x52, 0x38, 0, 0, 0, 0, place + 1])
    return {
        'nvme': lambda: [pci(place % 28 + 2, place // 28), nvme(1, eui)],
        'ahci': lambda: [pci(0x1F, 2), sata(place)],
        'virtio': lambda: [pci(place % 28 + 2, place // 28)],
        'scsi': lambda: [pci(1, 0), scsi(place)],
        'usb': lambda: [pci(0x14, 0), usb(place)],
    }[disk.controller]()


def read_blocks(disk, lba, size):
    """Bytes from a block on, or None where one of the blocks cannot be read."""
    last = lba + -(-size // disk.block_size) - 1
    if is_bad(disk, lba, last):
        return None
    data = gpt.peek(disk.image, lba * disk.block_size, size)
    return data if len(data) == size else None


def is_bad(disk, first, last):
    """Whether one of the blocks cannot be read."""
    return any(lba <= last and first < lba + count for lba, count in disk.bad)


def table_copy(disk, lba):
    """(fields of the header, entries) of the copy of the GPT at a block, or None."""
    head = read_blocks(disk, lba, disk.block_size)
    if head is None or head[:8] != b'EFI PART':
        return None
    fields = list(HEADER.unpack_from(head))
    size, crc, here = fields[2], fields[3], fields[5]
    if not HEADER.size <= size <= len(head) or here != lba:
        return None
    if zlib.crc32(head[:16] + bytes(4) + head[20:size]) != crc:
        return None
    array, count, entry_size, array_crc = fields[10:]
    if entry_size < 128 or count * entry_size > 1 << 24:
        return None
    data = read_blocks(disk, array, count * entry_size)
    if data is None or zlib.crc32(data) != array_crc:
        return None
    return fields, [data[i:i + entry_size] for i in range(0, len(data), entry_size)]


@dataclass
class Partition:
    number: int
    first: int
    last: int
    type: str
    guid: str


def has_protective_mbr(disk):
    block = read_blocks(disk, 0, 512)
    records = [block[446 + 16 * i:462 + 16 * i] for i in range(4)] if block else []
    return any(record[4] == 0xEE and record[8:12] == b'\1\0\0\0' for record in records)


def partitions(disk):
    """The partitions that the firmware makes devices of."""
    return table(disk) if has_protective_mbr(disk) else []


def table(disk):
    """The partitions in the table, whether there is a protective MBR or not."""
    blocks = disk.image.stat().st_size // disk.block_size
    found = table_copy(disk, 1) or table_copy(disk, blocks - 1)
    if not found:
        return []
    fields, entries = found
    used = [(number, *struct.unpack_from('<16s16sQQQ', data)) for number, data in enumerate(entries, 1)
            if any(data[:16])]
    return [Partition(number, first, last, str(uuid.UUID(bytes_le=kind)), str(uuid.UUID(bytes_le=guid)))
            for number, kind, guid, first, last, attributes in used
            if fields[7] <= first <= last <= fields[8] and not attributes & OS_SPECIFIC
            and not any(other[0] != number and other[3] <= last and first <= other[4] for other in used)]


# FAT volumes

class FatVolume:
    """A partition with a file system, or ValueError when edk2's FAT driver would not take it."""

    def __init__(self, disk, partition):
        self.disk, self.partition = disk, partition
        self.offset = partition.first * disk.block_size
        boot = read_blocks(disk, partition.first, 512)
        if boot is None:
            raise ValueError('the boot sector cannot be read')
        self._geometry(boot)
        if is_bad(disk, partition.first, (self.offset + self.data - 1) // disk.block_size):
            raise ValueError('an allocation table cannot be read')
        size = (partition.last - partition.first + 1) * disk.block_size
        self.volume = fat.Volume(disk.image, self.offset, size, disk.block_size)

    def _geometry(self, boot):
        sector, per_cluster, reserved, fats, roots, small, media, fat_size = struct.unpack_from(
            '<HBHBHHBH', boot, 11)
        large, fat32_size, flags, version = struct.unpack_from('<IIHH', boot, 32)
        sectors = small or large
        is_32 = fat_size == 0
        fat_size = fat_size or fat32_size
        if not reserved or not fats or not sectors or not fat_size:
            raise ValueError('no FAT boot sector')
        if sector not in (512, 1024, 2048, 4096) or per_cluster & (per_cluster - 1) or not per_cluster:
            raise ValueError('no FAT boot sector: sizes')
        if media < 0xF8 and media not in (0xF0, 0, 1):
            raise ValueError('no FAT boot sector: media byte')
        if (version or flags & 0x80) if is_32 else not roots:
            raise ValueError('no FAT boot sector: version')
        first_data = reserved + fats * fat_size + -(-roots * 32 // sector)
        clusters = (sectors - first_data) // per_cluster
        if clusters < 0 or is_32 != (clusters >= 65525):
            raise ValueError('the kind of FAT does not fit the number of clusters')
        self.other_sectors = sector != self.disk.block_size
        self.data, self.cluster = first_data * sector, sector * per_cluster

    def _clusters(self, name):
        """Pairs of first and last byte of the disk that a file lies in, as mshowfat tells them."""
        shown = fat.run('mshowfat', '-i', self.volume._mtools, '::/' + name, check=False).stdout
        for first, last in re.findall(r'<(\d+)(?:-(\d+))?>', shown.decode()):
            start = self.offset + self.data + (int(first) - 2) * self.cluster
            yield start, start + (int(last or first) - int(first) + 1) * self.cluster - 1

    def _is_bad(self, name):
        block = self.disk.block_size
        return any(is_bad(self.disk, first // block, last // block) for first, last in self._clusters(name))

    def read(self, name):
        """The bytes of a file; ValueError when it is not there or not to be read."""
        return sparse.asked_once(self.disk.image, ('file', self.offset, name, repr(self.disk.bad)),
                                 lambda: self._read(name))

    def _read(self, name):
        parts = [part for part in name.replace('\\', '/').split('/') if part]
        if self.disk.bad:
            for depth in range(1, len(parts) + 1):
                if self._is_bad('/'.join(parts[:depth])):
                    raise ValueError('a block of it cannot be read')
        place = '::/' + '/'.join(parts)
        listed = fat.run('mdir', '-i', self.volume._mtools, place, check=False)
        sizes = re.findall(r'^\S+ *\S* +(\d+) \d{4}-\d\d-\d\d ', listed.stdout.decode(errors='replace'), re.M)
        if listed.returncode or len(sizes) != 1:
            raise ValueError('there is no such file')
        data = self.volume.get(name)
        if len(data) != int(sizes[0]):
            raise ValueError('mtools cannot read all of it')
        return data
