"""shadowboot standing by: unattended starts of damaged machines, without firmware (unattended.py).

What firmware does up to it and what becomes of what it starts is `firmware_model`'s part. The machine has
shadowboot on both ESPs and, for the catalogue, no entry of Windows' for the shadow, so that most damages
of the primary come to it.
"""
import os
import re
import tempfile
from pathlib import Path

import damage
import firmware_model
import gpt
import mirror
import pytest
import repaired
import reports
from conftest import required
from test_repair_cuts import SEEDS, cut_all, writes
from test_repair_outcome import RANK, outcomes
from unattended import AWAY, GUARD, NOTHING, OWN, PASSES, REPORT, STARTED, STOPPED, WAITS, Unattended

CASES = {case.name: case for case in damage.all_cases()}
# What each has to come to: by shadowboot, on which disk; or a person is waited for.
STARTS = {
    'no-entry-for-primary': 0, 'both-entries-inactive': 0, 'primary-entry-path-broken': 0,
    'primary-bootmgr-missing': 0, 'primary-bootmgr-empty': 0, 'primary-bootmgr-chain-short': 0,
    'primary-bootmgr-unreadable': 0, 'primary-esp-no-microsoft': 0, 'primary-esp-boot-sector-zero': 0,
    'primary-esp-few-clusters': 1, 'primary-esp-missing': 1, 'primary-esp-one-fat': 1, 'primary-esp-unformatted': 1,
    'primary-gone': 1, 'primary-gpt-both-flipped': 1, 'shadow-alone-store-of-primary': 1,
    'primary-gone-shadow-no-store': 1, 'shadow-alone-no-manager': 1,
    'shadow-alone-manager-is-shim': 1,
    'both-esps-no-microsoft': 0,                                    # from what Windows keeps
}
WAITING = ['both-esps-no-microsoft+both-windows-missing']
# Of these firmware starts something itself, or does not get so far; nothing may become worse.
OTHERS = [
    'healthy', 'shadow-gone', 'nvram-wiped', 'order-empty', 'order-missing', 'order-odd-size', 'order-repeats',
    'order-names-absent', 'order-names-only-absent', 'no-entry-for-shadow', 'bitlocker', 'both-bootmgrs-zero-cluster',
    'both-stores-missing', 'both-esps-missing', 'both-windows-missing', 'primary-bootmgr-zero-cluster',
    'primary-store-missing', 'primary-store-of-shadow', 'stores-crossed', 'stores-nowhere', 'old-shadow',
    'plex-failed', 'plex-stale', 'primary-plex-stale', 'shadow-esp-empty', 'shell-first', 'memory-test-first',
    'entry-of-gone-disk', 'esp-guids-equal', 'shadow-is-dd-copy', 'shadow-store-missing', 'primary-fallback-corrupt',
    'shadow-bootmgr-newer', 'databases-differ',                     # the primary has come back, and is older
]
ASKS = re.compile(r'\[y/N\]')


@pytest.fixture(scope='module')
def program():
    return required('SHADOWBOOT_EFI', 'build/shadowbootx64.efi')


@pytest.fixture(scope='module')
def standing_by(folder, bases, program):
    """The healthy machine on which it is installed, and a stick."""
    stick = folder / 'night-stick.img'
    repaired.make_stick(stick)
    place = folder / 'night'
    place.mkdir()
    box = Unattended(bases('mirror'), place, stick, program)
    done = box.run('install', '-y')
    assert done.status == 0, done.text
    return box


@pytest.fixture
def night(folder, standing_by, program):
    """A copy of it, perhaps damaged, perhaps without the entry for the shadow."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        def made(case=None, shadow_entry=True):
            setup = standing_by.setup.copy(Path(name) / 'machine')
            for each in case.split('+') if case else ():
                CASES[each].apply(setup)
            if not shadow_entry and 'Boot0001' in setup.variables:
                del setup.variables['Boot0001']
                if 'BootOrder' in setup.variables:
                    setup.set_order([number for number in setup.order() if number != 1])
            return Unattended(setup, name, standing_by.stick, program)
        yield made


def kept(box):
    """Names of the variables that survive the power."""
    return sorted(name for name, (attributes, _) in box.setup.variables.items() if attributes & 1)


def esp_file(box, index, name):
    return box.setup.volume(index).get(f'/EFI/shadowboot/{name}')


VARIABLE = '{7b6f3a52-4f0e-4d0b-9c1e-5ad0b007c0de}/ShadowbootJournal'


def run_place(setup, index, name):
    """Options: the program was started from a file of that disk's ESP."""
    return ['--self', f'{setup.disks[index].position}:{setup.disks[index].parts["esp"].number}', '--program', name]


