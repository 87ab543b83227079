"""Files of an NTFS volume as a source: every form in which Windows keeps them, against the software that
made it. ntfs-3g compresses in NTFS' own way; wimlib packs XPRESS and LZX, which wof.py puts together as
Windows keeps them. What is listed is what the driver lists.

Cases that need the driver are skipped where FUSE is not usable; those of the packing alone always run.
"""
import contextlib
import os
import random
import struct
import subprocess
from pathlib import Path

import pytest

import wof
from conftest import tool
from ntfs_driver import (MIB, Dump, Listing, compressed_folder, digest, fuse, make, mounted, peek, poke,
                         run)
from windows_tree import FONTS, LANGUAGES, MESSAGES, PROGRAMS, odd

KIB = 1024
BOUNDS = [4 * KIB, 8 * KIB, 16 * KIB, 32 * KIB, 64 * KIB]
SIZES = sorted({0, 1, 2, 300, 3000, 3 * 64 * KIB, *(b + d for b in BOUNDS for d in (-1, 0, 1))})
LARGE = 5 * MIB + 12345
CHUNKS = (MIB, 64 * KIB, 4096, 1000)


def content(rng, size):
    """Bytes of a program's kind: text, code with calls, zeros, and what no one can pack."""
    parts, made = [], 0
    while made < size:
        part = rng.choice([
            lambda: b'The same again, %d, and again. ' % rng.randrange(99) * rng.randrange(1, 90),
            lambda: b''.join(b'\x48\x8b\xe8' + struct.pack('<i', rng.randrange(-9000, 70000))
                             for _ in range(rng.randrange(1, 400))),
            lambda: bytes(rng.randrange(1, 9000)),
            lambda: bytes([rng.randrange(256)]) * rng.randrange(1, 70000),
            lambda: rng.randbytes(rng.randrange(1, 9000))])()
        parts.append(part)
        made += len(part)
    return b''.join(parts)[:size]


def check(image, expected, form, block=512, chunks=CHUNKS):
    """`expected`: path -> content. Of a small file or an empty one the form may be another."""
    for chunk in chunks:
        dump = Dump(image, expected, block, chunk=chunk)
        for path, data in expected.items():
            file = dump.files[path]
            assert (file.status, file.size, file.content) == ('success', str(len(data)), digest(data)), path
            assert file.form == form or len(data) < 4000, path
    return dump


# --- NTFS' own compression ------------------------------------------------------------------------

def with_holes(rng, place):
    """Packed data, holes as long as a unit and shorter ones, and an end that was never written."""
    data = bytearray(MIB + 700)
    with place.open('wb') as file:
        for at in (0, 70000, 5 * 64 * KIB, 7 * 64 * KIB + 4096):
            part = content(rng, 30000)
            file.seek(at)
            file.write(part)
            data[at:at + len(part)] = part
        file.truncate(len(data))
    return bytes(data)


def in_pieces(rng, places):
    """Files that grow in turn, so that none lies in one piece."""
    data = [content(rng, 700 * KIB) for _ in places]
    for at in range(0, 700 * KIB, 50 * KIB):
        for place, own in zip(places, data):
            with place.open('ab') as file:
                file.write(own[at:at + 50 * KIB])
    return data


@pytest.mark.parametrize('sector, cluster', [(512, 512), (512, 1024), (512, 2048), (512, 4096), (4096, 4096)])
def test_compressed_by_ntfs(fuse, tmp_path, sector, cluster):
    image = make(tmp_path / 'image', sector, cluster)
    rng = random.Random(sector + cluster)
    expected = {}
    with mounted(image, tmp_path / 'mount') as folder:
        packed = compressed_folder(folder / 'packed')
        for size in [*SIZES, LARGE]:
            expected[f'\\packed\\{size}'] = content(rng, size)
            (packed / str(size)).write_bytes(expected[f'\\packed\\{size}'])
        expected['\\packed\\random'] = rng.randbytes(200000)
        (packed / 'random').write_bytes(expected['\\packed\\random'])
        expected['\\packed\\holes'] = with_holes(rng, packed / 'holes')
        pieces = [packed / f'piece{number}' for number in range(3)]
        for place, data in zip(pieces, in_pieces(rng, pieces)):
            expected[f'\\packed\\{place.name}'] = data
        saved = LARGE - (packed / str(LARGE)).stat().st_blocks * 512
    assert saved > LARGE // 4
    dump = check(image, expected, 'compressed (NTFS)', sector)
    assert int(dump.facts['arena_peak']) < 600 * KIB


