"""GUID partition tables on image files, written by own code so that they can be exact, odd or damaged.

`Table.write` lays down protective MBR, primary and backup copy (UEFI 5.3). Block size, count and
size of entries, first block of every partition and every GUID are chosen by the caller:

    table = Table(image, 512, [Partition(ESP, first_lba=63, blocks=417627, guid='...')])
    table.write()

Damage is done afterwards, on bytes: `primary_header`, `primary_entries`, `backup_header`,
`backup_entries` and `entry_offset` say where things are, `poke`, `flip` and `zero` change them.
`read` parses a copy that the product wrote and checks both checksums.
"""
import os
import re
import struct
import subprocess
import uuid
import zlib
from dataclasses import dataclass, field
from typing import Optional

from devicepath import guid_bytes

ESP = 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b'
MSR = 'e3c9e316-0b5c-4db8-817d-f92df00215ae'
BASIC_DATA = 'ebd0a0a2-b9e5-4433-87c0-68b6b72699c7'
RECOVERY = 'de94bba4-06d1-4d40-a16a-bfd50179d6ac'
LDM_METADATA = '5808c8aa-7e8f-42e0-85d2-e1e90434cfb3'
LDM_DATA = 'af9b60a0-1431-4f62-bc68-3311714a69ad'
LINUX = '0fc63daf-8483-4772-8e79-3d69d8477de4'

HEADER = struct.Struct('<8sIIIIQQQQ16sQIII')


@dataclass
class Partition:
    """One entry. `number` is the 1-based index in the entry array; None takes the next free one.

    `first_lba` and `blocks` count the disk's logical blocks; `first_lba` None places the
    partition at the next whole MiB behind the one before, `blocks` None fills the disk.
    """
    type: str
    first_lba: Optional[int] = None
    blocks: Optional[int] = None
    guid: str = field(default_factory=lambda: str(uuid.uuid4()))
    name: str = ''
    attributes: int = 0
    number: Optional[int] = None

    def __post_init__(self):
        self.type, self.guid = str(self.type).strip('{}').lower(), str(self.guid).strip('{}').lower()

    @property
    def last_lba(self):
        return self.first_lba + self.blocks - 1

    def pack(self, size=128):
        """The entry's bytes, zero-filled to the size of an entry."""
        data = guid_bytes(self.type) + guid_bytes(self.guid)
        data += struct.pack('<QQQ', self.first_lba, self.last_lba, self.attributes)
        return (data + self.name.encode('utf-16-le').ljust(72, b'\0')).ljust(size, b'\0')

    @classmethod
    def unpack(cls, data, number):
        first, last, attributes = struct.unpack_from('<QQQ', data, 32)
        name = data[56:128].decode('utf-16-le').split('\0')[0]
        return cls(str(uuid.UUID(bytes_le=data[:16])), first, last - first + 1,
                   str(uuid.UUID(bytes_le=data[16:32])), name, attributes, number)


def peek(image, offset, length):
    """Bytes of the image."""
    with open(image, 'rb') as stream:
        stream.seek(offset)
        return stream.read(length)


def poke(image, offset, data):
    """Overwrite bytes of the image, nothing else changes."""
    with open(image, 'r+b') as stream:
        stream.seek(offset)
        stream.write(data)


def flip(image, offset, mask=0x01):
    """Flip bits of one byte: the smallest damage that a checksum must notice."""
    poke(image, offset, bytes([peek(image, offset, 1)[0] ^ mask]))


def zero(image, offset, length):
    """Overwrite with zeros."""
    poke(image, offset, bytes(length))


