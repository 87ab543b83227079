"""What the program asks of the firmware, counted by watch/watch.c: memory is taken in small pieces and all
given back, lines are written as they are, not in pieces, and drivers are put on and taken off only where a disk was changed."""
import re

import pytest

from demo import built
from gpt import ESP, Partition
from machine import LOADER, MIB, Machine

PAGE = 4096
LARGEST = 2 * MIB    # the buffer of the block port, aligned; the arena's steps are smaller
WATCH = re.compile(r'WATCH (?P<counts>(?:\w+=\d+ ?)+)')
COMMANDS = ('help undo', 'disks', 'status', 'prepare 1 -y -format')


def watched(vm, arguments):
    """The counts of one command, and how many lines it printed."""
    lines = vm.shell(f'watch shadowboot.efi {arguments}')
    found = WATCH.search('\n'.join(lines))
    assert found, lines
    counts = {name: int(value) for name, value in re.findall(r'(\w+)=(\d+)', found['counts'])}
    return counts, len(lines)


@pytest.fixture(scope='module')
def counts(tmp_path_factory):
    """Counts and lines by command, all in one machine."""
    machine = Machine(tmp_path_factory.mktemp('calls'))
    source = machine.add_disk('nvme', 80 * MIB, partitions=[Partition(ESP, 2048, 64 * MIB // 512)])
    machine.add_disk('nvme', 160 * MIB)
    stick = machine.add_stick({'shadowboot.efi': built('SHADOWBOOT_EFI', 'build/shadowbootx64.efi'),
                               'watch.efi': built('SHADOWBOOT_WATCH', 'build/watch.efi')})
    standin = built('SHADOWBOOT_STANDIN', 'build/x64/standin.efi')
    source.esp.format(32).put('/EFI/Microsoft/Boot/bootmgfw.efi', standin)
    machine.nvram.set_entry(0, 'Windows Boot Manager', source.esp.short_path(LOADER))
    with machine.boot_to_shell() as vm:
        vm.cd(stick)
        return {command: watched(vm, command) for command in COMMANDS}


@pytest.mark.parametrize('command', COMMANDS)
def test_memory_is_taken_in_small_pieces_and_given_back(counts, command):
    count, _ = counts[command]
    assert count['left'] == 0
    assert count['largest'] * PAGE <= LARGEST
    # The buffer, and what the command needs: far from half of the machine.
    assert count['most'] * PAGE <= (4 * MIB if command in ('help undo', 'disks') else 16 * MIB)


@pytest.mark.parametrize('command', COMMANDS)
def test_a_line_is_one_string_and_a_few_where_it_is_coloured(counts, command):
    count, lines = counts[command]
    assert 0 < count['strings'] <= 2 * lines


@pytest.mark.parametrize('command', COMMANDS)
def test_drivers_are_changed_only_where_a_disk_is(counts, command):
    count, _ = counts[command]
    if command.startswith('prepare'):
        assert count['status'] == 0
        assert (count['connects'], count['disconnects'] <= 2) == (1, True)
    else:
        assert (count['connects'], count['disconnects']) == (0, 0)
