"""The harness tested by itself: machines, console, variables, stand-in."""
import re

import pytest

import devicepath
from conftest import install_standin
from console import Console, ConsoleError
from gpt import BASIC_DATA, ESP, Partition, Table
from machine import CONSOLES, LOADER, MIB, Machine
from nvram import NV_BS


def test_disk_0_starts_and_disk_1_starts_when_disk_0_is_pulled(pair):
    first, second = pair.disks
    nvram = pair.machine.nvram
    nvram.set_entry(1, 'Shadow', pair.esps[1].short_path(LOADER))
    with pair.machine.boot() as vm:
        started = vm.wait_standin()
    assert started[:5] == (pair.tokens[0], pair.esps[0].guid, 0, LOADER, 'Windows Boot Manager')
    pair.machine.pull(first)
    with pair.machine.boot() as vm:
        started = vm.wait_standin()
    assert started[:5] == (pair.tokens[1], pair.esps[1].guid, 1, LOADER, 'Shadow')
    pair.machine.put_back(first)
    pair.machine.pull(second)
    with pair.machine.boot() as vm:
        assert vm.wait_standin().token == pair.tokens[0]
    assert nvram.order[:2] == [0, 1]
    assert nvram.entry(1).hd.guid == pair.esps[1].guid


def test_boot_next_is_used_once_and_then_gone(pair):
    nvram = pair.machine.nvram
    nvram.set_entry(7, 'Once', pair.esps[1].full_path(LOADER), order=None)
    nvram.order = nvram.order + [7]
    nvram.next = 7
    with pair.machine.boot() as vm:
        started = vm.wait_standin()
        assert nvram.next is None
    assert (started.entry, started.token) == (7, pair.tokens[1])


# What is only asked at a prompt, in one machine.

LONG = ''.join(f'{n:04d}.' for n in range(60))
MANY = [f'{n:05d}' for n in range(700)]


@pytest.fixture(scope='module')
def prompt(tmp_path_factory):
    """A machine at the Shell's prompt, for tests that leave it there. FS0: is its stick."""
    machine = Machine(tmp_path_factory.mktemp('prompt'), desk=True)
    machine.add_stick({'startup.nsh': 'echo STARTUP RAN\r\n',
                       'long.txt': (LONG + '\r\n' + 'x' * 100 + '\r\nend\r\n').encode(),
                       'many.txt': ''.join(f'line {number} of the text\r\n' for number in MANY)})
    with machine.boot_to_shell() as vm:
        yield vm


def test_shell_prompt_is_reached_and_startup_script_is_skipped(prompt):
    assert prompt.shell('echo %uefishellversion%') == ['2.2']
    assert 'STARTUP RAN' not in prompt.console.text


def test_long_lines_come_out_whole(prompt):
    for _ in range(5):
        assert prompt.shell(f'echo {LONG}') == [LONG]
    lines = prompt.shell('type FS0:\\long.txt')
    assert [LONG, 'x' * 100, 'end'] == [line for line in lines if line]


def test_output_that_nobody_reads_for_a_while_is_not_lost(prompt):
    prompt.type('type FS0:\\many.txt\r')
    prompt.process.stdin.flush()
    prompt.qmp.wait_event('NEVER', 3)
    prompt.console.expect_echo('type FS0:\\many.txt')
    start, text = prompt.console.position, prompt.console.text
    prompt.console.expect_prompt()
    assert text != prompt.console.text
    assert re.findall(r'line (\d{5}) of the text\n', prompt.console.text[start:]) == MANY


def test_run_gives_lines_and_status(prompt):
    assert prompt.run('echo one') == (['one'], 0)
    missing = prompt.run('no-such-command')
    assert missing.status == 0xE and 'not recognized' in missing.text
    assert prompt.run('FS0:').lines == []
    assert prompt.run('echo two').lines == ['two']


def test_running_machine_refuses_changes_from_outside(prompt):
    machine, stick = prompt.machine, prompt.machine.disks[0]
    with pytest.raises(RuntimeError):
        machine.nvram.next = 1
    with pytest.raises(RuntimeError):
        stick.volume.put('a', b'')
    with pytest.raises(RuntimeError):
        machine.pull(stick)
    with pytest.raises(RuntimeError):
        machine.boot()


