"""What only U-Boot does, under U-Boot itself (`make u-boot`): it keeps its variables on an ESP.

What the same comes to on images, with a model of its FAT driver: test_uboot_store.py.
"""
import re
import subprocess

import damage
import mirror_bases
import pytest
from firmware import FIRMWARE
from instructions import Meter, Metered
from mirror import FALLBACK, Setup
from nvram import GLOBAL
from repair_vm import Server
from sparse import copy_range, digest
from test_firmwares import TIMEOUT, files_of, run
from uboot import SIZE, STORE, UbootMachine, unpack

PAD_VENDOR = '12345678-1234-5678-9abc-def012345678'
NO_SPACE, NEVER_READY = 9, [f'esp 1 delete {FALLBACK}', 'entry 1 delete']
ITS_OWN = 4500                   # bytes of the store, without which its UEFI does not start any more
CLUSTER = 512
# What `status` may take from the Enter key to the prompt, the program's way into memory included: half a second more
# than the firmware takes alone. Counted are instructions, of a nanosecond each: a core of 1 GHz that carries out one in
# each cycle, and arm64 servers have faster ones. The emulator has no time of its own: waiting for its disks is the host's,
# and a line is out at once that takes a real one of 115,200 baud a tenth of a second for a thousand characters.
ABOVE_FIRMWARE, INSTRUCTION = 0.5, 1e-9


@pytest.fixture
def server(bases, tmp_path):
    made = []

    def make(*lines):
        setup = bases('mirror').copy(tmp_path / f'setup{len(made)}')
        for line in lines:
            damage.apply(setup, line)
        (tmp_path / f'{len(made)}').mkdir()
        made.append(Server(setup, tmp_path / f'{len(made)}', FIRMWARE.program, UbootMachine))
        return made[-1]
    yield make
    for each in made:
        if each.machine.vm:
            each.machine.vm.close()


def judged(server):
    """The variables in the file, whose checksum is right, on an ESP in which fsck.fat finds no fault."""
    esp = server.disks[0].esp
    esp.fsck(counted=False)
    return {(each.name, each.guid): (each.attributes, each.data) for each in unpack(esp.get(STORE))}


def esp_clusters(machine):
    """By fsck.fat: (bytes of one, those in use, all)."""
    esp = machine.disks[0].esp
    part = machine.folder / 'part.img'
    copy_range(esp.image, esp.offset, esp.size, part)
    said = subprocess.run(['fsck.fat', '-n', '-v', str(part)], capture_output=True, text=True).stdout
    return tuple(map(int, [re.search(r'(\d+) bytes per cluster', said)[1],
                           *re.search(r' (\d+)/(\d+) clusters', said).groups()]))


def boot_variables(found):
    return {name: value for (name, guid), value in found.items() if guid == GLOBAL and name.startswith('Boot')}


def test_its_file_grows_and_shrinks_beside_ours(server):
    """Files of Disk 0 and boot entries in one plan, and back, with the file at the edge of a cluster."""
    machine = server(f'esp 0 delete {FALLBACK}', 'entry 1 delete')
    nvram = machine.machine.nvram
    nvram.set('Pad', b'', PAD_VENDOR)
    size = len(machine.disks[0].esp.get(STORE))
    nvram.set('Pad', bytes(-size % CLUSTER + CLUSTER), PAD_VENDOR)
    with machine.machine.boot_to_shell() as vm:
        vm.cd(machine.stick)
        vm.shell(f'setenv -e -nv -bs -rt -guid {PAD_VENDOR} Touched =1')   # now the file is as it writes it
        files, variables = files_of(machine.disks[0]), judged(machine)
        for there in (['install -y'], ['install -y', 'install -remove -y'], ['repair -y']):
            for command in there:
                run(vm, f'shadowboot {command}')
                judged(machine)
            assert boot_variables(judged(machine)) != boot_variables(variables) or len(there) == 2
            if len(there) == 1:
                run(vm, 'shadowboot undo -y')
            assert judged(machine) == variables and files_of(machine.disks[0]) == files