def test_larger_clusters_are_not_compressed(fuse, tmp_path):
    """What nobody makes: refused by its name."""
    image = make(tmp_path / 'image', cluster=8192)
    with mounted(image, tmp_path / 'mount') as folder:
        (folder / 'file').write_bytes(bytes(range(256)) * 1000)
    facts = Dump(image).facts
    number = int(Dump(image, ['\\file']).files['\\file'].record)
    set_flags(image, facts, number, 0x80, 1, unit=4)
    file = Dump(image, ['\\file']).files['\\file']
    assert (file.form, file.content) == ('compressed in a way this program does not know', 'not supported')


# --- XPRESS and LZX -------------------------------------------------------------------------------

def write_packed(place, data, algorithm):
    """A file as compact.exe /exe: leaves it; the driver is mounted with streams by a colon."""
    with place.open('wb') as file:
        file.truncate(len(data))
    Path(f'{place}:{wof.STREAM}').write_bytes(wof.stream(data, algorithm))
    os.setxattr(place, 'system.ntfs_reparse_data', wof.reparse(algorithm))


WINDOWS_STREAMS = ',streams_interface=windows'


@pytest.mark.parametrize('algorithm', wof.ALGORITHMS, ids=lambda algorithm: algorithm.name)
@pytest.mark.parametrize('sector, cluster', [(512, 512), (512, 4096), (4096, 4096), (512, 65536)])
def test_packed_by_wimlib(fuse, tmp_path, sector, cluster, algorithm):
    image = make(tmp_path / 'image', sector, cluster)
    rng = random.Random(cluster + algorithm.number)
    expected = {f'\\{size}': content(rng, size) for size in [*SIZES, LARGE]}
    expected['\\random'] = rng.randbytes(100000)
    with mounted(image, tmp_path / 'mount', WINDOWS_STREAMS) as folder:
        for path, data in expected.items():
            write_packed(folder / path[1:], data, algorithm)
    dump = check(image, expected, f'compressed ({algorithm.name})', sector)
    assert int(dump.facts['arena_peak']) < 600 * KIB


def test_packed_in_fragments(fuse, tmp_path):
    """Two clusters in every four are free: the stream needs an attribute list and many records."""
    image = make(tmp_path / 'image', cluster=1024, size=20 * MIB)
    rng = random.Random(3)
    data = content(rng, 6 * MIB)
    with mounted(image, tmp_path / 'mount', WINDOWS_STREAMS) as folder:
        fillers = []
        with contextlib.suppress(OSError):
            while True:
                fillers.append(folder / f'filler{len(fillers)}')
                fillers[-1].write_bytes(b'f' * 2048)
        for place in fillers[::2]:
            place.unlink(missing_ok=True)
        write_packed(folder / 'grown', data, wof.XPRESS4K)
    assert '$ATTRIBUTE_LIST' in run('ntfsinfo', '-F', '/grown', image)
    check(image, {'\\grown': data}, 'compressed (XPRESS4K)')


@pytest.fixture(scope='module')
def one_packed(fuse, tmp_path_factory):
    """An image with one file of five XPRESS4K chunks, its content, its stream and where that lies."""
    folder = tmp_path_factory.mktemp('packed')
    image = make(folder / 'image', size=8 * MIB)
    data = content(random.Random(9), 4 * 4096 + 100)
    with mounted(image, folder / 'mount', WINDOWS_STREAMS) as mount:
        write_packed(mount / 'file', data, wof.XPRESS4K)
    stream = wof.stream(data, wof.XPRESS4K)
    return image, data, stream, image.read_bytes().index(stream)


