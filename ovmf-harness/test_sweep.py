"""What a repair must keep, swept over machines drawn at random and over the damage catalogue.

tests/tools/sweep judges by bytes, and by a model of firmware and systems of its own (tests/sweep/truth.h):
no disk that started alone fails to start after `repair -y`, entries of firmware's own stay, a second
run has nothing to do, `undo` gives everything back, `status` promises nothing that is not so. Pairs of
damages are repaired by test_repair_catalogue.py.

That model is judged too: test_verdict_truth.py asks it on every machine of the catalogue, where it must
come to what `firmware_model` comes to.

With SWEEP=all in the environment (`make sweep`) all MACHINES are drawn, and all pairs repaired.
"""
import re
import subprocess

import pytest

import damage
from conftest import tool
from devicepath import END, LoadOption
from serve import Server
from sweep import EVERY, NOT_TAKEN_BACK, REPAIR, allowances

MACHINES = 10000
PIECE = 250                          # machines of one test
SAMPLE = 6                           # one piece in so many is drawn, unless all are
CHECKED = 40                         # machines under the sanitizers
PIECES = range(1, MACHINES + 1, PIECE if EVERY else PIECE * SAMPLE)
CASES = {case.name: case for case in damage.all_cases() if case.name not in NOT_TAKEN_BACK}


def drawn(program, first, count):
    """Repairs machines drawn at random; gives how many."""
    done = subprocess.run([program, '-first', str(first), '-count', str(count), *allowances()],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=600, check=False)
    said = done.stdout.decode(errors='replace')
    assert done.returncode == 0, said
    machines, changed, starts = map(int, re.search(
        r'^machines (\d+) changed (\d+) starts (\d+) ', said, re.M).groups())
    assert min(changed, starts) > machines / 2, 'there is too little to be broken'
    return machines


@pytest.mark.parametrize('first', PIECES)
def test_no_repair_of_a_drawn_machine_breaks_what_it_must_keep(first, record_property):
    record_property('machines drawn', drawn(tool('sweep'), first, PIECE))


def test_repairs_of_drawn_machines_please_the_sanitizers(record_property):
    record_property('machines drawn', drawn(tool('sweep', checked=True), MACHINES + 1, CHECKED))


@pytest.mark.parametrize('name', CASES)
def test_no_repair_of_a_damage_breaks_what_it_must_keep(name, bases, tmp_path, repairs):
    case = CASES[name]
    setup = bases(case.base).copy(tmp_path / 'case')
    case.apply(setup)
    done = repairs.run(setup, *REPAIR)
    assert done.status == 0, done.text


# What is broken is told: by commands that do it.

BREAKING = {
    'start: alone: starts, then fails': ('delete', '-y', '2'),
    'own entries: deleted': ('delete', '-y', '1'),
    'again: variables': ('order', '-y', '3'),
}


@pytest.mark.parametrize('kind', BREAKING)
def test_what_a_command_breaks_is_told(kind, bases, tmp_path):
    """Entries 1 to 3 of the list are firmware's own, that of Disk 0 and that of Disk 1."""
    setup = bases('mirror').copy(tmp_path / 'case')
    damage.apply(setup, 'esp 0 delete /EFI/BOOT/BOOTX64.EFI')
    setup.set_entry(7, LoadOption('RC', END))
    setup.set_order([7, 0, 1])
    with Server(tool('sweep'), '-images') as server:
        done = server.run(setup, *BREAKING[kind])
    assert done.status and kind in done.text, done.text
