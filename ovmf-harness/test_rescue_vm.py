"""shadowboot-linux on real block devices of Debian's kernel, in a virtual machine of its own.

Disks with blocks of 512 and of 4096 bytes, qcow2 and VHDX through qemu-nbd, all that Linux itself may have on
a disk, devices that fail, shrink and go away, and real boot variables. What is said is compared with what the
program says of the same images; what was written is judged by fsck.fat, sgdisk and efibootmgr.
"""
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from mirror import bare
from rescue import MIB, REFUSED, Bench, check_esp, only_core, program
from test_rescue import CASES, NO_FILE, PLACE_KNOWN, SPACE_KNOWN

DRIVERS = ('virtio_pci', 'virtio_blk')
READ = 'shadowboot-linux --disk /dev/vda --disk /dev/vdb'
WRITE = f'{READ} --write --journal /journal'


def journal_disk(folder, size):
    """A disk for journals: what outlives the power of that machine."""
    image = Path(folder) / 'journal.img'
    with open(image, 'wb') as file:
        file.truncate(size)
    subprocess.run(['mkfs.ext4', '-q', str(image)], check=True)
    return image


def run_linux(linux, folder, commands, disks, modules=(), programs=(), journal_size=64 * MIB):
    """As Linux.run_alone, with the program; the last of the disks is mounted on /journal."""
    journal = '/dev/vd' + chr(ord('a') + len(disks))
    commands = {'begin': f'mkdir /journal && mount {journal} /journal', **commands, 'end': 'umount /journal'}
    files = {'bin/shadowboot-linux': program().read_bytes()}
    found = linux.run_alone(folder, commands, [*disks, (journal_disk(folder, journal_size), 512)], modules=(*DRIVERS, *modules),
                            programs=programs, more=files)
    assert found['begin'][1] == found['end'][1] == 0, found
    return {name: ('\n'.join(lines) + '\n', status) for name, (lines, status) in found.items()}


@pytest.mark.parametrize('base', ['mirror', 'mirror4k'])
def test_virtio_disks_are_judged_mended_and_given_back(bench, linux, tmp_path, base):
    desk = bench(base, 'esp 1 empty')
    disks = [(image, desk.setup.disk(index).block_size) for index, image in enumerate(desk.images)]
    before = desk.run('status')[0]
    found = run_linux(linux, tmp_path, {
        'before': f'{READ} status | cat', 'table': f'{READ} status -sfo | cat', 'repair': f'{WRITE} repair -y | cat',
        'undo': f'{WRITE} undo -y | cat', 'between': f'{READ} status | cat', 'again': f'{WRITE} repair -y | cat',
        'sizes': 'cat /sys/block/vd[ab]/queue/logical_block_size'}, disks)
    size = str(disks[0][1])
    assert found['sizes'][0].split() == [size, size]
    assert only_core(found['before'][0]) == only_core(before)
    assert 'Done: 1 change made and checked.' in found['repair'][0] and 'Done: 1' in found['undo'][0]
    assert only_core(found['between'][0]) == only_core(before)
    assert 'Done: 1 change made and checked.' in found['again'][0]
    assert check_esp(desk, 1) == check_esp(desk, 0) != []


WIPE = 'dd if=/dev/zero of=/dev/vdc bs=1M count=8 2>/dev/null;'
IN_USE = {
    # What takes it; who is said to have it; what is said to free it, which is typed then.
    'mounted': ('mount -o ro /dev/vda1 /mnt', '/dev/vda1 is mounted on /mnt', 'umount /mnt'),
    'whole disk mounted': ('mke2fs -q /dev/vdc && mount /dev/vdc /mnt', '/dev/vdc is mounted on /mnt', 'umount /mnt'),
    'swap': ('mkswap /dev/vdc >/dev/null && swapon /dev/vdc', '/dev/vdc is swapped to', 'swapoff /dev/vdc'),
    'device mapper': ('dmsetup create cut --table "0 2048 linear /dev/vdb1 0"', '/dev/vdb1 is taken by /dev/dm-0',
                      'dmsetup remove cut'),
    'LVM': ('lvm pvcreate -qq -y /dev/vdc && lvm vgcreate -qq my-group /dev/vdc && '
            'lvm lvcreate -qq -y -Wn -Zn -l 1 -n root my-group', '/dev/vdc is taken by /dev/dm-0', 'vgchange -an my-group'),
    'md': (f'{WIPE} mdadm --create /dev/md7 --run --force --level=1 '
           '--raid-devices=1 --metadata=1.2 /dev/vdc', '/dev/vdc is taken by /dev/md7', 'mdadm --stop /dev/md7'),
    'loop': ('losetup /dev/loop0 /dev/vdb', '/dev/vdb is taken by /dev/loop0', 'losetup -d /dev/loop0'),
    'bcache': (f'{WIPE} make-bcache -B /dev/vdc >/dev/null && echo /dev/vdc >/sys/fs/bcache/register; sleep 1',
               '/dev/vdc is taken by /dev/bcache0', 'echo 1 >/sys/block/bcache0/bcache/stop'),
}
# A mount that only another process sees, which O_EXCL meets.
ELSEWHERE = 'unshare -m sh -c "mount --make-rprivate /; mount -o ro /dev/vda1 /mnt; touch /there; sleep 100" & ' \
            'while [ ! -e /there ]; do sleep 1; done'


