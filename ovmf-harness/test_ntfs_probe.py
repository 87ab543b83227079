"""The NTFS reader against ntfs-3g: what mkntfs, ntfscp and the ntfs-3g driver write is found and read,
and volumes that Windows made are described as ntfsinfo and ntfsls describe them.

Cases that need the driver are skipped where FUSE is not usable; those with ntfscp always run.
"""
import contextlib
import os
import random
import re
import struct
import tarfile
from pathlib import Path

import pytest

from ntfs_driver import (MIB, ROOT, Dump, Listing, Tree, compressed_folder, digest, fuse, make, mounted, peek,
                         poke, run)

SHARED = Path(os.environ.get('SHADOWBOOT_SHARED', ROOT.parent / 'shared'))

GEOMETRIES = [(512, 512), (512, 1024), (512, 4096), (512, 65536), (4096, 4096), (4096, 65536)]
geometries = pytest.mark.parametrize('sector, cluster', GEOMETRIES)


def check_tree(image, tree, block=512, changed=None):
    """`changed` makes another spelling of each path, which must be found as well."""
    paths = {path: changed(path) if changed else path for path in tree.expected}
    dump = Dump(image, paths.values(), block)
    for path, (record, size, content) in tree.expected.items():
        file = dump.files[paths[path]]
        assert file.status == 'success', path
        assert (int(file.record), int(file.size)) == (record, size), path
        assert ('d' in file.flags) == (content is None), path
        if content:
            assert file.content == content, path
    return dump


def other_case(path):
    """Letters whose other case is one unit in any table: not the German sharp s, not the dotless i."""
    return ''.join(c.swapcase() if c.isascii() or '\u0410' <= c <= '\u044f' or c in 'öÖżŻ' else c
                   for c in path)


NAMES = ['Größe', 'ŻÓŁĆ', 'Привет', '日本語', '한국어', 'emoji 😀 in a name', 'Ελλάδα', 'x' * 255, 'я' * 255,
         'with blanks and.dots.', 'a', '~tilde~1', '(brackets)', 'ÿ', 'zzzz']


@geometries
def test_names_and_contents(fuse, tmp_path, sector, cluster):
    image = make(tmp_path / 'image', sector, cluster)
    rng = random.Random(cluster)
    with mounted(image, tmp_path / 'mount') as folder:
        tree = Tree(folder)
        tree.directory('Windows/System32')
        for number in range(3000 if cluster == 4096 else 300):
            tree.file(f'Windows/System32/file{number * 7919 % 10007:05}.dll')
        tree.directory('names')
        for name in NAMES:
            tree.file(f'names/{name}', name.encode())
        tree.directory('/'.join(f'folder{level}' for level in range(40)))
        for size in (1, 300, 700, 1000, cluster - 1, cluster, cluster + 1, 3000000):
            tree.file(f'size {size}', rng.randbytes(size))
        tree.file('empty')
    dump = check_tree(image, tree, sector)
    assert dump.facts['boot'] == dump.facts['backup'] == 'good'
    assert int(dump.facts['cluster_size']) == cluster
    check_tree(image, tree, 512, other_case)
    missing = ['\\Windows\\System32\\file10008.dll', '\\names\\x', '\\names\\' + 'я' * 254, '\\names\\зззз',
               '\\empty\\x', '\\folder0\\folder1\\folder3', '\\size', '\\names\\日本', '\\names\\zzzzz']
    assert set(Dump(image, missing, sector).statuses().values()) == {'not found'}
    # A name that belongs to Windows alone in another case: nothing here has made one.
    assert Dump(image, ['\\$mft', '\\$UPCASE', '\\$Extend\\$quota']).statuses() == {
        '\\$mft': 'success', '\\$UPCASE': 'success', '\\$Extend\\$quota': 'success'}


