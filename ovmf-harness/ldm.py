"""Dynamic disks: the LDM database of a group, and the private region of each of its disks.

    pair = MirrorGroup(size=10043080, disks=(
        LdmDisk('Disk1', guid1, private_start=17877015, public_start=417690, public_size=10043080),
        LdmDisk('Disk2', guid2, private_start=417826, public_start=483362, public_size=10043080)))
    region = build_private_region(pair, 0)     # the 1 MiB LDM metadata partition of Disk1

A MirrorGroup is one volume over two disks; a DiskGroup is any volumes over any disks, each made by
`simple`, `spanned`, `striped`, `raid5` or `mirror`, or by hand from Volume, Plex and Extent.

Starts of regions are LBAs of the whole disk, their sizes are blocks of the disk. Places and sizes
of volumes count sectors of 512 bytes on every disk, from the start of the public region. On a GPT
disk the private region is the LDM metadata partition and the public region the LDM data partition;
an MBR disk has the private region at its end and one more PRIVHEAD at LBA 6 (`mbr_disk`).

What is built is what Windows 2008 R2 writes for such a group, as far as that is known: PRIVHEAD and
TOCBLOCK twice each, the VMDB header with its records, two KLOG pages. All numbers in it are
big-endian. Marks of trouble are asked for one by one:

    replace(pair, component_states=('ACTIVE', 'STALE'), partition_flags=(0, RECOVER))
    replace(pair, disk_transactions=(None, 11))               # the second disk is one behind
    replace(pair, header_status=(3, 2), pending=13)           # a transaction was cut off
    replace(pair, log_entries=((LOG_DIRTY, 0, 0),))           # on both disks
"""
import struct
import uuid
from dataclasses import dataclass

BLOCK = 512
SECTOR = 512
REGION_BYTES = 1024 * 1024
REGION_BLOCKS = 2048
SLOT = 128
PAYLOAD = 112

HEAD_PLACES = (2047, 1856)          # primary, secondary: blocks of the region
TOC_PLACES = (2, 2045)
CONFIG_START, CONFIG_BLOCKS = 17, 1481
LOG_START, LOG_BLOCKS = 1498, 224
MBR_HEAD_LBA = 6

HOST_GUID = '1b77da20-c717-11d0-a5be-00a0c91db73c'      # Windows writes this one everywhere
FILETIME = 129918000000000000                            # some day in 2012, 100 ns since 1601

VOLUME, COMPONENT, PARTITION, DISK, GROUP = 0x51, 0x32, 0x33, 0x34, 0x35
DRIVE_HINT = 0x02                    # record flag of a volume: a drive letter follows
STRIPES = 0x10                       # record flag of a component: stripe size and columns follow
COLUMN_FIELD = 0x08                  # record flag of a partition: its column follows
BOOT_FIELD = 0x40                    # record flag of a partition: one more number follows
STRIPED, CONCATENATED, RAID5 = 1, 2, 3
NTFS = 7
STRIPE = 128                         # sectors

# Flags in the fields of the records.
BOOT_VOLUME, SYSTEM_VOLUME, RETAIN = 0x200000, 0x400000, 0x800000
VOLUME_CRASHED, VOLUME_BAD_LOG, VOLUME_DETACHED = 0x4, 0x100, 0x400
COMPONENT_RECOVER, COMPONENT_FAILED, COMPONENT_BUILDING = 2, 4, 8
RECOVER, DETACHED, RELOCATE = 0x8, 0x10, 0x20            # of partitions
DISK_FAILING, DISK_REMOVED, DISK_DETACHED = 0x4, 0x100, 0x200
# Statuses of the header, of a record, and of entries of the log.
CLEAN, CHANGE, COMMIT, ABORT, NEW, STALE, OFFLINE = 1, 2, 3, 4, 5, 6, 8
ACTIVE, LEAVING, ARRIVING = 0, 1, 2
LOG_DETACH, LOG_DIRTY, LOG_COMMIT, LOG_LOG_DETACH, LOG_APP_DIRTY = 1, 2, 3, 4, 5


@dataclass(frozen=True)
class LdmDisk:
    name: str
    guid: str
    private_start: int
    public_start: int
    public_size: int
    extent_start: int = 0            # of a MirrorGroup's piece, sectors
    block_size: int = BLOCK


