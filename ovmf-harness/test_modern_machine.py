"""A machine of today, where the boot store and not the boot entry says what Windows is started.

NVMe and SATA, short and full paths, BCDOBJECT in the optional data. Entries are read from the
flash by this harness, device paths compared with what the firmware itself prints.
"""
import re

import pytest

import devicepath
from conftest import install_standin
from machine import LOADER
from gpt import ESP, Partition
from machine import Machine
from modern import FULL, QUESTION, SHORT, Modern, answer, changed, order_bytes

GONE = '11111111-2222-3333-4444-555555555555'


@pytest.fixture
def modern(request, machine, standin, product):
    return Modern(machine, standin, product, getattr(request, 'param', 512))


def firmware_paths(vm):
    """Device paths as the firmware prints them: {number: text}, of all entries in BootOrder."""
    text = '\n'.join(vm.shell('bcfg boot dump'))
    found = re.findall(r'Variable: Boot([0-9A-F]{4}) *\n.*\n +DevPath - (.*)', text)
    return {int(number, 16): path for number, path in found}


# Cloning

@pytest.mark.parametrize('modern', [512, 4096], indirect=True)
def test_clone_finds_both_esps_and_the_shadow_starts_when_disk_0_is_pulled(modern):
    nvram, first, second = modern.nvram, *modern.disks
    with modern.machine.boot_to_shell() as vm:
        vm.cd(modern.stick)
        before, others = modern.boot_variables(), modern.other_variables()
        numbers = free_numbers(nvram, 2)
        place = f'Disk 1 Partition 1 {{{modern.esps[1].guid}}}'
        order = ','.join(f'{n:04X}' for n in nvram.order + numbers)
        plan = ['Plan:',
                f'  1. create Boot{numbers[0]:04X} "{SHORT}" from Boot0000, to start from {place}',
                f'  2. create Boot{numbers[1]:04X} "{FULL}" from Boot0001, to start from {place}',
                f'  3. update BootOrder to {order}']

        shown = vm.run('shadowboot clone -n')
        assert shown == (plan + ['Nothing was changed (-n).'], 0)
        assert modern.boot_variables() == before

        asked, said, status = answer(vm, 'shadowboot clone', 'n')
        assert (asked, said, status) == (plan, ['clone: Nothing was changed.'], 0x15)
        assert modern.boot_variables() == before
        assert not modern.stick.volume.exists('/EFI/shadowboot')

        asked, said, status = answer(vm, 'shadowboot clone', 'y')
        assert (asked, status) == (plan, 0)
        assert 'Done: 3 changes made and checked.' in said
        after = {f'Boot{n:04X}': (7, value) for n, value in zip(numbers, modern.clones())}
        after['BootOrder'] = order_bytes(nvram.order[:-2] + numbers)
        assert after['BootOrder'][1][:-4] == before['BootOrder'][1]
        assert modern.boot_variables() == changed(before, **after)
        assert modern.other_variables() == others

        paths, mapped = firmware_paths(vm), vm.mappings()[vm.fs(modern.esps[1])]
        assert paths[numbers[1]] == f'{mapped}/{LOADER}'
        assert paths[numbers[0]] == f'{mapped[mapped.index("HD("):]}/{LOADER}'

        again = vm.run('shadowboot clone')
        assert again == (['Nothing to do: everything is that way already.'], 0)
        start_before_the_shell(vm, 0, 1, *numbers)
    modern.stick.volume.fsck()

    modern.machine.pull(first)
    modern.esps[1].put('/standin.cfg', b'error')  # so that the second clone is started as well
    with modern.machine.boot() as vm:
        started = [vm.wait_standin(), vm.wait_standin()]
    assert [s.token for s in started] == [modern.tokens[1]] * 2
    assert [(s.entry, s.description) for s in started] == list(zip(numbers, (SHORT, FULL)))
    second.esp.fsck()


def start_before_the_shell(vm, *numbers):
    """The built-in Shell would start before the clones, which are at the end of BootOrder."""
    names = ' '.join(f'Boot{n:04X}' for n in numbers)
    assert vm.run(f'shadowboot order {names} -y').status == 0
    assert tuple(vm.machine.nvram.order[:len(numbers)]) == numbers


def free_numbers(nvram, count):
    """The lowest numbers that no entry has."""
    return [n for n in range(0x100) if n not in nvram.entries()][:count]


