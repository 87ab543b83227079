"""What a started program does next, in the machines of `mirror`: the other half of the firmware model.

`run` tells a program by its bytes. The stand-in under the name of Windows' boot manager then needs

    its store     \\EFI\\Microsoft\\Boot\\BCD on its own ESP: hivex opens it, completed from its log where it is dirty
    its volume    a copy of Windows on a disk that is there: ntfs-3g reads winload.efi and ntoskrnl.exe there,
                  both unchanged; on a dynamic disk the copy counts only if the LDM database of this disk
                  is whole and is the newest of all disks, and every state in it is good

Loaders of Linux need a member of their array, with a sound superblock, on a disk that is there; who of
them starts whom is told by `program_model`. Tools start nothing, and no loader starts another system than
its own. A changed program may do anything: it counts as crashed. One of which only the checksum is not
right starts where firmware is lenient: perhaps.
An LDM database is read here as far as it takes to judge the copies: the records' states, not volumes
of all kinds.
"""
import functools
import struct
import subprocess
import tempfile
from pathlib import Path

import gpt
import ldm
import mirror
import pe
import program_model as programs
import sparse
import store_model
from firmware_disks import table
from mirror import standin
from ntfs import BITLOCKER

STARTS, PERHAPS, FAILS, UNSURE, RETURNS = 'starts', 'perhaps', 'fails', 'unsure', 'returns'
STORE = '/EFI/Microsoft/Boot/BCD'
NEEDED = ('/Windows/System32/winload.efi', '/Windows/System32/ntoskrnl.exe')
LINUX_DATA = '0fc63daf-8483-4772-8e79-3d69d8477de4'
LINUX_RAID = 'a19d880f-05fc-4d3b-a006-743f0f84911e'
NAME_SIZE = 64                       # the name behind the stand-in's own bytes


class Doubt(Exception):
    """Nobody can say whether this works."""


# Programs

@functools.cache
def original():
    """The stand-in without its checksum."""
    return pe_without_checksum(standin())


def pe_without_checksum(data):
    at = pe.checksum_offset(data)
    return data[:at] + bytes(4) + data[at + 4:]


def program_name(data):
    """The name of an unchanged program, or None."""
    try:
        return None if pe.stored_checksum(data) != pe.checksum(data) else name_of(data)
    except struct.error:
        return None


def name_of(data):
    """The name of a program that is unchanged but for its checksum, or None."""
    size = len(original())
    try:
        data = pe.without_certificates(data)[:size + NAME_SIZE]
        if len(data) != size + NAME_SIZE or pe_without_checksum(data)[:size] != original():
            return None
        name = data[size:].split(b'\0')[0]
        return name.decode() if mirror.boot_program(name.decode())[size:] == data[size:] else None
    except (struct.error, UnicodeDecodeError):
        return None


def run(setup, index, disks, volume, data, path='', options=b''):
    """(verdict, why) of a program that was started from a volume of disk `index`, `disks` being there.

    `path` is where the program lies, `options` are the load options of the entry that starts it.
    """
    if pe.RETURN_ERROR in data and len(data) < len(original()):
        return RETURNS, 'returns an error'
    name = name_of(data)
    if name is None:
        return FAILS, 'started, but its bytes are not those it was built with'
    try:
        verdict, why = Start(setup, index, disks, volume).run(name, path, options)
    except Doubt as doubt:
        return UNSURE, f'{name}: {doubt}'
    if verdict == STARTS and program_name(data) is None:
        return PERHAPS, f'{why}, if nobody minds the stale checksum'
    return verdict, why


