#!/usr/bin/python3
"""Writes tests/fuzz/corpus/fat: one small input for each kind of damage fuzz_fat.c should know.

Run it from the top of the tree; the files it writes are kept in the tree. The clusters named here are
those of the volume that fuzz_fat.c makes: \\EFI begins at 2 (FAT32: 3), then come its directories.
"""
import struct
from pathlib import Path

FOLDER = Path("tests/fuzz/corpus/fat")
FAT12, FAT16, FAT32, LARGE12, WIDE, SECTOR2K = 0, 1, 2, 3, 4, 8
SMALL_LIMIT = 20


def boot(offset, data):
    return struct.pack("<BHB", 0, offset, len(data)) + data


def anywhere(offset, data):
    return struct.pack("<BIB", 1, offset, len(data)) + data


def root(offset, data):
    return struct.pack("<BHB", 2, offset, len(data)) + data


def link(cluster, value, both=True):
    return struct.pack("<BHI", 4 if both else 5, cluster, value)


def spoil(sector, count=1):
    return struct.pack("<BHB", 6, sector, count)


def cluster(number, offset, data):
    return struct.pack("<BHBB", 7, number - 2, offset, len(data)) + data


def entry(name, attributes=0x20, first=0, size=0):
    return struct.pack("<11sB8xHHHHI", name, attributes, 0, 0, 0, first, size)


INPUTS = {
    "fat12": (FAT12,), "fat16": (FAT16,), "fat32": (FAT32,), "fat12_large": (LARGE12,),
    "fat16_wide": (FAT16 | WIDE,), "fat32_2k": (FAT32 | SECTOR2K,), "fat12_wide_2k": (WIDE | SECTOR2K,),
    "chain_loop": (FAT16, link(8, 7)),
    "chain_self": (FAT12, link(7, 7)),
    "chain_crossed": (FAT12, link(8, 30)),
    "chain_out_of_range": (FAT16, link(8, 0xEEEE)),
    "chain_free": (FAT32, link(9, 0)),
    "chain_bad": (FAT32, link(9, 0x0FFFFFF7)),
    "lost": (FAT12, link(200, 0xFFF)),
    "copies_differ": (FAT16, link(100, 5, both=False)),
    "dirty": (FAT16, link(1, 0x3FFF)),
    "media": (FAT32, link(0, 0)),
    "root_loop": (FAT32, link(2, 2)),
    "directory_loop": (FAT12, cluster(2, 64, entry(b"LOOP       ", 0x10, 2))),
    "directory_long": (FAT32, link(3, 50), link(50, 51), link(51, 3)),
    "dot_wrong": (FAT12, cluster(3, 26, b"\7")),
    "name_broken": (FAT12, root(32, b"\x43")),
    "name_backslash": (FAT16, root(0, b"A\\B")),
    "name_escape": (FAT16, root(0, b"\x1b[2J")),
    "name_twice": (FAT12, root(32, entry(b"EFI        ", 0x10, 3))),
    "end_early": (FAT32, cluster(2, 32, b"\0")),
    "size_huge": (FAT12, root(5 * 32, entry(b"HUGE    BIN", 0x20, 9, 0xFFFFFFFF))),
    "boot_zero": (FAT32, boot(0, bytes(255)), boot(255, bytes(255)), boot(510, bytes(2))),
    "boot_cluster": (FAT12, boot(13, b"\x80")),
    "boot_sectors": (FAT16, boot(19, b"\xff\xff")),
    "boot_fats": (FAT12, boot(16, b"\1")),
    "boot_one_fat": (FAT32, boot(40, b"\x81\0")),
    "boot_root": (FAT32, boot(44, b"\x50\0")),
    "boot_4k": (FAT12, boot(11, b"\0\x10")),
    "backup_other": (FAT32, anywhere(6 * 512 + 67, b"xxxx")),
    "spoiled_boot": (FAT32, spoil(0)),
    "spoiled_fat": (FAT16, spoil(1, 4)),
    "spoiled_fats": (FAT12, spoil(1, 4), spoil(3, 4)),
    "spoiled_root": (FAT16, spoil(36, 2)),
    "spoiled_folder": (FAT12, spoil(38, 3)),
}


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    for name, (shape, *changes) in INPUTS.items():
        (FOLDER / name).write_bytes(bytes([shape, SMALL_LIMIT]) + b"".join(changes))


main()
