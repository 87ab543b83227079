"""What Windows' boot manager does by a store, read by hivex: the store's half of system_model.

    devices_of(hive)    the partitions that the loader and its Windows are on, as GUIDs; None for one that is
                        looked for on every disk. ValueError: it stops before it looks; Odd: nobody can say

Measured with the boot manager of Windows 10 (10.0.19041): the default is taken, or the first of the order
where it does not exist, and no other when that fails. The GUID of the partition alone decides.
"""
import base64
import functools
import struct
import subprocess
import tempfile
import uuid
from xml.etree import ElementTree

import regf
from regf import BOOTMGR

WINLOAD = '\\windows\\system32\\winload.efi'


class Odd(Exception):
    """A store of a kind that this model does not know."""


def checksum(block):
    total = 0
    for word in struct.unpack_from('<127I', block):
        total ^= word
    return {0: 1, 0xFFFFFFFF: 0xFFFFFFFE}.get(total, total)


def recovered(hive, log):
    """The hive as the boot manager has it: completed from BCD.LOG where its last write was cut short. None:
    the log is not of that write."""
    first, second = struct.unpack_from('<II', hive, 4)
    if first == second:
        return hive
    if len(log) < 1024 or log[:4] != b'regf' or struct.unpack_from('<I', log, 508)[0] != checksum(log):
        return None
    sequence, kind = (struct.unpack_from('<I', log, at)[0] for at in (4, 28))
    if kind != 6 or sequence < second:
        return None
    entries = list(entries_of(log, sequence))
    if not entries:
        return None
    changed = bytearray(hive)
    for sequence, size, pages in entries:
        changed[4096 + size:] = b''
        changed.extend(bytes(4096 + size - len(changed)))
        for at, data in pages:
            changed[4096 + at:4096 + at + len(data)] = data
        struct.pack_into('<II', changed, 4, sequence, sequence)
        struct.pack_into('<I', changed, 40, size)
    struct.pack_into('<I', changed, 508, checksum(changed))
    return bytes(changed)


def entries_of(log, sequence):
    """(sequence, size of the bins, [(offset, bytes)]) of the entries up to the first that is not whole."""
    at = 512
    while log[at:at + 4] == b'HvLE':
        size, _, own, bins, count = struct.unpack_from('<5I', log, at + 4)
        entry = log[at:at + size]
        if (own != sequence or len(entry) < max(size, 512) or entry[24:32] != regf.marvin(entry[40:])
                or entry[32:40] != regf.marvin(entry[:32])):
            return
        places = [struct.unpack_from('<II', entry, 40 + 8 * i) for i in range(count)]
        if any(offset + length > bins for offset, length in places):
            return
        pages, start = [], 40 + 8 * count
        for offset, length in places:
            pages.append((offset, entry[start:start + length]))
            start += length
        yield own, bins, pages
        at, sequence = at + size, sequence + 1


@functools.lru_cache(maxsize=256)
def as_xml(hive):
    """What hivexml makes of it, or None."""
    with tempfile.NamedTemporaryFile() as stream:
        stream.write(hive)
        stream.flush()
        done = subprocess.run(['hivexml', stream.name], capture_output=True, check=False)
    return None if done.returncode else done.stdout.decode(errors='replace')


def tree_of(hive):
    """{object: {element: data}}, data as text, a list of texts, or bytes; "type" is the object's."""
    root = ElementTree.fromstring(as_xml(bytes(hive))).find('node')
    objects = next(node for node in root.findall('node') if node.get('name') == 'Objects')
    return {node.get('name').lower(): elements_of(node) for node in objects.findall('node')}


def elements_of(node):
    own = next(child for child in node.findall('node') if child.get('name') == 'Elements')
    kind = next(child for child in node.findall('node') if child.get('name') == 'Description').find('value')
    return {'type': int(kind.get('value'), 0)} | {element.get('name').lower(): data_of(element.find('value')) for element in own.findall('node')}


def data_of(value):
    if value.get('type') == 'string-list':
        return [(item.text or '').lower() for item in value.findall('string')]
    data = value.get('value', '')
    return base64.b64decode(data) if value.get('encoding') == 'base64' else data


def choose(objects):
    """The elements of the loader."""
    if not objects:
        raise ValueError('the store is empty')
    if BOOTMGR not in objects:
        raise Odd('a store without {bootmgr}')
    manager = objects[BOOTMGR]
    resumes = manager.get('26000005', b'') not in (b'', b'\0') and '23000006' in manager
    if resumes or {'21000022', '22000023'} & manager.keys():    # nobody has seen what it does then
        raise Odd('a manager that is sent to another store or a hibernated Windows')
    for name in manager.get('24000002', []):        # once
        if name in objects:
            return objects[name]
    names = [manager.get('23000003', '').lower(), *manager.get('24000001', [])]
    for name in names:
        if name in objects:
            return objects[name]
    raise ValueError('the store names what it does not have' if any(names) else 'the store names nothing')


def partition_of(data):
    """The GUID of a device element's partition; None for `locate`."""
    kind, = struct.unpack_from('<I', data, 16)
    if kind == 8:
        return None
    if kind == 5:
        raise ValueError('Windows is looked for on the ESP')
    if kind != 6 or len(data) != 88 or struct.unpack_from('<II', data, 48) != (0, 0):
        raise Odd('a device of another kind')
    return str(uuid.UUID(bytes_le=bytes(data[32:48])))


def devices_of(hive):
    loader = choose(tree_of(hive))
    if loader['type'] != regf.LOADER_TYPE:
        raise Odd('no loader of Windows')
    if '11000001' not in loader or '12000004' not in loader:
        raise ValueError('the loader has no device or no description')
    if loader.get('12000002', WINLOAD).lower() != WINLOAD:
        raise Odd('another loader than winload.efi')
    if loader.get('22000002', '\\windows').lower() != '\\windows':
        raise Odd('another folder than Windows')
    found = [partition_of(loader['11000001'])]
    if '21000001' not in loader:
        raise ValueError('nobody says where the system is')
    return [*found, partition_of(loader['21000001'])]
