"""shadowboot standing by on real firmware: Disk 0 dies at night, and the machine starts from Disk 1.

The machine is that of test_unattended, installed by the host program; the firmware does the rest. A
stand-in that knows the token of an ESP was started from there. With ROUNDS=10 in the environment Disk 0 goes and
comes back so often.
"""
import os
import re
from collections import Counter

import pytest

import damage
import mirror_vm
import night_vm
import reports
from fat import Volume
from machine import STANDIN, standin_of
from night_vm import esp_of
from virtual_time import Counted, seconds

WORDS = 'no boot entry before it has started this'
OWN_VENDOR = '7b6f3a52-4f0e-4d0b-9c1e-5ad0b007c0de'
TYPED = 0x00A0                       # an entry with a command in it, as if somebody had typed that
ROUNDS = int(os.environ.get('ROUNDS', 1))
SLOWEST = 1.15                       # a start through shadowboot, in one by the entry alone


@pytest.fixture(scope='module')
def standing_by(folder, bases):
    return night_vm.standing_by(bases('mirror'), folder)


def token_of(setup, machine, index):
    return machine.tokens[setup.disks[index].parts['esp'].guid]


def start(machine, timeout=120, time=None):
    """(what the stand-in says, all that the console said, what `time` makes of the machine then)"""
    with machine.boot() as vm:
        vm.console.fatal = ()
        match = vm.expect(STANDIN, mirror_vm.NOTHING, mirror_vm.CRASH, timeout=timeout)
        assert match.re is STANDIN, vm.console.tail()
        return standin_of(match), vm.console.text, time and time(vm)


def test_disk_0_dies_and_comes_back(standing_by, tmp_path):
    machine = mirror_vm.as_machine(standing_by, tmp_path / 'vm', [0, 1])
    first, esp = machine.disks[0], esp_of(standing_by, machine, 1)
    seen, text, _ = start(machine)
    assert seen.token == token_of(standing_by, machine, 0) and WORDS not in text
    machine.pull(first)
    seen, text, _ = start(machine)
    assert WORDS in text and seen.token == token_of(standing_by, machine, 1)
    assert seen.description == 'Windows Boot Manager'          # BootCurrent is that of the entry that was made
    assert f'Starting from Disk 0 by Boot{seen.entry:04X}' in esp.get('/EFI/shadowboot/last.log').decode()
    assert reports.read(esp.get('/EFI/shadowboot/last.json'))['firmware']
    seen, text, _ = start(machine)                             # by that entry: shadowboot is not needed any more
    assert seen.token == token_of(standing_by, machine, 1) and WORDS not in text
    machine.put_back(first)
    seen, text, _ = start(machine)
    assert seen.token == token_of(standing_by, machine, 0) and WORDS not in text
    entries = named_entries(machine)
    for _ in range(ROUNDS - 1):
        for away, disk in ((True, 1), (False, 0)):
            (machine.pull if away else machine.put_back)(first)
            seen, _, _ = start(machine)
            assert seen.token == token_of(standing_by, machine, disk)
            assert named_entries(machine) == entries
    esp.fsck()


def named_entries(machine):
    """What is in BootOrder, but for the firmware's own: how often each entry is there."""
    entries = machine.nvram.entries()
    return Counter((entries[number].description, entries[number].path) for number in machine.nvram.order
                   if entries[number].description in ('Windows Boot Manager', 'shadowboot'))


def test_what_a_start_writes_into_the_firmwares_store(standing_by, bases, tmp_path):
    """By the flash itself, whose records stay when they are replaced: one, two with a reset, none where Windows is
    started by its own entry."""
    machine = mirror_vm.as_machine(standing_by, tmp_path / 'vm', [0, 1])
    machine.nvram.set('Boot0001', bases('mirror').variables['Boot0001'][1])
    windows, *own = standing_by.order()
    for order, settings, mine in (([windows, 1, *own], None, []), ([*own, windows, 1], None, ['ShadowbootStarts']),
                                  ([*own, windows, 1], b'start = reset\ntimeout = 0\n',
                                   ['ShadowbootStarts', 'BootNext'])):
        for index in (0, 1) if settings else ():
            esp_of(standing_by, machine, index).put('/EFI/shadowboot/shadowboot.conf', settings)
        machine.nvram.delete('ShadowbootStarts', OWN_VENDOR)
        machine.nvram.order = order
        start(machine)                          # the firmware writes down what it finds new
        before = machine.nvram.written()
        _, text, _ = start(machine)
        written = machine.nvram.written()
        assert written[:len(before)] == before, 'the firmware has made its store compact'
        names = [name for name in written[len(before):] if re.match('Shadowboot|Boot', name)]
        assert names == mine, (names, text)
        assert (WORDS in text) == bool(mine) and ('is reset to start' in text) == (len(mine) == 2)


def test_the_last_disk_starts_though_its_store_names_the_dead_one(standing_by, tmp_path):
    """There is no other place for a journal than the firmware's own."""
    setup = standing_by.copy(tmp_path / 'setup')
    next(case for case in damage.all_cases() if case.name == 'shadow-alone-store-of-primary').apply(setup)
    machine = mirror_vm.as_machine(setup, tmp_path / 'vm', [1])
    seen, text, _ = start(machine)
    assert WORDS in text and '(journal NVRAM:ShadowbootJournal)' in text
    assert seen.token == token_of(setup, machine, 1)
    seen, text, _ = start(machine)                             # by the entry that was made: nothing is left to do
    assert seen.token == token_of(setup, machine, 1) and WORDS not in text
    disk = setup.disks[1]
    Volume(machine.disks[0].image, disk.offset('esp'), disk.size('esp'), disk.block_size).fsck()


