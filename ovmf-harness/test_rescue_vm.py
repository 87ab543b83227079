"""shadowboot-linux on real block devices of Debian's kernel, in a virtual machine of its own.

Disks with blocks of 512 and of 4096 bytes, qcow2 and VHDX through qemu-nbd, the disks of many machines at once, all
that Linux itself may have on a disk, devices that fail, shrink and go away, and real boot variables. What is said is
compared with what the program says of the same images; what was written is judged by fsck.fat, sgdisk and efibootmgr.
With RESCUE=all in the environment each machine of the damage catalogue is looked at, in some minutes of processor time.
"""
import json
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from mirror import bare
from rescue import MIB, REFUSED, Bench, check_esp, only_core, program
from sparse import digest
from test_rescue import CASES, NO_FILE, PLACE_KNOWN, SPACE_KNOWN, sampled

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
    # What it says of itself goes to stderr, and the console mixes that with what comes through cat.
    status = f'{READ} status 2>/dev/null | cat'
    found = run_linux(linux, tmp_path, {
        'before': status, 'table': f'{READ} status -sfo | cat', 'repair': f'{WRITE} repair -y | cat',
        'undo': f'{WRITE} undo -y | cat', 'between': status, 'again': f'{WRITE} repair -y | cat',
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
    before = digest(desk.images[0])
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
    assert digest(desk.images[0]) == before


# --- Images of other kinds, through network block devices ------------------------------------------

NBD = 'qemu-nbd --read-only --connect=/dev/nbd{} /images/{}'
# What the manual page shows, for a few machines; all of them: test_block_devices_of_each_machine.
THROUGH_NBD = ['healthy', 'bios-mirror', 'shadow-cut-to-smaller-disk', 'old-shadow']


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


def test_machines_are_seen_through_qemu_nbd_as_the_core_sees_them(bases, folder, linux, tmp_path):
    wanted, commands, images = {}, {}, tmp_path / 'images'
    images.mkdir()
    for name in THROUGH_NBD:
        setup = bases(CASES[name].base).copy(folder / f'nbd-{name}')
        CASES[name].apply(setup)
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
    for name, host in wanted.items():
        text, status = found[name]
        assert only_core(text) == only_core(host.text), name
        assert status == host.status, name


# --- Disks of many machines at once, through one NBD server -------------------------------------------

PAGE = 4096
SERVED = 100                     # machines of one start of Linux: a SCSI target each
FIND = """#!/bin/busybox sh
target=$1 count=$2 lun=0 disks=
shift 2
while [ $lun -lt $count ]; do
    disks="$disks --disk /dev/$(ls /sys/bus/scsi/devices/*:0:$target:$lun/block)"
    lun=$((lun + 1))
done
shadowboot-linux $disks "$@" status >/out
code=$?
cat /out
exit $code
"""


def whole_pages(disk):
    """Linux reads by pages: beside a block that cannot be read the others of its page cannot be either."""
    blocks = PAGE // disk.block_size
    ends = [(lba // blocks, -(-(lba + count) // blocks)) for lba, count in disk.bad]
    disk.bad = [(first * blocks, (end - first) * blocks) for first, end in ends]


class Shelf:
    """QEMU's NBD server over images, and the disks that QEMU makes of them: SCSI targets. They can be written: of
    those that cannot, more is said."""

    def __init__(self, folder):
        self.socket, self.images, self.process = Path(folder) / 'nbd', {}, None
        self.server, self.devices = [], ['-device', 'virtio-scsi-pci,id=shelf']

    def add(self, disk, target, lun):
        name = f'd{target}-{lun}'
        image = {'driver': 'file', 'node-name': name, 'filename': str(disk.image), 'locking': 'off'}
        device = {'driver': 'nbd', 'server': {'type': 'unix', 'path': str(self.socket)}, 'export': name}
        device = {'driver': 'raw', 'node-name': name, 'file': self.failing(device, disk, name) if disk.bad else device}
        self.server += ['--blockdev', json.dumps(image), '--export',
                        f'nbd,id={name},node-name={name},name={name},writable=on']
        self.devices += ['-blockdev', json.dumps(device),
                         '-device', f'scsi-hd,bus=shelf.0,scsi-id={target},lun={lun},drive={name},'
                         f'logical_block_size={disk.block_size},physical_block_size={disk.block_size}']
        self.images[disk.image] = disk.image.stat().st_mtime_ns

    def failing(self, device, disk, name):
        """The device, with sectors that cannot be read."""
        sectors, rules = disk.block_size // 512, self.socket.with_name(f'{name}.rules')
        rules.write_text(''.join(
            f'[inject-error]\nevent = "read_aio"\nerrno = "5"\nsector = "{sector}"\n'
            for lba, count in disk.bad for sector in range(lba * sectors, (lba + count) * sectors)))
        return {'driver': 'blkdebug', 'config': str(rules), 'image': device}

    def __enter__(self):
        self.process = subprocess.Popen(['setpriv', '--pdeathsig', 'KILL', 'qemu-storage-daemon', '--nbd-server',
                                         f'addr.type=unix,addr.path={self.socket},max-connections=0', *self.server])
        while not self.socket.exists():
            assert self.process.poll() is None
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        assert self.images == {image: image.stat().st_mtime_ns for image in self.images}


def shelves():
    names = sorted(name for name in CASES.keys() - NO_FILE - PLACE_KNOWN - SPACE_KNOWN if sampled(name))
    return [names[at:at + SERVED] for at in range(0, len(names), SERVED)]


@pytest.mark.parametrize('names', shelves(), ids=lambda names: f'{names[0]}-and-{len(names) - 1}-more')
def test_block_devices_of_each_machine_are_seen_as_the_core_sees_it(bases, folder, linux, tmp_path, names,
                                                                    record_property):
    """Through QEMU's NBD server; blocks of 512 and of 4096 bytes, and such as cannot be read."""
    shelf, wanted, commands, more = Shelf(tmp_path), {}, {}, {'bin/look': FIND.encode()}
    for target, name in enumerate(names):
        setup = bases(CASES[name].base).copy(folder / f'shelf-{name}')
        CASES[name].apply(setup)
        disks = [setup.disk(index) for index in setup.present()]
        for lun, disk in enumerate(disks):
            whole_pages(disk)
            shelf.add(disk, target, lun)
        efivars = Path(Bench(setup, tmp_path / name).efivars().partition('=')[2])
        more |= {f'efivars/{name}/{path.name}': path.read_bytes() for path in efivars.iterdir()}
        commands[name] = f'look {target} {len(disks)} --efivars=/efivars/{name}'
        wanted[name] = setup.run('status', program=bare())
    count = shelf.devices.count('-blockdev')
    ready = f'dmesg -n 1; while [ $(ls -d /sys/block/sd* | wc -l) -lt {count} ]; do sleep 0.2; done'
    more['bin/shadowboot-linux'] = program().read_bytes()
    with shelf:
        found = linux.run_alone(tmp_path, {'ready': ready, **commands}, [], devices=shelf.devices, programs=(),
                                more=more, modules=('virtio_pci', 'virtio_scsi', 'sd_mod'))
    seen = {name: (only_core('\n'.join(lines) + '\n'), status) for name, (lines, status) in found.items()}
    assert [name for name, host in wanted.items() if seen[name] != (only_core(host.text), host.status)] == []
    record_property('machines whose disks were block devices', len(wanted))
    record_property('block devices of theirs', count)
    for name in names:
        shutil.rmtree(folder / f'shelf-{name}')


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
