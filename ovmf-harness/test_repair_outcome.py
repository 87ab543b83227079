"""What `repair` leaves: every case of tests/repair is repaired, and what is there then is judged.

By `firmware_model`, which shares nothing with the program: each disk starts alone at
least as well as before, and as the plan has promised; a second run finds nothing to do and changes
nothing; `undo` gives back every byte that was in use. What a finding advises is true: where it names
`repair`, the repair makes it go away, or says that it does not. A case that states its outcome (damage.py) has
to come to exactly that.

Those that state one and a sample of all are repaired here, with `make sweep` all of them; test_sweep.py judges
all in every run, in one process and by its own model. Where an advice is followed, under the sanitizers.
"""
import csv
import io
import re
import tempfile
import uuid
from pathlib import Path

import pytest

import damage
import firmware_model
import gpt
import mirror
import repaired
from fat import Volume
from sweep import EVERY

CASES = {case.name: case for case in damage.all_cases()}
REPAIR = ['repair', '-y', '-format', '-msr', '-bitlocker']
RANK = {'starts': 3, 'fallback': 2, 'perhaps': 2, 'unsure': 1, 'unknown': 1, 'fails': 0}
# What the program may promise or say where the model has come to a conclusion.
ALLOWED = {'starts': {'starts', 'unknown'}, 'fallback': {'fallback', 'unknown', 'perhaps'},
           'perhaps': {'perhaps', 'fallback'}, 'fails': {'fails', 'unknown', 'perhaps'},
           'unsure': {'fails', 'unknown'}}
# What `repair` ends with when it has done what could be done, or has nothing to go by.
STATUSES = {0, 10, 14, 64, 65, 66, 67, 68, 69}
UNMENDED = 'cannot be mended by this command'
NOTHING = re.compile('Nothing to do|Nothing was changed')
# Firmware does not store what was there, so it does not restore it either.
NOT_UNDONE = {'order-odd-size', 'order-empty'}


def stated(case):
    return (case.repaired or case.repair_status is not None or case.order_after or case.entries_after
            or case.repair_says or case.files_after)


def some(step):
    """Names of each so many cases; of all with SWEEP=all."""
    return [name for place, name in enumerate(CASES) if EVERY or place % step == 0]


@pytest.fixture(scope='session')
def stick(folder):
    image = folder / 'stick.img'
    repaired.make_stick(image)
    return image


@pytest.fixture
def machine(folder, bases, stick):
    """The machine of a case, to be repaired."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        def made(case):
            setup = bases(case.base).copy(Path(name) / 'machine')
            case.apply(setup)
            return repaired.Repaired(setup, name, stick)
        yield made


def rows(run, table):
    """The rows of a table in the output of -sfo, without its name."""
    return [row[1:] for row in csv.reader(io.StringIO(run.text)) if row and row[0] == table]


def outcomes(machine):
    """{printed number: verdict} of the model."""
    setup = machine.setup
    return {setup.printed(index): outcome.verdict for index, outcome in firmware_model.model(setup).items()}


def worse(before, after):
    return [f'Disk {number}: {before[number]}, then {after[number]}' for number in before
            if RANK[after[number]] < RANK[before[number]]]


def firmware_entries(setup):
    """Entries that lead to no disk of ours: they are the firmware's own affair."""
    found = {}
    for name in setup.variables:
        number = re.fullmatch('Boot([0-9A-F]{4})', name)
        if not number:
            continue
        try:
            option = setup.entry(int(number[1], 16))
            if not firmware_model.is_firmware_file(firmware_model.split(option.path)):
                continue
        except (LookupError, ValueError):
            continue
        found[name] = setup.variables[name]
    return found


