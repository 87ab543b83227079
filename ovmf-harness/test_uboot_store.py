"""U-Boot keeps its boot entries in a file on an ESP: what that means for the disks of a mirror, on images.

Under the firmware itself: test_firmwares.py.
"""
import re
import subprocess

import damage
import pytest
import repaired
from fat_bytes import FatBytes
from mirror import FALLBACK, STORED
from nvram import GLOBAL, Variable
from sparse import copy_range
from uboot import HEADER, pack, unpack
from unattended import Unattended

STORE = '/ubootefi.var'
CONTENT = bytes(range(256)) * 9
UBOOT, OTHER = 'Das U-Boot', 'EDK II'


@pytest.fixture
def machine(bases, tmp_path):
    def make(*lines, place=0):
        setup = bases('mirror').copy(tmp_path / 'setup')
        for index in (0, 1):
            setup.writable(index)
        setup.volume(place, change=True).put(STORE, CONTENT)
        for line in lines:
            damage.apply(setup, line)
        return setup
    return make


def run(setup, *words, firmware=UBOOT):
    return setup.run(*words, options=['--firmware', firmware, *setup.host_options()])


@pytest.mark.parametrize('place', [0, 1])
def test_disk_without_the_entries_hangs_on_its_fallback(machine, place):
    other = 1 - place
    setup = machine(f'esp {other} delete {FALLBACK}', place=place)
    said = run(setup, 'status')
    assert f'[note] Disk {place} Partition 1: The firmware keeps the boot entries in a file here' in said.text
    assert f'Starts from Disk {place} alone: yes, by Boot000{place}' in said.text
    assert f'Starts from Disk {other} alone: no. The boot entries are on Disk {place}, and gone with it.' in said.text
    assert said.status == (65 if place == 0 else 66)
    # Where they are in a memory of the firmware's own, nothing is wrong with that disk.
    said = run(setup, 'status', firmware=OTHER)
    assert said.status == 0 and 'keeps the boot entries' not in said.text

    said = run(setup, 'repair', '-y')
    assert said.status == 0 and f'Starts from Disk {other} alone: yes, by {FALLBACK}.'.replace('/', '\\') in said.text
    assert setup.volume(other).get(FALLBACK) == setup.volume(place).get(FALLBACK)
    assert 'Nothing to do' in run(setup, 'repair', '-y').text


def test_file_is_not_brought_to_another_disk(machine):
    setup = machine('esp 1 empty')
    assert run(setup, 'copy', '/', '-y').status == 0
    assert setup.volume(1).exists(FALLBACK) and not setup.volume(1).exists(STORE)
    assert setup.volume(0).get(STORE) == CONTENT


def test_format_of_its_esp_says_so_and_puts_it_back(machine):
    setup = machine('esp 0 few-clusters')
    said = run(setup, 'prepare', '0', '-y', '-format')
    assert '1. format Disk 0 Partition 1' in said.text
    assert 'The firmware keeps its boot entries in \\ubootefi.var on Disk 0 Partition 1' in said.text
    assert setup.volume(0).get(STORE) == CONTENT
    assert 'ubootefi' not in run(machine('esp 0 few-clusters'), 'prepare', '0', '-n', firmware=OTHER).text


# --- The firmware writes its file whenever a variable is set ----------------------------------------------------------

PAD = '{12345678-1234-5678-9abc-def012345678}/Pad'
INSTALLED = 2                    # entries


class Kept(Unattended):
    """A machine whose firmware is U-Boot, as tests/host/uboot_vars.c does what that does."""

    def options(self):
        return ['--firmware', UBOOT, *super().options()]

    def stored(self):
        """The variables as the file has them, whose checksum is right."""
        return {each.name if each.guid == GLOBAL else f'{{{each.guid}}}/{each.name}': (each.attributes, each.data)
                for each in unpack(self.setup.volume(0).get(STORE))}

    def cluster(self):
        volume = self.setup.volume(0)
        with open(volume.image, 'rb') as image:
            def read(at, count):
                image.seek(volume.offset + at)
                return image.read(count)
            return FatBytes(read, None).cluster_size

    def files(self):
        return {path: data for path, data in self.setup.volume(0).copy_out('/').items()
                if path != STORE and not path.startswith('/EFI/shadowboot/J')}

    def do(self, *words):
        """Run it, and have the ESP and the file judged."""
        done = self.run(*words, '-y')
        self.setup.volume(0).fsck(counted=False)
        assert self.stored() == {name: value for name, value in self.setup.variables.items() if value[0] & 1}, done.text
        return done


