#!/usr/bin/python3
"""Writes tests/fuzz/corpus/store: stores of each kind that a machine is found with, for Disk 1 of the mirror of
unit/mirror_fixture.h, and stores whose last write was cut short with their logs.

Run it from the top of the tree; the files it writes are kept in the tree.
"""
import inspect
import sys
from pathlib import Path

sys.path.insert(0, "ovmf-harness")
import regf
import stores

FOLDER = Path("tests/fuzz/corpus/store")
KINDS = ("locate", "windows", "plex", "nowhere", "ramdisk", "odd-device", "empty", "order-only", "default-gone",
         "once-gone", "order-half-gone", "resume-of", "recovery-of", "safe-mode", "second-first")
CUT_SHORT = ("dirty", "dirty-in-two", "dirty-log-hollow", "dirty-log-cut")


class Part:
    def __init__(self, disk, number):
        self.guid = f"5ad00000-{disk:04x}-4000-8000-{number:012x}"


class Disk:
    def __init__(self, index):
        self.index, self.parts = index, {"esp": Part(index, 1), "plex": Part(index, 4)}


class Setup:
    """What stores.py asks of a machine."""

    @staticmethod
    def disk(index):
        return Disk(index)


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    stores.disk_guid = lambda setup, index: f"d15c0000-{index:04x}-4000-8000-000000000000"
    for name in KINDS:
        make = stores.STORES[name]
        other = [0] if len(inspect.signature(make).parameters) > 2 else []
        (FOLDER / name).write_bytes(b"\1\0" + regf.build(make(Setup, 1, *other)))
    for name in CUT_SHORT:
        hive, logs = stores.LOGGED[name](Setup, 1)
        log, = logs.values()
        log = log.ljust(-len(log) % 512 + len(log), b"\0")
        (FOLDER / name).write_bytes(bytes([0, len(log) // 512]) + log + hive)


main()
