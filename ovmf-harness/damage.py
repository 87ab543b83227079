"""The language of the damage catalogue: what happened to a machine, one thing a line.

A new case: make the folder, write base, what happened and what a person would say of it (before the
program is asked: what it says is what is tested); run the catalogue's tests with -k NAME; add what
`repair` has to leave, or that it rightly leaves the damage. A kind of damage that has no word yet gets
one below, as a function that changes the images by itself, not by the program's own code.

A case is a file `case` in a folder of tests/repair, whose name is that of the damage:

    # The second disk's ESP lost its Microsoft folder.
    base: mirror
    do: esp 1 rmtree /EFI/Microsoft
    finds: esp-no-boot-files @ Disk 1 Partition 1
    finds: entry-file-gone @ Boot0001
    verdict: 0 starts
    verdict: 1 fails 0xc000000f
    status: 65

`base` is one of mirror.BASES. `like: other-case` says that this damage differs too little from that
one to be tried with every other damage as well. `do` is carried out line by line; each begins with what
is damaged and which: `esp 1`, `disk 0`, `gpt 1`, `entry 0001`, `order`, `nvram`, `ldm 0` (`ldm *` for all
disks), `ntfs 1`, `md 1`, `store 1` (what is in it: stores.py). Disks are counted as they were built.
`finds`, `verdict` and `status` are what the program has to say, all of it, with disks counted as it does:
those that are here. A code behind a verdict is what Windows' boot manager stops with there: the verdict
says it (error_codes.py has which causes have which).

What `repair -y -format -msr` has to leave can be said too (test_repair_outcome.py); disks are counted as
they are printed, and what each does alone is told by `firmware_model`:

    repaired: 1 starts
    repair-status: 0
    order after: 0000,0001,0002
    entry after: 0002 1 \\EFI\\debian\\shimx64.efi debian
    repair says: shadowboot add
    there after: 1 /loader/loader.conf
    not there after: 0 /EFI/HP

`entry after` has number, disk whose ESP it names, file and description; `repair says` a part of the
output; `there after` and `not there after` a disk and a file on its ESP.

Nothing here uses the product's code: files go through mtools, everything else is changed as bytes. A
verb raises LookupError where its object is not there (any more). No verb mends anything: what is
there gets worse, what is not there is not made.
"""
import dataclasses
import os
import re
import shlex
import struct
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import gpt
import ldm
import mirror
import mirror_bases  # noqa: F401: adds to mirror.BASES
import ntfs
import owners
import pe
import sparse
import regf
import stores
from devicepath import (ACTIVE, AUTO_MARKER, CATEGORY_APP, END, LoadOption, bbs, file, find_hd, hd,
                        modern_options, node, path, pci, pci_root, sata, shell_path, split,
                        vendor_hardware)
import fat as fat_module
from fat import run
from fat_bytes import CLEAN, LAST, FatBytes
from ldm_edit import LdmEdit
from mirror import BUILT, MIB, ROOT, STORED

CASES = ROOT / 'tests/repair'
DAY = 86400
VERBS = {}


def verb(*names):
    """Make a function a verb: verb('esp', 'delete') takes part in `do: esp N delete ...`."""
    def register(function):
        VERBS[names] = function
        return function
    return register


# Cases

@dataclass
class Case:
    name: str
    base: str = 'mirror'
    like: str = ''
    text: list = field(default_factory=list)
    do: list = field(default_factory=list)
    finds: set = field(default_factory=set)
    verdicts: dict = field(default_factory=dict)
    codes: dict = field(default_factory=dict)
    status: int = 0
    repaired: dict = field(default_factory=dict)
    repair_status: int = None
    order_after: list = None
    entries_after: dict = field(default_factory=dict)
    repair_says: list = field(default_factory=list)
    files_after: list = field(default_factory=list)

    def apply(self, setup):
        for line in self.do:
            apply(setup, line)


def read_repaired(case, value):
    number, verdict = value.split()
    case.repaired[int(number)] = verdict


def read_entry_after(case, value):
    number, disk, name, description = value.split(maxsplit=3)
    case.entries_after[int(number, 16)] = (int(disk), name, description)


OUTCOMES = {
    'repaired': read_repaired,
    'repair-status': lambda case, value: setattr(case, 'repair_status', int(value)),
    'order after': lambda case, value: setattr(case, 'order_after',
                                               [int(number, 16) for number in value.split(',')]),
    'entry after': read_entry_after,
    'there after': lambda case, value: case.files_after.append((*value.split(), True)),
    'not there after': lambda case, value: case.files_after.append((*value.split(), False)),
    'repair says': lambda case, value: case.repair_says.append(value),
}


def read_case(folder):
    """The case in a folder; ValueError for a line that is none."""
    case = Case(Path(folder).name)
    for line in (Path(folder) / 'case').read_text().splitlines():
        if line.startswith('#'):
            case.text.append(line[1:].strip())
            continue
        key, _, value = (part.strip() for part in line.partition(':'))
        if key == 'base':
            case.base = value
        elif key == 'like':
            case.like = value
        elif key == 'do':
            case.do.append(value)
        elif key == 'finds':
            name, place = re.fullmatch('([a-z0-9-]+) @ (.+)', value).groups()
            case.finds.add((name, place))
        elif key == 'verdict':
            number, verdict, *code = value.split()
            case.verdicts[int(number)] = verdict
            case.codes.update({int(number): one for one in code})
        elif key == 'status':
            case.status = int(value)
        elif key in OUTCOMES:
            OUTCOMES[key](case, value)
        elif line.strip():
            raise ValueError(f'{case.name}: {line!r}')
    return case


def all_cases():
    return [read_case(folder) for folder in sorted(CASES.iterdir()) if (folder / 'case').is_file()]


def apply(setup, line):
    """Carry out one line. LookupError when there is nothing left to damage, or mtools cannot get at it."""
    try:
        carry_out(setup, *shlex.split(line))
    except (FileNotFoundError, RuntimeError) as error:
        raise LookupError(str(error)) from error


def carry_out(setup, noun, *words):
    if noun in ('nvram', 'order'):
        VERBS[noun, words[0]](setup, *words[1:])
    elif noun == 'entry':
        VERBS[noun, words[1]](setup, int(words[0], 16), *words[2:])
    else:
        indexes = setup.present() if words[0] == '*' else [int(words[0])]
        for index in indexes:
            setup.disk(index)
            VERBS[noun, words[1]](setup, index, *words[2:])


# Files on an ESP

def source(name):
    """Bytes that replace a file: what `esp N replace` knows by name."""
    store = regf.build_store()
    if name.startswith('bytes-'):
        return mirror.filler(name, int(name.removeprefix('bytes-')))
    if name.startswith('program-'):
        return mirror.boot_program(name.removeprefix('program-'))
    return {
        'other-bootmgfw': lambda: mirror.boot_program('another bootmgfw'),
        'other-grub': lambda: mirror.boot_program('another grub'),
        'other-text': lambda: mirror.filler('another text', 3000),
        'aa64': lambda: pe.build(pe.AARCH64),
        'ia32': lambda: pe.build(pe.I386),
        'zeros': lambda: bytes(len(mirror.boot_program('winload.efi'))),
        'half-a-program': lambda: mirror.boot_program('winload.efi')[:9000],
        'no-subsystem': lambda: pe.build(subsystem=2),
        'bad-checksum': lambda: pe_with_wrong_checksum(),
        'stale-checksum': lambda: pe.set_stored_checksum(mirror.boot_program('bootmgfw'), 0x1234),
        'stale-grub': lambda: pe.set_stored_checksum(mirror.boot_program('grub'), 0x1234),
        'twice-signed-shim': lambda: pe.with_certificates(mirror.boot_program('shim'), 1000, 901),
        'odd-signed-shim': lambda: pe.with_certificates(mirror.boot_program('shim'), 1001),
        'text': lambda: b'This is not a program.\r\n' * 200,
        'dirty-store': lambda: regf.set_sequences(store, 8, 7),
        'store-bad-checksum': lambda: regf.break_checksum(store),
        'store-bad-cell': lambda: regf.break_cell(store),
    }[name]()


