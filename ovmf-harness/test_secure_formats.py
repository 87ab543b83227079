"""What Secure Boot is made of, as others made it: Microsoft's lists and certificates, the signed shim and
GRUB of Debian, and the variables of Debian's OVMF. openssl, sbverify and the lists' own README say what
is in them."""
import os
import re
import struct
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from conftest import tool
from nvram import GLOBAL, Nvram
from secure_boot import SECURITY, run

SHARED = Path(os.environ.get('SHADOWBOOT_SHARED', Path(__file__).parent.parent.parent / 'shared'))
DATA = SHARED / 'data/secureboot'
# What each update holds: kinds with their numbers, the certificate, the boot manager's SVN.
UPDATES = {
    'sbo-DBXUpdate.bin': ({'digest': 443}, None, None),
    'sbo-DBXUpdateSVN.bin': ({'svn': 3}, None, '9.0'),
    'sbo-DBXUpdate2024.bin': ({'certificate': 1, 'svn': 3}, 'Microsoft Windows Production PCA 2011', '2.0'),
    'sbo-DBUpdate2024.bin': ({'certificate': 1}, 'Windows UEFI CA 2023', None),
    'sbo-DBUpdate3P2023.bin': ({'certificate': 1}, 'Microsoft UEFI CA 2023', None),
    'sbo-DBUpdateOROM2023.bin': ({'certificate': 1}, 'Microsoft Option ROM UEFI CA 2023', None)}
SHIM = Path('/usr/lib/shim/shimx64.efi.signed')
GRUB = Path('/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed')


def dump(*words):
    done = subprocess.run([tool('secure_dump'), *map(str, words)], stdout=subprocess.PIPE, check=True)
    return done.stdout.decode().splitlines()


def needs(path):
    if not path.exists():
        pytest.skip(f'no {path.name} in ../shared/data')
    return path


@pytest.mark.parametrize('name', UPDATES)
def test_lists_of_microsoft_hold_what_their_readme_says(name):
    kinds, certificate, svn = UPDATES[name]
    lines = dump('lists', needs(DATA / name))
    assert Counter(line.split()[0] for line in lines) == kinds
    assert certificate is None or any(line.endswith(certificate) for line in lines)
    assert svn is None or f'svn bootmgfw {svn}' in lines


def told_by_openssl(path):
    text = run('openssl', 'x509', '-inform', 'der', '-in', path, '-noout', '-fingerprint', '-sha256',
               '-enddate', '-dateopt', 'iso_8601', '-nameopt', 'multiline', '-subject').decode()
    digest = re.search('Fingerprint=(.*)', text)[1].replace(':', '').lower()
    return digest, re.search(r'notAfter=(\S+)', text)[1], re.search('commonName += (.*)', text)[1]


@pytest.mark.parametrize('name', ['MicCorUEFCA2011_2011-06-27', 'MicWinProPCA2011_2011-10-19',
                                  'microsoft-uefi-ca-2023', 'windows-uefi-ca-2023'])
def test_certificates_are_those_that_openssl_reads(name):
    path = needs(DATA / f'sbo-{name}.der')
    (line,) = dump('certificate', path)
    digest, end, common = told_by_openssl(path)
    assert line.split(maxsplit=4) == ['certificate', digest, line.split()[2], end, common]


def test_signers_of_debians_programs_are_those_of_sbverify():
    for path in (SHIM, GRUB):
        lines = dump('program', 'X64', path)
        told = run('sbverify', '--list', path).decode()
        signers = re.findall(r'image signature issuers:\n - .*CN=(.*)', told)
        assert [line for line in lines if line.startswith('signature')] == ['signature success right'] * len(signers)
        chains = re.findall('subject: .*CN=(.*)', told)
        assert [line.split(maxsplit=4)[4] for line in lines if line.startswith('certificate')] == chains
        assert 'sbat' in lines
    assert len(signers) == 1 and len(chains) == 1       # GRUB's, below a certificate that only shim has


def test_levels_that_debians_shim_brings_are_those_in_its_section(tmp_path):
    """The name of the section is in a table of names, which binutils reads."""
    run('objcopy', '-O', 'binary', '--only-section=.sbatlevel', SHIM, tmp_path / 'section')
    data = (tmp_path / 'section').read_bytes()
    assert data[:4] == bytes(4)
    places = struct.unpack_from('<2I', data, 4)
    texts = [data[4 + place:].split(b'\0')[0].decode() for place in places]
    assert all(text.startswith('sbat,1,20') and text.endswith('\n') for text in texts), texts
    lines = '\n'.join(dump('program', 'X64', SHIM))
    assert lines.endswith(''.join(f'levels\n{text}' for text in texts).rstrip('\n')), lines
    assert 'levels' not in dump('program', 'X64', GRUB)


def test_program_that_was_cut_or_changed_is_not_right(tmp_path):
    whole = bytearray(GRUB.read_bytes())
    whole[0x3000] ^= 1
    (tmp_path / 'changed.efi').write_bytes(whole)
    assert 'signature success wrong' in dump('program', 'X64', tmp_path / 'changed.efi')


def test_variables_of_debians_firmware(tmp_path):
    nvram = Nvram(Path('/usr/share/OVMF/OVMF_VARS_4M.ms.fd'))
    names = {}
    for name, vendor in (('KEK', GLOBAL), ('db', SECURITY), ('dbx', SECURITY)):
        (tmp_path / name).write_bytes(nvram.get(name, vendor).data)
        names[name] = [line.split(maxsplit=4)[-1] for line in dump('lists', tmp_path / name)]
    assert names['db'] == ['Microsoft Windows Production PCA 2011', 'Microsoft Corporation UEFI CA 2011']
    assert names['KEK'][1] == 'Microsoft Corporation KEK CA 2011'
    assert len(names['dbx']) == 1
