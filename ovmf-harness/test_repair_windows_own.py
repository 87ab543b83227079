"""`repair` where Windows' own boot files (\\Windows\\Boot) say what is right: a boot manager that is newer or older than
the Windows it would start, a removable-media copy that is another one, files that a rebuild has brought."""
import pytest

import mirror
import secure_boot
from mirror import FALLBACK, boot_program
from repaired import Repaired, make_stick
from secure_boot import AUTHORITIES, Keys
from test_rescue import Bench

BOOT = '/EFI/Microsoft/Boot'
MANAGER = f'{BOOT}/bootmgfw.efi'
BUILDS = {'old': 1, 'now': 2965, 'new': 5369}
LEVEL = ('esp-older-than-windows', 'esp-newer-than-windows', 'esp-fallback-differs')


@pytest.fixture(scope='module')
def managers(folder):
    """Boot managers of three versions."""
    place = folder / 'versions'
    place.mkdir(exist_ok=True)
    return {name: secure_boot.versioned(place, (10, 0, 19041, build), (7, 2)) for name, build in BUILDS.items()}


@pytest.fixture(scope='session')
def keys(folder):
    return Keys(folder / 'keys of own')


@pytest.fixture
def mirrored(bases, tmp_path):
    """A mirror whose Windows keeps that boot manager and those other files, and whose ESPs have those."""
    def make(kept, esps, more=(), base='mirror'):
        setup = bases(base).copy(tmp_path / 'machine')
        disk = setup.disk(0)
        volume = mirror.windows_volume(disk.size('plex'), disk.block_size, disk.parts['plex'].first_lba, more=(
            ('/Windows/Boot/EFI/bootmgfw.efi', kept), *dict(more).items()))
        for index in range(2):
            setup.writable(index)
            mirror.put_plex(setup, index, volume)
            mirror.put_files(setup.volume(index, change=True), esps[index])
        return setup
    return make


def manager_at(data):
    return {MANAGER: data, FALLBACK: data}


def findings(setup):
    told = setup.run('status', '-sfo').text
    return [name for name in LEVEL if f'"{name}"' in told]


@pytest.fixture
def mended(folder, tmp_path):
    """Repairs with a stick: the findings are gone, a second run finds nothing, and it can be taken back."""
    stick = folder / 'stick.img'
    if not stick.exists():
        make_stick(stick)

    def mend(setup, twice='Nothing to do'):
        machine = Repaired(setup, tmp_path, stick)
        before = machine.state()
        done = machine.run('repair', '-y')
        assert done.status == 0, done.text
        assert not findings(machine.setup), done.text
        after = [machine.setup.volume(index).copy_out('/EFI') for index in range(2)]
        again = machine.run('repair', '-y')
        assert twice in again.text, done.text + again.text
        assert machine.run('undo', '1', '-y').status == 0 and machine.left_behind(before) == []
        return after, done.text
    return mend


def without_journals(files):
    return {path: data for path, data in files.items() if '/shadowboot/' not in path}


@pytest.mark.parametrize('own', [('old', 'old'), ('new', 'new'), ('old', 'now'), ('now', 'old'), ('new', 'now'),
                                 ('now', 'new'), ('new', 'old'), ('old', 'new')], ids='-'.join)
def test_boot_manager_is_that_of_its_windows(own, managers, mirrored, mended):
    setup = mirrored(managers['now'], [manager_at(managers[name]) for name in own])
    assert findings(setup)
    after, _ = mended(setup)
    for files in after:
        assert files[MANAGER] == managers['now'] and files[FALLBACK] == managers['now']


@pytest.mark.parametrize('base', ['mirror', 'mirror4k'])
def test_newer_one_brings_down_what_came_with_it(base, managers, mirrored, tmp_path, mended):
    """The manager of another Windows has brought its memory tester, which is newer as well."""
    old, new = (secure_boot.versioned(tmp_path, (10, 0, version, 1), (7, 2)) for version in (19041, 26100))
    setup = mirrored(managers['now'], [{**manager_at(managers['new']), f'{BOOT}/memtest.efi': new}] * 2,
                     {'/Windows/Boot/EFI/memtest.efi': old}, base)
    after, _ = mended(setup)
    assert all(files[MANAGER] == managers['now'] and files[f'{BOOT}/memtest.efi'] == old for files in after)