@pytest.fixture(scope='module')
def stick(folder):
    repaired.make_stick(folder / 'uboot-stick.img')
    return folder / 'uboot-stick.img'


@pytest.fixture
def kept(bases, tmp_path, stick, product):
    """Such a machine, with a file that ends `left` bytes before or behind the end of a cluster."""
    def make(left, *lines):
        setup = bases('mirror').copy(tmp_path / f'setup{left}')
        for line in lines:
            damage.apply(setup, line)
        place = tmp_path / f'{left}'
        place.mkdir()
        made = Kept(setup, place, stick, product)
        for index in (0, 1):
            made.setup.writable(index)
        del made.setup.variables['BootCurrent']
        packed = pack([Variable(name, GLOBAL, *value) for name, value in made.setup.variables.items()])
        empty = pack([Variable('Pad', PAD[1:37], STORED, b'')])
        size = -(len(packed) + len(empty) - HEADER.size + left) % made.cluster() + made.cluster()
        made.setup.variables[PAD] = (STORED, bytes(size))
        made.setup.volume(0, change=True).put(STORE, pack(
            [Variable(name.rpartition('/')[2], PAD[1:37] if '/' in name else GLOBAL, *value)
             for name, value in made.setup.variables.items()]))
        return made
    return make


@pytest.mark.parametrize('left', [0, 100, 250, 500, 900, -300])
def test_install_and_its_removal_leave_the_firmware_its_file(kept, left):
    machine = kept(left)
    before = machine.files(), machine.stored()
    assert machine.do('install').status == 0
    assert len(machine.setup.order()) == 2 + INSTALLED
    assert machine.do('install', '-remove').status == 0
    assert (machine.files(), machine.stored()) == before
    undone = machine.do('undo')
    assert (undone.status, len(machine.setup.order())) in ((0, 2 + INSTALLED), (27, 2)), undone.text


@pytest.mark.parametrize('left', [0, 100, 250, 500, 900, -300])
@pytest.mark.parametrize('lines, words', [
    ([f'esp 0 delete {FALLBACK}', 'entry 1 delete'], ['repair']),
    ([], ['install']),
    (['esp 0 delete /EFI/BOOT', 'entry 1 delete'], ['repair']),
])
def test_undo_leaves_the_firmware_its_file(kept, left, lines, words):
    machine = kept(left, *lines)
    before = machine.files(), machine.stored()
    done = machine.do(*words)
    assert done.status in (0, 65), done.text
    assert machine.files() != before[0]
    undone = machine.do('undo')
    assert undone.status == 0, undone.text
    assert (machine.files(), machine.stored()) == before


def free_clusters(machine):
    """How many there are on the ESP with the file, by fsck.fat, and how long one is."""
    volume = machine.setup.volume(0)
    part = machine.setup.folder / 'part.img'
    copy_range(volume.image, volume.offset, volume.size, part)
    said = subprocess.run(['fsck.fat', '-n', '-v', str(part)], capture_output=True, text=True).stdout
    used, total = map(int, re.search(r' (\d+)/(\d+) clusters', said).groups())
    return total - used


NO_SPACE = 9


@pytest.mark.parametrize('left, lines, words', [
    (0, ['entry 1 delete'], ['clone']),
    # The file that comes there first takes what there was.
    (100, [f'esp 0 delete {FALLBACK}', 'entry 1 delete'], ['repair']),
], ids=['full', 'filled by the same plan'])
def test_file_that_cannot_grow_is_not_written(kept, left, lines, words):
    """The firmware writes over its first clusters before it looks for more; then all variables are lost."""
    machine = kept(left, *lines)
    esp, cluster = machine.setup.volume(0, change=True), machine.cluster()
    spare = -(-len(machine.setup.volume(1).get(FALLBACK)) // cluster) if words == ['repair'] else 0
    esp.put('/fill.bin', bytes((free_clusters(machine) - spare) * cluster))
    assert free_clusters(machine) == spare
    before = machine.files(), machine.stored()
    done = machine.do(*words)
    assert done.status == NO_SPACE, done.text
    assert (machine.files(), machine.stored()) == before
    if not spare:
        text = ' '.join(done.text.split())
        assert '\\ubootefi.var on Disk 0' in text and 'Nothing was changed. Make room on that ESP.' in text
    subprocess.run(['mdel', '-i', f'{esp.image}@@{esp.offset}', '::/fill.bin'], check=True)
    assert machine.do(*words).status == 0
    assert len(machine.setup.order()) == 2
