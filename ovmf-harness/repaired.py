"""A machine of `mirror` on which the host program may change things, with a stick for its journals.

    machine = Repaired(setup, folder)        # a copy: `setup` stays as it is
    result = machine.run('repair', '-y')     # Run: text, status
    machine.setup                            # the machine as it is now, for firmware_model

`state` remembers what all disks hold; `left_behind` tells what differs from it, but for blocks that were
free: what a file system or a partition did not use then is nobody's, and need not come back.
"""
import os
import struct
from pathlib import Path

import gpt
from fat_bytes import FatBytes
from firmware_disks import table
from fat import Volume
from mirror import MIB
from sparse import holes_kept, pieces

STICK = 8                            # the place of the stick: behind all disks
PAGE = 512


def make_stick(image):
    """A USB stick with one FAT volume."""
    with open(image, 'wb') as stream:
        stream.truncate(40 * MIB)
    part = gpt.Partition(gpt.BASIC_DATA, blocks=36 * MIB // 512, name='stick',
                         guid='5d1c0000-0000-4000-8000-00000000571c')
    gpt.Table(image, 512, [part], '5d1c0000-0000-4000-8000-0000000d1540').write()
    Volume(image, part.first_lba * 512, part.blocks * 512).format(16, serial=0x571C)


class Repaired:
    def __init__(self, setup, folder, stick):
        self.setup = setup.copy(Path(folder) / 'repaired')
        for index in self.setup.present():
            self.setup.writable(index)
        self.stick = Path(folder) / 'stick.img'
        holes_kept(stick, self.stick)

    def options(self):
        """The host program's: the machine's disks, then the stick that it is started from."""
        options = self.setup.host_options()
        at = options.index('--vars')
        empty = STICK - sum(option == '--disk' for option in options)
        own = [*['--disk', 'none'] * empty, '--disk', f'{self.stick}:512:usb', '--self', f'{STICK}:1']
        return [*options[:at], *own, *options[at:]]

    def run(self, *words, program=None):
        done = self.setup.run(*words, options=self.options(), program=program)
        self.setup.variables = read_variables(self.setup.folder / 'variables.txt')
        return done

    def state(self):
        images = {index: image_pages(self.setup.disk(index).image) for index in self.setup.present()}
        return State(images, {index: free_ranges(self.setup, index) for index in images},
                     dict(self.setup.variables))

    def left_behind(self, state):
        """What is not as it was: names of variables, places on disks."""
        found = [name for name in {*state.variables, *self.setup.variables}
                 if state.variables.get(name) != self.setup.variables.get(name)]
        for index, pages in state.images.items():
            now = image_pages(self.setup.disk(index).image)
            changed = [at for at in {*pages, *now} if pages.get(at) != now.get(at)]
            free = state.free[index]
            found += [f'disk {index} at {at}' for at in sorted(changed)
                      if not any(first <= at < end for first, end in free)]
        return found


class State:
    def __init__(self, images, free, variables):
        self.images, self.free, self.variables = images, free, variables

    def same(self, other):
        return self.images == other.images and self.variables == other.variables


def read_variables(path):
    """The variables that the program left, as Setup has them."""
    found = {}
    for line in path.read_text().splitlines():
        name, attributes, data = line.split()
        found[name] = (int(attributes, 16), b'' if data == '-' else bytes.fromhex(data))
    return found


def image_pages(image):
    """{offset: a number for the content} of the blocks that are not zero."""
    found = {}
    for at, data in pieces(image):
        for start in range(0, len(data), PAGE):
            page = data[start:start + PAGE]
            if page.count(0) != len(page):
                found[at + start] = hash(page)
    return found


def free_ranges(setup, index):
    """What nobody uses on a disk: blocks in no partition and in no table, free clusters of its ESPs."""
    disk = setup.disk(index)
    block, size = disk.block_size, os.path.getsize(disk.image)
    parts = sorted((part.first * block, (part.last + 1) * block, part) for part in table(disk))
    if not parts:
        return [(0, size)] if not any(image_pages(disk.image)) else []
    at, found = 34 * block, []
    for first, end, _ in parts:
        found.append((at, first))
        at = max(at, end)
    found.append((at, size - 33 * block))
    for first, end, part in parts:
        if part.type == gpt.ESP:
            found += free_clusters(setup, index, first, end)
        if part.type == gpt.MSR:
            found.append((first, end))
    return [(first, end) for first, end in found if first < end]


def free_clusters(setup, index, first, end):
    """The free clusters of a file system; none where there is no FAT to go by."""
    def refuse(_at, _data):
        raise AssertionError('only read')
    try:
        fat = FatBytes(lambda at, count: setup.read(index, first + at, count), refuse)
        if not 0 < fat.count < 1 << 24 or first + fat.fat_offset + fat.fat_size > end:
            return []
    except (LookupError, struct.error, ZeroDivisionError):
        return []
    width = fat.bits // 8
    raw = setup.read(index, first + fat.fat_offset, (fat.count + 2) * width)
    entries = struct.unpack(f'<{len(raw) // width}{"HI"[width // 4]}', raw)
    found = []
    for cluster in range(2, len(entries)):
        if entries[cluster]:
            continue
        at = first + fat.place(cluster)
        if found and found[-1][1] == at:
            found[-1] = (found[-1][0], at + fat.cluster_size)
        else:
            found.append((at, at + fat.cluster_size))
    return found