def test_timeout_message_shows_the_end_of_the_console(prompt):
    prompt.shell('echo the last words')
    with pytest.raises(ConsoleError, match='(?s)nothing like this.*the last words'):
        prompt.expect('nothing like this', timeout=1)


def test_screenshot_is_a_picture(prompt):
    picture = prompt.screenshot().read_bytes()
    assert picture.startswith(b'P6') and len(set(picture[20:])) > 1


# Machines of their own

def test_shell_entry_is_the_one_that_the_firmware_makes(machine):
    number = machine.nvram.shell_entry()
    with machine.boot_to_shell():
        pass
    assert machine.nvram.find('EFI Internal Shell') == [number]
    fresh = Machine(machine.workdir)
    with fresh.boot() as vm:
        vm.to_shell()
    own, = fresh.nvram.find('EFI Internal Shell')
    assert fresh.nvram.entry(own).pack() == devicepath.LoadOption(
        'EFI Internal Shell', devicepath.shell_path()).pack()
    assert fresh.nvram.shell_entry() == own


def seen_at_prompt(folder, cold):
    """What the firmware has made of a machine: devices, entries, variables."""
    folder.mkdir()
    machine = Machine(folder, cold=cold)
    for number, kind in enumerate(KINDS):
        part = Partition(ESP, guid=f'00000000-0000-4000-8000-00000000000{number}')
        machine.add_disk(kind, 16 * MIB, partitions=[part], disk_guid=part.guid[:-2] + '10').esp.format(fat=16)
    machine.nvram.set_entry(0, 'One', machine.disks[0].esp.full_path(LOADER))
    with machine.boot_to_shell() as vm:
        said = vm.mappings(), vm.shell('pci'), vm.shell('bcfg boot dump'), vm.shell('ver')
    # What counts starts is different, and consoles have attributes of the harness's own (see CONSOLES).
    return *said, {(v.guid, v.name): (v.attributes & (NV_BS if CONSOLES.fullmatch(v.name) else ~0), v.data)
                   for v in machine.nvram.variables() if v.name != 'MTC'}


def test_machine_goes_on_as_if_it_had_been_started_cold(tmp_path):
    cold, other = (seen_at_prompt(tmp_path / name, name == 'cold') for name in ('cold', 'other'))
    assert other == cold
    assert len(cold[0]) == 2 * len(KINDS)


KINDS = ['nvme', 'ahci', 'virtio-blk', 'virtio-scsi', 'usb']


def test_every_kind_of_disk_is_seen_where_its_device_path_says(machine):
    disks = [machine.add_disk(kind, 64 * MIB, partitions=[Partition(ESP)]) for kind in KINDS]
    for disk in disks:
        disk.esp.format()
        disk.esp.put('/name.txt', f'this is {disk.kind}'.encode())
    machine.pull(disks[1])
    with machine.boot_to_shell() as vm:
        for disk in disks[:1] + disks[2:]:
            assert vm.shell(f'type {vm.fs(disk)}\\name.txt') == [f'this is {disk.kind}']
        with pytest.raises(ConsoleError):
            vm.fs(disks[1])
    machine.put_back(disks[1])
    with machine.boot_to_shell() as vm:
        assert vm.shell(f'type {vm.fs(disks[1])}\\name.txt') == ['this is ahci']
    automatic = [option.path for option in machine.nvram.entries().values()
                 if option.optional == devicepath.AUTO_MARKER]
    for disk in disks:
        assert devicepath.path(*disk.nodes) in automatic


def test_stand_in_starts_by_full_path_from_every_kind(machine, standin):
    disks = [machine.add_disk(kind, 64 * MIB, partitions=[Partition(ESP)]) for kind in KINDS]
    tokens = [install_standin(disk.esp.format(), standin) for disk in disks]
    for number, disk in enumerate(disks):
        machine.nvram.set_entry(number, disk.kind, disk.esp.full_path(LOADER))
        disk.esp.put('/standin.cfg', b'error')
    with machine.boot() as vm:
        started = [vm.wait_standin() for _ in disks]
    assert [s.token for s in started] == tokens
    assert [s.description for s in started] == KINDS


