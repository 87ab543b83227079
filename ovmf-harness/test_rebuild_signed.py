"""`rebuild` where Secure Boot is: the twin of 2023 where firmware trusts it, never a file that it refuses,
and no older boot manager in the place of a newer one."""
import pytest

import mirror
import secure_boot
from secure_boot import MACHINES, Keys

MANAGER = '/EFI/Microsoft/Boot/bootmgfw.efi'
FONT = '/EFI/Microsoft/Boot/Fonts/wgl4_boot.ttf'


@pytest.fixture(scope='session')
def keys(folder):
    return Keys(folder / 'keys')


@pytest.fixture(scope='session')
def files(keys):
    return secure_boot.signed_files(keys)


def with_plexes(bases, folder, more):
    """A mirror whose plexes have those files of Windows, and whose ESPs are empty."""
    setup = bases('mirror').copy(folder)
    disk = setup.disk(0)
    volume = mirror.windows_volume(disk.size('plex'), disk.block_size, disk.parts['plex'].first_lba,
                                   more=tuple(more.items()))
    for index in range(2):
        setup.writable(index)
        mirror.put_plex(setup, index, volume)
        setup.volume(index, change=True).format(16, serial=0xC0FFEE00 + index)
    return setup


@pytest.mark.parametrize('name', MACHINES)
def test_twin_comes_where_firmware_trusts_it(name, bases, tmp_path, keys, files):
    db, dbx = MACHINES[name](keys, files)
    setup = with_plexes(bases, tmp_path / 'machine', {
        '/Windows/Boot/EFI/bootmgfw.efi': files['old'], '/Windows/Boot/EFI_EX/bootmgfw_EX.efi': files['new'],
        '/Windows/Boot/Fonts/wgl4_boot.ttf': b'old font', '/Windows/Boot/FONTS_EX/wgl4_boot_EX.ttf': b'new font'})
    secure_boot.put_lists(setup.variables, keys, db, dbx)
    trusted = {kind: secure_boot.accepted(keys, db, dbx, files[kind]) for kind in ('old', 'new')}
    run = setup.run('rebuild', '1', '-y')
    kind = 'new' if trusted['new'] else 'old'
    assert trusted[kind], 'such a machine starts neither'
    assert run.status == 0, run.text
    for path in (MANAGER, mirror.FALLBACK):
        assert setup.volume(1).get(path) == files[kind], run.text
    assert setup.volume(1).get(FONT) == f'{kind} font'.encode()


def test_newer_boot_manager_stays(bases, tmp_path):
    older, newer = (secure_boot.versioned(tmp_path, (10, 0, 19041, build), (7, 2)) for build in (1, 2965))
    for kept, own, then in ((older, newer, newer), (newer, older, newer)):
        folder = tmp_path / ('newer' if own is newer else 'older')
        setup = with_plexes(bases, folder, {'/Windows/Boot/EFI/bootmgfw.efi': kept})
        mirror.put_files(setup.volume(1, change=True), {MANAGER: own, mirror.FALLBACK: own})
        run = setup.run('rebuild', '1', '-y')
        assert run.status == 0, run.text
        assert setup.volume(1).get(MANAGER) == then, run.text
        assert ('there is a newer version where it would go' in run.text) == (own is newer), run.text
