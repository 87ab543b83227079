"""Damaged machines mended on real firmware, and judged by software that is not ours.

In one boot: the command; the same once more, which finds nothing to do (I5); the Shell's listing of the
new volume; undo, which gives back what was there (I4). What was there in between is then looked at by
fsck.fat, mtools, sgdisk and diff -r, and the firmware starts from the mended disk alone: the stand-in
must come up from this disk's ESP, by a boot entry, with the token that was put there afterwards.
"""
import re
from dataclasses import dataclass, field

import pytest

import damage
import gpt
import mirror
from machine import Result
from repair_vm import Server, tree_of, volume_of
from sparse import copy_range, digest

LOADER = '/EFI/Microsoft/Boot/bootmgfw.efi'
BOOT = '\\EFI\\Microsoft\\Boot'
NO_SUCH_DEVICE = '0xc000000e'
ASKED = r'\[y/N\] \Z'


@dataclass
class Case:
    """`disks`: controllers by index, where they are others than the base's. `target`: index of the disk
    that is mended; `source`: of the one it is compared with. `blank`: MiB of a disk that is put in
    behind the others. `answers`: what is typed at the questions. `alike`: the ESPs hold the same files
    afterwards."""
    name: str
    do: list
    line: str
    base: str = 'mirror'
    target: int = 1
    source: int = 0
    status: int = 0
    disks: dict = field(default_factory=dict)
    blank: int = 0
    answers: int = 0


CASES = [
    Case('no ESP, repaired', ['gpt 1 delete esp'], 'repair', answers=2),
    Case('no free space but the MSR', ['gpt 1 delete esp', 'gpt 1 fill'], 'prepare 1 -y -format -msr'),
    Case('unformatted', ['esp 1 zero'], 'prepare 1 -y -format', disks={1: 'scsi'}),
    Case('chains crossed', [f'esp 1 cross {LOADER} /EFI/Microsoft/Boot/memtest.efi'], 'prepare 1 -y -format',
         disks={1: 'virtio'}),
    Case('no Microsoft folder', ['esp 1 rmtree /EFI/Microsoft'], 'repair -y'),
    Case('files truncated and zeroed',
         [f'esp 1 truncate {LOADER} 1000', 'esp 1 zero-file /EFI/Microsoft/Boot/bootmgr.efi',
          'esp 1 delete /EFI/Microsoft/Boot/Resources/bootres.dll'], 'copy', answers=1),
    Case('blank disk in place of the dead primary', ['disk 0 remove'], 'prepare 1 -y -format', source=1,
         target=2, blank=256),
    Case('ESP of the primary damaged', ['esp 0 zero-fat', 'esp 0 garbage-directory /EFI/BOOT'], 'repair -y -format',
         target=0, source=1),
    Case('no ESP and no primary, rebuilt from Windows', ['gpt 1 delete esp', 'entry 1 delete', 'disk 0 remove'],
         'rebuild 0 -y -format', source=1),
    Case('4096-byte blocks, both ESPs empty', ['esp * empty'], 'rebuild 1 -y', base='mirror4k', source=1),
    Case('4096-byte blocks, no ESP', ['gpt 1 delete esp'], 'prepare 1 -y -format', base='mirror4k'),
    Case('target on USB', [f'esp 1 truncate {LOADER} 1000', 'esp 1 rmtree /EFI/Microsoft/Boot/Fonts'],
         'copy -sg {source} -tg {target} -y', disks={1: 'usb'}),
]


def build(case, bases, folder):
    """The machine after what happened to it, as it is switched on."""
    setup = bases(case.base).copy(folder / 'setup')
    for index, controller in case.disks.items():
        setup.disk(index).controller = controller
    for line in case.do:
        damage.apply(setup, line)
    if case.blank:
        image = setup.folder / 'blank.img'
        with open(image, 'wb') as stream:
            stream.truncate(case.blank * mirror.MIB)
        setup.disks.append(mirror.DiskFile(image, 512, 'ahci', len(setup.disks)))
    return setup


def filled(case, server):
    """The command line, with the GUIDs of this machine."""
    parts = {name: server.setup.disk(index).parts.get('esp') for name, index in
             (('source', case.source), ('target', case.target)) if server.setup.disks[index]}
    guids = {name: part.guid for name, part in parts.items() if part}
    return f'shadowboot {case.line}'.format(**guids)


def run(vm, case, line):
    """Type the line, and y at each question."""
    if not case.answers:
        return vm.run(line)
    vm.type(line + '\r')
    vm.console.expect_echo(line)
    start = vm.console.position
    for _ in range(case.answers):
        vm.expect(ASKED)
        vm.type('y\r')
    vm.console.expect_prompt(120)
    lines = vm.console.text[start:].split('\n')
    return Result(lines, int(vm.shell('echo %lasterror%')[-1], 16))


