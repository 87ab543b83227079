"""Makes the base relocations of a PE image from the relative relocations of a linker for ELF.

reloc.py FILE.so OUTPUT

FILE is a little-endian ELF shared object for one of MACHINES. Each address that has to be moved stands
in place already, as PE wants it. OUTPUT becomes the content of .reloc: blocks for a page each, of
entries of 16 bits (Microsoft PE format, "The .reloc section"; for .relr.dyn the ELF gABI, section
"Relative Relocation Table"; for the numbers the psABI of each machine, "Relocation Types").
"""
import struct
import sys

SHT_RELA, SHT_REL, SHT_RELR = 4, 9, 19
PAGE = 4096
HIGHLOW, DIR64, ABSOLUTE = 3, 10, 0
# ELF machine: bytes of an address, the relocation that moves one, that of PE.
MACHINES = {3: (4, 8, HIGHLOW), 62: (8, 8, DIR64), 183: (8, 1027, DIR64)}
FORMATS = {4: 'I', 8: 'Q'}


def sections(data, word):
    """type, address, content of every section"""
    start, = struct.unpack_from('<Q', data, 40) if word == 8 else struct.unpack_from('<I', data, 32)
    size, count = struct.unpack_from('<HH', data, 58 if word == 8 else 46)
    for index in range(count):
        kind, _, address, offset, length = struct.unpack_from('<I' + 4 * FORMATS[word], data,
                                                              start + index * size + 4)
        yield kind, address, data[offset:offset + length]


def packed_places(packed, word):
    """The addresses in a .relr.dyn: each even word is one, each odd one a map of the words behind."""
    following, bits = 0, 8 * word - 1
    for value, in struct.iter_unpack('<' + FORMATS[word], packed):
        if value % 2 == 0:
            yield value
            following = value + word
            continue
        yield from (following + word * bit for bit in range(bits) if value >> bit + 1 & 1)
        following += word * bits


def listed_places(content, word, relative, found):
    """The addresses in a .rela.dyn, of which each has to say what stands in place."""
    for place, kind, addend in struct.iter_unpack('<' + 3 * FORMATS[word], content):
        there = next(struct.unpack_from('<' + FORMATS[word], data, place - address)[0]
                     for section, address, data in found
                     if section == 1 and address <= place <= address + len(data) - word)
        if kind != relative or there != addend:
            sys.exit(f'relocation of type {kind} at {place:#x} moves no address that stands there')
        yield place


def blocks(addresses, entry):
    """The content of .reloc: never empty, for an image without relocations might be held at one address."""
    pages = {0: []} if not addresses else {}
    for address in sorted(addresses):
        pages.setdefault(address // PAGE, []).append(entry << 12 | address % PAGE)
    for page, entries in pages.items():
        if len(entries) % 2 or not entries:
            entries.append(ABSOLUTE)
        entries += [ABSOLUTE] * (len(entries) % 2)
        yield struct.pack(f'<II{len(entries)}H', page * PAGE, 8 + 2 * len(entries), *entries)


def main():
    source, target = sys.argv[1:]
    with open(source, 'rb') as file:
        data = file.read()
    word, relative, entry = MACHINES[struct.unpack_from('<H', data, 18)[0]]
    found = [row for row in sections(data, word) if row[2]]
    if any(kind == SHT_REL for kind, _, _ in found):
        sys.exit(f'{source}: has relocations that are not packed relative ones')
    addresses = [place for kind, _, content in found if kind == SHT_RELR
                 for place in packed_places(content, word)]
    addresses += [place for kind, _, content in found if kind == SHT_RELA
                  for place in listed_places(content, word, relative, found)]
    with open(target, 'wb') as file:
        file.write(b''.join(blocks(addresses, entry)))


main()