def test_few_reads_are_enough(fuse, tmp_path):
    image = make(tmp_path / 'image', size=128 * MIB)
    wanted = ['\\Windows\\System32\\winload.efi', '\\Windows\\System32\\ntoskrnl.exe',
              '\\Windows\\Boot\\EFI\\bootmgfw.efi']
    with mounted(image, tmp_path / 'mount') as folder:
        (folder / 'Windows/System32').mkdir(parents=True)
        (folder / 'Windows/Boot/EFI').mkdir(parents=True)
        for number in range(1000):
            (folder / f'Windows/directory{number:04}').mkdir()
        for number in range(4000):
            (folder / f'Windows/System32/some-library-{number * 7919 % 10007}.dll').touch()
        for path in wanted:
            (folder / path[1:].replace('\\', '/')).touch()
    dump = Dump(image, wanted)
    assert set(dump.statuses().values()) == {'success'}
    assert int(dump.facts['read_bytes']) < 200 * 1024


def test_fragments(fuse, tmp_path):
    """Two clusters in every four are free when $MFT, a directory and a file have to grow."""
    image = make(tmp_path / 'image', cluster=1024, size=20 * MIB)
    rng = random.Random(1)
    with mounted(image, tmp_path / 'mount') as folder:
        tree = Tree(folder)
        fillers = []
        with contextlib.suppress(OSError):
            while True:
                fillers.append(folder / f'filler{len(fillers)}')
                fillers[-1].write_bytes(b'f' * 2048)
        for place in fillers[::2]:
            place.unlink(missing_ok=True)
        tree.directory('many')
        for number in range(len(fillers) // 2 + 2500):
            tree.file(f'many/name {number:05}')
        tree.file('grown', rng.randbytes(MIB))
    for name in ('$MFT', 'grown'):
        assert '$ATTRIBUTE_LIST' in run('ntfsinfo', '-F', '/' + name, image), name
    dump = check_tree(image, tree)
    assert dump.files['\\grown'].content == digest(run('ntfscat', image, '/grown', text=False))


def test_compressed_and_sparse(fuse, tmp_path):
    image = make(tmp_path / 'image')
    sparse = b'begin' + bytes(5 * MIB) + b'end'
    with mounted(image, tmp_path / 'mount') as folder:
        compressed_folder(folder / 'packed')
        (folder / 'packed/text').write_bytes(b'the same again and again ' * 10000)
        (folder / 'packed/tiny').write_bytes(b'in the record')
        with (folder / 'sparse').open('wb') as file:
            file.write(b'begin')
            file.seek(5 * MIB, 1)
            file.write(b'end')
        with (folder / 'short').open('wb') as file:
            file.write(b'begin')
            file.truncate(3 * MIB)
    dump = Dump(image, ['\\packed\\text', '\\packed\\tiny', '\\sparse', '\\short'])
    assert dump.files['\\packed\\text'].flags == 'c'
    assert dump.files['\\packed\\text'].content == digest(b'the same again and again ' * 10000)
    assert dump.files['\\packed\\text'].size == '250000'
    assert dump.files['\\packed\\tiny'].content == digest(b'in the record')
    assert dump.files['\\sparse'].content == digest(sparse)
    assert 's' in dump.files['\\sparse'].flags
    assert dump.files['\\short'].content == digest(b'begin' + bytes(3 * MIB - 5))


def test_symbolic_link_is_not_followed(fuse, tmp_path):
    image = make(tmp_path / 'image')
    with mounted(image, tmp_path / 'mount') as folder:
        (folder / 'real').mkdir()
        (folder / 'real/file').touch()
        # A junction to \real: tag, lengths, substitute and printed name.
        name = '\\??\\C:\\real'.encode('utf-16-le')
        target = struct.pack('<HHHH', 0, len(name), len(name) + 2, 0) + name + bytes(4)
        (folder / 'junction').mkdir()
        os.setxattr(folder / 'junction', 'system.ntfs_reparse_data',
                    struct.pack('<IHH', 0xa0000003, len(target), 0) + target)
    dump = Dump(image, ['\\junction', '\\junction\\file', '\\real\\file'])
    assert dump.files['\\junction'].flags == 'dr'
    assert dump.statuses() == {'\\junction': 'success', '\\junction\\file': 'not supported',
                               '\\real\\file': 'success'}


# --- Always: mkntfs and ntfscp --------------------------------------------------------------------

def record_offset(facts, number):
    """Of the first records, which lie together."""
    return int(facts['mft']) * int(facts['cluster_size']) + number * int(facts['record_size'])


def attribute(image, facts, number, kind):
    """Offset and bytes of an attribute of a record, which must not have the ends of sectors in it."""
    start = record_offset(facts, number)
    record = peek(image, start, int(facts['record_size']))
    at = struct.unpack_from('<H', record, 0x14)[0]
    while struct.unpack_from('<I', record, at)[0] != kind:
        at += struct.unpack_from('<I', record, at + 4)[0]
    size = struct.unpack_from('<I', record, at + 4)[0]
    assert at // 512 == (at + size) // 512
    return start + at, record[at:at + size]


def copied(image, folder, count, rng):
    """Files put into the root directory by ntfscp: path -> content."""
    contents = {}
    for number in range(count):
        name = f'{"long name " * (number % 5)}file {number * 7919 % 10007}.dat'
        content = rng.randbytes(rng.choice([0, 5, 600, 3000, 70000]))
        (folder / 'content').write_bytes(content)
        run('ntfscp', '-q', image, folder / 'content', '/' + name)
        contents['\\' + name] = content
    return contents


@geometries
def test_copied_files(tmp_path, sector, cluster):
    image = make(tmp_path / 'image', sector, cluster, label='Größe ж')
    contents = copied(image, tmp_path, 60, random.Random(sector + cluster))
    dump = Dump(image, contents, sector)
    for path, content in contents.items():
        file = dump.files[path]
        assert (file.status, int(file.size)) == ('success', len(content)), path
        assert file.content == digest(content), path
    assert run('ntfscat', image, list(contents)[4][1:], text=False) == list(contents.values())[4]
    assert Dump(image, ['\\file 3', '\\zzz', '\\!']).statuses() == {
        '\\file 3': 'not found', '\\zzz': 'not found', '\\!': 'not found'}
    check_against_ntfsinfo(image, dump.facts)
    check_against_ntfsls(image, 0)


INFO = {
    'label': 'Volume Name',
    'version': 'Volume Version',
    'sector_size': 'Sector Size',
    'cluster_size': 'Cluster Size',
    'index_size': 'Index Block Size',
    'clusters': 'Volume Size in Clusters',
    'record_size': 'MFT Record Size',
    'mft': 'LCN of Data Attribute for FILE_MFT',
}


def check_against_ntfsinfo(image, facts):
    lines = run('ntfsinfo', '-f', '-m', image).splitlines()
    info = dict(line.strip().split(':', 1) for line in lines if ':' in line)
    for ours, theirs in INFO.items():
        assert facts[ours] == info[theirs].strip(), theirs
    flags = int(info['Volume Flags'].split()[0], 16)
    assert facts['dirty'] == str(flags & 1)


def listed(image, path='/'):
    """name -> (record, directory or not), by ntfsls."""
    found = {}
    for line in run('ntfsls', '-f', '-F', '-i', '-a', '-s', '-p', path, image).splitlines():
        record, name = re.fullmatch(r' *(\d+) (.*)', line).groups()
        if name not in ('./', '../'):
            found[name.rstrip('/')] = (int(record), name.endswith('/'))
    return found


def check_against_ntfsls(image, depth, path=''):
    """Everything that ntfsls lists is found and listed, to `depth` folders down; the content of files is
    what ntfscat gives. Gives the number of names."""
    found = listed(image, path or '/')
    paths = {f'{path}/{name}'.replace('/', '\\'): what for name, what in found.items()}
    dump = Dump(image, paths)
    for ours, (record, directory) in paths.items():
        assert dump.files[ours].status == 'success', ours
        assert int(dump.files[ours].record) == record, ours
        assert ('d' in dump.files[ours].flags) == directory, ours
        # Of $MFT and its mirror ntfscat leaves out the update sequences; of a file without data it
        # gives another stream.
        if record > 1 and 0 < int(dump.files[ours].size) < 4 * MIB:
            theirs = run('ntfscat', '-f', '-i', record, image, check=False, text=False)
            assert dump.files[ours].content == digest(theirs), ours
    own = path.replace('/', '\\') or '\\'
    items = Listing(image, [own]).folders[own]
    assert {name: (int(item.record), 'd' in item.flags) for name, item in items.items()} == found
    count = len(paths)
    for name, (_, directory) in found.items():
        if directory and depth > 0:
            count += check_against_ntfsls(image, depth - 1, f'{path}/{name}')
    return count


def test_dirty_flag(tmp_path):
    image = make(tmp_path / 'image')
    assert Dump(image).facts['dirty'] == '0'
    run('ntfsfix', image)
    assert '0x0001 DIRTY' in run('ntfsinfo', '-f', '-m', image)
    assert Dump(image).facts['dirty'] == '1'
    run('ntfsfix', '-d', image)
    assert Dump(image).facts['dirty'] == '0'
    facts = Dump(image).facts
    offset, information = attribute(image, facts, 3, 0x70)
    poke(image, offset + struct.unpack_from('<H', information, 0x14)[0] + 10, b'\1')
    assert Dump(image).facts['dirty'] == '1'


def test_boot_sectors(tmp_path):
    for sector in (512, 4096):
        image = make(tmp_path / f'image{sector}', sector, 4096)
        last = image.stat().st_size - sector
        boot = peek(image, 0, 512)
        assert peek(image, last, 512) == boot
        serial = Dump(image).facts['serial']
        poke(image, last, bytes(512))
        assert (Dump(image).facts['boot'], Dump(image).facts['backup']) == ('good', 'damaged')
        poke(image, last, boot)
        poke(image, 0, bytes(512))
        for block in (512, sector):
            facts = Dump(image, block=block).facts
            assert (facts['boot'], facts['backup'], facts['serial']) == ('damaged', 'good', serial)
        poke(image, last + 72, b'\0\0\0\0\0\0\0\1')
        assert Dump(image).facts['serial'] == '0100000000000000'
        poke(image, 0, boot)
        assert Dump(image).facts['backup'] == 'differs'
        poke(image, 0, bytes(512))
        poke(image, last, bytes(512))
        assert Dump(image).facts == {'open': 'not found'}
        poke(image, 0, boot)
        assert Dump(image, blocks=(last // 512 - 8)).facts == {'open': 'damaged'}


def root_blocks(content, cluster):
    """Offsets of the index blocks of the root directory, by the parent in their first names."""
    return [at for at in range(0, len(content), cluster) if content[at:at + 4] == b'INDX'
            and content[at + 0x40 + 0x10:at + 0x40 + 0x16] == b'\5\0\0\0\0\0']


def test_damage(tmp_path):
    """Never "not found" where something on the way is broken."""
    image = make(tmp_path / 'image', cluster=1024)
    contents = copied(image, tmp_path, 40, random.Random(5))
    paths = list(contents) + ['\\nothing']
    whole = image.read_bytes()
    facts = Dump(image, paths).facts

    def statuses(offset, content):
        image.write_bytes(whole)
        poke(image, offset, content)
        return set(Dump(image, paths).statuses().values())

    # Record 5, the root directory.
    assert statuses(record_offset(facts, 5), bytes(1024)) == {'damaged'}
    # The update sequence of one of the root's index blocks.
    block = root_blocks(whole, 1024)[0]
    assert 'damaged' in statuses(block + 510, b'\xee\xee')
    # The root's $INDEX_ALLOCATION runs out of the volume: the first run begins where it ends.
    offset, allocation = attribute(image, facts, 5, 0xa0)
    pairs = struct.unpack_from('<H', allocation, 0x20)[0]
    assert allocation[pairs] >> 4 in (1, 2, 3)
    distance = allocation[pairs] >> 4
    far = (len(whole) // 1024 - 1).to_bytes(distance, 'little') if distance > 1 else b'\x80'
    assert 'damaged' in statuses(offset + pairs + 1 + (allocation[pairs] & 15), far)
    # The first record: $MFTMirr has it too.
    image.write_bytes(whole)
    poke(image, record_offset(facts, 0), bytes(1024))
    dump = Dump(image, list(contents))
    assert dump.facts['mirror_used'] == '1'
    assert set(dump.statuses().values()) == {'success'}
    poke(image, int(facts['mirror']) * 1024, bytes(1024))
    assert Dump(image).facts == {'open': 'damaged'}


def test_every_file_survives_every_bad_index_block(tmp_path):
    """With one index block broken a name is found or cannot be told; it is never missing."""
    image = make(tmp_path / 'image', cluster=512)
    contents = copied(image, tmp_path, 60, random.Random(6))
    whole = image.read_bytes()
    states = []
    for block in root_blocks(whole, 512):
        poke(image, block, b'XXXX')
        states.append(set(Dump(image, contents).statuses().values()))
        assert states[-1] <= {'success', 'damaged'} and 'damaged' in states[-1]
        poke(image, block, b'INDX')
    # One of them is on the way to all names; the others are leaves.
    assert len(states) > 3 and {'success', 'damaged'} in states


# --- Volumes that Windows Server 2008 R2 made -----------------------------------------------------

CHUNK = 128  # blocks of a stripe
ARCHIVE = SHARED / 'data/ldm-2008r2.tar.xz'
# name, layout, serial, and (image, LBA, blocks) of every part
WINDOWS_VOLUMES = [
    ('Volume1', 'spanned', 'be50e0ff50e0bef1', [('spanned-1', 128, 96256), ('spanned-2', 65664, 32768)]),
    ('Volume2', 'striped', '6c7c0afd7c0ac236', [('striped-1', 128, 32768), ('striped-2', 65664, 32768)]),
    ('Volume3', 'spanned', 'fc9061279060ea1a', [('mirrored-1', 128, 32768)]),
    ('Volume3 on the other disk', 'spanned', 'fc9061279060ea1a', [('mirrored-2', 65664, 32768)]),
    ('Volume4', 'raid5', '86e88f74e88f60f3',
     [('raid5-1', 128, 32768), ('raid5-2', 65664, 32768), ('raid5-3', 65664, 32768)]),
    ('Volume5', 'spanned', 'd8dcba6bdcba4412',
     [('raid5-1', 32896, 63488), ('striped-1', 32896, 63488), ('mirrored-1', 32896, 63488)]),
]


@pytest.fixture(scope='session')
def windows_images(tmp_path_factory):
    if not ARCHIVE.is_file():
        pytest.skip('no disks that Windows made: $SHADOWBOOT_SHARED/data/ldm-2008r2.tar.xz')
    folder = tmp_path_factory.mktemp('windows')
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter='data') if hasattr(tarfile, 'data_filter') \
            else archive.extractall(folder)
    return {path.name: path for path in folder.rglob('ldm-2008r2-*.img')}


def rows_of(layout, columns, number):
    """The columns of row `number` that hold data, in order."""
    if layout == 'striped':
        return range(columns)
    parity = columns - 1 - number % columns
    return [(parity + 1 + i) % columns for i in range(columns - 1)]


def assembled(layout, parts):
    """The bytes of a volume from those of its parts."""
    if layout == 'spanned':
        return b''.join(parts)
    step = CHUNK * 512
    return b''.join(parts[column][row * step:(row + 1) * step]
                    for row in range(len(parts[0]) // step)
                    for column in rows_of(layout, len(parts), row))


@pytest.mark.parametrize('name, layout, serial, extents', WINDOWS_VOLUMES,
                         ids=[volume[0] for volume in WINDOWS_VOLUMES])
def test_volume_of_windows(windows_images, tmp_path, name, layout, serial, extents):
    parts = [peek(windows_images[f'ldm-2008r2-{image}.img'], lba * 512, blocks * 512)
             for image, lba, blocks in extents]
    image = tmp_path / 'image'
    image.write_bytes(assembled(layout, parts))
    dump = Dump(image, ['\\Windows', '\\$MFT', '\\$UpCase'])
    assert dump.facts['serial'] == serial
    assert (dump.facts['boot'], dump.facts['backup']) == ('good', 'good')
    assert (dump.facts['facts'], dump.facts['mirror_used']) == ('success', '0')
    assert dump.facts['version'] == '3.1'
    assert dump.statuses() == {'\\Windows': 'not found', '\\$MFT': 'success', '\\$UpCase': 'success'}
    assert dump.files['\\$UpCase'].content == digest(run('ntfscat', '-f', image, '$UpCase', text=False))
    check_against_ntfsinfo(image, dump.facts)
    assert check_against_ntfsls(image, 3) >= 20
