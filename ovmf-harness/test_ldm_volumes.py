"""`volumes` of the host program beside ldmtool, another reader of LDM databases, and beside what is
known of disks that Windows made.

The disks that Windows made are looked for in $SHADOWBOOT_SHARED, default ../shared.
"""
import csv
import functools
import json
import os
import shutil
import subprocess
import tarfile
from collections import namedtuple
from pathlib import Path

import pytest

import gpt
import ldm
import limits
from ldm import DiskGroup, LdmDisk, build_private_region, mbr_disk

ROOT = Path(__file__).resolve().parent.parent
HOST = Path(os.environ.get('SHADOWBOOT_HOST', ROOT / 'build/host/shadowboot'))
ARCHIVE = Path(os.environ.get('SHADOWBOOT_SHARED', ROOT / '../shared')) / 'data/ldm-2008r2.tar.xz'
SECTOR = 512

needs_ldmtool = pytest.mark.skipif(not shutil.which('ldmtool'), reason='needs ldmtool')
needs_windows = pytest.mark.skipif(not ARCHIVE.exists(), reason=f'{ARCHIVE} is not there')

TABLES = {
    'GroupInfo': 'name guid transaction pending change databases log disks missing foreign',
    'DynamicDiskInfo': 'group name guid disk status reason flags database transaction log',
    'VolumeInfo': 'number name guid group type size hint file_system status info state flags nt_name',
    'PlexInfo': 'volume name layout columns stripe presence state reason state_text flags',
    'ExtentInfo': 'volume plex name disk_name disk partition guid lba blocks size offset column state '
                  'reason',
}
ROWS = {name: namedtuple(name, columns) for name, columns in TABLES.items()}
# What ldmtool calls what diskpart calls otherwise.
TYPES = {'Simple': 'simple', 'Spanned': 'spanned', 'Stripe': 'striped', 'Mirror': 'mirrored',
         'RAID-5': 'RAID5'}


def bare(guid):
    return guid.strip('{}')


