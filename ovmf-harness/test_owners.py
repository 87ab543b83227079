"""What belongs to somebody else is left alone: marks of other owners at the ends of disks and in gaps.

Each sample of owners.py is judged by blkid first. Then it lies where its owner would have put it, the
commands that write disks are run, and every byte has to be what it was; the program names the owner.
"""
import os
import subprocess
from pathlib import Path

import damage
import mirror
import owners
import pytest
from owners import MARKS
from sparse import holes_kept, kept_digest

MIB = 1024 * 1024
# Promise's places differ in nothing else: three of them stand for all.
EACH = [name for name in MARKS if not name.startswith('promise-') or name in ('promise-16', 'promise-399',
                                                                             'promise-3087')]
RAID = [name for name in EACH if MARKS[name].raid]
WHOLE = [name for name in EACH if name != 'unknown']
# What lies outside all partitions on a disk that has grown, behind the table.
AT_END = [name for name in EACH if any(at > 128 * MIB for at, _ in MARKS[name].pieces(272 * MIB))]
# Where a deleted partition began. FAT is what a deleted ESP leaves: it is nobody's.
IN_GAP = [name for name in EACH if name not in ('fat', 'unknown', 'hpt37x') and name not in AT_END] + \
         ['zfs', 'stratis', 'md-1.0', 'md-0.90', 'drbd']
WRITES = [('repair', '-y', '-format', '-msr'), ('prepare', '1', '-gpt', '-y'),
          ('prepare', '1', '-y', '-format'), ('prepare', '1', '-y', '-format', '-msr')]


def contents(setup):
    return [kept_digest(disk.image) for disk in setup.disks]


def grow(setup, index):
    image = setup.writable(index)
    os.truncate(image, os.path.getsize(image) + 16 * MIB)


def run_all(setup, words=WRITES):
    """Run the commands; nothing may be written to Disk 1. Gives what they said."""
    said = ''
    for command in words:
        before = contents(setup)
        said += setup.run(*command, program=mirror.bare()).text
        assert contents(setup)[1] == before[1], f'{command} wrote to Disk 1:\n{said}'
    return said


@pytest.mark.parametrize('name', [name for name, mark in MARKS.items() if mark.blkid])
def test_sample_is_what_it_is_called(name, tmp_path):
    image = tmp_path / 'disk.img'
    image.write_bytes(b'')
    os.truncate(image, 256 * MIB)
    owners.put(image, name)
    told = subprocess.run(['blkid', '-p', '-o', 'value', '-s', 'TYPE', str(image)], capture_output=True,
                          text=True, check=False)
    assert told.stdout.strip() == MARKS[name].blkid


def raid_pair(setup, name):
    """Both disks are the same up to the end of the table, the marks lie behind it."""
    image = setup.writable(1)
    holes_kept(setup.disk(0).image, image)
    for index in (0, 1):
        grow(setup, index)
        owners.put(setup.writable(index), name, end='end')


@pytest.mark.parametrize('name', [name for name in RAID if name in AT_END])
def test_halves_of_a_raid_are_one_volume_and_left_alone(name, bases, tmp_path):
    setup = bases('basic').copy(tmp_path / 'raid')
    raid_pair(setup, name)
    before = contents(setup)
    status = setup.run('status', program=mirror.bare()).text
    assert status.count(MARKS[name].words) == 2
    for word in ('same GUID', 'same identity', 'raw copy', 'sgdisk', 'has grown', 'nothing mirrors it'):
        assert word not in status
    said = run_all(setup, [*WRITES, ('prepare', '0', '-gpt', '-y'), ('prepare', '0', '-y', '-format'),
                           ('copy', '-y')])
    assert contents(setup) == before
    assert said.count(MARKS[name].words) >= 6 and 'sgdisk' not in said


@pytest.mark.parametrize('name', WHOLE)
def test_disk_that_somebody_uses_is_not_blank(name, bases, tmp_path):
    setup = bases('mirror').copy(tmp_path / 'whole')
    image = setup.writable(1)
    size = os.path.getsize(image)
    os.truncate(image, 0)
    os.truncate(image, size)
    owners.put(image, name)
    said = run_all(setup)
    assert MARKS[name].words in said


@pytest.mark.parametrize('name', AT_END)
def test_what_lies_behind_a_table_stays(name, bases, tmp_path):
    setup = bases('mirror').copy(tmp_path / 'grown')
    grow(setup, 1)
    owners.put(setup.writable(1), name, end='end')
    said = run_all(setup)
    assert MARKS[name].words in said
    status = setup.run('status', program=mirror.bare()).text
    assert 'has grown' not in status and MARKS[name].words in status


@pytest.mark.parametrize('name', [name for name in WHOLE if MARKS[name].pieces(272 * MIB)[0][0] < 16384
                                  and name != 'apfs'])
def test_table_is_not_written_over_what_took_its_place(name, bases, tmp_path):
    """The primary copy is gone because somebody took the disk; the backup is still good."""
    setup = bases('mirror').copy(tmp_path / 'taken')
    image = setup.writable(1)
    setup.write(1, 0, bytes(34 * 512))
    owners.put(image, name, end='start')
    said = run_all(setup)
    assert MARKS[name].words in said


@pytest.mark.parametrize('name', IN_GAP)
def test_free_space_with_a_mark_is_not_taken(name, bases, tmp_path):
    """The ESP's place is free in the table, and somebody else's: the new ESP comes elsewhere."""
    setup = bases('mirror').copy(tmp_path / 'gap')
    disk = setup.disk(1)
    start, size = disk.offset('esp'), disk.size('esp')
    setup.write(1, start, bytes(size))
    damage.apply(setup, 'gpt 1 delete esp')
    owners.put(setup.writable(1), name, start, size)
    before = setup.read(1, start, size)
    assert MARKS[name].words in setup.run('status', program=mirror.bare()).text
    done = setup.run('prepare', '1', '-y', '-format', program=mirror.bare())
    assert setup.read(1, start, size) == before
    assert done.status == 0, done.text


def test_reserved_partition_with_a_mark_is_not_given_up(bases, tmp_path):
    setup = bases('mirror').copy(tmp_path / 'msr')
    for line in ('esp 1 zero', 'gpt 1 delete esp', 'gpt 1 fill', 'gpt 1 owner-in msr lvm2'):
        damage.apply(setup, line)
    assert 'LVM2' in run_all(setup)


def test_old_backup_at_the_end_is_nobodys(bases, tmp_path):
    """A disk that was used before: the backup of its old table is written over."""
    setup = bases('mirror').copy(tmp_path / 'old')
    for line in ('disk 1 grow', 'gpt 1 old-backup'):
        damage.apply(setup, line)
    done = setup.run('prepare', '1', '-gpt', '-y')
    assert done.status == 0, done.text
    check = subprocess.run(['sgdisk', '-v', str(Path(setup.disk(1).image))], capture_output=True, text=True,
                           check=False)
    assert 'No problems found' in check.stdout
