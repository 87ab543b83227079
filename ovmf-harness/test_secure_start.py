"""Secure Boot on, with keys of the test's own: what `make sign` has signed runs, and starts what firmware trusts.

One start goes through all of it: an unsigned shadowboot in front is refused by the firmware, and so is the boot
manager of Disk 0, which dbx forbids; the signed one comes last and says so. Where it may mend disks with nobody
there it brings what is trusted to Disk 0; where BitLocker is, it leaves them and takes the next disk.
"""
import os

import pytest

import damage
import secure_boot
from conftest import ROOT
from fat import run
from gpt import ESP, Partition
from mirror import FALLBACK
from mirror_vm import as_machine
from secure_boot import AUTHORITIES, SHA256, Keys, manager, signature_list, trusting

MANAGER = '/EFI/Microsoft/Boot/bootmgfw.efi'
SIGNED, UNSIGNED = 0x00A0, 0x00A1
DENIED = r'failed to load Boot{:04X} "[^"]*" from .*: Access Denied'


def signed_by_make(keys, folder):
    """The program as `make sign` leaves it."""
    leaf = keys.path(AUTHORITIES[0], 'leaf')
    environment = {name: value for name, value in os.environ.items() if not name.startswith('MAKE')}
    build = os.environ.get('SHADOWBOOT_BUILD', ROOT / 'build')
    run('make', '-C', ROOT, f'BUILD={os.path.relpath(build, ROOT)}', f'KEY={leaf}.key', f'CERT={leaf}',
        f'SIGNED={folder}/signed.efi', 'sign')
    return (folder / 'signed.efi').read_bytes()


@pytest.mark.parametrize('bitlocker', [False, True])
def test_signed_it_runs_and_takes_what_firmware_trusts(bitlocker, bases, tmp_path, product):
    keys = Keys(tmp_path / 'keys')
    signed = signed_by_make(keys, tmp_path)
    run('sbverify', '--cert', keys.path(AUTHORITIES[0], 'leaf'), tmp_path / 'signed.efi')
    forbidden, trusted = (keys.sign(manager(name), AUTHORITIES[0]) for name in ('bootmgfw', 'bootmgfw of Disk 1'))
    setup = bases('mirror').copy(tmp_path / 'setup')
    for line in ['entry 1 delete', *(['ntfs 0 bitlocker', 'ntfs 1 bitlocker'] if bitlocker else [])]:
        damage.apply(setup, line)
    for index, program in ((0, forbidden), (1, trusted)):
        setup.volume(index, change=True).put(MANAGER, program).put(FALLBACK, manager())
    machine = as_machine(setup, tmp_path / 'vm', [0, 1])
    machine.cold = True                 # whether it is on, firmware knows long before its drivers
    stick = machine.add_stick({'EFI/BOOT/BOOTX64.EFI': signed, 'unsigned.efi': product,
                               'EFI/shadowboot/shadowboot.conf': 'mode = start\ntimeout = 0\n'},
                              partitions=[Partition(ESP)])
    secure_boot.enrol(machine.nvram, keys, trusting(keys, AUTHORITIES[0]),
                      signature_list(SHA256, keys.digest(forbidden)))
    machine.nvram.set_entry(SIGNED, 'shadowboot', stick.esp.short_path('\\EFI\\BOOT\\BOOTX64.EFI'))
    machine.nvram.set_entry(UNSIGNED, 'unsigned', stick.esp.short_path('\\unsigned.efi'), order='first')
    with machine.boot() as vm:
        vm.expect(DENIED.format(UNSIGNED), timeout=120)
        vm.expect(DENIED.format(0))
        start = vm.console.position
        seen = vm.wait_standin(timeout=120)
        said = vm.console.text[start:vm.console.position]
    disk = 1 if bitlocker else 0
    assert seen.esp == setup.disk(disk).parts['esp'].guid.lower(), said
    assert f'Starting from Disk {disk}' in said
    if bitlocker:
        assert 'Secure Boot' in said and 'bring' not in said, said
    else:
        assert 'to Disk 0 Partition 1' in ' '.join(said.replace('\n', ' ').split()), said
