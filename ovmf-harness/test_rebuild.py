"""`rebuild` and the lines of `bcdboot`: which files of Windows come onto an ESP, and what is in its store.

What each file is to be called there stands below, from what Windows' bcdboot says under /v and the ESPs
that it made. In which forms NTFS keeps them is test_rebuild_sources.py's.
"""
import pytest

import mirror
import mirror_bases  # noqa: F401: adds to mirror.BASES
import regf
import store_model
import stores
import template
from mirror import boot_program, filler
from repaired import Repaired, make_stick

BOOT = '/EFI/Microsoft/Boot'
STORE = f'{BOOT}/BCD'
MANAGER = f'{BOOT}/bootmgfw.efi'
LANGUAGES = ('de-DE', 'en-US')
# On the volume: on the ESP.
MAP = {
    '/Windows/Boot/EFI/bootmgr.efi': f'{BOOT}/bootmgr.efi',
    '/Windows/Boot/EFI/memtest.efi': f'{BOOT}/memtest.efi',
    '/Windows/Boot/EFI/boot.stl': f'{BOOT}/boot.stl',
    **{f'/Windows/Boot/EFI/{name}/bootmgfw.efi.mui': f'{BOOT}/{name}/bootmgfw.efi.mui' for name in LANGUAGES},
    '/Windows/Boot/Fonts/wgl4_boot.ttf': f'{BOOT}/Fonts/wgl4_boot.ttf',
    '/Windows/Boot/Resources/bootres.dll': f'{BOOT}/Resources/bootres.dll',
    '/Windows/Boot/Resources/en-US/bootres.dll.mui': f'{BOOT}/Resources/en-US/bootres.dll.mui',
}
# Not copied: for BIOS and the network, the twins of 2023 without Secure Boot, debuggers that no ESP has.
LEFT = ('/Windows/Boot/PCAT/bootmgr', '/Windows/Boot/PXE/wdsmgfw.efi', '/Windows/Boot/EFI_EX/bootmgfw_EX.efi',
        '/Windows/Boot/FONTS_EX/wgl4_boot_EX.ttf', '/Windows/System32/kd_02_8086.dll',
        '/Windows/System32/SecureBootUpdates/SkuSiPolicy.p7b')


def with_windows(bases, folder, more=(), base='mirror'):
    """A mirror whose plexes have those files besides."""
    setup = bases(base).copy(folder)
    files = {path: boot_program(path) if path.endswith('.efi') else filler(path, 3000 + len(path))
             for path in (*MAP, *LEFT)} | dict(more)
    disk = setup.disk(0)
    volume = mirror.windows_volume(disk.size('plex'), disk.block_size, disk.parts['plex'].first_lba,
                                   more=tuple(files.items()))
    for index in range(2):
        setup.writable(index)
        mirror.put_plex(setup, index, volume)
    return setup, files


def emptied(setup):
    for index in range(2):
        setup.volume(index, change=True).format(16, serial=0xC0FFEE00 + index)
    return setup


def expected(files):
    return {**{MAP[path]: files[path] for path in MAP}, f'{BOOT}/bootmgfw.efi': boot_program('bootmgfw'),
            mirror.FALLBACK: boot_program('bootmgfw')}


def found_on(setup, index):
    found = setup.volume(index).copy_out('/EFI')
    return {path: data for path, data in found.items() if path != STORE and '/shadowboot/' not in path}


def test_files_are_those_of_bcdboot(bases, tmp_path):
    setup, files = with_windows(bases, tmp_path / 'machine')
    emptied(setup)
    done = setup.run('rebuild', '1', '-y')
    assert done.status == 0, done.text
    assert found_on(setup, 1) == expected(files)
    assert setup.volume(1).exists('/EFI/Microsoft/Recovery')
    again = setup.run('rebuild', '1', '-y')
    assert 'Nothing to do' in again.text, again.text


def test_what_an_esp_had_comes_again(bases, tmp_path):
    """Debuggers, and the policy that a firmware may be locked to, come where an ESP has them."""
    setup, files = with_windows(bases, tmp_path / 'machine')
    emptied(setup)
    mirror.put_files(setup.volume(0, change=True), {f'{BOOT}/kd_02_8086.dll': b'old', f'{BOOT}/SkuSiPolicy.p7b': b'old'})
    done = setup.run('rebuild', '1', '-y')
    assert done.status == 0, done.text
    assert found_on(setup, 1) == {**expected(files), f'{BOOT}/kd_02_8086.dll': files['/Windows/System32/kd_02_8086.dll'],
                                  f'{BOOT}/SkuSiPolicy.p7b': files[LEFT[-1]]}


