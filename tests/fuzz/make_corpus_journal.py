#!/usr/bin/python3
"""Writes the seeds of fuzz_journal: whole journals, and one of each kind of damage."""
import struct
import sys
import zlib
from pathlib import Path

OLD, NEW = 1, 2


def record(name, old=None, new=None, attributes=7):
    """One record; None for a variable that is not there."""
    flags = (OLD if old is not None else 0) | (NEW if new is not None else 0)
    old, new = old or b'', new or b''
    head = struct.pack('<5I', flags, attributes, len(old), attributes, len(new))
    return head + name.encode().ljust(64, b'\0') + old + new


def journal(records, command=b'shadowboot clone', mark=b'', count=None):
    """A journal with a right checksum."""
    body = command + b''.join(records)
    total = 32 + len(body)
    head = b'SBJOURN1' + struct.pack('<II', total, len(records) if count is None else count)
    head += struct.pack('<H6B', 2026, 11, 20, 12, 30, 45, 0) + struct.pack('<I', len(command))
    crc = zlib.crc32(head + bytes(4) + body)
    return head + struct.pack('<I', crc) + body + mark


def seeds():
    """Names and bytes."""
    order = record('BootOrder', b'\0\0\1\0', b'\0\0\1\0\2\0')
    entry = record('Boot0002', None, b'\1\0\0\0\4\0A\0\0\0\x7f\xff\4\0')
    gone = record('Boot0003', b'\1\0\0\0\4\0B\0\0\0\x7f\xff\4\0', None)
    whole = journal([entry, order], mark=b'SBDONE__')
    return {
        'done': whole,
        'pending': journal([entry, order]),
        'undone': journal([entry, order], mark=b'SBDONE__SBUNDONE'),
        'torn_mark': journal([entry, order], mark=b'SBDO'),
        'deletion': journal([order, gone]),
        'no_records': journal([]),
        'count_too_high': journal([order], count=2),
        'count_huge': journal([order], count=0xffffffff),
        'cut': whole[:100],
        'wrong_crc': whole[:40] + b'X' + whole[41:],
        'name_without_end': journal([record('B' * 64, b'x', b'y')]),
        'no_name': journal([record('', b'x', b'y')]),
    }


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / 'corpus/journal')
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in seeds().items():
        (folder / name).write_bytes(data)


if __name__ == '__main__':
    main()