@pytest.mark.parametrize('kind', ['nvme', 'virtio-blk', 'virtio-scsi'])
def test_disk_with_4096_byte_blocks_starts(machine, standin, kind):
    disk = machine.add_disk(kind, 512 * MIB, 4096, [Partition(ESP, first_lba=34, blocks=110000)])
    token = install_standin(disk.esp.format(), standin)
    machine.nvram.set_entry(0, 'Windows', disk.esp.short_path(LOADER))
    with machine.boot() as vm:
        assert vm.wait_standin().token == token
    disk.esp.fsck()


@pytest.mark.parametrize('kind', ['ahci', 'usb'])
def test_kind_without_4096_byte_blocks_is_refused(machine, kind):
    with pytest.raises(ValueError):
        machine.add_disk(kind, block_size=4096)


def test_stick_as_superfloppy_and_with_a_table(machine):
    floppy = machine.add_stick({'a.txt': 'floppy'}, size=16 * MIB, fat=16)
    table = machine.add_stick({'a.txt': 'table'}, partitions=[Partition(BASIC_DATA)])
    with machine.boot_to_shell() as vm:
        assert vm.shell(f'type {vm.fs(floppy)}\\a.txt') == ['floppy']
        assert vm.shell(f'type {vm.fs(table)}\\a.txt') == ['table']


def test_boot_current_stays_when_the_stand_in_starts_the_shell(pair):
    esp = pair.esps[0]
    esp.put('/standin.cfg', b'shell\n')
    with pair.machine.boot() as vm:
        assert vm.wait_standin().token == pair.tokens[0]
        vm.to_shell()
        dump = '\n'.join(vm.shell('dmpstore BootCurrent'))
    assert re.search(r'00000000: 00 00 ', dump)


def test_stand_in_starts_next_efi_and_boot_current_stays(pair, standin):
    esp = pair.esps[0]
    esp.put('/next.efi', standin)
    with pair.machine.boot() as vm:
        first, second = vm.wait_standin(), vm.wait_standin()
    assert (first.file, second.file) == (LOADER, '\\next.efi')
    assert first.entry == second.entry == 0


def test_firmware_goes_on_when_the_stand_in_fails(pair):
    pair.machine.nvram.set_entry(1, 'Shadow', pair.esps[1].short_path(LOADER))
    pair.esps[0].put('/standin.cfg', b'error')
    with pair.machine.boot() as vm:
        assert vm.wait_standin().token == pair.tokens[0]
        assert vm.wait_standin().token == pair.tokens[1]


def test_stand_in_resets_and_the_reset_is_seen(pair):
    pair.esps[0].put('/standin.cfg', b'reset')
    with pair.machine.boot() as vm:
        vm.wait_standin()
        vm.wait_reset()
        vm.wait_standin()


def test_table_that_changed_is_reread_and_found_by_the_shell(machine):
    disk = machine.add_disk('nvme', partitions=[Partition(ESP)])
    old = disk.esp.guid
    Table(disk.image, 512, [Partition(BASIC_DATA, 100, 8), Partition(ESP, 4096, 80000)]).write()
    disk.reread()
    disk.esp.format().put('/new.txt', b'new')
    assert disk.esp.guid != old and disk.esp.node == disk.volumes[2].node
    with machine.boot_to_shell() as vm:
        assert vm.cd(disk.esp) == vm.fs(disk.esp.guid)
        assert vm.shell('type new.txt') == ['new']


def test_text_beyond_ascii_arrives_as_question_marks(pair):
    entry = pair.machine.nvram.entry(0)
    pair.machine.nvram.set_entry(0, 'Sp\u00e4re', entry.path)
    with pair.machine.boot() as vm:
        assert vm.wait_standin().description == 'Sp?re'


def test_reset_button_starts_again(pair):
    with pair.machine.boot() as vm:
        vm.wait_standin()
        vm.reset()
        assert vm.wait_standin().token == pair.tokens[0]