def test_twin_that_windows_keeps_is_not_too_new(managers, mirrored):
    """It is of this Windows, whichever of the two the ESP has."""
    setup = mirrored(managers['now'], [manager_at(managers['new'])] * 2,
                     {'/Windows/Boot/EFI_EX/bootmgfw_EX.efi': managers['new']})
    assert not findings(setup)
    assert 'Nothing to do' in setup.run('repair', '-y').text


@pytest.mark.parametrize('on', [True, False], ids=['on', 'off'])
def test_newer_one_stays_where_the_lists_refuse_that_of_windows(on, keys, managers, mirrored):
    kept, own = keys.sign(managers['now'], AUTHORITIES[0]), keys.sign(managers['new'], AUTHORITIES[1])
    setup = mirrored(kept, [manager_at(own)] * 2)
    secure_boot.put_lists(setup.variables, keys, secure_boot.trusting(keys, *AUTHORITIES[:2]),
                          secure_boot.trusting(keys, AUTHORITIES[0]), on=on)
    before = setup.fingerprint()
    done = setup.run('repair', '-y')
    assert setup.fingerprint() == before
    text = ' '.join(done.text.split())
    assert 'stays' in text and 'the certificate of its signer is in dbx' in text and 'Windows Update' in text, text


def test_only_a_good_plex_says_what_is_right(managers, mirrored):
    """Where both copies of Windows are damaged there is nothing to go by, and nothing is said to be mended."""
    setup = mirrored(managers['now'], [manager_at(managers['old'])] * 2)
    for index in range(2):
        mirror.put_plex(setup, index, mirror.windows_volume(
            setup.disk(index).size('plex'), 512, setup.disk(index).parts['plex'].first_lba,
            more=(('/Windows/Boot/EFI/bootmgfw.efi', managers['now'][:-3000] + b'\1' * 3000),)))
    done = setup.run('repair', '-y')
    assert all(setup.volume(index).get(MANAGER) == managers['old'] for index in range(2)), done.text


def test_copy_that_differs_gives_way_to_the_manager(managers, mirrored, mended):
    """Under the removable-media path, where it is Windows' own; on both ESPs, on either."""
    for changed in ((0,), (1,), (0, 1)):
        esps = [{MANAGER: managers['now'], FALLBACK: managers['old' if index in changed else 'now']}
                for index in range(2)]
        setup = mirrored(managers['now'], esps)
        assert findings(setup) == ['esp-fallback-differs']
        after, _ = mended(setup)
        assert all(files[FALLBACK] == managers['now'] for files in after)


def test_copy_that_is_too_new_gives_way(managers, mirrored, mended):
    setup = mirrored(managers['now'], [{MANAGER: managers['now'], FALLBACK: managers['new']}] * 2)
    after, _ = mended(setup)
    assert all(files[FALLBACK] == managers['now'] for files in after)


def test_program_of_others_there_stays(managers, mirrored):
    setup = mirrored(managers['now'], [{MANAGER: managers['now'], FALLBACK: boot_program('other')}] * 2)
    done = setup.run('repair', '-y')
    assert all(setup.volume(index).get(FALLBACK) == boot_program('other') for index in range(2)), done.text


@pytest.mark.parametrize('lost, kept', [((0,), True), ((1,), True), ((0, 1), True), ((0,), False), ((1,), False)])
def test_folder_without_its_boot_manager_gets_it(lost, kept, managers, mirrored, mended):
    """The copy under the removable-media path is there: so ESPs look after a bcdboot that stumbled. Windows keeps
    one, or one of the ESPs has one."""
    setup = mirrored(managers['now'] if kept else b'', [manager_at(managers['now'])] * 2)
    for index in lost:
        setup.volume(index, change=True).delete(MANAGER)
    after, _ = mended(setup)
    assert all(files[MANAGER] == managers['now'] for files in after)


def test_rebuilt_files_stay(managers, mirrored):
    """`rebuild 1` brings Windows' own; where the primary has others, repair brings them there, not the other way."""
    kept = {'/Windows/Boot/EFI/boot.stl': b'of Windows', '/Windows/Boot/EFI/memtest.efi': boot_program('memtest of now')}
    stale = {f'{BOOT}/boot.stl': b'of an earlier day', **manager_at(managers['now'])}
    setup = mirrored(managers['now'], [stale, stale], kept)
    assert setup.run('rebuild', '1', '-y').status == 0
    own = setup.volume(1).copy_out('/EFI')
    assert own[f'{BOOT}/boot.stl'] == b'of Windows'
    done = setup.run('repair', '-y')
    assert done.status == 0, done.text
    for index in range(2):
        files = setup.volume(index).copy_out('/EFI')
        assert all(files[path] == data for path, data in own.items() if '/BCD' not in path and '/shadowboot/' not in path)
    assert 'Nothing to do' in setup.run('repair', '-y').text
    assert 'Nothing to do' in setup.run('rebuild', '1', '-y').text


