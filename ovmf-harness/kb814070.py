"""The machines of KB 814070: two mirrored disks, and the same server after the first disk failed.

    server = mirrored_server(machine, product, standin)
    with server.session() as vm:                  # entry 5 runs, bootcfg and shadowboot are at hand
        assert vm.run('bootcfg').lines ...        # see kb814070_listings

Partitions are taken from the article's own listings: their offsets, lengths, GUIDs, types and
names. Blocks are of 512 bytes; the images are sparse. What the article does not tell is chosen:

- The index in the partition table: where a partition was moved or made later it differs from the
  order on disk, as on the real server.
- LS120, CDROM and EFI Shell are paths of a firmware that this machine does not have. So they start
  nothing, and the firmware reaches the entries behind them by itself, where the article's reader
  chooses one in the boot menu.
- OVMF puts entries of its own into BootOrder and writes its own Timeout whenever it starts. Each
  session sets both to what they are in the article, with the Shell's setvar.
"""
import contextlib
import re
import secrets
import tempfile
from pathlib import Path

from devicepath import (AUTO_MARKER, LoadOption, bbs, file, hd, itanium_options, node, path, pci,
                        pci_root, vendor_hardware)
from gpt import BASIC_DATA, ESP, MSR, LDM_DATA, LDM_METADATA, Partition, poke
from kb814070_listings import LIST_0, LIST_1, RECOVERY_LIST_1
from ldm import LdmDisk, MirrorGroup, build_private_region
from nvram import GLOBAL

LOADER = '\\EFI\\Microsoft\\WINNT50\\ia64ldr.efi'
BLOCK = 512
BACKUP_BLOCKS = 33                   # entries and header of the backup table, at the disk's end
BBS_CDROM = 3

# Recovery: Windows Setup's partitions on the new Disk 0. The article prints sizes and offsets of
# diskpart only, in MB (102 at 32 KB, 31 at 102, 2996 at 133); GUIDs are chosen.
NEW_DISK_0 = (
    (ESP, 32256, 106896384, '3c1f2a60-71d4-4d0e-9b51-0c8f4e5a6b01', 'EFI system partition'),
    (MSR, 106928640, 32505856, '3c1f2a60-71d4-4d0e-9b51-0c8f4e5a6b02',
     'Microsoft reserved partition'),
    (BASIC_DATA, 139434496, 3142056960, '3c1f2a60-71d4-4d0e-9b51-0c8f4e5a6b03',
     'Basic data partition'),
)
# The same disk when it is dynamic and holds the mirror again; its new database was not written yet.
DYNAMIC_DISK_0 = (
    NEW_DISK_0[0],
    (LDM_METADATA, 106928640, 1048576, '3c1f2a60-71d4-4d0e-9b51-0c8f4e5a6b04',
     'LDM metadata partition'),
    (MSR, 107977216, 31457280, NEW_DISK_0[1][3], 'Microsoft reserved partition'),
    (LDM_DATA, 139434496, 3142056960, '3c1f2a60-71d4-4d0e-9b51-0c8f4e5a6b05',
     'LDM data partition'),
)
# Partitions of the disk that failed: no disk has them any more.
LOST_ESP = hd(1, 63, 417627, '0b1e55ed-0000-4000-8000-000000000001')
LOST_SYSTEM = hd(3, 417690, 6136830, '0b1e55ed-0000-4000-8000-000000000002')


def partitions(listing, numbers):
    """The partitions that `bootcfg /list` shows; `numbers` are their indices in the table."""
    fields = re.compile(
        r'Starting  offset: (?P<offset>.*)\nPartition length: (?P<length>.*)\n'
        r'Partition GUID:   (?P<guid>.*)\nGUID type:        (?P<type>.*)\n'
        r'Partition name:   (?P<name>.*)\n')
    shown = list(fields.finditer(listing))
    assert len(shown) == len(numbers) == listing.count('Partition No:')
    return [partition(match['type'], number_of(match['offset']), number_of(match['length']),
                      match['guid'], match['name'], number)
            for match, number in zip(shown, numbers)]


def number_of(text):
    """A number with commas."""
    return int(text.replace(',', ''))


