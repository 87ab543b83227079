"""The FAT reader against dosfstools and mtools: what mkfs.fat and mtools write is listed and read as
mtools reads it, and damage is judged as fsck.fat judges it.

The reader is looked at through tests/tools/fat_dump.c, in $SHADOWBOOT_TOOLS or build/host/tools.
"""
import functools
import hashlib
import mmap
import os
import random
import re
import shutil
import struct
import subprocess
from collections import namedtuple
from pathlib import Path

import pytest

from fat import ENVIRONMENT
from sparse import holes_kept

ROOT = Path(__file__).resolve().parent.parent
MIB = 1 << 20
TOOLS_ENVIRONMENT = dict(ENVIRONMENT, LC_ALL='C.UTF-8', TZ='UTC')

Dump = namedtuple('Dump', 'status type complete used free read directories files problems verdict')
File = namedtuple('File', 'status size written content')
Problem = namedtuple('Problem', 'count kind place')


def tool(*command):
    return subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, check=True,
                          capture_output=True, env=TOOLS_ENVIRONMENT)


def dump(image, block_size=512, limit=None):
    """What our reader says about an image."""
    program = Path(os.environ.get('SHADOWBOOT_TOOLS', ROOT / 'build/host/tools')) / 'fat_dump'
    words = [program, image, block_size] + ([limit] if limit else [])
    lines = tool(*words).stdout.decode().splitlines()
    if lines[0].startswith('status '):
        return Dump(lines[0][7:], *[None] * 9)
    totals = re.fullmatch(r'complete (yes|no), used (\d+), free (\d+), read (\d+)', lines[1])
    directories, files, problems = {}, {}, {}
    for line in lines[2:]:
        if line.startswith('dir '):
            path, status = re.fullmatch(r'dir (\\.*) (ok|damaged|.*error.*)', line).groups()
            directories[path] = status
        elif line.startswith('file '):
            found = re.fullmatch(r'file (\\.*) (ok|\S.*) (\d+) (\d+-\S+T\S+) (.*)', line)
            path, status, size, written, content = found.groups()
            assert path not in files or 'same name' in ''.join(lines)
            files[path] = File(status, int(size), written, content)
        elif line.startswith('problem '):
            found = re.fullmatch(r'problem (\d+) (damage|harmless) (.*?): (.*)', line)
            problems[found[3]] = Problem(int(found[1]), found[2], found[4])
    return Dump('ok', lines[0].split()[1], totals[1] == 'yes', int(totals[2]), int(totals[3]),
                int(totals[4]), directories, files, problems, lines[-1].split()[1])


def fsck(image):
    """True when fsck.fat finds nothing to mend."""
    done = subprocess.run(['fsck.fat', '-n', str(image)], capture_output=True, env=TOOLS_ENVIRONMENT,
                          stdin=subprocess.DEVNULL, check=False)
    return done.returncode == 0, done.stdout.decode(errors='replace')


def mtools_contents(image, folder):
    """path -> (size, SHA-256) of every file, and the directories, as mcopy takes them out."""
    folder.mkdir()
    tool('mcopy', '-s', '-n', '-m', '-i', image, '::/', folder)
    files, directories = {}, set()
    for path in folder.rglob('*'):
        name = '\\' + str(path.relative_to(folder)).replace('/', '\\')
        if path.is_dir():
            directories.add(name)
        else:
            data = path.read_bytes()
            files[name] = (len(data), hashlib.sha256(data).hexdigest(), int(path.stat().st_mtime))
    shutil.rmtree(folder)
    return files, directories


# --- Images --------------------------------------------------------------------------------------
def make_image(path, size, fat, sector=512, cluster=1, *options):
    with open(path, 'wb') as file:
        file.truncate(size)
    tool('mkfs.fat', '-F', fat, '-S', sector, '-s', cluster, '-i', '1234abcd', '-n', 'SHADOWTEST', '-a',
         *options, path)
    return path


def put_tree(image, tree, workdir):
    """tree: path with / -> bytes."""
    folder = workdir / 'tree'
    for name, data in tree.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        os.utime(target, (1500000000 + 2 * (len(name) + len(data)),) * 2)
    tool('mcopy', '-s', '-m', '-i', image, *sorted(folder.iterdir()), '::/')
    shutil.rmtree(folder)


