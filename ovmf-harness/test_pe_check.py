"""What the check of EFI programs makes of real ones, whole and damaged.

The programs come from Debian packages and from our own build; tests/tools/pe_dump.c prints the
verdict on each file it is given.
"""
import os
import struct
import subprocess
from pathlib import Path

import pytest

from firmware import ROOT

CLUSTER = 4096
PLACES = 16
BUILD = Path(os.environ.get('SHADOWBOOT_BUILD', ROOT / 'build')).absolute()

# Name: path, architecture.
PROGRAMS = {
    # Signed with SHA-256, checksum.
    'kernel': (BUILD / 'linux/vmlinuz.efi', 'X64'),
    # Not signed, with a checksum.
    'shim': ('/usr/lib/shim/shimx64.efi', 'X64'),
    'fallback': ('/usr/lib/shim/fbx64.efi', 'X64'),
    'mok-manager': ('/usr/lib/shim/mmx64.efi', 'X64'),
    'systemd-boot': ('/usr/lib/systemd/boot/efi/systemd-bootx64.efi', 'X64'),
    'systemd-stub': ('/usr/lib/systemd/boot/efi/linuxx64.efi.stub', 'X64'),
    # Its loader flags were set after its checksum was made.
    'fwupd': ('/usr/libexec/fwupd/efi/fwupdx64.efi', 'X64'),
    # Neither signature nor checksum; all in one section, some pages of which are zero.
    'syslinux': ('/usr/lib/SYSLINUX.EFI/efi64/syslinux.efi', 'X64'),
    'syslinux32': ('/usr/lib/SYSLINUX.EFI/efi32/syslinux.efi', 'IA32'),
}
PROVEN = [name for name in PROGRAMS if not name.startswith('syslinux')]


