#!/usr/bin/python3
"""Writes tests/fuzz/corpus/bcd: small boot stores of each kind, and device elements by themselves.

Run it from the top of the tree; the files it writes are kept in the tree.
"""
import sys
from pathlib import Path

sys.path.insert(0, "ovmf-harness")
import regf
import stores

FOLDER = Path("tests/fuzz/corpus/bcd")
OWN = regf.partition("8e0f2c38-e4ea-47ba-b7fc-9d8c74dccf0b", "0b2394a9-095e-487d-8d48-719ecd4d78ca")


def main():
    FOLDER.mkdir(exist_ok=True)
    trees = {"located": stores.tree(), "partition": stores.tree(OWN), "second": stores.add_second(stores.tree(OWN), OWN),
             "ramdisk": stores.tree(stores.ramdisk()), "odd": stores.tree(stores.device_of_type(77)),
             "empty": stores.without_objects(), "no-device": stores.drop(stores.tree(), "11000001")}
    for name, tree in trees.items():
        (FOLDER / name).write_bytes(b"\0" + regf.build(tree))
    devices = {"device-partition": OWN, "device-locate": regf.locate(0x12000002), "device-ramdisk": stores.ramdisk(),
               "device-odd": stores.device_of_type(77)}
    for name, (_, data) in devices.items():
        (FOLDER / name).write_bytes(b"\1" + data)


main()
