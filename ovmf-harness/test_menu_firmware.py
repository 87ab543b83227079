"""The menu on firmware: from the stick, by keys over a serial line and of a PS/2 keyboard, on both screens.

One machine, whose second disk was never made ready: the menu repairs it, and tries a start from that disk;
in its next start the menu tells of that, and starts the disk itself.
"""
from functools import partial

import pytest

import damage
import mirror_vm
from machine import STANDIN, Machine, scaled
from terminal import chosen, is_menu, screens
from test_menu import NEVER_READY
from test_stick import plug_in

LARGE, USUAL = (100, 31), (80, 25)
STICK_ENTRY = 0x00A0
BOOT_TO_UI = 1                       # UEFI Specification 8.5.4: EFI_OS_INDICATIONS_BOOT_TO_FW_UI
QUIET = 'Press a key for the menu.'


class Terminal:
    """What a terminal at the serial line shows; the firmware takes it for one of code page 437."""

    def __init__(self, vm):
        self.vm, self.arrived, self.size = vm, [], LARGE
        take = vm.console._add
        vm.console._add = lambda data: (self.arrived.append(data), take(data))

    def lines(self):
        text = b''.join(self.arrived).decode('cp437')
        return screens(text[max(text.rfind('\x1b[2J', 0, text.rfind('\x1b[2J')), 0):], *self.size)[-1]

    def wait(self, wanted, seconds=60):
        """The screen, as soon as `wanted` says yes to it."""
        end = self.vm.clock() + scaled(seconds)
        while not wanted(lines := self.lines()):
            if self.vm.clock() > end:
                raise self.vm.console.error('the screen is another:\n' + '\n'.join(lines))
            self.vm.console.pump(0.5)
        return lines

    def wait_menu(self, number=None):
        """The menu, with a choice marked."""
        return self.wait(lambda lines: is_menu(lines) and (number is None or marked(lines) == number))

    def wait_text(self, text):
        return self.wait(lambda lines: text in '\n'.join(lines))

    def press(self, *names):
        """Keys of the PS/2 keyboard, together."""
        self.vm.qmp.execute('send-key', keys=[{'type': 'qcode', 'data': name} for name in names])

    def pick(self, words):
        """Choose what begins so, by its number."""
        lines = self.wait(lambda lines: is_menu(lines) and marked(lines) and words in '\n'.join(lines))
        number = next(line.strip('|> ').split()[0] for line in lines if words in line)
        self.vm.type(number)
        self.wait_menu(int(number))
        self.vm.key('enter')


def marked(lines):
    """The number of the marked choice; None while the screen is being drawn."""
    try:
        return chosen(lines)[0]
    except AssertionError:
        return None


def pixels(vm):
    """How many pixels of the screen have each colour."""
    data = vm.screenshot().read_bytes()
    head = data.split(b'\n', 3)
    assert head[0] == b'P6' and head[2] == b'255'
    counts, body = {}, head[3]
    for at in range(0, len(body), 3):
        counts[body[at:at + 3]] = counts.get(body[at:at + 3], 0) + 1
    return counts


@pytest.fixture
def server(bases, tmp_path, stick_image):
    setup = bases('mirror').copy(tmp_path / 'setup')
    for line in NEVER_READY:
        damage.apply(setup, line)
    machine = mirror_vm.as_machine(setup, tmp_path / 'vm', [0, 1], kind=partial(Machine, desk=True))
    stick = plug_in(machine, stick_image)
    machine.nvram.set_entry(STICK_ENTRY, 'Stick', stick.esp.short_path('\\EFI\\BOOT\\BOOTX64.EFI'), order=None)
    machine.esps = [setup.disk(index).parts['esp'].guid for index in (0, 1)]
    return machine


def start_menu(machine):
    machine.nvram.next = STICK_ENTRY
    return machine.boot()


def test_the_menu_from_the_stick(server):
    with start_menu(server) as vm:
        terminal = Terminal(vm)
        lines = terminal.wait(lambda lines: is_menu(lines) and any('That is' in line or '> 1' in line.replace('  ', ' ')
                                                                 for line in lines))
        look_at(terminal, lines)
        keys_that_move_nothing(terminal)
        repair(terminal)
        shell_and_back(terminal)
        terminal.pick('Test: restart once')
        terminal.pick('Restart once from Disk 1')
        terminal.wait_text('Carry out this change? [y/N]')
        vm.type('y\r')
        seen = vm.wait_standin()
        assert seen.esp == server.esps[1].lower() and seen.description == 'Windows Boot Manager'
        number = seen.entry

    with start_menu(server) as vm:
        terminal = Terminal(vm)
        lines = terminal.wait(lambda lines: is_menu(lines) and marked(lines) and 'the firmware has taken' in ' '.join(lines))
        assert f'Boot{number:04X} since' in ' '.join(' '.join(line.strip('| ') for line in lines).split())
        terminal.pick('Start from Disk 1')
        seen = vm.wait_standin()
        assert (seen.esp, seen.entry) == (server.esps[1].lower(), number)