def test_table_that_contradicts_itself_is_refused(one_packed):
    """Whatever one of the table's entries says: the content, or "damaged", never other bytes."""
    image, data, stream, at = one_packed
    assert Dump(image, ['\\file']).files['\\file'].content == digest(data)
    for entry in range(4):
        right, = struct.unpack_from('<I', stream, 4 * entry)
        for value in (0, 1, right - 1, right + 1, right + 4096, len(stream), 0x7fffffff, 0xffffffff):
            poke(image, at + 4 * entry, struct.pack('<I', value))
            assert Dump(image, ['\\file']).files['\\file'].content in ('damaged', digest(data)), (entry, value)
        poke(image, at + 4 * entry, struct.pack('<I', len(stream)))
        assert Dump(image, ['\\file']).files['\\file'].content == 'damaged'
        poke(image, at, stream)
    assert Dump(image, ['\\file']).files['\\file'].content == digest(data)


def test_chunk_larger_than_what_is_read_at_once_is_refused(fuse, tmp_path):
    """A table that makes one chunk of 300 KB."""
    image = make(tmp_path / 'image', size=8 * MIB)
    data = random.Random(12).randbytes(MIB)
    with mounted(image, tmp_path / 'mount', WINDOWS_STREAMS) as folder:
        write_packed(folder / 'file', data, wof.XPRESS4K)
    stream = wof.stream(data, wof.XPRESS4K)
    at = image.read_bytes().index(stream[:4096])
    assert Dump(image, ['\\file']).files['\\file'].content == digest(data)
    for entry in (0, 9):
        poke(image, at + 4 * entry, struct.pack('<I', 4096 * entry + 300000))
        assert Dump(image, ['\\file']).files['\\file'].content == 'damaged'
        poke(image, at, stream[:4096])


def test_file_that_says_more_than_it_holds_is_refused(fuse, tmp_path):
    image = make(tmp_path / 'image', size=16 * MIB)
    data = content(random.Random(4), 100000)
    with mounted(image, tmp_path / 'mount', WINDOWS_STREAMS) as folder:
        for algorithm in wof.ALGORITHMS:
            stream = wof.stream(data, algorithm)
            for name, size, kept in [('short', len(data), stream[:-40]), ('long', len(data) + 5000, stream),
                                     ('huge', 1 << 40, stream), ('empty', len(data), b''),
                                     ('table', len(data), stream[:8])]:
                place = folder / f'{name}-{algorithm.name}'
                with place.open('wb') as file:
                    file.truncate(size)
                Path(f'{place}:{wof.STREAM}').write_bytes(kept)
                os.setxattr(place, 'system.ntfs_reparse_data', wof.reparse(algorithm))
        with (folder / 'without').open('wb') as file:
            file.truncate(5000)
        os.setxattr(folder / 'without', 'system.ntfs_reparse_data', wof.reparse(wof.LZX))
        names = os.listdir(folder)
    found = Dump(image, ['\\' + name for name in names]).files
    assert len(found) == 21
    assert {file.content for file in found.values()} == {'damaged'}


# --- What is not read -----------------------------------------------------------------------------

def set_flags(image, facts, number, kind, flags, unit=0):
    """The flags of a non-resident attribute of a record, which lies in the MFT's first piece."""
    record = int(facts['mft']) * int(facts['cluster_size']) + number * int(facts['record_size'])
    at = record + struct.unpack('<H', peek(image, record + 0x14, 2))[0]
    while struct.unpack('<I', peek(image, at, 4))[0] != kind:
        at += struct.unpack('<I', peek(image, at + 4, 4))[0]
    poke(image, at + 0x0c, struct.pack('<H', flags))
    poke(image, at + 0x22, bytes([unit]))


