#!/usr/bin/python3
"""Writes tests/fuzz/corpus/ldm: one small input for each kind of database fuzz_ldm.c should know.

Run it from the top of the tree; the files it writes are kept in the tree. They come from the
builder of ovmf-harness/ldm.py, with a config region of a few blocks.
"""
import struct
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, "ovmf-harness")
import ldm  # noqa: E402

FOLDER = Path("tests/fuzz/corpus/ldm")
GUIDS = ("5bd10003-0c4d-11e2-9a3b-525400a1b2c3", "5bd10003-0c4d-11e2-9a3b-525400a1b2c2")
SEAL = b"\1"
SECOND, BEHIND = b"\5", b"\15"    # fuzz_ldm.c makes the second disk of the first one
FIRST_SLOT = 4

ldm.CONFIG_BLOCKS = 6


def group(**changes):
    disks = tuple(
        ldm.LdmDisk(f"Disk{i + 1}", guid, private_start=64, public_start=4096 + 8 * i,
                    public_size=8192, extent_start=16 * i) for i, guid in enumerate(GUIDS))
    return ldm.MirrorGroup(**{"size": 4096, "disks": disks, **changes})


def parts(made):
    return [bytearray(part) for part in (
        ldm.build_privhead(made, made.disks[0]), ldm.build_tocblock(),
        ldm.build_vmdb(made) + ldm.build_slots(made))]


def make(name, made=None, seal=SEAL, change=None, cut=None, log=b""):
    head, toc, config = parts(made or group())
    if change:
        change(head, toc, config)
    data = (seal + head + toc + config)[:cut]
    if log:
        data = bytes([data[0] | 2]) + data[1:] + log
    (FOLDER / name).write_bytes(data)


def put(which, at, form, value):
    def change(*pieces):
        struct.pack_into(">" + form, pieces[which], at, value)
    return change


HEAD, TOC, CONFIG = range(3)


def slot(number, at):
    return ldm.SLOT * number + at


def rename_begun(update):
    """The volume's record is leaving, a second one is arriving."""
    def change(head, toc, config):
        old = FIRST_SLOT + 3
        new = FIRST_SLOT + 8
        config[slot(new, 8):slot(new, 128)] = config[slot(old, 8):slot(old, 128)]
        struct.pack_into(">I", config, slot(new, 8), 99)
        struct.pack_into(">H", config, slot(new, 0x10), 2)
        struct.pack_into(">H", config, slot(old, 0x10), 1)
        struct.pack_into(">H", config, 0x10, update)
        struct.pack_into(">Q", config, 0x7D, 13)
    return change


def columns(layout, count, size, kind="gen"):
    """One component of `count` columns in place of the mirror's two."""
    made = group()
    data = [ldm.group_record(made)]
    data += [ldm.disk_record(disk, 2 + i) for i, disk in enumerate(made.disks)]
    if count > 2:
        third = ldm.LdmDisk("Disk3", GUIDS[0].replace("0003", "0005"), 64, 4096, 8192)
        data.append(ldm.disk_record(third, 9))
    volume = ldm.Volume("Volume1", made.volume_guid, size, (None,), kind, "C:")
    data.append(ldm.volume_record(made, volume, 4))
    stripes = ldm.number(128) + ldm.number(count) if layout != 2 else b""
    body = b"".join((ldm.string("ACTIVE"), bytes([layout]), bytes(4), ldm.number(count), bytes(16),
                     ldm.number(4), ldm.number(0), stripes))
    data.append(ldm.record(ldm.COMPONENT, 5, "Volume1-01", body, 0x10 if stripes else 0))
    for i in range(count):
        body = b"".join((bytes(4), bytes(8), struct.pack(">QQ", 64, 2048 * i if layout == 2 else 0),
                         ldm.number(2048), ldm.number(5), ldm.number(9 if i == 2 else 2 + i),
                         b"" if layout == 2 else ldm.number(i)))
        data.append(ldm.record(ldm.PARTITION, 10 + i, f"Disk{i + 1}-01", body,
                               0 if layout == 2 else 0x08))

    def change(head, toc, config):
        for i in range(FIRST_SLOT, ldm.CONFIG_BLOCKS * 4):
            config[slot(i, 8):slot(i, 128)] = bytes(120)
        for i, record in enumerate(data):
            at = FIRST_SLOT + i
            config[slot(at, 8):slot(at, 16)] = struct.pack(">IHH", i + 1, 0, 1)
            config[slot(at, 16):slot(at, 16) + len(record)] = record
        counts = struct.pack(">4I", 1, 1, count, max(2, count))
        config[0x85:0x95] = config[0xA1:0xB1] = counts
    return change


