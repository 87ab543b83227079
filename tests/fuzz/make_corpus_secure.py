#!/usr/bin/python3
"""Writes the corpora of what Secure Boot is made of: signature_list, signed_data, pe_resource.

Run it from the top of the tree; the files it writes are kept in the tree. Nothing in them is signed.
"""
import struct
import uuid
from pathlib import Path

CORPUS = Path("tests/fuzz/corpus")
SHA256 = "c1c41626-504c-4092-aca9-41f936934328"
X509 = "a5c059a1-94e4-4aa7-87b5-ab155c2bf072"
TBS = "3bd2a492-96c0-4079-b420-fcf98ef103ed"
OWNER = "77fa9abd-0359-4d32-bd60-28f4e78f784b"
SVN_OWNER = "9d132b6c-59d5-4388-ab1c-185cfcb2eb92"
SVN_PROGRAM = "9d132b61-59d5-4388-ab1c-185c3cb2eb92"


def der(tag, *parts):
    body = b"".join(parts)
    size = bytes([len(body)]) if len(body) < 0x80 else b"\x82" + struct.pack(">H", len(body))
    return bytes([tag]) + size + body


def name(common, tag=0x0C):
    return der(0x30, der(0x31, der(0x30, der(6, b"\x55\x04\x03"), der(tag, common))))


def certificate(subject, issuer, serial, end=der(0x17, b"310203040506Z")):
    part = der(0x30, der(0xA0, der(2, b"\2")), der(2, bytes([serial])), der(0x30), name(issuer),
               der(0x30, der(0x17, b"210203040506Z"), end), name(subject), der(0x30))
    return der(0x30, part, der(0x30), der(3, b"\0s"))


def table(certificates, issuer, serial, oid=b"\x2b\x06\x01\x04\x01\x82\x37\x02\x01\x04"):
    digest = der(0x30, der(0x30, der(6, b"\x60\x86\x48\x01\x65\x03\x04\x02\x01"), der(5)), der(4, bytes(32)))
    signer = der(0x30, der(2, b"\1"), der(0x30, name(issuer), der(2, bytes([serial]))))
    data = der(0x30, der(2, b"\1"), der(0x31),
               der(0x30, der(6, oid), der(0xA0, der(0x30, der(0x30), digest))),
               der(0xA0, *certificates), der(0x31, signer))
    info = der(0x30, der(6, b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"), der(0xA0, data))
    whole = struct.pack("<IHH", 8 + len(info), 0x200, 2) + info
    return whole + bytes(-len(whole) % 8)


def lists(kind, *entries, owner=OWNER, head=0):
    body = b"".join(uuid.UUID(owner).bytes_le + entry for entry in entries)
    return (uuid.UUID(kind).bytes_le
            + struct.pack("<III", 28 + head + len(body), head, 16 + len(entries[0])) + bytes(head) + body)


def directory(named, *entries):
    return struct.pack("<12xHH", named, len(entries) - named) + b"".join(
        struct.pack("<II", *entry) for entry in entries)


def resources(size=0x600, far=False):
    high, at = 0x80000000, 0x500 if far else 0x300
    text = "BOOTMGRSECURITYVERSIONNUMBER"
    out = bytearray(size)
    for place, part in ((0, directory(0, (10, high | 0x40), (16, high | 0x80))),
                        (0x40, directory(1, (high | 0x200, high | 0xC0))),
                        (0x80, directory(0, (1, high | 0x100))),
                        (0xC0, directory(0, (1033, 0x180))), (0x100, directory(0, (1033, 0x190))),
                        (0x180, struct.pack("<II", 0x1000 + at, 4)),
                        (0x190, struct.pack("<II", 0x1000 + at + 0x40, 56)),
                        (0x200, struct.pack("<H", len(text)) + text.encode("utf-16-le")),
                        (at, struct.pack("<HH", 0, 7)),
                        (at + 0x40 + 40, struct.pack("<I4xII", 0xFEEF04BD, 0xA0000, 0x4A610B95))):
        out[place:place + len(part)] = part
    return bytes(out)


def put(folder, files):
    (CORPUS / folder).mkdir(parents=True, exist_ok=True)
    for file, data in files.items():
        (CORPUS / folder / file).write_bytes(data)


def main():
    leaf, authority = certificate(b"Leaf", b"CA", 9), certificate(b"CA", b"Root", 1)
    svn = b"\1" + uuid.UUID(SVN_PROGRAM).bytes_le + struct.pack("<HH", 0, 9) + bytes(11)
    digests = lists(SHA256, bytes(32), b"\xff" * 32)
    put("signature_list", {
        "digests": digests, "certificate": lists(X509, authority), "svn": lists(SHA256, svn, owner=SVN_OWNER),
        "several": lists(X509, authority) + digests + lists(TBS, bytes(48)), "cut": digests[:-1],
        "with_header": lists(SHA256, bytes(32), head=8), "other": lists(OWNER, b"abc"),
        "long_time": lists(X509, certificate(b"A", b"B", 1, der(0x18, b"20510203040506Z"))), "empty": b""})
    put("signed_data", {
        "usual": table([leaf, authority], b"CA", 9), "leaf_alone": table([leaf], b"CA", 9),
        "twice": table([leaf], b"CA", 9) + table([authority, leaf], b"CA", 9),
        "own_issuer": table([certificate(b"Self", b"Self", 1)], b"Self", 1),
        "not_there": table([leaf], b"CA", 8), "other_content": table([leaf], b"CA", 9, b"\x2a\x03"),
        "cut": table([leaf], b"CA", 9)[:-9], "wide_name": table([certificate(b"\0A", b"CA", 9)], b"CA", 9)})
    put("pe_resource", {
        "near": b"\xff\x01" + resources(), "by_byte": b"\0\0" + resources(),
        "far": b"\x07\x02" + resources(far=True), "behind_head": b"\xff\x0f" + resources(0x2000),
        "cut": b"\x10\0" + resources()[:0x310], "empty": b"\0\0"})


if __name__ == "__main__":
    main()
