"""`rebuild` where Secure Boot is: the twin of 2023 where firmware trusts it, never a file that it refuses,
and no older boot manager in the place of a newer one."""
import pytest

import mirror
import secure_boot
import test_secure_formats as secure_formats
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


def listed(setup, keys, files, name, on):
    db, dbx = MACHINES[name](keys, files)
    secure_boot.put_lists(setup.variables, keys, db, dbx, on=on)
    return {kind: secure_boot.accepted(keys, db, dbx, files[kind]) for kind in ('old', 'new')}


@pytest.mark.parametrize('on', [True, False], ids=['on', 'off'])
@pytest.mark.parametrize('name', MACHINES)
def test_what_the_lists_trust_stays(name, on, bases, tmp_path, keys, files):
    """Whether Secure Boot is on now or not: what is there and trusted does not give way to what is forbidden. Windows
    has no twin here."""
    setup = with_plexes(bases, tmp_path / 'machine', {
        '/Windows/Boot/EFI/bootmgfw.efi': files['old'], '/Windows/Boot/EFI/boot.stl': b'list'})
    trusted = listed(setup, keys, files, name, on)
    mirror.put_files(setup.volume(1, change=True), {MANAGER: files['new'], mirror.FALLBACK: files['new']})
    run = setup.run('rebuild', '1', '-y')
    stays = trusted['new'] and not trusted['old']
    if on and not trusted['new'] and not trusted['old']:
        assert run.status == 15, run.text
        return
    assert run.status == 0, run.text
    for path in (MANAGER, mirror.FALLBACK):
        assert setup.volume(1).get(path) == files['new' if stays else 'old'], run.text
    assert ("Secure Boot's lists trust" in run.text) == stays, run.text
    assert setup.volume(1).get('/EFI/Microsoft/Boot/boot.stl') == b'list'
    assert 'Nothing to do' in setup.run('rebuild', '1', '-y').text


def test_lists_count_between_esps_too(bases, tmp_path, keys, files):
    """`copy` brings nothing that is forbidden over what is trusted."""
    setup = bases('mirror').copy(tmp_path / 'machine')
    listed(setup, keys, files, '2011 forbidden', False)
    for index, kind in ((0, 'old'), (1, 'new')):
        mirror.put_files(setup.volume(index, change=True), {MANAGER: files[kind], mirror.FALLBACK: files[kind]})
    run = setup.run('copy', '-y')
    assert setup.volume(1).get(MANAGER) == files['new'] and "Secure Boot's lists trust" in run.text, run.text


def test_svn_counts_as_the_lists_do(bases, tmp_path, keys):
    """dbx asks for 7.0: a boot manager of 9.0 does not give way to one of 2.0, whichever version that says."""
    old, new = (keys.sign(secure_boot.versioned(tmp_path, (10, 0, version, 1), (svn, 0)), secure_boot.AUTHORITIES[1])
                for version, svn in ((28000, 2), (26100, 9)))
    setup = with_plexes(bases, tmp_path / 'machine', {'/Windows/Boot/EFI/bootmgfw.efi': old})
    secure_boot.put_lists(setup.variables, keys, secure_boot.trusting(keys, *secure_boot.AUTHORITIES[:2]),
                          secure_boot.svn_entry(7), on=False)
    mirror.put_files(setup.volume(1, change=True), {MANAGER: new, mirror.FALLBACK: new})
    run = setup.run('rebuild', '1', '-y')
    assert run.status == 0 and setup.volume(1).get(MANAGER) == new, run.text


def test_blank_esp_gets_what_would_be_refused_with_a_word(bases, tmp_path, keys, files):
    setup = with_plexes(bases, tmp_path / 'machine', {'/Windows/Boot/EFI/bootmgfw.efi': files['old']})
    listed(setup, keys, files, '2011 forbidden', False)
    run = setup.run('rebuild', '1', '-y')
    assert run.status == 0 and setup.volume(1).get(MANAGER) == files['old'], run.text
    assert 'switched on, it would refuse' in run.text, run.text


@pytest.mark.parametrize('other', [True, False], ids=['other-has-one', 'none-has-one'])
def test_refused_manager_is_not_called_damaged(other, bases, tmp_path, keys, files):
    """Nothing is brought beside a boot manager that Secure Boot, which is on, does not start."""
    setup = with_plexes(bases, tmp_path / 'machine', {'/Windows/Boot/EFI/bootmgfw.efi': files['old']})
    listed(setup, keys, files, '2011 forbidden', True)
    if other:
        mirror.put_files(setup.volume(0, change=True), {MANAGER: files['new'], mirror.FALLBACK: files['new']})
    before = setup.fingerprint()
    run = setup.run('rebuild', '1', '-y')
    said = ' '.join(run.text.split())
    assert run.status == 15 and 'Secure Boot is on and refuses bootmgfw.efi' in said, run.text
    assert 'damaged' not in said and ('shadowboot repair' in said) == other, run.text
    assert setup.fingerprint() == before


def test_fallback_is_the_manager_that_stays(bases, tmp_path):
    """The ESP's newer boot manager stays: the removable-media file is a copy of that, be it missing or Windows' older
    one."""
    older, newer = (secure_boot.versioned(tmp_path, (10, 0, 19041, build), (7, 2)) for build in (1, 2965))
    for name, own in (('missing', None), ('older', older), ('newer', newer)):
        setup = with_plexes(bases, tmp_path / name, {'/Windows/Boot/EFI/bootmgfw.efi': older})
        mirror.put_files(setup.volume(1, change=True), {MANAGER: newer, **({mirror.FALLBACK: own} if own else {})})
        run = setup.run('rebuild', '1', '-y')
        assert run.status == 0 and setup.volume(1).get(mirror.FALLBACK) == newer, run.text
        assert 'Nothing to do' in setup.run('rebuild', '1', '-y').text


