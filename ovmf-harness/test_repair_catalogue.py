"""The damage catalogue: every case of tests/repair by itself, and every two damages of one machine at once.

By itself a damage has to give exactly the findings, verdicts and exit status that its case names; the
language of the cases is explained in damage.py. Two at once must end with a status that is documented,
without a word from a sanitizer, in time, and must not promise more for a disk than either alone:
starting is better than starting through the fallback file or perhaps, and that is better than anything else.

Cases that say `like: other` are left out of the pairs: the other one stands for them. Of the pairs that
are left, PAIRS_MAX are tried, always the same. With CATALOGUE_PAIRS=all in the environment all cases
take part, in all pairs (and it takes some five times as long).
"""
import csv
import hashlib
import os
import re
import tempfile
import zlib
from itertools import combinations
from pathlib import Path

import damage
import mirror
import pytest
from sweep import EVERY, NOT_TAKEN_BACK, REPAIR

DOCUMENTED = {0, 10, 64, 65, 66, 67, 68, 69}
RANK = {'starts': 2, 'fallback': 1, 'perhaps': 1, 'fails': 0, 'unknown': 0}
CASES = {case.name: case for case in damage.all_cases()}
# New cases are tried with others in the place of some of these; each with a dozen others.
PAIRS_MAX = 2000
# One in so many pairs is tried under the sanitizers, and one in so many is repaired (see test_sweep.py).
CHECKED_PAIRS = 8
REPAIRED_PAIRS = 1 if EVERY else 5
# How one can ask beside `status -sfo`, by which each case is judged.
WAYS = (['status'], ['status', '-quick', '-sfo', '-json', 'STICK:\\a'], ['status', '-v', '-sfo'],
        ['status', '-json', 'STICK:\\a'])
# What the host program cannot be made to meet: firmware whose variables cannot be listed or read.
NOT_ON_HOST = {'variables-unreadable', 'variables-repeated', 'order-unreadable'}

# Not from one damage to a machine of the catalogue, which has no Secure Boot and was never installed on;
# where they are told, and that they are not told without a reason.
TOLD_ELSEWHERE = {
    'tests/unit/test_audit.c': {'entries-unknown', 'variables-in-file'},
    'tests/unit/test_audit_esps.c': {'esp-newer-than-windows', 'esp-older-than-windows', 'esp-secure-at-risk',
                                     'esp-secure-refused', 'esp-secure-unknown', 'esp-secure-would-refuse'},
    'ovmf-harness/test_repair_windows_own.py': {'secure-boot-unknown'},
    'tests/unit/test_install.c': {'install-file-gone', 'install-missing', 'install-no-entry', 'install-older'},
}

# Pairs that may be better than one of the two alone, as patterns, in any order: (one, other). They must
# still not be better than both.
EXCEPTIONS = [
    # What one disk says makes the other one doubtful, and now that disk says nothing any more.
    ('databases-differ|transaction-pending-on-one|shadow-is-dd-copy|third-disk-is-copy',
     'plex-stale|shadow-database-(gone|header-zero)|shadow-disk-unreadable|shadow-gpt-both-zero'
     '|shadow-table-of-4096-bytes|(primary|shadow)-gone'),
    # A boot manager that firmware starts and that then stops the machine is not reached any more, or is
    # refused now; the fallback file is whole.
    ('(primary|shadow)-bootmgr-zero-cluster',
     'file-only-entry|nvram-wiped|order-missing|esp-guids-equal|primary-bootmgr-unreadable|primary-entry-path-broken'
     '|shadow-bootmgr-(chain-broken|empty)'
     '|shadow-entry-(elsewhere|gone-partition|inactive|not-in-order|wrong-file)'),
    # The store that starts nothing, or another disk, has given way to one with an unfinished write.
    ('shadow-store-dirty-with-log', '(shadow-)?stores?-.*'),
    # The entry that told shim to start something else is gone.
    ('debian-firmware-updater-first', 'debian-nvram-wiped'),
    # What stood first stood in an order that is gone.
    ('shell-first|diagnostics-first|unknown-program-first', 'order-missing|nvram-wiped'),
    # The firmware's own entries for whole disks are a way to start as well.
    ('firmware-ami-entries', '.*'),
]