def pe_with_wrong_checksum():
    """The boot manager with one byte of its data changed and everything else as it was."""
    image = bytearray(mirror.boot_program('bootmgfw'))
    image[-1] ^= 0x55
    return bytes(image)


def dated(age):
    return BUILT + {'older': -400 * DAY, 'same': 0, 'newer': 400 * DAY}[age]


def need_file(volume, name):
    if not volume.exists(name):
        raise LookupError(f'{name} is not there')


def put_file(volume, name, data, age='same'):
    """Replace a file by mtools; it gets a date of its own."""
    with tempfile.NamedTemporaryFile() as stream:
        stream.write(data)
        stream.flush()
        os.utime(stream.name, (dated(age), dated(age)))
        run('mcopy', '-o', '-m', '-i', volume._mtools, stream.name, volume._name(name))


@verb('esp', 'rmtree')
@verb('esp', 'delete')
def esp_delete(setup, index, name):
    volume = setup.volume(index, change=True)
    need_file(volume, name)
    volume.delete(name)


@verb('esp', 'empty')
def esp_empty(setup, index):
    """Delete all files and folders."""
    volume = setup.volume(index, change=True)
    names = [name for name in volume.list() if name.count('/') == 1 + name.endswith('/')]
    if not names:
        raise LookupError('it is empty')
    for name in names:
        volume.delete(name)


@verb('esp', 'replace')
def esp_replace(setup, index, name, what, age='same'):
    """Another content for a file, older or newer or of the same date."""
    volume = setup.volume(index, change=True)
    need_file(volume, name)
    put_file(volume, name, source(what), age)


def write_store(kind):
    """What a verb of the noun `store` does: the store of the disk's ESP gives way to another one."""
    def write(setup, index, *words):
        volume = setup.volume(index, change=True)
        need_file(volume, stores.STORE)
        if volume.get(stores.STORE) != setup.disk(index).store:
            raise LookupError('the store is not what it was')
        if kind in stores.STORES:
            put_file(volume, stores.STORE, regf.build(stores.STORES[kind](setup, index, *words)))
            return
        hive, logs = stores.LOGGED[kind](setup, index, *words)
        for suffix, data in {'': hive, '.LOG': b'', **logs}.items():
            put_file(volume, stores.STORE + suffix, data)
    return write


VERBS.update({('store', kind): write_store(kind) for kind in (*stores.STORES, *stores.LOGGED)})


@verb('esp', 'truncate')
def esp_truncate(setup, index, name, size):
    volume = setup.volume(index, change=True)
    need_file(volume, name)
    data = volume.get(name)
    if len(data) <= int(size):
        raise LookupError(f'{name} is no longer than {size} bytes')
    put_file(volume, name, data[:int(size)])


@verb('esp', 'bring')
def esp_bring(setup, index, name, what):
    """A file that is not there, of a content that `source` knows."""
    volume = setup.volume(index, change=True)
    if volume.exists(name):
        raise LookupError(f'{name} is there')
    mirror.put_files(volume, {name: source(what)})


@verb('esp', 'add')
def esp_add(setup, index, name, size):
    """A file that others have not; it takes room."""
    volume = setup.volume(index, change=True)
    if volume.exists(name):
        raise LookupError(f'{name} is there')
    put_file(volume, name, mirror.filler(name, int(size)))


@verb('esp', 'folder')
def esp_folder(setup, index, name):
    """A folder with nothing in it, that others have not."""
    volume = setup.volume(index, change=True)
    if volume.exists(name):
        raise LookupError(f'{name} is there')
    run('mmd', '-i', volume._mtools, volume._name(name))


# The FAT file system of an ESP

def fat_of(setup, index):
    disk = setup.disk(index)
    if 'esp' not in disk.parts:
        raise LookupError(f'disk {index} has no ESP')
    offset = disk.offset('esp')
    return FatBytes(lambda at, size: setup.read(index, offset + at, size),
                    lambda at, data: setup.write(index, offset + at, data))


def esp_bytes(setup, index, at, data):
    disk = setup.disk(index)
    if 'esp' not in disk.parts:
        raise LookupError(f'disk {index} has no ESP')
    setup.write(index, disk.offset('esp') + at, data)


@verb('esp', 'dirty')
def esp_dirty(setup, index):
    """Not unmounted."""
    fat = fat_of(setup, index)
    fat.set(1, fat.get(1) & ~CLEAN[fat.bits])


@verb('esp', 'cross')
def esp_cross(setup, index, one, other):
    """The chain of one file goes over into that of the other."""
    fat = fat_of(setup, index)
    fat.set(fat.clusters(one, 2)[0], fat.clusters(other, 2)[1])


@verb('esp', 'loop')
def esp_loop(setup, index, name):
    """The last cluster of a file leads to its first."""
    fat = fat_of(setup, index)
    chain = fat.clusters(name, 2)
    fat.set(chain[-1], chain[0])


@verb('esp', 'break')
def esp_break(setup, index, name):
    """The first cluster of a file leads to a cluster that does not exist."""
    fat = fat_of(setup, index)
    fat.set(fat.clusters(name, 2)[0], LAST[fat.bits] - 0x100)


@verb('esp', 'shorten')
def esp_shorten(setup, index, name):
    """The chain of a file ends behind its first cluster."""
    fat = fat_of(setup, index)
    chain = fat.clusters(name, 2)
    fat.set(chain[0], LAST[fat.bits])
    for cluster in chain[1:]:
        fat.set(cluster, 0)


@verb('esp', 'lose')
def esp_lose(setup, index):
    """A chain of three clusters that belongs to no file."""
    fat = fat_of(setup, index)
    first = fat.free()
    if any(fat.get(first + i) for i in range(3)):
        raise LookupError('no free clusters')
    for i, value in enumerate((first + 1, first + 2, LAST[fat.bits])):
        fat.set(first + i, value)


@verb('esp', 'differ')
def esp_differ(setup, index):
    """The second copy of the FAT says something else about a free cluster."""
    fat = fat_of(setup, index)
    first = fat.free()
    fat.set(first, LAST[fat.bits], copies=[1])


@verb('esp', 'zero-fat')
def esp_zero_fat(setup, index):
    """The first copy of the FAT is zero from its beginning."""
    fat = fat_of(setup, index)
    fat.write(fat.fat_offset, bytes(min(fat.fat_size, 8192)))


@verb('esp', 'zero-cluster')
def esp_zero_cluster(setup, index, name, which):
    """One cluster of a file is zero, as a disk gives it back that forgot a write."""
    fat = fat_of(setup, index)
    chain = fat.clusters(name, abs(int(which)) + 1)
    fat.write(fat.place(chain[int(which)]), bytes(fat.cluster_size))


@verb('esp', 'zero-file')
def esp_zero_file(setup, index, name):
    """All of a file is zero."""
    fat = fat_of(setup, index)
    for cluster in fat.clusters(name):
        fat.write(fat.place(cluster), bytes(fat.cluster_size))