def test_policy_of_an_esp_stays(bases, tmp_path):
    """Firmware may be locked to it, and nobody can tell which of two is the newer one."""
    setup, files = with_windows(bases, tmp_path / 'machine')
    emptied(setup)
    mirror.put_files(setup.volume(1, change=True), {f'{BOOT}/SkuSiPolicy.p7b': b'of this ESP', f'{BOOT}/boot.stl': b'old'})
    done = setup.run('rebuild', '1', '-y')
    assert done.status == 0, done.text
    assert found_on(setup, 1) == {**expected(files), f'{BOOT}/SkuSiPolicy.p7b': b'of this ESP'}


def test_files_alone_or_the_store_alone(bases, tmp_path):
    setup, files = with_windows(bases, tmp_path / 'machine')
    emptied(setup)
    done = setup.run('rebuild', '1', '-y', '-files')
    assert done.status == 0, done.text
    assert found_on(setup, 1) == expected(files) and not setup.volume(1).exists(STORE)
    done = setup.run('rebuild', '1', '-y', '-store')
    assert done.status == 0 and setup.volume(1).exists(STORE), done.text
    assert found_on(setup, 1) == expected(files)
    both = setup.run('rebuild', '1', '-y', '-store', '-files')
    assert both.status == 2 and 'Nothing was changed' in both.text


@pytest.mark.parametrize('base', ['mirror', 'mirror4k'])
def test_store_names_the_plex_of_its_disk(base, bases, tmp_path):
    setup, _ = with_windows(bases, tmp_path / 'machine', base=base)
    emptied(setup)
    for index in range(2):
        done = setup.run('rebuild', str(index), '-y')
        assert done.status == 0, done.text
        own = setup.disk(index).parts['plex'].guid
        assert store_model.devices_of(setup.volume(index).get(STORE)) == [own, own]


def test_template_is_where_the_store_comes_from(bases, tmp_path):
    def change(found):
        found[regf.BOOTMGR][1]['25000004'] = regf.integer(7)
        return found
    more = {'/Windows/System32/config/BCD-Template': template.build(change)}
    setup, _ = with_windows(bases, tmp_path / 'machine', more)
    emptied(setup)
    done = setup.run('rebuild', '1', '-y')
    assert done.status == 0, done.text
    listed = setup.run('bcd', 'list', '-on', '1')
    assert 'timeout                 7\n' in listed.text, listed.text


def test_server_is_called_one(bases, tmp_path):
    setup, _ = with_windows(bases, tmp_path / 'machine', {'/Windows/System32/ServerManager.exe': b'MZ'})
    emptied(setup)
    done = setup.run('rebuild', '1', '-y')
    assert done.status == 0, done.text
    listed = setup.run('bcd', 'list', '-on', '1')
    assert 'Windows Server\n' in listed.text and 'OptOut' in listed.text, listed.text
    assert 'Windows Server - secondary plex\n' in listed.text


def test_settings_of_a_store_that_is_left_are_kept(bases, tmp_path):
    setup, _ = with_windows(bases, tmp_path / 'machine')
    own = setup.disk(0).parts['plex'].guid
    root = stores.loader_put(stores.of_windows(setup, 0, 1), '12000004', regf.text('Server of mine'))
    emptied(setup)
    mirror.put_files(setup.volume(0, change=True), {STORE: regf.build(root)})
    done = setup.run('rebuild', '1', '-y')
    assert done.status == 0, done.text
    assert own not in store_model.devices_of(setup.volume(1).get(STORE))
    assert 'Server of mine\n' in setup.run('bcd', 'list', '-on', '1').text


def test_description_is_not_that_of_the_other_plex_twice(bases, tmp_path):
    """The machine was started from the entry that Windows made for the other plex, and its store says so."""
    setup, _ = with_windows(bases, tmp_path / 'machine')
    root = stores.loader_put(stores.of_windows(setup, 0, 1), '12000004',
                             regf.text('Server of mine - secondary plex - secondary plex'))
    emptied(setup)
    mirror.put_files(setup.volume(0, change=True), {STORE: regf.build(root)})
    done = setup.run('rebuild', '1', '-y')
    assert done.status == 0, done.text
    listed = setup.run('bcd', 'list', '-on', '1').text
    assert 'Server of mine\n' in listed and 'Server of mine - secondary plex\n' in listed, listed


def test_what_the_other_plex_says_of_windows_counts(bases, tmp_path):
    """The own one has no boot files: they come from the other, and so does what Windows it is."""
    setup, _ = with_windows(bases, tmp_path / 'machine', {'/Windows/System32/ServerManager.exe': b'MZ'})
    emptied(setup)
    disk = setup.disk(1)
    mirror.put_plex(setup, 1, mirror.ntfs.build(disk.size('plex'), {
        f'/Windows/System32/{name}': boot_program(name) for name in ('winload.efi', 'ntoskrnl.exe')},
        sector=disk.block_size, start=disk.parts['plex'].first_lba))
    done = setup.run('rebuild', '1', '-y')
    assert done.status == 0, done.text
    listed = setup.run('bcd', 'list', '-on', '1').text
    assert 'Windows Server\n' in listed and 'OptOut' in listed, listed


