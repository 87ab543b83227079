"""Device paths, load options and Windows' optional data, built and read in Python.

Tests need these bytes from a second author: what the product writes is compared with what
this module builds from the UEFI specification (10.3 device paths, 3.1.3 load options) and
from the layout of WINDOWS_OS_OPTIONS.

Nodes are plain `bytes`; a path is nodes joined and closed:

    path(hd(1, 63, 2048, guid), file('\\\\EFI\\\\a.efi'))          # short form
    path(pci_root(), pci(2), nvme(), hd(...), file(...))         # full form

`split` takes a path apart again, `LoadOption` and `WindowsOptions` pack and unpack.
"""
import struct
import uuid
from dataclasses import dataclass, field

from firmware import FIRMWARE

END = b'\x7f\xff\x04\x00'
ACTIVE, HIDDEN, CATEGORY_APP = 0x1, 0x8, 0x100
# edk2 marks the entries that it made itself with this GUID as optional data.
AUTO_MARKER = uuid.UUID('8108ac4e-9f11-4d59-850e-e21a522c59b2').bytes_le
SHELL_FILE = '7c04a583-9e3e-4f1c-ad65-e05268d0b4d1'
BOOTMGR_OBJECT = 'BCDOBJECT={9dea862c-5cdd-4e70-acc1-f32b344d4795}'
FILE_PATH_ARC, FILE_PATH_ARC_SIGNATURE, FILE_PATH_NT, FILE_PATH_EFI = 1, 2, 3, 4


def guid_bytes(guid):
    """GUID text (or UUID, or 16 bytes) as it is stored on disk: the first three fields little-endian."""
    if isinstance(guid, bytes):
        return guid
    return uuid.UUID(str(guid)).bytes_le


def ucs2(text):
    """Text as NUL-terminated UCS-2."""
    return (text + '\0').encode('utf-16-le')


def node(kind, subtype, data=b''):
    """One node: type, subtype, total length, data."""
    return struct.pack('<BBH', kind, subtype, len(data) + 4) + data


def path(*nodes):
    """The nodes as one path, closed by the end node."""
    return b''.join(nodes) + END


def pci_root(uid=0):
    """ACPI node of a PCI root bridge, printed as PciRoot(0x0)."""
    return node(2, 1, struct.pack('<II', 0x0A0341D0, uid))


def pci(device, function=0):
    """Pci(device,function); stored with the function first."""
    return node(1, 1, bytes([function, device]))


def nvme(namespace=1, eui=bytes(8)):
    """NVMe namespace; QEMU's namespaces have an EUI of zeros unless told otherwise."""
    return node(3, 23, struct.pack('<I', namespace) + eui)


def sata(port, multiplier=0xFFFF, lun=0):
    """SATA disk; 0xFFFF says that there is no port multiplier."""
    return node(3, 18, struct.pack('<HHH', port, multiplier, lun))


def scsi(pun, lun=0):
    """SCSI disk, target and unit number."""
    return node(3, 2, struct.pack('<HH', pun, lun))


def usb(port, interface=0):
    """USB device at a port of the hub or controller before it."""
    return node(3, 5, bytes([port, interface]))


def hd(number, start, size, guid):
    """A GPT partition: entry number from 1, first block, count of blocks, unique GUID."""
    return node(4, 1, struct.pack('<IQQ', number, start, size) + guid_bytes(guid) + b'\x02\x02')


def hd_mbr(number, start, size, signature):
    """An MBR partition; the signature is that of the disk (MBR offset 0x1B8)."""
    data = struct.pack('<IQQI', number, start, size, signature) + bytes(12) + b'\x01\x01'
    return node(4, 1, data)


def file(name):
    """A file path from the root of the volume, with backslashes."""
    return node(4, 4, ucs2(name))


def fv(guid):
    """A firmware volume."""
    return node(4, 7, guid_bytes(guid))


def fv_file(guid):
    """A file in a firmware volume."""
    return node(4, 6, guid_bytes(guid))


def bbs(device_type, description, status=0):
    """A legacy BIOS boot device: 1 floppy, 2 hard disk, 3 CD, 0x80 network."""
    return node(5, 1, struct.pack('<HH', device_type, status) + description.encode('ascii') + b'\0')


def vendor_hardware(guid, data=b''):
    """A vendor-defined hardware node, VenHw(...)."""
    return node(1, 4, guid_bytes(guid) + data)


def shell_path():
    """Path of the UEFI Shell that is built into the firmware."""
    return path(fv(FIRMWARE.shell_volume), fv_file(SHELL_FILE))


@dataclass
class Node:
    """One node of a path that was taken apart."""
    type: int
    subtype: int
    data: bytes

    @property
    def bytes(self):
        return node(self.type, self.subtype, self.data)