def test_stale_files_of_both_go_by_the_primary(managers, mirrored, mended):
    """Neither ESP has what Windows keeps: as long as the boot manager is that of its Windows the primary counts."""
    esps = [{f'{BOOT}/boot.stl': b'primary', **manager_at(managers['now'])},
            {f'{BOOT}/boot.stl': b'shadow', **manager_at(managers['now'])}]
    setup = mirrored(managers['now'], esps, {'/Windows/Boot/EFI/boot.stl': b'of Windows'})
    after, _ = mended(setup)
    assert all(files[f'{BOOT}/boot.stl'] == b'primary' for files in after)


def test_without_a_stick_one_disk_after_the_other(managers, mirrored):
    """A journal lies on no disk that is changed: what is left is done by the next run, which is said."""
    setup = mirrored(managers['now'], [manager_at(managers['old'])] * 2)
    first = setup.run('repair', '-y')
    assert first.status == 0 and 'Run the command again' in first.text, first.text
    assert setup.run('repair', '-y').status == 0 and not findings(setup)
    assert all(setup.volume(index).get(MANAGER) == managers['now'] for index in range(2))
    assert 'Nothing to do' in setup.run('repair', '-y').text


# --- Where the machine's firmware is not there to ask ---------------------------------------------

@pytest.fixture
def two_authorities(keys, mirrored, tmp_path):
    """One version, signed by the old authority and by the new one; Windows keeps both. `own` is what the ESPs have."""
    def make(*own):
        plain = secure_boot.versioned(tmp_path, (10, 0, 19041, 2965), (7, 2))
        signed = {name: keys.sign(plain, AUTHORITIES[at]) for at, name in enumerate(('old', 'new'))}
        setup = mirrored(signed['old'], [manager_at(signed[name]) for name in own],
                         {'/Windows/Boot/EFI_EX/bootmgfw_EX.efi': signed['new']})
        return setup, signed
    return make


def names_of(setup, signed):
    return [next((name for name, data in signed.items() if data == setup.volume(index).get(MANAGER)), '')
            for index in range(2)]


@pytest.mark.parametrize('variables', [None, 'SecureBoot', 'db'])
@pytest.mark.parametrize('words', ['repair', 'rebuild 0', 'rebuild 1', 'copy'])
@pytest.mark.parametrize('own', [('new', 'old'), ('old', 'new'), ('new', 'new')], ids='-'.join)
def test_no_manager_of_another_signer_comes_where_the_lists_are_not_known(own, words, variables, keys, two_authorities,
                                                                          tmp_path):
    """Nobody has said --efivars, or the folder lacks a variable: which of the two firmware takes is not known."""
    setup, signed = two_authorities(*own)
    secure_boot.put_lists(setup.variables, keys, secure_boot.trusting(keys, *AUTHORITIES[:2]),
                          secure_boot.trusting(keys, AUTHORITIES[0]), on=True)
    desk = Bench(setup, tmp_path / 'bench')
    options = [desk.efivars()] if variables else []
    for file in (tmp_path / 'bench').glob(f'efivars/{variables}-*'):
        file.unlink()
    text, _, _ = desk.write(*words.split(), '-y', options=options)
    assert names_of(setup, signed) == list(own), text
    text, _, _ = desk.run('status', options=options)
    assert 'Secure Boot is not known here' in text and '--efivars' in text, text
    assert '"secure-boot-unknown"' in desk.run('status', '-sfo', options=options)[0]


def test_lists_that_are_there_say_which_manager_counts(keys, two_authorities, tmp_path):
    setup, signed = two_authorities('new', 'old')
    secure_boot.put_lists(setup.variables, keys, secure_boot.trusting(keys, *AUTHORITIES[:2]),
                          secure_boot.trusting(keys, AUTHORITIES[0]), on=True)
    desk = Bench(setup, tmp_path / 'bench')
    options = [desk.efivars()]
    assert 'Secure Boot is not known' not in desk.run('status', options=options)[0]
    text, _, _ = desk.write('repair', '-y', options=options)
    assert names_of(setup, signed) == ['new', 'new'], text


