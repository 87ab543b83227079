"""Every write of a machine in the order in which it was made, and the states that power cuts leave.

    log = WriteLog(machine)                    # before switching on
    with machine.boot_to_shell() as vm: ...
    replay = log.replay(folder)                # copies of the images as they were
    for state in replay.states([target]):      # a disk; each state is in the copies while it is looked at
        judge(replay.image(target), replay.variables())

While it is logged a machine writes to one file that stands for all its disks and for the flash with its
variables, through QEMU's blklogwrites driver. So the one log has the order of all writes, whatever disk
they went to: a state is the whole machine at one moment, the stick with its journal included. The
images themselves stay as they were at switching on; `keep` brings into them what was written.

The log is of the form of Linux' dm-log-writes: a superblock, and for each write, flush and discard an
entry, followed by the data.
"""
import json
import os
import struct
from collections import namedtuple
from pathlib import Path

import gpt
from disk import KINDS, MIB
from firmware import FIRMWARE
from nvram import Nvram
from sparse import copy_range, pieces

MAGIC = 0x6A736677736872
SUPER = struct.Struct('<QQQI')               # magic, version, entries, bytes of a sector
ENTRY = struct.Struct('<QQQQ')               # sector, sectors, flags, bytes (of marks)
FLUSH, FUA, DISCARD = 1, 2, 4
SECTOR = 512
VARIABLES = 'variables'
TEARS = 8                                    # places in which a long write is torn

Write = namedtuple('Write', 'offset size flags data_at')
Region = namedtuple('Region', 'name image start size')
State = namedtuple('State', 'number kind region write')


def read_log(path):
    """The entries of a log, offsets and sizes in bytes; ValueError when it is none."""
    found = []
    with open(path, 'rb') as stream:
        magic, version, count, sector = SUPER.unpack(stream.read(SUPER.size))
        if magic != MAGIC or version != 1:
            raise ValueError(f'{path}: not a log of writes')
        at = sector
        for _ in range(count):
            stream.seek(at)
            first, sectors, flags, _ = ENTRY.unpack(stream.read(ENTRY.size))
            at += sector
            found.append(Write(first * sector, sectors * sector, flags, at))
            at += 0 if flags & DISCARD else sectors * sector
    if at > os.path.getsize(path):
        raise ValueError(f'{path}: cut short')
    return found