class Start:
    """One start, with programs that start each other."""

    def __init__(self, setup, index, disks, volume):
        self.setup, self.index, self.disks, self.volume = setup, index, disks, volume
        kinds = {disk.parts['plex'].type for disk in setup.disks if disk and 'plex' in disk.parts}
        self.is_linux, self.is_windows = LINUX_RAID in kinds, bool(kinds & {gpt.LDM_DATA, gpt.BASIC_DATA})

    def run(self, name, path, options=b'', by_shim=False, depth=0):
        kind = programs.kind_of(name)
        if kind == programs.TOOL:
            return FAILS, f'{name} is a tool'
        if kind == programs.MANAGER:
            return self.manager()
        if depth > 5:
            return FAILS, 'they start each other again and again'
        if kind == programs.SHIM:
            return self.shim(path, options, depth)
        if kind == programs.FALLBACK:
            return self.fallback(depth)
        return self.loader(name, kind, path, by_shim)

    def stage(self, path, depth, by_shim=False):
        """A program that another one starts from the same volume."""
        try:
            data = self.volume.read(path)
        except (ValueError, FileNotFoundError) as reason:
            return FAILS, f'{path}: {reason}'
        name = name_of(data)
        if name is None:
            return FAILS, f'{path} is damaged'
        verdict, why = self.run(name, path, by_shim=by_shim, depth=depth + 1)
        return (PERHAPS if verdict == STARTS and program_name(data) is None else verdict), why

    def shim(self, path, options, depth):
        try:
            target = programs.next_of_shim(self.volume, path, options)
        except ValueError as reason:
            return FAILS, str(reason)
        return self.stage(target, depth, by_shim=target.lower().endswith('\\grubx64.efi'))

    def fallback(self, depth):
        found = {self.stage(entries[0], depth) for entries in programs.entries_of_fallback(self.volume)}
        if not found:
            return FAILS, 'no list of entries: the machine is restarted again and again'
        if len({verdict for verdict, _ in found}) > 1:
            raise Doubt('several lists of entries, and nobody knows which comes first')
        return found.pop()

    def loader(self, name, kind, path, by_shim):
        if kind == programs.OTHER and (self.is_linux or self.is_windows):
            return FAILS, f'{name} starts another system'
        if kind == programs.LINUX and self.is_windows:
            return FAILS, f'{name} starts Linux'
        if not self.is_linux:
            raise Doubt('it may start anything')
        if kind == programs.GRUB and by_shim and not programs.has_settings(self.volume, path):
            raise Doubt('GRUB without its settings')
        if name == 'systemd-boot' and not programs.has_choice(self.volume):
            raise Doubt('systemd-boot with nothing to start')
        if holds_linux(self.setup.disks[self.index]):
            raise Doubt('Linux on a file system that nobody looks into')
        missing = member_problem(self.setup, self.disks)
        return (FAILS, f'{name}: {missing}') if missing else (STARTS, f'{name} and its array')

    def manager(self):
        if self.is_linux:
            return FAILS, 'it starts Windows, and not the system on the array'
        try:
            hive = store_of(self.volume)
        except ValueError as reason:
            return FAILS, f'boot manager: {reason}'
        missing = self.target_problem(hive)
        return (FAILS, f'boot manager: {missing}') if missing else (STARTS, 'boot manager, store and Windows')

    def target_problem(self, hive):
        """Why there is no Windows where the store looks for it, or ''."""
        try:
            wanted = store_model.devices_of(hive)
        except store_model.Odd as odd:
            raise Doubt(str(odd)) from odd
        except ValueError as problem:
            return str(problem)
        problems = [windows_problem(self.setup, self.index, self.disks, guid) for guid in wanted]
        return '; '.join(filter(None, problems))


# The store

def store_of(volume):
    """The hive that the boot manager has. ValueError: it has none."""
    try:
        hive = volume.read(STORE)
    except (ValueError, FileNotFoundError) as reason:
        raise ValueError(f'no store: {reason}') from reason
    if len(hive) < 4096 or hive[:4] != b'regf':
        raise ValueError('the store is no hive')
    whole = store_model.recovered(hive, log_of(volume))
    if whole is None:
        raise ValueError('the store is dirty, and has no log')
    text = store_model.as_xml(bytes(whole))
    if text is None:
        raise ValueError('hivex does not open the store')
    if 'name="Objects"' not in text or 'key="Element"' not in text:
        raise ValueError('the store has no objects')
    return whole