def test_damaged_manager_gives_way_though_the_lists_are_not_known(two_authorities, tmp_path):
    setup, signed = two_authorities('new', 'new')
    broken = bytearray(signed['old'])
    broken[0x400:0x500] = bytes(0x100)
    mirror.put_files(setup.volume(1, change=True), manager_at(bytes(broken)))
    text, _, _ = Bench(setup, tmp_path / 'bench').write('repair', '-y')
    assert names_of(setup, signed) == ['new', 'new'], text
    assert 'Secure Boot is not known here' in text, text


def test_what_the_lists_prefer_is_newer_whatever_its_date(keys, two_authorities):
    """Disk 1 has the manager that dbx forbids, written later: it is not offered to Disk 0."""
    setup, signed = two_authorities('new', 'new')
    secure_boot.put_lists(setup.variables, keys, secure_boot.trusting(keys, *AUTHORITIES[:2]),
                          secure_boot.trusting(keys, AUTHORITIES[0]), on=False)
    mirror.put_files(setup.volume(1, change=True), manager_at(signed['old']), date=mirror.BUILT + 86400)
    done = setup.run('repair', '-y')
    assert 'Disk 1 has a newer boot manager' not in ' '.join(done.text.split()), done.text
    assert names_of(setup, signed) == ['new', 'new'], done.text


def test_higher_version_is_newer_whatever_its_date(managers, mirrored):
    setup = mirrored(b'', [manager_at(managers['now'])] * 2)
    mirror.put_files(setup.volume(1, change=True), manager_at(managers['old']), date=mirror.BUILT + 86400)
    done = setup.run('repair', '-y')
    assert 'newer boot manager' not in ' '.join(done.text.split()), done.text
    assert all(setup.volume(index).get(MANAGER) == managers['now'] for index in range(2)), done.text


@pytest.fixture
def blank(keys, managers, mirrored, tmp_path):
    """(bench, manager, its twin of 2023) of a mirror whose ESPs were both formatted by mistake; Secure Boot is on, forbids
    the first and trusts the second."""
    old, new = (keys.sign(managers['now'], AUTHORITIES[number]) for number in (0, 1))
    setup = mirrored(old, [{}, {}], {'/Windows/Boot/EFI_EX/bootmgfw_EX.efi': new})
    secure_boot.put_lists(setup.variables, keys, secure_boot.trusting(keys, *AUTHORITIES[:2]),
                          secure_boot.trusting(keys, AUTHORITIES[0]), on=True)
    for index in range(2):
        setup.volume(index, change=True).format(16, serial=0xC0FFEE00 + index)
    return Bench(setup, tmp_path / 'bench'), old, new


@pytest.mark.parametrize('words', ['repair', 'rebuild 1'])
@pytest.mark.parametrize('variables', [None, 'SecureBoot'])
def test_blank_esps_get_what_windows_keeps_with_a_word_where_the_lists_are_not_known(variables, words, blank, tmp_path):
    """Both were formatted by mistake. Which of Windows' two managers firmware takes nobody knows: the one of all years
    comes, not the twin, and it is said before anything is written that firmware may refuse it."""
    desk, old, new = blank
    setup = desk.setup
    options = [desk.efivars()] if variables else []
    for file in (tmp_path / 'bench').glob(f'efivars/{variables}-*'):
        file.unlink()
    before = setup.fingerprint()
    for more in ('-n', '-y'):
        text, _, _ = desk.write(*words.split(), more, options=options)
        said = ' '.join(text.split())
        assert 'Secure Boot is not known here' in said and 'it may refuse what is brought' in said, text
        assert said.index('it may refuse') < said.index('Plan:'), text
        assert (setup.fingerprint() == before) == (more == '-n')
    assert setup.volume(1).get(MANAGER) == setup.volume(1).get(FALLBACK) == old, text
    text, _, _ = desk.run('status', options=options)
    assert 'Secure Boot is not known here' in text, text


def test_blank_esps_get_the_twin_where_the_lists_are_known(blank):
    """The same with --efivars: nothing that firmware refuses."""
    desk, _, new = blank
    text, status, _ = desk.write('repair', '-y', options=[desk.efivars()])
    assert 'may refuse' not in text and desk.setup.volume(1).get(MANAGER) == new, (status, text)