def test_folder_in_the_place_of_the_manager_is_no_work_that_is_done(bases, tmp_path):
    """Nothing takes it away; who asks again is told the same, and that nothing was changed."""
    setup, _ = with_windows(bases, tmp_path / 'machine')
    assert setup.run('rebuild', '1', '-y').status == 0
    volume = setup.volume(1, change=True)
    volume.delete(MANAGER)
    volume.mkdir(MANAGER)
    before = setup.fingerprint()
    run = setup.run('rebuild', '1', '-y', '-files')
    said = ' '.join(run.text.split())
    assert run.status == 15 and setup.fingerprint() == before, run.text
    assert f'move the wrong one away): {MANAGER}'.replace('/', '\\') in said, run.text
    assert 'Nothing was changed: what is to be done cannot be done' in said and 'already' not in said, run.text


def test_store_that_came_from_another_disk_is_made_anew(bases, tmp_path):
    """It calls its loader what the other copy is called here: each gets a name of its own."""
    setup, _ = with_windows(bases, tmp_path / 'machine')
    emptied(setup)
    make_stick(tmp_path / 'blank.img')
    alone = Repaired(setup, tmp_path, tmp_path / 'blank.img')
    alone.setup.disks[1] = None
    assert alone.run('rebuild', '0', '-y').status == 0
    assert setup.run('rebuild', '1', '-y').status == 0
    mirror.put_files(setup.volume(1, change=True), {STORE: alone.setup.volume(0).get(STORE)})
    done = setup.run('rebuild', '1', '-y', '-store')
    assert done.status == 0, done.text
    own = setup.disk(1).parts['plex'].guid
    assert store_model.devices_of(setup.volume(1).get(STORE)) == [own, own]
    assert 'Disk 0 Partition 4' in setup.run('bcd', 'list', '-on', '1').text
    assert 'Nothing to do' in setup.run('rebuild', '1', '-y', '-store').text


# The words of bcdboot

def test_bcdboot_does_what_rebuild_does(bases, tmp_path):
    setup, files = with_windows(bases, tmp_path / 'machine')
    emptied(setup)
    line = ['bcdboot', 'C:\\Windows', '/s', '1/1', '/l', 'de-DE', '/f', 'UEFI', '/addlast', '/d', '/m', '/c',
            '/bootex', '/v', '-y']
    done = setup.run(*line)
    assert done.status == 0, done.text
    assert found_on(setup, 1) == expected(files)
    assert 'de-DE\n' in setup.run('bcd', 'list', '-on', '1').text
    assert 'Nothing to do' in setup.run(*line).text


@pytest.mark.parametrize('words, said', [
    (['C:\\Windows', '/s', 'S:'], 'letters of them are known to Windows alone'),
    (['C:\\Windows', '/s', '1/4'], 'is no EFI system partition'),
    (['D:\\Windows', '/s', '1/1'], 'is C:, not D:'),
    (['C:\\WinNT', '/s', '1/1'], 'is not where Windows is looked for'),
    (['C:\\Windows', '/f', 'BIOS'], 'by UEFI alone'),
    (['C:\\Windows', '/offline'], 'images of Windows'),
    (['C:\\Windows', '/m', '{current}'], 'is no loader that can be named here'),
    (['C:\\Windows', '/m', stores.GONE], 'has a loader ' + stores.GONE),
    (['C:\\Windows', '/m', stores.SECOND, '/c'], 'contradict'),
    (['C:\\Windows', '/s'], '"/s" needs the EFI system partition behind it, as in /s FS0:'),
    (['C:\\Windows', '/s', '/f', 'UEFI'], '"/s" needs'),
    (['C:\\Windows', '/l'], 'needs a language behind it'),
    (['C:\\Windows', '/f'], 'needs the firmware behind it'),
    (['C:\\Windows', '/p', '/addlast'], 'contradict each other'),
    (['C:\\Windows', '/l', 'German'], 'no language'),
    (['C:\\Windows', '/wrong'], 'is not understood'),
    ([], 'It goes like this'),
])
def test_what_has_no_meaning_here_is_refused_by_name(words, said, bases, tmp_path):
    setup = bases('mirror').copy(tmp_path / 'machine')
    before = setup.fingerprint()
    done = setup.run('bcdboot', *words, '-y')
    assert done.status in (2, 14), done.text
    assert said in done.text and 'Nothing was changed.' in done.text, done.text
    assert setup.fingerprint() == before