class Table:
    """A partition table for one image; nothing is written before `write`."""

    def __init__(self, image, block_size=512, partitions=(), disk_guid=None, entry_count=128,
                 entry_size=128, first_usable=None, last_usable=None):
        self.image = image
        self.block_size = block_size
        self.blocks = os.path.getsize(image) // block_size
        self.disk_guid = str(disk_guid or uuid.uuid4())
        self.entry_count, self.entry_size = entry_count, entry_size
        self.first_usable = first_usable or 2 + self.entry_blocks
        self.last_usable = last_usable or self.blocks - 2 - self.entry_blocks
        self.partitions = list(partitions)
        self._place()
        self._number()

    def _place(self):
        """Give partitions without a place the next whole MiB, and a size up to the last usable block."""
        mib = 1024 * 1024 // self.block_size
        after = self.first_usable
        for part in self.partitions:
            if part.first_lba is None:
                part.first_lba = -(-after // mib) * mib
            if part.blocks is None:
                part.blocks = self.last_usable - part.first_lba + 1
            after = part.first_lba + part.blocks

    def _number(self):
        """Give partitions without a number the lowest one that nobody asked for."""
        taken = {part.number for part in self.partitions}
        for part in self.partitions:
            if part.number is None:
                part.number = next(n for n in range(1, self.entry_count + 1) if n not in taken)
                taken.add(part.number)

    @property
    def entry_blocks(self):
        return -(-self.entry_count * self.entry_size // self.block_size)

    @property
    def primary_header(self):
        """Byte offset of the primary header."""
        return self.block_size

    @property
    def primary_entries(self):
        return 2 * self.block_size

    @property
    def backup_header(self):
        return (self.blocks - 1) * self.block_size

    @property
    def backup_entries(self):
        return (self.blocks - 1 - self.entry_blocks) * self.block_size

    def entry_offset(self, number, backup=False):
        """Byte offset of an entry in either copy."""
        start = self.backup_entries if backup else self.primary_entries
        return start + (number - 1) * self.entry_size

    def entries(self):
        """The entry array's bytes."""
        array = bytearray(self.entry_count * self.entry_size)
        for part in self.partitions:
            at = (part.number - 1) * self.entry_size
            array[at:at + self.entry_size] = part.pack(self.entry_size)
        return bytes(array)

    def header(self, backup=False, entries=None):
        """A header block with right checksums, for the primary or the backup copy."""
        entries = self.entries() if entries is None else entries
        here, other = (self.blocks - 1, 1) if backup else (1, self.blocks - 1)
        array = (self.backup_entries if backup else self.primary_entries) // self.block_size
        fields = [b'EFI PART', 0x10000, HEADER.size, 0, 0, here, other, self.first_usable,
                  self.last_usable, guid_bytes(self.disk_guid), array, self.entry_count,
                  self.entry_size, zlib.crc32(entries)]
        fields[3] = zlib.crc32(HEADER.pack(*fields))
        return HEADER.pack(*fields).ljust(self.block_size, b'\0')

    def protective_mbr(self):
        """One 0xEE entry from block 1 to the end, or as far as 32 bits go."""
        size = min(self.blocks - 1, 0xFFFFFFFF)
        entry = b'\0\x00\x02\x00\xee\xff\xff\xff' + struct.pack('<II', 1, size)
        return (bytes(446) + entry + bytes(48) + b'\x55\xaa').ljust(self.block_size, b'\0')

    def write(self):
        """Write protective MBR and both copies."""
        entries = self.entries()
        poke(self.image, 0, self.protective_mbr())
        poke(self.image, self.primary_header, self.header())
        poke(self.image, self.primary_entries, entries)
        poke(self.image, self.backup_entries, entries)
        poke(self.image, self.backup_header, self.header(backup=True))
        return self

    def partition(self, number):
        """The partition with this number."""
        return next(part for part in self.partitions if part.number == number)


@dataclass
class Copy:
    """One copy of a table as found on disk, both checksums right."""
    my_lba: int
    other_lba: int
    first_usable: int
    last_usable: int
    disk_guid: str
    entries_lba: int
    entry_count: int
    entry_size: int
    partitions: list


def read(image, block_size=512, backup=False):
    """Parse one copy. Raises ValueError saying what is wrong with it."""
    blocks = os.path.getsize(image) // block_size
    lba = blocks - 1 if backup else 1
    fields = list(HEADER.unpack(peek(image, lba * block_size, HEADER.size)))
    if fields[0] != b'EFI PART' or fields[2] != HEADER.size or fields[5] != lba:
        raise ValueError(f'no GPT header at block {lba}')
    crc, fields[3] = fields[3], 0
    if zlib.crc32(HEADER.pack(*fields)) != crc:
        raise ValueError(f'header at block {lba}: wrong checksum')
    array, count, size, array_crc = fields[10:]
    data = peek(image, array * block_size, count * size)
    if zlib.crc32(data) != array_crc:
        raise ValueError(f'entries at block {array}: wrong checksum')
    parts = [Partition.unpack(data[i * size:(i + 1) * size], i + 1) for i in range(count)
             if any(data[i * size:i * size + 16])]
    return Copy(*fields[5:9], str(uuid.UUID(bytes_le=fields[9])), array, count, size, parts)


def complaints(image):
    """What sgdisk finds wrong with a table of 512-byte blocks; empty when it finds nothing.

    Its "No problems found" alone is not enough: it says so with a damaged header too. Remarks
    about alignment do not count.
    """
    done = subprocess.run(['/usr/sbin/sgdisk', '-v', str(image)], capture_output=True, text=True,
                          check=False)
    said = done.stdout + done.stderr
    bad = re.search("(?i)CRC|ERROR|differ|corrupt|invalid|Problem:", said)
    return said if bad or 'No problems found' not in said else ''