def run_from_disk(box, *words, index=0, name='\\shadowboot.efi'):
    """From a file of the machine's own, without a stick."""
    setup = box.setup
    options = setup.host_options()
    at = options.index('--vars')
    done = setup.run(*words, options=[*options[:at], *run_place(setup, index, name), *options[at:]])
    setup.variables = repaired.read_variables(setup.folder / 'variables.txt')
    return done


def test_it_is_installed_from_an_esp_of_the_mirror_itself(bases, standing_by, folder, program):
    """The most usual first time: the program was copied to FS0:, and nobody has a stick."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        box = Unattended(bases('mirror'), name, standing_by.stick, program)
        box.setup.volume(0, change=True).put('/shadowboot.efi', box.image)
        bare = box.state()
        done = run_from_disk(box, 'install', '-y')
        assert done.status == 0 and '(journal NVRAM:ShadowbootJournal)' in done.text, done.text
        assert len(box.setup.variables[VARIABLE][1]) < 2048
        for index in (0, 1):
            assert box.setup.volume(index).get(OWN) == box.image
            box.setup.volume(index).fsck()
        assert box.setup.order() == [0, 1, 2, 3]
        assert 'Nothing to do' in run_from_disk(box, 'install', '-y').text
        undone = run_from_disk(box, 'undo', '-y')
        assert undone.status == 0 and not box.left_behind(bare), undone.text
        assert VARIABLE not in box.setup.variables
        assert run_from_disk(box, 'undo', '-y').status == 14
        assert run_from_disk(box, 'install', '-y').status == 0
        installed = box.state()
        assert run_from_disk(box, 'install', '-remove', '-y').status == 0
        assert len(box.setup.variables[VARIABLE][1]) < 2048
        assert not box.setup.volume(1).exists('/EFI/shadowboot')
        assert run_from_disk(box, 'undo', '-y').status == 0
        assert [name for name in box.left_behind(installed)] == [VARIABLE]


@pytest.mark.parametrize('name', [*STARTS, *WAITING, *OTHERS])
def test_damaged_machine_starts_or_waits_and_is_never_worse(name, night):
    box = night(name, shadow_entry=False)
    before = outcomes(box)
    course = box.power_on()
    told = '\n'.join([*course.texts, *course.trace])
    if name in STARTS:
        assert (course.end, course.disk) == (STARTED, STARTS[name]) and course.statuses == [AWAY], told
    elif name in WAITING:
        assert course.end == WAITS and 'Nothing could be started.' in told, told
        assert all(status not in (0, AWAY) for status in course.statuses)       # firmware is told of no success
    else:
        assert course.end in (STARTED, STOPPED, NOTHING) and len(course.texts) <= 1, told
        assert course.end != STOPPED or not course.texts, told
    assert not ASKS.search(told)
    after = outcomes(box)
    assert not [number for number in before if RANK[after[number]] < RANK[before[number]]], told
    again = box.power_on()
    assert again.end == course.end, told + '\n'.join(again.texts)
    assert course.end != STARTED or len(again.texts) <= len(course.texts)


def test_healthy_machine_never_comes_to_it_and_pulled_disks_come_back_ten_times(night):
    box = night(shadow_entry=False)
    disk, entries = box.setup.disks[0], None
    for _ in range(10):
        box.setup.disks[0] = disk
        course = box.power_on()
        assert (course.end, course.disk, course.texts) == (STARTED, 0, [])
        box.setup.disks[0] = None
        course = box.power_on()
        assert (course.end, course.disk) == (STARTED, 1), course.texts
        entries = entries or kept(box)
        assert kept(box) == entries
    named = [box.setup.variables[name] for name in entries if re.fullmatch('Boot[0-9A-F]{4}', name)]
    assert len(named) == len(set(named)) == 4                       # nothing is there twice


def test_reports_are_left(night):
    box = night(shadow_entry=False)
    box.setup.disks[0] = None
    course = box.power_on()
    log = esp_file(box, 1, 'last.log').decode()
    assert log.startswith('=== shadowboot 2026-11-20') and 'Starting from Disk 0 by Boot0001' in log
    assert reports.read(esp_file(box, 1, 'last.json'))['firmware']
    attributes, summary = box.setup.variables[REPORT]
    assert attributes == 6 and b'outcome=start\n' in summary and b'starts=1\n' in summary
    assert [event[0] for event in course.events] == ['load', 'start']


def test_own_esp_takes_the_journal_of_another_disks_format(night):
    """Both ESPs are to be mended: one after the other, or no journal had a place."""
    box = night('primary-esp-unformatted', shadow_entry=False)
    esp = box.setup.volume(1, change=True)
    esp.delete('/EFI/BOOT')
    esp.put('/EFI/shadowboot/shadowboot.conf', b'allow-format = yes\n')
    course = box.power_on()
    assert course.end == STARTED and 'There is no place' not in course.texts[0], course.texts
    assert box.setup.volume(0).exists('/EFI/Microsoft/Boot/bootmgfw.efi')


@pytest.mark.parametrize('allowed', [[], ['format'], ['msr'], ['format', 'msr']], ids='+'.join)
def test_partitions_are_changed_where_the_settings_say_so_and_nowhere_else(allowed, night):
    """The primary's ESP is gone, and no space is free but the reserved partition."""
    box = night()
    damage.apply(box.setup, 'gpt 0 delete esp')
    damage.apply(box.setup, 'gpt 0 fill')
    box.setup.set_order([2, 3])                                     # shadowboot, also where Windows has an entry
    settings = ''.join(f'allow-{what} = yes\n' for what in allowed)
    box.setup.volume(1, change=True).put('/EFI/shadowboot/shadowboot.conf', settings.encode())
    before = {(part.first, part.type) for part in firmware_model.partitions(box.setup.disk(0))}
    course = box.power_on()
    assert course.end == STARTED and not ASKS.search(''.join(course.texts)), course.texts
    after = {(part.first, part.type) for part in firmware_model.partitions(box.setup.disk(0))}
    if len(allowed) < 2:
        assert after == before and course.disk == 1, course.texts
    else:
        assert [kind for _, kind in before - after] == [gpt.MSR] and gpt.ESP in [kind for _, kind in after - before]
        assert not gpt.complaints(box.setup.disk(0).image) and course.disk == 0, course.texts


