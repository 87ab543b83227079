"""What is in the boot stores of a machine: the noun `store` of damage.py, as in `do: store 1 plex 0`.

Each verb writes the store of a disk's ESP anew, made by regf.py; what is on it besides stays. Mirrors are
built with the stores of `windows`.
"""
import struct
import uuid

import regf

STORE = '/EFI/Microsoft/Boot/BCD'
SECOND = '{4bd4b7f2-9cb2-11e9-8d5c-525400a1b2c3}'
GONE = '{4bd4b7ff-9cb2-11e9-8d5c-525400a1b2c3}'


def plex(setup, index):
    """The partition with Windows on a disk, as a device."""
    disk = setup.disk(int(index))
    return regf.partition(disk.parts['plex'].guid, disk_guid(setup, int(index)))


def esp(setup, index):
    disk = setup.disk(int(index))
    return regf.partition(disk.parts['esp'].guid, disk_guid(setup, int(index)))


def disk_guid(setup, index):
    """As it stands in the header of the primary table."""
    block_size = setup.disk(index).block_size
    return uuid.UUID(bytes_le=bytes(setup.read(index, block_size + 56, 16)))


def nowhere(*words):
    """A partition that no machine has."""
    return regf.partition(*(nowhere_id(kind, *words) for kind in ('partition', 'disk')))


def nowhere_id(kind, *words):
    return uuid.uuid5(uuid.NAMESPACE_URL, ' '.join(['no', kind, *map(str, words)]))


def tree(device=None, os_device=None):
    return regf.set_device(regf.store_tree(), device, os_device)


def drop(root, code, identifier=regf.LOADER):
    """Take an element away."""
    elements = regf.elements_of(root, identifier)
    elements[:] = [key for key in elements if key.name != code]
    return root


def put(root, code, value, identifier=regf.BOOTMGR):
    """Set an element."""
    drop(root, code, identifier)
    regf.elements_of(root, identifier).append(regf.Key(code, {'Element': value}))
    return root


def objects(root):
    found, = (key for key in root.children if key.name == 'Objects')
    return found.children


def add_second(root, device, description='Windows Server - secondary plex'):
    """Another loader, as Windows makes one for the other half of a mirror, last in the order."""
    elements = {'11000001': device, '21000001': device, '12000002': regf.text('\\Windows\\system32\\winload.efi'),
                '12000004': regf.text(description), '22000002': regf.text('\\Windows')}
    objects(root).append(regf.bcd_object(SECOND, regf.LOADER_TYPE, elements))
    return put(root, '24000001', regf.objects(regf.LOADER, SECOND))


def without_objects():
    root = regf.store_tree()
    objects(root).clear()
    return root


def of_windows(setup, index, other):
    """As Windows keeps it on a mirror: its own ESP, this plex by default, the other one as second."""
    root = add_second(tree(plex(setup, index)), plex(setup, other))
    return put(root, '11000001', esp(setup, index))


def ramdisk(volume=None):
    """A loader in a RAM disk made from a file on a partition, or on one that is nowhere."""
    text = '\\Recovery\\Winre.wim\0'.encode('utf-16-le')
    parent = (volume or nowhere('recovery'))[1][16:]
    path = struct.pack('<III', 1, 12 + len(parent) + len(text), 5) + parent + text
    return regf.BINARY, bytes(16) + struct.pack('<IIIII20x', 0, 1, 40 + len(path), 0, 3) + path


def loader_put(root, code, value):
    return put(root, code, value, regf.LOADER)


YES, NO = (regf.BINARY, b'\x01'), (regf.BINARY, b'\x00')
RESUME = '{4bd4b7f4-9cb2-11e9-8d5c-525400a1b2c3}'
RECOVERY = '{4bd4b7f5-9cb2-11e9-8d5c-525400a1b2c3}'
TESTER = '{b2721d73-1db4-4c62-bf78-c548a880142d}'


def with_object(root, identifier, kind, description, device):
    objects(root).append(regf.bcd_object(identifier, kind, {
        '11000001': device, '12000004': regf.text(description)}))
    return root


