"""What cannot be mended: a full or write-protected target, a disk that dies or is pulled in the middle,
a source that cannot be read. The message says what, where and what to do; nothing is lost.
"""
import time

import pytest

import damage
import faults
import mirror
from sparse import kept_digest
import stores
from fat_bytes import FatBytes
from repair_vm import Server, tree_of

LOADER = '/EFI/Microsoft/Boot/bootmgfw.efi'
DEVICE_ERROR, WRITE_PROTECTED, NO_SPACE, REFUSED = 7, 8, 9, 15
WORN = ['truncate /EFI/Microsoft/Boot/bootmgr.efi 1000', 'delete /EFI/Microsoft/Boot/Fonts/wgl4_boot.ttf',
        'zero-file /EFI/Microsoft/Boot/memtest.efi', f'replace {LOADER} other-bootmgfw older']


@pytest.fixture
def damaged(bases, tmp_path):
    """The images of a machine after some damage."""
    def make(*lines):
        setup = bases('mirror').copy(tmp_path / 'setup')
        for line in lines:
            damage.apply(setup, line)
        return setup
    return make


@pytest.fixture
def server(bases, tmp_path, product):
    """Makes the machine: damage, and controllers by index."""
    def make(lines, controllers=()):
        setup = bases('mirror').copy(tmp_path / 'setup')
        for line in lines:
            damage.apply(setup, line)
        for index, controller in dict(controllers).items():
            setup.disk(index).controller = controller
        return Server(setup, tmp_path, product)
    return make


def trees(snapshot, server):
    return {index: tree_of(snapshot.esp(disk)) for index, disk in server.disks.items() if snapshot.esp(disk)}


def text_of(said):
    return ' '.join(said.text.split())


def fails_unchanged(server, line):
    """(text, status) of a line that fails; both ESPs and all variables are as before."""
    with server.machine.boot_to_shell() as vm:
        vm.cd(server.stick)
        before = server.snapshot('before')
        said = vm.run(line)
        after = server.snapshot('after')
    assert trees(before, server) == trees(after, server)
    assert before.boot_variables() == after.boot_variables()
    for disk in server.disks.values():
        assert before.tables(disk) == after.tables(disk)
    return text_of(said), said.status


def refused_on_host(setup, *words):
    """(text, status) of a command that fails by what is on the disks, whatever the firmware: not a byte of them
    or of the variables is different."""
    before, variables = contents(setup), dict(setup.variables)
    said = setup.run(*words)
    assert contents(setup) == before and setup.variables == variables
    return text_of(said), said.status


def contents(setup):
    return [kept_digest(disk.image) for disk in setup.disks]


def guids(server):
    return [server.setup.disk(index).parts['esp'].guid for index in (0, 1)]


def test_full_target(damaged):
    """The last bytes of the ESP are taken: the missing files do not fit."""
    setup = damaged(*(f'esp 1 {each}' for each in WORN[:3]))
    volume = setup.volume(1, change=True)
    mirror.put_files(volume, {'/LARGE.BIN': mirror.filler('large', volume.free() - 2048)})
    text, status = refused_on_host(setup, 'copy', '-y')
    assert status == NO_SPACE, text
    assert 'Disk 1 Partition 1' in text and 'Nothing was changed.' in text, text


def test_write_protected_target(server):
    made = server(['esp 1 zero'], {1: 'virtio'})
    faults.write_protect(made.disks[1])
    text, status = fails_unchanged(made, 'shadowboot prepare 1 -y -format')
    assert status == WRITE_PROTECTED, text
    assert 'Disk 1 is write-protected' in text and 'Nothing was changed.' in text, text


def test_repair_leaves_a_write_protected_disk_out(server):
    """It says so, and the good ESP is not made like the other one instead."""
    made = server([f'esp 1 {each}' for each in WORN], {1: 'virtio'})
    faults.write_protect(made.disks[1])
    text, _ = fails_unchanged(made, 'shadowboot repair -y')
    assert 'Disk 1 is write-protected' in text, text


def test_no_room_for_an_esp(damaged):
    """Everything is taken, and the MSR is not given up or is too small."""
    text, status = refused_on_host(damaged('gpt 1 delete esp', 'gpt 1 fill'), 'prepare', '1', '-y', '-format')
    assert status != 0, text
    assert 'Disk 1' in text and '-msr' in text and 'Nothing was changed.' in text, text


