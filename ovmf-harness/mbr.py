"""MBR partition tables on image files: primary partitions and a chain of logical ones.

    write(image, 0xE22CA1CF, [Partition(0x42, 63, 409600), Partition(0x07, 500000, 1000)])

Blocks are 512 bytes unless told otherwise. CHS fields hold the "does not fit" value, which
everything made this century ignores.
"""
import struct
from dataclasses import dataclass

from gpt import poke

TYPE_NTFS, TYPE_FAT32_LBA, TYPE_EXTENDED_LBA = 0x07, 0x0C, 0x0F
TYPE_LDM, TYPE_PROTECTIVE, TYPE_ESP = 0x42, 0xEE, 0xEF
CHS = b'\xfe\xff\xff'


@dataclass
class Partition:
    """One primary or logical partition, in blocks of the disk."""
    type: int
    first_lba: int
    blocks: int
    active: bool = False


def entry(part, base=0):
    """The 16 bytes of a table entry; start relative to `base`."""
    flag = b'\x80' if part.active else b'\0'
    place = struct.pack('<II', part.first_lba - base, part.blocks)
    return flag + CHS + bytes([part.type]) + CHS + place


def sector(entries, signature=0, code=b''):
    """A boot sector: code, disk signature, four entries, 55 AA."""
    table = b''.join(entries).ljust(64, b'\0')
    return code[:440].ljust(440, b'\0') + struct.pack('<IH', signature, 0) + table + b'\x55\xaa'


def write(image, signature, primaries, code=b''):
    """Write the MBR. With logical partitions, one primary of type 0x0F must span them."""
    poke(image, 0, sector([entry(p) for p in primaries], signature, code))


def write_logical(image, extended, logicals, block_size=512):
    """Write the chain of logical partitions: each one's table is one block before it.

    The first table must be the first block of `extended`, so the first logical partition
    starts one block behind it.
    """
    for part, after in zip(logicals, logicals[1:] + [None]):
        table = part.first_lba - 1
        entries = [entry(part, table)]
        if after is not None:
            link = Partition(0x05, after.first_lba - 1, after.blocks + 1)
            entries.append(entry(link, extended.first_lba))
        poke(image, table * block_size, sector(entries))
