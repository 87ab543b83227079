"""The menu: what is on its screens, and that each choice does what it says. Keys are scripted, on the host."""
import re
import subprocess
import uuid
from pathlib import Path

import pytest

import damage
import limits
from fat import Volume
from gpt import ESP, Partition
from machine import Machine
from mirror import bare
from sparse import kept_digest
from terminal import chosen, is_menu, screens

NEVER_READY = ['esp 1 empty', 'entry 1 delete']      # what was done to Disk 1
STICK = [Partition(ESP, 2048, 100000, '5ad0b007-0000-4000-8000-000000000001')]
ESC = ['esc', '']       # by itself: nothing follows it in time
AFTER = ['x', '']       # at "Press a key for the menu", and nothing behind it
LEAVE = [*ESC, 'y']
AWAY = 126              # exit status of the host program where the machine would be gone
TALL = (100, 90)        # where no command stops after a screen


class Desk:
    """A mirror that something was done to, a stick, and the host program before them."""

    def __init__(self, setup, lines, folder):
        for line in lines:
            damage.apply(setup, line)
        for index in setup.present():
            setup.writable(index)       # journals may go anywhere
        (folder / 'stick').mkdir()
        self.setup = setup
        self.stick = Machine(folder / 'stick').add_stick({}, partitions=STICK).image
        self.options = [*setup.host_options(), '--disk', f'{self.stick}:512:usb', '--self', f'{len(setup.disks)}:1']

    def run(self, words, keys=(), size=TALL):
        """What is printed, and the exit status."""
        answers = [word for key in keys for word in ('--answer', key)]
        done = limits.run([str(bare()), *self.options, '--screen', '{}x{}'.format(*size), *answers, '--', *words], 60,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.stdout.decode(), done.returncode

    def menu(self, *keys, size=TALL, depth=1):
        """The screens before each time it was emptied: before the menu, the menu, a command, the menu, ... `depth`:
        how many lists are open at the end."""
        text, status = self.run(['menu'], [*keys, *ESC * depth, 'y'], size)
        assert status == 0, text
        return screens(text.replace('\n', '\r\n'), *size)

    def fingerprint(self):
        """Of all bytes of the machine: disks, stick, variables."""
        images = [*(self.setup.disk(index).image for index in self.setup.present()), self.stick]
        return [*map(kept_digest, images), self.variables()]

    def variables(self):
        """Attributes and value of each by its name."""
        path = Path(self.options[self.options.index('--vars') + 1])
        lines = [line.split() for line in path.read_text(encoding='ascii').splitlines()]
        return {name: (int(attributes, 16), value) for name, attributes, value in lines}


@pytest.fixture
def desk(bases, tmp_path):
    return Desk(bases('mirror').copy(tmp_path / 'setup'), NEVER_READY, tmp_path)


def commands(seen):
    """The screens that commands had to themselves, as texts; between them is the menu."""
    assert all(is_menu(lines) for lines in seen[2::2] if lines[0]), seen
    return ['\n'.join(lines) for lines in seen[3::2] if not is_menu(lines) and any(lines)]


@pytest.mark.parametrize('size', [(80, 25), (100, 31), (132, 50), (70, 20)])
def test_the_screen_shows_the_machine_and_the_choices(desk, size):
    shown = [lines for lines in desk.menu(size=size) if is_menu(lines)]
    assert len(shown) == 1 and max(map(len, shown[0])) == size[0] - 1
    text = '\n'.join(shown[0])
    for words in ('Disk 0  primary', '[ESP', 'Starts from Disk 0 alone: yes', 'Starts from Disk 1 alone: no',
                  'If the primary disk dies, this machine does not start.'):
        assert words in text
    assert '[damage] Disk 1 Partition 1' in text or '... more' in text and size[1] < 25
    assert chosen(shown[0])[0] == 1 and '  Leave the menu? [y/N]' in shown[0]


def test_a_screen_that_is_too_small_and_a_file_are_refused(desk):
    before = desk.fingerprint()
    for size in ((69, 25), (80, 19), (0, 0)):
        text, status = desk.run(['menu'], LEAVE, size)
        assert status == 3 and 'The menu needs a screen of 70 columns and 20 rows.' in ' '.join(text.split())
    assert desk.run(['menu', '-sfo'])[1] == 3
    assert desk.fingerprint() == before


def pick(number):
    return [*str(number), 'enter']


CHOICE = re.compile(r'[|\u2502] [> ] +\d+  (.*?) *[|\u2502]')


def choices(desk, *keys):
    """The choices of the list that the keys lead to."""
    text, status = desk.run(['menu'], keys or ['home'])
    shown = screens(text.replace('\n', '\r\n'), *TALL)[-2]
    assert status == 7 and is_menu(shown)       # the keys have ended there
    below = shown[next(at for at, line in enumerate(shown) if line[0] in '+\u251c' and at):]
    return [match[1] for line in below if (match := CHOICE.fullmatch(line))]


def all_lists(desk):
    """(keys, choices) of every list."""
    main = choices(desk)
    yield [], main
    for at, words in enumerate(main, 1):
        if words.startswith(('Boot entries', 'How Windows', 'Shell', 'Test')):
            found = choices(desk, *pick(at))
            yield pick(at), found
            for inner in range(1, len(found) + 1) if words.startswith('Boot entries') else ():
                yield [*pick(at), *pick(inner)], choices(desk, *pick(at), *pick(inner))


def test_nothing_is_written_without_a_plan_and_a_yes(desk):
    desk.run(['default', 'Boot0000', '-y'])
    desk.run(['repair', '-y'])      # so that there is something to undo, and a second entry to move
    desk.run(['delete', 'Boot0001', '-y'])
    before, tried = desk.fingerprint(), 0
    for keys, words in list(all_lists(desk)):
        if 'Restart' in words:
            continue
        for number in [at for at, text in enumerate(words, 1) if not text.startswith('Start from')]:
            # Where it asks it is told no; else that is the key that goes on, like the one behind it.
            text, status = desk.run(['menu'], [*keys, *pick(number), 'n', *AFTER])
            seen = screens(text.replace('\n', '\r\n'), *TALL)
            assert desk.fingerprint() == before, words[number - 1]
            shown = '\n'.join(seen[2])
            if 'The menu ends' in shown:
                continue        # it has opened a list, and the keys have ended there
            assert shown.startswith('shadowboot ') and 'Press a key for the menu.' in shown
            asked = 'Plan:' in shown and '[y/N] n' in shown and 'Nothing was changed.' in shown
            refused = '[y/N]' not in shown and ('Nothing was changed.' in shown or 'Nothing to do' in shown)
            assert asked or refused or 'shadowboot status' in shown, shown
            tried += 1
    assert tried > 10


def done(desk, *keys):
    """The screen of the one command that the keys run, all of it."""
    text, _ = desk.run(['menu'], [*keys, *AFTER])
    found = screens(text.replace('\n', '\r\n'), *TALL)[2]
    assert not is_menu(found)
    return '\n'.join(found)


def variable(desk, name):
    return desk.variables().get(name, (0, None))[1]


def repaired(desk):
    """What repair has said."""
    return done(desk, *pick(choices(desk).index('Repair: make the machine start from each disk') + 1), 'y')


def test_repair_and_undo_from_the_menu(desk):
    before = desk.fingerprint()
    shown = repaired(desk)
    assert shown.startswith('shadowboot repair\n') and 'Done: 3 changes made and checked.' in shown
    assert 'This machine starts from each of its boot disks alone.' in desk.run(['status'])[0]
    assert [lines for lines in desk.menu() if is_menu(lines)][-1][7].startswith('\u2502 Starts from Disk 0 alone: yes')
    undo = choices(desk).index('Undo a change') + 1
    shown = done(desk, *pick(undo), 'y')
    assert shown.startswith('shadowboot undo\n') and 'Done: 3 changes made and checked.' in shown
    assert desk.fingerprint()[-1] == before[-1]
    assert 'Its ESP has no \\EFI.' in ' '.join(desk.run(['status'])[0].split())


def test_entries_are_moved_started_once_and_deleted(desk):
    repaired(desk)
    assert variable(desk, 'BootOrder') == '00000100'
    entries = choices(desk).index('Boot entries: order, next start, delete') + 1
    second = [*pick(entries), *pick(2)]
    words = choices(desk, *second)
    assert words == ['Start it once, at the next start', 'Make it the first', 'Move it up', 'Delete it']
    assert done(desk, *second, *pick(3), 'y').startswith('shadowboot order Boot0001 Boot0000\n')
    assert variable(desk, 'BootOrder') == '01000000'
    down = choices(desk, *pick(entries), *pick(1)).index('Move it down') + 1
    done(desk, *pick(entries), *pick(1), *pick(down), 'y')
    assert variable(desk, 'BootOrder') == '00000100'
    done(desk, *second, *pick(1), 'y')
    assert variable(desk, 'BootNext') == '0100'
    done(desk, *second, *pick(2), 'y')
    assert variable(desk, 'BootOrder') == '01000000'
    assert done(desk, *pick(entries), *pick(2), *pick(4), 'y').startswith('shadowboot delete Boot0000\n')
    assert variable(desk, 'Boot0000') is None and variable(desk, 'BootOrder') == '0100'
    # After that the list of entries is shown, not that of one which is gone.
    assert [text.split(',')[0] for text in choices(desk, *pick(entries))] == ['Boot0001 Windows Boot Manager']


def test_windows_is_started_in_safe_mode_and_as_usual_again(desk):
    modes = choices(desk).index('How Windows starts: safe mode, recovery and others') + 1
    shown = done(desk, *pick(modes), *pick(2), 'y')
    assert shown.startswith('shadowboot bcd start safe\n') and 'Done:' in shown
    assert re.search(r'safeboot +Minimal', desk.run(['bcd', 'list'])[0])
    done(desk, *pick(modes), *pick(1), 'y')
    assert 'safeboot' not in desk.run(['bcd', 'list'])[0]


# What bcdedit, whose names these are, shows behind each way to start; {default} has a recovery system.
MODES = {
    'As usual': ('normal', None), 'In safe mode': ('safe', r'safeboot +Minimal'),
    'In safe mode, with network': ('safe-network', r'safeboot +Network'),
    'In safe mode, with a command prompt': ('safe-command', r'safebootalternateshell +Yes'),
    'Once in its recovery system': ('recovery', r'bootsequence +\{'),
    'With the last configuration that worked': ('last-known-good', r'lastknowngood +Yes'),
    'Once with the menu of start options': ('menu', r'onetimeadvancedoptions +Yes'),
    'Never into recovery by itself': ('never-recovery', r'bootstatuspolicy +IgnoreAllFailures'),
}


def test_each_way_to_start_windows_ends_in_the_store(bases, tmp_path):
    desk = Desk(bases('mirror').copy(tmp_path / 'setup'), [*NEVER_READY, 'store 0 recovery-of 0'], tmp_path)
    modes = pick(choices(desk).index('How Windows starts: safe mode, recovery and others') + 1)
    assert choices(desk, *modes) == [*MODES]
    for number, (word, shown) in enumerate(MODES.values(), 1):
        assert not shown or not re.search(shown, desk.run(['bcd', 'list'])[0])
        said = done(desk, *modes, *pick(number), 'y')
        assert said.startswith(f'shadowboot bcd start {word}\n'), said
        assert not shown or re.search(shown, desk.run(['bcd', 'list'])[0]), said
        done(desk, *modes, *pick(1), 'y')


def test_the_machine_is_left_in_each_way(desk, tmp_path):
    ends, events = len(choices(desk)), tmp_path / 'events'
    words = choices(desk, *pick(ends))
    own, desk.options = desk.options, [*desk.options, '--started', str(events)]
    for choice, event in (('Restart', 'reset cold\n'), ('Power off', 'reset off\n')):
        events.unlink(missing_ok=True)
        assert desk.run(['menu'], [*pick(ends), *pick(words.index(choice) + 1)])[1] == AWAY
        assert events.read_text() == event
    desk.options = own
    leave = [*pick(ends), *pick(words.index('Leave the menu') + 1)]
    assert desk.run(['menu'], leave)[1] == 0
    # A boot manager goes on with its next entry.
    desk.options = [*own, '--program', '\\EFI\\shadowboot\\shadowbootx64.efi']
    assert desk.run(['menu'], leave)[1] == 21


def test_a_test_restarts_and_is_told_of_then(desk, tmp_path):
    repaired(desk)
    tests, events = choices(desk).index('Test: restart once from one disk') + 1, tmp_path / 'events'
    assert choices(desk, *pick(tests)) == ['Restart once from Disk 0', 'Restart once from Disk 1', 'Each disk in turn']
    desk.options += ['--started', str(events)]
    assert desk.run(['menu'], [*pick(tests), *pick(2), 'y'])[1] == AWAY
    assert events.read_text() == 'reset cold\n' and variable(desk, 'BootNext') == '0100'
    shown = [lines for lines in desk.menu() if is_menu(lines)][-1]
    assert any('Test of Disk 1, asked for 2026-11-20 12:00: waits.' in line for line in shown)


def test_a_disk_is_started(desk, tmp_path):
    events = tmp_path / 'events'
    assert choices(desk)[:2] == ['Start from Disk 0', 'Start from Disk 1: as it is now it may not start']
    repaired(desk)
    assert choices(desk)[:2] == ['Start from Disk 0', 'Start from Disk 1']
    desk.options += ['--started', str(events)]
    for number, disk in enumerate(desk.setup.disks, 1):
        events.unlink(missing_ok=True)
        before = desk.fingerprint()
        assert desk.run(['menu'], pick(number))[1] == AWAY
        load, start = events.read_text().splitlines()
        assert load.startswith('load ') and load.endswith(' 0') and start.startswith('start ') and start.endswith(' away')
        path = bytes.fromhex(load.split()[1])
        assert uuid.UUID(disk.parts['esp'].guid).bytes_le in path
        assert 'bootmgfw.efi'.encode('utf-16-le') in path
        assert desk.fingerprint()[:-1] == before[:-1]


def test_a_program_that_is_refused_leads_to_the_next_of_its_disk_and_back(desk):
    repaired(desk)
    desk.options += ['--start', 'load:26', '--start', 'load:15']
    for number in (1, 2):
        shown = done(desk, *pick(number))
        assert f'Starting from Disk {number - 1} by Boot000{number - 1}' in shown
        assert f'Starting from Disk {number - 1}, ' in shown
        assert 'Secure Boot refuses it (error 26).' in shown and 'Secure Boot refuses it (error 15).' in shown
        assert 'Press a key for the menu.' in shown


def test_the_menu_of_an_unattended_start_stops_after_each_screen(desk):
    """What is said there goes into a log as well."""
    volume = Volume(desk.stick, STICK[0].first_lba * 512, STICK[0].blocks * 512)
    volume.put('/EFI/shadowboot/shadowboot.conf', b'mode = menu\n')
    desk.options += ['--program', '\\EFI\\BOOT\\BOOTX64.EFI']
    whole = choices(desk).index('Everything that is known, with advice') + 1
    text, status = desk.run(['auto'], [*pick(whole), 'x', *AFTER, *LEAVE], (80, 25))
    assert status == 21 and text.count('-- Enter goes on, q leaves out the rest --') == 1
    assert 'What to type next: shadowboot repair' in text