def test_what_linux_has_on_a_disk_is_refused_and_how_it_lets_go_is_right(bench, linux, tmp_path):
    desk = bench('mirror', 'esp 1 empty')
    spare = tmp_path / 'spare.img'
    with open(spare, 'wb') as file:
        file.truncate(64 * MIB)
    disks = [*((image, 512) for image in desk.images), (spare, 512)]
    before = hashlib.sha1(desk.images[0].read_bytes()).hexdigest()
    try_it = 'shadowboot-linux --disk /dev/vda --disk /dev/{} --write --journal /journal {}'
    commands = {}
    for name, (take, _, let_go) in IN_USE.items():
        disk = 'vdc' if 'vdc' in take else 'vdb'
        commands |= {f'{name}: take': take, f'{name}: refused': try_it.format(disk, 'repair -y'),
                     f'{name}: read': f'shadowboot-linux --disk /dev/{disk} disks | cat',
                     f'{name}: let go': let_go.replace('vgchange', 'lvm vgchange -qq'),
                     f'{name}: free': try_it.format(disk, 'disks') + ' >/dev/null'}
    commands |= {'elsewhere: take': ELSEWHERE, 'elsewhere: refused': try_it.format('vdb', 'repair -y')}
    found = run_linux(linux, tmp_path, commands, disks, modules=('vfat', 'nls_cp437', 'nls_ascii', 'dm-mod', 'raid1', 'loop', 'bcache'),
                      programs=('mdadm', 'dmsetup', 'lvm', 'losetup', 'make-bcache'))
    for name, (_, says, let_go) in IN_USE.items():
        assert found[f'{name}: take'][1] == 0, found[f'{name}: take']
        text, status = found[f'{name}: refused']
        assert status == REFUSED and f'{says}. Free it first: {let_go}' in text.replace(', as /dev/vdc', ''), text
        assert 'nothing was changed' in text
        assert found[f'{name}: read'][1] == 0 and 'Disk 0' in found[f'{name}: read'][0]
        assert found[f'{name}: let go'][1] == 0, found[f'{name}: let go']
        text, status = found[f'{name}: free']
        assert status == 0 and 'Free it first' not in text, text
    text, status = found['elsewhere: refused']
    assert status == REFUSED and '/dev/vda: another program holds it' in text, text
    assert hashlib.sha1(desk.images[0].read_bytes()).hexdigest() == before


# --- Images of other kinds, through network block devices ------------------------------------------

NBD = 'qemu-nbd --read-only --connect=/dev/nbd{} /images/{}'
BATCH = 40                                                       # machines of one start of Linux
# In `make check`; with RESCUE=all every machine that an image can be of, and whose blocks are those of the device.
THROUGH_NBD = ['healthy', 'bios-mirror', 'shadow-cut-to-smaller-disk', 'old-shadow']


def nbd_batches():
    names = sorted(name for name in CASES.keys() - NO_FILE - PLACE_KNOWN - SPACE_KNOWN if '4k' not in CASES[name].base)
    names = names if os.environ.get('RESCUE') == 'all' else THROUGH_NBD
    return [names[at:at + BATCH] for at in range(0, len(names), BATCH)]


