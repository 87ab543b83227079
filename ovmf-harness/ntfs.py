"""Small NTFS volumes with chosen files, as bytes: what a plex of the boot volume carries.

    volume = build(4 << 20, {'/Windows/System32/winload.efi': pe.build()}, serial=0x1122334455667788)
    volume = bytearray(volume)
    set_dirty(volume)                       # damage is done on the bytes
    volume[backup_boot(volume)] ^= 1

mkntfs makes the empty volume. Directories and files are added here: the records of the MFT from 64
on, resident indexes for directories (a few names each), one run of clusters for a file that does not
fit into its record. Only the root directory has an index block, the one that mkntfs made.

Fields that are used, all little-endian:

    boot sector   0x0B u16 bytes per sector    0x0D u8 sectors per cluster   0x28 u64 sectors
                  0x30 u64 cluster of $MFT     0x38 u64 cluster of $MFTMirr  0x40 s8 record size
                  0x48 u64 serial number
    record        0x04 u16, 0x06 u16 update sequence    0x10 u16 sequence number  0x12 u16 links
                  0x14 u16 first attribute    0x16 u16 flags (1 in use, 2 directory)
                  0x18 u32 bytes used         0x1C u32 bytes allocated
                  0x28 u16 next attribute id  0x2C u32 number of the record
    attribute     0x00 u32 type, u32 length   0x08 u8 non-resident  0x09 u8 characters of its name
                  0x0A u16 offset of the name 0x0C u16 flags        0x0E u16 id
      resident    0x10 u32 size, u16 offset of the value, u8 indexed
      otherwise   0x10 u64 first, u64 last VCN, u16 offset of the runs
                  0x28 u64 allocated, u64 size, u64 initialised
"""
import functools
import os
import struct
import subprocess
import tempfile

STANDARD_INFORMATION, FILE_NAME, VOLUME_INFORMATION, DATA = 0x10, 0x30, 0x70, 0x80
INDEX_ROOT, INDEX_ALLOCATION, BITMAP, LAST = 0x90, 0xA0, 0xB0, 0xFFFFFFFF
MFT, MIRROR, VOLUME, ROOT, CLUSTER_BITMAP = 0, 1, 3, 5, 6
FIRST_OWN = 64                       # as Windows and ntfs-3g number the first record that is not theirs
IN_USE, DIRECTORY = 1, 2
DIRTY = 0x0001
ARCHIVE, DIRECTORY_ATTRIBUTE = 0x20, 0x10000000
WIN32 = 1
SECURITY_ID = 0x101                  # one of the two descriptors that mkntfs puts into $Secure
TIME = 0x01D5000000000000
STRIDE = 512                         # bytes guarded by one word of an update sequence
INDEX_BLOCK = 4096
I30 = '$I30'.encode('utf-16-le')
BITLOCKER = b'-FVE-FS-'


