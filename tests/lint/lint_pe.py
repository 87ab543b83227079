"""The firmware program is what firmware and a signer expect.

lint_pe.py FILE ARCH VERSION SIZE_LIMIT

Microsoft PE format: the headers, the base relocation directory. UEFI Specification 2.1.1: the
subsystem. SBAT.md of the shim project: the .sbat section.
"""

import struct
import sys

# Architecture: machine, magic of the optional header, where the number of data directories stands in
# it, the type of a base relocation, struct's letter for an address.
ARCHITECTURES = {
    "x64": (0x8664, 0x20B, 108, 10, "Q"),
    "ia32": (0x014C, 0x10B, 92, 3, "I"),
    "aa64": (0xAA64, 0x20B, 108, 10, "Q"),
}
CHARACTERISTIC_RELOCS_STRIPPED = 0x0001
SUBSYSTEM_EFI_APPLICATION = 10
DIRECTORY_BASE_RELOCATION = 5
RELOCATION_PADDING = 0
SECTION_EXECUTE, SECTION_WRITE = 0x20000000, 0x80000000
# What a loader or a signer needs. Others are leftovers, such as the linker's tables for an ELF loader.
SECTIONS = (".text", ".rodata", ".data", ".sbat", ".reloc")
SBAT_COLUMNS = 6


class Broken(Exception):
    pass


def take(data, layout, offset):
    if offset + struct.calcsize(layout) > len(data):
        raise Broken(f"ends before offset {offset:#x}")
    return struct.unpack_from(layout, data, offset)


def sections_of(data, offset, count):
    """name -> (virtual size, address, bytes in the file, flags), in the order of the file"""
    sections = {}
    for index in range(count):
        name, size, address, raw_size, raw, flags = take(data, "<8sIIII12xI", offset + 40 * index)
        if raw + raw_size > len(data):
            raise Broken(f"section {name!r} reaches past the end of the file")
        content = data[raw:raw + raw_size]
        sections[name.rstrip(b"\0").decode("ascii", "replace")] = (size, address, content[:size],
                                                                         flags)
    return sections


def check_places(sections, alignment, image_size):
    """Sections follow one another in memory, each aligned, and all of it is in the file."""
    end = 0
    for name, (size, address, content, _) in sections.items():
        if address < end:
            yield f"section {name} lies before the end of the one before it"
        if not alignment or address % alignment:
            yield f"section {name} is not aligned to {alignment}"
        if len(content) < size:
            yield f"section {name} is not all in the file"
        end = address + size
    if end > image_size:
        yield f"sections end at {end:#x}, behind the end of the image at {image_size:#x}"


def check_kinds(sections):
    """Only what is needed, and nothing that is both written and run."""
    for name, (_, _, _, flags) in sections.items():
        if name not in SECTIONS:
            yield f"section {name} is none that firmware needs"
        if flags & SECTION_WRITE and flags & SECTION_EXECUTE:
            yield f"section {name} can be written and run"
        if flags & SECTION_WRITE and name != ".data":
            yield f"section {name} can be written"


def relocations(content):
    """type, address of every base relocation; PE format, "The .reloc Section" """
    at = 0
    while at < len(content):
        page, size = take(content, "<II", at)
        if size < 8 or size % 4 or at + size > len(content):
            raise Broken(f"base relocation block of {size} bytes at {at:#x}")
        for entry in struct.unpack_from(f"<{(size - 8) // 2}H", content, at + 8):
            yield entry >> 12, page + (entry & 0xFFF)
        at += size


def check_relocations(sections, content, wanted, word):
    """Each moves an address of the image, in a section that is written."""
    word_size = struct.calcsize(word)
    end = max(address + size for size, address, _, _ in sections.values())
    seen = set()
    for kind, place in relocations(content):
        if kind == RELOCATION_PADDING:
            continue
        home = next((row for row in sections.values() if row[1] <= place <= row[1] + row[0] - word_size), None)
        if kind != wanted:
            yield f"base relocation at {place:#x} is of type {kind}"
        elif place in seen:
            yield f"base relocation at {place:#x} stands there twice"
        elif home is None or not home[3] & SECTION_WRITE:
            yield f"base relocation at {place:#x} lies in no section that is written"
        elif not 0 < take(home[2], "<" + word, place - home[1])[0] < end:
            yield f"base relocation at {place:#x} moves what is no address of the image"
        seen.add(place)


