#!/usr/bin/python3
"""Writes tests/fuzz/corpus/mbr: one small input for each kind of sector fuzz_mbr.c should know.

Run it from the top of the tree; the files it writes are kept in the tree.
"""
import struct
from pathlib import Path

FOLDER = Path("tests/fuzz/corpus/mbr")
BLOCKS = 131072


def record(kind, first, count, flag=0):
    return struct.pack("<B3sB3sII", flag, b"\xfe\xff\xff", kind, b"\xfe\xff\xff", first, count)


def make(name, *records, start=b"", disk_blocks=BLOCKS, magic=b"\x55\xaa", fill=b"\0", cut=None):
    code = start + fill * (440 - len(start))
    table = b"".join(records)
    table += fill * (64 - len(table))
    sector = code + struct.pack("<IH", 0x4779CE15, 0) + table + magic
    (FOLDER / name).write_bytes((struct.pack("<Q", disk_blocks) + sector)[:cut])


def fat(name_at, name):
    start = bytearray(96)
    start[0:3] = b"\xeb\x58\x90"
    start[3:11] = b"mkfs.fat"
    struct.pack_into("<HBHB", start, 11, 512, 8, 32, 2)
    start[name_at:name_at + 8] = name
    return bytes(start)


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    ntfs = b"\xeb\x52\x90NTFS    " + struct.pack("<HB", 512, 8)
    make("plain", record(7, 2048, 20480, 0x80), record(0x42, 22528, 20480), record(15, 43008, 88064))
    make("ldm", record(0x42, 63, 100289))
    make("empty")
    make("protective", record(0xEE, 1, BLOCKS - 1))
    make("protective_of_any_size", record(0xEE, 1, 0xFFFFFFFF))
    make("protective_without_blocks", record(0xEE, 1, 0))
    make("protective_at_lba_2", record(0xEE, 2, 100))
    make("hybrid", record(7, 2048, 20480, 0x80), record(0xEE, 1, 2047))
    make("two_protective", record(0xEE, 1, 2047), record(0xEE, 4096, 1))
    make("type_without_blocks", record(7, 0xFFFFFFF0, 0, 0x80))
    make("starts_beyond_disk", record(7, BLOCKS, 1))
    make("ends_beyond_disk", record(7, 63, 0xFFFFFFFF))
    make("wrong_flag", record(7, 63, 100, 0x81))
    make("no_magic", record(7, 63, 100), magic=b"\0\0")
    make("text_in_table", fill=b"e")
    make("fat12", start=fat(54, b"FAT12   "))
    make("fat32", start=fat(82, b"FAT32   "))
    make("fat32_with_table", record(12, 2048, 20480, 0x80), start=fat(82, b"FAT32   "))
    make("ntfs", start=ntfs)
    make("ntfs_with_text", start=ntfs, fill=b"N")
    make("exfat", start=b"\xeb\x76\x90EXFAT   ")
    make("ebr", record(7, 2048, 10240), record(5, 12288, 12288))
    make("ebr_link_first", record(15, 4096, 100), record(0x83, 63, 100))
    make("ebr_two_links", record(5, 4096, 100), record(5, 8192, 100))
    make("disk_without_blocks", record(7, 63, 100), disk_blocks=0)
    make("cut_short", record(7, 63, 100), cut=8 + 511)
    make("prefix_alone", cut=8)


main()