@dataclass
class HdNode:
    """The fields of an HD() node."""
    number: int
    start: int
    size: int
    signature: bytes
    format: int
    signature_type: int

    @property
    def guid(self):
        """The GPT partition GUID as lower-case text."""
        return str(uuid.UUID(bytes_le=self.signature))


def split(data):
    """The nodes before the first end node. Raises ValueError where the lengths do not add up."""
    nodes, at = [], 0
    while True:
        if at + 4 > len(data):
            raise ValueError(f'device path runs past its end at {at} of {len(data)}')
        kind, subtype, length = struct.unpack_from('<BBH', data, at)
        if length < 4 or at + length > len(data):
            raise ValueError(f'node at {at} has length {length} of {len(data) - at}')
        if (kind, subtype) == (0x7F, 0xFF):
            return nodes
        nodes.append(Node(kind, subtype, data[at + 4:at + length]))
        at += length


def find_hd(data):
    """The first HD node of a path as HdNode, or None."""
    for found in split(data):
        if (found.type, found.subtype) == (4, 1):
            number, start, size = struct.unpack_from('<IQQ', found.data)
            return HdNode(number, start, size, found.data[20:36], found.data[36], found.data[37])
    return None


def find_file(data):
    """The file path in a device path, several File nodes joined, or None."""
    names = [n.data.decode('utf-16-le').rstrip('\0') for n in split(data)
             if (n.type, n.subtype) == (4, 4)]
    return '\\'.join(names).replace('\\\\', '\\') if names else None


@dataclass
class LoadOption:
    """EFI_LOAD_OPTION: the value of a Boot#### variable."""
    description: str
    path: bytes
    optional: bytes = b''
    attributes: int = ACTIVE

    def pack(self):
        head = struct.pack('<IH', self.attributes, len(self.path))
        return head + ucs2(self.description) + self.path + self.optional

    @classmethod
    def unpack(cls, data):
        """Read a value; raises ValueError if the text or the path list does not fit."""
        if len(data) < 6:
            raise ValueError(f'a load option of {len(data)} bytes')
        attributes, path_length = struct.unpack_from('<IH', data)
        end = next((i for i in range(6, len(data) - 1, 2) if data[i:i + 2] == b'\0\0'), None)
        if end is None:
            raise ValueError('the description has no end')
        text, at = data[6:end].decode('utf-16-le'), end + 2
        if at + path_length > len(data):
            raise ValueError('the path list is longer than the value')
        return cls(text, data[at:at + path_length], data[at + path_length:], attributes)

    @property
    def hd(self):
        return find_hd(self.path)

    @property
    def file(self):
        return find_file(self.path)


def file_path(kind, data, version=1):
    """FILE_PATH: how Windows stores a path; kind 4 holds a device path."""
    return struct.pack('<III', version, 12 + len(data), kind) + data


@dataclass
class WindowsOptions:
    """WINDOWS_OS_OPTIONS: the optional data of Windows' boot entries.

    `align` is the multiple to which the text is padded before the FILE_PATH.
    """
    load_options: str
    os_path: bytes = field(default_factory=lambda: file_path(FILE_PATH_EFI, END))
    align: int = 4
    version: int = 1

    def pack(self):
        text = ucs2(self.load_options)
        offset = -(-(0x14 + len(text)) // self.align) * self.align
        length = offset + len(self.os_path)
        head = b'WINDOWS\0' + struct.pack('<III', self.version, length, offset)
        return head + text.ljust(offset - 0x14, b'\0') + self.os_path

    @classmethod
    def unpack(cls, data):
        """Read optional data; raises ValueError if it is not well formed."""
        if data[:8] != b'WINDOWS\0' or len(data) < 0x14:
            raise ValueError('no WINDOWS signature')
        version, length, offset = struct.unpack_from('<III', data, 8)
        if length > len(data) or not 0x14 < offset <= length - 12:
            raise ValueError(f'length {length}, offset {offset} of {len(data)} bytes')
        text = data[0x14:offset].decode('utf-16-le').split('\0')[0]
        size, = struct.unpack_from('<I', data, offset + 4)
        return cls(text, data[offset:offset + size], version=version)

    @property
    def os_device_path(self):
        """The device path in a FILE_PATH of type 4, None for the other types."""
        kind, = struct.unpack_from('<I', self.os_path, 8)
        return self.os_path[12:] if kind == FILE_PATH_EFI else None


def itanium_options(load_options, boot_hd, directory='\\WINDOWS'):
    """Optional data of an Itanium-era entry: OS directory by partition GUID."""
    os_path = file_path(FILE_PATH_EFI, path(boot_hd, file(directory)))
    return WindowsOptions(load_options, os_path).pack()


def modern_options(bcd_object=BOOTMGR_OBJECT):
    """Optional data of today's "Windows Boot Manager": BCD object id, no partition GUID."""
    return WindowsOptions(bcd_object, align=8).pack()
