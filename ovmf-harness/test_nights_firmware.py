"""Nights on real firmware: each damage of the catalogue, a power-on with nobody there, and another one.

Each ends in a start, in shadowboot's menu with its reason, or where the firmware itself has started or found
something before it came to shadowboot; nothing is ever asked, nothing loops, and where shadowboot has had a part
in it the second night ends as well as the first. With NIGHTS=100 in the environment all of them run, the suite
keeps a few.
"""
import os
import re

import pytest

import damage
import mirror_vm
import night_vm
from fat import Volume
from machine import COUNTDOWN, STANDIN, standin_of
from console import PROMPT
from test_unattended import ASKS, OTHERS, STARTS, WAITING

NIGHTS = int(os.environ.get('NIGHTS', 3))
UNREADABLE = 'primary-bootmgr-unreadable'          # blocks that QEMU's disks have not
FIRST = ['primary-esp-unformatted', 'both-esps-no-microsoft+both-windows-missing', 'primary-bootmgr-chain-short']
NAMES = FIRST + [name for name in [*STARTS, *WAITING, *OTHERS] if name not in {*FIRST, UNREADABLE}]
CASES = {case.name: case for case in damage.all_cases()}
OURS = 'no boot entry before it has started this'
GIVES_UP, MENU = 'Nothing could be started', 'What to do'
REASON = re.compile(r'Disk \d+: \S|No disk with a boot volume')


@pytest.fixture(scope='module')
def installed(folder, bases):
    return night_vm.installed(bases('mirror'), folder, b'timeout = 1\n')


def one_night(machine):
    """How a power-on ends: the GUID of the ESP that a system came from; 'menu', or '' for nothing; and the text."""
    with machine.boot() as vm:
        vm.console.fatal = ()
        match = vm.expect(STANDIN, GIVES_UP, mirror_vm.NOTHING, COUNTDOWN, PROMPT, mirror_vm.CRASH, timeout=180)
        if re.match(mirror_vm.CRASH, match[0]):     # a program of zeros, which the firmware has started itself
            assert OURS not in vm.console.text, vm.console.tail()
        if match[0] == GIVES_UP:
            vm.expect(MENU)
        end = standin_of(match).esp if match.re is STANDIN else 'menu' if match[0] == GIVES_UP else ''
        return end, vm.console.text


@pytest.mark.parametrize('name', NAMES[:NIGHTS])
def test_a_night_ends_in_a_start_or_in_the_menu(name, installed, tmp_path, record_property):
    setup = installed.copy(tmp_path / 'setup')
    for each in name.split('+'):
        CASES[each].apply(setup)
    night_vm.alone(setup)
    machine = mirror_vm.as_machine(setup, tmp_path / 'vm', setup.present(), tokens=False)
    esps = {index: disk.parts['esp'].guid.lower() for index, disk in enumerate(installed.disks)}
    first, said = one_night(machine)
    end = {'menu': 'in the menu', '': 'with nothing started'}.get(first, 'in a start')
    record_property(f'nights that ended {end} by {"shadowboot" if OURS in said else "the firmware alone"}', 1)
    assert not ASKS.search(said) and said.count(OURS) <= 1, said
    if name in STARTS:
        assert first == esps[STARTS[name]] and OURS in said, said
    elif name in WAITING:
        assert first == 'menu' and REASON.search(said), said
    else:
        assert first in (*esps.values(), 'menu', ''), said
        assert first != 'menu' or REASON.search(said), said
    if OURS in said:
        second, again = one_night(machine)
        assert second in ((*esps.values(),) if first in esps.values() else (first,)), again
        assert not ASKS.search(again) and again.count(OURS) <= 1, again
    for index, disk in zip(setup.present(), machine.disks):
        if name in STARTS and 'esp' in setup.disk(index).parts and first == esps[index]:
            part = setup.disk(index)
            Volume(disk.image, part.offset('esp'), part.size('esp'), part.block_size).fsck()
