#!/usr/bin/python3
"""Writes corpus/fat_edit: volumes in which there is something to keep clear of. The form of an input is in
fuzz_fat_edit.c."""
import struct
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / 'corpus/fat_edit'
FAT12, FAT16, FAT32, FAT12_LARGE, WIDE = 0, 1, 2, 3, 4
ALL = 0xff


def root(offset, data):
    return struct.pack('<BHB', 0, offset, len(data)) + data


def in_data(offset, data):
    return struct.pack('<BHB', 1, offset, len(data)) + data


def link(cluster, value):
    return struct.pack('<BHI', 2, cluster, value)


def second_link(cluster, value):
    return struct.pack('<BHI', 3, cluster, value)


def inputs():
    for name, kind in (('fat12', FAT12), ('fat16', FAT16), ('fat32', FAT32), ('fat12_large', FAT12_LARGE),
                       ('fat12_wide', FAT12 | WIDE), ('fat16_wide', FAT16 | WIDE)):
        for phase in range(5):
            yield f'{name}_{phase}', bytes([kind, ALL, phase])
    yield 'nothing', bytes([FAT16, 0, 0])
    yield 'lost', bytes([FAT12, ALL, 1]) + b''.join(link(i, 0xfff) for i in range(100, 448))
    yield 'copies_differ', bytes([FAT16, ALL, 2]) + second_link(1000, 0x1234)
    yield 'copies_differ_in_directory', bytes([FAT16, 0x10, 2]) + second_link(2, 0)
    yield 'deleted', bytes([FAT16, ALL, 2]) + root(7 * 32, b'\xe5')
    yield 'behind_end', bytes([FAT16, ALL, 3]) + in_data(14 * 32, b'GARBAGE TXT ' * 5)


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    for name, data in inputs():
        (FOLDER / name).write_bytes(data)


main()
