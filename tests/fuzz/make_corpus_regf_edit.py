#!/usr/bin/python3
"""Writes corpus/regf_edit: changes to a sound hive, and to one with something wrong. The form of an input is in
fuzz_regf_edit.c; keys are numbered 0 root, 1 apple, 2 to 6 its subkeys, 7 and 8 those beside it."""
import struct
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / 'corpus/regf_edit'
KINDS = {'lf': 0, 'lh': 1, 'li': 2, 'ri': 3}
NEWER, WIDE = 4, 0x80
CREATE, DELETE, SET, UNSET = range(4)


def start(form, pages=0, *patches):
    return bytes([form, pages, len(patches)]) + b''.join(
        struct.pack('<HB', at, len(data)) + data for at, data in patches)


def change(kind, key, name=b'', size=None, wide=0):
    data = struct.pack('<H', size) if kind == SET else b''
    return bytes([kind, key, len(name) | wide]) + name + data


def inputs():
    for name, kind in KINDS.items():
        yield f'create_{name}', start(kind) + b''.join(change(CREATE, 1, b'pip%d' % n) for n in (0, 2, 21, 3, 9))
        yield f'delete_{name}', start(kind | NEWER) + b''.join(change(DELETE, n) for n in (4, 2, 2, 2, 2, 1, 1, 1))
        yield f'both_{name}', start(kind, 2) + change(DELETE, 1) + change(CREATE, 0, b'apple') + \
            change(CREATE, 1, b'b') + change(SET, 2, b'', 5000)
    yield 'values', start(0, 1) + b''.join(change(SET, 1, b'Blob', n) for n in (9, 4, 12, 0, 100, 3000, 5))
    yield 'new_values', start(0) + b''.join(change(SET, 7, b'v%d' % n, n) for n in range(12))
    yield 'unset', start(0) + b''.join(change(UNSET, 1, name) for name in (b'', b'blob', b'NUMBER', b'x', b'Empty'))
    yield 'wide_names', start(0) + change(CREATE, 0, b'\xb1\x03\xb2\x03', wide=WIDE) + \
        change(CREATE, 0, b'a\0b\0', wide=WIDE) + change(SET, 0, b'\x01\x04', 8, wide=WIDE)
    yield 'no_room', start(0) + b''.join(change(SET, n % 9, b'%d' % n, 700) for n in range(12))
    yield 'grows', start(NEWER, 7) + b''.join(change(SET, n, b'new', 4000 * n) for n in range(5))
    yield 'refused', start(0) + change(DELETE, 0) + change(CREATE, 0, b'a\\b') + change(CREATE, 0) + \
        change(CREATE, 0, b'APPLE')
    # The root is at 0x20: its list, its count of subkeys, its security, and a cell's size.
    yield 'list_nowhere', start(0, 0, (0x24 + 28, b'\xff\xff'))
    yield 'list_of_itself', start(0, 0, (0x24 + 28, b'\x20\0'))
    yield 'too_many_subkeys', start(0, 0, (0x24 + 20, b'\xff'))
    yield 'no_security', start(0, 0, (0x24 + 44, b'\x28'))
    yield 'cell_of_no_size', start(0, 0, (0x20, bytes(4)))
    yield 'values_without_end', start(0, 0, (0x24 + 36, b'\xff\xff\xff\xff'))


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, data in inputs():
        (FOLDER / name).write_bytes(data)


main()
