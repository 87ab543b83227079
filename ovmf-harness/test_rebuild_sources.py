"""`rebuild` where Windows keeps its boot files in every form there is: the ESP gets their contents."""
import os
import random

import pytest

import mirror
import wof
from ntfs_driver import Dump, compressed_folder, fuse, make, mounted
from test_ntfs_source import WINDOWS_STREAMS, content, set_flags, write_packed

MIB = 1 << 20
BOOT = 'Windows/Boot'
TARGET = '/EFI/Microsoft/Boot'
FRAGMENTS = 30


def plain(place, data):
    place.write_bytes(data)


def packed(algorithm):
    return lambda place, data: write_packed(place, data, algorithm)


def by_ntfs(place, data):
    """In a folder that the driver compresses, then moved to its own."""
    folder = place.parents[3] / 'packed'
    if not folder.exists():
        compressed_folder(folder)
    (folder / place.name).write_bytes(data)
    os.rename(folder / place.name, place)


def linked(place, data):
    """A second name of a file somewhere else, as Windows' own files are."""
    other = place.parents[3] / 'WinSxS'
    other.mkdir(exist_ok=True)
    (other / place.name).write_bytes(data)
    os.link(other / place.name, place)


def with_hole(place, data):
    with place.open('wb') as file:
        file.write(data[:6000])
        file.seek(40000)
        file.write(data[40000:])