WOF_HEAD = struct.pack('<IHH', wof.TAG, 16, 0)
REPARSE = {
    'symlink': (struct.pack('<IHHHHHHI', 0xA000000C, 12, 0, 0, 0, 0, 0, 0), 'a link to another place'),
    'dedup': (struct.pack('<IHH', 0x80000013, 8, 0) + bytes(8), 'deduplicated'),
    'cloud': (struct.pack('<IHH', 0x9000601A, 8, 0) + bytes(8), 'in a cloud'),
    'wim': (WOF_HEAD + struct.pack('<IIII', 1, 1, 1, 0), 'in a WIM image'),
    'algorithm': (WOF_HEAD + struct.pack('<IIII', 1, 2, 1, 4),
                  'compressed in a way this program does not know'),
    'version': (WOF_HEAD + struct.pack('<IIII', 2, 2, 1, 0), 'a reparse point of an unknown kind'),
    'provider': (WOF_HEAD + struct.pack('<IIII', 1, 3, 1, 0), 'a reparse point of an unknown kind'),
    'cut': (struct.pack('<IHHII', wof.TAG, 8, 0, 1, 2), 'a reparse point of an unknown kind'),
    'other': (struct.pack('<IHH', 0x8000FFFE, 8, 0) + bytes(8), 'a reparse point of an unknown kind'),
}


def test_what_is_not_read_is_named(fuse, tmp_path):
    image = make(tmp_path / 'image', size=8 * MIB)
    with mounted(image, tmp_path / 'mount') as folder:
        for name, (data, _) in REPARSE.items():
            (folder / name).write_bytes(b'not what the file is')
            os.setxattr(folder / name, 'system.ntfs_reparse_data', data)
        (folder / 'secret').write_bytes(bytes(5000))
    expected = {'\\' + name: form for name, (_, form) in REPARSE.items()}
    number = int(Dump(image, ['\\secret']).files['\\secret'].record)
    set_flags(image, Dump(image).facts, number, 0x80, 0x4000)
    expected['\\secret'] = 'encrypted'
    for path, file in Dump(image, expected).files.items():
        assert (file.form, file.content) == (expected[path], 'not supported'), path


# --- Folders --------------------------------------------------------------------------------------

def test_folders_are_listed_as_the_driver_lists_them(fuse, tmp_path):
    image = make(tmp_path / 'image')
    rng = random.Random(5)
    expected = {'\\': {}, '\\few': {}, '\\many': {}, '\\none': {}}
    with mounted(image, tmp_path / 'mount') as folder:
        for name in ('few', 'many', 'none'):
            (folder / name).mkdir()
        for number in range(2000):
            name = rng.choice(['f', 'Größe ', 'ж']) + str(number * 7919 % 10007) + 'x' * rng.randrange(60)
            (folder / 'many' / name).write_bytes(bytes(number))
        (folder / 'few/long name of a file').write_bytes(b'12345')
        os.setxattr(folder / 'few/long name of a file', 'system.ntfs_dos_name', b'LONGNA~1')
        os.link(folder / 'few/long name of a file', folder / 'few/another')
        os.link(folder / 'few/long name of a file', folder / 'none.txt')
        (folder / 'few/folder').mkdir()
        for path, found in expected.items():
            for entry in os.scandir(folder / path[1:]):
                size = 0 if entry.is_dir() else entry.stat().st_size
                found[entry.name] = (str(entry.stat().st_ino), 'd' if entry.is_dir() else '', str(size))
    assert len(expected['\\many']) == 2000
    folders = Listing(image, [*expected, '\\none.txt']).folders
    own = {name: item for name, item in folders['\\'].items() if not name.startswith('$')}
    assert set(folders['\\']) - set(own) >= {'$MFT', '$Boot', '$UpCase'}
    folders['\\'] = own
    assert folders.pop('\\none.txt') == 'not found'
    assert '\\none' not in folders and not expected.pop('\\none')
    for path, found in expected.items():
        assert {name: (item.record, item.flags, item.size) for name, item in folders[path].items()} == found
    assert 'LONGNA~1' not in folders['\\few']
    names = ['\\few\\another', '\\none.txt', '\\few\\LONGNA~1']
    assert {file.content for file in Dump(image, names).files.values()} == {digest(b'12345')}