def esp_tree(rng, longest=255, scale=1):
    """The kind of files an ESP has, and names that are hard to read."""
    tree = {
        'EFI/BOOT/BOOTX64.EFI': rng.randbytes(50000 * scale),
        'EFI/Microsoft/Boot/bootmgfw.efi': rng.randbytes(70001 * scale),
        'EFI/Microsoft/Boot/BCD': rng.randbytes(32768),
        'EFI/Microsoft/Boot/BCD.LOG': b'',
        'EFI/Microsoft/Recovery/BCD': rng.randbytes(28672),
        'EFI/Microsoft/Boot/Fonts/wgl4_boot.ttf': rng.randbytes(47452),
        'one.txt': b'1',
        'lower': b'name in lower case',
        'UPPER.lwr': b'extension in lower case',
        'lower.UPR': b'name in lower case only',
        'This is a long name, with a comma.and.dots': b'x' * 4096,
        'Ünïcode – ünd ein lärger Name': b'umlauts',
        'smile \U0001f600 name.txt': b'outside of the basic plane',
        'n' * longest: b'as long as a name can be',
        'thirteen12345': b'fills its piece exactly',
        '/'.join(['deep folder %d' % i for i in range(12)]) + '/file': b'deep',
    }
    for language in ('bg-BG', 'cs-CZ', 'da-DK', 'de-DE', 'el-GR', 'en-GB', 'en-US', 'es-ES', 'qps-ploc'):
        for name in ('bootmgfw.efi.mui', 'bootmgr.efi.mui', 'memtest.efi.mui'):
            tree[f'EFI/Microsoft/Boot/{language}/{name}'] = rng.randbytes(rng.randrange(200, 9000))
    return tree


