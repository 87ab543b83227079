#!/usr/bin/env python3
"""Writes the first inputs of fuzz_devpath and fuzz_load_option into corpus/."""
import struct
import uuid
from pathlib import Path

HERE = Path(__file__).resolve().parent / "corpus"
ESP = uuid.UUID("476688c5-8ebf-47d2-80e7-cf9d065edb81")
OLD = uuid.UUID("68d298c0-1b6a-01c1-507b-9e5f8078f531")
SYSTEM = uuid.UUID("f3d11286-2582-4d76-889c-b82c346be44e")
MARKER = uuid.UUID("8108ac4e-9f11-4d59-850e-e21a522c59b2")
BOOTMGR = "BCDOBJECT={9dea862c-5cdd-4e70-acc1-f32b344d4795}"


def node(kind, subtype, data=b""):
    return struct.pack("<BBH", kind, subtype, 4 + len(data)) + data


def text(string):
    return string.encode("utf-16-le") + b"\0\0"


def hd(guid, number=1, start=0x22, size=0x66000):
    return node(4, 1, struct.pack("<IQQ", number, start, size) + guid.bytes_le + b"\2\2")


def file(name):
    return node(4, 4, text(name))


END = node(0x7F, 0xFF)
NEXT = node(0x7F, 0x01)
ROOT = node(2, 1, struct.pack("<II", 0x0A0341D0, 0))
SATA = ROOT + node(1, 1, b"\x02\x1f") + node(3, 18, struct.pack("<HHH", 1, 0xFFFF, 0))
NVME = ROOT + node(1, 1, b"\x00\x02") + node(3, 23, struct.pack("<IQ", 1, 0x123456789ABCDEF0))
LOADER = file("\\EFI\\Microsoft\\Boot\\bootmgfw.efi")
MBR = node(4, 1, struct.pack("<IQQI12x", 1, 63, 4096, 0x12345678) + b"\1\1")

PATHS = {
    "end": END,
    "short": hd(OLD) + LOADER + END,
    "target": hd(ESP) + LOADER + END,
    "sata": SATA + hd(OLD) + LOADER + END,
    "nvme": NVME + hd(OLD, 2) + LOADER + END,
    "mbr": SATA + MBR + LOADER + END,
    "instances": SATA + hd(OLD) + NEXT + NVME + hd(OLD) + NEXT + hd(ESP) + END,
    "list": hd(OLD) + END + NVME + hd(OLD) + LOADER + END,
    "files": hd(OLD) + file("\\EFI\\") + file("\\BOOT") + file("BOOTX64.EFI") + END,
    "file": LOADER + END,
    "volume": node(4, 7, OLD.bytes_le) + node(4, 6, ESP.bytes_le) + END,
    "bbs": node(5, 1, struct.pack("<HH", 2, 0) + b"Hard Drive\0") + END,
    "usb": ROOT + node(1, 1, b"\x00\x14") + node(3, 5, b"\x01\x00") + hd(OLD) + END,
    "usb_class": node(3, 15, b"\xff\xff\xff\xff\x08\x06\x50") + END,
    "usb_wwid": node(3, 16, b"\0\0\1\0\2\0" + text("S1")) + END,
    "scsi": ROOT + node(3, 2, struct.pack("<HH", 1, 2)) + END,
    "ata": ROOT + node(3, 1, b"\1\0\0\0") + END,
    "sas": node(3, 10, bytes.fromhex("b4dd87d48b00d911afdc001083ffca4d") + bytes(24)) + END,
    "sas_ex": node(3, 22, bytes(range(16)) + b"\x72\x05\x03\x00") + END,
    "emmc_sd_ufs": node(3, 29, b"\0") + node(3, 26, b"\1") + node(3, 25, b"\0\1") + END,
    "vendor": node(1, 4, OLD.bytes_le + b"data") + node(4, 3, OLD.bytes_le) + END,
    "acpi_ex": node(2, 2, bytes(12) + b"VMBus\0\0\0") + node(2, 3, b"\0\1\1\x80") + END,
    "network": node(3, 11, bytes(32) + b"\1") + node(3, 12, bytes(23)) + node(3, 24, b"http://x") + END,
    "cdrom": SATA + node(4, 2, struct.pack("<IQQ", 1, 41, 16)) + node(4, 8, bytes(20)) + END,
    "unknown": node(6, 9, bytes(40)) + node(1, 99) + END,
    "control": file("\x1b[2J\u202e") + END,
    "cut": SATA + hd(OLD)[:-3],
    "zero_length": SATA + b"\1\1\0\0" + END,
    "huge_length": SATA + b"\1\1\xff\xff" + END,
    "bad_end": hd(OLD) + b"\x7f\xff\x05\0\0" + END,
    "empty": b"",
}


def option(name, paths, optional=b"", attributes=1):
    return struct.pack("<IH", attributes, len(paths)) + text(name) + paths + optional


def windows(options, kind, data, version=1):
    start = 0x14 + len(text(options))
    pad = -start % 4
    size = start + pad + 12 + len(data)
    head = b"WINDOWS\0" + struct.pack("<III", version, size, start + pad)
    return head + text(options) + bytes(pad) + struct.pack("<III", 1, 12 + len(data), kind) + data


MODERN = windows(BOOTMGR, 4, END)
ITANIUM = windows("/redirect", 4, hd(SYSTEM, 4, 0x76022, 0x993EC8) + file("\\WINDOWS") + END)
ARC = windows("/x", 2, b"signature({%s})partition(4)\\WINDOWS\0" % str(SYSTEM).encode())
NT = windows("", 3, text("\\Device\\HarddiskVolume2") + text("\\WINDOWS"))
SHORT = hd(OLD) + LOADER + END

OPTIONS = {
    "modern": option("Windows Boot Manager", SHORT, MODERN),
    "itanium": option("Windows 2003 Server, Enterprise", SHORT, ITANIUM),
    "arc": option("Windows", SHORT, ARC),
    "nt": option("Windows", SHORT, NT),
    "plain": option("debian", SHORT),
    "linux": option("Linux", SHORT, text("root=PARTUUID=%s ro" % SYSTEM)),
    "full": option("disk", SATA + END, MARKER.bytes_le),
    "list": option("list", SHORT + NVME + hd(OLD) + END),
    "hidden": option("UiApp", PATHS["volume"], b"", 9),
    "nameless": option("", END),
    "cut": option("Windows", SHORT, ITANIUM)[:60],
    "junk_in_list": option("Windows", SHORT + b"\1\1"),
    "windows_modern": MODERN,
    "windows_itanium": ITANIUM,
    "windows_arc": ARC,
    "windows_nt": NT,
    "windows_version": windows("", 4, END, 2),
    "windows_cut": ITANIUM[:100],
    "windows_bad_path": windows("", 4, b"\1\1\0\0"),
    "windows_wide_arc": windows("", 2, text("signature({%s})" % str(SYSTEM).upper())),
    "empty": b"",
}

for folder, inputs in (("devpath", PATHS), ("load_option", OPTIONS)):
    (HERE / folder).mkdir(parents=True, exist_ok=True)
    for name, data in inputs.items():
        (HERE / folder / name).write_bytes(data)
