"""Registry hives as boot stores: a BCD in the regf 1.3 format, whole or damaged in a chosen way.

    store = build_store()                       # {bootmgr} and one Windows Boot Loader
    dirty = set_sequences(store, 8, 7)          # a write that was never completed
    bad = break_checksum(store); short = truncate(store, 6000)

Keys are Python objects: `Key(name, values, children)`, values as {name: (type, bytes)}. A hive is one
base block of 4096 bytes and one bin of as many as are needed. All offsets count from the bin.
"""
import struct
import uuid
from dataclasses import dataclass, field

BLOCK = 4096
NIL = 0xFFFFFFFF
SZ, BINARY, DWORD, MULTI_SZ = 1, 3, 4, 7
TIME = 0x01D5000000000000
BOOTMGR = '{9dea862c-5cdd-4e70-acc1-f32b344d4795}'
LOADER = '{4bd4b7f1-9cb2-11e9-8d5c-525400a1b2c3}'
MANAGER_TYPE, LOADER_TYPE = 0x10100002, 0x10200003
# A self-relative descriptor without access list: owner and group are the administrators.
SECURITY = (struct.pack('<BBHIIII', 1, 0, 0x8000, 0x14, 0x24, 0, 0)
            + 2 * struct.pack('>BBHIII', 1, 2, 0, 5, 0x20000000, 0x20020000))


@dataclass
class Key:
    name: str
    values: dict = field(default_factory=dict)
    children: list = field(default_factory=list)

    def all(self):
        """The key and everything below it."""
        return [self] + [below for child in self.children for below in child.all()]


def text(value):
    return SZ, (value + '\0').encode('utf-16-le')


def number(value):
    return DWORD, struct.pack('<I', value)


def integer(value):
    """An element of the integer format: 8 bytes."""
    return BINARY, struct.pack('<Q', value)


def objects(*ids):
    """An element that is a list of objects."""
    return MULTI_SZ, ('\0'.join(ids) + '\0\0').encode('utf-16-le')


def bcd_object(identifier, kind, elements):
    """An object of the store; `elements` are {type as 8 digits: value}."""
    return Key(identifier, {}, [
        Key('Description', {'Type': number(kind)}),
        Key('Elements', {}, [Key(code, {'Element': value}) for code, value in elements.items()])])


def store_tree():
    """The keys of a small store."""
    manager = bcd_object(BOOTMGR, MANAGER_TYPE, {
        '12000002': text('\\EFI\\Microsoft\\Boot\\bootmgfw.efi'),
        '12000004': text('Windows Boot Manager'),
        '23000003': text(LOADER),
        '24000001': objects(LOADER),
        '25000004': integer(30)})
    loader = bcd_object(LOADER, LOADER_TYPE, {
        '12000002': text('\\Windows\\system32\\winload.efi'),
        '12000004': text('Windows Server'),
        '22000002': text('\\Windows')})
    return Key('NewStoreRoot', {}, [
        Key('Description', {'KeyName': text('BCD00000000'), 'System': number(1),
                            'TreatAsSystem': number(1)}),
        Key('Objects', {}, [manager, loader])])


