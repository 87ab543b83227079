"""Plexes that lie in several pieces: `\\Windows` is read through the places that the LDM database gives.

A volume that the ntfs-3g driver wrote is cut to pieces, which lie where ldmtool says that the pieces of the plex
are: on one disk in another order than in the volume, or on two disks. A boot manager cannot be sent to such a
plex; the boot files that Windows keeps in it are as good as those of any other.
"""
import random

import pytest

import gpt
import ldm
import mirror
import stores
from ldm import Extent, Plex, Volume
from mirror import MIB, guid_of, write_sparse
from ntfs_driver import fuse, make, mounted  # noqa: F401
from test_firmwares import words
from test_ldm_volumes import LdmTool, Volumes, assert_extent_agrees, bare

SIZE = 8 * MIB
SECTORS = SIZE // 512
TARGET = '/EFI/Microsoft/Boot'
# Of which disk each plex has which pieces, in the order of the volume: (disk, first sector there, sectors). Windows
# makes spanned volumes; that mirrors may be of pieces the format allows.
WHOLE = [(0, 0, SECTORS)]
LAYOUTS = {
    'mirror': [WHOLE, [(1, 9000, 5000), (1, 100, 8000), (1, 16000, SECTORS - 13000)]],
    'mirror over two': [WHOLE, [(1, 40, 7001), (2, 3, SECTORS - 7001)]],
    'extended': [[(1, 12000, 5000), (1, 100, SECTORS - 5000)]],
    'spanned': [[(1, 40, 7001), (2, 3, SECTORS - 7001)]],
    '4k': [WHOLE, [(1, 8000, 4000), (1, 0, 8000), (1, 16000, SECTORS - 12000)]],
}
MIRRORED = ['mirror', 'mirror over two', '4k']


def boot_files():
    rng = random.Random(5)
    files = {'bootmgfw.efi': mirror.boot_program('bootmgfw'), 'memtest.efi': mirror.boot_program('memtest')}
    files |= {f'de-DE/part{n}.mui': rng.randbytes(rng.randint(1, 400000)) for n in range(12)}
    return files


def write_windows(image, mount, files):
    with mounted(image, mount) as folder:
        (folder / 'Windows/System32').mkdir(parents=True)
        for name in ('winload.efi', 'ntoskrnl.exe'):
            (folder / 'Windows/System32' / name).write_bytes(mirror.boot_program(name))
        for name, data in files.items():
            place = folder / 'Windows/Boot/EFI' / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)


def three_disks(folder, block_size):
    """Two with ESPs, the first with boot files, and one with data; all dynamic."""
    setup = mirror.Setup(folder)
    folder.mkdir()
    for index in range(3):
        own = [('esp', gpt.ESP, 40 if block_size == 512 else 24)] if index < 2 else []
        own += [('metadata', gpt.LDM_METADATA, 1), ('msr', gpt.MSR, 16), ('plex', gpt.LDM_DATA, 12)]
        mirror.add_disk(setup, own, block_size)
        if index < 2:
            mirror.format_esp(setup, index, {})
    return setup


def plex_of(pieces):
    extents, offset = [], 0
    for disk, start, size in pieces:
        extents.append(Extent(disk, start, size, offset))
        offset += size
    return Plex(tuple(extents))


def put_volume(setup, plexes):
    volume = Volume('Volume1', guid_of('volume'), SECTORS, tuple(map(plex_of, plexes)), hint='C:')
    group = ldm.DiskGroup(mirror.ldm_disks(setup), (volume,), group_guid=guid_of('group'))
    for index in range(3):
        write_sparse(setup.disk(index).image, setup.disk(index).offset('metadata'),
                     bytes(ldm.build_private_region(group, index)))


def check_places(setup, pieces):
    """That the pieces of the last plex are where ldmtool sees them."""
    images = [disk.image for disk in setup.disks]
    ours, tool = Volumes(images), LdmTool(images)
    group = bare(ours.groups[0].guid)
    extents = [each for each in ours.extents if each.disk != '0']
    assert len(extents) == len(pieces)
    for extent, (disk, start, size) in zip(sorted(extents, key=lambda each: int(each.offset)), pieces):
        assert_extent_agrees(extent, tool, group)
        shown = tool('partition', group, extent.name)
        assert (extent.disk, shown['start'], shown['size']) == (str(disk), start * 512, size * 512) or \
            (extent.disk, shown['start'], shown['size']) == (str(disk), start, size)