def check_sbat(content, version):
    """Two lines of six columns: the format itself, then this program and its version."""
    lines = content.rstrip(b"\0").decode("utf-8", "replace").splitlines()
    if len(lines) != 2:
        yield f".sbat has {len(lines)} lines instead of 2"
        return
    rows = [line.split(",") for line in lines]
    for row in rows:
        if len(row) != SBAT_COLUMNS or not all(column.strip() for column in row):
            yield f".sbat line has not six non-empty columns: {','.join(row)}"
            return
    if rows[0][0] != "sbat":
        yield f".sbat begins with {rows[0][0]!r} instead of 'sbat'"
    if rows[1][4] != version:
        yield f".sbat says version {rows[1][4]}, the build {version}"
    for row in rows:
        if not row[1].isdigit() or int(row[1]) == 0:
            yield f".sbat generation is not a number from 1: {row[1]}"


def problems(data, arch, version, limit):
    wanted_machine, wanted_magic, directories_at, relocation, word = ARCHITECTURES[arch]
    if len(data) >= limit:
        yield f"{len(data)} bytes, not below {limit}"
    if data[:2] != b"MZ":
        raise Broken("no MZ header")
    pe, = take(data, "<I", 0x3C)
    signature, machine, count, stamp, symbols, _, optional_size, characteristics = take(
        data, "<4sHHIIIHH", pe)
    if signature != b"PE\0\0":
        raise Broken("no PE header")
    optional = pe + 24
    magic, = take(data, "<H", optional)
    if machine != wanted_machine:
        yield f"machine {machine:#x} is not {arch}"
    if magic != wanted_magic:
        raise Broken(f"optional header {magic:#x} is not that of {arch}")
    alignment, = take(data, "<I", optional + 32)
    image_size, = take(data, "<I", optional + 56)
    subsystem, = take(data, "<H", optional + 68)
    directories, = take(data, "<I", optional + directories_at)
    sections = sections_of(data, optional + optional_size, count)

    if stamp != 0:
        yield f"carries a time of build ({stamp:#x}), so two builds differ"
    if symbols:
        yield "carries symbols"
    if characteristics & CHARACTERISTIC_RELOCS_STRIPPED:
        yield "relocations are stripped: it would load at one address only"
    if subsystem != SUBSYSTEM_EFI_APPLICATION:
        yield f"subsystem {subsystem} is not an EFI application"
    yield from check_places(sections, alignment, image_size)
    yield from check_kinds(sections)
    if directories <= DIRECTORY_BASE_RELOCATION:
        raise Broken("has no base relocation directory")
    address, size = take(data, "<II", optional + directories_at + 4 + 8 * DIRECTORY_BASE_RELOCATION)
    reloc = sections.get(".reloc")
    if not reloc:
        yield "no .reloc section"
    elif not size or not reloc[1] <= address <= address + size <= reloc[1] + reloc[0]:
        yield "the base relocation directory does not lie in .reloc"
    else:
        yield from check_relocations(sections, reloc[2][address - reloc[1]:][:size], relocation, word)
    if ".sbat" not in sections:
        yield "no .sbat section"
    else:
        yield from check_sbat(sections[".sbat"][2], version)


def main():
    path, arch, version, limit = *sys.argv[1:4], int(sys.argv[4])
    with open(path, "rb") as file:
        data = file.read()
    try:
        found = list(problems(data, arch, version, limit))
    except Broken as error:
        found = [str(error)]
    for problem in found:
        print(f"{path}: {problem}")
    if found:
        return 1
    print(f"pe: {len(data)} bytes of at most {limit - 1}, {arch} EFI application, relocatable, .sbat {version}")
    return 0


sys.exit(main())
