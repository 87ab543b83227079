"""A damaged machine of `mirror` as a virtual PC with the program on a stick, and what others say of the result.

    server = Server(setup, tmp_path, product)
    with server.machine.boot_to_shell() as vm:
        vm.cd(server.stick)
        before = server.snapshot('before')
        vm.run('shadowboot repair -y')
        after = server.snapshot('after')
    after.esp(disk).fsck()                       # fsck.fat; mtools and sgdisk in the same way
    assert after.differences(disk, other) == ''  # diff -r
    seen = after.start_alone(disk, folder)       # the firmware with this disk alone

No ESP has a token until `start_alone` puts one onto that of the disk which is started, so a stand-in
that tells it came from there. A snapshot is taken at the Shell's prompt, when nothing is written.
"""
import contextlib
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path

import gpt
import mirror_vm
from sparse import copy_range
import store_model
import stores
from console import PROMPT
from fat import Volume
from firmware import FIRMWARE
from gpt import Partition
from machine import COUNTDOWN, STANDIN, Machine, standin_of
from nvram import GLOBAL, Nvram

STICK_TYPE = gpt.BASIC_DATA
# Where a start ends that comes to nothing.
NOTHING = (COUNTDOWN, PROMPT, mirror_vm.NOTHING, FIRMWARE.prompt)
OWN_FOLDER = 'shadowboot'                        # journals


class Server:
    """The machine. `disks` are those of the setup that are there, by their index in it; `blank` is one more, of
    that many bytes."""

    def __init__(self, setup, folder, product, kind=Machine, blank=0):
        self.setup, self.folder = setup, Path(folder)
        self.machine = mirror_vm.as_machine(setup, self.folder / 'vm', setup.present(), tokens=False, kind=kind)
        self.disks = dict(zip(setup.present(), self.machine.disks))
        for disk in self.machine.disks:
            with contextlib.suppress(ValueError):
                disk.reread()
        self.blank = self.machine.add_disk('ahci', blank) if blank else None
        self.stick = self.machine.add_stick({'shadowboot.efi': product},
                                            partitions=[Partition(STICK_TYPE, name='stick')])

    def start_alone(self, index, timeout=60):
        """What the firmware starts with this disk alone, as a Standin; None when nothing is started. Its flash is
        afterwards what it was: it is switched off while the firmware may be writing there."""
        flash = self.machine.nvram.path
        kept = flash and flash.read_bytes()
        others = [disk for disk in self.machine.disks if disk is not self.disks[index]]
        for disk in others:
            self.machine.pull(disk)
        with self.machine.boot() as vm:
            vm.console.fatal = ()
            found = vm.expect(STANDIN, *NOTHING, timeout=timeout)
        for disk in others:
            self.machine.put_back(disk)
        if flash:
            flash.write_bytes(kept)
        return standin_of(found) if found.re is STANDIN else None

    def put_token(self, index):
        """A token onto the ESP of a disk, made up now; gives it."""
        disk, token = self.disks[index], secrets.token_hex(8)
        disk.reread()
        disk.esp.put('/token.txt', token.encode())
        return token

    def snapshot(self, name):
        return Snapshot(self.machine, self.folder / name)


class Snapshot:
    """Disks and variables of a machine at one moment."""

    def __init__(self, machine, folder):
        self.folder, self.disks = folder, machine.disks
        folder.mkdir(parents=True)
        for disk in self.disks:
            copy_range(disk.image, 0, disk.size, self.image(disk))
        shutil.copyfile(machine.nvram.path, folder / 'vars.fd')

    def image(self, disk):
        return self.folder / f'{disk.name}.img'

    def boot_variables(self):
        """Boot####, BootOrder, BootNext and Timeout: what the program may write."""
        return {variable.name: variable.data for variable in Nvram(self.folder / 'vars.fd').variables()
                if variable.guid == GLOBAL and (variable.name.startswith('Boot') or variable.name == 'Timeout')}

    def tables(self, disk):
        """The bytes of protective MBR and both copies of the table."""
        first = 34 if disk.block_size == 512 else 6
        size = first * disk.block_size
        return gpt.peek(self.image(disk), 0, size), gpt.peek(self.image(disk), disk.size - size, size)

    def partition(self, disk, kind=gpt.ESP):
        """The first partition of a type, or None."""
        try:
            table = gpt.read(self.image(disk), disk.block_size)
        except ValueError:
            return None
        return next((part for part in table.partitions if part.type == kind), None)

    def place(self, disk, kind):
        """The first partition of a type as the stand-in says it, or None."""
        part = self.partition(disk, kind)
        return part and f'{gpt.read(self.image(disk), disk.block_size).disk_guid}/{part.guid}'

    def esp(self, disk):
        part = self.partition(disk)
        return volume_of(self.image(disk), disk.block_size, part) if part else None

    def differences(self, disk, other):
        """What diff -r finds between the files of two ESPs. Journals do not count, nor do boot stores, of which
        each names its own disk; see `store_names_own`."""
        with tempfile.TemporaryDirectory() as folder:
            places = [Path(folder) / name for name in ('one', 'other')]
            for place, each in zip(places, (disk, other)):
                place.mkdir()
                self.esp(each).get_tree(place)
            done = subprocess.run(['diff', '-r', '-x', OWN_FOLDER, '-x', 'BCD', '-x', 'BCD.LOG*',
                                   *places], capture_output=True, check=False)
        return (done.stdout + done.stderr).decode(errors='replace')

    def store_names_own(self, disk):
        """Whether the boot store on a disk starts the copy of Windows there; a new disk has none yet."""
        part = self.partition(disk, gpt.LDM_DATA)
        if part is None:
            return True
        own = part.guid
        return store_model.devices_of(self.esp(disk).get(stores.STORE)) == [own, own]

    def start_alone(self, disk, folder):
        """(Seen, token): what the firmware starts when all other disks and the stick are gone."""
        machine = Machine(folder)
        for each in self.disks:
            made = machine.add_disk(each.kind, each.size, each.block_size)
            made.pulled = each is not disk
            if each is disk:
                copy_range(self.image(disk), 0, disk.size, made.image)
        shutil.copyfile(self.folder / 'vars.fd', machine.nvram.path)
        token = secrets.token_hex(8)
        volume_of(made_of(machine, disk).image, disk.block_size, self.partition(disk)).put(
            '/token.txt', token.encode())
        return mirror_vm.start(machine), token


def made_of(machine, disk):
    return next(each for each in machine.disks if each.name == disk.name)


def volume_of(image, block_size, part):
    return Volume(image, part.first_lba * block_size, part.blocks * block_size, block_size)


def tree_of(volume):
    """{path: bytes} of a volume, journals left out; None where mtools finds no file system."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            volume.get_tree(folder)
        except RuntimeError:
            if not volume.exists('/'):
                return None
        return {f'/{path.relative_to(folder).as_posix()}': path.read_bytes()
                for path in sorted(Path(folder).rglob('*')) if path.is_file() and OWN_FOLDER not in path.parts}