def candidates():
    """The cases that are tried with each other, by base."""
    every = os.environ.get('CATALOGUE_PAIRS') == 'all'
    bases = {}
    for case in CASES.values():
        if case.do and (every or not case.like):
            bases.setdefault(case.base, []).append(case)
    return bases


def lot(one, other):
    """A number for a pair that has nothing to do with what it is."""
    return hashlib.sha1(f'{one.name} {other.name}'.encode()).digest()


def chosen_pairs():
    """{name of a case: the cases that are tried with it}, each pair once."""
    pairs = [pair for cases in candidates().values() for pair in combinations(cases, 2)]
    if os.environ.get('CATALOGUE_PAIRS') != 'all':
        pairs = sorted(pairs, key=lambda pair: lot(*pair))[:PAIRS_MAX]
    chosen = {}
    for one, other in sorted(pairs, key=lambda pair: (pair[0].name, pair[1].name)):
        chosen.setdefault(one.name, []).append(other)
    return chosen


PAIRS = chosen_pairs()


@pytest.fixture
def place(folder):
    """A folder for one test."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        yield Path(name)


class Told:
    """What a run of `status -sfo` says."""

    def __init__(self, run):
        self.text, self.status = run
        self.findings, self.verdicts, self.codes = [], {}, {}
        for row in csv.reader(line for line in self.text.splitlines() if re.match('[A-Za-z]+Info,"', line)):
            if row[0] == 'FindingInfo':
                self.findings.append((row[1], row[3]))
            elif row[0] == 'VerdictInfo':
                self.verdicts[int(row[1])] = row[2]
                self.codes.update({int(row[1]): code for code in re.findall('0x[0-9a-f]{8}', ' '.join(row))})

    def trouble(self):
        """What must never happen, whatever the damage."""
        if re.search('Sanitizer|runtime error', self.text):
            return 'a sanitizer complains:\n' + self.text[:3000]
        if self.status not in DOCUMENTED:
            return f'exit status {self.status}:\n' + self.text[-1000:]
        return ''


def lines(items):
    return sorted(f'{name} @ {where}' for name, where in items)


@pytest.mark.parametrize('name', CASES)
def test_damage_is_told_exactly(name, bases, place):
    case = CASES[name]
    setup = bases(case.base).copy(place)
    case.apply(setup)
    told = Told(setup.run('status', '-sfo', program=mirror.bare()))
    assert not told.trouble()
    assert lines(set(told.findings)) == lines(case.finds), told.text
    assert told.verdicts == case.verdicts, told.text
    assert told.codes == case.codes, told.text
    assert told.status == case.status, told.text


@pytest.mark.parametrize('name', CASES)
def test_every_way_to_ask_ends_well(name, bases, place, fast, checked):
    """Each case in one way under the sanitizers, which of them is for its name to say."""
    case = CASES[name]
    setup = bases(case.base).copy(place)
    case.apply(setup)
    for i, words in enumerate(WAYS):
        server = checked if i == zlib.crc32(name.encode()) % len(WAYS) else fast
        told = Told(server.run(setup, *words))
        assert not told.trouble(), words
        if '-quick' not in words:
            assert told.status == case.status, words
        # Stores are read all the same, and the verdict follows them.
        elif 'store' in name:
            assert told.verdicts == case.verdicts, words


def test_every_finding_has_a_case():
    """The list of findings is that of the program's own table."""
    source = ''.join(path.read_text() for path in (mirror.ROOT / 'efi/audit').glob('finding*.c'))
    names = set(re.findall(r'SEVERITY_[A-Z]+,\s*"([a-z0-9-]+)"', source))
    assert len(names) > 60
    covered = {name for case in CASES.values() for name, _ in case.finds}
    for path, told in TOLD_ELSEWHERE.items():
        text = (mirror.ROOT / path).read_text()
        codes = {name: 'FINDING_' + name.upper().replace('-', '_') for name in told}
        assert [name for name in told if name not in text and codes[name] not in text] == []
    assert names - covered == NOT_ON_HOST.union(*TOLD_ELSEWHERE.values())
    assert covered <= names


