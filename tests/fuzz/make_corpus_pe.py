#!/usr/bin/python3
"""Writes tests/fuzz/corpus/pe: one small program for each verdict and way of being built.

Run it from the top of the tree; the files it writes are kept in the tree.
"""
import hashlib
import struct
from pathlib import Path

FOLDER = Path("tests/fuzz/corpus/pe")
CODE, DATA = 0x60000020, 0xC0000040
X64, IA32, AA64, ARM, RISCV64, OTHER = range(6)


def der(tag, *parts):
    content = b"".join(parts)
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    return bytes([tag, 0x82]) + struct.pack(">H", len(content)) + content


def oid(text):
    numbers = [int(n) for n in text.split(".")]
    out = bytes([numbers[0] * 40 + numbers[1]])
    for n in numbers[2:]:
        group = [n & 0x7F]
        while n := n >> 7:
            group.append(n & 0x7F | 0x80)
        out += bytes(reversed(group))
    return der(6, out)


def signature(digest, kind="2.16.840.1.101.3.4.2.1", page_digests=12, tail=200):
    algorithm = der(0x30, oid(kind), der(5))
    content = der(0x30, der(0x30, oid("1.3.6.1.4.1.311.2.1.15"), b"\x5a" * page_digests),
                  der(0x30, algorithm, der(4, digest)))
    signed = der(0x30, der(2, b"\1"), der(0x31, algorithm),
                 der(0x30, oid("1.3.6.1.4.1.311.2.1.4"), der(0xA0, content)), der(0xA0, b"\x33" * tail))
    pkcs7 = der(0x30, oid("1.2.840.113549.1.7.2"), der(0xA0, signed))
    pkcs7 += bytes(-len(pkcs7) % 8)
    return struct.pack("<IHH", 8 + len(pkcs7), 0x200, 2) + pkcs7


def checksum(data):
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f"<{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def make(name, arch=X64, machine=0x8664, correct=0, piece=511, pe32=False, subsystem=10, sign=None,
         summed=False, sections=((0x200, 0x1E00, CODE), (0x2000, 0x200, DATA)), size=0x2234, lfanew=0x40,
         headers=0x200, directories=16, tail=b"", change=(), cut=None):
    fixed = 96 if pe32 else 112
    optional = bytearray(fixed + 8 * directories)
    struct.pack_into("<H", optional, 0, 0x10B if pe32 else 0x20B)
    struct.pack_into("<IIHH", optional, 60, headers, 0, subsystem, 0x100)
    struct.pack_into("<I", optional, fixed - 4, directories)
    # Content that packs well, without a zero block.
    image = bytearray((b"\x90\x0f\x1f\x00" * (size // 4 + 1))[:size])
    image[:headers] = bytes(headers)
    image[:2] = b"MZ"
    struct.pack_into("<I", image, 60, lfanew)
    struct.pack_into("<4sHH12xHH", image, lfanew, b"PE", machine, len(sections), len(optional), 0x22E)
    at = lfanew + 24
    image[at:at + len(optional)] = optional
    for i, (offset, length, flags) in enumerate(sections):
        struct.pack_into("<8sIIII12xI", image, at + len(optional) + 40 * i, b".s", length,
                         0x1000 + 0x10000 * i, length, offset, flags)
    directory = at + fixed + 32
    if sign:
        image += bytes(-len(image) % 8)
        digest = hashlib.sha256(image[:at + 64] + image[at + 68:directory] + image[directory + 8:])
        table = signature(digest.digest(), **sign) if sign.get("kind") is None else \
            signature(digest.digest()[:20], **sign)
        struct.pack_into("<II", image, directory, len(image), len(table))
        image += table
    image += tail
    if summed:
        struct.pack_into("<I", image, at + 64, checksum(image) + len(image))
    for offset, new in change:
        image[offset:offset + len(new)] = new
    (FOLDER / name).write_bytes(struct.pack("<BBH", arch, correct, piece) + bytes(image)[:cut])


SIGN = {"tail": 200}
SHA1 = {"kind": "1.3.14.3.2.26"}


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    make("good")
    make("good_checksum", summed=True)
    make("good_signed", sign=SIGN)
    make("good_signed_checksum", sign=SIGN, summed=True, piece=0)
    make("good_pe32", pe32=True, machine=0x14C, arch=IA32, sign=SIGN, summed=True)
    make("good_arm64", machine=0xAA64, arch=AA64, directories=6)
    make("good_bare_kernel", machine=0xAA64, arch=AA64, lfanew=0x40, change=[(56, b"ARM\x64")])
    make("good_arm", machine=0x1C2, arch=ARM, pe32=True)
    make("good_riscv", machine=0x5064, arch=RISCV64)
    make("good_byte_code", machine=0xEBC, arch=OTHER)
    make("good_few_directories", directories=4)
    make("good_one_section", sections=((0x200, 0x1E00, CODE),))
    make("good_gap", sections=((0x200, 0x1C00, CODE), (0x2000, 0x200, DATA)), sign=SIGN)
    make("good_sections_reversed", sections=((0x2000, 0x200, DATA), (0x200, 0x1E00, CODE)), sign=SIGN)
    make("good_no_sections", sections=(), size=0x200)
    make("good_driver", subsystem=11)
    make("good_sha1", sign=SHA1, summed=True)
    make("good_page_digests", sign={"page_digests": 600})
    make("good_bytes_behind_signature", sign=SIGN, tail=b"1234567")
    make("corrected", correct=1, sign=SIGN)
    make("other_machine", machine=0xAA64)
    make("not_efi", subsystem=16)
    make("truncated", cut=0x1F00)
    make("truncated_headers", cut=0x100)
    make("truncated_signature", sign=SIGN, cut=0x2300)
    make("zero_page", change=[(0x1000, bytes(4096))])
    make("zero_signature", sign={"tail": 1400}, change=[(0x2400, bytes(512))])
    make("zero_signature_head", sign=SIGN, change=[(0x2238, bytes(64))])
    make("wrong_checksum", summed=True, change=[(0x1234, b"x")])
    make("wrong_digest", sign=SIGN, change=[(0x1234, b"x")])
    make("sections_overlap", sections=((0x200, 0x1F00, CODE), (0x2000, 0x200, DATA)), sign=SIGN)
    make("section_ends_behind_4_gib", sections=((0x200, 0xFFFFFFFF, CODE),))
    make("headers_too_small", headers=0x200, change=[(0x40 + 24 + 60, b"\x40\0\0\0")])
    make("pe_header_far_away", change=[(60, b"\x08\x20\0\0")])
    make("many_sections", sections=((0x200, 0x200, CODE),), change=[(0x46, b"\xff\xff")])
    (FOLDER / "empty").write_bytes(bytes(4))
    (FOLDER / "zeros").write_bytes(bytes(9000))
    (FOLDER / "text").write_bytes(bytes(4) + b"timeout 5\n")


main()
