"""shadowboot standing by on real firmware: Disk 0 dies at night, and the machine starts from Disk 1.

The machine is that of test_unattended, installed by the host program; the firmware does the rest. A
stand-in that knows the token of an ESP was started from there.
"""
import json
import os
import random

import pytest

import mirror_vm
import repaired
from conftest import required
from fat import Volume
from machine import STANDIN, Machine, standin_of
from unattended import Unattended

WORDS = 'no boot entry before it has started this'
# Of a start by shadowboot, in a direct one: 0.93 to 1.16 were seen, since what firmware waits for its disks
# differs by two seconds from start to start.
SLOWEST = 1.4
PM_HERTZ, PM_TICKS = 3579545, 1 << 24
PM_TIMER, CMOS = 0x608, 0x70         # ports of q35 under OVMF
# Starts that are cut; each takes two of a virtual machine.
CUTS = int(os.environ.get('NIGHT_CUTS', 3))


class Counted(Machine):
    """A machine whose time is its instructions, eight nanoseconds for each."""

    def parts(self):
        return [*super().parts(), '-icount', 'shift=3', '-rtc', 'base=2026-01-01T00:00:00,clock=vm']


def monitor(vm, line):
    return vm.qmp.execute('human-monitor-command', **{'command-line': line})


def port(vm, address, size):
    return int(monitor(vm, f'i /1x{size} {address}').split('=')[-1], 16)


def seconds(vm):
    """The machine's own time since power-on: whole seconds from its clock, the rest from the ACPI timer."""
    vm.qmp.execute('stop')
    whole = 0
    for register, weight in ((0, 1), (2, 60)):
        monitor(vm, f'o /b {CMOS} {register}')
        value = port(vm, CMOS + 1, 'b')
        whole += weight * ((value >> 4) * 10 + (value & 15))
    part, period = (port(vm, PM_TIMER, 'w') % PM_TICKS) / PM_HERTZ, PM_TICKS / PM_HERTZ
    vm.qmp.execute('cont')
    return part + period * round((whole + 0.5 - part) / period)


@pytest.fixture(scope='module')
def standing_by(folder, bases):
    """Installed on both ESPs; no entry of Windows' for the shadow, and no countdown."""
    program, stick = required('SHADOWBOOT_EFI', 'build/shadowbootx64.efi'), folder / 'vm-stick.img'
    repaired.make_stick(stick)
    (folder / 'vm-night').mkdir()
    box = Unattended(bases('mirror'), folder / 'vm-night', stick, program)
    done = box.run('install', '-y')
    assert done.status == 0, done.text
    del box.setup.variables['Boot0001']
    box.setup.set_order([number for number in box.setup.order() if number != 1])
    for index in (0, 1):
        esp = box.setup.volume(index, change=True)
        esp.put('/EFI/shadowboot/shadowboot.conf', b'timeout = 0\n')
        esp.delete('/EFI/BOOT')             # or OVMF's own entries for disks would start it
    return box.setup


def esp_of(setup, machine, index):
    disk = setup.disks[index]
    return Volume(machine.disks[index].image, disk.offset('esp'), disk.size('esp'), disk.block_size)


def token_of(setup, machine, index):
    return machine.tokens[setup.disks[index].parts['esp'].guid]


def start(machine, timeout=120):
    """(what the stand-in says, all that the console said, the time from power-on)"""
    with machine.boot() as vm:
        vm.console.fatal = ()
        match = vm.expect(STANDIN, mirror_vm.NOTHING, mirror_vm.CRASH, timeout=timeout)
        assert match.re is STANDIN, vm.console.tail()
        return standin_of(match), vm.console.text, seconds(vm)


def test_disk_0_dies_and_comes_back(standing_by, tmp_path):
    machine = mirror_vm.as_machine(standing_by, tmp_path / 'vm', [0, 1], kind=Counted)
    first, esp = machine.disks[0], esp_of(standing_by, machine, 1)
    seen, text, direct = start(machine)
    assert seen.token == token_of(standing_by, machine, 0) and WORDS not in text
    machine.pull(first)
    seen, text, night = start(machine)
    assert WORDS in text and seen.token == token_of(standing_by, machine, 1)
    assert seen.description == 'Windows Boot Manager'          # BootCurrent is that of the entry that was made
    assert f'Starting from Disk 0 by Boot{seen.entry:04X}' in esp.get('/EFI/shadowboot/last.log').decode()
    assert json.loads(esp.get('/EFI/shadowboot/last.json'))['program'] == 'shadowboot'
    assert night <= SLOWEST * direct, (night, direct)
    seen, text, _ = start(machine)                             # by that entry: shadowboot is not needed any more
    assert seen.token == token_of(standing_by, machine, 1) and WORDS not in text
    machine.put_back(first)
    seen, text, _ = start(machine)
    assert seen.token == token_of(standing_by, machine, 0) and WORDS not in text
    esp.fsck()


def test_the_power_goes_while_it_mends_at_night(standing_by, tmp_path):
    setup = standing_by.copy(tmp_path / 'setup')
    setup.volume(0, change=True).delete('/EFI/Microsoft')
    chance = random.Random(13)
    for number in range(CUTS):
        machine = mirror_vm.as_machine(setup, tmp_path / f'vm{number}', [0, 1])
        with machine.boot() as vm:
            vm.console.fatal = ()
            vm.expect(WORDS, timeout=60)
            vm.console.pump(chance.random() * 1.5)
            vm.power_cut()
        with machine.boot() as vm:
            vm.console.fatal = ()
            match = vm.expect(STANDIN, mirror_vm.NOTHING, mirror_vm.CRASH, timeout=90)
            assert match.re is STANDIN, vm.console.tail()
        for index in (0, 1):
            esp_of(setup, machine, index).get('/EFI/Microsoft/Boot/bootmgfw.efi')
