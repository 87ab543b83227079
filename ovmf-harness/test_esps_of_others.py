"""File systems as other tools leave them: ESPs in a Linux RAID, FAT32 with a dead boot sector, stores edited by
hivex and reged, NTFS after ntfsfix. mdadm, fsck.fat, hivex and ntfs-3g say what is there.

The host program repairs the images, started from a stick that is a third disk.
"""
import re
import struct
import subprocess
import uuid

import pytest

import damage
import fat
import gpt
import mirror
from mirror import MIB
from sparse import copy_range, digest, pieces

STORE = '/EFI/Microsoft/Boot/BCD'
REFUSED, NO_SPACE = 15, 9
SHIM = '\\EFI\\debian\\shimx64.efi'


def add_stick(setup):
    """A stick that the program is started from: its journals go there."""
    image = setup.folder / 'stick.img'
    with open(image, 'wb') as stream:
        stream.truncate(16 * MIB)
    part = gpt.Partition(gpt.ESP, blocks=12 * MIB // 512, guid=mirror.guid_of('stick'))
    gpt.Table(image, 512, [part], mirror.guid_of('stick disk')).write()
    setup.disks.append(mirror.DiskFile(image, 512, 'usb', 2, {'stick': part}))
    setup.volume(2, 'stick', change=True).format(16)


@pytest.fixture
def machine(bases, tmp_path):
    """Makes the machine with what happened to it."""
    def make(base, *lines, stick=True):
        setup = bases(base).copy(tmp_path / 'setup')
        for line in lines:
            damage.apply(setup, line)
        for index in (0, 1):
            setup.writable(index)
        if stick:
            add_stick(setup)
        return setup
    return make


def run(setup, *words):
    """A command; what it does to the variables is there afterwards."""
    with_stick = len(setup.disks) > 2
    options = setup.host_options() + (['--self', '2:1'] if with_stick else [])
    done = setup.run(*words, options=options)
    for line in (setup.folder / 'variables.txt').read_text().splitlines():
        name, attributes, data = line.split()
        setup.variables[name] = (int(attributes, 16), b'' if data == '-' else bytes.fromhex(data))
    return ' '.join(done.text.split()), done.status


def esp(setup, index):
    disk = setup.disk(index)
    return digest(disk.image, disk.offset('esp'), disk.size('esp'))


def whole(setup, index):
    return digest(setup.disk(index).image)


def esp_file(setup, index, path):
    """The ESP as a file, for tools that know no offset."""
    disk = setup.disk(index)
    copy_range(disk.image, disk.offset('esp'), disk.size('esp'), path)


def judged(setup, *words):
    """(findings, verdicts, exit status) of `status`."""
    text = setup.run('status', '-sfo', *words)
    findings = {(name, place) for name, place in
                re.findall(r'^FindingInfo,"([^"]*)","[^"]*","([^"]*)"', text.text, re.M)}
    verdicts = dict(re.findall(r'^VerdictInfo,"(\d+)","([a-z]+)"', text.text, re.M))
    return findings, verdicts, text.status


# Members of an array

def examine(setup, index, folder):
    """What mdadm says of the ESP."""
    copy = folder / f'esp{index}'
    esp_file(setup, index, copy)
    done = fat.run('mdadm', '--examine', copy, check=False)
    return dict(re.findall(r'^ *([^:\n]+?) : (.*)$', done.stdout.decode(), re.M))


@pytest.mark.parametrize('lines, version', [((), '1.0'), (('md * esp-old',), '0.90.00')])
def test_mdadm_takes_the_superblocks_for_those_of_a_mirror(lines, version, machine, tmp_path):
    setup = machine('mdesp', *lines)
    for index in (0, 1):
        said = examine(setup, index, tmp_path)
        assert said['Version'] == version
        assert said['Raid Level'] == 'raid1'
        assert said['Checksum'].endswith('correct')
        assert said['Raid Devices'] == '2'


def test_mdadm_sees_what_became_of_a_member(machine, tmp_path):
    said = examine(machine('mdesp', 'md 1 esp-events 11', 'esp 0 deal 1 4'), 1, tmp_path)
    assert said['Raid Level'] == 'raid0'


# What the program would write to one of the members.
WORN = {
    'file missing': ['esp 1 delete /EFI/debian/grubx64.efi'],
    'boot sector gone': ['esp 1 zero-boot-sector'],
    'folder damaged': ['esp 1 garbage-directory /EFI/debian'],
    'type raid': ['gpt 0 esp-type raid', 'gpt 1 esp-type raid', 'esp 1 rmtree /EFI/debian'],
    'old format': ['md * esp-old', 'esp 1 empty'],
    'thrown out': ['md 1 esp-role 0xFFFE', 'esp 1 delete /EFI/debian/shimx64.efi'],
    'striped': ['esp 0 deal 1 4'],
}


@pytest.mark.parametrize('name', WORN)
def test_no_member_is_written_to_alone(name, machine):
    setup = machine('mdesp', *WORN[name])
    before = [esp(setup, index) for index in (0, 1)]
    guids = [setup.disk(index).parts['esp'].guid for index in (0, 1)]
    said = [run(setup, *words) for words in (
        ['repair', '-y', '-format', '-msr'], ['prepare', '1', '-y', '-format'],
        ['copy', '-sg', guids[0], '-tg', guids[1], '-y', '\\'], ['repair', '-y', '-format', '-msr'])]
    assert [esp(setup, index) for index in (0, 1)] == before
    assert 'is a member of a Linux RAID' in said[0][0] and 'mount the array' in said[0][0]
    assert said[1][1] == REFUSED


def test_entries_are_made_for_both_members(machine):
    setup = machine('mdesp', 'nvram wipe', 'gpt 0 esp-type raid')
    before = [whole(setup, index) for index in (0, 1)]
    text, status = run(setup, 'repair', '-y')
    assert status == 0, text
    assert [whole(setup, index) for index in (0, 1)] == before
    assert judged(setup)[1] == {'0': 'starts', '1': 'starts'}
    assert run(setup, 'repair', '-y')[0].startswith('Nothing to do')


def test_no_journal_goes_to_a_member(machine):
    """There is no stick, and the only volumes are those of the array."""
    setup = machine('mdesp', 'entry 0001 delete', stick=False)
    before = [whole(setup, index) for index in (0, 1)]
    text, status = run(setup, 'repair', '-y')
    assert status == 0 and '(journal NVRAM:ShadowbootJournal)' in text, text
    assert [whole(setup, index) for index in (0, 1)] == before


def test_stale_mark_stops_nothing(machine):
    setup = machine('md', 'md * esp-mark 1.0', 'esp 1 delete /EFI/debian/grubx64.efi')
    text, status = run(setup, 'repair', '-y')
    assert status == 0, text
    assert setup.volume(1).exists('/EFI/debian/grubx64.efi')


def test_partition_of_another_type_is_only_read(machine):
    setup = machine('mirror', 'gpt 1 esp-type data', f'esp 1 delete {STORE}')
    before = esp(setup, 1)
    text, _ = run(setup, 'repair', '-y', '-format', '-msr')
    assert 'not an EFI system partition' in text and 'sgdisk -t 3:ef00' in text, text
    assert esp(setup, 1) == before


# FAT

def fsck(setup, index, folder):
    """What fsck.fat finds wrong; empty when it finds nothing."""
    copy = folder / 'volume'
    esp_file(setup, index, copy)
    done = fat.run('fsck.fat', '-n', copy, check=False)
    return (done.stdout + done.stderr).decode(errors='replace') if done.returncode else ''


def spoil(setup, data):
    setup.write(0, setup.disk(0).offset('esp'), data)


@pytest.mark.parametrize('data', [bytes(512), mirror.filler('spoilt', 512), b'\xff' * 512, b'\xeb\x58\x90' + bytes(509)],
                         ids=['zeros', 'spoilt', 'ones', 'jump'])
def test_dead_boot_sector_comes_back_from_its_copy_and_nothing_else_changes(data, machine, tmp_path):
    setup = machine('mirror')
    sound = whole(setup, 0)
    spoil(setup, data)
    spoilt = whole(setup, 0)
    text, status = run(setup, 'repair', '-y')
    assert status == 0 and 'one sector' in text and 'format' not in text.lower(), text
    assert whole(setup, 0) == sound
    assert not fsck(setup, 0, tmp_path)
    assert judged(setup) == (set(), {'0': 'starts', '1': 'starts'}, 0)
    assert run(setup, 'repair', '-y')[0].startswith('Nothing to do')
    assert run(setup, 'undo', '-y')[1] == 0
    assert whole(setup, 0) == spoilt


def test_boot_sector_that_cannot_be_read_is_written_over(machine):
    """As far as the plan goes: writing moves such a block elsewhere on a real disk."""
    setup = machine('mirror')
    setup.disk(0).bad.append((setup.disk(0).parts['esp'].first_lba, 1))
    assert 'write the boot sector' in run(setup, 'repair', '-n')[0]


def test_what_is_missing_comes_behind_the_boot_sector(machine, tmp_path):
    setup = machine('mirror', 'esp 0 delete /EFI/Microsoft/Boot/bootmgr.efi', 'esp 0 zero-boot-sector')
    text, status = run(setup, 'repair', '-y')
    assert status == 0, text
    assert not fsck(setup, 0, tmp_path)
    assert setup.volume(0).exists('/EFI/Microsoft/Boot/bootmgr.efi')
    assert judged(setup) == (set(), {'0': 'starts', '1': 'starts'}, 0)


def test_copy_that_an_older_file_system_left_is_not_written_back(machine):
    """Another FAT32 has been there; of the one of today the boot sector is gone, and nothing fits."""
    setup = machine('mirror')
    boot = setup.read(0, setup.disk(0).offset('esp') + 6 * 512, 512)
    damage.apply(setup, 'esp 0 zero')
    setup.write(0, setup.disk(0).offset('esp') + 6 * 512, boot)
    setup.write(0, setup.disk(0).offset('esp') + 40000, mirror.filler('somebody else', 900000))
    text, _ = run(setup, 'repair', '-n')
    assert 'write the boot sector' not in text and '1. format Disk 0' in text, text


@pytest.mark.parametrize('free, following', [(0, 2), (7, 0xFFFFFFF0), (0x00FFFFFF, 0), (0xFFFFFFFF, 0xFFFFFFFF)])
def test_writer_does_not_trust_fsinfo(free, following, machine, tmp_path):
    setup = machine('mirror', 'esp 0 delete /EFI/Microsoft/Boot/bootmgr.efi', f'esp 0 fsinfo {free} {following}')
    text, status = run(setup, 'repair', '-y')
    assert status == 0, text
    assert not fsck(setup, 0, tmp_path)
    assert setup.volume(0).get('/EFI/Microsoft/Boot/bootmgr.efi') == mirror.boot_program('bootmgr')


def test_full_root_directory_is_not_called_too_little_room(machine):
    setup = machine('mirror', 'esp 1 rmtree /EFI', 'esp 1 fill-root')
    text, _ = run(setup, 'repair', '-y')
    assert 'The root directory of Disk 1 Partition 1' in text and 'does not grow' in text, text
    assert 'bytes are free' not in text, text


def test_full_root_directory_does_not_matter_where_nothing_is_put_there(machine, tmp_path):
    setup = machine('mirror', f'esp 1 delete {STORE}', 'esp 1 fill-root')
    text, status = run(setup, 'repair', '-y')
    assert status == 0, text
    assert setup.volume(1).exists(STORE)


@pytest.mark.parametrize('base, size', [('mirror4k', 512), ('mirror', 4096)])
def test_sectors_of_another_size_are_made_anew_with_all_files(base, size, machine, tmp_path):
    setup = machine(base, 'esp 1 add /OWN.BIN 3000', f'esp 1 sectors {size}')
    before = esp(setup, 1)
    text, status = run(setup, 'repair', '-y', '-format')
    assert status == 0, text
    assert not fsck(setup, 1, tmp_path)
    assert setup.volume(1).get('/OWN.BIN') == mirror.filler('/OWN.BIN', 3000)
    assert judged(setup)[1:] == ({'0': 'starts', '1': 'starts'}, 0)
    assert run(setup, 'undo', '-y')[1] == 0
    assert esp(setup, 1) == before


def test_file_system_longer_than_its_partition_takes_no_cluster_outside(machine, tmp_path):
    setup = machine('mirror', 'esp 1 longer 64', 'esp 1 delete /EFI/Microsoft/Boot/bootmgr.efi')
    text, status = run(setup, 'repair', '-y')
    assert status == 0, text
    assert setup.volume(1).get('/EFI/Microsoft/Boot/bootmgr.efi') == mirror.boot_program('bootmgr')


# Stores

def edit_store(setup, folder, edit):
    """Edit the store of Disk 1 with other people's tools."""
    place = folder / 'BCD'
    place.write_bytes(setup.volume(1).get(STORE))
    edit(place)
    damage.put_file(setup.volume(1, change=True), STORE, place.read_bytes())


def hivex(place):
    """Many values, so that the hive grows by more than a bin."""
    many = ''.join(f'add Key{number}\ncd Key{number}\nsetval 1\nValue\nstring:{"x" * 300}\ncd ..\n'
                   for number in range(40))
    done = subprocess.run(['hivexsh', '-w', place], input=f'cd Objects\n{many}commit\n', text=True,
                          capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def reged(place):
    """A value imported from text."""
    text = place.with_suffix('.reg')
    text.write_text('Windows Registry Editor Version 5.00\r\n\r\n[BCD\\Objects]\r\n"Added"="text"\r\n\r\n')
    done = subprocess.run(['reged', '-C', '-I', place, 'BCD', text], capture_output=True, text=True, check=False)
    assert done.returncode in (0, 2), done.stdout + done.stderr


@pytest.mark.parametrize('edit', [hivex, reged])
def test_store_edited_by_other_tools_is_good(edit, machine, tmp_path):
    setup = machine('mirror')
    before = setup.volume(1).get(STORE)
    edit_store(setup, tmp_path, edit)
    after = setup.volume(1).get(STORE)
    assert after != before
    assert edit is not hivex or len(after) > len(before)
    assert judged(setup) == (set(), {'0': 'starts', '1': 'starts'}, 0)


# NTFS

def test_ntfs_that_ntfsfix_was_at_is_dirty_and_starts(machine, tmp_path):
    setup = machine('mirror')
    disk, copy = setup.disk(1), tmp_path / 'volume'
    copy_range(disk.image, disk.offset('plex'), disk.size('plex'), copy)
    assert subprocess.run(['ntfsfix', '-n', copy], capture_output=True, check=False).returncode == 0
    assert subprocess.run(['ntfsfix', copy], capture_output=True, check=False).returncode == 0
    damage.punch_out(setup, 1, disk.offset('plex'), disk.size('plex'))
    for at, data in pieces(copy):
        setup.write(1, disk.offset('plex') + at, data)
    findings, verdicts, status = judged(setup)
    assert {name for name, _ in findings} == {'ntfs-dirty'}
    assert verdicts == {'0': 'starts', '1': 'starts'} and status == 0
