"""What the FAT writer makes, judged by programs of others: fsck.fat and mtools, and Linux where its
kernel can mount it here. sgdisk judges partition tables.

The writer is used through tests/tools/fat_make.c and tests/tools/gpt_make.c, in $SHADOWBOOT_TOOLS or
build/host/tools.
"""
import contextlib
import os
import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from fat import ENVIRONMENT
from sparse import copy_range, holes_kept

ROOT = Path(__file__).resolve().parent.parent
TOOLS = Path(os.environ.get('SHADOWBOOT_TOOLS', ROOT / 'build/host/tools'))
TOOLS_ENVIRONMENT = dict(ENVIRONMENT, LC_ALL='C.UTF-8', TZ='UTC')
MIB = 1 << 20

# size, block size, type asked for, first block of the partition
VOLUMES = [
    (5 * MIB, 512, 'auto', 2048),
    (20 * MIB, 512, 'auto', 63),
    (40 * MIB, 512, 'auto', 2048),
    (100 * MIB, 512, 'auto', 2048),
    (300 * MIB, 512, 'auto', 34),
    (300 * MIB, 512, 'fat16', 2048),
    (20 * MIB, 4096, 'auto', 6),
    (100 * MIB, 4096, 'auto', 256),
    (260 * MIB, 4096, 'auto', 256),
]
# What fsck.fat may say after power was cut; all of it is about clusters that belong to nothing.
ABOUT_LOST = re.compile(
    r'fsck\.fat \d.*'
    r'|Reclaimed \d+ unused clusters? \(\d+ bytes\).*'
    r'|FATs differ but appear to be intact\..*|  ?Using first FAT.*'
    r'|Free cluster summary wrong \(\d+ vs\. really \d+\)|  Auto-correcting\.'
    r'|Leaving filesystem unchanged\.'
    r'|.*: \d+ files, \d+/\d+ clusters|')


def run(*words, check=True):
    return subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, check=check,
                          capture_output=True, env=TOOLS_ENVIRONMENT)


