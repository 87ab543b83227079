"""Dynamic disks: the LDM database of a group with one volume mirrored over two disks.

    pair = MirrorGroup(size=10043080, disks=(
        LdmDisk('Disk1', guid1, private_start=17877015, public_start=417690, public_size=10043080),
        LdmDisk('Disk2', guid2, private_start=417826, public_start=483362, public_size=10043080)))
    region = build_private_region(pair, 0)     # the 1 MiB LDM metadata partition of Disk1

Blocks are of 512 bytes; starts are LBAs of the whole disk, sizes are blocks. On a GPT disk the
private region is the LDM metadata partition and the public region the LDM data partition, of
which the volume's piece takes `size` blocks from `extent_start` on.

What is built is what Windows 2008 R2 writes for such a group, as far as that is known: PRIVHEAD and
TOCBLOCK twice each, the VMDB header with its records, two empty KLOG pages. All numbers in it are
big-endian.
"""
import struct
import uuid
from dataclasses import dataclass

BLOCK = 512
REGION_BLOCKS = 2048
SLOT = 128
PAYLOAD = 112

HEAD_PLACES = (2047, 1856)          # primary, secondary: blocks of the region
TOC_PLACES = (2, 2045)
CONFIG_START, CONFIG_BLOCKS = 17, 1481
LOG_START, LOG_BLOCKS = 1498, 224

HOST_GUID = '1b77da20-c717-11d0-a5be-00a0c91db73c'      # Windows writes this one everywhere
FILETIME = 129918000000000000                            # some day in 2012, 100 ns since 1601

VOLUME, COMPONENT, PARTITION, DISK, GROUP = 0x51, 0x32, 0x33, 0x34, 0x35
DRIVE_HINT = 0x02                    # record flag of a volume: a drive letter follows
BOOT_FIELD = 0x40                    # record flag of a partition: one more number follows
CONCATENATED = 2
NTFS = 7


@dataclass(frozen=True)
class LdmDisk:
    name: str
    guid: str
    private_start: int
    public_start: int
    public_size: int
    extent_start: int = 0


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


def build_privhead(group, disk):
    head = b''.join((
        b'PRIVHEAD', bytes(4),
        struct.pack('>HHQQ', 2, 12, FILETIME, 1),
        struct.pack('>QQ', *HEAD_PLACES),
        text_field(guid_text(disk.guid), 64),
        text_field(HOST_GUID, 64),
        text_field(guid_text(group.group_guid), 64),
        text_field(group.group_name, 31),
        struct.pack('>IIHH', BLOCK, 0, 0, 0),
        struct.pack('>QQ', disk.public_start, disk.public_size),
        struct.pack('>QQ', disk.private_start, REGION_BLOCKS),
        struct.pack('>QQ', *TOC_PLACES),
        struct.pack('>IIQQ', 1, 1, CONFIG_BLOCKS, LOG_BLOCKS),
    ))
    return checksummed(head.ljust(BLOCK, b'\0'))


def build_tocblock():
    def region(name, start, size):
        return text_field(name, 8) + struct.pack('>HQQHHI', 0, start, size, 6, 1, 0)

    toc = b'TOCBLOCK' + bytes(4) + struct.pack('>Q', 1) + bytes(16)
    toc += region('config', CONFIG_START, CONFIG_BLOCKS) + region('log', LOG_START, LOG_BLOCKS)
    return checksummed(toc.ljust(BLOCK, b'\0'))