def test_no_report_goes_onto_half_of_an_array(bases, standing_by, program, tmp_path):
    """shadowboot was put there from Linux, through the array: both halves have it."""
    setup = bases('mdesp').copy(tmp_path / 'machine')
    for index in (0, 1):
        setup.volume(index, change=True).put(OWN, program)
    box = Unattended(setup, tmp_path, standing_by.stick, program)
    before = [repaired.image_pages(box.setup.disk(index).image) for index in (0, 1)]
    run, events = box.run_unattended(0, box.setup.disk(0).parts['esp'].number, OWN, 0)
    assert run.status == AWAY and [event[0] for event in events] == ['load', 'start'], run.text
    assert [repaired.image_pages(box.setup.disk(index).image) for index in (0, 1)] == before
    assert REPORT in box.setup.variables


def test_settings_decide(night):
    box = night('primary-gone', shadow_entry=False)
    settings = box.setup.volume(1, change=True)
    settings.put('/EFI/shadowboot/shadowboot.conf', b'mode = report\nreport = json\nmood = bad\n')
    names = kept(box)
    course = box.power_on()
    assert course.end == STARTED and course.events == [] and course.statuses == [PASSES], course.texts
    assert 'Line 3' in course.texts[0] and 'no such key: "mood"' in course.texts[0]
    assert kept(box) == names
    assert box.setup.volume(1).exists('/EFI/shadowboot/last.json')
    assert not box.setup.volume(1).exists('/EFI/shadowboot/last.log')
    settings.put('/EFI/shadowboot/shadowboot.conf', 'mode = start\r\n'.encode('utf-16'))
    assert box.power_on().end == STARTED


def test_settings_that_cannot_be_read_hold_no_machine(night):
    """A cluster of zeros, as a file system leaves it behind when the power fails. Nobody presses a key: the program's
    copy on the other disk is the next entry, and its own settings count. Where they are no better, firmware goes the way it
    would go without the program."""
    box = night('primary-bootmgr-missing', shadow_entry=False)
    for index in (0, 1):
        box.setup.volume(index, change=True).put('/EFI/shadowboot/shadowboot.conf', bytes(512))
    before, names = repaired.image_pages(box.setup.disk(0).image), kept(box)
    course = box.power_on()
    assert course.end == STARTED and course.disk == 0 and course.statuses == 2 * [PASSES], course.texts
    assert not course.events and 'next boot entry' in course.texts[1]
    assert repaired.image_pages(box.setup.disk(0).image) == before and kept(box) == names
    box.setup.volume(0, change=True).put('/EFI/shadowboot/shadowboot.conf', b'mode = start\n')
    course = box.power_on()
    assert course.end == STARTED and course.disk == 0 and course.statuses == [PASSES, AWAY], course.texts