def test_target_too_small_for_the_files(damaged):
    text, status = refused_on_host(damaged('esp 1 shrink 64'), 'copy', '-y')
    assert status == NO_SPACE, text
    assert 'Disk 1 Partition 1' in text and 'Nothing was changed.' in text, text


def test_source_that_cannot_be_read(server):
    """A block in the middle of one file: it is named, and what is on the target stays."""
    made = server([f'esp 1 {WORN[3]}'])
    disk, part = made.disks[0], made.setup.disk(0).parts['esp']
    fat = FatBytes(lambda at, size: made.setup.read(0, made.setup.disk(0).offset('esp') + at, size), None)
    at = fat.place(fat.clusters(LOADER, 3)[1])
    faults.fail_reads(disk, part.first_lba + at // 512)
    source, target = guids(made)
    text, _ = fails_unchanged(made, f'shadowboot copy -sg {source} -tg {target} -y')
    assert 'bootmgfw.efi cannot be read' in text and 'Disk 0' in text, text


# In the middle of it

def files_whole(old, new, found):
    """Each file is the old one or the new one."""
    return all(found.get(name) in (old.get(name), new.get(name)) for name in {*old, *new})


def finishes(server, line, target, old, new):
    """With the disk back in order the same line does the rest, and undo goes back to the beginning."""
    with server.machine.boot_to_shell() as vm:
        vm.cd(server.stick)
        said = vm.run(line)
        done = server.snapshot('done')
        back = vm.run('shadowboot undo -y')
        undone = server.snapshot('undone')
    assert said.status == 0, said.text
    assert tree_of(done.esp(target)) == new
    done.esp(target).fsck()
    assert back.status == 0, back.text
    assert tree_of(undone.esp(target)) == old


def test_disk_that_dies_after_some_writes(server):
    """From that write on nothing of it can be read or written. The machine still has the other disk."""
    made = server([f'esp 1 {each}' for each in WORN], {1: 'scsi'})
    target = made.disks[1]
    old, new = tree_of(made.setup.volume(1)), tree_of(made.setup.volume(0))
    new = {**old, **new, stores.STORE: made.setup.disk(1).store}
    faults.die_after_writes(target, 3)
    with made.machine.boot_to_shell() as vm:
        vm.cd(made.stick)
        said = vm.run('shadowboot copy -y')
        cut = made.snapshot('cut')
    text = text_of(said)
    assert said.status == DEVICE_ERROR, text
    assert 'Disk 1 Partition 1' in text and 'undo' in text, text
    assert files_whole(old, new, tree_of(cut.esp(target)))
    assert tree_of(cut.esp(made.disks[0])) == tree_of(made.setup.volume(0))
    faults.heal(target)
    finishes(made, 'shadowboot copy -y', target, old, new)


def test_disk_that_is_pulled_in_the_middle(server):
    """The monitor takes the disk out as soon as something was written to it."""
    made = server([f'esp 1 {each}' for each in WORN], {1: 'scsi'})
    target = made.disks[1]
    old, new = tree_of(made.setup.volume(1)), tree_of(made.setup.volume(0))
    new = {**old, **new, stores.STORE: made.setup.disk(1).store}
    faults.slow_writes(target, 4)
    line = 'shadowboot copy -y'
    with made.machine.boot_to_shell() as vm:
        vm.cd(made.stick)
        before = target.image.stat().st_mtime_ns
        vm.type(line + '\r')
        end = vm.clock() + 60
        while target.image.stat().st_mtime_ns == before:
            assert vm.clock() < end, 'nothing is written'
            time.sleep(0.02)
        vm.qmp.execute('device_del', id=target.name)
        vm.console.expect_prompt(120)
        status = int(vm.shell('echo %lasterror%')[-1], 16)
        text = ' '.join(vm.console.text.split())
        cut = made.snapshot('cut')
    assert status == DEVICE_ERROR, text
    assert files_whole(old, new, tree_of(cut.esp(target)))
    faults.heal(target)
    finishes(made, line, target, old, new)