def log_of(volume):
    try:
        return volume.read(f'{STORE}.LOG')
    except (ValueError, FileNotFoundError):
        return b''


# The volume

def windows_problem(setup, index, disks, guid=None):
    """Why Windows does not come up, or ''. A plain volume may be on any disk that is there; `guid`: of the
    only partition that counts."""
    found = []
    for place in disks:
        for part in table(setup.disks[place]):
            if guid and part.guid != guid:
                continue
            if part.type == gpt.LDM_DATA and place == index:
                problem = volume_problem(setup.disks[place], part) or plex_problem(setup, index)
            elif part.type == gpt.BASIC_DATA:
                problem = volume_problem(setup.disks[place], part)
            else:
                continue
            if not problem:
                return ''
            found.append(f'disk {place} partition {part.number}: {problem}')
    return '; '.join(found) or 'no volume for Windows'


def read_around(disk, partition, target):
    """Copy a partition to a file; what cannot be read becomes noise that no structure survives."""
    blocks = partition.last - partition.first + 1
    sparse.copy_range(disk.image, partition.first * disk.block_size, blocks * disk.block_size, target)
    with open(target, 'r+b') as stream:
        for lba, count in disk.bad:
            first, last = max(lba, partition.first), min(lba + count - 1, partition.last)
            if first <= last:
                stream.seek((first - partition.first) * disk.block_size)
                stream.write(b'\xa5' * ((last - first + 1) * disk.block_size))


def volume_problem(disk, partition):
    """Why there is no Windows in a partition, or ''."""
    boot = gpt.peek(disk.image, partition.first * disk.block_size, 512)
    if boot[3:11] == BITLOCKER:
        raise Doubt('BitLocker')
    return sparse.asked_once(disk.image, ('Windows', partition.first, partition.last, repr(disk.bad)),
                             lambda: no_windows_in(disk, partition))


def no_windows_in(disk, partition):
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / 'volume'
        read_around(disk, partition, copy)
        for name in NEEDED:
            done = subprocess.run(['ntfscat', '-f', copy, name], capture_output=True, check=False)
            if done.returncode:
                return f'ntfs-3g finds no {name}'
            if program_name(done.stdout) is None:
                return f'{name} is damaged'
    return ''


# The array

def holds_linux(disk):
    return any(part.type == LINUX_DATA for part in table(disk))


def member_problem(setup, disks):
    """Why no disk that is there holds the array: superblock 1.2, 4096 bytes into a member."""
    for place in disks:
        disk = setup.disks[place]
        for part in table(disk):
            block = gpt.peek(disk.image, part.first * disk.block_size + 4096, 256 + 2 * 128)
            if part.type != LINUX_RAID or struct.unpack_from('<II', block) != (0xA92B4EFC, 1):
                continue
            entries, = struct.unpack_from('<I', block, 220)
            data = block[:216] + bytes(4) + block[220:256 + 2 * entries]
            total = sum(struct.unpack(f'<{len(data) // 4}I', data))
            if (total & 0xFFFFFFFF) + (total >> 32) == struct.unpack_from('<I', block, 216)[0]:
                return ''
    return 'no member of the array is there'


# The LDM database

VOLUME_TROUBLE = 0x4 | 0x100 | 0x400 | 0x1000 | 0x2000
PARTITION_TROUBLE = 0x8 | 0x10 | 0x20