def in_fragments(place, data):
    """Two files that grow in turn."""
    step = -(-len(data) // FRAGMENTS)
    for at in range(0, len(data), step):
        for name in (place, place.with_name('beside')):
            with name.open('ab') as file:
                file.write(data[at:at + step])
    place.with_name('beside').unlink()


def boot_files():
    """Below \\Windows\\Boot: name -> (content, how it is kept)."""
    rng = random.Random(11)
    hollow = bytearray(content(rng, 60000))
    hollow[6000:40000] = bytes(34000)
    return {
        'EFI/bootmgfw.efi': (mirror.boot_program('bootmgfw'), packed(wof.LZX)),
        'EFI/bootmgr.efi': (mirror.boot_program('bootmgr'), packed(wof.XPRESS16K)),
        'EFI/memtest.efi': (mirror.boot_program('memtest'), by_ntfs),
        'EFI/boot.stl': (b'in its record', plain),
        'EFI/de-DE/bootmgfw.efi.mui': (content(rng, 9000), linked),
        'EFI/en-US/bootmgfw.efi.mui': (content(rng, 30000), packed(wof.XPRESS4K)),
        'EFI/fr-FR/bootmgfw.efi.mui': (content(rng, 30001), packed(wof.XPRESS8K)),
        'Fonts/wgl4_boot.ttf': (bytes(hollow), with_hole),
        'Fonts/segoe_slboot.ttf': (content(rng, 90001), in_fragments),
        'Resources/bootres.dll': (content(rng, 200000), by_ntfs),
        'Resources/en-US/bootres.dll.mui': (b'', plain),
    }


@pytest.fixture(scope='module', params=[('mirror', 512, 1024), ('mirror4k', 4096, 4096)],
                ids=lambda param: param[0])
def machine(request, fuse, tmp_path_factory):
    """A mirror whose plexes have those files, and whose ESPs are formatted and empty."""
    base, sector, cluster = request.param
    folder = tmp_path_factory.mktemp('forms')
    mirror.build(base, folder / 'machine')
    setup = mirror.Setup.load(folder / 'machine')
    start = setup.disk(0).parts['plex'].first_lba
    image = make(folder / 'volume', sector, cluster, size=8 * MIB, start=start)
    with mounted(image, folder / 'mount', WINDOWS_STREAMS) as mount:
        (mount / 'Windows/System32').mkdir(parents=True)
        for name in ('winload.efi', 'ntoskrnl.exe'):
            (mount / 'Windows/System32' / name).write_bytes(mirror.boot_program(name))
        for name, (data, keep) in boot_files().items():
            place = mount / BOOT / name
            place.parent.mkdir(parents=True, exist_ok=True)
            keep(place, data)
    for index in range(2):
        mirror.put_plex(setup, index, image.read_bytes())
        setup.volume(index, change=True).format(16, serial=0xC0FFEE00 + index)
    return setup, image


def test_files_of_every_form_reach_the_esp(machine, tmp_path):
    setup, image = machine
    setup = setup.copy(tmp_path / 'copy')
    paths = {f'\\{BOOT}/{name}'.replace('/', '\\') for name in boot_files()}
    assert len({file.form for file in Dump(image, paths).files.values()}) == 6
    result = setup.run('rebuild', '1', '-y')
    assert result.status == 0, result.text
    assert 'Disk 1 alone: yes' in result.text
    found = setup.volume(1).copy_out('/EFI')
    for name, (data, _) in boot_files().items():
        name = name.removeprefix('EFI/')
        assert found[f'{TARGET}/{name}'] == data, name
    assert found['/EFI/BOOT/BOOTX64.EFI'] == boot_files()['EFI/bootmgfw.efi'][0]


def with_encrypted(machine, folder, name, plexes=(0, 1)):
    """The machine with a file of the plexes encrypted, which has clusters of its own."""
    setup, image = machine
    setup = setup.copy(folder)
    path = f'\\{BOOT}/EFI/{name}'.replace('/', '\\')
    own = folder / 'volume'
    own.write_bytes(image.read_bytes())
    set_flags(own, Dump(own).facts, int(Dump(own, [path]).files[path].record), 0x80, 0x4000)
    for index in plexes:
        setup.writable(index)
        mirror.put_plex(setup, index, own.read_bytes())
    return setup


def test_file_that_cannot_be_read_is_named_and_left_out(machine, tmp_path):
    setup = with_encrypted(machine, tmp_path / 'copy', 'memtest.efi')
    result = setup.run('rebuild', '1', '-y')
    assert result.status == 0
    assert 'because it is encrypted: ' + f'{TARGET}/memtest.efi'.replace('/', '\\') in result.text
    assert f'{TARGET}/memtest.efi' not in setup.volume(1).copy_out('/EFI')


def test_without_the_boot_manager_nothing_is_changed(machine, tmp_path):
    setup = with_encrypted(machine, tmp_path / 'copy', 'bootmgfw.efi')
    before = setup.fingerprint()
    result = setup.run('rebuild', '1', '-y')
    assert result.status != 0
    assert 'cannot be copied: it is encrypted. Nothing was changed.' in result.text
    assert setup.fingerprint() == before


def test_boot_manager_of_the_other_plex_stands_in(machine, tmp_path):
    """Plexes of a mirror are the same but for what cannot be read."""
    setup = with_encrypted(machine, tmp_path / 'copy', 'bootmgfw.efi', plexes=[1])
    result = setup.run('rebuild', '1', '-y')
    assert result.status == 0, result.text
    assert 'from Disk 0 Partition' in result.text.split('Plan:')[1]
    found = setup.volume(1).copy_out('/EFI')
    for name, (data, _) in boot_files().items():
        assert found[f"{TARGET}/{name.removeprefix('EFI/')}"] == data, name


def with_bad_record(machine, folder, name, plexes):
    """The machine with the file record of a file or folder of Windows zeroed on those plexes."""
    setup, image = machine
    setup = setup.copy(folder)
    path = f'\\{BOOT}/{name}'.replace('/', '\\')
    dump = Dump(image, [path])
    size = int(dump.facts['record_size'])
    at = int(dump.facts['mft']) * int(dump.facts['cluster_size']) + int(dump.files[path].record) * size
    for index in plexes:
        setup.write(index, setup.disk(index).offset('plex') + at, bytes(size))
    return setup


@pytest.mark.parametrize('name', ['EFI', 'EFI/bootmgfw.efi', 'EFI/memtest.efi', 'EFI/en-US', 'Fonts',
                                  'Fonts/wgl4_boot.ttf'])
def test_other_plex_stands_in_for_a_bad_record(name, machine, tmp_path):
    """Of whatever is needed: what one plex has lost the other one has."""
    setup = with_bad_record(machine, tmp_path / 'copy', name, [1])
    result = setup.run('rebuild', '1', '-y')
    assert result.status == 0, result.text
    assert 'from Disk 0 Partition' in result.text.split('Plan:')[1]
    found = setup.volume(1).copy_out('/EFI')
    for file, (data, _) in boot_files().items():
        assert found[f"{TARGET}/{file.removeprefix('EFI/')}"] == data, file


@pytest.mark.parametrize('name, said', [('EFI', 'cannot be read: damaged'),
                                        ('EFI/bootmgfw.efi', 'cannot be copied: it is damaged'),
                                        ('EFI/memtest.efi', None), ('EFI/en-US', None)])
def test_bad_record_of_both_plexes_is_named(name, said, machine, tmp_path):
    """Without the boot manager nothing is done; without another file it is."""
    setup = with_bad_record(machine, tmp_path / 'copy', name, [0, 1])
    before = setup.fingerprint()
    result = setup.run('rebuild', '1', '-y')
    text = ' '.join(result.text.split())
    if said:
        assert said in text and 'Nothing was changed.' in text and setup.fingerprint() == before, text
        return
    assert result.status == 0, result.text
    place = f"{TARGET}/{name.removeprefix('EFI/')}"
    assert 'damaged or cannot be read: ' + place.replace('/', '\\') in text, text
    found = setup.volume(1).copy_out('/EFI')
    for file, (data, _) in boot_files().items():
        assert found.get(f"{TARGET}/{file.removeprefix('EFI/')}") == (None if file.startswith(name) else data), file