def test_undo_after_a_restart_gives_every_variable_back_byte_for_byte(modern):
    stick = modern.stick
    with modern.machine.boot_to_shell() as vm:
        vm.cd(stick)
        before, others = modern.boot_variables(), modern.other_variables()
        assert vm.run('shadowboot clone -y').status == 0
        cloned = modern.boot_variables()
        assert cloned != before
    with modern.machine.boot_to_shell() as vm:
        vm.cd(stick)
        result = vm.run('shadowboot undo -y')
        assert result.status == 0 and 'Done: 3 changes made and checked.' in result.lines
        assert modern.boot_variables() == before
        assert modern.other_variables() == others
        assert vm.run('shadowboot undo 2 -y').status == 0  # the undo was a change as well
        assert modern.boot_variables() == cloned
        listed = vm.run('shadowboot undo -l')
        assert re.findall(r'^ +(\d)  \S+ \S+  (\w+(?: \w+)?) ', listed.text, re.M) == [
            ('1', 'taken back'), ('2', 'taken back'), ('3', 'done')]
    stick.volume.fsck()
    journals = [f for f in stick.volume.list() if 'shadowboot/' in f]
    assert len([f for f in journals if f.endswith('.SBJ')]) == 3


def test_undo_works_after_the_firmware_has_dropped_and_added_entries_of_its_own(modern):
    nvram = modern.nvram
    with modern.machine.boot_to_shell() as vm:
        vm.cd(modern.stick)
        numbers = nvram.order
        assert vm.run('shadowboot clone -y').status == 0
        clones = nvram.order[-2:]
    modern.machine.pull(modern.disks[0])
    with modern.machine.boot_to_shell() as vm:
        gone, = set(numbers) - set(nvram.order)  # the entry that the firmware made for Disk 0
    modern.machine.put_back(modern.disks[0])
    with modern.machine.boot_to_shell() as vm:
        vm.cd(modern.stick)
        now = nvram.order
        assert [n for n in now if n not in clones] != numbers and set(clones) < set(now)
        result = vm.run('shadowboot undo -y')
        assert result.status == 0, result.text
        assert set(clones).isdisjoint(nvram.entries())
        assert set(nvram.order) == set(nvram.entries())
        kept = [n for n in numbers if n != gone]
        assert [n for n in nvram.order if n in kept] == kept


# All other commands

def test_each_command_changes_what_it_is_named_after(modern):
    nvram, stick, esp = modern.nvram, modern.stick, modern.esps[1]
    nvram.set_entry(0x20, 'Disk gone', devicepath.path(
        devicepath.hd(1, 2048, 90000, GONE), devicepath.file(LOADER)), modern.options)
    nvram.set_entry(0x21, 'File gone', modern.esps[0].short_path('\\EFI\\none.efi'))
    nvram.set_entry(0x22, 'Twin', modern.esps[0].short_path(LOADER), modern.options)
    with modern.machine.boot_to_shell() as vm:
        vm.cd(stick)

        def change(command, **values):
            """Run it; exactly the named variables have changed."""
            before = modern.boot_variables()
            result = vm.run(f'shadowboot {command} -y')
            assert result.status == 0, result.text
            assert modern.boot_variables() == changed(before, **values)
            return result

        def ordered(*first):
            return order_bytes([*first] + [n for n in nvram.order if n not in first])

        change('order Boot0001 Boot0021', BootOrder=ordered(1, 0x21))
        change('default Boot0000', BootOrder=ordered(0))
        change('order 2', BootOrder=ordered(1))  # ids count places in the list
        change('next Boot0020', BootNext=(7, b'\x20\x00'))
        change('next none', BootNext=None)
        change('timeout 7', Timeout=(7, b'\x07\x00'))
        change('timeout none', Timeout=(7, b'\xff\xff'))

        file = '\\EFI\\Microsoft\\Boot\\other.efi'
        number, other = free_numbers(nvram, 2)
        entry = devicepath.LoadOption('Other loader', esp.short_path(file),
                                      devicepath.ucs2('a b')).pack()
        order = nvram.order
        change(f'add {esp.guid} {file} -d "Other loader" -opt "a b" -at 2',
               **{f'Boot{number:04X}': (7, entry),
                  'BootOrder': order_bytes(order[:1] + [number] + order[1:])})
        twice = vm.run(f'shadowboot add {{{esp.guid.upper()}}} {file} -d "Again" -opt "a b" -y')
        assert twice.status == 0x14 and f'Boot{number:04X}' in twice.text
        change(f'add {esp.guid} /EFI/x.efi -d Full -full', **{
            f'Boot{other:04X}': (7, devicepath.LoadOption('Full', esp.full_path('\\EFI\\x.efi'))
                                 .pack()),
            'BootOrder': order_bytes(nvram.order + [other])})

        saved = nvram.raw_entries()
        names = f'Boot0001 Boot{number:04X} Boot{other:04X}'
        assert vm.run(f'shadowboot export \\saved {names} -y').status == 0
        exported = {n: stick.volume.get(f'/saved/Boot{n:04X}') for n in (1, number, other)}
        assert exported == {n: saved[n] for n in (1, number, other)}
        change(f'delete Boot{number:04X} Boot{other:04X}',
               **{f'Boot{number:04X}': None, f'Boot{other:04X}': None,
                  'BootOrder': order_bytes([n for n in nvram.order if n not in (number, other)])})
        imported = change('import saved', **{
            f'Boot{number:04X}': (7, saved[number]), f'Boot{other:04X}': (7, saved[other]),
            'BootOrder': order_bytes(nvram.order + [number, other])})
        assert 'Boot0001' in imported.text and 'left out' in imported.text

        before = modern.boot_variables()
        shown, _, status = answer(vm, 'shadowboot prune', 'n')
        assert status == 0x15 and modern.boot_variables() == before
        gone = [0x20, 0x21, 0x22, number, other]  # \EFI\x.efi and other.efi are not there
        assert [n for n in nvram.entries() if f'delete Boot{n:04X}' in '\n'.join(shown)] == \
            sorted(gone)
        change('prune', BootOrder=order_bytes([n for n in nvram.order if n not in gone]),
               **{f'Boot{n:04X}': None for n in gone})
        assert vm.run('shadowboot prune').lines[-1:] == [
            'Nothing to do: everything is that way already.']
    stick.volume.fsck()


