"""Every case of the damage catalogue, repaired with the power cut.

The program cut_all (tests/tools/cut_all.c) runs `repair` on the damaged machine in memory again and again
and judges each state that a cut leaves by the invariants of a repair: it starts as before at least, only
the targets have changed, the same command finishes the job, and `undo` gives back what was there. The
same is done for `copy` and `prepare` where they have something to do, and, for one case in each group,
with calls that fail, full stores and too little memory.

Cases of one kind are cut at the same writes. So one of each kind (WHOLE) is cut at every write, the others at
one in STEP, which one is for the case's name to say.

With CUTS=all in the environment every case is cut at every write, there are more fates of the disks' caches,
every case is tried with everything that can fail, and it takes an hour. Which states there are is the same in
every run.
"""
import os
import re
import subprocess
import tempfile
import zlib
from pathlib import Path

import damage
import limits
import mirror
import pytest

CASES = {case.name: case for case in damage.all_cases()}
ALL = os.environ.get('CUTS') == 'all'
SEEDS = 12 if ALL else 2
LIKE_SEEDS = 12 if ALL else 0       # of cases that another one stands for
STEP = 1 if ALL else 4
REPAIR = ['repair', '-y', '-format', '-msr', '-bitlocker']
# What is tried beside `repair`: command and cases.
OTHERS = [
    (['copy', '-y'], ['shadow-esp-no-microsoft', 'shadow-language-missing', 'shadow-bootmgr-truncated',
                      'shadow-store-truncated']),
    (['prepare', '-y', '-format', '-msr', '1'], ['shadow-disk-blank', 'shadow-esp-missing',
                                                 'shadow-esp-missing-no-room', 'shadow-esp-unformatted',
                                                 'shadow-fat-zero']),
    (['rebuild', '-y', '-format', '-msr', '1'], ['both-esps-formatted', 'both-esps-missing']),
    (['rebuild', '-y', '1', '-store'], ['both-stores-missing']),
    (['prepare', '-y', '-gpt', '1'], ['shadow-gpt-backup-zero', 'shadow-disk-grown',
                                      'shadow-no-protective-mbr']),
]
# What `repair` ends with when it did what could be done: the verdict, or that it has nothing to go by.
VERDICTS = {0, 64, 65, 66, 67, 68, 69}
REFUSALS = {10, 14}
# What firmware does not store it does not restore either.
NOT_UNDONE = {'order-odd-size': 'BootOrder could not be written: refused.',
              'order-empty': 'BootOrder could not be written: device error.'}
# One of each kind of work: variables, files, file system, partition, table; what comes from Windows itself.
FAILING = ['shadow-entry-lost', 'shadow-bootmgr-truncated', 'shadow-esp-unformatted', 'shadow-esp-missing',
           'primary-gpt-primary-flipped', 'both-esps-formatted', 'both-esps-missing',
           'primary-bootmgr-not-of-windows']
# Of these any call: which disk the others go by, and what Windows keeps, hang on a few of them.
ANY_CALL = ['primary-bootmgr-not-of-windows']
# One of each kind of work that cases differ by.
WHOLE = {*FAILING, *(name for _, names in OTHERS for name in names), 'nvram-wiped', 'esp-on-third-disk',
         'primary-bootmgr-not-of-windows', 'shadow-store-of-primary-4k', 'shadow-esp-missing-luks', 'debian-nvram-wiped'}


@pytest.fixture
def damaged(folder, bases):
    """The machine of a case, in a folder of its own."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        def machine(case):
            setup = bases(case.base).copy(Path(name) / 'machine')
            case.apply(setup)
            return setup
        yield machine


def cut_all(setup, case, options, command, record_property):
    """Try everything; the figures that the program prints at its end."""
    tools = Path(os.environ.get('SHADOWBOOT_TOOLS', mirror.ROOT / 'build/host/tools'))
    done = limits.run([str(tools / 'cut_all'), '--case', case, *options, *setup.host_options(), '--',
                       *command], 3600, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                      stderr=subprocess.PIPE)
    errors = done.stderr.decode(errors='replace')
    assert done.returncode in (0, 1), errors
    if case in NOT_UNDONE:
        assert NOT_UNDONE[case] in errors
        pytest.skip('firmware refuses to store what was there')
    if done.returncode != 0:
        pytest.fail(errors, pytrace=False)
    figures = {name: int(number) for name, number in re.findall(r'(\w+) (\d+)', done.stdout.decode())}
    record_property('states of interrupted repairs', figures['states'])
    record_property('different ones of them', figures['different'])
    record_property('of them without a look at an ESP or the clock', figures['blind'])
    return figures


def writes(name):
    """At which writes a case is cut: those of cut_all's options."""
    return [] if name in WHOLE else ['--first', str(1 + zlib.crc32(name.encode()) % STEP), '--step', str(STEP)]


@pytest.mark.parametrize('name', CASES)
def test_repair_survives_power_cuts(name, damaged, record_property):
    seeds = LIKE_SEEDS if CASES[name].like else SEEDS
    figures = cut_all(damaged(CASES[name]), name, ['--seeds', str(seeds), *writes(name)], REPAIR, record_property)
    assert figures['status'] in VERDICTS | REFUSALS


@pytest.mark.parametrize('command, name', [(command, name) for command, names in OTHERS for name in names],
                         ids=lambda value: value if isinstance(value, str) else value[0])
def test_other_commands_survive_every_power_cut(command, name, damaged, record_property):
    figures = cut_all(damaged(CASES[name]), name, ['--seeds', str(SEEDS)], command, record_property)
    assert figures['changed'], 'there was nothing to do'


@pytest.mark.parametrize('name', CASES if ALL else FAILING)
def test_repair_survives_what_fails(name, damaged, record_property):
    modes = ['--mode', 'call', '--mode', 'space', '--mode', 'memory', '--pieces', '48']
    step = [] if ALL or name in ANY_CALL else ['--step', '5']
    cut_all(damaged(CASES[name]), name, [*modes, *step], REPAIR, record_property)


def test_cases_that_are_cut_everywhere_are_in_the_catalogue():
    assert WHOLE <= set(CASES)


@pytest.mark.parametrize('name', ['shadow-esp-no-microsoft', 'shadow-alone-store-of-primary',
                                  'shadow-store-of-primary-4k'])
def test_journals_without_a_stick_survive(name, damaged, record_property):
    """They lie on the other ESP then; of a disk that is alone in a variable."""
    options = ['--seeds', str(SEEDS), '--stick', 'off']
    assert cut_all(damaged(CASES[name]), name, options, REPAIR, record_property)['changed']
