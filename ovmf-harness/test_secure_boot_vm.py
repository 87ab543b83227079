"""Secure Boot under OVMF: what the lists say of each boot file is what firmware does with it."""
import struct

import secure_boot
import pytest
from devicepath import hd, file, path
from mirror_vm import as_machine
from machine import COUNTDOWN, STANDIN
from secure_boot import AUTHORITIES, MACHINES
from test_secure_boot import MANAGER, files, keys, machine_with  # noqa: F401: fixtures

PROGRAM = '/EFI/tools/shadowbootx64.efi'
NUMBER = 0x00A0
# What lies where; then which disk starts, and whom firmware trusts that shadowboot is signed by.
PLACES = {(0, MANAGER): 'old', (0, '/EFI/BOOT/BOOTX64.EFI'): 'unsigned', (1, MANAGER): 'new',
          (1, '/EFI/BOOT/BOOTX64.EFI'): 'altered'}
STARTS = {'2011 only': (0, AUTHORITIES[0]), '2011 and 2023': (0, AUTHORITIES[1]), '2011 forbidden': (1, AUTHORITIES[1]),
          'SVN raised': (0, AUTHORITIES[0]), 'hash forbidden': (1, AUTHORITIES[0])}


def entry_path(setup, index, name):
    part = setup.disk(index).parts['esp']
    return path(hd(part.number, part.first_lba, part.blocks, part.guid), file(name.replace('/', '\\')))


@pytest.mark.parametrize('name', STARTS)
def test_firmware_does_what_the_lists_say(name, bases, tmp_path, keys, files, product):  # noqa: F811
    disk, signer = STARTS[name]
    db, dbx = MACHINES[name](keys, files)
    setup = machine_with(bases, tmp_path, PLACES, (db, dbx), keys, files)
    # Signed without more: firmware has the authority in its db.
    setup.volume(0, change=True).put(PROGRAM, keys.sign(product.read_bytes(), signer))
    machine = as_machine(setup, tmp_path / 'vm', [0, 1])
    machine.cold = True                     # whether it is on, firmware knows long before its drivers
    secure_boot.enrol(machine.nvram, keys, db, dbx)
    machine.nvram.set_entry(NUMBER, 'shadowboot', entry_path(setup, 0, PROGRAM),
                            optional='secureboot -ask -sfo\0'.encode('utf-16-le'), order='first')
    with machine.boot() as vm:
        match = vm.expect(STANDIN, COUNTDOWN, timeout=120)
        log = vm.machine.workdir.joinpath(f'console-{machine.boots}.log').read_text(errors='replace')
    rows = secure_boot.rows(log, 'SecureFileInfo')
    state = secure_boot.rows(log, 'SecureBootInfo')
    assert [row[0] for row in state] == ['on'], log
    seen = {(int(row[0]), row[2].upper()): (row[3] == 'accepted', row[8]) for row in rows}
    for (index, place), kind in PLACES.items():
        ours, firmware = seen[index, place.replace('/', '\\').upper()]
        wanted = secure_boot.accepted(keys, db, dbx, files[kind])
        assert (ours, firmware) == (wanted, 'accepted' if wanted else 'refused'), (kind, log)
    # And it starts the first manager that the lists take, by the entries as they are.
    assert match.re is STANDIN, log
    assert match.groupdict()['entry'] == f'Boot{disk:04X}', log
    assert struct.unpack('<H', machine.nvram.get('BootOrder').data[:2])[0] == NUMBER