def test_refused_commands_say_why_give_a_status_and_change_nothing(modern):
    esps = modern.esps
    cases = [
        (f'mirror {modern.data(1).guid}', 0x3, 'boot store (BCD)'),
        ('clone -sg 123 -tg 456', 0x2, 'is not a GUID'),
        (f'clone -sg {esps[0].guid} -tg {esps[0].guid}', 0x2, 'same partition'),
        (f'clone -sg {esps[0].guid} -tg {GONE}', 0xE, GONE),
        (f'clone -sg {GONE} -tg {esps[1].guid}', 0xE, 'unknown'),
        (f'clone -sg {esps[0].guid} -tg {modern.data(1).guid}', 0xF, 'Basic data'),
        (f'clone -sg {esps[0].guid} -tg {esps[1].guid} -short -full', 0x2, 'exclude'),
        ('delete 99', 0xE, 'no boot entry 99'),
        ('delete 1 Boot7777', 0xE, 'Boot7777'),
        ('timeout soon', 0x2, 'number of seconds'),
        ('next', 0x2, 'It goes like this'),
        ('frobnicate', 0x2, 'no command'),
        ('clone -frobnicate', 0x2, 'no option'),
        ('import nothere', 0xE, 'nothere'),
        ('disks 9', 0xE, '9'),
    ]
    with modern.machine.boot_to_shell() as vm:
        vm.cd(modern.stick)
        before = modern.boot_variables()
        for command, status, words in cases:
            result = vm.run(f'shadowboot {command}')
            assert (result.status, words in result.text) == (status, True), result
            assert QUESTION[:9] not in result.text
        assert modern.boot_variables() == before
        assert not modern.stick.volume.exists('/EFI/shadowboot')


# What the Shell makes of it

def test_shell_reads_tables_manual_and_pages(modern):
    with modern.machine.boot_to_shell(quick=False) as vm:
        vm.cd(modern.stick)
        assert vm.run('shadowboot clone -y').status == 0
        numbers = modern.nvram.order

        # -sfo, read by the Shell's own parse command: column 1 is the table's name
        vm.shell('shadowboot entries -sfo > entries.txt')

        def column(table, index):
            return vm.shell(f'parse entries.txt {table} {index}')

        assert column('OrderInfo', 3) == [f'{n:04X}' for n in numbers]
        assert column('EntryInfo', 3) == [f'Boot{n:04X}' for n in numbers]
        entries = modern.nvram.entries()
        assert column('EntryInfo', 5) == [entries[n].description for n in numbers]
        windows = ['{9dea862c-5cdd-4e70-acc1-f32b344d4795}' if 'Windows' in entries[n].description
                   else '{00000000-0000-0000-0000-000000000000}' for n in numbers]
        assert column('EntryInfo', 14) == windows
        assert [path.upper() for path in column('EntryInfo', 9)] == \
            [path.upper() for _, path in sorted(firmware_paths(vm).items(),
                                                key=lambda item: numbers.index(item[0]))]

        # Help: the Shell takes -? for itself and reads the .man file
        shown = vm.shell('help shadowboot')
        assert 'SHADOWBOOT command [options]' in shown
        assert 'shadowboot clone [-sg GUID] [-tg GUID] [-d[+] TEXT | -disk] [-short | -full]' in shown
        assert vm.shell('shadowboot -?') == shown
        values = vm.shell('help shadowboot -section RETURNVALUES')
        assert any(line.endswith('15  refused') for line in values)
        assert 'shadowboot clone' in '\n'.join(vm.shell('shadowboot help clone'))

        # -b: stops at each screen, and only in that command
        vm.type('shadowboot entries -b\r')
        vm.console.expect_echo('shadowboot entries -b')
        start, stops = vm.console.position, 0
        more = '-- Enter goes on, q leaves out the rest --'
        while vm.expect(more, r'> \Z').re.pattern == more:
            stops += 1
            vm.key('enter')
        paged = re.sub(more, '', vm.console.text[start:])
        whole = vm.shell('shadowboot entries')
        assert stops >= 2 and not re.search(more, '\n'.join(whole))
        # A stop may come inside a line that is longer than the screen is wide.
        assert ''.join(''.join(paged.split('\n')[:-1]).split()) == ''.join(''.join(whole).split())