def fragment(image, workdir, rng, files):
    """Files whose clusters lie apart: small ones are written, every second one goes, and larger ones
    fill the holes."""
    put_tree(image, {f'holes/h{i:04}': rng.randbytes(1500) for i in range(files)}, workdir)
    tool('mdel', '-i', image, *[f'::/holes/h{i:04}' for i in range(0, files, 2)])
    put_tree(image, {f'spread{i}': rng.randbytes(1500 * files // 12) for i in range(4)}, workdir)


def check_healthy(image, block_size, workdir, sector=None):
    """Ours and mtools agree on everything that is there; sectors of another size are told as such."""
    clean, said = fsck(image)
    assert clean, said
    ours = dump(image, block_size)
    expected = {"its sectors are not as long as the disk's"} if sector not in (None, block_size) else set()
    assert (ours.status, ours.complete, set(ours.problems)) == ('ok', True, expected)
    assert ours.verdict == ('harmless' if expected else 'clean')
    files, directories = mtools_contents(image, workdir / 'out')
    assert {name: (file.size, file.content) for name, file in ours.files.items()} == {
        name: (size, digest) for name, (size, digest, _) in files.items()}
    assert set(ours.directories) == directories
    assert set(ours.directories.values()) | {file.status for file in ours.files.values()} == {'ok'}
    summary = re.search(r'(\d+) files, (\d+)/(\d+) clusters', said)
    assert (ours.used, ours.used + ours.free) == (int(summary[2]), int(summary[3]))
    return ours, files


HEALTHY = [
    # size, FAT, bytes of a sector, sectors of a cluster, block size of the disk
    (2 * MIB, 12, 512, 1, 512),
    (12 * MIB, 12, 4096, 1, 4096),
    (8 * MIB, 12, 1024, 2, 512),
    (6 * MIB, 16, 512, 1, 512),
    (64 * MIB, 16, 4096, 1, 4096),
    (64 * MIB, 16, 2048, 2, 512),
    (100 * MIB, 16, 512, 8, 512),
    (40 * MIB, 32, 512, 1, 512),
    (100 * MIB, 32, 512, 2, 512),
    (300 * MIB, 32, 4096, 1, 4096),
    (300 * MIB, 32, 4096, 1, 512),
    (2 * MIB, 12, 512, 1, 4096),
    (6 * MIB, 16, 512, 1, 4096),
    (40 * MIB, 32, 512, 1, 4096),
    (64 * MIB, 16, 2048, 2, 4096),
    (64 * MIB, 12, 512, 64, 512),
]


@pytest.mark.parametrize('size, fat, sector, cluster, block', HEALTHY)
def test_healthy_volume_is_read_as_mtools_reads_it(tmp_path, size, fat, sector, cluster, block):
    rng = random.Random(size + fat)
    image = make_image(tmp_path / 'image', size, fat, sector, cluster)
    # mcopy fails where a name needs two more clusters of its directory.
    put_tree(image, esp_tree(rng, longest=255 if sector * cluster > 512 else 150), tmp_path)
    fragment(image, tmp_path, rng, 120)
    ours, files = check_healthy(image, block, tmp_path, sector)
    assert ours.type == f'fat{fat}'
    assert len(files) > 100
    for name, (_, _, seconds) in files.items():
        written = ours.files[name].written
        stamp = subprocess.run(['date', '-u', '-d', f'@{seconds}', '+%Y-%m-%dT%H:%M:%S'], check=True,
                               capture_output=True).stdout.decode().strip() if name == '\\one.txt' else written
        assert written == stamp


def test_many_files(tmp_path):
    rng = random.Random(1200)
    image = make_image(tmp_path / 'image', 40 * MIB, 32, 512, 1)
    tree = {f'many{i % 4}/A long name of {i:04}.txt': rng.randbytes(i % 1200) for i in range(800)}
    tree |= {f'short/F{i:07}': b'' for i in range(400)}
    put_tree(image, tree, tmp_path)
    _, files = check_healthy(image, 512, tmp_path)
    assert len(files) == 1200


# --- Damage --------------------------------------------------------------------------------------
class Patch:
    """An image to be damaged: the layout is taken from the boot sector, by the specification."""

    def __init__(self, data, fat):
        self.fat = fat
        self.data = data
        self.sector, self.per_cluster, reserved, self.fats, roots = struct.unpack_from(
            '<HBHBH', self.data, 11)
        self.fat_size = (self.word(22) or self.long(36)) * self.sector
        self.fat_offset = reserved * self.sector
        self.root_offset = self.fat_offset + self.fats * self.fat_size
        self.data_offset = self.root_offset + roots * 32
        self.cluster = self.sector * self.per_cluster
        self.clusters = ((self.word(19) or self.long(32)) * self.sector - self.data_offset) // self.cluster
        self.end = {12: 0xFFF, 16: 0xFFFF, 32: 0x0FFFFFFF}[fat]
        self.bad = self.end & ~8

    def word(self, at):
        return struct.unpack_from('<H', self.data, at)[0]

    def long(self, at):
        return struct.unpack_from('<I', self.data, at)[0]

    def link(self, cluster, copy=0):
        at = self.fat_offset + copy * self.fat_size + cluster * self.fat // 8
        if self.fat == 32:
            return self.long(at)
        value = self.word(at)
        return value if self.fat == 16 else value >> 4 if cluster % 2 else value & 0xFFF

    def set_link(self, cluster, value, copies=None):
        for copy in range(self.fats) if copies is None else copies:
            at = self.fat_offset + copy * self.fat_size + cluster * self.fat // 8
            if self.fat == 32:
                struct.pack_into('<I', self.data, at, value)
                continue
            if self.fat == 12:
                kept = self.word(at)
                value_there = kept & 0xF | value << 4 if cluster % 2 else kept & 0xF000 | value
                struct.pack_into('<H', self.data, at, value_there)
                continue
            struct.pack_into('<H', self.data, at, value)

    def chain(self, first):
        found = [first]
        while 2 <= self.link(found[-1]) < self.clusters + 2:
            found.append(self.link(found[-1]))
        return found

    def at(self, cluster):
        return self.data_offset + (cluster - 2) * self.cluster

    def entry(self, short, folder=None):
        """Offset of the entry of this short name (11 characters) in the folder at this cluster."""
        if folder is None and self.fat != 32:
            ranges = [range(self.root_offset, self.data_offset, 32)]
        else:
            first = folder or self.long(44)
            ranges = [range(self.at(c), self.at(c) + self.cluster, 32) for c in self.chain(first)]
        for places in ranges:
            for at in places:
                if self.data[at:at + 11] == short and self.data[at + 11] != 0x0F:
                    return at
        raise KeyError(short)

    def first(self, entry):
        return self.word(entry + 26) | (self.word(entry + 20) << 16 if self.fat == 32 else 0)

    def set_first(self, entry, cluster):
        struct.pack_into('<H', self.data, entry + 26, cluster & 0xFFFF)
        if self.fat == 32:
            struct.pack_into('<H', self.data, entry + 20, cluster >> 16)

    # Where the tests look: two files of ten clusters, an empty one, and folders.
    @property
    def a(self):
        return self.entry(b'A       BIN')

    @property
    def b(self):
        return self.entry(b'B       BIN')

    @property
    def folder(self):
        return self.entry(b'FOLDER     ')

    @property
    def inner(self):
        return self.entry(b'INNER      ', self.first(self.folder))

    def free_cluster(self):
        return next(c for c in range(self.clusters, 2, -1) if self.link(c) == 0)


def write(patch, at, data):
    patch.data[at:at + len(data)] = data


Damage = namedtuple('Damage', 'change fat verdict problem')
AGREED, DIFFERS = [], []  # with fsck.fat; unlike fsck.fat: says why that is meant so


def damage(verdict, problem, unlike_fsck=None, fats=(12, 16, 32)):
    def add(change):
        for fat in fats:
            (DIFFERS if unlike_fsck else AGREED).append(Damage(change, fat, verdict, problem))
        return change
    return add


def name_of(value):
    return f'{value.change.__name__}-{value.fat}'


ASTRAY, LOOP, CROSS = 'a cluster chain leads astray', 'a cluster chain leads back into itself', \
    'two cluster chains share clusters'
SHORT, LONG, LOST = 'a file is longer than its cluster chain', 'a cluster chain is longer than its file', \
    'clusters in use belong to no file'
BROKEN, NAME, TWICE = 'a directory is damaged', 'a long file name is damaged', \
    'two files of a directory have the same name'
COPIES, DIRTY, BACKUP = 'the copies of the FAT differ', 'marked as not closed cleanly', \
    'the backup boot sector is not that of this file system'


@damage('damaged', ASTRAY)
def chain_leads_past_the_last_cluster(p):
    p.set_link(p.chain(p.first(p.a))[4], p.clusters + 2)


@damage('damaged', ASTRAY)
def chain_leads_to_reserved_entry(p):
    p.set_link(p.chain(p.first(p.a))[4], 1)


@damage('damaged', ASTRAY)
def chain_ends_in_a_free_cluster(p):
    p.set_link(p.chain(p.first(p.a))[4], 0)


@damage('damaged', ASTRAY)
def chain_meets_a_bad_cluster(p):
    p.set_link(p.chain(p.first(p.a))[4], p.bad)


@damage('damaged', LOOP)
def chain_leads_back(p):
    chain = p.chain(p.first(p.a))
    p.set_link(chain[-1], chain[3])


@damage('damaged', LOOP)
def chain_leads_to_itself(p):
    p.set_link(p.first(p.a), p.first(p.a))


@damage('damaged', CROSS)
def chains_meet(p):
    p.set_link(p.chain(p.first(p.a))[4], p.chain(p.first(p.b))[5])


@damage('damaged', CROSS)
def two_entries_begin_at_one_cluster(p):
    p.set_first(p.a, p.first(p.b))


@damage('damaged', CROSS)
def file_lies_in_a_directory(p):
    p.set_first(p.a, p.first(p.folder))


@damage('damaged', SHORT)
def chain_ends_early(p):
    p.set_link(p.chain(p.first(p.a))[4], p.end)


@damage('damaged', SHORT)
def size_is_larger_than_the_chain(p):
    struct.pack_into('<I', p.data, p.a + 28, 20 * p.cluster)


@damage('damaged', SHORT)
def file_without_clusters_has_a_size(p):
    struct.pack_into('<I', p.data, p.entry(b'EMPTY   BIN') + 28, 5)


@damage('damaged', LONG)
def size_is_smaller_than_the_chain(p):
    struct.pack_into('<I', p.data, p.a + 28, 3 * p.cluster)


@damage('damaged', LONG)
def empty_file_has_clusters(p):
    struct.pack_into('<I', p.data, p.a + 28, 0)


@damage('damaged', ASTRAY)
def file_begins_past_the_last_cluster(p):
    p.set_first(p.a, p.clusters + 2)


@damage('damaged', ASTRAY)
def directory_begins_at_cluster_one(p):
    p.set_first(p.inner, 1)


@damage('damaged', ASTRAY)
def directory_has_no_cluster(p):
    p.set_first(p.inner, 0)


@damage('damaged', LOST)
def entry_of_a_file_is_gone(p):
    p.data[p.a] = 0xE5


@damage('damaged', LOST)
def entry_of_a_directory_is_gone(p):
    p.data[p.folder] = 0xE5


@damage('damaged', LOST)
def cluster_in_use_by_nobody(p):
    p.set_link(p.free_cluster(), p.end)


@damage('damaged', COPIES)
def second_fat_is_old(p):
    p.set_link(p.chain(p.first(p.a))[4], 0, copies=[1])


@damage('damaged', COPIES)
def second_fat_is_zero(p):
    write(p, p.fat_offset + p.fat_size, bytes(p.fat_size))


@damage('damaged', BROKEN)
def dot_leads_elsewhere(p):
    p.set_first(p.at(p.first(p.inner)), p.first(p.folder))


@damage('damaged', BROKEN)
def dotdot_leads_elsewhere(p):
    p.set_first(p.at(p.first(p.inner)) + 32, p.first(p.inner))


@damage('damaged', BROKEN)
def dotdot_of_a_folder_in_the_root_is_not_zero(p):
    p.set_first(p.at(p.first(p.folder)) + 32, p.first(p.inner))


@damage('damaged', BROKEN)
def dot_has_another_name(p):
    write(p, p.at(p.first(p.inner)), b'DOT')


@damage('damaged', BROKEN)
def short_name_has_a_slash(p):
    p.data[p.a + 3] = ord('/')


@damage('damaged', BROKEN)
def short_name_has_a_control_character(p):
    p.data[p.a + 1] = 7


@damage('damaged', TWICE)
def two_files_of_one_short_name(p):
    write(p, p.b, b'A       BIN')


@damage('damaged', CROSS)
def directory_contains_itself(p):
    p.set_first(p.inner, p.first(p.folder))


@damage('harmless', DIRTY)
def marked_dirty_in_the_boot_sector(p):
    p.data[65 if p.fat == 32 else 37] |= 1


@damage('harmless', NAME, unlike_fsck='fsck.fat says so too, but does not count it')
def long_name_has_a_wrong_checksum(p):
    p.data[p.entry(b'ALONGN~1TXT') - 32 + 13] ^= 0x55


@damage('harmless', NAME)
def long_name_lost_a_piece(p):
    p.data[p.entry(b'ALONGN~1TXT') - 32] = 0xE5


@damage('harmless', NAME)
def long_name_without_its_entry(p):
    p.data[p.entry(b'EMPTYL~1TXT')] = 0xE5


@damage('damaged', TWICE, unlike_fsck='fsck.fat compares short names only')
def two_files_of_one_long_name(p):
    at = p.entry(b'ALONGN~1TXT')
    pieces = bytes(p.data[at - 96:at])
    total = 0
    short = p.entry(b'TWOPIE~1TXT')
    for c in p.data[short:short + 11]:
        total = ((total >> 1 | total << 7) + c) & 0xFF
    to = p.entry(b'TWOPIE~1TXT')
    write(p, to - 96, pieces)
    for i in (96, 64, 32):
        p.data[to - i + 13] = total


@damage('clean', None, unlike_fsck='the end marker ends a directory; fsck.fat reads on')
def entries_behind_the_end_marker(p):
    inner = p.at(p.first(p.inner))
    at = next(at for at in range(inner, inner + p.cluster, 32) if p.data[at] == 0)
    write(p, at + 64, b'GHOST   BIN' + bytes(15) + b'\xf0\xff' + bytes(4))


@damage('clean', None, unlike_fsck='no driver looks at it')
def directory_with_a_size(p):
    struct.pack_into('<I', p.data, p.folder + 28, 1234)


@damage('clean', None, unlike_fsck='some formatters write the real cluster', fats=[32])
def dotdot_names_the_cluster_of_the_root(p):
    p.set_first(p.at(p.first(p.folder)) + 32, p.long(44))


@damage('clean', None, unlike_fsck='it is a hint that drivers count anew', fats=[32])
def free_count_is_wrong(p):
    struct.pack_into('<I', p.data, p.word(48) * p.sector + 488, 5)


@damage('harmless', DIRTY, fats=[16, 32])
def marked_dirty_in_the_fat(p):
    p.set_link(1, {16: 0x7FFF, 32: 0x07FFFFFF}[p.fat])


@damage('harmless', 'the first FAT entry does not go with the boot sector',
        unlike_fsck='fsck.fat looks whether it is one of the known bytes, not which')
def media_byte_differs(p):
    p.set_link(0, p.end & ~0xFF | 0xF0)


@damage('clean', None, unlike_fsck='they stand for no cluster; some drivers mark the first FAT only')
def first_entries_of_fats_differ(p):
    p.set_link(1, p.end & 0x7FF, copies=[1])


@damage('damaged', LOST)
def directory_has_become_a_label(p):
    p.data[p.inner + 11] = 8


@damage('damaged', BROKEN)
def dot_in_the_root(p):
    write(p, p.entry(b'EMPTY   BIN'), b'.          ')


@damage('damaged', BROKEN, unlike_fsck='fsck.fat does not look at this attribute of a directory')
def directory_is_a_label_too(p):
    p.data[p.inner + 11] = 0x18


@damage('damaged', BROKEN)
def dots_are_swapped(p):
    at = p.at(p.first(p.inner))
    write(p, at, p.data[at + 32:at + 64] + p.data[at:at + 32])


@damage('damaged', BROKEN)
def short_name_begins_with_a_blank(p):
    write(p, p.a, b' A      BIN')


@damage('harmless', BACKUP, unlike_fsck='fsck.fat says so too, but does not count it', fats=[32])
def backup_is_zero(p):
    write(p, 6 * 512, bytes(512))


@damage('harmless', BACKUP, unlike_fsck='fsck.fat says so too, but does not count it', fats=[32])
def backup_is_of_another_volume(p):
    write(p, 6 * 512 + 67, b'1111')


@damage('damaged', 'the boot sector is damaged, its backup is good', fats=[32])
def boot_sector_is_zero(p):
    write(p, 0, bytes(512))


@damage('damaged', 'the boot sector has no 55 AA at its end',
        unlike_fsck='the specification demands the signature; few drivers look at it')
def boot_sector_has_no_signature(p):
    write(p, 510, bytes(2))


@damage('harmless', 'the file system is longer than its partition', fats=[16],
        unlike_fsck='fsck.fat reads what is in use and does not compare the sizes')
def file_system_is_longer_than_its_partition(p):
    write(p, 19, struct.pack('<H', p.data[19] + (p.data[20] << 8) + 1))


# What looks wrong and is not.
@damage('clean', None)
def nothing(_):
    pass


@damage('clean', None)
def second_label(p):
    p.data[p.entry(b'EMPTY   BIN') + 11] = 8


@damage('clean', None)
def blank_in_a_short_name(p):
    write(p, p.a, b'A B     BIN')


@damage('clean', None)
def lower_case_in_a_short_name(p):
    write(p, p.a, b'a       BIN')


@damage('clean', None)
def short_name_is_not_ascii(p):
    write(p, p.a, b'A\x80      BIN')


@damage('clean', None)
def impossible_date(p):
    write(p, p.a + 22, b'\xff\xff\xff\xff')


@pytest.fixture(name='sound_volume', scope='module')
def make_sound_volumes(tmp_path_factory):
    """The image that the tests damage copies of."""
    @functools.cache
    def of(fat):
        size, sector, cluster = {12: (2 * MIB, 512, 1), 16: (6 * MIB, 512, 1), 32: (36 * MIB, 512, 1)}[fat]
        folder = tmp_path_factory.mktemp('sound')
        image = make_image(folder / 'image', size, fat, sector, cluster)
        put_tree(image, {
            'A.BIN': bytes(10 * 512), 'B.BIN': bytes(10 * 512), 'EMPTY.BIN': b'',
            'A long name that takes three pieces.txt': b'long', 'Empty long name.txt': b'',
            'Two pieces would do here, really.txt': b'other',
            'FOLDER/INNER/FILE.BIN': b'deep', 'FOLDER/OTHER.BIN': b'other',
        }, folder)
        return image
    return of


def damaged_image(sound, tmp_path, fat, change):
    image = tmp_path / 'image'
    holes_kept(sound, image)
    with open(image, 'r+b') as file, mmap.mmap(file.fileno(), 0) as data:
        change(Patch(data, fat))
    return image


def judge(sound_volume, tmp_path, damage):
    """What fsck.fat and what we think of it; ours must be what was expected."""
    image = damaged_image(sound_volume(damage.fat), tmp_path, damage.fat, damage.change)
    clean, said = fsck(image)
    ours = dump(image)
    assert (ours.status, ours.complete) == ('ok', True)
    assert ours.verdict == damage.verdict, (ours.problems, said)
    assert damage.problem in ours.problems if damage.problem else not ours.problems
    return clean, said


@pytest.mark.parametrize('damage', AGREED, ids=name_of)
def test_damage_is_judged_as_fsck_judges_it(sound_volume, tmp_path, damage):
    clean, said = judge(sound_volume, tmp_path, damage)
    assert clean == (damage.verdict == 'clean'), said


@pytest.mark.parametrize('damage', DIFFERS, ids=name_of)
def test_difference_to_fsck_is_meant(sound_volume, tmp_path, damage):
    clean, said = judge(sound_volume, tmp_path, damage)
    assert clean != (damage.verdict == 'clean'), said


# --- Volumes that are none -----------------------------------------------------------------------
BOOT_SECTORS = {
    'zero': (12, lambda p: write(p, 0, bytes(512)), 'not found'),
    'ntfs': (16, lambda p: write(p, 3, b'NTFS    '), 'not found'),
    'exfat': (32, lambda p: write(p, 3, b'EXFAT   '), 'not found'),
    'cluster of three sectors': (16, lambda p: write(p, 13, b'\3'), 'damaged'),
    'no FAT': (16, lambda p: write(p, 16, b'\0'), 'damaged'),
    'short FAT': (16, lambda p: write(p, 22, b'\1\0'), 'damaged'),
    'version 1': (32, lambda p: write(p, 42, b'\1\0'), 'not supported'),
}


@pytest.mark.parametrize('name', BOOT_SECTORS)
def test_boot_sector_is_not_believed(sound_volume, tmp_path, name):
    fat, change, status = BOOT_SECTORS[name]
    image = damaged_image(sound_volume(fat), tmp_path, fat, change)
    assert dump(image).status == status


def test_volume_of_mtools_own_making(tmp_path):
    """mformat lays FAT out in its own way: no alignment, other numbers of root entries."""
    for size, options in ((1440, ['-f', '1440']), (20000, ['-T', '40000', '-h', '16', '-s', '63'])):
        image = tmp_path / f'image{size}'
        with open(image, 'wb') as file:
            file.truncate(size * 1024)
        tool('mformat', '-i', image, *options, '::')
        put_tree(image, {'EFI/BOOT/BOOTX64.EFI': random.Random(size).randbytes(123456)}, tmp_path)
        check_healthy(image, 512, tmp_path)


# --- Reading little ------------------------------------------------------------------------------
@pytest.mark.parametrize('size, fat, sector, cluster, block', [
    (100 * MIB, 32, 512, 2, 512), (100 * MIB, 32, 512, 1, 512), (100 * MIB, 16, 512, 4, 512),
    (260 * MIB, 32, 512, 8, 512), (300 * MIB, 32, 4096, 1, 4096)])
def test_little_is_read_of_what_does_not_matter(tmp_path, size, fat, sector, cluster, block):
    rng = random.Random(size)
    image = make_image(tmp_path / 'image', size, fat, sector, cluster)
    tree = {f'AAA/folder {i:02}/file.txt': rng.randbytes(20000) for i in range(40)}
    tree |= {f'EFI/Microsoft/Boot/lang-{i:02}/bootmgfw.efi.mui': rng.randbytes(70000) for i in range(40)}
    put_tree(image, tree, tmp_path)
    matter = {
        'EFI/Microsoft/Boot/bootmgfw.efi': rng.randbytes(1600000),
        'EFI/Microsoft/Boot/BCD': rng.randbytes(32768),
        'EFI/Microsoft/notes.txt': b'note',
        'EFI/BOOT/BOOTX64.EFI': rng.randbytes(1600000),
        'EFI/last.txt': b'last',
    }
    put_tree(image, matter, tmp_path)
    everything = dump(image, block)
    assert (everything.verdict, everything.complete) == ('clean', True)
    little = dump(image, block, limit=128 << 10)
    assert (little.verdict, little.complete) == ('clean', False)
    # Of the boot sector nothing is left for the limit: it is read by fat_open.
    assert little.read <= (128 << 10) + block
    assert {'\\' + name.replace('/', '\\') for name in matter} <= set(little.files)
    assert {'\\EFI', '\\EFI\\BOOT', '\\EFI\\Microsoft',
            '\\EFI\\Microsoft\\Boot'} <= set(little.directories)
    for name, file in little.files.items():
        assert file == everything.files[name]
