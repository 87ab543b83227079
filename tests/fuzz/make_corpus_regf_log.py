#!/usr/bin/python3
"""Writes corpus/regf_log: logs of both types, whole and damaged. The form of an input is in fuzz_regf_log.c."""
import struct
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / 'corpus/regf_log'
OLD, OLD_SECOND, HASHED, BAD_BASE, BAD_BIN = 1, 2, 4, 8, 16
BINS = 0x2000
# A bin whose first cell is a key, as far as anybody looks here.
BIN = struct.pack('<4sII20xi2sH', b'hbin', 0, 0x1000, -96, b'nk', 0x2C).ljust(128, b'\0')
BIN += struct.pack('<i', 0x1000 - 128).ljust(0x1000 - 128, b'\0')


def entry(sequence, *pages, bins=BINS, size=None, count=None, flags=0):
    data = b''.join(struct.pack('<II', at, len(page)) for at, page in pages) + b''.join(page for _, page in pages)
    whole = -(-(40 + len(data)) // 512) * 512
    head = struct.pack('<4sIIIII16x', b'HvLE', whole if size is None else size, flags, sequence, bins,
                       len(pages) if count is None else count)
    return (head + data).ljust(whole, b'\0')


def dirt(pages, content):
    """The map of a log of the old type, and its pages."""
    bits = sum(1 << page for page in pages)
    return (b'DIRT' + bits.to_bytes(BINS // 4096, 'little')).ljust(512, b'\0') + content


def make(name, flags, first, second=b'', sequences=(7, 8)):
    (FOLDER / name).write_bytes(bytes([flags, *sequences, len(first) // 512]) + first + second)


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    whole = entry(7, (0, BIN))
    make('new', HASHED | BAD_BIN, whole)
    make('new_without_hashes', BAD_BIN, whole)
    make('new_twice', HASHED | BAD_BIN, whole + entry(8, (0, BIN[:512])))
    make('new_in_two_logs', HASHED | BAD_BIN, whole, entry(8, (0x1000, bytes(32))))
    make('new_in_wrong_order', HASHED | BAD_BIN, entry(8, (0, BIN)), whole, (8, 7))
    make('new_with_a_gap', HASHED | BAD_BIN, whole, entry(9), (7, 9))
    make('new_stale', HASHED, entry(5), entry(6), (5, 6))
    make('new_of_parts', HASHED | BAD_BIN, entry(7, *((at, BIN[at:at + 256]) for at in range(0, 4096, 256))))
    make('new_grows', HASHED, entry(7, (0x2000, BIN[:4] + b'\0\x20\0\0' + BIN[8:]), bins=0x3000))
    make('new_shrinks', HASHED, entry(7, bins=0x1000))
    make('new_base_bad', HASHED | BAD_BIN | BAD_BASE, whole, entry(6), (7, 6))
    make('new_past_bins', HASHED, entry(7, (0x1F00, bytes(512))))
    make('new_far_past_bins', HASHED, entry(7, (0xFFFFFF00, bytes(512))))
    make('new_too_many', HASHED, entry(7, count=0xFFFFFFFF))
    make('new_too_long', HASHED, entry(7, size=0xFFFFFE00))
    make('new_of_no_size', HASHED, entry(7, size=0))
    make('new_bins_huge', HASHED, entry(7, bins=0xFFFFF000))
    make('old', OLD | BAD_BIN, dirt(range(8), BIN))
    make('old_base_bad', OLD | BAD_BIN | BAD_BASE, dirt(range(8), BIN))
    make('old_cut', OLD | BAD_BIN, dirt(range(8), BIN[:4095]))
    make('old_of_nothing', OLD, dirt([], b''))
    make('old_without_map', OLD, b'DIRT')
    make('both', OLD_SECOND | HASHED | BAD_BIN, entry(7, (0, BIN)), dirt(range(8), BIN))
    make('nothing', 0, b'')


main()