def windows_boot(folder, rng, write=Path.write_bytes):
    """\\Windows\\Boot as it is in number and size of files, with other files between them in the MFT.
    Gives path -> size."""
    sizes = {f'EFI/{name}': odd(name, kib) for name, kib in PROGRAMS.items()}
    sizes.update({f'Fonts/{name}': odd(name, kib) for name, kib in FONTS.items()})
    for language in LANGUAGES:
        for name, kib in MESSAGES.items():
            sizes[f'EFI/{language}/{name}'] = odd(language + name, kib)
    between = folder / 'between'
    between.mkdir()
    for number, (name, size) in enumerate(sizes.items()):
        place = folder / 'Windows/Boot' / name
        place.parent.mkdir(parents=True, exist_ok=True)
        write(place, rng.randbytes(size))
        for other in range(5):
            (between / f'{number}-{other}').touch()
    return {'\\Windows\\Boot\\' + name.replace('/', '\\'): size for name, size in sizes.items()}


def test_few_reads_of_metadata_are_enough(fuse, tmp_path):
    """Every file of \\Windows\\Boot found by its path and read, no two of their records together; and
    all of its folders listed: at most 1 MiB beside the files' own clusters, for each."""
    image = make(tmp_path / 'image', size=64 * MIB)
    with mounted(image, tmp_path / 'mount') as folder:
        sizes = windows_boot(folder, random.Random(7))
    assert len(sizes) > 125 and sum(sizes.values()) > 17 * MIB
    dump = Dump(image, sizes)
    assert {path: int(file.size) for path, file in dump.files.items()} == sizes
    clusters = sum(-(-size // 4096) * 4096 for size in sizes.values())
    assert int(dump.facts['read_bytes']) - clusters <= MIB
    assert int(dump.facts['largest_read']) == MIB
    largest = dump.files['\\Windows\\Boot\\Fonts\\cht_boot.ttf']
    assert int(largest.reads) <= 2 + int(largest.size) // MIB + 4
    folders = {path.rpartition('\\')[0] for path in sizes}
    listing = Listing(image, folders)
    assert sum(len(items) for items in listing.folders.values()) == len(sizes) + len(LANGUAGES)
    assert int(listing.facts['read_bytes']) <= MIB


def test_packed_files_take_few_reads_too(fuse, tmp_path):
    """The same where each is packed, with its table of chunks: 256 KiB at a time."""
    image = make(tmp_path / 'image', size=64 * MIB)
    streams = {}

    def write(place, data):
        write_packed(place, data, wof.XPRESS8K)
        streams[place] = len(data) + (len(data) - 1) // wof.XPRESS8K.chunk * 4

    with mounted(image, tmp_path / 'mount', WINDOWS_STREAMS) as folder:
        sizes = windows_boot(folder, random.Random(7), write)
    dump = Dump(image, sizes)
    assert {path: int(file.size) for path, file in dump.files.items()} == sizes
    assert {file.form for file in dump.files.values()} == {'compressed (XPRESS8K)'}
    clusters = sum(-(-size // 4096) * 4096 for size in streams.values())
    assert int(dump.facts['read_bytes']) - clusters <= MIB
    assert int(dump.facts['largest_read']) == 256 * KIB
    assert int(dump.facts['arena_peak']) < 600 * KIB


# --- Packing alone --------------------------------------------------------------------------------

LZNT1, XPRESS, LZX = range(3)


def unpacked(pieces):
    """Of (kind, size, packed): the bytes, None where they are refused."""
    data = b''.join(struct.pack('<BII', kind, size, len(packed)) + packed for kind, size, packed in pieces)
    done = subprocess.run([tool('unpack')], input=data, capture_output=True, check=True)
    assert done.stderr == b''
    results, at = [], 0
    for _, size, _ in pieces:
        good = done.stdout[at] == 0
        at += 1
        results.append(done.stdout[at + 4:at + 4 + size] if good else None)
        at += 4 + size if good else 0
    assert at == len(done.stdout)
    return results


def packed_chunks(algorithm, rng, count):
    """(content, packed) of chunks of all sizes, at three levels of wimlib's effort."""
    made = []
    while len(made) < count:
        data = content(rng, rng.choice([algorithm.chunk, algorithm.chunk - 1, rng.randrange(2, algorithm.chunk)]))
        packed = wof.pack(data, algorithm, rng.choice([20, 50, 100]))
        if packed:
            made.append((data, packed))
    return made


def kind_of(algorithm):
    return LZX if algorithm is wof.LZX else XPRESS


@pytest.mark.parametrize('algorithm', wof.ALGORITHMS, ids=lambda algorithm: algorithm.name)
def test_what_wimlib_packs_is_unpacked(algorithm):
    made = packed_chunks(algorithm, random.Random(algorithm.number), 200)
    assert unpacked([(kind_of(algorithm), len(data), packed) for data, packed in made]) == [
        data for data, _ in made]


@pytest.mark.parametrize('algorithm', wof.ALGORITHMS, ids=lambda algorithm: algorithm.name)
def test_what_is_damaged_is_refused_or_as_wimlib_has_it(algorithm):
    """Two readers of one damaged chunk: what both accept is the same, and what wimlib refuses is never
    accepted. What is cut off is refused here, where wimlib goes on with zeros."""
    rng = random.Random(algorithm.number + 100)
    kind = kind_of(algorithm)
    pieces, accepted = [], 0
    for data, packed in packed_chunks(algorithm, rng, 60):
        for _ in range(5):
            damaged = bytearray(packed)
            for _ in range(rng.choice([1, 1, 2, 5])):
                damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
            pieces.append((kind, len(data), bytes(damaged)))
        pieces.append((kind, len(data), packed[:rng.randrange(len(packed) - 2)]))
    for (_, size, packed), ours in zip(pieces, unpacked(pieces)):
        if ours is not None:
            accepted += 1
            assert ours == wof.unpack(packed, size, algorithm)
    assert accepted > 50
    assert unpacked(pieces[5::6]) == [None] * 60


class Bits:
    """Bits in 16-bit words, highest first."""

    def __init__(self):
        self.bits = ''

    def put(self, value, count):
        self.bits += format(value, f'0{count}b')
        return self

    def bytes(self):
        padded = self.bits + '0' * (-len(self.bits) % 16)
        return b''.join(struct.pack('<H', int(padded[i:i + 16], 2)) for i in range(0, len(padded), 16))


def stored_block(data, before=''):
    """An LZX block that is not compressed, and what follows; wimlib makes none."""
    bits = Bits()
    bits.bits = before
    bits.put(3, 3)
    if len(data) == 32768:
        bits.put(1, 1)
    else:
        bits.put(0, 1).put(len(data), 16)
    # To the next word, or over one when it is there.
    bits.put(0, 16 - len(bits.bits) % 16)
    return bits.bytes() + struct.pack('<III', 1, 1, 1) + data + bytes(len(data) % 2)


def test_lzx_blocks_that_are_stored():
    """Judged by wimlib too: one block, several of odd sizes, calls in them, and some cut off."""
    rng = random.Random(8)
    calls = b'\xe8' + struct.pack('<i', 5000)
    cases = []
    for data in (b'x', b'xy', rng.randbytes(777), rng.randbytes(32768), calls * 50, (calls + b'..') * 3):
        cases.append((LZX, len(data), stored_block(data)))
        cases.append((LZX, 2 * len(data) % 65536, stored_block(data) + stored_block(data[::-1])))
    cases = [case for case in cases if case[1] <= 32768]
    results = unpacked(cases)
    assert None not in results and results[0] == b'x'
    assert results == [wof.unpack(packed, size, wof.LZX) for _, size, packed in cases]
    cut = [(kind, size, packed[:length]) for kind, size, packed in cases[:5]
           for length in range(min(len(packed) - 1, 60))]
    assert set(unpacked(cut)) == {None}