def test_boot_manager_that_comes_back_gives_way_to_the_next(night):
    box = night('primary-entry-path-broken', shadow_entry=False)
    box.answers = ['load:15', 'start:14']
    course = box.power_on()
    assert course.end == STARTED and [event[0] for event in course.events] == ['load', 'load', 'start', 'load', 'start']
    assert 'Secure Boot refuses it (error 15).' in course.texts[0]
    assert 'It came back with error 14' in course.texts[0]
    box = night('primary-entry-path-broken', shadow_entry=False)
    box.answers = ['start:0'] * 16
    course = box.power_on()
    assert course.end == WAITS and 'came back without an error' in course.texts[0]
    assert course.statuses[0] not in (0, AWAY)


def test_after_three_starts_in_a_row_a_person_is_waited_for(night):
    box = night('primary-esp-missing', shadow_entry=False)
    del box.setup.variables['Boot0000']                             # nothing else is ever started
    ends = []
    for minute in range(5):
        box.date = f'2026-11-20T03:{minute:02}:00'
        keep = dict(box.setup.variables)
        course = box.power_on()
        ends.append(course.end)
        box.setup.variables = {**keep, **{GUARD: box.setup.variables[GUARD]}}
        assert not ASKS.search(''.join(course.texts))
    assert ends == [STARTED] * 3 + [WAITS] * 2, course.texts        # nobody has come: it goes on waiting
    assert 'started 3 times in a row' in course.texts[0]
    assert 'waits for you now' in esp_file(box, 1, 'last.log').decode()
    box.date = '2026-11-20T04:30:00'
    assert box.power_on().end == STARTED


def test_a_key_leads_to_a_person(night):
    box = night('primary-gone', shadow_entry=False)
    box.keys = ['x']
    course = box.power_on()
    assert course.end == WAITS and course.events == [] and course.statuses == [21], course.texts


def test_bitlocker_with_a_tpm_is_started_by_a_reset(night):
    box = night('bitlocker')
    del box.setup.variables['Boot0000']
    box.setup.set_order([2, 3, 1])                                  # shadowboot first: by a user's choice
    box.tpm = True
    before = {index: repaired.image_pages(box.setup.disk(index).image) for index in (0,)}
    course = box.power_on()
    assert course.resets == 1 and [event[0] for event in course.events] == ['reset'], course.texts
    assert not box.setup.variables.get('BootNext')
    assert {0: repaired.image_pages(box.setup.disk(0).image)} == before, 'what BitLocker measures was changed'
    box.tpm = False                                                 # nobody measures
    assert [event[0] for event in box.power_on().events] == ['load', 'start']


def test_installing_again_mends_and_taking_it_back_leaves_nothing(night):
    box = night()
    box.setup.volume(1, change=True).delete('/EFI/shadowboot/shadowbootx64.efi')
    del box.setup.variables['Boot0003']
    box.setup.set_order([0, 1, 2])
    said = box.run('status').text
    assert "The entry is shadowboot's own, and its file is not" in said and 'No boot entry leads to the shadowboot' in said
    assert box.run('install', '-y').status == 0
    assert 'shadowboot 0.1.0' in box.run('status').text
    assert 'Nothing to do' in box.run('install', '-y').text
    for index in (0, 1):
        assert box.setup.volume(index).get(OWN) == box.image
        box.setup.volume(index).fsck()
    assert box.run('install', '-remove', '-y').status == 0
    assert sorted(name for name in box.setup.variables if name.startswith('Boot0')) == ['Boot0000', 'Boot0001']
    for index in (0, 1):
        assert not box.setup.volume(index).exists('/EFI/shadowboot')
        box.setup.volume(index).fsck()


def test_what_is_taken_off_comes_back_to_the_first_byte(bases, standing_by, folder, program):
    with tempfile.TemporaryDirectory(dir=folder) as name:
        box = Unattended(bases('mirror'), name, standing_by.stick, program)
        box.setup.volume(1, change=True).delete('/EFI/BOOT/BOOTX64.EFI')      # a place for it, and a folder that goes
        bare = box.state()
        assert box.run('install', '-y').status == 0
        assert box.setup.volume(1).get('/EFI/BOOT/BOOTX64.EFI') == box.image
        installed = box.state()
        assert box.run('install', '-remove', '-y').status == 0
        assert not box.setup.volume(1).exists('/EFI/BOOT')
        for index in (0, 1):
            assert not box.setup.volume(index).exists('/EFI/shadowboot')
            box.setup.volume(index).fsck()
        assert 'Nothing to do' in box.run('install', '-remove', '-y').text
        for state in (installed, bare):
            undone = box.run('undo', '-y')
            assert undone.status == 0 and not box.left_behind(state), undone.text