class Bin:
    """Cells one behind the other."""

    def __init__(self):
        self.data = bytearray(32)

    def add(self, payload):
        """Put a cell; gives its offset."""
        at, size = len(self.data), -(-(len(payload) + 4) // 8) * 8
        self.data += (struct.pack('<i', -size) + payload).ljust(size, b'\0')
        return at

    def patch(self, cell, offset, value):
        """Change a 32-bit number of a cell's payload."""
        struct.pack_into('<I', self.data, cell + 4 + offset, value)

    def close(self):
        """The bin with its header; what is left is one free cell."""
        size = -(-len(self.data) // BLOCK) * BLOCK
        rest = size - len(self.data)
        if rest:
            self.data += struct.pack('<i', rest).ljust(rest, b'\0')
        struct.pack_into('<4sIIQQI', self.data, 0, b'hbin', 0, size, 0, TIME, 0)
        return bytes(self.data)

    def add_value(self, name, kind, data):
        size, inline = len(data), struct.unpack('<I', data.ljust(4, b'\0'))[0] if len(data) <= 4 else 0
        if size > 4:
            place = self.add(data)
        else:
            size, place = size | 0x80000000, inline
        return self.add(struct.pack('<2sHIIIHH', b'vk', len(name), size, place, kind, 1, 0)
                        + name.encode('latin-1'))

    def add_values(self, values):
        """The list of a key's values; nil when there is none."""
        cells = [self.add_value(name, kind, data) for name, (kind, data) in values.items()]
        return self.add(struct.pack(f'<{len(cells)}I', *cells)) if cells else NIL

    def add_node(self, key, parent, security, flags=0x20):
        """The cell of a key, which knows of neither values nor subkeys yet; gives its offset."""
        longest = max((2 * len(child.name) for child in key.children), default=0)
        longest_value = max((2 * len(name) for name in key.values), default=0)
        longest_data = max((len(data) for _, data in key.values.values()), default=0)
        return self.add(struct.pack(
            '<2sHQIIIIIIIIIIIIIIIHH', b'nk', flags, TIME, 0, parent, len(key.children), 0, NIL, NIL,
            len(key.values), NIL, security, NIL, longest, 0, longest_value, longest_data, 0,
            len(key.name), 0) + key.name.encode('latin-1'))

    def fill(self, key, cell, security):
        """Add what a key whose cell is there contains."""
        self.patch(cell, 40, self.add_values(key.values))
        self.patch(cell, 28, self.add_children(key, cell, security))

    def add_key(self, key, parent, security):
        """A key with all below it; gives its offset."""
        cell = self.add_node(key, parent, security)
        self.fill(key, cell, security)
        return cell

    def add_children(self, key, cell, security):
        """The list of subkeys, sorted as Windows looks them up; nil when there is none."""
        children = sorted(key.children, key=lambda child: child.name.upper())
        cells = [(child, self.add_key(child, cell, security)) for child in children]
        if not cells:
            return NIL
        hints = (struct.pack('<I4s', at, child.name[:4].encode('latin-1')) for child, at in cells)
        return self.add(struct.pack('<2sH', b'lf', len(cells)) + b''.join(hints))


def checksum(block):
    """XOR of the first 127 words of the base block; 0 and all ones are not used."""
    value = 0
    for word in struct.unpack_from('<127I', block):
        value ^= word
    return {0: 1, NIL: NIL - 1}.get(value, value)


def build(root):
    """A clean hive with these keys, all with the same security."""
    cells = Bin()
    place = cells.add_node(root, 0, 0, 0x2C)
    security = len(cells.data)
    cells.add(struct.pack('<2sHIIII', b'sk', 0, security, security, len(root.all()), len(SECURITY))
              + SECURITY)
    cells.patch(place, 44, security)
    cells.fill(root, place, security)
    body = cells.close()
    head = struct.pack('<4sIIQIIIIIII', b'regf', 1, 1, TIME, 1, 3, 0, 1, place, len(body), 1)
    return set_sequences(head.ljust(BLOCK, b'\0') + body, 7, 7)


def locate(code):
    """A device element that means the volume on which the file of element `code` is found."""
    return BINARY, bytes(16) + struct.pack('<IIIIIIIH', 8, 0, 0x1E, 0, 0, code, 0, 0)


def partition(guid, disk):
    """A device element that names a GPT partition."""
    ids = (uuid.UUID(str(text)).bytes_le for text in (guid, disk))
    return BINARY, bytes(16) + struct.pack('<IIII16sII16s16x', 6, 0, 0x48, 0, next(ids), 0, 0, next(ids))


def elements_of(root, identifier=LOADER):
    """The keys of an object's elements."""
    objects, = (key for key in root.children if key.name == 'Objects')
    own, = (key for key in objects.children if key.name == identifier)
    return own.children[1].children


def set_device(root, device=None, os_device=None, identifier=LOADER):
    """Say where a loader and its Windows are: on whatever disk is left, unless a device is given."""
    values = {'11000001': device or locate(0x12000002), '21000001': os_device or device or locate(0x22000002)}
    elements = elements_of(root, identifier)
    elements[:] = [key for key in elements if key.name not in values]
    elements += [Key(code, {'Element': value}) for code, value in values.items()]
    return root


def build_store(device=None):
    """A small store, clean and whole; its loader is on the partition of `device`, or wherever it is found."""
    return build(set_device(store_tree(), device))


def mbr_partition(offset, signature):
    """A device element that names a partition of an MBR by its first byte."""
    return BINARY, bytes(16) + struct.pack('<IIIIQQIII12x16x', 6, 0, 0x48, 0, offset, 0, 0, 1, signature)


# Damage

def set_sequences(hive, primary, secondary):
    """The hive with these sequence numbers and a right checksum: dirty when they differ."""
    changed = bytearray(hive)
    struct.pack_into('<II', changed, 4, primary, secondary)
    struct.pack_into('<I', changed, 0x1FC, checksum(changed))
    return bytes(changed)


def rotate(value, by):
    return (value << by | value >> (32 - by)) & NIL


def marvin(data):
    """The hash of a log's entries."""
    low, high = 0x7A4E55C5, 0x82EF4D88
    tail = len(data) // 4 * 4
    words = [*struct.unpack_from(f'<{tail // 4}I', data), int.from_bytes((data[tail:] + b'\x80').ljust(4, b'\0'), 'little'), 0]
    for word in words:
        low = low + word & NIL
        high ^= low
        low = rotate(low, 20) + high & NIL
        high = rotate(high, 9) ^ low
        low = rotate(low, 27) + high & NIL
        high = rotate(high, 19)
    return struct.pack('<II', low, high)


def log_entry(sequence, bins_size, pages):
    """`pages`: (offset from the first bin, bytes) each."""
    body = b''.join(struct.pack('<II', at, len(data)) for at, data in pages) + b''.join(data for _, data in pages)
    size = -(-(40 + len(body)) // 512) * 512
    body = body.ljust(size - 40, b'\0')
    head = struct.pack('<4sIIIII', b'HvLE', size, 0, sequence, bins_size, len(pages)) + marvin(body)
    return head + marvin(head) + body


def log_file(hive, sequence, *entries):
    """BCD.LOG as Windows 8.1 and later write it: the start of the base block, then entries."""
    log = bytearray(hive[:512])
    struct.pack_into('<II', log, 4, sequence, sequence)
    struct.pack_into('<I', log, 28, 6)
    struct.pack_into('<I', log, 0x1FC, checksum(log))
    return bytes(log) + b''.join(entries)


def build_log(hive, sequence, page=512):
    """A log of all pages of a hive."""
    bins = hive[BLOCK:]
    pages = [(at, bins[at:at + page]) for at in range(0, len(bins), page)]
    return log_file(hive, sequence, log_entry(sequence, len(bins), pages))


def break_checksum(hive):
    """The hive with a wrong checksum of its base block."""
    changed = bytearray(hive)
    changed[0x1FC] ^= 0x01
    return bytes(changed)


def truncate(hive, size):
    """Only the first bytes of the hive."""
    return hive[:size]


def break_cell(hive):
    """The hive with a cell of its bin, the list of the root's subkeys, of a size that cannot be."""
    changed = bytearray(hive)
    root, = struct.unpack_from('<I', hive, 0x24)
    listed, = struct.unpack_from('<I', hive, BLOCK + root + 4 + 28)
    struct.pack_into('<i', changed, BLOCK + listed, -0x7FFFFFF0)
    return bytes(changed)
