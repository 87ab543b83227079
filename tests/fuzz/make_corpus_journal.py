#!/usr/bin/python3
"""Writes the seeds of fuzz_journal: whole journals, and one of each kind of damage."""
import hashlib
import struct
import sys
import zlib
from pathlib import Path

OLD, NEW = 1, 2
OLD_IS_ZERO, DIGESTS = 1, 2
VARIABLE, BLOCKS, RELIED = 1, 2, 3
PATH = bytes.fromhex('02010c00d041030a00000000' '010106000103' '7fff0400')
GUID = bytes(range(1, 17))


def record(name, old=None, new=None, attributes=7, flags=0):
    """A variable's record; None for one that is not there."""
    flags |= (OLD if old is not None else 0) | (NEW if new is not None else 0)
    old, new = old or b'', new or b''
    head = struct.pack('<6I', VARIABLE, flags, attributes, len(old), attributes, len(new))
    return head + name.encode().ljust(64, b'\0') + old + new


def blocks(lba, count, old=b'', digests=b'', disk=0, step=0, flags=None, kind=BLOCKS):
    """A record of blocks; all zero before when there is no old content."""
    if flags is None:
        flags = (0 if old else OLD_IS_ZERO) | (DIGESTS if digests else 0)
    return struct.pack('<4IQ2I', kind, flags, disk, step, lba, count, 0) + old + digests


def relied(lba, count, disk=0):
    """A record of blocks that must be as they are."""
    return struct.pack('<4IQ', RELIED, 0, disk, count, lba) + hashlib.sha256(b'x').digest()


def disk(count=1000, size=512, path=PATH, before=GUID, after=GUID, path_size=None):
    """A disk of the table."""
    path_size = len(path) if path_size is None else path_size
    return before + after + struct.pack('<Q2I', count, size, path_size) + path


def journal(records, disks=(), command=b'shadowboot clone', mark=b'', count=None, disk_count=None):
    """A journal with a right checksum."""
    body = command + b''.join(disks) + b''.join(records)
    total = 40 + len(body)
    head = b'SBJOURN2' + struct.pack('<II', total, len(records) if count is None else count)
    head += struct.pack('<H6B', 2026, 11, 20, 12, 30, 45, 0) + struct.pack('<I', len(command))
    tail = struct.pack('<II', len(disks) if disk_count is None else disk_count, 0)
    crc = zlib.crc32(head + bytes(4) + tail + body)
    return head + struct.pack('<I', crc) + tail + body + mark


def variable_seeds():
    """Names and bytes of journals of variables."""
    order = record('BootOrder', b'\0\0\1\0', b'\0\0\1\0\2\0')
    entry = record('Boot0002', None, b'\1\0\0\0\4\0A\0\0\0\x7f\xff\4\0')
    gone = record('Boot0003', b'\1\0\0\0\4\0B\0\0\0\x7f\xff\4\0', None)
    whole = journal([entry, order], mark=b'SBDONE__')
    return {
        'done': whole,
        'pending': journal([entry, order]),
        'undone': journal([entry, order], mark=b'SBDONE__SBUNDONE'),
        'left': journal([entry, order], mark=b'SBLEFT__'),
        'torn_mark': journal([entry, order], mark=b'SBDO'),
        'deletion': journal([order, gone]),
        'no_records': journal([]),
        'count_too_high': journal([order], count=2),
        'count_huge': journal([order], count=0xffffffff),
        'cut': whole[:100],
        'wrong_crc': whole[:44] + b'X' + whole[45:],
        'name_without_end': journal([record('B' * 64, b'x', b'y')]),
        'name_with_more_behind': journal([record('Boot0001\0x', b'x', b'y')]),
        'name_with_a_blank': journal([record('Boot 001', b'x', b'y')]),
        'no_name': journal([record('', b'x', b'y')]),
        'unknown_flag': journal([record('Boot0001', b'x', b'y', flags=4)]),
        'command_with_nul': journal([order], command=b'a\0b'),
    }


def disk_seeds():
    """Names and bytes of journals with blocks."""
    old = bytes(range(256)) * 4
    digests = hashlib.sha256(b'1').digest()[:8] + hashlib.sha256(b'2').digest()[:8]
    changed = blocks(998, 2, old, digests, step=3)
    zero = blocks(10, 500)
    order = record('BootOrder', b'\0\0\1\0', b'\0\0\1\0\2\0')
    large = disk(count=2**64 - 1, size=4096, before=bytes(16))
    small = disk()

    def one(*records, table=(small,), **more):
        return journal(list(records), table, b'shadowboot prepare 1', **more)

    return {
        'blocks': one(changed, zero, relied(17, 3), order, mark=b'SBDONE__'),
        'blocks_pending': one(changed, zero),
        'two_disks': one(changed, blocks(2**64 - 2, 1, bytes(4096), disk=1, step=4),
                         table=(small, large)),
        'zero_with_digests': one(blocks(0, 2, b'', digests)),
        'no_disk': one(changed, table=()),
        'disk_count_huge': one(changed, disk_count=0xffffffff),
        'disk_out_of_range': one(blocks(0, 2, old, disk=1)),
        'beyond_the_end': one(blocks(999, 2, old)),
        'lba_overflow': one(blocks(2**64 - 1, 2, b''), table=(large,)),
        'no_blocks': one(blocks(0, 0)),
        'blocks_huge': one(blocks(0, 0xffffffff, flags=0), table=(large,)),
        'digests_huge': one(blocks(0, 0xffffffff, flags=3), table=(large,)),
        'content_short': one(blocks(0, 2, old[:1000])),
        'unknown_blocks_flag': one(blocks(0, 2, old, flags=4)),
        'unknown_kind': one(blocks(0, 2, old, kind=4)),
        'relied_beyond': one(relied(999, 2)),
        'relied_overflow': one(relied(2**64 - 1, 0xffffffff), table=(large,)),
        'block_size_zero': one(table=(disk(size=0),)),
        'block_size_odd': one(table=(disk(size=520),)),
        'block_size_large': one(table=(disk(size=131072),)),
        'path_without_end': one(table=(disk(path=PATH[:-4]),)),
        'path_longer': one(table=(disk(path=PATH + b'xyz'),)),
        'path_huge': one(table=(disk(path_size=0xffffffff),)),
        'no_path': one(table=(disk(path=b''),)),
    }


def seeds():
    """Names and bytes."""
    return {**variable_seeds(), **disk_seeds()}


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent / 'corpus/journal')
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in seeds().items():
        (folder / name).write_bytes(data)


if __name__ == '__main__':
    main()