def test_the_way_through_shadowboot_takes_little_longer(standing_by, bases, tmp_path, record_property):
    """Disk 0 is dead. The firmware tries its entry first, then Windows' for Disk 1 or shadowboot's; there is
    no countdown. In instructions, so a busy host makes no difference; the first start is not looked at, in
    which the firmware writes down what is gone."""
    setup = standing_by.copy(tmp_path / 'setup')
    for disk in setup.disks:
        disk.controller = 'ahci'                # see virtual_time
    dead, *own = setup.order()
    machine = mirror_vm.as_machine(setup, tmp_path / 'vm', [1], kind=Counted)
    machine.nvram.set('Boot0001', bases('mirror').variables['Boot0001'][1])
    taken = {}
    for name, order in (('first', [dead, 1, *own]), ('direct', [dead, 1, *own]), ('through', [dead, *own, 1])):
        machine.nvram.order = order
        seen, text, taken[name] = start(machine, 600, seconds)
        assert seen.token == token_of(setup, machine, 1) and (WORDS in text) == (name == 'through')
    record_property('thousandths of a direct start for one through shadowboot',
                    round(1000 * taken['through'] / taken['direct']))
    assert taken['through'] <= SLOWEST * taken['direct'], taken


def test_the_way_through_it_is_short_with_all_disks_there_too(standing_by, bases, tmp_path, record_property):
    """shadowboot is the first in BootOrder, by somebody's choice: it looks at both disks, which the firmware had no
    need to do. Of two starts of each kind the quicker counts: the firmware takes more at the first of a kind."""
    setup = standing_by.copy(tmp_path / 'setup')
    for disk in setup.disks:
        disk.controller = 'ahci'                # see virtual_time
    machine = mirror_vm.as_machine(setup, tmp_path / 'vm', [0, 1], kind=Counted)
    machine.nvram.set('Boot0001', bases('mirror').variables['Boot0001'][1])
    windows, *own = setup.order()
    taken = {}
    for name, order in 2 * (('through', [*own, windows, 1]), ('direct', [windows, 1, *own])):
        machine.nvram.order = order
        _, text, time = start(machine, 600, seconds)
        assert (WORDS in text) == (name == 'through')
        taken[name] = min(time, taken.get(name, time))
    record_property('thousandths of a direct start for one with shadowboot first',
                    round(1000 * taken['through'] / taken['direct']))
    assert taken['through'] <= SLOWEST * taken['direct'], taken


def test_a_test_of_all_disks_starts_each_once_and_ends_with_a_table(bases, folder, tmp_path):
    """Begun by who types it; then the program that stands by goes on with the next disk by itself, and at last has a
    table, and starts the machine as on every day."""
    setup = night_vm.installed(bases('mirror'), folder)
    machine = mirror_vm.as_machine(setup, tmp_path / 'vm', [0, 1])
    entries = machine.nvram.entries()
    own = next(number for number in setup.order() if entries[number].description == 'shadowboot')
    machine.nvram.set_entry(TYPED, 'typed', entries[own].path, optional='test -all -y\0'.encode('utf-16-le'), order=None)
    order, said = machine.nvram.order, []
    for index, number in ((0, TYPED), (1, own), (0, own)):
        machine.nvram.next = number
        seen, text, _ = start(machine)
        assert (seen.token, seen.entry) == (token_of(setup, machine, index), index), text
        assert machine.nvram.next is None and machine.nvram.order[:len(order)] == order      # firmware's own come behind
        said.append(' '.join(text.split()))
    rows = [[f'Test of Disk {index}, asked for' in text for index in (0, 1)] for text in said]
    assert rows == [[False, False], [True, False], [True, True]], said
    assert [text.count('the firmware has taken Boot') for text in said] == [0, 1, 2], said
    assert ['Each disk of the mirror was tried once.' in text for text in said] == [False, False, True], said
    assert machine.nvram.get('ShadowbootTests', OWN_VENDOR) is None


def test_a_start_loop_of_a_healthy_machine_ends_at_the_menu(standing_by, bases, tmp_path):
    """What it starts resets the machine, again and again; then it waits, also when it is switched on anew,
    until somebody does something."""
    machine = mirror_vm.as_machine(standing_by, tmp_path / 'vm', [0, 1])
    machine.nvram.set('Boot0001', bases('mirror').variables['Boot0001'][1])
    windows, *own = standing_by.order()
    machine.nvram.order = [*own, windows, 1]
    with machine.boot() as vm:
        for disk in (0, 1, 0):                  # each begins with another one
            assert vm.wait_standin(120).token == token_of(standing_by, machine, disk)
            vm.reset()
        vm.expect('started 3 times in a row', timeout=120)
        vm.expect('Start from Disk 0')
    assert machine.nvram.get('ShadowbootStarts', OWN_VENDOR).data[1] == 3
    with machine.boot() as vm:
        vm.expect('started 3 times in a row', timeout=120)
        vm.expect('Start from Disk 0')
        vm.type('\r')                           # the first choice
        assert vm.wait_standin().token == token_of(standing_by, machine, 0)
    assert machine.nvram.get('ShadowbootStarts', OWN_VENDOR).data[1] == 0