@pytest.mark.parametrize('name', some(8))
def test_repair_leaves_no_disk_worse_off(name, machine):
    case = CASES[name]
    box = machine(case)
    before, state, own = outcomes(box), box.state(), firmware_entries(box.setup)
    first = box.run(*REPAIR, '-sfo', program=mirror.bare())
    assert first.status in STATUSES, first.text
    after, done = outcomes(box), box.state()
    assert not worse(before, after), first.text
    assert own.items() <= box.setup.variables.items(), first.text
    for number, verdict, *_ in rows(first, 'PromiseInfo'):
        assert verdict in ALLOWED[after[int(number)]] or int(number) not in after, first.text
    for number, verdict, *_ in rows(first, 'VerdictInfo'):
        promised = {row[0]: row[1] for row in rows(first, 'PromiseInfo')}.get(number, verdict)
        assert promised == verdict, first.text
    again = box.run(*REPAIR, program=mirror.bare())
    assert NOTHING.search(again.text) and box.state().same(done), again.text
    if not done.same(state) and name not in NOT_UNDONE:
        undone = box.run('undo', '-y', program=mirror.bare())
        assert undone.status == 0 and not box.left_behind(state), undone.text


def esp_of(setup, number):
    """The ESP of a disk, by its printed number, as the table has it now; None without one."""
    index = next(each for each in setup.present() if setup.printed(each) == number)
    disk = setup.disk(index)
    return next(((disk, part) for part in repaired.table(disk) if part.type == gpt.ESP), None)


def entry_of(setup, number):
    """(disk whose ESP it names, file, description) of an entry."""
    option = setup.entry(number)
    for index in setup.present():
        found = esp_of(setup, setup.printed(index))
        if found and uuid.UUID(found[1].guid).bytes_le == option.hd.signature:
            return setup.printed(index), option.file, option.description
    return None, option.file, option.description


def has_file(setup, number, name):
    disk, part = esp_of(setup, number)
    size = (part.last - part.first + 1) * disk.block_size
    return Volume(disk.image, part.first * disk.block_size, size, disk.block_size).exists(name)


@pytest.mark.parametrize('name', [name for name, case in CASES.items() if stated(case)])
def test_repair_comes_to_the_stated_outcome(name, machine):
    case = CASES[name]
    box = machine(case)
    first = box.run(*REPAIR, program=mirror.bare())
    for words in case.repair_says:
        assert words in first.text, first.text
    if case.repaired:
        assert outcomes(box) == case.repaired, first.text
    if case.repair_status is not None:
        assert first.status == case.repair_status, first.text
    if case.order_after is not None:
        assert box.setup.order() == case.order_after, first.text
    for number, expected in case.entries_after.items():
        assert entry_of(box.setup, number) == expected, first.text
    for number, file, there in case.files_after:
        assert has_file(box.setup, int(number), file) == there, f'{file} on Disk {number}\n{first.text}'


def advised():
    """Findings whose advice names `repair`: as the program's own table has them."""
    source = ''.join(path.read_text() for path in (mirror.ROOT / 'efi/audit').glob('finding*.c'))
    macros = dict(re.findall(r'#define (\w+)((?:.*\\\n)*.*)', source))
    found = set()
    for name, rest in re.findall(r'SEVERITY_[A-Z]+,\s*"([a-z0-9-]+)",((?:.|\n)*?)\}', source):
        words = rest + ''.join(text for macro, text in macros.items() if re.search(rf'\b{macro}\b', rest))
        if re.search(r'\brepair\b', words):
            found.add(name)
    return found


# The entry that is found stays when the repair has made others, which is what the advice says; on a machine
# without Windows the advice for the removable-media file is another one.
STAYING = {'entry-file-only', 'fallback-missing'}
ADVISED = advised() - STAYING


def test_findings_that_advise_a_repair_are_known():
    assert {'esp-empty', 'esp-no-entry', 'esp-missing'} <= ADVISED


@pytest.mark.parametrize('name', [name for name in some(5)
                                  if {finding for finding, _ in CASES[name].finds} & ADVISED])
def test_advice_to_repair_is_true(name, machine):
    box = machine(CASES[name])
    first = box.run(*REPAIR)
    left = [(row[0], row[2]) for row in rows(box.run('status', '-sfo'), 'FindingInfo') if row[0] in ADVISED]
    said = first.text if UNMENDED in first.text else ''.join(re.findall('Note: .*', first.text))
    for finding, place in left:
        disk = re.match(r'Disk \d+', place)
        told = UNMENDED in said or (disk[0] in said if disk else said)
        assert told, f'{finding} @ {place} is left without a word\n{first.text}'