class WriteLog:
    """Logs what a machine writes from its next start on. One start to a log."""

    def __init__(self, machine):
        self.machine, self.regions = machine, []
        self.path, self.image = machine.workdir / 'writes.log', machine.workdir / 'writes.img'
        machine.storage_arguments = self._arguments

    def _lay_out(self):
        """All images, one behind the other, in the file that the machine writes to."""
        parts = [(disk.name, disk.image) for disk in self.machine.disks if not disk.pulled]
        start, self.regions = 0, []
        for name, image in [*parts, (VARIABLES, self.machine.nvram.path)]:
            size = os.path.getsize(image)
            self.regions.append(Region(name, Path(image), start, size))
            start += -(-size // MIB) * MIB
        self.image.write_bytes(b'')
        os.truncate(self.image, start)
        with open(self.image, 'r+b', buffering=0) as stream:
            for region in self.regions:
                for at, data in pieces(region.image):
                    os.pwrite(stream.fileno(), data, region.start + at)

    def _nodes(self):
        """What QEMU's -blockdev takes: the file, its log, and a window of it for each disk."""
        for name, path in (('all', self.image), ('log', self.path)):
            yield {'driver': 'file', 'node-name': f'{name}f', 'filename': str(path),
                   'cache': {'no-flush': True}}
        yield {'driver': 'blklogwrites', 'node-name': 'all', 'file': 'allf', 'log': 'logf',
               'log-sector-size': SECTOR, 'log-super-update-interval': 1}
        for region in self.regions:
            yield {'driver': 'raw', 'node-name': f'{region.name}d', 'file': 'all',
                   'offset': region.start, 'size': region.size}

    def _arguments(self):
        self._lay_out()
        self.path.write_bytes(b'')
        arguments = ['-drive', f'if=pflash,format=raw,unit=0,file={FIRMWARE.code},readonly=on']
        for node in self._nodes():
            arguments += ['-blockdev', json.dumps(node)]
        arguments += ['-machine', f'pflash1={VARIABLES}d']
        for disk in self.machine.disks:
            drive = f'drive={disk.name}d'
            for device in [] if disk.pulled else KINDS[disk.kind][0](disk):
                arguments += ['-device', device.replace(drive, f'{drive},share-rw=on')]
        return arguments

    def count(self):
        """How many entries there are; also while the machine runs."""
        return SUPER.unpack(gpt.peek(self.path, 0, SUPER.size))[2] if os.path.getsize(self.path) else 0

    def keep(self):
        """Log no more: what was written is in the images from now on."""
        del self.machine.storage_arguments
        for region in self.regions:
            copy_range(self.image, region.start, region.size, region.image)

    def keep_safe(self, folder):
        """The same, without what no flush has made safe on the disks. `folder` is for copies."""
        del self.machine.storage_arguments
        with self.replay(folder) as replay:
            replay.skip(len(replay.writes))
            replay.lose()
        for region in self.regions:
            copy_range(replay.image(region.name), 0, region.size, region.image)

    def replay(self, folder):
        return Replay(self, Path(folder))


def tears(blocks):
    """Behind which blocks a write is torn: all of a short one, some of a long one."""
    step = -(-blocks // TEARS)
    return sorted({1, blocks - 1, *range(step, blocks, step)} - {0, blocks})


class Replay:
    """Copies of the images that go through all the states they had."""

    def __init__(self, log, folder):
        self.log, self.folder = log, folder
        folder.mkdir(parents=True, exist_ok=True)
        self.writes = read_log(log.path)
        self.regions = {region.name: region for region in log.regions}
        for region in log.regions:
            copy_range(region.image, 0, region.size, self.image(region.name))
        self._open = {region.name: open(self.image(region.name), 'r+b', buffering=0)
                      for region in log.regions}
        self._log = open(log.path, 'rb')
        self._unsafe = []                     # (name, offset, old, new) since the last flush
        self.done = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for stream in [*self._open.values(), self._log]:
            stream.close()

    def image(self, disk):
        """The copy of a disk's image; `disk` may be its name."""
        return self.folder / f'{getattr(disk, "name", disk)}.img'

    def variables(self):
        """The variables as they are now."""
        return Nvram(self.image(VARIABLES)).variables()

    def where(self, write):
        """(region, offset in it) of an entry; (None, 0) of a flush."""
        for region in self.regions.values():
            if write.size and region.start <= write.offset < region.start + region.size:
                return region, write.offset - region.start
        return None, 0

    def writes_to(self, disk, since=0):
        """(offset, size) of all that was written to a disk."""
        found = [(*self.where(write), write.size) for write in self.writes[since:]]
        return [(offset, size) for region, offset, size in found if region and region.name == disk.name]

    def _data(self, write):
        if write.flags & DISCARD:
            return bytes(write.size)
        return os.pread(self._log.fileno(), write.size, write.data_at)

    def _put(self, name, offset, data):
        os.pwrite(self._open[name].fileno(), data, offset)

    def _carry_out(self, write):
        """The next entry of the log, in order."""
        region, offset = self.where(write)
        if write.flags & FLUSH:
            self._unsafe = []                # it does not say of which disk, so it counts for all
        if region:
            new = self._data(write)
            old = os.pread(self._open[region.name].fileno(), write.size, offset)
            self._put(region.name, offset, new)
            if not write.flags & FUA:
                self._unsafe.append((region.name, offset, old, new))

    def skip(self, count):
        """Go on without stopping until so many entries are carried out."""
        while self.done < count:
            self._carry_out(self.writes[self.done])
            self.done += 1

    def lose(self):
        """What no flush has made safe has not reached the disks; the variables are in flash."""
        for name, offset, old, _ in reversed(self._unsafe):
            if name != VARIABLES:
                self._put(name, offset, old)

    def _torn(self, name, offset, data, part):
        """Only the first `part` bytes of the next write are on the disk."""
        old = os.pread(self._open[name].fileno(), part, offset)
        self._put(name, offset, data[:part])
        return lambda: self._put(name, offset, old)

    def _early(self, name, offset, data):
        """Of all that is not safe on this disk, only the next write has reached it."""
        before = [each for each in self._unsafe if each[0] == name]
        for _, at, old, _ in reversed(before):
            self._put(name, at, old)
        kept = os.pread(self._open[name].fileno(), len(data), offset)
        self._put(name, offset, data)

        def back():
            self._put(name, offset, kept)
            for _, at, _, new in before:
                self._put(name, at, new)
        return back

    def states(self, disks):
        """All states that a cut can leave while `disks` are written, the first and the last included.

        A State tells `kind`: 'cut' after a write, in order; 'torn' in the middle of one of several
        blocks; 'early' when a write reached the disk before all others since the last flush.
        Whatever goes to other disks and to the flash in between is there as far as it was written.
        """
        sizes = {disk.name: disk.block_size for disk in disks}
        yield State(self.done, 'cut', None, None)
        while self.done < len(self.writes):
            write = self.writes[self.done]
            region, offset = self.where(write)
            if region and region.name in sizes:
                yield from self._half_states(region.name, offset, write, sizes[region.name])
            self.skip(self.done + 1)
            if region and region.name in sizes:
                yield State(self.done, 'cut', region.name, write)
        yield State(self.done, 'cut', None, None)

    def _half_states(self, name, offset, write, block):
        data = self._data(write)
        for part in tears(write.size // block):
            back = self._torn(name, offset, data, part * block)
            yield State(self.done, 'torn', name, write)
            back()
        if any(each[0] == name for each in self._unsafe):
            back = self._early(name, offset, data)
            yield State(self.done, 'early', name, write)
            back()
