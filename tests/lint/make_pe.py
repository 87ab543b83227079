"""Writes a tiny PE file for the self test of lint_pe.py.

make_pe.py FILE [FIELD=VALUE...]: FIELDS says which there are; what is not given is in order.
"""

import struct
import sys

FIELDS = {
    "machine": "0x8664", "magic": "0x20b", "subsystem": "10", "characteristics": "0x206", "stamp": "0",
    "symbols": "0", "reloc": ".reloc", "reloc_size": "12", "block_size": "12", "entry": "0xa000",
    "moved": "0x200", "data": ".data", "data_flags": "0xc0000040", "text_flags": "0x60000020", "sbat": ".sbat", "version": "0.1.0",
    "vendor": "someone", "generation": "1", "extra": "", "padding": "0",
    "alignment": "512", "reloc_address": "0x600", "image_size": "0xa00",
}
PE, OPTIONAL_SIZE, DIRECTORIES = 64, 240, 16
UNIT = 512  # the header and each section fill one, in the file and in memory


def main():
    fields = dict(FIELDS)
    for argument in sys.argv[2:]:
        name, value = argument.split("=", 1)
        fields[name] = value if name in fields else sys.exit(f"no field {name}")
    numbers = {name: int(fields[name], 0) for name in
               ("machine", "magic", "subsystem", "characteristics", "stamp", "symbols", "reloc_size",
                "block_size", "entry", "moved", "data_flags", "text_flags", "padding", "alignment",
                "reloc_address", "image_size")}

    sbat = (f"sbat,1,SBAT Version,sbat,1,https://example.org/sbat\n"
            f"tiny,{fields['generation']},{fields['vendor']},tiny,{fields['version']},https://example.org\n"
            f"{fields['extra']}").encode()
    block = struct.pack("<IIHH", 2 * UNIT, numbers["block_size"], numbers["entry"], 0)
    contents = [(".text", UNIT, numbers["text_flags"], bytes(16)),
                (fields["data"], 2 * UNIT, numbers["data_flags"], struct.pack("<QQ", numbers["moved"], 0)),
                (fields["reloc"], numbers["reloc_address"], 0x42000040, block),
                (fields["sbat"], 4 * UNIT, 0x40000040, sbat)]

    header = bytearray(UNIT)
    header[0:2] = b"MZ"
    struct.pack_into("<I", header, 0x3C, PE)
    struct.pack_into("<4sHHIIIHH", header, PE, b"PE\0\0", numbers["machine"], len(contents),
                     numbers["stamp"], numbers["symbols"], 0, OPTIONAL_SIZE, numbers["characteristics"])
    optional = PE + 24
    struct.pack_into("<H", header, optional, numbers["magic"])
    struct.pack_into("<II", header, optional + 32, numbers["alignment"], UNIT)
    struct.pack_into("<II", header, optional + 56, numbers["image_size"], UNIT)
    struct.pack_into("<H", header, optional + 68, numbers["subsystem"])
    directories = optional + (108 if numbers["magic"] == 0x20B else 92)
    struct.pack_into("<I", header, directories, DIRECTORIES)
    struct.pack_into("<II", header, directories + 4 + 8 * 5, numbers["reloc_address"], numbers["reloc_size"])
    body = b""
    for index, (name, address, flags, content) in enumerate(contents):
        struct.pack_into("<8sIIII12xI", header, optional + OPTIONAL_SIZE + 40 * index, name.encode(),
                         len(content), address, UNIT, UNIT + len(body), flags)
        body += content.ljust(UNIT, b"\0")
    with open(sys.argv[1], "wb") as file:
        file.write(header + body + bytes(numbers["padding"]))


main()