def with_resume(setup, index, device):
    """What starts a hibernated Windows, and where its file is."""
    root = with_object(of_windows(setup, index, 1 - index), RESUME, 0x10200004, 'Windows Resume Application', device)
    put(root, '21000001', device, RESUME)
    return loader_put(root, '23000003', regf.text(RESUME))


def with_recovery(setup, index, device):
    root = with_object(of_windows(setup, index, 1 - index), RECOVERY, regf.LOADER_TYPE, 'Windows Recovery Environment',
                       device)
    return loader_put(loader_put(root, '14000008', regf.objects(RECOVERY)), '16000009', YES)


def with_tester(setup, index):
    root = with_object(of_windows(setup, index, 1 - index), TESTER, 0x10200005, 'Windows Memory Diagnostic',
                       esp(setup, index))
    return put(root, '24000002', regf.objects(TESTER))


def windows_with(code, value):
    """The loader has one more element."""
    return lambda setup, index: loader_put(of_windows(setup, index, 1 - index), code, value)


def manager_with(code, value):
    return lambda setup, index: put(of_windows(setup, index, 1 - index), code, value)


def device_of_type(number):
    kind, data = nowhere('odd')
    return kind, data[:16] + number.to_bytes(4, 'little') + data[20:]


# Name of a verb: makes the tree from the setup, the disk's number, and the words behind.
STORES = {
    'locate': lambda setup, index: tree(),
    'plex': lambda setup, index, other: tree(plex(setup, other)),
    'windows': of_windows,
    'os-of': lambda setup, index, other: tree(plex(setup, index), plex(setup, other)),
    'nowhere': lambda setup, index: tree(nowhere(index)),
    'partition-gone': lambda setup, index: tree(regf.partition(nowhere_id('partition', index), disk_guid(setup, index))),
    'esp': lambda setup, index: tree(esp(setup, index)),
    'boot': lambda setup, index: tree((regf.BINARY, bytes(16) + b'\x05' + bytes(7) + b'\x48' + bytes(63))),
    'ramdisk': lambda setup, index: tree(ramdisk()),
    'odd-device': lambda setup, index: tree(device_of_type(77)),
    'empty': lambda setup, index: without_objects(),
    'no-choice': lambda setup, index: drop(drop(tree(), '23000003', regf.BOOTMGR), '24000001', regf.BOOTMGR),
    'order-only': lambda setup, index: drop(tree(plex(setup, index)), '23000003', regf.BOOTMGR),
    'default-only': lambda setup, index: drop(tree(plex(setup, index)), '24000001', regf.BOOTMGR),
    'default-gone': lambda setup, index: put(tree(plex(setup, index)), '23000003', regf.text(GONE)),
    'all-gone': lambda setup, index: put(put(tree(), '23000003', regf.text(GONE)), '24000001', regf.objects(GONE)),
    'no-description': lambda setup, index: drop(tree(plex(setup, index)), '12000004'),
    'no-device': lambda setup, index: drop(tree(plex(setup, index)), '11000001'),
    'no-osdevice': lambda setup, index: drop(tree(plex(setup, index)), '21000001'),
    'no-path': lambda setup, index: drop(tree(plex(setup, index)), '12000002'),
    'other-path': lambda setup, index: put(tree(plex(setup, index)), '12000002',
                                           regf.text('\\Windows\\system32\\other.efi'), regf.LOADER),
    'other-root': lambda setup, index: put(tree(plex(setup, index)), '22000002',
                                           regf.text('\\Windows.old'), regf.LOADER),
    'once-second': lambda setup, index, other: put(of_windows(setup, index, other), '24000002',
                                                   regf.objects(SECOND)),
    'once-gone': manager_with('24000002', regf.objects(GONE)),
    'once-tester': with_tester,
    'tools-gone': manager_with('24000010', regf.objects(TESTER)),
    'order-half-gone': manager_with('24000001', regf.objects(GONE, regf.LOADER)),
    'resume-gone': windows_with('23000003', regf.text(GONE)),
    'recovery-gone': windows_with('14000008', regf.objects(GONE)),
    'resume-of': lambda setup, index, other: with_resume(setup, index, plex(setup, other)),
    'resume-nowhere': lambda setup, index: with_resume(setup, index, nowhere(index)),
    'recovery-nowhere': lambda setup, index: with_recovery(setup, index, ramdisk()),
    'recovery-of': lambda setup, index, other: with_recovery(setup, index, ramdisk(plex(setup, other))),
    'recovery-off': lambda setup, index: loader_put(with_recovery(setup, index, ramdisk()), '16000009', NO),
    'recovery-ignored': lambda setup, index: loader_put(with_recovery(setup, index, ramdisk()), '250000e0',
                                                        regf.integer(1)),
    'other-store': lambda setup, index: put(of_windows(setup, index, 1 - index), '21000022', esp(setup, 1 - index)),
    'other-store-file': manager_with('22000023', regf.text('\\EFI\\Other\\BCD')),
    'wakes': lambda setup, index: put(put(with_resume(setup, index, plex(setup, index)), '26000005', YES),
                                      '23000006', regf.text(RESUME)),
    'safe-mode': windows_with('25000080', regf.integer(0)),
    'safe-network': windows_with('25000080', regf.integer(1)),
    'test-signing': windows_with('16000049', YES),
    'no-integrity': windows_with('16000048', YES),
    'test-signing-off': windows_with('16000049', NO),
    'second-first': lambda setup, index, other: put(of_windows(setup, index, other), '23000003',
                                                    regf.text(SECOND)),
}


