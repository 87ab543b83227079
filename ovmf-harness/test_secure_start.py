"""Secure Boot on, with keys of the test's own: what `make sign` has signed runs, and starts what firmware trusts.

One start goes through all of it: an unsigned shadowboot in front is refused by the firmware, and so is the boot
manager of Disk 0, which dbx forbids; the signed one comes last and says so. Where it may mend disks with nobody
there it brings what is trusted to Disk 0; where BitLocker is, it leaves them and takes the next disk. A signature
that somebody has made up looks right until firmware computes it: then it is the firmware's answer that is told.
"""
import re
import struct

import pytest

import damage
import pe
import secure_boot
from fat import run
from gpt import ESP, Partition
from mirror import FALLBACK
from mirror_vm import as_machine
from secure_boot import AUTHORITIES, SHA256, Keys, by_make, manager, signature_list, trusting

MANAGER = '/EFI/Microsoft/Boot/bootmgfw.efi'
SIGNED, UNSIGNED = 0x00A0, 0x00A1
DENIED = r'failed to load Boot{:04X} "[^"]*" from .*: Access Denied'


def signed_by_make(keys, folder):
    """The program as `make sign` leaves it."""
    leaf = keys.path(AUTHORITIES[0], 'leaf')
    line, environment = by_make(f'KEY={leaf}.key', f'CERT={leaf}', f'SIGNED={folder}/signed.efi', 'sign')
    secure_boot.run(*line, env=environment)
    return (folder / 'signed.efi').read_bytes()


def with_another_signature(data):
    """All is as it was but for a byte of what only the owner of the key can work out: the last field in its table."""
    place, size = struct.unpack_from('<II', data, pe.security_directory(data))
    length = 8 + 4 + struct.unpack_from('>H', data, place + 8 + 2)[0]             # WIN_CERTIFICATE, SEQUENCE
    assert data[place + 8:place + 10] == b'\x30\x82' and length <= size < length + 8
    at = place + length - 100
    return pe.set_checksum(data[:at] + bytes([data[at] ^ 1]) + data[at + 1:])


@pytest.mark.parametrize('way', ['mended', 'bitlocker', 'made up'])
def test_signed_it_runs_and_takes_what_firmware_trusts(way, bases, tmp_path, product):
    keys = Keys(tmp_path / 'keys')
    signed = signed_by_make(keys, tmp_path)
    run('sbverify', '--cert', keys.path(AUTHORITIES[0], 'leaf'), tmp_path / 'signed.efi')
    bitlocker = way != 'mended'         # no disk is changed
    bad, trusted = (keys.sign(manager(name), AUTHORITIES[0]) for name in ('bootmgfw', 'bootmgfw of Disk 1'))
    forbidden = keys.digest(manager('of nobody') if way == 'made up' else bad)
    bad = with_another_signature(bad) if way == 'made up' else bad
    setup = bases('mirror').copy(tmp_path / 'setup')
    for line in ['entry 1 delete', *(['ntfs 0 bitlocker', 'ntfs 1 bitlocker'] if bitlocker else [])]:
        damage.apply(setup, line)
    for index, program in ((0, bad), (1, trusted)):
        setup.volume(index, change=True).put(MANAGER, program).put(FALLBACK, manager())
    machine = as_machine(setup, tmp_path / 'vm', [0, 1])
    machine.cold = True                 # whether it is on, firmware knows long before its drivers
    stick = machine.add_stick({'EFI/BOOT/BOOTX64.EFI': signed, 'unsigned.efi': product,
                               'EFI/shadowboot/shadowboot.conf': 'mode = start\ntimeout = 0\n'},
                              partitions=[Partition(ESP)])
    secure_boot.enrol(machine.nvram, keys, trusting(keys, AUTHORITIES[0]),
                      signature_list(SHA256, forbidden))
    machine.nvram.set_entry(SIGNED, 'shadowboot', stick.esp.short_path('\\EFI\\BOOT\\BOOTX64.EFI'))
    machine.nvram.set_entry(UNSIGNED, 'unsigned', stick.esp.short_path('\\unsigned.efi'), order='first')
    with machine.boot() as vm:
        vm.expect(DENIED.format(UNSIGNED), timeout=120)
        vm.expect(DENIED.format(0))
        start = vm.console.position
        seen = vm.wait_standin(timeout=120)
        said = vm.console.text[start:vm.console.position]
    disk = 0 if way == 'mended' else 1
    assert seen.esp == setup.disk(disk).parts['esp'].guid.lower(), said
    assert f'Starting from Disk {disk}' in said
    if way == 'made up':
        assert re.search(r'Starting from Disk 0 by Boot0000 .*\n+Secure Boot refuses it \(error (15|26)\)\.', said), said
    elif way == 'bitlocker':
        assert 'Secure Boot' in said and 'bring' not in said, said
    else:
        assert 'to Disk 0 Partition 1' in ' '.join(said.replace('\n', ' ').split()), said
