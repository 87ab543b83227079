"""Power cuts on real firmware: every state that the disks went through is looked at.

All writes of a machine are logged in order (blklog): those of the program and those of the firmware's
own FAT driver, which keeps the journal on the stick. Then each prefix of the log is brought onto copies
of the images; between the prefixes, writes of several blocks are torn and the last one since a flush comes
first. In each state as many disks start as before (I1), by the model that shares nothing with the program;
files are old or new in full; nothing outside the target was written (I2), the source nowhere (I3). From a
choice of states the host program goes on with what is there: the same command finishes the job, and undo
gives back what was there before (I4). The UEFI Shell's `cp` is measured in the same way, for comparison.
"""
import filecmp
import re
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest

import damage
import firmware_model
import gpt
import mirror
from sparse import holes_kept
import stores
import system_model
from blklog import VARIABLES, WriteLog
from host_program import CONTROLLERS
from mirror import Setup
from nvram import GLOBAL
from repair_vm import Server, tree_of, volume_of

LOADER = '/EFI/Microsoft/Boot/bootmgfw.efi'


@pytest.fixture
def fast():
    """A folder in memory, if there is such a place: images are copied many times."""
    memory = Path('/dev/shm')
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


def damaged(bases, folder, name, lines):
    setup = bases(name).copy(folder / 'setup')
    for line in lines:
        damage.apply(setup, line)
    return setup


# The log itself

def test_log_has_every_write_of_every_disk_in_order(bases, tmp_path, product):
    """What is replayed to the end is what the machine left, and a stop in between is a prefix of it."""
    server = Server(damaged(bases, tmp_path, 'mirror', []), tmp_path, product)
    log = WriteLog(server.machine)
    with server.machine.boot_to_shell() as vm:
        vm.cd(server.stick)
        vm.shell('echo one > one.txt')
        between = log.count()
        vm.shell(f'echo two > {vm.fs(server.disks[1].esp)}\\two.txt')
    with log.replay(tmp_path / 'replay') as replay:
        assert not replay.writes_to(server.disks[0])
        replay.skip(between)
        esp = volume_of(replay.image(server.disks[1]), 512, server.setup.disk(1).parts['esp'])
        stick = volume_of(replay.image(server.stick), 512, server.stick.volume.partition)
        assert stick.exists('/one.txt') and not esp.exists('/two.txt')
        for _ in replay.states([server.disks[1]]):
            pass
        assert 'two' in esp.get('/two.txt').decode('utf-16')
        log.keep()
        for name, image in [*((disk, disk.image) for disk in server.machine.disks),
                            (VARIABLES, server.machine.nvram.path)]:
            assert filecmp.cmp(replay.image(name), image, shallow=False)


# The UEFI Shell, for comparison

def test_shell_loses_the_file_that_it_replaces(bases, tmp_path, product, record_property):
    """`cp` over a boot manager: at many a cut neither the old nor the new one can be read."""
    lines = [f'esp 1 replace {LOADER} other-bootmgfw older']
    server = Server(damaged(bases, tmp_path, 'mirror', lines), tmp_path, product)
    source, target = server.disks[0], server.disks[1]
    old, new = (disk.esp.get(LOADER) for disk in (target, source))
    log = WriteLog(server.machine)
    with server.machine.boot_to_shell() as vm:
        names = [vm.fs(disk.esp) + LOADER.replace('/', '\\') for disk in (source, target)]
        assert vm.run('cp -q {} {}'.format(*names)).status == 0
    lost = states = 0
    with log.replay(tmp_path / 'replay') as replay:
        esp = volume_of(replay.image(target), 512, target.esp.partition)
        for state in replay.states([target]):
            if state.kind == 'cut':
                states += 1
                lost += content(esp, LOADER) not in (old, new)
        assert content(esp, LOADER) == new
    record_property("cuts in the Shell's cp", states)
    record_property('of them with neither the old file nor the new one', lost)
    assert lost > states // 3


def content(volume, name):
    try:
        return volume.get(name)
    except FileNotFoundError:
        return None


# The program

@dataclass
class Scenario:
    """`fresh`: the target gets a new file system, or a new partition with one in it."""
    name: str
    do: list
    line: str
    target: int = 1
    base: str = 'mirror'
    status: int = 0
    fresh: bool = False
    new_partition: bool = False


WORN = ['truncate /EFI/Microsoft/Boot/bootmgr.efi 1000', 'delete /EFI/Microsoft/Boot/Fonts/wgl4_boot.ttf',
        'zero-file /EFI/Microsoft/Boot/memtest.efi']