def test_fallback_follows_the_manager_that_comes(bases, tmp_path):
    """Windows writes both; what is not Windows' stays."""
    older, newer = (secure_boot.versioned(tmp_path, (10, 0, 19041, build), (7, 2)) for build in (1, 2965))
    for name, own, then in (('older', older, newer), ('other', mirror.boot_program('other'), None)):
        setup = with_plexes(bases, tmp_path / name, {'/Windows/Boot/EFI/bootmgfw.efi': newer})
        mirror.put_files(setup.volume(1, change=True), {MANAGER: older, mirror.FALLBACK: own})
        run = setup.run('rebuild', '1', '-y')
        assert run.status == 0 and setup.volume(1).get(mirror.FALLBACK) == (then or own), run.text


# Why the twin of 2023 is not taken

TWIN = '/Windows/Boot/EFI_EX/bootmgfw_EX.efi'
OF_2023 = secure_formats.DATA / 'sbo-windows-uefi-ca-2023.der'


def of_2023():
    """A list with Microsoft's own certificate."""
    return secure_boot.signature_list(secure_boot.X509, secure_formats.needs(OF_2023).read_bytes())


def said_of_twin(bases, folder, keys, files, more, lists, *words):
    setup = with_plexes(bases, folder, {'/Windows/Boot/EFI/bootmgfw.efi': files['old'], **more})
    secure_boot.put_lists(setup.variables, keys, *lists)
    run = setup.run(*(words or ('rebuild', '1', '-y')))
    return setup, run, ' '.join(run.text.split())


@pytest.mark.parametrize('words', [('rebuild', '1', '-y'), ('repair', '-y')], ids=' '.join)
@pytest.mark.parametrize('more, why, then', [
    ({}, 'Windows has no twin of 2023', 'Windows Update (KB5025885)'),
    ({TWIN: b'no program' * 500}, 'Its twin of 2023 is damaged', 'sfc /scannow'),
], ids=['none', 'damaged'])
def test_older_manager_comes_with_the_reason(more, why, then, words, bases, tmp_path, keys, files):
    """Firmware has the certificate of 2023."""
    lists = secure_boot.trusting(keys, secure_boot.AUTHORITIES[0]) + of_2023(), b''
    setup, run, text = said_of_twin(bases, tmp_path / 'machine', keys, files, more, lists, *words)
    assert run.status == 0 and setup.volume(1).get(MANAGER) == files['old'], run.text
    assert why in text and then in text and text.count('is that of before 2023') == 1, text


def test_twin_that_firmware_does_not_take_is_named(bases, tmp_path, keys, files):
    old, both = (secure_boot.trusting(keys, *secure_boot.AUTHORITIES[:count]) for count in (1, 2))
    forbidden = secure_boot.signature_list(secure_boot.SHA256, keys.digest(files['new']))
    for name, lists, why, then in (
            ('lacks', (old, b''), 'Its twin of 2023 is not taken: its signer is not in db', 'Windows Update (KB5025885)'),
            ('forbids', (both, forbidden), 'Its twin of 2023 is not taken: its digest is in dbx', 'Windows Update (KB5025885)')):
        setup, run, text = said_of_twin(bases, tmp_path / name, keys, files, {TWIN: files['new']}, lists)
        assert run.status == 0 and setup.volume(1).get(MANAGER) == files['old'], run.text
        assert why in text and then in text, text


def test_refusal_says_why_the_twin_is_not_taken(bases, tmp_path, keys, files):
    """What Windows started with would be refused; the twin, which would not, is no program."""
    setup, run, text = said_of_twin(bases, tmp_path / 'machine', keys, files, {TWIN: b'no program' * 500},
                                    MACHINES['2011 forbidden'](keys, files))
    assert run.status == 15 and 'refuses bootmgfw.efi' in text and not setup.volume(1).exists(MANAGER), text
    assert 'Its twin of 2023 is damaged. sfc /scannow mends that' in text, text


def test_nothing_is_said_of_twins_where_there_is_nothing_to_say(bases, tmp_path, keys, files):
    """The twin comes; firmware and Windows know nothing of 2023; no lists; the manager is there already."""
    old, both = (secure_boot.trusting(keys, *secure_boot.AUTHORITIES[:count]) for count in (1, 2))
    for name, lists, more in (('taken', (both, b''), {TWIN: files['new']}), ('old', (old, b''), {}),
                              ('no lists', (b'', b'', False), {TWIN: files['new']})):
        setup, run, text = said_of_twin(bases, tmp_path / name, keys, files, more, lists)
        assert run.status == 0 and '2023' not in text, text
        assert 'Nothing to do' in setup.run('rebuild', '1', '-y').text


@pytest.mark.parametrize('words, status, came, said', [
    (('rebuild', '1', '-y'), 15, [], 'Secure Boot is on and refuses bootmgfw.efi'),
    (('repair', '-y'), 67, [0, 1], 'Secure Boot is on, and will refuse the boot manager that comes')], ids=['rebuild', 'repair'])
def test_nothing_that_firmware_refuses_comes_onto_blank_esps_without_a_word(words, status, came, said, bases, tmp_path, keys,
                                                                            files):
    """There is no other: `rebuild` stops; `repair`, which mends what it can, says so before its plan."""
    lists = MACHINES['2011 forbidden'](keys, files)
    setup, run, text = said_of_twin(bases, tmp_path / 'machine', keys, files, {}, lists, *words)
    assert (run.status, said in text.split('Plan:')[0]) == (status, True), text
    assert [index for index in range(2) if setup.volume(index).exists(MANAGER)] == came, text
    assert 'alone: yes' not in text, text
