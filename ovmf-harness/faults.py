"""Trouble for the machines of the tests: disks that fail, vanish or are write-protected, odd
tables, full variable stores.

    faults.fail_reads(disk, 1)               # every read of block 1 is an error
    faults.write_protect(stick)
    faults.die_after_writes(disk, 3)         # the fourth write and all that follows is an error
    faults.slow_writes(disk, 4)              # four a second, so that something can happen in between
    with machine.boot_to_shell() as vm:
        faults.unplug(vm, stick)             # USB only: gone, as if pulled out
        faults.kill(vm, disk)                # there, but from now on every read is an error

Reads fail in QEMU's blkdebug driver, so the guest's controller reports them in its own way.
"""
import json
import struct
import zlib

import gpt
from devicepath import guid_bytes, ucs2
from disk import KINDS

SECTOR = 512  # of blkdebug, whatever the disk's blocks are
READ_ERROR = {'event': 'none', 'iotype': 'read', 'errno': 5}


def _errors(disk, blocks):
    """blkdebug's rules: the sectors of the blocks, or all reads."""
    if not blocks:
        return [READ_ERROR]
    per_block = disk.block_size // SECTOR
    return [dict(READ_ERROR, sector=block * per_block + i)
            for block in blocks for i in range(per_block)]


def _drive(disk, read_only, errors, states=()):
    """What QEMU's -blockdev takes for a disk; the file itself is the node NAMEf."""
    low = {'driver': 'file', 'node-name': f'{disk.name}f', 'filename': str(disk.image)}
    if errors:
        low = {'driver': 'blkdebug', 'image': low, 'inject-error': errors}
    if states:
        low['set-state'] = list(states)
    return {'driver': 'raw', 'node-name': f'{disk.name}d', 'file': low, 'read-only': read_only,
            'auto-read-only': False, 'cache': {'no-flush': True}}


def _set(disk, read_only=False, errors=(), states=()):
    def arguments():
        options = ['-blockdev', json.dumps(_drive(disk, read_only, list(errors), states))]
        for device in KINDS[disk.kind][0](disk):
            options += ['-device', device]
        return options
    disk.arguments = arguments
    return disk


def write_protect(disk):
    """Make a disk read-only (virtio-blk, virtio-scsi, USB)."""
    return _set(disk, read_only=True)


def fail_reads(disk, *blocks):
    """Make reads that touch one of these blocks fail, or all reads when none is named."""
    return _set(disk, errors=_errors(disk, blocks))


def die_after_writes(disk, count):
    """Let so many writes pass; from then on nothing of the disk can be read or written."""
    steps = [{'event': 'write_aio', 'state': n, 'new_state': n + 1} for n in range(1, count + 1)]
    dead = [{'event': 'write_aio', 'state': count + 1, 'iotype': kind, 'errno': 5}
            for kind in ('read', 'write')]
    return _set(disk, errors=dead, states=steps)


def slow_writes(disk, per_second):
    """Let no more than so many writes a second pass."""
    group = {'qom-type': 'throttle-group', 'id': f'{disk.name}slow',
             'limits': {'iops-write': per_second, 'iops-write-max': per_second}}
    drive = {'driver': 'throttle', 'node-name': f'{disk.name}d', 'throttle-group': f'{disk.name}slow',
             'file': dict(_drive(disk, False, []), **{'node-name': f'{disk.name}r'})}

    def arguments():
        options = ['-object', json.dumps(group), '-blockdev', json.dumps(drive)]
        for device in KINDS[disk.kind][0](disk):
            options += ['-device', device]
        return options
    disk.arguments = arguments
    return disk


def heal(disk):
    """An ordinary disk again."""
    del disk.arguments


def killable(disk):
    """Prepare a disk for `kill`."""
    return _set(disk)


def kill(vm, disk):
    """From now on all reads of a `killable` disk fail."""
    bad = f'{disk.name}bad'
    vm.qmp.execute('blockdev-add', driver='blkdebug', **{
        'node-name': bad, 'image': f'{disk.name}f', 'inject-error': [READ_ERROR]})
    options = dict(_drive(disk, False, []), file=bad)
    vm.qmp.execute('blockdev-reopen', options=[options])


def unplug(vm, disk):
    """Pull a USB disk out."""
    vm.qmp.execute('device_del', id=disk.name)
    if not vm.qmp.wait_event('DEVICE_DELETED', 10):
        raise vm.console.error(f'{disk.name} is still there')


# Fields of a GPT header, by their index in gpt.HEADER
ENTRY_COUNT, ENTRY_SIZE = 11, 12
CRC = 3


def write_headers(table, **fields):
    """Write both headers with other values in some fields (entry_count=...), and checksums."""
    index = {'entry_count': ENTRY_COUNT, 'entry_size': ENTRY_SIZE}
    for backup in (False, True):
        values = list(gpt.HEADER.unpack(table.header(backup)[:gpt.HEADER.size]))
        for name, value in fields.items():
            values[index[name]] = value
        values[CRC] = 0
        values[CRC] = zlib.crc32(gpt.HEADER.pack(*values))
        at = table.backup_header if backup else table.primary_header
        gpt.poke(table.image, at, gpt.HEADER.pack(*values))


def variables_file(variables):
    """The file that the Shell's `dmpstore -all -l` loads, of nvram.Variables."""
    content = b''
    for variable in variables:
        name = ucs2(variable.name)
        record = struct.pack('<II', len(name), len(variable.data)) + name
        record += guid_bytes(variable.guid) + struct.pack('<I', variable.attributes)
        record += variable.data
        content += record + struct.pack('<I', zlib.crc32(record))
    return content
