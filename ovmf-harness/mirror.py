"""Machines with two disks as plain files, for the host program: no virtual machine is needed.

    build('mirror', folder)                  # images and variables of a healthy machine
    setup = Setup.load(folder)
    damaged = setup.copy(other_folder)       # shares the images until one is changed
    result = damaged.run('status', '-sfo')   # Run: text, status

`BASES` names the machines:

    mirror   Windows on an LDM mirror over both disks, an ESP with its boot files and an entry on each
    mirror4k the same on disks of 4096-byte blocks
    volumes  a second mirrored volume, with data only
    basic    two basic disks with ESPs, Windows on a plain volume of the first one only
    md       two members of a Linux RAID 1, shim and GRUB on two ESPs; of the removable-media path
             only shim is there
    mdesp    the same, and the ESPs are members of an array too, with its superblock at the end
    debian   the same with shim's fallback there, and the list it goes by
    systemd  the same array, started by systemd-boot
    kernel   the same array, started by a kernel in \\EFI\\Linux, without a removable-media path
    freebsd  two halves of a ZFS mirror, FreeBSD's loader on two ESPs

The boot managers are the stand-in, so these images start under OVMF too. In each machine Disk 0 is
NVMe and Disk 1 SATA, their partitions lie alike but are numbered differently in the tables. Images
are sparse; what is in use takes some hundred KiB.
"""
import copy
import functools
import hashlib
import json
import os
import struct
import subprocess
import tempfile
import uuid
from collections import namedtuple
from dataclasses import dataclass, field
from pathlib import Path

import gpt
import ldm
import limits
import ntfs
import pe
import regf
import stores
from devicepath import LoadOption, file, hd, modern_options, path
from fat import Volume
from firmware import FIRMWARE, ROOT
from machine import LOADER
from sparse import PAGE, holes_kept, kept_digest, punch

MIB = 1024 * 1024
DATE = '2026-11-20T12:00:00'
BUILT = 1747000000               # date of all files: May 2025
BOOT_FILES = '/EFI/Microsoft/Boot'
FALLBACK = FIRMWARE.fallback
WINDOWS = '/Windows/System32'
LINUX_RAID = 'a19d880f-05fc-4d3b-a006-743f0f84911e'
FREEBSD_ZFS = '516e7cba-6ecf-11d6-8ff8-00022d09712b'
STORED, VOLATILE = 7, 6          # attributes of variables
CONTROLLERS = ('nvme', 'ahci', 'ahci', 'ahci')
# Windows takes 1481 blocks for the records of a group; few make the many runs here faster.
SMALL_CONFIG = 64
# What the printed number of each kind of partition is: all lie in this order on both disks.
PLACES = {'esp': 1, 'metadata': 2, 'msr': 3, 'plex': 4}

Run = namedtuple('Run', 'text status')