@verb('esp', 'grow-entry')
def esp_grow_entry(setup, index, name):
    """The directory says that a file is longer than its chain."""
    fat = fat_of(setup, index)
    found = fat.find(name)
    fat.write(found.offset + 28, struct.pack('<I', found.size + 3 * fat.cluster_size))


@verb('esp', 'garbage-directory')
def esp_garbage_directory(setup, index, name):
    """A folder's first cluster was overwritten with something else."""
    fat = fat_of(setup, index)
    cluster = fat.clusters(name)[0]
    fat.write(fat.place(cluster), mirror.filler('garbage', fat.cluster_size))


@verb('esp', 'zero-boot-sector')
def esp_zero_boot_sector(setup, index):
    fat_of(setup, index)
    esp_bytes(setup, index, 0, bytes(512))


@verb('esp', 'contradict')
def esp_contradict(setup, index):
    """The boot sector has no reserved sectors, so it would lie where the FAT is."""
    fat_of(setup, index)
    esp_bytes(setup, index, 14, bytes(2))


@verb('esp', 'zero')
def esp_zero(setup, index):
    """A partition that nobody has formatted yet."""
    disk = setup.disk(index)
    if 'esp' not in disk.parts:
        raise LookupError(f'disk {index} has no ESP')
    punch_out(setup, index, disk.offset('esp'), disk.size('esp'))


def punch_out(setup, index, offset, size):
    """Write zeros over bytes of a disk; it stays sparse."""
    image = setup.writable(index)
    with open(image, 'r+b', buffering=0) as stream:
        for at, data in sparse.pieces(image, offset, size):
            os.pwrite(stream.fileno(), bytes(len(data)), offset + at)


@verb('esp', 'foreign')
def esp_foreign(setup, index):
    """NTFS where the ESP was."""
    esp_zero(setup, index)
    disk = setup.disk(index)
    volume = ntfs.build(4 * MIB, {}, serial=0x0E5B0000 + index, sector=disk.block_size)
    mirror.write_sparse(setup.writable(index), disk.offset('esp'), volume)


@verb('esp', 'format')
def esp_format(setup, index):
    """Formatted anew, nothing put on it."""
    if not setup.volume(index).list():
        raise LookupError('there is nothing on it')
    esp_zero(setup, index)
    setup.volume(index, change=True).format(16, serial=0xBADF00D0 + index)