# Without a Shell

def test_boot_manager_starts_it_without_a_shell(machine, standin, product):
    stick = machine.add_stick({'/EFI/BOOT/BOOTX64.EFI': product, '/shadowbootx64.efi': product})
    disk = machine.add_disk('ahci', partitions=[Partition(ESP)])
    token = install_standin(disk.esp.format(), standin)
    disk.esp.put('/standin.cfg', b'error')
    program = stick.volume.full_path('\\shadowbootx64.efi')
    machine.nvram.set_entry(0, 'Wrong', program, devicepath.ucs2('delete 77'))
    machine.nvram.set_entry(1, 'Windows', disk.esp.short_path(LOADER))
    with machine.boot() as vm:
        # An error lets the firmware go on to the next entry.
        vm.expect('delete: There is no boot entry 77')
        assert vm.wait_standin().token == token
        # The stick's own entry, made by the firmware, starts \EFI\BOOT\BOOTX64.EFI: without a word it is
        # an unattended start, and a key leads to the menu.
        vm.expect('no boot entry before it has started this')
        vm.expect('Press a key for the menu')
        vm.type('x')
        vm.expect('What to do')
    machine.nvram.set_entry(2, 'List', program, devicepath.ucs2('entries'), order=None)
    machine.nvram.order = machine.nvram.order + [2]
    machine.nvram.next = 2
    with machine.boot() as vm:
        listed = vm.expect(r'(?s)Boot variable:    Boot0002, running\n(.*?)\n\n')[1]
        assert 'OS Friendly Name: List' in listed and '/\\shadowbootx64.efi' in listed


WATCHDOG = 300                       # seconds that a boot manager gives what it starts


class FastClock(Machine):
    """Time jumps to the next timer whenever the processor sleeps: minutes pass in a second or two."""

    def command(self, qmp_fd):
        return super().command(qmp_fd) + ['-icount', 'shift=4,sleep=off',
                                          '-rtc', 'base=2024-01-01T00:00:00,clock=vm']


def guest_seconds(vm):
    """The guest's clock, in seconds of its day, which began when it was switched on."""
    now = vm.qmp.execute('qom-get', path='/machine', property='rtc-time')
    return (now['tm_hour'] * 60 + now['tm_min']) * 60 + now['tm_sec']


def reset_within(vm, seconds):
    """Whether the machine resets itself in so many seconds of its own time."""
    end = guest_seconds(vm) + seconds
    while guest_seconds(vm) < end:
        if vm.qmp.wait_event('RESET', 0.002):   # of which a sleeping machine makes seconds
            return True
    return False


def test_question_may_be_read_longer_than_the_boot_managers_watchdog_allows(
        tmp_path, standin, product):
    machine = FastClock(tmp_path, cold=True)
    disks = [machine.add_disk(kind, partitions=[Partition(ESP)]) for kind in ('nvme', 'ahci')]
    for disk in disks:
        install_standin(disk.esp.format(), standin)
    esp = disks[0].esp
    esp.put('/shadowbootx64.efi', product)
    esp.put('/standin.cfg', b'watchdog')
    machine.nvram.set_entry(0, 'Waits', esp.short_path(LOADER))
    with machine.boot() as vm:  # the proof that there is a watchdog at all: it stops where it would reset
        vm.qmp.execute('set-action', reboot='shutdown', shutdown='pause')
        vm.wait_standin()
        assert vm.qmp.wait_event('SHUTDOWN', 60)
        assert WATCHDOG <= guest_seconds(vm) < 2 * WATCHDOG
    machine.nvram.set_entry(1, 'Asks', esp.short_path('\\shadowbootx64.efi'),
                            devicepath.ucs2('clone'), order='first')
    with machine.boot() as vm:
        vm.expect(QUESTION)
        assert not reset_within(vm, WATCHDOG + WATCHDOG // 10)
        vm.type('y\r')
        vm.expect('Done: 3 changes made and checked')
    assert len(machine.nvram.find('Asks')) == 2
    esp.fsck()