SCENARIOS = [
    Scenario('copy over an older boot manager',
             [f'esp 1 replace {LOADER} other-bootmgfw older', *(f'esp 1 {each}' for each in WORN)], 'copy -y'),
    Scenario('copy, 4096-byte blocks',
             [f'esp 1 replace {LOADER} other-bootmgfw older', *(f'esp 1 {each}' for each in WORN)], 'copy -y',
             base='mirror4k'),
    Scenario('repair of files of the primary', [f'esp 0 {each}' for each in WORN], 'repair -y', target=0),
    Scenario('prepare in free space', ['gpt 1 delete esp'], 'prepare 1 -y -format', fresh=True,
             new_partition=True),
    Scenario('prepare in place of the MSR', ['gpt 1 delete esp', 'gpt 1 fill'], 'prepare 1 -y -format -msr',
             fresh=True, new_partition=True),
    Scenario('prepare over a damaged file system', ['esp 1 zero-fat'], 'prepare 1 -y -format', fresh=True),
]
# From how many of its states each scenario is taken up again.
RESUMED = 6


class Machine:
    """The images of a replay as a machine that is off, for the model and the host program."""

    def __init__(self, server, replay, target):
        self.server, self.replay, self.target, self._known = server, replay, target, {}

    def setup(self, folder=None):
        """A Setup of the images as they are now; of copies of them when a folder is given."""
        setup = Setup(folder or self.replay.folder)
        for index, disk in self.server.disks.items():
            own = self.server.setup.disk(index)
            setup.disks.append(mirror.DiskFile(self._image(disk, folder), own.block_size, own.controller,
                                               own.position, dict(own.parts)))
        for variable in self.replay.variables():
            if variable.guid == GLOBAL and re.fullmatch('Boot([0-9A-F]{4}|Order|Next)|Timeout', variable.name):
                setup.variables[variable.name] = (variable.attributes, variable.data)
        return setup

    def _image(self, disk, folder):
        image = self.replay.image(disk)
        if not folder:
            return image
        holes_kept(image, folder / image.name)
        return folder / image.name

    def starts(self):
        """The disks that start alone. All but the target stay as they are while variables do."""
        setup, found = self.setup(), set()
        for index in self.server.disks:
            key = None if index == self.target else (index, str(setup.variables))
            if key not in self._known:
                verdict = firmware_model.Firmware(setup, [index], [index]).start().verdict
                self._known[key] = verdict in ('starts', 'fallback')
            if self._known[key]:
                found.add(index)
            self._known.pop(None, None)
        return found


class HostRun:
    """The host program over copies of a state's images, started from the stick that was in the machine."""

    def __init__(self, machine, folder, program):
        folder.mkdir()
        self.program = program
        self.setup = machine.setup(folder)
        self.stick = machine._image(machine.server.stick, folder)
        self.options = self.setup.host_options()
        place = len(self.setup.disks)
        at = self.options.index('--vars')
        self.options[at:at] = ['--disk', f'{self.stick}:512:{CONTROLLERS["usb"]}', '--self', f'{place}:1']

    def run(self, line):
        return self.setup.run(*line.split(), options=self.options, program=self.program)

    def variables(self):
        """The text of the store, in an order that does not depend on when a variable was written."""
        return sorted((self.setup.folder / 'variables.txt').read_text().splitlines())


def target_partition(disk, image):
    """The ESP in the table that firmware goes by: the primary copy if it is sound, else the backup."""
    for backup in (False, True):
        try:
            table = gpt.read(image, disk.block_size, backup)
        except ValueError:
            continue
        return next((part for part in table.partitions if part.type == gpt.ESP), None)
    return None


def without_guid(tree, part):
    """The files without the GUID of their own partition: its boot store has that, and a partition that is made
    once more has another."""
    own = uuid.UUID(part.guid).bytes_le
    return {**tree, stores.STORE: tree[stores.STORE].replace(own, bytes(16))}


class Cuts:
    """One scenario: what was there, what is to be there, and whether a state lies between them."""

    def __init__(self, scenario, server, replay):
        self.scenario, self.replay = scenario, replay
        self.target = server.disks[scenario.target]
        self.machine = Machine(server, replay, scenario.target)
        self.old_boot = None

    def volume(self):
        """The target's ESP as the table shows it now, or None."""
        image = self.replay.image(self.target)
        part = target_partition(self.target, image)
        return volume_of(image, self.target.block_size, part) if part else None

    def begin(self, new_tree, new_part):
        """The replay stands at the first state; in the last one the ESP is on `new_part`."""
        self.new_part = new_part
        volume = self.volume()
        self.old_tree, self.new_tree = tree_of(volume) if volume else None, new_tree
        self.old_boot = gpt.peek(volume.image, volume.offset, 512) if volume else None
        self.new_without_guid = without_guid(new_tree, self.new_part)
        self.old_starts = self.machine.starts()

    def problem(self):
        """What is wrong with the state that the replay is in, or ''."""
        lost = self.old_starts - self.machine.starts()
        if lost:
            return f'does not start any more: disks {sorted(lost)}'
        volume = self.volume()
        if volume is None:
            return '' if self.old_boot is None else 'the partition is gone'
        tree = tree_of(volume)
        return self._fresh_problem(volume, tree) if self.scenario.fresh else self._files_problem(tree)

    def _fresh_problem(self, volume, tree):
        """What looks like a file system is the old one untouched, or the whole new one."""
        boot = gpt.peek(volume.image, volume.offset, 512)
        if boot == self.old_boot:
            return '' if tree == self.old_tree else 'the old file system was changed in place'
        if boot[510:] != b'\x55\xaa':
            return '' if not self.scenario.new_partition else 'the table shows what is not ready'
        return '' if tree == self.new_tree else 'a half-made file system'

    def _files_problem(self, tree):
        for name in {*self.old_tree, *self.new_tree}:
            allowed = self.old_tree.get(name), self.new_tree.get(name)
            if tree.get(name) not in allowed:
                return f'{name} is neither the old one nor the new one'
        return '' if set(tree) <= {*self.old_tree, *self.new_tree} else 'a file that nobody asked for'