def swap_slots(a, b):
    def change(head, toc, config):
        first = config[slot(a, 8):slot(a, 128)]
        config[slot(a, 8):slot(a, 128)] = config[slot(b, 8):slot(b, 128)]
        config[slot(b, 8):slot(b, 128)] = first
    return change


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    long_name = group(volume_name="a volume whose name takes up a second slot, for it has 112 bytes")
    make("mirror")
    make("mirror_own_checksums", seal=b"\0")
    make("two_fragments", long_name)
    make("fragments_apart", long_name, change=swap_slots(8, 18))
    make("fragment_missing", long_name, change=put(CONFIG, slot(8, 0x0E), "H", 0))
    make("fragment_twice", long_name, change=put(CONFIG, slot(8, 0x0C), "H", 0))
    make("rename_not_decided", change=rename_begun(2))
    make("rename_decided", change=rename_begun(3))
    make("spanned", change=columns(2, 2, 4096))
    make("striped", change=columns(1, 2, 4096))
    make("raid5", change=columns(3, 3, 4096, "raid5"))
    make("simple", change=columns(2, 1, 2048))
    make("header_without_magic", change=put(HEAD, 0, "B", 0))
    make("header_wrong_checksum", seal=b"\0", change=put(HEAD, 0x18, "B", 7))
    make("public_region_wraps", change=put(HEAD, 0x11B, "Q", 2**64 - 4))
    make("regions_overlap", change=put(HEAD, 0x11B, "Q", 2000))
    make("toc_without_magic", change=put(TOC, 0, "B", 0))
    make("toc_of_other_sequence", change=put(TOC, 0x0C, "Q", 9))
    make("config_outside", change=put(TOC, 0x2E, "Q", 2**64 - 6))
    make("config_disabled", change=put(TOC, 0x2C, "H", 8))
    make("config_too_large", change=put(TOC, 0x36, "Q", 1400))
    make("slot_size_0", change=put(CONFIG, 0x08, "I", 0))
    make("header_outside", change=put(CONFIG, 0x0C, "I", 2**31))
    make("slots_outside", change=put(CONFIG, 0x04, "I", 2**32 - 1))
    make("update_aborted", change=put(CONFIG, 0x10, "H", 4))
    make("group_zero", change=put(CONFIG, slot(5, 8), "I", 0))
    make("length_wraps", change=put(CONFIG, slot(5, 0x14), "I", 2**32 - 1))
    make("unknown_kind", change=put(CONFIG, slot(5, 0x13), "B", 0x36))
    make("unknown_flag", change=put(CONFIG, slot(5, 0x12), "B", 0x40))
    make("id_twice", change=put(CONFIG, slot(5, 0x19), "B", 3))
    make("name_past_the_end", change=put(CONFIG, slot(5, 0x1A), "B", 250))
    make("config_cut", cut=1025 + 700)
    make("no_config", cut=1025)
    make("two_disks", seal=SECOND)
    make("second_disk_behind", seal=BEHIND)
    make("marked_disk_behind", group(partition_flags=(0, ldm.DETACHED)), seal=BEHIND)
    make("two_disks_dirty", seal=SECOND, log=ldm.build_log(((ldm.LOG_DIRTY,),)))
    make("log_commit_ahead", log=ldm.build_log(((ldm.LOG_COMMIT, 12, 13),)))
    make("log_damaged", log=bytes(1024))
    make("volume_sync", group(volume_state="SYNC", component_flags=(0, ldm.COMPONENT_BUILDING)))


if __name__ == "__main__":
    main()