def test_folder_stays_with_what_is_not_the_programs(night):
    box = night()
    box.setup.volume(0, change=True).put('/EFI/shadowboot/shadowboot.conf', b'mode = start\n')
    before = box.state()
    assert box.run('install', '-remove', '-y').status == 0
    assert box.setup.volume(0).list('/EFI/shadowboot') == ['/EFI/shadowboot/shadowboot.conf']
    box.setup.volume(0).fsck()
    assert box.run('undo', '-y').status == 0 and not box.left_behind(before)


# Which way it is done: from a stick, or from a file on the primary's ESP, where the journal has no place but a variable.
PLACES = {'stick': [], 'esp': ['--stick', 'off']}


@pytest.mark.parametrize('undo', ['off', 'on'], ids=['itself', 'undo'])
@pytest.mark.parametrize('place', PLACES)
@pytest.mark.parametrize('words', [['install'], ['install', '-remove']], ids=' '.join)
def test_putting_it_on_and_taking_it_off_survive_power_cuts(words, place, undo, bases, night, folder, program,
                                                            record_property):
    """At every write, and so does taking that back, at one in four (at each with CUTS=all)."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        setup = night().setup if '-remove' in words else bases('mirror').copy(Path(name) / 'machine')
        case, own = f'{" ".join(words)} from {place}', ['--image', str(program)]
        if place == 'esp':
            setup.volume(0, change=True).put('/shadowboot.efi', program.read_bytes())
            own = run_place(setup, 0, '\\shadowboot.efi')
        options = ['--seeds', str(SEEDS), *PLACES[place], *own]
        if undo == 'on':
            options += ['--undo', 'on', *writes(case)]
        cut = cut_all(setup, case, options, [*words, '-y'], record_property)
        assert (cut['changed'], cut['status']) == (1, 0)


def test_disk_that_is_left_out_is_told_by_words_and_status(bases, standing_by, folder, program):
    """A damaged ESP, then one without room."""
    for case, status, words in (('shadow-esp-unformatted', 15, '"shadowboot repair" mends it'),
                                (None, 9, 'Make room there')):
        with tempfile.TemporaryDirectory(dir=folder) as name:
            box = Unattended(bases('mirror'), name, standing_by.stick, program)
            if case:
                CASES[case].apply(box.setup)
            else:
                esp = box.setup.volume(1, change=True)
                esp.put('/full', bytes(int(esp.free()) - 100 * 1024))
            done = box.run('install', '-y')
            flat = ' '.join(done.text.split())
            assert done.status == status and 'Disk 1 Partition 1' in flat and words in flat, done.text
            assert box.setup.volume(0).get(OWN) == box.image
            assert box.run('install', '-y').status == status             # also when nothing more can be done


def test_thousand_starts_leave_the_store_as_small_as_the_first(night):
    """With STARTS=1000 in the environment so many run; the suite is content with a hundred."""
    box = night('primary-gone', shadow_entry=False)
    box.power_on()
    box.setup.set_order([2, 0, 1])                                  # it is reached at every start
    sizes = set()
    for number in range(int(os.environ.get('STARTS', 100))):
        box.date = f'2026-11-{number // 96 + 1:02}T{number // 4 % 24:02}:{number % 4 * 15:02}:00'
        course = box.power_on()
        assert course.end == STARTED, course.texts
        sizes.add(sum(len(name) + len(data) for name, (attributes, data) in box.setup.variables.items()
                      if attributes & 1))
    assert len(sizes) == 1


def test_settings_of_the_stick_are_understood_with_all_that_is_commented_out(night):
    box = night(shadow_entry=False)
    text = (mirror.ROOT / 'efi/stick/shadowboot.conf').read_text(encoding='ascii')
    lines = [line[1:] if re.match('#[a-z-]+ =', line) else line for line in text.splitlines()]
    box.setup.volume(0, change=True).put('/EFI/shadowboot/shadowboot.conf', '\n'.join(lines).encode())
    options = box.setup.host_options()
    place = box.setup.disks[0].parts['esp'].number
    done = box.setup.run('config', options=[*options, '--self', f'0:{place}'])
    assert done.status == 0 and 'by default' not in done.text and 'Line' not in done.text, done.text
    assert re.search(r'mode +menu +line 8', done.text), done.text