def on_file_system(folder, image):
    """An ext4 file system with the files of a folder, in an image."""
    size = sum(path.stat().st_blocks * 512 for path in folder.iterdir())
    with open(image, 'wb') as file:
        file.truncate(size * 5 // 4 + 64 * MIB)
    subprocess.run(['mkfs.ext4', '-q', '-d', str(folder), str(image)], check=True)


def look_through_nbd(name, disks, efivars):
    """The lines of the manual page, for each disk; kinds of images in turn."""
    connect = ' && '.join(NBD.format(at, image) for at, image in enumerate(disks))
    wait, left = (' '.join(f'while [ "$(cat /sys/block/nbd{at}/size)" {sign} 0 ]; do sleep 0.1; done;'
                           for at in range(len(disks))) for sign in ('=', '!='))
    named = ' '.join(f'--disk /dev/nbd{at}' for at in range(len(disks)))
    status = f'shadowboot-linux {named} --efivars=/images/{efivars} status >/out; code=$?; cat /out'
    done = '; '.join(f'qemu-nbd --disconnect /dev/nbd{at} >/dev/null' for at in range(len(disks)))
    return {name: f'{connect} && {{ {wait} {status}; {done}; {left} exit $code; }}'}


@pytest.mark.parametrize('names', nbd_batches(), ids=lambda names: f'{names[0]}-and-{len(names) - 1}-more')
def test_machines_are_seen_through_qemu_nbd_as_the_core_sees_them(bases, folder, linux, tmp_path, names):
    wanted, commands, images = {}, {}, tmp_path / 'images'
    images.mkdir()
    for name in names:
        setup = bases(CASES[name].base).copy(folder / f'nbd-{name}')
        CASES[name].apply(setup)
        if any(disk.bad or disk.block_size != 512 for disk in setup.disks if disk):
            continue
        desk = Bench(setup, tmp_path / name)
        shutil.copytree(desk.efivars().partition('=')[2], images / f'{name}.efivars')
        disks = []
        for image, kind in zip(desk.images, ('qcow2', 'vhdx') * 4):
            disks.append(f'{name}.{len(disks)}.{kind}')
            subprocess.run(['qemu-img', 'convert', '-f', 'raw', '-O', kind, str(image), str(images / disks[-1])],
                           check=True)
        commands |= look_through_nbd(name, disks, f'{name}.efivars')
        wanted[name] = setup.run('status', program=bare())
        shutil.rmtree(setup.folder)
    on_file_system(images, tmp_path / 'images.img')
    commands = {'images': 'mkdir -p /images /var/lock && mount -o ro /dev/vda /images', **commands}
    found = run_linux(linux, tmp_path, commands, [(tmp_path / 'images.img', 512)], modules=('nbd',),
                      programs=('qemu-nbd',))
    assert wanted
    for name, host in wanted.items():
        text, status = found[name]
        assert only_core(text) == only_core(host.text), name
        assert status == host.status, name


# --- Devices that fail -----------------------------------------------------------------------------

AS_BEFORE = 'Disk 1 Partition 1 could not be written: device error. Everything is again as it was before.'


def test_devices_that_fail_leave_the_disk_as_it_was_or_say_so(bench, linux, tmp_path):
    """Blocks that cannot be written or read, a device that shrinks or goes away while the question stands, and one
    that is write-protected."""
    desk = bench('mirror', 'esp 1 empty')
    disk = desk.setup.disk(1)
    sectors = disk.image.stat().st_size // 512
    # From here on, still in the ESP, where the content of new files goes.
    middle = disk.offset('esp') // 512 + disk.size('esp') // 512 // 50
    rest = sectors - middle
    fat = disk.offset('esp') // 512 + 1
    first = f'0 {middle} linear /dev/vdb 0'
    whole = f'0 {sectors} linear /dev/vdb 0'
    tables = {'whole': [whole], 'flaky': [first, f'{middle} {rest} flakey /dev/vdb {middle} 0 3600 1 error_writes'],
              'bad': [f'0 {fat} linear /dev/vdb 0', f'{fat} 8 error',
                      f'{fat + 8} {sectors - fat - 8} linear /dev/vdb {fat + 8}'],
              'short': [f'0 {middle + 64} linear /dev/vdb 0'], 'gone': [f'0 {sectors} error']}
    create = {name: f'echo "{chr(10).join(lines)}" | dmsetup create it' for name, lines in tables.items()}
    change = {name: f'dmsetup suspend it; echo "{chr(10).join(lines)}" | dmsetup load it; dmsetup resume it'
              for name, lines in tables.items()}
    line = 'shadowboot-linux --disk /dev/vda --disk /dev/dm-0 --write --journal /journal repair'
    late = '(sleep 5; {}; echo y) | ' + line + ' 2>&1 | cat'
    start = f'dd if=/dev/vdb bs=1M count={(disk.offset("esp") + disk.size("esp")) // MIB} 2>/dev/null | sha1sum'
    commands = {
        'flaky': create['flaky'], 'writes fail': f'{line} -y',
        'no flaky': 'dmsetup remove it', 'first': start,
        'bad': create['bad'], 'reads fail': 'shadowboot-linux --disk /dev/vda --disk /dev/dm-0 status | cat',
        'no bad': 'dmsetup remove it',
        'protected': f'dmsetup create it --readonly --table "{whole}"', 'refused': f'{line} -y',
        'no protected': 'dmsetup remove it',
        'short': create['whole'], 'shrinks': late.format(change['short']), 'no short': 'dmsetup remove it', 'shrunk': start,
        'gone': create['whole'], 'goes': late.format(change['gone']), 'no gone': 'dmsetup remove it', 'last': start,
    }
    found = run_linux(linux, tmp_path, commands, [(image, 512) for image in desk.images],
                      modules=('dm-mod', 'dm-flakey'), programs=('dmsetup',))
    assert found['shrunk'] == found['first'] and found['last'] == found['first']
    text, status = found['writes fail']
    assert status == 7 and 'Done:' not in text and AS_BEFORE in ' '.join(text.split())
    assert 'Starts from Disk 1 alone: no' in found['reads fail'][0] and 'read' in found['reads fail'][0]
    text, status = found['refused']
    assert status == 8 and 'it is write-protected; nothing was changed' in text
    for name in ('shrinks', 'goes'):
        text = ' '.join(found[name][0].split())
        assert '[y/N]' in text and 'Done:' not in text, text
    assert AS_BEFORE in ' '.join(found['shrinks'][0].split()), found['shrinks']