def build_vmdb(group):
    counts = struct.pack('>4I', 1, 2, 2, len(group.disks))
    transaction = struct.pack('>QQ', group.transaction, group.transaction)
    header = b''.join((
        b'VMDB', struct.pack('>III', CONFIG_BLOCKS * BLOCK // SLOT, SLOT, BLOCK),
        struct.pack('>HHH', 1, 4, 10),
        text_field(group.group_name, 31),
        text_field(guid_text(group.group_guid), 64),
        transaction, counts, bytes(12), counts, bytes(12),
        struct.pack('>Q', FILETIME),
    ))
    return header.ljust(BLOCK, b'\0')


def record(kind, object_id, name, body, flags=0):
    body = number(object_id) + string(name) + body
    return struct.pack('>HBBI', 0, flags, kind, len(body)) + body


def group_record(group):
    return record(GROUP, 1, group.group_name, string(guid_text(group.group_guid)) + bytes(4 + 8))


def disk_record(disk, object_id):
    device, flags, transaction = string(''), bytes(4), struct.pack('>Q', 4)
    return record(DISK, object_id, disk.name, string(guid_text(disk.guid)) + device + flags + transaction)


def volume_record(group, object_id):
    body = b''.join((
        string('gen'), string(''), text_field('ACTIVE', 14),
        b'\x03', number(1), struct.pack('>I', 0x11), number(len(group.disks)),
        struct.pack('>QQ', group.transaction, 0),
        number(group.size), bytes(4), bytes([NTFS]), uuid.UUID(group.volume_guid).bytes,
    ))
    if group.drive_hint:
        body += string(group.drive_hint)
    return record(VOLUME, object_id, group.volume_name, body, DRIVE_HINT if group.drive_hint else 0)


def component_record(group, object_id, index, volume_id):
    body = b''.join((
        string('ACTIVE'), bytes([CONCATENATED]), bytes(4), number(1),
        struct.pack('>QQ', group.transaction, 0), number(volume_id), number(0),
    ))
    return record(COMPONENT, object_id, f'{group.volume_name}-{index + 1:02}', body)


def partition_record(group, disk, object_id, component_id, disk_id):
    body = b''.join((
        bytes(4), struct.pack('>QQQ', group.transaction, disk.extent_start, 0),
        number(group.size), number(component_id), number(disk_id), number(0),
    ))
    return record(PARTITION, object_id, f'{disk.name}-01', body, BOOT_FIELD)


def records(group):
    """All of them, with object IDs as they come: group, disks, volume, then each plex."""
    volume_id = 2 + len(group.disks)
    yield group_record(group)
    for i, disk in enumerate(group.disks):
        yield disk_record(disk, 2 + i)
    yield volume_record(group, volume_id)
    for i, disk in enumerate(group.disks):
        component_id = volume_id + 1 + 2 * i
        yield component_record(group, component_id, i, volume_id)
        yield partition_record(group, disk, component_id + 1, component_id, 2 + i)


def build_slots(group):
    used = []
    for number_of_group, data in enumerate(records(group), 1):
        parts = [data[i:i + PAYLOAD] for i in range(0, len(data), PAYLOAD)]
        for i, part in enumerate(parts):
            used.append(struct.pack('>IHH', number_of_group, i, len(parts)) + part)
    first, count = BLOCK // SLOT, CONFIG_BLOCKS * BLOCK // SLOT
    used += [b''] * (count - first - len(used))
    return b''.join((b'VBLK' + struct.pack('>I', first + i) + slot).ljust(SLOT, b'\0')
                    for i, slot in enumerate(used))


def build_log():
    pages = (struct.pack('>4sQIII', b'KLOG', 0, sequence, 2, index).ljust(BLOCK, b'\0')
             for index, sequence in enumerate((4, 0)))
    return b''.join(pages)


def build_private_region(group, index):
    """The whole private region (1 MiB) of the group's disk `index`."""
    disk = group.disks[index]
    if len(group.disks) != 2:
        raise ValueError('a mirror has two disks')
    if disk.extent_start + group.size > disk.public_size:
        raise ValueError(f'{disk.name}: the volume does not fit into the public region')
    region = bytearray(REGION_BLOCKS * BLOCK)

    def place(block, data):
        region[block * BLOCK:block * BLOCK + len(data)] = data

    for block in HEAD_PLACES:
        place(block, build_privhead(group, disk))
    for block in TOC_PLACES:
        place(block, build_tocblock())
    place(CONFIG_START, build_vmdb(group) + build_slots(group))
    place(LOG_START, build_log())
    assert len(region) == REGION_BLOCKS * BLOCK
    return bytes(region)
