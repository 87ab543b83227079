#!/usr/bin/python3
"""Writes tests/fuzz/corpus/regf: one small hive for each state and way of being built, and small
stores.

Run it from the top of the tree; the files it writes are kept in the tree.
"""
import struct
import sys
from functools import reduce
from operator import xor
from pathlib import Path

sys.path.insert(0, "ovmf-harness")
import regf

FOLDER = Path("tests/fuzz/corpus/regf")


def key(size=96):
    return struct.pack("<i2sH", -size, b"nk", 0x2C) + bytes(size - 8)


def free(size):
    return struct.pack("<i", size) + bytes(size - 4)


def make_bin(offset, *cells, size=0x1000, signature=b"hbin", own=None, stated=None):
    data = struct.pack("<4sII20x", signature, offset if own is None else own,
                       size if stated is None else stated) + b"".join(cells)
    if len(data) < size:
        data += free(size - len(data))
    return data


USUAL = make_bin(0, key(), free(8)) + make_bin(0x1000)


def make(name, bins=USUAL, root=0x20, sequence=(3, 3), version=(1, 3), kind=0, form=1, size=None, correct=0,
         flip=0, tail=b"", signature=b"regf", cut=None):
    base = struct.pack("<4sII8xIIIIIII", signature, *sequence, *version, kind, form, root,
                       len(bins) if size is None else size, 1).ljust(508, b"\0")
    total = reduce(xor, struct.unpack("<127I", base)) or 1
    base += struct.pack("<I", total ^ flip)
    data = base.ljust(4096, b"\0") + bins + tail
    (FOLDER / name).write_bytes(bytes([correct]) + data[:cut])


def big_data():
    """The bin of a hive with one value in two segments."""
    cells = regf.Bin()
    place = cells.add_node(regf.Key("Root", {"Big": (3, b"")}), 0, 0, 0x2C)
    security = len(cells.data)
    cells.add(struct.pack("<2sHIIII", b"sk", 0, security, security, 1, len(regf.SECURITY)) + regf.SECURITY)
    cells.patch(place, 44, security)
    segments = cells.add(struct.pack("<II", cells.add(bytes(16344)), cells.add(b"end")))
    size = 16344 + 3
    value = cells.add(struct.pack("<2sHIIIHH3s", b"vk", 3, size, cells.add(struct.pack("<2sHI", b"db", 2, segments)),
                                  3, 1, 0, b"Big"))
    cells.patch(place, 40, cells.add(struct.pack("<I", value)))
    return cells.close()


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    make("good")
    make("good_one_bin", bins=make_bin(0, key()))
    make("good_large_bin", bins=make_bin(0, key(), size=0x2000))
    make("good_root_in_second_bin", bins=make_bin(0) + make_bin(0x1000, free(16), key()), root=0x1030)
    make("good_with_tail", tail=bytes(512))
    make("good_version_6", version=(1, 6))
    make("corrected", correct=1, flip=0x55)
    make("dirty", sequence=(4, 3))
    make("bad_checksum", flip=1)
    make("unsupported_version", version=(1, 7))
    make("unsupported_log", kind=6)
    make("not_a_hive", signature=b"HvLE")
    make("truncated", cut=0x2801)
    make("truncated_base", cut=600)
    make("no_bins", bins=b"")
    make("size_not_of_bins", size=0x1F00)
    make("size_wraps", size=0xFFFFF000)
    make("bin_signature", bins=make_bin(0, key()) + make_bin(0x1000, signature=b"\0\0\0\0"))
    make("bin_elsewhere", bins=make_bin(0, key()) + make_bin(0x1000, own=0x2000))
    make("bin_past_end", bins=make_bin(0, key()) + make_bin(0x1000, stated=0x2000))
    make("bin_of_no_size", bins=make_bin(0, key(), stated=0))
    make("cell_of_no_size", bins=make_bin(0, key(), bytes(8)))
    make("cell_past_bin", bins=make_bin(0, key(), struct.pack("<i", 0x1000) + bytes(4)))
    make("cell_most_negative", bins=make_bin(0, key(), struct.pack("<I", 0x80000000) + bytes(4)))
    make("root_free", bins=make_bin(0, free(96)))
    make("root_inside_cell", root=0x28)
    make("root_short", bins=make_bin(0, key(72)))
    make("root_past_end", root=0x5000)
    (FOLDER / "empty").write_bytes(b"\0")
    make("big_data", bins=big_data(), version=(1, 4))
    (FOLDER / "store").write_bytes(b"\1" + regf.build_store())
    (FOLDER / "store_with_broken_cell").write_bytes(b"\1" + regf.break_cell(regf.build_store()))


main()