class Writer:
    """A partition in an image, and what it should hold."""

    def __init__(self, folder, size, block_size, first):
        self.folder, self.size, self.block_size, self.first = folder, size, block_size, first
        self.image = folder / 'disk.img'
        self.wanted = {}                # as `contents` gives it
        with open(self.image, 'wb') as file:
            file.truncate(size + first * block_size)
            file.write(random.Random(size).randbytes(2 * MIB))

    def make(self, verb, *words):
        done = run(TOOLS / 'fat_make', verb, self.image, self.block_size, self.first,
                   self.size // self.block_size, *words)
        assert done.stdout.startswith(b'phases '), done.stdout
        return [int(word) for word in done.stdout.split()[1::2]]

    def format(self, kind, tree):
        self.make('format', kind, 'ESP', tree)
        self.wanted = contents(tree)

    def edit(self, tree, *cut):
        counts = self.make('edit', tree, *cut)
        if not cut:
            self.wanted = self.wanted | contents(tree)
        return counts

    def volume(self):
        """The partition alone: fsck.fat knows no offset."""
        volume = self.folder / 'volume.img'
        copy_range(self.image, self.first * self.block_size, self.size, volume)
        return volume

    def check(self):
        """fsck.fat has nothing to remark, and mtools finds what should be there, with its dates."""
        volume = self.volume()
        done = run('fsck.fat', '-n', volume, check=False)
        said = done.stdout.decode()
        assert done.returncode == 0, said
        assert len([line for line in said.splitlines() if line]) == 2, said
        assert self.read(volume) == self.wanted
        run('mdir', '-/', '-a', '-b', '-i', volume, '::/')

    def check_after_cut(self):
        """fsck.fat speaks of lost clusters only. Gives what is there."""
        volume = self.volume()
        said = run('fsck.fat', '-n', volume, check=False).stdout.decode()
        assert not [line for line in said.splitlines() if not ABOUT_LOST.fullmatch(line)], said
        return self.read(volume)

    def read(self, volume):
        out = self.folder / 'out'
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        run('mcopy', '-s', '-n', '-m', '-i', volume, '::/', out)
        return contents(out)


def contents(folder):
    """path -> content and date of every file; FAT has even seconds. Directories end in /."""
    found = {}
    for path in folder.rglob('*'):
        name = str(path.relative_to(folder))
        if path.is_dir():
            found[name + '/'] = None
        else:
            found[name] = (path.read_bytes(), int(path.stat().st_mtime) // 2 * 2)
    return found


def put(folder, files):
    for name, data in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        os.utime(target, (1500000000 + len(name) * 12345 + len(data),) * 2)
    return folder


def esp(folder, seed=1):
    """What Windows has on an ESP, and names that are hard to write. No characters outside the basic
    plane: mtools does not know them."""
    rng = random.Random(seed)
    files = {
        'EFI/BOOT/BOOTX64.EFI': rng.randbytes(150000),
        'EFI/Microsoft/Boot/bootmgfw.efi': rng.randbytes(150000),
        'EFI/Microsoft/Boot/BCD': rng.randbytes(32768),
        'EFI/Microsoft/Boot/BCD.LOG': b'',
        'EFI/Microsoft/Boot/Fonts/wgl4_boot.ttf': rng.randbytes(47452),
        'EFI/Microsoft/Recovery/BCD': rng.randbytes(28672),
        'one.txt': b'1',
        'lower.UPR': b'name in lower case only',
        'UPPER.lwr': b'extension in lower case only',
        'Mixed.Txt': b'mixed',
        'This is a long name, with a comma.and.dots': b'x' * 4096,
        'Ünïcode – ünd ein lärger Name.txt': b'not ASCII',
        'LONGNA~1.TXT': b'looks made',
        'long name one.txt': b'1',
        'long name two.txt': b'2',
        '.hidden': b'begins with a dot',
        'thirteen12345': b'fills its piece exactly',
        'n' * 190: b'as long as fits a block',
        'a b/' + 'm' * 255: b'as long as a name can be',
        '/'.join(f'deep folder {i}' for i in range(12)) + '/file': b'deep',
    }
    for i in range(38):
        language = f'{chr(97 + i % 26)}{chr(97 + i % 7)}-{chr(65 + i % 26)}{chr(65 + i % 11)}'
        for name in ('bootmgfw.efi.mui', 'bootmgr.efi.mui', 'memtest.efi.mui'):
            files[f'EFI/Microsoft/Boot/{language}/{name}'] = rng.randbytes(rng.randrange(200, 9000))
    (folder / 'empty folder').mkdir(parents=True)
    return put(folder, files)


def change(folder, seed=2):
    """Larger, smaller, empty and new files, new trees, and a folder that has to grow."""
    rng = random.Random(seed)
    files = {
        'EFI/BOOT/BOOTX64.EFI': rng.randbytes(350000),
        'EFI/Microsoft/Boot/bootmgfw.efi': rng.randbytes(50000),
        'EFI/Microsoft/Boot/BCD': b'',
        'EFI/Microsoft/Boot/BCD.LOG': rng.randbytes(20000),
        'EFI/Microsoft/Boot/a new tree/with folders/file.txt': b'new',
        'EFI/Microsoft/Boot/' + 'x' * 250: b'crosses blocks wherever it is',
        'new in the root directory.txt': b'new',
    }
    for i in range(200):
        files[f'empty folder/a name of three slots {i}'] = b'%d' % i
    return put(folder, files)


@pytest.fixture(name='trees', scope='module')
def make_trees(tmp_path_factory):
    folder = tmp_path_factory.mktemp('trees')
    return esp(folder / 'esp'), change(folder / 'change')


@pytest.mark.parametrize('size, block_size, kind, first', VOLUMES)
def test_fresh_volume_is_good_to_others(tmp_path, trees, size, block_size, kind, first):
    writer = Writer(tmp_path, size, block_size, first)
    writer.format(kind, trees[0])
    writer.check()


@pytest.mark.parametrize('size, block_size, kind, first', VOLUMES)
def test_changed_volume_is_good_to_others(tmp_path, trees, size, block_size, kind, first):
    writer = Writer(tmp_path, size, block_size, first)
    writer.format(kind, trees[0])
    writer.edit(trees[1])
    writer.check()


@pytest.mark.parametrize('fat, sector, cluster', [(12, 512, 4), (16, 512, 4), (32, 512, 1),
                                                  (16, 4096, 1), (16, 1024, 2)])
def test_volume_of_mkfs_is_changed(tmp_path, trees, fat, sector, cluster):
    """Not only our own: FATs that are not aligned, one reserved sector, full root directories."""
    size = {12: 6, 16: 30, 32: 40}[fat] * MIB
    block_size = 4096 if sector == 4096 else 512
    writer = Writer(tmp_path, size, block_size, 0)
    run('mkfs.fat', '-F', fat, '-S', sector, '-s', cluster, '-a', '-n', 'SHADOWTEST', writer.image)
    writer.edit(trees[0])
    writer.edit(trees[1])
    writer.check()


@pytest.mark.parametrize('size, block_size, kind, first',
                         [VOLUMES[i] for i in (0, 2, 6)])
def test_cut_leaves_nothing_but_lost_clusters(tmp_path, trees, size, block_size, kind, first):
    """After a cut fsck.fat speaks of such clusters only, old files are there, and a second run ends
    where the first would have."""
    writer = Writer(tmp_path, size, block_size, first)
    writer.format(kind, trees[0])
    before = tmp_path / 'before.img'
    holes_kept(writer.image, before)
    old, new = contents(trees[0]), contents(trees[1])
    smallest = size == min(VOLUMES[i][0] for i in (0, 2, 6))
    for phase in range(5):
        for seed in range(3) if smallest else [phase]:
            holes_kept(before, writer.image)
            writer.wanted = old
            phases, _, _, blocks, written = writer.edit(trees[1], phase, seed)
            assert phases == 5 and written <= blocks
            there = writer.check_after_cut()
            assert not set(there) - set(old) - set(new)
            for name, content in there.items():
                assert content in (old.get(name), new.get(name)), name
            assert not set(old) - set(there)
            writer.edit(trees[1])
            assert writer.check_after_cut() == writer.wanted


def test_linux_mounts_it(tmp_path, trees):
    writer = Writer(tmp_path, 100 * MIB, 512, 2048)
    writer.format('auto', trees[0])
    writer.edit(trees[1])
    mount_point = tmp_path / 'mounted'
    mount_point.mkdir()
    done = run('mount', '-o', 'loop,ro,iocharset=utf8', '-t', 'vfat', writer.volume(), mount_point,
               check=False)
    if done.returncode != 0:
        pytest.skip('this kernel mounts no FAT: ' + done.stderr.decode().strip())
    try:
        there = contents(mount_point)
        assert set(there) == set(writer.wanted)
        assert {name: data[0] for name, data in there.items() if data} == {
            name: data[0] for name, data in writer.wanted.items() if data}
    finally:
        run('umount', mount_point)


@contextlib.contextmanager
def loop_device(image, block_size):
    """A disk with blocks of that size over an image, where that can be had here."""
    done = run('losetup', '--sector-size', block_size, '--find', '--show', image, check=False)
    if done.returncode != 0:
        pytest.skip('no loop device: ' + done.stderr.decode().strip())
    device = done.stdout.decode().strip()
    try:
        yield device
    finally:
        run('losetup', '-d', device)


@pytest.mark.parametrize('block_size, entries, entry_size', [(512, 128, 128), (512, 256, 128),
                                                             (512, 128, 256), (4096, 128, 128)])
def test_partition_table_is_good_to_others(tmp_path, block_size, entries, entry_size):
    """sgdisk knows entries of 128 bytes only, and takes the size of blocks from the device."""
    image = tmp_path / 'disk.img'
    with open(image, 'wb') as file:
        file.truncate(64 * MIB)
    first = MIB // block_size
    run(TOOLS / 'gpt_make', image, block_size, entries, entry_size, first, 2 * first - 1, 2 * first,
        4 * first - 1)
    said = run('fdisk', '-b', block_size, '-l', image).stdout.decode()
    assert re.search(r'img1 +%d +%d ' % (first, 2 * first - 1), said), said
    assert re.search(r'img2 +%d +%d ' % (2 * first, 4 * first - 1), said), said
    if entry_size != 128:
        return
    with contextlib.ExitStack() as stack:
        disk = image if block_size == 512 else stack.enter_context(loop_device(image, block_size))
        said = run('sgdisk', '-v', disk).stdout.decode()
    assert 'No problems found' in said, said