class Volumes:
    """The rows of `volumes -sfo`: groups, disks, volumes, plexes, extents."""

    def __init__(self, images):
        disks = [word for image in images for word in ('--disk', str(image))]
        done = limits.run([str(HOST), *disks, '--', 'volumes', '-sfo'], 120,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.status = done.returncode
        rows = {name: [] for name in TABLES}
        for name, *columns in csv.reader(done.stdout.decode().splitlines()[1:], escapechar='^'):
            rows[name].append(ROWS[name](*columns))
        self.groups, self.disks, self.volumes, self.plexes, self.extents = rows.values()

    def plexes_of(self, volume):
        return [plex for plex in self.plexes if plex.volume == volume.number]

    def extents_of(self, volume):
        return [extent for extent in self.extents if extent.volume == volume.number]


class LdmTool:
    def __init__(self, images):
        self.options = [option for image in images for option in ('-d', str(image))]

    def __call__(self, *action):
        done = subprocess.run(['ldmtool', *self.options, 'show', *action], check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return json.loads(done.stdout)


def assert_disks_agree(ours, tool, images):
    group = bare(ours.groups[0].guid)
    for disk in ours.disks:
        shown = tool('disk', group, disk.name)
        assert bare(disk.guid) == shown['guid']
        assert (disk.status != 'Missing') == shown['present']
        if shown['present']:
            assert str(images[int(disk.disk)]) == shown['device']


def assert_extent_agrees(extent, tool, group):
    shown = tool('partition', group, extent.name)
    assert extent.disk_name == shown['disk']
    assert int(extent.size) == shown['size'] * SECTOR
    if extent.disk:
        start = tool('disk', group, extent.disk_name)['data-start'] + shown['start']
        assert int(extent.lba) == start


def assert_agreement(images):
    """Ours and ldmtool's account of the group on these images are the same; gives ours."""
    ours, tool = Volumes(images), LdmTool(images)
    group = bare(ours.groups[0].guid)
    shown = tool('diskgroup', group)
    assert shown['name'] == ours.groups[0].name
    assert sorted(shown['disks'] + shown.get('missing', [])) == sorted(disk.name for disk in ours.disks)
    assert sorted(shown['volumes']) == sorted(volume.name for volume in ours.volumes)
    assert_disks_agree(ours, tool, images)
    for volume in ours.volumes:
        shown = tool('volume', group, volume.name)
        assert (TYPES[volume.type], bare(volume.guid)) == (shown['type'], shown['guid'])
        assert int(volume.size) == shown['size'] * SECTOR
        assert volume.hint == (shown.get('hint') or '')
        assert sorted(shown['partitions']) == sorted(e.name for e in ours.extents_of(volume))
        if volume.type in ('Stripe', 'RAID-5'):
            assert int(ours.plexes_of(volume)[0].stripe) == shown['chunk-size'] * SECTOR
        for extent in ours.extents_of(volume):
            assert_extent_agrees(extent, tool, group)
    return ours


# Disks that Windows made

DISKS = ('spanned-1', 'spanned-2', 'striped-1', 'striped-2', 'mirrored-1', 'mirrored-2', 'raid5-1',
         'raid5-2', 'raid5-3')

# Which of them are there; for each plex of Volume1, 2, 3 (two), 4, 5 how much of it is; and what
# that makes of the volumes.
SUBSETS = {
    ('mirrored-1', 'mirrored-2'): ('nnccnp', 'F F H F F'),
    ('mirrored-1',): ('nncnnp', 'F F R F F'),
    ('mirrored-2',): ('nnncnn', 'F F R F F'),
    ('raid5-1', 'raid5-2', 'raid5-3'): ('nnnncp', 'F F F H F'),
    ('raid5-1', 'raid5-3'): ('nnnnpp', 'F F F R F'),
    ('raid5-2',): ('nnnnpn', 'F F F F F'),
    ('spanned-1', 'spanned-2'): ('cnnnnn', 'H F F F F'),
    ('striped-1', 'striped-2'): ('ncnnnp', 'F H F F F'),
    ('mirrored-1', 'raid5-1', 'striped-1'): ('npcnpc', 'F F R F H'),
    DISKS: ('cccccc', 'H H H H H'),
}
PRESENCE = {'complete': 'c', 'partly': 'p', 'nothing': 'n'}
STATUS = {'F': 'Failed', 'H': 'Healthy', 'R': 'Failed Rd'}
SUBSET_IDS = ['all nine' if names == DISKS else '+'.join(names) for names in SUBSETS]


@pytest.fixture(scope='module')
def windows(tmp_path_factory):
    """The folder with the images, holes kept."""
    folder = tmp_path_factory.mktemp('windows')
    with tarfile.open(ARCHIVE) as archive:
        for member in archive:
            target = folder / Path(member.name).name
            with archive.extractfile(member) as source, target.open('wb') as image:
                for piece in iter(functools.partial(source.read, 65536), b''):
                    if piece.count(0) == len(piece):
                        image.seek(len(piece), os.SEEK_CUR)
                    else:
                        image.write(piece)
                image.truncate(member.size)
    return folder


def windows_images(folder, names):
    return [folder / f'ldm-2008r2-{name}.img' for name in names]


@needs_windows
@pytest.mark.parametrize('names', SUBSETS, ids=SUBSET_IDS)
def test_windows_disks_give_what_is_known_of_them(windows, names):
    presence, statuses = SUBSETS[names]
    seen = Volumes(windows_images(windows, names))
    assert [volume.name for volume in seen.volumes] == [f'Volume{i}' for i in range(1, 6)]
    assert ''.join(PRESENCE[plex.presence] for plex in seen.plexes) == presence
    assert [volume.status for volume in seen.volumes] == [STATUS[letter] for letter in statuses.split()]
    assert [disk.name for disk in seen.disks] == [f'Disk{i}' for i in range(1, 10)]
    here = [f'Disk{DISKS.index(name) + 1}' for name in names]
    assert {disk.name for disk in seen.disks if disk.status == 'Online'} == set(here)
    assert {disk.status for disk in seen.disks} <= {'Online', 'Missing'}
    assert (seen.groups[0].disks, seen.groups[0].missing) == ('9', str(9 - len(names)))
    assert seen.groups[0].databases == ('single' if len(names) == 1 else 'same')
    assert seen.status == (0 if names == DISKS else 10)


@needs_windows
@needs_ldmtool
@pytest.mark.parametrize('names', SUBSETS, ids=SUBSET_IDS)
def test_ldmtool_agrees_on_windows_disks(windows, names):
    assert_agreement(windows_images(windows, names))


# Disks of our own

def guid(digits):
    return f'5bd2{digits:04x}-0c4d-11e2-9a3b-525400a1b2c3'


def disk(index, mbr=False):
    blocks = 98304
    if mbr:
        return LdmDisk(f'Disk{index + 1}', guid(index), blocks - ldm.REGION_BLOCKS, 63, 65536)
    return LdmDisk(f'Disk{index + 1}', guid(index), 2048, 8192 + 64 * index, 65536)


MIXED = DiskGroup(
    disks=tuple(disk(i, mbr=i % 2 == 1) for i in range(5)),
    volumes=(
        ldm.simple('Volume1', guid(101), 2048, 0, 63),
        ldm.spanned('Volume2', guid(102), ((2, 0, 4096), (0, 8192, 2048), (1, 65, 1024)), hint='E:'),
        ldm.striped('Volume3', guid(103), 4096, ((1, 4096), (3, 0), (2, 8192))),
        ldm.raid5('Volume4', guid(104), 2048, ((0, 16384), (1, 16384), (2, 16384), (3, 16384))),
        ldm.mirror('Volume5', guid(105), 8192, ((3, 32768), (4, 94)), hint='C:',
                   flags=0x11 | ldm.BOOT_VOLUME),
        ldm.mirror('Data with a name that needs more than one slot of the database, as they have '
                   '112 bytes each', guid(106), 64, ((4, 16384), (0, 32768))),
    ))
MANY = DiskGroup(
    disks=tuple(disk(i) for i in range(8)),
    volumes=tuple(ldm.mirror(f'Volume{i + 1}', guid(200 + i), 16, ((i % 8, 16 * i), ((i + 1) % 8, 16 * i)))
                  for i in range(40)))


def write_image(path, group, index):
    own = group.disks[index]
    with path.open('wb') as image:
        image.truncate(98304 * SECTOR)
    if own.public_start == 63:
        pieces = mbr_disk(group, index)
    else:
        gpt.Table(path, SECTOR, [
            gpt.Partition(gpt.LDM_METADATA, own.private_start, ldm.REGION_BLOCKS),
            gpt.Partition(gpt.LDM_DATA, own.public_start, own.public_size)]).write()
        pieces = [(own.private_start * SECTOR, build_private_region(group, index))]
    with path.open('r+b') as image:
        for offset, data in pieces:
            image.seek(offset)
            image.write(data)
    return path


def write_images(folder, group, which=None):
    which = range(len(group.disks)) if which is None else which
    return [write_image(folder / f'disk{i}.img', group, i) for i in which]


@needs_ldmtool
@pytest.mark.parametrize('group', [MIXED, MANY], ids=['every kind of volume', '40 mirrors on 8 disks'])
def test_ldmtool_agrees_on_groups_of_our_own(tmp_path, group):
    seen = assert_agreement(write_images(tmp_path, group))
    assert {volume.status for volume in seen.volumes} == {'Healthy'}
    assert seen.status == 0


@needs_ldmtool
@pytest.mark.parametrize('which', [(0, 1, 2), (3,), (1, 4)])
def test_ldmtool_agrees_where_disks_are_missing(tmp_path, which):
    seen = assert_agreement(write_images(tmp_path, MIXED, which))
    assert int(seen.groups[0].missing) == 5 - len(which)


def test_a_thousand_volumes_on_disks_of_our_own(tmp_path):
    group = DiskGroup(
        disks=tuple(disk(i) for i in range(4)),
        volumes=tuple(ldm.simple(f'Volume{i + 1}', guid(i), 16, i % 4, 16 * i) for i in range(1000)))
    seen = Volumes(write_images(tmp_path, group))
    assert len(seen.volumes) == 1000
    assert {volume.status for volume in seen.volumes} == {'Healthy'}
    assert [int(extent.lba) for extent in seen.extents] == [
        8192 + 64 * (i % 4) + 16 * i for i in range(1000)]


MARKS = {
    'nothing': ({}, 'Healthy', 'good good'),
    'volume regenerated': ({'volume_state': 'SYNC'}, 'Rebuild', 'rebuilding rebuilding'),
    'volume crashed': ({'volume_flags': 0x11 | ldm.VOLUME_CRASHED}, 'At Risk', 'doubtful doubtful'),
    'plex stale': ({'component_states': ('ACTIVE', 'STALE')}, 'Failed Rd', 'good stale'),
    'plex failed': ({'component_flags': (ldm.COMPONENT_FAILED, 0)}, 'Failed Rd', 'failed good'),
    'plex being built': ({'component_flags': (0, ldm.COMPONENT_BUILDING)}, 'Rebuild', 'good rebuilding'),
    'piece detached': ({'partition_flags': (0, ldm.DETACHED)}, 'Failed Rd', 'good stale'),
    'disk failing': ({'disk_flags': (ldm.DISK_FAILING, 0)}, 'At Risk', 'doubtful good'),
    'disk behind': ({'disk_transactions': (11, None)}, 'Failed Rd', 'stale good'),
    'change begun': ({'header_status': ldm.CHANGE, 'pending': 13}, 'At Risk', 'doubtful doubtful'),
    'change decided on one disk': ({'header_status': (ldm.COMMIT, ldm.CHANGE), 'pending': 13}, 'At Risk',
                                   'doubtful doubtful'),
    'one header aborted': ({'header_status': (ldm.CLEAN, ldm.ABORT)}, 'At Risk', 'good doubtful'),
    'log dirty': ({'log_entries': ((ldm.LOG_DIRTY, 0, 0),)}, 'At Risk', 'doubtful doubtful'),
    'log dirty on one disk': ({'log_entries': {1: ((ldm.LOG_DETACH, 0, 0),)}}, 'At Risk',
                              'doubtful doubtful'),
    'log of the last change': ({'log_entries': ((ldm.LOG_COMMIT, 11, 12),)}, 'Healthy', 'good good'),
    'log ahead': ({'log_entries': ((ldm.LOG_COMMIT, 12, 13),)}, 'At Risk', 'doubtful doubtful'),
}


@pytest.mark.parametrize('mark', MARKS)
def test_marks_of_trouble_are_seen(tmp_path, mark):
    changes, status, states = MARKS[mark]
    group = ldm.MirrorGroup(4096, (disk(0), disk(1)), **changes)
    seen = Volumes(write_images(tmp_path, group))
    assert [volume.status for volume in seen.volumes] == [status]
    assert [plex.state for plex in seen.plexes] == states.split()
    assert seen.status == (0 if status == 'Healthy' else 10)
