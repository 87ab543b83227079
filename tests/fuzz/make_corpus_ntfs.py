"""Writes the stored inputs of fuzz_ntfs: changes to a small volume (see there for the format).

make_corpus_ntfs.py FOLDER
"""
import struct
import sys
from pathlib import Path

BOOT, BACKUP, ROOT_INDEX, SYSTEM32_INDEX = 0, 1, 200, 201
LZNT1_DATA, XPRESS_DATA = 250, 251
UNSEALED = 0x8000


def record(number):
    return 2 + number


def change(target, offset, content):
    return struct.pack('<BHB', target, offset, len(content)) + content


def u16(value):
    return struct.pack('<H', value)


def u32(value):
    return struct.pack('<I', value)


def u64(value):
    return struct.pack('<Q', value)


INPUTS = {
    'whole': b'\0',
    'whole_split': b'\1',
    'whole_small_clusters': b'\2',
    'whole_large_clusters': b'\3',
    'boot_zero': b'\0' + change(BOOT, 0, bytes(96)),
    'boot_and_backup_zero': b'\0' + change(BOOT, 0, bytes(96)) + change(BACKUP, 0, bytes(96)),
    'boot_cluster_power': b'\0' + change(BOOT, 13, b'\xf4') + change(BACKUP, 13, b'\xf4'),
    'boot_small_record': b'\0' + change(BOOT, 64, b'\xf7') + change(BACKUP, 64, b'\xf7'),
    'boot_mft_at_end': b'\0' + change(BOOT, 48, u64(510)) + change(BACKUP, 0, bytes(16)),
    'boot_mirror_is_mft': b'\0' + change(BOOT, 56, u64(1)),
    'backup_differs': b'\0' + change(BACKUP, 72, b'other id'),
    'mft_fixup': b'\0' + change(record(0), 510, b'\xff'),
    'mft_pairs': b'\0' + change(record(0), UNSEALED + 0x38 + 0x48 + 0x70 + 0x40, b'\x11\x7f\x20\0'),
    'mft_list': b'\1' + change(record(0), UNSEALED + 0x38 + 0x18, b'\x80\0\0\0\x20\0\0\x1a'),
    'mft_extension': b'\1' + change(record(15), UNSEALED + 0x38 + 0x10, u64(31)),
    'volume_dirty': b'\0' + change(record(3), UNSEALED + 0x118, b'\3\1\1\0'),
    'volume_zero': b'\0' + change(record(3), 0, bytes(64)),
    'root_zero': b'\0' + change(record(5), 0, bytes(64)),
    'root_no_children': b'\0' + change(record(5), UNSEALED + 0x120, bytes(16)),
    'root_block_size': b'\0' + change(record(5), UNSEALED + 0xf8, b'\0\2\0\0'),
    'root_index_number': b'\0' + change(ROOT_INDEX, 0x10, u64(77)),
    'root_index_length': b'\0' + change(ROOT_INDEX, 0x48, u16(0)),
    'root_index_end': b'\0' + change(ROOT_INDEX, 0x1c, u16(0x30)),
    'root_index_child': b'\0' + change(ROOT_INDEX, 0x4c, u16(1)) + change(ROOT_INDEX, 0x24, b'\1'),
    'root_index_circle': b'\0' + change(ROOT_INDEX, 0x24, b'\1') + change(
        ROOT_INDEX, 0x40, u64(0) + u16(0x18) + u16(0) + u16(3) + u16(0) + u64(0)),
    'system32_index_name': b'\1' + change(SYSTEM32_INDEX, 0x90, b'\xff'),
    'system32_index_reference': b'\1' + change(SYSTEM32_INDEX, 0x40, u64((1 << 48) - 1)),
    'system32_index_other': b'\2' + change(SYSTEM32_INDEX, 0x40, u64(5)),
    'upcase_gone': b'\0' + change(record(10), 0, bytes(64)),
    'upcase_runs': b'\0' + change(record(10), UNSEALED + 0x38 + 0x48 + 0x70 + 0x40, b'\x02\x80\0\0'),
    'sequence': b'\0' + b''.join(change(record(n), 0x10, u16(9)) for n in range(24, 40)),
    'records_not_in_use': b'\0' + b''.join(change(record(n), 0x16, u16(0)) for n in range(28, 44)),
    'extension_base': b'\0' + b''.join(change(record(n), 0x20, u64(5)) for n in range(30, 40)),
    'lznt1_chunk_ended': b'\0' + change(LZNT1_DATA, 18, u16(0)),
    'lznt1_chunk_stored': b'\0' + change(LZNT1_DATA, 6, u16(0x3FFF)),
    'lznt1_far': b'\0' + change(LZNT1_DATA, 4, u16(0x1FFC)),
    'xpress_table_zero': b'\0' + change(XPRESS_DATA, 0, bytes(8)),
    'xpress_table_swapped': b'\0' + change(XPRESS_DATA, 0, u32(4361) + u32(4096)),
    'xpress_no_codes': b'\0' + change(XPRESS_DATA, 0, u32(3000) + u32(4361)),
    'packed_other_units': b'\0' + b''.join(change(record(n), UNSEALED + 0xf0 - 0x1e, b'\6') for n in range(38, 50)),
    'packed_other_algorithm': b'\1' + b''.join(
        change(record(n), UNSEALED + at, b'\2') for n in range(41, 50) for at in (0x1ec, 0x1f4)),
    'packed_no_stream': b'\0' + b''.join(change(record(n), UNSEALED + 0x180, b'w') for n in range(38, 50)),
    'runs_far': b'\0' + b''.join(
        change(record(n), UNSEALED + 0xf0, b'\x88' + b'\x7f' * 16 + b'\0') for n in range(33, 38)),
}


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in INPUTS.items():
        (folder / name).write_bytes(content)


main()