def test_what_the_shell_writes_is_read_after_a_power_cut(machine):
    stick = machine.add_stick()
    with machine.boot_to_shell() as vm:
        vm.shell(f'{vm.fs(stick)}')
        vm.shell('echo written > out.txt')
        vm.shell('setvar Kept -guid 11111111-2222-3333-4444-555555555555 -nv -bs =0xAABB')
        vm.power_cut()
    written = stick.volume.get('out.txt')
    assert 'written' in written.decode('utf-16')
    stick.volume.fsck()
    kept = machine.nvram.get('Kept', '11111111-2222-3333-4444-555555555555')
    assert kept.attributes == 3 and len(kept.data) == 2


def test_variables_written_here_are_read_by_the_firmware(machine):
    data = bytes(range(40))
    guid = 'abcdef01-2345-6789-abcd-ef0123456789'
    machine.nvram.set('Ours', data, guid)
    with machine.boot_to_shell() as vm:
        dump = ''.join(vm.shell(f'dmpstore Ours -guid {guid}'))
        assert '00 01 02 03 04 05 06 07-08 09 0A 0B 0C 0D 0E 0F'.replace('-', ' ') in \
            dump.replace('-', ' ')
        vm.shell(f'setvar Ours -guid {guid} =')
        assert machine.nvram.get('Ours', guid) is None


def test_firmware_exception_fails_at_once(machine):
    machine.add_stick()
    with machine.boot_to_shell() as vm:
        vm.type('mm FFFFFFFFFFFF0000 -MEM -w 8 -n\r')
        with pytest.raises(ConsoleError, match='crashed'):
            vm.expect('never said', timeout=20)


def test_qemu_ended_is_said(machine):
    with machine.boot_to_shell() as vm:
        vm.process.kill()
        with pytest.raises(ConsoleError, match='QEMU ended'):
            vm.expect('anything', timeout=20)


def test_guest_that_switches_off_is_seen(machine):
    with machine.boot_to_shell() as vm:
        vm.type('reset -s\r')
        vm.wait_off(30)


def test_qemu_is_gone_after_the_body_failed(machine):
    with pytest.raises(ZeroDivisionError):
        with machine.boot() as vm:
            raise ZeroDivisionError
    assert vm.process.returncode is not None
    assert machine.vm is None
    assert (machine.workdir / 'console-1.log').exists()


def make_console(tmp_path, received):
    """A console that has received some bytes, without a machine."""
    import os
    read_end, write_end = os.pipe()
    os.write(write_end, received)
    os.close(write_end)
    return Console(read_end, None, open(tmp_path / 'log', 'w', encoding='utf-8'))


def test_escapes_are_removed_and_kept_apart_lines(tmp_path):
    console = make_console(tmp_path, b'\x1b[2J\x1b[01;01Hab\x1b[1m\x1b[33mc\r\n\x1b[04;01Hd'
                                     b'\x1b[05;01H\x1b[=3he\x1b[05;:0Hf\xc3\xa9\r\n')
    console.pump(1)
    assert console.text == 'abc\nd\nef\u00e9\n'


def test_question_of_a_program_is_no_prompt(tmp_path):
    console = make_console(tmp_path, b'\r\nNumber: > ')
    with pytest.raises(ConsoleError):
        console.expect_prompt(5)


def test_prompt_is_seen_only_at_the_end_of_the_console(tmp_path):
    console = make_console(tmp_path, b'FS0:\\> dir\r\nx\r\n\x1b[1mFS1:\\EFI\\> \x1b[0m\x1b[37m')
    assert console.expect_prompt(5) == 'FS1:\\EFI\\'


@pytest.mark.parametrize('text', [
    '!!!! X64 Exception Type - 0E(#PF - Page-Fault)', 'ASSERT_EFI_ERROR (Status = x)',
    'ASSERT [Shell] x.c(3)', 'Synchronous Exception at 0x0'])
def test_crash_messages_are_fatal(tmp_path, text):
    console = make_console(tmp_path, text.encode())
    with pytest.raises(ConsoleError, match='crashed'):
        console.expect('never', timeout=5)