class Fields:
    """The fields of a record, one after the other; all numbers are big-endian."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def fixed(self, size):
        self.at += size
        if self.at > len(self.data):
            raise ValueError('a record is too short')
        return self.data[self.at - size:self.at]

    def number(self, size):
        return int.from_bytes(self.fixed(size), 'big')

    def text(self):
        return self.fixed(self.number(1)).decode('latin-1')

    def variable(self):
        return int.from_bytes(self.fixed(self.number(1)), 'big')


def read_volume(fields):
    fields.text(), fields.text()
    state = fields.fixed(14).rstrip(b'\0').decode('latin-1')
    fields.number(1), fields.variable()
    flags = fields.number(4)
    return {'state': state, 'good': state == 'ACTIVE' and not flags & VOLUME_TROUBLE,
            'count': fields.variable()}


def read_component(fields):
    state, _, flags = fields.text(), fields.number(1), fields.number(4)
    count, _, _, parent = fields.variable(), fields.number(8), fields.number(8), fields.variable()
    return {'good': state == 'ACTIVE' and not flags, 'state': state, 'count': count, 'parent': parent}


def read_partition(fields):
    flags, _, start, offset = (fields.number(size) for size in (4, 8, 8, 8))
    size, parent, disk = fields.variable(), fields.variable(), fields.variable()
    return {'good': not flags & PARTITION_TROUBLE, 'start': start, 'offset': offset, 'size': size,
            'parent': parent, 'disk': disk}


def read_disk(fields):
    guid, _, flags = fields.text(), fields.text(), fields.number(4)
    return {'guid': guid.lower(), 'good': not flags}


READERS = {1: read_volume, 2: read_component, 3: read_partition, 4: read_disk}


class Database:
    """The LDM database of one disk. ValueError says what is wrong with it."""

    def __init__(self, disk):
        start, size = self._region(disk)
        self.block = disk.block_size
        self.data = gpt.peek(disk.image, start * self.block, size * self.block)
        bad = [(lba - start, count) for lba, count in disk.bad]
        self.bad = [(first, count) for first, count in bad if first < size and first + count > 0]
        head = self._newest(b'PRIVHEAD', range(size), 0x18)
        self.disk_guid, self.group_guid = (head[at:at + 64].rstrip(b'\0').decode('latin-1').lower()
                                           for at in (0x30, 0xB0))
        if struct.unpack_from('>HH', head, 0x0C)[0] != 2 or struct.unpack_from('>Q', head, 0x12B)[0] != start:
            raise ValueError('PRIVHEAD is of another disk')
        self.public = struct.unpack_from('>QQ', head, 0x11B)
        toc = self._newest(b'TOCBLOCK', struct.unpack_from('>QQ', head, 0x13B), 0x0C)
        regions = {toc[at:at + 8].rstrip(b'\0'): struct.unpack_from('>QQ', toc, at + 10)
                   for at in (0x24, 0x46)}
        if set(regions) != {b'config', b'log'}:
            raise ValueError('TOCBLOCK names no config or log')
        self.config, self.log = (self._bytes(*regions[name]) for name in (b'config', b'log'))
        self._header()
        self._records()

    @staticmethod
    def _region(disk):
        for part in table(disk):
            if part.type == gpt.LDM_METADATA:
                return part.first, part.last - part.first + 1
        raise ValueError('no LDM metadata partition')

    def _bytes(self, first, count):
        if any(lba < first + count and first < lba + blocks for lba, blocks in self.bad):
            raise ValueError('a block of it cannot be read')
        data = self.data[first * self.block:(first + count) * self.block]
        if len(data) != count * self.block or not count:
            raise ValueError('a region outside')
        return data

    def _newest(self, magic, places, sequence):
        """The copy of a structure with a right checksum and the highest sequence."""
        sound = []
        for place in places:
            try:
                copy = self._bytes(place, 1)[:512]
            except ValueError:
                continue
            # Most places hold nothing; to add up their bytes took most of the model's time.
            if copy[:8] != magic:
                continue
            if struct.unpack_from('>I', copy, 8)[0] == sum(copy[:8]) + sum(copy[12:]):
                sound.append((struct.unpack_from('>Q', copy, sequence)[0], copy))
        if not sound:
            raise ValueError(f'no sound {magic.decode()}')
        return max(sound)[1]

    def _header(self):
        magic, slots, size, first = struct.unpack_from('>4sIII', self.config)
        self.status, major, minor = struct.unpack_from('>HHH', self.config, 0x10)
        guid = self.config[0x35:0x75].rstrip(b'\0').decode('latin-1').lower()
        if magic != b'VMDB' or size != ldm.SLOT or (major, minor) != (4, 10) or guid != self.group_guid:
            raise ValueError('no sound VMDB header')
        if first % size or not first < slots * size <= len(self.config):
            raise ValueError('VMDB header with impossible sizes')
        self.committed, self.pending = struct.unpack_from('>QQ', self.config, 0x75)
        self.counts = struct.unpack_from('>4I', self.config, 0x85)
        self.slots = [self.config[i:i + size] for i in range(first, slots * size, size)]
        self.first_slot = first // size

    def _records(self):
        groups = {}
        for number, slot in enumerate(self.slots, self.first_slot):
            magic, own, group, part, parts = struct.unpack_from('>4sIIHH', slot)
            if magic != b'VBLK' or own != number:
                raise ValueError(f'slot {number} is damaged')
            if parts:
                groups.setdefault(group, []).append((part, parts, slot[16:]))
        self.settled, self.objects = True, {1: {}, 2: {}, 3: {}, 4: {}}
        for pieces in groups.values():
            pieces.sort()
            if [part for part, _, _ in pieces] != list(range(pieces[0][1])):
                raise ValueError('a record lacks a piece')
            self._record(b''.join(data for _, _, data in pieces))
        if tuple(len(self.objects[kind]) for kind in (1, 2, 3, 4)) != self.counts:
            raise ValueError('not as many records as counted')

    def _record(self, data):
        status, _, kind, length = struct.unpack_from('>HBBI', data)
        if 8 + length > len(data):
            raise ValueError('a record longer than its pieces')
        self.settled &= status == 0
        if kind & 15 not in READERS:
            return
        fields = Fields(data[8:8 + length])
        number, name = fields.variable(), fields.text()
        made = READERS[kind & 15](fields)
        made['name'] = name
        if number in self.objects[kind & 15]:
            raise ValueError('an object twice')
        self.objects[kind & 15][number] = made

    def log_is_empty(self):
        return all(page[:4] == b'KLOG' and page[0x18] in (0, 3)
                   for page in (self.log[:512], self.log[512:1024]))

    def is_clean(self):
        return self.status == 1 and self.committed == self.pending and self.settled

    def copy_problem(self, disk_guid):
        """What the records say against the copy of a volume on a disk, or ''."""
        volumes, components, partitions, disks = (self.objects[kind] for kind in (1, 2, 3, 4))
        own = [number for number, each in disks.items() if each['guid'] == disk_guid]
        if len(own) != 1:
            return 'the database does not know this disk'
        for part in partitions.values():
            if part['disk'] != own[0]:
                continue
            plex = components.get(part['parent'])
            volume = plex and volumes.get(plex['parent'])
            if not volume:
                return 'a piece without a plex, or a plex without a volume'
            for name, each in (('disk', disks[own[0]]), ('piece', part), ('plex', plex), ('volume', volume)):
                if not each['good']:
                    return f'the {name} is in a bad state'
            return ''
        return 'no piece of a volume on this disk'


def databases(setup):
    """{index: Database or the reason why there is none}, of disks with LDM partitions."""
    found = {}
    for index, disk in enumerate(setup.disks):
        if disk is None:
            continue
        try:
            found[index] = Database(disk)
        except (ValueError, struct.error, IndexError) as reason:
            found[index] = str(reason)
    return found


def plex_problem(setup, index):
    """Why the copy on this disk is not to be trusted, or ''. Doubt where the disks contradict each other."""
    found = databases(setup)
    own = found[index]
    if isinstance(own, str):
        return f'LDM: {own}'
    others = [each for each in found.values() if not isinstance(each, str) and each is not own
              and each.group_guid == own.group_guid]
    if any(each.disk_guid == own.disk_guid for each in others):
        raise Doubt('LDM: two disks with one identity')
    if any(each.committed > own.committed for each in others):
        return 'LDM: behind the other disk'
    if any(each.committed == own.committed and each.config != own.config for each in others):
        raise Doubt('LDM: the disks contradict each other')
    problem = own.copy_problem(own.disk_guid)
    if problem:
        return f'LDM: {problem}'
    if not own.is_clean() or not own.log_is_empty():
        raise Doubt('LDM: a change was not completed')
    return ''