class Image:
    """Just what the tests need of a PE image, read on their own."""

    def __init__(self, data):
        self.data = data
        header = struct.unpack_from('<I', data, 60)[0]
        sections, optional_size = struct.unpack_from('<6xH12xH', data, header)[:2]
        optional = header + 24
        self.checksum_at = optional + 64
        first = 112 if data[optional:optional + 2] == b'\x0b\x02' else 96
        self.signature = struct.unpack_from('<II', data, optional + first + 32)
        self.sections = [struct.unpack_from('<16xII12xI', data, optional + optional_size + 40 * i)
                         for i in range(sections)]
        self.extent = max([offset + size for size, offset, _ in self.sections if size]
                          + [sum(self.signature)])

    def code_pages(self):
        """Offsets of whole clusters in sections of code."""
        return [at for size, offset, flags in self.sections if flags & 0x20
                for at in range(-(-offset // CLUSTER) * CLUSTER, offset + size - CLUSTER + 1, CLUSTER)]


def load(name):
    path, architecture = PROGRAMS[name]
    if not Path(path).is_file():
        pytest.fail(f'{path} is missing: run "make deps linux"')
    return Path(path).read_bytes(), architecture


def tool_path():
    tool = Path(os.environ.get('SHADOWBOOT_TOOLS', ROOT / 'build/host/tools')).absolute() / 'pe_dump'
    if not tool.is_file():
        pytest.fail(f'{tool} is missing: build it, or set $SHADOWBOOT_TOOLS')
    return tool


def verdicts(folder, architecture, contents):
    """The verdict on each of the contents."""
    files = []
    for i, content in enumerate(contents):
        files.append(folder / f'{i}.efi')
        files[-1].write_bytes(content)
    run = subprocess.run([tool_path(), architecture, *files], capture_output=True, text=True, check=True)
    for file in files:
        file.unlink()
    return [line.split()[0] for line in run.stdout.splitlines()]


def cleared(data, at, size=CLUSTER):
    return data[:at] + bytes(len(data[at:at + size])) + data[at + size:]


def clusters(data):
    """Sixteen places, spread over the file, where a cluster is that is not zero; never the first."""
    full = [at for at in range(CLUSTER, len(data), CLUSTER) if any(data[at:at + CLUSTER])]
    return [full[i * len(full) // PLACES] for i in range(PLACES)]


@pytest.mark.parametrize('name', PROGRAMS)
def test_real_program_is_good_for_its_architecture_only(tmp_path, name):
    data, architecture = load(name)
    assert verdicts(tmp_path, architecture, [data]) == ['GOOD']
    for other in {'X64', 'IA32', 'AA64', 'ARM', 'RISCV64'} - {architecture}:
        assert verdicts(tmp_path, other, [data]) == ['OTHER_MACHINE']


def test_own_programs_are_good(tmp_path, product, standin):
    assert verdicts(tmp_path, 'X64', [product.read_bytes(), standin.read_bytes()]) == ['GOOD', 'GOOD']


@pytest.mark.parametrize('name', PROGRAMS)
def test_truncated_program(tmp_path, name):
    data, architecture = load(name)
    extent = Image(data).extent
    cuts = [extent * i // (PLACES + 1) for i in range(1, PLACES + 1)] + [extent - 1]
    assert verdicts(tmp_path, architecture, [data[:cut] for cut in cuts]) == ['TRUNCATED'] * len(cuts)


@pytest.mark.parametrize('name', PROVEN)
def test_program_with_a_cluster_of_zeros(tmp_path, name):
    data, architecture = load(name)
    places = clusters(data)
    code = Image(data).code_pages()
    damaged = {'BAD_DIGEST', 'ZERO_FILLED'} if name == 'kernel' else {'BAD_CHECKSUM', 'ZERO_FILLED'}
    found = verdicts(tmp_path, architecture, [cleared(data, at) for at in places])
    for at, verdict in zip(places, found):
        assert verdict in damaged, hex(at)
        if at in code:
            assert verdict == 'ZERO_FILLED', hex(at)


@pytest.mark.parametrize('name', PROVEN)
def test_program_with_a_changed_byte(tmp_path, name):
    data, architecture = load(name)
    end = Image(data).signature[0] or len(data)
    count = 4 if name == 'kernel' else PLACES
    places = [CLUSTER + (end - CLUSTER) * i // count for i in range(count)]
    changed = [data[:at] + bytes([data[at] ^ 0x20]) + data[at + 1:] for at in places]
    expected = 'BAD_DIGEST' if name == 'kernel' else 'BAD_CHECKSUM'
    assert verdicts(tmp_path, architecture, changed) == [expected] * count


def test_signed_program_with_a_wrong_checksum_is_good(tmp_path):
    data, architecture = load('kernel')
    image = Image(data)
    assert image.signature[1] > 0
    changed = bytearray(data)
    struct.pack_into('<I', changed, image.checksum_at, 0x12345)
    assert verdicts(tmp_path, architecture, [bytes(changed)]) == ['GOOD']


def test_program_without_checksum_shows_zeros_in_its_code_only(tmp_path):
    data, architecture = load('systemd-boot')
    image = Image(data)
    plain = bytearray(data)
    struct.pack_into('<I', plain, image.checksum_at, 0)
    places = [at for at in range(CLUSTER, len(data), CLUSTER) if any(data[at:at + CLUSTER])]
    found = verdicts(tmp_path, architecture, [cleared(bytes(plain), at) for at in places])
    code = image.code_pages()
    assert found == ['ZERO_FILLED' if at in code else 'GOOD' for at in places]
    assert 'ZERO_FILLED' in found


@pytest.mark.parametrize('name', PROGRAMS)
def test_program_that_is_gone(tmp_path, name):
    data, architecture = load(name)
    contents = [b'', bytes(len(data)), cleared(data, 0), b'\xff' * len(data)]
    assert verdicts(tmp_path, architecture, contents) == ['EMPTY', 'ZERO', 'NOT_AN_IMAGE', 'NOT_AN_IMAGE']