def places_allowed(target, image, new_partition):
    """Where the target may be written: its ESP, and both copies of the table for a new one."""
    block, part = target.block_size, target_partition(target, image)
    found = [(part.first_lba * block, (part.first_lba + part.blocks) * block)]
    copy = 34 * block if block == 512 else 6 * block
    return found + ([(0, copy), (target.size - copy, target.size)] if new_partition else [])


def final_tree(server, log, folder, scenario):
    """What the target's ESP holds at the end, and the places in which it was written."""
    target = server.disks[scenario.target]
    with log.replay(folder) as replay:
        replay.skip(len(replay.writes))
        image = replay.image(target)
        part = target_partition(target, image)
        volume = volume_of(image, target.block_size, part)
        volume.fsck()
        places = places_allowed(target, image, scenario.new_partition)
        for disk in server.machine.disks:
            for offset, size in replay.writes_to(disk) if disk is not server.stick else ():
                assert disk is target, f'{disk.name} was written at {offset}'
                assert any(low <= offset and offset + size <= high for low, high in places), (offset, size)
        assert Machine(server, replay, scenario.target).starts() == set(server.disks)
        return tree_of(volume), part


def resume(cuts, folder, program):
    """The same command once more, a third time, and then back; on the host, by `program` as Setup.run takes it."""
    scenario, host = cuts.scenario, HostRun(cuts.machine, folder, program)
    image = folder / cuts.replay.image(cuts.target).name

    def tree():
        part = target_partition(cuts.target, image)
        volume = volume_of(image, cuts.target.block_size, part) if part else None
        return tree_of(volume) if volume else None
    done = host.run(scenario.line)
    assert done.status == scenario.status, done.text
    assert without_guid(tree(), target_partition(cuts.target, image)) == cuts.new_without_guid, done.text
    again = host.run(scenario.line)
    assert again.status == scenario.status and 'Nothing to do' in again.text, again.text
    back = host.run('undo -y')
    assert back.status == 0, back.text
    assert tree() == cuts.old_tree, f'{done.text}\n{back.text}'
    return host


@pytest.fixture
def known_windows(monkeypatch):
    """What is in the copies of Windows is looked up once: nothing writes there, which is tested."""
    known, look = {}, system_model.windows_problem

    def problem(setup, index, disks, guid=None):
        if (index, guid) not in known:
            known[index, guid] = look(setup, index, disks, guid)
        return known[index, guid]
    monkeypatch.setattr(system_model, 'windows_problem', problem)


@pytest.mark.parametrize('scenario', SCENARIOS, ids=lambda scenario: scenario.name.replace(' ', '-'))
def test_no_cut_hurts(scenario, bases, fast, product, known_windows, record_property):
    server = Server(damaged(bases, fast, scenario.base, scenario.do), fast, product)
    log = WriteLog(server.machine)
    with server.machine.boot_to_shell() as vm:
        vm.cd(server.stick)
        began = log.count()
        said = vm.run(f'shadowboot {scenario.line}')
    assert said.status == scenario.status, said.text
    new = final_tree(server, log, fast / 'final', scenario)
    target, problems, count = server.disks[scenario.target], [], 0
    with log.replay(fast / 'replay') as replay:
        replay.skip(began)
        cuts = Cuts(scenario, server, replay)
        cuts.begin(*new)
        every = -(-len(replay.writes_to(target, began)) * 2 // RESUMED)
        for state in replay.states([target]):
            count += 1
            problem = cuts.problem()
            if problem:
                problems.append(f'write {state.number} ({state.kind}): {problem}')
            if count % every == 1:
                # Of each scenario once under the sanitizers.
                resume(cuts, fast / f'resumed{count}', mirror.bare() if count > 1 else None)
    record_property('states after power cuts on real firmware', count)
    assert not problems, '\n'.join(problems[:20])