@pytest.fixture(scope='module')
def volumes(fuse, tmp_path_factory):  # noqa: F811
    """Makes images of volumes, by size of sectors: with all that Windows keeps, and with Windows alone."""
    folder = tmp_path_factory.mktemp('volumes')
    made = {}

    def of(sector, start):
        if sector not in made:
            images = [make(folder / f'{name}{sector}', sector, 4096, SIZE, start=start) for name in ('all', 'bare')]
            write_windows(images[0], folder / 'mount', boot_files())
            write_windows(images[1], folder / 'mount', {})
            made[sector] = [image.read_bytes() for image in images]
        return made[sector]
    return of


def machine(volumes, folder, name):
    """The plex in pieces has all that Windows keeps for ESPs, a whole one nothing of it; both ESPs are empty."""
    sector = 4096 if name == '4k' else 512
    setup = three_disks(folder, sector)
    put_volume(setup, LAYOUTS[name])
    full, without = volumes(sector, setup.disk(0).parts['plex'].first_lba)
    pieces, at = LAYOUTS[name][-1], 0
    if sector == 512:                                   # ldmtool knows no other
        check_places(setup, pieces)
    for disk, start, size in pieces:
        mirror.put_plex(setup, disk, full[at:at + size * 512], start)
        at += size * 512
    assert at == SIZE
    if len(LAYOUTS[name]) > 1:
        mirror.put_plex(setup, 0, without)
    mirror.add_windows_entries(setup)
    setup.save()
    return setup


def assert_all_came(setup, index):
    found = setup.volume(index).copy_out('/EFI')
    for name, data in boot_files().items():
        assert found[f'{TARGET}/{name}'] == data, name


@pytest.mark.parametrize('name', MIRRORED)
def test_boot_files_are_read_through_the_pieces(volumes, tmp_path, name):
    setup = machine(volumes, tmp_path / 'machine', name)
    done = setup.run('rebuild', '0', '-y')
    assert done.status == 0, done.text
    assert 'from Disk 1 Partition' in done.text.split('Plan:')[1]
    assert_all_came(setup, 0)
    assert 'Nothing to do' in setup.run('rebuild', '0', '-y').text


@pytest.mark.parametrize('name', ['extended', 'spanned', 'mirror'])
def test_disk_whose_copy_is_in_pieces_gets_files_and_no_store(volumes, tmp_path, name):
    """A boot manager cannot be sent there, and nobody says that it starts."""
    setup = machine(volumes, tmp_path / 'machine', name)
    seen = setup.run('status')
    assert f'in {len(LAYOUTS[name][-1])} pieces' in words(seen)
    assert 'Starts from Disk 1 alone: ' in seen.text and 'Disk 1 alone: yes' not in seen.text
    before = setup.fingerprint()
    done = setup.run('rebuild', '1', '-y')
    assert done.status == 15, done.text
    assert 'A boot store cannot name the copy of the boot volume on Disk 1: it lies in several pieces' in words(done)
    assert setup.fingerprint() == before
    done = setup.run('rebuild', '1', '-y', '-files')
    assert done.status == 0 and 'Plan:' in done.text, done.text
    assert_all_came(setup, 1)
    assert not setup.volume(1).exists(stores.STORE)


@pytest.mark.parametrize('name', ['mirror over two', 'spanned'])
def test_plex_with_a_piece_on_a_missing_disk_is_no_source(volumes, tmp_path, name):
    setup = machine(volumes, tmp_path / 'machine', name)
    setup.disks[2] = None
    before = setup.fingerprint()
    done = setup.run('rebuild', '0' if name in MIRRORED else '1', '-y')
    assert done.status == 14, done.text
    plex = f'Volume1-{len(LAYOUTS[name]):02}'
    assert f'{plex} is no source: a piece of it is on a disk that is not here ("Disk3").' in words(done)
    assert setup.fingerprint() == before