def test_only_places_of_the_mirror_are_offered(bases, tmp_path):
    """Another server's disk is in as Disk 0; then a mirror that has no ESP of its own."""
    done = bases('foreign').copy(tmp_path / 'foreign').run('bcdboot', 'C:\\Windows', '/s', '0/1', '-y')
    assert done.status == 14 and '  1/1  ' in done.text and '  0/1  ' not in done.text, done.text
    done = bases('third-esp').copy(tmp_path / 'third').run('bcdboot', 'C:\\Windows', '/s', '2/1', '-y')
    assert done.status == 14 and 'shadowboot rebuild' in done.text and 'Give one' not in done.text, done.text


def test_windows_without_boot_files_is_said_to_have_none(bases, tmp_path):
    """Windows before Vista keeps them on ESPs alone."""
    setup = bases('mirror').copy(tmp_path / 'machine')
    disk = setup.disk(0)
    volume = mirror.ntfs.build(disk.size('plex'), {
        f'/Windows/System32/{name}': boot_program(name) for name in ('winload.efi', 'ntoskrnl.exe')},
        sector=disk.block_size, start=disk.parts['plex'].first_lba)
    for index in range(2):
        setup.writable(index)
        mirror.put_plex(setup, index, volume)
    done = setup.run('rebuild', '1', '-y')
    assert done.status == 14 and 'WINNT50' in done.text and 'Nothing was changed.' in done.text, done.text


def test_language_is_one_that_windows_has(bases, tmp_path):
    setup, _ = with_windows(bases, tmp_path / 'machine')
    emptied(setup)
    before = setup.fingerprint()
    done = setup.run('bcdboot', 'C:\\Windows', '/s', '1/1', '/l', 'fr-FR', '-y')
    text = ' '.join(done.text.split())
    assert done.status == 14 and 'in "fr-FR". It has these: de-DE, en-US. Nothing was changed.' in text, text
    assert setup.fingerprint() == before
    assert setup.run('bcdboot', 'C:\\Windows', '/s', '1/1', '/l', 'DE-de', '-y').status == 0
    assert 'de-DE\n' in setup.run('bcd', 'list', '-on', '1').text


def test_both_firmwares_are_uefi_with_a_word(bases, tmp_path):
    setup, files = with_windows(bases, tmp_path / 'machine')
    emptied(setup)
    done = setup.run('bcdboot', 'C:\\Windows', '/s', '1/1', '/f', 'ALL', '-y')
    assert done.status == 0 and 'only the half for UEFI' in done.text and found_on(setup, 1) == expected(files), done.text


def test_settings_of_a_named_loader_are_merged(bases, tmp_path):
    """Not those of the store's default: those of the loader behind /m, in whichever store it is."""
    setup, _ = with_windows(bases, tmp_path / 'machine')
    root = stores.of_windows(setup, 0, 1)
    stores.loader_put(root, '12000004', regf.text('The default'))
    for code, value in (('12000004', regf.text('The meant one')), ('25000020', regf.integer(3)), ('16000049', stores.YES)):
        stores.put(root, code, value, stores.SECOND)
    emptied(setup)
    mirror.put_files(setup.volume(0, change=True), {STORE: regf.build(root)})
    line = ['bcdboot', 'C:\\Windows', '/s', '1/1', '/m', stores.SECOND, '-y']
    done = setup.run(*line)
    assert done.status == 0, done.text
    listed = setup.run('bcd', 'list', '-on', '1').text
    assert 'The meant one\n' in listed and 'The default' not in listed and 'AlwaysOn' in listed, listed
    own = setup.disk(1).parts['plex'].guid
    assert store_model.devices_of(setup.volume(1).get(STORE)) == [own, own]
    assert 'Nothing to do' in setup.run(*line).text


def test_folder_in_the_place_of_the_store_stays(bases, tmp_path):
    """It is somebody's: what was meant is not done, which each command says, and nothing is promised."""
    setup = bases('mirror').copy(tmp_path / 'machine')
    volume = setup.volume(1, change=True)
    volume.delete(STORE)
    mirror.put_files(volume, {f'{STORE}/notes.txt': b'of somebody'})
    before = setup.fingerprint()
    said = ' '.join(setup.run('status').text.split())
    assert r'The boot store \EFI\Microsoft\Boot\BCD is damaged: it is a folder, which is to be moved away first.' in said
    for words, status in ((['rebuild', '1'], 15), (['rebuild', '1', '-store'], 15),
                          (['bcdboot', 'C:\\Windows', '/s', '1/1'], 15), (['repair'], 65)):
        done = setup.run(*words, '-y')
        text = ' '.join(done.text.split())
        assert done.status == status and 'has a folder in the place of its boot store' in text, text
        assert 'Nothing was changed' in text and 'Disk 1 alone: yes' not in text, text
    assert setup.fingerprint() == before
    setup.volume(1, change=True).delete(STORE)
    done = setup.run('rebuild', '1', '-y')
    assert done.status == 0 and 'Starts from Disk 1 alone: yes' in done.text, done.text
