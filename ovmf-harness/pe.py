"""PE32+ images of EFI programs: whole ones, small, with a right checksum.

    image = build()                        # X64, EFI application; returns an error when started
    other = build(machine=AARCH64)
    signed = with_certificate(build(), 1000)
    image = set_checksum(changed)          # after a change, or for an image that has none

Layout: DOS header, "PE" at 0x80, section headers, then .text and .data, each at a multiple of 512 in
the file and of 4096 in memory. Numbers are little-endian.
"""
import struct

X64, AARCH64, I386, IA64 = 0x8664, 0xAA64, 0x14C, 0x200
APPLICATION, BOOT_DRIVER, RUNTIME_DRIVER = 10, 11, 12
PE, FILE_ALIGNMENT, SECTION_ALIGNMENT = 0x80, 512, 4096
OPTIONAL_SIZE, DIRECTORIES = 240, 16
COFF, OPTIONAL = PE + 4, PE + 24
CHECKSUM = OPTIONAL + 64
SECURITY_DIRECTORY = OPTIONAL + 112 + 4 * 8
EXECUTABLE, LARGE_ADDRESS, NO_SYMBOLS = 0x0002, 0x0020, 0x020C
# mov rax, EFI_UNSUPPORTED; ret: whoever starts it gets an error back.
RETURN_ERROR = b'\x48\xb8\x03\0\0\0\0\0\0\x80\xc3'
TEXT, DATA = 0x60000020, 0xC0000040


def align(value, unit):
    return -(-value // unit) * unit


def section_header(name, size, virtual, raw, offset, flags):
    return struct.pack('<8sIIIIIIHHI', name, size, virtual, raw, offset, 0, 0, 0, 0, flags)


def build(machine=X64, subsystem=APPLICATION, code=RETURN_ERROR, data=b'', checksum=True, date=0x5F000000):
    """An image with one section of code and one of data. `date` is the time stamp of its header."""
    header = align(OPTIONAL + OPTIONAL_SIZE + 2 * 40, FILE_ALIGNMENT)
    data = data or bytes(16)
    text_raw, data_raw = align(len(code), FILE_ALIGNMENT), align(len(data), FILE_ALIGNMENT)
    text_at = SECTION_ALIGNMENT
    data_at = text_at + align(len(code), SECTION_ALIGNMENT)
    size = data_at + align(len(data), SECTION_ALIGNMENT)
    coff = struct.pack('<HHIIIHH', machine, 2, date, 0, 0, OPTIONAL_SIZE,
                       EXECUTABLE | LARGE_ADDRESS | NO_SYMBOLS)
    optional = struct.pack('<HBBIIIIIQIIHHHHHHIIIIHHQQQQII', 0x20B, 14, 0, text_raw, data_raw, 0, text_at,
                           text_at, 0x10000000, SECTION_ALIGNMENT, FILE_ALIGNMENT, 0, 0, 0, 0, 0, 0, 0,
                           size, header, 0, subsystem, 0, 0x100000, 0x1000, 0x100000, 0x1000, 0,
                           DIRECTORIES).ljust(OPTIONAL_SIZE, b'\0')
    dos = (b'MZ'.ljust(0x3C, b'\0') + struct.pack('<I', PE)).ljust(PE, b'\0')
    head = dos + b'PE\0\0' + coff + optional
    head += section_header(b'.text', len(code), text_at, text_raw, header, TEXT)
    head += section_header(b'.data', len(data), data_at, data_raw, header + text_raw, DATA)
    image = head.ljust(header, b'\0') + code.ljust(text_raw, b'\0') + data.ljust(data_raw, b'\0')
    return set_checksum(image) if checksum else image


def checksum_offset(image):
    """Byte offset of the field in any PE image."""
    return struct.unpack_from('<I', image, 0x3C)[0] + 24 + 64


def checksum(image):
    """What the field has to hold: the sum of all 16-bit words but its own, folded, plus the size."""
    at = checksum_offset(image)
    data = image[:at] + bytes(4) + image[at + 4:]
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f'<{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total + len(image)


def stored_checksum(image):
    return struct.unpack_from('<I', image, checksum_offset(image))[0]


def set_checksum(image):
    """The image with the right checksum in its header."""
    at = checksum_offset(image)
    return image[:at] + struct.pack('<I', checksum(image)) + image[at + 4:]


def set_stored_checksum(image, value):
    """The image with any checksum in its header."""
    at = checksum_offset(image)
    return image[:at] + struct.pack('<I', value) + image[at + 4:]


def security_directory(image):
    """Byte offset of the entry for the certificate table in any PE32+ image."""
    return struct.unpack_from('<I', image, 0x3C)[0] + 24 + 112 + 4 * 8


def with_certificates(image, *sizes):
    """Any PE32+ image, signed once for each of `sizes`: lengths of signatures, as a signer leaves them."""
    image += bytes(-len(image) % 8)
    table = b''
    for size in sizes:
        entry = struct.pack('<IHH', 8 + size, 0x200, 2).ljust(8 + size, b'\x30')
        table += entry.ljust(align(len(entry), 8), b'\0')
    at = security_directory(image)
    image = image[:at] + struct.pack('<II', len(image), len(table)) + image[at + 8:] + table
    return set_checksum(image)


def without_certificates(image):
    """The image as it was before it was signed, with the checksum of then."""
    at = security_directory(image)
    place, size = struct.unpack_from('<II', image, at)
    if not size:
        return image
    stale = stored_checksum(image) != checksum(image)
    bare = image[:at] + bytes(8) + image[at + 8:place]
    return bare if stale else set_checksum(bare)


def with_certificate(image, size):
    """An image made by `build` with a certificate table of `size` bytes at its end."""
    image += bytes(-len(image) % 8)
    length = align(8 + size, 8)
    entry = struct.pack('<IHH', length, 0x200, 2).ljust(length, b'\x30')
    directory = struct.pack('<II', len(image), length)
    image = image[:SECURITY_DIRECTORY] + directory + image[SECURITY_DIRECTORY + 8:] + entry
    return set_checksum(image)
