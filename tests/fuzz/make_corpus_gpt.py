#!/usr/bin/python3
"""Writes tests/fuzz/corpus/gpt: one small input for each kind of header fuzz_gpt.c should know.

Run it from the top of the tree; the files it writes are kept in the tree.
"""
import struct
import uuid
import zlib
from pathlib import Path

FOLDER = Path("tests/fuzz/corpus/gpt")
BLOCKS = 131072
ESP = uuid.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b").bytes_le
LDM_DATA = uuid.UUID("af9b60a0-1431-4f62-bc68-3311714a69ad").bytes_le


def entry(kind, first, last, name):
    text = name.encode("utf-16-le")[:72]
    return struct.pack("<16s16sQQQ72s", kind, bytes(range(16)), first, last, 0, text)


ENTRIES = (
    entry(ESP, 34, 417825, "EFI system partition")
    + entry(LDM_DATA, 417826, 500000, "x" * 36)
    + entry(ESP, 600, 500, "reversed")
    + bytes(128)
)


def make(name, block_log=9, lba=1, disk_blocks=BLOCKS, correct=0, crc_flip=0, cut=None, **changes):
    block_size = 1 << block_log
    array_blocks = -(-128 * 128 // block_size)
    fields = {
        "signature": b"EFI PART",
        "revision": 0x10000,
        "header_size": 92,
        "my_lba": lba,
        "alternate": disk_blocks - 1 if lba == 1 else 1,
        "first_usable": 2 + array_blocks,
        "last_usable": disk_blocks - 2 - array_blocks,
        "entries_lba": 2 if lba == 1 else disk_blocks - 1 - array_blocks,
        "count": 128,
        "entry_size": 128,
    }
    fields.update(changes)
    f = fields
    header = struct.pack(
        "<8sIIIIQQQQ16sQIII",
        f["signature"], f["revision"], f["header_size"], 0, 0, f["my_lba"], f["alternate"],
        f["first_usable"], f["last_usable"], b"\x5d" * 16, f["entries_lba"], f["count"],
        f["entry_size"], 0x12345678,
    )
    covered = (header + bytes(block_size))[: f["header_size"]]
    crc = zlib.crc32(covered) ^ crc_flip
    header = header[:16] + struct.pack("<I", crc) + header[20:]
    # Large blocks are cut short: the target fills them up with zeros.
    block = header if block_size > 4096 else header + bytes(block_size - len(header))
    array = b"" if block_size > 4096 else ENTRIES
    prefix = struct.pack("<BQQB", block_log - 9, lba, disk_blocks, correct)
    (FOLDER / name).write_bytes((prefix + block + array)[:cut])


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    last = BLOCKS - 1
    make("primary_512")
    make("backup_512", lba=last)
    make("primary_4096", block_log=12)
    make("backup_4096", block_log=12, lba=last)
    make("primary_65536", block_log=16)
    make("primary_crc_corrected", correct=1, crc_flip=1)
    make("backup_on_grown_disk", lba=last, disk_blocks=2 * BLOCKS, last_usable=BLOCKS - 34,
         entries_lba=BLOCKS - 33)
    make("range_beyond_cut_disk", disk_blocks=BLOCKS - 34, alternate=last, last_usable=BLOCKS - 34)
    make("primary_on_cut_disk", disk_blocks=BLOCKS - 33, alternate=last, last_usable=BLOCKS - 34)
    make("header_size_of_block", header_size=512)
    make("four_entries", count=4, first_usable=3)
    make("entries_of_512_bytes", entry_size=512, count=4)
    make("array_away_from_header", entries_lba=200, first_usable=2048)
    make("disk_of_2_to_the_64", disk_blocks=2**64 - 1)
    make("no_signature", signature=b"EFI PARS")
    make("header_size_small", header_size=91)
    make("header_size_large", header_size=513)
    make("wrong_crc", crc_flip=1)
    make("wrong_revision", revision=0x20000)
    make("wrong_place", my_lba=2)
    make("range_reversed", first_usable=500, last_usable=400)
    make("range_beyond_disk", last_usable=BLOCKS)
    make("range_over_header", first_usable=1)
    make("range_over_alternate", alternate=5000)
    make("entry_size_384", entry_size=384)
    make("entry_size_2_to_the_31", entry_size=1 << 31)
    make("no_entries", count=0)
    make("too_many_entries", count=0xFFFFFFFF)
    make("array_over_header", entries_lba=1)
    make("array_over_range", first_usable=33)
    make("array_wraps", entries_lba=2**64 - 32)
    make("cut_short", cut=60)
    make("prefix_alone", cut=18)


main()
