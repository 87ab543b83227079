"""The screen under OVMF, 80 columns and 25 rows over a serial line: lines, colours, pages, files.

The harness has lines left whole elsewhere (Vm.to_shell), so the same command is asked for both forms here.
"""
import pytest

import damage
import mirror_vm

COLUMNS = 80
MORE = '-- Enter goes on, q leaves out the rest --'
BOLD_RED, BOLD_YELLOW = b'\x1b[1m\x1b[31m', b'\x1b[1m\x1b[33m'


@pytest.fixture
def server(bases, tmp_path, product):
    """A mirror whose second disk has no boot store, and the program on a stick."""
    case = {case.name: case for case in damage.all_cases()}['shadow-store-missing']
    setup = bases(case.base).copy(tmp_path / 'case')
    case.apply(setup)
    machine = mirror_vm.as_machine(setup, tmp_path / 'vm', range(len(setup.disks)))
    stick = machine.add_stick({'shadowboot.efi': product})
    with machine.boot_to_shell() as vm:
        vm.cd(stick)
        yield vm, stick


def real_screen(vm):
    """As it is for people: the width is the firmware's."""
    vm.shell('set -d COLUMNS')
    vm.shell('mode 80 25')


def raw_bytes(console):
    """All that arrives from now on, as it does."""
    arrived, take = [], console._add
    console._add = lambda data: (arrived.append(data), take(data))
    return arrived


def words_of(lines):
    return ' '.join(lines).split()


def test_no_word_is_broken(server):
    vm, stick = server
    whole = [line.rstrip() for line in vm.shell('shadowboot status')]
    assert max(map(len, whole)) > COLUMNS
    real_screen(vm)
    arrived = raw_bytes(vm.console)
    lines = [line.rstrip() for line in vm.shell('shadowboot status')]
    assert max(map(len, lines)) < COLUMNS
    assert words_of(lines) == words_of(whole)
    assert len([line for line in lines if not line]) == len([line for line in whole if not line])
    raw = b''.join(arrived)
    assert BOLD_RED in raw and BOLD_YELLOW in raw
    # in a file lines are whole, and nothing is there but the text
    vm.shell('shadowboot status > whole.txt')
    data = stick.volume.get('whole.txt')
    text = data.decode('utf-16').replace('\r\n', '\n')
    assert [line.rstrip() for line in text.rstrip('\n').split('\n')] == whole


def test_pages_wait_for_a_key(server):
    vm, _ = server
    real_screen(vm)
    lines = [line.rstrip() for line in vm.shell('shadowboot status')]
    assert len(lines) > 25
    vm.type('shadowboot status -b\r')
    vm.console.expect_echo('shadowboot status -b')
    start = vm.console.position
    vm.expect(MORE)
    page = vm.console.text[start:vm.console.position - len(MORE)].strip('\n').split('\n')
    assert [line.rstrip() for line in page] == lines[:len(page)] and len(page) < 25
    assert not lines[len(page)].startswith(' ')   # nothing that belongs together is torn
    vm.key('enter')
    vm.console.expect_prompt()
    rest = vm.console.text[start:]
    assert words_of([lines[-1]]) == words_of([rest.rstrip().split('\n')[-2]])
    # and what is left out is left out
    vm.type('shadowboot status -b\r')
    vm.expect(MORE)
    start = vm.console.position
    vm.type('q')
    vm.console.expect_prompt()
    assert 'Starts from' not in vm.console.text[start:]
