"""Shim's levels under OVMF: Debian's own shim, signed by the test's key, and a second stage that is at the level
of SbatLevel, below it, or has none. The verdict on the disk is what happens with it.

SbatLevel is newer than what shim itself brings, or older: shim puts its own in its place then, and goes by that.
"""
from pathlib import Path

import mirror
import pe
import pytest
import secure_boot
from fat import run
from machine import COUNTDOWN, STANDIN
from mirror_vm import NOTHING, as_machine
from secure_boot import AUTHORITIES, Keys, trusting

SHIM = Path('/usr/lib/shim/shimx64.efi')
FOLDER = '/EFI/debian'
VENDOR = '605dab50-e046-4300-abb6-3dd810dd8b23'
LEVEL = b'sbat,1,2099010100\nshim,4\ngrub,5\n'
OLD_LEVEL = b'sbat,1,2022010100\nshim,1\ngrub,1\n'
# Shim says so in a box on the screen, and waits for somebody to press a key.
REFUSED = r'Verification failed: [^\n]*Security Violation'
STAGES = {'at the level': b'grub,5', 'above it': b'grub,6', 'below it': b'grub,4', 'without a level': None}


def grub(folder, line):
    """The stand-in as GRUB with that line of its own; binutils put the section in."""
    source, section, target = (folder / name for name in ('plain.efi', 'sbat.bin', 'grub.efi'))
    source.write_bytes(mirror.standin())
    if line is None:
        return mirror.boot_program('grub')
    section.write_bytes(b'sbat,1,SBAT Version,sbat,1,url\n' + line + b',Free Software Foundation,grub,2.06,url\n')
    run('objcopy', '--add-section', f'.sbat={section}', '--set-section-flags', '.sbat=alloc,load,readonly,data',
        '--change-section-address', '.sbat=0x60000', source, target)
    data = target.read_bytes() + b'grub'.ljust(64, b'\0')
    return pe.set_checksum(data + bytes(-len(data) % 8))


def levels_of_shim(folder):
    """What shim makes its SbatLevel by itself."""
    run('objcopy', '-O', 'binary', '--only-section=.sbatlevel', SHIM, folder / 'levels')
    data = (folder / 'levels').read_bytes()
    return data[4 + int.from_bytes(data[4:8], 'little'):].split(b'\0')[0]


@pytest.mark.parametrize('name, level', [*((name, LEVEL) for name in STAGES),
                                         ('at the level', OLD_LEVEL), ('below it', OLD_LEVEL)],
                         ids=lambda value: value if isinstance(value, str) else value[7:11].decode())
def test_shim_does_what_the_verdict_says(name, level, bases, tmp_path):
    own = levels_of_shim(tmp_path)
    assert b'grub,5\n' in own
    keys = Keys(tmp_path / 'keys')
    setup = bases('md').copy(tmp_path / 'setup')
    db = trusting(keys, AUTHORITIES[0])
    setup.volume(0, change=True).put(f'{FOLDER}/shimx64.efi', keys.sign(SHIM.read_bytes(), AUTHORITIES[0])).put(
        f'{FOLDER}/grubx64.efi', keys.sign(grub(tmp_path, STAGES[name]), AUTHORITIES[0]))
    secure_boot.put_lists(setup.variables, keys, db, b'')
    setup.variables[f'{{{VENDOR}}}/SbatLevel'] = (3, level)
    text = setup.run('status', '-sfo').text
    verdict = secure_boot.rows(text, 'VerdictInfo')[0]
    machine = as_machine(setup, tmp_path / 'vm', [0])
    machine.cold = True                 # whether it is on, firmware knows long before its drivers
    secure_boot.enrol(machine.nvram, keys, db, b'')
    machine.nvram.set('SbatLevel', level, guid=VENDOR, attributes=3)
    with machine.boot() as vm:
        seen = vm.expect(STANDIN, COUNTDOWN, REFUSED, NOTHING, timeout=240)
    assert machine.nvram.get('SbatLevel', VENDOR).data == max(level, own)
    assert seen.re is STANDIN or 'Security Violation' in seen[0], seen[0]
    assert (verdict[1] == 'starts') == (seen.re is STANDIN), (verdict, seen[0])
    assert (verdict[1] == 'starts') == (name in ('at the level', 'above it')), text
    if verdict[1] != 'starts':
        made = '' if level == LEVEL else ' as shim itself makes it'
        assert f'its level is below that of SbatLevel{made}, or it has none.' in text.replace('^"', '"'), text