def partition(kind, offset, length, guid, name, number=None):
    """A partition by its place in bytes."""
    assert offset % BLOCK == length % BLOCK == 0
    return Partition(kind, offset // BLOCK, length // BLOCK, guid, name, number=number)


def disk_size(parts):
    """The smallest disk, in bytes, that holds them and the backup table."""
    return (max(part.last_lba for part in parts) + 1 + BACKUP_BLOCKS) * BLOCK


def foreign_entries():
    """LS120, CDROM and EFI Shell, which are no entries of Windows."""
    ls120 = path(pci_root(), pci(0x1D, 1), node(3, 1, bytes(4)))
    shell = path(vendor_hardware('8a2f1c3e-5d47-4b0a-9f6d-2c1e0b7a4d58'))
    return [LoadOption('LS120', ls120), LoadOption('CDROM', path(bbs(BBS_CDROM, 'CDROM'))),
            LoadOption('EFI Shell', shell)]


def windows(description, boot, system):
    """An entry of Windows: boot file on the partition `boot`, \\WINDOWS on `system` (HD nodes)."""
    return LoadOption(description, path(boot, file(LOADER)), itanium_options('', system))


def fill_esp(volume, standin, first_entry, start_shell=False):
    """What Windows keeps on its ESP, with the stand-in as ia64ldr.efi; gives the new token.

    The other programs are there by name only. With `start_shell` the stand-in goes on to the Shell.
    """
    token = secrets.token_hex(8)
    others = [f'/MSUtil/{name}.efi' for name in ('diskpart', 'fdisk', 'format', 'nvrboot')]
    files = dict.fromkeys(['/EFI/Microsoft/EFIDrivers/fpswa.efi', *others], b'placeholder')
    files['/EFI/Microsoft/WINNT50/Boot0003'] = first_entry.pack()
    files[LOADER.replace('\\', '/')] = Path(standin).read_bytes()
    files['/token.txt'] = token.encode()
    if start_shell:
        files['/standin.cfg'] = b'shell'
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            target = Path(folder + name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        volume.put_tree(folder)
    return token


class Server:
    """Two disks, a stick with the programs, and the article's entries as Boot0000, Boot0001, ...

    `entries` are LoadOptions in the article's order, `current` is the ID of the one that runs.
    """

    def __init__(self, machine, product, tables, kind='virtio-scsi'):
        self.machine = machine
        self.disks = [machine.add_disk(kind, disk_size(parts), partitions=parts,
                                       disk_guid=f'814070d1-5c00-4000-8000-00000000000{i}')
                      for i, parts in enumerate(tables)]
        self.stick = machine.add_stick({'shadowbootx64.efi': product, 'bootcfg.efi': product})
        self.current, self.timeout = None, None

    def node(self, disk, kind, which=0):
        """The HD node of a partition: the disk's first of that type, or a later one."""
        return [volume.node for volume in self.disks[disk].volumes.values()
                if volume.partition.type == kind][which]

    def write_region(self, disk, region):
        """Put an LDM database where the metadata partition is."""
        volume = next(volume for volume in self.disks[disk].volumes.values()
                      if volume.partition.type == LDM_METADATA)
        assert len(region) == volume.size
        poke(volume.image, volume.offset, region)

    def install(self, entries, current, timeout):
        """Write the entries; their ID is their place in the list, from 1."""
        self.current, self.timeout = current, timeout
        for number, entry in enumerate(entries):
            self.machine.nvram.set_entry(number, entry.description, entry.path, entry.optional)

    @property
    def nvram(self):
        return self.machine.nvram

    def number(self, entry_id):
        """The number in Boot#### of the entry with this ID."""
        return self.nvram.order[entry_id - 1]

    @contextlib.contextmanager
    def session(self):
        """The Shell with the stick as current volume, started through the entry `current`.

        Timeout and BootOrder are the article's. The stand-in's line is `vm.started`.
        """
        order = [number for number in self.nvram.order if not self._is_firmware_s(number)]
        self.nvram.next = order[self.current - 1]
        with self.machine.boot() as vm:
            vm.started = vm.wait_standin()
            vm.to_shell()
            self._set(vm, 'BootOrder', b''.join(n.to_bytes(2, 'little') for n in order))
            self._set(vm, 'Timeout', self.timeout.to_bytes(2, 'little'))
            assert (self.nvram.order, self.nvram.timeout) == (order, self.timeout)
            vm.cd(self.stick)
            yield vm

    def _is_firmware_s(self, number):
        """Whether OVMF made this entry: by its mark, or because it is a program of the firmware."""
        entry = self.nvram.entry(number)
        return entry is None or entry.optional == AUTO_MARKER or entry.path[:2] == b'\x04\x07'

    @staticmethod
    def _set(vm, name, data):
        said = vm.run(f'setvar {name} -guid {GLOBAL} -nv -bs -rt =H{data.hex()}')
        assert said.status == 0, said.text


def mirrored_server(machine, product, standin):
    """Both disks of the article's first half, before /clone. `tokens` are those of the two ESPs."""
    parts = partitions(LIST_0, (1, 2, 4, 3)), partitions(LIST_1, (1, 3, 2, 4))
    server = Server(machine, product, parts)
    system = [find(table, LDM_DATA) for table in parts]
    group = MirrorGroup(size=system[0].blocks, disks=tuple(
        LdmDisk(f'Disk{i + 1}', f'5bd1000{i + 3}-0c4d-11e2-9a3b-525400a1b2c3',
                private_start=find(table, LDM_METADATA).first_lba,
                public_start=system[i].first_lba, public_size=system[i].blocks)
        for i, table in enumerate(parts)))
    for i in range(2):
        server.write_region(i, build_private_region(group, i))
    boot = server.node(0, ESP)
    entries = [windows('Windows 2003 Server, Enterprise', boot, server.node(0, LDM_DATA)),
               *foreign_entries(),
               windows('Boot Mirror C: - secondary plex', boot, server.node(1, LDM_DATA))]
    server.install(entries, current=5, timeout=30)
    # As the article's "format s: /fs:fat" says: FAT16, 4,096 bytes per allocation unit.
    server.disks[0].esp.format(fat=16, cluster=8)
    server.disks[1].esp.format(fat=16, cluster=8, serial=0xEA3403C7)
    server.tokens = [fill_esp(disk.esp, standin, entries[0], start_shell=i == 0)
                     for i, disk in enumerate(server.disks)]
    return server


def find(table, kind):
    """The first partition of a type."""
    return next(part for part in table if part.type == kind)


def recovery_server(machine, product, standin):
    """Disk 0 replaced, Windows installed on it; the shadow's database cannot be read from it.

    `token` is that of the only ESP.
    """
    shadow = partitions(RECOVERY_LIST_1, (1, 2, 3, 4))
    server = Server(machine, product, ([partition(*part) for part in NEW_DISK_0], shadow))
    entries = [
        windows('Microsoft Windows Server 2003, Enterprise Edition', server.node(0, ESP),
                server.node(0, BASIC_DATA)),
        windows('Windows Server 2003, Enterprise Edition', LOST_ESP, LOST_SYSTEM),
        *foreign_entries(),
        windows('Boot Mirror C: - secondary plex', LOST_ESP, server.node(1, LDM_DATA)),
    ]
    server.install(entries, current=1, timeout=5)
    server.token = fill_esp(server.disks[0].esp.format(fat=16), standin, entries[0], True)
    return server


def remirrored_server(machine, product, standin):
    """The end of the article: mirror made again, the shadow's system runs, its database is read."""
    shadow = partitions(RECOVERY_LIST_1, (1, 2, 3, 4))
    new = [partition(*part) for part in DYNAMIC_DISK_0]
    server = Server(machine, product, (new, shadow))
    server.write_region(1, build_private_region(remirrored_group(new, shadow), 1))
    boot, system = server.node(0, ESP), server.node(1, LDM_DATA)
    entries = [
        windows('Boot Mirror C: - secondary plex', boot, server.node(0, LDM_DATA)),
        windows('Windows Server 2003, Enterprise', LOST_ESP, system),
        *foreign_entries(),
        windows('Boot Mirror C: - Secondary Plex', LOST_ESP, system),
        windows('original shadow system', boot, system),
    ]
    server.install(entries, current=7, timeout=30)
    server.token = fill_esp(server.disks[0].esp.format(fat=16), standin, entries[0], True)
    return server


def remirrored_group(new, shadow):
    """A mirror over both disks; the shadow's public region is both of its data partitions."""
    system, rest = (part for part in shadow if part.type == LDM_DATA)
    assert rest.first_lba == system.last_lba + 1
    return MirrorGroup(size=system.blocks, disks=(
        LdmDisk('Disk1', '5bd10005-0c4d-11e2-9a3b-525400a1b2c3',
                private_start=find(new, LDM_METADATA).first_lba,
                public_start=find(new, LDM_DATA).first_lba, public_size=system.blocks),
        LdmDisk('Disk2', '5bd10006-0c4d-11e2-9a3b-525400a1b2c3',
                private_start=find(shadow, LDM_METADATA).first_lba,
                public_start=system.first_lba, public_size=system.blocks + rest.blocks)))
