"""Secure Boot on machines of image files: the verdict on each boot file is that of sbverify and
efitools, and what status, repair and copy make of it."""
import re

import mirror
import pytest
import secure_boot
from secure_boot import AUTHORITIES, MACHINES, Keys

MANAGER = '/EFI/Microsoft/Boot/bootmgfw.efi'
PLACES = {(0, MANAGER): 'old', (0, mirror.FALLBACK): 'unsigned', (1, MANAGER): 'new',
          (1, mirror.FALLBACK): 'new alone'}


@pytest.fixture(scope='session')
def keys(folder):
    return Keys(folder / 'keys')


@pytest.fixture(scope='session')
def files(keys):
    return secure_boot.signed_files(keys)


def machine_with(bases, tmp_path, places, lists, keys, files, on=True):
    """The mirror with these files on its ESPs and these lists in its variables."""
    setup = bases('mirror').copy(tmp_path / 'machine')
    for (disk, path), name in places.items():
        setup.volume(disk, change=True).put(path, files[name])
    secure_boot.put_lists(setup.variables, keys, *lists, on=on)
    return setup


@pytest.mark.parametrize('name', MACHINES)
def test_verdict_is_that_of_other_tools(name, bases, tmp_path, keys, files):
    db, dbx = MACHINES[name](keys, files)
    seen = {}
    for first, second in (('old', 'new'), ('stranger', 'new alone'), ('altered', 'unsigned')):
        places = {(0, MANAGER): first, (1, MANAGER): second}
        setup = machine_with(bases, tmp_path / first, places, (db, dbx), keys, files)
        run = setup.run('secureboot', '-sfo')
        for row in secure_boot.rows(run.text, 'SecureFileInfo'):
            if row[2].lower() == MANAGER.replace('/', '\\').lower():
                seen[places[int(row[0]), MANAGER]] = row[3]
        assert 'ErrorInfo' not in run.text, run.text
    assert set(seen) == set(files)
    wanted = {kind: secure_boot.accepted(keys, db, dbx, data) for kind, data in files.items()}
    assert {kind: verdict == 'accepted' for kind, verdict in seen.items()} == wanted, seen
    assert seen['altered'] == 'altered' or not wanted['old']


def test_start_hangs_on_what_firmware_takes(bases, tmp_path, keys, files):
    places = {(0, MANAGER): 'old', (0, mirror.FALLBACK): 'old', (1, MANAGER): 'new',
              (1, mirror.FALLBACK): 'new'}
    forbidden = MACHINES['2011 forbidden'](keys, files)
    setup = machine_with(bases, tmp_path, places, forbidden, keys, files)
    run = setup.run('status')
    text = re.sub(r'\s+', ' ', run.text)
    assert 'Starts from Disk 0 alone: no.' in text, run.text
    assert ('Secure Boot refuses \\EFI\\Microsoft\\Boot\\bootmgfw.efi: the certificate of its signer is '
            f'in dbx ({AUTHORITIES[0]}).') in text
    assert 'Starts from Disk 1 alone: yes' in text
    off = machine_with(bases, tmp_path / 'off', places, forbidden, keys, files, on=False)
    run = off.run('status', '-sfo')
    assert run.status == 0
    found = [row[:3] for row in secure_boot.rows(run.text, 'FindingInfo') if 'secure' in row[0]]
    assert found == [['esp-secure-would-refuse', 'warning', 'Disk 0 Partition 1']] * 2
    assert setup.run('status', '-quick').status == 0       # files were not read


def test_repair_brings_what_firmware_takes_and_nothing_else(bases, tmp_path, keys, files):
    places = {(0, MANAGER): 'old', (0, mirror.FALLBACK): 'old', (1, MANAGER): 'new',
              (1, mirror.FALLBACK): 'new'}
    lists = MACHINES['2011 forbidden'](keys, files)
    setup = machine_with(bases, tmp_path, places, lists, keys, files)
    run = setup.run('repair', '-y')
    assert run.status == 0, run.text
    assert setup.volume(0).get(MANAGER) == files['new']
    assert setup.volume(0).get(mirror.FALLBACK) == files['new']
    assert setup.volume(1).get(MANAGER) == files['new']
    assert 'Nothing to do' in setup.run('repair', '-y').text


def test_without_another_file_the_update_is_named(bases, tmp_path, keys, files):
    places = {(disk, path): 'old' for disk in (0, 1) for path in (MANAGER, mirror.FALLBACK)}
    lists = MACHINES['2011 forbidden'](keys, files)
    setup = machine_with(bases, tmp_path, places, lists, keys, files)
    before = setup.fingerprint()
    run = setup.run('repair', '-y')
    assert run.status == 67 and 'KB5025885' in run.text, run.text
    assert setup.fingerprint() == before


def test_lists_are_told_in_words(bases, tmp_path, keys, files):
    lists = MACHINES['SVN raised'](keys, files)
    setup = machine_with(bases, tmp_path, PLACES, lists, keys, files)
    run = setup.run('secureboot')
    assert run.status != 0                                   # the fallback of Disk 0 is not signed
    for words in ('Secure Boot: on', AUTHORITIES[1], 'security version numbers: bootmgfw 9.0',
                  'accepted: its signer is in db (Played PCA 2011).',
                  'refused: it is not signed, and its digest is not in db.',
                  'dbx asks boot managers for security version number 9.0.'):
        assert words in run.text, run.text
    secure_boot.put_lists(setup.variables, keys, lists[0], secure_boot.svn_entry(3, 0, secure_boot.SVN_CDBOOT))
    assert 'dbx  security version numbers: cdboot 3.0\n' in setup.run('secureboot').text.replace('\r', '')
    nothing = bases('mirror').copy(tmp_path / 'nothing')
    run = nothing.run('secureboot')
    assert run.status == 0 and 'Secure Boot: not there' in run.text