@dataclass(frozen=True)
class MirrorGroup:
    size: int
    disks: tuple
    group_guid: str = '5bd10001-0c4d-11e2-9a3b-525400a1b2c3'
    group_name: str = 'SERVER-Dg0'
    volume_guid: str = '5bd10002-0c4d-11e2-9a3b-525400a1b2c3'
    volume_name: str = 'Volume1'
    drive_hint: str = 'C:'
    transaction: int = 12
    volume_state: str = 'ACTIVE'
    volume_flags: int = 0x11
    component_states: tuple = ('ACTIVE', 'ACTIVE')       # of each plex
    component_flags: tuple = (0, 0)
    partition_flags: tuple = (0, 0)
    disk_flags: tuple = (0, 0)                           # as each disk's record has them
    disk_transactions: tuple = (None, None)              # what each disk's own database is at
    header_status: object = CLEAN                        # for all disks, or a tuple of one for each
    pending: object = None                               # the same; None: equal to the committed one
    log_entries: object = ()                             # (status, number, number) for all disks, or
                                                         # a dictionary by index of the disk

    def disk_group(self):
        """The same as a DiskGroup."""
        plexes = tuple(
            Plex((Extent(i, disk.extent_start, self.size, flags=self.partition_flags[i]),),
                 state=self.component_states[i], flags=self.component_flags[i])
            for i, disk in enumerate(self.disks))
        volume = Volume(self.volume_name, self.volume_guid, self.size, plexes, hint=self.drive_hint,
                        state=self.volume_state, flags=self.volume_flags)
        return DiskGroup(self.disks, (volume,), self.group_guid, self.group_name, self.transaction,
                         self.disk_flags, self.disk_transactions, self.header_status, self.pending,
                         self.log_entries)


@dataclass(frozen=True)
class Extent:
    """One piece on one disk: sectors."""
    disk: int
    start: int
    size: int
    offset: int = 0
    column: int = 0
    flags: int = 0
    status: int = ACTIVE             # of its record


@dataclass(frozen=True)
class Plex:
    extents: tuple
    layout: int = CONCATENATED
    state: str = 'ACTIVE'
    flags: int = 0
    status: int = ACTIVE


@dataclass(frozen=True)
class Volume:
    name: str
    guid: str
    size: int
    plexes: tuple
    kind: str = 'gen'
    hint: str = ''
    state: str = 'ACTIVE'
    flags: int = 0x11
    content: int = NTFS
    status: int = ACTIVE


@dataclass(frozen=True)
class DiskGroup:
    disks: tuple
    volumes: tuple
    group_guid: str = '5bd10001-0c4d-11e2-9a3b-525400a1b2c3'
    group_name: str = 'SERVER-Dg0'
    transaction: int = 12
    disk_flags: tuple = ()
    disk_transactions: tuple = ()
    header_status: object = CLEAN
    pending: object = None
    log_entries: object = ()
    pending_counts: tuple = None                         # None: equal to the committed ones

    def disk_group(self):
        return self


def simple(name, guid, size, disk, start, **more):
    return Volume(name, guid, size, (Plex((Extent(disk, start, size),)),), **more)


def spanned(name, guid, pieces, **more):
    """`pieces`: (disk, start, size), one behind the other."""
    extents, offset = [], 0
    for disk, start, size in pieces:
        extents.append(Extent(disk, start, size, offset))
        offset += size
    return Volume(name, guid, offset, (Plex(tuple(extents)),), **more)


def columns(size, places):
    return tuple(Extent(disk, start, size, column=i) for i, (disk, start) in enumerate(places))


def striped(name, guid, size, places, **more):
    """`places`: (disk, start) of each column; `size` is that of a column."""
    return Volume(name, guid, size * len(places), (Plex(columns(size, places), STRIPED),), **more)


def raid5(name, guid, size, places, **more):
    return Volume(name, guid, size * (len(places) - 1), (Plex(columns(size, places), RAID5),), 'raid5',
                  **more)


def mirror(name, guid, size, places, **more):
    plexes = tuple(Plex((Extent(disk, start, size),)) for disk, start in places)
    return Volume(name, guid, size, plexes, **more)


def text_field(text, size):
    """ASCII in a field of fixed size, padded with zero bytes."""
    data = text.encode('ascii')
    if len(data) > size:
        raise ValueError(f'{text!r} is longer than {size} bytes')
    return data.ljust(size, b'\0')


def guid_text(guid):
    return str(uuid.UUID(guid))


