"""The database that ldm.py builds, as other programs see it: ldmtool, which reads real dynamic disks."""
import json
import shutil
import subprocess

import pytest

from ldm import LdmDisk, MirrorGroup, REGION_BLOCKS, build_private_region

MIB = 1024 * 1024
METADATA = '5808C8AA-7E8F-42E0-85D2-E1E90434CFB3'
DATA = 'AF9B60A0-1431-4F62-BC68-3311714A69AD'
GUIDS = ('5bd10003-0c4d-11e2-9a3b-525400a1b2c3', '5bd10004-0c4d-11e2-9a3b-525400a1b2c3')

needs_tools = pytest.mark.skipif(not shutil.which('ldmtool') or not shutil.which('sgdisk'),
                                 reason='needs ldmtool and sgdisk')

# Two disks of about 8.5 GiB as a Windows Server mirrored them: byte offsets 9153031680 and
# 213857280, 213926912 and 247481344; one volume over both whole data partitions.
SERVER = MirrorGroup(size=5142056960 // 512, disks=(
    LdmDisk('Disk1', GUIDS[0], private_start=9153031680 // 512, public_start=213857280 // 512,
            public_size=5142056960 // 512),
    LdmDisk('Disk2', GUIDS[1], private_start=213926912 // 512, public_start=247481344 // 512,
            public_size=5142056960 // 512)))

# Pieces that do not begin with the partition, a name that takes two slots, no drive letter.
OTHER = MirrorGroup(size=4096, volume_name='V' + 'olume' * 20, drive_hint='', disks=(
    LdmDisk('Disk1', GUIDS[0], private_start=2048, public_start=4096, public_size=8192,
            extent_start=63),
    LdmDisk('Disk2', GUIDS[1], private_start=20480, public_start=8192, public_size=4200,
            extent_start=104)))


def make_image(path, group, index):
    disk = group.disks[index]
    end = max(disk.private_start + REGION_BLOCKS, disk.public_start + disk.public_size)
    with path.open('wb') as image:
        image.truncate((end * 512 // MIB + 2) * MIB)
    subprocess.run(
        ['sgdisk', '-a', '1', '-o',
         '-n', f'1:{disk.private_start}:{disk.private_start + REGION_BLOCKS - 1}', '-t', f'1:{METADATA}',
         '-n', f'2:{disk.public_start}:{disk.public_start + disk.public_size - 1}', '-t', f'2:{DATA}',
         str(path)], check=True, capture_output=True)
    with path.open('r+b') as image:
        image.seek(disk.private_start * 512)
        image.write(build_private_region(group, index))
    return path


class LdmTool:
    def __init__(self, *images):
        self.images = [option for image in images for option in ('-d', str(image))]

    def __call__(self, *action):
        run = subprocess.run(['ldmtool', *self.images, *action], check=True, capture_output=True, text=True)
        # Its other output is about image files and a kernel without device-mapper.
        return json.loads(run.stdout)


@needs_tools
@pytest.mark.parametrize('group', [SERVER, OTHER], ids=['server', 'other'])
def test_ldmtool_sees_a_mirror_over_both_disks(tmp_path, group):
    images = [make_image(tmp_path / f'disk{i}.img', group, i) for i in range(2)]
    scanned = subprocess.run(['ldmtool', 'scan', *map(str, images)], check=True, capture_output=True, text=True)
    assert json.loads(scanned.stdout) == [group.group_guid]

    ldmtool = LdmTool(*images)
    shown = ldmtool('show', 'diskgroup', group.group_guid)
    assert shown['name'] == group.group_name
    assert shown['volumes'] == [group.volume_name]
    assert sorted(shown['disks']) == ['Disk1', 'Disk2']

    volume = ldmtool('show', 'volume', group.group_guid, group.volume_name)
    assert volume['type'] == 'mirrored'
    assert volume['guid'] == group.volume_guid
    assert volume['size'] == group.size
    assert sorted(volume['partitions']) == ['Disk1-01', 'Disk2-01']
    assert volume.get('hint') == (group.drive_hint or None)

    for disk, image in zip(group.disks, images):
        piece = ldmtool('show', 'partition', group.group_guid, f'{disk.name}-01')
        assert (piece['disk'], piece['start'], piece['size']) == (disk.name, disk.extent_start, group.size)
        place = ldmtool('show', 'disk', group.group_guid, disk.name)
        assert place['present'] is True
        assert place['guid'] == disk.guid
        assert place['device'] == str(image)
        assert (place['data-start'], place['data-size']) == (disk.public_start, disk.public_size)
        assert (place['metadata-start'], place['metadata-size']) == (disk.private_start, REGION_BLOCKS)


@needs_tools
@pytest.mark.parametrize('present', [0, 1])
def test_ldmtool_misses_the_disk_that_is_not_there(tmp_path, present):
    ldmtool = LdmTool(make_image(tmp_path / 'disk.img', SERVER, present))
    disks = [ldmtool('show', 'disk', SERVER.group_guid, disk.name) for disk in SERVER.disks]
    assert [disk['present'] for disk in disks] == [present == 0, present == 1]
    assert ldmtool('show', 'volume', SERVER.group_guid, 'Volume1')['type'] == 'mirrored'


def test_region_is_one_mib_and_the_database_the_same_on_both_disks():
    first, second = (build_private_region(SERVER, i) for i in range(2))
    assert len(first) == len(second) == MIB
    config = slice(17 * 512, 1722 * 512)
    assert first[config] == second[config]
    assert first[2047 * 512:] != second[2047 * 512:]


def test_volume_larger_than_a_data_partition_is_refused():
    group = MirrorGroup(size=OTHER.disks[1].public_size + 1, disks=OTHER.disks)
    with pytest.raises(ValueError):
        build_private_region(group, 1)