def align(value, unit):
    return -(-value // unit) * unit


class Geometry:
    """Where things are in a volume, from its boot sector."""

    def __init__(self, volume):
        self.sector, per_cluster = struct.unpack_from('<HB', volume, 0x0B)
        self.cluster = self.sector * per_cluster
        self.mft, self.mirror = struct.unpack_from('<QQ', volume, 0x30)
        size, = struct.unpack_from('<b', volume, 0x40)
        self.record = self.cluster * size if size > 0 else 1 << -size

    def offset(self, number):
        """Byte offset of a record; the MFT made here is one piece."""
        return self.mft * self.cluster + number * self.record


def backup_boot(volume):
    """Byte offset of the copy of the boot sector: the last sector of the volume."""
    return len(volume) - Geometry(volume).sector


def record_offset(volume, number):
    """Byte offset of a record of the MFT."""
    return Geometry(volume).offset(number)


def mirror_offset(volume):
    """Byte offset of $MFTMirr, which repeats the first four records."""
    geometry = Geometry(volume)
    return geometry.mirror * geometry.cluster


def unguard(block):
    """The block without its update sequence: as a bytearray with the real words in their places."""
    block = bytearray(block)
    at, count = struct.unpack_from('<HH', block, 4)
    for i in range(1, count):
        place = i * STRIDE - 2
        if block[place:place + 2] != block[at:at + 2]:
            raise ValueError(f'update sequence {i} is torn')
        block[place:place + 2] = block[at + 2 * i:at + 2 * i + 2]
    return block


def guard(block):
    """The block with an update sequence, as it goes to the disk."""
    block = bytearray(block)
    at, count = struct.unpack_from('<HH', block, 4)
    number = struct.pack('<H', struct.unpack_from('<H', block, at)[0] % 0xFFFF + 1)
    block[at:at + 2] = number
    for i in range(1, count):
        place = i * STRIDE - 2
        block[at + 2 * i:at + 2 * i + 2] = block[place:place + 2]
        block[place:place + 2] = number
    return bytes(block)


def resident(kind, data, number, indexed=False, name=b''):
    """An attribute whose value stands in the record."""
    start = align(0x18 + len(name), 8)
    head = struct.pack('<IIBBHHHIHBB', kind, align(start + len(data), 8), 0, len(name) // 2, 0x18, 0,
                       number, len(data), start, indexed, 0)
    body = (head + name).ljust(start, b'\0') + data
    return body.ljust(align(len(body), 8), b'\0')


def runs(pieces):
    """Run list of [(clusters, first cluster)]."""
    packed, before = b'', 0
    for count, first in pieces:
        length = count.to_bytes(count.bit_length() // 8 + 1, 'little', signed=True)
        step = first - before
        offset = step.to_bytes((step if step >= 0 else ~step).bit_length() // 8 + 1, 'little', signed=True)
        packed += bytes([len(offset) << 4 | len(length)]) + length + offset
        before = first
    return packed + b'\0'


def first_run(attribute):
    """(clusters, first cluster) of a non-resident attribute made of one run."""
    at, = struct.unpack_from('<H', attribute, 0x20)
    length, offset = attribute[at] & 15, attribute[at] >> 4
    if attribute[at + 1 + length + offset]:
        raise ValueError('more than one run')
    body = attribute[at + 1:at + 1 + length + offset]
    return int.from_bytes(body[:length], 'little'), int.from_bytes(body[length:], 'little', signed=True)


def nonresident(kind, pieces, size, number, cluster, name=b''):
    """An attribute whose value stands in clusters, with the whole of it initialised."""
    clusters, at = sum(count for count, _ in pieces), align(0x40 + len(name), 8)
    packed = runs(pieces)
    head = struct.pack('<IIBBHHHQQHHIQQQ', kind, align(at + len(packed), 8), 1, len(name) // 2, 0x40, 0,
                       number, 0, clusters - 1, at, 0, 0, clusters * cluster, size, size)
    body = (head + name).ljust(at, b'\0') + packed
    return body.ljust(align(len(body), 8), b'\0')


class Record:
    """One record of the MFT, taken apart into attributes."""

    def __init__(self, data):
        plain = unguard(data)
        first, = struct.unpack_from('<H', plain, 0x14)
        self.head, self.size, self.attributes, at = plain[:first], len(plain), [], first
        while struct.unpack_from('<I', plain, at)[0] != LAST:
            length, = struct.unpack_from('<I', plain, at + 4)
            self.attributes.append(bytes(plain[at:at + length]))
            at += length

    def index(self, kind):
        """Place in the list of the first attribute of a type."""
        return next(i for i, a in enumerate(self.attributes) if struct.unpack_from('<I', a)[0] == kind)

    def get(self, kind):
        return self.attributes[self.index(kind)]

    def replace(self, kind, attribute):
        self.attributes[self.index(kind)] = attribute

    def pack(self):
        body = b''.join(self.attributes) + struct.pack('<II', LAST, 0)
        used = len(self.head) + len(body)
        if used > self.size:
            raise ValueError(f'{used} bytes in a record of {self.size}')
        struct.pack_into('<I', self.head, 0x18, used)
        return guard((bytes(self.head) + body).ljust(self.size, b'\0'))


def new_record(number, size, flags=0, attributes=()):
    """The bytes of a record that nobody used before."""
    count = size // STRIDE + 1
    first = align(0x30 + 2 * count, 8)
    head = struct.pack('<4sHHQHHHHIIQHHI', b'FILE', 0x30, count, 0, 1, 1 if flags else 0, first, flags, 0,
                       size, 0, len(attributes), 0, number).ljust(first, b'\0')
    record = Record(guard((head + struct.pack('<I', LAST)).ljust(size, b'\0')))
    record.attributes = list(attributes)
    return record.pack()


def standard_information(attributes):
    return struct.pack('<QQQQIIIIIIQQ', TIME, TIME, TIME, TIME, attributes, 0, 0, 0, 0, SECURITY_ID, 0, 0)


def reference(number, sequence=1):
    return number | sequence << 48


def index_entry(number, key):
    length = align(0x10 + len(key), 8)
    return (struct.pack('<QHHI', reference(number), length, len(key), 0) + key).ljust(length, b'\0')


END_ENTRY = struct.pack('<QHHI', 0, 0x10, 0, 2)


def index_root(entries, cluster):
    """Value of the index root of a directory that needs no index block."""
    body = b''.join(entries) + END_ENTRY
    per_block = INDEX_BLOCK // cluster if cluster <= INDEX_BLOCK else INDEX_BLOCK // STRIDE
    size = 0x10 + len(body)
    return struct.pack('<IIIIIIII', FILE_NAME, 1, INDEX_BLOCK, per_block, 0x10, size, size, 0) + body


def key_name(entry):
    """The name in an entry of a directory's index, as it is sorted."""
    characters = entry[0x10 + 0x40]
    return entry[0x52:0x52 + 2 * characters].decode('utf-16-le').upper()


def index_entries(data):
    """The entries before the end entry, and the end entry."""
    entries, at = [], 0
    while True:
        length, _, flags = struct.unpack_from('<HHI', data, at + 8)
        entry = bytes(data[at:at + length])
        if flags & 2:
            return entries, entry
        entries.append(entry)
        at += length


class Node:
    """A directory or file to be added. `parent` is None below the root, whose record is there."""

    def __init__(self, number, name, parent, content=None):
        self.number, self.name, self.parent, self.content = number, name, parent, content
        self.children, self.clusters = [], None

    @property
    def is_directory(self):
        return self.content is None

    def key(self, cluster):
        """Value of its $FILE_NAME attribute."""
        size = 0 if self.is_directory else len(self.content)
        allocated = align(size, cluster if self.clusters else 8)
        parent = reference(self.parent.number) if self.parent else reference(ROOT, ROOT)
        flags = DIRECTORY_ATTRIBUTE if self.is_directory else ARCHIVE
        return struct.pack('<QQQQQQQIIBB', parent, TIME, TIME, TIME, TIME, allocated, size, flags, 0,
                           len(self.name), WIN32) + self.name.encode('utf-16-le')

    def entry(self, cluster):
        return index_entry(self.number, self.key(cluster))

    def value(self, cluster):
        """The attribute that holds the index or the content."""
        if self.is_directory:
            entries = sorted((child.entry(cluster) for child in self.children), key=key_name)
            return resident(INDEX_ROOT, index_root(entries, cluster), 2, name=I30)
        if self.clusters:
            return nonresident(DATA, [self.clusters], len(self.content), 2, cluster)
        return resident(DATA, self.content, 2)

    def pack(self, geometry):
        information = standard_information(0 if self.is_directory else ARCHIVE)
        return new_record(self.number, geometry.record, IN_USE | (DIRECTORY if self.is_directory else 0), [
            resident(STANDARD_INFORMATION, information, 0),
            resident(FILE_NAME, self.key(geometry.cluster), 1, indexed=True),
            self.value(geometry.cluster)])


def tree(files):
    """All nodes that a dict of paths needs, parents first. A content of None is a directory."""
    nodes = {}

    def node(parts, content):
        key = '/'.join(parts).upper()
        if key not in nodes:
            parent = node(parts[:-1], None) if len(parts) > 1 else None
            nodes[key] = Node(FIRST_OWN + len(nodes), parts[-1], parent, content)
            if parent:
                parent.children.append(nodes[key])
        return nodes[key]

    for name, content in files.items():
        node([part for part in name.replace('\\', '/').split('/') if part], content)
    return list(nodes.values())


class Filler:
    """Adds nodes to an empty volume."""

    def __init__(self, volume):
        self.volume, self.geometry = volume, Geometry(volume)
        run = first_run(self.record(CLUSTER_BITMAP).get(DATA))
        self.bitmap = run[1] * self.geometry.cluster
        self.clusters = len(volume) // self.geometry.cluster

    def record(self, number):
        at = self.geometry.offset(number)
        return Record(self.volume[at:at + self.geometry.record])

    def put(self, at, data):
        self.volume[at:at + len(data)] = data

    def is_used(self, cluster):
        return self.volume[self.bitmap + cluster // 8] >> cluster % 8 & 1

    def mark(self, first, count):
        for cluster in range(first, first + count):
            self.volume[self.bitmap + cluster // 8] |= 1 << cluster % 8

    def take(self, count):
        """A run of free clusters from the middle of the volume on, out of the way of the MFT."""
        first = free = self.clusters // 2
        while free - first < count:
            if free >= self.clusters - 1:
                raise ValueError(f'the volume has no {count} free clusters in a row')
            free += 1
            if self.is_used(free - 1):
                first = free
        self.mark(first, count)
        return count, first

    def grow_mft(self, records):
        """Make the MFT so many records long, in place."""
        geometry, mft = self.geometry, self.record(MFT)
        before, first = first_run(mft.get(DATA))
        count = align(records * geometry.record, geometry.cluster) // geometry.cluster
        if any(self.is_used(c) for c in range(first + before, first + count)):
            raise ValueError('no room for the MFT')
        self.mark(first, count)
        known = struct.unpack_from('<Q', mft.get(DATA), 0x30)[0] // geometry.record
        for number in range(known, records):
            self.put(geometry.offset(number), new_record(number, geometry.record))
        size = records * geometry.record
        mft.replace(DATA, nonresident(DATA, [(count, first)], size, 1, geometry.cluster))
        used = first_run(mft.get(BITMAP))
        mft.replace(BITMAP, nonresident(BITMAP, [used], align(records, 64) // 8, 3, geometry.cluster))
        self.put(geometry.offset(MFT), mft.pack())
        return used[1] * geometry.cluster

    def add_to_root(self, nodes):
        """Put the entries among those of the root's only index block."""
        run = first_run(self.record(ROOT).get(INDEX_ALLOCATION))
        at = run[1] * self.geometry.cluster
        block = unguard(self.volume[at:at + INDEX_BLOCK])
        start, _, allocated = struct.unpack_from('<III', block, 0x18)
        entries, end = index_entries(block[0x18 + start:])
        entries += [node.entry(self.geometry.cluster) for node in nodes]
        body = b''.join(sorted(entries, key=key_name)) + end
        if start + len(body) > allocated:
            raise ValueError('too many names in the root')
        struct.pack_into('<I', block, 0x1C, start + len(body))
        block[0x18 + start:] = body.ljust(len(block) - 0x18 - start, b'\0')
        self.put(at, guard(block))

    def add(self, nodes):
        geometry = self.geometry
        map_at = self.grow_mft(FIRST_OWN + len(nodes))
        for node in nodes:
            if not node.is_directory and len(node.content) > 512:
                node.clusters = self.take(align(len(node.content), geometry.cluster) // geometry.cluster)
                self.put(node.clusters[1] * geometry.cluster, node.content)
        for node in nodes:
            self.put(geometry.offset(node.number), node.pack(geometry))
            self.volume[map_at + node.number // 8] |= 1 << node.number % 8
        self.add_to_root([node for node in nodes if not node.parent])

    def repeat(self):
        """Bring $MFTMirr and the copy of the boot sector up to date."""
        repeat(self.volume)


def repeat(volume):
    """Copy the first records and the boot sector to where their copies are."""
    geometry = Geometry(volume)
    at, size = geometry.offset(MFT), max(4 * geometry.record, geometry.cluster)
    to = mirror_offset(volume)
    volume[to:to + size] = volume[at:at + size]
    volume[backup_boot(volume):] = volume[:geometry.sector]


def set_serial(volume, serial):
    """The volume serial number, in the boot sector and its copy."""
    struct.pack_into('<Q', volume, 0x48, serial)
    struct.pack_into('<Q', volume, backup_boot(volume) + 0x48, serial)


def set_dirty(volume, dirty=True):
    """The dirty flag of $Volume (a bytearray is changed), in the record and in its copy."""
    geometry = Geometry(volume)
    at = geometry.offset(VOLUME)
    record = Record(volume[at:at + geometry.record])
    old = record.get(VOLUME_INFORMATION)
    value = bytearray(old[struct.unpack_from('<H', old, 0x14)[0]:][:12])
    flags, = struct.unpack_from('<H', value, 10)
    struct.pack_into('<H', value, 10, flags | DIRTY if dirty else flags & ~DIRTY)
    record.replace(VOLUME_INFORMATION, resident(VOLUME_INFORMATION, bytes(value),
                                                struct.unpack_from('<H', old, 14)[0]))
    packed = record.pack()
    volume[at:at + geometry.record] = packed
    to = mirror_offset(volume) + VOLUME * geometry.record
    volume[to:to + geometry.record] = packed


def set_bitlocker(volume):
    """What firmware sees of a volume that BitLocker has taken over: its name in the boot sector."""
    for at in (0, backup_boot(volume)):
        volume[at + 3:at + 11] = BITLOCKER


@functools.lru_cache(maxsize=16)
def _empty(size, label, sector, cluster, start):
    with tempfile.NamedTemporaryFile() as image:
        os.truncate(image.name, size)
        command = ['/usr/sbin/mkntfs', '-q', '-F', '-f', '-T', '-c', str(cluster), '-s', str(sector),
                   '-p', str(start), '-H', '255', '-S', '63', '-L', label, image.name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f'mkntfs: {done.stdout}{done.stderr}')
        with open(image.name, 'rb') as stream:
            return stream.read()


def build(size, files, serial=0x0123456789ABCDEF, label='', dirty=False, sector=512, cluster=4096,
          start=2048):
    """A volume of `size` bytes (2 MiB or more) holding `files`: path to bytes, None for a directory.

    `start` is the first sector of the partition, which the boot sector repeats. The same arguments
    give the same bytes. Raises ValueError where a directory gets too many names.
    """
    volume = bytearray(_empty(size, label, sector, cluster, start))
    filler = Filler(volume)
    if files:
        filler.add(tree(files))
    filler.repeat()
    set_serial(volume, serial)
    if dirty:
        set_dirty(volume)
    return bytes(volume)