def number(value):
    """A length byte and as many bytes as the value needs; none for 0."""
    data = value.to_bytes((value.bit_length() + 7) // 8, 'big')
    return bytes([len(data)]) + data


def string(text):
    data = text.encode('ascii')
    return bytes([len(data)]) + data


def checksummed(block):
    """The block with the sum of its bytes at 8, where it has zeros until now."""
    assert len(block) == BLOCK and block[8:12] == bytes(4)
    return block[:8] + struct.pack('>I', sum(block)) + block[12:]


@dataclass(frozen=True)
class Layout:
    """Where things are in a private region, in blocks of the disk."""
    blocks: int
    heads: tuple
    tocs: tuple
    config: tuple                    # start, size
    log: tuple


def layout(disk):
    if disk.block_size == BLOCK:
        return Layout(REGION_BLOCKS, HEAD_PLACES, TOC_PLACES, (CONFIG_START, CONFIG_BLOCKS),
                      (LOG_START, LOG_BLOCKS))
    assert disk.block_size == 4096
    return Layout(256, (255, 232), (1, 254), (2, 186), (188, 28))


def build_privhead(group, disk):
    at = layout(disk)
    head = b''.join((
        b'PRIVHEAD', bytes(4),
        struct.pack('>HHQQ', 2, 12, FILETIME, 1),
        struct.pack('>QQ', *at.heads),
        text_field(guid_text(disk.guid), 64),
        text_field(HOST_GUID, 64),
        text_field(guid_text(group.group_guid), 64),
        text_field(group.group_name, 31),
        struct.pack('>IIHH', disk.block_size, 0, 0, 0),
        struct.pack('>QQ', disk.public_start, disk.public_size),
        struct.pack('>QQ', disk.private_start, at.blocks),
        struct.pack('>QQ', *at.tocs),
        struct.pack('>IIQQ', 1, 1, at.config[1], at.log[1]),
    ))
    return checksummed(head.ljust(BLOCK, b'\0'))


def build_tocblock(disk=None):
    def region(name, start, size):
        return text_field(name, 8) + struct.pack('>HQQHHI', 0, start, size, 6, 1, 0)

    config, log = (CONFIG_START, CONFIG_BLOCKS), (LOG_START, LOG_BLOCKS)
    if disk is not None:
        config, log = layout(disk).config, layout(disk).log
    toc = b'TOCBLOCK' + bytes(4) + struct.pack('>Q', 1) + bytes(16)
    toc += region('config', *config) + region('log', *log)
    return checksummed(toc.ljust(BLOCK, b'\0'))


def of_disk(value, index):
    """A setting that is one for all disks, or a tuple of one for each."""
    return value[index] if isinstance(value, tuple) else value


def at_disk(values, index, default):
    """The disk's own value in a tuple that may be shorter."""
    return values[index] if index < len(values) and values[index] is not None else default


def last_change(group):
    """The transaction in every record: none is later than the database of any disk."""
    return min([group.transaction, *(one for one in group.disk_transactions if one is not None)])


def build_vmdb(group, index=0):
    group = group.disk_group()
    plexes = [plex for volume in group.volumes for plex in volume.plexes]
    counts = struct.pack('>4I', len(group.volumes), len(plexes),
                         sum(len(plex.extents) for plex in plexes), len(group.disks))
    pending_counts = struct.pack('>4I', *group.pending_counts) if group.pending_counts else counts
    committed = at_disk(group.disk_transactions, index, group.transaction)
    pending = of_disk(group.pending, index)
    header = b''.join((
        b'VMDB', struct.pack('>III', CONFIG_BLOCKS * BLOCK // SLOT, SLOT, BLOCK),
        struct.pack('>HHH', of_disk(group.header_status, index), 4, 10),
        text_field(group.group_name, 31),
        text_field(guid_text(group.group_guid), 64),
        struct.pack('>QQ', committed, committed if pending is None else pending),
        counts, bytes(12), pending_counts, bytes(12),
        struct.pack('>Q', FILETIME),
    ))
    return header.ljust(BLOCK, b'\0')


def record(kind, object_id, name, body, flags=0, status=ACTIVE):
    body = number(object_id) + string(name) + body
    return struct.pack('>HBBI', status, flags, kind, len(body)) + body


def group_record(group):
    return record(GROUP, 1, group.group_name, string(guid_text(group.group_guid)) + bytes(4 + 8))


def disk_record(disk, object_id, flags=0):
    body = b''.join((string(guid_text(disk.guid)), string(''), struct.pack('>IQ', flags, 4)))
    return record(DISK, object_id, disk.name, body)


def volume_record(group, volume, object_id, ordinal=1):
    body = b''.join((
        string(volume.kind), string(''), text_field(volume.state, 14),
        bytes([4 if volume.kind == 'raid5' else 3]), number(ordinal),
        struct.pack('>I', volume.flags), number(len(volume.plexes)),
        struct.pack('>QQ', last_change(group), 0),
        number(volume.size), bytes(4), bytes([volume.content]), uuid.UUID(volume.guid).bytes,
    ))
    if volume.hint:
        body += string(volume.hint)
    return record(VOLUME, object_id, volume.name, body, DRIVE_HINT if volume.hint else 0, volume.status)


def component_record(group, plex, name, object_id, volume_id):
    body = b''.join((
        string(plex.state), bytes([plex.layout]), struct.pack('>I', plex.flags), number(len(plex.extents)),
        struct.pack('>QQ', last_change(group), 0), number(volume_id), number(0),
    ))
    if plex.layout == CONCATENATED:
        return record(COMPONENT, object_id, name, body, 0, plex.status)
    stripes = number(STRIPE) + number(len(plex.extents))
    return record(COMPONENT, object_id, name, body + stripes, STRIPES, plex.status)


def partition_record(group, extent, name, object_id, component_id):
    body = b''.join((
        struct.pack('>IQQQ', extent.flags, last_change(group), extent.start, extent.offset),
        number(extent.size), number(component_id), number(2 + extent.disk),
        number(extent.column) if extent.column else b'', number(0),
    ))
    return record(PARTITION, object_id, name, body, BOOT_FIELD | (COLUMN_FIELD if extent.column else 0),
                  extent.status)


def records(group):
    """All of them, with object IDs as they come: group, disks, then each volume with its plexes,
    each with its pieces."""
    group = group.disk_group()
    pieces = [0] * len(group.disks)
    yield group_record(group)
    for i, disk in enumerate(group.disks):
        yield disk_record(disk, 2 + i, at_disk(group.disk_flags, i, 0))
    last = 1 + len(group.disks)
    for ordinal, volume in enumerate(group.volumes, 1):
        volume_id = last = last + 1
        yield volume_record(group, volume, volume_id, ordinal)
        for i, plex in enumerate(volume.plexes, 1):
            component_id = last = last + 1
            yield component_record(group, plex, f'{volume.name}-{i:02}', component_id, volume_id)
            for extent in plex.extents:
                last += 1
                pieces[extent.disk] += 1
                name = f'{group.disks[extent.disk].name}-{pieces[extent.disk]:02}'
                yield partition_record(group, extent, name, last, component_id)


def build_slots(group):
    used = []
    for number_of_group, data in enumerate(records(group), 1):
        parts = [data[i:i + PAYLOAD] for i in range(0, len(data), PAYLOAD)]
        for i, part in enumerate(parts):
            used.append(struct.pack('>IHH', number_of_group, i, len(parts)) + part)
    first, count = BLOCK // SLOT, CONFIG_BLOCKS * BLOCK // SLOT
    if len(used) > count - first:
        raise ValueError(f'{len(used)} slots do not fit into {count - first}')
    used += [b''] * (count - first - len(used))
    return b''.join((b'VBLK' + struct.pack('>I', first + i) + slot).ljust(SLOT, b'\0')
                    for i, slot in enumerate(used))


def log_entry(status, first=0, second=0, sequence=0):
    return struct.pack('>BQQI3x', status, first, second, sequence)


def build_log(entries=()):
    """Two pages; entries that do not fit the first one go to the second."""
    fit = (BLOCK - 0x18) // 24
    pages = []
    for index, sequence in enumerate((4, 0)):
        page = struct.pack('>4sQIII', b'KLOG', 0, sequence, 2, index)
        page += b''.join(log_entry(*entry) for entry in entries[index * fit:(index + 1) * fit])
        pages.append(page.ljust(BLOCK, b'\0'))
    return b''.join(pages)


def check_places(group, index):
    disk = group.disks[index]
    blocks = disk.block_size // SECTOR
    for volume in group.volumes:
        for plex in volume.plexes:
            for extent in plex.extents:
                if extent.disk == index and extent.start + extent.size > disk.public_size * blocks:
                    raise ValueError(f'{disk.name}: {volume.name} does not fit into the public region')


def build_private_region(group, index):
    """The whole private region (1 MiB) of the group's disk `index`."""
    if isinstance(group, MirrorGroup) and len(group.disks) != 2:
        raise ValueError('a mirror has two disks')
    group = group.disk_group()
    disk = group.disks[index]
    check_places(group, index)
    at = layout(disk)
    entries = group.log_entries
    if isinstance(entries, dict):
        entries = entries.get(index, ())
    region = bytearray(REGION_BYTES)

    def place(block, data):
        region[block * disk.block_size:block * disk.block_size + len(data)] = data

    for block in at.heads:
        place(block, build_privhead(group, disk))
    for block in at.tocs:
        place(block, build_tocblock(disk))
    place(at.config[0], build_vmdb(group, index) + build_slots(group))
    place(at.log[0], build_log(entries))
    assert len(region) == at.blocks * disk.block_size
    return bytes(region)


def mbr_disk(group, index):
    """What an MBR disk of the group has: (byte offset, bytes) of boot record, third PRIVHEAD and
    private region, which is the end of the disk."""
    disk = group.disks[index]
    size = disk.block_size
    entry = struct.pack('<B3sB3sII', 0, b'\xfe\xff\xff', 0x42, b'\xfe\xff\xff', disk.public_start,
                        disk.public_size)
    record_0 = bytes(440) + struct.pack('<IH', 0x5BD10000 + index, 0) + entry.ljust(64, b'\0') + b'\x55\xaa'
    return [(0, record_0), (MBR_HEAD_LBA * size, build_privhead(group, disk)),
            (disk.private_start * size, build_private_region(group, index))]
