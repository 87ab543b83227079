"""Makes the base relocations of a PE image from the relative relocations that the linker packed.

reloc.py FILE.so OUTPUT

FILE is an ELF shared object of a 64-bit little-endian machine, linked with -z pack-relative-relocs:
all its relocations have to stand in .relr.dyn, with the address to be moved in place. OUTPUT becomes
the content of .reloc: blocks for a page each, of entries of 16 bits (Microsoft PE format, "The .reloc
section"; for .relr.dyn the ELF gABI, section "Relative Relocation Table").
"""
import struct
import sys

SHT_RELA, SHT_REL, SHT_RELR = 4, 9, 19
WORD, BITS = 8, 63
PAGE = 4096
DIR64, ABSOLUTE = 10, 0


def sections(data):
    """type, content of every section"""
    start, = struct.unpack_from('<Q', data, 40)
    size, count = struct.unpack_from('<HH', data, 58)
    for index in range(count):
        kind, _, _, offset, length = struct.unpack_from('<IQQQQ', data, start + index * size + 4)
        yield kind, data[offset:offset + length]


def places(packed):
    """The addresses in a .relr.dyn: each even word is one, each odd one a map of the words behind."""
    following = 0
    for word, in struct.iter_unpack('<Q', packed):
        if word % 2 == 0:
            yield word
            following = word + WORD
            continue
        yield from (following + WORD * bit for bit in range(BITS) if word >> bit + 1 & 1)
        following += WORD * BITS


def blocks(addresses):
    """The content of .reloc: never empty, for an image without relocations might be held at one address."""
    pages = {0: []} if not addresses else {}
    for address in sorted(addresses):
        pages.setdefault(address // PAGE, []).append(DIR64 << 12 | address % PAGE)
    for page, entries in pages.items():
        if len(entries) % 2 or not entries:
            entries.append(ABSOLUTE)
        entries += [ABSOLUTE] * (len(entries) % 2)
        yield struct.pack(f'<II{len(entries)}H', page * PAGE, 8 + 2 * len(entries), *entries)


def main():
    source, target = sys.argv[1:]
    with open(source, 'rb') as file:
        data = file.read()
    found = [(kind, content) for kind, content in sections(data) if content]
    if any(kind in (SHT_REL, SHT_RELA) for kind, _ in found):
        sys.exit(f'{source}: has relocations that are not packed relative ones')
    addresses = [place for kind, content in found if kind == SHT_RELR for place in places(content)]
    with open(target, 'wb') as file:
        file.write(b''.join(blocks(addresses)))


main()