def look_at(terminal, lines):
    """ASCII over the serial line, and the colours on the screen."""
    assert max(map(len, lines)) == LARGE[0] - 1 and lines[0].startswith('+- shadowboot ')
    assert any('If the primary disk dies, this machine does not start.' in line for line in lines)
    counts = look_at_picture(terminal.vm, LARGE)
    assert any(red > 0x80 and green < 0x60 and blue < 0x60 for red, green, blue in counts)


def look_at_picture(vm, size):
    """The marked row, and what is good in its colour; gives how many pixels have each."""
    counts = pixels(vm)
    grey = max(counts.get(bytes(3 * [level]), 0) for level in range(0x80, 0xC0))
    assert grey > 7 * size[0] * 15              # a character is 8 wide and 19 high
    assert any(green > 0x80 and red < 0x60 and blue < 0x60 for red, green, blue in counts)
    return counts


def keys_that_move_nothing(terminal):
    vm = terminal.vm
    terminal.wait_menu(1)
    vm.key('down')
    terminal.wait_menu(2)
    for sequence in ('\x1b[21~', '\x1b[11~', '\x1b[6~', '\x1bOP'):
        vm.type(sequence)
    vm.key('down')                              # from where it was before all these
    terminal.wait_menu(3)
    terminal.press('f10')
    terminal.press('down')
    terminal.wait_menu(4)
    terminal.press('ctrl', 'c')
    terminal.wait_text('Leave the menu? [y/N]')
    vm.type('n')
    terminal.wait(lambda lines: 'Leave the menu' not in '\n'.join(lines))
    vm.key('esc')
    terminal.wait_text('Leave the menu? [y/N]')
    terminal.press('esc')
    terminal.wait(lambda lines: 'Leave the menu' not in '\n'.join(lines))
    terminal.press('up')
    terminal.wait_menu(3)


def repair(terminal):
    vm = terminal.vm
    terminal.pick('Repair: ')
    terminal.wait_text('Carry out these changes? [y/N]')
    vm.type('y\r')
    while '-- Enter goes on' in '\n'.join(terminal.wait(lambda lines: any(
            words in '\n'.join(lines[-12:] + [line for line in lines if line][-1:]) for words in (QUIET, '-- Enter goes on')))):
        vm.key('enter')
        vm.console.pump(0.5)
    vm.key('enter')
    text = '\n'.join(terminal.wait_menu())
    assert 'Starts from Disk 1 alone: yes' in text


def shell_and_back(terminal):
    """The stick's own Shell, which leaves a screen of another size."""
    vm = terminal.vm
    terminal.pick('Shell, restart')
    terminal.pick('UEFI Shell')
    vm.console.position = len(vm.console.text)
    vm.to_shell()
    terminal.size = USUAL
    vm.type('mode 80 25\r')
    vm.console.expect_prompt()
    vm.type('exit\r')
    lines = terminal.wait(lambda lines: is_menu(lines) and marked(lines))
    assert max(map(len, lines)) == USUAL[0] - 1
    look_at_picture(vm, USUAL)
    terminal.press('left')


def leave_by(vm, words):
    terminal = Terminal(vm)
    terminal.pick('Shell, restart')
    terminal.pick(words)


def test_the_ways_out_of_the_menu(server):
    """Each ends where it says: anew, in the firmware's own setup, and off."""
    with start_menu(server) as vm:
        leave_by(vm, 'Restart')
        vm.wait_reset()
        assert vm.wait_standin().esp == server.esps[0].lower()
    with start_menu(server) as vm:
        leave_by(vm, "Restart into the firmware's setup")
        vm.wait_reset()
        vm.qmp.execute('stop')
        assert vm.read_variable('OsIndications').data == (BOOT_TO_UI).to_bytes(8, 'little')
        vm.console.position = len(vm.console.text)
        vm.qmp.execute('cont')
        match = vm.expect('Boot Maintenance Manager', STANDIN)
        assert match.re is not STANDIN, vm.console.tail()
    with start_menu(server) as vm:
        leave_by(vm, 'Power off')
        vm.wait_off()
        assert vm.process.returncode == 0 and not STANDIN.search(vm.console.text)