# A write to the store that was cut short: what it was going to be is in a log, or is not. The bins are still
# those of a store that starts nothing. Name of a verb: makes (hive, {suffix of a log's name: its bytes}).

def cut_short(old, new):
    """The hive when the write had just begun."""
    size = max(len(old), len(new))
    torn = old.ljust(size, b'\0')
    return regf.set_sequences(new[:regf.BLOCK] + torn[regf.BLOCK:], 8, 7)


def with_log(make, suffix='.LOG'):
    def build(setup, index, other=None):
        new = regf.build(of_windows(setup, index, index if other is None else int(other)))
        if other is not None:
            new = regf.build(tree(plex(setup, other)))
        hive = cut_short(regf.build(tree(nowhere(index))), new)
        return hive, {suffix: make(new)}
    return build


def flipped(log, at):
    return log[:at] + bytes([log[at] ^ 1]) + log[at + 1:]


def wild(new):
    """A page that lies behind the last bin, under hashes that are right."""
    return regf.log_file(new, 7, regf.log_entry(7, len(new) - regf.BLOCK, [(0x7FFFF000, bytes(512))]))


def hollow(new):
    """Bins that hold nothing, under hashes that are right."""
    size = len(new) - regf.BLOCK
    return regf.log_file(new, 7, regf.log_entry(7, size, [(0, bytes(size))]))


def in_two(new):
    """Two writes, one after the other; the first half of the bins is in the first."""
    bins = new[regf.BLOCK:]
    half = len(bins) // 2
    return regf.log_file(new, 7, regf.log_entry(7, len(bins), [(0, bins[:half])]),
                         regf.log_entry(8, len(bins), [(half, bins[half:])]))


LOGGED = {
    'dirty': with_log(lambda new: regf.build_log(new, 7)),
    'dirty-of': with_log(lambda new: regf.build_log(new, 7)),
    'dirty-in-two': with_log(in_two),
    'dirty-log-stale': with_log(lambda new: regf.build_log(new, 6)),
    'dirty-log-cut': with_log(lambda new: regf.build_log(new, 7)[:1536]),
    'dirty-log-flipped': with_log(lambda new: flipped(regf.build_log(new, 7), 2000)),
    'dirty-log-wild': with_log(wild),
    'dirty-log-hollow': with_log(hollow),
    'dirty-log-1': with_log(lambda new: regf.build_log(new, 7), '.LOG1'),
}
