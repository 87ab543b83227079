"""An ESP that is too small for all that Windows keeps: what it starts without is left out, or it is said how much
room is missing."""
import pytest

import damage
import mirror
import pe
from mirror import FALLBACK, boot_program, filler
from repaired import Repaired, make_stick
from test_rebuild import BOOT, STORE, emptied, found_on, with_windows

KIB = 1 << 10
OWN = '/Windows/Boot/EFI'
# Windows is installed in English; German messages are there as all are.
MESSAGES = {f'{OWN}/de-DE/bootmgfw.efi.mui': filler('de-DE', 600 * KIB)}
SPARED = {f'{OWN}/memtest.efi': pe.set_checksum(boot_program('memtest') + filler('memtest', 200 * KIB))}
FONTS = {f'/Windows/Boot/Fonts/{name}_boot.ttf': filler(name, size) for name, size in (
    ('chs', 400 * KIB), ('wgl4', 5 * KIB))}
RESOURCES = {f'/Windows/Boot/Resources/{name}/bootres.dll.mui': filler(name, 900) for name in ('en-US',)}


def on_esp(path):
    return path.replace(OWN, BOOT).replace('/Windows/Boot', BOOT)


@pytest.fixture
def crowded(bases, tmp_path):
    """An ESP of Disk 1 with so many bytes free."""
    def make(free, more=()):
        setup, files = with_windows(bases, tmp_path / 'machine',
                                    {**MESSAGES, **SPARED, **FONTS, **RESOURCES, **dict(more)})
        volume = emptied(setup).volume(1, change=True)
        mirror.put_files(volume, {'/full.bin': bytes(volume.free() - free)})
        return setup, files
    return make


ALL = {*MESSAGES, *SPARED, *FONTS}
LANGUAGES = {*MESSAGES, *SPARED}
EAST = {'/Windows/Boot/Fonts/chs_boot.ttf'}


@pytest.mark.parametrize('free, out', [(2900 * KIB, set()), (900 * KIB, LANGUAGES), (330 * KIB, LANGUAGES | EAST)],
                         ids=['all', 'without-languages', 'without-fonts'])
def test_what_windows_starts_without_is_left_out(free, out, crowded):
    setup, _ = crowded(free)
    done = setup.run('rebuild', '1', '-y')
    assert done.status == 0, done.text
    found = found_on(setup, 1)
    assert {path for path in ALL if on_esp(path) not in found} == out
    assert all(found[on_esp(path)] == data for path, data in RESOURCES.items())
    assert found[f'{BOOT}/bootmgfw.efi'] == found[FALLBACK] == boot_program('bootmgfw') and setup.volume(1).exists(STORE)
    assert ('There is not room for all' in done.text) == bool(out)
    assert not out or f'{len(out)} files' in done.text, done.text
    again = setup.run('rebuild', '1', '-y')
    assert 'Nothing to do' in again.text, again.text


def test_fonts_stay_where_windows_is_installed_in_a_language_of_theirs(crowded):
    setup, _ = crowded(330 * KIB, {'/Windows/Boot/Resources/zh-CN/bootres.dll.mui': b'mui'})
    before = setup.fingerprint()
    done = setup.run('rebuild', '1', '-y')
    assert done.status == 9 and setup.fingerprint() == before, done.text


def test_too_small_all_the_same_says_by_how_much_and_what_to_type(crowded):
    setup, _ = crowded(50 * KIB)
    before = setup.fingerprint()
    done = setup.run('rebuild', '1', '-y')
    text = ' '.join(done.text.split())
    assert done.status == 9 and setup.fingerprint() == before
    need, free, more = (int(word.replace(',', '')) for word in (
        text.split('The files need ')[1].split()[0], text.split('taken its place, and ')[1].split()[0],
        text.split('Make room there for ')[1].split()[0]))
    assert need - free == more and free <= 50 * KIB < need
    assert '"shadowboot prepare 1" makes a larger one' in text, text


def test_fresh_file_system_is_filled_likewise(bases, tmp_path):
    """The ESP is not formatted, and smaller than all the files, which come from another one."""
    setup = bases('mirror').copy(tmp_path / 'machine')
    files = {on_esp(path): data for path, data in {**SPARED, **FONTS, **RESOURCES}.items()}
    files |= {on_esp(path): data * 4 for path, data in MESSAGES.items()}
    mirror.put_files(setup.volume(0, change=True), files)
    damage.apply(setup, 'esp 1 shrink 3000')
    setup.write(1, setup.disk(1).offset('esp'), bytes(64 * KIB))
    done = setup.run('prepare', '1', '-y', '-format')
    assert done.status == 0 and 'There is not room for all on the new file system' in done.text, done.text
    found = setup.volume(1).copy_out('/EFI')
    assert {path for path in ALL if on_esp(path) not in found} == LANGUAGES
    again = setup.run('prepare', '1', '-n').text
    assert 'bring' not in again and 'There is not room for all' in again, again


@pytest.mark.parametrize('verb', ['prepare 1', 'repair'])
@pytest.mark.parametrize('crowd', [False, True], ids=['room', 'little-room'])
@pytest.mark.parametrize('entry', ['stays', 'gone'])
def test_one_run_is_enough_for_a_smaller_esp_that_was_zeroed(entry, crowd, verb, bases, tmp_path):
    """File system, files, store and boot entry; the second run finds nothing to change."""
    setup = bases('mirror').copy(tmp_path / 'machine')
    if crowd:
        mirror.put_files(setup.volume(0, change=True), {
            on_esp(path): data for path, data in {**SPARED, **FONTS, **RESOURCES}.items()} | {
            on_esp(path): data * 4 for path, data in MESSAGES.items()})
    damage.apply(setup, 'esp 1 shrink 3000')
    if entry == 'gone':
        damage.apply(setup, 'entry 0001 delete')
    setup.write(1, setup.disk(1).offset('esp'), bytes(64 * KIB))
    make_stick(tmp_path / 'blank.img')
    machine = Repaired(setup, tmp_path, tmp_path / 'blank.img')
    first = machine.run(*verb.split(), '-y', '-format')
    assert first.status == 0 and 'Starts from Disk 1 alone: yes, by Boot000' in first.text, first.text
    assert ('There is not room for all' in first.text) == crowd, first.text
    before = machine.setup.fingerprint()
    second = machine.run(*verb.split(), '-y', '-format')
    assert 'Plan:' not in second.text and machine.setup.fingerprint() == before, second.text
    assert ('Nothing to do' in second.text) or crowd, second.text