@verb('esp', 'few-clusters')
def esp_few_clusters(setup, index):
    """FAT32 that ends earlier: with fewer clusters than FAT32 must have. No file lies behind that."""
    fat = fat_of(setup, index)
    if fat.bits != 32 or fat.count < 65525:
        raise LookupError('no FAT32')
    sectors = struct.pack('<I', (fat.data + 60000 * fat.cluster_size) // fat.sector)
    esp_bytes(setup, index, 32, sectors)
    esp_bytes(setup, index, 6 * 512 + 32, sectors)


@verb('esp', 'one-fat')
def esp_one_fat(setup, index):
    """FAT32 told to keep its first FAT only, and not to repeat it in the second."""
    if fat_of(setup, index).bits != 32:
        raise LookupError('no FAT32')
    esp_bytes(setup, index, 40, b'\x80\0')
    esp_bytes(setup, index, 6 * 512 + 40, b'\x80\0')


@verb('esp', 'serial-of')
def esp_serial_of(setup, index, other):
    """The FAT serial number of another disk's ESP."""
    fat, twin = fat_of(setup, index), fat_of(setup, int(other))
    serial = twin.read(67 if twin.bits == 32 else 39, 4)
    esp_bytes(setup, index, 67 if fat.bits == 32 else 39, serial)
    if fat.bits == 32:
        esp_bytes(setup, index, 6 * 512 + 67, serial)


@verb('esp', 'longer')
def esp_longer(setup, index, sectors):
    """The boot sector says that the file system goes on behind its partition."""
    fat = fat_of(setup, index)
    raw = fat.read(0, 512)
    small, = struct.unpack_from('<H', raw, 19)
    large, = struct.unpack_from('<I', raw, 32)
    total = (small or large) + int(sectors)
    if total < 65536 and small:
        esp_bytes(setup, index, 19, struct.pack('<H', total))
    else:
        esp_bytes(setup, index, 32, struct.pack('<I', total))
    if fat.bits == 32:
        esp_bytes(setup, index, 6 * 512 + 32, struct.pack('<I', total))


@verb('esp', 'fsinfo')
def esp_fsinfo(setup, index, free, following):
    """FSInfo says what is not so: how many clusters are free, and where to look for the next."""
    if fat_of(setup, index).bits != 32:
        raise LookupError('no FAT32')
    esp_bytes(setup, index, 512 + 488, struct.pack('<II', int(free, 0), int(following, 0)))


@verb('esp', 'fill-root')
def esp_fill_root(setup, index):
    """Empty files take all entries of the root directory, which does not grow on FAT16."""
    fat = fat_of(setup, index)
    if fat.bits != 16:
        raise LookupError('no FAT16')
    raw = fat.read(fat.root_offset, fat.root_size)
    free = [at for at in range(0, len(raw), 32) if raw[at] in (0, 0xE5)]
    for number, at in enumerate(free):
        entry = f'FILE{number:04d}BIN'.encode() + b'\x20' + bytes(10) + b'\0\x60\x21\x5b' + bytes(6)
        fat.write(fat.root_offset + at, entry)


@verb('esp', 'sectors')
def esp_sectors(setup, index, size):
    """Made for a disk of other blocks: the same files on a file system with sectors of `size` bytes."""
    volume = setup.volume(index, change=True)
    files = volume.tree()
    esp_zero(setup, index)
    other = fat_module.Volume(volume.image, volume.offset, volume.size, int(size))
    serial = f'{0x5EC70000 + index:08x}'
    run('mkfs.fat', '-F', 16, '-S', size, '-s', 1 if int(size) > 512 else 4, '-a', '-i', serial,
        '--offset', volume.offset // int(size), volume.image, volume.size // 1024)
    mirror.put_files(other, files)


@verb('esp', 'deal')
def esp_deal(setup, index, other, chunk):
    """Both ESPs become a RAID 0: one file system of twice the size, dealt out in chunks of so many KiB."""
    disks, chunk = [setup.disk(index), setup.disk(int(other))], int(chunk) * 1024
    room = (mirror.md_esp_place(disks[0].parts['esp'].blocks) - 8 * 512) // chunk * chunk
    files = setup.volume(index).tree()
    with tempfile.NamedTemporaryFile() as stream:
        stream.truncate(2 * room)
        volume = fat_module.Volume(stream.name, 0, 2 * room).format(16, serial=0x0EFE0000)
        mirror.put_files(volume, files)
        data = Path(stream.name).read_bytes()
    for place, disk in zip((index, int(other)), disks):
        esp_zero(setup, place)
        mine = b''.join(data[at:at + chunk] for at in range(chunk * (place != index), len(data), 2 * chunk))
        mirror.write_sparse(setup.writable(place), disk.offset('esp'), mine)
        put_md_esp(setup, place, level=0)


@verb('esp', 'bad')
def esp_bad(setup, index):
    """No block of it can be read."""
    disk = setup.disk(index)
    if 'esp' not in disk.parts:
        raise LookupError(f'disk {index} has no ESP')
    disk.bad.append((disk.parts['esp'].first_lba, disk.parts['esp'].blocks))


@verb('esp', 'bad-file')
def esp_bad_file(setup, index, name):
    """The second cluster of a file cannot be read."""
    fat, disk = fat_of(setup, index), setup.disk(index)
    at = disk.offset('esp') + fat.place(fat.clusters(name, 2)[1])
    disk.bad.append((at // disk.block_size, fat.cluster_size // disk.block_size))


@verb('esp', 'bad-fat')
def esp_bad_fat(setup, index):
    """The first block of the first FAT cannot be read."""
    fat, disk = fat_of(setup, index), setup.disk(index)
    disk.bad.append(((disk.offset('esp') + fat.fat_offset) // disk.block_size, 1))


@verb('esp', 'shrink')
def esp_shrink(setup, index, size):
    """A partition of only `size` KiB in its place, formatted, with nothing but the fallback file."""
    disk = setup.disk(index)
    data = setup.volume(index).get(mirror.FALLBACK)
    esp_zero(setup, index)
    part = disk.parts['esp']
    part.blocks = int(size) * 1024 // disk.block_size
    change_table(setup, index, lambda table: replace_part(table, part))
    volume = setup.volume(index, change=True).format(12, serial=0x5C000000 + index)
    mirror.put_files(volume, {mirror.FALLBACK: data})


# Whole disks

@verb('disk', 'remove')
def disk_remove(setup, index):
    setup.disks[index] = None


@verb('disk', 'bad')
def disk_bad(setup, index):
    """It is there, and no block can be read."""
    disk = setup.disk(index)
    disk.bad = [(0, os.path.getsize(disk.image) // disk.block_size)]


@verb('disk', 'bad-block')
def disk_bad_block(setup, index, lba):
    setup.disk(index).bad.append((int(lba), 1))


@verb('disk', 'grow')
def disk_grow(setup, index):
    """Copied onto a larger disk: everything where it was."""
    image = setup.writable(index)
    os.truncate(image, os.path.getsize(image) + 16 * MIB)


@verb('disk', 'cut')
def disk_cut(setup, index, size):
    """Copied onto a smaller disk of so many MiB: what lies behind is not there."""
    image = setup.writable(index)
    if int(size) * MIB >= os.path.getsize(image):
        raise LookupError('the disk is no larger')
    os.truncate(image, int(size) * MIB)


@verb('disk', 'clone-of')
def disk_clone_of(setup, index, other):
    """Every byte is that of the other disk (dd)."""
    twin = setup.disk(int(other))
    if sparse.digest(setup.disk(index).image) == sparse.digest(twin.image):
        raise LookupError('they are equal')
    image = setup.writable(index)
    sparse.holes_kept(twin.image, image)
    setup.disk(index).parts = {role: dataclasses.replace(part) for role, part in twin.parts.items()}


@verb('disk', 'third')
def disk_third(setup, index):
    """A byte copy of this disk is put into the machine as a third one."""
    disk = setup.disk(index)
    if len(setup.disks) > 2:
        raise LookupError('there is a third disk')
    copy = dataclasses.replace(disk, image=setup.folder / 'disk2.img', controller='ahci', position=2,
                               bad=[], shared=False,
                               parts={role: dataclasses.replace(part) for role, part in disk.parts.items()})
    sparse.holes_kept(disk.image, copy.image)
    setup.disks.append(copy)


@verb('disk', 'wipe')
def disk_wipe(setup, index):
    """A blank disk of the same size."""
    punch_out(setup, index, 0, os.path.getsize(setup.disk(index).image))


@verb('disk', 'owner')
def disk_owner(setup, index, name, end=None):
    """The mark of another owner of the whole disk (see owners.MARKS), or what of it lies at one `end`."""
    owners.put(setup.writable(index), name, end=end)


# Partition tables

def table_of(setup, index):
    """gpt.Table over the image, for its places. It writes to our own copy only."""
    disk = setup.disk(index)
    table = gpt.Table(disk.image, disk.block_size)
    table.image = None
    return table


def good_copies(setup, index):
    """The copies of the table that are sound: {backup: gpt.Copy}."""
    found = {}
    for backup in (False, True):
        try:
            found[backup] = gpt.read(setup.disk(index).image, setup.disk(index).block_size, backup)
        except ValueError:
            continue
    if not found:
        raise LookupError(f'disk {index} has no sound partition table')
    return found


def rewrite(setup, index, backup, copy, partitions):
    """Write one copy again with other partitions."""
    table = gpt.Table(setup.disk(index).image, setup.disk(index).block_size, [], copy.disk_guid,
                      copy.entry_count, copy.entry_size, copy.first_usable, copy.last_usable)
    table.partitions = partitions
    setup.write(index, table.backup_header if backup else table.primary_header, table.header(backup))
    setup.write(index, table.backup_entries if backup else table.primary_entries, table.entries())


def change_table(setup, index, change, only=None):
    """Apply `change(partitions)` to the sound copies of a table. `only`: True backup, False primary."""
    changed = 0
    for backup, copy in good_copies(setup, index).items():
        if only in (None, backup):
            partitions = change(list(copy.partitions))
            rewrite(setup, index, backup, copy, partitions)
            changed += 1
    if not changed:
        raise LookupError('that copy of the table is not sound')


def replace_part(partitions, part):
    return [part if p.number == part.number else p for p in partitions]


def header_magic(setup, index, backup):
    table = table_of(setup, index)
    at = table.backup_header if backup else table.primary_header
    if setup.read(index, at, 8) != b'EFI PART':
        raise LookupError('there is no header')
    return at


@verb('gpt', 'zero')
def gpt_zero(setup, index, which):
    """The header of the `primary` or `backup` copy is zero."""
    setup.write(index, header_magic(setup, index, which == 'backup'), bytes(512))


@verb('gpt', 'flip')
def gpt_flip(setup, index, which):
    """One bit of the entries of a copy is wrong."""
    header_magic(setup, index, which == 'backup')
    at = table_of(setup, index).entry_offset(1, which == 'backup') + 60
    setup.write(index, at, bytes([setup.read(index, at, 1)[0] ^ 4]))


@verb('gpt', 'differ')
def gpt_differ(setup, index):
    """The backup is sound and gives a partition another name."""
    def rename(partitions):
        return [dataclasses.replace(p, name='renamed') if p.number == 2 else p for p in partitions]
    change_table(setup, index, rename, only=True)


@verb('gpt', 'no-mbr')
def gpt_no_mbr(setup, index):
    """No protective MBR."""
    if not any(setup.read(index, 446, 66)):
        raise LookupError('there is no MBR')
    setup.write(index, 0, bytes(512))


@verb('gpt', 'hybrid')
def gpt_hybrid(setup, index):
    """A partition of old kind beside the protective one."""
    if setup.read(index, 446 + 4, 1) != b'\xee':
        raise LookupError('there is no protective MBR')
    part = next(iter(setup.disk(index).parts.values()))
    entry = b'\0\xfe\xff\xff\x07\xfe\xff\xff' + struct.pack('<II', part.first_lba, part.blocks)
    setup.write(index, 446 + 16, entry)


@verb('gpt', 'other-blocks')
def gpt_other_blocks(setup, index):
    """The table was written through a bridge that shows blocks of the other size."""
    disk = setup.disk(index)
    for backup in good_copies(setup, index):
        setup.write(index, header_magic(setup, index, backup), bytes(disk.block_size))
    image = setup.writable(index)
    size = 4096 if disk.block_size == 512 else 512
    parts = [dataclasses.replace(part, first_lba=part.first_lba * disk.block_size // size,
                                 blocks=part.blocks * disk.block_size // size)
             for part in disk.parts.values()]
    gpt.Table(image, size, parts, mirror.guid_of('disk', index)).write()


def free_number(partitions):
    taken = {p.number for p in partitions}
    return next(number for number in range(1, 129) if number not in taken)


def add_part(setup, index, kind, first, blocks, guid):
    def change(partitions):
        return [*partitions, gpt.Partition(kind, first, blocks, guid, number=free_number(partitions))]
    change_table(setup, index, change)


def behind_all(setup, index):
    """The next whole MiB behind the last partition."""
    block = setup.disk(index).block_size
    parts = next(iter(good_copies(setup, index).values())).partitions
    last = max((p.last_lba for p in parts), default=2048)
    return -(-(last + 1) * block // MIB) * MIB // block


@verb('gpt', 'delete')
def gpt_delete(setup, index, role):
    """Take a partition out of the table; its bytes stay."""
    disk = setup.disk(index)
    if role not in disk.parts:
        raise LookupError(f'disk {index} has no {role}')
    number = disk.parts[role].number
    change_table(setup, index, lambda partitions: [p for p in partitions if p.number != number])
    del disk.parts[role]


@verb('gpt', 'owner-in')
def gpt_owner_in(setup, index, role, name):
    """The mark of another owner in the blocks of a partition."""
    disk = setup.disk(index)
    if role not in disk.parts:
        raise LookupError(f'disk {index} has no {role}')
    size = disk.parts[role].blocks * disk.block_size
    owners.put(setup.writable(index), name, disk.offset(role), size)


@verb('gpt', 'old-backup')
def gpt_old_backup(setup, index):
    """In the last blocks lies the backup of a table that the disk once had; its checksums are good."""
    disk = setup.disk(index)
    size = os.path.getsize(disk.image)
    with tempfile.NamedTemporaryFile() as stream:
        stream.truncate(size)
        gpt.Table(stream.name, disk.block_size, [], mirror.guid_of('old table')).write()
        stream.seek(size - 33 * disk.block_size)
        setup.write(index, size - 33 * disk.block_size, stream.read())


@verb('gpt', 'fill')
def gpt_fill(setup, index):
    """Partitions of data take all space that is free."""
    copy = next(iter(good_copies(setup, index).values()))
    block = setup.disk(index).block_size
    taken = sorted((p.first_lba, p.last_lba) for p in copy.partitions)
    at, gaps = MIB // block, []
    for first, last in [*taken, (copy.last_usable + 1, 0)]:
        if first - at >= MIB // block:
            gaps.append((at, first - at))
        at = -(-(last + 1) * block // MIB) * MIB // block
    if not gaps:
        raise LookupError('there is no free space')
    for place, (first, blocks) in enumerate(gaps):
        add_part(setup, index, gpt.RECOVERY, first, blocks, mirror.guid_of('fill', index, place))


@verb('gpt', 'overlap')
def gpt_overlap(setup, index):
    """One more partition that begins inside the MSR."""
    disk = setup.disk(index)
    first = disk.parts['msr'].first_lba + disk.parts['msr'].blocks // 2
    add_part(setup, index, gpt.RECOVERY, first, MIB // disk.block_size, mirror.guid_of('overlap', index))


@verb('gpt', 'beyond')
def gpt_beyond(setup, index):
    """One more partition that ends behind the disk."""
    blocks = os.path.getsize(setup.disk(index).image) // setup.disk(index).block_size
    add_part(setup, index, gpt.RECOVERY, blocks - 2048, 409600, mirror.guid_of('beyond', index))


@verb('gpt', 'second-esp')
def gpt_second_esp(setup, index, content='fallback'):
    """A second ESP behind everything: formatted, and with a fallback file like the first; or `empty`."""
    disk = setup.disk(index)
    first = behind_all(setup, index)
    data = setup.volume(index).get(mirror.FALLBACK)
    blocks = 8 * MIB // disk.block_size
    guid = mirror.guid_of('second esp', index)
    add_part(setup, index, gpt.ESP, first, blocks, guid)
    disk.parts['esp2'] = gpt.Partition(gpt.ESP, first, blocks, guid)
    volume = setup.volume(index, 'esp2', change=True).format(12, serial=0xE5B20000 + index)
    mirror.put_files(volume, {} if content == 'empty' else {mirror.FALLBACK: data})


@verb('gpt', 'guid-of')
def gpt_guid_of(setup, index, other):
    """The disk GUID of another disk."""
    guid = next(iter(good_copies(setup, int(other)).values())).disk_guid
    for backup, copy in good_copies(setup, index).items():
        rewrite(setup, index, backup, dataclasses.replace(copy, disk_guid=guid), copy.partitions)


@verb('gpt', 'esp-guid-of')
def gpt_esp_guid_of(setup, index, other):
    """The ESP gets the GUID of another disk's ESP."""
    part = setup.disk(index).parts['esp']
    part.guid = setup.disk(int(other)).parts['esp'].guid
    change_table(setup, index, lambda partitions: replace_part(partitions, part))


@verb('gpt', 'new-esp-guid')
def gpt_new_esp_guid(setup, index):
    """The ESP was made again: another GUID, same place."""
    part = setup.disk(index).parts['esp']
    part.guid = mirror.guid_of('new esp', index)
    change_table(setup, index, lambda partitions: replace_part(partitions, part))


# Variables

def need_entry(setup, number):
    name = f'Boot{number:04X}'
    if name not in setup.variables:
        raise LookupError(f'{name} is not there')
    return name


def first_free(setup):
    return next(n for n in range(0x10000) if f'Boot{n:04X}' not in setup.variables)


@verb('nvram', 'wipe')
def nvram_wipe(setup):
    """The firmware forgot all its entries."""
    names = [name for name in setup.variables if re.fullmatch('Boot([0-9A-F]{4}|Order|Next)', name)]
    if not names:
        raise LookupError('there are no entries')
    for name in names:
        del setup.variables[name]


@verb('nvram', 'next')
def nvram_next(setup, number):
    """Start something else once."""
    setup.variables['BootNext'] = (STORED, struct.pack('<H', int(number, 16)))


@verb('nvram', 'key')
def nvram_key(setup, key, number):
    """A hot key (EFI_KEY_OPTION) for an entry: key data, check sum of the entry, number, scan code."""
    data = struct.pack('<IIHHH', 0x40000000, 0x12345678, int(number, 16), 0x16, 0)
    setup.variables[f'Key{int(key, 16):04X}'] = (STORED, data)


@verb('nvram', 'fill')
def nvram_fill(setup):
    """Over half of the store is taken by other variables."""
    for number in range(0x90):
        name = f'{{4b47e616-1111-2222-3333-5ad7e3f2a1b0}}/Filler{number:02X}'
        setup.variables[name] = (STORED, bytes(1000))


@verb('order', 'delete')
def order_delete(setup):
    setup.order()
    del setup.variables['BootOrder']


@verb('order', 'only')
def order_only(setup, *numbers):
    """Name these and nothing else: nothing at all without any."""
    setup.order()
    setup.set_order([int(number, 16) for number in numbers])


@verb('order', 'odd')
def order_odd(setup):
    """One byte too many."""
    attributes, data = setup.variables.get('BootOrder', (0, b''))
    if not data or len(data) % 2:
        raise LookupError('there is no sound BootOrder')
    setup.variables['BootOrder'] = (attributes, data + b'\0')


@verb('order', 'drop')
def order_drop(setup, number):
    order = setup.order()
    if int(number, 16) not in order:
        raise LookupError(f'{number} is not in the order')
    setup.set_order([n for n in order if n != int(number, 16)])


@verb('order', 'name')
def order_name(setup, number):
    """Name one more at the end, whether it is there or not."""
    setup.set_order([*setup.order(), int(number, 16)])


@verb('order', 'first')
def order_first(setup, number):
    order = setup.order()
    if int(number, 16) not in order or order[0] == int(number, 16):
        raise LookupError(f'{number} is not behind others in the order')
    setup.set_order([int(number, 16), *[n for n in order if n != int(number, 16)]])


@verb('order', 'swap')
def order_swap(setup):
    order = setup.order()
    if len(order) < 2:
        raise LookupError('fewer than two in the order')
    setup.set_order([order[1], order[0], *order[2:]])


def put_entry(setup, number, option, where):
    """A new entry, `first`, `second` or `last` in the order, or `nowhere`."""
    if f'Boot{number:04X}' in setup.variables:
        raise LookupError(f'Boot{number:04X} is there')
    if where != 'nowhere':
        order = setup.order()
        place = {'first': 0, 'second': 1, 'last': len(order)}[where]
        setup.set_order([*order[:place], number, *order[place:]])
    setup.set_entry(number, option)


@verb('entry', 'shell')
def entry_shell(setup, number, where):
    """The firmware's own Shell."""
    put_entry(setup, number, LoadOption('EFI Internal Shell', shell_path()), where)


@verb('entry', 'file-only')
def entry_file_only(setup, number):
    """The path names the file and nothing before it."""
    option = setup.entry(number)
    nodes = [n.bytes for n in nodes_of(option)]
    files = [n.bytes for n in nodes_of(option) if (n.type, n.subtype) == (4, 4)]
    if nodes == files or not files:
        raise LookupError('it is a file alone, or none')
    option.path = path(*files)
    setup.set_entry(number, option)


@verb('entry', 'network')
def entry_network(setup, number, where):
    mac = node(3, 11, bytes.fromhex('525400123456').ljust(32, b'\0') + b'\1')
    put_entry(setup, number, LoadOption('UEFI PXEv4', path(pci_root(), pci(3), mac)), where)


@verb('entry', 'foreign')
def entry_foreign(setup, number, where):
    """An entry for a disk that nobody has any more."""
    target = hd(1, 2048, 204800, mirror.guid_of('a disk long gone'))
    put_entry(setup, number, LoadOption('Windows Boot Manager', path(target, file(mirror.LOADER)),
                                        modern_options()), where)


@verb('entry', 'auto')
def entry_auto(setup, number, where):
    """What the firmware made by itself for a disk that was plugged in once."""
    target = path(pci_root(), pci(0x1B), sata(3))
    put_entry(setup, number, LoadOption('UEFI Other Disk', target, AUTO_MARKER), where)


def network(*more):
    mac = node(3, 11, bytes.fromhex('525400123456').ljust(32, b'\0') + b'\1')
    return path(pci_root(), pci(3), mac, *more)


def on_esp(setup, index, *more):
    part = setup.disk(index).parts['esp']
    return path(hd(part.number, part.first_lba, part.blocks, part.guid), *more)


AMI_MARK, INSYDE_MARK = b'\0\0BO', b'RC'
GONE_HD = hd(1, 2048, 204800, mirror.guid_of('a disk long gone'))
# Entries as firmware makes them for itself: what it calls them, path and mark.
FIRMWARE_OWN = {
    'insyde': lambda setup: ('EFI USB Device', END, INSYDE_MARK),
    'empty': lambda setup: ('Setup', END, b''),
    'ami-disk': lambda setup: ('UEFI OS', on_esp(setup, 0, file('\\EFI\\BOOT\\BOOTX64.EFI')), AMI_MARK),
    'ami-partition': lambda setup: ('UEFI: Disk, Partition 1', on_esp(setup, 1), AMI_MARK),
    'ami-gone': lambda setup: ('UEFI: Stick', path(GONE_HD), AMI_MARK),
    'bbs-disk': lambda setup: ('Hard Drive', path(bbs(2, 'HD')), b'\0\0GO\0\0NO'),
    'bbs-network': lambda setup: ('Network Card', path(bbs(0x80, 'PXE')), b''),
    'dell': lambda setup: ('Onboard NIC', path(vendor_hardware('3a4d7f52-0e9b-4c6e-9a0f-5b1d2c3e4f50')), b''),
    'lenovo': lambda setup: ('PCI LAN', path(node(3, 10, bytes.fromhex('d23878bc820f604d8316c068ee79d25b') + b'\1\2')), b''),
    'ipv4': lambda setup: ('UEFI PXEv4', network(node(3, 12, bytes(23))), b''),
    'ipv6': lambda setup: ('UEFI PXEv6', network(node(3, 13, bytes(56))), b''),
    'http': lambda setup: ('UEFI HTTPv4', network(node(3, 12, bytes(23)), node(3, 24)), b''),
    'edk2-pxe': lambda setup: ('UEFI PXEv4 (MAC:525400123456)', network(node(3, 12, bytes(23))), AUTO_MARKER),
    'edk2-http': lambda setup: ('UEFI HTTPv4 (MAC:525400123456)', network(node(3, 12, bytes(23)), node(3, 24)),
                                AUTO_MARKER),
    'usb-class': lambda setup: ('USB', path(node(3, 15, bytes.fromhex('ffffffff080650'))), b''),
    'hyper-v': lambda setup: ('EFI SCSI Device', path(
        node(2, 2, bytes(12) + b'VMBus\0\0\0'),
        vendor_hardware('9b17e5a2-0891-42dd-b653-80b5c22809ba', bytes(32)), node(3, 2, bytes(4))), b''),
    'memory': lambda setup: ('FrontPage', path(node(1, 3, struct.pack('<IQQ', 11, 0x100000, 0x5DFFFF)),
                                               node(4, 6, bytes(16))), b''),
}


@verb('entry', 'own')
def entry_own(setup, number, what, where):
    """One of those that firmware makes for itself."""
    put_entry(setup, number, LoadOption(*FIRMWARE_OWN[what](setup)), where)


@verb('entry', 'only-file')
def entry_only_file(setup, number, name, where):
    """A path of a file and nothing else."""
    put_entry(setup, number, LoadOption('Somewhere', path(file(name))), where)


@verb('entry', 'zero-guid')
def entry_zero_guid(setup, number):
    """A tool that did not know the partition's GUID wrote zeros."""
    change_hd(setup, number, guid='00000000-0000-0000-0000-000000000000')


@verb('entry', 'copy-of')
def entry_copy_of(setup, number, other):
    """The same entry once more, at the end of the order."""
    put_entry(setup, number, setup.entry(int(other, 16)), 'last')


@verb('entry', 'delete')
def entry_delete(setup, number):
    del setup.variables[need_entry(setup, number)]
    if 'BootOrder' in setup.variables and number in setup.order():
        setup.set_order([n for n in setup.order() if n != number])


@verb('entry', 'lose')
def entry_lose(setup, number):
    """The variable is gone, BootOrder still names it."""
    del setup.variables[need_entry(setup, number)]


@verb('entry', 'inactive')
def entry_inactive(setup, number):
    option = setup.entry(number)
    if not option.attributes & ACTIVE:
        raise LookupError('it is inactive')
    option.attributes &= ~ACTIVE
    setup.set_entry(number, option)


@verb('entry', 'application')
def entry_application(setup, number):
    """Of the category of applications, which the firmware does not start by itself."""
    option = setup.entry(number)
    option.attributes |= CATEGORY_APP
    setup.set_entry(number, option)


@verb('entry', 'cut')
def entry_cut(setup, number):
    """Only the first 20 bytes are left."""
    name = need_entry(setup, number)
    attributes, data = setup.variables[name]
    setup.variables[name] = (attributes, data[:20])


@verb('entry', 'break-path')
def entry_break_path(setup, number):
    """A node of the path has the length 0."""
    option = setup.entry(number)
    option.path = option.path[:2] + b'\0\0' + option.path[4:]
    setup.set_entry(number, option)


def change_hd(setup, entry, **changes):
    option = setup.entry(entry)
    old = find_hd(option.path)
    if not old:
        raise LookupError('it names no partition')
    values = {'number': old.number, 'start': old.start, 'size': old.size, 'guid': old.guid, **changes}
    new = hd(values['number'], values['start'], values['size'], values['guid'])
    nodes = [new if (n.type, n.subtype) == (4, 1) else n.bytes for n in nodes_of(option)]
    option.path = path(*nodes)
    setup.set_entry(entry, option)


def nodes_of(option):
    try:
        return split(option.path)
    except ValueError as error:
        raise LookupError('its path is broken') from error


@verb('entry', 'guid')
def entry_guid(setup, number):
    """A partition that is nowhere."""
    nodes_of(setup.entry(number))
    change_hd(setup, number, guid=mirror.guid_of('nowhere', number))


@verb('entry', 'number')
def entry_number(setup, number, value):
    nodes_of(setup.entry(number))
    change_hd(setup, number, number=int(value))


@verb('entry', 'start')
def entry_start(setup, number, value):
    nodes_of(setup.entry(number))
    change_hd(setup, number, start=int(value))


@verb('entry', 'file')
def entry_file(setup, number, name):
    option = setup.entry(number)
    nodes = [file(name) if (n.type, n.subtype) == (4, 4) else n.bytes for n in nodes_of(option)]
    option.path = path(*nodes)
    setup.set_entry(number, option)


@verb('entry', 'for')
def entry_for(setup, number, index, name, where, description='Another program'):
    """An entry for a file on the ESP of disk `index`."""
    part = setup.disk(int(index)).parts['esp']
    node = hd(part.number, part.first_lba, part.blocks, part.guid)
    put_entry(setup, number, LoadOption(description, path(node, file(name))), where)


@verb('entry', 'options')
def entry_options(setup, number, text):
    """Load options: text, for programs that take some."""
    option = setup.entry(number)
    option.optional = (text + '\0').encode('utf-16-le')
    setup.set_entry(number, option)


@verb('entry', 'elsewhere')
def entry_elsewhere(setup, number):
    """A full path, to a port where the disk is not."""
    option = setup.entry(number)
    if option.path[:1] != b'\x04' or not find_hd(option.path):
        raise LookupError('it is no short path')
    option.path = pci_root() + pci(0x17) + sata(5) + option.path
    setup.set_entry(number, option)


@verb('entry', 'whole-disk')
def entry_whole_disk(setup, number):
    """The path ends with the partition: the firmware takes the fallback file."""
    option = setup.entry(number)
    nodes = [n.bytes for n in nodes_of(option) if (n.type, n.subtype) != (4, 4)]
    option.path, option.optional = b''.join(nodes) + END, b''
    setup.set_entry(number, option)


# Dynamic disks

def ldm_of(setup, index):
    disk = setup.disk(index)
    if 'metadata' not in disk.parts:
        raise LookupError(f'disk {index} has no LDM metadata')
    offset = disk.offset('metadata')
    return LdmEdit(lambda at, size: setup.read(index, offset + at, size),
                   lambda at, data: setup.write(index, offset + at, data), disk.block_size)


@verb('ldm', 'ahead')
def ldm_ahead(setup, index, count='1'):
    """One change more than the other disk knows of."""
    edit = ldm_of(setup, index)
    number = edit.transaction() + int(count)
    edit.header(committed=number, pending=number)


@verb('ldm', 'pending')
def ldm_pending(setup, index, status='2'):
    """A transaction was begun (2) or decided (3) and not ended."""
    edit = ldm_of(setup, index)
    edit.header(pending=edit.transaction() + 1, status=int(status))


@verb('ldm', 'component')
def ldm_component(setup, index, number, what, value):
    """`state` or `flags` of the plex on disk `number`."""
    edit = ldm_of(setup, index)
    edit.component(int(number), **{what: value if what == 'state' else int(value, 0)})


@verb('ldm', 'volume')
def ldm_volume(setup, index, what, value):
    edit = ldm_of(setup, index)
    edit.volume(0, **{what: value if what == 'state' else int(value, 0)})


@verb('ldm', 'partition')
def ldm_partition(setup, index, number, flags):
    ldm_of(setup, index).partition(int(number), int(flags, 0))


@verb('ldm', 'disk-flags')
def ldm_disk_flags(setup, index, number, flags):
    ldm_of(setup, index).disk(int(number), int(flags, 0))


@verb('ldm', 'record-status')
def ldm_record_status(setup, index, status):
    """The record of the first plex is to be deleted (1)."""
    ldm_of(setup, index).record_status(ldm.COMPONENT, 0, int(status))


@verb('ldm', 'log')
def ldm_log(setup, index, status):
    ldm_of(setup, index).log_entry(int(status))


@verb('ldm', 'zero')
def ldm_zero(setup, index, what):
    ldm_of(setup, index).zero(what)


@verb('ldm', 'bad')
def ldm_bad(setup, index):
    """The metadata partition cannot be read."""
    disk = setup.disk(index)
    if 'metadata' not in disk.parts:
        raise LookupError(f'disk {index} has no LDM metadata')
    disk.bad.append((disk.parts['metadata'].first_lba, disk.parts['metadata'].blocks))


@verb('ldm', 'zero-region')
def ldm_zero_region(setup, index):
    """The whole private region is zero."""
    disk = setup.disk(index)
    if 'metadata' not in disk.parts:
        raise LookupError(f'disk {index} has no LDM metadata')
    punch_out(setup, index, disk.offset('metadata'), disk.size('metadata'))


@verb('ldm', 'scramble')
def ldm_scramble(setup, index):
    """The length of a record is wrong."""
    edit = ldm_of(setup, index)
    slot, _ = next(iter(edit.records(ldm.VOLUME)), (None, None))
    if slot is None:
        raise LookupError('no record of a volume')
    edit.write(slot + 16 + 4, struct.pack('>I', 0x7FFFFFFF))


@verb('ldm', 'rename')
def ldm_rename(setup, index):
    """A letter of the volume's name is another: the same transaction, and not the same records."""
    edit = ldm_of(setup, index)
    slot, record = next(iter(edit.records(ldm.VOLUME)), (None, None))
    if slot is None or b'Volume1' not in record:
        raise LookupError('no record of the volume')
    edit.write(slot + 16 + record.index(b'Volume1') + 6, b'9')


# The volume with Windows

def plex_bytes(setup, index):
    disk = setup.disk(index)
    if 'plex' not in disk.parts:
        raise LookupError(f'disk {index} has no data partition')
    return bytearray(setup.read(index, disk.offset('plex'), disk.size('plex')))


def put_plex(setup, index, old, new):
    """Write the pages that changed."""
    offset, page = setup.disk(index).offset('plex'), mirror.PAGE
    with open(setup.writable(index), 'r+b') as stream:
        for at in range(0, len(old), page):
            if old[at:at + page] != new[at:at + page]:
                os.pwrite(stream.fileno(), bytes(new[at:at + page]), offset + at)


def change_plex(setup, index, change):
    old = plex_bytes(setup, index)
    if old[3:11] not in (b'NTFS    ', ntfs.BITLOCKER):
        raise LookupError('no NTFS')
    new = bytearray(old)
    try:
        change(new)
    except (ValueError, IndexError, struct.error) as error:
        raise LookupError('NTFS is damaged') from error
    put_plex(setup, index, old, new)


@verb('ntfs', 'dirty')
def ntfs_dirty(setup, index):
    def change(volume):
        if volume[ntfs.record_offset(volume, ntfs.VOLUME):][:4] != b'FILE':
            raise ValueError('there is no $Volume')
        ntfs.set_dirty(volume)
    change_plex(setup, index, change)


@verb('ntfs', 'bitlocker')
def ntfs_bitlocker(setup, index):
    """Encrypted: nothing else of it is what it was."""
    def change(volume):
        boots = [(at, bytes(volume[at:at + 512])) for at in (0, ntfs.backup_boot(volume))]
        volume[:] = mirror.filler('encrypted', 65536) + bytes(len(volume) - 65536)
        for at, boot in boots:
            volume[at:at + 512] = boot
        ntfs.set_bitlocker(volume)
    change_plex(setup, index, change)


@verb('ntfs', 'zero-boot')
def ntfs_zero_boot(setup, index):
    def change(volume):
        volume[:512] = bytes(512)
    change_plex(setup, index, change)


@verb('ntfs', 'zero-backup')
def ntfs_zero_backup(setup, index):
    def change(volume):
        at = ntfs.backup_boot(volume)
        if not any(volume[at:at + 512]):
            raise ValueError('there is none')
        volume[at:at + 512] = bytes(512)
    change_plex(setup, index, change)


@verb('ntfs', 'zero-mft')
def ntfs_zero_mft(setup, index):
    """The first records of the MFT and their copies are zero."""
    def change(volume):
        for at in (ntfs.record_offset(volume, 0), ntfs.mirror_offset(volume)):
            volume[at:at + 8192] = bytes(8192)
    change_plex(setup, index, change)


@verb('ntfs', 'tear-root')
def ntfs_tear_root(setup, index):
    """The record of the root directory was written in part."""
    def change(volume):
        volume[ntfs.record_offset(volume, ntfs.ROOT) + 510] ^= 0xFF
    change_plex(setup, index, change)


@verb('ntfs', 'without')
def ntfs_without(setup, index, *missing):
    """A volume of the same size and serial number where these files of System32 are not there."""
    disk, old = setup.disk(index), plex_bytes(setup, index)
    if old[3:11] != b'NTFS    ':
        raise LookupError('no NTFS')
    files = [name for name in ('winload.efi', 'ntoskrnl.exe') if name not in missing]
    serial, = struct.unpack_from('<Q', old, 0x48)
    start = struct.unpack_from('<I', old, 0x1C)[0]
    new = mirror.windows_volume(disk.size('plex'), disk.block_size, start, tuple(files), serial)
    put_plex(setup, index, old, new)


@verb('ntfs', 'loader-for')
def ntfs_loader_for(setup, index, kind):
    """The same volume with another loader: a word of `source`."""
    disk, old = setup.disk(index), plex_bytes(setup, index)
    if old[3:11] != b'NTFS    ':
        raise LookupError('no NTFS')
    serial, = struct.unpack_from('<Q', old, 0x48)
    start = struct.unpack_from('<I', old, 0x1C)[0]
    loader = ('/Windows/System32/winload.efi', source(kind))
    new = mirror.windows_volume(disk.size('plex'), disk.block_size, start, serial=serial, more=(loader,))
    put_plex(setup, index, old, new)


@verb('ntfs', 'zero')
def ntfs_zero(setup, index):
    disk = setup.disk(index)
    if 'plex' not in disk.parts:
        raise LookupError(f'disk {index} has no data partition')
    punch_out(setup, index, disk.offset('plex'), disk.size('plex'))


@verb('ntfs', 'serial-of')
def ntfs_serial_of(setup, index, other):
    serial, = struct.unpack_from('<Q', plex_bytes(setup, int(other)), 0x48)
    change_plex(setup, index, lambda volume: ntfs.set_serial(volume, serial))


@verb('ntfs', 'foreign')
def ntfs_foreign(setup, index):
    """FAT where NTFS was."""
    ntfs_zero(setup, index)
    setup.volume(index, 'plex', change=True).format(12, serial=0xFA700000 + index)


# Linux software RAID

@verb('md', 'zero')
def md_zero(setup, index):
    """The member's superblock is zero."""
    disk = setup.disk(index)
    at = disk.offset('plex') + 4096
    if not any(setup.read(index, at, 4)):
        raise LookupError('there is no superblock')
    setup.write(index, at, bytes(4096))


def put_md_esp(setup, index, **changes):
    disk = setup.disk(index)
    blocks = disk.parts['esp'].blocks
    setup.write(index, disk.offset('esp') + mirror.md_esp_place(blocks),
                mirror.md_esp_superblock(index, blocks, **changes))


def need_md_esp(setup, index):
    """The ESP has a superblock of version 1.0; gives where."""
    disk = setup.disk(index)
    if 'esp' not in disk.parts:
        raise LookupError(f'disk {index} has no ESP')
    at = disk.offset('esp') + mirror.md_esp_place(disk.parts['esp'].blocks)
    if setup.read(index, at, 4) != b'\xfc\x4e\x2b\xa9':
        raise LookupError('there is no superblock')
    return at


@verb('md', 'esp-zero')
def md_esp_zero(setup, index):
    """The ESP was taken out of its array (mdadm --zero-superblock)."""
    setup.write(index, need_md_esp(setup, index), bytes(4096))


@verb('md', 'esp-role')
def md_esp_role(setup, index, role):
    """What the array has this ESP down as: 0xFFFE, thrown out; 0xFFFF, a spare."""
    need_md_esp(setup, index)
    put_md_esp(setup, index, role=int(role, 0))


@verb('md', 'esp-events')
def md_esp_events(setup, index, events):
    need_md_esp(setup, index)
    put_md_esp(setup, index, events=int(events))


@verb('md', 'esp-old')
def md_esp_old(setup, index):
    """The array is of the old format 0.90."""
    disk = setup.disk(index)
    setup.write(index, need_md_esp(setup, index), bytes(4096))
    place, block = mirror.md_old_superblock(index, disk.parts['esp'].blocks)
    setup.write(index, disk.offset('esp') + place, block)


@verb('md', 'esp-mark')
def md_esp_mark(setup, index, version):
    """The mark of an array that the partition was in before it was formatted, version 1.0, 0.90 or 1.2."""
    disk = setup.disk(index)
    if 'esp' not in disk.parts:
        raise LookupError(f'disk {index} has no ESP')
    blocks = disk.size('esp') // 512
    if version == '1.0':
        put_md_esp(setup, index)
        return
    place, block = mirror.md_old_superblock(index, blocks)
    if version == '1.2':
        place, block = 4096, mirror.md_superblock(index, blocks, 'catalogue:old')
    setup.write(index, disk.offset('esp') + place, block)


@verb('gpt', 'esp-type')
def gpt_esp_type(setup, index, kind):
    """The ESP has another type in the table: `raid` or `data`."""
    part = setup.disk(index).parts['esp']
    part.type = {'raid': mirror.LINUX_RAID, 'data': gpt.BASIC_DATA}[kind]
    change_table(setup, index, lambda partitions: replace_part(partitions, part))
