"""A mirror whose second disk was never made ready, under whichever firmware runs it (firmware.py).

One machine, looked at, changed, taken back and repaired from the stick; then its first disk is out, and
what starts tells a token that stands on the ESP of the second one alone.
"""
import re
import secrets
import tempfile
from pathlib import Path

import damage
import pytest
from firmware import FIRMWARE
from machine import Machine
from repair_vm import Server
from uboot import STORE, UbootMachine

KIND = UbootMachine if FIRMWARE.name == 'u-boot' else Machine
VENDOR = 'Das U-Boot' if FIRMWARE.name == 'u-boot' else 'EDK II'
TIMEOUT = 240                    # SMM is slow, and so is another architecture's processor


def server_with(base, tmp_path, lines):
    setup = base('mirror').copy(tmp_path / 'setup')
    for line in lines:
        damage.apply(setup, line)
    return Server(setup, tmp_path, FIRMWARE.program, KIND)


def files_of(disk):
    """{path: bytes} of its ESP, without what is the firmware's and ours."""
    disk.reread()
    with tempfile.TemporaryDirectory() as folder:
        disk.esp.get_tree(folder)
        return {name: path.read_bytes() for path in sorted(Path(folder).rglob('*'))
                if path.is_file() and (name := f'/{path.relative_to(folder)}') not in (STORE, '/token.txt')}


def words(result):
    """The text in one line: a screen of 80 columns breaks it."""
    return re.sub(r'\s+', ' ', result.text)


def run(vm, command, status=0):
    result = vm.run(command, timeout=TIMEOUT)
    assert result.status & 0xFF == status, f'{command}: {result.status:#x}\n{result.text}'
    return words(result)


@pytest.fixture
def server(bases, tmp_path):
    made = server_with(bases, tmp_path, ['esp 1 delete /EFI/Microsoft/Boot/BCD',
                                         f'esp 1 delete {FIRMWARE.fallback}', 'entry 1 delete'])
    yield made
    if made.machine.vm:
        made.machine.vm.close()


def test_mirror_is_seen_changed_taken_back_and_repaired(server):
    machine, (first, second) = server.machine, [server.disks[index] for index in (0, 1)]
    before = files_of(second)
    with machine.boot_to_shell(TIMEOUT) as vm:
        vm.cd(server.stick)
        said = run(vm, 'shadowboot version')
        assert f'({FIRMWARE.arch.upper()}) Firmware: {VENDOR}, revision' in said and 'Secure Boot: off' in said
        # 256 MiB: what is read of a disk's size is right.
        assert '268,435,456 bytes (256 MiB), blocks of 512 bytes' in run(vm, 'shadowboot disks')
        said = run(vm, 'shadowboot status', 65)
        assert 'The fallback boot file is missing' in said and FIRMWARE.fallback.replace('/', '\\') in said
        assert 'Done: 2 changes made and checked.' in run(vm, 'shadowboot clone -y')
        run(vm, 'shadowboot undo -y')
        assert 'No boot entry starts from this EFI System Partition' in run(vm, 'shadowboot status', 65)
        assert 'This machine starts from each of its boot disks alone.' in run(vm, 'shadowboot repair -y')
        run(vm, 'shadowboot undo -y')
        assert files_of(second) == before
        said = run(vm, 'shadowboot repair -y')
        by = FIRMWARE.fallback.replace('/', '\\') if KIND is UbootMachine else 'Boot0'
        assert f'Starts from Disk 1 alone: yes, by {by}' in said
    after = files_of(second)
    second.esp.fsck()
    if not first.esp.exists(STORE):  # U-Boot, which writes it, leaves a wrong number of free clusters
        first.esp.fsck()
    assert after[FIRMWARE.fallback] == after['/EFI/Microsoft/Boot/bootmgfw.efi']
    token = secrets.token_hex(8)
    second.esp.put('/token.txt', token.encode())
    machine.pull(first)
    machine.pull(server.stick)
    with machine.boot() as vm:
        assert vm.wait_standin(TIMEOUT).token == token