def test_esp_with_the_variables_is_formatted_and_has_them_again(server):
    """And the firmware takes them from there in its next start."""
    machine = server('esp 0 loop /EFI/Microsoft/Boot/Fonts/wgl4_boot.ttf')
    with machine.machine.boot_to_shell() as vm:
        vm.cd(machine.stick)
        vm.shell(f'setenv -e -nv -bs -rt -guid {PAD_VENDOR} Touched =1')
        before = judged_variables(machine)
        said = run(vm, 'shadowboot prepare 0 -y -format')
        assert 'The firmware keeps its boot entries in \\ubootefi.var on Disk 0 Partition 1' in said
        assert 'that is put back' in said
        assert judged(machine) == before
        run(vm, 'shadowboot copy -y')
        assert not machine.disks[1].esp.exists(STORE)
    with machine.machine.boot_to_shell() as vm:
        assert any('Touched' in line for line in vm.shell('printenv -e -n'))


def judged_variables(machine):
    """Without a look at the file system, which is damaged."""
    return {(each.name, each.guid): (each.attributes, each.data)
            for each in unpack(machine.disks[0].esp.get(STORE))}


def test_full_store_changes_nothing(server):
    machine = server(*NEVER_READY)
    nvram = machine.machine.nvram
    nvram.set('Fill', b'', PAD_VENDOR)
    nvram.set('Fill', bytes(SIZE - ITS_OWN - len(machine.disks[0].esp.get(STORE))), PAD_VENDOR)
    images = []
    for disk in (machine.disks[0], machine.disks[1]):
        images.append(machine.folder / f'kept-{disk.name}')
        copy_range(disk.image, 0, disk.size, images[-1])
    with machine.machine.boot_to_shell() as vm:
        vm.cd(machine.stick)
        before = judged(machine)
        for command in ('clone -y', 'repair -y'):
            said = run(vm, f'shadowboot {command}', NO_SPACE)
            assert "variable store has" in said and 'Nothing was changed' in said
        assert judged(machine) == before
    for disk, image in zip((machine.disks[0], machine.disks[1]), images):
        assert digest(disk.image) == digest(image)


def test_file_without_room_to_grow_is_left_alone(server):
    """U-Boot would write over its start, and lose all variables."""
    machine = server('entry 1 delete')
    nvram, esp = machine.machine.nvram, machine.disks[0].esp
    nvram.set('Pad', b'', PAD_VENDOR)
    nvram.set('Pad', bytes(-len(esp.get(STORE)) % CLUSTER), PAD_VENDOR)
    assert len(esp.get(STORE)) % CLUSTER == 0
    size, used, there = esp_clusters(machine)
    esp.put('/fill.bin', bytes((there - used) * size))
    with machine.machine.boot_to_shell() as vm:
        vm.cd(machine.stick)
        before = judged(machine)
        said = run(vm, 'shadowboot clone -y', NO_SPACE)
        assert '\\ubootefi.var on Disk 0' in said and 'Nothing was changed. Make room on that ESP.' in said
        assert judged(machine) == before
        # What it would have come to: the firmware says so to nobody but its console.
        assert any('no space left' in line for line in
                   vm.shell(f'setenv -e -nv -bs -rt -guid {PAD_VENDOR} Touched =1'))
    with pytest.raises(ValueError):
        judged(machine)


class MeteredUboot(Metered, UbootMachine):
    pass


def test_status_takes_half_a_second_above_the_firmware(tmp_path, record_property):
    """With 140 files, 26 MB on each of two ESPs; the program comes from one of them."""
    setup = Setup(tmp_path / 'setup')
    setup.folder.mkdir()
    mirror_bases.build_ordinary(setup)
    (tmp_path / 'm').mkdir()
    machine = Server(setup, tmp_path / 'm', FIRMWARE.program, MeteredUboot)
    machine.disks[0].esp.put('/shadowboot.efi', FIRMWARE.program)

    def look(words):
        lines = vm.shell(f"load virtio 0:1 $kernel_addr_r shadowboot.efi; setenv bootargs '{words}'; "
                         'bootefi $kernel_addr_r $fdtcontroladdr', timeout=TIMEOUT)
        assert lines[-1] == 'This machine starts from each of its boot disks alone.'
        return lines

    with machine.machine.boot_to_shell(TIMEOUT) as vm:
        meter = Meter(vm)
        meter.learn_waiting(machine.disks[0], lambda: look('status -quick'))
        for words in ('status -quick', 'status'):
            lines, spent = meter.of(lambda: look(words))
            taken = spent.work * INSTRUCTION
            record_property(f'milliseconds, counted, of {words} under U-Boot', round(1000 * taken))
            assert len(lines) > 8 and 0.01 < taken <= ABOVE_FIRMWARE, (words, spent)