def guid_of(*words):
    """A GUID that is the same in every run."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, ' '.join(map(str, words))))


# The machine

@dataclass
class DiskFile:
    """One disk: an image, what lies where, and which blocks cannot be read.

    `parts` are the partitions by role as the machine was built; what takes one out of the table
    takes it out here too.
    """
    image: Path
    block_size: int
    controller: str
    position: int
    parts: dict = field(default_factory=dict)
    bad: list = field(default_factory=list)
    shared: bool = False
    system: str = 'own'          # which system the disk belongs to: that of the machine, or another one
    store: bytes = b''            # the boot store that its ESP was built with
    copy: bool = True            # it carries a copy of that system; else an ESP for it at most

    def offset(self, role):
        return self.parts[role].first_lba * self.block_size

    def size(self, role):
        return self.parts[role].blocks * self.block_size


def bare():
    """The host program without sanitizers, which take most of its time: for what is judged by its words on
    machines whose commands run under them elsewhere."""
    return os.environ.get('SHADOWBOOT_BARE', ROOT / 'build/host/bare/shadowboot')


class Setup:
    """A machine that is off. `variables`: name to (attributes, bytes), in the order of the store."""

    def __init__(self, folder):
        self.folder, self.disks, self.variables = Path(folder), [], {}

    def disk(self, index):
        """The disk that was built as number `index`, or LookupError when it is not there any more."""
        if self.disks[index] is None:
            raise LookupError(f'disk {index} is not there')
        return self.disks[index]

    def writable(self, index):
        """The image of a disk, no longer shared with the setup that this one was copied from."""
        disk = self.disk(index)
        if disk.shared:
            own = self.folder / f'disk{index}.img'
            holes_kept(disk.image, own)
            disk.image, disk.shared = own, False
        return disk.image

    def read(self, index, offset, size):
        return gpt.peek(self.disk(index).image, offset, size)

    def write(self, index, offset, data):
        gpt.poke(self.writable(index), offset, data)

    def volume(self, index, role='esp', change=False):
        """A partition as FAT volume; to `change` it its image becomes our own."""
        disk = self.disk(index)
        if role not in disk.parts:
            raise LookupError(f'disk {index} has no {role}')
        image = self.writable(index) if change else disk.image
        return Volume(image, disk.offset(role), disk.size(role), disk.block_size)

    def printed(self, index):
        """The number that the program gives the disk: those that are here count from 0."""
        return sum(disk is not None for disk in self.disks[:index])

    def present(self):
        return [index for index, disk in enumerate(self.disks) if disk]

    def copy(self, folder):
        """The same machine in another folder. Its images are this one's until they are changed."""
        other = Setup(folder)
        other.folder.mkdir(parents=True, exist_ok=True)
        other.variables = dict(self.variables)
        other.disks = copy.deepcopy(self.disks)
        for disk in filter(None, other.disks):
            disk.shared = True
        return other

    def fingerprint(self):
        """Equal for two machines that hold the same bytes."""
        digest = hashlib.sha1(repr((list(self.variables.items()),
                                    [disk and disk.bad for disk in self.disks])).encode())
        for disk in self.disks:
            if disk is None:
                digest.update(b'none')
                continue
            digest.update(kept_digest(disk.image))
        return digest.digest()

    def variables_text(self):
        """The variables as the host program's --vars reads them."""
        return ''.join(f'{name} {attributes:x} {data.hex() or "-"}\n'
                       for name, (attributes, data) in self.variables.items())

    def host_options(self):
        options = []
        for disk in self.disks:
            place = f'{disk.image}:{disk.block_size}:{disk.controller}' if disk else 'none'
            options += ['--disk', place]
        for disk in filter(None, self.disks):
            for lba, count in disk.bad:
                options += ['--bad', f'{disk.position}:{lba}:{count}']
        variables = self.folder / 'variables.txt'
        variables.write_text(self.variables_text())
        return [*options, '--vars', str(variables), '--date', DATE, '--name', 'shadowboot']

    def run(self, *words, program=None, timeout=60, options=None):
        """Run a command of the host program, which may take `timeout` seconds of CPU; standard
        error comes with the output. Before one that is told to go on, every image becomes our own:
        journals are written to disks that a test does not think of. `program`: another one than that
        under the sanitizers, as `bare()`."""
        if '-y' in words and options is None:
            for index in self.present():
                self.writable(index)
        program = program or os.environ.get('SHADOWBOOT_HOST', ROOT / 'build/host/shadowboot')
        done = limits.run([str(program), *(options or self.host_options()), '--', *words], timeout,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
        return Run(done.stdout.decode(errors='replace'), done.returncode)

    def order(self):
        """The numbers in BootOrder; LookupError without it."""
        if 'BootOrder' not in self.variables:
            raise LookupError('there is no BootOrder')
        data = self.variables['BootOrder'][1]
        return list(struct.unpack(f'<{len(data) // 2}H', data[:len(data) // 2 * 2]))

    def set_order(self, numbers):
        odd = self.variables.get('BootOrder', (STORED, b''))[1]
        rest = odd[len(odd) // 2 * 2:]
        self.variables['BootOrder'] = (STORED, struct.pack(f'<{len(numbers)}H', *numbers) + rest)

    def entry(self, number):
        """Boot#### as LoadOption; LookupError when it is not there or is broken."""
        try:
            return LoadOption.unpack(self.variables[f'Boot{number:04X}'][1])
        except (KeyError, ValueError) as error:
            raise LookupError(f'no sound Boot{number:04X}') from error

    def set_entry(self, number, option):
        self.variables[f'Boot{number:04X}'] = (STORED, option.pack())

    def save(self):
        """Write all that is not in the images into the folder, for `load`."""
        disks = [{'image': disk.image.name, 'block_size': disk.block_size,
                  'controller': disk.controller, 'position': disk.position, 'bad': disk.bad,
                  'system': disk.system, 'copy': disk.copy,
                  'parts': {role: vars(part) for role, part in disk.parts.items()}}
                 for disk in self.disks]
        variables = {name: [attributes, data.hex()]
                     for name, (attributes, data) in self.variables.items()}
        (self.folder / 'setup.json').write_text(json.dumps({'disks': disks, 'variables': variables}))

    @classmethod
    def load(cls, folder):
        setup = cls(folder)
        stored = json.loads((setup.folder / 'setup.json').read_text())
        for disk in stored['disks']:
            disk['image'] = setup.folder / disk['image']
            disk['parts'] = {role: gpt.Partition(**part) for role, part in disk['parts'].items()}
            setup.disks.append(DiskFile(**disk))
        setup.variables = {name: (attributes, bytes.fromhex(data))
                           for name, (attributes, data) in stored['variables'].items()}
        return setup


# Contents

@functools.cache
def standin():
    return FIRMWARE.standin.read_bytes()


def boot_program(name):
    """The stand-in under a name that makes its bytes differ from those of other names.

    Windows' boot manager carries the name of its debugging file, as Microsoft's linker leaves it there.
    """
    mark = b'bootmgfw.pdb' if 'bootmgfw' in name else b''
    return pe.set_checksum(standin() + name.encode().ljust(64 - len(mark), b'\0') + mark)


def filler(name, size):
    """Bytes without meaning and without zeros, the same for the same name."""
    block = hashlib.sha512(name.encode()).digest().replace(b'\0', b'\1')
    return (block * (size // len(block) + 1))[:size]


@functools.cache
def windows_files():
    """What Windows puts on an ESP, a little smaller."""
    manager = boot_program('bootmgfw')
    files = {FALLBACK: manager}
    own = {'bootmgfw.efi': manager, 'bootmgr.efi': boot_program('bootmgr'),
           'memtest.efi': boot_program('memtest'), 'BCD': regf.build_store(),
           'BCD.LOG': bytes(4096), 'BCD.LOG1': b'', 'BOOTSTAT.DAT': bytes(8192),
           'Fonts/wgl4_boot.ttf': filler('wgl4', 4100), 'Fonts/segoe_slboot.ttf': filler('slboot', 2500),
           'Resources/bootres.dll': filler('bootres', 2500),
           'Resources/en-US/bootres.dll.mui': filler('bootres mui', 900)}
    for language in ('de-DE', 'en-US', 'fr-FR'):
        for program in ('bootmgfw', 'bootmgr', 'memtest'):
            name = f'{language}/{program}.efi.mui'
            own[name] = filler(name, 2100 + len(own))
    files.update({f'{BOOT_FILES}/{name}': data for name, data in own.items()})
    return files


@functools.cache
def linux_files():
    """What Debian puts on an ESP."""
    shim = boot_program('shim')
    return {'/EFI/debian/shimx64.efi': shim, '/EFI/debian/grubx64.efi': boot_program('grub'),
            '/EFI/debian/grub.cfg': b'search.fs_uuid 1234 root\n', FALLBACK: shim}


@functools.cache
def debian_files():
    """What Debian puts on an ESP with a removable-media path that starts by itself, by way of a list."""
    csv = '\ufeffshimx64.efi,debian,,This is the boot entry for debian\n'
    return {**linux_files(), '/EFI/debian/BOOTX64.CSV': csv.encode('utf-16-le'),
            '/EFI/debian/mmx64.efi': boot_program('mok'), '/EFI/BOOT/fbx64.efi': boot_program('fallback'),
            '/EFI/BOOT/mmx64.efi': boot_program('mok')}


@functools.cache
def systemd_files():
    """What bootctl puts on an ESP, with one entry."""
    loader = boot_program('systemd-boot')
    return {'/EFI/systemd/systemd-bootx64.efi': loader, FALLBACK: loader,
            '/loader/loader.conf': b'timeout 3\n',
            '/loader/entries/linux.conf': b'title Linux\nlinux /linux/vmlinuz\n',
            '/linux/vmlinuz': boot_program('kernel')}


@functools.cache
def kernel_files():
    """A kernel that starts by itself, and nothing else."""
    return {'/EFI/Linux/linux-6.1.efi': boot_program('kernel')}


@functools.cache
def freebsd_files():
    """What FreeBSD's installer puts on an ESP."""
    loader = boot_program('freebsd')
    return {'/EFI/freebsd/loader.efi': loader, FALLBACK: loader}


@functools.cache
def windows_volume(size, sector, start, files=('winload.efi', 'ntoskrnl.exe'), serial=0xA1B2C3D4E5F60718,
                   more=()):
    """The bytes of a volume with Windows; without the `files` of System32 that are not named, and with those
    of `more`: (path, bytes) each."""
    tree = {f'{WINDOWS}/{name}': boot_program(name) for name in files}
    tree['/Windows/Boot/EFI/bootmgfw.efi'] = boot_program('bootmgfw')
    tree['/Users/readme.txt'] = b'Hello.\r\n'
    tree.update(more)
    return ntfs.build(size, tree, serial=serial, sector=sector, start=start)


def put_files(volume, files, date=BUILT):
    """Put files of one date onto a FAT volume."""
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            place = Path(folder) / name.lstrip('/')
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
            os.utime(place, (date, date))
        volume.put_tree(folder)


def write_sparse(image, offset, data):
    """Write bytes, but leave out pages of zeros."""
    with open(image, 'r+b') as stream:
        for at in range(0, len(data), PAGE):
            page = data[at:at + PAGE]
            if page.count(0) != len(page):
                os.pwrite(stream.fileno(), page, offset + at)


def md_superblock(index, member_blocks, array='catalogue:0', raid_disks=2, events=17):
    """Version 1.2 superblock of member `index` of a RAID 1; it lies at byte 4096 of the member."""
    roles = struct.pack('<128H', *range(raid_disks), *[0xFFFF] * (128 - raid_disks))
    data_offset = 2048
    head = struct.pack('<IIII', 0xA92B4EFC, 1, 0, 0) + uuid.UUID(guid_of('md', array)).bytes
    head += array.encode().ljust(32, b'\0')
    head += struct.pack('<QIIQII', BUILT, 1, 0, member_blocks - data_offset, 0, raid_disks)
    head += bytes(24)                                      # bitmap, reshape
    head = head.ljust(128, b'\0')
    head += struct.pack('<QQQQII', data_offset, member_blocks - data_offset, 8, 0, index, 0)
    head += uuid.UUID(guid_of('md device', index)).bytes + bytes(8)
    head += struct.pack('<QQQII', BUILT, events, 0xFFFFFFFFFFFFFFFF, 0, 128)
    block = (head.ljust(256, b'\0') + roles)
    total = sum(struct.unpack(f'<{len(block) // 4}I', block))
    total = (total & 0xFFFFFFFF) + (total >> 32)
    return block[:216] + struct.pack('<I', total & 0xFFFFFFFF) + block[220:]


def md_esp_superblock(index, blocks, role=None, events=17, level=1):
    """Version 1.0 superblock of an ESP of so many blocks of 512 bytes, which begins with the array's data.

    It lies at `md_esp_place`. `role`: 0xFFFE for a member that was thrown out.
    """
    place = md_esp_place(blocks) // 512
    block = bytearray(md_superblock(index, blocks, 'catalogue:esp', events=events))
    struct.pack_into('<i', block, 72, level)
    struct.pack_into('<Q', block, 80, place - 8)           # sectors in use, a little less than there are
    struct.pack_into('<QQQ', block, 128, 0, place, place)  # data begins, room, this superblock
    if role is not None:
        struct.pack_into('<H', block, 256 + 2 * index, role)
    block[216:220] = bytes(4)
    total = sum(struct.unpack(f'<{len(block) // 4}I', block))
    struct.pack_into('<I', block, 216, ((total & 0xFFFFFFFF) + (total >> 32)) & 0xFFFFFFFF)
    return bytes(block)


def md_esp_place(blocks):
    """Byte of the partition: 8 KiB before its end, on a boundary of 4 KiB."""
    return (blocks - 16) // 8 * 8 * 512


def md_old_superblock(index, blocks, level=1):
    """(byte of the partition, version 0.90 superblock), as Documentation/admin-guide/md.rst describes it."""
    place = blocks // 128 * 128 - 128
    words = [0] * 1024
    words[:14] = [0xA92B4EFC, 0, 90, 0, 0, 0x11111111, BUILT, level, place // 2, 2, 2, 0, 0, 0x22222222]
    words[14:16] = 0x33333333, 0x44444444
    words[32:40] = [BUILT, 1, 2, 2, 0, 0, 0, 17]           # time, clean, active, working, ..., events
    for member in (0, 1):
        words[128 + 32 * member:133 + 32 * member] = member, 8, 16 * member + 1, member, 6
    words[992:997] = index, 8, 16 * index + 1, index, 6
    total = sum(words)
    words[38] = ((total & 0xFFFFFFFF) + (total >> 32)) & 0xFFFFFFFF
    return place * 512, struct.pack('<1024I', *words)


# The bases

def add_disk(setup, sizes, block_size=512, total=256 * MIB, numbers=None):
    """A disk with partitions (role, type, MiB) one behind the other; `numbers` are those in the table."""
    index = len(setup.disks)
    disk = DiskFile(setup.folder / f'disk{index}.img', block_size,
                    'nvme' if block_size != 512 else CONTROLLERS[index], index)
    with open(disk.image, 'wb') as stream:
        stream.truncate(total)
    partitions = []
    for place, (role, kind, size) in enumerate(sizes):
        partitions.append(gpt.Partition(
            kind, blocks=int(size * MIB) // block_size, guid=guid_of('partition', index, role),
            name=role, number=numbers[place] if numbers else place + 1))
    gpt.Table(disk.image, block_size, partitions, guid_of('disk', index)).write()
    disk.parts = {size[0]: partition for size, partition in zip(sizes, partitions)}
    setup.disks.append(disk)
    return index


def format_esp(setup, index, files):
    disk = setup.disk(index)
    large = index == 0 and disk.block_size == 512
    volume = setup.volume(index, change=True).format(32 if large else 16, serial=0xC0FFEE00 + index)
    put_files(volume, files)
    disk.store = files.get(stores.STORE, b'')
    punch(disk.image)


def add_entry(setup, number, description, index, name, options=b''):
    part = setup.disk(index).parts['esp']
    node = hd(part.number, part.first_lba, part.blocks, part.guid)
    setup.set_entry(number, LoadOption(description, path(node, file(name)), options))
    setup.variables.setdefault('BootOrder', (STORED, b''))
    setup.set_order([*setup.order(), number])


def add_settings(setup):
    setup.variables['Timeout'] = (STORED, struct.pack('<H', 2))
    setup.variables['BootCurrent'] = (VOLATILE, struct.pack('<H', 0))


def two_disks(setup, sizes, files, block_size=512):
    esp_sizes = (40, 16) if block_size == 512 else (24, 24)
    for index, numbers in enumerate((None, (3, 1, 2, 4))):
        own = [('esp', gpt.ESP, esp_sizes[index]), *sizes(index)]
        add_disk(setup, own, block_size, numbers=numbers and numbers[:len(own)])
        format_esp(setup, index, files)


def add_windows_entries(setup):
    for index in range(2):
        add_entry(setup, index, 'Windows Boot Manager', index, LOADER, modern_options())
    add_settings(setup)


def ldm_disks(setup):
    """The disks of the group as ldm.py wants them."""
    return tuple(ldm.LdmDisk(f'Disk{index + 1}', guid_of('ldm disk', index),
                             disk.parts['metadata'].first_lba, disk.parts['plex'].first_lba,
                             disk.parts['plex'].blocks, block_size=disk.block_size)
                 for index, disk in enumerate(setup.disks))


def put_databases(setup, volumes, small=True):
    """A group with these volumes, on both disks; with little room for records if `small`."""
    group = ldm.DiskGroup(ldm_disks(setup), volumes, group_guid=guid_of('group'))
    for index in range(2):
        region = bytearray(ldm.build_private_region(group, index))
        if small:
            make_config_small(region)
        write_sparse(setup.disk(index).image, setup.disk(index).offset('metadata'), region)


def make_config_small(region):
    """Leave room for as many records as SMALL_CONFIG blocks take; blocks are of 512 bytes."""
    start, end = ldm.CONFIG_START * 512, (ldm.CONFIG_START + ldm.CONFIG_BLOCKS) * 512
    used = start + SMALL_CONFIG * 512
    assert b'Disk' not in region[used:end]
    region[used:end] = bytes(end - used)
    struct.pack_into('>I', region, start + 4, SMALL_CONFIG * 512 // ldm.SLOT)
    for places, field_at in ((ldm.HEAD_PLACES, 0x153), (ldm.TOC_PLACES, 0x24 + 0x12)):
        for place in places:
            struct.pack_into('>Q', region, place * 512 + field_at, SMALL_CONFIG)
            resum(region, place * 512)


def resum(region, at):
    """Put the right checksum into a PRIVHEAD or TOCBLOCK."""
    region[at + 8:at + 12] = bytes(4)
    struct.pack_into('>I', region, at + 8, sum(region[at:at + 512]))


def put_plex(setup, index, volume, sector=0):
    disk = setup.disk(index)
    write_sparse(disk.image, disk.offset('plex') + sector * 512, volume)


def mirrored(name, drive, size, start):
    """An LDM volume at the same place of both data partitions; in sectors of 512 bytes."""
    return ldm.mirror(name, guid_of('volume', name), size, ((0, start), (1, start)), hint=drive)


def build_mirror(setup, block_size=512, data=0):
    """`data`: MiB of a second volume, behind that with Windows."""
    two_disks(setup, lambda index: [('metadata', gpt.LDM_METADATA, 1), ('msr', gpt.MSR, 16),
                                    ('plex', gpt.LDM_DATA, 8 + data)], windows_files(), block_size)
    start, sectors = setup.disk(0).parts['plex'].first_lba, 8 * MIB // 512
    volumes = [mirrored('Volume1', 'C:', sectors, 0)]
    contents = [(windows_volume(8 * MIB, block_size, start), 0)]
    if data:
        volumes.append(mirrored('Volume2', 'D:', data * MIB // 512, sectors))
        contents.append((ntfs.build(data * MIB, {'/data.txt': b'x'}, serial=0xD0D0D0D0), sectors))
    put_databases(setup, tuple(volumes), small=block_size == 512)
    for index in range(2):
        for volume, place in contents:
            put_plex(setup, index, volume, place)
    for index in range(2):
        put_store(setup, index, 1 - index)
    add_windows_entries(setup)


def put_store(setup, index, other):
    """The store that Windows keeps on a mirror: its own ESP, this disk's copy by default, then the other's."""
    setup.disk(index).store = regf.build(stores.of_windows(setup, index, other))
    put_files(setup.volume(index, change=True), {stores.STORE: setup.disk(index).store})


def build_mirror4k(setup):
    build_mirror(setup, 4096)


def build_volumes(setup):
    build_mirror(setup, data=4)


def build_basic(setup):
    two_disks(setup, lambda index: [('msr', gpt.MSR, 16), ('plex', gpt.BASIC_DATA, 8)], windows_files())
    start = setup.disk(0).parts['plex'].first_lba
    put_plex(setup, 0, windows_volume(8 * MIB, 512, start))
    put_plex(setup, 1, windows_volume(8 * MIB, 512, start, files=(), serial=0x1111222233334444))
    add_windows_entries(setup)


def build_md(setup, files=linux_files, name='debian', loader='\\EFI\\debian\\shimx64.efi'):
    two_disks(setup, lambda index: [('plex', LINUX_RAID, 8)], files())
    for index in range(2):
        disk = setup.disk(index)
        block = md_superblock(index, disk.parts['plex'].blocks)
        write_sparse(disk.image, disk.offset('plex') + 4096, block)
        add_entry(setup, index, name, index, loader)
    add_settings(setup)


def build_debian(setup):
    build_md(setup, debian_files)


def build_systemd(setup):
    build_md(setup, systemd_files, 'Linux Boot Manager', '\\EFI\\systemd\\systemd-bootx64.efi')


def build_kernel(setup):
    build_md(setup, kernel_files, 'Linux', '\\EFI\\Linux\\linux-6.1.efi')


def build_freebsd(setup):
    two_disks(setup, lambda index: [('plex', FREEBSD_ZFS, 8)], freebsd_files())
    for index in range(2):
        add_entry(setup, index, 'FreeBSD', index, '\\EFI\\freebsd\\loader.efi')
    add_settings(setup)


def build_mdesp(setup):
    """One file system, of a size that leaves room for the superblock, byte for byte on both disks."""
    for index, numbers in enumerate((None, (3, 1))):
        add_disk(setup, [('esp', gpt.ESP, 16), ('plex', LINUX_RAID, 8)], numbers=numbers)
        disk = setup.disk(index)
        write_sparse(disk.image, disk.offset('plex') + 4096, md_superblock(index, disk.parts['plex'].blocks))
        add_entry(setup, index, 'debian', index, '\\EFI\\debian\\shimx64.efi')
    first = setup.disk(0)
    size = first.size('esp') - 65536
    volume = Volume(first.image, first.offset('esp'), size)
    volume.format(16, serial=0xC0FFEE00)
    put_files(volume, linux_files())
    data = gpt.peek(first.image, first.offset('esp'), size)
    for index, disk in enumerate(setup.disks):
        write_sparse(disk.image, disk.offset('esp'), data)
        blocks = disk.parts['esp'].blocks
        write_sparse(disk.image, disk.offset('esp') + md_esp_place(blocks), md_esp_superblock(index, blocks))
        punch(disk.image)
    add_settings(setup)


BASES = {'mirror': build_mirror, 'mirror4k': build_mirror4k, 'volumes': build_volumes,
         'basic': build_basic, 'md': build_md, 'mdesp': build_mdesp, 'debian': build_debian,
         'systemd': build_systemd, 'kernel': build_kernel, 'freebsd': build_freebsd}


def build(base, folder):
    """Make a healthy machine in a folder, which is made too."""
    setup = Setup(folder)
    setup.folder.mkdir(parents=True, exist_ok=True)
    BASES[base](setup)
    setup.save()
    return setup
