"""The damage of the catalogue is damage: other software, which finds nothing wrong before, does so after.

fsck.fat judges ESPs, sgdisk partition tables, ldmtool dynamic disks, ntfsinfo NTFS volumes.
"""
import json
import subprocess

import damage
import fat
import gpt
import mirror
import pytest
import sparse

FAT_DAMAGE = ['shadow-fat-dirty', 'primary-fat-dirty', 'shadow-fat-crossed', 'primary-fat-loop',
              'shadow-bootmgr-chain-broken', 'primary-bootmgr-chain-short', 'shadow-fat-lost-chain',
              'primary-fat-copies-differ', 'shadow-fat-zero', 'shadow-directory-garbage',
              'shadow-store-chain-broken', 'shadow-esp-unformatted', 'shadow-esp-ntfs',
              'shadow-esp-boot-sector-zero', 'shadow-esp-boot-sector-broken']
GPT_DAMAGE = ['shadow-gpt-primary-zero', 'primary-gpt-primary-flipped', 'shadow-gpt-backup-zero',
              'primary-gpt-backup-flipped', 'shadow-gpt-both-zero', 'primary-gpt-both-flipped',
              'shadow-disk-grown', 'shadow-disk-grown-primary-zero', 'shadow-gpt-copies-differ',
              'shadow-partitions-overlap', 'shadow-partition-beyond-end']
# What ldmtool does not see any more of the two disks.
LDM_DAMAGE = {'both-databases-zero': 0, 'shadow-gone': 1, 'shadow-database-gone': 1, 'shadow-tocs-zero': 1,
              'shadow-is-dd-copy': 1}
CASES = {case.name: case for case in damage.all_cases()}


@pytest.fixture(scope='module')
def bases(tmp_path_factory):
    folder = tmp_path_factory.mktemp('bases')
    return {name: mirror.build(name, folder / name) for name in mirror.BASES}


def damaged(bases, name, folder):
    case = CASES[name]
    setup = bases[case.base].copy(folder)
    case.apply(setup)
    return setup


def fsck(setup, index, folder):
    """What fsck.fat finds wrong with an ESP; empty when it finds nothing."""
    disk, copy = setup.disk(index), folder / 'volume'
    sparse.copy_range(disk.image, disk.offset('esp'), disk.size('esp'), copy)
    done = fat.run('fsck.fat', '-n', copy, check=False)
    return (done.stdout + done.stderr).decode(errors='replace') if done.returncode else ''


def ldm_disks(setup):
    """How many disks of the group ldmtool sees; 0 where it fails."""
    images = [str(disk.image) for disk in setup.disks if disk]
    devices = [word for image in images for word in ('-d', image)]
    done = subprocess.run(['ldmtool', 'scan', *images], capture_output=True, text=True, check=False)
    groups = json.loads(done.stdout or '[]') if done.returncode == 0 else []
    if not groups:
        return 0
    seen = 0
    for name in ('Disk1', 'Disk2'):
        shown = subprocess.run(['ldmtool', *devices, 'show', 'disk', groups[0], name], capture_output=True,
                               text=True, check=True)
        seen += json.loads(shown.stdout)['present']
    return seen


@pytest.mark.parametrize('name', mirror.BASES)
def test_healthy_machine_pleases_other_software(name, bases, tmp_path):
    setup = bases[name]
    for index, disk in enumerate(setup.disks):
        if 'esp' in disk.parts:
            assert not fsck(setup, index, tmp_path)
        if disk.block_size == 512 and gpt.peek(disk.image, 512, 8) == b'EFI PART':
            assert not gpt.complaints(disk.image)
    if name in ('mirror', 'volumes'):
        assert ldm_disks(setup) == 2


@pytest.mark.parametrize('name', FAT_DAMAGE)
def test_fsck_finds_the_damage_of_the_file_system(name, bases, tmp_path):
    assert fsck(damaged(bases, name, tmp_path), int('shadow' in name), tmp_path)


@pytest.mark.parametrize('name', GPT_DAMAGE)
def test_sgdisk_finds_the_damage_of_the_table(name, bases, tmp_path):
    image = damaged(bases, name, tmp_path).disk(int('shadow' in name)).image
    # Where there is no table at all it begins a new one, in memory, and finds that sound.
    begun = b'Creating new GPT entries' in fat.run('sgdisk', '-p', image, check=False).stdout
    assert gpt.complaints(image) or begun


@pytest.mark.parametrize('name', LDM_DAMAGE)
def test_ldmtool_misses_disks(name, bases, tmp_path):
    assert ldm_disks(damaged(bases, name, tmp_path)) == LDM_DAMAGE[name]


@pytest.mark.parametrize('name, index', [('shadow-ntfs-dirty', 1), ('shadow-ntfs-mft-zero', 1),
                                         ('shadow-ntfs-root-torn', 1), ('bitlocker', 0),
                                         ('shadow-plex-zero', 1)])
def test_ntfsinfo_refuses_the_volume(name, index, bases, tmp_path):
    def look(setup):
        disk, copy = setup.disk(index), tmp_path / 'volume'
        sparse.copy_range(disk.image, disk.offset('plex'), disk.size('plex'), copy)
        done = fat.run('ntfsinfo', '-F', mirror.WINDOWS + '/winload.efi', copy, check=False)
        return done.returncode
    assert look(bases['mirror']) == 0
    assert look(damaged(bases, name, tmp_path / 'damaged')) != 0


def test_case_that_is_no_case_is_refused(tmp_path):
    (tmp_path / 'case').write_text('base: mirror\nfinds nothing\n')
    with pytest.raises(ValueError):
        damage.read_case(tmp_path)


def test_damage_that_has_no_object_is_refused(bases, tmp_path):
    setup = bases['mirror'].copy(tmp_path)
    damage.apply(setup, 'esp 1 rmtree /EFI/Microsoft')
    for line in ('esp 1 rmtree /EFI/Microsoft', 'esp 1 truncate /EFI/Microsoft/Boot/BCD 10', 'entry 0009 cut',
                 'order drop 0009'):
        with pytest.raises(LookupError):
            damage.apply(setup, line)


def test_base_is_not_changed_by_damage_of_its_copy(bases, tmp_path):
    before = [sparse.digest(disk.image) for disk in bases['mirror'].disks]
    for number, line in enumerate(('esp 1 empty', 'gpt 0 zero primary', 'ldm 1 zero vmdb', 'disk 1 wipe')):
        damage.apply(bases['mirror'].copy(tmp_path / str(number)), line)
    assert before == [sparse.digest(disk.image) for disk in bases['mirror'].disks]