CONTRADICTS = 'That is not what its lists say: believe the firmware, and tell its maker.'


@pytest.mark.parametrize('code,word', [(0, 'accepted'), (15, 'refused'), (26, 'refused'), (7, 'not told (device error)')])
@pytest.mark.parametrize('on', [True, False])
def test_firmware_that_says_another_thing_is_believed(code, word, on, bases, tmp_path, keys, files):
    setup = machine_with(bases, tmp_path, PLACES, MACHINES['2011 and 2023'](keys, files), keys, files, on=on)
    options = [*setup.host_options(), *(word for _ in PLACES for word in ('--start', f'load:{code}'))]
    run = setup.run('secureboot', '-ask', options=options)
    told = re.findall(r'^      (accepted|refused): .*?Firmware says: ([^.]*)\.(.*?)$', run.text, re.M | re.S)
    assert [ours for ours, _, _ in told].count('accepted') == 3 and len(told) == len(PLACES), run.text
    for ours, firmware, more in told:
        assert firmware == word
        against = on and {ours, firmware} == {'accepted', 'refused'}
        assert more.strip() == (CONTRADICTS if against else ''), run.text
    wanted = {'accepted': 0, 'refused': 10 if on else 0}.get(word, 10 if on else 0)
    assert run.status == wanted, run.text
    rows = secure_boot.rows(setup.run('secureboot', '-ask', '-sfo', options=options).text, 'SecureFileInfo')
    assert sorted(row[3] for row in rows) == ['accepted'] * 3 + ['not-signed'] and {row[8] for row in rows} == {word}


def test_boot_manager_and_windows_are_of_one_level(bases, tmp_path, keys, files):
    """The versions are read from the plex and from the ESP."""
    kept, older = (secure_boot.versioned(tmp_path, (10, 0, 19041, build), (7, 2)) for build in (2965, 1))
    setup = bases('mirror').copy(tmp_path / 'machine')
    start, size = setup.disk(0).parts['plex'].first_lba, 8 * mirror.MIB
    volume = mirror.windows_volume(size, 512, start, more=(('/Windows/Boot/EFI/bootmgfw.efi', kept),))
    for disk, data in ((0, kept), (1, older)):
        setup.writable(disk)
        mirror.put_plex(setup, disk, volume)
        for path in (MANAGER, mirror.FALLBACK):
            setup.volume(disk, change=True).put(path, data)
    run = setup.run('status', '-sfo')
    found = [row for row in secure_boot.rows(run.text, 'FindingInfo') if 'windows' in row[0]]
    assert [row[0] for row in found] == ['esp-older-than-windows'], run.text
    assert found[0][2] == 'Disk 1 Partition 1' and '10.0.19041.1, and Windows keeps 10.0.19041.2965.' in found[0][3]
    row = secure_boot.rows(setup.run('secureboot', '-sfo').text, 'SecureFileInfo')[0]
    assert row[6:8] == ['10.0.19041.2965', '7.2']


def test_version_that_dbx_asks_for_is_compared(bases, tmp_path, keys, files):
    lists = MACHINES['SVN raised'](keys, files)
    manager = secure_boot.versioned(tmp_path, (10, 0, 26100, 1), (7, 0))
    more = {'low': keys.sign(manager, AUTHORITIES[1]),
            'high': keys.sign(secure_boot.versioned(tmp_path, (10, 0, 26100, 2), (9, 0)), AUTHORITIES[1])}
    setup = machine_with(bases, tmp_path, {(0, MANAGER): 'high', (0, mirror.FALLBACK): 'high',
                                           (1, MANAGER): 'low', (1, mirror.FALLBACK): 'high'},
                         lists, keys, more)
    text = re.sub(r'\s+', ' ', setup.run('status').text)
    assert 'bootmgfw.efi has security version number 7.0, dbx asks for 9.0.' in text
    assert 'Starts from Disk 0 alone: yes' in text and 'Starts from Disk 1 alone: perhaps' in text


def test_windows_own_manager_of_2023_is_brought_where_all_are_refused(bases, tmp_path, keys, files):
    fresh = keys.sign(secure_boot.versioned(tmp_path, (10, 0, 26100, 1), (9, 0)), AUTHORITIES[1])
    places = {(disk, path): 'old' for disk in (0, 1) for path in (MANAGER, mirror.FALLBACK)}
    setup = machine_with(bases, tmp_path, places, MACHINES['2011 forbidden'](keys, files), keys, files)
    start = setup.disk(0).parts['plex'].first_lba
    volume = mirror.windows_volume(8 * mirror.MIB, 512, start, more=(
        ('/Windows/Boot/EFI/bootmgfw.efi', files['old']), ('/Windows/Boot/EFI_EX/bootmgfw_EX.efi', fresh)))
    for disk in (0, 1):
        setup.writable(disk)
        mirror.put_plex(setup, disk, volume)
    text = re.sub(r'\s+', ' ', setup.run('repair', '-n').text)
    assert 'After this: Disk 0 alone: yes, by Boot0000; Disk 1 alone: yes, by Boot0001.' in text, text
    assert len(re.findall(r'bring 2 files and 1 folder, .*? from Disk 0 Partition 4', text)) == 2, text
    # Where the lists still take that of 2011 there is nothing to bring.
    secure_boot.put_lists(setup.variables, keys, *MACHINES['2011 and 2023'](keys, files))
    setup.variables.pop(f'{{{secure_boot.SECURITY}}}/dbx', None)
    assert 'Nothing to do' in setup.run('repair', '-n').text