def test_catalogue_is_large_enough():
    assert len(CASES) >= 65
    assert sum(map(len, PAIRS.values())) >= 1800
    assert all(CASES[case.like].base == case.base for case in CASES.values() if case.like)


class Alone:
    """What one damage makes of a healthy machine; its bytes are not kept."""

    def __init__(self, case, bases, folder):
        with tempfile.TemporaryDirectory(dir=folder) as name:
            setup = bases(case.base).copy(name)
            case.apply(setup)
            self.fingerprint = setup.fingerprint()
            self.ranks = ranks(setup, case.verdicts)

    def rank(self, index):
        """Of a disk that only the other damage put in this one says nothing; one it took out is lost."""
        return self.ranks.get(index, 0 if index < 2 else max(RANK.values()))


def ranks(setup, verdicts):
    """How good the verdict is for each disk as built; a disk of which nothing is said has the lowest."""
    return {index: RANK[verdicts.get(setup.printed(index), 'fails')] for index in setup.present()}


@pytest.fixture(scope='session')
def alone(bases, folder):
    """Each damage by itself, worked out once."""
    known = {}

    def of(case):
        if case.name not in known:
            known[case.name] = Alone(case, bases, folder)
        return known[case.name]
    return of


def both(first, second, start, place, alone):
    """A machine with both damages, or None: `start` has the first of them already."""
    setup = start.copy(place)
    try:
        second.apply(setup)
    except LookupError:
        return None
    if not setup.present() or setup.fingerprint() in (alone(first).fingerprint, alone(second).fingerprint):
        return None
    return setup


def excused(one, other):
    return any(re.fullmatch(a, x) and re.fullmatch(b, y) for a, b in EXCEPTIONS
               for x, y in ((one, other), (other, one)))


def judge(setup, one, other, alone, server):
    """What is wrong with the two at once; empty if nothing is."""
    told = Told(server.run(setup, 'status', '-sfo'))
    if told.trouble():
        return told.trouble()
    most = max if excused(one.name, other.name) else min
    limits = {index: most(alone(case).rank(index) for case in (one, other)) for index in setup.present()}
    better = [index for index, rank in ranks(setup, told.verdicts).items() if rank > limits[index]]
    return ''.join(f'disk {index} as built: promised {told.verdicts}, which is more than'
                   f' {one.verdicts} and {other.verdicts}\n' for index in better)


def is_repaired(one, other):
    """Whether the pair is one of those that are repaired."""
    chosen = lot(one, other)[1] % REPAIRED_PAIRS == 0
    return chosen and not NOT_TAKEN_BACK & {one.name, other.name}


def broken_by_repair(setup, repairs):
    """What a repair does not keep; empty if nothing."""
    done = repairs.run(setup, *REPAIR)
    return f'repaired: {done.text}' if done.status else ''


@pytest.mark.parametrize('name', PAIRS)
def test_two_damages_are_never_better_than_one(name, bases, alone, folder, place, fast, checked,
                                               repairs, record_property):
    first = CASES[name]
    start = bases(first.base).copy(place / 'first')
    first.apply(start)
    tried, wrong = 0, []
    for second in PAIRS[name]:
        with tempfile.TemporaryDirectory(dir=folder) as own:
            setup = both(first, second, start, own, alone)
            if setup is None:
                # The other way round there may be something left to damage.
                turned = bases(first.base).copy(Path(own) / 'turned')
                second.apply(turned)
                setup = both(second, first, turned, Path(own) / 'both', alone)
            if setup is None:
                continue
            tried += 1
            server = checked if lot(first, second)[0] % CHECKED_PAIRS == 0 else fast
            problem = judge(setup, first, second, alone, server)
            if is_repaired(first, second):
                problem += broken_by_repair(setup, repairs)
            if problem:
                wrong.append(f'{first.name} and {second.name}: {problem}')
    record_property('pairs of damages', tried)
    assert not wrong, '\n'.join(wrong)