@pytest.mark.parametrize('case', CASES, ids=lambda case: re.sub('[ ,]+', '-', case.name))
def test_damage_is_mended(case, bases, tmp_path, product):
    server = Server(build(case, bases, tmp_path), tmp_path, product)
    target, source = server.disks[case.target], server.disks[case.source]
    line = filled(case, server)
    with server.machine.boot_to_shell() as vm:
        vm.cd(server.stick)
        before = server.snapshot('before')
        done = run(vm, case, line)
        assert done.status == case.status, done.text
        after = server.snapshot('after')
        again = vm.run(line if '-y' in line else f'{line} -y')
        assert (again.status, 'Nothing to do' in again.text) == (case.status, True), again.text
        target.reread()
        listed = vm.run(f'ls {vm.fs(target.esp)}{BOOT}')
        assert listed.status == 0 and 'bootmgfw.efi' in listed.text, listed.text
        vm.cd(server.stick)
        back = vm.run('shadowboot undo -y')
        assert back.status == 0, back.text
        undone = server.snapshot('undone')
    assert is_sound(after, target, source) == ''
    assert untouched(before, after, server, target) == ''
    assert same_again(before, undone, target) == ''
    seen, token = after.start_alone(target, tmp_path)
    assert seen.standin, seen.end
    assert (seen.standin.token, seen.standin.esp) == (token, after.partition(target).guid)
    assert seen.standin.entry is not None and seen.standin.description == 'Windows Boot Manager', seen.standin
    windows = after.place(target, gpt.LDM_DATA)
    expected = (windows, windows) if windows else (NO_SUCH_DEVICE, 'none')   # no copy on a new disk yet
    assert (seen.standin.loader, seen.standin.system) == expected


def is_sound(after, target, source):
    """What other people's programs have against the mended disk, or ''."""
    for disk in (target, source):
        after.esp(disk).fsck()
        if disk.block_size == 512 and gpt.complaints(after.image(disk)):
            return gpt.complaints(after.image(disk))
    if listing(after.esp(target)) != listing(after.esp(source)):
        return 'mdir lists other files'
    foreign = [disk.name for disk in (target, source) if not after.store_names_own(disk)]
    return after.differences(target, source) or ''.join(f'the store of {name} names another disk' for name in foreign)


def listing(volume):
    return [name for name in volume.list() if '/shadowboot' not in name]


def untouched(before, after, server, target):
    """I2, I3: what changed outside the target's ESP and partition table, or ''."""
    for disk in server.disks.values():
        allowed = []
        if disk is target:
            part, block = after.partition(disk), disk.block_size
            table = 34 * block if block == 512 else 6 * block
            allowed = [(part.first_lba * block, (part.first_lba + part.blocks) * block)]
            allowed += [(0, table), (disk.size - table, disk.size)]
        if masked(before, disk, allowed) != masked(after, disk, allowed):
            return f'{disk.name} was changed where it must not be'
    return ''


def masked(snapshot, disk, allowed):
    """A digest of a disk but for some ranges."""
    image = snapshot.folder / 'masked.img'
    copy_range(snapshot.image(disk), 0, disk.size, image)
    for low, high in allowed:
        gpt.zero(image, low, high - low)
    found = digest(image)
    image.unlink()
    return found


def same_again(before, undone, target):
    """What undo did not bring back, or '': variables, partition tables, files."""
    if before.boot_variables() != undone.boot_variables():
        return 'variables'
    if before.tables(target) != undone.tables(target):
        return 'partition table'
    part = before.partition(target)
    if part is None:
        return ''
    old, new = (volume_of(each.image(target), target.block_size, part) for each in (before, undone))
    if boot_sector(old) != boot_sector(new):
        return 'boot sector'
    return '' if tree_of(old) == tree_of(new) and old.list() == new.list() else 'files'


def boot_sector(volume):
    return gpt.peek(volume.image, volume.offset, 512)


# What is not done

def test_usb_disk_is_not_prepared(bases, tmp_path, product):
    """Which disk is removable is what firmware says; all else that is refused is tests/unit/test_prepare.c's."""
    case = Case('', ['gpt 1 delete esp'], 'prepare 1 -y -format', disks={1: 'usb'})
    server = Server(build(case, bases, tmp_path), tmp_path, product)
    with server.machine.boot_to_shell() as vm:
        vm.cd(server.stick)
        before = server.snapshot('before')
        said = vm.run(filled(case, server))
        after = server.snapshot('after')
    assert said.status == 15
    for word in ('Disk 1', 'removable', 'Nothing was changed'):
        assert word in ' '.join(said.text.split()), said.text
    for disk in server.disks.values():
        assert masked(before, disk, []) == masked(after, disk, [])
    assert before.boot_variables() == after.boot_variables()
