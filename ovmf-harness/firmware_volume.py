"""Firmware volumes as edk2 builds them (PI specification 1.7, volume 3): the files in them, and their programs."""
import lzma
import struct
import uuid

DXE_CORE, PE32 = 5, 0x10                     # types of a file and a section (2.1.4 and 2.1.5)
SIGNATURE, SIGNATURE_AT = b'_FVH', 0x28      # in a volume's header (3.2.1)
# What a volume with files says it is, behind 16 bytes of zeros (3.2.2).
FILE_SYSTEMS = [uuid.UUID(name).bytes_le for name in ('8c8ce578-8a3d-4f1c-9935-896185c32dd3',
                                                      '5473c07a-3dcb-4dca-bd6f-1e9689e7349a')]
# The GUID of a section whose content is packed with LZMA (edk2 MdeModulePkg, LzmaDecompress.h), which
# follows the section's header: this GUID, where the data begins, attributes.
LZMA_GUID = uuid.UUID('ee4e5898-3914-4259-9d6e-dc7bd79403cf').bytes_le
LZMA_HEADER, SECTION_HEADER = 20, 4


def volumes(data):
    """Where the firmware volumes begin that have files."""
    at = data.find(SIGNATURE)
    while at >= 0:
        volume = at - SIGNATURE_AT
        if data[volume + 16:volume + 32] in FILE_SYSTEMS:
            yield volume
        at = data.find(SIGNATURE, at + 1)


def files(data, volume):
    """(GUID, type, first byte of the content, end) of the files in a firmware volume."""
    size, = struct.unpack_from('<Q', data, volume + 0x20)
    header, _, extended = struct.unpack_from('<HHH', data, volume + 0x30)
    at = header
    if extended:
        at = extended + struct.unpack_from('<I', data, volume + extended + 16)[0]
    while (at := -(-at // 8) * 8) < size:
        start = volume + at
        length = struct.unpack_from('<I', data, start + 20)[0] & 0xFFFFFF
        if length in (0, 0xFFFFFF):
            return
        yield uuid.UUID(bytes_le=data[start:start + 16]), data[start + 18], start + 24, start + length
        at += length


def program(data, start, end):
    """(first byte, end) of the PE32 section of a file, or None."""
    while start + 4 <= end:
        length = struct.unpack_from('<I', data, start)[0] & 0xFFFFFF
        if data[start + 3] == PE32:
            return start + 4, start + length
        if not length:
            return None
        start += -(-length // 4) * 4
    return None


def unpacked(image):
    """What is packed in the image of a firmware: the content of its first LZMA section that can be."""
    at = image.find(LZMA_GUID)
    while at >= 0:
        offset, = struct.unpack_from('<H', image, at + len(LZMA_GUID))
        packed = image[at - SECTION_HEADER + offset:]
        try:
            return lzma.LZMADecompressor(format=lzma.FORMAT_ALONE).decompress(packed)
        except lzma.LZMAError:
            at = image.find(LZMA_GUID, at + 1)
    raise ValueError('nothing is packed in this firmware')


def program_of(image, name):
    """The program of the file with the GUID `name` in the image of a firmware."""
    data = unpacked(image)
    for volume in volumes(data):
        for guid, _, start, end in files(data, volume):
            if guid == name and (found := program(data, start, end)):
                return data[found[0]:found[1]]
    raise ValueError(f'no program {name} in this firmware')
